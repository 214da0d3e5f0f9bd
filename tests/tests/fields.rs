//! What numbers in requests mean at their edges: durations as protobuf has them,
//! page sizes as AIP-158 has them.

use countersign_proto::v1;
use countersign_tests::{Backend, Details, World, by_token, email, on_a_backend};
use tonic::Code;

#[test]
fn a_ttl_that_is_no_duration_of_protobuf_is_refused() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        for (seconds, nanos, is_good) in [
            (30, 0, true),
            (60, 999_999_999, true),
            (60, 1_000_000_000, false),
            (60, -1, false),
            (60, i32::MAX, false),
            (60, i32::MIN, false),
            (29, 1_000_000_000, false),
            (3600, 1, false),
            (-60, 0, false),
            (i64::MAX, 999_999_999, false),
        ] {
            let ttl = Some(prost_types::Duration { seconds, nanos });
            let send = v1::SendCodeRequest {
                identifier: Some(email(&world.new_email())),
                purpose: v1::Purpose::SignUp.into(),
                code: "123456".into(),
                ttl,
                ..Default::default()
            };
            let reset = v1::StartPasswordResetRequest {
                identifier: Some(email(&world.new_email())),
                code: "123456".into(),
                ttl,
                ..Default::default()
            };
            let sent = gateway.verifications().send_code(send).await.map(drop);
            let started = gateway.auth().start_password_reset(reset).await;
            for outcome in [sent, started.map(drop)] {
                assert_eq!(
                    outcome.is_ok(),
                    is_good,
                    "{seconds} s {nanos} ns: {outcome:?}"
                );
                if let Err(status) = outcome {
                    assert_eq!(status.code(), Code::InvalidArgument);
                    assert_eq!(Details::of(&status).fields, ["ttl"]);
                }
            }
        }
    });
}

#[test]
fn a_small_request_with_many_faults_has_a_small_answer() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        for count in [64, 4_000] {
            let request = v1::IssueTokensRequest {
                scopes: vec![String::new(); count],
                ..Default::default()
            };
            let refused = world.gateway().auth().issue_tokens(request).await;
            let status = refused.expect_err("no scope is empty");
            assert_eq!(status.code(), Code::InvalidArgument);
            assert!(status.details().len() < 4_096, "{}", status.details().len());
            assert!(status.message().len() < 4_096, "{}", status.message());
            assert!(Details::of(&status).fields.len() <= 21);
        }
    });
}

#[test]
fn a_page_size_beyond_the_largest_is_taken_as_it_and_a_negative_one_is_refused() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let mina = world.sign_up().await;
        let mut tokens = mina.sign_in().await;
        for _ in 0..100 {
            tokens = mina.sign_in().await;
        }
        for (page_size, listed) in [(0, 20), (1, 1), (100, 100), (101, 100), (i32::MAX, 100)] {
            let mut sessions = mina.gateway.sessions();
            let page = sessions.list_sessions(list(&tokens, page_size));
            let page = page.await.expect("a page").into_inner();
            assert_eq!(page.sessions.len(), listed, "{page_size}");
            assert!(!page.next_page_token.is_empty(), "{page_size}");
        }
        for page_size in [-1, i32::MIN] {
            let mut sessions = mina.gateway.sessions();
            let page = sessions.list_sessions(list(&tokens, page_size));
            let status = page.await.expect_err("it is negative");
            assert_eq!(status.code(), Code::InvalidArgument);
            assert_eq!(Details::of(&status).fields, ["page_size"]);
        }
    });
}

fn list(tokens: &v1::Tokens, page_size: i32) -> v1::ListSessionsRequest {
    v1::ListSessionsRequest {
        person: Some(by_token(tokens)),
        page_size,
        page_token: String::new(),
    }
}

#[test]
fn each_call_asks_for_the_identifiers_that_it_takes() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let username = v1::Identifier {
            value: Some(v1::identifier::Value::Username("mina".into())),
        };
        for identifier in [None, Some(v1::Identifier::default()), Some(username)] {
            let send = v1::SendCodeRequest {
                identifier: identifier.clone(),
                purpose: v1::Purpose::SignUp.into(),
                ..Default::default()
            };
            let sign_up = v1::SignUpRequest {
                identifier: identifier.clone(),
                password: "nine lanterns over the harbour".into(),
                ..Default::default()
            };
            let reset = v1::StartPasswordResetRequest {
                identifier,
                ..Default::default()
            };
            let outcomes = [
                gateway.verifications().send_code(send).await.map(drop),
                gateway.auth().sign_up(sign_up).await.map(drop),
                gateway.auth().start_password_reset(reset).await.map(drop),
            ];
            for outcome in outcomes {
                let status = outcome.expect_err("it names no address");
                let told = status.message();
                assert!(
                    told.contains("identifier: must have an email or a phone"),
                    "{told}"
                );
            }
        }
        let grant = v1::issue_tokens_request::Grant::Password(v1::PasswordGrant::default());
        let sign_in = v1::IssueTokensRequest {
            grant: Some(grant),
            ..Default::default()
        };
        let refused = gateway.auth().issue_tokens(sign_in).await;
        let status = refused.expect_err("it names nobody");
        let told = "password.identifier: must have an email, a phone or a username";
        assert!(status.message().contains(told), "{}", status.message());
    });
}
