//! What operations ask of the hit and of the target.

use super::found::{Drop, What};
use super::run::{Analysis, Flow, Stop};
use super::state::{Known, State, Unknown, Why};
use super::tables::KeyId;
use super::terms::{Extent, Term, TermId, WORD};
use super::updates::{Cell, Change, Part};
use crate::abi;
use crate::ir::{Comparison, IntegerOperator, SpanId};
use ytrace_values::Operation;

impl<'p> Analysis<'p> {
    /// Carries out an operation on what is known; gives its result.
    pub(super) fn operation(
        &mut self,
        operation: Operation,
        arguments: &[Known],
        state: &mut State,
        alone: bool,
        span: SpanId,
    ) -> Result<(Flow, Known), Stop> {
        use Operation as Op;
        let number = |analysis: &Self, index: usize| {
            let word = arguments.get(index)?.single()?;
            analysis.terms.as_constant(word)
        };
        let unknown = |why| Known::Unknown(Unknown { why, span });
        let result = match operation {
            Op::HitRegister => match number(self, 0) {
                Some(register) => {
                    self.found.registers.insert(register);
                    Known::word(self.terms.term(Term::Register(register)))
                }
                None => unknown(Why::Asked),
            },
            Op::HitVector => {
                self.found.vectors.extend(number(self, 0));
                unknown(Why::Float)
            }
            Op::HitArgument => match number(self, 0) {
                Some(argument) => {
                    self.found.arguments.insert(argument);
                    Known::word(self.terms.term(Term::Argument(argument)))
                }
                None => unknown(Why::Asked),
            },
            Op::EntryValue => match number(self, 0) {
                Some(index) => {
                    self.found.entry_values.insert(index);
                    Known::word(self.terms.term(Term::EntryValue(index)))
                }
                None => unknown(Why::Asked),
            },
            Op::HitFunction => Known::word(self.terms.term(Term::Function)),
            Op::Tid => Known::word(self.terms.term(Term::Tid)),
            Op::Pid => Known::word(self.terms.term(Term::Pid)),
            Op::NowNs => Known::word(self.terms.term(Term::Time)),
            Op::PageSize => Known::word(self.terms.constant(self.options.page_size)),
            Op::Register => self.register(arguments, state, span),
            Op::Backtrace => {
                if self.is_own(arguments.first()) {
                    self.found.stack = true;
                } else {
                    self.refuse(state, span, What::OtherStack);
                }
                unknown(Why::Text)
            }
            Op::BacktracePart => {
                self.found.stack = true;
                unknown(Why::Text)
            }
            Op::ThreadLocal => match (number(self, 0), self.is_own(arguments.get(1))) {
                (Some(variable), true) => {
                    let variable = u32::try_from(variable).unwrap_or(u32::MAX);
                    self.found.thread_locals.insert(variable);
                    Known::word(self.terms.term(Term::ThreadLocal(variable)))
                }
                _ => {
                    self.refuse(state, span, What::OtherVariable);
                    unknown(Why::Refused)
                }
            },
            // Containers of globals are known by the place of their handle.
            Op::ContainerNew if self.globals.is_initializing() => Known::Container(0),
            Op::TableFind => match self.table_key(arguments) {
                (_, Some(key)) => Known::Row(key),
                _ => unknown(Why::Container),
            },
            Op::TableInsert => {
                let (table, key) = self.table_key(arguments);
                self.found.tables.insert(table, key);
                let tables = &self.found.tables;
                state
                    .deleted
                    .retain(|key| table.is_some_and(|table| !tables.is_of(*key, table)));
                match (table, key) {
                    (Some(table), Some(key)) if self.counting => {
                        self.insert_row(table, key, state);
                        Known::Inserted(key)
                    }
                    _ => {
                        state.effect = true;
                        unknown(Why::Container)
                    }
                }
            }
            Op::AggregateAdd => {
                if !self.counting || !self.put_into_aggregate(arguments, state) {
                    state.effect = true;
                }
                unknown(Why::Container)
            }
            Op::TableDelete => {
                state.effect = true;
                if let (_, Some(key)) = self.table_key(arguments)
                    && !state.deleted.contains(&key)
                {
                    state.deleted.push(key);
                }
                unknown(Why::Container)
            }
            Op::SampleBytes => self.sample(arguments, state, alone, span),
            Op::Next => {
                self.end(state);
                return Ok((Flow::Ended, unknown(Why::Asked)));
            }
            Op::Exit | Op::Error | Op::Raise | Op::AssertionFailed => {
                state.effect = true;
                self.end(state);
                return Ok((Flow::Ended, unknown(Why::Asked)));
            }
            Op::TargetString
            | Op::TargetBytes
            | Op::TargetHex
            | Op::TargetCompare
            | Op::TargetStringCompare
            | Op::TargetStringCompareN
            | Op::TargetStringLength
            | Op::TargetReadable
            | Op::TargetCapture => {
                state.effect = true;
                if self.is_late() {
                    return Ok((Flow::Next, unknown(Why::Late)));
                }
                self.target(operation, arguments, state, span)?;
                unknown(Why::Text)
            }
            Op::Printf | Op::Sprintf => {
                state.effect = true;
                if !self.is_late() {
                    self.format(arguments, state, span)?;
                }
                unknown(Why::Text)
            }
            Op::ContainerText => {
                state.effect = true;
                if !self.is_late() && self.containers_show_strings() {
                    self.refuse(state, span, What::Container);
                }
                unknown(Why::Text)
            }
            other => {
                let (harmless, why) = kind_of(other);
                state.effect |= !harmless;
                unknown(why)
            }
        };
        Ok((Flow::Next, result))
    }

    /// The table that an operation is on and the key, as far as they are known.
    fn table_key(&mut self, arguments: &[Known]) -> (Option<u64>, Option<KeyId>) {
        let Some((Known::Container(table), words)) = arguments.split_first() else {
            return (None, None);
        };
        let words: Option<Vec<TermId>> = words.iter().map(Known::single).collect();
        let key = words.and_then(|words| self.found.tables.key(*table, words));
        (Some(*table), key)
    }

    /// Notes that a key is inserted.
    fn insert_row(&mut self, table: u64, key: KeyId, state: &mut State) {
        let cell = self.found.cells.number(Cell {
            global: table,
            key: Some(key),
            part: Part::Row,
        });
        let (when, value) = (self.terms.constant(1), self.terms.constant(0));
        state.add(Change {
            cell,
            table: Some(table),
            when,
            value,
        });
    }

    /// Whether a value that is put into an aggregate, and where, are known; it is then noted.
    fn put_into_aggregate(&mut self, arguments: &[Known], state: &mut State) -> bool {
        let [aggregate, value, times] = arguments else {
            return false;
        };
        let (global, key) = match aggregate {
            Known::Container(global) => (*global, None),
            // The handle in a row that nothing was added to.
            Known::Sum { cell, added, .. } if self.terms.as_constant(*added) == Some(0) => {
                match self.found.cells.get(*cell) {
                    Some(Cell {
                        global,
                        key: Some(key),
                        part: Part::Integer { offset: 0, size: 8 },
                    }) => (global, Some(key)),
                    _ => return false,
                }
            }
            _ => return false,
        };
        let times = times
            .single()
            .and_then(|times| self.terms.as_constant(times));
        let (Some(value), Some(1)) = (value.single(), times) else {
            return false;
        };
        let before = state.changes.iter().filter(|change| {
            let cell = self.found.cells.get(change.cell);
            cell.is_some_and(|cell| {
                matches!(cell.part, Part::Aggregate { .. })
                    && (cell.global, cell.key) == (global, key)
            })
        });
        let part = Part::Aggregate {
            nth: u32::try_from(before.count()).unwrap_or(u32::MAX),
        };
        let cell = self.found.cells.number(Cell { global, key, part });
        let when = self.terms.constant(1);
        state.add(Change {
            cell,
            table: key.map(|_| global),
            when,
            value,
        });
        true
    }

    /// Whether a value is the thread that was hit.
    fn is_own(&self, tid: Option<&Known>) -> bool {
        tid.and_then(Known::single)
            .is_some_and(|tid| self.terms.get(tid) == Term::Tid)
    }

    fn register(&mut self, arguments: &[Known], state: &mut State, span: SpanId) -> Known {
        let name = match arguments.first() {
            Some(Known::Literal(index)) => {
                self.program.constants.strings.get(*index as usize).cloned()
            }
            _ => None,
        };
        let number = name.and_then(|name| {
            let name = String::from_utf8(name).ok()?;
            abi::register_number(&name).map(u64::from)
        });
        match number.filter(|_| self.is_own(arguments.get(1))) {
            Some(number) => {
                self.found.registers.insert(number);
                Known::word(self.terms.term(Term::Register(number)))
            }
            None => {
                self.refuse(state, span, What::OtherRegister);
                Known::Unknown(Unknown {
                    why: Why::Refused,
                    span,
                })
            }
        }
    }

    /// The first sampling that all hits come to which are not dropped before is the kernel's.
    fn sample(
        &mut self,
        arguments: &[Known],
        state: &mut State,
        alone: bool,
        span: SpanId,
    ) -> Known {
        let every = arguments.first().and_then(Known::single);
        let bytes = arguments.get(1).and_then(Known::single);
        let first = !self
            .found
            .drops
            .iter()
            .any(|drop| matches!(drop, Drop::Sample { .. }));
        match (every, bytes) {
            (Some(every), Some(bytes))
                if self.sampling && first && alone && self.found.exact() && !state.effect =>
            {
                self.found.drops.push(Drop::Sample {
                    every,
                    bytes,
                    reads: state.reads.clone(),
                    reach: state.reach.clone(),
                });
                Known::word(self.terms.term(Term::Weight))
            }
            _ => {
                state.effect = true;
                Known::Unknown(Unknown {
                    why: Why::Asked,
                    span,
                })
            }
        }
    }

    /// Reads at each of the addresses that a value may be.
    pub(super) fn read_at(
        &mut self,
        address: Option<&Known>,
        extent: Extent,
        state: &mut State,
        span: SpanId,
    ) -> Result<(), Stop> {
        match address {
            Some(Known::Words(words)) => {
                for word in words.all() {
                    self.read(state, *word, extent, span)?;
                }
            }
            Some(Known::Unknown(unknown)) => {
                self.refuse(state, span, What::Address(*unknown));
            }
            _ => self.refuse(
                state,
                span,
                What::Address(Unknown {
                    why: Why::Text,
                    span,
                }),
            ),
        }
        Ok(())
    }

    /// The most bytes that a string may have, with the one that tells whether it ends there.
    pub(super) fn string(&self) -> u32 {
        let most = self.options.string.min(super::MAX_BYTES);
        u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// So many bytes, as far as they are known, at most a string's.
    fn bytes(&mut self, length: Option<&Known>) -> Extent {
        let most = self.string() - 1;
        let length = length.and_then(Known::single);
        let bound = length.and_then(|length| u32::try_from(self.terms.most(length)).ok());
        let most = bound.map_or(most, |bound| bound.min(most));
        let length = match length {
            Some(length) if most > 0 && self.terms.as_constant(length).is_none() => length,
            _ => self.terms.constant(u64::from(most)),
        };
        Extent::Bytes { length, most }
    }

    fn target(
        &mut self,
        operation: Operation,
        arguments: &[Known],
        state: &mut State,
        span: SpanId,
    ) -> Result<(), Stop> {
        use Operation as Op;
        let (first, second, third) = (arguments.first(), arguments.get(1), arguments.get(2));
        let constant = |analysis: &Self, known: Option<&Known>| {
            analysis.terms.as_constant(known.and_then(Known::single)?)
        };
        let string = Extent::String {
            most: self.string(),
        };
        match operation {
            Op::TargetString | Op::TargetStringLength => self.read_at(first, string, state, span),
            Op::TargetBytes | Op::TargetHex => {
                let extent = self.bytes(second);
                self.read_at(first, extent, state, span)
            }
            Op::TargetStringCompare => {
                self.read_at(first, string, state, span)?;
                self.read_at(second, string, state, span)
            }
            Op::TargetStringCompareN => {
                let most = constant(self, third)
                    .and_then(|most| u32::try_from(most).ok())
                    .map_or(self.string(), |most| most.min(self.string()));
                let extent = Extent::String { most };
                self.read_at(first, extent, state, span)?;
                self.read_at(second, extent, state, span)
            }
            Op::TargetCompare => {
                let extent = match self.length(third, state, span) {
                    Some(extent) => extent,
                    None => self.bytes(third),
                };
                self.read_at(first, extent, state, span)?;
                self.read_at(second, extent, state, span)
            }
            Op::TargetCapture => {
                let extent = match (
                    second.and_then(Known::single),
                    self.length(third, state, span),
                ) {
                    (Some(length), Some(Extent::Bytes { most, .. })) => {
                        Extent::Bytes { length, most }
                    }
                    _ => {
                        self.refuse(state, span, What::Length);
                        return Ok(());
                    }
                };
                let noted = state.reads.clone();
                self.read_at(first, extent, state, span)?;
                state.reads = noted;
                Ok(())
            }
            _ => match self.length(second, state, span) {
                Some(extent) => {
                    // That it fails is an answer.
                    let noted = state.reads.clone();
                    self.read_at(first, extent, state, span)?;
                    state.reads = noted;
                    Ok(())
                }
                None => {
                    self.refuse(state, span, What::Length);
                    Ok(())
                }
            },
        }
    }

    /// A constant number of bytes, if it is small enough to be captured.
    fn length(
        &mut self,
        length: Option<&Known>,
        state: &mut State,
        span: SpanId,
    ) -> Option<Extent> {
        let length = length.and_then(Known::single)?;
        let bytes = self.terms.as_constant(length)?;
        if bytes > super::MAX_BYTES {
            self.refuse(state, span, What::Large(bytes));
        }
        let most = bytes.min(super::MAX_BYTES) as u32;
        let length = self.terms.constant(u64::from(most));
        Some(Extent::Bytes { length, most })
    }

    /// As many bytes as a precision that is an argument asks for, and one more; a negative one asks for a whole string.
    pub(super) fn precision(&mut self, precision: Option<TermId>) -> Extent {
        let most = self.string();
        let Some(precision) = precision else {
            return Extent::String { most };
        };
        if let Some(precision) = self.terms.as_constant(precision) {
            let most = u32::try_from(precision as i64)
                .map_or(most, |precision| most.min(precision.saturating_add(1)));
            return Extent::String { most };
        }
        let (zero, one) = (self.terms.constant(0), self.terms.constant(1));
        let all = self.terms.constant(u64::from(most));
        let negative = self.terms.compare(Comparison::Less, true, precision, zero);
        let more = self
            .terms
            .binary(IntegerOperator::Add, WORD, precision, one)
            .unwrap_or(all);
        let length = self.terms.select(negative, all, more);
        // A precision that cannot be negative asks for no more than it can be.
        let bound = self.terms.most(precision).saturating_add(1);
        let most = u32::try_from(bound).map_or(most, |bound| bound.min(most));
        Extent::Bytes { length, most }
    }
}

/// Whether an operation neither does anything that outlasts the handler nor faults, and what its result comes from.
fn kind_of(operation: Operation) -> (bool, Why) {
    use Operation as Op;
    match operation {
        Op::StrCompare
        | Op::StrLength
        | Op::StrContains
        | Op::StrIsPrefix
        | Op::StrIsSuffix
        | Op::PathDepth
        | Op::PathParent
        | Op::PathLeaf => (true, Why::Text),
        Op::ContainerNew
        | Op::ContainerMark
        | Op::ContainerRelease
        | Op::ContainerLength
        | Op::IteratorNew
        | Op::IteratorNext
        | Op::IteratorSortKey
        | Op::IteratorSort
        | Op::IteratorLimit
        | Op::IteratorPosition
        | Op::TableSum
        | Op::TableMin
        | Op::TableMax
        | Op::AggregateCount
        | Op::AggregateSum
        | Op::AggregateMin
        | Op::AggregateMax
        | Op::AggregateAverage
        | Op::AggregateVariance => (true, Why::Container),
        Op::ArrayIndex
        | Op::ArrayPush
        | Op::ArrayPop
        | Op::ArrayShift
        | Op::ArrayUnshift
        | Op::ContainerClear
        | Op::ArrayReorder => (false, Why::Container),
        Op::IsLive => (true, Why::Asked),
        Op::StrConcat
        | Op::StrIndex
        | Op::StrSubstr
        | Op::StrToInteger
        | Op::StrQuoted
        | Op::StrFirstToken
        | Op::StrAfterToken
        | Op::StrFromInteger
        | Op::StrMatch
        | Op::StrCapture
        | Op::PathAppendStr
        | Op::PathAppendCode
        | Op::PathAppendPath
        | Op::PathSymbols => (false, Why::Text),
        Op::FloatAbs
        | Op::FloatMod
        | Op::FloatRemainder
        | Op::FloatSqrt
        | Op::FloatLog
        | Op::FloatFloor
        | Op::FloatCeil
        | Op::FloatPow => (true, Why::Float),
        Op::FaultKind | Op::FaultAddress | Op::FaultMessage | Op::FaultSpan => (false, Why::Fault),
        _ => (false, Why::Asked),
    }
}
