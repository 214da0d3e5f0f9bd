//! What is to be done with a password, and where the answer goes: two threads
//! may do the same job, and the first answer counts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, Verdict};
use tokio::sync::oneshot;

pub(crate) struct Job {
    pub(crate) password: Password,
    pub(crate) task: Task,
}

pub(crate) enum Task {
    Hash(Reply<PasswordHash>),
    Verify(Option<PasswordHash>, Reply<Verdict>),
}

/// Where the answer goes, until there is one.
pub(crate) struct Reply<T>(Mutex<Option<Sender<T>>>);

type Sender<T> = oneshot::Sender<Result<T, HashError>>;

impl Job {
    /// Whether somebody still waits for the answer.
    pub(crate) fn is_wanted(&self) -> bool {
        match &self.task {
            Task::Hash(reply) => reply.is_wanted(),
            Task::Verify(_, reply) => reply.is_wanted(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_wanted_until_it_is_answered_or_its_caller_left() {
        let (sender, answer) = oneshot::channel();
        let job = Job {
            password: Password::to_compare("correct horse".into()).expect("a password"),
            task: Task::Hash(Reply::new(sender)),
        };
        assert!(job.is_wanted());
        let Task::Hash(reply) = &job.task else {
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
}
