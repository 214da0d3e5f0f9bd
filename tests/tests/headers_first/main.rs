//! A call is judged by its headers before its body is read: whoever has no key,
//! or speaks something else, is answered at once and costs nothing.

mod begun;
mod matrix;

use countersign_proto::RPCS;
use countersign_tests::{Backend, Details, World, eventually, on_a_backend};
use prost::bytes::Bytes;
use tonic::Code;
use tonic::codegen::http::{Request, StatusCode};

use crate::begun::{AT_ONCE, call, connect, http_answer, parts, status_of};

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

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
        let paths = RPCS.iter().map(|rpc| rpc.path).chain([HEALTH, REFLECTION]);
        for path in paths.chain(["/", "/nonsense"]) {
            // One connection may not give up so many requests of all RPCs.
            let line = connect(&world).await;
            for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
                let request = parts(path).method(method).body(()).expect("a request");
                let (status, headers) = http_answer(line.begin(request).await).await;
                assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                assert_eq!(headers["allow"], "POST", "{method} {path}");
                assert_eq!(headers["x-request-id"].len(), 16, "{method} {path}");
            }
            for foreign in ["application/json", "application/grpc-web", "text/plain", ""] {
                let request = Request::post(format!("http://localhost{path}"));
                let request = request.header("x-request-id", "order-66");
                let request = request.header("content-type", foreign).body(());
                let begun = line.begin(request.expect("a request")).await;
                let (status, headers) = http_answer(begun).await;
                assert_eq!(headers["x-request-id"], "order-66", "{foreign} {path}");
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
        for path in [HEALTH, REFLECTION] {
            let request = parts(path).header("grpc-timeout", "200m").body(());
            let status = status_of(line.begin(request.expect("a request")).await).await;
            assert_eq!(status.code(), Code::DeadlineExceeded, "{path} {status:?}");
        }
    });
}

#[test]
fn health_and_reflection_say_what_is_wrong_with_a_message() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = connect(&world).await;
        let reflection_v1alpha = REFLECTION.replace("v1", "v1alpha");
        let watch = HEALTH.replace("Check", "Watch");
        for path in [HEALTH, &watch, REFLECTION, &reflection_v1alpha] {
            for (encoding, sent, is_all, expected) in [
                // The head of a message of 5 KiB, whose bytes need not come.
                (
                    "identity",
                    &[0, 0, 0, 0x14, 0][..],
                    false,
                    Code::ResourceExhausted,
                ),
                ("identity", &[0, 0, 0, 0, 1, 0xff], true, Code::Internal),
                ("identity", &[0, 0, 0, 0, 3, 1], true, Code::Internal),
                ("identity", &[1, 0, 0, 0, 0], true, Code::Internal),
                ("gzip", &[1, 0, 0, 0, 1, 0], true, Code::Internal),
                ("deflate", &[1, 0, 0, 0, 1, 0], true, Code::Unimplemented),
            ] {
                let request = parts(path).header("grpc-encoding", encoding).body(());
                let mut begun = line.begin(request.expect("a request")).await;
                let sent = Bytes::from_static(sent);
                // Whoever was answered already takes no more.
                begun.body.send_data(sent.clone(), is_all).ok();
                let status = status_of(begun).await;
                assert_eq!(
                    status.code(),
                    expected,
                    "{path} {encoding} {sent:?} {status:?}"
                );
            }
        }
    });
}

#[test]
fn more_reflections_than_there_may_be_are_refused() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = connect(&world).await;
        let mut held = Vec::new();
        for _ in 0..8 {
            held.push(line.begin(call(REFLECTION, &[])).await);
        }
        let status = status_of(line.begin(call(REFLECTION, &[])).await).await;
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        assert!(status.metadata().contains_key("x-request-id"), "{status:?}");
    });
}
