//! Imports whose client or server is killed at any point, and that are run again.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_tests::{
    Backend, PASSWORD, Proxy, World, email, on_a_backend, on_every_backend, say,
};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::{hash_of_everybody, write_file};

on_every_backend!(an_import_that_is_killed_loses_and_doubles_nothing);

#[test]
fn an_import_that_is_interrupted_ends_what_is_under_way_and_says_how_to_go_on() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend).start().await;
        let hash = hash_of_everybody(&world).await;
        let address = world.replica(0).address().to_string();
        let whole = time_of_one(&world, &address, &hash).await;
        let (mut first, mut in_between) = (0, 0);
        for number in 0..12_u8 {
            let file = file(&world, number.into(), &hash);
            let words = [&words(&file, &address)[..], &["--json".into()]].concat();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let child = world.replica(0).begin(&words);
            let part = (f64::from(number) * 0.618_034).fract();
            sleep(whole.mul_f64(part)).await;
            if let Some(id) = child.id() {
                // It may have ended by itself.
                let sent = Command::new("kill")
                    .args(["-INT", &id.to_string()])
                    .output();
                drop(sent.await.expect("run"));
            }
            let ended = tokio::time::timeout(countersign_tests::PATIENCE, child.wait_with_output());
            let ended = ended.await.expect("it ends").expect("it can be waited for");
            let said = String::from_utf8_lossy(&ended.stderr);
            let of_file = format!("users WHERE external_id LIKE '{number}-%'");
            let there = u64::try_from(world.rows(&of_file).await).expect("a count");
            let Ok(summary) = serde_json::from_slice::<serde_json::Value>(&ended.stdout) else {
                // The signal came before the command listened for it.
                assert_eq!((ended.status.code(), there), (None, 0), "{said}");
                first += 1;
                continue;
            };
            assert_eq!(
                summary["imported"].as_u64(),
                Some(there),
                "what it tells is there"
            );
            let is_whole = summary["complete"] == true;
            // The signal may come after the last batch was sent.
            assert!(!is_whole || there == USERS as u64, "{summary}");
            if !is_whole {
                in_between += 1;
                assert_eq!(ended.status.code(), Some(1), "{said}");
                assert!(
                    said.contains("to go on, run the same command again"),
                    "{said}"
                );
            }
            let again = world.replica(0).run(&words).await;
            assert_eq!(again.code, 0, "{}", again.stderr);
        }
        say!("12 imports interrupted: {first} before they began, {in_between} in between");
        assert!(in_between > 0, "no interrupt came in between");
        let users = world.rows("users WHERE external_id IS NOT NULL").await;
        let expected = (1 + 12 - first) * USERS;
        assert_eq!(usize::try_from(users).expect("a count"), expected);
    });
}

const KILLS: usize = 30;
/// Users of each file.
const USERS: usize = 200;

/// How far the file had come when something was killed.
#[derive(Default)]
struct Moments {
    nothing_written: usize,
    some_written: usize,
    all_written: usize,
}

async fn an_import_that_is_killed_loses_and_doubles_nothing(backend: Backend) {
    let world = World::on(backend).start().await;
    let hash = hash_of_everybody(&world).await;
    let before = world.rows("identifiers").await;
    let proxy = Proxy::to(world.replica(0).address()).await;
    let address = proxy.address().to_string();
    let whole = time_of_one(&world, &address, &hash).await;
    let (mut moments, mut killed_servers) = (Moments::default(), 0);
    for kill in 0..KILLS {
        let file = file(&world, kill, &hash);
        let words = words(&file, &address);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut child = world.replica(0).begin(&words);
        // Over the whole time, and evenly.
        let part = (kill as f64 * 0.618_034).fract();
        sleep(whole.mul_f64(part)).await;
        if kill % 3 == 0 {
            world.replica(0).kill().await;
            killed_servers += 1;
            world.replica(0).start().await;
            proxy.lead_to(world.replica(0).address());
            moments.note(&world, kill).await;
            // It goes on by itself.
            let ended = tokio::time::timeout(countersign_tests::PATIENCE, child.wait_with_output());
            let ended = ended.await.expect("it ends").expect("it can be waited for");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert_eq!(ended.status.code(), Some(0), "{said}");
        } else {
            child.kill().await.expect("killed");
            moments.note(&world, kill).await;
        }
        let again = world.replica(0).run(&words).await;
        assert_eq!(again.code, 0, "{}", again.stderr);
    }
    let all = 1 + KILLS;
    let expected = i64::try_from(all * USERS).expect("few");
    let users = world.rows("users WHERE external_id IS NOT NULL").await;
    let ids = world
        .texts("SELECT DISTINCT external_id FROM users WHERE external_id IS NOT NULL")
        .await;
    let identifiers = world.rows("identifiers").await - before;
    let credentials = world.rows("credentials").await - 1;
    let there: BTreeSet<_> = ids.into_iter().collect();
    let lost = (0..all)
        .flat_map(|file| (0..USERS).map(move |user| format!("{file}-{user}")))
        .filter(|id| !there.contains(id))
        .count();
    let doubled = users - i64::try_from(there.len()).expect("few");
    say!(
        "{backend}: imports killed {KILLS} times ({killed_servers} of them the server): with \
         nothing of the file written {}, some {}, all {}; users lost {lost} of {expected}, \
         doubled {doubled}",
        moments.nothing_written,
        moments.some_written,
        moments.all_written,
    );
    assert_eq!((lost, doubled), (0, 0));
    assert_eq!(
        (users, identifiers, credentials),
        (expected, 2 * expected, expected)
    );
    assert!(moments.some_written > 0, "no kill came in between");
    for file in [0, KILLS / 2, KILLS] {
        let address = format!("user-{file}-{}@example.com", USERS / 2);
        let tokens = world.gateway().sign_in(email(&address), PASSWORD).await;
        tokens.expect("imported");
    }
}

impl Moments {
    async fn note(&mut self, world: &World, kill: usize) {
        let of_file = format!("users WHERE external_id LIKE '{kill}-%'");
        match usize::try_from(world.rows(&of_file).await).expect("a count") {
            0 => self.nothing_written += 1,
            USERS => self.all_written += 1,
            _ => self.some_written += 1,
        }
    }
}

/// How long an import takes that nobody interrupts.
async fn time_of_one(world: &World, address: &str, hash: &str) -> Duration {
    let file = file(world, KILLS, hash);
    let words = words(&file, address);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let began = Instant::now();
    let finished = world.replica(0).run(&words).await;
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    began.elapsed()
}

fn words(file: &str, address: &str) -> Vec<String> {
    ["import", "--from", file, "--addr", address, "--batch", "10"]
        .map(str::to_owned)
        .to_vec()
}

fn file(world: &World, number: usize, hash: &str) -> String {
    let mut csv = "external_id,email,username,password_hash\n".to_owned();
    for user in 0..USERS {
        csv.push_str(&format!(
            "{number}-{user},user-{number}-{user}@example.com,user_{number}_{user},\"{hash}\"\n"
        ));
    }
    write_file(world, &format!("users-{number}.csv"), csv)
}
