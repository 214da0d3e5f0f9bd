//! Token profiles: what is issued in the form of an old server, and what of its own
//! tokens is accepted.

mod accepting;
mod adopting;
mod issuing;
mod refreshing;
mod revoking;

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::application::Settings;
use countersign_domain::model::{
    ExternalId, GroupId, Timestamp, TokenProfile, TokenProfiles, UserId,
};
use countersign_domain::ports::Clock as _;
use countersign_domain::testing::World;
use countersign_domain::validation::{NotAccepted, Question, TokenValidator, Validation};
use countersign_token::{ClaimSource, Constant, Profile, ProfileShape, SigningKey};
use serde_json::{Value, json};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const SECRET: &[u8] = b"django-insecure-of-the-old-server";
const DAY: Duration = Duration::from_secs(86_400);

/// As djangorestframework-simplejwt has them, issued to the group `default`.
fn django() -> TokenProfile {
    let constant = |value| vec![("token_type".to_owned(), Constant::parse(value))];
    let shape = ProfileShape {
        typ: Some("JWT".into()),
        claims: vec![
            ("user_id".into(), ClaimSource::ExternalIdNumber),
            ("scope".into(), ClaimSource::Scope),
        ],
        constants: constant("access"),
        refresh_constants: constant("refresh"),
        ..ProfileShape::default()
    };
    let key = SigningKey::from_foreign_secret(SECRET).expect("a key");
    TokenProfile {
        name: "django".into(),
        form: Profile::new(key, shape).expect("a form"),
        audiences: vec!["shop".into()],
        groups: vec![GroupId::fallback()],
        callers: Vec::new(),
        group: GroupId::fallback(),
        access_ttl: Duration::from_secs(600),
        longest_ttl: 30 * DAY,
        issue_until: None,
        accept_until: None,
    }
}

fn with(settings: &mut Settings, profile: TokenProfile) {
    settings.tokens.profiles = TokenProfiles::new(vec![profile]);
}

/// A world with the profile, and a user who had the id 7 in the old server.
async fn world_of(profile: TokenProfile) -> (World, UserId) {
    let world = World::with(|settings| with(settings, profile)).await;
    let user = world.user(EMAIL, PASSWORD).await;
    name(&world, user, Some("7")).await;
    world.read().await;
    (world, user)
}

async fn name(world: &World, user: UserId, external_id: Option<&str>) {
    let mut uow = world.app.store.begin().await.expect("a unit of work");
    let mut user = uow
        .lock_user(user)
        .await
        .expect("an answer")
        .expect("a user");
    user.external_id = external_id.map(|id| ExternalId::parse(id).expect("an id"));
    uow.update_user(&user).await.expect("written");
    uow.commit().await.expect("committed");
}

/// A token that the old server signs.
fn signed(payload: &Value) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let parts = [header.to_string(), payload.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
    let input = parts.join(".");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, input.as_bytes()));
    format!("{input}.{signature}")
}

/// An access token of the old server, issued now for an hour.
fn old(world: &World) -> String {
    old_of(world, "access", "j")
}

fn old_of(world: &World, token_type: &str, jti: &str) -> String {
    let now = now(world);
    let (iat, exp) = (now.as_seconds(), now.as_seconds() + 3_600);
    let payload =
        json!({"token_type": token_type, "exp": exp, "iat": iat, "jti": jti, "user_id": 7});
    signed(&payload)
}

fn now(world: &World) -> Timestamp {
    world.app.clock.now()
}

fn ask(token: &str) -> Question<'_> {
    Question {
        token,
        audience: "",
        scopes: &[],
        authentication: None,
    }
}

/// Why a token is not accepted, if it is not.
fn refused(validator: &TokenValidator, question: Question<'_>) -> Option<NotAccepted> {
    match validator.validate(question) {
        Validation::Valid(_) => None,
        Validation::Rejected(not_accepted) => Some(not_accepted),
        other => panic!("{other:?}"),
    }
}

fn payload_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three segments");
    let bytes = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}
