//! A command is examined when it exits, while its memory is still there.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ytrace_lang::source::SourceFile;
use ytrace_runtime::{ExecutorKind, Mode, Options, RunResult, Session, Sink};
use ytrace_target::{Held, spawn};

static INTERRUPT: AtomicBool = AtomicBool::new(false);

const PROGRAM: &str = r#"
#include <stdlib.h>
struct node { struct node *next; long value; };
struct node *list;
int main(void)
{
    for (int i = 0; i < 1000; i++) {
        struct node *node = malloc(sizeof *node);
        node->next = list;
        node->value = i;
        list = node;
    }
    return 3;
}
"#;

const PROBE: &str = r#"
_probe _oneshot {
    long sum = 0;
    for (struct node *n = list; n; n = n->next) sum += n->value;
    printf("%ld %d\n", sum, _reg("rsp", _pid()) != 0);
}
_probe _timer.s(1) { printf("never\n"); }
"#;

struct Silent;

impl Sink for Silent {
    fn begin(&mut self, _: bool) {}
    fn text(&mut self, _: &[u8]) {}
    fn warn(&mut self, _: &str) {}
    fn progress(&mut self, _: &str) {}
}

fn run(command: &str, executor: ExecutorKind) -> RunResult {
    let options = Options {
        executor,
        interrupt: &INTERRUPT,
        ..Options::default()
    };
    let mut target = spawn(command).unwrap();
    assert!(matches!(target.wait(&INTERRUPT, None), Held::AtExit(_)));
    let mut session = Session::open(target.process().clone(), &options).unwrap();
    session.hold(target.threads().to_vec());
    let main = SourceFile {
        name: "held.y".to_owned(),
        text: Arc::from(PROBE),
        library: false,
    };
    let finished = session
        .run(main, &mut Silent)
        .unwrap_or_else(|error| panic!("{error:?}"));
    drop(session);
    assert_eq!(target.release().unwrap().code(), Some(3));
    finished.result
}

#[test]
fn a_oneshot_runs_at_the_exit() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("list.c");
    let program = directory.path().join("list");
    std::fs::write(&source, PROGRAM).unwrap();
    let compiler = Command::new("gcc")
        .args(["-g", "-o"])
        .args([&program, &source])
        .status();
    assert!(compiler.unwrap().success());
    let command = format!("'{}'", program.display());
    for executor in [ExecutorKind::Interpreter, ExecutorKind::Compiled] {
        let command = command.clone();
        // Compiled handlers run on the native stack.
        let worker = std::thread::Builder::new().stack_size(1 << 30);
        let result = worker
            .spawn(move || run(&command, executor))
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&result.text), "499500 1\n");
        assert_eq!(result.modes, [Mode::Held]);
        assert_eq!(result.pauses.count, 0);
        assert_eq!(result.faults, []);
        assert_eq!(result.partial.len(), 1, "{:?}", result.partial);
        assert!(result.partial[0].contains("timers"));
    }
}
