//! Which pages a process has in memory, told by its page table without touching them (`/proc/PID/pagemap`, proc_pid_pagemap(5)).
//!
//! The ioctl `PAGEMAP_SCAN` (Linux 6.7) answers in runs; else the eight bytes of each page are read.

use std::fs::File;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use nix::errno::Errno;

use crate::error::OpenError;
use crate::process::Process;
use crate::sys;

const PRESENT_BIT: u64 = 1 << 63;
const SWAP_BIT: u64 = 1 << 62;
const FILE_BIT: u64 = 1 << 61;
const GUARD_BIT: u64 = 1 << 58;
const EXCLUSIVE_BIT: u64 = 1 << 56;

/// `PAGE_IS_*` of `linux/fs.h`.
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
const IS_ZERO: u64 = 1 << 5;

/// The most regions that one scan returns at a time.
const SCAN_REGIONS: usize = 512;
/// The most pages whose entries are read at a time.
const READ_ENTRIES: u64 = 8192;
/// The most addresses of one scan, in bytes: the kernel holds the target's map of memory while it scans, for some milliseconds a gigabyte
/// that is in memory, and a target that maps or unmaps memory waits for it.
const SCAN_WINDOW: u64 = 64 << 20;
/// The same after windows that hold nothing, which cost next to nothing.
const SCAN_WIDEST: u64 = 8 * SCAN_WINDOW;

/// `struct page_region` of `linux/fs.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
#[derive(Default)]
struct ScanArgument {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: u64 =
    3 << 30 | (std::mem::size_of::<ScanArgument>() as u64) << 16 | (b'f' as u64) << 8 | 16;

/// How a page stands in the page table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// In memory.
    Present,
    /// Mapped to the kernel's page of zeros.
    Zero,
    /// On swap.
    Swapped,
    /// A guard page: every access is an error.
    Guard,
}

/// Pages in a row that stand alike. Pages in no run are absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceRun {
    /// The first address.
    pub start: u64,
    /// The first address after it.
    pub end: u64,
    /// How they stand.
    pub state: PageState,
}

/// The entry of one page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry(u64);

impl Entry {
    fn is_present(self) -> bool {
        self.0 & PRESENT_BIT != 0
    }

    /// Whether there is no file behind it, nor shared memory. The kernel's page of zeros has none.
    fn is_anonymous(self) -> bool {
        self.0 & FILE_BIT == 0
    }

    /// Whether it is in memory and no other page table maps it.
    fn is_exclusive(self) -> bool {
        self.is_present() && self.0 & EXCLUSIVE_BIT != 0
    }

    /// Whose page it is.
    pub(crate) fn owner(self) -> Owner {
        match (
            self.is_present() && self.is_anonymous(),
            self.is_exclusive(),
        ) {
            (false, _) => Owner::Other,
            (true, true) => Owner::Own,
            (true, false) => Owner::Shared,
        }
    }
}

/// Whose a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Without a file behind it, and mapped by others, too; or the kernel's page of zeros.
    Shared,
    /// Without a file behind it, and this process's alone.
    Own,
    /// Of a file, or not there.
    Other,
}

/// The entries of a process's page table. Clones read the same.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    file: Arc<File>,
    page_size: u64,
}

impl Entries {
    /// Tells those of the pages that a range touches, ascending, with the addresses of the pages. `buffer` is for its own use.
    ///
    /// # Errors
    /// `ESRCH` when the address space is gone.
    pub(crate) fn each(
        &self,
        range: Range<u64>,
        buffer: &mut Vec<u8>,
        mut tell: impl FnMut(u64, Entry),
    ) -> Result<(), Errno> {
        let mut page = range.start / self.page_size;
        let end = range.end.div_ceil(self.page_size);
        while page < end {
            buffer.resize((end - page).min(READ_ENTRIES) as usize * 8, 0);
            let got = sys::read_at(self.file.as_fd(), buffer, page * 8)?;
            let (entries, _) = buffer.as_chunks();
            for entry in entries.iter().take(got / 8) {
                tell(page * self.page_size, Entry(u64::from_ne_bytes(*entry)));
                page += 1;
            }
            if got < 8 {
                return Err(Errno::ESRCH);
            }
        }
        Ok(())
    }
}

/// Which pages others share, as far as the entries were read when it was asked which pages are present.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    /// Where it is known, ascending.
    known: Vec<Range<u64>>,
    /// The pages that are [`Owner::Shared`], ascending.
    shared: Vec<Range<u64>>,
}

impl Sharing {
    /// Adds what is known of a range that lies behind all that were added.
    pub(crate) fn add(&mut self, range: Range<u64>, shared: impl Iterator<Item = Range<u64>>) {
        extend(&mut self.known, range);
        for range in shared {
            extend(&mut self.shared, range);
        }
    }

    /// Whether an address lies where it is known, and up to where that is so.
    pub(crate) fn knows(&self, address: u64) -> (bool, u64) {
        let index = self.known.partition_point(|range| range.end <= address);
        match self.known.get(index) {
            Some(range) if range.start <= address => (true, range.end),
            Some(range) => (false, range.start),
            None => (false, u64::MAX),
        }
    }

    /// The pages of a range that others share, ascending.
    pub(crate) fn shared(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> + '_ {
        let first = self.shared.partition_point(|one| one.end <= range.start);
        let shared = self.shared.iter().skip(first);
        shared
            .take_while(move |one| one.start < range.end)
            .map(move |one| one.start.max(range.start)..one.end.min(range.end))
    }
}

/// Adds a range, joined to the last one where they touch.
fn extend(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

/// The page table of a process, to be asked.
#[derive(Debug)]
pub(crate) struct Pagemap {
    entries: Entries,
    page_size: u64,
    scan: bool,
    /// Without any swap device, entries that look swapped are pages on the move between nodes, or markers of guard pages.
    swap: bool,
    buffer: Vec<u8>,
}

impl Pagemap {
    pub(crate) fn open(process: &Process) -> Result<Pagemap, OpenError> {
        let forbidden =
            sys::forbidden(sys::PAGEMAP_SCAN).map_err(|word| OpenError::UnknownTier { word })?;
        let page_size = sys::page_size();
        let mut pagemap = Pagemap {
            entries: Entries {
                file: Arc::new(process.open_proc(c"pagemap", "pagemap")?),
                page_size,
            },
            page_size,
            scan: false,
            swap: swap_is_active(),
            buffer: Vec::new(),
        };
        if !forbidden {
            let mut runs = Vec::new();
            pagemap.scan = pagemap
                .scan_into(page_size..2 * page_size, &mut runs)
                .is_ok();
        }
        Ok(pagemap)
    }

    /// Its entries.
    pub(crate) fn entries(&self) -> Entries {
        self.entries.clone()
    }

    /// Appends the runs of present, swapped and guard pages of a page-aligned range, ascending. `sharing` gets what the entries tell,
    /// if these are read for it.
    ///
    /// # Errors
    /// `ESRCH` when the address space is gone, because the process has exited or runs another program now (execve). The
    /// kernel then shows every page as absent, which must not be taken for zeros.
    pub(crate) fn query(
        &mut self,
        range: Range<u64>,
        runs: &mut Vec<PresenceRun>,
        sharing: Option<&mut Sharing>,
    ) -> Result<(), Errno> {
        // For a handful of pages reading their entries is the cheaper call.
        if !self.scan || range.end.saturating_sub(range.start) <= 4 * self.page_size {
            return self.read_into(range, runs, sharing);
        }
        self.scan_living(range, runs)
    }

    /// The same by the ioctl, whatever the length: only that tells of the page of zeros.
    fn scan_living(&mut self, range: Range<u64>, runs: &mut Vec<PresenceRun>) -> Result<(), Errno> {
        let known = runs.len();
        self.scan_into(range.clone(), runs)?;
        let seen: u64 = runs.iter().skip(known).map(|run| run.end - run.start).sum();
        if seen < range.end - range.start {
            self.check_alive()?;
        }
        Ok(())
    }

    /// The ioctl answers for a dead address space too; reading an entry gives nothing then.
    fn check_alive(&self) -> Result<(), Errno> {
        let first = self.page_size..2 * self.page_size;
        self.entries.each(first, &mut Vec::new(), |_, _| {})
    }

    fn scan_into(&mut self, range: Range<u64>, runs: &mut Vec<PresenceRun>) -> Result<(), Errno> {
        let mut regions = [PageRegion::default(); SCAN_REGIONS];
        let mut start = range.start;
        let mut window = SCAN_WINDOW;
        while start < range.end {
            let mut argument = ScanArgument {
                size: std::mem::size_of::<ScanArgument>() as u64,
                start,
                end: range.end.min(start.saturating_add(window)),
                vec: regions.as_mut_ptr() as u64,
                vec_len: SCAN_REGIONS as u64,
                category_anyof_mask: IS_PRESENT | IS_SWAPPED,
                return_mask: IS_PRESENT | IS_SWAPPED | IS_ZERO,
                ..ScanArgument::default()
            };
            // SAFETY: the argument has the layout that its size names, and its vector has the length given.
            let count = sys::retry(|| unsafe {
                libc::ioctl(
                    self.entries.file.as_raw_fd(),
                    PAGEMAP_SCAN as _,
                    &raw mut argument,
                )
            })?;
            let count = usize::try_from(count).unwrap_or(0);
            window = match count {
                0 => SCAN_WIDEST.min(2 * window),
                _ => SCAN_WINDOW,
            };
            for region in regions.iter().take(count) {
                if region.categories & IS_SWAPPED != 0 {
                    // Only the entries tell guard pages from swapped ones.
                    self.read_into(region.start..region.end, runs, None)?;
                    continue;
                }
                let state = if region.categories & IS_ZERO != 0 {
                    PageState::Zero
                } else {
                    PageState::Present
                };
                push(
                    runs,
                    PresenceRun {
                        start: region.start,
                        end: region.end,
                        state,
                    },
                );
            }
            if argument.walk_end <= start {
                return Err(Errno::EPROTO);
            }
            start = argument.walk_end;
        }
        Ok(())
    }

    fn read_into(
        &mut self,
        range: Range<u64>,
        runs: &mut Vec<PresenceRun>,
        sharing: Option<&mut Sharing>,
    ) -> Result<(), Errno> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut shared = Vec::new();
        let told = self
            .entries
            .each(range.clone(), &mut buffer, |start, entry| {
                let end = start + self.page_size;
                if let Some(state) = self.state_of(entry) {
                    push(runs, PresenceRun { start, end, state });
                }
                if sharing.is_some() && entry.owner() == Owner::Shared {
                    extend(&mut shared, start..end);
                }
            });
        self.buffer = buffer;
        told?;
        if let Some(sharing) = sharing {
            sharing.add(range, shared.into_iter());
        }
        Ok(())
    }

    /// Bytes of the pages of a range that are in memory and that this page table alone maps, and of those without a file behind them.
    fn sharing(&mut self, range: Range<u64>) -> Result<(u64, u64), Errno> {
        let (mut exclusive, mut anonymous) = (0, 0);
        self.entries.each(range, &mut self.buffer, |_, entry| {
            exclusive += u64::from(entry.is_exclusive());
            anonymous += u64::from(entry.is_present() && entry.is_anonymous());
        })?;
        Ok((exclusive * self.page_size, anonymous * self.page_size))
    }

    fn state_of(&self, entry: Entry) -> Option<PageState> {
        let Entry(bits) = entry;
        if bits & GUARD_BIT != 0 {
            Some(PageState::Guard)
        } else if entry.is_present() || (bits & SWAP_BIT != 0 && !self.swap) {
            Some(PageState::Present)
        } else if bits & SWAP_BIT != 0 {
            Some(PageState::Swapped)
        } else {
            None
        }
    }
}

/// How much of a range is in memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residency {
    /// In memory, the kernel's page of zeros apart.
    pub resident: u64,
    /// Of these, in pages that no other page table maps.
    pub unshared: u64,
    /// Of the resident ones, those without a file behind them: neither a file's pages nor shared memory.
    pub anonymous: u64,
    /// On swap.
    pub swapped: u64,
}

/// The page table of a process, to be asked how much of a range is in memory.
#[derive(Debug)]
pub struct PageTable {
    pagemap: Pagemap,
    runs: Vec<PresenceRun>,
}

impl PageTable {
    /// Opens that of a process.
    ///
    /// # Errors
    /// If `/proc/PID/pagemap` cannot be opened.
    pub fn open(process: &Process) -> Result<Self, OpenError> {
        Ok(Self {
            pagemap: Pagemap::open(process)?,
            runs: Vec::new(),
        })
    }

    /// Whether what it says agrees with `smaps`. Without `PAGEMAP_SCAN` the kernel's page of zeros, where a program has only read memory,
    /// cannot be told from a page that others share.
    pub fn is_exact(&self) -> bool {
        self.pagemap.scan
    }

    /// What of the pages that lie in `length` bytes from `address` on as a whole is in memory now; `None` if the process is gone, or if
    /// the range is longer than is looked through: 64 terabytes, or one without `PAGEMAP_SCAN`.
    pub fn residency(&mut self, address: u64, length: u64) -> Option<Residency> {
        let longest = if self.pagemap.scan { 1 << 46 } else { 1 << 40 };
        let page = self.pagemap.page_size;
        let start = address.checked_next_multiple_of(page)?;
        let end = address.checked_add(length)? / page * page;
        let mut residency = Residency::default();
        if start >= end {
            return Some(residency);
        }
        if end - start > longest {
            return None;
        }
        let mut runs = std::mem::take(&mut self.runs);
        runs.clear();
        let asked = match self.pagemap.scan {
            true => self.pagemap.scan_living(start..end, &mut runs),
            false => self.pagemap.read_into(start..end, &mut runs, None),
        };
        for run in runs.iter().filter(|_| asked.is_ok()) {
            let bytes = run.end - run.start;
            match run.state {
                PageState::Present => {
                    let (unshared, anonymous) = self.pagemap.sharing(run.start..run.end).ok()?;
                    residency.resident += bytes;
                    // A page may have come or gone since.
                    residency.unshared += unshared.min(bytes);
                    residency.anonymous += anonymous.min(bytes);
                }
                PageState::Swapped => residency.swapped += bytes,
                PageState::Zero | PageState::Guard => {}
            }
        }
        self.runs = runs;
        asked.ok().map(|()| residency)
    }
}

/// Adds a run, joined to the last one where they touch and are alike.
fn push(runs: &mut Vec<PresenceRun>, run: PresenceRun) {
    match runs.last_mut() {
        Some(last) if last.end == run.start && last.state == run.state => last.end = run.end,
        _ => runs.push(run),
    }
}

/// Whether the machine has any swap; `/proc/swaps` is a title line and then one line for each device.
pub(crate) fn swap_is_active() -> bool {
    std::fs::read_to_string("/proc/swaps").map_or(true, |text| text.lines().count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the next test says which tier is switched off.
    const TIER: &str = "YTRACE_TEST_TIER";

    /// Anonymous memory of its own, none of it touched.
    fn fresh_mapping(length: usize) -> *mut libc::c_void {
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED);
        start
    }

    /// Not only a test of its own: what the next one starts with a tier switched off.
    #[test]
    fn pages_that_were_touched_are_present() {
        let page = sys::page_size() as usize;
        let length = 64 * page;
        let start = fresh_mapping(length);
        for touched in (0..length).step_by(2 * page) {
            // SAFETY: within the mapping just made; without advice, huge pages could fill the gaps.
            unsafe {
                libc::madvise(start, length, libc::MADV_NOHUGEPAGE);
                start.cast::<u8>().add(touched).write_volatile(1);
            }
        }
        let own = Process::open(i32::try_from(std::process::id()).unwrap()).unwrap();
        let mut pagemap = Pagemap::open(&own).unwrap();
        let mut runs = Vec::new();
        let first = start as u64;
        pagemap
            .query(first..first + length as u64, &mut runs, None)
            .unwrap();
        // SAFETY: nothing refers to the mapping any more.
        unsafe { libc::munmap(start, length) };
        let (page, expected) = (page as u64, 32);
        assert_eq!(runs.len(), expected);
        for (index, run) in runs.iter().enumerate() {
            let start = first + index as u64 * 2 * page;
            let state = PageState::Present;
            let end = start + page;
            assert_eq!(*run, PresenceRun { start, end, state });
        }
        if std::env::var(TIER).is_ok_and(|tier| tier == sys::PAGEMAP_SCAN) {
            assert!(!pagemap.scan);
        }
    }

    /// A forked child shares every page that neither has written since.
    #[test]
    fn whole_pages_are_counted_and_shared_ones_told() {
        let page = sys::page_size() as usize;
        let length = 16 * page;
        let start = fresh_mapping(length);
        let touch = |pages: Range<usize>| {
            for index in pages {
                // SAFETY: within the mapping just made; without advice, huge pages could fill the gaps.
                unsafe {
                    libc::madvise(start, length, libc::MADV_NOHUGEPAGE);
                    start.cast::<u8>().add(index * page).write_volatile(2);
                }
            }
        };
        touch(0..8);
        let own = Process::open(i32::try_from(std::process::id()).unwrap()).unwrap();
        let mut table = PageTable::open(&own).unwrap();
        let (first, page) = (start as u64, page as u64);
        let pages = |resident: u64, unshared: u64| {
            Some(Residency {
                resident: resident * page,
                unshared: unshared * page,
                anonymous: resident * page,
                swapped: 0,
            })
        };
        assert_eq!(table.residency(first, 16 * page), pages(8, 8));
        // What is cut at an end does not count.
        assert_eq!(table.residency(first + 1, 3 * page), pages(2, 2));
        assert_eq!(table.residency(first + 1, 5), pages(0, 0));
        assert_eq!(table.residency(first + 8 * page, 8 * page), pages(0, 0));
        // Memory that was only read is the kernel's page of zeros, which nobody holds.
        // SAFETY: within the mapping just made.
        unsafe { start.cast::<u8>().add(12 * page as usize).read_volatile() };
        if table.is_exact() {
            assert_eq!(table.residency(first, 16 * page), pages(8, 8));
            assert_eq!(table.residency(first + 12 * page, page), pages(0, 0));
        }
        assert_eq!(table.residency(0, u64::MAX), None);
        assert_eq!(table.residency(u64::MAX - 1, 5), None);

        let mut ends = [0; 2];
        // SAFETY: two descriptors are written to an array of two.
        assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
        // SAFETY: the child only waits for the end of the pipe and exits.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            // SAFETY: plain calls that neither allocate nor lock, on descriptors and a byte of this process.
            unsafe {
                libc::close(ends[1]);
                let mut byte = 0u8;
                libc::read(ends[0], (&raw mut byte).cast(), 1);
                libc::_exit(0);
            }
        }
        assert_eq!(table.residency(first, 16 * page), pages(8, 0));
        touch(0..3);
        assert_eq!(table.residency(first, 16 * page), pages(8, 3));
        // Where entries are read, they also tell which pages are shared.
        let mut sharing = Sharing::default();
        let (mut runs, all) = (Vec::new(), first..first + 8 * page);
        let pagemap = &mut table.pagemap;
        pagemap
            .read_into(all.clone(), &mut runs, Some(&mut sharing))
            .unwrap();
        assert_eq!(sharing.knows(first), (true, all.end));
        assert_eq!(sharing.knows(first - 1), (false, first));
        let shared: Vec<_> = sharing.shared(0..u64::MAX).collect();
        assert_eq!(shared.len(), 1);
        assert_eq!(shared.first(), Some(&(first + 3 * page..all.end)));
        let mut status = 0;
        // SAFETY: the descriptors and the child are this test's own; nothing refers to the mapping any more.
        unsafe {
            libc::close(ends[1]);
            libc::close(ends[0]);
            assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
            libc::munmap(start, length);
        }
    }

    #[test]
    fn every_tier_can_be_done_without() {
        for tier in sys::TIERS {
            let output = std::process::Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "presence::tests::pages_that_were_touched_are_present",
                ])
                .env("YTRACE_FORBID", tier)
                .env(TIER, tier)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && text.contains("1 passed"),
                "without {tier}: {text}"
            );
        }
    }
}
