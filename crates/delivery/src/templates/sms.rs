//! What a text message may hold: 90 bytes of EUC-KR, as Korean providers count
//! them. What is longer is cut off by some, and billed as two by others. One with
//! a link goes out as a long message.

use encoding_rs::EUC_KR;

use super::error::TemplateError;
use super::settings::{TemplateSettings, hours, minutes};
use super::template::{Template, Values};
use crate::outgoing::MessageName;

/// In bytes of EUC-KR.
pub(crate) const LONGEST: usize = 90;

/// Of a long message (LMS), likewise.
pub(crate) const LONGEST_LONG: usize = 2_000;

/// Two masked addresses, as long as they can be: each a letter of two bytes, `***@` and
/// a domain.
const LONGEST_ADDRESSES: usize = 2 * (2 + 4 + 253) + " → ".len();

/// A text as a text message can have it: what is not in EUC-KR is masked, too. An
/// address that somebody has added must not keep the notice from its owner.
pub(super) fn without_odd_characters(text: &str) -> String {
    let mask = |c: char| match euc_kr_bytes(c.encode_utf8(&mut [0; 4])) {
        Some(_) => c,
        None => '*',
    };
    text.chars().map(mask).collect()
}

/// How many bytes a text has in EUC-KR. `None` if a character is not in it,
/// such as an emoji: providers refuse those.
pub(crate) fn euc_kr_bytes(text: &str) -> Option<usize> {
    let (bytes, _, is_incomplete) = EUC_KR.encode(text);
    (!is_incomplete).then_some(bytes.len())
}

/// The last line, by which browsers bind a code to a site ("Origin-bound
/// one-time codes delivered via SMS", WICG).
pub(super) fn origin_line(origin: &str, code: &str) -> String {
    format!("@{origin} #{code}")
}

/// Whether the text fits with the longest values that it will have.
pub(super) fn check(
    template: &Template,
    name: MessageName,
    settings: &TemplateSettings,
) -> Result<(), TemplateError> {
    let code = "0".repeat(settings.code_digits as usize);
    let link = match name.has_undo() {
        true => "x".repeat(settings.longest_undo()),
        false => "x".repeat(settings.longest_link),
    };
    let values = Values {
        code: &code,
        link: &link,
        address: &"x".repeat(LONGEST_ADDRESSES),
        product: &settings.product,
        minutes: minutes(settings.longest_ttl),
        hours: hours(settings.undo_time),
    };
    let mut text = template.fill(&values);
    let lines = text.matches('\n').count() + 1;
    for (line, words) in text.lines().enumerate() {
        if let Some(odd) = words
            .chars()
            .find(|c| euc_kr_bytes(&c.to_string()).is_none())
        {
            let rule = format!(
                "{odd:?} is not in EUC-KR, so a text message cannot have it (the product name \
                 included)"
            );
            return Err(template.wrong(line + 1, rule));
        }
    }
    let mut also = String::new();
    if !settings.product.is_empty() {
        also.push_str(", with delivery.product_name");
    }
    if name.has_code() && !settings.origin.is_empty() {
        text = format!("{text}\n{}", origin_line(&settings.origin, &code));
        also.push_str(", with the line of delivery.origin");
    }
    let (kind, longest) = match name.has_link() || name.has_undo() {
        true => ("a text message with a link", LONGEST_LONG),
        false => ("a text message", LONGEST),
    };
    match euc_kr_bytes(&text) {
        Some(length) if length <= longest => Ok(()),
        Some(length) => {
            let rule = format!(
                "{kind} has at most {longest} bytes of EUC-KR, and this one has {length}{also}"
            );
            Err(template.wrong(lines, rule))
        }
        None => Err(template.wrong(lines, "delivery.origin must be ASCII".into())),
    }
}
