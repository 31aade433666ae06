//! What is estimated from windows of time (`--duty`) is what programs say of themselves, within what the result states; and what is counted by the clock
//! is so for threads that live briefly.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use ytrace_tests::leaks::{Leaks, Site, by_function};
use ytrace_tests::processes::{assert_untouched, signal};
use ytrace_tests::program::{Finished, LIMIT};
use ytrace_tests::tracing::{Tracing, says};

const LEAKS: &str = "probes/c-memory-leak-fgraph.y";

/// What is stated holds 19 times in 20, which are two standard deviations. Four are hardly ever passed.
const NEARLY_ALWAYS: f64 = 2.0;

/// c-memory-leak-fgraph that says when there have been enough windows for what it states to hold.
fn leaks_until_enough(folder: &Path) -> PathBuf {
    let file = folder.join("enough.y");
    // A quoted name is relative to the file.
    let shipped = ytrace_tests::root().join(LEAKS);
    std::os::unix::fs::symlink(shipped, folder.join("leaks.y")).unwrap();
    let text = "#include \"leaks.y\"\n_Bool enough;\n_probe _timer.ms(50) {\n    if (_windows() > 40 && !enough) {\n        enough = 1;\n        _warn(\"enough\");\n    }\n}\n";
    std::fs::write(&file, text).unwrap();
    file
}

/// Does something again and again until there have been enough windows, and gives what it gave last.
fn until_enough<T>(tracing: &mut Tracing, mut again: impl FnMut() -> T) -> T {
    /// Where it ends before, that is enough, too.
    struct Told<'a>(&'a AtomicBool);
    impl Drop for Told<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let (pid, enough) = (tracing.pid(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _told = Told(&enough);
            tracing.wait_to_say("enough");
        });
        let begun = Instant::now();
        loop {
            let last = again();
            if begun.elapsed() > LIMIT {
                // Then it says nothing more, and whoever waits for that panics.
                signal(pid, Signal::SIGKILL);
            }
            if enough.load(Ordering::Relaxed) {
                return last;
            }
        }
    })
}

/// The bytes that a text names after some words, as people read them.
fn bytes_after(text: &str, words: &str) -> f64 {
    let (_, rest) = text
        .split_once(words)
        .unwrap_or_else(|| panic!("{words}: {text}"));
    let mut parts = rest.split_whitespace();
    let number: f64 = parts.next().unwrap().replace(',', "").parse().unwrap();
    let unit = parts.next().unwrap().trim_end_matches([',', ';', '.']);
    let power = ["B", "kB", "MB", "GB"].iter().position(|one| *one == unit);
    let power = power.unwrap_or_else(|| panic!("{unit} after {words}: {text}"));
    number * 1000_f64.powi(i32::try_from(power).unwrap())
}

/// Whether what was estimated from windows is what a program says of itself, within what the result states.
fn estimated(options: &[&str]) {
    const SITES: [&str; 4] = ["parse_header", "parse_body", "map_page", "copy_name"];
    let mut leaks = Leaks::start(1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.json");
    let pid = leaks.pid().to_string();
    let probe = leaks_until_enough(folder.path());
    let mut words = vec!["run", probe.to_str().unwrap(), "-p", &pid, "--duty", "50%"];
    words.extend(["-o", file.to_str().unwrap(), "--"]);
    words.extend(options);
    let mut tracing = Tracing::start(&words);
    let said = until_enough(&mut tracing, || {
        // Rounds as short as these keep all that they get. It has time to spare between them.
        std::thread::sleep(Duration::from_millis(2));
        leaks.round(40)
    });
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &[" 0 lost", "complete", "watched "]);
    assert_untouched(leaks.pid());
    let json = std::fs::read_to_string(&file).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let text = &finished.stdout;
    let error = bytes_after(text, "what a path holds is within ");
    let doubt = bytes_after(text, "at most ");
    let mut names = SITES.to_vec();
    names.push("use_scratch");
    let found = by_function(&json, &names);
    let held = |name: &str| found.get(name).map_or(0, |values| values[0]) as f64;
    for name in SITES {
        let truth = (said[name].bytes - said[name].freed_bytes) as f64;
        let off = (held(name) - truth).abs();
        assert!(
            off <= NEARLY_ALWAYS * error + doubt && truth > 0.0,
            "{name}: {} for {truth}, {error}, {doubt}; {finished}",
            held(name)
        );
    }
    // What is stated tells something.
    let whole: i64 = said
        .values()
        .map(|site| site.bytes - site.freed_bytes)
        .sum();
    assert!(error + doubt < whole as f64, "{error} {doubt} {finished}");
    // What is given back at once is not held.
    let scratch = found.get("use_scratch").copied().unwrap_or_default();
    let allocated = scratch[2] as f64;
    assert!(
        scratch[0] as f64 <= allocated / 10.0 + doubt && allocated > 0.0,
        "{finished}"
    );
}

#[test]
fn what_is_held_is_estimated_from_windows() {
    estimated(&[]);
}

#[test]
fn what_is_held_is_estimated_from_a_sample_in_windows() {
    estimated(&["--every", "1K"]);
}

#[test]
fn a_share_of_the_time_is_refused_where_it_means_nothing() {
    let mut leaks = Leaks::start(1);
    leaks.round(1);
    let pid = leaks.pid().to_string();
    let words = ["run", LEAKS, "-p", &pid, "--duty", "5%", "--sync"];
    let finished = ytrace_tests::program::run(&words).expect_status(2);
    says(&finished, &["--duty does not go with --sync or --when"]);
    for share in ["0", "101%", "-5", "some"] {
        let words = ["run", LEAKS, "-p", &pid, "--duty", share];
        ytrace_tests::program::run(&words).expect_status(2);
    }
    let words = ["run", LEAKS, "-p", &pid, "--duty", "5%", "--", "--mmap"];
    let finished = ytrace_tests::program::run(&words).expect_status(1);
    says(&finished, &["--duty does not go with --alloc or --mmap"]);
}

/// What a program of windows.c says after some times so many rounds in windows of a share of the time, and what the result says.
fn in_windows(
    what: usize,
    duty: &str,
    rounds: usize,
) -> (BTreeMap<String, Site>, Finished, BTreeMap<String, [i64; 5]>) {
    const SITES: [&str; 6] = ["overlaid", "overlay", "kept", "resize", "busy", "idle"];
    let mut program = Leaks::start_program("windows", what);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.json");
    let pid = program.pid().to_string();
    let probe = leaks_until_enough(folder.path());
    let mut words = vec!["run", probe.to_str().unwrap(), "-p", &pid, "--duty", duty];
    words.extend(["-o", file.to_str().unwrap()]);
    let mut tracing = Tracing::start(&words);
    let said = until_enough(&mut tracing, || program.round(rounds));
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &[" 0 lost", "complete", "watched "]);
    assert_untouched(program.pid());
    let json = std::fs::read_to_string(&file).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    (said, finished, by_function(&json, &SITES))
}

#[test]
fn what_lies_under_a_larger_block_is_not_held() {
    let (said, finished, found) = in_windows(1, "50%", 1000);
    assert_eq!(said["overlaid"].calls, said["overlaid"].freed_calls);
    let doubt = bytes_after(&finished.stdout, "at most ");
    let [held, _, allocated, ..] = found["overlaid"];
    // A walk from chunk to chunk tells it of nearly all.
    assert!(
        held as f64 <= doubt && doubt <= allocated as f64 / 10.0,
        "{finished}"
    );
    let error = bytes_after(&finished.stdout, "what a path holds is within ");
    for name in ["overlay", "kept"] {
        let off = (found[name][0] - said[name].bytes).abs() as f64;
        assert!(off <= NEARLY_ALWAYS * error + doubt, "{name}; {finished}");
    }
}

#[test]
fn what_grows_in_its_place_is_no_new_block() {
    let (said, finished, found) = in_windows(2, "50%", 500);
    let found = found["resize"];
    assert_eq!(found[0..2], [0, 0], "{finished}");
    assert_eq!(found[2], found[4], "{finished}");
    let error = bytes_after(&finished.stdout, "what a path allocated is within ");
    let (estimate, truth) = (found[2] as f64, said["resize"].bytes as f64);
    assert!(
        estimate > 0.0 && (estimate - truth).abs() <= NEARLY_ALWAYS * error,
        "{said:?}; {finished}"
    );
}

#[test]
fn what_is_busy_at_times_is_estimated_without_bias() {
    let (said, finished, found) = in_windows(3, "40%", 1000);
    let error = bytes_after(&finished.stdout, "what a path allocated is within ");
    for name in ["busy", "idle"] {
        let estimate = found.get(name).map_or(0, |values| values[2]) as f64;
        let truth = said[name].bytes as f64;
        assert!(
            (estimate - truth).abs() <= NEARLY_ALWAYS * error,
            "{name}: {estimate} for {truth}, {error}; {finished}"
        );
    }
    assert!(error < said["busy"].bytes as f64, "{finished}");
    assert!(
        finished
            .stdout
            .contains("a path that no window saw is at work in less than"),
        "{finished}"
    );
}

#[test]
fn what_pairs_events_refuses_a_share_of_the_time() {
    let leaks = Leaks::start(1);
    let pid = leaks.pid().to_string();
    for probe in ["mmap-leaks", "mem-growth-fgraph", "ngx-pool-leaks"] {
        let file = format!("probes/{probe}.y");
        let finished = ytrace_tests::program::run(&["run", &file, "-p", &pid, "--duty", "5%"]);
        says(&finished.expect_status(1), &["leave out --duty"]);
    }
}

/// How many samples a second of processor time gave, of a program of brief.c, while it did so many rounds.
fn samples(what: usize, hertz: u32, rounds: usize) -> f64 {
    let mut program = Leaks::start_program("brief", what);
    let pid = program.pid().to_string();
    let text = format!(
        "long n; _probe _timer.profile({hertz}) {{ n++; }} _probe _end {{ printf(\"%ld\\n\", n); }}"
    );
    let tracing = Tracing::start(&["run", "-e", &text, "-p", &pid]);
    let before = program.round(0)["compute"].bytes;
    let after = program.round(rounds)["compute"].bytes;
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &[" 0 lost", "complete"]);
    program.kill();
    let samples: f64 = finished.stdout.trim().parse().unwrap();
    samples / ((after - before) as f64 / 1e9)
}

#[test]
fn threads_that_are_shorter_than_a_period_are_sampled() {
    // A processor that is taken away for a while strikes for it and is not charged for it, and samples scatter.
    let seen = samples(1, 99, 400);
    assert!((60.0..160.0).contains(&seen), "{seen}");
}

#[test]
fn threads_that_start_while_probes_are_attached_are_sampled() {
    // It computes on until the interrupt is seen; that samples are as many as its processor time demands is what "complete" says.
    let seen = samples(2, 999, 4000);
    assert!(seen > 800.0, "{seen}");
}
