//! The pages that people meet: to sign up and in, and to look after their account. Rendered here, complete without
//! scripts.

mod accounts;
mod address_change;
mod address_undo;
mod addresses;
mod assets;
mod confirm;
mod continue_sign_up;
mod csrf;
mod devices;
mod enrollment;
mod errors;
mod factor;
mod factor_address;
mod factor_passkey;
mod factor_totp;
mod factors;
mod federated;
mod federated_cookie;
mod forgotten;
mod form;
mod language;
mod member;
mod mfa_cookie;
mod new_address;
mod page;
mod page_query;
mod passkey;
mod passkey_options;
mod password;
mod profile;
mod providers;
mod reauthenticate;
mod recovery_codes;
mod sign_in;
mod sign_in_code;
mod sign_up;
mod times;
mod users;
mod verify;
mod visitor;
mod withdraw;
mod words;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;

use crate::origin::own_pages_only;
use crate::state::State;

/// The routes.
pub(crate) fn routes(state: &State) -> Router<State> {
    Router::new()
        .route("/", get(async || Redirect::to("/profile")))
        .merge(sign_in::routes())
        .merge(sign_in_code::routes())
        .merge(factor::routes())
        .merge(sign_up::routes())
        .merge(federated::routes())
        .merge(continue_sign_up::routes())
        .merge(accounts::routes())
        .merge(forgotten::routes())
        .merge(profile::routes())
        .merge(password::routes())
        .merge(devices::routes())
        .merge(passkey::routes())
        .merge(confirm::routes())
        .merge(reauthenticate::routes())
        .merge(factors::routes())
        .merge(factor_totp::routes())
        .merge(factor_passkey::routes())
        .merge(factor_address::routes())
        .merge(recovery_codes::routes())
        .merge(addresses::routes())
        .merge(address_change::routes())
        .merge(address_undo::routes())
        .merge(withdraw::routes())
        .merge(users::routes(state))
        .layer(from_fn_with_state(state.clone(), own_pages_only))
        // Providers send browsers here, from their own pages.
        .merge(federated::callback_route())
        .merge(assets::routes())
}
