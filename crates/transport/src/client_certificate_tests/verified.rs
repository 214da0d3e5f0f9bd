//! Whose certificates are believed, and what is read of them.

use std::fs;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::made::{SHOP, Shown, authority, dns, start, uri};
use crate::{Listener, TlsFiles, TransportConfig};

#[tokio::test]
async fn the_names_of_a_certificate_are_handed_out_and_without_one_there_are_none() {
    let ca = authority(None);
    let served = start(Some(&ca.pem));
    let both = ca.sign(&[dns("Shop.Example.com"), uri(SHOP)], |_| {});
    for (shown, expected) in [
        (Some(ca.shop()), SHOP),
        (Some(both), "shop.example.com spiffe://example.com/Shop"),
        (Some(ca.sign(&[], |_| {})), ""),
        (None, "none"),
    ] {
        assert_eq!(served.names(shown.as_ref()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_good_ends_the_handshake() {
    let (ca, other) = (authority(None), authority(None));
    let served = start(Some(&ca.pem));
    let expired = ca.sign(&[uri(SHOP)], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let early = ca.sign(&[uri(SHOP)], |params| {
        params.not_before = date_time_ymd(2090, 1, 1);
        params.not_after = date_time_ymd(2091, 1, 1);
    });
    let of_a_server = ca.sign(&[uri(SHOP)], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let own = KeyPair::generate().unwrap();
    let own_certificate = CertificateParams::new([]).unwrap().self_signed(&own);
    let self_signed = Shown {
        chain: own_certificate.unwrap().pem(),
        key: own.serialize_pem(),
    };
    for (what, shown) in [
        ("another authority's", other.shop()),
        ("expired", expired),
        ("not good yet", early),
        ("a server's", of_a_server),
        ("its own", self_signed),
    ] {
        let refused = served.names(Some(&shown)).await;
        assert!(refused.is_err(), "{what}: {refused:?}");
    }
    assert_eq!(served.names(Some(&ca.shop())).await.unwrap(), SHOP);
}

#[tokio::test]
async fn an_intermediate_authority_is_believed_if_it_is_shown() {
    let root = authority(None);
    let intermediate = authority(Some(&root));
    let served = start(Some(&root.pem));
    let leaf = intermediate.shop();
    let with_chain = Shown {
        chain: format!("{}{}", leaf.chain, intermediate.pem),
        key: leaf.key.clone(),
    };
    assert_eq!(served.names(Some(&with_chain)).await.unwrap(), SHOP);
    served.names(Some(&leaf)).await.unwrap_err();
}

#[tokio::test]
async fn without_authorities_no_certificate_is_asked_for() {
    let served = start(None);
    let shown = authority(None).shop();
    assert_eq!(served.names(Some(&shown)).await.unwrap(), "none");
}

#[test]
fn a_bad_file_of_authorities_is_named() {
    for (content, words) in [
        ("nothing", "BEGIN CERTIFICATE"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot be used",
        ),
    ] {
        let served_files = {
            let directory = TempDir::new().unwrap();
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let path = |name: &str| directory.path().join(name);
            fs::write(path("tls.crt"), made.cert.pem()).unwrap();
            fs::write(path("tls.key"), made.signing_key.serialize_pem()).unwrap();
            fs::write(path("client-ca.crt"), content).unwrap();
            let config = TransportConfig {
                listen: ([127, 0, 0, 1], 0).into(),
                tls: Some(TlsFiles {
                    certificate: path("tls.crt"),
                    private_key: path("tls.key"),
                    client_ca: Some(path("client-ca.crt")),
                }),
                ..TransportConfig::default()
            };
            Listener::bind(&config).unwrap_err().to_string()
        };
        for word in [words, "client-ca.crt", "client CA"] {
            assert!(served_files.contains(word), "{word}: {served_files}");
        }
    }
}
