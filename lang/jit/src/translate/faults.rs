//! The budget of steps, and the ways out of a function when something faults.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value, types};

use ytrace_lang::ir::Register;

use super::Translator;
use crate::context::offset;
use crate::helpers::{Helper, Raised};

impl Translator<'_> {
    /// The block where a pending fault of the current instruction goes, and its argument.
    pub(super) fn fault_target(&mut self) -> (Block, BlockArg) {
        let span = self.word(i64::from(self.span.0));
        (self.dispatch(), BlockArg::Value(span))
    }

    /// The block that takes faults of the current block; its parameter is the span.
    fn dispatch(&mut self) -> Block {
        let Some(handler) = self.on_fault else {
            return self.exit;
        };
        if let Some(&block) = self.dispatches.get(&handler) {
            return block;
        }
        let block = self.new_block(true);
        self.builder.append_block_param(block, types::I64);
        self.dispatches.insert(handler, block);
        block
    }

    /// Faults if a condition holds, and else goes on. All places of a function with the same
    /// fault and handler share the code that raises it. The words are a value and a constant.
    pub(super) fn fault_if(
        &mut self,
        condition: Value,
        raised: Raised,
        words: Option<(Value, u64)>,
    ) {
        let key = (raised, self.on_fault);
        let block = match self.raises.get(&key) {
            Some(&block) => block,
            None => {
                let block = self.new_block(true);
                for _ in 0..raised.words() + 1 {
                    self.builder.append_block_param(block, types::I64);
                }
                // The block that it goes on to, while it is known.
                self.dispatch();
                self.raises.insert(key, block);
                block
            }
        };
        // What the fault takes along is made on the way to it.
        let (site, next) = (self.new_block(true), self.new_block(false));
        self.builder.ins().brif(condition, site, &[], next, &[]);
        self.go_on(site);
        let span = self.word(i64::from(self.span.0));
        let mut arguments = vec![BlockArg::Value(span)];
        if let Some((word, limit)) = words.filter(|_| raised.words() == 2) {
            let limit = self.word(limit as i64);
            arguments.extend([word, limit].map(BlockArg::Value));
        }
        self.builder.ins().jump(block, &arguments);
        self.go_on(next);
    }

    /// Goes to the fault's place if a status is not 0, and else goes on.
    pub(super) fn check_status(&mut self, status: Value) {
        let (site, next) = (self.new_block(true), self.new_block(false));
        self.builder.ins().brif(status, site, &[], next, &[]);
        self.go_on(site);
        let (fault, span) = self.fault_target();
        self.builder.ins().jump(fault, &[span]);
        self.go_on(next);
    }

    /// Fills the blocks that all faults of the function share.
    pub(super) fn ways_out(&mut self) {
        let function = i64::from(self.id.0);
        for ((raised, handler), block) in self.raises.clone() {
            self.builder.switch_to_block(block);
            let number = self.word(raised as i64);
            let zero = self.word(0);
            let (span, words) = match *self.builder.block_params(block) {
                [span, a, b] => (span, [a, b]),
                [span, ..] => (span, [zero, zero]),
                [] => (zero, [zero, zero]),
            };
            self.help(Helper::Raise, &[number, words[0], words[1]]);
            self.on_fault = handler;
            let dispatch = self.dispatch();
            self.jump_with(dispatch, span);
        }
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
        // A budget that is exhausted cannot be caught.
        let exit = self.exit;
        let span = self.word(i64::from(self.span.0));
        self.builder.ins().brif(
            more,
            next,
            &[BlockArg::Value(more)],
            exit,
            &[BlockArg::Value(span)],
        );
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
    pub(super) fn bounds_check(&mut self, index: Register, length: u64) {
        if self.most(index) < length {
            return;
        }
        let value = self.value(index);
        let limit = self.word(length as i64);
        let outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, value, limit);
        self.fault_if(outside, Raised::IndexOutOfRange, Some((value, length)));
        // Where the length is 0, nothing comes here.
        self.limit(index, length.saturating_sub(1));
    }
}
