//! Guarantee 25 at the providers: whatever the first one does, nothing is sent
//! twice, no notice is lost, and nobody waits longer than the time limits.

use std::collections::HashMap;

use countersign_delivery::Router;
use countersign_domain::model::Address;
use countersign_domain::ports::{Message, MessageSender as _, SendError};

use crate::common::{authorities, code, id, link, notice, phone, router};
use crate::http_server::{Behaviour, HttpServer, Taken};
use crate::sens::sens;
use crate::webhook::{accepts, webhook};

const EACH: usize = 20;
/// How often the outbox tries a notice here before it counts as lost.
const TRIES: usize = 4;

/// What became of the messages of one kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    sent: usize,
    refused: usize,
    unknown: usize,
    rejected: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_first_provider_does_nothing_is_sent_twice_and_no_notice_is_lost() {
    let error = r#"{"error":{"errorCode":"900","message":"M","details":"D"}}"#;
    let answers = |status, body: &str| Behaviour::Answers(status, "", body.into());
    // Whether it has taken what it was asked, and whether a code may go on.
    let cases = [
        ("is slow", Behaviour::IsSlow, true, false),
        ("is down", Behaviour::HangsUp, false, false),
        ("answers 400", answers(400, error), false, true),
        ("answers 401", answers(401, error), false, true),
        ("answers 404", answers(404, ""), false, true),
        ("answers 429", answers(429, error), false, true),
        ("answers 500", answers(500, error), false, true),
        ("answers 500 with nothing", answers(500, ""), true, false),
        ("answers 503", answers(503, ""), false, true),
        ("talks nonsense", Behaviour::TalksNonsense, true, false),
        (
            "answers 202 with nonsense",
            answers(202, "<html>"),
            true,
            false,
        ),
        ("cuts after acceptance", Behaviour::Cuts, true, false),
    ];
    let (mut twice, mut lost) = (0, 0);
    for (name, behaviour, takes, goes_on) in cases {
        for (kind, secret) in [("codes", code as fn(Address) -> Message), ("links", link)] {
            let first = HttpServer::start(behaviour.clone()).await;
            let second = HttpServer::start(accepts()).await;
            let made = || router(vec![sens(&first), webhook(&second, authorities())]);
            let secrets = send_all(&made(), secret, 1).await;
            let arrived = arrived(&first, takes, &second);
            twice += arrived.values().filter(|count| **count > 1).count();
            let by_second = second.taken().len();
            let notices = send_all(&made(), notice, TRIES).await;
            lost += EACH - notices.sent;
            println!(
                "guarantee 25: the first provider {name}: of {EACH} {kind} {} sent, {} unknown, {} \
                 refused, {by_second} of them by the second; of {EACH} notices {} sent",
                secrets.sent, secrets.unknown, secrets.refused, notices.sent
            );
            if goes_on {
                assert_eq!((secrets.sent, by_second), (EACH, EACH), "{name}");
            } else {
                // The breaker leaves it alone after a while: the others go on.
                assert_eq!(secrets.sent, by_second, "{name}");
                assert_eq!(secrets.sent + secrets.unknown, EACH, "{name}");
                assert!(secrets.unknown > 0, "{name}");
            }
        }
    }
    println!("guarantee 25: codes and links sent twice {twice}, notices lost {lost}");
    assert_eq!((twice, lost), (0, 0));
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_gives_way_at_once() {
    let nobody = HttpServer::nobody().await;
    let second = HttpServer::start(accepts()).await;
    let router = router(vec![sens(&nobody), webhook(&second, authorities())]);
    for number in 0..EACH {
        router.send(id(1), code(phone(number))).await.expect("sent");
    }
    assert_eq!(second.taken().len(), EACH);
    let open = &router.readings()[0];
    assert!(open.is_circuit_open);
    assert_eq!(open.tries[2], ("refused", 5));
    assert_eq!(open.tries[4], ("skipped", EACH as u64 - 5));
}

/// Sends one message to each of the numbers at once, and again what is worth
/// another try.
async fn send_all(router: &Router, message: fn(Address) -> Message, tries: usize) -> Outcome {
    let mut outcome = Outcome::default();
    // One after another in small groups, so that the breaker has its say.
    for group in (0..EACH).collect::<Vec<_>>().chunks(4) {
        let sending = group.iter().map(|number| async move {
            let mut last = Ok(());
            for _ in 0..tries {
                let id = id(u8::try_from(*number).expect("few"));
                last = router.send(id, message(phone(*number))).await;
                if matches!(last, Ok(()) | Err(SendError::Rejected(_))) {
                    break;
                }
            }
            last
        });
        for last in futures_util::future::join_all(sending).await {
            match last {
                Ok(()) => outcome.sent += 1,
                Err(SendError::Refused(_)) => outcome.refused += 1,
                Err(SendError::Unknown(_)) => outcome.unknown += 1,
                Err(SendError::Rejected(_)) => outcome.rejected += 1,
            }
        }
    }
    outcome
}

/// How often a message may have arrived at each number.
fn arrived(first: &HttpServer, takes: bool, second: &HttpServer) -> HashMap<String, usize> {
    let mut arrived = HashMap::new();
    let mut count = |taken: Vec<Taken>| {
        for taken in taken {
            // The national number is in both, in other forms.
            let at = taken.body.find("10123").expect("a number");
            let number = taken.body[at..at + 10].to_owned();
            *arrived.entry(number).or_default() += 1;
        }
    };
    if takes {
        count(first.taken());
    }
    count(second.taken());
    arrived
}
