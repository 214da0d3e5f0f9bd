//! The roles through which the domain reaches the world. An adapter fills one;
//! the laws that it must keep are in `testing`, behind the feature of that name.
//!
//! What lasts is split by aggregate: each file has a trait of what can be read,
//! or changed in one statement, and a trait of the changes that belong to a
//! unit of work. [`Store`] and [`UnitOfWork`] are their sums.

mod audit_log;
mod budget;
mod callers;
mod clock;
mod credentials;
mod devices;
mod ephemeral_store;
mod existing_users;
mod factors;
mod federated_identities;
mod groups;
mod guard;
mod identifier_undos;
mod identity_providers;
mod many_users;
mod message_sender;
mod notifier;
mod outbox;
mod password_hasher;
mod random;
mod revocations;
mod service_accounts;
mod sessions;
mod signing_keys;
mod store;
mod store_error;
mod tombstones;
mod users;

pub use audit_log::{AuditChanges, AuditLog, AuditPage};
pub use budget::{Budget, Spending};
pub use callers::{AllCallers, CallerChanges, Callers};
pub use clock::Clock;
pub use credentials::{CredentialChanges, Credentials};
pub use devices::{DeviceChanges, DeviceTouch, Devices};
pub use ephemeral_store::{Comparison, EphemeralError, EphemeralStore, Exchange, Guess, Secret};
pub use existing_users::{ExistingPage, ExistingUsers, ExistingUsersError, Holder, ReadUser};
pub use factors::{FactorChanges, Factors};
pub use federated_identities::{FederatedIdentities, FederatedIdentityChanges};
pub use groups::{AllGroups, GroupChanges, GroupPage, Groups};
pub use guard::{Alternative, Guard, GuardedSpending, Learnt, LearntBudget, Raise, Reward};
pub use identifier_undos::{IdentifierUndoChanges, IdentifierUndos};
pub use identity_providers::{IdentityProviders, ProviderError};
pub use many_users::{ManyUserChanges, ManyUsers, NewAccount};
pub use message_sender::{Content, Message, MessageSender, SendError};
pub use notifier::Notifier;
pub use outbox::{Outbox, OutboxChanges};
pub use password_hasher::{HashError, HashingPlace, PasswordHasher, Replacement, Verdict};
pub use random::Random;
pub use revocations::{FeedPage, FeedPosition, RevocationChanges, Revocations};
pub use service_accounts::{ServiceAccountChanges, ServiceAccountPage, ServiceAccounts};
pub use sessions::{SessionChanges, Sessions};
pub use signing_keys::{SigningKeyChanges, SigningKeys};
pub use store::{LONGEST_UNIT_OF_WORK, Retention, Store, UnitOfWork};
pub use store_error::StoreError;
pub use tombstones::TombstoneChanges;
pub use users::{Account, DueUsers, ListedUser, UserChanges, UserPage, Users};
