//! The supervisor of breakpoints: what it does from its start to its end. Nothing here, nor in what it calls, allocates, locks
//! or unwinds.

use nix::errno::Errno;

use super::emulate;
use super::messages::{Figures, Order, Reply};
use super::session::Plan;
use super::tables::{
    Address, Board, Came, NONE, Other, Refusal, SLOTS, Space, State, Tables, Thread, Told,
};
use super::{EntryState, Reason, Subject, text};
use crate::ptrace::{self, Change};
use crate::registers::Registers;
use crate::stop::channel::{Call, Channel, Failure, Received, Words};
use crate::stop::threads::seize;
use crate::sys::{self, monotonic_ns};
use crate::tasks::{each_thread, is_making_process, signal_sets, thread_state};

/// What the kernel tells of. `PTRACE_O_EXITKILL` is never set.
const OPTIONS: i32 = libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT;
/// The most times that new threads are looked for at the start.
const MAX_ROUNDS: usize = 1_000;
/// The most changes that are seen to before the channel is looked at.
const MAX_CHANGES: usize = 256;
/// How long threads may take to stop, in nanoseconds.
pub(super) const STOPPING: u64 = 5_000_000_000;
/// How long threads are kept waiting for one another at a time before text is changed.
const START_PAUSE: u64 = 20_000_000;
/// How long a thread may take to stop before it is looked at whether it waits inside the kernel.
const KERNEL_WAIT: u64 = 2_000_000;
/// How long to wait between two looks for what no signal tells of.
const LOOK: u64 = 1_000_000;
/// How long a new process may wait for its maker to tell of it.
const BIRTH: u64 = 1_000_000_000;

/// A register of the processor for addresses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    pub(super) used: bool,
    /// The index of the watch in the request; `None` for code.
    pub(super) watch: Option<usize>,
    pub(super) address: u64,
    pub(super) bytes: u8,
    pub(super) writes_only: bool,
    /// It has told of a hit after the thread had run on.
    pub(super) is_late: bool,
}

/// SIGTRAP in a set of signals.
pub(super) const TRAP: u64 = 1 << (libc::SIGTRAP - 1);

/// What the target does with SIGTRAP, as of the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traps {
    /// A thread blocks it.
    pub(super) blocked: bool,
    ignored: bool,
    /// It has a handler.
    pub(super) caught: bool,
}

impl Traps {
    /// Whether `int3` would change that for good: the kernel sets the default action when it is come to.
    pub(super) fn spare_text(self) -> bool {
        self.ignored || self.caught && self.blocked
    }
}

/// The stop that ytrace has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    number: u64,
    /// The index of the thread; [`NONE`] when it has gone or was let go.
    pub(super) thread: u32,
    deadline: u64,
    overdue: bool,
}

/// The supervisor.
#[derive(Debug)]
pub(super) struct Tracer<'a> {
    pub(super) channel: &'a Channel,
    pub(super) tables: &'a mut Tables,
    pub(super) board: &'a mut Board,
    pub(super) plan: &'a Plan,
    /// Tells that a thread has done something.
    signals: i32,
    pub(super) slots: [Slot; SLOTS],
    pub(super) any_late: bool,
    pub(super) traps: Traps,
    /// Whether hardware breakpoints can be had.
    pub(super) hardware: Result<(), Errno>,
    /// Elements in use, or that have been.
    pub(super) threads: usize,
    free_threads: usize,
    pub(super) spaces: usize,
    pub(super) addresses: usize,
    members: usize,
    pub(super) frames: usize,
    pub(super) free_frame: u32,
    /// The queue of threads that stand still.
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) out: Option<Out>,
    /// All threads are to stand still.
    pub(super) frozen: bool,
    /// Since when, if that is for the supervisor's own sake; else 0.
    frozen_since: u64,
    /// ytrace has asked for that.
    holding: bool,
    /// Everything is being taken out.
    pub(super) leaving: bool,
    /// Breakpoints are not set yet.
    pub(super) starting: bool,
    pub(super) figures: Figures,
    pub(super) refused: usize,
    pub(super) status: Option<i32>,
    told_gone: bool,
    /// A signal has told of changes, which have not been looked for since.
    unseen: bool,
}

/// What the supervisor does, until the channel closes or it is told to finish.
pub(super) fn run(channel: &Channel, tables: &mut Tables, board: &mut Board, plan: &Plan) {
    prepare();
    if channel.is_closed() {
        // Nothing is begun for one who has gone since.
        return;
    }
    let mut tracer = Tracer {
        channel,
        tables,
        board,
        plan,
        signals: child_signals(),
        slots: [Slot::default(); SLOTS],
        any_late: false,
        traps: Traps::default(),
        hardware: if plan.hardware {
            Ok(())
        } else {
            Err(Errno::EOPNOTSUPP)
        },
        threads: 0,
        free_threads: 0,
        spaces: 0,
        addresses: 0,
        members: 0,
        frames: 0,
        free_frame: NONE,
        head: NONE,
        tail: NONE,
        out: None,
        frozen: false,
        frozen_since: 0,
        holding: false,
        leaving: false,
        starting: true,
        figures: Figures {
            restored: true,
            ..Figures::default()
        },
        refused: 0,
        status: None,
        told_gone: false,
        unseen: false,
    };
    let reply = match tracer.begin() {
        Ok(()) => {
            tracer.publish();
            // Nobody listening is found when we look.
            let refused = tracer.refused as u64;
            let _ = channel.send(&Reply::Started { refused });
            tracer.serve();
            tracer.leave();
            Reply::Totals(tracer.figures)
        }
        Err(failure) => {
            tracer.leave();
            Reply::Failed(failure)
        }
    };
    // Nobody listening means that nobody wants to know.
    let _ = channel.send(&reply);
}

/// Makes this process fit for its work.
fn prepare() {
    sys::wake_punctually();
    sys::spare_from_memory_shortage();
    sys::allow_descriptors();
}

/// A descriptor that is readable when a traced thread has done something; −1 where there is none.
fn child_signals() -> i32 {
    // SAFETY: all-zero actions and sets are valid; the pointers are to live values. All signals are blocked. One that the
    // parent ignores would not be raised.
    unsafe {
        let default = std::mem::zeroed::<libc::sigaction>();
        libc::sigaction(libc::SIGCHLD, &default, std::ptr::null_mut());
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC)
    }
}

impl Tracer<'_> {
    /// Traces all threads, sets all breakpoints, and lets everything go on.
    fn begin(&mut self) -> Result<(), Failure> {
        let pid = self.plan.pid;
        let space = self
            .new_space(pid, true, false)
            .ok_or(Failure::TooManyThreads)?;
        let mut rounds = 0;
        loop {
            let known = self.threads;
            each_thread(pid, |tid| {
                if self.find(tid).is_some() {
                    return Ok(());
                }
                match seize(pid, tid, OPTIONS) {
                    Ok(true) => {
                        let index = self.new_thread(tid, space).ok_or(Failure::TooManyThreads)?;
                        self.change(index, |thread| thread.begun = true);
                    }
                    Ok(false) => {}
                    // Made by one that is traced, it is ours already, and is met at its first stop.
                    Err(Failure::AlreadyTraced { .. }) if ptrace::is_traced(tid) => {}
                    Err(failure) => return Err(failure),
                }
                Ok::<(), Failure>(())
            })?;
            if self.threads == known {
                break;
            }
            rounds += 1;
            if rounds == MAX_ROUNDS {
                return Err(Failure::TooManyThreads);
            }
        }
        if self.threads == 0 {
            return Err(Failure::Exited);
        }
        self.open_memory(space).map_err(|errno| Failure::Call {
            call: Call::Memory,
            tid: pid,
            errno,
        })?;
        self.look_at_signals();
        self.set_watches();
        self.set_places()
    }

    /// Finds out what the target does with SIGTRAP.
    fn look_at_signals(&mut self) {
        for index in self.all_threads() {
            // A thread that has gone does nothing with it.
            let sets = signal_sets(self.plan.pid, self.thread(index).tid).unwrap_or_default();
            self.traps.blocked |= sets.blocked & TRAP != 0;
            self.traps.ignored |= sets.ignored & TRAP != 0;
            self.traps.caught |= sets.caught & TRAP != 0;
        }
    }

    /// Sets breakpoints at all places.
    fn set_places(&mut self) -> Result<(), Failure> {
        let plan = self.plan;
        let room = self.slots.iter().filter(|slot| !slot.used).count();
        let groups = || {
            plan.points
                .chunk_by(|one, other| one.address == other.address)
        };
        // A thread that blocks SIGTRAP would be told of hits by hardware too late.
        let by_hardware = if self.traps.spare_text() {
            room > 0
        } else {
            groups().count() <= room && !self.traps.blocked
        };
        let by_hardware = by_hardware && self.try_hardware();
        let mut any_text = false;
        for group in groups() {
            let (Some(first), Some(space)) = (group.first(), self.space_of_text()) else {
                continue;
            };
            let address = first.address;
            let mut point = self.read_instruction(space, address);
            let reason = match emulate::refusal(&point) {
                true => Some(Reason::Instruction),
                false => None,
            };
            if let Some(reason) = reason {
                for member in group {
                    self.refuse(Subject::Place(member.place as usize), address, reason);
                }
                continue;
            }
            point.shared = first.shared;
            point.origin = first.origin;
            point.first = u32::try_from(self.members).unwrap_or(NONE);
            for member in group {
                if let Some(slot) = self.tables.members.get_mut(self.members) {
                    slot.place = member.place;
                    slot.at_return = member.at_return;
                    self.members += 1;
                    point.count += 1;
                }
            }
            // Functions return to more addresses than there are registers.
            let returns = group.iter().any(|point| point.at_return);
            let by_text = !by_hardware && point.text_refusal().is_none();
            any_text |= !self.traps.spare_text() && (returns || by_text);
            self.note_address(point);
        }
        if any_text {
            // A thread within `fork` that has not been told of yet would have an untraced child with a copy.
            self.freeze_to_start()?;
        }
        // Read when all stand still.
        let target = self.space_of_target();
        let mut mappings = text::mappings(&target);
        for index in 0..self.addresses {
            if by_hardware && self.set_in_hardware(index) {
                continue;
            }
            let spared = self.address(index).text_refusal().is_some();
            if spared && self.try_hardware() && self.set_in_hardware(index) {
                continue;
            }
            if !any_text && !spared && !self.traps.spare_text() {
                any_text = true;
                self.freeze_to_start()?;
            }
            if let Err(reason) = self.set_in_text_of(index, &target, mappings.as_mut()) {
                self.refuse_address(index, reason);
            }
        }
        self.starting = false;
        if any_text {
            self.thaw();
        }
        Ok(())
    }

    /// Stops all threads before text is changed. While one waits for a `vfork` they are let go again.
    pub(super) fn freeze_to_start(&mut self) -> Result<(), Failure> {
        let pid = self.plan.pid;
        let began = monotonic_ns();
        while let Err(tid) = self.freeze(START_PAUSE) {
            self.thaw();
            let now = monotonic_ns();
            let waited = now.saturating_sub(began);
            if waited > STOPPING {
                return Err(Failure::Unresponsive {
                    tid,
                    state: thread_state(pid, tid).unwrap_or('?'),
                    waited_us: waited / 1000,
                });
            }
            self.look();
            self.wait(now.saturating_add(LOOK), false);
        }
        Ok(())
    }

    fn refuse_address(&mut self, index: usize, reason: Reason) {
        let address = self.address(index);
        for member in self.members_of(&address) {
            if let Some(member) = self.tables.members.get(member).copied() {
                self.refuse(
                    Subject::Place(member.place as usize),
                    address.address,
                    reason,
                );
            }
        }
        if let Some(address) = self.tables.addresses.get_mut(index) {
            address.count = 0;
        }
    }

    pub(super) fn refuse(&mut self, subject: Subject, address: u64, reason: Reason) {
        let refusal = Refusal::new(subject, address, reason);
        self.board.refused.set(self.refused, refusal);
        self.refused += 1;
    }

    /// The members of an address, in the table of them.
    pub(super) fn members_of(&self, address: &Address) -> std::ops::Range<usize> {
        let first = address.first as usize;
        first
            ..first
                .saturating_add(address.count as usize)
                .min(self.members)
    }

    /// Works until it is told to finish, or nobody is there to tell.
    fn serve(&mut self) {
        loop {
            let more = self.look();
            self.give_up_late_slots();
            self.end_overdue();
            self.settle_unborn();
            self.settle_kept();
            self.publish();
            self.tell();
            let more = more || self.unseen;
            let until = if more { 0 } else { self.next_deadline() };
            self.wait(until, true);
            if !self.channel.readable(0) {
                continue;
            }
            match self.channel.receive(0) {
                Received::Message(Order::Resume { stop }) => self.resume(stop),
                Received::Message(Order::Hold { stop }) => self.hold(stop),
                Received::Message(Order::Finish) | Received::Closed => return,
                Received::Timeout => {}
            }
        }
    }

    /// Waits until a thread has done something or, where `orders` says so, there is an order; at most until an instant.
    pub(super) fn wait(&mut self, until: u64, orders: bool) {
        let mut polled = [
            libc::pollfd {
                fd: self.signals,
                events: libc::POLLIN,
                revents: 0,
            },
            libc::pollfd {
                fd: if orders {
                    self.channel.descriptor()
                } else {
                    -1
                },
                events: libc::POLLIN,
                revents: 0,
            },
        ];
        let now = monotonic_ns();
        let mut left = until.saturating_sub(now);
        if self.signals < 0 {
            left = left.min(LOOK);
        }
        let left = std::time::Duration::from_nanos(left);
        let left = libc::timespec {
            tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        let limit = if until == u64::MAX && self.signals >= 0 {
            std::ptr::null()
        } else {
            &raw const left
        };
        // SAFETY: the pointers are to two live pollfds, as the count says, and to a live time or null.
        unsafe { libc::ppoll(polled.as_mut_ptr(), 2, limit, std::ptr::null()) };
        let mut seen = [0u8; 128];
        if self.signals < 0 {
            return;
        }
        loop {
            // SAFETY: the buffer is writable for the length given. What is read does not matter: all changes are looked for.
            let got = unsafe { libc::read(self.signals, seen.as_mut_ptr().cast(), seen.len()) };
            if got <= 0 {
                break;
            }
            self.unseen = true;
        }
    }

    fn next_deadline(&self) -> u64 {
        let stop = match self.out {
            Some(out) if !out.overdue => out.deadline.min(self.head_deadline()),
            _ => self.head_deadline(),
        };
        let any =
            |check: fn(&Thread) -> bool| self.all_threads().any(|index| check(&self.thread(index)));
        if any(|thread| thread.kept) {
            stop.min(monotonic_ns().saturating_add(LOOK))
        } else if any(|thread| thread.state == State::Unborn) {
            stop.min(monotonic_ns().saturating_add(BIRTH))
        } else {
            stop
        }
    }

    /// Sees to what threads have done; tells whether there may be more.
    pub(super) fn look(&mut self) -> bool {
        self.unseen = false;
        for _ in 0..MAX_CHANGES {
            match ptrace::any_change(false) {
                Ok(Change::Stopped { tid, signal, event }) => self.stopped(tid, signal, event),
                Ok(Change::Exited { tid }) => self.exited(tid),
                Ok(Change::Interrupted) => {}
                // An error is none that the call has.
                Ok(Change::Nothing | Change::NoneLeft) | Err(_) => return false,
            }
        }
        true
    }

    /// Tells ytrace of the next thread in the queue, if it has none.
    fn tell(&mut self) {
        while self.out.is_none() && self.head != NONE {
            let index = self.dequeue();
            if !self.tell_of(index) {
                self.proceed(index);
            }
        }
        let gone = self.out.is_none() && !self.told_gone && self.head == NONE;
        if gone && !self.any_followed() {
            self.told_gone = true;
            let status = self.status;
            let _ = self.channel.send(&Reply::Gone { status });
        }
    }

    fn any_followed(&self) -> bool {
        let spaces = self.tables.spaces.iter().take(self.spaces);
        spaces.clone().any(|space| space.used && space.followed)
    }

    /// Tells ytrace the next thing that a thread has come to; false when there is none.
    fn tell_of(&mut self, index: u32) -> bool {
        let thread = self.thread(index);
        let Some(mut told) = self.next_thing(index) else {
            return false;
        };
        told.tid = thread.tid;
        told.pid = self.space(thread.space).pid;
        told.now = match self.now(thread.tid, self.plan.vectors, thread.since) {
            Ok(now) => now,
            // It was killed this very moment.
            Err(_) => return false,
        };
        told.deadline = monotonic_ns().saturating_add(self.plan.max_hold);
        self.figures.stops += 1;
        let number = self.figures.stops;
        self.board.told.set(0, told);
        self.out = Some(Out {
            number,
            thread: index,
            deadline: told.deadline,
            overdue: false,
        });
        let _ = self.channel.send(&Reply::Stop { number });
        true
    }

    /// The registers of a stopped thread.
    pub(super) fn now(&self, tid: i32, vectors: bool, time: u64) -> Result<EntryState, Errno> {
        let user = ptrace::registers(tid)?;
        Ok(EntryState {
            time,
            registers: Registers::from_user(&user),
            vectors: if vectors {
                ptrace::vectors(tid)?
            } else {
                [0; 16]
            },
        })
    }

    /// The next thing to tell of a thread, which is not told again.
    fn next_thing(&mut self, index: u32) -> Option<Told> {
        let thread = self.thread(index);
        let mut told = Told {
            came: thread.came,
            number: thread.number,
            ..Told::default()
        };
        match thread.came {
            Came::Nowhere | Came::Return => return None,
            Came::Code => {
                if let Some(frame) = self.pop_returned(index) {
                    told.came = Came::Return;
                    told.number = i32::try_from(frame.place).unwrap_or(i32::MAX);
                    told.has_entry = true;
                    told.entry = frame.entry;
                    return Some(told);
                }
                let address = self.address(self.find_address(thread.address)?);
                let mut members = self.members_of(&address).skip(thread.cursor as usize);
                let next = members.find_map(|at| {
                    let member = self.tables.members.get(at)?;
                    (!member.at_return).then_some((at, member.place))
                });
                let (at, place) = next?;
                let cursor = at.saturating_sub(address.first as usize).saturating_add(1);
                self.change(index, |thread| {
                    thread.cursor = u32::try_from(cursor).unwrap_or(NONE);
                });
                told.number = i32::try_from(place).unwrap_or(i32::MAX);
            }
            _ => self.change(index, |thread| {
                // The last thread of a process tells of that, too.
                thread.came = match thread.tells_exit {
                    true => Came::Exit,
                    false => Came::Nowhere,
                };
                thread.tells_exit = false;
            }),
        }
        Some(told)
    }

    /// Lets the thread of the stop go on, if that is the one that is out.
    fn resume(&mut self, stop: u64) {
        let Some(out) = self.out.filter(|out| out.number == stop) else {
            return;
        };
        self.out = None;
        if self.holding {
            self.holding = false;
            self.thaw();
        }
        let index = out.thread;
        // One address may be several places.
        if index != NONE && !self.tell_of(index) {
            self.proceed(index);
        }
    }

    /// Stops all other threads, and tells their registers.
    fn hold(&mut self, stop: u64) {
        let thread = self.out.filter(|out| out.number == stop && !out.overdue);
        let Some(out) = thread else {
            let _ = self.channel.send(&Reply::Held {
                records: 0,
                done: false,
            });
            return;
        };
        self.holding = true;
        // A thread that did not stop is told without registers.
        let _ = self.freeze(STOPPING);
        let mut count = 0;
        for index in self.all_threads() {
            let thread = self.thread(index);
            if index == out.thread || thread.ending || !self.space(thread.space).followed {
                continue;
            }
            let user = match thread.state {
                State::Free | State::Unborn => continue,
                State::Stopped | State::Listening => ptrace::registers(thread.tid).ok(),
                State::Running => None,
            };
            let other = Other {
                tid: thread.tid,
                known: user.is_some(),
                registers: user
                    .map(|user| Registers::from_user(&user))
                    .unwrap_or_default(),
            };
            self.board.others.set(count, other);
            count += 1;
        }
        let _ = self.channel.send(&Reply::Held {
            records: count as u64,
            done: true,
        });
    }

    /// Lets everything go on that was held or has waited for too long; until ytrace answers, nothing is held any more.
    fn end_overdue(&mut self) {
        let now = monotonic_ns();
        if let Some(out) = self.out
            && !out.overdue
            && now >= out.deadline
        {
            self.figures.overdue += 1;
            self.out = Some(Out {
                thread: NONE,
                overdue: true,
                ..out
            });
            if self.holding {
                self.holding = false;
                self.thaw();
            }
            if out.thread != NONE {
                // The thread's end has been told of, and its process's has not.
                let exits = matches!(self.thread(out.thread).came, Came::Exit);
                self.leave_untold(out.thread, exits);
            }
        }
        let unanswered = self.out.is_some_and(|out| out.overdue);
        while self.head != NONE && (unanswered || now >= self.head_deadline()) {
            let index = self.dequeue();
            self.figures.unserved += 1;
            let exits = self.thread(index).tells_exit;
            self.leave_untold(index, exits);
        }
    }

    /// Lets a thread go on of which nobody has been told all. What is left of its stop is unserved, but for the exit of a process, of which there is no other stop:
    /// that is told next, if it `exits`.
    fn leave_untold(&mut self, index: u32, exits: bool) {
        while self.pop_returned(index).is_some() {
            self.figures.unserved += 1;
        }
        if exits {
            self.change(index, |thread| {
                thread.tells_exit = false;
                thread.came = Came::Exit;
            });
            self.enqueue(index);
            return;
        }
        self.proceed(index);
    }

    /// Stops all threads, for which they may take so many nanoseconds.
    ///
    /// # Errors
    /// The number of one that did not stop in time, though it does not wait inside the kernel. The others are stopped.
    pub(super) fn freeze(&mut self, limit: u64) -> Result<(), i32> {
        if !self.frozen && !self.holding {
            self.frozen_since = monotonic_ns();
        }
        self.frozen = true;
        for index in self.all_threads() {
            let thread = self.thread(index);
            if thread.state == State::Running && thread.begun && !thread.ending {
                // An error: it was killed this very moment, and its exit is seen.
                let _ = ptrace::interrupt(thread.tid);
            }
        }
        let began = monotonic_ns();
        loop {
            self.look();
            let now = monotonic_ns();
            let patient = now.saturating_sub(began) > KERNEL_WAIT;
            let starting = self.starting;
            let mut missing = None;
            for index in self.all_threads() {
                let thread = self.thread(index);
                let runs = thread.state == State::Running && thread.begun && !thread.ending;
                // At the start, a thread within `vfork` has a child that is untraced and runs in the same memory.
                let maker = || starting && is_making_process(self.plan.pid, thread.tid);
                if runs && !(patient && self.is_in_kernel(&thread) && !maker()) {
                    missing = Some(thread.tid);
                    break;
                }
            }
            match missing {
                None => return Ok(()),
                Some(tid) if now.saturating_sub(began) > limit => return Err(tid),
                Some(_) => self.wait(now.saturating_add(LOOK), false),
            }
        }
    }

    /// Whether a thread that was asked to stop waits in a way that nothing interrupts, or has exited: it runs none of its
    /// program before it stops.
    pub(super) fn is_in_kernel(&self, thread: &Thread) -> bool {
        let pid = self.space(thread.space).pid;
        matches!(thread_state(pid, thread.tid), Some('D' | 'Z' | 'X') | None)
    }

    /// Lets all threads go on that stand still because all did.
    pub(super) fn thaw(&mut self) {
        self.frozen = false;
        for index in self.all_threads() {
            let thread = self.thread(index);
            if thread.frozen {
                self.change(index, |thread| thread.frozen = false);
                if thread.state == State::Stopped {
                    self.go(index);
                }
            }
        }
        let since = std::mem::take(&mut self.frozen_since);
        if since > 0 {
            let took = monotonic_ns().saturating_sub(since);
            let figures = &mut self.figures;
            figures.freezes += 1;
            figures.long_freezes += u64::from(took > self.plan.max_pause);
            figures.frozen = figures.frozen.saturating_add(took);
            figures.longest_frozen = figures.longest_frozen.max(took);
        }
    }

    /// Lets ytrace see the figures so far.
    fn publish(&mut self) {
        let words = Reply::Totals(self.figures).words();
        for (index, word) in words.into_iter().enumerate() {
            self.board.figures.set(index, word);
        }
    }

    /// Lets a thread go on whose stop was taken note of; when all are to stand still, later.
    pub(super) fn go(&mut self, index: u32) {
        let thread = self.thread(index);
        if self.leaving {
            self.let_go(index);
            return;
        }
        if thread.since > 0 {
            let held = monotonic_ns().saturating_sub(thread.since);
            self.figures.longest_held = self.figures.longest_held.max(held);
        }
        if self.frozen && !thread.ending {
            let now = monotonic_ns();
            self.change(index, |thread| {
                thread.frozen = true;
                thread.state = State::Stopped;
                thread.since = now;
            });
            return;
        }
        if thread.ending && self.may_be_last(&thread) {
            self.change(index, |thread| thread.kept = true);
            return;
        }
        // The stop at the exit of one that was killed meanwhile is still to be seen.
        if thread.ending || !ptrace::is_at_exit(thread.tid) {
            // An error: it was killed this very moment, and its exit is seen.
            let _ = ptrace::go_on(thread.tid, thread.signal);
        }
        self.change(index, |thread| {
            thread.state = State::Running;
            thread.signal = 0;
            thread.since = 0;
        });
    }

    /// New processes whose maker was killed before it could tell of them.
    fn settle_unborn(&mut self) {
        for index in self.all_threads() {
            let thread = self.thread(index);
            let waited = monotonic_ns().saturating_sub(thread.since);
            if thread.state == State::Unborn && waited >= BIRTH {
                self.give_up_unborn(index);
            }
        }
    }
}

/// The tables.
impl Tracer<'_> {
    /// The indices of all threads.
    pub(super) fn all_threads(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.threads).unwrap_or(0)
    }

    /// A thread; one that is free past the end.
    pub(super) fn thread(&self, index: u32) -> Thread {
        let found = self.tables.threads.get(index as usize);
        found.copied().unwrap_or(Thread::NOBODY)
    }

    pub(super) fn change(&mut self, index: u32, change: impl FnOnce(&mut Thread)) {
        if let Some(thread) = self.tables.threads.get_mut(index as usize) {
            change(thread);
        }
    }

    /// The index of a thread by its number.
    pub(super) fn find(&self, tid: i32) -> Option<u32> {
        let tid = usize::try_from(tid).ok()?;
        self.tables.by_number.get(tid)?.checked_sub(1)
    }

    pub(super) fn new_thread(&mut self, tid: i32, space: u32) -> Option<u32> {
        let number = usize::try_from(tid).ok()?;
        let free = |thread: &Thread| thread.state == State::Free;
        let mut used = self.tables.threads.iter().take(self.threads);
        // The free ones are looked for only if there are some.
        let found = match self.free_threads {
            0 => None,
            _ => used.position(free),
        };
        let index = match found {
            Some(index) => {
                self.free_threads -= 1;
                index
            }
            None if self.threads < self.tables.threads.len() => {
                self.threads += 1;
                self.threads - 1
            }
            None => return None,
        };
        let entry = u32::try_from(index).ok()?;
        *self.tables.threads.get_mut(index)? = Thread {
            tid,
            space,
            state: State::Running,
            ..Thread::NOBODY
        };
        *self.tables.by_number.get_mut(number)? = entry + 1;
        self.change_space(space, |space| {
            space.threads += 1;
            space.known += 1;
        });
        Some(entry)
    }

    /// Forgets a thread that has gone or is no longer traced.
    pub(super) fn drop_thread(&mut self, index: u32) {
        let thread = self.thread(index);
        if thread.state == State::Free {
            return;
        }
        self.forget(index);
        self.drop_frames(index);
        self.close_events(index);
        if let Ok(number) = usize::try_from(thread.tid)
            && let Some(entry) = self.tables.by_number.get_mut(number)
        {
            *entry = 0;
        }
        self.change(index, |thread| *thread = Thread::NOBODY);
        self.free_threads += 1;
        self.change_space(thread.space, |space| {
            space.known = space.known.saturating_sub(1);
            if !thread.ending {
                space.threads = space.threads.saturating_sub(1);
            }
        });
        if self.space(thread.space).known == 0 {
            self.drop_space(thread.space);
        }
    }

    /// A process; one that is not in use past the end.
    pub(super) fn space(&self, index: u32) -> Space {
        let found = self.tables.spaces.get(index as usize);
        found.copied().unwrap_or_default()
    }

    pub(super) fn change_space(&mut self, index: u32, change: impl FnOnce(&mut Space)) {
        if let Some(space) = self.tables.spaces.get_mut(index as usize) {
            change(space);
        }
    }

    pub(super) fn new_space(&mut self, pid: i32, followed: bool, borrows: bool) -> Option<u32> {
        let mut used = self.tables.spaces.iter().take(self.spaces);
        let index = match used.position(|space| !space.used) {
            Some(index) => index,
            None if self.spaces < self.tables.spaces.len() => {
                self.spaces += 1;
                self.spaces - 1
            }
            None => return None,
        };
        *self.tables.spaces.get_mut(index)? = Space {
            pid,
            used: true,
            followed,
            borrows,
            has_text: true,
            ..Space::default()
        };
        u32::try_from(index).ok()
    }

    pub(super) fn drop_space(&mut self, index: u32) {
        self.close_memory(index);
        self.change_space(index, |space| *space = Space::default());
    }
}
