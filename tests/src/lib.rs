//! What the end-to-end tests share: the built program, fixtures, and honest skipping.

pub mod code;
mod compiler;
pub mod cores;
pub mod fixtures;
pub mod hoard;
pub mod leaks;
pub mod load;
pub mod malloc_said;
pub mod page;
pub mod plain_nginx;
pub mod processes;
pub mod program;
pub mod prompt;
pub mod pty;
pub mod reloads;
pub mod tracing;

pub use compiler::{compile, compile_file};

/// Says loudly that a test cannot run here. Where `YTRACE_NO_SKIP` is set (as in CI) that is a
/// failure.
///
/// # Panics
/// If `YTRACE_NO_SKIP` is set.
pub fn skip(test: &str, why: &str) {
    assert!(
        std::env::var_os("YTRACE_NO_SKIP").is_none(),
        "{test} was to be skipped where nothing may be: {why}"
    );
    eprintln!("SKIPPED: {test}: {why}");
}

/// The root of the repository.
pub fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in a folder of the repository")
        .to_owned()
}
