//! Mail as HTML, made of its text: paragraphs, and the code large enough to be
//! read at a glance. It loads nothing, and links to nothing
//! but the link that it is about.

use countersign_domain::model::Locale;

use super::escape::escape;
use super::template::{Part, Template};

/// The HTML of a text.
pub(super) fn of(text: &Template, locale: Locale) -> Template {
    let mut parts = vec![Part::Text(format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"></head>\
         <body style=\"font-family:sans-serif;font-size:16px;line-height:1.5\">\n<p>",
        locale.tag()
    ))];
    for part in &text.parts {
        match part {
            Part::Text(text) => {
                let text = escape(text);
                let text = text.replace("\n\n", "</p>\n<p>").replace('\n', "<br>\n");
                parts.push(Part::Text(text));
            }
            Part::Code => {
                parts.push(Part::Text(
                    "<strong style=\"font-size:24px;letter-spacing:2px\">".into(),
                ));
                parts.push(Part::Code);
                parts.push(Part::Text("</strong>".into()));
            }
            Part::Link => {
                parts.push(Part::Text("<a href=\"".into()));
                parts.push(Part::Link);
                parts.push(Part::Text("\">".into()));
                parts.push(Part::Link);
                parts.push(Part::Text("</a>".into()));
            }
            Part::Address | Part::Product | Part::Minutes | Part::Hours => {
                parts.push(part.clone());
            }
        }
    }
    parts.push(Part::Text("</p>\n</body></html>".into()));
    text.with_parts(parts)
}
