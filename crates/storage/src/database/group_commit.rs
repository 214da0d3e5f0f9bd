//! Group commit: what is done with the batches of requests that are made at the
//! same time. They share a round trip and a commit.

mod queued_messages;
mod refresh_rotations;
mod session_reads;

pub(super) use queued_messages::MessageBatches;
pub(super) use refresh_rotations::RotationBatches;
pub(super) use session_reads::SessionBatches;
