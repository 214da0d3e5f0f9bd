//! Whether a password is too easy to guess: zxcvbn's estimate, which knows
//! common passwords, words, names, dates, keyboard rows and sequences, also
//! behind capitals, reversal and digits for letters.
//!
//! A password is refused if fewer than thirty million guesses are likely to find
//! it. Eight random characters are worth a hundred million and pass; a common
//! word with a year and an exclamation mark is worth less and does not. Argon2id
//! makes so many guesses cost days of a core for each stolen hash. More would
//! refuse passwords that people find good, and they would answer with worse ones
//! (NIST SP 800-63B-4, 3.1.1.2: a blocklist, no composition rules).

use zeroize::Zeroizing;
use zxcvbn::zxcvbn;

/// The decimal logarithm of the guesses that a password must be worth.
const MIN_GUESSES_LOG10: f64 = 7.5;

/// So much of a long password is assessed. The estimate takes time with the square of
/// the length, and says nothing new beyond.
const MAX_CHARS: usize = 40;

/// Signs that zxcvbn would try as letters (`<` for `c`), and what they are
/// replaced with. It tries all combinations, half a second for a password full
/// of them; `@`, `$`, `!` and the digits, which people use, remain.
const RARE_SIGNS: [(char, char); 7] = [
    ('(', '^'),
    ('{', '&'),
    ('[', '_'),
    ('<', '~'),
    ('|', ';'),
    ('%', ','),
    ('+', '-'),
];

/// Shorter pieces of an identifier say nothing of a password.
const MIN_PIECE_CHARS: usize = 3;

/// Enough for the identifiers of one person.
const MAX_PERSONAL_WORDS: usize = 64;

const TOO_COMMON: &str = "must not be a common or easily guessed password";
const PERSONAL: &str = "must not be made of the e-mail address, phone number or user name";

/// What zxcvbn does not know: the service, and the Korean words that people type
/// with the keyboard switched to Latin.
const COMMON_WORDS: &[&str] = &[
    "countersign",
    "kakao",
    "naver",
    "1004",         // an angel, when read aloud
    "rkskekfk",     // 가나다라
    "dkagh",        // 암호
    "dkssud",       // 안녕
    "dkssudgktpdy", // 안녕하세요
    "cjstk",        // 천사
    "clsrn",        // 친구
    "chlrh",        // 최고
    "djaak",        // 엄마
    "eogksalsrnr",  // 대한민국
    "gksmf",        // 하늘
    "gksrnr",       // 한국
    "godqhr",       // 행복
    "qhdks",        // 보안
    "qkqh",         // 바보
    "qlalfqjsgh",   // 비밀번호
    "rhksflwk",     // 관리자
    "rkatkgkqslek", // 감사합니다
    "thsutleo",     // 소녀시대
    "tjdnf",        // 서울
    "tkfkd",        // 사랑
    "tkfkdgo",      // 사랑해
    "tkfkdgody",    // 사랑해요
    "tkfkdgkqslek", // 사랑합니다
    "wjswlsgus",    // 전지현
];

/// Refuses a password that is too easy to guess. `known` are the person's
/// identifiers.
pub(crate) fn assess(password: &str, known: &[&str]) -> Result<(), String> {
    let password = assessed_part(password);
    let personal = personal_words(known);
    let mut words = COMMON_WORDS.to_vec();
    words.extend(personal.iter().map(String::as_str));
    if is_hard_to_guess(&password, &words) {
        return Ok(());
    }
    if is_hard_to_guess(&password, COMMON_WORDS) {
        Err(PERSONAL.into())
    } else {
        Err(TOO_COMMON.into())
    }
}

fn is_hard_to_guess(password: &str, words: &[&str]) -> bool {
    zxcvbn(password, words).guesses_log10() >= MIN_GUESSES_LOG10
}

fn assessed_part(password: &str) -> Zeroizing<String> {
    let replace = |c| {
        let rare = RARE_SIGNS.iter().find(|(sign, _)| *sign == c);
        rare.map_or(c, |(_, harmless)| *harmless)
    };
    Zeroizing::new(password.chars().take(MAX_CHARS).map(replace).collect())
}

/// The identifiers, their pieces, and the ends of telephone numbers, which
/// people write without the country code.
fn personal_words(known: &[&str]) -> Vec<String> {
    let mut words = Vec::new();
    for identifier in known {
        let identifier = identifier.to_lowercase();
        let digits: String = identifier.chars().filter(char::is_ascii_digit).collect();
        words.extend((8..=digits.len().min(12)).map(|n| digits[digits.len() - n..].to_owned()));
        if let Some((local, _)) = identifier.split_once('@') {
            words.push(local.to_owned());
        }
        words.extend(
            identifier
                .split(|c: char| !c.is_alphanumeric())
                .map(str::to_owned),
        );
        words.push(identifier);
    }
    words.retain(|word| word.chars().count() >= MIN_PIECE_CHARS);
    words.truncate(MAX_PERSONAL_WORDS);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["mina.kim@example.com", "+821012345678", "minakim92"];

    #[test]
    fn common_passwords_are_refused() {
        for password in [
            "password",
            "Password1",
            "P@ssw0rd",
            "p4ssw0rd1!",
            "12345678",
            "123456789",
            "1234567890",
            "11111111",
            "00000000",
            "qwertyuiop",
            "1q2w3e4r",
            "1q2w3e4r5t",
            "1qaz2wsx",
            "qwer1234",
            "qwerty123",
            "asdf1234",
            "abcd1234",
            "abcdefgh",
            "iloveyou",
            "sunshine",
            "football",
            "princess",
            "drowssap",
            "letmein1",
            "welcome1",
            "admin123",
            "aaaaaaaaaa",
            "abcabcabc",
            "19920314",
            "countersign",
            "Countersign1",
            "tkfkdgody",
            "dkssudgktpdy",
            "qlalfqjsgh1",
            "rkskekfk",
            "dkssud12",
            "gksrnr123",
            "angel1004",
            "1004angel",
            "naver1234",
            "kakao1234",
            "Summer2024!",
            "Company123!",
            "P@ssword123!",
            "admin@123",
            "test1234",
            "changeme",
            "zaq12wsx",
            "1234qwer",
        ] {
            assert_eq!(assess(password, &[]), Err(TOO_COMMON.into()), "{password}");
        }
    }

    #[test]
    fn passwords_made_of_the_identifiers_are_refused() {
        for password in [
            "mina.kim@example.com",
            "mina.kim1",
            "Mina.Kim!",
            "minakim92",
            "minakim9212",
            "01012345678",
            "821012345678",
        ] {
            assert!(assess(password, KNOWN).is_err(), "{password}");
        }
        assert_eq!(assess("minakim92zq", KNOWN), Err(PERSONAL.into()));
        assert_eq!(assess("minakim92zq", &[]), Ok(()));
    }

    #[test]
    fn good_passwords_pass() {
        for password in [
            "correct horse battery staple",
            "tr4vel-by-night-train",
            "kX9#mP2v",
            "(([[{{<<||%%",
            "mina eats persimmons in october",
            "비 오는 날의 수채화 그리고",
            "zlvqhem wnswkaks",
            &"long and winding ".repeat(40),
        ] {
            assert_eq!(assess(password, KNOWN), Ok(()), "{password}");
        }
    }

    /// Half a second each, were all signs tried as letters.
    #[test]
    fn signs_that_stand_for_letters_are_not_tried_without_end() {
        let password = "4@8({[<369!1|7+0$5%2".repeat(50);
        for (sign, _) in RARE_SIGNS {
            assert!(!assessed_part(&password).contains(sign), "{sign}");
        }
        assert_eq!(assessed_part(&password).chars().count(), MAX_CHARS);
        assert_eq!(assess(&password, KNOWN), Ok(()));
    }

    #[test]
    fn identifiers_of_any_shape_are_harmless() {
        let long = "a.".repeat(500);
        for known in [&[""][..], &["@"], &["@@@", "+", "…"], &[&long]] {
            assert_eq!(assess("kX9#mP2vQ7", known), Ok(()), "{known:?}");
        }
    }
}
