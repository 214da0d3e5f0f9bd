//! The audit log: what use-cases write into it, from where their calls come, and that it
//! does not grow with guesses.

use std::time::Duration;

use countersign_domain::application::CallerKeeper;
use countersign_domain::model::{
    AuditAction, AuditActor, AuditEvent, AuditFilter, AuditOutcome, AuditRefusal, CallerName,
    DeviceClaim, Origin, PageSize, Password, Role, SuspensionReason, Timestamp, UserId,
};
use countersign_domain::ports::{AuditLog as _, Clock as _};
use countersign_domain::testing::{MemoryStore, World, refusal, sign_in};
use countersign_domain::use_cases::{
    Actor, AddCallerKey, CreateCaller, DeleteExpired, LookAfterUsers, NewCredential, RemoveCaller,
    RevokeToken, RevokeUserSessions, RotateSigningKeys, StepUpAnswer, StepUpSession, SuspendUser,
    WithdrawUser, WriteRefused,
};
use countersign_domain::{Application, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const WRONG: &str = "the wrong phrase";
const DAY: Duration = Duration::from_secs(86_400);

/// All entries that fit, oldest first.
async fn events(world: &World, filter: AuditFilter) -> Vec<AuditEvent> {
    let size = PageSize::parse(100).expect("a size");
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let page = world
            .store
            .audit_events(&filter, size, after.as_ref())
            .await;
        let page = page.expect("readable");
        events.extend(page.events);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    events.reverse();
    events
}

async fn of_user(world: &World, user: UserId) -> Vec<AuditEvent> {
    let filter = AuditFilter {
        user: Some(user),
        ..AuditFilter::default()
    };
    events(world, filter).await
}

fn actions(events: &[AuditEvent]) -> Vec<AuditAction> {
    events.iter().map(|event| event.action).collect()
}

/// Of each entry of refused attempts: what was tried, why it was refused, how often.
fn refused(events: &[AuditEvent]) -> Vec<(AuditAction, AuditRefusal, u32)> {
    let refused = events.iter().filter_map(|event| match event.outcome {
        AuditOutcome::Refused(attempts) => Some((event.action, attempts.reason, attempts.count)),
        AuditOutcome::Succeeded => None,
    });
    refused.collect()
}

async fn write_refused(app: &Application) -> u64 {
    WriteRefused.execute(app).await.expect("written")
}

fn suspend(id: UserId, until: Option<Timestamp>) -> SuspendUser {
    SuspendUser {
        id,
        etag: None,
        reason: SuspensionReason::default(),
        until,
    }
}

/// Lets the order of what is told be that of time.
fn tick(world: &World) {
    world.clock.advance(Duration::from_millis(1));
}

fn desk() -> Origin {
    Origin {
        actor: AuditActor::Caller("desk".into()),
        peer: "192.0.2.4".parse().ok(),
        request_id: Some("a-request".into()),
    }
}

#[tokio::test]
async fn who_did_what_to_whom_is_told_with_where_it_came_from() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    tick(&world);
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    tick(&world);
    let app = world.app.called_from(desk());
    suspend(id, None).execute(&app).await.expect("suspended");

    let told = of_user(&world, id).await;
    let [signed_up, opened, suspended] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(signed_up.action, AuditAction::UserSignedUp);
    assert_eq!(signed_up.person, Some(id));
    let masked = signed_up.target.masked.as_deref();
    assert_eq!(masked, Some("m***@example.com"));
    assert_eq!(opened.action, AuditAction::SessionOpened);
    assert_eq!(opened.target.session, Some(tokens.session_id));
    assert_eq!(opened.detail, "pwd");
    assert_eq!(suspended.action, AuditAction::UserSuspended);
    assert_eq!((&suspended.origin, suspended.person), (&desk(), None));
    assert_eq!(suspended.id.time(), world.app.clock.now());
    assert!(!format!("{told:?}").contains("mina@"), "no full address");
}

#[tokio::test]
async fn what_is_not_committed_is_not_told() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let before = of_user(&world, id).await;
    world.store.fail_commits(true);
    for _ in 0..3 {
        suspend(id, None)
            .execute(&world.app)
            .await
            .expect_err("no commit");
        world.sign_in(EMAIL, PASSWORD).await.expect_err("no commit");
    }
    world.store.fail_commits(false);
    assert_eq!(of_user(&world, id).await, before);
    // Once, however often a race is lost before.
    world.store.conflict(3);
    world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let after = of_user(&world, id).await;
    assert_eq!(after.len(), before.len() + 1, "{after:?}");
}

#[tokio::test]
async fn refreshing_tells_nothing_and_reuse_does_once() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let first = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let before = of_user(&world, id).await.len();
    let mut token = first.refresh_token.clone();
    for _ in 0..5 {
        token = world
            .refresh(&token)
            .await
            .expect("refreshed")
            .refresh_token;
    }
    assert_eq!(of_user(&world, id).await.len(), before);
    for _ in 0..3 {
        let again = world.refresh(&first.refresh_token).await;
        assert!(matches!(
            refusal(again),
            Refusal::RefreshTokenReused | Refusal::SessionEnded
        ));
    }
    let told = of_user(&world, id).await;
    let reused = (
        AuditAction::RefreshTokenReused,
        AuditRefusal::RefreshTokenReused,
        1,
    );
    assert_eq!(refused(&told), [reused]);
    assert_eq!(told.len(), before + 1);
}

#[tokio::test]
async fn guesses_at_an_account_are_one_entry_an_hour_and_made_up_names_none() {
    let world = World::with(|settings| {
        settings.source_attempts.clear();
        settings.attempts_per_source = (u32::MAX, DAY);
    })
    .await;
    let id = world.user(EMAIL, PASSWORD).await;
    let before = events(&world, AuditFilter::default()).await.len();
    let guess = async |email: &str| {
        let guess = world.sign_in(email, WRONG).await;
        assert_eq!(refusal(guess), Refusal::SignIn);
    };
    for number in 0..500 {
        guess(EMAIL).await;
        guess(&format!("nobody{number}@example.com")).await;
        if number % 100 == 0 {
            write_refused(&world.app).await;
        }
    }
    write_refused(&world.app).await;
    let counted = (AuditAction::SessionOpened, AuditRefusal::SignIn, 500);
    assert_eq!(refused(&of_user(&world, id).await), [counted]);
    let after = events(&world, AuditFilter::default()).await.len();
    assert_eq!(after, before + 1, "made-up names leave nothing");

    world.clock.advance(Duration::from_secs(3600));
    guess(EMAIL).await;
    write_refused(&world.app).await;
    let one = (AuditAction::SessionOpened, AuditRefusal::SignIn, 1);
    assert_eq!(refused(&of_user(&world, id).await), [counted, one]);
}

#[tokio::test]
async fn counts_that_cannot_be_written_are_kept_for_later() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    world.sign_in(EMAIL, WRONG).await.expect_err("refused");
    for fail in [MemoryStore::fail_begins, MemoryStore::fail_commits] {
        fail(&world.store, true);
        WriteRefused.execute(&world.app).await.expect_err("fails");
        fail(&world.store, false);
    }
    world.sign_in(EMAIL, WRONG).await.expect_err("refused");
    assert_eq!(write_refused(&world.app).await, 0);
    let counted = (AuditAction::SessionOpened, AuditRefusal::SignIn, 2);
    assert_eq!(refused(&of_user(&world, id).await), [counted]);
}

#[tokio::test]
async fn refusals_of_people_who_have_proved_themselves_are_told() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let step_up = StepUpSession {
        access_token: tokens.access_token,
        answer: StepUpAnswer::Password(Password::to_compare(WRONG.into()).expect("a password")),
        client_id: "gateway".into(),
        device: DeviceClaim::Untold,
    };
    let wrong = step_up.execute(&world.app).await.map(drop);
    assert_eq!(refusal(wrong), Refusal::Password);
    suspend(id, None)
        .execute(&world.app)
        .await
        .expect("suspended");
    let app = world.app.called_from(desk());
    let blocked = sign_in(EMAIL, PASSWORD).execute(&app).await.map(drop);
    assert_eq!(refusal(blocked), Refusal::UserSuspended);
    write_refused(&world.app).await;
    let mut told = refused(&of_user(&world, id).await);
    told.sort();
    let expected = [
        (AuditAction::SessionOpened, AuditRefusal::UserSuspended, 1),
        (AuditAction::SessionSteppedUp, AuditRefusal::Password, 1),
    ];
    assert_eq!(told, expected);
    let by_desk = AuditFilter {
        caller: Some("desk".into()),
        refused: Some(true),
        ..AuditFilter::default()
    };
    assert_eq!(events(&world, by_desk).await.len(), 1);
}

#[tokio::test]
async fn ends_of_sessions_are_told_once() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let first = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    for token in [first.refresh_token, first.access_token, "nonsense".into()] {
        tick(&world);
        let revoke = RevokeToken { token };
        revoke.execute(&world.app).await.expect("revoked");
    }
    let all = RevokeUserSessions {
        actor: Actor::User(id),
        keep_current: false,
    };
    tick(&world);
    assert_eq!(all.execute(&world.app).await.expect("revoked"), 1);
    let nobody = RevokeUserSessions {
        actor: Actor::User(UserId::from_bytes([9; 16])),
        keep_current: false,
    };
    assert_eq!(nobody.execute(&world.app).await.expect("revoked"), 0);
    let told = of_user(&world, id).await;
    assert_eq!(
        actions(&told)[3..],
        [
            AuditAction::SessionRevoked,
            AuditAction::UserSessionsRevoked
        ]
    );
    assert_eq!(told[3].target.session, Some(first.session_id));
    assert_eq!((told[3].person, told[4].person), (Some(id), None));
    assert_eq!(told[4].detail, "1 sessions");
    let of_nobody = of_user(&world, UserId::from_bytes([9; 16])).await;
    assert!(of_nobody.is_empty());
}

#[tokio::test]
async fn what_the_server_does_by_itself_is_told_as_its_own() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let until = Some(world.app.clock.now().plus(DAY));
    let app = world.app.called_from(desk());
    suspend(id, until).execute(&app).await.expect("suspended");
    world.clock.advance(DAY);
    let look_after = LookAfterUsers { batch: 10 };
    look_after.execute(&world.app).await.expect("reinstated");
    let withdraw = WithdrawUser { id, etag: None };
    withdraw.execute(&app).await.expect("withdrawn");
    world.clock.advance(world.app.settings.users.retention);
    let look_after = LookAfterUsers { batch: 10 };
    look_after.execute(&world.app).await.expect("erased");
    let told = of_user(&world, id).await;
    let by_server = told.iter().filter(|event| event.origin == Origin::server());
    let by_server: Vec<_> = by_server.map(|event| event.action).collect();
    assert_eq!(
        by_server[1..],
        [AuditAction::UserReinstated, AuditAction::UserErased]
    );

    let rotation = RotateSigningKeys {
        retired_for: DAY,
        if_older_than: Duration::ZERO,
        known_after: Duration::ZERO,
    };
    rotation.execute(world.keeper()).await.expect("rotated");
    let keys = AuditFilter {
        actions: vec![
            AuditAction::SigningKeyCreated,
            AuditAction::SigningKeyRotated,
        ],
        ..AuditFilter::default()
    };
    let mut told = actions(&events(&world, keys).await);
    told.sort();
    let created = [AuditAction::SigningKeyCreated; 3];
    assert_eq!(told[..3], created);
    assert_eq!(told[3..], [AuditAction::SigningKeyRotated]);
}

#[tokio::test]
async fn callers_and_their_keys_are_told_and_no_secret_of_them() {
    let world = World::new().await;
    let operator = Origin::command_line();
    let keeper = CallerKeeper {
        store: &*world.app.store,
        clock: &*world.app.clock,
        random: &*world.app.random,
        origin: &operator,
    };
    let name = CallerName::parse("shop").expect("a name");
    let create = CreateCaller {
        name: name.clone(),
        roles: vec![Role::Gateway],
        credential: NewCredential::Key { expires_in: None },
    };
    let key = create.execute(keeper).await.expect("added").expect("a key");
    let add = AddCallerKey {
        name: name.clone(),
        expires_in: None,
    };
    let second = add.execute(keeper).await.expect("added");
    for was_there in [true, false] {
        let remove = RemoveCaller { name: name.clone() };
        assert_eq!(remove.execute(keeper).await.expect("an answer"), was_there);
    }
    let told = events(&world, AuditFilter::default()).await;
    let told: Vec<_> = told
        .into_iter()
        .filter(|event| event.origin.actor == AuditActor::CommandLine)
        .collect();
    let mut done = actions(&told);
    done.sort();
    assert_eq!(
        done,
        [
            AuditAction::CallerAdded,
            AuditAction::CallerRemoved,
            AuditAction::CallerKeyAdded
        ]
    );
    assert!(
        told.iter()
            .all(|event| event.target.name.as_deref() == Some("shop"))
    );
    let shown = format!("{told:?}");
    for secret in [key.expose(), second.expose()] {
        assert!(!shown.contains(secret));
    }
}

#[tokio::test]
async fn entries_are_deleted_after_their_retention() {
    let world = World::with(|settings| settings.audit_retention = 30 * DAY).await;
    let id = world.user(EMAIL, PASSWORD).await;
    world.clock.advance(29 * DAY);
    let delete = async || {
        let deleted = DeleteExpired { batch: 2 }.execute(&world.app).await;
        deleted.expect("deleted");
    };
    delete().await;
    assert_eq!(of_user(&world, id).await.len(), 1);
    world.clock.advance(DAY + Duration::from_secs(3600));
    suspend(id, None)
        .execute(&world.app)
        .await
        .expect("suspended");
    delete().await;
    let kept = events(&world, AuditFilter::default()).await;
    assert_eq!(actions(&kept), [AuditAction::UserSuspended]);
}
