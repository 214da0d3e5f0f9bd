//! A link that proves an address: a URL with a token behind `#`, where neither
//! the logs of servers nor the requests of scanners have it.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{LinkPrefix, VerificationId};
use crate::ports::Random;

const ID_LEN: usize = 16;
const SECRET_LEN: usize = 16;
const LEN: usize = ID_LEN + SECRET_LEN;
const RULE: &str = "must be what stands behind # in a link";

/// The token of a link: the id of the verification and 128 random bits, in
/// base64url. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct LinkToken {
    id: VerificationId,
    secret: Zeroizing<[u8; SECRET_LEN]>,
}

/// What is kept of a token: an HMAC over it, under a key that the store does not
/// hold.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkDigest([u8; 32]);

/// A link, to be sent.
#[derive(Clone, Debug)]
pub struct Link {
    /// The page that it leads to.
    pub prefix: LinkPrefix,
    /// What it proves the address with.
    pub token: LinkToken,
}

impl LinkToken {
    /// How long a token is, in bytes of ASCII.
    pub const TEXT_LEN: usize = 43;

    /// The token of a new verification.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut secret = Zeroizing::new([0; SECRET_LEN]);
        random.fill(&mut *secret);
        Self {
            id: VerificationId::generate(random),
            secret,
        }
    }

    /// A token as it was presented.
    ///
    /// # Errors
    /// What a token must be, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() != Self::TEXT_LEN {
            return Err(RULE);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| RULE)?;
        let (id, secret) = bytes.split_first_chunk().ok_or(RULE)?;
        let secret: [u8; SECRET_LEN] = secret.try_into().map_err(|_| RULE)?;
        Ok(Self {
            id: VerificationId::from_bytes(*id),
            secret: Zeroizing::new(secret),
        })
    }

    /// The token in the clear, to be sent.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; LEN]);
        bytes[..ID_LEN].copy_from_slice(self.id.as_bytes());
        bytes[ID_LEN..].copy_from_slice(&*self.secret);
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))
    }

    /// The verification.
    #[must_use]
    pub fn id(&self) -> VerificationId {
        self.id
    }

    /// What is kept of the token.
    #[must_use]
    pub fn digest(&self, key: &hmac::Key) -> LinkDigest {
        let mut context = hmac::Context::with_key(key);
        context.update(self.id.as_bytes());
        // No code has this byte behind its id: the two cannot be confused.
        context.update(&[0]);
        context.update(&*self.secret);
        let tag = context.sign();
        LinkDigest(tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes"))
    }
}

impl LinkDigest {
    /// Whether it is of the same token, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// The bytes, to be compared by a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Link {
    /// The URL in the clear, to be sent.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}#{}", self.prefix, &*self.token.expose()))
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(..)")
    }
}

impl fmt::Debug for LinkDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Code, MasterKey};
    use crate::testing::SeededRandom;

    #[test]
    fn a_token_is_read_as_it_was_written_and_never_shown() {
        let random = SeededRandom::new(7);
        let token = LinkToken::generate(&random);
        let text = token.expose();
        assert_eq!(text.len(), LinkToken::TEXT_LEN);
        let read = LinkToken::parse(&text).expect("a token");
        assert_eq!((read.id(), read.expose()), (token.id(), text.clone()));
        let prefix = LinkPrefix::parse("https://example.com/in").expect("a prefix");
        let link = Link { prefix, token };
        assert_eq!(*link.expose(), format!("https://example.com/in#{}", *text));
        assert!(!format!("{link:?}").contains(&text[22..]));
    }

    #[test]
    fn no_text_of_another_length_or_spelling_is_a_token() {
        for length in (0..200).filter(|length| *length != LinkToken::TEXT_LEN) {
            assert!(LinkToken::parse(&"A".repeat(length)).is_err(), "{length}");
        }
        let good = "A".repeat(LinkToken::TEXT_LEN);
        assert!(LinkToken::parse(&good).is_ok());
        // The last letter has two bits that no byte has.
        for last in ["B", "C", "=", "+", "/", " ", "\n", "\0"] {
            assert!(LinkToken::parse(&format!("{}{last}", &good[1..])).is_err());
        }
        assert!(LinkToken::parse(&"\u{ac00}".repeat(14)).is_err());
        assert!(LinkToken::parse(&format!("{}\u{ac00}", "A".repeat(40))).is_err());
    }

    #[test]
    fn a_digest_is_of_one_token_and_of_no_code() {
        let random = SeededRandom::new(7);
        let secrets = MasterKey::generate(&random).secrets();
        let token = LinkToken::generate(&random);
        let digest = token.digest(&secrets.code);
        assert!(digest.matches(&token.clone().digest(&secrets.code)));
        let mut other = token.clone();
        other.secret[15] ^= 1;
        assert!(!digest.matches(&other.digest(&secrets.code)));
        let mut other = token.clone();
        other.id = VerificationId::generate(&random);
        assert!(!digest.matches(&other.digest(&secrets.code)));
        let code = Code::parse("123456".into()).expect("a code");
        assert_ne!(*digest.as_bytes(), code.digest(token.id(), &secrets.code));
    }
}
