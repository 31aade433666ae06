//! The operations that programs call.
//!
//! An operation takes 64-bit words and gives at most one. Integers are sign- or zero-extended;
//! `f64` travels as its bits; strings, paths and containers as handles; a row of a container is
//! an opaque word that is valid until the next operation on any container. `_str` handle 0 is
//! the empty string and `_path` handle 0 the empty path, so zeroed memory holds valid values.
//! Strings and paths are interned: equal handles are equal values and unequal ones unequal.

/// No row: what a look-up gives when a key is absent or an iteration has ended.
pub const NO_ROW: u64 = u64::MAX;

/// One operation. The comment gives `(arguments) -> result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Operation {
    // Strings.
    /// `(a, b) -> -1 | 0 | 1` (as a signed word), by bytes.
    StrCompare,
    /// `(a, b) -> str`.
    StrConcat,
    /// `(s) -> bytes`.
    StrLength,
    /// `(s, index) -> byte`; faults when the index is outside.
    StrIndex,
    /// `(s, start, length) -> str`; out-of-range parts are cut off.
    StrSubstr,
    /// `(s, part) -> 0 | 1`.
    StrContains,
    /// `(s, prefix) -> 0 | 1`: whether `s` begins with `prefix`.
    StrIsPrefix,
    /// `(s, suffix) -> 0 | 1`.
    StrIsSuffix,
    /// `(s, base) -> signed`: as C's `strtoll`, saturating.
    StrToInteger,
    /// `(s) -> str`: with C escapes and quotes.
    StrQuoted,
    /// `(s, delimiters) -> str`: the first token.
    StrFirstToken,
    /// `(s, delimiters) -> str`: what follows the first token.
    StrAfterToken,
    /// `(value, signed: 0|1) -> str`: decimal.
    StrFromInteger,
    /// `(s, regex index) -> 0 | 1`; keeps the captures.
    StrMatch,
    /// `(n) -> str`: capture `n` of the last successful match, or empty.
    StrCapture,

    // Bytes of the target.
    /// `(address) -> str`: up to the first NUL or `--max-string`; a cut is marked.
    TargetString,
    /// `(address, length) -> str`: that many bytes, or `--max-string`; a cut is marked.
    TargetBytes,
    /// `(p, q, length) -> -1 | 0 | 1`.
    TargetCompare,
    /// `(p, q) -> -1 | 0 | 1`: C strings, bounded.
    TargetStringCompare,
    /// `(p, q, n) -> -1 | 0 | 1`: C strings, at most `n` bytes.
    TargetStringCompareN,
    /// `(p) -> bytes`: as `strlen`, bounded by `--max-string`-independent 1 MiB; faults beyond.
    TargetStringLength,
    /// `(p, length) -> 0 | 1`: whether all of it can be read.
    TargetReadable,
    /// `(address, length, most) -> 0 or 1`: whether so many bytes can be read; at a hit these are captured.
    TargetCapture,
    /// `(p, length) -> str`: a hexadecimal dump.
    TargetHex,

    // Paths.
    /// `(path, str) -> path`.
    PathAppendStr,
    /// `(path, code address) -> path`.
    PathAppendCode,
    /// `(path, path) -> path`.
    PathAppendPath,
    /// `(path) -> path`: without its leaf.
    PathParent,
    /// `(path) -> str`: the leaf's name.
    PathLeaf,
    /// `(path) -> frames`.
    PathDepth,
    /// `(path) -> str`: the names of its frames, one a line, the leaf first.
    PathSymbols,

    // Containers.
    /// `(container type index) -> container`.
    ContainerNew,
    /// `() -> mark`: remembers which containers and iterators exist.
    ContainerMark,
    /// `(mark)`: frees local containers and iterators made since.
    ContainerRelease,
    /// `(container) -> elements`.
    ContainerLength,
    /// `(container)`: empties it.
    ContainerClear,
    /// `(table, key words…) -> row | NO_ROW`.
    TableFind,
    /// `(table, key words…) -> row`: a zeroed row is inserted when the key is absent.
    TableInsert,
    /// `(table, key words…) -> 0 | 1`: whether the key was there.
    TableDelete,
    /// `(array, index) -> row`; faults outside.
    ArrayIndex,
    /// `(array) -> row`: a zeroed element appended.
    ArrayPush,
    /// `(array) -> row`: the removed last element, readable until the next container operation.
    ArrayPop,
    /// `(array) -> row`: the removed first element, likewise; O(1).
    ArrayShift,
    /// `(array) -> row`: a zeroed element put in front.
    ArrayUnshift,
    /// `(container) -> iterator` over the elements present now, in order.
    IteratorNew,
    /// `(iterator) -> row | NO_ROW`: the next element that still exists.
    IteratorNext,
    /// `(iterator, key, kind)`: the sort key of the row that `IteratorNext` gave last;
    /// kind 0 signed, 1 unsigned, 2 `f64` bits, 3 string, 4 path.
    IteratorSortKey,
    /// `(iterator, descending: 0|1)`: sorts (stable) by the keys given and starts again.
    IteratorSort,
    /// `(iterator, limit)`: ends after so many elements.
    IteratorLimit,
    /// `(iterator) -> position`: the index, counted from 0 at the start of the container, of
    /// the element that `IteratorNext` gave last.
    IteratorPosition,
    /// `(array, iterator)`: puts the array into the iterator's order (`_sort`).
    ArrayReorder,
    /// `(table or array, offset of a value in its row in bytes, kind) -> sum | min | max as signed
    /// words` over the rows; kinds as for `IteratorSortKey`. Empty containers give 0.
    TableSum,
    /// See [`Operation::TableSum`].
    TableMin,
    /// See [`Operation::TableSum`].
    TableMax,

    // Aggregates.
    /// `(aggregate, signed value, times)`.
    AggregateAdd,
    /// `(aggregate) -> count`.
    AggregateCount,
    /// `(aggregate) -> signed sum` (wraps).
    AggregateSum,
    /// `(aggregate) -> signed minimum`, 0 when empty.
    AggregateMin,
    /// `(aggregate) -> signed maximum`, 0 when empty.
    AggregateMax,
    /// `(aggregate) -> signed average`, towards zero, 0 when empty.
    AggregateAverage,
    /// `(aggregate) -> signed variance`, 0 when empty.
    AggregateVariance,
    /// `(aggregate) -> str`: a histogram of powers of two, one line a row.
    AggregateHistogramLog,
    /// `(aggregate, low, high, step) -> str`: a histogram of equal steps, all signed.
    AggregateHistogramLinear,
    /// `(container) -> str`: what it holds, as `%V` writes values; long ones are cut, and the cut
    /// is marked.
    ContainerText,

    // Output.
    /// `(format index, words…)`.
    Printf,
    /// `(format index, words…) -> str`.
    Sprintf,
    /// `(str)`: prints the string.
    PrintStr,
    /// `(str)`: a warning of the probe.
    Warn,
    /// `(str)`: ends the session with a failure.
    Error,
    /// `(str)`: raises a catchable fault.
    Raise,
    /// `(str)`: faults as a failed `assert`.
    AssertionFailed,
    /// `(name, a, b, tolerance)`.
    AssertEqual,
    /// `()`: ends this run of the handler.
    Next,
    /// `()`: ends the session.
    Exit,

    // The world.
    /// `() -> nanoseconds`.
    NowNs,
    /// `() -> pid`.
    Pid,
    /// `() -> tid`.
    Tid,
    /// `() -> str`.
    ExecName,
    /// `() -> 0 or 1`: whether the target is a process, and not what one has left.
    IsLive,
    /// `() -> str`: the words that name the target on a command line.
    TargetWords,
    /// `(address) -> str`: `name`, `name+0x10` or the address in hexadecimal.
    SymbolName,
    /// `(address) -> bytes`, all ones where they cannot be known.
    ObjectBytes,
    /// `(name, tid) -> word`.
    Register,
    /// `(tid) -> path`.
    Backtrace,
    /// `(end, pc, sp, bp) -> path`: the part of the stack of the hit from these registers (from the hit where `pc` is 0) to the frame whose
    /// stack pointer has come to `end`.
    BacktracePart,
    /// `(variable index, tid) -> address`.
    ThreadLocal,
    /// `() -> bytes`: the size of a page of the target.
    PageSize,
    /// `(address, length) -> bytes`, or -1: whole pages of a range that are in memory.
    ResidentBytes,
    /// `(address, length) -> bytes`, or -1: those of them that no other process maps.
    UnsharedBytes,
    /// `(address, length) -> bytes`, or -1: whole pages of a range that are on swap.
    SwappedBytes,
    /// `(field) -> bytes`, or -1: of `/proc/PID/status` or `smaps_rollup`; fails for a name that is not known.
    ProcessBytes,
    /// `() -> bytes`: how far the kernel's counts of what is resident may lag.
    CountersLag,
    /// `() -> nanoseconds`: how long probes on events have been watching.
    WatchedTime,
    /// `() -> nanoseconds`: the time over which they have watched, with the pauses between.
    SpannedTime,
    /// `() -> nanoseconds`: when they ended to watch, on the monotonic clock; now where they have not.
    WatchedUntil,
    /// `() -> number`: how often they have begun to watch.
    Windows,
    /// `(window) -> nanoseconds`: how long one of these was, or with 0 all that are over.
    WindowTime,
    /// `(window) -> nanoseconds`: the time that it stands for.
    WindowStands,
    /// `(below, at or above 0) -> double`: how many times as long what the target did took it in windows: the least, what is likely, or the most.
    WindowSlowdown,
    /// `(figure) -> bytes`, or -1: of the control group that accounts the target's memory.
    CgroupBytes,
    /// `(container type index, whether proportional shares are wanted) -> array` of `{start, end, perms, offset, file, rss, pss, swap,
    /// anon, unshared, hugetlb, device, inode, dumped}`, eight bytes each.
    Mappings,
    /// `(container type index) -> array` of `{tid, name, state, sp}`, eight bytes each.
    Threads,
    /// `(container type index) -> array` of `{name, path, start, end, build_id}`, eight bytes
    /// each.
    Modules,
    /// `(limit) -> 0 ≤ n < limit`.
    RandomInteger,

    // The hit of a probe on an event: only handlers of such probes have these.
    /// `(number) -> word`: a general register as of the hit, numbered as DWARF numbers them on the target's architecture.
    HitRegister,
    /// `(number) -> the bits of the low 64 bits` of a vector register, numbered from 0.
    HitVector,
    /// `(n) -> word`: argument `n`, from 0, of a static probe.
    HitArgument,
    /// `() -> address` at which the function that was hit begins; 0 where the point is no function's.
    HitFunction,
    /// `(n) -> word`: what the `n`-th entry value of the probe was when the function was entered.
    EntryValue,
    /// `(every, bytes) -> weight`, or 0 where this hit is not of the sample.
    SampleBytes,

    // The fault that a `_catch` caught last.
    /// `() -> str`.
    FaultKind,
    /// `() -> address`.
    FaultAddress,
    /// `() -> str`.
    FaultMessage,
    /// `() -> str`: file, line and column.
    FaultSpan,

    // Mathematics, on the bits of `f64`.
    /// `(x) -> |x|`.
    FloatAbs,
    /// `(x, y) -> x - n*y`, n towards zero.
    FloatMod,
    /// `(x, y) -> IEEE remainder`.
    FloatRemainder,
    /// `(x) -> square root`.
    FloatSqrt,
    /// `(x) -> natural logarithm`.
    FloatLog,
    /// `(x) -> floor`.
    FloatFloor,
    /// `(x) -> ceiling`.
    FloatCeil,
    /// `(x, y) -> x to the power of y`.
    FloatPow,
}

impl Operation {
    /// Whether it reads the target's memory, or asks for its threads, mappings or pages. Whether [`Operation::Printf`] and
    /// [`Operation::Sprintf`] do depends on the format.
    pub fn looks_at_target(self) -> bool {
        // Each is named, so that a new one is not forgotten.
        match self {
            // What a container holds may be pointers to strings.
            Operation::TargetString
            | Operation::TargetBytes
            | Operation::TargetCompare
            | Operation::TargetStringCompare
            | Operation::TargetStringCompareN
            | Operation::TargetStringLength
            | Operation::TargetReadable
            | Operation::TargetCapture
            | Operation::TargetHex
            | Operation::ContainerText
            | Operation::ObjectBytes
            | Operation::Register
            | Operation::Backtrace
            | Operation::BacktracePart
            | Operation::ThreadLocal
            | Operation::ResidentBytes
            | Operation::UnsharedBytes
            | Operation::SwappedBytes
            | Operation::ProcessBytes
            | Operation::CountersLag
            | Operation::WatchedTime
            | Operation::SpannedTime
            | Operation::WatchedUntil
            | Operation::Windows
            | Operation::WindowTime
            | Operation::WindowStands
            | Operation::WindowSlowdown
            | Operation::CgroupBytes
            | Operation::Mappings
            | Operation::Threads
            | Operation::Modules => true,
            Operation::StrCompare
            | Operation::StrConcat
            | Operation::StrLength
            | Operation::StrIndex
            | Operation::StrSubstr
            | Operation::StrContains
            | Operation::StrIsPrefix
            | Operation::StrIsSuffix
            | Operation::StrToInteger
            | Operation::StrQuoted
            | Operation::StrFirstToken
            | Operation::StrAfterToken
            | Operation::StrFromInteger
            | Operation::StrMatch
            | Operation::StrCapture
            | Operation::PathAppendStr
            | Operation::PathAppendCode
            | Operation::PathAppendPath
            | Operation::PathParent
            | Operation::PathLeaf
            | Operation::PathDepth
            | Operation::PathSymbols
            | Operation::ContainerNew
            | Operation::ContainerMark
            | Operation::ContainerRelease
            | Operation::ContainerLength
            | Operation::ContainerClear
            | Operation::TableFind
            | Operation::TableInsert
            | Operation::TableDelete
            | Operation::ArrayIndex
            | Operation::ArrayPush
            | Operation::ArrayPop
            | Operation::ArrayShift
            | Operation::ArrayUnshift
            | Operation::IteratorNew
            | Operation::IteratorNext
            | Operation::IteratorSortKey
            | Operation::IteratorSort
            | Operation::IteratorLimit
            | Operation::IteratorPosition
            | Operation::ArrayReorder
            | Operation::TableSum
            | Operation::TableMin
            | Operation::TableMax
            | Operation::AggregateAdd
            | Operation::AggregateCount
            | Operation::AggregateSum
            | Operation::AggregateMin
            | Operation::AggregateMax
            | Operation::AggregateAverage
            | Operation::AggregateVariance
            | Operation::AggregateHistogramLog
            | Operation::AggregateHistogramLinear
            | Operation::Printf
            | Operation::Sprintf
            | Operation::PrintStr
            | Operation::Warn
            | Operation::Error
            | Operation::Raise
            | Operation::AssertionFailed
            | Operation::AssertEqual
            | Operation::Next
            | Operation::Exit
            | Operation::NowNs
            | Operation::Pid
            | Operation::Tid
            | Operation::ExecName
            | Operation::IsLive
            | Operation::TargetWords
            | Operation::SymbolName
            | Operation::PageSize
            | Operation::RandomInteger
            | Operation::HitRegister
            | Operation::HitVector
            | Operation::HitArgument
            | Operation::HitFunction
            | Operation::EntryValue
            | Operation::SampleBytes
            | Operation::FaultKind
            | Operation::FaultAddress
            | Operation::FaultMessage
            | Operation::FaultSpan
            | Operation::FloatAbs
            | Operation::FloatMod
            | Operation::FloatRemainder
            | Operation::FloatSqrt
            | Operation::FloatLog
            | Operation::FloatFloor
            | Operation::FloatCeil
            | Operation::FloatPow => false,
        }
    }
}
