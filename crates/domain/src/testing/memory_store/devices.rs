//! Devices on which people have signed in.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, delete_over};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{Device, DeviceDigest, UserId};
use crate::ports::{DeviceChanges, DeviceTouch, Devices, Retention, StoreError};

impl Tables {
    pub(super) fn delete_expired_devices(&mut self, retention: Retention, limit: usize) -> usize {
        delete_over(&mut self.devices, limit, |(_, device)| {
            device.expires_at < retention.now
        })
    }
}

#[async_trait]
impl Devices for MemoryStore {
    async fn device(&self, digest: &DeviceDigest) -> Result<Option<Device>, StoreError> {
        self.read(|tables| tables.devices.get(digest).map(|(_, device)| device.clone()))
    }

    async fn has_devices(&self, user: UserId) -> Result<bool, StoreError> {
        self.read(|tables| {
            let mut devices = tables.devices.values();
            devices.any(|(_, device)| device.user_id == user)
        })
    }

    async fn count_device_attempt(
        &self,
        digest: &DeviceDigest,
        cap: u32,
    ) -> Result<bool, StoreError> {
        self.write(|tables| match tables.devices.get_mut(digest) {
            Some((_, device)) if device.failures < cap => {
                device.failures += 1;
                true
            }
            _ => false,
        })
        .await
    }
}

#[async_trait]
impl DeviceChanges for MemoryUnitOfWork {
    async fn insert_device(&mut self, device: &Device) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&device.user_id) {
            return Err(StoreError::Conflict);
        }
        let devices = &mut self.tables.devices;
        let of_user = devices
            .values()
            .filter(|(_, d)| d.user_id == device.user_id);
        let newest = of_user.map(|(number, _)| *number).max();
        let number = newest.map_or(0, |newest| newest + 1);
        let slot = |number: u32| number % Device::PER_USER;
        devices.retain(|_, (other, d)| d.user_id != device.user_id || slot(*other) != slot(number));
        devices.insert(device.digest, (number, device.clone()));
        Ok(())
    }

    async fn touch_device(&mut self, touch: &DeviceTouch<'_>) -> Result<bool, StoreError> {
        let Some((_, device)) = self.tables.devices.get_mut(touch.digest) else {
            return Ok(false);
        };
        if !device.is_of(touch.user) || device.expires_at <= touch.seen_at {
            return Ok(false);
        }
        device.failures = 0;
        device.seen_at = touch.seen_at;
        device.expires_at = touch.expires_at;
        device.factor_shown_at = match touch.shown {
            true => Some(touch.seen_at),
            false => device.factor_shown_at.filter(|at| *at <= touch.seen_at),
        };
        Ok(true)
    }

    async fn forget_devices(&mut self, user: UserId) -> Result<(), StoreError> {
        let devices = self.tables.devices.values_mut();
        for (_, device) in devices.filter(|(_, device)| device.user_id == user) {
            device.credential_version = Device::FORGOTTEN;
        }
        Ok(())
    }

    async fn forget_shown_factors(&mut self, user: UserId) -> Result<(), StoreError> {
        let devices = self.tables.devices.values_mut();
        for (_, device) in devices.filter(|(_, device)| device.user_id == user) {
            device.factor_shown_at = None;
        }
        Ok(())
    }
}
