//! A session in which programs are typed in, line by line, on one target.
//!
//! Each line is compiled with all that was declared before it, and runs at once on the target's memory as it is then, or on a
//! snapshot ([`Interactive::freeze`]). Variables, strings and tables go from one line's program to the next.

mod answers;
mod ask;
mod complete;
mod declared;
mod frozen;
mod generations;
mod instructions;
mod look;
mod place;
mod probes;
mod run;
mod save;
mod types;
mod view;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ytrace_lang::fragment::{self, Piece, PieceKind, Reading, Surroundings};
use ytrace_lang::source::SourceFile;
use ytrace_target::PauseReport;
use ytrace_values::show::Outline;
use ytrace_values::{Store, Value};

use crate::error::SessionError;
use crate::host::Sink;
use crate::library::Library;
use crate::result::FaultReport;
use crate::session::{Session, TypedIn};

pub use ask::{HeapQuestion, HeapSet, HeapVerb, Question};
pub use complete::{Completions, WORDS};
pub use frozen::Freezing;
pub use instructions::Instruction;
pub use look::{StackFrame, SymbolAt, ThreadInfo};
pub use place::StackPlace;
pub use probes::{Detached, ProbeInfo};
pub use save::{SAVED_HEAD, SaveError, Saved};
pub use types::TypeText;
pub use ytrace_values::show::{Radix, Style};

use declared::{Declared, Earlier};
use frozen::Frozen;

/// The name of what is typed in, in messages.
const NAME: &str = "typed";

/// A session at a prompt.
pub struct Interactive<'o> {
    session: Session<'o>,
    declared: Declared,
    /// The values of variables, by name; of containers their handles.
    values: HashMap<String, Vec<u8>>,
    /// What was shown, `$1` first.
    earlier: Vec<Earlier>,
    store: Option<Store>,
    typed_in: TypedIn,
    frozen: Option<Frozen>,
    /// What was typed and went well, for [`Interactive::save`].
    log: Vec<Typed>,
    /// The views that were asked for, one a variable.
    viewed: Vec<view::Viewed>,
    names: complete::NameLists,
    /// The probes that are attached, in the order of their numbers.
    probes: Vec<probes::Attached>,
    /// How many probes have been attached.
    numbered: usize,
    /// The thread that was chosen.
    thread: Option<i32>,
    /// Of each module that the target has had, whether it was there.
    seen: Vec<bool>,
    /// What has been said of the debug information.
    warned: HashSet<String>,
    asking: ask::Asking,
}

/// Something that was typed in.
#[derive(Clone, Debug)]
struct Typed {
    kind: PieceKind,
    text: String,
    /// The number of the value that it gave.
    number: Option<usize>,
    /// The names that it declares, tags as `struct name`; macros, too.
    names: Vec<String>,
    /// How its value was shown.
    shown: HowShown,
    /// Whether it faulted: what it had done by then was done.
    faulted: bool,
    /// Its place among all that was typed.
    order: usize,
}

/// How a value was shown.
#[derive(Clone, Debug, Default)]
enum HowShown {
    /// There was none.
    #[default]
    Nothing,
    /// As a value, with this before it; and in which way, where that was asked for.
    Value {
        head: String,
        style: Option<&'static str>,
    },
    /// As the text of a string or a container.
    Text,
}

/// What became of a line.
#[derive(Debug, Default)]
pub struct Answer {
    /// The value of an expression.
    pub shown: Option<Shown>,
    /// How it ended, if not well.
    pub fault: Option<FaultReport>,
    /// Cross-checks that do not hold, in words.
    pub checks: Vec<String>,
    /// How long the target was stopped for it: the sum, where it was stopped several times. Only `pause` and `expired` tell then.
    pub pause: Option<PauseReport>,
    /// Pages that the snapshot lacks and that were read live.
    pub missed: u64,
    /// Pages that are swapped out and were not read.
    pub swapped: u64,
    /// Why what is shown is not whole, in words.
    pub partial: Vec<String>,
    /// Whether the session is to end: `_exit()` was called.
    pub end: bool,
    /// The probes that were attached.
    pub attached: Vec<ProbeInfo>,
    /// How long it took, compiling included.
    pub took: Duration,
}

/// A value.
#[derive(Debug)]
pub struct Shown {
    /// Its number: `$1` is 1. Containers have none.
    pub number: Option<usize>,
    /// Its type.
    pub type_name: String,
    /// It, written in one line, with the places where that may be broken.
    pub outline: Outline,
    /// Where it lies in the target, if it does.
    pub address: Option<u64>,
    /// Its word, if it is one.
    pub word: Option<u64>,
    /// It as a tree, if that was asked for, with the paths in it by their handles.
    pub value: Option<(Value, HashMap<u64, String>)>,
}

/// How values are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// How they are written.
    pub style: Style,
    /// Whether they are wanted as trees, too.
    pub tree: bool,
}

impl<'o> Interactive<'o> {
    /// Begins with nothing declared.
    ///
    /// # Errors
    /// A debug file or a types file of the options is of no module of the target.
    pub fn new(mut session: Session<'o>, sink: &mut dyn Sink) -> Result<Self, SessionError> {
        session.check_debug_files(sink)?;
        session.shares_values = true;
        let seen = session.names.census();
        Ok(Self {
            session,
            declared: Declared::default(),
            values: HashMap::new(),
            earlier: Vec::new(),
            store: None,
            typed_in: TypedIn::default(),
            frozen: None,
            log: Vec::new(),
            viewed: Vec::new(),
            names: complete::NameLists::default(),
            probes: Vec::new(),
            numbered: 0,
            thread: None,
            seen,
            warned: HashSet::new(),
            asking: ask::Asking::default(),
        })
    }

    /// The session.
    pub fn session(&self) -> &Session<'o> {
        &self.session
    }

    /// Whether a name was declared at the prompt.
    pub fn is_declared(&self, name: &str) -> bool {
        self.declared.names().any(|declared| declared == name)
    }

    /// Says what a line is made of.
    ///
    /// # Errors
    /// It includes files of a package that cannot be used.
    fn read(&mut self, text: &str) -> Result<Reading, SessionError> {
        let prelude = self.declared.text();
        let prelude = format!("{prelude}{}", self.earlier_text(text));
        let main = SourceFile {
            name: NAME.to_owned(),
            text: "".into(),
            library: false,
        };
        let mut library = Library::new(&self.session.options.include, &main);
        let reading = fragment::read(
            text,
            &mut Surroundings {
                prelude: &prelude,
                name: NAME,
                loader: &mut library,
                target: &mut self.session.names,
                layouts: &self.typed_in.layouts,
                defines: &self.session.options.defines,
            },
        );
        // What a package lacks explains whatever else is wrong.
        library.check_refused()?;
        Ok(reading)
    }

    /// Whether a text is an expression of the language that is right here.
    pub fn is_expression(&mut self, text: &str, sink: &mut dyn Sink) -> bool {
        match self.read(text) {
            Ok(Reading::Pieces(pieces)) => match pieces.as_slice() {
                [piece] => piece.kind == PieceKind::Expression && self.compiles(text, piece, sink),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a text is of the language and right here, whatever it is made of.
    pub fn is_right(&mut self, text: &str, sink: &mut dyn Sink) -> bool {
        let Ok(Reading::Pieces(pieces)) = self.read(text) else {
            return false;
        };
        // A later piece may use what an earlier one declares.
        let before = (self.declared.clone(), self.values.clone());
        let right = pieces.iter().all(|piece| self.compiles(text, piece, sink));
        (self.declared, self.values) = before;
        right
    }

    /// Whether a text ends as what is typed ends: as an expression, or with the `;` or `}` of a statement. One that is wrong does, too.
    pub fn is_finished(&mut self, text: &str) -> bool {
        if fragment::is_closed(text) {
            return true;
        }
        match self.read(text) {
            Ok(Reading::Pieces(pieces)) => {
                let last = pieces.last();
                last.is_some_and(|last| last.kind == PieceKind::Expression)
            }
            Ok(Reading::Blank) => false,
            Ok(Reading::Wrong(_)) | Err(_) => true,
        }
    }

    /// Whether a piece of a text is right. What it declares is declared afterwards.
    fn compiles(&mut self, text: &str, piece: &Piece, sink: &mut dyn Sink) -> bool {
        let aligned = fragment::only(text, &piece.range);
        let defines = piece.kind == PieceKind::Definition;
        if defines {
            if self.declared.replace(&piece.names).is_err() {
                return false;
            }
            for name in &piece.names {
                self.values.remove(name);
            }
        }
        let right = self.compile_piece(piece.kind, &aligned, sink).is_ok();
        if defines && right {
            let own = text.get(piece.range.clone()).unwrap_or_default();
            self.declared.add(own, &piece.names);
        }
        right
    }

    /// Runs a line. Definitions are kept; statements run; the value of an expression at its end is shown and kept. What comes after
    /// a part that went wrong does not run.
    ///
    /// # Errors
    /// It does not compile, or the target cannot be read or stopped.
    pub fn run(
        &mut self,
        text: &str,
        wanted: Wanted,
        sink: &mut dyn Sink,
    ) -> Result<Answer, SessionError> {
        let started = std::time::Instant::now();
        self.notice_changes(sink);
        let pieces = match self.read(text)? {
            Reading::Blank => return Ok(Answer::default()),
            Reading::Pieces(pieces) => pieces,
            Reading::Wrong(errors) => return Err(SessionError::Source { errors }),
        };
        let mut answer = Answer::default();
        for piece in pieces {
            let next = self.run_piece(text, &piece, wanted, sink)?;
            answer.absorb(next);
            if answer.fault.is_some() || answer.end {
                break;
            }
        }
        answer.took = started.elapsed();
        Ok(answer)
    }

    /// Runs a line that is a probe whose head has no underscore: `probe main { … }`.
    ///
    /// # Errors
    /// Those of [`Interactive::run`].
    pub fn run_probe(
        &mut self,
        text: &str,
        wanted: Wanted,
        sink: &mut dyn Sink,
    ) -> Result<Answer, SessionError> {
        let whole = format!("_{}", text.trim_start());
        self.run(&whole, wanted, sink).map_err(|error| match error {
            SessionError::Source { mut errors } => {
                fragment::without_first(&mut errors, &whole);
                SessionError::Source { errors }
            }
            other => other,
        })
    }

    /// Keeps what was typed, for [`Interactive::save`].
    fn record(&mut self, typed: Typed) {
        let order = self.log.last().map_or(0, |last| last.order + 1);
        self.log.push(Typed { order, ..typed });
    }

    fn run_piece(
        &mut self,
        text: &str,
        piece: &Piece,
        wanted: Wanted,
        sink: &mut dyn Sink,
    ) -> Result<Answer, SessionError> {
        let own = text.get(piece.range.clone()).unwrap_or_default();
        let aligned = fragment::only(text, &piece.range);
        let mut answer = match piece.kind {
            PieceKind::Definition => self.define(own, &aligned, piece, sink)?,
            PieceKind::Probe => return self.attach(own, &aligned, sink),
            PieceKind::Expression | PieceKind::Statements => {
                self.evaluate(piece.kind, &aligned, Some(own), wanted, sink)?
                    .0
            }
        };
        answer.partial.extend(self.losses_behind(own)?);
        Ok(answer)
    }

    /// Declares something anew, or for the first time. What fails to compile, or to be initialized, changes nothing.
    fn define(
        &mut self,
        own: &str,
        aligned: &str,
        piece: &Piece,
        sink: &mut dyn Sink,
    ) -> Result<Answer, SessionError> {
        self.check_unused(&piece.names)?;
        let before = (self.declared.clone(), self.values.clone());
        let replaced = self.declared.replace(&piece.names)?;
        for name in &piece.names {
            self.values.remove(name);
        }
        let result = self.evaluate(
            PieceKind::Definition,
            aligned,
            None,
            Wanted::default(),
            sink,
        );
        let failed = match &result {
            Ok((answer, _)) => answer.fault.is_some(),
            Err(_) => true,
        };
        if failed {
            (self.declared, self.values) = before;
            return result.map(|(answer, _)| answer);
        }
        // Later, the last value will be another one.
        let text = self.with_numbers(own);
        self.declared.add(&text, &piece.names);
        self.viewed
            .retain(|viewed| !piece.names.contains(&viewed.name));
        let mut names = piece.names.clone();
        names.extend(fragment::macros(&text).0);
        self.record(Typed {
            kind: PieceKind::Definition,
            text,
            number: None,
            names,
            shown: HowShown::Nothing,
            faulted: false,
            order: 0,
        });
        // What earlier values are may have changed with it, and with those what others are.
        let mut stale: HashSet<String> = replaced.into_iter().collect();
        let mut forgotten = Vec::new();
        for (index, earlier) in self.earlier.iter_mut().enumerate() {
            let mentioned = fragment::mentioned(&earlier.text);
            if earlier.known && !stale.is_disjoint(&mentioned) {
                earlier.known = false;
                let name = format!("${}", index + 1);
                stale.insert(name.clone());
                forgotten.push(name);
            }
        }
        if !forgotten.is_empty() {
            sink.remark(&format!(
                "{} can no longer be used: what it was made with is declared anew",
                forgotten.join(", ")
            ));
        }
        result.map(|(answer, _)| answer)
    }
}

impl Answer {
    /// Whether it is not whole, or not of one instant.
    pub fn is_partial(&self) -> bool {
        let losses = self.missed > 0 || self.swapped > 0;
        let expired = self.pause.as_ref().is_some_and(|pause| pause.expired);
        losses || expired || !self.partial.is_empty() || !self.checks.is_empty()
    }

    /// Adds what a later part of the same line gave.
    fn absorb(&mut self, next: Answer) {
        self.absorb_losses(&next);
        let Answer {
            shown,
            fault,
            end,
            attached,
            ..
        } = next;
        self.shown = shown.or(self.shown.take());
        self.fault = fault.or(self.fault.take());
        self.end |= end;
        self.attached.extend(attached);
    }

    /// Adds what another part of the same line took and lacks.
    pub fn absorb_losses(&mut self, next: &Answer) {
        self.checks.extend_from_slice(&next.checks);
        self.pause = match (self.pause.take(), next.pause) {
            (Some(mut earlier), Some(later)) => {
                earlier.pause += later.pause;
                earlier.expired |= later.expired;
                Some(earlier)
            }
            (earlier, later) => later.or(earlier),
        };
        self.missed += next.missed;
        self.swapped += next.swapped;
        for reason in &next.partial {
            if !self.partial.contains(reason) {
                self.partial.push(reason.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_of_all_its_pauses() {
        let paused = |milliseconds, expired| Answer {
            pause: Some(PauseReport {
                pause: Duration::from_millis(milliseconds),
                expired,
                ..PauseReport::default()
            }),
            ..Answer::default()
        };
        let mut whole = Answer::default();
        for next in [
            paused(2, false),
            paused(30, true),
            Answer::default(),
            paused(400, false),
        ] {
            whole.absorb(next);
        }
        let pause = whole.pause.as_ref().unwrap();
        assert_eq!(pause.pause, Duration::from_millis(432));
        assert!(pause.expired && whole.is_partial());
    }
}
