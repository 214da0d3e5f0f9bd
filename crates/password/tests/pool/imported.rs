//! Hashes that other systems made: compared as they were there, replaced at the
//! first good comparison, and refused if they ask for too much.

use countersign_domain::model::{
    DigestFunction, HashFormat, ImportedHash, PasswordHash, SaltPlace,
};
use countersign_domain::ports::PasswordHasher as _;
use countersign_password::Argon2Pool;
use proptest::prelude::*;

use super::support::{DIFFERS, MATCHES, cheap, password, pool, verify};

/// Who made it, the password, the hash, its format.
pub(crate) const MADE: &str = include_str!("../vectors/made.tsv");

/// Passwords and hashes that were published with the functions.
pub(crate) const PUBLISHED: [(&str, &str); 11] = [
    // RFC 7914, 12 and 11
    (
        "password",
        "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA",
    ),
    (
        "pleaseletmein",
        "scrypt$16384$SodiumChloride$8$1$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw==",
    ),
    (
        "passwd",
        "pbkdf2_sha256$1$salt$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
    ),
    // RFC 6070
    (
        "password",
        "pbkdf2_sha1$4096$salt$SwB5AbdlSJq+rUnZJvch0GWkKcE=",
    ),
    // Drepper, "Unix crypt using SHA-256 and SHA-512"
    (
        "Hello world!",
        "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
    ),
    (
        "Hello world!",
        "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
    ),
    (
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    (
        "Hello world!",
        "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
    ),
    // jBCrypt's own tests
    (
        "a",
        "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
    ),
    (
        "abcdefghijklmnopqrstuvwxyz",
        "$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz.",
    ),
    // phpass's own test
    ("test12345", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
];

pub(crate) fn import(pool: &Argon2Pool, format: &str, hash: &str) -> ImportedHash {
    let format: HashFormat = format.parse().expect(format);
    let imported = pool.import(format, hash);
    imported.unwrap_or_else(|error| panic!("{hash}: {error}"))
}

pub(crate) async fn is_hash_of(pool: &Argon2Pool, text: &str, hash: &PasswordHash) -> bool {
    let seen = verify(pool, text, Some(hash.clone())).await;
    let seen = seen.unwrap_or_else(|error| panic!("{}: {error}", hash.expose()));
    assert_eq!(seen.outdated, seen.matches, "{}", hash.expose());
    seen.matches
}

#[tokio::test]
async fn what_other_implementations_made_is_matched_by_its_password_alone() {
    let pool = pool(cheap());
    let mut compared = 0;
    for line in MADE.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [maker, right, hash, format] = fields[..] else {
            panic!("four fields: {line}");
        };
        let hash = import(&pool, format, hash).hash;
        assert!(is_hash_of(&pool, right, &hash).await, "{maker}: {line}");
        let wrong = format!(
            "b{}",
            &right[right.chars().next().map_or(0, char::len_utf8)..]
        );
        assert!(!is_hash_of(&pool, &wrong, &hash).await, "{maker}: {line}");
        compared += 1;
    }
    assert!(compared > 300, "{compared}");
    println!("{compared} hashes of other implementations: 0 taken for others, 0 not recognised");
}

#[tokio::test]
async fn what_was_published_with_the_functions_is_matched() {
    let pool = pool(cheap());
    for (right, hash) in PUBLISHED {
        let hash = import(&pool, "auto", hash).hash;
        assert!(is_hash_of(&pool, right, &hash).await, "{}", hash.expose());
    }
}

#[tokio::test]
async fn bcrypt_takes_72_bytes_and_the_new_hash_all_of_them() {
    let pool = pool(cheap());
    let made = MADE
        .lines()
        .find(|line| line.starts_with("bcrypt\tseventy-two") && line.ends_with("\tauto"));
    let fields: Vec<&str> = made.expect("a vector").split('\t').collect();
    let (right, hash) = (fields[1], import(&pool, "auto", fields[2]).hash);
    let other_end = format!("{} and another end", &right[..72]);
    assert!(is_hash_of(&pool, right, &hash).await);
    assert!(is_hash_of(&pool, &other_end, &hash).await);
    assert!(!is_hash_of(&pool, &right[..71], &hash).await);

    let place = pool.admit().expect("a place");
    let verdict = place.verify(password(right), Some(hash)).await;
    let replacement = verdict.expect("a verdict").replacement;
    let new = replacement.expect("it is outdated").hash().await;
    let new = new.expect("it was asked for at once");
    let seen = verify(&pool, right, Some(new.clone())).await;
    assert_eq!(seen.expect("a verdict"), MATCHES);
    let seen = verify(&pool, &other_end, Some(new)).await;
    assert_eq!(seen.expect("a verdict"), DIFFERS);
}

#[test]
fn absurd_costs_are_refused_and_what_is_allowed_is_named() {
    let pool = pool(cheap());
    let bcrypt_end = "m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
    let sha256 = "VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw";
    let sha512 = PUBLISHED[6].1.rsplit('$').next().expect("a digest");
    for (allowed, refused, rule) in [
        (
            format!("$2b$14${bcrypt_end}"),
            format!("$2b$15${bcrypt_end}"),
            "the cost of bcrypt must be 4 to 14",
        ),
        (
            format!("$2b$04${bcrypt_end}"),
            format!("$2b$03${bcrypt_end}"),
            "the cost of bcrypt must be 4 to 14",
        ),
        (
            format!("pbkdf2_sha256$4000000$salt${sha256}="),
            format!("pbkdf2_sha256$4000001$salt${sha256}="),
            "the iterations of PBKDF2 must be 1 to 4000000",
        ),
        (
            format!("pbkdf2_sha256$1$salt${sha256}="),
            format!("pbkdf2_sha256$0$salt${sha256}="),
            "the iterations of PBKDF2 must be 1 to 4000000",
        ),
        (
            format!("$6$rounds=1000000$salt${sha512}"),
            format!("$6$rounds=1000001$salt${sha512}"),
            "the rounds of SHA-crypt must be 1000 to 1000000",
        ),
        (
            format!("$6$rounds=1000$salt${sha512}"),
            format!("$6$rounds=999$salt${sha512}"),
            "the rounds of SHA-crypt must be 1000 to 1000000",
        ),
        (
            "$P$GIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0".into(),
            "$P$HIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0".into(),
            "phpass must ask for 2 to the power of 7 to 18 times MD5 (5 to G)",
        ),
        (
            "$P$5IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0".into(),
            "$P$4IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0".into(),
            "phpass must ask for 2 to the power of 7 to 18 times MD5 (5 to G)",
        ),
        (
            format!("$scrypt$ln=17,r=8,p=4$c2FsdA${sha256}"),
            format!("$scrypt$ln=18,r=8,p=1$c2FsdA${sha256}"),
            "scrypt must ask for at most 131072 KiB",
        ),
        (
            format!("scrypt$131072$salt$8$4${sha256}="),
            format!("scrypt$131072$salt$8$5${sha256}="),
            "scrypt must ask for at most 131072 KiB",
        ),
        (
            format!("$scrypt$ln=10,r=32,p=16$c2FsdA${sha256}"),
            format!("$scrypt$ln=10,r=33,p=1$c2FsdA${sha256}"),
            "scrypt must ask for at most 131072 KiB",
        ),
        (
            format!("$scrypt$ln=1,r=1,p=16$c2FsdA${sha256}"),
            format!("$scrypt$ln=1,r=1,p=17$c2FsdA${sha256}"),
            "scrypt must ask for at most 131072 KiB",
        ),
        (
            format!("argon2$argon2id$v=19$m=262144,t=1,p=1$c2FsdHNhbHQ${sha256}"),
            format!("argon2$argon2id$v=19$m=262145,t=1,p=1$c2FsdHNhbHQ${sha256}"),
            "the memory of Argon2 must be at most 262144 KiB",
        ),
        (
            format!("$argon2i$v=19$m=256,t=16,p=16$c2FsdHNhbHQ${sha256}"),
            format!("$argon2i$v=19$m=256,t=17,p=16$c2FsdHNhbHQ${sha256}"),
            "the passes of Argon2 must be at most 16",
        ),
    ] {
        import(&pool, "auto", &allowed);
        let error = pool.import(HashFormat::Auto, &refused).expect_err(&refused);
        assert!(error.starts_with(rule), "{refused}: {error}");
    }
}

#[test]
fn what_is_malformed_is_refused_and_told_how_it_would_be_right() {
    let pool = pool(cheap());
    let long_salt = "s".repeat(129);
    let sha256 = "VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw";
    for text in [
        "",
        "$",
        "secret",
        "plain$secret",
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$2x$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        "$2a$6$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        "$2a$006$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfx",
        "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxee",
        "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfx+",
        "$2a$06$m0CrhHm10qJ3lXRY.5zDG\u{e9}3rS2KdeeWLuGmsfGlMfOxih58VYVfx",
        "bcrypt$2b$12$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        "$bcrypt-sha256$v=2,t=2y,r=4$.0lC8fPiTq43D79uTtjYUO$xTu2WzmtdBDc/zqXeRNBc/mCvIckk.G",
        "$bcrypt-sha256$v=3,t=2b,r=4$.0lC8fPiTq43D79uTtjYUO$xTu2WzmtdBDc/zqXeRNBc/mCvIckk.G",
        "$bcrypt-of$sha3,hex$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        "$5$saltstringsaltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEcz",
        "$5$rounds=5000$more$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        "$6$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L",
        "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.Lz",
        "$P$",
        "scrypt$1000$salt$8$1$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
        "scrypt$0$salt$8$1$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
        "$scrypt$ln=10,r=8$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
        "$scrypt$ln=10,p=1,r=8$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
        "$scrypt$ln=010,r=8,p=1$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
        "sha1$salt$cd42f7f2c2c7dc4ef863f12ac3e325630319132",
        "sha1$salt$zd42f7f2c2c7dc4ef863f12ac3e3256303191327",
        "$digest$sha1,salt-middle$c2FsdA$cd42f7f2c2c7dc4ef863f12ac3e3256303191327",
        "$argon2id-of$sha1,salt-first$c2FsdA$argon2d$v=19$m=512,t=3,p=1$c2FsdHNhbHQ$VawEblbjCJ",
        "argon2$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        &format!("pbkdf2_sha256$1$${sha256}="),
        &format!("pbkdf2_sha256$1${long_salt}${sha256}="),
        &format!("pbkdf2_sha256$1$salt${sha256}"),
        &format!("pbkdf2_sha256$+1$salt${sha256}="),
        &format!("pbkdf2_sha256$01$salt${sha256}="),
        &format!("pbkdf2_sha1$1$salt${sha256}="),
        &format!("$scrypt$ln=10,r=8,p=1$${sha256}"),
        &format!("sha1${long_salt}$cd42f7f2c2c7dc4ef863f12ac3e3256303191327"),
        &"$2b$".repeat(200),
    ] {
        let error = pool.import(HashFormat::Auto, text).expect_err(text);
        assert!(error.contains("must "), "{text}: {error}");
    }
}

#[test]
fn a_format_that_is_named_is_not_guessed() {
    let pool = pool(cheap());
    let sha1 = HashFormat::Digest(DigestFunction::Sha1, SaltPlace::First);
    for text in [PUBLISHED[8].1, "md5$salt$0123456789abcdef0123456789abcdef"] {
        assert!(pool.import(sha1, text).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// What comes of it may be a hash or not; nothing panics, and what is read
    /// is read again as it is stored.
    #[test]
    fn no_text_panics(
        line in 0..MADE.lines().count(),
        at in 0..200_usize,
        removed in 0..40_usize,
        put in "[\\PC$=,.0-9]{0,30}",
        format in 0..17_usize,
    ) {
        thread_local! {
            static POOL: Argon2Pool = pool(cheap());
        }
        let made = MADE.lines().nth(line).and_then(|line| line.split('\t').nth(2));
        let made = made.unwrap_or_default();
        let from = at.min(made.len());
        let to = (from + removed).min(made.len());
        let text = format!("{}{put}{}", &made[..from], &made[to..]);
        let format = match format {
            0..16 => {
                let names = ["md5", "sha1", "sha256", "sha512"].map(|name| [
                    format!("{name}(salt+password)"),
                    format!("{name}(password+salt)"),
                    format!("bcrypt(hex({name}))"),
                    format!("bcrypt(base64({name}))"),
                ]);
                names.concat()[format].parse().expect("a format")
            }
            _ => HashFormat::Auto,
        };
        POOL.with(|pool| {
            for format in [format, HashFormat::Auto] {
                if let Ok(imported) = pool.import(format, &text) {
                    let again = pool.import(HashFormat::Auto, imported.hash.expose());
                    assert_eq!(again.as_ref(), Ok(&imported));
                }
            }
        });
    }
}
