//! What a person asks about the addresses of the account.

use countersign_proto::v1;
use tonic::Status;

use crate::gateway::{Gateway, email, phone};
use crate::person::Person;

/// The page to which links of notices lead. A world whose people undo changes has it
/// in `identifiers.undo_link`.
pub const UNDO_LINK: &str = "https://shop.example/undo";

/// The token in the link of a notice, as the page reads it.
///
/// # Panics
/// If it leads elsewhere.
#[must_use]
pub fn undo_token_of(link: &str) -> &str {
    link.strip_prefix(UNDO_LINK)
        .and_then(|end| end.strip_prefix('#'))
        .unwrap_or_else(|| panic!("{link} leads elsewhere"))
}

impl Person {
    /// Proves an address to change to, with a code of the gateway's own.
    ///
    /// # Errors
    /// The server's.
    pub async fn prove_new(&self, tokens: &v1::Tokens, address: &str) -> Result<String, Status> {
        let request = v1::SendCodeRequest {
            identifier: Some(email(address)),
            purpose: v1::Purpose::ChangeIdentifier.into(),
            code: "123456".into(),
            access_token: tokens.access_token.clone(),
            ..Default::default()
        };
        let id = self.gateway.ask_for_code(request).await?;
        self.gateway.check_code(&id, "123456").await
    }

    /// Lists the addresses.
    ///
    /// # Errors
    /// The server's.
    pub async fn identifiers(
        &self,
        tokens: &v1::Tokens,
    ) -> Result<v1::ListIdentifiersResponse, Status> {
        let request = v1::ListIdentifiersRequest {
            access_token: tokens.access_token.clone(),
        };
        let listed = self.gateway.users().list_identifiers(request).await?;
        Ok(listed.into_inner())
    }

    /// Adds the address of a proof.
    ///
    /// # Errors
    /// The server's.
    pub async fn add_identifier(&self, tokens: &v1::Tokens, proof: &str) -> Result<(), Status> {
        let request = v1::AddIdentifierRequest {
            access_token: tokens.access_token.clone(),
            proof: proof.into(),
        };
        let added = self.gateway.users().add_identifier(request).await;
        added.map(drop)
    }

    /// Puts the address of a proof in the place of another.
    ///
    /// # Errors
    /// The server's.
    pub async fn change_identifier(
        &self,
        tokens: &v1::Tokens,
        replaced: &str,
        proof: &str,
    ) -> Result<(), Status> {
        let request = v1::ChangeIdentifierRequest {
            access_token: tokens.access_token.clone(),
            identifier: Some(email(replaced)),
            proof: proof.into(),
        };
        let changed = self.gateway.users().change_identifier(request).await;
        changed.map(drop)
    }

    /// Removes an address.
    ///
    /// # Errors
    /// The server's.
    pub async fn remove_identifier(
        &self,
        tokens: &v1::Tokens,
        address: &str,
    ) -> Result<(), Status> {
        let identifier = match address.contains('@') {
            true => email(address),
            false => phone(address),
        };
        let request = v1::RemoveIdentifierRequest {
            access_token: tokens.access_token.clone(),
            identifier: Some(identifier),
        };
        let removed = self.gateway.users().remove_identifier(request).await;
        removed.map(drop)
    }
}

impl Gateway {
    /// Undoes a change by the token of its notice, in a group, `default` if empty.
    ///
    /// # Errors
    /// The server's.
    pub async fn undo_identifier_change(&self, group: &str, token: &str) -> Result<(), Status> {
        let request = v1::UndoIdentifierChangeRequest {
            group_id: group.into(),
            undo_token: token.into(),
        };
        let undone = self.users().undo_identifier_change(request).await;
        undone.map(drop)
    }
}
