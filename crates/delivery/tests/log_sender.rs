//! The log sender writes what a person who tries the service needs, and not
//! more.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_delivery::{LogSender, Router, RouterSettings, TemplateSettings, Templates};
use countersign_domain::model::{
    Address, Code, Email, Link, LinkPrefix, LinkToken, Locale, MessageId, Phone, Purpose, Timestamp,
};
use countersign_domain::ports::{Content, Message, MessageSender as _};
use countersign_domain::testing::HandClock;
use tracing_subscriber::fmt::MakeWriter;

/// A log kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().expect("nobody panics while writing");
        log.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

async fn logged(message: Message) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let router = Router::new(RouterSettings {
        sms: vec![0],
        email: vec![0],
        providers: vec![Box::new(LogSender)],
        templates: Templates::load(&TemplateSettings::default()).expect("good"),
        clock: Arc::new(HandClock::new()),
        time_limit: Duration::from_secs(1),
    });
    let id = MessageId::from_bytes([7; 16]);
    router.send(id, message).await.expect("it is logged");
    drop(guard);
    let bytes = log.0.lock().expect("nobody panics while writing").clone();
    String::from_utf8(bytes).expect("text")
}

fn code(locale: Locale) -> Message {
    Message {
        to: Address::Email(Email::parse("mina@example.com").expect("an address")),
        locale,
        content: Content::Code {
            code: Code::parse("048213".into()).expect("a code"),
            purpose: Purpose::SignUp,
            expires_at: Timestamp::from_seconds(1_790_000_300),
        },
    }
}

#[tokio::test]
async fn a_code_is_logged_in_the_clear_with_the_warning() {
    let line = logged(code(Locale::English)).await;
    for part in [
        " INFO countersign::delivery: ",
        "not delivered: the log sender is for trying out only",
        "code=\"048213\"",
        "Your code to sign up:\\n\\n048213\\n\\nIt expires in",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert_eq!(line.lines().count(), 1);
}

#[tokio::test]
async fn a_link_is_logged_likewise() {
    let prefix = LinkPrefix::parse("http://localhost:3000/in").expect("a prefix");
    let token = LinkToken::parse(&"A".repeat(43)).expect("a token");
    let line = logged(Message {
        content: Content::Link {
            link: Link { prefix, token },
            purpose: Purpose::SignIn,
            expires_at: Timestamp::from_seconds(1_790_000_300),
        },
        ..code(Locale::English)
    })
    .await;
    let link = format!("http://localhost:3000/in#{}", "A".repeat(43));
    assert!(line.contains(&format!("link=\"{link}\"")), "{line}");
    assert!(!line.contains("code="), "{line}");
}

#[tokio::test]
async fn the_message_is_in_the_language_of_the_person() {
    let line = logged(code(Locale::Korean)).await;
    assert!(
        line.contains("회원가입 인증번호입니다.\\n\\n048213"),
        "{line}"
    );
}

#[tokio::test]
async fn the_address_is_masked() {
    let line = logged(code(Locale::English)).await;
    assert!(line.contains("m***@example.com"), "{line}");
    assert!(!line.contains("mina"), "{line}");
}

#[tokio::test]
async fn a_notice_has_no_code() {
    let line = logged(Message {
        to: Address::Phone(Phone::restore("+821012345678").expect("a number")),
        locale: Locale::English,
        content: Content::PasswordChanged,
    })
    .await;
    assert!(line.contains("Your password was changed."), "{line}");
    assert!(line.contains("+8210****5678"), "{line}");
    assert!(!line.contains("code="), "{line}");
}
