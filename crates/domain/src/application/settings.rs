//! Lifetimes and limits.

use std::time::Duration;

use countersign_token::Algorithm;

use crate::model::{
    Address, GroupId, Lifetimes, LinkPrefix, MfaPolicy, Region, RelyingParty, Revocation, Scope,
    TokenProfiles,
};

/// The settings of the domain. The defaults are in the server's configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Of tokens and sessions.
    pub tokens: TokenSettings,
    /// Of codes and proofs.
    pub verification: VerificationSettings,
    /// Who is asked for a second factor.
    pub mfa_policy: MfaPolicy,
    /// Who is in these groups, in place of that.
    pub mfa_policy_of_groups: Vec<(GroupId, MfaPolicy)>,
    /// Of known devices.
    pub devices: DeviceSettings,
    /// Of people who leave.
    pub users: UserSettings,
    /// How long entries of the audit log are kept.
    pub audit_retention: Duration,
    /// For how long a change of an address can be undone.
    pub undo_time: Duration,
    /// The site whose passkeys are taken; none are if there is none.
    pub passkeys: Option<RelyingParty>,
    /// Where phone numbers without a country code are at home.
    pub region: Region,
    /// Failures in a row after which a password is not compared any more until
    /// it is reset.
    pub password_attempts: u32,
    /// Attempts at one account from one source, and in which windows.
    pub source_attempts: Vec<(u32, Duration)>,
    /// Failed attempts from one source over all accounts, and in which window.
    pub attempts_per_source: (u32, Duration),
}

impl Settings {
    /// Who in a group is asked for a second factor, unless its own policy says so.
    #[must_use]
    pub fn mfa_policy_of(&self, group: &GroupId) -> MfaPolicy {
        let mut of_groups = self.mfa_policy_of_groups.iter();
        let own = of_groups.find(|(of, _)| of == group);
        own.map_or(self.mfa_policy, |(_, policy)| *policy)
    }
}

/// Of known devices.
#[derive(Debug, Clone)]
pub struct DeviceSettings {
    /// How long a device is known after the last sign-in on it.
    pub lifetime: Duration,
    /// Whether people are told of sign-ins on devices that are not known.
    pub notices: bool,
    /// How long no second factor is asked for on a device on which one was shown,
    /// if the person wants that. Zero: always asked for.
    pub remembered: Duration,
}

/// Of people who leave.
#[derive(Debug, Clone)]
pub struct UserSettings {
    /// How long their addresses may not join again.
    pub rejoin_wait: Duration,
    /// After how long their personal data is erased.
    pub retention: Duration,
}

/// Of tokens and sessions.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// `iss`.
    pub issuer: String,
    /// The audiences for which tokens are issued, the first by default.
    pub audiences: Vec<String>,
    /// The scopes that everybody may ask for.
    pub scopes: Vec<Scope>,
    /// The scopes that users and service accounts have by themselves.
    pub granted_scopes: Vec<Scope>,
    /// The algorithm of new signing keys.
    pub algorithm: Algorithm,
    /// How long an access token is good.
    pub access_ttl: Duration,
    /// How long a session lives without a refresh.
    pub idle_ttl: Duration,
    /// How long a session lives in any case.
    pub session_ttl: Duration,
    /// How long an exchanged refresh token yields the same successor.
    pub refresh_grace: Duration,
    /// How far clocks may differ.
    pub leeway: Duration,
    /// How old what is known of revocations and keys may be before the database
    /// is asked.
    pub feed_bound: Duration,
    /// How long a key signs before the next takes over.
    pub key_rotation: Duration,
    /// Tokens in the form of another server.
    pub profiles: TokenProfiles,
}

/// Of codes and proofs.
#[derive(Debug, Clone)]
pub struct VerificationSettings {
    /// The digits of a code.
    pub code_digits: u32,
    /// How long a code is good.
    pub code_ttl: Duration,
    /// Tries of one code.
    pub code_tries: u32,
    /// How long a proof is good.
    pub proof_ttl: Duration,
    /// The time between two messages to one address.
    pub cooldown: Duration,
    /// Messages to one address in a day.
    pub sends_per_address: u32,
    /// Messages from one source in an hour.
    pub sends_per_source: u32,
    /// Messages to one country's numbers in an hour.
    pub sends_per_country: u32,
    /// Messages in all in an hour.
    pub sends_in_all: u32,
    /// Wrong codes of one address in a day.
    pub wrong_codes_per_address: u32,
    /// The countries whose numbers codes are sent to; all if there is none.
    pub countries: Vec<Region>,
    /// How many text messages may be sent whose codes are not typed in.
    pub unverified: UnverifiedSettings,
    /// Where links may lead. With none, there are no links.
    pub link_prefixes: Vec<LinkPrefix>,
}

/// How many text messages may be sent in a day whose codes are not typed in, at
/// least: the limits of countries, sources and networks grow with what was
/// verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnverifiedSettings {
    /// Whether what would be refused is counted, and sent all the same.
    pub records_only: bool,
    /// To numbers of the country where numbers without a country code are at home.
    pub at_home: u32,
    /// To numbers of another country.
    pub per_country: u32,
    /// To numbers of all other countries together.
    pub abroad: u32,
    /// From one source.
    pub per_source: u32,
    /// From one network, of sources that have verified nothing lately.
    pub per_network: u32,
    /// To numbers that differ in their last two digits.
    pub per_neighbourhood: u32,
}

impl VerificationSettings {
    /// Whether codes are sent to this address, if it is a number: to its country.
    #[must_use]
    pub fn sends_to(&self, address: &Address) -> bool {
        let Address::Phone(phone) = address else {
            return true;
        };
        let is_listed = |country| self.countries.contains(&country);
        self.countries.is_empty() || phone.region().is_some_and(is_listed)
    }

    /// Where a link shall lead, if that is offered.
    ///
    /// # Errors
    /// What would be right.
    pub fn offered_link_prefix(&self, wanted: &str) -> Result<LinkPrefix, &'static str> {
        if self.link_prefixes.is_empty() {
            return Err("must be empty: the server's verification.link_prefixes has no entry");
        }
        let prefix = LinkPrefix::parse(wanted)?;
        if self.link_prefixes.contains(&prefix) {
            Ok(prefix)
        } else {
            Err("must be one of the server's verification.link_prefixes")
        }
    }
}

impl TokenSettings {
    /// The lifetimes of what belongs to a session.
    #[must_use]
    pub fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            access: self.access_ttl.max(self.profiles.longest_access_ttl()),
            grace: self.refresh_grace,
            idle: self.idle_ttl,
        }
    }

    /// How long a key is kept that signs no more: until the last of its tokens
    /// has expired, whatever other replicas are configured to issue.
    #[must_use]
    pub fn retired_key_ttl(&self) -> Duration {
        self.access_ttl + self.leeway + Revocation::MARGIN
    }
}
