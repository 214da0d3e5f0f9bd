//! What the authenticator says (Web Authentication, 6.1).

use minicbor::Decoder;

use super::cbor::{Malformed, end, skip_map};
use super::fault::PasskeyFault;
use super::public_key::PublicKey;
use super::relying_party::RelyingParty;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;
/// The longest credential id that there may be.
const LONGEST_ID: usize = 1023;

/// Authenticator data, with the bytes that are signed.
pub(super) struct AuthenticatorData {
    pub(super) bytes: Vec<u8>,
    flags: u8,
    pub(super) counter: u32,
    /// The credential that was made, if one was.
    pub(super) made: Option<Made>,
}

/// A credential that was made.
pub(super) struct Made {
    pub(super) id: Vec<u8>,
    pub(super) key: PublicKey,
}

impl AuthenticatorData {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let (head, rest) = bytes.split_at_checked(37).ok_or(Malformed)?;
        let flags = head[32];
        let counter = head[33..].try_into().map_err(|_| Malformed)?;
        let (made, rest) = match flags & HAS_CREDENTIAL {
            0 => (None, rest),
            _ => {
                let (made, rest) = made(rest)?;
                (Some(made), rest)
            }
        };
        let mut extensions = Decoder::new(rest);
        if flags & HAS_EXTENSIONS != 0 {
            skip_map(&mut extensions)?;
        }
        end(&extensions)?;
        Ok(Self {
            flags,
            counter: u32::from_be_bytes(counter),
            made,
            bytes,
        })
    }

    pub(super) fn is_user_verified(&self) -> bool {
        self.flags & USER_VERIFIED != 0
    }

    pub(super) fn check(&self, relying_party: &RelyingParty) -> Result<(), PasskeyFault> {
        if !relying_party.has_hash(&self.bytes[..32]) {
            return Err(PasskeyFault::RelyingParty);
        }
        if self.flags & USER_PRESENT == 0 {
            return Err(PasskeyFault::UserAbsent);
        }
        if self.flags & (BACKUP_ELIGIBLE | BACKED_UP) == BACKED_UP {
            return Err(PasskeyFault::BackupState);
        }
        Ok(())
    }
}

/// The credential that stands first in `bytes`, and what comes after it.
fn made(bytes: &[u8]) -> Result<(Made, &[u8]), Malformed> {
    // The make of the authenticator, and how long the id is.
    let (head, rest) = bytes.split_at_checked(18).ok_or(Malformed)?;
    let length = usize::from(u16::from_be_bytes([head[16], head[17]]));
    if !(1..=LONGEST_ID).contains(&length) {
        return Err(Malformed);
    }
    let (id, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
    let (key, rest) = PublicKey::read(rest)?;
    let id = id.to_vec();
    Ok((Made { id, key }, rest))
}
