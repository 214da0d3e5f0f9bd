//! Adding, changing and removing addresses, and what a proof of them is good for.

mod support;
mod undoing;

use std::time::Duration;

use countersign_domain::model::{Locale, Purpose};
use countersign_domain::ports::Content;
use countersign_domain::testing::{address, password, refusal, send_code};
use countersign_domain::use_cases::{
    AddIdentifier, ChangePassword, ListIdentifiers, ResetPassword, SendCode,
};
use countersign_domain::{Error, Limit, Refusal};

use self::support::{EMAIL, Mina, NEW, OTHER, PASSWORD, change, prove_for};

/// Between two messages to one address.
const COOLDOWN: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_changed_address_counts_at_once_and_the_old_one_no_more() {
    let mina = Mina::new().await;
    let world = &mina.world;
    let changed = mina.change_to(NEW).await.expect("changed");
    assert_eq!(changed, address(NEW));
    let refused = world.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(refusal(refused), Refusal::SignIn);
    let tokens = world.sign_in(NEW, PASSWORD).await.expect("signed in");
    assert_eq!(tokens.user_id, mina.id);
    // The session that changed it stays.
    let refreshed = world.refresh(&mina.tokens.refresh_token).await;
    refreshed.expect("it lives");

    world.clock.advance(COOLDOWN);
    let proof = world.prove(NEW, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("a proof"),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    world.take_sent().await;
    // Nobody is written to at the old one.
    let sent = send_code(EMAIL, Purpose::SignIn).execute(&world.app).await;
    sent.expect("the answer does not tell");
    assert!(world.take_sent().await.is_empty());
}

#[tokio::test]
async fn each_change_is_told_to_the_addresses_that_there_were() {
    let mina = Mina::new().await;
    mina.add(OTHER).await.expect("added");
    let told = mina.told().await;
    assert_eq!(told, [(EMAIL.to_owned(), "added")]);
    mina.change_to(NEW).await.expect("changed");
    let told = mina.told().await;
    let both = [(OTHER.to_owned(), "changed"), (EMAIL.to_owned(), "changed")];
    assert_eq!(told, both);
    // What was proved before is worth nothing, and the person signs in anew.
    let mina = mina.signed_in_anew(NEW).await;
    mina.remove(OTHER).await.expect("removed");
    let told = mina.told().await;
    let both = [(OTHER.to_owned(), "removed"), (NEW.to_owned(), "removed")];
    assert_eq!(told, both);
    let listed = mina.list().await;
    assert_eq!(listed.addresses, [address(NEW)]);
    let kinds = listed.undoable.iter().map(|undoable| {
        let change = &undoable.change;
        (change.added.clone(), change.removed.clone())
    });
    let expected = [
        (Some(address(OTHER)), None),
        (Some(address(NEW)), Some(address(EMAIL))),
        (None, Some(address(OTHER))),
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_proof_is_good_for_the_person_who_asked_for_it() {
    let mina = Mina::new().await;
    let world = &mina.world;
    world.user(OTHER, PASSWORD).await;
    let juno = world.sign_in(OTHER, PASSWORD).await.expect("signed in");
    let proof = mina.prove(NEW).await;
    // What Mina has proved gives Juno nothing, and stays good for her.
    let stolen = AddIdentifier {
        access_token: juno.access_token.clone(),
        proof: proof.clone(),
        locale: Locale::English,
    };
    assert_eq!(refusal(stolen.execute(&world.app).await), Refusal::Proof);
    // It is no proof for anything else, and nothing else is one for this.
    let sign_up = world.sign_up_proven(NEW, None, proof.clone());
    assert_eq!(refusal(sign_up.execute(&world.app).await), Refusal::Proof);
    let sign_up = world.prove("nana@example.com", Purpose::SignUp).await;
    let foreign = mina.change(EMAIL, sign_up.expect("a proof")).await;
    assert_eq!(refusal(foreign), Refusal::Proof);
    mina.change(EMAIL, proof.clone()).await.expect("changed");
    let again = mina.change(NEW, proof).await;
    assert_eq!(refusal(again), Refusal::Proof);
}

#[tokio::test]
async fn a_new_password_kills_what_was_proved_before() {
    let mina = Mina::new().await;
    let proof = mina.prove(NEW).await;
    let change = ChangePassword {
        access_token: mina.access_token(),
        current: password(PASSWORD),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    change.execute(&mina.world.app).await.expect("changed");
    let refused = mina.change(EMAIL, proof).await;
    assert_eq!(refusal(refused), Refusal::Proof);
}

#[tokio::test]
async fn what_was_proved_at_the_old_address_dies_with_it() {
    let mina = Mina::new().await;
    let world = &mina.world;
    let reset = world.prove(EMAIL, Purpose::PasswordReset).await;
    let sign_in = world.prove(EMAIL, Purpose::SignIn).await;
    mina.change_to(NEW).await.expect("changed");
    let reset = ResetPassword {
        proof: reset.expect("a proof"),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    assert_eq!(refusal(reset.execute(&world.app).await), Refusal::Proof);
    let signed_in = support::sign_in_proven(world, sign_in.expect("a proof")).await;
    assert_eq!(refusal(signed_in), Refusal::Proof);
}

#[tokio::test]
async fn a_code_to_change_an_address_needs_the_person() {
    let mina = Mina::new().await;
    let world = &mina.world;
    let without = send_code(NEW, Purpose::ChangeIdentifier);
    let refused = without.execute(&world.app).await;
    let Err(Error::Invalid(violations)) = refused else {
        panic!("expected a violation, got {refused:?}");
    };
    assert_eq!(violations[0].field, "access_token");
    let of_nobody = SendCode {
        access_token: Some("nothing".into()),
        ..send_code(NEW, Purpose::ChangeIdentifier)
    };
    let refused = refusal(of_nobody.execute(&world.app).await);
    assert!(matches!(refused, Refusal::AccessToken(_)), "{refused:?}");
    let elsewhere = SendCode {
        access_token: Some(mina.access_token()),
        group: world.group("other").await,
        ..send_code(NEW, Purpose::ChangeIdentifier)
    };
    let refused = elsewhere.execute(&world.app).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    // What was refused has cost the address nothing.
    assert!(world.take_sent().await.is_empty());
    mina.change_to(NEW).await.expect("changed");
}

#[tokio::test]
async fn an_address_of_somebody_else_is_taken_once_it_is_proved() {
    let mina = Mina::new().await;
    let world = &mina.world;
    world.user(OTHER, PASSWORD).await;
    // The code goes out: nobody learns whether there is an account.
    let proof = mina.prove(OTHER).await;
    let refused = mina.change(EMAIL, proof.clone()).await;
    assert_eq!(refusal(refused), Refusal::IdentifierTaken);
    let refused = mina.add_proven(proof).await;
    assert_eq!(refusal(refused), Refusal::IdentifierTaken);
    // One's own is, too.
    let proof = mina.prove(EMAIL).await;
    let refused = mina.add_proven(proof).await;
    assert_eq!(refusal(refused), Refusal::IdentifierTaken);
    assert_eq!(mina.list().await.addresses, [address(EMAIL)]);
    assert!(mina.list().await.undoable.is_empty());
}

#[tokio::test]
async fn the_last_address_stays_and_what_is_not_there_is_not_found() {
    let mina = Mina::new().await;
    assert_eq!(refusal(mina.remove(EMAIL).await), Refusal::LastIdentifier);
    assert_eq!(refusal(mina.remove(OTHER).await), Refusal::Identifier);
    let proof = mina.prove(NEW).await;
    let refused = mina.change(OTHER, proof.clone()).await;
    assert_eq!(refusal(refused), Refusal::Identifier);
    mina.add_proven(proof).await.expect("added");
    mina.remove(EMAIL).await.expect("removed");
    let mina = mina.signed_in_anew(NEW).await;
    assert_eq!(refusal(mina.remove(NEW).await), Refusal::LastIdentifier);
}

#[tokio::test]
async fn a_person_has_ten_addresses_at_the_most() {
    let mina = Mina::new().await;
    for number in 1..10 {
        let added = mina.add(&format!("mina{number}@example.com")).await;
        added.expect("added");
    }
    let refused = mina.add("mina10@example.com").await;
    assert_eq!(refusal(refused), Refusal::TooManyIdentifiers);
    mina.change_to(NEW).await.expect("it stays ten");
    assert_eq!(mina.list().await.addresses.len(), 10);
}

#[tokio::test]
async fn an_old_sign_in_changes_nothing() {
    let mina = Mina::new().await;
    let proof = mina.prove(NEW).await;
    let mut mina = mina;
    mina.world.clock.advance(Duration::from_secs(601));
    let renewed = mina.world.refresh(&mina.tokens.refresh_token).await;
    mina.tokens = renewed.expect("a refresh makes no sign-in");
    let old = Refusal::AuthenticationTooOld {
        max_age: Duration::from_secs(600),
    };
    assert_eq!(refusal(mina.change(EMAIL, proof).await), old);
    assert_eq!(refusal(mina.remove(EMAIL).await), old);
    let asked = prove_for(&mina.world, &mina.access_token(), NEW).await;
    assert_eq!(refusal(asked), old);
    let list = ListIdentifiers {
        access_token: "nothing".into(),
    };
    let refused = refusal(list.execute(&mina.world.app).await);
    assert!(matches!(refused, Refusal::AccessToken(_)), "{refused:?}");
}

#[tokio::test]
async fn twenty_changes_are_made_in_a_day_and_refused_ones_do_not_count() {
    let mina = Mina::new().await;
    for _ in 0..40 {
        assert_eq!(refusal(mina.remove(OTHER).await), Refusal::Identifier);
    }
    let mut mina = mina;
    let mut before = EMAIL.to_owned();
    for number in 0..20 {
        let next = format!("mina{number}@example.com");
        let proof = mina.prove(&next).await;
        mina.change(&before, proof).await.expect("changed");
        mina = mina.signed_in_anew(&next).await;
        before = next;
    }
    let proof = mina.prove(NEW).await;
    let refused = mina.change(&before, proof.clone()).await;
    assert!(
        matches!(
            refused,
            Err(Error::Exhausted {
                limit: Limit::Attempts,
                ..
            })
        ),
        "{refused:?}"
    );
    // Another account has its own.
    mina.world.user(OTHER, PASSWORD).await;
    let juno = mina.world.sign_in(OTHER, PASSWORD).await.expect("in");
    let theirs = "juno2@example.com";
    let proof = prove_for(&mina.world, &juno.access_token, theirs).await;
    let changed = change(
        &mina.world,
        &juno.access_token,
        OTHER,
        proof.expect("a proof"),
    );
    changed.await.expect("changed");
}

#[tokio::test]
async fn what_could_not_be_done_spends_no_proof_and_changes_nothing() {
    let mina = Mina::new().await;
    let proof = mina.prove(NEW).await;
    mina.world.store.fail_begins(true);
    let failed = mina.change(EMAIL, proof.clone()).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    mina.world.store.fail_begins(false);
    // One that loses a race is repeated, and spends the proof once.
    mina.world.store.conflict(2);
    mina.change(EMAIL, proof).await.expect("changed");
    let addresses = mina.list().await.addresses;
    assert_eq!(addresses, [address(NEW)]);
    let mina = mina.signed_in_anew(NEW).await;
    let proof = mina.prove(OTHER).await;
    mina.told().await;
    mina.world.store.fail_commits(true);
    let failed = mina.change(NEW, proof).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    mina.world.store.fail_commits(false);
    assert_eq!(mina.list().await.addresses, [address(NEW)]);
    assert!(mina.told().await.is_empty());
}

#[tokio::test]
async fn a_held_address_is_nobody_elses_until_the_change_cannot_be_undone() {
    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let world = &mina.world;
    world.user(OTHER, PASSWORD).await;
    let juno = world.sign_in(OTHER, PASSWORD).await.expect("signed in");
    let proof = prove_for(world, &juno.access_token, EMAIL).await;
    let taken = change(world, &juno.access_token, OTHER, proof.expect("a proof")).await;
    assert_eq!(refusal(taken), Refusal::IdentifierTaken);
    world.clock.advance(COOLDOWN);
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("a proof");
    let sign_up = world.sign_up_proven(EMAIL, None, proof);
    let taken = sign_up.execute(&world.app).await;
    assert_eq!(refusal(taken), Refusal::IdentifierTaken);
    let pending = world.pending(EMAIL, PASSWORD).await;
    let taken = pending.execute(&world.app).await;
    assert_eq!(refusal(taken), Refusal::IdentifierTaken);

    world.clock.advance(world.app.settings.undo_time);
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("a proof");
    let sign_up = world.sign_up_proven(EMAIL, None, proof);
    sign_up.execute(&world.app).await.expect("it is free");
}

#[tokio::test]
async fn the_person_who_had_a_held_address_may_have_it_back() {
    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let mina = mina.signed_in_anew(NEW).await;
    mina.world.clock.advance(Duration::from_secs(60));
    let proof = mina.prove(EMAIL).await;
    mina.change(NEW, proof).await.expect("changed back");
    assert_eq!(mina.list().await.addresses, [address(EMAIL)]);
}

#[tokio::test]
async fn notices_name_the_addresses_so_that_their_owner_knows_them() {
    let mina = Mina::new().await;
    let named = async || {
        let sent = mina.world.take_sent().await;
        let named = sent.into_iter().find_map(|message| match message.content {
            Content::IdentifierChanged { masked, .. } => Some(masked),
            _ => None,
        });
        named.expect("a notice")
    };
    mina.add(OTHER).await.expect("added");
    assert_eq!(named().await, "j***@example.com");
    mina.change_to(NEW).await.expect("changed");
    assert_eq!(named().await, "m***@example.com → n***@example.com");
    mina.remove(OTHER).await.expect("removed");
    assert_eq!(named().await, "j***@example.com");
}
