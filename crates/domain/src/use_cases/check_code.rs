//! Exchanging the right code, or a link, for a proof.

use crate::application::Application;
use crate::error::Error;
use crate::model::{Address, Code, GroupId, LinkToken, Proof, Purpose, Timestamp, VerificationId};
use crate::ports::Clock as _;

/// Somebody types a code.
#[derive(Debug)]
pub struct CheckCode {
    /// Of which verification.
    pub which: Which,
    /// What was typed.
    pub code: Code,
}

/// Somebody confirms on the page that a link led to.
#[derive(Debug)]
pub struct CheckLink {
    /// What stood behind `#` in the link.
    pub token: LinkToken,
}

/// How a verification is named.
#[derive(Debug)]
pub enum Which {
    /// By its id.
    Id(VerificationId),
    /// The latest one of an address and purpose.
    Latest(GroupId, Address, Purpose),
}

/// The code or the link was right.
#[derive(Debug)]
pub struct CheckedCode {
    /// The proof.
    pub proof: Proof,
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
}

impl CheckCode {
    /// Checks the code.
    ///
    /// # Errors
    /// A verification that is gone, a wrong code, too many tries.
    pub async fn execute(self, app: &Application) -> Result<CheckedCode, Error> {
        let id = match &self.which {
            Which::Id(id) => *id,
            Which::Latest(group, address, purpose) => {
                let latest = app.verifications.find_latest(group, address, *purpose);
                latest.await?.id
            }
        };
        let proof = app.verifications.exchange(id, &self.code).await?;
        Ok(CheckedCode::of(proof, app))
    }
}

impl CheckLink {
    /// Checks the link.
    ///
    /// # Errors
    /// A link that is gone, or never was.
    pub async fn execute(self, app: &Application) -> Result<CheckedCode, Error> {
        let proof = app.verifications.exchange_link(&self.token).await?;
        Ok(CheckedCode::of(proof, app))
    }
}

impl CheckedCode {
    fn of(proof: Proof, app: &Application) -> Self {
        let expires_at = app.clock.now().plus(app.settings.verification.proof_ttl);
        Self { proof, expires_at }
    }
}
