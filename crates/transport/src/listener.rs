//! The listener: its address is taken and its certificate read before anything is served.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
    sync::Arc,
    thread::available_parallelism,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::{mpsc, watch};

use super::{
    ServerHandle, TransportConfig, TransportError,
    acceptor::{Acceptor, BACKLOG},
    admission::Admission,
    certificates::Certificates,
    core_server::{CoreServer, GrpcService},
    worker,
};

/// The transport before it serves: it holds its address and its certificate.
#[derive(Debug)]
pub struct Listener {
    config: Arc<TransportConfig>,
    listener: TcpListener,
    local_addr: SocketAddr,
    certificates: Option<Arc<Certificates>>,
}

impl Listener {
    /// Reads the certificate and takes the address. Needs no runtime.
    ///
    /// # Errors
    /// [`TransportError`] names the address or the file, and what would be right.
    pub fn bind(config: &TransportConfig) -> Result<Self, TransportError> {
        let load = |files| Certificates::load(files, config.protocols);
        let certificates = config.tls.as_ref().map(load).transpose()?;
        let (listener, local_addr) =
            listen(config.listen).map_err(|source| TransportError::Listen {
                address: config.listen,
                source,
            })?;
        Ok(Self {
            config: Arc::new(config.clone()),
            listener,
            local_addr,
            certificates: certificates.map(Arc::new),
        })
    }

    /// The address in use; with port 0 configured, the port that was taken.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Starts the serving threads `grpc-0`, `grpc-1`, … and the accepting thread `grpc-accept`, or `http-…` where
    /// HTTP/1.1 is spoken, too.
    ///
    /// `make_service` is called once on each serving thread, inside its runtime. What it captures and must not
    /// run there (databases, hashing) belongs on another runtime. A panic in it ends its thread, which
    /// [`ServerHandle::failed`] tells.
    ///
    /// # Errors
    /// [`TransportError::Thread`] if a thread cannot be created; those already started end by themselves.
    pub fn serve<S: GrpcService>(
        self,
        make_service: impl Fn() -> S + Send + Sync + 'static,
    ) -> Result<ServerHandle, TransportError> {
        let cores = self.config.cores.unwrap_or_else(parallelism);
        let admission = Arc::new(Admission::new(
            cores,
            self.config.max_connections,
            self.config.max_connections_per_ip,
        ));
        let make_service = Arc::new(make_service);
        let name = self.config.protocols.thread_name();
        let (stop, stopped) = watch::channel(None);
        let (ended, ends) = mpsc::unbounded_channel();

        let mut threads = Vec::new();
        let mut to_cores = Vec::new();
        for core in 0..cores.get() {
            let (to_core, accepted) = mpsc::unbounded_channel();
            to_cores.push(to_core);
            let server = CoreServer {
                config: Arc::clone(&self.config),
                accepted,
                stop: stopped.clone(),
            };
            let make_service = Arc::clone(&make_service);
            let tls = self.certificates.clone();
            let admission = Arc::clone(&admission);
            threads.push(worker::spawn(
                &format!("{name}-{core}"),
                ended.clone(),
                move |runtime| {
                    let served =
                        runtime.block_on(async { server.run((*make_service)(), tls).await });
                    served.map(|()| admission.connections_on(core))
                },
            )?);
        }

        let acceptor = Acceptor {
            admission: Arc::clone(&admission),
            cores: to_cores,
            preface_timeout: self.config.preface_timeout,
        };
        let Self {
            listener,
            local_addr,
            certificates,
            ..
        } = self;
        threads.push(worker::spawn(
            &format!("{name}-accept"),
            ended,
            move |runtime| {
                if let Some(certificates) = certificates {
                    runtime.spawn(certificates.follow_files());
                }
                runtime
                    .block_on(acceptor.run(listener, stopped))
                    .map(|()| 0)
                    .map_err(|error| error.to_string())
            },
        )?);
        Ok(ServerHandle::new(
            local_addr, admission, stop, ends, threads,
        ))
    }
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // `[::]` means every address of the machine, whatever `net.ipv6.bindv6only` says.
        socket.set_only_v6(false)?;
    }
    // A restart need not wait for the previous process's connections to leave TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::from(BACKLOG))?;
    let listener = TcpListener::from(socket);
    let local_addr = listener.local_addr()?;
    Ok((listener, local_addr))
}

fn parallelism() -> NonZeroUsize {
    available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
