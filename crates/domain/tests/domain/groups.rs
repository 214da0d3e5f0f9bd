//! Groups: who makes them, what is told of those that nobody made, and that none is
//! deleted under somebody's feet.

use countersign_domain::model::{
    ClientContext, Code, Group, GroupEtag, GroupField, GroupId, GroupPageToken, GroupPolicy,
    Locale, MfaPolicy, NamedUser, PageSize, Purpose, User, UserId,
};
use countersign_domain::ports::{Clock as _, Store as _};
use countersign_domain::testing::{World, address, refusal, send_code, sign_in};
use countersign_domain::use_cases::{
    BeginPasskeySignIn, CreateGroup, CreateMfaSession, DeleteGroup, EnsureGroups, GetGroup, Grant,
    IssueTokens, ListGroups, MfaCode, SendCode, SignUp, UpdateGroup,
};
use countersign_domain::{Error, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

fn id(text: &str) -> GroupId {
    GroupId::parse(text).expect("a group")
}

fn create_mfa_session(group: GroupId) -> CreateMfaSession {
    CreateMfaSession {
        group,
        user: NamedUser::Identifier(address(EMAIL).into()),
        code: MfaCode::Own(Code::parse("135790".into()).expect("a code")),
        ttl: None,
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: "gateway".into(),
        locale: Locale::English,
        client: ClientContext::default(),
    }
}

fn update(group: &str, fields: &[GroupField], policy: GroupPolicy) -> UpdateGroup {
    UpdateGroup {
        id: id(group),
        etag: None,
        fields: fields.to_vec(),
        display_name: "another name".into(),
        policy,
    }
}

fn delete(group: &str, etag: Option<GroupEtag>) -> DeleteGroup {
    let id = id(group);
    DeleteGroup { id, etag }
}

async fn get(world: &World, group: &str) -> Result<Group, Error> {
    GetGroup { id: id(group) }.execute(&world.app).await
}

#[tokio::test]
async fn a_group_that_nobody_made_is_one_answer_and_costs_nothing() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let proof = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    world.store.take_accounts_read();
    world.hasher.take_count();
    let nowhere = || id("nowhere");
    for email in [EMAIL, "nobody@example.com"] {
        let with = |grant| IssueTokens {
            group: nowhere(),
            grant,
            ..sign_in(email, PASSWORD)
        };
        let password = sign_in(email, PASSWORD).grant;
        for grant in [password, Grant::VerifiedCode(proof.clone())] {
            let refused = with(grant).execute(&world.app).await;
            assert_eq!(refusal(refused), Refusal::Group);
        }
        for purpose in [Purpose::SignUp, Purpose::SignIn, Purpose::PasswordReset] {
            let send = SendCode {
                group: nowhere(),
                ..send_code(email, purpose)
            };
            assert_eq!(refusal(send.execute(&world.app).await), Refusal::Group);
        }
        let sign_up = SignUp {
            group: nowhere(),
            ..world.sign_up(email, PASSWORD)
        };
        assert_eq!(refusal(sign_up.execute(&world.app).await), Refusal::Group);
        let created = create_mfa_session(nowhere()).execute(&world.app).await;
        assert_eq!(refusal(created), Refusal::Group);
        let begin = BeginPasskeySignIn {
            group: nowhere(),
            client_id: "gateway".into(),
        };
        assert_eq!(refusal(begin.execute(&world.app)), Refusal::Group);
    }
    assert_eq!(world.store.take_accounts_read(), 0);
    assert_eq!(world.hasher.take_count(), 0);
    assert!(world.take_sent().await.is_empty());
    let with_code = IssueTokens {
        grant: Grant::VerifiedCode(proof),
        ..sign_in(EMAIL, PASSWORD)
    };
    let signed_in = with_code.execute(&world.app).await;
    signed_in.expect("what was refused spent no proof");
}

#[tokio::test]
async fn a_server_that_starts_makes_what_is_named_and_what_users_are_in() {
    let mut world = World::new().await;
    let now = world.clock.now();
    let old = User::active(UserId::from_bytes([7; 16]), id("old-tenant"), now);
    let mut uow = world.store.begin().await.expect("a unit of work");
    uow.insert_user(&old).await.expect("a user");
    uow.commit().await.expect("committed");
    world.reconfigure(|settings| {
        settings.mfa_policy_of_groups = vec![(id("staff"), MfaPolicy::Required)];
    });
    for made in [vec![id("old-tenant"), id("staff")], vec![]] {
        let ensured = EnsureGroups.execute(&world.app).await;
        assert_eq!(ensured.expect("made"), made);
    }
    world.read().await;
    for group in ["default", "staff", "old-tenant"] {
        let issue = IssueTokens {
            group: id(group),
            ..sign_in(EMAIL, PASSWORD)
        };
        let refused = issue.execute(&world.app).await;
        assert_eq!(refusal(refused), Refusal::SignIn, "{group}");
    }
    let rules = world.app.groups.named(&id("staff")).expect("known");
    assert_eq!(rules.mfa_policy(), MfaPolicy::Required);
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names() {
    let world = World::new().await;
    world.group("staff").await;
    let before = get(&world, "staff").await.expect("a group");
    let policy = GroupPolicy {
        mfa: Some(MfaPolicy::Required),
        sign_up: Some(false),
        ..GroupPolicy::default()
    };
    world.clock.advance(std::time::Duration::from_secs(5));
    let update = update("staff", &[GroupField::MfaPolicy], policy);
    let changed = update.execute(&world.app).await.expect("changed");
    assert_eq!(changed.display_name, before.display_name);
    assert_eq!(changed.policy.mfa, Some(MfaPolicy::Required));
    assert_eq!(changed.policy.sign_up, None);
    assert_eq!(changed.created_at, before.created_at);
    assert_eq!(changed.updated_at, world.clock.now());
    assert_ne!(changed.etag(), before.etag());
    assert_eq!(get(&world, "staff").await.expect("a group"), changed);
    let rules = world.app.groups.named(&changed.id).expect("known");
    assert_eq!(rules.mfa_policy(), MfaPolicy::Required, "with the answer");
}

#[tokio::test]
async fn a_group_that_was_changed_meanwhile_is_not_overwritten() {
    let world = World::new().await;
    world.group("staff").await;
    let read = get(&world, "staff").await.expect("a group").etag();
    let again = GroupEtag::parse(&read.to_string()).expect("an etag");
    assert_eq!(again, read);
    for expected in [Ok(()), Err(Refusal::GroupChanged)] {
        let update = UpdateGroup {
            etag: Some(read),
            ..update("staff", &[GroupField::DisplayName], GroupPolicy::default())
        };
        match (update.execute(&world.app).await, expected) {
            (Ok(_), Ok(())) => {}
            (refused, Err(expected)) => assert_eq!(refusal(refused), expected),
            (refused, Ok(())) => panic!("{refused:?}"),
        }
    }
    let refused = delete("staff", Some(read)).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::GroupChanged);
    // One of the same id that was made later is another.
    let deleted = delete("staff", None).execute(&world.app).await;
    deleted.expect("nobody is in it");
    world.clock.advance(std::time::Duration::from_secs(1));
    world.group("staff").await;
    let refused = delete("staff", Some(read)).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::GroupChanged);
    // A lost race is run again.
    world.store.conflict(2);
    let update = update("staff", &[GroupField::DisplayName], GroupPolicy::default());
    let changed = update.execute(&world.app).await.expect("changed");
    assert_eq!(changed.revision, 2);
}

#[tokio::test]
async fn a_group_with_users_is_not_deleted_and_an_empty_one_is() {
    let world = World::new().await;
    let refused = delete("default", None).execute(&world.app).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let refused = delete("nowhere", None).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::Group);

    let shop = world.group("shop").await;
    let sign_up = SignUp {
        group: shop.clone(),
        ..world.sign_up(EMAIL, PASSWORD)
    };
    sign_up.execute(&world.app).await.expect("a code is sent");
    let code = world.take_code().await;
    delete("shop", None)
        .execute(&world.app)
        .await
        .expect("nobody is in it yet");
    let issue = || IssueTokens {
        group: shop.clone(),
        ..sign_in(EMAIL, PASSWORD)
    };
    let refused = issue().execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::Group, "with the answer");
    drop(code);

    world.group("shop").await;
    let now = world.clock.now();
    let user = User::active(UserId::from_bytes([9; 16]), shop.clone(), now);
    let mut uow = world.store.begin().await.expect("a unit of work");
    uow.insert_user(&user).await.expect("a user");
    uow.commit().await.expect("committed");
    let refused = delete("shop", None).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::GroupInUse);
    let refused = issue().execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::SignIn, "it is still there");
}

/// Another replica has deleted the group, and this one does not know it yet.
#[tokio::test]
async fn nobody_comes_into_a_group_that_is_gone() {
    let world = World::new().await;
    let shop = world.group("shop").await;
    let sign_up = SignUp {
        group: shop.clone(),
        ..world.sign_up(EMAIL, PASSWORD)
    };
    let signed_up = sign_up.execute(&world.app).await.expect("a code is sent");
    let countersign_domain::use_cases::SignedUp::Pending {
        verification_id, ..
    } = signed_up
    else {
        panic!("it is pending");
    };
    let code = world.take_code().await;
    let mut uow = world.store.begin().await.expect("a unit of work");
    assert!(uow.delete_group(&shop).await.expect("an answer"));
    uow.commit().await.expect("committed");
    let confirm = countersign_domain::use_cases::ConfirmSignUp {
        verification_id,
        code,
    };
    assert_eq!(refusal(confirm.execute(&world.app).await), Refusal::Group);
}

#[tokio::test]
async fn a_group_of_this_id_is_made_once() {
    let world = World::new().await;
    world.group("staff").await;
    for taken in ["staff", "default"] {
        let create = CreateGroup {
            id: id(taken),
            display_name: "usurper".into(),
            policy: GroupPolicy::default(),
        };
        let refused = create.execute(&world.app).await;
        assert_eq!(refusal(refused), Refusal::GroupTaken);
        assert_eq!(get(&world, taken).await.expect("a group").display_name, "");
    }
}

#[tokio::test]
async fn groups_are_listed_page_by_page_without_the_damaged() {
    let world = World::new().await;
    for number in 0..4 {
        world.group(&format!("g-{number}")).await;
    }
    world.store.damage_group(&id("g-1"), true);
    let (mut listed, mut after) = (Vec::new(), None::<GroupPageToken>);
    loop {
        let list = ListGroups {
            size: PageSize::parse(2).expect("a size"),
            after,
        };
        let page = list.execute(&world.app).await.expect("a page");
        listed.extend(page.groups.into_iter().map(|group| group.id));
        match page.next {
            Some(next) => {
                let token = GroupPageToken::parse(&next.encode()).expect("a token");
                after = token;
            }
            None => break,
        }
    }
    let ids: Vec<_> = listed.iter().map(GroupId::as_str).collect();
    assert_eq!(ids, ["default", "g-0", "g-2", "g-3"]);
    for bad in ["!", "Zg", "Zw"] {
        assert!(GroupPageToken::parse(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_damaged_group_is_not_told_and_harms_no_other() {
    let world = World::new().await;
    let staff = world.group("staff").await;
    world.user(EMAIL, PASSWORD).await;
    world.store.damage_group(&staff, true);
    world.read().await;
    let issue = || IssueTokens {
        group: staff.clone(),
        ..sign_in(EMAIL, PASSWORD)
    };
    let unknown = issue().execute(&world.app).await;
    assert!(matches!(unknown, Err(Error::Unavailable(_))), "{unknown:?}");
    world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    world.store.damage_group(&staff, false);
    world.read().await;
    let refused = issue().execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::SignIn);
}
