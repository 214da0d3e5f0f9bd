//! Guarantee 20: no step can be skipped. Random sequences of all calls about
//! people are answered by the use-cases as a reference model says: nobody gets a
//! session who has not shown what is needed, no token is good that must not be,
//! and whoever has shown it is not refused.
//!
//! `COUNTERSIGN_TEST_SEED` repeats the sequence of one seed.

mod addresses;
mod application;
mod factors;
mod keys;
mod second_factors;
mod settings;
#[path = "../../../../tests/src/software_authenticator.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "it is a module of the whole-system tests, too"
)]
mod software_authenticator;
mod texts;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use async_trait::async_trait;
use countersign_domain::model::Timestamp;
use countersign_domain::testing::reference::{
    Answer, Call, Failure, RPCS, Shape, Subject, Tally, play, sequence, shrink,
};

use crate::application::Application;

const SHAPE: Shape = Shape {
    steps: 34,
    has_time: true,
    has_callers: true,
    has_untold_codes: true,
};
/// Sequences that play at once.
const AT_ONCE: u64 = 2;

/// What must have come up, so that it was decided often: an RPC and its answer.
const DECIDED: [(&str, &str); 103] = [
    ("SignUp", "OK"),
    ("SignUp", "PENDING"),
    ("SignUp", "PROOF_INVALID"),
    ("SignUp", "IDENTIFIER_TAKEN"),
    ("SignUp", "USERNAME_TAKEN"),
    ("ConfirmSignUp", "OK"),
    ("ConfirmSignUp", "CODE_WRONG"),
    ("ConfirmSignUp", "IDENTIFIER_TAKEN"),
    ("ConfirmSignUp", "USERNAME_TAKEN"),
    ("ConfirmSignUp", "VERIFICATION_NOT_FOUND"),
    ("SendCode", "OK"),
    ("CheckCode", "OK"),
    ("CheckCode", "CODE_WRONG"),
    ("CheckCode", "VERIFICATION_NOT_FOUND"),
    ("CheckCode of a link", "OK"),
    ("CheckCode of a link", "VERIFICATION_NOT_FOUND"),
    ("CancelVerification", "OK"),
    ("IssueTokens", "OK"),
    ("IssueTokens", "MFA_SESSION"),
    ("IssueTokens", "SIGN_IN_REFUSED"),
    ("IssueTokens", "PROOF_INVALID"),
    ("RefreshTokens", "OK"),
    ("RefreshTokens", "REFRESH_TOKEN_INVALID"),
    ("RefreshTokens", "REFRESH_TOKEN_REUSED"),
    ("RefreshTokens", "SESSION_ENDED"),
    ("ValidateToken", "VALID"),
    ("ValidateToken", "EXPIRED"),
    ("ValidateToken", "REVOKED"),
    ("RevokeToken", "OK"),
    ("ListSessions", "OK"),
    ("ListSessions", "ACCESS_TOKEN_INVALID"),
    ("RevokeSession", "OK"),
    ("RevokeSession", "SESSION_NOT_FOUND"),
    ("RevokeUserSessions", "OK"),
    ("ChangePassword", "OK"),
    ("ChangePassword", "PASSWORD_WRONG"),
    ("ChangePassword", "ACCESS_TOKEN_INVALID"),
    ("ResetPassword", "OK"),
    ("ResetPassword", "PROOF_INVALID"),
    ("BeginEnrollment", "OK"),
    ("BeginEnrollment", "AUTHENTICATION_TOO_OLD"),
    ("BeginEnrollment", "SECOND_FACTOR_REQUIRED"),
    ("ConfirmEnrollment", "OK"),
    ("ConfirmEnrollment", "SECOND_FACTOR_WRONG"),
    ("ConfirmEnrollment", "ENROLLMENT_NOT_FOUND"),
    ("ConfirmEnrollment", "SECOND_FACTOR_REQUIRED"),
    ("RemoveFactor", "OK"),
    ("RemoveFactor", "FACTOR_NOT_FOUND"),
    ("RemoveFactor", "SECOND_FACTOR_REQUIRED"),
    ("RegenerateRecoveryCodes", "OK"),
    ("RegenerateRecoveryCodes", "FACTOR_NOT_FOUND"),
    ("ListFactors", "OK"),
    ("CreateMfaSession", "MFA_SESSION"),
    ("ValidateMfaSession", "OK"),
    ("ValidateMfaSession", "CODE_WRONG"),
    ("ValidateMfaSession", "SECOND_FACTOR_WRONG"),
    ("ValidateMfaSession", "SIGN_IN_REFUSED"),
    ("ValidateMfaSession", "MFA_SESSION_NOT_FOUND"),
    ("ValidateMfaSession", "TOO_MANY_ATTEMPTS"),
    ("ConfirmEnrollment", "AUTHENTICATION_TOO_OLD"),
    ("SendCode", "AUTHENTICATION_TOO_OLD"),
    ("SendCode", "SECOND_FACTOR_REQUIRED"),
    ("StartPasswordReset", "OK"),
    ("ValidateToken", "INSUFFICIENT"),
    ("BeginEnrollment", "ADDRESS_NOT_VERIFIED"),
    ("BeginEnrollment", "FACTOR_ALREADY_ENROLLED"),
    ("SendMfaCode", "OK"),
    ("SendMfaCode", "FACTOR_NOT_FOUND"),
    ("SendMfaCode", "MFA_SESSION_NOT_FOUND"),
    ("BeginMfaAssertion", "OK"),
    ("BeginMfaAssertion", "MFA_SESSION_NOT_FOUND"),
    ("BeginPasskeySignIn", "OK"),
    ("StepUpSession", "OK"),
    ("StepUpSession", "PASSWORD_WRONG"),
    ("StepUpSession", "SECOND_FACTOR_WRONG"),
    ("StepUpSession", "SECOND_FACTOR_REQUIRED"),
    ("StepUpSession", "SESSION_OF_ANOTHER_CALLER"),
    ("StepUpSession", "ACCESS_TOKEN_INVALID"),
    ("SendStepUpCode", "OK"),
    ("SendStepUpCode", "FACTOR_NOT_FOUND"),
    ("SendStepUpCode", "SESSION_OF_ANOTHER_CALLER"),
    ("BeginStepUpAssertion", "OK"),
    ("BeginStepUpAssertion", "SESSION_OF_ANOTHER_CALLER"),
    ("AddIdentifier", "OK"),
    ("AddIdentifier", "IDENTIFIER_TAKEN"),
    ("AddIdentifier", "PROOF_INVALID"),
    ("AddIdentifier", "AUTHENTICATION_TOO_OLD"),
    ("AddIdentifier", "SECOND_FACTOR_REQUIRED"),
    ("ChangeIdentifier", "OK"),
    ("ChangeIdentifier", "IDENTIFIER_TAKEN"),
    ("ChangeIdentifier", "IDENTIFIER_NOT_FOUND"),
    ("ChangeIdentifier", "PROOF_INVALID"),
    ("RemoveIdentifier", "OK"),
    ("RemoveIdentifier", "LAST_IDENTIFIER"),
    ("RemoveIdentifier", "IDENTIFIER_NOT_FOUND"),
    ("RemoveIdentifier", "SECOND_FACTOR_REQUIRED"),
    ("UndoIdentifierChange", "OK"),
    ("UndoIdentifierChange", "UNDO_NOT_FOUND"),
    ("ListIdentifiers", "OK"),
    ("SuspendUser", "OK"),
    ("ReinstateUser", "OK"),
    ("ReinstateUser", "USER_STATE_CONFLICT"),
    ("IssueTokens", "USER_SUSPENDED"),
];

#[test]
fn sequences_are_answered_as_the_model_says() {
    judge(settings::seed(), 3_000);
}

#[test]
#[ignore = "it takes some minutes"]
fn a_hundred_thousand_sequences_are_answered_as_the_model_says() {
    judge(None, 100_000);
}

/// The judging itself: a service that lets revoked tokens pass is found out, and
/// the sequence that shows it is a short one.
#[tokio::test]
async fn a_wrong_answer_is_found_and_told_in_few_steps() {
    let fresh = async || Lenient(Application::new().await);
    let mut found = None;
    for seed in 0..200 {
        let steps = sequence(seed, SHAPE);
        let played = play(&steps, &mut fresh().await, &mut Tally::default()).await;
        if let Err(failure) = played {
            found = Some(shrink(failure, fresh).await);
            break;
        }
    }
    let failure = found.expect("a revoked token was accepted");
    assert!(failure.what.contains("REVOKED"), "{failure}");
    // Somebody proves an address, signs up and in, ends the session, and asks.
    assert!(failure.steps.len() <= 6, "{failure}");
}

/// A service that forgets what was revoked.
struct Lenient(Application);

#[async_trait]
impl Subject for Lenient {
    async fn now(&mut self) -> Timestamp {
        self.0.now().await
    }

    async fn pass(&mut self, span: std::time::Duration) {
        self.0.pass(span).await;
    }

    async fn ask(&mut self, call: &Call) -> Result<Answer, String> {
        let answer = self.0.ask(call).await?;
        Ok(match answer {
            Answer::Verdict(verdict) if verdict == "REVOKED" => Answer::Verdict("VALID".into()),
            answer => answer,
        })
    }
}

fn judge(seed: Option<u64>, count: u64) {
    let (first, last) = seed.map_or((0, count), |seed| (seed, seed + 1));
    let next = AtomicU64::new(first);
    let (tally, failed) = (Mutex::new(Tally::default()), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut own = Tally::default();
                if let Some(failure) = play_many(&next, last, &mut own) {
                    next.store(last, Ordering::Relaxed);
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.get_or_insert(failure);
                }
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                tally.add_all(&own);
            });
        }
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((seed, failure)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        panic!("seed {seed}: {failure}");
    }
    println!(
        "guarantee 20: sequences {}, answers {}, otherwise than the model says 0{tally}",
        last - first,
        tally.total()
    );
    let is_missing = |(rpc, answer): &&(&'static str, &'static str)| tally.count(rpc, answer) == 0;
    let missing: Vec<_> = DECIDED.iter().filter(is_missing).collect();
    assert!(
        seed.is_some() || missing.is_empty(),
        "never came: {missing:?}"
    );
    let asked = tally
        .asked()
        .map(|call| call.trim_end_matches(" of a link"));
    let asked: BTreeSet<_> = asked.collect();
    assert!(
        seed.is_some() || asked == BTreeSet::from(RPCS),
        "the RPCs that were asked: {asked:?}"
    );
}

/// Plays one sequence after the other, until one is answered wrongly.
fn play_many(next: &AtomicU64, last: u64, tally: &mut Tally) -> Option<(u64, Failure)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= last {
            return None;
        }
        let steps = sequence(seed, SHAPE);
        let played = runtime.block_on(async {
            let mut application = Application::new().await;
            let played = play(&steps, &mut application, tally).await;
            match played {
                Ok(()) => Ok(()),
                Err(failure) => Err(shrink(failure, Application::new).await),
            }
        });
        if let Err(failure) = played {
            return Some((seed, failure));
        }
    }
}
