//! What the globals hold for the whole run.

use std::collections::BTreeSet;

use super::Options;
use super::run::Analysis;
use super::state::{Content, Known};
use crate::hir::{self, ProbePoint};
use crate::ir::{Base, Function, FunctionId, InstructionKind, Program};
use crate::types::Type;

/// The object that the globals are while they get their first values.
pub(super) const GLOBALS: u32 = 0;

/// The first value of a part of the globals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    Word(u64),
    /// The handle of a container, whose place is its name.
    Container(u64),
    /// What it holds changes, but not by handlers of events: the kernel is told.
    Settled,
}

/// The scalar globals that handlers of events do not write but others may, by offset and size, ascending: what they hold at a hit can
/// be told to the kernel.
pub fn settled(typed: &hir::Program, program: &Program) -> Vec<(u64, u64)> {
    let mut reached = BTreeSet::new();
    let mut left: Vec<FunctionId> = typed
        .probes
        .iter()
        .zip(&program.probes)
        .filter(|(probe, _)| matches!(probe.point, ProbePoint::Event(_) | ProbePoint::Profile(_)))
        .map(|(_, function)| *function)
        .collect();
    let mut written = Vec::new();
    while let Some(function) = left.pop() {
        if !reached.insert(function) {
            continue;
        }
        let Some(function) = program.functions.get(function.0 as usize) else {
            continue;
        };
        note_writes(program, function, &mut written);
        let instructions = function.blocks.iter().flat_map(|block| &block.instructions);
        left.extend(
            instructions.filter_map(|instruction| match &instruction.kind {
                InstructionKind::Call { function, .. } => Some(*function),
                _ => None,
            }),
        );
    }
    let globals = typed.globals.iter().zip(&program.global_offsets);
    let mut settled: Vec<(u64, u64)> = globals
        .filter(|(global, _)| {
            matches!(
                typed.types.resolved(global.ty),
                Type::Bool | Type::Integer { .. } | Type::Enum(_) | Type::Pointer(_)
            )
        })
        .filter_map(|(global, offset)| Some((*offset, typed.types.size_of(global.ty)?)))
        .filter(|own| !written.iter().any(|range| overlap(*own, *range)))
        .collect();
    settled.sort_unstable();
    settled
}

/// Notes which globals a function writes: offset and length.
fn note_writes(program: &Program, function: &Function, written: &mut Vec<(u64, u64)>) {
    let blocks = function.blocks.iter();
    for instruction in blocks.flat_map(|block| &block.instructions) {
        let (place, length) = match &instruction.kind {
            InstructionKind::Store { place, ty, .. } => (place, ty.size()),
            InstructionKind::CopyBytes {
                to: place, length, ..
            }
            | InstructionKind::Zero { place, length } => (place, *length),
            _ => continue,
        };
        if !matches!(place.base, Base::Globals) {
            continue;
        }
        written.push(match place.index {
            None => (place.offset as u64, length),
            // An index has been checked: it stays in the variable.
            Some(_) => variable_at(program, place.offset),
        });
    }
}

/// Offset and length of the variable that an offset in the globals is in, as far as to the next one.
pub(super) fn variable_at(program: &Program, offset: i64) -> (u64, u64) {
    let Ok(offset) = u64::try_from(offset) else {
        return (0, u64::MAX);
    };
    let starts = program.global_offsets.iter().copied();
    let start = starts.clone().filter(|start| *start <= offset).max();
    let end = starts.filter(|start| *start > offset).min();
    let start = start.unwrap_or(0);
    (start, end.unwrap_or(u64::MAX) - start)
}

/// Whether two ranges, by offset and length, have something in common.
fn overlap(one: (u64, u64), other: (u64, u64)) -> bool {
    one.0 < other.0.saturating_add(other.1) && other.0 < one.0.saturating_add(one.1)
}

/// What is known of the globals: those that nothing writes to keep their first values.
#[derive(Debug, Default)]
pub(super) struct Globals {
    initializing: bool,
    /// Whether the first values are known at all.
    known: bool,
    /// Offset, length, and what is there, if it is known; in order, zeros between them.
    first: Vec<(u64, u64, Option<First>)>,
    /// Offset and length of what is written later.
    written: Vec<(u64, u64)>,
    /// Offset and length of scalars that handlers of events do not write.
    settled: Vec<(u64, u64)>,
}

impl Globals {
    /// What is known of the globals of a program.
    pub(super) fn of(program: &Program, options: &Options, settled: Vec<(u64, u64)>) -> Self {
        let initializing = Globals {
            initializing: true,
            ..Globals::default()
        };
        let mut analysis = Analysis::new(program, options, &initializing);
        let mut globals = Globals::default();
        if let Ok(Some((state, _))) = analysis.handler(program.initialize)
            && let Some(object) = state.objects.get(&GLOBALS)
        {
            globals.known = true;
            for (at, length, content) in object.contents() {
                let first = match content {
                    Content::Zero => Some(First::Word(0)),
                    Content::Scalar(Known::Container(_)) => Some(First::Container(at)),
                    Content::Scalar(known) => known
                        .single()
                        .and_then(|word| analysis.terms.as_constant(word))
                        .map(First::Word),
                    Content::Read(..) | Content::Unknown(_) => None,
                };
                globals.first.push((at, length, first));
            }
        }
        for (index, function) in program.functions.iter().enumerate() {
            if index != program.initialize.0 as usize {
                note_writes(program, function, &mut globals.written);
            }
        }
        globals.written.sort_unstable();
        globals.written.dedup();
        globals.settled = settled;
        globals
    }

    /// Whether the function at hand gives them their first values.
    pub(super) fn is_initializing(&self) -> bool {
        self.initializing
    }

    /// What a scalar of the globals holds, if that is known.
    pub(super) fn at(&self, offset: u64, size: u64) -> Option<First> {
        let overlaps = |range| overlap(range, (offset, size));
        if !self.known || self.written.iter().any(|range| overlaps(*range)) {
            let settled = self.settled.contains(&(offset, size));
            return settled.then_some(First::Settled);
        }
        let mut parts = self
            .first
            .iter()
            .filter(|(start, length, _)| overlaps((*start, *length)));
        match (parts.next(), parts.next()) {
            (None, _) => Some(First::Word(0)),
            (Some((start, length, first)), None) => match first {
                Some(First::Word(0)) => Some(First::Word(0)),
                first if *start == offset && *length == size => *first,
                _ => None,
            },
            _ => None,
        }
    }
}
