//! The command line from its inside: help, probing, operating, walking.

mod help;
mod operating;
mod probing;
mod walking;
