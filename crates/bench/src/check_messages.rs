//! The messages of Check: what Envoy asks about the request of a browser, and what is
//! answered by the server and by its floor.

use countersign_proto::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use countersign_proto::envoy::config::core::v3::{HeaderMap, HeaderValue, HeaderValueOption};
use countersign_proto::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use countersign_proto::envoy::service::auth::v3::check_response::HttpResponse;
use countersign_proto::envoy::service::auth::v3::{
    AttributeContext, CheckRequest, CheckResponse, OkHttpResponse,
};
use countersign_proto::google::rpc::Status;
use countersign_proto::v1::Claims;
use countersign_proto::v1::validate_token_response::Verdict;
use prost::Message as _;

use crate::forge::Forged;

/// The question of Envoy about a browser that shows a token, with all of its headers.
pub(crate) fn question(token: &str) -> CheckRequest {
    let authorization = format!("Bearer {token}");
    let headers = [
        (":authority", "shop.example"),
        (":method", "GET"),
        (":path", "/orders?since=2026-11-01"),
        (":scheme", "https"),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("accept-language", "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"),
        ("authorization", &authorization),
        ("cookie", "theme=dark; lang=ko; seen=1732950000"),
        ("referer", "https://shop.example/orders"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/142.0.0.0 Safari/537.36",
        ),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "0e2f8f4c-7f0a-4a0e-9a1f-3f1f6d1f0b8c"),
    ];
    let header = |(key, value): (&str, &str)| HeaderValue {
        key: key.to_owned(),
        value: String::new(),
        raw_value: value.as_bytes().to_vec(),
    };
    let http = HttpRequest {
        method: "GET".into(),
        path: "/orders?since=2026-11-01".into(),
        host: "shop.example".into(),
        scheme: "https".into(),
        protocol: "HTTP/2".into(),
        header_map: Some(HeaderMap {
            headers: headers.into_iter().map(header).collect(),
        }),
        ..HttpRequest::default()
    };
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(Request { http: Some(http) }),
            ..AttributeContext::default()
        }),
    }
}

/// An OK of so many bytes, if so few are possible.
pub(crate) fn bare_answer(bytes: usize) -> CheckResponse {
    let of = |length| {
        let header = HeaderValue {
            key: "x-auth-user".into(),
            value: ".".repeat(length),
            raw_value: Vec::new(),
        };
        CheckResponse {
            status: Some(Status::default()),
            http_response: Some(HttpResponse::OkResponse(OkHttpResponse {
                headers: vec![HeaderValueOption {
                    header: Some(header),
                    append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
                }],
                headers_to_remove: Vec::new(),
            })),
        }
    };
    let fits = |length: &usize| of(*length).encoded_len() <= bytes;
    of((0..=bytes).rev().find(fits).unwrap_or_default())
}

/// What Check answers for a good token.
pub(crate) fn passed(forged: &Forged) -> CheckResponse {
    let claims = match &forged.answer.verdict {
        Some(Verdict::Valid(claims)) => claims.clone(),
        _ => Claims::default(),
    };
    let all = [
        ("x-auth-user", claims.subject),
        ("x-auth-group", claims.group_id),
        ("x-auth-session", claims.session_id),
        ("x-auth-scopes", claims.scopes.join(" ")),
        ("x-auth-roles", claims.roles.join(",")),
        ("x-auth-client", claims.client_id),
    ];
    let (set, unset): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, text)| !text.is_empty());
    let header = |(key, value): (&str, String)| HeaderValueOption {
        header: Some(HeaderValue {
            key: key.to_owned(),
            value,
            raw_value: Vec::new(),
        }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
    };
    let ok = OkHttpResponse {
        headers: set.into_iter().map(header).collect(),
        headers_to_remove: unset.into_iter().map(|(key, _)| key.to_owned()).collect(),
    };
    CheckResponse {
        status: Some(Status::default()),
        http_response: Some(HttpResponse::OkResponse(ok)),
    }
}
