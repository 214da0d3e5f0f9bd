//! Exit codes by kind, as `sysexits.h` of BSD has them. None of them is one of
//! `healthcheck`, which has those of grpc-health-probe, 1 to 4.

use std::error::Error;

use countersign_storage::ConnectError;

use crate::config::ConfigError;
use crate::serve_error::ServeError;

/// It was not done: refused, failed, or nothing was to be done.
pub(super) const FAILURE: u8 = 1;
/// The arguments are wrong.
pub(super) const USAGE: u8 = 64;
/// The database, Redis or the server cannot be reached.
pub(super) const UNAVAILABLE: u8 = 69;
/// The configuration is wrong.
pub(super) const CONFIG: u8 = 78;

/// The exit code after an error.
pub(super) fn after(error: &(dyn Error + 'static)) -> u8 {
    if error.is::<ConfigError>() {
        return CONFIG;
    }
    let connecting = match error.downcast_ref() {
        Some(ServeError::Redis(_)) => return UNAVAILABLE,
        Some(ServeError::Federation(_)) => return CONFIG,
        Some(ServeError::Database(error)) => Some(error),
        _ => error.downcast_ref(),
    };
    match connecting {
        Some(ConnectError::Unreachable { .. }) => UNAVAILABLE,
        Some(ConnectError::Url(..) | ConnectError::Scheme(_)) => CONFIG,
        Some(ConnectError::Missing(_)) | None => FAILURE,
    }
}
