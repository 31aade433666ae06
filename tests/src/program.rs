//! Running the program under test.

use std::path::PathBuf;
use std::process::{Command, Output};

/// The `ytrace` program that this test run built, or the one that `$YTRACE` names.
///
/// # Panics
/// If there is none beside the test executable: `cargo test --workspace` builds it.
pub fn ytrace() -> PathBuf {
    if let Some(program) = std::env::var_os("YTRACE") {
        return PathBuf::from(program);
    }
    let own = std::env::current_exe().expect("a test has an executable");
    let folder = own
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/PROFILE/deps");
    let program = folder.join("ytrace");
    assert!(
        program.is_file(),
        "{} is missing: run `cargo build -p ytrace` first",
        program.display()
    );
    program
}

/// Runs it with arguments, from the root of the repository, with a cache of its own.
///
/// # Panics
/// If it cannot be started.
pub fn run(arguments: &[&str]) -> Output {
    Command::new(ytrace())
        .args(arguments)
        .current_dir(crate::root())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .expect("ytrace starts")
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
