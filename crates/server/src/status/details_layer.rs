//! Statuses that tonic makes by itself (unknown RPC, unreadable message, time
//! limit) carry no details. This layer gives them the same form as all others;
//! health and reflection answer as their own contracts say.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use countersign_domain::model::Locale;
use countersign_proto::v1::ErrorReason;
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::{Code, Status};
use tonic_types::ErrorDetails;
use tower::Service;

use super::{RETRY_UNAVAILABLE, build};

/// Gives every status that lacks them its details.
#[derive(Debug, Clone)]
pub(crate) struct WithDetails<S>(pub(crate) S);

impl<S, B, R> Service<Request<B>> for WithDetails<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let language = language(request.headers());
        let is_foreign = request.uri().path().starts_with("/grpc.");
        let answer = self.0.call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(if is_foreign {
                response
            } else {
                with_details(response, language)
            })
        })
    }
}

/// The languages that the person reads, to be negotiated if there is need.
pub(crate) fn language(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get("accept-language").cloned()
}

/// Gives a status without details its details; all other responses stay as they
/// are.
pub(crate) fn with_details<R: Default>(
    response: Response<R>,
    language: Option<HeaderValue>,
) -> Response<R> {
    let Some(status) = status_without_details(response.headers()) else {
        return response;
    };
    let locale = language
        .and_then(|language| language.to_str().map(Locale::negotiate).ok())
        .unwrap_or_default();
    detailed(&status, locale).into_http()
}

fn status_without_details(headers: &HeaderMap) -> Option<Status> {
    if headers.contains_key("grpc-status-details-bin") {
        return None;
    }
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

fn detailed(status: &Status, locale: Locale) -> Status {
    let mut details = ErrorDetails::new();
    let reason = match status.code() {
        Code::Unimplemented => ErrorReason::RpcUnknown,
        Code::DeadlineExceeded | Code::Cancelled => ErrorReason::DeadlineExceeded,
        Code::Unavailable => {
            details.set_retry_info(Some(RETRY_UNAVAILABLE));
            ErrorReason::DependencyUnavailable
        }
        // An unreadable message is INTERNAL to tonic; a fault of ours has
        // details and does not come here.
        Code::Internal | Code::InvalidArgument | Code::OutOfRange => ErrorReason::MessageUnreadable,
        _ => ErrorReason::Internal,
    };
    build(
        reason,
        details,
        HashMap::new(),
        locale,
        Some(status.message().to_owned()).filter(|message| !message.is_empty()),
    )
}
