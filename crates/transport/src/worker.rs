//! Threads with a single-threaded runtime each, whose end is always noticed.

use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::sync_channel,
    thread::{self, JoinHandle},
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc::UnboundedSender,
};

use super::TransportError;

/// A thread has ended: what it returned, or the text of its panic.
#[derive(Debug)]
pub(super) struct WorkerEnd<T> {
    pub(super) name: String,
    pub(super) outcome: Result<T, String>,
}

/// Starts a thread that runs `body` on its own runtime, and returns once the runtime is there.
///
/// # Errors
/// [`TransportError::Thread`] if the thread or its runtime cannot be created.
pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    ended: UnboundedSender<WorkerEnd<T>>,
    body: impl FnOnce(&Runtime) -> T + Send + 'static,
) -> Result<JoinHandle<()>, TransportError> {
    start(name.to_owned(), ended, body).map_err(|source| TransportError::Thread {
        name: name.to_owned(),
        source,
    })
}

fn start<T: Send + 'static>(
    name: String,
    ended: UnboundedSender<WorkerEnd<T>>,
    body: impl FnOnce(&Runtime) -> T + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let builder = thread::Builder::new().name(name.clone());
    let (started, start) = sync_channel(1);
    // The runtime is built on its thread: one that is dropped inside the caller's runtime would panic.
    let thread = builder.spawn(move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = started.send(Err(error));
                return;
            }
        };
        let _ = started.send(Ok(()));
        let outcome =
            catch_unwind(AssertUnwindSafe(|| body(&runtime))).map_err(|panic| text_of(&*panic));
        runtime.shutdown_background();
        // Nobody listens any more when the transport was dropped without a drain.
        let _ = ended.send(WorkerEnd { name, outcome });
    })?;
    start.recv().map_err(io::Error::other)??;
    Ok(thread)
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "panicked".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn the_panic_of_a_thread_is_reported_with_its_name_and_text() {
        let (ended, mut ends) = mpsc::unbounded_channel::<WorkerEnd<()>>();
        let thread = spawn("grpc-9", ended, |_| panic!("out of luck")).unwrap();
        let end = ends.recv().await.unwrap();
        assert_eq!(end.name, "grpc-9");
        assert_eq!(end.outcome.unwrap_err(), "out of luck");
        thread.join().unwrap();
    }
}
