//! Until when somebody is suspended, as an operator types it: a day and a time of its own time zone.

use prost_types::Timestamp;

/// The most that a time zone is away from UTC, in minutes.
const MOST_OFFSET: i64 = 14 * 60;

/// The instant of a local time (`2026-12-01T09:00`, as `datetime-local` writes it) in a time zone that is so many
/// minutes ahead of UTC.
pub(super) fn instant(local: &str, utc_offset: &str) -> Option<Timestamp> {
    let (date, time) = local.trim().split_once(['T', ' '])?;
    let time = match time.len() {
        5 => format!("{time}:00"),
        _ => time.to_owned(),
    };
    let offset: i64 = match utc_offset.trim() {
        "" => 0,
        text => text.parse().ok()?,
    };
    if !(-MOST_OFFSET..=MOST_OFFSET).contains(&offset) {
        return None;
    }
    let at: Timestamp = format!("{date}T{time}Z").parse().ok()?;
    Some(Timestamp {
        seconds: at.seconds.checked_sub(offset * 60)?,
        ..at
    })
}

/// The local time of an instant, as `datetime-local` wants it, in UTC.
pub(super) fn utc(at: Timestamp) -> String {
    let text = Timestamp { nanos: 0, ..at }.to_string();
    text.chars().take("2026-12-01T09:00".len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_is_an_instant() {
        let utc_text = |local: &str, offset: &str| instant(local, offset).map(|at| at.to_string());
        for (local, offset, expected) in [
            ("2026-12-01T09:00", "540", Some("2026-12-01T00:00:00Z")),
            ("2026-12-01 09:00", "0", Some("2026-12-01T09:00:00Z")),
            ("2026-12-01T09:00:30", "", Some("2026-12-01T09:00:30Z")),
            ("2026-11-30T23:00", "-480", Some("2026-12-01T07:00:00Z")),
            ("2026-02-30T09:00", "0", None),
            ("2026-12-01", "0", None),
            ("2026-12-01T25:00", "0", None),
            ("2026-12-01T09:00", "100000", None),
            ("2026-12-01T09:00", "x", None),
            ("", "0", None),
            ("tomorrow", "0", None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(utc_text(local, offset), expected, "{local} {offset}");
        }
        let at = instant("2026-12-01T09:00", "540").unwrap();
        assert_eq!(utc(at), "2026-12-01T00:00");
    }
}
