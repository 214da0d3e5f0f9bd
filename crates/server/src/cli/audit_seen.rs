//! Which events `countersign audit tail --follow` has shown. An event may become readable
//! after one with a later time: the transaction that wrote it took longer.

use std::collections::HashMap;

use countersign_domain::ports::LONGEST_UNIT_OF_WORK;
use countersign_proto::v1::AuditEvent;

/// For how long events of refused attempts are remembered: they are counted for an hour.
const COUNTED: i64 = 2 * 60 * 60;

/// The events that were shown, as far as they may come again.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By their ids: when they were, in seconds since 1970, and of how many attempts.
    events: HashMap<String, (i64, i64)>,
    /// The time of the newest.
    newest: i64,
}

impl Seen {
    /// Notes events as shown.
    pub(super) fn enter(&mut self, events: &[AuditEvent]) {
        for event in events {
            let (at, count) = (seconds(event), count(event));
            self.newest = self.newest.max(at);
            self.events.insert(event.event_id.clone(), (at, count));
        }
    }

    /// Takes those of a page that were not shown, or have counted more attempts since.
    /// Tells whether nothing that is older can be new.
    pub(super) fn take_new(&mut self, page: Vec<AuditEvent>, new: &mut Vec<AuditEvent>) -> bool {
        let horizon = self.newest - longest();
        let mut is_beyond = false;
        for event in page {
            let known = self.events.get(&event.event_id);
            let is_old = known.is_some_and(|(_, shown)| *shown >= count(&event));
            is_beyond |= seconds(&event) < horizon && count(&event) == 0;
            if !is_old && (seconds(&event) >= horizon || count(&event) > 0) {
                self.events
                    .insert(event.event_id.clone(), (seconds(&event), count(&event)));
                new.push(event);
            }
        }
        is_beyond || self.newest == 0
    }

    /// Forgets what does not come again. The horizon moves with this.
    pub(super) fn forget_old(&mut self) {
        let times = self.events.values().map(|(at, _)| *at);
        self.newest = self.newest.max(times.max().unwrap_or(0));
        let horizon = self.newest - longest() - COUNTED;
        self.events.retain(|_, (at, _)| *at >= horizon);
    }
}

fn longest() -> i64 {
    i64::try_from(LONGEST_UNIT_OF_WORK.as_secs()).unwrap_or(i64::MAX)
}

fn seconds(event: &AuditEvent) -> i64 {
    event.create_time.map_or(0, |at| at.seconds)
}

fn count(event: &AuditEvent) -> i64 {
    event.refused.as_ref().map_or(0, |refused| refused.count)
}

#[cfg(test)]
mod tests {
    use countersign_proto::v1::RefusedAttempts;

    use super::*;

    fn event(id: &str, seconds: i64, count: i64) -> AuditEvent {
        AuditEvent {
            event_id: id.into(),
            create_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            refused: (count > 0).then(|| RefusedAttempts {
                count,
                ..RefusedAttempts::default()
            }),
            ..AuditEvent::default()
        }
    }

    fn new_of(seen: &mut Seen, page: Vec<AuditEvent>) -> Vec<String> {
        let mut new = Vec::new();
        seen.take_new(page, &mut new);
        seen.forget_old();
        new.into_iter().map(|event| event.event_id).collect()
    }

    #[test]
    fn what_comes_late_is_shown_once() {
        let mut seen = Seen::default();
        seen.enter(&[event("b", 10_000, 0)]);
        let page = || vec![event("b", 10_000, 0), event("a", 9_960, 0)];
        assert_eq!(new_of(&mut seen, page()), ["a"]);
        assert_eq!(new_of(&mut seen, page()), [""; 0]);
        let old = vec![event("o", 9_000, 0)];
        assert_eq!(new_of(&mut seen, old), [""; 0]);
    }

    #[test]
    fn attempts_are_shown_again_when_there_are_more() {
        let mut seen = Seen::default();
        seen.enter(&[event("b", 10_000, 0)]);
        let page = |count| vec![event("r", 7_200, count)];
        assert_eq!(new_of(&mut seen, page(1)), ["r"]);
        assert_eq!(new_of(&mut seen, page(1)), [""; 0]);
        assert_eq!(new_of(&mut seen, page(3)), ["r"]);
    }

    #[test]
    fn pages_end_where_nothing_can_be_new() {
        let mut seen = Seen::default();
        seen.enter(&[event("b", 10_000, 0)]);
        let mut new = Vec::new();
        assert!(!seen.take_new(vec![event("c", 10_001, 0)], &mut new));
        assert!(seen.take_new(vec![event("o", 9_000, 0)], &mut new));
        let mut at_first = Seen::default();
        assert!(at_first.take_new(vec![event("c", 10_001, 0)], &mut new));
    }
}
