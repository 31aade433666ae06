//! `--when` and `--if`: a probe point and a condition of the command line, compiled with the program.
//!
//! Both are files of their own for the language, which the program's text includes at its end; so errors in them are shown where
//! they stand in the option.

use ytrace_lang::compile::{Compiled, SourceErrors};
use ytrace_lang::diagnostics::Diagnostic;
use ytrace_lang::hir::ProbePoint;
use ytrace_lang::source::{FileId, LoadError, Loader, SourceFile, SourceMap, Span};

use crate::error::SessionError;
use crate::library::Library;
use crate::options::When;
use crate::session::Session;

/// The names that the options have as files.
const HEAD: &str = "--when";
const CONDITION: &str = "--if";

/// What follows the program's own text.
const BEFORE_HEAD: &str = "\n_probe\n#include \"--when\"\n";
const BEFORE_CONDITION: &str = "{ if (\n#include \"--if\"\n";
const AFTER_CONDITION: &str = ") {} else _next(); }\n";
const WITHOUT_CONDITION: &str = "{ }\n";

/// The library, and the options as files.
pub(crate) struct WhenLoader<'a> {
    library: Library,
    when: Option<&'a When>,
}

impl<'a> WhenLoader<'a> {
    pub(crate) fn new(library: Library, when: Option<&'a When>) -> Self {
        Self { library, when }
    }

    /// The library below.
    pub(crate) fn library(&self) -> &Library {
        &self.library
    }
}

impl Loader for WhenLoader<'_> {
    fn load(&mut self, name: &str, quoted: bool, from: &str) -> Result<SourceFile, LoadError> {
        let text = self.when.and_then(|when| match name {
            HEAD => Some(&when.head),
            CONDITION => when.condition.as_ref(),
            _ => None,
        });
        match text {
            Some(text) if quoted => Ok(SourceFile {
                name: name.to_owned(),
                text: text.as_str().into(),
                library: false,
            }),
            _ => self.library.load(name, quoted, from),
        }
    }
}

/// The program with the probe of the options at its end.
///
/// # Errors
/// The head is more than one.
pub(crate) fn with_probe(main: &SourceFile, when: &When) -> Result<SourceFile, SessionError> {
    if has_body(&when.head) {
        return Err(SessionError::Arguments {
            message: "--when takes the head of a probe, and this is more".to_owned(),
            hint: Some("as in --when 'free(void *p)'; a condition goes to --if".to_owned()),
        });
    }
    let condition = match &when.condition {
        Some(condition) if !is_one_expression(condition) => {
            return Err(SessionError::Arguments {
                message: "--if takes one expression, and this is more".to_owned(),
                hint: Some("as in --if 'p == latest->block'".to_owned()),
            });
        }
        Some(_) => format!("{BEFORE_CONDITION}{AFTER_CONDITION}"),
        None => WITHOUT_CONDITION.to_owned(),
    };
    Ok(SourceFile {
        text: format!("{}{BEFORE_HEAD}{condition}", main.text).into(),
        ..main.clone()
    })
}

/// Whether a head has what only a body has.
fn has_body(head: &str) -> bool {
    unquoted(head).any(|character| matches!(character, '{' | '}' | ';' | '#' | '\n'))
}

/// Whether a condition stays within the brackets that are put around it.
fn is_one_expression(condition: &str) -> bool {
    let mut open = 0_usize;
    unquoted(condition).all(|character| match character {
        '(' => {
            open += 1;
            true
        }
        ')' => {
            let outer = open.checked_sub(1);
            open = outer.unwrap_or(0);
            outer.is_some()
        }
        character => !matches!(character, '{' | '}' | ';' | '#' | '\n'),
    })
}

/// The characters outside of strings, characters and names in backquotes.
fn unquoted(text: &str) -> impl Iterator<Item = char> {
    let mut quote = None;
    let mut escaped = false;
    text.chars().filter(move |character| match quote {
        Some(_) if escaped => {
            escaped = false;
            false
        }
        Some(open) => {
            escaped = *character == '\\';
            if *character == open {
                quote = None;
            }
            false
        }
        None => {
            if matches!(character, '`' | '"' | '\'') {
                quote = Some(*character);
            }
            true
        }
    })
}

/// Has errors that are found where the program's own text is over point to the option that they are of. `own` is the length of the
/// program's own text.
pub(crate) fn point_to_options(errors: &mut SourceErrors, own: usize) {
    for diagnostic in &mut errors.diagnostics {
        point_to_option(diagnostic, &errors.sources, own);
    }
}

fn point_to_option(diagnostic: &mut Diagnostic, sources: &SourceMap, own: usize) {
    let end_of = |name: &str| {
        let (file, found) = sources.iter().find(|(_, file)| file.name == name)?;
        let end = u32::try_from(found.text.trim_end().len()).ok()?;
        Some(Span {
            file,
            start: end.saturating_sub(1),
            end,
            expansion: 0,
        })
    };
    let secondary = diagnostic.secondary.iter_mut().map(|(span, _)| span);
    for span in std::iter::once(&mut diagnostic.primary.0).chain(secondary) {
        let start = span.start as usize;
        if span.file != FileId::default() || start < own {
            continue;
        }
        // What comes after the condition is missing in it; what comes before, in the head.
        let past_head = own + BEFORE_HEAD.len() + 1;
        let option = match start > past_head {
            true => end_of(CONDITION).or_else(|| end_of(HEAD)),
            false => end_of(HEAD),
        };
        if let Some(option) = option {
            *span = option;
        }
    }
}

impl Session<'_> {
    /// The probe that `--when` has made.
    ///
    /// # Errors
    /// It is on no event, or the program has other probes that wait for something.
    pub(crate) fn awaited(
        &self,
        main: &SourceFile,
        compiled: &Compiled,
    ) -> Result<Option<usize>, SessionError> {
        if self.options.when.is_none() {
            return Ok(None);
        }
        let wrong = |message: &str, hint: &str| {
            Err(SessionError::Arguments {
                message: message.to_owned(),
                hint: Some(hint.to_owned()),
            })
        };
        let probes = &compiled.typed.probes;
        let (Some((last, others)), own) = (probes.split_last(), main.text.len()) else {
            return Err(SessionError::NoProbe);
        };
        if (last.span.start as usize) < own || last.span.file != FileId::default() {
            return wrong(
                "the probe of --when is switched off by its `_if`",
                "conditions at the hit go to --if",
            );
        }
        if !matches!(last.point, ProbePoint::Event(_)) {
            return wrong(
                "--when takes an event: a function, a line, a watchpoint, a signal",
                "as in --when 'free(void *p)'",
            );
        }
        let waits = |point: &ProbePoint| {
            !matches!(
                point,
                ProbePoint::Begin | ProbePoint::Oneshot | ProbePoint::End
            )
        };
        if others.iter().any(|probe| waits(&probe.point)) {
            return wrong(
                "--when runs `_oneshot` at an event, and this file has timers or probes on events of its own",
                "leave out --when, or put `_oneshot` into a file of its own",
            );
        }
        if !others
            .iter()
            .any(|probe| probe.point == ProbePoint::Oneshot)
        {
            return wrong(
                "--when says when `_oneshot` runs, and this file has none",
                "write `_probe _oneshot { … }`",
            );
        }
        Ok(Some(others.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_stay_within_their_brackets() {
        for right in [
            "a && (b || c)",
            "s[0] == ')'",
            "_tostr(p) == \"a\\\");\"",
            "",
        ] {
            assert!(is_one_expression(right), "{right}");
        }
        for wrong in [
            "a) || (b",
            "a) puts(\"\"); if (b",
            "a; b",
            "a\n#include \"x\"",
        ] {
            assert!(!is_one_expression(wrong), "{wrong}");
        }
    }

    #[test]
    fn heads_without_bodies() {
        assert!(!has_body("f(struct pool *p) -> int r _if (deep)"));
        assert!(!has_body("_usdt(\"a:{b}\") (x)") && !has_body("`operator{}`(...)"));
        assert!(has_body("f(int n) { puts(\"\"); }") && has_body("f\n#include \"x\""));
    }
}
