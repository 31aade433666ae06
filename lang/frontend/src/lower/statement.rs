//! Statements.

use std::collections::HashSet;

use super::builder::{Builder, Home, JumpTarget, ResultHome, fixed};
use super::labels::ScopeKey;
use super::{LowerError, Lowered};
use crate::hir::{self, Expression, LabelId, LocalId, Statement, StatementKind};
use crate::ir::{Base, BlockId, Comparison, InstructionKind, MemoryType, Register, Terminator};
use ytrace_values::Operation;

/// The most values of case ranges that become cases of their own.
const MAX_EXPANDED: u64 = 64;

impl Builder<'_, '_> {
    /// Lowers the statements of a scope.
    pub(super) fn statements(&mut self, statements: &[Statement]) -> Lowered<()> {
        let outside = self.scopes.len();
        for statement in statements {
            let temporaries = self.temporaries();
            self.at(statement.span, |builder| builder.statement(statement))?;
            self.release_temporaries(&temporaries);
        }
        self.release_scopes(outside);
        self.scopes.truncate(outside);
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Lowered<()> {
        match &statement.kind {
            StatementKind::Expression(expression) => self.effect(expression),
            StatementKind::Declare(local) => self.declare(*local),
            StatementKind::Block(body) => self.statements(body),
            StatementKind::If(condition, then, otherwise) => {
                self.if_statement(condition, then, otherwise)
            }
            StatementKind::Loop {
                condition,
                test_last,
                step,
                body,
            } => self.loop_statement(condition.as_ref(), *test_last, step.as_ref(), body),
            StatementKind::Foreach(foreach) => self.foreach(foreach),
            StatementKind::Switch {
                value,
                cases,
                signed,
                default,
                body,
            } => self.switch_statement(value, cases, *signed, *default, body),
            StatementKind::Label(label) => {
                let block = self.label(*label);
                self.labels.insert(*label, (block, true));
                self.fall_into(block);
                Ok(())
            }
            StatementKind::Goto(label) => self.goto(*label),
            StatementKind::Break => {
                let Some(target) = self.targets.last() else {
                    return Err(LowerError::malformed(
                        self.here(),
                        "`break` outside of a loop",
                    ));
                };
                let (block, scopes) = (target.leave, target.scopes);
                self.leave(block, scopes);
                Ok(())
            }
            StatementKind::Continue => {
                let target = self
                    .targets
                    .iter()
                    .rev()
                    .find_map(|target| Some((target.again?, target.scopes)));
                let Some((block, scopes)) = target else {
                    return Err(LowerError::malformed(
                        self.here(),
                        "`continue` outside of a loop",
                    ));
                };
                self.leave(block, scopes);
                Ok(())
            }
            StatementKind::Return(value) => self.return_statement(value.as_ref()),
            StatementKind::Try {
                body,
                fault,
                handler,
            } => self.try_statement(body, *fault, handler),
            StatementKind::Delete { container, keys } => {
                let fresh = self.fresh.len();
                let prepared = self.prepare(container)?;
                let mut arguments = self.keys(keys)?;
                let table = self.open(&prepared, false);
                arguments.insert(0, table);
                self.operation(Operation::TableDelete, arguments, None);
                self.release_fresh(fresh);
                Ok(())
            }
            StatementKind::Sort {
                container,
                element,
                by,
                descending,
            } => self.sort(container, *element, by, *descending),
        }
    }

    fn declare(&mut self, local: LocalId) -> Lowered<()> {
        let span = self.here();
        match self.home(local, span)? {
            Home::Register(to) => self.emit(InstructionKind::Constant { to, value: 0 }),
            Home::Slot(slot, length) => self.emit(InstructionKind::Zero {
                place: fixed(Base::Slot(slot)),
                length,
            }),
            Home::Container(handle) => {
                // The register of the mark must outlast this statement.
                let mark = self.permanent(crate::ir::Class::Word);
                self.operation(Operation::ContainerMark, Vec::new(), Some(mark));
                let ty = self.local_type(local, span)?;
                let ty = self.unit.container_type(ty, span)?;
                let ty = self.constant(u64::from(ty.0));
                self.operation(Operation::ContainerNew, vec![ty], Some(handle));
                self.scopes.push((ScopeKey::Local(local), mark));
            }
        }
        Ok(())
    }

    /// Frees the containers of all scopes inside of the outermost `outside`.
    pub(super) fn release_scopes(&mut self, outside: usize) {
        // The guarded statements of a `_try` own nothing; what is in them has marks of its own.
        let mark = self
            .scopes
            .iter()
            .skip(outside)
            .find(|(key, _)| !matches!(key, ScopeKey::Try(_)))
            .map(|(_, mark)| *mark);
        if let Some(mark) = mark {
            self.operation(Operation::ContainerRelease, vec![mark], None);
        }
    }

    /// Jumps out of scopes; what follows cannot be reached from here.
    fn leave(&mut self, block: BlockId, scopes: usize) {
        self.release_scopes(scopes);
        self.finish(Terminator::Jump(block));
        self.unreachable();
    }

    fn if_statement(
        &mut self,
        condition: &Expression,
        then: &[Statement],
        otherwise: &[Statement],
    ) -> Lowered<()> {
        let (yes, no, join) = (self.block(), self.block(), self.block());
        self.branch(condition, yes, no)?;
        self.switch_to(yes);
        self.statements(then)?;
        self.finish(Terminator::Jump(join));
        self.switch_to(no);
        self.statements(otherwise)?;
        self.fall_into(join);
        Ok(())
    }

    fn loop_statement(
        &mut self,
        condition: Option<&Expression>,
        test_last: bool,
        step: Option<&Expression>,
        body: &[Statement],
    ) -> Lowered<()> {
        let (head, inside, again, leave) = (self.block(), self.block(), self.block(), self.block());
        if test_last {
            self.fall_into(inside);
        } else {
            self.fall_into(head);
            match condition {
                Some(condition) => self.branch(condition, inside, leave)?,
                None => self.finish(Terminator::Jump(inside)),
            }
            self.switch_to(inside);
        }
        self.targets.push(JumpTarget {
            leave,
            again: Some(again),
            scopes: self.scopes.len(),
        });
        let result = self.statements(body);
        self.targets.pop();
        result?;
        self.fall_into(again);
        if let Some(step) = step {
            self.effect(step)?;
        }
        if test_last {
            let back = self.block();
            match condition {
                Some(condition) => self.branch(condition, back, leave)?,
                None => self.finish(Terminator::Jump(back)),
            }
            self.switch_to(back);
            self.emit(InstructionKind::Step);
            self.finish(Terminator::Jump(inside));
        } else {
            self.emit(InstructionKind::Step);
            self.finish(Terminator::Jump(head));
        }
        self.switch_to(leave);
        Ok(())
    }

    /// The block of a label.
    fn label(&mut self, label: LabelId) -> BlockId {
        if let Some((block, _)) = self.labels.get(&label) {
            return *block;
        }
        let block = self.block();
        self.labels.insert(label, (block, false));
        block
    }

    /// How many of the scopes here are also around a label; jumping there leaves the others.
    fn scopes_at(&mut self, label: LabelId) -> Lowered<usize> {
        let span = self.here();
        let types = self.types();
        let function = self.function;
        let Some(scopes) = self.label_scopes.get(label, function, types) else {
            return Err(LowerError::malformed(span, "a jump to no label"));
        };
        for (index, key) in scopes.iter().enumerate() {
            if self.scopes.get(index).map(|(key, _)| key) == Some(key) {
                continue;
            }
            let name = match key {
                ScopeKey::Local(local) => function
                    .locals
                    .get(local.0 as usize)
                    .map(|local| local.name.clone())
                    .unwrap_or_default(),
                ScopeKey::Foreach(_) | ScopeKey::Try(_) => {
                    return Err(LowerError::Unsupported {
                        message: "this jumps into a `_foreach` or a `_try`".to_owned(),
                        span,
                    });
                }
            };
            return Err(LowerError::JumpIntoScope { name, span });
        }
        Ok(scopes.len())
    }

    fn goto(&mut self, label: LabelId) -> Lowered<()> {
        let scopes = self.scopes_at(label)?;
        let block = self.label(label);
        self.release_scopes(scopes);
        let backwards = self.labels.get(&label).is_some_and(|(_, placed)| *placed);
        if backwards {
            self.emit(InstructionKind::Step);
        }
        self.finish(Terminator::Jump(block));
        self.unreachable();
        Ok(())
    }

    fn switch_statement(
        &mut self,
        value: &Expression,
        cases: &[(u64, u64, LabelId)],
        signed: bool,
        default: Option<LabelId>,
        body: &[Statement],
    ) -> Lowered<()> {
        let value = self.scalar(value)?;
        let leave = self.block();
        let otherwise = match default {
            Some(label) => {
                self.scopes_at(label)?;
                self.label(label)
            }
            None => leave,
        };
        let mut seen = HashSet::new();
        let mut single = Vec::new();
        let mut expanded = 0;
        for (low, high, label) in cases {
            self.scopes_at(*label)?;
            let block = self.label(*label);
            let empty = if signed {
                (*low as i64) > (*high as i64)
            } else {
                low > high
            };
            if empty {
                continue;
            }
            let more = high.wrapping_sub(*low);
            if more < MAX_EXPANDED && expanded + more <= MAX_EXPANDED {
                expanded += more;
                for offset in 0..=more {
                    let word = low.wrapping_add(offset);
                    if seen.insert(word) {
                        single.push((word, block));
                    }
                }
            } else {
                self.case_range(value, *low, *high, signed, block);
            }
        }
        if single.len() < 4 {
            for (word, block) in single {
                let right = self.constant(word);
                let condition = self.word();
                self.emit(InstructionKind::CompareIntegers {
                    comparison: Comparison::Equal,
                    signed,
                    to: condition,
                    left: value,
                    right,
                });
                let next = self.block();
                self.finish(Terminator::Branch {
                    condition,
                    then: block,
                    otherwise: next,
                });
                self.switch_to(next);
            }
            self.finish(Terminator::Jump(otherwise));
        } else {
            self.finish(Terminator::Switch {
                value,
                cases: single,
                otherwise,
            });
        }
        self.unreachable();
        self.targets.push(JumpTarget {
            leave,
            again: None,
            scopes: self.scopes.len(),
        });
        let result = self.statements(body);
        self.targets.pop();
        result?;
        self.fall_into(leave);
        Ok(())
    }

    fn case_range(&mut self, value: Register, low: u64, high: u64, signed: bool, block: BlockId) {
        let (middle, next) = (self.block(), self.block());
        for (bound, comparison, then) in [
            (low, Comparison::GreaterEqual, middle),
            (high, Comparison::LessEqual, block),
        ] {
            let right = self.constant(bound);
            let condition = self.word();
            self.emit(InstructionKind::CompareIntegers {
                comparison,
                signed,
                to: condition,
                left: value,
                right,
            });
            self.finish(Terminator::Branch {
                condition,
                then,
                otherwise: next,
            });
            if then == middle {
                self.switch_to(middle);
            }
        }
        self.switch_to(next);
    }

    fn return_statement(&mut self, value: Option<&Expression>) -> Lowered<()> {
        let register = match (value, self.result) {
            (None, _) => {
                self.release_scopes(0);
                self.return_nothing();
                self.unreachable();
                return Ok(());
            }
            (Some(value), None) => {
                self.effect(value)?;
                None
            }
            (Some(value), Some(ResultHome::Scalar(_))) => Some(self.scalar(value)?),
            (Some(value), Some(ResultHome::Record(address, length))) => {
                self.return_record(value, address, length)?;
                None
            }
        };
        self.release_scopes(0);
        self.finish(Terminator::Return(register));
        self.unreachable();
        Ok(())
    }

    fn try_statement(
        &mut self,
        body: &[Statement],
        fault: Option<LocalId>,
        handler: &[Statement],
    ) -> Lowered<()> {
        let mark = self.operate(Operation::ContainerMark, Vec::new());
        let (inside, caught, leave) = (self.block(), self.block(), self.block());
        let outer = self.handler;
        self.handler = Some(caught);
        self.fall_into(inside);
        self.scopes.push((ScopeKey::guarded(body), mark));
        let result = self.statements(body);
        self.scopes.pop();
        self.finish(Terminator::Jump(leave));
        self.handler = outer;
        result?;
        self.switch_to(caught);
        self.operation(Operation::ContainerRelease, vec![mark], None);
        if let Some(local) = fault {
            self.store_fault(local)?;
        }
        self.statements(handler)?;
        self.fall_into(leave);
        Ok(())
    }

    /// Stores the fault that was caught last in its local.
    fn store_fault(&mut self, local: LocalId) -> Lowered<()> {
        let span = self.here();
        let Home::Slot(slot, size) = self.home(local, span)? else {
            return Err(LowerError::malformed(span, "a fault that is no record"));
        };
        let words = [
            Operation::FaultKind,
            Operation::FaultAddress,
            Operation::FaultMessage,
            Operation::FaultSpan,
        ];
        if size < 8 * words.len() as u64 {
            return Err(LowerError::malformed(span, "a fault of the wrong size"));
        }
        for (index, operation) in words.into_iter().enumerate() {
            let from = self.operate(operation, Vec::new());
            let place = self.part(fixed(Base::Slot(slot)), 8 * index as u64);
            self.emit(InstructionKind::Store {
                place,
                from,
                ty: MemoryType::W64,
            });
        }
        Ok(())
    }

    /// `_sort`.
    fn sort(
        &mut self,
        container: &hir::Container,
        element: LocalId,
        by: &Expression,
        descending: bool,
    ) -> Lowered<()> {
        let mark = self.operate(Operation::ContainerMark, Vec::new());
        // The mark also frees an array that the head makes.
        let fresh = self.fresh.len();
        let prepared = self.prepare(container)?;
        self.fresh.truncate(fresh);
        let array = self.open(&prepared, false);
        let iterator = self.operate(Operation::IteratorNew, vec![array]);
        self.sort_keys(array, iterator, by, &mut |builder, row| {
            builder.row_to_local(row, element, builder.here())
        })?;
        let descending = self.constant(u64::from(descending));
        self.operation(Operation::IteratorSort, vec![iterator, descending], None);
        self.operation(Operation::ArrayReorder, vec![array, iterator], None);
        self.operation(Operation::ContainerRelease, vec![mark], None);
        Ok(())
    }
}
