//! `ytrace fmt` and `ytrace check`, as a user types them.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use ytrace_tests::program::{Finished, command, finish, finish_with_input, run};

const ROUGH: &str = "_probe _oneshot {\n  printf( \"%d\\n\",1+2 ) ; // three\n}\n";
const FORMATTED: &str = "_probe _oneshot {\n    printf(\"%d\\n\", 1 + 2); // three\n}\n";

fn file(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn with_input(arguments: &[&str], input: &str) -> Finished {
    finish_with_input(&mut command(arguments), input)
}

#[test]
fn fmt_rewrites_a_file_and_keeps_its_mode() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(directory.path(), "p.y", ROUGH);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
    let listed = run(&["fmt", "--check", &path]).expect_status(1);
    assert_eq!(listed.stdout, format!("{path}\n"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), ROUGH);
    run(&["fmt", &path]).expect_status(0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), FORMATTED);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o750
    );
    assert_eq!(run(&["fmt", "--check", &path]).expect_status(0).stdout, "");
    // Nothing else is left in the directory.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn fmt_follows_a_link_and_keeps_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(directory.path(), "p.y", ROUGH);
    let link = directory.path().join("link.y");
    std::os::unix::fs::symlink("p.y", &link).unwrap();
    run(&["fmt", &link.display().to_string()]).expect_status(0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), FORMATTED);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn fmt_reads_standard_input() {
    let done = with_input(&["fmt", "-"], ROUGH).expect_status(0);
    assert_eq!(done.stdout, FORMATTED);
    with_input(&["fmt", "--check", "-"], ROUGH).expect_status(1);
    with_input(&["fmt", "--check", "-"], FORMATTED).expect_status(0);
}

#[test]
fn fmt_leaves_what_it_cannot_read() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = "int f(void) {\n  return (1;\n}\n";
    let path = file(directory.path(), "wrong.y", wrong);
    let right = file(directory.path(), "sub/right.y", ROUGH);
    let folder = directory.path().display().to_string();
    let done = run(&["fmt", &folder]).expect_status(1);
    done.says(&[
        "`}` does not match",
        "wrong.y:3:1",
        "`(` is to be closed first",
    ]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), wrong);
    // The others are formatted all the same.
    assert_eq!(std::fs::read_to_string(&right).unwrap(), FORMATTED);
    run(&["fmt", "/nonexistent.y"]).expect_status(2);
    run(&["fmt"]).expect_status(2);
}

#[test]
fn what_is_shipped_is_formatted_and_right() {
    assert_eq!(
        run(&["fmt", "--check", "stdlib", "probes"])
            .expect_status(0)
            .stdout,
        ""
    );
    let done = run(&["check", "stdlib", "probes"]).expect_status(0);
    assert!(done.stdout.contains(" 0 wrong"), "{done}");
    assert!(!done.stderr.contains("Warning"), "{done}");
}

#[test]
fn check_goes_through_every_arm_and_says_what_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let text = "_probe _oneshot {\n##ifdeftype T\n    int a = 1;\n##else\n    int a = \"two\" * 2;\n##endif\n    printf(\"%d %d\\n\", a, some_global->field);\n}\n";
    let path = file(directory.path(), "arms.y", text);
    let done = run(&["check", &path]).expect_status(1);
    done.says(&["arms.y:5:"]);
    assert!(
        done.stdout
            .contains("wrong, with each of 2 arms; 1 name is of a target"),
        "{done}"
    );
    let done = run(&["check", "-v", &path]).expect_status(1);
    assert!(done.stdout.contains("some_global at "), "{done}");
    assert!(done.stdout.contains("arms.y:7:"), "{done}");
}

#[test]
fn check_counts_the_files_of_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    file(
        directory.path(),
        "a.y",
        "#include \"lib/b.y\"\n_probe _oneshot { printf(\"%d\\n\", twice(2)); }\n",
    );
    file(
        directory.path(),
        "lib/b.y",
        "int twice(int n) { return 2 * n; }\n",
    );
    let folder = directory.path().display().to_string();
    let done = run(&["check", &folder]).expect_status(0);
    assert!(
        done.stdout.ends_with("2 files: 2 right, 0 wrong\n"),
        "{done}"
    );
    assert_eq!(done.stderr, "");
    // An error in a file that another includes is shown once and counts for both.
    file(
        directory.path(),
        "lib/b.y",
        "int twice(int n) { return 2 * m; }\nint x = ;\n",
    );
    let done = run(&["check", &folder]).expect_status(1);
    assert!(
        done.stdout.ends_with("2 files: 0 right, 2 wrong\n"),
        "{done}"
    );
    let empty = tempfile::tempdir().unwrap();
    run(&["check", &empty.path().display().to_string()]).expect_status(2);
    run(&["check", "/nonexistent.y"]).expect_status(2);
}

#[test]
fn check_against_a_process_finds_its_names() {
    let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
    let pid = sleeper.id().to_string();
    let directory = tempfile::tempdir().unwrap();
    let right = file(
        directory.path(),
        "right.y",
        "_probe _oneshot { printf(\"RAN %ld\\n\", _pid()); }\n",
    );
    let wrong = file(
        directory.path(),
        "wrong.y",
        "_probe _oneshot { printf(\"%d\\n\", no_such_variable_anywhere); }\n",
    );
    let results = [
        run(&["check", &right, "-p", &pid]),
        run(&["check", &wrong, "-p", &pid]),
        run(&["check", &wrong]),
        run(&["check", &right, "-p", "999999999"]),
    ];
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    let [right, wrong, open, gone] = results;
    let right = right.expect_status(0);
    assert!(!right.stdout.contains("RAN"), "{right}");
    wrong.expect_status(1).says(&["no_such_variable_anywhere"]);
    open.expect_status(0);
    gone.expect_status(2);
}

#[test]
fn output_that_is_not_read_is_no_failure() {
    // A reader that has seen enough closes the pipe.
    let mut child = command(&["fmt", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child
        .stdin
        .take()
        .unwrap()
        .write_all(ROUGH.as_bytes())
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let help = finish(&mut command(&["fmt", "--help"])).expect_status(0);
    assert!(help.stdout.contains("--check"), "{help}");
}
