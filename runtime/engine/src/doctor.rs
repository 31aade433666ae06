//! What this machine and a process allow, each with what to do about what is missing.

use std::time::Duration;

use ytrace_debuginfo::{DebugSource, DebugStatus, Found, Outcome};
use ytrace_target::events::{EventDenial, EventTier, Facilities};
use ytrace_target::{Machine, ModuleKind, Process};
use ytrace_values::units;

use crate::copying::COPY_SPEED;
use crate::error::SessionError;
use crate::identity::Rules;
use crate::left_behind;
use crate::names::{Names, hexadecimal};
use crate::options::Options;
use crate::session::Session;
use crate::target::Target;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It works.
    Good,
    /// It works with less than there could be.
    Limited,
    /// It does not work.
    Missing,
}

impl Health {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Health::Good => "ok",
            Health::Limited => "limited",
            Health::Missing => "missing",
        }
    }
}

/// Something that was looked at. What is not good always comes with what would make it better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What.
    pub subject: String,
    /// What was found.
    pub found: String,
    state: State,
}

/// How well something is, and what to do where it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Good,
    Limited { fix: String },
    Missing { fix: String },
}

impl Diagnosis {
    /// How well it is.
    pub fn health(&self) -> Health {
        match self.state {
            State::Good => Health::Good,
            State::Limited { .. } => Health::Limited,
            State::Missing { .. } => Health::Missing,
        }
    }

    /// What would make it better; `None` where it is good.
    pub fn fix(&self) -> Option<&str> {
        match &self.state {
            State::Good => None,
            State::Limited { fix } | State::Missing { fix } => Some(fix),
        }
    }

    fn new(subject: &str, found: impl Into<String>, state: State) -> Self {
        Self {
            subject: subject.to_owned(),
            found: found.into(),
            state,
        }
    }

    fn good(subject: &str, found: impl Into<String>) -> Self {
        Self::new(subject, found, State::Good)
    }

    fn limited(subject: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(subject, found, State::Limited { fix: fix.into() })
    }

    fn missing(subject: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(subject, found, State::Missing { fix: fix.into() })
    }
}

/// What to do where an error of the system is all that is known.
fn system_hint(hint: Option<String>) -> String {
    hint.unwrap_or_else(|| {
        "errno(3) and the kernel's log (dmesg) tell more; try as root".to_owned()
    })
}

/// What this machine allows this user. Facilities are found by trying; no other process is looked at.
///
/// # Errors
/// `YTRACE_FORBID` names something unknown, in words.
pub fn of_machine() -> Result<Vec<Diagnosis>, String> {
    let machine = Machine::look();
    let facilities = Facilities::find().map_err(|error| error.to_string())?;
    let mut list = vec![privileges(&machine)];
    if let Some(scope) = machine.ptrace_scope {
        list.push(ptrace_scope(scope, &machine));
    }
    list.extend(events(&facilities));
    Ok(list)
}

/// What a process allows: of its memory only the text is read, else its files and what the kernel tells of it.
///
/// # Errors
/// It has gone, or an option names a file that cannot be used.
pub fn of_process(process: Process, options: &Options) -> Result<Vec<Diagnosis>, SessionError> {
    let mut list = Vec::new();
    let facts = process.facts()?;
    if let Err(error) = process.check_access() {
        let hint = system_hint(error.hint());
        list.push(Diagnosis::missing("memory", error.to_string(), hint));
        return Ok(list);
    }
    list.push(Diagnosis::good("memory", "can be read"));
    list.push(match facts.tracer {
        0 => Diagnosis::good("stopping", "no other program traces it"),
        tracer => Diagnosis::missing(
            "stopping",
            format!("process {tracer} traces it: it cannot be stopped, nor copied at one instant"),
            format!("end process {tracer} (a debugger, strace?), or use --mode live"),
        ),
    });
    if facts.executable_deleted {
        list.push(Diagnosis::limited(
            "executable",
            "its file was deleted or replaced since it started; it is read through /proc",
            "debug files of the old build are needed, not those of the new one",
        ));
    }
    list.push(pause(&process, facts.threads, options.max_pause));
    let session = Session::open(process.clone(), options)?;
    list.push(text(&session, &process, facts.tracer)?);
    let asked = options.debuginfod.is_some();
    list.extend(debug_information(session.names(), asked));
    list.push(runtimes(process)?);
    Ok(list)
}

fn privileges(machine: &Machine) -> Diagnosis {
    let lacking = machine.capabilities.iter().filter(|one| !one.held);
    let lacking: Vec<String> = lacking
        .map(|one| format!("{} ({})", one.name, one.purpose))
        .collect();
    let who = match machine.user {
        0 => "root".to_owned(),
        user => format!("user {user}"),
    };
    let filter = match machine.filtered {
        true => ", under a system call filter",
        false => "",
    };
    match lacking.as_slice() {
        [] => Diagnosis::good(
            "privileges",
            format!("{who}{filter}, with all capabilities that are of use"),
        ),
        lacking => Diagnosis::limited(
            "privileges",
            format!("{who}{filter}, without {}", lacking.join(", ")),
            "run as root, or give it the capabilities: setcap cap_sys_ptrace,cap_bpf,cap_perfmon,cap_checkpoint_restore+ep ytrace",
        ),
    }
}

fn ptrace_scope(scope: u32, machine: &Machine) -> Diagnosis {
    let capable = machine.capabilities.iter();
    let capable = capable
        .into_iter()
        .any(|one| one.name == "CAP_SYS_PTRACE" && one.held);
    let said = format!("kernel.yama.ptrace_scope is {scope}");
    match scope {
        0 => Diagnosis::good("ptrace", said),
        1 | 2 if capable => {
            Diagnosis::good("ptrace", format!("{said}, which CAP_SYS_PTRACE passes"))
        }
        1 => Diagnosis::limited(
            "ptrace",
            format!("{said}: only what ytrace itself has started (-c) may be read"),
            "run as root, or for now: sysctl kernel.yama.ptrace_scope=0",
        ),
        // There not even a child may be traced.
        2 => Diagnosis::missing(
            "ptrace",
            format!(
                "{said}: only who has CAP_SYS_PTRACE may read a process, also one of its own (-c)"
            ),
            "run as root, or for now: sysctl kernel.yama.ptrace_scope=0",
        ),
        _ => Diagnosis::missing(
            "ptrace",
            format!(
                "{said}: nobody may stop a process, nor read its memory; core files can be read"
            ),
            "it holds until the next boot: set it in /etc/sysctl.d and reboot",
        ),
    }
}

/// What of probing there is.
fn events(facilities: &Facilities) -> Vec<Diagnosis> {
    let limited = |without: &str, denial: &EventDenial| {
        let found = format!("{without}: {denial}");
        Diagnosis::limited("probes on events", found, system_hint(denial.hint()))
    };
    let mut list = Vec::new();
    match facilities.tier() {
        Ok(EventTier::Bpf) => {}
        Ok(EventTier::PerfUprobes(denial)) => {
            let found = "by perf_event_open alone: of a hit registers and a piece of the stack can be had, no other memory; threads are probed from when they are found; a hit costs more. The kernel takes no programs of this user";
            list.push(limited(found, &denial));
            return list;
        }
        Err(error) => {
            let hint = system_hint(error.hint());
            list.push(Diagnosis::missing(
                "probes on events",
                error.to_string(),
                hint,
            ));
            return list;
        }
    }
    list.push(match &facilities.uprobe_multi {
        Ok(()) if facilities.uprobe_session => Diagnosis::good(
            "probes on events",
            "programs in the kernel, many places by one link, entry and return as one",
        ),
        Ok(()) => Diagnosis::limited(
            "probes on events",
            "programs in the kernel, many places by one link; entries and returns are probed apart, which costs more a call",
            "Linux 6.13 and later pair them",
        ),
        Err(denial) => limited(
            "places are probed one by one, which takes long to attach and to take away",
            denial,
        ),
    });
    list.push(Diagnosis::good(
        "records of events",
        "one buffer for all processors",
    ));
    let tls = "thread-local variables at events";
    list.push(match &facilities.thread_pointer {
        Ok(()) => Diagnosis::good(tls, "can be read"),
        Err(reason) => Diagnosis::limited(
            tls,
            reason.clone(),
            "a kernel with CONFIG_DEBUG_INFO_BTF (/sys/kernel/btf/vmlinux)",
        ),
    });
    list
}

/// How long a walk of all that it has would stop it, at the most: what it alone can change is copied.
fn pause(process: &Process, threads: u64, most: Duration) -> Diagnosis {
    /// What it takes to stop a thread and let it go, as measured with many that sleep.
    const A_THREAD: Duration = Duration::from_micros(10);
    let usage = match process.memory_usage() {
        Ok(usage) => usage,
        Err(error) => {
            let hint = system_hint(error.hint());
            return Diagnosis::limited("expected pause", error.to_string(), hint);
        }
    };
    let changing = match usage.detail {
        Some(detail) => detail.anonymous,
        None => usage.resident.saturating_sub(usage.resident_shared),
    };
    let copying = Duration::from_secs_f64(changing as f64 / COPY_SPEED as f64);
    let stopping = A_THREAD.saturating_mul(u32::try_from(threads).unwrap_or(u32::MAX));
    let expected = copying + stopping;
    let found = format!(
        "{} for a probe that walks all of its {} of memory in {threads} thread{}; less for one that needs a part",
        units::duration(expected.as_nanos() as i128),
        units::bytes(i64::try_from(changing).unwrap_or(i64::MAX)),
        if threads == 1 { "" } else { "s" },
    );
    match expected > most {
        false => Diagnosis::good("expected pause", found),
        true => Diagnosis::limited(
            "expected pause",
            found,
            format!(
                "no run pauses it for more than {}: what that leaves out makes the result partial. --max-pause allows more; --mode live stops nothing; a core file (gcore) costs one long pause",
                units::duration(most.as_nanos() as i128)
            ),
        ),
    }
}

/// Breakpoints in its text, which somebody may have left behind.
fn text(session: &Session<'_>, process: &Process, tracer: i32) -> Result<Diagnosis, SessionError> {
    /// So many are named.
    const NAMED: usize = 3;
    let mut memory = session.live_space(process)?;
    let found = left_behind::find(session.names(), &mut memory);
    if found.is_empty() {
        let found = "as its files have it: no breakpoint stands there";
        return Ok(Diagnosis::good("text", found));
    }
    let mut shown: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|address| match session.names().symbol_name(*address) {
            Some((name, 0)) => name,
            Some((name, offset)) => format!("{name}+{offset:#x}"),
            None => format!("{address:#x}"),
        })
        .collect();
    if found.len() > NAMED {
        shown.push("…".to_owned());
    }
    let (number, verb) = match found.len() {
        1 => ("a breakpoint".to_owned(), "stands"),
        left_behind::MOST => (
            format!("{} breakpoints or more", left_behind::MOST),
            "stand",
        ),
        number => (format!("{number} breakpoints"), "stand"),
    };
    let by = match tracer {
        0 => "which no debugger holds".to_owned(),
        tracer => format!("process {tracer} traces it"),
    };
    Ok(Diagnosis::limited(
        "text",
        format!("{number} {verb} in it ({}), {by}", shown.join(", ")),
        "end what probes it (ytrace, bpftrace, perf, a debugger). Where nothing does, they were left behind by one that was killed: there debuggers and --sync see nothing until the process is started anew, or, where the kernel's own were left, the machine",
    ))
}

/// The debug information of each module. `asked` says whether servers are asked for what is found nowhere.
fn debug_information(names: &Names, asked: bool) -> Vec<Diagnosis> {
    let mut list = Vec::new();
    for (index, module) in names.modules().iter().enumerate() {
        if module.mapped.kind == ModuleKind::Vdso {
            continue;
        }
        let subject = module.file_name.as_str();
        let opened = match names.open(index) {
            Ok(opened) => opened,
            Err(reason) => {
                list.push(Diagnosis::missing(
                    subject,
                    reason,
                    "its file must be a whole ELF file that can be read: compare it with that of its package, and start the process anew where it was replaced",
                ));
                continue;
            }
        };
        let id = opened.info.build_id().map(hexadecimal);
        let fix = opened_fix(id.as_deref(), asked);
        list.push(match opened.info.debug_status() {
            Ok(status) => found_or_not(subject, status, opened.info.symbol_count(), fix),
            Err(error) => Diagnosis::missing(subject, error.to_string(), fix),
        });
    }
    list
}

/// What came of the search for the debug information of a module.
fn found_or_not(subject: &str, status: &DebugStatus, symbols: usize, fix: String) -> Diagnosis {
    match &status.source {
        DebugSource::File { path, found } => {
            let place = match found {
                Found::InModule => "debug information in the file itself".to_owned(),
                _ => format!("debug information in {}", path.display()),
            };
            if status.warnings.is_empty() {
                return Diagnosis::good(subject, place);
            }
            let mut said = vec![place];
            said.extend(status.warnings.iter().cloned());
            let fix = format!("a file of the very build has no such doubts: {fix}");
            Diagnosis::limited(subject, said.join("; "), fix)
        }
        DebugSource::None => {
            let mut said = vec!["no debug information".to_owned()];
            said.push(match symbols {
                0 => "no symbols".to_owned(),
                1 => "1 symbol".to_owned(),
                count => format!("{} symbols", units::thousands(count as u64)),
            });
            // That there is no file in the usual places goes without saying; what is there and does not do, and what servers said, does
            // not.
            let told = status.attempts.iter();
            let told = told.filter(|attempt| attempt.outcome != Outcome::Missing);
            said.extend(
                told.map(|attempt| format!("{}: {}", attempt.path.display(), attempt.outcome)),
            );
            Diagnosis::limited(subject, said.join("; "), fix)
        }
    }
}

/// How to get at the debug information of a file.
fn opened_fix(build_id: Option<&str>, asked: bool) -> String {
    match build_id {
        Some(id) => format!(
            "install its debug package (build-id {id}), or name a directory of debug files with --debug-root, or the file with --debug-file{}",
            if asked {
                ""
            } else {
                ", or have servers asked with --debuginfod"
            }
        ),
        None => "it has no build-id: name its debug file with --debug-file, or build it with -g"
            .to_owned(),
    }
}

/// What runs inside, and which probes explain it.
fn runtimes(process: Process) -> Result<Diagnosis, SessionError> {
    let mut rules = Rules::shipped()?;
    let found = rules.runtimes(&Target::Process(process), true);
    let explained: Vec<String> = found
        .iter()
        .map(|name| match rules.probes(name) {
            [] => name.clone(),
            probes => format!("{name} ({})", probes.join(", ")),
        })
        .collect();
    Ok(match explained.is_empty() {
        true => Diagnosis::limited(
            "runtimes",
            "none that the library knows; probes on the whole process, and your own, work",
            "`ytrace list` shows the probes that there are; `ytrace new` begins a package for a runtime of your own",
        ),
        false => Diagnosis::good("runtimes", explained.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use ytrace_target::Capability;

    use super::*;

    /// A machine whose user has the capability to trace, or not.
    fn machine(held: bool) -> Machine {
        Machine {
            release: String::new(),
            version: None,
            user: 1000,
            capabilities: vec![Capability {
                name: "CAP_SYS_PTRACE",
                purpose: "",
                held,
            }],
            ptrace_scope: None,
            filtered: false,
        }
    }

    #[test]
    fn what_yama_allows() {
        let of = |scope, held| ptrace_scope(scope, &machine(held));
        assert_eq!(of(0, false).health(), Health::Good);
        for scope in [1, 2] {
            assert_eq!(of(scope, true).health(), Health::Good);
        }
        let children = of(1, false);
        assert_eq!(children.health(), Health::Limited);
        assert!(children.found.contains("started (-c) may be read"));
        // Children are no exception there.
        let nobody = of(2, false);
        assert_eq!(nobody.health(), Health::Missing);
        assert!(nobody.found.contains("also one of its own (-c)"));
        for held in [false, true] {
            assert_eq!(of(3, held).health(), Health::Missing);
            assert!(of(3, held).fix().unwrap().contains("reboot"));
        }
    }

    #[test]
    fn what_a_search_came_to() {
        use std::path::PathBuf;
        use ytrace_debuginfo::Attempt;
        let attempt = |path: &str, outcome| Attempt {
            path: PathBuf::from(path),
            on_host: true,
            outcome,
        };
        let mut status = DebugStatus {
            source: DebugSource::None,
            attempts: vec![
                attempt("/nowhere", Outcome::Missing),
                attempt("http://x/buildid/00/debuginfo", Outcome::NotServed),
                attempt("/other.debug", Outcome::WrongChecksum),
            ],
            supplementary: None,
            warnings: Vec::new(),
        };
        let none = found_or_not("a", &status, 1, opened_fix(Some("00"), true));
        assert_eq!(
            none.found,
            "no debug information; 1 symbol; http://x/buildid/00/debuginfo: the server has none; /other.debug: its checksum differs"
        );
        assert!(!none.fix().unwrap().contains("--debuginfod"));
        assert!(opened_fix(Some("00"), false).contains("--debuginfod"));
        status.source = DebugSource::File {
            path: PathBuf::from("/d"),
            found: Found::Override,
        };
        status.warnings = vec!["it has another build-id".to_owned()];
        let doubted = found_or_not("a", &status, 1, opened_fix(Some("00"), false));
        assert_eq!(doubted.health(), Health::Limited);
        assert!(doubted.fix().unwrap().contains("build-id 00"));
    }
}
