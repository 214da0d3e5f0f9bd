//! Thirty ways to write one identifier, or one code.

/// Thirty spellings of an e-mail address in plain lower case whose local part
/// has an `é`: case, full width, NFC and NFD, dots of the domain, white space.
#[must_use]
pub fn spellings_of_email(address: &str) -> Vec<String> {
    let (local, domain) = address.split_once('@').unwrap_or((address, ""));
    let locals = [
        local.to_owned(),
        local.to_uppercase(),
        local.replace('é', "e\u{301}"),
        full_width(local),
        full_width(&local.to_uppercase()).replace('É', "E\u{301}"),
    ];
    let domains = [
        domain.to_owned(),
        domain.to_uppercase(),
        full_width(domain),
        format!("{domain}."),
        domain.replace('.', "\u{3002}"),
    ];
    let mut spellings = Vec::new();
    for local in &locals {
        for domain in &domains {
            spellings.push(format!("{local}@{domain}"));
        }
    }
    spellings.extend([
        format!(" {address}"),
        format!("{address}\t"),
        format!("\u{3000}{address}\u{a0}"),
        format!("\n{}\r\n", address.to_uppercase()),
        address.replace('@', "\u{ff20}"),
    ]);
    spellings
}

/// Thirty spellings of a Korean mobile number, given as its eight last digits:
/// national and international, separators, full width, Arabic-Indic digits.
#[must_use]
pub fn spellings_of_phone(digits: &str) -> Vec<String> {
    let (a, b) = digits.split_at(4);
    let plain = [
        format!("+8210{a}{b}"),
        format!("010{a}{b}"),
        format!("010-{a}-{b}"),
        format!("010 {a} {b}"),
        format!("010.{a}.{b}"),
        format!("+82 10-{a}-{b}"),
        format!("+82-10-{a}-{b}"),
        format!("+82 (0)10 {a} {b}"),
        format!("010\u{2013}{a}\u{2013}{b}"),
        format!("(010) {a}-{b}"),
    ];
    let mut spellings = Vec::new();
    for (turn, text) in plain.into_iter().enumerate() {
        spellings.push(full_width(&text));
        spellings.push(match turn % 2 {
            0 => format!(" {text}\u{3000}"),
            _ => digits_from('\u{660}', &text),
        });
        spellings.push(text);
    }
    spellings
}

/// Thirty spellings of a code of digits: six scripts, and what stands between
/// and around the digits of a code that was typed or copied.
#[must_use]
pub fn spellings_of_code(code: &str) -> Vec<String> {
    let (a, b) = code.split_at(code.len() / 2);
    let scripts = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{e50}', '\u{ff10}'];
    let mut spellings = Vec::new();
    for zero in scripts {
        let (a, b) = (digits_from(zero, a), digits_from(zero, b));
        spellings.extend([
            format!("{a}{b}"),
            format!("{a} {b}\n"),
            format!("{a}\u{2013}{b}"),
            format!("\u{200e}{a}\u{200b}{b}\u{feff}"),
            format!("\u{2067}{a}\u{a0}-{b}\u{2069}"),
        ]);
    }
    spellings
}

/// Thirty spellings of a user name in plain lower case with an `ss`.
#[must_use]
pub fn spellings_of_username(name: &str) -> Vec<String> {
    let mut title = name.to_owned();
    title[..1].make_ascii_uppercase();
    let forms = [
        name.to_owned(),
        name.to_uppercase(),
        title,
        name.replace("ss", "ß"),
        full_width(&name.to_uppercase()),
    ];
    let spaces = [
        ("", ""),
        (" ", ""),
        ("", "\t"),
        ("\u{3000}", " "),
        ("\n", "\n"),
        ("", "\u{a0}"),
    ];
    let mut spellings = Vec::new();
    for form in &forms {
        for (before, after) in spaces {
            spellings.push(format!("{before}{form}{after}"));
        }
    }
    spellings
}

/// ASCII in its full-width forms, as an East Asian keyboard writes it.
fn full_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ' ' => '\u{3000}',
            '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
            other => other,
        })
        .collect()
}

/// The ASCII digits of a text as those of the script whose nought is given.
fn digits_from(zero: char, text: &str) -> String {
    text.chars()
        .map(|c| match c.to_digit(10) {
            Some(digit) => char::from_u32(u32::from(zero) + digit).unwrap_or(c),
            None => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_thirty_and_no_two_are_alike() {
        for spellings in [
            spellings_of_email("jos\u{e9}.mina@person1.example"),
            spellings_of_phone("23456789"),
            spellings_of_code("424242"),
            spellings_of_username("strauss1"),
        ] {
            assert_eq!(
                spellings.iter().collect::<BTreeSet<_>>().len(),
                30,
                "{spellings:?}"
            );
        }
    }
}
