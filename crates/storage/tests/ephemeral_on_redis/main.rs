//! The store on Redis keeps the laws, and when Redis does not do its part, every
//! answer is a no or an error.

mod changes;
mod connecting;
mod damaged_counters;
mod floods;
mod full;
mod outages;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod throughput;

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::Timestamp;
use countersign_domain::ports::{
    Budget, EphemeralError, EphemeralStore as _, Exchange, Guess, Secret, Spending,
};
use countersign_domain::testing::ephemeral_laws::EphemeralSubject;
use countersign_storage::{Redis, RedisSettings};

const MINUTE: Duration = Duration::from_secs(60);

async fn set_up() -> Option<EphemeralSubject> {
    let url = support::service_url("COUNTERSIGN_TEST_REDIS", "redis://127.0.0.1:6379/");
    let settings = RedisSettings {
        scope: "laws".into(),
        timeout: Duration::from_secs(10),
        ..RedisSettings::new(url.as_str())
    };
    match Redis::connect(&settings).await {
        Ok(redis) => Some(EphemeralSubject::in_real_time(Arc::new(redis))),
        Err(error) => {
            assert!(!support::services_required(), "{error}");
            support::skip(&format!("Redis is not reachable at {url}: {error}"));
            None
        }
    }
}

countersign_domain::ephemeral_laws!(set_up);

fn budget(name: impl Into<String>) -> Budget {
    Budget {
        name: name.into(),
        limit: 3,
        window: MINUTE,
    }
}

/// Keeps the secret `123` in a series that is called like its key. Its budget is
/// `guesses`.
async fn keep_secret(redis: &Redis, key: &str) -> Result<(), EphemeralError> {
    let kept = keep_secret_for(redis, &[], key, key).await?;
    assert_eq!(kept, Spending::Spent);
    Ok(())
}

async fn keep_secret_for(
    redis: &Redis,
    budgets: &[Budget],
    series: &str,
    key: &str,
) -> Result<Spending, EphemeralError> {
    let secret = Secret {
        value: b"value",
        secret: b"123",
        budget: "guesses",
        expires_at: Timestamp::from_seconds(1),
        reward: None,
    };
    redis.supersede(budgets, series, key, secret, MINUTE).await
}

fn guess(secret: &[u8]) -> Guess<'_> {
    Guess {
        secret,
        at: Timestamp::from_seconds(0),
        tries: 5,
        limit: 3,
        window: MINUTE,
    }
}

fn exchange(key: &str) -> Exchange<'_> {
    Exchange {
        key,
        head: b"gained, ",
        ttl: MINUTE,
    }
}
