//! Calls of functions and of operations.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef, Inst, InstBuilder, Signature, UserExternalName, Value,
    types,
};
use ytrace_lang::ir::{Class, FunctionId, Register};
use ytrace_values::Operation;

use super::{Symbol, Translator, function_signature, helper_signature};
use crate::context::offset;
use crate::helpers::{Helper, Raised};
use crate::verify::slots_size;

impl Translator<'_> {
    pub(super) fn call(
        &mut self,
        function: FunctionId,
        arguments: &[Register],
        to: Option<Register>,
    ) {
        let callee = &self.plan.program.functions[function.0 as usize];
        let frame = self
            .builder
            .ins()
            .iadd_imm_s(self.frame, self.slots_size as i64);
        let cost = self.word(callee.frame_cost as i64);
        let mut too_deep = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, self.stack_left, cost);
        let stack = self.builder.ins().get_stack_pointer(types::I64);
        let limit = self.fixed_field(offset::NATIVE_LIMIT);
        let exhausted = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, stack, limit);
        too_deep = self.builder.ins().bor(too_deep, exhausted);
        let size = slots_size(callee).unwrap_or(u64::MAX >> 1);
        if size > 0 {
            let frames = self.fixed_field(offset::FRAMES);
            let end = self.builder.ins().isub(frame, frames);
            let end = self.builder.ins().iadd_imm_s(end, size as i64);
            let length = self.fixed_field(offset::FRAMES_LENGTH);
            let exhausted = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedGreaterThan, end, length);
            too_deep = self.builder.ins().bor(too_deep, exhausted);
        }
        self.fault_if(too_deep, Raised::StackTooDeep, None);

        let left = self.builder.ins().isub(self.stack_left, cost);
        let mut values = vec![self.context, frame, left];
        for &argument in arguments {
            values.push(self.value(argument));
        }
        self.save_steps();
        let reference = self.callee(function);
        let call = self.builder.ins().call(reference, &values);
        let results = self.builder.inst_results(call);
        let (status, bits) = (results[0], results[1]);
        self.reload_steps();
        self.forget_rows();
        self.near = None;
        self.check_status(status);
        if let Some(to) = to {
            let value = self.value_of_bits(self.class(to), bits);
            self.define(to, value);
        }
    }

    pub(super) fn operation(
        &mut self,
        operation: Operation,
        arguments: &[Register],
        to: Option<Register>,
    ) {
        if let (&[from], Some(to)) = (arguments, to)
            && matches!(operation, Operation::FloatAbs | Operation::FloatSqrt)
        {
            self.float_function(operation, to, from);
            return;
        }
        let row = to.filter(|_| gives_row(operation));
        let row = row.and_then(|to| self.rows.get(&to).copied());
        let call = match direct_helper(operation, arguments.len()) {
            Some(helper) => {
                let values: Vec<Value> = arguments
                    .iter()
                    .map(|&argument| self.value(argument))
                    .collect();
                self.help(helper, &values)
            }
            None => self.perform(operation, arguments, row.is_some()),
        };
        let results = self.builder.inst_results(call);
        let (status, value) = (results[0], results[1]);
        if changes_containers(operation) {
            self.forget_rows();
        }
        self.check_status(status);
        if let Some(to) = to {
            self.define(to, value);
        }
        if let Some(row) = row {
            self.take_row(row.pointer, row.length);
        }
    }

    /// Calls the helper for all operations, with the arguments in memory.
    fn perform(&mut self, operation: Operation, arguments: &[Register], row: bool) -> Inst {
        let number = self.plan.operations.get(&operation).copied();
        let number = self.word(number.map_or(-1, |number| number as i64));
        let pointer = match self.arguments {
            Some(slot) if !arguments.is_empty() => {
                for (index, &argument) in arguments.iter().enumerate() {
                    let value = self.value(argument);
                    self.builder
                        .ins()
                        .stack_store(types::I64, value, slot, (index * 8) as i32);
                }
                self.builder.ins().stack_addr(types::I64, slot, 0)
            }
            _ => self.word(0),
        };
        let count = self.word(arguments.len() as i64);
        let helper = if row {
            Helper::PerformRow
        } else {
            Helper::Perform
        };
        self.help(helper, &[number, pointer, count])
    }

    /// The operations on floats that one instruction of the processor carries out.
    fn float_function(&mut self, operation: Operation, to: Register, from: Register) {
        let bits = self.value(from);
        let value = self.value_of_bits(Class::Float64, bits);
        let value = if operation == Operation::FloatSqrt {
            self.builder.ins().sqrt(value)
        } else {
            self.builder.ins().fabs(value)
        };
        let bits = self.bits_of(value);
        self.define(to, bits);
    }

    fn callee(&mut self, function: FunctionId) -> FuncRef {
        if let Some(&reference) = self.callees.get(&function) {
            return reference;
        }
        let callee = &self.plan.program.functions[function.0 as usize];
        let signature = function_signature(callee, self.plan.convention);
        let symbol = self.plan.symbols.get(function.0 as usize).copied();
        // Every function that is called has a symbol; a number that none has makes linking fail.
        let symbol = symbol.flatten().unwrap_or(Symbol {
            number: u32::MAX,
            near: true,
        });
        let reference = self.import(symbol.number, signature, symbol.near);
        self.callees.insert(function, reference);
        reference
    }

    /// The reference to a helper.
    pub(super) fn helper(&mut self, helper: Helper) -> FuncRef {
        if let Some(&reference) = self.helpers.get(&helper) {
            return reference;
        }
        let signature = helper_signature(helper, self.plan.convention);
        let reference = self.import(helper as u32, signature, false);
        self.helpers.insert(helper, reference);
        reference
    }

    fn import(&mut self, number: u32, signature: Signature, near: bool) -> FuncRef {
        let signature = self.builder.import_signature(signature);
        let name = self
            .builder
            .func
            .declare_imported_user_function(UserExternalName::new(0, number));
        self.builder.import_function(ExtFuncData {
            name: ExternalName::User(name),
            signature,
            colocated: near,
            patchable: false,
        })
    }
}

/// The helper that carries out one operation with its arguments in registers.
fn direct_helper(operation: Operation, arguments: usize) -> Option<Helper> {
    Some(match (operation, arguments) {
        (Operation::TableFind, 2) => Helper::TableFind1,
        (Operation::TableInsert, 2) => Helper::TableInsert1,
        (Operation::ArrayIndex, 2) => Helper::ArrayIndex,
        (Operation::ArrayPush, 1) => Helper::ArrayPush,
        (Operation::ArrayPop, 1) => Helper::ArrayPop,
        (Operation::ArrayShift, 1) => Helper::ArrayShift,
        (Operation::IteratorNext, 1) => Helper::IteratorNext,
        (Operation::ContainerLength, 1) => Helper::ContainerLength,
        (Operation::PathAppendStr, 2) => Helper::PathAppendStr,
        (Operation::PathAppendCode, 2) => Helper::PathAppendCode,
        _ => return None,
    })
}

/// Whether the result of an operation is a row of its first argument.
fn gives_row(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::TableFind
            | Operation::TableInsert
            | Operation::ArrayIndex
            | Operation::ArrayPush
            | Operation::ArrayPop
            | Operation::ArrayShift
            | Operation::ArrayUnshift
    )
}

/// Whether an operation may move the rows of some container.
fn changes_containers(operation: Operation) -> bool {
    use Operation as O;
    !matches!(
        operation,
        O::StrCompare
            | O::StrConcat
            | O::StrLength
            | O::StrIndex
            | O::StrSubstr
            | O::StrContains
            | O::StrIsPrefix
            | O::StrIsSuffix
            | O::StrToInteger
            | O::StrQuoted
            | O::StrFromInteger
            | O::TargetString
            | O::TargetBytes
            | O::TargetCompare
            | O::TargetReadable
            | O::TargetCapture
            | O::ContainerLength
            | O::IteratorPosition
            | O::PathAppendStr
            | O::PathAppendCode
            | O::PathAppendPath
            | O::PathParent
            | O::PathLeaf
            | O::PathDepth
            | O::SymbolName
            | O::ObjectBytes
            | O::NowNs
            | O::Pid
            | O::Tid
            | O::IsLive
            | O::PageSize
            | O::ResidentBytes
            | O::UnsharedBytes
            | O::SwappedBytes
            | O::ProcessBytes
            | O::CountersLag
            | O::WatchedTime
            | O::SpannedTime
            | O::WatchedUntil
            | O::Windows
            | O::WindowTime
            | O::WindowStands
            | O::WindowSlowdown
            | O::CgroupBytes
            | O::FloatAbs
            | O::FloatMod
            | O::FloatRemainder
            | O::FloatSqrt
            | O::FloatLog
            | O::FloatFloor
            | O::FloatCeil
            | O::FloatPow
    )
}
