//! Identifiers, passwords and codes by the field's rules: the example numbers of
//! the phone metadata, and normal forms that stay as they are.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use countersign_domain::model::{Code, Email, Password, Phone, Region, Username};
use proptest::prelude::*;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType};

/// The types under which the metadata lists numbers. It has no example of a
/// fixed line or mobile number as such: those are listed as fixed lines.
const TYPES: [PhoneNumberType; 10] = [
    PhoneNumberType::FixedLine,
    PhoneNumberType::Mobile,
    PhoneNumberType::TollFree,
    PhoneNumberType::PremiumRate,
    PhoneNumberType::SharedCost,
    PhoneNumberType::VoIP,
    PhoneNumberType::PersonalNumber,
    PhoneNumberType::Pager,
    PhoneNumberType::UAN,
    PhoneNumberType::VoiceMail,
];

/// The metadata has several types of numbers under two calling codes of no
/// country, and the library gives an example of the first type alone.
const SECOND_EXAMPLES: [&str; 3] = ["+870201234567", "+882390123456789", "+88234851234567"];

/// An example number of the metadata and its region: none for numbers of no
/// country, such as those under +800.
struct Example {
    region: Option<rlibphonenumber::Region>,
    number: PhoneNumber,
}

fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    for region in PHONE_NUMBER_UTIL.get_supported_regions() {
        for kind in TYPES {
            let number = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind);
            examples.extend(number.map(|number| Example {
                region: Some(region),
                number,
            }));
        }
    }
    let codes = PHONE_NUMBER_UTIL.get_supported_global_network_calling_codes();
    let first = codes.map(|code| {
        let number = PHONE_NUMBER_UTIL.get_example_number_for_non_geo_entity(code);
        number.expect("an example")
    });
    let second = SECOND_EXAMPLES.map(|text| PHONE_NUMBER_UTIL.parse(text, None).expect("a number"));
    examples.extend(first.chain(second).map(|number| Example {
        region: None,
        number,
    }));
    examples
}

/// The examples of regions, made once.
fn examples_of_regions() -> &'static [(rlibphonenumber::Region, PhoneNumber)] {
    static EXAMPLES: LazyLock<Vec<(rlibphonenumber::Region, PhoneNumber)>> = LazyLock::new(|| {
        let examples = examples().into_iter();
        examples
            .filter_map(|example| Some((example.region?, example.number)))
            .collect()
    });
    &EXAMPLES
}

#[test]
fn every_example_number_has_the_normal_form_of_the_metadata() {
    let korea = Region::parse("KR").expect("a region");
    let mut spellings = 0;
    let mut wrong = Vec::new();
    let examples = examples();
    for Example { region, number } in &examples {
        let e164 = number.format_as(PhoneNumberFormat::E164);
        let mut read = |text: &str, region: Region| {
            spellings += 1;
            let phone = Phone::parse(text, region);
            if phone.as_ref().map(Phone::as_str) != Ok(&*e164) {
                wrong.push(format!("{text} in {region:?}: {phone:?} instead of {e164}"));
            }
        };
        read(&e164, korea);
        read(&number.format_as(PhoneNumberFormat::International), korea);
        if let Some(region) = region {
            let region = Region::parse(&region.to_string()).expect("a region");
            read(&e164, region);
            read(&number.format_as(PhoneNumberFormat::National), region);
            read(&number.get_national_significant_number(), region);
        }
    }
    println!(
        "{} example numbers, {spellings} spellings, {} with another normal form",
        examples.len(),
        wrong.len()
    );
    assert!(examples.len() > 1_100 && spellings > 5_500);
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_example_number_says_what_can_reach_it() {
    let korea = Region::parse("KR").expect("a region");
    let mut counts = BTreeMap::<String, [usize; 2]>::new();
    for Example { number, .. } in examples() {
        let phone = Phone::parse(&number.format_as(PhoneNumberFormat::E164), korea);
        let phone = phone.expect("a number");
        assert_eq!(phone.calling_code(), number.country_code.to_string());
        assert_eq!(Phone::restore(phone.as_str()).as_ref(), Ok(&phone));
        let kind = counts
            .entry(format!("{:?}", number.get_type()))
            .or_default();
        kind[usize::from(phone.can_receive_messages())] += 1;
    }
    println!("type: [cannot, can] receive messages: {counts:?}");
    for kind in ["Mobile", "FixedLineOrMobile", "VoIP", "PersonalNumber"] {
        let [cannot, can] = counts.remove(kind).expect("examples");
        assert!(cannot == 0 && can > 0, "{kind}");
    }
    assert!(counts.values().all(|[_, can]| *can == 0), "{counts:?}");
}

/// What makes normal forms hard in each script: case, composition, width,
/// digits, joiners, characters of which one becomes many.
const HARD_PIECES: [&[&str]; 7] = [
    &[
        "a",
        "B",
        "z",
        "7",
        "ß",
        "ẞ",
        "SS",
        "İ",
        "ı",
        "ŉ",
        "ǰ",
        "ﬃ",
        "ﬀ",
        "ǆ",
        "ǅ",
        "Å",
        "\u{212a}",
        "Ａ",
        "５",
        "①",
        "é",
        "E\u{301}",
        "o\u{323}\u{302}",
        "\u{307}",
        "\u{327}",
    ],
    &[
        "ς",
        "Σ",
        "σ",
        "ΐ",
        "ΰ",
        "ᾳ",
        "ᾼ",
        "ῼ",
        "α\u{345}",
        "Ω",
        "Ά",
        "α\u{301}",
        "µ",
        "ϐ",
    ],
    &[
        "か",
        "が",
        "か\u{3099}",
        "カ",
        "ガ",
        "ｶﾞ",
        "ｱ",
        "ー",
        "ｰ",
        "金",
        "㍿",
        "゛",
        "\u{309a}",
        "㋐",
    ],
    &[
        "한",
        "\u{1112}\u{1161}",
        "\u{11ab}",
        "ﾡ",
        "ㄱ",
        "㈀",
        "金",
        "\u{3164}",
        "\u{ffa0}",
        "각",
    ],
    &[
        "ع",
        "ل",
        "ي",
        "ﷺ",
        "ﻻ",
        "٣",
        "۴",
        "ـ",
        "\u{64e}",
        "آ",
        "ا\u{653}",
        "-",
        ".",
    ],
    &[
        "გ",
        "Გ",
        "ი",
        "Ი",
        "Ꭰ",
        "ꭰ",
        "Ꭱ",
        "և",
        "Ֆ",
        "Ж",
        "ж",
        "ё",
        "Е\u{308}",
        "Ӏ",
        "ӏ",
    ],
    &[
        "क",
        "\u{94d}",
        "ष",
        "\u{93c}",
        "ड\u{93c}",
        "५",
        "\u{200d}",
        "น้",
        "อ",
        "ำ",
        "ํา",
    ],
];

/// Text of hard pieces: of one script, or of all.
fn hard_text() -> impl Strategy<Value = String> {
    let common = prop_oneof![
        Just(String::new()),
        "[a-z0-9._-]",
        "\\PC",
        prop::sample::select(vec![
            "\u{ad}", "\u{3000}", "\u{2000}", "＠", "．", "@", "\u{fe0f}"
        ])
        .prop_map(String::from),
    ];
    let of_a_script = prop::sample::select(HARD_PIECES.to_vec()).prop_flat_map(|pieces| {
        prop::collection::vec(prop::sample::select(pieces), 3..10).prop_map(|texts| texts.concat())
    });
    let of_all = prop::collection::vec((of_a_script.clone(), common), 1..4).prop_map(|parts| {
        let parts = parts.into_iter().map(|(text, common)| text + &common);
        parts.collect::<String>()
    });
    prop_oneof![3 => of_a_script, 1 => of_all]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_normal_form_of_a_user_name_is_its_own(text in hard_text()) {
        if let Ok(name) = Username::parse(&text) {
            prop_assert_eq!(Username::parse(name.as_str()), Ok(name.clone()));
            let upper = Username::parse(&name.as_str().to_uppercase());
            // Outside Turkish, the capital of the dotless i is that of the i.
            let has_dotless_i = name.as_str().contains('ı');
            prop_assert!(has_dotless_i || upper == Ok(name), "{:?}", upper);
        }
    }

    #[test]
    fn the_normal_form_of_an_email_address_is_its_own(
        local in hard_text(),
        domain in prop_oneof!["[a-zA-Z]{1,8}\\.example", hard_text().prop_map(|d| d + ".example")],
    ) {
        if let Ok(email) = Email::parse(&format!("{local}@{domain}")) {
            prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
            prop_assert!(email.as_str().len() <= 254);
        }
    }

    #[test]
    fn the_normal_form_of_a_password_is_its_own(text in hard_text()) {
        if let Ok(password) = Password::to_compare(text) {
            let again = Password::to_compare(password.expose().to_owned());
            prop_assert_eq!(again.map(|p| p.expose().to_owned()), Ok(password.expose().to_owned()));
        }
    }

    #[test]
    fn a_typed_code_is_ascii(
        text in "[0-9٠-٩۰-۹०-९๐-๙０-９A-Za-zＡ-Ｚ \u{a0}–－\u{200b}\u{2066}]{3,40}"
    ) {
        let digits_and_letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        match Code::typed(&text) {
            Ok(code) => {
                prop_assert_eq!(code.expose().len(), digits_and_letters);
                prop_assert!(Code::parse(code.expose().to_owned()).is_ok());
            }
            Err(_) => prop_assert!(digits_and_letters < 4),
        }
    }

    #[test]
    fn the_normal_form_of_a_phone_number_is_its_own(
        example in any::<prop::sample::Index>(),
        last in "[0-9]{1,4}",
        international in any::<bool>(),
    ) {
        let (region, number) = example.get(examples_of_regions());
        let national = number.get_national_significant_number();
        let kept = national.len().saturating_sub(last.len());
        let text = match international {
            true => format!("+{}{}{last}", number.country_code, &national[..kept]),
            false => format!("{}{last}", &national[..kept]),
        };
        let home = Region::parse(&region.to_string()).expect("a region");
        if let Ok(phone) = Phone::parse(&text, home) {
            let korea = Region::parse("KR").expect("a region");
            prop_assert_eq!(Phone::parse(phone.as_str(), korea), Ok(phone.clone()));
            prop_assert_eq!(Phone::restore(phone.as_str()), Ok(phone));
        }
    }
}
