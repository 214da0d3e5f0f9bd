//! Apple's server-to-server notifications: a JWT of Apple's keys in a JSON object.

use countersign_domain::model::{
    ProviderEvent, ProviderEventKind, ProviderNotification, ProviderSubject, Timestamp,
};

use crate::connection::{Connection, Purpose};
use crate::failure::Failure;
use crate::id_token::{self, LEEWAY};
use crate::json::Members;

/// Reads one; `None` if it tells of an address alone.
///
/// # Errors
/// Rejected if it is not Apple's, for another client, or expired.
pub(super) async fn read(
    provider: &Connection,
    notification: &ProviderNotification,
) -> Result<Option<ProviderEvent>, Failure> {
    let payload = Members::read(&notification.body)?.required("payload")?;
    let token = provider.verified(&payload, Purpose::SignIns).await?;
    let claims = token.claims();
    if claims.required("iss")? != provider.issuer() {
        return Err(Failure::rejected("it is of another issuer"));
    }
    let audiences = id_token::audiences(claims)?;
    let is_ours = |audience: &String| provider.clients().any(|client| client == audience);
    if !audiences.iter().all(is_ours) {
        return Err(Failure::rejected("it is for another client"));
    }
    id_token::check_issued(claims, provider.now())?;
    let expires = claims.seconds("exp")?;
    let expires = expires.ok_or_else(|| Failure::rejected("it has no exp"))?;
    if expires.saturating_add(LEEWAY) <= provider.now() {
        return Err(Failure::rejected("it has expired"));
    }
    let id = id_token::checked_subject(claims.required("jti")?)?;
    let event = event(claims)?;
    let kind = match event.required("type")?.as_str() {
        "consent-revoked" => ProviderEventKind::ConsentRevoked,
        // Apple's pages say the one, its servers the other.
        "account-deleted" | "account-delete" => ProviderEventKind::AccountDeleted,
        _ => return Ok(None),
    };
    Ok(Some(ProviderEvent {
        subject: ProviderSubject {
            issuer: provider.issuer().to_owned(),
            subject: id_token::subject(&event)?,
        },
        kind,
        id,
        at: event
            .get("event_time")
            .ok()
            .flatten()
            .map(Timestamp::from_millis),
    }))
}

/// `events` is a text with an object in it, or the object.
fn event(claims: &Members) -> Result<Members, Failure> {
    if let Ok(Some(text)) = claims.text("events") {
        return Members::read(text.as_bytes());
    }
    claims
        .object("events")?
        .ok_or_else(|| Failure::rejected("it has no events"))
}
