//! A text with places for a code or a link, how long it is good, and the product.

use super::error::TemplateError;
use super::escape::escape;
use crate::outgoing::MessageName;

/// A text that was checked.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) file: String,
    pub(super) parts: Vec<Part>,
    lines: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Code,
    Link,
    Address,
    Product,
    Minutes,
    Hours,
}

/// What is put in the places.
pub(super) struct Values<'a> {
    pub(super) code: &'a str,
    pub(super) link: &'a str,
    pub(super) address: &'a str,
    pub(super) product: &'a str,
    pub(super) minutes: u64,
    pub(super) hours: u64,
}

impl Template {
    /// Reads a text. The line breaks at its end do not belong to it.
    ///
    /// # Errors
    /// A place of no known name, or one that has nothing in it here.
    pub(super) fn parse(
        file: &str,
        text: &str,
        name: MessageName,
        product: &str,
    ) -> Result<Self, TemplateError> {
        let text = text.replace("\r\n", "\n");
        let text = text.trim_end_matches('\n');
        let mut template = Self {
            file: file.into(),
            parts: Vec::new(),
            lines: text.matches('\n').count() + 1,
        };
        let (mut rest, mut line) = (text, 1);
        while let Some((before, place, after)) = next_place(rest) {
            line += before.matches('\n').count();
            template.push_text(before);
            let part = part(place, name, product).map_err(|rule| template.wrong(line, rule))?;
            template.parts.push(part);
            rest = after;
        }
        template.push_text(rest);
        if template.parts.is_empty() {
            return Err(template.wrong(1, "is empty".into()));
        }
        Ok(template)
    }

    /// The same text in another form, such as HTML.
    pub(super) fn with_parts(&self, parts: Vec<Part>) -> Self {
        Self {
            parts,
            ..self.clone()
        }
    }

    /// The text with these values.
    pub(super) fn fill(&self, values: &Values) -> String {
        self.put_in(values, |value| value.into())
    }

    /// The HTML with these values, escaped.
    pub(super) fn fill_html(&self, values: &Values) -> String {
        self.put_in(values, escape)
    }

    fn put_in(&self, values: &Values, write: impl Fn(&str) -> String) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Code => write(values.code),
            Part::Link => write(values.link),
            Part::Address => write(values.address),
            Part::Product => write(values.product),
            Part::Minutes => values.minutes.to_string(),
            Part::Hours => values.hours.to_string(),
        });
        parts.collect()
    }

    /// Whether the code or the link of the message is in it.
    pub(super) fn has_secret_of(&self, name: MessageName) -> Result<(), TemplateError> {
        let (part, place) = match name {
            _ if name.has_code() => (Part::Code, "{code}"),
            _ if name.has_link() || name.has_undo() => (Part::Link, "{link}"),
            _ => return Ok(()),
        };
        if self.parts.contains(&part) {
            return Ok(());
        }
        Err(self.wrong(self.lines, format!("{place} is missing")))
    }

    /// A subject is one line, which others than the reader see: notifications
    /// on a locked screen, logs of mail servers.
    pub(super) fn is_subject(&self) -> Result<(), TemplateError> {
        if self.lines > 1 {
            return Err(self.wrong(2, "a subject has one line".into()));
        }
        for (part, place) in [(Part::Code, "{code}"), (Part::Link, "{link}")] {
            if self.parts.contains(&part) {
                return Err(self.wrong(1, format!("a subject must not have {place}")));
            }
        }
        Ok(())
    }

    pub(super) fn wrong(&self, line: usize, rule: String) -> TemplateError {
        TemplateError::Line {
            file: self.file.clone(),
            line,
            rule,
        }
    }

    fn push_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.parts.push(Part::Text(text.into()));
        }
    }
}

/// The text before the next `{name}`, the name, and the text after it. Other
/// braces, such as those of CSS, are text.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    for (start, _) in text.match_indices('{') {
        let inner = &text[start + 1..];
        let Some(end) = inner.find('}') else { break };
        let name = &inner[..end];
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if !name.is_empty() && name.bytes().all(is_name) {
            return Some((&text[..start], name, &inner[end + 1..]));
        }
    }
    None
}

fn part(place: &str, name: MessageName, product: &str) -> Result<Part, String> {
    match place {
        "code" if !name.has_code() => {
            Err("{code} is of codes, and this message has none".to_owned())
        }
        "link" if !name.has_link() && !name.has_undo() => {
            Err("{link} is of links, and this message has none".to_owned())
        }
        "minutes" if !name.has_code() && !name.has_link() => {
            Err("{minutes} is of codes and links, and this message has neither".to_owned())
        }
        "address" if !name.has_undo() => {
            Err("{address} is of changes of addresses, and this message tells of none".to_owned())
        }
        "hours" if !name.has_undo() => {
            Err("{hours} is of what can be undone, and this message has none".to_owned())
        }
        "code" => Ok(Part::Code),
        "link" => Ok(Part::Link),
        "address" => Ok(Part::Address),
        "minutes" => Ok(Part::Minutes),
        "hours" => Ok(Part::Hours),
        "product" if product.is_empty() => {
            Err("{product} needs a delivery.product_name".to_owned())
        }
        "product" => Ok(Part::Product),
        other => Err(format!(
            "{{{other}}} is not known; there are {{code}}, {{link}}, {{address}}, {{minutes}}, \
             {{hours}} and {{product}}"
        )),
    }
}
