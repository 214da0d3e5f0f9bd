//! The bytes of a file, by and by: how many were read is known to whoever shows the
//! progress, and no line takes more memory than it may.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What files of other systems may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How long a record may be, in bytes: the longest attributes and hash fit into it many
/// times.
pub(super) const LONGEST_RECORD: usize = 256 * 1024;

/// A file that is read.
pub(super) struct Bytes {
    reader: BufReader<File>,
    read: Arc<AtomicU64>,
}

/// A line, as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes are in the buffer, without the end of the line.
    Whole,
    /// It was longer than a record may be, and is passed over.
    TooLong,
    /// There is none any more.
    End,
}

impl Bytes {
    /// Opens a file, behind a byte order mark if it has one.
    pub(super) fn open(path: &Path, read: Arc<AtomicU64>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut beginning = Vec::new();
        (&mut file).take(3).read_to_end(&mut beginning)?;
        let mut bytes = Self {
            reader: BufReader::with_capacity(64 * 1024, file),
            read,
        };
        if beginning != BYTE_ORDER_MARK {
            bytes.reader.rewind()?;
        }
        Ok(bytes)
    }

    /// What is read and not consumed yet; empty at the end.
    pub(super) fn ahead(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Reads a line into a buffer.
    pub(super) fn line(&mut self, line: &mut Vec<u8>) -> io::Result<Line> {
        line.clear();
        let (mut is_too_long, mut is_begun) = (false, false);
        loop {
            let ahead = self.ahead()?;
            if ahead.is_empty() {
                return Ok(match (is_begun, is_too_long) {
                    (false, _) => Line::End,
                    (true, false) => Line::Whole,
                    (true, true) => Line::TooLong,
                });
            }
            is_begun = true;
            let end = ahead.iter().position(|byte| *byte == b'\n');
            let part = &ahead[..end.unwrap_or(ahead.len())];
            if line.len() + part.len() > LONGEST_RECORD {
                is_too_long = true;
                line.clear();
            } else if !is_too_long {
                line.extend_from_slice(part);
            }
            let consumed = part.len() + usize::from(end.is_some());
            self.consume(consumed);
            if end.is_some() {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(match is_too_long {
                    true => Line::TooLong,
                    false => Line::Whole,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn lines(content: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(content).expect("written");
        let read = Arc::new(AtomicU64::new(0));
        let mut bytes = Bytes::open(file.path(), Arc::clone(&read)).expect("opened");
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        loop {
            match bytes.line(&mut line).expect("read") {
                Line::Whole => lines.push(Some(line.clone())),
                Line::TooLong => lines.push(None),
                Line::End => return lines,
            }
        }
    }

    #[test]
    fn lines_are_read_however_they_end() {
        assert_eq!(lines(b""), []);
        let whole = |text: &[u8]| Some(text.to_vec());
        assert_eq!(lines(b"a"), [whole(b"a")]);
        assert_eq!(
            lines(b"\xef\xbb\xbfa\r\n\nb\0\n"),
            [whole(b"a"), whole(b""), whole(b"b\0")]
        );
    }

    #[test]
    fn a_long_line_is_passed_over_and_the_next_one_read() {
        let mut content = vec![b'x'; 10 * 1024 * 1024];
        content.extend(b"\nshort\n");
        content.extend(vec![b'y'; LONGEST_RECORD]);
        content.push(b'\n');
        content.extend(vec![b'z'; LONGEST_RECORD + 1]);
        let read = lines(&content);
        assert_eq!(read.len(), 4);
        assert_eq!(read[0], None);
        assert_eq!(read[1].as_deref(), Some(&b"short"[..]));
        assert_eq!(read[2].as_ref().map(Vec::len), Some(LONGEST_RECORD));
        assert_eq!(read[3], None);
    }
}
