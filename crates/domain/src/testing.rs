//! What tests share: a clock turned by hand, randomness from a seed, fakes of
//! the ports, and the laws that every adapter of a port must keep.

mod clock;
pub mod ephemeral_laws;
mod fake_providers;
mod memory_ephemeral;
mod memory_store;
mod notifications;
mod plain_hasher;
mod random;
pub mod reference;
mod sent_messages;
pub mod store_laws;
mod whole_feed;
mod world;

pub use clock::HandClock;
pub use fake_providers::FakeProviders;
pub use memory_ephemeral::MemoryEphemeral;
pub use memory_store::MemoryStore;
pub use notifications::Notifications;
pub use plain_hasher::PlainHasher;
pub use random::SeededRandom;
pub use sent_messages::SentMessages;
pub use whole_feed::whole_feed;
pub use world::{
    LINK_PREFIX, World, address, password, phone_code, refusal, send_code, send_link, sign_in,
};
