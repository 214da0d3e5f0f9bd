//! What the tests of providers share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign_delivery::{
    Authorities, Provider, Router, RouterSettings, TemplateSettings, Templates,
};
use countersign_domain::model::{
    Address, Code, Email, Link, LinkPrefix, LinkToken, Locale, MessageId, Phone, Purpose, Timestamp,
};
use countersign_domain::ports::{Content, Message};
use countersign_domain::testing::HandClock;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;

/// How long a provider may take in these tests.
pub(crate) const TIME_LIMIT: Duration = Duration::from_millis(1_500);

/// A router that tries these providers, for text messages and mail alike.
pub(crate) fn router(providers: Vec<Box<dyn Provider>>) -> Router {
    router_with(providers, None)
}

/// The same, with texts of its own.
pub(crate) fn router_with(providers: Vec<Box<dyn Provider>>, folder: Option<PathBuf>) -> Router {
    let places: Vec<_> = (0..providers.len()).collect();
    Router::new(RouterSettings {
        sms: places.clone(),
        email: places,
        providers,
        templates: Templates::load(&TemplateSettings {
            product: "Shop & Co".into(),
            folder,
            ..TemplateSettings::default()
        })
        .expect("good"),
        clock: clock(),
        time_limit: TIME_LIMIT,
    })
}

pub(crate) fn clock() -> Arc<HandClock> {
    Arc::new(HandClock::new())
}

pub(crate) fn id(number: u8) -> MessageId {
    MessageId::from_bytes([number; 16])
}

pub(crate) fn phone(number: usize) -> Address {
    Address::Phone(Phone::restore(&format!("+8210123{number:05}")).expect("a number"))
}

pub(crate) fn email(name: &str) -> Address {
    Address::Email(Email::parse(&format!("{name}@example.com")).expect("an address"))
}

pub(crate) fn code(to: Address) -> Message {
    Message {
        to,
        locale: Locale::Korean,
        content: Content::Code {
            code: Code::parse("048213".into()).expect("a code"),
            purpose: Purpose::SignUp,
            expires_at: Timestamp::from_seconds(1_790_000_300),
        },
    }
}

/// Where links lead.
pub(crate) const LINK: &str =
    "https://shop.example/sign-in#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) fn link(to: Address) -> Message {
    let (prefix, token) = LINK.split_once('#').expect("a link");
    Message {
        to,
        locale: Locale::Korean,
        content: Content::Link {
            link: Link {
                prefix: LinkPrefix::parse(prefix).expect("a prefix"),
                token: LinkToken::parse(token).expect("a token"),
            },
            purpose: Purpose::SignIn,
            expires_at: Timestamp::from_seconds(1_790_000_300),
        },
    }
}

pub(crate) fn notice(to: Address) -> Message {
    Message {
        to,
        locale: Locale::English,
        content: Content::PasswordChanged,
    }
}

/// Those of this machine.
pub(crate) fn authorities() -> Authorities {
    Authorities::load(None).expect("they can be read")
}

/// An authority of these tests, and a server's certificate by it.
pub(crate) struct Certified {
    pub(crate) authorities: Authorities,
    pub(crate) server: Arc<ServerConfig>,
    _pem: NamedTempFile,
}

impl Certified {
    pub(crate) fn for_name(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer_key = KeyPair::generate().expect("a key");
        let authority = params.self_signed(&issuer_key).expect("signed").pem();
        let issuer = Issuer::new(params, issuer_key);
        let key = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::new(vec![name.to_owned()])
            .and_then(|params| params.signed_by(&key, &issuer))
            .expect("signed");
        let pem = NamedTempFile::new().expect("a file");
        std::fs::write(pem.path(), authority).expect("it is written");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate");
        Self {
            authorities: Authorities::load(Some(pem.path())).expect("an authority"),
            server: Arc::new(server),
            _pem: pem,
        }
    }
}
