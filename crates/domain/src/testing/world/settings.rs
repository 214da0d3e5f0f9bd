//! The settings of the world, which are near to the defaults of the server.

use std::time::Duration;

use countersign_token::Algorithm;

use crate::application::{
    DeviceSettings, Settings, TokenSettings, UnverifiedSettings, UserSettings, VerificationSettings,
};
use crate::model::{LinkPrefix, MfaPolicy, Region, Scope, TokenProfiles};

/// Where links lead.
pub const LINK_PREFIX: &str = "https://shop.example.com/confirm";

/// The usual ones.
pub(super) fn settings() -> Settings {
    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    Settings {
        tokens: TokenSettings {
            issuer: "https://id.example.com".into(),
            audiences: vec!["shop".into(), "billing".into()],
            scopes: vec![Scope::parse("orders.read").expect("a scope")],
            granted_scopes: Vec::new(),
            algorithm: Algorithm::EdDsa,
            access_ttl: 5 * MINUTE,
            idle_ttl: 30 * DAY,
            session_ttl: 180 * DAY,
            refresh_grace: Duration::from_secs(30),
            leeway: Duration::from_secs(5),
            feed_bound: Duration::from_secs(10),
            key_rotation: 30 * DAY,
            profiles: TokenProfiles::default(),
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
            countries: Vec::new(),
            unverified: UnverifiedSettings {
                records_only: false,
                at_home: 2_000,
                per_country: 20,
                abroad: 1_000,
                per_source: 30,
                per_network: 100,
                per_neighbourhood: 10,
            },
            link_prefixes: vec![LinkPrefix::parse(LINK_PREFIX).expect("a prefix")],
        },
        mfa_policy: MfaPolicy::Optional,
        mfa_policy_of_groups: Vec::new(),
        devices: DeviceSettings {
            lifetime: 180 * DAY,
            notices: true,
            remembered: Duration::ZERO,
        },
        users: UserSettings {
            rejoin_wait: 7 * DAY,
            retention: 7 * DAY,
        },
        audit_retention: 365 * DAY,
        undo_time: 3 * DAY,
        passkeys: None,
        region: Region::parse("KR").expect("a region"),
        password_attempts: 100,
        source_attempts: vec![(10, 15 * MINUTE)],
        attempts_per_source: (200, 15 * MINUTE),
    }
}
