//! Guarantee 5: a one-time secret works once, also for 64 who have it at once.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, LINK_PREFIX, PASSWORD, Person, Tally, World, WorldBuilder,
    at_the_beginning_of_a_step, crowd, email, on_every_backend, token_of,
};
use tonic::Status;

on_every_backend!(
    a_code_yields_one_proof,
    a_link_yields_one_proof,
    a_sign_up_is_confirmed_once,
    a_proof_creates_one_user,
    a_proof_signs_in_once,
    a_proof_resets_a_password_once,
    an_mfa_session_is_answered_once,
    a_user_name_goes_to_one_user,
    a_totp_step_is_used_once,
    a_recovery_code_is_used_once,
    a_code_of_a_second_factor_is_used_once,
);

const CROWD: usize = 64;
const ROUNDS: usize = 5;

async fn a_code_yields_one_proof(backend: Backend) {
    let world = world(backend).start().await;
    let mut trial = Trial::new(&world, "codes");
    for _ in 0..ROUNDS {
        let address = email(&world.new_email());
        let sent = world
            .gateway()
            .send_code(address, v1::Purpose::SignUp, "135790")
            .await;
        let id = sent.expect("a code is sent");
        trial
            .run(&["VERIFICATION_NOT_FOUND"], |gateway| {
                let id = id.clone();
                async move { gateway.check_code(&id, "135790").await }
            })
            .await;
    }
    trial.report();
}

async fn a_link_yields_one_proof(backend: Backend) {
    let world = world(backend)
        .set("verification.link_prefixes", vec![LINK_PREFIX])
        .start()
        .await;
    let mut trial = Trial::new(&world, "links");
    for _ in 0..ROUNDS {
        let address = world.new_email();
        let sent = world
            .gateway()
            .send_link(email(&address), v1::Purpose::SignUp)
            .await;
        sent.expect("a link is sent");
        let link = world.read_link(&address).await;
        trial
            .run(&["VERIFICATION_NOT_FOUND"], |gateway| {
                let token = token_of(&link).to_owned();
                async move { gateway.check_link(&token).await }
            })
            .await;
    }
    trial.report();
}

async fn a_sign_up_is_confirmed_once(backend: Backend) {
    let world = world(backend).start().await;
    let mut trial = Trial::new(&world, "codes of sign-ups");
    for _ in 0..ROUNDS {
        let address = world.new_email();
        let pending = world.gateway().sign_up_unproven(&address, PASSWORD).await;
        let id = pending.expect("pending").verification_id;
        let code = world.read_code(&address).await;
        trial
            .run(&["VERIFICATION_NOT_FOUND"], |gateway| {
                let (id, code) = (id.clone(), code.clone());
                async move { gateway.confirm(&id, &code).await }
            })
            .await;
    }
    trial.report();
}

async fn a_proof_creates_one_user(backend: Backend) {
    let world = world(backend).start().await;
    let mut trial = Trial::new(&world, "proofs given to SignUp");
    for _ in 0..ROUNDS {
        let address = world.new_email();
        let proof = prove(&world, &address, v1::Purpose::SignUp).await;
        trial
            .run(
                &[
                    "PROOF_INVALID",
                    "IDENTIFIER_TAKEN",
                    "DEPENDENCY_UNAVAILABLE",
                ],
                |gateway| {
                    let (address, proof) = (email(&address), proof.clone());
                    async move { gateway.sign_up_proven(address, "", "", &proof).await }
                },
            )
            .await;
    }
    trial.report();
}

async fn a_proof_signs_in_once(backend: Backend) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let mut trial = Trial::new(&world, "proofs given to IssueTokens");
    for _ in 0..ROUNDS {
        let proof = prove(&world, &mina.email, v1::Purpose::SignIn).await;
        trial
            .run(&["PROOF_INVALID"], |gateway| {
                let proof = proof.clone();
                async move { gateway.sign_in_proven(&proof).await }
            })
            .await;
    }
    trial.report();
}

async fn a_proof_resets_a_password_once(backend: Backend) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let mut trial = Trial::new(&world, "proofs given to ResetPassword");
    for round in 0..ROUNDS {
        let id = mina.forget_password().await.expect("a code is sent");
        let code = world.read_code(&mina.email).await;
        let proof = mina.gateway.check_code(&id, &code).await.expect("a proof");
        trial
            .run(&["PROOF_INVALID"], |gateway| {
                let proof = proof.clone();
                let new_password = format!("{PASSWORD} number {round}");
                async move { gateway.reset_password(&proof, &new_password).await }
            })
            .await;
    }
    trial.report();
}

async fn an_mfa_session_is_answered_once(backend: Backend) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let mut trial = Trial::new(&world, "MFA sessions");
    for _ in 0..ROUNDS {
        let created = mina.gateway.create_mfa(email(&mina.email), "dk92kdks");
        let id = created.await.expect("an MFA session");
        trial
            .run(&["MFA_SESSION_NOT_FOUND"], |gateway| {
                let id = id.clone();
                async move { gateway.validate_mfa(&id, "dk92kdks").await }
            })
            .await;
    }
    trial.report();
}

async fn a_user_name_goes_to_one_user(backend: Backend) {
    let world = world(backend).start().await;
    let gateways = world.gateways(4);
    let mut proofs = Vec::new();
    for _ in 0..16 {
        let address = world.new_email();
        proofs.push((prove(&world, &address, v1::Purpose::SignUp).await, address));
    }
    let outcomes = crowd(proofs.len(), |member| {
        let gateway = gateways[member % gateways.len()].clone();
        let (proof, address) = proofs[member].clone();
        async move {
            gateway
                .sign_up_proven(email(&address), "the.captain", "", &proof)
                .await
        }
    })
    .await;
    let tally = Tally::of(&outcomes);
    countersign_tests::say!("guarantee 5 on {backend}: one user name, 16 users at once: {tally}");
    tally.assert_only(&["OK", "USERNAME_TAKEN", "DEPENDENCY_UNAVAILABLE"]);
    assert_eq!(tally.count("OK"), 1);
    assert_eq!(world.rows("identifiers WHERE kind = 'username'").await, 1);
}

/// What others of the crowd hear: the code was used, or the account has no tries
/// left, or, on SQLite, nobody could write in time.
const NOT_LET_IN: [&str; 3] = [
    "SECOND_FACTOR_WRONG",
    "TOO_MANY_ATTEMPTS",
    "DEPENDENCY_UNAVAILABLE",
];

async fn a_totp_step_is_used_once(backend: Backend) {
    let world = world(backend).start().await;
    let mut trial = Trial::new(&world, "TOTP steps, by 8 MFA sessions of the account");
    for _ in 0..3 {
        let mina = world.sign_up().await;
        let enrolled = mina.enroll(&mina.sign_in().await).await;
        let questions = questions(&mina).await;
        at_the_beginning_of_a_step().await;
        let code = enrolled.app.code();
        answer_all(&mut trial, &mina, &questions, &code).await;
    }
    trial.report();
}

async fn a_recovery_code_is_used_once(backend: Backend) {
    let world = world(backend).start().await;
    let mut trial = Trial::new(&world, "recovery codes, likewise");
    for _ in 0..3 {
        let mina = world.sign_up().await;
        let enrolled = mina.enroll(&mina.sign_in().await).await;
        let questions = questions(&mina).await;
        answer_all(&mut trial, &mina, &questions, &enrolled.recovery_codes[4]).await;
        let left = world.rows("recovery_codes").await;
        assert_eq!(left % 10, 10 - i64::try_from(trial.secrets).expect("few"));
    }
    trial.report();
}

async fn a_code_of_a_second_factor_is_used_once(backend: Backend) {
    let world = world(backend).start().await;
    let mut trial = Trial::new(&world, "codes that were sent as second factors");
    for _ in 0..3 {
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        let enrolled = mina.enroll_address(&world, &tokens, &mina.email).await;
        let asked = mina.begin_sign_in().await.expect("a question");
        let id = asked.mfa_session_id;
        let sent = mina.send_mfa_code(&id, &enrolled.factor_id).await;
        sent.expect("sent");
        let code = world.read_code(&mina.email).await;
        answer_all(&mut trial, &mina, &[id], &code).await;
    }
    trial.report();
}

/// Questions for a second factor. There are fewer than the crowd has members,
/// as each costs a hash.
async fn questions(mina: &Person) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..8 {
        let asked = mina.begin_sign_in().await.expect("a question");
        ids.push(asked.mfa_session_id);
    }
    ids
}

async fn answer_all(trial: &mut Trial<'_>, mina: &Person, questions: &[String], code: &str) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let refusals = [&NOT_LET_IN[..], &["MFA_SESSION_NOT_FOUND"]].concat();
    trial
        .run(&refusals, |gateway| {
            let turn = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let id = questions[turn % questions.len()].clone();
            let (mina, code) = (mina.at(&gateway), code.to_owned());
            async move { mina.answer(&id, &code).await }
        })
        .await;
}

/// One kind of secret, given to crowds.
struct Trial<'a> {
    world: &'a World,
    what: &'a str,
    gateways: Vec<Gateway>,
    secrets: usize,
    used_twice: usize,
}

impl<'a> Trial<'a> {
    fn new(world: &'a World, what: &'a str) -> Self {
        let gateways = world.gateways(4);
        Self {
            world,
            what,
            gateways,
            secrets: 0,
            used_twice: 0,
        }
    }

    /// Lets a crowd use one secret: it must work for one, and be refused with
    /// one of these reasons to the others.
    async fn run<T, F>(&mut self, refusals: &[&str], consume: impl Fn(Gateway) -> F)
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Status>> + Send + 'static,
    {
        let outcomes = crowd(CROWD, |member| {
            consume(self.gateways[member % self.gateways.len()].clone())
        })
        .await;
        let tally = Tally::of(&outcomes);
        tally.assert_only(&[&["OK"], refusals].concat());
        assert!(tally.count("OK") >= 1, "it works once: {tally}");
        self.secrets += 1;
        self.used_twice += usize::from(tally.count("OK") > 1);
    }

    fn report(&self) {
        countersign_tests::say!(
            "guarantee 5 on {}, {} replica(s): {}, {CROWD} consumers at once: used twice {} of {}",
            self.world.backend(),
            self.world.replicas().len(),
            self.what,
            self.used_twice,
            self.secrets,
        );
        assert_eq!(self.used_twice, 0);
    }
}

/// Limits that are not the subject here are out of the way.
fn world(backend: Backend) -> WorldBuilder {
    World::on(backend)
        .replicas(backend.replicas())
        .set("verification.wrong_codes_per_address", 1_000)
}

async fn prove(world: &World, address: &str, purpose: v1::Purpose) -> String {
    let proof = world.gateway().prove(email(address), purpose).await;
    proof.expect("a proof")
}
