//! The trace that a caller says its call belongs to: W3C Trace Context, which is
//! ignored unless it is well formed.

use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The longest `tracestate` that is kept, as W3C wants it at the least: more
/// would let callers fill the queue of spans with what they like.
const MAX_TRACESTATE: usize = 512;

/// The headers of a call that tell of its trace.
struct TraceHeaders<'a> {
    traceparent: &'a str,
    tracestate: String,
}

/// The caller's context, or an empty one.
pub(super) fn of(headers: &HeaderMap) -> Context {
    let nothing = Context::new();
    match TraceHeaders::of(headers) {
        Some(headers) => TraceContextPropagator::new().extract_with_context(&nothing, &headers),
        None => nothing,
    }
}

impl<'a> TraceHeaders<'a> {
    fn of(headers: &'a HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(TRACEPARENT).iter();
        // Of two, nobody could tell which one was meant.
        let (Some(only), None) = (given.next(), given.next()) else {
            return None;
        };
        let traceparent = only.to_str().ok().filter(|text| is_well_formed(text))?;
        let members = headers.get_all(TRACESTATE).iter().map(HeaderValue::to_str);
        let members: Vec<_> = members.filter_map(Result::ok).collect();
        let mut tracestate = members.join(",");
        if tracestate.len() > MAX_TRACESTATE {
            tracestate.clear();
        }
        Some(Self {
            traceparent,
            tracestate,
        })
    }
}

/// `VERSION-TRACE-PARENT-FLAGS` in lower-case hex, and after a version that is
/// not known yet whatever it adds. The library takes shorter numbers too.
fn is_well_formed(traceparent: &str) -> bool {
    const LENGTH: usize = 55;
    let (known, added) = match traceparent.split_at_checked(LENGTH) {
        Some((known, "")) => (known, ""),
        Some((known, added)) if !traceparent.starts_with("00") => (known, added),
        _ => return false,
    };
    let is_in_place = |(index, byte): (usize, u8)| match index {
        2 | 35 | 52 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    known.bytes().enumerate().all(is_in_place) && (added.is_empty() || added.starts_with('-'))
}

impl Extractor for TraceHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.traceparent),
            TRACESTATE => Some(&self.tracestate),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, TraceContextExt as _};

    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn of_headers(headers: &[(&'static str, &str)]) -> SpanContext {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        of(&map).span().span_context().clone()
    }

    #[test]
    fn a_context_is_taken_over_with_its_state() {
        let context = of_headers(&[
            (TRACEPARENT, GOOD),
            (TRACESTATE, "a=1"),
            (TRACESTATE, "b=2"),
        ]);
        assert_eq!(
            context.trace_id().to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(context.span_id().to_string(), "b7ad6b7169203331");
        assert!(context.is_sampled() && context.is_remote());
        assert_eq!(context.trace_state().header(), "a=1,b=2");
    }

    #[test]
    fn what_later_versions_add_does_not_matter() {
        let later = GOOD.replacen("00", "cc", 1);
        for header in [later.clone(), format!("{later}-what-the-future")] {
            assert!(of_headers(&[(TRACEPARENT, &header)]).is_valid(), "{header}");
        }
    }

    #[test]
    fn an_invalid_context_is_none() {
        for header in [
            "",
            "0-1-1-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        ] {
            assert!(!of_headers(&[(TRACEPARENT, header)]).is_valid(), "{header}");
        }
        let twice = [(TRACEPARENT, GOOD), (TRACEPARENT, GOOD)];
        assert!(!of_headers(&twice).is_valid(), "of two");
    }

    #[test]
    fn a_state_that_is_too_long_or_none_is_left_out_alone() {
        for state in ["no member", &format!("a={}", "1".repeat(511))] {
            let context = of_headers(&[(TRACEPARENT, GOOD), (TRACESTATE, state)]);
            assert!(context.is_valid(), "{state}");
            assert_eq!(context.trace_state().header(), "", "{state}");
        }
    }
}
