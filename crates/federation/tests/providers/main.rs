//! Providers of sign-ins against a counterpart that lies, over real sockets and TLS. Each fault is
//! shown beside the honest run of the same provider.

mod certificates;
mod events;
mod fake;
mod faults_of_answers;
mod faults_of_keys;
mod faults_of_tokens;
mod faults_of_transport;
mod http_server;
mod kinds;
mod native;
mod refusals;
mod secrets;
mod signer;
mod world;
