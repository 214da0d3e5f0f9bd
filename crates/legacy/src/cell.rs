//! What a cell of a table says, whatever the type of its column: every database has
//! written it as text. What could mean two things is refused.

use countersign_domain::model::Timestamp;

/// Reads a truth value: of BOOLEAN, TINYINT and BIT columns, and of texts such as `Y`.
///
/// # Errors
/// What it must be.
pub fn truth(text: &str) -> Result<bool, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" | "\u{1}" => Ok(true),
        "0" | "f" | "false" | "n" | "no" | "off" | "\0" => Ok(false),
        _ => Err("must be a truth value such as true, 1 or Y"),
    }
}

const TIME: &str = "must be a time such as 2026-01-31 09:30:00 (of UTC, unless it says of which \
                    zone) or seconds or milliseconds since 1970";

/// Reads a time: of columns of dates and times, which are in UTC unless they say
/// otherwise, and of numbers of seconds or milliseconds since 1970. `None` where the
/// text says that there is none.
///
/// # Errors
/// What it must be.
pub fn time(text: &str) -> Result<Option<Timestamp>, &'static str> {
    let text = text.trim();
    // MySQL's zero date is what its columns have in place of NULL.
    if text.is_empty() || text == "0" || text.starts_with("0000-00-00") {
        return Ok(None);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().map_err(|_| TIME)?;
        return match text.len() {
            9 | 10 => Ok(Some(Timestamp::from_seconds(number))),
            12 | 13 => Ok(Some(Timestamp::from_millis(number))),
            _ => Err(TIME),
        };
    }
    let (date, rest) = text.split_at_checked(10).ok_or(TIME)?;
    let days = days_of(date).ok_or(TIME)?;
    let of_day = match rest.strip_prefix([' ', 'T']) {
        Some(rest) => millis_of_day(rest).ok_or(TIME)?,
        None if rest.is_empty() => 0,
        None => return Err(TIME),
    };
    Ok(Some(Timestamp::from_millis(days * 86_400_000 + of_day)))
}

/// Days since 1970 of `2026-01-31`, by the proleptic Gregorian calendar.
fn days_of(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is their last.
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Milliseconds of `09:30:00.123+09:00`, less the offset of its zone.
fn millis_of_day(text: &str) -> Option<i64> {
    let zone = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone);
    let mut parts = clock.trim_end().splitn(3, ':');
    let (hours, minutes) = (number(parts.next()?)?, number(parts.next()?)?);
    let (seconds, millis) = match parts.next() {
        None => (0, 0),
        Some(text) => match text.split_once('.') {
            None => (number(text)?, 0),
            Some((seconds, fraction)) => {
                number(fraction)?;
                let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
                (number(seconds)?, number(&millis)?)
            }
        },
    };
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let local = ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis;
    Some(local - offset_minutes(zone)? * 60_000)
}

/// Minutes of a zone: nothing, `Z`, `+09`, `+0900`, `-03:30`.
fn offset_minutes(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z") {
        return Some(0);
    }
    let (sign, digits) = zone.split_at(1);
    let digits = digits.replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits)?, 0),
        4 => (number(&digits[..2])?, number(&digits[2..])?),
        _ => return None,
    };
    let minutes = (hours <= 14 && minutes <= 59).then_some(hours * 60 + minutes)?;
    Some(if sign == "-" { -minutes } else { minutes })
}

fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_read_in_the_ways_of_all_databases() {
        for (text, value) in [
            ("true", true),
            ("1", true),
            ("Y", true),
            ("\u{1}", true),
            ("f", false),
            ("0", false),
            ("No", false),
            ("\0", false),
        ] {
            assert_eq!(truth(text), Ok(value), "{text:?}");
        }
        for text in ["", "2", "-1", "active", "ja", "null"] {
            assert!(truth(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_are_read_in_utc_unless_they_say_otherwise() {
        for (text, millis) in [
            ("1970-01-01", 0),
            ("2026-11-29 12:30:15", 1_795_955_415_000),
            ("2026-11-29T12:30:15Z", 1_795_955_415_000),
            ("2026-11-29 12:30:15.123456", 1_795_955_415_123),
            ("2026-11-29 12:30:15.5+00", 1_795_955_415_500),
            ("2026-11-29 21:30:15+09:00", 1_795_955_415_000),
            ("2026-11-29 09:00:15-0330", 1_795_955_415_000),
            ("2024-02-29 00:00:00", 1_709_164_800_000),
            ("1795955415", 1_795_955_415_000),
            ("1795955415123", 1_795_955_415_123),
        ] {
            let read = time(text).map(|time| time.map(Timestamp::as_millis));
            assert_eq!(read, Ok(Some(millis)), "{text}");
        }
        for text in ["", "0", "0000-00-00 00:00:00"] {
            assert_eq!(time(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn what_could_be_two_times_is_none() {
        for text in [
            "01/02/2026",
            "29-11-2026",
            "2026-13-01",
            "2026-02-29",
            "2026-11-29 25:00:00",
            "2026-11-29 12:30:15 KST",
            "2026-11-29 12:30:15.+00",
            "20261129",
            "17959554151",
            "yesterday",
            "2026-11-2\u{aecc}",
        ] {
            let read = time(text);
            assert!(read.is_err(), "{text} is {read:?}");
        }
    }
}
