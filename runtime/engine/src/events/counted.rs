//! What the kernel adds to variables of the script, and how it gets there.
//!
//! A handler, or a way through one, that only adds to variables need not run (`ytrace_lang::capture::Counting`): the kernel keeps what is added in
//! tables of its own, by processor. They only grow. Before anybody reads the variables, what they have grown by is added to these. Keys are inserted in
//! the order of the first hit of each.

use std::collections::{BTreeMap, HashMap};

use ytrace_lang::capture::{Counting, Update, UpdatedPart};
use ytrace_lang::ir::Program;
use ytrace_target::events::{
    Bucket, EventError, EventSession, TableId, TableKind, TableRow, TableSpec,
};
use ytrace_values::constants::{ContainerType, Element};
use ytrace_values::{AggregateUpdate, Fault, LinearCounts, Steps, Store};

use super::Events;
use super::follow::counted as number_of;
use super::hit::global_word;
use crate::session::{Session, State};

/// The most memory of the kernel that a table takes, in bytes, and bounds of its rows.
const TABLE_BYTES: usize = 32 << 20;
const LEAST_ROWS: usize = 1 << 10;
const MOST_ROWS: usize = 1 << 18;
/// The numbers of the rows below and above all rows of equal steps.
pub(super) const BELOW: u64 = u64::MAX;
pub(super) const ABOVE: u64 = u64::MAX - 1;

/// A table of the kernel for what is added to a variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Counted {
    /// The offset of the variable.
    pub(super) global: u64,
    /// What of it.
    pub(super) part: UpdatedPart,
    /// How many words the keys of the variable have, if it is a table.
    pub(super) keys: usize,
    /// What is kept.
    pub(super) role: Role,
}

/// What a table of the kernel keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// The sum.
    Sum,
    /// Count, sum, extremes, and maybe the sum of squares.
    Aggregate {
        /// Whether it is.
        squares: bool,
    },
    /// Counts by [`Bucket`].
    Buckets,
    /// Counts by row of equal steps.
    Rows(Steps),
}

impl Counted {
    /// The kernel's table, for so many processors.
    pub(super) fn spec(&self, processors: usize) -> TableSpec {
        let (kind, more, words) = match self.role {
            Role::Sum => (TableKind::Sum, 0, 3),
            Role::Aggregate { squares } => (TableKind::Aggregate { squares }, 0, 10),
            Role::Buckets | Role::Rows(_) => (TableKind::Count, 1, 2),
        };
        let row = 8 * (self.keys + more) + 8 * words * processors.max(1);
        let rows = (TABLE_BYTES / row.max(1)).clamp(LEAST_ROWS, MOST_ROWS);
        TableSpec {
            kind,
            keys: self.keys + more,
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
        }
    }
}

/// The tables that handlers need.
pub(super) fn tables<'a>(
    program: &Program,
    counting: impl Iterator<Item = &'a Counting>,
    squares: bool,
    types: &BTreeMap<u64, u64>,
) -> Vec<Counted> {
    let mut tables: Vec<Counted> = Vec::new();
    for update in counting.flat_map(Counting::updates) {
        let roles = match update.part {
            UpdatedPart::Integer { .. } => vec![Role::Sum],
            UpdatedPart::Aggregate => {
                let linear = linear_of(program, types, update);
                let mut roles = vec![Role::Aggregate { squares }, Role::Buckets];
                roles.extend(linear.iter().copied().map(Role::Rows));
                roles
            }
        };
        for role in roles {
            let table = Counted {
                global: update.global,
                part: update.part,
                keys: update.key.len(),
                role,
            };
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
    }
    tables
}

/// The rows of equal steps that the aggregates of a variable count.
fn linear_of<'p>(program: &'p Program, types: &BTreeMap<u64, u64>, update: &Update) -> &'p [Steps] {
    let container = |index: u64| {
        let index = usize::try_from(index).ok()?;
        program.constants.containers.get(index)
    };
    let own = types.get(&update.global).and_then(|ty| container(*ty));
    let aggregate = match own {
        Some(ContainerType::Table {
            element: Element::Container(nested),
            ..
        }) => container(u64::from(nested.0)),
        own => own,
    };
    match aggregate {
        Some(ContainerType::Aggregate { linear }) => linear,
        _ => &[],
    }
}

/// A table of the kernel and what of it has been added to the variable.
struct Kept {
    counted: Counted,
    table: TableId,
    merged: HashMap<Vec<u64>, TableRow>,
}

/// All of them.
#[derive(Default)]
pub(super) struct KernelCounts {
    kept: Vec<Kept>,
    /// How many hits had been counted when they were last added.
    at: Option<u64>,
}

/// What a table has grown by.
#[derive(Default)]
struct Growth {
    /// When the first of the rows was made.
    made: u64,
    /// By the place of the table: the row as it is now.
    rows: Vec<(usize, TableRow)>,
}

impl KernelCounts {
    /// Makes the tables.
    pub(super) fn make(
        session: &mut EventSession,
        tables: &[Counted],
    ) -> Result<KernelCounts, EventError> {
        let processors = session.processors();
        let kept = tables.iter().map(|counted| {
            Ok(Kept {
                counted: counted.clone(),
                table: session.add_table(counted.spec(processors))?,
                merged: HashMap::new(),
            })
        });
        Ok(KernelCounts {
            kept: kept.collect::<Result<_, EventError>>()?,
            at: None,
        })
    }

    /// What the tables are for, in order.
    pub(super) fn tables(&self) -> Vec<Counted> {
        self.kept.iter().map(|kept| kept.counted.clone()).collect()
    }

    /// What has come since the last time, by variable and key.
    fn grown(
        &self,
        session: &EventSession,
    ) -> Result<BTreeMap<(u64, Vec<u64>), Growth>, EventError> {
        let mut grown: BTreeMap<(u64, Vec<u64>), Growth> = BTreeMap::new();
        for (place, kept) in self.kept.iter().enumerate() {
            for row in session.rows(kept.table)? {
                if row.count == 0 || kept.merged.get(&row.keys) == Some(&row) {
                    continue;
                }
                let key = row.keys.get(..kept.counted.keys).unwrap_or_default();
                let growth = grown.entry((kept.counted.global, key.to_vec()));
                let growth = growth.or_default();
                growth.made = match growth.rows.is_empty() {
                    true => row.made,
                    false => growth.made.min(row.made),
                };
                growth.rows.push((place, row));
            }
        }
        Ok(grown)
    }
}

impl Session<'_> {
    /// Adds to the variables of the script what the kernel has kept for them since the last time.
    pub(super) fn merge_counts(
        &mut self,
        events: &mut Events,
        state: &mut State<'_>,
    ) -> Result<(), EventError> {
        if events.counts.kept.is_empty() {
            return Ok(());
        }
        let mut hits = 0_u64;
        for id in events.handlers.keys() {
            let totals = events.session.totals(*id)?;
            hits = hits.wrapping_add(totals.entry.counted + totals.on_return.counted);
        }
        if events.counts.at == Some(hits) {
            return Ok(());
        }
        let grown = events.counts.grown(&events.session)?;
        let mut grown: Vec<_> = grown.into_iter().collect();
        grown.sort_by_key(|(_, growth)| growth.made);
        state.pristine = false;
        let mut left_out = 0_u64;
        for ((global, key), growth) in grown {
            let added = add(&mut events.counts.kept, state.store, global, &key, growth);
            left_out += u64::from(added.is_err());
        }
        events.counts.at = Some(hits);
        if left_out > 0 {
            self.result.partial(format!(
                "{} of the kernel's could not be added to the program's tables, whose memory was exhausted",
                number_of(left_out, "row")
            ));
        }
        Ok(())
    }
}

/// Adds what has come for one key of a variable, and notes that it is added.
fn add(
    kept: &mut [Kept],
    store: &mut Store,
    global: u64,
    key: &[u64],
    growth: Growth,
) -> Result<(), Fault> {
    // The container, and the row.
    let row = match key.is_empty() {
        true => None,
        false => {
            let handle = global_word(store, global, 8).unwrap_or(0);
            Some((handle, store.table_insert(handle, key)?))
        }
    };
    let mut aggregate = AggregateUpdate::default();
    let mut is_aggregate = false;
    for (place, row_now) in &growth.rows {
        let Some(kept) = kept.get(*place) else {
            continue;
        };
        let before = kept.merged.get(&row_now.keys);
        let count = row_now
            .count
            .wrapping_sub(before.map_or(0, |before| before.count));
        let sum = row_now.sum - before.map_or(0, |before| before.sum);
        let number = row_now.keys.get(kept.counted.keys).copied();
        match (kept.counted.role, kept.counted.part) {
            (Role::Sum, UpdatedPart::Integer { offset, size }) => {
                let bytes = match row {
                    None => Some(&mut *store.globals),
                    Some((handle, row)) => store.row_mut(handle, row),
                };
                let start = offset.checked_add(8 * key.len() as u64);
                add_bytes(bytes, start, size, sum as u64);
                continue;
            }
            (Role::Aggregate { .. }, _) => {
                aggregate.count = count;
                aggregate.sum = sum;
                (aggregate.min, aggregate.max) = (row_now.min, row_now.max);
                let squares = before.map_or(Some(0), |before| before.squares);
                aggregate.squares = row_now
                    .squares
                    .zip(squares)
                    .and_then(|(now, before)| now.checked_sub(before));
            }
            (Role::Buckets, _) => {
                let bucket = number.and_then(|number| i16::try_from(number as i64).ok());
                let bucket = Bucket(bucket.unwrap_or(0));
                aggregate.buckets.push((bucket.nearest(), count));
            }
            (Role::Rows(steps), _) => {
                add_row(&mut aggregate.linear, steps, number.unwrap_or(BELOW), count);
            }
            (Role::Sum, UpdatedPart::Aggregate) => continue,
        }
        is_aggregate = true;
    }
    if is_aggregate {
        let handle = match row {
            None => global_word(store, global, 8),
            Some((handle, row)) => {
                let bytes = store.row(handle, row);
                let words = bytes.and_then(|bytes| bytes.get(8 * key.len()..));
                words.and_then(|words| Some(u64::from_ne_bytes(*words.first_chunk()?)))
            }
        };
        aggregate.buckets.sort_unstable();
        store.aggregate_merge(handle.unwrap_or(0), &aggregate)?;
    }
    for (place, row) in growth.rows {
        if let Some(kept) = kept.get_mut(place) {
            kept.merged.insert(row.keys.clone(), row);
        }
    }
    Ok(())
}

/// Adds to an integer of so many bytes, which wraps.
fn add_bytes(bytes: Option<&mut [u8]>, start: Option<u64>, size: u8, sum: u64) {
    let start = start.and_then(|start| usize::try_from(start).ok());
    let range = start.and_then(|start| Some(start..start.checked_add(usize::from(size))?));
    let Some(place) = bytes
        .zip(range)
        .and_then(|(bytes, range)| bytes.get_mut(range))
    else {
        return;
    };
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(place.iter()) {
        *to = *from;
    }
    let word = u64::from_le_bytes(word).wrapping_add(sum).to_le_bytes();
    for (to, from) in place.iter_mut().zip(word) {
        *to = from;
    }
}

/// Counts values of a row of equal steps.
fn add_row(linear: &mut Vec<LinearCounts>, steps: Steps, number: u64, times: u64) {
    let known = linear.iter().position(|counts| counts.steps == steps);
    let place = known.unwrap_or_else(|| {
        linear.push(LinearCounts {
            steps,
            rows: Vec::new(),
            below: 0,
            above: 0,
        });
        linear.len() - 1
    });
    let Some(counts) = linear.get_mut(place) else {
        return;
    };
    match (number, u16::try_from(number)) {
        (BELOW, _) => counts.below = counts.below.saturating_add(times),
        (_, Ok(row)) => counts.rows.push((row, times)),
        _ => counts.above = counts.above.saturating_add(times),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_wrap_in_their_own_size() {
        let mut bytes = [0xff, 0xff, 1, 2];
        add_bytes(Some(&mut bytes), Some(0), 2, 3);
        assert_eq!(bytes, [2, 0, 1, 2]);
        add_bytes(Some(&mut bytes), Some(2), 1, (-2_i64) as u64);
        assert_eq!(bytes, [2, 0, 0xff, 2]);
        // Out of bounds: nothing.
        add_bytes(Some(&mut bytes), Some(3), 2, 1);
        add_bytes(Some(&mut bytes), None, 1, 1);
        assert_eq!(bytes, [2, 0, 0xff, 2]);
    }

    #[test]
    fn tables_stay_within_their_memory() {
        let counted = Counted {
            global: 0,
            part: UpdatedPart::Aggregate,
            keys: 4,
            role: Role::Aggregate { squares: true },
        };
        for processors in [1, 2, 64, 4096] {
            let spec = counted.spec(processors);
            let bytes = spec.rows as usize * (32 + 80 * processors);
            assert!(bytes <= TABLE_BYTES || spec.rows as usize == LEAST_ROWS);
        }
    }
}
