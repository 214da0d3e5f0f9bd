//! What the providers of messages lack, and what is wrong with the texts.

use countersign_delivery::Templates;

use super::{Config, EmailProvider, SmsProvider};

/// The settings that a provider of a list needs and does not have.
pub(super) fn missing_of_providers(config: &Config) -> Vec<(String, String)> {
    let (sms, email) = (&config.delivery.sms, &config.delivery.email);
    let mut missing = Vec::new();
    let mut need = |list: &str, provider: &str, keys: Vec<&'static str>| {
        let rule = format!("must be set, as delivery.{list} names {provider}");
        missing.extend(keys.into_iter().map(|key| (key.to_owned(), rule.clone())));
    };
    if sms.contains(&SmsProvider::Sens) {
        need("sms", "sens", config.sens.missing(true, true).collect());
    }
    if sms.contains(&SmsProvider::AlimTalk) {
        let alimtalk = &config.alimtalk;
        let keys = alimtalk.missing();
        need("sms", "alimtalk", keys.collect());
        let keys = config.sens.missing(false, alimtalk.sms_failover);
        need("sms", "alimtalk", keys.collect());
    }
    if email.contains(&EmailProvider::Smtp) {
        need("email", "smtp", config.smtp.missing().collect());
    }
    if sms.contains(&SmsProvider::Webhook) {
        need("sms", "webhook", config.webhook.missing().collect());
    } else if email.contains(&EmailProvider::Webhook) {
        need("email", "webhook", config.webhook.missing().collect());
    }
    missing
}

/// What is wrong with texts, or which are missing.
pub(super) fn wrong_texts(config: &Config) -> Vec<(String, String)> {
    let texts = match Templates::load(&config.template_settings()) {
        Ok(texts) => texts,
        Err(errors) => {
            let wrong = errors.iter().map(ToString::to_string);
            return wrong
                .map(|rule| ("delivery.templates".into(), rule))
                .collect();
        }
    };
    let templates = config.alimtalk.templates().into_iter();
    templates
        .filter(|template| !texts.has_alimtalk(template.name, template.locale))
        .map(|template| {
            let rule = format!(
                "must have the file {}, as alimtalk.template_codes names its code",
                template.file()
            );
            ("delivery.templates".into(), rule)
        })
        .collect()
}
