//! The errors of breakpoints.

use thiserror::Error;

use crate::error::{OpenError, StopError};

/// Breakpoints cannot be set or held. The target runs on as before.
#[derive(Clone, Debug, Error)]
pub enum BreakpointError {
    /// The target could not be traced, or the process that traces it was lost.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// The target could not be looked at.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// More is asked for than there is room for.
    #[error("{asked} addresses are to be stopped at, {limit} can be")]
    TooMany {
        /// How many are asked for.
        asked: usize,
        /// How many there can be.
        limit: usize,
    },
    /// The process that traces ended. The kernel has let the target go; breakpoints in its text are still there.
    #[error(
        "the process that holds the breakpoints ({}) ended unexpectedly{}",
        crate::breakpoints::BREAKPOINT_TRACER_NAME,
        if *.text > 0 { "; breakpoints are left in the target's text, and it will end when it comes there" } else { "; the target goes on" }
    )]
    TracerLost {
        /// Addresses whose text was changed, as far as is known.
        text: u64,
    },
    /// The process that traces does not answer. It was not ended, since that would leave breakpoints in the target's text.
    #[error(
        "the process that holds the breakpoints ({}, {tracer}) does not answer; it was left alone, since without it the target would end at one of the {text} breakpoints in its text; it takes them out by itself and ends when it runs again",
        crate::breakpoints::BREAKPOINT_TRACER_NAME
    )]
    TracerLeft {
        /// Its number.
        tracer: i32,
        /// Addresses whose text is changed.
        text: u64,
    },
    /// No thread is stopped that could go on.
    #[error("no thread is stopped")]
    NotStopped,
    /// Breakpoints are not implemented for this machine.
    #[error("breakpoints need an x86-64 machine")]
    Machine,
}

impl BreakpointError {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        match self {
            BreakpointError::Stop(StopError::AlreadyTraced { tracer, .. }) if *tracer > 0 => {
                Some(format!("end the tracer {tracer} first"))
            }
            BreakpointError::Stop(StopError::AlreadyTraced { .. }) => None,
            BreakpointError::Stop(error) => error.hint(),
            BreakpointError::TracerLeft { tracer, .. } => Some(format!(
                "if somebody has stopped or frozen it: kill -CONT {tracer}, or thaw its control group; never kill it"
            )),
            BreakpointError::Open(error) => error.hint(),
            _ => None,
        }
    }
}
