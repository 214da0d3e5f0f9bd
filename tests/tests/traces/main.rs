//! Traces: each call is a span in the trace of its caller, which tells no secret,
//! and no collector holds anything up.

mod canaries;
mod collectors;
mod spans;
mod traced;
