//! `countersign import`: the users of another system, from a file or its database, in
//! batches through the API. Running it again is right after whatever has happened.

mod batch;
mod csv_file;
mod existing_rows;
mod fields;
mod json_lines;
mod lines;
mod progress;
mod record;
mod report;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use countersign_domain::ports::Clock;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::MissedTickBehavior;

use self::batch::{Batch, Entry};
use self::csv_file::CsvFile;
use self::existing_rows::ExistingRows;
use self::fields::Defaults;
use self::json_lines::JsonLines;
use self::lines::Bytes;
use self::progress::{Progress, per_second};
use self::record::{Record, SourceError};
use self::report::Report;
use super::failure::{Failure, Outcome};
use super::import_arguments::{FileFormat, Import, Source};
use super::server_client::ServerClient;
use crate::config::Config;
use crate::system::SystemClock;

/// What the command concedes to others on its machine, who may be the server.
pub(super) const NICENESS: i32 = 10;
/// Between two looks at how far it is.
const TICK: Duration = Duration::from_millis(250);
/// How many users are read ahead.
const AHEAD: usize = 1_000;

type Records = Receiver<Result<Record, SourceError>>;

/// An import that is under way.
struct Running<'a> {
    server: ServerClient,
    arguments: &'a Import,
    report: Report,
    progress: Progress,
    /// Why it does not go on.
    failure: Option<Failure>,
    is_interrupted: bool,
}

/// Imports the users of a source. `config` is asked for only if that is a database.
pub(super) async fn execute(
    arguments: &Import,
    config: impl FnOnce() -> Result<Config, Failure>,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let source = arguments.source().map_err(Failure::usage)?;
    let format = arguments.hash_format.map(|format| format.to_string());
    let defaults = Defaults {
        group: arguments.group.clone().unwrap_or_default(),
        hash_format: format.unwrap_or_default(),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let read = Arc::new(AtomicU64::new(0));
    let (to, records) = channel(AHEAD);
    let size = match source {
        Source::Database => {
            let rows = ExistingRows::of(&config()?, Arc::clone(&clock), defaults)?;
            tokio::spawn(rows.read(to));
            None
        }
        Source::File(path, format) => {
            let bytes = Bytes::open(&path, Arc::clone(&read));
            let bytes = bytes.map_err(|error| unreadable(&path, &error))?;
            tokio::task::spawn_blocking(move || read_file(bytes, format, defaults, &to));
            fs::metadata(&path).ok().map(|file| file.len())
        }
    };
    let report = Report::new(arguments.report.as_deref());
    let report = report.map_err(|error| match &arguments.report {
        Some(path) => Failure::from(format!("cannot write {}: {error}", path.display())),
        None => error.into(),
    })?;
    let mut running = Running {
        server: ServerClient::connect(&arguments.server).await?,
        arguments,
        report,
        progress: Progress::new(clock, read, size),
        failure: None,
        is_interrupted: false,
    };
    running.run(records, notes).await?;
    running.finish(out, notes)
}

/// Reads a file, as fast as its users are taken.
fn read_file(
    bytes: Bytes,
    format: FileFormat,
    defaults: Defaults,
    to: &Sender<Result<Record, SourceError>>,
) {
    let sent = match format {
        FileFormat::Csv => match CsvFile::new(bytes, defaults) {
            Ok(mut file) => pass_on(to, || file.next()),
            Err(error) => to.blocking_send(Err(error)).is_ok(),
        },
        FileFormat::Jsonl => {
            let mut file = JsonLines::new(bytes, defaults);
            pass_on(to, || file.next())
        }
    };
    // Nobody listens any more, if not: the import was interrupted.
    let _ = sent;
}

/// Passes on what is read. Tells whether it was all taken.
fn pass_on(
    to: &Sender<Result<Record, SourceError>>,
    mut next: impl FnMut() -> Result<Option<Record>, SourceError>,
) -> bool {
    while let Some(read) = next().transpose() {
        let is_last = read.is_err();
        if to.blocking_send(read).is_err() {
            return false;
        }
        if is_last {
            break;
        }
    }
    true
}

impl Running<'_> {
    /// Sends what is read, until all is answered, or it does not go on.
    async fn run(&mut self, mut records: Records, notes: &mut dyn Write) -> Result<(), Failure> {
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let size = usize::from(self.arguments.batch);
        let most = usize::from(self.arguments.in_flight);
        let server = &self.server;
        let send = |batch: Batch| batch.send(server, self.arguments.dry_run);
        let mut sending = FuturesUnordered::new();
        let (mut batch, mut is_read) = (Batch::default(), false);
        loop {
            tokio::select! {
                biased;
                _ = interrupts.recv() => {
                    if std::mem::replace(&mut self.is_interrupted, true) {
                        return Ok(());
                    }
                    self.progress.clear(notes)?;
                    writeln!(notes, "ending after what is under way")?;
                    is_read = true;
                    records.close();
                    batch = Batch::default();
                }
                Some(sent) = sending.next(), if !sending.is_empty() => match sent {
                    Ok(sent) => {
                        for one in sent {
                            self.report.add(one)?;
                        }
                    }
                    Err(failure) => {
                        is_read = true;
                        records.close();
                        batch = Batch::default();
                        self.failure.get_or_insert(failure);
                    }
                },
                _ = ticks.tick() => self.progress.show(self.report.counts(), notes)?,
                record = records.recv(), if !is_read && sending.len() < most => match record {
                    Some(Ok(Record { place, user: Ok(user), left_out })) => {
                        if batch.is_full_for(&user, size) {
                            sending.push(send(std::mem::take(&mut batch)));
                        }
                        batch.push(Entry { place, user, left_out });
                    }
                    Some(Ok(Record { place, user: Err(wrong), .. })) => {
                        self.report.add_unreadable(&place, wrong)?;
                    }
                    Some(Err(error)) => {
                        is_read = true;
                        self.failure.get_or_insert(failure(error));
                    }
                    None => is_read = true,
                },
                else => return Ok(()),
            }
            if is_read && !batch.is_empty() {
                sending.push(send(std::mem::take(&mut batch)));
            }
            if is_read && sending.is_empty() {
                return Ok(());
            }
        }
    }

    /// Says what has become of all.
    fn finish(mut self, out: &mut dyn Write, notes: &mut dyn Write) -> Result<Outcome, Failure> {
        self.progress.clear(notes)?;
        for named in self.report.take_named() {
            writeln!(notes, "{named}")?;
        }
        self.report.finish()?;
        let counts = self.report.counts();
        let took = self.progress.took();
        let is_whole = self.failure.is_none() && !self.is_interrupted;
        if self.arguments.json {
            let mut summary = serde_json::to_value(counts)?;
            summary["dry_run"] = json!(self.arguments.dry_run);
            summary["complete"] = json!(is_whole);
            summary["seconds"] = json!(took.as_secs_f64());
            serde_json::to_writer(&mut *out, &summary)?;
            writeln!(out)?;
        } else {
            counts.write(self.arguments.dry_run, out)?;
            let rate = per_second(counts.all(), took);
            writeln!(
                notes,
                "took {:.1} s, {rate} users a second",
                took.as_secs_f64()
            )?;
        }
        if let Some(failure) = self.failure {
            writeln!(
                notes,
                "to go on, run the same command again: who is there stays"
            )?;
            return Err(failure);
        }
        if self.is_interrupted {
            writeln!(notes, "interrupted: to go on, run the same command again")?;
        } else if counts.all() == 0 {
            writeln!(notes, "there is no user in the source")?;
        }
        Ok(match is_whole && counts.refused == 0 && counts.all() > 0 {
            true => Outcome::Done,
            false => Outcome::Lacking,
        })
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", path.display()))
}

fn failure(error: SourceError) -> Failure {
    match error {
        SourceError::Unfit(text) => Failure::usage(text),
        SourceError::Unreadable(text) => Failure::from(format!("cannot read the file: {text}")),
        SourceError::Mapping(text) => Failure::configuration(text),
        SourceError::Unavailable(text) => Failure::unavailable(text),
    }
}
