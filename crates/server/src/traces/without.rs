//! A build without the feature `otlp` makes no spans: these types have no
//! values, and what is asked of them is not compiled into anything.

use std::convert::Infallible;

use http::HeaderMap;

use crate::config::TracesConfig;
use crate::serve_error::ServeError;
use crate::traces::EndedCall;

/// Hands spans to a collector.
pub(crate) enum SpanExport {}

/// Begins the traces of calls.
#[derive(Debug, Clone)]
pub(crate) enum Tracer {}

/// A call and the trace that it belongs to.
#[derive(Debug)]
pub(crate) enum CallTrace {}

impl SpanExport {
    /// None. A collector was refused with the configuration.
    #[expect(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
    pub(crate) fn start(_: &TracesConfig) -> Result<Option<Self>, ServeError> {
        Ok(None)
    }

    pub(crate) fn tracer(&self) -> Tracer {
        match *self {}
    }

    pub(crate) async fn finish(&self) {
        match *self {}
    }
}

impl Tracer {
    pub(crate) fn begin(&self, _: &HeaderMap) -> CallTrace {
        match *self {}
    }
}

impl CallTrace {
    pub(crate) fn end(&self, _: &EndedCall<'_>) -> Option<Infallible> {
        match *self {}
    }
}
