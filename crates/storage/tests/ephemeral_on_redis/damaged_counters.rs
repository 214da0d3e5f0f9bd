//! A counter that cannot be read or raised costs nobody a message or the right
//! answer: it is dropped, and the limits that grew with it are the least.

use countersign_domain::model::Timestamp;
use countersign_domain::ports::{
    Alternative, Budget, Comparison, EphemeralStore as _, Guard, GuardedSpending, Learnt,
    LearntBudget, Raise, Reward, Secret,
};
use countersign_storage::Redis;

use crate::servers::store;
use crate::{MINUTE, guess};

/// Keeps a secret whose right guess raises a counter, and guesses it.
async fn guess_right(redis: &Redis) -> Comparison {
    let reward = Reward {
        refunds: Vec::new(),
        raises: vec![Raise {
            counter: "verified".into(),
            slot: 1,
            ttl: MINUTE,
        }],
    };
    let secret = Secret {
        value: b"value",
        secret: b"123",
        budget: "guesses",
        expires_at: Timestamp::from_seconds(1),
        reward: Some(&reward),
    };
    let kept = redis.supersede(&[], "series", "key", secret, MINUTE).await;
    kept.expect("supersede");
    let compared = redis.compare("key", guess(b"123"), None).await;
    compared.expect("compare")
}

#[tokio::test]
async fn a_damaged_counter_is_dropped_and_the_right_guess_is_right() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    assert_eq!(guess_right(&redis).await, Comparison::Matches);
    let keys: Vec<String> = server.command(&["KEYS", "*:verified"]).await;
    let [counter] = <[String; 1]>::try_from(keys).expect("one counter");
    for damage in [
        vec!["HSET", &counter, "1", "odd"],
        vec!["SET", &counter, "odd"],
    ] {
        server.command::<()>(&damage).await;
        assert_eq!(guess_right(&redis).await, Comparison::Matches);
        let left: u64 = server.command(&["EXISTS", &counter]).await;
        assert_eq!(left, 0, "{damage:?}");
        assert_eq!(guess_right(&redis).await, Comparison::Matches);
        let raised: u64 = server.command(&["HGET", &counter, "1"]).await;
        assert_eq!(raised, 1, "{damage:?}");
    }
}

/// A guard over one budget whose least limit is 2, and that may be as large as
/// what was counted.
fn guard() -> Guard {
    let learnt = Learnt {
        counter: "verified".into(),
        slot: 1,
        slots: 1,
        permille: 1_000,
    };
    let budget = Budget {
        name: "guarded".into(),
        limit: 2,
        window: MINUTE,
    };
    Guard {
        shared: vec![LearntBudget { budget, learnt }],
        ..Guard::default()
    }
}

async fn spent(redis: &Redis) -> Vec<bool> {
    let mut spent = Vec::new();
    for _ in 0..4 {
        let spending = redis.spend_guarded(&[], &guard()).await;
        let spending = spending.expect("a damaged counter harms only itself");
        spent.push(spending == GuardedSpending::Spent(Alternative::Shared));
    }
    spent
}

#[tokio::test]
async fn a_damaged_counter_refuses_no_guarded_message() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    for _ in 0..4 {
        assert_eq!(guess_right(&redis).await, Comparison::Matches);
    }
    assert_eq!(spent(&redis).await, [true; 4], "the limit has grown");
    let keys: Vec<String> = server.command(&["KEYS", "*:verified"]).await;
    let [counter] = <[String; 1]>::try_from(keys).expect("one counter");
    let keys: Vec<String> = server.command(&["KEYS", "*:guarded"]).await;
    let [budget] = <[String; 1]>::try_from(keys).expect("one budget");
    let names = counter.trim_end_matches(":verified").to_owned();
    for damage in [
        vec!["HSET", &counter, "1", "odd"],
        vec!["SET", &counter, "odd"],
        vec!["SADD", &counter, "odd"],
        // The set of their names, too.
        vec!["SET", &names, "odd"],
    ] {
        for key in [&counter, &names, &budget] {
            server.command::<()>(&["DEL", key]).await;
        }
        server.command::<()>(&damage).await;
        assert_eq!(
            spent(&redis).await,
            [true, true, false, false],
            "{damage:?}"
        );
        // It learns anew.
        for _ in 0..4 {
            assert_eq!(guess_right(&redis).await, Comparison::Matches);
        }
        server.command::<()>(&["DEL", &budget]).await;
        let grown = spent(&redis).await;
        assert!(grown[2], "{damage:?}: {grown:?}");
    }
}
