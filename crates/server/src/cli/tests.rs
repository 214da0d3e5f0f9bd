//! The command line from its inside: help, messages, probing, operating, tokens, trying.

mod help;
mod messages;
mod operating;
mod probing;
mod tokens;
mod trying;
