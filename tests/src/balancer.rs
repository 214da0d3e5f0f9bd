//! What is in front of replicas in production: it sends calls to those that say
//! that they serve.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use crate::gateway::Gateway;
use crate::world::World;

/// How often it asks for health.
const BETWEEN_CHECKS: Duration = Duration::from_millis(100);

/// Knows which replicas serve, and gives calls to each in turn.
#[derive(Debug, Default)]
pub struct Balancer {
    serving: Mutex<Vec<Gateway>>,
    turn: AtomicUsize,
}

impl Balancer {
    /// Asks the replicas again and again whether they serve. They must keep
    /// their addresses.
    pub async fn follow(&self, world: &World) {
        let replicas: Vec<Gateway> = world.gateways_of_replicas();
        loop {
            let mut serving = Vec::new();
            for replica in &replicas {
                if replica.says_that_it_serves().await {
                    serving.push(replica.clone());
                }
            }
            *self.serving() = serving;
            sleep(BETWEEN_CHECKS).await;
        }
    }

    /// How many replicas serve.
    pub fn len(&self) -> usize {
        self.serving().len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next replica in turn; waits for one if none serves.
    pub async fn next(&self) -> Gateway {
        loop {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let next = {
                let serving = self.serving();
                let index = turn.checked_rem(serving.len());
                index.map(|index| serving[index].clone())
            };
            match next {
                Some(gateway) => return gateway,
                None => sleep(BETWEEN_CHECKS).await,
            }
        }
    }

    fn serving(&self) -> MutexGuard<'_, Vec<Gateway>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
