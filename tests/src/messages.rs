//! The messages that the servers of a world sent. The `log` sender writes each
//! of them to the log.

use countersign_proto::v1;

use crate::log::{Log, field};
use crate::world::World;

/// A message as the `log` sender shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it went, masked: `m***@person1.example`.
    pub to: String,
    /// The code in it. A notice has none.
    pub code: Option<String>,
    /// What it says.
    pub text: String,
}

impl Log {
    /// The messages that all replicas sent so far.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.all(|line| {
            let is_sent = field(line, "target") == Some("countersign::delivery");
            let to = field(line, "to").filter(|_| is_sent)?;
            Some(Message {
                to: to.into(),
                code: field(line, "code").map(Into::into),
                text: field(line, "text").unwrap_or_default().into(),
            })
        })
    }
}

impl World {
    /// The messages that were sent so far to an address of [`Self::new_email`].
    #[must_use]
    pub fn messages_to(&self, address: &str) -> Vec<Message> {
        let masked = masked(address);
        let mut messages = self.log().messages();
        messages.retain(|message| message.to == masked);
        messages
    }
}

/// An address of [`World::new_email`] as messages show it.
#[must_use]
pub fn masked(address: &str) -> String {
    address.replacen("mina@", "m***@", 1)
}

/// How far the message of a verification is, as the contract names it: `Queued`,
/// `Sent`, `Failed` or `ByCaller`; `None` if the contract does not say.
///
/// It is read from what `Debug` shows, so that it needs no field that an older
/// contract lacks.
#[must_use]
pub fn delivery_state(verification: &v1::Verification) -> Option<String> {
    let shown = format!("{verification:?}");
    let (_, state) = shown.split_once("delivery_state: ")?;
    let end = state.find(|c: char| !c.is_ascii_alphanumeric());
    Some(state[..end.unwrap_or(state.len())].into())
}
