//! Lines with named places for what varies, such as `<time>`.

/// The name of what varies, and which characters it has.
type Place = (&'static str, fn(char) -> bool);

const PLACES: [Place; 7] = [
    ("<time>", |c| {
        c.is_ascii_alphanumeric() || "-:.+".contains(c)
    }),
    ("<id>", |c| c.is_ascii_hexdigit() || c == '-'),
    ("<key>", |c| c.is_ascii_alphanumeric() || "-_".contains(c)),
    ("<size>", |c| c.is_ascii_digit()),
    ("<token>", |c| {
        c.is_ascii_alphanumeric() || "-_.…".contains(c)
    }),
    ("<address>", |c| {
        c.is_ascii_alphanumeric() || "-.@".contains(c)
    }),
    ("<here>", |c| !c.is_whitespace()),
];

/// A line in place of any number of lines.
const ANY_LINES: &str = "…";

/// Where lines are not as they are shown. Nothing shown is nothing promised.
pub(crate) fn difference(shown: &[String], came: &[String]) -> Option<String> {
    if shown.is_empty() {
        return None;
    }
    let mut came = came.iter();
    let mut shown = shown.iter();
    while let Some(line) = shown.next() {
        let matching = if line == ANY_LINES {
            // At the end, it stands for all that may come.
            let next = shown.next()?;
            came.find(|came| fits(next, came)).map(|_| next)
        } else {
            came.next().filter(|came| fits(line, came))
        };
        if matching.is_none() {
            return Some(format!("this did not come: {line}"));
        }
    }
    came.next().map(|more| format!("this is not shown: {more}"))
}

/// Whether a line is the one that is shown, up to what varies. So does the width
/// of columns.
fn fits(shown: &str, came: &str) -> bool {
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    fits_squeezed(&squeezed(shown), &squeezed(came))
}

fn fits_squeezed(shown: &str, came: &str) -> bool {
    let place = PLACES
        .iter()
        .filter_map(|(name, is_of_it)| Some((shown.find(name)?, name, is_of_it)))
        .min_by_key(|(at, ..)| *at);
    let Some((at, name, is_of_it)) = place else {
        return shown == came;
    };
    let Some(rest) = came.strip_prefix(&shown[..at]) else {
        return false;
    };
    let shown = &shown[at + name.len()..];
    // The program itself may say a place by its name.
    if rest
        .strip_prefix(name)
        .is_some_and(|rest| fits_squeezed(shown, rest))
    {
        return true;
    }
    let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
    let mut ends = ends.zip(rest.chars()).take_while(|(_, c)| is_of_it(*c));
    ends.any(|(end, _)| fits_squeezed(shown, &rest[end..]))
}

#[test]
fn what_varies_may_be_anything_of_its_kind() {
    for (shown, came, is_good) in [
        ("a", "a", true),
        ("a", "b", false),
        ("at <time>, <id>.", "at 2026-01-02T03:04:05Z, 0a-1b.", true),
        ("at <time>, <id>.", "at 2026-01-02T03:04:05Z, 0x.", false),
        ("<key>", "csk_a-B", true),
        ("<key>", "<key>", true),
        ("<key>", "", false),
        ("<key>", "csk_a b", false),
        ("NAME  USED  SANS", "NAME  USED        SANS", true),
    ] {
        assert_eq!(fits(shown, came), is_good, "{shown}: {came}");
    }
}

#[test]
fn a_line_that_is_missing_or_too_many_is_told() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (shown, came, is_good) in [
        ("", "a", true),
        ("a\nb", "a\nb", true),
        ("a\nb", "a", false),
        ("a", "a\nb", false),
        ("a\n…", "a\nb\nc", true),
        ("…\nc", "a\nb\nc", true),
        ("…\nc", "a\nb\nc\nd", false),
        ("…\nx", "a\nb", false),
    ] {
        let difference = difference(&lines(shown), &lines(came));
        assert_eq!(difference.is_none(), is_good, "{shown}: {difference:?}");
    }
}
