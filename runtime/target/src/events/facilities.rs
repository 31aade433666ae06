//! Which of the kernel's facilities there are, and who refuses them.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;

use super::assemble::{Assembler, Jump, R};
use super::btf::KernelTypes;
use super::compile::{AlivePlaces, ReturnPlaces, SessionFunctions, ThreadPlaces, helper};
use super::error::EventError;
use super::kernel::{self, AttachType, ProgramType, UprobeSites};
use super::perf;
use super::program::Width;
use super::ring::Ring;
use super::self_test::links_cover_threads;
use super::table_trials::batches;
use crate::sys;

/// `linux/capability.h`.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// Why the kernel refuses programs or probes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventDenial {
    /// Capabilities are missing.
    Capability,
    /// The capability of an administrator is missing, which probes one by one need: those of links do without it.
    Administrator,
    /// The kernel is locked down (kernel_lockdown(7)).
    Lockdown {
        /// `integrity` or `confidentiality`.
        level: String,
    },
    /// A system call filter of this program, as container runtimes have one.
    Seccomp,
    /// Memory that this user may lock (`RLIMIT_MEMLOCK`), which kernels before 5.11 charge programs and tables to.
    LockedMemory,
    /// The kernel is older, or built without it.
    Absent {
        /// The error.
        errno: Errno,
    },
    /// The kernel's links cover one thread of a process only.
    OneThread,
    /// `YTRACE_FORBID` says so.
    Forbidden,
    /// None of the known causes.
    Unknown {
        /// The error.
        errno: Errno,
    },
}

impl fmt::Display for EventDenial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventDenial::Capability => write!(
                out,
                "the capabilities CAP_BPF and CAP_PERFMON (before Linux 5.8 CAP_SYS_ADMIN) are missing"
            ),
            EventDenial::Administrator => write!(out, "the capability CAP_SYS_ADMIN is missing"),
            EventDenial::Lockdown { level } => write!(out, "the kernel is locked down ({level})"),
            EventDenial::Seccomp => write!(
                out,
                "a seccomp filter of this program forbids bpf or perf_event_open"
            ),
            EventDenial::LockedMemory => write!(out, "the limit of locked memory is reached"),
            EventDenial::Absent { errno } => {
                write!(out, "this kernel is too old or built without it ({errno})")
            }
            EventDenial::OneThread => write!(
                out,
                "this kernel's links cover one thread of a process only"
            ),
            EventDenial::Forbidden => write!(out, "YTRACE_FORBID switches it off"),
            EventDenial::Unknown { errno } => write!(out, "{errno}"),
        }
    }
}

impl EventDenial {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            EventDenial::Capability => {
                "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE"
            }
            EventDenial::Administrator => {
                "run as root, or on Linux 6.6 or later, where fewer capabilities do"
            }
            EventDenial::Lockdown { .. } => {
                "boot without lockdown=confidentiality (and, for some kernels, without secure boot)"
            }
            EventDenial::Seccomp => {
                "allow bpf and perf_event_open in the container's profile, or run on the host"
            }
            EventDenial::LockedMemory => "raise it: ulimit -l unlimited, or run as root",
            EventDenial::Absent { .. } => {
                "needs CONFIG_UPROBES, CONFIG_BPF_SYSCALL, CONFIG_BPF_EVENTS; BPF links on uprobes need Linux 6.6"
            }
            EventDenial::OneThread => "Linux 6.10 and later cover all threads",
            EventDenial::Forbidden => "unset YTRACE_FORBID",
            EventDenial::Unknown { .. } => return None,
        };
        Some(text.to_owned())
    }

    /// Finds the cause of a refusal.
    pub(super) fn of(errno: Errno) -> EventDenial {
        let lacks =
            |capability| !sys::has_capability(capability) && !sys::has_capability(CAP_SYS_ADMIN);
        match errno {
            Errno::EPERM | Errno::EACCES => {
                if let Some(level) = lockdown() {
                    return EventDenial::Lockdown { level };
                }
                if lacks(CAP_BPF) || lacks(CAP_PERFMON) {
                    return EventDenial::Capability;
                }
                // With these, what is left is a filter, what only an administrator may, or the limit of old kernels.
                if filtered() {
                    EventDenial::Seccomp
                } else if !sys::has_capability(CAP_SYS_ADMIN) {
                    EventDenial::Administrator
                } else {
                    EventDenial::LockedMemory
                }
            }
            Errno::ENOSYS if filtered() => EventDenial::Seccomp,
            Errno::ENOSYS | Errno::EINVAL | Errno::ENOENT | Errno::ENODEV | Errno::EOPNOTSUPP => {
                EventDenial::Absent { errno }
            }
            errno => EventDenial::Unknown { errno },
        }
    }
}

impl EventDenial {
    /// Finds the cause of a refusal of what takes no programs.
    fn of_samples(errno: Errno) -> EventDenial {
        let refused = matches!(errno, Errno::EPERM | Errno::EACCES);
        match lockdown() {
            None if refused && !sys::has_capability(CAP_SYS_ADMIN) => EventDenial::Administrator,
            None if refused && !filtered() => EventDenial::Unknown { errno },
            _ => EventDenial::of(errno),
        }
    }
}

/// The level of lockdown, unless there is none.
fn lockdown() -> Option<String> {
    let text = std::fs::read_to_string("/sys/kernel/security/lockdown").ok()?;
    let (_, chosen) = text.split_once('[')?;
    let (level, _) = chosen.split_once(']')?;
    (level != "none").then(|| level.to_owned())
}

/// Whether this thread has a system call filter.
fn filtered() -> bool {
    std::fs::read_to_string("/proc/thread-self/status").is_ok_and(|status| {
        status
            .lines()
            .any(|line| line.starts_with("Seccomp:") && line.ends_with('2'))
    })
}

/// Whether handlers that only count may run in the kernel ([`super::Step::Count`]): only `YTRACE_FORBID` has it otherwise.
///
/// # Errors
/// `YTRACE_FORBID` names something unknown.
pub fn kernel_tables() -> Result<bool, EventError> {
    match sys::forbidden(sys::KERNEL_TABLES) {
        Ok(forbidden) => Ok(!forbidden),
        Err(word) => Err(EventError::UnknownTier { word }),
    }
}

/// What this kernel offers for events, and `YTRACE_FORBID` leaves of it.
#[derive(Clone, Debug)]
pub struct Facilities {
    /// BPF programs; else why not.
    pub bpf: Result<(), EventDenial>,
    /// Probes by `perf_event_open` alone, which do without programs; else why not.
    pub perf_uprobes: Result<(), EventDenial>,
    /// BPF programs on many sites of one process by one link (Linux 6.6); else why not. Sites are then probed one by
    /// one, which takes longer to attach and to take away.
    pub uprobe_multi: Result<(), EventDenial>,
    /// A ring buffer that all processors share (Linux 5.8); else why not.
    pub ring_buffer: Result<(), EventDenial>,
    /// One program for entry and return, which the kernel pairs (Linux 6.13).
    pub uprobe_session: bool,
    /// [`super::Register::FsBase`]; else why not.
    pub thread_pointer: Result<(), String>,
    /// Stacks are captured with the return addresses that the kernel has replaced for probes on returns, and calls are counted whose
    /// returns are too deep to be awaited ([`super::PartTotals::too_deep`]); else why not. Stacks then end where such a function was
    /// called.
    pub whole_stacks: Result<(), String>,
    /// Many rows of a table are copied at once (Linux 5.6).
    pub(super) table_batches: bool,
    pub(super) session: Option<SessionFunctions>,
    pub(super) returns: Option<ReturnPlaces>,
    pub(super) thread_pointer_offset: Option<i16>,
    pub(super) exit_status_offset: Option<i16>,
    pub(super) thread_places: Option<ThreadPlaces>,
    pub(super) alive_places: Option<AlivePlaces>,
}

impl Facilities {
    /// Finds out, by trying.
    ///
    /// # Errors
    /// `YTRACE_FORBID` names something unknown.
    pub fn find() -> Result<Facilities, EventError> {
        let allowed = |name| match sys::forbidden(name) {
            Ok(forbidden) => Ok(!forbidden),
            Err(word) => Err(EventError::UnknownTier { word }),
        };
        let forbidden = EventDenial::Forbidden;
        let bpf = allowed(sys::BPF)?;
        let multi = bpf && allowed(sys::UPROBE_MULTI)?;
        let session = multi && allowed(sys::UPROBE_SESSION)?;
        let ring = bpf && allowed(sys::RINGBUF)?;
        let types = KernelTypes::read();
        let function = |name: &str| types.as_ref().ok()?.function(name);
        let functions = || {
            Some(SessionFunctions {
                is_return: function("bpf_session_is_return")?,
                cookie: function("bpf_session_cookie")?,
            })
        };
        let programs = match bpf {
            true => try_program(AttachType::Unsaid).map(drop),
            false => Err(forbidden.clone()),
        };
        let perf_uprobes = match allowed(sys::PERF_UPROBES)? {
            true => perf::try_probe().map_err(EventDenial::of_samples),
            false => Err(forbidden.clone()),
        };
        let uprobe_multi = match multi {
            true => try_link(AttachType::UprobeMulti).and_then(|()| {
                let all = links_cover_threads();
                all.then_some(()).ok_or(EventDenial::OneThread)
            }),
            false => Err(forbidden.clone()),
        };
        let session = match session && uprobe_multi.is_ok() {
            true => functions().filter(|_| try_link(AttachType::UprobeSession).is_ok()),
            false => None,
        };
        let ring_buffer = match ring {
            true => Ring::new(u32::try_from(sys::page_size()).unwrap_or(0))
                .map(drop)
                .map_err(EventDenial::of),
            false => Err(forbidden),
        };
        let offset = types.as_ref().map_err(Clone::clone).and_then(|types| {
            let offset = types.nested_member("task_struct", "thread", "fsbase");
            let offset = offset.and_then(|offset| i16::try_from(offset).ok());
            offset.ok_or_else(|| "the kernel's type information does not tell where".to_owned())
        });
        let returns = types.as_ref().map_err(Clone::clone).and_then(|types| {
            let unknown = "the kernel's type information does not tell where it keeps them";
            let places = return_places(types).ok_or_else(|| unknown.to_owned())?;
            match allowed(sys::URETPROBE_STACKS) {
                Ok(true) => {}
                Ok(false) => return Err(EventDenial::Forbidden.to_string()),
                Err(_) => return Err(unknown.to_owned()),
            }
            try_returns(places).map_err(|denial| denial.to_string())?;
            Ok(places)
        });
        Ok(Facilities {
            table_batches: bpf && batches()?,
            whole_stacks: returns.clone().map(drop),
            returns: returns.ok(),
            bpf: programs,
            perf_uprobes,
            uprobe_multi,
            ring_buffer,
            uprobe_session: session.is_some(),
            thread_pointer: offset.clone().map(drop),
            session,
            thread_pointer_offset: offset.ok(),
            exit_status_offset: types.as_ref().ok().and_then(|types| {
                let offset = types.member_offset("task_struct", "exit_code")?;
                i16::try_from(offset).ok()
            }),
            alive_places: types.as_ref().ok().and_then(|types| {
                let member = |structure, name| {
                    let offset = types.member_offset(structure, name)?;
                    i16::try_from(offset).ok()
                };
                Some(AlivePlaces {
                    signals: member("task_struct", "signal")?,
                    alive: member("signal_struct", "live")?,
                })
            }),
            thread_places: types.as_ref().ok().and_then(|types| {
                Some(ThreadPlaces {
                    tid: types.member_offset("task_struct", "pid")?,
                    pid: types.member_offset("task_struct", "tgid")?,
                })
            }),
        })
    }
}

impl Facilities {
    /// Why there are no BPF programs that tell of hits; `None` if there are.
    pub(super) fn no_programs(&self) -> Option<EventDenial> {
        let refused = self.bpf.as_ref().err();
        refused.or(self.ring_buffer.as_ref().err()).cloned()
    }
}

/// Where the kernel keeps the returns that it awaits.
fn return_places(types: &KernelTypes) -> Option<ReturnPlaces> {
    let member = |structure, name| {
        let offset = types.member_offset(structure, name)?;
        i16::try_from(offset).ok()
    };
    Some(ReturnPlaces {
        thread_probes: member("task_struct", "utask")?,
        depth: member("uprobe_task", "depth")?,
        first: member("uprobe_task", "return_instances")?,
        place: member("return_instance", "stack")?,
        address: member("return_instance", "orig_ret_vaddr")?,
        next: member("return_instance", "next")?,
    })
}

/// Whether programs may look there.
fn try_returns(places: ReturnPlaces) -> Result<(), EventDenial> {
    let mut code = Assembler::default();
    let done = code.label();
    code.call(helper::CURRENT_TASK);
    code.load(Width::Eight, R::R1, R::R0, places.thread_probes);
    code.jump_if(Jump::Equal, R::R1, 0, done);
    code.load(Width::Four, R::R2, R::R1, places.depth);
    code.load(Width::Eight, R::R1, R::R1, places.first);
    code.jump_if(Jump::Equal, R::R1, 0, done);
    code.load(Width::Eight, R::R2, R::R1, places.place);
    code.load(Width::Eight, R::R2, R::R1, places.address);
    code.load(Width::Eight, R::R1, R::R1, places.next);
    code.place(done);
    code.mov(R::R0, 0);
    code.exit();
    load_trial(AttachType::Unsaid, code).map(drop)
}

/// Loads a program that does nothing.
fn try_program(attach: AttachType) -> Result<OwnedFd, EventDenial> {
    let mut code = Assembler::default();
    code.mov(R::R0, 0);
    code.exit();
    load_trial(attach, code)
}

fn load_trial(attach: AttachType, code: Assembler) -> Result<OwnedFd, EventDenial> {
    let absent = EventDenial::Absent {
        errno: Errno::EINVAL,
    };
    let code = code.finish().ok_or(absent)?;
    kernel::load_program(ProgramType::Kprobe, attach, &code, "ytrace_try")
        .map_err(|(errno, _)| EventDenial::of(errno))
}

/// Whether links of a kind are known: one to a file that cannot be probed is refused for that, and not as unknown.
fn try_link(attach: AttachType) -> Result<(), EventDenial> {
    let program = try_program(attach)?;
    let sites = UprobeSites {
        path: c"/",
        offsets: &[0],
        semaphores: &[0],
        cookies: &[0],
        pid: i32::try_from(std::process::id()).unwrap_or(0),
        at_return: false,
    };
    match kernel::link_uprobes(program.as_fd(), attach, sites) {
        Ok(_) | Err(libc::EBADF) => Ok(()),
        Err(errno) => Err(EventDenial::of(Errno::from_raw(errno))),
    }
}
