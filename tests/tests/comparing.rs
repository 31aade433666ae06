//! What changed between two runs, from the command line, on a small process.

use std::process::{Child, Command, Stdio};

use ytrace_tests::program::run;

const USAGE: i32 = 2;

/// Counts are what the option says; nothing is read.
const PROBE: &str = r#"
_option int n = 1;
_view flamegraph "Held" "bytes" long held[_path];
_view pie "Parts" "bytes" long parts[_str];
_path root;
struct place { _str state; _str owner; };
_view heapmap "Heap" "bytes" struct place heap[size_t, size_t];
struct row { _str name; double bytes; };
_view table "Pages" "bytes" struct row pages[];
_probe _oneshot {
    struct row row = { "known in one run", n == 1 ? 0.0 / 0.0 : 5000.0 };
    _push(pages, row);
    held[root / "_G" / ".cache"] = 1000000 * n;
    held[root / "_G" / ".steady"] = 500000;
    parts["cache"] = 1000000 * n;
    if (n == 1)
        parts["<gone>"] = 7000;
    struct place place = { "in use", "pool" };
    heap[0x1000, 0x100 * n] = place;
}
"#;

/// A process that waits until it is ended.
struct Cat(Child);

impl Cat {
    fn start() -> Self {
        let mut command = Command::new("cat");
        Self(command.stdin(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Cat {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn a_run_is_compared_with_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (probe, old, new) = (path("held.y"), path("old.json"), path("new.json"));
    std::fs::write(&probe, PROBE).unwrap();
    let cat = Cat::start();
    let pid = cat.0.id().to_string();
    let look = |more: &[&str]| {
        let mut arguments = vec!["run", &probe, "-p", &pid];
        arguments.extend(more);
        run(&arguments)
    };
    look(&["-o", &old]).expect_status(0);

    let grown = look(&["--diff", &old, "--", "--n", "3"]).expect_status(0);
    for part in [
        "What changed: Held · +2.0 MB (1.5 MB → 3.5 MB)",
        "+2.0 MB  +200 %  1.0 MB  3.0 MB",
        "What changed: Parts · +2.0 MB",
        "gone",
        "<gone>",
        "+512 B  +200 %",
        "in use, pool",
        "What changed: Pages · unknown · 0 changed, of them 0 new, 0 gone, 1 unknown",
        "unknown     unknown  5.0 kB  known in one run",
    ] {
        assert!(grown.stdout.contains(part), "{part}\n{grown}");
    }
    assert!(!grown.stdout.contains("\x1b["), "{grown}");

    let files = ["x.svg", "x.html", "x.folded", "new.json"].map(path);
    let mut arguments = vec!["--diff", &old];
    for file in &files {
        arguments.extend(["-o", file]);
    }
    arguments.extend(["--", "--n", "3"]);
    look(&arguments)
        .expect_status(0)
        .says(&["wrote", ".svg holds"]);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    assert!(read("x.svg").contains("red grew, blue shrank"));
    assert!(read("x.html").contains("&lt;gone&gt;"));
    assert!(!read("x.html").contains("<gone>"));
    assert!(read("x.folded").contains("_G;.cache 1000000 3000000\n"));

    // Two files give the same, without the process.
    let same = run(&["diff", &old, &new]).expect_status(0);
    assert!(
        same.stdout.contains("What changed: Held · +2.0 MB"),
        "{same}"
    );
    // Nothing was stopped or read for it.
    let text = format!("{}{}", same.stdout, same.stderr);
    assert!(
        text.contains("complete") && !text.contains("stopped"),
        "{same}"
    );
    let back = run(&["diff", &new, &old]).expect_status(0);
    assert!(back.stdout.contains("-2.0 MB  -67 %"), "{back}");
}

#[test]
fn what_cannot_be_compared_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (probe, other, old) = (path("held.y"), path("other.y"), path("old.json"));
    std::fs::write(&probe, PROBE).unwrap();
    std::fs::write(&other, PROBE).unwrap();
    let cat = Cat::start();
    let pid = cat.0.id().to_string();
    run(&["run", &probe, "-p", &pid, "-o", &old]).expect_status(0);
    let refused = |probe: &str, text: &str, parts: &[&str]| {
        let file = path("bad.json");
        std::fs::write(&file, text).unwrap();
        let result = run(&["run", probe, "-p", &pid, "--diff", &file]).expect_status(USAGE);
        result.says(parts);
        assert_eq!(result.stdout, "");
    };
    let text = std::fs::read_to_string(&old).unwrap();
    refused(&probe, "not JSON", &["bad.json", "not JSON"]);
    refused(&probe, &text[..text.len() / 2], &["bad.json", "cut short"]);
    let version = text.replacen("\"version\": 2", "\"version\": 99", 1);
    refused(&probe, &version, &["version 99", "reads 2"]);
    refused(&other, &text, &["held.y", "other.y"]);
    let titles = text.replace("\"title\": \"", "\"title\": \"My ");
    refused(&probe, &titles, &["none of the views", "My Held"]);
    let none = path("none.json");
    run(&["run", &probe, "-p", &pid, "--diff", &none])
        .expect_status(USAGE)
        .says(&["none.json"]);
    run(&["diff", &old, &none])
        .expect_status(USAGE)
        .says(&["none.json"]);
}
