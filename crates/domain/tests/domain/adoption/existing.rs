//! An existing database in memory, which counts what it is asked and can be down.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign_domain::application::ExistingSource;
use countersign_domain::model::{
    Email, ExistingState, ExistingUser, ExternalId, GroupId, HashFormat, Identifier, PasswordHash,
};
use countersign_domain::ports::{
    ExistingPage, ExistingUsers, ExistingUsersError, Holder, ReadUser,
};

/// The database.
#[derive(Default)]
pub(crate) struct Existing {
    rows: Mutex<Vec<ExistingUser>>,
    damaged: Mutex<BTreeSet<Identifier>>,
    asked: Mutex<Vec<Identifier>>,
    lookups: AtomicU32,
    is_down: AtomicBool,
}

impl Existing {
    pub(crate) fn of(rows: Vec<ExistingUser>) -> Arc<Self> {
        Arc::new(Self {
            rows: Mutex::new(rows),
            ..Self::default()
        })
    }

    pub(crate) fn source(self: &Arc<Self>) -> ExistingSource {
        ExistingSource {
            group: GroupId::fallback(),
            users: Arc::clone(self) as Arc<dyn ExistingUsers>,
            format: HashFormat::Auto,
        }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Vec<ExistingUser>)) {
        change(&mut self.rows.lock().expect("not poisoned"));
    }

    pub(crate) fn damage(&self, email: &str) {
        let mut damaged = self.damaged.lock().expect("not poisoned");
        damaged.insert(identifier(email));
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// How often it was asked for an address.
    pub(crate) fn asked_for(&self, email: &str) -> usize {
        let asked = self.asked.lock().expect("not poisoned");
        asked
            .iter()
            .filter(|asked| **asked == identifier(email))
            .count()
    }

    /// How often it was asked for holders since the last time.
    pub(crate) fn take_lookups(&self) -> u32 {
        self.lookups.swap(0, Ordering::SeqCst)
    }

    fn answer(&self) -> Result<Vec<ExistingUser>, ExistingUsersError> {
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(ExistingUsersError::Unavailable("it is down".into())),
            false => Ok(self.rows.lock().expect("not poisoned").clone()),
        }
    }
}

#[async_trait]
impl ExistingUsers for Existing {
    async fn holder(&self, identifier: &Identifier) -> Result<Holder, ExistingUsersError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.asked
            .lock()
            .expect("not poisoned")
            .push(identifier.clone());
        // A real one lets others go on meanwhile.
        tokio::task::yield_now().await;
        let mut rows = self.answer()?;
        if self
            .damaged
            .lock()
            .expect("not poisoned")
            .contains(identifier)
        {
            return Ok(Holder::Unusable);
        }
        rows.retain(|row| row.identifiers.contains(identifier));
        Ok(match (rows.pop(), rows.is_empty()) {
            (None, _) => Holder::Nobody,
            (Some(row), true) => Holder::User(Box::new(row)),
            (Some(_), false) => Holder::Unusable,
        })
    }

    async fn by_external_id(&self, id: &str) -> Result<Option<ReadUser>, ExistingUsersError> {
        let rows = self.answer()?;
        Ok(rows.into_iter().find(|row| row.external_id == id).map(Ok))
    }

    async fn page(&self, _: Option<&str>, _: u32) -> Result<ExistingPage, ExistingUsersError> {
        Ok(ExistingPage {
            rows: self.answer()?.into_iter().map(Ok).collect(),
            next: None,
        })
    }
}

pub(crate) fn external(id: &str) -> ExternalId {
    ExternalId::parse(id).expect("an id")
}

pub(crate) fn identifier(email: &str) -> Identifier {
    Identifier::Email(Email::parse(email).expect("an address"))
}

/// An active user with an address and an old hash.
pub(crate) fn row(id: &str, email: &str, password: &str) -> ExistingUser {
    ExistingUser {
        external_id: id.into(),
        identifiers: vec![identifier(email)],
        name: Some("Mina".into()),
        password: Some(PasswordHash::new(format!("old:{password}"))),
        state: ExistingState::Active,
        left_out: Vec::new(),
    }
}
