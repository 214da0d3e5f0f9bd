//! The states that an address can be in, and how they come about.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_proto::v1;
use countersign_tests::{Gateway, PASSWORD, Person, World, device, email, reason};

use crate::probe::Probe;

/// Failures after which an account is locked.
pub(crate) const LOCKED_AFTER: i64 = 4;

const NEW_PASSWORD: &str = "nine herons on the far pier";
pub(crate) const ELSEWHERE: &str = "elsewhere";

/// The state of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Unknown,
    Pending,
    PendingTwice,
    PendingNamed,
    PendingElsewhere,
    UnknownSignUpCodeSent,
    UnknownSignInCodeSent,
    UnknownResetStarted,
    Active,
    ActiveNamed,
    ActiveWithoutPassword,
    ActiveElsewhere,
    ActiveConfirmed,
    ActiveSignUpTried,
    ActiveSignUpCodeSent,
    ActiveSignInCodeSent,
    ActiveResetStarted,
    ActiveResetCancelled,
    ActiveSignedOut,
    ActiveLocked,
    ActivePasswordChanged,
    ActivePasswordReset,
    Suspended,
    SuspendedForAWhile,
    Withdrawn,
}

/// An address, and the user name that was or will be asked for with it.
pub(crate) struct Subject {
    pub(crate) address: String,
    pub(crate) username: String,
}

impl State {
    pub(crate) const ALL: [Self; 25] = [
        Self::Unknown,
        Self::Pending,
        Self::PendingTwice,
        Self::PendingNamed,
        Self::PendingElsewhere,
        Self::UnknownSignUpCodeSent,
        Self::UnknownSignInCodeSent,
        Self::UnknownResetStarted,
        Self::Active,
        Self::ActiveNamed,
        Self::ActiveWithoutPassword,
        Self::ActiveElsewhere,
        Self::ActiveConfirmed,
        Self::ActiveSignUpTried,
        Self::ActiveSignUpCodeSent,
        Self::ActiveSignInCodeSent,
        Self::ActiveResetStarted,
        Self::ActiveResetCancelled,
        Self::ActiveSignedOut,
        Self::ActiveLocked,
        Self::ActivePasswordChanged,
        Self::ActivePasswordReset,
        Self::Suspended,
        Self::SuspendedForAWhile,
        Self::Withdrawn,
    ];

    /// Those that differ most.
    pub(crate) const SOME: [Self; 14] = [
        Self::Unknown,
        Self::Pending,
        Self::PendingNamed,
        Self::UnknownSignInCodeSent,
        Self::UnknownResetStarted,
        Self::Active,
        Self::ActiveNamed,
        Self::ActiveWithoutPassword,
        Self::ActiveSignUpTried,
        Self::ActiveSignInCodeSent,
        Self::ActiveResetStarted,
        Self::ActiveLocked,
        Self::Suspended,
        Self::Withdrawn,
    ];

    /// Those in which a sign-up finds something else.
    pub(crate) const BEFORE_SIGN_UPS: [Self; 8] = [
        Self::Unknown,
        Self::PendingNamed,
        Self::Active,
        Self::ActiveNamed,
        Self::ActiveElsewhere,
        Self::ActiveSignUpTried,
        Self::Suspended,
        Self::Withdrawn,
    ];

    /// Those that come about without waiting for a cooldown.
    pub(crate) const OF_ONE_SEND: [Self; 6] = [
        Self::Unknown,
        Self::Pending,
        Self::PendingNamed,
        Self::Active,
        Self::ActiveNamed,
        Self::ActiveLocked,
    ];

    /// Brings a new address into the state.
    pub(crate) async fn bring_about(self, world: &World, gateway: &Gateway) -> Subject {
        let subject = Subject {
            address: world.new_email(),
            username: new_name(),
        };
        let (address, name) = (subject.address.as_str(), subject.username.as_str());
        match self {
            Self::Unknown => {}
            Self::Pending => drop(sign_up(gateway, "", address, "").await),
            Self::PendingTwice => {
                sign_up(gateway, "", address, "").await;
                sign_up(gateway, "", address, "").await;
            }
            Self::PendingNamed => drop(sign_up(gateway, "", address, name).await),
            Self::PendingElsewhere => drop(sign_up(gateway, ELSEWHERE, address, name).await),
            Self::UnknownSignUpCodeSent => send(gateway, address, v1::Purpose::SignUp).await,
            Self::UnknownSignInCodeSent => send(gateway, address, v1::Purpose::SignIn).await,
            Self::UnknownResetStarted => drop(person(gateway, address).reset().await),
            _ => self.bring_about_active(world, gateway, &subject).await,
        }
        subject
    }

    /// The same for a user who is active, here or elsewhere.
    async fn bring_about_active(self, world: &World, gateway: &Gateway, subject: &Subject) {
        let address = subject.address.as_str();
        let mina = person(gateway, address);
        match self {
            Self::ActiveElsewhere => return mina.join(ELSEWHERE, "", PASSWORD).await,
            Self::ActiveNamed => return mina.join("", &new_name(), PASSWORD).await,
            Self::ActiveWithoutPassword => return mina.join("", "", "").await,
            Self::ActiveConfirmed => {
                let id = sign_up(gateway, "", address, "").await;
                let code = world.read_code(address).await;
                gateway.confirm(&id, &code).await.expect("a user");
                return;
            }
            _ => mina.join("", "", PASSWORD).await,
        }
        match self {
            Self::Suspended | Self::SuspendedForAWhile | Self::Withdrawn => {
                let id = mina.0.sign_in().await.user_id;
                let blocked = match self {
                    Self::Suspended => gateway.suspend(&id, "spam").await,
                    Self::Withdrawn => gateway.withdraw(&id).await,
                    _ => gateway.suspend_until(&id, "", far_away()).await,
                };
                blocked.expect("blocked");
            }
            Self::ActiveSignUpTried => {
                drop(sign_up(gateway, "", address, &subject.username).await);
            }
            Self::ActiveSignUpCodeSent => send(gateway, address, v1::Purpose::SignUp).await,
            Self::ActiveSignInCodeSent => send(gateway, address, v1::Purpose::SignIn).await,
            Self::ActiveResetStarted => drop(mina.reset().await),
            Self::ActiveResetCancelled => {
                let id = mina.reset().await;
                gateway.cancel(&id).await.expect("cancelled");
            }
            Self::ActiveSignedOut => {
                let tokens = mina.0.sign_in().await;
                gateway.revoke(&tokens.refresh_token).await.expect("ended");
            }
            Self::ActiveLocked => {
                for turn in 0..LOCKED_AFTER {
                    let source = format!("198.51.100.{turn}");
                    let tried = gateway.sign_in_from(&source, email(address), "wrong guess");
                    assert_eq!(reason(&tried.await), "SIGN_IN_REFUSED");
                }
            }
            Self::ActivePasswordChanged => {
                let tokens = mina.0.sign_in().await;
                let changed = mina.0.change_password(&tokens, PASSWORD, NEW_PASSWORD);
                changed.await.expect("changed");
            }
            Self::ActivePasswordReset => {
                let id = mina.reset().await;
                let code = world.read_code(address).await;
                let proof = gateway.check_code(&id, &code).await.expect("a proof");
                let reset = gateway.reset_password(&proof, NEW_PASSWORD).await;
                reset.expect("reset");
            }
            _ => {}
        }
    }

    /// The code that the state has left behind and that the sequence asks for
    /// before it has a new one sent. That there is a code may show: anybody can
    /// ask for one. So addresses with a code are compared with each other.
    pub(crate) fn code_that_is_asked_for(self, sequence: &[Probe]) -> Option<&'static str> {
        let (asked, sent, left) = match self {
            Self::Pending | Self::PendingTwice | Self::PendingNamed | Self::ActiveSignUpTried => {
                (Probe::CheckSignUp, Probe::SendSignUp, "a sign-up's")
            }
            Self::UnknownSignUpCodeSent | Self::ActiveSignUpCodeSent => {
                (Probe::CheckSignUp, Probe::SendSignUp, "to sign up")
            }
            Self::UnknownSignInCodeSent | Self::ActiveSignInCodeSent => {
                (Probe::CheckSignIn, Probe::SendSignIn, "to sign in")
            }
            Self::UnknownResetStarted | Self::ActiveResetStarted => {
                (Probe::CheckReset, Probe::StartReset, "to reset")
            }
            _ => return None,
        };
        let first = sequence.iter().find(|probe| [asked, sent].contains(probe));
        (first == Some(&asked)).then_some(left)
    }
}

/// The owner of an address.
struct Owner(Person);

fn person(gateway: &Gateway, address: &str) -> Owner {
    Owner(Person {
        user_id: String::new(),
        email: address.into(),
        username: String::new(),
        gateway: gateway.clone(),
    })
}

impl Owner {
    /// Signs up with a proof.
    async fn join(&self, group: &str, username: &str, password: &str) {
        let gateway = &self.0.gateway;
        let request = v1::SendCodeRequest {
            group_id: group.into(),
            identifier: Some(email(&self.0.email)),
            purpose: v1::Purpose::SignUp.into(),
            code: "135790".into(),
            client_context: device("198.51.100.200"),
            ..Default::default()
        };
        let id = gateway.ask_for_code(request).await.expect("a code");
        let proof = gateway.check_code(&id, "135790").await.expect("a proof");
        let request = v1::SignUpRequest {
            group_id: group.into(),
            identifier: Some(email(&self.0.email)),
            username: username.into(),
            password: password.into(),
            proof,
            ..Default::default()
        };
        gateway.auth().sign_up(request).await.expect("a user");
    }

    async fn reset(&self) -> String {
        self.0.forget_password().await.expect("a reset")
    }
}

async fn sign_up(gateway: &Gateway, group: &str, address: &str, username: &str) -> String {
    let request = v1::SignUpRequest {
        group_id: group.into(),
        identifier: Some(email(address)),
        username: username.into(),
        password: PASSWORD.into(),
        client_context: device("203.0.113.250"),
        ..Default::default()
    };
    let pending = gateway.ask_to_sign_up(request).await;
    pending.expect("it answers as for anybody")
}

async fn send(gateway: &Gateway, address: &str, purpose: v1::Purpose) {
    let sent = gateway.send_code(email(address), purpose, "").await;
    sent.expect("a code is sent");
}

fn far_away() -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp {
        seconds: 4_000_000_000,
        nanos: 0,
    })
}

/// A user name that nobody has.
pub(crate) fn new_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("captain{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
