//! Puts the providers of messages together, as the configuration says.

use std::path::Path;
use std::sync::Arc;

use countersign_delivery::{
    AlimTalk, AlimTalkSettings, Authorities, LogSender, Provider, Router, RouterSettings, Sens,
    SensKeys, SensSettings, Smtp, SmtpAddress, SmtpSettings, TemplateError, Templates, Webhook,
    WebhookSettings,
};
use countersign_domain::ports::Clock;
use secrecy::SecretString;

use crate::config::{Config, EmailProvider, SmsProvider};
use crate::serve_error::ServeError;

/// The sender of the configuration. Where none is chosen, the log serves a
/// machine of its own alone: it shows codes in the clear.
///
/// # Errors
/// What is wrong with a file or a setting of a provider.
pub(crate) fn router(
    config: &Config,
    is_open: bool,
    clock: Arc<dyn Clock>,
) -> Result<Option<Arc<Router>>, ServeError> {
    let delivery = &config.delivery;
    let (sms, email) = match delivery.is_default() {
        true if is_open => (vec![SmsProvider::Log], vec![EmailProvider::Log]),
        true => return Ok(None),
        false => (delivery.sms.clone(), delivery.email.clone()),
    };
    let mut made = Made {
        config,
        clock: Arc::clone(&clock),
        authorities: None,
        providers: Vec::new(),
    };
    let sms: Result<_, _> = sms
        .into_iter()
        .map(|name| made.place_of_sms(name))
        .collect();
    let email: Result<_, _> = email
        .into_iter()
        .map(|name| made.place_of_email(name))
        .collect();
    let settings = RouterSettings {
        sms: sms?,
        email: email?,
        templates: Templates::load(&config.template_settings())
            .map_err(|errors| ServeError::Delivery(all(&errors)))?,
        providers: made.providers,
        clock,
        time_limit: delivery.timeout,
    };
    Ok(Some(Arc::new(Router::new(settings))))
}

/// The providers that were made so far: one that is in both lists is one.
struct Made<'a> {
    config: &'a Config,
    clock: Arc<dyn Clock>,
    authorities: Option<Authorities>,
    providers: Vec<Box<dyn Provider>>,
}

impl Made<'_> {
    fn place_of_sms(&mut self, name: SmsProvider) -> Result<usize, ServeError> {
        match name {
            SmsProvider::Log => self.place("log", |_| Ok(Box::new(LogSender))),
            SmsProvider::Sens => self.place("sens", Self::sens),
            SmsProvider::AlimTalk => self.place("alimtalk", Self::alimtalk),
            SmsProvider::Webhook => self.place("webhook", Self::webhook),
        }
    }

    fn place_of_email(&mut self, name: EmailProvider) -> Result<usize, ServeError> {
        match name {
            EmailProvider::Log => self.place("log", |_| Ok(Box::new(LogSender))),
            EmailProvider::Smtp => self.place("smtp", Self::smtp),
            EmailProvider::Webhook => self.place("webhook", Self::webhook),
        }
    }

    fn place(
        &mut self,
        name: &str,
        make: impl FnOnce(&mut Self) -> Result<Box<dyn Provider>, ServeError>,
    ) -> Result<usize, ServeError> {
        let known = self.providers.iter().position(|made| made.name() == name);
        if let Some(place) = known {
            return Ok(place);
        }
        let provider = make(self)?;
        self.providers.push(provider);
        Ok(self.providers.len() - 1)
    }

    fn sens(&mut self) -> Result<Box<dyn Provider>, ServeError> {
        let sens = &self.config.sens;
        let settings = SensSettings {
            keys: self.sens_keys(),
            service_id: sens.service_id.clone().unwrap_or_default(),
            from: sens.from.clone().unwrap_or_default(),
        };
        let authorities = self.authorities()?;
        let made = Sens::new(settings, authorities, Arc::clone(&self.clock));
        let made = made.ok_or_else(|| wrong("sens.base_url", "must be a URL"))?;
        Ok(Box::new(made))
    }

    fn alimtalk(&mut self) -> Result<Box<dyn Provider>, ServeError> {
        let alimtalk = &self.config.alimtalk;
        let from = self.config.sens.from.clone();
        let settings = AlimTalkSettings {
            keys: self.sens_keys(),
            service_id: alimtalk.service_id.clone().unwrap_or_default(),
            plus_friend_id: alimtalk.plus_friend_id.clone().unwrap_or_default(),
            templates: alimtalk.templates(),
            failover_from: from.filter(|_| alimtalk.sms_failover),
        };
        let authorities = self.authorities()?;
        let made = AlimTalk::new(settings, authorities, Arc::clone(&self.clock));
        let made = made.ok_or_else(|| wrong("sens.base_url", "must be a URL"))?;
        Ok(Box::new(made))
    }

    fn sens_keys(&self) -> SensKeys {
        let sens = &self.config.sens;
        SensKeys {
            base_url: sens.base_url.expose().to_owned(),
            access_key: secret(sens.access_key.as_ref()),
            secret_key: secret(sens.secret_key.as_ref()),
        }
    }

    fn smtp(&mut self) -> Result<Box<dyn Provider>, ServeError> {
        let smtp = &self.config.smtp;
        let url = smtp.url.as_ref().map_or("", |url| url.expose());
        let server = SmtpAddress::parse(url).map_err(|rule| wrong("smtp.url", rule))?;
        let login = smtp.username.clone().zip(smtp.password.clone());
        let settings = SmtpSettings {
            server,
            login,
            from: smtp.from.clone().unwrap_or_default(),
        };
        let authorities = self.authorities()?;
        let made = Smtp::new(settings, &authorities, Arc::clone(&self.clock));
        Ok(Box::new(made.map_err(|rule| wrong("smtp", &rule))?))
    }

    fn webhook(&mut self) -> Result<Box<dyn Provider>, ServeError> {
        let webhook = &self.config.webhook;
        let settings = WebhookSettings {
            url: webhook.url.as_ref().map_or("", |url| url.expose()).into(),
            secrets: webhook.secrets(),
        };
        let authorities = self.authorities()?;
        let made = Webhook::new(&settings, authorities, Arc::clone(&self.clock));
        Ok(Box::new(
            made.map_err(|rule| wrong("webhook", &rule.to_string()))?,
        ))
    }

    /// Read once, and only if a provider wants them.
    fn authorities(&mut self) -> Result<Authorities, ServeError> {
        if let Some(known) = &self.authorities {
            return Ok(known.clone());
        }
        let additional = self.config.delivery.tls_ca.as_deref();
        let read = Authorities::load(additional.map(Path::new))
            .map_err(|error| wrong("delivery.tls_ca", &error.to_string()))?;
        self.authorities = Some(read.clone());
        Ok(read)
    }
}

fn all(errors: &[TemplateError]) -> String {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

fn secret(setting: Option<&SecretString>) -> SecretString {
    setting.cloned().unwrap_or_default()
}

fn wrong(setting: &str, rule: &str) -> ServeError {
    ServeError::Delivery(format!("{setting}: {rule}"))
}
