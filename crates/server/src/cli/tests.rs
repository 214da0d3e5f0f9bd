//! The command line from its inside: help, probing, operating, trying.

mod help;
mod operating;
mod probing;
mod trying;
