//! Pages of a list (AIP-158).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::{ServiceAccountId, SessionId};

/// How many items a page has: 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(u32);

/// Where a page starts: after this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken(pub SessionId);

/// Where a page of groups starts: after the group with this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPageToken(pub String);

/// Where a page of service accounts starts: after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceAccountPageToken(pub ServiceAccountId);

impl PageSize {
    /// Reads a size; 0 means 20, and more than 100 means 100.
    ///
    /// # Errors
    /// What a page size must be, if it is negative.
    pub fn parse(size: i32) -> Result<Self, &'static str> {
        match u32::try_from(size) {
            Ok(0) => Ok(Self(20)),
            Ok(size) => Ok(Self(size.min(100))),
            Err(_) => Err("must not be negative"),
        }
    }

    /// The number of items.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

/// How many bytes of a token tell whether the rest of it is whole.
const CHECK_BYTES: usize = 4;

/// The token of a place of any length: one that was cut or changed tells no other place.
pub(super) fn to_token(place: &[u8]) -> String {
    let check = digest(&SHA256, place);
    URL_SAFE_NO_PAD.encode([place, &check.as_ref()[..CHECK_BYTES]].concat())
}

/// The place of a token, if it is whole.
pub(super) fn place_of(token: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let check = bytes.split_off(bytes.len().checked_sub(CHECK_BYTES)?);
    let is_whole = digest(&SHA256, &bytes).as_ref().starts_with(&check);
    is_whole.then_some(bytes)
}

/// What a page token must be.
const RULE: &str = "must be the next_page_token of an earlier answer";

impl GroupPageToken {
    /// The most bytes of the id in a token.
    const MAX_BYTES: usize = 256;

    /// Reads a token; an empty one is the first page.
    ///
    /// # Errors
    /// What a page token must be, if this is none.
    pub fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        if text.is_empty() {
            return Ok(None);
        }
        let place = place_of(text).ok_or(RULE)?;
        let id = place.strip_prefix(b"g").ok_or(RULE)?;
        if id.is_empty() || id.len() > Self::MAX_BYTES {
            return Err(RULE);
        }
        let id = String::from_utf8(id.to_vec()).map_err(|_| RULE)?;
        Ok(Some(Self(id)))
    }

    /// The token as text.
    #[must_use]
    pub fn encode(&self) -> String {
        to_token(format!("g{}", self.0).as_bytes())
    }
}

impl PageToken {
    /// Reads a token; an empty one is the first page.
    ///
    /// # Errors
    /// What a page token must be, if this is none.
    pub fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        if text.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| RULE)?;
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| RULE)?;
        Ok(Some(Self(SessionId::from_bytes(bytes))))
    }

    /// The token as text.
    #[must_use]
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_bytes())
    }
}

impl ServiceAccountPageToken {
    /// Reads a token; an empty one is the first page.
    ///
    /// # Errors
    /// What a page token must be, if this is none.
    pub fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        if text.is_empty() {
            return Ok(None);
        }
        let place = place_of(text).ok_or(RULE)?;
        let id = place.strip_prefix(b"s").ok_or(RULE)?;
        let id: [u8; 16] = id.try_into().map_err(|_| RULE)?;
        Ok(Some(Self(ServiceAccountId::from_bytes(id))))
    }

    /// The token as text.
    #[must_use]
    pub fn encode(self) -> String {
        to_token(&[&b"s"[..], self.0.as_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_groups_that_is_cut_or_changed_is_none() {
        let token = GroupPageToken("south-shore".into());
        let text = token.encode();
        assert_eq!(GroupPageToken::parse(&text), Ok(Some(token)));
        for end in 1..text.len() {
            assert!(GroupPageToken::parse(&text[..end]).is_err(), "{end}");
            let mut changed = text.clone().into_bytes();
            changed[end] = if changed[end] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(GroupPageToken::parse(&changed).is_err(), "{changed}");
        }
    }
}
