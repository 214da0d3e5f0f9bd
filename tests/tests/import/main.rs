//! Importing the users of another system: from each source, whatever is wrong with a
//! user or a file, whatever interrupts it, and beside whoever else does the same.

mod at_once;
mod damaged;
mod hashes;
mod interrupted;
mod refused;
mod sources;
mod unfinished;

use countersign_proto::v1;
use countersign_tests::{Finished, World};
use serde_json::Value;

/// What an import has told.
struct Imported {
    code: i32,
    summary: Value,
    report: Vec<Value>,
    stderr: String,
}

/// A file in the directory of a world.
fn write_file(world: &World, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = world.directory().join(name);
    std::fs::write(&path, content).expect("written");
    path.display().to_string()
}

/// The words of an import from a source, which writes a report.
fn words(world: &World, from: &str, address: &str) -> Vec<String> {
    let report = world.directory().join("report.jsonl");
    let words = [
        "import", "--from", from, "--addr", address, "--json", "--report",
    ];
    let words = words.map(str::to_owned).into_iter();
    words.chain([report.display().to_string()]).collect()
}

/// Imports from a source, and reads what is told of it.
async fn import(world: &World, from: &str, more: &[&str]) -> Imported {
    let address = world.replica(0).address().to_string();
    let words = words(world, from, &address);
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    let finished = world.replica(0).run(&words).await;
    read(world, finished)
}

fn read(world: &World, finished: Finished) -> Imported {
    let report = world.directory().join("report.jsonl");
    let report = std::fs::read_to_string(report).unwrap_or_default();
    let report = report.lines().map(serde_json::from_str);
    Imported {
        code: finished.code,
        summary: serde_json::from_str(&finished.stdout).unwrap_or_default(),
        report: report.collect::<Result<_, _>>().expect("JSON Lines"),
        stderr: finished.stderr,
    }
}

impl Imported {
    /// How many were imported, were there and were refused.
    fn counts(&self) -> [u64; 3] {
        ["imported", "already_there", "refused"]
            .map(|name| self.summary[name].as_u64().unwrap_or_default())
    }
}

/// A hash of the password of everybody.
async fn hash_of_everybody(world: &World) -> String {
    world.sign_up().await;
    let hashes = world.texts("SELECT hash FROM credentials").await;
    hashes.first().expect("a hash").clone()
}

/// Sends users to ImportUsers.
async fn call(
    world: &World,
    users: Vec<v1::ImportedUser>,
) -> Result<Vec<v1::import_result::Outcome>, tonic::Status> {
    let request = v1::ImportUsersRequest {
        users,
        validate_only: false,
    };
    let answer = world.gateway().users().import_users(request).await?;
    let results = answer.into_inner().results.into_iter();
    Ok(results.filter_map(|result| result.outcome).collect())
}
