//! The built-in functions and records, as a table that the checker and the reference read.

use ytrace_values::Operation;

/// What a parameter takes, or what a call gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing.
    Void,
    /// `int`.
    Int,
    /// `long`.
    Long,
    /// `unsigned long`.
    UnsignedLong,
    /// `float`.
    Float,
    /// `double`.
    Double,
    /// `_str`.
    Str,
    /// `_path`.
    Path,
    /// Any pointer into the target; as a result `void *`.
    Pointer,
    /// A scalar of any type.
    Scalar,
    /// A value of any type.
    Any,
    /// A table, an array or an aggregate.
    Container,
    /// A growing array.
    Array,
    /// A variable of type `_str`.
    StrVariable,
    /// A variable of the target.
    TargetVariable,
    /// A format of `printf` and what it asks for.
    Format,
    /// What the arguments say.
    Depends,
}

impl Kind {
    /// How the reference writes it.
    pub fn written(self) -> &'static str {
        match self {
            Kind::Void => "void",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::UnsignedLong => "unsigned long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Str => "_str",
            Kind::Path => "_path",
            Kind::Pointer => "void *",
            Kind::Scalar => "scalar",
            Kind::Any => "any",
            Kind::Container => "container",
            Kind::Array => "T[]",
            Kind::StrVariable => "_str variable",
            Kind::TargetVariable => "variable",
            Kind::Format => "format, …",
            Kind::Depends => "T",
        }
    }
}

/// What a call of a built-in does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Carries out an operation on the converted arguments.
    Operation(Operation),
    /// Carries out an operation on `double`s and converts the result to `float`.
    FloatOperation(Operation),
    /// The time in units of so many nanoseconds.
    Time(u64),
    /// A register of the thread by this name.
    Register(&'static str),
    /// An operation on any container.
    OnContainer(Operation),
    /// An operation on an aggregate and converted arguments.
    OnAggregate(Operation),
    /// `_count`, `_sum` …: on aggregates the first operation, on tables the second.
    Reduce(Operation, Option<Operation>),
    /// A fresh array of the built-in record of this name.
    Listing(Operation, &'static str),
    /// Appends; whether at the front.
    Append(bool),
    /// Removes; whether from the front.
    Take(bool),
    /// A message, formatted if more follows or if it is a literal.
    Message(Operation),
    /// Has its own rules.
    Special(Special),
}

/// Built-ins with rules of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Special {
    Printf,
    Sprintf,
    Print,
    Puts,
    ToString,
    ToStringQuoted,
    Length,
    ChopToken,
    MemoryCompare,
    StringCompare,
    StringCompareN,
    StringLength,
    SymbolAddress,
    SymbolizedPath,
    ThreadLocal,
    Register,
    Assert,
    AssertEqual,
    EntryValue,
    HitArgument,
    HitFunction,
    SampleBytes,
}

/// One built-in function.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The name.
    pub name: &'static str,
    /// Names and kinds of the parameters.
    pub parameters: &'static [(&'static str, Kind)],
    /// How many of them must be given. A missing thread id is that of the handler, a missing
    /// base is 10.
    pub required: usize,
    /// What a call gives.
    pub result: Kind,
    /// What it does.
    pub meaning: Meaning,
    /// One line for the reference.
    pub summary: &'static str,
}

/// A record that a built-in gives; each field takes eight bytes.
#[derive(Clone, Copy, Debug)]
pub struct BuiltinRecord {
    /// The name of the type.
    pub name: &'static str,
    /// Fields in order.
    pub fields: &'static [(&'static str, Kind)],
}

/// The built-in records.
pub const RECORDS: &[BuiltinRecord] = &[
    BuiltinRecord {
        name: "_fault",
        fields: &[
            ("kind", Kind::Str),
            ("addr", Kind::Pointer),
            ("message", Kind::Str),
            ("span", Kind::Str),
        ],
    },
    BuiltinRecord {
        name: "_map",
        fields: &[
            ("start", Kind::Pointer),
            ("end", Kind::Pointer),
            ("perms", Kind::Str),
            ("offset", Kind::UnsignedLong),
            ("file", Kind::Str),
            ("rss", Kind::Long),
            ("pss", Kind::Long),
            ("swap", Kind::Long),
            ("anon", Kind::Long),
            ("unshared", Kind::Long),
            ("hugetlb", Kind::Long),
            ("device", Kind::UnsignedLong),
            ("inode", Kind::UnsignedLong),
            ("dumped", Kind::Long),
        ],
    },
    BuiltinRecord {
        name: "_thread",
        fields: &[
            ("tid", Kind::Long),
            ("name", Kind::Str),
            ("state", Kind::Str),
            ("sp", Kind::Pointer),
        ],
    },
    BuiltinRecord {
        name: "_loaded_module",
        fields: &[
            ("name", Kind::Str),
            ("path", Kind::Str),
            ("start", Kind::Pointer),
            ("end", Kind::Pointer),
            ("build_id", Kind::Str),
        ],
    },
];

/// Finds a built-in by name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// How a built-in is called: its result, its name, and its parameters, those in brackets that may be left out.
pub fn usage(name: &str) -> Option<String> {
    let builtin = find(name)?;
    let join = |left: &str, right: &str| match left.ends_with('*') {
        true => format!("{left}{right}"),
        false => format!("{left} {right}"),
    };
    let mut text = format!("{}(", join(builtin.result.written(), name));
    for (index, (parameter, kind)) in builtin.parameters.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let parameter = match kind {
            Kind::Format => kind.written().to_owned(),
            kind => join(kind.written(), parameter),
        };
        text.push_str(&match index >= builtin.required {
            true => format!("[{comma}{parameter}]"),
            false => format!("{comma}{parameter}"),
        });
    }
    text.push(')');
    Some(text)
}

/// The names of all built-ins.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|builtin| builtin.name)
}

const fn entry(
    name: &'static str,
    parameters: &'static [(&'static str, Kind)],
    result: Kind,
    meaning: Meaning,
    summary: &'static str,
) -> Builtin {
    Builtin {
        name,
        parameters,
        required: parameters.len(),
        result,
        meaning,
        summary,
    }
}

const fn optional(required: usize, builtin: Builtin) -> Builtin {
    Builtin {
        required,
        ..builtin
    }
}

use Kind as K;
use Meaning::{Append, Listing, Message, OnAggregate, OnContainer, Reduce, Register, Take, Time};
use Operation as O;

const fn plain(operation: Operation) -> Meaning {
    Meaning::Operation(operation)
}

const fn single(operation: Operation) -> Meaning {
    Meaning::FloatOperation(operation)
}

const fn special(special: Special) -> Meaning {
    Meaning::Special(special)
}

const ONE_DOUBLE: &[(&str, Kind)] = &[("x", K::Double)];
const TWO_DOUBLES: &[(&str, Kind)] = &[("x", K::Double), ("y", K::Double)];
const TWO_STRINGS: &[(&str, Kind)] = &[("s", K::Str), ("part", K::Str)];
const CONTAINER: &[(&str, Kind)] = &[("c", K::Container)];
const THREAD: &[(&str, Kind)] = &[("tid", K::Long)];
const COMPARED: &[(&str, Kind)] = &[("p", K::Any), ("q", K::Any)];
const COMPARED_N: &[(&str, Kind)] = &[("p", K::Any), ("q", K::Any), ("n", K::UnsignedLong)];

/// The built-in functions, grouped as the reference shows them.
#[rustfmt::skip]
pub const BUILTINS: &[Builtin] = &[
    // Output.
    entry("printf", &[("format", K::Format)], K::Void, special(Special::Printf), "Prints by a format."),
    entry("sprintf", &[("format", K::Format)], K::Str, special(Special::Sprintf), "A string made by a format."),
    entry("_print", &[("values", K::Any)], K::Void, special(Special::Print), "Prints values one after another."),
    entry("puts", &[("s", K::Str)], K::Void, special(Special::Puts), "Prints a string and a line end."),
    // Strings.
    optional(1, entry("_tostr", &[("value", K::Any), ("n", K::UnsignedLong)], K::Str, special(Special::ToString), "A copy of text of the target, up to NUL or n bytes; or the digits of a number.")),
    optional(1, entry("_tostr_quoted", &[("value", K::Any), ("n", K::UnsignedLong)], K::Str, special(Special::ToStringQuoted), "The same with C's escapes, in quotes.")),
    entry("_contains", TWO_STRINGS, K::Int, plain(O::StrContains), "Whether a string holds another."),
    entry("_isprefix", &[("s", K::Str), ("prefix", K::Str)], K::Int, plain(O::StrIsPrefix), "Whether a string begins with another."),
    entry("_issuffix", &[("s", K::Str), ("suffix", K::Str)], K::Int, plain(O::StrIsSuffix), "Whether a string ends in another."),
    entry("_substr", &[("s", K::Str), ("start", K::Long), ("length", K::Long)], K::Str, plain(O::StrSubstr), "A part of a string; what lies outside is cut off."),
    optional(1, entry("_strtol", &[("s", K::Str), ("base", K::Long)], K::Long, plain(O::StrToInteger), "The number that a string begins with.")),
    entry("_chop_token", &[("s", K::StrVariable), ("delimiters", K::Str)], K::Str, special(Special::ChopToken), "Cuts the first token off a string variable and gives it."),
    entry("_len", &[("value", K::Any)], K::Long, special(Special::Length), "Bytes of a string, elements of a container or an array."),
    entry("_hex", &[("p", K::Pointer), ("n", K::UnsignedLong)], K::Str, plain(O::TargetHex), "A hexadecimal dump of memory of the target."),
    entry("memcmp", COMPARED_N, K::Int, special(Special::MemoryCompare), "Compares bytes, of the target or of a string."),
    entry("strcmp", COMPARED, K::Int, special(Special::StringCompare), "Compares text, of the target or of a string."),
    entry("strncmp", COMPARED_N, K::Int, special(Special::StringCompareN), "The same over at most n bytes."),
    entry("strlen", &[("p", K::Any)], K::UnsignedLong, special(Special::StringLength), "The length of text."),
    // Paths.
    entry("_parent", &[("path", K::Path)], K::Path, plain(O::PathParent), "A path without its leaf."),
    entry("_leaf", &[("path", K::Path)], K::Str, plain(O::PathLeaf), "The name of a path's last frame."),
    entry("_depth", &[("path", K::Path)], K::Long, plain(O::PathDepth), "The number of frames."),
    // Containers.
    entry("_elems", CONTAINER, K::Long, special(Special::Length), "The number of elements."),
    entry("_push", &[("a", K::Array), ("value", K::Any)], K::Void, Append(false), "Appends to an array."),
    entry("_unshift", &[("a", K::Array), ("value", K::Any)], K::Void, Append(true), "Puts in front of an array."),
    entry("_pop", &[("a", K::Array)], K::Depends, Take(false), "Takes the last element; faults when empty."),
    entry("_shift", &[("a", K::Array)], K::Depends, Take(true), "Takes the first element; faults when empty."),
    entry("_clear", CONTAINER, K::Void, OnContainer(O::ContainerClear), "Empties a container."),
    entry("_count", CONTAINER, K::Long, Reduce(O::AggregateCount, Some(O::ContainerLength)), "How many values an aggregate has seen, or keys a table has."),
    entry("_sum", CONTAINER, K::Depends, Reduce(O::AggregateSum, Some(O::TableSum)), "The sum of an aggregate, a table or an array, or of one member of its structs (`_sum(t.bytes)`)."),
    entry("_min", CONTAINER, K::Depends, Reduce(O::AggregateMin, Some(O::TableMin)), "The least value; 0 when empty."),
    entry("_max", CONTAINER, K::Depends, Reduce(O::AggregateMax, Some(O::TableMax)), "The greatest value; 0 when empty."),
    entry("_avg", CONTAINER, K::Long, Reduce(O::AggregateAverage, None), "The average of an aggregate, towards zero."),
    entry("_variance", CONTAINER, K::Long, Reduce(O::AggregateVariance, None), "The variance of an aggregate as a sample (divisor n − 1), towards zero; 0 for fewer than two values."),
    entry("_hist_log", CONTAINER, K::Str, OnAggregate(O::AggregateHistogramLog), "A histogram of an aggregate by powers of two, as text."),
    entry("_hist_linear", &[("c", K::Container), ("low", K::Long), ("high", K::Long), ("step", K::Long)], K::Str, OnAggregate(O::AggregateHistogramLinear), "A histogram of an aggregate by equal steps, as text; values outside have a row at each end; `≈` marks estimates."),
    // The process.
    optional(0, entry("_maps", &[("pss", K::Int)], K::Depends, Listing(O::Mappings, "_map"), "The mappings of the process. Figures that are not known are -1. So is `pss` unless it is asked for, `_maps(1)`, which may hold up a target that maps memory.")),
    entry("_threads", &[], K::Depends, Listing(O::Threads, "_thread"), "Its threads."),
    entry("_modules", &[], K::Depends, Listing(O::Modules, "_loaded_module"), "Its modules."),
    entry("_readable", &[("p", K::Pointer), ("n", K::UnsignedLong)], K::Int, plain(O::TargetReadable), "Whether all of a range can be read."),
    entry("_capture", &[("p", K::Pointer), ("n", K::UnsignedLong), ("most", K::UnsignedLong)], K::Int, plain(O::TargetCapture), "At the hit of an event, captures n bytes, of which `most`, a constant, is the greatest number, for `_late` functions to read; whether all of them could be read."),
    entry("_object_bytes", &[("p", K::Pointer)], K::Long, plain(O::ObjectBytes), "Bytes that the kernel holds for the shared memory (or the file) mapped there, whoever uses them; -1 where that cannot be known."),
    entry("_page_size", &[], K::UnsignedLong, plain(O::PageSize), "Bytes of a page of the target's memory."),
    entry("_resident", &[("p", K::Pointer), ("n", K::UnsignedLong)], K::Long, plain(O::ResidentBytes), "Bytes of the pages that lie in a range as a whole and are in memory now; -1 where that cannot be known."),
    entry("_unshared", &[("p", K::Pointer), ("n", K::UnsignedLong)], K::Long, plain(O::UnsharedBytes), "Of these, bytes of pages that no other process maps; -1 where that cannot be known."),
    entry("_swapped", &[("p", K::Pointer), ("n", K::UnsignedLong)], K::Long, plain(O::SwappedBytes), "Bytes of the pages that lie in a range as a whole and are on swap; -1 where that cannot be known."),
    entry("_process_bytes", &[("field", K::Str)], K::Long, plain(O::ProcessBytes), "A field of `/proc/PID/status` (`VmRSS`, `VmSwap`, `RssAnon`, …) or of `smaps_rollup` (`Rss`, `Pss`, …), in bytes; -1 where this process or this kernel has none of that name."),
    entry("_counters_lag", &[], K::Long, plain(O::CountersLag), "How many bytes `VmRSS` and `VmSwap` may be from what is in memory and on swap: up to Linux 6.16 each processor keeps some of the count to itself."),
    entry("_cgroup_bytes", &[("figure", K::Str)], K::Long, plain(O::CgroupBytes), "The control group's memory: its `usage`, `peak` and `swap`, and the `limit`, the least of it and those above it; -1 where that cannot be known or there is none."),
    entry("_usym", &[("p", K::Pointer)], K::Str, plain(O::SymbolName), "The name of what lies at an address."),
    entry("_uaddr", &[("name", K::Str)], K::Pointer, special(Special::SymbolAddress), "The address of a function or variable by its name, a constant."),
    optional(0, entry("_ubt", THREAD, K::Path, plain(O::Backtrace), "The call stack of a thread; its leaf is the current function.")),
    entry("_ubt_part", &[("end", K::UnsignedLong), ("pc", K::UnsignedLong), ("sp", K::UnsignedLong), ("bp", K::UnsignedLong)], K::Path, plain(O::BacktracePart), "A part of the call stack of the thread that was hit: from the hit or, where `pc` is not 0, from the caller that has these registers, up to the frame whose stack pointer has come to `end`."),
    optional(0, entry("_sym_ubt", &[("path", K::Path)], K::Str, special(Special::SymbolizedPath), "The names of a path's frames, one a line, the leaf first; without a path those of `_ubt()`.")),
    optional(1, entry("_reg", &[("name", K::Str), ("tid", K::Long)], K::UnsignedLong, special(Special::Register), "A register of a thread.")),
    optional(0, entry("_pc_reg", THREAD, K::Pointer, Register("rip"), "The program counter.")),
    optional(0, entry("_sp_reg", THREAD, K::Pointer, Register("rsp"), "The stack pointer.")),
    entry("_tls", &[("tid", K::Long), ("variable", K::TargetVariable)], K::Depends, special(Special::ThreadLocal), "A thread-local variable of that thread."),
    entry("_pid", &[], K::Long, plain(O::Pid), "The process id."),
    entry("_tid", &[], K::Long, plain(O::Tid), "The thread id."),
    entry("_execname", &[], K::Str, plain(O::ExecName), "The name of the executable."),
    entry("_is_live", &[], K::Int, plain(O::IsLive), "Whether the target is a process: 0 for a core file, where time stands still and nothing tells which pages were in memory."),
    entry("_target_words", &[], K::Str, plain(O::TargetWords), "The words that name the target on ytrace's command line (`-p 4211`, `--core core.4211`, `-c 'make test'`), for a last line `next: ytrace run …`."),
    // Time and chance.
    entry("_watched_ns", &[], K::Long, plain(O::WatchedTime), "How long probes on events have been watching, in nanoseconds: from when all were in place until now, or until they ended; 0 before that. With `--duty` the sum of the times for which they were in place."),
    entry("_spanned_ns", &[], K::Long, plain(O::SpannedTime), "The time over which `_watched_ns()` is spread: the same without `--duty`, and with it the times in between, too. What is seen stands for `_spanned_ns() / _watched_ns()` as much."),
    entry("_watched_until_ns", &[], K::Long, plain(O::WatchedUntil), "When probes on events ended to watch, as `_now_ns()` has it: what is held then has been held since it came until then, however long the report takes. While they watch, and where there are none, it is now."),
    entry("_windows", &[], K::Long, plain(O::Windows), "How often probes on events have begun to watch: 1 from when all were in place, with `--duty` the number of times; 0 before that."),
    entry("_window_ns", &[("window", K::UnsignedLong)], K::Long, plain(O::WindowTime), "How long a window of `--duty` was, by its number from 1, in nanoseconds; 0 while it goes on, and for one that was more than eight before the last. `_window_ns(0)` is the sum of all that are over."),
    entry("_window_stands_ns", &[("window", K::UnsignedLong)], K::Long, plain(O::WindowStands), "The time that such a window stands for: itself, and the pause before it as long as it was to be on average. So what was seen in a window stands for `_window_stands_ns(n) / _window_ns(n)` as much, whatever windows depend on. `_window_stands_ns(0)` is the sum, which comes near `_spanned_ns()`."),
    entry("_window_slowdown", &[("bound", K::Int)], K::Double, plain(O::WindowSlowdown), "How many times as long what the target did took it in the windows of `--duty` that are over, since hits held it up: what is seen in windows stands for so much more. With 0 what is likely by its processor time; with -1 and 1 the least and the most that it may be. 1 without `--duty`. Where it cannot be told, as with `--children`, the most is 1000."),
    entry("_now_ns", &[], K::Long, Time(1), "Nanoseconds of the system's monotonic clock, which programs read, too."),
    entry("_now_us", &[], K::Long, Time(1_000), "Microseconds."),
    entry("_now_ms", &[], K::Long, Time(1_000_000), "Milliseconds."),
    entry("_now_s", &[], K::Long, Time(1_000_000_000), "Seconds."),
    entry("_randint", &[("limit", K::UnsignedLong)], K::UnsignedLong, plain(O::RandomInteger), "A random number from 0 up to, not including, the limit."),
    // The run.
    entry("assert", &[("condition", K::Scalar)], K::Void, special(Special::Assert), "A catchable fault if the condition is false."),
    optional(3, entry("_assert_equal", &[("name", K::Str), ("a", K::Long), ("b", K::Long), ("tolerance", K::Long)], K::Void, special(Special::AssertEqual), "Prints both numbers and their difference; inequality makes the result partial, or a difference of more than the tolerance.")),
    entry("_warn", &[("message", K::Format)], K::Void, Message(O::Warn), "Shows a warning and counts it."),
    entry("_error", &[("message", K::Format)], K::Void, Message(O::Error), "Ends the session with a failure."),
    entry("_raise", &[("message", K::Format)], K::Void, Message(O::Raise), "A catchable fault."),
    entry("_next", &[], K::Void, plain(O::Next), "Ends this run of the handler."),
    entry("_exit", &[], K::Void, plain(O::Exit), "Ends the session after `_end`."),
    // Mathematics.
    entry("fabs", ONE_DOUBLE, K::Double, plain(O::FloatAbs), "As in C."),
    entry("fabsf", ONE_DOUBLE, K::Float, single(O::FloatAbs), "As in C."),
    entry("fmod", TWO_DOUBLES, K::Double, plain(O::FloatMod), "As in C."),
    entry("fmodf", TWO_DOUBLES, K::Float, single(O::FloatMod), "As in C."),
    entry("remainder", TWO_DOUBLES, K::Double, plain(O::FloatRemainder), "As in C."),
    entry("remainderf", TWO_DOUBLES, K::Float, single(O::FloatRemainder), "As in C."),
    entry("sqrt", ONE_DOUBLE, K::Double, plain(O::FloatSqrt), "As in C."),
    entry("sqrtf", ONE_DOUBLE, K::Float, single(O::FloatSqrt), "As in C."),
    entry("_log1", ONE_DOUBLE, K::Double, plain(O::FloatLog), "The natural logarithm."),
    entry("log", ONE_DOUBLE, K::Double, plain(O::FloatLog), "As in C."),
    entry("logf", ONE_DOUBLE, K::Float, single(O::FloatLog), "As in C."),
    entry("floor", ONE_DOUBLE, K::Double, plain(O::FloatFloor), "As in C."),
    entry("floorf", ONE_DOUBLE, K::Float, single(O::FloatFloor), "As in C."),
    entry("ceil", ONE_DOUBLE, K::Double, plain(O::FloatCeil), "As in C."),
    entry("ceilf", ONE_DOUBLE, K::Float, single(O::FloatCeil), "As in C."),
    entry("pow", TWO_DOUBLES, K::Double, plain(O::FloatPow), "As in C."),
    entry("powf", TWO_DOUBLES, K::Float, single(O::FloatPow), "As in C."),
    // Probes on events.
    entry("_entry", &[("value", K::Scalar)], K::Depends, special(Special::EntryValue), "In a probe on a function's return: a number or a pointer as of entry, made of parameters, variables of the target and what they lead to."),
    entry("_arg", &[("n", K::Int)], K::Long, special(Special::HitArgument), "The n-th argument, from 0, a constant: of a function the n-th that is an integer or a pointer, at a return as of entry; of a static probe its own; of `_signal` the signal, of `_page_fault` the address, of `_exit` and `_thread_end` the status."),
    entry("_func", &[], K::Str, special(Special::HitFunction), "The name of the function that was hit."),
    entry("_every", &[("n", K::Long), ("bytes", K::Long)], K::Long, special(Special::SampleBytes), "Samples without bias, on average once in n bytes: how many bytes this hit of so many stands for, or 0 to skip it."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_summaries_are_sentences() {
        for (index, builtin) in BUILTINS.iter().enumerate() {
            assert!(
                BUILTINS[..index]
                    .iter()
                    .all(|other| other.name != builtin.name),
                "{} stands twice",
                builtin.name
            );
            assert!(builtin.summary.ends_with('.'), "{}", builtin.name);
            assert!(builtin.required <= builtin.parameters.len());
        }
    }
}
