//! Budgets: what is refused costs nobody anything, and nothing that may be
//! invented multiplies them.

use std::time::Duration;

use countersign_domain::model::{ClientContext, Code, GroupId, Purpose};
use countersign_domain::testing::{World, refusal, send_code, sign_in};
use countersign_domain::use_cases::{CheckCode, IssueTokens, SendCode, Which};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

fn from(ip_address: &str) -> ClientContext {
    ClientContext {
        ip_address: ip_address.parse().ok(),
        ..Default::default()
    }
}

fn is_exhausted<T>(result: &Result<T, Error>, wanted: Limit) -> bool {
    matches!(result, Err(Error::Exhausted { limit, .. }) if *limit == wanted)
}

#[tokio::test]
async fn an_exhausted_source_cannot_spend_a_victims_budget() {
    let world = World::with(|settings| settings.verification.sends_per_source = 2).await;
    let send = |email: &str, ip: &str| SendCode {
        client: from(ip),
        ..send_code(email, Purpose::SignUp)
    };
    for number in 0..2 {
        let own = send(&format!("own-{number}@example.com"), "192.0.2.1");
        own.execute(&world.app).await.expect("sent");
    }
    for _ in 0..100 {
        let refused = send(EMAIL, "192.0.2.1").execute(&world.app).await;
        assert!(is_exhausted(&refused, Limit::Messages));
    }
    send(EMAIL, "192.0.2.2")
        .execute(&world.app)
        .await
        .expect("the victim's own is untouched");
}

#[tokio::test]
async fn a_send_refused_by_the_cooldown_spends_no_daily_budget() {
    let world = World::with(|settings| settings.verification.sends_per_address = 3).await;
    for _ in 0..3 {
        for _ in 0..10 {
            send_code(EMAIL, Purpose::SignUp)
                .execute(&world.app)
                .await
                .ok();
        }
        world.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(world.take_sent().await.len(), 3);
    let fourth = send_code(EMAIL, Purpose::SignUp).execute(&world.app).await;
    assert!(is_exhausted(&fourth, Limit::Messages));
}

#[tokio::test]
async fn many_groups_multiply_neither_cooldown_nor_tries() {
    let world = World::new().await;
    for number in 0..8 {
        world.group(&format!("many-{number}")).await;
    }
    let in_group = |number: usize| SendCode {
        group: GroupId::parse(&format!("many-{number}")).expect("a group"),
        ..send_code(EMAIL, Purpose::SignUp)
    };
    let nowhere = in_group(8).execute(&world.app).await;
    assert_eq!(refusal(nowhere), Refusal::Group);
    in_group(0).execute(&world.app).await.expect("sent");
    let early = in_group(1).execute(&world.app).await;
    assert!(is_exhausted(&early, Limit::Messages));

    let mut compared = 0;
    for number in 2..8 {
        world.clock.advance(Duration::from_secs(60));
        let sent = in_group(number).execute(&world.app).await.expect("sent");
        for _ in 0..5 {
            let guess = CheckCode {
                which: Which::Id(sent.record.id),
                code: Code::parse("nope".into()).expect("a code"),
            };
            let refused = guess.execute(&world.app).await;
            compared += usize::from(matches!(refused, Err(Error::Refused(Refusal::Code { .. }))));
        }
    }
    assert_eq!(compared, 10);
}

#[tokio::test]
async fn guesses_at_a_dead_code_spend_nothing() {
    let world = World::new().await;
    let dead = send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    let code = world.take_code().await;
    let check = |id, code| CheckCode {
        which: Which::Id(id),
        code,
    };
    check(dead.record.id, code.clone())
        .execute(&world.app)
        .await
        .expect("it is right");
    for _ in 0..500 {
        let guess = check(dead.record.id, code.clone())
            .execute(&world.app)
            .await;
        assert_eq!(refusal(guess), Refusal::Verification);
    }
    world.clock.advance(Duration::from_secs(60));
    let sent = send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    let code = world.take_code().await;
    check(sent.record.id, code)
        .execute(&world.app)
        .await
        .expect("the tries are all there");
}

#[tokio::test]
async fn the_right_code_gives_back_no_wrong_ones() {
    let world = World::new().await;
    let mut compared = 0;
    for _ in 0..6 {
        let sent = send_code(EMAIL, Purpose::SignUp)
            .execute(&world.app)
            .await
            .expect("sent");
        let right = world.take_code().await;
        for _ in 0..4 {
            let wrong = CheckCode {
                which: Which::Id(sent.record.id),
                code: Code::parse("nope".into()).expect("a code"),
            };
            let refused = wrong.execute(&world.app).await;
            compared += usize::from(matches!(refused, Err(Error::Refused(Refusal::Code { .. }))));
        }
        let right = CheckCode {
            which: Which::Id(sent.record.id),
            code: right,
        };
        right.execute(&world.app).await.ok();
        world.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(compared, 10, "wrong codes of one address in a day");
}

#[tokio::test]
async fn one_source_is_limited_over_all_accounts_before_anything_is_kept_of_one() {
    let limit = 20;
    let world = World::with(|settings| {
        settings.attempts_per_source = (limit, Duration::from_secs(900));
    })
    .await;
    let attempt = |number: u32, ip: &str| IssueTokens {
        client: from(ip),
        ..sign_in(
            &format!("invented-{number}@example.com"),
            "any phrase at all",
        )
    };
    for number in 0..limit {
        let refused = attempt(number, "2001:db8::1").execute(&world.app).await;
        assert_eq!(refusal(refused), Refusal::SignIn);
    }
    let before = world.ephemeral.budgets();
    world.hasher.take_count();
    for number in limit..10 * limit {
        let refused = attempt(number, "2001:db8::2").execute(&world.app).await;
        assert!(is_exhausted(&refused, Limit::Attempts), "the same /64");
    }
    assert_eq!(world.hasher.take_count(), 0);
    assert_eq!(world.ephemeral.budgets(), before, "nothing is kept");
    let elsewhere = attempt(0, "2001:db8:0:1::1").execute(&world.app).await;
    assert_eq!(refusal(elsewhere), Refusal::SignIn);
}

#[tokio::test]
async fn an_attempt_that_is_shed_leaves_nothing() {
    let world = World::new().await;
    world.hasher.overload(true);
    let before = world.ephemeral.budgets();
    for number in 0..50 {
        let shed = sign_in(&format!("invented-{number}@example.com"), PASSWORD);
        let shed = shed.execute(&world.app).await;
        assert!(is_exhausted(&shed, Limit::Hashing));
    }
    let shed = world.sign_up(EMAIL, PASSWORD).execute(&world.app).await;
    assert!(is_exhausted(&shed, Limit::Hashing));
    assert_eq!(world.ephemeral.budgets(), before);
}

#[tokio::test]
async fn a_send_that_fails_is_given_back() {
    for purpose in [Purpose::SignUp, Purpose::SignIn] {
        let world = World::new().await;
        world.ephemeral.fail_values(true);
        let failed = send_code(EMAIL, purpose).execute(&world.app).await;
        assert!(matches!(failed, Err(Error::Ephemeral(_))));
        world.ephemeral.fail_values(false);
        world.store.fail_begins(true);
        let failed = send_code(EMAIL, purpose).execute(&world.app).await;
        assert!(matches!(failed, Err(Error::Store(_))));
        world.store.fail_begins(false);
        send_code(EMAIL, purpose)
            .execute(&world.app)
            .await
            .expect("no cooldown has begun");
    }
}

#[tokio::test]
async fn a_send_that_may_have_gone_out_is_not_given_back() {
    for purpose in [Purpose::SignUp, Purpose::SignIn] {
        let world = World::new().await;
        world.user(EMAIL, PASSWORD).await;
        world.take_sent().await;
        let address = match purpose {
            Purpose::SignUp => "other@example.com",
            _ => EMAIL,
        };
        world.store.lose_answers(true);
        let unknown = send_code(address, purpose).execute(&world.app).await;
        let is_uncertain = unknown.as_ref().is_err_and(Error::is_uncertain);
        assert!(is_uncertain, "{unknown:?}");
        world.store.lose_answers(false);
        let again = send_code(address, purpose).execute(&world.app).await;
        assert!(is_exhausted(&again, Limit::Messages), "{again:?}");
        // It does go out, once.
        assert_eq!(world.take_sent().await.len(), 1);
    }
}

#[tokio::test]
async fn a_sign_up_whose_code_may_have_gone_out_is_not_given_back() {
    let world = World::new().await;
    world.store.lose_answers(true);
    let unknown = world.sign_up(EMAIL, PASSWORD).execute(&world.app).await;
    assert!(unknown.as_ref().is_err_and(Error::is_uncertain));
    world.store.lose_answers(false);
    let again = world.sign_up(EMAIL, PASSWORD).execute(&world.app).await;
    assert!(is_exhausted(&again, Limit::Messages), "{again:?}");
    assert_eq!(world.take_sent().await.len(), 1);
}

#[tokio::test]
async fn a_send_refused_by_the_cooldown_spends_nothing_of_its_source() {
    for purpose in [Purpose::SignUp, Purpose::SignIn] {
        let world = World::with(|settings| settings.verification.sends_per_source = 2).await;
        let send = |email: &str| SendCode {
            client: from("192.0.2.1"),
            ..send_code(email, purpose)
        };
        send(EMAIL).execute(&world.app).await.expect("sent");
        for _ in 0..10 {
            let early = send(EMAIL).execute(&world.app).await;
            assert!(is_exhausted(&early, Limit::Messages));
        }
        let other = send("other@example.com").execute(&world.app).await;
        other.expect("the second of two");
        let third = send("third@example.com").execute(&world.app).await;
        assert!(is_exhausted(&third, Limit::Messages));
    }
}

#[tokio::test]
async fn a_refused_send_leaves_the_earlier_code_good() {
    for purpose in [Purpose::SignUp, Purpose::SignIn] {
        let world = World::new().await;
        let send = |code: &str| SendCode {
            code: Some(Code::parse(code.into()).expect("a code")),
            ..send_code(EMAIL, purpose)
        };
        let sent = send("1234").execute(&world.app).await.expect("sent");
        let refused = send("5678").execute(&world.app).await;
        assert!(is_exhausted(&refused, Limit::Messages));
        let check = CheckCode {
            which: Which::Latest(sent.record.group, sent.record.address, purpose),
            code: Code::parse("1234".into()).expect("a code"),
        };
        check.execute(&world.app).await.expect("it is right");
    }
}

#[tokio::test]
async fn messages_are_counted_by_the_hour_of_a_source_and_by_the_day_of_an_address() {
    let world = World::with(|settings| {
        settings.verification.sends_per_source = 1;
        settings.verification.sends_per_address = 1;
    })
    .await;
    let send = |email: &str, ip: &str| SendCode {
        client: from(ip),
        ..send_code(email, Purpose::SignUp)
    };
    let second = Duration::from_secs(1);
    let (hour, day) = (3_600 * second, 86_400 * second);
    let first = send(EMAIL, "192.0.2.1").execute(&world.app).await;
    first.expect("sent");
    world.clock.advance(hour - second);
    let other = || send("other@example.com", "192.0.2.1");
    let early = other().execute(&world.app).await;
    assert!(is_exhausted(&early, Limit::Messages));
    world.clock.advance(second);
    other().execute(&world.app).await.expect("after an hour");
    world.clock.advance(day - hour - second);
    let again = || send(EMAIL, "192.0.2.2");
    let early = again().execute(&world.app).await;
    assert!(is_exhausted(&early, Limit::Messages));
    world.clock.advance(second);
    again().execute(&world.app).await.expect("after a day");
}
