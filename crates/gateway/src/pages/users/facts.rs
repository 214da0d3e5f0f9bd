//! A user as the pages show it: what it is called, and where its account is in its life.

use countersign_client::proto::identifier::Value as Kind;
use countersign_client::proto::{Identifier, User, UserState};

use crate::pages::times::Moment;
use crate::pages::words::OperatorWords;

/// A user in a list, or at the head of a page.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) id: String,
    /// The name, else an identifier, else the id.
    pub(super) title: String,
    /// What tells it from another of that name; empty if nothing does.
    pub(super) subtitle: String,
    pub(super) state: State,
    pub(super) group: String,
    pub(super) roles: String,
    pub(super) created_at: Moment,
}

/// The state of an account.
#[derive(Debug)]
pub(super) struct State {
    pub(super) text: &'static str,
    /// The class of the badge.
    pub(super) kind: &'static str,
}

impl Facts {
    pub(super) fn new(user: &User, words: &'static OperatorWords) -> Self {
        let name = user.profile.as_ref().map(|profile| profile.name.as_str());
        let name = name.filter(|name| !name.trim().is_empty());
        let first = user.identifiers.iter().find_map(text);
        let (title, subtitle) = match (name, first) {
            (Some(name), first) => (name, first.unwrap_or_default()),
            (None, Some(first)) => (first, ""),
            (None, None) => (user.user_id.as_str(), ""),
        };
        Self {
            id: user.user_id.clone(),
            title: title.to_owned(),
            subtitle: subtitle.to_owned(),
            state: State::new(user.state(), words),
            group: user.group_id.clone(),
            roles: user.roles.join(", "),
            created_at: Moment::new(user.create_time),
        }
    }
}

impl State {
    pub(super) fn new(state: UserState, words: &'static OperatorWords) -> Self {
        let (text, kind) = match state {
            UserState::Active => (words.state_active, "success"),
            UserState::Suspended => (words.state_suspended, "warning"),
            UserState::Pending => (words.state_pending, ""),
            UserState::Withdrawn => (words.state_withdrawn, "danger"),
            UserState::Erased => (words.state_erased, "danger"),
            UserState::Unspecified => (words.state_unknown, ""),
        };
        Self { text, kind }
    }
}

/// The text of an identifier.
pub(super) fn text(identifier: &Identifier) -> Option<&str> {
    match identifier.value.as_ref()? {
        Kind::Email(text) | Kind::Phone(text) | Kind::Username(text) => Some(text),
    }
}

/// The path of a user's page.
pub(super) fn path_of(user_id: &str) -> String {
    format!("/users/{user_id}")
}

#[cfg(test)]
mod tests {
    use countersign_client::proto::Profile;

    use super::*;
    use crate::pages::words::operators::english::WORDS;

    #[test]
    fn a_user_is_called_by_its_name_its_identifier_or_its_id() {
        let email = Identifier {
            value: Some(Kind::Email("mina@example.com".to_owned())),
        };
        let called = |name: &str, identifiers: &[Identifier]| {
            let user = User {
                user_id: "7".to_owned(),
                identifiers: identifiers.to_vec(),
                profile: Some(Profile {
                    name: name.to_owned(),
                    ..Profile::default()
                }),
                ..User::default()
            };
            let facts = Facts::new(&user, &WORDS);
            (facts.title, facts.subtitle)
        };
        let both = |title: &str, subtitle: &str| (title.to_owned(), subtitle.to_owned());
        let known = std::slice::from_ref(&email);
        assert_eq!(called("Mina", known), both("Mina", "mina@example.com"));
        assert_eq!(called(" ", known), both("mina@example.com", ""));
        assert_eq!(called("", &[]), both("7", ""));
    }
}
