//! Key URIs, which authenticator apps read:
//! <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>.

use std::fmt::Write as _;

/// The key URI of a secret of SHA-1, six digits and 30 seconds, which are what
/// apps take where nothing is said. It names the host of the issuer's URL.
pub(super) fn key_uri(issuer: &str, account: &str, secret: &str) -> String {
    let issuer = escaped(host(issuer));
    let account = escaped(account);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}\
         &algorithm=SHA1&digits=6&period=30"
    )
}

/// The host of a URL, without a port; what is no URL as it is.
fn host(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest);
    host.split_once(':').map_or(host, |(host, _)| host)
}

/// All but unreserved characters (RFC 3986, 2.3) percent-encoded.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_uri_names_issuer_account_and_secret() {
        let uri = key_uri("https://id.example.com:8443/a", "mina+1@example.com", "ABC");
        assert_eq!(
            uri,
            "otpauth://totp/id.example.com:mina%2B1%40example.com?secret=ABC\
             &issuer=id.example.com&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn what_is_no_url_is_named_as_it_is() {
        let uri = key_uri("우리 가게", "+821012345678", "ABC");
        assert!(uri.starts_with(
            "otpauth://totp/%EC%9A%B0%EB%A6%AC%20%EA%B0%80%EA%B2%8C:%2B821012345678?"
        ));
    }
}
