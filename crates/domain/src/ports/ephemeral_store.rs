//! The role of keeping what is short-lived: codes, proofs, counters of attempts.
//!
//! Values and counters have room of their own: neither can push the other out,
//! and when the room of counters is full, names not counted yet are refused.
//! The laws that every adapter keeps are in `testing::ephemeral_laws`.

use std::time::Duration;

use async_trait::async_trait;

use super::{Budget, Guard, GuardedSpending, Reward, Spending};
use crate::model::Timestamp;

/// A few atomic verbs with a time to live. What has expired is not there any
/// more, for every verb. A value and a budget of one name have nothing to do
/// with each other.
#[async_trait]
pub trait EphemeralStore: Send + Sync {
    /// Keeps a value for `ttl`, in place of whatever was there.
    ///
    /// # Errors
    /// If it is not certain that the value is kept.
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), EphemeralError>;

    /// Keeps a value for `ttl` if there is none, and tells whether it did.
    ///
    /// # Errors
    /// If it could not be told.
    async fn put_if_absent(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, EphemeralError>;

    /// The value, if there is one.
    ///
    /// # Errors
    /// If it could not be told.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError>;

    /// The value, which is gone with this: of many who ask at once, one gets it.
    ///
    /// # Errors
    /// If it could not be told. The value may be gone then.
    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError>;

    /// Keeps a value with a secret for `ttl` under `key`, with all tries of
    /// [`compare`](Self::compare) ahead of it, and makes it the latest of
    /// `series`: the one that was the latest before is gone. One is charged to
    /// each of the budgets in the same atomic step, as [`spend`](Self::spend)
    /// does; if they are refused, nothing is kept and nothing is gone.
    ///
    /// # Errors
    /// If it is not certain that the secret is kept. The budgets may have been
    /// charged.
    async fn supersede(
        &self,
        budgets: &[Budget],
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<Spending, EphemeralError>;

    /// Keeps a secret as [`supersede`](Self::supersede) does, and charges as
    /// [`spend_guarded`](Self::spend_guarded) does, in one atomic step. What the
    /// right guess does besides is told by the guard, in place of the secret's
    /// own reward.
    ///
    /// # Errors
    /// If it is not certain that the secret is kept. The budgets may have been
    /// charged.
    async fn supersede_guarded(
        &self,
        budgets: &[Budget],
        guard: &Guard,
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<GuardedSpending, EphemeralError>;

    /// The value of the latest of `series`, if it is still there.
    ///
    /// # Errors
    /// If it could not be told.
    async fn latest(&self, series: &str) -> Result<Option<Vec<u8>>, EphemeralError>;

    /// Compares a guess with a secret, in one atomic step: nothing is compared
    /// if the budget of the secret is used up; a wrong guess is charged to the
    /// budget and to the tries of the secret, and the last try takes the secret;
    /// the right guess is charged to nothing, takes the secret, does what its
    /// reward says, and leaves `exchange` in its place, if one is given.
    ///
    /// # Errors
    /// If it could not be told. The guess may have been charged.
    async fn compare(
        &self,
        key: &str,
        guess: Guess<'_>,
        exchange: Option<Exchange<'_>>,
    ) -> Result<Comparison, EphemeralError>;

    /// How many wrong guesses [`compare`](Self::compare) has charged to the
    /// secret.
    ///
    /// # Errors
    /// If it could not be told.
    async fn tries(&self, key: &str) -> Result<u32, EphemeralError>;

    /// Charges one to each of the budgets, in one atomic step, or nothing to
    /// any of them if one is used up or cannot be kept. A window begins with
    /// the first charge.
    ///
    /// # Errors
    /// If the charge is not certain: the answer is then no.
    async fn spend(&self, budgets: &[Budget]) -> Result<Spending, EphemeralError>;

    /// Charges one to each of the budgets and of those of a guard, in one atomic
    /// step, as far as [`GuardedSpending`] says.
    ///
    /// # Errors
    /// If the charge is not certain: the answer is then no.
    async fn spend_guarded(
        &self,
        budgets: &[Budget],
        guard: &Guard,
    ) -> Result<GuardedSpending, EphemeralError>;

    /// Gives one back to each of the budgets, none below zero. The windows stay
    /// as they are.
    ///
    /// # Errors
    /// If it is not certain that it was given back.
    async fn refund(&self, budgets: &[Budget]) -> Result<(), EphemeralError>;

    /// Whether the store answers and takes writes.
    ///
    /// # Errors
    /// If it does not.
    async fn ping(&self) -> Result<(), EphemeralError>;
}

/// A value and the secret that guesses are compared with.
#[derive(Clone, Copy)]
pub struct Secret<'a> {
    /// What [`get`](EphemeralStore::get) and [`latest`](EphemeralStore::latest)
    /// tell.
    pub value: &'a [u8],
    /// What a guess must equal, byte for byte. Not told by any verb.
    pub secret: &'a [u8],
    /// The name of the budget that wrong guesses are charged to.
    pub budget: &'a str,
    /// From when on nothing is compared with it, by the clock of those who
    /// guess. How long it is kept goes by that of the store.
    pub expires_at: Timestamp,
    /// What the right guess does besides. It goes with the secret.
    pub reward: Option<&'a Reward>,
}

/// A guess at a secret, and under which limits it is compared.
#[derive(Clone, Copy)]
pub struct Guess<'a> {
    /// What the secret is compared with.
    pub secret: &'a [u8],
    /// When it is made.
    pub at: Timestamp,
    /// How many wrong guesses a secret bears.
    pub tries: u32,
    /// How many wrong guesses the secret's budget has room for.
    pub limit: u32,
    /// How long the window of the budget is, from the first wrong guess.
    pub window: Duration,
}

/// What is kept once the right guess has taken a secret.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// Its key.
    pub key: &'a str,
    /// What stands before the value of the secret in the new one.
    pub head: &'a [u8],
    /// How long it is kept.
    pub ttl: Duration,
}

/// What [`EphemeralStore::compare`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The guess is right, and the secret is gone.
    Matches,
    /// The guess is wrong.
    Differs {
        /// Tries left; with none the secret is gone.
        remaining: u32,
    },
    /// There is no secret, or none that is good any more. Nothing was charged.
    Absent,
    /// The budget is used up. Nothing was compared.
    Exhausted {
        /// When its window ends.
        retry_after: Duration,
    },
}

/// The store could not be asked, or it is not certain what it did.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct EphemeralError(pub String);
