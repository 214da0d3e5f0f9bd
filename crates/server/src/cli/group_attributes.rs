//! The attributes of profiles that a group knows, as a flag has them and as they are
//! shown: `nickname:string:40:writable,tier:number`.

use countersign_proto::v1::ProfileAttribute;
use countersign_proto::v1::profile_attribute::Type;

/// Attributes of a flag.
#[derive(Debug, Clone)]
pub(super) struct Attributes(pub(super) Vec<ProfileAttribute>);

const RULE: &str = "must be NAME:TYPE[:LENGTH][:writable] with commas between them; types are \
                    string, number and boolean, and strings may have a LENGTH";

/// Reads attributes; an empty text is none.
pub(super) fn attributes(text: &str) -> Result<Attributes, &'static str> {
    let words = text.split(',').map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    let attributes: Option<Vec<_>> = words.map(attribute).collect();
    attributes.map(Attributes).ok_or(RULE)
}

fn attribute(text: &str) -> Option<ProfileAttribute> {
    let mut parts = text.split(':').peekable();
    let name = parts.next().filter(|name| !name.is_empty())?;
    let kind = parts.next()?.to_ascii_uppercase();
    let kind = Type::from_str_name(&format!("TYPE_{kind}"));
    let kind = kind.filter(|kind| *kind != Type::Unspecified)?;
    let length = parts.peek().and_then(|part| part.parse().ok());
    if length.is_some() {
        parts.next();
    }
    let writable = match parts.next() {
        None => false,
        Some("writable") => true,
        Some(_) => return None,
    };
    let whole = ProfileAttribute {
        name: name.into(),
        r#type: kind.into(),
        max_length: length.unwrap_or_default(),
        writable,
    };
    parts.next().is_none().then_some(whole)
}

/// An attribute as the flag has it.
pub(super) fn shown(attribute: &ProfileAttribute) -> String {
    let kind = attribute.r#type().as_str_name();
    let kind = kind.trim_start_matches("TYPE_").to_ascii_lowercase();
    let length = match attribute.max_length {
        0 => String::new(),
        length => format!(":{length}"),
    };
    let writable = match attribute.writable {
        true => ":writable",
        false => "",
    };
    format!("{}:{kind}{length}{writable}", attribute.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_shown_as_they_are_given() {
        let text =
            "nickname:string:40:writable,newsletter:boolean:writable,tier:number,note:string";
        let Attributes(read) = attributes(text).expect("attributes");
        let again: Vec<_> = read.iter().map(shown).collect();
        assert_eq!(again.join(","), text);
        assert!(attributes("").expect("none").0.is_empty());
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "nickname",
            ":string",
            "nickname:text",
            "nickname:unspecified",
            "nickname:string:writeable",
            "nickname:string:writable:40",
            "nickname:string:40:40",
        ] {
            assert!(attributes(text).is_err(), "{text}");
        }
    }
}
