//! User management: the pages on which operators find users, look at them, and change what they are and may.

mod action;
mod attributes;
mod audit;
mod confirm;
mod create;
mod edit;
mod facts;
mod kinds;
mod list;
mod operator;
mod refusals;
mod search;
mod sessions;
mod suspension;
mod typed;
mod user;

use axum::Router;

use crate::state::State;

/// The routes; none where the settings name no role.
pub(super) fn routes(state: &State) -> Router<State> {
    if state.settings.operators.is_none() {
        return Router::new();
    }
    Router::new()
        .merge(list::routes())
        .merge(create::routes())
        .merge(user::routes())
        .merge(edit::routes())
        .merge(confirm::routes())
        .merge(sessions::routes())
}
