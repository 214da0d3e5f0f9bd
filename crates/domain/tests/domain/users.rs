//! Users who are blocked or have left: what time, outages and races do to them.

use std::time::Duration;

use countersign_domain::model::{
    AuditAction, AuditEvent, AuditFilter, ClientContext, EventDevice, GroupId, Locale, Origin,
    PageSize, Purpose, SuspensionReason, Timestamp, UserId, UserState,
};
use countersign_domain::ports::{AuditLog as _, Clock as _, Content, Store as _, Users as _};
use countersign_domain::testing::{World, refusal};
use countersign_domain::use_cases::{
    DeleteUser, LookAfterUsers, LookedAfter, ReinstateUser, SuspendUser, WithdrawProfile,
    WithdrawUser,
};
use countersign_domain::{Error, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);

fn suspend(id: UserId, until: Option<Timestamp>) -> SuspendUser {
    SuspendUser {
        id,
        etag: None,
        reason: SuspensionReason::default(),
        until,
    }
}

fn withdraw(id: UserId) -> WithdrawUser {
    WithdrawUser { id, etag: None }
}

async fn look_after(world: &World) -> LookedAfter {
    let done = LookAfterUsers { batch: 1 }.execute(&world.app).await;
    done.expect("looked after")
}

async fn state(world: &World, id: UserId) -> UserState {
    let user = world.store.user(id).await.expect("readable");
    user.expect("the user is there").state
}

/// What a sign-in is refused with; none, if it is not.
async fn refused(world: &World) -> Option<Refusal> {
    match world.sign_in(EMAIL, PASSWORD).await {
        Ok(_) => None,
        Err(Error::Refused(refusal)) => Some(refusal),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_suspension_ends_with_its_time_whether_or_not_the_job_has_run() {
    for has_job in [false, true] {
        let world = World::new().await;
        let id = world.user(EMAIL, PASSWORD).await;
        let until = world.app.clock.now().plus(DAY);
        let suspended = suspend(id, Some(until)).execute(&world.app).await;
        suspended.expect("suspended");
        world.clock.advance(DAY - SECOND);
        assert_eq!(look_after(&world).await, LookedAfter::default());
        assert_eq!(refused(&world).await, Some(Refusal::UserSuspended));
        world.clock.advance(SECOND);
        if has_job {
            assert_eq!(look_after(&world).await.reinstated, 1);
            assert_eq!(state(&world, id).await, UserState::Active);
        }
        assert_eq!(refused(&world).await, None, "{has_job}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_suspends_nobody_whose_suspension_was_taken_back() {
    for has_job in [false, true] {
        let world = World::new().await;
        let id = world.user(EMAIL, PASSWORD).await;
        let before = world.app.clock.now();
        let suspended = suspend(id, Some(before.plus(DAY))).execute(&world.app);
        suspended.await.expect("suspended");
        world.clock.advance(2 * DAY);
        if has_job {
            assert_eq!(look_after(&world).await.reinstated, 1);
        }
        assert_eq!(refused(&world).await, None);
        // The database's clock, which is read anew.
        world.clock.jump_to(before.plus(SECOND));
        world.read().await;
        let expected = (!has_job).then_some(Refusal::UserSuspended);
        assert_eq!(refused(&world).await, expected, "{has_job}");
        assert_eq!(look_after(&world).await, LookedAfter::default());
    }
}

#[tokio::test]
async fn a_suspension_that_is_reinstated_meanwhile_is_left_alone_by_the_job() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let until = world.app.clock.now().plus(DAY);
    for until in [Some(until), None] {
        let suspended = suspend(id, until).execute(&world.app).await;
        suspended.expect("suspended");
    }
    world.clock.advance(2 * DAY);
    // The later suspension has no end.
    assert_eq!(look_after(&world).await, LookedAfter::default());
    assert_eq!(refused(&world).await, Some(Refusal::UserSuspended));
    let reinstate = ReinstateUser { id, etag: None };
    reinstate.execute(&world.app).await.expect("reinstated");
    assert_eq!(refused(&world).await, None);
}

#[tokio::test]
async fn a_person_is_erased_with_the_end_of_the_retention_and_once() {
    let world = World::with(|settings| {
        settings.users.retention = 3 * DAY;
        settings.users.rejoin_wait = 10 * DAY;
    })
    .await;
    let id = world.user(EMAIL, PASSWORD).await;
    let at = world.app.clock.now();
    withdraw(id).execute(&world.app).await.expect("withdrawn");
    let rejoin_at = at.plus(10 * DAY);
    let told = Refusal::UserWithdrawn { at, rejoin_at };
    world.clock.advance(3 * DAY - SECOND);
    assert_eq!(look_after(&world).await.erased, 0);
    assert_eq!(refused(&world).await, Some(told));
    world.clock.advance(SECOND);
    world.store.conflict(1);
    assert_eq!(
        look_after(&world).await.erased,
        1,
        "after a race that it lost"
    );
    assert_eq!(look_after(&world).await.erased, 0);
    assert_eq!(
        refused(&world).await,
        Some(Refusal::SignIn),
        "as for nobody"
    );

    // The hash of the address stays until its day.
    let proof = world.prove(EMAIL, Purpose::SignUp);
    let proof = proof.await.expect("proved");
    let early = world.sign_up_proven(EMAIL, Some(PASSWORD), proof);
    assert_eq!(refusal(early.execute(&world.app).await), told);
    world.clock.advance(7 * DAY);
    world.user(EMAIL, PASSWORD).await;
    assert_eq!(refused(&world).await, None);
}

#[tokio::test]
async fn leaving_ends_nothing_if_it_cannot_be_written_and_all_if_it_can() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let leave = || WithdrawProfile {
        access_token: tokens.access_token.clone(),
        locale: Locale::English,
    };
    world.store.fail_commits(true);
    let outcome = leave().execute(&world.app).await;
    assert!(outcome.is_err_and(|error| !error.is_an_answer()));
    world.store.fail_commits(false);
    let tokens = world
        .refresh(&tokens.refresh_token)
        .await
        .expect("it lives on");
    world.store.conflict(2);
    let leave = WithdrawProfile {
        access_token: tokens.access_token.clone(),
        locale: Locale::English,
    };
    world.take_sent().await;
    let rejoin_at = leave.execute(&world.app).await.expect("left");
    let told = world.take_sent().await;
    assert!(matches!(told[..], [ref one] if matches!(one.content, Content::AccountClosed)));
    assert_eq!(rejoin_at, world.app.clock.now().plus(7 * DAY));
    let ended = world.refresh(&tokens.refresh_token).await;
    assert_eq!(refusal(ended), Refusal::SessionEnded);
}

#[tokio::test]
async fn a_user_who_cannot_be_read_is_deleted_by_its_id_with_all_sessions() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    world.store.damage_user(id);
    let delete = |etag: Option<&str>| DeleteUser {
        id,
        etag: etag.map(str::to_owned),
    };
    let of_a_version = delete(Some("cafe")).execute(&world.app).await;
    assert!(of_a_version.is_err_and(|error| !error.is_an_answer()));
    world.store.conflict(1);
    delete(None).execute(&world.app).await.expect("deleted");
    let gone = refusal(delete(None).execute(&world.app).await);
    assert_eq!(gone, Refusal::User);
    let refreshed = world.refresh(&tokens.refresh_token).await;
    assert_eq!(refusal(refreshed), Refusal::RefreshToken);
    world.user(EMAIL, PASSWORD).await;
    assert_eq!(refused(&world).await, None, "the address is free");
}

/// Of many more than a unit of work may change at a time.
#[tokio::test]
async fn all_entries_of_the_audit_log_lose_a_user_who_goes() {
    let world = World::new().await;
    let (deleted, erased) = ("deleted@example.com", "erased@example.com");
    let mut ids = Vec::new();
    for address in [deleted, erased] {
        let id = world.user(address, PASSWORD).await;
        ids.push(id);
        let client = ClientContext {
            ip_address: "192.0.2.9".parse().ok(),
            user_agent: "Firefox".into(),
        };
        let mut uow = world.store.begin().await.expect("begun");
        for _ in 0..2_500 {
            let (origin, now) = (Origin::server(), world.app.clock.now());
            let random = &*world.app.random;
            let event = AuditEvent::new(AuditAction::SessionOpened, origin, now, random);
            let event = event.on_user(id, &GroupId::fallback()).from_device(&client);
            uow.insert_audit_event(&event).await.expect("written");
        }
        uow.commit().await.expect("committed");
    }
    let of_a_version = DeleteUser {
        id: ids[0],
        etag: Some("cafe".into()),
    };
    let refused = of_a_version.execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::Etag);
    // With the one that tells of the user's beginning.
    assert_eq!(with_device(&world, ids[0]).await, (2_500, 2_501));

    let delete = DeleteUser {
        id: ids[0],
        etag: None,
    };
    delete.execute(&world.app).await.expect("deleted");
    withdraw(ids[1])
        .execute(&world.app)
        .await
        .expect("withdrawn");
    world.clock.advance(DAY * 8);
    let done = LookAfterUsers { batch: 10 }.execute(&world.app).await;
    assert_eq!(done.expect("looked after").erased, 1);
    for id in ids {
        let (left, kept) = with_device(&world, id).await;
        assert!(left == 0 && kept > 2_500, "{left} of {kept}");
    }
}

/// How many entries tell of a user with a device, and how many at all.
async fn with_device(world: &World, id: UserId) -> (usize, usize) {
    let filter = AuditFilter {
        user: Some(id),
        ..AuditFilter::default()
    };
    let (mut with, mut all, mut after) = (0, 0, None);
    loop {
        let size = PageSize::parse(100).expect("a size");
        let page = world
            .store
            .audit_events(&filter, size, after.as_ref())
            .await;
        let page = page.expect("readable");
        all += page.events.len();
        let devices = page.events.iter().map(|event| &event.device);
        with += devices
            .filter(|device| **device != EventDevice::default())
            .count();
        match page.next {
            Some(next) => after = Some(next),
            None => return (with, all),
        }
    }
}
