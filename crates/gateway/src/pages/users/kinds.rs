//! Of which identifiers a search term is the beginning.

use countersign_client::proto::IdentifierPrefix;
use countersign_client::proto::identifier_prefix::Value;

/// The beginnings that a term may be, in the order in which users are shown. None of nothing.
pub(super) fn prefixes(term: &str) -> Vec<IdentifierPrefix> {
    let term = term.trim();
    let digits: String = term
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '\u{2011}'))
        .collect();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let email = || Value::Email(term.to_owned());
    let values = match digits.strip_prefix('+') {
        _ if term.is_empty() => vec![],
        Some(rest) if rest.is_empty() || is_number(rest) => vec![Value::Phone(digits)],
        _ if term.contains('@') => vec![email()],
        // No country code begins with 0.
        _ if is_number(&digits) && !digits.starts_with('0') => {
            vec![Value::Phone(format!("+{digits}")), email()]
        }
        // User names begin with a letter.
        _ if term.starts_with(|c: char| c.is_ascii_digit()) => vec![email()],
        _ => vec![Value::Username(term.to_owned()), email()],
    };
    let prefix = |value| IdentifierPrefix { value: Some(value) };
    values.into_iter().map(prefix).collect()
}

/// Whether a term is the whole id of a user.
pub(super) fn is_user_id(term: &str) -> bool {
    let groups: Vec<&str> = term.trim().split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_tells_of_which_identifiers_it_is_the_beginning() {
        let email = |text: &str| Value::Email(text.to_owned());
        let phone = |text: &str| Value::Phone(text.to_owned());
        let username = |text: &str| Value::Username(text.to_owned());
        for (term, expected) in [
            ("", vec![]),
            ("  ", vec![]),
            ("min", vec![username("min"), email("min")]),
            ("민", vec![username("민"), email("민")]),
            ("mina@ex", vec![email("mina@ex")]),
            ("+", vec![phone("+")]),
            ("+82 10-12", vec![phone("+821012")]),
            ("8210", vec![phone("+8210"), email("8210")]),
            ("010", vec![email("010")]),
            ("1a", vec![email("1a")]),
            ("+1@x", vec![email("+1@x")]),
        ] {
            let found = prefixes(term).into_iter().filter_map(|prefix| prefix.value);
            assert_eq!(found.collect::<Vec<_>>(), expected, "{term:?}");
        }
    }

    #[test]
    fn an_id_is_told_from_other_terms() {
        assert!(is_user_id(" 01900000-0000-7000-8000-00000000000A "));
        for term in [
            "",
            "mina",
            "01900000",
            "01900000-0000-7000-8000-00000000000g",
        ] {
            assert!(!is_user_id(term), "{term}");
        }
    }
}
