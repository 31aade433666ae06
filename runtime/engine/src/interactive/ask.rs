//! Questions to the libraries of programs: what an address is, and which blocks allocators have.
//!
//! Each is a program of its own, made of the files that answer, which shares nothing with the lines of the session. It runs on the
//! session's snapshot; else on one that is taken for it, as for `_oneshot`.

use std::collections::HashSet;
use std::time::Instant;

use ytrace_lang::compile::Compiled;
use ytrace_lang::source::SourceFile;
use ytrace_target::PauseReport;

use super::answers::Answerers;
use super::run::failed_checks;
use super::{Answer, Interactive, NAME, Wanted};
use crate::error::SessionError;
use crate::host::Sink;
use crate::options::Mode;
use crate::result::{FaultReport, RunResult};
use crate::session::{ENDED_IN_FAULT, ENDED_WITH_ERROR, TypedIn};

/// What is done with the blocks of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapVerb {
    /// Their number and bytes.
    Count,
    /// A line each.
    List,
    /// A table of them by type and size.
    Summarize,
    /// What is known of each.
    Describe,
}

/// A set of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapSet {
    /// Those in use.
    Used,
    /// Those that are free.
    Free,
    /// Those in use that nothing leads to from outside of the heap.
    Leaked,
    /// Those in use that lead to the block at an address.
    Incoming(u64),
    /// Those in use that the block at an address leads to.
    Outgoing(u64),
}

/// A question about a heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapQuestion {
    /// What is done.
    pub verb: HeapVerb,
    /// With what.
    pub set: HeapSet,
    /// Of these sizes in bytes, both ends included.
    pub sizes: (u64, u64),
    /// Of types that match: `*` stands for any text, `?` for a character.
    pub of_type: Option<String>,
    /// That begin with these words.
    pub first: Vec<u64>,
    /// The most lines.
    pub limit: u64,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What an address is.
    What(u64),
    /// About a heap.
    Heap(HeapQuestion),
}

/// What is kept from one question to the next.
#[derive(Default)]
pub(super) struct Asking {
    /// Layouts that were found to hold.
    typed_in: TypedIn,
    /// What is wrong with files that answer, as far as it has been said.
    said: HashSet<String>,
    /// Files that do not compile.
    broken: Vec<String>,
}

impl Question {
    /// The macros that say what is asked, for the program's head.
    fn head(&self, json: bool) -> String {
        let mut text = format!(
            "#define LAYOUTS_ARE_OPTIONAL\n#define PROMPT_JSON {}\n",
            u8::from(json)
        );
        let mut define = |name: &str, value: &str| {
            text.push_str(&format!("#define {name} {value}\n"));
        };
        // Whose blocks are takes time to find out, so only where it is shown.
        match self {
            Question::What(_) => define("HEAP_OWNERS", "1"),
            Question::Heap(heap) => {
                let shown = matches!(heap.verb, HeapVerb::Summarize | HeapVerb::Describe);
                if shown || heap.of_type.is_some() {
                    define("HEAP_OWNERS", "1");
                }
                define(
                    "HEAP_VERB",
                    match heap.verb {
                        HeapVerb::Count => "HEAP_COUNT",
                        HeapVerb::List => "HEAP_LIST",
                        HeapVerb::Summarize => "HEAP_SUMMARIZE",
                        HeapVerb::Describe => "HEAP_DESCRIBE",
                    },
                );
                let (set, address) = match heap.set {
                    HeapSet::Used => ("HEAP_SET_USED", 0),
                    HeapSet::Free => ("HEAP_SET_FREE", 0),
                    HeapSet::Leaked => ("HEAP_SET_LEAKED", 0),
                    HeapSet::Incoming(address) => ("HEAP_SET_INCOMING", address),
                    HeapSet::Outgoing(address) => ("HEAP_SET_OUTGOING", address),
                };
                define("HEAP_SET", set);
                define("HEAP_ADDRESS", &format!("{address:#x}ul"));
                define("HEAP_LEAST", &format!("{}ul", heap.sizes.0));
                define("HEAP_MOST", &format!("{}ul", heap.sizes.1));
                define(
                    "HEAP_LIMIT",
                    &format!("{}l", heap.limit.min(i64::MAX as u64)),
                );
                if heap.of_type.is_some() {
                    define("HEAP_TYPED", "1");
                }
                if !heap.first.is_empty() {
                    let words: Vec<String> = heap
                        .first
                        .iter()
                        .map(|word| format!("{word:#x}ul"))
                        .collect();
                    define("HEAP_FIRST", &format!("{{ {} }}", words.join(", ")));
                }
            }
        }
        text
    }

    /// The whole program, of the files that answer.
    fn program(&self, answerers: &Answerers, json: bool) -> String {
        let (include, body) = match self {
            Question::What(address) => (
                "",
                format!(
                    "    uint64_t addresses[];\n    _push(addresses, {address:#x}ul);\n    prompt_put(addresses);\n    prompt_ask_all();\n    prompt_show(0);\n"
                ),
            ),
            Question::Heap(_) => ("#include <heap/ask.y>\n", "    heap_ask();\n".to_owned()),
        };
        let fits = match self {
            Question::Heap(HeapQuestion {
                of_type: Some(pattern),
                ..
            }) => format!(
                "int heap_type_fits(_str type) {{ return type ~~ rx/^{}$/; }}\n",
                expression(pattern)
            ),
            _ => String::new(),
        };
        format!(
            "{}#include <prompt/answers.y>\n{include}{}{fits}_probe _oneshot {{\n{body}}}\n",
            self.head(json),
            answerers.text()
        )
    }

    /// Leaves those that the question is for.
    fn of(&self, answerers: Answerers) -> Answerers {
        match self {
            Question::What(_) => Answerers {
                heap: Vec::new(),
                ..answerers
            },
            Question::Heap(heap) if heap.verb != HeapVerb::Describe => Answerers {
                what: Vec::new(),
                ..answerers
            },
            Question::Heap(_) => answerers,
        }
    }
}

/// A regular expression for what `*` and `?` match.
fn expression(pattern: &str) -> String {
    let mut text = String::new();
    for c in pattern.chars() {
        match c {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '/' => text.push_str("\\/"),
            c if c.is_control() => text.push('.'),
            c => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    text
}

impl Interactive<'_> {
    /// Asks the libraries of the target's programs; what they answer is data output.
    ///
    /// # Errors
    /// Their files do not compile, or the target cannot be read or stopped.
    pub fn ask(
        &mut self,
        question: &Question,
        json: bool,
        sink: &mut dyn Sink,
    ) -> Result<Answer, SessionError> {
        let started = Instant::now();
        let (answerers, problems) = Answerers::find(&self.session.options.include);
        for problem in problems {
            if self.asking.said.insert(problem.clone()) {
                sink.warn(&problem);
            }
        }
        let mut answerers = question
            .of(answerers.of_target(&self.session.names))
            .without(&self.asking.broken);
        let first = self.ask_by(question, &answerers, json, sink);
        let mut answer = match first {
            // One file that is wrong does not keep the others from answering.
            Err(
                error @ (SessionError::Source { .. }
                | SessionError::Layout { .. }
                | SessionError::LayoutBudget { .. }),
            ) => {
                let broken = self.find_broken(question, &answerers, json, sink);
                if broken.is_empty() {
                    return Err(error);
                }
                answerers = answerers.without(&broken);
                self.asking.broken.extend(broken);
                if answerers.is_empty() {
                    return Err(error);
                }
                self.ask_by(question, &answerers, json, sink)?
            }
            first => first?,
        };
        answer.took = started.elapsed();
        Ok(answer)
    }

    /// The files that do not compile by themselves; why is said.
    fn find_broken(
        &mut self,
        question: &Question,
        answerers: &Answerers,
        json: bool,
        sink: &mut dyn Sink,
    ) -> Vec<String> {
        let mut broken = Vec::new();
        let nothing = question.program(&Answerers::default(), json);
        let itself = self.apart(|this| this.compile_text(nothing, false, sink).map(drop));
        if itself.is_err() {
            // It is not for what answers.
            return broken;
        }
        for (one, alone) in answerers.alone() {
            let place = one.place();
            let text = question.program(&alone, json);
            if broken.contains(&place) {
                continue;
            }
            let Err(error) = self.apart(|this| this.compile_text(text, false, sink).map(drop))
            else {
                continue;
            };
            let why = match &error {
                SessionError::Source { errors } => {
                    let first = errors.diagnostics.first();
                    first.map_or_else(
                        || error.to_string(),
                        |first| {
                            let place = errors.sources.location(first.primary.0);
                            format!("{} at {place}", first.message)
                        },
                    )
                }
                error => error.to_string(),
            };
            sink.warn(&format!("{place} is left out: {why}"));
            broken.push(place);
        }
        broken
    }

    /// Does something with no variables and values of the session.
    fn apart<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let values = std::mem::take(&mut self.values);
        let store = self.store.take();
        std::mem::swap(&mut self.typed_in, &mut self.asking.typed_in);
        let result = work(self);
        std::mem::swap(&mut self.typed_in, &mut self.asking.typed_in);
        self.values = values;
        self.store = store;
        // Groups that were done without are looked at again: what they are about may come.
        let found = std::mem::take(&mut self.session.result.layouts);
        let settled = &mut self.asking.typed_in.settled;
        settled.retain(|(group, _)| found.iter().any(|(known, _)| known == group));
        result
    }

    fn ask_by(
        &mut self,
        question: &Question,
        answerers: &Answerers,
        json: bool,
        sink: &mut dyn Sink,
    ) -> Result<Answer, SessionError> {
        let text = question.program(answerers, json);
        let mut quiet = Quiet {
            sink,
            said: &mut self.warned.clone(),
        };
        if self.frozen.is_none() && self.session.running().is_some() {
            self.check_no_tracer("meanwhile it cannot be stopped as a whole")?;
            return self.ask_running(text, &mut quiet);
        }
        self.apart(|this| {
            let mut part = this.compile_text(text, false, &mut quiet)?;
            this.run_alone(&mut part, Wanted::default(), &mut quiet)
        })
    }

    /// Asks on a snapshot that is taken for it.
    fn ask_running(&mut self, text: String, sink: &mut dyn Sink) -> Result<Answer, SessionError> {
        let main = SourceFile {
            name: NAME.to_owned(),
            text: text.into(),
            library: false,
        };
        self.session.result = RunResult::default();
        let mode = std::mem::replace(&mut self.session.mode, Mode::Auto);
        let finished = self.apart(|this| {
            this.session.typed_in = Some(this.typed_in.clone());
            let finished = this.session.run(main, sink);
            if let Some(typed_in) = this.session.typed_in.take() {
                this.typed_in = typed_in;
            }
            if let Ok(finished) = &finished {
                this.session
                    .result
                    .layouts
                    .clone_from(&finished.result.layouts);
            }
            finished
        });
        self.session.mode = mode;
        // Lines have results of their own.
        self.session.result = RunResult::default();
        self.warned.extend(self.session.names.warnings());
        let mut result = finished?.result;
        let checks = failed_checks(&result.checks);
        // What ended it, and what does not hold, is told itself.
        result.partial.retain(|reason| {
            let ended = [ENDED_WITH_ERROR, ENDED_IN_FAULT].contains(&reason.as_str());
            !ended && !checks.iter().any(|check| reason.starts_with(check))
        });
        let mut faults = result.faults.into_iter();
        let failure = result.error.map(|message| FaultReport {
            message,
            location: String::new(),
            chain: Vec::new(),
            count: 1,
        });
        let pauses = result.pauses;
        Ok(Answer {
            fault: failure.or_else(|| faults.next()),
            pause: (pauses.count > 0).then(|| PauseReport {
                pause: pauses.total,
                expired: pauses.expired,
                ..PauseReport::default()
            }),
            checks,
            partial: result.partial,
            ..Answer::default()
        })
    }
}

/// Keeps to itself what is said of the text of a question, which nobody has typed, and what was said before.
struct Quiet<'s> {
    sink: &'s mut dyn Sink,
    said: &'s mut HashSet<String>,
}

impl Sink for Quiet<'_> {
    fn begin(&mut self, _streams: bool) {}

    fn compiled(&mut self, _compiled: &Compiled) {}

    fn text(&mut self, text: &[u8]) {
        self.sink.text(text);
    }

    fn flush(&mut self) {
        self.sink.flush();
    }

    fn warn(&mut self, text: &str) {
        if self.said.insert(text.to_owned()) {
            self.sink.warn(text);
        }
    }

    fn remark(&mut self, text: &str) {
        self.sink.remark(text);
    }

    fn progress(&mut self, text: &str) {
        self.sink.progress(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_no_more_than_that() {
        assert_eq!(expression("a*b?"), "a.*b.");
        assert_eq!(expression("std::vector<int>/x\n"), "std::vector<int>\\/x.");
        assert_eq!(expression("(a|b)"), "\\(a\\|b\\)");
    }

    #[test]
    fn a_question_says_what_it_is_about() {
        let question = Question::Heap(HeapQuestion {
            verb: HeapVerb::List,
            set: HeapSet::Incoming(0x2340),
            sizes: (64, u64::MAX),
            of_type: None,
            first: vec![1, 2],
            limit: 7,
        });
        let text = question.program(&Answerers::default(), true);
        for part in [
            "#define PROMPT_JSON 1\n",
            "#define HEAP_VERB HEAP_LIST\n",
            "#define HEAP_SET HEAP_SET_INCOMING\n",
            "#define HEAP_ADDRESS 0x2340ul\n",
            "#define HEAP_LEAST 64ul\n",
            "#define HEAP_FIRST { 0x1ul, 0x2ul }\n",
            "#define HEAP_LIMIT 7l\n",
            "heap_ask();",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("HEAP_OWNERS"), "{text}");
    }
}
