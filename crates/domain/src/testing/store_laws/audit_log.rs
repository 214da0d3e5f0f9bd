//! The audit log.

use std::sync::Arc;
use std::time::Duration;

use super::subject::{StoreSubject, email};
use crate::model::{
    Address, AuditAction, AuditActor, AuditEvent, AuditFilter, AuditOutcome, AuditRefusal,
    CallerName, ClientContext, EventDevice, Origin, PageSize, SessionId, Timestamp, UserId,
};
use crate::ports::StoreError;

/// A name of a caller that no other law has.
fn caller_of(law: &StoreSubject) -> String {
    let name = law.group.as_str().chars().take(64).collect::<String>();
    CallerName::parse(&name).expect("a name").as_str().into()
}

fn origin(law: &StoreSubject) -> Origin {
    Origin {
        actor: AuditActor::Caller(caller_of(law)),
        peer: "2001:db8::7".parse().ok(),
        request_id: Some("a".repeat(Origin::MAX_REQUEST_ID_BYTES)),
    }
}

fn event(law: &StoreSubject, action: AuditAction, at: Timestamp) -> AuditEvent {
    AuditEvent::new(action, origin(law), at, &law.random).on_group(&law.group)
}

async fn write(law: &StoreSubject, events: &[AuditEvent]) {
    let mut uow = law.begin().await;
    for event in events {
        uow.insert_audit_event(event).await.expect("written");
    }
    uow.commit().await.expect("committed");
}

fn of_law(law: &StoreSubject) -> AuditFilter {
    AuditFilter {
        group: Some(law.group.clone()),
        ..AuditFilter::default()
    }
}

/// All that fits, in pages of two.
pub(super) async fn listed(law: &StoreSubject, filter: &AuditFilter) -> Vec<AuditEvent> {
    let size = PageSize::parse(2).expect("a size");
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let page = law.store.audit_events(filter, size, after.as_ref()).await;
        let page = page.expect("readable");
        assert!(page.events.len() <= 2, "{}", page.events.len());
        events.extend(page.events);
        match page.next {
            Some(next) => after = Some(next),
            None => return events,
        }
    }
}

/// Events of before a time, and such of that time and later, newest first.
pub(super) async fn old_and_young(
    law: &StoreSubject,
    before: Timestamp,
) -> (Vec<AuditEvent>, Vec<AuditEvent>) {
    let milli = Duration::from_millis(1);
    let at = |at: Timestamp| event(law, AuditAction::UserDeleted, at);
    let old = [before.minus(milli), before.minus(milli * 900), at_first()];
    let old: Vec<_> = old.into_iter().map(at).collect();
    let young = vec![at(before.plus(milli * 900)), at(before)];
    write(law, &[&old[..], &young].concat()).await;
    (old, young)
}

fn at_first() -> Timestamp {
    Timestamp::from_millis(1)
}

/// Every field survives, also the longest.
pub async fn an_audit_event_is_read_as_written(law: &StoreSubject) {
    let session = law.session().await;
    let client = ClientContext {
        ip_address: "192.0.2.9".parse().ok(),
        user_agent: "한국어 ".repeat(100),
    };
    let address = Address::Email(email("mina@example.com"));
    let mut server = event(law, AuditAction::GroupCreated, law.later(0));
    server.origin = Origin::server();
    let mut operator = event(law, AuditAction::CallerSanAdded, law.later(1));
    operator.origin = Origin::command_line();
    let operator = operator
        .named("n".repeat(900))
        .with_detail("한".repeat(900));
    let whole = event(law, AuditAction::SessionOpened, law.later(2))
        .on_user(session.user_id, &law.group)
        .by_itself()
        .with_session(session.id)
        .from_device(&client)
        .with_address(&address)
        .with_detail("pwd otp mfa");
    let refused = event(law, AuditAction::RefreshTokenReused, law.later(3))
        .refused(AuditRefusal::RefreshTokenReused);
    let mut written = vec![server, operator, whole, refused];
    for (place, action) in AuditAction::ALL.iter().enumerate() {
        let seconds = 10 + u64::try_from(place).unwrap_or(0);
        written.push(event(law, *action, law.later(seconds)));
    }
    write(law, &written).await;
    written.reverse();
    assert_eq!(listed(law, &of_law(law)).await, written);
}

/// What it tells of may be gone.
pub async fn an_audit_event_outlives_its_user(law: &StoreSubject) {
    let user = law.user().await;
    let told = event(law, AuditAction::UserDeleted, law.now).on(&user);
    let mut uow = law.begin().await;
    uow.insert_audit_event(&told).await.expect("written");
    uow.delete_user(user.id).await.expect("deleted");
    uow.commit().await.expect("committed");
    assert_eq!(listed(law, &of_law(law)).await, [told]);
}

/// Of a user who is erased stays what was done, when and by whom: no address, and of the
/// devices that of another who acted.
pub async fn a_user_is_erased_from_the_audit_log(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let address = Address::Email(email("mina@example.com"));
    let client = ClientContext {
        ip_address: "192.0.2.9".parse().ok(),
        user_agent: "Firefox".into(),
    };
    let full = |seconds, user| {
        let event = event(law, AuditAction::IdentifierChanged, law.later(seconds));
        event.on(user).from_device(&client).with_address(&address)
    };
    let mut by_other = full(1, &user).with_detail("in place of +8210****5678");
    by_other.person = Some(other.id);
    let by_itself = full(2, &user).by_itself();
    let by_nobody = event(law, AuditAction::SessionOpened, law.later(3))
        .on(&user)
        .from_device(&client)
        .with_detail("pwd otp mfa")
        .refused(AuditRefusal::SignIn);
    let of_other = full(4, &other);
    let mut written = vec![by_other, by_itself, by_nobody, of_other];
    write(law, &written).await;

    let dropped = law.begin().await;
    let dropped = { dropped }.erase_from_audit_log(user.id, None, 9).await;
    assert_eq!(dropped.expect("erased, and not committed"), None);
    written.reverse();
    assert_eq!(listed(law, &of_law(law)).await, written);

    let mut uow = law.begin().await;
    let more = uow.erase_from_audit_log(user.id, None, 9).await;
    assert_eq!(more.expect("erased"), None);
    uow.commit().await.expect("committed");
    let [_, by_nobody, by_itself, by_other] = &mut written[..] else {
        unreachable!("four are written");
    };
    for event in [&mut *by_nobody, &mut *by_itself] {
        event.device = EventDevice::default();
    }
    by_itself.target.masked = None;
    by_other.target.masked = None;
    by_other.detail.clear();
    assert_eq!(listed(law, &of_law(law)).await, written);
}

/// The oldest first, and no more than are asked for; those that have no personal data
/// count for nothing.
pub async fn a_user_is_erased_from_the_audit_log_part_by_part(law: &StoreSubject) {
    let user = law.user().await;
    let client = ClientContext {
        ip_address: "192.0.2.9".parse().ok(),
        user_agent: String::new(),
    };
    let written: Vec<_> = (0..9)
        .map(|number| {
            let event = event(law, AuditAction::SessionOpened, law.later(number)).on(&user);
            match number % 2 {
                0 => event.from_device(&client),
                _ => event,
            }
        })
        .collect();
    write(law, &written).await;
    let mut after = None;
    for (left, more) in [(3, true), (1, true), (0, false)] {
        let mut uow = law.begin().await;
        let erased = uow.erase_from_audit_log(user.id, after.as_ref(), 2).await;
        after = erased.expect("erased");
        uow.commit().await.expect("committed");
        let events = listed(law, &of_law(law)).await;
        let with_device = events.iter().map(|event| &event.device);
        let with_device = with_device.filter(|device| **device != EventDevice::default());
        assert_eq!((with_device.count(), after.is_some()), (left, more));
    }
    assert_eq!(listed(law, &of_law(law)).await.len(), written.len());
}

/// It is there with the change that it tells of, or not at all.
pub async fn an_audit_event_falls_with_its_unit_of_work(law: &StoreSubject) {
    let told = event(law, AuditAction::UserCreated, law.now);
    let counted = event(law, AuditAction::SessionOpened, law.now);
    let counted = counted.counted(AuditRefusal::SignIn);
    let mut uow = law.begin().await;
    uow.insert_audit_event(&told).await.expect("written");
    uow.count_refused(&counted).await.expect("written");
    drop(uow);
    assert_eq!(listed(law, &of_law(law)).await, []);
}

/// By each, and by several at once.
pub async fn audit_events_are_listed_by_each_filter(law: &StoreSubject) {
    let (user, session) = (law.session().await, law.session().await);
    let at = |seconds| law.later(seconds);
    let suspended = event(law, AuditAction::UserSuspended, at(1)).on_user(user.user_id, &law.group);
    let opened = event(law, AuditAction::SessionOpened, at(2))
        .on_user(session.user_id, &law.group)
        .with_session(session.id);
    let refused = event(law, AuditAction::SessionOpened, at(7200))
        .on_user(user.user_id, &law.group)
        .counted(AuditRefusal::SignIn);
    let mut by_server = event(law, AuditAction::UserErased, at(9000));
    by_server.origin = Origin::server();
    let elsewhere = event(law, AuditAction::UserErased, at(9001)).on_group(&law.other_group());
    let all = [suspended, opened, refused, by_server, elsewhere];
    write(law, &all).await;
    let [suspended, opened, refused, by_server, elsewhere] = &all;

    let none = of_law(law);
    let caller = AuditFilter {
        caller: Some(caller_of(law)),
        ..AuditFilter::default()
    };
    let of_user = |id: UserId| AuditFilter {
        user: Some(id),
        ..AuditFilter::default()
    };
    let actions = |actions: &[AuditAction]| AuditFilter {
        actions: actions.to_vec(),
        ..of_law(law)
    };
    let cases: Vec<(AuditFilter, Vec<&AuditEvent>)> = vec![
        (none.clone(), vec![by_server, refused, opened, suspended]),
        (caller.clone(), vec![elsewhere, refused, opened, suspended]),
        (of_user(user.user_id), vec![refused, suspended]),
        (
            AuditFilter {
                session: Some(session.id),
                ..AuditFilter::default()
            },
            vec![opened],
        ),
        (
            AuditFilter {
                session: Some(SessionId::from_bytes([9; 16])),
                ..none.clone()
            },
            vec![],
        ),
        (actions(&[AuditAction::UserErased]), vec![by_server]),
        (
            actions(&[AuditAction::SessionOpened, AuditAction::UserErased]),
            vec![by_server, refused, opened],
        ),
        (
            actions(AuditAction::ALL),
            vec![by_server, refused, opened, suspended],
        ),
        (
            AuditFilter {
                refused: Some(true),
                ..none.clone()
            },
            vec![refused],
        ),
        (
            AuditFilter {
                refused: Some(false),
                ..actions(&[AuditAction::SessionOpened])
            },
            vec![opened],
        ),
        (
            AuditFilter {
                refused: Some(false),
                caller: caller.caller.clone(),
                ..none.clone()
            },
            vec![opened, suspended],
        ),
        (
            AuditFilter {
                actions: vec![AuditAction::UserSuspended],
                ..of_user(user.user_id)
            },
            vec![suspended],
        ),
        (
            AuditFilter {
                from: Some(at(2)),
                before: Some(at(9000)),
                ..none.clone()
            },
            vec![refused, opened],
        ),
        (
            AuditFilter {
                from: Some(at(9000)),
                ..caller
            },
            vec![elsewhere],
        ),
    ];
    for (filter, expected) in cases {
        let found = listed(law, &filter).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

/// Each once, and none of those that come meanwhile in the place of another.
pub async fn audit_events_are_listed_page_by_page_while_more_come(law: &StoreSubject) {
    let action = AuditAction::ProfileUpdated;
    // Three at each instant: the order within one is that of the ids.
    let mut written: Vec<_> = (0..9)
        .map(|n| event(law, action, law.later(n / 3)))
        .collect();
    write(law, &written).await;
    written.sort_by_key(|event| std::cmp::Reverse(event.id));
    let size = PageSize::parse(2).expect("a size");
    let filter = AuditFilter {
        actions: vec![action],
        ..of_law(law)
    };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = law.store.audit_events(&filter, size, after.as_ref()).await;
        let page = page.expect("readable");
        found.extend(page.events);
        write(law, &[event(law, action, law.later(100))]).await;
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, written);
}

/// With where the last one came from.
pub async fn refused_attempts_of_an_hour_are_counted_in_one_event(law: &StoreSubject) {
    let user = law.user().await;
    let attempt = |seconds| {
        let attempt = event(law, AuditAction::SessionOpened, law.later(seconds));
        attempt.on(&user)
    };
    let count = async |event: &AuditEvent| {
        let mut uow = law.begin().await;
        uow.count_refused(event).await.expect("counted");
        uow.commit().await.expect("committed");
    };
    let first = attempt(0).counted(AuditRefusal::SignIn);
    let mut last = attempt(1).counted(AuditRefusal::SignIn);
    last.origin.peer = "192.0.2.200".parse().ok();
    if let AuditOutcome::Refused(attempts) = &mut last.outcome {
        attempts.count = 40;
    }
    let other = attempt(1).counted(AuditRefusal::UserSuspended);
    for event in [&first, &last, &other] {
        count(event).await;
    }
    let mut expected = last;
    if let AuditOutcome::Refused(attempts) = &mut expected.outcome {
        attempts.count = 41;
    }
    let mut found = listed(law, &of_law(law)).await;
    found.sort_by_key(|event| event.id != expected.id);
    assert_eq!(found, [expected, other]);
}

/// Replicas count in one row.
pub async fn of_16_who_count_refused_attempts_at_once_none_is_lost(law: &StoreSubject) {
    let user = law.user().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let attempt = event(law, AuditAction::SessionOpened, law.now).on(&user);
        let attempt = attempt.counted(AuditRefusal::SignIn);
        let store = Arc::clone(&law.store);
        tasks.spawn(async move {
            loop {
                let counted = async {
                    let mut uow = store.begin().await?;
                    uow.count_refused(&attempt).await?;
                    uow.commit().await
                };
                match counted.await {
                    Err(StoreError::Conflict) => {}
                    outcome => break outcome.expect("counted"),
                }
            }
        });
    }
    tasks.join_all().await;
    let found = listed(law, &of_law(law)).await;
    let counts = found.iter().map(|event| match event.outcome {
        AuditOutcome::Refused(attempts) => attempts.count,
        AuditOutcome::Succeeded => 0,
    });
    let counts: Vec<_> = counts.collect();
    assert_eq!(counts, [16]);
}
