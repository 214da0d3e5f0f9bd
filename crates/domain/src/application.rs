//! What every use-case is given: the ports, the settings, small collaborators for what
//! use-cases share, and where its call comes from.

mod adoption;
mod audit_erasure;
mod called_application;
mod caller_keeper;
mod code_factors;
mod database_clock;
mod devices;
mod enrollments;
mod federated_identities;
mod federated_sign_ins;
mod groups;
mod identifier_undos;
mod key_keeper;
mod known_groups;
mod limits;
mod messages;
mod mfa_sessions;
mod new_user;
mod passkey_challenges;
mod passkeys;
mod password_comparison;
mod people;
mod profile_attributes;
mod refused_log;
mod rejoining;
mod repeats;
mod sealed_records;
mod second_factors;
mod seldom_log;
mod sent_codes;
mod service_account_changes;
mod session_ending;
mod settings;
mod tokens;
mod user_changes;
mod verifications;

use std::sync::Arc;

use self::sealed_records::SealedRecords;
use crate::model::MasterKey;
use crate::ports::{
    Clock, EphemeralStore, IdentityProviders, MessageSender, Notifier, PasswordHasher, Random,
    Store,
};
use crate::validation::{AccessTokens, Keyring, RevocationFeed};

pub use adoption::{Adoption, ExistingSource};
pub(crate) use adoption::{Found, TakenOver, storable};
pub(crate) use audit_erasure::erase_from_audit_log;
pub use called_application::Application;
pub use caller_keeper::CallerKeeper;
pub use code_factors::CodeFactors;
pub(crate) use code_factors::CodeFactorsOf;
pub use database_clock::DatabaseClock;
pub(crate) use devices::DeviceSignIn;
pub use devices::{Devices, KnownDevice};
pub use enrollments::{Enrollment, Enrollments, Given};
pub use federated_identities::FederatedIdentities;
pub use federated_sign_ins::{BegunFederatedSignIn, FederatedSignIns};
pub(crate) use federated_sign_ins::{Whose, failed, signing_in};
pub use groups::{GroupRules, Groups};
pub use identifier_undos::IdentifierUndos;
pub use key_keeper::KeyKeeper;
pub use known_groups::{GroupReading, KnownGroups};
pub(crate) use limits::{Charge, FactorCodeUse, Recipient, Sends};
pub use limits::{Limits, Pool, Rule, UnverifiedCounts};
pub use messages::Messages;
pub(crate) use messages::Outgoing;
pub use mfa_sessions::MfaSessions;
pub(crate) use new_user::{NewUser, username_taken};
pub use passkey_challenges::{BegunAssertion, MadeChallenge, PasskeyChallenges};
pub use passkeys::Passkeys;
pub(crate) use password_comparison::{compare_own_password, compare_password};
pub use people::{People, Person};
pub(crate) use profile_attributes::{changed_attributes, check_attributes};
pub use refused_log::RefusedLog;
pub use rejoining::Rejoining;
pub(crate) use repeats::Repeats;
pub use second_factors::SecondFactors;
pub(crate) use second_factors::{TriedAnswer, TypedAnswer};
pub use seldom_log::SeldomLog;
pub use sent_codes::SentCodes;
pub(crate) use sent_codes::{NewCode, SentCode, SentComparison, SentFor};
pub(crate) use service_account_changes::ServiceAccountChange;
pub use session_ending::SessionEnding;
pub use settings::{
    DeviceSettings, Settings, TokenSettings, UnverifiedSettings, UserSettings, VerificationSettings,
};
pub use tokens::{AccessToken, TokenMinter, Tokens};
pub(crate) use tokens::{ServiceAccountSignIn, SignIn};
pub(crate) use user_changes::{UserChange, check_etag, lock_user};
pub(crate) use verifications::CodeRequest;
pub use verifications::Verifications;

/// The adapters behind the ports.
#[derive(Clone)]
pub struct Ports {
    /// What lasts.
    pub store: Arc<dyn Store>,
    /// What is short-lived.
    pub ephemeral: Arc<dyn EphemeralStore>,
    /// The time, which is the database's.
    pub clock: Arc<DatabaseClock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Hashing of passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// What messages are handed to. Without one, what needs a message is
    /// refused.
    pub sender: Option<Arc<dyn MessageSender>>,
    /// Wakes jobs.
    pub notifier: Arc<dyn Notifier>,
    /// An existing database whose users are adopted, if there is one.
    pub existing: Option<ExistingSource>,
    /// The providers of sign-ins, if there are any.
    pub identity_providers: Option<Arc<dyn IdentityProviders>>,
}

/// What all calls share.
pub struct Collaborators {
    /// What lasts.
    pub store: Arc<dyn Store>,
    /// What is short-lived.
    pub ephemeral: Arc<dyn EphemeralStore>,
    /// The time.
    pub clock: Arc<DatabaseClock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Hashing of passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Limits on attempts and messages.
    pub limits: Arc<Limits>,
    /// Codes and proofs.
    pub verifications: Verifications,
    /// Unfinished enrolments of second factors.
    pub enrollments: Enrollments,
    /// Second factors.
    pub second_factors: SecondFactors,
    /// Addresses to which codes are sent as second factors.
    pub code_factors: Arc<CodeFactors>,
    /// Codes that were sent as second factors.
    pub sent_codes: Arc<SentCodes>,
    /// Passkeys.
    pub passkeys: Passkeys,
    /// Challenges that passkeys answer to sign in.
    pub passkey_challenges: PasskeyChallenges,
    /// Second factors that are waited for.
    pub mfa_sessions: MfaSessions,
    /// Known devices.
    pub devices: Devices,
    /// Sign-ins at providers.
    pub federated_sign_ins: FederatedSignIns,
    /// Accounts at providers that are linked to users.
    pub federated_identities: FederatedIdentities,
    /// The addresses of people who have left.
    pub rejoining: Rejoining,
    /// Changes of addresses that can be undone.
    pub identifier_undos: Arc<IdentifierUndos>,
    /// The users of an existing database.
    pub adoption: Adoption,
    /// What is allowed in each group.
    pub groups: Groups,
    /// Tokens.
    pub tokens: TokenMinter,
    /// The people behind access tokens.
    pub people: People,
    /// The ending of sessions.
    pub session_ending: SessionEnding,
    /// The outbox.
    pub messages: Messages,
    /// Refused attempts on their way to the audit log.
    pub refused: RefusedLog,
    /// The signing keys.
    pub keyring: Arc<Keyring>,
    /// The revocations.
    pub feed: Arc<RevocationFeed>,
    /// Lifetimes and limits.
    pub settings: Arc<Settings>,
}

impl Collaborators {
    fn new(
        ports: Ports,
        master_key: &MasterKey,
        keyring: Arc<Keyring>,
        feed: Arc<RevocationFeed>,
        known_groups: Arc<KnownGroups>,
        settings: Settings,
    ) -> Self {
        let settings = Arc::new(settings);
        let groups = Groups::new(known_groups, Arc::clone(&settings));
        let secrets = master_key.secrets();
        let clock: Arc<dyn Clock> = ports.clock.clone();
        let limits = Arc::new(Limits::new(
            Arc::clone(&ports.ephemeral),
            Arc::clone(&clock),
            secrets.names.clone(),
            Arc::clone(&settings),
        ));
        let records = SealedRecords::new(
            Arc::clone(&ports.ephemeral),
            Arc::clone(&clock),
            Arc::clone(&ports.random),
            &secrets,
            Arc::clone(&limits),
            Arc::clone(&settings),
        );
        let code_factors = Arc::new(CodeFactors::new(
            Arc::clone(&ports.store),
            Arc::clone(&clock),
            Arc::clone(&ports.random),
            secrets.factors.clone(),
            Arc::clone(&limits),
            ports.sender.clone(),
            groups.clone(),
        ));
        let sent_codes = Arc::new(SentCodes::new(
            Arc::clone(&ports.store),
            Arc::clone(&ports.ephemeral),
            Arc::clone(&clock),
            records.clone(),
            Arc::clone(&limits),
            Arc::clone(&settings),
        ));
        let identifier_undos = Arc::new(IdentifierUndos::new(
            &secrets,
            Arc::clone(&clock),
            Arc::clone(&ports.random),
            Arc::clone(&settings),
        ));
        Self {
            verifications: Verifications::new(
                Arc::clone(&ports.ephemeral),
                Arc::clone(&clock),
                records.clone(),
                Arc::clone(&limits),
                Arc::clone(&settings),
            ),
            enrollments: Enrollments::new(
                Arc::clone(&ports.ephemeral),
                Arc::clone(&clock),
                records.clone(),
            ),
            second_factors: SecondFactors::new(
                Arc::clone(&ports.store),
                Arc::clone(&clock),
                Arc::clone(&ports.random),
                &secrets,
                Arc::clone(&limits),
                Arc::clone(&code_factors),
                Arc::clone(&sent_codes),
            ),
            code_factors,
            sent_codes,
            passkeys: Passkeys::new(
                Arc::clone(&ports.store),
                Arc::clone(&clock),
                Arc::clone(&ports.random),
                secrets.factors.clone(),
                settings.passkeys.clone(),
            ),
            passkey_challenges: PasskeyChallenges::new(
                Arc::clone(&ports.ephemeral),
                Arc::clone(&clock),
                records.clone(),
                secrets.challenges.clone(),
            ),
            mfa_sessions: MfaSessions::new(
                Arc::clone(&ports.ephemeral),
                Arc::clone(&clock),
                records.clone(),
                Arc::clone(&limits),
            ),
            federated_sign_ins: FederatedSignIns::new(
                ports.identity_providers,
                Arc::clone(&ports.ephemeral),
                Arc::clone(&clock),
                records,
            ),
            federated_identities: FederatedIdentities::new(
                Arc::clone(&clock),
                Arc::clone(&ports.random),
                &secrets,
            ),
            devices: Devices::new(
                Arc::clone(&ports.store),
                Arc::clone(&clock),
                Arc::clone(&ports.random),
                groups.clone(),
                Arc::clone(&settings),
            ),
            adoption: Adoption::new(
                ports.existing,
                Arc::clone(&ports.store),
                Arc::clone(&clock),
                Arc::clone(&ports.random),
                Arc::clone(&ports.hasher),
                Arc::clone(&identifier_undos),
                settings.users.rejoin_wait,
            ),
            rejoining: Rejoining::new(&secrets, Arc::clone(&clock)),
            identifier_undos,
            tokens: TokenMinter::new(
                Arc::clone(&keyring),
                secrets.refresh,
                Arc::clone(&clock),
                Arc::clone(&ports.random),
                groups.clone(),
                Arc::clone(&settings),
            ),
            people: People::new(
                Arc::clone(&ports.store),
                Arc::clone(&clock),
                AccessTokens::new(
                    &settings.tokens.issuer,
                    settings.tokens.leeway,
                    Arc::clone(&keyring),
                    settings.tokens.profiles.clone(),
                ),
                groups.clone(),
            ),
            session_ending: SessionEnding::new(
                Arc::clone(&ports.store),
                Arc::clone(&clock),
                Arc::clone(&feed),
                Arc::clone(&ports.notifier),
                Arc::clone(&settings),
            ),
            messages: Messages::new(
                secrets.messages,
                clock,
                Arc::clone(&ports.random),
                ports.notifier,
                ports.sender,
            ),
            refused: RefusedLog::default(),
            store: ports.store,
            ephemeral: ports.ephemeral,
            clock: ports.clock,
            random: ports.random,
            hasher: ports.hasher,
            groups,
            limits,
            keyring,
            feed,
            settings,
        }
    }
}

impl std::fmt::Debug for Collaborators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collaborators")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
