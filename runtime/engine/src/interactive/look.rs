//! Looks at the target that are not expressions: memory, symbols, lines, threads and their stacks.

use std::path::Path;

use ytrace_debuginfo::{Cut, SourceLocation};
use ytrace_lang::fragment::PieceKind;
use ytrace_target::{
    LiveMemory, ModuleKind, PauseReport, PausedProcess, Process, StopError, ThreadSnapshot,
};
use ytrace_values::Memory;

use super::{Answer, Interactive, Wanted};
use crate::error::SessionError;
use crate::host::Sink;
use crate::memory::TargetMemory;

/// A thread.
#[derive(Clone, Debug)]
pub struct ThreadInfo {
    /// Its number.
    pub tid: i32,
    /// Its name.
    pub name: String,
    /// Its state, one letter (proc_pid_stat(5)); empty where it is not known.
    pub state: String,
}

/// A frame of a stack. An address has several where functions are inlined.
#[derive(Clone, Debug)]
pub struct StackFrame {
    /// The address of code.
    pub address: u64,
    /// The function, or module and offset.
    pub function: String,
    /// Whether it is inlined in the next one.
    pub inlined: bool,
    /// Source file and line, where known.
    pub place: Option<String>,
}

/// What an address is, by symbols.
#[derive(Clone, Debug)]
pub struct SymbolAt {
    /// The function or variable that it lies in, with the offset.
    pub symbol: Option<(String, u64)>,
    /// Its place in a module.
    pub module: Option<String>,
    /// The mapping that it lies in, as in `/proc/PID/maps`: range, permissions, name.
    pub mapping: Option<String>,
    /// Whether an allocator may have given it out: private memory of no file, or that can be written.
    pub allocable: bool,
}

/// Types whose words are no numbers: those of values that are not in the target.
const NO_ADDRESSES: [&str; 4] = ["_str", "_path", "float", "double"];

impl Interactive<'_> {
    /// The word that an expression gives; of a struct or array of the target its address. A fault is the inner error. Also gives what finding it
    /// out took and lacked, as of a line.
    ///
    /// # Errors
    /// It does not compile, or the target cannot be read.
    pub fn word(
        &mut self,
        text: &str,
        sink: &mut dyn Sink,
    ) -> Result<(Result<u64, String>, Answer), SessionError> {
        let kind = PieceKind::Expression;
        let (mut answer, _) = self.evaluate(kind, text, None, Wanted::default(), sink)?;
        let shown = answer.shown.take();
        let word = match answer.fault.take() {
            Some(fault) => Err(fault.message),
            None => shown
                .and_then(|shown| {
                    let is_number = !NO_ADDRESSES.contains(&shown.type_name.as_str());
                    shown.address.or(shown.word.filter(|_| is_number))
                })
                .ok_or_else(|| format!("`{}` is no number and no address", text.trim())),
        };
        Ok((word, answer))
    }

    /// Reads memory of the target, of the snapshot if there is one. The inner error says why it cannot be read, and gives how many
    /// bytes could be.
    ///
    /// # Errors
    /// The target cannot be read at all.
    pub fn read_memory(
        &mut self,
        address: u64,
        buffer: &mut [u8],
    ) -> Result<Result<(), (String, usize)>, SessionError> {
        let read = match &mut self.frozen {
            Some(frozen) => frozen.memory.read(address, buffer),
            None => {
                self.check_there()?;
                self.session.memory()?.read(address, buffer)
            }
        };
        Ok(read.map_err(|error| {
            let at = error.address().unwrap_or(address);
            let whole = usize::try_from(at.saturating_sub(address)).unwrap_or(0);
            (error.to_string(), whole.min(buffer.len()))
        }))
    }

    /// # Errors
    /// The process has gone.
    fn check_there(&self) -> Result<(), SessionError> {
        match self.session.running() {
            Some(process) if process.exited() => {
                Err(StopError::Exited { pid: process.pid() }.into())
            }
            _ => Ok(()),
        }
    }

    /// What lies at an address.
    pub fn symbol_at(&self, address: u64) -> SymbolAt {
        let names = &self.session.names;
        let maps = self.mappings().ok();
        let mapping = maps.as_ref().and_then(|maps| maps.find(address));
        SymbolAt {
            allocable: mapping.is_some_and(|mapping| {
                let of_file = mapping.path.as_ref().is_some_and(|path| path.is_absolute());
                mapping.permissions.write || !(of_file || mapping.permissions.shared)
            }),
            symbol: names.symbol_name(address),
            module: names.module_place(address),
            mapping: mapping.map(|mapping| {
                let permissions = mapping.permissions;
                let letter = |set: bool, letter: char| if set { letter } else { '-' };
                format!(
                    "{:#x}-{:#x} {}{}{}{} {}",
                    mapping.start,
                    mapping.end,
                    letter(permissions.read, 'r'),
                    letter(permissions.write, 'w'),
                    letter(permissions.execute, 'x'),
                    if permissions.shared { 's' } else { 'p' },
                    mapping_name(mapping)
                )
                .trim_end()
                .to_owned()
            }),
        }
    }

    /// The source line of an address of code, as `file:line`.
    pub fn line_at(&self, address: u64) -> Option<String> {
        let names = &self.session.names;
        let opened = names.open(names.module_at(address)?).ok()?;
        let symbol = opened.info.symbolize(address.wrapping_sub(opened.bias));
        let innermost = symbol.inlined.into_iter().next();
        let location = innermost.and_then(|frame| frame.location);
        location.or(symbol.location).as_ref().and_then(place)
    }

    /// The threads of the target.
    ///
    /// # Errors
    /// The process has gone.
    pub fn threads(&self) -> Result<Vec<ThreadInfo>, SessionError> {
        let threads = match &self.frozen {
            Some(frozen) => frozen.moment.threads.clone(),
            None => {
                self.check_there()?;
                self.session.target.threads()?
            }
        };
        Ok(threads
            .into_iter()
            .map(|thread| ThreadInfo {
                tid: i32::try_from(thread.tid).unwrap_or(0),
                name: String::from_utf8_lossy(&thread.name).into_owned(),
                state: thread.state,
            })
            .collect())
    }

    /// The thread that lines are about: the one that was chosen, or the one that a reader wants to see first.
    pub fn thread(&self) -> i32 {
        self.thread
            .unwrap_or_else(|| self.session.target.first_thread())
    }

    /// Chooses the thread that lines are about: its stack, its registers, its thread-local variables.
    pub fn choose_thread(&mut self, tid: i32) {
        self.thread = Some(tid);
    }

    /// Looks whether the target has loaded a library, or executes another program, and says so.
    pub(super) fn notice_changes(&mut self, sink: &mut dyn Sink) {
        let Some(process) = self.session.running() else {
            return;
        };
        // Probes in the kernel notice it themselves. A snapshot is of what was there.
        if !self.is_watched() && self.frozen.is_none() && !process.exited() {
            self.session.names.look_again(|| false);
        }
        let seen = self.session.names.census();
        if self.seen == seen {
            return;
        }
        let before = std::mem::replace(&mut self.seen, seen);
        self.names = super::complete::NameLists::default();
        // What was found to hold may not hold of these.
        self.typed_in = crate::session::TypedIn::default();
        self.asking = super::ask::Asking::default();
        let modules = self.session.names.modules();
        let name = |module: &crate::names::LoadedModule| module.file_name.clone();
        let was_there = |index: usize| before.get(index).copied().unwrap_or(false);
        let mut numbered = modules.iter().enumerate();
        let come = numbered
            .clone()
            .filter(|(index, module)| !module.gone && !was_there(*index));
        let come: Vec<String> = come.map(|(_, module)| name(module)).collect();
        // Nothing of one program is left in the next one.
        let mut earlier = numbered.clone().filter(|(index, _)| was_there(*index));
        let executed =
            earlier.all(|(_, module)| module.gone || module.mapped.kind != ModuleKind::File);
        let some_went = numbered.any(|(index, module)| module.gone && was_there(index));
        match executed && some_went {
            true => sink.remark(&format!(
                "the target executes another program now: {}",
                come.first().map_or("", String::as_str)
            )),
            false if !come.is_empty() => {
                sink.remark(&format!("the target has loaded {}", come.join(", ")));
            }
            false => {}
        }
    }

    /// The stack of a thread, the innermost function first; why it ends early, if it does; and the pause that it took.
    ///
    /// # Errors
    /// The target cannot be stopped or read, or has no such thread.
    #[allow(clippy::type_complexity)]
    pub fn stack(
        &mut self,
        tid: i32,
    ) -> Result<(Vec<StackFrame>, Option<String>, Option<PauseReport>), SessionError> {
        let (stack, pause) = if let Some(frozen) = &mut self.frozen {
            let registers = registers_of(&frozen.threads, tid)?;
            let stack = self.session.names.stack(&registers, &mut frozen.memory);
            (stack, None)
        } else if let Some(process) = self.session.running() {
            self.check_there()?;
            let mut memory = self.session.live_memory(&process)?;
            self.session.names.prepare_stacks();
            let (stack, report) =
                self.while_stopped(&process, &mut memory, |own, memory, threads| {
                    registers_of(threads, tid)
                        .map(|registers| own.session.names.stack(&registers, memory))
                })?;
            (stack?, Some(report?))
        } else {
            let threads = self.session.held.clone().unwrap_or_default();
            let registers = registers_of(&threads, tid)?;
            let mut memory = self.session.memory()?;
            let stack = self.session.names.stack(&registers, &mut *memory);
            (stack, None)
        };
        let mut frames = Vec::new();
        for address in &stack.frames {
            self.add_frames(*address, &mut frames);
        }
        let why = stack.cut.map(|cut| match cut {
            Cut::Slice(_) | Cut::Memory(_) => "the rest of the stack cannot be read".to_owned(),
            Cut::Depth => "there are more frames".to_owned(),
            Cut::Cycle => "the stack is damaged: its frames lead back to themselves".to_owned(),
            Cut::NoTable | Cut::Lost => "neither a table nor a frame pointer leads on".to_owned(),
        });
        Ok((frames, why, pause))
    }

    /// Lets something be done while the target stands still, with its registers and the mappings of that moment; gives the pause, or why it is not
    /// known how that went.
    pub(super) fn while_stopped<T>(
        &mut self,
        process: &Process,
        memory: &mut TargetMemory<LiveMemory>,
        work: impl FnOnce(&mut Self, &mut TargetMemory<LiveMemory>, &[ThreadSnapshot]) -> T,
    ) -> Result<(T, Result<PauseReport, SessionError>), SessionError> {
        self.check_no_tracer("meanwhile it cannot be stopped as a whole")?;
        let options = self.session.stop_options();
        let stopper = &self.session.stopper;
        let paused = self
            .session
            .in_turn(|| Ok(PausedProcess::stop(stopper, process, &options)?))?;
        let refreshed = memory.space_mut().refresh_mappings();
        let worked = refreshed.map(|()| work(self, memory, paused.threads()));
        let expired = !paused.is_stopped();
        let report = paused.resume().map(|report| PauseReport {
            expired: expired || report.expired,
            ..report
        });
        Ok((worked?, report.map_err(SessionError::from)))
    }

    pub(super) fn add_frames(&self, address: u64, frames: &mut Vec<StackFrame>) {
        let names = &self.session.names;
        let opened = names
            .module_at(address)
            .and_then(|module| names.open(module).ok());
        let symbol = opened.map(|opened| opened.info.symbolize(address.wrapping_sub(opened.bias)));
        let mut outermost = None;
        if let Some(symbol) = symbol {
            for inlined in symbol.inlined {
                frames.push(StackFrame {
                    address,
                    function: inlined.name,
                    inlined: true,
                    place: inlined.location.as_ref().and_then(place),
                });
            }
            outermost = symbol.location.as_ref().and_then(place);
        }
        frames.push(StackFrame {
            address,
            function: names.frame(address),
            inlined: false,
            place: outermost,
        });
    }
}

fn mapping_name(mapping: &ytrace_target::Mapping) -> String {
    let path = mapping.path.as_ref();
    path.map_or_else(String::new, |path| path.display().to_string())
}

/// A place in the source, without the directories that the program was built in.
fn place(location: &SourceLocation) -> Option<String> {
    let file = Path::new(&location.file).file_name()?.to_string_lossy();
    Some(format!("{file}:{}", location.line?))
}

/// The registers of a thread.
fn registers_of(
    threads: &[ThreadSnapshot],
    tid: i32,
) -> Result<ytrace_target::Registers, SessionError> {
    let thread = threads.iter().find(|thread| thread.tid == tid);
    let why = match thread {
        None if threads.is_empty() => {
            "no registers of threads are known: the core file has none, or is cut short before them"
                .to_owned()
        }
        None => format!("there is no thread {tid}"),
        Some(thread) => match thread.registers {
            Some(registers) => return Ok(registers),
            None => format!("thread {tid} waits inside the kernel, its registers are not known"),
        },
    };
    Err(SessionError::Arguments {
        message: why,
        hint: Some("`info threads` lists them".to_owned()),
    })
}
