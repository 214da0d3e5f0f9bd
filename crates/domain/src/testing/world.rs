//! An application over fakes, with a clock turned by hand.

mod people;
mod requests;
mod settings;

use std::sync::Arc;

use crate::application::{
    Application, DatabaseClock, ExistingSource, KeyKeeper, KnownGroups, Ports, Settings,
};
use crate::error::Error;
use crate::model::{Code, Link, MasterKey, Origin, SealingKey};
use crate::ports::{Content, EphemeralStore, Message, MessageSender, Random, Store};
use crate::testing::{
    FakeProviders, HandClock, MemoryEphemeral, MemoryStore, Notifications, PlainHasher,
    SeededRandom, SentMessages,
};
use crate::use_cases::{
    DeliverMessages, EnsureGroups, EnsureSigningKeys, ReadGroups, ReadRevocations, ReadSigningKeys,
};
use crate::validation::{AccessTokens, Encoded, Keyring, RevocationFeed, TokenValidator};

pub use requests::{address, password, phone_code, refusal, send_code, send_link, sign_in};
pub use settings::LINK_PREFIX;

/// The application and the fakes behind its ports.
pub struct World {
    /// The application.
    pub app: Application,
    /// The clock of the database and of the machine.
    pub clock: Arc<HandClock>,
    /// Its store.
    pub store: Arc<MemoryStore>,
    /// Its ephemeral store.
    pub ephemeral: Arc<MemoryEphemeral>,
    /// Its hasher.
    pub hasher: Arc<PlainHasher>,
    /// Its sender.
    pub sender: Arc<SentMessages>,
    /// What was notified.
    pub notifications: Arc<Notifications>,
    /// The providers of sign-ins.
    pub providers: Arc<FakeProviders>,
    master_key: MasterKey,
    sealing: SealingKey,
}

impl World {
    /// A service that was just started.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A service with other settings than the usual ones.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start(change, true, |_| None).await
    }

    /// A service that can send nothing.
    pub async fn without_sender() -> Self {
        Self::start(|_| {}, false, |_| None).await
    }

    /// A service over another ephemeral store than that of `ephemeral`, which is
    /// given the clock.
    pub async fn over(
        store: impl FnOnce(Arc<HandClock>) -> Arc<dyn EphemeralStore>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::start(change, true, |clock| Some(store(clock))).await
    }

    async fn start(
        change: impl FnOnce(&mut Settings),
        has_sender: bool,
        other: impl FnOnce(Arc<HandClock>) -> Option<Arc<dyn EphemeralStore>>,
    ) -> Self {
        let clock = Arc::new(HandClock::new());
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let ephemeral = Arc::new(MemoryEphemeral::new(clock.clone()));
        let database_clock = DatabaseClock::start(clock.clone(), &*store)
            .await
            .expect("the store tells its time");
        let master_key = MasterKey::generate(&*random);
        let sealing = master_key.signing_keys();
        let mut settings = settings::settings();
        change(&mut settings);
        let keeper = KeyKeeper {
            store: &*store,
            sealing: &sealing,
            clock: &database_clock,
            random: &*random,
            algorithm: settings.tokens.algorithm,
            origin: &Origin::server(),
        };
        let keys = EnsureSigningKeys.execute(keeper).await;
        let keys = keys.expect("keys are made");
        let keyring = Keyring::open(keys, sealing.clone()).expect("keys are opened");
        let hasher = Arc::new(PlainHasher::default());
        let sender = Arc::new(SentMessages::default());
        let notifications = Arc::new(Notifications::default());
        let providers = Arc::new(FakeProviders::default());
        let ports = Ports {
            store: store.clone() as Arc<dyn Store>,
            ephemeral: other(clock.clone()).unwrap_or_else(|| ephemeral.clone()),
            clock: Arc::new(database_clock),
            random,
            hasher: hasher.clone(),
            sender: has_sender.then(|| sender.clone() as Arc<dyn MessageSender>),
            notifier: notifications.clone(),
            existing: None,
            identity_providers: Some(providers.clone()),
        };
        let feed = Arc::new(RevocationFeed::new());
        let groups = Arc::new(KnownGroups::new());
        let keyring = Arc::new(keyring);
        let app = Application::new(ports, &master_key, keyring, feed, groups, settings);
        let world = Self {
            app,
            clock,
            store,
            ephemeral,
            hasher,
            sender,
            notifications,
            providers,
            master_key,
            sealing,
        };
        let groups = EnsureGroups.execute(&world.app).await;
        groups.expect("the groups are made");
        world.read().await;
        world
    }

    /// Goes on with other settings, as a server that was started again.
    pub fn reconfigure(&mut self, change: impl FnOnce(&mut Settings)) {
        self.restart(change, None, self.app.feed.clone());
    }

    /// Goes on as a server that was started again and adopts users.
    pub fn adopt_from(&mut self, source: ExistingSource) {
        self.restart(|_| {}, Some(source), self.app.feed.clone());
    }

    /// Goes on with what the database tells of revocations, as another replica.
    pub async fn forget_feed(&mut self) {
        self.restart(|_| {}, None, Arc::new(RevocationFeed::new()));
        self.read().await;
    }

    fn restart(
        &mut self,
        change: impl FnOnce(&mut Settings),
        existing: Option<ExistingSource>,
        feed: Arc<RevocationFeed>,
    ) {
        let mut settings = (*self.app.settings).clone();
        change(&mut settings);
        let ports = Ports {
            store: Arc::clone(&self.app.store),
            ephemeral: Arc::clone(&self.app.ephemeral),
            clock: Arc::clone(&self.app.clock),
            random: Arc::clone(&self.app.random),
            hasher: self.hasher.clone(),
            sender: Some(self.sender.clone()),
            notifier: self.notifications.clone(),
            existing,
            identity_providers: Some(self.providers.clone()),
        };
        let keyring = self.app.keyring.clone();
        let groups = Arc::clone(self.app.groups.known());
        self.app = Application::new(ports, &self.master_key, keyring, feed, groups, settings);
    }

    /// Reads the revocations, the keys and the groups, as the jobs do.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn read(&self) {
        let revocations = self.read_revocations().await;
        revocations.expect("the revocations are read");
        let keys = ReadSigningKeys.execute(&self.app).await;
        keys.expect("the keys are read");
        let groups = ReadGroups.execute(&self.app).await;
        groups.expect("the groups are read");
    }

    /// Reads the revocations alone.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn read_revocations(&self) -> Result<(), Error> {
        let mut reading = Some(ReadRevocations::begin(&self.app).await?);
        while let Some(begun) = reading {
            reading = begun.read_page(&self.app).await?;
        }
        Ok(())
    }

    /// Lets the job deliver what is queued, and takes out what was sent.
    ///
    /// # Panics
    /// If the outbox does not work.
    pub async fn take_sent(&self) -> Vec<Message> {
        let delivered = DeliverMessages { batch: 100 }.execute(&self.app).await;
        delivered.expect("the outbox works");
        self.sender.take()
    }

    /// Takes out what was sent, of which one is a code.
    ///
    /// # Panics
    /// If none is.
    pub async fn take_code(&self) -> Code {
        let sent = self.take_sent().await;
        let code = sent
            .into_iter()
            .rev()
            .find_map(|message| match message.content {
                Content::Code { code, .. } => Some(code),
                Content::Link { .. }
                | Content::AlreadySignedUp
                | Content::PasswordChanged
                | Content::PasswordReset
                | Content::FactorAdded
                | Content::FactorRemoved
                | Content::FederatedIdentityLinked
                | Content::FederatedIdentityUnlinked
                | Content::RecoveryCodesReplaced
                | Content::NewDevice
                | Content::IdentifierChanged { .. }
                | Content::AccountClosed
                | Content::IdentifierChangeUndone => None,
            });
        code.expect("a code was sent")
    }

    /// Takes out what was sent, of which one is a link.
    ///
    /// # Panics
    /// If none is.
    pub async fn take_link(&self) -> Link {
        let sent = self.take_sent().await.into_iter().rev();
        let mut links = sent.filter_map(|message| match message.content {
            Content::Link { link, .. } => Some(link),
            Content::Code { .. }
            | Content::AlreadySignedUp
            | Content::PasswordChanged
            | Content::PasswordReset
            | Content::FactorAdded
            | Content::FactorRemoved
            | Content::FederatedIdentityLinked
            | Content::FederatedIdentityUnlinked
            | Content::RecoveryCodesReplaced
            | Content::NewDevice
            | Content::IdentifierChanged { .. }
            | Content::AccountClosed
            | Content::IdentifierChangeUndone => None,
        });
        links.next().expect("a link was sent")
    }

    /// What keeps the keys.
    #[must_use]
    pub fn keeper(&self) -> KeyKeeper<'_> {
        KeyKeeper {
            store: &*self.app.store,
            sealing: &self.sealing,
            clock: &*self.app.clock,
            random: &*self.app.random,
            algorithm: self.app.settings.tokens.algorithm,
            origin: self.app.origin(),
        }
    }

    /// A validator over the application's keys and revocations. Its answer is the external
    /// id, if the token has one.
    #[must_use]
    pub fn validator(&self) -> TokenValidator {
        let tokens = &self.app.settings.tokens;
        TokenValidator::new(
            100,
            AccessTokens::new(
                &tokens.issuer,
                tokens.leeway,
                Arc::clone(&self.app.keyring),
                tokens.profiles.clone(),
            ),
            Arc::clone(&self.app.keyring),
            Arc::clone(&self.app.feed),
            self.app.clock.clone(),
            tokens.audiences.first().cloned().unwrap_or_default(),
            tokens.feed_bound,
            |_, _, external_id| Encoded {
                answer: external_id.map_or_else(Vec::new, |id| id.as_str().into()),
                holder: Box::default(),
            },
        )
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.app.fmt(f)
    }
}
