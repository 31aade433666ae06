//! Reading the rings in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::super::record::Record;
use super::super::session::Polled;
use super::SampledSession;
use super::records::{self, Header, SAMPLE, Told};
use super::threads;
use crate::sys;

/// The time between two looks at the rings.
const PAUSE: Duration = Duration::from_micros(500);
/// A sample has its time before it is in its ring, and is there after this long, in nanoseconds. What comes still later is given out of order.
const MARGIN: u64 = 400_000;
/// What was so is known for this long after all that came then has been given, in nanoseconds: for samples that come late.
const LATEST: u64 = 1_000_000_000;
/// Threads are looked for in the list of the kernel's so often, besides being told of.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl SampledSession {
    /// As [`super::super::EventSession::poll`]: gives all records up to a time that all rings have passed, and at the deadline those that came before
    /// it.
    pub fn poll(
        &mut self,
        deadline: Instant,
        mut each: impl FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> Polled {
        let mut polled = Polled::default();
        let mut last = None;
        if self
            .looked
            .is_none_or(|looked| looked.elapsed() > LOOK_EVERY)
            && self.is_attached()
        {
            self.look_for_threads();
        }
        loop {
            // What comes later than this is left for the next time.
            let now = sys::monotonic_ns();
            if last.is_none() && Instant::now() >= deadline {
                last = Some(now);
            }
            self.look();
            let horizon = match self.is_attached() {
                true => now.saturating_sub(MARGIN),
                false => u64::MAX,
            };
            let until = last.unwrap_or(u64::MAX).min(horizon);
            let flow = self.deliver(until, &mut |record| {
                polled.records += 1;
                each(record)
            });
            polled.stopped = flow.is_break();
            if polled.stopped || last.is_some_and(|last| horizon >= last) {
                return polled;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            std::thread::sleep(match last {
                None => PAUSE.min(left),
                Some(_) => PAUSE,
            });
        }
    }

    /// Reads all that is there, for what it counts.
    pub(super) fn read_all(&mut self) {
        self.look();
        let _ = self.deliver(u64::MAX, &mut |_| ControlFlow::Continue(()));
    }

    fn is_attached(&self) -> bool {
        self.state.probes.iter().any(|probe| probe.attached)
    }

    /// Looks how far the rings have been written, and for threads that have begun.
    fn look(&mut self) {
        let pid = self.state.pid;
        let mut begun = Vec::new();
        for thread in &mut self.threads {
            thread.ring.look();
            thread.ring.scan(|header, first, second| {
                if header.kind() == records::FORK && records::halves(first).0 == pid {
                    begun.push(records::halves(second).0);
                }
            });
        }
        let joined = begun.into_iter().filter(|tid| self.join(*tid)).count();
        if joined > 0 {
            // What these have started before they told.
            self.look_for_threads();
        }
    }

    /// Gives what came up to a time.
    fn deliver(
        &mut self,
        until: u64,
        each: &mut dyn FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut next: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        for (number, thread) in self.threads.iter().enumerate() {
            next.extend(thread.ring.next_time().map(|time| Reverse((time, number))));
        }
        let mut flow = self.state.give_owed(each);
        let mut reached = until.min(sys::monotonic_ns());
        while let Some(Reverse((time, number))) = next.pop() {
            if time > until || flow.is_break() {
                reached = reached.min(time);
                break;
            }
            flow = self.take_one(number, each);
            let thread = self.threads.get(number);
            let time = thread.and_then(|thread| thread.ring.next_time());
            next.extend(time.map(|time| Reverse((time, number))));
        }
        // Where nothing comes there is nothing to wait for either.
        let reached = reached.saturating_sub(LATEST);
        self.state.settings.forget_before(reached);
        self.state.open.forget_before(reached);
        for probe in &mut self.state.probes {
            probe.forget_before(reached);
        }
        self.tidy();
        flow
    }

    /// Takes the next record of a thread.
    fn take_one(
        &mut self,
        number: usize,
        each: &mut dyn FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(thread) = self.threads.get_mut(number) else {
            return ControlFlow::Continue(());
        };
        if !thread.ring.take(&mut self.buffer) {
            return ControlFlow::Continue(());
        }
        let header = self.buffer.first_chunk().copied().unwrap_or_default();
        if Header(u64::from_le_bytes(header)).kind() == SAMPLE {
            let awaited = &mut thread.awaited;
            return self.state.take_sample(&mut self.buffer, awaited, each);
        }
        let Some((from, told)) = records::told(&self.buffer) else {
            self.state.malformed += 1;
            return ControlFlow::Continue(());
        };
        match told {
            Told::Lost(_) => thread.told_lost = true,
            Told::End { tid, .. } if tid == thread.tid => {
                thread.gone = true;
                let ended = thread.release(|_| true);
                self.closer.later(ended);
            }
            Told::Program { tid, .. } => {
                // A thread that executes a program becomes the first one of the process.
                thread.tid = tid;
                thread.awaited.forget();
                self.state.kernels = None;
            }
            _ => {}
        }
        self.state.take_told(from, told, each)
    }

    /// Does what is to be done when rings have been read.
    fn tidy(&mut self) {
        for thread in &mut self.threads {
            if thread.ring.is_broken() {
                self.state.malformed += 1;
                thread.ring.skip_all();
            }
            let position = thread.ring.position();
            let read = |settling: &threads::Settling| settling.position <= position;
            let (settled, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut thread.settling)
                .into_iter()
                .partition(read);
            thread.settling = rest;
            for settled in settled {
                self.state.settle(settled);
            }
            for (event, lost) in thread.ask_lost() {
                self.state.note_lost(event, lost);
            }
            if thread.is_over() {
                thread.ask_untold();
                self.untold_before += thread.untold;
            }
        }
        let over = self.threads.iter().filter(|thread| thread.is_over());
        self.sent_before += over.map(|thread| thread.ring.written()).sum::<u64>();
        self.threads.retain(|thread| !thread.is_over());
    }
}
