//! `countersign token decode` and `issue`: what a token says, and samples to compare
//! with those of another server.

use std::io::{self, Read as _, Write};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::model::{SessionId, TokenProfile, TokenProfiles, UserId};
use countersign_domain::ports::Clock as _;
use countersign_token::{AccessClaims, MAX_TOKEN_BYTES, ProfileRejection, TokenClass};
use serde_json::Value;

use super::failure::{Failure, Outcome};
use super::token_arguments::TokenIssue;
use crate::config::Config;
use crate::system::{SystemClock, SystemRandom};

/// The token that is given, or the first line of the standard input for `-`.
pub(super) fn read(given: &str) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given.trim().to_owned());
    }
    let mut text = String::new();
    let most = u64::try_from(MAX_TOKEN_BYTES).unwrap_or(u64::MAX) * 2;
    io::stdin().take(most).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

/// Shows the header and the claims of a token, and of which profile it is.
pub(super) fn decode(
    config: &Config,
    given: &str,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let token = read(given)?;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, _] = parts[..] else {
        return Err(
            "it is no signed token: there must be three parts with a dot between two".into(),
        );
    };
    for (name, part) in [("header", header), ("payload", claims)] {
        let value = json(part).ok_or_else(|| format!("its {name} is no JSON in base64url"))?;
        writeln!(out, "{name} {}", serde_json::to_string_pretty(&value)?)?;
    }
    let profiles = profiles(config)?;
    if profiles.is_empty() {
        writeln!(out, "no token profile is configured (tokens.profiles)")?;
    }
    for profile in profiles.iter() {
        writeln!(out, "profile {}: {}", profile.name, told(profile, &token))?;
    }
    let kid = json(header).and_then(|header| Some(header.get("kid")?.as_str()?.to_owned()));
    if let Some(kid) = kid {
        let whose =
            "if it is one of `countersign keys list`, `countersign token validate` tells more";
        writeln!(out, "key {kid}: {whose}")?;
    }
    Ok(Outcome::Done)
}

/// Signs a token as the other server does.
pub(super) fn issue(
    config: &Config,
    wanted: &TokenIssue,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let profiles = profiles(config)?;
    let named = profiles.iter().find(|one| one.name == wanted.profile);
    let profile = named.ok_or_else(|| {
        let names: Vec<_> = profiles.iter().map(|one| one.name.as_str()).collect();
        let names = names.join(", ");
        format!(
            "there is no token profile {}; there are: {names}",
            wanted.profile
        )
    })?;
    let class = match wanted.refresh {
        true if profile.form.shape().refresh_constants.is_empty() => {
            return Err("the profile has no refresh_constants: it knows no refresh tokens".into());
        }
        true => TokenClass::Refresh,
        false => TokenClass::Access,
    };
    let now = SystemClock::new().now();
    let seconds = i64::try_from(wanted.expires_in.as_secs()).unwrap_or(0);
    let sample = AccessClaims {
        iss: "sample".into(),
        sub: UserId::from_bytes([0; 16]).to_string(),
        aud: profile.audiences.clone(),
        exp: now.as_seconds() + seconds,
        iat: now.as_seconds(),
        nbf: None,
        jti: SessionId::generate(now, &SystemRandom).to_string(),
        client_id: "sample".into(),
        sid: "sample".into(),
        grp: profile.group.as_str().into(),
        scope: Vec::new(),
        roles: Vec::new(),
        amr: Vec::new(),
        acr: None,
        auth_time: 0,
    };
    let token = profile
        .form
        .sign_sample(&sample, Some(&wanted.external_id), class);
    let token = token?;
    writeln!(
        notes,
        "THIS IS A SAMPLE, signed with the key of tokens.profiles.{}: whoever has it is taken for \
         the user {} until it expires in {seconds}s. No session and no record of it is kept.",
        profile.name, wanted.external_id
    )?;
    writeln!(out, "{token}")?;
    Ok(Outcome::Done)
}

fn profiles(config: &Config) -> Result<TokenProfiles, Failure> {
    config.token_profiles().map_err(|wrong| {
        let wrong = wrong.into_iter().map(|(key, rule)| format!("{key} {rule}"));
        Failure::configuration(wrong.collect::<Vec<_>>().join("; "))
    })
}

/// Whether a token is one of a profile, and why not.
fn told(profile: &TokenProfile, token: &str) -> String {
    match profile.form.read(token) {
        Ok(read) => {
            let class = match read.class {
                TokenClass::Access => "an access token",
                TokenClass::Refresh => "a refresh token",
            };
            let by = match read.is_ours {
                true => "of this service",
                false => "of the other server",
            };
            let id = read.external_id.unwrap_or_default();
            let left = read.claims.exp - SystemClock::new().now().as_seconds();
            let expiry = match left {
                1.. => format!("expires in {left}s"),
                _ => format!("expired {}s ago", -left),
            };
            format!("{class} {by}, of the external id {id:?}; {expiry}")
        }
        Err(ProfileRejection::Foreign(why)) => format!("not one of its tokens: {why}"),
        Err(ProfileRejection::Genuine(why)) => {
            format!("signed with its key, but not as it describes tokens: {why}")
        }
    }
}

fn json(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}
