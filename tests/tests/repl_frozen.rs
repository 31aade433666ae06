//! `:freeze` of `ytrace repl`: what the kernel says of a target stands still, too, whatever becomes of the target.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use ytrace_tests::compile;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::program::Finished;
use ytrace_tests::prompt;

/// At `SIGUSR1` it gives memory back that leads to blocks, and one of its threads ends.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
char **table;
char *sealed;
static sem_t end;
static void *wait_for_end(void *none) {
    pthread_setname_np(pthread_self(), "ends");
    sem_wait(&end);
    return none;
}
int main(int count, char **words) {
    sigset_t set;
    pthread_t thread;
    int got;
    if (count < 2) return 1;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, 0);
    sem_init(&end, 0, 0);
    table = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(table, 1, 1 << 16);
    for (int i = 0; i < 50; i++) table[i] = calloc(1, 700);
    sealed = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(sealed, 8192, PROT_READ);
    pthread_create(&thread, 0, wait_for_end, 0);
    puts("READY");
    fflush(stdout);
    sigwait(&set, &got);
    munmap(table, 1 << 16);
    sem_post(&end);
    pthread_join(thread, 0);
    fclose(fopen(words[1], "w"));
    sigwait(&set, &got);
    return 0;
}
"#;

const MAPPED: &str = "int mapped(void) { int n = 0; _foreach (m in _maps()) n += m.start <= (void *)table && (void *)table < m.end && m.rss >= 65536; return n; }";
const THREADS: &str = "int threads(void) { int n = 0; _foreach (t in _threads()) n += t.name == \"ends\" && t.sp != 0; return n; }";

fn program() -> (Waiting, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "changes", PROGRAM, &["-g", "-pthread"]);
    let target = Waiting::start(Command::new(&program).arg(folder.path().join("changed")));
    (target, folder)
}

/// A line that lets a shell do something, and waits until a condition holds.
fn shell(folder: &Path, name: &str, what: &str, until: &str) -> String {
    let file = folder.join(name);
    let text = format!(
        "{what}\nn=0\nuntil {until}; do n=$((n + 1)); [ $n -lt 6000 ] || exit 1; sleep 0.01; done\n"
    );
    std::fs::write(&file, text).unwrap();
    format!("0 | sh {}", file.display())
}

/// A line that has the target give memory back and end a thread.
fn change(folder: &Path, pid: i32) -> String {
    let changed = folder.join("changed");
    shell(
        folder,
        "change.sh",
        &format!("kill -USR1 {pid}"),
        &format!("[ -e {} ]", changed.display()),
    )
}

fn lines(pid: i32, words: &[&str], typed: &[&str]) -> Finished {
    let pid = pid.to_string();
    prompt::lines(&[&["--max-pause", "5s", "-p", &pid], words].concat(), typed)
}

/// The answers that begin with a number of blocks.
fn blocks(found: &Finished) -> Vec<&str> {
    let lines = found.stdout.lines();
    lines.filter(|line| line.contains(" blocks ")).collect()
}

#[test]
fn mappings_and_threads_stand_still() {
    let (target, folder) = program();
    let pid = target.pid();
    let change = change(folder.path(), pid);
    let end = shell(
        folder.path(),
        "end.sh",
        &format!("kill -9 {pid}"),
        &format!("grep -q '^State:.Z' /proc/{pid}/status"),
    );
    let looks = [
        "count leaked size 700..720",
        "count used size 700..720",
        "mapped() + 10 * threads()",
        "_resident(table, 65536)",
        ":what table",
        "info threads",
    ];
    let mut typed = vec![MAPPED, THREADS, ":freeze"];
    typed.extend(looks);
    typed.push(&change);
    typed.extend(looks);
    typed.push(&end);
    typed.extend(looks);
    let found = lines(pid, &[], &typed).expect_status(0);
    let counts = blocks(&found);
    assert_eq!(counts.len(), 6, "{found}");
    assert!(counts[0].starts_with("0 blocks leaked, "), "{found}");
    assert!(counts[1].starts_with("50 blocks in use, "), "{found}");
    for (at, line) in counts.iter().enumerate() {
        assert_eq!(*line, counts[at % 2], "{found}");
    }
    for (part, times) in [
        (" = 11\n", 3),
        (" = 65536\n", 3),
        ("\nmapping: 0x", 3),
        (" ends\n", 3),
    ] {
        assert_eq!(found.stdout.matches(part).count(), times, "{part}: {found}");
    }
}

#[test]
fn lines_that_see_the_target_as_it_is_see_what_changed() {
    let (target, folder) = program();
    let pid = target.pid();
    let change = change(folder.path(), pid);
    let typed = [
        MAPPED,
        THREADS,
        ":freeze",
        "_process_bytes(\"Pss\")",
        &change,
        ":thaw",
        "mapped() + 10 * threads()",
        "count leaked size 700..720",
    ];
    let found = lines(pid, &[], &typed).expect_status(0);
    assert!(found.stdout.contains("$1 = -1\n"), "{found}");
    assert!(found.stdout.contains(" = 0\n"), "{found}");
    assert!(
        blocks(&found)[0].starts_with("50 blocks leaked, "),
        "{found}"
    );
    found.says(&["a snapshot holds neither"]);
}

/// A block that its program has made read-only is one still.
#[test]
fn what_cannot_be_written_may_be_a_block() {
    let (target, folder) = program();
    let mine = folder.path().join("library/mine");
    std::fs::create_dir_all(&mine).unwrap();
    std::fs::write(
        mine.join("own.y"),
        "#include <prompt/answers.y>\nvoid own_what(void) { if (prompt_is_asked((uint64_t)sealed, 8192)) prompt_say((uint64_t)sealed, 8192, \"own\", \"sealed\"); }\n",
    )
    .unwrap();
    std::fs::write(
        mine.join("prompt.toml"),
        "[[what]]\nsymbols = [\"sealed\"]\nfile = \"own.y\"\nfunction = \"own_what\"\n",
    )
    .unwrap();
    let library = folder.path().join("library").display().to_string();
    let found = lines(
        target.pid(),
        &["-I", &library],
        &[":what sealed + 5", ":what main"],
    );
    let found = found.expect_status(0);
    assert!(
        found.stdout.contains("\nown: sealed, 8,192 bytes at 0x"),
        "{found}"
    );
    // Code is no allocator's: nothing is stopped for it.
    assert_eq!(found.stderr.matches("stopped ").count(), 1, "{found}");
}
