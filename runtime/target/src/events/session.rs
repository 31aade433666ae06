//! Probes on one process: what is attached where, and what came of it.

use std::ffi::CStr;
use std::fs::File;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::attach::FileSites;
use super::attached::{AttachedPart, Places, close};
use super::check::index;
use super::compile::{Environment, FamilyChange, Mode, Numbering, Pairing, Whose};
use super::counters::Counters;
use super::error::{EventError, PlanError};
use super::facilities::Facilities;
use super::kernel::{self, AttachType, ENOTSUPP, MapType, ProgramType};
use super::layout::{Header, RecordLayout};
use super::numbers::Numbers;
use super::perf::Counted;
use super::program::{HitProgram, MAX_SETTINGS, MAX_STACK};
use super::record::Record;
use super::ring::Ring;
use super::rows::Table;
use super::saved::Saved;
use super::settings::Settings;
use super::table::{TableId, TableRow, TableSpec};
use super::tops::Tops;
use crate::process::Process;
use crate::sys;

/// The time between two looks at an empty ring: short after records, longer when none come.
const SHORT_PAUSE: Duration = Duration::from_micros(500);
const LONG_PAUSE: Duration = Duration::from_millis(2);
/// So many looks in vain lead to the longer time.
const LOOKS_IN_VAIN: u32 = 100;
/// The most probes of a session.
pub(super) const MAX_PROBES: usize = 1 << 16;
/// The most hits of a clock in a second.
pub(super) const MAX_HERTZ: u64 = 100_000;
/// The most bytes of a ring.
const MAX_RING: u32 = 1 << 30;

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
///
/// Page faults and the clock are counted on each processor that runs when the probe is attached, and hits of other processes are left alone, so no
/// thread is missed, however short it lives. The registers of such a hit are those with which the thread came into the kernel.
#[derive(Clone, Debug)]
pub enum Source {
    /// A thread of the process comes to one of these instructions.
    Sites(Vec<Site>),
    /// A thread of the process has a page fault: every so many of them (1 is each).
    PageFaults {
        /// One hit for so many faults of a processor.
        every: u64,
    },
    /// A thread of the process runs when a processor's clock strikes, which it does `hertz` times a second.
    Clock {
        /// Hits in a second of running, up to 100,000.
        hertz: u64,
    },
    /// A thread of the process starts another one: the hit has the number of that one, and the registers of its creator.
    ThreadBegin,
    /// A thread of the process ends. From Linux 6.16 on the memory of the process is still there.
    ThreadEnd,
    /// The process has begun to run another program, whose memory it has by now.
    Exec,
    /// A thread of the process has forked a child: the hit has the number of that process, and the registers of its creator.
    Fork,
    /// The last thread of the process ends.
    End,
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
    pub cookie: u32,
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
            ENOTSUPP => "the kernel cannot run this instruction elsewhere, as a probe needs".to_owned(),
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

/// What the kernel counted for one part. For a part with a record, `hits` is the sum of the records sent, `filtered`, `unsampled`,
/// `counted` and `lost`.
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
    /// Rows of maps for which there was no room or no memory.
    pub table_full: u64,
    /// Returns whose entry part was not found again: it was before the probe or, where the kernel has no sessions of probes, too many
    /// functions were entered since.
    pub unpaired: u64,
    /// Calls of which what the entry part saved was lost, for too many were under way.
    pub evicted: u64,
    /// Calls whose return is not seen, for the thread had as many under way as the kernel follows: 64 with returns that are
    /// probed, whoever probes them.
    pub too_deep: u64,
    /// How often a [`super::Step::Count`] ended it.
    pub counted: u64,
    /// Calls whose return was not seen, where the kernel has no sessions of probes: left by longjmp or an exception, or what was saved
    /// for them was pushed out; these are not told apart. Known of probes that have been taken out of their places: else those under way
    /// are among them.
    pub unseen: u64,
}

impl Totals {
    /// The calls that have not come to anything, of which `left` were under way.
    fn unseen(&self, left: u64) -> u64 {
        let Totals { entry, on_return } = self;
        let ended = [
            entry.filtered,
            entry.unsampled,
            entry.counted,
            entry.too_deep,
            on_return.hits,
            on_return.evicted,
            left,
        ];
        let ended = ended.iter().fold(0u64, |sum, one| sum.saturating_add(*one));
        entry.hits.saturating_sub(ended)
    }
}

/// How a session is made.
#[derive(Clone, Copy, Debug)]
pub struct EventOptions {
    /// Bytes of the ring buffer; rounded up to a power of two.
    pub ring_bytes: u32,
    /// How many entries may be under way whose return is awaited; when there are more, the oldest are forgotten. `None`: as many as
    /// the processors of the machine need, 16 Ki at least.
    pub saved_entries: Option<u32>,
    /// Whether processes that the process forks from now on are probed as it is, and those that they fork. A probe with
    /// [`HitProgram::always`] on [`Source::Fork`] has them join, without which none does; such a probe on [`Source::End`] and one on
    /// [`Source::Exec`] has them leave when they end or run another program. Sites are then probed in all processes of the machine that
    /// map their files, and their hits are ignored.
    pub children: bool,
}

impl Default for EventOptions {
    fn default() -> EventOptions {
        EventOptions {
            ring_bytes: 16 << 20,
            saved_entries: None,
            children: false,
        }
    }
}

/// The most processes of a family.
pub const MAX_FAMILY: u32 = 16 << 10;

/// What [`super::EventSession::poll`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// How many records there were.
    pub records: u64,
    /// Whether the caller broke off.
    pub stopped: bool,
}

/// Probes on one process by BPF programs; what its methods do is said of those of [`super::EventSession`].
#[derive(Debug)]
pub(super) struct BpfSession {
    process: Process,
    facilities: Facilities,
    options: EventOptions,
    processors: usize,
    numbers: Numbers,
    ring: Ring,
    settings: Settings,
    tops: Tops,
    /// The processes whose hits count, where these are not one only.
    family: Option<OwnedFd>,
    tables: Vec<Table>,
    /// The counters of each batch of probes that were attached together.
    counters: Vec<Counters>,
    /// Where entry parts save, for each batch.
    saved: Vec<Saved>,
    /// What became of taking away what was saved when probes were taken out of their places.
    forgotten: Result<(), Errno>,
    probes: Vec<Attached>,
    /// For each probe twice, its layouts.
    layouts: Vec<Option<RecordLayout>>,
    malformed: u64,
}

/// What starts where the kernel does something with threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Started {
    /// Nothing.
    Nothing,
    /// Another program.
    Program,
    /// Nothing, and it is the process that ends.
    End,
    /// A thread of the process.
    Thread,
    /// Another process.
    Process,
}

/// A probe that is attached.
#[derive(Debug)]
struct Attached {
    batch: usize,
    /// Its place among the counters of the batch.
    place: usize,
    /// How many calls were under way, or left, when it was taken out of its places; `None` where the kernel tells which return belongs
    /// to which entry, or nothing is saved.
    left: Option<u64>,
    parts: Vec<AttachedPart>,
}

impl BpfSession {
    pub fn new(
        process: &Process,
        facilities: Facilities,
        options: EventOptions,
        processors: usize,
    ) -> Result<BpfSession, EventError> {
        // Places that are probed one by one take a descriptor each, and so do threads of which something is counted.
        sys::allow_descriptors();
        let page = u32::try_from(sys::page_size()).unwrap_or(u32::MAX);
        let bytes = options.ring_bytes.max(page).min(MAX_RING);
        let bytes = bytes.next_power_of_two();
        let ring = Ring::new(bytes).map_err(|errno| EventError::system("a ring buffer", errno))?;
        let settings = Settings::new().map_err(|errno| EventError::system("settings", errno))?;
        let tops = Tops::new().map_err(|errno| EventError::system("tops of stacks", errno))?;
        guess_top(&tops, process);
        let numbers = Numbers::new(process);
        let family = match options.children {
            true => Some(family(&numbers, &facilities)?),
            false => None,
        };
        Ok(BpfSession {
            numbers,
            family,
            process: process.clone(),
            facilities,
            options,
            processors,
            ring,
            settings,
            tops,
            tables: Vec::new(),
            counters: Vec::new(),
            saved: Vec::new(),
            forgotten: Ok(()),
            probes: Vec::new(),
            layouts: Vec::new(),
            malformed: 0,
        })
    }

    pub fn facilities(&self) -> &Facilities {
        &self.facilities
    }

    pub fn set(&mut self, values: &[u64]) -> Result<(), EventError> {
        let number = values.len() as u64;
        let done = self.settings.set(values);
        done.then_some(()).ok_or(EventError::Range {
            what: "settings",
            number,
            least: 0,
            most: MAX_SETTINGS as u64,
        })
    }

    pub fn add_table(&mut self, spec: TableSpec) -> Result<TableId, EventError> {
        let number = u32::try_from(self.tables.len()).unwrap_or(u32::MAX);
        let batches = self.facilities.table_batches;
        self.tables
            .push(Table::new(spec, self.processors, batches)?);
        Ok(TableId(number))
    }

    pub fn rows(&self, table: TableId) -> Result<Vec<TableRow>, EventError> {
        let mut rows = Vec::new();
        self.each_row(table, |row| rows.push(row))?;
        Ok(rows)
    }

    /// Calls `each` with each of the rows that [`EventSession::rows`] gives.
    ///
    /// # Errors
    /// As there.
    pub fn each_row(&self, table: TableId, each: impl FnMut(TableRow)) -> Result<(), EventError> {
        self.table(table)?.each_row(each)
    }

    pub fn clear_table(&self, table: TableId) -> Result<(), EventError> {
        self.table(table)?.clear()
    }

    pub fn is_lacking(&self, table: TableId) -> Result<bool, EventError> {
        self.table(table)?.is_lacking()
    }

    pub fn distrust(&self, table: TableId) -> Result<(), EventError> {
        self.table(table)?.distrust()
    }

    fn table(&self, table: TableId) -> Result<&Table, EventError> {
        self.tables.get(index(table.0)).ok_or(EventError::NoSuch {
            what: "table",
            number: table.0,
        })
    }

    pub fn attach(&mut self, probes: Vec<Probe>) -> Result<Attachment, EventError> {
        let first = self.probes.len();
        let many = first.saturating_add(probes.len());
        if many > MAX_PROBES {
            return Err(EventError::Range {
                what: "probes of a session",
                number: many as u64,
                least: 0,
                most: MAX_PROBES as u64,
            });
        }
        let counters = Counters::new(probes.len(), self.processors);
        let counters = counters.map_err(|errno| EventError::system("counters", errno))?;
        self.counters.push(counters);
        let done = self.attach_batch(first, &probes);
        if done.is_err() {
            self.probes.truncate(first);
            self.layouts.truncate(2 * first);
            self.counters.pop();
            self.saved.truncate(self.counters.len());
        }
        done
    }

    fn attach_batch(&mut self, first: usize, probes: &[Probe]) -> Result<Attachment, EventError> {
        let id = |place: usize| ProbeId(u32::try_from(first + place).unwrap_or(u32::MAX));
        let plan = |place| {
            move |error| EventError::Plan {
                probe: id(place),
                error,
            }
        };
        let specs: Vec<TableSpec> = self.tables.iter().map(|table| table.spec).collect();
        let mut saved_bytes = 0;
        let mut layouts = Vec::with_capacity(2 * probes.len());
        for (place, probe) in probes.iter().enumerate() {
            let program = &probe.program;
            program.check(&specs).map_err(plan(place))?;
            let found = program.record_layouts().map_err(plan(place))?;
            for layout in found.iter().flatten() {
                self.check_record(layout).map_err(plan(place))?;
            }
            layouts.extend(found);
            let pairing = program.pairing(self.facilities.uprobe_session);
            if pairing.map_err(plan(place))? == Pairing::Row {
                saved_bytes = saved_bytes.max(program.saved_bytes().map_err(plan(place))?);
            }
        }
        let saved = Saved::new(saved_bytes, self.options.saved_entries, self.processors);
        let failed = |errno| EventError::system("a table of entries", errno);
        self.saved.push(saved.map_err(failed)?);
        self.layouts.extend(layouts);
        let mut attachment = Attachment::default();
        let mut loaded = Vec::with_capacity(probes.len());
        for (place, probe) in probes.iter().enumerate() {
            let probe_id = id(place);
            let parts = match &probe.source {
                Source::Sites(sites) => self.load(probe_id, place, &probe.program, sites)?,
                Source::PageFaults { every } => {
                    self.load_counted(probe_id, place, &probe.program, Counted::PageFaults(*every))?
                }
                Source::Clock { hertz } => {
                    let period = 1_000_000_000 / (*hertz).clamp(1, MAX_HERTZ);
                    self.load_counted(probe_id, place, &probe.program, Counted::Clock(period))?
                }
                Source::ThreadBegin => {
                    let name = c"sched_process_fork";
                    self.load_thread(probe_id, place, &probe.program, name, Started::Thread)?
                }
                Source::Fork => {
                    let name = c"sched_process_fork";
                    self.load_thread(probe_id, place, &probe.program, name, Started::Process)?
                }
                Source::ThreadEnd => {
                    let name = c"sched_process_exit";
                    self.load_thread(probe_id, place, &probe.program, name, Started::Nothing)?
                }
                Source::Exec => {
                    let name = c"sched_process_exec";
                    self.load_thread(probe_id, place, &probe.program, name, Started::Program)?
                }
                Source::End => {
                    let name = c"sched_process_exit";
                    self.load_thread(probe_id, place, &probe.program, name, Started::End)?
                }
            };
            loaded.push((place, probe_id, parts));
        }
        // The last comes first: one that follows what another has begun, as `free` does what `malloc` has, stands after it in
        // most programs, and must not miss the first of them. What takes long has been done by now.
        let mut attached = Vec::with_capacity(probes.len());
        for (place, probe_id, parts) in loaded.into_iter().rev() {
            let parts = self.attach_parts(probe_id, parts, &mut attachment)?;
            attached.push(Attached {
                batch: self.counters.len() - 1,
                place,
                left: self.is_by_row(place, probes).then_some(0),
                parts,
            });
            attachment.probes.push(probe_id);
        }
        attachment.probes.reverse();
        self.probes.extend(attached.into_iter().rev());
        Ok(attachment)
    }

    /// Whether a return is paired with its entry by the stack pointer.
    fn is_by_row(&self, place: usize, probes: &[Probe]) -> bool {
        let pairing = |probe: &Probe| probe.program.pairing(false);
        let pairing = probes.get(place).map(pairing);
        self.facilities.session.is_none() && matches!(pairing, Some(Ok(Pairing::Row)))
    }

    /// A record must fit into the ring many times, or none would.
    fn check_record(&self, layout: &RecordLayout) -> Result<(), PlanError> {
        let most = u64::from(self.options.ring_bytes / 4);
        let number = u64::from(layout.bytes());
        if number <= most {
            return Ok(());
        }
        Err(PlanError::Range {
            what: "bytes of a record, of a ring four times as large",
            number,
            least: 0,
            most,
        })
    }

    /// Loads the programs of a probe of the last batch.
    fn load(
        &self,
        probe: ProbeId,
        place: usize,
        program: &HitProgram,
        sites: &[Site],
    ) -> Result<Vec<AttachedPart>, EventError> {
        // The entry also tells of returns that the kernel does not await, where that can be told.
        let only_return = program.entry.steps.is_empty()
            && program.saved_values.is_empty()
            && self.facilities.returns.is_none();
        let modes: &[Mode] = match (&program.on_return, self.facilities.session) {
            (None, _) => &[Mode::Entry],
            (Some(_), _) if only_return => &[Mode::Return],
            (Some(_), Some(functions)) => &[Mode::Session(functions)],
            // The return first: no entry shall be without it.
            (Some(_), None) => &[Mode::Return, Mode::Entry],
        };
        // Links for all processes would put the kernel's return address into the stacks of others, whose unwinding then fails. Only the
        // entry's program of a session can decline it.
        let at_return = modes.iter().any(|mode| matches!(mode, Mode::Return));
        if self.options.children && at_return {
            return Err(EventError::Unsupported {
                what: "probes at returns that follow children",
                by: "this kernel: it takes sessions of uprobes, of Linux 6.13",
            });
        }
        let files = FileSites::of(sites);
        let files = files.map_err(|errno| EventError::system("a file to be probed", errno))?;
        let one_by_one = self.facilities.uprobe_multi.is_err();
        let mut parts = Vec::with_capacity(modes.len());
        for &mode in modes {
            let attach = match mode {
                _ if one_by_one => AttachType::Unsaid,
                Mode::Session(_) => AttachType::UprobeSession,
                _ => AttachType::UprobeMulti,
            };
            let at_return = matches!(mode, Mode::Return);
            let change = FamilyChange::None;
            let loaded = self.load_program(probe, place, program, mode, attach, change)?;
            let files = files.clone();
            let places = match one_by_one {
                true => Places::OneByOne { at_return, files },
                false => Places::Links {
                    attach,
                    at_return,
                    files,
                },
            };
            parts.push(AttachedPart::new(loaded, places));
        }
        Ok(parts)
    }

    /// Loads the program of a probe that has no sites.
    fn load_counted(
        &self,
        probe: ProbeId,
        place: usize,
        program: &HitProgram,
        counted: Counted,
    ) -> Result<Vec<AttachedPart>, EventError> {
        if program.on_return.is_some() {
            let error = PlanError::NoReturn;
            return Err(EventError::Plan { probe, error });
        }
        let load = |from_task| {
            let mode = Mode::Event { from_task };
            let (attach, change) = (AttachType::Unsaid, FamilyChange::None);
            self.load_program(probe, place, program, mode, attach, change)
        };
        // Where the kernel does not tell with which registers a thread came into it (before Linux 5.15), what happens there is
        // left out.
        let (loaded, with_kernel) = match load(true) {
            Ok(loaded) => (loaded, true),
            Err(_) => (load(false)?, false),
        };
        let places = Places::Counted {
            counted,
            with_kernel,
        };
        Ok(vec![AttachedPart::new(loaded, places)])
    }

    /// Loads the program of a probe that runs where the kernel does something with threads.
    fn load_thread(
        &self,
        probe: ProbeId,
        place: usize,
        program: &HitProgram,
        name: &'static CStr,
        starts: Started,
    ) -> Result<Vec<AttachedPart>, EventError> {
        if program.on_return.is_some() {
            let error = PlanError::NoReturn;
            return Err(EventError::Plan { probe, error });
        }
        let kernel_numbers = self.numbers.numbering == Numbering::Kernel;
        let mode = match (starts, self.facilities.thread_places) {
            (Started::Nothing | Started::Program | Started::End, _) => {
                Mode::Thread { started: None }
            }
            (Started::Thread, Some(places)) if kernel_numbers => Mode::Thread {
                started: Some(places),
            },
            (Started::Process, Some(places)) if kernel_numbers => Mode::Fork(places),
            (Started::Thread | Started::Process, _) => {
                return Err(EventError::Unsupported {
                    what: "the number of a new thread or process",
                    by: "a kernel without type information, or from within a pid namespace",
                });
            }
        };
        let change = match starts {
            Started::Program if program.always => FamilyChange::Leave {
                but: self.numbers.process,
            },
            Started::End => match self.facilities.alive_places {
                Some(places) => FamilyChange::End(places),
                None => {
                    return Err(EventError::Unsupported {
                        what: "the end of a process",
                        by: "a kernel without type information",
                    });
                }
            },
            _ => FamilyChange::None,
        };
        let attach = AttachType::Unsaid;
        let loaded = self.load_program(probe, place, program, mode, attach, change)?;
        Ok(vec![AttachedPart::new(loaded, Places::Kernel(name))])
    }

    /// Whose hits count at what is attached so.
    fn whose(&self, attach: AttachType, change: FamilyChange) -> Whose {
        match (&self.family, attach) {
            (Some(map), _) => Whose::Family {
                map: map.as_raw_fd(),
                change,
            },
            // Links know the process; others also see processes that share its memory, or were forked by it.
            (None, AttachType::Unsaid) => Whose::Process(self.numbers.process),
            (None, _) => Whose::All,
        }
    }

    /// Loads a program, which changes the family as said.
    fn load_program(
        &self,
        probe: ProbeId,
        place: usize,
        program: &HitProgram,
        mode: Mode,
        attach: AttachType,
        change: FamilyChange,
    ) -> Result<OwnedFd, EventError> {
        let (Some(counters), Some(saved)) = (self.counters.last(), self.saved.last()) else {
            return Err(EventError::NoSuch {
                what: "batch of probes",
                number: 0,
            });
        };
        let tables: Vec<_> = self.tables.iter().map(Table::maps).collect();
        let kind = match mode {
            Mode::Event { .. } => ProgramType::PerfEvent,
            Mode::Thread { .. } | Mode::Fork(_) => ProgramType::RawTracepoint,
            _ => ProgramType::Kprobe,
        };
        let environment = Environment {
            mode,
            probe: probe.0,
            counters: counters.descriptor(),
            counters_offset: Counters::offset(place),
            counters_shift: counters.shift(),
            processors_mask: counters.processors_mask(),
            ring: Some(self.ring.descriptor()),
            tables: &tables,
            settings: self.settings.descriptor(),
            tops: self.tops.descriptor(),
            saved: Some(saved.maps()),
            numbering: self.numbers.numbering,
            whose: self.whose(attach, change),
            thread_pointer: self.facilities.thread_pointer_offset,
            exit_status: self.facilities.exit_status_offset,
            returns: self.facilities.returns,
            page_bytes: u32::try_from(sys::page_size()).unwrap_or(u32::MAX),
        };
        let code = program.compile(&environment);
        let code = code.map_err(|error| EventError::Plan { probe, error })?;
        let name = format!("ytrace_{}", probe.0);
        let loaded = kernel::load_program(kind, attach, &code, &name);
        loaded.map_err(|(errno, log)| EventError::load(probe, errno, &log))
    }

    fn attach_parts(
        &self,
        probe: ProbeId,
        mut parts: Vec<AttachedPart>,
        attachment: &mut Attachment,
    ) -> Result<Vec<AttachedPart>, EventError> {
        for part in &mut parts {
            for (site, errno) in part.attach(&self.process, self.options.children)? {
                let refused = Refused { probe, site, errno };
                if !attachment.refused.contains(&refused) {
                    attachment.refused.push(refused);
                }
            }
        }
        Ok(parts)
    }

    pub fn shut(&mut self) {
        self.settings.count(false);
    }

    pub fn open(&mut self) {
        self.settings.count(true);
    }

    pub fn suspend(&mut self) {
        let mut open = Vec::new();
        for part in self.probes.iter_mut().flat_map(|probe| &mut probe.parts) {
            open.extend(part.release());
        }
        close(open);
        self.forget_entries(|_| true);
    }

    pub fn resume(&mut self) -> Result<(), EventError> {
        self.check_forgotten()?;
        let children = self.options.children;
        for part in self.probes.iter_mut().flat_map(|probe| &mut probe.parts) {
            if !part.is_attached() {
                part.attach(&self.process, children)?;
            }
        }
        Ok(())
    }

    pub fn suspend_probes(&mut self, probes: &[ProbeId]) {
        let mut open = Vec::new();
        for part in self.parts_of(probes) {
            open.extend(part.release());
        }
        close(open);
        self.forget_entries(|probe| probes.contains(&probe));
    }

    /// Takes away what the entries of probes have saved that are in their places no more: a return to come must not take it for its own.
    fn forget_entries(&mut self, of: impl Fn(ProbeId) -> bool) {
        let attached = &mut self.probes;
        if attached.iter().all(|probe| probe.left.is_none()) {
            return;
        }
        for saved in &self.saved {
            let done = saved.forget(|number| {
                let known = attached.get_mut(index(number));
                let left = known.and_then(|probe| probe.left.as_mut());
                match left.filter(|_| of(ProbeId(number))) {
                    Some(left) => *left = left.saturating_add(1),
                    None => return false,
                }
                true
            });
            self.forgotten = self.forgotten.and(done);
        }
    }

    fn check_forgotten(&mut self) -> Result<(), EventError> {
        let done = std::mem::replace(&mut self.forgotten, Ok(()));
        done.map_err(|errno| EventError::system("a table of entries", errno))
    }

    pub fn resume_probes(&mut self, probes: &[ProbeId]) -> Result<(), EventError> {
        self.check_forgotten()?;
        let (process, children) = (self.process.clone(), self.options.children);
        for part in self.parts_of(probes) {
            if !part.is_attached() {
                part.attach(&process, children)?;
            }
        }
        Ok(())
    }

    /// The parts of some probes.
    fn parts_of(&mut self, probes: &[ProbeId]) -> impl Iterator<Item = &mut AttachedPart> {
        let attached = self.probes.iter_mut().zip(0..);
        attached
            .filter(|(_, number)| probes.contains(&ProbeId(*number)))
            .flat_map(|(probe, _)| &mut probe.parts)
    }

    pub fn follow_exec(&mut self) -> Result<bool, EventError> {
        self.tops.forget();
        guess_top(&self.tops, &self.process);
        // Where links are for all processes, none is lost.
        if self.options.children {
            return Ok(false);
        }
        let mut lost = false;
        for part in self.probes.iter_mut().flat_map(|probe| &mut probe.parts) {
            if part.is_attached() && part.has_lost_process() {
                part.detach();
                part.attach(&self.process, false)?;
                lost = true;
            }
        }
        Ok(lost)
    }

    pub fn totals(&self, probe: ProbeId) -> Result<Totals, EventError> {
        let attached = self.probes.get(index(probe.0));
        let totals = attached.and_then(|attached| {
            let counters = self.counters.get(attached.batch)?;
            let mut totals = counters.totals(attached.place);
            if let Some(left) = attached.left {
                let left = left.saturating_add(counters.shut(attached.place));
                totals.on_return.unseen = totals.unseen(left);
            }
            Some(totals)
        });
        totals.ok_or(EventError::NoSuch {
            what: "probe",
            number: probe.0,
        })
    }

    pub fn sent_bytes(&self) -> u64 {
        self.ring.sent()
    }

    pub fn ring_bytes(&self) -> u64 {
        self.ring.size()
    }

    pub fn waiting_bytes(&self) -> u64 {
        self.ring.waiting()
    }

    pub fn waits(&self, mut of: impl FnMut(ProbeId, i32) -> bool) -> bool {
        self.ring.any(|bytes| {
            let header = Header::read(bytes);
            header.is_some_and(|header| {
                let process = self.numbers.process(header.pid);
                of(ProbeId(header.probe), process)
            })
        })
    }

    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    pub fn poll(
        &mut self,
        deadline: Instant,
        mut each: impl FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> Polled {
        let mut polled = Polled::default();
        let mut in_vain = 0;
        loop {
            let before = polled.records;
            let BpfSession {
                ring,
                layouts,
                tops,
                numbers,
                malformed,
                ..
            } = self;
            ring.drain(|bytes| {
                let Some(record) = read_record(bytes, layouts, tops, numbers) else {
                    *malformed += 1;
                    return true;
                };
                polled.records += 1;
                polled.stopped = each(&record).is_break();
                !polled.stopped
            });
            in_vain = match polled.records == before {
                true => in_vain + 1,
                false => 0,
            };
            let now = Instant::now();
            if polled.stopped || now >= deadline {
                return polled;
            }
            let pause = match in_vain > LOOKS_IN_VAIN {
                true => LONG_PAUSE,
                false => SHORT_PAUSE,
            };
            std::thread::sleep(pause.min(deadline - now));
        }
    }
}

/// The stack of the thread that the process began with is needed up to where the kernel had it begin.
fn guess_top(tops: &Tops, process: &Process) {
    // Where it cannot be had, what comes from the stack tells.
    if let Ok(stat) = process.stat()
        && stat.start_stack != 0
    {
        tops.guess(stat.start_stack, u64::from(MAX_STACK));
    }
}

/// The map of the processes whose hits count: at first the one.
fn family(numbers: &Numbers, facilities: &Facilities) -> Result<OwnedFd, EventError> {
    let known = facilities.thread_places.is_some() && facilities.alive_places.is_some();
    if numbers.numbering != Numbering::Kernel || !known {
        return Err(EventError::Unsupported {
            what: "following children",
            by: "a kernel without type information, or from within a pid namespace",
        });
    }
    let failed = |errno| EventError::system("a table of processes", errno);
    let map = kernel::create_map(MapType::Hash, 4, 4, MAX_FAMILY, 0, "ytrace_family");
    let map = map.map_err(failed)?;
    let process = numbers.process.to_ne_bytes();
    kernel::update(map.as_fd(), &process, &process).map_err(failed)?;
    Ok(map)
}

fn read_record<'a>(
    bytes: &'a [u8],
    layouts: &'a [Option<RecordLayout>],
    tops: &'a Tops,
    numbers: &mut Numbers,
) -> Option<Record<'a>> {
    let header = Header::read(bytes)?;
    let part = index(header.probe)
        .checked_mul(2)?
        .checked_add(usize::from(header.on_return))?;
    let layout = layouts.get(part)?.as_ref()?;
    let length = layout.stack_offset.checked_add(header.stack_length)?;
    if bytes.len() < index(length) || header.stack_length > layout.stack_bytes {
        return None;
    }
    Some(Record {
        header,
        bytes,
        layout,
        tops: Some(tops),
        tid: numbers.thread(header.tid),
        pid: numbers.process(header.pid),
    })
}
