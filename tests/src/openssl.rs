//! Certificates that the openssl program has made, as operators make them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::certificates::ClientCertificate;
use crate::services;

/// An authority's certificate in PEM form, and a client certificate of it with a
/// subject alternative name such as `URI:spiffe://example.com/shop`. `None`, said
/// once, if the program is not there.
///
/// # Panics
/// If it is not there where it is required, or does not do it.
#[must_use]
pub fn client_certificate_of_openssl(
    directory: &Path,
    name: &str,
) -> Option<(String, ClientCertificate)> {
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    let ca = format!("{new} -subj /CN=authority -keyout ca.key -out ca.crt");
    let client = format!(
        "{new} -subj /CN=client -keyout client.key -out client.crt -CA ca.crt -CAkey ca.key \
         -addext subjectAltName={name} -addext extendedKeyUsage=clientAuth \
         -addext basicConstraints=critical,CA:FALSE"
    );
    for arguments in [ca, client] {
        let run = Command::new("openssl")
            .current_dir(directory)
            .args(arguments.split(' '))
            .output();
        match run {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{arguments}: {said}");
            }
            Err(error) => {
                services::missing(&format!("no openssl for certificates: {error}"));
                return None;
            }
        }
    }
    let read = |file: &str| fs::read_to_string(directory.join(file)).expect("it is made");
    let shown = ClientCertificate {
        certificate: read("client.crt"),
        private_key: read("client.key"),
    };
    Some((read("ca.crt"), shown))
}
