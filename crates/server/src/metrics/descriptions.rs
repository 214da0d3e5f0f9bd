//! What each metric says, in the words that Prometheus shows and that
//! `docs/metrics.md` repeats.

use metrics::{describe_counter, describe_gauge, describe_histogram};

const COUNTERS: &[(&str, &str)] = &[
    (
        "countersign_validations_total",
        "Tokens validated, by verdict.",
    ),
    (
        "countersign_token_cache_misses_total",
        "Tokens that had to be verified, whatever came of it.",
    ),
    (
        "countersign_password_hashes_total",
        "Passwords that were hashed or compared.",
    ),
    (
        "countersign_password_hashing_shed_total",
        "Passwords that were turned away, as the queue was full.",
    ),
    (
        "countersign_database_connection_timeouts_total",
        "How often no connection came free in time, by pool.",
    ),
    (
        "countersign_damaged_rows_total",
        "Rows that could not be read and were left out, by table.",
    ),
    (
        "countersign_legacy_lookups_total",
        "Lookups in the existing database whose users are adopted, by outcome.",
    ),
    (
        "countersign_messages_sent_total",
        "Messages that the provider took over, by kind.",
    ),
    (
        "countersign_messages_deferred_total",
        "Failed tries to send a message that is tried again, by kind.",
    ),
    (
        "countersign_messages_failed_total",
        "Messages that were given up, by kind; unreadable are those of damaged rows.",
    ),
    (
        "countersign_messages_left_out_total",
        "Notices that were not sent, as their addressee had many of the kind that day.",
    ),
    (
        "countersign_message_tries_total",
        "Tries to send a message, by provider and outcome.",
    ),
    (
        "countersign_unverified_messages_total",
        "Text messages charged to budgets of those that nobody has verified yet, by whose they are.",
    ),
    (
        "countersign_unverified_messages_refused_total",
        "Text messages refused as too many are not verified, by rule.",
    ),
    (
        "countersign_unverified_messages_recorded_total",
        "Text messages sent although a rule would refuse them, as it is only recorded, by rule.",
    ),
    (
        "countersign_connections_refused_total",
        "Connections of callers that were closed, by reason.",
    ),
];

const GAUGES: &[(&str, &str)] = &[
    (
        "countersign_build_info",
        "The version that runs; the value is always 1.",
    ),
    (
        "countersign_ready",
        "Whether the server as a whole serves, as /readyz says: 1 or 0.",
    ),
    (
        "countersign_service_serving",
        "Whether a service of the contract serves, as the health service says: 1 or 0.",
    ),
    (
        "countersign_dependency_up",
        "Whether a dependency answers: 1 or 0.",
    ),
    (
        "countersign_connections",
        "Connections of callers that are open.",
    ),
    (
        "countersign_token_cache_entries",
        "Tokens in the cache of verified tokens.",
    ),
    (
        "countersign_token_cache_capacity_entries",
        "Tokens that the cache of verified tokens has room for.",
    ),
    (
        "countersign_password_hashing_waiting",
        "Places that are taken in the queue of passwords to be hashed.",
    ),
    (
        "countersign_password_hashing_queue_capacity",
        "Places in the queue of passwords to be hashed.",
    ),
    (
        "countersign_password_hashing_running",
        "Passwords that are being hashed.",
    ),
    (
        "countersign_password_hashing_threads",
        "Threads that hash passwords.",
    ),
    (
        "countersign_database_connections",
        "Connections to the database that are idle or in use, by pool.",
    ),
    (
        "countersign_database_connections_max",
        "Connections to the database that a pool may have.",
    ),
    (
        "countersign_database_connection_waiters",
        "Statements and transactions that wait for a connection, by pool.",
    ),
    (
        "countersign_outbox_messages",
        "Messages in the outbox that wait to be sent, those of other replicas included.",
    ),
    (
        "countersign_outbox_oldest_message_age_seconds",
        "How long the oldest of these messages has waited; 0 if there is none.",
    ),
    (
        "countersign_provider_circuit_open",
        "Whether a provider of messages is left alone after failures in a row: 1 or 0.",
    ),
    ("countersign_revocations", "Revocations kept in memory."),
    (
        "countersign_feed_age_seconds",
        "How long ago revocations and signing keys were read.",
    ),
    (
        "countersign_signing_keys",
        "Signing keys that can be read, by state.",
    ),
    (
        "countersign_signing_keys_damaged",
        "Signing keys that cannot be read, and are left out.",
    ),
    (
        "countersign_signing_key_age_seconds",
        "How long ago the active signing key was made; NaN if there is none.",
    ),
    (
        "countersign_signing_key_rotation_timestamp_seconds",
        "When the next signing key is to take over, as a Unix time; NaN if there is none.",
    ),
    (
        "countersign_clock_offset_seconds",
        "How far the machine's clock is ahead of the database's.",
    ),
    (
        "countersign_tls_certificate_not_after_timestamp_seconds",
        "When the first certificate of the chain that is served expires, as a Unix time.",
    ),
    (
        "countersign_tls_files_refused",
        "Whether the TLS files as they are now are refused, and the previous ones served: 1 or 0.",
    ),
];

const HISTOGRAMS: &[(&str, &str)] = &[(
    "countersign_database_connection_wait_seconds",
    "How long a connection to the database was waited for, by pool.",
)];

/// Tells them to whatever collects metrics.
pub(super) fn describe() {
    for (name, text) in COUNTERS {
        describe_counter!(*name, *text);
    }
    for (name, text) in GAUGES {
        describe_gauge!(*name, *text);
    }
    for (name, text) in HISTOGRAMS {
        describe_histogram!(*name, *text);
    }
}
