//! Which message is read how.

use countersign_domain::model::{ProviderEvent, ProviderKind, ProviderNotification};

use super::{apple, kakao, naver, security_event};
use crate::connection::{Connection, Purpose};
use crate::failure::Failure;

/// Reads a message of this provider; `None` if it asks for nothing.
///
/// # Errors
/// Rejected if it is not the provider's; and the reading's, of its keys.
pub(crate) async fn read(
    provider: &Connection,
    notification: &ProviderNotification,
) -> Result<Option<ProviderEvent>, Failure> {
    let is_event = media_type(notification) == "application/secevent+jwt";
    match provider.config.kind {
        ProviderKind::Apple => apple::read(provider, notification).await,
        ProviderKind::Google => {
            security_event::read(provider, notification, Purpose::GoogleEvents).await
        }
        ProviderKind::Kakao if is_event => {
            security_event::read(provider, notification, Purpose::SignIns).await
        }
        ProviderKind::Kakao => kakao::read(provider, notification).map(Some),
        ProviderKind::Naver => naver::read(provider, notification).map(Some),
        ProviderKind::OpenIdConnect => Err(Failure::rejected("this kind sends no messages")),
    }
}

fn media_type(notification: &ProviderNotification) -> String {
    let essence = notification.content_type.split(';').next();
    essence.unwrap_or_default().trim().to_ascii_lowercase()
}
