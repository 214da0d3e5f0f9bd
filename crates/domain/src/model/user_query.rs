//! Which users are listed, in which order, and where a page of them starts.

use aws_lc_rs::digest::{SHA256, digest};

use crate::model::page::{place_of, to_token};
use crate::model::{GroupId, IdentifierPrefix, Timestamp, UserId, UserRole};

/// Which users are listed: those that all of it fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// Of this group.
    pub group: Option<GroupId>,
    /// In this state.
    pub state: Option<StateFilter>,
    /// With this role. Not with a prefix.
    pub role: Option<UserRole>,
    /// With an identifier of the group that begins so. They are listed by identifier.
    pub prefix: Option<IdentifierPrefix>,
    /// Created then or later.
    pub created_from: Option<Timestamp>,
    /// Created before.
    pub created_before: Option<Timestamp>,
    /// Whether the oldest come first, where there is no prefix.
    pub oldest_first: bool,
}

/// A state by which users are listed, as it is stored: a suspension that has ended by
/// itself is one until it is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFilter {
    /// Who has no verified address.
    Pending,
    /// Who can sign in.
    Active,
    /// Who is suspended.
    Suspended,
    /// Who has withdrawn, and is not erased.
    Withdrawn,
    /// Whose personal data is erased.
    Erased,
}

/// Where a page starts: after this user, or this identifier.
#[derive(Clone, PartialEq, Eq)]
pub enum UserCursor {
    /// By the time of creation.
    Created(Timestamp, UserId),
    /// By identifier.
    Identifier(String),
}

/// How many bytes of a page token tell of which query it is.
const QUERY_BYTES: usize = 12;

impl UserQuery {
    /// The token of a page of this query.
    #[must_use]
    pub fn page_token(&self, cursor: &UserCursor) -> String {
        let mut bytes = self.digest();
        match cursor {
            UserCursor::Created(at, id) => {
                bytes.extend(at.as_millis().to_be_bytes());
                bytes.extend(id.as_bytes());
            }
            UserCursor::Identifier(text) => bytes.extend(text.as_bytes()),
        }
        to_token(&bytes)
    }

    /// Reads a token; an empty one is the first page.
    ///
    /// # Errors
    /// What a page token must be, if this is none of this query.
    pub fn parse_page_token(&self, text: &str) -> Result<Option<UserCursor>, &'static str> {
        const RULE: &str = "must be the next_page_token of an answer to the same query";
        if text.is_empty() {
            return Ok(None);
        }
        let place = place_of(text).ok_or(RULE)?;
        let rest = place.strip_prefix(&*self.digest()).ok_or(RULE)?;
        if self.prefix.is_some() {
            let text = String::from_utf8(rest.to_vec()).map_err(|_| RULE)?;
            if text.chars().any(char::is_control) {
                return Err(RULE);
            }
            return Ok(Some(UserCursor::Identifier(text)));
        }
        let (at, id) = rest.split_at_checked(8).ok_or(RULE)?;
        let at = i64::from_be_bytes(at.try_into().map_err(|_| RULE)?);
        let id = UserId::from_bytes(id.try_into().map_err(|_| RULE)?);
        Ok(Some(UserCursor::Created(Timestamp::from_millis(at), id)))
    }

    /// What tells one query from another.
    fn digest(&self) -> Vec<u8> {
        let kind = |prefix: &IdentifierPrefix| prefix.kind().as_str().to_owned();
        let millis = |at: Timestamp| at.as_millis().to_string();
        let prefix = self.prefix.as_ref();
        let parts = [
            self.group.as_ref().map(|group| group.as_str().to_owned()),
            self.state.map(|state| format!("{state:?}")),
            self.role.as_ref().map(|role| role.as_str().to_owned()),
            prefix.map(kind),
            prefix.map(|prefix| prefix.as_str().to_owned()),
            self.created_from.map(millis),
            self.created_before.map(millis),
            Some(self.oldest_first.to_string()),
        ];
        let mut text = Vec::new();
        for part in parts {
            let part = part.map_or_else(|| "-".to_owned(), |part| format!("+{part}"));
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part.as_bytes());
        }
        digest(&SHA256, &text).as_ref()[..QUERY_BYTES].to_vec()
    }
}

impl std::fmt::Debug for UserCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserCursor(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IdentifierKind;

    fn queries() -> Vec<UserQuery> {
        let group = |text| GroupId::parse(text).ok();
        let prefix = |text| IdentifierPrefix::parse(IdentifierKind::Email, text).ok();
        let none = UserQuery::default();
        vec![
            none.clone(),
            UserQuery {
                group: group("a"),
                ..none.clone()
            },
            UserQuery {
                group: group("b"),
                ..none.clone()
            },
            UserQuery {
                role: UserRole::parse("a").ok(),
                ..none.clone()
            },
            UserQuery {
                state: Some(StateFilter::Active),
                ..none.clone()
            },
            UserQuery {
                state: Some(StateFilter::Erased),
                ..none.clone()
            },
            UserQuery {
                created_from: Some(Timestamp::from_millis(1)),
                ..none.clone()
            },
            UserQuery {
                created_before: Some(Timestamp::from_millis(1)),
                ..none.clone()
            },
            UserQuery {
                oldest_first: true,
                ..none.clone()
            },
            UserQuery {
                group: group("a"),
                prefix: prefix("a"),
                ..none.clone()
            },
            UserQuery {
                group: group("a"),
                prefix: prefix("ab"),
                ..none
            },
        ]
    }

    #[test]
    fn a_token_is_good_for_its_own_query_alone() {
        let queries = queries();
        for (at, query) in queries.iter().enumerate() {
            let cursor = match query.prefix {
                Some(_) => UserCursor::Identifier("mina@example.com".into()),
                None => {
                    UserCursor::Created(Timestamp::from_millis(-5), UserId::from_bytes([7; 16]))
                }
            };
            let token = query.page_token(&cursor);
            for (other_at, other) in queries.iter().enumerate() {
                let read = other.parse_page_token(&token);
                if at == other_at {
                    assert!(read == Ok(Some(cursor.clone())), "query {at}");
                } else {
                    assert!(
                        read.is_err(),
                        "a token of query {at} is good for {other_at}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_text_that_is_no_token_is_refused() {
        let by_identifier = UserQuery {
            prefix: IdentifierPrefix::parse(IdentifierKind::Email, "mina").ok(),
            ..UserQuery::default()
        };
        let created = UserCursor::Created(Timestamp::from_millis(5), UserId::from_bytes([7; 16]));
        let identifier = UserCursor::Identifier("mina@example.com".into());
        for (query, cursor) in [(UserQuery::default(), created), (by_identifier, identifier)] {
            assert!(query.parse_page_token("") == Ok(None));
            let token = query.page_token(&cursor);
            for end in 1..token.len() {
                assert!(query.parse_page_token(&token[..end]).is_err(), "{end}");
            }
            assert!(query.parse_page_token(&format!("{token}AAAA")).is_err());
            assert!(query.parse_page_token("!").is_err());
        }
    }
}
