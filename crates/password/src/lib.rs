//! Passwords: hashing with Argon2id on a bounded pool, comparing with hashes that
//! other systems made, and an estimate of whether a password is too easy to guess.

mod backlog;
mod imported;
mod job;
mod kind;
mod memory;
mod padding;
mod parameters;
mod pool;
mod priority;
mod queue;
mod refusals;
mod shared;
mod stored_hash;
mod strength;
mod worker;

pub use parameters::{Argon2Parameters, ParametersError};
pub use pool::{Argon2Pool, PoolReading, PoolSettings, check_example};
