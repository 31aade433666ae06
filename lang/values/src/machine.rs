//! What carries out operations: a program's store together with the two seams.

use std::cmp::Ordering;

use crate::constants::ContainerTypeId;
use crate::escape;
use crate::fault::{Fault, FaultKind};
use crate::floats::canonical64;
use crate::format::Output;
use crate::histogram;
use crate::host::{Caller, HitQuestion, Host, PROCESS_FIELDS, PageFigure, Stack};
use crate::memory::Memory;
use crate::operation::Operation;
use crate::paths::FrameWord;
use crate::reading::Value;
use crate::show::Show;
use crate::store::{Store, internal};
use crate::target_bytes;

/// The outermost frame of a stack that could not be followed to its end.
const TRUNCATED: &[u8] = b"(truncated)";

/// A [`Store`] with the target's memory and the host at hand: all that an operation can touch.
pub struct Machine<'a> {
    /// Globals, strings, paths and containers of the program.
    pub store: &'a mut Store,
    /// The target's memory.
    pub memory: &'a mut dyn Memory,
    /// The rest of the world.
    pub host: &'a mut dyn Host,
}

impl Machine<'_> {
    /// Carries out one operation. `arguments` and the result are as [`Operation`] says; an
    /// operation without a result gives 0.
    ///
    /// Wrong numbers of arguments and stale handles give [`crate::FaultKind::Internal`].
    pub fn perform(&mut self, operation: Operation, arguments: &[u64]) -> Result<u64, Fault> {
        use Operation as Op;
        let store = &mut *self.store;
        Ok(match (operation, arguments) {
            // Containers, hottest first.
            (Op::TableFind, &[table, ref key @ ..]) => store.table_find(table, key)?,
            (Op::TableInsert, &[table, ref key @ ..]) => store.table_insert(table, key)?,
            (Op::TableDelete, &[table, ref key @ ..]) => u64::from(store.table_delete(table, key)?),
            (Op::ArrayIndex, &[array, index]) => store.array_index(array, index)?,
            (Op::ArrayPush, &[array]) => store.array_push(array)?,
            (Op::ArrayPop, &[array]) => store.array_pop(array)?,
            (Op::ArrayShift, &[array]) => store.array_shift(array)?,
            (Op::ArrayUnshift, &[array]) => store.array_unshift(array)?,
            (Op::ContainerNew, &[kind]) => store.container_new(container_type(kind)?)?,
            (Op::ContainerMark, []) => store.mark(),
            (Op::ContainerRelease, &[mark]) => {
                store.release(mark);
                0
            }
            (Op::ContainerLength, &[container]) => store.container_length(container)?,
            (Op::ContainerClear, &[container]) => nothing(store.container_clear(container)?),
            (Op::IteratorNew, &[container]) => store.iterator_new(container)?,
            (Op::IteratorNext, &[iterator]) => store.iterator_next(iterator)?,
            (Op::IteratorSortKey, &[iterator, key, kind]) => {
                nothing(store.iterator_sort_key(iterator, key, kind)?)
            }
            (Op::IteratorSort, &[iterator, descending]) => {
                nothing(store.iterator_sort(iterator, descending != 0)?)
            }
            (Op::IteratorLimit, &[iterator, limit]) => {
                nothing(store.iterator_limit(iterator, limit)?)
            }
            (Op::IteratorPosition, &[iterator]) => store.iterator_position(iterator)?,
            (Op::ArrayReorder, &[array, iterator]) => {
                nothing(store.array_reorder(array, iterator)?)
            }
            (Op::TableSum, &[table, offset, kind]) => store.table_sum(table, offset, kind)?,
            (Op::TableMin, &[table, offset, kind]) => {
                store.table_extreme(table, offset, kind, Ordering::Less)?
            }
            (Op::TableMax, &[table, offset, kind]) => {
                store.table_extreme(table, offset, kind, Ordering::Greater)?
            }

            (Op::AggregateAdd, &[aggregate, value, times]) => {
                nothing(store.aggregate_add(aggregate, value as i64, times)?)
            }
            (Op::AggregateCount, &[aggregate]) => {
                store.with_aggregate(aggregate, |aggregate| aggregate.count())?
            }
            (Op::AggregateSum, &[aggregate]) => {
                store.with_aggregate(aggregate, |aggregate| aggregate.sum() as u64)?
            }
            (Op::AggregateMin, &[aggregate]) => {
                store.with_aggregate(aggregate, |aggregate| aggregate.min() as u64)?
            }
            (Op::AggregateMax, &[aggregate]) => {
                store.with_aggregate(aggregate, |aggregate| aggregate.max() as u64)?
            }
            (Op::AggregateAverage, &[aggregate]) => {
                store.with_aggregate(aggregate, |aggregate| aggregate.average() as u64)?
            }
            (Op::AggregateVariance, &[aggregate]) => {
                store.with_aggregate(aggregate, |aggregate| aggregate.variance() as u64)?
            }

            (Op::AggregateHistogramLog, &[aggregate]) => {
                let text = store.with_aggregate(aggregate, histogram::logarithmic)?;
                store.intern(text.as_bytes())?
            }
            (Op::AggregateHistogramLinear, &[aggregate, low, high, step]) => {
                let (low, high, step) = (low as i64, high as i64, step as i64);
                let text = store.with_aggregate(aggregate, |aggregate| {
                    histogram::linear(aggregate, low, high, step)
                })??;
                store.intern(text.as_bytes())?
            }
            (Op::ContainerText, &[container]) => {
                let mut show = Show::new(self, None);
                show.container(container)?;
                let text = show.finish();
                self.store.intern(&text)?
            }

            (Op::PathAppendStr, &[path, name]) => {
                store.text(name)?;
                store.path_append(path, FrameWord::Name(name))?
            }
            (Op::PathAppendCode, &[path, address]) => {
                store.path_append(path, FrameWord::Code(address))?
            }
            (Op::PathAppendPath, &[path, other]) => {
                store.paths.append_path(path, other, &mut store.account)?
            }
            (Op::PathParent, &[path]) => store.path_parent(path)?,
            (Op::PathDepth, &[path]) => store.path_depth(path)?,
            (Op::PathSymbols, &[path]) => {
                let text = self.path_symbols(path);
                self.store.intern(&text)?
            }
            (Op::PathLeaf, &[path]) => match store.path_leaf(path)? {
                None => 0,
                Some(FrameWord::Name(name)) => name,
                Some(FrameWord::Code(address)) => self.frame_name(address)?,
            },

            (
                Op::StrCompare
                | Op::StrConcat
                | Op::StrLength
                | Op::StrIndex
                | Op::StrSubstr
                | Op::StrContains
                | Op::StrIsPrefix
                | Op::StrIsSuffix
                | Op::StrToInteger
                | Op::StrQuoted
                | Op::StrFirstToken
                | Op::StrAfterToken
                | Op::StrFromInteger
                | Op::StrMatch
                | Op::StrCapture,
                _,
            ) => crate::text::perform(store, operation, arguments)?,

            (
                Op::TargetString
                | Op::TargetBytes
                | Op::TargetCompare
                | Op::TargetStringCompare
                | Op::TargetStringCompareN
                | Op::TargetStringLength
                | Op::TargetReadable
                | Op::TargetCapture
                | Op::TargetHex,
                _,
            ) => self.target(operation, arguments)?,

            (Op::Printf, &[format, ref words @ ..]) => {
                let budget = store.limits.output;
                let room = budget.saturating_sub(store.output_used);
                let mut output = Output::new(room, budget, FaultKind::OutputExhausted, true);
                output.values = self.host.wants_values().then(Vec::new);
                let result = self.format(format, words, &mut output);
                self.print_values(&output.bytes, output.values.take());
                self.print(&output.bytes)?;
                nothing(result?)
            }
            (Op::Sprintf, &[format, ref words @ ..]) => {
                let room = store.limits.memory;
                let mut output = Output::new(room, room, FaultKind::MemoryExhausted, false);
                self.format(format, words, &mut output)?;
                self.store.intern(&output.bytes)?
            }
            (Op::PrintStr, &[text]) => {
                let mut safe = Vec::new();
                escape::terminal_into(&mut safe, store.text(text)?);
                let wanted = self.host.wants_values();
                let values = wanted.then(|| store.text(text).map(<[u8]>::to_vec));
                let values = values.transpose()?.map(|text| vec![Value::Str(text)]);
                let budget = store.limits.output;
                let room = budget.saturating_sub(store.output_used);
                let mut output = Output::new(room, budget, FaultKind::OutputExhausted, true);
                let result = output.text(&safe);
                self.print_values(&output.bytes, values);
                self.print(&output.bytes)?;
                nothing(result?)
            }
            (Op::Warn, &[text]) => {
                let text = shown(store, text)?;
                nothing(self.host.warn(&text)?)
            }
            (Op::Error, &[text]) => {
                return Err(Fault::new(FaultKind::Error).with_message(shown(store, text)?));
            }
            (Op::Raise, &[text]) => {
                return Err(Fault::new(FaultKind::Raised).with_message(shown(store, text)?));
            }
            (Op::AssertionFailed, &[text]) => {
                return Err(
                    Fault::new(FaultKind::AssertionFailed).with_message(shown(store, text)?)
                );
            }
            (Op::AssertEqual, &[name, left, right, tolerance]) => {
                let name = shown(store, name)?;
                let tolerance = u64::try_from(tolerance as i64).unwrap_or(0);
                nothing(
                    self.host
                        .assert_equal(&name, left as i64, right as i64, tolerance)?,
                )
            }
            (Op::Next, []) => return Err(Fault::new(FaultKind::Next)),
            (Op::Exit, []) => return Err(Fault::new(FaultKind::Exit)),

            (
                Op::NowNs
                | Op::Pid
                | Op::Tid
                | Op::ExecName
                | Op::IsLive
                | Op::TargetWords
                | Op::SymbolName
                | Op::ObjectBytes
                | Op::Register
                | Op::Backtrace
                | Op::BacktracePart
                | Op::ThreadLocal
                | Op::PageSize
                | Op::ResidentBytes
                | Op::UnsharedBytes
                | Op::SwappedBytes
                | Op::ProcessBytes
                | Op::CountersLag
                | Op::WatchedTime
                | Op::SpannedTime
                | Op::WatchedUntil
                | Op::Windows
                | Op::WindowTime
                | Op::WindowStands
                | Op::WindowSlowdown
                | Op::CgroupBytes
                | Op::Mappings
                | Op::Threads
                | Op::Modules
                | Op::RandomInteger
                | Op::HitRegister
                | Op::HitVector
                | Op::HitArgument
                | Op::HitFunction
                | Op::EntryValue
                | Op::SampleBytes,
                _,
            ) => self.world(operation, arguments)?,

            (Op::FaultKind | Op::FaultAddress | Op::FaultMessage | Op::FaultSpan, []) => {
                caught(store, operation)?
            }

            // A sign is dropped, even of a NaN.
            (Op::FloatAbs, &[x]) => f64::from_bits(x).abs().to_bits(),
            (Op::FloatSqrt, &[x]) => float(x, f64::sqrt),
            (Op::FloatLog, &[x]) => float(x, f64::ln),
            (Op::FloatFloor, &[x]) => float(x, f64::floor),
            (Op::FloatCeil, &[x]) => float(x, f64::ceil),
            (Op::FloatMod, &[x, y]) => float(x, |x| x % f64::from_bits(y)),
            (Op::FloatRemainder, &[x, y]) => float(x, |x| remainder(x, f64::from_bits(y))),
            (Op::FloatPow, &[x, y]) => float(x, |x| x.powf(f64::from_bits(y))),
            (operation, arguments) => return Err(wrong_arity(operation, arguments)),
        })
    }

    /// Gives the values of what is printed next, if there are any.
    fn print_values(&mut self, text: &[u8], values: Option<Vec<Value>>) {
        let values = values.unwrap_or_default();
        if !text.is_empty() && !values.is_empty() {
            self.host.print_values(values);
        }
    }

    /// Shows text that is within the output budget.
    fn print(&mut self, text: &[u8]) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        self.store.output_used += text.len() as u64;
        self.host.print(text)
    }

    fn target(&mut self, operation: Operation, arguments: &[u64]) -> Result<u64, Fault> {
        use Operation as Op;
        let limit = self.store.limits.string;
        let memory = &mut *self.memory;
        let (mut bytes, cut) = match (operation, arguments) {
            (Op::TargetString, &[address]) => target_bytes::c_string(memory, address, limit)?,
            (Op::TargetBytes, &[address, length]) => {
                target_bytes::range(memory, address, length, limit)?
            }
            (Op::TargetHex, &[address, length]) => {
                let (bytes, cut) = target_bytes::range(memory, address, length, limit)?;
                (target_bytes::dump(address, &bytes, cut), false)
            }
            (Op::TargetCompare, &[left, right, length]) => {
                return target_bytes::compare(memory, left, right, length, false).map(order);
            }
            (Op::TargetStringCompare, &[left, right]) => {
                return target_bytes::compare(memory, left, right, u64::MAX, true).map(order);
            }
            (Op::TargetStringCompareN, &[left, right, length]) => {
                return target_bytes::compare(memory, left, right, length, true).map(order);
            }
            (Op::TargetStringLength, &[address]) => return target_bytes::length(memory, address),
            (Op::TargetCapture, &[address, length, most]) => {
                let length = length.min(most);
                return target_bytes::readable(memory, address, length).map(u64::from);
            }
            (Op::TargetReadable, &[address, length]) => {
                return target_bytes::readable(memory, address, length).map(u64::from);
            }
            _ => return Err(wrong_arity(operation, arguments)),
        };
        if cut {
            bytes.extend_from_slice(target_bytes::CUT);
        }
        self.store.intern(&bytes)
    }

    /// A stack as a path.
    fn path_of(&mut self, stack: Stack) -> Result<u64, Fault> {
        let mut path = 0;
        if stack.truncated {
            let mark = self.store.intern(TRUNCATED)?;
            path = self.store.path_append(path, FrameWord::Name(mark))?;
        }
        self.store.path_append_stack(path, &stack.frames)
    }

    fn world(&mut self, operation: Operation, arguments: &[u64]) -> Result<u64, Fault> {
        use Operation as Op;
        match (operation, arguments) {
            (Op::NowNs, []) => Ok(self.host.now_ns()),
            (Op::Pid, []) => Ok(self.host.pid()),
            (Op::Tid, []) => Ok(self.host.tid()),
            (Op::ExecName, []) => {
                let name = self.host.execname();
                self.store.intern(&name)
            }
            (Op::IsLive, []) => Ok(u64::from(self.host.is_live())),
            (Op::TargetWords, []) => {
                let words = self.host.target_words();
                self.store.intern(&words)
            }
            (Op::SymbolName, &[address]) => self.symbol_name(address),
            (Op::ObjectBytes, &[address]) => {
                // -1 as a `long`.
                let bytes = self
                    .host
                    .object_bytes(address)
                    .and_then(|n| i64::try_from(n).ok());
                Ok(bytes.unwrap_or(-1).cast_unsigned())
            }
            (Op::Register, &[name, tid]) => {
                let name = String::from_utf8_lossy(self.store.text(name)?).into_owned();
                self.host.register(&name, tid)
            }
            (Op::Backtrace, &[tid]) => {
                let stack = self.host.backtrace(tid, self.memory)?;
                self.path_of(stack)
            }
            (Op::BacktracePart, &[end, pc, sp, bp]) => {
                let from = (pc != 0).then_some(Caller { pc, sp, bp });
                let stack = self.host.backtrace_part(end, from)?;
                self.path_of(stack)
            }
            (Op::ThreadLocal, &[variable, tid]) => {
                let variable = u32::try_from(variable)
                    .map_err(|_| internal("no such thread-local variable"))?;
                self.host.thread_local(variable, tid)
            }
            (Op::HitRegister, &[number]) => self.host.hit(HitQuestion::Register(number)),
            (Op::HitVector, &[number]) => self.host.hit(HitQuestion::Vector(number)),
            (Op::HitArgument, &[number]) => self.host.hit(HitQuestion::Argument(number)),
            (Op::HitFunction, []) => self.host.hit(HitQuestion::Function),
            (Op::EntryValue, &[index]) => self.host.hit(HitQuestion::Entry(index)),
            (Op::SampleBytes, &[every, bytes]) => {
                self.host.hit(HitQuestion::Sample { every, bytes })
            }
            (Op::PageSize, []) => Ok(self.memory.page_size()),
            (Op::ResidentBytes | Op::UnsharedBytes | Op::SwappedBytes, &[address, length]) => {
                let figure = match operation {
                    Op::ResidentBytes => PageFigure::Resident,
                    Op::UnsharedBytes => PageFigure::Unshared,
                    _ => PageFigure::Swapped,
                };
                let bytes = self.host.residency(address, length, figure);
                Ok(bytes.unwrap_or(u64::MAX))
            }
            (Op::ProcessBytes, &[field]) => {
                let field = shown(self.store, field)?;
                if !PROCESS_FIELDS.contains(&&*field) {
                    return Err(Fault::new(FaultKind::NotAvailable)
                        .with_message(format!("no figure of a process is called `{field}`")));
                }
                Ok(self.host.process_bytes(&field).unwrap_or(u64::MAX))
            }
            (Op::CountersLag, []) => Ok(self.host.counters_lag()),
            (Op::WatchedTime, []) => Ok(self.host.watched_ns()),
            (Op::SpannedTime, []) => Ok(self.host.spanned_ns()),
            (Op::WatchedUntil, []) => Ok(self.host.watched_until_ns()),
            (Op::Windows, []) => Ok(self.host.windows()),
            (Op::WindowTime, &[window]) => Ok(self.host.window_ns(window)),
            (Op::WindowStands, &[window]) => Ok(self.host.window_stands_ns(window)),
            (Op::WindowSlowdown, &[bound]) => {
                Ok(self.host.window_slowdown((bound as i64).cmp(&0)).to_bits())
            }
            (Op::CgroupBytes, &[figure]) => {
                let figure = shown(self.store, figure)?;
                Ok(self.host.cgroup_bytes(&figure)?.unwrap_or(u64::MAX))
            }
            (Op::Mappings, &[kind, proportional]) => {
                let records = self.host.mappings(proportional != 0)?;
                let array = self.store.container_new(container_type(kind)?)?;
                for record in &records {
                    let words = [
                        record.start,
                        record.end,
                        self.store.intern(record.perms.as_bytes())?,
                        record.offset,
                        self.store.intern(&record.file)?,
                        record.rss.unwrap_or(u64::MAX),
                        record.pss.unwrap_or(u64::MAX),
                        record.swap.unwrap_or(u64::MAX),
                        record.anon.unwrap_or(u64::MAX),
                        record.unshared.unwrap_or(u64::MAX),
                        record.hugetlb.unwrap_or(u64::MAX),
                        record.device,
                        record.inode,
                        record.dumped,
                    ];
                    self.push_record(array, &words)?;
                }
                Ok(array)
            }
            (Op::Threads, &[kind]) => {
                let records = self.host.threads()?;
                let array = self.store.container_new(container_type(kind)?)?;
                for record in &records {
                    let words = [
                        record.tid,
                        self.store.intern(&record.name)?,
                        self.store.intern(record.state.as_bytes())?,
                        record.sp,
                    ];
                    self.push_record(array, &words)?;
                }
                Ok(array)
            }
            (Op::Modules, &[kind]) => {
                let records = self.host.modules()?;
                let array = self.store.container_new(container_type(kind)?)?;
                for record in &records {
                    let words = [
                        self.store.intern(&record.name)?,
                        self.store.intern(&record.path)?,
                        record.start,
                        record.end,
                        self.store.intern(record.build_id.as_bytes())?,
                    ];
                    self.push_record(array, &words)?;
                }
                Ok(array)
            }
            (Op::RandomInteger, &[limit]) => Ok(self.store.random_below(limit)),
            _ => Err(wrong_arity(operation, arguments)),
        }
    }

    fn push_record(&mut self, array: u64, words: &[u64]) -> Result<(), Fault> {
        let row = self.store.array_push(array)?;
        let bytes = self
            .store
            .row_mut(array, row)
            .filter(|bytes| bytes.len() == words.len() * 8)
            .ok_or_else(|| internal("a record array of another layout"))?;
        bytes.copy_from_slice(bytemuck::cast_slice(words));
        Ok(())
    }

    /// As [`Machine::symbol_name`], but code without a name is `module+0x10`.
    fn frame_name(&mut self, address: u64) -> Result<u64, Fault> {
        let named = self.host.symbol_name(address);
        match named.or_else(|| self.host.module_place(address)) {
            Some(name) => self.store.intern(name.as_bytes()),
            None => self.symbol_name(address),
        }
    }

    /// `name`, `name+0x10`, or the address in hexadecimal.
    fn symbol_name(&mut self, address: u64) -> Result<u64, Fault> {
        match self.host.symbol_name(address) {
            Some(name) => self.store.intern(name.as_bytes()),
            None => self.store.intern(format!("{address:#x}").as_bytes()),
        }
    }
}

fn caught(store: &mut Store, operation: Operation) -> Result<u64, Fault> {
    let Some(caught) = store.caught().cloned() else {
        return Ok(0);
    };
    match operation {
        Operation::FaultAddress => Ok(caught.fault.address.unwrap_or(0)),
        Operation::FaultMessage => match &caught.fault.message {
            Some(message) => store.intern(message.as_bytes()),
            None => store.intern(caught.fault.kind.name().as_bytes()),
        },
        Operation::FaultSpan => store.intern(caught.location.as_bytes()),
        _ => store.intern(caught.fault.kind.name().as_bytes()),
    }
}

/// A string of the program for people: one that terminals do not obey.
fn shown(store: &Store, handle: u64) -> Result<String, Fault> {
    let mut safe = Vec::new();
    escape::terminal_into(&mut safe, store.text(handle)?);
    Ok(String::from_utf8_lossy(&safe).into_owned())
}

fn container_type(word: u64) -> Result<ContainerTypeId, Fault> {
    u32::try_from(word)
        .map(ContainerTypeId)
        .map_err(|_| internal("no such container type"))
}

/// The IEEE remainder: `x − n·y` with `n` the integer nearest to `x / y`, ties to even.
fn remainder(x: f64, y: f64) -> f64 {
    if y == 0.0 || !x.is_finite() || y.is_nan() {
        return f64::NAN;
    }
    if y.is_infinite() {
        return x;
    }
    let y = y.abs();
    // Exact in every step: `rest` is x modulo 2y, so at most two y have to come off. When 2y
    // overflows, |x| is less than 2y as it stands.
    let mut rest = x.abs();
    if (y + y).is_finite() {
        rest %= y + y;
    }
    // Halving is exact unless y is subnormal; then doubling is.
    let beyond = |rest: f64, ties: bool| {
        let (left, right) = if y < 2.0 * f64::MIN_POSITIVE {
            (rest + rest, y)
        } else {
            (rest, 0.5 * y)
        };
        left > right || (ties && left == right)
    };
    if beyond(rest, false) {
        rest -= y;
        if rest >= 0.0 && beyond(rest, true) {
            rest -= y;
        }
    }
    if x.is_sign_negative() { -rest } else { rest }
}

/// A function of a float. As with arithmetic, there is one NaN.
fn float(word: u64, function: impl Fn(f64) -> f64) -> u64 {
    canonical64(function(f64::from_bits(word)))
}

fn order(ordering: Ordering) -> u64 {
    ordering as i8 as u64
}

fn nothing((): ()) -> u64 {
    0
}

/// An operation that was called with arguments it does not take.
#[cold]
pub(crate) fn wrong_arity(operation: Operation, arguments: &[u64]) -> Fault {
    internal(&format!(
        "{operation:?} does not take {} arguments",
        arguments.len()
    ))
}
