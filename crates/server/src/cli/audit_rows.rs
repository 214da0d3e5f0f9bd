//! Events of the audit log as lines for people, and as JSON for programs.

use std::io::{self, Write};

use countersign_proto::v1::{
    AuditActor, AuditActorKind, AuditEvent, AuditOrigin, AuditOutcome, AuditTarget,
};
use serde::Serialize;

use super::words::{instant, some};

/// What stands over the columns.
pub(super) const HEADER: [&str; 7] = [
    "TIME", "ACTION", "OUTCOME", "ACTOR", "TARGET", "FROM", "DETAIL",
];

/// How wide the columns are where lines are written one by one.
const WIDTHS: [usize; 7] = [24, 24, 28, 16, 36, 15, 0];

/// An event, as it is shown.
#[derive(Serialize)]
pub(super) struct Row {
    event_id: String,
    created_at: Option<String>,
    action: String,
    outcome: &'static str,
    refusal: Option<String>,
    attempts: Option<i64>,
    last_attempt_at: Option<String>,
    actor: &'static str,
    caller_id: Option<String>,
    acting_user_id: Option<String>,
    user_id: Option<String>,
    group_id: Option<String>,
    session_id: Option<String>,
    name: Option<String>,
    masked_address: Option<String>,
    peer_ip_address: Option<String>,
    client_ip_address: Option<String>,
    client_user_agent: Option<String>,
    request_id: Option<String>,
    detail: Option<String>,
}

impl From<AuditEvent> for Row {
    fn from(event: AuditEvent) -> Self {
        let action = event.action().as_str_name();
        let action = action.trim_start_matches("AUDIT_ACTION_");
        let action = action.to_ascii_lowercase();
        let outcome = match event.outcome() {
            AuditOutcome::Succeeded => "succeeded",
            AuditOutcome::Refused => "refused",
            AuditOutcome::Unspecified => "unknown",
        };
        let AuditActor {
            kind,
            caller_id,
            user_id: acting_user_id,
        } = event.actor.unwrap_or_default();
        let actor = match AuditActorKind::try_from(kind) {
            Ok(AuditActorKind::Caller) => "caller",
            Ok(AuditActorKind::CommandLine) => "command_line",
            Ok(AuditActorKind::Server) => "server",
            _ => "unknown",
        };
        let target: AuditTarget = event.target.unwrap_or_default();
        let origin: AuditOrigin = event.origin.unwrap_or_default();
        let refused = event.refused;
        Self {
            event_id: event.event_id,
            created_at: instant(event.create_time),
            action,
            outcome,
            refusal: refused.as_ref().map(|refused| refused.reason.clone()),
            attempts: refused.as_ref().map(|refused| refused.count),
            last_attempt_at: refused.and_then(|refused| instant(refused.last_time)),
            actor,
            caller_id: some(caller_id),
            acting_user_id: some(acting_user_id),
            user_id: some(target.user_id),
            group_id: some(target.group_id),
            session_id: some(target.session_id),
            name: some(target.name),
            masked_address: some(target.masked_address),
            peer_ip_address: some(origin.peer_ip_address),
            client_ip_address: some(origin.client_ip_address),
            client_user_agent: some(origin.client_user_agent),
            request_id: some(origin.request_id),
            detail: some(event.detail),
        }
    }
}

impl Row {
    /// The cells of a line.
    pub(super) fn cells(&self) -> [String; 7] {
        let or_none = |cell: Option<&String>| cell.cloned().unwrap_or_else(|| "-".into());
        let outcome = match (&self.refusal, self.attempts) {
            (Some(reason), Some(count)) if count > 1 => format!("{reason} x{count}"),
            (Some(reason), _) => reason.clone(),
            _ => self.outcome.to_owned(),
        };
        let actor = self.caller_id.clone();
        let target = self.user_id.as_ref().or(self.name.as_ref());
        let target = target
            .or(self.session_id.as_ref())
            .or(self.group_id.as_ref());
        let from = self.client_ip_address.as_ref();
        let mut more: Vec<&str> = Vec::new();
        if self.user_id.is_some() {
            more.extend(self.name.as_deref());
        }
        more.extend(self.masked_address.as_deref());
        more.extend(self.detail.as_deref());
        [
            or_none(self.created_at.as_ref()),
            self.action.clone(),
            outcome,
            actor.unwrap_or_else(|| self.actor.to_owned()),
            or_none(target),
            or_none(from.or(self.peer_ip_address.as_ref())),
            or_none(some(more.join(" ")).as_ref()),
        ]
    }
}

/// Writes an event as a line.
pub(super) fn write_line(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let cells = row.cells();
    let cells = cells.iter().zip(WIDTHS);
    let text: String = cells
        .map(|(cell, width)| format!("{cell:width$}  "))
        .collect();
    writeln!(out, "{}", text.trim_end())
}

/// Writes an event as a JSON object on one line.
pub(super) fn write_json(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    writeln!(out)
}
