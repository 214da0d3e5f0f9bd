//! The use-cases on fakes with a clock turned by hand, and the laws that the
//! fakes keep: one program, which is linked once.

mod adoption;
mod changed_settings;
mod code_factors;
mod codes;
mod database_clock;
mod devices;
mod ephemeral_laws;
mod factors;
mod feed;
mod group_policies;
mod groups;
mod identifier_changes;
mod identifiers;
mod limits;
mod links;
mod mfa_sessions;
mod notices;
mod outages;
mod outbox;
mod passkeys;
mod password_changes;
mod proofs;
mod refresh;
mod roles;
mod sessions;
mod sign_in;
mod sign_in_with_factors;
mod sign_up;
mod signing_keys;
mod step_up;
mod store_laws;
mod token_profiles;
mod unverified;
mod users;
mod validation;
