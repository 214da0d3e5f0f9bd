//! MFA sessions: one code, one answer, one account.

use std::time::Duration;

use countersign_domain::application::Tokens;
use countersign_domain::model::{
    Channel, ClientContext, Code, GroupId, Locale, MfaSessionId, NamedUser, Purpose, UserId,
};
use countersign_domain::ports::{Store as _, Users as _};
use countersign_domain::testing::{World, address, password, phone_code, refusal, send_code};
use countersign_domain::use_cases::{
    Actor, CreateMfaSession, CreatedMfaSession, MfaAnswer, MfaCode, ResetPassword,
    RevokeUserSessions, SignUp, ValidateMfaSession,
};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const COOLDOWN: Duration = Duration::from_secs(60);

fn code(text: &str) -> Code {
    Code::parse(text.into()).expect("a code")
}

fn by_email(email: &str) -> NamedUser {
    NamedUser::Identifier(address(email).into())
}

fn create(user: NamedUser, code: MfaCode) -> CreateMfaSession {
    CreateMfaSession {
        group: GroupId::fallback(),
        user,
        code,
        ttl: None,
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: "gateway".into(),
        locale: Locale::English,
        client: ClientContext::default(),
    }
}

/// An MFA session with a code of the caller's own, and no cooldown left.
async fn own(world: &World, user: NamedUser, text: &str) -> CreatedMfaSession {
    let created = create(user, MfaCode::Own(code(text))).execute(&world.app);
    let created = created.await.expect("created");
    world.clock.advance(COOLDOWN);
    created
}

async fn answer(world: &World, id: &MfaSessionId, text: &str) -> Result<Tokens, Error> {
    let validate = ValidateMfaSession {
        group: GroupId::fallback(),
        id: id.clone(),
        answer: MfaAnswer::Code(code(text)),
        client_id: "gateway".into(),
        remember_device: false,
        locale: Locale::English,
    };
    validate.execute(&world.app).await
}

#[tokio::test]
async fn the_right_code_is_answered_with_tokens_once() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    for named in [by_email(EMAIL), NamedUser::Id(mina)] {
        let created = own(&world, named, "dk92kdks").await;
        let tokens = answer(&world, &created.id, "dk92kdks")
            .await
            .expect("right");
        assert_eq!(tokens.user_id, mina);
        let session = world.app.store.session_with_user(tokens.session_id).await;
        let (session, _) = session.expect("read").expect("a session");
        assert_eq!(session.methods[0].as_str(), "otp");
        assert_eq!(session.created_at, session.minted_at);
        let again = answer(&world, &created.id, "dk92kdks").await;
        assert_eq!(refusal(again), Refusal::MfaSession);
    }
}

#[tokio::test]
async fn a_code_is_sent_to_an_address_of_the_user() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    for (named, channel) in [
        (by_email(EMAIL), None),
        (by_email(EMAIL), Some(Channel::Email)),
        (NamedUser::Id(mina), None),
        (NamedUser::Id(mina), Some(Channel::Email)),
    ] {
        let created = create(named, MfaCode::Sent(channel)).execute(&world.app);
        let created = created.await.expect("created");
        let sent = world.take_code().await;
        answer(&world, &created.id, sent.expose())
            .await
            .expect("right");
        world.clock.advance(COOLDOWN);
    }
}

/// Whether or not there is anybody to write to, and at nobody's cost.
#[tokio::test]
async fn a_code_that_no_provider_can_deliver_is_refused() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    let number = phone_code("+821012345678", Purpose::SignIn, "192.0.2.1").address;
    let mut uow = world.store.begin().await.expect("begun");
    let user = world.store.user(mina).await.expect("readable");
    let (user, identifier) = (user.expect("a user"), number.clone().into());
    let given = uow.insert_identifier(&user, &identifier).await;
    given.expect("given");
    uow.commit().await.expect("committed");
    world.sender.refuse_codes();
    world.ephemeral.take_calls();
    let stranger = phone_code("+821087654321", Purpose::SignIn, "192.0.2.1").address;
    for named in [number.clone(), stranger] {
        let user = NamedUser::Identifier(named.into());
        let refused = create(user, MfaCode::Sent(None)).execute(&world.app).await;
        assert_eq!(refusal(refused), Refusal::SenderMissing);
    }
    let sign_up = SignUp {
        address: number,
        ..world.sign_up("nobody@example.com", PASSWORD)
    };
    let refused = sign_up.execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::SenderMissing);
    assert_eq!(world.ephemeral.take_calls(), 0, "nothing was charged");
    // Of two addresses the one is taken that may get it.
    let created = create(NamedUser::Id(mina), MfaCode::Sent(None)).execute(&world.app);
    created.await.expect("created");
    let sent = world.take_sent().await;
    assert!(
        matches!(&sent[..], [one] if one.to == address(EMAIL)),
        "{sent:?}"
    );
}

#[tokio::test]
async fn nobody_is_written_to_where_there_is_nobody_and_the_answer_does_not_tell() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    let nobody = NamedUser::Id(UserId::from_bytes([7; 16]));
    for (named, channel) in [
        (by_email("nobody@example.com"), None),
        (nobody, None),
        (NamedUser::Id(mina), Some(Channel::Phone)),
    ] {
        let created = create(named.clone(), MfaCode::Sent(channel)).execute(&world.app);
        let created = created.await.expect("created");
        assert!(world.take_sent().await.is_empty(), "{named:?}");
        let guess = refusal(answer(&world, &created.id, "000000x").await);
        assert_eq!(guess, Refusal::Code { remaining: 4 }, "{named:?}");
        let again = create(named, MfaCode::Sent(channel))
            .execute(&world.app)
            .await;
        assert!(matches!(
            again,
            Err(Error::Exhausted {
                limit: Limit::Messages,
                ..
            })
        ));
        world.clock.advance(COOLDOWN);
    }
    let created = own(&world, by_email("nobody@example.com"), "dk92kdks").await;
    let right = answer(&world, &created.id, "dk92kdks").await;
    assert_eq!(refusal(right), Refusal::SignIn);
}

#[tokio::test]
async fn who_sends_codes_to_an_address_does_not_notice_the_mfa_sessions_of_its_user() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    world.take_sent().await;
    let by_id = create(NamedUser::Id(mina), MfaCode::Sent(None));
    by_id.execute(&world.app).await.expect("created");
    assert_eq!(world.take_sent().await.len(), 1);
    let sent = send_code(EMAIL, Purpose::SignIn).execute(&world.app).await;
    sent.expect("there is no cooldown that would tell whose the address is");
}

#[tokio::test]
async fn a_session_supersedes_the_earlier_one_of_the_same_user() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    let first = own(&world, by_email(EMAIL), "dk92kdks").await;
    let second = own(&world, NamedUser::Id(mina), "k2lsdj0").await;
    let late = answer(&world, &first.id, "dk92kdks").await;
    assert_eq!(refusal(late), Refusal::MfaSession);
    answer(&world, &second.id, "k2lsdj0").await.expect("right");
}

#[tokio::test]
async fn wrong_codes_are_counted_by_account_and_a_new_session_renews_nothing() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    let mut compared = 0;
    for named in [by_email(EMAIL), NamedUser::Id(mina), by_email(EMAIL)] {
        let created = own(&world, named, "dk92kdks").await;
        for _ in 0..8 {
            match answer(&world, &created.id, "wrong").await {
                Err(Error::Refused(Refusal::Code { .. })) => compared += 1,
                Err(Error::Refused(Refusal::MfaSession)) => {}
                Err(Error::Exhausted { limit, .. }) => assert_eq!(limit, Limit::Attempts),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(compared, 10);
    let created = own(&world, by_email(EMAIL), "dk92kdks").await;
    let right = answer(&world, &created.id, "dk92kdks").await;
    assert!(matches!(right, Err(Error::Exhausted { .. })), "{right:?}");
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    let created = own(&world, by_email(EMAIL), "dk92kdks").await;
    answer(&world, &created.id, "dk92kdks")
        .await
        .expect("a day later");
}

#[tokio::test]
async fn another_group_or_caller_finds_no_session_and_spends_no_try() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let created = own(&world, by_email(EMAIL), "dk92kdks").await;
    let staff = world.group("staff").await;
    for (group, client_id) in [(staff, "gateway"), (GroupId::fallback(), "another")] {
        let validate = ValidateMfaSession {
            group,
            id: created.id.clone(),
            answer: MfaAnswer::Code(code("dk92kdks")),
            client_id: client_id.into(),
            remember_device: false,
            locale: Locale::English,
        };
        let refused = validate.execute(&world.app).await;
        assert_eq!(refusal(refused), Refusal::MfaSession);
    }
    answer(&world, &created.id, "dk92kdks")
        .await
        .expect("right");
}

#[tokio::test]
async fn a_user_of_another_group_is_nobody() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    let group = world.group("staff").await;
    let created = CreateMfaSession {
        group: group.clone(),
        ..create(NamedUser::Id(mina), MfaCode::Own(code("dk92kdks")))
    };
    let created = created.execute(&world.app).await.expect("created");
    let validate = ValidateMfaSession {
        group,
        id: created.id,
        answer: MfaAnswer::Code(code("dk92kdks")),
        client_id: "gateway".into(),
        remember_device: false,
        locale: Locale::English,
    };
    assert_eq!(refusal(validate.execute(&world.app).await), Refusal::SignIn);
}

#[tokio::test]
async fn a_session_expires() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let created = CreateMfaSession {
        ttl: Some(Duration::from_secs(300)),
        ..create(by_email(EMAIL), MfaCode::Own(code("dk92kdks")))
    };
    let created = created.execute(&world.app).await.expect("created");
    world.clock.advance(Duration::from_secs(300));
    let late = answer(&world, &created.id, "dk92kdks").await;
    assert_eq!(refusal(late), Refusal::MfaSession);
}

#[tokio::test]
async fn a_session_made_before_a_reset_is_worthless() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    let created = own(&world, by_email(EMAIL), "dk92kdks").await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    let wrong = answer(&world, &created.id, "wrong").await;
    assert_eq!(refusal(wrong), Refusal::Code { remaining: 4 });
    let late = answer(&world, &created.id, "dk92kdks").await;
    assert_eq!(refusal(late), Refusal::MfaSession);
}

#[tokio::test]
async fn a_session_made_before_all_sessions_were_ended_is_worthless() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    for (actor, keep_current) in [
        (Actor::Person(tokens.access_token), true),
        (Actor::User(mina), false),
    ] {
        let created = own(&world, by_email(EMAIL), "dk92kdks").await;
        let revoke = RevokeUserSessions {
            actor,
            keep_current,
        };
        revoke.execute(&world.app).await.expect("ended");
        let late = answer(&world, &created.id, "dk92kdks").await;
        assert_eq!(refusal(late), Refusal::MfaSession);
        let created = own(&world, by_email(EMAIL), "dk92kdks").await;
        let tokens = answer(&world, &created.id, "dk92kdks").await;
        tokens.expect("it was made afterwards");
    }
    let nobody = RevokeUserSessions {
        actor: Actor::User(UserId::from_bytes([7; 16])),
        keep_current: false,
    };
    assert_eq!(nobody.execute(&world.app).await.expect("an answer"), 0);
}

#[tokio::test]
async fn a_database_that_is_away_costs_no_try_and_no_code() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let created = own(&world, by_email(EMAIL), "dk92kdks").await;
    world.store.fail_begins(true);
    let broken = answer(&world, &created.id, "dk92kdks").await;
    assert!(matches!(broken, Err(Error::Store(_))), "{broken:?}");
    world.store.fail_begins(false);
    world.store.conflict(2);
    answer(&world, &created.id, "dk92kdks")
        .await
        .expect("right");
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_charged() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    for named in [by_email(EMAIL), NamedUser::Id(mina)] {
        world.ephemeral.fail_values(true);
        let unmade = create(named.clone(), MfaCode::Sent(None)).execute(&world.app);
        let unmade = unmade.await;
        assert!(matches!(unmade, Err(Error::Ephemeral(_))), "{unmade:?}");
        world.ephemeral.fail_values(false);
        let again = create(named, MfaCode::Sent(None)).execute(&world.app);
        again.await.expect("what failed was not charged");
        assert_eq!(world.take_sent().await.len(), 1);
        world.clock.advance(COOLDOWN);
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_answer() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let created = own(&world, by_email(EMAIL), "dk92kdks").await;
    world.ephemeral.set_broken(true);
    let broken = answer(&world, &created.id, "dk92kdks").await;
    assert!(matches!(broken, Err(Error::Ephemeral(_))), "{broken:?}");
    world.ephemeral.set_broken(false);
    answer(&world, &created.id, "dk92kdks")
        .await
        .expect("right");
}

#[tokio::test]
async fn without_a_sender_only_a_callers_code_is_kept() {
    let world = World::without_sender().await;
    for named in [by_email(EMAIL), NamedUser::Id(UserId::from_bytes([7; 16]))] {
        let sent = create(named.clone(), MfaCode::Sent(None)).execute(&world.app);
        assert_eq!(refusal(sent.await), Refusal::SenderMissing);
        own(&world, named, "dk92kdks").await;
    }
}
