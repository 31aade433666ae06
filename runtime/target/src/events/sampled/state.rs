//! What samples are turned into: runs of plans, records, and what is counted.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use super::super::error::PlanError;
use super::super::layout::{Header, RecordLayout, state};
use super::super::perf::Shape;
use super::super::program::*;
use super::super::record::Record;
use super::super::session::{PartTotals, ProbeId, Source, Totals};
use super::super::tier::Copied;
use super::awaited::Awaited;
use super::needs::Needs;
use super::part::{End, Facts, Run, Saved, Shared};
use super::records::{self, From, Registers, Sample, Told};
use super::threads::{Place, Settling};
use super::times::Dated;
use crate::sys;

/// A probe.
#[derive(Debug)]
pub(super) struct Probed {
    pub program: HitProgram,
    pub source: Source,
    pub places: Vec<Place>,
    pub needs: [Needs; 2],
    pub layouts: [Option<RecordLayout>; 2],
    /// Whether it is in its places, and whether it was so far back as records wait that may be hits of it.
    pub attached: bool,
    was_attached: Dated<bool>,
    /// What has been read.
    totals: Totals,
    /// What the kernel has copied for that.
    pub copied: Copied,
    /// What found no room, of each part, as its events have told so far.
    lost: [u64; 2],
    /// How often the kernel has stopped an event for a moment: at least so many samples are missing.
    throttled: [u64; 2],
}

impl Probed {
    pub fn new(
        program: HitProgram,
        source: Source,
        needs: [Needs; 2],
    ) -> Result<Probed, PlanError> {
        let layouts = program.record_layouts()?;
        let places = match &source {
            Source::Sites(sites) => sites.iter().map(Place::of).collect(),
            _ => Vec::new(),
        };
        Ok(Probed {
            program,
            source,
            places,
            needs,
            layouts,
            attached: false,
            was_attached: Dated::new(false),
            totals: Totals::default(),
            copied: Copied::default(),
            lost: [0; 2],
            throttled: [0; 2],
        })
    }

    /// What it has come to.
    pub fn totals(&self) -> Totals {
        let mut totals = self.totals;
        let parts = [&mut totals.entry, &mut totals.on_return];
        let lost = self.lost.into_iter().zip(self.throttled);
        for (part, (lost, throttled)) in parts.into_iter().zip(lost) {
            part.lost = lost + throttled;
            part.hits += part.lost;
        }
        totals
    }

    /// Takes note that it is in its places from now on, or no more.
    pub fn set_attached(&mut self, attached: bool) {
        self.attached = attached;
        self.was_attached.set(sys::monotonic_ns(), attached);
    }

    /// Nothing is read any more of what came before a time.
    pub fn forget_before(&mut self, time: u64) {
        self.was_attached.forget_before(time);
    }

    fn part(&mut self, on_return: bool) -> &mut PartTotals {
        match on_return {
            false => &mut self.totals.entry,
            true => &mut self.totals.on_return,
        }
    }
}

/// An event that samples are from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub probe: usize,
    pub on_return: bool,
    pub cookie: u32,
    pub shape: Shape,
    /// Whether it counts its samples; else it counts something else.
    pub counts_samples: bool,
    /// How many have been read.
    pub seen: u64,
    /// How many have found no room, as the kernel has told while it was open.
    pub lost: u64,
}

/// Everything but threads.
#[derive(Debug)]
pub(super) struct State {
    pub pid: i32,
    pub probes: Vec<Probed>,
    pub shared: Shared,
    pub known: HashMap<u64, Known>,
    /// The words that probes read, and whether hits count.
    pub settings: Dated<Vec<u64>>,
    pub open: Dated<bool>,
    pub malformed: u64,
    /// What rings have told to be lost, and what of that is known to be of some probe.
    told_lost: u64,
    known_lost: u64,
    /// The address that the kernel puts in place of return addresses, if it is known.
    pub kernels: Option<u64>,
    /// Hits of records that are read already, which are still to be given out.
    owed: VecDeque<(usize, From)>,
    /// The record that is being made.
    record: Vec<u8>,
}

impl State {
    pub fn new(pid: i32, seed: u64) -> State {
        State {
            pid,
            probes: Vec::new(),
            shared: Shared {
                tables: Vec::new(),
                seed,
                made: 0,
            },
            known: HashMap::new(),
            settings: Dated::new(Vec::new()),
            open: Dated::new(true),
            malformed: 0,
            told_lost: 0,
            known_lost: 0,
            kernels: None,
            owed: VecDeque::new(),
            record: Vec::new(),
        }
    }

    /// Forgets the probes from one on, which could not be put in place. Samples of theirs that are in rings are nobody's.
    pub fn forget_probes(&mut self, first: usize) {
        self.probes.truncate(first);
        for known in self.known.values_mut() {
            if known.probe >= first {
                known.probe = usize::MAX;
            }
        }
    }

    /// Takes a sample. `bytes` is the record, whose copy of the stack is put right.
    pub fn take_sample(
        &mut self,
        bytes: &mut [u8],
        awaited: &mut Awaited,
        each: &mut dyn FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let id = records::event_of(bytes);
        let Some(known) = id.and_then(|id| self.known.get_mut(&id)) else {
            self.malformed += 1;
            return ControlFlow::Continue(());
        };
        known.seen += 1;
        let known = *known;
        let Some((stack_pointer, word, stack)) = self.stack_of(bytes, known.shape) else {
            self.malformed += 1;
            return ControlFlow::Continue(());
        };
        if let Some(probe) = self.probes.get_mut(known.probe) {
            probe.copied.registers += u64::from(known.shape.registers && !known.on_return);
            probe.copied.stack_bytes += stack.len() as u64;
        }
        if !awaited.is_empty()
            && let (Some(kernels), Some(copy)) = (self.kernels(), bytes.get_mut(stack))
        {
            awaited.heal(stack_pointer, copy, kernels);
        }
        let Some(sample) = records::sample(bytes, known.shape) else {
            return ControlFlow::Continue(());
        };
        // A child of the process may have its events until it executes another program.
        if sample.from.pid != self.pid {
            return ControlFlow::Continue(());
        }
        match known.on_return {
            false => {
                let nothing = Saved::default();
                let (flow, end, saved) = self.run(&known, &sample, &nothing, each);
                let probe = self.probes.get_mut(known.probe);
                if let Some(probe) = probe.filter(|probe| probe.program.on_return.is_some()) {
                    let place = sample.registers.get(Register::Rip).unwrap_or(0);
                    let wanted = end == Some(End::Whole);
                    let saved = wanted.then_some(saved);
                    let call = (stack_pointer, word, place);
                    if !awaited.enter(call, self.kernels, known.probe, saved) && wanted {
                        probe.totals.entry.too_deep += 1;
                    }
                }
                flow
            }
            true => match awaited.leave(stack_pointer, known.probe) {
                Some(Some(saved)) => self.run(&known, &sample, &saved, each).0,
                // The entry has decided that it is not wanted.
                Some(None) => ControlFlow::Continue(()),
                None => {
                    let time = sample.from.time;
                    if self.counts(known.probe, time)
                        && let Some(probe) = self.probes.get_mut(known.probe)
                    {
                        probe.totals.on_return.unpaired += 1;
                    }
                    ControlFlow::Continue(())
                }
            },
        }
    }

    /// The stack pointer of a sample, the first word of its stack, and where in the record that is.
    fn stack_of(&self, bytes: &[u8], shape: Shape) -> Option<(u64, u64, std::ops::Range<usize>)> {
        let sample = records::sample(bytes, shape)?;
        let pointer = sample.registers.get(Register::Rsp)?;
        let word = sample.stack.first_chunk().copied().unwrap_or_default();
        let first = match sample.stack.is_empty() {
            true => 0,
            false => (sample.stack.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?,
        };
        Some((
            pointer,
            u64::from_le_bytes(word),
            first..first + sample.stack.len(),
        ))
    }

    /// The address that the kernel puts in place of return addresses: where the page begins that it maps for probes.
    fn kernels(&mut self) -> Option<u64> {
        if self.kernels.is_none() {
            // Of a process that has gone it cannot be told any more.
            let process = crate::process::Process::open(self.pid).ok()?;
            let maps = process.maps().ok()?;
            let mut mappings = maps.as_slice().iter();
            let is_probes = |path: &std::path::Path| path.as_os_str() == "[uprobes]";
            let page = mappings.find(|one| one.path.as_deref().is_some_and(is_probes));
            self.kernels = page.map(|mapping| mapping.start);
        }
        self.kernels
    }

    /// Whether hits of a probe counted at a time.
    fn counts(&self, probe: usize, time: u64) -> bool {
        let always = self
            .probes
            .get(probe)
            .is_some_and(|probe| probe.program.always);
        always || self.open.at(time).copied().unwrap_or(false)
    }

    /// Takes what a record besides samples tells.
    pub fn take_told(
        &mut self,
        from: From,
        told: Told,
        each: &mut dyn FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (pid, tid) = match told {
            Told::Begin { pid, tid, .. } | Told::End { pid, tid } | Told::Program { pid, tid } => {
                (pid, tid)
            }
            // The record is of the event that has found room again, whichever has not.
            Told::Lost(lost) => {
                self.told_lost += lost;
                return ControlFlow::Continue(());
            }
            Told::Throttled => {
                self.note_throttled(from.id);
                return ControlFlow::Continue(());
            }
            Told::Other => return ControlFlow::Continue(()),
        };
        let is_hit = |source: &Source| match (source, told) {
            (Source::ThreadBegin, Told::Begin { pid, parent, .. }) => pid == parent,
            (Source::Fork, Told::Begin { pid, parent, .. }) => pid != parent && parent == self.pid,
            (Source::ThreadEnd, Told::End { .. }) | (Source::Exec, Told::Program { .. }) => true,
            _ => false,
        };
        let of_process = pid == self.pid || matches!(told, Told::Begin { .. });
        let hit = (self.probes.iter().enumerate())
            .filter(|(_, probe)| of_process && is_hit(&probe.source))
            .filter(|(_, probe)| probe.was_attached.at(from.time) == Some(&true))
            .map(|(number, _)| (number, From { pid, tid, ..from }));
        self.owed.extend(hit);
        self.give_owed(each)
    }

    /// Gives out hits of records that are read already. One record is a hit of several probes, and whoever takes the first may break off.
    pub fn give_owed(
        &mut self,
        each: &mut dyn FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        while let Some((probe, from)) = self.owed.pop_front() {
            let sample = Sample {
                from,
                address: 0,
                registers: Registers::default(),
                stack: &[],
                stack_wanted: 0,
            };
            let known = Known {
                probe,
                on_return: false,
                cookie: 0,
                shape: Shape::default(),
                counts_samples: false,
                seen: 0,
                lost: 0,
            };
            let (flow, _, _) = self.run(&known, &sample, &Saved::default(), each);
            flow?;
        }
        ControlFlow::Continue(())
    }

    /// Takes note of how many samples of an event have found no room so far.
    pub fn note_lost(&mut self, id: u64, lost: u64) {
        if let Some(known) = self.known.get_mut(&id) {
            let before = std::mem::replace(&mut known.lost, lost);
            let known = *known;
            self.change_lost(&known, before, lost);
        }
    }

    /// What an event has told to be lost is another number than before.
    fn change_lost(&mut self, known: &Known, before: u64, now: u64) {
        let probe = self.probes.get_mut(known.probe);
        let sums = probe.map(|probe| &mut probe.lost);
        if let Some(sum) = sums.and_then(|sums| sums.get_mut(usize::from(known.on_return))) {
            *sum = sum.saturating_sub(before) + now;
        }
    }

    fn note_throttled(&mut self, id: u64) {
        if let Some(known) = self.known.get(&id)
            && let Some(probe) = self.probes.get_mut(known.probe)
            && let Some(times) = probe.throttled.get_mut(usize::from(known.on_return))
        {
            *times += 1;
        }
    }

    /// What rings have told to be lost of which events have not told.
    pub fn lost_of_unknown(&self) -> u64 {
        self.told_lost.saturating_sub(self.known_lost)
    }

    /// Takes note of what an event had counted when it was closed. All of its samples have been read.
    pub fn settle(&mut self, settled: Settling) {
        let Some(known) = self.known.remove(&settled.id) else {
            return;
        };
        let lost = match (known.counts_samples, settled.lost) {
            (true, _) => settled.count.saturating_sub(known.seen),
            (false, Some(lost)) => lost,
            // Only what the ring has told is known.
            (false, None) => 0,
        };
        self.known_lost += lost;
        self.change_lost(&known, known.lost, lost);
    }

    /// Runs a part, and gives what it sends to `each`: how it ended, unless the hit does not count, and what it saves.
    fn run(
        &mut self,
        known: &Known,
        sample: &Sample<'_>,
        saved: &Saved,
        each: &mut dyn FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> (ControlFlow<()>, Option<End>, Saved) {
        let nothing = (ControlFlow::Continue(()), None, Saved::default());
        if !self.counts(known.probe, sample.from.time) {
            return nothing;
        }
        let settings = self.settings.at(sample.from.time);
        let Some(probe) = self.probes.get_mut(known.probe) else {
            return nothing;
        };
        let Probed {
            program, layouts, ..
        } = &*probe;
        let part = match (known.on_return, &program.on_return) {
            (false, _) => &program.entry,
            (true, Some(part)) => part,
            (true, None) => return nothing,
        };
        let facts = Facts {
            cookie: known.cookie,
            settings: settings.map_or(&[], Vec::as_slice),
            saved,
        };
        let mut run = Run::new(part, sample, facts);
        let end = run.steps(&mut self.shared);
        let for_return = match (known.on_return, end, &program.on_return) {
            (false, End::Whole, Some(_)) => run.save(program),
            _ => Saved::default(),
        };
        let layout = layouts.get(usize::from(known.on_return));
        let layout = layout.and_then(Option::as_ref);
        let mut sent = None;
        if let (Some(emit), Some(layout)) = (run.emit, layout) {
            let header = Header {
                time: sample.from.time,
                cookie: u64::from(known.cookie),
                weight: run.weight,
                tid: sample.from.tid as u32,
                pid: sample.from.pid as u32,
                probe: u32::try_from(known.probe).unwrap_or(u32::MAX),
                on_return: known.on_return,
                cpu: sample.from.cpu,
                ..Header::default()
            };
            sent = Some(write(
                &mut self.record,
                (emit, layout),
                header,
                &mut run,
                sample,
                saved,
            ));
        }
        let table_full = run.table_full;
        let mut flow = ControlFlow::Continue(());
        if let (Some(header), Some(layout)) = (sent, layout) {
            flow = each(&Record {
                header,
                bytes: &self.record,
                layout,
                tops: None,
                tid: sample.from.tid,
                pid: sample.from.pid,
            });
        }
        let totals = probe.part(known.on_return);
        totals.hits += 1;
        totals.table_full += table_full;
        match end {
            End::Whole => {}
            End::Filtered => totals.filtered += 1,
            End::Unsampled => totals.unsampled += 1,
            End::Counted => totals.counted += 1,
        }
        (flow, Some(end), for_return)
    }

    /// Whether a record that waits is of such a probe and such a process.
    pub fn is_awaited(
        &self,
        (header, first, second): (records::Header, u64, u64),
        of: &mut impl FnMut(ProbeId, i32) -> bool,
    ) -> bool {
        let id = |probe: usize| ProbeId(u32::try_from(probe).unwrap_or(u32::MAX));
        let (pid, parent) = records::halves(first);
        let wanted = match header.kind() {
            records::SAMPLE => {
                let known = self.known.get(&first);
                let (pid, _) = records::halves(second);
                return known.is_some_and(|known| of(id(known.probe), pid));
            }
            records::FORK if pid == parent => Source::ThreadBegin,
            records::FORK => Source::Fork,
            records::EXIT => Source::ThreadEnd,
            _ if header.is_program() => Source::Exec,
            _ => return false,
        };
        let kind = std::mem::discriminant(&wanted);
        let mut probes = self.probes.iter().enumerate();
        probes.any(|(number, probe)| {
            probe.attached && std::mem::discriminant(&probe.source) == kind && of(id(number), pid)
        })
    }
}

/// Makes a record; gives its header.
fn write(
    record: &mut Vec<u8>,
    (emit, layout): (&Emit, &RecordLayout),
    mut header: Header,
    run: &mut Run<'_>,
    sample: &Sample<'_>,
    saved: &Saved,
) -> Header {
    let stack = sample.stack;
    let most = usize::try_from(emit.stack_bytes).unwrap_or(0);
    let stack = stack.get(..most.min(stack.len())).unwrap_or_default();
    record.clear();
    record.resize(layout.stack_offset as usize, 0);
    let mut put = |offset: u32, bytes: &[u8]| {
        let start = offset as usize;
        let place = record.get_mut(start..start.saturating_add(bytes.len()));
        if let Some(place) = place {
            place.copy_from_slice(bytes);
        }
    };
    for register in layout.registers.iter() {
        let value = sample.registers.get(register).unwrap_or(0);
        if let Some(offset) = layout.register_offset(register) {
            put(offset, &value.to_le_bytes());
        }
    }
    for (place, value) in emit.values.iter().enumerate() {
        let value = run.value(*value);
        if value.is_none() {
            header.failed |= 1_u64.checked_shl(place as u32).unwrap_or(0);
        }
        if let Some(offset) = layout.value_offset(place) {
            put(offset, &value.unwrap_or(0).to_le_bytes());
        }
    }
    let own = emit.captures.iter().map(|step| run.capture(*step));
    let of_entry = emit.entry_captures.iter().map(|place| {
        let capture = saved.captures.get(*place as usize);
        capture.and_then(Option::as_deref)
    });
    for (capture, place) in own.chain(of_entry).zip(&layout.captures) {
        let (bytes, state) = match capture {
            Some(bytes) => (bytes, state::WHOLE),
            None => (&[][..], state::FAILED),
        };
        put(place.offset, &(bytes.len() as u32).to_le_bytes());
        put(place.offset + 4, &state.to_le_bytes());
        put(place.data(), bytes);
    }
    record.extend_from_slice(stack);
    header.stack_length = u32::try_from(stack.len()).unwrap_or(0);
    header.stack_wanted = sample.stack_wanted.min(emit.stack_bytes);
    header
}
