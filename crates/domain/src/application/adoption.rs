//! Adopting the users of an existing database, one by one, when they turn up.
//!
//! Who is known here is never looked up there: in place of that, nobody is, so that an
//! answer takes as long. Whoever was adopted stays known by the id from there, also
//! when the person was deleted here: what is changed here is not undone from there.

mod hashes;
mod new_user;
mod taken_over;

use std::sync::Arc;
use std::time::Duration;

use self::hashes::readable;
pub(crate) use self::hashes::storable;
pub(crate) use self::new_user::TakenOver;
use self::new_user::{Adopting, state};
use crate::application::{IdentifierUndos, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, AuditEvent, Email, ExistingUser, ExternalId, GroupId, HashFormat, Identifier,
    IdentifierKind, Origin, Phone, ProvenUser, User, UserId, UserState, Username,
    VerificationRecord, Withdrawal,
};
use crate::ports::{
    Account, Clock, ExistingUsers, ExistingUsersError, Holder, PasswordHasher, Random, Store,
    StoreError, UnitOfWork,
};

/// An existing database, and whose people are adopted from it.
#[derive(Clone)]
pub struct ExistingSource {
    /// The group that they are adopted into.
    pub group: GroupId,
    /// The database.
    pub users: Arc<dyn ExistingUsers>,
    /// How its hashes are to be read.
    pub format: HashFormat,
}

/// Adopts users.
pub struct Adoption {
    source: Option<ExistingSource>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    hasher: Arc<dyn PasswordHasher>,
    undos: Arc<IdentifierUndos>,
    rejoin_wait: Duration,
}

/// Whom an identifier names in the existing database.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nobody, or somebody who is known here by other identifiers.
    Nobody,
    /// Somebody who was adopted meanwhile.
    Adopted(Box<Account>),
    /// A user who is not adopted yet.
    User(Box<ExistingUser>),
    /// Rows that cannot be adopted.
    Unusable,
}

/// A user who was adopted, now or a moment ago.
pub(crate) struct Adopted {
    pub(crate) account: Account,
    /// Whether it was now, and the attempts are counted.
    pub(crate) is_new: bool,
}

impl Adoption {
    /// The version of the credentials of somebody who was adopted and has changed
    /// nothing since.
    const UNCHANGED: i64 = 1;

    pub(crate) fn new(
        source: Option<ExistingSource>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        hasher: Arc<dyn PasswordHasher>,
        undos: Arc<IdentifierUndos>,
        rejoin_wait: Duration,
    ) -> Self {
        Self {
            source,
            store,
            clock,
            random,
            hasher,
            undos,
            rejoin_wait,
        }
    }

    fn readable(&self, user: ExistingUser) -> ExistingUser {
        match &self.source {
            Some(source) => readable(&*self.hasher, source.format, user),
            None => user,
        }
    }

    fn state(&self, existing: &ExistingUser) -> UserState {
        state(existing, self.clock.now(), self.rejoin_wait)
    }

    /// The group that they are adopted into, if there are any.
    pub(crate) fn group(&self) -> Option<&GroupId> {
        self.source.as_ref().map(|source| &source.group)
    }

    fn source(&self, group: &GroupId) -> Option<&dyn ExistingUsers> {
        let source = self.source.as_ref();
        let source = source.filter(|source| source.group == *group)?;
        Some(&*source.users)
    }

    /// Whom an identifier names there that names nobody here. For one that does, nobody
    /// is looked up.
    ///
    /// # Errors
    /// Unavailable, if the existing database does not answer.
    pub(crate) async fn look_up(
        &self,
        group: &GroupId,
        identifier: &Identifier,
        is_known: bool,
    ) -> Result<Found, Error> {
        let Some(users) = self.source(group) else {
            return Ok(Found::Nobody);
        };
        let nobody = UserId::generate(self.clock.now(), &*self.random).to_string();
        let holder = match is_known {
            true => users.holder(&unused(identifier.kind(), &nobody)).await,
            false => users.holder(identifier).await,
        };
        let holder = holder.map_err(|error| unavailable(&error))?;
        let id = match &holder {
            Holder::User(user) => user.external_id.as_str(),
            Holder::Nobody | Holder::Unusable => &nobody,
        };
        let Ok(id) = ExternalId::parse(id) else {
            return Ok(Found::Unusable);
        };
        let known = self.store.user_by_external_id(group, &id).await?;
        // After that: whoever is known now was adopted before.
        let account = self.store.account_by_identifier(group, identifier).await?;
        if let Some(account) = account.filter(|_| !is_known) {
            return Ok(Found::Adopted(Box::new(account)));
        }
        Ok(match holder {
            Holder::User(user) if known.is_none() => Found::User(Box::new(self.readable(*user))),
            Holder::User(_) | Holder::Nobody => Found::Nobody,
            Holder::Unusable => Found::Unusable,
        })
    }

    /// What keeps a new user from an identifier that is nobody's here: that somebody
    /// holds it there. Who may join again is in nobody's way.
    ///
    /// # Errors
    /// Unavailable, if the existing database does not answer.
    pub(crate) async fn hindrance(
        &self,
        group: &GroupId,
        identifier: &Identifier,
        is_known: bool,
    ) -> Result<Option<Refusal>, Error> {
        let taken = match identifier.kind() {
            IdentifierKind::Username => Refusal::UsernameTaken,
            IdentifierKind::Email | IdentifierKind::Phone => Refusal::IdentifierTaken,
        };
        Ok(match self.look_up(group, identifier, is_known).await? {
            Found::Nobody => None,
            Found::Adopted(_) | Found::Unusable => Some(taken),
            Found::User(user) => match self.state(&user) {
                state if state.may_rejoin(self.clock.now()) => None,
                UserState::Withdrawn(_) if taken == Refusal::UsernameTaken => Some(taken),
                UserState::Withdrawn(withdrawal) => {
                    Some(Refusal::of_state(&UserState::Withdrawn(withdrawal)))
                }
                _ => Some(taken),
            },
        })
    }

    /// Refuses a new user an address or a user name that somebody holds there.
    ///
    /// # Errors
    /// Held there; or the existing database does not answer.
    pub(crate) async fn refuse_held(
        &self,
        group: &GroupId,
        identifiers: impl IntoIterator<Item = Identifier>,
    ) -> Result<(), Error> {
        if self.source(group).is_none() {
            return Ok(());
        }
        for identifier in identifiers {
            let known = self.store.account_by_identifier(group, &identifier).await?;
            let hindrance = self.hindrance(group, &identifier, known.is_some());
            if let Some(refusal) = hindrance.await? {
                return Err(refusal.into());
            }
        }
        Ok(())
    }

    /// Adopts a user whom an identifier was found to name, with what is taken over.
    /// `None` if somebody else has got the identifier meanwhile.
    ///
    /// # Errors
    /// One of the databases does not answer.
    pub(crate) async fn adopt(
        &self,
        group: &GroupId,
        found_by: &Identifier,
        existing: &ExistingUser,
        taken_over: TakenOver,
        origin: &Origin,
    ) -> Result<Option<Adopted>, Error> {
        let id = ExternalId::parse(&existing.external_id);
        let id = id.map_err(|rule| Error::Internal(format!("the id of a row {rule}")))?;
        let mut adopting = Adopting {
            group,
            id: &id,
            found_by,
            existing,
            state: self.state(existing),
            taken_over,
        };
        let mut repeats = Repeats::default();
        loop {
            if let Some(user) = self.store.user_by_external_id(group, &id).await? {
                let account = self.store.account(user.id).await?;
                let is_new = false;
                return Ok(account.map(|account| Adopted { account, is_new }));
            }
            match self.insert(&mut adopting, origin).await {
                Ok(None) => return Ok(None),
                Ok(Some(user)) => {
                    tracing::info!(user_id = %user, "a user of the existing database is adopted");
                    let account = self.store.account(user).await?;
                    let is_new = true;
                    return Ok(account.map(|account| Adopted { account, is_new }));
                }
                Err(error) if repeats.allow(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Adopts the user, if all goes well: `None` if the identifier is somebody's.
    async fn insert(
        &self,
        adopting: &mut Adopting<'_>,
        origin: &Origin,
    ) -> Result<Option<UserId>, Error> {
        let mut uow = self.store.begin().await?;
        let now = self.clock.now();
        let id = UserId::generate(now, &*self.random);
        if !adopting.insert(&mut *uow, &self.undos, id, now).await? {
            return Ok(None);
        }
        let event = AuditEvent::new(AuditAction::UserAdopted, origin.clone(), now, &*self.random);
        let event = event.on_user(id, adopting.group);
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(Some(id))
    }

    /// The user whom a proof is about: the one for whom the code was made, or one who is
    /// adopted because the address is proved to be his.
    ///
    /// # Errors
    /// One of the databases does not answer.
    pub(crate) async fn proven(
        &self,
        proved: &VerificationRecord,
        origin: &Origin,
    ) -> Result<Option<ProvenUser>, Error> {
        let Some(id) = proved.existing.as_deref() else {
            return Ok(proved.user);
        };
        let (Some(users), Ok(external_id)) = (self.source(&proved.group), ExternalId::parse(id))
        else {
            return Ok(None);
        };
        let known = self.store.user_by_external_id(&proved.group, &external_id);
        if let Some(user) = known.await? {
            // What was proved before a change of the credentials is worth nothing.
            let is_unchanged = user.credential_version == Self::UNCHANGED;
            return Ok(is_unchanged.then(|| ProvenUser::of(&user)));
        }
        let row = users
            .by_external_id(id)
            .await
            .map_err(|error| unavailable(&error))?;
        let address = proved.address.clone().into();
        let Some(Ok(existing)) = row.filter(|row| {
            row.as_ref()
                .is_ok_and(|user| user.identifiers.contains(&address))
        }) else {
            return Ok(None);
        };
        let existing = self.readable(existing);
        let group = &proved.group;
        let taken_over = self.take_over(group, &address, &existing).await?;
        let adopted = self.adopt(group, &address, &existing, taken_over, origin);
        let adopted = adopted.await?;
        Ok(adopted.map(|adopted| ProvenUser::of(&adopted.account.user)))
    }

    /// The user with an id from there, who is adopted if it is not here yet: somebody has
    /// shown what the old server gave to that user alone.
    ///
    /// # Errors
    /// One of the databases does not answer.
    pub(crate) async fn by_external_id(
        &self,
        group: &GroupId,
        id: &ExternalId,
        origin: &Origin,
    ) -> Result<Option<User>, Error> {
        let known = self.store.user_by_external_id(group, id).await?;
        let (Some(users), None) = (self.source(group), &known) else {
            return Ok(known);
        };
        let row = users.by_external_id(id.as_str()).await;
        let Some(Ok(existing)) = row.map_err(|error| unavailable(&error))? else {
            return Ok(None);
        };
        for identifier in &existing.identifiers {
            // One that other rows there, or somebody here, has is nobody's way in.
            let found = self.look_up(group, identifier, false).await?;
            if let Found::User(found) = found
                && found.external_id == existing.external_id
            {
                let taken_over = self.take_over(group, identifier, &found).await?;
                let adopted = self.adopt(group, identifier, &found, taken_over, origin);
                return Ok(adopted.await?.map(|adopted| adopted.account.user));
            }
        }
        // It may have been adopted meanwhile, for another token or a password.
        Ok(self.store.user_by_external_id(group, id).await?)
    }

    /// Keeps somebody who is deleted here from being adopted again: the row that is
    /// left has nothing but the id from there.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn keep_away(
        &self,
        uow: &mut dyn UnitOfWork,
        deleted: &User,
    ) -> Result<(), StoreError> {
        let (Some(id), Some(_)) = (&deleted.external_id, self.source(&deleted.group)) else {
            return Ok(());
        };
        let now = self.clock.now();
        let user_id = UserId::generate(now, &*self.random);
        let mut left = User::active(user_id, deleted.group.clone(), now);
        left.external_id = Some(id.clone());
        left.state = UserState::Withdrawn(Withdrawal {
            at: now,
            rejoin_at: now,
            erased: true,
        });
        uow.insert_user(&left).await
    }
}

/// An identifier that is in no table.
fn unused(kind: IdentifierKind, nobody: &str) -> Identifier {
    let email = || Email::parse(&format!("{nobody}@nobody.invalid")).map(Identifier::Email);
    let unused = match kind {
        IdentifierKind::Email => email(),
        IdentifierKind::Phone => Phone::restore("+99900000000").map(Identifier::Phone),
        IdentifierKind::Username => {
            Username::parse(&format!("nobody-{nobody}")).map(Identifier::Username)
        }
    };
    unused.expect("it has the form of one")
}

fn unavailable(error: &ExistingUsersError) -> Error {
    Error::Unavailable(format!("the existing database: {error}"))
}

impl std::fmt::Debug for Adoption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Adoption(..)")
    }
}
