//! Access tokens for many sessions, signed with the running server's own key:
//! a million refreshes would take minutes. They differ from issued ones in
//! nothing but their sessions not being in the database, which ValidateToken
//! does not read.

use std::fs;
use std::time::Duration;

use countersign_domain::model::{KeyState, MasterKey, SessionId};
use countersign_domain::ports::SigningKeys as _;
use countersign_proto::v1::auth_service_client::AuthServiceClient;
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_proto::v1::{Claims, ValidateTokenRequest, ValidateTokenResponse};
use countersign_storage::database::{Database, DatabaseSettings};
use countersign_token::{AccessClaims, KeySet, SigningKey, Verifier};

use crate::connections::{Connection, connect};
use crate::failure::{Context as _, Failure};
use crate::people::Person;
use crate::server::{Server, Setup};

/// A token, and what ValidateToken must answer for it.
#[derive(Debug)]
pub(crate) struct Forged {
    pub(crate) token: String,
    pub(crate) answer: ValidateTokenResponse,
}

/// Signs `count` tokens of different people and sessions after the model of
/// one that the server issued.
pub(crate) async fn forge(
    setup: &Setup,
    server: &Server,
    count: u32,
) -> Result<Vec<Forged>, Failure> {
    let key = active_key(setup).await?;
    let (issued, claims) = issued(server).await?;
    let keys = KeySet::new(vec![key.verifying_key().clone()]).context("the server's key")?;
    let issue_time = claims.issue_time.map_or(0, |time| time.seconds);
    let model = Verifier::new(claims.issuer.clone(), Duration::from_secs(5))
        .verify(&keys, &issued, issue_time)
        .context("a token of the server")?;
    (0..count)
        .map(|number| {
            let [subject, session, token] = [1, 2, 3].map(|kind| id(kind, number));
            let token = key
                .sign(&AccessClaims {
                    sub: subject.clone(),
                    sid: session.clone(),
                    jti: token,
                    ..model.clone()
                })
                .context("signing")?;
            let claims = Claims {
                subject,
                session_id: session,
                token_id: id(3, number),
                ..claims.clone()
            };
            let answer = ValidateTokenResponse {
                verdict: Some(Verdict::Valid(claims)),
            };
            Ok(Forged { token, answer })
        })
        .collect()
}

/// A token that the server issued, and what it says of it.
async fn issued(server: &Server) -> Result<(String, Claims), Failure> {
    let channel = connect(server.address()).await?;
    let person = Person::sign_up(&channel, 0).await?;
    let mut connection = Connection::open(server.address()).await?;
    let tokens = person.sign_in(&mut connection).await?;
    let answer = AuthServiceClient::new(channel)
        .validate_token(ValidateTokenRequest {
            access_token: tokens.access_token.clone(),
            ..ValidateTokenRequest::default()
        })
        .await
        .context("ValidateToken")?;
    match answer.into_inner().verdict {
        Some(Verdict::Valid(claims))
            if claims.subject == tokens.user_id && claims.session_id == tokens.session_id =>
        {
            Ok((tokens.access_token, claims))
        }
        other => Err(Failure::new(format!("ValidateToken answered {other:?}"))),
    }
}

/// The key that signs, out of the server's database.
async fn active_key(setup: &Setup) -> Result<SigningKey, Failure> {
    let data_dir = setup.data_dir();
    let master_key = fs::read_to_string(data_dir.join("master.key")).context("the master key")?;
    let master_key = MasterKey::decode(&master_key).context("the master key")?;
    let settings = DatabaseSettings::new(setup.database_url());
    let database = Database::connect(&settings)
        .await
        .context("the server's database")?;
    let keys = database.signing_keys().await.context("the signing keys")?;
    database.close().await;
    let active = keys.iter().find(|key| key.state == KeyState::Active);
    let active = active.ok_or_else(|| Failure::new("the server has no active key"))?;
    let secret = master_key
        .signing_keys()
        .open(&active.kid, &active.sealed)
        .context("the active key")?;
    SigningKey::from_secret(active.algorithm, &secret).context("the active key")
}

/// A UUID of version 7, as the server makes them.
fn id(kind: u8, number: u32) -> String {
    let [a, b, c, d] = number.to_be_bytes();
    let bytes = [
        1, 0x99, 0xE0, 0xC1, 0x7E, kind, 0x70, 0, 0x80, 0, 0, 0, a, b, c, d,
    ];
    SessionId::from_bytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_different_kinds_and_numbers_differ() {
        let ids = [id(1, 0), id(2, 0), id(1, 1), id(1, 256)];
        for (index, one) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(one), "{ids:?}");
        }
        assert_eq!(ids[0], "0199e0c1-7e01-7000-8000-000000000000");
    }
}
