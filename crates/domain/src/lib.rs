//! What Countersign is, without I/O: the model, the ports through which it
//! reaches the world, and one use-case for each thing that a person, a service
//! or an operator does.
//!
//! A use-case reads and hashes outside any transaction, begins a unit of work,
//! reads again what its decision rests on, writes, commits, and only then
//! sends messages. It never calls another use-case.

pub mod application;
pub mod error;
pub mod model;
pub mod ports;
#[cfg(feature = "testing")]
pub mod testing;
pub mod use_cases;
pub mod validation;

pub use application::{Application, Settings};
pub use error::{Error, FieldViolation, Fields, Limit, Refusal};
