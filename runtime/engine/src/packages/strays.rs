//! What tests start and leave behind, also where it has left its process group and session: this process is made the one to which such
//! processes fall when their parents end (PR_SET_CHILD_SUBREAPER), so none of them gets away.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::sys::prctl::{get_child_subreaper, set_child_subreaper};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use ytrace_target::list_processes;

/// How often it is looked at what is left.
const LOOK: Duration = Duration::from_millis(2);

/// How long our own supervisors, which let their targets go and then end, may take to do so, and how long it may take until all have gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends what is left of all that is started while this value lives, when it is dropped. Programs that are still to be used are ended before,
/// or with it.
#[derive(Debug)]
pub(super) struct Strays {
    /// Processes that were there before.
    others: HashSet<i32>,
    /// Whether orphans came to this process before.
    before: bool,
}

impl Strays {
    /// Orphans come to this process from now on.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(super) fn catch() -> std::io::Result<Self> {
        let before = get_child_subreaper()?;
        set_child_subreaper(true)?;
        Ok(Self {
            others: children().into_iter().map(|child| child.pid).collect(),
            before,
        })
    }

    /// Ends all that is left, also what is started by that meanwhile.
    pub(super) fn end(&self) {
        let begun = Instant::now();
        loop {
            let left: Vec<Child> = children()
                .into_iter()
                .filter(|child| !self.others.contains(&child.pid))
                .collect();
            if left.is_empty() || begun.elapsed() > 2 * PATIENCE {
                return;
            }
            for child in left {
                let pid = Pid::from_raw(child.pid);
                // Its number is its own until it is waited for, so no other process is meant.
                let patient = child.is_ytrace && begun.elapsed() < PATIENCE;
                if !patient {
                    let _ = kill(pid, Signal::SIGKILL);
                }
                let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Strays {
    fn drop(&mut self) {
        self.end();
        // What it was before is what it can be again.
        let _ = set_child_subreaper(self.before);
    }
}

/// A process whose parent this one is.
struct Child {
    pid: i32,
    /// Whether it is ytrace: its supervisors let targets go, and take probes away, before they end.
    is_ytrace: bool,
}

/// The children of this process, those that have ended and were not waited for included.
fn children() -> Vec<Child> {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let program = |process: &str| {
        let found = std::fs::metadata(format!("/proc/{process}/exe")).ok()?;
        Some((found.dev(), found.ino()))
    };
    let ytrace = program("self");
    // What cannot be listed cannot be ended.
    let all = list_processes().unwrap_or_default();
    let own = all.into_iter().filter(|process| process.parent == own);
    own.map(|process| Child {
        pid: process.pid,
        is_ytrace: ytrace.is_some() && program(&process.pid.to_string()) == ytrace,
    })
    .collect()
}
