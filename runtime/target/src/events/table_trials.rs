//! What this kernel does with tables, found out by trying.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;

use super::assemble::{Alu, Assembler, R};
use super::error::EventError;
use super::kernel::{self, AttachType, MapType, NO_PREALLOCATION, ProgramType};
use super::program::Width;
use crate::sys;

/// Whether many rows of a table are copied at once (Linux 5.6).
///
/// # Errors
/// `YTRACE_FORBID` names something unknown.
pub(super) fn batches() -> Result<bool, EventError> {
    Ok(allowed(sys::TABLE_BATCHES)? && try_batch())
}

fn try_batch() -> bool {
    let map = kernel::create_map(MapType::PerCpuHash, 8, 8, 1, NO_PREALLOCATION, "ytrace_try");
    let Ok(map) = map else {
        return false;
    };
    let (mut to, mut key, mut values) = ([0; 8], [0; 8], [0; 8]);
    // It has no rows, so none is copied.
    let read = kernel::lookup_batch(map.as_fd(), None, &mut to, &mut key, &mut values, 1);
    read == Ok((0, true))
}

/// Whether handlers of the clock and of page faults may use tables in the kernel ([`super::Source::Clock`], [`super::Source::PageFaults`]): before
/// Linux 6.1 programs on such events may not use tables whose rows are allocated when they are needed.
///
/// # Errors
/// `YTRACE_FORBID` names something unknown.
pub fn clock_tables() -> Result<bool, EventError> {
    Ok(allowed(sys::CLOCK_TABLES)? && try_clock_table().is_ok())
}

/// Loads a program that looks a key up and is attached to nothing.
fn try_clock_table() -> Result<(), Errno> {
    const KEY: i16 = -8;
    let map = kernel::create_map(MapType::PerCpuHash, 8, 8, 1, NO_PREALLOCATION, "ytrace_try")?;
    let mut code = Assembler::default();
    code.store(Width::Eight, R::Frame, KEY, 0);
    code.map(R::R1, map.as_raw_fd());
    code.mov(R::R2, R::Frame);
    code.alu(Alu::Add, R::R2, i32::from(KEY));
    code.call(super::compile::helper::MAP_LOOKUP);
    code.mov(R::R0, 0);
    code.exit();
    let code = code.finish().ok_or(Errno::EINVAL)?;
    let kind = ProgramType::PerfEvent;
    let loaded = kernel::load_program(kind, AttachType::Unsaid, &code, "ytrace_try");
    loaded.map(drop).map_err(|(errno, _)| errno)
}

fn allowed(name: &str) -> Result<bool, EventError> {
    match sys::forbidden(name) {
        Ok(forbidden) => Ok(!forbidden),
        Err(word) => Err(EventError::UnknownTier { word }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no kernel allows is told apart from what this one does.
    #[test]
    fn trials_succeed_where_the_kernel_is_new() {
        if !sys::has_capability(39) && !sys::has_capability(21) {
            return;
        }
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let mut numbers = release.split('.').map(|number| number.parse::<u32>());
        let major = numbers.next().unwrap().unwrap();
        if major >= 7 || (major == 6 && numbers.next().unwrap().unwrap() >= 1) {
            assert!(try_batch());
            assert_eq!(try_clock_table(), Ok(()));
        }
    }
}
