//! Security event tokens (RFC 8417) as Google and Kakao send them: signed, and never expiring.

use countersign_domain::model::{
    ProviderEvent, ProviderEventKind, ProviderKind, ProviderNotification, ProviderSubject,
    Timestamp,
};

use crate::connection::{Connection, Purpose};
use crate::failure::Failure;
use crate::id_token;
use crate::json::Members;

/// Where the names of events begin.
const SCHEMAS: &str = "https://schemas.openid.net/secevent/";

/// Reads one; `None` if nothing in it concerns us.
///
/// # Errors
/// Rejected if it is not the provider's, or for another client.
pub(super) async fn read(
    provider: &Connection,
    notification: &ProviderNotification,
    purpose: Purpose,
) -> Result<Option<ProviderEvent>, Failure> {
    let token = std::str::from_utf8(&notification.body)
        .map_err(|_| Failure::rejected("it is not UTF-8"))?;
    let token = provider.verified(token.trim(), purpose).await?;
    if !token.has_type("secevent+jwt") {
        return Err(Failure::rejected("it is not a security event token"));
    }
    let claims = token.claims();
    if !provider.is_event_issuer(&claims.required("iss")?) {
        return Err(Failure::rejected("it is of another issuer"));
    }
    let app_id = provider.config.app_id.as_deref();
    let is_ours = |audience: &String| {
        provider
            .clients()
            .chain(app_id)
            .any(|client| client == audience)
    };
    if !id_token::audiences(claims)?.iter().any(is_ours) {
        return Err(Failure::rejected("it is for another client"));
    }
    let issued = id_token::check_issued(claims, provider.now())?;
    let id = id_token::checked_subject(claims.required("jti")?)?;
    let events = claims.object("events")?;
    let events = events.ok_or_else(|| Failure::rejected("it has no events"))?;
    let mut gravest = None;
    for (name, raw) in events.raw() {
        let Some(kind) = kind(provider.config.kind, name) else {
            continue;
        };
        let event = Members::read(raw.get().as_bytes())?;
        let Some(subject) = subject(provider, claims, &event)? else {
            continue;
        };
        let found = ProviderEvent {
            subject: ProviderSubject {
                issuer: provider.issuer().to_owned(),
                subject,
            },
            kind,
            id: id.clone(),
            at: Some(Timestamp::from_seconds(issued)),
        };
        let is_graver = |known: &ProviderEvent| weight(found.kind) > weight(known.kind);
        if gravest.as_ref().is_none_or(is_graver) {
            gravest = Some(found);
        }
    }
    Ok(gravest)
}

/// What an event means for us.
fn kind(provider: ProviderKind, name: &str) -> Option<ProviderEventKind> {
    let (family, event) = name.strip_prefix(SCHEMAS)?.split_once("/event-type/")?;
    match (family, event) {
        ("risc", "account-purged") => Some(ProviderEventKind::AccountDeleted),
        ("oauth", "user-unlinked") => Some(ProviderEventKind::ConsentRevoked),
        // Google's: the consent is gone. Kakao's: the person has signed out everywhere.
        ("oauth", "tokens-revoked") if provider == ProviderKind::Google => {
            Some(ProviderEventKind::ConsentRevoked)
        }
        ("oauth", "tokens-revoked")
        | (
            "risc",
            "sessions-revoked"
            | "account-disabled"
            | "account-credential-change-required"
            | "credential-compromise",
        )
        | ("caep", "session-revoked" | "sessions-revoked") => {
            Some(ProviderEventKind::SessionsRevoked)
        }
        _ => None,
    }
}

fn weight(kind: ProviderEventKind) -> u8 {
    match kind {
        ProviderEventKind::SessionsRevoked => 0,
        ProviderEventKind::ConsentRevoked => 1,
        ProviderEventKind::AccountDeleted => 2,
    }
}

/// Of whom the event is: its own subject, or the token's. `None` if that names no person but a token.
fn subject(
    provider: &Connection,
    claims: &Members,
    event: &Members,
) -> Result<Option<String>, Failure> {
    let Some(subject) = event.object("subject")? else {
        return id_token::subject(claims).map(Some);
    };
    let issuer = subject.text("iss")?;
    if issuer.is_some_and(|issuer| !provider.is_event_issuer(&issuer)) {
        return Err(Failure::rejected("its subject is of another issuer"));
    }
    match (subject.has("sub"), claims.has("sub")) {
        (true, _) => id_token::subject(&subject).map(Some),
        (false, true) => id_token::subject(claims).map(Some),
        (false, false) => Ok(None),
    }
}
