//! What this program and its supervisor say to each other: messages of a few numbers over a pair of sockets. Nothing here
//! allocates or locks once the pair is made.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;

use crate::sys;

/// The numbers of a message.
const WORDS: usize = 24;

/// A message as it is sent.
pub(crate) type Message = [u64; WORDS];

/// One end. The other end is told when every handle to this one is closed, by a death too.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

/// What a wait for a message came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received<M> {
    Message(M),
    /// The time was over.
    Timeout,
    /// The other side has gone.
    Closed,
}

/// What ytrace wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Stop a process.
    Stop(Order),
    /// Let it go on.
    Resume,
}

/// How a process is to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) pid: i32,
    /// How long threads may take to stop, in nanoseconds.
    pub(super) timeout: u64,
    /// How long it may be stopped without another word, in nanoseconds; `u64::MAX` for ever.
    pub(super) limit: u64,
    /// Whether to run before all ordinary threads while it is stopped.
    pub(super) realtime: bool,
}

/// What the supervisor answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// All threads have stopped; so many records of the shared table are set.
    Stopped {
        records: usize,
        /// When the pause began, on the monotonic clock in nanoseconds.
        began: u64,
    },
    /// The process could not be stopped, and runs.
    Failed(Failure),
    /// The process runs again.
    Resumed(Outcome),
}

/// How a pause went. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(super) pause: u64,
    pub(super) stopping: u64,
    pub(super) resuming: u64,
    /// On the monotonic clock, just before the first thread was let go.
    pub(super) resumed: u64,
    pub(super) threads: u64,
    pub(super) restarted_calls: u64,
    pub(super) signals_passed: u64,
    pub(super) held_in_kernel: u64,
    pub(super) was_stopped: bool,
    pub(super) realtime: bool,
    /// The limit was over before the request to go on came.
    pub(super) expired: bool,
    /// Some thread could not be detached from, so the supervisor ends, by which the kernel does it.
    pub(super) leaving: bool,
}

/// Why a process could not be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Exited,
    AlreadyTraced {
        tracer: i32,
    },
    Denied {
        errno: Errno,
    },
    Unresponsive {
        tid: i32,
        state: char,
        waited_us: u64,
    },
    TooManyThreads,
    Call {
        call: Call,
        tid: i32,
        errno: Errno,
    },
}

/// A call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Interrupt = 0,
    Wait = 1,
    List = 2,
    Memory = 3,
}

impl Call {
    pub(super) fn name(self) -> &'static str {
        match self {
            Call::Interrupt => "PTRACE_INTERRUPT",
            Call::Wait => "waitid",
            Call::List => "listing the threads",
            Call::Memory => "opening the memory",
        }
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        match errno {
            Errno::ENOENT | Errno::ESRCH => Failure::Exited,
            errno => Failure::Call {
                call: Call::List,
                tid: 0,
                errno,
            },
        }
    }
}

/// Something that is sent.
pub(crate) trait Words: Sized {
    fn words(&self) -> Message;
    fn parse(words: &Message) -> Option<Self>;
}

/// A message of some numbers, zeros after them.
pub(crate) fn message(given: &[u64]) -> Message {
    let mut words = [0; WORDS];
    for (slot, word) in words.iter_mut().zip(given) {
        *slot = *word;
    }
    words
}

/// Signed numbers travel as their bits.
pub(crate) fn bits(number: i32) -> u64 {
    u64::from(number as u32)
}

pub(crate) fn signed(word: u64) -> i32 {
    word as u32 as i32
}

impl Words for Request {
    fn words(&self) -> Message {
        match *self {
            Request::Stop(order) => message(&[
                1,
                bits(order.pid),
                order.timeout,
                order.limit,
                u64::from(order.realtime),
            ]),
            Request::Resume => message(&[2]),
        }
    }

    fn parse(words: &Message) -> Option<Request> {
        match *words {
            [1, pid, timeout, limit, realtime, ..] => Some(Request::Stop(Order {
                pid: signed(pid),
                timeout,
                limit,
                realtime: realtime != 0,
            })),
            [2, ..] => Some(Request::Resume),
            _ => None,
        }
    }
}

impl Words for Reply {
    fn words(&self) -> Message {
        match *self {
            Reply::Stopped { records, began } => message(&[1, records as u64, began]),
            Reply::Failed(failure) => match failure {
                Failure::Exited => message(&[2, 1]),
                Failure::AlreadyTraced { tracer } => message(&[2, 2, bits(tracer)]),
                Failure::Denied { errno } => message(&[2, 3, bits(errno as i32)]),
                Failure::Unresponsive {
                    tid,
                    state,
                    waited_us,
                } => message(&[2, 4, bits(tid), u64::from(u32::from(state)), waited_us]),
                Failure::TooManyThreads => message(&[2, 5]),
                Failure::Call { call, tid, errno } => {
                    message(&[2, 6, call as u64, bits(tid), bits(errno as i32)])
                }
            },
            Reply::Resumed(outcome) => message(&[
                3,
                outcome.pause,
                outcome.stopping,
                outcome.resuming,
                outcome.resumed,
                outcome.threads,
                outcome.restarted_calls,
                outcome.signals_passed,
                outcome.held_in_kernel,
                u64::from(outcome.was_stopped),
                u64::from(outcome.realtime),
                u64::from(outcome.expired),
                u64::from(outcome.leaving),
            ]),
        }
    }

    fn parse(words: &Message) -> Option<Reply> {
        let error = |word: u64| Errno::from_raw(signed(word));
        Some(match *words {
            [1, records, began, ..] => Reply::Stopped {
                records: usize::try_from(records).ok()?,
                began,
            },
            [2, 1, ..] => Reply::Failed(Failure::Exited),
            [2, 2, tracer, ..] => Reply::Failed(Failure::AlreadyTraced {
                tracer: signed(tracer),
            }),
            [2, 3, errno, ..] => Reply::Failed(Failure::Denied {
                errno: error(errno),
            }),
            [2, 4, tid, state, waited_us, ..] => Reply::Failed(Failure::Unresponsive {
                tid: signed(tid),
                state: u32::try_from(state).ok().and_then(char::from_u32)?,
                waited_us,
            }),
            [2, 5, ..] => Reply::Failed(Failure::TooManyThreads),
            [2, 6, call, tid, errno, ..] => Reply::Failed(Failure::Call {
                call: [Call::Interrupt, Call::Wait, Call::List, Call::Memory]
                    .into_iter()
                    .find(|known| *known as u64 == call)?,
                tid: signed(tid),
                errno: error(errno),
            }),
            [
                3,
                pause,
                stopping,
                resuming,
                resumed,
                threads,
                restarted_calls,
                signals_passed,
                held_in_kernel,
                was_stopped,
                realtime,
                expired,
                leaving,
                ..,
            ] => Reply::Resumed(Outcome {
                pause,
                stopping,
                resuming,
                resumed,
                threads,
                restarted_calls,
                signals_passed,
                held_in_kernel,
                was_stopped: was_stopped != 0,
                realtime: realtime != 0,
                expired: expired != 0,
                leaving: leaving != 0,
            }),
            _ => return None,
        })
    }
}

impl Channel {
    /// Two connected ends, closed by an `execve`.
    pub(crate) fn pair() -> Result<(Channel, Channel), Errno> {
        let mut ends = [0; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        // SAFETY: the pointer is to two live integers.
        sys::retry(|| unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
        // SAFETY: the kernel has just given us these descriptors and nobody else owns them.
        let [ours, theirs] = ends.map(|end| Channel(unsafe { OwnedFd::from_raw_fd(end) }));
        Ok((ours, theirs))
    }

    /// The descriptor of this end.
    pub(crate) fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The other side has gone.
    pub(crate) fn send(&self, message: &impl Words) -> Result<(), Errno> {
        let words = message.words();
        // SAFETY: the message is live for the length given.
        sys::retry(|| unsafe {
            libc::send(
                self.0.as_raw_fd(),
                words.as_ptr().cast(),
                size_of::<Message>(),
                libc::MSG_NOSIGNAL,
            )
        })?;
        Ok(())
    }

    /// Waits for a message until an instant of the monotonic clock, in nanoseconds; `u64::MAX` for ever. A message that is
    /// not understood is as good as a side that has gone.
    pub(crate) fn receive<M: Words>(&self, until: u64) -> Received<M> {
        if !self.readable(until) {
            return Received::Timeout;
        }
        let mut words = [0u64; WORDS];
        // SAFETY: the message is writable for the length given.
        let got = sys::retry(|| unsafe {
            libc::recv(
                self.0.as_raw_fd(),
                words.as_mut_ptr().cast(),
                size_of::<Message>(),
                0,
            )
        });
        match (got, M::parse(&words)) {
            (Ok(got), Some(message)) if usize::try_from(got) == Ok(size_of::<Message>()) => {
                Received::Message(message)
            }
            _ => Received::Closed,
        }
    }

    /// Whether the other side has gone.
    pub(crate) fn is_closed(&self) -> bool {
        let mut poll = libc::pollfd {
            fd: self.0.as_raw_fd(),
            events: 0,
            revents: 0,
        };
        // SAFETY: the pointer is to one live pollfd, as the count says.
        let ready = sys::retry(|| unsafe { libc::poll(&mut poll, 1, 0) });
        ready.is_ok_and(|ready| ready > 0) && poll.revents & libc::POLLHUP != 0
    }

    /// Whether there is a message, or the other side has gone, before an instant.
    pub(crate) fn readable(&self, until: u64) -> bool {
        loop {
            let mut poll = libc::pollfd {
                fd: self.0.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };
            let left = Duration::from_nanos(until.saturating_sub(sys::monotonic_ns()));
            let left = libc::timespec {
                tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            let limit = if until == u64::MAX {
                std::ptr::null()
            } else {
                &raw const left
            };
            // SAFETY: the pointers are to one live pollfd, as the count says, and to a live time or null.
            let ready = unsafe { libc::ppoll(&mut poll, 1, limit, std::ptr::null()) };
            match ready {
                0 => return false,
                ready if ready > 0 => return true,
                // Anything but an interrupt is found by the call that follows.
                _ if Errno::last() != Errno::EINTR => return true,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let (ours, theirs) = Channel::pair().unwrap();
        let order = Order {
            pid: 7,
            timeout: 1 << 40,
            limit: u64::MAX,
            realtime: true,
        };
        for request in [Request::Stop(order), Request::Resume] {
            ours.send(&request).unwrap();
            assert_eq!(theirs.receive(u64::MAX), Received::Message(request));
        }
        let call = |call| Failure::Call {
            call,
            tid: -5,
            errno: Errno::EIO,
        };
        let failures = [
            Failure::Exited,
            Failure::AlreadyTraced { tracer: 12 },
            Failure::Denied {
                errno: Errno::EPERM,
            },
            Failure::Unresponsive {
                tid: 3,
                state: 'D',
                waited_us: 9,
            },
            Failure::TooManyThreads,
            call(Call::Interrupt),
            call(Call::Wait),
            call(Call::List),
            call(Call::Memory),
        ];
        let outcome = Outcome {
            pause: 1,
            stopping: 2,
            resuming: 3,
            resumed: 4,
            threads: 5,
            restarted_calls: 6,
            signals_passed: 7,
            held_in_kernel: 8,
            expired: true,
            ..Outcome::default()
        };
        let others = [
            Reply::Stopped {
                records: 9,
                began: 10,
            },
            Reply::Resumed(outcome),
        ];
        for reply in failures.map(Reply::Failed).into_iter().chain(others) {
            theirs.send(&reply).unwrap();
            assert_eq!(ours.receive(u64::MAX), Received::Message(reply));
        }
        assert_eq!(ours.receive::<Reply>(0), Received::Timeout);
        assert!(!ours.is_closed());
        drop(theirs);
        assert!(ours.is_closed());
        assert_eq!(ours.receive::<Reply>(u64::MAX), Received::Closed);
        assert!(ours.send(&Request::Resume).is_err());
    }
}
