//! What is to be done with a password, and where the answer goes: two threads
//! may do the same job, and the first answer counts.

use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, Replacement, Verdict};
use tokio::sync::oneshot;

use crate::imported::digest::SaltedDigest;
use crate::parameters::Argon2Parameters;
use crate::stored_hash::StoredHash;

/// How long a thread waits for a replacement to be asked for. The attempt is
/// counted meanwhile, if it was not before, and its user adopted.
const ASKED_WITHIN: Duration = Duration::from_millis(250);

pub(crate) enum Job {
    Hash(Password, Reply<PasswordHash>),
    Verify(Password, Stored, Reply<Verdict>),
    /// A comparison, and what is stored in place of the digest.
    VerifyDigest(Password, SaltedDigest, Reply<(Verdict, PasswordHash)>),
    Wrap(SaltedDigest, Reply<PasswordHash>),
}

/// What a password is compared with.
pub(crate) enum Stored {
    Hash(StoredHash),
    /// Nobody has such an account, or it has no password.
    Nothing,
    /// A hash that cannot be read, and why.
    Unreadable(&'static str),
}

/// Where the answer goes, until there is one.
pub(crate) struct Reply<T>(Mutex<Option<Sender<T>>>);

type Sender<T> = oneshot::Sender<Result<T, HashError>>;

/// The thread's end of a [`Replacement`].
pub(crate) struct Asked {
    asked: mpsc::Receiver<()>,
    hash: oneshot::Sender<PasswordHash>,
}

impl Job {
    /// Whether somebody still waits for the answer.
    pub(crate) fn is_wanted(&self) -> bool {
        match self {
            Self::Hash(_, reply) | Self::Wrap(_, reply) => reply.is_wanted(),
            Self::Verify(_, _, reply) => reply.is_wanted(),
            Self::VerifyDigest(_, _, reply) => reply.is_wanted(),
        }
    }
}

impl Stored {
    pub(crate) fn read(hash: Option<&PasswordHash>, today: Argon2Parameters) -> Self {
        match hash.map(|hash| StoredHash::parse(hash.expose(), today)) {
            Some(Ok(hash)) => Self::Hash(hash),
            Some(Err(reason)) => Self::Unreadable(reason),
            None => Self::Nothing,
        }
    }
}

impl<T> Reply<T> {
    pub(crate) fn new(sender: Sender<T>) -> Self {
        Self(Mutex::new(Some(sender)))
    }

    /// Takes it for an answer. `None` if there was one.
    pub(crate) fn take(&self) -> Option<Sender<T>> {
        self.lock().take()
    }

    fn is_wanted(&self) -> bool {
        self.lock().as_ref().is_some_and(|reply| !reply.is_closed())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sender<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// Both ends of a replacement.
    pub(crate) fn new() -> (Replacement, Self) {
        let (ask, asked) = mpsc::channel();
        let (hash, hashed) = oneshot::channel();
        let replacement = Replacement::new(Box::pin(async move {
            ask.send(()).ok()?;
            hashed.await.ok()
        }));
        (replacement, Self { asked, hash })
    }

    /// Makes the hash, unless it is not asked for.
    pub(crate) fn serve(self, hash: impl FnOnce() -> Result<PasswordHash, HashError>) {
        if self.asked.recv_timeout(ASKED_WITHIN).is_ok()
            && let Ok(hash) = hash()
        {
            // Who left meanwhile keeps the old one.
            drop(self.hash.send(hash));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_wanted_until_it_is_answered_or_its_caller_left() {
        let (sender, answer) = oneshot::channel();
        let password = Password::to_compare("correct horse".into()).expect("a password");
        let job = Job::Hash(password, Reply::new(sender));
        assert!(job.is_wanted());
        let Job::Hash(_, reply) = &job else {
            unreachable!("it was made above");
        };
        assert!(reply.take().is_some() && reply.take().is_none());
        assert!(!job.is_wanted());
        drop(answer);

        let (sender, answer) = oneshot::channel::<Result<Verdict, HashError>>();
        let reply = Reply::new(sender);
        assert!(reply.is_wanted());
        drop(answer);
        assert!(!reply.is_wanted());
    }

    #[tokio::test]
    async fn a_replacement_is_made_only_if_it_is_asked_for() {
        let made = || Ok(PasswordHash::new("new".into()));
        let (replacement, asked) = Asked::new();
        let thread = std::thread::spawn(move || asked.serve(made));
        assert!(replacement.hash().await.is_some());
        thread.join().expect("a thread");

        let never = || unreachable!("it was not asked for");
        let (replacement, asked) = Asked::new();
        drop(replacement);
        asked.serve(never);
        let (replacement, asked) = Asked::new();
        asked.serve(never);
        assert!(
            replacement.hash().await.is_none(),
            "it was asked for too late"
        );
    }
}
