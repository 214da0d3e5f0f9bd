//! What a person asks about addresses, and the notices of changes.

use countersign_domain::testing::reference::{Answer, Call};
use countersign_proto::v1;
use countersign_tests::undo_token_of;
use tonic::Status;

use crate::server::Server;
use crate::texts::group;

impl Server<'_> {
    pub(crate) async fn answer_about_addresses(&mut self, call: &Call) -> Result<Answer, Status> {
        let mut users = self.any(0).users();
        let before = self.addresses_before(call).await;
        match call.clone() {
            Call::AddIdentifier { token, proof } => {
                let request = v1::AddIdentifierRequest {
                    access_token: token,
                    proof,
                };
                users.add_identifier(request).await?;
            }
            Call::ChangeIdentifier {
                token,
                replaced,
                proof,
            } => {
                let request = v1::ChangeIdentifierRequest {
                    access_token: token,
                    identifier: self.people.at(replaced),
                    proof,
                };
                users.change_identifier(request).await?;
            }
            Call::RemoveIdentifier { token, address } => {
                let request = v1::RemoveIdentifierRequest {
                    access_token: token,
                    identifier: self.people.at(address),
                };
                users.remove_identifier(request).await?;
            }
            Call::UndoIdentifierChange { group, undo } => {
                let group = self::group(group);
                self.home().undo_identifier_change(&group, &undo).await?;
                return Ok(Answer::Done);
            }
            Call::ListIdentifiers { token } => {
                let (addresses, undoable) = self.listed(token).await?;
                return Ok(Answer::Identifiers {
                    addresses,
                    undoable,
                });
            }
            other => return Err(Status::internal(format!("{other:?} is not asked here"))),
        }
        // It comes to all of them.
        let mut undo = String::new();
        for address in &before {
            let link = self.world.read_link(&self.people.masked(*address)).await;
            undo = undo_token_of(&link).to_owned();
        }
        Ok(Answer::Changed { told: before, undo })
    }

    /// The addresses of a person who is about to change them.
    async fn addresses_before(&mut self, call: &Call) -> Vec<u8> {
        let (Call::AddIdentifier { token, .. }
        | Call::ChangeIdentifier { token, .. }
        | Call::RemoveIdentifier { token, .. }) = call
        else {
            return Vec::new();
        };
        let listed = self.listed(token.clone()).await;
        listed.map(|(addresses, _)| addresses).unwrap_or_default()
    }

    async fn listed(&mut self, access_token: String) -> Result<(Vec<u8>, usize), Status> {
        let request = v1::ListIdentifiersRequest { access_token };
        let listed = self.any(0).users().list_identifiers(request).await?;
        let listed = listed.into_inner();
        let addresses = listed.identifiers.into_iter();
        let addresses = addresses.map(|address| self.people.number(&address));
        Ok((addresses.collect(), listed.undoable_changes.len()))
    }

    /// Whether somebody has an address now: messages are sent to no others.
    pub(crate) async fn is_owned(&self, group: u8, address: u8) -> bool {
        self.is_owned_by(group, address, "").await
    }

    /// The same of somebody who is not suspended.
    pub(crate) async fn is_active(&self, group: u8, address: u8) -> bool {
        let and_active = "AND user_id IN (SELECT id FROM users WHERE blocked IS NULL)";
        self.is_owned_by(group, address, and_active).await
    }

    async fn is_owned_by(&self, group: u8, address: u8, and: &str) -> bool {
        let (kind, value) = match self.people.at(address).and_then(|at| at.value) {
            Some(v1::identifier::Value::Phone(phone)) => ("phone", phone),
            Some(v1::identifier::Value::Email(email)) => ("email", email),
            other => panic!("{other:?} is no address"),
        };
        let group = match self::group(group) {
            group if group.is_empty() => "default".to_owned(),
            group => group,
        };
        let query = format!(
            "SELECT 'owned' FROM identifiers \
             WHERE group_id = '{group}' AND kind = '{kind}' AND value = '{value}' {and}"
        );
        !self.world.texts(&query).await.is_empty()
    }
}
