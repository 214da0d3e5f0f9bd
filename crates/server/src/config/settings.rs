//! The configuration in the terms of the domain.

use countersign_delivery::TemplateSettings;
use countersign_domain::Settings;
use countersign_domain::application::{
    DeviceSettings, TokenSettings, UserSettings, VerificationSettings,
};
use countersign_domain::model::{OneTimeSecret, RelyingParty, TokenProfile, TokenProfiles};

use super::{Config, SmsProvider};

impl Config {
    /// What the texts of messages depend on.
    pub(crate) fn template_settings(&self) -> TemplateSettings {
        let delivery = &self.delivery;
        TemplateSettings {
            product: delivery.product_name.clone(),
            origin: delivery.origin.clone(),
            folder: delivery.templates.clone(),
            code_digits: self.verification.code_digits,
            longest_ttl: OneTimeSecret::LONGEST_TTL,
            longest_link: self.verification.longest_link(),
            undo_link: self.identifiers.undo_link.clone(),
            undo_time: self.identifiers.undo_time,
            counts_sms: delivery.sms.iter().any(|name| *name != SmsProvider::Log),
        }
    }

    /// The site whose passkeys are taken, if any are.
    ///
    /// # Errors
    /// The setting that is wrong, and what it must be.
    pub(super) fn relying_party(
        &self,
    ) -> Result<Option<RelyingParty>, (&'static str, &'static str)> {
        let passkeys = &self.passkeys;
        if passkeys.rp_id.is_empty() && passkeys.origins.is_empty() {
            return Ok(None);
        }
        if passkeys.rp_id.is_empty() {
            let rule = "must be set too, as passkeys.origins is: the domain that passkeys belong \
                        to, such as example.com";
            return Err(("passkeys.rp_id", rule));
        }
        let name = match self.delivery.product_name.as_str() {
            "" => &passkeys.rp_id,
            name => name,
        };
        RelyingParty::new(&passkeys.rp_id, name, &passkeys.origins).map(Some)
    }

    /// The token profiles, by name, with their keys.
    ///
    /// # Errors
    /// The settings that are wrong, and what they must be.
    pub(crate) fn token_profiles(&self) -> Result<TokenProfiles, Vec<(String, String)>> {
        let tokens = &self.tokens;
        let (mut profiles, mut wrong) = (Vec::<TokenProfile>::new(), Vec::new());
        for (name, profile) in &tokens.profiles {
            let key = |setting: &str| format!("tokens.profiles.{name}.{setting}");
            match profile.profile(name, &tokens.audiences) {
                Ok(profile) => {
                    let same_key =
                        |other: &&TokenProfile| other.form.key().kid() == profile.form.key().kid();
                    if let Some(other) = profiles.iter().find(same_key) {
                        let rule = format!(
                            "must not have the key of tokens.profiles.{}: a token is one of one \
                             profile",
                            other.name
                        );
                        wrong.push((key("algorithm"), rule));
                    }
                    if let Some(other) = profiles.iter().find(|other| other.overlaps(&profile)) {
                        let rule = format!(
                            "must choose others than tokens.profiles.{}: by groups, callers or \
                             audiences",
                            other.name
                        );
                        wrong.push((key("groups"), rule));
                    }
                    profiles.push(profile);
                }
                Err((setting, rule)) => wrong.push((key(setting), rule)),
            }
        }
        match wrong.is_empty() {
            true => Ok(TokenProfiles::new(profiles)),
            false => Err(wrong),
        }
    }

    /// The settings of the domain, but for the token profiles.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let tokens = &self.tokens;
        let verification = &self.verification;
        Settings {
            tokens: TokenSettings {
                issuer: tokens.issuer.clone(),
                audiences: tokens.audiences.clone(),
                scopes: tokens.scopes.clone(),
                granted_scopes: tokens.granted_scopes.clone(),
                algorithm: tokens.algorithm,
                access_ttl: tokens.access_ttl,
                idle_ttl: tokens.idle_ttl,
                session_ttl: tokens.session_ttl,
                refresh_grace: tokens.refresh_grace,
                leeway: tokens.leeway,
                feed_bound: self.validation.feed_bound,
                key_rotation: self.keys.rotation,
                // They have keys in files: see `token_profiles`.
                profiles: TokenProfiles::default(),
            },
            verification: VerificationSettings {
                code_digits: verification.code_digits,
                code_ttl: verification.code_ttl,
                code_tries: verification.code_tries,
                proof_ttl: verification.proof_ttl,
                cooldown: verification.cooldown,
                sends_per_address: verification.sends_per_address,
                sends_per_source: verification.sends_per_source,
                sends_per_country: verification.sends_per_country,
                sends_in_all: verification.sends_in_all,
                wrong_codes_per_address: verification.wrong_codes_per_address,
                countries: verification.countries.iter().map(|c| c.0).collect(),
                unverified: verification.unverified(),
                link_prefixes: verification.link_prefixes.clone(),
            },
            mfa_policy: self.mfa.policy.into(),
            mfa_policy_of_groups: self.mfa.of_groups(),
            devices: DeviceSettings {
                lifetime: self.devices.lifetime,
                notices: self.devices.notices,
                remembered: self.mfa.remember_device,
            },
            users: UserSettings {
                rejoin_wait: self.users.rejoin_wait,
                retention: self.users.retention,
            },
            audit_retention: self.audit.retention,
            undo_time: self.identifiers.undo_time,
            passkeys: self.relying_party().ok().flatten(),
            region: self.identifiers.default_region.0,
            password_attempts: self.passwords.attempts,
            source_attempts: self.passwords.source_attempts(),
            attempts_per_source: self.passwords.failures_per_source(),
        }
    }
}
