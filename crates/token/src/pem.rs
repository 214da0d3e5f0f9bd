//! Public keys in PEM (RFC 7468): the SubjectPublicKeyInfo that `openssl pkey -pubout`
//! writes, of the three types that there are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::public_key::PublicKey;
use crate::{Jwk, KeyError, KeyFault};

/// The longest text that is looked at, in bytes.
const MAX_BYTES: usize = 4096;
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// What stands before the numbers: id-Ed25519 (RFC 8410).
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
/// id-ecPublicKey with prime256v1 (RFC 5480).
const P256: &[u8] = &[
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x03, 0x01, 0x07,
];
/// rsaEncryption with NULL (RFC 3279).
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

impl Jwk {
    /// Reads a public key in PEM. Whether its numbers make a good key shows in
    /// [`VerifyingKey::from_jwk`](crate::VerifyingKey::from_jwk).
    ///
    /// # Errors
    /// [`KeyError::Public`] if it is none, or of another type; and if it is a private
    /// key, which nobody else should have seen.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        read(text).map(Self::new).map_err(|fault| KeyError::Public {
            kid: String::new(),
            fault,
        })
    }
}

fn read(text: &str) -> Result<PublicKey, KeyFault> {
    let text = text.trim();
    if text.contains("PRIVATE KEY-----") {
        return Err(KeyFault::PrivateMaterial);
    }
    let body = Some(text).filter(|text| text.len() <= MAX_BYTES);
    let body = body.and_then(|text| text.strip_prefix(BEGIN)?.strip_suffix(END));
    let body = body.ok_or(KeyFault::InvalidEncoding)?;
    let letters: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(letters);
    info(&der.map_err(|_| KeyFault::InvalidEncoding)?)
}

/// SubjectPublicKeyInfo (RFC 5280, section 4.1).
fn info(mut der: &[u8]) -> Result<PublicKey, KeyFault> {
    let parts = (|| {
        let mut info = element(&mut der, SEQUENCE)?;
        let algorithm = element(&mut info, SEQUENCE)?;
        let bits = element(&mut info, BIT_STRING)?.strip_prefix(&[0])?;
        (der.is_empty() && info.is_empty()).then_some((algorithm, bits))
    })();
    let (algorithm, bits) = parts.ok_or(KeyFault::InvalidEncoding)?;
    let key = match algorithm {
        ED25519 => bits.try_into().ok().map(PublicKey::Ed25519),
        P256 => point(bits),
        RSA => rsa(bits),
        _ => return Err(KeyFault::UnsupportedType),
    };
    key.ok_or(KeyFault::InvalidEncoding)
}

/// An uncompressed point (SEC 1, section 2.3.3).
fn point(bits: &[u8]) -> Option<PublicKey> {
    let (x, y) = bits.strip_prefix(&[4])?.split_at_checked(32)?;
    Some(PublicKey::P256 {
        x: x.try_into().ok()?,
        y: y.try_into().ok()?,
    })
}

/// RSAPublicKey (RFC 8017, appendix A.1.1).
fn rsa(mut bits: &[u8]) -> Option<PublicKey> {
    let mut numbers = element(&mut bits, SEQUENCE)?;
    let n = positive(element(&mut numbers, INTEGER)?)?;
    let e = positive(element(&mut numbers, INTEGER)?)?;
    (bits.is_empty() && numbers.is_empty()).then_some(PublicKey::Rsa { n, e })
}

/// The bytes of a number without the zero that keeps it positive.
fn positive(number: &[u8]) -> Option<Vec<u8>> {
    match number {
        [0, rest @ ..] if rest.first().is_some_and(|byte| byte & 0x80 != 0) => Some(rest.to_vec()),
        [first, ..] if (1..0x80).contains(first) => Some(number.to_vec()),
        _ => None,
    }
}

/// The content of the next element, which must have this tag and the shortest length.
fn element<'a>(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let rest = der.strip_prefix(&[tag])?;
    let (length, rest) = match rest {
        [0x81, one, rest @ ..] if *one >= 0x80 => (usize::from(*one), rest),
        [0x82, high, low, rest @ ..] if *high > 0 => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        [short, rest @ ..] if *short < 0x80 => (usize::from(*short), rest),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *der = rest;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, SigningKey, VerifyingKey};

    fn length(content: &[u8]) -> Vec<u8> {
        match content.len() {
            short @ ..=0x7f => vec![u8::try_from(short).expect("short")],
            one @ ..=0xff => vec![0x81, u8::try_from(one).expect("one byte")],
            two => [&[0x82][..], &u16::try_from(two).expect("two").to_be_bytes()].concat(),
        }
    }

    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag][..], &length(content), content].concat()
    }

    fn pem(algorithm: &[u8], bits: &[u8]) -> String {
        let bits = tagged(BIT_STRING, &[&[0][..], bits].concat());
        let info = [tagged(SEQUENCE, algorithm), bits].concat();
        let letters = STANDARD.encode(tagged(SEQUENCE, &info));
        format!("{BEGIN}\n{letters}\n{END}\n")
    }

    fn number(bytes: &[u8]) -> Vec<u8> {
        let sign: &[u8] = if bytes[0] & 0x80 == 0 { &[] } else { &[0] };
        tagged(INTEGER, &[sign, bytes].concat())
    }

    fn written(key: &PublicKey) -> String {
        match key {
            PublicKey::Ed25519(point) => pem(ED25519, point),
            PublicKey::P256 { x, y } => pem(P256, &[&[4][..], x, y].concat()),
            PublicKey::Rsa { n, e } => {
                let numbers = [number(n), number(e)].concat();
                pem(RSA, &tagged(SEQUENCE, &numbers))
            }
        }
    }

    fn fault(text: &str) -> KeyFault {
        match Jwk::from_pem(text) {
            Err(KeyError::Public { fault, .. }) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_of_openssl_is_read() {
        let text = "-----BEGIN PUBLIC KEY-----\n\
                    MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
                    -----END PUBLIC KEY-----\n";
        let jwk = Jwk::from_pem(text).expect("the key of RFC 8037, appendix A.2");
        assert_eq!(jwk.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn each_type_is_read_as_it_is_written() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
            let key = SigningKey::generate(algorithm).expect("a key");
            let jwk = key.verifying_key().to_jwk().expect("a public key");
            let read = Jwk::from_pem(&written(&jwk.key)).expect("the same key");
            assert_eq!(read, jwk);
            assert!(VerifyingKey::from_jwk(&read).is_ok());
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused_and_a_private_one_is_named() {
        let good = pem(ED25519, &[9; 32]);
        assert!(Jwk::from_pem(&good).is_ok());
        for wrong in [
            String::new(),
            good.replace("PUBLIC", "RSA PUBLIC"),
            good.replace("MCow", "MCo"),
            good.replace(END, ""),
            format!("{good}{good}"),
            pem(ED25519, &[9; 31]),
            pem(ED25519, &[9; 33]),
            pem(P256, &[4; 64]),
            pem(P256, &[2; 33]),
            pem(RSA, &[0; 300]),
            pem(RSA, &tagged(SEQUENCE, &number(&[1; 256]))),
            pem(ED25519, &[9; MAX_BYTES]),
        ] {
            assert_eq!(fault(&wrong), KeyFault::InvalidEncoding, "{wrong}");
        }
        let p384 = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
        assert_eq!(fault(&pem(&p384, &[4; 97])), KeyFault::UnsupportedType);
        let private = good.replace("PUBLIC", "PRIVATE");
        assert_eq!(fault(&private), KeyFault::PrivateMaterial);
    }
}
