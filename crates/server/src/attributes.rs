//! Attributes as `google.protobuf.Struct`, and back. Its numbers are doubles.

use countersign_domain::model::Attributes;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::{Map, Number, Value as Json};

/// How deep attributes are nested at the most.
const DEPTH: usize = 16;

/// Reads attributes.
///
/// # Errors
/// What they must be.
pub(crate) fn read(message: Struct) -> Result<Attributes, &'static str> {
    const RULE: &str = "must have finite numbers, and be nested at most 16 deep";
    Attributes::new(object(message, DEPTH).ok_or(RULE)?)
}

/// Attributes as a message; absent if there are none.
pub(crate) fn written(attributes: &Attributes) -> Option<Struct> {
    (!attributes.is_empty()).then(|| structure(attributes.object()))
}

fn object(message: Struct, depth: usize) -> Option<Map<String, Json>> {
    let depth = depth.checked_sub(1)?;
    let fields = message.fields.into_iter();
    fields
        .map(|(name, field)| Some((name, json(field, depth)?)))
        .collect()
}

fn json(value: Value, depth: usize) -> Option<Json> {
    Some(match value.kind? {
        Kind::NullValue(_) => Json::Null,
        Kind::NumberValue(number) => Json::Number(number_of(number)?),
        Kind::StringValue(text) => Json::String(text),
        Kind::BoolValue(value) => Json::Bool(value),
        Kind::StructValue(fields) => Json::Object(object(fields, depth)?),
        Kind::ListValue(list) => {
            let depth = depth.checked_sub(1)?;
            let values = list.values.into_iter();
            Json::Array(
                values
                    .map(|value| json(value, depth))
                    .collect::<Option<_>>()?,
            )
        }
    })
}

/// A number without a fraction is written as one, as JSON from elsewhere has it.
fn number_of(number: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return format!("{number:.0}")
            .parse()
            .ok()
            .map(|whole: i64| whole.into());
    }
    Number::from_f64(number)
}

fn structure(object: &Map<String, Json>) -> Struct {
    let fields = object.iter();
    Struct {
        fields: fields
            .map(|(name, value)| (name.clone(), value_of(value)))
            .collect(),
    }
}

fn value_of(json: &Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(values) => Kind::ListValue(ListValue {
            values: values.iter().map(value_of).collect(),
        }),
        Json::Object(object) => Kind::StructValue(structure(object)),
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_back_as_they_were() {
        let json = r#"{"a":[1,-2.5,null,true,"ㄱ"],"b":{"c":{}},"d":9007199254740992}"#;
        let attributes = Attributes::parse(json).expect("attributes");
        let message = written(&attributes).expect("there are some");
        let read = read(message).expect("attributes");
        assert_eq!(read.to_json(), json);
        assert!(written(&Attributes::default()).is_none());
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        let of = |kind| Struct {
            fields: [("a".to_owned(), Value { kind })].into(),
        };
        for number in [f64::NAN, f64::INFINITY] {
            assert!(read(of(Some(Kind::NumberValue(number)))).is_err());
        }
        assert!(read(of(None)).is_err());
        let mut deep = Struct::default();
        for _ in 0..DEPTH {
            deep = of(Some(Kind::StructValue(deep)));
        }
        assert!(read(deep).is_err());
    }
}
