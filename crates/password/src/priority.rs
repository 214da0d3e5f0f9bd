//! How hashing threads step back behind others that have work, which is far less
//! of it: the answers to most calls take microseconds, a hash some twenty
//! milliseconds.

const NICENESS: i32 = 10;

/// Lets this thread run only where no other would (`SCHED_IDLE`, Linux), and says
/// whether it does. Who wakes takes the core from it at once; from a thread that
/// is merely nice, at the end of its slice of some 3 ms.
///
/// There is no way back, and the thread has next to nothing of a core that others
/// use up.
#[cfg(target_os = "linux")]
pub(crate) fn run_when_idle() -> bool {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id, thread_schedule_policy,
    };

    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
    // It sets a niceness of 0 besides, which means nothing under this policy and
    // is refused to a process that was started with a higher one.
    if thread_schedule_policy() == Ok(idle) {
        return true;
    }
    tracing::debug!(?set, "hashing threads are not of idle priority");
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run_when_idle() -> bool {
    false
}

/// Makes this thread nice, if the system lets it. On Linux a thread has a
/// niceness of its own.
pub(crate) fn be_nice() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "a hashing thread keeps the priority of the others");
    }
}
