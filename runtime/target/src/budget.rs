//! How much memory this program may take without harming others.

use std::fs;

use crate::cgroup::{MemoryGroup, own_groups};

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
    MemoryHeadroom {
        available,
        cgroup: own_groups().iter().filter_map(MemoryGroup::headroom).min(),
    }
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
