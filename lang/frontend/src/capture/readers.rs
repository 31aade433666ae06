//! What functions do with the variables of the script: whether they only add to them, read them, or change them otherwise.
//!
//! Values that come from a variable are followed through registers: one that is added to and stored where it came from is added to, any other use
//! is a reading one. A function that is too large counts as doing anything.

use std::collections::{BTreeMap, BTreeSet};

use super::globals::variable_at;
use crate::ir::{
    Base, BlockId, Function, FunctionId, InstructionKind, IntegerOperator, Program, Register,
    Terminator,
};
use ytrace_values::Operation;

/// The most times that a function's blocks are looked at, in blocks.
const MAX_LOOKS: usize = 20_000;

/// What is done with a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    None,
    /// It is added to, or stored to: what is stored is known elsewhere.
    Adds,
    Reads,
    /// It is a container that is changed.
    Changes,
}

/// What functions do, with those that they call.
#[derive(Debug, Default)]
pub(super) struct Accesses {
    of: BTreeMap<u64, Access>,
    /// What is done with all of them.
    all: Option<Access>,
    /// Whether one may end the session.
    pub(super) ends_session: bool,
    /// The rows of equal steps that are asked of aggregates of a variable, or of one that is not known: `None` where they are not constant.
    linear: BTreeMap<Option<u64>, BTreeSet<Option<[i64; 3]>>>,
}

impl Accesses {
    pub(super) fn access(&self, global: u64) -> Access {
        let own = self.of.get(&global).copied().unwrap_or(Access::None);
        own.max(self.all.unwrap_or(Access::None))
    }

    /// The rows of equal steps that may be asked of aggregates of a variable: low, high and step.
    pub(super) fn linear(&self, global: u64) -> impl Iterator<Item = Option<[i64; 3]>> {
        let own = self.linear.get(&Some(global));
        own.into_iter()
            .chain(self.linear.get(&None))
            .flatten()
            .copied()
    }

    fn note_linear(&mut self, globals: &BTreeSet<u64>, steps: Option<[i64; 3]>) {
        if globals.is_empty() {
            self.linear.entry(None).or_default().insert(steps);
        }
        for global in globals {
            self.linear.entry(Some(*global)).or_default().insert(steps);
        }
    }

    fn note(&mut self, globals: Option<&BTreeSet<u64>>, access: Access) {
        for global in globals.into_iter().flatten() {
            let own = self.of.entry(*global).or_insert(access);
            *own = access.max(*own);
        }
    }
}

/// What functions and those that they call do.
pub(super) fn accesses(program: &Program, functions: impl Iterator<Item = FunctionId>) -> Accesses {
    let mut accesses = Accesses::default();
    let mut left: Vec<FunctionId> = functions.collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = left.pop() {
        if !reached.insert(id) {
            continue;
        }
        let Some(function) = program.functions.get(id.0 as usize) else {
            continue;
        };
        follow(program, function, &mut accesses);
        let instructions = function.blocks.iter().flat_map(|block| &block.instructions);
        left.extend(
            instructions.filter_map(|instruction| match &instruction.kind {
                InstructionKind::Call { function, .. } => Some(*function),
                _ => None,
            }),
        );
    }
    accesses
}

/// The variables that registers have something of.
type Taint = BTreeMap<u32, BTreeSet<u64>>;

fn follow(program: &Program, function: &Function, accesses: &mut Accesses) {
    let mut before: BTreeMap<BlockId, Taint> = BTreeMap::from([(BlockId(0), Taint::new())]);
    let mut left = vec![BlockId(0)];
    let mut looks = 0;
    while let Some(id) = left.pop() {
        looks += 1;
        if looks > MAX_LOOKS {
            accesses.all = Some(Access::Changes);
            return;
        }
        let (Some(block), Some(mut taint)) =
            (function.blocks.get(id.0 as usize), before.get(&id).cloned())
        else {
            continue;
        };
        let mut go = |taint: &Taint, to: BlockId, left: &mut Vec<BlockId>| {
            let known = before.contains_key(&to);
            let into = before.entry(to).or_default();
            let mut more = !known;
            for (register, globals) in taint {
                let into = into.entry(*register).or_default();
                for global in globals {
                    more |= into.insert(*global);
                }
            }
            if more {
                left.push(to);
            }
        };
        // A fault may come anywhere in it.
        if let Some(handler) = block.on_fault {
            go(&taint, handler, &mut left);
        }
        let mut words = BTreeMap::new();
        for instruction in &block.instructions {
            linear(&instruction.kind, &taint, &mut words, accesses);
            step(program, &instruction.kind, &mut taint, accesses);
            if let Some(handler) = block.on_fault {
                go(&taint, handler, &mut left);
            }
        }
        match &block.terminator {
            Terminator::Branch { condition, .. } => {
                accesses.note(taint.get(&condition.0), Access::Reads);
            }
            Terminator::Switch { value, .. } => accesses.note(taint.get(&value.0), Access::Reads),
            Terminator::Return(Some(value)) => accesses.note(taint.get(&value.0), Access::Reads),
            Terminator::Return(None) | Terminator::Jump(_) => {}
        }
        block
            .terminator
            .successors(&mut |next| go(&taint, next, &mut left));
    }
}

/// Notes which rows of equal steps are asked for; `words` are the constants of the block so far.
fn linear(
    kind: &InstructionKind,
    taint: &Taint,
    words: &mut BTreeMap<u32, u64>,
    accesses: &mut Accesses,
) {
    if let InstructionKind::Operation {
        operation: Operation::AggregateHistogramLinear,
        arguments,
        ..
    } = kind
    {
        let word = |index: usize| {
            let register = arguments.get(index)?;
            words.get(&register.0).map(|word| *word as i64)
        };
        let steps = || Some([word(1)?, word(2)?, word(3)?]);
        let of = arguments.first().and_then(|first| taint.get(&first.0));
        accesses.note_linear(of.unwrap_or(&BTreeSet::new()), steps());
    }
    match (kind, kind.result()) {
        (InstructionKind::Constant { to, value }, _) => words.insert(to.0, *value),
        (_, Some(to)) => words.remove(&to.0),
        _ => None,
    };
}

fn step(program: &Program, kind: &InstructionKind, taint: &mut Taint, accesses: &mut Accesses) {
    let of =
        |taint: &Taint, register: Register| taint.get(&register.0).cloned().unwrap_or_default();
    let mut result: BTreeSet<u64> = BTreeSet::new();
    match kind {
        InstructionKind::Constant { .. }
        | InstructionKind::Literal { .. }
        | InstructionKind::SlotAddress { .. }
        | InstructionKind::Step => {}
        InstructionKind::Copy { from, .. } | InstructionKind::Extend { from, .. } => {
            result = of(taint, *from);
        }
        InstructionKind::Integer {
            operator: IntegerOperator::Add | IntegerOperator::Subtract,
            left,
            right,
            ..
        } => {
            result = of(taint, *left);
            result.extend(of(taint, *right));
        }
        InstructionKind::Integer { left, right, .. }
        | InstructionKind::CompareIntegers { left, right, .. }
        | InstructionKind::Float { left, right, .. }
        | InstructionKind::CompareFloats { left, right, .. } => {
            accesses.note(taint.get(&left.0), Access::Reads);
            accesses.note(taint.get(&right.0), Access::Reads);
        }
        InstructionKind::FloatNegate { from, .. }
        | InstructionKind::IntegerToFloat { from, .. }
        | InstructionKind::FloatToInteger { from, .. }
        | InstructionKind::FloatToFloat { from, .. }
        | InstructionKind::FloatToBits { from, .. }
        | InstructionKind::BitsToFloat { from, .. } => {
            accesses.note(taint.get(&from.0), Access::Reads);
        }
        InstructionKind::Load { place, .. } => {
            if let Some(index) = place.index {
                accesses.note(taint.get(&index.0), Access::Reads);
            }
            match place.base {
                Base::Globals => {
                    result.insert(variable_at(program, place.offset).0);
                }
                Base::Row { container, row } => {
                    result = of(taint, container);
                    accesses.note(beside(&of(taint, row), &result).as_ref(), Access::Reads);
                }
                Base::Target(base) | Base::Frame(base) => {
                    accesses.note(taint.get(&base.0), Access::Reads);
                }
                Base::Slot(_) => {}
            }
        }
        InstructionKind::Store { place, from, .. } => {
            if let Some(index) = place.index {
                accesses.note(taint.get(&index.0), Access::Reads);
            }
            let to = match place.base {
                Base::Globals => BTreeSet::from([variable_at(program, place.offset).0]),
                Base::Row { container, .. } => {
                    let to = of(taint, container);
                    // For a timer that is a change; handlers of events are looked at more closely.
                    accesses.note(Some(&to), Access::Adds);
                    if to.is_empty() {
                        accesses.all = accesses.all.max(Some(Access::Adds));
                    }
                    to
                }
                _ => BTreeSet::new(),
            };
            let others = beside(&of(taint, *from), &to);
            accesses.note(others.as_ref(), Access::Reads);
        }
        InstructionKind::CopyBytes { from, .. } => match from.base {
            Base::Globals => {
                let global = BTreeSet::from([variable_at(program, from.offset).0]);
                accesses.note(Some(&global), Access::Reads);
            }
            Base::Row { container, .. } => {
                accesses.note(taint.get(&container.0), Access::Reads);
            }
            Base::Target(_) | Base::Slot(_) | Base::Frame(_) => {}
        },
        InstructionKind::Zero { .. } => {}
        InstructionKind::BoundsCheck { index, .. } => {
            accesses.note(taint.get(&index.0), Access::Reads);
        }
        // What becomes of a container there is not followed.
        InstructionKind::Call { arguments, .. } => {
            for argument in arguments {
                accesses.note(taint.get(&argument.0), Access::Changes);
            }
        }
        InstructionKind::Operation {
            operation,
            arguments,
            ..
        } => {
            let (first, rest) = match arguments.split_first() {
                Some((first, rest)) => (of(taint, *first), rest),
                None => (BTreeSet::new(), &[][..]),
            };
            for argument in rest {
                accesses.note(taint.get(&argument.0), Access::Reads);
            }
            match operation {
                Operation::TableInsert => {
                    accesses.note(Some(&first), Access::Adds);
                    result = first;
                }
                Operation::AggregateAdd => accesses.note(Some(&first), Access::Adds),
                Operation::TableDelete
                | Operation::ContainerClear
                | Operation::ArrayPush
                | Operation::ArrayPop
                | Operation::ArrayShift
                | Operation::ArrayUnshift
                | Operation::ArrayReorder => accesses.note(Some(&first), Access::Changes),
                Operation::Exit | Operation::Error => accesses.ends_session = true,
                _ => {
                    accesses.note(Some(&first), Access::Reads);
                    // Rows and iterators lead to what is in it.
                    result = first;
                }
            }
        }
    }
    if let Some(to) = kind.result() {
        match result.is_empty() {
            true => taint.remove(&to.0),
            false => taint.insert(to.0, result),
        };
    }
}

/// What of some variables is not among others.
fn beside(some: &BTreeSet<u64>, others: &BTreeSet<u64>) -> Option<BTreeSet<u64>> {
    let left: BTreeSet<u64> = some.difference(others).copied().collect();
    (!left.is_empty()).then_some(left)
}
