//! Wake-up calls among replicas, over Redis' publish and subscribe.
//!
//! They are hints: Redis keeps no message for who is not there, so a subscriber
//! looks by itself after each connecting, and now and then.

use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use countersign_domain::ports::EphemeralError;
use deadpool_redis::redis::PushKind;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::call::{Lua, StaticLua};
use super::calls::Calls;

/// How often a subscriber makes sure that Redis is still there.
const PROBE_INTERVAL: Duration = Duration::from_secs(3);

/// The pauses before connecting again: the first, doubled each time up to the
/// longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Key: the channel. A replica refuses it, as messages do not go from replicas
/// to their master.
static PUBLISH: StaticLua = LazyLock::new(|| {
    Lua::new(
        "#!lua flags=allow-oom
        redis.call('PUBLISH', KEYS[1], '')",
    )
});

/// A channel on which replicas tell each other that something has changed, and
/// nothing more.
///
/// Publishing ends when it is dropped; subscriptions go on.
pub struct Changes {
    calls: Arc<Calls>,
    channel: Arc<str>,
    published: Arc<Notify>,
    publisher: AbortHandle,
}

/// Ends the subscription when it is dropped.
#[must_use = "a subscription ends when it is dropped"]
pub struct Subscription(AbortHandle);

impl Changes {
    pub(super) fn new(calls: Arc<Calls>, channel: String) -> Self {
        let channel: Arc<str> = channel.into();
        let published = Arc::new(Notify::new());
        let publishing = publish_when_asked(
            Arc::clone(&calls),
            Arc::clone(&channel),
            Arc::clone(&published),
        );
        Self {
            calls,
            channel,
            published,
            publisher: tokio::spawn(publishing).abort_handle(),
        }
    }

    /// Tells all subscribers soon, without waiting for it. Calls that come while
    /// a message is being published are one message together. A message that
    /// cannot be published is lost.
    pub fn publish(&self) {
        self.published.notify_one();
    }

    /// Calls `on_change` after each message, this replica's own included, and
    /// after each time that Redis was connected, since messages may have been
    /// missed before. It must not block.
    ///
    /// # Panics
    /// If it is called outside a Tokio runtime.
    pub fn subscribe(&self, on_change: impl Fn() + Send + Sync + 'static) -> Subscription {
        let listening = listen(
            Arc::clone(&self.calls),
            Arc::clone(&self.channel),
            Arc::new(on_change),
        );
        Subscription(tokio::spawn(listening).abort_handle())
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.publisher.abort();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn publish_when_asked(calls: Arc<Calls>, channel: Arc<str>, published: Arc<Notify>) {
    loop {
        published.notified().await;
        let mut publish = PUBLISH.call();
        publish.key(&*channel);
        let answer: Result<(), EphemeralError> = calls.ask("publish", publish).await;
        if let Err(error) = answer {
            tracing::debug!(%error, "a wake-up call was not published");
        }
    }
}

async fn listen(
    calls: Arc<Calls>,
    channel: Arc<str>,
    on_change: Arc<impl Fn() + Send + Sync + 'static>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let ended = Arc::new(Notify::new());
        let (told, end) = (Arc::clone(&on_change), Arc::clone(&ended));
        let on_push = move |push| match push {
            PushKind::Message => told(),
            PushKind::Disconnection => end.notify_one(),
            _ => (),
        };
        match calls.connections.subscribe(&channel, on_push).await {
            Ok(mut connection) => {
                pause = FIRST_PAUSE;
                on_change();
                loop {
                    tokio::select! {
                        () = ended.notified() => break,
                        () = sleep(PROBE_INTERVAL) => (),
                    }
                    if let Err(error) = calls.connections.probe(&mut connection).await {
                        tracing::debug!(%error, "the wake-up calls are not heard");
                        break;
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "the wake-up calls are not heard"),
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
