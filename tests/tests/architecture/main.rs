//! The rules of the architecture, held by `cargo metadata` and by a reading of
//! the sources.

mod arrows;
mod boundaries;
mod circles;
mod crates;
mod documents;
mod modules;
mod outside_world;
mod units_of_work;
mod use_cases;
mod workspace;
