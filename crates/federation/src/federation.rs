//! The role of providers of sign-ins, filled by those that are configured.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_domain::model::{
    AuthorizationRequest, AuthorizationResponse, NativeIdToken, Provider, ProviderEvent,
    ProviderId, ProviderNotification, ProviderUser,
};
use countersign_domain::ports::{Clock, IdentityProviders, ProviderError};

use crate::config::ProviderConfig;
use crate::config_error::ConfigError;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::network::{Hosts, Roots};
use crate::notifications;
use crate::sign_in;

/// The providers that are configured.
pub struct Federation {
    providers: Vec<Provider>,
    connections: Vec<Connection>,
}

impl Federation {
    /// These providers, none of which is asked for anything yet.
    ///
    /// # Errors
    /// The first setting that cannot be.
    pub fn new(configs: Vec<ProviderConfig>, clock: &Arc<dyn Clock>) -> Result<Self, ConfigError> {
        Self::with_hosts(configs, clock, &Hosts::default())
    }

    /// The same, with hosts that are not looked up and count as public.
    ///
    /// # Errors
    /// The first setting that cannot be.
    #[cfg(feature = "testing")]
    pub fn testing(
        configs: Vec<ProviderConfig>,
        clock: &Arc<dyn Clock>,
        hosts: std::collections::HashMap<String, std::net::SocketAddr>,
    ) -> Result<Self, ConfigError> {
        Self::with_hosts(configs, clock, &Hosts::known(hosts))
    }

    fn with_hosts(
        configs: Vec<ProviderConfig>,
        clock: &Arc<dyn Clock>,
        hosts: &Hosts,
    ) -> Result<Self, ConfigError> {
        let roots = Roots::of_this_machine();
        let mut names = BTreeSet::new();
        let mut providers = Vec::with_capacity(configs.len());
        let mut connections = Vec::with_capacity(configs.len());
        for config in configs {
            if !names.insert(config.id.clone()) {
                return Err(config.error("id", "is another provider's, too"));
            }
            let connection = Connection::new(config, Arc::clone(clock), &roots, hosts.clone())?;
            let config = &connection.config;
            providers.push(Provider {
                id: config.id.clone(),
                kind: config.kind,
                display_name: config.display_name.clone(),
                issuer: connection.issuer().to_owned(),
                response_mode: sign_in::response_mode(config.kind, &config.scopes()),
            });
            connections.push(connection);
        }
        Ok(Self {
            providers,
            connections,
        })
    }

    fn connection(&self, provider: &ProviderId) -> Result<&Connection, ProviderError> {
        let mut connections = self.connections.iter();
        connections
            .find(|connection| connection.config.id == *provider)
            .ok_or_else(|| ProviderError::Unknown(provider.clone()))
    }
}

#[async_trait]
impl IdentityProviders for Federation {
    fn providers(&self) -> &[Provider] {
        &self.providers
    }

    async fn authorization_url(
        &self,
        provider: &ProviderId,
        request: &AuthorizationRequest,
    ) -> Result<String, ProviderError> {
        let connection = self.connection(provider)?;
        let url = sign_in::authorization_url(connection, request).await;
        logged(provider, "authorization_url", url)
    }

    async fn exchange(
        &self,
        provider: &ProviderId,
        response: &AuthorizationResponse,
    ) -> Result<ProviderUser, ProviderError> {
        let connection = self.connection(provider)?;
        let user = sign_in::exchange(connection, response).await;
        logged(provider, "exchange", user)
    }

    async fn verify_id_token(
        &self,
        provider: &ProviderId,
        token: &NativeIdToken,
    ) -> Result<ProviderUser, ProviderError> {
        let connection = self.connection(provider)?;
        let user = sign_in::verify_id_token(connection, token).await;
        logged(provider, "verify_id_token", user)
    }

    async fn read_notification(
        &self,
        provider: &ProviderId,
        notification: &ProviderNotification,
    ) -> Result<Option<ProviderEvent>, ProviderError> {
        let connection = self.connection(provider)?;
        let event = notifications::read(connection, notification).await;
        logged(provider, "read_notification", event)
    }

    async fn revoke(
        &self,
        provider: &ProviderId,
        refresh_token: &str,
    ) -> Result<(), ProviderError> {
        let connection = self.connection(provider)?;
        let revoked = sign_in::revoke(connection, refresh_token).await;
        logged(provider, "revoke", revoked)
    }
}

fn logged<T>(
    provider: &ProviderId,
    action: &'static str,
    done: Result<T, Failure>,
) -> Result<T, ProviderError> {
    done.map_err(|failure| {
        failure.log(provider, action);
        failure.into()
    })
}
