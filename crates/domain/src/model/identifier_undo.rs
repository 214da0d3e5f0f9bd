//! Undoing a change of addresses: the token of a notice, and what is kept for it.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{Address, Timestamp, UserId};
use crate::ports::Random;

const LEN: usize = 16;
const RULE: &str = "must be what stands behind # in the link of a notice";

/// An undo token: 128 random bits in base64url, short enough for a text message.
/// Never shown.
#[derive(Clone)]
pub struct UndoToken(Zeroizing<[u8; LEN]>);

/// What is kept of an undo token: its SHA-256, of which none can be made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UndoDigest([u8; 32]);

/// What is kept of an address that is nobody else's for a time: an HMAC over it and
/// its group, under a key that the database does not hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldDigest([u8; 32]);

/// A change of addresses that can be undone, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierUndo {
    /// The digest of the token that undoes it.
    pub digest: UndoDigest,
    /// Whose addresses.
    pub user_id: UserId,
    /// The address that was replaced or removed: nobody else's until then.
    pub held: Option<HeldDigest>,
    /// The [`IdentifierChange`], sealed.
    pub sealed: Vec<u8>,
    /// When it was changed.
    pub created_at: Timestamp,
    /// From when on it cannot be undone.
    pub expires_at: Timestamp,
}

/// A change of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentifierChange {
    /// The address that was added.
    pub added: Option<Address>,
    /// The address that was removed.
    pub removed: Option<Address>,
    /// All addresses that there were before.
    pub before: Vec<Address>,
    /// When the person who changed them had signed in: what was enrolled since then,
    /// or shortly before, may be that person's.
    pub signed_in_at: Timestamp,
}

/// What was done with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierChangeKind {
    /// One was added.
    Added,
    /// One took the place of another.
    Changed,
    /// One was removed.
    Removed,
}

impl IdentifierChange {
    /// What was done.
    #[must_use]
    pub fn kind(&self) -> IdentifierChangeKind {
        match (&self.added, &self.removed) {
            (Some(_), Some(_)) => IdentifierChangeKind::Changed,
            (Some(_), None) => IdentifierChangeKind::Added,
            (None, _) => IdentifierChangeKind::Removed,
        }
    }

    /// So much of the address that the person recognises it, or of both, the earlier
    /// one first.
    #[must_use]
    pub fn masked(&self) -> String {
        let concerned = [&self.removed, &self.added].into_iter().flatten();
        let masked: Vec<_> = concerned.map(Address::masked).collect();
        masked.join(" → ")
    }
}

impl UndoToken {
    /// How long a token is, in bytes of ASCII.
    pub const TEXT_LEN: usize = 22;

    /// A new token.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; LEN]);
        random.fill(&mut *bytes);
        Self(bytes)
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
        let bytes = bytes.as_slice().try_into().map_err(|_| RULE)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The token in the clear, to be sent.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> UndoDigest {
        let digest = digest::digest(&digest::SHA256, &*self.0);
        UndoDigest(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl UndoDigest {
    /// The digest with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its bytes in base64url.
    #[must_use]
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl HeldDigest {
    /// The digest with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for UndoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UndoToken(..)")
    }
}

impl fmt::Debug for UndoDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UndoDigest(..)")
    }
}

impl fmt::Debug for HeldDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;

    #[test]
    fn a_token_is_read_as_it_was_written_and_never_shown() {
        let token = UndoToken::generate(&SeededRandom::new(7));
        let text = token.expose();
        assert_eq!(text.len(), UndoToken::TEXT_LEN);
        let read = UndoToken::parse(&text).expect("a token");
        assert_eq!(read.digest(), token.digest());
        assert!(!format!("{token:?} {:?}", token.digest()).contains(&text[..8]));
    }

    #[test]
    fn no_text_of_another_length_or_spelling_is_a_token() {
        for length in (0..100).filter(|length| *length != UndoToken::TEXT_LEN) {
            assert!(UndoToken::parse(&"A".repeat(length)).is_err(), "{length}");
        }
        let good = "A".repeat(UndoToken::TEXT_LEN);
        assert!(UndoToken::parse(&good).is_ok());
        // The last letter has four bits that no byte has.
        for last in ["B", "C", "=", "+", "/", " ", "\n", "\0"] {
            assert!(UndoToken::parse(&format!("{}{last}", &good[1..])).is_err());
        }
        assert!(UndoToken::parse(&format!("{}\u{ac00}", "A".repeat(19))).is_err());
    }
}
