//! Naver's profile (`/v1/nid/me`), which stands for an ID token: its `response.id` is who it is.

use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::id_token::checked_subject;
use crate::json::Members;

/// The person of a profile.
///
/// # Errors
/// Rejected if the profile says that it is none, or has no `id`.
pub(crate) fn read(profile: &Members) -> Result<(String, Members), Failure> {
    if profile.required("resultcode")? != "00" {
        return Err(Failure::rejected("it has no resultcode 00"));
    }
    let person = profile.object("response")?;
    let person = person.ok_or_else(|| Failure::rejected("it has no response"))?;
    let id = id(&person)?;
    Ok((checked_subject(id)?, person))
}

/// A text; of applications that are older than May 2021, a number.
fn id(person: &Members) -> Result<String, Failure> {
    if let Ok(Some(id)) = person.text("id") {
        return Ok(id);
    }
    let raw = person
        .get::<&RawValue>("id")?
        .map(|raw| raw.get().to_owned());
    let is_number = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
    raw.filter(is_number)
        .ok_or_else(|| Failure::rejected("it has no id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> Option<String> {
        let profile = Members::read(text.as_bytes()).ok()?;
        read(&profile).ok().map(|(subject, _)| subject)
    }

    #[test]
    fn the_id_of_the_response_is_the_person() {
        let with = |id: &str| format!(r#"{{"resultcode":"00","response":{{"id":{id}}}}}"#);
        assert_eq!(subject(&with("\"abc\"")).as_deref(), Some("abc"));
        assert_eq!(subject(&with("32742776")).as_deref(), Some("32742776"));
        for id in [
            "null",
            "\"\"",
            "-1",
            "1.5",
            "1e400",
            "true",
            "{}",
            "\"a\",\"id\":\"b\"",
        ] {
            assert_eq!(subject(&with(id)), None, "{id}");
        }
        for text in [
            r#"{"resultcode":"024","message":"Authentication failed"}"#,
            r#"{"resultcode":"00"}"#,
            r#"{"response":{"id":"abc"}}"#,
            r#"{"resultcode":"024","response":{"id":"abc"}}"#,
        ] {
            assert_eq!(subject(text), None, "{text}");
        }
    }
}
