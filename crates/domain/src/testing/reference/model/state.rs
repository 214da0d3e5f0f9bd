//! What the model knows.

use std::collections::HashMap;
use std::time::Duration;

use super::super::answer::Given;
use super::super::budget::Budgets;
use super::super::step::Pick;
use super::kept::{Challenge, Offered, Proven, SentCode, Undo};
use crate::model::{Purpose, Timestamp};

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

const DAY: Duration = minutes(24 * 60);

/// How long what there is lives: as in the settings that it is run with.
pub(super) const ACCESS_TTL: Duration = minutes(5);
pub(super) const LEEWAY_SECONDS: i64 = 5;
pub(super) const GRACE: Duration = Duration::from_secs(30);
pub(super) const IDLE_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
pub(super) const SESSION_TTL: Duration = Duration::from_secs(180 * 24 * 60 * 60);
pub(super) const CODE_TTL: Duration = minutes(5);
pub(super) const PROOF_TTL: Duration = minutes(10);
pub(super) const ENROLLMENT_TTL: Duration = minutes(10);
pub(super) const ASKED_TTL: Duration = minutes(10);
pub(super) const CHALLENGE_TTL: Duration = minutes(5);
/// How long a change of addresses can be undone.
pub(super) const UNDO_TIME: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How old an authentication may be for a change of factors or addresses.
pub(super) const FRESH: Duration = minutes(10);
pub(super) const DEVICE_TTL: Duration = Duration::from_secs(180 * 24 * 60 * 60);
/// How long a device is remembered on which a second factor was shown.
pub(super) const REMEMBERED: Duration = DAY;
/// Wrong tries at one code.
pub(super) const TRIES: u32 = 5;
pub(super) const FACTORS_PER_USER: usize = 5;
const SECOND_FACTOR_TRIES: [(u32, Duration); 2] = [(5, minutes(15)), (20, DAY)];
const ENROLLMENTS: [(u32, Duration); 1] = [(20, minutes(60))];
const CONFIRMATIONS: [(u32, Duration); 1] = [(5, minutes(60))];
const IDENTIFIER_CHANGES: [(u32, Duration); 1] = [(20, DAY)];

/// What nobody has got as a code.
pub(super) const WRONG: &str = "wrongcode";

/// The model.
#[derive(Debug, Default)]
pub(in super::super) struct Model {
    /// The time of the call.
    pub(in super::super) now: Now,
    pub(super) users: Vec<User>,
    pub(super) verifications: Vec<Verification>,
    pub(super) proofs: Vec<Proof>,
    pub(super) sessions: Vec<Session>,
    pub(super) access: Vec<Access>,
    pub(super) refresh: Vec<Refresh>,
    pub(super) mfa: Vec<Mfa>,
    pub(super) enrollments: Vec<Enrollment>,
    pub(super) factors: Vec<Factor>,
    pub(super) recovery: Vec<Recovery>,
    pub(super) devices: Vec<Device>,
    pub(super) sent: Vec<SentCode>,
    pub(super) challenges: Vec<Challenge>,
    pub(super) undos: Vec<Undo>,
    budgets: HashMap<Charged, Budgets>,
}

/// A time. There is none before the first call.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Now(pub(in super::super) Timestamp);

impl Default for Now {
    fn default() -> Self {
        Self(Timestamp::from_millis(0))
    }
}

/// Whose budget, for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Charged {
    /// Second factors of a user, on known devices or elsewhere.
    Factor(Answering, bool),
    Enrollments(usize),
    Confirmations(usize),
    IdentifierChanges(usize),
}

/// Who is asked for a second factor: somebody who is not there is asked, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Answering {
    User(usize),
    NobodyAt(u8),
    NobodyCalled(String),
}

/// Somebody with an account.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) group: u8,
    /// All of them were proved.
    pub(super) addresses: Vec<u8>,
    pub(super) username: Option<u8>,
    pub(super) password: Option<u8>,
    /// Rises with every new password, and with every address that is given up: what
    /// was shown before is worth nothing then.
    pub(super) version: u32,
    pub(super) is_suspended: bool,
}

/// A code or a link.
#[derive(Debug)]
pub(super) struct Verification {
    pub(super) id: String,
    pub(super) group: u8,
    pub(super) address: u8,
    pub(super) kind: Kind,
    /// Who had the address.
    pub(super) holder: Option<Proven>,
    /// The code, or the token of the link, if anybody has got it.
    pub(super) secret: Option<String>,
    pub(super) wrong: u32,
    pub(super) expires_at: Timestamp,
    /// It was used, replaced, cancelled or guessed at too often.
    pub(super) is_gone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Code(Purpose),
    Link(Purpose),
    SignUp { username: Option<u8>, password: u8 },
}

#[derive(Debug)]
pub(super) struct Proof {
    pub(super) text: String,
    pub(super) group: u8,
    pub(super) address: u8,
    pub(super) purpose: Purpose,
    pub(super) holder: Option<Proven>,
    pub(super) expires_at: Timestamp,
    pub(super) is_spent: bool,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) user: usize,
    pub(super) client: u8,
    pub(super) methods: Vec<&'static str>,
    pub(super) generation: u32,
    pub(super) parent: u32,
    pub(super) minted_at: Timestamp,
    pub(super) access_expires_at: Timestamp,
    pub(super) authenticated_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) is_ended: bool,
}

#[derive(Debug)]
pub(super) struct Access {
    pub(super) text: String,
    pub(super) session: usize,
    /// In seconds.
    pub(super) expires_at: i64,
    /// In seconds.
    pub(super) authenticated_at: i64,
    pub(super) is_aal2: bool,
}

#[derive(Debug)]
pub(super) struct Refresh {
    pub(super) text: String,
    pub(super) session: usize,
    pub(super) generation: u32,
}

/// An MFA session.
#[derive(Debug)]
pub(super) struct Mfa {
    pub(super) id: String,
    pub(super) group: u8,
    pub(super) client: u8,
    pub(super) user: Option<Proven>,
    pub(super) answering: Answering,
    pub(super) shown: Vec<&'static str>,
    /// The address that was proved by the first factor.
    pub(super) proved: Option<u8>,
    /// Where codes may be sent, as it was told. `None`: it was not.
    pub(super) offered: Option<Vec<Offered>>,
    /// The code that is kept with it. `None`: it asks for a factor.
    pub(super) code: Option<String>,
    pub(super) claim: Claim,
    pub(super) wrong: u32,
    pub(super) expires_at: Timestamp,
    pub(super) is_gone: bool,
}

/// What is told of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Untold,
    Unknown,
    Device(usize),
}

#[derive(Debug)]
pub(super) struct Enrollment {
    pub(super) id: String,
    pub(super) given: Option<Given>,
    pub(super) user: Proven,
    pub(super) expires_at: Timestamp,
    pub(super) is_taken: bool,
}

#[derive(Debug)]
pub(super) struct Factor {
    pub(super) id: String,
    pub(super) kind: FactorKind,
    pub(super) user: usize,
    pub(super) created_at: Timestamp,
    /// In which session, by an authentication at which time.
    pub(super) enrolled_by: (usize, Timestamp),
    pub(super) is_removed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FactorKind {
    App {
        secret: String,
        last_step: i64,
    },
    Address(u8),
    /// The number by which it is called.
    Passkey(usize),
}

#[derive(Debug)]
pub(super) struct Recovery {
    pub(super) text: String,
    pub(super) user: usize,
    pub(super) is_good: bool,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) token: String,
    /// As it was at the last sign-in there. `None`: it was forgotten.
    pub(super) user: Option<Proven>,
    pub(super) shown_at: Option<Timestamp>,
    pub(super) expires_at: Timestamp,
}

/// The place of what is picked, if there is anything.
pub(super) fn place<T>(things: &[T], pick: Pick) -> Option<usize> {
    let last = things.len().checked_sub(1)?;
    Some(last - usize::from(pick.0) % things.len())
}

impl Model {
    /// The user who has the address in the group.
    pub(super) fn holder(&self, group: u8, address: u8) -> Option<usize> {
        let has_it = |user: &User| user.group == group && user.addresses.contains(&address);
        self.users.iter().position(has_it)
    }

    /// The user who is called so in the group.
    pub(super) fn named(&self, group: u8, username: Option<u8>) -> Option<usize> {
        let username = username?;
        let has_it = |user: &User| (user.group, user.username) == (group, Some(username));
        self.users.iter().position(has_it)
    }

    pub(super) fn proven(&self, user: usize) -> Proven {
        let version = self.users[user].version;
        Proven { user, version }
    }

    /// Whether the user's password is what it was then.
    pub(super) fn is_current(&self, proven: Proven) -> bool {
        self.proven(proven.user) == proven
    }

    /// The factors of a user.
    pub(super) fn factors_of(&self, user: usize) -> Vec<usize> {
        let is_theirs = |place: &usize| {
            let factor = &self.factors[*place];
            factor.user == user && !factor.is_removed
        };
        (0..self.factors.len()).filter(is_theirs).collect()
    }

    /// Charges a budget, if there is room.
    pub(super) fn charge(&mut self, whose: Charged) -> bool {
        let limits = match whose {
            Charged::Factor(..) => &SECOND_FACTOR_TRIES[..],
            Charged::Enrollments(_) => &ENROLLMENTS,
            Charged::Confirmations(_) => &CONFIRMATIONS,
            Charged::IdentifierChanges(_) => &IDENTIFIER_CHANGES,
        };
        let budgets = self.budgets.entry(whose);
        let budgets = budgets.or_insert_with(|| Budgets::new(limits));
        budgets.charge(self.now.0)
    }

    pub(super) fn give_back(&mut self, whose: &Charged) {
        if let Some(budgets) = self.budgets.get_mut(whose) {
            budgets.give_back();
        }
    }

    /// Which step of 30 seconds it is.
    pub(super) fn present_step(&self) -> i64 {
        self.now.0.as_seconds().div_euclid(30)
    }
}
