//! Limits on attempts and messages. They are counted by what the attacker
//! aims at, in normal form, whether or not there is such a user.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::application::Application;
use crate::error::{Error, Limit};
use crate::model::{Address, ClientContext, GroupId, Identifier, Secrets};
use crate::ports::Count;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Secrets {
    /// The name of something in the ephemeral store. It tells nobody whom it is
    /// about: the parts are hashed under a key.
    pub(crate) fn name(&self, kind: &str, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.names);
        for part in [kind].iter().chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        format!("{kind}:{}", URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16]))
    }
}

impl Application {
    /// Counts an attempt at a person's password from a source, before it is
    /// made.
    pub(crate) async fn count_source_attempt(
        &self,
        group: &GroupId,
        identifier: &Identifier,
        client: &ClientContext,
    ) -> Result<(), Error> {
        for (name, (limit, window)) in self
            .source_attempt_names(group, identifier, client)
            .zip(&self.settings.source_attempts)
        {
            self.count(&name, *limit, *window, Limit::Attempts).await?;
        }
        Ok(())
    }

    /// After a good attempt the source starts afresh.
    pub(crate) async fn forget_source_attempts(
        &self,
        group: &GroupId,
        identifier: &Identifier,
        client: &ClientContext,
    ) -> Result<(), Error> {
        for name in self.source_attempt_names(group, identifier, client) {
            self.ephemeral.take(&name).await?;
        }
        Ok(())
    }

    fn source_attempt_names<'a>(
        &'a self,
        group: &'a GroupId,
        identifier: &'a Identifier,
        client: &'a ClientContext,
    ) -> impl Iterator<Item = String> + 'a {
        let source = client.source();
        self.settings
            .source_attempts
            .iter()
            .map(move |(_, window)| {
                let parts = [
                    group.as_str(),
                    identifier.kind().as_str(),
                    identifier.as_str(),
                    &source,
                    &window.as_secs().to_string(),
                ];
                self.secrets.name("sign-in", &parts)
            })
    }

    /// Counts a message to an address before it is made.
    pub(crate) async fn count_send(
        &self,
        group: &GroupId,
        address: &Address,
        client: &ClientContext,
    ) -> Result<(), Error> {
        let limits = &self.settings.verification;
        let whom = [group.as_str(), address.as_str()];
        let name = |kind, parts: &[&str]| self.secrets.name(kind, parts);
        self.count(
            &name("send-cooldown", &whom),
            1,
            limits.cooldown,
            Limit::Messages,
        )
        .await?;
        self.count(
            &name("send-address", &whom),
            limits.sends_per_address,
            DAY,
            Limit::Messages,
        )
        .await?;
        if client.ip_address.is_some() {
            let source = client.source();
            self.count(
                &name("send-source", &[&source]),
                limits.sends_per_source,
                HOUR,
                Limit::Messages,
            )
            .await?;
        }
        if let Address::Phone(phone) = address {
            self.count(
                &name("send-country", &[phone.prefix()]),
                limits.sends_per_country,
                HOUR,
                Limit::Messages,
            )
            .await?;
        }
        self.count(
            &name("send-all", &[]),
            limits.sends_in_all,
            HOUR,
            Limit::Messages,
        )
        .await
    }

    /// Counts a try of an address's code before it is compared.
    pub(crate) async fn count_code_try(
        &self,
        group: &GroupId,
        address: &Address,
    ) -> Result<(), Error> {
        let limit = self.settings.verification.wrong_codes_per_address;
        self.count(
            &self.code_try_name(group, address),
            limit,
            DAY,
            Limit::Attempts,
        )
        .await
    }

    /// After the right code the address starts afresh.
    pub(crate) async fn forget_code_tries(
        &self,
        group: &GroupId,
        address: &Address,
    ) -> Result<(), Error> {
        self.ephemeral
            .take(&self.code_try_name(group, address))
            .await?;
        Ok(())
    }

    fn code_try_name(&self, group: &GroupId, address: &Address) -> String {
        self.secrets
            .name("code-tries", &[group.as_str(), address.as_str()])
    }

    async fn count(
        &self,
        name: &str,
        limit: u32,
        window: Duration,
        what: Limit,
    ) -> Result<(), Error> {
        match self.ephemeral.count_within(name, limit, window).await? {
            Count::Counted(_) => Ok(()),
            Count::Exceeded { retry_after } => Err(Error::Exhausted {
                limit: what,
                retry_after,
            }),
        }
    }
}
