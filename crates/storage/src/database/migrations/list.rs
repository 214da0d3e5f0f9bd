//! The migrations, oldest first.

use super::m0001_create_tables;
use super::step::Migration;

pub(super) const MIGRATIONS: &[Migration] = &[m0001_create_tables::MIGRATION];

/// The version of the tables that this release knows.
pub(super) fn known_version() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_and_named_by_number() {
        for (number, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.version, number);
            assert!(migration.name.starts_with(&format!("m{number:04}_")));
            assert!((1..=number).contains(&migration.compatible_from));
        }
        assert_eq!(known_version(), MIGRATIONS.len() as i64);
    }
}
