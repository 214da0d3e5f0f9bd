//! Prints what a signature takes with a key that is kept, beside `jsonwebtoken`
//! on the same crypto library, whose signer is made for each signature or, on
//! one thread, kept. Medians of interleaved rounds, and the fastest: on a busy
//! machine the second is the figure to trust.
//!
//! `cargo run --release -p countersign-token --example signatures`

use std::hint::black_box;
use std::time::{Duration, Instant};

use countersign_token::{AccessClaims, Algorithm, KeySet, SigningKey, Verifier};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};

const ROUNDS: usize = 101;
const NOW: i64 = 1_700_000_060;

type Failure = Box<dyn std::error::Error>;
type Work<'a> = Box<dyn FnMut() -> Result<(), Failure> + 'a>;

fn main() -> Result<(), Failure> {
    println!("µs each, of {ROUNDS} rounds: median, fastest");
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm)?;
        let encoding_key = encoding_key(&key)?;
        let registered = registered(algorithm);
        let message = [b'x'; 560];
        let kept = (DEFAULT_PROVIDER.signer_factory)(&registered, &encoding_key)?;
        measure(
            algorithm,
            vec![
                (
                    "sign, jsonwebtoken, a signer each time",
                    Box::new(|| {
                        let signer = (DEFAULT_PROVIDER.signer_factory)(&registered, &encoding_key)?;
                        black_box(signer.try_sign(&message)?);
                        Ok(())
                    }),
                ),
                (
                    "sign, jsonwebtoken, one signer kept",
                    Box::new(|| {
                        black_box(kept.try_sign(&message)?);
                        Ok(())
                    }),
                ),
                ("sign a token, jsonwebtoken", {
                    let mut header = Header::new(registered);
                    header.typ = Some("at+jwt".into());
                    header.kid = Some(key.kid().into());
                    let encoding_key = &encoding_key;
                    Box::new(move || {
                        black_box(jsonwebtoken::encode(&header, &claims(), encoding_key)?);
                        Ok(())
                    })
                }),
                (
                    "sign a token, ours",
                    Box::new(|| {
                        black_box(key.sign(&claims())?);
                        Ok(())
                    }),
                ),
                ("verify a token, jsonwebtoken", theirs(&key)?),
                ("verify a token, ours", ours(&key)?),
            ],
        )?;
    }
    Ok(())
}

fn theirs(key: &SigningKey) -> Result<Work<'static>, Failure> {
    let set = KeySet::new(vec![key.verifying_key().clone()])?.to_jwks();
    let set: JwkSet = serde_json::from_str(&set)?;
    let decoding_key = match set.keys.first() {
        Some(jwk) => DecodingKey::from_jwk(jwk)?,
        None => DecodingKey::from_secret(key.secret()),
    };
    let mut validation = Validation::new(registered(key.algorithm()));
    validation.set_issuer(&["https://id.example"]);
    validation.set_audience(&["api"]);
    validation.validate_exp = false;
    let token = key.sign(&claims())?;
    Ok(Box::new(move || {
        black_box(jsonwebtoken::decode::<AccessClaims>(
            &token,
            &decoding_key,
            &validation,
        )?);
        Ok(())
    }))
}

fn ours(key: &SigningKey) -> Result<Work<'static>, Failure> {
    let keys = KeySet::new(vec![key.verifying_key().clone()])?;
    let verifier = Verifier::new("https://id.example", Duration::ZERO);
    let token = key.sign(&claims())?;
    Ok(Box::new(move || {
        black_box(verifier.verify(&keys, &token, NOW)?);
        Ok(())
    }))
}

#[expect(clippy::disallowed_methods, reason = "measures")]
fn measure(algorithm: Algorithm, mut sides: Vec<(&str, Work<'_>)>) -> Result<(), Failure> {
    let repeats = match algorithm {
        Algorithm::Rs256 => 4,
        _ => 50,
    };
    let mut rounds = vec![Vec::new(); sides.len()];
    for _ in 0..ROUNDS {
        for ((_, work), times) in sides.iter_mut().zip(&mut rounds) {
            let started = Instant::now();
            for _ in 0..repeats {
                work()?;
            }
            times.push(started.elapsed().as_secs_f64() * 1e6 / f64::from(repeats));
        }
    }
    for ((name, _), times) in sides.iter().zip(&mut rounds) {
        times.sort_unstable_by(f64::total_cmp);
        let (median, fastest) = (times[ROUNDS / 2], times[0]);
        println!("{algorithm:6} {name:40} {median:8.2} {fastest:8.2}");
    }
    Ok(())
}

fn registered(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
}

fn encoding_key(key: &SigningKey) -> Result<EncodingKey, Failure> {
    Ok(match key.algorithm() {
        Algorithm::EdDsa => EncodingKey::from_ed_der(key.secret()),
        Algorithm::Es256 => EncodingKey::from_ec_der(key.secret()),
        // It wants RSA keys without the 26 bytes of PKCS#8 before them.
        Algorithm::Rs256 => EncodingKey::from_rsa_der(key.secret().get(26..).ok_or("a short key")?),
        Algorithm::Hs256 => EncodingKey::from_secret(key.secret()),
    })
}

fn claims() -> AccessClaims {
    AccessClaims {
        iss: "https://id.example".into(),
        sub: "0199e0c1-7e1a-7000-8000-000000000001".into(),
        aud: vec!["api".into()],
        exp: 1_700_000_900,
        iat: 1_700_000_000,
        nbf: None,
        jti: "0199e0c1-7e1a-7000-8000-000000000002".into(),
        client_id: "web".into(),
        sid: "0199e0c1-7e1a-7000-8000-000000000003".into(),
        grp: "default".into(),
        scope: vec!["profile".into(), "orders:read".into()],
        roles: vec!["member".into()],
        amr: vec!["pwd".into()],
        acr: Some("aal1".into()),
        auth_time: 1_700_000_000,
    }
}
