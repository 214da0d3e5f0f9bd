//! What a person can still do beside a damaged row: sessions are listed and
//! ended, a password is locked and can be reset, and devices get to be known.

use std::time::Duration;

use countersign_domain::model::{
    Device, DeviceDigest, Factor, FactorId, FactorKind, FactorLabel, IdentifierUndo, PageSize,
    PageToken, PasswordCredential, PasswordHash, SessionId, Timestamp, UndoDigest, User, UserState,
    Withdrawal,
};
use countersign_domain::ports::{
    Credentials as _, Devices as _, DueUsers, Factors as _, IdentifierUndos as _, Sessions as _,
    Store as _, Users as _,
};
use countersign_domain::testing::{SeededRandom, whole_feed};
use countersign_storage::Database;

use crate::damage::{listen, literal, literal_of};
use crate::rows::{insert, insert_sessions, new_user, open, run_sql};

/// A damaged session is in no list, and the pages are full without it.
pub(crate) async fn damaged_sessions_in_lists(url: &str) {
    let store = open(url, 2).await;
    let (user, sessions) = insert_sessions(&store, 9).await;
    let mut ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
    ids.sort_by_key(|id| std::cmp::Reverse(*id.as_bytes()));
    let (bad, good): (Vec<_>, Vec<_>) =
        (0..ids.len()).partition(|place| [0, 1, 2, 5].contains(place));
    for place in &bad {
        let id = literal(url, ids[*place]);
        let spoil = format!("UPDATE sessions SET methods = 'canary' WHERE id = {id}");
        run_sql(url, &spoil).await;
    }

    let (log, _guard) = listen();
    let size = PageSize::parse(2).expect("a size");
    let mut listed: Vec<SessionId> = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .live_sessions(user.id, user.created_at, size, after)
            .await;
        let page = page.expect("readable");
        listed.extend(page.iter().take(2).map(|session| session.id));
        if page.len() <= 2 {
            break;
        }
        after = listed.last().copied().map(PageToken);
    }
    let good: Vec<_> = good.into_iter().map(|place| ids[place]).collect();
    assert_eq!(listed, good);
    let logged = log.take();
    assert_eq!(logged.lines().count(), bad.len(), "{logged}");
    assert!(logged.contains(&ids[0].to_string()), "{logged}");
    assert!(!logged.contains("canary"), "{logged}");
}

/// Ids that cannot be read keep nobody behind them from being erased, not even where a
/// batch has no other.
pub(crate) async fn damaged_ids_of_due_users(url: &str) {
    let store = open(url, 2).await;
    let at = Timestamp::from_seconds(1_790_000_000);
    let mut due = Vec::new();
    for seed in 0..3 {
        let mut user = new_user(seed);
        user.state = UserState::Withdrawn(Withdrawal {
            at,
            rejoin_at: at,
            erased: false,
        });
        insert(&store, &user).await.expect("inserted");
        due.push(user.id);
    }
    due.sort();
    // Before all others, and between two of them.
    let between = [&due[1].as_bytes()[..], &[0]].concat();
    for id in [&[0][..], &between] {
        let spoil = format!(
            "INSERT INTO users (id, group_id, state, credential_version, created_at, blocked, \
             blocked_at, blocked_until) \
             SELECT {}, group_id, state, credential_version, created_at, blocked, blocked_at, \
             blocked_until FROM users LIMIT 1",
            literal_of(url, id)
        );
        run_sql(url, &spoil).await;
    }
    let (log, _guard) = listen();
    for limit in [1, 2, 3, 10] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let batch = store
                .due_users(DueUsers::WithdrawnAt(at), after, limit)
                .await;
            let batch = batch.expect("readable");
            let Some(last) = batch.last() else { break };
            after = Some(*last);
            found.extend(batch);
        }
        assert_eq!(found, due, "batches of {limit}");
    }
    let logged = log.take();
    assert_eq!(logged.lines().count(), 2, "{logged}");
    assert!(logged.contains("users.id"), "{logged}");
}

/// A time that no answer can tell damages its row, and no other: those of a session,
/// a factor and a change of addresses.
pub(crate) async fn times_that_cannot_be_told(url: &str) {
    let store = open(url, 2).await;
    let (user, sessions) = insert_sessions(&store, 3).await;
    let random = SeededRandom::new(5);
    let factors = [1, 2].map(|at| Factor {
        id: FactorId::generate(user.created_at, &random),
        user_id: user.id,
        kind: FactorKind::Totp,
        label: FactorLabel::parse("phone").expect("a name"),
        sealed: vec![1; 40],
        last_step: 1,
        created_at: Timestamp::from_seconds(at),
        enrolled_by: None,
    });
    let undos = [1, 2].map(|digest| IdentifierUndo {
        digest: UndoDigest::from_bytes([digest; 32]),
        user_id: user.id,
        held: None,
        sealed: vec![1; 40],
        created_at: user.created_at,
        expires_at: user.created_at,
    });
    let mut uow = store.begin().await.expect("a unit of work");
    for (factor, undo) in factors.iter().zip(&undos) {
        let inserted = uow.insert_factor(factor, None).await;
        inserted.expect("inserted");
        uow.insert_identifier_undo(undo).await.expect("inserted");
    }
    uow.commit().await.expect("committed");
    let id = literal(url, sessions[0].id);
    for millis in [1_i64 << 62, -1 << 62] {
        let spoils = [
            format!("UPDATE sessions SET authenticated_at = {millis} WHERE id = {id}"),
            format!("UPDATE factors SET created_at = {millis} WHERE created_at <> 2000"),
            format!("UPDATE identifier_undos SET created_at = {millis} WHERE number = 0"),
        ];
        for spoil in &spoils {
            run_sql(url, spoil).await;
        }
        let size = PageSize::parse(20).expect("a size");
        let listed = store.live_sessions(user.id, user.created_at, size, None);
        assert_eq!(listed.await.expect("readable").len(), 2);
        let factors = store.factors(user.id).await.expect("an answer");
        assert_eq!(factors.iter().filter(|factor| factor.is_err()).count(), 1);
        let undos = store.identifier_undos(user.id).await.expect("an answer");
        assert!(matches!(undos[..], [Err(_), Ok(_)]), "{undos:?}");
    }
}

/// SQLite alone has columns that take a text for a number. Such a session ends
/// with the others, and its revocation is kept.
pub(crate) async fn sessions_with_unreadable_numbers(url: &str) {
    const NUMBERS: [&str; 5] = [
        "access_expires_at",
        "generation",
        "minted_at",
        "created_at",
        "expires_at",
    ];
    let store = open(url, 2).await;
    let (user, sessions) = insert_sessions(&store, 8).await;
    for (column, session) in NUMBERS.into_iter().zip(&sessions) {
        let id = literal(url, session.id);
        let spoil = format!("UPDATE sessions SET {column} = 'canary' WHERE id = {id}");
        run_sql(url, &spoil).await;
    }
    let size = PageSize::parse(20).expect("a size");
    let listed = store
        .live_sessions(user.id, user.created_at, size, None)
        .await;
    assert_eq!(listed.expect("readable").len(), 8 - NUMBERS.len());

    let (log, _guard) = listen();
    let mut uow = store.begin().await.expect("a unit of work");
    let one = uow.revoke_session(sessions[0].id, user.created_at).await;
    assert!(one.expect("an answer").is_some(), "it is ended alone");
    drop(uow);
    let named = log.take();
    let parts = ["sessions.access_expires_at", &sessions[0].id.to_string()];
    assert!(parts.iter().all(|part| named.contains(part)), "{named}");
    assert!(!named.contains("canary"), "{named}");

    let mut uow = store.begin().await.expect("a unit of work");
    let ended = uow
        .revoke_user_sessions(user.id, None, user.created_at)
        .await;
    assert_eq!(ended.expect("an answer").len(), 8);
    uow.commit().await.expect("committed");
    // The feed still has it after a century; the others' revocations are over.
    let (beginning, century) = (Timestamp::from_millis(0), 100 * 365 * 86_400);
    let now = Timestamp::from_seconds(user.created_at.as_seconds() + century);
    let feed = whole_feed(&*store, beginning, now).await.expect("readable");
    let kept: Vec<_> = feed
        .iter()
        .map(|revocation| revocation.session_id)
        .collect();
    assert_eq!(kept, [sessions[0].id]);
}

/// A password whose failures cannot be read is locked, and a reset repairs it.
pub(crate) async fn damaged_failures(url: &str) {
    let mut damages = vec!["9223372036854775807", "-5", "4294967296"];
    if url.starts_with("sqlite") {
        damages.push("'canary'");
    }
    let store = open(url, 2).await;
    let (user, _) = insert_sessions(&store, 1).await;
    for (round, damage) in damages.into_iter().enumerate() {
        let hash = PasswordHash::new(format!("hash {round}"));
        let password = PasswordCredential::new(user.id, hash, user.created_at);
        let mut uow = store.begin().await.expect("a unit of work");
        uow.put_credential(&password).await.expect("set");
        uow.commit().await.expect("committed");
        let counted = store.count_attempt(user.id, 100).await;
        assert!(counted.expect("an answer"), "it is as new");

        run_sql(url, &format!("UPDATE credentials SET failures = {damage}")).await;
        let (log, _guard) = listen();
        for _ in 0..2 {
            let account = store.account(user.id).await.expect("readable");
            let credential = account.and_then(|account| account.credential);
            let credential = credential.expect("there is a password");
            assert_eq!(credential.failures, u32::MAX, "{damage}");
        }
        let counted = store.count_attempt(user.id, 100).await;
        assert!(!counted.expect("an answer"), "{damage} is locked");
        let mut uow = store.begin().await.expect("a unit of work");
        let locked = uow.lock_credential(user.id).await.expect("readable");
        assert_eq!(locked.map(|credential| credential.failures), Some(u32::MAX));
        let logged = log.take();
        // Each row and cause is named once, whatever the value.
        assert_eq!(logged.lines().count(), usize::from(round == 0), "{logged}");
        assert!(!logged.contains("canary"), "{logged}");
        if round == 0 {
            assert!(logged.contains("credentials.failures"), "{logged}");
        }
    }
}

/// A device whose number cannot be, which orders the devices of a user, keeps no
/// other from being known: neither those that there are nor new ones.
pub(crate) async fn damaged_numbers_of_devices(url: &str) {
    let mut damages = vec!["9223372036854775807", "4611686018427387905", "-5"];
    if url.starts_with("sqlite") {
        damages.push("'canary'");
    }
    let store = open(url, 2).await;
    let (user, _) = insert_sessions(&store, 1).await;
    let mut seed = 0;
    for damage in damages {
        for place in [1, 2] {
            run_sql(url, "DELETE FROM devices").await;
            let first = seed;
            for _ in 0..3 {
                admit(&store, &user, seed).await;
                seed += 1;
            }
            let spoil = format!("UPDATE devices SET number = {damage} WHERE place = {place}");
            run_sql(url, &spoil).await;
            for _ in 0..4 {
                admit(&store, &user, seed).await;
                seed += 1;
            }
            let mut known = Vec::new();
            for at in (first..seed).filter(|at| *at != first + place) {
                let found = store.device(&digest(at)).await.expect("an answer");
                known.push(found.is_some());
            }
            assert_eq!(known, [true; 6], "{damage} at {place}");
        }
    }
}

fn digest(seed: u8) -> DeviceDigest {
    DeviceDigest::from_bytes([seed; 32])
}

async fn admit(store: &Database, user: &User, seed: u8) {
    let now = user.created_at;
    let device = Device {
        digest: digest(seed),
        user_id: user.id,
        credential_version: user.credential_version,
        failures: 0,
        factor_shown_at: None,
        created_at: now,
        seen_at: now,
        expires_at: now.plus(Duration::from_secs(86_400)),
    };
    let mut uow = store.begin().await.expect("a unit of work");
    let locked = uow.lock_user(user.id).await.expect("readable");
    assert!(locked.is_some());
    uow.insert_device(&device).await.expect("inserted");
    uow.commit().await.expect("committed");
}
