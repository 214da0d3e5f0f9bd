//! Users as JSON Lines: one object a line. Blank lines are passed over.

use serde_json::{Map, Value};

use super::fields::{Cell, Defaults, Field, Fields};
use super::lines::{Bytes, LONGEST_RECORD, Line};
use super::record::{Place, Record, SourceError, Wrong};

/// A file of JSON Lines.
pub(super) struct JsonLines {
    bytes: Bytes,
    line: Vec<u8>,
    number: u64,
    defaults: Defaults,
}

impl JsonLines {
    pub(super) fn new(bytes: Bytes, defaults: Defaults) -> Self {
        Self {
            bytes,
            line: Vec::new(),
            number: 0,
            defaults,
        }
    }

    /// The next user, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Record>, SourceError> {
        loop {
            let line = self.bytes.line(&mut self.line);
            let line = line.map_err(|error| SourceError::Unreadable(error.to_string()))?;
            self.number += 1;
            let user = match line {
                Line::End => return Ok(None),
                Line::Whole if self.line.trim_ascii().is_empty() => continue,
                Line::Whole => read(&self.line).and_then(|fields| {
                    // Of an address that says nothing of it, it is not asked.
                    fields.user(&self.defaults, |_| false)
                }),
                Line::TooLong => Err(Wrong::new(
                    "",
                    format!("must be at most {LONGEST_RECORD} bytes long"),
                )),
            };
            return Ok(Some(Record::new(Place::Line(self.number), user)));
        }
    }
}

fn read(line: &[u8]) -> Result<Fields, Wrong> {
    let text = std::str::from_utf8(line).map_err(|_| Wrong::new("", "must be UTF-8"))?;
    // What the parser says may repeat what stands there.
    let object: Map<String, Value> = serde_json::from_str(text)
        .map_err(|_| Wrong::new("", "must be a JSON object on one line"))?;
    let mut fields = Fields::default();
    for (name, value) in object {
        let Some(field) = Field::named(&name) else {
            return Err(Wrong::new("", unknown()));
        };
        let Some(cell) = cell(field, value)? else {
            continue;
        };
        if !fields.add(field, cell) {
            return Err(Wrong::new(field.name(), "must be given once"));
        }
    }
    Ok(fields)
}

fn unknown() -> String {
    format!("must have no other fields than {}", Field::NAMES.join(", "))
}

/// What stands in a field. Nothing where it is null or empty.
fn cell(field: Field, value: Value) -> Result<Option<Cell>, Wrong> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => match field {
            Field::Emails | Field::Phones | Field::Roles | Field::Scopes => Cell::Texts(vec![text]),
            _ => Cell::Text(text),
        },
        Value::Number(number) => Cell::Text(number.to_string()),
        Value::Bool(value) => Cell::Truth(value),
        Value::Object(object) => Cell::Object(object),
        Value::Array(values) => {
            let texts = values.into_iter().map(|value| match value {
                Value::String(text) => Ok(text),
                _ => Err(Wrong::new(field.name(), "must be an array of texts")),
            });
            Cell::Texts(texts.collect::<Result<_, _>>()?)
        }
    }))
}
