//! What this program and the supervisor of its breakpoints say to each other.

use crate::stop::channel::{Failure, Message, Words, bits, message, signed};

/// What ytrace wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Let the thread of the stop with this number go on, and all that [`Order::Hold`] stopped.
    Resume { stop: u64 },
    /// Stop all other threads until then.
    Hold { stop: u64 },
    /// Take everything out, and tell how it went.
    Finish,
}

/// What the supervisor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Breakpoints are set; so many could not be.
    Started { refused: u64 },
    /// The target could not be traced.
    Failed(Failure),
    /// A thread has stopped, as the shared table tells.
    Stop { number: u64 },
    /// The others are stopped, as the shared table tells. False: the stop was over before.
    Held { records: u64, done: bool },
    /// All that was followed has gone.
    Gone { status: Option<i32> },
    /// Everything was taken out.
    Totals(Figures),
}

/// The figures of [`super::Totals`] that are no tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) stops: u64,
    pub(super) returns_left_out: u64,
    pub(super) returns_unfollowed: u64,
    pub(super) returns_without_room: u64,
    pub(super) hardware: u64,
    pub(super) text: u64,
    pub(super) emulated: u64,
    pub(super) stepped: u64,
    pub(super) longest_held: u64,
    pub(super) overdue: u64,
    pub(super) unserved: u64,
    pub(super) unwatched: u64,
    pub(super) late: u64,
    pub(super) handler_lost: bool,
    pub(super) restarted_calls: u64,
    pub(super) children_let_go: u64,
    pub(super) freezes: u64,
    pub(super) long_freezes: u64,
    pub(super) frozen: u64,
    pub(super) longest_frozen: u64,
    pub(super) restored: bool,
}

impl Words for Order {
    fn words(&self) -> Message {
        match *self {
            Order::Resume { stop } => message(&[1, stop]),
            Order::Hold { stop } => message(&[2, stop]),
            Order::Finish => message(&[3]),
        }
    }

    fn parse(words: &Message) -> Option<Order> {
        match *words {
            [1, stop, ..] => Some(Order::Resume { stop }),
            [2, stop, ..] => Some(Order::Hold { stop }),
            [3, ..] => Some(Order::Finish),
            _ => None,
        }
    }
}

impl Words for Reply {
    fn words(&self) -> Message {
        match *self {
            Reply::Started { refused } => message(&[1, refused]),
            Reply::Failed(failure) => {
                let [first, rest @ .., _] = crate::stop::channel::Reply::Failed(failure).words();
                let mut words = message(&[2, first]);
                for (slot, word) in words.iter_mut().skip(2).zip(rest) {
                    *slot = word;
                }
                words
            }
            Reply::Stop { number } => message(&[3, number]),
            Reply::Held { records, done } => message(&[4, records, u64::from(done)]),
            Reply::Gone { status } => message(&[
                5,
                u64::from(status.is_some()),
                bits(status.unwrap_or_default()),
            ]),
            Reply::Totals(figures) => message(&[
                6,
                figures.stops,
                figures.returns_left_out,
                figures.returns_unfollowed,
                figures.returns_without_room,
                figures.hardware,
                figures.text,
                figures.emulated,
                figures.stepped,
                figures.longest_held,
                figures.overdue,
                figures.unserved,
                figures.unwatched,
                figures.late,
                u64::from(figures.handler_lost),
                figures.restarted_calls,
                figures.children_let_go,
                figures.freezes,
                figures.long_freezes,
                figures.frozen,
                figures.longest_frozen,
                u64::from(figures.restored),
            ]),
        }
    }

    fn parse(words: &Message) -> Option<Reply> {
        Some(match *words {
            [1, refused, ..] => Reply::Started { refused },
            [2, ..] => {
                let mut inner = message(&[]);
                for (slot, word) in inner.iter_mut().zip(words.iter().skip(1)) {
                    *slot = *word;
                }
                match crate::stop::channel::Reply::parse(&inner)? {
                    crate::stop::channel::Reply::Failed(failure) => Reply::Failed(failure),
                    _ => return None,
                }
            }
            [3, number, ..] => Reply::Stop { number },
            [4, records, done, ..] => Reply::Held {
                records,
                done: done != 0,
            },
            [5, known, status, ..] => Reply::Gone {
                status: (known != 0).then_some(signed(status)),
            },
            [
                6,
                stops,
                returns_left_out,
                returns_unfollowed,
                returns_without_room,
                hardware,
                text,
                emulated,
                stepped,
                longest_held,
                overdue,
                unserved,
                unwatched,
                late,
                handler_lost,
                restarted_calls,
                children_let_go,
                freezes,
                long_freezes,
                frozen,
                longest_frozen,
                restored,
                ..,
            ] => Reply::Totals(Figures {
                stops,
                returns_left_out,
                returns_unfollowed,
                returns_without_room,
                hardware,
                text,
                emulated,
                stepped,
                longest_held,
                overdue,
                unserved,
                unwatched,
                late,
                handler_lost: handler_lost != 0,
                restarted_calls,
                children_let_go,
                freezes,
                long_freezes,
                frozen,
                longest_frozen,
                restored: restored != 0,
            }),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn messages_are_understood() {
        for order in [
            Order::Resume { stop: 7 },
            Order::Hold { stop: 8 },
            Order::Finish,
        ] {
            assert_eq!(Order::parse(&order.words()), Some(order));
        }
        let figures = Figures {
            stops: 1,
            returns_left_out: 2,
            returns_unfollowed: 13,
            returns_without_room: 14,
            hardware: 3,
            text: 4,
            emulated: 5,
            stepped: 6,
            longest_held: 7,
            overdue: 8,
            unserved: 15,
            unwatched: 9,
            late: 12,
            handler_lost: true,
            restarted_calls: 10,
            children_let_go: 11,
            freezes: 16,
            long_freezes: 17,
            frozen: 18,
            longest_frozen: 19,
            restored: true,
        };
        for reply in [
            Reply::Started { refused: 3 },
            Reply::Failed(Failure::AlreadyTraced { tracer: -4 }),
            Reply::Failed(Failure::Denied {
                errno: Errno::EPERM,
            }),
            Reply::Stop { number: 1 << 40 },
            Reply::Held {
                records: 5,
                done: true,
            },
            Reply::Gone { status: Some(-1) },
            Reply::Gone { status: None },
            Reply::Totals(figures),
        ] {
            assert_eq!(Reply::parse(&reply.words()), Some(reply));
        }
        assert_eq!(Order::parse(&message(&[9])), None);
        assert_eq!(Reply::parse(&message(&[9])), None);
    }
}
