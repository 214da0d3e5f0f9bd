//! What is read of a person who signs in, before the unit of work.

use super::asked::{Asked, First};
use crate::application::Application;
use crate::error::Error;
use crate::model::{Address, Device, DeviceClaim, ProvenUser, UserId};

/// What is read of a person before the unit of work.
pub(super) struct Facts {
    /// What the policy asks for beside the first factor, but on some devices.
    pub(super) asked: Asked,
    /// The device, if it is one of the person's.
    pub(super) known: Option<Device>,
    /// Whom to tell of a device that is not known.
    pub(super) told: Vec<Address>,
}

impl Facts {
    /// Reads what an opening depends on. `known` is a device of the user.
    pub(super) async fn read(
        app: &Application,
        first: First<'_>,
        claim: DeviceClaim,
        known: Option<Device>,
    ) -> Result<Self, Error> {
        let asked = first.asked(app).await?;
        // Once the second factor is shown.
        let told = match asked.is_nothing() {
            true => told(app, first.user, claim, known.as_ref()).await?,
            false => Vec::new(),
        };
        Ok(Self { asked, known, told })
    }

    /// Reads what an opening depends on where two factors were shown.
    pub(super) async fn after_two_factors(
        app: &Application,
        user: ProvenUser,
        claim: DeviceClaim,
    ) -> Result<Self, Error> {
        let known = known_device(app, user, claim).await?;
        Ok(Self {
            asked: Asked::Nothing,
            told: told(app, user.id, claim, known.as_ref()).await?,
            known,
        })
    }

    /// Lets the job know of messages, after the commit.
    pub(super) fn committed(&self, app: &Application) {
        if !self.told.is_empty() {
            app.messages.queued();
        }
    }
}

/// The device that the gateway tells of, if it is one of the user's.
pub(super) async fn known_device(
    app: &Application,
    user: ProvenUser,
    claim: DeviceClaim,
) -> Result<Option<Device>, Error> {
    let known = app.devices.find(claim).await?;
    Ok(known.filter(|device| device.is_of(user)))
}

async fn told(
    app: &Application,
    user: UserId,
    claim: DeviceClaim,
    known: Option<&Device>,
) -> Result<Vec<Address>, Error> {
    app.devices.to_tell(user, claim, known).await
}
