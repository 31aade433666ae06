//! What is typed at the prompt as it is in other programs: commands of gdb, `$` and `$$`, names of files as in a shell.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::program::{Finished, command, finish};
use ytrace_tests::{compile_file, prompt};

const PROGRAM: &str = r#"
#include <stdio.h>
struct event { int i; const char *text; struct event *next; };
struct event last = { 9, "last", 0 };
struct event event = { 5, "a \"b\" \\c\n", &last };
int up = 77;
int main(void) { puts("READY"); fflush(stdout); return getchar() + event.i == 0; }
"#;

fn program() -> (Waiting, TempDir) {
    Waiting::compiled("events", PROGRAM, &["-O0", "-g"])
}

/// Runs lines in a directory that is the home directory, too.
fn lines(pid: i32, folder: &Path, typed: &[&str]) -> Finished {
    finish(
        command(&prompt::arguments(&["-p", &pid.to_string()], typed))
            .current_dir(folder)
            .env("HOME", folder.join("home")),
    )
}

#[test]
fn commands_that_there_are_not_are_answered_with_what_there_is() {
    let (target, folder) = program();
    for (line, parts) in [
        ("info locals", ["`info locals`", "info symbol"]),
        ("info registers", ["`info registers`", "_reg("]),
        ("disassemble main", ["`disassemble`", "x/20i"]),
        ("frame 1", ["`frame`", "`bt`"]),
        ("break main", ["`break`", "probe"]),
        ("count foo", ["`foo`", "used, free, leaked"]),
        (":frezee", ["`:frezee`", "`help`"]),
    ] {
        let told = lines(target.pid(), folder.path(), &[line]).expect_status(1);
        told.says(&parts).hints();
        assert!(!told.stderr.contains("typed:1"), "{told}");
    }
    // A variable of that name is one.
    let own = lines(target.pid(), folder.path(), &["up", "up + 1"]).expect_status(0);
    assert_eq!(own.stdout, "$1 = 77\n$2 = 78\n");
}

#[test]
fn a_line_may_begin_with_a_sign_and_dollars_are_earlier_values() {
    let (target, folder) = program();
    let typed = ["-event.i", "event.next", "$->i", "p/x $", "\"$\""];
    let told = lines(target.pid(), folder.path(), &typed).expect_status(0);
    for part in ["$1 = -5\n", "$3 = 9\n", "$4 = 0x9\n", "$5 = \"$\"\n"] {
        assert!(told.stdout.contains(part), "{told}");
    }
    let told = lines(
        target.pid(),
        folder.path(),
        &["1", "20", "$ + $$", "$ * $$2"],
    );
    assert_eq!(
        told.expect_status(0).stdout,
        "$1 = 1\n$2 = 20\n$3 = 21\n$4 = 21\n"
    );
    let registers = [
        "$rip - _reg(\"rip\")",
        "$sp == $rsp",
        ":what \"event\"",
        ":what 1.5",
    ];
    let told = lines(target.pid(), folder.path(), &registers).expect_status(1);
    assert!(told.stdout.starts_with("$1 = 0\n$2 = 1\n"), "{told}");
    told.says(&[
        "`\"event\"` is no number and no address",
        "`1.5` is no number",
    ]);
    let none = lines(target.pid(), folder.path(), &["$", "1", "$$3"]).expect_status(1);
    none.says(&[
        "`$`: no value has been shown",
        "`$$3`: the last value is `$1`",
    ]);
}

#[test]
fn names_of_files_are_as_in_a_shell() {
    let (target, folder) = program();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let at = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    lines(
        target.pid(),
        folder.path(),
        &[
            "event.i > \"out 2.txt\"",
            "event.i > out\\ 3.txt",
            "event.i >> ~/x",
            "int saved = 4;",
            ":save \"sp ace.y\"",
            "source 'sp ace.y'",
        ],
    );
    assert_eq!(at("out 2.txt"), "$1 = 5\n");
    assert_eq!(at("out 3.txt"), "$2 = 5\n");
    assert_eq!(at("home/x"), "$3 = 5\n");
    assert!(at("sp ace.y").contains("int saved = 4;"));
    let before = std::fs::read_dir(folder.path()).unwrap().count();
    for (line, part) in [
        ("event.i > \"q.txt", "lacks its second \""),
        (":save 'q", "lacks its second '"),
        ("source \"q", "lacks its second \""),
    ] {
        let told = lines(target.pid(), folder.path(), &["int k = 3;", line]).expect_status(1);
        told.says(&[part]);
        assert_eq!(told.stdout, "", "{told}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before);
}

#[test]
fn strings_of_memory_are_written_as_in_c() {
    let (target, folder) = program();
    let told = lines(target.pid(), folder.path(), &["x/s event.text"]).expect_status(0);
    assert!(
        told.stdout.ends_with(":\t\"a \\\"b\\\" \\\\c\\n\"\n"),
        "{told}"
    );
}

#[test]
fn a_tracer_is_told_without_modes_that_the_prompt_has_not() {
    let (target, folder) = program();
    let pid = nix::unistd::Pid::from_raw(target.pid());
    // This thread traces it, without a stop.
    nix::sys::ptrace::seize(pid, nix::sys::ptrace::Options::empty()).unwrap();
    let told = lines(target.pid(), folder.path(), &["bt"]).expect_status(1);
    told.says(&["end the tracer"]);
    assert!(!told.stderr.contains("live mode"), "{told}");
}

#[test]
fn scopes_of_names_are_told_to_stand_in_backquotes() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("zoo.cc");
    let text = "#include <cstdio>\nnamespace zoo { int s_counter = 3; enum class Kind { Dog = 4 } kind; struct Bat { int noise() { return s_counter; } } bat; }\nint main() { puts(\"READY\"); fflush(stdout); return getchar() + zoo::bat.noise() + int(zoo::kind) == 0; }\n";
    std::fs::write(&source, text).unwrap();
    let program = compile_file(
        &source,
        folder.path(),
        "animals",
        &["-O0", "-g", "-lstdc++"],
    );
    let target = Waiting::start(&mut Command::new(program));
    let of = |line: &str| lines(target.pid(), folder.path(), &[line]).expect_status(1);
    let told = of("zoo::s_counter");
    told.says(&["write `zoo::s_counter` in backquotes"]);
    assert!(!told.stderr.contains("did you mean"), "{told}");
    of("zoo::Kind::Dog").says(&["in backquotes: `zoo::Kind::Dog`"]);
    of("probe zoo::Bat::noise {}").says(&["in backquotes: `zoo::Bat::noise`"]);
    // A module's prefix that stands apart is another thing.
    let told = of("zoo :: s_counter");
    assert!(told.stderr.contains("touches its name"), "{told}");
}

#[test]
fn arrays_of_characters_are_text_or_numbers() {
    let text = r#"
        #include <stdio.h>
        unsigned char mac[6] = { 0xde, 0xad, 0xbe, 0xef, 0, 1 }, raw[4] = { 0, 8, 16, 0 }, word[6] = "word";
        signed char low = -5;
        char name[8] = "text";
        int main(void) { puts("READY"); fflush(stdout); return getchar() + mac[0] + raw[1] + word[0] + low + name[0] == 0; }
    "#;
    let (target, _folder) = Waiting::compiled("characters", text, &["-O0", "-g"]);
    let pid = target.pid().to_string();
    let shown = prompt::lines(&["-p", &pid], &["p/x mac", "p/d name", "name", "word"]);
    assert_eq!(
        shown.expect_status(0).stdout,
        "$1 = {0xde, 0xad, 0xbe, 0xef, 0x0, 0x1}\n$2 = {116, 101, 120, 116, 0, 0, 0, 0}\n$3 = \"text\"\n$4 = \"word\"\n"
    );
    let typed = ["low", "mac", "raw", "word", "name"];
    let json = prompt::lines(&["--json", "-p", &pid], &typed).expect_status(0);
    let value = |line: &str| {
        let document: serde_json::Value = serde_json::from_str(line).unwrap();
        document["value"].to_string()
    };
    let values: Vec<String> = json.stdout.lines().map(value).collect();
    assert_eq!(
        values,
        [
            "-5",
            "[222,173,190,239,0,1]",
            "[0,8,16,0]",
            "\"word\"",
            "\"text\""
        ],
        "{json}"
    );
}
