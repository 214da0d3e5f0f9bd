//! Addresses that are asked, or that browsers are sent to: https, or http on this machine where that
//! is allowed.

use std::net::{IpAddr, Ipv4Addr};

use http::Uri;

/// An address without user, password or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
    host: String,
    port: u16,
    is_tls: bool,
    uri: Uri,
}

impl Url {
    /// Reads one; `http` is allowed for loopback alone, and only if `is_plain_allowed`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str, is_plain_allowed: bool) -> Result<Self, &'static str> {
        let is_plain_text = text.bytes().all(|byte| byte.is_ascii_graphic());
        let uri: Uri = match is_plain_text && !text.contains('#') && text.len() <= 2048 {
            true => text.parse().map_err(|_| "is not a URL")?,
            false => return Err("is not a URL"),
        };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("is not a URL");
        };
        if authority.as_str().contains('@') {
            return Err("has a user name in it");
        }
        let host = authority.host();
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host).to_ascii_lowercase();
        if host.is_empty() {
            return Err("has no host");
        }
        let is_tls = match scheme {
            "https" => true,
            "http" if is_plain_allowed && is_loopback(&host) => false,
            "http" => return Err("is not https"),
            _ => return Err("is not an https URL"),
        };
        let port = authority.port_u16();
        Ok(Self {
            text: text.to_owned(),
            port: port.unwrap_or(if is_tls { 443 } else { 80 }),
            host,
            is_tls,
            uri,
        })
    }

    /// As it was written.
    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The host: a name, or an address without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is https.
    pub(crate) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The host, and the port if it was written: what the `Host` header says.
    pub(crate) fn authority(&self) -> &str {
        self.uri
            .authority()
            .map_or("", |authority| authority.as_str())
    }

    /// The path and the query.
    pub(crate) fn target(&self) -> &str {
        self.uri
            .path_and_query()
            .map_or("/", |target| target.as_str())
    }

    /// With these parameters after those that it has.
    pub(crate) fn with_query(&self, parameters: &[(&str, &str)]) -> String {
        let query = form(parameters);
        let separator = match self.uri.query() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        format!("{}{separator}{query}", self.text)
    }
}

/// Parameters as forms and queries write them.
pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    // Pairs of texts can always be written.
    serde_urlencoded::to_string(parameters).unwrap_or_default()
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// Where `localhost` is.
pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_on_this_machine() {
        let url = Url::parse("https://Id.Example:8443/a?b=c", false).unwrap();
        assert_eq!(
            (url.host(), url.port(), url.is_tls()),
            ("id.example", 8443, true)
        );
        assert_eq!(
            (url.authority(), url.target()),
            ("Id.Example:8443", "/a?b=c")
        );
        assert_eq!(
            url.with_query(&[("d", "e f")]),
            "https://Id.Example:8443/a?b=c&d=e+f"
        );
        for text in [
            "http://127.0.0.1:1/",
            "http://localhost",
            "http://[::1]:5/x",
        ] {
            assert!(Url::parse(text, true).is_ok(), "{text}");
            assert!(Url::parse(text, false).is_err(), "{text}");
        }
        for text in [
            "",
            "/a",
            "id.example",
            "http://id.example/",
            "http://127.0.0.1.example/",
            "ftp://id.example/",
            "https://user@id.example/",
            "https://u:p@id.example/",
            "https://id.example/#a",
            "https://id.example/a b",
            "https://id.example/\r\nx: y",
            "https:///a",
            "javascript:alert(1)",
        ] {
            assert!(Url::parse(text, true).is_err(), "{text}");
        }
    }
}
