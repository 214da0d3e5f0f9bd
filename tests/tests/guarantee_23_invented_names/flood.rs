//! Floods of calls for addresses that nobody has.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_tests::{Gateway, PASSWORD, Tally, World, device, email, reason};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::Status;

use crate::SOURCE_BUDGET;

/// Where a flood comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sources {
    /// One IPv6 subscriber, who has a /64.
    One,
    /// So many IPv4 addresses and IPv6 subscribers, in turns.
    Many(usize),
}

impl Sources {
    fn address(self, number: usize) -> String {
        let number = match self {
            Self::One => {
                let (high, low) = (number >> 16, number & 0xffff);
                return format!("2001:db8:66:1:0:1:{high:x}:{low:x}");
            }
            Self::Many(sources) => number % sources,
        };
        if number.is_multiple_of(2) {
            format!("10.20.{}.{}", number >> 8, number & 0xff)
        } else {
            format!("2001:db8:77:{number:x}::1")
        }
    }

    /// How many calls are made at once. From one source: far more than may wait
    /// to be hashed. From many: not so many, since what hashing is admitted to
    /// whom is not the subject.
    fn at_once(self) -> usize {
        match self {
            Self::One => 192,
            Self::Many(_) => 48,
        }
    }
}

/// What became of a flood.
pub(crate) struct Flood {
    what: String,
    outcomes: Tally,
    most_comparisons: usize,
}

impl Flood {
    pub(crate) fn check(&self) {
        assert!(
            self.most_comparisons <= SOURCE_BUDGET,
            "{}: {} comparisons by one source",
            self.what,
            self.most_comparisons
        );
        self.outcomes.assert_only(&[
            "OK",
            "SIGN_IN_REFUSED",
            "TOO_MANY_ATTEMPTS",
            "TOO_MANY_MESSAGES",
            "OVERLOADED",
            // A full store refuses new names.
            "DEPENDENCY_UNAVAILABLE",
        ]);
    }
}

/// Calls for addresses that nobody has: of eight, six sign-ins, a send and a
/// sign-up.
pub(crate) async fn flood(store: &str, world: &World, sources: Sources, calls: usize) -> Flood {
    let began = Instant::now();
    let gateways = world.gateways(4);
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for worker in 0..sources.at_once() {
        let gateway = gateways[worker % gateways.len()].clone();
        let next = Arc::clone(&next);
        workers.spawn(async move {
            let mut outcomes = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return outcomes;
                }
                let source = sources.address(number);
                let outcome = invent(&gateway, sources, number, &source).await;
                outcomes.push((number, reason(&outcome)));
            }
        });
    }
    let (mut outcomes, mut compared) = (Tally::default(), HashMap::new());
    for (number, outcome) in workers.join_all().await.into_iter().flatten() {
        outcomes.add(&outcome);
        if outcome == "SIGN_IN_REFUSED" {
            let source = match sources {
                Sources::One => 0,
                Sources::Many(sources) => number % sources,
            };
            *compared.entry(source).or_default() += 1;
        }
    }
    let most_comparisons = compared.values().max().copied().unwrap_or(0);
    let from = match sources {
        Sources::One => "one source".into(),
        Sources::Many(sources) => format!("{sources} sources"),
    };
    let what = format!("guarantee 23 {store}: {calls} calls for invented addresses from {from}");
    countersign_tests::say!(
        "{what}, {} at once, in {:.0?}: {outcomes}; most comparisons by one source: \
         {most_comparisons}",
        sources.at_once(),
        began.elapsed(),
    );
    Flood {
        what,
        outcomes,
        most_comparisons,
    }
}

async fn invent(
    gateway: &Gateway,
    sources: Sources,
    number: usize,
    source: &str,
) -> Result<(), Status> {
    let name = if sources == Sources::One {
        "one"
    } else {
        "many"
    };
    let address = Some(email(&format!("{name}{number}@invented.example")));
    match number % 8 {
        0..=5 => {
            let grant = Grant::Password(v1::PasswordGrant {
                identifier: address,
                password: "wrong guess".into(),
            });
            let request = v1::IssueTokensRequest {
                grant: Some(grant),
                client_context: device(source),
                ..Default::default()
            };
            gateway.issue_tokens(request).await.map(drop)
        }
        6 => {
            let request = v1::SendCodeRequest {
                identifier: address,
                purpose: v1::Purpose::SignIn.into(),
                client_context: device(source),
                ..Default::default()
            };
            gateway.ask_for_code(request).await.map(drop)
        }
        _ => {
            let request = v1::SignUpRequest {
                identifier: address,
                password: PASSWORD.into(),
                client_context: device(source),
                ..Default::default()
            };
            gateway.ask_to_sign_up(request).await.map(drop)
        }
    }
}
