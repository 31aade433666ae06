//! Probes that stop the thread that is hit: `--sync`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ytrace_tests::leaks::{Leaks, assert_followed, build};
use ytrace_tests::processes::{assert_let_go, assert_untouched};
use ytrace_tests::program::{Finished, run};
use ytrace_tests::tracing::{Tracing, says};

const LEAKS: &str = "probes/c-memory-leak-fgraph.y";

#[test]
fn every_block_of_a_program_is_followed() {
    let mut leaks = Leaks::start(3);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leaks.json");
    let pid = leaks.pid().to_string();
    let words = ["run", LEAKS, "--sync", "-p", &pid];
    let tracing = Tracing::start(&[&words[..], &["-o", file.to_str().unwrap()]].concat());
    let sites = leaks.round(100);
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &["complete", "threads were held"]);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_followed(&json, &sites);
    assert_untouched(leaks.pid());
}

/// Runs text on a process until it is interrupted, which is when `act` has been done.
fn probe<T>(pid: i32, text: &str, more: &[&str], act: impl FnOnce() -> T) -> (Finished, T) {
    let pid = pid.to_string();
    let words = ["run", "--sync", "-e", text, "-p", &pid];
    let tracing = Tracing::start(&[&words[..], more].concat());
    let done = act();
    (tracing.interrupt(), done)
}

#[test]
fn handlers_follow_lists_as_of_the_call_and_as_of_the_return() {
    let mut leaks = Leaks::start(1);
    let text = r#"
        long length(struct block *b) { long n = 0; for (; b; b = b->next) n++; return n; }
        _probe drop_some(struct worker *w) { printf("before %d\n", length(w->kept)); }
        _probe drop_some(struct worker *w) -> _void { printf("after %d, was %d\n", length(w->kept), _entry(w->kept) != NULL); }
    "#;
    let pid = leaks.pid();
    // Once in 64 rounds it drops some.
    let (finished, sites) = probe(pid, text, &[], || leaks.round(64));
    let finished = finished.expect_status(0);
    let kept = ["parse_header", "parse_body", "map_page", "copy_name"];
    let sum = |of: fn(&ytrace_tests::leaks::Site) -> i64| -> i64 {
        kept.iter().map(|name| of(&sites[*name])).sum()
    };
    let (calls, freed) = (sum(|site| site.calls), sum(|site| site.freed_calls));
    assert!(freed > 10);
    let expected = format!("before {calls}\nafter {}, was 1\n", calls - freed);
    assert_eq!(finished.stdout, expected, "{finished}");
    assert_untouched(pid);
    // Without it, the compiler says what would do.
    let refused = run(&["run", "-e", text, "-p", &pid.to_string()]).expect_status(1);
    says(&refused, &["this cannot be read at the hit", "`--sync`"]);
}

#[test]
fn arguments_results_text_and_stacks_are_those_of_the_call() {
    let mut leaks = Leaks::start(2);
    let text = r#"
        long calls, bytes, same, deep;
        _probe strdup(const char *s) -> char *copy {
            calls++;
            bytes += strlen(copy) + 1;
            same += strcmp(s, copy) == 0;
            deep += _depth(_ubt()) > 4;
        }
        long sampled, drawn;
        _probe copy_name { long w = _every(4096, 1024); drawn += w > 0; sampled += w; if (w && w != 4096) _error("weight"); }
        _probe _end { printf("%ld %ld %ld %ld %d", calls, bytes, same, deep, drawn > calls / 8 && drawn < calls / 2); }
    "#;
    let pid = leaks.pid();
    let (finished, sites) = probe(pid, text, &[], || leaks.round(200));
    let finished = finished.expect_status(0);
    let copies = sites["copy_name"];
    let expected = format!("{0} {1} {0} {0} 1", copies.calls, copies.bytes);
    assert_eq!(finished.stdout, expected, "{finished}");
    assert_untouched(pid);
}

#[test]
fn timers_run_beside_stops() {
    let mut leaks = Leaks::start(2);
    let text = r#"
        long hits, rounds;
        _probe parse_header(struct worker *w) { hits++; }
        _probe _timer.ms(5) { rounds++; if (hits > 100 && rounds > 2) _exit(); }
        _probe _end { printf("%d", rounds > 2); }
    "#;
    let pid = leaks.pid().to_string();
    let words = ["run", "--sync", "-e", text, "-p", &pid];
    let tracing = Tracing::start(&words);
    leaks.round(300);
    let finished = tracing.finish().expect_status(0);
    assert_eq!(finished.stdout, "1", "{finished}");
    assert_untouched(leaks.pid());
}

/// The program `happens`.
struct Happens {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Happens {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(build(folder.path(), "happens"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut happens = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            _folder: folder,
        };
        assert_eq!(happens.line(), "ready");
        happens
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Does what it is told, and gives its answer.
    fn does(&mut self, what: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{what}").unwrap();
        self.line()
    }
}

impl Drop for Happens {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }
}

#[test]
fn writes_to_a_variable_are_seen_with_who_made_them() {
    let mut happens = Happens::start();
    let text = r#"
        long writes, sum, by;
        _probe _watch(&written, 8, "w") { writes++; sum += written; by += _usym(_pc_reg()) ~~ rx/^write_it/ ? 1 : 0; }
        _probe _end { printf("%ld %ld %ld", writes, sum, by); }
    "#;
    let pid = happens.pid();
    let (finished, _) = probe(pid, text, &[], || happens.does("write 50"));
    let finished = finished.expect_status(0);
    assert_eq!(finished.stdout, "50 1275 50", "{finished}");
    assert_untouched(pid);
    // The kernel's back end has none.
    let refused = run(&["run", "-e", text, "-p", &pid.to_string()]).expect_status(2);
    says(&refused, &["a watchpoint cannot be had", "`--sync`"]);
}

#[test]
fn signals_and_threads_are_seen_and_pass() {
    let mut happens = Happens::start();
    let text = r#"
        long signals[int], begun, ended;
        _probe _signal { signals[_arg(0)]++; }
        _probe _thread_begin { begun++; }
        _probe _thread_end { ended++; }
        _probe _end { printf("%ld %d %ld %ld", signals[10], _elems(signals), begun, ended); }
    "#;
    let pid = happens.pid();
    let (finished, answer) = probe(pid, text, &[], || {
        happens.does("signal 20");
        happens.does("thread 15")
    });
    let finished = finished.expect_status(0);
    assert_eq!(finished.stdout, "20 1 15 15", "{finished}");
    // None was lost on its way.
    assert_eq!(answer, "done 20");
    assert_untouched(pid);
}

#[test]
fn a_process_is_seen_to_exit_with_its_memory_still_there() {
    let mut happens = Happens::start();
    happens.does("write 7");
    let text = r#"_probe _exit { printf("status %d, written %ld\n", _arg(0) >> 8, written); }"#;
    let pid = happens.pid().to_string();
    let tracing = Tracing::start(&["run", "--sync", "-e", text, "-p", &pid]);
    writeln!(happens.input.as_mut().unwrap(), "exit 5").unwrap();
    let finished = tracing.finish().expect_status(0);
    assert_eq!(finished.stdout, "status 5, written 7\n", "{finished}");
    says(
        &finished,
        &["1 hit at 0 places, 1 stop", "the target ended"],
    );
    assert_eq!(happens.child.wait().unwrap().code(), Some(5));
}

#[test]
fn the_end_of_every_thread_is_seen_in_every_mode() {
    let text = r#"
        long ended;
        _probe _thread_end { ended++; }
        _probe _end { printf("%d\n", ended); }
    "#;
    for more in [&[][..], &["--children"], &["--sync"]] {
        let mut happens = Happens::start();
        let pid = happens.pid().to_string();
        let tracing = Tracing::start(&[&["run", "-e", text, "-p", &pid][..], more].concat());
        happens.does("thread 20");
        writeln!(happens.input.as_mut().unwrap(), "exit 0").unwrap();
        let finished = tracing.finish().expect_status(0);
        assert_eq!(finished.stdout, "21\n", "{more:?} {finished}");
    }
    // The last thread tells of the exit, too, and of that last.
    let mut happens = Happens::start();
    let text = r#"
        _probe _exit { printf("exit %d\n", _arg(0) >> 8); }
        _probe _thread_end { printf("end %d\n", _tid() == _pid()); }
    "#;
    let pid = happens.pid().to_string();
    let tracing = Tracing::start(&["run", "--sync", "-e", text, "-p", &pid]);
    happens.does("thread 1");
    writeln!(happens.input.as_mut().unwrap(), "exit 5").unwrap();
    let finished = tracing.finish().expect_status(0);
    assert_eq!(finished.stdout, "end 0\nend 1\nexit 5\n", "{finished}");
}

/// The bytes of a program's own text as a process has them.
fn text_of(pid: i32, program: &Path) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let line = maps
        .lines()
        .find(|line| line.contains(" r-xp ") && line.ends_with(program.to_str().unwrap()))
        .unwrap();
    let (start, rest) = line.split_once('-').unwrap();
    let end = rest.split(' ').next().unwrap();
    let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
    let mut bytes = vec![0; (number(end) - number(start)) as usize];
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    memory.read_exact_at(&mut bytes, number(start)).unwrap();
    bytes
}

#[test]
fn the_text_is_as_it_was_after_an_interrupt_and_after_a_kill() {
    let mut leaks = Leaks::start(2);
    let pid = leaks.pid();
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    let before = text_of(pid, &program);
    // More places than the processor has registers for.
    let text = r#"
        long n;
        _probe `parse_*` { n++; }
        _probe grow_list { n++; }
        _probe map_page { n++; }
        _probe copy_name -> _void { n++; }
        _probe use_scratch -> _void { n++; }
        _probe serve { n++; }
    "#;
    let number = pid.to_string();
    let words = ["run", "--sync", "-e", text, "-p", &number];
    for kill in [false, true, true] {
        let tracing = Tracing::start(&words);
        assert_ne!(text_of(pid, &program), before);
        leaks.round(20);
        match kill {
            false => {
                tracing.interrupt().expect_status(0);
            }
            true => tracing.kill(),
        }
        assert_let_go(pid);
        assert_eq!(text_of(pid, &program), before, "killed: {kill}");
        leaks.round(5);
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let leaks = Leaks::start(1);
    let pid = leaks.pid().to_string();
    let oneshot = "_probe _oneshot { }";
    let refusals: [(&[&str], i32, &str); 6] = [
        (
            &["-e", "_probe _timer.profile(10) { }", "--sync"],
            2,
            "`_timer.profile` cannot be had with --sync",
        ),
        (
            &["-e", oneshot, "--when", "serve { }"],
            2,
            "--when takes the head of a probe",
        ),
        (
            &["-e", oneshot, "--when", "_timer.s(1)"],
            2,
            "--when takes an event",
        ),
        (
            &[
                "-e",
                oneshot,
                "--when",
                "serve(struct worker *w)",
                "--if",
                "w->none",
            ],
            1,
            "[ --if:1:4 ]",
        ),
        (
            &["-e", oneshot, "--when", "serv(struct worker *w)"],
            1,
            "did you mean `serve`",
        ),
        (
            &["-e", "_probe serve { }", "--when", "serve"],
            2,
            "timers or probes on events of its own",
        ),
    ];
    for (words, status, said) in refusals {
        let finished = run(&[&["run", "-p", &pid], words].concat()).expect_status(status);
        says(&finished, &[said]);
    }
    let words = ["run", "--sync", "-c", "true", "-e", oneshot];
    let finished = run(&words).expect_status(2);
    says(
        &finished,
        &["a process has one tracer", "ytrace run --sync -p $!"],
    );
    assert_untouched(leaks.pid());
}
