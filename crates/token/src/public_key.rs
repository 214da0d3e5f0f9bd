//! Public keys as numbers: which are safe to verify with, their RFC 7638
//! thumbprint, and the form in which signatures are verified with them.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use jsonwebtoken::DecodingKey;

use crate::{Algorithm, KeyFault, base64url};

/// A public key. Numbers are big-endian, Ed25519 points as RFC 8032 writes them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Ed25519([u8; 32]),
    P256 { x: [u8; 32], y: [u8; 32] },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// The y coordinates, little-endian, of the points of small order on Ed25519.
/// For such a key anyone can make signatures that verify.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
];

impl PublicKey {
    /// The one algorithm that this type of key is used with.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256 { .. } => Algorithm::Es256,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// The RFC 7638 thumbprint: SHA-256 over the required JWK members in
    /// lexical order, as base64url.
    pub(crate) fn thumbprint(&self) -> String {
        let members = match self {
            Self::Ed25519(x) => {
                format!(
                    r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
                    base64url::encode(x)
                )
            }
            Self::P256 { x, y } => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                base64url::encode(x),
                base64url::encode(y)
            ),
            Self::Rsa { n, e } => format!(
                r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                base64url::encode(e),
                base64url::encode(n)
            ),
        };
        base64url::encode(digest(&SHA256, members.as_bytes()))
    }

    /// Checks the key, which `jsonwebtoken` does not, and hands it over.
    ///
    /// An Ed25519 point that is not on the curve passes: no signature verifies
    /// under it.
    ///
    /// # Errors
    ///
    /// A key under which a signature would prove little or nothing, or that the
    /// crypto library refuses.
    pub(crate) fn decoding_key(&self) -> Result<DecodingKey, KeyFault> {
        match self {
            Self::Ed25519(point) => {
                check_ed25519(point)?;
                ParsedPublicKey::new(&ED25519, point).map_err(|_| KeyFault::InvalidPoint)?;
                Ok(DecodingKey::from_ed_der(point))
            }
            Self::P256 { x, y } => {
                let uncompressed = [&[4], x.as_slice(), y.as_slice()].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &uncompressed)
                    .map_err(|_| KeyFault::InvalidPoint)?;
                Ok(DecodingKey::from_ec_der(&uncompressed))
            }
            Self::Rsa { n, e } => {
                check_rsa(n, e)?;
                RsaPublicKeyComponents { n, e }
                    .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                    .map_err(|_| KeyFault::InvalidModulus)?;
                Ok(DecodingKey::from_rsa_raw_components(n, e))
            }
        }
    }
}

/// Refuses coordinates that are not reduced, and points of small order.
fn check_ed25519(point: &[u8; 32]) -> Result<(), KeyFault> {
    let mut y = *point;
    y[31] &= 0x7f;
    let not_reduced = y[0] >= 0xed && y[1..31].iter().all(|&byte| byte == 0xff) && y[31] == 0x7f;
    if not_reduced || SMALL_ORDER_Y.contains(&y) {
        return Err(KeyFault::InvalidPoint);
    }
    Ok(())
}

/// Refuses numbers with leading zeros, weak or costly sizes, and even numbers.
fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyFault> {
    let (Some(&first), Some(&last)) = (n.first(), n.last()) else {
        return Err(KeyFault::InvalidEncoding);
    };
    if first == 0 || e.first().is_none_or(|&byte| byte == 0) {
        return Err(KeyFault::InvalidEncoding);
    }
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    if !(2048..=4096).contains(&bits) || last % 2 == 0 {
        return Err(KeyFault::InvalidModulus);
    }
    let one_or_even = e == [1] || e.last().is_some_and(|byte| byte % 2 == 0);
    if e.len() > 4 || one_or_even {
        return Err(KeyFault::InvalidExponent);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(text: &str) -> [u8; 32] {
        base64url::decode(text)
            .expect("base64url")
            .try_into()
            .expect("32 bytes")
    }

    #[test]
    fn the_rsa_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicKey::Rsa {
            n: base64url::decode(n).expect("base64url"),
            e: base64url::decode("AQAB").expect("base64url"),
        };
        assert_eq!(
            key.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        assert!(key.decoding_key().is_ok());
    }

    #[test]
    fn the_ed25519_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        let key = PublicKey::Ed25519(point("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        assert_eq!(
            key.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        assert!(key.decoding_key().is_ok());
    }

    #[test]
    fn the_example_key_of_rfc_7515_appendix_a_3_is_on_p_256_and_its_neighbour_is_not() {
        let x = point("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        let mut y = point("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        assert!(PublicKey::P256 { x, y }.decoding_key().is_ok());
        y[31] ^= 1;
        assert_eq!(
            PublicKey::P256 { x, y }.decoding_key().err(),
            Some(KeyFault::InvalidPoint)
        );
        let origin = PublicKey::P256 {
            x: [0; 32],
            y: [0; 32],
        };
        assert_eq!(origin.decoding_key().err(), Some(KeyFault::InvalidPoint));
    }

    /// With R the neutral element and S = 0, the equation of Ed25519 holds
    /// whenever the order of the key divides the hash: for one message in eight
    /// at least.
    #[test]
    fn every_point_of_small_order_could_be_forged_for_and_is_refused() {
        let mut forgery = [0; 64];
        forgery[0] = 1;
        for y in SMALL_ORDER_Y {
            let unchecked = ParsedPublicKey::new(&ED25519, y).expect("aws-lc takes any 32 bytes");
            assert!(
                (0_u8..=255).any(|message| unchecked.verify_sig(&[message], &forgery).is_ok()),
                "{y:?} is not of small order"
            );
            let mut negative = y;
            negative[31] |= 0x80;
            for point in [y, negative] {
                let key = PublicKey::Ed25519(point);
                assert_eq!(key.decoding_key().err(), Some(KeyFault::InvalidPoint));
            }
        }
    }

    #[test]
    fn an_ed25519_coordinate_that_is_not_reduced_is_refused() {
        for lowest in 0xed..=0xff {
            let mut y = [0xff; 32];
            (y[0], y[31]) = (lowest, 0x7f);
            assert_eq!(
                PublicKey::Ed25519(y).decoding_key().err(),
                Some(KeyFault::InvalidPoint)
            );
        }
    }

    #[test]
    fn rsa_numbers_of_wrong_sizes_and_parities_are_refused() {
        let rsa = |n: Vec<u8>, e: &[u8]| PublicKey::Rsa { n, e: e.to_vec() }.decoding_key().err();
        let number = |bytes: usize, first: u8, last: u8| {
            let mut n = vec![0xa5; bytes];
            n[0] = first;
            n[bytes - 1] = last;
            n
        };
        let e = [1, 0, 1];
        assert_eq!(rsa(number(256, 0x80, 1), &e), None);
        assert_eq!(rsa(number(512, 0xff, 1), &e), None);
        assert_eq!(rsa(number(256, 0x80, 1), &[3]), None);

        assert_eq!(
            rsa(number(128, 0x80, 1), &e),
            Some(KeyFault::InvalidModulus)
        );
        assert_eq!(
            rsa(number(256, 0x7f, 1), &e),
            Some(KeyFault::InvalidModulus)
        );
        assert_eq!(
            rsa(number(513, 0x01, 1), &e),
            Some(KeyFault::InvalidModulus)
        );
        assert_eq!(
            rsa(number(256, 0x80, 2), &e),
            Some(KeyFault::InvalidModulus)
        );
        assert_eq!(rsa(number(257, 0, 1), &e), Some(KeyFault::InvalidEncoding));
        assert_eq!(rsa(vec![], &e), Some(KeyFault::InvalidEncoding));

        let n = number(256, 0x80, 1);
        assert_eq!(rsa(n.clone(), &[]), Some(KeyFault::InvalidEncoding));
        assert_eq!(rsa(n.clone(), &[0, 3]), Some(KeyFault::InvalidEncoding));
        for e in [&[1][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
            assert_eq!(rsa(n.clone(), e), Some(KeyFault::InvalidExponent), "{e:?}");
        }
    }
}
