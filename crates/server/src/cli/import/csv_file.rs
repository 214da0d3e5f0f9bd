//! Users as comma-separated values (RFC 4180), with a header. A record may have line
//! breaks within quotes.

use csv_core::{ReadRecordResult, Reader};

use super::fields::{Cell, Defaults, Field, Fields};
use super::lines::{Bytes, LONGEST_RECORD};
use super::record::{Place, Record, SourceError, Wrong};

/// How many columns a file may have.
const COLUMNS: usize = 1_000;

/// A file of CSV.
pub(super) struct CsvFile {
    records: Records,
    columns: Vec<Field>,
    defaults: Defaults,
}

/// The records of a file.
struct Records {
    bytes: Bytes,
    reader: Reader,
    /// What stands in the fields of a record, and where each of them ends.
    output: Vec<u8>,
    ends: Vec<usize>,
    /// The line at which it stands.
    line: u64,
}

/// A record, as it was read.
enum Read {
    /// So many fields.
    Fields(usize),
    /// It is longer than it may be, and passed over.
    TooLong,
    End,
}

impl CsvFile {
    /// Reads the header.
    pub(super) fn new(bytes: Bytes, defaults: Defaults) -> Result<Self, SourceError> {
        let mut records = Records {
            bytes,
            reader: Reader::new(),
            output: vec![0; LONGEST_RECORD],
            ends: vec![0; COLUMNS],
            line: 1,
        };
        let unfit = |text: String| Err(SourceError::Unfit(text));
        let count = match records.read()? {
            Read::Fields(count) => count,
            Read::TooLong => return unfit("the header is too long".into()),
            Read::End => {
                return unfit("the file is empty: it must begin with a header".into());
            }
        };
        let mut columns = Vec::new();
        for index in 0..count {
            let name = std::str::from_utf8(records.field(index)).unwrap_or_default();
            let Some(field) = Field::named(name.trim()) else {
                return unfit(format!(
                    "column {} of the header is none that is known: they are {}",
                    index + 1,
                    Field::NAMES.join(", ")
                ));
            };
            if columns.contains(&field) {
                return unfit(format!("the header names {} twice", field.name()));
            }
            columns.push(field);
        }
        if !columns.contains(&Field::ExternalId) {
            return unfit("the header must name the column external_id".into());
        }
        Ok(Self {
            records,
            columns,
            defaults,
        })
    }

    /// The next user, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Record>, SourceError> {
        self.records.pass_over_line_ends()?;
        let line = self.records.line;
        let read = self.records.read()?;
        let user = match read {
            Read::End => return Ok(None),
            Read::Fields(count) => self.user(count),
            Read::TooLong => Err(Wrong::new(
                "",
                format!("must be at most {LONGEST_RECORD} bytes long: is a quote not closed?"),
            )),
        };
        Ok(Some(Record::new(Place::Line(line), user)))
    }

    fn user(&self, count: usize) -> Result<countersign_proto::v1::ImportedUser, Wrong> {
        if count != self.columns.len() {
            let rule = format!("must have {} fields, as the header has", self.columns.len());
            return Err(Wrong::new("", rule));
        }
        let mut fields = Fields::default();
        for (index, field) in self.columns.iter().enumerate() {
            let text = std::str::from_utf8(self.records.field(index));
            let text = text.map_err(|_| Wrong::new(field.name(), "must be UTF-8"))?;
            if !text.is_empty() {
                fields.add(*field, Cell::Text(text.to_owned()));
            }
        }
        fields.user(&self.defaults, |field| self.columns.contains(&field))
    }
}

impl Records {
    /// Goes on to where a record begins.
    fn pass_over_line_ends(&mut self) -> Result<(), SourceError> {
        loop {
            let ahead = ahead(&mut self.bytes)?;
            let is_end = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
            let passed = ahead.iter().take_while(is_end).count();
            self.line += lines(&ahead[..passed]);
            if passed == 0 {
                return Ok(());
            }
            self.bytes.consume(passed);
        }
    }

    fn read(&mut self) -> Result<Read, SourceError> {
        let (mut written, mut ended, mut is_too_long) = (0, 0, false);
        loop {
            let input = ahead(&mut self.bytes)?;
            let (result, read, wrote, ends) = self.reader.read_record(
                input,
                &mut self.output[written..],
                &mut self.ends[ended..],
            );
            self.line += lines(&input[..read]);
            self.bytes.consume(read);
            written += wrote;
            ended += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                // What follows of it is read into the same place, and not looked at.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    is_too_long = true;
                    (written, ended) = (0, 0);
                }
                ReadRecordResult::Record if is_too_long => return Ok(Read::TooLong),
                ReadRecordResult::Record => return Ok(Read::Fields(ended)),
                ReadRecordResult::End => return Ok(Read::End),
            }
        }
    }

    fn field(&self, index: usize) -> &[u8] {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.output[begin..self.ends[index]]
    }
}

fn ahead(bytes: &mut Bytes) -> Result<&[u8], SourceError> {
    let ahead = bytes.ahead();
    ahead.map_err(|error| SourceError::Unreadable(error.to_string()))
}

/// How many lines end in what was read.
fn lines(bytes: &[u8]) -> u64 {
    let ends = bytes.iter().filter(|byte| **byte == b'\n');
    ends.map(|_| 1).sum()
}
