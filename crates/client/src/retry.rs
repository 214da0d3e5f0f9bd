//! Which calls may be repeated, and when: only those that change nothing, or
//! that the service answers alike when they come twice.

use std::time::Duration;

use countersign_proto::{Idempotency, RPCS};
use http::{Response, StatusCode};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// The first try included.
pub(crate) const MAX_TRIES: u32 = 4;

const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Whether the RPC at `path` may be sent again when no answer came: the contract
/// says it of each.
pub(crate) fn is_repeatable(path: &str) -> bool {
    let called = RPCS.iter().find(|rpc| rpc.path == path);
    called.is_some_and(|rpc| rpc.idempotency != Idempotency::Unknown)
}

/// How long to wait after the failed try number `tries` (from 1): doubled each
/// time, and never less than the server asks for.
pub(crate) fn pause(tries: u32, asked: Option<Duration>) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)));
    pause.max(asked.unwrap_or_default())
}

/// Whether an answer says UNAVAILABLE: `None` if it does not, else what it
/// asks for with RetryInfo.
pub(crate) fn unavailable<B>(response: &Response<B>) -> Option<Option<Duration>> {
    // An error of a unary call comes in the headers ("trailers-only"); a proxy
    // may answer with a bare HTTP status instead.
    if let Some(code) = response.headers().get(Status::GRPC_STATUS) {
        if Code::from_bytes(code.as_bytes()) != Code::Unavailable {
            return None;
        }
        let status = Status::from_header_map(response.headers())?;
        return Some(asked_pause(&status));
    }
    matches!(
        response.status(),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
    .then_some(None)
}

/// The pause that RetryInfo asks for.
pub(crate) fn asked_pause(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_twice_is_repeatable() {
        for (rpc, expected) in [
            ("AuthService/SignUp", false),
            ("AuthService/IssueTokens", false),
            ("AuthService/ChangePassword", false),
            ("AuthService/ResetPassword", false),
            ("VerificationService/SendCode", false),
            ("VerificationService/CheckCode", false),
            ("AuthService/SignOut", false),
            // Within the grace time the same token yields the same successor.
            ("AuthService/RefreshTokens", true),
            ("AuthService/RevokeToken", true),
            ("AuthService/ValidateToken", true),
            ("SessionService/ListSessions", true),
        ] {
            let path = format!("/countersign.v1.{rpc}");
            assert_eq!(is_repeatable(&path), expected, "{rpc}");
        }
    }

    #[test]
    fn the_pause_doubles_and_heeds_the_server() {
        assert_eq!(pause(1, None), Duration::from_millis(50));
        assert_eq!(pause(2, None), Duration::from_millis(100));
        assert_eq!(pause(3, None), Duration::from_millis(200));
        assert_eq!(
            pause(1, Some(Duration::from_secs(1))),
            Duration::from_secs(1)
        );
        assert_eq!(
            pause(2, Some(Duration::from_millis(1))),
            Duration::from_millis(100)
        );
    }

    #[test]
    fn only_unavailable_counts_as_unavailable() {
        let answer = |status: Status| status.into_http::<()>();
        assert_eq!(unavailable(&answer(Status::unavailable(""))), Some(None));
        assert_eq!(unavailable(&answer(Status::internal(""))), None);
        assert_eq!(unavailable(&Response::new(())), None);
        let mut gateway = Response::new(());
        *gateway.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(unavailable(&gateway), Some(None));
    }
}
