//! The one clock: the database's time, whatever the machine's clock shows.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::application::DatabaseClock;
use countersign_domain::ports::Clock;
use countersign_domain::testing::{HandClock, MemoryStore};

const HOUR: Duration = Duration::from_secs(3600);

struct Clocks {
    machine: Arc<HandClock>,
    database: Arc<HandClock>,
    store: MemoryStore,
    shared: DatabaseClock,
}

async fn clocks() -> Clocks {
    let (machine, database) = (Arc::new(HandClock::new()), Arc::new(HandClock::new()));
    machine.jump_to(machine.now().plus(HOUR));
    let store = MemoryStore::new(database.clone());
    let shared = DatabaseClock::start(machine.clone(), &store).await;
    Clocks {
        shared: shared.expect("the time is told"),
        machine,
        database,
        store,
    }
}

impl Clocks {
    fn advance(&self, duration: Duration) {
        self.machine.advance(duration);
        self.database.advance(duration);
    }
}

#[tokio::test]
async fn it_shows_the_databases_time_and_tells_how_far_the_machine_is_off() {
    let clocks = clocks().await;
    assert_eq!(clocks.shared.now(), clocks.database.now());
    assert_eq!(clocks.shared.machine_ahead_by(), 3_600_000);
    clocks.advance(HOUR);
    assert_eq!(clocks.shared.now(), clocks.database.now());
}

#[tokio::test]
async fn a_machine_whose_clock_jumps_changes_nothing() {
    let clocks = clocks().await;
    let before = clocks.shared.now();
    for jump in [before.plus(100 * HOUR), before.minus(100 * HOUR), before] {
        clocks.machine.jump_to(jump);
        assert_eq!(clocks.shared.now(), before);
        let read = clocks.shared.synchronise(&clocks.store).await;
        assert_eq!(read.expect("the time is told"), before);
        assert_eq!(clocks.shared.now(), before);
    }
    assert_eq!(clocks.shared.machine_ahead_by(), 0);
}

#[tokio::test]
async fn it_follows_the_database_in_both_directions() {
    let clocks = clocks().await;
    let now = clocks.database.now();
    for jump in [
        now.plus(HOUR),
        now.minus(HOUR),
        now.plus(Duration::from_secs(1)),
    ] {
        clocks.database.jump_to(jump);
        assert_ne!(clocks.shared.now(), jump, "it was not read yet");
        clocks
            .shared
            .synchronise(&clocks.store)
            .await
            .expect("the time is told");
        assert_eq!(clocks.shared.now(), jump);
    }
}

#[tokio::test]
async fn a_difference_that_the_reading_explains_moves_nothing() {
    let clocks = clocks().await;
    let now = clocks.shared.now();
    let trembling = clocks.database.now().plus(Duration::from_millis(1));
    clocks.database.jump_to(trembling);
    clocks
        .shared
        .synchronise(&clocks.store)
        .await
        .expect("the time is told");
    assert_eq!(clocks.shared.now(), now);
}

#[tokio::test]
async fn a_slow_reading_is_taken_to_be_of_its_middle() {
    let clock = Arc::new(HandClock::new());
    clock.advance(HOUR);
    let store = MemoryStore::new(clock.clone());
    store.slow_time(Duration::from_secs(10));
    let shared = DatabaseClock::start(clock.clone(), &store).await;
    let shared = shared.expect("the time is told");
    assert_eq!(shared.now(), clock.now());
    let (explained, unexplained) = (5_001, 5_002);
    for (millis, moves) in [(explained, false), (unexplained, true)] {
        let before = shared.now();
        let jump = Duration::from_millis(millis);
        clock.jump_to(before.plus(jump));
        let read = shared.synchronise(&store).await;
        read.expect("the time is told");
        let behind = clock.now().since(shared.now());
        assert_eq!(behind.is_zero(), moves, "after {millis} ms");
    }
}
