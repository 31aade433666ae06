//! Which of the kernel's facilities there are, and who refuses them.

use std::fmt;

use nix::errno::Errno;

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
            EventDenial::Lockdown { level } => write!(out, "the kernel is locked down ({level})"),
            EventDenial::Seccomp => write!(
                out,
                "a seccomp filter of this program forbids bpf or perf_event_open"
            ),
            EventDenial::LockedMemory => write!(out, "the limit of locked memory is reached"),
            EventDenial::Absent { errno } => {
                write!(out, "this kernel is too old or built without it ({errno})")
            }
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
            EventDenial::Unknown { .. } => return None,
        };
        Some(text.to_owned())
    }

    /// Finds the cause of a refusal.
    pub(super) fn of(errno: Errno) -> EventDenial {
        let lacks = |capability| {
            !crate::sys::has_capability(capability) && !crate::sys::has_capability(CAP_SYS_ADMIN)
        };
        match errno {
            Errno::EPERM | Errno::EACCES => {
                if let Some(level) = lockdown() {
                    return EventDenial::Lockdown { level };
                }
                if lacks(CAP_BPF) || lacks(CAP_PERFMON) {
                    return EventDenial::Capability;
                }
                // With all capabilities, what is left is a filter, or the limit of old kernels.
                match filtered() {
                    true => EventDenial::Seccomp,
                    false => EventDenial::LockedMemory,
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

/// What this kernel offers for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facilities {
    /// BPF programs on many sites of one process by one link (Linux 6.6).
    pub uprobe_multi: bool,
    /// One BPF program for entry and return that share a word (Linux 6.13).
    pub uprobe_session: bool,
    /// A ring buffer that all processors share (Linux 5.8).
    pub ring_buffer: bool,
    /// BPF programs at all.
    pub bpf: bool,
    /// Whether [`super::Register::FsBase`] can be had, or why not.
    pub thread_pointer: Result<(), String>,
}
