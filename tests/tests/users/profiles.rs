//! Creating and changing users, and a person's own profile.

use std::collections::BTreeMap;

use countersign_proto::v1;
use countersign_proto::v1::profile_attribute::Type;
use countersign_tests::{
    Backend, Details, Gateway, PASSWORD, World, email, on_every_backend, reason, username,
};
use prost_types::value::Kind;

use crate::{mask, renaming};

on_every_backend!(
    a_user_is_created_with_all_that_there_may_be,
    what_is_taken_creates_nobody,
    an_update_writes_what_its_mask_names,
    a_person_changes_its_own_profile_alone,
    a_person_changes_the_attributes_that_its_group_allows,
    a_person_leaves_with_a_fresh_sign_in,
);

fn attributes() -> prost_types::Struct {
    let number = prost_types::Value {
        kind: Some(Kind::NumberValue(7.0)),
    };
    prost_types::Struct {
        fields: BTreeMap::from([("tier".to_owned(), number)]),
    }
}

fn request(name: &str) -> v1::CreateUserRequest {
    v1::CreateUserRequest {
        identifiers: vec![email(&format!("{name}@shop.example")), username(name)],
        password: PASSWORD.into(),
        external_id: format!("ext-{name}"),
        profile: Some(v1::Profile {
            name: "김민아".into(),
            locale: "ko-KR".into(),
            time_zone: "Asia/Seoul".into(),
            attributes: Some(attributes()),
        }),
        roles: vec!["staff".into(), "admin".into(), "staff".into()],
        scopes: vec!["orders:read".into()],
        ..Default::default()
    }
}

async fn a_user_is_created_with_all_that_there_may_be(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let created = gateway
        .create_user(request("minakim"))
        .await
        .expect("created");
    let shown = gateway.user(&created.user_id).await.expect("shown");
    assert_eq!(shown, created);
    assert_eq!(created.group_id, "default");
    assert_eq!(created.state(), v1::UserState::Active);
    assert_eq!(created.roles, ["admin", "staff"]);
    assert_eq!(created.profile, request("minakim").profile);
    assert_eq!(created.create_time, created.update_time);
    for way in [email("minakim@shop.example"), username("minakim")] {
        gateway.sign_in(way, PASSWORD).await.expect("signed in");
    }
    let bare = gateway.create_user(v1::CreateUserRequest::default()).await;
    assert!(bare.expect("created").identifiers.is_empty());

    let wrong = v1::CreateUserRequest {
        identifiers: vec![username("one1"), username("two2")],
        password: "short".into(),
        external_id: " padded".into(),
        profile: Some(v1::Profile {
            locale: "not a tag".into(),
            ..Default::default()
        }),
        roles: vec!["two words".into()],
        ..Default::default()
    };
    let details = Details::of(&gateway.create_user(wrong).await.expect_err("refused"));
    let mut fields = details.fields;
    fields.sort();
    let expected = [
        "external_id",
        "identifiers",
        "password",
        "profile.locale",
        "roles[0]",
    ];
    assert_eq!(fields, expected);
}

async fn what_is_taken_creates_nobody(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    gateway
        .create_user(request("minakim"))
        .await
        .expect("created");
    let before = world.rows("users").await;
    let other = request("junopark");
    for (taken, expected) in [
        (
            v1::CreateUserRequest {
                external_id: "ext-minakim".into(),
                ..other.clone()
            },
            "EXTERNAL_ID_TAKEN",
        ),
        (
            v1::CreateUserRequest {
                identifiers: vec![username("junopark"), email("MINAKIM@shop.example")],
                ..other.clone()
            },
            "IDENTIFIER_TAKEN",
        ),
        (
            v1::CreateUserRequest {
                identifiers: vec![email("juno@shop.example"), username("MinaKim")],
                ..other.clone()
            },
            "USERNAME_TAKEN",
        ),
    ] {
        assert_eq!(reason(&gateway.create_user(taken).await), expected);
    }
    assert_eq!(world.rows("users").await, before);
    let elsewhere = v1::CreateUserRequest {
        group_id: "elsewhere".into(),
        ..request("minakim")
    };
    assert_eq!(
        reason(&gateway.create_user(elsewhere.clone()).await),
        "GROUP_NOT_FOUND"
    );
    world.make_groups(&["elsewhere"]).await;
    gateway.create_user(elsewhere).await.expect("another group");
    gateway.create_user(other).await.expect("it is free");
}

async fn an_update_writes_what_its_mask_names(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let user = gateway
        .create_user(request("minakim"))
        .await
        .expect("created");
    let update = v1::UpdateUserRequest {
        user_id: user.user_id.clone(),
        update_mask: mask(&["profile.name", "roles"]),
        etag: user.etag.clone(),
        external_id: "ignored".into(),
        profile: Some(v1::Profile {
            name: "Mina".into(),
            locale: "en".into(),
            ..Default::default()
        }),
        roles: vec!["guest".into()],
        scopes: Vec::new(),
    };
    let updated = gateway.update_user(update.clone()).await.expect("updated");
    let old = user.profile.clone().expect("a profile");
    let expected = v1::User {
        profile: Some(v1::Profile {
            name: "Mina".into(),
            ..old
        }),
        roles: vec!["guest".into()],
        update_time: updated.update_time,
        etag: updated.etag.clone(),
        ..user.clone()
    };
    assert_eq!(updated, expected);
    assert_ne!(updated.etag, user.etag);
    assert_eq!(gateway.user(&user.user_id).await.expect("shown"), updated);
    assert_eq!(
        reason(&gateway.update_user(update.clone()).await),
        "ETAG_MISMATCH"
    );

    let whole = v1::UpdateUserRequest {
        update_mask: mask(&["profile", "scopes", "external_id"]),
        etag: String::new(),
        external_id: String::new(),
        ..update.clone()
    };
    let updated = gateway.update_user(whole).await.expect("updated");
    let profile = updated.profile.expect("a profile");
    assert_eq!(
        (profile.locale.as_str(), profile.time_zone.as_str()),
        ("en", "")
    );
    assert_eq!(profile.attributes, None);
    assert_eq!(
        (updated.external_id.as_str(), updated.scopes.len()),
        ("", 0)
    );

    for paths in [&[][..], &["state"], &["*"]] {
        let wrong = v1::UpdateUserRequest {
            update_mask: mask(paths),
            etag: String::new(),
            ..update.clone()
        };
        let details = Details::of(&gateway.update_user(wrong).await.expect_err("refused"));
        assert_eq!(details.fields, ["update_mask"]);
    }
}

async fn a_person_changes_its_own_profile_alone(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let eve = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let users = || mina.gateway.users();
    let shown = mina.gateway.profile(&tokens).await.expect("shown");
    let renamed = users()
        .update_profile(renaming(&tokens, "Mina", &shown.etag))
        .await;
    let renamed = renamed.expect("renamed").into_inner();
    assert_eq!(renamed.profile.expect("a profile").name, "Mina");
    let stale = users()
        .update_profile(renaming(&tokens, "Nina", &shown.etag))
        .await;
    assert_eq!(reason(&stale), "ETAG_MISMATCH");
    let of_operators = v1::UpdateProfileRequest {
        update_mask: mask(&["attributes"]),
        ..renaming(&tokens, "Nina", "")
    };
    let refused = users().update_profile(of_operators).await;
    assert_eq!(
        Details::of(&refused.expect_err("refused")).fields,
        ["update_mask"]
    );
    let user = mina.gateway.user(&mina.user_id).await.expect("shown");
    assert_eq!(user.profile.expect("a profile").name, "Mina");
    let other = mina.gateway.user(&eve.user_id).await.expect("shown");
    assert_eq!(other.profile.expect("a profile").name, "");

    mina.gateway
        .revoke(&tokens.access_token)
        .await
        .expect("ended");
    let late = users().update_profile(renaming(&tokens, "Nina", "")).await;
    assert_eq!(reason(&late), "ACCESS_TOKEN_INVALID");
}

async fn a_person_changes_the_attributes_that_its_group_allows(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let gateway = &mina.gateway;
    let number = |number| Kind::NumberValue(number);
    let text = |text: &str| Kind::StringValue(text.into());
    let by_operator = |values: &[(&str, Kind)]| v1::UpdateUserRequest {
        user_id: mina.user_id.clone(),
        update_mask: mask(&["profile.attributes"]),
        profile: Some(v1::Profile {
            attributes: Some(structure(values)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let by_person = |paths: &[&str], values: &[(&str, Kind)]| v1::UpdateProfileRequest {
        access_token: tokens.access_token.clone(),
        update_mask: mask(paths),
        profile: Some(v1::Profile {
            attributes: Some(structure(values)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let kept = [("tier", number(7.0)), ("nickname", text("Mina"))];
    let written = gateway.update_user(by_operator(&kept)).await;
    written.expect("attributes that no group knows");
    let unseen = gateway.profile(&tokens).await.expect("shown");
    assert_eq!(unseen.profile.expect("a profile").attributes, None);

    allow(
        gateway,
        &[
            ("nickname", Type::String, true),
            ("tier", Type::Number, false),
        ],
    )
    .await;
    let wrong = gateway
        .update_user(by_operator(&[("tier", text("gold"))]))
        .await;
    let wrong = Details::of(&wrong.expect_err("a text is no number"));
    assert_eq!(wrong.fields, ["profile.attributes.tier"]);
    let shown = gateway.profile(&tokens).await.expect("shown");
    assert_eq!(
        shown.profile.expect("a profile").attributes,
        Some(structure(&kept))
    );
    for (paths, values, field) in [
        (
            ["attributes"],
            ("tier", number(8.0)),
            "profile.attributes.tier",
        ),
        (
            ["attributes"],
            ("other", number(8.0)),
            "profile.attributes.other",
        ),
        (["attributes.tier"], ("tier", number(8.0)), "update_mask"),
        (
            ["attributes.nickname"],
            ("nickname", number(8.0)),
            "profile.attributes.nickname",
        ),
    ] {
        let refused = gateway
            .users()
            .update_profile(by_person(&paths, &[values]))
            .await;
        let details = Details::of(&refused.expect_err("refused"));
        assert_eq!(details.fields, [field], "{paths:?}");
    }
    let renamed = by_person(&["attributes.nickname"], &[("nickname", text("Nina"))]);
    let renamed = gateway
        .users()
        .update_profile(renamed)
        .await
        .expect("renamed");
    let expected = [("tier", number(7.0)), ("nickname", text("Nina"))];
    let renamed = renamed.into_inner().profile.expect("a profile");
    assert_eq!(renamed.attributes, Some(structure(&expected)));
    let emptied = by_person(&["attributes"], &[]);
    gateway
        .users()
        .update_profile(emptied)
        .await
        .expect("emptied");
    let user = gateway.user(&mina.user_id).await.expect("shown");
    let left = user.profile.expect("a profile").attributes;
    assert_eq!(
        left,
        Some(structure(&expected[..1])),
        "what people may not write stays"
    );
}

fn structure(values: &[(&str, Kind)]) -> prost_types::Struct {
    let value = |kind: &Kind| prost_types::Value {
        kind: Some(kind.clone()),
    };
    let values = values.iter();
    prost_types::Struct {
        fields: values
            .map(|(name, kind)| ((*name).to_owned(), value(kind)))
            .collect(),
    }
}

/// Lets people of the group `default` see attributes, and change those that are told.
async fn allow(gateway: &Gateway, attributes: &[(&str, Type, bool)]) {
    let attribute = |&(name, kind, writable): &(&str, Type, bool)| v1::ProfileAttribute {
        name: name.into(),
        r#type: kind.into(),
        writable,
        ..Default::default()
    };
    let request = v1::UpdateGroupRequest {
        group: Some(v1::Group {
            group_id: "default".into(),
            policy: Some(v1::GroupPolicy {
                profile_attributes: attributes.iter().map(attribute).collect(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        update_mask: mask(&["policy.profile_attributes"]),
    };
    gateway
        .groups()
        .update_group(request)
        .await
        .expect("changed");
}

async fn a_person_leaves_with_a_fresh_sign_in(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let (tokens, other) = (mina.sign_in().await, mina.sign_in().await);
    let id = backend.bytes(&tokens.session_id);
    let age = format!(
        "UPDATE sessions SET authenticated_at = authenticated_at - 3600000 WHERE id = {id}"
    );
    assert_eq!(world.execute(&age).await, 1);
    assert_eq!(
        reason(&mina.gateway.leave(&tokens).await),
        "AUTHENTICATION_TOO_OLD"
    );
    mina.gateway.leave(&other).await.expect("it is fresh");
    for tokens in [&tokens, &other] {
        assert_eq!(mina.gateway.judge(&tokens.access_token).await, "REVOKED");
    }
    assert_eq!(
        reason(&mina.gateway.leave(&other).await),
        "ACCESS_TOKEN_INVALID"
    );
    assert_eq!(reason(&mina.try_password(PASSWORD).await), "USER_WITHDRAWN");
}
