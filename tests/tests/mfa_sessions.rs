//! MFA sessions as a gateway sees them: what is in the tokens, what is refused
//! and why.

use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::create_mfa_session_request::User;
use countersign_tests::{Backend, Tally, World, by_token, crowd, email, on_every_backend, reason};

on_every_backend!(
    the_tokens_say_how_and_for_what_the_person_signed_in,
    a_code_is_sent_to_the_address_of_the_user,
    what_is_not_answerable_is_refused,
    what_is_wrong_in_a_request_is_named,
    a_restart_forgets_what_is_kept_in_the_process_alone,
    calls_that_race_leave_one_session_alive,
    what_was_begun_ends_with_all_sessions,
);

const CODE: &str = "dk92kdks";

fn request(user: User) -> v1::CreateMfaSessionRequest {
    v1::CreateMfaSessionRequest {
        user: Some(user),
        code: CODE.into(),
        ..Default::default()
    }
}

async fn the_tokens_say_how_and_for_what_the_person_signed_in(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let other = world.replica(world.replicas().len() - 1).gateway();
    let user_id = mina.sign_in().await.user_id;
    let id = mina
        .gateway
        .ask_for_mfa(v1::CreateMfaSessionRequest {
            client_context: Some(v1::ClientContext {
                ip_address: "192.0.2.7".into(),
                user_agent: "a test".into(),
            }),
            ttl: Some(Duration::from_secs(300).try_into().expect("a duration")),
            ..request(User::UserId(user_id.clone()))
        })
        .await
        .expect("an MFA session");
    let tokens = other.validate_mfa(&id, CODE).await.expect("tokens");
    assert_eq!(tokens.user_id, user_id);
    let claims = other.validate(&tokens.access_token).await.expect("judged");
    let claims = claims.expect("valid");
    assert_eq!(claims.authentication_methods, ["otp"]);
    let at = |time: Option<prost_types::Timestamp>| time.expect("a time").seconds;
    let since = at(claims.issue_time) - at(claims.authentication_time);
    assert!((0..=1).contains(&since), "{since} s");
    other
        .refresh(&tokens.refresh_token)
        .await
        .expect("refreshed");
    let again = other.validate_mfa(&id, CODE).await;
    assert_eq!(reason(&again), "MFA_SESSION_NOT_FOUND");
}

async fn a_code_is_sent_to_the_address_of_the_user(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let user_id = mina.sign_in().await.user_id;
    for user in [
        User::Identifier(email(&mina.email)),
        User::UserId(user_id.clone()),
    ] {
        let request = v1::CreateMfaSessionRequest {
            code: String::new(),
            ..request(user)
        };
        let id = mina.gateway.ask_for_mfa(request).await.expect("created");
        let code = world.read_code(&mina.email).await;
        let tokens = mina.gateway.validate_mfa(&id, &code).await.expect("tokens");
        assert_eq!(tokens.user_id, user_id);
    }
}

async fn what_is_not_answerable_is_refused(backend: Backend) {
    let world = World::start(backend, 1).await;
    let (mina, nobody) = (world.sign_up().await, world.new_email());
    let gateway = &mina.gateway;
    let mut refused = Tally::default();

    let first = gateway.create_mfa(email(&mina.email), CODE).await;
    let first = first.expect("created");
    let group = gateway.validate_mfa_in("staff", &first, CODE).await;
    refused.add(&format!("another group: {}", reason(&group)));
    let second = gateway.create_mfa(email(&mina.email), CODE).await;
    let second = second.expect("created");
    let replaced = gateway.validate_mfa(&first, CODE).await;
    refused.add(&format!("replaced: {}", reason(&replaced)));
    let wrong = gateway.validate_mfa(&second, "wrong").await;
    refused.add(&format!("wrong: {}", reason(&wrong)));
    gateway.validate_mfa(&second, CODE).await.expect("tokens");

    let id = gateway.create_mfa(email(&nobody), CODE).await;
    let id = id.expect("the answer does not tell");
    let wrong = gateway.validate_mfa(&id, "wrong").await;
    refused.add(&format!("wrong, of nobody: {}", reason(&wrong)));
    let right = gateway.validate_mfa(&id, CODE).await;
    refused.add(&format!("right, of nobody: {}", reason(&right)));
    let unknown = format!("csm_{}", "A".repeat(43));
    let unknown = gateway.validate_mfa(&unknown, CODE).await;
    refused.add(&format!("unknown: {}", reason(&unknown)));

    countersign_tests::say!("MFA sessions on {backend}: {refused}");
    refused.assert_only(&[
        "another group: MFA_SESSION_NOT_FOUND",
        "replaced: MFA_SESSION_NOT_FOUND",
        "wrong: CODE_WRONG",
        "wrong, of nobody: CODE_WRONG",
        "right, of nobody: SIGN_IN_REFUSED",
        "unknown: MFA_SESSION_NOT_FOUND",
    ]);
}

async fn what_is_wrong_in_a_request_is_named(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let good = || request(User::Identifier(email("mina@example.com")));
    let seconds = |seconds| prost_types::Duration { seconds, nanos: 0 };
    let wrong = [
        v1::CreateMfaSessionRequest {
            user: None,
            ..good()
        },
        request(User::UserId("userId1".into())),
        v1::CreateMfaSessionRequest {
            code: "123".into(),
            ..good()
        },
        v1::CreateMfaSessionRequest {
            channel: 7,
            ..good()
        },
        v1::CreateMfaSessionRequest {
            channel: v1::MfaChannel::Phone.into(),
            ..good()
        },
        v1::CreateMfaSessionRequest {
            ttl: Some(seconds(29)),
            ..good()
        },
        v1::CreateMfaSessionRequest {
            ttl: Some(seconds(3601)),
            ..good()
        },
        v1::CreateMfaSessionRequest {
            audience: "elsewhere".into(),
            ..good()
        },
        v1::CreateMfaSessionRequest {
            scopes: vec!["unheard.of".into()],
            ..good()
        },
        v1::CreateMfaSessionRequest {
            group_id: "userGroup1".into(),
            ..good()
        },
    ];
    for (number, wrong) in wrong.into_iter().enumerate() {
        let refused = gateway.ask_for_mfa(wrong).await;
        assert_eq!(reason(&refused), "FIELD_INVALID", "number {number}");
    }
    for (id, code) in [("", CODE), ("code:userId1", CODE), ("csm_", "")] {
        let refused = gateway.validate_mfa(id, code).await;
        assert_eq!(reason(&refused), "FIELD_INVALID", "{id}");
    }
}

async fn a_restart_forgets_what_is_kept_in_the_process_alone(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let created = mina.gateway.create_mfa(email(&mina.email), CODE).await;
    let id = created.expect("created");
    let replica = world.replica(0);
    replica.restart().await;
    let answered = replica.gateway().validate_mfa(&id, CODE).await;
    let expected = match backend {
        Backend::Sqlite => "MFA_SESSION_NOT_FOUND",
        _ => "OK",
    };
    assert_eq!(reason(&answered), expected);
}

async fn calls_that_race_leave_one_session_alive(backend: Backend) {
    const CROWD: usize = 64;
    let world = World::start(backend, backend.replicas()).await;
    let (gateways, mina) = (world.gateways(4), world.sign_up().await);
    let created = crowd(CROWD, |member| {
        let gateway = gateways[member % gateways.len()].clone();
        let address = mina.email.clone();
        async move { gateway.create_mfa(email(&address), CODE).await }
    })
    .await;
    let tally = Tally::of(&created);
    tally.assert_only(&["OK", "TOO_MANY_MESSAGES"]);
    let mut answered = Tally::default();
    for id in created.into_iter().flatten() {
        answered.add(&reason(&gateways[0].validate_mfa(&id, CODE).await));
    }
    countersign_tests::say!(
        "MFA sessions on {backend}, {} replica(s): {CROWD} of one user created at once: {tally}; \
         answered with the right code: {answered}",
        world.replicas().len(),
    );
    answered.assert_only(&["OK", "MFA_SESSION_NOT_FOUND"]);
    assert_eq!(answered.count("OK"), 1);
}

/// On the replica that has begun it and on another.
async fn what_was_begun_ends_with_all_sessions(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let enrolled = mina.enroll(&tokens).await;
    let elsewhere = mina.at(&world.replica(world.replicas().len() - 1).gateway());
    for (keep_current, code) in [true, false].into_iter().zip(&enrolled.recovery_codes) {
        let asked = mina.begin_sign_in().await.expect("a question");
        let kept = mina.gateway.create_mfa(email(&mina.email), CODE).await;
        let revoke = v1::RevokeUserSessionsRequest {
            person: Some(by_token(&tokens)),
            keep_current,
        };
        let mut sessions = elsewhere.gateway.sessions();
        let revoked = sessions.revoke_user_sessions(revoke).await;
        revoked.expect("ended");
        for at in [&mina, &elsewhere] {
            let late = at.answer(&asked.mfa_session_id, code).await;
            assert_eq!(reason(&late), "MFA_SESSION_NOT_FOUND");
        }
        let late = mina.gateway.validate_mfa(&kept.expect("kept"), CODE).await;
        assert_eq!(reason(&late), "MFA_SESSION_NOT_FOUND");
        let asked = mina.begin_sign_in().await.expect("a question");
        let answered = elsewhere.answer(&asked.mfa_session_id, code).await;
        answered.expect("it was not used");
    }
}
