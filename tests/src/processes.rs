//! What `/proc` says about a target, and signals to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A field of `/proc/PID/status` or a file of that form.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(|value| value.trim().to_owned())
}

/// Waits until no thread of a process is traced, which takes the supervisor of a ytrace that was killed a moment.
///
/// # Panics
/// If that takes a minute, or the process is gone.
#[track_caller]
pub fn assert_let_go(pid: i32) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let traced = std::fs::read_dir(format!("/proc/{pid}/task"))
            .unwrap_or_else(|error| panic!("process {pid} has gone: {error}"))
            .flatten()
            .any(|task| {
                let text = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
                field(&text, "TracerPid").is_some_and(|tracer| tracer != "0")
            });
        if !traced {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "process {pid} is left traced for a minute"
        );
        std::thread::sleep(Duration::from_micros(100));
    }
    assert_untouched(pid);
}

/// Asserts that no thread of a process is stopped or traced.
///
/// # Panics
/// If one is, or the process is gone.
#[track_caller]
pub fn assert_untouched(pid: i32) {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .unwrap_or_else(|error| panic!("process {pid} has gone: {error}"));
    let mut seen = 0;
    for task in tasks.flatten() {
        let path = task.path().join("status");
        // A thread may end between two looks.
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        seen += 1;
        let state = field(&text, "State").unwrap_or_default();
        assert!(
            !state.starts_with(['t', 'T']),
            "{} is left stopped: {state}",
            path.display()
        );
        assert_eq!(
            field(&text, "TracerPid").as_deref(),
            Some("0"),
            "{} is left traced",
            path.display()
        );
    }
    assert!(seen > 0, "process {pid} has no thread");
}

/// Resident and swapped memory by kind, exact, in kB: the sums over all mappings.
///
/// # Panics
/// If the process is gone.
pub fn memory_figures(pid: i32) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let number = |text: &str, name: &str| {
        let value = field(text, name)?;
        value.trim_end_matches("kB").trim().parse().ok()
    };
    let mut figures = BTreeMap::new();
    for name in ["Rss", "Anonymous", "Swap", "Pss_Anon", "Pss_Shmem"] {
        figures.insert(name.to_owned(), number(&text, name).unwrap_or(0));
    }
    for name in ["RssShmem", "VmSwap"] {
        figures.insert(name.to_owned(), number(&status, name).unwrap_or(0));
    }
    figures
}

/// Whether a process is there and no zombie.
pub fn alive(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/status"))
        .ok()
        .and_then(|text| field(&text, "State"))
        .is_some_and(|state| !state.starts_with(['Z', 'X']))
}

/// Whether the first thread of a process waits for something.
pub fn sleeps(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/status"))
        .ok()
        .and_then(|text| field(&text, "State"))
        .is_some_and(|state| state.starts_with('S'))
}

/// Sends a signal to a process that the test started.
///
/// # Panics
/// If it cannot be sent.
pub fn signal(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap_or_else(|error| panic!("{signal} to {pid}: {error}"));
}

/// Looks again and again until something holds.
///
/// # Panics
/// If it does not within ten seconds.
#[track_caller]
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within ten seconds");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A seed: `$YTRACE_TEST_SEED`, or another one for each process, which is printed.
pub fn seed() -> u64 {
    let seed = std::env::var("YTRACE_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("YTRACE_TEST_SEED={seed}");
    seed
}

/// Numbers that look random, from a seed; enough to choose instants.
pub struct Instants(u64);

impl Instants {
    /// Those of [`seed`].
    pub fn new() -> Self {
        Self(seed() | 1)
    }

    /// The next instant before `end`.
    pub fn next(&mut self, end: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        end.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

impl Default for Instants {
    fn default() -> Self {
        Self::new()
    }
}

/// How many rounds: `$YTRACE_TEST_ROUNDS`, or so many.
pub fn rounds(usual: usize) -> usize {
    std::env::var("YTRACE_TEST_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

/// A process that is stopped by a signal, and goes on when this is dropped.
pub struct Stopped(i32);

impl Stopped {
    /// Stops a process that the test started, and waits until it stands still.
    ///
    /// # Panics
    /// If it does not stop.
    pub fn new(pid: i32) -> Self {
        signal(pid, Signal::SIGSTOP);
        wait_for("the signal stops it", || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(')')
                .is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
        });
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal(self.0, Signal::SIGCONT);
    }
}

/// Random numbers from a seed.
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        // Seeds that lie side by side give numbers that have nothing in common (splitmix64).
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    /// A number below a limit; 0 where that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }
}
