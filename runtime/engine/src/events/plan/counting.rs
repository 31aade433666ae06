//! What the kernel adds to its tables where a handler need not run.

use ytrace_lang::capture::{CaptureKind, Requirement, Update, Value, ValueId};
use ytrace_target::events::{self as target, BinaryOperation, UnaryOperation, Width};
use ytrace_values::Steps;

use super::super::EventFailure;
use super::super::counted::{ABOVE, BELOW, Role};
use super::Maker;

impl Maker<'_> {
    /// Adds to the kernel's tables what the handler would add to variables.
    pub(super) fn count(
        &mut self,
        condition: ValueId,
        updates: &[Update],
        requires: &[Requirement],
    ) -> Result<(), EventFailure> {
        // Whether a string has its end, the handler finds out.
        let Some(needs) = self.needs(requires) else {
            return Ok(());
        };
        let always = self.planned(condition)? == Value::Constant(1);
        let condition = match always {
            true => None,
            false => Some(self.value(condition)?),
        };
        let mut made = Vec::new();
        for update in updates {
            let value = self.value(update.value)?;
            let words = update.key.iter().map(|word| self.value(*word));
            let key = words.collect::<Result<Vec<_>, _>>()?;
            let when = update.when.map(|when| self.value(when)).transpose()?;
            let tables = self.facts.counted.iter().zip(self.facts.mirrors.len()..);
            let tables: Vec<(Role, usize)> = tables
                .filter(|(table, _)| {
                    (table.global, table.part, table.keys)
                        == (update.global, update.part, key.len())
                })
                .map(|(table, number)| (table.role, number))
                .collect();
            if tables.is_empty() {
                return Err(EventFailure::Malformed("a variable without a table"));
            }
            for (role, number) in tables {
                let mut keys = key.clone();
                let value = match role {
                    Role::Sum | Role::Aggregate { .. } => Some(value),
                    Role::Buckets => {
                        let bucket = target::Value::Unary(UnaryOperation::Bucket, value);
                        keys.push(self.part.value(bucket));
                        None
                    }
                    Role::Rows(steps) => {
                        let row = self.row_of(value, steps);
                        keys.push(row);
                        None
                    }
                };
                made.push(target::Update {
                    table: target::TableId(u32::try_from(number).unwrap_or(u32::MAX)),
                    keys,
                    value,
                    when,
                });
            }
        }
        self.part.step(target::Step::Count {
            condition,
            needs,
            updates: made,
        });
        Ok(())
    }

    /// Values that fail where something that is required was not captured; `None` where that cannot be told so.
    fn needs(&mut self, requires: &[Requirement]) -> Option<Vec<target::ValueId>> {
        let mut needs = Vec::new();
        for require in requires {
            let capture = self.plan.captures.get(require.capture.0 as usize)?;
            if !matches!(capture.kind, CaptureKind::Pieces { .. }) {
                return None;
            }
            for (number, piece) in self.pieces.get(&require.capture)?.iter().enumerate() {
                if require.pieces.checked_shr(u32::try_from(number).ok()?)? & 1 == 1 {
                    needs.push(self.part.value(target::Value::Slot {
                        capture: piece.step,
                        offset: 0,
                        width: Width::One,
                        signed: false,
                    }));
                }
            }
        }
        Some(needs)
    }

    /// The number of the row of equal steps of a signed value.
    fn row_of(&mut self, value: target::ValueId, steps: Steps) -> target::ValueId {
        let [low, high, step] =
            [steps.low, steps.high, steps.step].map(|number| self.constant(number as u64));
        let [below, above] = [BELOW, ABOVE].map(|number| self.constant(number));
        let distance = self.binary(BinaryOperation::Subtract, value, low);
        let row = self.binary(BinaryOperation::DivideUnsigned, distance, step);
        let is_above = self.binary(BinaryOperation::LessEqualSigned, high, value);
        let row = self.part.value(target::Value::Select {
            condition: is_above,
            then: above,
            otherwise: row,
        });
        let is_below = self.binary(BinaryOperation::LessSigned, value, low);
        self.part.value(target::Value::Select {
            condition: is_below,
            then: below,
            otherwise: row,
        })
    }
}
