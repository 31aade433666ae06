//! Probes by programs in the kernel and by `perf_event_open` alone: where both can, they give the same; else the second says what it cannot.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;

use ytrace_tests::code::Code;
use ytrace_tests::compile;
use ytrace_tests::leaks::build;
use ytrace_tests::processes::{assert_untouched, wait_for};
use ytrace_tests::program::{Finished, command, finish};
use ytrace_tests::tracing::{Tracing, says};

/// The ways: what `YTRACE_FORBID` has for each.
const BPF: &str = "";
const PERF: &str = "bpf";

/// The program `ordered`, which does as it is told.
struct Ordered {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Ordered {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(build(folder.path(), "ordered"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ordered = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            _folder: folder,
        };
        ordered.done();
        ordered
    }

    fn done(&mut self) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line, "DONE\n");
    }

    fn send(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn tell(&mut self, line: &str) {
        self.send(line);
        self.done();
    }

    /// Has it compute while something is done.
    fn busy<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let (ended, end) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while end.try_recv() == Err(mpsc::TryRecvError::Empty) {
                    self.tell("spin 10000000");
                }
            });
            let done = act();
            // By a panic, too.
            drop(ended);
            done
        })
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Runs a probe by one way while something is done.
    fn probed(
        &mut self,
        tier: &str,
        text: &str,
        act: impl FnOnce(&mut Self, &Tracing),
    ) -> Finished {
        let pid = self.pid().to_string();
        let words = ["run", "-v", "-e", text, "-p", &pid];
        let tracing = Tracing::start_with(&words, &[("YTRACE_FORBID", tier)]);
        let tracing = tracing.unwrap_or_else(|ended| panic!("{ended}"));
        act(self, &tracing);
        tracing.interrupt()
    }

    /// The same by both ways, with the same output; gives what they said.
    fn same(&mut self, text: &str, work: &[&str]) -> [Finished; 2] {
        let both = [BPF, PERF].map(|tier| {
            let finished = self.probed(tier, text, |ordered, _| {
                for line in work {
                    ordered.tell(line);
                }
            });
            finished.expect_status(0)
        });
        let [bpf, perf] = &both;
        assert!(!bpf.stdout.is_empty(), "{bpf}");
        assert_eq!(bpf.stdout, perf.stdout, "{bpf}\n{perf}");
        says(bpf, &["events by BPF programs in the kernel"]);
        says(
            perf,
            &[
                "events by perf_event_open alone, without BPF programs: YTRACE_FORBID switches it off",
            ],
        );
        assert_untouched(self.pid());
        both
    }
}

impl Drop for Ordered {
    fn drop(&mut self) {
        // It ends with its input.
        self.input = None;
        self.child.wait().unwrap();
    }
}

/// How many hits the footer tells.
fn hits(finished: &Finished) -> String {
    let words: Vec<&str> = finished.stderr.split_whitespace().collect();
    let place = words.windows(2).position(|two| two == ["hits", "at"]);
    let place = place.unwrap_or_else(|| panic!("no hits; {finished}"));
    words[place - 1].to_owned()
}

#[test]
fn arguments_and_results_are_the_same() {
    let mut ordered = Ordered::start();
    ordered.tell("start 3");
    let text = r#"
        _str lines[_str];
        _probe step(long thread, long number) { lines[sprintf("e %03d %d", number, thread)] = "entry"; }
        _probe step(long thread, long number) -> long r {
            lines[sprintf("r %03d %d", number, thread)] = sprintf("%ld %d", r, _entry(number) == number);
        }
        _probe many(long a, long b, long c, long d, long e, long f, long g, int h) -> long r {
            lines[sprintf("m %03d %d", g, h)] = sprintf("%d%d%d%d%d%d %ld", a, b, c, d, e, f, r);
        }
        _probe many(long a, long b, long c, long d, long e, long f, long g, int h) { _print(g * 10 + h < -1000); }
        _probe nest(long depth, long number) -> long r { lines[sprintf("n %03d %d %ld", number, depth, r)] = ""; }
        _probe _end { _foreach (key, value in lines _by key) printf("%s %s\n", key, value); }
    "#;
    let text = text.replace("_probe many(long a, long b, long c, long d, long e, long f, long g, int h) { _print(g * 10 + h < -1000); }\n", "");
    let [bpf, perf] = ordered.same(&text, &["work 100"]);
    assert_eq!(hits(&bpf), hits(&perf));
    assert!(bpf.stdout.lines().count() > 800, "{bpf}");
}

#[test]
fn arguments_on_the_stack_are_the_same() {
    let mut ordered = Ordered::start();
    let text = "_probe many(long a, long b, long c, long d, long e, long f, long g, int h) { printf(\"%d %ld %d\\n\", a, g, h); }";
    let [bpf, _] = ordered.same(text, &["work 50"]);
    assert!(bpf.stdout.contains("1 48 -3\n"), "{bpf}");
}

#[test]
fn what_is_filtered_counted_and_added_up_is_the_same() {
    let mut ordered = Ordered::start();
    ordered.tell("start 5");
    let text = r#"
        long hits, wanted, sums[long]; _agg numbers, results, by[long]; struct both { long n; long sum; }; struct both all[long];
        _probe step(long thread, long number) {
            hits++;
            numbers <<< number * 3 - 40;
            by[number % 3] <<< number;
            sums[thread] += number;
        }
        _probe step(long thread, long number) {
            if (number < 10 || number > 60) return;
            wanted++;
            all[thread].n++;
            all[thread].sum -= number;
        }
        _probe step(long thread, long number) -> long r { if (number % 2) return; results <<< r; }
        _probe _end {
            printf("%ld %ld %V %s %s\n", hits, wanted, numbers, _hist_log(numbers), _hist_linear(numbers, 0, 200, 20));
            printf("%V %ld %s\n", results, _variance(results), _hist_log(results));
            _foreach (key, value in sums _by key) printf("%d %d\n", key, value);
            _foreach (key, value in all _by key) printf("%d %d %d\n", key, value.n, value.sum);
            _foreach (key, value in by _by key) printf("%d %V\n", key, value);
        }
    "#;
    let [bpf, perf] = ordered.same(text, &["work 80"]);
    assert_eq!(hits(&bpf), hits(&perf));
    for (finished, handled) in [
        (&bpf, " handled by the kernel"),
        (&perf, " added up from samples"),
    ] {
        says(finished, &[handled, " 0 lost", "dropped by conditions"]);
    }
}

#[test]
fn stacks_are_the_same() {
    let mut ordered = Ordered::start();
    ordered.tell("start 2");
    // Those of calls whose return is probed have the kernel's address in them.
    let text = r#"
        long of[_str];
        _probe step(long thread, long number) { of[sprintf("%V", _ubt())]++; }
        _probe nest(long depth, long number) -> long r { of[sprintf("r %V", _ubt())]++; }
        _probe _end { _foreach (key, value in of _by key) printf("%d %s\n", value, key); }
    "#;
    let [bpf, _] = ordered.same(text, &["work 40"]);
    for frame in ["step", "nest", "work", "life", "main"] {
        assert!(bpf.stdout.contains(frame), "{frame}: {bpf}");
    }
    assert!(!bpf.stdout.contains("[uprobes]"), "{bpf}");
}

/// The events that a process holds.
fn events(pid: i32) -> usize {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = links.filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
    links
        .filter(|link| link.as_path() == Path::new("anon_inode:[perf_event]"))
        .count()
}

#[test]
fn threads_that_start_and_end_are_counted_from_when_they_are_found() {
    let mut ordered = Ordered::start();
    let text = "long hits, returns; _probe step(long thread, long number) { hits++; }
        _probe nest(long depth, long number) -> long r { returns += r; } _probe _end { printf(\"%d %d\\n\", hits, returns); }";
    let mut printed = Vec::new();
    for tier in [BPF, PERF] {
        let finished = ordered.probed(tier, text, |ordered, tracing| {
            let before = events(tracing.pid());
            ordered.tell("start 64");
            if tier == PERF {
                // Each has a ring and the events of the first.
                wait_for("threads are found", || events(tracing.pid()) >= 65 * before);
            }
            ordered.tell("work 30");
            ordered.tell("end");
        });
        match tier {
            BPF => assert_eq!(finished.status, Some(0), "{finished}"),
            _ => {
                assert_eq!(finished.status, Some(3), "{finished}");
                says(
                    &finished,
                    &["64 threads began while hits were counted", " 0 lost"],
                );
            }
        }
        printed.push(finished.stdout);
    }
    assert_eq!(printed[0], printed[1]);
    // 30 calls and 8 more from `nest`, of each.
    assert!(
        printed[0].starts_with(&format!("{} ", 65 * 38)),
        "{printed:?}"
    );
}

#[test]
fn the_end_of_the_target_is_the_end() {
    for tier in [BPF, PERF] {
        let mut ordered = Ordered::start();
        ordered.tell("start 4");
        let pid = ordered.pid().to_string();
        let text = "long hits; _probe step(long thread, long number) -> long r { hits++; } _probe _end { printf(\"%d\\n\", hits); }";
        let tracing =
            Tracing::start_with(&["run", "-e", text, "-p", &pid], &[("YTRACE_FORBID", tier)]);
        let tracing = tracing.unwrap_or_else(|ended| panic!("{ended}"));
        ordered.tell("work 10");
        ordered.send("quit");
        // Its parent waits for it only later.
        let finished = tracing.finish().expect_status(0);
        assert_eq!(finished.stdout, format!("{}\n", 5 * 13), "{finished}");
    }
}

#[test]
fn nothing_is_left_of_a_run_that_is_killed() {
    let mut ordered = Ordered::start();
    ordered.tell("start 8");
    let code = Code::of_files(ordered.pid(), |path| path.ends_with("/ordered"));
    let pid = ordered.pid().to_string();
    let text = "_probe `s*tep` -> _void { } _probe nest { } _probe many { }";
    for _ in 0..3 {
        let words = ["run", "-e", text, "-p", &pid];
        let tracing = Tracing::start_with(&words, &[("YTRACE_FORBID", PERF)]);
        let tracing = tracing.unwrap_or_else(|ended| panic!("{ended}"));
        assert!(!code.changed().is_empty());
        ordered.tell("work 20");
        tracing.kill();
        wait_for("the probes are gone", || code.changed().is_empty());
        ordered.tell("work 20");
    }
}

#[test]
fn what_is_lost_is_counted() {
    let mut ordered = Ordered::start();
    const CALLS: u64 = 60_000;
    let text = "long hits; _str last; _probe step(long thread, long number) { last = sprintf(\"%V\", _ubt()); hits++; }
        _probe _end { printf(\"%d\\n\", hits); }";
    let finished = ordered.probed(PERF, text, |ordered, _| {
        ordered.tell(&format!("spin {CALLS}"))
    });
    let printed: u64 = finished.stdout.trim().parse().unwrap();
    let words: Vec<String> = finished
        .stderr
        .split_whitespace()
        .map(|word| word.replace(',', ""))
        .collect();
    let before = |what: &str| {
        let place = words.iter().position(|word| word == what);
        place.and_then(|place| words[place - 1].parse::<u64>().ok())
    };
    assert_eq!(before("hits"), Some(CALLS), "{finished}");
    assert_eq!(before("lost"), Some(CALLS - printed), "{finished}");
    assert!(printed < CALLS, "nothing was lost: {finished}");
    assert_eq!(finished.status, Some(3), "{finished}");
}

#[test]
fn what_cannot_be_had_is_refused() {
    let ordered = Ordered::start();
    let pid = ordered.pid().to_string();
    let run = |forbid: &str, words: &[&str]| {
        let words = [&["run", "-p", &pid], words].concat();
        finish(command(&words).env("YTRACE_FORBID", forbid))
    };
    let text = "_probe loud(const char *text) { printf(\"%s\\n\", _tostr(text)); }";
    let refused = run(PERF, &["-e", text]).expect_status(2);
    says(
        &refused,
        &[
            "cannot be had by perf_event_open alone",
            "BPF programs would allow it (YTRACE_FORBID switches it off)",
            "--sync",
        ],
    );
    let text = "_probe loud(const char *text) { printf(\"%d\\n\", text[0]); }";
    says(
        &run(PERF, &["-e", text]).expect_status(2),
        &["what a pointer leads to", "--sync"],
    );
    let text = "_probe step { }";
    let refused = run(PERF, &["-e", text, "--children"]).expect_status(2);
    says(
        &refused,
        &["following children cannot be had by perf_event_open alone"],
    );
    let refused = run("bpf,perf_uprobes", &["-e", text]).expect_status(2);
    says(
        &refused,
        &[
            "the kernel refuses BPF programs",
            "and probes by perf_event_open, which do without",
            "`--sync` does without",
        ],
    );
    let leaks = run(PERF, &["probes/c-memory-leak-fgraph.y", "--duration", "1s"]);
    says(
        &leaks.expect_status(2),
        &["cannot be had by perf_event_open alone"],
    );
    let told = finish(command(&["doctor"]).env("YTRACE_FORBID", PERF)).expect_status(0);
    assert!(
        told.stdout
            .contains("limited  probes on events: by perf_event_open alone"),
        "{told}"
    );
}

/// Executes a command that may not call bpf(2), as container runtimes have it.
const FILTERED: &str = r#"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return 99;
    execv(argv[1], argv + 1);
    return 98;
}
"#;

#[test]
fn who_may_not_load_programs_probes_without() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path(), "ordered");
    let filtered = compile(folder.path(), "filtered", FILTERED, &[]);
    let text = "long hits; _probe step(long thread, long number) -> long r { hits += r == number * 2; } _probe _end { printf(\"%d\\n\", hits); }";
    let child = Command::new(filtered)
        .arg(ytrace_tests::program::ytrace())
        .args(["run", "-e", text, "-c"])
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    writeln!(child.stdin.take().unwrap(), "work 10").unwrap();
    let finished = ytrace_tests::program::finish_child(child).expect_status(0);
    assert!(finished.stdout.contains("13\n"), "{finished}");
    says(
        &finished,
        &["events by perf_event_open alone, without BPF programs: a seccomp filter"],
    );
}

#[test]
fn a_place_for_each_thread_is_no_more_than_may_be_open() {
    let mut ordered = Ordered::start();
    ordered.tell("start 30");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -n 100; exec \"$@\"", "sh"])
        .arg(ytrace_tests::program::ytrace())
        .args([
            "run",
            "-e",
            "_probe step -> _void { } _probe nest -> _void { }",
            "-p",
        ])
        .arg(ordered.pid().to_string())
        .env("YTRACE_FORBID", PERF)
        .stdin(Stdio::null());
    let refused = finish(&mut shell).expect_status(2);
    says(
        &refused,
        &["for each of 31 threads", "(100)", "RLIMIT_NOFILE"],
    );
}

/// That a result is complete, or lacks nothing but samples that found no room and are counted: how many come depends on what else the machine does.
fn complete_but_for_losses(finished: &Finished) {
    match finished.status {
        Some(0) => {}
        _ => {
            assert_eq!(finished.status, Some(3), "{finished}");
            says(finished, &["lost: "]);
        }
    }
}

#[test]
fn time_is_sampled_with_stacks() {
    const WANTED: u64 = 50;
    let mut ordered = Ordered::start();
    let pid = ordered.pid().to_string();
    let text = format!(
        "long of[_str], n; _probe _timer.profile(999) {{ of[sprintf(\"%V\", _ubt())]++; if (++n == {WANTED}) printf(\"enough\\n\"); }}
        _probe _end {{ printf(\"%d samples\\n\", n); _foreach (key, value in of) printf(\"%d %s\\n\", value, key); }}"
    );
    let words = ["run", "-e", &text, "-p", &pid];
    let mut tracing = Tracing::start_with(&words, &[("YTRACE_FORBID", PERF)]).unwrap();
    // It has to run for so long that so many come, however seldom it may run.
    let finished = ordered.busy(|| {
        tracing.wait_for("enough");
        tracing.interrupt()
    });
    complete_but_for_losses(&finished);
    let lines = finished.stdout.lines().filter(|line| *line != "enough");
    let rows: Vec<(u64, &str)> = lines
        .map(|line| {
            let (number, rest) = line.split_once(' ').unwrap();
            (number.parse().unwrap(), rest)
        })
        .collect();
    let [(samples, "samples"), stacks @ ..] = &rows[..] else {
        panic!("{finished}");
    };
    assert!(*samples >= WANTED, "{finished}");
    assert_eq!(stacks.iter().map(|row| row.0).sum::<u64>(), *samples);
    let main = stacks.iter().filter(|row| row.1.contains("main"));
    let main: u64 = main.map(|row| row.0).sum();
    // What is not is in the C library, where a line is read and written.
    assert!(main > samples / 2, "{finished}");
}

#[test]
fn the_profile_of_the_processor_works_without_programs() {
    let mut ordered = Ordered::start();
    let pid = ordered.pid().to_string();
    let profile = |more: &[&'static str]| {
        let mut words = vec![
            "run",
            "probes/cpu-profile.y",
            "-p",
            &pid,
            "--duration",
            "2s",
        ];
        words.extend(more);
        words
    };
    // What LuaJIT runs is in its own memory.
    let refused = finish(command(&profile(&[])).env("YTRACE_FORBID", PERF)).expect_status(2);
    says(&refused, &["cannot be had by perf_event_open alone"]);
    let words = profile(&["--", "--no-lua", "--hz", "999"]);
    let tracing = Tracing::start_with(&words, &[("YTRACE_FORBID", PERF)]).unwrap();
    let finished = ordered.busy(|| tracing.finish());
    assert!(matches!(finished.status, Some(0 | 3)), "{finished}");
    for shown in ["main", " samples, ", "Processor time"] {
        assert!(finished.stdout.contains(shown), "no {shown}: {finished}");
    }
}

/// Another program, and the end of the last thread.
#[test]
fn programs_and_threads_that_begin_and_end_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path(), "ordered");
    let program = program.to_str().unwrap();
    let text = "long programs, ends; _probe _exec { programs++; } _probe _thread_end { ends++; }
        _probe _end { printf(\"programs %d, ends %d\\n\", programs, ends); }";
    // It waits for its input until it is probed, and then becomes another program.
    for tier in [BPF, PERF] {
        let script = format!("read line; exec {program}");
        let mut shell = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pid = shell.id().to_string();
        let words = ["run", "-e", text, "-p", &pid];
        let tracing = Tracing::start_with(&words, &[("YTRACE_FORBID", tier)]);
        let tracing = tracing.unwrap_or_else(|ended| panic!("{ended}"));
        writeln!(shell.stdin.take().unwrap(), "go\nwork 5\nquit").unwrap();
        let finished = tracing.finish();
        shell.wait().unwrap();
        let finished = finished.expect_status(0);
        assert_eq!(finished.stdout, "programs 1, ends 1\n", "{finished}");
        says(&finished, &["the target executed"]);
    }
}

/// A command may be at its end before it is let go of.
#[test]
fn the_last_thread_of_a_command_ends_as_others_do() {
    let text = "long ends; _probe _thread_end { ends++; } _probe _end { printf(\"%d\\n\", ends); }";
    for _ in 0..20 {
        for tier in [BPF, PERF] {
            let mut run = command(&["run", "-e", text, "-c", "/bin/true"]);
            let finished = finish(run.env("YTRACE_FORBID", tier)).expect_status(0);
            assert_eq!(finished.stdout, "1\n", "{tier}: {finished}");
        }
    }
}
