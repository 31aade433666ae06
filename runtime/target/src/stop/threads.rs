//! Stopping and resuming the threads of a process: the supervisor's work. Nothing here allocates or locks.

use std::time::Duration;

use nix::errno::Errno;

use super::channel::{Call, Failure, Order, Outcome};
use super::table::{Plain, Shared};
use crate::ptrace::{self, Change, EVENT_STOP};
use crate::registers::Registers;
use crate::sys::{self, monotonic_ns};
use crate::tasks::{each_thread, thread_state, thread_tracer};

/// The most threads of one process.
pub(crate) const MAX_THREADS: usize = 100_000;
/// The most threads that are met until all have stopped: some come and go meanwhile.
const MAX_RECORDS: usize = 2 * MAX_THREADS;
/// Slots of the set of known threads, a power of two.
const SLOTS: usize = (2 * MAX_RECORDS).next_power_of_two();
/// How many times in a row a thread must be refused, without a tracer in sight, for that to be final.
const SEIZE_TRIES: u32 = 50;
/// The most times that new threads are looked for.
const MAX_ROUNDS: usize = 1_000;
/// How long a thread may take to stop before it is looked at whether it waits inside the kernel, in nanoseconds.
const KERNEL_WAIT: u64 = 2_000_000;
/// How many times threads are looked at before the tracer sleeps between two looks.
const EAGER_LOOKS: u32 = 40;
/// After how many looks without progress the tracer runs before all ordinary threads.
const PATIENT_LOOKS: u32 = 60;
/// How long the tracer sleeps between two looks at first, and after a hundred of them.
const SHORT_SLEEP: Duration = Duration::from_micros(5);
const LONG_SLEEP: Duration = Duration::from_micros(100);
/// How long threads that were asked to stop, and are no longer wanted to, are waited for, in nanoseconds.
const STRAGGLERS: u64 = 1_000_000_000;

/// How a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum State {
    /// It has exited, or is not traced by us any more.
    Gone = 0,
    /// Asked to stop, not seen stopped yet.
    Running = 1,
    /// Stopped; the signal is to be delivered when it goes on.
    Stopped = 2,
    /// Waits inside the kernel; it will stop before it runs any of its program.
    Held = 3,
    /// Traced, not asked to stop yet.
    Seized = 4,
}

/// What is known of a thread.
#[derive(Clone, Copy, Debug)]
struct Record {
    tid: i32,
    state: State,
    signal: i32,
    /// The system call that the thread was in just before it was asked to stop.
    #[cfg(target_arch = "aarch64")]
    call: Option<[u64; 9]>,
}

// SAFETY: numbers; zero bytes are `Gone`, and the `None` of an option whose tag is a number of its own.
unsafe impl Plain for Record {}

/// What the other side is told of a thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) tid: i32,
    /// Whether it is held; else it has gone.
    held: bool,
    /// As they were at the stop, if that was seen.
    registers: Option<Registers>,
}

// SAFETY: numbers; zero bytes are `false`, and the `None` of an option whose tag is a number of its own.
unsafe impl Plain for Seen {}

impl Record {
    fn new(tid: i32, state: State) -> Record {
        Record {
            tid,
            state,
            signal: 0,
            #[cfg(target_arch = "aarch64")]
            call: None,
        }
    }
}

impl Seen {
    /// The registers at the stop, if it was seen; `None` for a thread that has gone.
    pub(super) fn registers(&self) -> Option<Option<Registers>> {
        self.held.then_some(self.registers)
    }
}

/// The tables of the supervisor.
#[derive(Debug)]
pub(super) struct Tables {
    /// Read by the other side after [`super::channel::Reply::Stopped`]: not written from then until the next order, even when
    /// the limit is over and threads are let go meanwhile.
    pub(super) seen: Shared<Seen>,
    /// For the supervisor alone.
    records: Shared<Record>,
    /// The threads that were met: a set with open addressing. An entry counts in one generation only.
    met: Shared<u64>,
    generation: u32,
}

impl Tables {
    pub(super) fn new() -> Result<Tables, Errno> {
        Ok(Tables {
            seen: Shared::new(MAX_RECORDS)?,
            records: Shared::new(MAX_RECORDS)?,
            met: Shared::new(SLOTS)?,
            generation: 0,
        })
    }

    fn clear(&mut self) {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
    }

    /// Notes a thread; tells whether it was not known.
    fn meet(&mut self, tid: i32) -> bool {
        let entry = u64::from(self.generation) << 32 | u64::from(tid as u32);
        let first = tid as usize;
        for step in 0..SLOTS {
            let slot = first.wrapping_add(step) % SLOTS;
            match self.met.get(slot) {
                Some(known) if known == entry => return false,
                Some(known) if known >> 32 == u64::from(self.generation) => {}
                _ => {
                    self.met.set(slot, entry);
                    return true;
                }
            }
        }
        false
    }
}

/// Threads of a process that are stopped or about to be. What this value has done to them is undone by
/// [`Threads::resume`] and [`Threads::leave`], on every way out.
#[derive(Debug)]
pub(super) struct Threads<'a> {
    order: Order,
    tables: &'a mut Tables,
    /// Records in use.
    count: usize,
    began: u64,
    outcome: Outcome,
}

impl<'a> Threads<'a> {
    pub(super) fn new(order: Order, tables: &'a mut Tables) -> Threads<'a> {
        tables.clear();
        Threads {
            order,
            tables,
            count: 0,
            began: monotonic_ns(),
            outcome: Outcome::default(),
        }
    }

    /// Stops all threads.
    ///
    /// # Errors
    /// It could not be done; some threads may be stopped.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        self.stop_all()?;
        self.come_first();
        self.outcome.stopping = monotonic_ns().saturating_sub(self.began);
        self.outcome.threads = (0..self.count)
            .filter_map(|index| self.tables.records.get(index))
            .filter(|record| record.state != State::Gone)
            .count() as u64;
        Ok(())
    }

    /// The number of records in use.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// When the pause began.
    pub(super) fn began(&self) -> u64 {
        self.began
    }

    fn stop_all(&mut self) -> Result<(), Failure> {
        let seized = monotonic_ns();
        let deadline = seized.saturating_add(self.order.timeout);
        let mut asked = None;
        let mut rounds = 0;
        loop {
            let known = self.count;
            self.seize_new()?;
            // Nothing less than a list without a new thread means that all have stopped.
            if self.count == known {
                break;
            }
            let now = monotonic_ns();
            if known > 0 && now > deadline {
                return Err(self.unresponsive(known, now.saturating_sub(seized)));
            }
            if rounds == MAX_ROUNDS {
                return Err(Failure::TooManyThreads);
            }
            rounds += 1;
            self.began = *asked.get_or_insert(now);
            for index in known..self.count {
                self.ask(index)?;
            }
            self.wait(deadline)?;
        }
        if self.outcome.signals_passed > 0 {
            // A signal stops a thread from the moment that it is seized.
            self.began = seized;
        }
        let mut records = (0..self.count).filter_map(|index| self.tables.records.get(index));
        if records.all(|record| record.state == State::Gone) {
            return Err(Failure::Exited);
        }
        Ok(())
    }

    /// The error for a thread that has not stopped in the nanoseconds that were waited.
    fn unresponsive(&self, index: usize, waited: u64) -> Failure {
        let tid = self
            .tables
            .records
            .get(index)
            .map_or(0, |record| record.tid);
        Failure::Unresponsive {
            tid,
            state: thread_state(self.order.pid, tid).unwrap_or('?'),
            waited_us: waited / 1000,
        }
    }

    /// Becomes the tracer of the threads that have not been met.
    fn seize_new(&mut self) -> Result<(), Failure> {
        let pid = self.order.pid;
        let mut listed = 0;
        each_thread(pid, |tid| {
            listed += 1;
            if !self.tables.meet(tid) {
                return Ok(());
            }
            if listed > MAX_THREADS || self.count >= MAX_RECORDS {
                return Err(Failure::TooManyThreads);
            }
            let state = match seize(pid, tid, 0)? {
                true => State::Seized,
                false => State::Gone,
            };
            self.tables.records.set(self.count, Record::new(tid, state));
            self.show(self.count, tid, false, None);
            self.count += 1;
            Ok(())
        })
    }

    /// Sets what the other side is told of a thread. Only while threads are being stopped: the other side reads it afterwards.
    fn show(&mut self, index: usize, tid: i32, held: bool, registers: Option<Registers>) {
        let seen = Seen {
            tid,
            held,
            registers,
        };
        self.tables.seen.set(index, seen);
    }

    fn ask(&mut self, index: usize) -> Result<(), Failure> {
        let Some(record) = self.tables.records.get(index) else {
            return Ok(());
        };
        if record.state != State::Seized {
            return Ok(());
        }
        let tid = record.tid;
        let asked = Record {
            state: State::Running,
            #[cfg(target_arch = "aarch64")]
            call: crate::tasks::system_call(self.order.pid, tid),
            ..record
        };
        self.tables.records.set(index, asked);
        match ptrace::interrupt(tid) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(Failure::Call {
                call: Call::Interrupt,
                tid,
                errno,
            }),
        }
    }

    /// Waits until no thread is running.
    fn wait(&mut self, deadline: u64) -> Result<(), Failure> {
        let began = monotonic_ns();
        let mut looks = 0u32;
        loop {
            let mut running = None;
            let mut progress = false;
            for index in 0..self.count {
                let Some(mut record) = self.tables.records.get(index) else {
                    break;
                };
                if record.state != State::Running {
                    continue;
                }
                let registers = self.settle(&mut record)?;
                if record.state == State::Running {
                    running = Some(index);
                } else {
                    if record.state == State::Stopped {
                        self.show(index, record.tid, true, registers);
                    }
                    self.tables.records.set(index, record);
                    progress = true;
                }
            }
            let Some(index) = running else {
                return Ok(());
            };
            if progress {
                looks = 0;
                continue;
            }
            looks += 1;
            if looks == PATIENT_LOOKS {
                self.come_first();
            }
            let waited = monotonic_ns().saturating_sub(began);
            if waited > KERNEL_WAIT && looks.is_multiple_of(16) {
                self.hold_waiting();
            }
            if monotonic_ns() > deadline {
                return Err(self.unresponsive(index, waited));
            }
            if looks > EAGER_LOOKS {
                // Sleeping, not spinning: a tracer that runs before all others would keep the thread from stopping.
                std::thread::sleep(if looks < 100 { SHORT_SLEEP } else { LONG_SLEEP });
            }
        }
    }

    /// Runs the supervisor before all ordinary threads from now on. Threads stop sooner without that, for they may need the
    /// processor that it runs on; so it is done when they have stopped, or when others seem to be in the way.
    fn come_first(&mut self) {
        if self.order.realtime && !self.outcome.realtime {
            self.outcome.realtime = sys::schedule_first();
        }
    }

    /// Marks the threads that wait inside the kernel for something that no signal interrupts, and those that have exited
    /// although nobody is told so yet: a main thread that has ended before the others.
    fn hold_waiting(&mut self) {
        for index in 0..self.count {
            let Some(mut record) = self.tables.records.get(index) else {
                break;
            };
            if record.state != State::Running {
                continue;
            }
            match thread_state(self.order.pid, record.tid) {
                Some('D') => {
                    record.state = State::Held;
                    self.show(index, record.tid, true, None);
                    self.outcome.held_in_kernel += 1;
                }
                Some('Z' | 'X') => {
                    record.state = State::Gone;
                    self.outcome.leaving = true;
                }
                _ => continue,
            }
            self.tables.records.set(index, record);
        }
    }

    /// Looks at what a thread has done. One that has stopped is cured at once; returns its registers.
    fn settle(&mut self, record: &mut Record) -> Result<Option<Registers>, Failure> {
        let tid = record.tid;
        let change = ptrace::change_of(tid).map_err(|errno| Failure::Call {
            call: Call::Wait,
            tid,
            errno,
        })?;
        match change {
            Change::Nothing | Change::Interrupted => {}
            Change::NoneLeft => record.state = State::Gone,
            Change::Exited { .. } => {
                record.state = State::Gone;
                // The status of a main thread goes to its parent by this (`wait_task_zombie` of the kernel's exit.c).
                ptrace::take_note(tid);
            }
            Change::Stopped { signal, event, .. } => {
                let Ok((registers, restarted)) = cure(record) else {
                    // Killed in this very moment: its exit is seen next.
                    return Ok(None);
                };
                record.signal = if event == 0 { signal } else { 0 };
                record.state = State::Stopped;
                self.outcome.restarted_calls += u64::from(restarted);
                self.outcome.signals_passed += u64::from(record.signal != 0);
                self.outcome.was_stopped |= event == EVENT_STOP && signal != libc::SIGTRAP;
                return Ok(Some(registers));
            }
        }
        Ok(None)
    }

    /// Lets all threads go on that have stopped. The others are let go by [`Threads::leave`].
    pub(super) fn resume(&mut self) -> Outcome {
        self.outcome.resumed = monotonic_ns();
        let left = self.release();
        self.outcome.leaving |= left;
        let now = monotonic_ns();
        self.outcome.resuming = now.saturating_sub(self.outcome.resumed);
        self.outcome.pause = now.saturating_sub(self.began);
        self.outcome
    }

    /// Detaches from every thread that has stopped; tells whether one is left.
    fn release(&mut self) -> bool {
        let mut left = false;
        for index in 0..self.count {
            let Some(mut record) = self.tables.records.get(index) else {
                break;
            };
            if !matches!(record.state, State::Gone | State::Stopped) {
                // It may have stopped meanwhile; nobody is told its registers any more. After an error it is among those
                // that are left.
                let _ = self.settle(&mut record);
            }
            if record.state == State::Stopped {
                // An error means that it was killed meanwhile, and its exit is to be seen yet.
                record.state = match ptrace::detach(record.tid, record.signal) {
                    Ok(()) => State::Gone,
                    Err(_) => State::Running,
                };
            }
            left |= record.state != State::Gone;
            self.tables.records.set(index, record);
        }
        left
    }

    /// Waits for threads that were asked to stop and have not, and lets each go when it has, for a second at most: letting go
    /// of one that is about to stop would show it `EINTR`. So would letting go of one that nothing interrupts now, if its call
    /// comes to a wait that can be interrupted: the kernel does not take back that it is to look for signals. One that was not
    /// asked, or has exited, needs no such care. What is left then is for the end of this process.
    pub(super) fn leave(mut self) {
        let deadline = monotonic_ns().saturating_add(STRAGGLERS);
        while self.release() && monotonic_ns() < deadline {
            let mut running = (0..self.count).filter_map(|index| {
                let record = self.tables.records.get(index)?;
                matches!(record.state, State::Running | State::Held).then_some(record.tid)
            });
            let pid = self.order.pid;
            if running.all(|tid| matches!(thread_state(pid, tid), Some('Z' | 'X'))) {
                return;
            }
            std::thread::sleep(LONG_SLEEP);
        }
    }
}

/// Becomes the tracer of a thread. Another tracer may have it at one look and not at the next, when several take turns.
/// `options` are `PTRACE_O_*`. Tells whether it is there to be traced.
pub(crate) fn seize(pid: i32, tid: i32, options: i32) -> Result<bool, Failure> {
    let mut errno = Errno::EPERM;
    for _ in 0..SEIZE_TRIES {
        errno = match ptrace::seize(tid, options) {
            Ok(()) => return Ok(true),
            Err(Errno::ESRCH) => return Ok(false),
            Err(errno) => errno,
        };
        // A thread that is exiting or has exited is refused with the same error as a forbidden one.
        if matches!(thread_state(pid, tid), None | Some('Z' | 'X')) {
            return Ok(false);
        }
        if let Some(tracer) = thread_tracer(pid, tid) {
            return Err(Failure::AlreadyTraced { tracer });
        }
        if errno != Errno::EPERM {
            break;
        }
    }
    Err(Failure::Denied { errno })
}

/// `ERESTARTNOHAND` of the kernel's `linux/errno.h`.
#[cfg(target_arch = "x86_64")]
const ERESTARTNOHAND: i64 = 514;
/// The code segment of 32-bit programs.
#[cfg(target_arch = "x86_64")]
const COMPAT_SEGMENT: u64 = 0x23;

/// Makes an interrupted system call start again; returns the registers at the stop and whether it was one.
#[cfg(target_arch = "x86_64")]
fn cure(record: &Record) -> Result<(Registers, bool), Errno> {
    let (user, restart) = restart_call(record.tid)?;
    Ok((Registers::from_user(&user), restart))
}

/// Makes the system call of a stopped thread start again if the stop has interrupted it; returns the registers at the stop and
/// whether it was so.
#[cfg(target_arch = "x86_64")]
pub(crate) fn restart_call(tid: i32) -> Result<(libc::user_regs_struct, bool), Errno> {
    let user = ptrace::registers(tid)?;
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
        ptrace::set_result(tid, -ERESTARTNOHAND)?;
    }
    Ok((user, restart))
}

#[cfg(target_arch = "aarch64")]
fn cure(record: &Record) -> Result<(Registers, bool), Errno> {
    let user = ptrace::registers(record.tid)?;
    let registers = Registers::from_user(&user, ptrace::thread_pointer(record.tid)?);
    let interrupted = user.regs[0] as i64 == -i64::from(libc::EINTR);
    // Still in the call if everything but the overwritten register agrees.
    let first_argument = match record.call {
        Some([number, first, others @ .., stack, instruction])
            if interrupted
                && number == user.regs[8]
                && number != libc::SYS_close as u64
                && user.regs[1..6] == others
                && user.sp == stack
                && user.pc == instruction =>
        {
            first
        }
        _ => return Ok((registers, false)),
    };
    let mut again = user;
    again.regs[0] = first_argument;
    again.pc = user.pc.wrapping_sub(4);
    ptrace::set_registers(record.tid, &again)?;
    Ok((registers, true))
}
