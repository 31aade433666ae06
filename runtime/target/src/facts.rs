//! Facts about a process that name it to a reader, and the list of all processes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::OpenError;
use crate::process::{Process, StatFields, status_number};
use crate::sys;

/// The most bytes of a command line that are kept.
const COMMAND_LINE_LIMIT: usize = 64 << 10;

/// Who a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessFacts {
    /// Its number in our pid namespace.
    pub pid: i32,
    /// Its numbers from our pid namespace inwards; the last is the one that it knows itself by.
    pub namespace_pids: Vec<i32>,
    /// The number of its parent in our pid namespace; 0 where that is outside.
    pub parent: i32,
    /// The real user.
    pub user: u32,
    /// The effective user.
    pub effective_user: u32,
    /// The short name (at most 15 bytes).
    pub name: String,
    /// The arguments. A program that overwrites them to set a title has one, the title.
    pub command_line: Vec<OsString>,
    /// The executable's path in the process's mount namespace, where it can be read.
    pub executable: Option<PathBuf>,
    /// Whether the executable has been deleted or replaced since.
    pub executable_deleted: bool,
    /// The root directory, `/` unless it was changed; as seen from its mount namespace.
    pub root: Option<PathBuf>,
    /// Whether it is in another mount namespace than this program.
    pub other_mount_namespace: bool,
    /// How long ago it was started.
    pub age: Duration,
    /// The state letter of `/proc/PID/stat`: R running, S sleeping, D waiting, T stopped, t traced.
    pub state: char,
    /// The number of threads.
    pub threads: u64,
    /// The process that traces it, 0 if none does.
    pub tracer: i32,
}

impl ProcessFacts {
    /// The command line as one text, as `ps` shows it; the name in brackets when there is none.
    pub fn title(&self) -> String {
        title(&self.command_line, &self.name)
    }
}

/// One line of a list of processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessSummary {
    /// The number.
    pub pid: i32,
    /// The parent's number.
    pub parent: i32,
    /// The owner of its files under `/proc`: the effective user, or root where it is not dumpable.
    pub user: u32,
    /// The short name.
    pub name: String,
    /// The command line as one text; the name in brackets for kernel threads.
    pub title: String,
    /// The state letter.
    pub state: char,
    /// How long ago it was started.
    pub age: Duration,
    /// Resident bytes.
    pub resident: u64,
    /// The number of threads.
    pub threads: u64,
}

impl Process {
    /// Tells who the process is.
    ///
    /// # Errors
    /// The process has gone.
    pub fn facts(&self) -> Result<ProcessFacts, OpenError> {
        let status = self.read_text(c"status", "status")?;
        let stat = self.stat()?;
        let command_line =
            split_arguments(&self.read_bytes(c"cmdline", "cmdline").unwrap_or_default());
        let numbers = |name: &str| -> Vec<i64> {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or("");
            line.split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect()
        };
        let users = numbers("Uid:");
        let user = |index: usize| {
            users
                .get(index)
                .and_then(|user| u32::try_from(*user).ok())
                .unwrap_or(0)
        };
        let link = self.read_link(c"exe", "exe").ok();
        let (executable, executable_deleted) = match link {
            Some(link) => self.executable_of(&link),
            None => (None, false),
        };
        let ours = fs::read_link("/proc/self/ns/mnt").ok();
        let theirs = self.read_link(c"ns/mnt", "ns/mnt").ok().map(PathBuf::from);
        Ok(ProcessFacts {
            pid: self.pid(),
            namespace_pids: numbers("NSpid:")
                .into_iter()
                .filter_map(|pid| i32::try_from(pid).ok())
                .collect(),
            parent: stat.parent,
            user: user(0),
            effective_user: user(1),
            command_line,
            executable,
            executable_deleted,
            root: self.read_link(c"root", "root").ok().map(PathBuf::from),
            other_mount_namespace: ours.is_some() && theirs.is_some() && ours != theirs,
            age: age(stat.start_ticks),
            state: stat.state,
            threads: stat.threads,
            tracer: self.tracer().unwrap_or(0),
            name: stat.command,
        })
    }

    /// The threads, ascending, with the main one.
    ///
    /// # Errors
    /// The process has gone.
    pub fn threads(&self) -> Result<Vec<i32>, OpenError> {
        let gone = OpenError::NoSuchProcess { pid: self.pid() };
        let entries =
            fs::read_dir(format!("/proc/{}/task", self.pid())).map_err(|_| gone.clone())?;
        let names =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        let mut threads: Vec<i32> = names.collect();
        threads.sort_unstable();
        if threads.is_empty() || self.exited() {
            Err(gone)
        } else {
            Ok(threads)
        }
    }

    /// The name of one of the threads.
    pub fn thread_name(&self, thread: i32) -> Option<String> {
        let name = fs::read(format!("/proc/{}/task/{thread}/comm", self.pid())).ok()?;
        Some(String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned())
    }

    /// The process that traces this one; `None` where no one does.
    pub fn tracer(&self) -> Option<i32> {
        let status = self.read_text(c"status", "status").ok()?;
        let tracer =
            status_number(&status, "TracerPid:").and_then(|tracer| i32::try_from(tracer).ok());
        tracer.filter(|tracer| *tracer != 0)
    }

    /// The path behind `/proc/PID/exe`, and whether its file has been deleted. A file whose name really ends in
    /// ` (deleted)` is told by being there.
    fn executable_of(&self, link: &OsStr) -> (Option<PathBuf>, bool) {
        match link.as_bytes().strip_suffix(b" (deleted)") {
            Some(stem) if fs::symlink_metadata(self.path_in_root(Path::new(link))).is_err() => {
                (Some(PathBuf::from(OsString::from_vec(stem.to_vec()))), true)
            }
            _ => (Some(PathBuf::from(link)), false),
        }
    }
}

/// All processes that we can see, ascending by number, kernel threads left out. One costs about 15 µs.
///
/// # Errors
/// `/proc` cannot be listed.
pub fn list_processes() -> Result<Vec<ProcessSummary>, std::io::Error> {
    let mut list = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        // A process may go away between two reads: then it is not in the list.
        let Ok(stat) = fs::read(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let Some(stat) = StatFields::parse(&String::from_utf8_lossy(&stat)) else {
            continue;
        };
        if stat.flags & 0x0020_0000 != 0 {
            continue;
        }
        let command_line =
            split_arguments(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default());
        let user = entry
            .metadata()
            .map_or(0, |status| std::os::unix::fs::MetadataExt::uid(&status));
        list.push(ProcessSummary {
            pid,
            parent: stat.parent,
            user,
            title: title(&command_line, &stat.command),
            state: stat.state,
            age: age(stat.start_ticks),
            resident: stat.resident_pages.saturating_mul(sys::page_size()),
            threads: stat.threads,
            name: stat.command,
        });
    }
    list.sort_by_key(|process| process.pid);
    Ok(list)
}

fn age(start_ticks: u64) -> Duration {
    let ticks = sys::clock_ticks();
    let nanoseconds = (start_ticks % ticks).saturating_mul(1_000_000_000) / ticks;
    let start = Duration::from_secs(start_ticks / ticks) + Duration::from_nanos(nanoseconds);
    sys::time_since_boot().saturating_sub(start)
}

fn split_arguments(text: &[u8]) -> Vec<OsString> {
    let text = text.get(..COMMAND_LINE_LIMIT).unwrap_or(text);
    // A title that was written over the arguments is padded with zeros or spaces.
    let end = text
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let text = text.get(..end).unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(|byte| *byte == 0)
        .map(|part| OsString::from_vec(part.to_vec()))
        .collect()
}

fn title(arguments: &[OsString], name: &str) -> String {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let text = words.join(" ");
    let text = text.trim_end();
    if text.is_empty() {
        format!("[{name}]")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_facts() {
        let facts = Process::open(std::process::id() as i32)
            .unwrap()
            .facts()
            .unwrap();
        assert_eq!(facts.executable, std::env::current_exe().ok());
        assert!(!facts.executable_deleted && !facts.other_mount_namespace);
        assert!(facts.age < Duration::from_secs(3600));
        assert_eq!(facts.namespace_pids.first(), Some(&facts.pid));
        assert_eq!(facts.tracer, 0);
        assert!(facts.threads >= 1);
        let list = list_processes().unwrap();
        let own = list
            .iter()
            .find(|process| process.pid == facts.pid)
            .unwrap();
        assert_eq!(own.title, facts.title());
    }

    #[test]
    fn titles() {
        assert_eq!(
            title(&split_arguments(b"nginx: worker process\0\0\0"), "nginx"),
            "nginx: worker process"
        );
        assert_eq!(title(&split_arguments(b""), "kthreadd"), "[kthreadd]");
        assert_eq!(split_arguments(b"a\0\0b\0").len(), 3);
    }
}
