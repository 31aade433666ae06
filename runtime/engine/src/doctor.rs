//! What this machine and a process allow, each with what to do about what is missing.

use std::time::Duration;

use ytrace_debuginfo::{DebugSource, Found};
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

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What.
    pub subject: String,
    /// How well it is.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What would make it better.
    pub fix: Option<String>,
}

impl Diagnosis {
    fn new(subject: &str, health: Health, found: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            health,
            found: found.into(),
            fix: None,
        }
    }

    fn fix(mut self, fix: impl Into<Option<String>>) -> Self {
        self.fix = fix.into();
        self
    }
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
        let hint = error.hint();
        list.push(Diagnosis::new("memory", Health::Missing, error.to_string()).fix(hint));
        return Ok(list);
    }
    list.push(Diagnosis::new("memory", Health::Good, "can be read"));
    list.push(match facts.tracer {
        0 => Diagnosis::new("stopping", Health::Good, "no other program traces it"),
        tracer => Diagnosis::new(
            "stopping",
            Health::Missing,
            format!("process {tracer} traces it: it cannot be stopped, nor copied at one instant"),
        )
        .fix(format!(
            "end process {tracer} (a debugger, strace?), or use --mode live"
        )),
    });
    if facts.executable_deleted {
        list.push(
            Diagnosis::new(
                "executable",
                Health::Limited,
                "its file was deleted or replaced since it started; it is read through /proc",
            )
            .fix("debug files of the old build are needed, not those of the new one".to_owned()),
        );
    }
    list.push(pause(&process, facts.threads, options.max_pause));
    let session = Session::open(process.clone(), options)?;
    list.push(text(&session, &process, facts.tracer)?);
    list.extend(debug_information(session.names()));
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
        [] => Diagnosis::new(
            "privileges",
            Health::Good,
            format!("{who}{filter}, with all capabilities that are of use"),
        ),
        lacking => Diagnosis::new(
            "privileges",
            Health::Limited,
            format!("{who}{filter}, without {}", lacking.join(", ")),
        )
        .fix("run as root, or give it the capabilities: setcap cap_sys_ptrace,cap_bpf,cap_perfmon,cap_checkpoint_restore+ep ytrace".to_owned()),
    }
}

fn ptrace_scope(scope: u32, machine: &Machine) -> Diagnosis {
    let capable = machine.capabilities.iter();
    let capable = capable
        .into_iter()
        .any(|one| one.name == "CAP_SYS_PTRACE" && one.held);
    let said = format!("kernel.yama.ptrace_scope is {scope}");
    match scope {
        3 => Diagnosis::new(
            "ptrace",
            Health::Missing,
            format!("{said}: nobody may stop a process, nor read its memory"),
        )
        .fix("it holds until the next boot: set it in /etc/sysctl.d and reboot".to_owned()),
        0 => Diagnosis::new("ptrace", Health::Good, said),
        _ if capable => Diagnosis::new(
            "ptrace",
            Health::Good,
            format!("{said}, which CAP_SYS_PTRACE passes"),
        ),
        _ => Diagnosis::new(
            "ptrace",
            Health::Limited,
            format!("{said}: only what ytrace itself has started (-c) may be read"),
        )
        .fix("run as root, or for now: sysctl kernel.yama.ptrace_scope=0".to_owned()),
    }
}

/// What of probing there is.
fn events(facilities: &Facilities) -> Vec<Diagnosis> {
    let refused = |subject: &str, health: Health, without: &str, denial: &EventDenial| {
        Diagnosis::new(subject, health, format!("{without}: {denial}")).fix(denial.hint())
    };
    let mut list = Vec::new();
    match facilities.tier() {
        Ok(EventTier::Bpf) => {}
        Ok(EventTier::PerfUprobes(denial)) => {
            let found = "by perf_event_open alone: of a hit registers and a piece of the stack can be had, no other memory; threads are probed from when they are found; a hit costs more. The kernel takes no programs of this user";
            list.push(refused("probes on events", Health::Limited, found, &denial));
            return list;
        }
        Err(error) => {
            let hint = error.hint();
            list.push(
                Diagnosis::new("probes on events", Health::Missing, error.to_string()).fix(hint),
            );
            return list;
        }
    }
    list.push(match &facilities.uprobe_multi {
        Ok(()) if facilities.uprobe_session => Diagnosis::new(
            "probes on events",
            Health::Good,
            "programs in the kernel, many places by one link, entry and return as one",
        ),
        Ok(()) => Diagnosis::new(
            "probes on events",
            Health::Limited,
            "programs in the kernel, many places by one link; entries and returns are probed apart, which costs more a call",
        )
        .fix("Linux 6.13 and later pair them".to_owned()),
        Err(denial) => refused(
            "probes on events",
            Health::Limited,
            "places are probed one by one, which takes long to attach and to take away",
            denial,
        ),
    });
    list.push(Diagnosis::new(
        "records of events",
        Health::Good,
        "one buffer for all processors",
    ));
    list.push(match &facilities.thread_pointer {
        Ok(()) => Diagnosis::new(
            "thread-local variables at events",
            Health::Good,
            "can be read",
        ),
        Err(reason) => Diagnosis::new(
            "thread-local variables at events",
            Health::Limited,
            reason.clone(),
        )
        .fix("a kernel with CONFIG_DEBUG_INFO_BTF (/sys/kernel/btf/vmlinux)".to_owned()),
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
            return Diagnosis::new("expected pause", Health::Limited, error.to_string())
                .fix(error.hint());
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
        false => Diagnosis::new("expected pause", Health::Good, found),
        true => Diagnosis::new("expected pause", Health::Limited, found).fix(format!(
            "no run pauses it for more than {}: what that leaves out makes the result partial. --max-pause allows more; --mode live stops nothing; a core file (gcore) costs one long pause",
            units::duration(most.as_nanos() as i128)
        )),
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
        return Ok(Diagnosis::new("text", Health::Good, found));
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
    Ok(Diagnosis::new(
        "text",
        Health::Limited,
        format!("{number} {verb} in it ({}), {by}", shown.join(", ")),
    )
    .fix("end what probes it (ytrace, bpftrace, perf, a debugger). Where nothing does, they were left behind by one that was killed: there debuggers and --sync see nothing until the process is started anew, or, where the kernel's own were left, the machine".to_owned()))
}

/// The debug information of each module.
fn debug_information(names: &Names) -> Vec<Diagnosis> {
    let mut list = Vec::new();
    for (index, module) in names.modules().iter().enumerate() {
        if module.mapped.kind == ModuleKind::Vdso {
            continue;
        }
        let subject = module.file_name.as_str();
        let opened = match names.open(index) {
            Ok(opened) => opened,
            Err(reason) => {
                list.push(Diagnosis::new(subject, Health::Missing, reason));
                continue;
            }
        };
        let id = opened.info.build_id().map(hexadecimal);
        let status = match opened.info.debug_status() {
            Ok(status) => status,
            Err(error) => {
                list.push(
                    Diagnosis::new(subject, Health::Missing, error.to_string())
                        .fix(opened_fix(id.as_deref())),
                );
                continue;
            }
        };
        list.push(match &status.source {
            DebugSource::File { path, found } => {
                let health = match status.warnings.is_empty() {
                    true => Health::Good,
                    false => Health::Limited,
                };
                let place = match found {
                    Found::InModule => "debug information in the file itself".to_owned(),
                    _ => format!("debug information in {}", path.display()),
                };
                let mut said = vec![place];
                said.extend(status.warnings.iter().cloned());
                Diagnosis::new(subject, health, said.join("; "))
            }
            DebugSource::None => {
                let symbols = match opened.info.symbol_count() {
                    0 => "no debug information and no symbols".to_owned(),
                    count => format!(
                        "no debug information; {} symbols",
                        units::thousands(count as u64)
                    ),
                };
                Diagnosis::new(subject, Health::Limited, symbols).fix(opened_fix(id.as_deref()))
            }
        });
    }
    list
}

/// How to get at the debug information of a file.
fn opened_fix(build_id: Option<&str>) -> String {
    match build_id {
        Some(id) => format!(
            "install its debug package (build-id {id}), or name a directory of debug files with --debug-root, or the file with --debug-file, or have servers asked with --debuginfod"
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
        true => Diagnosis::new(
            "runtimes",
            Health::Limited,
            "none that the library knows; probes on the whole process, and your own, work",
        ),
        false => Diagnosis::new("runtimes", Health::Good, explained.join(", ")),
    })
}
