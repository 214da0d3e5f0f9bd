//! Users who are refused, each with its reason and its field, and nobody with them.

use countersign_proto::v1;
use countersign_proto::v1::import_result::Outcome;
use countersign_tests::{Backend, World, email, on_every_backend, reason, username};

use super::call;

on_every_backend!(each_is_refused_with_its_reason_and_its_field);

fn user(id: &str, address: &str) -> v1::ImportedUser {
    v1::ImportedUser {
        external_id: id.into(),
        identifiers: vec![verified(email(address))],
        ..Default::default()
    }
}

fn verified(identifier: v1::Identifier) -> v1::ImportedIdentifier {
    v1::ImportedIdentifier {
        identifier: Some(identifier),
        verified: true,
    }
}

async fn each_is_refused_with_its_reason_and_its_field(backend: Backend) {
    let world = World::start(backend, 1).await;
    let person = world.sign_up().await;
    let with_hash = |id: &str, hash: &str| v1::ImportedUser {
        password_hash: hash.into(),
        ..user(id, &format!("{id}@example.com"))
    };
    let mut many = user("many", "many@example.com");
    many.identifiers
        .extend((0..10).map(|number| verified(email(&format!("m{number}@example.com")))));
    let mut unverified = user("unverified", "unverified@example.com");
    unverified.identifiers[0].verified = false;
    let cases = [
        (
            user("", "no-id@example.com"),
            "FIELD_INVALID",
            "external_id",
        ),
        (
            user("1", "not an address"),
            "FIELD_INVALID",
            "identifiers[0].email",
        ),
        (with_hash("2", "hunter2"), "FIELD_INVALID", "password_hash"),
        (
            with_hash(
                "3",
                "pbkdf2_sha256$999999999$salt$LWwtjlI8BWuLnswTzYfkQ5ieoGGtficIn3epO9W+sIY=",
            ),
            "FIELD_INVALID",
            "password_hash",
        ),
        (
            with_hash("4", &"x".repeat(2_000)),
            "FIELD_INVALID",
            "password_hash",
        ),
        (
            v1::ImportedUser {
                hash_format: "sha3".into(),
                ..user("5", "five@example.com")
            },
            "FIELD_INVALID",
            "hash_format",
        ),
        (
            user("6", &person.email),
            "IDENTIFIER_TAKEN",
            "identifiers[0]",
        ),
        (
            user("good", "again@example.com"),
            "DOUBLE_IN_BATCH",
            "external_id",
        ),
        (
            user("7", "good@example.com"),
            "DOUBLE_IN_BATCH",
            "identifiers[0]",
        ),
        (
            v1::ImportedUser {
                group_id: "nowhere".into(),
                ..user("8", "eight@example.com")
            },
            "GROUP_NOT_FOUND",
            "group_id",
        ),
        (
            v1::ImportedUser {
                state: v1::UserState::Erased.into(),
                ..user("9", "nine@example.com")
            },
            "FIELD_INVALID",
            "state",
        ),
        (many, "FIELD_INVALID", "identifiers"),
        (unverified, "FIELD_INVALID", "identifiers"),
        (
            v1::ImportedUser {
                create_time: Some(prost_types::Timestamp {
                    seconds: 9_000_000_000,
                    nanos: 0,
                }),
                ..user("10", "ten@example.com")
            },
            "FIELD_INVALID",
            "create_time",
        ),
        (
            v1::ImportedUser {
                profile: Some(v1::Profile {
                    name: "two\nlines".into(),
                    ..Default::default()
                }),
                ..user("11", "eleven@example.com")
            },
            "FIELD_INVALID",
            "profile.name",
        ),
        (
            v1::ImportedUser {
                roles: vec!["two words".into()],
                ..user("12", "twelve@example.com")
            },
            "FIELD_INVALID",
            "roles[0]",
        ),
    ];
    let mut users = vec![user("good", "good@example.com")];
    users.extend(cases.iter().map(|(user, ..)| user.clone()));
    users.push(user("last", "last@example.com"));
    let outcomes = call(&world, users).await.expect("an answer");
    assert_eq!(outcomes.len(), cases.len() + 2);
    assert!(matches!(outcomes.first(), Some(Outcome::Imported(_))));
    assert!(matches!(outcomes.last(), Some(Outcome::Imported(_))));
    for ((user, why, field), outcome) in cases.iter().zip(&outcomes[1..]) {
        let Outcome::Refused(refusal) = outcome else {
            panic!("{why}, {field}: {outcome:?}");
        };
        let name = refusal.reason().as_str_name();
        assert_eq!(name, format!("ERROR_REASON_{why}"), "{field}: {refusal:?}");
        assert_eq!(refusal.violations[0].field, *field, "{why}: {refusal:?}");
        let said = format!("{refusal:?}");
        for value in [&user.password_hash, &user.hash_format] {
            assert!(value.is_empty() || !said.contains(value.as_str()), "{said}");
        }
    }
    assert_eq!(world.rows("users").await, 3);

    // A user name and an unverified address: the name alone is the user's.
    let mut named = user("named", "stranger@example.com");
    named.identifiers[0].verified = false;
    named.identifiers.push(v1::ImportedIdentifier {
        identifier: Some(username("named_user")),
        verified: false,
    });
    let other = user("other", "stranger@example.com");
    for user in [named, other] {
        let outcomes = call(&world, vec![user]).await.expect("an answer");
        assert!(
            matches!(outcomes[..], [Outcome::Imported(_)]),
            "{outcomes:?}"
        );
    }

    // What is wrong with the batch as a whole.
    for count in [0, 501] {
        let users = (0..count).map(|number| user(&number.to_string(), "x@example.com"));
        let refused = call(&world, users.collect()).await;
        assert_eq!(reason(&refused), "FIELD_INVALID", "{count}");
    }
    println!(
        "{backend}: refused with reason and field {} of {}",
        cases.len(),
        cases.len()
    );
}
