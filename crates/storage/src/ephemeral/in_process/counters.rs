//! The room of counters, by which limits grow.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_domain::ports::{Learnt, Raise};

use super::room::Room;

/// How many expired counters are removed for each that may be added.
const SWEPT_PER_COUNTER: usize = 4;

/// Counters by name, each with a few slots. Where there is no room, the one that
/// would expire first makes it: limits that grew with it are what they were.
pub(super) struct Counters {
    room: Room<BTreeMap<i64, u32>>,
}

impl Counters {
    pub(super) fn new(max: usize) -> Self {
        Self {
            room: Room::new(max),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.room.len()
    }

    /// The best of the slots that count.
    pub(super) fn best(&self, learnt: &Learnt, now: Duration) -> u32 {
        let Some(counter) = self.room.live(&learnt.counter, now) else {
            return 0;
        };
        let slots = &counter.content;
        let counts = learnt.counted().filter_map(|slot| slots.get(&slot));
        counts.copied().max().unwrap_or_default()
    }

    pub(super) fn raise(&mut self, raise: &Raise, now: Duration) {
        for _ in 0..SWEPT_PER_COUNTER {
            if self.room.pop_expired(now).is_none() {
                break;
            }
        }
        let kept = self.room.remove(&raise.counter);
        let live = kept.filter(|kept| kept.expires_at > now);
        let mut slots = live.map(|kept| kept.content).unwrap_or_default();
        let count = slots.entry(raise.slot).or_insert(0);
        *count = count.saturating_add(1);
        while slots.len() > Learnt::KEPT_SLOTS {
            let kept = slots.keys().copied();
            let furthest = kept.max_by_key(|slot| raise.slot.abs_diff(*slot));
            slots.remove(&furthest.unwrap_or_default());
        }
        if !self.room.has_room_for(1) {
            self.room.pop_first();
        }
        let expires_at = now.saturating_add(raise.ttl);
        self.room.insert(&raise.counter, slots, expires_at);
    }
}
