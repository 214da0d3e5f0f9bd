//! The ports: the roles that the world plays for the domain. Adapters are named
//! after their technology and live in crates of their own.

mod clock;
mod ephemeral_store;
mod message_sender;
mod password_hasher;
mod random;
mod store;

pub use clock::Clock;
pub use ephemeral_store::{Comparison, Count, EphemeralError, EphemeralStore};
pub use message_sender::{Content, Message, MessageSender, SendError};
pub use password_hasher::{HashError, PasswordHasher, Verdict};
pub use random::Random;
pub use store::{Account, Horizon, Store, StoreError, UnitOfWork};
