//! Hands spans to a collector over OTLP (gRPC): in batches, from a bounded queue,
//! past all threads that answer calls.

use std::error::Error;
use std::thread;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tokio::sync::oneshot;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use crate::config::TracesConfig;
use crate::serve_error::ServeError;
use crate::traces::Tracer;
use crate::traces::exporter::LoggedExporter;

/// The spans that wait for the collector at the most, some 1 KB each: what comes
/// on top is dropped.
const QUEUE: usize = 4096;
const BATCH: usize = 512;

/// How often a batch is sent that is not full.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long the collector may take to be reached, and to take a batch.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const EXPORT_WITHIN: Duration = Duration::from_secs(10);

/// A collector that is gone without a word is noticed after these two.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the end of the server waits for the last spans.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// How long an end that waits for nobody does: enough if nothing is under way.
const AT_ONCE: Duration = Duration::from_millis(20);

/// Hands spans to a collector, until it is dropped.
pub(crate) struct SpanExport {
    provider: SdkTracerProvider,
}

impl SpanExport {
    /// Begins to export, if there is a collector to export to; whether it is
    /// there is found out later. To be called on the runtime that its connection
    /// is to live on.
    ///
    /// # Errors
    /// If the endpoint or what OpenTelemetry's own environment variables say
    /// cannot be used.
    pub(crate) fn start(config: &TracesConfig) -> Result<Option<Self>, ServeError> {
        let Some(collector) = config.collector() else {
            return Ok(None);
        };
        let processor = processor(collector)
            .map_err(|error| ServeError::Traces(collector.to_owned(), error))?;
        let sampler = Sampler::TraceIdRatioBased(config.sample_ratio);
        let resource = Resource::builder()
            .with_service_name("countersign")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(resource)
            .build();
        Ok(Some(Self { provider }))
    }

    /// What begins the traces of calls.
    pub(crate) fn tracer(&self) -> Tracer {
        Tracer(self.provider.tracer("countersign"))
    }

    /// Hands over the last spans, if the collector takes them in time.
    pub(crate) async fn finish(&self) {
        let provider = self.provider.clone();
        let (done, finished) = oneshot::channel();
        // Not a thread of the runtime, whose end would wait for it even after a
        // second signal.
        thread::spawn(move || {
            // What goes wrong is logged by the SDK.
            let _ = provider.shutdown_with_timeout(LAST_SPANS);
            let _ = done.send(());
        });
        let _ = finished.await;
    }
}

impl Drop for SpanExport {
    /// The provider's own end would wait for the collector.
    fn drop(&mut self) {
        let _ = self.provider.shutdown_with_timeout(AT_ONCE);
    }
}

fn processor(collector: &str) -> Result<BatchSpanProcessor, Box<dyn Error + Send + Sync>> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_channel(channel(collector)?)
        .with_timeout(EXPORT_WITHIN)
        .build()?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(INTERVAL)
        .build();
    Ok(BatchSpanProcessor::new(
        LoggedExporter::new(exporter),
        batches,
    ))
}

/// A connection that is made when it is first needed, by the roots of the
/// machine if it is one of TLS.
fn channel(collector: &str) -> Result<Channel, tonic::transport::Error> {
    let mut endpoint = Endpoint::from_shared(collector.to_owned())?
        .connect_timeout(CONNECT_WITHIN)
        .timeout(EXPORT_WITHIN)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    if collector.starts_with("https:") {
        endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
    }
    Ok(endpoint.connect_lazy())
}
