//! The gateway, started with the server or by itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::{fmt, fs};

use countersign_domain::model::ApiKey;
use countersign_gateway::VerifyForGateway;
use countersign_gateway::client::{BuildError, Client};
use countersign_gateway::{
    Brand, BrandError, Color, Gateway, Logo, Operators, PublicUrl, Settings,
};
use countersign_transport::{ServerHandle, TlsFiles, TransportConfig, TransportError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Config;
use crate::serve_error::ServeError;
use crate::signals::Signals;

/// The server that the gateway is started with.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// Where it listens.
    pub(crate) server: SocketAddr,
    /// By what it knows the gateway.
    pub(crate) key: &'a ApiKey,
    /// By what it knows the gateway's pages for operators, if there are such.
    pub(crate) operators_key: Option<&'a ApiKey>,
    /// Verifies access tokens here.
    pub(crate) verifier: &'a Arc<dyn VerifyForGateway>,
}

/// Takes the gateway's address and starts it; `None` if there is to be none.
///
/// # Errors
/// What is wrong with the settings, or that the address cannot be had.
pub(crate) fn start(
    config: &Config,
    beside: Beside<'_>,
) -> Result<Option<ServerHandle>, ServeError> {
    let has_tls = config.server.tls_certificate.is_some();
    let address = config.gateway.address(beside.server, has_tls);
    let Some((address, may_be_left_out)) = address else {
        return Ok(None);
    };
    let settings = settings(config, address, Some(beside))?;
    match Gateway::bind(settings) {
        Ok(gateway) => Ok(Some(serve(config, gateway)?)),
        Err(TransportError::Listen { source, .. }) if may_be_left_out => {
            tracing::warn!(%address, error = %source, "there is no gateway: gateway.listen names another address, or none if it is \"\"");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Serves the gateway alone, for a service elsewhere, until a signal comes.
///
/// # Errors
/// What is wrong with the settings, or that it stopped by itself.
pub async fn run(config: Config) -> Result<(), ServeError> {
    let mut signals = Signals::new().map_err(ServeError::Signal)?;
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let address = config.gateway.address(nowhere, false);
    let Some((address, _)) = address else {
        return Err(ServeError::Gateway(
            "gateway.listen is empty: name the address that it shall serve".to_owned(),
        ));
    };
    let gateway = Gateway::bind(settings(&config, address, None)?)?;
    let mut handle = serve(&config, gateway)?;
    tokio::select! {
        _ = signals.next() => {}
        ended = handle.failed() => return Err(ServeError::ThreadEnded(ended.name, ended.reason)),
    }
    let report = handle.drain(config.server.drain_timeout).await;
    tracing::info!(connections_cut = report.connections_cut, "stopped");
    Ok(())
}

fn serve(config: &Config, gateway: Gateway) -> Result<ServerHandle, ServeError> {
    let address = gateway.local_addr();
    let handle = gateway.serve()?;
    tracing::info!(%address, tls = config.gateway.tls_certificate.is_some(), "the gateway listens");
    Ok(handle)
}

fn settings(
    config: &Config,
    listen: SocketAddr,
    beside: Option<Beside<'_>>,
) -> Result<Settings, ServeError> {
    let gateway = &config.gateway;
    let files = gateway
        .tls_certificate
        .clone()
        .zip(gateway.tls_private_key.clone());
    let public_url = gateway.public_url.as_deref().map(PublicUrl::parse);
    let public_url = public_url
        .transpose()
        .map_err(|rule| ServeError::Gateway(format!("gateway.public_url {rule}")))?;
    let client = client(config, beside)?;
    let beside_verifier = beside.filter(|_| gateway.endpoint.is_none());
    Ok(Settings {
        transport: TransportConfig {
            listen,
            cores: NonZeroUsize::new(config.server.cores),
            tls: files.map(|(certificate, private_key)| TlsFiles {
                certificate,
                private_key,
                client_ca: None,
            }),
            ..TransportConfig::default()
        },
        operators: operators(config, beside, &client)?,
        verifier: beside_verifier.map(|beside| Arc::clone(beside.verifier)),
        client,
        issuer: config.tokens.issuer.clone(),
        public_url,
        product_name: product_name(config).to_owned(),
        brand: brand(config)?,
        group_id: gateway.group.clone(),
        code_and_message_groups: gateway.code_and_message_groups.clone(),
        trusted_proxies: gateway.proxies(),
        return_hosts: gateway.return_hosts.clone(),
    })
}

fn client(config: &Config, beside: Option<Beside<'_>>) -> Result<Client, ServeError> {
    let gateway = &config.gateway;
    let wrong = |error: BuildError| ServeError::Gateway(format!("gateway.endpoint: {error}"));
    if let Some(endpoint) = &gateway.endpoint {
        let mut builder = Client::builder(endpoint);
        if let Some(key) = &gateway.api_key {
            builder = builder.api_key(key.expose_secret());
        }
        if let Some(path) = &gateway.endpoint_ca {
            let pem = fs::read(path).map_err(|error| {
                ServeError::Gateway(format!("gateway.endpoint_ca, {}: {error}", path.display()))
            })?;
            builder = builder.ca_certificate(pem);
        }
        return builder.build().map_err(wrong);
    }
    let Some(beside) = beside else {
        return Err(ServeError::Gateway(
            "gateway.endpoint must name the service that it asks, such as https://auth.internal:50051".to_owned(),
        ));
    };
    if config.server.tls_certificate.is_some() {
        return Err(ServeError::Gateway(
            "gateway.endpoint must name this server as its certificate does, such as https://auth.internal:50051; \
             gateway.api_key then is that of a caller with the role gateway"
                .to_owned(),
        ));
    }
    let endpoint = format!("http://{}", reachable(beside.server));
    Client::builder(endpoint)
        .api_key(beside.key.expose())
        .build()
        .map_err(wrong)
}

/// Who looks after users on the pages, over the connections of the gateway, with a key that can do no more than that.
fn operators(
    config: &Config,
    beside: Option<Beside<'_>>,
    client: &Client,
) -> Result<Option<Operators>, ServeError> {
    let gateway = &config.gateway;
    let Some(role) = &gateway.operator_role else {
        return Ok(None);
    };
    let made = beside.filter(|_| gateway.endpoint.is_none());
    let made = made.and_then(|beside| beside.operators_key);
    let given = gateway.operator_api_key.as_ref();
    let key = made.map(ApiKey::expose);
    let key = key.or_else(|| given.map(SecretString::expose_secret));
    let wrong = |why: String| ServeError::Gateway(format!("gateway.operator_api_key {why}"));
    let key = key.ok_or_else(|| {
        wrong(
            "must be that of a caller with the role operator, as gateway.operator_role is set"
                .to_owned(),
        )
    })?;
    let client = client.with_api_key(key);
    Ok(Some(Operators {
        role: role.clone(),
        client: client.map_err(|error: BuildError| wrong(error.to_string()))?,
    }))
}

/// How the pages look.
fn brand(config: &Config) -> Result<Brand, ServeError> {
    let gateway = &config.gateway;
    let color = gateway.brand_color.as_deref().map(Color::parse);
    let color = color.transpose().map_err(|error| {
        let wrong = format!("gateway.brand_color {error}");
        ServeError::Gateway(wrong)
    })?;
    let logo = gateway.brand_logo.as_deref().map(|path| {
        let wrong = |why: &dyn fmt::Display| {
            ServeError::Gateway(format!("gateway.brand_logo ({}): {why}", path.display()))
        };
        // A pipe, or a device, has no end.
        let is_file = fs::metadata(path).map_err(|error| wrong(&error))?.is_file();
        let bytes = match is_file {
            true => fs::read(path).map_err(|error| wrong(&error))?,
            false => return Err(wrong(&BrandError::Logo)),
        };
        Logo::new(bytes).map_err(|error| wrong(&error))
    });
    Ok(Brand {
        color,
        logo: logo.transpose()?,
    })
}

/// What people know the product by.
fn product_name(config: &Config) -> &str {
    match config.delivery.product_name.as_str() {
        "" => "Countersign",
        name => name,
    }
}

/// Where this machine reaches a server that listens there.
fn reachable(mut server: SocketAddr) -> SocketAddr {
    if server.ip().is_unspecified() {
        server.set_ip(match server.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    server
}
