//! What an operator types about a user, in the forms that create and edit one.

use countersign_client::proto::{Profile, User};
use serde::Deserialize;

use crate::pages::words::Words;

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
    /// Of an edit: what the fields were when the form was made.
    pub(super) was_name: String,
    pub(super) was_locale: String,
    pub(super) was_time_zone: String,
    pub(super) was_external_id: String,
    pub(super) was_roles: String,
    pub(super) was_scopes: String,
}

/// A field that somebody else has changed: what it is now, and what this form says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) field: &'static str,
    pub(super) now: String,
    pub(super) typed: String,
}

/// What two texts of a field have in common that say the same.
type Reading = fn(&str) -> Vec<String>;

impl Typed {
    /// What the form says of a user as it is.
    pub(super) fn of(user: &User) -> Self {
        let profile = user.profile.clone().unwrap_or_default();
        let mut typed = Self {
            etag: user.etag.clone(),
            name: profile.name,
            locale: profile.locale,
            time_zone: profile.time_zone,
            external_id: user.external_id.clone(),
            roles: user.roles.join(" "),
            scopes: user.scopes.join(" "),
            ..Self::default()
        };
        for (value, was) in typed.pairs() {
            was.clone_from(value);
        }
        typed
    }

    /// Each field, and what it was.
    fn pairs(&mut self) -> [(&mut String, &mut String); 6] {
        [
            (&mut self.name, &mut self.was_name),
            (&mut self.locale, &mut self.was_locale),
            (&mut self.time_zone, &mut self.was_time_zone),
            (&mut self.external_id, &mut self.was_external_id),
            (&mut self.roles, &mut self.was_roles),
            (&mut self.scopes, &mut self.was_scopes),
        ]
    }

    /// Takes over what somebody else has changed meanwhile, where nothing else was typed. Where something was, it
    /// stays, and is told.
    pub(super) fn merge(&mut self, user: &User, words: &'static Words) -> Vec<Difference> {
        let mut now = Self::of(user);
        self.etag.clone_from(&now.etag);
        let fields: [(_, Reading); 6] = [
            (words.display_name, as_it_is),
            (words.language, as_it_is),
            (words.time_zone, as_it_is),
            (words.for_operators.external_id, as_it_is),
            (words.roles, in_order),
            (words.for_operators.scopes, in_order),
        ];
        let mut differences = Vec::new();
        let pairs = self.pairs().into_iter().zip(now.pairs());
        for (((typed, was), (now, _)), (field, read)) in pairs.zip(fields) {
            let is_changed = read(now) != read(was);
            if read(typed) == read(was) {
                typed.clone_from(now);
            } else if is_changed && read(typed) != read(now) {
                differences.push(Difference {
                    field,
                    now: now.clone(),
                    typed: typed.trim().to_owned(),
                });
            }
            was.clone_from(now);
        }
        differences
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
        words_of(&self.roles, &self.was_roles)
    }

    pub(super) fn scopes(&self) -> Vec<String> {
        words_of(&self.scopes, &self.was_scopes)
    }
}

/// The version that a form was made of. Without one the change would go over whatever there is.
pub(super) fn version(etag: &str) -> String {
    match etag {
        "" => "-".to_owned(),
        etag => etag.to_owned(),
    }
}

/// A field that is one text.
fn as_it_is(text: &str) -> Vec<String> {
    vec![text.trim().to_owned()]
}

/// The words of a field in an order of their own: that of roles and scopes tells nothing.
fn in_order(text: &str) -> Vec<String> {
    let mut words = words_of(text, "");
    words.sort();
    words.dedup();
    words
}

/// Words with spaces, commas or line ends between them. One that was there before stays as it is: a role may have a
/// comma.
fn words_of(text: &str, before: &str) -> Vec<String> {
    let was_there = |word: &str| before.split_whitespace().any(|before| before == word);
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        match was_there(word) {
            true => words.push(word.to_owned()),
            false => {
                let parts = word.split(',').filter(|part| !part.is_empty());
                words.extend(parts.map(str::to_owned));
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::english::WORDS;

    #[test]
    fn words_stand_between_spaces_commas_and_line_ends() {
        assert_eq!(words_of(" a, b,c\r\n d", ""), ["a", "b", "c", "d"]);
        assert_eq!(words_of("a,b c,d", "x a,b"), ["a,b", "c", "d"]);
        assert!(words_of(" , \n ", "").is_empty());
    }

    #[test]
    fn what_a_user_is_stays_when_nothing_is_typed() {
        let user = User {
            roles: vec!["billing,admin".to_owned(), "staff".to_owned()],
            scopes: vec!["a,b".to_owned()],
            ..User::default()
        };
        let typed = Typed::of(&user);
        assert_eq!(typed.roles(), user.roles);
        assert_eq!(typed.scopes(), user.scopes);
    }

    #[test]
    fn what_two_have_changed_is_told_and_the_rest_is_merged() {
        let before = User {
            external_id: "7".to_owned(),
            roles: vec!["admin".to_owned(), "staff".to_owned()],
            etag: "1".to_owned(),
            ..User::default()
        };
        let mut typed = Typed::of(&before);
        typed.roles = "staff,  admin".to_owned();
        typed.name = " Mina ".to_owned();
        typed.external_id = "8".to_owned();
        assert!(typed.clone().merge(&before, &WORDS).is_empty());
        let mut after = before;
        after.etag = "2".to_owned();
        after.external_id = "9".to_owned();
        after.roles = vec!["staff".to_owned()];
        let differences = typed.merge(&after, &WORDS);
        // What the other has changed alone is taken over; what is typed alone stays.
        assert_eq!(typed.roles, "staff");
        assert_eq!(typed.name, " Mina ");
        assert_eq!(typed.external_id, "8");
        assert_eq!(typed.etag, "2");
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].now, "9");
        assert_eq!(differences[0].typed, "8");
        typed.was_name = "Mina Kim".to_owned();
        typed.name = "Kim Mina".to_owned();
        assert_eq!(typed.clone().merge(&after, &WORDS).len(), 1);
        (typed.name, typed.was_name) = ("Mina".to_owned(), String::new());
        // Sent once more, it goes over what is shown.
        assert!(typed.merge(&after, &WORDS).is_empty());
    }
}
