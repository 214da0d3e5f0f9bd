//! The command line from its inside: help, messages, probing, operating, trying.

mod help;
mod messages;
mod operating;
mod probing;
mod trying;
