//! What `countersign try` shows: each call and its answer, and where and why
//! it stopped.

use std::fmt;
use std::io::{self, Write};

use countersign_proto::ERROR_DOMAIN;
use prost_types::Timestamp;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use crate::rfc3339::rfc3339;

/// Writes down each call and its answer.
pub(super) struct Transcript<'a> {
    out: &'a mut dyn Write,
    calls: usize,
    call: &'static str,
}

/// Why `countersign try` stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error("{call} failed: {answer}")]
    Refused { call: &'static str, answer: Refused },
    #[error("{call} answered otherwise than expected: {found}; is the server of another version?")]
    Unexpected { call: &'static str, found: String },
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// An error status, in words.
#[derive(Debug)]
pub(super) struct Refused {
    code: Code,
    reason: String,
    message: String,
}

impl Stopped {
    /// Whether it is the server's refusal for this reason.
    pub(super) fn is_for(&self, reason: &str) -> bool {
        matches!(self, Self::Refused { answer, .. } if answer.reason == reason)
    }
}

impl<'a> Transcript<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            calls: 0,
            call: "",
        }
    }

    /// How many calls were made.
    pub(super) fn calls(&self) -> usize {
        self.calls
    }

    /// Writes down a call and waits for its answer.
    pub(super) async fn call<T>(
        &mut self,
        call: &'static str,
        with: &str,
        answer: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Stopped> {
        self.calls += 1;
        self.call = call;
        writeln!(self.out, "{}. {call} {with}", self.calls)?;
        match answer.await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => {
                let answer = Refused::from(&status);
                writeln!(self.out, "   ✗ {:?} {}", answer.code, answer.reason)?;
                Err(Stopped::Refused { call, answer })
            }
        }
    }

    /// Writes down what the answer says.
    pub(super) fn answer(&mut self, text: &str) -> Result<(), Stopped> {
        Ok(writeln!(self.out, "   → {text}")?)
    }

    /// Demands that the last answer is as expected.
    pub(super) fn demand(&mut self, holds: bool, found: &str) -> Result<(), Stopped> {
        if holds {
            return Ok(());
        }
        writeln!(self.out, "   ✗ {found}")?;
        Err(self.unexpected(found))
    }

    /// The last answer is not as expected.
    pub(super) fn unexpected(&self, found: &str) -> Stopped {
        Stopped::Unexpected {
            call: self.call,
            found: found.into(),
        }
    }
}

impl From<&Status> for Refused {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details
            .error_info()
            .filter(|info| info.domain == ERROR_DOMAIN);
        let violations = details.bad_request().map_or_else(String::new, |request| {
            let fields = request.field_violations.iter();
            fields
                .map(|field| format!(" ({} {})", field.field, field.description))
                .collect()
        });
        Self {
            code: status.code(),
            reason: info.map_or_else(String::new, |info| info.reason.clone()),
            message: format!("{}{violations}", status.message().trim_end_matches('.')),
        }
    }
}

impl Refused {
    /// What to look at.
    fn advice(&self) -> &'static str {
        match (self.reason.as_str(), self.code) {
            ("CALLER_UNKNOWN" | "CALLER_NOT_PERMITTED", _) => {
                "give the key of a caller with both roles with --api-key; make one with: \
                 countersign caller new --name try --role gateway --role service"
            }
            ("TOO_MANY_MESSAGES", _) => {
                "the server's limits on messages are reached: wait, or see its section \
                 [verification]"
            }
            ("TOO_MANY_ATTEMPTS" | "OVERLOADED", _) => "the server is busy: try again later",
            ("SECOND_FACTOR_WRONG", _) => {
                "do the clocks of this machine and of the server agree? The codes of an \
                 authenticator app are those of a time"
            }
            ("DEPENDENCY_UNAVAILABLE", _) => {
                "the server cannot reach its database or Redis: its log says more"
            }
            ("", Code::Unimplemented) => "is a Countersign server at this address?",
            ("", Code::Unavailable | Code::Unknown) => {
                "is the server running, and is TLS on for both or for neither (--tls)?"
            }
            (_, Code::DeadlineExceeded | Code::Cancelled) => {
                "the server is too slow: look at its load and its log"
            }
            _ => "the server's log says more",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.code)?;
        if !self.reason.is_empty() {
            write!(f, " {}", self.reason)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        write!(f, "; {}", self.advice())
    }
}

/// So much of a token that it is recognised, and no more.
pub(super) fn shortened(token: &str) -> String {
    let head: String = token.chars().take(12).collect();
    format!("{head}… ({} bytes)", token.len())
}

/// An instant of the contract.
pub(super) fn instant(timestamp: Option<Timestamp>) -> String {
    timestamp.map_or_else(
        || "an unknown time".into(),
        |timestamp| {
            rfc3339(countersign_domain::model::Timestamp::from_seconds(
                timestamp.seconds,
            ))
        },
    )
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_refusal_tells_the_reason_and_what_to_check() {
        let details = ErrorDetails::with_error_info(
            "CALLER_NOT_PERMITTED",
            ERROR_DOMAIN,
            [("required_role".into(), "service".into())],
        );
        let status = Status::with_error_details(Code::PermissionDenied, "no such role", details);
        let stopped = Stopped::Refused {
            call: "AuthService.ValidateToken",
            answer: Refused::from(&status),
        };
        let text = stopped.to_string();
        assert!(
            text.starts_with(
                "AuthService.ValidateToken failed: PermissionDenied CALLER_NOT_PERMITTED: \
                 no such role; give the key of a caller"
            ),
            "{text}"
        );
    }

    #[test]
    fn every_wrong_field_is_told() {
        let details = ErrorDetails::with_bad_request_violation("code", "must be 4 to 64 letters");
        let status = Status::with_error_details(Code::InvalidArgument, "wrong", details);
        let text = Refused::from(&status).to_string();
        assert!(
            text.contains("wrong (code must be 4 to 64 letters)"),
            "{text}"
        );
    }

    #[test]
    fn a_token_is_not_shown_whole() {
        assert_eq!(
            shortened("eyJhbGciOiJFZERTQSJ9.e30.c2ln"),
            "eyJhbGciOiJF… (29 bytes)"
        );
    }
}
