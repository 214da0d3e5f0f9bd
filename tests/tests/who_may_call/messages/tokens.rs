//! The messages about tokens.

use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_tests::{PASSWORD, ProxiedRequest, email};
use prost::Message as _;

use super::unknown;
use crate::cast::Cast;
use crate::owner::{Owner, altered};
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    match rpc {
        "IssueTokens" => issue(cast, object).await,
        "RefreshTokens" => refresh(cast, object).await,
        "ValidateToken" => question(cast, object).await.encode_to_vec(),
        "ValidateTokens" => {
            let requests = vec![question(cast, object).await];
            v1::ValidateTokensRequest { requests }.encode_to_vec()
        }
        "Check" => {
            let token = question(cast, object).await.access_token;
            let request = match object {
                Object::NoToken => ProxiedRequest::new(),
                _ => ProxiedRequest::with_token(&token),
            };
            request.question().encode_to_vec()
        }
        "RevokeToken" => revoke(cast, object).await,
        "ListSigningKeys" => v1::ListSigningKeysRequest {}.encode_to_vec(),
        _ => unknown(rpc, object),
    }
}

async fn issue(cast: &Cast, object: Object) -> Vec<u8> {
    let (address, password, group_id) = match object {
        Object::Own => {
            let owner = cast.newcomer().await;
            (owner.person.email, owner.password, "")
        }
        Object::OfSameGroup => (cast.victim.person.email.clone(), PASSWORD, ""),
        Object::OfOtherGroup => (cast.foreigner.person.email.clone(), PASSWORD, ""),
        Object::Absent => (cast.world().new_email(), PASSWORD, ""),
        Object::AbsentGroup => (cast.neighbour.person.email.clone(), PASSWORD, "nowhere"),
        Object::Ended => {
            let owner = cast.newcomer().await;
            let withdrawn = cast.operator().withdraw(&owner.person.user_id).await;
            withdrawn.expect("withdrawn");
            (owner.person.email, owner.password, "")
        }
        _ => unknown("IssueTokens", object),
    };
    let grant = v1::PasswordGrant {
        identifier: Some(email(&address)),
        password: password.into(),
    };
    let request = v1::IssueTokensRequest {
        group_id: group_id.into(),
        grant: Some(Grant::Password(grant)),
        ..Default::default()
    };
    request.encode_to_vec()
}

async fn refresh(cast: &Cast, object: Object) -> Vec<u8> {
    let refresh_token = match object {
        Object::Own => cast.newcomer().await.tokens.refresh_token,
        Object::OfOtherCaller => {
            let other = &cast.callers.other_gateway;
            Owner::new(cast.world(), other).await.tokens.refresh_token
        }
        Object::Absent => altered(&cast.victim.tokens.refresh_token),
        Object::Ended => ended(cast).await.refresh_token,
        _ => unknown("RefreshTokens", object),
    };
    let request = v1::RefreshTokensRequest {
        refresh_token,
        client_context: None,
    };
    request.encode_to_vec()
}

async fn question(cast: &Cast, object: Object) -> v1::ValidateTokenRequest {
    let access_token = match object {
        Object::Absent => {
            // What the token says is true, and signed by nobody.
            let token = cast.victim.access_token();
            let (signed, signature) = token.rsplit_once('.').expect("a JWT");
            format!("{signed}.{}", altered(signature))
        }
        // Each is told what any token says that it shows.
        Object::OfOtherGroup => cast.foreigner.access_token(),
        _ => cast.asking(object).await.token,
    };
    v1::ValidateTokenRequest {
        access_token,
        ..Default::default()
    }
}

async fn revoke(cast: &Cast, object: Object) -> Vec<u8> {
    let token = match object {
        Object::Own => cast.newcomer().await.access_token(),
        Object::Absent => altered(&cast.victim.tokens.refresh_token),
        Object::Ended => ended(cast).await.refresh_token,
        _ => unknown("RevokeToken", object),
    };
    v1::RevokeTokenRequest { token }.encode_to_vec()
}

/// Tokens of a session that has ended.
async fn ended(cast: &Cast) -> v1::Tokens {
    let tokens = cast.newcomer().await.tokens;
    let revoked = cast.gateway().revoke(&tokens.access_token).await;
    revoked.expect("revoked");
    tokens
}
