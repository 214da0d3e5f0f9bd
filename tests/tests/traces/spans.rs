//! What the span of a call tells, and which trace it belongs to.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Collector, Http2, PATIENCE, ReceivedSpan, World, email, eventually, on_a_backend,
};
use tokio::time::timeout;
use tonic::Request;
use tonic::codegen::http;

use crate::traced::{PARENT, TRACE, ask, kept, world};

/// A trace of a caller who does not keep it.
const DROPPED: &str = "00-11111111111111111111111111111111-2222222222222222-00";

#[test]
fn a_call_is_a_span_below_that_of_its_caller() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        let world = world(backend, &collector).await;
        let gateway = world.new_caller("shop", &["service", "gateway"]).await;

        let mut request = Request::new(v1::RefreshTokensRequest {
            refresh_token: "garbage".into(),
            client_context: None,
        });
        let metadata = request.metadata_mut();
        metadata.insert("traceparent", kept().parse().expect("ASCII"));
        metadata.insert("tracestate", "vendor=opaque".parse().expect("ASCII"));
        metadata.insert("x-request-id", "request-7".parse().expect("ASCII"));
        let refused = gateway.auth().refresh_tokens(request).await;
        refused.expect_err("no token");
        ask(&gateway, &kept()).await.expect("an answer");

        let [refresh, validate] = two_of_the_trace(&collector).await;
        assert_eq!(refresh.name, "countersign.v1.AuthService/RefreshTokens");
        assert_eq!(validate.name, "countersign.v1.AuthService/ValidateToken");
        for span in [&refresh, &validate] {
            assert_eq!(span.parent, PARENT);
            assert!(span.is_of_a_server && !span.is_error, "{span:?}");
            assert!(span.nanos > 0, "{span:?}");
            for (attribute, value) in [
                ("service.name", "countersign"),
                ("service.version", env!("CARGO_PKG_VERSION")),
                ("rpc.system", "grpc"),
                ("rpc.service", "countersign.v1.AuthService"),
                ("countersign.caller", "shop"),
                ("client.address", "127.0.0.1"),
            ] {
                assert_eq!(span.attribute(attribute), value, "{attribute}");
            }
        }
        assert_eq!(refresh.trace_state, "vendor=opaque");
        assert_eq!(refresh.attribute("rpc.method"), "RefreshTokens");
        assert_eq!(refresh.attribute("rpc.grpc.status_code"), "16");
        assert_eq!(refresh.attribute("countersign.request_id"), "request-7");
        assert_eq!(validate.attribute("rpc.grpc.status_code"), "0");

        let field = format!("\"trace_id\":\"{TRACE}\"");
        let is_logged = || async {
            let log = world.log().text(0);
            let of_call = |rpc| {
                let mut lines = log.lines().filter(|line| line.contains(&field));
                lines.any(|line| line.contains(rpc))
            };
            (of_call("\"RefreshTokens\"") && of_call("\"ValidateToken\"")).then_some(())
        };
        eventually("the log names the trace", PATIENCE, is_logged).await;
    });
}

#[test]
fn a_call_that_is_refused_by_its_headers_is_a_span_too() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        let world = world(backend, &collector).await;
        let service = world.new_caller("shop", &["service"]).await;
        let stranger = world.gateway();
        ask(&stranger, &kept()).await.expect_err("no key");
        let line = Http2::connect(world.replica(0).address()).await;
        let unknown = line.begin(call("/countersign.v1.AuthService/S3cret"));
        let unknown = unknown.await.answer(PATIENCE).await;
        unknown.expect("an answer");
        service.refresh("garbage").await.expect_err("a service");

        let unauthenticated = collector.find(|span| span.trace_id == TRACE).await;
        assert_eq!(unauthenticated.attribute("rpc.grpc.status_code"), "16");
        assert_eq!(unauthenticated.attribute("countersign.caller"), "");
        assert!(!unauthenticated.is_error);
        let forbidden = collector.find(|span| has_code(span, "7")).await;
        assert_eq!(forbidden.name, "countersign.v1.AuthService/RefreshTokens");
        assert_eq!(forbidden.attribute("countersign.caller"), "shop");
        let unimplemented = collector.find(|span| has_code(span, "12")).await;
        assert_eq!(unimplemented.name, "unknown");
        assert!(unimplemented.is_error);
    });
}

#[test]
fn a_caller_decides_whether_its_trace_is_kept() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        let world = world(backend, &collector).await;
        let gateway = world.gateway();
        ask(&gateway, DROPPED).await.expect("an answer");
        ask(&gateway, &kept()).await.expect("an answer");
        let spans = collector.has(1).await;
        assert!(
            spans.iter().all(|span| span.trace_id == TRACE),
            "{spans:#?}"
        );

        // Of those that begin here, none.
        let keeping_none = World::on(backend)
            .set("traces.endpoint", collector.endpoint())
            .set("traces.sample_ratio", 0.0)
            .start()
            .await;
        let gateway = keeping_none.gateway();
        gateway
            .validate("garbage")
            .await
            .expect("an answer")
            .expect_err("a rejection");
        ask(&gateway, &kept()).await.expect("an answer");
        let spans = collector.has(2).await;
        assert!(
            spans.iter().all(|span| span.trace_id == TRACE),
            "{spans:#?}"
        );
    });
}

#[test]
fn an_invalid_context_is_ignored() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        let world = world(backend, &collector).await;
        let gateway = world.gateway();
        for invalid in ["garbage", "0-1-1-1", &kept().to_uppercase()] {
            ask(&gateway, invalid).await.expect("an answer");
        }
        let spans = collector.has(3).await;
        for span in spans {
            assert_eq!(span.parent, "", "{span:?}");
            assert_eq!(span.trace_id.len(), 32, "{span:?}");
            assert_ne!(span.trace_id, format!("{:032x}", 1), "{span:?}");
        }
    });
}

#[test]
fn a_call_whose_caller_goes_away_is_a_cancelled_span() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        // Comparing a password takes longer than callers wait.
        let world = World::on(backend)
            .set("traces.endpoint", collector.endpoint())
            .set("passwords.memory_kib", 65_536)
            .set("passwords.iterations", 10)
            .start()
            .await;
        let gateway = world.gateway();
        let calling = async {
            loop {
                let call = gateway.sign_in(email("mina@example.com"), "a password");
                let _ = timeout(Duration::from_millis(50), call).await;
            }
        };
        let cancelled = collector.find(|span| has_code(span, "1"));
        let cancelled = tokio::select! {
            span = cancelled => span,
            () = calling => unreachable!("it calls until then"),
        };
        assert_eq!(cancelled.name, "countersign.v1.AuthService/IssueTokens");
        assert_eq!(cancelled.attribute("countersign.caller"), "local");
        assert!(!cancelled.is_error, "{cancelled:?}");
    });
}

fn has_code(span: &ReceivedSpan, code: &str) -> bool {
    span.attribute("rpc.grpc.status_code") == code
}

fn call(path: &str) -> http::Request<()> {
    let call = http::Request::post(format!("http://localhost{path}"));
    let call = call.header("content-type", "application/grpc");
    call.body(()).expect("a request")
}

/// The first two spans of [`TRACE`], in the order in which they were made.
async fn two_of_the_trace(collector: &Collector) -> [ReceivedSpan; 2] {
    let found = || async {
        let spans = collector.spans().into_iter();
        let spans: Vec<_> = spans.filter(|span| span.trace_id == TRACE).collect();
        spans.try_into().ok()
    };
    eventually("two spans of the trace", PATIENCE, found)
        .await
        .0
}
