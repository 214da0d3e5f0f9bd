//! An axum service that only people who are signed in can use, and for one action
//! those alone who have shown two factors a moment ago.
//!
//! `cargo run -p countersign-client --example protect_axum -- [ENDPOINT] [API_KEY]
//! [--serve]`. It calls itself without and with a token of somebody who has shown a
//! password; with `--serve` it then stays, for you to call.

#[path = "support/person.rs"]
mod person;
mod support;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use countersign_client::{Acr, Identity, ProtectLayer, Verifier};
use http::Request;
use http::header::WWW_AUTHENTICATE;
use support::Arguments;
use tower::ServiceExt as _;

const ADDRESS: &str = "127.0.0.1:8080";

async fn me(identity: Identity) -> String {
    format!(
        "You are {} of the group {}, signed in by {}.\n",
        identity.user_id,
        identity.group_id,
        identity.authentication_methods.join(" and ")
    )
}

async fn payments(identity: Identity) -> String {
    format!("The payments of {}.\n", identity.user_id)
}

#[tokio::main]
async fn main() -> ExitCode {
    support::report(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read();
    let client = arguments.client()?;
    arguments.check(&client).await?;

    let protect = ProtectLayer::new(Verifier::new(client.clone()));
    let paying = protect
        .clone()
        .require_acr(Acr::Aal2)
        .require_authentication_within(Duration::from_secs(300));
    let app = Router::new()
        .route("/me", get(me).route_layer(protect))
        .route("/payments", get(payments).route_layer(paying))
        .route("/healthz", get(|| async { "ok\n" }));

    show(&app, "/me", None).await?;
    let token = person::access_token(&client).await?;
    show(&app, "/me", Some(&token)).await?;
    // A second factor is lacking: the gateway lets the person show one, by
    // StepUpSession, and repeats this with the new access token.
    show(&app, "/payments", Some(&token)).await?;

    if std::env::args().any(|argument| argument == "--serve") {
        println!("curl -i http://{ADDRESS}/me");
        println!("curl -i http://{ADDRESS}/me -H 'Authorization: Bearer {token}'");
        let listener = tokio::net::TcpListener::bind(ADDRESS).await?;
        axum::serve(listener, app).await?;
    }
    Ok(())
}

/// Calls a route and prints the answer.
async fn show(app: &Router, path: &str, token: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = app.clone().oneshot(request.body(Body::empty())?).await?;
    let with = if token.is_some() { "with" } else { "without" };
    println!("{path} {with} a token: {}", response.status());
    if let Some(challenge) = response.headers().get(WWW_AUTHENTICATE) {
        println!("WWW-Authenticate: {}", challenge.to_str()?);
    }
    let body = to_bytes(response.into_body(), 64 * 1024).await?;
    println!("{}", String::from_utf8_lossy(&body));
    Ok(())
}
