//! Passkeys and security keys: what a browser answers (Web Authentication Level
//! 3), read strictly and verified. Attestation is not asked for: whose make an
//! authenticator is does not matter here.

mod assertion;
mod authenticator_data;
mod cbor;
mod challenge;
mod client_data;
mod credential;
mod fault;
mod json;
mod options;
mod public_key;
mod registration;
mod relying_party;

pub use assertion::{Asserted, Assertion};
pub use challenge::Challenge;
pub use credential::{CredentialDigest, Passkey};
pub use fault::PasskeyFault;
pub use options::{CreationOptions, RequestOptions};
pub use registration::{Registered, Registration};
pub use relying_party::RelyingParty;
