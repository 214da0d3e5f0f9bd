//! Tokens of profiles: written, read back, and told from each other.

use serde_json::{Value, json};

use super::*;
use crate::claims::tests::claims;
use crate::{AccessClaims, Algorithm, KeySet, Rejection, Verifier, base64url};

fn names<const N: usize>(claims: [(&str, ClaimSource); N]) -> Vec<(String, ClaimSource)> {
    claims.map(|(name, source)| (name.into(), source)).into()
}

fn constants<const N: usize>(constants: [(&str, &str); N]) -> Vec<(String, Constant)> {
    constants
        .map(|(name, value)| (name.into(), Constant::parse(value)))
        .into()
}

/// As djangorestframework-simplejwt writes them.
fn django() -> ProfileShape {
    ProfileShape {
        typ: Some("JWT".into()),
        claims: names([("user_id", ClaimSource::ExternalIdNumber)]),
        constants: constants([("token_type", "access")]),
        refresh_constants: constants([("token_type", "refresh")]),
        ..ProfileShape::default()
    }
}

fn profile(shape: ProfileShape) -> Profile {
    let key = SigningKey::from_foreign_secret(b"django-insecure").expect("a key");
    Profile::new(key, shape).expect("a profile")
}

fn signed(profile: &Profile, header: &Value, payload: &str) -> String {
    let header = base64url::encode(header.to_string());
    profile
        .key
        .sign_payload(&header, payload.as_bytes())
        .expect("a token")
}

fn old(profile: &Profile, payload: &Value) -> Result<ProfileToken, ProfileRejection> {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    profile.read(&signed(profile, &header, &payload.to_string()))
}

fn payload_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three segments");
    serde_json::from_slice(&base64url::decode(payload).expect("base64url")).expect("JSON")
}

#[test]
fn our_own_token_has_the_shape_and_is_read_back_whole() {
    let profile = profile(ProfileShape {
        issuer: Some("old".into()),
        claims: names([
            ("user_id", ClaimSource::ExternalIdNumber),
            ("sub", ClaimSource::UserId),
            ("scp", ClaimSource::Scopes),
            ("roles", ClaimSource::Roles),
        ]),
        ..django()
    });
    let claims = AccessClaims {
        roles: vec!["editor".into()],
        ..claims()
    };
    let token = profile.sign(&claims, Some("7")).expect("a token");
    let payload = payload_of(&token);
    assert_eq!(payload["user_id"], 7);
    assert_eq!(payload["token_type"], "access");
    assert_eq!(payload["iss"], "old");
    assert_eq!(payload["jti"], claims.jti);
    assert_eq!(payload["sid"], claims.sid);
    assert!(payload.get("aud").is_none());
    let read = profile.read(&token).expect("our own");
    assert!(read.is_ours);
    assert_eq!(read.class, TokenClass::Access);
    assert_eq!(read.external_id.as_deref(), Some("7"));
    let expected = AccessClaims {
        iss: "old".into(),
        aud: Vec::new(),
        nbf: None,
        ..claims
    };
    assert_eq!(read.claims, expected);
}

#[test]
fn an_old_token_is_read_with_what_it_says() {
    let read = old(
        &profile(django()),
        &json!({"token_type": "access", "exp": 1_900, "iat": 1_000, "jti": "j", "user_id": 7}),
    )
    .expect("the old server's");
    assert!(!read.is_ours);
    assert_eq!(read.external_id.as_deref(), Some("7"));
    let claims = &read.claims;
    assert_eq!(
        (claims.exp, claims.iat, claims.jti.as_str()),
        (1_900, 1_000, "j")
    );
    assert_eq!((claims.sub.as_str(), claims.sid.as_str()), ("", ""));

    let read = old(
        &profile(django()),
        &json!({"token_type": "access", "exp": 1_900.75, "user_id": "7", "sid": "theirs"}),
    )
    .expect("the id as a text, a time with a fraction, no iat");
    assert_eq!(read.external_id.as_deref(), Some("7"));
    assert_eq!((read.claims.exp, read.claims.iat), (1_900, 0));
    assert_eq!(read.claims.sid, "", "a session of another server is none");
}

#[test]
fn a_refresh_token_is_no_access_token_and_others_are_neither() {
    let profile = profile(django());
    let class = |token_type: Value| {
        old(
            &profile,
            &json!({"token_type": token_type, "exp": 1_900, "user_id": 7}),
        )
        .map(|token| token.class)
    };
    assert_eq!(class("access".into()), Ok(TokenClass::Access));
    assert_eq!(class("refresh".into()), Ok(TokenClass::Refresh));
    let wrong = Err(ProfileRejection::Genuine(Rejection::WrongType));
    for other in [
        json!("sliding"),
        json!("Access"),
        json!(null),
        json!(["access"]),
    ] {
        assert_eq!(class(other), wrong);
    }
    assert_eq!(
        old(&profile, &json!({"exp": 1_900, "user_id": 7})).map(|token| token.class),
        wrong
    );
}

#[test]
fn where_access_tokens_say_nothing_refresh_tokens_are_still_told_apart() {
    let profile = profile(ProfileShape {
        constants: Vec::new(),
        ..django()
    });
    let read = |payload: Value| old(&profile, &payload).map(|token| token.class);
    assert_eq!(
        read(json!({"exp": 1_900, "user_id": 7})),
        Ok(TokenClass::Access)
    );
    assert_eq!(
        read(json!({"exp": 1_900, "user_id": 7, "token_type": "refresh"})),
        Ok(TokenClass::Refresh)
    );
}

#[test]
fn only_the_one_header_and_key_are_taken() {
    let profile = profile(django());
    let payload = r#"{"token_type":"access","exp":1900,"user_id":7}"#;
    let read = |header: Value| profile.read(&signed(&profile, &header, payload));
    assert!(read(json!({"alg": "HS256", "typ": "jwt"})).is_ok());
    let foreign = |rejection| Err(ProfileRejection::Foreign(rejection));
    for (header, rejection) in [
        (
            json!({"alg": "none", "typ": "JWT"}),
            Rejection::WrongAlgorithm,
        ),
        (
            json!({"alg": "HS512", "typ": "JWT"}),
            Rejection::WrongAlgorithm,
        ),
        (
            json!({"alg": "EdDSA", "typ": "JWT"}),
            Rejection::WrongAlgorithm,
        ),
        (json!({"alg": "HS256"}), Rejection::WrongType),
        (
            json!({"alg": "HS256", "typ": "at+jwt"}),
            Rejection::WrongType,
        ),
        (
            json!({"alg": "HS256", "typ": "JWT", "kid": profile.key().kid()}),
            Rejection::UnknownKey,
        ),
        (
            json!({"alg": "HS256", "typ": "JWT", "crit": ["exp"]}),
            Rejection::UnsupportedHeader,
        ),
    ] {
        assert_eq!(read(header), foreign(rejection));
    }
    let other = SigningKey::from_foreign_secret(b"django-insecurf").expect("a key");
    let other = Profile::new(other, django()).expect("a profile");
    let token = signed(&other, &json!({"alg": "HS256", "typ": "JWT"}), payload);
    assert_eq!(profile.read(&token), foreign(Rejection::BadSignature));
}

#[test]
fn claims_of_wrong_types_and_ranges_are_refused() {
    let profile = profile(ProfileShape {
        claims: names([
            ("user_id", ClaimSource::ExternalIdNumber),
            ("scp", ClaimSource::Scope),
            ("roles", ClaimSource::Roles),
        ]),
        ..django()
    });
    let good = json!({"token_type": "access", "exp": 1_900, "iat": 1_000, "user_id": 7});
    assert!(old(&profile, &good).is_ok());
    for (name, value) in [
        ("exp", json!(null)),
        ("exp", json!("1900")),
        ("exp", json!(-1)),
        ("exp", json!(1e19)),
        ("exp", json!(1_000)),
        ("iat", json!("1000")),
        ("nbf", json!(true)),
        ("jti", json!(7)),
        ("user_id", json!(null)),
        ("user_id", json!(7.5)),
        ("user_id", json!("07")),
        ("user_id", json!("+7")),
        ("user_id", json!("")),
        ("user_id", json!(u64::MAX)),
        ("user_id", json!([7])),
        ("scp", json!("a  b")),
        ("scp", json!(1)),
        ("roles", json!([1])),
        ("roles", json!([""])),
        ("countersign", json!({})),
        ("countersign", json!(null)),
    ] {
        let mut payload = good.clone();
        payload[name] = value.clone();
        let refused = Err(ProfileRejection::Genuine(Rejection::InvalidClaims));
        assert_eq!(old(&profile, &payload), refused, "{name}: {value}");
    }
    let mut payload = good.clone();
    payload["aud"] = json!("somebody");
    let refused = Err(ProfileRejection::Genuine(Rejection::WrongAudience));
    assert_eq!(old(&profile, &payload), refused);
    for repeated in [
        r#"{"token_type":"access","exp":1900,"user_id":7,"user_id":8}"#,
        r#"{"token_type":"refresh","exp":1900,"user_id":7,"token_type":"access"}"#,
    ] {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let read = profile.read(&signed(&profile, &header, repeated));
        assert_eq!(
            read,
            Err(ProfileRejection::Genuine(Rejection::InvalidClaims))
        );
    }
}

#[test]
fn issuer_and_audience_are_demanded_where_they_are_set() {
    let profile = profile(ProfileShape {
        issuer: Some("old".into()),
        audience: Some("shop".into()),
        ..django()
    });
    let read = |iss: Value, aud: Value| {
        let payload =
            json!({"token_type": "access", "exp": 1_900, "user_id": 7, "iss": iss, "aud": aud});
        old(&profile, &payload).map(drop)
    };
    let genuine = |rejection| Err(ProfileRejection::Genuine(rejection));
    assert_eq!(read("old".into(), "shop".into()), Ok(()));
    assert_eq!(read("old".into(), json!(["x", "shop"])), Ok(()));
    assert_eq!(
        read("new".into(), "shop".into()),
        genuine(Rejection::WrongIssuer)
    );
    assert_eq!(
        read(json!(["old"]), "shop".into()),
        genuine(Rejection::WrongIssuer)
    );
    for aud in [json!("sho"), json!([]), json!([["shop"]]), json!(null)] {
        assert_eq!(read("old".into(), aud), genuine(Rejection::WrongAudience));
    }
}

#[test]
fn nobody_gets_a_token_with_another_id_than_his() {
    let profile = profile(django());
    assert_eq!(
        profile.sign(&claims(), None),
        Err(ProfileError::NoExternalId)
    );
    for id in ["", "seven", "07", "7.0", " 7", "9223372036854775808"] {
        assert_eq!(
            profile.sign(&claims(), Some(id)),
            Err(ProfileError::NotANumber),
            "{id}"
        );
        assert_eq!(
            profile.check_external_id(Some(id)),
            Err(ProfileError::NotANumber)
        );
    }
    assert_eq!(profile.check_external_id(Some("-7")), Ok(()));
}

#[test]
fn no_token_of_a_profile_is_a_main_one_and_the_other_way_round() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).expect("a key");
        let keys = KeySet::new(vec![key.verifying_key().clone()]).expect("a set");
        let main = key.sign(&claims()).expect("a token");
        let profile = Profile::new(key, django()).expect("a profile");
        let token = profile.sign(&claims(), Some("7")).expect("a token");
        assert_eq!(Verifier::genuine(&keys, &token), Err(Rejection::WrongType));
        let read = profile.read(&main);
        assert_eq!(read, Err(ProfileRejection::Foreign(Rejection::WrongType)));
        assert!(profile.read(&token).is_ok());
    }
}

#[test]
fn shapes_that_say_nothing_or_two_things_are_refused() {
    let of = |claims: Vec<(String, ClaimSource)>| ProfileShape { claims, ..django() };
    let id = ("id", ClaimSource::ExternalId);
    for (shape, error) in [
        (of(Vec::new()), ShapeError::NoUser),
        (of(names([("", ClaimSource::ExternalId)])), ShapeError::Name),
        (
            of(names([("exp", ClaimSource::ExternalId)])),
            ShapeError::Reserved("exp".into()),
        ),
        (
            of(names([id, ("sub", ClaimSource::ExternalIdNumber)])),
            ShapeError::TwoExternalIds,
        ),
        (
            of(names([id, ("id", ClaimSource::Roles)])),
            ShapeError::Repeated("id".into()),
        ),
        (
            of(names([id, ("token_type", ClaimSource::Roles)])),
            ShapeError::Repeated("token_type".into()),
        ),
        (
            of(names([("sub", ClaimSource::UserId)])),
            ShapeError::RefreshWithoutExternalId,
        ),
        (
            ProfileShape {
                refresh_constants: constants([("token_type", "access")]),
                ..django()
            },
            ShapeError::SameClasses,
        ),
    ] {
        let key = SigningKey::from_foreign_secret(b"k").expect("a key");
        assert_eq!(Profile::new(key, shape).err(), Some(error));
    }
    assert!(SigningKey::from_foreign_secret(b"").is_err());
}

#[test]
fn constants_are_read_as_they_are_written() {
    for (text, value) in [
        ("access", json!("access")),
        ("true", json!(true)),
        ("1", json!(1)),
        ("\"1\"", json!("1")),
        ("1.5", json!("1.5")),
        ("null", json!("null")),
        ("[]", json!("[]")),
        ("", json!("")),
    ] {
        let constant = Constant::parse(text);
        assert_eq!(constant.value(), &value);
        assert_eq!(Constant::parse(&constant.to_string()), constant);
        assert_eq!(constant.to_string(), text);
    }
    for (name, source) in ClaimSource::NAMED {
        assert_eq!(ClaimSource::parse(name), Some(source));
        assert_eq!(source.as_str(), name);
    }
}
