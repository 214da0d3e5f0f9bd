//! What became of messages, counted by kind.

use countersign_domain::model::{MessageKind, Settlement};
use countersign_domain::use_cases::Delivered;
use metrics::{Counter, counter};

const KINDS: [MessageKind; 2] = [MessageKind::Code, MessageKind::Notice];
const SENT: &str = "countersign_messages_sent_total";
const DEFERRED: &str = "countersign_messages_deferred_total";
const FAILED: &str = "countersign_messages_failed_total";
const LEFT_OUT: &str = "countersign_messages_left_out_total";

/// Makes the counters, so that the first message is a rise.
pub(crate) fn register() {
    for kind in KINDS {
        for name in [SENT, DEFERRED, FAILED] {
            drop(of(name, kind));
        }
    }
    drop(of(LEFT_OUT, MessageKind::Notice));
}

/// Notes what became of the messages of a batch.
pub(crate) fn delivered(delivered: &Delivered) {
    for (kind, settlement) in &delivered.settled {
        let name = match settlement {
            Settlement::Sent => SENT,
            Settlement::RetryAt(_) => DEFERRED,
            Settlement::Failed => FAILED,
            Settlement::LeftOut => LEFT_OUT,
        };
        of(name, *kind).increment(1);
    }
}

fn of(name: &'static str, kind: MessageKind) -> Counter {
    counter!(name, "kind" => kind.as_str())
}
