//! What an operator types about a user, in the forms that create and edit one.

use countersign_client::proto::{Profile, User};
use serde::Deserialize;

use crate::pages::words::{OperatorWords, Words};

/// The fields of both forms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    /// Of a new user: one a line.
    pub(super) identifiers: String,
    pub(super) group: String,
    pub(super) password: String,
    /// Of an edit: the version that was read.
    pub(super) etag: String,
    pub(super) name: String,
    pub(super) locale: String,
    pub(super) time_zone: String,
    pub(super) external_id: String,
    /// With spaces between them.
    pub(super) roles: String,
    pub(super) scopes: String,
}

/// A field that somebody else has changed: what it is now, and what this form says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) field: &'static str,
    pub(super) now: String,
    pub(super) typed: String,
}

impl Typed {
    /// What the form says of a user as it is.
    pub(super) fn of(user: &User) -> Self {
        let profile = user.profile.clone().unwrap_or_default();
        Self {
            etag: user.etag.clone(),
            name: profile.name,
            locale: profile.locale,
            time_zone: profile.time_zone,
            external_id: user.external_id.clone(),
            roles: user.roles.join(" "),
            scopes: user.scopes.join(" "),
            ..Self::default()
        }
    }

    pub(super) fn profile(&self) -> Profile {
        Profile {
            name: self.name.trim().to_owned(),
            locale: self.locale.trim().to_owned(),
            time_zone: self.time_zone.trim().to_owned(),
            attributes: None,
        }
    }

    pub(super) fn roles(&self) -> Vec<String> {
        words_of(&self.roles)
    }

    pub(super) fn scopes(&self) -> Vec<String> {
        words_of(&self.scopes)
    }

    /// Where the user is another than this form says.
    pub(super) fn differences(
        &self,
        user: &User,
        words: &'static Words,
        terms: &'static OperatorWords,
    ) -> Vec<Difference> {
        let now = Self::of(user);
        let in_order = |text: &str| {
            let mut found = words_of(text);
            found.sort();
            found.dedup();
            found.join(" ")
        };
        let plain = |text: &str| text.trim().to_owned();
        let fields = [
            (words.display_name, plain(&now.name), plain(&self.name)),
            (words.language, plain(&now.locale), plain(&self.locale)),
            (
                words.time_zone,
                plain(&now.time_zone),
                plain(&self.time_zone),
            ),
            (
                terms.external_id,
                plain(&now.external_id),
                plain(&self.external_id),
            ),
            (words.roles, in_order(&now.roles), in_order(&self.roles)),
            (terms.scopes, in_order(&now.scopes), in_order(&self.scopes)),
        ];
        let differing = fields.into_iter().filter(|(_, now, typed)| now != typed);
        let differing = differing.map(|(field, now, typed)| Difference { field, now, typed });
        differing.collect()
    }
}

/// Words with spaces, commas or line ends between them.
fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::english::WORDS;

    #[test]
    fn words_stand_between_spaces_commas_and_line_ends() {
        assert_eq!(words_of(" a, b\n c"), ["a", "b", "c"]);
        assert!(words_of(" , ").is_empty());
    }

    #[test]
    fn a_form_tells_where_it_differs_from_what_is_stored() {
        let user = User {
            external_id: "7".to_owned(),
            roles: vec!["admin".to_owned(), "staff".to_owned()],
            etag: "e".to_owned(),
            ..User::default()
        };
        let mut typed = Typed::of(&user);
        typed.roles = "staff,  admin".to_owned();
        let differences = |typed: &Typed| typed.differences(&user, &WORDS, WORDS.for_operators);
        assert!(differences(&typed).is_empty());
        typed.name = " Mina ".to_owned();
        typed.roles = "staff".to_owned();
        let found = differences(&typed);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].now.as_str(), found[0].typed.as_str()),
            ("", "Mina")
        );
        assert_eq!(found[1].now, "admin staff");
    }
}
