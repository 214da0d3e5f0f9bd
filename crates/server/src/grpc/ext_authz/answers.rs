//! What is answered of a request, in its frame. Answers that let it pass are written
//! without a message of it in between, as there are many.

use countersign_domain::validation::{RequiredAuthentication, VerifiedToken};
use countersign_gateway::{IDENTITY_HEADERS, identity_values};
use countersign_proto::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use countersign_proto::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use countersign_proto::envoy::service::auth::v3::check_response::HttpResponse;
use countersign_proto::envoy::service::auth::v3::{CheckResponse, DeniedHttpResponse};
use countersign_proto::envoy::r#type::v3::{HttpStatus, StatusCode};
use countersign_proto::google::rpc::Status;
use prost::bytes::Bytes;
use prost::encoding::{encode_varint, encoded_len_varint};
use tonic::Code;

use crate::grpc::protocol::HEAD;
use crate::grpc::unary;

/// What a request lacks (RFC 6750, section 3.1; RFC 9470, section 3).
#[derive(Debug)]
pub(super) enum Challenge<'a> {
    /// A token.
    NoToken,
    /// A good one.
    InvalidToken,
    /// One with all of these scopes.
    InsufficientScope(&'a [String]),
    /// One of a person who was authenticated so.
    InsufficientAuthentication(RequiredAuthentication),
}

/// The fields of the answers, with their types: each is a byte.
mod field {
    /// `CheckResponse.status` and `HeaderValueOption.header`, `HeaderValue.key`.
    pub(super) const FIRST: u8 = 1 << 3 | 2;
    /// `CheckResponse.ok_response`.
    pub(super) const OK_RESPONSE: u8 = 3 << 3 | 2;
    /// `OkHttpResponse.headers`, `HeaderValue.value`.
    pub(super) const SECOND: u8 = 2 << 3 | 2;
    /// `OkHttpResponse.headers_to_remove`.
    pub(super) const HEADERS_TO_REMOVE: u8 = 5 << 3 | 2;
    /// `HeaderValueOption.append_action`.
    pub(super) const APPEND_ACTION: u8 = 3 << 3;
}

/// A good token: who it is, and nothing that the request says of it.
pub(super) fn passed(token: &VerifiedToken, look_alikes: &[&str]) -> Bytes {
    let values = identity_values(token.holder_text());
    let headers = || IDENTITY_HEADERS.into_iter().zip(values);
    // What is empty is not set.
    let set = headers().filter(|(_, value)| !value.is_empty());
    let set = set.map(|(name, value)| Header { name, value });
    let unset = headers().filter(|(_, value)| value.is_empty());
    let unset = unset.map(|(name, _)| name);
    ok(set, unset.chain(look_alikes.iter().copied()))
}

/// Nobody: no header tells of anybody.
pub(super) fn anonymous(look_alikes: &[&str]) -> Bytes {
    let all = IDENTITY_HEADERS
        .into_iter()
        .chain(look_alikes.iter().copied());
    ok(std::iter::empty(), all)
}

/// A header that is set.
#[derive(Clone, Copy)]
struct Header<'a> {
    name: &'static str,
    value: &'a [u8],
}

impl Header<'_> {
    /// How long its `HeaderValue` is.
    fn value_len(self) -> usize {
        with_head(self.name.len()) + with_head(self.value.len())
    }

    /// How long its `HeaderValueOption` is.
    fn len(self) -> usize {
        with_head(self.value_len()) + 2
    }

    fn write(self, out: &mut Vec<u8>) {
        head(out, field::FIRST, self.value_len());
        head(out, field::FIRST, self.name.len());
        out.extend_from_slice(self.name.as_bytes());
        head(out, field::SECOND, self.value.len());
        out.extend_from_slice(self.value);
        out.push(field::APPEND_ACTION);
        out.push(HeaderAppendAction::OverwriteIfExistsOrAdd as u8);
    }
}

/// A `CheckResponse` that lets a request pass.
fn ok<'a>(
    set: impl Iterator<Item = Header<'a>> + Clone,
    removed: impl Iterator<Item = &'a str> + Clone,
) -> Bytes {
    let set_len = set.clone().map(|header| with_head(header.len()));
    let removed_len = removed.clone().map(|name| with_head(name.len()));
    let ok_len = set_len.sum::<usize>() + removed_len.sum::<usize>();
    // The status is there, and empty: OK.
    let length = with_head(0) + with_head(ok_len);
    let mut out = Vec::with_capacity(HEAD + length);
    out.push(0);
    // What is answered is far below 4 GiB.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    head(&mut out, field::FIRST, 0);
    head(&mut out, field::OK_RESPONSE, ok_len);
    for header in set {
        head(&mut out, field::SECOND, header.len());
        header.write(&mut out);
    }
    for name in removed {
        head(&mut out, field::HEADERS_TO_REMOVE, name.len());
        out.extend_from_slice(name.as_bytes());
    }
    out.into()
}

/// How long a field is whose value has so many bytes.
fn with_head(length: usize) -> usize {
    1 + encoded_len_varint(length as u64) + length
}

fn head(out: &mut Vec<u8>, field: u8, length: usize) {
    out.push(field);
    encode_varint(length as u64, out);
}

/// The request does not pass.
pub(super) fn denied(challenge: &Challenge<'_>) -> Bytes {
    let (http, code) = match challenge {
        Challenge::InsufficientScope(_) => (StatusCode::Forbidden, Code::PermissionDenied),
        Challenge::NoToken | Challenge::InvalidToken | Challenge::InsufficientAuthentication(_) => {
            (StatusCode::Unauthorized, Code::Unauthenticated)
        }
    };
    let header = HeaderValue {
        key: "www-authenticate".into(),
        value: www_authenticate(challenge),
        raw_value: Vec::new(),
    };
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: http.into() }),
        headers: vec![HeaderValueOption {
            header: Some(header),
            append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        }],
        body: String::new(),
    };
    let response = CheckResponse {
        status: Some(Status {
            code: code.into(),
            message: String::new(),
        }),
        http_response: Some(HttpResponse::DeniedResponse(denied)),
    };
    unary::framed(&response).into()
}

fn www_authenticate(challenge: &Challenge<'_>) -> String {
    match challenge {
        Challenge::NoToken => "Bearer".into(),
        Challenge::InvalidToken => r#"Bearer error="invalid_token""#.into(),
        // No scope has a quotation mark.
        Challenge::InsufficientScope(scopes) => format!(
            r#"Bearer error="insufficient_scope", scope="{}""#,
            scopes.join(" ")
        ),
        Challenge::InsufficientAuthentication(lacking) => {
            let acr = lacking
                .acr
                .map(|acr| format!(r#", acr_values="{}""#, acr.as_str()));
            let age = lacking
                .max_age
                .map(|age| format!(r#", max_age="{}""#, age.as_secs()));
            format!(
                r#"Bearer error="insufficient_user_authentication"{}{}"#,
                acr.unwrap_or_default(),
                age.unwrap_or_default()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_proto::envoy::service::auth::v3::OkHttpResponse;
    use prost::Message as _;

    use super::*;

    fn decoded(framed: &[u8]) -> CheckResponse {
        let length = u32::from_be_bytes(framed[1..HEAD].try_into().expect("four bytes"));
        assert_eq!(length as usize, framed.len() - HEAD);
        CheckResponse::decode(&framed[HEAD..]).expect("an answer")
    }

    #[test]
    fn what_is_written_by_hand_is_the_message() {
        let long = "r".repeat(20_000);
        let header = |name, value| Header { name, value };
        let set = [
            header("x-auth-user", &b"mina"[..]),
            header("x-auth-roles", long.as_bytes()),
        ];
        let removed = ["x-auth-client", "x_auth_user"];
        let written = ok(set.into_iter(), removed.into_iter());
        let option = |key: &str, value: String| HeaderValueOption {
            header: Some(HeaderValue {
                key: key.into(),
                value,
                raw_value: Vec::new(),
            }),
            append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        };
        let expected = OkHttpResponse {
            headers: vec![
                option("x-auth-user", "mina".into()),
                option("x-auth-roles", long),
            ],
            headers_to_remove: removed.map(str::to_owned).into(),
        };
        let answer = decoded(&written);
        assert_eq!(answer.status, Some(Status::default()));
        assert_eq!(
            answer.http_response,
            Some(HttpResponse::OkResponse(expected))
        );
    }

    #[test]
    fn nobody_has_no_header() {
        let answer = decoded(&anonymous(&["x_auth_user"]));
        let Some(HttpResponse::OkResponse(ok)) = answer.http_response else {
            panic!("expected OK");
        };
        assert!(ok.headers.is_empty());
        let (named, look_alikes) = ok.headers_to_remove.split_at(IDENTITY_HEADERS.len());
        assert_eq!(named, IDENTITY_HEADERS);
        assert_eq!(look_alikes, ["x_auth_user"]);
    }

    #[test]
    fn a_challenge_names_what_is_lacking() {
        use std::time::Duration;

        use countersign_token::Acr;

        let lacking = |max_age, acr| {
            Challenge::InsufficientAuthentication(RequiredAuthentication { max_age, acr })
        };
        let scopes = ["a".to_owned(), "b:c".to_owned()];
        let step_up = "Bearer error=\"insufficient_user_authentication\"";
        for (challenge, http, code, header) in [
            (Challenge::NoToken, 401, 16, "Bearer".to_owned()),
            (
                Challenge::InvalidToken,
                401,
                16,
                "Bearer error=\"invalid_token\"".to_owned(),
            ),
            (
                Challenge::InsufficientScope(&scopes),
                403,
                7,
                "Bearer error=\"insufficient_scope\", scope=\"a b:c\"".to_owned(),
            ),
            (
                lacking(Some(Duration::from_secs(60)), Some(Acr::Aal2)),
                401,
                16,
                format!("{step_up}, acr_values=\"aal2\", max_age=\"60\""),
            ),
            (
                lacking(None, Some(Acr::Aal1)),
                401,
                16,
                format!("{step_up}, acr_values=\"aal1\""),
            ),
        ] {
            let answer = decoded(&denied(&challenge));
            assert_eq!(answer.status.expect("a status").code, code, "{header}");
            let Some(HttpResponse::DeniedResponse(denied)) = answer.http_response else {
                panic!("expected a denial");
            };
            assert_eq!(denied.status.expect("a status").code, http, "{header}");
            let [option] = &denied.headers[..] else {
                panic!("one header is expected");
            };
            let told = option.header.as_ref().expect("a header");
            assert_eq!(told.key, "www-authenticate");
            assert_eq!(told.value, header);
        }
    }
}
