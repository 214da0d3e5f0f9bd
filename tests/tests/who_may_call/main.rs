//! Who may call what, and about what: every caller × every RPC of the contract × the
//! things that a call can be about. Nothing is answered that should be refused, and
//! nothing refused that should be answered.
//!
//! What a role may call is read from the contract, what may be done to a thing stands in
//! [`table`]. A new RPC has a row there and its message in [`messages`].

mod callers;
mod cast;
mod messages;
mod owner;
mod table;

use std::collections::BTreeSet;

use countersign_proto::envoy::service::auth::v3::CheckResponse;
use countersign_proto::{RPCS, Rpc, v1};
use countersign_tests::{Backend, Decision, Tally, on_every_backend, reason, say};
use prost::Message as _;
use tonic::Status;

use crate::callers::Caller;
use crate::cast::Cast;
use crate::table::{Object, ROWS, Row};

on_every_backend!(each_call_is_answered_as_its_caller_and_its_object_deserve);

/// What was asked, and what was answered otherwise than it should be.
#[derive(Default)]
struct Counts {
    answered: Tally,
    asked: usize,
    unexpected_oks: Vec<String>,
    unexpected_refusals: Vec<String>,
    other_refusals: Vec<String>,
}

impl Counts {
    fn add(&mut self, what: &str, answer: &str, expected: &str) {
        self.asked += 1;
        self.answered.add(answer);
        if answer == expected {
            return;
        }
        let line = format!("{what}: {answer}, not {expected}");
        match (is_ok(answer), is_ok(expected)) {
            (true, _) => self.unexpected_oks.push(line),
            (false, true) => self.unexpected_refusals.push(line),
            (false, false) => self.other_refusals.push(line),
        }
    }
}

#[test]
fn every_rpc_has_one_row_with_something_that_is_rightful() {
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.rpc).collect();
    let all: BTreeSet<_> = RPCS.iter().map(|rpc| rpc.name).collect();
    assert_eq!(rows, all);
    assert_eq!(ROWS.len(), RPCS.len());
    for row in ROWS {
        let is_rightful = row.cells().any(|(_, expected)| is_ok(expected));
        assert!(is_rightful, "{}", row.rpc);
    }
}

async fn each_call_is_answered_as_its_caller_and_its_object_deserve(backend: Backend) {
    let cast = Cast::gather(backend).await;
    let mut counts = Counts::default();
    let mut cells = 0;
    for rpc in RPCS {
        let row = ROWS.iter().find(|row| row.rpc == rpc.name);
        let row = row.expect("each has one");
        for (object, expected) in row.cells() {
            cells += 1;
            ask(&cast, rpc, row, (object, expected), &mut counts).await;
        }
    }
    cast.is_unharmed().await;
    say!(
        "callers × RPCs × objects on {backend}: {} callers, {} RPCs, {cells} pairs of an RPC and \
         an object, {} calls: {}; unexpected OKs: {}, unexpected refusals: {}, refusals for \
         another reason: {}",
        cast.callers.all.len(),
        RPCS.len(),
        counts.asked,
        counts.answered,
        counts.unexpected_oks.len(),
        counts.unexpected_refusals.len(),
        counts.other_refusals.len(),
    );
    let none: Vec<String> = Vec::new();
    assert_eq!(counts.unexpected_oks, none, "answered");
    assert_eq!(counts.unexpected_refusals, none, "refused");
    assert_eq!(counts.other_refusals, none, "refused for another reason");
}

/// Has all callers ask about one thing: first those who may not, which must not change
/// what is answered to those who may.
async fn ask(
    cast: &Cast,
    rpc: &Rpc,
    row: &Row,
    (object, expected): (Object, &'static str),
    counts: &mut Counts,
) {
    let may_call = |caller: &&Caller| caller.role.is_some_and(|role| rpc.roles.contains(&role));
    let (may, may_not): (Vec<_>, Vec<_>) = cast.callers.all.iter().partition(may_call);
    let mut message = messages::message(cast, rpc.name, object).await;
    for caller in may_not {
        let expected = match caller.role {
            None => "CALLER_UNKNOWN",
            Some(_) => "CALLER_NOT_PERMITTED",
        };
        let answer = caller.gateway.call(rpc.path, message.clone()).await;
        let what = format!("{} by {}, {object:?}", rpc.name, caller.name);
        counts.add(&what, &word(rpc, &answer), expected);
    }
    for (number, caller) in may.into_iter().enumerate() {
        if number > 0 {
            message = messages::message(cast, rpc.name, object).await;
        }
        let expected = row.expected_by(caller.role, object, expected);
        let answer = caller.gateway.call(rpc.path, message.clone()).await;
        let what = format!("{} by {}, {object:?}", rpc.name, caller.name);
        counts.add(&what, &word(rpc, &answer), expected);
    }
}

/// The answer in one word: of those about tokens, what it says of the token.
fn word(rpc: &Rpc, answer: &Result<Vec<u8>, Status>) -> String {
    use v1::validate_token_response::Verdict;
    let Ok(bytes) = answer else {
        return reason(answer);
    };
    let verdict = match rpc.name {
        "ValidateToken" => {
            let answer = v1::ValidateTokenResponse::decode(&bytes[..]);
            answer.expect("an answer").verdict
        }
        "ValidateTokens" => {
            let answers = v1::ValidateTokensResponse::decode(&bytes[..]);
            let [answer] = &answers.expect("answers").responses[..] else {
                panic!("one token was asked about");
            };
            answer.verdict.clone()
        }
        "Check" => {
            let answer = CheckResponse::decode(&bytes[..]).expect("an answer");
            return Decision::of(answer).in_a_line();
        }
        _ => return "OK".into(),
    };
    match verdict.expect("a verdict") {
        Verdict::Valid(_) => "VALID".into(),
        Verdict::Rejected(rejection) => {
            let name = rejection.reason().as_str_name();
            name.trim_start_matches("REJECTION_REASON_").into()
        }
    }
}

fn is_ok(answer: &str) -> bool {
    ["OK", "VALID"].contains(&answer)
}
