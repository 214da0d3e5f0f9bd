//! What the metrics tell of the certificate that is served, and which renewed ones are
//! refused.

use metrics_exporter_prometheus::PrometheusBuilder;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::*;

/// A certificate that expires with a year.
fn until(year: i32, key: &KeyPair) -> String {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    params.self_signed(key).unwrap().pem()
}

#[test]
fn the_metric_tells_the_first_expiry_of_the_chain_that_is_served() {
    let (directory, key) = (TempDir::new().unwrap(), KeyPair::generate().unwrap());
    let files = TlsFiles {
        certificate: directory.path().join("tls.crt"),
        private_key: directory.path().join("tls.key"),
        client_ca: None,
    };
    fs::write(&files.private_key, key.serialize_pem()).unwrap();
    let recorder = PrometheusBuilder::new().build_recorder();
    let tells = |expiry: &str| {
        let rendered = recorder.handle().render();
        let name = "countersign_tls_certificate_not_after_timestamp_seconds";
        assert!(
            rendered.contains(&format!("{name} {expiry}\n")),
            "{rendered}"
        );
    };
    metrics::with_local_recorder(&recorder, || {
        let chain = [until(2040, &key), until(2030, &key)].concat();
        fs::write(&files.certificate, chain).unwrap();
        let certificates = Certificates::load(&files, Protocols::Http2).unwrap();
        tells("1893456000");
        fs::write(&files.certificate, until(2041, &key)).unwrap();
        certificates
            .replace(&FileContents::read(&files).unwrap())
            .unwrap();
        tells("2240611200");
        fs::write(&files.certificate, "nothing").unwrap();
        certificates
            .replace(&FileContents::read(&files).unwrap())
            .unwrap_err();
        tells("2240611200");
    });
}

/// A certificate, by its names and whether it is an authority's.
fn made(names: &[&str], is_authority: bool, key: &KeyPair) -> String {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    // It has expired, which is no reason to find nothing else.
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params.self_signed(key).unwrap().pem()
}

#[test]
fn a_renewed_certificate_that_no_client_believes_is_refused() {
    let (directory, key) = (TempDir::new().unwrap(), KeyPair::generate().unwrap());
    let files = TlsFiles {
        certificate: directory.path().join("tls.crt"),
        private_key: directory.path().join("tls.key"),
        client_ca: None,
    };
    fs::write(&files.private_key, key.serialize_pem()).unwrap();
    let unfit = [
        (made(&[], false, &key), "has no subjectAltName"),
        (
            made(&["localhost"], true, &key),
            "is that of a certification authority",
        ),
        (made(&[], true, &key), "authority and has no subjectAltName"),
    ];
    fs::write(&files.certificate, until(2040, &key)).unwrap();
    let certificates = Certificates::load(&files, Protocols::Http2).unwrap();
    let served = || certificates.current.load().fingerprint.clone();
    let renew = |pem: &str| {
        fs::write(&files.certificate, pem).unwrap();
        certificates.replace(&FileContents::read(&files).unwrap())
    };
    let before = served();
    for (pem, told) in &unfit {
        let refused = renew(pem).unwrap_err().to_string();
        assert!(
            refused.contains(told) && refused.contains("tls.crt"),
            "{refused}"
        );
        assert_eq!(served(), before, "{told}");
    }
    renew(&until(2041, &key)).unwrap();
    assert_ne!(served(), before);

    // The start warns of them, and one takes over from another.
    for (pem, _) in &unfit {
        fs::write(&files.certificate, pem).unwrap();
        let certificates = Certificates::load(&files, Protocols::Http2).unwrap();
        fs::write(&files.certificate, made(&[], false, &key)).unwrap();
        certificates
            .replace(&FileContents::read(&files).unwrap())
            .unwrap();
    }
}

#[test]
fn the_metric_tells_for_how_long_changed_files_are_refused() {
    let (directory, key) = (TempDir::new().unwrap(), KeyPair::generate().unwrap());
    let files = TlsFiles {
        certificate: directory.path().join("tls.crt"),
        private_key: directory.path().join("tls.key"),
        client_ca: None,
    };
    fs::write(&files.private_key, key.serialize_pem()).unwrap();
    fs::write(&files.certificate, until(2040, &key)).unwrap();
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let tells = |value: &str| {
        let rendered = handle.render();
        rendered.contains(&format!("countersign_tls_files_refused {value}\n"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        let certificates = Arc::new(Certificates::load(&files, Protocols::Http2).unwrap());
        assert!(tells("0"));
        runtime.block_on(async {
            tokio::spawn(certificates.follow_files());
            for (pem, value) in [
                (made(&[], false, &key), "1"),
                ("nothing".to_owned(), "1"),
                (until(2041, &key), "0"),
            ] {
                fs::write(&files.certificate, pem).unwrap();
                let becomes = async {
                    while !tells(value) {
                        tokio::time::sleep(RELOAD_INTERVAL / 5).await;
                    }
                };
                let became = tokio::time::timeout(Duration::from_secs(20), becomes).await;
                became.unwrap_or_else(|_| panic!("it becomes {value}"));
                tokio::time::sleep(RELOAD_INTERVAL * 3).await;
                assert!(tells(value), "it stays {value}");
            }
        });
    });
}
