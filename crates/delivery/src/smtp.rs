//! Mail by SMTP (RFC 5321), command by command: so it is known for certain up to
//! when nothing was sent. Each message has a connection of its own, since one
//! that broke off in the middle must never be used again.

mod mail;
mod server;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::model::Address;
use countersign_domain::ports::Clock;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::server::Security;
pub use self::server::SmtpAddress;
use crate::outgoing::{Outgoing, Words};
use crate::provider::{Accepted, Progress, Provider, ProviderError, shown};
use crate::tls::Authorities;

/// Connections at once: mail servers turn away who opens many.
const CONNECTIONS: usize = 10;
/// How long a server may take to answer QUIT.
const FAREWELL: Duration = Duration::from_secs(2);
/// What lettre knows, the best first.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// The mail server, and who sends.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Where the server is.
    pub server: SmtpAddress,
    /// User name and password, if the server wants them.
    pub login: Option<(String, SecretString)>,
    /// `Name <address>` or an address.
    pub from: String,
}

/// Sends mail by a server.
pub struct Smtp {
    server: SmtpAddress,
    login: Option<(String, SecretString)>,
    from: Mailbox,
    tls: TlsParameters,
    connections: Semaphore,
    clock: Arc<dyn Clock>,
}

impl Smtp {
    /// A sender by this server.
    ///
    /// # Errors
    /// What is wrong with the sender's address, or with TLS.
    pub fn new(
        settings: SmtpSettings,
        authorities: &Authorities,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let tls = tls(&settings.server.host, authorities)
            .map_err(|error| format!("TLS cannot be set up: {error}"))?;
        Ok(Self {
            from: Self::mailbox(&settings.from)?,
            server: settings.server,
            login: settings.login,
            tls,
            connections: Semaphore::new(CONNECTIONS),
            clock,
        })
    }

    /// Reads the sender's address.
    ///
    /// # Errors
    /// What it must look like.
    pub fn mailbox(from: &str) -> Result<Mailbox, String> {
        from.parse()
            .map_err(|_| "must be an address such as Shop <no-reply@example.com>".to_owned())
    }

    /// A connection that is ready for a message.
    async fn connect(&self) -> Result<AsyncSmtpConnection, ProviderError> {
        let server = (self.server.host.as_str(), self.server.port);
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let implicit = (self.server.security == Security::Implicit).then(|| self.tls.clone());
        let connecting = AsyncSmtpConnection::connect_tokio1(server, None, &hello, implicit, None);
        let mut connection = connecting.await.map_err(refused("cannot be reached"))?;
        if self.server.security == Security::StartTls {
            let starting = connection.starttls(self.tls.clone(), &hello);
            starting.await.map_err(refused("STARTTLS failed"))?;
        }
        if let Some((user, password)) = &self.login {
            let login = Credentials::new(user.clone(), password.expose_secret().to_owned());
            let signing_in = connection.auth(&MECHANISMS, &login);
            signing_in.await.map_err(refused("AUTH failed"))?;
        }
        Ok(connection)
    }
}

#[async_trait]
impl Provider for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn deliver(
        &self,
        message: &Outgoing,
        progress: &Progress,
    ) -> Result<Accepted, ProviderError> {
        let (Address::Email(to), Words::Email { .. }) = (&message.to, &message.words) else {
            return Err(ProviderError::rejected(
                "sends to e-mail addresses only",
                "",
            ));
        };
        let to: lettre::Address = to
            .as_str()
            .parse()
            .map_err(|_| ProviderError::rejected("does not take this form of address", ""))?;
        let mail = mail::write(message, &self.from, &to, self.clock.now())
            .map_err(|error| ProviderError::rejected("cannot be written as mail", &error))?;

        let _place = self.connections.acquire().await;
        let mut connection = self.connect().await?;
        let is_ascii = to.to_string().is_ascii();
        let mut options = Vec::new();
        if !is_ascii {
            let info = connection.server_info();
            if !info.supports_feature(Extension::SmtpUtfEight) {
                return Err(ProviderError::rejected("knows no SMTPUTF8", ""));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let from = Some(self.from.email.clone());
        let began = connection.command(Mail::new(from, options)).await;
        began.map_err(refused("MAIL failed"))?;
        let named = connection.command(Rcpt::new(to, vec![])).await;
        named.map_err(turned_away)?;
        let asked = connection.command(Data).await;
        asked.map_err(refused("DATA failed"))?;
        progress.hand_over();
        let taken = connection.message(&mail).await;
        let response = taken.map_err(|error| final_answer(&error))?;
        // It was taken. Nobody waits for the farewell to be answered.
        tokio::spawn(timeout(FAREWELL, async move { connection.quit().await }));
        Ok(Accepted(said_by(&response)))
    }
}

fn tls(host: &str, authorities: &Authorities) -> Result<TlsParameters, Error> {
    let mut builder = TlsParametersBuilder::new(host.to_owned());
    if let Some(pem) = &authorities.additional {
        builder = builder.add_root_certificate(Certificate::from_pem(pem)?);
    }
    builder.build()
}

/// Before the message: whatever happens, it was not sent.
fn refused(what: &'static str) -> impl FnOnce(Error) -> ProviderError {
    move |error| ProviderError::refused(with_code(what, &error), &error.to_string())
}

/// Of the recipient: 5xx is for good.
fn turned_away(error: Error) -> ProviderError {
    if error.is_permanent() {
        return ProviderError::rejected(with_code("RCPT failed", &error), &error.to_string());
    }
    refused("RCPT failed")(error)
}

/// After the message: a number says that it was not taken, silence nothing.
fn final_answer(error: &Error) -> ProviderError {
    let why = with_code("the message was not taken", error);
    let said = error.to_string();
    if error.is_permanent() {
        ProviderError::rejected(why, &said)
    } else if error.is_transient() {
        ProviderError::refused(why, &said)
    } else {
        ProviderError::unknown("the connection ended before an answer", &said)
    }
}

/// What may be logged: the number of an answer, or an error of our own side. The
/// words of an answer may repeat the address.
fn with_code(what: &str, error: &Error) -> String {
    match error.status() {
        Some(code) => format!("{what}: {code}"),
        None if error.is_response() => format!("{what}: the answer is not SMTP"),
        None => format!("{what}: {error}"),
    }
}

fn said_by(response: &Response) -> String {
    let lines: Vec<_> = response.message().collect();
    shown(&format!("{} {}", response.code(), lines.join(" ")))
}
