//! Tables as other programs make them, on real databases: what is read of them, whom
//! a lookup finds, and what an outage does.

mod database;
mod outages;
mod proxy;
mod reading;
mod tls;
