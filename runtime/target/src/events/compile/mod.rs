//! From a plan to instructions of the kernel's virtual machine.
//!
//! A program may be preempted by another thread's hit on the same processor, which runs the same program. So nothing is kept
//! by processor while it runs: values and small captures are on the stack of 512 bytes that each run has, captures that
//! no value is read from go straight into the record, and what is counted is counted by atomic additions.

mod record;
mod schedule;
mod steps;
mod tables;
mod values;

use super::assemble::{Alu, Assembler, Jump, Label, R};
use super::check::index;
use super::error::PlanError;
use super::layout::{RecordLayout, capture_bytes};
use super::program::*;
use super::settings::SHUT;
use super::table::{TableKind, TableSpec};
use crate::sys;
use record::AWAITED_RETURNS;
use schedule::{SavedFailures, Schedule};

/// Helpers of the kernel (`enum bpf_func_id` of `linux/bpf.h`).
pub(super) mod helper {
    pub const MAP_LOOKUP: i32 = 1;
    pub const MAP_UPDATE: i32 = 2;
    pub const MAP_DELETE: i32 = 3;
    pub const TIME: i32 = 5;
    pub const RANDOM: i32 = 7;
    pub const PROCESSOR: i32 = 8;
    pub const PID_TGID: i32 = 14;
    pub const READ_USER: i32 = 112;
    pub const READ_KERNEL: i32 = 113;
    pub const READ_USER_STRING: i32 = 114;
    pub const NAMESPACE_PID_TGID: i32 = 120;
    pub const RING_RESERVE: i32 = 131;
    pub const RING_SUBMIT: i32 = 132;
    pub const CURRENT_TASK: i32 = 158;
    pub const ATTACH_COOKIE: i32 = 174;
    pub const TASK_REGISTERS: i32 = 175;
}

/// Places of the counters of a part, which has [`COUNTER_BYTES`] of them for each processor.
pub(super) mod counter {
    pub const HITS: i16 = 0;
    pub const FILTERED: i16 = 8;
    pub const UNSAMPLED: i16 = 16;
    pub const LOST: i16 = 24;
    pub const TABLE_FULL: i16 = 32;
    pub const UNPAIRED: i16 = 40;
    /// The next number of an entry.
    pub const NEXT: i16 = 48;
    pub const TOO_DEEP: i16 = 56;
    pub const COUNTED: i16 = 64;
    pub const EVICTED: i16 = 72;
    /// Rows that were taken away while hits did not count.
    pub const SHUT: i16 = 80;
}
/// The bytes of the counters of a part; a power of two, so that processors share no cache line.
pub(super) const COUNTER_BYTES: u32 = 128;

/// Bytes of the key under which an entry part saves.
pub(super) const SAVED_KEY: u32 = 16;
/// Where the address is in what a program gets at an event that is counted: `struct bpf_perf_event_data` of
/// `linux/bpf_perf_event.h`, after the registers and the period.
const EVENT_ADDRESS: i16 = 176;
/// Bytes of stack that a program has.
const FRAME_BYTES: u32 = 512;

/// The maps behind a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableMaps {
    pub spec: TableSpec,
    pub rows: i32,
    /// Of keys, a word that is not 0 once some may be lacking.
    pub lacking: Option<i32>,
}

/// The maps that an entry part saves in.
#[derive(Clone, Copy, Debug)]
pub(super) struct SavedMaps {
    pub rows: i32,
    /// An array of one element, as long as a row, that is never written.
    pub zeros: i32,
}

/// Numbers of the kernel's functions that link an entry and its return.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionFunctions {
    pub is_return: i32,
    pub cookie: i32,
}

/// How the numbers of threads are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    /// As the kernel's first pid namespace has them.
    Kernel,
    /// As a pid namespace has them, named by the device and inode of its file.
    Namespace { device: u64, inode: u64 },
}

/// When the program runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    /// At the site: the entry part.
    Entry,
    /// At the return: the return part.
    Return,
    /// At both, linked by the kernel.
    Session(SessionFunctions),
    /// At an event that is no instruction of the program: the entry part.
    Event {
        /// Whether the registers are those with which the thread came into the kernel, whatever it does there.
        from_task: bool,
    },
    /// Where the kernel starts or ends a thread, or another program in a process: the entry part.
    Thread {
        /// Of a start, where the kernel's description of a thread has its number and that of its process.
        started: Option<ThreadPlaces>,
    },
    /// Where the kernel starts a process for another one: the entry part.
    Fork(ThreadPlaces),
}

/// Where the kernel's description of a thread has what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThreadPlaces {
    pub tid: u32,
    pub pid: u32,
}

/// Where the kernel counts the threads of a process that have not ended: the address in the description of a thread, and there the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlivePlaces {
    pub signals: i16,
    pub alive: i16,
}

/// Whose hits count.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    /// Those of all processes that the kernel runs the program for.
    All,
    /// Those of this process, by the numbering.
    Process(u32),
    /// Those of processes whose numbers are keys of this map.
    Family {
        map: i32,
        /// What the program does to the map.
        change: FamilyChange,
    },
}

/// What becomes of a family where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FamilyChange {
    /// Nothing.
    None,
    /// The process leaves it, unless it is this one.
    Leave { but: u32 },
    /// The process leaves it if this is its last thread.
    End(AlivePlaces),
}

/// Where the kernel keeps the returns that it awaits of a thread: a list, the latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReturnPlaces {
    /// In the description of a thread, the address of what probes keep of it; none before its first hit.
    pub thread_probes: i16,
    /// There, how many they are.
    pub depth: i16,
    /// There, the address of the first of the list.
    pub first: i16,
    /// In each of the list, where in memory the return address was that has been replaced.
    pub place: i16,
    /// The return address.
    pub address: i16,
    /// The address of the next.
    pub next: i16,
}

/// What a program is compiled for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Environment<'a> {
    pub mode: Mode,
    /// The number of the probe.
    pub probe: u32,
    pub counters: i32,
    /// Where the counters of the probe's entry part are; those of its return part follow.
    pub counters_offset: u32,
    /// Bytes of the counters of one processor, as a binary logarithm.
    pub counters_shift: u32,
    /// One less than a power of two, and no less than the greatest number of a processor.
    pub processors_mask: u32,
    pub ring: Option<i32>,
    pub tables: &'a [TableMaps],
    /// The words that the session's owner sets.
    pub settings: i32,
    /// How far up stacks are needed ([`super::tops`]).
    pub tops: i32,
    pub saved: Option<SavedMaps>,
    pub numbering: Numbering,
    pub whose: Whose,
    /// Where the thread pointer is in the kernel's description of a thread.
    pub thread_pointer: Option<i16>,
    /// Where the kernel's description of a thread has the status with which it ends.
    pub exit_status: Option<i16>,
    /// Where the kernel keeps the returns that it awaits; else stacks show the addresses that it has put in their place.
    pub returns: Option<ReturnPlaces>,
    pub page_bytes: u32,
}

/// How an entry part gives values to its return part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pairing {
    /// There is nothing to give, and nothing that could have ended the entry part.
    None,
    /// The word that the kernel keeps for the return.
    Word,
    /// A row of a map.
    Row,
}

impl HitProgram {
    /// How the parts are paired.
    pub(super) fn pairing(&self, session: bool) -> Result<Pairing, PlanError> {
        if self.on_return.is_none() {
            return Ok(Pairing::None);
        }
        let ends_early = self.entry.steps.iter().any(|step| {
            matches!(
                step,
                Step::ReturnIf { .. } | Step::Sample { .. } | Step::Count { .. }
            )
        });
        let nothing = self.saved_values.is_empty() && self.saved_captures.is_empty();
        if nothing && (session || !ends_early) {
            return Ok(Pairing::None);
        }
        if session && self.saved_captures.is_empty() && self.saved_values.len() == 1 {
            let entry = self.entry_schedule()?;
            if self
                .saved_values
                .iter()
                .all(|value| entry.failures_of(*value) == 0)
            {
                return Ok(Pairing::Word);
            }
        }
        Ok(Pairing::Row)
    }

    /// Bytes of the row that the entry part saves.
    pub(super) fn saved_bytes(&self) -> Result<u32, PlanError> {
        Ok(self.saved_layout()?.bytes())
    }

    /// Where everything is in such a row, as in a record; the header's word of failed values comes first.
    fn saved_layout(&self) -> Result<SavedLayout, PlanError> {
        let mut captures = Vec::with_capacity(self.saved_captures.len());
        let values = u32::try_from(self.saved_values.len()).unwrap_or(u32::MAX);
        let mut offset = values.saturating_mul(8).saturating_add(8);
        for &step in &self.saved_captures {
            let extent = self.entry.capture_extent(step, self.entry.steps.len())?;
            captures.push(offset);
            offset = offset.saturating_add(capture_bytes(extent));
        }
        Ok(SavedLayout {
            captures,
            bytes: offset,
        })
    }

    fn entry_schedule(&self) -> Result<Schedule, PlanError> {
        let none = SavedFailures::default();
        Schedule::new(&self.entry, &self.saved_values, &self.saved_captures, none)
    }

    /// The layouts of the records of the entry and of the return part.
    pub(super) fn record_layouts(&self) -> Result<[Option<RecordLayout>; 2], PlanError> {
        let layout = |part: &Part, on_return| -> Result<Option<RecordLayout>, PlanError> {
            let Some(emit) = part.emit() else {
                return Ok(None);
            };
            let extents = self.record_extents(part, emit)?;
            Ok(Some(RecordLayout::new(emit, &extents, on_return)))
        };
        let on_return = match &self.on_return {
            Some(part) => layout(part, true)?,
            None => None,
        };
        Ok([layout(&self.entry, false)?, on_return])
    }

    /// Whether the plan is one that a session takes, and the kernel's programs for it have room on their stack for what is computed;
    /// `tables` are those of the session.
    ///
    /// # Errors
    /// They have not, or the plan breaks its own rules.
    pub fn check_room(&self, tables: &[TableSpec]) -> Result<(), PlanError> {
        self.check(tables)?;
        let maps: Vec<TableMaps> = tables
            .iter()
            .map(|spec| TableMaps {
                spec: *spec,
                rows: 0,
                lacking: matches!(spec.kind, TableKind::Keys).then_some(0),
            })
            .collect();
        // What takes most: an entry and its return are in one program, each with its own stack.
        let mode = match self.on_return {
            None => Mode::Entry,
            Some(_) => Mode::Session(SessionFunctions {
                is_return: 0,
                cookie: 0,
            }),
        };
        let environment = Environment {
            mode,
            probe: 0,
            counters: 0,
            counters_offset: 0,
            counters_shift: 0,
            processors_mask: 0,
            ring: Some(0),
            tables: &maps,
            settings: 0,
            tops: 0,
            saved: Some(SavedMaps { rows: 0, zeros: 0 }),
            numbering: Numbering::Kernel,
            whose: Whose::All,
            thread_pointer: Some(0),
            exit_status: Some(0),
            returns: None,
            page_bytes: u32::try_from(sys::page_size()).unwrap_or(u32::MAX),
        };
        self.compile(&environment).map(drop)
    }

    /// The instructions that carry out the plan.
    pub(super) fn compile(&self, environment: &Environment<'_>) -> Result<Vec<u64>, PlanError> {
        let session = matches!(environment.mode, Mode::Session(_));
        let pairing = self.pairing(session)?;
        let mut code = Assembler::default();
        code.mov(R::R6, R::R1);
        let nothing = Part::default();
        let on_return = self.on_return.as_ref().unwrap_or(&nothing);
        match environment.mode {
            Mode::Entry => self.part(environment, &mut code, &self.entry, false, pairing)?,
            Mode::Return => self.part(environment, &mut code, on_return, true, pairing)?,
            Mode::Session(functions) => {
                let at_return = code.label();
                code.call_kernel(functions.is_return);
                code.jump_if(Jump::NotEqual, R::R0, 0, at_return);
                self.part(environment, &mut code, &self.entry, false, pairing)?;
                code.place(at_return);
                self.part(environment, &mut code, on_return, true, pairing)?;
            }
            Mode::Event { .. } | Mode::Thread { .. } | Mode::Fork(_) => {
                self.part(environment, &mut code, &self.entry, false, pairing)?;
            }
        }
        code.finish().ok_or(PlanError::TooComplex {
            bytes: u32::MAX,
            limit: u32::from(i16::MAX.unsigned_abs()),
        })
    }

    fn part(
        &self,
        environment: &Environment<'_>,
        code: &mut Assembler,
        part: &Part,
        on_return: bool,
        pairing: Pairing,
    ) -> Result<(), PlanError> {
        let entry = self.entry_schedule()?;
        let saved_failures: Vec<bool> = self
            .saved_values
            .iter()
            .map(|value| entry.failures_of(*value) != 0)
            .collect();
        let schedule = match on_return {
            false => entry,
            true => {
                let saved = SavedFailures {
                    values: &saved_failures,
                    captures: self.saved_captures.len(),
                };
                Schedule::new(part, &[], &[], saved)?
            }
        };
        let ends = Ends {
            filtered: code.label(),
            unsampled: code.label(),
            counted: code.label(),
            end: code.label(),
            unpaired: code.label(),
            leave: code.label(),
            shut: code.label(),
            stale: code.label(),
        };
        let mut compiler = PartCompiler {
            environment,
            program: self,
            part,
            on_return,
            pairing,
            saved_layout: self.saved_layout()?,
            code,
            frame: Frame::default(),
            slots: vec![None; part.values.len()],
            buffers: vec![None; part.steps.len()],
            outcomes: vec![None; part.steps.len()],
            time: None,
            bank: None,
            numbers: None,
            processor: 0,
            fault_address: None,
            saved_key: None,
            saved_row: None,
            schedule,
            ends,
        };
        compiler.run()
    }
}

/// Where everything is in what an entry part saves: the word of failed values, the values, the captures.
#[derive(Clone, Debug, Default)]
struct SavedLayout {
    captures: Vec<u32>,
    bytes: u32,
}

impl SavedLayout {
    fn value(&self, place: u32) -> u32 {
        place.saturating_mul(8).saturating_add(8)
    }

    fn capture(&self, place: u32) -> u32 {
        self.captures.get(index(place)).copied().unwrap_or(0)
    }

    fn bytes(&self) -> u32 {
        self.bytes
    }
}

/// Where a part can end.
#[derive(Clone, Copy, Debug)]
struct Ends {
    filtered: Label,
    unsampled: Label,
    counted: Label,
    end: Label,
    unpaired: Label,
    /// Without having counted anything.
    leave: Label,
    /// Hits do not count now, and there may be a row of this call or of an earlier one.
    shut: Label,
    /// It saves nothing, and there may be a row of an earlier call whose return was not seen.
    stale: Label,
}

/// The stack of a run, in words of eight bytes, which are named by their distance below the frame register.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    used: u64,
}

impl Frame {
    /// Room for so many bytes; the place of the first of them.
    fn take(&mut self, bytes: u32) -> Result<i16, PlanError> {
        let words = bytes.div_ceil(8).max(1);
        let total = FRAME_BYTES / 8;
        let too_complex = PlanError::TooComplex {
            bytes: bytes.saturating_add(8 * self.used.count_ones()),
            limit: FRAME_BYTES,
        };
        if words > total {
            return Err(too_complex);
        }
        let mask = u64::MAX >> (64 - words);
        // The first word of the room is the farthest below the frame.
        let free = (0..=total - words).find(|low| self.used >> low & mask == 0);
        let low = free.ok_or(too_complex)?;
        self.used |= mask << low;
        let farthest = i16::try_from(8 * (low + words)).unwrap_or(i16::MAX);
        Ok(-farthest)
    }

    /// Gives room back.
    fn release(&mut self, place: i16, bytes: u32) {
        let words = bytes.div_ceil(8).max(1);
        let high = u32::from(place.unsigned_abs()) / 8;
        let low = high.saturating_sub(words);
        self.used &= !((u64::MAX >> (64 - words.min(64))) << low);
    }
}

/// A part that is being compiled. r6 has the registers of the hit, r7 the record, r8 the counters, r9 the bits of what
/// failed.
struct PartCompiler<'a> {
    environment: &'a Environment<'a>,
    program: &'a HitProgram,
    part: &'a Part,
    on_return: bool,
    pairing: Pairing,
    saved_layout: SavedLayout,
    code: &'a mut Assembler,
    frame: Frame,
    /// For each value that was computed, where it is.
    slots: Vec<Option<i16>>,
    /// For each capture that is kept, where its length and state are; its bytes follow.
    buffers: Vec<Option<i16>>,
    /// For each step with an outcome, where that is.
    outcomes: Vec<Option<i16>>,
    time: Option<i16>,
    /// Where the offset of the settings that the hit has is.
    bank: Option<i16>,
    /// The numbers of the thread and of the process, four bytes each.
    numbers: Option<i16>,
    processor: i16,
    fault_address: Option<i16>,
    saved_key: Option<i16>,
    /// Where the address of the saved row is, or the saved word.
    saved_row: Option<i16>,
    schedule: Schedule,
    ends: Ends,
}

impl PartCompiler<'_> {
    fn run(&mut self) -> Result<(), PlanError> {
        if let Mode::Thread {
            started: Some(places),
        } = self.environment.mode
        {
            self.numbers_of_started(places)?;
        }
        if let Mode::Fork(places) = self.environment.mode {
            self.only_forks(places)?;
        }
        if let Mode::Event { .. } = self.environment.mode
            && self.part.values.contains(&Value::FaultAddress)
        {
            let place = self.frame.take(8)?;
            self.code.load(Width::Eight, R::R1, R::R6, EVENT_ADDRESS);
            self.code.store(Width::Eight, R::Frame, place, R::R1);
            self.fault_address = Some(place);
        }
        if let Mode::Event { from_task: true } | Mode::Thread { .. } | Mode::Fork(_) =
            self.environment.mode
        {
            self.code.call(helper::CURRENT_TASK);
            self.code.mov(R::R1, R::R0);
            self.code.call(helper::TASK_REGISTERS);
            self.code.mov(R::R6, R::R0);
        }
        if !self.program.always && !self.is_by_row() {
            self.leave_if_shut(self.ends.leave);
        }
        self.begin()?;
        for number in 0..self.part.steps.len() {
            self.compute(number)?;
            self.step(number)?;
            self.release(number);
        }
        let last = self.part.steps.len();
        if !self.on_return && self.pairing != Pairing::None {
            self.compute(last)?;
            self.save()?;
        }
        if !self.on_return && self.program.on_return.is_some() {
            self.count_too_deep();
        }
        self.finish()
    }

    /// Finds the counters, leaves other processes alone, finds what the entry part saved, and counts the hit.
    fn begin(&mut self) -> Result<(), PlanError> {
        let environment = self.environment;
        if !matches!(environment.mode, Mode::Fork(_)) {
            self.leave_others()?;
            self.change_family()?;
        }
        self.processor = self.frame.take(8)?;
        self.code.call(helper::PROCESSOR);
        let mask = i32::try_from(environment.processors_mask).unwrap_or(i32::MAX);
        self.code.alu(Alu::And, R::R0, mask);
        self.code
            .store(Width::Eight, R::Frame, self.processor, R::R0);
        let shift = i32::try_from(environment.counters_shift).unwrap_or(0);
        self.code.alu(Alu::Lsh, R::R0, shift);
        let part = match self.on_return {
            true => COUNTER_BYTES,
            false => 0,
        };
        let offset = environment.counters_offset.saturating_add(part);
        self.code.map_value(R::R8, environment.counters, offset);
        self.code.alu(Alu::Add, R::R8, R::R0);
        self.code.mov(R::R9, 0);
        if !self.program.always && self.is_by_row() {
            self.leave_if_shut(self.ends.shut);
        }
        if self.on_return {
            self.find_saved()?;
        }
        self.count(counter::HITS);
        Ok(())
    }

    /// Leaves hits of other processes alone.
    fn leave_others(&mut self) -> Result<(), PlanError> {
        let leave = self.ends.leave;
        match self.environment.whose {
            Whose::All => {}
            Whose::Process(process) => {
                let numbers = self.numbers()?;
                self.code.load(Width::Four, R::R1, R::Frame, numbers + 4);
                self.code.number(R::R2, u64::from(process));
                self.code.jump_if(Jump::NotEqual, R::R1, R::R2, leave);
            }
            Whose::Family { map, .. } => {
                let numbers = self.numbers()?;
                if let Mode::Thread { started: Some(_) } = self.environment.mode {
                    // The first thread of a new process is none of this one.
                    self.code.load(Width::Four, R::R1, R::Frame, numbers);
                    self.code.load(Width::Four, R::R2, R::Frame, numbers + 4);
                    self.code.jump_if(Jump::Equal, R::R1, R::R2, leave);
                }
                self.code.map(R::R1, map);
                self.frame_address(R::R2, numbers + 4);
                self.code.call(helper::MAP_LOOKUP);
                self.code.jump_if(Jump::Equal, R::R0, 0, leave);
            }
        }
        Ok(())
    }

    /// Takes the process out of the family where that is asked for. A program that is to do so does nothing else where it does not.
    fn change_family(&mut self) -> Result<(), PlanError> {
        let Whose::Family { map, change } = self.environment.whose else {
            return Ok(());
        };
        let stays = self.code.label();
        match change {
            FamilyChange::None => return Ok(()),
            FamilyChange::Leave { but } => {
                let numbers = self.numbers()?;
                self.code.load(Width::Four, R::R1, R::Frame, numbers + 4);
                self.code.number(R::R2, u64::from(but));
                self.code.jump_if(Jump::Equal, R::R1, R::R2, stays);
            }
            FamilyChange::End(places) => {
                self.code.call(helper::CURRENT_TASK);
                self.code.load(Width::Eight, R::R1, R::R0, places.signals);
                self.code.load(Width::Four, R::R1, R::R1, places.alive);
                self.code.jump_if(Jump::NotEqual, R::R1, 0, self.ends.leave);
            }
        }
        let numbers = self.numbers()?;
        self.code.map(R::R1, map);
        self.frame_address(R::R2, numbers + 4);
        self.code.call(helper::MAP_DELETE);
        self.code.place(stays);
        Ok(())
    }

    /// Leaves hits alone that do not count now.
    fn leave_if_shut(&mut self, to: Label) {
        let map = self.environment.settings;
        self.code.map_value(R::R1, map, SHUT);
        self.code.load(Width::Eight, R::R1, R::R1, 0);
        self.code.jump_if(Jump::NotEqual, R::R1, 0, to);
    }

    /// Whether a return finds what its entry has saved by the stack pointer: a row may be of an earlier call.
    fn is_by_row(&self) -> bool {
        self.pairing == Pairing::Row && matches!(self.environment.mode, Mode::Entry | Mode::Return)
    }

    /// Leaves what other processes start alone, and threads of this one; the numbers are then those of the new process.
    fn only_forks(&mut self, places: ThreadPlaces) -> Result<(), PlanError> {
        self.leave_others()?;
        let maker = self.numbers()?;
        self.numbers_of_started(places)?;
        let started = self.numbers()?;
        self.code.load(Width::Four, R::R1, R::Frame, maker + 4);
        self.code.load(Width::Four, R::R2, R::Frame, started + 4);
        self.code
            .jump_if(Jump::Equal, R::R1, R::R2, self.ends.leave);
        if let Whose::Family { map, .. } = self.environment.whose {
            // What is the value does not matter.
            self.code.map(R::R1, map);
            self.frame_address(R::R2, started + 4);
            self.frame_address(R::R3, started);
            self.code.mov(R::R4, 0);
            self.code.call(helper::MAP_UPDATE);
        }
        Ok(())
    }

    fn count(&mut self, counter: i16) {
        self.code.mov(R::R1, 1);
        self.code.atomic_add(R::R8, counter, R::R1);
    }

    /// Counts a call whose return the kernel will not see, since it awaits as many of this thread as it ever does.
    fn count_too_deep(&mut self) {
        let Some(places) = self.environment.returns else {
            return;
        };
        let end = self.ends.end;
        self.code.call(helper::CURRENT_TASK);
        self.code
            .load(Width::Eight, R::R1, R::R0, places.thread_probes);
        self.code.jump_if(Jump::Equal, R::R1, 0, end);
        self.code.load(Width::Four, R::R1, R::R1, places.depth);
        self.code
            .jump_if(Jump::LessEqual, R::R1, AWAITED_RETURNS as i32 - 1, end);
        self.count(counter::TOO_DEEP);
        if self.is_by_row() {
            self.code.jump(self.ends.stale);
        }
    }

    /// The ends of the part. Only an entry of a session returns 1, which leaves its return out.
    fn finish(&mut self) -> Result<(), PlanError> {
        let Ends {
            filtered,
            unsampled,
            counted,
            end,
            unpaired,
            leave,
            shut,
            stale,
        } = self.ends;
        let saves_none = !self.on_return && self.is_by_row();
        let skip = match self.environment.mode {
            Mode::Session(_) if !self.on_return => 1,
            _ => 0,
        };
        self.code.place(end);
        self.forget_saved();
        self.code.mov(R::R0, 0);
        self.code.exit();
        for (label, counter) in [
            (filtered, counter::FILTERED),
            (unsampled, counter::UNSAMPLED),
            (counted, counter::COUNTED),
        ] {
            if self.code.is_target(label) {
                self.code.place(label);
                self.count(counter);
                if saves_none {
                    self.code.jump(stale);
                    continue;
                }
                self.forget_saved();
                self.code.mov(R::R0, skip);
                self.code.exit();
            }
        }
        for (label, counter) in [(stale, None), (shut, Some(counter::SHUT))] {
            if self.code.is_target(label) {
                self.code.place(label);
                self.forget_row(counter)?;
                self.code.mov(R::R0, skip);
                self.code.exit();
            }
        }
        if self.code.is_target(unpaired) {
            self.code.place(unpaired);
            // The return part's counters follow those of the entry part. A session runs no return whose entry it has not run, so what that saved is gone;
            // otherwise the call may have begun before.
            self.count(match (self.on_return, self.environment.mode) {
                (true, Mode::Session(_)) => counter::EVICTED,
                (true, _) => counter::UNPAIRED,
                (false, _) => counter::EVICTED + COUNTER_BYTES as i16,
            });
            self.code.mov(R::R0, skip);
            self.code.exit();
        }
        if self.code.is_target(leave) {
            self.code.place(leave);
            self.code.mov(R::R0, skip);
            self.code.exit();
        }
        Ok(())
    }

    /// Gives back the room of values that no later step needs.
    fn release(&mut self, step: usize) {
        for (slot, last) in self.slots.iter_mut().zip(&self.schedule.last) {
            if *last <= step
                && let Some(place) = slot.take()
            {
                self.frame.release(place, 8);
            }
        }
    }
}
