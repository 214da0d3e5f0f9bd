//! Whole tokens: those that must never pass, family by family, and beside them
//! the good ones, to show that the tests can tell.

mod algorithms;
mod any_time;
mod arbitrary;
mod controls;
mod headers;
mod payloads;
mod profiles;
mod spellings;
mod support;
