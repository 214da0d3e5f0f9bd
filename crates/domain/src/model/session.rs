//! A session and its chain of refresh tokens.
//!
//! The row keeps the current generation, the generation that it came from (its
//! parent) and when it was minted. That is enough to tell a retry from a theft.

use std::time::Duration;

use countersign_token::Acr;
use serde::{Deserialize, Serialize};

use crate::model::{ClientContext, GroupId, Revocation, Scope, SessionId, Timestamp, UserId};

/// The number of a refresh token in its session's chain, from 1.
pub type Generation = i64;

/// One sign-in on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, the `sid` of its tokens.
    pub id: SessionId,
    /// Whose session.
    pub user_id: UserId,
    /// The group of the user.
    pub group: GroupId,
    /// The caller to which the tokens were issued.
    pub client_id: String,
    /// The audience of its access tokens.
    pub audience: String,
    /// The scopes of its access tokens.
    pub scopes: Vec<Scope>,
    /// How the person was authenticated.
    pub methods: Vec<AuthenticationMethod>,
    /// The device, as the gateway told at the sign-in.
    pub client: ClientContext,
    /// Random bytes that go into every refresh token's MAC.
    pub salt: [u8; 16],
    /// The generation of the newest refresh token.
    pub generation: Generation,
    /// The generation that was exchanged for the newest; 0 at first.
    pub parent: Generation,
    /// When the newest was minted.
    pub minted_at: Timestamp,
    /// When the last of its access tokens expires, at the latest.
    pub access_expires_at: Timestamp,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When the person was last authenticated in it: at the sign-in, or since.
    pub authenticated_at: Timestamp,
    /// When it ends if it is not refreshed before.
    pub expires_at: Timestamp,
    /// When it ends in any case.
    pub ends_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

/// One authentication of a person in a session: the sign-in, or a step-up since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticationId([u8; 24]);

/// How a person was authenticated (RFC 8176).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// `pwd`: a password.
    Password,
    /// `otp`: a one-time code.
    OneTimeCode,
    /// `sms`: a code in a text message to an address that is a second factor.
    TextMessage,
    /// `pop`: a key was shown to be held, a passkey's.
    ProofOfPossession,
    /// `user`: the person was there.
    UserPresence,
    /// `fed`, which is not in RFC 8176: by a provider of sign-ins.
    Federated,
    /// `mfa`: two of the others, of different kinds.
    MultiFactor,
}

/// What the presented refresh token means for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Exchange it: write this change, then issue its generation.
    Rotate(Rotation),
    /// It was exchanged a moment ago: issue the same successor again.
    Repeat,
    /// It was exchanged long ago, or replaced unused: two parties hold the chain.
    Reused,
    /// It is newer than the session: the database was set back.
    Unknown,
}

/// A change of a session's generation, valid only from the state it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The generation that the session must have.
    pub from: Generation,
    /// The authentication that the session must have: the tokens that are issued
    /// tell of it.
    pub authenticated_at: Timestamp,
    /// The generation that it gets.
    pub to: Generation,
    /// The parent that it gets.
    pub parent: Generation,
    /// When the new generation is minted.
    pub minted_at: Timestamp,
    /// When the last access token of the session expires then.
    pub access_expires_at: Timestamp,
    /// When the session ends if it is not refreshed again.
    pub expires_at: Timestamp,
}

/// How long what belongs to a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token.
    pub access: Duration,
    /// An exchanged refresh token, as long as it yields the same successor.
    pub grace: Duration,
    /// A session that is not refreshed.
    pub idle: Duration,
}

impl Lifetimes {
    /// When the last access token expires that can be issued for a generation
    /// minted at `now`: within the grace time it may be issued again. No access
    /// token outlives the session, which ends at `ends_at`.
    #[must_use]
    pub fn last_access_expiry(&self, now: Timestamp, ends_at: Timestamp) -> Timestamp {
        now.plus(self.access).plus(self.grace).min(ends_at)
    }
}

impl Session {
    /// Whether its tokens are good at `now`, as far as the session goes.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// Judges a genuine refresh token of this session.
    ///
    /// The newest generation is exchanged. Its parent, within `grace` of the
    /// exchange, is a retry or a parallel tab and gets the same successor. The
    /// parent later, while its successor was never presented, is a lost reply:
    /// it gets a new successor, and the unused one is dead. All else is reuse.
    #[must_use]
    pub fn present(
        &self,
        presented: Generation,
        now: Timestamp,
        lifetimes: Lifetimes,
    ) -> Presented {
        if presented < 1 {
            return Presented::Unknown;
        }
        self.judge(presented, now, lifetimes)
    }

    /// Judges the old server's refresh token that this session was opened for: it is
    /// what came before the first generation.
    #[must_use]
    pub fn present_old(&self, now: Timestamp, lifetimes: Lifetimes) -> Presented {
        self.judge(0, now, lifetimes)
    }

    fn judge(&self, presented: Generation, now: Timestamp, lifetimes: Lifetimes) -> Presented {
        let expires_at = now.plus(lifetimes.idle).min(self.ends_at);
        let rotation = Rotation {
            from: self.generation,
            authenticated_at: self.authenticated_at,
            to: self.generation + 1,
            parent: presented,
            minted_at: now,
            access_expires_at: lifetimes
                .last_access_expiry(now, expires_at)
                .max(self.access_expires_at),
            expires_at,
        };
        if presented == self.generation {
            Presented::Rotate(rotation)
        } else if presented > self.generation {
            Presented::Unknown
        } else if presented != self.parent {
            Presented::Reused
        } else if now.since(self.minted_at) <= lifetimes.grace {
            Presented::Repeat
        } else {
            Presented::Rotate(rotation)
        }
    }

    /// The last authentication of its person.
    #[must_use]
    pub fn authentication(&self) -> AuthenticationId {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(self.id.as_bytes());
        bytes[16..].copy_from_slice(&self.authenticated_at.as_millis().to_be_bytes());
        AuthenticationId(bytes)
    }

    /// How well the person was authenticated in it.
    #[must_use]
    pub fn acr(&self) -> Acr {
        let methods = self.methods.iter().map(|method| method.as_str());
        Acr::of_methods(&methods.collect::<Vec<_>>())
    }

    /// The entry of the revocation feed, if the session was ended.
    #[must_use]
    pub fn revocation(&self) -> Option<Revocation> {
        self.revoked_at.map(|revoked_at| Revocation {
            session_id: self.id,
            revoked_at,
            expires_at: Revocation::kept_until(self.access_expires_at, revoked_at),
        })
    }

    /// The session after a rotation.
    #[must_use]
    pub fn rotated(mut self, rotation: Rotation) -> Self {
        self.generation = rotation.to;
        self.parent = rotation.parent;
        self.minted_at = rotation.minted_at;
        self.access_expires_at = rotation.access_expires_at;
        self.expires_at = rotation.expires_at;
        self
    }
}

impl AuthenticationId {
    /// The authentication with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 24]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 24] {
        &self.0
    }
}

impl AuthenticationMethod {
    /// The value in `amr`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::OneTimeCode => "otp",
            Self::TextMessage => "sms",
            Self::ProofOfPossession => "pop",
            Self::UserPresence => "user",
            Self::Federated => "fed",
            Self::MultiFactor => "mfa",
        }
    }

    /// The values, with spaces between them.
    #[must_use]
    pub fn words(methods: &[Self]) -> String {
        let words: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
        words.join(" ")
    }

    /// Reads a value of `amr`.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text {
            "pwd" => Some(Self::Password),
            "otp" => Some(Self::OneTimeCode),
            "sms" => Some(Self::TextMessage),
            "pop" => Some(Self::ProofOfPossession),
            "user" => Some(Self::UserPresence),
            "fed" => Some(Self::Federated),
            "mfa" => Some(Self::MultiFactor),
            _ => None,
        }
    }
}
