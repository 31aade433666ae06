//! What the globals hold for the whole run.

use super::Options;
use super::run::Analysis;
use super::state::{Content, Known};
use crate::ir::{Base, InstructionKind, Program};

/// The object that the globals are while they get their first values.
pub(super) const GLOBALS: u32 = 0;

/// The first value of a part of the globals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    Word(u64),
    /// The handle of a container, whose place is its name.
    Container(u64),
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
}

impl Globals {
    /// What is known of the globals of a program.
    pub(super) fn of(program: &Program, options: &Options) -> Self {
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
        globals.note_writes(program);
        globals
    }

    fn note_writes(&mut self, program: &Program) {
        let functions = program.functions.iter().enumerate();
        for (_, function) in functions.filter(|(index, _)| *index != program.initialize.0 as usize)
        {
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
                self.written.push(match place.index {
                    None => (place.offset as u64, length),
                    Some(_) => (0, u64::MAX),
                });
            }
        }
        self.written.sort_unstable();
        self.written.dedup();
    }

    /// Whether the function at hand gives them their first values.
    pub(super) fn is_initializing(&self) -> bool {
        self.initializing
    }

    /// What a scalar of the globals holds, if that is known.
    pub(super) fn at(&self, offset: u64, size: u64) -> Option<First> {
        let overlaps = |(start, length): (u64, u64)| {
            start < offset.saturating_add(size) && offset < start.saturating_add(length)
        };
        if !self.known || self.written.iter().any(|range| overlaps(*range)) {
            return None;
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
