//! Every error has the form that the contract gives it: one reason of the
//! contract, all wrong fields at once, the person's language.

use countersign_proto::v1;
use countersign_proto::v1::ErrorReason;
use countersign_tests::{
    Backend, Details, Gateway, PASSWORD, World, email, on_a_backend, reason, username,
};
use prost::Message as _;
use tonic::{Code, Status};

#[test]
fn every_error_carries_one_known_reason_in_the_persons_language() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let mut seen = std::collections::BTreeSet::new();
        for (language, tag) in [
            ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
            ("en", "en"),
            ("fr", "en"),
        ] {
            let gateway = world.gateway().speaking(language);
            for status in some_errors(&world, &gateway).await {
                let details = assert_well_formed(&status);
                let (locale, _) = details.localized.expect("a message for the person");
                assert_eq!(locale, tag);
                seen.insert(details.reason);
            }
        }
        countersign_tests::say!("errors of {} kinds have their form: {seen:?}", seen.len());
        assert!(seen.len() >= 13);
    });
}

#[test]
fn all_wrong_fields_are_named_at_once() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let request = v1::SignUpRequest {
            group_id: "Not A Group".into(),
            identifier: Some(email("nobody")),
            username: "1".into(),
            password: "short".into(),
            proof: "made up".into(),
            client_context: Some(v1::ClientContext {
                ip_address: "300.0.0.1".into(),
                user_agent: "x".repeat(513),
            }),
            federation_token: String::new(),
        };
        let status = gateway
            .auth()
            .sign_up(request)
            .await
            .expect_err("all is wrong");
        let details = assert_well_formed(&status);
        assert_eq!(status.code(), Code::InvalidArgument);
        let expected = [
            "group_id",
            "identifier.email",
            "username",
            "password",
            "proof",
            "client_context.ip_address",
            "client_context.user_agent",
        ];
        assert_eq!(details.fields, expected);
        for field in expected {
            assert!(
                status.message().contains(field),
                "{field} in {}",
                status.message()
            );
        }
    });
}

#[test]
fn absurd_sizes_are_refused() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let megabyte = "x".repeat(1024 * 1024);
        let too_large = [
            gateway.sign_in(email(&megabyte), PASSWORD).await.map(drop),
            gateway.sign_in(username("mina"), &megabyte).await.map(drop),
            gateway.refresh(&megabyte).await.map(drop),
            gateway.validate(&megabyte).await.map(drop),
            gateway.check_code(&megabyte, "123456").await.map(drop),
        ];
        for outcome in too_large {
            let status = outcome.expect_err("too large");
            let details = assert_well_formed(&status);
            assert_eq!(details.reason, "MESSAGE_UNREADABLE", "{status:?}");
        }
        let long = "x".repeat(2_000);
        let too_long = [
            gateway.sign_in(username("mina"), &long).await.map(drop),
            gateway
                .sign_in(email(&format!("{long}@example.com")), PASSWORD)
                .await
                .map(drop),
            gateway
                .send_code(email("mina@example.com"), v1::Purpose::SignUp, &long)
                .await
                .map(drop),
        ];
        for outcome in too_long {
            assert_eq!(reason(&outcome), "FIELD_INVALID");
        }
        let tokens = vec![v1::ValidateTokenRequest::default(); 257];
        let request = v1::ValidateTokensRequest { requests: tokens };
        let status = gateway
            .auth()
            .validate_tokens(request)
            .await
            .expect_err("too many");
        assert_eq!(Details::of(&status).fields, ["requests"]);
        assert_eq!(
            gateway.judge("garbage").await,
            "MALFORMED",
            "the connection lives on"
        );
    });
}

#[test]
fn unknown_rpcs_and_garbage_are_answered() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        for path in [
            "/countersign.v1.AuthService/Nope",
            "/countersign.v1.NoService/ValidateToken",
            "/nonsense/at-all",
        ] {
            let status = gateway.call(path, Vec::new()).await.expect_err("unknown");
            assert_eq!(status.code(), Code::Unimplemented, "{path}");
            assert_eq!(assert_well_formed(&status).reason, "RPC_UNKNOWN", "{path}");
        }
        let mut not_utf8 = vec![0x0a, 0x02];
        not_utf8.extend([0xff, 0xfe]);
        for garbage in [vec![0xff; 64], vec![0x0a, 0xff, 0xff, 0xff, 0x0f], not_utf8] {
            let path = "/countersign.v1.AuthService/ValidateToken";
            let status = gateway.call(path, garbage).await.expect_err("garbage");
            assert_eq!(
                assert_well_formed(&status).reason,
                "MESSAGE_UNREADABLE",
                "{status:?}"
            );
        }
        // Fields that nobody knows yet are a newer caller's, not an error.
        let mut newer = v1::ValidateTokenRequest::default().encode_to_vec();
        newer.extend([0xa2, 0x06, 0x01, b'x']);
        let path = "/countersign.v1.AuthService/ValidateToken";
        gateway.call(path, newer).await.expect("an answer");
    });
}

#[test]
fn a_fault_of_one_call_has_a_request_id() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let mut request = tonic::Request::new(v1::RefreshTokensRequest::default());
        request
            .metadata_mut()
            .insert("x-request-id", "order-66".parse().expect("ASCII"));
        let status = world
            .gateway()
            .auth()
            .refresh_tokens(request)
            .await
            .expect_err("empty");
        let echoed = status.metadata().get("x-request-id");
        assert_eq!(echoed.and_then(|id| id.to_str().ok()), Some("order-66"));
        let status = world.gateway().refresh("").await.expect_err("empty");
        assert!(
            status.metadata().get("x-request-id").is_some(),
            "one is made"
        );
    });
}

/// One error of each kind that a person can cause.
async fn some_errors(world: &World, gateway: &Gateway) -> Vec<Status> {
    let mina = world.sign_up().await.at(gateway);
    let tokens = mina.sign_in().await;
    let ended = mina.sign_in().await;
    gateway.revoke(&ended.access_token).await.expect("ended");
    let newest = gateway
        .refresh(&tokens.refresh_token)
        .await
        .expect("tokens");
    let newest = gateway
        .refresh(&newest.refresh_token)
        .await
        .expect("tokens");
    let to = || email(&mina.email);
    let id = gateway
        .send_code(to(), v1::Purpose::SignUp, "135790")
        .await
        .expect("sent");
    let wrong_code = gateway.check_code(&id, "000000").await;
    let proof = gateway.check_code(&id, "135790").await.expect("a proof");
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    let no_grant = v1::IssueTokensRequest::default();
    let mut errors = vec![
        gateway.sign_in(to(), "wrong guess").await.map(drop),
        gateway.issue_tokens(no_grant).await.map(drop),
        wrong_code.map(drop),
        gateway.check_code(unknown, "000000").await.map(drop),
        gateway
            .sign_up_proven(to(), "", PASSWORD, &proof)
            .await
            .map(drop),
        gateway.sign_in_proven(&proof).await.map(drop),
        gateway.refresh(&ended.refresh_token).await.map(drop),
        gateway.refresh("csr_nonsense").await.map(drop),
        mina.change_password(&newest, "wrong guess", "nine herons on the pier")
            .await,
        mina.sessions(&ended).await.map(drop),
        mina.session(&newest, unknown).await.map(drop),
        gateway.refresh(&tokens.refresh_token).await.map(drop),
        gateway
            .call("/countersign.v1.AuthService/Nope", Vec::new())
            .await
            .map(drop),
        gateway
            .call("/countersign.v1.AuthService/SignUp", vec![0xff])
            .await
            .map(drop),
    ];
    errors.push(taken_username(world, gateway, &mina.username).await);
    errors.push(too_many_codes(world, gateway).await);
    errors
        .into_iter()
        .map(|outcome| outcome.expect_err("an error"))
        .collect()
}

async fn taken_username(world: &World, gateway: &Gateway, name: &str) -> Result<(), Status> {
    let address = world.new_email();
    let proof = gateway
        .prove(email(&address), v1::Purpose::SignUp)
        .await
        .expect("a proof");
    gateway
        .sign_up_proven(email(&address), name, PASSWORD, &proof)
        .await
        .map(drop)
}

async fn too_many_codes(world: &World, gateway: &Gateway) -> Result<(), Status> {
    let address = world.new_email();
    for _ in 0..20 {
        let id = gateway
            .send_code(email(&address), v1::Purpose::SignUp, "135790")
            .await?;
        let outcome = gateway.check_code(&id, "000000").await;
        if reason(&outcome) == "TOO_MANY_ATTEMPTS" {
            return outcome.map(drop);
        }
    }
    Ok(())
}

/// Asserts what is true of every error.
fn assert_well_formed(status: &Status) -> Details {
    let details = Details::of(status);
    assert_eq!(details.infos, 1, "exactly one ErrorInfo: {status:?}");
    assert_eq!(details.domain, "countersign");
    let known = ErrorReason::from_str_name(&format!("ERROR_REASON_{}", details.reason));
    assert!(
        known.is_some_and(|reason| reason != ErrorReason::Unspecified),
        "{status:?}"
    );
    assert!(details.localized.is_some(), "{status:?}");
    let is_field_error = details.reason == "FIELD_INVALID";
    assert_eq!(!details.fields.is_empty(), is_field_error, "{status:?}");
    let says_when = matches!(details.code, Code::ResourceExhausted | Code::Unavailable);
    assert_eq!(details.retry_after.is_some(), says_when, "{status:?}");
    details
}
