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

    /// The stack pointer of a thread that waits in a system call or is stopped (`/proc/PID/task/TID/syscall`); `None` for one that runs, and
    /// where that may not be seen. The thread is not disturbed.
    pub fn waiting_stack_pointer(&self, tid: i32) -> Option<u64> {
        crate::tasks::stack_pointer(self.pid(), tid)
    }
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
