//! Counts what a connection sends besides the calls that it may make: frames that cost the peer nothing and us
//! something, such as PING, SETTINGS, PRIORITY, WINDOW_UPDATE, unknown and empty ones (RFC 9113, section 10.5), and
//! calls that are refused.

use std::time::Duration;

use tokio::time::Instant;

use super::connection_info::PermittedCalls;

/// What a connection may send at once besides its calls, in frames, and in all before one of them is permitted.
const BURST: u32 = 1_000;

/// What it may send besides in a second: questions about health, window updates, pings that measure its bandwidth.
const PER_SECOND: u32 = 500;

/// What the headers of a call cost until it is permitted.
const HEADERS_COST: u32 = 4;

/// What may come of each call in flight before any of them is judged: its headers, and frames of its body.
const IN_FLIGHT: u32 = 2 * HEADERS_COST;

/// What a permitted call gives back: its headers, and its messages, window updates for the answer, a reset.
const PER_CALL: u32 = HEADERS_COST + 32;

/// A large frame counts as one for each of so many bytes.
const BYTES: u32 = 1024;

const HEAD: usize = 9;
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;

/// The frames that a connection may still send.
#[derive(Debug)]
pub(super) struct FrameMeter {
    head: [u8; HEAD],
    /// How much of the head of the next frame was read.
    head_read: usize,
    /// How much of the frame's payload is still to come.
    payload_left: usize,
    /// Whether a call has begun since it was asked.
    has_call: bool,
    credit: u32,
    most: u32,
    permitted_calls: PermittedCalls,
    /// Whether a call was permitted, as far as it was looked.
    has_permitted: bool,
    refilled_at: Instant,
}

/// There were too many frames besides permitted calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Excess;

impl FrameMeter {
    /// Of a connection that may have so many streams at once.
    pub(super) fn new(max_streams: u32, permitted_calls: PermittedCalls, now: Instant) -> Self {
        let most = BURST.saturating_add(max_streams.saturating_mul(IN_FLIGHT));
        Self {
            head: [0; HEAD],
            head_read: 0,
            payload_left: 0,
            has_call: false,
            credit: BURST,
            most,
            permitted_calls,
            has_permitted: false,
            refilled_at: now,
        }
    }

    /// Whether a call of the connection was ever permitted.
    pub(super) fn has_permitted_calls(&mut self) -> bool {
        if !self.has_permitted && self.permitted_calls.are_some() {
            self.has_permitted = true;
            // From now on as many calls may come at once as there may be.
            self.earn(self.most - BURST);
        }
        self.has_permitted
    }

    /// How many bytes are certainly not the beginning of a call.
    pub(super) fn payload_left(&self) -> usize {
        self.payload_left
    }

    /// Whether a call has begun since this was asked last.
    pub(super) fn take_call(&mut self) -> bool {
        std::mem::take(&mut self.has_call)
    }

    /// Counts the frames whose heads end in what was read after the preface. The clock is asked only when nothing is
    /// left.
    ///
    /// # Errors
    /// If there were too many.
    pub(super) fn read(&mut self, mut bytes: &[u8], now: fn() -> Instant) -> Result<(), Excess> {
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let skipped = self.payload_left.min(bytes.len());
                self.payload_left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (HEAD - self.head_read).min(bytes.len());
            self.head[self.head_read..self.head_read + taken].copy_from_slice(&bytes[..taken]);
            self.head_read += taken;
            bytes = &bytes[taken..];
            if self.head_read == HEAD {
                self.head_read = 0;
                let [high, middle, low, kind, ..] = self.head;
                let length = u32::from_be_bytes([0, high, middle, low]);
                self.payload_left = length as usize;
                self.count(kind, length, now)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, kind: u8, length: u32, now: fn() -> Instant) -> Result<(), Excess> {
        self.has_call |= kind == HEADERS;
        let cost = match kind {
            HEADERS => HEADERS_COST,
            // Flow control bounds the bytes of messages.
            DATA => 1,
            _ => 1 + length / BYTES,
        };
        if self.credit < cost {
            self.has_permitted_calls();
            self.earn(self.permitted_calls.take().saturating_mul(PER_CALL));
        }
        if self.credit < cost {
            self.refill(now());
        }
        self.credit = self.credit.checked_sub(cost).ok_or(Excess)?;
        Ok(())
    }

    fn earn(&mut self, earned: u32) {
        let most = if self.has_permitted { self.most } else { BURST };
        self.credit = most.min(self.credit.saturating_add(earned));
    }

    fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.refilled_at);
        let earned = since.min(Duration::from_secs(60)).as_millis() * u128::from(PER_SECOND) / 1000;
        let earned = u32::try_from(earned).unwrap_or(BURST);
        if earned > 0 {
            self.earn(earned);
            self.refilled_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;
    use crate::{connection_info::ConnectionInfo, timers};

    const PING: u8 = 0x6;
    const PRIORITY: u8 = 0x2;
    const RST_STREAM: u8 = 0x3;
    const STREAMS: u32 = 256;

    /// A connection and what counts its frames.
    fn connection() -> (ConnectionInfo, FrameMeter) {
        let info = ConnectionInfo::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
        let meter = FrameMeter::new(STREAMS, info.permitted_calls(), timers::now());
        (info, meter)
    }

    fn frame(kind: u8, length: usize) -> Vec<u8> {
        let size = u32::try_from(length).unwrap().to_be_bytes();
        let mut frame = vec![size[1], size[2], size[3], kind, 0, 0, 0, 0, 1];
        frame.resize(HEAD + length, 7);
        frame
    }

    /// How many of these are taken one after another.
    fn taken(meter: &mut FrameMeter, frames: &[Vec<u8>], most: usize) -> usize {
        let mut sent = frames.iter().cycle().take(most);
        let begun = timers::now;
        sent.position(|frame| meter.read(frame, begun).is_err())
            .unwrap_or(most)
    }

    #[test]
    fn a_flood_of_small_frames_ends() {
        for kind in [PING, PRIORITY, DATA, 0x4, 0x8, 0xfe] {
            let taken = taken(&mut connection().1, &[frame(kind, 0)], 100_000);
            assert!((1_000..1_100).contains(&taken), "{kind}: {taken}");
        }
    }

    #[test]
    fn a_large_frame_costs_more() {
        let taken = taken(&mut connection().1, &[frame(0xfe, 16_384)], 100_000);
        assert!((58..70).contains(&taken), "{taken}");
    }

    #[test]
    fn calls_that_nobody_permits_end_with_all_that_comes_with_them() {
        for (with_it, number) in [(vec![], 250..270), (vec![frame(RST_STREAM, 4)], 200..220)] {
            let calls = [vec![frame(HEADERS, 60)], with_it].concat();
            let taken = taken(&mut connection().1, &calls, 100_000) / calls.len();
            assert!(number.contains(&taken), "{taken}");
        }
        let mut mixed = vec![frame(PRIORITY, 5); 32];
        mixed[0] = frame(HEADERS, 60);
        let taken = taken(&mut connection().1, &mixed, 100_000);
        assert!((900..1_000).contains(&taken), "{taken}");
    }

    #[test]
    fn calls_pay_for_what_belongs_to_them() {
        let (info, mut meter) = connection();
        let call = [
            frame(HEADERS, 90),
            frame(DATA, 600),
            frame(0x8, 4),
            frame(PING, 8),
            frame(0x8, 4),
        ];
        for number in 0..100_000 {
            assert_eq!(taken(&mut meter, &call, call.len()), call.len(), "{number}");
            info.permit_call();
        }
    }

    #[test]
    fn calls_that_come_before_any_is_permitted_are_taken_if_they_are_judged_meanwhile() {
        let (info, mut meter) = connection();
        let call = [frame(HEADERS, 90), frame(DATA, 600), frame(0x8, 4)];
        for _ in 0..STREAMS {
            assert_eq!(taken(&mut meter, &call, call.len()), call.len());
            info.permit_call();
        }
    }

    #[test]
    fn as_many_calls_as_a_connection_may_have_are_taken_at_once() {
        let (info, mut meter) = connection();
        let call = [frame(HEADERS, 90), frame(DATA, 600), frame(0x8, 4)];
        let calls = STREAMS as usize * call.len();
        assert_eq!(taken(&mut meter, &call, call.len()), call.len());
        info.permit_call();
        for number in 0..1_000 {
            assert_eq!(taken(&mut meter, &call, calls), calls, "{number}");
            (0..STREAMS).for_each(|_| info.permit_call());
        }
    }

    #[test]
    fn frames_are_counted_alike_wherever_reads_cut_them() {
        let stream: Vec<u8> = [frame(PING, 8), frame(DATA, 40), frame(PRIORITY, 5)].concat();
        for size in 1..stream.len() {
            let (_, mut meter) = connection();
            for part in stream.chunks(size) {
                meter.read(part, timers::now).unwrap();
            }
            assert_eq!(meter.credit, BURST - 3, "{size}");
            assert_eq!((meter.head_read, meter.payload_left), (0, 0), "{size}");
        }
    }

    #[test]
    fn an_idle_connection_earns_its_frames_back() {
        let (info, mut meter) = connection();
        info.permit_call();
        assert!(taken(&mut meter, &[frame(PING, 8)], 100_000) < 100_000);
        meter.refill(meter.refilled_at + Duration::from_secs(3));
        assert!(meter.credit >= 3 * PER_SECOND);
        for _ in 0..3 {
            meter.refill(meter.refilled_at + Duration::from_secs(3_600));
        }
        assert_eq!(meter.credit, meter.most);
    }
}
