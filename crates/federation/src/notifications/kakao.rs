//! Kakao's unlink webhook: a form, or a query, that shows the app's admin key.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use countersign_domain::model::{
    ProviderEvent, ProviderEventKind, ProviderNotification, ProviderSubject,
};
use secrecy::ExposeSecret as _;

use super::parameters::Parameters;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::id_token::{checked_subject, sha256};

/// Messages that say the same within these seconds are one.
const REPEATED_WITHIN: i64 = 600;

/// Reads one.
///
/// # Errors
/// Rejected unless it shows the admin key and names a person of this app.
pub(super) fn read(
    provider: &Connection,
    notification: &ProviderNotification,
) -> Result<ProviderEvent, Failure> {
    let key = provider.config.admin_key.as_ref();
    let key = key.ok_or_else(|| Failure::rejected("admin_key is not configured"))?;
    let expected = format!("KakaoAK {}", key.expose_secret());
    let shown = notification.authorization.as_bytes();
    verify_slices_are_equal(shown, expected.as_bytes())
        .map_err(|_| Failure::rejected("it does not show the admin key"))?;
    let parameters = Parameters::read(notification)?;
    let app_id = parameters.required("app_id")?;
    if provider
        .config
        .app_id
        .as_deref()
        .is_some_and(|own| own != app_id)
    {
        return Err(Failure::rejected("it is for another app"));
    }
    let user_id = checked_subject(parameters.required("user_id")?.to_owned())?;
    let reason = parameters.get("referrer_type").unwrap_or_default();
    let kind = match reason {
        "ACCOUNT_DELETE" | "FORCED_ACCOUNT_DELETE" => ProviderEventKind::AccountDeleted,
        _ => ProviderEventKind::ConsentRevoked,
    };
    let window = provider.now() / REPEATED_WITHIN;
    Ok(ProviderEvent {
        id: sha256(&format!("{app_id}\n{user_id}\n{reason}\n{window}")),
        subject: ProviderSubject {
            issuer: provider.issuer().to_owned(),
            subject: user_id,
        },
        kind,
        at: None,
    })
}
