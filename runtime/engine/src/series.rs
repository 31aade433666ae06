//! Views of numbers over time: what a timer leaves behind is sampled when it has run.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ytrace_lang::hir::{Program as Typed, ViewKind};
use ytrace_lang::ir::{Base, FunctionId, InstructionKind, Place, Program, ViewShape};
use ytrace_report::{Cell, Line, Sample, Series};
use ytrace_values::{Store, Value};

/// The most samples that one view keeps. Beyond, every second one is dropped, and from then on
/// every second one is taken.
const MAX_SAMPLES: usize = 1 << 18;

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
    /// Whether there were more keys than samples may be kept of.
    cut: bool,
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
    pub(crate) fn sample(&mut self, probes: &[usize], store: &Store, at: Duration) {
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
    pub(crate) fn finish(
        mut self,
        store: &Store,
        at: Duration,
    ) -> (Vec<RecordedSeries>, Vec<String>) {
        let mut notes = Vec::new();
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
                notes.push(format!(
                    "“{}” has more than {MAX_SAMPLES} keys; further ones are left out",
                    view.title
                ));
            }
        }
        let views = self.views.into_iter();
        let series = views.map(|view| RecordedSeries {
            view: view.view,
            series: Series { lines: view.lines },
        });
        (series.collect(), notes)
    }
}

impl Recorded {
    fn take(&mut self, store: &Store, at: Duration) {
        let global = usize::try_from(self.offset)
            .ok()
            .and_then(|at| store.globals.get(at..))
            .unwrap_or_default();
        match self.shape {
            ViewShape::Value(shape) => self.add(String::new(), store.decode(shape, global), at),
            ViewShape::Container(_) => {
                let handle = global.first_chunk().copied().map_or(0, u64::from_le_bytes);
                for (keys, value) in store.table_rows(handle) {
                    let name = match keys.as_slice() {
                        [Value::Str(name)] => String::from_utf8_lossy(name).into_owned(),
                        _ => String::new(),
                    };
                    self.add(name, value, at);
                }
            }
        }
        if self.samples > MAX_SAMPLES {
            self.thin();
        }
    }

    fn add(&mut self, name: String, value: Value, at: Duration) {
        let line = match self.index.get(&name) {
            Some(line) => *line,
            None if self.lines.len() >= MAX_SAMPLES => {
                self.cut = true;
                return;
            }
            None => {
                self.index.insert(name.clone(), self.lines.len());
                self.lines.push(Line {
                    name,
                    samples: Vec::new(),
                });
                self.lines.len() - 1
            }
        };
        if let Some(line) = self.lines.get_mut(line) {
            let value = Cell::from_value(&value, &|_| String::new());
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

/// Whether a function, or one that it calls, writes a global. A container counts as written where
/// it is used at all.
fn writes(program: &Program, function: FunctionId, offset: u64, shape: ViewShape) -> bool {
    let at = |place: &Place| {
        matches!(place.base, Base::Globals)
            && u64::try_from(place.offset).is_ok_and(|at| at == offset)
    };
    let mut seen = HashSet::from([function]);
    let mut left = vec![function];
    while let Some(next) = left.pop() {
        let Some(function) = program.functions.get(next.0 as usize) else {
            continue;
        };
        let blocks = function.blocks.iter();
        for instruction in blocks.flat_map(|block| &block.instructions) {
            let written = match (&instruction.kind, shape) {
                (InstructionKind::Call { function, .. }, _) => {
                    if seen.insert(*function) {
                        left.push(*function);
                    }
                    false
                }
                (InstructionKind::Load { place, .. }, ViewShape::Container(_))
                | (InstructionKind::Store { place, .. }, _)
                | (InstructionKind::Zero { place, .. }, _)
                | (InstructionKind::CopyBytes { to: place, .. }, _) => at(place),
                _ => false,
            };
            if written {
                return true;
            }
        }
    }
    false
}
