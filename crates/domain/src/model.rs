//! The model: values that cannot be wrong, and the states that users, sessions
//! and verifications go through.

mod caller;
mod client_context;
mod credential;
mod email;
mod group;
mod id;
mod identifier;
mod locale;
mod master_key;
mod page;
mod password;
mod phone;
mod proof;
mod refresh_token;
mod revocation;
mod scope;
mod session;
mod signing_key;
mod time;
mod user;
mod username;
mod verification;

pub use caller::{ApiKey, Caller, CallerName, Role};
pub use client_context::ClientContext;
pub use credential::PasswordCredential;
pub use email::Email;
pub use group::GroupId;
pub use id::{SessionId, UserId, VerificationId};
pub use identifier::{Address, Identifier, IdentifierKind};
pub use locale::Locale;
pub use master_key::{MasterKey, MasterKeyError, SealError, Secrets};
pub use page::{PageSize, PageToken};
pub use password::{Password, PasswordHash};
pub use phone::{Phone, Region};
pub use proof::{Proof, ProofRecord};
pub use refresh_token::{RefreshToken, RefreshTokenKey};
pub use revocation::Revocation;
pub use scope::Scope;
pub use session::{AuthenticationMethod, Generation, Presented, Rotation, Session};
pub use signing_key::{KeyState, SealedSigningKey};
pub use time::Timestamp;
pub use user::{User, UserState};
pub use username::Username;
pub use verification::{Code, Purpose, VerificationRecord};
