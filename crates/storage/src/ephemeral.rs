//! The ephemeral store: in process for one server, on Redis for several.

mod in_process;
mod redis;

pub use in_process::InProcess;
pub use redis::{Redis, RedisSettings};
