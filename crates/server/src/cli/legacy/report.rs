//! What was found in an existing database: counts, a sample with its addresses masked,
//! and the rows that cannot be adopted. No secret and no full address is in it.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write};
use std::time::Duration;

use countersign_domain::model::{ExistingUser, Identifier, PasswordHash};
use countersign_domain::ports::ReadUser;
use serde_json::{Value, json};

use crate::cli::table;

/// How many users are shown, and how many of the rows that something is wrong with.
const SAMPLE: usize = 5;
const MOST_NAMED: usize = 100;

/// What was found.
pub(super) struct Report {
    database: String,
    table: String,
    rows: u64,
    states: BTreeMap<&'static str, u64>,
    hashes: BTreeMap<String, u64>,
    sample: Vec<[String; 4]>,
    somebody: Option<Identifier>,
    problems: Vec<(String, String)>,
    /// How many rows cannot be adopted, and how many can, but for an identifier.
    refused: u64,
    in_part: u64,
    /// Who has which identifier, by a hash of it: a table may have millions.
    holders: HashMap<u64, String>,
    hasher: RandomState,
    lookup: Duration,
}

impl Report {
    pub(super) fn new(database: &str, table: &str) -> Self {
        Self {
            database: database.into(),
            table: table.into(),
            rows: 0,
            states: BTreeMap::new(),
            hashes: BTreeMap::new(),
            sample: Vec::new(),
            somebody: None,
            problems: Vec::new(),
            refused: 0,
            in_part: 0,
            holders: HashMap::new(),
            hasher: RandomState::new(),
            lookup: Duration::ZERO,
        }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &ReadUser) {
        self.rows += 1;
        let user = match row {
            Ok(user) => user,
            Err(unreadable) => {
                self.refused += 1;
                let id = unreadable.external_id.clone();
                self.name(id.as_deref().unwrap_or("(no id)"), &unreadable.reason);
                return;
            }
        };
        *self.states.entry(user.state.as_str()).or_default() += 1;
        let format = format_of(user.password.as_ref());
        *self.hashes.entry(format.clone()).or_default() += 1;
        let mut is_whole = true;
        for left_out in &user.left_out {
            is_whole = false;
            let problem = format!("{} {}", left_out.column, left_out.reason);
            self.name(&user.external_id, &problem);
        }
        for identifier in &user.identifiers {
            let holder = self.holders.entry(self.hasher.hash_one(identifier));
            let holder = holder.or_insert_with(|| user.external_id.clone());
            if *holder != user.external_id {
                is_whole = false;
                let kind = identifier.kind().as_str();
                let problem = format!("has the same {kind} as {holder}: neither is found by it");
                self.name(&user.external_id, &problem);
            }
        }
        self.in_part += u64::from(!is_whole);
        self.show(user, format);
    }

    /// An identifier to try a lookup with.
    pub(super) fn somebody(&self) -> Option<&Identifier> {
        self.somebody.as_ref()
    }

    pub(super) fn lookup_took(&mut self, time: Duration) {
        self.lookup = time;
    }

    pub(super) fn lookup_ms(&self) -> f64 {
        self.lookup.as_secs_f64() * 1e3
    }

    /// Whether every row can be adopted as it is.
    pub(super) fn is_clean(&self) -> bool {
        self.refused + self.in_part == 0
    }

    pub(super) fn to_json(&self) -> Value {
        let sample = self.sample.iter().map(|[id, identifiers, state, hash]| {
            json!({ "id": id, "identifiers": identifiers, "state": state, "hash": hash })
        });
        let problems = self.problems.iter();
        let problems = problems.map(|(id, reason)| json!({ "id": id, "reason": reason }));
        json!({
            "database": self.database,
            "table": self.table,
            "rows": self.rows,
            "refused": self.refused,
            "in_part": self.in_part,
            "states": self.states,
            "hashes": self.hashes,
            "lookup_ms": self.lookup_ms(),
            "sample": sample.collect::<Vec<_>>(),
            "problems": problems.collect::<Vec<_>>(),
        })
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}, table {}", self.database, self.table)?;
        if !self.sample.is_empty() {
            writeln!(out)?;
            table::write(out, ["ID", "IDENTIFIERS", "STATE", "HASH"], &self.sample)?;
        }
        let list = |counts: Vec<(&str, u64)>| {
            let counts = counts.iter().map(|(name, count)| format!("{count} {name}"));
            match counts.collect::<Vec<_>>() {
                counts if counts.is_empty() => "-".to_owned(),
                counts => counts.join(", "),
            }
        };
        let states = self.states.iter().map(|(name, count)| (*name, *count));
        let hashes = self
            .hashes
            .iter()
            .map(|(name, count)| (name.as_str(), *count));
        writeln!(out)?;
        writeln!(out, "rows     {}", self.rows)?;
        writeln!(out, "states   {}", list(states.collect()))?;
        writeln!(out, "hashes   {}", list(hashes.collect()))?;
        writeln!(out, "refused  {}", self.refused)?;
        writeln!(out, "in part  {}", self.in_part)?;
        writeln!(out, "lookup   {:.1} ms", self.lookup_ms())?;
        if !self.problems.is_empty() {
            writeln!(out)?;
            let rows = self.problems.iter().cloned();
            let rows: Vec<_> = rows.map(|(id, reason)| [id, reason]).collect();
            table::write(out, ["ROW", "WHAT IS WRONG"], &rows)?;
            if self.problems.len() == MOST_NAMED {
                writeln!(out, "only the first {MOST_NAMED} are named")?;
            }
        }
        Ok(())
    }

    fn name(&mut self, id: &str, problem: &str) {
        if self.problems.len() < MOST_NAMED {
            self.problems.push((id.into(), problem.into()));
        }
    }

    fn show(&mut self, user: &ExistingUser, format: String) {
        if self.sample.len() == SAMPLE {
            return;
        }
        self.somebody = self.somebody.take().or(user.identifiers.first().cloned());
        let masked = user.identifiers.iter().map(|identifier| {
            identifier.address().map_or_else(
                || masked_name(identifier.as_str()),
                |address| address.masked(),
            )
        });
        let masked = masked.collect::<Vec<_>>().join(" ");
        let (id, state) = (user.external_id.clone(), user.state.as_str().to_owned());
        self.sample.push([id, masked, state, format]);
    }
}

/// A user name but for all letters after the first.
fn masked_name(name: &str) -> String {
    let first = name.chars().next().map(String::from).unwrap_or_default();
    format!("{first}***")
}

/// What a hash begins with: the name of its format, and nothing of the hash.
fn format_of(hash: Option<&PasswordHash>) -> String {
    let Some(hash) = hash else {
        return "none".into();
    };
    let mut parts = hash.expose().split('$');
    let name = match parts.next() {
        Some("") => parts.next().filter(|_| parts.next().is_some()),
        first => first.filter(|_| parts.next().is_some()),
    };
    let is_name = |name: &&str| {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        (1..=20).contains(&name.len()) && name.bytes().all(is_letter)
    };
    name.filter(is_name).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_named_and_nothing_of_the_hash_is() {
        for (hash, format) in [
            ("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "argon2id"),
            ("$2b$12$abcdefghijklmnopqrstuv", "2b"),
            ("pbkdf2_sha256$260000$salt$hash", "pbkdf2_sha256"),
            ("5f4dcc3b5aa765d61d8327deb882cf99", "unknown"),
            ("$5f4dcc3b5aa765d61d8327deb882cf99$x", "unknown"),
            ("hunter2", "unknown"),
        ] {
            let hash = PasswordHash::new(hash.into());
            assert_eq!(format_of(Some(&hash)), format);
        }
        assert_eq!(format_of(None), "none");
    }
}
