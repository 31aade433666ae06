//! Analyzers on core files in which bytes were overwritten at random, in memory and in headers and notes: each ends within its
//! budget, none crashes, and what does not add up is flagged.
//!
//! A few runs by default. `YTRACE_TEST_ROUNDS=N` makes N of each analyzer on each fixture; `YTRACE_TEST_CORES=DIR` keeps the core
//! files there and takes those that it finds, so that `YTRACE_TEST_SEED=N` gives the same runs again; see `docs/fuzzing.md`.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use ytrace_tests::cores::gcore;
use ytrace_tests::fixtures::{Waiting, directory, perl_daemon, perls};
use ytrace_tests::hoard::{self, Hoard};
use ytrace_tests::processes::{Random, Stopped, rounds, seed};
use ytrace_tests::program::run;
use ytrace_tests::skip;

const TEST: &str = "random_bytes_in_core_files";

/// Runs at the same time.
const THREADS: usize = 2;
/// What one run of a handler may take, as an option of the program.
const TIMEOUT: &str = "20s";
/// What a whole run may take: the walk, checks of layouts before it, reading debug information, all on a busy machine.
const WALL: Duration = Duration::from_secs(60);

const GLIBC: [&str; 4] = [
    "glibc-chunks",
    "glibc-free",
    "glibc-heapmap",
    "glibc-verdict",
];

/// What is overwritten.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// So many bytes of memory that is not all zeros.
    Memory(usize),
    /// So many bytes of the ELF header, the program headers and the notes.
    Headers(usize),
}

const DAMAGES: [Damage; 6] = [
    Damage::Memory(1),
    Damage::Headers(1),
    Damage::Memory(100),
    Damage::Headers(10),
    Damage::Memory(10_000),
    Damage::Headers(1_000),
];

/// A core file, where its bytes are, and what an unharmed run finds.
struct Fixture {
    name: &'static str,
    core: PathBuf,
    probes: Vec<&'static str>,
    /// Offsets and lengths of pieces of memory that are not all zeros.
    memory: Vec<(u64, u64)>,
    headers: Vec<(u64, u64)>,
    unharmed: BTreeMap<&'static str, Value>,
}

impl Fixture {
    fn new(name: &'static str, core: PathBuf, probes: Vec<&'static str>) -> Self {
        let bytes = std::fs::read(&core).unwrap();
        let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        let half = |at: usize| u16::from_ne_bytes(bytes[at..at + 2].try_into().unwrap());
        let (table, count) = (word(32), half(56));
        // One wrong byte of the ELF header is mostly the end: it is chosen least.
        let mut headers = vec![(0, 64)];
        headers.extend([(table, u64::from(count) * 56); 8]);
        let mut memory = Vec::new();
        for index in 0..usize::from(count) {
            let at = table as usize + index * 56;
            let kind = u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
            let (offset, length) = (word(at + 8), word(at + 32));
            match kind {
                1 => {
                    for start in (offset..offset + length).step_by(4096) {
                        let end = (start + 4096).min(offset + length);
                        let piece = &bytes[start as usize..end as usize];
                        if piece.iter().any(|byte| *byte != 0) {
                            memory.push((start, end - start));
                        }
                    }
                }
                4 => headers.extend([(offset, length); 8]),
                _ => {}
            }
        }
        let unharmed = probes.iter().map(|probe| {
            let folder = tempfile::tempdir().unwrap();
            let (status, _, totals) = look(probe, &core, folder.path());
            assert_eq!(
                status,
                Some(0),
                "{probe} on the unharmed {}",
                core.display()
            );
            (*probe, totals)
        });
        let unharmed = unharmed.collect();
        Self {
            name,
            core,
            probes,
            memory,
            headers,
            unharmed,
        }
    }
}

/// Runs a probe on a core file: its status, all that it said, and its cross-checks.
fn look(probe: &str, core: &Path, folder: &Path) -> (Option<i32>, String, Value) {
    let file = format!("probes/{probe}.y");
    let output = folder.join("result.json");
    let _ = std::fs::remove_file(&output);
    let result = run(&[
        "run",
        &file,
        "--core",
        core.to_str().unwrap(),
        "--timeout",
        TIMEOUT,
        "-o",
        output.to_str().unwrap(),
    ]);
    let json: Option<Value> = std::fs::read(&output)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let checks = json.map_or(Value::Null, |json| json["checks"].clone());
    (result.status, result.to_string(), checks)
}

/// A core file that is overwritten and put right again.
struct Harmed<'a> {
    file: &'a File,
    before: Vec<(u64, u8)>,
}

impl<'a> Harmed<'a> {
    fn new(file: &'a File, fixture: &Fixture, damage: Damage, random: &mut Random) -> Self {
        let (places, count) = match damage {
            Damage::Memory(count) => (&fixture.memory, count),
            Damage::Headers(count) => (&fixture.headers, count),
        };
        let mut before = Vec::with_capacity(count);
        for _ in 0..count {
            let (start, length) = places[random.below(places.len() as u64) as usize];
            let at = start + random.below(length);
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[random.below(256) as u8], at).unwrap();
            before.push((at, byte[0]));
        }
        Self { file, before }
    }
}

impl Drop for Harmed<'_> {
    fn drop(&mut self) {
        for (at, byte) in self.before.drain(..).rev() {
            let restored = self.file.write_all_at(&[byte], at);
            assert!(restored.is_ok() || std::thread::panicking());
        }
    }
}

/// Why a run is not as it must be.
fn wrong(
    status: Option<i32>,
    said: &str,
    checks: &Value,
    unharmed: &Value,
) -> Option<&'static str> {
    let partial = said.contains("PARTIAL");
    match status {
        None => Some("a signal ended it"),
        _ if said.contains("panicked") || said.contains("defect of ytrace") => Some("it panicked"),
        Some(0) if partial => Some("partial, but its status is 0"),
        Some(0) if checks != unharmed => Some("other totals, but its status is 0"),
        Some(1 | 2) if !said.contains("rror: ") && !partial => Some("it failed without a word"),
        Some(3) if !partial => Some("its status is 3, but it does not say why"),
        Some(0..=3) => None,
        Some(_) => Some("an unknown status"),
    }
}

/// How many runs have ended in which way.
fn show(ends: &BTreeMap<String, usize>) {
    eprintln!("{} runs", ends.values().sum::<usize>());
    for (end, count) in ends {
        eprintln!("{count:6}  {end}");
    }
}

/// The fixtures that can be had here.
fn fixtures(folder: &Path) -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    let mut add = |name: &'static str, probes: Vec<&'static str>, made: Option<String>| {
        let kept = folder.join(format!("core.{name}"));
        if let Some(made) = made {
            std::fs::rename(made, &kept).unwrap();
        }
        if kept.is_file() {
            fixtures.push(Fixture::new(name, kept, probes));
        }
    };
    let wanted = |name: &str| !folder.join(format!("core.{name}")).is_file();

    let program = directory().join("c/heap");
    let mut made = None;
    if wanted("heap") && program.is_file() {
        let target = Waiting::start(&mut Command::new(program));
        let _stopped = Stopped::new(target.pid());
        made = gcore(TEST, folder, target.pid());
    }
    add("heap", GLIBC.to_vec(), made);

    let mut made = None;
    if wanted("nginx") && hoard::unavailable("dwarf").is_none() {
        let nginx = Hoard::start("dwarf");
        nginx.counters("big=5&chain=20&kept=3");
        nginx.get("fill?n=2000");
        nginx.get("cached/1");
        let idle = nginx.idle_connection();
        let stopped = Stopped::new(nginx.worker);
        made = gcore(TEST, folder, nginx.worker);
        drop((stopped, idle));
    }
    let mut probes = GLIBC.to_vec();
    probes.extend(["ngx-pools", "ngx-shm", "ngx-conns"]);
    probes.extend(["lua-gc-stats", "lua-gc-fgraph"]);
    add("nginx", probes, made);

    let (_, perl) = perls().swap_remove(0);
    let mut made = None;
    if wanted("perl") && perl.is_file() {
        let target = perl_daemon(&perl, 100, 20, 1);
        let _stopped = Stopped::new(target.pid());
        made = gcore(TEST, folder, target.pid());
    }
    let mut probes = GLIBC.to_vec();
    probes.extend(["perl-gc-stats", "perl-gc-fgraph"]);
    add("perl", probes, made);
    fixtures
}

#[test]
fn random_bytes_in_core_files() {
    if !nix::unistd::geteuid().is_root() {
        return skip(TEST, "only root can trace others");
    }
    let own = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("YTRACE_TEST_CORES").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(own.path());
    let fixtures = fixtures(folder);
    if fixtures.len() < 3 {
        skip(TEST, "not all of nginx, Perl and the C programs are there");
    }
    let seed = seed();
    let mut plan: Vec<(usize, &str, Damage)> = Vec::new();
    for round in 0..rounds(1) {
        for (number, fixture) in fixtures.iter().enumerate() {
            for (index, probe) in fixture.probes.iter().enumerate() {
                let damage = DAMAGES[(round + number + index) % DAMAGES.len()];
                plan.push((number, probe, damage));
            }
        }
    }
    let next = AtomicUsize::new(0);
    let ends: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let findings: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let work = tempfile::tempdir_in(folder).unwrap();
                let copies: Vec<(PathBuf, File)> = fixtures
                    .iter()
                    .map(|fixture| {
                        let copy = work.path().join(fixture.name);
                        std::fs::copy(&fixture.core, &copy).unwrap();
                        let file = File::options().read(true).write(true).open(&copy).unwrap();
                        (copy, file)
                    })
                    .collect();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((number, probe, damage)) = plan.get(index) else {
                        return;
                    };
                    let (fixture, (core, file)) = (&fixtures[*number], &copies[*number]);
                    let mut random = Random::new(seed.wrapping_add(index as u64));
                    let harmed = Harmed::new(file, fixture, *damage, &mut random);
                    let begun = Instant::now();
                    let (status, said, checks) = look(probe, core, work.path());
                    let took = begun.elapsed();
                    let found = wrong(status, &said, &checks, &fixture.unharmed[probe])
                        .or_else(|| (took > WALL).then_some("it took too long"));
                    if let Some(why) = found {
                        let what = format!(
                            "{why}: {probe} on {}, {damage:?}, run {index}, seed {seed}, {took:?}",
                            fixture.name
                        );
                        eprintln!("FINDING: {what}");
                        if kept.is_some() {
                            let name = format!("finding.{index}.{}.{probe}", fixture.name);
                            std::fs::copy(core, folder.join(name)).unwrap();
                        }
                        findings
                            .lock()
                            .unwrap()
                            .push(format!("{what}\n{said}\n{checks}"));
                    }
                    drop(harmed);
                    let status = status.map_or("signal".to_owned(), |status| status.to_string());
                    let end = format!("{damage:?}: status {status}");
                    let mut ends = ends.lock().unwrap();
                    *ends.entry(end).or_default() += 1;
                    if ends.values().sum::<usize>() % 500 == 0 {
                        show(&ends);
                    }
                }
            });
        }
    });
    show(&ends.lock().unwrap());
    let findings = findings.into_inner().unwrap();
    assert!(
        findings.is_empty(),
        "{} findings, the first: {}",
        findings.len(),
        findings[0]
    );
    let harmed = ends.into_inner().unwrap();
    let noticed = harmed.keys().any(|end| !end.ends_with("status 0"));
    assert!(noticed, "10,000 bytes are never noticed");
}
