//! An application over fakes, with a clock turned by hand.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::{Algorithm, Verifier};

use crate::application::{
    Application, DatabaseClock, KeyKeeper, Ports, Settings, TokenSettings, Tokens,
    VerificationSettings,
};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, Email, GroupId, Identifier, Locale, MasterKey, NewPassword,
    Password, Proof, Purpose, Region, Scope, SealingKey, UserId,
};
use crate::ports::{Content, EphemeralStore, Message, MessageSender, Random, Store};
use crate::testing::{
    HandClock, MemoryEphemeral, MemoryStore, Notifications, PlainHasher, SeededRandom, SentMessages,
};
use crate::use_cases::{
    CheckCode, ConfirmSignUp, DeliverMessages, EnsureSigningKeys, Grant, IssueTokens,
    ReadRevocations, ReadSigningKeys, RefreshTokens, SendCode, SignUp, SignUpBy, SignedUp, Which,
};
use crate::validation::{Keyring, RevocationFeed, TokenValidator};

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
        Self::start(change, true).await
    }

    /// A service that can send nothing.
    pub async fn without_sender() -> Self {
        Self::start(|_| {}, false).await
    }

    async fn start(change: impl FnOnce(&mut Settings), has_sender: bool) -> Self {
        let clock = Arc::new(HandClock::new());
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let ephemeral = Arc::new(MemoryEphemeral::new(clock.clone()));
        let database_clock = DatabaseClock::start(clock.clone(), &*store)
            .await
            .expect("the store tells its time");
        let master_key = MasterKey::generate(&*random);
        let sealing = master_key.signing_keys();
        let mut settings = settings();
        change(&mut settings);
        let keeper = KeyKeeper {
            store: &*store,
            sealing: &sealing,
            clock: &database_clock,
            random: &*random,
            algorithm: settings.tokens.algorithm,
        };
        let keys = EnsureSigningKeys.execute(keeper).await;
        let keys = keys.expect("keys are made");
        let keyring = Keyring::open(keys, sealing.clone()).expect("keys are opened");
        let hasher = Arc::new(PlainHasher::default());
        let sender = Arc::new(SentMessages::default());
        let notifications = Arc::new(Notifications::default());
        let ports = Ports {
            store: store.clone() as Arc<dyn Store>,
            ephemeral: ephemeral.clone() as Arc<dyn EphemeralStore>,
            clock: Arc::new(database_clock),
            random,
            hasher: hasher.clone(),
            sender: has_sender.then(|| sender.clone() as Arc<dyn MessageSender>),
            notifier: notifications.clone(),
        };
        let feed = Arc::new(RevocationFeed::new());
        let app = Application::new(ports, &master_key, Arc::new(keyring), feed, settings);
        let world = Self {
            app,
            clock,
            store,
            ephemeral,
            hasher,
            sender,
            notifications,
            master_key,
            sealing,
        };
        world.read().await;
        world
    }

    /// Goes on with other settings, as a server that was started again.
    pub fn reconfigure(&mut self, change: impl FnOnce(&mut Settings)) {
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
        };
        let (keyring, feed) = (self.app.keyring.clone(), self.app.feed.clone());
        self.app = Application::new(ports, &self.master_key, keyring, feed, settings);
    }

    /// Reads the revocations and the keys, as the job does.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn read(&self) {
        let revocations = self.read_revocations().await;
        revocations.expect("the revocations are read");
        let keys = ReadSigningKeys.execute(&self.app).await;
        keys.expect("the keys are read");
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
                Content::AlreadySignedUp | Content::PasswordChanged | Content::PasswordReset => {
                    None
                }
            });
        code.expect("a code was sent")
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
        }
    }

    /// A validator over the application's keys and revocations.
    #[must_use]
    pub fn validator(&self) -> TokenValidator {
        let tokens = &self.app.settings.tokens;
        TokenValidator::new(
            100,
            Verifier::new(tokens.issuer.clone(), tokens.leeway),
            Arc::clone(&self.app.keyring),
            Arc::clone(&self.app.feed),
            self.app.clock.clone(),
            tokens.audiences.first().cloned().unwrap_or_default(),
            tokens.feed_bound,
            |_| Vec::new(),
        )
    }

    /// A proof of an address, by a code that was sent.
    ///
    /// # Errors
    /// As the use-cases have them.
    pub async fn prove(&self, email: &str, purpose: Purpose) -> Result<Proof, Error> {
        let sent = send_code(email, purpose).execute(&self.app).await?;
        let code = self.take_code().await;
        let checked = CheckCode {
            which: Which::Id(sent.record.id),
            code,
        }
        .execute(&self.app)
        .await?;
        // The next code may be sent only after the cooldown.
        self.clock.advance(self.app.settings.verification.cooldown);
        Ok(checked.proof)
    }

    /// An active user with this address and password.
    ///
    /// # Panics
    /// If the sign-up fails.
    pub async fn user(&self, email: &str, password: &str) -> UserId {
        let proof = self
            .prove(email, Purpose::SignUp)
            .await
            .expect("the address is proved");
        let signed_up = self.sign_up_proven(email, Some(password), proof);
        let signed_up = signed_up.execute(&self.app).await;
        match signed_up.expect("the user signs up") {
            SignedUp::Active(user_id) => user_id,
            SignedUp::Pending { .. } => panic!("the user is pending"),
        }
    }

    /// A user who has not typed the code of the sign-up yet.
    ///
    /// # Panics
    /// If the sign-up fails.
    pub async fn pending(&self, email: &str, password: &str) -> ConfirmSignUp {
        let signed_up = self.sign_up(email, password).execute(&self.app).await;
        let Ok(SignedUp::Pending {
            verification_id, ..
        }) = signed_up
        else {
            panic!("expected a pending user, got {signed_up:?}");
        };
        let code = self.take_code().await;
        self.clock.advance(self.app.settings.verification.cooldown);
        ConfirmSignUp {
            verification_id,
            code,
        }
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// As the use-case has them.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Tokens, Error> {
        sign_in(email, password).execute(&self.app).await
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// As the use-case has them.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, Error> {
        RefreshTokens {
            refresh_token: refresh_token.to_owned(),
            client_id: CLIENT.into(),
        }
        .execute(&self.app)
        .await
    }

    /// A sign-up without a proof.
    ///
    /// # Panics
    /// If the password is too easy.
    #[must_use]
    pub fn sign_up(&self, email: &str, text: &str) -> SignUp {
        sign_up(
            email,
            SignUpBy::Code {
                password: self.new_password(text),
            },
        )
    }

    /// A sign-up with a proof.
    ///
    /// # Panics
    /// If the password is too easy.
    #[must_use]
    pub fn sign_up_proven(&self, email: &str, text: Option<&str>, proof: Proof) -> SignUp {
        let password = text.map(|text| self.new_password(text));
        sign_up(email, SignUpBy::Proof { proof, password })
    }

    fn new_password(&self, text: &str) -> NewPassword {
        NewPassword::assess(password(text), &[], &*self.hasher).expect("a good password")
    }
}

/// The refusal that a use-case ended with.
///
/// # Panics
/// If it ended otherwise.
#[must_use]
pub fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// An e-mail address.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn address(email: &str) -> Address {
    Address::Email(Email::parse(email).expect("an address"))
}

/// A password to be set.
///
/// # Panics
/// If it cannot be.
#[must_use]
pub fn password(text: &str) -> Password {
    Password::to_set(text.to_owned()).expect("a password")
}

/// A request for a code.
#[must_use]
pub fn send_code(email: &str, purpose: Purpose) -> SendCode {
    SendCode {
        group: GroupId::fallback(),
        address: address(email),
        purpose,
        code: None,
        ttl: None,
        locale: Locale::English,
        client: ClientContext::default(),
    }
}

fn sign_up(email: &str, by: SignUpBy) -> SignUp {
    SignUp {
        group: GroupId::fallback(),
        address: address(email),
        username: None,
        by,
        locale: Locale::English,
        client: ClientContext::default(),
    }
}

/// A sign-in with a password.
///
/// # Panics
/// If the password is empty.
#[must_use]
pub fn sign_in(email: &str, text: &str) -> IssueTokens {
    let identifier: Identifier = address(email).into();
    let password = Password::to_compare(text.to_owned()).expect("a password");
    IssueTokens {
        group: GroupId::fallback(),
        grant: Grant::Password {
            identifier,
            password,
        },
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: CLIENT.into(),
        client: ClientContext::default(),
    }
}

/// The caller to which tokens are issued.
const CLIENT: &str = "gateway";

fn settings() -> Settings {
    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    Settings {
        tokens: TokenSettings {
            issuer: "https://id.example.com".into(),
            audiences: vec!["shop".into(), "billing".into()],
            scopes: vec![Scope::parse("orders.read").expect("a scope")],
            algorithm: Algorithm::EdDsa,
            access_ttl: 5 * MINUTE,
            idle_ttl: 30 * DAY,
            session_ttl: 180 * DAY,
            refresh_grace: Duration::from_secs(30),
            leeway: Duration::from_secs(5),
            feed_bound: Duration::from_secs(10),
            key_rotation: 30 * DAY,
        },
        verification: VerificationSettings {
            code_digits: 6,
            code_ttl: 5 * MINUTE,
            code_tries: 5,
            proof_ttl: 10 * MINUTE,
            cooldown: MINUTE,
            sends_per_address: 10,
            sends_per_source: 60,
            sends_per_country: 1_000,
            sends_in_all: 10_000,
            wrong_codes_per_address: 10,
        },
        region: Region::parse("KR").expect("a region"),
        password_attempts: 100,
        source_attempts: vec![(10, 15 * MINUTE)],
        attempts_per_source: (200, 15 * MINUTE),
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.app.fmt(f)
    }
}
