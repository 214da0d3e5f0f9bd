//! The signature of Naver Cloud's API gateway, version 2.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// HMAC-SHA256 over method, path and query, timestamp in milliseconds and access
/// key, in base64. The body is not signed.
pub(super) fn sign(
    method: &str,
    path: &str,
    timestamp: &str,
    access_key: &str,
    secret_key: &str,
) -> String {
    let text = format!("{method} {path}\n{timestamp}\n{access_key}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.as_bytes());
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/sms/v2/services/ncp:sms:kr:000000000000:test/messages";
    const TIMESTAMP: &str = "1700000000000";

    #[test]
    fn the_signature_is_that_of_the_vectors() {
        let get = format!("{PATH}?requestId=R1");
        for (method, path, signature) in [
            ("POST", PATH, "OnXmyoOS9iEsG/MuWE/roZut0382C17Ij9l5i4BuqrY="),
            ("GET", &*get, "t/cBfuWxBZrMypGT6n0HBJgaAPr2FJl9HLtYg/t655Q="),
        ] {
            let signed = sign(method, path, TIMESTAMP, "accessKey", "secretKey");
            assert_eq!(signed, signature, "{method}");
        }
    }
}
