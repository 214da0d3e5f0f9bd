//! The audit log of a real server: each RPC tells what it has done, an event and its change
//! stand or fall together, guesses leave few rows, and no secret stands in it.

mod commands;
mod guesses;
mod kills;
mod lists;
mod rpcs;
mod secrets;

use countersign_proto::v1;
use countersign_tests::Gateway;
use tonic::Status;

/// A page of the audit log.
async fn page(
    gateway: &Gateway,
    request: v1::ListAuditEventsRequest,
) -> Result<v1::ListAuditEventsResponse, Status> {
    Ok(gateway
        .users()
        .list_audit_events(request)
        .await?
        .into_inner())
}

/// All events of a query, newest first, in pages of so many.
async fn all(
    gateway: &Gateway,
    query: &v1::ListAuditEventsRequest,
    page_size: i32,
) -> Vec<v1::AuditEvent> {
    let mut request = v1::ListAuditEventsRequest {
        page_size,
        ..query.clone()
    };
    let mut events = Vec::new();
    loop {
        let page = page(gateway, request.clone()).await.expect("a page");
        events.extend(page.events);
        if page.next_page_token.is_empty() {
            return events;
        }
        request.page_token = page.next_page_token;
    }
}

/// The events of a user, oldest first.
async fn of_user(gateway: &Gateway, user_id: &str) -> Vec<v1::AuditEvent> {
    let query = v1::ListAuditEventsRequest {
        user_id: user_id.into(),
        ..Default::default()
    };
    let mut events = all(gateway, &query, 100).await;
    events.reverse();
    events
}

/// The name of an event's action, as people read it.
fn action(event: &v1::AuditEvent) -> String {
    let name = event.action().as_str_name();
    name.trim_start_matches("AUDIT_ACTION_")
        .to_ascii_lowercase()
}

/// Why an event's attempts were refused, and how often.
fn refused(event: &v1::AuditEvent) -> Option<(&str, i64)> {
    let refused = event.refused.as_ref()?;
    Some((&refused.reason, refused.count))
}
