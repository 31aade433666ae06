//! A thread that works while a process is stopped, or starts what does. It keeps the priority that the thread had which started
//! it; that one may have lowered its own since.

use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use nix::errno::Errno;

use crate::sys;

type Job = Box<dyn FnOnce() + Send>;

/// The thread. It ends with this value.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts it under a name, which `top` shows.
    pub(crate) fn start(name: &str) -> Result<Worker, Errno> {
        let (jobs, given) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || given.iter().for_each(|job| job()))
            .map_err(|error| sys::errno_of(&error))?;
        Ok(Worker {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Has a job done, and waits for it; `None` when the thread has gone.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = mpsc::channel();
        let job = Box::new(move || {
            // Somebody waits for it, below.
            let _ = done.send(job());
        });
        self.jobs.as_ref()?.send(job).ok()?;
        result.recv().ok()
    }
}

impl Worker {
    /// Ends the thread.
    pub(crate) fn stop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A job that panicked has been noticed by who waited for it.
            let _ = thread.join();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}
