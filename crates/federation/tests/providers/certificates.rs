//! The certificates of the counterpart: good ones, and each kind of bad one.

use std::sync::{Arc, LazyLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// All hosts that the counterpart is.
pub(crate) const HOSTS: [&str; 10] = [
    "id.example",
    "accounts.google.com",
    "oauth2.googleapis.com",
    "openidconnect.googleapis.com",
    "www.googleapis.com",
    "appleid.apple.com",
    "kauth.kakao.com",
    "kapi.kakao.com",
    "nid.naver.com",
    "openapi.naver.com",
];

/// What the counterpart shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown {
    Good,
    OfAnotherName,
    Expired,
    SelfSigned,
}

struct Authority {
    pem: String,
    params: CertificateParams,
    key: KeyPair,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a certificate");
    let pem = params.self_signed(&key).expect("a certificate").pem();
    Authority { pem, params, key }
});

/// The authority that is configured to be believed, in PEM.
pub(crate) fn authority() -> String {
    AUTHORITY.pem.clone()
}

/// What a server shows.
pub(crate) fn server(shown: Shown) -> Arc<ServerConfig> {
    let names: &[&str] = match shown {
        Shown::Good | Shown::Expired | Shown::SelfSigned => &HOSTS,
        Shown::OfAnotherName => &["other.example"],
    };
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("a certificate");
    if let Shown::Expired = shown {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate().expect("a certificate");
    let certificate = match shown {
        Shown::SelfSigned => params.self_signed(&key),
        Shown::Good | Shown::Expired | Shown::OfAnotherName => {
            let issuer = Issuer::from_params(&AUTHORITY.params, &AUTHORITY.key);
            params.signed_by(&key, &issuer)
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("a certificate")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate").der().clone()], key)
        .expect("a certificate");
    Arc::new(config)
}
