//! HTTP requests to providers: bounded in time and size, to addresses that were checked.

mod address;
mod client;
mod hosts;
mod tls;

pub(crate) use client::{HttpClient, Reply};
pub(crate) use hosts::Hosts;
pub(crate) use tls::{NoCertificate, Roots};
