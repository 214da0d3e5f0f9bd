//! By which authentication a factor was enrolled. Of a row without it, as those are
//! that were there before and those of the release before, that is not known: it is
//! asked for.

use sea_orm::sea_query::ColumnDef;
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, add_column};

pub(super) const MIGRATION: Migration = Migration {
    version: 10,
    name: "m0010_add_enrolling_authentications",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let mut column = ColumnDef::new("enrolled_by").binary_len(24).null().take();
    vec![add_column(backend, "factors", &mut column)]
}
