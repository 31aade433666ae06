//! Calls of functions of the script, and reductions of tables.

use super::builder::Builder;
use super::{LowerError, Lowered};
use crate::hir::{self, CallArgument, FunctionId};
use crate::ir::{self, InstructionKind, Register, SlotId};
use crate::types::{Type, TypeId};
use ytrace_values::Operation;
use ytrace_values::constants::Scalar;

/// An argument on its way: containers are opened when all arguments have been evaluated.
enum Argument {
    Register(Register),
    Container(super::container::Prepared),
}

impl Builder<'_, '_> {
    /// Calls a function. A record result goes to `result`, or to a slot that is thrown away.
    pub(super) fn call(
        &mut self,
        function: FunctionId,
        arguments: &[CallArgument],
        result: Option<SlotId>,
    ) -> Lowered<Option<Register>> {
        let program = self.unit.program;
        let Some(callee) = program.functions.get(function.0 as usize) else {
            return Err(LowerError::malformed(self.here(), "no such function"));
        };
        if arguments.len() != callee.parameters as usize {
            return Err(LowerError::malformed(
                self.here(),
                "a call with the wrong number of arguments",
            ));
        }
        let mut prepared = Vec::with_capacity(arguments.len());
        for argument in arguments {
            prepared.push(match argument {
                CallArgument::Value(value) if self.is_scalar(value.ty) => {
                    Argument::Register(self.scalar(value)?)
                }
                CallArgument::Value(value) => Argument::Register(self.record_argument(value)?),
                CallArgument::Container(container) => Argument::Container(self.prepare(container)?),
            });
        }
        let mut registers = Vec::with_capacity(arguments.len() + 1);
        let record = matches!(
            self.types().resolved(callee.result),
            Type::Record(_) | Type::Array(..)
        );
        if record {
            let slot = match result {
                Some(slot) => slot,
                None => {
                    let length = self.unit.size(callee.result, callee.span)?;
                    match self.temporary(length)?.base {
                        ir::Base::Slot(slot) => slot,
                        _ => {
                            return Err(LowerError::malformed(
                                self.here(),
                                "a temporary outside of the frame",
                            ));
                        }
                    }
                }
            };
            registers.push(self.slot_address(slot));
        }
        for (position, argument) in prepared.iter().enumerate() {
            registers.push(match argument {
                Argument::Register(register) => *register,
                // A callee that may write to it needs a row of its own.
                Argument::Container(container) => {
                    let insert = self.unit.written.writes(function, position);
                    self.open(container, insert)
                }
            });
        }
        let to = if record || self.is_void(callee.result) {
            None
        } else {
            Some(self.register(self.class(callee.result)))
        };
        self.emit(InstructionKind::Call {
            function: ir::FunctionId(function.0),
            arguments: registers,
            to,
        });
        Ok(to)
    }

    /// `_sum`, `_min`, `_max` of a table.
    pub(super) fn table_reduce(
        &mut self,
        operation: Operation,
        container: &hir::Container,
        offset: u64,
        scalar: Scalar,
        ty: TypeId,
    ) -> Lowered<Register> {
        let words = self.unit.table_key_words(container.ty, container.span)?;
        let prepared = self.prepare(container)?;
        let table = self.open(&prepared, false);
        let offset = self.constant((8 * words).wrapping_add(offset));
        let kind = self.constant(scalar_sort_kind(scalar));
        match self.operation_result(operation, vec![table, offset, kind], ty)? {
            Some(register) => Ok(register),
            None => Err(LowerError::malformed(
                container.span,
                "a sum without a type",
            )),
        }
    }
}

/// The kind of a sort key, as [`Operation::IteratorSortKey`] takes it.
pub(super) fn scalar_sort_kind(scalar: Scalar) -> u64 {
    match scalar {
        Scalar::Signed(_) => 0,
        Scalar::Bool | Scalar::Unsigned(_) | Scalar::Pointer => 1,
        Scalar::Float32 | Scalar::Float64 => 2,
        Scalar::Str => 3,
        Scalar::Path => 4,
    }
}
