//! Access tokens (RFC 9068): their claims, the keys that sign and verify them,
//! and the published key set; and the assertions of clients that get some (RFC 7523).
//!
//! The crate is pure: it reads no clock, no file and no network, so that the
//! server and the services that verify on their own run the very same checks.
//! Randomness is used only to generate keys and inside ECDSA, by the crypto
//! library itself.
//!
//! Signatures are checked by `jsonwebtoken`, told the algorithm by the key, and
//! made by the library below it, `aws-lc-rs`, with keys that were read once.
//! Reading headers and claims, checking keys and judging times are done here;
//! `docs/adr/0006` says why.
//!
//! ```
//! use std::time::Duration;
//!
//! use countersign_token::{AccessClaims, Algorithm, KeySet, SigningKey, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::generate(Algorithm::EdDsa)?;
//! let token = key.sign(&AccessClaims {
//!     iss: "https://id.example".into(),
//!     sub: "0199e0c1-7e1a-7000-8000-000000000001".into(),
//!     aud: vec!["https://api.example".into()],
//!     exp: 1_700_000_900,
//!     iat: 1_700_000_000,
//!     nbf: None,
//!     jti: "0199e0c1-7e1a-7000-8000-000000000002".into(),
//!     client_id: "web".into(),
//!     sid: "0199e0c1-7e1a-7000-8000-000000000003".into(),
//!     grp: "default".into(),
//!     scope: vec!["profile".into()],
//!     roles: vec![],
//!     amr: vec!["pwd".into()],
//!     acr: Some("aal1".into()),
//!     auth_time: 1_700_000_000,
//! })?;
//!
//! let published = KeySet::new(vec![key.verifying_key().clone()])?.to_jwks();
//! let (keys, _unusable) = KeySet::from_jwks(&published)?;
//! let verifier = Verifier::new("https://id.example", Duration::from_secs(5));
//! let claims = verifier.verify(&keys, &token, 1_700_000_060)?;
//! Verifier::check_audience(&claims, "https://api.example")?;
//! assert!(claims.has_scopes(&["profile"]));
//! # Ok(())
//! # }
//! ```

mod acr;
mod algorithm;
mod base64url;
mod claims;
mod client_assertion;
mod error;
mod json;
mod jwk;
mod jws;
mod key_set;
mod pem;
mod primitive;
mod private_key;
mod profile;
mod public_key;
mod rejection;
mod signing_key;
mod verifier;
mod verifying_key;

pub use acr::Acr;
pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use claims::{AccessClaims, Validity};
pub use client_assertion::{ClientAssertion, ExpectedAssertion};
pub use error::{KeyError, KeyFault};
pub use jwk::Jwk;
pub use key_set::KeySet;
pub use profile::{
    ClaimSource, Constant, Profile, ProfileError, ProfileRejection, ProfileShape, ProfileToken,
    ShapeError, TokenClass,
};
pub use rejection::Rejection;
pub use signing_key::SigningKey;
pub use verifier::{MAX_TOKEN_BYTES, Verifier};
pub use verifying_key::VerifyingKey;
