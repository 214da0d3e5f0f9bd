//! An application over fakes, with a clock turned by hand.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::{Algorithm, Verifier};

use crate::application::{Application, Settings, TokenSettings, Tokens, VerificationSettings};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, Email, GroupId, Identifier, Locale, MasterKey, Password, Proof,
    Purpose, Region, Scope, UserId,
};
use crate::ports::{EphemeralStore, Random, Store};
use crate::testing::{HandClock, MemoryEphemeral, MemoryStore, Outbox, PlainHasher, SeededRandom};
use crate::use_cases::{
    CheckCode, ConfirmSignUp, EnsureKeys, Grant, IssueTokens, KeyKeeper, ReadFeed, RefreshTokens,
    SendCode, SignUp, SignedUp, Which,
};
use crate::validation::{Keyring, RevocationFeed, TokenValidator};

/// The application and the fakes behind its ports.
pub struct World {
    /// The application.
    pub app: Application,
    /// Its clock.
    pub clock: Arc<HandClock>,
    /// Its hasher.
    pub hasher: Arc<PlainHasher>,
    /// What it sent.
    pub outbox: Arc<Outbox>,
}

impl World {
    /// A service that was just started.
    pub async fn new() -> Self {
        let clock = Arc::new(HandClock::new());
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let ephemeral: Arc<dyn EphemeralStore> = Arc::new(MemoryEphemeral::new(clock.clone()));
        let master_key = MasterKey::generate(&*random);
        let settings = settings();
        let keeper = KeyKeeper {
            store: &*store,
            master_key: &master_key,
            clock: &*clock,
            random: &*random,
            algorithm: settings.tokens.algorithm,
        };
        let keys = EnsureKeys.execute(keeper).await.expect("keys are made");
        let keyring = Keyring::open(keys, &master_key).expect("keys are opened");
        let (hasher, outbox) = (
            Arc::new(PlainHasher::default()),
            Arc::new(Outbox::default()),
        );
        let app = Application {
            store,
            ephemeral,
            clock: clock.clone(),
            random,
            hasher: hasher.clone(),
            sender: outbox.clone(),
            secrets: master_key.secrets(),
            master_key,
            keyring: Arc::new(keyring),
            feed: Arc::new(RevocationFeed::new()),
            settings,
        };
        ReadFeed.execute(&app).await.expect("the feed is read");
        Self {
            app,
            clock,
            hasher,
            outbox,
        }
    }

    /// What keeps the keys.
    #[must_use]
    pub fn keeper(&self) -> KeyKeeper<'_> {
        KeyKeeper {
            store: &*self.app.store,
            master_key: &self.app.master_key,
            clock: &*self.app.clock,
            random: &*self.app.random,
            algorithm: self.app.settings.tokens.algorithm,
        }
    }

    /// A validator over the application's keys and revocations.
    #[must_use]
    pub fn validator(&self) -> TokenValidator<()> {
        let tokens = &self.app.settings.tokens;
        TokenValidator::new(
            100,
            Verifier::new(tokens.issuer.clone(), tokens.leeway),
            Arc::clone(&self.app.keyring),
            Arc::clone(&self.app.feed),
            self.clock.clone(),
            tokens.audiences.first().cloned().unwrap_or_default(),
            tokens.feed_bound,
            |_| (),
        )
    }

    /// A proof of an address, by a code that was sent.
    ///
    /// # Errors
    /// As the use-cases have them.
    pub async fn prove(&self, email: &str, purpose: Purpose) -> Result<Proof, Error> {
        let sent = send_code(email, purpose).execute(&self.app).await?;
        let code = Code::parse(self.outbox.take_code()).expect("a code");
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
        let signed_up = SignUp {
            proof: Some(proof),
            ..sign_up(email, password)
        }
        .execute(&self.app)
        .await;
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
        let signed_up = sign_up(email, password).execute(&self.app).await;
        let Ok(SignedUp::Pending {
            verification_id, ..
        }) = signed_up
        else {
            panic!("expected a pending user, got {signed_up:?}");
        };
        let code = Code::parse(self.outbox.take_code()).expect("a code");
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
        }
        .execute(&self.app)
        .await
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

/// A sign-up without a proof.
#[must_use]
pub fn sign_up(email: &str, text: &str) -> SignUp {
    SignUp {
        group: GroupId::fallback(),
        address: address(email),
        username: None,
        password: Some(password(text)),
        proof: None,
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
        audience: None,
        scopes: Vec::new(),
        client_id: "gateway".into(),
        client: ClientContext::default(),
    }
}

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
        pending_ttl: DAY,
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.app.fmt(f)
    }
}
