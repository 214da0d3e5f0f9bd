//! Logs which callers and keys came, changed and went.

use super::known::{KnownCallers, KnownKey};
use crate::rfc3339::rfc3339;

/// Logs what is different between two times.
pub(super) fn log(before: &KnownCallers, after: &KnownCallers) {
    for (name, caller) in &after.by_name {
        let roles = &caller.roles;
        match before.by_name.get(name) {
            None => tracing::info!(name, ?roles, "a caller was added"),
            Some(known) if known != caller => {
                tracing::info!(name, ?roles, "a caller was changed");
            }
            Some(_) => {}
        }
    }
    for (hash, key) in &after.by_hash {
        match before.by_hash.get(hash) {
            None => log_key(key, "a key of a caller was added"),
            Some(known)
                if known.expires_at != key.expires_at || known.caller.name != key.caller.name =>
            {
                log_key(key, "a key of a caller was changed");
            }
            Some(_) => {}
        }
    }
    for (hash, key) in &before.by_hash {
        if !after.by_hash.contains_key(hash) {
            log_key(key, "a key of a caller was removed");
        }
    }
    for (san, caller) in &after.by_san {
        if before.by_san.get(san).map(|known| &known.name) != Some(&caller.name) {
            let name = &caller.name;
            tracing::info!(name, san, "a name in certificates was added to a caller");
        }
    }
    for (san, caller) in &before.by_san {
        if !after.by_san.contains_key(san) {
            let name = &caller.name;
            tracing::info!(
                name,
                san,
                "a name in certificates was removed from a caller"
            );
        }
    }
    for name in before.by_name.keys() {
        if !after.by_name.contains_key(name) {
            tracing::info!(name, "a caller was removed");
        }
    }
}

fn log_key(key: &KnownKey, change: &str) {
    let (name, id) = (&key.caller.name, key.hash.id());
    let expires = key.expires_at.map(rfc3339);
    tracing::info!(name, key = %id, expires, "{change}");
}
