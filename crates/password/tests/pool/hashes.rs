//! What is hashed, and what matches it.

use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, PasswordHasher as _};
use countersign_password::{Argon2Parameters, PoolSettings};

use super::support::{DIFFERS, MATCHES, cheap, new_hash, password, pool, verify};

#[tokio::test]
async fn a_hash_is_a_phc_string_that_its_password_alone_matches() {
    let pool = pool(cheap());
    let hash = new_hash(&pool, "correct horse").await.expect("a hash");

    let fields: Vec<&str> = hash.expose().split('$').collect();
    assert_eq!(fields[..4], ["", "argon2id", "v=19", "m=8192,t=1,p=1"]);
    assert_eq!((fields[4].len(), fields[5].len()), (22, 43));

    let right = verify(&pool, "correct horse", Some(hash.clone())).await;
    assert_eq!(right.expect("a verdict"), MATCHES);
    let wrong = verify(&pool, "correct hors", Some(hash)).await;
    assert_eq!(wrong.expect("a verdict"), DIFFERS);
}

#[tokio::test]
async fn two_hashes_of_one_password_differ() {
    let pool = pool(cheap());
    let first = new_hash(&pool, "correct horse").await.expect("a hash");
    let second = new_hash(&pool, "correct horse").await.expect("a hash");
    assert!(first != second, "the salt is used twice");
}

/// From the reference implementation's own test.c.
#[tokio::test]
async fn hashes_of_the_reference_implementation_are_verified() {
    let pool = pool(cheap());
    for phc in [
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=262144,t=2,p=1$c29tZXNhbHQ$eP4eyR+zqlZX1y5xCFTkw9m5GYx0L5YWwvCFvtlbLow",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
    ] {
        let hash = PasswordHash::new(phc.into());
        let right = verify(&pool, "password", Some(hash.clone())).await;
        let right = right.unwrap_or_else(|e| panic!("{phc}: {e}"));
        assert!(right.matches && right.outdated, "{phc}: {right:?}");
        let wrong = verify(&pool, "sassword", Some(hash)).await;
        assert!(!wrong.expect("a verdict").matches, "{phc}");
    }
}

#[tokio::test]
async fn a_hash_of_other_parameters_is_outdated() {
    let old = pool(cheap());
    let hash = new_hash(&old, "correct horse").await.expect("a hash");
    for (m, t, p) in [(8_193, 1, 1), (8_192, 2, 1), (8_192, 1, 2), (81_920, 1, 1)] {
        let new = pool(PoolSettings {
            parameters: Argon2Parameters::new(m, t, p).expect("parameters"),
            ..cheap()
        });
        let right = verify(&new, "correct horse", Some(hash.clone()))
            .await
            .expect("a verdict");
        assert!(right.matches && right.outdated, "m={m} t={t} p={p}");
    }
}

#[tokio::test]
async fn without_a_hash_no_password_matches() {
    let pool = pool(cheap());
    let verdict = verify(&pool, "correct horse", None).await;
    assert_eq!(verdict.expect("a verdict"), DIFFERS);
}

#[tokio::test]
async fn a_hash_that_cannot_be_read_is_a_failure_that_tells_no_secret() {
    let pool = pool(cheap());
    let output = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    for phc in [
        "garbage".to_owned(),
        format!("$argon2id$v=19$m=262145,t=1,p=1$c29tZXNhbHQ${output}"),
        format!("$argon2id$v=19$m=8192,t=17,p=1$c29tZXNhbHQ${output}"),
        format!("$argon2id$v=19$m=8192,t=1,p=17$c29tZXNhbHQ${output}"),
        format!("$argon2id$v=18$m=8192,t=1,p=1$c29tZXNhbHQ${output}"),
        format!("$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHQ${output}"),
        format!("$scrypt$ln=25,r=8,p=1$c29tZXNhbHQ${output}"),
        "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHQ".to_owned(),
        "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ".to_owned(),
        format!(
            "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHQ${}",
            "A".repeat(4_000)
        ),
    ] {
        let hash = PasswordHash::new(phc.clone());
        match verify(&pool, "correct horse", Some(hash)).await {
            Err(HashError::Failed(text)) => {
                assert!(!text.contains("c29t") && !text.contains("horse"), "{text}");
            }
            other => panic!("{phc}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_byte_of_a_long_password_counts() {
    let pool = pool(cheap());
    let long = "p".repeat(Password::MAX_BYTES - 1);
    let hash = new_hash(&pool, &format!("{long}a")).await.expect("a hash");
    for (last, matches) in [("a", true), ("b", false), ("", false)] {
        let verdict = verify(&pool, &format!("{long}{last}"), Some(hash.clone()))
            .await
            .expect("a verdict");
        assert_eq!(verdict.matches, matches, "…{last}");
    }
}

#[tokio::test]
async fn a_common_password_is_refused_and_a_good_one_is_not() {
    let pool = pool(cheap());
    let rule = pool.assess(&password("password1"), &[]);
    assert_eq!(
        rule,
        Err("must not be a common or easily guessed password".into())
    );
    assert_eq!(pool.assess(&password("tr4vel-by-night-train"), &[]), Ok(()));
}
