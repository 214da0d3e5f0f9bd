//! What providers send by themselves: genuine, forged, repeated and for others.

use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::model::{
    ProviderEvent, ProviderEventKind, ProviderKind, ProviderNotification, Timestamp,
};
use countersign_domain::ports::{IdentityProviders, ProviderError};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use crate::fake::{NOW, Place};
use crate::http_server::Answer;
use crate::signer::{OTHER_RSA, RSA, Signer, token};
use crate::world::{SECRET, World, config};

type Read = Result<Option<ProviderEvent>, ProviderError>;

fn message(content_type: &str, body: impl Into<Vec<u8>>) -> ProviderNotification {
    ProviderNotification {
        content_type: content_type.into(),
        authorization: String::new(),
        query: String::new(),
        body: body.into(),
    }
}

async fn read(world: &World, message: &ProviderNotification) -> Read {
    world.federation.read_notification(&world.id, message).await
}

fn kind(read: Read) -> Option<ProviderEventKind> {
    read.expect("it is genuine").map(|event| {
        assert_eq!(event.subject.subject, "person-1");
        event.kind
    })
}

#[track_caller]
fn assert_rejected(read: &Read, what: &str) {
    assert!(
        matches!(read, Err(ProviderError::Rejected(_))),
        "{what}: {read:?}"
    );
}

fn apple(signer: &Signer, claims: &Value) -> ProviderNotification {
    let header = json!({"alg": "RS256", "kid": "one"});
    let payload = token(signer, &header, &claims.to_string());
    message(
        "application/json",
        json!({ "payload": payload }).to_string(),
    )
}

fn apple_claims(event: &str) -> Value {
    let events = json!({"type": event, "sub": "person-1", "event_time": 1_790_000_000_123_i64});
    json!({"iss": "https://appleid.apple.com", "aud": "app", "iat": NOW, "exp": NOW + 3000,
        "jti": "jti-1", "events": events.to_string()})
}

#[tokio::test]
async fn apple_tells_of_consents_and_accounts() {
    let world = World::of(ProviderKind::Apple).await;
    let event = read(&world, &apple(&RSA, &apple_claims("consent-revoked")))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event.subject.issuer, "https://appleid.apple.com");
    assert_eq!(
        (event.id.as_str(), event.kind),
        ("jti-1", ProviderEventKind::ConsentRevoked)
    );
    assert_eq!(event.at, Some(Timestamp::from_millis(1_790_000_000_123)));
    for (event, expected) in [
        ("account-delete", Some(ProviderEventKind::AccountDeleted)),
        ("account-deleted", Some(ProviderEventKind::AccountDeleted)),
        ("email-disabled", None),
        ("email-enabled", None),
        ("something-new", None),
    ] {
        let found = read(&world, &apple(&RSA, &apple_claims(event))).await;
        assert_eq!(kind(found), expected, "{event}");
    }
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("stranger")),
        ("exp", json!(NOW - 60)),
        ("iat", json!(NOW + 301)),
        ("jti", json!(null)),
        ("events", json!("{}")),
        ("events", json!("no object")),
    ] {
        let mut claims = apple_claims("consent-revoked");
        claims[name] = value;
        assert_rejected(&read(&world, &apple(&RSA, &claims)).await, name);
    }
    let claims = apple_claims("consent-revoked");
    assert_rejected(
        &read(&world, &apple(&OTHER_RSA, &claims)).await,
        "another key",
    );
    for body in [
        "",
        "{}",
        r#"{"payload":"a.b.c"}"#,
        r#"{"payload":"a","payload":"b"}"#,
    ] {
        assert_rejected(
            &read(&world, &message("application/json", body)).await,
            body,
        );
    }
}

fn set(signer: &Signer, typ: &str, claims: &Value) -> ProviderNotification {
    let header = json!({"alg": "RS256", "kid": "one", "typ": typ});
    let body = token(signer, &header, &claims.to_string());
    message("application/secevent+jwt", body)
}

fn google_claims(event: &str) -> Value {
    let subject = json!({"subject_type": "iss-sub", "iss": "https://accounts.google.com/",
        "sub": "person-1"});
    let name = format!("https://schemas.openid.net/secevent/{event}");
    // It has no `exp`, or one that has passed: events do not expire.
    json!({"iss": "https://accounts.google.com/", "aud": ["app"], "iat": NOW, "exp": NOW - 999,
        "jti": "jti-1", "events": {name: {"subject": subject, "reason": "hijacking"}}})
}

#[tokio::test]
async fn google_tells_of_accounts() {
    use ProviderEventKind::{AccountDeleted, ConsentRevoked, SessionsRevoked};
    let world = World::of(ProviderKind::Google).await;
    for (event, expected) in [
        ("risc/event-type/sessions-revoked", Some(SessionsRevoked)),
        ("risc/event-type/account-disabled", Some(SessionsRevoked)),
        (
            "risc/event-type/account-credential-change-required",
            Some(SessionsRevoked),
        ),
        ("oauth/event-type/tokens-revoked", Some(ConsentRevoked)),
        ("risc/event-type/account-purged", Some(AccountDeleted)),
        ("risc/event-type/account-enabled", None),
        ("risc/event-type/verification", None),
        ("oauth/event-type/token-revoked", None),
    ] {
        let found = read(&world, &set(&RSA, "secevent+jwt", &google_claims(event))).await;
        assert_eq!(kind(found), expected, "{event}");
    }
    let revoked = || google_claims("risc/event-type/sessions-revoked");
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("stranger")),
        ("jti", json!("")),
        ("iat", json!(NOW + 301)),
        ("events", json!([])),
    ] {
        let mut claims = revoked();
        claims[name] = value;
        assert_rejected(
            &read(&world, &set(&RSA, "secevent+jwt", &claims)).await,
            name,
        );
    }
    assert_rejected(&read(&world, &set(&RSA, "JWT", &revoked())).await, "typ");
    assert_rejected(
        &read(&world, &set(&OTHER_RSA, "secevent+jwt", &revoked())).await,
        "key",
    );
    let mut claims = revoked();
    let name = "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked";
    claims["events"][name]["subject"]["iss"] = json!("https://evil.example");
    assert_rejected(
        &read(&world, &set(&RSA, "secevent+jwt", &claims)).await,
        "subject",
    );
}

#[tokio::test]
async fn googles_keys_are_where_google_itself_says() {
    let claims = google_claims("risc/event-type/sessions-revoked");
    let message = set(&RSA, "secevent+jwt", &claims);
    let world = World::of(ProviderKind::Google).await;
    assert!(read(&world, &message).await.is_ok(), "the honest run");
    for document in [
        json!({"issuer": "https://evil.example", "jwks_uri": "https://id.example/jwks"}),
        json!({"issuer": "https://accounts.google.com/", "jwks_uri": "https://127.0.0.1/jwks"}),
        json!({"issuer": "https://accounts.google.com/", "jwks_uri": "http://id.example/jwks"}),
        json!({"issuer": "https://accounts.google.com/"}),
    ] {
        let world = World::of(ProviderKind::Google).await;
        world
            .fake
            .instead(Place::Events, Answer::Json(200, document.to_string()));
        assert_rejected(&read(&world, &message).await, &document.to_string());
        assert_eq!(world.fake.count(Place::Keys), 0);
    }
    let world = World::of(ProviderKind::Google).await;
    world
        .fake
        .instead(Place::Events, Answer::Json(503, String::new()));
    let found = read(&world, &message).await;
    assert!(
        matches!(found, Err(ProviderError::Unavailable(_))),
        "{found:?}"
    );
}

fn unlink(authorization: &str, query: &str, body: &str) -> ProviderNotification {
    ProviderNotification {
        content_type: "application/x-www-form-urlencoded".into(),
        authorization: authorization.into(),
        query: query.into(),
        body: body.into(),
    }
}

#[tokio::test]
async fn kakao_tells_that_it_was_unlinked() {
    let world = World::of(ProviderKind::Kakao).await;
    let form = "app_id=12345&user_id=person-1&referrer_type=UNLINK_FROM_APPS";
    let posted = read(&world, &unlink("KakaoAK admin", "", form)).await;
    let got = read(&world, &unlink("KakaoAK admin", form, "")).await;
    assert_eq!(posted, got, "a repeated message has the same id");
    assert_eq!(kind(posted), Some(ProviderEventKind::ConsentRevoked));
    let deleted = form.replace("UNLINK_FROM_APPS", "FORCED_ACCOUNT_DELETE");
    let found = read(&world, &unlink("KakaoAK admin", "", &deleted)).await;
    assert_eq!(kind(found), Some(ProviderEventKind::AccountDeleted));
    for key in [
        "",
        "KakaoAK",
        "KakaoAK ",
        "KakaoAK admin2",
        "Bearer admin",
        "KakaoAK Admin",
    ] {
        assert_rejected(&read(&world, &unlink(key, "", form)).await, key);
    }
    let admin = "KakaoAK admin";
    assert_rejected(
        &read(&world, &unlink(admin, "", "app_id=1&user_id=person-1")).await,
        "app",
    );
    assert_rejected(
        &read(&world, &unlink(admin, "", "app_id=12345")).await,
        "nobody",
    );
    assert_rejected(
        &read(&world, &unlink(admin, "", "app_id=12345&user_id=")).await,
        "nobody",
    );
    let mut config = config(ProviderKind::Kakao);
    config.admin_key = None;
    let world = World::with(config).await;
    assert_rejected(
        &read(&world, &unlink("KakaoAK ", "", form)).await,
        "no key is configured",
    );
}

#[tokio::test]
async fn fault_32_parameters_that_are_repeated() {
    let world = World::of(ProviderKind::Kakao).await;
    let form = "app_id=12345&user_id=person-1";
    assert!(
        read(&world, &unlink("KakaoAK admin", "", form))
            .await
            .is_ok(),
        "the honest run"
    );
    for (query, body) in [
        ("", "app_id=12345&user_id=person-1&user_id=person-2"),
        ("user_id=person-2", form),
        ("", "app_id=12345&app_id=12345&user_id=person-1"),
    ] {
        assert_rejected(
            &read(&world, &unlink("KakaoAK admin", query, body)).await,
            body,
        );
    }
}

#[tokio::test]
async fn kakao_tells_of_accounts() {
    use ProviderEventKind::{AccountDeleted, ConsentRevoked, SessionsRevoked};
    let world = World::of(ProviderKind::Kakao).await;
    let claims = |event: &str, audience: &str| {
        let name = format!("https://schemas.openid.net/secevent/{event}");
        json!({"iss": "https://kauth.kakao.com", "aud": audience, "sub": "person-1", "iat": NOW,
            "jti": "jti-1", "events": {name: {"subject": {"subject_type": "iss_sub",
            "iss": "https://kauth.kakao.com", "sub": "person-1"}}}})
    };
    for (event, expected) in [
        ("oauth/event-type/user-unlinked", Some(ConsentRevoked)),
        ("risc/event-type/account-purged", Some(AccountDeleted)),
        ("oauth/event-type/tokens-revoked", Some(SessionsRevoked)),
        ("caep/event-type/something", None),
    ] {
        for audience in ["client", "12345"] {
            let found = read(&world, &set(&RSA, "secevent+jwt", &claims(event, audience))).await;
            assert_eq!(kind(found), expected, "{event}");
        }
    }
    let stranger = claims("oauth/event-type/user-unlinked", "stranger");
    assert_rejected(
        &read(&world, &set(&RSA, "secevent+jwt", &stranger)).await,
        "aud",
    );
}

fn naver(secret: &str, client: &str, person: &str, at: i64) -> String {
    let key: [u8; 16] = Md5::digest(secret.as_bytes()).into();
    let vector = [7_u8; 16];
    let unbound = UnboundCipherKey::new(&AES_128, &key).expect("it can be encrypted");
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(unbound).expect("it can be encrypted");
    let mut bytes = person.as_bytes().to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(vector));
    let used: DecryptionContext = cipher
        .less_safe_encrypt(&mut bytes, context)
        .expect("it can be encrypted");
    assert!(matches!(used, DecryptionContext::Iv128(_)));
    let person = URL_SAFE_NO_PAD.encode([vector.as_slice(), &bytes].concat());
    let signed = format!("clientId={client}&encryptUniqueId={person}&timestamp={at}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
    format!("{signed}&signature={}", URL_SAFE_NO_PAD.encode(tag))
}

#[tokio::test]
async fn naver_tells_that_it_was_unlinked() {
    let world = World::of(ProviderKind::Naver).await;
    let good = naver(SECRET, "client", "person-1", NOW - 10);
    let event = read(&world, &unlink("", "", &good)).await.unwrap().unwrap();
    assert_eq!(event.subject.issuer, "https://nid.naver.com");
    assert_eq!(event.subject.subject, "person-1");
    assert_eq!(event.kind, ProviderEventKind::ConsentRevoked);
    assert_eq!(event.at, Some(Timestamp::from_seconds(NOW - 10)));
    let again = read(&world, &unlink("", &good, "")).await.unwrap().unwrap();
    assert_eq!(again, event, "in the query, too");
    let changed = |from: &str, to: &str| good.replacen(from, to, 1);
    for form in [
        naver("another secret", "client", "person-1", NOW),
        naver(SECRET, "stranger", "person-1", NOW),
        naver(SECRET, "client", "person-1", NOW - 3601),
        naver(SECRET, "client", "person-1", NOW + 301),
        naver(SECRET, "client", "", NOW),
        changed("timestamp=1789999990", "timestamp=1789999991"),
        changed("encryptUniqueId=", "encryptUniqueId=A"),
        changed("clientId=client", "clientId=client&clientId=client"),
        changed("&signature=", "&signature=&x="),
        String::new(),
    ] {
        assert_rejected(&read(&world, &unlink("", "", &form)).await, &form);
    }
}

#[tokio::test]
async fn any_other_issuer_sends_none() {
    let world = World::of(ProviderKind::OpenIdConnect).await;
    assert_rejected(
        &read(&world, &message("application/json", "{}")).await,
        "none",
    );
}
