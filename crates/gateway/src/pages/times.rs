//! Instants as pages show them. The script turns them to the reader's time zone.

use prost_types::Timestamp;

/// An instant, for machines and people.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) iso: String,
    pub(super) text: String,
}

impl Moment {
    pub(super) fn new(time: Option<Timestamp>) -> Self {
        let Some(time) = time else {
            return Self {
                iso: String::new(),
                text: "-".to_owned(),
            };
        };
        let seconds = Timestamp { nanos: 0, ..time };
        let iso = seconds.to_string();
        let text = iso.replace('T', " ").replace('Z', " UTC");
        Self { iso, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_to_the_second() {
        let moment = Moment::new(Some(Timestamp {
            seconds: 1_790_000_000,
            nanos: 123,
        }));
        assert_eq!(moment.iso, "2026-09-21T14:13:20Z");
        assert_eq!(moment.text, "2026-09-21 14:13:20 UTC");
    }
}
