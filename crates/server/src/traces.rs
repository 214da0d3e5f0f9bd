//! Traces: a span for each call, in the trace of its caller, exported over OTLP
//! without holding anything up.

#[cfg(feature = "otlp")]
mod call_trace;
mod ended_call;
#[cfg(feature = "otlp")]
mod export;
#[cfg(feature = "otlp")]
mod exporter;
#[cfg(feature = "otlp")]
mod trace_context;
#[cfg(not(feature = "otlp"))]
mod without;

#[cfg(feature = "otlp")]
pub(crate) use call_trace::{CallTrace, Tracer};
pub(crate) use ended_call::EndedCall;
#[cfg(feature = "otlp")]
pub(crate) use export::SpanExport;
#[cfg(not(feature = "otlp"))]
pub(crate) use without::{CallTrace, SpanExport, Tracer};
