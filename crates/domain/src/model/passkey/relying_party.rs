//! The site whose passkeys are taken.

use aws_lc_rs::digest;

/// The site whose passkeys are taken (`passkeys.rp_id`, `passkeys.origins`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    name: String,
    origins: Vec<String>,
}

impl RelyingParty {
    /// The site with this domain, the name that people are shown, and the origins
    /// of its pages and apps.
    ///
    /// # Errors
    /// The setting that is wrong, and what it must be.
    pub fn new(
        id: &str,
        name: &str,
        origins: &[String],
    ) -> Result<Self, (&'static str, &'static str)> {
        // Browsers take no domain of everybody's, such as com.
        if !is_domain(id) || !(id.contains('.') || id == "localhost") {
            let rule = "must be a domain in lower case, such as example.com, or localhost, without \
                        a scheme, a port or a path, and not a single word such as com";
            return Err(("passkeys.rp_id", rule));
        }
        if origins.is_empty() {
            return Err((
                "passkeys.origins",
                "must be set too, as passkeys.rp_id is: the origins of the pages that ask for \
                 passkeys, such as https://example.com",
            ));
        }
        if !origins.iter().all(|origin| is_origin_of(origin, id)) {
            let rule = "must be https://HOST or https://HOST:PORT where HOST is passkeys.rp_id or \
                        a name below it, http:// with localhost alone, or android:apk-key-hash:…";
            return Err(("passkeys.origins", rule));
        }
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            origins: origins.to_vec(),
        })
    }

    /// Its domain.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people are shown.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether pages of this origin may ask for passkeys: letter by letter.
    pub(super) fn admits(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }

    /// Whether this is the hash of its domain.
    pub(super) fn has_hash(&self, hash: &[u8]) -> bool {
        digest::digest(&digest::SHA256, self.id.as_bytes()).as_ref() == hash
    }
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    // An address is no domain: browsers take none.
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253
        && text.split('.').all(is_label)
        && !text.rsplit('.').next().is_some_and(is_number)
}

fn is_origin_of(origin: &str, id: &str) -> bool {
    if let Some(hash) = origin.strip_prefix("android:apk-key-hash:") {
        return !hash.is_empty() && hash.is_ascii();
    }
    let (is_plain, authority) = match origin.split_once("://") {
        Some(("https", authority)) => (false, authority),
        Some(("http", authority)) => (true, authority),
        _ => return false,
    };
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    // Browsers leave the usual port out, and write no zeros before another.
    let usual = if is_plain { "80" } else { "443" };
    let is_port =
        |port: &str| port != usual && !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok();
    let is_below = host
        .strip_suffix(id)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let is_local = host == "localhost" || host.ends_with(".localhost");
    is_domain(host) && is_below && port.is_none_or(is_port) && (!is_plain || is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(id: &str, origins: &[&str]) -> Option<&'static str> {
        let origins: Vec<_> = origins.iter().map(ToString::to_string).collect();
        RelyingParty::new(id, "", &origins)
            .err()
            .map(|(key, _)| key)
    }

    #[test]
    fn a_site_is_a_domain_and_origins_below_it() {
        let good: [(&str, &[&str]); 5] = [
            ("example.com", &["https://example.com"]),
            (
                "example.com",
                &["https://id.example.com:8443", "https://example.com"],
            ),
            ("localhost", &["http://localhost:8080"]),
            ("localhost", &["http://localhost", "https://shop.localhost"]),
            (
                "example.com",
                &["https://example.com", "android:apk-key-hash:b2s-Zm9v"],
            ),
        ];
        for (id, origins) in good {
            assert_eq!(fault(id, origins), None, "{id} {origins:?}");
        }
        let ids = [
            "",
            "Example.com",
            "https://example.com",
            "example.com:1",
            "127.0.0.1",
            "a..b",
            "com",
            "intranet",
        ];
        for id in ids {
            assert_eq!(
                fault(id, &["https://example.com"]),
                Some("passkeys.rp_id"),
                "{id}"
            );
        }
        assert_eq!(fault("example.com", &[]), Some("passkeys.origins"));
        let origins = [
            "",
            "example.com",
            "http://example.com",
            "https://example.com/",
            "https://example.com:443",
            "https://example.com:08",
            "https://example.com:99999",
            "https://badexample.com",
            "https://example.com.evil.net",
            "https://user@example.com",
            "https://EXAMPLE.com",
            "ftp://example.com",
            "android:apk-key-hash:",
        ];
        for origin in origins {
            let both = ["https://example.com", origin];
            assert_eq!(
                fault("example.com", &both),
                Some("passkeys.origins"),
                "{origin}"
            );
        }
    }
}
