//! `ytrace run --format ndjson`: what happens as JSON objects, a line each.

use std::time::{Duration, Instant, SystemTime};

use ytrace_report::json::value;
use ytrace_report::ndjson::{self, Began, Printed};
use ytrace_report::{OutputError, Report, Value};
use ytrace_runtime::host::Origin;
use ytrace_target::monotonic_ns;

/// Text of one run of a handler is put out in pieces of about this length, in bytes, if it is longer.
const PIECE: usize = 64 << 10;

/// A run that goes on for so long shows what it has printed.
const PATIENCE: Duration = Duration::from_millis(100);

/// Makes the lines.
pub struct Lines {
    began: Began,
    /// The name of the probe file.
    probe: String,
    /// The process looked at.
    pid: Option<i32>,
    /// What the handler that runs has printed so far.
    pending: Option<Pending>,
    /// Why a line could not be made; the stream has ended there.
    error: Option<serde_json::Error>,
}

/// Text whose object is not complete.
struct Pending {
    origin: Origin<'static>,
    probe: String,
    begun: Instant,
    time: u64,
    text: Vec<u8>,
    values: Vec<serde_json::Value>,
}

impl Lines {
    /// A stream that begins now, of a probe file and a process.
    pub fn new(probe: String, pid: Option<i32>) -> Self {
        Self {
            probe,
            began: Began {
                wall: SystemTime::now(),
                monotonic: monotonic_ns(),
            },
            pid,
            pending: None,
            error: None,
        }
    }

    fn made(&mut self, line: serde_json::Result<Vec<u8>>) -> Vec<u8> {
        line.unwrap_or_else(|error| {
            self.error = Some(error);
            Vec::new()
        })
    }

    /// The first line.
    pub fn begin(&mut self) -> Vec<u8> {
        let line = ndjson::begin(&self.began, &self.probe, self.pid);
        self.made(line)
    }

    /// The lines before what is printed from there, and the object for that.
    fn pending(&mut self, origin: &Origin<'_>) -> (Vec<u8>, &mut Pending) {
        let mut lines = Vec::new();
        let same = |pending: &Pending| origin.is_run_of(&pending.origin);
        if !self.pending.as_ref().is_some_and(same) {
            lines = self.complete();
        }
        let pending = self.pending.get_or_insert_with(|| Pending {
            origin: origin.without_program(),
            probe: origin.probe(),
            begun: Instant::now(),
            time: origin.time.unwrap_or_else(monotonic_ns),
            text: Vec::new(),
            values: Vec::new(),
        });
        (lines, pending)
    }

    /// Takes the values of text that comes next; gives the lines that are complete thereby.
    pub fn values(&mut self, origin: &Origin<'_>, values: &[Value]) -> Vec<u8> {
        let (lines, pending) = self.pending(origin);
        // Paths are texts already.
        let values = values.iter().map(|one| value(one, &|_| String::new()));
        pending.values.extend(values);
        lines
    }

    /// Takes text; gives the lines that are complete thereby.
    pub fn printed(&mut self, origin: &Origin<'_>, text: &[u8]) -> Vec<u8> {
        let (mut lines, pending) = self.pending(origin);
        pending.text.extend_from_slice(text);
        let length = pending.text.len();
        let whole = text.last() == Some(&b'\n');
        if whole && (length >= PIECE || pending.begun.elapsed() >= PATIENCE) || length >= 2 * PIECE
        {
            lines.extend(self.complete());
        }
        lines
    }

    /// The line of what has been printed, if there is anything.
    pub fn complete(&mut self) -> Vec<u8> {
        let Some(pending) = self.pending.take() else {
            return Vec::new();
        };
        let thread = pending.origin.thread;
        let line = ndjson::printed(
            &self.began,
            &Printed {
                time: pending.time,
                pid: thread.map(|(pid, _)| pid).or(self.pid),
                tid: thread.map(|(_, tid)| tid),
                probe: &pending.probe,
                text: &pending.text,
                values: &pending.values,
            },
        );
        self.made(line)
    }

    /// Probes are in their places.
    pub fn attached(&mut self, places: usize, others: usize) -> Vec<u8> {
        let mut lines = self.complete();
        let line = ndjson::attached(&self.began, monotonic_ns(), places, others);
        lines.extend(self.made(line));
        lines
    }

    /// A warning.
    pub fn warning(&mut self, text: &str) -> Vec<u8> {
        let mut lines = self.complete();
        let line = ndjson::warning(&self.began, monotonic_ns(), text);
        lines.extend(self.made(line));
        lines
    }

    /// What has been found so far.
    pub fn interim(&mut self, report: &Report) -> Vec<u8> {
        let mut lines = self.complete();
        let views = ndjson::interim(&self.began, monotonic_ns(), report);
        lines.extend(self.made(views));
        lines
    }

    /// The result, and the last line.
    ///
    /// # Errors
    /// Some line could not be made.
    pub fn end(mut self, report: &Report) -> Result<Vec<u8>, OutputError> {
        let mut lines = self.complete();
        let end = ndjson::end(&self.began, monotonic_ns(), report);
        lines.extend(self.made(end));
        match self.error {
            Some(error) => Err(error.into()),
            None => Ok(lines),
        }
    }
}
