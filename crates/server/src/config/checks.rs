//! Gathers what is wrong with the values of a configuration.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use http::Uri;

use super::ServiceUrl;
use super::serde_formats::duration;

/// The settings that are wrong, by key, and what would be right.
#[derive(Debug)]
pub(super) struct Checks {
    wrong: Vec<(String, String)>,
}

impl Checks {
    /// Goes on after values that could not be read, and stand at their defaults.
    pub(super) fn after(wrong: Vec<(String, String)>) -> Self {
        Self { wrong }
    }

    /// Notes that a setting is wrong.
    pub(super) fn refuse(&mut self, key: &str, rule: impl Into<String>) {
        self.wrong.push((key.into(), rule.into()));
    }

    /// Demands that something is so.
    pub(super) fn that(&mut self, key: &str, holds: bool, rule: &str) {
        if !holds {
            self.refuse(key, rule);
        }
    }

    /// Demands that two settings fit each other; says nothing if one of them is
    /// wrong by itself.
    pub(super) fn that_both(&mut self, key: &str, other: &str, fit: bool, rule: &str) {
        if !fit && !self.knows(key) && !self.knows(other) {
            self.refuse(key, rule);
        }
    }

    /// Whether a setting is known to be wrong.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.wrong.iter().any(|wrong| wrong.0 == key)
    }

    /// Demands a URL to which secrets may be posted: TLS, or this machine.
    pub(super) fn is_posted_to(&mut self, key: &str, url: &ServiceUrl) {
        self.that(
            key,
            url.expose().parse().is_ok_and(|uri| is_protected(&uri)),
            "must be an https:// URL without user name or password; http:// is for this machine \
             alone, as http://127.0.0.1:8080",
        );
    }

    /// Demands a number within bounds.
    pub(super) fn within<T: PartialOrd + Display + Copy>(
        &mut self,
        key: &str,
        value: T,
        bounds: RangeInclusive<T>,
    ) {
        if !bounds.contains(&value) {
            let (least, most) = bounds.into_inner();
            self.refuse(key, format!("must be {least} to {most}"));
        }
    }

    /// Demands a duration within bounds.
    pub(super) fn lasts(&mut self, key: &str, value: Duration, bounds: RangeInclusive<Duration>) {
        if !bounds.contains(&value) {
            let least = duration::write(*bounds.start());
            let most = duration::write(*bounds.end());
            self.refuse(key, format!("must be {least} to {most}"));
        }
    }

    /// All that is wrong, in the order in which it was found.
    pub(super) fn into_wrong(self) -> Vec<(String, String)> {
        self.wrong
    }
}

fn is_protected(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else {
        return false;
    };
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let is_secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_here,
        _ => false,
    };
    is_secure && !host.is_empty() && !authority.as_str().contains('@')
}
