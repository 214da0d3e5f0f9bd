//! An entry of the audit log: who did what to whom, when, from where, with which outcome.
//! It holds no secret and no full address, and each of its texts is bounded.

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};

use crate::model::{
    Address, AuditAction, AuditEventId, CallerName, ClientContext, GroupId, Origin, SessionId,
    Timestamp, User, UserId,
};
use crate::ports::Random;

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its id, which tells when it was.
    pub id: AuditEventId,
    /// What was done or tried.
    pub action: AuditAction,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// Who did it, and from where.
    pub origin: Origin,
    /// The person who acted, if one did who was known by then.
    pub person: Option<UserId>,
    /// The device of the person, as a gateway has told of it.
    pub device: EventDevice,
    /// To whom or what it was done.
    pub target: AuditTarget,
    /// More of it: which fields, how it was shown, how many. Never a secret.
    pub detail: String,
}

/// What came of what was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was done, in the transaction that wrote the entry.
    Succeeded,
    /// It was refused: so often, for the same reason, within the hour that begins with the
    /// time of the entry.
    Refused(RefusedAttempts),
}

/// Attempts that were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedAttempts {
    /// Why.
    pub reason: AuditRefusal,
    /// How many.
    pub count: u32,
    /// When the last of them was.
    pub last_at: Timestamp,
}

/// Why attempts were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditRefusal {
    /// A wrong password or passkey at a sign-in, or no tries left.
    SignIn,
    /// A wrong password of somebody who is signed in.
    Password,
    /// A wrong code of a second factor, or a wrong passkey as one.
    SecondFactor,
    /// A wrong code that came with an MFA session.
    Code,
    /// A second factor is required, and there is none.
    SecondFactorMissing,
    /// The person has proved itself, and is suspended.
    UserSuspended,
    /// The person has proved itself, and has left.
    UserWithdrawn,
    /// A refresh token that had been replaced.
    RefreshTokenReused,
}

/// To whom or what something was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditTarget {
    /// The user.
    pub user: Option<UserId>,
    /// The group, or that of the user.
    pub group: Option<GroupId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The name of a caller or a signing key, or the id of a factor or a service account.
    pub name: Option<String>,
    /// The address, masked.
    pub masked: Option<String>,
}

/// A person's device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventDevice {
    /// Its IP address.
    pub ip_address: Option<IpAddr>,
    /// The beginning of its `User-Agent`; empty if not told.
    pub user_agent: String,
}

impl AuditEvent {
    /// The most bytes of each text of its own.
    pub const MAX_TEXT_BYTES: usize = 256;
    /// For how long refused attempts are counted in one entry, in milliseconds.
    pub const HOUR: i64 = 60 * 60 * 1000;

    /// Something that is done now.
    #[must_use]
    pub fn new(action: AuditAction, origin: Origin, now: Timestamp, random: &dyn Random) -> Self {
        Self {
            id: AuditEventId::generate(now, random),
            action,
            outcome: AuditOutcome::Succeeded,
            origin,
            person: None,
            device: EventDevice::default(),
            target: AuditTarget::default(),
            detail: String::new(),
        }
    }

    /// To this user.
    #[must_use]
    pub fn on(self, user: &User) -> Self {
        self.on_user(user.id, &user.group)
    }

    /// To the user with this id, in this group.
    #[must_use]
    pub fn on_user(mut self, user: UserId, group: &GroupId) -> Self {
        self.target.user = Some(user);
        self.target.group = Some(group.clone());
        self
    }

    /// By the user itself.
    #[must_use]
    pub fn by_itself(mut self) -> Self {
        self.person = self.target.user;
        self
    }

    /// To a group.
    #[must_use]
    pub fn on_group(mut self, group: &GroupId) -> Self {
        self.target.group = Some(group.clone());
        self
    }

    /// To a session, or with one.
    #[must_use]
    pub fn with_session(mut self, session: SessionId) -> Self {
        self.target.session = Some(session);
        self
    }

    /// To a caller.
    #[must_use]
    pub fn on_caller(self, caller: &CallerName) -> Self {
        self.named(caller.as_str())
    }

    /// To what has this name.
    #[must_use]
    pub fn named(mut self, name: impl AsRef<str>) -> Self {
        self.target.name = Some(bounded(name.as_ref()));
        self
    }

    /// With this address, of which it keeps so much that its owner recognises it.
    #[must_use]
    pub fn with_address(mut self, address: &Address) -> Self {
        self.target.masked = Some(bounded(&address.masked()));
        self
    }

    /// On this device.
    #[must_use]
    pub fn from_device(mut self, client: &ClientContext) -> Self {
        self.device = EventDevice {
            ip_address: client.ip_address,
            user_agent: bounded(&client.user_agent),
        };
        self
    }

    /// With more of it. No secret, no address.
    #[must_use]
    pub fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = bounded(detail.as_ref());
        self
    }

    /// The same as refused once, in an entry of its own.
    #[must_use]
    pub fn refused(mut self, reason: AuditRefusal) -> Self {
        self.outcome = AuditOutcome::Refused(RefusedAttempts {
            reason,
            count: 1,
            last_at: self.id.time(),
        });
        self
    }

    /// The entry in which attempts at this user are counted that are refused for this
    /// reason within the hour: of all replicas it is the same.
    #[must_use]
    pub fn counted(self, reason: AuditRefusal) -> Self {
        let refused = self.refused(reason);
        let at = refused.id.time().as_millis();
        let hour = Timestamp::from_millis(at - at.rem_euclid(Self::HOUR));
        let user = refused.target.user.unwrap_or(UserId::from_bytes([0; 16]));
        let mut text = user.as_bytes().to_vec();
        text.extend(refused.action.as_str().as_bytes());
        text.push(0);
        text.extend(reason.as_str().as_bytes());
        let digest = digest(&SHA256, &text);
        let bytes = digest.as_ref().first_chunk::<10>();
        Self {
            id: AuditEventId::of_hour(hour, bytes.unwrap_or(&[0; 10])),
            ..refused
        }
    }
}

impl RefusedAttempts {
    /// Counts others of the same hour in, and tells whether they were later.
    pub fn add(&mut self, other: Self) -> bool {
        self.count = self.count.saturating_add(other.count);
        let is_later = other.last_at >= self.last_at;
        self.last_at = self.last_at.max(other.last_at);
        is_later
    }
}

impl AuditRefusal {
    /// All that there are.
    pub const ALL: [Self; 8] = [
        Self::SignIn,
        Self::Password,
        Self::SecondFactor,
        Self::Code,
        Self::SecondFactorMissing,
        Self::UserSuspended,
        Self::UserWithdrawn,
        Self::RefreshTokenReused,
    ];

    /// Its name, as it is stored: that of the reason in the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "SIGN_IN_REFUSED",
            Self::Password => "PASSWORD_WRONG",
            Self::SecondFactor => "SECOND_FACTOR_WRONG",
            Self::Code => "CODE_WRONG",
            Self::SecondFactorMissing => "SECOND_FACTOR_UNAVAILABLE",
            Self::UserSuspended => "USER_SUSPENDED",
            Self::UserWithdrawn => "USER_WITHDRAWN",
            Self::RefreshTokenReused => "REFRESH_TOKEN_REUSED",
        }
    }

    /// A reason by its name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// The beginning of a text, without what could be taken for another line.
fn bounded(text: &str) -> String {
    let end = text.floor_char_boundary(AuditEvent::MAX_TEXT_BYTES);
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text[..end].chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Email;

    struct Ones;

    impl Random for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }

    fn event(at: i64, user: u8) -> AuditEvent {
        let at = Timestamp::from_millis(at);
        AuditEvent::new(AuditAction::SessionOpened, Origin::server(), at, &Ones)
            .on_user(UserId::from_bytes([user; 16]), &GroupId::fallback())
    }

    #[test]
    fn attempts_of_an_hour_are_counted_in_one_entry() {
        let hour = 495_000 * AuditEvent::HOUR;
        let counted = |at, user, reason| event(at, user).counted(reason);
        let first = counted(hour, 1, AuditRefusal::SignIn);
        assert_eq!(first.id.time(), Timestamp::from_millis(hour));
        let last = counted(hour + AuditEvent::HOUR - 1, 1, AuditRefusal::SignIn);
        assert_eq!(first.id, last.id);
        for other in [
            counted(hour + AuditEvent::HOUR, 1, AuditRefusal::SignIn),
            counted(hour, 2, AuditRefusal::SignIn),
            counted(hour, 1, AuditRefusal::SecondFactor),
        ] {
            assert_ne!(first.id, other.id, "{other:?}");
        }
    }

    #[test]
    fn texts_are_bounded_and_stay_on_their_line() {
        let client = ClientContext {
            ip_address: None,
            user_agent: "한".repeat(500),
        };
        let event = event(1, 1).from_device(&client).with_detail("a\nb\u{7f}c");
        assert_eq!(event.device.user_agent.len(), 255);
        assert_eq!(event.detail, "a b c");
        let address = Email::parse("mina.kim@example.com").expect("an address");
        let event = event.with_address(&Address::Email(address));
        assert_eq!(event.target.masked.as_deref(), Some("m***@example.com"));
    }

    #[test]
    fn each_refusal_is_read_again() {
        for reason in AuditRefusal::ALL {
            assert_eq!(AuditRefusal::from_stored(reason.as_str()), Some(reason));
        }
        assert_eq!(AuditRefusal::from_stored("nonsense"), None);
    }
}
