//! What the servers of a world write to their logs, as it comes.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::ChildStderr;
use tokio::sync::watch;

use crate::wait::PATIENCE;

/// The lines of all replicas, in the order in which they were read.
#[derive(Debug, Clone)]
pub struct Log {
    lines: Arc<Mutex<Vec<Line>>>,
    length: Arc<watch::Sender<usize>>,
}

#[derive(Debug, Clone)]
struct Line {
    replica: usize,
    text: String,
    json: Value,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            lines: Arc::default(),
            length: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Reads a server's log until it ends.
    pub(crate) fn follow(&self, replica: usize, stderr: ChildStderr) {
        let log = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(text)) = lines.next_line().await {
                let json = serde_json::from_str(&text).unwrap_or(Value::Null);
                log.push(Line {
                    replica,
                    text,
                    json,
                });
            }
        });
    }

    /// How many lines there are: what comes later has a higher number.
    #[must_use]
    pub fn len(&self) -> usize {
        *self.length.borrow()
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lines of one replica, as they were written.
    #[must_use]
    pub fn text(&self, replica: usize) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = lines.iter().filter(|line| line.replica == replica);
        texts.map(|line| format!("{}\n", line.text)).collect()
    }

    /// The lines of one replica from line `from` on that warn or tell of an error.
    #[must_use]
    pub fn warnings(&self, replica: usize, from: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = lines.iter().skip(from).filter(|line| {
            let level = field(&line.json, "level");
            line.replica == replica && matches!(level, Some("WARN" | "ERROR"))
        });
        of_it.map(|line| line.text.clone()).collect()
    }

    /// Waits for the `nth` line (from 0) after `from` in which `look` finds
    /// something.
    pub(crate) async fn find<T>(
        &self,
        from: usize,
        nth: usize,
        look: impl Fn(usize, &Value) -> Option<T>,
    ) -> Option<T> {
        let mut length = self.length.subscribe();
        let search = async {
            loop {
                length.borrow_and_update();
                if let Some(found) = self.now(from, nth, &look) {
                    return Some(found);
                }
                length.changed().await.ok()?;
            }
        };
        tokio::time::timeout(PATIENCE, search).await.ok().flatten()
    }

    /// The lines that no sender wrote: those of the `log` sender show secrets.
    #[must_use]
    pub fn but_for_messages(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let others = lines
            .iter()
            .filter(|line| field(&line.json, "target") != Some("countersign::delivery"));
        others.map(|line| format!("{}\n", line.text)).collect()
    }

    /// What `look` finds in the lines that were read so far, in their order.
    pub(crate) fn all<T>(&self, look: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter_map(|line| look(&line.json)).collect()
    }

    fn now<T>(
        &self,
        from: usize,
        nth: usize,
        look: impl Fn(usize, &Value) -> Option<T>,
    ) -> Option<T> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .skip(from)
            .filter_map(|line| look(line.replica, &line.json))
            .nth(nth)
    }

    fn push(&self, line: Line) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line);
        self.length.send_replace(lines.len());
    }
}

/// A field of a line, wherever the format puts it.
pub(crate) fn field<'a>(line: &'a Value, name: &str) -> Option<&'a str> {
    line.get("fields")
        .and_then(|fields| fields.get(name))
        .or_else(|| line.get(name))
        .and_then(Value::as_str)
}
