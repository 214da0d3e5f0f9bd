//! The messages: one for each RPC and object, with whatever must be there for it.

mod auth;
mod factors;
mod federation;
mod groups;
mod profiles;
mod service_accounts;
mod sessions;
mod tokens;
mod users;
mod verifications;

use countersign_proto::RPCS;

use crate::cast::Cast;
use crate::table::Object;

/// The message of an RPC about an object, as it is on the wire.
pub(crate) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    match rpc {
        "IssueTokens" | "RefreshTokens" | "ValidateToken" | "ValidateTokens" | "RevokeToken"
        | "ListSigningKeys" | "Check" => tokens::message(cast, rpc, object).await,
        "GetProfile"
        | "UpdateProfile"
        | "WithdrawProfile"
        | "ListIdentifiers"
        | "AddIdentifier"
        | "ChangeIdentifier"
        | "RemoveIdentifier"
        | "UndoIdentifierChange" => profiles::message(cast, rpc, object).await,
        "BeginFederatedSignIn" => federation::message(cast, rpc, object).await,
        _ => {
            let named = RPCS.iter().find(|named| named.name == rpc);
            let service = named.expect("it is in the contract").service;
            match service.trim_start_matches("countersign.v1.") {
                "AuthService" => auth::message(cast, rpc, object).await,
                "FederationService" => federation::message(cast, rpc, object).await,
                "FactorService" => factors::message(cast, rpc, object).await,
                "GroupService" => groups::message(cast, rpc, object).await,
                "ServiceAccountService" => service_accounts::message(cast, rpc, object).await,
                "SessionService" => sessions::message(cast, rpc, object).await,
                "UserService" => users::message(cast, rpc, object).await,
                "VerificationService" => verifications::message(cast, rpc, object).await,
                _ => panic!("messages of {service} are made nowhere yet"),
            }
        }
    }
}

/// There is no such cell.
fn unknown(rpc: &str, object: Object) -> ! {
    panic!("no message is made for {rpc} and {object:?}")
}
