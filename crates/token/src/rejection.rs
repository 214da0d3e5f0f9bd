//! Why a token is not accepted: an answer, not an error of the service.

/// Why a token was rejected. It names the first check that failed; everything
/// from [`WrongIssuer`](Self::WrongIssuer) on is only ever said about a token
/// whose signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejection {
    /// Longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    #[error("the token is too large")]
    TooLarge,
    /// Not three segments of canonical base64url of which the first is JSON.
    #[error("the token is malformed")]
    Malformed,
    /// `typ` is not `at+jwt`: some other class of token, or none.
    #[error("the token is not an access token")]
    WrongType,
    /// The header has members other than `alg`, `typ` and `kid` (`crit`, `jwk`,
    /// `jku`, `x5u`, …), repeats one, or is not made of strings.
    #[error("the token's header is not supported")]
    UnsupportedHeader,
    /// No `kid`, or one that is not in the key set.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// `alg` is not the algorithm of the key.
    #[error("the token's algorithm is not that of its key")]
    WrongAlgorithm,
    /// The signature does not verify.
    #[error("the token's signature is not valid")]
    BadSignature,
    /// `iss` is another issuer.
    #[error("the token was issued by another issuer")]
    WrongIssuer,
    /// `aud` does not contain the audience asked for.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A claim is missing, repeated, or of a wrong type or range.
    #[error("the token's claims are not valid")]
    InvalidClaims,
}
