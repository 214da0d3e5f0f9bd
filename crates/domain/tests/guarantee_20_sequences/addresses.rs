//! Questions about the addresses of a person.

use countersign_domain::Error;
use countersign_domain::model::{Locale, UndoToken};
use countersign_domain::ports::Content;
use countersign_domain::testing::reference::{Answer, Call};
use countersign_domain::use_cases::{
    AddIdentifier, ChangeIdentifier, ListIdentifiers, RemoveIdentifier, UndoIdentifierChange,
};

use crate::application::Application;
use crate::texts;

impl Application {
    pub(crate) async fn answer_about_addresses(&self, call: &Call) -> Result<Answer, Error> {
        let app = &self.world.app;
        let locale = Locale::English;
        match call.clone() {
            Call::AddIdentifier { token, proof } => {
                let add = AddIdentifier {
                    access_token: token,
                    proof: texts::proof(proof),
                    locale,
                };
                add.execute(app).await?;
            }
            Call::ChangeIdentifier {
                token,
                replaced,
                proof,
            } => {
                let change = ChangeIdentifier {
                    access_token: token,
                    replaced: texts::at(replaced),
                    proof: texts::proof(proof),
                    locale,
                };
                change.execute(app).await?;
            }
            Call::RemoveIdentifier { token, address } => {
                let remove = RemoveIdentifier {
                    access_token: token,
                    address: texts::at(address),
                    locale,
                };
                remove.execute(app).await?;
            }
            Call::UndoIdentifierChange { group, undo } => {
                let undo = UndoIdentifierChange {
                    group: texts::group(group),
                    token: UndoToken::parse(&undo).expect("a token"),
                    locale,
                };
                undo.execute(app).await?;
                return Ok(Answer::Done);
            }
            Call::ListIdentifiers { token } => {
                let list = ListIdentifiers {
                    access_token: token,
                };
                let listed = list.execute(app).await?;
                return Ok(Answer::Identifiers {
                    addresses: listed.addresses.iter().map(texts::number).collect(),
                    undoable: listed.undoable.len(),
                });
            }
            other => panic!("{other:?} is not about addresses"),
        }
        Ok(self.changed().await)
    }

    /// Who was told of a change, and by what it is undone.
    async fn changed(&self) -> Answer {
        let (mut told, mut undo) = (Vec::new(), String::new());
        for message in self.world.take_sent().await {
            if let Content::IdentifierChanged { token, .. } = message.content {
                told.push(texts::number(&message.to));
                undo = token.expose().to_string();
            }
        }
        Answer::Changed { told, undo }
    }
}
