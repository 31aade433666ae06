//! What this machine and this user allow a program that looks at others.

use std::fs;

use crate::sys;

/// The capabilities that matter here, with their numbers of `linux/capability.h` and what each is for.
const CAPABILITIES: [(&str, u32, &str); 5] = [
    ("CAP_SYS_PTRACE", 19, "processes of other users"),
    ("CAP_BPF", 39, "probes in the kernel"),
    ("CAP_PERFMON", 38, "probes in the kernel"),
    (
        "CAP_SYS_ADMIN",
        21,
        "probes before Linux 6.6, and pages of other users' files",
    ),
    (
        "CAP_CHECKPOINT_RESTORE",
        40,
        "how much of shared memory is loaded",
    ),
];

/// A capability that this program has or lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Its name.
    pub name: &'static str,
    /// What it is needed for.
    pub purpose: &'static str,
    /// Whether this program has it.
    pub held: bool,
}

/// What is known of a machine without a look at any process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The kernel's release.
    pub release: String,
    /// The kernel's version, its first two numbers; `None` if it cannot be told.
    pub version: Option<(u32, u32)>,
    /// The effective user of this program.
    pub user: u32,
    /// The capabilities that matter.
    pub capabilities: Vec<Capability>,
    /// `kernel.yama.ptrace_scope`, where the security module is there.
    pub ptrace_scope: Option<u32>,
    /// Whether this program has a system call filter.
    pub filtered: bool,
}

impl Machine {
    /// Finds out.
    pub fn look() -> Machine {
        let text = |path| {
            let text = fs::read_to_string(path).ok()?;
            Some(text.trim().to_owned())
        };
        let administrator = sys::has_capability(21);
        let capabilities = CAPABILITIES.map(|(name, number, purpose)| Capability {
            name,
            purpose,
            // An administrator may what was split off later.
            held: sys::has_capability(number) || (administrator && number > 37),
        });
        let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        Machine {
            release: text("/proc/sys/kernel/osrelease").unwrap_or_default(),
            version: sys::kernel_version(),
            // SAFETY: the call takes no pointer.
            user: unsafe { libc::geteuid() },
            capabilities: capabilities.to_vec(),
            ptrace_scope: text("/proc/sys/kernel/yama/ptrace_scope")
                .and_then(|text| text.parse().ok()),
            filtered: status
                .lines()
                .any(|line| line.starts_with("Seccomp:") && line.ends_with('2')),
        }
    }
}
