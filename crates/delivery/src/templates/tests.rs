//! What the texts say, and which files are refused.

use std::fs;
use std::time::Duration;

use countersign_domain::model::{Code, Email, LinkPrefix, OneTimeSecret, Phone, UndoToken};
use tempfile::TempDir;

use super::*;

const CODE: &str = "048213";
const ADDRESS: &str = "m***@example.com → é***@shop.example";

fn settings() -> TemplateSettings {
    TemplateSettings {
        product: "Countersign".into(),
        origin: "example.com".into(),
        folder: None,
        code_digits: 6,
        longest_ttl: OneTimeSecret::LONGEST_TTL,
        longest_link: 300,
        undo_link: Some(LinkPrefix::parse("https://shop.example/undo").expect("a prefix")),
        undo_time: Duration::from_secs(72 * 3600),
        counts_sms: true,
    }
}

fn with_file(name: &str, text: &str) -> (TempDir, TemplateSettings) {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join(name), text).expect("a file");
    let settings = TemplateSettings {
        folder: Some(folder.path().into()),
        ..settings()
    };
    (folder, settings)
}

/// A caller may ask for a time of its own, which takes more digits.
#[test]
fn a_text_message_is_measured_with_the_longest_time() {
    let start = "인증번호 {code} 유효시간 {minutes}분 ";
    // What is left of 90 bytes beside the line of the origin, with two digits.
    let used = euc_kr_bytes("인증번호 048213 유효시간 60분 ").expect("EUC-KR");
    let left = LONGEST_SMS - used - "\n@example.com #048213".len();
    let fits = format!("{start}{}", "x".repeat(left));
    let (_folder, settings) = with_file("sms.sign_up.ko.txt", &fits);
    let templates = Templates::load(&settings).expect("90 bytes");
    let code = Enclosed::Code(Code::parse(CODE.into()).expect("a code"));
    let now = Timestamp::from_seconds(1_790_000_000);
    let end = now.plus(OneTimeSecret::LONGEST_TTL);
    let said = templates.words(
        MessageName::SignUp,
        Locale::Korean,
        &phone(),
        Some(&code),
        Some(end),
        now,
    );
    let Words::Sms { text, .. } = said else {
        panic!("it goes to a phone");
    };
    assert_eq!(euc_kr_bytes(&text), Some(LONGEST_SMS));
    let (_folder, settings) = with_file("sms.sign_up.ko.txt", &format!("{fits}x"));
    let refused = error_of(&settings);
    assert!(refused.contains("this one has 91"), "{refused}");
}

fn refused(name: &str, text: &str) -> String {
    let (_folder, settings) = with_file(name, text);
    error_of(&settings)
}

/// The one thing that is wrong.
fn error_of(settings: &TemplateSettings) -> String {
    let errors = Templates::load(settings).expect_err("it is refused");
    let [error] = &errors[..] else {
        panic!("one thing is wrong: {errors:?}");
    };
    error.to_string()
}

fn phone() -> Address {
    Address::Phone(Phone::restore("+821012345678").expect("a number"))
}

fn email() -> Address {
    Address::Email(Email::parse("mina@example.com").expect("an address"))
}

fn words(templates: &Templates, name: MessageName, locale: Locale, to: &Address) -> Words {
    let code = Code::parse(CODE.into()).expect("a code");
    let secret = match name {
        _ if name.has_code() => Some(Enclosed::Code(code)),
        _ if name.has_link() => Some(Enclosed::Link(link())),
        _ if name.has_undo() => {
            let token = UndoToken::parse(&"A".repeat(22)).expect("a token");
            Some(Enclosed::Undo {
                link: templates.undo_link(&token),
                address: ADDRESS.into(),
            })
        }
        _ => None,
    };
    let now = Timestamp::from_seconds(1_790_000_000);
    let left = if name.has_undo() { 258_000 } else { 241 };
    let expires_at = now.plus(Duration::from_secs(left));
    let secret = secret.as_ref();
    let expires_at = secret.map(|_| expires_at);
    templates.words(name, locale, to, secret, expires_at, now)
}

fn link() -> Zeroizing<String> {
    let token = "A".repeat(43);
    Zeroizing::new(format!("https://shop.example/in?a=1&b=2#{token}"))
}

/// The link in the message, if one is.
fn link_of(name: MessageName) -> Option<String> {
    match name {
        _ if name.has_link() => Some(link().to_string()),
        _ if name.has_undo() => Some("https://shop.example/undo#AAAAAAAAAAAAAAAAAAAAAA".into()),
        _ => None,
    }
}

fn sms(templates: &Templates, name: MessageName, locale: Locale) -> String {
    match words(templates, name, locale, &phone()) {
        Words::Sms { text, .. } => text,
        Words::Email { .. } => panic!("not a text message"),
    }
}

#[test]
fn every_text_message_that_is_built_in_fits_with_product_and_origin() {
    let templates = Templates::load(&settings()).expect("good");
    for name in MessageName::ALL {
        for locale in LOCALES {
            let text = sms(&templates, name, locale);
            let length = euc_kr_bytes(&text).expect("EUC-KR");
            let link = link_of(name);
            let longest = if link.is_some() {
                LONGEST_LMS
            } else {
                LONGEST_SMS
            };
            assert!(length <= longest, "{length}: {text}");
            assert_eq!(text.contains(CODE), name.has_code(), "{text}");
            // What a provider would refuse is masked.
            let address = ADDRESS.replace('é', "*");
            assert_eq!(text.contains(&address), name.has_undo(), "{text}");
            match link {
                Some(link) => assert!(text.ends_with(&format!("\n{link}")), "{text}"),
                None => assert!(!text.contains("https"), "{text}"),
            }
        }
    }
}

#[test]
fn a_text_message_ends_with_the_line_of_the_origin() {
    let templates = Templates::load(&settings()).expect("good");
    assert_eq!(
        sms(&templates, MessageName::SignUp, Locale::Korean),
        "[Countersign] 회원가입 인증번호 [048213] 타인노출금지\n@example.com #048213"
    );
    let notice = sms(&templates, MessageName::PasswordChanged, Locale::English);
    assert!(!notice.contains('@'), "{notice}");
}

#[test]
fn without_a_product_or_an_origin_nothing_stands_in_their_places() {
    let settings = TemplateSettings {
        product: String::new(),
        origin: String::new(),
        ..settings()
    };
    let templates = Templates::load(&settings).expect("good");
    assert_eq!(
        sms(&templates, MessageName::SignIn, Locale::English),
        "048213 is your code to sign in. Do not share it."
    );
}

#[test]
fn mail_has_the_code_in_text_and_html_and_never_in_the_subject() {
    let templates = Templates::load(&TemplateSettings {
        product: "A&B <i>".into(),
        ..settings()
    });
    let templates = templates.expect("good");
    for name in MessageName::ALL {
        for locale in LOCALES {
            let Words::Email {
                subject,
                text,
                html,
            } = words(&templates, name, locale, &email())
            else {
                panic!("not mail");
            };
            assert!(subject.starts_with("[A&B <i>] "), "{subject}");
            assert!(!subject.contains(CODE), "{subject}");
            assert!(!subject.contains("https"), "{subject}");
            assert_eq!(text.contains(CODE), name.has_code(), "{text}");
            assert_eq!(html.contains(CODE), name.has_code(), "{html}");
            assert_eq!(text.contains(ADDRESS), name.has_undo(), "{text}");
            assert_eq!(html.contains(ADDRESS), name.has_undo(), "{html}");
            assert!(!html.contains("<i>"), "{html}");
            if let Some(link) = link_of(name) {
                assert!(text.contains(&link), "{text}");
                let in_html = link.replace('&', "&amp;");
                let anchor = format!("<a href=\"{in_html}\">{in_html}</a>");
                assert!(html.contains(&anchor), "{html}");
            } else {
                assert!(!text.contains("https"), "{text}");
                assert!(!html.contains("href"), "{html}");
            }
            assert!(
                html.contains(&format!("lang=\"{}\"", locale.tag())),
                "{html}"
            );
            if name.has_code() || name.has_link() {
                let left = ["expires in 5 min.", "5분 동안"];
                assert!(left.iter().any(|left| text.contains(left)), "{text}");
            }
            if name.has_undo() {
                let left = ["within 72 h", "72시간 안에"];
                assert!(left.iter().any(|left| text.contains(left)), "{text}");
            }
        }
    }
}

#[test]
fn a_file_replaces_what_is_built_in_and_its_values_are_escaped_in_html() {
    let (_folder, settings) = with_file(
        "email.sign_up.en.html",
        "<style>p { margin: 0 }</style>\r\n<p>{product}: {code}</p>\n\n",
    );
    let settings = TemplateSettings {
        product: "A&B".into(),
        ..settings
    };
    let templates = Templates::load(&settings).expect("good");
    let Words::Email { html, .. } =
        words(&templates, MessageName::SignUp, Locale::English, &email())
    else {
        panic!("not mail");
    };
    assert_eq!(
        html,
        "<style>p { margin: 0 }</style>\n<p>A&amp;B: 048213</p>"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    for (name, text, told) in [
        (
            "sms.sign_up.ko.txt",
            "인증번호\n{kode}",
            "sms.sign_up.ko.txt, line 2: {kode} is not known; there are {code}, {link}, \
             {address}, {minutes}, {hours} and {product}",
        ),
        (
            "sms.sign_up.ko.txt",
            "인증번호",
            "sms.sign_up.ko.txt, line 1: {code} is missing",
        ),
        (
            "email.sign_in.en.txt",
            "Hello.\n\nYour code.",
            "email.sign_in.en.txt, line 3: {code} is missing",
        ),
        (
            "email.password_changed.en.txt",
            "It was {code}.",
            "email.password_changed.en.txt, line 1: {code} is of codes, and this message has none",
        ),
        (
            "email.sign_in_link.en.txt",
            "Your link",
            "email.sign_in_link.en.txt, line 1: {link} is missing",
        ),
        (
            "email.sign_in_link.en.html",
            "<p>{code}</p>",
            "email.sign_in_link.en.html, line 1: {code} is of codes, and this message has none",
        ),
        (
            "sms.sign_in.en.txt",
            "{code}\n{link}",
            "sms.sign_in.en.txt, line 2: {link} is of links, and this message has none",
        ),
        (
            "email.password_changed.en.txt",
            "{minutes}",
            "email.password_changed.en.txt, line 1: {minutes} is of codes and links, and this \
             message has neither",
        ),
        (
            "email.identifier_changed.en.txt",
            "It was changed.",
            "email.identifier_changed.en.txt, line 1: {link} is missing",
        ),
        (
            "email.sign_in_link.en.txt",
            "{link} of {address}",
            "email.sign_in_link.en.txt, line 1: {address} is of changes of addresses, and this \
             message tells of none",
        ),
        (
            "email.sign_in_link.en.txt",
            "{link} for {hours}",
            "email.sign_in_link.en.txt, line 1: {hours} is of what can be undone, and this \
             message has none",
        ),
        (
            "email.sign_in_link.en.subject",
            "{link}",
            "email.sign_in_link.en.subject, line 1: a subject must not have {link}",
        ),
        (
            "sms.sign_up_link.ko.txt",
            &format!("{}{{link}}", "x".repeat(1_701)),
            "sms.sign_up_link.ko.txt, line 1: a text message with a link has at most 2000 bytes of \
             EUC-KR, and this one has 2001, with delivery.product_name",
        ),
        (
            "email.sign_up.en.subject",
            "{code} is your code",
            "email.sign_up.en.subject, line 1: a subject must not have {code}",
        ),
        (
            "email.sign_up.en.subject",
            "a\nb",
            "email.sign_up.en.subject, line 2: a subject has one line",
        ),
        (
            "sms.sign_up.ko.txt",
            "\n",
            "sms.sign_up.ko.txt, line 1: is empty",
        ),
        (
            "sms.sign_up.ko.txt",
            "{code}\n🔑",
            "sms.sign_up.ko.txt, line 2: '🔑' is not in EUC-KR",
        ),
        (
            "sms.sign_up.ko.txt",
            "[{product}] 회원가입을 위한 인증번호는 [{code}]입니다. 다른 사람에게 알려주지 마세요.",
            "sms.sign_up.ko.txt, line 1: a text message has at most 90 bytes of EUC-KR, and this \
             one has 108, with delivery.product_name, with the line of delivery.origin",
        ),
        (
            "sms.sign_up.fr.txt",
            "{code}",
            "sms.sign_up.fr.txt is no template",
        ),
    ] {
        let error = refused(name, text);
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn all_that_is_wrong_with_the_files_is_told() {
    let (folder, settings) = with_file("sms.sign_up.ko.txt", "인증번호");
    for (name, text) in [
        ("email.sign_up.en.txt", "{kode}"),
        ("email.sign_in.en.subject", "a\nb"),
        ("email.sign_up.en.html", "<p></p>"),
        ("alimtalk.sign_in.ko.txt", "인증번호"),
        ("sms.sign_up.fr.txt", "{code}"),
        ("sms.step_up.ko.txt", "본인확인 [{code}]"),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let errors = Templates::load(&settings).expect_err("refused");
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    for name in [
        "sms.sign_up.ko.txt",
        "email.sign_up.en.txt",
        "email.sign_in.en.subject",
        "email.sign_up.en.html",
        "alimtalk.sign_in.ko.txt",
        "sms.sign_up.fr.txt",
    ] {
        let of_file = told.iter().filter(|told| {
            told.contains(&format!("{name}, line ")) || told.contains(&format!("{name} is no"))
        });
        assert_eq!(of_file.count(), 1, "{name}: {told:?}");
    }
    assert_eq!(told.len(), 6, "{told:?}");
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    let settings = TemplateSettings {
        folder: Some("/nowhere/templates".into()),
        ..settings()
    };
    let error = error_of(&settings);
    assert!(error.starts_with("/nowhere/templates: "), "{error}");
}

#[test]
fn a_product_name_that_does_not_fit_is_refused_where_text_messages_are_counted() {
    let long = TemplateSettings {
        product: "Countersign Identity Cloud".into(),
        ..settings()
    };
    let error = error_of(&long);
    assert!(error.contains("with delivery.product_name"), "{error}");
    let uncounted = TemplateSettings {
        counts_sms: false,
        ..long
    };
    Templates::load(&uncounted).expect("nobody counts");
}

#[test]
fn without_a_page_a_notice_has_the_token_alone() {
    let settings = TemplateSettings {
        undo_link: None,
        ..settings()
    };
    let templates = Templates::load(&settings).expect("good");
    let text = sms(&templates, MessageName::IdentifierChanged, Locale::English);
    assert!(text.ends_with("h:\nAAAAAAAAAAAAAAAAAAAAAA"), "{text}");
}
