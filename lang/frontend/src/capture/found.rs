//! What following a handler has found.

use std::collections::BTreeSet;

use super::state::{Literal, Unknown, Why};
use super::tables::{KeyId, Tables};
use super::terms::TermId;
use super::updates::{Cell, Cells, Change};
use crate::ir::SpanId;

/// One end of the handler.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// The conditions under which it is come to.
    pub(super) reach: Vec<Literal>,
    /// The reads on the way, a bit each.
    pub(super) reads: Vec<u64>,
    /// Keys of tables that were deleted on the way and not inserted since.
    pub(super) deleted: Vec<KeyId>,
    /// What is added to variables of the script on the way.
    pub(super) changes: Vec<Change>,
    /// Whether something was done on the way.
    pub(super) effect: bool,
}

/// Where a hit may be dropped.
#[derive(Clone, Debug)]
pub(super) enum Drop {
    /// The handler ends without having done anything.
    End(Ended),
    /// The handler ends and has added to variables of the script, no more.
    Update(Ended, Vec<(Cell, Change)>),
    /// The hit may not be of the sample.
    Sample {
        every: TermId,
        bytes: TermId,
        reads: Vec<u64>,
        /// The conditions under which it is asked for.
        reach: Vec<Literal>,
    },
}

/// A read that cannot be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The read.
    pub(super) span: SpanId,
    /// What is not known.
    pub(super) what: What,
}

/// Why a read cannot be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Its address.
    Address(Unknown),
    /// It takes too many bytes.
    Large(u64),
    /// How many bytes are asked about.
    Length,
    /// It reads what a container holds the addresses of.
    Container,
    /// It asks for the stack of another thread.
    OtherStack,
    /// It asks for a register of another thread, or for one of no such name.
    OtherRegister,
    /// It asks for a variable of another thread.
    OtherVariable,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Where hits may be dropped, in order.
    pub(super) drops: Vec<Drop>,
    /// Whether some end is of a kind that no hit is dropped for.
    inexact: bool,
    pub(super) stack: bool,
    pub(super) registers: BTreeSet<u64>,
    pub(super) vectors: BTreeSet<u64>,
    pub(super) arguments: BTreeSet<u64>,
    pub(super) entry_values: BTreeSet<u64>,
    pub(super) thread_locals: BTreeSet<u32>,
    pub(super) globals: BTreeSet<(u64, u8)>,
    pub(super) refused: Vec<Refused>,
    pub(super) tables: Tables,
    pub(super) cells: Cells,
    /// Variables of the script that something else is done to than that they are added to; `None` if that may be any.
    pub(super) assigned: Assigned,
    /// The first thing that keeps a way from being taken in the kernel.
    pub(super) obstacle: Option<(SpanId, &'static str)>,
    /// The first condition that is not known at the hit.
    pub(super) condition: Option<SpanId>,
}

/// Variables of the script, by their offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) some: BTreeSet<u64>,
    /// Whether it may be all of them.
    pub(super) all: bool,
}

impl Found {
    /// Whether all ends so far are ends for which hits are dropped.
    pub(super) fn exact(&self) -> bool {
        !self.inexact
    }

    /// Notes an end of the handler.
    pub(super) fn end(&mut self, ended: Ended) {
        let known = ended.reach.iter().all(|literal| match literal {
            Literal::Known(..) => true,
            Literal::Unknown(..) => self.tables.absent(*literal).is_some(),
        });
        self.tables.end(&ended);
        if !ended.effect && known && ended.changes.is_empty() {
            self.drops.push(Drop::End(ended));
            return;
        }
        // Later conditions must hold whether or not the kernel does this.
        self.inexact = true;
        let by_words = |literal: &Literal| matches!(literal, Literal::Known(..));
        if ended.effect {
            return;
        }
        match self.cells.settled(&ended.changes) {
            Some(changes) if ended.reach.iter().all(by_words) => {
                self.drops.push(Drop::Update(ended, changes));
            }
            Some(_) => {
                let span = self.condition.unwrap_or(SpanId(0));
                self.obstruct(span, "a condition is not known at the hit");
            }
            None => self.obstruct(SpanId(0), "it inserts a key and adds nothing to its value"),
        }
    }

    /// Notes why a way is not taken in the kernel, the first time.
    pub(super) fn obstruct(&mut self, span: SpanId, why: &'static str) {
        self.obstacle.get_or_insert((span, why));
    }

    /// Notes that a variable of the script is not only added to.
    pub(super) fn assign(&mut self, global: Option<u64>) {
        match global {
            Some(global) => {
                self.assigned.some.insert(global);
            }
            None => self.assigned.all = true,
        }
    }

    /// Notes a read that cannot be captured, once a place.
    pub(super) fn refuse(&mut self, span: SpanId, what: What) {
        let said = matches!(what, What::Address(unknown) if unknown.why == Why::Refused);
        if !said && !self.refused.iter().any(|other| other.span == span) {
            self.refused.push(Refused { span, what });
        }
    }
}
