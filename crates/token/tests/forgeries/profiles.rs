//! Tokens of token profiles: each is one of one profile, by its one algorithm.

use countersign_token::{
    Algorithm, ClaimSource, Constant, Profile, ProfileRejection, ProfileShape, ProfileToken,
    Rejection, SigningKey,
};

use super::support::{KEYS, claims, decode, encode, hmac_sign, pem, sign_input, verify};

/// A profile for each of the keys, all of one shape.
fn profiles() -> Vec<Profile> {
    let constants = |value: &str| vec![("type".to_owned(), Constant::parse(value))];
    let profiles = KEYS.iter().map(|key| {
        let key = SigningKey::from_secret(key.algorithm(), key.secret()).expect("a key");
        let shape = ProfileShape {
            typ: Some("JWT".into()),
            claims: vec![("id".into(), ClaimSource::ExternalIdNumber)],
            constants: constants("access"),
            refresh_constants: constants("refresh"),
            ..ProfileShape::default()
        };
        Profile::new(key, shape).expect("a profile")
    });
    profiles.collect()
}

fn header(algorithm: &str) -> String {
    format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#)
}

const PAYLOAD: &str = r#"{"type":"access","exp":1700000900,"id":7}"#;

fn forged(header: &str, payload: &str) -> String {
    format!("{}.{}", encode(header), encode(payload))
}

fn foreign(read: &Result<ProfileToken, ProfileRejection>) -> bool {
    matches!(read, Err(ProfileRejection::Foreign(_)))
}

#[test]
fn no_profile_reads_what_the_key_of_another_signed_under_any_algorithm() {
    let profiles = profiles();
    let (mut read, mut refused) = (0, 0);
    for (signer, key) in KEYS.iter().enumerate() {
        for algorithm in Algorithm::ALL {
            let token = sign_input(key, &forged(&header(algorithm.as_str()), PAYLOAD));
            for (index, profile) in profiles.iter().enumerate() {
                let answer = profile.read(&token);
                if index == signer && algorithm == key.algorithm() {
                    assert!(answer.is_ok(), "{answer:?}");
                    read += 1;
                } else {
                    assert!(foreign(&answer), "{answer:?}");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((read, refused), (4, 60));
}

#[test]
fn no_spelling_of_none_and_no_public_key_as_a_secret_passes() {
    let profiles = profiles();
    for algorithm in [
        "none", "None", "nOnE", "", "null", "HS512", "hs256", "HS256 ",
    ] {
        let input = forged(&header(algorithm), PAYLOAD);
        for profile in &profiles {
            let signed = sign_input(profile.key(), &input);
            for token in [
                format!("{input}."),
                format!("{input}.AA"),
                input.clone(),
                signed,
            ] {
                assert!(foreign(&profile.read(&token)), "{token}");
            }
        }
    }
    let input = forged(&header("HS256"), PAYLOAD);
    for (profile, key) in profiles.iter().zip(KEYS.iter()) {
        let Some(jwk) = key.verifying_key().to_jwk() else {
            continue;
        };
        let text = jwk.to_string();
        for secret in [
            text.clone(),
            pem("PUBLIC KEY", text.as_bytes()),
            jwk.kid().into(),
        ] {
            let signature = hmac_sign(secret.as_bytes(), input.as_bytes());
            let token = format!("{input}.{}", encode(signature));
            assert!(foreign(&profile.read(&token)));
        }
    }
}

#[test]
fn a_token_with_one_bit_changed_is_none() {
    for profile in profiles() {
        let token = profile.sign(&claims(), Some("7")).expect("a token");
        assert!(profile.read(&token).is_ok());
        let parts: Vec<&str> = token.split('.').collect();
        for (index, part) in parts.iter().enumerate() {
            let bytes = decode(part);
            for bit in (0..bytes.len() * 8).step_by(7) {
                let mut changed = bytes.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let changed = encode(changed);
                let mut all = parts.clone();
                all[index] = &changed;
                assert!(
                    foreign(&profile.read(&all.join("."))),
                    "part {index}, bit {bit}"
                );
            }
        }
    }
}

#[test]
fn no_token_of_a_profile_passes_for_one_of_the_main_form_or_for_another_class() {
    for profile in profiles() {
        let key = profile.key();
        let main = key.sign(&claims()).expect("a token");
        assert!(verify(&main).is_ok() && foreign(&profile.read(&main)));
        let token = profile.sign(&claims(), Some("7")).expect("a token");
        assert_eq!(verify(&token), Err(Rejection::WrongType));
        // With the payload of the main form, and the header of the profile.
        let payload = decode(main.split('.').nth(1).expect("three parts"));
        let payload = String::from_utf8(payload).expect("JSON");
        let swapped = sign_input(key, &forged(&header(key.algorithm().as_str()), &payload));
        assert_eq!(verify(&swapped), Err(Rejection::WrongType));
        let read = profile.read(&swapped);
        assert_eq!(read, Err(ProfileRejection::Genuine(Rejection::WrongType)));
    }
}
