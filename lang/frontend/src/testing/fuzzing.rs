//! What fuzzers call: one function for each part of the front end.
//!
//! Each takes any bytes and panics if a promise is broken. The programs under `fuzz/` call them
//! with inputs that libFuzzer makes up, the tests of this crate with a corpus and with mutations
//! of it.
//!
//! The text may have the directives of a [filetest](super::filetest): declarations that make the
//! target, its memory, budgets, files to include. Directives that are wrong are ignored.

use std::sync::{Arc, OnceLock};

use super::filetest::{Directives, Filetest, Phase};
use crate::check::testing::TestTarget;
use crate::compile::{self, CompileError, LayoutChoices, Request, Typed};
use crate::diagnostics::Diagnostic;
use crate::interpret::Interpreter;
use crate::lexer::{self, Interner};
use crate::lower::{self, LowerError};
use crate::parse::{self, Expansions};
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::{dump, format, preprocess, render, verify};
use ytrace_values::{FaultKind, Limits};

/// A part of the front end that can be fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct FuzzTarget {
    /// The name, which is also that of the program under `fuzz/`.
    pub name: &'static str,
    /// What is called with the input.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[FuzzTarget] = &[
    FuzzTarget {
        name: "lexer",
        run: lexer,
    },
    FuzzTarget {
        name: "preprocessor",
        run: preprocessor,
    },
    FuzzTarget {
        name: "parser",
        run: parser,
    },
    FuzzTarget {
        name: "checker",
        run: checker,
    },
    FuzzTarget {
        name: "formatter",
        run: formatter,
    },
    FuzzTarget {
        name: "whole",
        run: whole,
    },
];

/// Arms of `##if…` that are gone through without a target.
const ARMS: usize = 3;

/// The most steps that a run may take, whatever the directives say.
const STEPS: u64 = 2_000;

/// The most bytes of frames that nested calls may use.
const STACK: u64 = 1 << 14;

/// The most that a run may store, print, and take from its target.
const LIMITS: Limits = Limits {
    memory: 1 << 18,
    output: 1 << 14,
    string: 1 << 8,
};

/// Any bytes as text, as a file with wrong UTF-8 would be shown.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// Tokens lie in the text, in order, and what lies between them is white space, comments, or
/// reported.
pub fn lexer(data: &[u8]) {
    let text = text(data);
    let mut diagnostics = Vec::new();
    let tokens = lexer::lex(FileId(0), &text, &mut Interner::default(), &mut diagnostics);
    let mut end = 0;
    for token in &tokens {
        let span = token.span;
        assert!(
            span.start >= end && span.end > span.start,
            "a token out of order: {token:?}"
        );
        let written = text.get(span.start as usize..span.end as usize);
        assert!(written.is_some(), "a token off the text: {token:?}");
        let _ = token.spelling();
        end = span.end;
    }
    if diagnostics.is_empty() {
        // What was read without an error means the same once it is written token by token.
        let mut respelled = String::new();
        for token in &tokens {
            respelled.push(if token.first { '\n' } else { ' ' });
            respelled.push_str(&text[token.span.start as usize..token.span.end as usize]);
        }
        let mut wrong = Vec::new();
        let again = lexer::lex(FileId(0), &respelled, &mut Interner::default(), &mut wrong);
        assert!(wrong.is_empty(), "errors after respelling: {wrong:?}");
        let words = |tokens: &[lexer::Token]| -> Vec<String> {
            tokens.iter().map(lexer::Token::spelling).collect()
        };
        assert_eq!(words(&tokens), words(&again), "respelled as {respelled:?}");
    }
    let mut sources = SourceMap::default();
    sources.add(source(&text));
    shown(&diagnostics, &sources, &Expansions::default());
}

/// Spans lie in their files, with a target and without.
pub fn preprocessor(data: &[u8]) {
    let text = text(data);
    let case = Case::new(&text);
    let choices = LayoutChoices::new();
    for arm in 0..ARMS {
        let mut loader = case.filetest.loader();
        let main = source(&text);
        let result = preprocess::preprocess(main, &mut loader, None, &choices, &[], arm);
        preprocessed(&result);
        if arm + 1 >= result.arms {
            break;
        }
    }
    let mut target = case.target();
    let defines = [("DEBUG".to_owned(), "1".to_owned())];
    let result = preprocess::preprocess(
        source(&text),
        &mut case.filetest.loader(),
        Some(&mut target),
        &choices,
        &defines,
        0,
    );
    preprocessed(&result);
}

fn preprocessed(result: &preprocess::Preprocessed) {
    for token in &result.tokens {
        within(token.span, &result.sources);
    }
    shown(&result.diagnostics, &result.sources, &result.expansions);
}

/// The tree's items lie in their files. No target is needed.
pub fn parser(data: &[u8]) {
    let text = text(data);
    let case = Case::new(&text);
    for arm in 0..ARMS {
        let parsed = parse::parse_arm(
            source(&text),
            &mut case.filetest.loader(),
            None,
            &LayoutChoices::new(),
            &[],
            arm,
        );
        for item in &parsed.unit.items {
            within(item.span, &parsed.sources);
        }
        shown(&parsed.diagnostics, &parsed.sources, &parsed.expansions);
        if arm + 1 >= parsed.arms {
            break;
        }
    }
}

/// Checking with the target and without one ends in a program or in diagnostics.
pub fn checker(data: &[u8]) {
    let text = text(data);
    let case = Case::new(&text);
    for arm in 0..ARMS {
        let mut loader = case.filetest.loader();
        let request = Request {
            main: source(&text),
            loader: &mut loader,
            target: None,
            layouts: LayoutChoices::new(),
            defines: Vec::new(),
            arguments: case.filetest.directives.arguments.clone(),
            most_probes: crate::check::MOST_PROBES,
        };
        let Some(typed) = typed(compile::compile_arm(request, arm)) else {
            break;
        };
        if arm + 1 >= typed.arms {
            break;
        }
    }
    let mut target = case.target();
    let mut loader = case.filetest.loader();
    typed(compile::compile_typed(case.request(
        &text,
        &mut loader,
        &mut target,
    )));
}

fn typed(result: Result<Typed, CompileError>) -> Option<Typed> {
    match result {
        Ok(typed) => {
            shown(
                &typed.checked.diagnostics,
                &typed.sources,
                &typed.expansions,
            );
            for (span, _) in &typed.checked.unresolved {
                within(*span, &typed.sources);
            }
            Some(typed)
        }
        Err(CompileError::Source(errors)) => {
            shown(&errors.diagnostics, &errors.sources, &errors.expansions);
            None
        }
        Err(CompileError::Arguments(..) | CompileError::Help(_)) => None,
    }
}

/// Formatting keeps the tokens, and formatting its result changes nothing.
pub fn formatter(data: &[u8]) {
    let text = text(data);
    match format::format(&text) {
        Ok(once) => match format::format(&once) {
            Ok(twice) => assert_eq!(once, twice, "formatting is not stable"),
            Err(errors) => panic!("what was formatted cannot be formatted: {once:?} {errors:?}"),
        },
        Err(errors) => {
            assert!(!errors.is_empty(), "refused for no reason");
            for error in &errors {
                // The formatter notices that it would change the program.
                assert!(
                    !error.message.contains("cannot be formatted"),
                    "formatting changes the tokens of {text:?}"
                );
            }
            let mut sources = SourceMap::default();
            sources.add(source(&text));
            shown(&errors, &sources, &Expansions::default());
        }
    }
}

/// The whole way: a program that the checker accepts lowers, its lowered form keeps its rules, and
/// it runs to an end that is no internal error, twice in the same way.
pub fn whole(data: &[u8]) {
    let text = text(data);
    let case = Case::new(&text);
    let mut target = case.target();
    let mut loader = case.filetest.loader();
    let Some(typed) = typed(compile::compile_typed(case.request(
        &text,
        &mut loader,
        &mut target,
    ))) else {
        return;
    };
    if !typed.checked.is_complete() {
        return;
    }
    let mut program = match lower::lower(&typed.checked.program) {
        Ok(program) => program,
        Err(LowerError::Malformed { message, span }) => {
            panic!(
                "{}: the checker accepts what cannot be lowered: {message}",
                typed.sources.location(span)
            )
        }
        Err(error) => {
            within(error.span(), &typed.sources);
            return;
        }
    };
    if let Err(error) = verify::verify(&program) {
        panic!("the lowering breaks a rule: {error}");
    }
    let _ = dump::program(&program);
    program.sources = Arc::new(typed.sources.clone());
    let program = Arc::new(program);
    let run = || {
        let executor = Box::new(Interpreter::new(Arc::clone(&program)));
        case.filetest
            .execute(&typed.checked.program, &program, executor)
    };
    let transcript = run();
    for (name, outcome) in &transcript.outcomes {
        if let Err(fault) = &outcome.result {
            assert!(
                fault.fault.kind != FaultKind::Internal,
                "{name} ends in an internal error at {}: {}",
                program.location(fault.span),
                fault.fault
            );
        }
    }
    assert_eq!(transcript, run(), "two runs differ");
}

/// An input with what its directives say.
struct Case {
    filetest: Filetest,
    target: Option<TestTarget>,
}

impl Case {
    fn new(text: &str) -> Self {
        let start = || {
            let mut directives = Directives::default();
            directives.repeats = 1 << 8;
            directives.steps = STEPS;
            directives.stack = STACK;
            directives.limits = LIMITS;
            directives
        };
        let mut filetest = Filetest::starting_from(start(), Phase::Run, text, String::new())
            .unwrap_or_else(|_| Filetest {
                phase: Phase::Run,
                expected: String::new(),
                program: text.to_owned(),
                directives: start(),
                target: None,
            });
        let directives = &mut filetest.directives;
        directives.steps = directives.steps.min(STEPS);
        directives.stack = directives.stack.min(STACK);
        let limits = &mut directives.limits;
        limits.memory = limits.memory.min(LIMITS.memory);
        limits.output = limits.output.min(LIMITS.output);
        limits.string = limits.string.min(LIMITS.string);
        let declarations = &filetest.directives.declarations;
        let target = if declarations.trim().is_empty() {
            None
        } else {
            TestTarget::of(declarations).ok()
        };
        Self { filetest, target }
    }

    /// The declared target, else the sample.
    fn target(&self) -> TestTarget {
        static SAMPLE: OnceLock<TestTarget> = OnceLock::new();
        let target = self
            .target
            .as_ref()
            .unwrap_or_else(|| SAMPLE.get_or_init(TestTarget::sample));
        self.filetest.placed(target.clone())
    }

    fn request<'a>(
        &self,
        text: &str,
        loader: &'a mut dyn crate::source::Loader,
        target: &'a mut TestTarget,
    ) -> Request<'a> {
        Request {
            main: source(text),
            loader,
            target: Some(target),
            layouts: LayoutChoices::new(),
            defines: Vec::new(),
            arguments: self.filetest.directives.arguments.clone(),
            most_probes: crate::check::MOST_PROBES,
        }
    }
}

fn source(text: &str) -> SourceFile {
    SourceFile {
        name: "main.y".to_owned(),
        text: Arc::from(text),
        library: false,
    }
}

/// A span lies in its file.
#[track_caller]
fn within(span: Span, sources: &SourceMap) {
    let length = sources.get(span.file).map(|file| file.text.len());
    assert!(
        span.start <= span.end && length.is_some_and(|length| span.end as usize <= length),
        "a span outside of its file: {span:?}"
    );
}

/// Diagnostics have places in their files, and can be shown.
#[track_caller]
fn shown(diagnostics: &[Diagnostic], sources: &SourceMap, expansions: &Expansions) {
    for diagnostic in diagnostics {
        assert!(!diagnostic.message.is_empty(), "an error without a message");
        within(diagnostic.primary.0, sources);
        for (span, _) in &diagnostic.secondary {
            within(*span, sources);
        }
    }
    let _ = render::render(diagnostics, sources, expansions, false);
}
