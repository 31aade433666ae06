//! Whether links cover all threads of a process, found out on this one.
//!
//! The first kernels that had them (Linux 6.6 to 6.9, unless the correction was carried over) called the program only for the
//! one thread that had the number of the process, and said nothing.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::Ordering;

use super::assemble::{Assembler, R};
use super::kernel::{self, AttachType, MAPPABLE, MapType, ProgramType, UprobeSites};
use super::ring::MappedMap;
use crate::process::Process;
use crate::sys;

/// From this release on all kernels do.
const SURE: (u32, u32) = (6, 14);

/// Whether links cover all threads. What cannot be found out counts as no: probing one by one always works.
pub(super) fn links_cover_threads() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    release.is_ok_and(|release| is_sure(&release)) || try_on_ourselves().unwrap_or(false)
}

fn is_sure(release: &str) -> bool {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    match (next(), next()) {
        (Some(major), Some(minor)) => (major, minor) >= SURE,
        _ => false,
    }
}

/// Probes a function of this program and calls it on another thread.
fn try_on_ourselves() -> Option<bool> {
    let pid = i32::try_from(std::process::id()).ok()?;
    let address = probed as extern "C" fn() as usize as u64;
    let maps = Process::open(pid).ok()?.maps().ok()?;
    let mapping = maps.find(address)?;
    let file = File::open(mapping.path.as_ref()?).ok()?;
    let offset = address - mapping.start + mapping.offset;

    let page = usize::try_from(sys::page_size()).ok()?;
    let map = kernel::create_map(MapType::Array, 4, 8, 1, MAPPABLE, "ytrace_try").ok()?;
    let memory = MappedMap::new(map.as_fd(), page, 0, false).ok()?;
    let mut code = Assembler::default();
    code.map_value(R::R1, map.as_raw_fd(), 0);
    code.mov(R::R2, 1);
    code.atomic_add(R::R1, 0, R::R2);
    code.mov(R::R0, 0);
    code.exit();
    let (kind, attach) = (ProgramType::Kprobe, AttachType::UprobeMulti);
    let program = kernel::load_program(kind, attach, &code.finish()?, "ytrace_try").ok()?;
    let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let sites = UprobeSites {
        path: &path,
        offsets: &[offset],
        semaphores: &[0],
        cookies: &[0],
        pid,
        at_return: false,
    };
    let link = kernel::link_uprobes(program.as_fd(), attach, sites).ok()?;
    let call = std::hint::black_box(probed as extern "C" fn());
    std::thread::spawn(move || call()).join().ok()?;
    drop(link);
    Some(memory.word(0)?.load(Ordering::Relaxed) > 0)
}

/// What is probed.
#[inline(never)]
extern "C" fn probed() {
    std::hint::black_box(());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        assert!(is_sure("6.14.0-generic"));
        assert!(is_sure("7.0"));
        assert!(!is_sure("6.8.0-31-generic"));
        assert!(!is_sure("5.15.1"));
        assert!(!is_sure(""));
    }

    #[test]
    fn a_sure_kernel_passes_the_trial() {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let may = sys::has_capability(39) || sys::has_capability(21);
        if is_sure(&release) && may {
            assert_eq!(try_on_ourselves(), Some(true));
        }
    }
}
