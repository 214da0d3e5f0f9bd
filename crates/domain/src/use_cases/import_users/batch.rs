//! What becomes of the users of a batch, each at its place.

use super::candidates::{Candidate, Candidates};
use crate::application::{Application, check_attributes};
use crate::error::{Error, Refusal};
use crate::model::{ImportedUser, UserId};
use crate::ports::Clock as _;

/// What has become of a user of the batch.
#[derive(Debug, Clone)]
pub enum ImportOutcome {
    /// It is here now, by this id; in a dry run it would be.
    Imported(Option<UserId>),
    /// It was here before, by this id, and stays as it is.
    AlreadyThere(UserId),
    /// It is not here, and why.
    Refused(ImportRefusal),
}

/// Why a user is not imported.
#[derive(Debug, Clone)]
pub struct ImportRefusal {
    /// The reason: [`Error::Invalid`] or [`Error::Refused`].
    pub error: Error,
    /// The field that it is about, where the reason does not say.
    pub field: Option<String>,
}

/// The outcomes of a batch, as far as they are known.
#[derive(Debug)]
pub(super) struct Batch {
    users: Vec<Option<ImportedUser>>,
    outcomes: Vec<Option<ImportOutcome>>,
}

impl Batch {
    /// A batch of which those are settled whose fields are wrong.
    pub(super) fn new(users: Vec<Result<ImportedUser, Error>>) -> Self {
        let mut batch = Self {
            users: Vec::with_capacity(users.len()),
            outcomes: Vec::with_capacity(users.len()),
        };
        for user in users {
            let (user, outcome) = match user {
                Ok(user) => (Some(user), None),
                Err(error) => {
                    let refusal = ImportRefusal { error, field: None };
                    (None, Some(ImportOutcome::Refused(refusal)))
                }
            };
            batch.users.push(user);
            batch.outcomes.push(outcome);
        }
        batch
    }

    pub(super) fn settle(&mut self, index: usize, outcome: ImportOutcome) {
        self.outcomes[index] = Some(outcome);
    }

    pub(super) fn refuse(&mut self, index: usize, error: Error, field: String) {
        let field = Some(field);
        let refusal = ImportRefusal { error, field };
        self.settle(index, ImportOutcome::Refused(refusal));
    }

    /// Those who are not settled, if their groups are there and know no other of their
    /// attributes, each once.
    pub(super) fn candidates(&mut self, app: &Application) -> Result<Candidates, Error> {
        let users = std::mem::take(&mut self.users).into_iter().enumerate();
        let users = users.filter_map(|(index, user)| Some((index, user?)));
        let mut candidates = Candidates::default();
        let (now, wait) = (app.clock.now(), app.settings.users.rejoin_wait);
        for (index, user) in users {
            match app.groups.named(&user.group) {
                Ok(rules) => {
                    let attributes = &user.profile.attributes;
                    let known = rules.profile_attributes();
                    if let Err(error) = check_attributes(attributes, known) {
                        let refusal = ImportRefusal { error, field: None };
                        self.settle(index, ImportOutcome::Refused(refusal));
                        continue;
                    }
                }
                Err(error @ Error::Refused(Refusal::Group)) => {
                    self.refuse(index, error, "group_id".into());
                    continue;
                }
                Err(error) => return Err(error),
            }
            let candidate = Candidate::new(index, user, now, wait);
            if let Err((field, refusal)) = candidates.add(candidate) {
                self.refuse(index, refusal.into(), field);
            }
        }
        Ok(candidates.in_order())
    }

    /// Tells of those who are here, and leaves the others.
    pub(super) async fn settle_known(
        &mut self,
        app: &Application,
        candidates: &mut Candidates,
    ) -> Result<(), Error> {
        for group in candidates.groups() {
            let ids: Vec<_> = candidates.of(&group).map(Candidate::external_id).collect();
            let known = app.store.users_by_external_ids(&group, &ids).await?;
            if known.is_empty() {
                continue;
            }
            candidates.retain(|candidate| {
                let id = known.get(candidate.external_id());
                match id.filter(|_| candidate.user.group == group) {
                    Some(id) => {
                        self.settle(candidate.index, ImportOutcome::AlreadyThere(*id));
                        false
                    }
                    None => true,
                }
            });
        }
        Ok(())
    }

    /// The outcomes, in the order of the users.
    pub(super) fn finish(self) -> Vec<ImportOutcome> {
        let all: Vec<_> = self.outcomes.into_iter().flatten().collect();
        let (mut imported, mut already_there, mut refused) = (0_usize, 0_usize, 0_usize);
        for outcome in &all {
            match outcome {
                ImportOutcome::Imported(_) => imported += 1,
                ImportOutcome::AlreadyThere(_) => already_there += 1,
                ImportOutcome::Refused(_) => refused += 1,
            }
        }
        tracing::debug!(imported, already_there, refused, "a batch of users");
        all
    }
}
