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
    /// What is wrong with a file, or with a text of this product and origin.
    pub fn load(settings: &TemplateSettings) -> Result<Self, TemplateError> {
        let files = files::read(settings.folder.as_deref())?;
        let mut messages = HashMap::new();
        for name in MessageName::ALL {
            for locale in LOCALES {
                let texts = Texts::read(name, locale, &files, settings)?;
                messages.insert((name.as_str(), locale.tag()), texts);
            }
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
    fn read(
        name: MessageName,
        locale: Locale,
        files: &HashMap<String, String>,
        settings: &TemplateSettings,
    ) -> Result<Self, TemplateError> {
        let built_in = built_in::texts(name, locale);
        let file =
            |start: &str, end: &str| format!("{start}.{}.{}.{end}", name.as_str(), locale.tag());
        let read = |file: &str, built_in: &str| match files.get(file) {
            Some(text) => Template::parse(file, text, name, &settings.product),
            None => {
                let text = built_in::of_product(built_in, &settings.product);
                Template::parse(&format!("{file} (built in)"), text, name, &settings.product)
            }
        };
        let sms = read(&file("sms", "txt"), built_in.sms)?;
        if settings.counts_sms {
            sms::check(&sms, name, settings)?;
        }
        let alimtalk_file = file("alimtalk", "txt");
        let alimtalk = files
            .get(&alimtalk_file)
            .map(|text| Template::parse(&alimtalk_file, text, name, &settings.product))
            .transpose()?;
        let subject = read(&file("email", "subject"), built_in.subject)?;
        subject.is_subject()?;
        let text = read(&file("email", "txt"), built_in.text)?;
        let html_file = file("email", "html");
        let html = match files.get(&html_file) {
            Some(html) => Template::parse(&html_file, html, name, &settings.product)?,
            None => html::of(&text, locale),
        };
        for template in [Some(&sms), alimtalk.as_ref(), Some(&text), Some(&html)]
            .into_iter()
            .flatten()
        {
            template.has_secret_of(name)?;
        }
        Ok(Self {
            sms,
            alimtalk,
            subject,
            text,
            html,
        })
    }
}
