//! The fields of users in messages: read into domain types, and by a mask.

use countersign_domain::Fields;
use countersign_domain::model::{
    ExternalId, LanguageTag, PersonName, Profile, Scope, TimeZone, Timestamp, User, UserRole,
};
use countersign_proto::v1;

use crate::attributes;

/// A field that is absent if it is empty.
pub(super) fn optional<T>(
    fields: &mut Fields,
    field: &str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Option<T> {
    match text {
        "" => None,
        text => fields.take(field, parse(text)),
    }
}

/// The version that was read, if the caller tells.
pub(in crate::grpc) fn etag(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(super) fn external_id(fields: &mut Fields, text: &str) -> Option<ExternalId> {
    optional(fields, "external_id", text, ExternalId::parse)
}

/// A profile whose fields are at `at`: `profile.` or nothing.
pub(super) fn profile(fields: &mut Fields, at: &str, message: v1::Profile) -> Profile {
    let name = |field: &str| format!("{at}{field}");
    let attributes = message.attributes.map(attributes::read);
    let attributes = attributes.and_then(|read| fields.take(&name("attributes"), read));
    Profile {
        name: optional(fields, &name("name"), &message.name, PersonName::parse),
        locale: optional(fields, &name("locale"), &message.locale, LanguageTag::parse),
        time_zone: optional(
            fields,
            &name("time_zone"),
            &message.time_zone,
            TimeZone::parse,
        ),
        attributes: attributes.unwrap_or_default(),
    }
}

pub(in crate::grpc) fn roles(fields: &mut Fields, texts: &[String]) -> Vec<UserRole> {
    roles_at(fields, "roles", texts)
}

pub(in crate::grpc) fn roles_at(
    fields: &mut Fields,
    field: &str,
    texts: &[String],
) -> Vec<UserRole> {
    words(fields, field, texts, User::MAX_ROLES, UserRole::parse)
}

pub(in crate::grpc) fn scopes(fields: &mut Fields, texts: &[String]) -> Vec<Scope> {
    scopes_at(fields, "scopes", texts)
}

pub(in crate::grpc) fn scopes_at(fields: &mut Fields, field: &str, texts: &[String]) -> Vec<Scope> {
    words(fields, field, texts, User::MAX_SCOPES, Scope::parse)
}

/// Words, each once, in the order of the alphabet.
fn words<T: Ord>(
    fields: &mut Fields,
    field: &str,
    texts: &[String],
    most: usize,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Vec<T> {
    if texts.len() > most {
        fields.refuse(field, format!("must have at most {most} items"));
    }
    let mut words = Vec::new();
    for (index, text) in texts.iter().take(most).enumerate() {
        words.extend(fields.take(&format!("{field}[{index}]"), parse(text)));
    }
    words.sort();
    words.dedup();
    words
}

/// What an update mask names.
#[derive(Debug)]
pub(in crate::grpc) struct Mask(Vec<String>);

impl Mask {
    /// Reads a mask of some of the paths that there are; `field.*` stands for any name
    /// below a field.
    pub(in crate::grpc) fn read(
        fields: &mut Fields,
        message: Option<prost_types::FieldMask>,
        paths: &[&str],
    ) -> Self {
        let named = message.unwrap_or_default().paths;
        let is_known = |path: &String| {
            let below = |known: &str| {
                known
                    .strip_suffix('*')
                    .is_some_and(|at| path.starts_with(at))
            };
            paths.iter().any(|known| *known == path || below(known))
        };
        if named.is_empty() || !named.iter().all(is_known) {
            let rule = format!("must name some of {}", paths.join(", "));
            fields.refuse("update_mask", rule);
        }
        Self(named)
    }

    /// The names below a field that are named, or none of them if it is named itself;
    /// nothing if neither is.
    pub(super) fn parts(&self, field: &str) -> Option<Option<Vec<String>>> {
        if self.0.iter().any(|named| named == field) {
            return Some(None);
        }
        let below = |named: &String| {
            named
                .strip_prefix(field)?
                .strip_prefix('.')
                .map(str::to_owned)
        };
        let names: Vec<_> = self.0.iter().filter_map(below).collect();
        (!names.is_empty()).then_some(Some(names))
    }

    /// Whether a field, or what it is part of, is named.
    pub(in crate::grpc) fn names(&self, path: &str) -> bool {
        let whole = path.split('.').next().unwrap_or(path);
        self.0.iter().any(|named| named == path || named == whole)
    }

    /// The value of a field, if it or what it is part of is named.
    pub(in crate::grpc) fn of<T>(&self, path: &str, value: T) -> Option<T> {
        self.names(path).then_some(value)
    }
}

/// An instant of the years 1 to 9999.
pub(in crate::grpc) fn instant(
    fields: &mut Fields,
    field: &str,
    message: Option<prost_types::Timestamp>,
) -> Option<Timestamp> {
    const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
    let message = message?;
    let nanos = i64::from(message.nanos);
    let is_fit = SECONDS.contains(&message.seconds) && (0..1_000_000_000).contains(&nanos);
    let instant = Timestamp::from_millis(message.seconds.saturating_mul(1000) + nanos / 1_000_000);
    let rule = "must be an instant of the years 1 to 9999";
    fields.take(field, is_fit.then_some(instant).ok_or(rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_names_fields_or_what_they_are_part_of() {
        let read = |paths: &[&str]| {
            let mut fields = Fields::new();
            let message = prost_types::FieldMask {
                paths: paths.iter().map(ToString::to_string).collect(),
            };
            let known = ["roles", "profile", "profile.name", "profile.locale"];
            let mask = Mask::read(&mut fields, Some(message), &known);
            fields.finish(|| Some(mask)).ok()
        };
        let mask = read(&["profile.name", "roles"]).expect("a mask");
        assert_eq!(mask.of("profile.name", 1), Some(1));
        assert_eq!(mask.of("profile.locale", 1), None);
        assert_eq!(mask.of("roles", 1), Some(1));
        let parts = |paths: &[&str]| {
            let mut fields = Fields::new();
            let message = prost_types::FieldMask {
                paths: paths.iter().map(ToString::to_string).collect(),
            };
            let mask = Mask::read(&mut fields, Some(message), &["name", "tags", "tags.*"]);
            let parts = mask.parts("tags");
            fields.finish(|| Some(parts)).expect("a mask")
        };
        assert_eq!(parts(&["name"]), None);
        assert_eq!(parts(&["tags.a", "tags"]), Some(None));
        let both = Some(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(parts(&["tags.a", "name", "tags.b"]), Some(both));
        let whole = read(&["profile"]).expect("a mask");
        assert_eq!(whole.of("profile.locale", 1), Some(1));
        for wrong in [&[][..], &["*"], &["roles", "state"], &[""]] {
            assert!(read(wrong).is_none(), "{wrong:?}");
        }
    }
}
