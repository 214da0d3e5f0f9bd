//! The exchange of a code for tokens (RFC 6749, 4.1.3 and 5), and what refusals mean.

use http::StatusCode;

use crate::failure::Failure;
use crate::json::Members;
use crate::network::Reply;

/// What of an answer is used.
pub(crate) struct Tokens {
    pub(crate) access_token: Option<String>,
    pub(crate) id_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
}

impl Tokens {
    /// Reads an answer; `secrets` do not show in errors.
    ///
    /// # Errors
    /// As [`refusal`] for refusals; rejected for what cannot be read.
    pub(crate) fn read(reply: &Reply, secrets: &[&str]) -> Result<Self, Failure> {
        let of_answer = |failure: Failure| failure.during("the token endpoint's answer");
        let members = Members::read(&reply.body);
        let is_refused = members.as_ref().is_ok_and(|members| members.has("error"));
        if !reply.status.is_success() || is_refused {
            return Err(refusal(reply.status, members.ok().as_ref(), secrets));
        }
        let members = members.map_err(of_answer)?;
        let text = |name| members.text(name).map_err(of_answer);
        // RFC 6749, 5.1: in any case.
        let is_bearer = |typ: String| typ.eq_ignore_ascii_case("bearer");
        if !text("token_type")?.is_none_or(is_bearer) {
            return Err(of_answer(Failure::rejected("its token_type is not Bearer")));
        }
        Ok(Self {
            access_token: text("access_token")?,
            id_token: text("id_token")?,
            refresh_token: text("refresh_token")?,
        })
    }
}

/// What a refusal means (RFC 6749, 5.2), whatever its status: Naver refuses with 200.
pub(crate) fn refusal(status: StatusCode, said: Option<&Members>, secrets: &[&str]) -> Failure {
    let text = |name| said.and_then(|said| said.text_or_nothing(name));
    let error = text("error").filter(|error| is_code(error));
    // Kakao's own code: KOE303 is another redirect URI.
    let detail = text("error_code").filter(|code| is_code(code));
    let why = match (&error, &detail) {
        (Some(error), Some(detail)) => format!("answered {error}, {detail}"),
        (Some(error), None) => format!("answered {error}"),
        (None, _) => format!("answered {} without an error code", status.as_u16()),
    };
    let failure = match error.as_deref() {
        _ if detail.as_deref() == Some("KOE303") => Failure::misconfigured(why),
        Some(
            "invalid_client"
            | "unauthorized_client"
            | "redirect_uri_mismatch"
            | "invalid_scope"
            | "unsupported_grant_type"
            | "unsupported_response_type",
        ) => Failure::misconfigured(why),
        Some("temporarily_unavailable" | "server_error") => Failure::unavailable(why),
        Some(_) => Failure::rejected(why),
        None if status == StatusCode::UNAUTHORIZED => Failure::misconfigured(why),
        None if status == StatusCode::REQUEST_TIMEOUT => Failure::unavailable(why),
        None => Failure::rejected(why),
    };
    failure.saying(&text("error_description").unwrap_or_default(), secrets)
}

fn is_code(code: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=40).contains(&code.len()) && code.bytes().all(is_good)
}

#[cfg(test)]
mod tests {
    use countersign_domain::ports::ProviderError;

    use super::*;

    fn read(status: u16, body: &str) -> Result<Tokens, ProviderError> {
        let reply = Reply {
            status: StatusCode::from_u16(status).unwrap(),
            body: body.to_owned().into(),
        };
        Tokens::read(&reply, &["s3cr3t"]).map_err(ProviderError::from)
    }

    #[test]
    fn only_what_is_used_is_read() {
        for typ in ["Bearer", "bearer", "bEaReR"] {
            let body = format!(
                r#"{{"access_token":"a","token_type":"{typ}","id_token":"i","expires_in":-1e400,"x":[{{}}]}}"#
            );
            let tokens = read(200, &body).ok().unwrap();
            assert_eq!(tokens.access_token.as_deref(), Some("a"));
            assert_eq!(tokens.id_token.as_deref(), Some("i"));
        }
        for body in [
            r#"{"token_type":"mac"}"#,
            r#"{"id_token":1}"#,
            r#"{"id_token":"a","id_token":"b"}"#,
            "<html></html>",
            "",
            "[]",
        ] {
            assert!(
                matches!(read(200, body), Err(ProviderError::Rejected(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn each_refusal_has_its_meaning() {
        for (status, body, kind) in [
            (400, r#"{"error":"invalid_grant"}"#, "rejected"),
            (400, r#"{"error":"invalid_client"}"#, "misconfigured"),
            (
                401,
                r#"{"error":"invalid_client","error_code":"KOE010"}"#,
                "misconfigured",
            ),
            (
                400,
                r#"{"error":"invalid_grant","error_code":"KOE303"}"#,
                "misconfigured",
            ),
            (
                400,
                r#"{"error":"invalid_grant","error_code":"KOE320"}"#,
                "rejected",
            ),
            (400, r#"{"error":"unauthorized_client"}"#, "misconfigured"),
            (400, r#"{"error":"redirect_uri_mismatch"}"#, "misconfigured"),
            (400, r#"{"error":"temporarily_unavailable"}"#, "unavailable"),
            (
                200,
                r#"{"error":"invalid_request","error_description":"x"}"#,
                "rejected",
            ),
            (200, r#"{"error":1,"id_token":"i"}"#, "rejected"),
            (401, "", "misconfigured"),
            (408, "", "unavailable"),
            (404, "<html>", "rejected"),
            (400, "{\"error\":\"\\u001b[31m\"}", "rejected"),
        ] {
            let found = match read(status, body) {
                Err(ProviderError::Rejected(_)) => "rejected",
                Err(ProviderError::Misconfigured(_)) => "misconfigured",
                Err(ProviderError::Unavailable(_)) => "unavailable",
                Err(ProviderError::Unknown(_)) | Ok(_) => "else",
            };
            assert_eq!(found, kind, "{status} {body}");
        }
    }

    #[test]
    fn what_a_provider_says_shows_without_secrets() {
        let body = r#"{"error":"invalid_grant","error_description":"no\u0000 s3cr3t"}"#;
        let Err(error) = read(400, body) else {
            panic!("it is refused")
        };
        assert_eq!(error.to_string(), "answered invalid_grant: no …");
    }
}
