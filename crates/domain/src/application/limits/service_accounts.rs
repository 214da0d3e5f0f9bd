//! Limits on what service accounts prove themselves with. Guesses are charged to their
//! source alone, so that nobody keeps an account out; and what an account has proved
//! itself with is kept as long as it could be shown again.

use std::time::Duration;

use super::{Charge, Limits};
use crate::error::{Error, Limit};
use crate::model::{ClientContext, ServiceAccountId};

/// The most assertions of an account, and in which window: as long as one may live. It
/// bounds what is kept of those that were used.
const ASSERTIONS: (u32, Duration) = (6_000, Duration::from_secs(5 * 60));

impl Limits {
    /// Charges a sign-in of a service account to the source, before the database is
    /// asked for it.
    pub(crate) async fn charge_service_account(
        &self,
        client: &ClientContext,
    ) -> Result<Charge, Error> {
        let mut budgets = Vec::new();
        if client.ip_address.is_some() {
            let (limit, window) = self.settings.attempts_per_source;
            let source = client.source();
            budgets.push(self.budget("service-account-source", &[&source], limit, window));
        }
        self.charge(budgets, Limit::Attempts).await
    }

    /// Uses an assertion that an account has signed, which is good for `ttl` at the
    /// most. Tells whether it was not used before.
    pub(crate) async fn use_assertion(
        &self,
        account: ServiceAccountId,
        jti: &str,
        ttl: Duration,
    ) -> Result<bool, Error> {
        let account = account.to_string();
        let (limit, window) = ASSERTIONS;
        let budget = self.budget("client-assertions", &[&account], limit, window);
        // It stays spent: the store has an entry for it.
        let _spent = self.charge(vec![budget], Limit::Attempts).await?;
        let name = self.name("client-assertion", &[&account, jti]);
        Ok(self.ephemeral.put_if_absent(&name, &[1], ttl).await?)
    }
}
