//! What commands for operators have in common: lists in one flag, and what is absent in
//! lists for people.

/// The words of a flag, which have commas between them.
pub(super) fn words(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// An instant in RFC 3339.
pub(super) fn instant(at: Option<prost_types::Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// Words with commas between them, if there are any.
pub(super) fn joined(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(","))
}

/// A text, if it is not empty.
pub(super) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A text, or what stands where there is none.
pub(super) fn dashed(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "-".into())
}
