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
use ytrace_values::{AggregateUpdate, Fault, FaultKind, LinearCounts, Steps, Store};

use super::Events;
use super::follow::counted as number_of;
use super::hit::global_word;
use crate::session::{Session, State, exhausted};

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
    merged: HashMap<Vec<u64>, Merged>,
}

impl Kept {
    /// The bytes that one row takes here; hash tables have up to twice as many places as rows.
    fn row_bytes(&self) -> u64 {
        let keys = self.counted.spec(1).keys;
        let bytes = 2 * (size_of::<(Vec<u64>, Merged)>() + 1) + 8 * keys.max(1);
        bytes as u64
    }
}

/// What of a row has been added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Merged {
    count: u64,
    sum: i128,
    extremes: (i64, i64),
    squares: Option<u128>,
}

impl Merged {
    /// Nothing.
    const NOTHING: Merged = Merged {
        count: 0,
        sum: 0,
        extremes: (0, 0),
        squares: Some(0),
    };

    /// All of it.
    fn of(row: &TableRow) -> Merged {
        Merged {
            count: row.count,
            sum: row.sum,
            extremes: (row.min, row.max),
            squares: row.squares,
        }
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct KernelCounts {
    kept: Vec<Kept>,
    /// How many hits had been counted when all was added.
    at: Option<u64>,
    /// How many rows could not be added the last time.
    left_out: u64,
}

/// What a table has grown by.
#[derive(Default)]
struct Growth {
    /// When the first of the rows was made.
    made: u64,
    /// By the place of the table: the row as it is now.
    rows: Vec<(usize, TableRow)>,
}

/// The same by variable and key.
type Grown = BTreeMap<(u64, Vec<u64>), Growth>;

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
            ..KernelCounts::default()
        })
    }

    /// What the tables are for, in order.
    pub(super) fn tables(&self) -> Vec<Counted> {
        self.kept.iter().map(|kept| kept.counted.clone()).collect()
    }

    /// What has come since the last time, by variable and key, and how many rows the program has no memory for.
    fn grown(
        &mut self,
        session: &EventSession,
        store: &mut Store,
    ) -> Result<(Grown, u64), EventError> {
        let mut grown = Grown::new();
        let mut left_out = 0;
        for (place, kept) in self.kept.iter_mut().enumerate() {
            let table = kept.table;
            session.each_row(table, |row| {
                left_out += u64::from(take(&mut grown, place, kept, row, store).is_err());
            })?;
        }
        Ok((grown, left_out))
    }

    /// Gives the memory back that was taken for what has been added.
    pub(super) fn give_back(&mut self, store: &mut Store) {
        for kept in &mut self.kept {
            store.refund(kept.row_bytes().saturating_mul(kept.merged.len() as u64));
            kept.merged = HashMap::new();
        }
    }
}

/// Takes note of a row, if it has grown.
fn take(
    grown: &mut Grown,
    place: usize,
    kept: &mut Kept,
    row: TableRow,
    store: &mut Store,
) -> Result<(), Fault> {
    let known = kept.merged.get(&row.keys);
    if row.count == 0 || known == Some(&Merged::of(&row)) {
        return Ok(());
    }
    if known.is_none() {
        // What is kept of it, and what it takes until it is added.
        store.charge(kept.row_bytes())?;
        kept.merged.insert(row.keys.clone(), Merged::NOTHING);
    }
    let key = row.keys.get(..kept.counted.keys).unwrap_or_default();
    let growth = grown.entry((kept.counted.global, key.to_vec()));
    let growth: &mut Growth = growth.or_default();
    growth.made = match growth.rows.is_empty() {
        true => row.made,
        false => growth.made.min(row.made),
    };
    growth.rows.push((place, row));
    Ok(())
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
        let (grown, mut left_out) = events.counts.grown(&events.session, state.store)?;
        let mut grown: Vec<_> = grown.into_iter().collect();
        grown.sort_by_key(|(_, growth)| growth.made);
        state.pristine = false;
        for ((global, key), growth) in grown {
            let rows = growth.rows.len() as u64;
            if add(&mut events.counts.kept, state.store, global, &key, growth).is_err() {
                left_out += rows;
            }
        }
        // What was left out is tried again, for the program may have freed some memory.
        events.counts.at = (left_out == 0).then_some(hits);
        events.counts.left_out = left_out;
        if let (1.., Some(why)) = (left_out, exhausted(FaultKind::MemoryExhausted)) {
            self.result.partial(why);
        }
        Ok(())
    }

    /// Says what could not be added in the end.
    pub(super) fn note_counts(&mut self, events: &Events) {
        if events.counts.left_out > 0 {
            self.result.partial(format!(
                "{} of the kernel's could not be added to the program's tables, whose memory was exhausted",
                number_of(events.counts.left_out, "row")
            ));
        }
    }
}

/// Adds what has come for one key of a variable, and notes that it is added: all of it, or nothing.
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
    let mut sums = Vec::new();
    for (place, row_now) in &growth.rows {
        let Some(kept) = kept.get(*place) else {
            continue;
        };
        let before = kept.merged.get(&row_now.keys).copied();
        let before = before.unwrap_or(Merged::NOTHING);
        let count = row_now.count.wrapping_sub(before.count);
        let sum = row_now.sum - before.sum;
        let number = row_now.keys.get(kept.counted.keys).copied();
        match (kept.counted.role, kept.counted.part) {
            (Role::Sum, UpdatedPart::Integer { offset, size }) => {
                sums.push((offset, size, sum as u64));
                continue;
            }
            (Role::Aggregate { .. }, _) => {
                aggregate.count = count;
                aggregate.sum = sum;
                aggregate.extremes = Some((row_now.min, row_now.max));
                aggregate.squares = row_now
                    .squares
                    .zip(before.squares)
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
        // Only this can fail.
        store.aggregate_merge(handle.unwrap_or(0), &aggregate)?;
    }
    for (offset, size, sum) in sums {
        let bytes = match row {
            None => Some(&mut *store.globals),
            Some((handle, row)) => store.row_mut(handle, row),
        };
        let start = offset.checked_add(8 * key.len() as u64);
        add_bytes(bytes, start, size, sum);
    }
    for (place, row) in growth.rows {
        let known = kept.get_mut(place);
        if let Some(known) = known.and_then(|kept| kept.merged.get_mut(&row.keys)) {
            *known = Merged::of(&row);
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
    use std::sync::Arc;

    use ytrace_values::constants::ContainerTypeId;
    use ytrace_values::{Constants, Limits};

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
    fn what_memory_does_not_suffice_for_is_added_once_when_there_is_more() {
        let constants = Constants {
            containers: vec![ContainerType::Aggregate { linear: Vec::new() }],
            globals_size: 8,
            ..Constants::default()
        };
        let limits = Limits {
            memory: 1 << 20,
            output: 0,
            string: 0,
        };
        let mut store = Store::new(Arc::new(constants), limits);
        let handle = store.container_new(ContainerTypeId(0)).unwrap();
        store.globals = handle.to_ne_bytes().to_vec();
        let kept = |role, number| Kept {
            counted: Counted {
                global: 0,
                part: UpdatedPart::Aggregate,
                keys: 0,
                role,
            },
            table: TableId(number),
            merged: HashMap::new(),
        };
        let whole = Role::Aggregate { squares: false };
        let mut kept = [kept(whole, 0), kept(Role::Buckets, 1)];
        // A thousand values, of a bucket each.
        let row = |keys: Vec<u64>, count: u64, sum: i128| TableRow {
            keys,
            made: 1,
            count,
            sum,
            min: 1,
            max: 1 << 40,
            squares: None,
        };
        let mut rows = vec![(0, row(Vec::new(), 500, 1000))];
        rows.extend((1..=500).map(|bucket| (1, row(vec![bucket], 1, 0))));
        let mut merge = |store: &mut Store| {
            let mut grown = Grown::new();
            let taken = rows.iter().map(|(place, row)| {
                let kept = kept.get_mut(*place).unwrap();
                take(&mut grown, *place, kept, row.clone(), store)
            });
            let taken: Vec<_> = taken.collect();
            let added = grown
                .into_iter()
                .map(|((global, key), growth): (_, Growth)| {
                    add(&mut kept, store, global, &key, growth)
                });
            taken.into_iter().chain(added).all(|done| done.is_ok())
        };
        let counted = |store: &Store| {
            let summary = store.aggregate_summary(handle).unwrap();
            let all: u64 = summary.buckets.iter().map(|bucket| bucket.2).sum();
            (summary.count, summary.sum, all)
        };
        // Ever more memory, until all is added. Rows for which there is none are left out, others are whole.
        let mut left = (1 << 20) - store.memory_used();
        store.charge(left).unwrap();
        let mut failed = 0;
        while !merge(&mut store) {
            failed += 1;
            let (count, sum, all) = counted(&store);
            assert!((count, sum) == (0, 0) || (count, sum) == (500, 1000));
            assert!(all <= 500, "{all}");
            store.refund(1000);
            left -= 1000;
        }
        assert!(failed > 10, "{failed}");
        assert_eq!(counted(&store), (500, 1000, 500));
        assert!(merge(&mut store));
        assert_eq!(counted(&store), (500, 1000, 500));
        let used = store.memory_used();
        let mut counts = KernelCounts {
            kept: kept.into(),
            ..KernelCounts::default()
        };
        counts.give_back(&mut store);
        assert!(used - store.memory_used() > 500 * 64);
        store.refund(left);
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
