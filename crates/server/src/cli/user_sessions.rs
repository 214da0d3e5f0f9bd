//! `countersign session`.

use std::io::Write;

use countersign_proto::v1::person::By;
use countersign_proto::v1::session_service_client::SessionServiceClient;
use countersign_proto::v1::{
    ListSessionsRequest, Person, RevokeSessionRequest, RevokeUserSessionsRequest, Session,
};
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::server_client::{ServerClient, answered};
use super::table;
use super::user_arguments::{ListSessions, RevokeSessions, Sessions};
use super::words::{dashed, instant, some};

/// A session, as it is listed.
#[derive(Serialize)]
struct Row {
    session_id: String,
    client_id: String,
    methods: Vec<String>,
    acr: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    created_at: Option<String>,
    refreshed_at: Option<String>,
    expires_at: Option<String>,
}

/// Carries a command out.
pub(super) async fn execute(
    mut command: Sessions,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let server = ServerClient::connect(command.server()).await?;
    match command {
        Sessions::List(list) => show(&server, &list, out).await,
        Sessions::Revoke(revoke) => end(&server, revoke, out).await,
    }
}

async fn show(
    server: &ServerClient,
    list: &ListSessions,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let mut client = SessionServiceClient::new(server.channel.clone());
    let (mut rows, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = server.request(ListSessionsRequest {
            person: by_id(&list.user),
            page_size: 100,
            page_token,
        });
        let page = client.list_sessions(request).await;
        let page = answered(page)?;
        rows.extend(page.sessions.into_iter().map(Row::from));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    match list.json {
        true => table::write_json(out, &rows)?,
        false => write(&rows, out)?,
    }
    Ok(Outcome::Done)
}

async fn end(
    server: &ServerClient,
    revoke: RevokeSessions,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let mut client = SessionServiceClient::new(server.channel.clone());
    let person = by_id(&revoke.user);
    if let Some(session_id) = revoke.session {
        let request = server.request(RevokeSessionRequest {
            person,
            session_id: session_id.clone(),
        });
        let ended = client.revoke_session(request).await;
        answered(ended)?;
        writeln!(out, "ended {session_id}")?;
    } else {
        let request = server.request(RevokeUserSessionsRequest {
            person,
            keep_current: false,
        });
        let ended = client.revoke_user_sessions(request).await;
        let ended = answered(ended)?;
        writeln!(out, "ended {} sessions", ended.revoked_count)?;
    }
    Ok(Outcome::Done)
}

#[expect(clippy::unnecessary_wraps, reason = "it is how requests carry it")]
fn by_id(user: &str) -> Option<Person> {
    Some(Person {
        by: Some(By::UserId(user.to_owned())),
    })
}

impl From<Session> for Row {
    fn from(session: Session) -> Self {
        Self {
            session_id: session.session_id,
            client_id: session.client_id,
            methods: session.authentication_methods,
            acr: session.acr,
            ip_address: some(session.ip_address),
            user_agent: some(session.user_agent),
            created_at: instant(session.create_time),
            refreshed_at: instant(session.refresh_time),
            expires_at: instant(session.expire_time),
        }
    }
}

fn write(rows: &[Row], out: &mut dyn Write) -> std::io::Result<()> {
    let cells = rows.iter().map(|row| {
        [
            row.session_id.clone(),
            row.client_id.clone(),
            row.methods.join(","),
            dashed(row.ip_address.as_ref()),
            dashed(row.created_at.as_ref()),
            dashed(row.expires_at.as_ref()),
        ]
    });
    let header = [
        "SESSION",
        "CALLER",
        "METHODS",
        "IP ADDRESS",
        "CREATED",
        "EXPIRES",
    ];
    table::write(out, header, &cells.collect::<Vec<_>>())
}
