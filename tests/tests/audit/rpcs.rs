//! Each RPC of the contract that changes something lasting leaves an event that says so,
//! and no other RPC leaves one: all are asked once.

use std::collections::{BTreeMap, BTreeSet};

use countersign_proto::{Idempotency, v1};
use countersign_tests::{
    Backend, Issuer, PASSWORD, Person, Shown, UNDO_LINK, World, by_secret, by_token, email,
    on_every_backend, reason, undo_token_of,
};

use countersign_token::Algorithm;

use crate::{action, all};

const NEW_PASSWORD: &str = "eight anchors under the bridge";

/// What each RPC that changes something lasting leaves when it is done.
const TOLD: [(&str, &[&str]); 38] = [
    ("AddIdentifier", &["identifier_added"]),
    (
        "AddServiceAccountKey",
        &["service_account_credential_added"],
    ),
    ("ChangeIdentifier", &["identifier_changed"]),
    ("ChangePassword", &["password_changed"]),
    ("ConfirmEnrollment", &["factor_enrolled"]),
    ("ConfirmSignUp", &["user_signed_up"]),
    ("CreateGroup", &["group_created"]),
    ("CreateServiceAccount", &["service_account_created"]),
    (
        "CreateServiceAccountSecret",
        &["service_account_credential_added"],
    ),
    ("CreateUser", &["user_created"]),
    ("DeleteGroup", &["group_deleted"]),
    ("DeleteServiceAccount", &["service_account_deleted"]),
    ("DeleteUser", &["user_deleted"]),
    ("ImportUsers", &["users_imported"]),
    (
        "IssueTokens",
        &[
            "second_factor_requested",
            "service_account_token_issued",
            "session_opened",
        ],
    ),
    // Of a token that was used before. A successful exchange leaves nothing.
    ("RefreshTokens", &["refresh_token_reused"]),
    ("LinkFederatedIdentity", &["federated_identity_linked"]),
    ("RegenerateRecoveryCodes", &["recovery_codes_replaced"]),
    ("ReinstateUser", &["user_reinstated"]),
    ("RemoveFactor", &["factor_removed"]),
    ("RemoveIdentifier", &["identifier_removed"]),
    (
        "RemoveServiceAccountCredential",
        &["service_account_credential_removed"],
    ),
    ("ResetPassword", &["password_reset"]),
    ("RevokeSession", &["session_revoked"]),
    (
        "RevokeToken",
        &["service_account_token_revoked", "session_revoked"],
    ),
    ("RevokeUserSessions", &["user_sessions_revoked"]),
    ("SignUp", &["user_signed_up"]),
    ("StepUpSession", &["session_stepped_up"]),
    ("SuspendUser", &["user_suspended"]),
    ("UndoIdentifierChange", &["identifier_change_undone"]),
    ("UnlinkFederatedIdentity", &["federated_identity_unlinked"]),
    ("UpdateGroup", &["group_updated"]),
    ("UpdateProfile", &["profile_updated"]),
    ("UpdateServiceAccount", &["service_account_updated"]),
    ("UpdateUser", &["user_updated"]),
    ("ValidateMfaSession", &["session_opened"]),
    ("WithdrawProfile", &["user_withdrawn"]),
    ("WithdrawUser", &["user_withdrawn"]),
];

/// RPCs that are no reads, and change nothing that lasts.
const UNTOLD: [(&str, &str); 13] = [
    ("BeginEnrollment", "an enrolment is kept for minutes"),
    ("BeginFederatedSignIn", "nothing is kept"),
    ("BeginMfaAssertion", "a challenge is kept for minutes"),
    ("BeginPasskeySignIn", "a challenge is kept for minutes"),
    ("BeginStepUpAssertion", "a challenge is kept for minutes"),
    ("CancelVerification", "a code is no longer kept"),
    ("CheckCode", "a proof is kept for minutes"),
    ("CreateMfaSession", "an MFA session is kept for minutes"),
    ("SendCode", "a message"),
    ("SendMfaCode", "a message"),
    ("SendStepUpCode", "a message"),
    ("StartPasswordReset", "a message"),
    ("ValidateTokens", "asks, as ValidateToken does"),
];

/// What only a provider itself can ask for: the domain's tests have it told of.
const OF_PROVIDERS: &str = "ReceiveProviderNotification";

#[test]
fn every_rpc_is_told_of_or_named() {
    let told: BTreeSet<_> = TOLD.iter().map(|(rpc, _)| *rpc).collect();
    let untold: BTreeSet<_> = UNTOLD.iter().map(|(rpc, _)| *rpc).collect();
    assert!(told.is_disjoint(&untold));
    for rpc in countersign_proto::RPCS {
        let is_read = rpc.idempotency == Idempotency::NoSideEffects;
        let is_named = told.contains(rpc.name) || untold.contains(rpc.name);
        let is_named = is_named || rpc.name == OF_PROVIDERS;
        assert!(
            is_read || is_named,
            "{} has no action in the audit log",
            rpc.name
        );
        assert!(!(is_read && told.contains(rpc.name)), "{} reads", rpc.name);
    }
    let all: BTreeSet<_> = countersign_proto::RPCS.iter().map(|rpc| rpc.name).collect();
    for rpc in told.union(&untold) {
        assert!(all.contains(rpc), "there is no {rpc}");
    }
}

on_every_backend!(each_rpc_leaves_its_event_and_no_other);

/// What was asked, and what it has left.
struct Walk<'w> {
    world: &'w World,
    seen: BTreeSet<String>,
    left: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Walk<'_> {
    /// Notes what has come since as left by this RPC.
    async fn note(&mut self, rpc: &'static str) {
        let gateway = self.world.gateway();
        let events = all(&gateway, &v1::ListAuditEventsRequest::default(), 100).await;
        let left = self.left.entry(rpc).or_default();
        for event in events {
            if self.seen.insert(event.event_id.clone()) {
                left.insert(action(&event));
            }
        }
    }

    async fn sign_up(&mut self) -> Person {
        let gateway = self.world.gateway();
        let address = self.world.new_email();
        let proof = gateway.prove(email(&address), v1::Purpose::SignUp).await;
        let proof = proof.expect("a proof");
        self.note("SendCode").await;
        let name = address.trim_start_matches("mina@");
        let name = name.trim_end_matches(".example").to_owned();
        let signed_up = gateway.sign_up_proven(email(&address), &name, PASSWORD, &proof);
        let user_id = signed_up.await.expect("a user");
        self.note("SignUp").await;
        Person {
            user_id,
            email: address,
            username: name,
            gateway,
        }
    }

    async fn sign_in(&mut self, person: &Person) -> v1::Tokens {
        let tokens = person.sign_in().await;
        self.note("IssueTokens").await;
        tokens
    }
}

async fn each_rpc_leaves_its_event_and_no_other(backend: Backend) {
    let origins: Vec<toml::Value> = vec!["https://example.com".into()];
    let issuer = Issuer::start().await;
    let world = World::on(backend)
        .set("passkeys.rp_id", "example.com")
        .set("passkeys.origins", origins)
        .set("identifiers.undo_link", UNDO_LINK);
    let providers = issuer.settings().into_iter();
    let world = providers.fold(world, |world, (path, value)| world.set(&path, value));
    let world = world.start().await;
    let mut walk = Walk {
        world: &world,
        seen: BTreeSet::new(),
        left: BTreeMap::new(),
    };
    walk.note("the start").await;
    let at_the_start = walk.left.remove("the start").unwrap_or_default();
    for made in ["group_created", "signing_key_created"] {
        assert!(at_the_start.contains(made), "{at_the_start:?}");
    }
    signing_up_and_in(&mut walk).await;
    passwords(&mut walk).await;
    factors(&mut walk).await;
    identifiers(&mut walk).await;
    linked_accounts(&mut walk, &issuer).await;
    operators(&mut walk).await;
    service_accounts(&mut walk).await;

    for (rpc, expected) in &TOLD {
        let left = walk.left.remove(*rpc).unwrap_or_default();
        let left: Vec<_> = left.iter().map(String::as_str).collect();
        assert_eq!(left, **expected, "{rpc}");
    }
    for (rpc, left) in &walk.left {
        assert_eq!(left, &BTreeSet::new(), "{rpc}");
    }
    countersign_tests::say!(
        "audit on {backend}: {} RPCs told of, {} asked beside them that leave nothing",
        TOLD.len(),
        walk.left.len()
    );
}

async fn signing_up_and_in(walk: &mut Walk<'_>) {
    let gateway = walk.world.gateway();
    let address = walk.world.new_email();
    let pending = gateway.sign_up_unproven(&address, PASSWORD).await;
    let id = pending.expect("pending").verification_id;
    let code = walk.world.read_code(&address).await;
    gateway.confirm(&id, &code).await.expect("a user");
    walk.note("ConfirmSignUp").await;

    let id = gateway.send_code(email(&address), v1::Purpose::SignIn, "123456");
    let id = id.await.expect("a code");
    gateway.verification(&id).await.expect("it is there");
    gateway.cancel(&id).await.expect("cancelled");
    walk.note("CancelVerification").await;
    gateway.begin_passkey_sign_in().await.expect("a challenge");
    walk.note("BeginPasskeySignIn").await;

    let mina = walk.sign_up().await;
    let first = walk.sign_in(&mina).await;
    gateway.judge(&first.access_token).await;
    walk.note("ValidateToken").await;
    let second = gateway
        .refresh(&first.refresh_token)
        .await
        .expect("refreshed");
    let third = gateway
        .refresh(&second.refresh_token)
        .await
        .expect("refreshed");
    walk.note("a successful RefreshTokens").await;
    let again = gateway.refresh(&first.refresh_token).await;
    assert_eq!(reason(&again), "REFRESH_TOKEN_REUSED");
    let ended = gateway.refresh(&third.refresh_token).await;
    assert_eq!(reason(&ended), "SESSION_ENDED");
    walk.note("RefreshTokens").await;

    let tokens = walk.sign_in(&mina).await;
    gateway.revoke(&tokens.access_token).await.expect("revoked");
    gateway
        .revoke(&tokens.refresh_token)
        .await
        .expect("revoked");
    walk.note("RevokeToken").await;
    let (one, other) = (walk.sign_in(&mina).await, walk.sign_in(&mina).await);
    mina.sessions(&one).await.expect("a list");
    mina.end_session(&one, &other.session_id)
        .await
        .expect("ended");
    walk.note("RevokeSession").await;
    let request = v1::RevokeUserSessionsRequest {
        person: Some(by_token(&one)),
        keep_current: false,
    };
    let ended = gateway.sessions().revoke_user_sessions(request).await;
    ended.expect("ended");
    walk.note("RevokeUserSessions").await;
}

async fn passwords(walk: &mut Walk<'_>) {
    let gateway = walk.world.gateway();
    let mina = walk.sign_up().await;
    let tokens = walk.sign_in(&mina).await;
    let changed = mina.change_password(&tokens, PASSWORD, NEW_PASSWORD).await;
    changed.expect("changed");
    walk.note("ChangePassword").await;
    let id = mina.forget_password().await.expect("a code");
    let code = walk.world.read_code(&mina.email).await;
    walk.note("StartPasswordReset").await;
    let proof = gateway.check_code(&id, &code).await.expect("a proof");
    walk.note("CheckCode").await;
    let reset = gateway.reset_password(&proof, PASSWORD).await;
    reset.expect("reset");
    walk.note("ResetPassword").await;
}

async fn linked_accounts(walk: &mut Walk<'_>, issuer: &Issuer) {
    let gateway = walk.world.gateway();
    let mut federation = gateway.federation();
    let begin = v1::BeginFederatedSignInRequest {
        provider: Issuer::PROVIDER.into(),
        redirect_uri: "https://login.example/callback".into(),
        ..Default::default()
    };
    let begun = gateway.auth().begin_federated_sign_in(begin).await;
    begun.expect("begun");
    walk.note("BeginFederatedSignIn").await;
    let mina = walk.sign_up().await;
    let tokens = walk.sign_in(&mina).await;
    let token = issuer.federation_token(&gateway, "default", "mina").await;
    let link = v1::LinkFederatedIdentityRequest {
        access_token: tokens.access_token.clone(),
        account: Some(v1::link_federated_identity_request::Account::FederationToken(token)),
        ..Default::default()
    };
    let linked = federation.link_federated_identity(link).await;
    let linked = linked.expect("linked").into_inner().federated_identity;
    walk.note("LinkFederatedIdentity").await;
    let by_app = gateway
        .auth()
        .issue_tokens(issuer.grant("default", "mina"))
        .await;
    by_app.expect("signed in");
    walk.note("IssueTokens").await;
    let unlink = v1::UnlinkFederatedIdentityRequest {
        access_token: tokens.access_token,
        federated_identity_id: linked.unwrap_or_default().federated_identity_id,
        ..Default::default()
    };
    let unlinked = federation.unlink_federated_identity(unlink).await;
    unlinked.expect("unlinked");
    walk.note("UnlinkFederatedIdentity").await;
}

async fn factors(walk: &mut Walk<'_>) {
    let gateway = walk.world.gateway();
    let mina = walk.sign_up().await;
    let tokens = walk.sign_in(&mina).await;
    mina.begin_step_up(&tokens.access_token)
        .await
        .expect("a challenge");
    walk.note("BeginStepUpAssertion").await;
    let stepped_up = mina.step_up(&tokens.access_token, Shown::Password(PASSWORD));
    stepped_up.await.expect("right");
    walk.note("StepUpSession").await;
    let enrolled = mina.enroll(&tokens).await;
    walk.note("ConfirmEnrollment").await;
    let required = mina.begin_sign_in().await.expect("a second factor");
    walk.note("IssueTokens").await;
    let begun = gateway.begin_mfa_assertion(&required.mfa_session_id).await;
    begun.expect("a challenge");
    walk.note("BeginMfaAssertion").await;
    let answered = mina.answer(&required.mfa_session_id, &enrolled.recovery_codes[0]);
    let tokens = answered.await.expect("signed in");
    walk.note("ValidateMfaSession").await;
    let request = v1::RegenerateRecoveryCodesRequest {
        access_token: tokens.access_token.clone(),
    };
    let replaced = gateway.factors().regenerate_recovery_codes(request).await;
    replaced.expect("replaced");
    walk.note("RegenerateRecoveryCodes").await;
    let removed = mina.remove_factor(&tokens, &enrolled.factor_id).await;
    removed.expect("removed");
    walk.note("RemoveFactor").await;
    gateway
        .create_mfa(email(&mina.email), "123456")
        .await
        .expect("an id");
    walk.note("CreateMfaSession").await;
}

async fn identifiers(walk: &mut Walk<'_>) {
    let gateway = walk.world.gateway();
    let mina = walk.sign_up().await;
    let tokens = walk.sign_in(&mina).await;
    let (added, changed) = (walk.world.new_email(), walk.world.new_email());
    let proof = mina.prove_new(&tokens, &added).await.expect("a proof");
    mina.add_identifier(&tokens, &proof).await.expect("added");
    walk.note("AddIdentifier").await;
    let proof = mina.prove_new(&tokens, &changed).await.expect("a proof");
    let change = mina.change_identifier(&tokens, &added, &proof).await;
    change.expect("changed");
    walk.note("ChangeIdentifier").await;
    let removed = mina.remove_identifier(&tokens, &changed).await;
    removed.expect("removed");
    walk.note("RemoveIdentifier").await;
    let link = walk.world.read_link(&mina.email).await;
    let undone = gateway.undo_identifier_change("", undo_token_of(&link));
    undone.await.expect("undone");
    walk.note("UndoIdentifierChange").await;

    let tokens = gateway.prove(email(&mina.email), v1::Purpose::SignIn).await;
    let tokens = gateway.sign_in_proven(&tokens.expect("a proof")).await;
    let tokens = tokens.expect("signed in");
    walk.note("IssueTokens").await;
    let request = v1::UpdateProfileRequest {
        access_token: tokens.access_token.clone(),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["name".into()],
        }),
        ..Default::default()
    };
    let updated = gateway.users().update_profile(request).await;
    updated.expect("changed");
    walk.note("UpdateProfile").await;
    gateway.profile(&tokens).await.expect("a profile");
    gateway.leave(&tokens).await.expect("left");
    walk.note("WithdrawProfile").await;
}

async fn service_accounts(walk: &mut Walk<'_>) {
    let gateway = walk.world.gateway();
    let account = gateway.make_service_account("default", &[], &[]).await;
    walk.note("CreateServiceAccount").await;
    let (secret, credential_id) = gateway.new_secret(&account).await;
    walk.note("CreateServiceAccountSecret").await;
    gateway.new_assertion_key(&account, Algorithm::EdDsa).await;
    walk.note("AddServiceAccountKey").await;
    let token = gateway.sign_in_service_account(&account, by_secret(&secret), &[]);
    let token = token.await.expect("a token").access_token;
    walk.note("IssueTokens").await;
    gateway.revoke(&token).await.expect("revoked");
    walk.note("RevokeToken").await;
    let service_account_id = account.service_account_id;
    let update = v1::UpdateServiceAccountRequest {
        service_account: Some(v1::ServiceAccount {
            service_account_id: service_account_id.clone(),
            roles: vec!["settler".into()],
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["roles".into()],
        }),
    };
    let mut accounts = gateway.service_accounts();
    accounts
        .update_service_account(update)
        .await
        .expect("changed");
    walk.note("UpdateServiceAccount").await;
    let removal = v1::RemoveServiceAccountCredentialRequest {
        service_account_id: service_account_id.clone(),
        credential_id,
    };
    let removed = accounts.remove_service_account_credential(removal).await;
    removed.expect("removed");
    walk.note("RemoveServiceAccountCredential").await;
    let deletion = v1::DeleteServiceAccountRequest {
        service_account_id,
        etag: String::new(),
    };
    accounts
        .delete_service_account(deletion)
        .await
        .expect("deleted");
    walk.note("DeleteServiceAccount").await;
}

async fn operators(walk: &mut Walk<'_>) {
    let gateway = walk.world.gateway();
    let user = |external_id: &str| v1::ImportedUser {
        external_id: external_id.into(),
        state: v1::UserState::Suspended.into(),
        ..Default::default()
    };
    let request = v1::ImportUsersRequest {
        users: vec![user("7"), user("8")],
        validate_only: false,
    };
    gateway
        .users()
        .import_users(request)
        .await
        .expect("imported");
    walk.note("ImportUsers").await;
    let request = v1::CreateUserRequest {
        identifiers: vec![email(&walk.world.new_email())],
        ..Default::default()
    };
    let user = gateway.create_user(request).await.expect("a user").user_id;
    walk.note("CreateUser").await;
    let request = v1::UpdateUserRequest {
        user_id: user.clone(),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["roles".into()],
        }),
        roles: vec!["staff".into()],
        ..Default::default()
    };
    gateway.update_user(request).await.expect("changed");
    walk.note("UpdateUser").await;
    gateway.suspend(&user, "spam").await.expect("suspended");
    walk.note("SuspendUser").await;
    gateway.reinstate(&user).await.expect("reinstated");
    walk.note("ReinstateUser").await;
    gateway.withdraw(&user).await.expect("withdrawn");
    walk.note("WithdrawUser").await;
    gateway.delete_user(&user).await.expect("deleted");
    walk.note("DeleteUser").await;

    let policy = v1::GroupPolicy::default();
    gateway
        .make_group("shop", policy.clone())
        .await
        .expect("made");
    walk.note("CreateGroup").await;
    gateway
        .change_policy("shop", policy)
        .await
        .expect("changed");
    walk.note("UpdateGroup").await;
    let request = v1::DeleteGroupRequest {
        group_id: "shop".into(),
        ..Default::default()
    };
    let deleted = gateway.groups().delete_group(request).await;
    deleted.expect("deleted");
    walk.note("DeleteGroup").await;
}
