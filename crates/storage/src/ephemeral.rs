//! The ephemeral store: in process for one server, on Redis for several.

mod in_process;
mod redis;

pub use in_process::{Bounds, InProcess};
pub use redis::{Changes, Redis, RedisSettings, Subscription};
