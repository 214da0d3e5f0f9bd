//! What tests share: a clock turned by hand, randomness from a seed, fakes of
//! the ports, and the laws that every adapter of a port must keep.

mod clock;
pub mod ephemeral_laws;
mod memory_ephemeral;
mod random;

pub use clock::HandClock;
pub use memory_ephemeral::MemoryEphemeral;
pub use random::SeededRandom;
