//! Providers of messages: what is demanded of them, and that no secret shows.

use super::*;

const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const GOOD: &str = "[delivery]
sms = ['sens', 'webhook']
email = ['smtp', 'webhook']
product_name = 'Shop'
origin = 'example.com'
[sens]
service_id = 'ncp:sms:kr:000000000000:shop'
access_key = 's3cret-access'
secret_key = 's3cret-key'
from = '0215881588'
[smtp]
url = 'smtp://mail.example.com'
username = 'mina'
password = 's3cret-password'
from = 'Shop <no-reply@example.com>'
[webhook]
url = 'https://hooks.example.com/send'
secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
old_secret = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
";

#[test]
fn all_providers_can_be_configured_and_no_secret_of_theirs_is_shown() {
    let config = given().file(GOOD).good();
    assert_eq!(
        config.delivery.sms,
        [SmsProvider::Sens, SmsProvider::Webhook]
    );
    for shown in [config.to_toml(), format!("{config:?}")] {
        for secret in ["s3cret", &WEBHOOK_SECRET[6..], "C2FVsBQI"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn a_list_that_names_a_provider_without_its_section_says_what_is_missing() {
    let problems = given()
        .file(
            "[delivery]\nsms = ['sens', 'webhook']\nemail = ['smtp']\n[sens]\nfrom = '0215881588'",
        )
        .problems();
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let missing = [
        ("sens.service_id", "sms names sens"),
        ("sens.access_key", "sms names sens"),
        ("sens.secret_key", "sms names sens"),
        ("smtp.url", "email names smtp"),
        ("smtp.from", "email names smtp"),
        ("webhook.url", "sms names webhook"),
        ("webhook.secret", "sms names webhook"),
    ];
    let told =
        missing.map(|(key, by)| format!("{key} (the default) must be set, as delivery.{by}"));
    assert_eq!(texts, told);
}

#[test]
fn a_list_has_its_providers_in_an_environment_variable_too() {
    let config = given().variables(&[("COUNTERSIGN__DELIVERY__SMS", "log")]);
    assert_eq!(config.good().delivery.sms, [SmsProvider::Log]);
    let problem = given()
        .variables(&[("COUNTERSIGN__DELIVERY__EMAIL", "sens")])
        .problem();
    assert!(
        problem.ends_with("must be log, smtp or webhook"),
        "{problem}"
    );
}

#[test]
fn values_that_would_harm_are_refused() {
    for (from, to, told) in [
        (
            "'sens', 'webhook'",
            "'sens', 'sens'",
            "must name each provider once",
        ),
        (
            "origin = 'example.com'",
            "origin = 'https://example.com'",
            "must be a host such as",
        ),
        ("https://hooks", "http://hooks", "must be an https:// URL"),
        (
            "https://hooks",
            "https://mina:s3cret@hooks",
            "must be an https:// URL",
        ),
        (
            "whsec_MfKQ",
            "MfKQ",
            "must be whsec_ and 24 to 64 random bytes in base64",
        ),
        (
            "smtp://mail.example.com",
            "smtp://mina:s3cret@mail.example.com",
            "must be smtps://host",
        ),
        (
            "Shop <no-reply@example.com>",
            "Shop",
            "must be an address such as",
        ),
        (
            "username = 'mina'",
            "",
            "must be set too, as smtp.password is",
        ),
        (
            "'0215881588'",
            "'+82 2 1588 1588'",
            "must be a registered number in digits",
        ),
        (
            "ncp:sms:kr:000000000000:shop",
            "a/b",
            "must be the id of a service",
        ),
        (
            "[sens]",
            "timeout = '23s'\n[sens]",
            "must be at most 45s for all providers",
        ),
        ("[sens]", "templates = '/nowhere'\n[sens]", "/nowhere: "),
        (
            "'Shop'",
            "'A product with a very long name'",
            "sms.sign_up.en.txt (built in), line 1: a text message has at most 90 bytes",
        ),
        ("'Shop'", "'Café'", "'é' is not in EUC-KR"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let problem = given().file(&GOOD.replacen(from, to, 1)).problem();
        assert!(problem.contains(told), "{problem}");
        assert!(!problem.contains("s3cret"), "{problem}");
    }
}

#[test]
fn alimtalk_needs_the_keys_of_sens_and_the_texts_of_its_templates() {
    let problems = given().file("[delivery]\nsms = ['alimtalk']").problems();
    let missing: Vec<_> = problems.iter().map(|p| p.setting.as_str()).collect();
    let expected = [
        "alimtalk.service_id",
        "alimtalk.plus_friend_id",
        "alimtalk.template_codes",
        "sens.access_key",
        "sens.secret_key",
        "sens.from",
    ];
    assert_eq!(missing, expected);

    let mut given = given();
    let folder = given.path("templates");
    fs::create_dir(&folder).expect("a folder");
    let file = format!(
        "[delivery]\nsms = ['alimtalk']\ntemplates = '{}'\n[alimtalk]\nservice_id = 'ncp:x'\n\
         plus_friend_id = '@shop'\nsms_failover = false\ntemplate_codes = ['sign_up.ko=A1']\n\
         [sens]\naccess_key = 'a'\nsecret_key = 'b'",
        folder.display()
    );
    let given = given.file(&file);
    let problem = given.problem();
    let told =
        "must have the file alimtalk.sign_up.ko.txt, as alimtalk.template_codes names its code";
    assert!(problem.ends_with(told), "{problem}");
    fs::write(folder.join("alimtalk.sign_up.ko.txt"), "{code}").expect("a file");
    given.good();
}

#[test]
fn all_texts_that_are_wrong_are_told() {
    let mut given = given();
    let folder = given.path("templates");
    fs::create_dir(&folder).expect("a folder");
    for name in ["email.sign_up.en.txt", "email.sign_in.ko.txt"] {
        fs::write(folder.join(name), "no code").expect("a file");
    }
    let file = format!("[delivery]\ntemplates = '{}'", folder.display());
    let problems = given.file(&file).problems();
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("email.sign_up.en.txt, line 1"), "{told:?}");
    assert!(told[1].contains("email.sign_in.ko.txt, line 1"), "{told:?}");
}
