//! Somebody who changes addresses, and what comes of it.

use countersign_domain::Error;
use countersign_domain::application::Tokens;
use countersign_domain::model::{
    Address, GroupId, IdentifierChangeKind, Locale, Proof, Purpose, UndoToken, UserId,
};
use countersign_domain::ports::Content;
use countersign_domain::testing::{World, address, send_code, sign_in};
use countersign_domain::use_cases::{
    AddIdentifier, ChangeIdentifier, CheckCode, Grant, IssueTokens, ListIdentifiers,
    ListedIdentifiers, RemoveIdentifier, SendCode, UndoIdentifierChange, Which,
};

pub(super) const EMAIL: &str = "mina@example.com";
pub(super) const NEW: &str = "new@example.com";
pub(super) const OTHER: &str = "juno@example.com";
pub(super) const PASSWORD: &str = "a long enough phrase";

/// Somebody who has just signed in.
pub(super) struct Mina {
    pub(super) world: World,
    pub(super) id: UserId,
    pub(super) tokens: Tokens,
}

impl Mina {
    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let id = world.user(EMAIL, PASSWORD).await;
        world.take_sent().await;
        let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
        Self { world, id, tokens }
    }

    pub(super) async fn signed_in_anew(self, email: &str) -> Self {
        let tokens = self.world.sign_in(email, PASSWORD).await;
        Self {
            tokens: tokens.expect("signed in"),
            ..self
        }
    }

    pub(super) fn access_token(&self) -> String {
        self.tokens.access_token.clone()
    }

    /// A proof of an address, for this person.
    pub(super) async fn prove(&self, email: &str) -> Proof {
        let proof = prove_for(&self.world, &self.access_token(), email).await;
        proof.expect("a proof")
    }

    pub(super) async fn change(&self, replaced: &str, proof: Proof) -> Result<Address, Error> {
        change(&self.world, &self.access_token(), replaced, proof).await
    }

    /// Changes the first address.
    pub(super) async fn change_to(&self, email: &str) -> Result<Address, Error> {
        let proof = self.prove(email).await;
        self.change(EMAIL, proof).await
    }

    pub(super) async fn add_proven(&self, proof: Proof) -> Result<Address, Error> {
        AddIdentifier {
            access_token: self.access_token(),
            proof,
            locale: Locale::English,
        }
        .execute(&self.world.app)
        .await
    }

    pub(super) async fn add(&self, email: &str) -> Result<Address, Error> {
        let proof = self.prove(email).await;
        self.add_proven(proof).await
    }

    pub(super) async fn remove(&self, email: &str) -> Result<(), Error> {
        RemoveIdentifier {
            access_token: self.access_token(),
            address: address(email),
            locale: Locale::English,
        }
        .execute(&self.world.app)
        .await
    }

    pub(super) async fn list(&self) -> ListedIdentifiers {
        let list = ListIdentifiers {
            access_token: self.access_token(),
        };
        list.execute(&self.world.app).await.expect("listed")
    }

    /// Who was told of changes, of what kind, in the order of the addresses.
    pub(super) async fn told(&self) -> Vec<(String, &'static str)> {
        let sent = self.world.take_sent().await.into_iter();
        let mut told: Vec<_> = sent
            .filter_map(|message| {
                let kind = match message.content {
                    Content::IdentifierChanged { kind, .. } => match kind {
                        IdentifierChangeKind::Added => "added",
                        IdentifierChangeKind::Changed => "changed",
                        IdentifierChangeKind::Removed => "removed",
                    },
                    Content::IdentifierChangeUndone => "undone",
                    _ => return None,
                };
                Some((message.to.as_str().to_owned(), kind))
            })
            .collect();
        told.sort();
        told
    }

    /// The token of the notice that an address got last.
    pub(super) async fn undo_token(&self, email: &str) -> UndoToken {
        let to = address(email);
        let sent = self.world.take_sent().await.into_iter().rev();
        let mut tokens =
            sent.filter(|message| message.to == to)
                .filter_map(|message| match message.content {
                    Content::IdentifierChanged { token, .. } => Some(token),
                    _ => None,
                });
        tokens.next().expect("a notice came")
    }

    pub(super) async fn undo(&self, token: &UndoToken) -> Result<(), Error> {
        undo_in(&self.world, GroupId::fallback(), token).await
    }
}

/// Undoes a change in a group.
pub(super) async fn undo_in(world: &World, group: GroupId, token: &UndoToken) -> Result<(), Error> {
    UndoIdentifierChange {
        group,
        token: token.clone(),
        locale: Locale::English,
    }
    .execute(&world.app)
    .await
}

/// A proof of an address for the person of an access token, by a code of the
/// gateway's own: notices that were sent stay where they are.
pub(super) async fn prove_for(
    world: &World,
    access_token: &str,
    email: &str,
) -> Result<Proof, Error> {
    let code = || countersign_domain::model::Code::parse("135790".into()).expect("a code");
    let send = SendCode {
        access_token: Some(access_token.to_owned()),
        code: Some(code()),
        ..send_code(email, Purpose::ChangeIdentifier)
    };
    let sent = send.execute(&world.app).await?;
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code: code(),
    };
    let checked = check.execute(&world.app).await?;
    Ok(checked.proof)
}

pub(super) async fn change(
    world: &World,
    access_token: &str,
    replaced: &str,
    proof: Proof,
) -> Result<Address, Error> {
    ChangeIdentifier {
        access_token: access_token.to_owned(),
        replaced: address(replaced),
        proof,
        locale: Locale::English,
    }
    .execute(&world.app)
    .await
}

/// Signs in with a proof.
pub(super) async fn sign_in_proven(world: &World, proof: Proof) -> Result<Tokens, Error> {
    let issue = IssueTokens {
        grant: Grant::VerifiedCode(proof),
        ..sign_in(EMAIL, PASSWORD)
    };
    Ok(issue.execute(&world.app).await?.into_tokens())
}
