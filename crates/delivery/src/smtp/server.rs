//! Where a mail server is, and how the connection to it is secured.

use std::net::IpAddr;

/// The address of a mail server: `smtps://host` (implicit TLS, port 465),
/// `smtp://host` (STARTTLS, which must succeed, port 587), or, on this machine
/// alone, `smtp://127.0.0.1:25?tls=off`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpAddress {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    Implicit,
    StartTls,
    Off,
}

impl SmtpAddress {
    /// Reads the address of a mail server.
    ///
    /// # Errors
    /// What it must look like.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be smtps://host (TLS, port 465) or smtp://host (STARTTLS, port \
                            587), without user name, password or path";
        let (scheme, rest) = url.split_once("://").ok_or(RULE)?;
        let (rest, is_off) = match rest.strip_suffix("?tls=off") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let security = match (scheme, is_off) {
            ("smtps", false) => Security::Implicit,
            ("smtp", false) => Security::StartTls,
            ("smtp", true) => Security::Off,
            _ => return Err(RULE),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let authority: http::uri::Authority = rest.parse().map_err(|_| RULE)?;
        let host = authority.host();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if authority.as_str().contains('@') || host.is_empty() {
            return Err(RULE);
        }
        let usual = match security {
            Security::Implicit => 465,
            Security::StartTls => 587,
            Security::Off => 25,
        };
        let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if security == Security::Off && !is_here {
            return Err("must not have tls=off: a code in plaintext stays on this machine");
        }
        Ok(Self {
            host: host.into(),
            port: authority.port_u16().unwrap_or(usual),
            security,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_how_the_connection_is_secured() {
        for (url, host, port, security) in [
            (
                "smtps://mail.example.com",
                "mail.example.com",
                465,
                Security::Implicit,
            ),
            (
                "smtp://mail.example.com/",
                "mail.example.com",
                587,
                Security::StartTls,
            ),
            (
                "smtp://mail.example.com:2525",
                "mail.example.com",
                2525,
                Security::StartTls,
            ),
            ("smtp://127.0.0.1?tls=off", "127.0.0.1", 25, Security::Off),
            ("smtp://[::1]:1025?tls=off", "::1", 1025, Security::Off),
        ] {
            let expected = SmtpAddress {
                host: host.into(),
                port,
                security,
            };
            assert_eq!(SmtpAddress::parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_would_send_in_plaintext_or_hide_a_password_is_refused() {
        for url in [
            "mail.example.com",
            "http://mail.example.com",
            "smtp://mina:secret@mail.example.com",
            "smtp://mail.example.com?tls=off",
            "smtp://mail.example.com?tls=opportunistic",
            "smtps://127.0.0.1?tls=off",
            "smtp://",
        ] {
            assert!(SmtpAddress::parse(url).is_err(), "{url}");
        }
    }
}
