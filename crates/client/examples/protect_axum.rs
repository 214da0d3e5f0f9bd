//! An axum service that only people who are signed in can use.
//!
//! `cargo run -p countersign-client --example protect_axum -- [ENDPOINT] [API_KEY]
//! [--serve]`. It calls itself once without and once with
//! a token; with `--serve` it then stays, for you to call.

#[path = "support/person.rs"]
mod person;
mod support;

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use countersign_client::{Identity, ProtectLayer, Verifier};
use http::Request;
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

#[tokio::main]
async fn main() -> ExitCode {
    support::report(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read();
    let client = arguments.client()?;
    arguments.check(&client).await?;

    let protect = ProtectLayer::new(Verifier::new(client.clone()));
    let app = Router::new()
        .route("/me", get(me))
        .route_layer(protect)
        .route("/healthz", get(|| async { "ok\n" }));

    show(&app, None).await?;
    let token = person::access_token(&client).await?;
    show(&app, Some(&token)).await?;

    if std::env::args().any(|argument| argument == "--serve") {
        println!("curl -i http://{ADDRESS}/me");
        println!("curl -i http://{ADDRESS}/me -H 'Authorization: Bearer {token}'");
        let listener = tokio::net::TcpListener::bind(ADDRESS).await?;
        axum::serve(listener, app).await?;
    }
    Ok(())
}

/// Calls `/me` and prints the answer.
async fn show(app: &Router, token: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut request = Request::get("/me");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = app.clone().oneshot(request.body(Body::empty())?).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), 64 * 1024).await?;
    let with = if token.is_some() { "with" } else { "without" };
    println!("{with} a token: {status}");
    println!("{}", String::from_utf8_lossy(&body));
    Ok(())
}
