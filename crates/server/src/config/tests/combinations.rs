//! The table of combinations: that each is judged, and that operators can read
//! the same.

use std::fs;

use super::super::combinations::{Start, table, warned};
use super::*;

/// What a start with these variables warns of, by the settings that are named.
fn warnings(variables: &[(&str, &str)], is_open: bool, has_sender: bool) -> Vec<String> {
    let start = Start {
        config: &given().variables(variables).good(),
        is_open,
        has_sender,
    };
    let settings = |what: &str| {
        let named = what
            .split(['(', ')', ' '])
            .filter(|word| word.contains('.'));
        named.collect::<Vec<_>>().join(" ")
    };
    warned(&start).map(|found| settings(found.what)).collect()
}

#[test]
fn the_document_has_the_table_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let document = fs::read_to_string(path).expect("it is there");
    let table = table();
    assert!(
        document.contains(&format!("\n\n{table}\n")),
        "docs/configuration.md must have this table:\n{table}"
    );
    let rows = |text: &str| text.lines().filter(|line| line.starts_with('|')).count();
    assert_eq!(rows(&document), rows(&table), "it has a row of its own");
}

#[test]
fn the_embedded_default_is_warned_of_for_want_of_callers_alone() {
    assert_eq!(warnings(&[], false, true), Vec::<String>::new());
    assert_eq!(warnings(&[], true, true).len(), 1);
}

#[test]
fn several_replicas_without_redis_and_plaintext_off_loopback_are_warned_of() {
    let database = (
        "COUNTERSIGN__DATABASE__URL",
        "postgres://countersign@db/countersign",
    );
    let redis = ("COUNTERSIGN__REDIS__URL", "redis://cache");
    let listen = ("COUNTERSIGN__SERVER__LISTEN", "0.0.0.0:50051");
    let certificate = ("COUNTERSIGN__SERVER__TLS_CERTIFICATE", "tls.crt");
    let key = ("COUNTERSIGN__SERVER__TLS_PRIVATE_KEY", "tls.key");
    let without_redis = "redis.url database.url";
    let plaintext = "server.tls_certificate";
    for (variables, expected) in [
        (&[database][..], &[without_redis][..]),
        (&[database, redis], &[]),
        (&[listen], &[plaintext]),
        (&[listen, certificate, key], &[]),
        (&[database, listen], &[without_redis, plaintext]),
    ] {
        assert_eq!(warnings(variables, false, true), expected, "{variables:?}");
    }
    assert_eq!(
        warnings(&[], false, false),
        ["delivery.sms, delivery.email"]
    );
}

#[test]
fn a_required_second_factor_that_cannot_be_sent_everywhere_is_warned_of() {
    let required = ("COUNTERSIGN__MFA__POLICY", "required");
    let of_staff = (
        "COUNTERSIGN__MFA__GROUP_POLICIES",
        "staff=required_for_unknown_devices",
    );
    let sms = ("COUNTERSIGN__DELIVERY__SMS", "log");
    let email = ("COUNTERSIGN__DELIVERY__EMAIL", "log");
    let abroad = ("COUNTERSIGN__VERIFICATION__COUNTRIES", "US");
    let with_home = ("COUNTERSIGN__VERIFICATION__COUNTRIES", "US,KR");
    let at_home_there = ("COUNTERSIGN__IDENTIFIERS__DEFAULT_REGION", "US");
    for (variables, is_warned_of) in [
        (&[required][..], false),
        (&[required, sms, email], false),
        (&[required, email], true),
        (&[of_staff, sms], true),
        (&[sms], false),
        (&[required, abroad], true),
        (&[required, with_home], false),
        (&[required, abroad, at_home_there], false),
        (&[abroad], false),
    ] {
        let warned = warnings(variables, false, true);
        let is_warned = warned.iter().any(|what| what.contains("mfa.policy"));
        assert_eq!(is_warned, is_warned_of, "{variables:?}: {warned:?}");
    }
    assert_eq!(warnings(&[required], false, false).len(), 2);
}

#[test]
fn settings_that_do_not_fit_each_other_are_refused() {
    for (settings, told) in [
        (
            &[("SERVER__TLS_CERTIFICATE", "tls.crt")][..],
            "server.tls_private_key (the default) must be set too, as server.tls_certificate is",
        ),
        (
            &[("SERVER__TLS_PRIVATE_KEY", "tls.key")],
            "server.tls_certificate (the default) must be set too, as server.tls_private_key is",
        ),
        (
            &[("METRICS__LISTEN", "127.0.0.1:50051")],
            "must be another address than server.listen",
        ),
        (&[("TOKENS__ACCESS_TTL", "9s")], "must be 10s to 1d"),
        (&[("TOKENS__ACCESS_TTL", "25h")], "must be 10s to 1d"),
        (
            &[("TOKENS__IDLE_TTL", "4m")],
            "must not be longer than tokens.idle_ttl",
        ),
        (
            &[("TOKENS__SESSION_TTL", "29d")],
            "must not be longer than tokens.session_ttl",
        ),
        (&[("DEVICES__LIFETIME", "401d")], "must be 1d to 400d"),
        (&[("MFA__REMEMBER_DEVICE", "91d")], "must be 0s to 90d"),
        (
            &[("MFA__REMEMBER_DEVICE", "3d"), ("DEVICES__LIFETIME", "2d")],
            "must not be longer than devices.lifetime",
        ),
        (
            &[("VALIDATION__FEED_BOUND", "1900ms")],
            "must be at most half of validation.feed_bound",
        ),
    ] {
        let variables: Vec<_> = settings
            .iter()
            .map(|(key, value)| (format!("COUNTERSIGN__{key}"), *value))
            .collect();
        let variables: Vec<_> = variables.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        let problem = given().variables(&variables).problem();
        assert!(problem.ends_with(told), "{problem}");
    }
}
