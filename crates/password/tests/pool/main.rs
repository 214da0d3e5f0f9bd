//! The pool as its users see it.

mod equal_cost;
mod hashes;
mod imported;
mod queue;
mod support;
