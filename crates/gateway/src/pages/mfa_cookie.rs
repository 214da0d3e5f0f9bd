//! What is remembered between a right password and the second factor: in the browser, since the gateway keeps nothing.
//! All of it is the service's to judge; who changes it harms nobody else.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign_client::proto::{FactorKind, MfaRequired};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::cookies;

/// As long as the service keeps such a session.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A sign-in that waits for a second factor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MfaCookie {
    pub(super) mfa_session_id: String,
    pub(super) factors: Vec<Factor>,
    /// For how many days none is asked for on this device, if the person wants that.
    #[serde(default)]
    pub(super) remember_days: Option<u32>,
}

/// A factor that may be shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Factor {
    /// Its kind, or the id of an address.
    pub(super) value: String,
    /// Its name in the contract.
    pub(super) kind: String,
    pub(super) masked_address: String,
}

impl MfaCookie {
    pub(super) fn new(required: &MfaRequired) -> Self {
        let is_address = |kind: &FactorKind| matches!(kind, FactorKind::Sms | FactorKind::Email);
        let kinds = required.factors().filter(|kind| !is_address(kind));
        let kinds = kinds.map(|kind| Factor {
            value: name(kind).to_owned(),
            kind: name(kind).to_owned(),
            masked_address: String::new(),
        });
        let addresses = required.code_factors.iter().map(|factor| Factor {
            value: factor.factor_id.clone(),
            kind: name(factor.kind()).to_owned(),
            masked_address: factor.masked_address.clone(),
        });
        Self {
            mfa_session_id: required.mfa_session_id.clone(),
            factors: kinds.chain(addresses).collect(),
            remember_days: required
                .remember_device_duration
                .and_then(|time| u32::try_from(time.seconds).ok())
                .map(|seconds| seconds.div_ceil(24 * 60 * 60)),
        }
    }

    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let value = cookies::read(headers, cookies::MFA)?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        serde_json::from_slice(&json).ok()
    }

    pub(super) fn set(&self, headers: &mut HeaderMap) {
        let json = serde_json::to_vec(self).expect("texts are JSON");
        let value = BASE64_URL_SAFE_NO_PAD.encode(json);
        cookies::set(headers, cookies::MFA, &value, "/", LIFETIME);
    }

    pub(super) fn clear(headers: &mut HeaderMap) {
        cookies::set(headers, cookies::MFA, "", "/", Duration::ZERO);
    }

    /// The factor that is named, or else the first that needs nothing to be sent.
    pub(super) fn chosen(&self, value: Option<&str>) -> Option<&Factor> {
        let named = value.and_then(|value| self.factors.iter().find(|f| f.value == value));
        named.or_else(|| self.factors.first())
    }
}

fn name(kind: FactorKind) -> &'static str {
    let name = kind.as_str_name();
    name.strip_prefix("FACTOR_KIND_").unwrap_or(name)
}
