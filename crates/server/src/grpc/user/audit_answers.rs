//! Entries of the audit log as messages.

use std::net::IpAddr;

use countersign_domain::model::{AuditAction, AuditActor, AuditEvent, AuditOutcome};
use countersign_domain::use_cases::ListedAuditEvents;
use countersign_proto::v1;

use crate::grpc::convert::timestamp;

pub(super) fn page(listed: ListedAuditEvents) -> v1::ListAuditEventsResponse {
    v1::ListAuditEventsResponse {
        events: listed.events.into_iter().map(event).collect(),
        next_page_token: listed.next_page_token,
    }
}

fn event(event: AuditEvent) -> v1::AuditEvent {
    let AuditEvent { origin, target, .. } = event;
    let text = |id: Option<String>| id.unwrap_or_default();
    let (outcome, refused) = outcome(event.outcome);
    let person = event.person.map(|id| id.to_string());
    let (kind, caller_id) = match origin.actor {
        AuditActor::Caller(name) => (v1::AuditActorKind::Caller, name),
        AuditActor::CommandLine => (v1::AuditActorKind::CommandLine, String::new()),
        AuditActor::Server => (v1::AuditActorKind::Server, String::new()),
    };
    v1::AuditEvent {
        event_id: event.id.to_string(),
        create_time: timestamp(event.id.time()),
        action: action(event.action).into(),
        outcome: outcome.into(),
        actor: Some(v1::AuditActor {
            kind: kind.into(),
            caller_id,
            user_id: text(person),
        }),
        target: Some(v1::AuditTarget {
            user_id: text(target.user.map(|id| id.to_string())),
            group_id: text(target.group.map(|id| id.to_string())),
            session_id: text(target.session.map(|id| id.to_string())),
            name: text(target.name),
            masked_address: text(target.masked),
        }),
        origin: Some(v1::AuditOrigin {
            peer_ip_address: address(origin.peer),
            client_ip_address: address(event.device.ip_address),
            client_user_agent: event.device.user_agent,
            request_id: text(origin.request_id),
        }),
        refused,
        detail: event.detail,
    }
}

/// The two lists have the same names.
pub(super) fn action(action: AuditAction) -> v1::AuditAction {
    let name = format!("AUDIT_ACTION_{}", action.as_str().to_ascii_uppercase());
    v1::AuditAction::from_str_name(&name).unwrap_or_default()
}

fn outcome(outcome: AuditOutcome) -> (v1::AuditOutcome, Option<v1::RefusedAttempts>) {
    match outcome {
        AuditOutcome::Succeeded => (v1::AuditOutcome::Succeeded, None),
        AuditOutcome::Refused(attempts) => {
            let refused = v1::RefusedAttempts {
                reason: attempts.reason.as_str().to_owned(),
                count: attempts.count.into(),
                last_time: timestamp(attempts.last_at),
            };
            (v1::AuditOutcome::Refused, Some(refused))
        }
    }
}

fn address(ip: Option<IpAddr>) -> String {
    ip.map_or_else(String::new, |ip| ip.to_string())
}
