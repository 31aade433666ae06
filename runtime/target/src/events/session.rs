//! Probes on one process: what is attached where, and what came of it.

use std::fs::File;
use std::sync::Arc;

use nix::errno::Errno;

use super::program::HitProgram;
use super::record::Record;

/// The number of a probe in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeId(pub u32);

/// A probe: a plan, and what makes it run.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What is done at a hit.
    pub program: HitProgram,
    /// What is a hit.
    pub source: Source,
}

/// What makes a probe's plan run.
#[derive(Clone, Debug)]
pub enum Source {
    /// A thread of the process comes to one of these instructions.
    Sites(Vec<Site>),
    /// A thread of the process has a page fault: every so many of them (1 is each).
    PageFaults {
        /// One hit for so many faults of a thread.
        every: u64,
    },
    /// A thread of the process has run for another 1/`hertz` of a second.
    Clock {
        /// Hits in a second of running.
        hertz: u64,
    },
}

/// An instruction to be probed. It must be the first byte of one.
#[derive(Clone, Debug)]
pub struct Site {
    /// The file that is mapped there. Sites of one file should share it.
    pub file: Arc<File>,
    /// Where the instruction is in the file, in bytes.
    pub offset: u64,
    /// Where the semaphore of a static probe is in the file: 16 bits that are incremented while the site is probed.
    pub semaphore: Option<u64>,
    /// A number of the caller's, which the site's hits have ([`Record::cookie`], [`super::Value::Cookie`]).
    pub cookie: u64,
}

/// What became of an attempt to attach.
#[derive(Clone, Debug, Default)]
pub struct Attachment {
    /// The probes, in the order they were given.
    pub probes: Vec<ProbeId>,
    /// The sites that the kernel refuses; all others are attached.
    pub refused: Vec<Refused>,
}

/// A site that the kernel refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The probe.
    pub probe: ProbeId,
    /// The place of the site in the probe's list.
    pub site: usize,
    /// The error: 524 (`ENOTSUPP`) is an instruction that the kernel cannot step over elsewhere.
    pub errno: i32,
}

impl Refused {
    /// Why, in words.
    pub fn reason(&self) -> String {
        match self.errno {
            // ENOTSUPP, which is not among the error numbers for programs.
            524 => "the kernel cannot run this instruction elsewhere, as a probe needs".to_owned(),
            libc::EINVAL => {
                "it is no instruction, the file cannot be probed, or the semaphore is used otherwise"
                    .to_owned()
            }
            libc::EIO => "the kernel cannot read the instruction from the file".to_owned(),
            errno => Errno::from_raw(errno).desc().to_owned(),
        }
    }
}

/// What the kernel counted for one probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The entry part.
    pub entry: PartTotals,
    /// The return part.
    pub on_return: PartTotals,
}

/// What the kernel counted for one part. For a part with a record, `hits` is the sum of the records sent, `filtered`, `unsampled`
/// and `lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartTotals {
    /// How often it was run.
    pub hits: u64,
    /// How often a [`super::Step::ReturnIf`] ended it.
    pub filtered: u64,
    /// How often a [`super::Step::Sample`] ended it.
    pub unsampled: u64,
    /// Records that found no room in the ring buffer.
    pub lost: u64,
    /// Updates of tables that were full, or had no memory for a new row.
    pub table_full: u64,
    /// Returns whose entry part was not found again: it was before the probe, or too many functions were entered since.
    pub unpaired: u64,
}

/// What a session tells.
#[derive(Debug)]
pub enum Event<'a> {
    /// A hit sent a record.
    Hit(&'a Record<'a>),
}
