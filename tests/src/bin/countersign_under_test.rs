//! bin.
fn main(){}
