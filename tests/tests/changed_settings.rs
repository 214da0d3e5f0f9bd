//! A server that is started again with other audiences, scopes or another
//! issuer: what it issued before is judged by today's settings, and whoever holds
//! a token of ours can end its session.

use countersign_proto::v1::{self, issue_tokens_request::Grant};
use countersign_tests::{
    Backend, Gateway, Issuer, PASSWORD, Person, Shown, UNDO_LINK, World, email, on_every_backend,
    on_every_shared_backend, reason, undo_token_of,
};

on_every_backend!(
    a_refresh_grants_no_scope_that_was_taken_back,
    a_session_for_an_audience_that_was_taken_back_waits_for_its_return,
    an_access_token_of_the_former_issuer_ends_its_session,
    a_change_of_addresses_is_undone_for_the_time_that_was_promised,
    a_session_from_before_a_policy_changes_factors_once_a_code_is_shown,
    an_account_at_a_provider_is_nobody_elses_once_the_provider_is_another,
);

// In a process of its own an MFA session does not outlive a restart.
on_every_shared_backend!(an_mfa_session_from_before_another_policy_is_answered_all_the_same);

async fn sign_in(mina: &Person, audience: &str, scopes: &[&str]) -> v1::Tokens {
    let grant = Grant::Password(v1::PasswordGrant {
        identifier: Some(email(&mina.email)),
        password: PASSWORD.into(),
    });
    let request = v1::IssueTokensRequest {
        grant: Some(grant),
        audience: audience.into(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let issued = mina.gateway.issue_tokens(request).await;
    issued.expect("signed in")
}

async fn scopes(gateway: &Gateway, tokens: &v1::Tokens) -> Vec<String> {
    let answer = gateway.validate(&tokens.access_token).await;
    let claims = answer.expect("an answer").expect("a good token");
    claims.scopes
}

async fn restart_with(world: &World, path: &str, value: impl Into<toml::Value>) -> Gateway {
    world.change_setting(0, path, value);
    world.replica(0).restart().await;
    world.gateway()
}

async fn a_refresh_grants_no_scope_that_was_taken_back(backend: Backend) {
    let world = World::on(backend)
        .set("tokens.scopes", vec!["profile", "admin"])
        .start()
        .await;
    let mina = world.sign_up().await;
    let first = sign_in(&mina, "", &["profile", "admin"]).await;
    assert_eq!(scopes(&mina.gateway, &first).await, ["admin", "profile"]);

    let gateway = restart_with(&world, "tokens.scopes", vec!["profile"]).await;
    let second = gateway.refresh(&first.refresh_token).await;
    let second = second.expect("refreshed");
    assert_eq!(scopes(&gateway, &second).await, ["profile"]);
}

async fn a_session_for_an_audience_that_was_taken_back_waits_for_its_return(backend: Backend) {
    let world = World::on(backend)
        .set("tokens.audiences", vec!["shop", "billing"])
        .start()
        .await;
    let mina = world.sign_up().await;
    let first = sign_in(&mina, "billing", &[]).await;

    let gateway = restart_with(&world, "tokens.audiences", vec!["shop"]).await;
    let refused = gateway.refresh(&first.refresh_token).await;
    assert_eq!(reason(&refused), "REFRESH_TOKEN_INVALID");

    let gateway = restart_with(&world, "tokens.audiences", vec!["shop", "billing"]).await;
    let refreshed = gateway.refresh(&first.refresh_token).await;
    assert_eq!(reason(&refreshed), "OK");
}

async fn an_access_token_of_the_former_issuer_ends_its_session(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;

    let gateway = restart_with(&world, "tokens.issuer", "https://renamed.example").await;
    assert_eq!(gateway.judge(&tokens.access_token).await, "WRONG_ISSUER");
    let revoked = gateway.revoke(&tokens.access_token).await;
    revoked.expect("a revocation is acknowledged");
    let refreshed = gateway.refresh(&tokens.refresh_token).await;
    assert_eq!(reason(&refreshed), "SESSION_ENDED");
}

async fn an_mfa_session_from_before_another_policy_is_answered_all_the_same(backend: Backend) {
    let world = World::start(backend, 2).await;
    let mina = world.sign_up().await;
    let enrolled = mina.enroll(&mina.sign_in().await).await;
    let asked = mina.begin_sign_in().await.expect("a question");
    let id = asked.mfa_session_id;
    for number in 0..2 {
        world.change_setting(number, "mfa.policy", "off");
        world.replica(number).restart().await;
    }
    let mina = mina.at(&world.gateway());
    let wrong = mina.answer(&id, "00000-00000").await;
    assert_eq!(reason(&wrong), "SECOND_FACTOR_WRONG");
    let code = enrolled.app.code();
    let tokens = mina.answer(&id, &code).await.expect("signed in");
    let again = mina.answer(&id, &code).await;
    assert_eq!(reason(&again), "MFA_SESSION_NOT_FOUND");
    let session = mina.session(&tokens, &tokens.session_id).await;
    let methods = session.expect("a session").authentication_methods;
    assert_eq!(methods, ["pwd", "otp", "mfa"]);
    for number in 0..2 {
        world.change_setting(number, "mfa.policy", "optional");
        world.replica(number).restart().await;
    }
    let mina = mina.at(&world.gateway());
    mina.begin_sign_in().await.expect("asked again");
}

/// Lets all changes of addresses be two hours older.
const TWO_HOURS: &str = "UPDATE identifier_undos SET created_at = created_at - 7200000, \
                         expires_at = expires_at - 7200000";

async fn a_change_of_addresses_is_undone_for_the_time_that_was_promised(backend: Backend) {
    for (promised, today, undone) in [("72h", "1h", "OK"), ("1h", "72h", "UNDO_NOT_FOUND")] {
        let world = World::on(backend)
            .set("identifiers.undo_link", UNDO_LINK)
            .set("identifiers.undo_time", promised)
            .start()
            .await;
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        let proof = mina.prove_new(&tokens, &world.new_email()).await;
        let proof = proof.expect("a proof");
        let changed = mina.change_identifier(&tokens, &mina.email, &proof).await;
        changed.expect("changed");
        let link = world.read_link(&mina.email).await;
        let gateway = restart_with(&world, "identifiers.undo_time", today).await;
        assert_eq!(world.execute(TWO_HOURS).await, 1);
        let token = undo_token_of(&link);
        let outcome = gateway.undo_identifier_change("", token).await;
        assert_eq!(reason(&outcome), undone, "{promised}, and then {today}");
    }
}

async fn a_session_from_before_a_policy_changes_factors_once_a_code_is_shown(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let mina = mina.at(&restart_with(&world, "mfa.policy", "required").await);
    let tokens = mina.gateway.refresh(&tokens.refresh_token).await;
    let tokens = tokens.expect("it goes on");
    let token = &tokens.access_token;
    let begun = mina.begin_enrollment(&tokens, "phone").await;
    assert_eq!(reason(&begun), "SECOND_FACTOR_REQUIRED");
    let by_password = mina.step_up(token, Shown::Password(PASSWORD)).await;
    assert_eq!(by_password.expect("right").acr, "aal1");
    let begun = mina.begin_enrollment(&tokens, "phone").await;
    assert_eq!(reason(&begun), "SECOND_FACTOR_REQUIRED");
    mina.send_step_up_code(token, "").await.expect("sent");
    let code = world.read_code(&mina.email).await;
    let by_code = mina.step_up(token, Shown::Code(&code)).await;
    assert_eq!(by_code.expect("right").acr, "aal2");
    mina.begin_enrollment(&tokens, "phone")
        .await
        .expect("begun");
    for policy in ["required", "optional"] {
        let mina = mina.at(&restart_with(&world, "mfa.policy", policy).await);
        let by_password = mina.step_up(token, Shown::Password(PASSWORD)).await;
        assert_eq!(reason(&by_password), "SECOND_FACTOR_REQUIRED", "{policy}");
        let session = mina.session(&tokens, &tokens.session_id).await;
        assert_eq!(session.expect("a session").acr, "aal2");
    }
}

async fn an_account_at_a_provider_is_nobody_elses_once_the_provider_is_another(backend: Backend) {
    let issuer = Issuer::start().await;
    let settings = issuer.settings().into_iter();
    let world = settings.fold(World::on(backend), |world, (path, value)| {
        world.set(&path, value)
    });
    let world = world.start().await;
    let mina = world.sign_up().await;
    issuer.link(&mina, &mina.sign_in().await, "mina").await;
    assert_eq!(issuer.outcome(&mina.gateway, "mina").await, "signed in");
    let bora = issuer.federation_token(&mina.gateway, "", "bora").await;

    // Another issuer under the same name has a person of the same subject and address.
    let other = Issuer::start().await;
    for (path, value) in other.settings() {
        world.change_setting(0, &path, value);
    }
    world.replica(0).restart().await;
    let gateway = world.gateway();
    assert_eq!(other.outcome(&gateway, "mina").await, "nobody's");
    let refused = issuer.outcome(&gateway, "mina").await;
    assert_eq!(refused, "FEDERATED_SIGN_IN_REFUSED");
    // What was handed out for an account of the first one opens nothing any more.
    let sign_up = v1::SignUpRequest {
        federation_token: bora,
        identifier: Some(email("bora@people.example")),
        ..Default::default()
    };
    let refused = gateway.auth().sign_up(sign_up).await;
    assert_eq!(reason(&refused), "FEDERATION_TOKEN_INVALID");
    let by_password = mina.at(&gateway).try_password(PASSWORD).await;
    by_password.expect("the password is hers as before");

    // The app has another client id.
    let app = "federation.providers.corp.native_client_ids";
    let gateway = restart_with(&world, app, vec!["another-app"]).await;
    let refused = other.outcome(&gateway, "mina").await;
    assert_eq!(refused, "FEDERATED_SIGN_IN_REFUSED");

    // The first one is back, and the account is still hers.
    for (path, value) in issuer.settings() {
        world.change_setting(0, &path, value);
    }
    world.replica(0).restart().await;
    assert_eq!(issuer.outcome(&world.gateway(), "mina").await, "signed in");
}
