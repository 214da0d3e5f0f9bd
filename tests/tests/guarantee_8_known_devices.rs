//! Guarantee 8, known devices: whoever guesses at an account, from however many
//! sources, its owner signs in on a device that is known, and a device token is
//! good for nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_response::Outcome;
use countersign_tests::{
    Backend, Gateway, PASSWORD, Person, Tally, World, crowd, on_every_backend, reason,
};
use tokio::task::JoinSet;

on_every_backend!(
    guesses_at_the_password_do_not_keep_the_owner_out,
    guesses_at_the_second_factor_do_not_keep_the_owner_out,
    codes_that_strangers_ask_for_do_not_keep_the_owner_out,
    a_token_of_another_kind_gives_nothing,
    sixty_four_sign_ins_at_once_are_of_one_device,
    a_damaged_device_is_not_known_and_harms_nothing,
    a_remembered_device_is_not_asked_and_the_policy_of_today_counts,
);

const OWNERS_SOURCE: &str = "198.51.100.1";
const SIGN_INS: usize = 20;
/// Failures in a row, as the default has it.
const CAP: usize = 100;
/// Wrong answers to second factors in 15 minutes.
const TRIES: usize = 5;

/// A device on which a person signs in first.
async fn new_device(mina: &Person) -> String {
    let issued = mina.try_on(OWNERS_SOURCE, "", PASSWORD).await;
    let issued = issued.expect("signed in");
    assert!(issued.device_token_expire_time.is_some());
    assert!(issued.device_token.starts_with("csd_"));
    issued.device_token
}

fn tokens(issued: &v1::IssueTokensResponse) -> Option<&v1::Tokens> {
    match &issued.outcome {
        Some(Outcome::Tokens(tokens)) => Some(tokens),
        _ => None,
    }
}

fn source(turn: usize) -> String {
    format!("203.0.{}.{}", turn / 250, 1 + turn % 250)
}

/// Those who go on until they are told to stop, and what came of it.
struct Attackers {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Tally>,
}

impl Attackers {
    fn start<F>(number: usize, guess: impl Fn(usize) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = String> + Send,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for attacker in 0..number {
            let (stop, guess) = (Arc::clone(&stop), guess.clone());
            tasks.spawn(async move {
                let (mut tally, mut turn) = (Tally::default(), attacker);
                while !stop.load(Ordering::Relaxed) {
                    tally.add(&guess(turn).await);
                    turn += number;
                }
                tally
            });
        }
        Self { stop, tasks }
    }

    async fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut tally = Tally::default();
        for outcomes in self.tasks.join_all().await {
            tally.add_all(&outcomes);
        }
        tally
    }
}

async fn guesses_at_the_password_do_not_keep_the_owner_out(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("passwords.attempts_per_source", 10)
        .set("passwords.attempts_per_source_daily", 50)
        .start()
        .await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let token = new_device(&mina).await;
    // One after the other until the password is locked, then those who sit
    // where the owner does.
    let mut attack = Tally::default();
    let outcomes = crowd(3 * CAP, |turn| {
        let mina = mina.at(&gateways[turn % gateways.len()]);
        let source = match turn % 3 {
            0 => OWNERS_SOURCE.to_owned(),
            _ => source(turn),
        };
        async move { mina.try_on(&source, "", "a wrong guess").await }
    });
    attack.add_all(&Tally::of(&outcomes.await));
    let failures = format!("credentials WHERE failures = {CAP}");
    assert_eq!(world.rows(&failures).await, 1, "it is locked");

    let attackers = {
        let (mina, gateways) = (mina.clone(), gateways.clone());
        Attackers::start(16, move |turn| {
            let mina = mina.at(&gateways[turn % gateways.len()]);
            async move { reason(&mina.try_on(&source(turn), "", "a wrong guess").await) }
        })
    };
    let mut owner = Tally::default();
    for turn in 0..SIGN_INS {
        let mina = mina.at(&gateways[turn % gateways.len()]);
        let issued = mina.try_on(OWNERS_SOURCE, &token, PASSWORD).await;
        if let Ok(issued) = &issued {
            assert!(tokens(issued).is_some() && issued.device_token.is_empty());
        }
        owner.add(&reason(&issued));
    }
    attack.add_all(&attackers.stop().await);
    let elsewhere = mina.try_on(&source(9_999), "", PASSWORD).await;
    countersign_tests::say!(
        "guarantee 8 on {backend}, {} replica(s): {} guesses at a password from everywhere: \
         {attack}; compared {CAP}; its owner on a known device: {owner}; on another device: {}",
        world.replicas().len(),
        attack.total(),
        reason(&elsewhere),
    );
    attack.assert_only(&["SIGN_IN_REFUSED", "TOO_MANY_ATTEMPTS"]);
    assert_eq!(owner.count("OK"), SIGN_INS, "{owner}");
    assert_eq!(
        world.rows(&failures).await,
        1,
        "strangers have no new tries"
    );
    assert_eq!(reason(&elsewhere), "SIGN_IN_REFUSED");
}

async fn guesses_at_the_second_factor_do_not_keep_the_owner_out(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let enrolled = mina.enroll(&mina.sign_in().await).await;
    let mut codes = enrolled.recovery_codes;
    let asked = mina.begin_sign_in_on(OWNERS_SOURCE, "").await;
    let asked = asked.expect("a question").mfa_session_id;
    let answered = mina.answer_on(&asked, &enrolled.app.code(), false).await;
    let token = answered.expect("signed in").device_token;
    assert!(token.starts_with("csd_"));

    // They know the password.
    let attackers = {
        let (mina, gateways) = (mina.clone(), gateways.clone());
        Attackers::start(8, move |turn| {
            let mina = mina.at(&gateways[turn % gateways.len()]);
            async move { reason(&guess_at_the_factor(&mina, turn).await) }
        })
    };
    let is_spent = async {
        for turn in 10_000.. {
            let guessed = guess_at_the_factor(&mina, turn).await;
            if reason(&guessed) == "TOO_MANY_ATTEMPTS" {
                return turn - 10_000;
            }
        }
        0
    };
    let compared_beside = is_spent.await;
    let mut owner = Tally::default();
    for turn in 0..SIGN_INS {
        let mina = mina.at(&gateways[turn % gateways.len()]);
        let answered = answer_on_known(&mina, &token, &codes.pop().expect("a code")).await;
        if codes.is_empty()
            && let Ok(answered) = &answered
        {
            let tokens = answered.tokens.as_ref().expect("tokens");
            let made = mina.regenerate_recovery_codes(tokens).await;
            codes = made.expect("new codes");
        }
        owner.add(&reason(&answered));
    }
    let attack = attackers.stop().await;
    let asked = mina.begin_sign_in_on(OWNERS_SOURCE, "").await;
    let asked = asked.expect("a question").mfa_session_id;
    let elsewhere = mina.answer_on(&asked, &codes[0], false).await;
    let compared = attack.count("SECOND_FACTOR_WRONG") + compared_beside;
    countersign_tests::say!(
        "guarantee 8 on {backend}, {} replica(s): {} answers to the second factor by those who know \
         the password: {attack}; compared {compared}; the owner on a known device: {owner}; on \
         another device: {}",
        world.replicas().len(),
        attack.total() + compared_beside + 1,
        reason(&elsewhere),
    );
    attack.assert_only(&["SECOND_FACTOR_WRONG", "TOO_MANY_ATTEMPTS"]);
    assert_eq!(compared, TRIES);
    assert_eq!(owner.count("OK"), SIGN_INS, "{owner}");
    assert_eq!(reason(&elsewhere), "TOO_MANY_ATTEMPTS");
}

async fn guess_at_the_factor(
    mina: &Person,
    turn: usize,
) -> Result<v1::ValidateMfaSessionResponse, tonic::Status> {
    let asked = mina.begin_sign_in_on(&source(turn), "").await?;
    let code = format!("00000-{:05}", turn % 100_000);
    mina.answer_on(&asked.mfa_session_id, &code, true).await
}

async fn answer_on_known(
    mina: &Person,
    token: &str,
    code: &str,
) -> Result<v1::ValidateMfaSessionResponse, tonic::Status> {
    let asked = mina.begin_sign_in_on(OWNERS_SOURCE, token).await?;
    mina.answer_on(&asked.mfa_session_id, code, false).await
}

async fn codes_that_strangers_ask_for_do_not_keep_the_owner_out(backend: Backend) {
    let messages = i64::try_from(SIGN_INS).expect("few");
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.cooldown", "0s")
        .set("verification.sends_per_address", messages)
        .start()
        .await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let token = new_device(&mina).await;
    let mut attack = Tally::default();
    loop {
        let sent = reason(&mina.ask_for_a_code(&source(attack.total()), "").await);
        attack.add(&sent);
        if sent != "OK" {
            break;
        }
        world.read_code(&mina.email).await;
    }
    let attackers = {
        let (mina, gateways) = (mina.clone(), gateways.clone());
        Attackers::start(16, move |turn| {
            let mina = mina.at(&gateways[turn % gateways.len()]);
            async move {
                match turn % 2 {
                    0 => reason(&mina.ask_for_a_code(&source(turn), "").await),
                    _ => reason(&mina.guess_at_the_latest_code("000000").await),
                }
            }
        })
    };
    let mut owner = Tally::default();
    for turn in 0..SIGN_INS {
        let mina = mina.at(&gateways[turn % gateways.len()]);
        let signed_in = async {
            let id = mina.ask_for_a_code(OWNERS_SOURCE, &token).await?;
            let code = world.read_code(&mina.email).await;
            let proof = mina.gateway.check_code(&id, &code).await?;
            mina.gateway.sign_in_proven(&proof).await
        };
        owner.add(&reason(&signed_in.await));
    }
    attack.add_all(&attackers.stop().await);
    countersign_tests::say!(
        "guarantee 8 on {backend}, {} replica(s): {} codes asked for and guessed at in the owner's \
         name: {attack}; the owner, by codes asked for on a known device: {owner}",
        world.replicas().len(),
        attack.total(),
    );
    assert_eq!(owner.count("OK"), SIGN_INS, "{owner}");
    // The first was that of the sign-up.
    assert_eq!(attack.count("OK"), SIGN_INS - 1, "messages: {attack}");
}

async fn a_token_of_another_kind_gives_nothing(backend: Backend) {
    let world = World::on(backend)
        .set("passwords.attempts_per_source", 3)
        .start()
        .await;
    let (mina, juno) = (world.sign_up().await, world.sign_up().await);
    let removed = new_device(&mina).await;
    for _ in 0..20 {
        new_device(&mina).await;
    }
    let (of_mina, of_juno) = (new_device(&mina).await, new_device(&juno).await);
    // Whoever reads the database has the digests, not the tokens.
    let digests = world
        .texts(&format!("SELECT {} FROM devices", backend.hex("digest")))
        .await;
    assert_eq!(digests.len(), 21, "20 of one user at the most");
    let mut stolen: Vec<_> = digests.iter().map(|digest| from_row(digest)).collect();
    stolen.push(of_juno.clone());
    stolen.push(removed);
    stolen.push(format!("csd_{}", "A".repeat(43)));
    while reason(&mina.try_on(OWNERS_SOURCE, "", "a wrong guess").await) == "SIGN_IN_REFUSED" {}
    let mut tally = Tally::default();
    for token in &stolen {
        for password in [PASSWORD, "a wrong guess"] {
            tally.add(&reason(&mina.try_on(OWNERS_SOURCE, token, password).await));
        }
    }
    countersign_tests::say!(
        "guarantee 8 on {backend}: from an exhausted source with the tokens of others, of {} rows, \
         removed and invented: {tally}",
        digests.len(),
    );
    tally.assert_only(&["TOO_MANY_ATTEMPTS"]);
    assert_eq!(world.rows("devices WHERE failures <> 0").await, 0);
    for (person, token) in [(&mina, &of_mina), (&juno, &of_juno)] {
        let issued = person.try_on(OWNERS_SOURCE, token, PASSWORD).await;
        assert!(tokens(&issued.expect("a device of theirs")).is_some());
    }
}

fn from_row(hex: &str) -> String {
    let digits = hex.as_bytes().chunks(2);
    let bytes = digits.map(|pair| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("digits")
    });
    format!("csd_{}", URL_SAFE_NO_PAD.encode(bytes.collect::<Vec<_>>()))
}

async fn sixty_four_sign_ins_at_once_are_of_one_device(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let token = new_device(&mina).await;
    let outcomes = crowd(64, |turn| {
        let mina = mina.at(&gateways[turn % gateways.len()]);
        let token = token.clone();
        async move { mina.try_on(OWNERS_SOURCE, &token, PASSWORD).await }
    });
    let outcomes = outcomes.await;
    let tally = Tally::of(&outcomes);
    let rows = world.rows("devices").await;
    countersign_tests::say!(
        "guarantee 8 on {backend}, {} replica(s): 64 sign-ins at once on one device: {tally}; \
         devices known {rows}",
        world.replicas().len(),
    );
    assert_eq!(tally.count("OK"), 64, "{tally}");
    let is_kept = |issued: &v1::IssueTokensResponse| issued.device_token.is_empty();
    assert!(outcomes.iter().flatten().all(is_kept));
    assert_eq!(rows, 1);
    assert_eq!(world.rows("devices WHERE failures = 0").await, 1);

    // And on 64 devices that are new: no place is given twice.
    let outcomes = crowd(64, |turn| {
        let mina = mina.at(&gateways[turn % gateways.len()]);
        async move { mina.try_on(OWNERS_SOURCE, "", PASSWORD).await }
    });
    let tally = Tally::of(&outcomes.await);
    assert_eq!(tally.count("OK"), 64, "{tally}");
    assert_eq!(world.rows("devices").await, 20);
}

async fn a_damaged_device_is_not_known_and_harms_nothing(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let (damaged, whole) = (new_device(&mina).await, new_device(&mina).await);
    let changed = world
        .execute("UPDATE devices SET failures = -1 WHERE number = 0")
        .await;
    assert_eq!(changed, 1);
    let issued = mina.try_on(OWNERS_SOURCE, &damaged, PASSWORD).await;
    let renewed = issued.expect("signed in").device_token;
    assert!(renewed.starts_with("csd_"), "it is a new device");
    for token in [&whole, &renewed] {
        let issued = mina.try_on(OWNERS_SOURCE, token, PASSWORD).await;
        assert!(issued.expect("signed in").device_token.is_empty());
    }
}

async fn a_remembered_device_is_not_asked_and_the_policy_of_today_counts(backend: Backend) {
    let world = World::on(backend)
        .set("mfa.remember_device", "30d")
        .start()
        .await;
    let mina = world.sign_up().await;
    let enrolled = mina.enroll(&mina.sign_in().await).await;
    let asked = mina.begin_sign_in_on(OWNERS_SOURCE, "").await;
    let asked = asked.expect("a question").mfa_session_id;
    let answered = mina.answer_on(&asked, &enrolled.app.code(), true).await;
    let token = answered.expect("signed in").device_token;
    let is_asked = async |gateway: &Gateway, token: &str| {
        let mina = mina.at(gateway);
        let issued = mina.try_on(OWNERS_SOURCE, token, PASSWORD).await;
        tokens(&issued.expect("the password is right")).is_none()
    };
    let gateway = world.gateway();
    assert!(!is_asked(&gateway, &token).await);
    assert!(is_asked(&gateway, "").await);
    let methods = "sessions WHERE methods = 'pwd'";
    // The one that enrolled, and the one that was not asked.
    assert_eq!(world.rows(methods).await, 2);
    // Removed by an operator of the database, as after a theft.
    world
        .execute("UPDATE devices SET credential_version = -1")
        .await;
    assert!(is_asked(&gateway, &token).await);
}
