//! The messages about second factors.

use countersign_proto::v1;
use countersign_tests::email;
use prost::Message as _;

use super::unknown;
use crate::cast::{Cast, NOBODY};
use crate::owner::Owner;
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    let asking = cast.asking(object).await;
    let (owner, access_token) = (&asking.owner, asking.token.clone());
    match rpc {
        "BeginEnrollment" => {
            let address = match object {
                Object::Absent => cast.world().new_email(),
                _ => owner.person.email.clone(),
            };
            let request = v1::BeginEnrollmentRequest {
                access_token,
                kind: v1::FactorKind::Email.into(),
                address: Some(email(&address)),
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "ConfirmEnrollment" => confirm(owner, access_token, object).await,
        "ListFactors" => v1::ListFactorsRequest { access_token }.encode_to_vec(),
        "RemoveFactor" => {
            let factor_id = match object {
                Object::Absent => NOBODY.into(),
                _ => owner.app().await,
            };
            if object == Object::Ended {
                let removed = owner.person.remove_factor(&owner.tokens, &factor_id);
                removed.await.expect("removed");
            }
            let request = v1::RemoveFactorRequest {
                access_token,
                factor_id,
            };
            request.encode_to_vec()
        }
        "RegenerateRecoveryCodes" => {
            if object == Object::Own {
                owner.app().await;
            }
            v1::RegenerateRecoveryCodesRequest { access_token }.encode_to_vec()
        }
        _ => unknown(rpc, object),
    }
}

async fn confirm(owner: &Owner, access_token: String, object: Object) -> Vec<u8> {
    let (mut enrollment_id, code) = owner.enrollment().await;
    match object {
        Object::Absent => enrollment_id = NOBODY.into(),
        Object::Ended => {
            let confirmed = owner
                .person
                .confirm_enrollment(&owner.tokens, &enrollment_id, &code);
            confirmed.await.expect("a factor");
        }
        _ => {}
    }
    let request = v1::ConfirmEnrollmentRequest {
        access_token,
        enrollment_id,
        code,
        ..Default::default()
    };
    request.encode_to_vec()
}
