//! Calls that act for a person are not made by a service account.

use countersign_proto::v1;
use countersign_tests::{Backend, by_secret, on_every_backend, reason};
use tonic::Status;

use super::world;

on_every_backend!(a_service_account_is_no_person);

async fn a_service_account_is_no_person(backend: Backend) {
    let world = world(backend, 1).await;
    let gateway = world.gateway();
    let account = gateway.make_service_account("", &[], &[]).await;
    let (secret, _) = gateway.new_secret(&account).await;
    let got = gateway.sign_in_service_account(&account, by_secret(&secret), &[]);
    let token = got.await.expect("a token").access_token;
    let person = || {
        Some(v1::Person {
            by: Some(v1::person::By::AccessToken(token.clone())),
        })
    };
    let (mut auth, mut sessions) = (gateway.auth(), gateway.sessions());
    let (mut users, mut factors) = (gateway.users(), gateway.factors());
    let mut told: Vec<(&str, Result<(), Status>)> = Vec::new();
    let profile = v1::GetProfileRequest {
        access_token: token.clone(),
    };
    told.push(("GetProfile", users.get_profile(profile).await.map(drop)));
    let withdraw = v1::WithdrawProfileRequest {
        access_token: token.clone(),
    };
    let withdrawn = users.withdraw_profile(withdraw).await;
    told.push(("WithdrawProfile", withdrawn.map(drop)));
    let addresses = v1::ListIdentifiersRequest {
        access_token: token.clone(),
    };
    let listed = users.list_identifiers(addresses).await;
    told.push(("ListIdentifiers", listed.map(drop)));
    let change = v1::ChangePasswordRequest {
        access_token: token.clone(),
        current_password: "the password of nobody".into(),
        new_password: "another password of nobody".into(),
        client_context: None,
    };
    told.push((
        "ChangePassword",
        auth.change_password(change).await.map(drop),
    ));
    let list = v1::ListSessionsRequest {
        person: person(),
        ..Default::default()
    };
    told.push(("ListSessions", sessions.list_sessions(list).await.map(drop)));
    let end = v1::RevokeUserSessionsRequest {
        person: person(),
        keep_current: false,
    };
    let ended = sessions.revoke_user_sessions(end).await;
    told.push(("RevokeUserSessions", ended.map(drop)));
    let list = v1::ListFactorsRequest {
        access_token: token.clone(),
    };
    told.push(("ListFactors", factors.list_factors(list).await.map(drop)));
    for (what, told) in &told {
        assert_eq!(reason(told), "TOKEN_OF_SERVICE_ACCOUNT", "{what}");
    }
    // Nor is it a user of whom an operator could be told.
    let user = v1::GetUserRequest {
        user_id: account.service_account_id.clone(),
    };
    assert_eq!(reason(&users.get_user(user).await), "USER_NOT_FOUND");
    // And there is nothing that would renew it.
    assert_eq!(
        reason(&gateway.refresh(&token).await),
        "REFRESH_TOKEN_INVALID"
    );
    // Who asks how well a person was authenticated is not answered by it.
    let question = v1::ValidateTokenRequest {
        access_token: token.clone(),
        acr_values: vec!["aal1".into()],
        ..Default::default()
    };
    let answer = auth.validate_token(question).await.expect("an answer");
    match answer.into_inner().verdict {
        Some(v1::validate_token_response::Verdict::Rejected(rejected)) => assert_eq!(
            rejected.reason(),
            v1::RejectionReason::InsufficientUserAuthentication
        ),
        other => panic!("{other:?}"),
    }
    assert_eq!(gateway.judge(&token).await, "VALID");
}
