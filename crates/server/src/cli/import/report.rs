//! What has become of the users: counts, and who was refused and why, in a file. No hash
//! and no address is in it, but for ids that are addresses themselves.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use countersign_proto::v1;
use countersign_proto::v1::import_result::Outcome;
use serde::Serialize;

use super::batch::Sent;
use super::fields::name_in_file;
use super::record::{Place, Wrong};

/// How many of those who are refused are named on the terminal.
const NAMED: u64 = 10;

/// What has become of the users.
pub(super) struct Report {
    counts: Counts,
    named: Vec<String>,
    file: Option<BufWriter<File>>,
}

/// How many there were.
#[derive(Debug, Default, Serialize)]
pub(super) struct Counts {
    pub(super) imported: u64,
    pub(super) already_there: u64,
    pub(super) refused: u64,
    /// Of those who were imported, those of whom something was left out.
    pub(super) in_part: u64,
    /// Those who were refused, by reason.
    pub(super) reasons: BTreeMap<String, u64>,
}

/// A line of the file.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    reason: &'a str,
    violations: Vec<Violation<'a>>,
}

#[derive(Serialize)]
struct Violation<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'a str,
    rule: &'a str,
}

impl Report {
    /// A report, in a file that only its owner may read if there is to be one.
    pub(super) fn new(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(|path| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(path)
        });
        Ok(Self {
            counts: Counts::default(),
            named: Vec::new(),
            file: file.transpose()?.map(BufWriter::new),
        })
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Notes what the server has said of a user.
    pub(super) fn add(&mut self, sent: Sent) -> io::Result<()> {
        let Sent { entry, outcome } = sent;
        match outcome {
            Outcome::Imported(_) => {
                self.counts.imported += 1;
                if !entry.left_out.is_empty() {
                    self.counts.in_part += 1;
                    let id = Some(entry.user.external_id.as_str());
                    self.write(&entry.place, id, "LEFT_OUT", &entry.left_out)?;
                }
                Ok(())
            }
            Outcome::AlreadyThere(_) => {
                self.counts.already_there += 1;
                Ok(())
            }
            Outcome::Refused(refusal) => {
                let reason = reason(&refusal);
                let violations = refusal.violations.iter().map(|violation| {
                    let field = name_in_file(&entry.user, &violation.field);
                    Wrong::new(field, &*violation.description)
                });
                let violations: Vec<_> = violations.collect();
                let id = Some(entry.user.external_id.as_str());
                self.refuse(&entry.place, id, reason, &violations)
            }
        }
    }

    /// Notes a user who could not be sent.
    pub(super) fn add_unreadable(&mut self, place: &Place, wrong: Wrong) -> io::Result<()> {
        self.refuse(place, None, "FIELD_INVALID", &[wrong])
    }

    fn refuse(
        &mut self,
        place: &Place,
        external_id: Option<&str>,
        reason: &str,
        violations: &[Wrong],
    ) -> io::Result<()> {
        self.counts.refused += 1;
        *self.counts.reasons.entry(reason.to_owned()).or_default() += 1;
        if self.counts.refused <= NAMED {
            let first = violations.first();
            let about = first.map(|wrong| match wrong.field.as_str() {
                "" => format!(": {}", wrong.rule),
                field => format!(": {field}: {}", wrong.rule),
            });
            let about = about.unwrap_or_default();
            self.named.push(format!("{place}: {reason}{about}"));
        }
        self.write(place, external_id, reason, violations)
    }

    fn write(
        &mut self,
        place: &Place,
        external_id: Option<&str>,
        reason: &str,
        violations: &[Wrong],
    ) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let (line, id) = match place {
            Place::Line(number) => (Some(*number), external_id),
            Place::Row(id) => (None, Some(id.as_str())),
        };
        let violations = violations.iter().map(|wrong| Violation {
            field: &wrong.field,
            rule: &wrong.rule,
        });
        serde_json::to_writer(
            &mut *file,
            &Row {
                line,
                external_id: id.filter(|id| !id.is_empty()),
                reason,
                violations: violations.collect(),
            },
        )?;
        writeln!(file)
    }

    /// Names the first of those who were refused.
    pub(super) fn take_named(&mut self) -> Vec<String> {
        std::mem::take(&mut self.named)
    }

    /// Writes what is left of the file.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.flush(),
            None => Ok(()),
        }
    }
}

impl Counts {
    /// How many users were told of.
    pub(super) fn all(&self) -> u64 {
        self.imported + self.already_there + self.refused
    }

    pub(super) fn write(&self, dry_run: bool, out: &mut dyn Write) -> io::Result<()> {
        let imported = match dry_run {
            true => "would be imported",
            false => "imported",
        };
        writeln!(out, "{:18}  {}", imported, self.imported)?;
        if self.in_part > 0 {
            writeln!(out, "{:18}  {}", "  of them in part", self.in_part)?;
        }
        writeln!(out, "{:18}  {}", "already there", self.already_there)?;
        writeln!(out, "{:18}  {}", "refused", self.refused)?;
        for (reason, count) in &self.reasons {
            writeln!(out, "  {reason:16}  {count}")?;
        }
        Ok(())
    }
}

fn reason(refusal: &v1::ImportRefusal) -> &'static str {
    let name = refusal.reason().as_str_name();
    name.trim_start_matches("ERROR_REASON_")
}
