//! Refresh tokens: `csr_` and base64url of version, key id, session id,
//! generation and an HMAC-SHA-256 over them with the session's salt.
//!
//! Nothing redeemable is stored: neither the database nor the key alone is
//! enough to make one, and only a token that was really issued can set off the
//! detection of reuse.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::{Generation, Session, SessionId};

const PREFIX: &str = "csr_";
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 4 + 16 + 8;
const TOKEN_BYTES: usize = HEAD_BYTES + 32;

/// The key of refresh tokens, and its id. Never shown.
#[derive(Clone)]
pub struct RefreshTokenKey {
    id: [u8; 4],
    key: hmac::Key,
}

/// A refresh token that was read, but not yet proved genuine.
#[derive(Clone, Copy)]
pub struct RefreshToken {
    session_id: SessionId,
    generation: Generation,
    bytes: [u8; TOKEN_BYTES],
}

impl RefreshTokenKey {
    /// The key with this id.
    #[must_use]
    pub fn new(id: [u8; 4], key: &[u8]) -> Self {
        Self {
            id,
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// The refresh token of the session's newest generation.
    #[must_use]
    pub fn mint(&self, session: &Session) -> String {
        let mut bytes = [0; TOKEN_BYTES];
        let (head, mac) = bytes.split_at_mut(HEAD_BYTES);
        head[0] = VERSION;
        head[1..5].copy_from_slice(&self.id);
        head[5..21].copy_from_slice(session.id.as_bytes());
        head[21..29].copy_from_slice(&session.generation.to_be_bytes());
        mac.copy_from_slice(self.mac(head, &session.salt).as_ref());
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether this service issued the token in this session.
    #[must_use]
    pub fn is_genuine(&self, token: &RefreshToken, session: &Session) -> bool {
        let (head, mac) = token.bytes.split_at(HEAD_BYTES);
        let expected = self.mac(head, &session.salt);
        token.session_id == session.id
            && head[1..5] == self.id
            && constant_time::verify_slices_are_equal(expected.as_ref(), mac).is_ok()
    }

    fn mac(&self, head: &[u8], salt: &[u8; 16]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(salt);
        context.update(head);
        context.sign()
    }
}

impl RefreshToken {
    /// Reads a token; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // 82 letters encode 61 bytes; anything longer is no token of ours.
        let encoded = text.strip_prefix(PREFIX).filter(|e| e.len() == 82)?;
        let bytes: [u8; TOKEN_BYTES] = URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()?;
        if bytes[0] != VERSION {
            return None;
        }
        let session_id = SessionId::from_bytes(bytes[5..21].try_into().ok()?);
        let generation = Generation::from_be_bytes(bytes[21..29].try_into().ok()?);
        Some(Self {
            session_id,
            generation,
            bytes,
        })
    }

    /// The session that it names.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// The generation that it claims to be.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

impl fmt::Debug for RefreshTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshTokenKey(..)")
    }
}
