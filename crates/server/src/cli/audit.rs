//! `countersign audit`.

use std::io::Write;
use std::time::Duration;

use countersign_proto::v1::user_service_client::UserServiceClient;
use countersign_proto::v1::{
    AuditAction, AuditEvent, AuditOutcome, ListAuditEventsRequest, ListAuditEventsResponse,
};
use tonic::transport::Channel;

use super::audit_arguments::{Audit, AuditFilters, ListAudit, TailAudit};
use super::audit_rows::{self, Row};
use super::audit_seen::Seen;
use super::failure::{Failure, Outcome};
use super::server_client::{ServerClient, refused};
use super::table;

/// How many events a page has at the most.
const PAGE: i32 = 100;
/// Between two looks at what has come.
const PAUSE: Duration = Duration::from_secs(2);

/// Carries a command out.
pub(super) async fn execute(
    mut command: Audit,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let server = ServerClient::connect(command.server()).await?;
    let operator = Operator {
        users: UserServiceClient::new(server.channel.clone()),
        server,
    };
    match command {
        Audit::List(list) => operator.list(list, out, notes).await,
        Audit::Tail(tail) => operator.tail(tail, out).await,
    }
}

/// An operator's connection.
struct Operator {
    server: ServerClient,
    users: UserServiceClient<Channel>,
}

impl Operator {
    async fn list(
        &self,
        list: ListAudit,
        out: &mut dyn Write,
        notes: &mut dyn Write,
    ) -> Result<Outcome, Failure> {
        let mut request = query(list.filter);
        request.end_time = list.until;
        let (events, has_more) = self.newest(request, list.limit).await?;
        let rows: Vec<_> = events.into_iter().map(Row::from).collect();
        if list.json {
            for row in &rows {
                audit_rows::write_json(row, out)?;
            }
        } else {
            let cells: Vec<_> = rows.iter().map(Row::cells).collect();
            table::write(out, audit_rows::HEADER, &cells)?;
        }
        if has_more {
            writeln!(notes, "there are more: --limit shows them")?;
        }
        Ok(Outcome::Done)
    }

    async fn tail(&self, tail: TailAudit, out: &mut dyn Write) -> Result<Outcome, Failure> {
        let request = query(tail.filter);
        let mut seen = Seen::default();
        if tail.follow {
            // What is not among the last was there before.
            self.come(&request, &mut seen).await?;
        }
        let (mut events, _) = self.newest(request.clone(), tail.lines).await?;
        events.reverse();
        seen.enter(&events);
        show(events, tail.json, out)?;
        if !tail.follow {
            return Ok(Outcome::Done);
        }
        loop {
            tokio::time::sleep(PAUSE).await;
            let come = self.come(&request, &mut seen).await?;
            show(come, tail.json, out)?;
        }
    }

    /// The newest events, newest first, and whether there are more.
    async fn newest(
        &self,
        mut request: ListAuditEventsRequest,
        limit: u32,
    ) -> Result<(Vec<AuditEvent>, bool), Failure> {
        let mut events = Vec::new();
        loop {
            let wanted = usize::try_from(limit)?.saturating_sub(events.len());
            if wanted == 0 {
                break;
            }
            request.page_size = i32::try_from(wanted.min(PAGE as usize))?;
            let page = self.page(&request).await?;
            events.extend(page.events);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        Ok((events, !request.page_token.is_empty()))
    }

    /// What has come since, oldest first.
    async fn come(
        &self,
        request: &ListAuditEventsRequest,
        seen: &mut Seen,
    ) -> Result<Vec<AuditEvent>, Failure> {
        let mut come = Vec::new();
        let mut request = ListAuditEventsRequest {
            page_size: PAGE,
            ..request.clone()
        };
        loop {
            let page = self.page(&request).await?;
            let is_all = seen.take_new(page.events, &mut come);
            request.page_token = page.next_page_token;
            if is_all || request.page_token.is_empty() {
                break;
            }
        }
        // Guesses are counted in an event that is as old as their hour.
        if request.outcome() != AuditOutcome::Succeeded {
            request.page_token = String::new();
            request.set_outcome(AuditOutcome::Refused);
            let page = self.page(&request).await?;
            seen.take_new(page.events, &mut come);
        }
        seen.forget_old();
        come.sort_by(|a, b| a.event_id.cmp(&b.event_id));
        Ok(come)
    }

    async fn page(
        &self,
        request: &ListAuditEventsRequest,
    ) -> Result<ListAuditEventsResponse, Failure> {
        let sent = self.server.request(request.clone());
        let page = self.users.clone().list_audit_events(sent).await;
        Ok(page.map_err(|status| refused(&status))?.into_inner())
    }
}

fn show(events: Vec<AuditEvent>, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    for row in events.into_iter().map(Row::from) {
        match json {
            true => audit_rows::write_json(&row, out)?,
            false => audit_rows::write_line(&row, out)?,
        }
    }
    Ok(out.flush()?)
}

fn query(filter: AuditFilters) -> ListAuditEventsRequest {
    let actions = filter.actions.iter().filter_map(|name| {
        let name = format!("AUDIT_ACTION_{}", name.to_ascii_uppercase());
        AuditAction::from_str_name(&name).map(i32::from)
    });
    let outcome = match filter.outcome.as_deref() {
        Some("succeeded") => AuditOutcome::Succeeded,
        Some("refused") => AuditOutcome::Refused,
        _ => AuditOutcome::Unspecified,
    };
    ListAuditEventsRequest {
        page_size: 0,
        page_token: String::new(),
        actions: actions.collect(),
        user_id: filter.user.unwrap_or_default(),
        caller_id: filter.caller.unwrap_or_default(),
        group_id: filter.group.unwrap_or_default(),
        session_id: filter.session.unwrap_or_default(),
        outcome: outcome.into(),
        start_time: filter.since,
        end_time: None,
    }
}
