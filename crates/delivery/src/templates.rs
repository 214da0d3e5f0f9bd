//! What messages say, in every language: the texts that are built in, and the
//! files of a folder that replace them, all checked at the start.

mod built_in;
mod error;
mod escape;
mod files;
mod html;
mod settings;
mod sms;
mod template;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use countersign_domain::model::{Address, LinkPrefix, Locale, Timestamp, UndoToken};
use zeroize::Zeroizing;

use self::error::BUILT_IN;
use self::settings::{LOCALES, hours, minutes};
use self::template::{Template, Values};
use crate::outgoing::{Enclosed, MessageName, Words};

pub use error::TemplateError;
pub use settings::TemplateSettings;
pub(crate) use sms::{LONGEST as LONGEST_SMS, LONGEST_LONG as LONGEST_LMS, euc_kr_bytes};

/// All messages in all languages.
#[derive(Debug, Clone)]
pub struct Templates {
    product: String,
    origin: String,
    undo_link: Option<LinkPrefix>,
    messages: HashMap<(&'static str, &'static str), Texts>,
}

/// One message in one language.
#[derive(Debug, Clone)]
struct Texts {
    sms: Template,
    /// There is none but in a file: it has to be as it was approved.
    alimtalk: Option<Template>,
    subject: Template,
    text: Template,
    html: Template,
}

impl Templates {
    /// The texts of these settings.
    ///
    /// # Errors
    /// What is wrong with the files: all of it; and with the first text that is built
    /// in, for a product or origin that does not fit into more than one.
    pub fn load(settings: &TemplateSettings) -> Result<Self, Vec<TemplateError>> {
        let (files, mut errors) = files::read(settings.folder.as_deref());
        let mut messages = HashMap::new();
        for name in MessageName::ALL {
            for locale in LOCALES {
                if let Some(texts) = Texts::read(name, locale, &files, settings, &mut errors) {
                    messages.insert((name.as_str(), locale.tag()), texts);
                }
            }
        }
        let mut built_in = 0;
        errors.retain(|error| {
            built_in += u32::from(error.is_built_in());
            !error.is_built_in() || built_in == 1
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            product: settings.product.clone(),
            origin: settings.origin.clone(),
            undo_link: settings.undo_link.clone(),
            messages,
        })
    }

    /// Whether there is a text of a message for AlimTalk.
    #[must_use]
    pub fn has_alimtalk(&self, name: MessageName, locale: Locale) -> bool {
        let texts = &self.messages[&(name.as_str(), locale.tag())];
        texts.alimtalk.is_some()
    }

    /// What a notice shows of what undoes it: a link, or the token alone where no page
    /// is configured.
    pub(crate) fn undo_link(&self, token: &UndoToken) -> Zeroizing<String> {
        let token = token.expose();
        match &self.undo_link {
            Some(prefix) => Zeroizing::new(format!("{prefix}#{}", *token)),
            None => token,
        }
    }

    /// A message in words.
    pub(crate) fn words(
        &self,
        name: MessageName,
        locale: Locale,
        to: &Address,
        secret: Option<&Enclosed>,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Words {
        let texts = &self.messages[&(name.as_str(), locale.tag())];
        let left = expires_at.map(|end| end.since(now)).unwrap_or_default();
        let code = secret.and_then(Enclosed::code);
        let address = secret.and_then(Enclosed::address).unwrap_or_default();
        let address = match to {
            Address::Phone(_) => sms::without_odd_characters(address),
            Address::Email(_) => address.to_owned(),
        };
        let values = Values {
            address: &address,
            code: code.unwrap_or_default(),
            link: secret.and_then(Enclosed::link).unwrap_or_default(),
            product: &self.product,
            minutes: minutes(left),
            hours: hours(left),
        };
        match to {
            Address::Phone(_) => {
                let mut text = texts.sms.fill(&values);
                if code.is_some() && !self.origin.is_empty() {
                    text = format!("{text}\n{}", sms::origin_line(&self.origin, values.code));
                }
                let alimtalk = texts
                    .alimtalk
                    .as_ref()
                    .map(|template| template.fill(&values));
                Words::Sms { text, alimtalk }
            }
            Address::Email(_) => Words::Email {
                subject: texts.subject.fill(&values),
                text: texts.text.fill(&values),
                html: texts.html.fill_html(&values),
            },
        }
    }
}

impl Texts {
    /// Reads a message in a language, and notes what is wrong with each of its texts.
    fn read(
        name: MessageName,
        locale: Locale,
        files: &HashMap<String, String>,
        settings: &TemplateSettings,
        errors: &mut Vec<TemplateError>,
    ) -> Option<Self> {
        let built_in = built_in::texts(name, locale);
        let file =
            |start: &str, end: &str| format!("{start}.{}.{}.{end}", name.as_str(), locale.tag());
        let read = |file: &str, built_in: &str| match files.get(file) {
            Some(text) => Template::parse(file, text, name, &settings.product),
            None => {
                let text = built_in::of_product(built_in, &settings.product);
                Template::parse(&format!("{file}{BUILT_IN}"), text, name, &settings.product)
            }
        };
        let with_secret = |template: Template| {
            template.has_secret_of(name)?;
            Ok(template)
        };
        let of_file = |file: &str| {
            let text = files.get(file)?;
            Some(Template::parse(file, text, name, &settings.product).and_then(with_secret))
        };
        let mut good =
            |read: Result<Template, TemplateError>| read.map_err(|error| errors.push(error)).ok();
        let sms = read(&file("sms", "txt"), built_in.sms).and_then(|sms| {
            if settings.counts_sms {
                sms::check(&sms, name, settings)?;
            }
            with_secret(sms)
        });
        let sms = good(sms);
        let alimtalk = of_file(&file("alimtalk", "txt")).map(&mut good);
        let subject = read(&file("email", "subject"), built_in.subject).and_then(|subject| {
            subject.is_subject()?;
            Ok(subject)
        });
        let subject = good(subject);
        let text = good(read(&file("email", "txt"), built_in.text).and_then(with_secret));
        let html = match of_file(&file("email", "html")) {
            Some(html) => good(html),
            None => text.as_ref().map(|text| html::of(text, locale)),
        };
        Some(Self {
            sms: sms?,
            alimtalk: match alimtalk {
                Some(alimtalk) => Some(alimtalk?),
                None => None,
            },
            subject: subject?,
            text: text?,
            html: html?,
        })
    }
}
