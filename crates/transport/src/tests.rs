//! The transport through real sockets: deadlines, caps, evenness, panics and drains.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::Code;

use super::{
    DrainReport, Listener, Protocols, TransportConfig, TransportError,
    connection::PREFACE,
    probe::{Probes, call, connect, serve, try_connect},
    timers,
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const CLEAN: DrainReport = DrainReport {
    connections_cut: 0,
    threads_lost: 0,
};

/// A configuration under which silence alone closes no connection within [`PATIENCE`].
fn patient() -> TransportConfig {
    TransportConfig {
        preface_timeout: PATIENCE * 10,
        ..TransportConfig::default()
    }
}

/// Reads until the server closes the connection.
async fn closed(mut socket: TcpStream) {
    let mut read = Vec::new();
    // A reset is as good an end as a FIN.
    let end = timeout(PATIENCE, socket.read_to_end(&mut read)).await;
    drop(end.expect("the server should have closed the connection"));
}

#[tokio::test]
async fn a_silent_connection_is_closed_at_the_preface_deadline() {
    let preface_timeout = Duration::from_millis(300);
    let server = serve(
        TransportConfig {
            preface_timeout,
            ..TransportConfig::default()
        },
        &Probes::new(),
    );
    let opened = timers::now();
    let silent = TcpStream::connect(server.local_addr()).await.unwrap();
    let mut halfway = TcpStream::connect(server.local_addr()).await.unwrap();
    halfway.write_all(&PREFACE[..23]).await.unwrap();
    let polite = connect(&server).await;

    closed(silent).await;
    closed(halfway).await;
    assert!(
        opened.elapsed() >= preface_timeout,
        "{:?}",
        opened.elapsed()
    );
    assert!(opened.elapsed() < PATIENCE / 2, "{:?}", opened.elapsed());

    tokio::time::sleep(preface_timeout).await;
    call(&polite, "core").await.unwrap();
    assert_eq!(server.connections(), 1);
    assert_eq!(server.drain(PATIENCE).await, CLEAN);
}

#[tokio::test]
async fn another_protocol_is_closed_without_waiting() {
    let server = serve(patient(), &Probes::new());
    let mut browser = TcpStream::connect(server.local_addr()).await.unwrap();
    browser.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    closed(browser).await;
    assert_eq!(server.drain(PATIENCE).await, CLEAN);
}

#[tokio::test]
async fn http1_is_spoken_beside_http2_where_it_may_be() {
    let config = TransportConfig {
        protocols: Protocols::Http1AndHttp2,
        preface_timeout: Duration::from_secs(1),
        ..TransportConfig::default()
    };
    let server = serve(config, &Probes::new());
    let polite = connect(&server).await;
    call(&polite, "core").await.unwrap();

    // The first byte is that of the HTTP/2 preface, too.
    let mut browser = TcpStream::connect(server.local_addr()).await.unwrap();
    for part in [
        &b"P"[..],
        b"OST / HTTP/1.1\r\nhost: a\r\n",
        b"content-length: 0\r\n\r\n",
    ] {
        browser.write_all(part).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut status = [0; 12];
    browser.read_exact(&mut status).await.unwrap();
    assert_eq!(&status[..9], b"HTTP/1.1 ");
    drop(browser);

    let silent = TcpStream::connect(server.local_addr()).await.unwrap();
    closed(silent).await;
    assert_eq!(server.drain(PATIENCE).await, CLEAN);
}

#[tokio::test]
async fn a_connection_over_the_cap_of_its_address_is_closed_and_the_others_go_on() {
    for config in [
        TransportConfig {
            max_connections_per_ip: 2,
            ..patient()
        },
        TransportConfig {
            max_connections: 2,
            ..patient()
        },
    ] {
        let server = serve(config, &Probes::new());
        let first = connect(&server).await;
        let second = connect(&server).await;
        let first_peer = call(&first, "peer").await.unwrap();
        call(&second, "core").await.unwrap();

        closed(TcpStream::connect(server.local_addr()).await.unwrap()).await;
        assert_eq!(call(&first, "peer").await.unwrap(), first_peer);

        drop(second);
        timeout(PATIENCE, async {
            while server.connections() > 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("a closed connection should give its slot back");
        let third = connect(&server).await;
        call(&third, "core").await.unwrap();
        assert_eq!(server.drain(PATIENCE).await, CLEAN);
    }
}

#[tokio::test]
async fn connections_are_spread_evenly_over_the_cores() {
    let server = serve(TransportConfig::default(), &Probes::new());
    let mut channels = Vec::new();
    let mut connections_by_core = BTreeMap::<String, usize>::new();
    for _ in 0..16 {
        let channel = connect(&server).await;
        let core = call(&channel, "core").await.unwrap();
        *connections_by_core.entry(core).or_default() += 1;
        channels.push(channel);
    }
    let spread: Vec<_> = connections_by_core.into_values().collect();
    assert_eq!(spread, [8, 8]);
    assert_eq!(server.drain(PATIENCE).await, CLEAN);
}

#[tokio::test]
async fn the_handler_sees_the_address_of_its_peer() {
    let server = serve(TransportConfig::default(), &Probes::new());
    let channel = connect(&server).await;
    let peer: SocketAddr = call(&channel, "peer").await.unwrap().parse().unwrap();
    assert_eq!(peer.ip(), server.local_addr().ip());
    assert_ne!(peer.port(), server.local_addr().port());
}

#[tokio::test]
async fn a_panic_in_a_handler_leaves_its_core_and_its_connection_serving() {
    let mut server = serve(TransportConfig::default(), &Probes::new());
    let channel = connect(&server).await;
    let port = call(&channel, "peer").await.unwrap();
    for _ in 0..3 {
        call(&channel, "panic").await.unwrap_err();
        assert_eq!(call(&channel, "peer").await.unwrap(), port);
    }
    let died = timeout(Duration::from_millis(50), server.failed()).await;
    assert!(died.is_err(), "{died:?}");
    assert_eq!(server.drain(PATIENCE).await, CLEAN);
}

#[tokio::test]
async fn a_core_that_dies_is_told() {
    let config = TransportConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        cores: std::num::NonZeroUsize::new(1),
        ..TransportConfig::default()
    };
    let make_service = || -> tonic::service::Routes { panic!("no service today") };
    let mut server = Listener::bind(&config)
        .unwrap()
        .serve(make_service)
        .unwrap();
    let ended = timeout(PATIENCE, server.failed()).await.unwrap();
    assert_eq!(ended.name, "grpc-0");
    assert_eq!(ended.reason, "no service today");
}

#[tokio::test]
async fn a_drain_lets_a_call_in_flight_finish_and_refuses_new_connections() {
    let probes = Probes::new();
    let server = serve(TransportConfig::default(), &probes);
    let address = server.local_addr();
    let busy = connect(&server).await;
    let idle = connect(&server).await;
    call(&idle, "core").await.unwrap();
    let in_flight = tokio::spawn(async move { call(&busy, "wait").await });
    probes.calls_are_waiting(1).await;

    let drain = tokio::spawn(server.drain(PATIENCE));
    timeout(PATIENCE, async {
        while try_connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("new connections should be refused");
    assert!(
        !drain.is_finished(),
        "the call in flight should be waited for"
    );

    probes.open.add_permits(1);
    assert_eq!(in_flight.await.unwrap().unwrap(), "waited");
    assert_eq!(drain.await.unwrap(), CLEAN);
    assert_eq!(
        call(&idle, "core").await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_drain_ends_at_its_limit_and_says_how_many_connections_it_cut() {
    let probes = Probes::new();
    let server = serve(TransportConfig::default(), &probes);
    let stuck: Vec<_> = [connect(&server).await, connect(&server).await]
        .into_iter()
        .map(|channel| tokio::spawn(async move { call(&channel, "wait").await }))
        .collect();
    let idle = connect(&server).await;
    call(&idle, "core").await.unwrap();
    probes.calls_are_waiting(2).await;

    let limit = Duration::from_millis(300);
    let began = timers::now();
    let report = server.drain(limit).await;
    assert!(began.elapsed() >= limit, "{:?}", began.elapsed());
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    let two_cut = DrainReport {
        connections_cut: 2,
        ..CLEAN
    };
    assert_eq!(report, two_cut);
    for call in stuck {
        call.await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn a_drain_waits_a_moment_for_connections_in_their_handshake() {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: u8 = 7;
    let server = serve(TransportConfig::default(), &Probes::new());
    let mut late = TcpStream::connect(server.local_addr()).await.unwrap();
    late.write_all(&PREFACE[..10]).await.unwrap();
    call(&connect(&server).await, "core").await.unwrap();
    let drain = tokio::spawn(server.drain(PATIENCE));
    tokio::time::sleep(Duration::from_millis(50)).await;

    late.write_all(&PREFACE[10..]).await.unwrap();
    late.write_all(&SETTINGS).await.unwrap();
    let told_to_leave = async {
        loop {
            let mut header = [0; 9];
            late.read_exact(&mut header).await.unwrap();
            let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
            let mut payload = vec![0; length.try_into().unwrap()];
            late.read_exact(&mut payload).await.unwrap();
            if header[3] == GOAWAY {
                break;
            }
        }
    };
    timeout(PATIENCE, told_to_leave).await.unwrap();
    drop(late);
    assert_eq!(drain.await.unwrap(), CLEAN);
}

#[tokio::test]
async fn dropping_the_transport_closes_its_connections_though_calls_are_in_flight() {
    let probes = Probes::new();
    let server = serve(patient(), &probes);
    let silent = TcpStream::connect(server.local_addr()).await.unwrap();
    let busy = connect(&server).await;
    let in_flight = tokio::spawn(async move { call(&busy, "wait").await });
    probes.calls_are_waiting(1).await;
    drop(server);
    closed(silent).await;
    timeout(PATIENCE, in_flight)
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
}

#[tokio::test]
async fn old_connections_are_asked_to_leave_and_their_calls_finish() {
    let probes = Probes::new();
    let config = TransportConfig {
        max_connection_age: Some(Duration::from_millis(200)),
        ..TransportConfig::default()
    };
    let server = serve(config, &probes);
    let channel = connect(&server).await;
    let first_peer = call(&channel, "peer").await.unwrap();
    let waiting = {
        let channel = channel.clone();
        tokio::spawn(async move { call(&channel, "wait").await })
    };
    probes.calls_are_waiting(1).await;
    timeout(PATIENCE, async {
        // A call that meets the GOAWAY may fail; the next one goes to a new connection.
        while call(&channel, "peer").await.unwrap_or(first_peer.clone()) == first_peer {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the client should have moved to a new connection");
    probes.open.add_permits(1);
    assert_eq!(waiting.await.unwrap().unwrap(), "waited");
    assert_eq!(server.drain(PATIENCE).await, CLEAN);
}

#[tokio::test]
async fn a_second_server_on_the_same_address_is_told_so() {
    let server = serve(TransportConfig::default(), &Probes::new());
    let config = TransportConfig {
        listen: server.local_addr(),
        ..TransportConfig::default()
    };
    let error = Listener::bind(&config).unwrap_err();
    assert!(matches!(error, TransportError::Listen { address, .. } if address == config.listen));
    let text = error.to_string();
    assert!(text.contains(&config.listen.to_string()), "{text}");
    assert!(text.contains("choose another port"), "{text}");
}
