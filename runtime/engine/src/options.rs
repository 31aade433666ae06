//! What a session may do and how.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ytrace_debuginfo::Debuginfod;

/// How the target is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Chosen by size and by what the kernel offers.
    #[default]
    Auto,
    /// Never stopped; what is read may change meanwhile.
    Live,
    /// Stopped while the memory that the walk needs is copied.
    Copy,
    /// Stopped during the whole walk.
    Stop,
    /// It cannot run any more: it is held at its exit, and is read there. Not to be chosen: [`crate::Session::hold`].
    Held,
    /// It is no more: its core file is read. Not to be chosen: [`crate::Session::open_core`].
    Core,
}

impl Mode {
    /// The name in output and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::Live => "live",
            Mode::Copy => "copy",
            Mode::Stop => "stop",
            Mode::Held => "exit",
            Mode::Core => "core",
        }
    }
}

/// What one run of a handler may use.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    /// Steps: loop rounds and calls.
    pub steps: u64,
    /// Wall time.
    pub time: Duration,
    /// Memory for tables, strings and paths of the program, in bytes; `None` takes a quarter of what is available.
    pub memory: Option<u64>,
    /// Output of `printf` and its like, in bytes.
    pub output: u64,
    /// The longest string taken from the target, in bytes.
    pub string: u64,
    /// Frames of nested calls, in bytes.
    pub stack: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            steps: 100 << 30,
            time: Duration::from_secs(60),
            memory: None,
            output: 256 << 20,
            string: 4 << 10,
            stack: 16 << 20,
        }
    }
}

/// Which executor runs the handlers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecutorKind {
    /// Machine code.
    #[default]
    Compiled,
    /// The reference interpreter.
    Interpreter,
}

/// The event at which `_oneshot` runs, while all threads stand still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// The point as the language writes it, from after `_probe` to before the body.
    pub head: String,
    /// An expression of the language that must hold at the hit.
    pub condition: Option<String>,
    /// How long to wait for it.
    pub within: Option<Duration>,
}

/// Everything a session is told.
#[derive(Debug)]
pub struct Options {
    /// How the target is read.
    pub mode: Mode,
    /// The longest pause.
    pub max_pause: Duration,
    /// The processors to run on, numbered as in `/proc/cpuinfo`; empty for all.
    pub processors: Vec<usize>,
    /// Whether swapped pages are read.
    pub read_swap: bool,
    /// What a run of a handler may use.
    pub budgets: Budgets,
    /// Which executor runs the handlers.
    pub executor: ExecutorKind,
    /// Debug files given for modules: a module's soname or file name, and the file.
    pub debug_files: Vec<(String, PathBuf)>,
    /// Directories with separate debug files, besides those of the system.
    pub debug_roots: Vec<PathBuf>,
    /// Types files, which stand in for debug information.
    pub types: Vec<PathBuf>,
    /// Whether a types file may be used for a module of its name whose build-id is another, if sections and symbols agree.
    pub types_any_build: bool,
    /// Whether stacks leave out inlined functions.
    pub no_inlined: bool,
    /// Whether probes wait for functions of libraries that are not loaded yet.
    pub pending: bool,
    /// Servers that are asked for debug information that is found nowhere; none unless the user says so.
    pub debuginfod: Option<Debuginfod>,
    /// Search paths of `#include`.
    pub include: Vec<PathBuf>,
    /// Macros.
    pub defines: Vec<(String, String)>,
    /// The words after `--`.
    pub arguments: Vec<String>,
    /// How many functions the pattern of one probe may match.
    pub max_probes: usize,
    /// By how many per cent the target may be slowed down by probes on events; `None` leaves it to the program.
    pub max_overhead: Option<f64>,
    /// Whether to go on where it is more, and to probe returns where exceptions or coroutines may pass.
    pub force: bool,
    /// For which share of the time, in per cent, probes on events are in their places; `None` for always.
    pub duty: Option<f64>,
    /// Whether processes that the target forks from now on are probed, too, at the places of probes on events.
    pub children: bool,
    /// The column of a view that decides.
    pub weight: Option<String>,
    /// How long timers and probes on events run; `None` for as long as the target does.
    pub duration: Option<Duration>,
    /// How often what has been found so far is given to [`crate::Sink::interim`].
    pub interval: Option<Duration>,
    /// Whether probes on events stop the thread that is hit while their handlers run, instead of having the kernel capture what
    /// they read.
    pub synchronous: bool,
    /// Whether the values of what is printed are wanted beside the text ([`crate::Sink::values`]).
    pub values: bool,
    /// When `_oneshot` runs, if not at once.
    pub when: Option<When>,
    /// Set from a signal handler to end the session early.
    pub interrupt: &'static AtomicBool,
}

/// The longest pause, unless the user says otherwise.
pub const DEFAULT_MAX_PAUSE: Duration = Duration::from_millis(50);

impl Default for Options {
    /// Everything as the command line has it when no option is given; nothing interrupts.
    fn default() -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Self {
            mode: Mode::default(),
            max_pause: DEFAULT_MAX_PAUSE,
            processors: Vec::new(),
            read_swap: false,
            budgets: Budgets::default(),
            executor: ExecutorKind::default(),
            debug_files: Vec::new(),
            debug_roots: Vec::new(),
            types: Vec::new(),
            types_any_build: false,
            no_inlined: false,
            pending: false,
            debuginfod: None,
            include: Vec::new(),
            defines: Vec::new(),
            arguments: Vec::new(),
            max_probes: ytrace_lang::check::MOST_PROBES,
            max_overhead: None,
            force: false,
            duty: None,
            children: false,
            weight: None,
            duration: None,
            interval: None,
            synchronous: false,
            values: false,
            when: None,
            interrupt: &NEVER,
        }
    }
}

impl Options {
    /// The macros of a program: those that were given, and what it is told of how it runs.
    pub(crate) fn macros(&self) -> Vec<(String, String)> {
        let duty = self
            .duty
            .map(|percent| (DUTY_MACRO.to_owned(), percent.to_string()));
        let children = self
            .children
            .then(|| (CHILDREN_MACRO.to_owned(), "1".to_owned()));
        let told = duty.into_iter().chain(children);
        self.defines.iter().cloned().chain(told).collect()
    }
}

/// The macro that is defined with [`Options::children`].
const CHILDREN_MACRO: &str = "__YTRACE_CHILDREN__";
/// The macro that is defined with [`Options::duty`], as the number of per cent.
pub(crate) const DUTY_MACRO: &str = "__YTRACE_DUTY__";
