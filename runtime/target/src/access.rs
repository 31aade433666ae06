//! Why the kernel refuses access to a process, found out after the refusal.

use std::fmt;
use std::fs;

use nix::errno::Errno;

use crate::sys;

const CAP_SYS_PTRACE: u32 = 19;

/// Who refuses access to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DenialCause {
    /// The process belongs to another user, and the capability `CAP_SYS_PTRACE` is missing.
    OtherUser {
        /// The user of the process.
        owner: u32,
        /// The effective user of this program.
        ours: u32,
    },
    /// The process has declared itself not dumpable, or has changed its identity since it started (a daemon that dropped
    /// its privileges), and the capability `CAP_SYS_PTRACE` is missing.
    NotDumpable,
    /// The Yama security module's setting `kernel.yama.ptrace_scope`.
    Yama {
        /// The setting: 1 only descendants, 2 only with the capability, 3 nobody.
        scope: u32,
    },
    /// The process is in a user namespace in which this program has no capabilities.
    UserNamespace,
    /// A system call filter of this program (a container runtime's default profile) refuses the call.
    Seccomp,
    /// A security module such as AppArmor or SELinux.
    SecurityModule {
        /// The label of this program, where it could be read.
        ours: Option<String>,
        /// The label of the process, where it could be read.
        theirs: Option<String>,
    },
    /// The process is the first of this machine or container, and the refusal has none of the other causes.
    Init {
        /// The error.
        errno: Errno,
    },
    /// The refusal has none of the known causes.
    Unknown {
        /// The error.
        errno: Errno,
    },
}

impl fmt::Display for DenialCause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DenialCause::OtherUser { owner, ours } => {
                write!(
                    out,
                    "it belongs to user {owner}, this program runs as user {ours} without CAP_SYS_PTRACE"
                )
            }
            DenialCause::NotDumpable => {
                write!(
                    out,
                    "it has marked itself not dumpable or changed its user, and CAP_SYS_PTRACE is missing"
                )
            }
            DenialCause::Yama { scope } => write!(out, "kernel.yama.ptrace_scope is {scope}"),
            DenialCause::UserNamespace => {
                write!(
                    out,
                    "it is in another user namespace, in which this program has no CAP_SYS_PTRACE"
                )
            }
            DenialCause::Seccomp => write!(
                out,
                "a seccomp filter of this program forbids the system call"
            ),
            DenialCause::SecurityModule { ours, theirs } => {
                let name =
                    |label: &Option<String>| label.clone().unwrap_or_else(|| "unknown".to_owned());
                write!(
                    out,
                    "a security module refuses it (our label {}, its label {})",
                    name(ours),
                    name(theirs)
                )
            }
            DenialCause::Init { errno } => write!(
                out,
                "it is the first process of this machine or container, which is protected here ({errno})"
            ),
            DenialCause::Unknown { errno } => write!(out, "{errno}"),
        }
    }
}

impl DenialCause {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            DenialCause::OtherUser { owner, .. } => {
                format!("run as root, as user {owner}, or with CAP_SYS_PTRACE")
            }
            DenialCause::NotDumpable => "run as root or with CAP_SYS_PTRACE".to_owned(),
            DenialCause::Yama { scope: 3 } => {
                "the setting 3 holds until the next boot: set kernel.yama.ptrace_scope in /etc/sysctl.d and reboot".to_owned()
            }
            DenialCause::Yama { .. } => {
                "run as root, or set it for now with: sysctl kernel.yama.ptrace_scope=0".to_owned()
            }
            DenialCause::UserNamespace => "run from the namespace that made the container, as root".to_owned(),
            DenialCause::Seccomp => {
                "allow ptrace and process_vm_readv: docker run --cap-add=SYS_PTRACE, or run on the host".to_owned()
            }
            DenialCause::SecurityModule { .. } => {
                "look for the refusal in the kernel's log (dmesg, ausearch -m avc) and permit ptrace in the profile".to_owned()
            }
            DenialCause::Init { .. } | DenialCause::Unknown { .. } => {
                "`ytrace ps` shows which processes can be read".to_owned()
            }
        };
        Some(text)
    }
}

/// Finds the cause of a refusal `errno` to read or stop `pid`.
pub(crate) fn diagnose(pid: i32, errno: Errno) -> DenialCause {
    if errno == Errno::ENOSYS || filtered() {
        return DenialCause::Seccomp;
    }
    let capable = sys::has_capability(CAP_SYS_PTRACE);
    if capable && other_user_namespace(pid) {
        return DenialCause::UserNamespace;
    }
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope")
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok())
        .unwrap_or(0);
    if scope >= 3 {
        return DenialCause::Yama { scope };
    }
    if !capable {
        // SAFETY: the calls take no pointer.
        let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let users = identifiers(&status, "Uid:");
        let groups = identifiers(&status, "Gid:");
        if users.iter().take(3).any(|owner| *owner != user) {
            let owner = users.get(1).copied().unwrap_or(0);
            return DenialCause::OtherUser { owner, ours: user };
        }
        let undumpable = fs::metadata(format!("/proc/{pid}/status"))
            .is_ok_and(|status| std::os::unix::fs::MetadataExt::uid(&status) != user);
        if undumpable || groups.iter().take(3).any(|owner| *owner != group) {
            return DenialCause::NotDumpable;
        }
        if scope >= 1 {
            return DenialCause::Yama { scope };
        }
    }
    let label = |path: String| {
        let text = fs::read_to_string(path).ok()?;
        let text = text.trim_matches(['\0', '\n']).to_owned();
        (!text.is_empty()).then_some(text)
    };
    let (ours, theirs) = (
        label("/proc/self/attr/current".to_owned()),
        label(format!("/proc/{pid}/attr/current")),
    );
    if ours.is_some() || theirs.is_some() {
        return DenialCause::SecurityModule { ours, theirs };
    }
    match pid {
        1 => DenialCause::Init { errno },
        _ => DenialCause::Unknown { errno },
    }
}

/// Whether ptrace and reading are refused for a process that cannot exist, where an unfiltered kernel says ESRCH.
fn filtered() -> bool {
    let filter = fs::read_to_string("/proc/thread-self/status").is_ok_and(|status| {
        status
            .lines()
            .any(|line| line.starts_with("Seccomp:") && line.ends_with('2'))
    });
    if !filter {
        return false;
    }
    let nobody = i32::MAX;
    // SAFETY: DETACH of a process that is not there does nothing; no pointer is read.
    let detached = unsafe {
        let null = std::ptr::null_mut::<libc::c_void>();
        libc::ptrace(libc::PTRACE_DETACH, nobody, null, null)
    };
    if detached == -1 && Errno::last() != Errno::ESRCH {
        return true;
    }
    let mut byte = [0u8; 1];
    let read = sys::read_process(nobody, &[sys::remote_piece(1, 1)], &mut byte);
    read.is_err_and(|errno| errno != Errno::ESRCH)
}

fn other_user_namespace(pid: i32) -> bool {
    match (
        fs::read_link("/proc/self/ns/user"),
        fs::read_link(format!("/proc/{pid}/ns/user")),
    ) {
        (Ok(ours), Ok(theirs)) => ours != theirs,
        _ => false,
    }
}

/// The numbers of a line of `/proc/PID/status`: real, effective, saved, file system.
fn identifiers(status: &str, name: &str) -> Vec<u32> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or("");
    line.split_whitespace()
        .take(4)
        .filter_map(|number| number.parse().ok())
        .collect()
}
