//! Whether a password is too easy to guess: zxcvbn's estimate, which knows
//! common passwords, words, names, dates, keyboard rows and sequences, also
//! behind capitals, reversal and digits for letters.
//!
//! A password is refused if fewer than a million guesses are likely to find it
//! (zxcvbn's score 0 or 1). An attacker on line gets a few hundred tries, and
//! Argon2id makes a million cost hours of a core for each stolen hash; more
//! would refuse passwords that people find good, and they would answer with
//! worse ones (NIST SP 800-63B-4, 3.1.1.2: a blocklist, no composition rules).

use zxcvbn::{Score, zxcvbn};

/// Beyond it the estimate takes too long and says nothing new.
const MAX_CHARS: usize = 64;

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
    "dkagh",         // 암호
    "dkssud",        // 안녕
    "dkssudgktpdy",  // 안녕하세요
    "cjstk",         // 천사
    "clsrn",         // 친구
    "chlrh",         // 최고
    "djaak",         // 엄마
    "eogksalsrnr",   // 대한민국
    "gksmf",         // 하늘
    "gksrnr",        // 한국
    "godqhr",        // 행복
    "qhdks",         // 보안
    "qkqh",          // 바보
    "qlalfqjsgh",    // 비밀번호
    "rhksflwk",      // 관리자
    "rkatkgkqslek",  // 감사합니다
    "thsutleo",      // 소녀시대
    "tjdnf",         // 서울
    "tkfkd",         // 사랑
    "tkfkdgo",       // 사랑해
    "tkfkdgody",     // 사랑해요
    "tkfkdgkqslek",  // 사랑합니다
    "wjswlsgus",     // 전지현
];

/// Judges a password. `known` are the person's identifiers.
pub(crate) fn assess(password: &str, known: &[&str]) -> Result<(), String> {
    let password: String = password.chars().take(MAX_CHARS).collect();
    if zxcvbn(&password, COMMON_WORDS).score() < Score::Two {
        return Err(TOO_COMMON.into());
    }
    let personal = personal_words(known);
    let personal: Vec<&str> = personal.iter().map(String::as_str).collect();
    if !personal.is_empty() && zxcvbn(&password, &personal).score() < Score::Two {
        return Err(PERSONAL.into());
    }
    Ok(())
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
}
