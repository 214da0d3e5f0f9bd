//! Batches: as many users as a call may have, in no more bytes than proxies let
//! through, sent until they are answered.

use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::user_service_client::UserServiceClient;
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::record::{Place, Wrong};
use crate::cli::failure::Failure;
use crate::cli::server_client::{ServerClient, refused};

/// How many bytes a batch has at the most.
const MOST_BYTES: usize = 1024 * 1024;
/// How long a call may take.
const CALLING: Duration = Duration::from_secs(60);
/// How often a batch is tried in a row, and how long is waited in between.
const TRIES: u32 = 12;
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A user who is to be sent.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) user: v1::ImportedUser,
    pub(super) left_out: Vec<Wrong>,
}

/// A user who was sent, and what was said of it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) entry: Entry,
    pub(super) outcome: v1::import_result::Outcome,
}

/// Users who are sent together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether another user would be one too many.
    pub(super) fn is_full_for(&self, user: &v1::ImportedUser, size: usize) -> bool {
        let bytes = self.bytes + user.encoded_len();
        self.entries.len() >= size || (bytes > MOST_BYTES && !self.entries.is_empty())
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.bytes += entry.user.encoded_len();
        self.entries.push(entry);
    }

    /// Sends them until they are answered. What takes too long, or is too much at once,
    /// is sent in halves.
    ///
    /// # Errors
    /// The server refuses the call, or does not answer for a minute. What it has written
    /// by then is told of when it is sent again.
    pub(super) async fn send(
        self,
        server: &ServerClient,
        validate_only: bool,
    ) -> Result<Vec<Sent>, Failure> {
        let client = UserServiceClient::new(server.channel.clone());
        let (mut parts, mut sent) = (vec![self.entries], Vec::new());
        let mut tries = 0;
        while let Some(mut part) = parts.pop() {
            let users = part.iter().map(|entry| entry.user.clone()).collect();
            let mut request = server.request(v1::ImportUsersRequest {
                users,
                validate_only,
            });
            request.set_timeout(CALLING);
            match client.clone().import_users(request).await {
                Ok(answer) => {
                    tries = 0;
                    let results = answer.into_inner().results;
                    if results.len() != part.len() {
                        return Err("the server has not told of every user".into());
                    }
                    for (entry, result) in part.into_iter().zip(results) {
                        let outcome = result.outcome;
                        let outcome = outcome.ok_or("the server has not told of a user")?;
                        sent.push(Sent { entry, outcome });
                    }
                }
                Err(status) if is_temporary(&status) => {
                    tries += 1;
                    if tries == TRIES {
                        return Err(refused(&status));
                    }
                    if is_too_much(&status) && part.len() > 1 {
                        parts.push(part.split_off(part.len() / 2));
                    }
                    parts.push(part);
                    tokio::time::sleep(pause(tries, &status)).await;
                }
                Err(status) => return Err(refused(&status)),
            }
        }
        Ok(sent)
    }
}

/// Whether the call may be good another time.
fn is_temporary(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Cancelled
            | Code::Unknown
    )
}

/// Whether fewer users at once may go better.
fn is_too_much(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled
    )
}

/// How long is waited before the next try: twice as long each time, or as long as the
/// server says.
fn pause(tries: u32, status: &Status) -> Duration {
    let doubled = SHORTEST_PAUSE.saturating_mul(1 << tries.min(10));
    let asked = status.get_details_retry_info();
    let asked = asked.and_then(|info| info.retry_delay).unwrap_or_default();
    doubled.max(asked).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_ten_seconds_and_are_a_minute_together() {
        let status = Status::unavailable("");
        assert_eq!(pause(1, &status), Duration::from_millis(200));
        assert_eq!(pause(TRIES, &status), LONGEST_PAUSE);
        let all: Duration = (1..TRIES).map(|tries| pause(tries, &status)).sum();
        assert!((45..75).contains(&all.as_secs()), "{all:?}");
    }
}
