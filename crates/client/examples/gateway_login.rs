//! What a gateway does for a person: prove an address, sign up, sign in, check,
//! renew, authenticate again (step-up) and end the session.
//!
//! `cargo run -p countersign-client --example gateway_login -- [ENDPOINT] [API_KEY]`

mod support;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use countersign_client::{Requirement, ValidateError, proto};
use support::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    support::report(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read();
    let client = arguments.client()?;
    arguments.check(&client).await?;

    let address = support::new_address();
    let proof = support::prove_address(&client, &address).await?;
    println!("SendCode, CheckCode: the address {address:?} is proved");

    let user = support::sign_up(&client, &address, proof).await?;
    println!("SignUp:              {:?}", user.outcome);

    let tokens = support::issue_tokens(&client, &address).await?;
    println!("IssueTokens:         session {}", tokens.session_id);

    let any = Requirement::new();
    let identity = client.validate_token(&tokens.access_token, &any).await?;
    println!(
        "ValidateToken:       {} in group {}, until {:?}",
        identity.user_id, identity.group_id, identity.expire_time
    );

    let renewed = client
        .refresh_tokens(tokens.refresh_token, support::client_context())
        .await?;
    println!(
        "RefreshTokens:       the same session: {}",
        renewed.session_id == tokens.session_id
    );

    let request = proto::StepUpSessionRequest {
        access_token: renewed.access_token.clone(),
        password: support::PASSWORD.into(),
        client_context: support::client_context(),
        ..Default::default()
    };
    let stepped_up = client.sessions().step_up_session(request).await?;
    let stepped_up = stepped_up.into_inner();
    let just_now = Requirement::new().with_max_authentication_age(Duration::from_secs(60));
    let identity = client
        .validate_token(&stepped_up.access_token, &just_now)
        .await?;
    println!(
        "StepUpSession:       {} at {:?}, in the same session: {}",
        stepped_up.acr,
        identity.authentication_time,
        stepped_up.session_id == tokens.session_id
    );

    let request = proto::RevokeTokenRequest {
        token: renewed.refresh_token,
    };
    client.auth().revoke_token(request).await?;
    match client.validate_token(&renewed.access_token, &any).await {
        Err(ValidateError::Rejected(reason)) => {
            println!("RevokeToken:         the access token is now rejected: {reason:?}");
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err("the access token outlived its session".into()),
    }
}
