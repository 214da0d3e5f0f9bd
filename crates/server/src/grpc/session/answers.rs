//! What comes of SessionService's commands, as messages.

use countersign_domain::application::Tokens;
use countersign_domain::model::{PageToken, Session};
use countersign_domain::use_cases::{CreatedMfaSession, SessionPage, SteppedUp};
use countersign_proto::v1;

use crate::grpc::convert::{self, timestamp};

pub(super) fn page(page: SessionPage) -> v1::ListSessionsResponse {
    let current = page.current;
    let sessions = page.sessions.into_iter().map(|listed| {
        let is_current = current == Some(listed.id);
        session(listed, is_current)
    });
    v1::ListSessionsResponse {
        sessions: sessions.collect(),
        next_page_token: page.next.map(PageToken::encode).unwrap_or_default(),
    }
}

pub(super) fn session(session: Session, is_current: bool) -> v1::Session {
    v1::Session {
        authentication_time: timestamp(session.authenticated_at),
        acr: session.acr().as_str().to_owned(),
        session_id: session.id.to_string(),
        user_id: session.user_id.to_string(),
        group_id: session.group.as_str().to_owned(),
        create_time: timestamp(session.created_at),
        refresh_time: timestamp(session.minted_at),
        expire_time: timestamp(session.expires_at),
        revoke_time: session.revoked_at.and_then(timestamp),
        authentication_methods: session
            .methods
            .iter()
            .map(|m| m.as_str().to_owned())
            .collect(),
        user_agent: session.client.user_agent,
        ip_address: session
            .client
            .ip_address
            .map(|ip| ip.to_string())
            .unwrap_or_default(),
        current: is_current,
        client_id: session.client_id,
    }
}

pub(super) fn signed_in(mut tokens: Tokens) -> v1::ValidateMfaSessionResponse {
    let (device_token, device_token_expire_time) = convert::device(tokens.device.take());
    v1::ValidateMfaSessionResponse {
        tokens: Some(convert::tokens(tokens)),
        device_token,
        device_token_expire_time,
    }
}

pub(super) fn stepped_up(stepped_up: SteppedUp) -> v1::StepUpSessionResponse {
    let SteppedUp { session, access } = stepped_up;
    v1::StepUpSessionResponse {
        access_token: access.token,
        access_token_expire_time: timestamp(access.expires_at),
        session_id: session.id.to_string(),
        authentication_time: timestamp(session.authenticated_at),
        acr: session.acr().as_str().to_owned(),
    }
}

pub(super) fn mfa_session(created: &CreatedMfaSession) -> v1::CreateMfaSessionResponse {
    v1::CreateMfaSessionResponse {
        mfa_session_id: created.id.expose().to_owned(),
        expire_time: timestamp(created.expires_at),
    }
}
