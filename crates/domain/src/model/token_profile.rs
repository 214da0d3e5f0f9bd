//! Token profiles: tokens in the form that another server's services verify, where
//! they are issued, and until when.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_token::{Profile, ProfileRejection, ProfileToken, Rejection};

use crate::model::{GroupId, Session, Timestamp};

/// A form of tokens with its key, and where it is used.
#[derive(Debug)]
pub struct TokenProfile {
    /// Its name in the configuration.
    pub name: String,
    /// The form, and the key.
    pub form: Profile,
    /// The audiences that its tokens are for, which they do not say.
    pub audiences: Vec<String>,
    /// It is issued to users of these groups, to all if there is none.
    pub groups: Vec<GroupId>,
    /// It is issued to these callers, to all if there is none. With neither groups nor
    /// callers it is issued to nobody.
    pub callers: Vec<String>,
    /// The group of the users that the old server's tokens name.
    pub group: GroupId,
    /// How long an access token that is issued is good.
    pub access_ttl: Duration,
    /// How long a token of the old server lives at most. One that would live longer
    /// from now on is not accepted.
    pub longest_ttl: Duration,
    /// From when on it is not issued any more.
    pub issue_until: Option<Timestamp>,
    /// From when on it is not accepted any more, nor issued.
    pub accept_until: Option<Timestamp>,
}

/// The token profiles that there are, each with a key of its own.
#[derive(Clone, Default)]
pub struct TokenProfiles(Arc<[TokenProfile]>);

impl TokenProfile {
    /// Whether its tokens are accepted at `now`.
    #[must_use]
    pub fn is_accepted(&self, now: Timestamp) -> bool {
        self.accept_until.is_none_or(|until| now < until)
    }

    /// Whether it is the form of a session's access tokens at `now`.
    #[must_use]
    pub fn is_chosen(
        &self,
        group: &GroupId,
        client_id: &str,
        audience: &str,
        now: Timestamp,
    ) -> bool {
        let is_in_time = self.issue_until.is_none_or(|until| now < until);
        let is_issued = !(self.groups.is_empty() && self.callers.is_empty());
        let has_group = self.groups.is_empty() || self.groups.contains(group);
        let has_caller = self.callers.is_empty() || self.callers.iter().any(|one| one == client_id);
        let has_audience = self.audiences.iter().any(|one| one == audience);
        is_in_time && self.is_accepted(now) && is_issued && has_group && has_caller && has_audience
    }

    /// Whether a session could get tokens of either.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        fn meet<T: PartialEq>(some: &[T], others: &[T]) -> bool {
            some.is_empty() || others.is_empty() || some.iter().any(|one| others.contains(one))
        }
        let is_issued = |profile: &Self| !(profile.groups.is_empty() && profile.callers.is_empty());
        let have_audience = self
            .audiences
            .iter()
            .any(|one| other.audiences.contains(one));
        is_issued(self)
            && is_issued(other)
            && meet(&self.groups, &other.groups)
            && meet(&self.callers, &other.callers)
            && have_audience
    }

    /// Whether its tokens may name users of the group: whoever holds the key of an old
    /// server speaks for no other groups.
    #[must_use]
    pub fn is_of_group(&self, group: &str) -> bool {
        let is_named = |own: &GroupId| own.as_str() == group;
        let is_of_callers = self.groups.is_empty() && !self.callers.is_empty();
        is_of_callers || is_named(&self.group) || self.groups.iter().any(is_named)
    }
}

impl TokenProfiles {
    /// These profiles.
    #[must_use]
    pub fn new(profiles: Vec<TokenProfile>) -> Self {
        Self(profiles.into())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by name.
    pub fn iter(&self) -> std::slice::Iter<'_, TokenProfile> {
        self.0.iter()
    }

    /// The form of a session's access tokens at `now`, if it is not the main one.
    #[must_use]
    pub fn chosen(&self, session: &Session, now: Timestamp) -> Option<&TokenProfile> {
        let Session {
            group,
            client_id,
            audience,
            ..
        } = session;
        self.iter()
            .find(|profile| profile.is_chosen(group, client_id, audience, now))
    }

    /// The longest life of an access token that is issued in any of them.
    #[must_use]
    pub fn longest_access_ttl(&self) -> Duration {
        let lives = self.iter().map(|profile| profile.access_ttl);
        lives.max().unwrap_or_default()
    }

    /// How long the old servers' tokens can live that are accepted at `now`; `None` if
    /// none are.
    #[must_use]
    pub fn longest_ttl(&self, now: Timestamp) -> Option<Duration> {
        let accepted = self.iter().filter(|profile| profile.is_accepted(now));
        let old = accepted.filter(|profile| profile.form.shape().external_id().is_some());
        old.map(|profile| profile.longest_ttl).max()
    }

    /// What a token says that one of the profiles signed, its times not judged. With a
    /// time, only those that are accepted then are asked.
    ///
    /// # Errors
    /// Why not, if that can be told: a profile has the form and not the signature, or
    /// its key signed something else.
    pub fn read(
        &self,
        token: &str,
        accepted_at: Option<Timestamp>,
    ) -> Result<(&TokenProfile, ProfileToken), Option<Rejection>> {
        let mut told = None;
        for profile in self.iter() {
            if accepted_at.is_some_and(|now| !profile.is_accepted(now)) {
                continue;
            }
            match profile.form.read(token) {
                Ok(read) => return Ok((profile, read)),
                Err(ProfileRejection::Genuine(rejection)) => return Err(Some(rejection)),
                Err(ProfileRejection::Foreign(Rejection::BadSignature)) => {
                    told = Some(Rejection::BadSignature);
                }
                Err(ProfileRejection::Foreign(_)) => {}
            }
        }
        Err(told)
    }
}

impl fmt::Debug for TokenProfiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.iter().map(|profile| &profile.name);
        f.debug_list().entries(names).finish()
    }
}
