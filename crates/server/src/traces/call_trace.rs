//! The span of a call, made when the call ends: until then it is only known when
//! it began and which trace its caller named.

use std::borrow::Cow;
use std::time::SystemTime;

use http::HeaderMap;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, TraceId, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use tonic::Code;

use crate::traces::{EndedCall, trace_context};

/// Begins the traces of calls.
#[derive(Debug, Clone)]
pub(crate) struct Tracer(pub(super) SdkTracer);

/// A call and the trace that it belongs to.
#[derive(Debug)]
pub(crate) struct CallTrace {
    tracer: SdkTracer,
    caller: Context,
    /// By the machine's clock, as the spans of other services are.
    began: SystemTime,
}

impl Tracer {
    /// A call that begins now, in the trace that its headers name.
    pub(crate) fn begin(&self, headers: &HeaderMap) -> CallTrace {
        CallTrace {
            tracer: self.0.clone(),
            caller: trace_context::of(headers),
            began: opentelemetry::time::now(),
        }
    }
}

impl CallTrace {
    /// Makes the span of the call, if its trace is sampled, and tells the trace
    /// for the log.
    pub(crate) fn end(&self, call: &EndedCall<'_>) -> Option<TraceId> {
        let builder = SpanBuilder::from_name(call.rpc.path)
            .with_kind(SpanKind::Server)
            .with_start_time(self.began);
        let mut span = self.tracer.build_with_context(builder, &self.caller);
        let is_known = span.is_recording() || self.caller.has_active_span();
        let trace_id = span.span_context().trace_id();
        if span.is_recording() {
            describe(&mut span, call);
            span.end_with_timestamp(self.began + call.took);
        }
        (is_known && trace_id != TraceId::INVALID).then_some(trace_id)
    }
}

/// The attributes of OpenTelemetry's conventions for gRPC, and the project's own.
fn describe(span: &mut Span, call: &EndedCall<'_>) {
    span.set_attributes([
        KeyValue::new("rpc.system", "grpc"),
        KeyValue::new("rpc.service", call.rpc.service),
        KeyValue::new("rpc.method", call.rpc.name),
        KeyValue::new("rpc.grpc.status_code", i64::from(i32::from(call.code))),
        KeyValue::new("countersign.request_id", call.request_id.to_owned()),
    ]);
    if let Some(caller) = call.caller {
        span.set_attribute(KeyValue::new("countersign.caller", caller.to_owned()));
    }
    if let Some(peer) = call.peer {
        let address = peer.ip().to_canonical().to_string();
        span.set_attribute(KeyValue::new("client.address", address));
        span.set_attribute(KeyValue::new("client.port", i64::from(peer.port())));
    }
    if is_fault_of_the_server(call.code) {
        // The description could only repeat the code.
        let description = Cow::default();
        span.set_status(Status::Error { description });
    }
}

/// What the conventions for the spans of gRPC servers count as an error.
fn is_fault_of_the_server(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
