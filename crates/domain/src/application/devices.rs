//! Known devices: telling whether a sign-in comes from one, and getting to know
//! new ones.
//!
//! A device token does not change from sign-in to sign-in: it signs nobody in, a
//! lost answer must not make the device unknown, and it is sent in parallel.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::application::{Groups, Messages, Settings};
use crate::error::Error;
use crate::model::{
    Address, Device, DeviceClaim, DeviceToken, GroupId, Locale, MfaPolicy, ProvenUser, Timestamp,
    User, UserId,
};
use crate::ports::{Clock, Content, DeviceTouch, Random, Store, UnitOfWork};

/// Knows devices.
pub struct Devices {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    groups: Groups,
    settings: Arc<Settings>,
}

/// How a device is known from a sign-in on.
#[derive(Debug, Clone)]
pub struct KnownDevice {
    /// Its token, if it is another than the one that was presented.
    pub token: Option<DeviceToken>,
    /// From when on it is not known any more.
    pub expires_at: Timestamp,
}

/// A sign-in on a device, which a unit of work carries out.
#[derive(Debug)]
pub(crate) struct DeviceSignIn<'a> {
    /// What the gateway told.
    pub(crate) claim: DeviceClaim,
    /// Whom to tell if it was not.
    pub(crate) told: &'a [Address],
    /// In which language.
    pub(crate) locale: Locale,
    /// Whether a second factor was shown that is to be remembered.
    pub(crate) remember: bool,
}

impl Devices {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        groups: Groups,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            store,
            clock,
            random,
            groups,
            settings,
        }
    }

    /// The device that a gateway tells of, whoever signed in on it.
    pub(crate) async fn find(&self, claim: DeviceClaim) -> Result<Option<Device>, Error> {
        let Some(digest) = claim.digest() else {
            return Ok(None);
        };
        let device = self.store.device(&digest).await?;
        let (now, lifetime) = (self.clock.now(), self.settings.devices.lifetime);
        Ok(device.filter(|device| device.is_alive(now, lifetime)))
    }

    /// Whether the policy asks for no second factor on the device now.
    pub(crate) fn is_remembered(&self, device: &Device) -> bool {
        device.is_remembered(self.clock.now(), self.settings.devices.remembered)
    }

    /// The addresses that are to be told of a sign-in: those of a user who has
    /// signed in before, on other devices.
    pub(crate) async fn to_tell(
        &self,
        user: UserId,
        claim: DeviceClaim,
        known: Option<&Device>,
    ) -> Result<Vec<Address>, Error> {
        let is_new = claim != DeviceClaim::Untold && known.is_none();
        if is_new && self.settings.devices.notices && self.store.has_devices(user).await? {
            Ok(self.store.addresses(user).await?)
        } else {
            Ok(Vec::new())
        }
    }

    /// Whether a second factor was shown on the device, since the last change of
    /// those that there are. Under a policy that lets known devices in, it is noted
    /// of each; a device that is known for another reason is asked once.
    pub(crate) fn has_shown(&self, device: &Device) -> bool {
        let shown_at = device.factor_shown_at;
        shown_at.is_some_and(|at| at <= self.clock.now())
    }

    /// Whether it is to be noted that a second factor was shown on a device, if the
    /// person wants it to be remembered there or not.
    ///
    /// # Errors
    /// Unavailable, if the policy of the group cannot be told.
    pub(crate) fn remembers(&self, is_wanted: bool, group: &GroupId) -> Result<bool, Error> {
        let policy = self.groups.mfa_policy(group)?;
        Ok(policy == MfaPolicy::RequiredForUnknownDevices
            || (is_wanted && !self.settings.devices.remembered.is_zero()))
    }

    /// How long no second factor is asked for on a device on which one was shown, if that is
    /// offered.
    pub(crate) fn remembered(&self, claim: DeviceClaim) -> Option<Duration> {
        let remembered = self.settings.devices.remembered;
        let is_offered = claim != DeviceClaim::Untold && !remembered.is_zero();
        is_offered.then_some(remembered)
    }

    /// Notes a good attempt from a device that was known. Tells whether it still
    /// is.
    pub(crate) async fn touch(
        &self,
        uow: &mut dyn UnitOfWork,
        user: &User,
        known: Option<&Device>,
        remember: bool,
    ) -> Result<bool, Error> {
        let user = ProvenUser::of(user);
        let Some(device) = known.filter(|device| device.is_of(user)) else {
            return Ok(false);
        };
        let touch = DeviceTouch {
            digest: &device.digest,
            user,
            seen_at: self.clock.now(),
            expires_at: self.expiry(),
            shown: remember,
        };
        Ok(uow.touch_device(&touch).await?)
    }

    /// Lets the device be known from a sign-in on, and tells the user of one that
    /// was not known before.
    pub(crate) async fn admit(
        &self,
        uow: &mut dyn UnitOfWork,
        user: &User,
        is_known: bool,
        sign_in: &DeviceSignIn<'_>,
        messages: &Messages,
    ) -> Result<Option<KnownDevice>, Error> {
        let expires_at = self.expiry();
        if sign_in.claim == DeviceClaim::Untold {
            return Ok(None);
        }
        if is_known {
            return Ok(Some(KnownDevice {
                token: None,
                expires_at,
            }));
        }
        let now = self.clock.now();
        let token = DeviceToken::generate(&*self.random);
        uow.insert_device(&Device {
            digest: token.digest(),
            user_id: user.id,
            credential_version: user.credential_version,
            failures: 0,
            factor_shown_at: sign_in.remember.then_some(now),
            created_at: now,
            seen_at: now,
            expires_at,
        })
        .await?;
        for notice in messages.notices(sign_in.told, sign_in.locale, &Content::NewDevice)? {
            uow.insert_message(&notice).await?;
        }
        Ok(Some(KnownDevice {
            token: Some(token),
            expires_at,
        }))
    }

    fn expiry(&self) -> Timestamp {
        self.clock.now().plus(self.settings.devices.lifetime)
    }
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Devices(..)")
    }
}
