//! What an error says beyond its code.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt as _};

/// The details of a status, which must have the form that the contract gives
/// to every error.
#[derive(Debug, Clone)]
pub struct Details {
    /// The code.
    pub code: Code,
    /// The reason in `ErrorInfo`.
    pub reason: String,
    /// The domain in `ErrorInfo`.
    pub domain: String,
    /// The facts in `ErrorInfo`.
    pub metadata: std::collections::HashMap<String, String>,
    /// How many `ErrorInfo` there are.
    pub infos: usize,
    /// The fields in `BadRequest`.
    pub fields: Vec<String>,
    /// When to try again, from `RetryInfo`.
    pub retry_after: Option<Duration>,
    /// The language and the message of `LocalizedMessage`.
    pub localized: Option<(String, String)>,
}

impl Details {
    /// Reads the details of a status.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let mut details = Self {
            code: status.code(),
            reason: String::new(),
            domain: String::new(),
            metadata: std::collections::HashMap::new(),
            infos: 0,
            fields: Vec::new(),
            retry_after: None,
            localized: None,
        };
        for detail in status.get_error_details_vec() {
            match detail {
                ErrorDetail::ErrorInfo(info) => {
                    details.infos += 1;
                    details.reason = info.reason;
                    details.domain = info.domain;
                    details.metadata = info.metadata;
                }
                ErrorDetail::BadRequest(request) => {
                    let fields = request.field_violations.into_iter().map(|v| v.field);
                    details.fields.extend(fields);
                }
                ErrorDetail::RetryInfo(retry) => details.retry_after = retry.retry_delay,
                ErrorDetail::LocalizedMessage(message) => {
                    details.localized = Some((message.locale, message.message));
                }
                _ => {}
            }
        }
        details
    }
}

/// `OK`, the reason of an error, or, if it has none, its code: the server did
/// not answer.
#[must_use]
pub fn reason<T>(outcome: &Result<T, Status>) -> String {
    match outcome {
        Ok(_) => "OK".into(),
        Err(status) => match Details::of(status).reason {
            reason if reason.is_empty() => format!("no answer ({:?})", status.code()),
            reason => reason,
        },
    }
}
