//! The migrations, oldest first.

use super::step::Migration;
use super::{
    m0001_create_tables, m0002_create_caller_keys, m0003_create_caller_sans, m0004_create_factors,
    m0005_add_passkeys, m0006_create_devices, m0007_add_authentication_times,
    m0008_create_identifier_undos, m0009_index_outbox_by_kind, m0010_add_enrolling_authentications,
    m0011_add_user_profiles, m0012_create_groups, m0013_create_service_accounts,
    m0014_create_audit_events, m0015_create_federated_identities,
};

pub(super) const MIGRATIONS: &[Migration] = &[
    m0001_create_tables::MIGRATION,
    m0002_create_caller_keys::MIGRATION,
    m0003_create_caller_sans::MIGRATION,
    m0004_create_factors::MIGRATION,
    m0005_add_passkeys::MIGRATION,
    m0006_create_devices::MIGRATION,
    m0007_add_authentication_times::MIGRATION,
    m0008_create_identifier_undos::MIGRATION,
    m0009_index_outbox_by_kind::MIGRATION,
    m0010_add_enrolling_authentications::MIGRATION,
    m0011_add_user_profiles::MIGRATION,
    m0012_create_groups::MIGRATION,
    m0013_create_service_accounts::MIGRATION,
    m0014_create_audit_events::MIGRATION,
    m0015_create_federated_identities::MIGRATION,
];

/// The version of the tables that this release knows.
pub(super) fn known_version() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_and_named_by_number() {
        let mut before = 0;
        for migration in MIGRATIONS {
            let number = migration.version;
            assert!(number > before, "{} after {before}", migration.name);
            assert!(migration.name.starts_with(&format!("m{number:04}_")));
            assert!((1..=number).contains(&migration.compatible_from));
            before = number;
        }
        assert_eq!(known_version(), before);
    }
}
