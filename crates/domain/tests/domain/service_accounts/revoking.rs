//! Tokens of service accounts that are not to be accepted any more, and calls that are
//! for people.

use std::time::Duration;

use countersign_domain::model::PageSize;
use countersign_domain::use_cases::{
    Actor, DeleteServiceAccount, GetProfile, ListSessions, RemoveServiceAccountCredential,
    RevokeToken, UpdateServiceAccount,
};
use countersign_domain::validation::RequiredAuthentication;
use countersign_token::Acr;

use super::*;

async fn disable(world: &World, account: &ServiceAccount, is_disabled: bool) {
    let update = UpdateServiceAccount {
        id: account.id,
        etag: None,
        display_name: None,
        description: None,
        is_disabled: Some(is_disabled),
        roles: None,
        scopes: None,
        audiences: None,
    };
    update.execute(&world.app).await.expect("changed");
}

#[tokio::test]
async fn a_disabled_account_loses_its_tokens_and_gets_new_ones_when_it_is_enabled() {
    let mut world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    let (key, _) = key(&world, &account).await;
    let before = [
        token(&world, by_secret(&account, &secret)).await,
        token(
            &world,
            by_assertion(&account, key.assertion(&world, &account, "one")),
        )
        .await,
    ];
    disable(&world, &account, true).await;
    for got in &before {
        assert_eq!(verdict(&world, got), Err(NotAccepted::Revoked));
    }
    let refused = by_secret(&account, &secret).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::SignIn);
    let assertion = key.assertion(&world, &account, "two");
    let refused = by_assertion(&account, assertion).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::SignIn);
    disable(&world, &account, false).await;
    let after = token(&world, by_secret(&account, &secret)).await;
    // As another replica, which knows what the database tells.
    world.forget_feed().await;
    assert!(verdict(&world, &after).is_ok());
    for got in &before {
        assert_eq!(verdict(&world, got), Err(NotAccepted::Revoked));
    }
    // That it is disabled once more changes nothing of what was.
    disable(&world, &account, true).await;
    disable(&world, &account, true).await;
    assert_eq!(verdict(&world, &after), Err(NotAccepted::Revoked));
}

#[tokio::test]
async fn a_removed_credential_takes_its_tokens_along_and_no_others() {
    let mut world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    let (key, credential) = key(&world, &account).await;
    let of_secret = token(&world, by_secret(&account, &secret)).await;
    let assertion = key.assertion(&world, &account, "one");
    let by_key = token(&world, by_assertion(&account, assertion)).await;
    let remove = || RemoveServiceAccountCredential {
        id: account.id,
        credential: credential.id,
    };
    remove().execute(&world.app).await.expect("removed");
    let again = remove().execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::ServiceAccount);
    for _ in 0..2 {
        assert_eq!(verdict(&world, &by_key), Err(NotAccepted::Revoked));
        assert!(verdict(&world, &of_secret).is_ok());
        world.forget_feed().await;
    }
    // The same key, added again, is another credential.
    let add = AddServiceAccountKey {
        id: account.id,
        key: key.jwk(),
        expires_at: None,
    };
    add.execute(&world.app).await.expect("a key");
    let assertion = key.assertion(&world, &account, "two");
    let anew = token(&world, by_assertion(&account, assertion)).await;
    assert!(verdict(&world, &anew).is_ok());
    assert_eq!(verdict(&world, &by_key), Err(NotAccepted::Revoked));
}

#[tokio::test]
async fn a_deleted_account_loses_its_tokens_for_as_long_as_they_would_live() {
    let mut world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    let got = token(&world, by_secret(&account, &secret)).await;
    let (id, etag) = (account.id, None);
    let delete = DeleteServiceAccount { id, etag };
    delete.execute(&world.app).await.expect("deleted");
    let refused = by_secret(&account, &secret).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::SignIn);
    let life = got.access.expires_at.since(now(&world));
    for _ in 0..life.as_secs() {
        world.clock.advance(Duration::from_secs(1));
        world.forget_feed().await;
        let told = verdict(&world, &got);
        assert_eq!(told, Err(NotAccepted::Revoked));
    }
}

#[tokio::test]
async fn one_token_is_revoked_and_no_other() {
    let mut world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    let one = token(&world, by_secret(&account, &secret)).await;
    let other = token(&world, by_secret(&account, &secret)).await;
    for _ in 0..2 {
        let token = one.access.token.clone();
        let revoked = RevokeToken { token }.execute(&world.app).await;
        revoked.expect("revoked, once and again");
    }
    for _ in 0..2 {
        assert_eq!(verdict(&world, &one), Err(NotAccepted::Revoked));
        assert!(verdict(&world, &other).is_ok());
        world.forget_feed().await;
    }
}

#[tokio::test]
async fn what_is_for_people_refuses_the_token_of_a_service_account() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    let got = token(&world, by_secret(&account, &secret)).await;
    let access_token = got.access.token.clone();
    let profile = GetProfile {
        access_token: access_token.clone(),
    };
    let profile = profile.execute(&world.app).await;
    assert_eq!(refusal(profile), Refusal::ServiceAccountToken);
    let list = ListSessions {
        actor: Actor::Person(access_token),
        size: PageSize::parse(0).expect("a size"),
        after: None,
    };
    let list = list.execute(&world.app).await;
    assert_eq!(refusal(list), Refusal::ServiceAccountToken);
}

#[tokio::test]
async fn a_question_about_a_person_is_not_answered_by_a_service_account() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    let got = token(&world, by_secret(&account, &secret)).await;
    for required in [
        RequiredAuthentication {
            max_age: None,
            acr: Some(Acr::Aal1),
        },
        RequiredAuthentication {
            max_age: Some(Duration::from_secs(3_600)),
            acr: None,
        },
    ] {
        let question = Question {
            token: &got.access.token,
            audience: "",
            scopes: &[],
            authentication: Some(required),
        };
        let told = world.validator().validate(question);
        let lacking = NotAccepted::InsufficientAuthentication(required);
        assert!(
            matches!(told, Validation::Rejected(rejected) if rejected == lacking),
            "{told:?}"
        );
    }
}
