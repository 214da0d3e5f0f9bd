//! What an operator watches: the metrics port, what it exposes, and the alerts
//! and the dashboard that rest on it.

mod documents;
mod exposition;
mod peers;
mod port;
mod readings;
mod rules;
