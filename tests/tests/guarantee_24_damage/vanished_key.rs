//! A signing key that is gone from the database signs no more, and another
//! takes its place by itself.

use std::time::Duration;

use countersign_tests::{
    Backend, PASSWORD, Tally, good_is_valid, key_id, on_backends_at_once, reason,
};
use tokio::time::{Instant, sleep};

use crate::{EVERY, world};

/// Until when the key may have signed after its row was deleted.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(3);
/// Within which tokens are issued again.
const RECOVERED_WITHIN: Duration = Duration::from_secs(6);
const WATCHED_FOR: Duration = Duration::from_secs(9);

#[test]
fn a_deleted_active_key_stops_signing_and_is_replaced() {
    on_backends_at_once(&EVERY, vanish);
}

async fn vanish(backend: Backend) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let kid = key_id(&mina.sign_in().await.access_token);
    let delete = "DELETE FROM signing_keys WHERE state = 'active'";
    assert_eq!(world.execute(delete).await, 1);
    let deleted = Instant::now();

    let mut last_signature = Duration::ZERO;
    let mut recovered: Option<Duration> = None;
    let (mut issued, mut late) = (Tally::default(), Tally::default());
    let mut asked = Tally::default();
    while deleted.elapsed() < WATCHED_FOR {
        for here in world.replicas() {
            let begun = deleted.elapsed();
            let signed_in = mina.at(&here.gateway()).try_password(PASSWORD).await;
            issued.add(&reason(&signed_in));
            if begun > RECOVERED_WITHIN {
                late.add(&reason(&signed_in));
            }
            let Ok(tokens) = signed_in else {
                continue;
            };
            if key_id(&tokens.access_token) == kid {
                last_signature = begun;
                continue;
            }
            recovered.get_or_insert(begun);
            for there in world.replicas() {
                let word = there.gateway().judge(&tokens.access_token).await;
                asked.add(&good_is_valid(word));
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    countersign_tests::say!(
        "guarantee 24 on {backend}, the active key deleted: it signed until {last_signature:?} \
         after, another signs after {recovered:?}; tokens issued: {issued}; tokens of the new key \
         refused {} of {} ({asked})",
        asked.total() - asked.count("OK"),
        asked.total()
    );
    assert!(
        last_signature <= FORGOTTEN_WITHIN,
        "{backend}: it signs {last_signature:?} after it was deleted"
    );
    assert!(recovered.is_some(), "{backend}: another key signs");
    late.assert_only(&["OK"]);
    asked.assert_only(&["OK"]);
}
