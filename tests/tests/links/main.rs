//! Links in place of codes: what they are good for, and what others can do with
//! them or to them.

mod requests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, Gateway, LINK_PREFIX, PASSWORD, PATIENCE, Step, World, WorldBuilder,
    comes_true, delivery_state, email, on_a_backend, on_every_backend, phone, reason, token_of,
};

on_every_backend!(
    a_person_signs_up_in_and_resets_the_password_by_links_alone,
    scanners_spend_nothing,
    a_new_link_or_code_kills_the_old_one,
    wrong_tokens_cost_nobody_anything,
    the_proof_of_a_link_is_bound_to_its_group,
    a_link_is_not_sent_where_the_setting_was_taken_out_meanwhile,
);

const GONE: &str = "VERIFICATION_NOT_FOUND";

fn world(backend: Backend) -> WorldBuilder {
    World::on(backend)
        .replicas(backend.replicas())
        .set("verification.link_prefixes", vec![LINK_PREFIX])
}

async fn token(world: &World, gateway: &Gateway, address: &str, purpose: v1::Purpose) -> String {
    let sent = gateway.send_link(email(address), purpose).await;
    sent.expect("a link is sent");
    token_of(&world.read_link(address).await).to_owned()
}

async fn a_person_signs_up_in_and_resets_the_password_by_links_alone(backend: Backend) {
    let world = world(backend).start().await;
    let (gateway, address) = (world.gateway(), world.new_email());
    let link = token(&world, &gateway, &address, v1::Purpose::SignUp).await;
    let proof = gateway.check_link(&link).await.expect("a proof");
    let signed_up = gateway.sign_up_proven(email(&address), "", "", &proof);
    let user_id = signed_up.await.expect("a user without a password");

    let link = token(&world, &gateway, &address, v1::Purpose::SignIn).await;
    let proof = gateway.check_link(&link).await.expect("a proof");
    let tokens = gateway.sign_in_proven(&proof).await.expect("signed in");
    assert_eq!(tokens.user_id, user_id);
    let claims = gateway.validate(&tokens.access_token).await;
    let claims = claims.expect("an answer").expect("a good token");
    assert_eq!(claims.authentication_methods, ["otp"]);
    let again = gateway.sign_in_proven(&proof).await;
    assert_eq!(reason(&again), "PROOF_INVALID");

    let sent = gateway.send_reset_link(email(&address)).await;
    sent.expect("a link is sent");
    let link = world.read_link(&address).await;
    let proof = gateway.check_link(token_of(&link)).await.expect("a proof");
    let reset = gateway.reset_password(&proof, PASSWORD).await;
    reset.expect("the password is set");
    let refused = gateway.refresh(&tokens.refresh_token).await;
    assert_eq!(reason(&refused), "SESSION_ENDED");
    let signed_in = gateway.sign_in(email(&address), PASSWORD).await;
    signed_in.expect("signed in");
}

async fn scanners_spend_nothing(backend: Backend) {
    let world = world(backend).start().await;
    let address = world.new_email();
    let gateways = world.gateways(2);
    let link = token(&world, &gateways[0], &address, v1::Purpose::SignUp).await;
    for turn in 0..100 {
        let gateway = &gateways[turn % gateways.len()];
        let shown = gateway.verification_of_link(&link).await.expect("shown");
        assert_eq!(shown.remaining_attempts, 1);
        assert_eq!(shown.purpose(), v1::Purpose::SignUp);
        assert!(shown.masked_address.starts_with("m***@"), "{shown:?}");
    }
    gateways[1].check_link(&link).await.expect("a proof");
    let again = gateways[0].check_link(&link).await;
    assert_eq!(reason(&again), GONE);
    let shown = gateways[0].verification_of_link(&link).await;
    assert_eq!(reason(&shown), GONE);
}

async fn a_new_link_or_code_kills_the_old_one(backend: Backend) {
    let world = world(backend).start().await;
    let (gateway, address) = (world.gateway(), world.new_email());
    let purpose = v1::Purpose::SignUp;
    let first = token(&world, &gateway, &address, purpose).await;
    let second = token(&world, &gateway, &address, purpose).await;
    assert_eq!(reason(&gateway.check_link(&first).await), GONE);
    let id = gateway.send_code(email(&address), purpose, "135790").await;
    let id = id.expect("a code");
    assert_eq!(reason(&gateway.check_link(&second).await), GONE);
    let third = token(&world, &gateway, &address, purpose).await;
    assert_eq!(reason(&gateway.check_code(&id, "135790").await), GONE);
    gateway.check_link(&third).await.expect("the latest");
    let (id, link) = {
        let sent = gateway.send_link(email(&address), purpose).await;
        (sent.expect("sent"), world.read_link(&address).await)
    };
    // The id that SendCode answers takes no code, and kills.
    assert_eq!(reason(&gateway.check_code(&id, "135790").await), GONE);
    gateway.cancel(&id).await.expect("cancelled");
    let cancelled = gateway.check_link(token_of(&link)).await;
    assert_eq!(reason(&cancelled), GONE);
}

async fn wrong_tokens_cost_nobody_anything(backend: Backend) {
    let world = world(backend).start().await;
    let (gateway, address) = (world.gateway(), world.new_email());
    let link = token(&world, &gateway, &address, v1::Purpose::SignUp).await;
    let bytes = URL_SAFE_NO_PAD.decode(&link).expect("base64url");
    assert_eq!(bytes.len(), 32);
    for turn in 0..256 {
        // Each bit of the id and of the secret is another one once.
        let mut bytes = bytes.clone();
        bytes[turn / 8] ^= 1 << (turn % 8);
        let wrong = URL_SAFE_NO_PAD.encode(bytes);
        assert_eq!(reason(&gateway.check_link(&wrong).await), GONE, "{turn}");
    }
    let shown = gateway.verification_of_link(&link).await.expect("shown");
    assert_eq!(shown.remaining_attempts, 1);
    gateway.check_link(&link).await.expect("a proof");
    let sent = gateway.send_code(email(&address), v1::Purpose::SignUp, "135790");
    let id = sent.await.expect("a code");
    let refused = gateway.check_code(&id, "975310").await;
    assert_eq!(reason(&refused), "CODE_WRONG");
    let shown = gateway.verification(&id).await.expect("shown");
    assert_eq!(shown.remaining_attempts, 4, "the only wrong code");
}

async fn the_proof_of_a_link_is_bound_to_its_group(backend: Backend) {
    let world = world(backend).start().await;
    world.make_groups(&["another"]).await;
    let mina = world.sign_up().await;
    let elsewhere = v1::SendCodeRequest {
        group_id: "another".into(),
        identifier: Some(email(&mina.email)),
        purpose: v1::Purpose::SignIn.into(),
        link_prefix: LINK_PREFIX.into(),
        ..Default::default()
    };
    // There is nobody of this address in that group, so nobody gets a link.
    let sent = mina.gateway.ask_for_code(elsewhere).await;
    sent.expect("the answer does not tell");
    let link = token(&world, &mina.gateway, &mina.email, v1::Purpose::SignIn).await;
    let proof = mina.gateway.check_link(&link).await.expect("a proof");
    let grant = v1::VerifiedCodeGrant {
        proof: proof.clone(),
    };
    let request = v1::IssueTokensRequest {
        group_id: "another".into(),
        grant: Some(v1::issue_tokens_request::Grant::VerifiedCode(grant)),
        ..Default::default()
    };
    let refused = mina.gateway.issue_tokens(request).await;
    assert_eq!(reason(&refused), "PROOF_INVALID");
    let signed_in = mina.gateway.sign_in_proven(&proof).await;
    signed_in.expect("it was not spent");
}

async fn a_link_is_not_sent_where_the_setting_was_taken_out_meanwhile(backend: Backend) {
    let world = World::on(backend)
        .set("verification.link_prefixes", vec![LINK_PREFIX])
        .start()
        .await;
    let address = world.new_email();
    world.refuse(Step::Claim).await;
    let sent = world
        .gateway()
        .send_link(email(&address), v1::Purpose::SignUp)
        .await;
    let id = sent.expect("it is queued");
    world.change_setting(0, "verification.link_prefixes", Vec::<String>::new());
    world.replica(0).restart().await;
    world.allow(Step::Claim).await;
    let tried = async || world.rows("outbox WHERE attempts > 0").await == 1;
    let is_kept_back = comes_true(PATIENCE, tried).await;
    assert!(is_kept_back.is_some(), "it is looked at");
    assert_eq!(world.messages_to(&address), []);
    // Without Redis, a restart forgets verifications.
    if let Ok(shown) = world.gateway().verification(&id).await {
        assert_eq!(delivery_state(&shown).as_deref(), Some("Queued"));
    }
    let refused = world
        .gateway()
        .send_link(email(&address), v1::Purpose::SignUp)
        .await;
    let status = refused.expect_err("there are no links any more");
    assert_eq!(Details::of(&status).fields, ["link_prefix"]);
    world.change_setting(0, "verification.link_prefixes", vec![LINK_PREFIX]);
    world.replica(0).restart().await;
    let arrives = async || world.messages_to(&address).len() == 1;
    let arrived = comes_true(PATIENCE, arrives).await;
    assert!(arrived.is_some(), "it is sent once the setting is back");
}

#[test]
fn a_link_goes_to_phones_and_in_the_language_of_the_person() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = world(backend).start().await;
        let gateway = world.gateway().speaking("ko");
        let sent = gateway.send_link(phone("+821098765432"), v1::Purpose::SignUp);
        sent.await.expect("a link");
        let arrived = async || !world.log().messages().is_empty();
        assert!(comes_true(PATIENCE, arrived).await.is_some());
        let message = &world.log().messages()[0];
        assert!(
            message.text.starts_with("회원가입 링크입니다."),
            "{message:?}"
        );
        assert!(
            message.text.contains(&format!("{LINK_PREFIX}#")),
            "{message:?}"
        );
    });
}
