//! What the policy asks for beside the first factor.

use crate::application::{Application, CodeFactorsOf};
use crate::error::Error;
use crate::model::{
    Address, AuthenticationMethod, CodeFactor, Device, FactorKind, GroupId, MfaFactor, MfaPolicy,
    UserId,
};

/// What the policy asks for.
pub(super) enum Asked {
    /// Nothing more.
    Nothing,
    /// A second factor.
    Second(Offer),
    /// A second factor, and the person has none that could be shown.
    Unavailable,
}

/// What a second factor may be.
pub(super) struct Offer {
    /// Of which kinds.
    pub(super) factors: Vec<MfaFactor>,
    /// The addresses to which a code can be sent.
    pub(super) codes: Vec<CodeFactor>,
    /// The address that was proved already.
    pub(super) proved: Option<Address>,
    /// Whether verified addresses stand in if nothing is enrolled.
    pub(super) addresses_stand_in: bool,
    /// Whether known devices on which one was shown are let in without.
    lets_known_devices_in: bool,
}

/// Who has shown which first factor.
pub(super) struct First<'a> {
    pub(super) group: &'a GroupId,
    pub(super) user: UserId,
    pub(super) method: AuthenticationMethod,
    /// The address that it has proved.
    pub(super) proved: Option<&'a Address>,
}

impl Asked {
    /// Whether nothing is asked for.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Whether nothing is asked for on a known device of the person.
    pub(super) fn lets_in(&self, app: &Application, device: &Device) -> bool {
        match self {
            Self::Nothing => true,
            Self::Second(offer) => {
                app.devices.is_remembered(device)
                    || (offer.lets_known_devices_in && app.devices.has_shown(device))
            }
            Self::Unavailable => app.devices.is_remembered(device),
        }
    }
}

impl First<'_> {
    /// What the policy asks for beside it. A factor that cannot be read is one that
    /// the person has.
    pub(super) async fn asked(&self, app: &Application) -> Result<Asked, Error> {
        let policy = app.groups.mfa_policy(self.group)?;
        if policy == MfaPolicy::Off {
            return Ok(Asked::Nothing);
        }
        let kinds = app.store.factor_kinds(self.user).await?;
        let is_asked = !kinds.is_empty() || policy.is_for_everybody();
        if !is_asked {
            return Ok(Asked::Nothing);
        }
        let is_address = |kind: &Option<FactorKind>| kind.is_some_and(FactorKind::is_address);
        let codes = match kinds.is_empty() || kinds.iter().any(is_address) {
            true => {
                let of = CodeFactorsOf {
                    user: self.user,
                    proved: self.proved,
                    addresses_stand_in: policy.is_for_everybody(),
                };
                app.code_factors.offered(of).await?.factors
            }
            false => Vec::new(),
        };
        let factors = MfaFactor::of_kinds(&kinds, app.passkeys.are_taken(), &codes);
        if factors.is_empty() {
            return Ok(self.without_any());
        }
        Ok(Asked::Second(Offer {
            factors,
            codes,
            proved: self.proved.cloned(),
            addresses_stand_in: policy.is_for_everybody(),
            lets_known_devices_in: policy == MfaPolicy::RequiredForUnknownDevices,
        }))
    }

    /// Who knows the password alone is not let in, and could enrol a factor of his
    /// own if he were. Who has proved the only address of the account has shown all
    /// that its owner has: a refusal would lock the owner out for good.
    fn without_any(&self) -> Asked {
        match self.method {
            AuthenticationMethod::Password => Asked::Unavailable,
            _ => Asked::Nothing,
        }
    }
}
