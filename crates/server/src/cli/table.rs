//! Lists for people and for `awk`: columns, one line each, no frames. Or, for
//! programs, JSON.

use std::io::{self, Write};

use serde::Serialize;

/// Writes rows under a header, each column as wide as its widest cell.
pub(super) fn write<const N: usize>(
    out: &mut dyn Write,
    header: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let header = header.map(String::from);
    let all = || std::iter::once(&header).chain(rows);
    let widths: Vec<usize> = (0..N)
        .map(|column| all().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    for row in all() {
        let cells = row.iter().zip(&widths);
        let text: String = cells
            .map(|(cell, width)| format!("{cell:width$}  "))
            .collect();
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Writes what one thing has, a line each, without what it has not.
pub(super) fn write_fields(
    out: &mut dyn Write,
    fields: &[(&str, Option<String>)],
) -> io::Result<()> {
    let width = fields.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or(0).max(12);
    for (name, value) in fields {
        if let Some(value) = value {
            writeln!(out, "{name:width$}  {value}")?;
        }
    }
    Ok(())
}

/// Writes rows as a JSON array on one line.
pub(super) fn write_json<T: Serialize>(out: &mut dyn Write, rows: &[T]) -> io::Result<()> {
    serde_json::to_writer(&mut *out, rows)?;
    writeln!(out)
}

/// Writes one row as a JSON object on one line.
pub(super) fn write_object<T: Serialize>(out: &mut dyn Write, row: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_not_shown() {
        let mut out = Vec::new();
        let fields = [("A", Some("b".into())), ("C", None)];
        write_fields(&mut out, &fields).expect("memory takes all");
        assert_eq!(String::from_utf8_lossy(&out), "A             b\n");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a".into(), "bb".into()], ["cccc".into(), "d".into()]];
        let mut out = Vec::new();
        write(&mut out, ["X", "Y"], &rows).expect("memory takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "X     Y\na     bb\ncccc  d\n"
        );
    }
}
