//! Which attributes of a profile are a person's own: what a group allows, and the
//! changes that people make within it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Fields};
use crate::model::Attributes;

/// An attribute that people of a group see in their own profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileAttribute {
    /// Its name.
    pub name: AttributeName,
    /// What its values are.
    pub kind: AttributeKind,
    /// Whether people change it, too.
    #[serde(default)]
    pub writable: bool,
}

/// The name of an attribute: 1 to 64 lower-case letters, digits and underscores, with a
/// letter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttributeName(String);

/// What the values of an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// Texts of at most so many characters.
    Text(u32),
    /// Numbers.
    Number,
    /// True or false.
    Boolean,
}

/// What a person changes of its attributes.
#[derive(Clone, Debug)]
pub struct AttributesChange {
    /// The names of those that are written; all that may be if there is none.
    pub names: Option<Vec<String>>,
    /// The new values. Those without one are gone.
    pub values: Attributes,
}

impl AttributeName {
    /// Reads a name.
    ///
    /// # Errors
    /// What a name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(
                "must be 1 to 64 lower-case letters, digits and underscores, a letter first",
            );
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AttributeKind {
    /// The most characters that texts may be allowed to have.
    pub const LONGEST_TEXT: u32 = 4096;

    fn check(self, value: &Value) -> Result<(), String> {
        match (self, value) {
            (Self::Text(longest), Value::String(text)) => {
                match text.chars().nth(longest as usize) {
                    Some(_) => Err(format!("must be a text of at most {longest} characters")),
                    None => Ok(()),
                }
            }
            (Self::Number, Value::Number(_)) | (Self::Boolean, Value::Bool(_)) => Ok(()),
            (Self::Text(longest), _) => {
                Err(format!("must be a text of at most {longest} characters"))
            }
            (Self::Number, _) => Err("must be a number".into()),
            (Self::Boolean, _) => Err("must be true or false".into()),
        }
    }
}

impl Attributes {
    /// Those that people see of themselves.
    #[must_use]
    pub fn shown(&self, allowed: &[ProfileAttribute]) -> Self {
        let names = allowed.iter().map(|allowed| allowed.name.as_str());
        let shown = names.filter_map(|name| Some((name.into(), self.object().get(name)?.clone())));
        Self::part(shown.collect())
    }

    /// Whether the attributes that a group knows are what it says. Of others nothing is
    /// known.
    ///
    /// # Errors
    /// The fields that are wrong; `at` is where the attributes stand in the request.
    pub fn check(&self, at: &str, allowed: &[ProfileAttribute]) -> Result<(), Error> {
        let mut fields = Fields::new();
        for known in allowed {
            if let Some(value) = self.object().get(known.name.as_str()) {
                fields.take(
                    &format!("{at}.{}", known.name.as_str()),
                    known.kind.check(value),
                );
            }
        }
        fields.finish(|| Some(()))
    }
}

impl AttributesChange {
    const FIELD: &'static str = "profile.attributes";

    /// What becomes of attributes by the change.
    ///
    /// # Errors
    /// The fields that people may not change, or whose values are not what the group
    /// says.
    pub fn apply(
        &self,
        old: &Attributes,
        allowed: &[ProfileAttribute],
    ) -> Result<Attributes, Error> {
        self.check(allowed)?;
        let mut object: Map<String, Value> = old.object().clone();
        let writable = allowed.iter().filter(|allowed| allowed.writable);
        for name in writable.map(|allowed| allowed.name.as_str()) {
            if !self.writes(name) {
                continue;
            }
            match self.values.object().get(name) {
                Some(value) if !value.is_null() => object.insert(name.into(), value.clone()),
                _ => object.remove(name),
            };
        }
        Attributes::new(object).map_err(|rule| Error::invalid(Self::FIELD, rule))
    }

    fn check(&self, allowed: &[ProfileAttribute]) -> Result<(), Error> {
        let writable = |name: &str| {
            let mut writable = allowed.iter().filter(|allowed| allowed.writable);
            writable.find(|allowed| allowed.name.as_str() == name)
        };
        let mut fields = Fields::new();
        let names = self.names.as_ref();
        let none_is_writable = !allowed.iter().any(|allowed| allowed.writable);
        let is_unknown = |names: &Vec<String>| names.iter().any(|name| writable(name).is_none());
        if names.map_or(none_is_writable, is_unknown) {
            fields.refuse("update_mask", rule(allowed));
            return fields.finish(|| Some(()));
        }
        for (name, value) in self.values.object() {
            if !self.writes(name) || value.is_null() && writable(name).is_some() {
                continue;
            }
            let known = writable(name).ok_or_else(|| rule(allowed));
            let checked = known.and_then(|known| known.kind.check(value));
            fields.take(&format!("{}.{name}", Self::FIELD), checked);
        }
        fields.finish(|| Some(()))
    }

    fn writes(&self, name: &str) -> bool {
        let names = self.names.as_ref();
        names.is_none_or(|names| names.iter().any(|named| named == name))
    }
}

fn rule(allowed: &[ProfileAttribute]) -> String {
    let writable = allowed.iter().filter(|allowed| allowed.writable);
    let names: Vec<_> = writable.map(|allowed| allowed.name.as_str()).collect();
    match names.as_slice() {
        [] => "must name no attribute: people of this group may change none".into(),
        names => format!(
            "must name attributes that people may change: {}",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> Vec<ProfileAttribute> {
        [
            ("nickname", AttributeKind::Text(5), true),
            ("newsletter", AttributeKind::Boolean, true),
            ("size", AttributeKind::Number, true),
            ("tier", AttributeKind::Text(10), false),
        ]
        .map(|(name, kind, writable)| ProfileAttribute {
            name: AttributeName::parse(name).expect("a name"),
            kind,
            writable,
        })
        .into()
    }

    fn attributes(json: &str) -> Attributes {
        Attributes::parse(json).expect("attributes")
    }

    fn apply(names: Option<&[&str]>, values: &str) -> Result<String, Vec<String>> {
        let old = attributes(r#"{"nickname":"Mina","tier":"gold","internal":7}"#);
        let change = AttributesChange {
            names: names.map(|names| names.iter().map(ToString::to_string).collect()),
            values: attributes(values),
        };
        match change.apply(&old, &allowed()) {
            Ok(new) => Ok(new.to_json()),
            Err(Error::Invalid(violations)) => {
                Err(violations.into_iter().map(|wrong| wrong.field).collect())
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn people_see_what_their_group_knows() {
        let own = attributes(r#"{"internal":7,"tier":"gold","newsletter":true}"#);
        let shown = own.shown(&allowed());
        assert_eq!(shown, attributes(r#"{"newsletter":true,"tier":"gold"}"#));
        assert!(own.shown(&[]).is_empty());
    }

    #[test]
    fn people_change_what_they_may_and_nothing_else() {
        for (names, values, expected) in [
            (None, "{}", r#"{"internal":7,"tier":"gold"}"#),
            (
                None,
                r#"{"size":4.5,"newsletter":null}"#,
                r#"{"internal":7,"size":4.5,"tier":"gold"}"#,
            ),
            (
                Some(&["newsletter"][..]),
                r#"{"newsletter":false,"nickname":"x","internal":8}"#,
                r#"{"internal":7,"newsletter":false,"nickname":"Mina","tier":"gold"}"#,
            ),
            (Some(&["nickname"]), "{}", r#"{"internal":7,"tier":"gold"}"#),
        ] {
            let new = apply(names, values).expect("changed");
            assert_eq!(attributes(&new), attributes(expected), "{names:?} {values}");
        }
    }

    #[test]
    fn where_nothing_may_be_changed_all_is_refused() {
        for names in [None, Some(vec!["nickname".to_owned()])] {
            let change = AttributesChange {
                names,
                values: Attributes::default(),
            };
            assert!(change.apply(&Attributes::default(), &[]).is_err());
        }
    }

    #[test]
    fn what_is_not_allowed_is_named() {
        for (names, values, wrong) in [
            (None, r#"{"tier":"silver"}"#, "profile.attributes.tier"),
            (None, r#"{"internal":null}"#, "profile.attributes.internal"),
            (Some(&["tier"][..]), "{}", "update_mask"),
            (Some(&["other"]), "{}", "update_mask"),
            (
                None,
                r#"{"nickname":"Minaah"}"#,
                "profile.attributes.nickname",
            ),
            (
                None,
                r#"{"newsletter":"yes"}"#,
                "profile.attributes.newsletter",
            ),
            (None, r#"{"size":true}"#, "profile.attributes.size"),
            (None, r#"{"size":[1]}"#, "profile.attributes.size"),
        ] {
            assert_eq!(apply(names, values), Err(vec![wrong.into()]), "{values}");
        }
    }

    #[test]
    fn operators_are_held_to_what_a_group_knows() {
        let check = |json: &str| attributes(json).check("profile.attributes", &allowed());
        assert!(check(r#"{"internal":{"a":1},"tier":"gold","size":1}"#).is_ok());
        for wrong in [r#"{"tier":7}"#, r#"{"newsletter":null}"#] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_have_their_form() {
        for (text, is_name) in [
            ("a", true),
            ("shoe_size_2", true),
            ("", false),
            ("2a", false),
            ("_a", false),
            ("Size", false),
            ("a.b", false),
            ("이름", false),
        ] {
            assert_eq!(AttributeName::parse(text).is_ok(), is_name, "{text:?}");
        }
        assert!(AttributeName::parse(&"a".repeat(65)).is_err());
    }
}
