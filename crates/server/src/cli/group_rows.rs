//! Groups as lists for people, and as JSON for programs. What a policy leaves out is as
//! the server's configuration has it, and is not shown.

use countersign_proto::v1::{Group, MfaPolicy, SignInWay};
use serde::Serialize;

use super::group_attributes::shown;
use super::words::{dashed, instant, joined, some};

/// A group, as it is listed. Lifetimes are in seconds.
#[derive(Serialize)]
pub(super) struct Row {
    group_id: String,
    display_name: Option<String>,
    password_min_length: Option<i32>,
    mfa_policy: Option<String>,
    access_token_ttl: Option<i64>,
    idle_ttl: Option<i64>,
    session_ttl: Option<i64>,
    sign_in_ways: Vec<String>,
    audiences: Vec<String>,
    scopes: Vec<String>,
    sign_up: Option<bool>,
    profile_attributes: Vec<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    etag: String,
}

impl From<Group> for Row {
    fn from(group: Group) -> Self {
        let policy = group.policy.unwrap_or_default();
        let mfa_policy = match policy.mfa_policy() {
            MfaPolicy::Unspecified => None,
            policy => Some(named(policy.as_str_name(), "MFA_POLICY_")),
        };
        let ways = policy.sign_in_ways();
        let ways = ways.map(|way: SignInWay| named(way.as_str_name(), "SIGN_IN_WAY_"));
        let sign_in_ways = ways.collect();
        let seconds = |time: Option<prost_types::Duration>| time.map(|time| time.seconds);
        Self {
            group_id: group.group_id,
            display_name: some(group.display_name),
            password_min_length: policy.password_min_length,
            mfa_policy,
            access_token_ttl: seconds(policy.access_token_ttl),
            idle_ttl: seconds(policy.idle_ttl),
            session_ttl: seconds(policy.session_ttl),
            sign_in_ways,
            audiences: policy.audiences,
            scopes: policy.scopes,
            sign_up: policy.sign_up,
            profile_attributes: policy.profile_attributes.iter().map(shown).collect(),
            created_at: instant(group.create_time),
            updated_at: instant(group.update_time),
            etag: group.etag,
        }
    }
}

fn named(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_ascii_lowercase()
}

impl Row {
    /// The columns of a list.
    pub(super) const HEADER: [&str; 5] = ["GROUP", "NAME", "MFA POLICY", "SIGN-UP", "CREATED"];

    /// The group as a line of a list.
    pub(super) fn cells(&self) -> [String; 5] {
        [
            self.group_id.clone(),
            dashed(self.display_name.as_ref()),
            dashed(self.mfa_policy.as_ref()),
            dashed(self.sign_up().as_ref()),
            self.created_at.clone().unwrap_or_default(),
        ]
    }

    /// What it has, by name.
    pub(super) fn fields(&self) -> Vec<(&'static str, Option<String>)> {
        let ttl = |seconds: Option<i64>| seconds.map(|seconds| format!("{seconds} s"));
        let length = self.password_min_length;
        vec![
            ("GROUP", Some(self.group_id.clone())),
            ("NAME", self.display_name.clone()),
            (
                "PASSWORDS",
                length.map(|length| format!("{length} characters")),
            ),
            ("MFA POLICY", self.mfa_policy.clone()),
            ("ACCESS TTL", ttl(self.access_token_ttl)),
            ("IDLE TTL", ttl(self.idle_ttl)),
            ("SESSION TTL", ttl(self.session_ttl)),
            ("SIGN-IN", joined(&self.sign_in_ways)),
            ("AUDIENCES", joined(&self.audiences)),
            ("SCOPES", joined(&self.scopes)),
            ("SIGN-UP", self.sign_up()),
            ("ATTRIBUTES", joined(&self.profile_attributes)),
            ("CREATED", self.created_at.clone()),
            ("CHANGED", self.updated_at.clone()),
            ("ETAG", Some(self.etag.clone())),
        ]
    }

    fn sign_up(&self) -> Option<String> {
        let word = |is_allowed| match is_allowed {
            true => "yes",
            false => "no",
        };
        self.sign_up.map(|is_allowed| word(is_allowed).to_owned())
    }
}
