//! Importing users: each is told of by itself, whoever is here stays as it is, and what
//! somebody else does meanwhile refuses the guilty one alone.

use std::time::Duration;

use countersign_domain::model::{
    AttributeKind, AttributeName, Attributes, ExternalId, GroupId, GroupPolicy, HashFormat,
    Identifier, ImportedIdentifier, ImportedState, ImportedUser, PasswordHash, Profile,
    ProfileAttribute, Purpose, SuspensionReason, UserId, UserState, Username,
};
use countersign_domain::ports::{Account, Clock as _, PasswordHasher as _, Users as _};
use countersign_domain::testing::{World, address, refusal};
use countersign_domain::use_cases::{
    DeleteUser, ImportOutcome, ImportUsers, LookAfterUsers, WithdrawUser,
};
use countersign_domain::{Error, Refusal};

use crate::group_policies::set;

const PASSWORD: &str = "a long enough phrase";
const DAY: Duration = Duration::from_secs(86_400);

fn email(text: &str) -> Identifier {
    address(text).into()
}

fn imported(world: &World, id: &str, identifiers: &[Identifier]) -> ImportedUser {
    let hash = format!("old:{PASSWORD}");
    let identifiers = identifiers.iter().cloned().enumerate();
    ImportedUser {
        external_id: ExternalId::parse(id).expect("an id"),
        group: GroupId::fallback(),
        identifiers: identifiers
            .map(|(place, identifier)| ImportedIdentifier { place, identifier })
            .collect(),
        password: world.hasher.import(HashFormat::Auto, &hash).ok(),
        profile: Profile::default(),
        roles: Vec::new(),
        scopes: Vec::new(),
        state: ImportedState::Active,
        created_at: None,
    }
}

async fn import(world: &World, users: Vec<ImportedUser>) -> Vec<ImportOutcome> {
    let import = ImportUsers {
        users: users.into_iter().map(Ok).collect(),
        is_dry_run: false,
    };
    import.execute(&world.app).await.expect("an answer")
}

async fn import_one(world: &World, user: ImportedUser) -> ImportOutcome {
    let outcomes = import(world, vec![user]).await;
    outcomes.into_iter().next().expect("one outcome")
}

fn id(outcome: &ImportOutcome) -> UserId {
    match outcome {
        ImportOutcome::Imported(Some(id)) => *id,
        other => panic!("not imported: {other:?}"),
    }
}

/// The reason and the field of a refusal.
fn refused(outcome: &ImportOutcome) -> (Refusal, &str) {
    match outcome {
        ImportOutcome::Refused(refused) => match refused.error {
            Error::Refused(refusal) => (refusal, refused.field.as_deref().unwrap_or_default()),
            ref other => panic!("{other}"),
        },
        other => panic!("not refused: {other:?}"),
    }
}

async fn account(world: &World, id: UserId) -> Account {
    let account = world.store.account(id).await.expect("readable");
    account.expect("it is there")
}

#[tokio::test]
async fn an_imported_user_signs_in_with_the_password_that_it_has() {
    let world = World::new().await;
    let created_at = world.app.clock.now().minus(400 * DAY);
    let user = ImportedUser {
        created_at: Some(created_at),
        ..imported(&world, "7", &[email("mina@example.com")])
    };
    let id = id(&import_one(&world, user).await);
    let stored = account(&world, id).await;
    assert_eq!(stored.user.created_at, created_at);
    assert_eq!(stored.user.credential_version, 1);
    assert_eq!(world.hasher.take_count(), 0, "nothing is hashed anew");
    let tokens = world.sign_in("mina@example.com", PASSWORD).await;
    assert_eq!(tokens.expect("signed in").user_id, id);
    let hash = account(&world, id).await.credential.expect("a password");
    assert_eq!(hash.hash.expose(), format!("plain:{PASSWORD}"));
}

#[tokio::test]
async fn a_digest_is_wrapped_and_no_other_hash_is() {
    let world = World::new().await;
    let digest = format!("digest:{PASSWORD}");
    let user = ImportedUser {
        password: world.hasher.import(HashFormat::Auto, &digest).ok(),
        ..imported(&world, "7", &[email("mina@example.com")])
    };
    let other = imported(&world, "8", &[email("juno@example.com")]);
    let outcomes = import(&world, vec![user, other]).await;
    assert_eq!(world.hasher.take_count(), 1);
    let hashes = [id(&outcomes[0]), id(&outcomes[1])];
    let mut stored = Vec::new();
    for id in hashes {
        let credential = account(&world, id).await.credential;
        stored.push(credential.expect("a password").hash);
    }
    let expected = ["wrapped", "old"].map(|kind| PasswordHash::new(format!("{kind}:{PASSWORD}")));
    assert_eq!(stored, expected);
    world.hasher.overload(true);
    let user = ImportedUser {
        password: world.hasher.import(HashFormat::Auto, &digest).ok(),
        ..imported(&world, "9", &[email("nari@example.com")])
    };
    let import = ImportUsers {
        users: vec![Ok(user)],
        is_dry_run: false,
    };
    let shed = import.execute(&world.app).await;
    assert!(matches!(shed, Err(Error::Exhausted { .. })), "{shed:?}");
}

#[tokio::test]
async fn who_is_here_stays_as_it_is() {
    let world = World::new().await;
    let first = imported(&world, "7", &[email("mina@example.com")]);
    let id = id(&import_one(&world, first).await);
    let before = account(&world, id).await;
    let changed = ImportedUser {
        state: ImportedState::Withdrawn { since: None },
        ..imported(&world, "7", &[email("other@example.com")])
    };
    let new = imported(&world, "8", &[email("juno@example.com")]);
    let outcomes = import(&world, vec![changed, new]).await;
    assert!(matches!(outcomes[0], ImportOutcome::AlreadyThere(known) if known == id));
    assert!(matches!(outcomes[1], ImportOutcome::Imported(Some(_))));
    assert_eq!(account(&world, id).await, before);
    assert_eq!(
        refusal(world.sign_in("other@example.com", PASSWORD).await),
        Refusal::SignIn
    );
}

#[tokio::test]
async fn each_is_refused_for_its_own_fault_and_no_other_with_it() {
    let world = World::new().await;
    world.user("taken@example.com", PASSWORD).await;
    let name = |text: &str| Identifier::Username(Username::parse(text).expect("a name"));
    let elsewhere = ImportedUser {
        group: GroupId::parse("nowhere").expect("an id"),
        ..imported(&world, "elsewhere", &[email("e@example.com")])
    };
    let users = vec![
        Ok(imported(&world, "1", &[email("one@example.com")])),
        Err(Error::invalid("password_hash", "must be one")),
        Ok(imported(
            &world,
            "2",
            &[email("two@example.com"), email("taken@example.com")],
        )),
        Ok(imported(&world, "1", &[email("three@example.com")])),
        Ok(imported(&world, "4", &[email("one@example.com")])),
        Ok(elsewhere),
        Ok(imported(&world, "6", &[name("six_is_here")])),
        Ok(imported(&world, "7", &[name("six_is_here")])),
    ];
    let import = ImportUsers {
        users,
        is_dry_run: false,
    };
    let outcomes = import.execute(&world.app).await.expect("an answer");
    id(&outcomes[0]);
    assert!(matches!(&outcomes[1], ImportOutcome::Refused(refused)
        if matches!(refused.error, Error::Invalid(_))));
    let expected = [
        (2, Refusal::IdentifierTaken, "identifiers[1]"),
        (3, Refusal::DoubleInBatch, "external_id"),
        (4, Refusal::DoubleInBatch, "identifiers[0]"),
        (5, Refusal::Group, "group_id"),
        (7, Refusal::DoubleInBatch, "identifiers[0]"),
    ];
    for (index, reason, field) in expected {
        assert_eq!(refused(&outcomes[index]), (reason, field), "{index}");
    }
    id(&outcomes[6]);
    // Of who was refused nothing is left.
    let second = imported(&world, "2", &[email("two@example.com")]);
    id(&import_one(&world, second).await);
    let taken = import_one(&world, imported(&world, "8", &[name("six_is_here")])).await;
    assert_eq!(refused(&taken).0, Refusal::UsernameTaken);
}

#[tokio::test]
async fn states_are_obeyed() {
    let world = World::new().await;
    let now = world.app.clock.now();
    let with = |id: &str, state| ImportedUser {
        state,
        ..imported(&world, id, &[email(&format!("{id}@example.com"))])
    };
    let reason = SuspensionReason::parse("spam").expect("a reason");
    let suspended = ImportedState::Suspended {
        reason,
        since: Some(now.minus(DAY)),
        until: Some(now.plus(DAY)),
    };
    let since = now.minus(2 * DAY);
    let users = vec![
        with("pending", ImportedState::Pending),
        with("suspended", suspended),
        with("gone", ImportedState::Withdrawn { since: Some(since) }),
        with(
            "long-gone",
            ImportedState::Withdrawn {
                since: Some(now.minus(30 * DAY)),
            },
        ),
    ];
    let outcomes = import(&world, users).await;
    let ids: Vec<_> = outcomes.iter().map(id).collect();
    let sign_in = |name: &str| {
        let address = format!("{name}@example.com");
        let world = &world;
        async move { world.sign_in(&address, PASSWORD).await }
    };
    assert_eq!(refusal(sign_in("pending").await), Refusal::SignIn);
    assert_eq!(refusal(sign_in("suspended").await), Refusal::UserSuspended);
    let rejoin_at = since.plus(7 * DAY);
    let gone = Refusal::UserWithdrawn {
        at: since,
        rejoin_at,
    };
    assert_eq!(refusal(sign_in("gone").await), gone);
    // Who may join again holds nothing.
    assert_eq!(refusal(sign_in("long-gone").await), Refusal::SignIn);
    let again = imported(&world, "again", &[email("long-gone@example.com")]);
    id(&import_one(&world, again).await);
    let early = imported(&world, "early", &[email("gone@example.com")]);
    assert_eq!(
        refused(&import_one(&world, early).await),
        (gone, "identifiers[0]")
    );
    world.clock.advance(DAY);
    sign_in("suspended").await.expect("its time is over");
    world.clock.advance(5 * DAY);
    let late = imported(&world, "late", &[email("gone@example.com")]);
    id(&import_one(&world, late).await);
    let holder = account(&world, ids[2]).await;
    assert!(matches!(holder.user.state, UserState::Withdrawn(_)));
}

#[tokio::test]
async fn an_address_that_waits_or_is_held_is_refused() {
    let world = World::with(|settings| settings.users.retention = DAY).await;
    let erased = world.user("erased@example.com", PASSWORD).await;
    let withdraw = WithdrawUser {
        id: erased,
        etag: None,
    };
    withdraw.execute(&world.app).await.expect("withdrawn");
    world.clock.advance(2 * DAY);
    let done = LookAfterUsers { batch: 10 }.execute(&world.app).await;
    assert_eq!(done.expect("looked after").erased, 1);
    for is_dry_run in [true, false] {
        let users = [
            imported(&world, "1", &[email("one@example.com")]),
            imported(&world, "2", &[email("erased@example.com")]),
        ];
        let import = ImportUsers {
            users: users.into_iter().map(Ok).collect(),
            is_dry_run,
        };
        let outcomes = import.execute(&world.app).await.expect("an answer");
        let (reason, field) = refused(&outcomes[1]);
        assert!(matches!(reason, Refusal::UserWithdrawn { .. }), "{reason}");
        assert_eq!(field, "identifiers[0]");
        match outcomes[0] {
            ImportOutcome::Imported(id) => assert_eq!(id.is_none(), is_dry_run),
            ref other => panic!("{other:?}"),
        }
    }
    world.clock.advance(6 * DAY);
    let late = imported(&world, "2", &[email("erased@example.com")]);
    id(&import_one(&world, late).await);
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let world = World::new().await;
    world.user("taken@example.com", PASSWORD).await;
    let users = || {
        vec![
            imported(&world, "1", &[email("one@example.com")]),
            imported(&world, "2", &[email("taken@example.com")]),
        ]
    };
    for _ in 0..2 {
        let import = ImportUsers {
            users: users().into_iter().map(Ok).collect(),
            is_dry_run: true,
        };
        let outcomes = import.execute(&world.app).await.expect("an answer");
        assert!(matches!(outcomes[0], ImportOutcome::Imported(None)));
        assert_eq!(refused(&outcomes[1]).0, Refusal::IdentifierTaken);
    }
    assert_eq!(world.hasher.take_count(), 1, "of the sign-up alone");
    assert_eq!(
        refusal(world.sign_in("one@example.com", PASSWORD).await),
        Refusal::SignIn
    );
}

#[tokio::test]
async fn races_are_repeated_and_outages_told() {
    let world = World::new().await;
    let users = || {
        (0..20)
            .map(|number| {
                let address = format!("user{number}@example.com");
                imported(&world, &number.to_string(), &[email(&address)])
            })
            .collect::<Vec<_>>()
    };
    // More than one unit of work is repeated: it is halved.
    world.store.conflict(9);
    let outcomes = import(&world, users()).await;
    let ids: std::collections::BTreeSet<_> = outcomes.iter().map(id).collect();
    assert_eq!(ids.len(), 20);
    let again = import(&world, users()).await;
    for outcome in &again {
        assert!(
            matches!(outcome, ImportOutcome::AlreadyThere(_)),
            "{outcome:?}"
        );
    }
    world.store.fail_commits(true);
    let other = imported(&world, "other", &[email("other@example.com")]);
    let import = ImportUsers {
        users: vec![Ok(other)],
        is_dry_run: false,
    };
    let failed = import.execute(&world.app).await;
    assert!(failed.is_err_and(|error| !error.is_an_answer()));
}

#[tokio::test]
async fn a_deleted_user_may_be_imported_again_and_a_code_that_was_sent_before_is_good_after() {
    let world = World::new().await;
    let user = || imported(&world, "7", &[email("mina@example.com")]);
    let first = id(&import_one(&world, user()).await);
    let delete = DeleteUser {
        id: first,
        etag: None,
    };
    delete.execute(&world.app).await.expect("deleted");
    let second = id(&import_one(&world, user()).await);
    assert_ne!(first, second);
    let proof = world.prove("mina@example.com", Purpose::SignIn).await;
    proof.expect("the address is the user's");
}

#[tokio::test]
async fn attributes_that_the_group_knows_otherwise_refuse_their_user_alone() {
    let world = World::new().await;
    let tier = ProfileAttribute {
        name: AttributeName::parse("tier").expect("a name"),
        kind: AttributeKind::Number,
        writable: false,
    };
    let policy = GroupPolicy {
        profile_attributes: Some(vec![tier]),
        ..GroupPolicy::default()
    };
    set(&world, policy).await;
    let user = |id: &str, json: &str| ImportedUser {
        profile: Profile {
            attributes: Attributes::parse(json).expect("attributes"),
            ..Profile::default()
        },
        ..imported(&world, id, &[email(&format!("{id}@example.com"))])
    };
    let users = vec![
        user("7", r#"{"tier":"gold"}"#),
        user("8", r#"{"tier":3,"x":[]}"#),
    ];
    let outcomes = import(&world, users).await;
    match &outcomes[0] {
        ImportOutcome::Refused(refused) => match &refused.error {
            Error::Invalid(wrong) => assert_eq!(wrong[0].field, "profile.attributes.tier"),
            other => panic!("{other}"),
        },
        other => panic!("not refused: {other:?}"),
    }
    id(&outcomes[1]);
}
