//! How much of the machine this program takes.

use nix::errno::Errno;
use thiserror::Error;

/// The priority of work that can wait, as `nice` has it by default.
const LOW: i32 = 10;

/// Lowers the priority of the calling thread, and of those that it starts from now on, below that of ordinary programs. It
/// cannot be raised again without a privilege. One that is lower already stays so.
pub fn give_way() {
    // SAFETY: the calls take no pointer; 0 means the calling thread. A priority of −1 and an error look alike: then nothing
    // is lost but time.
    unsafe {
        let now = libc::getpriority(libc::PRIO_PROCESS, 0);
        if now < LOW {
            libc::setpriority(libc::PRIO_PROCESS, 0, LOW);
        }
    }
}

/// Has the calling thread, and those and the processes that it starts from now on, run on these processors only, which are
/// numbered as in `/proc/cpuinfo`.
///
/// # Errors
/// Some are not there or may not be used; then nothing is changed.
pub fn use_processors(processors: &[usize]) -> Result<(), ProcessorsError> {
    let mut wanted = NONE;
    for processor in processors {
        if let Some(word) = wanted.get_mut(processor / WORD) {
            *word |= 1 << (processor % WORD);
        }
    }
    let before = affinity()?;
    set_affinity(&wanted)?;
    // The kernel leaves out, without a word, those that are not there and those that the control group does not grant.
    let taken = affinity()?;
    let refused = |processor: &usize| {
        let word = taken.get(processor / WORD);
        word.is_none_or(|word| word >> (processor % WORD) & 1 == 0)
    };
    let refused: Vec<usize> = processors.iter().copied().filter(refused).collect();
    if refused.is_empty() {
        return Ok(());
    }
    set_affinity(&before)?;
    Err(ProcessorsError::Refused(refused))
}

/// Processors cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProcessorsError {
    /// None of them is there and may be used (`EINVAL`), or another error of the calls.
    #[error(transparent)]
    Call(#[from] Errno),
    /// Some of them are not there or may not be used: these.
    #[error("not there, or not permitted: {}", .0.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))]
    Refused(Vec<usize>),
}

/// The bits of a word of a set of processors.
const WORD: usize = libc::c_ulong::BITS as usize;
/// A set of processors. The kernel knows 8192 at most, which `cpu_set_t` has no room for.
type Set = [libc::c_ulong; 8192 / WORD];
const NONE: Set = [0; 8192 / WORD];

/// The processors that the calling thread may run on.
fn affinity() -> Result<Set, Errno> {
    let mut set = NONE;
    // SAFETY: the pointer is to a live set of the size given; 0 means the calling thread.
    let result = unsafe { libc::sched_getaffinity(0, size_of::<Set>(), set.as_mut_ptr().cast()) };
    Errno::result(result).map(|_| set)
}

fn set_affinity(set: &Set) -> Result<(), Errno> {
    // SAFETY: the pointer is to a live set of the size given; 0 means the calling thread.
    let result = unsafe { libc::sched_setaffinity(0, size_of::<Set>(), set.as_ptr().cast()) };
    Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nice() -> i32 {
        // SAFETY: the call takes no pointer.
        unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
    }

    #[test]
    fn only_the_calling_thread_and_what_it_starts_give_way() {
        let before = nice();
        let given = std::thread::spawn(|| {
            give_way();
            let started = std::thread::spawn(nice).join().unwrap();
            (nice(), started)
        });
        let low = before.max(LOW);
        assert_eq!(given.join().unwrap(), (low, low));
        assert_eq!(nice(), before);
    }

    #[test]
    fn processors_that_are_not_there_are_refused() {
        let result = std::thread::spawn(|| {
            let none = use_processors(&[usize::MAX]);
            let allowed = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let list = allowed
                .lines()
                .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
                .unwrap();
            let first: usize = list
                .trim()
                .split([',', '-'])
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let some = use_processors(&[first, 8191, 1 << 20]);
            let unchanged = std::fs::read_to_string("/proc/thread-self/status")
                .unwrap()
                .contains(&format!("Cpus_allowed_list:{list}\n"));
            let one = use_processors(&[first]);
            let now = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            (
                none,
                some,
                unchanged,
                one,
                now.contains(&format!("Cpus_allowed_list:\t{first}\n")),
            )
        });
        let (none, some, unchanged, one, bound) = result.join().unwrap();
        assert_eq!(none, Err(ProcessorsError::Call(Errno::EINVAL)));
        assert_eq!(some, Err(ProcessorsError::Refused(vec![8191, 1 << 20])));
        assert_eq!(one, Ok(()));
        assert!(unchanged && bound);
    }
}
