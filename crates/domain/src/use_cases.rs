//! What a person, a service or an operator does: one file each. A use-case is a
//! value that says what is asked; `execute` does it.

mod change_password;
mod check_code;
mod confirm_sign_up;
mod issue_tokens;
mod keep_keys;
mod keep_tidy;
mod manage_callers;
mod refresh_tokens;
mod reset_password;
mod revoke_token;
mod send_code;
mod sessions;
mod sign_up;
mod verifications;

pub use change_password::ChangePassword;
pub use check_code::{CheckCode, CheckedCode, Which};
pub use confirm_sign_up::ConfirmSignUp;
pub use issue_tokens::{Grant, IssueTokens};
pub use keep_keys::{EnsureKeys, KeyKeeper, RevokeKey, RotateKeys};
pub use keep_tidy::{DeleteExpired, ReadFeed};
pub use manage_callers::CreateCaller;
pub use refresh_tokens::RefreshTokens;
pub use reset_password::ResetPassword;
pub use revoke_token::RevokeToken;
pub use send_code::{SendCode, SentCode};
pub use sessions::{
    Actor, GetSession, ListSessions, RevokeSession, RevokeUserSessions, SessionPage,
};
pub use sign_up::{SignUp, SignedUp};
pub use verifications::{CancelVerification, GetVerification, ShownVerification};
