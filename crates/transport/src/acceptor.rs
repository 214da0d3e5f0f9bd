//! The one accept loop: it admits connections, hands each to the least loaded core and never spins on errors.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::{mpsc::UnboundedSender, watch},
    time::{Instant, sleep},
};

use super::{admission::Admission, handshake::Accepted, timers};

/// Connections that the kernel may hold until they are accepted; it takes the lesser of this and `somaxconn`.
pub(super) const BACKLOG: u16 = 4_096;

/// The pause when the process is out of descriptors or memory: accepting again at once would only fail again.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// The accept loop. When it ends, the cores see their channels close and begin to drain.
#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) admission: Arc<Admission>,
    /// By the core's index. Unbounded in form, bounded by the cap on connections in effect.
    pub(super) cores: Vec<UnboundedSender<Accepted>>,
    pub(super) preface_timeout: Duration,
}

impl Acceptor {
    /// Accepts until `stop` changes or its sender is gone, then takes what the kernel has accepted by then:
    /// closing the listener would reset those connections.
    ///
    /// # Errors
    /// If the listener cannot be registered with the runtime.
    pub(super) async fn run(
        self,
        listener: std::net::TcpListener,
        mut stop: watch::Receiver<Option<Instant>>,
    ) -> io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let mut failing = false;
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.changed() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((tcp, peer)) => {
                    failing = false;
                    // An error here means that the peer is gone already.
                    if let Ok(tcp) = tcp.into_std() {
                        self.admit(tcp, peer);
                    }
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "cannot accept connections; trying again until it works");
                    }
                    failing = true;
                    sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
        let listener = listener.into_std()?;
        for _ in 0..BACKLOG {
            let Ok((tcp, peer)) = listener.accept() else {
                break;
            };
            if tcp.set_nonblocking(true).is_ok() {
                self.admit(tcp, peer);
            }
        }
        Ok(())
    }

    fn admit(&self, tcp: std::net::TcpStream, peer: SocketAddr) {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let slot = match self.admission.admit(peer.ip()) {
            Ok(slot) => slot,
            Err(refusal) => {
                tracing::debug!(%peer, ?refusal, "connection refused");
                return refusal.count();
            }
        };
        if tcp.set_nodelay(true).is_err() {
            return;
        }
        let core = slot.core();
        let accepted = Accepted {
            tcp,
            peer,
            preface_due: timers::now() + self.preface_timeout,
            slot,
        };
        // A core that is gone ends the process; until then its share of connections is closed.
        drop(self.cores[core].send(accepted));
    }
}

/// Whether the next accept may succeed at once: the peer left between its SYN and our accept.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, num::NonZeroUsize};

    use tokio::{net::TcpStream, sync::mpsc};

    use super::*;

    #[tokio::test]
    async fn what_the_kernel_had_accepted_is_served_though_the_end_has_come() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let knocking = [
            TcpStream::connect(address).await.unwrap(),
            TcpStream::connect(address).await.unwrap(),
        ];
        let (to_core, mut accepted) = mpsc::unbounded_channel();
        let acceptor = Acceptor {
            admission: Arc::new(Admission::new(NonZeroUsize::MIN, 10, 10)),
            cores: vec![to_core],
            preface_timeout: Duration::from_secs(1),
        };
        let (stop, stopped) = watch::channel(None);
        stop.send_replace(Some(timers::now()));

        acceptor.run(listener, stopped).await.unwrap();

        for socket in &knocking {
            let peer = accepted.recv().await.unwrap().peer;
            assert_eq!(peer, socket.local_addr().unwrap());
        }
        assert!(accepted.recv().await.is_none());
        TcpStream::connect(address).await.unwrap_err();
    }

    #[test]
    fn running_out_of_descriptors_is_waited_out_and_a_lost_peer_is_not() {
        const ECONNABORTED: i32 = 103;
        const EMFILE: i32 = 24;
        assert!(concerns_one_connection(&io::Error::from_raw_os_error(
            ECONNABORTED
        )));
        assert!(!concerns_one_connection(&io::Error::from_raw_os_error(
            EMFILE
        )));
    }
}
