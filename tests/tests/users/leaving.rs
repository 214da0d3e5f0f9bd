//! Leaving: when an address may join again, who hears of it, and what is left of a person
//! who is erased.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, PASSWORD, PATIENCE, Person, World, canary_spellings, contains_any, device,
    email, eventually, on_every_backend, reason,
};

use crate::{in_seconds, mask};

on_every_backend!(
    an_address_may_not_join_again_before_its_day,
    an_address_joins_again_after_its_day,
    the_day_that_was_told_is_kept,
    nothing_is_left_of_a_person_who_is_erased,
    a_user_who_has_left_and_is_deleted_waits_all_the_same,
    a_damaged_user_keeps_no_other_from_being_erased,
    a_suspension_is_taken_back_once_it_is_over,
    of_many_who_take_an_address_on_its_day_one_gets_it,
);

/// Proves the person's address and signs up with it.
async fn sign_up_again(person: &Person) -> Result<String, tonic::Status> {
    let gateway = &person.gateway;
    let proof = gateway
        .prove(email(&person.email), v1::Purpose::SignUp)
        .await?;
    let address = email(&person.email);
    gateway
        .sign_up_proven(address, &person.username, PASSWORD, &proof)
        .await
}

async fn an_address_may_not_join_again_before_its_day(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let eve = world.sign_up().await;
    let gateway = &mina.gateway;
    gateway.withdraw(&mina.user_id).await.expect("withdrawn");

    let refused = sign_up_again(&mina).await.expect_err("too early");
    let details = Details::of(&refused);
    assert_eq!(details.reason, "USER_WITHDRAWN");
    let user = gateway.user(&mina.user_id).await.expect("shown");
    assert_eq!(user.identifiers.len(), 2, "they are hers until then");

    // By a code: who has not proved the address hears what everybody hears.
    let sign_up = v1::SignUpRequest {
        identifier: Some(email(&mina.email)),
        password: PASSWORD.into(),
        client_context: device("203.0.113.9"),
        ..Default::default()
    };
    let pending = gateway
        .ask_to_sign_up(sign_up)
        .await
        .expect("as for anybody");
    assert_eq!(
        reason(&gateway.confirm(&pending, "000000").await),
        "CODE_WRONG"
    );
    let code = world.read_code(&mina.email).await;
    assert_eq!(
        reason(&gateway.confirm(&pending, &code).await),
        "USER_WITHDRAWN"
    );

    let tokens = eve.sign_in().await;
    let proof = eve.prove_new(&tokens, &mina.email).await.expect("a proof");
    let added = eve.add_identifier(&tokens, &proof).await;
    assert_eq!(
        reason(&added),
        "IDENTIFIER_TAKEN",
        "it is no fact about Eve"
    );
    let created = v1::CreateUserRequest {
        identifiers: vec![email(&mina.email)],
        ..Default::default()
    };
    assert_eq!(
        reason(&gateway.create_user(created.clone()).await),
        "USER_WITHDRAWN"
    );
    let elsewhere = v1::CreateUserRequest {
        group_id: "elsewhere".into(),
        ..created
    };
    assert_eq!(
        reason(&gateway.create_user(elsewhere.clone()).await),
        "GROUP_NOT_FOUND"
    );
    world.make_groups(&["elsewhere"]).await;
    gateway.create_user(elsewhere).await.expect("another group");
}

async fn an_address_joins_again_after_its_day(backend: Backend) {
    let world = World::on(backend)
        .set("users.rejoin_wait", "3s")
        .set("users.retention", "30d")
        .start()
        .await;
    let mina = world.sign_up().await;
    mina.gateway
        .withdraw(&mina.user_id)
        .await
        .expect("withdrawn");
    assert_eq!(reason(&sign_up_again(&mina).await), "USER_WITHDRAWN");
    let joins = || async { sign_up_again(&mina).await.ok() };
    let (id, _) = eventually("the address joins again", PATIENCE, joins).await;
    assert_ne!(id, mina.user_id);
    let tokens = mina.sign_in().await;
    assert_eq!(tokens.user_id, id);
    let left = mina.gateway.user(&mina.user_id).await.expect("shown");
    assert_eq!(left.state(), v1::UserState::Withdrawn);
    assert!(left.identifiers.is_empty(), "{:?}", left.identifiers);
}

async fn the_day_that_was_told_is_kept(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    mina.gateway
        .withdraw(&mina.user_id)
        .await
        .expect("withdrawn");
    world.change_setting(0, "users.rejoin_wait", "0s");
    world.replica(0).restart().await;
    let mina = mina.at(&world.gateway());
    let refused = sign_up_again(&mina).await.expect_err("the day is kept");
    let told = Details::of(&refused).metadata["rejoin_time"].clone();
    let user = mina.gateway.user(&mina.user_id).await.expect("shown");
    let rejoin = user.withdrawal.and_then(|left| left.rejoin_time);
    let rejoin = rejoin.expect("a time").to_string();
    assert_eq!(told[..19], rejoin[..19]);
}

async fn nothing_is_left_of_a_person_who_is_erased(backend: Backend) {
    let world = World::on(backend)
        .set("users.retention", "0s")
        .start()
        .await;
    let mina = world.sign_up().await;
    let other = world.sign_up().await;
    let gateway = &mina.gateway;
    let update = v1::UpdateUserRequest {
        user_id: mina.user_id.clone(),
        update_mask: mask(&["profile.name", "external_id", "roles"]),
        profile: Some(v1::Profile {
            name: "Canary Minnesinger".into(),
            ..Default::default()
        }),
        external_id: "legacy-77".into(),
        roles: vec!["canary-role".into()],
        ..Default::default()
    };
    gateway.update_user(update).await.expect("updated");
    gateway
        .sign_in_from("198.51.100.77", email(&mina.email), PASSWORD)
        .await
        .expect("in");
    let canaries = [
        &*mina.email,
        &mina.username,
        "Canary Minnesinger",
        "canary-role",
        "198.51.100.77",
    ];
    let found = async || {
        let dump = world.dump().await.join("\n");
        let is_there = |text: &&str| contains_any(dump.as_bytes(), &canary_spellings(text));
        canaries
            .iter()
            .copied()
            .filter(is_there)
            .collect::<Vec<_>>()
            .len()
    };
    let before = found().await;
    assert_eq!(before, canaries.len(), "the search finds what is there");
    gateway.withdraw(&mina.user_id).await.expect("withdrawn");
    let is_erased = || async {
        let user = gateway.user(&mina.user_id).await.expect("shown");
        (user.state() == v1::UserState::Erased).then_some(user)
    };
    let (rest, _) = eventually("the person is erased", PATIENCE, is_erased).await;
    let after = found().await;
    countersign_tests::say!(
        "users on {backend}: of {} texts of a person in the database before it was erased, found \
         afterwards {after}",
        canaries.len()
    );
    assert_eq!(after, 0);
    let events = world.rows("audit_events").await;
    assert!(events > 0, "the audit log keeps what was done");
    assert_eq!(rest.external_id, "legacy-77", "lest she be adopted again");
    assert_eq!((rest.identifiers.len(), rest.roles.len()), (0, 0));
    let not_now = "USER_STATE_CONFLICT";
    assert_eq!(reason(&gateway.reinstate(&mina.user_id).await), not_now);

    // The hash of her address is all that keeps it from joining again.
    assert_eq!(world.rows("tombstones").await, 1);
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED"
    );
    assert_eq!(reason(&sign_up_again(&mina).await), "USER_WITHDRAWN");
    assert_eq!(
        world.execute("UPDATE tombstones SET expires_at = 1").await,
        1
    );
    let again = sign_up_again(&mina).await.expect("its day has come");
    assert_ne!(again, mina.user_id);
    other.sign_in().await;
}

async fn a_user_who_has_left_and_is_deleted_waits_all_the_same(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    mina.gateway
        .withdraw(&mina.user_id)
        .await
        .expect("withdrawn");
    mina.gateway
        .delete_user(&mina.user_id)
        .await
        .expect("deleted");
    assert_eq!(
        reason(&mina.gateway.user(&mina.user_id).await),
        "USER_NOT_FOUND"
    );
    assert_eq!(reason(&sign_up_again(&mina).await), "USER_WITHDRAWN");
}

async fn a_damaged_user_keeps_no_other_from_being_erased(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mut people = Vec::new();
    for _ in 0..3 {
        let mina = world.sign_up().await;
        mina.gateway
            .withdraw(&mina.user_id)
            .await
            .expect("withdrawn");
        people.push(mina);
    }
    let id = backend.bytes(&people[0].user_id);
    let spoil = format!("UPDATE users SET roles = 'a\"b' WHERE id = {id}");
    assert_eq!(world.execute(&spoil).await, 1);
    world.change_setting(0, "users.retention", "0s");
    world.replica(0).restart().await;
    let gateway = world.gateway();
    for mina in &people[1..] {
        let is_erased = || async {
            let user = gateway.user(&mina.user_id).await.expect("shown");
            (user.state() == v1::UserState::Erased).then_some(())
        };
        eventually("the others are erased", PATIENCE, is_erased).await;
    }
    let is_named = || async {
        let log = world.log().text(0);
        (log.contains(&people[0].user_id) && log.contains("cannot be looked after")).then_some(())
    };
    eventually("the damaged one is named", PATIENCE, is_named).await;
}

async fn a_suspension_is_taken_back_once_it_is_over(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let eve = world.sign_up().await;
    let until = in_seconds(&world, 2).await;
    let suspended = mina.gateway.suspend_until(&mina.user_id, "", until).await;
    suspended.expect("suspended");
    mina.gateway
        .suspend(&eve.user_id, "")
        .await
        .expect("suspended");
    let is_back = || async {
        let user = mina.gateway.user(&mina.user_id).await.expect("shown");
        (user.state() == v1::UserState::Active).then_some(())
    };
    eventually("it is active", PATIENCE, is_back).await;
    let eve = mina.gateway.user(&eve.user_id).await.expect("shown");
    assert_eq!(eve.state(), v1::UserState::Suspended, "for good");
    // What a clock that was set back would find: the state is written down.
    let id = backend.bytes(&mina.user_id);
    let blocked = format!("users WHERE id = {id} AND blocked IS NOT NULL");
    assert_eq!(world.rows(&blocked).await, 0);
}

async fn of_many_who_take_an_address_on_its_day_one_gets_it(backend: Backend) {
    const AT_ONCE: usize = 12;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("users.rejoin_wait", "1s")
        .set("users.retention", "30d")
        .start()
        .await;
    let mina = world.sign_up().await;
    mina.gateway
        .withdraw(&mina.user_id)
        .await
        .expect("withdrawn");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let gateways = world.gateways(2);
    let mut proofs = Vec::new();
    for _ in 0..AT_ONCE {
        let proof = mina
            .gateway
            .prove(email(&mina.email), v1::Purpose::SignUp)
            .await;
        proofs.push(proof.expect("a proof"));
    }
    let outcomes = countersign_tests::crowd(AT_ONCE, |member| {
        let gateway = gateways[member % gateways.len()].clone();
        let (proof, address) = (proofs[member].clone(), email(&mina.email));
        async move { gateway.sign_up_proven(address, "", PASSWORD, &proof).await }
    })
    .await;
    let got = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    countersign_tests::say!(
        "users on {backend}: of {AT_ONCE} who take the address of somebody who has left, at once: \
         {got} gets it"
    );
    assert_eq!(got, 1);
}
