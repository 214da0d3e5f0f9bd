//! A counter that cannot be raised costs nobody the right answer.

use countersign_domain::model::Timestamp;
use countersign_domain::ports::{Comparison, EphemeralStore as _, Raise, Reward, Secret};
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
