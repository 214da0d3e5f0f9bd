//! What can be wrong with a key. No message repeats key material.

use crate::Algorithm;

/// A key, or a set of keys, that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The crypto library could not generate a key.
    #[error("could not generate a key for {0}")]
    Generation(Algorithm),
    /// The secret bytes of a signing key are not acceptable.
    #[error("the secret is not a usable {algorithm} key: {fault}")]
    Secret {
        /// What the key was loaded for.
        algorithm: Algorithm,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// A public key is not acceptable.
    #[error("key {kid:?} is refused: {fault}")]
    Public {
        /// The `kid` that the key carries; empty if it carries none.
        kid: String,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// The text is not a JWK or JWK set (RFC 7517).
    #[error("not a JWK or JWK set: line {line}, column {column}")]
    Json {
        /// The line of the first mistake, from 1.
        line: usize,
        /// The column of the first mistake.
        column: usize,
    },
    /// Two keys of one set have the same `kid`.
    #[error("key {kid:?} occurs more than once in the set")]
    DuplicateKid {
        /// The repeated id.
        kid: String,
    },
    /// The crypto library could not sign.
    #[error("key {kid:?} could not sign")]
    Signing {
        /// The id of the signing key.
        kid: String,
    },
    /// The claims to be signed would be rejected by every verifier.
    #[error("key {kid:?} will not sign: the claim {claim} is empty, out of range or ill-formed")]
    Claims {
        /// The id of the signing key.
        kid: String,
        /// The name of the first claim that is wrong.
        claim: &'static str,
    },
    /// The signed token would exceed [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    #[error("key {kid:?} will not sign: the token would be {bytes} bytes long")]
    TokenTooLarge {
        /// The id of the signing key.
        kid: String,
        /// How long the token would be.
        bytes: usize,
    },
}

/// What is wrong with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeyFault {
    /// Neither an Ed25519, a P-256 nor an RSA public key.
    #[error("its kty and crv do not name an Ed25519, P-256 or RSA public key")]
    UnsupportedType,
    /// A JWK with members of a private or symmetric key.
    #[error("it contains private key material")]
    PrivateMaterial,
    /// `use` is not `sig`.
    #[error("its use is not sig")]
    WrongUse,
    /// `key_ops` lacks `verify`.
    #[error("its key_ops do not contain verify")]
    WrongOperations,
    /// `alg` is not the algorithm of this type of key.
    #[error("its alg does not fit its type")]
    WrongAlgorithm,
    /// `kid` is missing or differs from the RFC 7638 thumbprint.
    #[error("its kid is not its RFC 7638 thumbprint")]
    WrongKid,
    /// A parameter is missing, not canonical base64url, or of the wrong length;
    /// or the secret is not PKCS#8 of this algorithm.
    #[error("its encoding is not valid for its type")]
    InvalidEncoding,
    /// The point is not on the curve, or everyone can sign for it.
    #[error("its point is not on the curve or has small order")]
    InvalidPoint,
    /// An RSA modulus that is even or not of 2,048 to 4,096 bits.
    #[error("its modulus is not an odd number of 2048 to 4096 bits")]
    InvalidModulus,
    /// An RSA exponent that is even, less than 3, or longer than 32 bits.
    #[error("its exponent is not an odd number from 3 to 2^32 - 1")]
    InvalidExponent,
    /// An HMAC secret of less than 32 bytes (RFC 7518 section 3.2).
    #[error("it is shorter than 32 bytes")]
    ShortSecret,
}
