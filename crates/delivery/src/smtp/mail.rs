//! A message as mail (RFC 5322): text and HTML, with an id that is the same at
//! each try, and marked as written by a program (RFC 3834).

use std::time::{Duration, SystemTime};

use countersign_domain::model::Timestamp;
use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use crate::outgoing::{Outgoing, Words};

/// The bytes of the mail.
///
/// # Errors
/// If lettre cannot write it.
pub(super) fn write(
    message: &Outgoing,
    from: &Mailbox,
    to: &Address,
    now: Timestamp,
) -> Result<Vec<u8>, String> {
    let Words::Email {
        subject,
        text,
        html,
    } = &message.words
    else {
        return Err("not mail".into());
    };
    let domain = from.email.domain();
    let millis = u64::try_from(now.as_millis()).unwrap_or_default();
    // Lettre draws boundaries and dates by itself where they are not given.
    let parts = MultiPart::alternative()
        .boundary(format!("=_{}", message.id))
        .singlepart(part(ContentType::TEXT_PLAIN, text))
        .singlepart(part(ContentType::TEXT_HTML, html));
    let mail = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(format!("<{}@{domain}>", message.id)))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .multipart(parts)
        .map_err(|error| error.to_string())?;
    Ok(mail.formatted())
}

fn part(kind: ContentType, body: &str) -> SinglePart {
    SinglePart::builder().header(kind).body(body.to_owned())
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
