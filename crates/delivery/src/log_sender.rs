//! The provider of the embedded default: it delivers nothing and writes each
//! message, its code or link in the clear, to the log, so that the service can be tried
//! out without a provider.

use async_trait::async_trait;

use crate::outgoing::{Enclosed, Outgoing};
use crate::provider::{Accepted, Progress, Provider, ProviderError};

/// Writes messages to the log, at level INFO under `countersign::delivery`.
///
/// This is the one place where a code or a link is written in the clear, and each line
/// says that it is for trying out only. The address is masked all the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogSender;

#[async_trait]
impl Provider for LogSender {
    fn name(&self) -> &'static str {
        "log"
    }

    async fn deliver(
        &self,
        message: &Outgoing,
        progress: &Progress,
    ) -> Result<Accepted, ProviderError> {
        progress.hand_over();
        let secret = message.secret.as_ref();
        tracing::info!(
            target: "countersign::delivery",
            to = message.to.masked(),
            code = secret.and_then(Enclosed::code),
            link = secret.and_then(Enclosed::link),
            text = message.text(),
            "not delivered: the log sender is for trying out only"
        );
        Ok(Accepted("written to the log".into()))
    }
}
