//! An MFA session: a user who has to show one more thing before a session is
//! opened.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{
    Address, AuthenticationMethod, ClientContext, CodeFactor, DeviceClaim, FactorKind, GroupId,
    Identifier, MessageId, ProvenUser, Scope, Timestamp, UserId,
};
use crate::ports::Random;

/// The id of an MFA session: `csm_` and 256 random bits. Never shown.
#[derive(Clone)]
pub struct MfaSessionId(Zeroizing<String>);

/// What is kept of an MFA session while it can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MfaSessionRecord {
    /// The group.
    pub group: GroupId,
    /// The user; none if nobody active was named.
    pub user: Option<ProvenUser>,
    /// An id that stands for a user whom there is not, so that wrong answers are
    /// counted as those of one.
    #[serde(default)]
    pub stand_in: Option<UserId>,
    /// What it may be answered with.
    pub factors: Vec<MfaFactor>,
    /// How the person was authenticated before.
    pub shown: Vec<AuthenticationMethod>,
    /// The address that was proved before: a code to it is no second factor.
    #[serde(default)]
    pub proved: Option<Address>,
    /// Whether verified addresses answer it if the user has enrolled nothing.
    #[serde(default)]
    pub addresses_stand_in: bool,
    /// The caller that created it, and gets the tokens.
    pub client_id: String,
    /// The audience of the access tokens.
    pub audience: String,
    /// The scopes of the access tokens.
    pub scopes: Vec<Scope>,
    /// The device.
    pub client: ClientContext,
    /// What the gateway told of the device's token at the sign-in.
    #[serde(default)]
    pub known_as: DeviceClaim,
    /// The message that carries the code; none if there is none to carry.
    pub message: Option<MessageId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
}

/// What the answer to an MFA session is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MfaFactor {
    /// The code that was kept with it.
    Code,
    /// A code of an authenticator app of the user.
    Totp,
    /// A recovery code of the user.
    RecoveryCode,
    /// A passkey of the user.
    Passkey,
    /// A code that is sent to a phone number of the user.
    Sms,
    /// A code that is sent to an e-mail address of the user.
    Email,
}

/// How the user of an MFA session is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedUser {
    /// By its id.
    Id(UserId),
    /// By an identifier.
    Identifier(Identifier),
}

impl MfaFactor {
    /// Those that a user may have enrolled. The release before knows of no
    /// passkeys: they are named where they are taken.
    #[must_use]
    pub fn enrolled(are_passkeys_taken: bool) -> Vec<Self> {
        let passkey = are_passkeys_taken.then_some(Self::Passkey);
        [Self::Totp, Self::RecoveryCode]
            .into_iter()
            .chain(passkey)
            .collect()
    }

    /// Those that a user has who has factors of these kinds, and to whom codes are
    /// sent at these addresses; one that cannot be read may be an app.
    #[must_use]
    pub fn of_kinds(
        kinds: &[Option<FactorKind>],
        are_passkeys_taken: bool,
        addresses: &[CodeFactor],
    ) -> Vec<Self> {
        let has = |kind| kinds.contains(&Some(kind));
        let mut factors = Vec::new();
        if !kinds.is_empty() {
            factors = Self::enrolled(are_passkeys_taken && has(FactorKind::Passkey));
        }
        if !has(FactorKind::Totp) && !kinds.contains(&None) {
            factors.retain(|factor| *factor != Self::Totp);
        }
        for code in addresses {
            let factor = Self::of_address(&code.address);
            if !factors.contains(&factor) {
                factors.push(factor);
            }
        }
        factors
    }

    /// What a code to this address is.
    #[must_use]
    pub fn of_address(address: &Address) -> Self {
        match address {
            Address::Phone(_) => Self::Sms,
            Address::Email(_) => Self::Email,
        }
    }
}

/// A kind of address to which a code is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Text messages.
    Phone,
    /// Mail.
    Email,
}

impl MfaSessionId {
    /// A new id.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(Zeroizing::new(format!(
            "csm_{}",
            URL_SAFE_NO_PAD.encode(*bytes)
        )))
    }

    /// An id as it was presented.
    ///
    /// # Errors
    /// What an id must be, if this is none.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        let id = Self(Zeroizing::new(text));
        if id.0.len() != 47 || !id.0.starts_with("csm_") {
            return Err("must be an mfa_session_id from CreateMfaSession");
        }
        Ok(id)
    }

    /// The id in the clear, to be handed out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The name under which it is kept; the id itself is not stored.
    #[must_use]
    pub fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.0.as_bytes()))
    }
}

impl MfaFactor {
    /// How a person is authenticated who was so before, and has shown this factor:
    /// by two, if something was shown before, or if the authenticator has
    /// verified the person.
    #[must_use]
    pub fn methods_after(
        self,
        shown: &[AuthenticationMethod],
        is_user_verified: bool,
    ) -> Vec<AuthenticationMethod> {
        let mut methods = shown.to_vec();
        for method in self.methods() {
            if !methods.contains(method) {
                methods.push(*method);
            }
        }
        if !shown.is_empty() || is_user_verified {
            methods.push(AuthenticationMethod::MultiFactor);
        }
        methods
    }

    fn methods(self) -> &'static [AuthenticationMethod] {
        match self {
            Self::Code | Self::Totp | Self::RecoveryCode | Self::Email => {
                &[AuthenticationMethod::OneTimeCode]
            }
            Self::Sms => &[AuthenticationMethod::TextMessage],
            Self::Passkey => &[
                AuthenticationMethod::ProofOfPossession,
                AuthenticationMethod::UserPresence,
            ],
        }
    }
}

impl NamedUser {
    /// What tells the user from others, under whatever group it is named.
    pub(crate) fn parts(&self) -> (&'static str, String) {
        match self {
            Self::Id(id) => ("id", id.to_string()),
            Self::Identifier(identifier) => {
                (identifier.kind().as_str(), identifier.as_str().to_owned())
            }
        }
    }
}

impl Channel {
    /// Whether it leads to this address.
    #[must_use]
    pub fn leads_to(self, address: &Address) -> bool {
        match address {
            Address::Phone(_) => self == Self::Phone,
            Address::Email(_) => self == Self::Email,
        }
    }
}

impl MfaSessionRecord {
    /// Whose second factors it is answered with: if there is no user, those of
    /// somebody who has none.
    #[must_use]
    pub fn answering(&self) -> Option<UserId> {
        self.user.map(|user| user.id).or(self.stand_in)
    }
}

impl fmt::Debug for MfaSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MfaSessionId(..)")
    }
}
