//! Decides whether a connection may stay and which core serves it, under one lock: caps, evenness and the gauge agree.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The connections that are held now, and how many may be.
#[derive(Debug)]
pub(super) struct Admission {
    max_connections: usize,
    max_connections_per_ip: usize,
    max_strangers: usize,
    max_strangers_per_ip: usize,
    held: Mutex<Held>,
}

/// Strangers are connections of which no call was permitted yet. They hold 18 KB each if they are idle, and up to 200 KB
/// with the calls of health and reflection that they may have: one in so many may be one.
const STRANGERS: usize = 4;

/// Where there may be few connections, so many may be strangers.
const FEW: usize = 64;

/// An entry of `by_source` lives as long as a connection, so the map is bounded by the cap on connections.
#[derive(Debug)]
struct Held {
    total: Connections,
    by_source: HashMap<IpAddr, Connections>,
    by_core: Vec<usize>,
    first_core_to_ask: usize,
}

/// How many connections there are, of one source or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Connections {
    all: usize,
    /// Those of which no call was permitted yet.
    strangers: usize,
}

/// The right of one connection to exist, given back on drop.
#[derive(Debug)]
pub(super) struct Slot {
    admission: Arc<Admission>,
    source: IpAddr,
    core: usize,
    is_stranger: bool,
}

/// Why a connection was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    MaxConnections,
    MaxConnectionsPerIp,
    MaxStrangers,
    MaxStrangersPerIp,
    PrefaceTimeout,
    TlsHandshake,
    NotHttp2,
    TooManyFrames,
}

impl Admission {
    pub(super) fn new(
        cores: NonZeroUsize,
        max_connections: usize,
        max_connections_per_ip: usize,
    ) -> Self {
        // They are there from now on, so that the first refusal is a rise.
        drop(metrics::gauge!("countersign_connections"));
        for refusal in Refusal::ALL {
            drop(refusal.counter());
        }
        Self {
            max_connections,
            max_connections_per_ip,
            max_strangers: (max_connections / STRANGERS).max(FEW),
            max_strangers_per_ip: (max_connections_per_ip / STRANGERS).max(FEW),
            held: Mutex::new(Held {
                total: Connections::default(),
                by_source: HashMap::new(),
                by_core: vec![0; cores.get()],
                first_core_to_ask: 0,
            }),
        }
    }

    /// Takes a slot on the core with the fewest connections.
    ///
    /// # Errors
    /// The cap that is reached.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Slot, Refusal> {
        let source = source_of(peer);
        let core = {
            let mut held = self.held();
            if held.total.all >= self.max_connections {
                return Err(Refusal::MaxConnections);
            }
            if held.total.strangers >= self.max_strangers {
                return Err(Refusal::MaxStrangers);
            }
            let mut from_source = held.by_source.get(&source).copied().unwrap_or_default();
            if from_source.all >= self.max_connections_per_ip {
                return Err(Refusal::MaxConnectionsPerIp);
            }
            if from_source.strangers >= self.max_strangers_per_ip {
                return Err(Refusal::MaxStrangersPerIp);
            }
            from_source.admit();
            held.by_source.insert(source, from_source);
            held.total.admit();
            held.take_least_loaded_core()
        };
        metrics::gauge!("countersign_connections").increment(1.0);
        Ok(Slot {
            admission: Arc::clone(self),
            source,
            core,
            is_stranger: true,
        })
    }

    pub(super) fn connections(&self) -> usize {
        self.held().total.all
    }

    pub(super) fn connections_on(&self, core: usize) -> usize {
        self.held().by_core[core]
    }

    /// Counts stay true even if a thread died while it held the lock: every change is complete before it can panic.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Ties go round, so that short connections one after another do not all land on the first core.
    fn take_least_loaded_core(&mut self) -> usize {
        let cores = self.by_core.len();
        let core = (0..cores)
            .map(|step| (self.first_core_to_ask + step) % cores)
            .min_by_key(|&core| self.by_core[core])
            .expect("there is at least one core");
        self.by_core[core] += 1;
        self.first_core_to_ask = (core + 1) % cores;
        core
    }
}

impl Connections {
    /// One more, a stranger.
    fn admit(&mut self) {
        self.all += 1;
        self.strangers += 1;
    }

    fn release(&mut self, is_stranger: bool) {
        self.all -= 1;
        self.strangers -= usize::from(is_stranger);
    }
}

impl Slot {
    pub(super) fn core(&self) -> usize {
        self.core
    }

    /// Says that a call of the connection was permitted: it is no stranger's any more.
    pub(super) fn permit(&mut self) {
        if !std::mem::take(&mut self.is_stranger) {
            return;
        }
        let mut held = self.admission.held();
        held.total.strangers -= 1;
        if let Some(from_source) = held.by_source.get_mut(&self.source) {
            from_source.strangers -= 1;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.admission.held();
        held.total.release(self.is_stranger);
        held.by_core[self.core] -= 1;
        if let Entry::Occupied(mut from_source) = held.by_source.entry(self.source) {
            from_source.get_mut().release(self.is_stranger);
            if from_source.get().all == 0 {
                from_source.remove();
            }
        }
        drop(held);
        metrics::gauge!("countersign_connections").decrement(1.0);
    }
}

impl Refusal {
    const ALL: [Self; 8] = [
        Self::MaxConnections,
        Self::MaxConnectionsPerIp,
        Self::MaxStrangers,
        Self::MaxStrangersPerIp,
        Self::PrefaceTimeout,
        Self::TlsHandshake,
        Self::NotHttp2,
        Self::TooManyFrames,
    ];

    pub(super) fn count(self) {
        self.counter().increment(1);
    }

    fn counter(self) -> metrics::Counter {
        metrics::counter!("countersign_connections_refused_total", "reason" => self.label())
    }

    fn label(self) -> &'static str {
        match self {
            Self::MaxConnections => "max_connections",
            Self::MaxConnectionsPerIp => "max_connections_per_ip",
            Self::MaxStrangers => "max_strangers",
            Self::MaxStrangersPerIp => "max_strangers_per_ip",
            Self::PrefaceTimeout => "preface_timeout",
            Self::TlsHandshake => "tls_handshake",
            Self::NotHttp2 => "not_http2",
            Self::TooManyFrames => "too_many_frames",
        }
    }
}

/// The block of addresses that shares one budget.
fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    fn admission(cores: usize, max: usize, max_per_ip: usize) -> Arc<Admission> {
        let cores = NonZeroUsize::new(cores).unwrap();
        Arc::new(Admission::new(cores, max, max_per_ip))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_slot_given_back_can_be_taken_again() {
        let admission = admission(1, 1, 1);
        let slot = admission.admit(ip("192.0.2.1")).unwrap();
        let refusal = admission.admit(ip("192.0.2.2")).unwrap_err();
        assert_eq!(refusal, Refusal::MaxConnections);
        drop(slot);
        admission.admit(ip("192.0.2.2")).unwrap();
    }

    #[test]
    fn an_address_at_its_cap_leaves_room_for_others() {
        let admission = admission(1, 10, 2);
        let _held = [(); 2].map(|()| admission.admit(ip("192.0.2.1")).unwrap());
        let refusal = admission.admit(ip("::ffff:192.0.2.1")).unwrap_err();
        assert_eq!(refusal, Refusal::MaxConnectionsPerIp);
        admission.admit(ip("192.0.2.2")).unwrap();
    }

    #[test]
    fn strangers_leave_room_for_those_whose_calls_are_permitted() {
        let admission = admission(1, 1_000, 400);
        let admit = || admission.admit(ip("192.0.2.1"));
        let mut slots: Vec<_> = (0..100).map(|_| admit().unwrap()).collect();
        assert_eq!(admit().unwrap_err(), Refusal::MaxStrangersPerIp);
        admission.admit(ip("192.0.2.2")).unwrap();
        for slot in &mut slots[..40] {
            slot.permit();
            slot.permit();
        }
        slots.extend((0..40).map(|_| admit().unwrap()));
        assert_eq!(admit().unwrap_err(), Refusal::MaxStrangersPerIp);
        // Strangers and others that go make room for as many.
        slots.drain(..50);
        slots.extend((0..10).map(|_| admit().unwrap()));
        assert_eq!(admit().unwrap_err(), Refusal::MaxStrangersPerIp);
        drop(slots);
        assert!(admission.held().by_source.is_empty());
        assert_eq!(admission.held().total, Connections::default());
    }

    #[test]
    fn strangers_of_many_addresses_leave_room_for_others() {
        let admission = admission(1, 400, 10);
        let admit = |n| admission.admit(ip(&format!("192.0.2.{n}")));
        let mut slots: Vec<_> = (0..100).map(|n| admit(n).unwrap()).collect();
        assert_eq!(admit(100).unwrap_err(), Refusal::MaxStrangers);
        slots[0].permit();
        slots.push(admit(100).unwrap());
        assert_eq!(admit(101).unwrap_err(), Refusal::MaxStrangers);
    }

    #[test]
    fn neighbours_in_one_ipv6_block_share_a_budget() {
        let admission = admission(1, 10, 1);
        let _held = admission.admit(ip("2001:db8:0:1::1")).unwrap();
        admission.admit(ip("2001:db8:0:1:ffff::2")).unwrap_err();
        admission.admit(ip("2001:db8:0:2::1")).unwrap();
    }

    #[test]
    fn closed_connections_leave_no_entry_behind() {
        let admission = admission(2, 1_000, 10);
        let slots: Vec<_> = (0..200)
            .map(|n| admission.admit(ip(&format!("192.0.2.{n}"))).unwrap())
            .collect();
        assert_eq!(admission.connections(), 200);
        drop(slots);
        assert_eq!(admission.connections(), 0);
        assert!(admission.held().by_source.is_empty());
    }

    #[test]
    fn a_freed_core_is_filled_first() {
        let admission = admission(3, 100, 100);
        let mut slots: Vec<_> = (0..9)
            .map(|_| admission.admit(ip("192.0.2.1")).unwrap())
            .collect();
        slots.retain(|slot| slot.core() != 1);
        for _ in 0..3 {
            let slot = admission.admit(ip("192.0.2.1")).unwrap();
            assert_eq!(slot.core(), 1);
            slots.push(slot);
        }
        assert_eq!(
            [0, 1, 2].map(|core| admission.connections_on(core)),
            [3, 3, 3]
        );
    }

    #[test]
    fn short_connections_take_turns_on_the_cores() {
        let admission = admission(2, 100, 100);
        let cores: Vec<_> = (0..4)
            .map(|_| admission.admit(ip("192.0.2.1")).unwrap().core())
            .collect();
        assert_eq!(cores, [0, 1, 0, 1]);
    }

    #[test]
    fn the_metrics_follow_the_connections() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let rendered = metrics::with_local_recorder(&recorder, || {
            let admission = admission(1, 2, 2);
            let _kept = admission.admit(ip("192.0.2.1")).unwrap();
            drop(admission.admit(ip("192.0.2.1")).unwrap());
            Refusal::NotHttp2.count();
            recorder.handle().render()
        });
        assert!(
            rendered.contains("countersign_connections 1\n"),
            "{rendered}"
        );
        let refused = "countersign_connections_refused_total{reason=\"not_http2\"} 1\n";
        assert!(rendered.contains(refused), "{rendered}");
    }
}
