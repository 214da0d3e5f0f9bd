//! Reading what is read as a whole, such as all signing keys: a row that cannot
//! be read is left out and named in the log and counted, once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use countersign_domain::ports::StoreError;
use metrics::{Counter, counter};
use sea_orm::QueryResult;
use tracing::error;

/// How many reports are remembered.
const CAPACITY: usize = 10_000;

/// The rows that were reported, with the cause.
#[derive(Debug, Default)]
pub(super) struct DamagedRows(Mutex<HashSet<(&'static str, String, String)>>);

/// The tables of which damaged rows are left out, or locked.
const TABLES: [&str; 15] = [
    "audit_events",
    "callers",
    "credentials",
    "factors",
    "federated_identities",
    "groups",
    "identifier_undos",
    "identifiers",
    "outbox",
    "revocations",
    "service_account_credentials",
    "service_accounts",
    "sessions",
    "signing_keys",
    "users",
];

impl DamagedRows {
    /// None is damaged yet. The counters are there from now on, so that the
    /// first damage is a rise.
    pub(super) fn new() -> Self {
        for table in TABLES {
            drop(counter(table));
        }
        Self::default()
    }

    /// Reads rows of `table`, without those that cannot be read. `key` names a
    /// row to people.
    pub(super) fn readable<T>(
        &self,
        table: &'static str,
        rows: &[QueryResult],
        key: impl Fn(&QueryResult) -> Option<String>,
        read: impl Fn(&QueryResult) -> Result<T, StoreError>,
    ) -> Vec<T> {
        self.sorted(table, rows, key, read).0
    }

    /// Reads rows of `table`, and tells the keys of those that cannot be read.
    pub(super) fn sorted<T>(
        &self,
        table: &'static str,
        rows: &[QueryResult],
        key: impl Fn(&QueryResult) -> Option<String>,
        read: impl Fn(&QueryResult) -> Result<T, StoreError>,
    ) -> (Vec<T>, Vec<String>) {
        let (mut values, mut unreadable) = (Vec::new(), Vec::new());
        for row in rows {
            match read(row) {
                Ok(value) => values.push(value),
                Err(cause) => {
                    let key = key(row).unwrap_or_else(|| "(its key cannot be read)".into());
                    let left_out = "a row cannot be read and is left out";
                    self.report(table, &key, &cause.to_string(), left_out);
                    unreadable.push(key);
                }
            }
        }
        (values, unreadable)
    }

    /// Names a row in the log, unless it was named before with this cause.
    pub(super) fn report(&self, table: &'static str, key: &str, cause: &str, consequence: &str) {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.len() >= CAPACITY {
            reported.clear();
        }
        if reported.insert((table, key.into(), cause.into())) {
            name(table, key, cause, consequence);
        }
    }
}

fn counter(table: &'static str) -> Counter {
    counter!("countersign_damaged_rows_total", "table" => table)
}

/// Names a row in the log, with what follows, and counts it.
pub(super) fn name(table: &'static str, key: &str, cause: &str, consequence: &str) {
    counter(table).increment(1);
    error!(table, key, cause, "{consequence}");
}
