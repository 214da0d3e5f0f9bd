//! What every call goes through: the caller is admitted, the work runs on the
//! runtime of databases and hashing within its deadline, and the outcome is
//! logged, counted and answered.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::model::{Locale, Role};
use countersign_domain::ports::Random;
use countersign_domain::{Application, Error};
use tokio::runtime::Handle;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::grpc::caller_authenticator::{CallerAuthenticator, KnownCaller};
use crate::metrics;
use crate::status::{self, Failure};

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct RpcRunner {
    pub(crate) app: Arc<Application>,
    pub(crate) callers: Arc<CallerAuthenticator>,
    /// The runtime of databases and hashing.
    pub(crate) work_runtime: Handle,
    /// The longest that a call may take.
    pub(crate) timeout: Duration,
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) caller: Arc<KnownCaller>,
    pub(crate) locale: Locale,
}

/// An RPC: its name in logs and metrics, and who may call it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rpc {
    pub(crate) name: &'static str,
    pub(crate) roles: &'static [Role],
}

impl RpcRunner {
    /// Does the work of an RPC and answers.
    pub(crate) async fn serve<M, R, W, F>(
        &self,
        rpc: Rpc,
        request: Request<M>,
        work: W,
    ) -> Result<Response<R>, Status>
    where
        W: FnOnce(Call, M, Arc<Application>) -> F + Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static,
        M: Send + 'static,
        R: Send + 'static,
    {
        let began = now();
        let locale = locale(request.metadata());
        let request_id = request_id(request.metadata(), &*self.app.random);
        let caller = self.callers.admit(request.metadata(), rpc.roles);
        let name = caller
            .as_ref()
            .map_or("-".into(), |caller| caller.name.clone());
        let done = match caller {
            Ok(caller) => self.work(Call { caller, locale }, request, work).await,
            Err(error) => Err(error.into()),
        };
        let ended = Ended {
            rpc,
            caller: &name,
            request_id: &request_id,
            took: began.elapsed(),
        };
        let mut answer = match done {
            Ok(value) => {
                ended.note(Code::Ok, None);
                Ok(Response::new(value))
            }
            Err(failure) => Err(ended.refuse(&failure, locale)),
        };
        if let Ok(value) = request_id.parse() {
            match &mut answer {
                Ok(response) => response.metadata_mut().insert("x-request-id", value),
                Err(status) => status.metadata_mut().insert("x-request-id", value),
            };
        }
        answer
    }

    /// Runs the work on the other runtime, and waits no longer than allowed.
    /// Begun, it runs to its end even if the caller goes away: a commit must be
    /// followed by what belongs to it.
    async fn work<M, R, W, F>(&self, call: Call, request: Request<M>, work: W) -> Result<R, Failure>
    where
        W: FnOnce(Call, M, Arc<Application>) -> F + Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static,
        M: Send + 'static,
        R: Send + 'static,
    {
        let timeout = grpc_timeout(request.metadata())
            .unwrap_or(self.timeout)
            .min(self.timeout);
        let message = request.into_inner();
        let app = Arc::clone(&self.app);
        let task = self
            .work_runtime
            .spawn(async move { work(call, message, app).await });
        // A little less than tonic's own limit, whose answer has no details.
        match tokio::time::timeout(timeout.saturating_sub(Duration::from_millis(2)), task).await {
            Ok(Ok(outcome)) => outcome.map_err(Failure::from),
            Ok(Err(broken)) => Err(Error::Internal(format!("the call broke off: {broken}")).into()),
            Err(_) => Err(Failure::Deadline),
        }
    }

    /// The caller of an RPC that is answered from memory.
    pub(crate) fn admit(&self, rpc: Rpc, metadata: &MetadataMap) -> Result<(), Status> {
        self.callers
            .permit(metadata, rpc.roles)
            .map_err(|error| self.refuse(rpc, error, metadata))
    }

    /// The status of an error of an RPC that is answered from memory.
    pub(crate) fn refuse(&self, rpc: Rpc, error: Error, metadata: &MetadataMap) -> Status {
        let request_id = request_id(metadata, &*self.app.random);
        let ended = Ended {
            rpc,
            caller: "-",
            request_id: &request_id,
            took: Duration::ZERO,
        };
        ended.refuse(&error.into(), locale(metadata))
    }
}

/// A call that has ended, as it is logged and counted.
struct Ended<'a> {
    rpc: Rpc,
    caller: &'a str,
    request_id: &'a str,
    took: Duration,
}

impl Ended<'_> {
    fn refuse(&self, failure: &Failure, locale: Locale) -> Status {
        let status = status::status(failure, locale, self.request_id);
        self.note(status.code(), Some(failure));
        status
    }

    fn note(&self, code: Code, failure: Option<&Failure>) {
        let Self {
            rpc: Rpc { name: rpc, .. },
            caller,
            request_id,
            took,
        } = *self;
        metrics::call(rpc, code, took);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match failure {
            None => tracing::info!(rpc, ?code, caller, request_id, took_us, "call"),
            Some(failure) => match code {
                Code::Internal => {
                    tracing::error!(rpc, ?code, caller, request_id, took_us, %failure, "call");
                }
                Code::Unavailable | Code::DeadlineExceeded => {
                    tracing::warn!(rpc, ?code, caller, request_id, took_us, %failure, "call");
                }
                _ => tracing::info!(rpc, ?code, caller, request_id, took_us, %failure, "call"),
            },
        }
    }
}

fn locale(metadata: &MetadataMap) -> Locale {
    metadata
        .get("accept-language")
        .and_then(|value| value.to_str().ok())
        .map(Locale::negotiate)
        .unwrap_or_default()
}

/// The caller's id of the request, if it is a harmless one, or a new one.
fn request_id(metadata: &MetadataMap, random: &dyn Random) -> String {
    let is_harmless = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match metadata
        .get("x-request-id")
        .and_then(|value| value.to_str().ok())
        .filter(is_harmless)
    {
        Some(id) => id.to_owned(),
        None => {
            let mut bytes = [0; 16];
            random.fill(&mut bytes);
            uuid::Builder::from_random_bytes(bytes)
                .into_uuid()
                .as_hyphenated()
                .encode_lower(&mut Uuid::encode_buffer())
                .to_owned()
        }
    }
}

/// The time that the caller allows: at most eight digits and a unit.
fn grpc_timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the duration of a call is measured, nothing is decided by it"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_deadline_is_read() {
        let read = |text: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", text.parse().expect("a header"));
            grpc_timeout(&metadata)
        };
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        assert_eq!(
            read("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        for wrong in ["", "S", "5", "-1S", "123456789S", "1x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
