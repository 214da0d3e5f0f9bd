//! A damaged row of the outbox is given up, named and counted, once; the messages
//! beside it go out, before and after it.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Metrics, Step, Tally, World, comes_true, delivery_state, email, on_backends_at_once,
    reason,
};
use tokio::time::sleep;

use crate::{EVERY, start_again, world};

/// Healthy messages around each damaged one.
const BESIDE_EACH: usize = 2;
/// Within which what is queued goes out.
const SENT_WITHIN: Duration = Duration::from_secs(10);
/// How long what must not come again is waited for: several runs of the job.
const QUIET: Duration = Duration::from_secs(4);
const FAILED: &str = "countersign_messages_failed_total";

#[test]
fn a_damaged_message_harms_no_other_and_does_not_come_up_again() {
    on_backends_at_once(&EVERY, damage);
}

async fn damage(backend: Backend) {
    let metrics = Metrics::somewhere().await;
    let world = world(backend)
        .replicas(1)
        .set("metrics.listen", metrics.listen())
        .start()
        .await;
    world.refuse(Step::Claim).await;
    let (mut healthy, mut damaged) = (Vec::new(), Vec::new());
    for damage in damages(backend) {
        for _ in 0..BESIDE_EACH {
            healthy.push(queue(&world).await.0);
        }
        let before = world.outbox_ids().await;
        let (address, id) = queue(&world).await;
        let after = world.outbox_ids().await;
        let row = after.difference(&before).next().expect("its row").clone();
        apply(&world, damage, &row).await;
        damaged.push((damage, address, id, row));
    }
    healthy.push(queue(&world).await.0);
    world.allow(Step::Claim).await;

    let has_all = || async { healthy.iter().all(|to| !world.messages_to(to).is_empty()) };
    let took = comes_true(SENT_WITHIN, has_all).await;
    sleep(QUIET).await;
    let failed = metrics.value(FAILED).await.unwrap_or_default();
    let restarted = start_again(&world).await;
    let (late, _) = queue(&world).await;
    let is_sent = || async { !world.messages_to(&late).is_empty() };
    let late_took = comes_true(SENT_WITHIN, is_sent).await;
    sleep(QUIET).await;

    let mut beside = Tally::default();
    for address in healthy.iter().chain([&late]) {
        beside.add(&format!("sent {}", world.messages_to(address).len()));
    }
    let mut of_damaged = Tally::default();
    let mut named = Vec::new();
    for (damage, address, id, row) in &damaged {
        assert_eq!(world.messages_to(address).len(), 0, "{damage}: it is sent");
        let shown = match world.gateway().verification(id).await {
            Ok(shown) => delivery_state(&shown).unwrap_or_default(),
            refused => reason(&refused),
        };
        of_damaged.add(&shown);
        named.push((damage, lines_about(&world, row)));
    }
    let left = "outbox WHERE due_at IS NOT NULL OR state <> 'failed'";
    let left = world.rows(left).await;
    let refused = beside.total() - beside.count("sent 1");
    countersign_tests::say!(
        "guarantee 24 on {backend}, {} damaged messages: messages beside them not sent once \
         {refused} of {} ({beside}), after {took:?} and, after a restart, {late_took:?}; the \
         damaged ones shown as: {of_damaged}; left to come up again {left}; {FAILED} {failed}; \
         lines in the log about each: {named:?}",
        damaged.len(),
        beside.total()
    );
    beside.assert_only(&["sent 1"]);
    assert_eq!(restarted, "OK");
    assert_eq!(left, 0, "{backend}: a damaged message comes up again");
    for (damage, lines) in named {
        assert_eq!(lines, 1, "{backend}, {damage}: it is named once");
    }
    let expected = u32::try_from(damaged.len()).expect("few");
    assert!((failed - f64::from(expected)).abs() < 0.5, "{failed}");
    if backend != Backend::Sqlite {
        // There the code itself is forgotten with the process.
        of_damaged.assert_only(&["Failed"]);
    }
}

/// What can happen to a row.
fn damages(backend: Backend) -> Vec<&'static str> {
    let everywhere = [
        "a flipped bit",
        "cut",
        "empty",
        "kind = 'odd'",
        "state = 'odd'",
        "attempts = -1",
    ];
    let mut damages = everywhere.to_vec();
    if backend == Backend::Sqlite {
        // Its columns take values of any type.
        damages.extend(["attempts = 'odd'", "created_at = 'odd'", "sealed = 7"]);
    }
    damages
}

async fn apply(world: &World, damage: &str, row: &str) {
    let backend = world.backend();
    let id = backend.bytes(row);
    let change = match damage {
        "a flipped bit" => {
            let hex = backend.hex("sealed");
            let query = format!("SELECT {hex} FROM outbox WHERE id = {id}");
            let sealed = world.texts(&query).await.remove(0);
            let (rest, last) = sealed.split_at(sealed.len() - 1);
            let last = u8::from_str_radix(last, 16).expect("a digit") ^ 1;
            format!("sealed = {}", backend.bytes(&format!("{rest}{last:x}")))
        }
        "cut" => "sealed = SUBSTR(sealed, 1, 20)".into(),
        "empty" => format!("sealed = {}", backend.bytes("")),
        change => change.to_owned(),
    };
    let update = format!("UPDATE outbox SET {change} WHERE id = {id}");
    assert_eq!(world.execute(&update).await, 1, "{update}");
}

/// Queues a code to somebody new: the address, and the verification.
async fn queue(world: &World) -> (String, String) {
    let address = world.new_email();
    let gateway = world.gateway();
    let sent = gateway.send_code(email(&address), v1::Purpose::SignUp, "");
    let id = sent.await.expect("a code is queued");
    (address, id)
}

/// How many warnings and errors name a message.
fn lines_about(world: &World, row: &str) -> usize {
    let id = [
        &row[..8],
        &row[8..12],
        &row[12..16],
        &row[16..20],
        &row[20..],
    ]
    .join("-");
    let warnings = world.log().warnings(0, 0);
    warnings.iter().filter(|line| line.contains(&id)).count()
}
