//! A shop's orders, over HTTP and over gRPC, for people who are signed in and
//! for others.

pub mod grpc;
pub mod http;
