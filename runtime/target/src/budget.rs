//! How much memory this program may take without harming others.

use std::fs;
use std::path::{Path, PathBuf};

/// What may be allocated now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryHeadroom {
    /// Bytes that the machine has available (`MemAvailable`).
    pub available: u64,
    /// Bytes left under the tightest limit of our cgroups; `None` where none is set.
    pub cgroup: Option<u64>,
}

impl MemoryHeadroom {
    /// The bytes that this program allows itself: a quarter of what is available, at most half of the cgroup's headroom,
    /// and what sets the limit.
    pub fn allowance(&self) -> (u64, &'static str) {
        let machine = self.available / 4;
        match self.cgroup.map(|headroom| headroom / 2) {
            Some(cgroup) if cgroup < machine => (cgroup, "half of the cgroup's headroom"),
            _ => (machine, "a quarter of the available memory"),
        }
    }
}

/// Reads the machine's available memory and the limits of our cgroups (version 2 and 1).
pub fn memory_headroom() -> MemoryHeadroom {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes.saturating_mul(1024));
    let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut cgroup: Option<u64> = None;
    for line in cgroups.lines().take(64) {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let path = path.trim_start_matches('/');
        let found = if controllers.is_empty() {
            tightest(
                Path::new("/sys/fs/cgroup"),
                path,
                "memory.max",
                "memory.current",
            )
        } else if controllers.split(',').any(|name| name == "memory") {
            tightest(
                Path::new("/sys/fs/cgroup/memory"),
                path,
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
            )
        } else {
            None
        };
        cgroup = match (cgroup, found) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    MemoryHeadroom { available, cgroup }
}

/// The least headroom of a cgroup and its ancestors.
fn tightest(root: &Path, path: &str, limit: &str, usage: &str) -> Option<u64> {
    let mut directory: PathBuf = root.join(path);
    let mut least = None;
    while directory.starts_with(root) {
        let number = |name: &str| {
            fs::read_to_string(directory.join(name))
                .ok()?
                .trim()
                .parse::<u64>()
                .ok()
        };
        if let (Some(limit), Some(usage)) = (number(limit), number(usage)) {
            let headroom = limit.saturating_sub(usage);
            least = Some(least.map_or(headroom, |least: u64| least.min(headroom)));
        }
        if !directory.pop() {
            break;
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowance_takes_the_tighter() {
        let roomy = MemoryHeadroom {
            available: 400,
            cgroup: Some(1000),
        };
        assert_eq!(roomy.allowance().0, 100);
        let tight = MemoryHeadroom {
            available: 4000,
            cgroup: Some(100),
        };
        assert_eq!(tight.allowance().0, 50);
        assert!(memory_headroom().available > 0);
    }
}
