//! Makes a plan of what following a handler has found.

use std::collections::HashMap;

use super::found::Drop;
use super::plan::{
    Capture, CaptureId, CaptureKind, MAX_BYTES, MAX_CAPTURES, MAX_MERGED, MAX_PIECES, MAX_VALUES,
    Needs, Piece, Plan, Requirement, Step, TableKey, Update, UpdatedPart, Value, ValueId,
};
use super::run::Analysis;
use super::state::{Literal, Merger};
use super::terms::{Extent, ReadId, Term, TermId};
use super::updates::{Cell, Change, Part};
use crate::ir::SpanId;
use crate::source::Span;

/// Pieces farther apart are captured apart.
const MAX_GAP: u64 = 64;

/// Why there is no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    /// Too many bytes.
    Bytes,
    /// Too many captures.
    Captures,
    /// Too many values.
    Values,
}

/// Reads that become one capture.
struct Group {
    base: TermId,
    /// The distance of its beginning from the base.
    start: u64,
    extent: Extent,
    /// The pieces, with their distance from the base.
    pieces: Vec<(u64, u32)>,
    span: Span,
    address: TermId,
}

impl Group {
    /// Puts a piece in, if it lies near.
    fn take(&mut self, offset: u64, length: u32) -> bool {
        let Extent::Exact(own) = self.extent else {
            return false;
        };
        if self.pieces.contains(&(offset, length)) {
            return true;
        }
        let distance = offset.wrapping_sub(self.start) as i64;
        let (own, length_wide) = (i64::from(own), i64::from(length));
        let Some(end) = distance.checked_add(length_wide) else {
            return false;
        };
        let (first, last) = (distance.min(0), end.max(own));
        let gap = (distance - own).max(-end);
        let union = last.saturating_sub(first);
        if self.pieces.len() >= MAX_PIECES
            || gap > MAX_GAP as i64
            || union > own.max(MAX_MERGED as i64)
        {
            return false;
        }
        self.start = self.start.wrapping_add(first as u64);
        self.extent = Extent::Exact(union as u32);
        self.pieces.push((offset, length));
        true
    }

    fn most(&self) -> u64 {
        match self.extent {
            Extent::Exact(most) | Extent::Bytes { most, .. } | Extent::String { most } => {
                u64::from(most)
            }
        }
    }
}

/// Which conditions drop a hit, in terms.
enum Dropping {
    Return {
        condition: TermId,
        absent: Vec<(u64, Vec<TermId>)>,
        requires: Vec<Requirement>,
    },
    Sample {
        every: TermId,
        bytes: TermId,
        requires: Vec<Requirement>,
    },
    Update {
        condition: TermId,
        changes: Vec<(Cell, Change)>,
        requires: Vec<Requirement>,
    },
}

/// Takes out the end that a hit outside of the sample comes to, whose reads the sampling then requires. False if there is none: then
/// not all such hits may be dropped.
pub(super) fn settle_sample(analysis: &mut Analysis<'_>) -> bool {
    let weight = analysis.terms.term(Term::Weight);
    let drops = &mut analysis.found.drops;
    let sample = drops
        .iter()
        .position(|drop| matches!(drop, Drop::Sample { .. }));
    let Some(sample) = sample else {
        return true;
    };
    let wanted = match drops.get(sample) {
        Some(Drop::Sample { reach, .. }) => {
            let mut wanted = reach.clone();
            wanted.push(Literal::Known(weight, false));
            wanted
        }
        _ => return true,
    };
    let end = drops
        .iter()
        .position(|drop| matches!(drop, Drop::End(ended) if ended.reach == wanted));
    let Some(end) = end else {
        return false;
    };
    if let Drop::End(ended) = drops.remove(end)
        && let Some(Drop::Sample { reads, .. }) = drops
            .iter_mut()
            .find(|drop| matches!(drop, Drop::Sample { .. }))
    {
        *reads = ended.reads;
    }
    true
}

/// The plan, or what there is too much of, with the read that is too much.
pub(super) fn plan(analysis: &mut Analysis<'_>) -> Result<Plan, (Excess, Span)> {
    let (mut groups, of) = group(analysis);
    for group in &mut groups {
        let offset = analysis.terms.constant(group.start);
        group.address = analysis.terms.add(group.base, offset);
    }
    check(&groups)?;
    let drops = std::mem::take(&mut analysis.found.drops);
    let mut dropping = Vec::new();
    for drop in drops {
        match drop {
            Drop::End(ended) => {
                let requires = requirements(&groups, &of, analysis, &ended.reads);
                let mut numbers = 0;
                let tables = &analysis.found.tables;
                let (absent, reach): (Vec<_>, Vec<_>) = ended
                    .reach
                    .iter()
                    .partition(|literal| tables.absent(**literal).is_some());
                let absent = absent
                    .into_iter()
                    .filter_map(|literal| tables.get(tables.absent(literal)?).cloned())
                    .collect();
                let conjunction = Merger {
                    terms: &mut analysis.terms,
                    numbers: &mut numbers,
                    span: SpanId(0),
                }
                .conjunction(&reach);
                let condition = match conjunction {
                    Some(condition) => condition,
                    None => analysis.terms.constant(1),
                };
                dropping.push(Dropping::Return {
                    condition,
                    absent,
                    requires,
                });
            }
            Drop::Update(ended, changes) => {
                let requires = requirements(&groups, &of, analysis, &ended.reads);
                let mut numbers = 0;
                let conjunction = Merger {
                    terms: &mut analysis.terms,
                    numbers: &mut numbers,
                    span: SpanId(0),
                }
                .conjunction(&ended.reach);
                dropping.push(Dropping::Update {
                    condition: conjunction.unwrap_or_else(|| analysis.terms.constant(1)),
                    changes,
                    requires,
                });
            }
            Drop::Sample {
                every,
                bytes,
                reads,
                ..
            } => dropping.push(Dropping::Sample {
                every,
                bytes,
                requires: requirements(&groups, &of, analysis, &reads),
            }),
        }
    }
    Builder {
        analysis,
        groups: &groups,
        of: &of,
        placed: vec![None; groups.len()],
        steps: Vec::new(),
        order: Vec::new(),
    }
    .build(dropping)
}

/// Reads put together, and for each read its group.
fn group(analysis: &Analysis<'_>) -> (Vec<Group>, Vec<usize>) {
    let mut groups: Vec<Group> = Vec::new();
    let mut of = Vec::new();
    let mut by_base: HashMap<TermId, Vec<usize>> = HashMap::new();
    for read in analysis.terms.reads() {
        let near = by_base.entry(read.base).or_default();
        let found = near.iter().copied().find(|index| {
            let Some(group) = groups.get_mut(*index) else {
                return false;
            };
            match (read.extent, group.extent) {
                (Extent::Exact(length), _) => group.take(read.offset, length),
                (Extent::String { most }, Extent::String { most: other })
                    if group.start == read.offset =>
                {
                    group.extent = Extent::String {
                        most: most.max(other),
                    };
                    true
                }
                _ => false,
            }
        });
        let index = found.unwrap_or_else(|| {
            groups.push(Group {
                base: read.base,
                start: read.offset,
                extent: read.extent,
                pieces: match read.extent {
                    Extent::Exact(length) => vec![(read.offset, length)],
                    _ => Vec::new(),
                },
                span: read.span,
                address: read.base,
            });
            near.push(groups.len() - 1);
            groups.len() - 1
        });
        of.push(index);
    }
    for group in &mut groups {
        let start = group.start;
        group
            .pieces
            .sort_unstable_by_key(|(offset, length)| (offset.wrapping_sub(start), *length));
    }
    (groups, of)
}

fn check(groups: &[Group]) -> Result<(), (Excess, Span)> {
    let mut bytes = 0_u64;
    for (index, group) in groups.iter().enumerate() {
        bytes = bytes.saturating_add(group.most());
        if index >= MAX_CAPTURES {
            return Err((Excess::Captures, group.span));
        }
        if bytes > MAX_BYTES {
            return Err((Excess::Bytes, group.span));
        }
    }
    Ok(())
}

/// The groups that reads need, whose captures have the numbers of the groups for now.
fn requirements(
    groups: &[Group],
    of: &[usize],
    analysis: &Analysis<'_>,
    reads: &[u64],
) -> Vec<Requirement> {
    let mut requires: Vec<Requirement> = Vec::new();
    for (number, read) in analysis.terms.reads().iter().enumerate() {
        let noted = reads
            .get(number / 64)
            .is_some_and(|word| word >> (number % 64) & 1 == 1);
        let Some((index, group)) = of
            .get(number)
            .and_then(|index| Some((*index, groups.get(*index)?)))
            .filter(|_| noted)
        else {
            continue;
        };
        let pieces = match read.extent {
            Extent::Exact(length) => group
                .pieces
                .iter()
                .position(|piece| *piece == (read.offset, length))
                .map_or(u32::MAX, |piece| 1 << piece),
            _ => 1,
        };
        let capture = CaptureId(index as u32);
        match requires.iter_mut().find(|one| one.capture == capture) {
            Some(one) => one.pieces |= pieces,
            None => requires.push(Requirement { capture, pieces }),
        }
    }
    requires
}

struct Builder<'a, 'p> {
    analysis: &'a mut Analysis<'p>,
    groups: &'a [Group],
    of: &'a [usize],
    /// For each group, its capture.
    placed: Vec<Option<CaptureId>>,
    steps: Vec<(Step, Vec<TermId>)>,
    /// The groups in the order of their captures.
    order: Vec<usize>,
}

impl Builder<'_, '_> {
    fn build(mut self, dropping: Vec<Dropping>) -> Result<Plan, (Excess, Span)> {
        for drop in dropping {
            let (terms, requires) = match &drop {
                Dropping::Return {
                    condition,
                    absent,
                    requires,
                } => {
                    let keys = absent.iter().flat_map(|(_, words)| words);
                    (
                        std::iter::once(condition).chain(keys).copied().collect(),
                        requires,
                    )
                }
                Dropping::Sample {
                    every,
                    bytes,
                    requires,
                } => (vec![*every, *bytes], requires),
                Dropping::Update {
                    condition,
                    changes,
                    requires,
                } => {
                    let mut terms = vec![*condition];
                    for (cell, change) in changes {
                        let key = cell.key.and_then(|key| self.analysis.found.tables.get(key));
                        terms.extend(key.iter().flat_map(|(_, words)| words));
                        terms.extend([change.when, change.value]);
                    }
                    (terms, requires)
                }
            };
            for require in requires {
                self.place(require.capture.0 as usize);
            }
            for term in &terms {
                self.place_all_of(*term);
            }
            let unset = ValueId(0);
            let requires = self.numbered(requires);
            let step = match drop {
                Dropping::Return { absent, .. } => Step::Return {
                    condition: unset,
                    absent: absent
                        .into_iter()
                        .map(|(table, words)| TableKey {
                            table,
                            words: vec![unset; words.len()],
                        })
                        .collect(),
                    requires,
                },
                Dropping::Sample { .. } => Step::Sample {
                    every: unset,
                    bytes: unset,
                    requires,
                },
                Dropping::Update { changes, .. } => Step::Update {
                    condition: unset,
                    updates: changes
                        .iter()
                        .map(|(cell, change)| self.update(*cell, *change))
                        .collect(),
                    requires,
                },
            };
            self.steps.push((step, terms));
        }
        for index in 0..self.groups.len() {
            self.place(index);
        }
        self.finish()
    }

    /// An update whose values are not set yet.
    fn update(&self, cell: Cell, change: Change) -> Update {
        let unset = ValueId(0);
        let key = cell.key.and_then(|key| self.analysis.found.tables.get(key));
        let always = self.analysis.terms.as_constant(change.when) == Some(1);
        Update {
            global: cell.global,
            key: vec![unset; key.map_or(0, |(_, words)| words.len())],
            part: match cell.part {
                Part::Integer { offset, size } => UpdatedPart::Integer { offset, size },
                Part::Aggregate { .. } | Part::Row => UpdatedPart::Aggregate,
            },
            when: (!always).then_some(unset),
            value: unset,
        }
    }

    /// Requirements with the numbers of captures.
    fn numbered(&self, requires: &[Requirement]) -> Vec<Requirement> {
        let mut numbered: Vec<Requirement> = requires
            .iter()
            .filter_map(|require| {
                let capture = (*self.placed.get(require.capture.0 as usize)?)?;
                Some(Requirement {
                    capture,
                    pieces: require.pieces,
                })
            })
            .collect();
        numbered.sort_unstable();
        numbered
    }

    /// The terms that some terms depend on, with them, ascending.
    fn needed(&self, roots: &[TermId]) -> Vec<TermId> {
        let mut needed = std::collections::BTreeSet::new();
        let mut left: Vec<TermId> = roots.to_vec();
        while let Some(term) = left.pop() {
            if needed.insert(term) {
                operands(self.analysis.terms.get(term), &mut |operand| {
                    left.push(operand);
                });
            }
        }
        needed.into_iter().collect()
    }

    /// Makes the captures that a term depends on.
    fn place_all_of(&mut self, term: TermId) {
        for term in self.needed(&[term]) {
            if let Term::Loaded { read, .. } = self.analysis.terms.get(term)
                && let Some(group) = self.of.get(read.0 as usize)
            {
                self.place(*group);
            }
        }
    }

    /// Makes the capture of a group, after those that it depends on.
    fn place(&mut self, index: usize) {
        if self.placed.get(index).is_none_or(|placed| placed.is_some()) {
            return;
        }
        let Some(group) = self.groups.get(index) else {
            return;
        };
        // Bases depend on groups of lower bases alone, so this ends. Deep chains are bounded by the number of captures.
        self.place_all_of(group.address);
        if let Extent::Bytes { length, .. } = group.extent {
            self.place_all_of(length);
        }
        let capture = CaptureId(self.order.len() as u32);
        if let Some(placed) = self.placed.get_mut(index) {
            *placed = Some(capture);
        }
        self.order.push(index);
        self.steps.push((Step::Capture(capture), Vec::new()));
    }

    fn finish(self) -> Result<Plan, (Excess, Span)> {
        let mut roots: Vec<TermId> = self
            .steps
            .iter()
            .flat_map(|(_, terms)| terms.iter().copied())
            .collect();
        for group in self.groups {
            roots.push(group.address);
            if let Extent::Bytes { length, .. } = group.extent {
                roots.push(length);
            }
        }
        roots.extend(self.analysis.result);
        let tables = &self.analysis.found.tables;
        let keys = tables.inserted().chain(tables.removed());
        roots.extend(keys.flat_map(|(_, words)| words));
        let needed = self.needed(&roots);
        if needed.len() > MAX_VALUES {
            let span = self.groups.last().map(|group| group.span);
            return Err((Excess::Values, span.unwrap_or_default()));
        }
        let mut plan = Plan::default();
        let mut values: HashMap<TermId, ValueId> = HashMap::new();
        for term in needed {
            let value = self.value(self.analysis.terms.get(term), &values);
            values.insert(term, ValueId(plan.values.len() as u32));
            plan.values.push(value);
        }
        let value = |term: &TermId| values.get(term).copied().unwrap_or(ValueId(0));
        for index in &self.order {
            let Some(group) = self.groups.get(*index) else {
                continue;
            };
            plan.captures.push(Capture {
                address: value(&group.address),
                kind: match group.extent {
                    Extent::Exact(length) => CaptureKind::Pieces {
                        length,
                        pieces: group
                            .pieces
                            .iter()
                            .map(|(offset, length)| Piece {
                                offset: offset.wrapping_sub(group.start) as u32,
                                length: *length,
                            })
                            .collect(),
                    },
                    Extent::Bytes { length, most } => CaptureKind::Bytes {
                        length: value(&length),
                        most,
                    },
                    Extent::String { most } => CaptureKind::String { most },
                },
                span: group.span,
            });
        }
        for (mut step, terms) in self.steps {
            match (&mut step, terms.as_slice()) {
                (
                    Step::Return {
                        condition, absent, ..
                    },
                    [term, keys @ ..],
                ) => {
                    *condition = value(term);
                    let words = absent.iter_mut().flat_map(|key| &mut key.words);
                    for (word, term) in words.zip(keys) {
                        *word = value(term);
                    }
                }
                (Step::Sample { every, bytes, .. }, [one, other]) => {
                    *every = value(one);
                    *bytes = value(other);
                }
                (
                    Step::Update {
                        condition, updates, ..
                    },
                    [term, rest @ ..],
                ) => {
                    *condition = value(term);
                    let mut rest = rest.iter();
                    for update in updates {
                        // The words end the pairs first, so none of the rest is lost.
                        for (word, term) in update.key.iter_mut().zip(rest.by_ref()) {
                            *word = value(term);
                        }
                        let (when, added) = (rest.next(), rest.next());
                        update.when = update.when.and(when.map(value));
                        update.value = added.map_or(ValueId(0), value);
                    }
                }
                _ => {}
            }
            plan.steps.push(step);
        }
        plan.result = self.analysis.result.as_ref().map(value);
        let found = &self.analysis.found;
        let key = |(table, words): &(u64, Vec<TermId>)| TableKey {
            table: *table,
            words: words.iter().map(value).collect(),
        };
        plan.inserts = found.tables.inserted().map(key).collect();
        plan.removes = found.tables.removed().map(key).collect();
        plan.inserts_unknown = found.tables.unknown();
        plan.stack = found.stack;
        plan.needs = Needs {
            registers: found.registers.iter().copied().collect(),
            vectors: found.vectors.iter().copied().collect(),
            arguments: found.arguments.iter().copied().collect(),
            entry_values: found.entry_values.iter().copied().collect(),
            thread_locals: found.thread_locals.iter().copied().collect(),
            globals: found.globals.iter().copied().collect(),
        };
        Ok(plan)
    }

    fn value(&self, term: Term, values: &HashMap<TermId, ValueId>) -> Value {
        let id = |term: TermId| values.get(&term).copied().unwrap_or(ValueId(0));
        match term {
            Term::Constant(value) => Value::Constant(value),
            Term::Register(number) => Value::Register(number),
            Term::Argument(number) => Value::Argument(number),
            Term::EntryValue(index) => Value::EntryValue(index),
            Term::Function => Value::Function,
            Term::Tid => Value::Tid,
            Term::Pid => Value::Pid,
            Term::Time => Value::Time,
            Term::Weight => Value::Weight,
            Term::ThreadLocal(variable) => Value::ThreadLocal(variable),
            Term::Global { offset, size } => Value::Global { offset, size },
            Term::Loaded {
                read,
                offset,
                size,
                signed,
            } => {
                let (capture, start) = self.captured(read);
                Value::Captured {
                    capture,
                    offset: start + offset,
                    size,
                    signed,
                }
            }
            Term::Binary {
                operator,
                ty,
                left,
                right,
            } => Value::Binary {
                operator,
                ty,
                left: id(left),
                right: id(right),
            },
            Term::Extend { ty, from } => Value::Extend { ty, from: id(from) },
            Term::Compare {
                comparison,
                signed,
                left,
                right,
            } => Value::Compare {
                comparison,
                signed,
                left: id(left),
                right: id(right),
            },
            Term::Select {
                condition,
                then,
                otherwise,
            } => Value::Select {
                condition: id(condition),
                then: id(then),
                otherwise: id(otherwise),
            },
        }
    }

    /// The capture of a read, and where the read begins in it.
    fn captured(&self, read: ReadId) -> (CaptureId, u32) {
        let number = read.0 as usize;
        let group = self.of.get(number).copied().unwrap_or(0);
        let capture = self.placed.get(group).copied().flatten();
        let start = self.groups.get(group).map_or(0, |group| group.start);
        let offset = self
            .analysis
            .terms
            .reads()
            .get(number)
            .map_or(0, |read| read.offset.wrapping_sub(start) as u32);
        (capture.unwrap_or(CaptureId(0)), offset)
    }
}

/// Calls `visit` with each term that a term is computed from.
fn operands(term: Term, visit: &mut dyn FnMut(TermId)) {
    match term {
        Term::Binary { left, right, .. } | Term::Compare { left, right, .. } => {
            visit(left);
            visit(right);
        }
        Term::Extend { from, .. } => visit(from),
        Term::Select {
            condition,
            then,
            otherwise,
        } => {
            visit(condition);
            visit(then);
            visit(otherwise);
        }
        _ => {}
    }
}
