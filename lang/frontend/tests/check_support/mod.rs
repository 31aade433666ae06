//! Compiling small programs against the sample target, and showing what the checker says.
#![allow(dead_code)]

use ytrace_lang::check::testing::{NoFiles, TestTarget};
use ytrace_lang::compile::{CompileError, Request, Typed, compile_typed};
use ytrace_lang::diagnostics::{Diagnostic, Severity};
use ytrace_lang::hir;
use ytrace_lang::source::{SourceFile, SourceMap};

pub fn main_file(text: &str) -> SourceFile {
    SourceFile {
        name: "main.y".to_owned(),
        text: text.into(),
        library: false,
    }
}

pub fn compile_with(
    text: &str,
    target: Option<&mut TestTarget>,
    arguments: &[&str],
) -> Result<Typed, CompileError> {
    compile_typed(Request {
        main: main_file(text),
        loader: &mut NoFiles,
        target: target.map(|target| target as &mut dyn ytrace_lang::target::Target),
        layouts: Default::default(),
        defines: Vec::new(),
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        most_probes: ytrace_lang::check::MOST_PROBES,
    })
}

/// What the checker says of a program, one diagnostic a paragraph.
pub fn say(text: &str) -> String {
    say_of(text, &mut TestTarget::sample())
}

pub fn say_of(text: &str, target: &mut TestTarget) -> String {
    let typed = compile_with(text, Some(target), &[]).expect("options are right");
    typed
        .checked
        .diagnostics
        .iter()
        .map(|diagnostic| show(diagnostic, &typed.sources))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What the checker says of statements in a oneshot.
pub fn say_body(statements: &str) -> String {
    say(&format!("_probe _oneshot {{\n{statements}\n}}"))
}

pub fn show(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (span, label) = &diagnostic.primary;
    let found = sources
        .get(span.file)
        .and_then(|file| file.text.get(span.start as usize..span.end as usize))
        .unwrap_or_default();
    let mut shown = format!(
        "{severity}: {} [{}: `{found}`",
        diagnostic.message,
        sources.location(*span),
    );
    if !label.is_empty() {
        shown.push_str(&format!(" {label}"));
    }
    shown.push(']');
    for (span, label) in &diagnostic.secondary {
        shown.push_str(&format!("\n  note: {label} [{}]", sources.location(*span)));
    }
    if let Some(help) = &diagnostic.help {
        shown.push_str(&format!("\n  help: {help}"));
    }
    shown
}

/// The program, which must have no errors.
pub fn accept(text: &str) -> hir::Program {
    accept_with(text, &[])
}

pub fn accept_with(text: &str, arguments: &[&str]) -> hir::Program {
    let mut target = TestTarget::sample();
    let typed = match compile_with(text, Some(&mut target), arguments) {
        Ok(typed) => typed,
        Err(error) => panic!("{error:?}"),
    };
    let errors: Vec<String> = typed
        .checked
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(|diagnostic| show(diagnostic, &typed.sources))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert!(typed.checked.is_complete());
    typed.checked.program
}

/// The type of an expression, as the checker writes it.
pub fn type_of(expression: &str) -> String {
    let text = format!(
        "_option int opt = 3; enum mine {{ A = 2, B }}; _str s; _path p; long t[_str]; long g[]; _agg agg;
        struct own {{ int i; double d; _str s; }} own; char c; unsigned char uc; short h; unsigned short uh;
        int i; unsigned int u; long l; unsigned long ul; long long ll; unsigned long long ull;
        float f; double d; _Bool b;
        _probe _oneshot {{ typeof({expression}) probe_result; (void) probe_result; }}"
    );
    let program = accept(&text);
    let local = program
        .functions
        .iter()
        .flat_map(|function| &function.locals)
        .find(|local| local.name == "probe_result")
        .expect("the local");
    program.types.name_of(local.ty)
}
