//! What a gateway tells of the person's device.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The device of the person for whom a gateway calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientContext {
    /// Its IP address.
    pub ip_address: Option<IpAddr>,
    /// Its `User-Agent`; empty if not told.
    pub user_agent: String,
}

impl ClientContext {
    /// The longest `User-Agent` in bytes.
    pub const MAX_USER_AGENT_BYTES: usize = 512;

    /// The source by which attempts and sends are limited: an IPv4 address, or
    /// the /64 network of an IPv6 address, since one subscriber holds all of
    /// it. `-` if not told.
    #[must_use]
    pub fn source(&self) -> String {
        match self.ip_address.map(|ip| ip.to_canonical()) {
            None => "-".into(),
            Some(IpAddr::V4(ip)) => ip.to_string(),
            Some(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }

    /// The network that a source belongs to, in which addresses are cheap to
    /// rotate: the /24 of an IPv4 address, or the /48 of an IPv6 address.
    /// `None` if the address is not told.
    #[must_use]
    pub fn network(&self) -> Option<String> {
        Some(match self.ip_address?.to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(ip) => {
                let [a, b, c, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_many_sources() {
        let network = |text: &str| {
            ClientContext {
                ip_address: text.parse().ok(),
                ..Default::default()
            }
            .network()
        };
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:2:2::1"));
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.250"));
        assert_ne!(network("192.0.2.7"), network("192.0.3.7"));
        assert_eq!(network(""), None);
    }

    #[test]
    fn an_ipv6_subscriber_is_one_source() {
        let source = |text: &str| {
            ClientContext {
                ip_address: text.parse().ok(),
                ..Default::default()
            }
            .source()
        };
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
