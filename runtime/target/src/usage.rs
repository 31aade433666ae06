//! How much memory a process uses, as the kernel accounts it. All figures are bytes.

use crate::error::OpenError;
use crate::process::Process;
use crate::sys;

/// The memory of a whole process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Size of all mappings.
    pub virtual_size: u64,
    /// Resident pages, each counted whole.
    pub resident: u64,
    /// Resident pages of files (from `statm`: also of shared memory).
    pub resident_shared: u64,
    /// The rest of this is absent on kernels before 4.14, or where `smaps_rollup` may not be read.
    pub detail: Option<MappingUsage>,
}

/// What `smaps` tells of one mapping, or `smaps_rollup` of all (proc_pid_smaps(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MappingUsage {
    /// The first address (of a single mapping).
    pub start: u64,
    /// The first address after it.
    pub end: u64,
    /// Resident pages, each counted whole.
    pub resident: u64,
    /// Resident pages, each divided by the number of processes that map it.
    pub proportional: u64,
    /// Resident pages that other processes map too.
    pub shared: u64,
    /// Resident pages that no other process maps.
    pub private: u64,
    /// Resident pages without a file behind them.
    pub anonymous: u64,
    /// Resident bytes on huge anonymous pages.
    pub huge: u64,
    /// Bytes on swap.
    pub swap: u64,
    /// Bytes in pages of `hugetlbfs`, which none of the others counts.
    pub hugetlb: u64,
    /// Of these, in pages that no other process maps.
    pub hugetlb_private: u64,
}

impl Process {
    /// The memory that the process uses. The kernel walks its page tables for this: about a millisecond per gigabyte.
    ///
    /// # Errors
    /// The process has gone.
    pub fn memory_usage(&self) -> Result<MemoryUsage, OpenError> {
        let statm = self.read_text(c"statm", "statm")?;
        let page = sys::page_size();
        let mut numbers = statm
            .split_whitespace()
            .map(|field| field.parse::<u64>().unwrap_or(0).saturating_mul(page));
        let mut next = || numbers.next().unwrap_or(0);
        let (virtual_size, resident, resident_shared) = (next(), next(), next());
        let rollup = self.read_text(c"smaps_rollup", "smaps_rollup").ok();
        let detail = rollup.and_then(|text| parse_smaps(&text).into_iter().next());
        Ok(MemoryUsage {
            virtual_size,
            resident,
            resident_shared,
            detail,
        })
    }

    /// The memory of each mapping, ascending. The kernel holds the process's map of memory while it looks through the page tables of
    /// a mapping, for tens of milliseconds a gigabyte that is in memory on small pages; a process that maps or unmaps memory waits for that.
    /// [`crate::PageTable`] tells all but the proportional share without that.
    ///
    /// # Errors
    /// The process has gone, or its mappings may not be seen.
    pub fn mapping_usage(&self) -> Result<Vec<MappingUsage>, OpenError> {
        Ok(parse_smaps(&self.read_text(c"smaps", "smaps")?))
    }
}

impl Process {
    /// The text of `/proc/PID/status` (proc_pid_status(5)), for [`field_bytes`].
    ///
    /// # Errors
    /// The process has gone.
    pub fn status_text(&self) -> Result<String, OpenError> {
        self.read_text(c"status", "status")
    }

    /// The text of `/proc/PID/smaps_rollup` (proc_pid_smaps(5), Linux 4.14), for [`field_bytes`]. It takes as long as
    /// [`Process::mapping_usage`].
    ///
    /// # Errors
    /// The process has gone, its memory may not be seen, or the kernel has no such file.
    pub fn rollup_text(&self) -> Result<String, OpenError> {
        self.read_text(c"smaps_rollup", "smaps_rollup")
    }

    /// How many bytes `VmRSS`, the sum of its parts, and `VmSwap` may together be from what is in memory and on swap. There are four counters. Since
    /// Linux 6.16 they are summed exactly when they are asked for; from 6.2 on each processor keeps less than a batch of each to itself
    /// (`lib/percpu_counter.c`), and before that each thread up to 64 pages (`TASK_RSS_EVENTS_THRESH`).
    pub fn counters_lag(&self) -> u64 {
        let threads = || {
            let text = self.status_text().unwrap_or_default();
            text.lines()
                .find_map(|line| line.strip_prefix("Threads:")?.trim().parse().ok())
                .unwrap_or(1)
        };
        let pages = lag_in_pages(sys::kernel_version(), sys::processors(), threads);
        pages.saturating_mul(sys::page_size())
    }

    /// The stack pointer of a thread that waits in a system call or is stopped (`/proc/PID/task/TID/syscall`); `None` for one that runs, and
    /// where that may not be seen. The thread is not disturbed.
    pub fn waiting_stack_pointer(&self, tid: i32) -> Option<u64> {
        crate::tasks::stack_pointer(self.pid(), tid)
    }
}

/// [`Process::counters_lag`] in pages. `None` for a version that is not known.
fn lag_in_pages(version: Option<(u32, u32)>, processors: u64, threads: impl Fn() -> u64) -> u64 {
    const COUNTERS: u64 = 4;
    let batch = processors.saturating_mul(2).max(32);
    let by_processors = processors.saturating_mul(batch);
    let by_threads = || threads().saturating_mul(64);
    COUNTERS.saturating_mul(match version {
        Some(version) if version >= (6, 16) => 0,
        Some(version) if version >= (6, 2) => by_processors,
        Some(_) => by_threads(),
        None => by_processors.max(by_threads()),
    })
}

/// The bytes of a field in a text of lines `Name:   NUMBER kB`.
pub fn field_bytes(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?.strip_prefix(':')?;
        let number = rest.trim().strip_suffix("kB")?;
        number.trim().parse::<u64>().ok()?.checked_mul(1024)
    })
}

/// Parses `smaps`: a title line as in `maps`, then lines of a name, a colon and kilobytes.
fn parse_smaps(text: &str) -> Vec<MappingUsage> {
    let mut list: Vec<MappingUsage> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(first), second) = (words.next(), words.next()) else {
            continue;
        };
        let title = first.split_once('-').and_then(|(start, end)| {
            Some((
                u64::from_str_radix(start, 16).ok()?,
                u64::from_str_radix(end, 16).ok()?,
            ))
        });
        if let Some((start, end)) = title {
            list.push(MappingUsage {
                start,
                end,
                ..MappingUsage::default()
            });
            continue;
        }
        let (Some(usage), Some(kilobytes)) = (
            list.last_mut(),
            second.and_then(|word| word.parse::<u64>().ok()),
        ) else {
            continue;
        };
        let bytes = kilobytes.saturating_mul(1024);
        match first {
            "Rss:" => usage.resident = bytes,
            "Pss:" => usage.proportional = bytes,
            "Shared_Clean:" | "Shared_Dirty:" => usage.shared = usage.shared.saturating_add(bytes),
            "Private_Clean:" | "Private_Dirty:" => {
                usage.private = usage.private.saturating_add(bytes)
            }
            "Anonymous:" => usage.anonymous = bytes,
            "AnonHugePages:" => usage.huge = bytes,
            "Swap:" => usage.swap = bytes,
            "Shared_Hugetlb:" => usage.hugetlb = usage.hugetlb.saturating_add(bytes),
            "Private_Hugetlb:" => {
                usage.hugetlb = usage.hugetlb.saturating_add(bytes);
                usage.hugetlb_private = bytes;
            }
            _ => {}
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_usage_adds_up() {
        let process = Process::open(std::process::id() as i32).unwrap();
        let usage = process.memory_usage().unwrap();
        assert!(usage.virtual_size >= usage.resident && usage.resident > 0);
        let list = process.mapping_usage().unwrap();
        assert!(list.iter().map(|mapping| mapping.resident).sum::<u64>() > 0);
        assert!(list.iter().all(|mapping| mapping.start < mapping.end));
    }

    #[test]
    fn fields_by_name() {
        let text = "Name:\tRss: 5 kB\nVmRSS:\t   12 kB\nThreads:\t3\nRss:   7 kB\n";
        assert_eq!(field_bytes(text, "VmRSS"), Some(12 << 10));
        assert_eq!(field_bytes(text, "Rss"), Some(7 << 10));
        assert_eq!(field_bytes(text, "Threads"), None);
        assert_eq!(field_bytes(text, "Vm"), None);
        assert_eq!(field_bytes("X: 18446744073709551615 kB", "X"), None);
    }

    #[test]
    fn pages_of_hugetlbfs_are_beside_the_resident_ones() {
        let text = "7f0000000000-7f0000800000 rw-s 00000000 00:10 77   /memfd:huge (deleted)\n\
            Size:               8192 kB\nRss:                   0 kB\nPss:                   0 kB\n\
            Shared_Hugetlb:     2048 kB\nPrivate_Hugetlb:    4096 kB\nSwap:                  0 kB\n";
        let list = parse_smaps(text);
        assert_eq!(list.len(), 1);
        assert_eq!((list[0].resident, list[0].hugetlb), (0, 6 << 20));
        assert_eq!(list[0].hugetlb_private, 4 << 20);
    }

    #[test]
    fn counters_lag_by_the_version_of_the_kernel() {
        assert_eq!(lag_in_pages(Some((6, 16)), 8, || 3), 0);
        assert_eq!(lag_in_pages(Some((7, 0)), 8, || 3), 0);
        assert_eq!(lag_in_pages(Some((6, 15)), 8, || 3), 4 * 8 * 32);
        assert_eq!(lag_in_pages(Some((6, 2)), 64, || 3), 4 * 64 * 128);
        assert_eq!(lag_in_pages(Some((5, 15)), 64, || 3), 4 * 3 * 64);
        assert_eq!(lag_in_pages(None, 1, || 3), 4 * 3 * 64);
        assert!(sys::kernel_version().is_some_and(|version| version > (2, 6)));
        assert!(sys::processors() > 0);
    }

    #[test]
    fn a_waiting_thread_has_its_stack_pointer() {
        let process = Process::open(std::process::id() as i32).unwrap();
        let (send, receive) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let mark = 0u64;
            // SAFETY: the call takes nothing and cannot fail.
            let tid = unsafe { libc::gettid() };
            tell.send((tid, &raw const mark as u64)).unwrap();
            receive.recv().unwrap_err();
        });
        let (tid, mark) = told.recv().unwrap();
        let pointer = loop {
            // It comes to its wait by itself.
            match process.waiting_stack_pointer(tid) {
                Some(pointer) => break pointer,
                None => std::thread::yield_now(),
            }
        };
        assert!(
            mark > pointer && mark - pointer < 1 << 20,
            "{mark:#x} {pointer:#x}"
        );
        assert_eq!(process.waiting_stack_pointer(i32::MAX), None);
        drop(send);
        waiting.join().unwrap();
    }
}
