//! The control groups (cgroups(7)) that account the memory of a process, of version 2 and 1.

use std::path::{Component, Path, PathBuf};

use crate::process::Process;

/// More lines of `/proc/PID/cgroup` and mounts than this are not looked at.
const MAX_LINES: usize = 4096;
/// Version 1 writes "no limit" as the largest number of whole pages.
const NO_LIMIT: u64 = 1 << 62;

/// What a control group says of its memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupFigure {
    /// What its processes use, with the page cache of files that they have read.
    Usage,
    /// The least limit of the group and of those above it.
    Limit,
    /// The most that it has used.
    Peak,
    /// What it has on swap (version 2).
    Swap,
}

/// A control group that accounts memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemoryGroup {
    directory: PathBuf,
    /// Where its hierarchy is mounted.
    mount: PathBuf,
    unified: bool,
}

impl MemoryGroup {
    /// The groups that the text of a `/proc/PID/cgroup` names, as the mounts of our `/proc/self/mountinfo` (proc_pid_mountinfo(5)) show
    /// them: that of version 1 first, where there is one.
    pub(crate) fn find(cgroups: &str, mounts: &str) -> Vec<MemoryGroup> {
        let mut groups = Vec::new();
        for line in cgroups.lines().take(MAX_LINES) {
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let unified = controllers.is_empty();
            if !unified && !controllers.split(',').any(|name| name == "memory") {
                continue;
            }
            groups.extend(
                mounts
                    .lines()
                    .take(MAX_LINES)
                    .find_map(|mount| MemoryGroup::mounted(mount, path, unified)),
            );
        }
        groups.sort_by_key(|group| group.unified);
        groups
    }

    /// The group at `path`, if this line of mounts is of its hierarchy.
    fn mounted(line: &str, path: &str, unified: bool) -> Option<MemoryGroup> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (root, mount) = (before.next()?, unescaped(before.next()?));
        let mut after = after.split(' ');
        let (kind, options) = (after.next()?, after.nth(1)?);
        let ours = match unified {
            true => kind == "cgroup2",
            false => kind == "cgroup" && options.split(',').any(|option| option == "memory"),
        };
        // Only a part of the hierarchy may be mounted, and the group may lie outside of our namespace.
        let below = Path::new(path).strip_prefix(unescaped(root)).ok()?;
        let inside = below
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        (ours && inside).then(|| MemoryGroup {
            directory: Path::new(&mount).join(below),
            mount: mount.into(),
            unified,
        })
    }

    /// A figure; `None` where the group does not account memory, or sets no limit.
    pub(crate) fn figure(&self, figure: CgroupFigure) -> Option<u64> {
        let name = match (figure, self.unified) {
            (CgroupFigure::Usage, true) => "memory.current",
            (CgroupFigure::Usage, false) => "memory.usage_in_bytes",
            (CgroupFigure::Peak, true) => "memory.peak",
            (CgroupFigure::Peak, false) => "memory.max_usage_in_bytes",
            (CgroupFigure::Swap, true) => "memory.swap.current",
            (CgroupFigure::Swap, false) => return None,
            (CgroupFigure::Limit, _) => {
                return self
                    .with_ancestors()
                    .filter_map(|group| limit(group, self.unified))
                    .min();
            }
        };
        number(&self.directory, name)
    }

    /// The least of what is left under the limits of the group and of those above it.
    pub(crate) fn headroom(&self) -> Option<u64> {
        let usage = match self.unified {
            true => "memory.current",
            false => "memory.usage_in_bytes",
        };
        self.with_ancestors()
            .filter_map(|group| {
                Some(limit(group, self.unified)?.saturating_sub(number(group, usage)?))
            })
            .min()
    }

    fn with_ancestors(&self) -> impl Iterator<Item = &Path> {
        self.directory
            .ancestors()
            .take_while(|group| group.starts_with(&self.mount))
    }
}

/// The limit of one group.
fn limit(directory: &Path, unified: bool) -> Option<u64> {
    let name = match unified {
        true => "memory.max",
        false => "memory.limit_in_bytes",
    };
    number(directory, name).filter(|limit| *limit < NO_LIMIT)
}

/// The number that a file holds; `None` also for the word `max`.
fn number(directory: &Path, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(directory.join(name)).ok()?;
    text.trim().parse().ok()
}

/// A path as `mountinfo` writes it, with spaces and the like as `\040`.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        match after
            .get(..3)
            .map(|code| (u8::from_str_radix(code, 8), after.get(3..)))
        {
            Some((Ok(byte), Some(behind))) if byte.is_ascii() => {
                plain.push(char::from(byte));
                rest = behind;
            }
            _ => {
                plain.push('\\');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The groups of this program.
pub(crate) fn own_groups() -> Vec<MemoryGroup> {
    let cgroups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    MemoryGroup::find(&cgroups, &mounts())
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()
}

impl Process {
    /// What the control group of the process says of its memory, as we see it; `None` where it says nothing, or is out of our sight.
    pub fn cgroup_bytes(&self, figure: CgroupFigure) -> Option<u64> {
        let cgroups = self.read_text(c"cgroup", "cgroup").ok()?;
        MemoryGroup::find(&cgroups, &mounts())
            .iter()
            .find_map(|group| group.figure(figure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 /docker/c1 /mnt/with\\040space rw shared:3 master:1 - cgroup2 cgroup2 rw";

    #[test]
    fn groups_of_both_versions() {
        let text = "5:cpu:/a\n4:cpuset,memory:/a/b\n0::/docker/c1/x\n";
        let groups = MemoryGroup::find(text, MOUNTS);
        assert_eq!(
            groups,
            [
                MemoryGroup {
                    directory: "/sys/fs/cgroup/memory/a/b".into(),
                    mount: "/sys/fs/cgroup/memory".into(),
                    unified: false,
                },
                MemoryGroup {
                    directory: "/mnt/with space/x".into(),
                    mount: "/mnt/with space".into(),
                    unified: true,
                },
            ]
        );
        // Outside of what is mounted, or of our namespace.
        assert!(MemoryGroup::find("0::/docker/c2\n", MOUNTS).is_empty());
        assert!(MemoryGroup::find("4:memory:/../x\n", MOUNTS).is_empty());
        assert!(MemoryGroup::find("4:memory\nx\n", MOUNTS).is_empty());
    }

    #[test]
    fn the_least_limit_counts() {
        let root = std::env::temp_dir().join(format!("ytrace-cgroup-{}", std::process::id()));
        let inner = root.join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let write = |path: PathBuf, text: &str| std::fs::write(path, text).unwrap();
        write(inner.join("memory.current"), "500\n");
        write(inner.join("memory.max"), "max\n");
        write(root.join("a/memory.current"), "900\n");
        write(root.join("a/memory.max"), "1000\n");
        write(root.join("memory.current"), "2000\n");
        write(root.join("memory.max"), "2050\n");
        let group = MemoryGroup {
            directory: inner.clone(),
            mount: root.clone(),
            unified: true,
        };
        assert_eq!(group.figure(CgroupFigure::Usage), Some(500));
        assert_eq!(group.figure(CgroupFigure::Limit), Some(1000));
        assert_eq!(group.headroom(), Some(50));
        assert_eq!(group.figure(CgroupFigure::Peak), None);
        // Version 1 has a number for no limit.
        write(inner.join("memory.usage_in_bytes"), "7\n");
        write(inner.join("memory.limit_in_bytes"), "9223372036854771712\n");
        let first = MemoryGroup {
            unified: false,
            ..group
        };
        assert_eq!(first.figure(CgroupFigure::Usage), Some(7));
        assert_eq!(first.figure(CgroupFigure::Limit), None);
        std::fs::remove_dir_all(root).unwrap();
    }
}
