//! What the suite is told, and how the service is set for it.

use std::time::Duration;

use countersign_domain::application::Settings;

use crate::keys::relying_party;

/// The one sequence to play, if one is named.
#[expect(
    clippy::disallowed_methods,
    reason = "whoever repeats a sequence names its seed in the environment"
)]
pub(crate) fn seed() -> Option<u64> {
    let seed = std::env::var("COUNTERSIGN_TEST_SEED").ok()?;
    Some(seed.parse().expect("COUNTERSIGN_TEST_SEED is a number"))
}

/// No limit is in the way but those that the model has, and tokens are signed
/// quickly.
pub(crate) fn generous(settings: &mut Settings) {
    const MANY: u32 = 1_000_000;
    settings.tokens.algorithm = countersign_token::Algorithm::Hs256;
    settings.devices.remembered = Duration::from_secs(24 * 60 * 60);
    settings.passkeys = Some(relying_party());
    settings.password_attempts = MANY;
    settings.source_attempts.clear();
    settings.attempts_per_source.0 = MANY;
    let verification = &mut settings.verification;
    verification.cooldown = Duration::ZERO;
    verification.sends_per_address = MANY;
    verification.sends_in_all = MANY;
    verification.wrong_codes_per_address = MANY;
    verification.sends_per_country = MANY;
    verification.unverified.records_only = true;
}
