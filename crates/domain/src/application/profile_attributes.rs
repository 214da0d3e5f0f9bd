//! The attributes of profiles within what their group knows: checked as operators write
//! them, and changed as people do.

use serde_json::{Map, Value};

use crate::error::{Error, Fields};
use crate::model::{Attributes, AttributesChange, ProfileAttribute};

const FIELD: &str = "profile.attributes";

/// Whether the attributes that a group knows are what it says. Of others nothing is
/// known.
///
/// # Errors
/// The fields that are wrong.
pub(crate) fn check_attributes(
    attributes: &Attributes,
    allowed: &[ProfileAttribute],
) -> Result<(), Error> {
    let mut fields = Fields::new();
    for known in allowed {
        let name = known.name.as_str();
        if let Some(value) = attributes.object().get(name) {
            fields.take(&format!("{FIELD}.{name}"), known.kind.check(value));
        }
    }
    fields.finish(|| Some(()))
}

/// What becomes of attributes by a person's change.
///
/// # Errors
/// The fields that people may not change, or whose values are not what the group says.
pub(crate) fn changed_attributes(
    change: &AttributesChange,
    old: &Attributes,
    allowed: &[ProfileAttribute],
) -> Result<Attributes, Error> {
    check_change(change, allowed)?;
    let mut object: Map<String, Value> = old.object().clone();
    let writable = allowed.iter().filter(|allowed| allowed.writable);
    for name in writable.map(|allowed| allowed.name.as_str()) {
        if !change.writes(name) {
            continue;
        }
        match change.values.object().get(name) {
            Some(value) if !value.is_null() => object.insert(name.into(), value.clone()),
            _ => object.remove(name),
        };
    }
    Attributes::new(object).map_err(|rule| Error::invalid(FIELD, rule))
}

fn check_change(change: &AttributesChange, allowed: &[ProfileAttribute]) -> Result<(), Error> {
    let writable = |name: &str| {
        let mut writable = allowed.iter().filter(|allowed| allowed.writable);
        writable.find(|allowed| allowed.name.as_str() == name)
    };
    let mut fields = Fields::new();
    let names = change.names.as_ref();
    let none_is_writable = !allowed.iter().any(|allowed| allowed.writable);
    let is_unknown = |names: &Vec<String>| names.iter().any(|name| writable(name).is_none());
    if names.map_or(none_is_writable, is_unknown) {
        fields.refuse("update_mask", rule(allowed));
        return fields.finish(|| Some(()));
    }
    for (name, value) in change.values.object() {
        if !change.writes(name) || value.is_null() && writable(name).is_some() {
            continue;
        }
        let known = writable(name).ok_or_else(|| rule(allowed));
        let checked = known.and_then(|known| known.kind.check(value));
        fields.take(&format!("{FIELD}.{name}"), checked);
    }
    fields.finish(|| Some(()))
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
    use crate::model::{AttributeKind, AttributeName};

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
        match changed_attributes(&change, &old, &allowed()) {
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
            assert!(changed_attributes(&change, &Attributes::default(), &[]).is_err());
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
        let check = |json: &str| check_attributes(&attributes(json), &allowed());
        assert!(check(r#"{"internal":{"a":1},"tier":"gold","size":1}"#).is_ok());
        for wrong in [r#"{"tier":7}"#, r#"{"newsletter":null}"#] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
