//! Public keys of passkeys (COSE, RFC 9052 and 9053; RSA by RFC 8230): ES256,
//! EdDSA with Ed25519, and RS256. A key has one algorithm and verifies by no
//! other.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use minicbor::Decoder;
use minicbor::bytes::ByteSlice;
use minicbor::data::Int;

use super::cbor::{Malformed, end, map};

/// The algorithms that are offered, the preferred one first (IANA, "COSE
/// Algorithms").
pub(super) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;
/// 65,537, the one exponent in use.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// 2,048 to 4,096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// A public key that can be used.
pub(super) struct PublicKey {
    /// As it was written.
    pub(super) cose: Vec<u8>,
    pub(super) algorithm: i64,
    verifying: Verifying,
}

enum Verifying {
    /// Of ES256 or EdDSA, which the key knows.
    Curve(ParsedPublicKey),
    Rsa(PublicKeyComponents<Vec<u8>>),
}

/// The parameters that a key may have. -1 to -3 depend on its type.
#[derive(Default)]
struct Parameters<'b> {
    kind: Option<i64>,
    algorithm: Option<i64>,
    curve: Option<i64>,
    minus_1: Option<&'b [u8]>,
    minus_2: Option<&'b [u8]>,
    minus_3: Option<&'b [u8]>,
}

impl PublicKey {
    /// The key in these bytes, and nothing else.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (key, rest) = Self::read(bytes)?;
        end(&Decoder::new(rest))?;
        Ok(key)
    }

    /// The key that stands first in `bytes`, and what comes after it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut decoder = Decoder::new(bytes);
        let mut found = Parameters::default();
        map(&mut decoder, |key: &Int, value| found.take(*key, value))?;
        let (cose, rest) = bytes.split_at(decoder.position());
        let algorithm = found.algorithm.ok_or(Malformed)?;
        let key = Self {
            cose: cose.to_vec(),
            algorithm,
            verifying: found.verifying(algorithm)?,
        };
        Ok((key, rest))
    }

    /// Whether it has signed the message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.verifying {
            Verifying::Curve(key) => key.verify_sig(message, signature).is_ok(),
            Verifying::Rsa(key) => key
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}

impl<'b> Parameters<'b> {
    fn take(&mut self, key: Int, value: &mut Decoder<'b>) -> Result<(), Malformed> {
        let is_rsa = self.kind == Some(3);
        match i128::from(key) {
            1 => self.kind = Some(value.i64()?),
            3 => self.algorithm = Some(value.i64()?),
            // Canonical CBOR has the type first.
            -1 if !is_rsa => self.curve = Some(value.i64()?),
            -1 => self.minus_1 = Some(bytes(value)?),
            -2 => self.minus_2 = Some(bytes(value)?),
            -3 => self.minus_3 = Some(bytes(value)?),
            _ => return Err(Malformed),
        }
        Ok(())
    }

    fn verifying(&self, algorithm: i64) -> Result<Verifying, Malformed> {
        let coordinate = |bytes: Option<&'b [u8]>| bytes.filter(|bytes| bytes.len() == 32);
        match (algorithm, self.kind, self.curve) {
            (ES256, Some(2), Some(1)) => {
                let x = coordinate(self.minus_2).ok_or(Malformed)?;
                let y = coordinate(self.minus_3).ok_or(Malformed)?;
                let point = [&[4], x, y].concat();
                curve(&signature::ECDSA_P256_SHA256_ASN1, &point)
            }
            (EDDSA, Some(1), Some(6)) if self.minus_3.is_none() => {
                let x = coordinate(self.minus_2).ok_or(Malformed)?;
                curve(&signature::ED25519, x)
            }
            (RS256, Some(3), None) if self.minus_3.is_none() => {
                let n = self.minus_1.ok_or(Malformed)?;
                let is_modulus = MODULUS.contains(&n.len()) && n[0] != 0 && n[n.len() - 1] & 1 == 1;
                if !is_modulus || self.minus_2 != Some(&EXPONENT) {
                    return Err(Malformed);
                }
                Ok(Verifying::Rsa(PublicKeyComponents {
                    n: n.to_vec(),
                    e: EXPONENT.to_vec(),
                }))
            }
            _ => Err(Malformed),
        }
    }
}

fn bytes<'b>(value: &mut Decoder<'b>) -> Result<&'b [u8], Malformed> {
    let bytes: &ByteSlice = value.decode()?;
    Ok(bytes)
}

fn curve(
    algorithm: &'static dyn signature::VerificationAlgorithm,
    bytes: &[u8],
) -> Result<Verifying, Malformed> {
    let key = ParsedPublicKey::new(algorithm, bytes).map_err(|_| Malformed)?;
    Ok(Verifying::Curve(key))
}
