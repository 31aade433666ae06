//! What generated programs are made of, and what of it runs.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use ytrace_lang::check::builtins::BUILTINS;
use ytrace_lang::interpret::Interpreter;
use ytrace_lang::ir::{
    Base, Class, Instruction, InstructionKind, MemoryType, Place, Program, Register, SpanId,
};
use ytrace_lang::testing::filetest::{Compiled, Filetest};

/// What was seen: `enum/Variant` of the typed program, `Kind/Word` of executed instructions,
/// `terminator/Kind`, and names of built-ins.
pub type Seen = BTreeSet<String>;

/// The variants of an enumeration, as its source lists them.
pub fn variants(file: &str, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(&path).expect("a source file of the language");
    let head = format!("pub enum {name} {{");
    let body = text.lines().skip_while(|line| *line != head).skip(1);
    body.take_while(|line| *line != "}")
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| {
            line.chars()
                .take_while(|character| character.is_alphanumeric())
                .collect()
        })
        .collect()
}

/// Words of a debug form, which are the names of variants among others.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// What stands in the typed program: after `Statement { kind: ` and so on.
pub fn typed(compiled: &Compiled, seen: &mut Seen) {
    let typed = &compiled.typed;
    let text = format!(
        "{:?} {:?} {:?} {:?}",
        typed.functions, typed.globals, typed.probes, typed.options
    );
    for (head, name) in [
        ("Statement { kind: ", "StatementKind"),
        ("Expression { kind: ", "ExpressionKind"),
        ("Place { kind: ", "PlaceKind"),
        ("Container { kind: ", "ContainerKind"),
        ("kind: Convert(", "Conversion"),
        ("kind: Unary(", "UnaryOperator"),
        ("kind: Arithmetic(", "ArithmeticOperator"),
        ("kind: Compare(", "CompareOperator"),
        ("Probe { point: ", "ProbePoint"),
    ] {
        for (at, _) in text.match_indices(head) {
            if let Some(word) = words(&text[at + head.len()..]).next() {
                seen.insert(format!("{name}/{word}"));
            }
        }
    }
}

/// Runs a program with a mark before each instruction, and notes which were come to.
pub fn executed(test: &Filetest, compiled: &Compiled, text: &str, seen: &mut Seen) {
    let mut program = Program::clone(&compiled.program);
    let mut constants = (*program.constants).clone();
    let mut marks: Vec<(u64, Option<InstructionKind>, String, SpanId)> = Vec::new();
    for function in &mut program.functions {
        function.registers.push(Class::Word);
        let one = Register(function.registers.len() as u32 - 1);
        for (number, block) in function.blocks.iter_mut().enumerate() {
            let mut instructions = Vec::new();
            let terminator = format!("{:?}", block.terminator);
            let terminator = words(&terminator).next().unwrap_or_default().to_owned();
            let mut mark = |kind: Option<InstructionKind>, span: SpanId| {
                let offset = constants.globals_size;
                constants.globals_size += 1;
                marks.push((offset, kind, terminator.clone(), span));
                let place = Place {
                    base: Base::Globals,
                    offset: offset as i64,
                    index: None,
                };
                let kind = InstructionKind::Store {
                    place,
                    from: one,
                    ty: MemoryType::U8,
                };
                Instruction { kind, span }
            };
            for instruction in std::mem::take(&mut block.instructions) {
                let (kind, span) = (instruction.kind.clone(), instruction.span);
                instructions.push(mark(Some(kind), span));
                instructions.push(instruction);
            }
            instructions.push(mark(None, SpanId(0)));
            if number == 0 {
                let kind = InstructionKind::Constant { to: one, value: 1 };
                let span = SpanId(0);
                instructions.insert(0, Instruction { kind, span });
            }
            block.instructions = instructions;
        }
    }
    program.constants = Arc::new(constants);
    let program = Arc::new(program);
    let marked = Compiled {
        program: Arc::clone(&program),
        ..compiled.clone()
    };
    let interpreter = Interpreter::new(Arc::clone(&program));
    let transcript = test.run(&marked, Box::new(interpreter));
    for (offset, kind, terminator, span) in marks {
        if transcript.globals.get(offset as usize) != Some(&1) {
            continue;
        }
        let Some(kind) = kind else {
            seen.insert(format!("Terminator/{terminator}"));
            continue;
        };
        let debug = format!("{kind:?}");
        let mut parts = words(&debug);
        let head = parts.next().unwrap_or_default();
        seen.insert(format!("InstructionKind/{head}"));
        for part in parts {
            seen.insert(format!("{head}/{part}"));
            seen.insert(format!("any/{part}"));
        }
        let start = program.spans.get(span.0 as usize).map(|span| span.start);
        let rest = start.and_then(|start| text.get(start as usize..));
        for builtin in BUILTINS {
            if rest
                .and_then(|rest| rest.strip_prefix(builtin.name))
                .is_some_and(|rest| rest.starts_with('('))
            {
                seen.insert(builtin.name.to_owned());
            }
        }
    }
    for (_, outcome) in &transcript.outcomes {
        if let Err(fault) = &outcome.result {
            seen.insert(format!("FaultKind/{:?}", fault.fault.kind));
        }
    }
}
