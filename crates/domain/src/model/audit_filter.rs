//! Which entries of the audit log are listed, and where a page of them starts.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::{
    AuditAction, AuditEvent, AuditEventId, AuditOutcome, GroupId, SessionId, Timestamp, UserId,
};

/// Which entries are listed: those that all of it fits. They are listed newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// That were done to this user, by whomever.
    pub user: Option<UserId>,
    /// That this caller did.
    pub caller: Option<String>,
    /// In this group.
    pub group: Option<GroupId>,
    /// Of this session.
    pub session: Option<SessionId>,
    /// Of these actions; of all if there are none. Each once.
    pub actions: Vec<AuditAction>,
    /// Whether they were refused.
    pub refused: Option<bool>,
    /// Then or later.
    pub from: Option<Timestamp>,
    /// Before.
    pub before: Option<Timestamp>,
}

/// Where a page starts: after the entry with this id, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCursor(pub Vec<u8>);

/// How many bytes of a page token tell of which filter it is.
const FILTER_BYTES: usize = 12;
/// The most bytes of an id that is damaged.
const MAX_ID_BYTES: usize = 64;

impl AuditFilter {
    /// How many entries are looked at for a page at the most, which may then have fewer
    /// than were asked for.
    pub const LOOKED_AT: usize = 2000;

    /// Whether an entry fits.
    #[must_use]
    pub fn fits(&self, event: &AuditEvent) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, value: Option<&T>) -> bool {
            wanted.is_none() || wanted == value
        }
        let caller = event.origin.actor.caller();
        let is_refused = matches!(event.outcome, AuditOutcome::Refused(_));
        is(self.user.as_ref(), event.target.user.as_ref())
            && (self.caller.is_none() || self.caller.as_deref() == caller)
            && is(self.group.as_ref(), event.target.group.as_ref())
            && is(self.session.as_ref(), event.target.session.as_ref())
            && (self.actions.is_empty() || self.actions.contains(&event.action))
            && self.refused.is_none_or(|refused| refused == is_refused)
            && self.from.is_none_or(|from| event.id.time() >= from)
            && self.before.is_none_or(|before| event.id.time() < before)
    }

    /// The token of a page of this filter.
    #[must_use]
    pub fn page_token(&self, cursor: &AuditCursor) -> String {
        let mut bytes = self.digest();
        bytes.extend(&cursor.0);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; an empty one is the first page.
    ///
    /// # Errors
    /// What a page token must be, if this is none of this filter.
    pub fn parse_page_token(&self, text: &str) -> Result<Option<AuditCursor>, &'static str> {
        const RULE: &str = "must be the next_page_token of an answer to the same query";
        if text.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| RULE)?;
        let id = bytes.strip_prefix(&*self.digest()).ok_or(RULE)?;
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(RULE);
        }
        Ok(Some(AuditCursor(id.to_vec())))
    }

    /// What tells one filter from another.
    fn digest(&self) -> Vec<u8> {
        let millis = |at: Timestamp| at.as_millis().to_string();
        let mut actions: Vec<_> = self.actions.iter().map(|action| action.as_str()).collect();
        actions.sort_unstable();
        let parts = [
            self.user.map(|user| user.to_string()),
            self.caller.clone(),
            self.group.as_ref().map(|group| group.as_str().to_owned()),
            self.session.map(|session| session.to_string()),
            Some(actions.join(" ")),
            self.refused.map(|refused| refused.to_string()),
            self.from.map(millis),
            self.before.map(millis),
        ];
        let mut text = Vec::new();
        for part in parts {
            let part = part.map_or_else(|| "-".to_owned(), |part| format!("+{part}"));
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part.as_bytes());
        }
        digest(&SHA256, &text).as_ref()[..FILTER_BYTES].to_vec()
    }
}

impl From<AuditEventId> for AuditCursor {
    fn from(id: AuditEventId) -> Self {
        Self(id.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_is_good_for_its_filter_alone() {
        let filter = AuditFilter {
            actions: vec![AuditAction::UserDeleted, AuditAction::UserCreated],
            ..AuditFilter::default()
        };
        let cursor = AuditCursor(vec![7; 16]);
        let token = filter.page_token(&cursor);
        assert_eq!(filter.parse_page_token(&token), Ok(Some(cursor)));
        assert_eq!(filter.parse_page_token(""), Ok(None));
        let others = [
            AuditFilter::default(),
            AuditFilter {
                refused: Some(true),
                ..filter.clone()
            },
            AuditFilter {
                from: Some(Timestamp::from_millis(1)),
                ..filter.clone()
            },
        ];
        for other in others {
            assert!(other.parse_page_token(&token).is_err(), "{other:?}");
        }
        let bare = filter.page_token(&AuditCursor(Vec::new()));
        for wrong in ["a", "////", &token[1..], &bare] {
            assert!(filter.parse_page_token(wrong).is_err(), "{wrong}");
        }
    }
}
