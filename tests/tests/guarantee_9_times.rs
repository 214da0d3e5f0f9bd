//! Guarantee 9, the times: how long an answer takes tells nobody whether the
//! address has an account, for a single call or for a burst.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, PASSWORD, Tally, Timings, World, WorldBuilder, crowd, device, email,
    on_every_backend, reason,
};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

on_every_backend!(
    times_tell_nothing,
    a_provider_that_never_answers_tells_nothing,
);

const ROUNDS: usize = 25;
const BURSTS: usize = 8;
const BURST: usize = 6;
/// A noisy machine may spoil one measurement, an advantage shows in each.
const MEASUREMENTS: usize = 3;
/// The promise is 0.5 ms on a quiet machine.
const GAP: Duration = Duration::from_millis(3);
const LOCKED_AFTER: usize = 10;

/// Only one server is measured at a time.
static QUIET: Mutex<()> = Mutex::const_new(());

/// The states of an address that are told apart, if any are.
#[derive(Debug, Clone, Copy)]
enum State {
    Unknown,
    Pending,
    Password,
    NoPassword,
    Locked,
    Suspended,
    Withdrawn,
}

const STATES: [State; 7] = [
    State::Unknown,
    State::Pending,
    State::Password,
    State::NoPassword,
    State::Locked,
    State::Suspended,
    State::Withdrawn,
];

/// What is measured.
#[derive(Debug, Clone, Copy)]
enum Call {
    SendSignInCode,
    SendSignUpCode,
    StartReset,
    SignIn,
    SignUp,
    CreateMfa,
}

const CALLS: [Call; 6] = [
    Call::SendSignInCode,
    Call::SendSignUpCode,
    Call::StartReset,
    Call::SignIn,
    Call::SignUp,
    Call::CreateMfa,
];

async fn times_tell_nothing(backend: Backend) {
    let _quiet = QUIET.lock().await;
    let world = world(backend).start().await;
    tell_nothing(&world, "", &CALLS).await;
}

/// What is sent to somebody waits; whoever asked for it does not.
async fn a_provider_that_never_answers_tells_nothing(backend: Backend) {
    let _quiet = QUIET.lock().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/send", silent.local_addr().expect("its address"));
    let world = world(backend)
        .set("delivery.email", vec!["webhook"])
        .set("webhook.url", url)
        .set("webhook.secret", format!("whsec_{}", "c2VjcmV0".repeat(4)))
        .start()
        .await;
    let calls = CALLS.map(|call| (!matches!(call, Call::SignIn)).then_some(call));
    let calls: Vec<_> = calls.into_iter().flatten().collect();
    tell_nothing(&world, ", with a provider that never answers", &calls).await;
    let (_held, _) = silent.accept().await.expect("it was asked");
    assert!(
        world.rows("outbox WHERE due_at IS NOT NULL").await > 0,
        "messages wait"
    );
}

/// The cost of a hash as operators have it.
fn world(backend: Backend) -> WorldBuilder {
    World::on(backend)
        .set("passwords.memory_kib", 19_456)
        .set("passwords.iterations", 2)
        .set("passwords.attempts", LOCKED_AFTER as i64)
}

async fn tell_nothing(world: &World, how: &str, calls: &[Call]) {
    let mut told = Vec::new();
    for call in calls {
        let mut tells = true;
        for _ in 0..MEASUREMENTS {
            tells = tells && measure(world, how, *call).await;
        }
        if tells {
            told.push(call);
        }
    }
    assert!(told.is_empty(), "in {MEASUREMENTS} measurements: {told:?}");
}

/// Whether the times of a call tell the states apart, singly or in bursts.
async fn measure(world: &World, how: &str, call: Call) -> bool {
    let gateway = world.gateway();
    let mut addresses = Vec::new();
    for state in STATES {
        addresses.push(Addresses::of(world, state).await);
    }
    let (mut singly, mut in_bursts) = (Timings::default(), Timings::default());
    let mut answers = Tally::default();
    for _ in 0..ROUNDS {
        for (state, addresses) in STATES.iter().zip(&mut addresses) {
            let address = addresses.next(world);
            let made = call.make(&gateway, &address);
            let answer = singly.measure(&format!("{state:?}"), made).await;
            answers.add(&format!("{answer} for {state:?}"));
        }
    }
    for _ in 0..BURSTS {
        for (state, addresses) in STATES.iter().zip(&mut addresses) {
            let address = addresses.next(world);
            let made = crowd(BURST, |_| {
                let (gateway, address) = (gateway.clone(), address.clone());
                async move { call.make(&gateway, &address).await }
            });
            let outcomes = in_bursts.measure(&format!("{state:?}"), made).await;
            for answer in outcomes {
                answers.add(&format!("{answer} for {state:?}"));
            }
        }
    }
    countersign_tests::say!(
        "guarantee 9 on {}{how}: {call:?}, medians of {ROUNDS}: {singly}: gap {:.2} ms; {BURSTS} bursts \
         of {BURST} at one address: {in_bursts}: gap {:.2} ms (promised 0.5)",
        world.backend(),
        singly.gap().as_secs_f64() * 1_000.0,
        in_bursts.gap().as_secs_f64() * 1_000.0,
    );
    let usual = if matches!(call, Call::SignIn) {
        "SIGN_IN_REFUSED"
    } else {
        "OK"
    };
    let usual = STATES.map(|state| format!("{usual} for {state:?}"));
    answers.assert_only(&usual.each_ref().map(String::as_str));
    singly.tell_apart(GAP) || in_bursts.tell_apart(GAP)
}

/// Addresses in one state, used in turns: not so often that their state changes.
struct Addresses {
    ready: Vec<String>,
    used: usize,
}

impl Addresses {
    async fn of(world: &World, state: State) -> Self {
        let gateway = world.gateway();
        let mut ready = Vec::new();
        match state {
            // A new one each time.
            State::Unknown => {}
            State::Pending => {
                let address = world.new_email();
                let pending = gateway.sign_up_unproven(&address, PASSWORD).await;
                pending.expect("pending");
                ready.push(address);
            }
            State::Password | State::Suspended | State::Withdrawn => {
                // Each is tried in one burst, and a few times singly.
                for _ in 0..BURSTS {
                    let mina = world.sign_up_at(&gateway).await;
                    let blocked = match state {
                        State::Suspended => gateway.suspend(&mina.user_id, "").await.map(drop),
                        State::Withdrawn => gateway.withdraw(&mina.user_id).await.map(drop),
                        _ => Ok(()),
                    };
                    blocked.expect("blocked");
                    ready.push(mina.email);
                }
            }
            State::NoPassword => {
                let address = world.new_email();
                let proved = gateway.prove(email(&address), v1::Purpose::SignUp);
                let proof = proved.await.expect("a proof");
                let signed_up = gateway.sign_up_proven(email(&address), "", "", &proof);
                signed_up.await.expect("a user");
                ready.push(address);
            }
            State::Locked => {
                let mina = world.sign_up_at(&gateway).await;
                for _ in 0..LOCKED_AFTER {
                    let refused = mina.try_password("wrong guess").await;
                    assert_eq!(reason(&refused), "SIGN_IN_REFUSED");
                }
                ready.push(mina.email);
            }
        }
        Self { ready, used: 0 }
    }

    fn next(&mut self, world: &World) -> String {
        self.used += 1;
        if self.ready.is_empty() {
            return world.new_email();
        }
        self.ready[self.used % self.ready.len()].clone()
    }
}

impl Call {
    /// Makes the call.
    async fn make(self, gateway: &Gateway, address: &str) -> String {
        let code_for = |purpose: v1::Purpose| v1::SendCodeRequest {
            identifier: Some(email(address)),
            purpose: purpose.into(),
            client_context: device("203.0.113.9"),
            ..Default::default()
        };
        let outcome = match self {
            Self::SignIn => {
                let tried = gateway.sign_in(email(address), "wrong guess").await;
                tried.map(drop)
            }
            Self::SendSignInCode => {
                let sent = gateway.ask_for_code(code_for(v1::Purpose::SignIn)).await;
                sent.map(drop)
            }
            Self::SendSignUpCode => {
                let sent = gateway.ask_for_code(code_for(v1::Purpose::SignUp)).await;
                sent.map(drop)
            }
            Self::StartReset => {
                let request = v1::StartPasswordResetRequest {
                    identifier: Some(email(address)),
                    client_context: device("203.0.113.9"),
                    ..Default::default()
                };
                gateway.ask_for_reset(request).await.map(drop)
            }
            Self::CreateMfa => gateway.create_mfa(email(address), "").await.map(drop),
            Self::SignUp => {
                let pending = gateway.sign_up_unproven(address, PASSWORD).await;
                pending.map(drop)
            }
        };
        reason(&outcome)
    }
}
