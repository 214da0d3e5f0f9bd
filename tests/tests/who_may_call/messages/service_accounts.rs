//! The messages about service accounts.

use countersign_proto::v1;
use countersign_proto::v1::add_service_account_key_request::Key;
use countersign_tests::AssertionKey;
use countersign_token::Algorithm;
use prost::Message as _;

use super::unknown;
use crate::cast::{Cast, NOBODY};
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    let group_id = match object {
        Object::AbsentGroup => "nowhere".to_owned(),
        _ => String::new(),
    };
    match rpc {
        "CreateServiceAccount" => {
            let request = v1::CreateServiceAccountRequest {
                group_id,
                display_name: "settlement".into(),
                ..Default::default()
            };
            return request.encode_to_vec();
        }
        "ListServiceAccounts" => {
            let request = v1::ListServiceAccountsRequest {
                group_id,
                ..Default::default()
            };
            return request.encode_to_vec();
        }
        _ => {}
    }
    let operator = cast.operator();
    let account = operator.make_service_account("default", &[], &[]).await;
    let (_, credential) = operator.new_secret(&account).await;
    let (service_account_id, credential_id) = match object {
        Object::Own => (account.service_account_id, credential),
        Object::Absent => (NOBODY.into(), credential),
        Object::OfSameGroup => {
            let other = operator.make_service_account("default", &[], &[]).await;
            (other.service_account_id, credential)
        }
        _ => unknown(rpc, object),
    };
    match rpc {
        "GetServiceAccount" => v1::GetServiceAccountRequest { service_account_id }.encode_to_vec(),
        "UpdateServiceAccount" => {
            let request = v1::UpdateServiceAccountRequest {
                service_account: Some(v1::ServiceAccount {
                    service_account_id,
                    roles: vec!["settler".into()],
                    ..Default::default()
                }),
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["roles".into()],
                }),
            };
            request.encode_to_vec()
        }
        "DeleteServiceAccount" => {
            let request = v1::DeleteServiceAccountRequest {
                service_account_id,
                etag: String::new(),
            };
            request.encode_to_vec()
        }
        "CreateServiceAccountSecret" => {
            let request = v1::CreateServiceAccountSecretRequest {
                service_account_id,
                expire_time: None,
            };
            request.encode_to_vec()
        }
        "AddServiceAccountKey" => {
            let key = AssertionKey::generate(Algorithm::EdDsa);
            let request = v1::AddServiceAccountKeyRequest {
                service_account_id,
                key: Some(Key::Jwk(key.jwk().to_string())),
                expire_time: None,
            };
            request.encode_to_vec()
        }
        "RemoveServiceAccountCredential" => {
            let request = v1::RemoveServiceAccountCredentialRequest {
                service_account_id,
                credential_id,
            };
            request.encode_to_vec()
        }
        _ => unknown(rpc, object),
    }
}
