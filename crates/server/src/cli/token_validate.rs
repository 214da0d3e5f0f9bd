//! `countersign token validate`: asks a server about a token.

use std::io::Write;

use countersign_proto::v1::auth_service_client::AuthServiceClient;
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_proto::v1::{Claims, RejectionReason, ValidateTokenRequest};

use super::failure::{Failure, Outcome};
use super::server_client::{ServerClient, refused};
use super::token_arguments::TokenValidate;
use super::tokens;
use crate::rfc3339::rfc3339;

/// Asks, and shows the answer.
pub(super) async fn execute(
    wanted: &TokenValidate,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let client = ServerClient::connect(&wanted.server).await?;
    let question = ValidateTokenRequest {
        access_token: tokens::read(&wanted.token)?,
        audience: wanted.audience.clone(),
        required_scopes: wanted.scopes.clone(),
        ..Default::default()
    };
    let mut auth = AuthServiceClient::new(client.channel.clone());
    let answer = auth.validate_token(client.request(question)).await;
    let answer = answer.map_err(|status| refused(&status))?;
    match answer.into_inner().verdict {
        Some(Verdict::Valid(claims)) => {
            show(&claims, out)?;
            Ok(Outcome::Done)
        }
        Some(Verdict::Rejected(rejection)) => {
            let reason = RejectionReason::try_from(rejection.reason);
            let reason = reason.map_or("unknown", |reason| reason.as_str_name());
            let reason = reason.trim_start_matches("REJECTION_REASON_");
            writeln!(out, "rejected: {reason}")?;
            Ok(Outcome::Lacking)
        }
        None => Err("the server's answer says neither yes nor no".into()),
    }
}

fn show(claims: &Claims, out: &mut dyn Write) -> Result<(), Failure> {
    let time = |time: &Option<prost_types::Timestamp>| {
        let seconds = time.as_ref().map_or(0, |time| time.seconds);
        rfc3339(countersign_domain::model::Timestamp::from_seconds(seconds))
    };
    writeln!(out, "valid")?;
    for (name, value) in [
        ("subject", claims.subject.clone()),
        ("external_id", claims.external_id.clone()),
        ("group_id", claims.group_id.clone()),
        ("audience", claims.audience.join(" ")),
        ("scopes", claims.scopes.join(" ")),
        ("roles", claims.roles.join(" ")),
        ("client_id", claims.client_id.clone()),
        ("session_id", claims.session_id.clone()),
        ("token_id", claims.token_id.clone()),
        ("issuer", claims.issuer.clone()),
        ("issued", time(&claims.issue_time)),
        ("expires", time(&claims.expire_time)),
        ("acr", claims.acr.clone()),
        ("amr", claims.authentication_methods.join(" ")),
    ] {
        writeln!(
            out,
            "{name:12} {}",
            if value.is_empty() { "-" } else { &value }
        )?;
    }
    Ok(())
}
