//! Who may ask, and how much: proxies are callers like all others, known from the
//! headers of their call.

use std::time::Duration;

use countersign_tests::{Backend, ProxiedRequest, World, on_a_backend, reason, say};
use prost::Message as _;
use tonic::Code;

use crate::{INVALID_TOKEN, NO_TOKEN, decide};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

#[test]
fn a_proxy_needs_a_key_and_one_of_two_roles() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let mina = world.sign_up().await;
        let token = mina.sign_in().await.access_token;
        let request = ProxiedRequest::with_token(&token);
        let open = world.gateway();
        for role in ["service", "gateway"] {
            let proxy = world.new_caller(role, &[role]).await;
            assert!(decide(&proxy, &request).await.passes, "{role}");
        }
        let operator = world.new_caller("operator", &["operator"]).await;
        let refused = operator.check(&request).await;
        assert_eq!(reason(&refused), "CALLER_NOT_PERMITTED");
        // As soon as there is a caller, nobody without a key is answered; and the token
        // of a person is no key.
        assert_eq!(reason(&open.check(&request).await), "CALLER_UNKNOWN");
        for key in ["csk_AAAA", &token] {
            let refused = open.clone().with_key(key).check(&request).await;
            assert_eq!(reason(&refused), "CALLER_UNKNOWN");
        }
        // Nor does a key that is in the request make it the proxy's.
        let key = world.new_key("another", &["service"]).await;
        let request = ProxiedRequest::with_token(&key);
        assert_eq!(reason(&open.check(&request).await), "CALLER_UNKNOWN");
        let proxy = world.new_caller("proxy", &["service"]).await;
        let decision = decide(&proxy, &request).await;
        assert_eq!(decision.in_a_line(), INVALID_TOKEN);
    });
}

#[test]
fn all_headers_that_a_proxy_takes_are_read_and_no_more() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let token = world.sign_up().await.sign_in().await.access_token;
        // As many as Envoy takes by itself, 100 in 60 KiB, in either form.
        let mut full = ProxiedRequest::with_token(&token);
        for number in 0..99 {
            full = full.header(&format!("x-custom-{number}"), &"v".repeat(600));
        }
        for request in [full.clone(), full.raw()] {
            assert!(decide(&gateway, &request).await.passes);
        }
        // A token that is too long has an answer, as with ValidateToken.
        let long = ProxiedRequest::with_token(&"a".repeat(1024 * 1024));
        assert_eq!(decide(&gateway, &long).await.in_a_line(), INVALID_TOKEN);
        let before = world.replica(0).resident_memory();
        let huge = ProxiedRequest::with_token(&token).header("x-huge", &"v".repeat(8 << 20));
        for request in [huge.clone(), huge.clone().raw()] {
            let refused = gateway.check(&request).await;
            assert_eq!(reason(&refused), "MESSAGE_UNREADABLE");
        }
        let stranger = world.new_caller("first", &["service"]).await;
        drop(stranger);
        // Of a stranger none of it is read: it may hear so while it is still sending.
        assert_ne!(reason(&gateway.check(&huge).await), "OK");
        let grown = world.replica(0).resident_memory().saturating_sub(before);
        say!("ext_authz: questions of 8 MB are refused, memory {grown} bytes more");
        assert!(grown < 32 << 20, "{grown}");
    });
}

#[test]
fn what_is_no_question_is_never_let_pass() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let token = world.sign_up().await.sign_in().await.access_token;
        let whole = ProxiedRequest::with_token(&token)
            .header("x_auth_user", "root")
            .question()
            .encode_to_vec();
        let mut outcomes = countersign_tests::Tally::default();
        for at in 0..whole.len() {
            // Cut anywhere, and with any byte damaged.
            let mut damaged = whole.clone();
            damaged[at] ^= 0x11;
            for (message, must_fail) in [(whole[..at].to_vec(), true), (damaged, false)] {
                let answer = gateway.call(CHECK, message).await;
                let outcome = match &answer {
                    Ok(bytes) => {
                        let answer = prost::Message::decode(&bytes[..]).expect("an answer");
                        countersign_tests::Decision::of(answer).in_a_line()
                    }
                    Err(_) => reason(&answer),
                };
                assert!(!(must_fail && outcome == "OK"), "cut at {at}");
                outcomes.add(&outcome);
            }
        }
        say!(
            "ext_authz: {} damaged questions: {outcomes}",
            outcomes.total()
        );
        for (message, expected) in [
            (vec![], NO_TOKEN),
            (vec![0x0a, 0], NO_TOKEN),
            (vec![0x0a, 2, 0x22, 0], NO_TOKEN),
        ] {
            let answer = gateway.call(CHECK, message).await.expect("an answer");
            let answer = prost::Message::decode(&answer[..]).expect("an answer");
            assert_eq!(
                countersign_tests::Decision::of(answer).in_a_line(),
                expected
            );
        }
        // A token twice on the wire is two tokens, though a map would keep one of them.
        let request = ProxiedRequest::with_token(&token)
            .question()
            .encode_to_vec();
        let twice = [request.clone(), request].concat();
        let answer = gateway.call(CHECK, twice).await.expect("an answer");
        let answer = prost::Message::decode(&answer[..]).expect("an answer");
        assert_eq!(
            countersign_tests::Decision::of(answer).in_a_line(),
            INVALID_TOKEN
        );
    });
}

#[test]
fn a_revoked_token_passes_nowhere_any_more() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let mina = world.sign_up().await;
        let gateway = world.gateway();
        for _ in 0..50 {
            let token = mina.sign_in().await.access_token;
            let request = ProxiedRequest::with_token(&token);
            assert!(decide(&gateway, &request).await.passes);
            mina.gateway.revoke(&token).await.expect("revoked");
            let decision = decide(&gateway, &request).await;
            assert_eq!(decision.in_a_line(), INVALID_TOKEN);
        }
        // What a log says of a call is not what a person shows.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let log = world.log().text(0);
        assert!(!log.contains("eyJ"), "{log}");
        let token = mina.sign_in().await.access_token;
        let wrong = ProxiedRequest::with_token(&token).extension("scope", "x");
        let status = gateway.check(&wrong).await.expect_err("a mistake");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(!format!("{status:?}").contains(&token));
        assert!(!world.log().text(0).contains("eyJ"));
    });
}
