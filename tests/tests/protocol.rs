//! What every answer has, whatever the RPC: the id of the request, a place among
//! the counts, and messages read compressed or not.

use std::io::Write as _;
use std::time::Duration;

use countersign_proto::{RPCS, v1};
use countersign_tests::{
    Backend, Details, Http2, Metrics, World, eventually, on_a_backend, reason, say,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;
use prost::bytes::Bytes;
use tonic::codegen::http::{HeaderMap, Request};
use tonic::{Code, Status};

const VALIDATE_TOKEN: &str = "/countersign.v1.AuthService/ValidateToken";
const SIGN_UP: &str = "/countersign.v1.AuthService/SignUp";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const REFLECTION_V1ALPHA: &str = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

/// How long an answer may take.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn every_answer_has_the_id_of_its_request_and_is_counted() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend).set("metrics.listen", metrics.listen());
        let world = world.start().await;
        let line = Http2::connect(world.replica(0).address()).await;
        let (mut answered, mut refused) = (0, 0);
        for rpc in RPCS {
            let empty = message(0, &[]);
            let given = ask(&line, rpc.path, &[("x-request-id", "order-66")], &empty).await;
            assert_eq!(given.id.as_deref(), Some("order-66"), "{}", rpc.path);
            let harmful = ask(&line, rpc.path, &[("x-request-id", "a b")], &empty).await;
            let id = harmful.id.expect("an id of the server's own");
            assert_eq!(id.len(), 16, "{}: {id}", rpc.path);
            let unreadable = ask(&line, rpc.path, &[], &message(0, b"\xff")).await;
            assert_eq!(unreadable.reason(), "MESSAGE_UNREADABLE", "{}", rpc.path);
            assert!(unreadable.id.is_some(), "{}", rpc.path);
            for answer in [&given.status, &harmful.status, &unreadable.status] {
                match answer.code() {
                    Code::Ok => answered += 1,
                    _ => refused += 1,
                }
            }
            let counted = metrics.value(&duration_of(rpc.service, rpc.name)).await;
            assert_eq!(counted, Some(3.0), "{}", rpc.path);
        }
        let unknown = ask(&line, "/countersign.v1.AuthService/SignOut", &[], &[]).await;
        assert_eq!(unknown.reason(), "RPC_UNKNOWN");
        assert!(unknown.id.is_some());
        let series = duration_of("unknown", "unknown");
        assert_eq!(metrics.value(&series).await, Some(1.0));
        say!("{answered} answers and {refused} refusals have an id and are counted");
    });
}

#[test]
fn health_and_reflection_have_the_id_of_their_request_and_are_counted() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend).set("metrics.listen", metrics.listen());
        let world = world.start().await;
        let line = Http2::connect(world.replica(0).address()).await;
        let checked = counter("unary", "grpc.health.v1.Health", "Check", "OK");
        // It is asked when the server starts, too.
        let before = metrics.value(&checked).await.unwrap_or_default();
        let known = message(0, &[]);
        let unknown = message(0, b"\x0a\x06orders");
        let about_auth = message(0, b"\x22\x1acountersign.v1.AuthService");
        for (path, body, code) in [
            (HEALTH, &known, Code::Ok),
            (HEALTH, &unknown, Code::NotFound),
            (REFLECTION, &about_auth, Code::Ok),
            (REFLECTION_V1ALPHA, &about_auth, Code::Ok),
            (REFLECTION, &unknown, Code::InvalidArgument),
            ("/grpc.health.v1.Health/Stop", &known, Code::Unimplemented),
        ] {
            let given = ask(&line, path, &[("x-request-id", "order-66")], body).await;
            assert_eq!(given.status.code(), code, "{path} {:?}", given.status);
            assert_eq!(given.id.as_deref(), Some("order-66"), "{path}");
            let id = ask(&line, path, &[], body).await.id.expect("an id");
            assert_eq!(id.len(), 16, "{path}: {id}");
        }
        let not_grpc = ask_plainly(&line, HEALTH, "text/plain").await;
        assert_eq!(not_grpc.as_deref(), Some("order-66"));
        let counted = metrics.value(&checked).await.unwrap_or_default();
        assert!(counted >= before + 2.0, "{before} {counted}");
        for (service, kind, method, code, calls) in [
            ("grpc.health.v1.Health", "unary", "Check", "NotFound", 2.0),
            (
                "grpc.reflection.v1.ServerReflection",
                "bidi_stream",
                "ServerReflectionInfo",
                "OK",
                2.0,
            ),
            (
                "grpc.reflection.v1.ServerReflection",
                "bidi_stream",
                "ServerReflectionInfo",
                "InvalidArgument",
                2.0,
            ),
            (
                "grpc.reflection.v1alpha.ServerReflection",
                "bidi_stream",
                "ServerReflectionInfo",
                "OK",
                2.0,
            ),
            ("unknown", "unary", "unknown", "Unimplemented", 2.0),
            ("unknown", "unary", "unknown", "Unknown", 1.0),
        ] {
            let series = counter(kind, service, method, code);
            assert_eq!(metrics.value(&series).await, Some(calls), "{series}");
        }
    });
}

#[test]
fn a_watch_that_is_given_up_is_counted_when_it_ends() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend).set("metrics.listen", metrics.listen());
        let world = world.start().await;
        let line = Http2::connect(world.replica(0).address()).await;
        let request = Request::post(format!("http://localhost{WATCH}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        let mut begun = line.begin(request.body(()).expect("a request")).await;
        begun
            .body
            .send_data(message(0, &[]).into(), true)
            .expect("sent");
        let series = counter(
            "server_stream",
            "grpc.health.v1.Health",
            "Watch",
            "Canceled",
        );
        let watched = begun.answer(Duration::from_millis(500)).await;
        assert!(watched.is_none(), "it goes on");
        drop(line);
        let counted = || async { metrics.value(&series).await };
        let (calls, _) = eventually("it is counted", SOON, counted).await;
        assert_eq!(calls, 1.0);
    });
}

#[test]
fn calls_are_counted_by_code_under_the_usual_names() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend).set("metrics.listen", metrics.listen());
        let world = world.start().await;
        let gateway = world.gateway();
        assert_eq!(reason(&gateway.validate("garbage").await), "OK");
        gateway.refresh("").await.expect_err("no token");
        for (name, code) in [
            ("ValidateToken", "OK"),
            ("RefreshTokens", "InvalidArgument"),
        ] {
            let series = counter("unary", "countersign.v1.AuthService", name, code);
            assert_eq!(metrics.value(&series).await, Some(1.0), "{series}");
        }
    });
}

#[test]
fn messages_may_be_compressed_with_gzip_and_nothing_else() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = Http2::connect(world.replica(0).address()).await;
        let question = v1::ValidateTokenRequest {
            access_token: "garbage".into(),
            ..Default::default()
        };
        let gzip_of = |content: &[u8]| message(1, &gzip(content));
        for (encoding, body, expected) in [
            ("gzip", gzip_of(&question.encode_to_vec()), Code::Ok),
            ("gzip", message(0, &question.encode_to_vec()), Code::Ok),
            ("identity", message(0, &question.encode_to_vec()), Code::Ok),
            ("gzip", message(1, b"plain"), Code::InvalidArgument),
            // Compressed, and it is not said how.
            (
                "identity",
                gzip_of(&question.encode_to_vec()),
                Code::InvalidArgument,
            ),
            ("deflate", message(1, b"?"), Code::Unimplemented),
        ] {
            for path in [VALIDATE_TOKEN, HEALTH] {
                if path == HEALTH && expected != Code::Unimplemented {
                    continue;
                }
                let answer = ask(&line, path, &[("grpc-encoding", encoding)], &body).await;
                assert_eq!(answer.status.code(), expected, "{path} {encoding} {body:?}");
                if expected == Code::Unimplemented {
                    let known = answer.headers.get("grpc-accept-encoding");
                    assert_eq!(known.expect("what is known"), "identity,gzip");
                }
            }
        }
        let asked = ask(&line, HEALTH, &[("grpc-encoding", "gzip")], &gzip_of(&[])).await;
        assert_eq!(asked.status.code(), Code::Ok);
    });
}

#[test]
fn a_bomb_of_gzip_is_refused_by_its_size_and_takes_no_memory() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = Http2::connect(world.replica(0).address()).await;
        let before = world.replica(0).resident_memory();
        // 50 KB each.
        let bomb = message(1, &gzip(&vec![0; 50 << 20]));
        let mut refused = 0;
        for _ in 0..20 {
            for path in [SIGN_UP, VALIDATE_TOKEN, HEALTH] {
                let answer = ask(&line, path, &[("grpc-encoding", "gzip")], &bomb).await;
                assert_ne!(answer.status.code(), Code::Ok, "{path}");
                if path != HEALTH {
                    assert_eq!(answer.reason(), "MESSAGE_UNREADABLE", "{path}");
                }
                refused += 1;
            }
        }
        let grown = world.replica(0).resident_memory().saturating_sub(before);
        say!("bombs of 50 MB: {refused} of {refused} refused, memory {grown} bytes more");
        assert!(grown < 32 << 20, "{grown}");
    });
}

#[test]
fn what_follows_the_one_message_of_a_call_is_refused() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let line = Http2::connect(world.replica(0).address()).await;
        for rpc in RPCS {
            for second in [message(0, &[]), message(0, b"\x0a\x01a"), vec![0]] {
                let body = [message(0, &[]), second].concat();
                let answer = ask(&line, rpc.path, &[], &body).await;
                assert_eq!(answer.reason(), "MESSAGE_UNREADABLE", "{}", rpc.path);
            }
        }
    });
}

#[test]
fn the_largest_question_that_the_contract_allows_is_answered() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let mut auth = world.gateway().auth();
        let of = |bytes: usize| v1::ValidateTokenRequest {
            access_token: "a".repeat(bytes),
            audience: "b".repeat(256),
            required_scopes: vec!["c".repeat(16); 32],
            ..Default::default()
        };
        let requests = vec![of(8_192); 256];
        let answers = auth
            .validate_tokens(v1::ValidateTokensRequest { requests })
            .await;
        assert_eq!(answers.expect("answers").get_ref().responses.len(), 256);
        // One that is too long is rejected, and spoils nothing for the others.
        let requests = vec![of(300_000), of(8)];
        let answers = auth
            .validate_tokens(v1::ValidateTokensRequest { requests })
            .await;
        assert_eq!(answers.expect("answers").get_ref().responses.len(), 2);
        auth.validate_token(of(300_000)).await.expect("an answer");
    });
}

/// What came of a call.
struct Answered {
    headers: HeaderMap,
    id: Option<String>,
    status: Status,
}

impl Answered {
    fn reason(&self) -> String {
        Details::of(&self.status).reason
    }
}

/// Sends a body, and reads the answer.
async fn ask(line: &Http2, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
    let mut request = Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut begun = line.begin(request.body(()).expect("a request")).await;
    // Whoever was answered already takes no more.
    begun
        .body
        .send_data(Bytes::copy_from_slice(body), true)
        .ok();
    let (head, trailers) = begun.answer(SOON).await.expect("an answer");
    let headers = head.into_parts().0.headers;
    let id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let status = Status::from_header_map(&headers).or_else(|| Status::from_header_map(&trailers));
    Answered {
        id: id.map(str::to_owned),
        status: status.expect("a status"),
        headers,
    }
}

/// A message in gRPC's frame.
fn message(flag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("short");
    [&[flag], &length.to_be_bytes()[..], content].concat()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

/// The id of a request that is not gRPC, as the answer has it.
async fn ask_plainly(line: &Http2, path: &str, content_type: &str) -> Option<String> {
    let request = Request::post(format!("http://localhost{path}"))
        .header("content-type", content_type)
        .header("x-request-id", "order-66");
    let begun = line.begin(request.body(()).expect("a request")).await;
    let (head, _) = begun.answer(SOON).await.expect("an answer");
    let id = head.headers().get("x-request-id")?;
    id.to_str().ok().map(str::to_owned)
}

/// The series of how many calls ended so.
fn counter(kind: &str, service: &str, method: &str, code: &str) -> String {
    format!(
        "grpc_server_handled_total{{grpc_type=\"{kind}\",grpc_service=\"{service}\",\
         grpc_method=\"{method}\",grpc_code=\"{code}\"}}"
    )
}

/// The series of how many calls of an RPC were timed.
fn duration_of(service: &str, method: &str) -> String {
    format!(
        "grpc_server_handling_seconds_count{{grpc_type=\"unary\",grpc_service=\"{service}\",\
         grpc_method=\"{method}\"}}"
    )
}
