//! The verifier's memory: what it keeps, for how long, and that it never turns
//! "could not tell" into a yes.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use countersign_client::{
    Client, Clock, RejectionReason, Requirement, ValidateError, Verifier, VerifierBuilder,
    VerifyToken as _, proto,
};
use proto::validate_token_response::Verdict;
use support::{Answer, Fake};
use tonic::Status;

/// A clock that is turned by hand.
#[derive(Clone)]
struct HandClock(Arc<Mutex<(SystemTime, Instant)>>);

impl HandClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only source of an Instant; turned by hand from here on"
    )]
    fn new() -> Self {
        Self(Arc::new(Mutex::new((SystemTime::now(), Instant::now()))))
    }

    fn advance(&self, by: Duration) {
        let mut times = self.0.lock().unwrap();
        times.0 += by;
        times.1 += by;
    }

    fn set_back_the_calendar(&self, by: Duration) {
        self.0.lock().unwrap().0 -= by;
    }
}

impl Clock for HandClock {
    fn now(&self) -> SystemTime {
        self.0.lock().unwrap().0
    }

    fn instant(&self) -> Instant {
        self.0.lock().unwrap().1
    }
}

fn builder(fake: &Fake) -> VerifierBuilder {
    let client = Client::builder(&fake.endpoint).build().unwrap();
    Verifier::builder(client)
}

fn orders() -> Requirement {
    Requirement::new().with_audience("orders")
}

#[tokio::test]
async fn a_good_token_is_asked_about_once_in_five_seconds() {
    let fake = Fake::start().await;
    let clock = HandClock::new();
    let verifier = builder(&fake).clock(clock.clone()).build();
    for _ in 0..5 {
        let identity = verifier.verify("token", &orders()).await.unwrap();
        assert_eq!(identity.session_id, "session-1");
        clock.advance(Duration::from_millis(999));
    }
    assert_eq!(fake.script.count(), 1);
    clock.advance(Duration::from_millis(5));
    verifier.verify("token", &orders()).await.unwrap();
    assert_eq!(fake.script.count(), 2);
}

#[tokio::test]
async fn a_yes_does_not_outlive_the_token() {
    let fake = Fake::start().await;
    let clock = HandClock::new();
    let verifier = builder(&fake).clock(clock.clone()).build();
    let claims = support::claims(Duration::from_secs(2));
    fake.script.set_verdict(Verdict::Valid(claims));
    verifier.verify("token", &orders()).await.unwrap();
    clock.advance(Duration::from_millis(1_500));
    verifier.verify("token", &orders()).await.unwrap();
    assert_eq!(fake.script.count(), 1);
    clock.advance(Duration::from_secs(1));
    fake.script.set_verdict(rejected(RejectionReason::Expired));
    let error = verifier.verify("token", &orders()).await.unwrap_err();
    assert_eq!(error, ValidateError::Rejected(RejectionReason::Expired));
}

#[tokio::test]
async fn a_yes_does_not_outlive_the_authentication() {
    let fake = Fake::start().await;
    let clock = HandClock::new();
    let verifier = builder(&fake).clock(clock.clone()).build();
    let recent = orders().with_max_authentication_age(Duration::from_secs(2));
    fake.script
        .set_verdict(Verdict::Valid(support::claims(Duration::from_secs(300))));
    verifier.verify("token", &recent).await.unwrap();
    clock.advance(Duration::from_millis(1_500));
    verifier.verify("token", &recent).await.unwrap();
    assert_eq!(fake.script.count(), 1);
    clock.advance(Duration::from_secs(1));
    verifier.verify("token", &recent).await.unwrap();
    assert_eq!(fake.script.count(), 2);
}

#[tokio::test]
async fn a_calendar_that_is_set_back_does_not_prolong_a_yes() {
    let fake = Fake::start().await;
    let clock = HandClock::new();
    let verifier = builder(&fake).clock(clock.clone()).build();
    verifier.verify("token", &orders()).await.unwrap();
    clock.advance(Duration::from_secs(6));
    clock.set_back_the_calendar(Duration::from_secs(86_400));
    verifier.verify("token", &orders()).await.unwrap();
    assert_eq!(fake.script.count(), 2);
}

#[tokio::test]
async fn a_no_is_not_remembered() {
    let fake = Fake::start().await;
    let verifier = builder(&fake).build();
    fake.script
        .set_verdict(rejected(RejectionReason::Malformed));
    for _ in 0..3 {
        verifier.verify("token", &orders()).await.unwrap_err();
    }
    assert_eq!(fake.script.count(), 3);
}

#[tokio::test]
async fn a_yes_that_is_too_old_does_not_help_when_nobody_can_tell() {
    let fake = Fake::start().await;
    let clock = HandClock::new();
    let verifier = builder(&fake).clock(clock.clone()).build();
    verifier.verify("token", &orders()).await.unwrap();
    clock.advance(Duration::from_secs(5));
    fake.script
        .next([Answer::Fail(Status::internal("a fault"))]);
    let error = verifier.verify("token", &orders()).await.unwrap_err();
    assert!(matches!(error, ValidateError::CouldNotTell(_)));
    // Nor is that remembered.
    verifier.verify("token", &orders()).await.unwrap();
}

#[tokio::test]
async fn another_question_about_the_same_token_is_asked() {
    let fake = Fake::start().await;
    let verifier = builder(&fake).build();
    let read = orders().with_scope("orders.read");
    let write = orders().with_scope("orders.write");
    let both = read.clone().with_scope("orders.write");
    let questions = [
        ("token", Requirement::new()),
        ("token", orders()),
        ("token", Requirement::new().with_audience("invoices")),
        ("token", read),
        ("token", write),
        ("token", both),
        ("tokem", orders()),
        ("toke", orders()),
    ];
    for _ in 0..2 {
        for (token, requirement) in &questions {
            verifier.verify(token, requirement).await.unwrap();
        }
    }
    assert_eq!(fake.script.count(), questions.len());
}

#[tokio::test]
async fn the_memory_is_bounded() {
    let fake = Fake::start().await;
    let verifier = builder(&fake).cache_capacity(10).build();
    for round in 0..2 {
        for number in 0..200 {
            let token = format!("token-{number}");
            verifier.verify(&token, &orders()).await.unwrap();
        }
        let answered_from_memory = (round + 1) * 200 - fake.script.count();
        assert!(answered_from_memory <= 10, "{answered_from_memory}");
    }
}

#[tokio::test]
async fn nothing_is_remembered_for_no_time() {
    let fake = Fake::start().await;
    let verifier = builder(&fake).cache_ttl(Duration::ZERO).build();
    for _ in 0..3 {
        verifier.verify("token", &orders()).await.unwrap();
    }
    assert_eq!(fake.script.count(), 3);
}

#[tokio::test]
async fn an_absurdly_long_token_is_rejected_without_a_call() {
    let fake = Fake::start().await;
    let verifier = builder(&fake).build();
    let error = verifier.verify(&"x".repeat(8_193), &orders()).await;
    assert_eq!(
        error.unwrap_err(),
        ValidateError::Rejected(RejectionReason::Malformed)
    );
    assert_eq!(fake.script.count(), 0);
}

#[tokio::test]
async fn debug_shows_neither_tokens_nor_the_key() {
    let fake = Fake::start().await;
    let client = Client::builder(&fake.endpoint)
        .api_key("csk_canary")
        .build()
        .unwrap();
    let verifier = Verifier::new(client);
    let identity = verifier.verify("canary-token", &orders()).await.unwrap();
    let layer = countersign_client::ProtectLayer::new(verifier.clone());
    let shown = format!("{verifier:#?} {identity:#?} {layer:#?}");
    assert!(shown.contains("remembered: 1"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}

fn rejected(reason: RejectionReason) -> Verdict {
    Verdict::Rejected(proto::Rejection {
        reason: reason.into(),
        ..Default::default()
    })
}
