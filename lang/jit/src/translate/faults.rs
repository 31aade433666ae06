//! The budget of steps, and the ways out of a function when something faults.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value, types};

use super::Translator;
use crate::context::offset;
use crate::helpers::{Helper, Raised};

impl Translator<'_> {
    /// Goes where a pending fault of the current instruction goes.
    pub(super) fn go_to_fault(&mut self) {
        let block = match self.on_fault {
            None => self.exit,
            Some(handler) => match self.dispatches.get(&handler) {
                Some(&block) => block,
                None => {
                    let block = self.new_block(true);
                    self.builder.append_block_param(block, types::I64);
                    self.dispatches.insert(handler, block);
                    block
                }
            },
        };
        let span = self.word(i64::from(self.span.0));
        self.jump_with(block, span);
    }

    /// Leaves the function with a pending fault that nothing may catch.
    fn go_to_exit(&mut self) {
        let span = self.word(i64::from(self.span.0));
        let exit = self.exit;
        self.jump_with(exit, span);
    }

    /// Faults if a condition holds, and else goes on.
    pub(super) fn fault_if(&mut self, condition: Value, raised: Raised, words: Option<[Value; 2]>) {
        let (fault, next) = (self.new_block(true), self.new_block(false));
        self.builder.ins().brif(condition, fault, &[], next, &[]);
        self.go_on(fault);
        let [a, b] = words.unwrap_or_else(|| {
            let zero = self.word(0);
            [zero, zero]
        });
        let number = self.word(raised as i64);
        self.help(Helper::Raise, &[number, a, b]);
        self.go_to_fault();
        self.go_on(next);
    }

    /// Goes to the fault's place if a status is not 0, and else goes on.
    pub(super) fn check_status(&mut self, status: Value) {
        let (fault, next) = (self.new_block(true), self.new_block(false));
        self.builder.ins().brif(status, fault, &[], next, &[]);
        self.go_on(fault);
        self.go_to_fault();
        self.go_on(next);
    }

    /// Fills the blocks that all faults of the function share.
    pub(super) fn ways_out(&mut self) {
        let function = i64::from(self.id.0);
        for (handler, dispatch) in self.dispatches.clone() {
            self.builder.switch_to_block(dispatch);
            let span = self.builder.block_params(dispatch)[0];
            let catchable = self.field(offset::CATCHABLE);
            let caught = self.new_block(true);
            let exit = self.exit;
            self.builder
                .ins()
                .brif(catchable, caught, &[], exit, &[BlockArg::Value(span)]);
            self.go_on(caught);
            let id = self.word(function);
            self.help(Helper::Catch, &[id, span]);
            let handler = self.block(handler);
            self.builder.ins().jump(handler, &[]);
        }
        let exit = self.exit;
        self.builder.switch_to_block(exit);
        let span = self.builder.block_params(exit)[0];
        let id = self.word(function);
        self.help(Helper::Leave, &[id, span]);
        self.save_steps();
        let (status, value) = (self.word(1), self.word(0));
        self.builder.ins().return_(&[status, value]);
    }

    /// Takes one step from the budget.
    pub(super) fn step(&mut self) {
        let (refill, next) = (self.new_block(true), self.new_block(false));
        self.builder.append_block_param(next, types::I64);
        let steps = self.builder.use_var(self.steps);
        self.builder
            .ins()
            .brif(steps, next, &[BlockArg::Value(steps)], refill, &[]);
        self.go_on(refill);
        let call = self.help(Helper::Refill, &[]);
        let more = self.first(call);
        let exhausted = self.new_block(true);
        self.builder
            .ins()
            .brif(more, next, &[BlockArg::Value(more)], exhausted, &[]);
        self.go_on(exhausted);
        self.go_to_exit();
        self.go_on(next);
        let steps = self.builder.block_params(next)[0];
        let steps = self.builder.ins().iadd_imm_s(steps, -1);
        self.builder.def_var(self.steps, steps);
    }

    /// Puts the steps left where callees, or the caller, find them.
    pub(super) fn save_steps(&mut self) {
        let steps = self.builder.use_var(self.steps);
        let context = self.context;
        self.builder
            .ins()
            .store(MemFlagsData::trusted(), steps, context, offset::STEPS);
    }

    /// Takes over the steps left from a caller or a callee.
    pub(super) fn reload_steps(&mut self) {
        let steps = self.field(offset::STEPS);
        self.builder.def_var(self.steps, steps);
    }

    /// Faults unless an index is less than a length.
    pub(super) fn bounds_check(&mut self, index: ytrace_lang::ir::Register, length: u64) {
        if self
            .constants
            .get(&index)
            .is_some_and(|&known| known < length)
        {
            return;
        }
        let index = self.value(index);
        let limit = self.word(length as i64);
        let outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, index, limit);
        self.fault_if(outside, Raised::IndexOutOfRange, Some([index, limit]));
    }
}
