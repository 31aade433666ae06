//! `:view` at the prompt: what was gathered there, as the views of a probe file show it.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::{Finished, run};
use ytrace_tests::prompt;

/// Waits, with a list that lines walk.
const PROGRAM: &str = r#"
#include <stdio.h>
struct item { int size; const char *kind; struct item *next; };
struct item third = { 300, "book", 0 };
struct item second = { 20, "pen", &third };
struct item items = { 100, "book", &second };
__attribute__((noinline)) int work(int n) { __asm__ volatile("" ::: "memory"); return n; }
int main(void) {
    char line[64];
    puts("READY");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        for (int n = 0; n < 8; n++) work(n * 100);
    return 0;
}
"#;

fn program() -> (Waiting, TempDir) {
    Waiting::compiled("items", PROGRAM, &["-O1", "-g"])
}

fn lines(pid: i32, more: &[&str], typed: &[&str]) -> Finished {
    let pid = pid.to_string();
    prompt::lines(&[&["-p", &pid], more].concat(), typed)
}

/// Declares tables, the one that is viewed beside another, and fills them.
const GATHER: [&str; 3] = [
    "long count, by[_str]; _agg sizes; long held[_path]; _path root;",
    "void all(void) { for (struct item *i = &items; i; i = i->next) { count++; by[_tostr(i->kind)] += i->size; sizes <<< i->size; held[root / \"shelf\" / _tostr(i->kind)] += i->size; } }",
    "all();",
];

fn text_of(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn variables_are_shown_as_views() {
    let (target, folder) = program();
    let pid = target.pid();
    let mut typed: Vec<&str> = GATHER.to_vec();
    typed.extend([
        ":view bars \"Bytes by kind\" \"bytes\" by",
        ":view histogram sizes",
        "count",
    ]);
    let shown = lines(pid, &[], &typed).expect_status(0).stdout;
    assert!(
        shown.contains("Bytes by kind · 420 B") && shown.contains("book"),
        "{shown}"
    );
    assert!(shown.contains("sizes") && shown.contains("256"), "{shown}");
    // Looking changes nothing.
    assert!(shown.ends_with("$1 = 3\n"), "{shown}");

    let picture = folder.path().join("held.svg");
    let folded = folder.path().join("held.folded");
    let piped = folder.path().join("piped");
    let view = |file: &Path| {
        format!(
            ":view flamegraph \"Held\" \"bytes\" held > {}",
            file.display()
        )
    };
    let (first, second) = (view(&picture), view(&folded));
    let third = format!(":view table by | cat > {}", piped.display());
    let mut typed: Vec<&str> = GATHER.to_vec();
    typed.extend([first.as_str(), &second, &third]);
    let said = lines(pid, &[], &typed).expect_status(0);
    assert!(said.stderr.contains("wrote "), "{said}");
    assert!(text_of(&picture).contains("<svg"));
    assert_eq!(text_of(&folded), "shelf;book 400\nshelf;pen 20\n");
    assert!(text_of(&piped).contains("pen"), "{}", text_of(&piped));

    let mut typed: Vec<&str> = GATHER.to_vec();
    typed.push(":view pie by");
    let shown = lines(pid, &["--json"], &typed).expect_status(0).stdout;
    let view: Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
    assert_eq!(view["view"]["kind"], "pie", "{shown}");
    assert_eq!(
        view["view"]["rows"][0],
        serde_json::json!({ "key": ["book"], "values": [400] }),
        "{shown}"
    );
    assert_untouched(pid);
}

#[test]
fn what_is_no_view_is_told_and_why() {
    let (target, folder) = program();
    let file = folder.path().join("x.folded");
    let graph = format!(":view bars by > {}", file.display());
    for (line, expected) in [
        (":view pictures by", "there is no view `pictures`"),
        (":view flamegraph by", "a flamegraph does not show"),
        (
            ":view bars items",
            "no variable that was declared at the prompt",
        ),
        (":view bars", "a variable is missing"),
        (":view series count", "a series is of values over time"),
        (
            ":view bars \"a\" \"b\" _hist_log() by",
            "`_hist_log` is of histograms",
        ),
        (&graph, "no view is a flame graph"),
        (":view bars by > x.png", "no format has this ending"),
        ("_view bars \"by\" long b[_str];", "`:view KIND NAME`"),
    ] {
        let mut typed: Vec<&str> = GATHER.to_vec();
        typed.push(line);
        let said = lines(target.pid(), &[], &typed).expect_status(1);
        assert!(said.stderr.contains(expected), "{line}: {said}");
        // Nothing but what was typed is shown.
        assert!(!said.stderr.contains("_probe _begin"), "{line}: {said}");
    }
    assert!(!file.exists());
}

#[test]
fn a_saved_file_has_the_views_that_were_looked_at() {
    let (mut target, folder) = program();
    let pid = target.pid();
    let file = folder.path().join("saved.y");
    let save = format!(":save {}", file.display());
    let mut typed: Vec<&str> = GATHER.to_vec();
    typed.extend([
        ":view table by",
        ":view bars \"By kind\" \"bytes\" by",
        &save,
    ]);
    lines(pid, &[], &typed).expect_status(0);
    let saved = text_of(&file);
    assert!(
        saved.contains("_view bars \"By kind\" \"bytes\" long by[_str];")
            && saved.contains("long count;")
            && !saved.contains("_view table"),
        "{saved}"
    );
    let again = run(&["run", file.to_str().unwrap(), "-p", &pid.to_string()]).expect_status(0);
    assert!(again.stdout.contains("By kind · 420 B"), "{again}");

    // What a probe has gathered is shown while it is attached, and its file shows it, too.
    let mut child = ytrace_tests::program::command(&["repl", "-p", &pid.to_string()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut write = |text: &str| std::io::Write::write_all(&mut input, text.as_bytes()).unwrap();
    write("long seen; _agg n;\n_probe work(int v) { n <<< v; seen++; }\nprintf(\"there\\n\");\n");
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    assert_eq!(line, "there\n");
    target.say("go");
    while !line.ends_with("= 8\n") {
        write("seen\n");
        line.clear();
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        assert!(!line.is_empty(), "the prompt has ended");
    }
    write(&format!(":view histogram \"Work\" n\n{save}\n"));
    drop(input);
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut output, &mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(rest.contains("Work\n8 values, "), "{rest}");
    assert!(text_of(&file).contains("_view histogram \"Work\" _agg n;"));
}
