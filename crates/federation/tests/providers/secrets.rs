//! Nothing secret, and nothing of a person, is in what is logged.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_domain::model::ProviderKind;
use countersign_domain::ports::{IdentityProviders, ProviderError};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::fake::Place;
use crate::http_server::Answer;
use crate::world::{SECRET, VERIFIER, World};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&log).into_owned()
    }
}

#[tokio::test]
async fn the_operator_is_told_why_and_nothing_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut errors = String::new();
    for kind in [
        ProviderKind::OpenIdConnect,
        ProviderKind::Apple,
        ProviderKind::Kakao,
    ] {
        let world = World::of(kind).await;
        world.honest().await;
        // Apple has been given no secret.
        let secret = if kind == ProviderKind::Apple {
            ""
        } else {
            SECRET
        };
        let description = format!(
            "code-2 {secret} {VERIFIER} state-of-this nonce-1 refresh-of-kim kim@x.example"
        );
        for error in ["invalid_grant", "invalid_client", "temporarily_unavailable"] {
            let body = json!({"error": error, "error_description": description});
            world
                .fake
                .instead(Place::Token, Answer::Json(400, body.to_string()));
            errors += &world.sign_in().await.unwrap_err().to_string();
        }
        world.fake.state().instead.clear();
        world
            .fake
            .claims(|claims| claims["aud"] = json!("kim@x.example"));
        errors += &world.sign_in().await.unwrap_err().to_string();
        world
            .fake
            .instead(Place::Revocation, Answer::Json(400, "{}".into()));
        let revoked = world.federation.revoke(&world.id, "refresh-of-kim").await;
        assert!(
            matches!(revoked, Err(ProviderError::Rejected(_))),
            "{revoked:?}"
        );
    }
    let text = log.text();
    for told in [
        "provider=p",
        "action=\"exchange\"",
        "answered invalid_client",
        "another client",
    ] {
        assert!(text.contains(told), "{told} is not in {text}");
    }
    for secret in [
        SECRET,
        VERIFIER,
        "code-2",
        "state-of-this",
        "nonce-1",
        "refresh-of-kim",
        "kim@",
    ] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    for secret in [SECRET, VERIFIER, "state-of-this", "nonce-1"] {
        assert!(!errors.contains(secret), "{secret} is in {errors}");
    }
}
