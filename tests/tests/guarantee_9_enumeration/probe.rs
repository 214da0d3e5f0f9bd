//! The calls by which somebody may try to learn something, and their answers
//! without what differs from call to call.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{Gateway, PASSWORD, delivery_state, device, email, masked, reason};
use tokio::time::sleep;
use tonic::metadata::MetadataMap;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use crate::state::{Subject, new_name};

/// A call about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    SignUp,
    SignUpNamed,
    SignUpNamedOtherwise,
    SignUpTakenName,
    Confirm,
    SignIn,
    SendSignUp,
    SendSignIn,
    StartReset,
    CheckSignUp,
    CheckSignIn,
    CheckReset,
    CreateMfa,
    AnswerMfa,
    Look,
    /// Waits until the cooldown is over.
    Wait,
}

impl Probe {
    pub(crate) const ALL: [Self; 15] = [
        Self::SignUp,
        Self::SignUpNamed,
        Self::SignUpNamedOtherwise,
        Self::SignUpTakenName,
        Self::Confirm,
        Self::SignIn,
        Self::SendSignUp,
        Self::SendSignIn,
        Self::StartReset,
        Self::CheckSignUp,
        Self::CheckSignIn,
        Self::CheckReset,
        Self::CreateMfa,
        Self::AnswerMfa,
        Self::Look,
    ];

    pub(crate) const SIGN_UPS: [Self; 4] = [
        Self::SignUp,
        Self::SignUpNamed,
        Self::SignUpNamedOtherwise,
        Self::Confirm,
    ];

    /// Those that send a message.
    pub(crate) const SENDS: [Self; 6] = [
        Self::SignUp,
        Self::SignUpNamed,
        Self::SendSignUp,
        Self::SendSignIn,
        Self::StartReset,
        Self::CreateMfa,
    ];

    /// Whether each call has what it needs from those before it.
    pub(crate) fn make_sense(sequence: &[Self]) -> bool {
        let is_preceded = |needed: &[Self], at: usize| {
            let before = &sequence[..at];
            before.iter().any(|probe| needed.contains(probe))
        };
        let mut calls = sequence.iter().enumerate();
        calls.all(|(at, probe)| match probe {
            Self::Confirm => is_preceded(&Self::SIGN_UPS[..3], at),
            Self::Look => is_preceded(&Self::SENDS[..5], at),
            Self::AnswerMfa => is_preceded(&[Self::CreateMfa], at),
            _ => true,
        })
    }
}

/// The answer to a call.
pub(crate) struct Answer {
    pub(crate) reason: String,
    pub(crate) in_full: String,
}

/// Somebody who knows an address and no more.
pub(crate) struct Attacker<'a> {
    gateway: Gateway,
    source: String,
    subject: Subject,
    other_name: String,
    taken_name: &'a str,
    sign_up: String,
    latest: String,
    mfa: String,
}

impl<'a> Attacker<'a> {
    pub(crate) fn new(gateway: &Gateway, subject: Subject, taken_name: &'a str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let [.., high, middle, low] = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Self {
            gateway: gateway.clone(),
            source: format!("10.{high}.{middle}.{low}"),
            subject,
            other_name: new_name(),
            taken_name,
            sign_up: UNKNOWN.into(),
            latest: UNKNOWN.into(),
            mfa: String::new(),
        }
    }

    /// Makes a call, and tells its answer.
    pub(crate) async fn try_out(&mut self, probe: Probe) -> Answer {
        let gateway = self.gateway.clone();
        match probe {
            Probe::SignUp => self.sign_up("").await,
            Probe::SignUpNamed => self.sign_up(&self.subject.username.clone()).await,
            Probe::SignUpNamedOtherwise => self.sign_up(&self.other_name.clone()).await,
            Probe::SignUpTakenName => self.sign_up(self.taken_name).await,
            Probe::Confirm => {
                let request = v1::ConfirmSignUpRequest {
                    verification_id: self.sign_up.clone(),
                    code: "000000".into(),
                };
                self.tell(&gateway.auth().confirm_sign_up(request).await)
            }
            Probe::SignIn => {
                let grant = v1::PasswordGrant {
                    identifier: Some(email(&self.subject.address)),
                    password: "wrong guess".into(),
                };
                let request = v1::IssueTokensRequest {
                    grant: Some(v1::issue_tokens_request::Grant::Password(grant)),
                    client_context: device(&self.source),
                    ..Default::default()
                };
                self.tell(&gateway.auth().issue_tokens(request).await)
            }
            Probe::SendSignUp => self.send(v1::Purpose::SignUp).await,
            Probe::SendSignIn => self.send(v1::Purpose::SignIn).await,
            Probe::StartReset => {
                let request = v1::StartPasswordResetRequest {
                    identifier: Some(email(&self.subject.address)),
                    client_context: device(&self.source),
                    ..Default::default()
                };
                let started = gateway.auth().start_password_reset(request).await;
                if let Ok(started) = &started {
                    self.latest.clone_from(&started.get_ref().verification_id);
                }
                self.tell(&started)
            }
            Probe::CheckSignUp => self.check(v1::Purpose::SignUp).await,
            Probe::CheckSignIn => self.check(v1::Purpose::SignIn).await,
            Probe::CheckReset => self.check(v1::Purpose::PasswordReset).await,
            Probe::CreateMfa => {
                let user = email(&self.subject.address);
                let request = v1::CreateMfaSessionRequest {
                    user: Some(v1::create_mfa_session_request::User::Identifier(user)),
                    client_context: device(&self.source),
                    ..Default::default()
                };
                let created = gateway.sessions().create_mfa_session(request).await;
                if let Ok(created) = &created {
                    self.mfa.clone_from(&created.get_ref().mfa_session_id);
                }
                self.tell(&created)
            }
            Probe::AnswerMfa => {
                let request = v1::ValidateMfaSessionRequest {
                    mfa_session_id: self.mfa.clone(),
                    code: "wrong".into(),
                    ..Default::default()
                };
                self.tell(&gateway.sessions().validate_mfa_session(request).await)
            }
            Probe::Look => self.look().await,
            Probe::Wait => {
                sleep(Duration::from_millis(4_200)).await;
                Answer {
                    reason: "…".into(),
                    in_full: "…".into(),
                }
            }
        }
    }

    async fn sign_up(&mut self, username: &str) -> Answer {
        let request = v1::SignUpRequest {
            identifier: Some(email(&self.subject.address)),
            username: username.into(),
            password: PASSWORD.into(),
            client_context: device(&self.source),
            ..Default::default()
        };
        let signed_up = self.gateway.auth().sign_up(request).await;
        if let Ok(signed_up) = &signed_up
            && let Some(v1::sign_up_response::Outcome::Pending(pending)) =
                &signed_up.get_ref().outcome
        {
            self.latest.clone_from(&pending.verification_id);
            self.sign_up.clone_from(&pending.verification_id);
        }
        self.tell(&signed_up)
    }

    async fn send(&mut self, purpose: v1::Purpose) -> Answer {
        let request = v1::SendCodeRequest {
            identifier: Some(email(&self.subject.address)),
            purpose: purpose.into(),
            client_context: device(&self.source),
            ..Default::default()
        };
        let sent = self.gateway.verifications().send_code(request).await;
        if let Ok(sent) = &sent {
            self.latest.clone_from(&sent.get_ref().verification_id);
        }
        self.tell(&sent)
    }

    async fn check(&self, purpose: v1::Purpose) -> Answer {
        let address = v1::VerifiedAddress {
            group_id: String::new(),
            identifier: Some(email(&self.subject.address)),
            purpose: purpose.into(),
        };
        let request = v1::CheckCodeRequest {
            verification: Some(v1::check_code_request::Verification::Address(address)),
            code: "000000".into(),
        };
        self.tell(&self.gateway.verifications().check_code(request).await)
    }

    /// Looks at the latest verification, once its message is sent or will not be.
    async fn look(&self) -> Answer {
        const LOOKS: usize = 50;
        let request = || v1::GetVerificationRequest {
            verification_id: self.latest.clone(),
            ..Default::default()
        };
        let mut shown = self
            .gateway
            .verifications()
            .get_verification(request())
            .await;
        for _ in 0..LOOKS {
            let verification = shown
                .as_ref()
                .ok()
                .and_then(|all| all.get_ref().verification.as_ref());
            if verification.and_then(delivery_state).as_deref() != Some("Queued") {
                break;
            }
            sleep(Duration::from_millis(100)).await;
            shown = self
                .gateway
                .verifications()
                .get_verification(request())
                .await;
        }
        self.tell(&shown)
    }

    /// An answer without ids, times, and what the attacker said himself.
    fn tell<T: Debug>(&self, outcome: &Result<Response<T>, Status>) -> Answer {
        let told = match outcome {
            Ok(response) => {
                let headers = told_by(response.metadata());
                format!("OK {:?} {headers:?}", response.get_ref())
            }
            Err(status) if status.code() == Code::ResourceExhausted => {
                // It says when to come again, which differs from call to call.
                format!("{} {:?}", reason(outcome), told_by(status.metadata()))
            }
            Err(status) => format!(
                "{:?} {} {:?} {} bytes {:?}",
                status.code(),
                status.message(),
                status.get_error_details_vec(),
                status.details().len(),
                told_by(status.metadata()),
            ),
        };
        let mut in_full = without_times(&without_ids(&told));
        for (said, name) in [
            (self.subject.address.as_str(), "<address>"),
            (&masked(&self.subject.address), "<masked>"),
            (&self.subject.username, "<name>"),
            (&self.other_name, "<name>"),
        ] {
            in_full = in_full.replace(said, name);
        }
        Answer {
            reason: reason(outcome),
            in_full,
        }
    }
}

const UNKNOWN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Headers and trailers, but those that are another each time.
fn told_by(metadata: &MetadataMap) -> BTreeMap<String, String> {
    let headers = metadata.clone().into_headers();
    let told = headers.iter().map(|(name, value)| {
        let is_another = ["date", "x-request-id"].contains(&name.as_str());
        let value = if is_another {
            "…".into()
        } else {
            format!("{value:?}")
        };
        (name.to_string(), value)
    });
    told.collect()
}

fn without_ids(text: &str) -> String {
    let is_of_id = |c: char| c.is_ascii_hexdigit() || c == '-';
    let mut told = String::new();
    for piece in text.split_inclusive(|c| !is_of_id(c)) {
        let word = piece.trim_end_matches(|c| !is_of_id(c));
        let is_id = word.len() == 36 && word.matches('-').count() == 4;
        let word_or_name = if is_id { "<id>" } else { word };
        told.push_str(word_or_name);
        told.push_str(&piece[word.len()..]);
    }
    told
}

fn without_times(text: &str) -> String {
    let mut told = text.to_owned();
    for field in ["seconds: ", "nanos: "] {
        let mut parts = told.split(field);
        let mut next = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            next.push_str(field);
            next.push('…');
            next.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        told = next;
    }
    told
}

#[test]
fn ids_and_times_are_left_out() {
    let text = "Pending { id: \"01890a5d-ac96-774b-bcce-b302099a8057\", at: Timestamp { seconds: \
                1732189361, nanos: 0 } }";
    assert_eq!(
        without_times(&without_ids(text)),
        "Pending { id: \"<id>\", at: Timestamp { seconds: …, nanos: … } }"
    );
}
