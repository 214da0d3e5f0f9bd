//! What was done to a user, as the audit log tells it: what, when, by whom.

use countersign_client::proto::{
    AuditAction, AuditActorKind, AuditEvent, AuditOutcome, ListAuditEventsRequest,
    ListAuditEventsResponse, User,
};

use super::operator::{Operator, named_by};
use crate::pages::times::Moment;
use crate::pages::visitor::Visitor;
use crate::pages::words::OperatorWords;
use crate::problem::Problem;

/// How many events are on a page.
const PAGE_SIZE: i32 = 6;
/// The caller as which these pages call where they run with their server. Operators alone name callers.
const OWN_CALLER: &str = "gateway-operators";

/// An event in the list.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) action: String,
    pub(super) at: Moment,
    /// Of what was refused: why, and how often.
    pub(super) refused: Option<String>,
    /// The caller, the server, or who sat at a command line.
    pub(super) by: String,
    /// The id of the operator who acted on these pages, and its last part, by which people are told apart.
    pub(super) operator: Option<(String, String)>,
    /// The person's own address on the network.
    pub(super) from: String,
    pub(super) detail: String,
}

/// One page of what was done to a user, and the token of the next one.
///
/// # Errors
/// What the service says.
pub(super) async fn page(
    operator: &Operator,
    visitor: &Visitor,
    user: &User,
    page_token: String,
) -> Result<(Vec<Entry>, String), Problem> {
    let message = ListAuditEventsRequest {
        page_size: PAGE_SIZE,
        page_token,
        user_id: user.user_id.clone(),
        ..ListAuditEventsRequest::default()
    };
    let request = operator.request(visitor, message);
    let answer = operator.client().users().list_audit_events(request).await?;
    let ListAuditEventsResponse {
        events,
        next_page_token,
    } = answer.into_inner();
    let terms = visitor.words.for_operators;
    let entries = events.into_iter().map(|event| entry(event, user, terms));
    Ok((entries.collect(), next_page_token))
}

fn entry(event: AuditEvent, user: &User, terms: &'static OperatorWords) -> Entry {
    let action = event.action();
    let named = (terms.action)(action);
    let refused = event.refused.as_ref().map(|refused| match refused.count {
        0 | 1 => refused.reason.clone(),
        count => format!("{} × {count}", refused.reason),
    });
    let is_refused = event.outcome() == AuditOutcome::Refused;
    let origin = event.origin.unwrap_or_default();
    let actor = event.actor.unwrap_or_default();
    // Any caller names its requests as it likes: only of these pages, and of what operators alone can do, it is
    // believed.
    let is_by_operator = actor.caller_id == OWN_CALLER
        || actor.user_id.is_empty()
            && matches!(
                action,
                AuditAction::UserCreated
                    | AuditAction::UserUpdated
                    | AuditAction::UserSuspended
                    | AuditAction::UserReinstated
                    | AuditAction::UserWithdrawn
                    | AuditAction::UserDeleted
            );
    let by = match actor.kind() {
        AuditActorKind::CommandLine => terms.by_command_line.to_owned(),
        AuditActorKind::Server => terms.by_server.to_owned(),
        _ if actor.user_id == user.user_id => format!("{} ({})", terms.by_user, actor.caller_id),
        _ => actor.caller_id,
    };
    Entry {
        action: named.map_or_else(|| plain(action.as_str_name()), str::to_owned),
        at: Moment::new(event.create_time),
        refused: refused.or_else(|| is_refused.then(String::new)),
        by,
        operator: is_by_operator
            .then(|| named_by(&origin.request_id))
            .flatten()
            .map(|id| {
                let (_, last) = id.rsplit_once('-').unwrap_or_default();
                (id.to_owned(), last.to_owned())
            }),
        from: origin.client_ip_address,
        detail: event.detail,
    }
}

/// The name of an action that has none in the words.
fn plain(name: &str) -> String {
    let name = name.strip_prefix("AUDIT_ACTION_").unwrap_or(name);
    name.to_ascii_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use countersign_client::proto::{AuditActor, AuditOrigin, RefusedAttempts};

    use super::*;
    use crate::pages::words::operators::english::WORDS;

    fn user() -> User {
        User {
            user_id: "7".to_owned(),
            ..User::default()
        }
    }

    fn by(kind: AuditActorKind, caller_id: &str, user_id: &str) -> Option<AuditActor> {
        Some(AuditActor {
            kind: kind.into(),
            caller_id: caller_id.to_owned(),
            user_id: user_id.to_owned(),
        })
    }

    #[test]
    fn an_event_tells_what_was_done_and_by_whom() {
        let operator = "01900000-0000-7000-8000-000000000001";
        let suspended = AuditEvent {
            action: AuditAction::UserSuspended.into(),
            actor: by(AuditActorKind::Caller, "gateway-operators", ""),
            origin: Some(AuditOrigin {
                request_id: format!("op-{operator}-1f"),
                ..AuditOrigin::default()
            }),
            ..AuditEvent::default()
        };
        let shown = entry(suspended, &user(), &WORDS);
        assert_eq!(shown.action, "Suspended");
        assert_eq!(shown.by, "gateway-operators");
        let named = (operator.to_owned(), "000000000001".to_owned());
        assert_eq!(shown.operator, Some(named));
        assert_eq!(shown.refused, None);

        let signed_out = |caller| AuditEvent {
            action: AuditAction::UserSessionsRevoked.into(),
            actor: by(AuditActorKind::Caller, caller, ""),
            origin: Some(AuditOrigin {
                request_id: format!("op-{operator}-1f"),
                ..AuditOrigin::default()
            }),
            ..AuditEvent::default()
        };
        let by_these_pages = entry(signed_out("gateway-operators"), &user(), &WORDS);
        assert!(by_these_pages.operator.is_some());
        let by_another = entry(signed_out("shop"), &user(), &WORDS);
        assert_eq!(
            by_another.operator, None,
            "any caller names its requests so"
        );

        let guesses = AuditEvent {
            action: AuditAction::CallerAdded.into(),
            outcome: AuditOutcome::Refused.into(),
            actor: by(AuditActorKind::Caller, "shop", "7"),
            refused: Some(RefusedAttempts {
                reason: "PASSWORD_WRONG".to_owned(),
                count: 3,
                last_time: None,
            }),
            ..AuditEvent::default()
        };
        let shown = entry(guesses, &user(), &WORDS);
        assert_eq!(shown.action, "caller added");
        assert_eq!(shown.by, "the user (shop)");
        assert_eq!(shown.refused.as_deref(), Some("PASSWORD_WRONG × 3"));
    }
}
