//! Why a command could not be started.

use std::path::PathBuf;

use nix::errno::Errno;
use thiserror::Error;

use crate::access::DenialCause;
use crate::error::OpenError;

/// A command could not be started. Nothing is left running.
#[derive(Clone, Debug, Error)]
pub enum SpawnError {
    /// The command line has no words.
    #[error("the command is empty")]
    Empty,
    /// A quote is not closed, or a backslash ends the line.
    #[error("the command has a quote that is not closed, or ends in a backslash")]
    Quotes,
    /// A word holds a NUL byte.
    #[error("the command holds a NUL byte")]
    Nul,
    /// There is no such program.
    #[error("no program {}", name.display())]
    NotFound {
        /// The program as it was written.
        name: PathBuf,
        /// Whether it was looked up in `PATH`.
        searched: bool,
        /// Whether the command line has characters that only a shell would have understood.
        shell: bool,
    },
    /// The file is not executable.
    #[error("{} is not executable", path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
    },
    /// It is a directory.
    #[error("{} is a directory", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// A directory on the way may not be searched, or the file system does not permit execution.
    #[error("{} may not be executed", path.display())]
    Permission {
        /// The file.
        path: PathBuf,
    },
    /// The file is there, but the interpreter or the dynamic loader that it names is not.
    #[error("{} names an interpreter that does not exist{}", path.display(), interpreter.as_ref().map(|name| format!(": {}", name.display())).unwrap_or_default())]
    Interpreter {
        /// The file.
        path: PathBuf,
        /// The interpreter of its first line.
        interpreter: Option<PathBuf>,
    },
    /// The kernel does not execute it.
    #[error("{} cannot be executed: {errno}", path.display())]
    Execute {
        /// The file.
        path: PathBuf,
        /// The error.
        errno: Errno,
    },
    /// The command may not be traced.
    #[error("the command may not be traced: {cause}")]
    Denied {
        /// Who refuses it.
        cause: DenialCause,
    },
    /// The new process could not be looked at.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A system call failed in a way that has no better name.
    #[error("{call}: {errno}")]
    Call {
        /// The call.
        call: &'static str,
        /// The error.
        errno: Errno,
    },
    /// The child was killed before it executed the program.
    #[error("the command was killed before it started")]
    Killed,
    /// The thread that does the tracing could not be started.
    #[error("cannot start the tracer thread: {errno}")]
    NoThread {
        /// The error.
        errno: Errno,
    },
    /// The tracer thread ended without an answer.
    #[error("the tracer thread ended unexpectedly")]
    TracerLost,
}

impl SpawnError {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        let shell = "variables, pipes, redirections and patterns need a shell: sh -c '…'";
        let text = match self {
            SpawnError::Empty => "name a program and its arguments".to_owned(),
            SpawnError::Quotes => "close the quote, or put a backslash before it".to_owned(),
            SpawnError::NotFound { shell: true, .. } => shell.to_owned(),
            SpawnError::NotFound { name, searched, .. } => {
                let here = name.is_file();
                match (searched, here) {
                    (true, true) => format!("for the file in this directory, write ./{}", name.display()),
                    (true, false) => "it is in no directory of PATH; write the path of the program".to_owned(),
                    (false, _) => "the path is relative to the working directory of ytrace".to_owned(),
                }
            }
            SpawnError::NotExecutable { path } => format!(
                "chmod +x {0}, or name its interpreter before it",
                path.display()
            ),
            SpawnError::Directory { .. } => "name a program in it".to_owned(),
            SpawnError::Permission { .. } => {
                "look at the permissions of the directories on the way, and at the mount option noexec".to_owned()
            }
            SpawnError::Interpreter { interpreter: None, .. } => {
                "its dynamic loader is missing: it may be built for another C library or architecture".to_owned()
            }
            SpawnError::Interpreter { .. } => "install the interpreter, or correct the file's first line".to_owned(),
            SpawnError::Execute { errno: Errno::ENOEXEC, .. } => {
                "it is of another architecture, or damaged".to_owned()
            }
            SpawnError::Execute { errno: Errno::ETXTBSY, .. } => {
                "a process has the file open for writing".to_owned()
            }
            SpawnError::Denied { cause } => return cause.hint(),
            SpawnError::Open(error) => return error.hint(),
            _ => return None,
        };
        Some(text)
    }
}
