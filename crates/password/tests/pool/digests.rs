//! Mere digests: what is stored of them, by an import and by the first comparison.

use countersign_domain::ports::{HashError, PasswordHasher as _};

use super::imported::{MADE, PUBLISHED, import, is_hash_of};
use super::support::{cheap, password, pool, verify};

#[tokio::test]
async fn a_digest_is_wrapped_without_its_password_and_replaced_with_it() {
    let pool = pool(cheap());
    let mut wrapped = 0;
    for line in MADE.lines().filter(|line| line.starts_with("hashlib\t")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let imported = import(&pool, fields[3], fields[2]);
        if !imported.is_digest {
            continue;
        }
        let digest = imported.hash.expose().rsplit('$').next().expect("a digest");
        let digest = digest.to_owned();
        let hash = pool.admit().expect("a place").wrap(imported).await;
        let hash = hash.expect("a hash");
        assert!(
            hash.expose().starts_with("$argon2id-of$"),
            "{}",
            hash.expose()
        );
        assert!(!hash.expose().contains(&digest), "it is kept beside");
        assert!(is_hash_of(&pool, fields[1], &hash).await, "{line}");
        assert!(!is_hash_of(&pool, &digest, &hash).await, "{line}");
        wrapped += 1;
    }
    assert_eq!(wrapped, 64);
}

#[tokio::test]
async fn a_comparison_with_a_digest_makes_what_is_stored_of_it_at_the_cost_of_one_hash() {
    let settings = cheap();
    let blocks = u64::from(settings.parameters.memory_kib() * settings.parameters.passes());
    let pool = pool(settings);
    let digests = MADE.lines().filter(|line| line.starts_with("hashlib\t"));
    let mut compared = 0;
    for line in digests {
        let fields: Vec<&str> = line.split('\t').collect();
        let (right, digest) = (fields[1], import(&pool, fields[3], fields[2]));
        if !digest.is_digest {
            continue;
        }
        let wrong = "the wrong phrase";
        for (guess, begin) in [(right, "$argon2id$"), (wrong, "$argon2id-of$")] {
            let before = (pool.hashes(), pool.blocks());
            let place = pool.admit().expect("a place");
            let seen = place.verify_digest(password(guess), digest.clone()).await;
            let (verdict, stored) = seen.expect("a verdict");
            assert_eq!(verdict.matches, guess == right, "{line}");
            assert!(verdict.replacement.is_none(), "{line}");
            let spent = (pool.hashes() - before.0, pool.blocks() - before.1);
            assert_eq!(spent, (1, blocks), "{line}");
            assert!(stored.expose().starts_with(begin), "{}", stored.expose());
            for (text, matches) in [(right, true), (wrong, false)] {
                let seen = verify(&pool, text, Some(stored.clone())).await;
                assert_eq!(seen.expect("a verdict").matches, matches, "{line}");
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 64);
    let other = import(&pool, "auto", PUBLISHED[8].1);
    let place = pool.admit().expect("a place");
    let refused = place.verify_digest(password("a"), other).await;
    assert!(matches!(refused, Err(HashError::Failed(_))), "{refused:?}");
}

#[tokio::test]
async fn a_hash_that_is_no_digest_is_not_wrapped() {
    let pool = pool(cheap());
    let imported = import(&pool, "auto", PUBLISHED[8].1);
    assert!(!imported.is_digest);
    let hash = pool.admit().expect("a place").wrap(imported.clone()).await;
    assert!(hash.expect("a hash") == imported.hash);
}
