//! Probes on one process by `perf_event_open` alone, where there are no BPF programs.
//!
//! The kernel writes a sample of each hit into a ring of the thread: registers and a piece of the stack. Plans are carried out on these here, in
//! the order of time. So all that a plan decides, counts and looks up is as with programs in the kernel, and costs the target more; memory that is
//! not on the piece of the stack cannot be had, and threads are not followed from their first instruction on.

mod awaited;
mod needs;
mod open;
mod part;
mod poll;
mod records;
mod ring;
mod room;
mod state;
mod tables;
mod threads;
mod times;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use super::check::index;
use super::error::{EventError, PlanError};
use super::facilities::{EventDenial, Facilities};
use super::perf;
use super::program::{HitProgram, MAX_SETTINGS};
use super::session::{Attachment, EventOptions, MAX_PROBES, Probe, ProbeId, Source, Totals};
use super::table::{TableId, TableRow, TableSpec};
use super::tier::{Copied, Copies};
use crate::process::Process;
use crate::sys;
use needs::Needs;
pub use room::Rings;
use state::{Probed, State};
use tables::Table;
use threads::{Closer, Thread};

/// What a sample of a call has at least, if its return is probed: the return address.
const RETURN_ADDRESS: u32 = 8;

/// Probes on one process.
#[derive(Debug)]
pub(super) struct SampledSession {
    process: Process,
    facilities: Facilities,
    options: EventOptions,
    /// Rows of tables are kept once.
    threads: Vec<Thread>,
    closer: Closer,
    state: State,
    tells_lost: bool,
    /// The rings that there have been.
    rings: Rings,
    /// Threads that were found after they had begun, while hits counted.
    late: u64,
    /// Threads that could not be probed, and why the last one.
    missed: (u64, Option<EventError>),
    /// Those of them that run: they are not tried again.
    given_up: HashSet<i32>,
    /// When threads were looked for last.
    looked: Option<Instant>,
    /// A record that is being read.
    buffer: Vec<u8>,
    /// The bytes of records of threads that have ended.
    sent_before: u64,
    /// What was told besides samples and found no room in the rings of these.
    untold_before: u64,
}

impl SampledSession {
    pub fn new(
        process: &Process,
        facilities: Facilities,
        options: EventOptions,
    ) -> Result<SampledSession, EventError> {
        if options.children {
            return Err(EventError::Unsupported {
                what: "following children",
                by: "perf_event_open alone: it takes BPF programs",
            });
        }
        sys::allow_descriptors();
        let forbidden = sys::forbidden(sys::LOST_BY_EVENT);
        let tells_lost = !forbidden.map_err(|word| EventError::UnknownTier { word })?;
        let seed = RandomState::new().hash_one(process.pid());
        Ok(SampledSession {
            process: process.clone(),
            facilities,
            options,
            threads: Vec::new(),
            closer: Closer::default(),
            state: State::new(process.pid(), seed),
            tells_lost,
            rings: Rings::default(),
            late: 0,
            missed: (0, None),
            given_up: HashSet::new(),
            looked: None,
            buffer: Vec::new(),
            sent_before: 0,
            untold_before: 0,
        })
    }

    pub fn facilities(&self) -> &Facilities {
        &self.facilities
    }

    pub fn set(&mut self, values: &[u64]) -> Result<(), EventError> {
        if values.len() > MAX_SETTINGS {
            return Err(EventError::Range {
                what: "settings",
                number: values.len() as u64,
                least: 0,
                most: MAX_SETTINGS as u64,
            });
        }
        self.state
            .settings
            .set(sys::monotonic_ns(), values.to_vec());
        Ok(())
    }

    pub fn add_table(&mut self, spec: TableSpec) -> Result<TableId, EventError> {
        let tables = &mut self.state.shared.tables;
        let number = u32::try_from(tables.len()).unwrap_or(u32::MAX);
        tables.push(Table::new(spec)?);
        Ok(TableId(number))
    }

    pub fn rows(&self, table: TableId) -> Result<Vec<TableRow>, EventError> {
        Ok(self.table(table)?.rows())
    }

    pub fn clear_table(&mut self, table: TableId) -> Result<(), EventError> {
        self.table_mut(table)?.clear();
        Ok(())
    }

    pub fn is_lacking(&self, table: TableId) -> Result<bool, EventError> {
        Ok(self.table(table)?.lacking)
    }

    pub fn distrust(&mut self, table: TableId) -> Result<(), EventError> {
        self.table_mut(table)?.lacking = true;
        Ok(())
    }

    fn table(&self, table: TableId) -> Result<&Table, EventError> {
        let tables = &self.state.shared.tables;
        tables.get(index(table.0)).ok_or(no_table(table))
    }

    fn table_mut(&mut self, table: TableId) -> Result<&mut Table, EventError> {
        let tables = &mut self.state.shared.tables;
        tables.get_mut(index(table.0)).ok_or(no_table(table))
    }

    pub fn attach(&mut self, probes: Vec<Probe>) -> Result<Attachment, EventError> {
        let first = self.state.probes.len();
        let many = first.saturating_add(probes.len());
        if many > MAX_PROBES {
            return Err(EventError::Range {
                what: "probes of a session",
                number: many as u64,
                least: 0,
                most: MAX_PROBES as u64,
            });
        }
        for (number, probe) in (first..).zip(probes) {
            match self.probed(probe) {
                Ok(probed) => self.state.probes.push(probed),
                Err(fault) => {
                    self.state.forget_probes(first);
                    return Err(fault.of(number));
                }
            }
        }
        let done = self.put_in_place(|number| number >= first);
        match done {
            Ok(refused) => Ok(Attachment {
                probes: (first..many).map(id).collect(),
                refused,
            }),
            Err(error) => {
                self.take_away(|number| number >= first);
                self.state.forget_probes(first);
                Err(error)
            }
        }
    }

    /// Checks a probe.
    fn probed(&self, probe: Probe) -> Result<Probed, Fault> {
        let Probe { program, source } = probe;
        let tables = self.state.shared.tables.iter();
        let specs: Vec<TableSpec> = tables.map(|table| table.spec).collect();
        program.check(&specs)?;
        let needs = self.needs(&program, &source)?;
        Ok(Probed::new(program, source, needs)?)
    }

    /// What the samples of a probe need to have.
    fn needs(&self, program: &HitProgram, source: &Source) -> Result<[Needs; 2], Fault> {
        let bpf = self.why();
        let mut entry = needs::of(&program.entry, &bpf)?;
        let mut on_return = Needs::default();
        match source {
            Source::Sites(_) => {
                if let Some(part) = &program.on_return {
                    on_return = needs::of(part, &bpf)?;
                    on_return.shape.registers = true;
                    entry.shape.registers = true;
                    entry.least_stack = entry.least_stack.max(RETURN_ADDRESS);
                }
            }
            _ if program.on_return.is_some() => return Err(PlanError::NoReturn.into()),
            Source::PageFaults { .. } | Source::Clock { .. } => {}
            Source::ThreadBegin | Source::ThreadEnd | Source::Exec | Source::Fork => {
                if entry != Needs::default() {
                    return Err(Fault::Plan(PlanError::NotSampled {
                        what: "what a thread has where it begins, ends or executes another program",
                        bpf: bpf.to_string(),
                    }));
                }
            }
            Source::End => {
                return Err(Fault::Event(EventError::Unsupported {
                    what: "the end of a process",
                    by: "perf_event_open alone: it takes BPF programs",
                }));
            }
        }
        Ok([entry, on_return])
    }

    /// Why there are no BPF programs.
    fn why(&self) -> EventDenial {
        self.facilities
            .no_programs()
            .unwrap_or(EventDenial::Forbidden)
    }

    /// Threads that were found after they had begun while hits counted, so that hits of theirs may be missing, and how many could not be probed at all, with
    /// why the last one.
    pub fn late(&self) -> (u64, u64, Option<String>) {
        let (missed, why) = &self.missed;
        (self.late, *missed, why.as_ref().map(EventError::to_string))
    }

    /// The rings that there have been.
    pub fn rings(&self) -> &Rings {
        &self.rings
    }

    /// What found no room of which it is not known whose it was.
    pub fn lost_of_unknown(&self) -> u64 {
        match self.tells_lost {
            true => {
                let threads = self.threads.iter().map(|thread| thread.untold);
                threads.sum::<u64>().saturating_add(self.untold_before)
            }
            false => self.state.lost_of_unknown(),
        }
    }

    pub fn shut(&mut self) {
        self.state.open.set(sys::monotonic_ns(), false);
        self.enable(false);
    }

    pub fn open(&mut self) {
        self.look_for_threads();
        self.enable(true);
        // Threads that begin from now on are late.
        self.state.open.set(sys::monotonic_ns(), true);
    }

    fn enable(&mut self, enabled: bool) {
        let threads = self.threads.iter().filter(|thread| !thread.gone);
        for event in threads.flat_map(|thread| &thread.events) {
            if !event.always {
                // One whose thread has ended counts no more.
                let _ = perf::enable(&event.event, enabled);
            }
        }
    }

    pub fn suspend(&mut self) {
        self.take_away(|_| true);
    }

    pub fn resume(&mut self) -> Result<(), EventError> {
        let attached: Vec<bool> = self
            .state
            .probes
            .iter()
            .map(|probe| probe.attached)
            .collect();
        let detached = |number: usize| !attached.get(number).copied().unwrap_or(true);
        self.put_in_place(detached).map(drop)
    }

    pub fn suspend_probes(&mut self, probes: &[ProbeId]) {
        self.take_away(|number| probes.contains(&id(number)));
    }

    pub fn resume_probes(&mut self, probes: &[ProbeId]) -> Result<(), EventError> {
        let attached: Vec<bool> = self
            .state
            .probes
            .iter()
            .map(|probe| probe.attached)
            .collect();
        let detached = |number: usize| !attached.get(number).copied().unwrap_or(true);
        self.put_in_place(|number| detached(number) && probes.contains(&id(number)))
            .map(drop)
    }

    /// Events go with their threads into another program.
    pub fn follow_exec(&mut self) -> Result<bool, EventError> {
        self.look_for_threads();
        Ok(false)
    }

    pub fn totals(&self, probe: ProbeId) -> Result<Totals, EventError> {
        Ok(self.probed_as(probe)?.totals())
    }

    pub fn copied(&self, probe: ProbeId) -> Result<Copied, EventError> {
        Ok(self.probed_as(probe)?.copied)
    }

    pub fn copies(&self, probe: &Probe) -> Result<[Copies; 2], EventError> {
        let needs = self.needs(&probe.program, &probe.source);
        let needs = needs.map_err(|fault| fault.of(self.state.probes.len()))?;
        let ring = self.living().map(|thread| thread.ring.size()).max();
        let ring = ring.unwrap_or(0);
        Ok([false, true].map(|on_return| {
            let shape = open::shape(&needs, on_return, ring);
            Copies {
                registers: shape.registers,
                stack_bytes: shape.stack_bytes,
            }
        }))
    }

    fn probed_as(&self, probe: ProbeId) -> Result<&Probed, EventError> {
        let probed = self.state.probes.get(index(probe.0));
        probed.ok_or(EventError::NoSuch {
            what: "probe",
            number: probe.0,
        })
    }

    pub fn sent_bytes(&self) -> u64 {
        let rings = self.threads.iter().map(|thread| thread.ring.written());
        rings.sum::<u64>().saturating_add(self.sent_before)
    }

    /// All hits may be of one thread.
    pub fn ring_bytes(&self) -> u64 {
        let rings = self.living().map(|thread| thread.ring.size());
        rings.min().unwrap_or(u64::from(self.options.ring_bytes))
    }

    pub fn waiting_bytes(&self) -> u64 {
        self.threads
            .iter()
            .map(|thread| thread.ring.waiting())
            .sum()
    }

    pub fn waits(&self, mut of: impl FnMut(ProbeId, i32) -> bool) -> bool {
        let is_awaited =
            |header, first, second| self.state.is_awaited((header, first, second), &mut of);
        let mut is_awaited = is_awaited;
        self.threads
            .iter()
            .any(|thread| thread.ring.any(&mut is_awaited))
    }

    pub fn malformed(&self) -> u64 {
        self.state.malformed
    }
}

impl Drop for SampledSession {
    fn drop(&mut self) {
        let threads = self.threads.iter_mut();
        let events = threads.flat_map(|thread| std::mem::take(&mut thread.events));
        let events = events.map(|event| event.event).collect();
        self.closer.now(events);
    }
}

/// What is wrong with a probe.
enum Fault {
    Plan(PlanError),
    Event(EventError),
}

impl Fault {
    /// As the error of the probe that has such a number.
    fn of(self, number: usize) -> EventError {
        match self {
            Fault::Plan(error) => EventError::Plan {
                probe: id(number),
                error,
            },
            Fault::Event(error) => error,
        }
    }
}

impl From<PlanError> for Fault {
    fn from(error: PlanError) -> Fault {
        Fault::Plan(error)
    }
}

fn id(number: usize) -> ProbeId {
    ProbeId(u32::try_from(number).unwrap_or(u32::MAX))
}

fn no_table(table: TableId) -> EventError {
    EventError::NoSuch {
        what: "table",
        number: table.0,
    }
}
