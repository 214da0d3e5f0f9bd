//! An account at a provider, as it was shown: by what a browser brought back, or by a token.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{Email, ProviderEmail, ProviderId, ProviderSecret, ProviderSubject};

/// Whom a provider has authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedAccount {
    /// Which provider.
    pub provider: ProviderId,
    /// Who it is there.
    pub subject: ProviderSubject,
    /// The person's e-mail address, as it was sent.
    pub email: Option<ProviderEmail>,
    /// The person's name.
    pub name: Option<String>,
    /// What takes the consent back.
    pub refresh_token: Option<ProviderSecret>,
}

/// What came back with a browser.
#[derive(Debug)]
pub struct FederatedCallback {
    /// What the browser kept.
    pub sign_in: SealedText,
    /// `state`.
    pub state: String,
    /// `code`.
    pub code: Option<ProviderSecret>,
    /// `iss`.
    pub issuer: Option<String>,
    /// `error`: whatever else there is is not looked at.
    pub error: Option<String>,
    /// `user`.
    pub user: Option<String>,
}

/// What this server has sealed and handed out, in base64url. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedText(Zeroizing<String>);

impl FederatedAccount {
    /// The person's address, if it is one that can be used here.
    #[must_use]
    pub fn email(&self) -> Option<Email> {
        let email = self.email.as_ref()?;
        Email::parse(&email.address).ok()
    }

    /// The person's address, if the provider answers for it.
    #[must_use]
    pub fn verified_email(&self) -> Option<Email> {
        let is_verified = self.email.as_ref().is_some_and(|email| email.is_verified);
        self.email().filter(|_| is_verified)
    }
}

impl SealedText {
    /// The most bytes that one has.
    pub const MAX_LEN: usize = 4096;

    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A text as it came back.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let fits = (1..=Self::MAX_LEN).contains(&text.len());
        match fits && text.bytes().all(is_base64url) {
            true => Ok(Self::new(text)),
            false => Err("must be what this server handed out"),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SealedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedText(..)")
    }
}
