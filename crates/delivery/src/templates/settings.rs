//! What the texts depend on.

use std::path::PathBuf;
use std::time::Duration;

use countersign_domain::model::{LinkPrefix, Locale, UndoToken};

/// The languages that there are.
pub(super) const LOCALES: [Locale; 2] = [Locale::English, Locale::Korean];

/// What the texts depend on.
#[derive(Debug, Clone, Default)]
pub struct TemplateSettings {
    /// The name of the product, which may be empty.
    pub product: String,
    /// The host of the last line of text messages, `@example.com #123456`, by
    /// which browsers bind a code to a site; empty for no such line.
    pub origin: String,
    /// The folder with files in place of what is built in.
    pub folder: Option<PathBuf>,
    /// How many digits a code has.
    pub code_digits: u32,
    /// How long a code or a link is good at the longest that anybody may ask for.
    pub longest_ttl: Duration,
    /// How many bytes the longest link has; 0 if there are none.
    pub longest_link: usize,
    /// The page that undoes a change of an address; without one, notices have the token
    /// alone.
    pub undo_link: Option<LinkPrefix>,
    /// For how long such a change can be undone.
    pub undo_time: Duration,
    /// Whether text messages go to a provider, which counts their bytes.
    pub counts_sms: bool,
}

/// Whole minutes, for people: what is left, rounded up.
pub(super) fn minutes(left: Duration) -> u64 {
    left.as_secs().div_ceil(60).max(1)
}

/// Whole hours, likewise.
pub(super) fn hours(left: Duration) -> u64 {
    left.as_secs().div_ceil(60 * 60).max(1)
}

impl TemplateSettings {
    /// How many bytes the link has that undoes a change.
    pub(super) fn longest_undo(&self) -> usize {
        let prefix = self.undo_link.as_ref();
        let prefix = prefix.map_or(0, |prefix| prefix.as_str().len() + 1);
        prefix + UndoToken::TEXT_LEN
    }
}
