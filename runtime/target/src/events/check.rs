//! Whether a plan holds together: everything refers to what comes before it, and all sizes are within their limits.

use super::error::{BETWEEN_SAMPLES, PlanError};
use super::program::*;
use super::table::{TableId, TableKind, TableSpec};

/// The most values and the most captures of a record, and the most of either that an entry part saves.
pub(super) const MAX_LISTED: usize = 64;

impl HitProgram {
    /// Checks the plan against the tables of its session.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self, tables: &[TableSpec]) -> Result<(), PlanError> {
        let none = Saved {
            values: 0,
            captures: &[],
        };
        self.entry.check(tables, none)?;
        range("saved values", self.saved_values.len(), 0, MAX_LISTED)?;
        range("saved captures", self.saved_captures.len(), 0, MAX_LISTED)?;
        for &value in &self.saved_values {
            value_before(value, self.entry.values.len())?;
        }
        let mut captures = Vec::with_capacity(self.saved_captures.len());
        for &step in &self.saved_captures {
            captures.push(self.entry.capture_extent(step, self.entry.steps.len())?);
        }
        if let Some(part) = &self.on_return {
            let saved = Saved {
                values: self.saved_values.len(),
                captures: &captures,
            };
            part.check(tables, saved)?;
        }
        Ok(())
    }

    /// The extents of the captures of a part's record: its own, then those of the entry part.
    pub(super) fn record_extents(
        &self,
        part: &Part,
        emit: &Emit,
    ) -> Result<Vec<Extent>, PlanError> {
        let mut extents = Vec::new();
        for &step in &emit.captures {
            extents.push(part.capture_extent(step, part.steps.len())?);
        }
        for &place in &emit.entry_captures {
            extents.push(self.saved_extent(place)?);
        }
        Ok(extents)
    }

    /// The extent of a capture that the entry part saves.
    pub(super) fn saved_extent(&self, place: u32) -> Result<Extent, PlanError> {
        let step = self.saved_captures.get(index(place));
        let step = step.ok_or(PlanError::Unknown {
            what: "saved capture",
            number: place,
        })?;
        self.entry.capture_extent(*step, self.entry.steps.len())
    }
}

/// What a return part has from its entry part.
#[derive(Clone, Copy)]
struct Saved<'a> {
    values: usize,
    captures: &'a [Extent],
}

impl Part {
    /// The extent of the capture that a step before `limit` is.
    pub(super) fn capture_extent(&self, step: StepId, limit: usize) -> Result<Extent, PlanError> {
        match self.step_before(step, limit) {
            Some(Step::Capture { extent, .. }) => Ok(*extent),
            _ => Err(PlanError::Unknown {
                what: "capture",
                number: step.0,
            }),
        }
    }

    /// The record that the part sends.
    pub(super) fn emit(&self) -> Option<&Emit> {
        self.steps.iter().find_map(|step| match step {
            Step::Emit(emit) => Some(emit),
            _ => None,
        })
    }

    fn step_before(&self, step: StepId, limit: usize) -> Option<&Step> {
        let number = index(step.0);
        self.steps.get(number).filter(|_| number < limit)
    }

    fn check(&self, tables: &[TableSpec], saved: Saved<'_>) -> Result<(), PlanError> {
        range("values of a part", self.values.len(), 0, MAX_VALUES)?;
        range("steps of a part", self.steps.len(), 0, MAX_STEPS)?;
        let mut latest = Vec::with_capacity(self.values.len());
        for (number, value) in self.values.iter().enumerate() {
            latest.push(self.check_value(*value, number, &latest, saved)?);
        }
        let mut emitted = false;
        for (number, step) in self.steps.iter().enumerate() {
            for value in step.values() {
                value_before(value, self.values.len())?;
                let needs = latest.get(index(value.0)).copied().unwrap_or(0);
                if needs > number {
                    return Err(PlanError::Unknown {
                        what: "value",
                        number: value.0,
                    });
                }
            }
            self.check_step(step, number, tables, saved)?;
            if matches!(step, Step::Emit(_)) && std::mem::replace(&mut emitted, true) {
                return Err(PlanError::TwoRecords);
            }
        }
        Ok(())
    }

    /// Checks a value; gives the number of steps that must have run before it can be computed.
    fn check_value(
        &self,
        value: Value,
        number: usize,
        latest: &[usize],
        saved: Saved<'_>,
    ) -> Result<usize, PlanError> {
        let steps = self.steps.len();
        let operand = |value: ValueId| -> Result<usize, PlanError> {
            value_before(value, number)?;
            Ok(latest.get(index(value.0)).copied().unwrap_or(0))
        };
        let outcome = |step: StepId, what, right: fn(&Step) -> bool| {
            let known = self.step_before(step, steps).is_some_and(right);
            let unknown = PlanError::Unknown {
                what,
                number: step.0,
            };
            known.then_some(index(step.0) + 1).ok_or(unknown)
        };
        match value {
            Value::Setting(number) if index(number) >= MAX_SETTINGS => Err(PlanError::Unknown {
                what: "setting",
                number,
            }),
            Value::Entry(place) if index(place) >= saved.values => Err(PlanError::Unknown {
                what: "saved value",
                number: place,
            }),
            Value::EntrySlot {
                capture,
                offset,
                width,
                ..
            } => {
                let extent = saved.captures.get(index(capture));
                let extent = extent.ok_or(PlanError::Unknown {
                    what: "saved capture",
                    number: capture,
                })?;
                check_slot(*extent, offset, width).map(|()| 0)
            }
            Value::Slot {
                capture,
                offset,
                width,
                ..
            } => {
                check_slot(self.capture_extent(capture, steps)?, offset, width)?;
                Ok(index(capture.0) + 1)
            }
            Value::Length(step) => outcome(step, "capture of a known length", |step| {
                let up_to = |extent: &Extent| matches!(extent, Extent::UpTo { .. });
                matches!(step, Step::Capture { extent, .. } if !up_to(extent))
            }),
            Value::Weight(step) => {
                outcome(step, "sample", |step| matches!(step, Step::Sample { .. }))
            }
            Value::Found(step) => {
                outcome(step, "lookup", |step| matches!(step, Step::Lookup { .. }))
            }
            Value::Lost(step) => outcome(step, "record", |step| matches!(step, Step::Emit(_))),
            Value::Failed(value) | Value::Unary(_, value) => operand(value),
            Value::Binary(_, a, b) => Ok(operand(a)?.max(operand(b)?)),
            Value::Select {
                condition,
                then,
                otherwise,
            } => Ok(operand(condition)?
                .max(operand(then)?)
                .max(operand(otherwise)?)),
            Value::Constant(_)
            | Value::Register(_)
            | Value::Tid
            | Value::Pid
            | Value::Time
            | Value::Cpu
            | Value::Cookie
            | Value::Setting(_)
            | Value::FaultAddress
            | Value::ExitStatus
            | Value::Entry(_) => Ok(0),
        }
    }

    fn check_step(
        &self,
        step: &Step,
        number: usize,
        tables: &[TableSpec],
        saved: Saved<'_>,
    ) -> Result<(), PlanError> {
        match step {
            Step::Capture { extent, .. } => range(
                "bytes of a capture",
                index(extent.bytes()),
                1,
                index(MAX_CAPTURE),
            ),
            Step::ReturnIf { .. } => Ok(()),
            Step::Sample { every, .. } => {
                let most = u64::from(u32::MAX);
                if *every == 0 || *every > most {
                    let (what, least) = (BETWEEN_SAMPLES, 1);
                    return Err(PlanError::Range {
                        what,
                        number: *every,
                        least,
                        most,
                    });
                }
                Ok(())
            }
            Step::Count { updates, .. } => {
                range("updates of a step", updates.len(), 1, MAX_UPDATES)?;
                updates
                    .iter()
                    .try_for_each(|update| check_update(update, tables))
            }
            Step::Put { table, keys, .. }
            | Step::Remove { table, keys, .. }
            | Step::Lookup { table, keys } => match check_table(*table, keys, tables)?.kind {
                TableKind::Map | TableKind::Keys => Ok(()),
                _ => Err(PlanError::TableUse {
                    table: table.0,
                    why: "only rows of a map are put, removed and looked up",
                }),
            },
            Step::Emit(emit) => self.check_emit(emit, number, saved),
        }
    }

    fn check_emit(&self, emit: &Emit, number: usize, saved: Saved<'_>) -> Result<(), PlanError> {
        range("values of a record", emit.values.len(), 0, MAX_LISTED)?;
        let captures = emit
            .captures
            .len()
            .saturating_add(emit.entry_captures.len());
        range("captures of a record", captures, 0, MAX_LISTED)?;
        for &step in &emit.captures {
            self.capture_extent(step, number)?;
        }
        for &place in &emit.entry_captures {
            if index(place) >= saved.captures.len() {
                return Err(PlanError::Unknown {
                    what: "saved capture",
                    number: place,
                });
            }
        }
        let words = index(emit.stack_bytes / 8);
        if !emit.stack_bytes.is_multiple_of(8) {
            return Err(PlanError::Range {
                what: "bytes of stack, which come in words of eight",
                number: u64::from(emit.stack_bytes),
                least: 0,
                most: u64::from(MAX_STACK),
            });
        }
        range("words of stack", words, 0, index(MAX_STACK / 8))?;
        let expected = index(emit.stack_expected);
        range(
            "bytes of stack that are expected",
            expected,
            0,
            index(emit.stack_bytes),
        )
    }
}

impl Step {
    /// The values that the step uses.
    pub(super) fn values(&self) -> Vec<ValueId> {
        let mut used = Vec::new();
        match self {
            Step::Capture { address, extent } => {
                used.push(*address);
                used.extend(extent.length());
            }
            Step::ReturnIf { condition, .. } => used.push(*condition),
            Step::Sample { bytes, .. } => used.push(*bytes),
            Step::Count {
                condition,
                needs,
                updates,
            } => {
                used.extend(condition.iter().chain(needs));
                for update in updates {
                    used.extend(&update.keys);
                    used.extend(update.value.iter().chain(&update.when));
                }
            }
            Step::Put {
                keys, value, when, ..
            } => {
                used.extend(keys);
                used.push(*value);
                used.extend(when);
            }
            Step::Remove { keys, when, .. } => {
                used.extend(keys);
                used.extend(when);
            }
            Step::Lookup { keys, .. } => used.extend(keys),
            Step::Emit(emit) => used.extend(&emit.values),
        }
        used
    }
}

fn check_update(update: &Update, tables: &[TableSpec]) -> Result<(), PlanError> {
    let table = update.table.0;
    let spec = check_table(update.table, &update.keys, tables)?;
    let why = match (spec.kind, update.value) {
        (TableKind::Map | TableKind::Keys, _) => "rows of a map are put, not updated",
        (TableKind::Count, Some(_)) => "a table that counts takes no value",
        (TableKind::Sum | TableKind::Aggregate { .. }, None) => "a value is missing",
        _ => return Ok(()),
    };
    Err(PlanError::TableUse { table, why })
}

fn check_table<'a>(
    table: TableId,
    keys: &[ValueId],
    tables: &'a [TableSpec],
) -> Result<&'a TableSpec, PlanError> {
    let spec = tables.get(index(table.0)).ok_or(PlanError::Unknown {
        what: "table",
        number: table.0,
    })?;
    if keys.len() != spec.keys {
        return Err(PlanError::TableUse {
            table: table.0,
            why: "it has another number of keys",
        });
    }
    Ok(spec)
}

fn check_slot(extent: Extent, offset: u32, width: Width) -> Result<(), PlanError> {
    let most = match extent {
        Extent::UpTo { .. } => 0,
        extent => extent.bytes(),
    };
    let end = offset.checked_add(width.bytes());
    if end.is_some_and(|end| end <= most) {
        return Ok(());
    }
    Err(PlanError::Range {
        what: "end of a slot",
        number: u64::from(offset) + u64::from(width.bytes()),
        least: 1,
        most: u64::from(most),
    })
}

fn value_before(value: ValueId, limit: usize) -> Result<(), PlanError> {
    let known = index(value.0) < limit;
    known.then_some(()).ok_or(PlanError::Unknown {
        what: "value",
        number: value.0,
    })
}

fn range(what: &'static str, number: usize, least: usize, most: usize) -> Result<(), PlanError> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(PlanError::Range {
        what,
        number: number as u64,
        least: least as u64,
        most: most as u64,
    })
}

/// A number as an index; those that do not fit are beyond any list.
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
