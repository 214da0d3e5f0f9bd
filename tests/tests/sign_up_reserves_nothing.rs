//! A sign-up without a proof holds neither the address nor the user name against
//! anybody: whoever proves first is the user.

use countersign_proto::v1;
use countersign_tests::{
    Backend, PASSWORD, Tally, World, crowd, email, on_every_backend, reason, username,
};

on_every_backend!(
    a_strangers_sign_up_blocks_no_address,
    a_strangers_sign_ups_block_no_user_name,
    a_user_name_goes_to_who_proves_first,
    an_address_goes_to_who_proves_first,
    many_sign_ups_of_one_address_are_all_answered,
);

const STRANGERS_PASSWORD: &str = "a crowbar for the back door";

async fn a_strangers_sign_up_blocks_no_address(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();

    let proved = world.new_email();
    let stranger = gateway.sign_up_unproven(&proved, STRANGERS_PASSWORD).await;
    stranger.expect("pending");
    let proof = gateway.prove(email(&proved), v1::Purpose::SignUp).await;
    let signed_up = gateway
        .sign_up_proven(email(&proved), "", PASSWORD, &proof.expect("a proof"))
        .await;
    assert_eq!(reason(&signed_up), "OK", "with a proof");

    let confirmed = world.new_email();
    let stranger = gateway.sign_up_unproven(&confirmed, STRANGERS_PASSWORD);
    stranger.await.expect("pending");
    world.read_code(&confirmed).await;
    let pending = gateway.sign_up_unproven(&confirmed, PASSWORD).await;
    let id = pending.expect("pending").verification_id;
    let code = world.read_code(&confirmed).await;
    let signed_up = gateway.confirm(&id, &code).await;
    assert_eq!(reason(&signed_up), "OK", "with a code");

    for address in [&proved, &confirmed] {
        let owner = gateway.sign_in(email(address), PASSWORD).await;
        let stranger = gateway.sign_in(email(address), STRANGERS_PASSWORD).await;
        assert_eq!(
            (reason(&owner), reason(&stranger)),
            ("OK".into(), "SIGN_IN_REFUSED".into())
        );
    }
}

async fn a_strangers_sign_ups_block_no_user_name(backend: Backend) {
    const NAMES: usize = 5;
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let mut owners = Tally::default();
    for number in 0..NAMES {
        let name = format!("captain{number}");
        for _ in 0..3 {
            let pending = gateway.ask_to_sign_up(request(&world.new_email(), &name));
            pending.await.ok();
        }
        let address = world.new_email();
        let proof = gateway.prove(email(&address), v1::Purpose::SignUp).await;
        let proof = proof.expect("a proof");
        let signed_up = gateway.sign_up_proven(email(&address), &name, PASSWORD, &proof);
        owners.add(&reason(&signed_up.await));
    }
    countersign_tests::say!(
        "{backend}: {NAMES} user names, each asked for by strangers without a proof, then by \
         somebody with one: {owners}"
    );
    assert_eq!(owners.count("OK"), NAMES, "{owners}");
    let signed_in = gateway.sign_in(username("captain0"), PASSWORD).await;
    assert_eq!(reason(&signed_in), "OK");
}

async fn a_user_name_goes_to_who_proves_first(backend: Backend) {
    const PEOPLE: usize = 8;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(2);
    let (mut asked, mut pending) = (Tally::default(), Vec::new());
    for _ in 0..PEOPLE {
        let address = world.new_email();
        let id = gateways[0]
            .ask_to_sign_up(request(&address, "the.captain"))
            .await;
        asked.add(&reason(&id));
        if let Ok(id) = id {
            pending.push((id, world.read_code(&address).await, address));
        }
    }
    let outcomes = crowd(pending.len(), |member| {
        let gateway = gateways[member % gateways.len()].clone();
        let (id, code, _) = pending[member].clone();
        async move { gateway.confirm(&id, &code).await }
    })
    .await;
    let confirmed = Tally::of(&outcomes);
    countersign_tests::say!(
        "{backend}, {} replica(s): {PEOPLE} sign-ups with one user name: {asked}; confirmed at \
         once: {confirmed}",
        world.replicas().len(),
    );
    assert_eq!(asked.count("OK"), PEOPLE, "{asked}");
    confirmed.assert_only(&["OK", "USERNAME_TAKEN"]);
    assert_eq!(confirmed.count("OK"), 1, "{confirmed}");

    // Whoever was later still has the address to sign up with.
    let late = outcomes
        .iter()
        .position(Result::is_err)
        .expect("somebody was later");
    let address = &pending[late].2;
    let again = gateways[0].sign_up_unproven(address, PASSWORD).await;
    let id = again.expect("pending").verification_id;
    let code = world.read_code(address).await;
    assert_eq!(reason(&gateways[0].confirm(&id, &code).await), "OK");
}

async fn an_address_goes_to_who_proves_first(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let address = world.new_email();
    let pending = gateway.sign_up_unproven(&address, STRANGERS_PASSWORD).await;
    let id = pending.expect("pending").verification_id;
    let code = world.read_code(&address).await;
    let proof = gateway.prove(email(&address), v1::Purpose::SignUp).await;
    let proof = proof.expect("a proof");
    let first = gateway.sign_up_proven(email(&address), "", PASSWORD, &proof);
    first.await.expect("whoever proves first");

    let later = reason(&gateway.confirm(&id, &code).await);
    countersign_tests::say!("{backend}: a sign-up that is confirmed after another proof: {later}");
    assert!(
        ["IDENTIFIER_TAKEN", "VERIFICATION_NOT_FOUND"].contains(&later.as_str()),
        "{later}"
    );
    let owner = gateway.sign_in(email(&address), PASSWORD).await;
    let stranger = gateway.sign_in(email(&address), STRANGERS_PASSWORD).await;
    assert_eq!(
        (reason(&owner), reason(&stranger)),
        ("OK".into(), "SIGN_IN_REFUSED".into())
    );
}

async fn many_sign_ups_of_one_address_are_all_answered(backend: Backend) {
    const CROWD: usize = 16;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(2);
    let mina = world.sign_up().await;
    let mut answers = Vec::new();
    for address in [world.new_email(), mina.email] {
        let outcomes = crowd(CROWD, |member| {
            let gateway = gateways[member % gateways.len()].clone();
            let request = request(&address, "");
            async move { gateway.ask_to_sign_up(request).await }
        })
        .await;
        answers.push(Tally::of(&outcomes));
    }
    countersign_tests::say!(
        "{backend}, {} replica(s): {CROWD} sign-ups at once with an address that nobody has: {}; \
         with an owner's: {}",
        world.replicas().len(),
        answers[0],
        answers[1],
    );
    for answers in &answers {
        assert_eq!(answers.count("OK"), CROWD, "{answers}");
    }
}

/// A sign-up without a proof.
fn request(address: &str, name: &str) -> v1::SignUpRequest {
    v1::SignUpRequest {
        identifier: Some(email(address)),
        username: name.into(),
        password: PASSWORD.into(),
        ..Default::default()
    }
}
