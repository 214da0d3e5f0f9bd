//! The section `[mfa]`.

use std::time::Duration;

use countersign_domain::model::{self, GroupId};
use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::duration;

/// `[mfa]`: second factors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MfaConfig {
    /// Who is asked for one at a sign-in.
    pub policy: MfaPolicy,
    /// Who is in some groups, in place of that.
    #[serde(with = "group_policies")]
    pub group_policies: Vec<(GroupId, MfaPolicy)>,
    /// How long no one is asked for on a known device on which one was shown, if
    /// the person wants that; 0: always asked for.
    #[serde(with = "duration")]
    pub remember_device: Duration,
}

impl MfaConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        const MOST: Duration = Duration::from_secs(90 * 86_400);
        checks.lasts(
            "mfa.remember_device",
            self.remember_device,
            Duration::ZERO..=MOST,
        );
    }

    /// Whether somebody has to show one who has enrolled none.
    pub(in crate::config) fn is_for_everybody(&self) -> bool {
        let of_groups = self.group_policies.iter().map(|(_, policy)| *policy);
        let mut policies = [self.policy].into_iter().chain(of_groups);
        policies.any(|policy| model::MfaPolicy::from(policy).is_for_everybody())
    }

    /// The policies of groups, for the domain.
    pub(in crate::config) fn of_groups(&self) -> Vec<(GroupId, model::MfaPolicy)> {
        let policies = self.group_policies.iter();
        policies
            .map(|(group, policy)| (group.clone(), (*policy).into()))
            .collect()
    }
}

/// Who is asked for a second factor at a sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MfaPolicy {
    /// Nobody.
    Off,
    /// Those who have enrolled one.
    #[default]
    Optional,
    /// Everybody.
    Required,
    /// Everybody, but on known devices on which one was shown.
    RequiredForUnknownDevices,
}

impl MfaPolicy {
    const ALL: [Self; 4] = [
        Self::Off,
        Self::Optional,
        Self::Required,
        Self::RequiredForUnknownDevices,
    ];

    /// As it is written.
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Required => "required",
            Self::RequiredForUnknownDevices => "required_for_unknown_devices",
        }
    }

    /// The policy that is written so.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

impl From<MfaPolicy> for model::MfaPolicy {
    fn from(policy: MfaPolicy) -> Self {
        match policy {
            MfaPolicy::Off => Self::Off,
            MfaPolicy::Optional => Self::Optional,
            MfaPolicy::Required => Self::Required,
            MfaPolicy::RequiredForUnknownDevices => Self::RequiredForUnknownDevices,
        }
    }
}

/// A list of groups with the policies of their second factors: `staff=required`.
mod group_policies {
    use countersign_domain::model::GroupId;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::MfaPolicy;
    use crate::config::serde_formats::AS_VARIABLE;

    const RULE: &str = "must be a group and its policy, such as staff=required; the policies are \
                        off, optional, required and required_for_unknown_devices";

    pub(super) fn serialize<S: Serializer>(
        policies: &[(GroupId, MfaPolicy)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let written = policies.iter();
        let written = written.map(|(group, of)| format!("{}={}", group.as_str(), of.as_str()));
        serializer.collect_seq(written)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(GroupId, MfaPolicy)>, D::Error> {
        let mut policies: Vec<(GroupId, MfaPolicy)> = Vec::new();
        for text in Vec::<String>::deserialize(deserializer)? {
            let policy = parse(&text)
                .ok_or_else(|| D::Error::custom(format!("each {RULE}; {AS_VARIABLE}")))?;
            if policies.iter().any(|(group, _)| *group == policy.0) {
                let group = policy.0.as_str();
                return Err(D::Error::custom(format!(
                    "must name the group {group} once"
                )));
            }
            policies.push(policy);
        }
        Ok(policies)
    }

    fn parse(text: &str) -> Option<(GroupId, MfaPolicy)> {
        let (group, policy) = text.split_once('=')?;
        let group = Some(group.trim()).filter(|group| !group.is_empty())?;
        Some((
            GroupId::parse(group).ok()?,
            MfaPolicy::parse(policy.trim())?,
        ))
    }
}
