//! What a browser is asked for a new passkey.

use crate::application::{Application, Enrollment, Given};
use crate::error::Error;
use crate::model::CreationOptions;
use crate::ports::Clock as _;

/// What a browser makes a passkey with, if one is enrolled.
pub(super) async fn creation_options(
    app: &Application,
    enrollment: &Enrollment,
    account: &str,
) -> Result<Option<String>, Error> {
    let Given::Passkey(challenge) = &enrollment.given else {
        return Ok(None);
    };
    let options = CreationOptions {
        relying_party: app.passkeys.relying_party()?,
        challenge,
        user: enrollment.user.id,
        account,
        exclude: &app.passkeys.excluded(enrollment.user.id).await?,
        timeout: enrollment.expires_at.since(app.clock.now()),
    };
    Ok(Some(options.to_json()))
}
