//! A plan as text, for tests and for people.

use std::fmt::Write;

use super::plan::{
    CaptureKind, Plan, Requirement, Step, TableKey, Update, UpdatedPart, Value, ValueId,
};
use crate::dump::{comparison as comparison_of, integer_operator};

/// A plan, a line each thing. Equal plans give equal text.
pub fn text(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        // Writing to a string does not fail.
        let _ = match step {
            Step::Capture(id) => match plan.captures.get(id.0 as usize) {
                Some(capture) => {
                    let address = shown(plan, capture.address);
                    let kind = match &capture.kind {
                        CaptureKind::Pieces { length, pieces } => {
                            let whole = matches!(
                                pieces.as_slice(),
                                [piece] if piece.offset == 0 && piece.length == *length
                            );
                            let pieces: Vec<String> = pieces
                                .iter()
                                .map(|piece| format!("{}+{}", piece.offset, piece.length))
                                .collect();
                            match whole {
                                true => format!("{length} bytes"),
                                false => format!("{length} bytes ({})", pieces.join(" ")),
                            }
                        }
                        CaptureKind::Bytes { length, most } => {
                            format!("{} bytes, at most {most}", shown(plan, *length))
                        }
                        CaptureKind::String { most } => format!("string of at most {most} bytes"),
                    };
                    writeln!(text, "c{} = {kind} at {address}", id.0)
                }
                None => writeln!(text, "c{} = ?", id.0),
            },
            Step::Return {
                condition,
                absent,
                requires,
            } => writeln!(
                text,
                "drop if {}{}{}",
                shown(plan, *condition),
                absent
                    .iter()
                    .map(|key| format!(" and no {}", shown_key(plan, key)))
                    .collect::<String>(),
                required(requires)
            ),
            Step::Sample {
                every,
                bytes,
                requires,
            } => writeln!(
                text,
                "sample {} every {}{}",
                shown(plan, *bytes),
                shown(plan, *every),
                required(requires)
            ),
            Step::Update {
                condition,
                updates,
                requires,
            } => {
                let updates: Vec<String> = updates
                    .iter()
                    .map(|update| shown_update(plan, update))
                    .collect();
                writeln!(
                    text,
                    "count if {}{}: {}",
                    shown(plan, *condition),
                    required(requires),
                    updates.join("; ")
                )
            }
        };
    }
    for (what, keys) in [("may insert", &plan.inserts), ("leaves no", &plan.removes)] {
        for key in keys {
            let _ = writeln!(text, "{what} {}", shown_key(plan, key));
        }
    }
    if plan.stack {
        text.push_str("stack\n");
    }
    let needs = &plan.needs;
    let mut need = |name: &str, numbers: Vec<String>| {
        if !numbers.is_empty() {
            let _ = writeln!(text, "{name} {}", numbers.join(" "));
        }
    };
    let words = |numbers: &[u64]| numbers.iter().map(u64::to_string).collect();
    need("registers", words(&needs.registers));
    need("vector registers", words(&needs.vectors));
    need("arguments", words(&needs.arguments));
    need("entry values", words(&needs.entry_values));
    let variables = needs.thread_locals.iter().map(u32::to_string);
    need("thread-local variables", variables.collect());
    let globals = needs.globals.iter();
    let globals = globals.map(|(offset, size)| format!("{offset}:u{}", u32::from(*size) * 8));
    need("globals", globals.collect());
    text
}

fn required(requires: &[Requirement]) -> String {
    if requires.is_empty() {
        return String::new();
    }
    let all: Vec<String> = requires
        .iter()
        .map(|require| match require.pieces {
            1 => format!("c{}", require.capture.0),
            pieces => format!("c{}/{pieces:b}", require.capture.0),
        })
        .collect();
    format!(" with {}", all.join(" "))
}

/// What is added to a variable, as a statement.
fn shown_update(plan: &Plan, update: &Update) -> String {
    let mut text = match update.when {
        Some(when) => format!("if {} ", shown(plan, when)),
        None => String::new(),
    };
    let _ = write!(text, "global {}", update.global);
    if !update.key.is_empty() {
        let words: Vec<String> = update.key.iter().map(|word| shown(plan, *word)).collect();
        let _ = write!(text, "[{}]", words.join(", "));
    }
    let value = shown(plan, update.value);
    let _ = match update.part {
        UpdatedPart::Integer { offset, size } => {
            write!(text, " at {offset}:i{} += {value}", u32::from(size) * 8)
        }
        UpdatedPart::Aggregate => write!(text, " <<< {value}"),
    };
    text
}

/// A key of a table, as an expression.
fn shown_key(plan: &Plan, key: &TableKey) -> String {
    let words: Vec<String> = key.words.iter().map(|word| shown(plan, *word)).collect();
    format!("{} in the table at {}", words.join(", "), key.table)
}

/// The longest expression in characters; a longer one is cut.
const MAX_TEXT: usize = 400;

/// A value as an expression.
fn shown(plan: &Plan, id: ValueId) -> String {
    let mut text = String::new();
    write_value(&mut text, plan, id, 0);
    text
}

fn write_value(text: &mut String, plan: &Plan, id: ValueId, depth: u32) {
    if text.len() > MAX_TEXT || depth > 64 {
        text.push('…');
        return;
    }
    let Some(value) = plan.values.get(id.0 as usize) else {
        text.push('?');
        return;
    };
    let _ = match *value {
        Value::Constant(value) if value < 10_000 => write!(text, "{value}"),
        Value::Constant(value) if value > u64::MAX - 10_000 => write!(text, "{}", value as i64),
        Value::Constant(value) => write!(text, "{value:#x}"),
        Value::Register(number) => write!(text, "register {number}"),
        Value::Argument(number) => write!(text, "argument {number}"),
        Value::EntryValue(index) => write!(text, "entry value {index}"),
        Value::Function => write!(text, "function"),
        Value::Tid => write!(text, "tid"),
        Value::Pid => write!(text, "pid"),
        Value::Time => write!(text, "time"),
        Value::Weight => write!(text, "weight"),
        Value::ThreadLocal(variable) => write!(text, "thread-local {variable}"),
        Value::Global { offset, size } => {
            write!(text, "global {offset}:u{}", u32::from(size) * 8)
        }
        Value::Captured {
            capture,
            offset,
            size,
            signed,
        } => {
            let letter = if signed { 'i' } else { 'u' };
            write!(
                text,
                "c{}[{offset}]:{letter}{}",
                capture.0,
                u32::from(size) * 8
            )
        }
        Value::Binary {
            operator,
            ty,
            left,
            right,
        } => {
            text.push('(');
            write_value(text, plan, left, depth + 1);
            let _ = write!(text, " {}", integer_operator(operator));
            if ty.size < 8 || ty.signed {
                let _ = write!(text, " {ty}");
            }
            text.push(' ');
            write_value(text, plan, right, depth + 1);
            write!(text, ")")
        }
        Value::Extend { ty, from } => {
            let _ = write!(text, "{ty}(");
            write_value(text, plan, from, depth + 1);
            write!(text, ")")
        }
        Value::Compare {
            comparison,
            signed,
            left,
            right,
        } => {
            text.push('(');
            write_value(text, plan, left, depth + 1);
            let sign = if signed { " signed" } else { "" };
            let _ = write!(text, " {}{sign} ", comparison_of(comparison));
            write_value(text, plan, right, depth + 1);
            write!(text, ")")
        }
        Value::Select {
            condition,
            then,
            otherwise,
        } => {
            text.push('(');
            write_value(text, plan, condition, depth + 1);
            text.push_str(" ? ");
            write_value(text, plan, then, depth + 1);
            text.push_str(" : ");
            write_value(text, plan, otherwise, depth + 1);
            write!(text, ")")
        }
    };
}
