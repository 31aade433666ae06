//! What instructions do to what is known.

use std::rc::Rc;

use super::found::What;
use super::globals::{First, GLOBALS, variable_at};
use super::run::{Activation, Analysis, Flow, Stop};
use super::state::{Content, Known, State, Unknown, Why, Words, integer_of};
use super::terms::{Extent, ReadId, Term, TermId, WORD};
use super::updates::{Cell, Change, Part};
use crate::ir::{
    Base, Class, Comparison, Instruction, InstructionKind, IntegerOperator, IntegerType,
    MemoryType, Place, Register, SpanId,
};
use ytrace_values::operation::NO_ROW;

/// The most reads of a handler before equal and neighbouring ones are put together.
const MAX_READS: usize = 512;

/// Where a place lies.
enum Located {
    /// In the target.
    Target(Result<Words, Unknown>),
    /// In a frame slot or in globals that are followed.
    Object(u32, u64),
    /// In a frame slot, at an offset that is not known, or in one of several.
    Somewhere(Option<u32>),
    /// In the globals.
    Globals(Option<u64>),
    /// In a row of a container.
    Row,
}

impl<'p> Analysis<'p> {
    pub(super) fn instruction(
        &mut self,
        activation: &Activation<'p>,
        instruction: &'p Instruction,
        mut state: State,
        alone: bool,
    ) -> Result<(Flow, State), Stop> {
        let (span, before) = (instruction.span, state.effect);
        match &instruction.kind {
            InstructionKind::Call {
                function,
                arguments,
                to,
            } => {
                let arguments: Vec<Known> = arguments
                    .iter()
                    .map(|argument| self.get(&state, *argument))
                    .collect();
                return Ok(
                    match self.call(*function, &arguments, state, alone, span)? {
                        Some((mut after, result)) => {
                            if let Some(to) = to {
                                self.set(activation, &mut after, *to, result, span);
                            }
                            (Flow::Next, after)
                        }
                        None => (Flow::Ended, State::default()),
                    },
                );
            }
            InstructionKind::Operation {
                operation,
                arguments,
                to,
            } => {
                let arguments: Vec<Known> = arguments
                    .iter()
                    .map(|argument| self.get(&state, *argument))
                    .collect();
                let (flow, result) =
                    self.operation(*operation, &arguments, &mut state, alone, span)?;
                if state.effect && !before {
                    self.found.obstruct(span, reason(*operation));
                }
                if let Some(to) = to {
                    self.set(activation, &mut state, *to, result, span);
                }
                return Ok((flow, state));
            }
            other => self.plain(activation, other, &mut state, span)?,
        }
        if state.effect && !before {
            let why = match &instruction.kind {
                InstructionKind::Store { .. }
                | InstructionKind::CopyBytes { .. }
                | InstructionKind::Zero { .. } => {
                    "it sets a variable to something else than itself and a number"
                }
                _ => "it may fault",
            };
            self.found.obstruct(span, why);
        }
        Ok((Flow::Next, state))
    }

    fn get(&mut self, state: &State, register: Register) -> Known {
        state.get(register).unwrap_or_else(|| self.zero())
    }

    /// Gives a register a value; what a register of floats holds is not known.
    fn set(
        &mut self,
        activation: &Activation<'p>,
        state: &mut State,
        register: Register,
        value: Known,
        span: SpanId,
    ) {
        let class = activation.function.registers.get(register.0 as usize);
        let value = match class {
            Some(Class::Word) => value,
            _ => Known::Unknown(Unknown {
                why: Why::Float,
                span,
            }),
        };
        state.set(register, value);
    }

    fn plain(
        &mut self,
        activation: &Activation<'p>,
        kind: &InstructionKind,
        state: &mut State,
        span: SpanId,
    ) -> Result<(), Stop> {
        let float = Known::Unknown(Unknown {
            why: Why::Float,
            span,
        });
        let (to, value) = match kind {
            InstructionKind::Constant { to, value } => {
                (*to, Known::word(self.terms.constant(*value)))
            }
            InstructionKind::Literal { to, index } => (*to, Known::Literal(*index)),
            InstructionKind::Copy { to, from } => (*to, self.get(state, *from)),
            InstructionKind::Integer {
                operator,
                ty,
                to,
                left,
                right,
            } => {
                let (left, right) = (self.get(state, *left), self.get(state, *right));
                let value = self.integer(*operator, *ty, left, right, span);
                let faults = matches!(
                    operator,
                    IntegerOperator::Divide
                        | IntegerOperator::Remainder
                        | IntegerOperator::ShiftLeft
                        | IntegerOperator::ShiftRight
                );
                // With a divisor or a distance that can be checked now, it does not fault.
                let checked = right.single().is_some_and(|right| {
                    let zero = self.terms.constant(0);
                    self.terms.as_constant(right).is_some()
                        && self.terms.binary(*operator, *ty, zero, right).is_some()
                });
                state.effect |= faults && !checked;
                (*to, value)
            }
            InstructionKind::Extend { ty, to, from } => {
                let from = self.get(state, *from);
                (*to, self.extend(*ty, from))
            }
            InstructionKind::CompareIntegers {
                comparison,
                signed,
                to,
                left,
                right,
            } => {
                let (left, right) = (self.get(state, *left), self.get(state, *right));
                let value = match self.presence_of(*comparison, left, right) {
                    Some(presence) => presence,
                    None => self.both(left, right, Why::Text, span, |terms, left, right| {
                        Some(terms.compare(*comparison, *signed, left, right))
                    }),
                };
                (*to, value)
            }
            InstructionKind::FloatToInteger { to, .. } => {
                state.effect = true;
                (*to, float)
            }
            InstructionKind::Float { to, .. }
            | InstructionKind::FloatNegate { to, .. }
            | InstructionKind::CompareFloats { to, .. }
            | InstructionKind::IntegerToFloat { to, .. }
            | InstructionKind::FloatToFloat { to, .. }
            | InstructionKind::FloatToBits { to, .. }
            | InstructionKind::BitsToFloat { to, .. } => (*to, float),
            InstructionKind::Load { to, place, ty } => {
                (*to, self.load(activation, state, place, *ty, span)?)
            }
            InstructionKind::Store { place, from, ty } => {
                let value = self.get(state, *from);
                if self.counting && self.add(state, place, *ty, value) {
                    return Ok(());
                }
                let content = match value {
                    Known::Unknown(unknown) => Content::Unknown(unknown),
                    value => Content::Scalar(value),
                };
                self.write(activation, state, place, ty.size(), content, span);
                return Ok(());
            }
            InstructionKind::CopyBytes { to, from, length } => {
                return self.copy_bytes(activation, state, to, from, *length, span);
            }
            InstructionKind::Zero { place, length } => {
                self.write(activation, state, place, *length, Content::Zero, span);
                return Ok(());
            }
            InstructionKind::SlotAddress { to, slot } => {
                let object = activation.slot(*slot).unwrap_or(u32::MAX);
                (*to, Known::Frame { object, offset: 0 })
            }
            InstructionKind::BoundsCheck { index, length } => {
                let index = self.get(state, *index).single();
                let index = index.and_then(|index| self.terms.as_constant(index));
                state.effect |= index.is_none_or(|index| index >= *length);
                return Ok(());
            }
            InstructionKind::Step => {
                self.steps += 1;
                return Ok(());
            }
            InstructionKind::Call { .. } | InstructionKind::Operation { .. } => return Ok(()),
        };
        self.set(activation, state, to, value, span);
        Ok(())
    }

    /// What a comparison says of whether a key is in a table: that its row is or is not one, or of such an answer that it is 0 or not.
    fn presence_of(&mut self, comparison: Comparison, left: Known, right: Known) -> Option<Known> {
        let right = right
            .single()
            .and_then(|word| self.terms.as_constant(word))?;
        let unequal = match comparison {
            Comparison::Equal => false,
            Comparison::NotEqual => true,
            _ => return None,
        };
        match (left, right) {
            (Known::Row(key), NO_ROW) => Some(Known::Presence(key, unequal)),
            (Known::Presence(key, present), 0) => Some(Known::Presence(key, present == unequal)),
            _ => None,
        }
    }

    /// What an operation makes of two words, of all that each may be.
    fn both(
        &mut self,
        left: Known,
        right: Known,
        why: Why,
        span: SpanId,
        mut operate: impl FnMut(&mut super::terms::Terms, TermId, TermId) -> Option<TermId>,
    ) -> Known {
        let of_table = |known| match known {
            Known::Row(_) | Known::Presence(..) | Known::Inserted(_) => Known::Unknown(Unknown {
                why: Why::Container,
                span,
            }),
            Known::Sum { .. } => Known::Unknown(Unknown {
                why: Why::Global,
                span,
            }),
            other => other,
        };
        let (left, right) = (of_table(left), of_table(right));
        match (left, right) {
            (Known::Unknown(_), _) => left,
            (_, Known::Unknown(_)) => right,
            (Known::Words(lefts), Known::Words(rights)) => {
                let mut all: Option<Words> = None;
                let several = lefts.single().is_none() || rights.single().is_none();
                for left in lefts.all() {
                    for right in rights.all() {
                        let combined =
                            operate(&mut self.terms, *left, *right).and_then(|word| match all {
                                None => Some(Words::one(word)),
                                Some(all) => all.with(word),
                            });
                        match combined {
                            Some(combined) => all = Some(combined),
                            None => {
                                let why = if several { Why::Branches } else { why };
                                return Known::Unknown(Unknown { why, span });
                            }
                        }
                    }
                }
                match all {
                    Some(all) => Known::Words(all),
                    None => Known::Unknown(Unknown { why, span }),
                }
            }
            _ => Known::Unknown(Unknown { why, span }),
        }
    }

    fn integer(
        &mut self,
        operator: IntegerOperator,
        ty: IntegerType,
        left: Known,
        right: Known,
        span: SpanId,
    ) -> Known {
        use IntegerOperator as Op;
        // The low bytes of a sum are sums of low bytes.
        let sum = match (operator, left, right) {
            (Op::Add | Op::Subtract, Known::Sum { cell, added, bytes }, more) => {
                Some((cell, added, bytes, more))
            }
            (Op::Add, more, Known::Sum { cell, added, bytes }) => Some((cell, added, bytes, more)),
            _ => None,
        };
        if let Some((cell, added, bytes, more)) = sum
            && let Some(more) = more.single()
            && let Some(added) = self.terms.binary(operator, WORD, added, more)
        {
            let bytes = bytes.min(ty.size);
            return Known::Sum { cell, added, bytes };
        }
        let why = match operator {
            IntegerOperator::Divide
            | IntegerOperator::Remainder
            | IntegerOperator::ShiftLeft
            | IntegerOperator::ShiftRight => Why::Division,
            _ => Why::Text,
        };
        self.both(left, right, why, span, |terms, left, right| {
            terms.binary(operator, ty, left, right)
        })
    }

    fn extend(&mut self, ty: IntegerType, from: Known) -> Known {
        match from {
            Known::Words(words) => {
                let words = words.map(|word| Some(self.terms.extend(ty, word)));
                words.map_or(from, Known::Words)
            }
            Known::Sum { cell, added, bytes } => Known::Sum {
                cell,
                added,
                bytes: bytes.min(ty.size),
            },
            other => other,
        }
    }

    /// The integer of a variable, or of a row that was inserted, that a place is.
    fn cell(&mut self, state: &State, place: &Place, ty: MemoryType) -> Option<Cell> {
        let (size, _) = integer_of(ty)?;
        let index = match place.index {
            Some(index) => {
                let index = self.get(state, index).single()?;
                self.terms.as_constant(index)?
            }
            None => 0,
        };
        let offset = (place.offset as u64).wrapping_add(index);
        match place.base {
            Base::Globals if !self.globals.is_initializing() => Some(Cell {
                global: variable_at(self.program, place.offset).0,
                key: None,
                part: Part::Integer { offset, size },
            }),
            Base::Row { container, row } => {
                let (Known::Container(global), Known::Inserted(key)) =
                    (self.get(state, container), self.get(state, row))
                else {
                    return None;
                };
                let (table, words) = self.found.tables.get(key)?;
                let offset = offset.checked_sub(8 * words.len() as u64)?;
                (*table == global).then_some(Cell {
                    global,
                    key: Some(key),
                    part: Part::Integer { offset, size },
                })
            }
            _ => None,
        }
    }

    /// What a cell holds.
    fn sum(&mut self, state: &State, cell: Cell) -> Known {
        let Part::Integer { size, .. } = cell.part else {
            return self.zero();
        };
        let cell = self.found.cells.number(cell);
        let added = state.added(cell);
        Known::Sum {
            cell,
            added: added.unwrap_or_else(|| self.terms.constant(0)),
            bytes: size,
        }
    }

    /// Whether a value that is stored is what was there and something that is added, which is then noted.
    fn add(&mut self, state: &mut State, place: &Place, ty: MemoryType, value: Known) -> bool {
        let Known::Sum { cell, added, bytes } = value else {
            return false;
        };
        let Some(own) = self.cell(state, place, ty) else {
            return false;
        };
        if self.found.cells.number(own) != cell || u64::from(bytes) < ty.size() {
            return false;
        }
        let when = self.terms.constant(1);
        state.add(Change {
            cell,
            table: own.key.map(|_| own.global),
            when,
            value: added,
        });
        true
    }

    fn locate(
        &mut self,
        activation: &Activation<'p>,
        state: &State,
        place: &Place,
        span: SpanId,
    ) -> Located {
        let index = match place.index {
            Some(index) => self.get(state, index),
            None => self.zero(),
        };
        let constant = index
            .single()
            .and_then(|index| self.terms.as_constant(index));
        let offset = constant.map(|index| (place.offset as u64).wrapping_add(index));
        match place.base {
            Base::Target(register) => {
                let base = self.get(state, register);
                let distance = Known::word(self.terms.constant(place.offset as u64));
                let sum = self.integer(IntegerOperator::Add, WORD, base, distance, span);
                let sum = self.integer(IntegerOperator::Add, WORD, sum, index, span);
                Located::Target(match sum {
                    Known::Words(words) => Ok(words),
                    Known::Unknown(unknown) => Err(unknown),
                    _ => Err(Unknown {
                        why: Why::Text,
                        span,
                    }),
                })
            }
            Base::Globals if self.globals.is_initializing() => match offset {
                Some(offset) => Located::Object(GLOBALS, offset),
                None => Located::Somewhere(Some(GLOBALS)),
            },
            Base::Globals => Located::Globals(offset),
            Base::Slot(slot) => match (activation.slot(slot), offset) {
                (Some(object), Some(offset)) => Located::Object(object, offset),
                (object, _) => Located::Somewhere(object),
            },
            Base::Frame(register) => match (self.get(state, register), offset) {
                (Known::Frame { object, offset: at }, Some(offset)) => {
                    Located::Object(object, at.wrapping_add(offset))
                }
                (Known::Frame { object, .. }, None) => Located::Somewhere(Some(object)),
                _ => Located::Somewhere(None),
            },
            Base::Row { .. } => Located::Row,
        }
    }

    /// Reads of so many bytes at each of some addresses.
    pub(super) fn read(
        &mut self,
        state: &mut State,
        address: TermId,
        extent: Extent,
        span: SpanId,
    ) -> Result<ReadId, Stop> {
        let place = self.program.spans.get(span.0 as usize).copied();
        let read = self
            .terms
            .read(address, 0, extent, place.unwrap_or_default());
        if self.terms.reads().len() > MAX_READS {
            return Err(self.too_many(span));
        }
        state.note(read);
        Ok(read)
    }

    fn load(
        &mut self,
        activation: &Activation<'p>,
        state: &mut State,
        place: &Place,
        ty: MemoryType,
        span: SpanId,
    ) -> Result<Known, Stop> {
        let unknown = |why| Known::Unknown(Unknown { why, span });
        let (content, offset, length) = match self.locate(activation, state, place, span) {
            Located::Target(_) if self.is_late() => {
                state.effect = true;
                return Ok(unknown(Why::Late));
            }
            Located::Target(Err(why)) => {
                self.refuse(state, span, What::Address(why));
                return Ok(unknown(Why::Refused));
            }
            Located::Target(Ok(words)) => {
                let mut all: Option<Words> = None;
                for address in words.all() {
                    let extent = Extent::Exact(ty.size() as u32);
                    let read = self.read(state, *address, extent, span)?;
                    let Some((size, signed)) = integer_of(ty) else {
                        continue;
                    };
                    let word = self.terms.term(Term::Loaded {
                        read,
                        offset: 0,
                        size,
                        signed,
                    });
                    all = match all {
                        None => Some(Words::one(word)),
                        // As many as there are addresses, at most.
                        Some(all) => all.with(word),
                    };
                }
                return Ok(all.map_or(unknown(Why::Float), Known::Words));
            }
            Located::Object(object, offset) => match state.objects.get(&object) {
                Some(object) => object.at(offset, ty.size()),
                None => return Ok(unknown(Why::Index)),
            },
            Located::Globals(offset) => {
                let first = offset.and_then(|offset| self.globals.at(offset, ty.size()));
                let Some((size, signed)) = integer_of(ty) else {
                    return Ok(unknown(Why::Float));
                };
                return Ok(match first {
                    Some(First::Word(word)) => {
                        let word = self.terms.constant(word);
                        self.extend(IntegerType { size, signed }, Known::word(word))
                    }
                    Some(First::Container(offset)) => Known::Container(offset),
                    Some(First::Settled) => {
                        let offset = offset.unwrap_or_default();
                        self.found.globals.insert((offset, size));
                        let word = self.terms.term(Term::Global { offset, size });
                        self.extend(IntegerType { size, signed }, Known::word(word))
                    }
                    None if self.counting => match self.cell(state, place, ty) {
                        Some(cell) => self.sum(state, cell),
                        None => unknown(Why::Global),
                    },
                    None => unknown(Why::Global),
                });
            }
            Located::Somewhere(_) => return Ok(unknown(Why::Index)),
            Located::Row => {
                let cell = match self.counting {
                    true => self.cell(state, place, ty),
                    false => None,
                };
                return Ok(match cell {
                    Some(cell) => self.sum(state, cell),
                    None => unknown(Why::Container),
                });
            }
        };
        let Some((size, signed)) = integer_of(ty) else {
            return Ok(unknown(Why::Float));
        };
        let ty = IntegerType { size, signed };
        Ok(match content {
            Content::Zero => self.zero(),
            Content::Unknown(why) if why.span == SpanId(0) => unknown(why.why),
            Content::Unknown(why) => Known::Unknown(why),
            Content::Scalar(known) if offset == 0 && length == u64::from(size) && size == 8 => {
                known
            }
            Content::Scalar(Known::Words(words)) => {
                let by = self.terms.constant(offset * 8);
                let words = words.map(|word| {
                    let shifted = self
                        .terms
                        .binary(IntegerOperator::ShiftRight, WORD, word, by)?;
                    Some(self.terms.extend(ty, shifted))
                });
                words.map_or(unknown(Why::Bytes), Known::Words)
            }
            Content::Scalar(_) => unknown(Why::Bytes),
            Content::Read(read, from) => {
                let offset = u32::try_from(offset)
                    .ok()
                    .and_then(|offset| offset.checked_add(from));
                match offset {
                    Some(offset) => Known::word(self.terms.term(Term::Loaded {
                        read,
                        offset,
                        size,
                        signed,
                    })),
                    None => unknown(Why::Bytes),
                }
            }
        })
    }

    /// Notes a read that cannot be captured. It may fault.
    pub(super) fn refuse(&mut self, state: &mut State, span: SpanId, what: What) {
        state.effect = true;
        self.found.refuse(span, what);
    }

    fn write(
        &mut self,
        activation: &Activation<'p>,
        state: &mut State,
        place: &Place,
        length: u64,
        content: Content,
        span: SpanId,
    ) {
        let stamp = self.tick();
        match self.locate(activation, state, place, span) {
            Located::Object(object, offset) => {
                if let Some(object) = state.objects.get_mut(&object) {
                    Rc::make_mut(object).write(offset, length, content, stamp);
                }
            }
            Located::Somewhere(object) => {
                let unknown = Unknown {
                    why: Why::Index,
                    span,
                };
                let objects: Vec<u32> = match object {
                    Some(object) => vec![object],
                    None => state.objects.keys().copied().collect(),
                };
                for object in objects {
                    state.forget_object(object, stamp, unknown);
                }
            }
            Located::Globals(_) => {
                state.effect = true;
                let (global, _) = variable_at(self.program, place.offset);
                self.found.assign(Some(global));
            }
            Located::Row => {
                state.effect = true;
                let container = match place.base {
                    Base::Row { container, .. } => self.get(state, container),
                    _ => self.zero(),
                };
                self.found.assign(match container {
                    Known::Container(global) => Some(global),
                    _ => None,
                });
            }
            Located::Target(_) => state.effect = true,
        }
    }

    fn copy_bytes(
        &mut self,
        activation: &Activation<'p>,
        state: &mut State,
        to: &Place,
        from: &Place,
        length: u64,
        span: SpanId,
    ) -> Result<(), Stop> {
        let unknown = |why| Content::Unknown(Unknown { why, span });
        let content = match self.locate(activation, state, from, span) {
            _ if length == 0 => return Ok(()),
            Located::Target(_) if self.is_late() => {
                state.effect = true;
                unknown(Why::Late)
            }
            Located::Target(Err(why)) => {
                self.refuse(state, span, What::Address(why));
                Content::Unknown(why)
            }
            Located::Target(Ok(words)) => match u32::try_from(length) {
                Ok(bytes) if length <= super::MAX_BYTES => {
                    let mut reads = Vec::new();
                    for address in words.all() {
                        reads.push(self.read(state, *address, Extent::Exact(bytes), span)?);
                    }
                    match reads.as_slice() {
                        [read] => Content::Read(*read, 0),
                        _ => unknown(Why::Branches),
                    }
                }
                _ => {
                    self.refuse(state, span, What::Large(length));
                    unknown(Why::Bytes)
                }
            },
            Located::Object(object, offset) => {
                let parts = match state.objects.get(&object) {
                    Some(object) => object.copy(offset, length),
                    None => vec![(0, length, unknown(Why::Index))],
                };
                self.write(activation, state, to, length, Content::Zero, span);
                if let Located::Object(object, start) = self.locate(activation, state, to, span)
                    && let Some(object) = state.objects.get_mut(&object)
                {
                    let object = Rc::make_mut(object);
                    for (at, length, content) in parts {
                        let stamp = self.tick();
                        object.write(start.wrapping_add(at), length, content, stamp);
                    }
                }
                return Ok(());
            }
            Located::Somewhere(_) => unknown(Why::Index),
            Located::Globals(_) => unknown(Why::Global),
            Located::Row => unknown(Why::Container),
        };
        self.write(activation, state, to, length, content, span);
        Ok(())
    }
}

/// Why a handler with an operation does not run in the kernel.
fn reason(operation: ytrace_values::Operation) -> &'static str {
    use ytrace_values::Operation as Op;
    match operation {
        Op::Printf | Op::ContainerText => "it prints",
        Op::Exit | Op::Error => "it ends the session",
        Op::TableInsert | Op::TableFind => "a key of a table is not known at the hit",
        Op::TableDelete | Op::ContainerClear => "it takes something out of a table",
        Op::AggregateAdd => "what it puts into an aggregate is not known at the hit",
        Op::ArrayPush | Op::ArrayPop | Op::ArrayShift | Op::ArrayUnshift | Op::ArrayIndex => {
            "it uses an array"
        }
        Op::SampleBytes => "it samples where not all hits come by",
        Op::Backtrace | Op::BacktracePart => "it asks for a stack",
        _ => "it does something that only ytrace can",
    }
}
