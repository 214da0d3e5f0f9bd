//! Pages of a list (AIP-158).

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
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| RULE)?;
        let id = bytes.strip_prefix(b"g").ok_or(RULE)?;
        if id.is_empty() || id.len() > Self::MAX_BYTES {
            return Err(RULE);
        }
        let id = String::from_utf8(id.to_vec()).map_err(|_| RULE)?;
        Ok(Some(Self(id)))
    }

    /// The token as text.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("g{}", self.0))
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
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| RULE)?;
        let id = bytes.strip_prefix(b"s").ok_or(RULE)?;
        let id: [u8; 16] = id.try_into().map_err(|_| RULE)?;
        Ok(Some(Self(ServiceAccountId::from_bytes(id))))
    }

    /// The token as text.
    #[must_use]
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode([&b"s"[..], self.0.as_bytes()].concat())
    }
}
