//! Who calls: the callers that the database knows, and how a call proves to be
//! one's.

mod authenticator;
mod changes;
mod expiry;
mod known;
mod unidentified;

#[cfg(test)]
mod tests;

pub(crate) use authenticator::{CallerAuthenticator, GATEWAY};
pub(crate) use known::KnownCaller;
pub(crate) use unidentified::Unidentified;
