//! The order of providers, and what is made of their answers.

use std::sync::Mutex;

use countersign_domain::model::{
    Code, Email, Link, LinkPrefix, LinkToken, Phone, Purpose, Timestamp,
};
use countersign_domain::testing::HandClock;

use super::*;
use crate::templates::TemplateSettings;

/// A provider that answers as it is told, and counts what reached it.
struct Told {
    name: &'static str,
    answers: Arc<Answers>,
}

#[derive(Default)]
struct Answers {
    next: Mutex<Option<ProviderError>>,
    is_silent: Mutex<bool>,
    tries: AtomicU64,
}

impl Answers {
    fn say(&self, error: Option<ProviderError>) {
        *self.next.lock().expect("no panic") = error;
    }

    fn tries(&self) -> u64 {
        self.tries.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Provider for Told {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn deliver(
        &self,
        _message: &Outgoing,
        progress: &Progress,
    ) -> Result<Accepted, ProviderError> {
        self.answers.tries.fetch_add(1, Ordering::Relaxed);
        if *self.answers.is_silent.lock().expect("no panic") {
            progress.hand_over();
            std::future::pending::<()>().await;
        }
        match self.answers.next.lock().expect("no panic").clone() {
            Some(error) => Err(error),
            None => Ok(Accepted("taken".into())),
        }
    }
}

struct Two {
    router: Router,
    first: Arc<Answers>,
    second: Arc<Answers>,
    clock: Arc<HandClock>,
}

fn two() -> Two {
    let (first, second) = (Arc::<Answers>::default(), Arc::<Answers>::default());
    let told = |name, answers: &Arc<Answers>| -> Box<dyn Provider> {
        let answers = Arc::clone(answers);
        Box::new(Told { name, answers })
    };
    let clock = Arc::new(HandClock::new());
    let router = Router::new(RouterSettings {
        sms: vec![0, 1],
        email: Vec::new(),
        providers: vec![told("first", &first), told("second", &second)],
        templates: Templates::load(&TemplateSettings::default()).expect("good"),
        clock: clock.clone(),
        time_limit: Duration::from_millis(200),
    });
    Two {
        router,
        first,
        second,
        clock,
    }
}

fn phone() -> Address {
    Address::Phone(Phone::restore("+821012345678").expect("a number"))
}

fn message(content: Content) -> Message {
    Message {
        to: phone(),
        locale: Locale::English,
        content,
    }
}

fn code() -> Message {
    message(Content::Code {
        code: Code::parse("048213".into()).expect("a code"),
        purpose: Purpose::SignIn,
        expires_at: Timestamp::from_seconds(1_900_000_000),
    })
}

fn link() -> Message {
    message(Content::Link {
        link: Link {
            prefix: LinkPrefix::parse("https://shop.example/in").expect("a prefix"),
            token: LinkToken::parse(&"A".repeat(43)).expect("a token"),
        },
        purpose: Purpose::SignIn,
        expires_at: Timestamp::from_seconds(1_900_000_000),
    })
}

const ID: MessageId = MessageId::from_bytes([7; 16]);

fn refused() -> Option<ProviderError> {
    Some(ProviderError::refused("down", ""))
}

#[tokio::test]
async fn the_next_provider_takes_what_the_first_has_not_sent() {
    let two = two();
    for error in [refused(), Some(ProviderError::rejected("no number", ""))] {
        two.first.say(error);
        two.router.send(ID, code()).await.expect("sent");
    }
    assert_eq!((two.first.tries(), two.second.tries()), (2, 2));
}

#[tokio::test]
async fn what_may_have_been_sent_goes_no_further_and_a_notice_does() {
    let two = two();
    two.first.say(Some(ProviderError::unknown("cut off", "")));
    for secret in [code(), link()] {
        let error = two.router.send(ID, secret).await.expect_err("nobody knows");
        assert!(matches!(error, SendError::Unknown(_)), "{error}");
    }
    assert_eq!((two.first.tries(), two.second.tries()), (2, 0));
    let notice = message(Content::PasswordChanged);
    two.router.send(ID, notice).await.expect("sent");
    assert_eq!(two.second.tries(), 1);
}

#[tokio::test]
async fn a_provider_that_falls_silent_with_a_code_ends_its_journey() {
    let two = two();
    *two.first.is_silent.lock().expect("no panic") = true;
    let error = two.router.send(ID, code()).await.expect_err("nobody knows");
    assert!(matches!(error, SendError::Unknown(_)), "{error}");
    assert_eq!(two.second.tries(), 0);
}

#[tokio::test]
async fn what_all_reject_is_rejected_and_what_one_refuses_is_tried_again() {
    let two = two();
    two.first
        .say(Some(ProviderError::rejected("no number", "")));
    two.second.say(Some(ProviderError::rejected("no", "")));
    let error = two.router.send(ID, code()).await.expect_err("rejected");
    assert!(matches!(error, SendError::Rejected(_)), "{error}");
    assert_eq!(error.to_string(), "first: no number; second: no");
    two.second.say(refused());
    let error = two.router.send(ID, code()).await.expect_err("refused");
    assert!(matches!(error, SendError::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_provider_that_fails_in_a_row_is_left_alone_until_one_message_tries_it() {
    let two = two();
    two.first.say(refused());
    for _ in 0..20 {
        two.router.send(ID, code()).await.expect("by the second");
    }
    assert_eq!((two.first.tries(), two.second.tries()), (5, 20));
    let first = &two.router.readings()[0];
    assert!(first.is_circuit_open);
    let expected = [
        ("sent", 0),
        ("rejected", 0),
        ("refused", 5),
        ("unknown", 0),
        ("skipped", 15),
    ];
    assert_eq!(first.tries, expected);
    two.first.say(None);
    two.clock.advance(Duration::from_secs(31));
    two.router.send(ID, code()).await.expect("by the first");
    two.router.send(ID, code()).await.expect("by the first");
    assert_eq!((two.first.tries(), two.second.tries()), (7, 20));
    assert!(!two.router.readings()[0].is_circuit_open);
}

/// A log kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_provider_that_is_down_fills_no_log() {
    let two = two();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    for answers in [&two.first, &two.second] {
        answers.say(refused());
    }
    for _ in 0..3_000 {
        let sent = two.router.send(ID, code()).await;
        sent.expect_err("both are down");
        two.clock.advance(Duration::from_millis(19));
    }
    two.clock.advance(Duration::from_secs(31));
    two.first.say(None);
    two.router.send(ID, code()).await.expect("sent");
    drop(guard);
    let bytes = log.0.lock().expect("no panic").clone();
    let log = String::from_utf8(bytes).expect("text");
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines("has not taken a message"), 2, "one of each: {log}");
    assert_eq!(lines("is left alone for a while"), 2, "one of each: {log}");
    assert_eq!(lines("works again"), 1, "{log}");
    assert_eq!(log.lines().count(), 5, "{log}");
}

#[tokio::test]
async fn a_channel_without_providers_is_not_reached_and_what_waits_for_it_is_kept() {
    let two = two();
    let email = Address::Email(Email::parse("mina@example.com").expect("an address"));
    assert!(two.router.reaches(&phone()));
    assert!(!two.router.reaches(&email));
    let notice = Message {
        to: email,
        ..message(Content::PasswordChanged)
    };
    let error = two.router.send(ID, notice).await.expect_err("no way");
    assert!(matches!(error, SendError::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_test_message_tells_what_each_provider_said() {
    let two = two();
    two.first.say(refused());
    let tries = two.router.test(ID, phone(), Locale::Korean, None).await;
    let told: Vec<_> = tries
        .iter()
        .map(|t| (t.provider, t.answer.is_ok()))
        .collect();
    assert_eq!(told, [("first", false), ("second", true)]);
    let only = two
        .router
        .test(ID, phone(), Locale::Korean, Some("second"))
        .await;
    assert_eq!(only.len(), 1);
}
