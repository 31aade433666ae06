//! Choosing what a pause copies, from what a learning run touched.

use std::ops::Range;
use std::time::Duration;

use crate::error::ReadError;
use crate::live::LiveMemory;
use crate::memory::AddressSpace;
use crate::presence::PageState;

/// The share of the longest pause that copying may plan to take, in percent. The rest is for stopping and for bad luck.
const COPY_SHARE: u64 = 60;

/// Bytes of `/proc/PID/pagemap` for each page (proc_pid_pagemap(5)).
const ENTRY_BYTES: u64 = 8;

/// What a pause is to copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyPlan {
    /// The ranges, ascending.
    pub ranges: Vec<Range<u64>>,
    /// The bytes of them that are in memory now, and of the page table's entries for mappings taken whole.
    pub bytes: u64,
    /// Of the touched mappings, those that are copied whole.
    pub whole_mappings: usize,
    /// Of the touched mappings, those of which only the touched pages are copied.
    pub partial_mappings: usize,
    /// Whether even the touched pages are more than the pause allows: pages will be left out.
    pub over: bool,
}

/// Plans a copy of the mappings that hold the pages `touched`: each whole, the smaller first, for as long as the pause
/// allows, and of the others only the touched pages. Mappings that cannot change are left out, for they can be read at any
/// time. `bytes_per_second` is the speed of copying; 5 GB/s is a careful figure.
///
/// # Errors
/// The process has gone.
pub fn plan_copy(
    memory: &mut LiveMemory,
    touched: &[Range<u64>],
    max_pause: Duration,
    bytes_per_second: u64,
) -> Result<CopyPlan, ReadError> {
    struct Candidate {
        whole: Range<u64>,
        present: u64,
        touched: Vec<Range<u64>>,
        touched_bytes: u64,
    }
    let page = memory.page_size().max(1);
    let maps = memory.mappings();
    let mut candidates: Vec<Candidate> = Vec::new();
    for range in touched {
        for mapping in maps
            .overlapping(range.clone())
            .filter(|mapping| !mapping.is_constant())
        {
            let part = range.start.max(mapping.start)..range.end.min(mapping.end);
            let bytes = part.end.saturating_sub(part.start);
            match candidates
                .last_mut()
                .filter(|last| last.whole == mapping.range())
            {
                Some(last) => {
                    last.touched.push(part);
                    last.touched_bytes += bytes;
                }
                None => {
                    let runs = memory.presence(mapping.start, mapping.end)?;
                    let present = runs.iter().filter(|run| run.state == PageState::Present);
                    candidates.push(Candidate {
                        whole: mapping.range(),
                        present: present.map(|run| run.end - run.start).sum(),
                        touched: vec![part],
                        touched_bytes: bytes,
                    });
                }
            }
        }
    }
    let pause = u64::try_from(max_pause.as_micros()).unwrap_or(u64::MAX);
    let allowed = pause
        .saturating_mul(bytes_per_second / 1_000_000)
        .saturating_mul(COPY_SHARE)
        / 100;
    let learned: u64 = candidates
        .iter()
        .map(|candidate| candidate.touched_bytes.min(candidate.present))
        .sum();
    candidates.sort_by_key(|candidate| candidate.present);
    let mut plan = CopyPlan {
        bytes: learned,
        over: learned > allowed,
        ..CopyPlan::default()
    };
    for candidate in candidates {
        // In the pause the page table is read again, which may mean eight bytes for each page of a mapping taken whole: much
        // where little is present of a huge one.
        let table = (candidate.whole.end - candidate.whole.start) / page * ENTRY_BYTES;
        let extra = candidate
            .present
            .saturating_sub(candidate.touched_bytes.min(candidate.present))
            .saturating_add(table);
        if plan.bytes.saturating_add(extra) <= allowed {
            plan.bytes += extra;
            plan.whole_mappings += 1;
            plan.ranges.push(candidate.whole);
        } else {
            plan.partial_mappings += 1;
            plan.ranges.extend(candidate.touched);
        }
    }
    plan.ranges.sort_by_key(|range| range.start);
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::LiveOptions;
    use crate::process::Process;

    #[test]
    fn a_huge_mapping_with_little_in_it_is_not_taken_whole() {
        let length = 1usize << 40;
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED);
        // SAFETY: the first page of the mapping just made.
        unsafe { start.cast::<u8>().write_volatile(1) };
        let own = Process::open(i32::try_from(std::process::id()).unwrap()).unwrap();
        let mut memory = LiveMemory::new(&own, LiveOptions::default()).unwrap();
        let page = memory.page_size();
        let touched = start as u64..start as u64 + page;
        let pause = Duration::from_millis(50);
        let plan = plan_copy(
            &mut memory,
            std::slice::from_ref(&touched),
            pause,
            5_000_000_000,
        )
        .unwrap();
        // SAFETY: nothing refers to the mapping any more.
        unsafe { libc::munmap(start, length) };
        assert_eq!(plan.ranges, [touched]);
        assert_eq!((plan.whole_mappings, plan.partial_mappings), (0, 1));
    }
}
