//! The messages about sessions, step-ups and MFA sessions.

use countersign_proto::v1;
use countersign_proto::v1::create_mfa_session_request::User;
use countersign_proto::v1::person::By;
use countersign_tests::Gateway;
use prost::Message as _;

use super::unknown;
use crate::cast::{Asking, Cast, NOBODY, SOUTH};
use crate::owner::{CODE, altered};
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    if rpc.contains("Mfa") {
        return of_mfa(cast, rpc, object).await;
    }
    let asking = cast.asking(object).await;
    let (owner, access_token) = (&asking.owner, asking.token.clone());
    let person = Some(person(cast, &asking, object));
    match rpc {
        "ListSessions" => {
            let request = v1::ListSessionsRequest {
                person,
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "GetSession" => {
            let session_id = session(&asking, object).await;
            v1::GetSessionRequest { person, session_id }.encode_to_vec()
        }
        "RevokeSession" => {
            let session_id = session(&asking, object).await;
            v1::RevokeSessionRequest { person, session_id }.encode_to_vec()
        }
        "RevokeUserSessions" => {
            let keep_current = false;
            let request = v1::RevokeUserSessionsRequest {
                person,
                keep_current,
            };
            request.encode_to_vec()
        }
        "BeginStepUpAssertion" => v1::BeginStepUpAssertionRequest { access_token }.encode_to_vec(),
        "SendStepUpCode" => {
            let factor_id = match object {
                Object::Absent => NOBODY.into(),
                _ => owner.address_factor(cast.world()).await,
            };
            let request = v1::SendStepUpCodeRequest {
                access_token,
                factor_id,
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "StepUpSession" => {
            let request = v1::StepUpSessionRequest {
                access_token,
                password: owner.password.into(),
                ..Default::default()
            };
            request.encode_to_vec()
        }
        _ => unknown(rpc, object),
    }
}

/// For whom it is asked.
fn person(cast: &Cast, asking: &Asking, object: Object) -> v1::Person {
    let by = match object {
        Object::ById => By::UserId(asking.owner.person.user_id.clone()),
        Object::OfSameGroupById => By::UserId(cast.neighbour.person.user_id.clone()),
        Object::AbsentById => By::UserId(NOBODY.into()),
        _ => By::AccessToken(asking.token.clone()),
    };
    v1::Person { by: Some(by) }
}

/// Which session it is about.
async fn session(asking: &Asking, object: Object) -> String {
    let owner = &asking.owner;
    match object {
        Object::Absent => NOBODY.into(),
        Object::Ended => {
            let other = owner.sign_in().await;
            let ended = owner.person.end_session(&owner.tokens, &other.session_id);
            ended.await.expect("ended");
            other.session_id
        }
        _ => owner.tokens.session_id.clone(),
    }
}

async fn of_mfa(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    let create = |user_id: String, is_by_factors: bool| v1::CreateMfaSessionRequest {
        user: Some(User::UserId(user_id)),
        code: if is_by_factors { "" } else { CODE }.into(),
        enrolled_factors: is_by_factors,
        ..Default::default()
    };
    if rpc == "CreateMfaSession" {
        let user_id = match object {
            Object::OfOtherGroup => cast.foreigner.person.user_id.clone(),
            Object::Absent => NOBODY.into(),
            _ => cast.newcomer().await.person.user_id,
        };
        let request = v1::CreateMfaSessionRequest {
            group_id: group(object, "").into(),
            ..create(user_id, false)
        };
        return request.encode_to_vec();
    }
    let gateway: &Gateway = match object {
        Object::OfOtherCaller => &cast.callers.other_gateway,
        _ => cast.gateway(),
    };
    let owner = cast.newcomer().await;
    let is_by_factors = rpc != "ValidateMfaSession";
    let made = gateway.ask_for_mfa(create(owner.person.user_id.clone(), is_by_factors));
    let mut mfa_session_id = made.await.expect("an MFA session");
    match object {
        Object::Absent => mfa_session_id = altered(&mfa_session_id),
        Object::Ended => {
            let answered = gateway.validate_mfa(&mfa_session_id, CODE).await;
            answered.expect("signed in");
        }
        _ => {}
    }
    let group_id = group(object, SOUTH).into();
    match rpc {
        "BeginMfaAssertion" => {
            let request = v1::BeginMfaAssertionRequest {
                group_id,
                mfa_session_id,
            };
            request.encode_to_vec()
        }
        "SendMfaCode" => {
            let request = v1::SendMfaCodeRequest {
                group_id,
                mfa_session_id,
                factor_id: NOBODY.into(),
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "ValidateMfaSession" => {
            let request = v1::ValidateMfaSessionRequest {
                group_id,
                mfa_session_id,
                code: CODE.into(),
                ..Default::default()
            };
            request.encode_to_vec()
        }
        _ => unknown(rpc, object),
    }
}

/// The group that is named: another one for what is of another.
fn group(object: Object, other: &'static str) -> &'static str {
    match object {
        Object::OfOtherGroup => other,
        Object::AbsentGroup => "nowhere",
        _ => "",
    }
}
