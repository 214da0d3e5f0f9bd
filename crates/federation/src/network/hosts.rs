//! Where hosts are: names are looked up once for each request, and the connection goes to an address
//! that was checked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::address::is_allowed;
use crate::failure::Failure;
use crate::url::{LOOPBACK, Url};

/// How many addresses of each family are tried: a network without a way for one has one for the
/// other.
const MOST_OF_A_FAMILY: usize = 2;

/// Where hosts are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    /// Hosts of tests, which count as public.
    known: Arc<HashMap<String, SocketAddr>>,
}

impl Hosts {
    /// Hosts that are not looked up.
    #[cfg(feature = "testing")]
    pub(crate) fn known(known: HashMap<String, SocketAddr>) -> Self {
        Self {
            known: Arc::new(known),
        }
    }

    /// The addresses of a host that may be asked.
    ///
    /// # Errors
    /// Unavailable if there are none at all, rejected if none may be asked.
    pub(crate) async fn addresses(
        &self,
        url: &Url,
        is_private_allowed: bool,
    ) -> Result<Vec<SocketAddr>, Failure> {
        let host = url.host();
        if let Some(address) = self.known.get(host) {
            return Ok(vec![*address]);
        }
        let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![(address, url.port()).into()],
            Err(_) if host == "localhost" => vec![(LOOPBACK, url.port()).into()],
            Err(_) => tokio::net::lookup_host((host, url.port()))
                .await
                .map_err(|_| Failure::unavailable(format!("{host} has no address")))?
                .collect(),
        };
        if found.is_empty() {
            return Err(Failure::unavailable(format!("{host} has no address")));
        }
        let (mut v4, mut v6) = (0, 0);
        let is_tried = move |address: &SocketAddr| {
            let tried = if address.is_ipv4() { &mut v4 } else { &mut v6 };
            *tried += 1;
            *tried <= MOST_OF_A_FAMILY
        };
        let allowed = found.into_iter();
        let allowed: Vec<_> = allowed
            .filter(|address| is_allowed(address.ip(), is_private_allowed))
            .filter(is_tried)
            .collect();
        match allowed.is_empty() {
            false => Ok(allowed),
            true => Err(Failure::rejected(format!(
                "{host} has an address at which no provider may be"
            ))),
        }
    }
}
