//! Errors about what cannot be captured.

use super::Options;
use super::build::Excess;
use super::found::{Refused, What};
use super::plan::{MAX_BYTES, MAX_CAPTURES, MAX_VALUES};
use super::run::MAX_ROUNDS;
use super::state::Why;
use crate::diagnostics::Diagnostic;
use crate::ir::{Program, SpanId};
use crate::source::Span;

const RULE: &str = "what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets";
const LATER: &str = "`--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then";

/// The error of a read that cannot be captured.
pub(super) fn refused(program: &Program, refused: &Refused, options: &Options) -> Diagnostic {
    let span = place(program, refused.span);
    let help = format!("{RULE}; {LATER}");
    match refused.what {
        What::Address(unknown) => {
            let (what, label) = because(unknown.why);
            let error = Diagnostic::error(
                span,
                format!("this cannot be read at the hit: where it lies {what}"),
                "read here",
            );
            let cause = place(program, unknown.span);
            let error = if unknown.span == SpanId(0) || cause == span {
                error
            } else {
                error.with_secondary(cause, label)
            };
            error.with_help(help)
        }
        What::Large(bytes) => Diagnostic::error(
            span,
            format!("this reads {bytes} bytes, and at most {MAX_BYTES} are captured at a hit"),
            "read here",
        )
        .with_help(format!("read the fields that are needed; {LATER}")),
        What::Length => Diagnostic::error(
            span,
            "how much this asks about is no constant, so it cannot be captured at the hit",
            "asked here",
        )
        .with_help(help),
        What::Container => Diagnostic::error(
            span,
            "this shows strings of the target whose addresses are in a container, which the kernel does not have at the hit",
            "read here",
        )
        .with_help(format!(
            "strings are kept with `_tostr(p)` (at most {} bytes each); {LATER}",
            options.string
        )),
        What::OtherStack => Diagnostic::error(
            span,
            "at a hit there is the stack of the thread that was hit alone",
            "this may be another thread's",
        )
        .with_help("`_ubt()` is that of the thread that was hit; a `_oneshot` or a timer can ask for all threads"),
        What::OtherRegister => Diagnostic::error(
            span,
            "at a hit there are the general registers of the thread that was hit alone",
            "this is not one of them, or may be another thread's",
        )
        .with_help("`_reg(\"rdi\")` is that of the thread that was hit; a `_oneshot` or a timer can ask for all threads"),
        What::OtherVariable => Diagnostic::error(
            span,
            "at a hit there are the thread-local variables of the thread that was hit alone",
            "this may be another thread's",
        )
        .with_help(format!(
            "a thread-local variable's bare name is that of the thread that was hit; {LATER}"
        )),
    }
}

/// What is unknown, after "where it lies", and what stands at the place of the reason.
fn because(why: Why) -> (String, &'static str) {
    let (text, label) = match why {
        Why::Loop => {
            return (
                format!(
                    "changes in a loop whose number of rounds is not constant, or more than {MAX_ROUNDS}"
                ),
                "the loop",
            );
        }
        Why::Recursion => ("depends on a function that calls itself", "called here"),
        Why::Container => (
            "comes from a container, which the kernel does not have",
            "from here",
        ),
        Why::Global => (
            "comes from a variable of the script, which the kernel does not have",
            "from here",
        ),
        Why::Float => ("comes from a floating-point number", "from here"),
        Why::Text => ("comes from a string or a path", "from here"),
        Why::Division => (
            "comes from a division or a shift by what is not constant",
            "computed here",
        ),
        Why::Index => (
            "comes from an array of the script by an index that is not constant",
            "from here",
        ),
        Why::Bytes => ("is put together from parts of several values", "from here"),
        Why::Fault => ("depends on where a fault was caught", "after this"),
        Why::Late => (
            "comes from a `_late` function, which runs after the hit",
            "from here",
        ),
        Why::Asked | Why::Refused => ("comes from what only ytrace can tell", "from here"),
        Why::Branches => (
            "is one of too many values that come together",
            "they come together here",
        ),
    };
    (text.to_owned(), label)
}

/// The error of a handler that is too large to be followed.
pub(super) fn too_large(program: &Program, span: SpanId) -> Diagnostic {
    Diagnostic::error(
        place(program, span),
        "what this handler reads cannot be worked out: it does too much, or its calls are nested too deep",
        "given up here",
    )
    .with_help(LATER)
}

/// The error of an entry value that is not known at the entry.
pub(super) fn no_result(program: &Program, span: SpanId) -> Diagnostic {
    Diagnostic::error(
        place(program, span),
        "this is not known when the function is entered",
        "it depends on more than registers and memory at known addresses",
    )
    .with_help(LATER)
}

/// The error of too many captures.
pub(super) fn excess(excess: Excess, span: Span) -> Diagnostic {
    let (message, help) = match excess {
        Excess::Bytes => (
            format!(
                "the handler reads more than {MAX_BYTES} bytes, which is the most that is captured at a hit"
            ),
            "a smaller `--max-string`, `_tostr(p, n)` and `%.64s` capture less of each string; ",
        ),
        Excess::Captures => (
            format!(
                "the handler reads at more than {MAX_CAPTURES} places, which is the most that are captured at a hit"
            ),
            "",
        ),
        Excess::Values => (
            format!(
                "where the handler reads takes more than {MAX_VALUES} values to compute, which is the most at a hit"
            ),
            "",
        ),
    };
    Diagnostic::error(span, message, "this is too much").with_help(format!("{help}{LATER}"))
}

fn place(program: &Program, span: SpanId) -> Span {
    program
        .spans
        .get(span.0 as usize)
        .copied()
        .unwrap_or_default()
}
