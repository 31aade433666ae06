//! Analyzers on memory in which bytes were overwritten at random: each ends within its budget and says what does not add up.

use std::fs::File;
use std::os::unix::fs::FileExt;

use ytrace_tests::hoard::{Hoard, unavailable};
use ytrace_tests::processes::{Random, Stopped, rounds};
use ytrace_tests::program::run;
use ytrace_tests::skip;

/// The analyzers of nginx's memory and of the Lua machine in it, those of glibc that ask both whose blocks are, and the one of
/// the whole process.
const PROBES: [&str; 8] = [
    "ngx-pools",
    "ngx-shm",
    "ngx-conns",
    "lua-gc-stats",
    "lua-gc-fgraph",
    "glibc-verdict",
    "glibc-heapmap",
    "mem-breakdown",
];

/// The writable memory of a process that its allocators use, as ranges: the heap, anonymous memory, shared zones.
fn writable(pid: i32) -> Vec<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (start, end) = words.next()?.split_once('-')?;
            let permissions = words.next()?;
            let file = words.nth(3).unwrap_or("");
            let chosen = file.is_empty() || file == "[heap]" || file == "/dev/zero";
            (permissions.starts_with("rw") && chosen).then_some((
                u64::from_str_radix(start, 16).ok()?,
                u64::from_str_radix(end, 16).ok()?,
            ))
        })
        .collect()
}

#[test]
fn random_bytes_in_the_memory_of_nginx() {
    if let Some(why) = unavailable("dwarf") {
        return skip("random_bytes_in_the_memory_of_nginx", &why);
    }
    let nginx = Hoard::start("dwarf");
    nginx.counters("big=5&chain=20&kept=3");
    nginx.get("fill?n=2000");
    nginx.get("cached/1");
    let idle = nginx.idle_connection();
    let pid = nginx.worker;
    let stopped = Stopped::new(pid);
    let memory = File::options()
        .read(true)
        .write(true)
        .open(format!("/proc/{pid}/mem"))
        .unwrap();
    let ranges = writable(pid);
    let seed = std::process::id();
    eprintln!("seed {seed}");
    let mut random = Random::new(u64::from(seed));
    let mut flagged = 0;
    for round in 0..rounds(1) {
        for flips in [0, 1, 100, 10_000] {
            // What is overwritten is put back, in reverse.
            let mut before = Vec::new();
            for _ in 0..flips {
                let (start, end) = ranges[random.below(ranges.len() as u64) as usize];
                let address = start + random.below(end - start);
                let mut byte = [0];
                if memory.read_exact_at(&mut byte, address).is_ok() {
                    let new = [random.below(256) as u8];
                    memory.write_all_at(&new, address).unwrap();
                    before.push((address, byte));
                }
            }
            for probe in PROBES {
                let file = format!("probes/{probe}.y");
                let result = run(&["run", &file, "-p", &pid.to_string(), "--mode", "live"]);
                let all = format!("{}{}", result.stdout, result.stderr);
                let what = format!("{probe}, round {round}, {flips} bytes, seed {seed}");
                match result.status {
                    Some(0) => assert!(!all.contains("PARTIAL"), "{what}: {result}"),
                    // Not believed at all, or what was found is shown and flagged.
                    Some(1) => assert!(all.contains("error"), "{what}: {result}"),
                    Some(3) => assert!(all.contains("PARTIAL"), "{what}: {result}"),
                    _ => panic!("{what}: {result}"),
                }
                assert!(!result.stderr.contains("panicked"), "{what}: {result}");
                if flips == 0 {
                    assert_eq!(result.status, Some(0), "{what}: {result}");
                }
                flagged += i32::from(result.status != Some(0));
            }
            for (address, byte) in before.into_iter().rev() {
                memory.write_all_at(&byte, address).unwrap();
            }
        }
    }
    assert!(flagged > 0, "10,000 bytes are never noticed");
    drop((stopped, idle));
    assert_eq!(nginx.get("ping"), "pong", "all was put back");
}
