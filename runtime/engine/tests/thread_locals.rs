//! Thread-local variables of a real program: of its executable and of its libraries, in each of its threads.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ytrace_lang::source::SourceFile;
use ytrace_runtime::{ExecutorKind, Finished, Mode, Options, Session, SessionError, Sink};
use ytrace_target::Process;

static INTERRUPT: AtomicBool = AtomicBool::new(false);

const LIBRARY: &str = r#"
static _Alignas(64) __thread struct { int number; char name[20]; } of_library = { 100, "library" };
__thread long *pointer_of_library;
void set_library(int by) { of_library.number += by; pointer_of_library = (long *) &of_library; }
int get_library(void) { return of_library.number; }
"#;

const LATE: &str = r#"
__thread int of_late = 7;
int *late(void) { return &of_late; }
"#;

/// Prints, for each of its two threads, its number and the values, and then waits for its standard input to end.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
void set_library(int by);
int get_library(void);
static __thread int of_program = 5;
static __thread char zeros[333];
static pthread_barrier_t ready, over;
static void show(int by)
{
    of_program += by;
    zeros[332] = (char) by;
    set_library(by);
    printf("%ld %d %d %d\n", syscall(SYS_gettid), of_program, zeros[332], get_library());
    fflush(stdout);
}
static void *other(void *unused)
{
    show(20);
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&over);
    return unused;
}
int main(int count, char **words)
{
    pthread_t thread;
    void *late = dlopen(words[1], RTLD_NOW);
    int *(*function)(void) = late ? (int *(*)(void)) dlsym(late, "late") : 0;
    pthread_barrier_init(&ready, 0, 2);
    pthread_barrier_init(&over, 0, 2);
    pthread_create(&thread, 0, other, 0);
    pthread_barrier_wait(&ready);
    if (count < 2 || !function || *function() != 7) return 1;
    show(1);
    puts("ready");
    fflush(stdout);
    getchar();
    pthread_barrier_wait(&over);
    pthread_join(thread, 0);
    return 0;
}
"#;

struct Target(Child);

impl Target {
    /// Builds and starts the program; also what it printed: for each thread its number and three values.
    fn start(directory: &Path, level: &str) -> (Self, Vec<Vec<i64>>) {
        let build = |name: &str, text: &str, more: &[&str]| {
            let source = directory.join(format!("{name}.c"));
            std::fs::write(&source, text).unwrap();
            let built = Command::new("cc")
                .current_dir(directory)
                .args(["-g", level, "-pthread", "-o", name])
                .arg(&source)
                .args(more)
                .status()
                .unwrap();
            assert!(built.success(), "{name} does not build");
        };
        build("libvalues.so", LIBRARY, &["-shared", "-fPIC"]);
        build("liblate.so", LATE, &["-shared", "-fPIC"]);
        build("program", PROGRAM, &["./libvalues.so", "-ldl"]);
        let mut child = Command::new(directory.join("program"))
            .current_dir(directory)
            .arg("./liblate.so")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let target = Self(child);
        let mut threads = Vec::new();
        loop {
            let line = lines.next().expect("it says that it is ready").unwrap();
            if line == "ready" {
                return (target, threads);
            }
            threads.push(line.split(' ').map(|word| word.parse().unwrap()).collect());
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[derive(Default)]
struct Text(String);

impl Sink for Text {
    fn begin(&mut self, _: bool) {}
    fn text(&mut self, text: &[u8]) {
        text.take(1 << 20).read_to_string(&mut self.0).unwrap();
    }
    fn warn(&mut self, _: &str) {}
    fn progress(&mut self, _: &str) {}
}

fn run(
    target: &Target,
    probe: &str,
    mode: Mode,
    executor: ExecutorKind,
) -> Result<(String, Finished), SessionError> {
    let options = Options {
        mode,
        max_pause: Duration::from_millis(500),
        executor,
        interrupt: &INTERRUPT,
        ..Options::default()
    };
    let process = Process::open(i32::try_from(target.0.id()).unwrap()).unwrap();
    let mut session = Session::open(process, &options)?;
    let main = SourceFile {
        name: "test.y".to_owned(),
        text: probe.into(),
        library: false,
    };
    let mut text = Text::default();
    let finished = session.run(main, &mut text)?;
    Ok((text.0, finished))
}

#[test]
fn each_thread_has_its_own() {
    let all = "_probe _oneshot { _foreach (t in _threads()) printf(\"%d %d %d %d\\n\", t.tid,
        _tls(t.tid, of_program), _tls(t.tid, zeros)[332], _tls(t.tid, of_library).number); }";
    let current =
        "_probe _oneshot { printf(\"%d %d %s %d\\n\", of_program, zeros[332], of_library.name,
        *(int *) pointer_of_library); }";
    for level in ["-O0", "-O2"] {
        let directory = tempfile::tempdir().unwrap();
        let (target, mut wanted) = Target::start(directory.path(), level);
        wanted.sort();
        for (mode, executor) in [
            (Mode::Auto, ExecutorKind::Compiled),
            (Mode::Auto, ExecutorKind::Interpreter),
            (Mode::Copy, ExecutorKind::Compiled),
            (Mode::Stop, ExecutorKind::Compiled),
        ] {
            let (text, finished) = run(&target, all, mode, executor).unwrap();
            let mut found: Vec<Vec<i64>> = text
                .lines()
                .map(|line| line.split(' ').map(|word| word.parse().unwrap()).collect())
                .collect();
            found.sort();
            assert_eq!(found, wanted, "{level} {mode:?}");
            assert_eq!(wanted.len(), 2);
            // All was copied, and nothing read while the target ran.
            assert_eq!(finished.result.partial, Vec::<String>::new(), "{mode:?}");
            assert_eq!(finished.result.counters.missed, 0, "{mode:?}");
            let pauses = if mode == Mode::Stop { 1 } else { 2 };
            assert_eq!(finished.result.pauses.count, pauses, "{mode:?}");
            let (text, _) = run(&target, current, mode, executor).unwrap();
            assert_eq!(text, "6 1 library 101\n", "{level} {mode:?}");
        }
    }
}

#[test]
fn what_cannot_be_found_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let (target, _) = Target::start(directory.path(), "-O1");
    let compiled = ExecutorKind::Compiled;
    // Without a stop, registers are not known.
    let probe = "_probe _oneshot { _try { printf(\"%d\\n\", of_program); } _catch (_fault e) { printf(\"%s\\n\", e.message); } }";
    let (text, _) = run(&target, probe, Mode::Live, compiled).unwrap();
    assert!(text.contains("stopped the target"), "{text}");
    // No thread has this number.
    let probe = "_probe _oneshot { _try { printf(\"%d\\n\", _tls(1, of_program)); } _catch (_fault e) { printf(\"%s\\n\", e.message); } }";
    let (text, _) = run(&target, probe, Mode::Auto, compiled).unwrap();
    assert!(text.contains("no thread 1"), "{text}");
    let probe = "_probe _oneshot { printf(\"%d\\n\", of_late); }";
    let Err(SessionError::Source { errors }) = run(&target, probe, Mode::Auto, compiled) else {
        panic!("a variable of a library that was loaded later compiles");
    };
    let message = &errors.diagnostics[0].message;
    assert!(message.contains("`of_late` is thread-local"), "{message}");
    // A timer's later rounds know the threads.
    let probe = "long n; _probe _timer.ms(5) { n += of_program; if (n >= 18) { printf(\"%d\\n\", n); _exit(); } }";
    let (text, finished) = run(&target, probe, Mode::Auto, compiled).unwrap();
    assert_eq!(text, "18\n");
    assert_eq!(finished.result.pauses.count, 4);
}
