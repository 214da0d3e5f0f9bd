//! Guarantee 26: what was proved before the lock was changed cannot be used
//! afterwards: codes, proofs and MFA sessions made before a password change or reset. And the
//! owner is told of either.

mod factors;

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, PASSWORD, Person, Tally, World, crowd, email, on_every_backend, reason,
};
use tokio::time::{Instant, sleep};

on_every_backend!(
    what_was_proved_before_is_not_accepted,
    a_proof_that_races_with_a_change_leaves_no_session,
    a_change_and_a_reset_are_told_to_the_owner,
);

const NEW_PASSWORD: &str = "nine herons on the far pier";
const NEWER_PASSWORD: &str = "four otters under the old bridge";
const CODE: &str = "246802";

/// How the password is replaced.
#[derive(Debug, Clone, Copy)]
enum Replaced {
    Changed,
    Reset,
    /// Not replaced: the user is suspended and reinstated.
    Suspended,
}

/// What the person, or a thief, holds from before.
#[derive(Debug, Clone, Copy)]
enum Kind {
    SignInProof,
    SignInCode,
    ResetProof,
    ResetCode,
    MfaSession,
}

/// A proof, or a code that yields one.
enum Held {
    Proof(String),
    Code { id: String, code: String },
    MfaSession { id: String },
}

async fn what_was_proved_before_is_not_accepted(backend: Backend) {
    const PEOPLE: usize = 3;
    let world = World::start(backend, backend.replicas()).await;
    let other = world.replica(world.replicas().len() - 1).gateway();
    let (mut used, mut of, mut made_after) = (Vec::new(), 0, Tally::default());
    for replaced in [Replaced::Changed, Replaced::Reset, Replaced::Suspended] {
        for kind in [
            Kind::SignInProof,
            Kind::SignInCode,
            Kind::ResetProof,
            Kind::ResetCode,
            Kind::MfaSession,
        ] {
            let mut outcomes = Tally::default();
            for _ in 0..PEOPLE {
                let mina = world.sign_up().await;
                let held = hold(&world, &mina, kind).await;
                replace(&world, &mina, replaced).await;
                outcomes.add(&reason(&use_up(&other, kind, held).await));

                let held = hold(&world, &mina, kind).await;
                made_after.add(&reason(&use_up(&other, kind, held).await));
            }
            of += PEOPLE;
            if outcomes.count("OK") > 0 {
                used.push(format!("{kind:?} after {replaced:?}: {outcomes}"));
            }
            outcomes.assert_only(&[
                "OK",
                "PROOF_INVALID",
                "VERIFICATION_NOT_FOUND",
                "MFA_SESSION_NOT_FOUND",
            ]);
        }
    }
    countersign_tests::say!(
        "guarantee 26 on {backend}, {} replica(s): made before the password was changed or reset, \
         or the user suspended and reinstated, used afterwards: of {of}, accepted: [{}]; made afterwards: {made_after}",
        world.replicas().len(),
        used.join("; "),
    );
    assert!(used.is_empty(), "{used:?}");
    assert_eq!(made_after.count("OK"), of, "{made_after}");
}

async fn a_proof_that_races_with_a_change_leaves_no_session(backend: Backend) {
    const ROUNDS: usize = 4;
    const PROOFS: usize = 12;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(2);
    let (mut opened, mut alive) = (0, 0);
    for _ in 0..ROUNDS {
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        let mut proofs = Vec::new();
        for _ in 0..PROOFS {
            let proved = mina.gateway.prove(email(&mina.email), v1::Purpose::SignIn);
            proofs.push(proved.await.expect("a proof"));
        }
        let outcomes = crowd(PROOFS + 1, |member| {
            let gateway = gateways[member % gateways.len()].clone();
            let (mina, tokens) = (mina.at(&gateway), tokens.clone());
            let proof = proofs.get(member).cloned();
            async move {
                let Some(proof) = proof else {
                    let changed = mina.change_password(&tokens, PASSWORD, NEW_PASSWORD).await;
                    changed.expect("the password is changed");
                    return None;
                };
                // Some before the change is hashed, some while it is written.
                sleep(Duration::from_millis(3 * member as u64)).await;
                gateway.sign_in_proven(&proof).await.ok()
            }
        })
        .await;
        for session in outcomes.into_iter().flatten() {
            opened += 1;
            let refreshed = mina.gateway.refresh(&session.refresh_token).await;
            alive += usize::from(reason(&refreshed) != "SESSION_ENDED");
        }
    }
    countersign_tests::say!(
        "guarantee 26 on {backend}, {} replica(s): {} proofs used beside {ROUNDS} changes of the \
         password: sessions opened {opened}, alive after the change {alive}",
        world.replicas().len(),
        PROOFS * ROUNDS,
    );
    assert_eq!(alive, 0);
}

async fn a_change_and_a_reset_are_told_to_the_owner(backend: Backend) {
    const PEOPLE: usize = 4;
    const SOON: Duration = Duration::from_secs(10);
    let world = World::start(backend, 1).await;
    let mut told = Tally::default();
    for replaced in [Replaced::Changed, Replaced::Reset] {
        let mut people = Vec::new();
        for _ in 0..PEOPLE {
            let mina = world.sign_up().await;
            replace(&world, &mina, replaced).await;
            people.push(mina);
        }
        let began = Instant::now();
        let notices = |mina: &Person| {
            let all = world.messages_to(&mina.email);
            all.iter().filter(|message| message.code.is_none()).count()
        };
        while people.iter().any(|mina| notices(mina) == 0) && began.elapsed() < SOON {
            sleep(Duration::from_millis(50)).await;
        }
        for mina in &people {
            told.add(&format!("{replaced:?}: {} notice(s)", notices(mina)));
        }
    }
    countersign_tests::say!("guarantee 26 on {backend}: owners told: {told}");
    told.assert_only(&["Changed: 1 notice(s)", "Reset: 1 notice(s)"]);
}

/// Makes what is held.
async fn hold(world: &World, mina: &Person, kind: Kind) -> Held {
    let gateway = &mina.gateway;
    let (id, code) = match kind {
        Kind::SignInProof | Kind::SignInCode => {
            let sent = gateway.send_code(email(&mina.email), v1::Purpose::SignIn, CODE);
            (sent.await.expect("a code is sent"), CODE.to_owned())
        }
        Kind::ResetProof | Kind::ResetCode => {
            let id = mina.forget_password().await.expect("a code is sent");
            (id, world.read_code(&mina.email).await)
        }
        Kind::MfaSession => {
            let created = gateway.create_mfa(email(&mina.email), CODE).await;
            let id = created.expect("an MFA session");
            return Held::MfaSession { id };
        }
    };
    match kind {
        Kind::SignInCode | Kind::ResetCode => Held::Code { id, code },
        Kind::SignInProof | Kind::ResetProof | Kind::MfaSession => {
            Held::Proof(gateway.check_code(&id, &code).await.expect("a proof"))
        }
    }
}

/// Uses it as far as it goes: to a session, or to a new password.
async fn use_up(gateway: &Gateway, kind: Kind, held: Held) -> Result<(), tonic::Status> {
    let proof = match held {
        Held::Proof(proof) => proof,
        Held::Code { id, code } => gateway.check_code(&id, &code).await?,
        Held::MfaSession { id } => return gateway.validate_mfa(&id, CODE).await.map(drop),
    };
    match kind {
        Kind::SignInProof | Kind::SignInCode | Kind::MfaSession => {
            gateway.sign_in_proven(&proof).await.map(drop)
        }
        Kind::ResetProof | Kind::ResetCode => gateway.reset_password(&proof, NEWER_PASSWORD).await,
    }
}

async fn replace(world: &World, mina: &Person, how: Replaced) {
    match how {
        Replaced::Changed => {
            let tokens = mina.sign_in().await;
            let changed = mina.change_password(&tokens, PASSWORD, NEW_PASSWORD).await;
            changed.expect("the password is changed");
        }
        Replaced::Suspended => {
            let (gateway, id) = (&mina.gateway, mina.user_id.as_str());
            gateway.suspend(id, "").await.expect("suspended");
            gateway.reinstate(id).await.expect("reinstated");
        }
        Replaced::Reset => {
            let held = hold(world, mina, Kind::ResetProof).await;
            let Held::Proof(proof) = held else {
                unreachable!("a proof was asked for")
            };
            let reset = mina.gateway.reset_password(&proof, NEW_PASSWORD).await;
            reset.expect("the password is reset");
        }
    }
}
