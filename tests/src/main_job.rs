//! The main job on every replica: sign-in, validation, refresh, and a sign-out
//! that every replica sees.

use std::time::Duration;

use countersign_proto::v1;
use tokio::time::{Instant, sleep};

use crate::details::reason;
use crate::gateway::Gateway;
use crate::person::{PASSWORD, Person};
use crate::replica::Replica;
use crate::tally::Tally;
use crate::world::World;

/// Within which another replica learns of a sign-out.
const BOUND: Duration = Duration::from_secs(2);

impl World {
    /// New connections to those replicas that run: one that was started again
    /// may have refused.
    #[must_use]
    pub fn running(&self) -> Vec<Gateway> {
        let addresses = self.replicas().iter().filter_map(Replica::try_address);
        addresses.map(Gateway::to).collect()
    }

    /// Somebody's calls, by way of every replica. Each that did what it should
    /// counts as `OK`.
    pub async fn main_job(&self, person: &Person) -> Tally {
        let mut outcomes = Tally::default();
        let replicas = self.running();
        for here in &replicas {
            let signed_in = person.at(here).try_password(PASSWORD).await;
            outcomes.add(&reason(&signed_in));
            let Ok(tokens) = signed_in else {
                continue;
            };
            for there in &replicas {
                outcomes.add(&good_is_valid(there.judge(&tokens.access_token).await));
            }
            outcomes.add(&reason(&person.at(here).sessions(&tokens).await));
            let refreshed = here.refresh(&tokens.refresh_token).await;
            outcomes.add(&reason(&refreshed));
            if let Ok(tokens) = refreshed {
                outcomes.add(&sign_out(here, &replicas, &tokens).await);
            }
        }
        outcomes
    }
}

/// `OK` if every replica rejects the token within the bound.
async fn sign_out(here: &Gateway, replicas: &[Gateway], tokens: &v1::Tokens) -> String {
    let revoked = here.revoke(&tokens.access_token).await;
    if revoked.is_err() {
        return reason(&revoked);
    }
    let answered = Instant::now();
    for there in replicas {
        while there.judge(&tokens.access_token).await != "REVOKED" {
            if answered.elapsed() > BOUND {
                return "a revocation is not seen".into();
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    "OK".into()
}

/// What was said of a good token, as an outcome: it is to be found good.
#[must_use]
pub fn good_is_valid(word: String) -> String {
    if word == "VALID" { "OK".into() } else { word }
}
