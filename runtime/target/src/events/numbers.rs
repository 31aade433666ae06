//! Numbers of threads and processes: which namespace the kernel's programs see them in, and what they are in ours.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::compile::Numbering;
use crate::process::Process;

/// The inode of the first pid namespace (`PROC_PID_INIT_INO` of `linux/proc_ns.h`).
const FIRST_NAMESPACE: u64 = 0xefff_fffc;
/// The most threads whose numbers are kept.
const MAX_KNOWN: usize = 1 << 20;
/// The least time between two looks at the list of threads.
const PATIENCE: Duration = Duration::from_millis(20);

/// Turns the numbers that records have into ours.
#[derive(Debug)]
pub(super) struct Numbers {
    pub numbering: Numbering,
    /// The process, in the numbering.
    pub process: u32,
    ours: i32,
    /// The numbers of threads, where ours are others.
    threads: Option<HashMap<u32, i32>>,
    looked: Option<Instant>,
}

impl Numbers {
    pub fn new(process: &Process) -> Numbers {
        let pid = process.pid();
        let plain = Numbers {
            numbering: Numbering::Kernel,
            process: u32::try_from(pid).unwrap_or(0),
            ours: pid,
            threads: None,
            looked: None,
        };
        let (Some(our), Some(their)) = (
            namespace("/proc/self/ns/pid"),
            namespace(&format!("/proc/{pid}/ns/pid")),
        ) else {
            return plain;
        };
        if our.1 == FIRST_NAMESPACE {
            // The kernel's numbers are ours.
            return plain;
        }
        let numbering = Numbering::Namespace {
            device: their.0,
            inode: their.1,
        };
        if our == their {
            return Numbers { numbering, ..plain };
        }
        let inner = innermost(&format!("/proc/{pid}/status"));
        Numbers {
            numbering,
            process: inner.unwrap_or(plain.process),
            threads: Some(HashMap::new()),
            ..plain
        }
    }

    /// Our number of a thread; as it was recorded where it has gone before we could ask.
    pub fn thread(&mut self, recorded: u32) -> i32 {
        let plain = i32::try_from(recorded).unwrap_or(0);
        let Some(threads) = &mut self.threads else {
            return plain;
        };
        if let Some(known) = threads.get(&recorded) {
            return *known;
        }
        if self.looked.is_none_or(|looked| looked.elapsed() > PATIENCE) {
            self.looked = Some(Instant::now());
            let directory = format!("/proc/{}/task", self.ours);
            for entry in std::fs::read_dir(&directory)
                .into_iter()
                .flatten()
                .flatten()
            {
                let name = entry.file_name();
                let ours = name.to_str().and_then(|name| name.parse::<i32>().ok());
                let (Some(ours), true) = (ours, threads.len() < MAX_KNOWN) else {
                    continue;
                };
                if let Some(inner) = innermost(&format!("{directory}/{ours}/status")) {
                    threads.insert(inner, ours);
                }
            }
        }
        threads.get(&recorded).copied().unwrap_or(plain)
    }

    /// Our number of a process.
    pub fn process(&self, recorded: u32) -> i32 {
        match recorded == self.process {
            true => self.ours,
            false => i32::try_from(recorded).unwrap_or(0),
        }
    }
}

/// The device, as the kernel numbers them within, and the inode of a namespace.
fn namespace(path: &str) -> Option<(u64, u64)> {
    let status = std::fs::metadata(path).ok()?;
    let (major, minor) = (libc::major(status.dev()), libc::minor(status.dev()));
    // `MKDEV` of `linux/kdev_t.h`.
    Some((u64::from(major) << 20 | u64::from(minor), status.ino()))
}

/// The number in the innermost pid namespace: the last of `NSpid`.
fn innermost(path: &str) -> Option<u32> {
    let status = std::fs::read_to_string(path).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace().last()?.parse().ok()
}
