//! bench.
fn main(){}
