//! The messages of signing up and of passwords.

use countersign_proto::v1::{self, Purpose};
use countersign_tests::{PASSWORD, email};
use prost::Message as _;

use super::unknown;
use crate::cast::{Cast, NOBODY, SOUTH};
use crate::owner::{CODE, altered, prove};
use crate::table::Object;

const NEW_PASSWORD: &str = "six kestrels above the quarry";

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    match rpc {
        "SignUp" => sign_up(cast, object).await,
        "ConfirmSignUp" => confirm(cast, object).await,
        "BeginPasskeySignIn" => {
            let request = v1::BeginPasskeySignInRequest {
                group_id: group(object).into(),
                client_context: None,
            };
            request.encode_to_vec()
        }
        "ChangePassword" => {
            let asking = cast.asking(object).await;
            let request = v1::ChangePasswordRequest {
                access_token: asking.token,
                current_password: asking.owner.password.into(),
                new_password: NEW_PASSWORD.into(),
                client_context: None,
            };
            request.encode_to_vec()
        }
        "StartPasswordReset" => start_reset(cast, object).await,
        "ResetPassword" => reset(cast, object).await,
        _ => unknown(rpc, object),
    }
}

fn group(object: Object) -> &'static str {
    match object {
        Object::OfOtherGroup => SOUTH,
        Object::AbsentGroup => "nowhere",
        _ => "",
    }
}

/// Each signs up with an address and a proof. Others' is a proof of another address.
async fn sign_up(cast: &Cast, object: Object) -> Vec<u8> {
    let gateway = cast.gateway();
    let mut address = cast.world().new_email();
    let mut proof = prove(gateway, &address, Purpose::SignUp, "").await;
    match object {
        Object::OfSameGroup => address = cast.world().new_email(),
        Object::Absent => proof = altered(&proof),
        Object::Ended => {
            let signed_up = gateway.sign_up_proven(email(&address), "", PASSWORD, &proof);
            signed_up.await.expect("a user");
        }
        _ => {}
    }
    let request = v1::SignUpRequest {
        group_id: group(object).into(),
        identifier: Some(email(&address)),
        password: PASSWORD.into(),
        proof,
        ..Default::default()
    };
    request.encode_to_vec()
}

/// Each confirms a sign-up with the code that came. Others' is the code of another.
async fn confirm(cast: &Cast, object: Object) -> Vec<u8> {
    let (mut verification_id, mut code) = begin(cast).await;
    match object {
        Object::Own => {}
        Object::OfSameGroup => {
            let own = code.clone();
            while code == own {
                code = begin(cast).await.1;
            }
        }
        Object::Absent => verification_id = NOBODY.into(),
        Object::Ended => {
            let confirmed = cast.gateway().confirm(&verification_id, &code).await;
            confirmed.expect("confirmed");
        }
        _ => unknown("ConfirmSignUp", object),
    }
    let request = v1::ConfirmSignUpRequest {
        verification_id,
        code,
    };
    request.encode_to_vec()
}

async fn begin(cast: &Cast) -> (String, String) {
    let address = cast.world().new_email();
    let pending = cast.gateway().sign_up_unproven(&address, PASSWORD).await;
    let id = pending.expect("pending").verification_id;
    (id, cast.world().read_code(&address).await)
}

async fn start_reset(cast: &Cast, object: Object) -> Vec<u8> {
    let address = match object {
        Object::Absent => cast.world().new_email(),
        _ => cast.newcomer().await.person.email,
    };
    let request = v1::StartPasswordResetRequest {
        group_id: group(object).into(),
        identifier: Some(email(&address)),
        code: CODE.into(),
        ..Default::default()
    };
    request.encode_to_vec()
}

/// Each sets a password by the proof of a reset. Others' is one for something else.
async fn reset(cast: &Cast, object: Object) -> Vec<u8> {
    let (gateway, owner) = (cast.gateway(), cast.newcomer().await);
    let address = &owner.person.email;
    let proof = match object {
        Object::OfSameGroup => prove(gateway, &cast.victim.person.email, Purpose::SignIn, "").await,
        _ => {
            let request = v1::StartPasswordResetRequest {
                identifier: Some(email(address)),
                code: CODE.into(),
                ..Default::default()
            };
            let id = gateway.ask_for_reset(request).await.expect("a code");
            gateway.check_code(&id, CODE).await.expect("a proof")
        }
    };
    let proof = match object {
        Object::Own | Object::OfSameGroup => proof,
        Object::Absent => altered(&proof),
        Object::Ended => {
            let reset = gateway.reset_password(&proof, PASSWORD).await;
            reset.expect("reset");
            proof
        }
        _ => unknown("ResetPassword", object),
    };
    let request = v1::ResetPasswordRequest {
        proof,
        new_password: NEW_PASSWORD.into(),
    };
    request.encode_to_vec()
}
