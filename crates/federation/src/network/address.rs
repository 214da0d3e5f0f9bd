//! Which addresses a provider may have: public ones, and those of the own network where that is
//! allowed; never those at which clouds tell their machines' secrets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a provider may be asked at this address.
pub(crate) fn is_allowed(address: IpAddr, is_private_allowed: bool) -> bool {
    match address {
        IpAddr::V4(address) => is_v4_allowed(address, is_private_allowed),
        IpAddr::V6(address) => is_v6_allowed(address, is_private_allowed),
    }
}

fn is_v4_allowed(address: Ipv4Addr, is_private_allowed: bool) -> bool {
    let [a, b, c, d] = address.octets();
    // Nowhere, link-local (169.254.169.254 among them), multicast and reserved; metadata of
    // Alibaba, Oracle and Azure.
    let is_never = a == 0
        || (a == 169 && b == 254)
        || a >= 224
        || matches!(
            [a, b, c, d],
            [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16]
        );
    // RFC 1918, RFC 6598, loopback.
    let is_private = a == 10
        || a == 127
        || (a == 172 && b & 0xf0 == 16)
        || (a == 192 && b == 168)
        || (a == 100 && b & 0xc0 == 64);
    // RFC 6890: protocol assignments, documentation, 6to4 relays, benchmarks.
    let is_special = matches!(
        [a, b, c],
        [192, 0, 0 | 2] | [192, 88, 99] | [198, 51, 100] | [203, 0, 113]
    ) || (a == 198 && b & 0xfe == 18);
    !is_never && !is_special && (is_private_allowed || !is_private)
}

fn is_v6_allowed(address: Ipv6Addr, is_private_allowed: bool) -> bool {
    let segments = address.segments();
    let [.., high, low] = segments;
    let embedded = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        // Written IPv4; NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            is_v4_allowed(embedded, is_private_allowed)
        }
        // Amazon's metadata.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => false,
        [0, 0, 0, 0, 0, 0, 0, 1] => is_private_allowed,
        // Unique local (RFC 4193).
        [first, ..] if first & 0xfe00 == 0xfc00 => is_private_allowed,
        // Protocol assignments with Teredo, documentation, 6to4.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> (bool, bool) {
        let address = text.parse().unwrap();
        (is_allowed(address, false), is_allowed(address, true))
    }

    #[test]
    fn public_addresses_are_allowed() {
        for text in [
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2404:6800::1",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(allowed(text), (true, true), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_own_network_are_allowed_where_that_is_configured() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "fc00::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
        ] {
            assert_eq!(allowed(text), (false, true), "{text}");
        }
    }

    #[test]
    fn addresses_of_metadata_and_of_nobody_never_are() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::2",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            assert_eq!(allowed(text), (false, false), "{text}");
        }
    }
}
