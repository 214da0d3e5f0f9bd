//! The devices on which people have signed in before.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Device, DeviceDigest, ProvenUser, Timestamp, UserId};

/// Reads devices, and counts attempts from them.
#[async_trait]
pub trait Devices {
    /// The device with this digest. One that cannot be read is not known, and
    /// named in the log.
    async fn device(&self, digest: &DeviceDigest) -> Result<Option<Device>, StoreError>;

    /// Whether anybody has signed in as this user on a device of which a row is
    /// left, known still or not.
    async fn has_devices(&self, user: UserId) -> Result<bool, StoreError>;

    /// Counts an attempt at a password from a device before it is compared,
    /// unless `cap` attempts have failed in a row. Tells whether it was counted:
    /// if not, the password must not be compared.
    async fn count_device_attempt(
        &self,
        digest: &DeviceDigest,
        cap: u32,
    ) -> Result<bool, StoreError>;
}

/// Changes devices. Who changes those of a user has locked the user.
#[async_trait]
pub trait DeviceChanges {
    /// Adds a device of a user, who must be there, with a digest of its own. If the user has
    /// [`Device::PER_USER`] then, it takes the place of the first one.
    async fn insert_device(&mut self, device: &Device) -> Result<(), StoreError>;

    /// After a good attempt from a device, if it is there, is known at `seen_at`
    /// and is one of the user as it is now: no failures in a row any more, and it
    /// was seen then; if `shown`, a second factor was shown on it then. Tells
    /// whether it was. Neither [`Device::seen_at`] nor [`Device::expires_at`] goes
    /// back.
    async fn touch_device(&mut self, touch: &DeviceTouch<'_>) -> Result<bool, StoreError>;

    /// Lets none of the devices of a user be known any more: they are
    /// [`Device::FORGOTTEN`]. Their rows stay, so that [`Devices::has_devices`]
    /// tells that somebody has signed in.
    async fn forget_devices(&mut self, user: UserId) -> Result<(), StoreError>;

    /// Lets none of the devices of a user be remembered any more. They stay known.
    async fn forget_shown_factors(&mut self, user: UserId) -> Result<(), StoreError>;
}

/// A sign-in on a device that is known.
#[derive(Debug, Clone, Copy)]
pub struct DeviceTouch<'a> {
    /// Which device.
    pub digest: &'a DeviceDigest,
    /// The user as it is now.
    pub user: ProvenUser,
    /// When.
    pub seen_at: Timestamp,
    /// Until when it is known then.
    pub expires_at: Timestamp,
    /// Whether a second factor was shown that is to be remembered.
    pub shown: bool,
}
