//! What a handler adds to variables of the script.
//!
//! A handler whose ways do nothing but add to numbers, to numbers in tables and to aggregates need not run: the kernel can keep what is
//! added, and whoever reads the variables adds it to them before. Sums do not depend on the order of the hits.

use super::state::State;
use super::tables::KeyId;
use super::terms::{TermId, Terms, WORD};
use crate::ir::IntegerOperator;

/// The most updates of a handler.
const MAX_CHANGES: usize = 12;

/// An index of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CellId(u32);

/// What is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// The offset of the variable of the script.
    pub(super) global: u64,
    /// In a table, the key.
    pub(super) key: Option<KeyId>,
    pub(super) part: Part,
}

/// The part of the variable, or of the value in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// An integer, by its offset in the globals or in the value, and its size.
    Integer { offset: u64, size: u8 },
    /// An aggregate: how many values are put into it before this one.
    Aggregate { nth: u32 },
    /// Nothing: the key is inserted.
    Row,
}

/// What is added on the way to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) cell: CellId,
    /// In a table, which: its keys are inserted in the order of the changes.
    pub(super) table: Option<u64>,
    /// Whether anything is, 0 or not.
    pub(super) when: TermId,
    /// To an integer the sum of all that is, else a value.
    pub(super) value: TermId,
}

/// All cells of a handler.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells(Vec<Cell>);

impl Cells {
    pub(super) fn get(&self, cell: CellId) -> Option<Cell> {
        self.0.get(cell.0 as usize).copied()
    }

    /// The number of a cell.
    pub(super) fn number(&mut self, cell: Cell) -> CellId {
        let known = self.0.iter().position(|other| *other == cell);
        let index = known.unwrap_or_else(|| {
            self.0.push(cell);
            self.0.len() - 1
        });
        CellId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The changes of a way, without those of rows that others make; `None` if a row is made and nothing is added to it.
    pub(super) fn settled(&self, changes: &[Change]) -> Option<Vec<(Cell, Change)>> {
        let mut settled = Vec::new();
        for change in changes {
            let cell = self.get(change.cell)?;
            if cell.part != Part::Row {
                settled.push((cell, *change));
                continue;
            }
            let adds = |other: &&Change| {
                let of = self.get(other.cell);
                other.when == change.when
                    && of.is_some_and(|of| of.key == cell.key && of.part != Part::Row)
            };
            changes.iter().find(adds)?;
        }
        Some(settled)
    }
}

impl State {
    /// What has been added to a cell, an integer.
    pub(super) fn added(&self, cell: CellId) -> Option<TermId> {
        let change = self.changes.iter().find(|change| change.cell == cell);
        change.map(|change| change.value)
    }

    /// Sets what has been added to a cell.
    pub(super) fn add(&mut self, change: Change) {
        let same = |known: &&mut Change| known.cell == change.cell;
        if let Some(known) = self.changes.iter_mut().find(same) {
            *known = change;
        } else if self.changes.len() < MAX_CHANGES {
            self.changes.push(change);
        } else {
            self.effect = true;
        }
    }
}

/// What is added where two ways come together, by the conditions that tell them apart; `None` where these are not known.
pub(super) fn merge(
    terms: &mut Terms,
    (a, on_a): (&[Change], Option<TermId>),
    (b, on_b): (&[Change], Option<TermId>),
) -> Option<Vec<Change>> {
    if a == b {
        return Some(a.to_vec());
    }
    let (on_a, on_b) = (on_a?, on_b?);
    let tables = a.iter().filter_map(|change| change.table);
    if !tables.into_iter().all(|table| goes_on(a, b, table)) {
        return None;
    }
    let zero = terms.constant(0);
    let both = |terms: &mut Terms, one, other| {
        let (one, other) = (terms.truth(one, true), terms.truth(other, true));
        terms.binary(IntegerOperator::And, WORD, one, other)
    };
    let mut merged = Vec::new();
    for change in a {
        let cell = change.cell;
        let other = b.iter().find(|other| other.cell == cell);
        let on = both(terms, on_a, change.when)?;
        merged.push(match other {
            Some(other) if other == change => *change,
            Some(other) => Change {
                cell,
                table: change.table,
                when: match change.when == other.when {
                    true => change.when,
                    false => {
                        let other = both(terms, on_b, other.when)?;
                        terms.binary(IntegerOperator::Or, WORD, on, other)?
                    }
                },
                value: terms.select(on_a, change.value, other.value),
            },
            None => Change {
                cell,
                table: change.table,
                when: on,
                value: terms.select(on_a, change.value, zero),
            },
        });
    }
    for change in b {
        if a.iter().any(|other| other.cell == change.cell) {
            continue;
        }
        merged.push(Change {
            cell: change.cell,
            table: change.table,
            when: both(terms, on_b, change.when)?,
            value: terms.select(on_b, change.value, zero),
        });
    }
    (merged.len() <= MAX_CHANGES).then_some(merged)
}

/// Whether changes of a table come in the same order on two ways, and those of the second alone after those of both: then keys are inserted in
/// the right order on either way.
fn goes_on(a: &[Change], b: &[Change], table: u64) -> bool {
    let of = |changes: &[Change]| -> Vec<CellId> {
        let own = changes.iter().filter(|change| change.table == Some(table));
        own.map(|change| change.cell).collect()
    };
    let (a, b) = (of(a), of(b));
    let places = b
        .iter()
        .map(|cell| a.iter().position(|other| other == cell));
    let places: Vec<Option<usize>> = places.collect();
    let both = places.iter().take_while(|place| place.is_some()).count();
    let (known, rest) = places.split_at(both);
    known.is_sorted() && rest.iter().all(Option::is_none)
}
