//! The stopped threads of a process, in the hands of the thread that traces them.

use std::collections::HashSet;
use std::fs;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::ptrace::{self, EVENT_STOP, Event};
use super::{PauseReport, StopOptions};
use crate::access::diagnose;
use crate::error::StopError;
use crate::process::{Process, StatFields, status_number};
use crate::registers::{Registers, ThreadSnapshot};

/// The most threads of one process.
const MAX_THREADS: usize = 100_000;
/// The most times that new threads are looked for.
const MAX_ROUNDS: usize = 1_000;
/// How long a thread may take to stop before it is looked at whether it waits inside the kernel.
const KERNEL_WAIT: Duration = Duration::from_millis(2);
/// How many times threads are looked at before the tracer sleeps between two looks.
const EAGER_LOOKS: u32 = 40;
/// After how many looks without progress the tracer runs before all ordinary threads.
const PATIENT_LOOKS: u32 = 60;
/// How long the tracer sleeps between two looks at first, and after a hundred of them.
const SHORT_SLEEP: Duration = Duration::from_micros(5);
const LONG_SLEEP: Duration = Duration::from_micros(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Seized, asked to stop, not seen stopped yet.
    Running,
    /// Stopped; the signal is to be delivered when it goes on.
    Stopped {
        signal: i32,
    },
    /// Waits inside the kernel; it will stop before it runs any of its program.
    Held,
    Gone,
}

#[derive(Debug)]
struct Thread {
    tid: i32,
    state: State,
    registers: Option<Registers>,
    #[cfg(target_arch = "aarch64")]
    call: Option<crate::stop::threads::arm::Call>,
}

/// Threads that are stopped, until [`StoppedThreads::resume`] or the end of this value. It stays on the operating system
/// thread that made it, and that thread must end soon after: its end detaches what could not be detached otherwise.
#[derive(Debug)]
pub(crate) struct StoppedThreads {
    pid: i32,
    threads: Vec<Thread>,
    known: HashSet<i32>,
    began: Instant,
    report: PauseReport,
    resumed: bool,
    bound: PhantomData<*const ()>,
}

impl StoppedThreads {
    /// Stops all threads of a process.
    ///
    /// # Errors
    /// It could not be done; the process is running again.
    pub(crate) fn stop(
        process: &Process,
        options: &StopOptions,
    ) -> Result<StoppedThreads, StopError> {
        let pid = process.pid();
        if u32::try_from(pid).is_ok_and(|pid| pid == std::process::id()) {
            return Err(StopError::Ourselves { pid });
        }
        if process.exited() {
            return Err(StopError::Exited { pid });
        }
        if let Some(tracer) = process.tracer() {
            return Err(already_traced(pid, tracer));
        }
        crate::sys::wake_punctually();
        let mut stopped = StoppedThreads {
            pid,
            threads: Vec::new(),
            known: HashSet::new(),
            began: Instant::now(),
            report: PauseReport::default(),
            resumed: false,
            bound: PhantomData,
        };
        // An error drops `stopped`, which resumes.
        stopped.stop_all(process, options)?;
        stopped.come_first(options);
        stopped.report.stopping = stopped.began.elapsed();
        stopped.report.threads = stopped
            .threads
            .iter()
            .filter(|thread| thread.state != State::Gone)
            .count();
        Ok(stopped)
    }

    fn stop_all(&mut self, process: &Process, options: &StopOptions) -> Result<(), StopError> {
        let seized = Instant::now();
        let deadline = seized + options.stop_timeout;
        let mut asked = None;
        for _ in 0..MAX_ROUNDS {
            let known = self.threads.len();
            for tid in self.list()? {
                if self.known.insert(tid) {
                    self.seize(tid)?;
                }
            }
            if self.threads.len() == known {
                break;
            }
            if process.exited() {
                return Err(StopError::Exited { pid: self.pid });
            }
            let began = *asked.get_or_insert_with(Instant::now);
            self.began = began;
            for thread in self
                .threads
                .iter_mut()
                .skip(known)
                .filter(|thread| thread.state == State::Running)
            {
                #[cfg(target_arch = "aarch64")]
                {
                    thread.call = arm::Call::read(self.pid, thread.tid);
                }
                match ptrace::interrupt(thread.tid) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(errno) => {
                        return Err(StopError::Call {
                            call: "PTRACE_INTERRUPT",
                            tid: thread.tid,
                            errno,
                        });
                    }
                }
            }
            self.wait(deadline, options)?;
            if Instant::now() > deadline {
                break;
            }
        }
        if self.report.signals_passed > 0 {
            // A signal stops a thread from the moment that it is seized.
            self.began = seized;
        }
        if self
            .threads
            .iter()
            .all(|thread| thread.state == State::Gone)
        {
            return Err(StopError::Exited { pid: self.pid });
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<i32>, StopError> {
        let gone = StopError::Exited { pid: self.pid };
        let entries = fs::read_dir(format!("/proc/{}/task", self.pid)).map_err(|_| gone)?;
        let names =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        let list: Vec<i32> = names.take(MAX_THREADS + 1).collect();
        if list.len() > MAX_THREADS || self.threads.len() > 2 * MAX_THREADS {
            return Err(StopError::TooManyThreads {
                pid: self.pid,
                limit: MAX_THREADS,
            });
        }
        Ok(list)
    }

    fn seize(&mut self, tid: i32) -> Result<(), StopError> {
        let mut seized = ptrace::seize(tid);
        if seized == Err(Errno::EPERM) && thread_tracer(self.pid, tid).is_none() {
            // Whoever traced it a moment ago does so no more.
            seized = ptrace::seize(tid);
        }
        let state = match seized {
            Ok(()) => State::Running,
            Err(Errno::ESRCH) => State::Gone,
            // A thread that is exiting or has exited is refused with the same error as a forbidden one.
            Err(errno) => match (thread_state(self.pid, tid), thread_tracer(self.pid, tid)) {
                (None | Some('Z' | 'X'), _) => State::Gone,
                (_, Some(tracer)) => return Err(already_traced(self.pid, tracer)),
                _ => {
                    return Err(StopError::Denied {
                        pid: self.pid,
                        cause: diagnose(self.pid, errno),
                    });
                }
            },
        };
        self.threads.push(Thread {
            tid,
            state,
            registers: None,
            #[cfg(target_arch = "aarch64")]
            call: None,
        });
        Ok(())
    }

    /// Waits until no thread is running.
    fn wait(&mut self, deadline: Instant, options: &StopOptions) -> Result<(), StopError> {
        let began = Instant::now();
        let mut looks = 0u32;
        loop {
            let mut running = None;
            let mut progress = false;
            for thread in self
                .threads
                .iter_mut()
                .filter(|thread| thread.state == State::Running)
            {
                settle(self.pid, thread, &mut self.report)?;
                if thread.state == State::Running {
                    running = Some(thread.tid);
                } else {
                    progress = true;
                }
            }
            let Some(tid) = running else { return Ok(()) };
            if progress {
                looks = 0;
                continue;
            }
            looks += 1;
            if looks == PATIENT_LOOKS {
                self.come_first(options);
            }
            let waited = began.elapsed();
            if waited > KERNEL_WAIT && looks.is_multiple_of(16) {
                self.hold_waiting();
            }
            if Instant::now() > deadline {
                let state = thread_state(self.pid, tid).unwrap_or('?');
                let waited_us = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
                return Err(StopError::Unresponsive {
                    pid: self.pid,
                    tid,
                    state,
                    waited_us,
                });
            }
            if looks > EAGER_LOOKS {
                // Sleeping, not spinning: a tracer that runs before all others would keep the thread from stopping.
                std::thread::sleep(if looks < 100 { SHORT_SLEEP } else { LONG_SLEEP });
            }
        }
    }

    /// Runs the tracer before all ordinary threads from now on. Threads stop sooner without that, for they may need the
    /// processor that the tracer runs on; so it is done when they have stopped, or when others seem to be in the way.
    fn come_first(&mut self, options: &StopOptions) {
        if options.realtime && !self.report.realtime {
            self.report.realtime = crate::sys::schedule_first();
        }
    }

    /// Marks the threads that wait inside the kernel for something that no signal interrupts.
    fn hold_waiting(&mut self) {
        for thread in self
            .threads
            .iter_mut()
            .filter(|thread| thread.state == State::Running)
        {
            if thread_state(self.pid, thread.tid) == Some('D') {
                thread.state = State::Held;
                self.report.held_in_kernel += 1;
            }
        }
    }

    /// When the pause began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// The threads and their registers at the stop.
    pub(crate) fn snapshots(&self) -> Vec<ThreadSnapshot> {
        let present = self
            .threads
            .iter()
            .filter(|thread| thread.state != State::Gone);
        present
            .map(|thread| ThreadSnapshot {
                tid: thread.tid,
                registers: thread.registers,
            })
            .collect()
    }

    /// Lets all threads go on.
    pub(crate) fn resume(mut self) -> PauseReport {
        self.detach_all();
        self.report
    }

    fn detach_all(&mut self) {
        if self.resumed {
            return;
        }
        self.resumed = true;
        let resuming = Instant::now();
        for thread in &mut self.threads {
            if matches!(thread.state, State::Held | State::Running) {
                thread.state = State::Running;
                // It may have stopped meanwhile. If not, or if this fails, the end of this operating system thread detaches.
                let _ = settle(self.pid, thread, &mut self.report);
            }
            if let State::Stopped { signal } = thread.state {
                // An error means that it was killed meanwhile.
                let _ = ptrace::detach(thread.tid, signal);
            }
        }
        self.report.resuming = resuming.elapsed();
        self.report.pause = self.began.elapsed();
    }
}

impl Drop for StoppedThreads {
    fn drop(&mut self) {
        self.detach_all();
    }
}

/// Looks at what a thread has done. One that has stopped is cured at once and its registers are kept.
fn settle(pid: i32, thread: &mut Thread, report: &mut PauseReport) -> Result<(), StopError> {
    let tid = thread.tid;
    let event = ptrace::look(tid).map_err(|errno| StopError::Call {
        call: "waitid",
        tid,
        errno,
    })?;
    match event {
        None => {}
        Some(Event::Gone) => {
            thread.state = State::Gone;
            // The exit of the main thread is for its parent, which may be this program.
            if tid != pid {
                ptrace::reap(tid);
            }
        }
        Some(Event::Stopped { signal, event }) => {
            let Ok((registers, restarted)) = cure(thread) else {
                // Killed in this very moment: its exit is seen next.
                return Ok(());
            };
            thread.registers = Some(registers);
            report.restarted_calls += usize::from(restarted);
            let deliver = if event == 0 { signal } else { 0 };
            report.signals_passed += usize::from(deliver != 0);
            report.was_stopped |= event == EVENT_STOP && signal != libc::SIGTRAP;
            thread.state = State::Stopped { signal: deliver };
        }
    }
    Ok(())
}

/// `ERESTARTNOHAND` of the kernel's `linux/errno.h`.
#[cfg(target_arch = "x86_64")]
const ERESTARTNOHAND: i64 = 514;
/// The code segment of 32-bit programs.
#[cfg(target_arch = "x86_64")]
const COMPAT_SEGMENT: u64 = 0x23;

/// Makes an interrupted system call start again; returns the registers at the stop and whether it was one.
#[cfg(target_arch = "x86_64")]
fn cure(thread: &Thread) -> Result<(Registers, bool), Errno> {
    let user = ptrace::registers(thread.tid)?;
    let compat = user.cs == COMPAT_SEGMENT;
    let interrupted = if compat {
        user.rax as i32 == -libc::EINTR
    } else {
        user.rax as i64 == -i64::from(libc::EINTR)
    };
    let close = if compat { 6 } else { libc::SYS_close };
    let call = user.orig_rax as i64;
    let in_call = if compat { call as i32 >= 0 } else { call >= 0 };
    let restart = in_call && interrupted && call != close;
    if restart {
        ptrace::set_result(thread.tid, -ERESTARTNOHAND)?;
    }
    Ok((Registers::from_user(&user), restart))
}

#[cfg(target_arch = "aarch64")]
fn cure(thread: &Thread) -> Result<(Registers, bool), Errno> {
    let user = ptrace::registers(thread.tid)?;
    let registers = Registers::from_user(&user, ptrace::thread_pointer(thread.tid)?);
    let restart = match thread.call {
        Some(call) if user.regs[0] as i64 == -i64::from(libc::EINTR) && call.agrees(&user) => {
            let mut again = user;
            again.regs[0] = call.first_argument;
            again.pc = user.pc.wrapping_sub(4);
            ptrace::set_registers(thread.tid, &again)?;
            true
        }
        _ => false,
    };
    Ok((registers, restart))
}

#[cfg(target_arch = "aarch64")]
mod arm {
    /// A system call that a thread was in just before it was stopped.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Call {
        number: u64,
        pub(crate) first_argument: u64,
        others: [u64; 5],
        stack_pointer: u64,
        instruction_pointer: u64,
    }

    impl Call {
        /// Reads `/proc/PID/task/TID/syscall` (proc_pid_syscall(5)); `None` for a thread that is not in a call.
        pub(crate) fn read(pid: i32, tid: i32) -> Option<Call> {
            let text = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")).ok()?;
            let mut words = text.split_whitespace();
            let number = words.next()?.parse::<u64>().ok()?;
            let mut next = || u64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok();
            let first_argument = next()?;
            let others = [next()?, next()?, next()?, next()?, next()?];
            Some(Call {
                number,
                first_argument,
                others,
                stack_pointer: next()?,
                instruction_pointer: next()?,
            })
        }

        /// Whether a thread that has stopped is still in this call: everything but the overwritten register agrees.
        pub(crate) fn agrees(&self, user: &libc::user_regs_struct) -> bool {
            user.regs[8] == self.number
                && self.number != libc::SYS_close as u64
                && user.regs[1..6] == self.others
                && user.sp == self.stack_pointer
                && user.pc == self.instruction_pointer
        }
    }
}

fn thread_state(pid: i32, tid: i32) -> Option<char> {
    let text = fs::read(format!("/proc/{pid}/task/{tid}/stat")).ok()?;
    StatFields::parse(&String::from_utf8_lossy(&text)).map(|fields| fields.state)
}

fn thread_tracer(pid: i32, tid: i32) -> Option<i32> {
    let text = fs::read(format!("/proc/{pid}/task/{tid}/status")).ok()?;
    let tracer = status_number(&String::from_utf8_lossy(&text), "TracerPid:")?;
    i32::try_from(tracer).ok().filter(|tracer| *tracer != 0)
}

fn already_traced(pid: i32, tracer: i32) -> StopError {
    let name = fs::read(format!("/proc/{tracer}/comm")).ok();
    let name = name.map(|name| String::from_utf8_lossy(&name).trim_end().to_owned());
    StopError::AlreadyTraced { pid, tracer, name }
}
