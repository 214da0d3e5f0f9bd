//! The API keys of callers: the secret itself, and what is kept of one.

use std::fmt;
use std::fmt::Write as _;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::model::Timestamp;
use crate::ports::Random;

/// The secret by which a caller proves itself: `csk_` and 43 letters. Never
/// shown.
pub struct ApiKey(Zeroizing<String>);

/// What is kept of an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerKey {
    /// What the key is recognised by.
    pub hash: KeyHash,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it is refused. `None`: it does not expire.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute and a few minutes late. `None`:
    /// never, as far as is known.
    pub last_used_at: Option<Timestamp>,
}

/// SHA-256 of an API key. The key has 256 random bits: no slower hash is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash([u8; 32]);

/// The name of an API key, which is no secret: the first eight hexadecimal
/// digits of its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl ApiKey {
    /// A new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(Zeroizing::new(format!(
            "csk_{}",
            URL_SAFE_NO_PAD.encode(*bytes)
        )))
    }

    /// The key in the clear, to be printed once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

impl CallerKey {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.hash.id()
    }

    /// Since when it has expired, if it has.
    #[must_use]
    pub fn expired_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.expires_at.filter(|expires_at| *expires_at <= now)
    }
}

impl KeyHash {
    /// The hash of a key as a caller presents it.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, presented.as_bytes()).as_ref());
        Self(hash)
    }

    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name of the key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        let [a, b, c, d, ..] = self.0;
        KeyId([a, b, c, d])
    }
}

/// As its id: whoever has all of it can look for the key.
impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({}..)", self.id())
    }
}

impl KeyId {
    /// Reads an id.
    ///
    /// # Errors
    /// What the id of a key must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let number = Some(text).filter(|text| text.len() == 8 && text.bytes().all(is_digit));
        let number = number.and_then(|text| u32::from_str_radix(text, 16).ok());
        number.map(|number| Self(number.to_be_bytes())).ok_or(
            "must be the id of a key, 8 of the digits 0-9 and a-f, as `caller list` shows it",
        )
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(8);
        for byte in self.0 {
            write!(text, "{byte:02x}")?;
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_key_is_read_as_it_is_written() {
        let mut bytes = [7; 32];
        bytes[..4].copy_from_slice(&[0x00, 0x1f, 0xa0, 0xff]);
        let id = KeyHash::from_bytes(bytes).id();
        assert_eq!(id.to_string(), "001fa0ff");
        assert_eq!(KeyId::parse("001fa0ff"), Ok(id));
        for wrong in [
            "",
            "001fa0f",
            "001fa0fff",
            "001FA0FF",
            "+01fa0ff",
            "001fa0fg",
        ] {
            assert!(KeyId::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_refused_from_the_moment_in_which_it_expires() {
        let expires_at = Timestamp::from_seconds(100);
        let key = CallerKey {
            hash: KeyHash::of("csk_A"),
            created_at: Timestamp::from_seconds(0),
            expires_at: Some(expires_at),
            last_used_at: None,
        };
        assert_eq!(key.expired_since(Timestamp::from_millis(99_999)), None);
        assert_eq!(key.expired_since(expires_at), Some(expires_at));
        let lasting = CallerKey {
            expires_at: None,
            ..key
        };
        assert_eq!(
            lasting.expired_since(Timestamp::from_millis(i64::MAX)),
            None
        );
    }

    #[test]
    fn the_debug_output_of_a_hash_is_its_id() {
        let hash = KeyHash::of("csk_A");
        assert_eq!(format!("{hash:?}"), format!("KeyHash({}..)", hash.id()));
    }
}
