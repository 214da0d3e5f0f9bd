//! The model: values that cannot be wrong, and the states that users, sessions
//! and verifications go through.

mod audit_action;
mod audit_event;
mod audit_filter;
mod caller;
mod caller_key;
mod client_context;
mod code;
mod credential;
mod device;
mod email;
mod existing_user;
mod external_id;
mod factor;
mod federated_account;
mod federated_identity;
mod group;
mod group_field;
mod group_policy;
mod id;
mod identifier;
mod identifier_prefix;
mod identifier_undo;
mod imported_hash;
mod imported_user;
mod link;
mod link_prefix;
mod locale;
mod master_key;
mod message;
mod mfa_policy;
mod mfa_session;
mod new_password;
mod old_token;
mod origin;
mod page;
mod passkey;
mod password;
mod phone;
mod phone_spellings;
mod profile;
mod profile_attribute;
mod proof;
mod provider;
mod reauthentication;
mod recovery_code;
mod refresh_token;
mod revocation;
mod scope;
mod sealing;
mod service_account;
mod service_account_credential;
mod service_account_proofs;
mod session;
mod signing_key;
mod subject_alt_name;
mod text;
mod time;
mod token_profile;
mod tombstone;
mod totp;
mod user;
mod user_query;
mod user_role;
mod user_state;
mod username;
mod verification;

pub use audit_action::AuditAction;
pub use audit_event::{
    AuditEvent, AuditOutcome, AuditRefusal, AuditTarget, EventDevice, RefusedAttempts,
};
pub use audit_filter::{AuditCursor, AuditFilter};
pub use caller::{Caller, CallerName, KeyUse, Role};
pub use caller_key::{ApiKey, CallerKey, KeyHash, KeyId};
pub use client_context::ClientContext;
pub use code::Code;
pub use credential::PasswordCredential;
pub use device::{Device, DeviceClaim, DeviceDigest, DeviceToken};
pub use email::Email;
pub use existing_user::{ExistingState, ExistingUser, LeftOut, UnreadableUser};
pub use external_id::ExternalId;
pub use factor::{CodeFactor, Factor, FactorKind, FactorLabel};
pub use federated_account::{FederatedAccount, FederatedCallback, SealedText};
pub use federated_identity::{FederatedDetails, FederatedIdentity, SubjectDigest};
pub use group::{Group, GroupEtag, GroupId};
pub use group_field::GroupField;
pub use group_policy::{GroupPolicy, SignInWay};
pub use id::{
    AuditEventId, FactorId, FederatedIdentityId, MessageId, ServiceAccountCredentialId,
    ServiceAccountId, SessionId, UserId, VerificationId,
};
pub use identifier::{Address, Identifier, IdentifierKind};
pub use identifier_prefix::IdentifierPrefix;
pub use identifier_undo::{
    HeldDigest, IdentifierChange, IdentifierChangeKind, IdentifierUndo, UndoDigest, UndoToken,
};
pub use imported_hash::{DigestFunction, Encoding, HashFormat, ImportedHash, SaltPlace};
pub use imported_user::{ImportedIdentifier, ImportedState, ImportedUser};
pub use link::{Link, LinkDigest, LinkToken};
pub use link_prefix::LinkPrefix;
pub use locale::Locale;
pub use master_key::{MasterKey, MasterKeyError, Secrets};
pub use message::{Backlog, ClaimedMessage, DeliveryState, MessageKind, QueuedMessage, Settlement};
pub use mfa_policy::MfaPolicy;
pub use mfa_session::{Channel, MfaFactor, MfaSessionId, MfaSessionRecord, NamedUser};
pub use new_password::NewPassword;
pub use old_token::OldToken;
pub use origin::{AuditActor, Origin};
pub use page::{GroupPageToken, PageSize, PageToken, ServiceAccountPageToken};
pub use passkey::{
    Asserted, Assertion, Challenge, CreationOptions, CredentialDigest, Passkey, PasskeyFault,
    Registered, Registration, RelyingParty, RequestOptions,
};
pub use password::{Password, PasswordHash};
pub use phone::{Phone, Region};
pub use profile::{Attributes, LanguageTag, PersonName, Profile, TimeZone};
pub use profile_attribute::{AttributeKind, AttributeName, AttributesChange, ProfileAttribute};
pub use proof::Proof;
pub use provider::{
    AuthorizationRequest, AuthorizationResponse, NativeIdToken, Provider, ProviderEmail,
    ProviderEvent, ProviderEventKind, ProviderId, ProviderIdError, ProviderKind,
    ProviderNotification, ProviderSecret, ProviderSubject, ProviderUser, ResponseMode,
};
pub use reauthentication::{Reauthentication, Shown};
pub use recovery_code::RecoveryCode;
pub use refresh_token::{RefreshToken, RefreshTokenKey};
pub use revocation::Revocation;
pub use scope::Scope;
pub use sealing::{SealError, SealingKey};
pub use service_account::{ServiceAccount, ServiceAccountGrants};
pub use service_account_credential::{
    ServiceAccountCredential, ServiceAccountCredentialKind, ServiceAccountSecret,
};
pub use session::{
    AuthenticationId, AuthenticationMethod, Generation, Lifetimes, Presented, Rotation, Session,
};
pub use signing_key::{KeyState, SealedSigningKey};
pub use subject_alt_name::SubjectAltName;
pub use time::Timestamp;
pub use token_profile::{TokenProfile, TokenProfiles};
pub use tombstone::{Tombstone, TombstoneDigest};
pub use totp::TotpSecret;
pub use user::{CredentialVersion, ProvenUser, User};
pub use user_query::{StateFilter, UserCursor, UserQuery};
pub use user_role::UserRole;
pub use user_state::{Suspension, SuspensionReason, UserState, Withdrawal};
pub use username::Username;
pub use verification::{OneTimeSecret, PendingSignUp, Purpose, VerificationRecord};
