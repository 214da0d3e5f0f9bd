//! A reference model of all that the service decides about people, and random
//! sequences of calls: whatever is asked in whatever order, the service answers
//! what the model says.
//!
//! The model keeps lists, and knows no storage, no cryptography and no races.
//! Limits on passwords and messages are not in it: what is run against it has
//! them so high that they are out of the way. Neither is any `mfa.policy` but
//! `optional`.

mod answer;
mod budget;
mod call;
mod generator;
mod model;
mod run;
mod step;
mod tally;

pub use answer::{Answer, Given, Tokens};
pub use call::{
    Call, FIRST_PHONE, FactorCode, Grant, NamedUser, NewFactor, RPCS, Required, StepUp, Subject,
    Which, Who,
};
pub use generator::{Shape, sequence};
pub use run::{Failure, play, shrink};
pub use step::{At, Device, Guess, Pick, Shown, Step};
pub use tally::Tally;
