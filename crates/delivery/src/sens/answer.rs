//! What SENS answers: 202 with an id, or an error of its gateway or of the
//! service, each in a shape of its own, or with nothing at all.

use http::StatusCode;
use serde_json::Value;

use crate::http::Answer;
use crate::provider::{Accepted, ProviderError};

/// What the answer says of the message.
///
/// What the gateway turns away never reached the service. An error 500 with a
/// body that names the error is a clear no; without one, and behind time-outs of
/// gateways (502, 504), the message may have been taken.
pub(super) fn read(answer: &Answer) -> Result<Accepted, ProviderError> {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let said = said(&body, &answer.body);
    let told = code(&body).map_or(String::new(), |code| format!(", error {code}"));
    let why = format!("answered {}{told}", answer.status.as_u16());
    match answer.status {
        StatusCode::ACCEPTED => accepted(&body, &why, &said),
        status if status.is_success() => Err(ProviderError::unknown(why, &said)),
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => {
            Err(ProviderError::rejected(why, &said))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Err(ProviderError::refused_for(why, &said, answer.retry_after))
        }
        StatusCode::INTERNAL_SERVER_ERROR if is_error(&body) => {
            Err(ProviderError::refused(why, &said))
        }
        status if status.is_client_error() || status.is_redirection() => {
            Err(ProviderError::refused(why, &said))
        }
        _ => Err(ProviderError::unknown(why, &said)),
    }
}

/// The same, and what is said of the one message that was asked for: A000 is
/// accepted, all other codes are not.
pub(super) fn read_alimtalk(answer: &Answer) -> Result<Accepted, ProviderError> {
    let accepted = read(answer)?;
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let message = &body["messages"][0];
    let code = text(&message["requestStatusCode"]);
    let code = code.filter(|code| is_code(code));
    match code.as_deref() {
        Some("A000") => Ok(accepted),
        Some(code) => {
            let said = text(&message["requestStatusDesc"]).unwrap_or_default();
            Err(ProviderError::rejected(
                format!("answered 202, requestStatusCode {code}"),
                &said,
            ))
        }
        None => Err(ProviderError::unknown(
            "answered 202 without requestStatusCode",
            "",
        )),
    }
}

/// A 202 counts if the body says so too.
fn accepted(body: &Value, why: &str, said: &str) -> Result<Accepted, ProviderError> {
    let status = text(&body["statusCode"]);
    match status.as_deref() {
        Some("202") => {
            let id = text(&body["requestId"]).unwrap_or_default();
            Ok(Accepted(format!(
                "202, requestId {}",
                crate::provider::shown(&id)
            )))
        }
        Some(code) if code.starts_with('4') => Err(ProviderError::rejected(
            format!("{why}, statusCode {code}"),
            said,
        )),
        _ => Err(ProviderError::unknown(
            format!("{why} without statusCode 202"),
            said,
        )),
    }
}

/// Whether the body is one of the two shapes of errors.
fn is_error(body: &Value) -> bool {
    body["error"].is_object() || (body["error"].is_string() && !body["status"].is_null())
}

/// The number of the error, which may be a text. Anything longer is no number.
fn code(body: &Value) -> Option<String> {
    let code = text(&body["error"]["errorCode"]).or_else(|| text(&body["status"]))?;
    is_code(&code).then_some(code)
}

fn is_code(code: &str) -> bool {
    code.len() <= 8 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn said(body: &Value, raw: &str) -> String {
    let error = &body["error"];
    let words = [
        text(&error["message"]),
        text(&error["details"]),
        text(error),
        text(&body["message"]),
        text(&body["statusName"]),
    ];
    let words: Vec<_> = words.into_iter().flatten().collect();
    match words.is_empty() {
        true => raw.to_owned(),
        false => words.join(": "),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &str) -> (String, String) {
        let answer = Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            retry_after: None,
            body: body.into(),
        };
        match read(&answer) {
            Ok(Accepted(said)) => ("sent".into(), said),
            Err(error) => (error.outcome().into(), error.to_string()),
        }
    }

    #[test]
    fn each_answer_has_its_meaning() {
        const GATEWAY: &str = concat!(
            r#"{"error":{"errorCode":"200","message":"Authentication Failed","#,
            r#""details":"Invalid authentication information."}}"#
        );
        for (status, body, expected, told) in [
            (
                202,
                concat!(
                    r#"{"requestId":"RSLA-1","requestTime":"2023-03-07T22:26:13.358","#,
                    r#""statusCode":"202","statusName":"success"}"#
                ),
                "sent",
                "202, requestId RSLA-1",
            ),
            (202, "", "unknown", "answered 202 without statusCode 202"),
            (
                202,
                "<html>",
                "unknown",
                "answered 202 without statusCode 202",
            ),
            (
                202,
                r#"{"statusCode":"400","statusName":"fail"}"#,
                "rejected",
                "answered 202, statusCode 400",
            ),
            (200, r#"{"statusCode":"202"}"#, "unknown", "answered 200"),
            (401, GATEWAY, "refused", "answered 401, error 200"),
            (
                403,
                r#"{"status":403,"error":"Forbidden","message":"no"}"#,
                "refused",
                "answered 403, error 403",
            ),
            (404, "", "refused", "answered 404"),
            (400, "", "rejected", "answered 400"),
            (
                429,
                r#"{"error":{"errorCode":410,"message":"rate"}}"#,
                "refused",
                "answered 429, error 410",
            ),
            (
                500,
                r#"{"error":{"errorCode":"900","message":"Unexpected"}}"#,
                "refused",
                "answered 500, error 900",
            ),
            (500, "", "unknown", "answered 500"),
            (500, "oops", "unknown", "answered 500"),
            (503, "", "refused", "answered 503"),
            (
                504,
                r#"{"error":{"errorCode":"510","message":"Endpoint timeout"}}"#,
                "unknown",
                "answered 504, error 510",
            ),
            (302, "", "refused", "answered 302"),
        ] {
            assert_eq!(
                outcome(status, body),
                (expected.into(), told.into()),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn what_the_provider_says_is_not_in_what_is_logged() {
        let echo = r#"{"error":{"errorCode":"01012345678","message":"to 01012345678: 048213"}}"#;
        let (_, logged) = outcome(429, echo);
        assert_eq!(logged, "answered 429");
    }
}
