//! Guarantee 7: one spelling, one budget. However an identifier is written, it
//! is one account with one budget, on every RPC that takes a secret.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, PASSWORD, Tally, World, email, on_every_backend, phone, spellings_of_code,
    spellings_of_email, spellings_of_phone, spellings_of_username, username,
};
use tonic::Status;

on_every_backend!(
    every_spelling_signs_in,
    every_spelling_spends_one_budget_of_passwords,
    every_spelling_finds_the_code,
    every_spelling_spends_one_budget_of_codes,
    every_spelling_spends_one_budget_of_messages,
);

/// An account with three kinds of identifiers, and thirty spellings of each.
struct Account {
    kinds: [(&'static str, Vec<v1::Identifier>); 3],
}

async fn every_spelling_signs_in(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let account = Account::in_world(&world).await;
    let gateways = world.gateways(1);
    for (kind, spellings) in &account.kinds {
        let mut users = std::collections::BTreeSet::new();
        for (turn, spelling) in spellings.iter().enumerate() {
            let signed_in = gateways[turn % gateways.len()].sign_in(spelling.clone(), PASSWORD);
            let tokens = signed_in.await;
            users.insert(
                tokens
                    .unwrap_or_else(|s| panic!("{spelling:?}: {s:?}"))
                    .user_id,
            );
        }
        // The e-mail address and the user name are one user's, the phone another's.
        assert_eq!(users.len(), 1, "{kind}");
    }
}

async fn every_spelling_spends_one_budget_of_passwords(backend: Backend) {
    const BUDGET: usize = 7;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set(
            "passwords.attempts_per_source",
            i64::try_from(BUDGET).expect("small"),
        )
        .start()
        .await;
    let account = Account::in_world(&world).await;
    let gateways = world.gateways(1);
    for (kind, spellings) in &account.kinds {
        let mut outcomes = Vec::new();
        for (turn, spelling) in spellings.iter().enumerate() {
            let gateway = &gateways[turn % gateways.len()];
            outcomes.push(gateway.sign_in(spelling.clone(), "wrong guess").await);
        }
        let tally = Tally::of(&outcomes);
        countersign_tests::say!(
            "guarantee 7 on {backend}: IssueTokens by {} spellings of {kind}, budget {BUDGET}: {tally}",
            spellings.len()
        );
        assert_eq!(tally.count("SIGN_IN_REFUSED"), BUDGET);
        assert_eq!(tally.count("TOO_MANY_ATTEMPTS"), spellings.len() - BUDGET);
    }
    // The e-mail address and the user name are of one account: its failures add up.
    let both = i64::try_from(2 * BUDGET).expect("small");
    assert_eq!(
        world
            .rows(&format!("credentials WHERE failures = {both}"))
            .await,
        1
    );
}

async fn every_spelling_finds_the_code(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let account = Account::in_world(&world).await;
    let gateways = world.gateways(1);
    let codes = spellings_of_code("424242");
    for (kind, spellings) in account.addresses() {
        for (turn, (spelling, code)) in spellings.iter().zip(&codes).enumerate() {
            let gateway = &gateways[turn % gateways.len()];
            let sent = gateway.send_code(spelling.clone(), v1::Purpose::SignIn, "424242");
            sent.await.expect("a code is sent");
            let other = spellings[(turn + 7) % spellings.len()].clone();
            let checked = check_latest(gateway, other, code).await;
            assert!(
                checked.is_ok(),
                "{kind}, spelling {turn}, {code:?}: {checked:?}"
            );
        }
    }
}

async fn every_spelling_spends_one_budget_of_codes(backend: Backend) {
    const TRIES: usize = 5;
    let world = World::start(backend, backend.replicas()).await;
    let account = Account::in_world(&world).await;
    let gateways = world.gateways(1);
    for (kind, spellings) in account.addresses() {
        let sent = gateways[0]
            .send_code(spellings[0].clone(), v1::Purpose::SignIn, "424242")
            .await;
        sent.expect("a code is sent");
        let mut outcomes = Vec::new();
        for (turn, spelling) in spellings.iter().enumerate() {
            let gateway = &gateways[turn % gateways.len()];
            outcomes.push(check_latest(gateway, spelling.clone(), "000000").await);
        }
        let tally = Tally::of(&outcomes);
        countersign_tests::say!(
            "guarantee 7 on {backend}: CheckCode by {} spellings of {kind}: {tally}",
            spellings.len()
        );
        tally.assert_only(&["CODE_WRONG", "VERIFICATION_NOT_FOUND", "TOO_MANY_ATTEMPTS"]);
        assert_eq!(tally.count("CODE_WRONG"), TRIES);
    }
}

async fn every_spelling_spends_one_budget_of_messages(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.cooldown", "60s")
        .start()
        .await;
    let gateways = world.gateways(1);
    for (kind, spellings) in new_addresses(&world) {
        let mut outcomes = Vec::new();
        for (turn, spelling) in spellings.iter().enumerate() {
            let gateway = &gateways[turn % gateways.len()];
            outcomes.push(ask_for_a_message(turn, gateway, spelling.clone()).await);
        }
        let tally = Tally::of(&outcomes);
        countersign_tests::say!(
            "guarantee 7 on {backend}: SendCode, StartPasswordReset and SignUp by {} spellings of \
             {kind}, one message a minute: {tally}",
            spellings.len(),
        );
        tally.assert_only(&["OK", "TOO_MANY_MESSAGES"]);
        assert_eq!(tally.count("OK"), 1);
    }
}

impl Account {
    async fn in_world(world: &World) -> Self {
        let gateway = world.gateway();
        let [(_, emails), (_, phones)] = new_addresses(world);
        let name = "captain.strauss";
        for (address, name) in [(&emails[0], name), (&phones[0], "")] {
            let proof = gateway.prove(address.clone(), v1::Purpose::SignUp).await;
            let proof = proof.expect("a proof");
            let signed_up = gateway
                .sign_up_proven(address.clone(), name, PASSWORD, &proof)
                .await;
            signed_up.expect("a user");
        }
        let names = spellings_of_username(name)
            .iter()
            .map(|text| username(text))
            .collect();
        Self {
            kinds: [
                ("an e-mail address", emails),
                ("a phone number", phones),
                ("a user name", names),
            ],
        }
    }

    /// The kinds that can receive a code.
    fn addresses(&self) -> impl Iterator<Item = &(&'static str, Vec<v1::Identifier>)> {
        self.kinds.iter().take(2)
    }
}

/// Thirty spellings of an e-mail address and of a phone number, the plain one
/// first.
fn new_addresses(world: &World) -> [(&'static str, Vec<v1::Identifier>); 2] {
    let address = world.new_email().replacen("mina@", "jos\u{e9}.mina@", 1);
    let emails = spellings_of_email(&address)
        .iter()
        .map(|text| email(text))
        .collect();
    let phones = spellings_of_phone("23456789")
        .iter()
        .map(|text| phone(text))
        .collect();
    [("an e-mail address", emails), ("a phone number", phones)]
}

async fn check_latest(
    gateway: &Gateway,
    identifier: v1::Identifier,
    code: &str,
) -> Result<(), Status> {
    let address = v1::VerifiedAddress {
        identifier: Some(identifier),
        purpose: v1::Purpose::SignIn.into(),
        ..Default::default()
    };
    let request = v1::CheckCodeRequest {
        verification: Some(v1::check_code_request::Verification::Address(address)),
        code: code.into(),
    };
    gateway.verifications().check_code(request).await.map(drop)
}

/// Asks by one of the RPCs that send messages, taking turns.
async fn ask_for_a_message(
    turn: usize,
    gateway: &Gateway,
    identifier: v1::Identifier,
) -> Result<(), Status> {
    match turn % 3 {
        0 => gateway
            .send_code(identifier, v1::Purpose::SignUp, "")
            .await
            .map(drop),
        1 => {
            let request = v1::StartPasswordResetRequest {
                identifier: Some(identifier),
                ..Default::default()
            };
            gateway.auth().start_password_reset(request).await.map(drop)
        }
        _ => {
            let request = v1::SignUpRequest {
                identifier: Some(identifier),
                password: PASSWORD.into(),
                ..Default::default()
            };
            gateway.auth().sign_up(request).await.map(drop)
        }
    }
}
