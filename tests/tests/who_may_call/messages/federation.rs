//! The messages about accounts at providers.

use countersign_proto::v1;
use countersign_proto::v1::link_federated_identity_request::Account;
use countersign_tests::Issuer;
use prost::Message as _;

use super::unknown;
use crate::callers::ADMIN_KEY;
use crate::cast::{Cast, NOBODY};
use crate::owner::altered;
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    match rpc {
        "BeginFederatedSignIn" => begin(object).encode_to_vec(),
        "ListProviders" => {
            let group_id = group(object).into();
            v1::ListProvidersRequest { group_id }.encode_to_vec()
        }
        "ListFederatedIdentities" => {
            let access_token = cast.asking(object).await.token;
            v1::ListFederatedIdentitiesRequest { access_token }.encode_to_vec()
        }
        "LinkFederatedIdentity" => link(cast, object).await,
        "UnlinkFederatedIdentity" => unlink(cast, object).await,
        "ReceiveProviderNotification" => notification(object).encode_to_vec(),
        _ => unknown(rpc, object),
    }
}

fn group(object: Object) -> &'static str {
    match object {
        Object::AbsentGroup => "nowhere",
        _ => "",
    }
}

fn begin(object: Object) -> v1::BeginFederatedSignInRequest {
    let provider = match object {
        Object::Absent => "nobody",
        _ => Issuer::PROVIDER,
    };
    v1::BeginFederatedSignInRequest {
        group_id: group(object).into(),
        provider: provider.into(),
        redirect_uri: "https://login.example/callback".into(),
        ..Default::default()
    }
}

/// An account that nobody has yet, as the person's gateway was given it.
async fn account(cast: &Cast, object: Object, group: &str) -> String {
    let gateway = match object {
        Object::OfOtherCaller => &cast.callers.other_gateway,
        _ => cast.gateway(),
    };
    let subject = cast.world().new_email().replace(['@', '.'], "-");
    let issuer = &cast.callers.issuer;
    issuer.federation_token(gateway, group, &subject).await
}

fn request(access_token: String, federation_token: String) -> v1::LinkFederatedIdentityRequest {
    v1::LinkFederatedIdentityRequest {
        access_token,
        account: Some(Account::FederationToken(federation_token)),
        client_context: None,
    }
}

async fn link(cast: &Cast, object: Object) -> Vec<u8> {
    // Another caller's account, and the person of everybody.
    let whose = match object {
        Object::OfOtherCaller => Object::Own,
        object => object,
    };
    let asking = cast.asking(whose).await;
    let mut token = account(cast, object, "default").await;
    match object {
        Object::Absent => token = altered(&token),
        Object::Ended => {
            let other = cast.newcomer().await;
            let linked = request(other.access_token(), token.clone());
            let mut federation = cast.gateway().federation();
            let linked = federation.link_federated_identity(linked).await;
            linked.expect("linked");
        }
        _ => {}
    }
    request(asking.token, token).encode_to_vec()
}

async fn unlink(cast: &Cast, object: Object) -> Vec<u8> {
    let asking = cast.asking(object).await;
    let mut federation = cast.gateway().federation();
    let federated_identity_id = match object {
        Object::Absent => NOBODY.into(),
        // Somebody's, which stays that person's.
        Object::OfSameGroup | Object::OfOtherGroup => {
            let other = cast.newcomer().await;
            let token = account(cast, Object::Own, "default").await;
            let linked = request(other.access_token(), token);
            let linked = federation.link_federated_identity(linked).await;
            let linked = linked.expect("linked").into_inner().federated_identity;
            linked.unwrap_or_default().federated_identity_id
        }
        Object::Own | Object::Ended => {
            let token = account(cast, Object::Own, "default").await;
            let linked = request(asking.token.clone(), token);
            let linked = federation.link_federated_identity(linked).await;
            let linked = linked.expect("linked").into_inner().federated_identity;
            linked.unwrap_or_default().federated_identity_id
        }
        _ => NOBODY.into(),
    };
    let request = v1::UnlinkFederatedIdentityRequest {
        access_token: asking.token,
        federated_identity_id,
        client_context: None,
    };
    if object == Object::Ended {
        let unlinked = federation.unlink_federated_identity(request.clone()).await;
        unlinked.expect("unlinked");
    }
    request.encode_to_vec()
}

fn notification(object: Object) -> v1::ReceiveProviderNotificationRequest {
    let provider = match object {
        Object::Absent => "nobody",
        _ => "kakao",
    };
    let authorization = match object {
        Object::NoToken => String::new(),
        _ => format!("KakaoAK {ADMIN_KEY}"),
    };
    v1::ReceiveProviderNotificationRequest {
        provider: provider.into(),
        content_type: "application/x-www-form-urlencoded".into(),
        authorization,
        body: b"app_id=1&user_id=42&referrer_type=UNLINK_FROM_APPS".to_vec(),
        ..Default::default()
    }
}
