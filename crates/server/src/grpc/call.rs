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

use crate::grpc::gate::{Gate, KnownCaller};
use crate::metrics;
use crate::status::{self, Audience};

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) app: Arc<Application>,
    pub(crate) gate: Arc<Gate>,
    /// The runtime of databases and hashing.
    pub(crate) back: Handle,
    /// The longest that a call may take.
    pub(crate) timeout: Duration,
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) caller: Arc<KnownCaller>,
    pub(crate) locale: Locale,
    pub(crate) request_id: String,
}

/// An RPC: its name in logs and metrics, and who may call it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rpc {
    pub(crate) name: &'static str,
    pub(crate) roles: &'static [Role],
}

impl Desk {
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
        let metadata = request.metadata();
        let locale = locale(metadata);
        let request_id = request_id(metadata, &*self.app.random);
        // A little less than tonic's own limit, whose answer has no details.
        let timeout = grpc_timeout(metadata)
            .map_or(self.timeout, |asked| asked.min(self.timeout))
            .saturating_sub(Duration::from_millis(2));
        let caller = self.gate.admit(metadata, rpc.roles);
        let caller_name = caller
            .as_ref()
            .map_or_else(|_| "-".to_owned(), |caller| caller.name.clone());
        let outcome = match caller {
            Err(error) => Some(Err(error)),
            Ok(caller) => {
                let call = Call {
                    caller,
                    locale,
                    request_id: request_id.clone(),
                };
                let message = request.into_inner();
                let app = Arc::clone(&self.app);
                // Begun, it runs to its end even if the caller goes away: a
                // commit must be followed by what belongs to it.
                let task = self
                    .back
                    .spawn(async move { work(call, message, app).await });
                match tokio::time::timeout(timeout, task).await {
                    Ok(Ok(outcome)) => Some(outcome),
                    Ok(Err(panic)) => {
                        Some(Err(Error::Internal(format!("the call broke off: {panic}"))))
                    }
                    Err(_) => None,
                }
            }
        };
        let audience = Audience {
            locale,
            request_id: &request_id,
        };
        let answer = match &outcome {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(status::status(error, audience)),
            None => Err(status::deadline_exceeded(audience)),
        };
        let code = answer.as_ref().err().map_or(Code::Ok, Status::code);
        let took = began.elapsed();
        metrics::call(rpc.name, code, took);
        log(
            rpc,
            code,
            &caller_name,
            &request_id,
            took,
            outcome.as_ref().and_then(|o| o.as_ref().err()),
        );
        let mut response = match (answer, outcome) {
            (Ok(()), Some(Ok(value))) => Ok(Response::new(value)),
            (Err(status), _) => Err(status),
            (Ok(()), _) => Err(status::deadline_exceeded(audience)),
        };
        if let Ok(value) = request_id.parse() {
            match &mut response {
                Ok(response) => response.metadata_mut().insert("x-request-id", value),
                Err(status) => status.metadata_mut().insert("x-request-id", value),
            };
        }
        response
    }

    /// The caller of an RPC that is answered from memory.
    pub(crate) fn admit(&self, rpc: Rpc, metadata: &MetadataMap) -> Result<(), Status> {
        match self.gate.admit(metadata, rpc.roles) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refuse(rpc, &error, metadata)),
        }
    }

    /// The status of an error of an RPC that is answered from memory.
    pub(crate) fn refuse(&self, rpc: Rpc, error: &Error, metadata: &MetadataMap) -> Status {
        let request_id = request_id(metadata, &*self.app.random);
        let status = status::status(
            error,
            Audience {
                locale: locale(metadata),
                request_id: &request_id,
            },
        );
        metrics::call(rpc.name, status.code(), Duration::ZERO);
        log(
            rpc,
            status.code(),
            "-",
            &request_id,
            Duration::ZERO,
            Some(error),
        );
        status
    }
}

fn log(
    rpc: Rpc,
    code: Code,
    caller: &str,
    request_id: &str,
    took: Duration,
    error: Option<&Error>,
) {
    let rpc = rpc.name;
    let took_ms = took.as_secs_f64() * 1000.0;
    match error {
        Some(error @ Error::Internal(_)) => {
            tracing::error!(rpc, ?code, caller, request_id, took_ms, %error, "call");
        }
        Some(error @ Error::Unavailable(_)) => {
            tracing::warn!(rpc, ?code, caller, request_id, took_ms, %error, "call");
        }
        Some(error) => tracing::info!(rpc, ?code, caller, request_id, took_ms, %error, "call"),
        None => tracing::info!(rpc, ?code, caller, request_id, took_ms, "call"),
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
