//! Follows a handler over all its ways at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::Options;
use super::found::{Ended, Found};
use super::globals::{GLOBALS, Globals};
use super::region::{self, Item, Loop, Region};
use super::state::{Known, Literal, Merger, State, Unknown, Why};
use super::tables::KeyId;
use super::terms::{TermId, Terms};
use crate::ir::{
    Base, Block, BlockId, Class, Function, FunctionId, InstructionKind, Program, Register, SlotId,
    SpanId, Terminator,
};

/// A loop whose number of rounds is constant is followed round by round up to so many.
pub const MAX_ROUNDS: u32 = 64;
/// How much work all attempts to follow loops round by round may be, in instructions and values copied.
const ATTEMPTS: u64 = 400_000;
/// How much work a handler may be.
const MAX_WORK: u64 = 4_000_000;
/// How deep calls and loops are followed.
const MAX_DEPTH: u32 = 64;
/// A `switch` of more cases has conditions that are not known.
const MAX_CASES: usize = 64;
/// States that come to one block are merged when there are so many.
const MAX_PENDING: usize = 32;

/// Why something is not followed further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The loop at hand is not followed round by round.
    Attempt,
    /// The handler is too large.
    TooLarge(SpanId),
}

/// Whether a way goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Ended,
}

pub(super) struct Analysis<'p> {
    pub(super) program: &'p Program,
    pub(super) options: &'p Options,
    /// Globals that keep their first values, and those values.
    pub(super) globals: &'p Globals,
    pub(super) terms: Terms,
    pub(super) found: Found,
    /// Whether the result of the function is wanted: its ends then drop no hit.
    pub(super) valued: bool,
    /// What the function gives, once it has been followed.
    pub(super) result: Option<TermId>,
    /// Whether the kernel may sample.
    pub(super) sampling: bool,
    /// Whether additions to variables of the script are followed.
    pub(super) counting: bool,
    /// Steps that the handler takes at most, on the ways that are followed to their ends, and bytes of stack.
    pub(super) steps: u64,
    pub(super) stack: u64,
    /// Numbers of unknown conditions.
    numbers: u32,
    stamp: u64,
    objects: u32,
    work: u64,
    /// How deep attempts are nested.
    attempts: u32,
    depth: u32,
    /// How many of the functions at hand read memory when the handler runs.
    late: u32,
    calls: Vec<FunctionId>,
    regions: HashMap<FunctionId, Rc<Region>>,
}

/// A function under way.
pub(super) struct Activation<'p> {
    pub(super) function: &'p Function,
    /// The objects of its slots.
    slots: Vec<u32>,
    /// Whether its return ends the handler.
    top: bool,
}

impl Activation<'_> {
    /// The object of a slot.
    pub(super) fn slot(&self, slot: SlotId) -> Option<u32> {
        self.slots.get(slot.0 as usize).copied()
    }
}

/// States on their way to blocks, and those at returns, whose one register is the result.
#[derive(Default)]
struct Pending {
    /// Blocks that only end the handler: who comes to one has ended.
    ends: Rc<BTreeSet<BlockId>>,
    blocks: BTreeMap<BlockId, Vec<State>>,
    returned: Vec<State>,
}

impl<'p> Analysis<'p> {
    pub(super) fn new(program: &'p Program, options: &'p Options, globals: &'p Globals) -> Self {
        Self {
            program,
            options,
            globals,
            terms: Terms::default(),
            found: Found::default(),
            valued: false,
            result: None,
            sampling: true,
            counting: false,
            steps: 0,
            stack: 0,
            numbers: 0,
            stamp: 1,
            objects: GLOBALS + 1,
            work: 0,
            attempts: 0,
            depth: 0,
            late: 0,
            calls: Vec::new(),
            regions: HashMap::new(),
        }
    }

    /// Follows a function without parameters, and gives the state at its end.
    pub(super) fn handler(&mut self, function: FunctionId) -> Result<Option<(State, Known)>, Stop> {
        let mut state = State {
            registers: Vec::new(),
            objects: BTreeMap::new(),
            reach: Vec::new(),
            reads: Vec::new(),
            deleted: Vec::new(),
            changes: Vec::new(),
            effect: false,
        };
        if self.globals.is_initializing() {
            state.objects.insert(GLOBALS, Rc::default());
        }
        let span = self.program.entry_span(function);
        self.enter(function, &[], state, !self.valued, true, span)
    }

    /// Whether what is read here is read when the handler runs.
    pub(super) fn is_late(&self) -> bool {
        self.late > 0
    }

    /// A new time of writing.
    pub(super) fn tick(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }

    fn work(&mut self, amount: u64, span: SpanId) -> Result<(), Stop> {
        self.work += amount;
        if self.attempts > 0 && self.work > ATTEMPTS {
            return Err(Stop::Attempt);
        }
        if self.work > MAX_WORK {
            return Err(Stop::TooLarge(span));
        }
        Ok(())
    }

    /// Too many of something: an attempt fails, else the handler is too large.
    pub(super) fn too_many(&self, span: SpanId) -> Stop {
        if self.attempts > 0 {
            Stop::Attempt
        } else {
            Stop::TooLarge(span)
        }
    }

    pub(super) fn zero(&mut self) -> Known {
        Known::word(self.terms.constant(0))
    }

    /// Calls a function. Gives the state after it with its result, or `None` where it never returns.
    pub(super) fn call(
        &mut self,
        function: FunctionId,
        arguments: &[Known],
        state: State,
        alone: bool,
        span: SpanId,
    ) -> Result<Option<(State, Known)>, Stop> {
        let active = self.calls.iter().filter(|call| **call == function).count();
        let mut state = state;
        if active > 0 {
            state.deleted.clear();
        }
        let unknown = Unknown {
            why: Why::Recursion,
            span,
        };
        match active {
            0 => self.enter(function, arguments, state, false, alone, span),
            // A function that calls itself is followed once with arguments that may be anything.
            1 => {
                self.forget_objects(&mut state, unknown);
                state.effect = true;
                let arguments = vec![Known::Unknown(unknown); arguments.len()];
                let result = self.enter(function, &arguments, state, false, false, span)?;
                Ok(result.map(|(mut state, _)| {
                    state.deleted.clear();
                    self.forget_objects(&mut state, unknown);
                    (state, Known::Unknown(unknown))
                }))
            }
            _ => {
                self.forget_objects(&mut state, unknown);
                state.effect = true;
                Ok(Some((state, Known::Unknown(unknown))))
            }
        }
    }

    fn forget_objects(&mut self, state: &mut State, unknown: Unknown) {
        let stamp = self.tick();
        let objects: Vec<u32> = state.objects.keys().copied().collect();
        for object in objects {
            state.forget_object(object, stamp, unknown);
        }
    }

    fn enter(
        &mut self,
        function: FunctionId,
        arguments: &[Known],
        mut state: State,
        top: bool,
        alone: bool,
        span: SpanId,
    ) -> Result<Option<(State, Known)>, Stop> {
        let program = self.program;
        let Some(code) = program.functions.get(function.0 as usize) else {
            return Ok(None);
        };
        if self.depth >= MAX_DEPTH {
            return Err(self.too_many(span));
        }
        self.stack = self.stack.saturating_add(code.frame_cost);
        let size = code.registers.len() + code.slots.len();
        self.work(size as u64, span)?;
        let region = match self.regions.get(&function) {
            Some(region) => Rc::clone(region),
            None => {
                self.work(4 * code.blocks.len() as u64, span)?;
                let region = Rc::new(region::of(code));
                self.regions.insert(function, Rc::clone(&region));
                region
            }
        };
        let caller = std::mem::take(&mut state.registers);
        let zero = self.zero();
        let float = Known::Unknown(Unknown {
            why: Why::Float,
            span,
        });
        state.registers = code
            .registers
            .iter()
            .map(|class| if *class == Class::Word { zero } else { float })
            .collect();
        for (slot, argument) in state.registers.iter_mut().zip(arguments) {
            *slot = *argument;
        }
        let mut slots = Vec::with_capacity(code.slots.len());
        for _ in &code.slots {
            state.objects.insert(self.objects, Rc::default());
            slots.push(self.objects);
            self.objects += 1;
        }
        let activation = Activation {
            function: code,
            slots,
            top,
        };
        let mut pending = Pending::default();
        if top && !self.globals.is_initializing() {
            pending.ends = Rc::new(ends(code));
        }
        pending.blocks.insert(BlockId(0), vec![state]);
        self.calls.push(function);
        self.depth += 1;
        self.late += u32::from(code.late);
        let done = self.region(&activation, &region, &mut pending, alone);
        self.late -= u32::from(code.late);
        self.depth -= 1;
        self.calls.pop();
        done?;
        let Some(mut state) = self.merge(pending.returned, span) else {
            return Ok(None);
        };
        for object in &activation.slots {
            state.objects.remove(object);
        }
        let result = state.registers.first().copied().unwrap_or(zero);
        state.registers = caller;
        Ok(Some((state, result)))
    }

    fn merge(&mut self, states: Vec<State>, span: SpanId) -> Option<State> {
        Merger {
            terms: &mut self.terms,
            numbers: &mut self.numbers,
            span,
        }
        .all(states)
    }

    /// `alone`: all hits that have not been dropped or ended come by here.
    fn region(
        &mut self,
        activation: &Activation<'p>,
        region: &Region,
        pending: &mut Pending,
        alone: bool,
    ) -> Result<(), Stop> {
        for item in &region.items {
            match item {
                Item::Block(block) => {
                    let Some(states) = pending.blocks.remove(block) else {
                        continue;
                    };
                    let alone = alone && pending.blocks.is_empty() && pending.returned.is_empty();
                    self.block(activation, *block, states, pending, alone)?;
                }
                Item::Loop(one) => self.follow_loop(activation, one, pending, alone)?,
            }
        }
        Ok(())
    }

    fn follow_loop(
        &mut self,
        activation: &Activation<'p>,
        one: &Loop,
        pending: &mut Pending,
        alone: bool,
    ) -> Result<(), Stop> {
        let mut entering: Vec<(BlockId, Vec<State>)> = Vec::new();
        for block in &one.blocks {
            if let Some(states) = pending.blocks.remove(block) {
                entering.push((*block, states));
            }
        }
        if entering.is_empty() {
            return Ok(());
        }
        if self.depth >= MAX_DEPTH {
            return Err(self.too_many(SpanId(0)));
        }
        let alone = alone && pending.blocks.is_empty() && pending.returned.is_empty();
        let first = entering.first().map(|(block, _)| *block);
        let span = first.map_or(SpanId(0), |block| span_of(activation.function, block));
        let states: Vec<State> = entering
            .into_iter()
            .flat_map(|(_, states)| states)
            .collect();
        let Some(state) = self.merge(states, span) else {
            return Ok(());
        };
        self.depth += 1;
        let result = self.merged_loop(activation, one, state, pending, alone, span);
        self.depth -= 1;
        result
    }

    fn merged_loop(
        &mut self,
        activation: &Activation<'p>,
        one: &Loop,
        mut state: State,
        pending: &mut Pending,
        alone: bool,
        span: SpanId,
    ) -> Result<(), Stop> {
        if let Some((header, body)) = &one.body
            && self.work < ATTEMPTS
            && !self.is_late()
        {
            let mark = self.terms.mark();
            let found = self.found.clone();
            self.attempts += 1;
            let ends = Rc::clone(&pending.ends);
            let attempt = self.rounds(
                activation,
                (*header, body),
                state.clone(),
                ends,
                alone,
                span,
            );
            self.attempts -= 1;
            match attempt {
                Ok(done) => {
                    for (block, states) in done.blocks {
                        for state in states {
                            self.push(pending, block, state, span)?;
                        }
                    }
                    pending.returned.extend(done.returned);
                    return Ok(());
                }
                Err(Stop::Attempt) => {}
                Err(stop) => return Err(stop),
            }
            self.terms.truncate(mark);
            self.found = found;
        }
        self.forget_changes(activation, one, &mut state, span);
        // It may never end, and how often it goes round is not known.
        state.effect = true;
        state.deleted.clear();
        self.numbers += 1;
        state.reach.push(Literal::Unknown(self.numbers, true));
        match &one.body {
            Some((header, body)) => {
                pending.blocks.insert(*header, vec![state]);
                self.region(activation, body, pending, false)?;
                // The way back comes to what is followed already.
                pending.blocks.remove(header);
            }
            None => {
                for block in &one.blocks {
                    let states = vec![state.clone()];
                    self.work(state.size(), span)?;
                    self.block(activation, *block, states, pending, false)?;
                }
                for block in &one.blocks {
                    pending.blocks.remove(block);
                }
            }
        }
        Ok(())
    }

    /// Follows a loop round by round until it ends.
    fn rounds(
        &mut self,
        activation: &Activation<'p>,
        (header, body): (BlockId, &Region),
        state: State,
        ends: Rc<BTreeSet<BlockId>>,
        alone: bool,
        span: SpanId,
    ) -> Result<Pending, Stop> {
        let mut pending = Pending {
            ends,
            ..Pending::default()
        };
        let mut next = Some(state);
        for _ in 0..=MAX_ROUNDS {
            let Some(state) = next else {
                return Ok(pending);
            };
            let alone = alone && pending.blocks.is_empty() && pending.returned.is_empty();
            pending.blocks.insert(header, vec![state]);
            self.region(activation, body, &mut pending, alone)?;
            let back = pending.blocks.remove(&header).unwrap_or_default();
            next = self.merge(back, span);
        }
        match next {
            None => Ok(pending),
            Some(_) => Err(Stop::Attempt),
        }
    }

    /// Makes unknown what a loop may change.
    fn forget_changes(
        &mut self,
        activation: &Activation<'p>,
        one: &Loop,
        state: &mut State,
        span: SpanId,
    ) {
        let unknown = Unknown {
            why: Why::Loop,
            span,
        };
        let stamp = self.tick();
        let mut everything = false;
        let function = activation.function;
        let blocks = one
            .blocks
            .iter()
            .filter_map(|block| function.blocks.get(block.0 as usize));
        for instruction in blocks.flat_map(|block| &block.instructions) {
            let kind = &instruction.kind;
            if let Some(register) = kind.result() {
                let word = function.registers.get(register.0 as usize) == Some(&Class::Word);
                if word {
                    state.set(register, Known::Unknown(unknown));
                }
            }
            match kind {
                InstructionKind::Store { place, .. }
                | InstructionKind::Zero { place, .. }
                | InstructionKind::CopyBytes { to: place, .. } => match place.base {
                    Base::Slot(slot) => {
                        if let Some(object) = activation.slot(slot) {
                            state.forget_object(object, stamp, unknown);
                        }
                    }
                    Base::Frame(_) => everything = true,
                    Base::Globals => everything |= self.globals.is_initializing(),
                    Base::Target(_) | Base::Row { .. } => {}
                },
                InstructionKind::Call { arguments, .. } => everything |= !arguments.is_empty(),
                _ => {}
            }
        }
        if everything {
            self.forget_objects(state, unknown);
        }
    }

    fn push(
        &mut self,
        pending: &mut Pending,
        block: BlockId,
        state: State,
        span: SpanId,
    ) -> Result<(), Stop> {
        self.work(state.size(), span)?;
        // Each way to the end drops hits for itself: one needs captures that another does not.
        if pending.ends.contains(&block) {
            self.end(&state);
            return Ok(());
        }
        let states = pending.blocks.entry(block).or_default();
        states.push(state);
        if states.len() >= MAX_PENDING {
            let states = std::mem::take(states);
            let merged = self.merge(states, span);
            pending.blocks.insert(block, merged.into_iter().collect());
        }
        Ok(())
    }

    fn block(
        &mut self,
        activation: &Activation<'p>,
        id: BlockId,
        states: Vec<State>,
        pending: &mut Pending,
        alone: bool,
    ) -> Result<(), Stop> {
        let function = activation.function;
        let Some(block) = function.blocks.get(id.0 as usize) else {
            return Ok(());
        };
        let span = span_of(function, id);
        let Some(mut state) = self.merge(states, span) else {
            return Ok(());
        };
        // A plan that counts may be carried out without some of the steps that drop hits.
        if alone && self.found.exact() && !self.counting {
            state.reach.clear();
        }
        let before = block
            .on_fault
            .filter(|_| block.instructions.iter().any(|one| may_fault(&one.kind)))
            .map(|handler| (handler, state.clone(), self.tick()));
        let mut ended = false;
        let mut last = span;
        for instruction in &block.instructions {
            self.work(1, instruction.span)?;
            last = instruction.span;
            let (flow, after) = self.instruction(activation, instruction, state, alone)?;
            state = after;
            if flow == Flow::Ended {
                ended = true;
                break;
            }
        }
        if let Some((handler, mut start, stamp)) = before {
            self.fault_edge(block, &mut start, &state, stamp, last);
            if ended {
                // What was done before the end is not told.
                let why = Why::Fault;
                self.forget_objects(&mut start, Unknown { why, span: last });
            }
            self.push(pending, handler, start, last)?;
        }
        if ended {
            return Ok(());
        }
        self.terminator(activation, &block.terminator, state, pending, last)
    }

    /// The state in which a block's fault is caught: what the block has changed is unknown.
    fn fault_edge(
        &mut self,
        block: &Block,
        start: &mut State,
        end: &State,
        stamp: u64,
        span: SpanId,
    ) {
        let unknown = Unknown {
            why: Why::Fault,
            span,
        };
        for instruction in &block.instructions {
            if let Some(register) = instruction.kind.result() {
                start.set(register, Known::Unknown(unknown));
            }
        }
        for (number, object) in &end.objects {
            if start.objects.contains_key(number) {
                start.objects.insert(*number, Rc::clone(object));
            }
        }
        start.forget_since(stamp, unknown);
        // What of its additions was done before the fault is not known.
        start.effect |= end.effect || start.changes != end.changes;
        start.deleted.clear();
        self.numbers += 1;
        start.reach.push(Literal::Unknown(self.numbers, true));
    }

    fn terminator(
        &mut self,
        activation: &Activation<'p>,
        terminator: &Terminator,
        state: State,
        pending: &mut Pending,
        span: SpanId,
    ) -> Result<(), Stop> {
        match terminator {
            Terminator::Jump(block) => self.push(pending, *block, state, span),
            Terminator::Branch {
                condition,
                then,
                otherwise,
            } => {
                let literal = match state.get(*condition) {
                    Some(Known::Presence(key, present)) => Ok(self.presence(key, present)),
                    known => self.literal(known.and_then(|known| known.single()), &state),
                };
                if let Ok((Literal::Unknown(..), _)) = literal {
                    self.found.condition.get_or_insert(span);
                }
                let (yes, no) = match literal {
                    Err(truth) => {
                        let block = if truth { *then } else { *otherwise };
                        return self.push(pending, block, state, span);
                    }
                    Ok(literal) => literal,
                };
                let mut one = state.clone();
                one.reach.push(yes);
                self.push(pending, *then, one, span)?;
                let mut other = state;
                other.reach.push(no);
                self.push(pending, *otherwise, other, span)
            }
            Terminator::Switch {
                value,
                cases,
                otherwise,
            } => self.switch(state, *value, cases, *otherwise, pending, span),
            Terminator::Return(result) => {
                let mut state = state;
                if activation.top && !self.globals.is_initializing() {
                    self.end(&state);
                    return Ok(());
                }
                let result = result.and_then(|result| state.get(result));
                let zero = self.zero();
                state.registers = vec![result.unwrap_or(zero)];
                pending.returned.push(state);
                if pending.returned.len() >= MAX_PENDING {
                    let states = std::mem::take(&mut pending.returned);
                    pending.returned.extend(self.merge(states, span));
                }
                Ok(())
            }
        }
    }

    /// The handler ends in this state.
    pub(super) fn end(&mut self, state: &State) {
        self.found.end(Ended {
            reach: state.reach.clone(),
            reads: state.reads.clone(),
            deleted: state.deleted.clone(),
            changes: state.changes.clone(),
            effect: state.effect,
        });
    }

    /// The conditions of the two ways of a branch by whether a key is in its table (or is not, if `present` is false): neither is known at the
    /// hit, but that it is not there may be.
    fn presence(&mut self, key: KeyId, present: bool) -> (Literal, Literal) {
        self.numbers += 1;
        self.found.tables.says_absent(self.numbers, !present, key);
        (
            Literal::Unknown(self.numbers, true),
            Literal::Unknown(self.numbers, false),
        )
    }

    /// The conditions of the two ways of a branch; an error is the one way that can be gone.
    fn literal(
        &mut self,
        condition: Option<TermId>,
        state: &State,
    ) -> Result<(Literal, Literal), bool> {
        let Some(condition) = condition else {
            self.numbers += 1;
            return Ok((
                Literal::Unknown(self.numbers, true),
                Literal::Unknown(self.numbers, false),
            ));
        };
        let (term, truth) = self.terms.literal(condition, true);
        if let Some(value) = self.terms.as_constant(term) {
            return Err((value != 0) == truth);
        }
        if state.reach.contains(&Literal::Known(term, truth)) {
            return Err(true);
        }
        if state.reach.contains(&Literal::Known(term, !truth)) {
            return Err(false);
        }
        Ok((Literal::Known(term, truth), Literal::Known(term, !truth)))
    }

    fn switch(
        &mut self,
        mut state: State,
        value: Register,
        cases: &[(u64, BlockId)],
        otherwise: BlockId,
        pending: &mut Pending,
        span: SpanId,
    ) -> Result<(), Stop> {
        let value = state
            .get(value)
            .and_then(|known| known.single())
            .filter(|value| cases.len() <= MAX_CASES || self.terms.as_constant(*value).is_some());
        for (number, (case, block)) in cases.iter().enumerate() {
            let condition = value.map(|value| {
                let case = self.terms.constant(*case);
                self.terms
                    .compare(crate::ir::Comparison::Equal, false, value, case)
            });
            match self.literal(condition, &state) {
                Err(true) => return self.push(pending, *block, state, span),
                Err(false) => {}
                Ok((yes, no)) => {
                    let mut one = state.clone();
                    one.reach.push(yes);
                    self.push(pending, *block, one, span)?;
                    // One condition that is not known is enough.
                    if value.is_some() || number == 0 {
                        state.reach.push(no);
                    }
                }
            }
        }
        self.push(pending, otherwise, state, span)
    }
}

/// The blocks of a handler that do nothing but end it, the first apart.
fn ends(function: &Function) -> BTreeSet<BlockId> {
    let blocks = function.blocks.iter().zip(0..).skip(1);
    blocks
        .filter(|(block, _)| {
            block.instructions.is_empty() && matches!(block.terminator, Terminator::Return(_))
        })
        .map(|(_, number)| BlockId(number))
        .collect()
}

/// Where a block begins.
fn span_of(function: &Function, block: BlockId) -> SpanId {
    function
        .blocks
        .get(block.0 as usize)
        .and_then(|block| block.instructions.first())
        .map_or(SpanId(0), |instruction| instruction.span)
}

/// Whether an instruction may fault. Those that never do are named, so that a new one counts.
fn may_fault(kind: &InstructionKind) -> bool {
    !matches!(
        kind,
        InstructionKind::Constant { .. }
            | InstructionKind::Literal { .. }
            | InstructionKind::Copy { .. }
            | InstructionKind::Extend { .. }
            | InstructionKind::CompareIntegers { .. }
            | InstructionKind::Float { .. }
            | InstructionKind::FloatNegate { .. }
            | InstructionKind::CompareFloats { .. }
            | InstructionKind::IntegerToFloat { .. }
            | InstructionKind::FloatToFloat { .. }
            | InstructionKind::FloatToBits { .. }
            | InstructionKind::BitsToFloat { .. }
            | InstructionKind::SlotAddress { .. }
    )
}
