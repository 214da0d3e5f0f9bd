//! Changes of addresses: who may make them, what the old address can do about them,
//! and what thieves try.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Mode, PASSWORD, PATIENCE, Person, Tally, UNDO_LINK, World, WorldBuilder, comes_true,
    crowd, email, on_every_backend, on_every_shared_backend, reason, undo_token_of,
};

on_every_backend!(
    an_address_is_changed_and_the_change_undone,
    of_64_who_prove_one_address_one_gets_it,
    of_64_undos_at_once_one_is_made,
    an_undo_is_bound_to_its_time_and_group,
    what_is_given_up_is_nobody_elses_for_the_time,
    thieves_are_put_out,
    a_damaged_undo_harms_only_itself,
    a_removal_that_is_sent_many_times_logs_nobody_out,
);
on_every_shared_backend!(without_its_database_nothing_is_changed_or_undone,);

const GONE: &str = "UNDO_NOT_FOUND";
const CROWD: usize = 64;

fn world(backend: Backend) -> WorldBuilder {
    World::on(backend)
        .replicas(backend.replicas())
        .set("identifiers.undo_link", UNDO_LINK)
}

/// Changes the address of somebody, and returns the new one and the undo token that
/// the old one got.
async fn change(world: &World, mina: &Person, tokens: &v1::Tokens) -> (String, String) {
    let new = world.new_email();
    let proof = mina.prove_new(tokens, &new).await.expect("a proof");
    let changed = mina.change_identifier(tokens, &mina.email, &proof).await;
    changed.expect("changed");
    let link = world.read_link(&mina.email).await;
    (new, undo_token_of(&link).to_owned())
}

async fn reset(world: &World, mina: &Person, password: &str) {
    let id = mina.forget_password().await.expect("a code is sent");
    let code = world.read_code(&mina.email).await;
    let proof = mina.gateway.check_code(&id, &code).await.expect("a proof");
    let reset = mina.gateway.reset_password(&proof, password).await;
    reset.expect("a new password");
}

async fn an_address_is_changed_and_the_change_undone(backend: Backend) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let (new, token) = change(&world, &mina, &tokens).await;
    let listed = mina.identifiers(&tokens).await.expect("listed");
    assert_eq!(listed.identifiers, [email(&new)]);
    let [undoable] = &listed.undoable_changes[..] else {
        panic!("one change can be undone: {listed:?}");
    };
    let both = (undoable.added.clone(), undoable.removed.clone());
    assert_eq!(both, (Some(email(&new)), Some(email(&mina.email))));
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED"
    );
    let at_new = mina.gateway.sign_in(email(&new), PASSWORD).await;
    at_new.expect("the new address counts at once");

    // Changed at one replica, undone at another.
    let gateways = world.gateways_of_replicas();
    let elsewhere = gateways.last().expect("a replica");
    let undone = elsewhere.undo_identifier_change("", &token).await;
    undone.expect("undone");
    assert_eq!(elsewhere.judge(&tokens.access_token).await, "REVOKED");
    let refused = elsewhere.refresh(&tokens.refresh_token).await;
    assert_eq!(reason(&refused), "SESSION_ENDED");
    for address in [&mina.email, &new] {
        let refused = elsewhere.sign_in(email(address), PASSWORD).await;
        assert_eq!(reason(&refused), "SIGN_IN_REFUSED");
    }
    reset(&world, &mina, "nine lanterns over the harbour").await;
    let tokens = mina.try_password("nine lanterns over the harbour").await;
    let tokens = tokens.expect("signed in");
    assert_eq!(tokens.user_id, mina.user_id);
    let listed = mina.identifiers(&tokens).await.expect("listed");
    assert_eq!(listed.identifiers, [email(&mina.email)]);
    assert_eq!(listed.undoable_changes, []);
}

async fn of_64_who_prove_one_address_one_gets_it(backend: Backend) {
    let world = world(backend)
        .set("verification.sends_per_address", 1_000)
        .start()
        .await;
    let gateways = world.gateways(4);
    let address = world.new_email();
    let mut people = Vec::new();
    for number in 0..CROWD {
        let gateway = &gateways[number % gateways.len()];
        let mina = world.sign_up_at(gateway).await;
        let tokens = mina.sign_in().await;
        let proof = mina.prove_new(&tokens, &address).await.expect("a proof");
        people.push((mina, tokens, proof));
    }
    let outcomes = crowd(CROWD, |member| {
        let (mina, tokens, proof) = people[member].clone();
        async move {
            match member % 2 {
                0 => mina.add_identifier(&tokens, &proof).await,
                _ => mina.change_identifier(&tokens, &mina.email, &proof).await,
            }
        }
    })
    .await;
    let tally = Tally::of(&outcomes);
    countersign_tests::say!("{backend}: of {CROWD} who proved one address, at once: {tally}");
    tally.assert_only(&["OK", "IDENTIFIER_TAKEN"]);
    assert_eq!(tally.count("OK"), 1);
    let held = format!("identifiers WHERE value = '{address}'");
    assert_eq!(world.rows(&held).await, 1);
    // Those who did not get it have what they had.
    let mut without = 0;
    for (mina, tokens, _) in &people {
        let listed = mina.identifiers(tokens).await.expect("listed");
        without += usize::from(listed.identifiers == [email(&mina.email)]);
    }
    assert_eq!(without, CROWD - 1);
}

async fn of_64_undos_at_once_one_is_made(backend: Backend) {
    let world = world(backend).start().await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let (_, token) = change(&world, &mina, &tokens).await;
    let outcomes = crowd(CROWD, |member| {
        let gateway = gateways[member % gateways.len()].clone();
        let token = token.clone();
        async move { gateway.undo_identifier_change("", &token).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    countersign_tests::say!("{backend}: of {CROWD} undos by one token, at once: {tally}");
    tally.assert_only(&["OK", GONE]);
    assert_eq!(tally.count("OK"), 1);
    assert_eq!(world.rows("identifier_undos").await, 0);
}

/// Each of them judges what the one before it has left.
async fn a_removal_that_is_sent_many_times_logs_nobody_out(backend: Backend) {
    const TIMES: usize = 8;
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let added = world.new_email();
    let proof = mina.prove_new(&tokens, &added).await.expect("a proof");
    let is_added = mina.add_identifier(&tokens, &proof).await;
    is_added.expect("added");
    let outcomes = crowd(TIMES, |_| {
        let (mina, tokens, added) = (mina.clone(), tokens.clone(), added.clone());
        async move { mina.remove_identifier(&tokens, &added).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    countersign_tests::say!("{backend}: of {TIMES} removals of one address, at once: {tally}");
    tally.assert_only(&["OK", "IDENTIFIER_NOT_FOUND"]);
    assert_eq!(tally.count("OK"), 1);
}

async fn an_undo_is_bound_to_its_time_and_group(backend: Backend) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let (new, token) = change(&world, &mina, &tokens).await;
    let gateway = world.gateway();
    let mut tally = Tally::default();
    let elsewhere = gateway.undo_identifier_change("another", &token).await;
    tally.add(&reason(&elsewhere));
    let unknown = gateway.undo_identifier_change("", &"A".repeat(22)).await;
    tally.add(&reason(&unknown));
    let over = "UPDATE identifier_undos SET expires_at = expires_at - 72 * 3600 * 1000 - 1";
    world.execute(over).await;
    let late = gateway.undo_identifier_change("", &token).await;
    tally.add(&reason(&late));
    tally.assert_only(&[GONE]);
    let none = gateway.undo_identifier_change("", "").await;
    assert_eq!(reason(&none), "FIELD_INVALID");
    let kept = gateway.sign_in(email(&new), PASSWORD).await;
    kept.expect("nothing was undone");
}

async fn what_is_given_up_is_nobody_elses_for_the_time(backend: Backend) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let (_, token) = change(&world, &mina, &tokens).await;
    let juno = world.sign_up().await;
    let theirs = juno.sign_in().await;
    let gateway = world.gateway();
    let mut tally = Tally::default();
    let proof = juno.prove_new(&theirs, &mina.email).await.expect("a proof");
    tally.add(&reason(&juno.add_identifier(&theirs, &proof).await));
    let purpose = v1::Purpose::SignUp;
    let proof = gateway.prove(email(&mina.email), purpose).await;
    let proof = proof.expect("a proof");
    let signed_up = gateway.sign_up_proven(email(&mina.email), "", PASSWORD, &proof);
    tally.add(&reason(&signed_up.await));
    tally.assert_only(&["IDENTIFIER_TAKEN"]);
    // So it can be restored.
    let undone = gateway.undo_identifier_change("", &token).await;
    undone.expect("undone");
    reset(&world, &mina, "nine lanterns over the harbour").await;
}

/// The thief has the password and a session, and does what there is to do before the
/// owner reads the notice.
async fn thieves_are_put_out(backend: Backend) {
    let world = world(backend).start().await;
    let gateway = world.gateway();
    let owners = 8;
    let (mut restored, mut ways_in) = (0, Tally::default());
    for number in 0..owners {
        let mina = world.sign_up().await;
        let thief = mina.sign_in().await;
        // Some add an address first, and remove the owner's, who clicks on the latest
        // notice.
        let (his, token) = if number % 2 == 0 {
            change(&world, &mina, &thief).await
        } else {
            let his = world.new_email();
            let proof = mina.prove_new(&thief, &his).await.expect("a proof");
            mina.add_identifier(&thief, &proof).await.expect("added");
            world.read_link(&mina.email).await;
            let removed = mina.remove_identifier(&thief, &mina.email).await;
            removed.expect("removed");
            let link = world.read_link(&mina.email).await;
            (his, undo_token_of(&link).to_owned())
        };
        let new = "a password of the thief's own";
        let changed = mina.change_password(&thief, PASSWORD, new).await;
        changed.expect("changed");
        let second = gateway.sign_in(email(&his), new).await.expect("in");
        mina.enroll(&second).await;
        let purpose = v1::Purpose::SignIn;
        let proof = gateway.prove(email(&his), purpose).await.expect("a proof");
        if number % 4 == 3 {
            // The thief undoes it, by the notice of the removal that he got, too: he
            // cannot undo less than the owner.
            let link = world.read_link(&his).await;
            let own = undo_token_of(&link);
            let undone = gateway.undo_identifier_change("", own).await;
            undone.expect("undone");
        }

        let undone = gateway.undo_identifier_change("", &token).await;
        let expected = if number % 4 == 3 { GONE } else { "OK" };
        assert_eq!(reason(&undone), expected);
        for tokens in [&thief, &second] {
            ways_in.add(&reason(&gateway.refresh(&tokens.refresh_token).await));
        }
        for address in [&his, &mina.email] {
            for password in [PASSWORD, new] {
                let signed_in = gateway.sign_in(email(address), password).await;
                ways_in.add(&reason(&signed_in));
            }
        }
        ways_in.add(&reason(&gateway.sign_in_proven(&proof).await));
        reset(&world, &mina, "nine lanterns over the harbour").await;
        // Without a question for the thief's factor.
        let tokens = mina.try_password("nine lanterns over the harbour").await;
        restored += usize::from(tokens.is_ok_and(|tokens| tokens.user_id == mina.user_id));
    }
    countersign_tests::say!(
        "{backend}: of {owners} accounts taken over, restored: {restored}; of {} ways in that \
         the thieves had: {ways_in}",
        ways_in.total()
    );
    ways_in.assert_only(&["SESSION_ENDED", "SIGN_IN_REFUSED", "PROOF_INVALID"]);
    assert_eq!(restored, owners);
}

async fn a_damaged_undo_harms_only_itself(backend: Backend) {
    let world = world(backend).start().await;
    let (mina, juno) = (world.sign_up().await, world.sign_up().await);
    let (tokens, theirs) = (mina.sign_in().await, juno.sign_in().await);
    let (new, token) = change(&world, &mina, &tokens).await;
    let whole = change(&world, &juno, &theirs).await.1;
    let damage = format!(
        "UPDATE identifier_undos SET sealed = {} WHERE user_id = {}",
        backend.bytes("0102"),
        backend.bytes(&mina.user_id)
    );
    assert_eq!(world.execute(&damage).await, 1);
    let gateway = world.gateway();
    let failed = gateway.undo_identifier_change("", &token).await;
    assert_eq!(reason(&failed), "INTERNAL");
    let listed = mina.identifiers(&tokens).await.expect("listed");
    assert_eq!(listed.identifiers, [email(&new)]);
    assert_eq!(listed.undoable_changes, []);
    let undone = gateway.undo_identifier_change("", &whole).await;
    undone.expect("another's is whole");
}

async fn without_its_database_nothing_is_changed_or_undone(backend: Backend) {
    let world = World::on(backend)
        .with_lines()
        .set("identifiers.undo_link", UNDO_LINK)
        .start()
        .await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let (new, token) = change(&world, &mina, &tokens).await;
    let next = world.new_email();
    let again = mina.gateway.sign_in(email(&new), PASSWORD).await;
    let again = again.expect("signed in");
    let proof = mina.prove_new(&again, &next).await.expect("a proof");
    world.database_line().set(Mode::Cut);
    let mut tally = Tally::default();
    let undone = mina.gateway.undo_identifier_change("", &token).await;
    tally.add(&reason(&undone));
    let changed = mina.change_identifier(&again, &new, &proof).await;
    tally.add(&reason(&changed));
    tally.assert_only(&["DEPENDENCY_UNAVAILABLE"]);
    world.database_line().set(Mode::Pass);
    let gateway = world.gateway();
    let mina = mina.at(&gateway);
    let is_changed = || async {
        let changed = mina.change_identifier(&again, &new, &proof).await;
        changed.is_ok()
    };
    let changed = comes_true(PATIENCE, is_changed).await;
    assert!(changed.is_some(), "the proof was not spent");
    let undone = gateway.undo_identifier_change("", &token).await;
    undone.expect("undone");
}
