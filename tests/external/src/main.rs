//! Runs both sides on one verifier, once Countersign can be asked.
//!
//! `cargo run -- ENDPOINT API_KEY`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use countersign_client::{CheckError, Client, Verifier, VerifyToken};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(endpoint), Some(api_key)) = (arguments.next(), arguments.next()) else {
        return Err("the arguments are ENDPOINT API_KEY".into());
    };
    let client = Client::builder(endpoint).api_key(api_key).build()?;
    wait_for_countersign(&client).await?;
    let verifier: Arc<dyn VerifyToken> = Arc::new(Verifier::new(client));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    let http = axum::serve(listener, orders::http::app(Arc::clone(&verifier)));
    let grpc = orders::grpc::server(verifier).serve("127.0.0.1:8081".parse()?);
    tokio::select! {
        result = http.into_future() => result?,
        result = grpc => result?,
    }
    Ok(())
}

async fn wait_for_countersign(client: &Client) -> Result<(), CheckError> {
    loop {
        match client.check().await {
            Err(error @ (CheckError::NoServer(_) | CheckError::Unavailable(_))) => {
                eprintln!("trying again: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            result => return result,
        }
    }
}
