//! An MFA session that is answered with what the user has enrolled.

use super::{CreateMfaSession, CreatedMfaSession};
use crate::application::Application;
use crate::error::Error;
use crate::model::{DeviceClaim, MfaFactor, MfaSessionRecord, ProvenUser};
use crate::ports::Clock as _;

impl CreateMfaSession {
    /// Keeps an MFA session without a code. One of a user who is unknown, or has
    /// nothing enrolled, is kept as well: only answers are wrong.
    pub(super) async fn for_factors(self, app: &Application) -> Result<CreatedMfaSession, Error> {
        let charge = app.limits.charge_mfa_session(&self.user, &self.client);
        let charge = charge.await?;
        let created = async {
            let user = self.active_user(app).await?;
            let now = app.clock.now();
            let ttl = self.ttl.unwrap_or(app.settings.verification.code_ttl);
            let record = MfaSessionRecord {
                group: self.group,
                user: user.as_ref().map(ProvenUser::of),
                stand_in: Some(app.limits.stand_in(&self.user)),
                factors: MfaFactor::enrolled(app.passkeys.are_taken()),
                shown: Vec::new(),
                proved: None,
                addresses_stand_in: false,
                client_id: self.client_id,
                audience: self.audience,
                scopes: self.scopes,
                client: self.client,
                known_as: DeviceClaim::Untold,
                message: None,
                created_at: now,
                expires_at: now.plus(ttl),
            };
            Ok(CreatedMfaSession {
                id: app.mfa_sessions.keep_for_factors(&record).await?,
                expires_at: record.expires_at,
            })
        };
        let created = created.await;
        app.limits.refund_if_failed(charge, created).await
    }
}
