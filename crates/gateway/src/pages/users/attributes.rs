//! The attributes of a user as JSON, for operators to read.

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::Value as Json;

/// The text; empty if there are none.
pub(super) fn text(attributes: Option<&Struct>) -> String {
    let Some(attributes) = attributes.filter(|attributes| !attributes.fields.is_empty()) else {
        return String::new();
    };
    format!("{:#}", object(attributes))
}

fn object(fields: &Struct) -> Json {
    let fields = fields.fields.iter();
    fields
        .map(|(name, value)| (name.clone(), json(value)))
        .collect()
}

fn json(value: &Value) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::NumberValue(number)) => Json::from(*number),
        Some(Kind::StringValue(text)) => Json::from(text.as_str()),
        Some(Kind::BoolValue(is_so)) => Json::from(*is_so),
        Some(Kind::StructValue(fields)) => object(fields),
        Some(Kind::ListValue(list)) => list.values.iter().map(json).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_json() {
        let value = |kind| Value { kind: Some(kind) };
        let fields = [
            ("age", value(Kind::NumberValue(7.5))),
            ("vip", value(Kind::BoolValue(true))),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        let attributes = Struct {
            fields: fields.into(),
        };
        assert_eq!(
            text(Some(&attributes)),
            "{\n  \"age\": 7.5,\n  \"vip\": true\n}"
        );
        assert_eq!(text(Some(&Struct::default())), "");
        assert_eq!(text(None), "");
    }
}
