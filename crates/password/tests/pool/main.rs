//! The pool as its users see it.

mod equal_cost;
mod hashes;
mod queue;
mod support;
