//! For whom a request is served: the person's address, browser and language, as the service is told of them.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use countersign_client::proto::ClientContext;
use countersign_transport::ConnectionInfo;
use http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use crate::state::State;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What the service takes of a `User-Agent`, in bytes.
const MOST_OF_USER_AGENT: usize = 512;

/// Whom a request comes from.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) client: ClientContext,
    language: Option<MetadataValue<Ascii>>,
}

impl Context {
    /// A request to the service in the person's language.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(language) = &self.language {
            request
                .metadata_mut()
                .insert(ACCEPT_LANGUAGE.as_str(), language.clone());
        }
        request
    }

    /// The same in this language.
    pub(crate) fn in_language(mut self, tag: &'static str) -> Self {
        self.language = Some(MetadataValue::from_static(tag));
        self
    }

    pub(crate) fn client(&self) -> Option<ClientContext> {
        Some(self.client.clone())
    }
}

impl FromRequestParts<State> for Context {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectionInfo>();
        let peer = peer.map(|connection| connection.peer().ip());
        let address = peer.map(|peer| {
            person_behind(peer, &parts.headers, &state.settings.trusted_proxies).to_string()
        });
        let user_agent = parts.headers.get(USER_AGENT);
        let user_agent = user_agent.map_or_else(String::new, |value| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        });
        let language = parts.headers.get(ACCEPT_LANGUAGE);
        Ok(Self {
            client: ClientContext {
                ip_address: address.unwrap_or_default(),
                user_agent: cut(user_agent, MOST_OF_USER_AGENT),
            },
            language: language.and_then(|value| value.to_str().ok()?.parse().ok()),
        })
    }
}

/// The last address in `X-Forwarded-For` that is no trusted proxy: what stands before it, anybody may have written.
fn person_behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let lines = headers.get_all(FORWARDED_FOR).iter();
    let lines = lines.map(|value| value.to_str().unwrap_or_default());
    let lines: Vec<&str> = lines.collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    let mut address = peer;
    while is_trusted(address) {
        let hop = hops
            .next()
            .and_then(|hop| hop.trim().parse::<IpAddr>().ok());
        match hop {
            Some(hop) => address = hop.to_canonical(),
            None => break,
        }
    }
    address
}

fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let trusted: Vec<IpNet> = vec![
            "10.0.0.0/8".parse().unwrap(),
            "127.0.0.1/32".parse().unwrap(),
        ];
        for (peer, forwarded, expected) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
            (
                "127.0.0.1",
                &["192.0.2.66", "198.51.100.1, 10.1.2.3"],
                "198.51.100.1",
            ),
            ("127.0.0.1", &["198.51.100.1, nonsense"], "127.0.0.1"),
            ("127.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["10.0.0.2, 10.0.0.1"], "10.0.0.2"),
        ] {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append(FORWARDED_FOR, line.parse().unwrap());
            }
            let found = person_behind(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{forwarded:?}");
        }
    }
}
