//! Carrying out a part of a plan on a sample: the same as the kernel's program does at the hit.

use super::super::check::index;
use super::super::program::*;
use super::super::table::{Bucket, TableKind};
use super::records::Sample;
use super::tables::{Key, Table};

/// How a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At its last step.
    Whole,
    Filtered,
    Unsampled,
    Counted,
}

/// What an entry part gives to its return part.
#[derive(Clone, Debug, Default)]
pub(super) struct Saved {
    pub values: Vec<Option<u64>>,
    pub captures: Vec<Option<Vec<u8>>>,
}

/// What is known of a hit besides its sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub cookie: u32,
    pub settings: &'a [u64],
    pub saved: &'a Saved,
}

/// What is shared by all hits.
#[derive(Debug)]
pub(super) struct Shared {
    pub tables: Vec<Table>,
    /// The state of the generator of random numbers.
    pub seed: u64,
    /// When the last row was made.
    pub made: u64,
}

/// A run of a part.
#[derive(Debug)]
pub(super) struct Run<'a> {
    part: &'a Part,
    sample: &'a Sample<'a>,
    facts: Facts<'a>,
    /// For each value that was computed: what it is, or that it failed.
    values: Vec<Option<Option<u64>>>,
    /// For each step: what was captured, and the outcome.
    captures: Vec<Option<&'a [u8]>>,
    outcomes: Vec<Option<u64>>,
    /// What the last sampling gave.
    pub weight: u64,
    /// The record that is to be sent.
    pub emit: Option<&'a Emit>,
    /// Rows of maps for which there was no room.
    pub table_full: u64,
}

impl<'a> Run<'a> {
    pub fn new(part: &'a Part, sample: &'a Sample<'a>, facts: Facts<'a>) -> Run<'a> {
        Run {
            part,
            sample,
            facts,
            values: vec![None; part.values.len()],
            captures: vec![None; part.steps.len()],
            outcomes: vec![None; part.steps.len()],
            weight: 0,
            emit: None,
            table_full: 0,
        }
    }

    /// Runs all steps, or those up to one that ends the part.
    pub fn steps(&mut self, shared: &mut Shared) -> End {
        let part = self.part;
        for (number, step) in part.steps.iter().enumerate() {
            match step {
                Step::Capture { address, extent } => {
                    let found = self.value(*address);
                    let found = found.and_then(|address| self.on_stack(address, extent.bytes()));
                    set(&mut self.captures, number, found);
                }
                Step::ReturnIf {
                    condition,
                    on_failure,
                } => match (self.value(*condition), on_failure) {
                    (Some(0), _) | (None, OnFailure::GoOn) => {}
                    (Some(_), _) | (None, OnFailure::End) => return End::Filtered,
                },
                Step::Sample { bytes, every } => {
                    let Some(bytes) = self.value(*bytes) else {
                        return End::Unsampled;
                    };
                    let drawn = (u128::from(shared.random() >> 32) * u128::from(*every)) >> 32;
                    if drawn >= u128::from(bytes) {
                        return End::Unsampled;
                    }
                    self.weight = bytes.max(*every);
                    set(&mut self.outcomes, number, Some(self.weight));
                }
                Step::Count {
                    condition,
                    needs,
                    updates,
                } => {
                    if self.count(*condition, needs, updates, shared) == Some(()) {
                        return End::Counted;
                    }
                }
                Step::Put {
                    table,
                    keys,
                    value,
                    when,
                } => {
                    let value = self.value(*value);
                    let key = self.wanted_key(keys, *when);
                    let table = shared.tables.get_mut(index(table.0));
                    if let (Some(key), Some(value), Some(table)) = (key, value, table) {
                        let fits = table.put(key, value);
                        if !fits && table.spec.kind == TableKind::Map {
                            self.table_full += 1;
                        }
                    }
                }
                Step::Remove { table, keys, when } => {
                    let key = self.wanted_key(keys, *when);
                    let table = shared.tables.get_mut(index(table.0));
                    if let (Some(key), Some(table)) = (key, table) {
                        table.remove(&key);
                    }
                }
                Step::Lookup { table, keys } => {
                    let key = self.key(keys);
                    let table = shared.tables.get(index(table.0));
                    let found = match (key, table) {
                        (Some(key), Some(table)) => table.look_up(&key),
                        // A key that is not known may be among those of a filter.
                        (None, Some(table)) if table.spec.kind == TableKind::Keys => Some(0),
                        _ => None,
                    };
                    set(&mut self.outcomes, number, found);
                }
                Step::Emit(emit) => {
                    // What it holds is as of this step.
                    for value in &emit.values {
                        self.value(*value);
                    }
                    set(&mut self.outcomes, number, Some(0));
                    self.emit = Some(emit);
                }
            }
        }
        End::Whole
    }

    /// See [`Step::Count`]; `None` where nothing was added.
    fn count(
        &mut self,
        condition: Option<ValueId>,
        needs: &[ValueId],
        updates: &[Update],
        shared: &mut Shared,
    ) -> Option<()> {
        for value in needs {
            self.value(*value)?;
        }
        if let Some(condition) = condition
            && self.value(condition)? == 0
        {
            return None;
        }
        for update in updates {
            for value in update.value.iter().chain(&update.when) {
                self.value(*value)?;
            }
        }
        let mut rows = Vec::with_capacity(updates.len());
        for update in updates {
            if let Some(when) = update.when
                && self.value(when)? == 0
            {
                continue;
            }
            let key = self.key(&update.keys)?;
            // Of two rows of one hit, too, one is made before the other.
            shared.made = self.sample.from.time.max(shared.made.saturating_add(1));
            let table = shared.tables.get_mut(index(update.table.0))?;
            table.find_or_make(key, shared.made).then_some(())?;
            rows.push((update, key));
        }
        for (update, key) in rows {
            let value = update.value.and_then(|value| self.value(value));
            if let Some(table) = shared.tables.get_mut(index(update.table.0)) {
                table.add(&key, value);
            }
        }
        Some(())
    }

    /// What the entry part gives to the return part.
    pub fn save(&mut self, program: &HitProgram) -> Saved {
        let values = program.saved_values.iter();
        let captures = program.saved_captures.iter();
        Saved {
            values: values.map(|value| self.value(*value)).collect(),
            captures: captures
                .map(|step| self.capture(*step).map(<[u8]>::to_vec))
                .collect(),
        }
    }

    /// What a step captured.
    pub fn capture(&self, step: StepId) -> Option<&'a [u8]> {
        self.captures.get(index(step.0)).copied().flatten()
    }

    fn on_stack(&self, address: u64, bytes: u32) -> Option<&'a [u8]> {
        let pointer = self.sample.registers.get(Register::Rsp)?;
        let first = usize::try_from(address.checked_sub(pointer)?).ok()?;
        let end = first.checked_add(usize::try_from(bytes).ok()?)?;
        self.sample.stack.get(first..end)
    }

    fn wanted_key(&mut self, keys: &[ValueId], when: Option<ValueId>) -> Option<Key> {
        match when {
            Some(when) if self.value(when)? == 0 => None,
            _ => self.key(keys),
        }
    }

    fn key(&mut self, keys: &[ValueId]) -> Option<Key> {
        let mut key = Key::default();
        for (word, value) in key.iter_mut().zip(keys) {
            *word = self.value(*value)?;
        }
        Some(key)
    }

    /// A value; `None` if it failed.
    pub fn value(&mut self, id: ValueId) -> Option<u64> {
        let number = index(id.0);
        if let Some(known) = self.values.get(number).copied().flatten() {
            return known;
        }
        let value = *self.part.values.get(number)?;
        let found = self.compute(value);
        set(&mut self.values, number, Some(found));
        found
    }

    fn compute(&mut self, value: Value) -> Option<u64> {
        let outcome = |step: StepId| self.outcomes.get(index(step.0)).copied().flatten();
        match value {
            Value::Constant(number) => Some(number),
            Value::Register(register) => self.sample.registers.get(register),
            Value::Tid => Some(u64::from(self.sample.from.tid as u32)),
            Value::Pid => Some(u64::from(self.sample.from.pid as u32)),
            Value::Time => Some(self.sample.from.time),
            Value::Cpu => Some(u64::from(self.sample.from.cpu)),
            Value::Cookie => Some(u64::from(self.facts.cookie)),
            Value::Setting(number) => {
                let setting = self.facts.settings.get(index(number));
                Some(setting.copied().unwrap_or(0))
            }
            Value::FaultAddress => Some(self.sample.address),
            // Plans that ask for it are refused.
            Value::ExitStatus => None,
            Value::Entry(place) => self.facts.saved.values.get(index(place)).copied()?,
            Value::EntrySlot {
                capture,
                offset,
                width,
                signed,
            } => {
                let bytes = self.facts.saved.captures.get(index(capture))?;
                integer(bytes.as_deref()?, offset, width, signed)
            }
            Value::Slot {
                capture,
                offset,
                width,
                signed,
            } => integer(self.capture(capture)?, offset, width, signed),
            Value::Length(step) => Some(self.capture(step)?.len() as u64),
            Value::Weight(step) | Value::Found(step) | Value::Lost(step) => outcome(step),
            Value::Failed(value) => Some(u64::from(self.value(value).is_none())),
            Value::Unary(operation, value) => Some(unary(operation, self.value(value)?)),
            Value::Binary(operation, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                binary(operation, a, b)
            }
            Value::Select {
                condition,
                then,
                otherwise,
            } => match self.value(condition)? {
                0 => self.value(otherwise),
                _ => self.value(then),
            },
        }
    }
}

fn set<T>(list: &mut [T], place: usize, value: T) {
    if let Some(slot) = list.get_mut(place) {
        *slot = value;
    }
}

fn integer(bytes: &[u8], offset: u32, width: Width, signed: bool) -> Option<u64> {
    let start = index(offset);
    let end = start.checked_add(index(width.bytes()))?;
    let mut word = [0; 8];
    let bytes = bytes.get(start..end)?;
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(extend(u64::from_le_bytes(word), width, signed))
}

fn extend(value: u64, width: Width, signed: bool) -> u64 {
    let bits = 64 - 8 * width.bytes();
    match signed {
        true => ((value << bits) as i64 >> bits) as u64,
        false => value << bits >> bits,
    }
}

fn unary(operation: UnaryOperation, value: u64) -> u64 {
    match operation {
        UnaryOperation::Negate => value.wrapping_neg(),
        UnaryOperation::Invert => !value,
        UnaryOperation::IsZero => u64::from(value == 0),
        UnaryOperation::ZeroExtend(width) => extend(value, width, false),
        UnaryOperation::SignExtend(width) => extend(value, width, true),
        UnaryOperation::Bucket => i64::from(Bucket::of(value as i64).0) as u64,
    }
}

/// `None` for a division by zero.
fn binary(operation: BinaryOperation, a: u64, b: u64) -> Option<u64> {
    let (signed_a, signed_b) = (a as i64, b as i64);
    // Shifts are by the low six bits.
    let shift = b as u32;
    Some(match operation {
        BinaryOperation::Add => a.wrapping_add(b),
        BinaryOperation::Subtract => a.wrapping_sub(b),
        BinaryOperation::Multiply => a.wrapping_mul(b),
        BinaryOperation::DivideUnsigned => a.checked_div(b)?,
        BinaryOperation::RemainderUnsigned => a.checked_rem(b)?,
        BinaryOperation::DivideSigned if b != 0 => signed_a.wrapping_div(signed_b) as u64,
        BinaryOperation::RemainderSigned if b != 0 => signed_a.wrapping_rem(signed_b) as u64,
        BinaryOperation::DivideSigned | BinaryOperation::RemainderSigned => return None,
        BinaryOperation::And => a & b,
        BinaryOperation::Or => a | b,
        BinaryOperation::Xor => a ^ b,
        BinaryOperation::ShiftLeft => a.wrapping_shl(shift),
        BinaryOperation::ShiftRightLogical => a.wrapping_shr(shift),
        BinaryOperation::ShiftRightArithmetic => signed_a.wrapping_shr(shift) as u64,
        BinaryOperation::Equal => u64::from(a == b),
        BinaryOperation::NotEqual => u64::from(a != b),
        BinaryOperation::LessUnsigned => u64::from(a < b),
        BinaryOperation::LessEqualUnsigned => u64::from(a <= b),
        BinaryOperation::LessSigned => u64::from(signed_a < signed_b),
        BinaryOperation::LessEqualSigned => u64::from(signed_a <= signed_b),
    })
}

impl Shared {
    /// A random number (splitmix64; Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.seed ^ self.seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
