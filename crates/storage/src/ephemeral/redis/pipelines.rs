//! Calls that are made at the same time go to Redis together, as one pipeline:
//! for both sides that costs a fraction of as many round trips.
//!
//! A call is sent again in two cases only: when Redis said that it is a replica,
//! and when it did not know the script. Then nothing was written. After any other
//! failure it is not known what Redis did, or it would do it again.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_redis::PoolError;
use deadpool_redis::redis::{ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value};
use tokio::time::timeout;

use super::call::Call;
use super::connection::{Connections, describe, describe_redis};
use crate::batcher::{ExecuteBatch, Pending};

/// How often a call is sent at the most: to a replica, then to its master, which
/// does not know the script yet.
const SENDINGS: usize = 3;

type PendingCall = Pending<Call, Result<Value, String>>;

/// Sends calls.
pub(super) struct Pipelines {
    pub(super) connections: Arc<Connections>,
}

/// What becomes of a call.
enum Next {
    Answer(Result<Value, String>),
    /// To whoever is reached by a new connection.
    SendToMaster,
    SendWithCode,
}

#[async_trait]
impl ExecuteBatch<Call, Result<Value, String>> for Pipelines {
    async fn execute_batch(&self, batch: Vec<PendingCall>) {
        let mut unsent: Vec<_> = batch.into_iter().map(|pending| (pending, false)).collect();
        for sending in 1..=SENDINGS {
            let generation = self.connections.generation();
            let mut pipeline = Pipeline::with_capacity(unsent.len());
            for (pending, is_unknown) in &unsent {
                pipeline.add_command(pending.request.command(*is_unknown));
            }
            let sent = timeout(self.connections.timeout(), self.send(pipeline));
            let answers = match sent.await {
                Ok(Ok(answers)) => answers,
                Ok(Err(failure)) => return fail(unsent, &describe(&failure)),
                Err(_) => {
                    // Whatever stood still may stand still again.
                    self.connections.retire(generation);
                    return fail(unsent, &self.connections.no_answer());
                }
            };
            let mut again = Vec::new();
            for ((pending, is_unknown), answer) in unsent.into_iter().zip(answers) {
                match next(answer, sending == SENDINGS) {
                    Next::Answer(answer) => pending.answer(answer),
                    Next::SendWithCode => again.push((pending, true)),
                    Next::SendToMaster => {
                        self.connections.retire(generation);
                        again.push((pending, is_unknown));
                    }
                }
            }
            if again.is_empty() {
                return;
            }
            unsent = again;
        }
    }
}

impl Pipelines {
    async fn send(&self, mut pipeline: Pipeline) -> Result<Vec<RedisResult<Value>>, PoolError> {
        let mut lent = self.connections.lend().await?;
        let answers = pipeline.ignore_errors().query_async(&mut lent.calls).await;
        if let Err(error) = &answers
            && error.code().is_none()
        {
            self.connections.retire(lent.generation);
        }
        Ok(answers?)
    }
}

fn next(answer: RedisResult<Value>, is_last: bool) -> Next {
    let error = match answer {
        Ok(value) => return Next::Answer(Ok(value)),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly) if !is_last => Next::SendToMaster,
        ErrorKind::Server(ServerErrorKind::NoScript) if !is_last => Next::SendWithCode,
        _ => Next::Answer(Err(describe_redis(&error))),
    }
}

fn fail(calls: Vec<(PendingCall, bool)>, reason: &str) {
    for (pending, _) in calls {
        pending.answer(Err(reason.into()));
    }
}
