//! Instants as people and programs read them.

use std::time::{Duration, SystemTime};

use countersign_domain::model::Timestamp;
use humantime_serde::re::humantime;

/// 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
const LAST_MILLIS: u64 = 253_402_300_799_000;

/// An instant as `2026-11-20T07:54:34Z`.
pub(crate) fn rfc3339(timestamp: Timestamp) -> String {
    let millis = u64::try_from(timestamp.as_millis()).unwrap_or(0);
    let instant = SystemTime::UNIX_EPOCH + Duration::from_millis(millis.min(LAST_MILLIS));
    humantime::format_rfc3339_seconds(instant).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc() {
        let written = |seconds| rfc3339(Timestamp::from_seconds(seconds));
        assert_eq!(written(1_790_000_000), "2026-09-21T14:13:20Z");
        assert_eq!(written(-1), "1970-01-01T00:00:00Z");
        assert_eq!(written(i64::MAX), "9999-12-31T23:59:59Z");
    }
}
