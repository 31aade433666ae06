//! A process that is held still while the caller works.

use std::time::{Duration, Instant};

use super::stopper::{Station, Stopper};
use super::{PauseReport, StopOptions};
use crate::error::StopError;
use crate::process::Process;
use crate::registers::ThreadSnapshot;

/// A stopped process. It goes on when this value is resumed or dropped, when `max_pause` is over, or when this program
/// ends in whatever way.
#[derive(Debug)]
pub struct PausedProcess {
    threads: Vec<ThreadSnapshot>,
    began: Instant,
    stopper: Stopper,
    /// Until it is resumed.
    station: Option<Station>,
}

impl PausedProcess {
    /// Stops all threads of a process. With a `max_pause` of [`Duration::MAX`] it stays stopped for as long as it is held.
    ///
    /// # Errors
    /// It could not be stopped, and runs on.
    pub fn stop(
        stopper: &Stopper,
        process: &Process,
        options: &StopOptions,
    ) -> Result<PausedProcess, StopError> {
        let mut station = stopper.take()?;
        match station.supervisor.stop(process, options, options.max_pause) {
            Ok(stopped) => Ok(PausedProcess {
                threads: stopped.threads,
                began: stopped.began,
                stopper: stopper.clone(),
                station: Some(station),
            }),
            Err(error) => {
                stopper.give_back(station);
                Err(error)
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

    /// Whether it is still stopped: `max_pause` is not over, and the supervisor lives.
    pub fn is_stopped(&self) -> bool {
        self.station
            .as_ref()
            .is_some_and(|station| station.supervisor.holds())
    }

    /// The number of the process that traces it.
    pub fn tracer(&self) -> Option<i32> {
        self.station
            .as_ref()
            .map(|station| station.supervisor.pid())
    }

    /// Lets the process go on, and tells how the pause went.
    ///
    /// # Errors
    /// The supervisor was lost, so the process has been running since nobody knows when.
    pub fn resume(mut self) -> Result<PauseReport, StopError> {
        self.finish()
    }

    fn finish(&mut self) -> Result<PauseReport, StopError> {
        let mut station = self.station.take().ok_or(StopError::TracerLost)?;
        let resumed = station.supervisor.resume();
        self.stopper.give_back(station);
        resumed.map(|(report, _)| report)
    }
}

impl Drop for PausedProcess {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.finish();
    }
}
