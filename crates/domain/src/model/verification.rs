//! A verification: a code sent to an address for one purpose.

use std::fmt;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{Address, GroupId, Timestamp, UserId, VerificationId};
use crate::ports::Random;

/// What a code, and the proof that comes of it, may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Creating a user.
    SignUp,
    /// Signing in without a password.
    SignIn,
    /// Setting a new password.
    PasswordReset,
    /// Activating the user that a sign-up created.
    ConfirmSignUp,
}

/// A code. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct Code(Zeroizing<String>);

/// What is kept of a verification while it can be passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationRecord {
    /// Its id.
    pub id: VerificationId,
    /// The group.
    pub group: GroupId,
    /// Where the code went.
    pub address: Address,
    /// What for.
    pub purpose: Purpose,
    /// The user that is waiting to be activated.
    pub user_id: Option<UserId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on the code is not accepted.
    pub expires_at: Timestamp,
}

impl Purpose {
    /// The name of the purpose.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::PasswordReset => "password_reset",
            Self::ConfirmSignUp => "confirm_sign_up",
        }
    }
}

impl Code {
    /// A code of `digits` random digits, each code equally likely.
    #[must_use]
    pub fn generate(digits: u32, random: &dyn Random) -> Self {
        let mut code = Zeroizing::new(String::with_capacity(digits as usize));
        while code.len() < digits as usize {
            let mut byte = [0; 1];
            random.fill(&mut byte);
            // 250 is the largest multiple of ten in a byte: above it, draw again.
            if byte[0] < 250 {
                code.push(char::from(b'0' + byte[0] % 10));
            }
        }
        Self(code)
    }

    /// A code of the caller's own.
    ///
    /// # Errors
    /// What a code must look like, if this is none.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        let code = Self(Zeroizing::new(text));
        if !(4..=64).contains(&code.0.len()) || !code.0.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err("must be 4 to 64 ASCII letters and digits");
        }
        Ok(code)
    }

    /// What a person typed: white space and hyphens between the characters are
    /// dropped.
    ///
    /// # Errors
    /// What a code must look like, if this is none.
    pub fn typed(text: &str) -> Result<Self, &'static str> {
        if text.len() > 256 {
            return Err("must be 4 to 64 ASCII letters and digits");
        }
        Self::parse(
            text.chars()
                .filter(|c| !c.is_whitespace() && *c != '-')
                .collect(),
        )
    }

    /// The code in the clear, to be sent.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of the code: an HMAC over it and all that it is bound to,
    /// under a key that the store does not hold.
    #[must_use]
    pub fn digest(&self, record: &VerificationRecord, key: &hmac::Key) -> Vec<u8> {
        let mut context = hmac::Context::with_key(key);
        let parts: [&[u8]; 5] = [
            record.id.as_bytes(),
            record.group.as_str().as_bytes(),
            record.address.as_str().as_bytes(),
            record.purpose.as_str().as_bytes(),
            self.0.as_bytes(),
        ];
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}
