//! Assertions that private keys have signed: what of them is accepted, and once.

use super::*;

#[tokio::test]
async fn an_assertion_is_exchanged_once() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let (key, credential) = key(&world, &account).await;
    let assertion = key.assertion(&world, &account, "one");
    let got = token(&world, by_assertion(&account, assertion.clone())).await;
    let told = verdict(&world, &got).expect("a good token");
    assert_eq!(told.sid, credential.sid.to_string());
    let again = by_assertion(&account, assertion).execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::SignIn);
    // The id was used, not the text.
    let mut reworded = claims(&world, &account, "one");
    reworded["exp"] = json!(now(&world).as_seconds() + 90);
    let again = by_assertion(&account, key.sign(&reworded));
    assert_eq!(refusal(again.execute(&world.app).await), Refusal::SignIn);
    let another = key.assertion(&world, &account, "two");
    token(&world, by_assertion(&account, another)).await;
}

#[tokio::test]
async fn one_id_may_be_used_by_two_accounts() {
    let world = world().await;
    for _ in 0..2 {
        let account = account(&world, ServiceAccountGrants::default()).await;
        let (key, _) = key(&world, &account).await;
        let assertion = key.assertion(&world, &account, "one");
        token(&world, by_assertion(&account, assertion)).await;
    }
}

#[tokio::test]
async fn an_assertion_is_used_up_until_nobody_would_take_it() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let (key, _) = key(&world, &account).await;
    let leeway = i64::try_from(world.app.settings.tokens.leeway.as_secs()).expect("seconds");
    let mut longest = claims(&world, &account, "long");
    longest["exp"] = json!(now(&world).as_seconds() + 300 + leeway);
    let longest = key.sign(&longest);
    token(&world, by_assertion(&account, longest.clone())).await;
    for _ in 0..=(300 + 3 * leeway) {
        let again = by_assertion(&account, longest.clone());
        let again = again.execute(&world.app).await;
        assert_eq!(refusal(again), Refusal::SignIn);
        world.clock.advance(std::time::Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_refused_assertion_leaves_nothing_behind() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let (own, _) = key(&world, &account).await;
    let foreign = Key::generate();
    let with = |name: &str, value: Value| {
        let mut changed = claims(&world, &account, "one");
        changed[name] = value;
        own.sign(&changed)
    };
    let later = now(&world).as_seconds() + 3_600;
    for (what, assertion) in [
        ("foreign", foreign.assertion(&world, &account, "one")),
        ("aud", with("aud", json!("https://other.example"))),
        ("iss", with("iss", json!("another"))),
        ("exp", with("exp", json!(later))),
        ("nbf", with("nbf", json!(later))),
    ] {
        let refused = by_assertion(&account, assertion).execute(&world.app).await;
        assert_eq!(refusal(refused), Refusal::SignIn, "{what}");
    }
    // None of them has used the id.
    let good = own.assertion(&world, &account, "one");
    token(&world, by_assertion(&account, good)).await;
}

#[tokio::test]
async fn whether_it_was_used_is_never_guessed() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let (key, _) = key(&world, &account).await;
    let assertion = key.assertion(&world, &account, "one");
    world.ephemeral.set_broken(true);
    let untold = by_assertion(&account, assertion.clone());
    let untold = untold.execute(&world.app).await;
    assert!(matches!(untold, Err(Error::Ephemeral(_))), "{untold:?}");
    world.ephemeral.set_broken(false);
    token(&world, by_assertion(&account, assertion)).await;
}
