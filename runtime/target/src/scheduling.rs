//! How much of the machine this program takes.

use nix::errno::Errno;

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
/// `EINVAL`: none of them is there and may be used.
pub fn use_processors(processors: &[usize]) -> Result<(), Errno> {
    // SAFETY: all-zero bytes are an empty set.
    let mut set = unsafe { std::mem::zeroed::<libc::cpu_set_t>() };
    for processor in processors {
        if *processor < 8 * size_of::<libc::cpu_set_t>() {
            // SAFETY: the number is within the set.
            unsafe { libc::CPU_SET(*processor, &mut set) };
        }
    }
    // SAFETY: the pointer is to a live set of the size given; 0 means the calling thread.
    let result = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
    if result == 0 {
        Ok(())
    } else {
        Err(Errno::last())
    }
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
            let one = use_processors(&[first]);
            let now = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            (
                none,
                one,
                now.contains(&format!("Cpus_allowed_list:\t{first}\n")),
            )
        });
        assert_eq!(result.join().unwrap(), (Err(Errno::EINVAL), Ok(()), true));
    }
}
