//! What a program's malloc says of itself, by `malloc_info` and `mallinfo2`, to hold what the library finds against.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;

use crate::fixtures::directory;
use crate::processes::{signal, sleeps, wait_for};
use crate::program::{Finished, run_text};

/// Prints what the library found, a line for each arena and one for what is mapped directly.
const SUMS: &str = "
#include <glibc/walk.y>
_probe _oneshot {
    glibc_walk();
    _foreach (s in glibc_sums)
        printf(\"arena %s fast %ld %ld rest %ld %ld system %ld met %ld listed %ld %ld skipped %ld heaps %ld cached %ld\\n\", s.name, s.fast_chunks, s.fast,
               s.free_chunks + 1, s.free + s.top, s.system, glibc_met(s), s.listed_chunks, s.listed, s.skipped, s.heaps, s.cached_chunks);
    printf(\"mapped %ld %ld\\n\", _elems(glibc_blocks), glibc_blocks_bytes);
    printf(\"found by %s, caches by %s: %ld, broken %ld\\n\", glibc_found, glibc_caches_found, glibc_caches, glibc_broken);
}";

/// The number behind a word and an equals sign and a quote: `size="12"`.
fn attribute(element: &str, name: &str) -> i64 {
    let start = element.find(&format!(" {name}=\"")).expect(name) + name.len() + 3;
    let text = &element[start..];
    text[..text.find('"').unwrap()].parse().unwrap()
}

/// What `malloc_info` says of one arena.
#[derive(Debug, PartialEq, Eq)]
pub struct Arena {
    /// Chunks in fast bins, and their bytes.
    pub fast: (i64, i64),
    /// Chunks in bins and the top, and their bytes.
    pub rest: (i64, i64),
    /// Bytes taken from the system.
    pub system: i64,
}

/// What a target said of itself.
#[derive(Debug)]
pub struct Said {
    /// The arenas, the main one first.
    pub arenas: Vec<Arena>,
    /// Blocks that are mapped directly, and their bytes.
    pub mapped: (i64, i64),
    /// The fields of `mallinfo2`, where there is one.
    mallinfo: Option<String>,
}

impl Said {
    /// Reads both, one behind the other.
    ///
    /// # Panics
    /// If that is not what it says.
    pub fn of(ready: &str) -> Self {
        // Since 2.43 there are no fast bins.
        let total = |text: &str, kind: &str| {
            text.find(&format!("<total type=\"{kind}\""))
                .map_or((0, 0), |start| {
                    let text = &text[start..];
                    (attribute(text, "count"), attribute(text, "size"))
                })
        };
        let arenas = ready.split("<heap nr=").skip(1).map(|heap| {
            let heap = heap.split("</heap>").next().unwrap();
            let rest = total(heap, "rest");
            // The sizes of free chunks are summed with the lowest bit of their heads, that of the top without.
            Arena {
                fast: total(heap, "fast"),
                rest: (rest.0, rest.1 - (rest.0 - 1)),
                system: attribute(
                    &heap[heap.find("<system type=\"current\"").unwrap()..],
                    "size",
                ),
            }
        });
        Self {
            arenas: arenas.collect(),
            mapped: total(ready.split("</heap>").last().unwrap(), "mmap"),
            mallinfo: ready
                .split_once("mallinfo2 ")
                .map(|(_, fields)| fields.to_owned()),
        }
    }

    /// A field of `mallinfo2`.
    ///
    /// # Panics
    /// If it is no number.
    pub fn mallinfo(&self, name: &str) -> Option<i64> {
        let fields = self.mallinfo.as_ref()?;
        let value = fields
            .split_whitespace()
            .find_map(|field| field.strip_prefix(&format!("{name}=")))?;
        Some(value.parse().unwrap())
    }
}

/// Numbers of a line behind a word.
///
/// # Panics
/// If other things stand there.
pub fn numbers(line: &str, word: &str, count: usize) -> Vec<i64> {
    line.split_whitespace()
        .skip_while(|part| *part != word)
        .skip(1)
        .take(count)
        .map(|part| {
            part.parse()
                .unwrap_or_else(|_| panic!("{word:?} in {line:?}"))
        })
        .collect()
}

/// Holds what [`sums`] printed against what the target said.
///
/// # Panics
/// If anything differs.
pub fn compare(what: &str, said: &Said, output: &str) {
    let lines: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("arena "))
        .collect();
    assert_eq!(lines.len(), said.arenas.len(), "{what}: {output}");
    let mut sums = [0; 3];
    for (line, arena) in lines.iter().zip(&said.arenas) {
        let pair = |word| {
            let numbers = numbers(line, word, 2);
            (numbers[0], numbers[1])
        };
        let found = Arena {
            fast: pair("fast"),
            rest: pair("rest"),
            system: numbers(line, "system", 1)[0],
        };
        assert_eq!(&found, arena, "{what}: {line}");
        assert_eq!(
            numbers(line, "met", 1)[0],
            arena.system,
            "in use + free + top; {what}: {line}"
        );
        assert_eq!(
            pair("listed").0,
            arena.rest.0 - 1,
            "free chunks are in bins; {what}: {line}"
        );
        assert_eq!(numbers(line, "skipped", 1), [0], "{what}: {line}");
        sums[0] += found.system;
        sums[1] += found.rest.1 + found.fast.1;
        sums[2] += found.rest.0;
    }
    let mapped = output
        .lines()
        .find(|line| line.starts_with("mapped "))
        .unwrap();
    let mapped = numbers(mapped, "mapped", 2);
    assert_eq!(mapped[0], said.mapped.0, "{what}: {output}");
    // Since 2.43 malloc adds 16 bytes for each block that realloc has moved, which are two here.
    let drift = said.mapped.1 - mapped[1];
    assert!(
        drift == 0 || (drift == 32 && said.arenas.iter().all(|arena| arena.fast.0 == 0)),
        "{what}: {said:?}, {mapped:?}"
    );
    if said.mallinfo.is_some() {
        let ours = [sums[0], sums[1], sums[0] - sums[1], sums[2], mapped[0]];
        let names = ["arena", "fordblks", "uordblks", "ordblks", "hblks"];
        for (name, ours) in names.iter().zip(ours) {
            assert_eq!(said.mallinfo(name), Some(ours), "{what}: {name}");
        }
    }
    assert!(output.contains("broken 0"), "{what}: {output}");
}

/// What the library finds: a line for each arena, and more.
///
/// # Panics
/// If that fails.
pub fn sums(pid: i32, more: &[&str]) -> Finished {
    let mut arguments = vec!["--max-pause", "5s"];
    arguments.extend(more);
    run_text(SUMS, pid, &arguments).expect_status(0)
}

/// Has a command preload what makes its process, and the processes that it forks, say what malloc counts: [`ask`] asks them.
/// Gives where they say it.
pub fn preload(command: &mut Command, folder: &Path) -> PathBuf {
    let file = folder.join("malloc-said");
    command
        .env("LD_PRELOAD", directory().join("c/said.so"))
        .env("MALLOC_SAID", &file);
    file
}

/// What the malloc of a process says that was started with [`preload`]. It must be waiting for something.
///
/// # Panics
/// If it says nothing within its time.
pub fn ask(file: &Path, pid: i32) -> Said {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{pid}"));
    let answer = PathBuf::from(name);
    let once = || {
        wait_for("the process waits", || sleeps(pid));
        let _ = std::fs::remove_file(&answer);
        signal(pid, Signal::SIGPWR);
        wait_for("malloc's own figures", || answer.is_file());
        std::fs::read_to_string(&answer).expect("it is there")
    };
    // It may have been on its way to where it waits.
    let mut text = once();
    wait_for("the heap is at rest", || {
        let before = std::mem::replace(&mut text, once());
        before == text
    });
    let said = Said::of(&text);
    assert!(!said.arenas.is_empty(), "{text}");
    said
}
