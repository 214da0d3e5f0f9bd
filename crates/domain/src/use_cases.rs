//! What a person, a service or an operator does, and what the service does by
//! itself: one file each. A use-case is a value that says what is asked;
//! `execute` does it.

mod begin_mfa_assertion;
mod begin_passkey_sign_in;
mod begin_step_up_assertion;
mod block_user;
mod caller_sans;
mod callers;
mod change_identifiers;
mod change_password;
mod check_code;
mod confirm_sign_up;
mod create_mfa_session;
mod create_user;
mod delete_expired;
mod deliver_messages;
mod enroll_factor;
mod ensure_groups;
mod ensure_signing_keys;
mod factors;
mod federated_identities;
mod federated_sign_in;
mod groups;
mod import_users;
mod issue_service_account_token;
mod issue_tokens;
mod list_audit_events;
mod list_groups;
mod list_identifiers;
mod list_users;
mod look_after_users;
mod own_profile;
mod read_groups;
mod read_revocations;
mod read_signing_keys;
mod receive_provider_notification;
mod refresh_tokens;
mod remove_caller;
mod reset_password;
mod revoke_signing_key;
mod revoke_token;
mod rotate_signing_keys;
mod send_code;
mod send_mfa_code;
mod send_step_up_code;
mod service_account_credentials;
mod service_accounts;
mod sessions;
mod sign_up;
mod step_up_session;
mod undo_identifier_change;
mod update_user;
mod validate_mfa_session;
mod verifications;
mod write_refused;

pub use begin_mfa_assertion::BeginMfaAssertion;
pub use begin_passkey_sign_in::BeginPasskeySignIn;
pub use begin_step_up_assertion::BeginStepUpAssertion;
pub use block_user::{DeleteUser, ReinstateUser, SuspendUser, WithdrawUser};
pub use caller_sans::{AddCallerSan, CallerSanError, RemoveCallerSan};
pub use callers::{AddCallerKey, CallerKeyError, CreateCaller, NewCredential, RemoveCallerKey};
pub use change_identifiers::{AddIdentifier, ChangeIdentifier, RemoveIdentifier};
pub use change_password::ChangePassword;
pub use check_code::{CheckCode, CheckLink, CheckedCode, Which};
pub use confirm_sign_up::ConfirmSignUp;
pub use create_mfa_session::{CreateMfaSession, CreatedMfaSession, MfaCode};
pub use create_user::CreateUser;
pub use delete_expired::DeleteExpired;
pub use deliver_messages::{DeliverMessages, Delivered};
pub use enroll_factor::{
    BeginCodeEnrollment, BeginEnrollment, BegunEnrollment, ConfirmEnrollment, EnrolledFactor,
    EnrollmentAnswer,
};
pub use ensure_groups::EnsureGroups;
pub use ensure_signing_keys::EnsureSigningKeys;
pub use factors::{
    ListFactors, ListedFactor, ListedFactors, RegenerateRecoveryCodes, RemoveFactor,
};
pub use federated_identities::{
    AccountToLink, LinkFederatedIdentity, ListFederatedIdentities, ListedIdentity,
    UnlinkFederatedIdentity,
};
pub use federated_sign_in::{BeginFederatedSignIn, ListProviders};
pub use groups::{CreateGroup, DeleteGroup, UpdateGroup};
pub use import_users::{ImportOutcome, ImportRefusal, ImportUsers};
pub use issue_service_account_token::{
    IssueServiceAccountToken, ServiceAccountProof, ServiceAccountToken,
};
pub use issue_tokens::{FederatedProof, Grant, IssueTokens, Issued, MfaRequired, UnlinkedAccount};
pub use list_audit_events::{ListAuditEvents, ListedAuditEvents};
pub use list_groups::{GetGroup, ListGroups, ListedGroups};
pub use list_identifiers::{ListIdentifiers, ListedIdentifiers, UndoableChange};
pub use list_users::{GetUser, ListUsers, ListedUsers};
pub use look_after_users::{LookAfterUsers, LookedAfter};
pub use own_profile::{GetProfile, UpdateProfile, WithdrawProfile};
pub use read_groups::ReadGroups;
pub use read_revocations::ReadRevocations;
pub use read_signing_keys::ReadSigningKeys;
pub use receive_provider_notification::ReceiveProviderNotification;
pub use refresh_tokens::RefreshTokens;
pub use remove_caller::RemoveCaller;
pub use reset_password::ResetPassword;
pub use revoke_signing_key::RevokeSigningKey;
pub use revoke_token::RevokeToken;
pub use rotate_signing_keys::{RotateSigningKeys, Rotated};
pub use send_code::{SendCode, SentCode};
pub use send_mfa_code::{SendMfaCode, SentMfaCode};
pub use send_step_up_code::{SendStepUpCode, SentStepUpCode};
pub use service_account_credentials::{
    AddServiceAccountKey, CreateServiceAccountSecret, CreatedServiceAccountSecret,
    RemoveServiceAccountCredential,
};
pub use service_accounts::{
    CreateServiceAccount, DeleteServiceAccount, GetServiceAccount, ListServiceAccounts,
    ListedServiceAccounts, UpdateServiceAccount,
};
pub use sessions::{
    Actor, GetSession, ListSessions, RevokeSession, RevokeUserSessions, SessionPage,
};
pub use sign_up::{SignUp, SignUpBy, SignedUp};
pub use step_up_session::{StepUpAnswer, StepUpSession, SteppedUp};
pub use undo_identifier_change::UndoIdentifierChange;
pub use update_user::UpdateUser;
pub use validate_mfa_session::{MfaAnswer, ValidateMfaSession};
pub use verifications::{
    CancelVerification, Delivery, GetVerification, GetVerificationOfLink, ShownVerification,
};
pub use write_refused::WriteRefused;
