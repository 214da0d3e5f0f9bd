//! The pool as its users see it.

mod digests;
mod equal_cost;
mod hashes;
mod imported;
mod queue;
mod support;
