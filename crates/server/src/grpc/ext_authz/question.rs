//! What a `CheckRequest` asks, read from its bytes where they lie.

use countersign_domain::Fields;

use super::context_extensions::Required;
use super::credential::{Credentials, Shown};
use super::look_alikes::is_look_alike;
use super::wire::{Malformed, Message, pair, text};

/// The most headers that are removed because an application might take them for ours.
/// Who sends more of them is answered as one whose message cannot be read.
const MAX_LOOK_ALIKES: usize = 64;

/// The question about one request.
#[derive(Debug)]
pub(super) struct Question<'a> {
    credentials: Credentials<'a>,
    pub(super) required: Required<'a>,
    /// The names of headers that an application might take for ours.
    pub(super) look_alikes: Vec<&'a str>,
}

impl<'a> Question<'a> {
    /// Reads a `CheckRequest`. What is wrong with its extensions goes to `fields`.
    ///
    /// # Errors
    /// If it is none.
    pub(super) fn read(message: &'a [u8], fields: &mut Fields) -> Result<Self, Malformed> {
        let mut question = Self {
            credentials: Credentials::none(),
            required: Required::default(),
            look_alikes: Vec::new(),
        };
        let mut request = Message::new(message);
        while let Some(field) = request.next()? {
            if field.number == 1 {
                question.read_attributes(field.bytes()?, fields)?;
            }
        }
        question.required.finish(fields);
        Ok(question)
    }

    /// What the request shows.
    pub(super) fn shown(&self) -> Shown<'a> {
        self.credentials.shown()
    }

    /// Reads an `AttributeContext`.
    fn read_attributes(&mut self, bytes: &'a [u8], fields: &mut Fields) -> Result<(), Malformed> {
        let mut attributes = Message::new(bytes);
        while let Some(field) = attributes.next()? {
            match field.number {
                4 => self.read_request(field.bytes()?)?,
                10 => {
                    let (key, value) = pair(field.bytes()?, false)?;
                    self.required.take(fields, text(key)?, text(value)?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads an `AttributeContext.Request`.
    fn read_request(&mut self, bytes: &'a [u8]) -> Result<(), Malformed> {
        let mut request = Message::new(bytes);
        while let Some(field) = request.next()? {
            if field.number == 2 {
                self.read_http(field.bytes()?)?;
            }
        }
        Ok(())
    }

    /// Reads an `AttributeContext.HttpRequest`: its headers, in either form.
    fn read_http(&mut self, bytes: &'a [u8]) -> Result<(), Malformed> {
        let mut http = Message::new(bytes);
        while let Some(field) = http.next()? {
            match field.number {
                3 => {
                    let (name, value) = pair(field.bytes()?, false)?;
                    self.see_header(name, value)?;
                }
                13 => {
                    let mut headers = Message::new(field.bytes()?);
                    while let Some(header) = headers.next()? {
                        if header.number == 1 {
                            let (name, value) = pair(header.bytes()?, true)?;
                            self.see_header(name, value)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Names are in lower case; but none of another case is to pass unseen.
    fn see_header(&mut self, name: &'a [u8], value: &'a [u8]) -> Result<(), Malformed> {
        if name.eq_ignore_ascii_case(b"authorization") {
            self.credentials.see_authorization(value);
        } else if name.eq_ignore_ascii_case(b"cookie") {
            self.credentials.see_cookies(value);
        } else if is_look_alike(name) {
            if self.look_alikes.len() == MAX_LOOK_ALIKES {
                return Err(Malformed::Nonsense);
            }
            self.look_alikes.push(text(name)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use countersign_proto::envoy::config::core::v3::{HeaderMap, HeaderValue};
    use countersign_proto::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
    use countersign_proto::envoy::service::auth::v3::{AttributeContext, CheckRequest};
    use prost::Message as _;

    use super::*;

    fn request(http: HttpRequest) -> Vec<u8> {
        let attributes = AttributeContext {
            request: Some(Request { http: Some(http) }),
            context_extensions: [("audience".to_owned(), "shop".to_owned())].into(),
        };
        let request = CheckRequest {
            attributes: Some(attributes),
        };
        request.encode_to_vec()
    }

    fn http() -> HttpRequest {
        HttpRequest {
            method: "GET".into(),
            path: "/orders?since=1".into(),
            host: "shop.example".into(),
            scheme: "https".into(),
            protocol: "HTTP/2".into(),
            ..Default::default()
        }
    }

    #[test]
    fn both_forms_of_headers_are_read() {
        let headers = [
            (":path", "/orders"),
            ("authorization", "Bearer a.b.c"),
            ("x_auth_user", "root"),
            ("cookie", "theme=dark"),
        ];
        let by_name = HttpRequest {
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..http()
        };
        let value = |(name, value): &(&str, &str)| HeaderValue {
            key: (*name).to_owned(),
            value: String::new(),
            raw_value: value.as_bytes().to_vec(),
        };
        let raw = HttpRequest {
            header_map: Some(HeaderMap {
                headers: headers.iter().map(value).collect(),
            }),
            ..http()
        };
        for http in [by_name, raw] {
            let bytes = request(http);
            let mut fields = Fields::new();
            let question = Question::read(&bytes, &mut fields).expect("a question");
            fields.finish(|| Some(())).expect("good extensions");
            assert_eq!(question.shown(), Shown::Token("a.b.c"));
            assert_eq!(question.look_alikes, ["x_auth_user"]);
            assert_eq!(question.required.audience, "shop");
            // Cut anywhere, it is another question or none; it is never a panic.
            for end in 0..bytes.len() {
                if let Ok(cut) = Question::read(&bytes[..end], &mut Fields::new()) {
                    assert_eq!(cut.shown(), Shown::Nothing, "{end}");
                }
            }
        }
    }

    #[test]
    fn a_token_in_both_forms_is_two_tokens() {
        let authorization = "Bearer a.b.c".to_owned();
        let both = HttpRequest {
            headers: [("authorization".to_owned(), authorization.clone())].into(),
            header_map: Some(HeaderMap {
                headers: vec![HeaderValue {
                    key: "Authorization".into(),
                    value: authorization,
                    raw_value: Vec::new(),
                }],
            }),
            ..http()
        };
        let bytes = request(both);
        let question = Question::read(&bytes, &mut Fields::new()).expect("a question");
        assert_eq!(question.shown(), Shown::Unreadable);
    }

    #[test]
    fn nothing_at_all_is_a_question_without_a_token() {
        for bytes in [&[][..], &[0x0a, 0], &[0x0a, 2, 0x22, 0]] {
            let question = Question::read(bytes, &mut Fields::new()).expect("a question");
            assert_eq!(question.shown(), Shown::Nothing);
        }
        // The attributes as a number.
        let wrong = Question::read(&[0x08, 1], &mut Fields::new());
        assert_eq!(wrong.err(), Some(Malformed::AnotherType(1)));
    }
}
