//! A gateway: a program that calls one replica for people, and asks it whether
//! tokens are good.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::auth_service_client::AuthServiceClient;
use countersign_proto::v1::factor_service_client::FactorServiceClient;
use countersign_proto::v1::federation_service_client::FederationServiceClient;
use countersign_proto::v1::group_service_client::GroupServiceClient;
use countersign_proto::v1::service_account_service_client::ServiceAccountServiceClient;
use countersign_proto::v1::session_service_client::SessionServiceClient;
use countersign_proto::v1::user_service_client::UserServiceClient;
use countersign_proto::v1::verification_service_client::VerificationServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use crate::certificates::ClientCertificate;

/// A connection that shows who calls.
pub type Line = InterceptedService<Channel, Credentials>;

/// What a call carries besides its message.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// `authorization`.
    pub authorization: Option<MetadataValue<Ascii>>,
    /// `accept-language`.
    pub language: Option<MetadataValue<Ascii>>,
}

/// Calls one replica over one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    channel: Channel,
    credentials: Credentials,
}

const CALL_TIMEOUT: Duration = Duration::from_secs(30);

impl Gateway {
    /// A gateway that connects when it is first used.
    ///
    /// # Panics
    /// Never: an address makes a URL.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .expect("an address makes a URL")
            .connect_timeout(Duration::from_secs(5))
            .timeout(CALL_TIMEOUT);
        Self {
            channel: endpoint.connect_lazy(),
            credentials: Credentials::default(),
        }
    }

    /// A gateway at an address of this machine, which connects when it is first
    /// used.
    ///
    /// # Panics
    /// Never: an address makes a URL.
    #[must_use]
    pub fn to_by_way_of(address: SocketAddr, source: IpAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .expect("an address makes a URL")
            .local_address(Some(source))
            .timeout(CALL_TIMEOUT);
        Self {
            channel: endpoint.connect_lazy(),
            credentials: Credentials::default(),
        }
    }

    /// The same connection with the credentials of another gateway.
    #[must_use]
    pub fn with_key_of(mut self, other: &Self) -> Self {
        self.credentials.clone_from(&other.credentials);
        self
    }

    /// A gateway that speaks TLS with a server for `localhost`, and shows a
    /// certificate.
    ///
    /// # Panics
    /// If the certificate is none.
    #[must_use]
    pub fn securely(address: SocketAddr, trusted: &str, shown: Option<&ClientCertificate>) -> Self {
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(trusted))
            .domain_name("localhost");
        if let Some(shown) = shown {
            let identity = Identity::from_pem(&shown.certificate, &shown.private_key);
            tls = tls.identity(identity);
        }
        let endpoint = Endpoint::from_shared(format!("https://{address}"))
            .and_then(|endpoint| endpoint.tls_config(tls))
            .expect("a certificate")
            .timeout(CALL_TIMEOUT);
        Self {
            channel: endpoint.connect_lazy(),
            credentials: Credentials::default(),
        }
    }

    /// The gateway with an API key.
    ///
    /// # Panics
    /// If the key cannot be sent.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        let value = format!("Bearer {key}").parse().expect("a key is ASCII");
        self.credentials.authorization = Some(value);
        self
    }

    /// The gateway of people who speak a language.
    ///
    /// # Panics
    /// If the language cannot be sent.
    #[must_use]
    pub fn speaking(mut self, language: &str) -> Self {
        self.credentials.language = Some(language.parse().expect("a language is ASCII"));
        self
    }

    /// AuthService.
    #[must_use]
    pub fn auth(&self) -> AuthServiceClient<Line> {
        AuthServiceClient::new(self.line())
    }

    /// FactorService.
    #[must_use]
    pub fn factors(&self) -> FactorServiceClient<Line> {
        FactorServiceClient::new(self.line())
    }

    /// FederationService.
    #[must_use]
    pub fn federation(&self) -> FederationServiceClient<Line> {
        FederationServiceClient::new(self.line())
    }

    /// GroupService.
    #[must_use]
    pub fn groups(&self) -> GroupServiceClient<Line> {
        GroupServiceClient::new(self.line())
    }

    /// ServiceAccountService.
    #[must_use]
    pub fn service_accounts(&self) -> ServiceAccountServiceClient<Line> {
        ServiceAccountServiceClient::new(self.line())
    }

    /// SessionService.
    #[must_use]
    pub fn sessions(&self) -> SessionServiceClient<Line> {
        SessionServiceClient::new(self.line())
    }

    /// UserService.
    #[must_use]
    pub fn users(&self) -> UserServiceClient<Line> {
        UserServiceClient::new(self.line())
    }

    /// VerificationService.
    #[must_use]
    pub fn verifications(&self) -> VerificationServiceClient<Line> {
        VerificationServiceClient::new(self.line())
    }

    /// The connection itself, for calls that no stub makes.
    #[must_use]
    pub fn line(&self) -> Line {
        InterceptedService::new(self.channel.clone(), self.credentials.clone())
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        if let Some(authorization) = &self.authorization {
            metadata.insert("authorization", authorization.clone());
        }
        if let Some(language) = &self.language {
            metadata.insert("accept-language", language.clone());
        }
        Ok(request)
    }
}

/// An e-mail address as an identifier.
#[must_use]
pub fn email(text: &str) -> v1::Identifier {
    v1::Identifier {
        value: Some(v1::identifier::Value::Email(text.into())),
    }
}

/// A phone number as an identifier.
#[must_use]
pub fn phone(text: &str) -> v1::Identifier {
    v1::Identifier {
        value: Some(v1::identifier::Value::Phone(text.into())),
    }
}

/// A user name as an identifier.
#[must_use]
pub fn username(text: &str) -> v1::Identifier {
    v1::Identifier {
        value: Some(v1::identifier::Value::Username(text.into())),
    }
}
