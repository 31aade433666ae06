//! What a process is: its role, its relatives, and the runtimes inside.
//!
//! The rules are data of the library (`stdlib/process.toml`, which documents them).

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;
use ytrace_debuginfo as debuginfo;
use ytrace_lang::target::matches_pattern;
use ytrace_target::{CoreFile, ProcessSummary, list_processes};

use crate::library::shipped;
use crate::target::Target;

/// The name of the rules in the shipped library.
const RULES: &str = "process.toml";

/// Why the rules could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The shipped library lacks the file.
    #[error("the shipped library has no {RULES}")]
    Missing,
    /// The file is not what it should be.
    #[error("{RULES}: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A pattern in it is wrong.
    #[error("{RULES}: {0}")]
    Pattern(#[from] regex::Error),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    role: Vec<RoleRule>,
    runtime: Vec<RuntimeRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRule {
    program: String,
    #[serde(default)]
    program_name: bool,
    title: String,
    name: String,
    parent: Option<String>,
    #[serde(default)]
    siblings: bool,
    #[serde(default)]
    leaving: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuntimeRule {
    name: String,
    #[serde(default)]
    modules: Vec<String>,
    #[serde(default)]
    symbols: Vec<Vec<String>>,
    #[serde(default)]
    executable: Vec<String>,
    #[serde(default)]
    probes: Vec<String>,
}

/// The rules, ready for use.
pub struct Rules {
    roles: Vec<(RoleRule, Regex)>,
    runtimes: Vec<RuntimeRule>,
    /// Which of the rules' symbols a file defines.
    defined: HashMap<FileKey, BTreeSet<String>>,
}

/// A file: path, device and inode. In another mount namespace one path may be another file of the same inode.
type FileKey = (PathBuf, (u32, u32), u64);

/// What a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The process.
    pub pid: i32,
    /// The program, such as the name of a server; else the executable's name.
    pub program: String,
    /// Its role, if a rule matched.
    pub role: Option<String>,
    /// The parent's role and number, where they matter.
    pub parent: Option<(String, i32)>,
    /// How many processes of the same program share its parent, itself included.
    pub siblings: Option<usize>,
    /// Whether it is about to end.
    pub leaving: bool,
    /// The title.
    pub title: String,
    /// How long it has run; not known of what has left a core file.
    pub age: Option<Duration>,
    /// The core file that it has left, with what made it, where that is what is known of it.
    pub core: Option<String>,
}

impl Identity {
    /// One line, such as `nginx worker 4211 (master 4200, 16 workers), up 3d4h`.
    pub fn line(&self) -> String {
        let mut text = match &self.role {
            Some(role) => format!("{} {role} {}", self.program, self.pid),
            None => format!("{} {}", self.program, self.pid),
        };
        let mut inside = Vec::new();
        if let Some((role, pid)) = &self.parent {
            inside.push(format!("{role} {pid}"));
        }
        if let (Some(count), Some(role)) = (self.siblings, &self.role) {
            let word = role.split(',').next().unwrap_or(role);
            inside.push(format!(
                "{count} {word}{}",
                if count == 1 { "" } else { "s" }
            ));
        }
        if !inside.is_empty() {
            text.push_str(&format!(" ({})", inside.join(", ")));
        }
        if let Some(time) = self.age {
            text.push_str(&format!(", up {}", age(time)));
        }
        if let Some(core) = &self.core {
            text.push_str(&format!(", {core}"));
        }
        text
    }
}

/// A time in the two largest units that matter: `3d4h`, `12m5s`, `8s`.
pub fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m{}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h{minutes}m"),
        (days, hours, _) => format!("{days}d{hours}h"),
    }
}

impl Rules {
    /// The rules that ship with ytrace.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn shipped() -> Result<Self, RulesError> {
        let text = shipped(RULES).ok_or(RulesError::Missing)?;
        let file: RuleFile = toml::from_str(text)?;
        let roles = file
            .role
            .into_iter()
            .map(|rule| Ok((Regex::new(&rule.title).map(|regex| (rule, regex)))?))
            .collect::<Result<Vec<_>, RulesError>>()?;
        Ok(Self {
            roles,
            runtimes: file.runtime,
            defined: HashMap::new(),
        })
    }

    /// The program, role and rule of a title.
    fn role_of(&self, title: &str, name: &str) -> Option<(&RoleRule, String)> {
        self.roles.iter().find_map(|(rule, regex)| {
            if rule.program_name && rule.program != name {
                return None;
            }
            let captures = regex.captures(title)?;
            let mut role = rule.name.clone();
            for group in regex.capture_names().flatten() {
                let value = captures.name(group).map_or("", |value| value.as_str());
                role = role.replace(&format!("${group}"), value);
            }
            Some((rule, role))
        })
    }

    /// What a process is, given all processes.
    pub fn identify(&self, process: &ProcessSummary, all: &[ProcessSummary]) -> Identity {
        let Some((rule, role)) = self.role_of(&process.title, &process.name) else {
            return Identity {
                pid: process.pid,
                program: process.name.clone(),
                role: None,
                parent: None,
                siblings: None,
                leaving: false,
                title: process.title.clone(),
                age: Some(process.age),
                core: None,
            };
        };
        let parent = rule.parent.as_ref().and_then(|wanted| {
            let parent = all.iter().find(|other| other.pid == process.parent)?;
            let (_, role) = self.role_of(&parent.title, &parent.name)?;
            (role == *wanted).then_some((role, parent.pid))
        });
        let siblings = rule.siblings.then(|| {
            all.iter()
                .filter(|other| other.parent == process.parent)
                .filter(|other| {
                    self.role_of(&other.title, &other.name)
                        .is_some_and(|(_, other)| other == role)
                })
                .count()
        });
        Identity {
            pid: process.pid,
            program: rule.program.clone(),
            role: Some(role),
            parent,
            siblings: siblings.filter(|_| parent_known(&process.parent)),
            leaving: rule.leaving,
            title: process.title.clone(),
            age: Some(process.age),
            core: None,
        }
    }

    /// What left a core file. Its relatives are not told there.
    pub fn identify_core(&self, core: &CoreFile) -> Identity {
        let target = Target::Core(core.clone());
        let title = core.arguments().to_owned();
        let known = self.role_of(&title, core.name());
        let (program, role) = match known {
            Some((rule, role)) => (rule.program.clone(), Some(role)),
            None => (core.name().to_owned(), None),
        };
        Identity {
            pid: target.pid(),
            program,
            role,
            parent: None,
            siblings: None,
            leaving: false,
            title,
            age: None,
            core: Some(core_in_words(core)),
        }
    }

    /// What a process is, looked up now.
    pub fn identify_pid(&self, pid: i32) -> Option<Identity> {
        let all = list_processes().ok()?;
        let process = all.iter().find(|process| process.pid == pid)?;
        Some(self.identify(process, &all))
    }

    /// The processes that took over from one that has gone: those of the same program and parent
    /// that are not leaving.
    pub fn successors(&self, gone: &Identity) -> Vec<i32> {
        let Some((_, parent)) = gone.parent else {
            return Vec::new();
        };
        let Ok(all) = list_processes() else {
            return Vec::new();
        };
        all.iter()
            .filter(|process| process.parent == parent && process.pid != gone.pid)
            .filter(|process| {
                let identity = self.identify(process, &all);
                let plain = |role: &Option<String>| {
                    role.as_deref()
                        .and_then(|role| role.split(',').next().map(str::to_owned))
                };
                identity.program == gone.program
                    && !identity.leaving
                    && plain(&identity.role) == plain(&gone.role)
            })
            .map(|process| process.pid)
            .collect()
    }

    /// The runtimes inside a target, in the order of the rules. `symbols` also looks into files
    /// for those that may be linked statically.
    pub fn runtimes(&mut self, target: &Target, symbols: bool) -> Vec<String> {
        let Ok(maps) = target.maps() else {
            return Vec::new();
        };
        let mut files: Vec<(String, usize)> = Vec::new();
        for (index, mapping) in maps.as_slice().iter().enumerate() {
            if let Some(name) = mapping.path.as_ref().and_then(|path| path.file_name()) {
                let name = name.to_string_lossy().into_owned();
                if mapping.inode != 0 && !files.iter().any(|(known, _)| *known == name) {
                    files.push((name, index));
                }
            }
        }
        let executable = target
            .executable()
            .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .unwrap_or_default();
        let of_executable = files
            .iter()
            .find(|(name, _)| *name == executable)
            .and_then(|(_, index)| maps.as_slice().get(*index))
            .filter(|_| symbols)
            .map(|mapping| self.symbols_of(target, mapping))
            .unwrap_or_default();
        self.runtimes
            .iter()
            .filter(|rule| {
                rule.modules
                    .iter()
                    .any(|pattern| files.iter().any(|(name, _)| matches_pattern(pattern, name)))
                    || rule
                        .executable
                        .iter()
                        .any(|pattern| matches_pattern(pattern, &executable))
                    || rule.symbols.iter().any(|all| {
                        !all.is_empty() && all.iter().all(|name| of_executable.contains(name))
                    })
            })
            .map(|rule| rule.name.clone())
            .collect()
    }

    /// The probes that explain a runtime, the best first.
    pub fn probes(&self, runtime: &str) -> &[String] {
        self.runtimes
            .iter()
            .find(|rule| rule.name == runtime)
            .map_or(&[], |rule| &rule.probes)
    }

    /// Which of the rules' symbols the file behind a mapping defines.
    fn symbols_of(
        &mut self,
        target: &Target,
        mapping: &ytrace_target::Mapping,
    ) -> BTreeSet<String> {
        let path = mapping.path.clone().unwrap_or_default();
        let key = (path.clone(), mapping.device, mapping.inode);
        if let Some(known) = self.defined.get(&key) {
            return known.clone();
        }
        let wanted: BTreeSet<&str> = self
            .runtimes
            .iter()
            .flat_map(|rule| rule.symbols.iter().flatten())
            .map(String::as_str)
            .collect();
        let found: BTreeSet<String> = target
            .open_mapping(mapping)
            .and_then(|file| debuginfo::Loader::default().open_file(&path, &file).ok())
            .map(|module| {
                wanted
                    .into_iter()
                    .filter(|name| !module.symbols_named(name).is_empty())
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default();
        self.defined.insert(key, found.clone());
        found
    }
}

/// Processes whose parent is init have no brothers worth counting.
fn parent_known(parent: &i32) -> bool {
    *parent > 1
}

/// A core file in words: its name, and what ended the process.
pub fn core_in_words(core: &CoreFile) -> String {
    let file = core.path().file_name().unwrap_or_default();
    let mut text = format!("core file {}", file.to_string_lossy());
    if let Some(signal) = core.signal() {
        match nix::sys::signal::Signal::try_from(signal) {
            Ok(signal) => text.push_str(&format!(", ended by {signal}")),
            Err(_) => text.push_str(&format!(", ended by signal {signal}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, title: &str) -> ProcessSummary {
        ProcessSummary {
            pid,
            parent,
            user: 0,
            name: title.split([' ', ':']).next().unwrap().to_owned(),
            title: title.to_owned(),
            state: 'S',
            age: Duration::from_secs(90_000),
            resident: 0,
            threads: 1,
        }
    }

    #[test]
    fn a_worker_knows_its_master_and_its_brothers() {
        let rules = Rules::shipped().unwrap();
        let all = [
            process(4200, 1, "nginx: master process /usr/sbin/nginx"),
            process(4211, 4200, "nginx: worker process"),
            process(4212, 4200, "nginx: worker process"),
            process(4213, 4200, "nginx: worker process is shutting down"),
            process(5000, 1, "sleep 5"),
        ];
        let worker = rules.identify(&all[1], &all);
        assert_eq!(
            worker.line(),
            "nginx worker 4211 (master 4200, 2 workers), up 1d1h"
        );
        assert!(rules.identify(&all[3], &all).leaving);
        assert_eq!(rules.identify(&all[4], &all).line(), "sleep 5000, up 1d1h");
    }

    #[test]
    fn own_runtimes_are_seen() {
        let mut rules = Rules::shipped().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let own = Target::Process(ytrace_target::Process::open(own).unwrap());
        assert!(rules.runtimes(&own, true).contains(&"glibc".to_owned()));
    }

    #[test]
    fn ages() {
        assert_eq!(age(Duration::from_secs(8)), "8s");
        assert_eq!(age(Duration::from_secs(725)), "12m5s");
        assert_eq!(age(Duration::from_secs(3 * 86_400 + 4 * 3_600)), "3d4h");
    }
}
