//! Links: their tokens cannot be guessed, so no budget is charged for a wrong
//! one, and nobody spends anybody else's.

use super::Verifications;
use super::keys::link_key;
use crate::error::{Error, Refusal};
use crate::model::{LinkToken, Proof, VerificationRecord};

impl Verifications {
    /// The verification of a link that is still good. It stays so.
    pub(crate) async fn find_link(&self, token: &LinkToken) -> Result<VerificationRecord, Error> {
        let sealed = self.ephemeral.get(&link_key(token.id())).await?;
        let record = self.open(token.id(), &sealed.ok_or(Refusal::Verification)?)?;
        let digest = token.digest(&self.records.codes);
        match record.link {
            Some(kept) if kept.matches(&digest) => self.alive(record),
            Some(_) | None => Err(Refusal::Verification.into()),
        }
    }

    /// Exchanges a link for a proof: of many who try at once, one succeeds. A
    /// token that is not right ends before anything is charged.
    pub(crate) async fn exchange_link(&self, token: &LinkToken) -> Result<Proof, Error> {
        let id = self.find_link(token).await?.id;
        let new = self.new_proof(id);
        let (key, exchange) = (link_key(id), self.exchange_for(&new));
        let digest = token.digest(&self.records.codes);
        let compared = self.records.compare(
            &key,
            digest.as_bytes(),
            Some(exchange),
            Refusal::Verification,
        );
        compared.await?;
        Ok(new.proof)
    }

    /// The budget of the wrong tokens of all links: its name. It is never
    /// charged.
    pub(super) fn wrong_tokens(&self) -> String {
        self.limits.name("link-tries", &[])
    }
}
