//! Undoing changes of addresses, and who tries to undo what is not theirs.

use std::time::Duration;

use countersign_domain::model::{
    Code, Factor, FactorKind, FactorLabel, GroupId, Locale, Purpose, RecoveryCode,
    SuspensionReason, UndoToken, UserState,
};
use countersign_domain::ports::{Clock as _, Factors as _, StoreError, Users as _};
use countersign_domain::testing::{address, password, refusal, sign_in};
use countersign_domain::use_cases::{
    BeginEnrollment, ChangePassword, ConfirmEnrollment, EnrollmentAnswer, Issued, ListFactors,
    LookAfterUsers, MfaAnswer, ResetPassword, SuspendUser, ValidateMfaSession, WithdrawProfile,
};
use countersign_domain::{Error, Refusal};

use super::support::{EMAIL, Mina, NEW, OTHER, PASSWORD, change, prove_for, undo_in};

const THIEFS: &str = "a phrase of the thief";

#[tokio::test]
async fn an_undo_gives_the_owner_the_account_and_puts_the_thief_out() {
    let mina = Mina::new().await;
    let world = &mina.world;
    // The owner is signed in elsewhere; the thief has the password.
    let owner = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    enroll(&mina).await;
    let change = ChangePassword {
        access_token: mina.access_token(),
        current: password(PASSWORD),
        new: password(THIEFS),
        locale: Locale::English,
    };
    change.execute(&world.app).await.expect("changed");
    world.clock.advance(Duration::from_secs(60));
    let proof = world.prove(NEW, Purpose::PasswordReset).await;
    let proof = proof.expect("a proof");
    mina.told().await;

    mina.undo(&token).await.expect("undone");
    let told = mina.told().await;
    let both = [(EMAIL.to_owned(), "undone"), (NEW.to_owned(), "undone")];
    assert_eq!(told, both);
    // The thief has no session, no password, no proof, no address and no factor.
    for tokens in [&mina.tokens, &owner] {
        let refreshed = world.refresh(&tokens.refresh_token).await;
        assert_eq!(refusal(refreshed), Refusal::SessionEnded);
    }
    for email in [EMAIL, NEW] {
        for text in [PASSWORD, THIEFS] {
            let signed_in = world.sign_in(email, text).await;
            assert_eq!(refusal(signed_in), Refusal::SignIn, "{email} {text}");
        }
    }
    let reset = ResetPassword {
        proof,
        new: password(THIEFS),
        locale: Locale::English,
    };
    assert_eq!(refusal(reset.execute(&world.app).await), Refusal::Proof);

    world.clock.advance(Duration::from_secs(60));
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("a proof"),
        new: password("a phrase of the owner"),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    // Without being asked for the factor of the thief.
    let tokens = world.sign_in(EMAIL, "a phrase of the owner").await;
    let tokens = tokens.expect("signed in");
    assert_eq!(tokens.user_id, mina.id);
    let list = ListFactors {
        access_token: tokens.access_token,
    };
    let listed = list.execute(&world.app).await.expect("listed");
    assert_eq!((listed.factors.len(), listed.recovery_codes_left), (0, 0));
    // The address of the thief is anybody's.
    world.user(NEW, PASSWORD).await;
}

/// A thief who closes the account has not taken it away, nor has the time after which it
/// would be erased.
#[tokio::test]
async fn an_undo_takes_a_withdrawal_back_and_no_suspension() {
    let mut mina = Mina::new().await;
    mina.world
        .reconfigure(|settings| settings.users.retention = Duration::ZERO);
    let world = &mina.world;
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    let leave = WithdrawProfile {
        access_token: mina.access_token(),
        locale: Locale::English,
    };
    leave.execute(&world.app).await.expect("left");
    world.clock.advance(Duration::from_secs(3_600));
    let looked_after = LookAfterUsers { batch: 100 }.execute(&world.app).await;
    assert_eq!(looked_after.expect("looked after").erased, 0);
    mina.undo(&token).await.expect("undone");
    let user = world.store.user(mina.id).await.expect("readable");
    assert_eq!(user.expect("is there").state, UserState::Active);
    world.clock.advance(Duration::from_secs(60));
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("a proof"),
        new: password("a phrase of the owner"),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    let tokens = world.sign_in(EMAIL, "a phrase of the owner").await;
    let access_token = tokens.expect("signed in").access_token;

    let proof = prove_for(world, &access_token, NEW).await;
    let changed = change(world, &access_token, EMAIL, proof.expect("a proof")).await;
    changed.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    let suspend = SuspendUser {
        id: mina.id,
        etag: None,
        reason: SuspensionReason::default(),
        until: None,
    };
    suspend.execute(&world.app).await.expect("suspended");
    mina.undo(&token).await.expect("undone");
    let user = world.store.user(mina.id).await.expect("readable");
    assert!(matches!(
        user.expect("is there").state,
        UserState::Suspended(_)
    ));
    let there = world.store.addresses(mina.id).await.expect("readable");
    assert_eq!(there, [address(EMAIL)]);
}

#[tokio::test]
async fn an_undo_gives_the_owner_the_changes_of_the_thief_back() {
    let mina = Mina::new().await;
    let world = &mina.world;
    mina.add("thief@example.com").await.expect("added");
    let token = mina.undo_token(EMAIL).await;
    for number in 0..9 {
        let address = format!("thief{number}@example.com");
        mina.add(&address).await.expect("added");
        mina.remove(&address).await.expect("removed");
    }
    mina.remove("thief@example.com").await.expect("removed");
    let exhausted = mina.remove(EMAIL).await;
    assert!(matches!(exhausted, Err(Error::Exhausted { .. })));
    mina.undo(&token).await.expect("undone");
    let reset = ResetPassword {
        proof: world
            .prove(EMAIL, Purpose::PasswordReset)
            .await
            .expect("a proof"),
        new: password(PASSWORD),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    let mina = mina.signed_in_anew(EMAIL).await;
    mina.change_to(NEW).await.expect("the owner may change it");
}

/// Enrols an app, as somebody does who has just signed in.
async fn enroll(mina: &Mina) -> Vec<RecoveryCode> {
    let app = &mina.world.app;
    let begin = BeginEnrollment {
        access_token: mina.access_token(),
        kind: FactorKind::Totp,
        label: FactorLabel::parse("phone").expect("a name"),
    };
    // The version of the credentials is another since the change.
    let begun = begin.execute(app).await.expect("begun").enrollment;
    let code = begun.totp().expect("an app");
    let code = code.code_at(app.clock.now());
    let confirm = ConfirmEnrollment {
        access_token: mina.access_token(),
        enrollment_id: begun.id,
        answer: EnrollmentAnswer::Code(Code::typed(&code).expect("a code")),
        locale: Locale::English,
    };
    confirm.execute(app).await.expect("enrolled").recovery_codes
}

/// The person after a sign-in with a second factor.
async fn showing(mina: Mina, code: &RecoveryCode) -> Mina {
    let issued = sign_in(EMAIL, PASSWORD).execute(&mina.world.app).await;
    let Issued::MfaRequired(required) = issued.expect("asked") else {
        panic!("expected a question for a second factor");
    };
    let answer = ValidateMfaSession {
        group: GroupId::fallback(),
        id: required.id,
        answer: MfaAnswer::Code(Code::typed(&code.to_shown()).expect("a code")),
        client_id: "gateway".into(),
        remember_device: false,
        locale: Locale::English,
    };
    let tokens = answer.execute(&mina.world.app).await.expect("right");
    Mina { tokens, ..mina }
}

#[tokio::test]
async fn factors_from_long_before_the_sign_in_stay() {
    let mina = Mina::new().await;
    let codes = enroll(&mina).await;
    let store = &mina.world.store;
    let kept = store.factors(mina.id).await.expect("readable");
    // A much later sign-in, which shows it, changes the addresses.
    let undo_time = mina.world.app.settings.undo_time;
    let later = undo_time + Duration::from_secs(1);
    mina.world.clock.advance(later);
    let mina = showing(mina, &codes[0]).await;
    mina.add(NEW).await.expect("added");
    let token = mina.undo_token(EMAIL).await;
    mina.world.clock.advance(Duration::from_secs(31));
    enroll(&mina).await;
    mina.undo(&token).await.expect("undone");
    let store = &mina.world.store;
    let factors = store.factors(mina.id).await.expect("readable");
    let ids = |factors: &[Result<Factor, StoreError>]| {
        factors
            .iter()
            .flatten()
            .map(|factor| factor.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&factors), ids(&kept));
    assert_eq!(factors.len(), 1);
}

#[tokio::test]
async fn a_factor_that_the_thief_enrolled_at_an_earlier_sign_in_goes_too() {
    let mina = Mina::new().await;
    let codes = enroll(&mina).await;
    let hours = Duration::from_secs(10 * 3_600);
    mina.world.clock.advance(hours);
    let mina = showing(mina, &codes[0]).await;
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    mina.undo(&token).await.expect("undone");
    let store = &mina.world.store;
    let factors = store.factors(mina.id).await.expect("readable");
    assert_eq!(factors.len(), 0);
    assert_eq!(store.recovery_codes_left(mina.id).await.expect("told"), 0);
}

/// However long the person waits with the change after that.
#[tokio::test]
async fn an_undo_takes_the_factors_of_as_long_before_the_authentication() {
    let minutes = Duration::from_secs(4 * 60);
    for (is_kept, before) in [(true, Duration::from_millis(1)), (false, Duration::ZERO)] {
        let mina = Mina::new().await;
        let codes = enroll(&mina).await;
        let undo_time = mina.world.app.settings.undo_time;
        mina.world.clock.advance(undo_time + before);
        let mina = showing(mina, &codes[0]).await;
        mina.world.clock.advance(minutes);
        mina.change_to(NEW).await.expect("changed");
        let token = mina.undo_token(EMAIL).await;
        mina.undo(&token).await.expect("undone");
        let factors = mina.world.store.factors(mina.id).await;
        assert_eq!(factors.expect("readable").len(), usize::from(is_kept));
    }
}

/// The time of a change is that which its notice told.
#[tokio::test]
async fn a_longer_setting_does_not_lengthen_what_was_promised() {
    let mut mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    let end = mina.world.app.settings.undo_time;
    mina.world
        .reconfigure(|settings| settings.undo_time = 2 * end);
    mina.world.clock.advance(end);
    assert_eq!(refusal(mina.undo(&token).await), Refusal::Undo);
    // Nor is the address held for longer.
    mina.world.user(EMAIL, PASSWORD).await;
}

#[tokio::test]
async fn an_undo_is_good_once_in_its_group_and_in_its_time() {
    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    let elsewhere = mina.world.group("other").await;
    let refused = undo_in(&mina.world, elsewhere, &token).await;
    assert_eq!(refusal(refused), Refusal::Undo);
    let unknown = UndoToken::parse(&"A".repeat(22)).expect("a token");
    assert_eq!(refusal(mina.undo(&unknown).await), Refusal::Undo);
    let end = mina.world.app.settings.undo_time;
    mina.world.clock.advance(end - Duration::from_millis(1));
    mina.undo(&token).await.expect("the last moment");
    assert_eq!(refusal(mina.undo(&token).await), Refusal::Undo);

    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    mina.world.clock.advance(end);
    assert_eq!(refusal(mina.undo(&token).await), Refusal::Undo);
    mina.world.sign_in(NEW, PASSWORD).await.expect("as it was");
}

#[tokio::test]
async fn a_shorter_setting_does_not_shorten_what_was_promised() {
    let mut mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    let hour = Duration::from_secs(3_600);
    mina.world.reconfigure(|settings| settings.undo_time = hour);
    mina.world.clock.advance(2 * hour);
    mina.undo(&token).await.expect("undone");
}

#[tokio::test]
async fn the_undo_of_the_first_of_two_changes_undoes_both() {
    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let first = mina.undo_token(EMAIL).await;
    let mina = mina.signed_in_anew(NEW).await;
    let proof = mina.prove(OTHER).await;
    mina.change(NEW, proof).await.expect("changed again");
    let second = mina.undo_token(NEW).await;
    mina.undo(&first).await.expect("undone");
    assert_eq!(refusal(mina.undo(&second).await), Refusal::Undo);
    let store = &mina.world.store;
    let addresses = store.addresses(mina.id).await;
    assert_eq!(addresses.expect("readable"), [address(EMAIL)]);
    // Neither of the two others is held for anybody.
    mina.world.clock.advance(Duration::from_secs(60));
    mina.world.user(NEW, PASSWORD).await;
    mina.world.user(OTHER, PASSWORD).await;
}

#[tokio::test]
async fn any_undo_gives_the_account_to_who_had_it_first() {
    // A thief adds an address, and removes the owner's: both get a notice of that.
    let mina = Mina::new().await;
    mina.add(NEW).await.expect("added");
    let first = mina.undo_token(EMAIL).await;
    mina.remove(EMAIL).await.expect("removed");
    let latest = mina.undo_token(NEW).await;
    mina.undo(&latest).await.expect("undone");
    let store = &mina.world.store;
    let addresses = store.addresses(mina.id).await;
    assert_eq!(addresses.expect("readable"), [address(EMAIL)]);
    assert_eq!(refusal(mina.undo(&first).await), Refusal::Undo);
    assert_eq!(refusal(mina.undo(&latest).await), Refusal::Undo);
}

#[tokio::test]
async fn a_change_that_cannot_be_undone_any_more_stays() {
    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let first = mina.undo_token(EMAIL).await;
    mina.world.clock.advance(mina.world.app.settings.undo_time);
    let mina = mina.signed_in_anew(NEW).await;
    let proof = mina.prove(OTHER).await;
    mina.change(NEW, proof).await.expect("changed");
    let second = mina.undo_token(NEW).await;
    assert_eq!(refusal(mina.undo(&first).await), Refusal::Undo);
    mina.undo(&second).await.expect("undone");
    let store = &mina.world.store;
    let addresses = store.addresses(mina.id).await;
    assert_eq!(addresses.expect("readable"), [address(NEW)]);
}

#[tokio::test]
async fn an_undo_that_could_not_be_made_stays_good() {
    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    mina.world.store.fail_begins(true);
    let failed = mina.undo(&token).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    mina.world.store.fail_begins(false);
    mina.world.store.fail_commits(true);
    let failed = mina.undo(&token).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    mina.world.store.fail_commits(false);
    mina.world.sign_in(NEW, PASSWORD).await.expect("as it was");
    mina.world.store.conflict(2);
    mina.undo(&token).await.expect("undone");
}

#[tokio::test]
async fn a_damaged_undo_is_no_answer_and_harms_nothing_else() {
    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let token = mina.undo_token(EMAIL).await;
    mina.world.store.damage_undos().await;
    let failed = mina.undo(&token).await;
    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    let listed = mina.list().await;
    assert_eq!(listed.addresses, [address(NEW)]);
    assert!(listed.undoable.is_empty());
    // The address is held as before, and the next change can be undone once the damaged
    // one is over.
    let proof = prove_for(&mina.world, &mina.access_token(), OTHER).await;
    let hour = Duration::from_secs(3_600);
    mina.world.clock.advance(hour);
    let mina = mina.signed_in_anew(NEW).await;
    assert!(proof.is_ok());
    let proof = mina.prove("nana@example.com").await;
    mina.change(NEW, proof).await.expect("changed");
    let token = mina.undo_token(NEW).await;
    mina.world
        .clock
        .advance(mina.world.app.settings.undo_time - hour);
    mina.undo(&token).await.expect("undone");
}

#[tokio::test]
async fn an_undo_that_cannot_know_all_changes_does_nothing() {
    // A thief adds an address, and removes the owner's. What was before the first of
    // the two cannot be known any more.
    let mina = Mina::new().await;
    mina.add(NEW).await.expect("added");
    mina.undo_token(EMAIL).await;
    mina.world.store.damage_undos().await;
    mina.remove(EMAIL).await.expect("removed");
    let token = mina.undo_token(EMAIL).await;
    let failed = mina.undo(&token).await;
    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    mina.world.sign_in(NEW, PASSWORD).await.expect("as it was");
}

#[tokio::test]
async fn an_address_is_held_as_long_as_an_earlier_change_can_be_undone() {
    let mut mina = Mina::new().await;
    mina.add(NEW).await.expect("added");
    let first = mina.undo_token(EMAIL).await;
    let hour = Duration::from_secs(3_600);
    mina.world.reconfigure(|settings| settings.undo_time = hour);
    mina.remove(EMAIL).await.expect("removed");
    mina.world.clock.advance(2 * hour);
    let proof = mina.world.prove(EMAIL, Purpose::SignUp).await;
    let sign_up = mina
        .world
        .sign_up_proven(EMAIL, None, proof.expect("a proof"));
    let taken = sign_up.execute(&mina.world.app).await;
    assert_eq!(refusal(taken), Refusal::IdentifierTaken);
    mina.undo(&first).await.expect("undone");
    let addresses = mina.world.store.addresses(mina.id).await;
    assert_eq!(addresses.expect("readable"), [address(EMAIL)]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_mix_changes_up() {
    let mina = Mina::new().await;
    mina.change_to(NEW).await.expect("changed");
    let first = mina.undo_token(EMAIL).await;
    let earlier = mina.world.clock.now().minus(Duration::from_secs(300));
    mina.world.clock.jump_to(earlier);
    mina.world.read().await;
    let mina = mina.signed_in_anew(NEW).await;
    let proof = mina.prove(OTHER).await;
    mina.change(NEW, proof).await.expect("changed");
    let second = mina.undo_token(NEW).await;
    mina.undo(&second).await.expect("undone");
    assert_eq!(refusal(mina.undo(&first).await), Refusal::Undo);
    let store = &mina.world.store;
    let addresses = store.addresses(mina.id).await;
    assert_eq!(addresses.expect("readable"), [address(EMAIL)]);
}
