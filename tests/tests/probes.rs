//! Probes on events of real programs: what is counted is what the program says of itself.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use ytrace_tests::leaks::{Leaks, Site, assert_followed, build, by_site};
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::Finished;
use ytrace_tests::tracing::{Tracing, says};

const LEAKS: &str = "probes/c-memory-leak-fgraph.y";

#[test]
fn every_block_of_a_program_is_followed() {
    let mut leaks = Leaks::start(3);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leaks.json");
    let pid = leaks.pid().to_string();
    let tracing = Tracing::start(&["run", LEAKS, "-p", &pid, "-o", file.to_str().unwrap()]);
    let sites = leaks.round(300);
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &[" 0 lost", "complete"]);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_followed(&json, &sites);
    assert_untouched(leaks.pid());
}

/// Runs text on a program that does a few rounds, until it is interrupted.
fn probe(leaks: &mut Leaks, text: &str, rounds: usize) -> (Finished, BTreeMap<String, Site>) {
    let pid = leaks.pid().to_string();
    let tracing = Tracing::start(&["run", "-e", text, "-p", &pid]);
    let sites = leaks.round(rounds);
    (tracing.interrupt(), sites)
}

#[test]
fn arguments_results_text_and_stacks_are_those_of_the_call() {
    let mut leaks = Leaks::start(1);
    let text = r#"
        long calls, bytes, same, deep;
        _probe strdup(const char *s) -> char *copy {
            calls++;
            bytes += strlen(copy) + 1;
            same += strcmp(s, copy) == 0;
            deep += _depth(_ubt()) > 4;
        }
        _probe parse_header(struct worker *w) { if (!w->rounds) _error("no rounds"); }
        _probe _end { printf("%ld %ld %ld %ld", calls, bytes, same, deep); }
    "#;
    let (finished, sites) = probe(&mut leaks, text, 100);
    let finished = finished.expect_status(0);
    let copies = sites["copy_name"];
    let expected = format!("{0} {1} {0} {0}", copies.calls, copies.bytes);
    assert_eq!(finished.stdout, expected, "{finished}");
    says(&finished, &[" 0 lost", "complete"]);
    assert_untouched(leaks.pid());
}

#[test]
fn stacks_below_probed_returns_are_whole() {
    let mut leaks = Leaks::start(2);
    let text = r#"
        long calls, whole, served;
        _probe serve(struct worker *w) -> _void { served++; }
        _probe copy_name(struct worker *w) -> _void { served++; }
        _probe strdup(const char *s) -> char *copy { served++; }
        _probe malloc(size_t n) -> void *p {
            _str stack = _sym_ubt(_ubt());
            if (!(stack ~~ rx/strdup/)) return;
            calls++;
            whole += stack ~~ rx/copy_name/ && stack ~~ rx/serve/ && stack ~~ rx/work/ && !(stack ~~ rx/truncated/);
        }
        _probe _end { printf("%ld %ld %d", calls, whole, served > 0); }
    "#;
    let (finished, sites) = probe(&mut leaks, text, 100);
    let finished = finished.expect_status(0);
    let calls = sites["copy_name"].calls;
    assert_eq!(finished.stdout, format!("{calls} {calls} 1"), "{finished}");
    assert_untouched(leaks.pid());
}

/// Each hit is handled with what the script's globals held when it happened, also after a timer has changed them.
#[test]
fn the_kernel_knows_what_globals_of_the_script_hold() {
    let mut leaks = Leaks::start(1);
    let text = r#"
        long *kept; int by_bytes; long seen, right, ticks, least;
        _probe _begin { least = 64; kept = (long *) &counts; }
        _probe _timer.ms(1) {
            ticks++;
            by_bytes = ticks & 1;
            kept = by_bytes ? (long *) &bytes : (long *) &counts;
        }
        _probe parse_header(struct worker *w) {
            right += by_bytes ? (kept == (long *) &bytes && kept[0] >= 32 * seen) : (kept == (long *) &counts && kept[0] == seen);
            if (++seen == 20000) _exit();
        }
        long large;
        _probe malloc(size_t n) { if (n < least) return; large += n >= 64; }
        _probe _end { printf("%ld %ld %d %d", seen, right, ticks > 2, large > 0); }
    "#;
    let pid = leaks.pid().to_string();
    let tracing = Tracing::start(&["run", "-e", text, "-p", &pid]);
    // Timers run in between, when no hit waits.
    for _ in 0..100 {
        leaks.round(200);
    }
    let finished = tracing.finish().expect_status(0);
    assert_eq!(finished.stdout, "20000 20000 1 1", "{finished}");
    says(&finished, &["dropped by conditions", " 0 lost", "complete"]);
}

/// One handler of `free` runs at each hit; the other only where the kernel cannot tell that its table lacks the key. They find the
/// same, whatever the threads do at the same time.
#[test]
fn hits_that_ask_for_absent_keys_are_dropped_and_no_others() {
    let mut leaks = Leaks::start(8);
    let text = r#"
        long all[void *], some[void *], frees, found, bytes, same, same_bytes;
        _probe malloc(size_t n) -> void *p {
            if (!p) return;
            all[p] = n;
            if (n > 100) some[p] = n;
        }
        _probe free(void *p) {
            frees++;
            if (all[p] > 100) { found++; bytes += all[p]; }
            _delete all[p];
        }
        _probe free(void *p) {
            if (!(p in some)) return;
            same++;
            same_bytes += some[p];
            _delete some[p];
        }
        _probe _end {
            long at_the_end[long];
            at_the_end[frees] = 1;
            printf("%d %d %d", found > 100 && frees > found, found == same, bytes == same_bytes);
        }
    "#;
    let (finished, _) = probe(&mut leaks, text, 1000);
    let finished = finished.expect_status(0);
    assert_eq!(finished.stdout, "1 1 1", "{finished}");
    says(&finished, &["dropped by conditions", " 0 lost", "complete"]);
    assert_untouched(leaks.pid());
}

#[test]
fn places_that_are_not_there_are_named() {
    let leaks = Leaks::start(1);
    let pid = leaks.pid().to_string();
    for (text, said) in [
        ("_probe mallok(size_t n) { }", "did you mean"),
        (
            "_probe _usdt(\"leaks:none\") (a) { }",
            "no module of the target has the static probe leaks:none",
        ),
        (
            "_probe _line(\"leaks.c\", 1) { puts(\"here\"); }",
            "the line has no code",
        ),
        (
            "long n; _probe parse_header(struct worker *w) { struct block *b; for (b = w->kept; b; b = b->next) n++; }",
            "this cannot be read at the hit",
        ),
    ] {
        let finished = ytrace_tests::program::run(&["run", "-e", text, "-p", &pid]);
        assert!(
            matches!(finished.status, Some(1 | 2)) && finished.stderr.contains(said),
            "{text}: {finished}"
        );
    }
}

#[test]
fn the_age_of_the_process_goes_on_between_two_looks() {
    let leaks = Leaks::start(1);
    let pid = leaks.pid().to_string();
    let text = "_view table \"Rounds\" \"n\" long n[_str]; _probe _timer.ms(100) { n[\"all\"]++; }";
    let words = ["--interval", "1s", "--duration", "3500ms"];
    let finished =
        ytrace_tests::program::run(&[&["run", "-e", text, "-p", &pid], &words[..]].concat())
            .expect_status(0);
    let ages = finished
        .stdout
        .lines()
        .filter_map(|line| line.split(", up ").nth(1));
    let ages: std::collections::BTreeSet<&str> = ages.collect();
    assert!(ages.len() > 1, "{finished}");
}

#[test]
fn lines_are_probed() {
    let mut leaks = Leaks::start(1);
    let source = ytrace_tests::root().join("tests/fixtures/c/leaks.c");
    let source = std::fs::read_to_string(source).unwrap();
    let line = source
        .lines()
        .position(|line| line.contains("char *grown = realloc("))
        .unwrap()
        + 1;
    let text = format!(
        "long n; _probe _line(\"leaks.c\", {line}) {{ n++; }} _probe _end {{ printf(\"%d\", n > 0); }}"
    );
    let (finished, _) = probe(&mut leaks, &text, 50);
    assert_eq!(finished.stdout, "1", "{finished}");
}

#[test]
fn a_sample_estimates_what_is_allocated() {
    let mut leaks = Leaks::start(2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leaks.json");
    let pid = leaks.pid().to_string();
    let words = ["run", LEAKS, "-p", &pid, "-o", file.to_str().unwrap()];
    let more = ["--", "--every", "16K"];
    let tracing = Tracing::start(&[&words[..], &more[..]].concat());
    let sites = leaks.round(2_000);
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &["outside of the sample", " 0 lost"]);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let found = by_site(&json);
    let every = 16.0 * 1024.0;
    for name in ["parse_body", "use_scratch"] {
        let said = sites[name].bytes as f64;
        let seen = found.get(name).map_or(0, |values| values[2]) as f64;
        // Five standard deviations: the variance is at most the bytes times the rate.
        let most = 5.0 * (said * every).sqrt();
        assert!(
            (seen - said).abs() <= most,
            "{name}: {seen}, {said} ± {most}"
        );
    }
}

#[test]
fn a_killed_ytrace_leaves_the_target_as_it_was() {
    let mut leaks = Leaks::start(2);
    let pid = leaks.pid().to_string();
    for _ in 0..5 {
        let tracing = Tracing::start(&["run", LEAKS, "-p", &pid]);
        leaks.round(50);
        tracing.kill();
        assert_untouched(leaks.pid());
        leaks.round(50);
    }
}

#[test]
fn a_command_is_probed_from_its_start_to_its_exit() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path(), "leaks");
    let line = format!("{} 1", program.display());
    // Its standard input is at its end, so that it ends at once.
    let text = r#"
        long n;
        _probe calloc(size_t a, size_t b) -> void *p { n += a == 1 && p != NULL; }
        _probe _oneshot { printf("at exit %ld\n", n); }
    "#;
    let finished = ytrace_tests::program::run(&["run", "-e", text, "-c", &line]);
    let finished = finished.expect_status(0);
    assert!(finished.stdout.ends_with("at exit 1\n"), "{finished}");
}

#[test]
fn returns_that_exceptions_may_pass_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("throws.cc");
    let text = "#include <cstdio>\n#include <stdexcept>\nextern \"C\" __attribute__((noinline)) int risky(int n) { if (n) throw std::runtime_error(\"n\"); return 1; }\nint main() { puts(\"ready\"); fflush(stdout); getchar(); try { return risky(0) - 1; } catch (...) { return 2; } }\n";
    std::fs::write(&source, text).unwrap();
    let program = folder.path().join("throws");
    let built = Command::new("c++")
        .args(["-O1", "-o"])
        .arg(&program)
        .arg(&source)
        .status()
        .unwrap();
    assert!(built.success());
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let pid = child.id().to_string();
    for (text, refused) in [
        ("long n; _probe risky -> int r { n += r; }", true),
        ("long n; _probe risky { n++; }", false),
        (
            "long n; _probe malloc(size_t n1) -> void *p { n += n1; }",
            false,
        ),
    ] {
        let words = ["run", "-e", text, "-p", &pid, "--duration", "50ms"];
        let finished = ytrace_tests::program::run(&words);
        let finished = finished.expect_status(if refused { 2 } else { 0 });
        let says = |finished: &Finished| finished.stderr.contains("throws or catches exceptions");
        assert_eq!(says(&finished), refused, "{text}: {finished}");
        let forced = [&words[..], &["--force"]].concat();
        let finished = ytrace_tests::program::run(&forced).expect_status(0);
        assert_eq!(says(&finished), refused, "{text}: {finished}");
    }
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
