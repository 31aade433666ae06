//! Runs every command of `docs/cookbook.md` and of the README, on nginx, Perl and the tutorial's program.

use std::path::Path;
use std::process::{Child, Command};

use ytrace_tests::fixtures::{Nginx, perl_daemon, unavailable};
use ytrace_tests::page::Page;
use ytrace_tests::processes::wait_for;
use ytrace_tests::program::run;
use ytrace_tests::{root, skip};

/// The workers of the pages have so many certificates.
const CERTIFICATES: i64 = 3000;

/// The server of the tutorial, which runs until this value is dropped.
struct Server(Child);

impl Server {
    /// Builds and starts it in a directory that has its source.
    fn start(folder: &Path) -> Self {
        let built = Command::new("cc")
            // As the cookbook does: with optimization `answer` is inlined.
            .args(["-g", "session-cache.c", "-o", "session-cache"])
            .current_dir(folder)
            .status()
            .unwrap();
        assert!(built.success());
        let server = Command::new("./session-cache")
            .args(["serve", "server.sock"])
            .current_dir(folder)
            .spawn()
            .unwrap();
        let socket = folder.join("server.sock");
        wait_for("the server's socket", || socket.exists());
        Self(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn commands_of_the_cookbook_and_the_readme() {
    const TEST: &str = "commands_of_the_cookbook_and_the_readme";
    if !nix::unistd::geteuid().is_root() {
        skip(TEST, "only root can trace others");
        return;
    }
    if let Some(why) = unavailable("dwarf") {
        skip(TEST, &why);
        return;
    }
    let nginx = Nginx::start("dwarf", &["--slots", "20000"]);
    assert_eq!(
        nginx.number(&format!("/fill?n={CERTIFICATES}")),
        CERTIFICATES
    );
    let perl = perl_daemon(std::path::Path::new("/usr/bin/perl"), 500, 200, 0);
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/session-cache/session-cache.c");
    std::fs::copy(&example, folder.path().join("session-cache.c")).unwrap();
    let variables = [
        ("NGINX", nginx.worker.to_string()),
        ("PERL", perl.pid().to_string()),
    ];
    let server = Server::start(folder.path());
    let mut readme_variables = variables.to_vec();
    readme_variables.push(("SERVER", server.0.id().to_string()));
    let readme = Page::read(&root().join("README.md"));
    let before = "while kill -0 $SERVER; do ./session-cache load server.sock; sleep 0.2; done > load.txt 2>&1 &";
    let commands = readme.run(folder.path(), before, &readme_variables);
    drop(server);
    assert_eq!(commands, 5, "commands");
    let picture = std::fs::read_to_string(folder.path().join("latency.svg")).unwrap();
    assert!(
        picture.contains("How long answer() takes") && picture.contains("login"),
        "{picture}"
    );
    let picture = std::fs::read_to_string(folder.path().join("held.svg")).unwrap();
    assert!(picture.contains("<svg") && picture.contains("cert_cache"));
    let picture = std::fs::read_to_string(folder.path().join("memory.svg")).unwrap();
    assert!(picture.contains("<svg"), "{picture}");
    let cookbook = Page::read(&root().join("docs/cookbook.md"));
    let commands = cookbook.run(folder.path(), "", &variables);
    assert!(commands >= 30, "{commands} commands");
}

/// What the README lists under "Use it" exists.
#[test]
fn the_readme_lists_commands_and_options_that_exist() {
    let page = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = page.split_once("## Use it\n\n```\n").unwrap();
    let (list, _) = rest.split_once("\n```").unwrap();
    let mut lines = 0;
    for line in list.lines() {
        lines += 1;
        // Two blanks and more stand before what it is for.
        let (command, _) = line.split_once("  ").unwrap_or((line, ""));
        let mut words = command.split_whitespace().skip(1);
        for name in words.next().unwrap().split('|') {
            let mut path = vec![name];
            let mut rest: Vec<&str> = words.clone().collect();
            if name == "types" {
                path.push(rest.remove(0));
            }
            path.push("--help");
            let help = run(&path).expect_status(0).stdout;
            for word in rest.iter().take_while(|word| **word != "--") {
                for option in word.trim_matches(['[', ']']).split('|') {
                    let known = help.split(|c: char| c.is_whitespace() || c == ',');
                    let mut known = known.map(|word| word.trim_end_matches(['[', '=']));
                    assert!(
                        !option.starts_with('-')
                            || known.any(|known| known.split('[').next() == Some(option)),
                        "{option} of {name}"
                    );
                }
            }
        }
    }
    assert!(lines >= 20, "{lines}");
}
