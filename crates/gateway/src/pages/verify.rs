//! The page on which a code is typed, which several ways lead to.

use askama::Template;
use axum::response::Response;
use countersign_client::{Clock as _, SystemClock};
use prost_types::Timestamp;

use super::errors::Errors;
use super::page::{Page, render};
use super::visitor::Visitor;
use super::words::Words;

/// What differs between the ways.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) action: &'static str,
    pub(super) resend_action: &'static str,
    pub(super) back_path: &'static str,
    pub(super) verification_id: String,
    pub(super) return_to: String,
    pub(super) address: String,
    /// Whether it is not told that there is anybody.
    pub(super) uncertain: bool,
    pub(super) expire_time: Option<Timestamp>,
    pub(super) resend_time: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "verify_code.html")]
struct VerifyCode {
    page: Page,
    words: &'static Words,
    action: &'static str,
    resend_action: &'static str,
    back_path: &'static str,
    verification_id: String,
    return_to: String,
    address: String,
    replaces: String,
    by_phone: bool,
    uncertain: bool,
    valid_minutes: u64,
    resend_seconds: u64,
}

/// The page.
pub(super) fn page(visitor: &Visitor, sent: Sent, errors: Errors) -> Response {
    page_to_replace(visitor, sent, String::new(), errors)
}

/// The page for an address that takes the place of another one, which is not empty.
pub(super) fn page_to_replace(
    visitor: &Visitor,
    sent: Sent,
    replaces: String,
    errors: Errors,
) -> Response {
    let status = errors.status();
    let template = VerifyCode {
        page: visitor.page(errors),
        words: visitor.words,
        action: sent.action,
        resend_action: sent.resend_action,
        back_path: sent.back_path,
        verification_id: sent.verification_id,
        return_to: sent.return_to,
        by_phone: !sent.address.contains('@'),
        address: sent.address,
        replaces,
        uncertain: sent.uncertain,
        valid_minutes: left(sent.expire_time).div_ceil(60).max(1),
        resend_seconds: left(sent.resend_time),
    };
    render(status, &template)
}

/// How many seconds are left until then.
pub(super) fn left(time: Option<Timestamp>) -> u64 {
    let time = time.and_then(|time| std::time::SystemTime::try_from(time).ok());
    let left = time.and_then(|time| time.duration_since(SystemClock.now()).ok());
    left.unwrap_or_default().as_secs()
}
