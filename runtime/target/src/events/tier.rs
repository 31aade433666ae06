//! A session of probes by the best way that there is: programs in the kernel, else samples of `perf_event_open`.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Instant;

use super::counters::possible_processors;
use super::error::EventError;
use super::facilities::{EventDenial, Facilities};
use super::record::Record;
use super::sampled::{Rings, SampledSession};
use super::session::{Attachment, BpfSession, EventOptions, Polled, Probe, ProbeId, Totals};
use super::table::{TableId, TableRow, TableSpec};
use crate::process::Process;

/// The ways to probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTier {
    /// BPF programs run at the hits.
    Bpf,
    /// `perf_event_open` gives samples, and plans are carried out on these by the reader; why there is nothing better.
    PerfUprobes(EventDenial),
}

impl fmt::Display for EventTier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventTier::Bpf => write!(out, "BPF programs in the kernel"),
            EventTier::PerfUprobes(why) => {
                write!(out, "perf_event_open alone, without BPF programs: {why}")
            }
        }
    }
}

impl Facilities {
    /// The best way that there is.
    ///
    /// # Errors
    /// There is none.
    pub fn tier(&self) -> Result<EventTier, EventError> {
        let Some(bpf) = self.no_programs() else {
            return Ok(EventTier::Bpf);
        };
        match &self.perf_uprobes {
            Ok(()) => Ok(EventTier::PerfUprobes(bpf)),
            Err(perf) => Err(EventError::NoWay {
                what: match &self.bpf {
                    Err(_) => "BPF programs, which probes on events are made of",
                    Ok(()) => "a BPF ring buffer, by which hits are told",
                },
                bpf,
                perf: perf.clone(),
            }),
        }
    }
}

/// Threads that were not probed from their beginning on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LateThreads {
    /// Those that were found after they had begun, while hits counted: hits before that are missing.
    pub late: u64,
    /// Those that could not be probed.
    pub missed: u64,
    /// Why the last of these.
    pub why: Option<String>,
}

/// What samples of a part of a probe have: the kernel copies it at each hit, whatever becomes of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// The registers.
    pub registers: bool,
    /// So many bytes of stack, or as many as there are up to its end.
    pub stack_bytes: u32,
}

/// What the kernel has copied at the hits of a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Samples of its entry part that had registers; none of those that found no room, which cost no copy.
    pub registers: u64,
    /// Bytes of stack, of both parts.
    pub stack_bytes: u64,
}

/// Probes on one process.
#[derive(Debug)]
pub struct EventSession {
    way: Way,
    tier: EventTier,
    processors: usize,
}

#[derive(Debug)]
enum Way {
    Bpf(Box<BpfSession>),
    Sampled(Box<SampledSession>),
}

/// Calls a method of the session that there is.
macro_rules! forward {
    ($session:expr, $name:ident($($argument:expr),*)) => {
        match $session {
            Way::Bpf(session) => session.$name($($argument),*),
            Way::Sampled(session) => session.$name($($argument),*),
        }
    };
}

impl EventSession {
    /// Prepares for probes on a process; does nothing to it.
    ///
    /// # Errors
    /// The kernel refuses, or offers no way.
    pub fn new(process: &Process, options: EventOptions) -> Result<EventSession, EventError> {
        let facilities = Facilities::find()?;
        let tier = facilities.tier()?;
        let processors = possible_processors().map_err(|why| EventError::Proc {
            path: "/sys/devices/system/cpu/possible".to_owned(),
            why,
        })?;
        let way = match &tier {
            EventTier::Bpf => {
                let session = BpfSession::new(process, facilities, options, processors)?;
                Way::Bpf(Box::new(session))
            }
            EventTier::PerfUprobes(_) => {
                let session = SampledSession::new(process, facilities, options)?;
                Way::Sampled(Box::new(session))
            }
        };
        Ok(EventSession {
            way,
            tier,
            processors,
        })
    }

    /// By which way it probes.
    pub fn tier(&self) -> &EventTier {
        &self.tier
    }

    /// The threads that were not probed from their beginning on; none where the kernel probes all that a process has.
    pub fn late_threads(&self) -> LateThreads {
        match &self.way {
            Way::Bpf(_) => LateThreads::default(),
            Way::Sampled(session) => {
                let (late, missed, why) = session.late();
                LateThreads { late, missed, why }
            }
        }
    }

    /// The rings that threads have, where each has its own.
    pub fn rings(&self) -> Option<&Rings> {
        match &self.way {
            Way::Bpf(_) => None,
            Way::Sampled(session) => Some(session.rings()),
        }
    }

    /// What found no room in a ring and is not among the losses of any probe, since it is not known of which it was: hits, or what is told of threads and
    /// programs that begin and end. None where programs run at the hits.
    pub fn lost_of_unknown(&self) -> u64 {
        match &self.way {
            Way::Bpf(_) => 0,
            Way::Sampled(session) => session.lost_of_unknown(),
        }
    }

    /// How many processors there may ever be, each of which has rows of its own in tables that hits add to.
    pub fn processors(&self) -> usize {
        self.processors
    }

    /// What the kernel offers.
    pub fn facilities(&self) -> &Facilities {
        forward!(&self.way, facilities())
    }

    /// Sets the words that probes read ([`super::Value::Setting`]), from the first on; all are 0 before. They are set at once: a hit has those
    /// of one call.
    ///
    /// # Errors
    /// There are not so many.
    pub fn set(&mut self, values: &[u64]) -> Result<(), EventError> {
        forward!(&mut self.way, set(values))
    }

    /// Makes a table, which probes that are attached later may use.
    ///
    /// # Errors
    /// It is too large, or there is no memory for it.
    pub fn add_table(&mut self, spec: TableSpec) -> Result<TableId, EventError> {
        forward!(&mut self.way, add_table(spec))
    }

    /// The rows of a table as of now, in no order. Rows that are added or removed meanwhile may be missing.
    ///
    /// # Errors
    /// There is no such table, or it cannot be read.
    pub fn rows(&self, table: TableId) -> Result<Vec<TableRow>, EventError> {
        forward!(&self.way, rows(table))
    }

    /// Calls `each` with each of the rows that [`EventSession::rows`] gives.
    ///
    /// # Errors
    /// As there.
    pub fn each_row(&self, table: TableId, each: impl FnMut(TableRow)) -> Result<(), EventError> {
        match &self.way {
            Way::Bpf(session) => session.each_row(table, each),
            Way::Sampled(session) => {
                session.rows(table)?.into_iter().for_each(each);
                Ok(())
            }
        }
    }

    /// Removes the rows of a table.
    ///
    /// # Errors
    /// As [`EventSession::rows`].
    pub fn clear_table(&mut self, table: TableId) -> Result<(), EventError> {
        forward!(&mut self.way, clear_table(table))
    }

    /// Whether a table of keys may lack some, so that all are found in it.
    ///
    /// # Errors
    /// As [`EventSession::rows`].
    pub fn is_lacking(&self, table: TableId) -> Result<bool, EventError> {
        forward!(&self.way, is_lacking(table))
    }

    /// From now on, all keys are found in a table of keys.
    ///
    /// # Errors
    /// As [`EventSession::rows`].
    pub fn distrust(&mut self, table: TableId) -> Result<(), EventError> {
        forward!(&mut self.way, distrust(table))
    }

    /// Attaches probes. Sites that the kernel refuses are left out and reported; any other refusal leaves none of these probes.
    ///
    /// # Errors
    /// A plan cannot be carried out, or the kernel refuses.
    pub fn attach(&mut self, probes: Vec<Probe>) -> Result<Attachment, EventError> {
        forward!(&mut self.way, attach(probes))
    }

    /// Has hits not count, but for those of programs that always run, at once and for all probes. They still take their time until the
    /// probes are taken away ([`EventSession::suspend`]).
    pub fn shut(&mut self) {
        forward!(&mut self.way, shut())
    }

    /// Has hits count, as they do at first, at once and for all probes.
    pub fn open(&mut self) {
        forward!(&mut self.way, open())
    }

    /// Takes all probes away for a while; what they have counted remains.
    pub fn suspend(&mut self) {
        forward!(&mut self.way, suspend())
    }

    /// Attaches all probes again that [`EventSession::suspend`] has taken away.
    ///
    /// # Errors
    /// The kernel refuses, or the process has gone.
    pub fn resume(&mut self) -> Result<(), EventError> {
        forward!(&mut self.way, resume())
    }

    /// Takes some probes away for a while, as [`EventSession::suspend`] does with all.
    pub fn suspend_probes(&mut self, probes: &[ProbeId]) {
        forward!(&mut self.way, suspend_probes(probes))
    }

    /// Attaches these probes again.
    ///
    /// # Errors
    /// As [`EventSession::resume`].
    pub fn resume_probes(&mut self, probes: &[ProbeId]) -> Result<(), EventError> {
        forward!(&mut self.way, resume_probes(probes))
    }

    /// Attaches probes again that have lost the process, as it has begun to run another program ([`super::Source::Exec`]). Those on files that it
    /// has mapped there, too, are hit there. Gives whether there were any: what came before is missing.
    ///
    /// # Errors
    /// The kernel refuses, or the process has gone.
    pub fn follow_exec(&mut self) -> Result<bool, EventError> {
        forward!(&mut self.way, follow_exec())
    }

    /// What has been counted for a probe. A hit that is under way may be counted in part; without BPF programs what
    /// [`EventSession::poll`] has not read yet is not counted.
    ///
    /// # Errors
    /// There is no such probe.
    pub fn totals(&self, probe: ProbeId) -> Result<Totals, EventError> {
        forward!(&self.way, totals(probe))
    }

    /// What the kernel would copy at each entry and at each return of a probe; `None` where programs run at the hits, which copy no more
    /// than their records have.
    ///
    /// # Errors
    /// The plan cannot be carried out.
    pub fn copies(&self, probe: &Probe) -> Result<Option<[Copies; 2]>, EventError> {
        match &self.way {
            Way::Bpf(_) => Ok(None),
            Way::Sampled(session) => session.copies(probe).map(Some),
        }
    }

    /// What the kernel has copied at the hits of a probe that have been read; `None` as of [`EventSession::copies`].
    ///
    /// # Errors
    /// There is no such probe.
    pub fn copied(&self, probe: ProbeId) -> Result<Option<Copied>, EventError> {
        match &self.way {
            Way::Bpf(_) => Ok(None),
            Way::Sampled(session) => session.copied(probe).map(Some),
        }
    }

    /// The bytes of all records that have been sent so far, with what the ring adds to each.
    pub fn sent_bytes(&self) -> u64 {
        forward!(&self.way, sent_bytes())
    }

    /// The bytes of the ring; of the least one, where there are several.
    pub fn ring_bytes(&self) -> u64 {
        forward!(&self.way, ring_bytes())
    }

    /// Bytes of records that wait in the ring, of those that fit ([`EventOptions::ring_bytes`]).
    pub fn waiting_bytes(&self) -> u64 {
        forward!(&self.way, waiting_bytes())
    }

    /// Whether a record of such a probe and such a process waits in the ring.
    pub fn waits(&self, of: impl FnMut(ProbeId, i32) -> bool) -> bool {
        forward!(&self.way, waits(of))
    }

    /// Records that were not of the form that their probe gives them; always 0, but for a defect.
    pub fn malformed(&self) -> u64 {
        forward!(&self.way, malformed())
    }

    /// Gives all records to `each`, in the order in which the hits asked for their room, or that of time, until the deadline or until `each`
    /// breaks off. A deadline that has passed reads what is there. The ring is looked at every half to two milliseconds:
    /// nobody is woken by a hit, which would cost the target as much as the hit.
    pub fn poll(
        &mut self,
        deadline: Instant,
        each: impl FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> Polled {
        forward!(&mut self.way, poll(deadline, each))
    }
}
