//! Providers against counterparts that speak their protocols, over real sockets.

mod common;
mod failover;
mod http_server;
mod sens;
mod smtp;
mod smtp_server;
mod webhook;
