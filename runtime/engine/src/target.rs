//! What a session looks at: a process that lives, or the core file that one has left.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use ytrace_target::{
    AddressSpace, CoreFile, LiveMemory, LiveOptions, Mapping, Maps, OpenError, PageCache, Process,
    ThreadSnapshot,
};
use ytrace_values::host::ThreadRecord;

use crate::error::SessionError;
use crate::memory::{CountedMemory, TargetMemory};
use crate::session::cache_options;

/// A target. Clones are handles to the same.
#[derive(Clone, Debug)]
pub enum Target {
    /// A process.
    Process(Process),
    /// A process that is no more, as its core file shows it.
    Core(CoreFile),
}

impl Target {
    /// Its number; 0 where a core file does not tell it.
    pub fn pid(&self) -> i32 {
        match self {
            Target::Process(process) => process.pid(),
            Target::Core(core) => {
                let first = core.threads().first().map(|thread| thread.tid);
                core.pid().or(first).unwrap_or(0)
            }
        }
    }

    /// The thread that a reader wants to see first: the one that got the signal of which the process died, else the main one.
    pub fn first_thread(&self) -> i32 {
        match self {
            Target::Core(core) if core.signal().is_some() => core
                .threads()
                .first()
                .map_or(self.pid(), |thread| thread.tid),
            target => target.pid(),
        }
    }

    /// The short name (proc_pid_comm(5)); empty where it is not known.
    pub fn name(&self) -> String {
        match self {
            Target::Process(process) => process.facts().map(|facts| facts.name).unwrap_or_default(),
            Target::Core(core) => core.name().to_owned(),
        }
    }

    /// The path of the executable, as the process saw it.
    pub fn executable(&self) -> Option<PathBuf> {
        match self {
            Target::Process(process) => process.facts().ok()?.executable,
            Target::Core(core) => core.executable(),
        }
    }

    /// Whether it has exited. What a core file is of has not, for this purpose: nothing of it will be gone later.
    pub fn exited(&self) -> bool {
        match self {
            Target::Process(process) => process.exited(),
            Target::Core(_) => false,
        }
    }

    /// Its mappings.
    ///
    /// # Errors
    /// The process has gone.
    pub fn maps(&self) -> Result<Arc<Maps>, OpenError> {
        match self {
            Target::Process(process) => process.maps().map(Arc::new),
            Target::Core(core) => Ok(core.maps()),
        }
    }

    /// The file behind a mapping; of a core file only if it is still the same.
    pub fn open_mapping(&self, mapping: &Mapping) -> Option<File> {
        match self {
            Target::Process(process) => Some(process.open_mapping(mapping).ok()?.file),
            Target::Core(core) => Some(core.open_mapping(mapping).ok()?.file),
        }
    }

    /// Its threads. A core file tells no names but that of the process, and no states.
    ///
    /// # Errors
    /// The process has gone.
    pub fn threads(&self) -> Result<Vec<ThreadRecord>, OpenError> {
        let record = |tid: i32, name: String, state, sp| ThreadRecord {
            tid: u64::try_from(tid).unwrap_or(0),
            name: name.into_bytes(),
            state,
            sp,
        };
        match self {
            Target::Process(process) => {
                let name = |tid| process.thread_name(tid).unwrap_or_default();
                let state = |tid| thread_state(process.pid(), tid);
                let threads = process.threads()?.into_iter();
                Ok(threads
                    .map(|tid| {
                        let sp = process.waiting_stack_pointer(tid).unwrap_or(0);
                        record(tid, name(tid), state(tid), sp)
                    })
                    .collect())
            }
            Target::Core(core) => {
                let mut threads: Vec<&ThreadSnapshot> = core.threads().iter().collect();
                threads.sort_by_key(|thread| thread.tid);
                threads.dedup_by_key(|thread| thread.tid);
                let name = |tid| match tid == self.pid() {
                    true => core.name().to_owned(),
                    false => String::new(),
                };
                let sp =
                    |thread: &ThreadSnapshot| thread.registers.map(|known| known.stack_pointer);
                let threads = threads.into_iter();
                Ok(threads
                    .map(|thread| {
                        let sp = sp(thread).unwrap_or(0);
                        record(thread.tid, name(thread.tid), String::new(), sp)
                    })
                    .collect())
            }
        }
    }

    /// The words of a command line that name it.
    pub fn words(&self) -> String {
        match self {
            Target::Process(process) => format!("-p {}", process.pid()),
            Target::Core(core) => {
                let options = core.options();
                let mut words = format!("--core {}", shell_word(&core.path().to_string_lossy()));
                for (option, path) in [
                    ("--exe", &options.executable),
                    ("--sysroot", &options.sysroot),
                ] {
                    if let Some(path) = path {
                        let path = shell_word(&path.to_string_lossy());
                        words.push_str(&format!(" {option} {path}"));
                    }
                }
                words
            }
        }
    }

    /// Its memory as it is now, behind a cache within our allowance.
    ///
    /// # Errors
    /// The process cannot be read.
    pub(crate) fn memory(&self, read_swap: bool) -> Result<Box<dyn CountedMemory>, SessionError> {
        fn cached(
            space: impl AddressSpace + 'static,
        ) -> Result<Box<dyn CountedMemory>, SessionError> {
            let cache = PageCache::new(space, cache_options())?;
            Ok(Box::new(TargetMemory::new(cache)))
        }
        match self {
            Target::Process(process) => {
                cached(LiveMemory::new(process, LiveOptions { read_swap })?)
            }
            Target::Core(core) => cached(core.memory()),
        }
    }

    /// The registers of all threads where these are known without stopping anything.
    pub(crate) fn snapshots(&self) -> Option<Vec<ThreadSnapshot>> {
        match self {
            Target::Process(_) => None,
            Target::Core(core) => Some(core.threads().to_vec()),
        }
    }
}

/// The state letter of a thread (proc_pid_stat(5)), or nothing once it is gone.
fn thread_state(pid: i32, tid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat"))
        .ok()
        .and_then(|stat| {
            // The name in parentheses may itself hold parentheses and spaces.
            let (_, rest) = stat.rsplit_once(')')?;
            Some(rest.trim_start().chars().next()?.to_string())
        })
        .unwrap_or_default()
}

/// A word as a shell reads it.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
