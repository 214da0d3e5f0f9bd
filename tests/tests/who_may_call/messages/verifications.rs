//! The messages about verifications.

use countersign_proto::v1;
use countersign_proto::v1::check_code_request::Verification;
use countersign_tests::email;
use prost::Message as _;

use super::unknown;
use crate::cast::{Cast, NOBODY, SOUTH};
use crate::owner::{CODE, send_code};
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    match rpc {
        "SendCode" => send(cast, object).await,
        "CheckCode" => check(cast, object).await,
        "GetVerification" => {
            let request = v1::GetVerificationRequest {
                verification_id: verification(cast, object).await,
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "CancelVerification" => {
            let request = v1::CancelVerificationRequest {
                verification_id: verification(cast, object).await,
            };
            request.encode_to_vec()
        }
        _ => unknown(rpc, object),
    }
}

/// The one purpose for which a person must be signed in.
async fn send(cast: &Cast, object: Object) -> Vec<u8> {
    let group_id = match object {
        Object::AbsentGroup => "nowhere",
        _ => "",
    };
    let request = v1::SendCodeRequest {
        group_id: group_id.into(),
        identifier: Some(email(&cast.world().new_email())),
        purpose: v1::Purpose::ChangeIdentifier.into(),
        code: CODE.into(),
        access_token: cast.asking(object).await.token,
        ..Default::default()
    };
    request.encode_to_vec()
}

/// Others' is the code of another verification.
async fn check(cast: &Cast, object: Object) -> Vec<u8> {
    let owner = match object {
        Object::OfSameGroup => cast.victim.clone(),
        _ => cast.newcomer().await,
    };
    let (address, purpose) = (&owner.person.email, v1::Purpose::SignIn);
    let id = send_code(cast.gateway(), address, purpose, "").await;
    let verification = match object {
        Object::Own | Object::OfSameGroup => Verification::VerificationId(id),
        Object::OfOtherGroup => Verification::Address(v1::VerifiedAddress {
            group_id: SOUTH.into(),
            identifier: Some(email(address)),
            purpose: purpose.into(),
        }),
        Object::Absent => Verification::VerificationId(NOBODY.into()),
        Object::Ended => {
            let checked = cast.gateway().check_code(&id, CODE).await;
            checked.expect("a proof");
            Verification::VerificationId(id)
        }
        _ => unknown("CheckCode", object),
    };
    let code = match object {
        Object::OfSameGroup => "246801",
        _ => CODE,
    };
    let request = v1::CheckCodeRequest {
        verification: Some(verification),
        code: code.into(),
    };
    request.encode_to_vec()
}

async fn verification(cast: &Cast, object: Object) -> String {
    let owner = cast.newcomer().await;
    let (gateway, purpose) = (cast.gateway(), v1::Purpose::SignIn);
    let id = send_code(gateway, &owner.person.email, purpose, "").await;
    match object {
        Object::Own => id,
        Object::Absent => NOBODY.into(),
        Object::Ended => {
            gateway.cancel(&id).await.expect("cancelled");
            id
        }
        _ => unknown("GetVerification", object),
    }
}
