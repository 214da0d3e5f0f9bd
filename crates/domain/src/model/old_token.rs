//! Tokens of an old server, which belong to no session: by what they are revoked, and
//! what session they are exchanged for.
//!
//! The revocation feed knows ids of sessions. A token without one, and all tokens of a
//! user, have ids there that are computed from what the token says: UUIDs of version 8
//! (RFC 9562), which no session has.

use std::time::Duration;

use aws_lc_rs::digest;
use uuid::Builder;

use crate::model::{ExternalId, GroupId, Revocation, SessionId, Timestamp};

/// A verified token of an old server, access or refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldToken {
    /// Under which the token itself is revoked.
    pub id: SessionId,
    /// Under which all tokens of its user are revoked.
    pub of_user: SessionId,
    /// The session that it is exchanged for, if it is a refresh token.
    pub session_id: SessionId,
    /// The group of the user.
    pub group: GroupId,
    /// The id of the user in the old server.
    pub external_id: ExternalId,
    /// When it was issued, if it says so.
    pub issued_at: Option<Timestamp>,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl OldToken {
    /// The token with these bytes.
    #[must_use]
    pub fn new(
        token: &str,
        group: GroupId,
        external_id: ExternalId,
        issued_at: Option<Timestamp>,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id: computed(&["token", token]),
            of_user: Self::all_of(&group, &external_id),
            session_id: session_of(token, issued_at.unwrap_or(expires_at)),
            group,
            external_id,
            issued_at,
            expires_at,
        }
    }

    /// The id under which all tokens of a user are revoked.
    #[must_use]
    pub fn all_of(group: &GroupId, external_id: &ExternalId) -> SessionId {
        computed(&["user", group.as_str(), external_id.as_str()])
    }

    /// Whether an id of the revocation feed is one of tokens without a session.
    #[must_use]
    pub fn is_computed(id: SessionId) -> bool {
        id.as_bytes()[6] >> 4 == 8
    }

    /// Whether it was issued before all tokens of its user were revoked, as far as that
    /// can be told: one that does not say when it was issued was.
    #[must_use]
    pub fn is_from_before(&self, revoked_at: Timestamp, leeway: Duration) -> bool {
        let revoked_at = revoked_at.plus(leeway);
        self.issued_at
            .is_none_or(|issued_at| issued_at <= revoked_at)
    }

    /// Whether it was revoked, by these entries of the feed.
    #[must_use]
    pub fn is_revoked_by(&self, revocations: &[Revocation], leeway: Duration) -> bool {
        revocations.iter().any(|entry| {
            let is_of_user = entry.session_id == self.of_user;
            entry.session_id == self.id
                || is_of_user && self.is_from_before(entry.revoked_at, leeway)
        })
    }
}

/// An id that is computed from texts, which cannot be mistaken for others.
fn computed(texts: &[&str]) -> SessionId {
    let bytes = hash(texts);
    SessionId::from_bytes(
        *Builder::from_custom_bytes(first(&bytes))
            .as_uuid()
            .as_bytes(),
    )
}

/// An id of a session like others, which sort by age, but always the same for a token.
fn session_of(token: &str, at: Timestamp) -> SessionId {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    let id = Builder::from_unix_timestamp_millis(millis, &first(&hash(&["session", token])));
    SessionId::from_bytes(*id.as_uuid().as_bytes())
}

fn hash(texts: &[&str]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"countersign old token");
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn first<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|index| bytes[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, id: &str, issued_at: Option<i64>) -> OldToken {
        let id = ExternalId::parse(id).expect("an id");
        let issued_at = issued_at.map(Timestamp::from_seconds);
        let ends = Timestamp::from_seconds(2_000);
        OldToken::new(text, GroupId::fallback(), id, issued_at, ends)
    }

    #[test]
    fn ids_are_the_same_for_the_same_and_differ_for_others() {
        let one = token("a.b.c", "7", Some(1_000));
        assert_eq!(one, token("a.b.c", "7", Some(1_000)));
        let other = token("a.b.d", "7", Some(1_000));
        assert_eq!(one.of_user, other.of_user);
        assert!(one.id != other.id && one.session_id != other.session_id);
        assert_ne!(one.of_user, token("a.b.c", "8", Some(1_000)).of_user);
        for id in [one.id, one.of_user] {
            assert!(OldToken::is_computed(id), "{id}");
        }
        assert!(!OldToken::is_computed(one.session_id));
        let (a, bc) = (computed(&["a", "bc"]), computed(&["ab", "c"]));
        assert_ne!(a, bc);
    }

    #[test]
    fn what_was_issued_after_a_revocation_is_not_revoked_by_it() {
        let leeway = Duration::from_secs(5);
        let at = Timestamp::from_seconds(1_000);
        assert!(token("t", "7", Some(1_000)).is_from_before(at, leeway));
        assert!(token("t", "7", Some(1_005)).is_from_before(at, leeway));
        assert!(!token("t", "7", Some(1_006)).is_from_before(at, leeway));
        assert!(token("t", "7", None).is_from_before(at, leeway));
    }
}
