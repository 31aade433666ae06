//! The child between `fork` and `execve`.

use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use super::command::Plan;

/// The number of the last signal.
const LAST_SIGNAL: i32 = 64;
/// What the parent writes to have the child give up instead of going on.
const GIVE_UP: u8 = b'x';

/// A child that waits to be told to execute its program.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) pid: i32,
    go: File,
    report: File,
}

impl Child {
    /// Forks a child. It waits for [`Child::go`]; should this program die, it goes on by itself.
    ///
    /// The signals that the calling thread blocks, `mask`, are those that the program will block.
    ///
    /// # Errors
    /// The name of the call that failed, and its error.
    pub(super) fn fork(plan: &Plan, mask: &libc::sigset_t) -> Result<Child, (&'static str, Errno)> {
        let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(|errno| ("pipe2", errno));
        let (wait, go) = pipe()?;
        let (report, told) = pipe()?;
        let arguments = pointers(&plan.arguments);
        let shell_arguments = pointers(&plan.shell_arguments);
        let environment = pointers(&plan.environment);
        let image = Image {
            wait: wait.as_raw_fd(),
            go: go.as_raw_fd(),
            told: told.as_raw_fd(),
            program: plan.program.as_ptr(),
            arguments: arguments.as_ptr(),
            shell: plan.shell.as_ptr(),
            shell_arguments: shell_arguments.as_ptr(),
            environment: environment.as_ptr(),
            mask,
        };
        // SAFETY: the child only makes calls that are allowed after a fork of a program with several threads, on memory that
        // was made ready before, and never returns.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: this is the child, all pointers are to live, terminated lists, which are copies of the parent's.
            unsafe { image.become_program() };
        }
        // The child has copies of its ends; ours would keep the pipes from ending.
        let ends: [OwnedFd; 2] = [wait, told];
        drop(ends);
        if pid < 0 {
            return Err(("fork", Errno::last()));
        }
        Ok(Child {
            pid,
            go: go.into(),
            report: report.into(),
        })
    }

    /// Lets the child execute its program. What it reports is had from [`Report::read`] once it has done so or has gone.
    pub(super) fn go(self) -> Report {
        drop(self.go);
        Report(self.report)
    }

    /// Has the child exit at once.
    pub(super) fn give_up(mut self) {
        // An error means that it has gone already.
        let _ = self.go.write_all(&[GIVE_UP]);
    }
}

/// What the child has to say about its `execve`.
#[derive(Debug)]
pub(super) struct Report(File);

impl Report {
    /// The error of `execve`; `None` when it was never tried. Only to be called when the child has exited.
    pub(super) fn read(mut self) -> Option<Errno> {
        let mut bytes = [0u8; 4];
        self.0.read_exact(&mut bytes).ok()?;
        Some(Errno::from_raw(i32::from_ne_bytes(bytes)))
    }
}

fn pointers(list: &[CString]) -> Vec<*const libc::c_char> {
    list.iter()
        .map(|text| text.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// What the child needs, as plain pointers and numbers.
struct Image {
    wait: RawFd,
    go: RawFd,
    told: RawFd,
    program: *const libc::c_char,
    arguments: *const *const libc::c_char,
    shell: *const libc::c_char,
    shell_arguments: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    mask: *const libc::sigset_t,
}

impl Image {
    /// Waits for the word to go, and executes the program.
    ///
    /// # Safety
    /// Only for the child of a fork, with all signals blocked; all pointers must be to live, terminated lists. Nothing here
    /// allocates, locks or unwinds.
    unsafe fn become_program(&self) -> ! {
        // SAFETY: the descriptors are ours, the buffer is live, and every call is allowed after a fork.
        unsafe {
            // Else the pipe would not end with our parent.
            libc::close(self.go);
            let mut word = 0u8;
            while libc::read(self.wait, (&raw mut word).cast(), 1) < 0
                && *libc::__errno_location() == libc::EINTR
            {}
            if word == GIVE_UP {
                libc::_exit(127);
            }
            // Where only ancestors may trace (the Yama security module), this lets our parent's other children do so as well:
            // the supervisor that stops the command once it runs untraced. Elsewhere the call is unknown, and not needed.
            libc::prctl(
                libc::PR_SET_PTRACER,
                libc::getppid() as libc::c_ulong,
                0,
                0,
                0,
            );
        }
        for signal in 1..=LAST_SIGNAL {
            // Handlers of ours would swallow a signal that comes before the program is executed. A Rust program ignores
            // SIGPIPE, which its children do not expect.
            // SAFETY: an all-zero sigaction is valid; numbers that are no signal, or the C library's own, are refused.
            unsafe {
                let mut action = std::mem::zeroed::<libc::sigaction>();
                if libc::sigaction(signal, ptr::null(), &mut action) == 0
                    && (action.sa_sigaction != libc::SIG_IGN || signal == libc::SIGPIPE)
                    && action.sa_sigaction != libc::SIG_DFL
                {
                    let default = std::mem::zeroed::<libc::sigaction>();
                    libc::sigaction(signal, &default, ptr::null_mut());
                }
            }
        }
        // SAFETY: as the caller promises; `execve` returns only when it fails.
        unsafe {
            libc::sigprocmask(libc::SIG_SETMASK, self.mask, ptr::null_mut());
            libc::execve(self.program, self.arguments, self.environment);
            let mut errno = *libc::__errno_location();
            if errno == libc::ENOEXEC {
                libc::execve(self.shell, self.shell_arguments, self.environment);
                // A damaged program is better told as that than as a missing shell.
                errno = libc::ENOEXEC;
            }
            libc::write(self.told, (&raw const errno).cast(), size_of::<i32>());
            libc::_exit(127);
        }
    }
}
