//! A new person who has signed in, for the examples that protect a service.

use countersign_client::Client;

use crate::support::{issue_tokens, new_address, prove_address, sign_up};

/// The access token of a new person.
pub(crate) async fn access_token(client: &Client) -> Result<String, tonic::Status> {
    let address = new_address();
    let proof = prove_address(client, &address).await?;
    sign_up(client, &address, proof).await?;
    Ok(issue_tokens(client, &address).await?.access_token)
}
