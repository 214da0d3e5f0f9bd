//! Of REST: that the table is sound, and how messages are read.

use std::collections::BTreeSet;

use bytes::Bytes;
use countersign_client::proto::ClientContext;
use http::Method;
use prost_reflect::{DynamicMessage, ReflectMessage as _};
use serde_json::json;

use super::message::{Filled, fill, read, write};
use super::openapi::document;
use super::table::{Auth, Endpoint, endpoints};
use crate::problem::Problem;

fn endpoint(method: &Method, path: &str) -> &'static Endpoint {
    let found = endpoints()
        .iter()
        .find(|e| e.method == *method && e.path == path);
    found.unwrap()
}

fn read_body(path: &str, body: &'static str) -> Result<DynamicMessage, Problem> {
    read(
        endpoint(&Method::POST, path),
        &Bytes::from_static(body.as_bytes()),
        "",
    )
}

fn read_query(path: &str, query: &str) -> Result<DynamicMessage, Problem> {
    read(endpoint(&Method::GET, path), &Bytes::new(), query)
}

#[test]
fn each_endpoint_names_fields_of_its_message_and_stands_once() {
    let mut places = BTreeSet::new();
    for endpoint in endpoints() {
        let fields = endpoint.rpc.input();
        for part in endpoint.path.split('/') {
            if let Some(name) = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
            {
                assert!(
                    fields.get_field_by_name(name).is_some(),
                    "{}",
                    endpoint.path
                );
            }
        }
        let has = |name| fields.get_field_by_name(name).is_some();
        let says_whose = has("access_token") || has("person");
        match endpoint.auth {
            Auth::Person => assert!(says_whose, "{}", endpoint.path),
            // Nobody vouches for whom such a field names.
            Auth::Nobody => assert!(!has("person") && !has("user_id"), "{}", endpoint.path),
            Auth::Caller => assert!(!says_whose, "{}", endpoint.path),
        }
        assert!(places.insert((endpoint.path, endpoint.method.as_str())));
    }
}

#[test]
fn what_the_gateway_sets_clients_must_not() {
    let address = r#"{"identifier":{"email":"mina@example.com"},"purpose":"PURPOSE_SIGN_IN","#;
    for (path, rest) in [
        ("/v1/verifications", r#""code":"123456"}"#),
        ("/v1/verifications", r#""ttl":"60s"}"#),
        ("/v1/verifications", r#""access_token":"a"}"#),
        (
            "/v1/verifications",
            r#""client_context":{"ip_address":"192.0.2.1"}}"#,
        ),
    ] {
        let body = format!("{address}{rest}").into_bytes();
        let problem = read(endpoint(&Method::POST, path), &Bytes::from(body), "").unwrap_err();
        assert_eq!(
            problem.violations[0].description, "is not for clients to set",
            "{rest}"
        );
    }
    let problem = read_query("/v1/sessions", "person.user_id=a").unwrap_err();
    assert_eq!(problem.violations[0].field, "person");
}

#[test]
fn a_message_stands_in_the_body_or_in_the_query_as_the_method_says() {
    let listed = read_query("/v1/users", "page_size=5&state=USER_STATE_ACTIVE").unwrap();
    assert_eq!(
        listed.get_field_by_name("page_size").unwrap().as_i32(),
        Some(5)
    );
    let sign_up = endpoint(&Method::POST, "/v1/sign-up");
    read(sign_up, &Bytes::new(), "password=secret").unwrap_err();
    read(
        endpoint(&Method::GET, "/v1/users"),
        &Bytes::from_static(b"{}"),
        "",
    )
    .unwrap_err();
    assert_eq!(
        read(sign_up, &Bytes::new(), "").unwrap(),
        read_body("/v1/sign-up", "{}").unwrap()
    );
}

#[test]
fn what_cannot_be_read_is_refused() {
    for body in [
        "[]",
        "{",
        "{} {}",
        r#"{"unknown":1}"#,
        r#"{"proof":"a","proof":"b"}"#,
        r#"{"identifier":{"email":"a@example.com","email":"b@example.com"}}"#,
        r#"{"client_context":1,"clientContext":1}"#,
        r#"{"username":1}"#,
        r#"{"identifier":{"email":"a@example.com","phone":"+821012345678"}}"#,
    ] {
        assert_eq!(
            read_body("/v1/sign-up", body).unwrap_err().reason,
            "FIELD_INVALID",
            "{body}"
        );
    }
    let deep = format!("{}{}", "{\"a\":".repeat(1_000), "}".repeat(1_000));
    let deep = Bytes::from(deep.into_bytes());
    read(endpoint(&Method::POST, "/v1/sign-up"), &deep, "").unwrap_err();
    let dots = format!("filter{}=a", ".a".repeat(100_000));
    for query in [
        "unknown=1",
        "page_size=x",
        "page_size=1&page_size=2",
        "page_size.a=1",
        &dots,
    ] {
        assert_eq!(
            read_query("/v1/users", query).unwrap_err().reason,
            "FIELD_INVALID"
        );
    }
}

#[test]
fn a_request_gets_whose_it_is_and_where_it_comes_from() {
    let mut message = read_query("/v1/sessions/{session_id}", "").unwrap();
    let filled = |access_token: &str| Filled {
        path: vec![("session_id", "s".to_owned())],
        access_token: Some(access_token.to_owned()),
        group_id: "default".to_owned(),
        context: ClientContext {
            ip_address: "192.0.2.1".to_owned(),
            user_agent: "curl".to_owned(),
        },
        request_id: None,
    };
    fill(&mut message, filled("token")).unwrap();
    let expected = json!({"person": {"access_token": "token"}, "session_id": "s"});
    assert_eq!(write(&message).unwrap(), expected);

    let mut message = read_body("/v1/password/change", r#"{"new_password":"a"}"#).unwrap();
    fill(
        &mut message,
        Filled {
            path: Vec::new(),
            ..filled("token")
        },
    )
    .unwrap();
    assert_eq!(message.descriptor().name(), "ChangePasswordRequest");
    let written = write(&message).unwrap();
    assert_eq!(written["access_token"], "token");
    assert_eq!(written["client_context"]["ip_address"], "192.0.2.1");
}

#[test]
fn the_description_has_each_endpoint_under_a_name_of_its_own() {
    let document = document(endpoints());
    let paths = document["paths"].as_object().unwrap();
    let operations = paths
        .values()
        .flat_map(|path| path.as_object().unwrap().values());
    let ids: Vec<&str> = operations
        .map(|o| o["operationId"].as_str().unwrap())
        .collect();
    let distinct: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(
        (ids.len(), distinct.len()),
        (endpoints().len(), endpoints().len())
    );
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
}
