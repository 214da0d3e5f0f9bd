//! The messages of a person about its profile and its addresses.

use countersign_proto::v1;
use countersign_tests::{email, undo_token_of};
use prost::Message as _;

use super::unknown;
use crate::cast::{Asking, Cast, SOUTH};
use crate::owner::{Owner, altered};
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    if rpc == "UndoIdentifierChange" {
        return undo(cast, object).await;
    }
    let asking = cast.asking(object).await;
    let (owner, access_token) = (&asking.owner, asking.token.clone());
    match rpc {
        "GetProfile" => v1::GetProfileRequest { access_token }.encode_to_vec(),
        "UpdateProfile" => {
            let request = v1::UpdateProfileRequest {
                access_token,
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["name".into()],
                }),
                profile: Some(v1::Profile {
                    name: "Mina".into(),
                    ..Default::default()
                }),
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "WithdrawProfile" => v1::WithdrawProfileRequest { access_token }.encode_to_vec(),
        "ListIdentifiers" => v1::ListIdentifiersRequest { access_token }.encode_to_vec(),
        "AddIdentifier" => {
            let proof = proof(cast, owner, object).await;
            let request = v1::AddIdentifierRequest {
                access_token,
                proof,
            };
            request.encode_to_vec()
        }
        "ChangeIdentifier" => change(cast, &asking, object).await,
        "RemoveIdentifier" => {
            if object == Object::Own {
                owner.add_address(cast.world()).await;
            }
            let request = v1::RemoveIdentifierRequest {
                access_token,
                identifier: Some(address(cast, owner, object)),
            };
            request.encode_to_vec()
        }
        _ => unknown(rpc, object),
    }
}

/// The proof of an address that the owner has proved.
async fn proof(cast: &Cast, owner: &Owner, object: Object) -> String {
    let proof = owner.proof_of_new(cast.world()).await;
    match object {
        Object::Absent => altered(&proof),
        Object::Ended => {
            let added = owner.person.add_identifier(&owner.tokens, &proof).await;
            added.expect("added");
            proof
        }
        _ => proof,
    }
}

/// Who asks has proved another address, and wants it in the place of the owner's.
async fn change(cast: &Cast, asking: &Asking, object: Object) -> Vec<u8> {
    let asker = match object {
        Object::OfSameGroup => &cast.neighbour,
        Object::OfOtherGroup => &cast.foreigner,
        _ => &asking.owner,
    };
    let request = v1::ChangeIdentifierRequest {
        access_token: asking.token.clone(),
        identifier: Some(address(cast, &asking.owner, object)),
        proof: asker.proof_of_new(cast.world()).await,
    };
    request.encode_to_vec()
}

fn address(cast: &Cast, owner: &Owner, object: Object) -> v1::Identifier {
    match object {
        Object::Absent => email(&cast.world().new_email()),
        _ => email(&owner.person.email),
    }
}

async fn undo(cast: &Cast, object: Object) -> Vec<u8> {
    let owner = cast.newcomer().await;
    owner.add_address(cast.world()).await;
    let link = cast.world().read_link(&owner.person.email).await;
    let mut undo_token = undo_token_of(&link).to_owned();
    let mut group_id = "";
    match object {
        Object::Own => {}
        Object::OfOtherGroup => group_id = SOUTH,
        Object::Absent => undo_token = altered(&undo_token),
        Object::Ended => {
            let undone = cast.gateway().undo_identifier_change("", &undo_token).await;
            undone.expect("undone");
        }
        _ => unknown("UndoIdentifierChange", object),
    }
    let request = v1::UndoIdentifierChangeRequest {
        group_id: group_id.into(),
        undo_token,
    };
    request.encode_to_vec()
}
