//! What can be wrong with the answer of a passkey.

/// What is wrong with the answer of a passkey that could be read. It is logged,
/// and not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyFault {
    /// It is of another ceremony.
    #[error("it is of another ceremony")]
    Type,
    /// It answers another challenge.
    #[error("it answers another challenge")]
    Challenge,
    /// It was given to a page that is not one of `passkeys.origins`.
    #[error("its origin is not one of passkeys.origins")]
    Origin,
    /// It was given to a frame in a page of another origin.
    #[error("it was given to a frame in a page of another origin")]
    CrossOrigin,
    /// It is of another relying party.
    #[error("its relying party is not passkeys.rp_id")]
    RelyingParty,
    /// Nobody was there.
    #[error("nobody touched the authenticator")]
    UserAbsent,
    /// The authenticator has not made sure who it was.
    #[error("the authenticator has not verified the person")]
    UserUnverified,
    /// It says that it is backed up, and that it cannot be.
    #[error("it is backed up, and cannot be")]
    BackupState,
    /// It is of another credential.
    #[error("it is of another credential")]
    Credential,
    /// It is of another user.
    #[error("it is of another user")]
    UserHandle,
    /// Its signature is not that of the key.
    #[error("its signature does not match")]
    Signature,
    /// Its signature counter does not grow: there may be a copy of the key
    /// (Web Authentication, 6.1.1).
    #[error("its signature counter does not grow: the key may have been copied")]
    Counter,
}
