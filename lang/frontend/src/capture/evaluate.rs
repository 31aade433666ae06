//! Carries out a plan as a kernel would: the reference for those that do, and for tests.

use super::plan::{
    CaptureId, CaptureKind, Plan, Requirement, Step, TableKey, Update, Value, ValueId,
};
use crate::interpret::arithmetic;
use ytrace_values::{CapturedMemory, Memory};

/// What a hit gives.
pub trait Hit {
    /// A value that is neither computed nor captured: a register, an argument, the thread.
    fn value(&mut self, value: &Value) -> u64;

    /// Whether the hit is of the sample: its weight, else 0.
    fn sample(&mut self, every: u64, bytes: u64) -> u64;

    /// Does what the handler would: each update with the words of its key and its value. False if it is not done, so that the handler runs.
    fn update(&mut self, _updates: &[(&Update, Vec<u64>, u64)]) -> bool {
        false
    }

    /// Whether a key is in no row of a table of the script, for sure.
    fn is_absent(&mut self, _table: u64, _words: &[u64]) -> bool {
        false
    }
}

/// What a plan came to.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// Whether the hit is dropped.
    pub dropped: bool,
    /// The weight, if there is a sample.
    pub weight: u64,
    /// What the handler is to run on.
    pub memory: CapturedMemory,
    /// For each capture, which pieces succeeded; see [`Requirement::pieces`].
    pub succeeded: Vec<u32>,
}

/// Carries out a plan on the whole memory of a target.
pub fn evaluate(plan: &Plan, memory: &mut dyn Memory, hit: &mut dyn Hit) -> Evaluated {
    let mut run = Run {
        plan,
        hit,
        values: vec![None; plan.values.len()],
        captures: vec![Vec::new(); plan.captures.len()],
        done: Evaluated {
            dropped: false,
            weight: 0,
            memory: CapturedMemory::new(memory.page_size()),
            succeeded: vec![0; plan.captures.len()],
        },
    };
    for step in &plan.steps {
        match step {
            Step::Capture(capture) => run.capture(*capture, memory),
            Step::Return {
                condition,
                absent,
                requires,
            } => {
                if run.met(requires)
                    && run.value(*condition) != 0
                    && absent.iter().all(|key| run.is_absent(key))
                {
                    run.done.dropped = true;
                    break;
                }
            }
            Step::Update {
                condition,
                updates,
                requires,
            } => {
                if run.met(requires) && run.value(*condition) != 0 && run.update(updates) {
                    run.done.dropped = true;
                    break;
                }
            }
            Step::Sample {
                every,
                bytes,
                requires,
            } => {
                if run.met(requires) {
                    let (every, bytes) = (run.value(*every), run.value(*bytes));
                    run.done.weight = run.hit.sample(every, bytes);
                    if run.done.weight == 0 {
                        run.done.dropped = true;
                        break;
                    }
                }
            }
        }
    }
    run.done
}

struct Run<'a> {
    plan: &'a Plan,
    hit: &'a mut dyn Hit,
    values: Vec<Option<u64>>,
    captures: Vec<Vec<u8>>,
    done: Evaluated,
}

impl Run<'_> {
    fn is_absent(&mut self, key: &TableKey) -> bool {
        let words: Vec<u64> = key.words.iter().map(|word| self.value(*word)).collect();
        self.hit.is_absent(key.table, &words)
    }

    fn update(&mut self, updates: &[Update]) -> bool {
        let mut wanted = Vec::with_capacity(updates.len());
        for update in updates {
            if update.when.is_some_and(|when| self.value(when) == 0) {
                continue;
            }
            let key = update.key.iter().map(|word| self.value(*word)).collect();
            wanted.push((update, key, self.value(update.value)));
        }
        self.hit.update(&wanted)
    }

    fn met(&self, requires: &[Requirement]) -> bool {
        requires.iter().all(|require| {
            let succeeded = self.done.succeeded.get(require.capture.0 as usize);
            succeeded.is_some_and(|succeeded| succeeded & require.pieces == require.pieces)
        })
    }

    /// A value, by way of those of lower index.
    fn value(&mut self, id: ValueId) -> u64 {
        let plan = self.plan;
        let mut wanted = vec![id];
        while let Some(id) = wanted.last().copied() {
            let index = id.0 as usize;
            let Some(value) = plan.values.get(index) else {
                return 0;
            };
            let known = self.values.get(index).copied().flatten();
            let missing = match value {
                _ if known.is_some() => None,
                Value::Binary { left, right, .. } | Value::Compare { left, right, .. } => {
                    self.missing(&[*left, *right])
                }
                Value::Extend { from, .. } => self.missing(&[*from]),
                Value::Select {
                    condition,
                    then,
                    otherwise,
                } => self.missing(&[*condition, *then, *otherwise]),
                _ => None,
            };
            // Operands come before what they are operands of.
            match missing.filter(|missing| missing.0 < id.0) {
                Some(missing) => wanted.push(missing),
                None => {
                    let word = known.unwrap_or_else(|| self.compute(value));
                    if let Some(slot) = self.values.get_mut(index) {
                        *slot = Some(word);
                    }
                    wanted.pop();
                }
            }
        }
        self.known(id)
    }

    fn missing(&self, operands: &[ValueId]) -> Option<ValueId> {
        operands
            .iter()
            .copied()
            .find(|id| matches!(self.values.get(id.0 as usize), Some(None)))
    }

    fn known(&self, id: ValueId) -> u64 {
        self.values
            .get(id.0 as usize)
            .copied()
            .flatten()
            .unwrap_or(0)
    }

    fn compute(&mut self, value: &Value) -> u64 {
        match *value {
            Value::Constant(value) => value,
            Value::Weight => self.done.weight,
            Value::Captured {
                capture,
                offset,
                size,
                signed,
            } => {
                let bytes = self.captures.get(capture.0 as usize);
                let start = offset as usize;
                let bytes = bytes.and_then(|bytes| bytes.get(start..start + usize::from(size)));
                let mut word = [0; 8];
                for (to, from) in word.iter_mut().zip(bytes.unwrap_or_default()) {
                    *to = *from;
                }
                let ty = crate::ir::IntegerType { size, signed };
                arithmetic::extend(u64::from_le_bytes(word), ty)
            }
            Value::Binary {
                operator,
                ty,
                left,
                right,
            } => {
                let (left, right) = (self.known(left), self.known(right));
                // A plan divides by no 0.
                arithmetic::integer(operator, ty, left, right).unwrap_or(0)
            }
            Value::Extend { ty, from } => arithmetic::extend(self.known(from), ty),
            Value::Compare {
                comparison,
                signed,
                left,
                right,
            } => arithmetic::compare(comparison, signed, self.known(left), self.known(right)),
            Value::Select {
                condition,
                then,
                otherwise,
            } => match self.known(condition) {
                0 => self.known(otherwise),
                _ => self.known(then),
            },
            ref other => self.hit.value(other),
        }
    }

    fn capture(&mut self, id: CaptureId, memory: &mut dyn Memory) {
        let plan = self.plan;
        let Some(capture) = plan.captures.get(id.0 as usize) else {
            return;
        };
        let address = self.value(capture.address);
        let (bytes, succeeded) = match &capture.kind {
            CaptureKind::Pieces { length, pieces } => {
                let mut bytes = vec![0; *length as usize];
                let mut succeeded = 0;
                if memory.read(address, &mut bytes).is_ok() {
                    succeeded = u32::MAX;
                    self.done.memory.add(address, &bytes);
                } else {
                    bytes.fill(0);
                    for (number, piece) in pieces.iter().enumerate() {
                        let at = address.wrapping_add(u64::from(piece.offset));
                        let start = piece.offset as usize;
                        let end = start + piece.length as usize;
                        let Some(part) = bytes.get_mut(start..end) else {
                            continue;
                        };
                        let mut own = part.to_vec();
                        if memory.read(at, &mut own).is_ok() {
                            part.copy_from_slice(&own);
                            succeeded |= 1 << number;
                            self.done.memory.add(at, &own);
                        } else {
                            self.done.memory.fail(at, u64::from(piece.length));
                        }
                    }
                }
                (bytes, succeeded)
            }
            CaptureKind::Bytes { length, most } => {
                let length = self.value(*length).min(u64::from(*most));
                let bytes = leading(memory, address, length, false);
                let left = length - bytes.len() as u64;
                self.done.memory.add(address, &bytes);
                self.done
                    .memory
                    .fail(address.wrapping_add(bytes.len() as u64), left);
                (bytes, u32::from(left == 0))
            }
            CaptureKind::String { most } => {
                let bytes = leading(memory, address, u64::from(*most), true);
                let whole = bytes.last() == Some(&0) || bytes.len() as u64 == u64::from(*most);
                self.done.memory.add(address, &bytes);
                if !whole {
                    let end = address.wrapping_add(bytes.len() as u64);
                    let left = u64::from(*most) - bytes.len() as u64;
                    self.done.memory.fail(end, left);
                }
                (bytes, u32::from(whole))
            }
        };
        if let Some(slot) = self.captures.get_mut(id.0 as usize) {
            *slot = bytes;
        }
        if let Some(slot) = self.done.succeeded.get_mut(id.0 as usize) {
            *slot = succeeded;
        }
    }
}

/// The bytes at an address as far as they can be read, up to a zero with it if wanted.
fn leading(memory: &mut dyn Memory, address: u64, length: u64, string: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < length {
        let at = address.wrapping_add(bytes.len() as u64);
        let mut part = vec![0; (length - bytes.len() as u64) as usize];
        let Ok(count) = memory.leading(at, &mut part) else {
            break;
        };
        let part = part.get(..count).unwrap_or_default();
        let end = part.iter().position(|byte| string && *byte == 0);
        let part = part.get(..end.map_or(count, |end| end + 1));
        bytes.extend_from_slice(part.unwrap_or_default());
        if end.is_some() || count == 0 {
            break;
        }
    }
    bytes
}
