//! A process that is held still while the caller works.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{PauseReport, StopOptions, StoppedThreads};
use crate::error::StopError;
use crate::process::Process;
use crate::registers::ThreadSnapshot;
use crate::sys;

/// A stopped process. It goes on when this value is resumed or dropped, when `max_pause` is over, or when this program
/// ends in whatever way.
#[derive(Debug)]
pub struct PausedProcess {
    threads: Vec<ThreadSnapshot>,
    began: Instant,
    resume: Option<Sender<()>>,
    tracer: Option<JoinHandle<Option<PauseReport>>>,
}

impl PausedProcess {
    /// Stops all threads of a process. With a `max_pause` of [`Duration::MAX`] it stays stopped for as long as it is held.
    ///
    /// # Errors
    /// It could not be stopped, and runs on.
    pub fn stop(process: &Process, options: &StopOptions) -> Result<PausedProcess, StopError> {
        let (ready_sender, ready) = mpsc::channel();
        let (resume, order) = mpsc::channel();
        let process = process.clone();
        let options = *options;
        let tracer = std::thread::Builder::new()
            .name(crate::stop::TRACER_NAME.to_owned())
            .spawn(move || hold(&process, &options, &ready_sender, &order))
            .map_err(|error| StopError::NoThread {
                errno: sys::errno_of(&error),
            })?;
        match ready.recv() {
            Ok(Ok((threads, began))) => Ok(PausedProcess {
                threads,
                began,
                resume: Some(resume),
                tracer: Some(tracer),
            }),
            Ok(Err(error)) => {
                // The end of the tracer thread detaches from threads that had not stopped.
                let _ = tracer.join();
                Err(error)
            }
            Err(_) => {
                let _ = tracer.join();
                Err(StopError::TracerLost)
            }
        }
    }

    /// The threads, with their registers at the stop.
    pub fn threads(&self) -> &[ThreadSnapshot] {
        &self.threads
    }

    /// How long the process has been stopped by now.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether it is still stopped: `max_pause` is not over.
    pub fn is_stopped(&self) -> bool {
        self.tracer
            .as_ref()
            .is_some_and(|tracer| !tracer.is_finished())
    }

    /// Lets the process go on, and tells how the pause went.
    ///
    /// # Errors
    /// The tracer thread was lost; the process goes on.
    pub fn resume(mut self) -> Result<PauseReport, StopError> {
        self.finish().ok_or(StopError::TracerLost)
    }

    fn finish(&mut self) -> Option<PauseReport> {
        // Dropping the sender is the order to resume.
        drop(self.resume.take());
        self.tracer.take()?.join().ok().flatten()
    }
}

impl Drop for PausedProcess {
    fn drop(&mut self) {
        self.finish();
    }
}

type Ready = Result<(Vec<ThreadSnapshot>, Instant), StopError>;

/// What the tracer thread does.
fn hold(
    process: &Process,
    options: &StopOptions,
    ready: &Sender<Ready>,
    order: &Receiver<()>,
) -> Option<PauseReport> {
    let stopped = match StoppedThreads::stop(process, options) {
        Ok(stopped) => stopped,
        Err(error) => {
            // Nobody listening means that nobody wants it stopped.
            let _ = ready.send(Err(error));
            return None;
        }
    };
    let began = stopped.began();
    if ready.send(Ok((stopped.snapshots(), began))).is_err() {
        return Some(stopped.resume());
    }
    let expired = match began.checked_add(options.max_pause) {
        Some(deadline) => {
            let left = deadline.saturating_duration_since(Instant::now());
            order.recv_timeout(left) == Err(RecvTimeoutError::Timeout)
        }
        None => {
            let _ = order.recv();
            false
        }
    };
    let report = stopped.resume();
    Some(PauseReport { expired, ..report })
}
