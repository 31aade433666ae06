//! Views of numbers over time: what a timer leaves behind is sampled when it has run.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use ytrace_lang::hir::{Program as Typed, ViewKind};
use ytrace_lang::ir::{
    Base, BlockId, Function, FunctionId, InstructionKind, Place, Program, Register, ViewShape,
};
use ytrace_report::{Cell, Line, Sample, Series};
use ytrace_values::{Operation, Store, Value};

/// The most samples that one view keeps. Beyond, every second one is dropped, and from then on
/// every second one is taken.
const MAX_SAMPLES: usize = 1 << 18;

/// What a line takes besides the two copies of its name, in bytes.
const LINE_BYTES: u64 = 128;

/// The most functions that are looked at for one view, counted anew for each set of parameters that hold its table.
const MAX_FOLLOWED: usize = 10_000;

/// Takes the samples of a session.
pub(crate) struct Recorder {
    views: Vec<Recorded>,
}

/// A view with its samples.
struct Recorded {
    view: usize,
    title: String,
    offset: u64,
    shape: ViewShape,
    /// The probes whose handlers write what is shown, by index.
    writers: HashSet<usize>,
    lines: Vec<Line>,
    index: HashMap<String, usize>,
    samples: usize,
    /// One of so many rounds is kept.
    every: u64,
    rounds: u64,
    /// Whether there were more keys than samples may be kept of, or than memory for them.
    cut: bool,
}

/// The samples of a session.
pub(crate) struct Recording {
    pub(crate) series: Vec<RecordedSeries>,
    /// What is to be said of them.
    pub(crate) notes: Vec<String>,
    /// Why they are not all that there was.
    pub(crate) partial: Vec<String>,
}

/// The samples of a view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordedSeries {
    /// The view, by index in order of declaration.
    pub view: usize,
    /// The samples.
    pub series: Series,
}

impl Recorder {
    /// Finds the views of a program, and for each the probes that write it.
    pub(crate) fn new(typed: &Typed, program: &Program) -> Self {
        let views = typed.views.iter().zip(&program.view_shapes).enumerate();
        let series = views.filter(|(_, (view, _))| view.kind == ViewKind::Series);
        let views = series.map(|(index, (view, shape))| {
            let offset = program.global_offsets.get(view.global.0 as usize);
            let offset = offset.copied().unwrap_or(0);
            let probes = program.probes.iter().enumerate();
            let writers = probes
                .filter(|(_, function)| writes(program, **function, offset, *shape))
                .map(|(probe, _)| probe)
                .collect();
            Recorded {
                view: index,
                title: view.title.clone(),
                offset,
                shape: *shape,
                writers,
                lines: Vec::new(),
                index: HashMap::new(),
                samples: 0,
                every: 1,
                rounds: 0,
                cut: false,
            }
        });
        Self {
            views: views.collect(),
        }
    }

    /// Samples what the handlers of probes that were due together have written, after a run of them.
    /// Names are taken from the program's memory.
    pub(crate) fn sample(&mut self, probes: &[usize], store: &mut Store, at: Duration) {
        for view in &mut self.views {
            if probes.iter().any(|probe| view.writers.contains(probe)) {
                if view.rounds.is_multiple_of(view.every) {
                    view.take(store, at);
                }
                view.rounds = view.rounds.wrapping_add(1);
            }
        }
    }

    /// The samples, and notes on what they lack. A view that no timer wrote is sampled now.
    pub(crate) fn finish(mut self, store: &mut Store, at: Duration) -> Recording {
        let (mut notes, mut partial) = (Vec::new(), Vec::new());
        for view in &mut self.views {
            if view.samples == 0 {
                view.take(store, at);
            }
            if view.every > 1 {
                notes.push(format!(
                    "“{}” keeps one of {} samples",
                    view.title, view.every
                ));
            }
            if view.cut {
                partial.push(format!(
                    "“{}” leaves out keys: there are more than {MAX_SAMPLES}, or than the memory budget has room for",
                    view.title
                ));
            }
        }
        let views = self.views.into_iter();
        let series = views.map(|view| RecordedSeries {
            view: view.view,
            series: Series { lines: view.lines },
        });
        Recording {
            series: series.collect(),
            notes,
            partial,
        }
    }
}

impl Recorded {
    fn take(&mut self, store: &mut Store, at: Duration) {
        let global = usize::try_from(self.offset)
            .ok()
            .and_then(|at| store.globals.get(at..))
            .unwrap_or_default();
        let mut room = store.limits.memory.saturating_sub(store.memory_used());
        let before = room;
        match self.shape {
            ViewShape::Value(shape) => {
                let value = store.decode(shape, global);
                self.add(b"", &value, at, &mut room);
            }
            ViewShape::Container(_) => {
                let handle = global.first_chunk().copied().map_or(0, u64::from_le_bytes);
                for (keys, value) in store.table_rows(handle) {
                    // The checker admits no other keys.
                    if let [Value::Str(name)] = keys.as_slice() {
                        self.add(name, &value, at, &mut room);
                    }
                }
            }
        }
        // There is so much left: it was counted off that.
        if store.charge(before - room).is_err() {
            self.cut = true;
        }
        if self.samples > MAX_SAMPLES {
            self.thin();
        }
    }

    /// Adds a sample; a new line takes its name from the bytes of memory that there is room for.
    fn add(&mut self, name: &[u8], value: &Value, at: Duration, room: &mut u64) {
        let name = String::from_utf8_lossy(name);
        let line = match self.index.get(&*name) {
            Some(line) => *line,
            None => {
                let bytes = LINE_BYTES.saturating_add(2 * name.len() as u64);
                let left = room.checked_sub(bytes);
                let Some(left) = left.filter(|_| self.lines.len() < MAX_SAMPLES) else {
                    self.cut = true;
                    return;
                };
                *room = left;
                self.index.insert(name.to_string(), self.lines.len());
                self.lines.push(Line {
                    name: name.into_owned(),
                    samples: Vec::new(),
                });
                self.lines.len() - 1
            }
        };
        if let Some(line) = self.lines.get_mut(line) {
            let value = Cell::from_value(value, &|_| String::new());
            line.samples.push(Sample { at, value });
            self.samples += 1;
        }
    }

    fn thin(&mut self) {
        self.every = self.every.saturating_mul(2);
        self.samples = 0;
        for line in &mut self.lines {
            let mut index = 0_usize;
            line.samples.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.samples += line.samples.len();
        }
    }
}

/// Whether a function, or one that it calls, writes a global, or into the table that it is. One that goes where it is not
/// followed counts as written.
fn writes(program: &Program, function: FunctionId, offset: u64, shape: ViewShape) -> bool {
    let table = matches!(shape, ViewShape::Container(_));
    let at = |place: &Place| {
        matches!(place.base, Base::Globals)
            && u64::try_from(place.offset).is_ok_and(|at| at == offset)
    };
    // Functions, each with the parameters that hold the table.
    let start = (function, BTreeSet::new());
    let mut seen = HashSet::from([start.clone()]);
    let mut left = vec![start];
    while let Some((next, parameters)) = left.pop() {
        let Some(function) = program.functions.get(next.0 as usize) else {
            continue;
        };
        let mut written = false;
        each_instruction(function, parameters, table, &at, |instruction, tables| {
            let into = |place: &Place| match place.base {
                Base::Row { container, .. } => tables.contains(&container),
                _ => at(place),
            };
            written |= match instruction {
                InstructionKind::Call {
                    function,
                    arguments,
                    ..
                } => {
                    let passed = (0..).map(Register).zip(arguments);
                    let passed = passed.filter(|(_, argument)| tables.contains(argument));
                    let callee = (*function, passed.map(|(parameter, _)| parameter).collect());
                    if seen.insert(callee.clone()) {
                        left.push(callee);
                    }
                    seen.len() > MAX_FOLLOWED
                }
                InstructionKind::Operation {
                    operation,
                    arguments,
                    ..
                } => !only_reads(*operation) && arguments.iter().any(|a| tables.contains(a)),
                InstructionKind::Store { place, from, .. } => into(place) || tables.contains(from),
                InstructionKind::Zero { place, .. } => into(place),
                InstructionKind::CopyBytes { to, from, .. } => into(to) || (table && at(from)),
                _ => false,
            };
        });
        if written {
            return true;
        }
    }
    false
}

/// Shows each instruction of a function together with the registers that may hold the table of a global before it, given the
/// parameters that do. Those of loops are shown until nothing new is found.
fn each_instruction(
    function: &Function,
    parameters: BTreeSet<Register>,
    table: bool,
    at: &impl Fn(&Place) -> bool,
    mut show: impl FnMut(&InstructionKind, &BTreeSet<Register>),
) {
    let mut entered: Vec<Option<BTreeSet<Register>>> = vec![None; function.blocks.len()];
    let mut pending = vec![(BlockId(0), parameters)];
    while let Some((id, tables)) = pending.pop() {
        let index = id.0 as usize;
        let (Some(block), Some(known)) = (function.blocks.get(index), entered.get_mut(index))
        else {
            continue;
        };
        let known = match known {
            Some(known) if tables.is_subset(known) => continue,
            Some(known) => {
                known.extend(tables);
                known.clone()
            }
            None => known.insert(tables).clone(),
        };
        // A fault may leave the block anywhere.
        let (mut tables, mut ever) = (known.clone(), known);
        for instruction in &block.instructions {
            show(&instruction.kind, &tables);
            let holds = match &instruction.kind {
                InstructionKind::Load { place, .. } => table && at(place),
                InstructionKind::Copy { from, .. } => tables.contains(from),
                _ => false,
            };
            if let Some(to) = instruction.kind.result() {
                if holds {
                    tables.insert(to);
                    ever.insert(to);
                } else {
                    tables.remove(&to);
                }
            }
        }
        pending.extend(block.on_fault.map(|handler| (handler, ever)));
        block
            .terminator
            .successors(&mut |next| pending.push((next, tables.clone())));
    }
}

/// Whether an operation leaves a table that it is given as it is. What is written to a row that it finds is stored.
fn only_reads(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ContainerLength
            | Operation::TableFind
            | Operation::TableSum
            | Operation::TableMin
            | Operation::TableMax
            | Operation::IteratorNew
            | Operation::ContainerText
    )
}
