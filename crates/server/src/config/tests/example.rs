//! The example configuration that is shipped: it names every setting, and its
//! values are the defaults.

use std::fs;

use super::super::schema::Schema;
use super::*;

/// Settings without a default: the example shows what they look like.
const OPTIONAL: [&str; 41] = [
    "server.tls_certificate",
    "server.tls_private_key",
    "server.tls_client_ca",
    "database.url",
    "redis.url",
    "keys.master_key",
    "legacy.url",
    "legacy.table",
    "legacy.email_column",
    "legacy.phone_column",
    "legacy.username_column",
    "legacy.name_column",
    "legacy.password_column",
    "legacy.active_column",
    "legacy.banned_column",
    "legacy.withdrawn_at_column",
    "gateway.public_url",
    "gateway.endpoint",
    "gateway.api_key",
    "gateway.operator_role",
    "gateway.operator_api_key",
    "gateway.endpoint_ca",
    "gateway.tls_certificate",
    "gateway.tls_private_key",
    "gateway.brand_color",
    "gateway.brand_logo",
    "delivery.templates",
    "delivery.tls_ca",
    "sens.service_id",
    "sens.access_key",
    "sens.secret_key",
    "sens.from",
    "alimtalk.service_id",
    "alimtalk.plus_friend_id",
    "smtp.url",
    "smtp.username",
    "smtp.password",
    "smtp.from",
    "webhook.url",
    "webhook.secret",
    "webhook.old_secret",
];

fn example() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/countersign.toml");
    fs::read_to_string(path).expect("the example is there")
}

/// Every `#key = value` of the example, with its section.
fn settings(example: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut settings = Vec::new();
    for line in example.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        }
        let name = line
            .strip_prefix('#')
            .and_then(|line| line.split_once(" = "));
        if let Some((name, value)) = name
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            settings.push((format!("{section}{name}"), value.to_owned()));
        }
    }
    settings
}

#[test]
fn the_example_as_it_is_changes_nothing() {
    assert_same(&given().file(&example()).good(), &Config::default());
}

#[test]
fn the_example_names_every_setting_with_its_default() {
    let example = example();
    let shown = settings(&example);
    let written = toml::from_str::<toml::Table>(&Config::default().to_toml()).expect("TOML");
    let mut keys = Vec::new();
    for (name, value) in &written {
        match value {
            toml::Value::Table(section) => {
                keys.extend(section.keys().map(|key| format!("{name}.{key}")));
            }
            _ => keys.push(name.clone()),
        }
    }
    keys.extend(OPTIONAL.map(String::from));
    for key in keys {
        let is_shown = shown.iter().any(|(name, _)| *name == key);
        assert!(is_shown, "{key} is missing in the example");
    }
    let schema = Schema::new();
    for (key, value) in shown {
        let default = schema.default(&key);
        let default = default.unwrap_or_else(|| panic!("{key} is not a setting"));
        if !OPTIONAL.contains(&key.as_str()) {
            let default = toml::Value::try_from(default).expect("a plain value");
            let value: toml::Table = format!("x = {value}").parse().expect("TOML");
            assert_eq!(value["x"], default, "{key}");
        }
    }
}
