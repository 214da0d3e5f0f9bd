//! The section `[verification]`.

use std::time::Duration;

use countersign_domain::application::UnverifiedSettings;
use countersign_domain::model::{LinkPrefix, LinkToken, OneTimeSecret};
use serde::{Deserialize, Serialize};

use crate::config::Country;
use crate::config::checks::Checks;
use crate::config::serde_formats::{duration, link_prefixes};

/// `[verification]`: codes and proofs, and how many are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerificationConfig {
    /// The digits of a code.
    pub code_digits: u32,
    /// How long a code is good.
    #[serde(with = "duration")]
    pub code_ttl: Duration,
    /// Tries of one code.
    pub code_tries: u32,
    /// How long a proof is good.
    #[serde(with = "duration")]
    pub proof_ttl: Duration,
    /// The time between two messages to one address.
    #[serde(with = "duration")]
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
    pub countries: Vec<Country>,
    /// What is done about messages beyond those that may stay unverified.
    pub abuse: AbuseMode,
    /// Messages to numbers at home in a day whose codes nobody types in.
    pub unverified_at_home: u32,
    /// Messages to one other country's numbers, likewise.
    pub unverified_per_country: u32,
    /// Messages to numbers of all other countries, likewise.
    pub unverified_abroad: u32,
    /// Messages from one source, likewise.
    pub unverified_per_source: u32,
    /// Messages from one network, likewise.
    pub unverified_per_network: u32,
    /// Messages to numbers that differ in their last two digits, likewise.
    pub unverified_per_neighbourhood: u32,
    /// Where links may lead; with none, there are no links.
    #[serde(with = "link_prefixes")]
    pub link_prefixes: Vec<LinkPrefix>,
}

/// What is done about messages beyond those that may stay unverified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AbuseMode {
    /// They are refused.
    #[default]
    Enforce,
    /// They are counted, and sent.
    Record,
}

impl Default for VerificationConfig {
    fn default() -> Self {
        Self {
            code_digits: 6,
            code_ttl: Duration::from_secs(300),
            code_tries: 5,
            proof_ttl: Duration::from_secs(600),
            cooldown: Duration::from_secs(60),
            sends_per_address: 10,
            sends_per_source: 60,
            sends_per_country: 1_000,
            sends_in_all: 10_000,
            wrong_codes_per_address: 10,
            countries: Vec::new(),
            abuse: AbuseMode::default(),
            unverified_at_home: 2_000,
            unverified_per_country: 20,
            unverified_abroad: 1_000,
            unverified_per_source: 30,
            unverified_per_network: 100,
            unverified_per_neighbourhood: 10,
            link_prefixes: Vec::new(),
        }
    }
}

impl VerificationConfig {
    /// How many bytes the longest link has; 0 if there are none.
    pub(in crate::config) fn longest_link(&self) -> usize {
        let lengths = self
            .link_prefixes
            .iter()
            .map(|prefix| prefix.as_str().len());
        lengths
            .max()
            .map_or(0, |prefix| prefix + 1 + LinkToken::TEXT_LEN)
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let (least, hour) = (Duration::from_secs(30), Duration::from_secs(3_600));
        checks.within("verification.code_digits", self.code_digits, 4..=10);
        let longest = OneTimeSecret::LONGEST_TTL;
        checks.lasts("verification.code_ttl", self.code_ttl, least..=longest);
        checks.within("verification.code_tries", self.code_tries, 1..=10);
        checks.lasts("verification.proof_ttl", self.proof_ttl, least..=hour);
        checks.lasts(
            "verification.cooldown",
            self.cooldown,
            Duration::ZERO..=hour,
        );
        for (key, value, most) in [
            (
                "verification.sends_per_address",
                self.sends_per_address,
                1_000,
            ),
            (
                "verification.sends_per_source",
                self.sends_per_source,
                1_000_000,
            ),
            (
                "verification.sends_per_country",
                self.sends_per_country,
                100_000_000,
            ),
            ("verification.sends_in_all", self.sends_in_all, 100_000_000),
            (
                "verification.wrong_codes_per_address",
                self.wrong_codes_per_address,
                1_000,
            ),
        ] {
            checks.within(key, value, 1..=most);
        }
        for (key, value) in [
            ("verification.unverified_at_home", self.unverified_at_home),
            (
                "verification.unverified_per_country",
                self.unverified_per_country,
            ),
            ("verification.unverified_abroad", self.unverified_abroad),
            (
                "verification.unverified_per_source",
                self.unverified_per_source,
            ),
            (
                "verification.unverified_per_network",
                self.unverified_per_network,
            ),
            (
                "verification.unverified_per_neighbourhood",
                self.unverified_per_neighbourhood,
            ),
        ] {
            checks.within(key, value, 1..=100_000_000);
        }
    }

    /// The settings of messages that nobody verifies.
    pub(in crate::config) fn unverified(&self) -> UnverifiedSettings {
        UnverifiedSettings {
            records_only: self.abuse == AbuseMode::Record,
            at_home: self.unverified_at_home,
            per_country: self.unverified_per_country,
            abroad: self.unverified_abroad,
            per_source: self.unverified_per_source,
            per_network: self.unverified_per_network,
            per_neighbourhood: self.unverified_per_neighbourhood,
        }
    }
}
