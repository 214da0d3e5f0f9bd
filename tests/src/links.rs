//! Links in place of codes: how a gateway asks for one, and what the page that it
//! leads to does.

use countersign_proto::v1;
use countersign_proto::v1::check_code_request::Verification;
use tonic::Status;

use crate::gateway::Gateway;

/// Where links lead. A world that sends links has it in
/// `verification.link_prefixes`.
pub const LINK_PREFIX: &str = "https://shop.example/confirm?lang=ko";

/// The token in a link, as the page reads it.
///
/// # Panics
/// If it leads elsewhere.
#[must_use]
pub fn token_of(link: &str) -> &str {
    link.strip_prefix(LINK_PREFIX)
        .and_then(|end| end.strip_prefix('#'))
        .unwrap_or_else(|| panic!("{link} leads elsewhere"))
}

impl Gateway {
    /// Sends a link, and returns the verification.
    ///
    /// # Errors
    /// The server's.
    pub async fn send_link(
        &self,
        to: v1::Identifier,
        purpose: v1::Purpose,
    ) -> Result<String, Status> {
        self.ask_for_code(v1::SendCodeRequest {
            identifier: Some(to),
            purpose: purpose.into(),
            link_prefix: LINK_PREFIX.into(),
            ..Default::default()
        })
        .await
    }

    /// Sends a link to reset the password, and returns the verification.
    ///
    /// # Errors
    /// The server's.
    pub async fn send_reset_link(&self, to: v1::Identifier) -> Result<String, Status> {
        self.ask_for_reset(v1::StartPasswordResetRequest {
            identifier: Some(to),
            link_prefix: LINK_PREFIX.into(),
            ..Default::default()
        })
        .await
    }

    /// Exchanges the token of a link for a proof.
    ///
    /// # Errors
    /// The server's.
    pub async fn check_link(&self, token: &str) -> Result<String, Status> {
        let request = v1::CheckCodeRequest {
            verification: Some(Verification::LinkToken(token.into())),
            code: String::new(),
        };
        let checked = self.verifications().check_code(request).await?;
        Ok(checked.into_inner().proof)
    }

    /// Looks at the verification of a link.
    ///
    /// # Errors
    /// The server's.
    pub async fn verification_of_link(&self, token: &str) -> Result<v1::Verification, Status> {
        let request = v1::GetVerificationRequest {
            link_token: token.into(),
            ..Default::default()
        };
        let shown = self.verifications().get_verification(request).await?;
        let shown = shown.into_inner().verification;
        shown.ok_or_else(|| Status::internal("no verification"))
    }
}
