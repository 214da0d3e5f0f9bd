//! Text messages that nobody verifies: what is given back, what an attacker may
//! try with it, and whom it must not touch.

use std::time::Duration;

use countersign_domain::application::{Pool, Rule};
use countersign_domain::model::{
    ClientContext, Code, GroupId, Locale, NamedUser, Purpose, Timestamp,
};
use countersign_domain::ports::Clock as _;
use countersign_domain::testing::{World, phone_code, refusal};
use countersign_domain::use_cases::{
    CheckCode, CreateMfaSession, MfaCode, SendCode, SentCode, SignUp, SignUpBy, SignedUp, Which,
};
use countersign_domain::{Error, Limit, Refusal};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// Another source for each request.
const SOURCES: u32 = 250;

fn at_home(number: u32) -> String {
    format!("+8210{:08}", 10_000_000 + 397 * number)
}

/// In Latvia.
fn abroad(number: u32) -> String {
    format!("+3712{:07}", 1_000_000 + 397 * number)
}

fn source(number: u32) -> String {
    format!("198.51.{}.{}", number / SOURCES, number % SOURCES)
}

async fn send(world: &World, number: &str, source: &str) -> Result<SentCode, Error> {
    phone_code(number, Purpose::SignUp, source)
        .execute(&world.app)
        .await
}

async fn check(world: &World, sent: &SentCode, code: &Code) -> Result<(), Error> {
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code: code.clone(),
    };
    check.execute(&world.app).await.map(drop)
}

async fn verify(world: &World, number: &str, source: &str) -> Result<(), Error> {
    let sent = send(world, number, source).await?;
    let code = world.take_code().await;
    check(world, &sent, &code).await
}

/// How many messages go to new numbers, each from a new source.
async fn sends_left(world: &World, number: fn(u32) -> String, from: u32) -> u32 {
    let mut sent = 0;
    for turn in from..from + 200 {
        match send(world, &number(turn), &source(turn)).await {
            Ok(_) => sent += 1,
            Err(Error::Exhausted { .. }) => return sent,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("there is no end of it");
}

fn wait<T>(result: Result<T, Error>) -> Duration {
    match result {
        Err(Error::Exhausted {
            limit: Limit::Messages,
            retry_after,
        }) => retry_after,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was sent"),
    }
}

fn refused(world: &World, rule: Rule) -> u64 {
    let mut counts = world.app.limits.unverified().refused();
    counts
        .find(|(other, _)| *other == rule)
        .map_or(0, |(_, n)| n)
}

/// The limit of an hour is out of the way: one day's is met at once.
async fn world() -> World {
    World::with(|settings| settings.verification.unverified.per_country = 60).await
}

fn to_midnight(world: &World, before: Duration) {
    let day = i64::try_from(DAY.as_millis()).expect("it fits");
    let now = world.app.clock.now().as_millis();
    let midnight = Timestamp::from_millis((now / day + 1) * day);
    world
        .clock
        .advance(midnight.since(world.app.clock.now()) - before);
}

#[tokio::test]
async fn a_country_has_few_unverified_messages_in_an_hour_and_in_a_day() {
    let world = World::new().await;
    to_midnight(&world, Duration::ZERO);
    let mut sent = Vec::new();
    for hour in 0..24 {
        sent.push(sends_left(&world, abroad, 100 * hour).await);
        let wait = wait(send(&world, &abroad(9_999), &source(9_999)).await);
        assert!(
            wait <= if hour < 6 { HOUR } else { DAY },
            "{hour}: {wait:?}"
        );
        world.clock.advance(HOUR);
    }
    assert_eq!(&sent[..8], [3, 3, 3, 3, 3, 3, 2, 0], "{sent:?}");
    assert_eq!(sent.iter().sum::<u32>(), 20);
    assert!(refused(&world, Rule::CountryHour) > 0);
    assert!(refused(&world, Rule::CountryDay) > 0);
    assert_eq!(sends_left(&world, abroad, 5_000).await, 3, "the next day");
}

#[tokio::test]
async fn verified_messages_cost_nothing_and_let_the_next_day_have_more() {
    let world = World::new().await;
    to_midnight(&world, Duration::ZERO);
    for number in 0..200 {
        let verified = verify(&world, &abroad(number), &source(number)).await;
        verified.unwrap_or_else(|error| panic!("{number}: {error}"));
    }
    assert_eq!(
        sends_left(&world, abroad, 300).await,
        10,
        "a sixth of 0.3 x 200"
    );
    world.clock.advance(14 * DAY);
    assert_eq!(sends_left(&world, abroad, 400).await, 10, "14 days later");
    world.clock.advance(DAY);
    assert_eq!(sends_left(&world, abroad, 500).await, 3, "it is forgotten");
}

#[tokio::test]
async fn a_code_gives_its_message_back_once() {
    let world = world().await;
    let first = send(&world, &abroad(0), &source(0)).await.expect("sent");
    let code = world.take_code().await;
    let left = sends_left(&world, abroad, 1).await;
    assert_eq!(left, 9);
    for turn in 0..10 {
        let checked = check(&world, &first, &code).await;
        assert_eq!(checked.is_ok(), turn == 0);
    }
    assert_eq!(sends_left(&world, abroad, 100).await, 1);
}

#[tokio::test]
async fn neither_a_wrong_code_nor_a_new_one_gives_a_message_back() {
    let world = world().await;
    let sent = send(&world, &abroad(0), &source(0)).await.expect("sent");
    let wrong = Code::parse("nope".into()).expect("a code");
    for _ in 0..5 {
        let refused = refusal(check(&world, &sent, &wrong).await);
        assert!(matches!(refused, Refusal::Code { .. }), "{refused}");
    }
    world.clock.advance(Duration::from_secs(60));
    let again = send(&world, &abroad(0), &source(0)).await.expect("sent");
    let code = world.take_code().await;
    check(&world, &again, &code).await.expect("it is right");
    assert_eq!(sends_left(&world, abroad, 1).await, 9);
}

#[tokio::test]
async fn what_is_given_back_after_midnight_makes_the_new_day_no_larger() {
    let world = world().await;
    to_midnight(&world, Duration::from_secs(60));
    let mut late = Vec::new();
    for number in 0..10 {
        let sent = send(&world, &abroad(number), &source(number)).await;
        late.push((sent.expect("sent"), world.take_code().await));
    }
    world.clock.advance(Duration::from_secs(120));
    for number in 50..54 {
        let sent = send(&world, &abroad(number), &source(number)).await;
        sent.expect("sent");
    }
    for (sent, code) in &late {
        check(&world, sent, code).await.expect("it is right");
    }
    assert_eq!(sends_left(&world, abroad, 100).await, 6);
}

#[tokio::test]
async fn a_clock_that_jumps_back_brings_no_new_budget() {
    let world = world().await;
    to_midnight(&world, Duration::from_secs(30));
    assert_eq!(sends_left(&world, abroad, 0).await, 10);
    for jump in 0..5 {
        world.clock.advance(Duration::from_secs(60));
        let before = world.app.clock.now().minus(Duration::from_secs(60));
        let expected = if jump == 0 { 10 } else { 0 };
        let left = sends_left(&world, abroad, 1_000 * (jump + 1)).await;
        assert_eq!(left, expected, "after {jump} jumps");
        world.clock.jump_to(before);
        let synchronised = world.app.clock.synchronise(&*world.app.store).await;
        synchronised.expect("the store tells its time");
        let left = sends_left(&world, abroad, 1_000 * (jump + 1) + 500).await;
        assert_eq!(left, 0, "after {jump} jumps");
    }
}

#[tokio::test]
async fn a_setting_that_is_changed_counts_from_then_on() {
    let mut world = world().await;
    assert_eq!(sends_left(&world, abroad, 0).await, 10);
    world.reconfigure(|settings| settings.verification.unverified.per_country = 6);
    wait(send(&world, &abroad(200), &source(200)).await);
    world.reconfigure(|settings| settings.verification.unverified.per_country = 90);
    assert_eq!(sends_left(&world, abroad, 300).await, 5);
    world.reconfigure(|settings| settings.verification.unverified.records_only = true);
    send(&world, &abroad(400), &source(400))
        .await
        .expect("it is recorded");
    world.reconfigure(|settings| settings.verification.unverified.records_only = false);
    wait(send(&world, &abroad(500), &source(500)).await);
}

#[tokio::test]
async fn a_store_that_is_away_refuses_and_charges_nothing() {
    let world = world().await;
    world.ephemeral.set_broken(true);
    let sent = send(&world, &abroad(0), &source(0)).await;
    assert!(matches!(sent, Err(Error::Ephemeral(_))), "{sent:?}");
    world.ephemeral.set_broken(false);
    let sent = send(&world, &abroad(0), &source(0)).await.expect("sent");
    let code = world.take_code().await;
    world.ephemeral.set_broken(true);
    let checked = check(&world, &sent, &code).await;
    assert!(matches!(checked, Err(Error::Ephemeral(_))), "{checked:?}");
    world.ephemeral.set_broken(false);
    check(&world, &sent, &code).await.expect("it is right");
    assert_eq!(sends_left(&world, abroad, 1).await, 10);
}

/// The database may have queued it: that is as good as sent, and it is given back
/// once, by its code.
#[tokio::test]
async fn a_message_that_may_have_gone_out_is_charged_and_given_back_once() {
    let world = World::with(|settings| settings.verification.unverified.per_source = 2).await;
    let from = source(1);
    send(&world, &at_home(1), &from).await.expect("sent");
    world.take_sent().await;
    world.store.lose_answers(true);
    let unknown = send(&world, &at_home(2), &from).await;
    let is_uncertain = unknown.as_ref().is_err_and(Error::is_uncertain);
    assert!(is_uncertain, "{unknown:?}");
    world.store.lose_answers(false);
    let code = world.take_code().await;
    wait(send(&world, &at_home(2), &from).await);
    wait(send(&world, &at_home(3), &from).await);
    let check = CheckCode {
        which: Which::Latest(
            GroupId::fallback(),
            phone_code(&at_home(2), Purpose::SignUp, &from).address,
            Purpose::SignUp,
        ),
        code,
    };
    check.execute(&world.app).await.expect("it is right");
    send(&world, &at_home(3), &from).await.expect("one is back");
    wait(send(&world, &at_home(4), &from).await);
}

#[tokio::test]
async fn a_code_that_cannot_be_kept_is_no_message() {
    let world = world().await;
    world.ephemeral.fail_values(true);
    for purpose in [Purpose::SignUp, Purpose::SignIn] {
        for turn in 0..20 {
            let asked = phone_code(&abroad(turn), purpose, &source(turn));
            let sent = asked.execute(&world.app).await;
            assert!(matches!(sent, Err(Error::Ephemeral(_))), "{sent:?}");
        }
    }
    world.ephemeral.fail_values(false);
    assert_eq!(sends_left(&world, abroad, 100).await, 10);
}

#[tokio::test]
async fn what_is_refused_starts_nobodys_cooldown_and_spends_no_sources_budget() {
    let world = World::with(|settings| settings.verification.sends_per_source = 3).await;
    assert_eq!(sends_left(&world, abroad, 0).await, 3);
    for turn in 0..50 {
        wait(send(&world, &abroad(900 + turn), &source(900)).await);
    }
    world.clock.advance(HOUR);
    for turn in 0..3 {
        let sent = send(&world, &abroad(900 + turn), &source(900)).await;
        sent.expect("its cooldown and its source are as they were");
    }
}

#[tokio::test]
async fn a_country_that_is_used_up_harms_no_other() {
    let world = World::new().await;
    sends_left(&world, abroad, 0).await;
    for number in ["+447400123456", "+12025550123", "+18765550123", &at_home(1)] {
        let sent = send(&world, number, &source(1_000)).await;
        sent.unwrap_or_else(|error| panic!("{number}: {error}"));
    }
}

#[tokio::test]
async fn the_other_countries_together_have_a_limit() {
    let world = World::with(|settings| settings.verification.unverified.abroad = 2).await;
    send(&world, &abroad(0), &source(0)).await.expect("sent");
    send(&world, "+447400123456", &source(1))
        .await
        .expect("sent");
    wait(send(&world, "+18765550123", &source(2)).await);
    assert_eq!(refused(&world, Rule::Abroad), 1);
    send(&world, &at_home(0), &source(3))
        .await
        .expect("home is another matter");
}

#[tokio::test]
async fn neighbouring_numbers_have_few_messages() {
    let world = World::new().await;
    let neighbour = |number: u32| format!("+821055550{number:03}");
    for number in 0..10 {
        let sent = send(&world, &neighbour(number), &source(number)).await;
        sent.expect("sent");
    }
    wait(send(&world, &neighbour(50), &source(50)).await);
    assert_eq!(refused(&world, Rule::Neighbourhood), 1);
    send(&world, &neighbour(150), &source(50))
        .await
        .expect("others");
}

#[tokio::test]
async fn a_source_and_a_network_have_few_messages() {
    let world = World::with(|settings| {
        settings.verification.unverified.per_source = 3;
        settings.verification.unverified.per_network = 5;
    })
    .await;
    for number in 0..3 {
        send(&world, &at_home(number), "192.0.2.1")
            .await
            .expect("sent");
    }
    wait(send(&world, &at_home(10), "192.0.2.1").await);
    assert_eq!(refused(&world, Rule::Source), 1);
    for number in 20..22 {
        send(&world, &at_home(number), "192.0.2.2")
            .await
            .expect("sent");
    }
    wait(send(&world, &at_home(30), "192.0.2.3").await);
    assert_eq!(refused(&world, Rule::Network), 1);
    send(&world, &at_home(30), "192.0.3.1")
        .await
        .expect("another network");
}

/// Who rotates sources at home uses up what all share, and nobody's own.
#[tokio::test]
async fn a_source_that_has_verified_has_a_budget_of_its_own() {
    let world = World::with(|settings| settings.verification.unverified.at_home = 60).await;
    verify(&world, &at_home(5_000), "203.0.113.7")
        .await
        .expect("verified");
    assert_eq!(sends_left(&world, at_home, 0).await, 10);
    wait(send(&world, &at_home(6_000), &source(6_000)).await);
    for number in 0..3 {
        let sent = send(&world, &at_home(7_000 + number), "203.0.113.7").await;
        sent.expect("three more than it has verified in a day");
    }
    wait(send(&world, &at_home(8_000), "203.0.113.7").await);
    let own = world.app.limits.unverified().charged();
    let own = own.filter(|(pool, _)| *pool == Pool::Own).map(|(_, n)| n);
    assert_eq!(own.sum::<u64>(), 3);
    world.clock.advance(DAY);
    verify(&world, &at_home(9_000), "203.0.113.7")
        .await
        .expect("verified");
}

/// Abroad, it has one to the countries where it has verified some, as large as its
/// best day there.
#[tokio::test]
async fn a_source_that_has_verified_abroad_has_a_budget_of_its_own_there() {
    let world = World::new().await;
    let in_france = |number: u32| format!("+336{:08}", 10_000_000 + 397 * number);
    for number in 0..2 {
        let known = verify(&world, &abroad(5_000 + number), "203.0.113.7").await;
        known.expect("verified");
    }
    let at_home = verify(&world, &at_home(1), "203.0.113.8").await;
    at_home.expect("verified");
    // Three in an hour of each country, of which nobody types in any.
    assert_eq!(sends_left(&world, abroad, 0).await, 3);
    assert_eq!(sends_left(&world, in_france, 0).await, 3);
    for number in 0..2 {
        let sent = send(&world, &abroad(7_000 + number), "203.0.113.7").await;
        sent.expect("as many as it has verified there in a day");
    }
    wait(send(&world, &abroad(8_000), "203.0.113.7").await);
    wait(send(&world, &in_france(8_000), "203.0.113.7").await);
    wait(send(&world, &abroad(8_000), "203.0.113.8").await);
    // A code that is typed in gives back to it, however long that goes on.
    world.clock.advance(DAY);
    assert_eq!(sends_left(&world, abroad, 100).await, 3);
    for number in 0..9 {
        let known = verify(&world, &abroad(9_000 + number), "203.0.113.7").await;
        known.expect("verified");
    }
}

/// Who verifies with numbers of his own, from many sources on many days, has no
/// more in a day than the country has verified in one.
#[tokio::test]
async fn known_sources_abroad_have_a_limit_together() {
    let world = World::new().await;
    for day in 0..5 {
        for turn in 0..4 {
            let number = 10 * day + turn;
            let known = verify(&world, &abroad(5_000 + number), &source(number)).await;
            known.expect("verified");
        }
        world.clock.advance(DAY);
    }
    to_midnight(&world, Duration::ZERO);
    assert_eq!(sends_left(&world, abroad, 100).await, 3);
    let mut sent = 0;
    for day in 0..5 {
        for turn in 0..4 {
            let number = 10 * day + turn;
            let own = send(&world, &abroad(8_000 + number), &source(number)).await;
            sent += u32::from(own.is_ok());
        }
    }
    assert_eq!(sent, 4, "of 20 known sources");
}

/// A message to a number at home that signs in goes to its user alone: there is
/// nothing to earn, and a refusal would tell who is one.
#[tokio::test]
async fn users_at_home_sign_in_whatever_is_used_up() {
    let world = World::with(|settings| settings.verification.unverified.at_home = 6).await;
    let own = at_home(5_000);
    let sent = send(&world, &own, "203.0.113.7").await.expect("sent");
    let code = world.take_code().await;
    check(&world, &sent, &code).await.expect("verified");
    sends_left(&world, at_home, 0).await;
    for number in [&own, &at_home(5_001)] {
        world.clock.advance(Duration::from_secs(60));
        let asked = phone_code(number, Purpose::SignIn, &source(9_000));
        asked
            .execute(&world.app)
            .await
            .expect("it is not told who is one");
    }
}

#[tokio::test]
async fn a_user_abroad_and_nobody_are_refused_alike() {
    let world = world().await;
    sends_left(&world, abroad, 0).await;
    let asked = phone_code(&abroad(7_000), Purpose::SignIn, &source(9_000));
    wait(asked.execute(&world.app).await);
}

#[tokio::test]
async fn a_callers_own_code_is_nobodys_message() {
    let world = world().await;
    for turn in 0..40 {
        let own = SendCode {
            code: Some(Code::parse("123456".into()).expect("a code")),
            ..phone_code(&abroad(turn), Purpose::SignUp, &source(turn))
        };
        let sent = own.execute(&world.app).await.expect("kept");
        let code = Code::parse("123456".into()).expect("a code");
        check(&world, &sent, &code).await.expect("it is right");
    }
    assert_eq!(
        sends_left(&world, abroad, 100).await,
        10,
        "and nothing was learnt"
    );
}

#[tokio::test]
async fn recorded_messages_are_sent_and_counted() {
    let world = World::with(|settings| {
        settings.verification.unverified.records_only = true;
    })
    .await;
    for turn in 0..50 {
        send(&world, &abroad(turn), &source(turn))
            .await
            .expect("sent");
    }
    assert_eq!(world.take_sent().await.len(), 50);
    let counts = world.app.limits.unverified();
    let recorded: Vec<_> = counts.recorded().filter(|(_, n)| *n > 0).collect();
    assert_eq!(recorded, [(Rule::CountryHour, 47)]);
    assert!(counts.refused().all(|(_, n)| n == 0));
    // What refuses for other reasons goes on to refuse.
    wait(send(&world, &abroad(0), &source(0)).await);
}

#[tokio::test]
async fn one_call_of_the_store_charges_and_keeps_a_code_and_one_checks_it() {
    let world = World::new().await;
    world.ephemeral.take_calls();
    let sent = send(&world, &abroad(0), &source(0)).await.expect("sent");
    assert_eq!(world.ephemeral.take_calls(), 1);
    let code = world.take_code().await;
    world.ephemeral.take_calls();
    check(&world, &sent, &code).await.expect("it is right");
    assert_eq!(world.ephemeral.take_calls(), 1);
}

#[tokio::test]
async fn mfa_sessions_of_a_user_abroad_take_nothing_from_others() {
    let world = world().await;
    let number = abroad(5_000);
    let sent = send(&world, &number, "203.0.113.7").await.expect("sent");
    let checked = CheckCode {
        which: Which::Id(sent.record.id),
        code: world.take_code().await,
    };
    let proof = checked
        .execute(&world.app)
        .await
        .expect("it is right")
        .proof;
    let sign_up = SignUp {
        group: GroupId::fallback(),
        address: sent.record.address,
        username: None,
        by: SignUpBy::Proof {
            proof,
            password: None,
        },
        locale: Locale::English,
        client: ClientContext::default(),
    };
    let SignedUp::Active(user) = sign_up.execute(&world.app).await.expect("signed up") else {
        panic!("the user is pending");
    };
    let create = || CreateMfaSession {
        group: GroupId::fallback(),
        user: NamedUser::Id(user),
        code: MfaCode::Sent(None),
        ttl: None,
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: "gateway".into(),
        locale: Locale::English,
        client: ClientContext::default(),
    };
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(60));
        create().execute(&world.app).await.expect("created");
        assert_eq!(world.take_sent().await.len(), 1);
    }
    assert_eq!(sends_left(&world, abroad, 0).await, 10);
}
