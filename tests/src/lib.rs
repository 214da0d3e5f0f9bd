//! What the whole-system tests are made of: worlds of real server processes on
//! real databases, people who sign up and in, and lines that can be cut.
//!
//! PostgreSQL, MariaDB and Redis are looked for at `COUNTERSIGN_TEST_POSTGRES`,
//! `COUNTERSIGN_TEST_MARIADB` and `COUNTERSIGN_TEST_REDIS`, or else on this
//! machine. Where one is not there its tests print `skipped: …` and pass, unless
//! `CI` is `true` or `COUNTERSIGN_REQUIRE_SERVICES` is `1`. Each guarantee
//! prints its figures.

mod backend;
mod calls;
mod cli;
mod crowd;
mod details;
mod every_backend;
mod frames;
mod gateway;
mod launch;
mod log;
mod person;
mod proxy;
mod raw;
mod redis;
mod replica;
mod reply_loser;
mod services;
mod settings;
mod spellings;
mod tally;
mod wait;
mod world;

use std::io::{self, Write as _};

pub use backend::{Backend, FreshDatabase, on_a_backend};
pub use cli::{Finished, run};
pub use crowd::crowd;
pub use details::{Details, reason};
pub use gateway::{Credentials, Gateway, Line, email, phone, username};
pub use log::Log;
pub use person::{PASSWORD, Person, by_token, generation};
pub use proxy::{Mode, Proxy};
pub use redis::RedisServer;
pub use replica::Replica;
pub use reply_loser::ReplyLoser;
pub use settings::Settings;
pub use spellings::{spellings_of_email, spellings_of_phone, spellings_of_username};
pub use tally::Tally;
pub use wait::{PATIENCE, eventually};
pub use world::{World, WorldBuilder};

/// Says a line in every run: what `println!` says is shown for failing tests only.
#[macro_export]
macro_rules! say {
    ($($line:tt)*) => {
        $crate::write_line(format_args!($($line)*))
    };
}

/// Writes a line to standard error.
pub fn write_line(line: std::fmt::Arguments<'_>) {
    writeln!(io::stderr(), "{line}").ok();
}
