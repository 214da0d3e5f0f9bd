//! What the whole-system tests are made of: worlds of real server processes on
//! real databases, people who sign up and in, and lines that can be cut.
//!
//! PostgreSQL, MariaDB and Redis are looked for at `COUNTERSIGN_TEST_POSTGRES`,
//! `COUNTERSIGN_TEST_MARIADB` and `COUNTERSIGN_TEST_REDIS`, or else on this
//! machine. Where one is not there its tests print `skipped: …` and pass, unless
//! `CI` is `true` or `COUNTERSIGN_TEST_REQUIRE_SERVICES` is `1`. The same holds
//! for what few tests need: PostgreSQL's and MariaDB's programs, for servers of
//! their own, and a C compiler, for clocks that are wrong and senders that stall.
//! Each guarantee prints its figures.

mod asking;
mod authenticator;
mod backend;
mod balancer;
mod callers;
mod calls;
mod canary;
mod certificates;
mod cli;
mod code_factors;
mod collector;
mod configuration;
mod crowd;
mod database_programs;
mod database_server;
mod details;
mod devices;
mod every_backend;
mod ext_authz;
mod failpoint;
mod frames;
mod gateway;
mod groups;
mod health;
mod http2;
mod identifiers;
mod imported_hashes;
mod issuer;
mod known_devices;
mod launch;
mod links;
mod log;
mod main_job;
mod messages;
mod metrics;
mod mfa;
mod openssl;
mod operators;
mod options;
mod outbox;
mod passkeys;
mod person;
mod promtool;
mod proxy;
mod raw;
mod redis;
mod redis_contents;
mod replica;
mod reply_loser;
mod service_accounts;
mod services;
mod settings;
mod shifted_clock;
mod shim;
pub mod software_authenticator;
mod spellings;
mod sql;
mod stalled_sender;
mod step_up;
mod tally;
mod times;
mod timings;
mod wait;
mod world;
mod world_options;

use std::io::{self, Write as _};

pub use asking::{ask_again_and_again, key_id};
pub use authenticator::{Authenticator, Enrolled, at_the_beginning_of_a_step, present_step};
pub use backend::{Backend, FreshDatabase, on_a_backend, on_backends_at_once};
pub use balancer::Balancer;
pub use canary::{canary_spellings, contains_any};
pub use certificates::{Authority, ClientCertificate, TlsServer};
pub use cli::{Finished, run};
pub use code_factors::masked_number;
pub use collector::{Collector, ReceivedSpan};
pub use crowd::crowd;
pub use database_server::DatabaseServer;
pub use details::{Details, reason};
pub use devices::device;
pub use ext_authz::{Decision, IDENTITY_HEADERS, ProxiedRequest};
pub use failpoint::{ChangeStep, Failpoint};
pub use gateway::{Credentials, Gateway, Line, email, phone, username};
pub use health::SERVICES;
pub use http2::{Http2, Unfinished};
pub use identifiers::{UNDO_LINK, undo_token_of};
pub use imported_hashes::{CHEAP_HASHES, DEAR_HASHES, IMPORTED_PASSWORD};
pub use issuer::Issuer;
pub use links::{LINK_PREFIX, token_of};
pub use log::Log;
pub use main_job::good_is_valid;
pub use messages::{Message, delivery_state, masked};
pub use metrics::{Metrics, Page};
pub use openssl::client_certificate_of_openssl;
pub use outbox::Step;
pub use person::{PASSWORD, Person, by_token, generation};
pub use promtool::{Checked, promtool};
pub use proxy::{Mode, Proxy};
pub use redis::RedisServer;
pub use redis_contents::Entry;
pub use replica::Replica;
pub use reply_loser::ReplyLoser;
pub use service_accounts::{
    AssertionKey, ISSUER, assertion_claims, by_assertion, by_secret, seconds_now,
};
pub use services::missing;
pub use settings::Settings;
pub use shifted_clock::ShiftedClock;
pub use software_authenticator::{Algorithm, Ceremony, SoftwareAuthenticator};
pub use spellings::{
    spellings_of_code, spellings_of_email, spellings_of_phone, spellings_of_username,
};
pub use stalled_sender::StalledSender;
pub use step_up::Shown;
pub use tally::Tally;
pub use times::Times;
pub use timings::Timings;
pub use wait::{PATIENCE, comes_true, eventually};
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
