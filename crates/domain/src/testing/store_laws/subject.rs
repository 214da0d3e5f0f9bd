//! The store that a law is about, and what laws write into it.

use std::any::Any;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    AuthenticationMethod, CallerKey, ClientContext, Email, GroupId, Identifier, KeyHash,
    PasswordCredential, PasswordHash, Phone, Scope, Session, SessionId, Timestamp, User, UserId,
    Username,
};
use crate::ports::{Random as _, Store, StoreError, UnitOfWork};
use crate::testing::SeededRandom;

/// What else is in a law's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// What other laws write, at the same time and before.
    Shared,
    /// Nothing.
    Own,
}

/// A store, and what a law writes into it.
pub struct StoreSubject {
    pub(super) store: Arc<dyn Store>,
    pub(super) random: SeededRandom,
    pub(super) group: GroupId,
    pub(super) now: Timestamp,
    _kept: Box<dyn Any + Send + Sync>,
}

impl StoreSubject {
    /// A law's store. What it needs to exist is `kept` until the law is over.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, kept: impl Send + Sync + 'static) -> Self {
        let run = RandomState::new().hash_one("run");
        Self {
            store,
            random: SeededRandom::new(run),
            group: named(&format!("law-{run:016x}")),
            now: Timestamp::from_seconds(1_790_000_000),
            _kept: Box::new(kept),
        }
    }

    pub(super) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// Another group than that of the law.
    pub(super) fn other_group(&self) -> GroupId {
        named(&format!("{}-other", self.group))
    }

    pub(super) fn later(&self, seconds: u64) -> Timestamp {
        self.now.plus(Duration::from_secs(seconds))
    }

    pub(super) fn new_user(&self) -> User {
        User::active(
            UserId::generate(self.now, &self.random),
            self.group.clone(),
            self.now,
        )
    }

    /// A session that lives for a day from now.
    pub(super) fn new_session(&self, user: &User) -> Session {
        Session {
            id: SessionId::generate(self.now, &self.random),
            user_id: user.id,
            group: user.group.clone(),
            client_id: "gateway".into(),
            audience: "https://api.example.com".into(),
            scopes: vec![scope("orders:read"), scope("orders:write")],
            methods: vec![AuthenticationMethod::Password],
            client: ClientContext::default(),
            salt: self.bytes(),
            generation: 1,
            parent: 0,
            minted_at: self.now,
            access_expires_at: self.later(900),
            created_at: self.now,
            authenticated_at: self.now,
            expires_at: self.later(86_400),
            ends_at: self.later(30 * 86_400),
            revoked_at: None,
        }
    }

    /// An id that nothing has yet.
    pub(super) fn session_id(&self) -> SessionId {
        SessionId::generate(self.now, &self.random)
    }

    /// The key of a caller, which does not expire.
    pub(super) fn new_caller_key(&self) -> CallerKey {
        CallerKey {
            hash: KeyHash::from_bytes(self.bytes()),
            created_at: self.now,
            expires_at: None,
            last_used_at: None,
        }
    }

    /// The time by the store's clock.
    pub(super) async fn store_now(&self) -> Timestamp {
        self.store.now().await.expect("the time")
    }

    pub(super) async fn begin(&self) -> Box<dyn UnitOfWork> {
        self.store.begin().await.expect("a unit of work")
    }

    /// A user that is in the store.
    pub(super) async fn user(&self) -> User {
        let user = self.new_user();
        self.insert(&user, &[]).await;
        user
    }

    pub(super) async fn insert(&self, user: &User, identifiers: &[&Identifier]) {
        let mut uow = self.begin().await;
        uow.insert_user(user).await.expect("a new user");
        for identifier in identifiers {
            uow.insert_identifier(user, identifier)
                .await
                .expect("a free identifier");
        }
        uow.commit().await.expect("committed");
    }

    /// A user with a password, missed so often.
    pub(super) async fn user_with_password(&self, failures: u32) -> User {
        let user = self.user().await;
        let mut credential = credential(&user, "$argon2id$v=19$first", self.now);
        credential.failures = failures;
        let mut uow = self.begin().await;
        uow.put_credential(&credential).await.expect("a password");
        uow.commit().await.expect("committed");
        user
    }

    /// A session of a new user that is in the store.
    pub(super) async fn session(&self) -> Session {
        let user = self.user().await;
        let session = self.new_session(&user);
        self.insert_sessions(std::slice::from_ref(&session)).await;
        session
    }

    pub(super) async fn insert_sessions(&self, sessions: &[Session]) {
        let mut uow = self.begin().await;
        for session in sessions {
            uow.insert_session(session).await.expect("a new session");
        }
        uow.commit().await.expect("committed");
    }

    pub(super) async fn stored_session(&self, id: SessionId) -> Session {
        let session = self.store.session(id).await.expect("readable");
        session.expect("the session is there")
    }
}

pub(super) fn named(text: &str) -> GroupId {
    GroupId::parse(text).expect("a group")
}

pub(super) fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a scope")
}

pub(super) fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

pub(super) fn phone(text: &str) -> Phone {
    Phone::restore(text).expect("a number")
}

pub(super) fn username(text: &str) -> Identifier {
    Identifier::Username(Username::parse(text).expect("a name"))
}

pub(super) fn credential(user: &User, hash: &str, now: Timestamp) -> PasswordCredential {
    PasswordCredential::new(user.id, PasswordHash::new(hash.into()), now)
}

pub(super) fn is_taken<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Taken))
}

pub(super) fn is_conflict<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict))
}

/// How many of `callers` who ask at once are answered with yes.
pub(super) async fn yes_of<F>(callers: usize, ask: impl Fn() -> F) -> usize
where
    F: Future<Output = Result<bool, StoreError>> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(callers));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let answer = ask();
        let start = Arc::clone(&start);
        tasks.spawn(async move {
            start.wait().await;
            answer.await.expect("an answer")
        });
    }
    let answers = tasks.join_all().await;
    answers.into_iter().filter(|yes| *yes).count()
}
