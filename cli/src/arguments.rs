//! The command line.

use std::path::PathBuf;
use std::time::Duration;

pub use crate::groups::{CoreFiles, DebugFiles, Servers, TextOptions, TypesFiles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use ytrace_lang::execute::MOST_STACK;

/// Ask a process, or the core file of one, why it holds its memory, and who is to blame.
#[derive(Debug, Parser)]
#[command(name = "ytrace", version, max_term_width = 100)]
#[command(after_help = "Examples:
  ytrace ps nginx
  ytrace run probes/lua-gc-fgraph.y -p PID
  ytrace run probes/lua-gc-fgraph.y -p PID -o held.svg
  ytrace run probes/glibc-chunks.y --core core.4211
  ytrace run -e '_probe _oneshot { printf(\"%d connections\\n\", ngx_cycle->connection_n); }' -p PID")]
pub struct Cli {
    /// Colour in text output
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a probe file on a process or a core file
    Run(Box<RunArguments>),
    /// Look around in a process or a core file, line by line, in the language of probe files
    Repl(Box<ReplArguments>),
    /// Check probe files without running them
    Check(CheckArguments),
    /// Bring probe files into the one style
    Fmt(FmtArguments),
    /// Make and show types files, which stand in for debug information
    #[command(subcommand)]
    Types(TypesCommand),
    /// Show what changed between two results of one probe
    Diff(DiffArguments),
    /// List processes with their roles, memory and runtimes
    Ps(PsArguments),
    /// List installed probes; or what of a process or file can be probed and read
    List(ListArguments),
    /// Print reference pages of packages, probe files and the library
    Doc(DocArguments),
    /// Make a package of probes, with a test
    New(NewArguments),
    /// Run the tests of a package; they start programs
    Test(TestArguments),
    /// Add a package to the current directory
    Add(AddArguments),
    /// Remove a package that was added to the current directory
    Remove(RemoveArguments),
    /// Tell what this machine and a process allow, and what to do about the rest
    Doctor(DoctorArguments),
    /// Print what a shell reads to complete the words of ytrace
    Completions(CompletionsArguments),
    /// Write man pages
    Man(ManArguments),
}

/// Arguments of `ytrace run`.
#[derive(Debug, Args)]
#[command(
    override_usage = "ytrace run [OPTIONS] <FILE | -e TEXT> <-p PID | -c COMMAND | --core FILE> [-- <OPTIONS>...]
       ytrace run [OPTIONS] <FILE | -e TEXT> -- --help",
    after_help = "Words after `--` are options of the probe file; `-- --help` lists them.

Exit status: 0 success, 1 the probe failed, 2 wrong usage or environment, 3 a partial result."
)]
pub struct RunArguments {
    /// The probe file; `probes/NAME.y` also finds the probes that ship with ytrace
    #[arg(
        value_name = "FILE",
        required_unless_present = "expression",
        conflicts_with = "expression"
    )]
    pub file: Option<PathBuf>,
    /// Probe text instead of a file
    #[arg(short = 'e', long = "expression", value_name = "TEXT")]
    pub expression: Option<String>,
    /// The process to look at
    #[arg(
        short,
        long,
        value_name = "PID",
        value_parser = parse_pid,
        allow_negative_numbers = true,
        required_unless_present_any = ["command", "core", "script"],
        conflicts_with = "command"
    )]
    pub pid: Option<i32>,
    /// The core file to look at, of the kernel, of gcore or of systemd-coredump: the process as it was when that was written
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pid", "command", "mode"])]
    pub core: Option<PathBuf>,
    /// Core files
    #[command(flatten)]
    pub core_files: CoreFiles,
    /// Start this command and look at it: at its exit, at Ctrl-C, or after --after
    #[arg(short, long, value_name = "COMMAND")]
    pub command: Option<String>,
    /// With -c: run `_oneshot` after so long instead of at the exit
    #[arg(long, value_name = "TIME", value_parser = parse_duration, allow_hyphen_values = true)]
    pub after: Option<Duration>,
    /// End timers and probes on events after so long, and show the result
    #[arg(long, value_name = "TIME", value_parser = parse_limit, allow_hyphen_values = true)]
    pub duration: Option<Duration>,
    /// Show what has been found so far each time so long has passed; on a terminal in place
    #[arg(long, value_name = "TIME", value_parser = parse_interval)]
    pub interval: Option<Duration>,
    /// Stop the thread at each hit while the handler runs, which may then read whatever it likes; needs ptrace alone, and slows the
    /// target down much more
    #[arg(long, conflicts_with = "core")]
    pub sync: bool,
    /// Run `_oneshot` at an event instead of at once, with all threads held: the head of a probe, as in
    /// 'ngx_destroy_pool(ngx_pool_t *p)'
    #[arg(long, value_name = "HEAD", conflicts_with_all = ["core", "command"])]
    pub when: Option<String>,
    /// With --when: only at a hit for which this expression over the probe's arguments and the target's variables holds
    #[arg(long = "if", value_name = "EXPR", requires = "when")]
    pub condition: Option<String>,
    /// With --when: wait no longer than so long [default: until Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = parse_limit, requires = "when")]
    pub within: Option<Duration>,
    /// Write the result to a file, by its ending: .svg, .html, .folded, .json, .txt, .pb.gz (pprof), .speedscope.json (repeatable)
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// What goes to standard output: text; the result as a JSON document; or NDJSON, a JSON object a line, as things happen
    #[arg(long, value_enum, default_value_t = StreamFormat::Text, value_name = "FORMAT")]
    pub format: StreamFormat,
    /// Show what changed since an earlier run of the same probe, whose result `-o OLD.json` left
    #[arg(long, value_name = "OLD.json")]
    pub diff: Option<PathBuf>,
    /// Which column of a view decides: its width, its order (bytes, count, …)
    #[arg(long, value_name = "NAME")]
    pub weight: Option<String>,
    /// The most rows of each view as text, 0 for all [default: 25 on the terminal, all in .txt]
    #[arg(long, value_name = "N", value_parser = parse_rows, allow_negative_numbers = true)]
    pub rows: Option<usize>,
    /// How the target is read
    #[arg(long, value_enum, default_value_t = ModeChoice::Auto, value_name = "MODE")]
    pub mode: ModeChoice,
    /// The longest pause of the target; the rest is then read live
    #[arg(long, value_name = "TIME", value_parser = parse_pause, default_value = "50ms", allow_hyphen_values = true)]
    pub max_pause: Duration,
    /// Run on these processors only, as in 0-3,7 (also during the pause)
    #[arg(long, value_name = "LIST", value_parser = parse_processors, allow_hyphen_values = true)]
    pub cpu: Option<Processors>,
    /// Read pages of the target that are swapped out (this brings them back into its memory)
    #[arg(long)]
    pub read_swap: bool,
    /// Wait for functions that no module has yet, and for more that match patterns: libraries may be loaded
    #[arg(long)]
    pub pending: bool,
    /// Leave functions that were inlined out of stacks
    #[arg(long)]
    pub no_inline: bool,
    /// Run nothing inside the target (no mode of this version does)
    #[arg(long)]
    pub no_inject: bool,
    /// Debug information
    #[command(flatten)]
    pub debug: DebugFiles,
    /// Types files
    #[command(flatten)]
    pub types: TypesFiles,
    /// What goes into the text of probes
    #[command(flatten)]
    pub text: TextOptions,
    /// End a run of a handler after so long
    #[arg(long, value_name = "TIME", value_parser = parse_limit, default_value = "60s", allow_hyphen_values = true)]
    pub timeout: Duration,
    /// The most steps (loop rounds and calls) of one run of a handler
    #[arg(long, value_name = "N", value_parser = parse_size, allow_negative_numbers = true, default_value = "100G")]
    pub steps: u64,
    /// The most memory for tables, strings and paths of the probe [default: a quarter of what is available]
    #[arg(long, value_name = "BYTES", value_parser = parse_size, allow_negative_numbers = true)]
    pub memory: Option<u64>,
    /// The most memory for nested calls of the probe's functions; a call takes its variables and some 100 bytes; 256M at most
    #[arg(long, value_name = "BYTES", value_parser = parse_stack, allow_negative_numbers = true, default_value = "16M")]
    pub max_stack: u64,
    /// The most output of the probe's printf
    #[arg(long, value_name = "BYTES", value_parser = parse_size, allow_negative_numbers = true, default_value = "256M")]
    pub max_output: u64,
    /// The longest string taken from the target
    #[arg(long, value_name = "BYTES", value_parser = parse_size, allow_negative_numbers = true, default_value = "4K")]
    pub max_string: u64,
    /// Execute with the reference interpreter instead of compiled code
    #[arg(long)]
    pub interpret: bool,
    /// Say more on standard error: what was found where, and how long each part took
    #[arg(short, long)]
    pub verbose: bool,
    /// The most functions that the pattern of one probe may match
    #[arg(long, value_name = "N", value_parser = parse_number, default_value_t = ytrace_lang::check::MOST_PROBES)]
    pub max_probes: usize,
    /// By how much probes on events may slow the target down: its hits are counted for 200 ms first [default: what the probe file says]
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, allow_negative_numbers = true)]
    pub max_overhead: Option<f64>,
    /// Go on, however much slower it will be, and probe returns also where exceptions or coroutines may then end the target
    #[arg(long)]
    pub force: bool,
    /// Put probes on events in place for this share of the time only, in short windows at random
    #[arg(long, value_name = "PERCENT", value_parser = parse_share, allow_negative_numbers = true)]
    pub duty: Option<f64>,
    /// Probe what the target forks from now on, too: `_pid()` tells whose hit it is
    #[arg(long, conflicts_with_all = ["sync", "when", "core"])]
    pub children: bool,
    /// Options of the probe file
    #[arg(last = true, value_name = "OPTIONS")]
    pub script: Vec<String>,
}

/// What `ytrace run` writes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StreamFormat {
    /// For people
    Text,
    /// What `-o FILE.json` would hold, when all is over
    Json,
    /// One JSON object a line: what is printed as it is, then the views and an end
    Ndjson,
}

/// A share of a whole in per cent, with or without the sign.
fn parse_share(text: &str) -> Result<f64, String> {
    match parse_percent(text)? {
        share if share > 0.0 && share <= 100.0 => Ok(share),
        _ => Err("it must be above 0 and at most 100".to_owned()),
    }
}

/// Arguments of `ytrace repl`.
#[derive(Debug, Args)]
#[command(
    override_usage = "ytrace repl [OPTIONS] <-p PID | --core FILE>
       ytrace repl [OPTIONS] <-p PID | --core FILE> -e LINE...
       ytrace repl [OPTIONS] <-p PID | --core FILE> < FILE",
    after_help = "At the prompt, `help` lists the commands. Lines come from standard input where that is no terminal.

Exit status: 0 success, 1 a line went wrong (not at a terminal), 2 wrong usage or environment, 3 an answer was not whole."
)]
pub struct ReplArguments {
    /// The process to look at
    #[arg(
        short,
        long,
        value_name = "PID",
        value_parser = parse_pid,
        allow_negative_numbers = true,
        required_unless_present = "core"
    )]
    pub pid: Option<i32>,
    /// The core file to look at
    #[arg(long, value_name = "FILE", conflicts_with = "pid")]
    pub core: Option<PathBuf>,
    /// Core files
    #[command(flatten)]
    pub core_files: CoreFiles,
    /// Run this line and end (repeatable)
    #[arg(
        short = 'e',
        long = "line",
        value_name = "LINE",
        allow_hyphen_values = true
    )]
    pub lines: Vec<String>,
    /// Values as JSON, one a line
    #[arg(long)]
    pub json: bool,
    /// The longest pause of the target, for a snapshot or a stack
    #[arg(long, value_name = "TIME", value_parser = parse_pause, default_value = "50ms", allow_hyphen_values = true)]
    pub max_pause: Duration,
    /// End a line after so long; Ctrl-C ends it at once
    #[arg(long, value_name = "TIME", value_parser = parse_limit, default_value = "1h", allow_hyphen_values = true)]
    pub timeout: Duration,
    /// The most memory for tables, strings and paths [default: a quarter of what is available]
    #[arg(long, value_name = "BYTES", value_parser = parse_size, allow_negative_numbers = true)]
    pub memory: Option<u64>,
    /// The longest string taken from the target
    #[arg(long, value_name = "BYTES", value_parser = parse_size, allow_negative_numbers = true, default_value = "4K")]
    pub max_string: u64,
    /// Read pages of the target that are swapped out (this brings them back into its memory)
    #[arg(long)]
    pub read_swap: bool,
    /// Stop the thread at each hit of a probe while its handler runs, as with `ytrace run`; one such probe at a time
    #[arg(long, conflicts_with = "core")]
    pub sync: bool,
    /// Let probes wait for functions that no module has yet: libraries may be loaded
    #[arg(long, conflicts_with_all = ["core", "sync"])]
    pub pending: bool,
    /// Debug information
    #[command(flatten)]
    pub debug: DebugFiles,
    /// Types files
    #[command(flatten)]
    pub types: TypesFiles,
    /// What goes into the text of probes
    #[command(flatten)]
    pub text: TextOptions,
}

/// A number of per cent, with or without the sign.
fn parse_percent(text: &str) -> Result<f64, String> {
    let number: f64 = text
        .trim_end_matches('%')
        .trim_end()
        .parse()
        .map_err(|_| "not a number".to_owned())?;
    match number.is_finite() && number >= 0.0 {
        true => Ok(number),
        false => Err("it must be 0 or more".to_owned()),
    }
}

fn parse_number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be above 0".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number above 0".to_owned()),
    }
}

/// The commands of `ytrace types`.
#[derive(Debug, Subcommand)]
pub enum TypesCommand {
    /// Take the type and symbol information of a module into one small file
    Extract(ExtractArguments),
    /// Say what is in types files
    Show(ShowArguments),
}

/// Arguments of `ytrace types extract`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 success, 2 the module has no debug information or cannot be read, or the file cannot be written, 3 a part of it is damaged and left out."
)]
pub struct ExtractArguments {
    /// An ELF file; with -p the file name or soname of a module of the process (wildcards allowed), or `_exe`
    #[arg(value_name = "MODULE")]
    pub module: PathBuf,
    /// Where to write the types
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Take the module from this process
    #[arg(short, long, value_name = "PID", value_parser = parse_pid, allow_negative_numbers = true)]
    pub pid: Option<i32>,
    /// The file with the module's debug information, if it fits
    #[arg(long, value_name = "FILE")]
    pub debug_file: Option<PathBuf>,
    /// Another directory with separate debug files, like /usr/lib/debug (repeatable)
    #[arg(long, value_name = "DIR")]
    pub debug_root: Vec<PathBuf>,
    /// Servers of debug information
    #[command(flatten)]
    pub servers: Servers,
}

/// Arguments of `ytrace types show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// Types files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// How the target is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeChoice {
    /// Choose by size and by what the kernel offers
    Auto,
    /// Never stop the target; what is read may change meanwhile
    Live,
    /// Stop it while the memory that the walk needs is copied, walk the copy
    Copy,
    /// Keep it stopped during the whole walk
    Stop,
}

/// Arguments of `ytrace check`.
#[derive(Debug, Args)]
#[command(
    after_help = "With --core, names and types are those of the files that the core file names, if these are still the same builds, and layouts must hold on its memory.
With --types and no process, names and types are those of the types files. Without either, everything but the target's own names and types is checked, with each arm of every `##if…` in turn.

Exit status: 0 right, 1 errors in a probe file, 2 wrong usage or environment."
)]
pub struct CheckArguments {
    /// Probe files, and directories with `.y` files below them
    #[arg(value_name = "FILE|DIR", required = true)]
    pub paths: Vec<PathBuf>,
    /// Check against this process: its names, types and layouts
    #[arg(short, long, value_name = "PID", value_parser = parse_pid, allow_negative_numbers = true)]
    pub pid: Option<i32>,
    /// Check against this core file: its names, types and layouts
    #[arg(long, value_name = "FILE", conflicts_with = "pid")]
    pub core: Option<PathBuf>,
    /// Core files
    #[command(flatten)]
    pub core_files: CoreFiles,
    /// List the names that only a target could settle
    #[arg(short, long)]
    pub verbose: bool,
    /// List what each file reads, probes, shows and needs, and the files it includes with their hashes: for files of strangers
    #[arg(long)]
    pub audit: bool,
    /// Debug information
    #[command(flatten)]
    pub debug: DebugFiles,
    /// Types files
    #[command(flatten)]
    pub types: TypesFiles,
    /// What goes into the text of probes
    #[command(flatten)]
    pub text: TextOptions,
    /// The most functions that the pattern of one probe may match
    #[arg(long, value_name = "N", value_parser = parse_number, default_value_t = ytrace_lang::check::MOST_PROBES)]
    pub max_probes: usize,
    /// Options of the probe file
    #[arg(last = true, value_name = "OPTIONS")]
    pub script: Vec<String>,
}

/// Arguments of `ytrace fmt`.
#[derive(Debug, Args)]
#[command(
    after_help = "Only white space changes; comments and macros stay as they are.

Exit status: 0 success, 1 a file cannot be read as a probe file or, with --check, is not formatted, 2 wrong usage or environment."
)]
pub struct FmtArguments {
    /// Probe files, and directories with `.y` files below them; `-` is standard input to standard output
    #[arg(value_name = "FILE|DIR", required = true)]
    pub paths: Vec<PathBuf>,
    /// Change nothing, list the files that are not formatted
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `ytrace diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 success, 2 a file cannot be read or written, or the results cannot be compared, 3 one of them is partial."
)]
pub struct DiffArguments {
    /// The earlier result, of `ytrace run -o OLD.json`
    #[arg(value_name = "OLD.json")]
    pub old: PathBuf,
    /// The later result
    #[arg(value_name = "NEW.json")]
    pub new: PathBuf,
    /// Write the result to a file, by its ending: .svg, .html, .folded, .json, .txt, .pb.gz (pprof), .speedscope.json (repeatable)
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
}

/// Arguments of `ytrace ps`.
#[derive(Debug, Args)]
pub struct PsArguments {
    /// Only processes whose name or role contains this
    pub name: Option<String>,
    /// Also kernel threads and processes of which nothing is known
    #[arg(short, long)]
    pub all: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `ytrace doctor`.
#[derive(Debug, Args)]
#[command(after_help = "The process is not stopped and its memory is not read.

Exit status: 0 everything goes, if with less than there could be, 2 something does not.")]
pub struct DoctorArguments {
    /// The process to look at, besides the machine
    #[arg(short, long, value_name = "PID", value_parser = parse_pid, allow_negative_numbers = true)]
    pub pid: Option<i32>,
    /// A directory with separate debug files, besides those of the system (repeatable)
    #[arg(long, value_name = "DIR")]
    pub debug_root: Vec<PathBuf>,
    /// Servers of debug information
    #[command(flatten)]
    pub servers: Servers,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `ytrace completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example: ytrace completions bash > /etc/bash_completion.d/ytrace")]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `ytrace man`.
#[derive(Debug, Args)]
#[command(after_help = "Example: ytrace man /usr/local/share/man/man1")]
pub struct ManArguments {
    /// The directory to write into; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// Arguments of `ytrace doc`.
#[derive(Debug, Args)]
#[command(
    after_help = "Pages are Markdown, made of the `///` texts. Without a name they are of the library and the probes that ship with ytrace.

Examples:
  ytrace doc probes/ngx-pools.y
  ytrace doc luajit
  ytrace doc my-package/ -o pages/
  ytrace doc -o docs/library

Exit status: 0 success, 2 there is nothing of that name, or a file cannot be read or written."
)]
pub struct DocArguments {
    /// A package (its directory, or its name where it was added), a probe file, or a folder of the library
    #[arg(value_name = "PACKAGE|FILE")]
    pub name: Option<PathBuf>,
    /// Write files into this directory instead of standard output; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Arguments of `ytrace new`.
#[derive(Debug, Args)]
#[command(after_help = "Example: ytrace new my-server && ytrace test my-server")]
pub struct NewArguments {
    /// The directory to make; its last part is the name of the package
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// Arguments of `ytrace test`.
#[derive(Debug, Args)]
#[command(
    after_help = "Tests are files in DIR/tests that end in .toml; they say which programs are built and started, so read those of a stranger first.

Exit status: 0 no test failed, 1 one did, 2 the package or its tests are wrong."
)]
pub struct TestArguments {
    /// The directory of the package
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Only tests whose names contain this
    #[arg(value_name = "NAME")]
    pub filter: Option<String>,
    /// Show all that failed runs printed, not its beginning alone
    #[arg(short, long)]
    pub verbose: bool,
}

/// Arguments of `ytrace add`.
#[derive(Debug, Args)]
#[command(
    after_help = "The package is copied into ./ytrace-packages, and the hashes of its files go into ./ytrace.lock. Nothing of it is run.
A file that is no longer what was added is refused when it is used; `ytrace add DIR` again takes what DIR holds now."
)]
pub struct AddArguments {
    /// The directory of the package
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// Arguments of `ytrace remove`.
#[derive(Debug, Args)]
#[command(
    after_help = "The copy in ./ytrace-packages goes, and its entry in ./ytrace.lock. A copy with files that are not as they were added is kept, and they are listed, unless --force is given."
)]
pub struct RemoveArguments {
    /// The name of the package
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Also delete files that have changed since they were added, and new ones
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `ytrace list`.
#[derive(Debug, Args)]
#[command(
    override_usage = "ytrace list [PATTERN]
       ytrace list [OPTIONS] <-p PID | -e FILE> [PATTERN]",
    after_help = "Without -p and -e it lists the probes that `ytrace run` finds by name, and what each is for: those that ship with ytrace, those of packages that were added to the current directory, and those of packages on $YTRACE_PATH.

A pattern is a name as probe points have it: `malloc`, 'ngx_http_*', 'libssl.so.3::SSL_*', `_exe::main`; `*` stands for any text, `?` for one character. 'usdt:PROVIDER:NAME', 'struct NAME', 'union NAME' and 'enum NAME' ask for that kind alone.
Without --functions, --usdt, --variables and --types all kinds are listed.

Examples:
  ytrace list
  ytrace list -p PID 'ngx_http_*handler'
  ytrace list -p PID -v libc.so.6::malloc
  ytrace list -e /usr/bin/python3 'usdt:*'
  ytrace list -p PID -v 'struct ngx_pool_s'

Exit status: 0 something matches, 2 nothing does, wrong usage or environment, 3 a part of the debug information cannot be read."
)]
pub struct ListArguments {
    /// What is listed, a name or a pattern
    #[arg(value_name = "PATTERN", default_value = "*")]
    pub pattern: String,
    /// The process to look at; it is not stopped
    #[arg(
        short,
        long,
        value_name = "PID",
        value_parser = parse_pid,
        allow_negative_numbers = true
    )]
    pub pid: Option<i32>,
    /// A program or library to look at, without a process
    #[arg(short, long, value_name = "FILE", conflicts_with = "pid")]
    pub exe: Option<PathBuf>,
    /// List functions
    #[arg(long)]
    pub functions: bool,
    /// List static probes
    #[arg(long)]
    pub usdt: bool,
    /// List variables
    #[arg(long)]
    pub variables: bool,
    /// List types
    #[arg(long)]
    pub types: bool,
    /// Say more: source, address, where a probe goes and why, copies, members of types
    #[arg(short, long)]
    pub verbose: bool,
    /// How it is written
    #[arg(long, value_enum, default_value_t = ListFormat::Text, value_name = "FORMAT")]
    pub format: ListFormat,
    /// Debug information
    #[command(flatten)]
    pub debug: DebugFiles,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// A line for each, as a probe file has it
    Text,
    /// An array of objects
    Json,
}

/// The number of a process.
pub fn parse_pid(text: &str) -> Result<i32, String> {
    match text.trim().parse::<i32>() {
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err(
            "expected the number of a process, such as 1234; `ytrace ps NAME` lists processes"
                .to_owned(),
        ),
    }
}

/// A number of rows.
fn parse_rows(text: &str) -> Result<usize, String> {
    text.trim()
        .parse()
        .map_err(|_| "expected a number of rows, such as 25; 0 shows all".to_owned())
}

/// A number with a suffix K, M, G or T (powers of 1024).
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (digits, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1u64 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        Some((at, 't' | 'T')) => (&text[..at], 1 << 40),
        _ => (text, 1),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "expected a number such as 4096, 64K or 2G".to_owned())
}

/// A size that a stack budget can have.
fn parse_stack(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        size if size <= MOST_STACK => Ok(size),
        _ => Err(format!("it is {}M at most", MOST_STACK >> 20)),
    }
}

/// Processors by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processors(pub Vec<usize>);

/// Numbers and ranges with commas between them: `0-3,7`.
pub fn parse_processors(text: &str) -> Result<Processors, String> {
    /// More than any machine has.
    const MOST: usize = 1 << 16;
    let wrong = || "expected numbers and ranges such as 2 or 0-3,7".to_owned();
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| *n < MOST);
    let mut list = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (
            number(first).ok_or_else(wrong)?,
            number(last).ok_or_else(wrong)?,
        );
        if first > last {
            return Err(wrong());
        }
        list.extend(first..=last);
    }
    list.sort_unstable();
    list.dedup();
    Ok(Processors(list))
}

/// A time: `50ms`, `1.5s`, `30m`, `12h`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => f64::NAN,
    };
    number
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * factor).ok())
        .ok_or_else(|| "expected a time such as 50ms, 1.5s, 30m or 12h".to_owned())
}

/// The shortest time after which what has been found is shown again.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// How often the result is shown.
fn parse_interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        interval if interval < SHORTEST_INTERVAL => Err("an interval is 10ms or more".to_owned()),
        interval => Ok(interval),
    }
}

/// A time that is a limit.
fn parse_limit(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("a limit is more than 0".to_owned()),
        limit => Ok(limit),
    }
}

/// A limit that says its unit: seconds are rarely meant where 50 ms are usual.
fn parse_pause(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let limit = parse_limit(text)?;
    match text.ends_with(|last: char| last.is_ascii_digit() || last == '.') {
        true => Err(format!("a unit is missing: {text}ms, or {text}s")),
        false => Ok(limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn processors() {
        assert_eq!(parse_processors("3, 0-1,1"), Ok(Processors(vec![0, 1, 3])));
        for wrong in ["", "a", "3-1", "1,,2", "-1", "0-99999999999"] {
            assert!(parse_processors(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_and_times() {
        assert_eq!(parse_size("64K"), Ok(65536));
        assert_eq!(parse_size("7"), Ok(7));
        assert!(parse_size("99999999999T").is_err());
        assert!(parse_size("K").is_err());
        assert_eq!(parse_duration("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("2"), Ok(Duration::from_secs(2)));
        assert!(parse_duration("-1s").is_err());
        assert!(parse_duration("5 parsecs").is_err());
        assert!(parse_limit("0").is_err() && parse_limit("0.1ms").is_ok());
        assert_eq!(parse_pause("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(
            parse_pause("20"),
            Err("a unit is missing: 20ms, or 20s".to_owned())
        );
        assert_eq!(parse_rows("0"), Ok(0));
        assert!(parse_rows("-1").is_err_and(|error| error.contains("number of rows")));
        assert_eq!(parse_pid("12"), Ok(12));
        assert!(parse_pid("0").is_err() && parse_pid("-1").is_err() && parse_pid("nginx").is_err());
    }
}
