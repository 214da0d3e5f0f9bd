//! server.

pub mod transport;
