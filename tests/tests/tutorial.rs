//! Runs every command of `docs/tutorial.md` as a reader would, in a copy of the example.

use ytrace_tests::page::Page;
use ytrace_tests::{root, skip};

#[test]
fn commands_of_the_tutorial() {
    if !nix::unistd::geteuid().is_root() {
        skip("commands_of_the_tutorial", "only root can trace others");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/session-cache/session-cache.c");
    std::fs::copy(&example, folder.path().join("session-cache.c")).unwrap();
    let commands = Page::read(&root().join("docs/tutorial.md")).run(folder.path(), "", &[]);
    assert!(commands >= 16, "{commands} commands");
    let picture = std::fs::read_to_string(folder.path().join("held.svg")).unwrap();
    assert!(picture.contains("<svg") && picture.contains("CLOSED"));
}
