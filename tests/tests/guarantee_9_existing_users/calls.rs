//! The calls that adopt nobody, asked about users of an existing database.

use countersign_proto::v1;
use countersign_tests::{Backend, Gateway, PASSWORD, Tally, Timings, World, email, reason};

use crate::table::{Kind, Table};
use crate::{GAP, MEASUREMENTS, QUIET, at_todays_cost};

const ROUNDS: usize = 15;

#[derive(Debug, Clone, Copy)]
enum Call {
    SendSignInCode,
    SendSignUpCode,
    StartReset,
    SignUp,
    CreateMfa,
}

const CALLS: [Call; 5] = [
    Call::SendSignInCode,
    Call::SendSignUpCode,
    Call::StartReset,
    Call::SignUp,
    Call::CreateMfa,
];

pub(crate) async fn no_other_call_tells_of_them(backend: Backend) {
    let _quiet = QUIET.lock().await;
    let world = at_todays_cost(backend).start().await;
    // A format is as good as another: no password is compared.
    let mut kinds = Kind::cheap();
    kinds.drain(1..4);
    let users = CALLS.len() * MEASUREMENTS * ROUNDS;
    let mut table = Table::fill(&world, kinds, users).await;
    let gateway = world.gateway();
    let mut told = Vec::new();
    for call in CALLS {
        let mut tells = true;
        for _ in 0..MEASUREMENTS {
            tells = tells && measure(&world, &gateway, &mut table, call).await;
        }
        if tells {
            told.push(call);
        }
    }
    assert!(told.is_empty(), "in {MEASUREMENTS} measurements: {told:?}");
}

/// Whether the time of a call tells who is in the table.
async fn measure(world: &World, gateway: &Gateway, table: &mut Table, call: Call) -> bool {
    let (mut timings, mut answers) = (Timings::default(), Tally::default());
    for _ in 0..ROUNDS {
        for (name, address) in table.turn(world) {
            let made = call.make(gateway, &address);
            answers.add(&timings.measure(name, made).await);
        }
    }
    countersign_tests::say!(
        "guarantee 9 on {}: {call:?} at users whom an existing database alone has, medians of \
         {ROUNDS}: {timings}: gap {:.2} ms (promised 0.5)",
        world.backend(),
        timings.gap().as_secs_f64() * 1_000.0,
    );
    answers.assert_only(&["OK"]);
    timings.tell_apart(GAP)
}

impl Call {
    /// Makes the call.
    async fn make(self, gateway: &Gateway, address: &str) -> String {
        let code_for = |purpose: v1::Purpose| v1::SendCodeRequest {
            identifier: Some(email(address)),
            purpose: purpose.into(),
            ..Default::default()
        };
        let outcome = match self {
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
                    ..Default::default()
                };
                gateway.ask_for_reset(request).await.map(drop)
            }
            Self::SignUp => {
                let pending = gateway.sign_up_unproven(address, PASSWORD).await;
                pending.map(drop)
            }
            Self::CreateMfa => gateway.create_mfa(email(address), "").await.map(drop),
        };
        reason(&outcome)
    }
}
