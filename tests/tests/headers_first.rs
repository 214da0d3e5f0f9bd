//! A call is judged by its headers before its body is read: whoever has no key,
//! or speaks something else, is answered at once and costs nothing.

use std::time::Duration;

use countersign_proto::{RPCS, v1};
use countersign_tests::{
    Backend, Details, Http2, Unfinished, World, eventually, on_a_backend, say,
};
use prost::bytes::Bytes;
use tonic::codegen::http::header::AUTHORIZATION;
use tonic::codegen::http::{HeaderMap, Request, StatusCode, request};
use tonic::{Code, Status};

/// How long an answer may take that needs no body.
const AT_ONCE: Duration = Duration::from_secs(2);

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

#[test]
fn without_a_key_no_body_is_waited_for() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        world.new_caller("shop", &["service"]).await;
        let shop = world.new_key("other-shop", &["service"]).await;
        let line = connect(&world).await;
        let mut refused = 0;
        for rpc in RPCS {
            let stranger = "csk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
            for keys in [&[][..], &[stranger], &[&*shop, stranger], &[&*shop, &*shop]] {
                let (code, reason) = refusal(line.begin(call(rpc.path, keys)).await).await;
                assert_eq!(code, Code::Unauthenticated, "{} {keys:?}", rpc.path);
                assert_eq!(reason, "CALLER_UNKNOWN", "{}", rpc.path);
                refused += 1;
            }
        }
        say!("unfinished calls without a key: {refused} of {refused} refused at once");
    });
}

#[test]
fn without_the_role_no_body_is_waited_for() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = connect(&world).await;
        let mut counts = [0, 0];
        for role in ["service", "gateway", "operator"] {
            world.new_caller(&format!("known-{role}"), &[role]).await;
            let key = world.new_key(role, &[role]).await;
            knows(&line, &key).await;
            for rpc in RPCS {
                let begun = line.begin(call(rpc.path, &[&key])).await;
                if is_permitted(rpc.roles, role) {
                    // The body is waited for.
                    let answer = begun.answer(Duration::from_millis(60)).await;
                    assert!(answer.is_none(), "{role} {}", rpc.path);
                    counts[0] += 1;
                } else {
                    let (code, reason) = refusal(begun).await;
                    assert_eq!(code, Code::PermissionDenied, "{role} {}", rpc.path);
                    assert_eq!(reason, "CALLER_NOT_PERMITTED", "{role} {}", rpc.path);
                    counts[1] += 1;
                }
            }
        }
        let [permitted, refused] = counts;
        assert_eq!(permitted + refused, 3 * RPCS.len());
        say!("callers by role: {permitted} calls permitted, {refused} refused, 0 unexpected");
    });
}

#[test]
fn a_refusal_is_logged_with_who_was_refused_and_where_it_came_from() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let shop = world.new_caller("shop", &["service"]).await;
        shop.refresh("any").await.expect_err("a service");
        let refused = || async {
            let log = world.log().text(0);
            let line = log.lines().find(|line| line.contains("PermissionDenied"))?;
            serde_json::from_str::<serde_json::Value>(line).ok()
        };
        let (line, _) = eventually("it is logged", AT_ONCE, refused).await;
        assert_eq!(line["rpc"], "RefreshTokens");
        assert_eq!(line["caller"], "shop");
        let peer = line["peer"].as_str().unwrap_or_default();
        assert!(peer.parse::<std::net::SocketAddr>().is_ok(), "{line}");
    });
}

#[test]
fn what_is_not_grpc_has_an_answer_of_http() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = connect(&world).await;
        let paths = RPCS.iter().map(|rpc| rpc.path).chain([HEALTH, REFLECTION]);
        for path in paths.chain(["/", "/nonsense"]) {
            for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
                let request = parts(path).method(method).body(()).expect("a request");
                let (status, headers) = http_answer(line.begin(request).await).await;
                assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                assert_eq!(headers["allow"], "POST", "{method} {path}");
            }
            for foreign in ["application/json", "application/grpc-web", "text/plain", ""] {
                let request = Request::post(format!("http://localhost{path}"));
                let request = request.header("content-type", foreign).body(());
                let (status, _) = http_answer(line.begin(request.expect("a request")).await).await;
                assert_eq!(
                    status,
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "{foreign} {path}"
                );
            }
        }
    });
}

#[test]
fn a_body_that_does_not_come_ends_with_the_callers_time() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = connect(&world).await;
        for path in RPCS.iter().map(|rpc| rpc.path) {
            let request = parts(path).header("grpc-timeout", "200m").body(());
            let begun = line.begin(request.expect("a request")).await;
            let status = status_of(begun).await;
            assert_eq!(status.code(), Code::DeadlineExceeded, "{path} {status:?}");
            let details = Details::of(&status);
            assert_eq!(
                (details.infos, &*details.reason),
                (1, "DEADLINE_EXCEEDED"),
                "{path}"
            );
            assert!(status.metadata().contains_key("x-request-id"), "{path}");
        }
        let request = parts(HEALTH).header("grpc-timeout", "200m").body(());
        let status = status_of(line.begin(request.expect("a request")).await).await;
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
        let request = parts(REFLECTION).header("grpc-timeout", "200m").body(());
        ends(line.begin(request.expect("a request")).await).await;
    });
}

#[test]
fn health_and_reflection_take_small_messages_only() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = connect(&world).await;
        // The head of a message of 5 KiB, whose bytes need not come.
        let head = Bytes::from_static(&[0, 0, 0, 0x14, 0]);
        for path in [HEALTH, "/grpc.health.v1.Health/Watch"] {
            let mut begun = line.begin(call(path, &[])).await;
            begun.body.send_data(head.clone(), false).expect("sent");
            let status = status_of(begun).await;
            assert_eq!(status.code(), Code::OutOfRange, "{path} {status:?}");
        }
        let mut begun = line.begin(call(REFLECTION, &[])).await;
        begun.body.send_data(head, false).expect("sent");
        ends(begun).await;
    });
}

async fn connect(world: &World) -> Http2 {
    Http2::connect(world.replica(0).address()).await
}

/// Waits until the server knows this key.
async fn knows(line: &Http2, key: &str) {
    eventually("the caller is known", AT_ONCE * 5, || async {
        let begun = line.begin(call(RPCS[0].path, &[key])).await;
        let known = match begun.answer(Duration::from_millis(60)).await {
            None => true,
            Some((head, _)) => {
                let status = Status::from_header_map(head.headers());
                status.is_some_and(|status| status.code() == Code::PermissionDenied)
            }
        };
        known.then_some(())
    })
    .await;
}

fn is_permitted(roles: &[v1::CallerRole], role: &str) -> bool {
    let name = format!("CALLER_ROLE_{}", role.to_uppercase());
    roles
        .iter()
        .any(|permitted| permitted.as_str_name() == name)
}

fn parts(path: &str) -> request::Builder {
    Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}

fn call(path: &str, keys: &[&str]) -> Request<()> {
    let mut request = parts(path);
    for key in keys {
        request = request.header(AUTHORIZATION, format!("Bearer {key}"));
    }
    request.body(()).expect("a request")
}

async fn http_answer(begun: Unfinished) -> (StatusCode, HeaderMap) {
    let (head, _) = begun.answer(AT_ONCE).await.expect("an answer at once");
    (head.status(), head.headers().clone())
}

/// The status, which comes in the headers or in the trailers.
async fn status_of(begun: Unfinished) -> Status {
    let (head, trailers) = begun.answer(AT_ONCE).await.expect("an answer at once");
    let status = Status::from_header_map(head.headers());
    let status = status.or_else(|| Status::from_header_map(&trailers));
    status.expect("a status")
}

/// Waits for the end of a stream, of which the library for reflection does not
/// tell why it ended.
async fn ends(begun: Unfinished) {
    begun.answer(AT_ONCE).await.expect("an end at once");
}

async fn refusal(begun: Unfinished) -> (Code, String) {
    let status = status_of(begun).await;
    let details = Details::of(&status);
    assert_eq!(details.infos, 1, "{status:?}");
    (status.code(), details.reason)
}
