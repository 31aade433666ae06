//! Packages: made, tested, added to another directory, held to their hashes, audited and documented.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ytrace_tests::program::{Finished, command, finish, run, ytrace};
use ytrace_tests::{compile_file, root, skip};

/// Runs ytrace in a directory.
fn run_in(directory: &Path, arguments: &[&str]) -> Finished {
    finish(command(arguments).current_dir(directory))
}

/// A package `shelf` in a temporary directory.
fn package() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("shelf");
    run_in(folder.path(), &["new", "shelf"]).expect_status(0);
    (folder, directory)
}

/// The program of a package's tests, which runs until this value is dropped.
struct Shelf(Child);

impl Shelf {
    fn start(package: &Path) -> Self {
        let (source, folder) = (package.join("tests/items.c"), package.parent().unwrap());
        let program = compile_file(&source, folder, "items", &["-g", "-O1"]);
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n");
        Self(child)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_new_package_passes_its_test() {
    let (folder, directory) = package();
    let done = run_in(folder.path(), &["test", "shelf"]).expect_status(0);
    assert_eq!(
        done.stdout,
        "ok   tests/items.toml: adds up the items by kind\nok   tests/items.toml: leaves out small kinds\n2 passed, 0 failed, 0 skipped\n",
        "{done}"
    );
    // It is in the one style, and right without a target.
    run_in(folder.path(), &["fmt", "--check", "shelf"]).expect_status(0);
    let done = run_in(folder.path(), &["check", "shelf"]).expect_status(0);
    assert!(done.stdout.contains("2 files: 2 right, 0 wrong"), "{done}");
    // Nothing was left in it.
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 4);
    // Nor is anything overwritten.
    let done = run_in(folder.path(), &["new", "shelf"]).expect_status(2);
    done.says(&["is there already, and is not empty"]).hints();
    for name in ["linux", "Shelf", "a.b"] {
        let done = run_in(folder.path(), &["new", name]).expect_status(2);
        done.says(&["cannot be the name of a package"]).hints();
        assert!(!folder.path().join(name).exists());
    }
}

#[test]
fn a_test_that_fails_says_what_differs() {
    let (folder, directory) = package();
    let suite = directory.join("tests/items.toml");
    replace(&suite, "120 items", "121 items");
    let done = run_in(folder.path(), &["test", "shelf"]).expect_status(1);
    for part in [
        "FAIL tests/items.toml: adds up the items by kind\n     standard output lacks \"121 items\"",
        "| 120 items",
        "0 passed, 2 failed, 0 skipped",
    ] {
        assert!(done.stdout.contains(part), "{part}: {done}");
    }
    let done = run_in(folder.path(), &["test", "shelf", "small"]).expect_status(1);
    assert!(done.stdout.contains("0 passed, 1 failed"), "{done}");
    run_in(folder.path(), &["test", "shelf", "no such"])
        .expect_status(2)
        .says(&["no test has `no such` in its name"])
        .hints();
    // What is not there skips a test, and is said.
    replace(
        &suite,
        "requires = [\"cc\"]",
        "requires = [\"no-such-program\"]",
    );
    let done = run_in(folder.path(), &["test", "shelf"]).expect_status(0);
    assert!(done.stdout.contains("skip tests/items.toml"), "{done}");
    assert!(
        done.stdout.contains("no-such-program is not there"),
        "{done}"
    );
    assert!(
        done.stdout.contains("0 passed, 0 failed, 2 skipped"),
        "{done}"
    );
    // What cannot be built fails its tests, with what the compiler said.
    replace(&suite, "requires = [\"no-such-program\"]", "requires = []");
    replace(
        &directory.join("tests/items.c"),
        "int main",
        "int main main",
    );
    let done = run_in(folder.path(), &["test", "shelf"]).expect_status(1);
    assert!(done.stdout.contains("items.c:"), "{done}");
    // A program that is never ready.
    std::fs::write(
        &suite,
        "[[test]]\nname = \"a\"\nprobe = \"probes/items.y\"\nstart = \"sh -c 'echo no >&2'\"\nready = \"ready\"\nexpect = [\"x\"]\n",
    )
    .unwrap();
    let done = run_in(folder.path(), &["test", "shelf"]).expect_status(1);
    assert!(
        done.stdout
            .contains("before it printed \"ready\"; it said: no"),
        "{done}"
    );
    std::fs::write(
        &suite,
        "[[test]]\nname = \"a\"\nprobe = \"b.y\"\ncore = \"c\"\n",
    )
    .unwrap();
    let done = run_in(folder.path(), &["test", "shelf"]).expect_status(2);
    done.says(&["tests/items.toml", "it expects nothing"])
        .hints();
}

#[test]
fn results_as_json_and_commands_can_be_expected() {
    let (folder, directory) = package();
    std::fs::write(
        directory.join("probes/words.y"),
        "/// Maps.\n_probe _oneshot {\n    long n = 0;\n    _foreach (m in _maps())\n        n++;\n    printf(\"%s\\n\", n > 3 ? \"many\" : \"few\");\n    _assert_equal(\"one\", 1, 1);\n}\n",
    )
    .unwrap();
    replace(
        &directory.join("probes.toml"),
        "types = [\"struct shelf\"]",
        "",
    );
    let suite = |value: &str| {
        format!(
            "[[test]]\nname = \"maps\"\nprobe = \"probes/words.y\"\ncommand = \"sh -c true\"\nexpect_file = \"tests/many\"\nexpect_json = {{ \"/checks/0/equal\" = {value} }}\n"
        )
    };
    std::fs::write(directory.join("tests/many"), "many\n").unwrap();
    std::fs::write(directory.join("tests/items.toml"), suite("true")).unwrap();
    let done = run_in(folder.path(), &["test", "shelf"]).expect_status(0);
    assert!(done.stdout.contains("1 passed"), "{done}");
    std::fs::write(directory.join("tests/items.toml"), suite("false")).unwrap();
    let done = run_in(folder.path(), &["test", "shelf"]).expect_status(1);
    assert!(
        done.stdout
            .contains("/checks/0/equal is true, expected false"),
        "{done}"
    );
}

#[test]
fn an_added_package_is_held_to_its_hash() {
    let (folder, directory) = package();
    let shelf = Shelf::start(&directory);
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let added = run_in(&home, &["add", "../shelf"]).expect_status(0);
    assert!(
        added
            .stdout
            .starts_with("added shelf 0.1.0: 5 files, sha256:"),
        "{added}"
    );
    let pid = shelf.pid();
    let of_package = |file: &str| run_in(&home, &["run", file, "-p", &pid]);
    // By its name, by its file, and from a probe of one's own.
    assert!(
        of_package("shelf/items.y")
            .expect_status(0)
            .stdout
            .contains("120 items, ")
    );
    of_package("ytrace-packages/shelf/probes/items.y").expect_status(0);
    let mine = "/// Mine.\n#include <shelf/items.y>\n\n_probe _oneshot {\n    long n[_str];\n    printf(\"COUNT %ld\\n\", shelf_add(shelf->first, n));\n}\n";
    std::fs::write(home.join("mine.y"), mine).unwrap();
    assert_eq!(of_package("mine.y").expect_status(0).stdout, "COUNT 120\n");
    // Of a probe file elsewhere, the set beside that file counts.
    let path = home.join("mine.y").display().to_string();
    run_in(folder.path(), &["run", &path, "-p", &pid]).expect_status(0);
    let listed = run_in(&home, &["list", "shelf"]).expect_status(0);
    assert_eq!(
        listed.stdout,
        "shelf/items.y  Which kinds of items hold the memory of a shelf\n"
    );

    // A change to a file is caught wherever the file is used.
    let copy = home.join("ytrace-packages/shelf/items.y");
    replace(&copy, "count++;", "count += 2;");
    for file in ["shelf/items.y", "mine.y"] {
        of_package(file)
            .expect_status(2)
            .says(&["is not what was added: items.y has changed", "ytrace.lock"])
            .hints();
    }
    for more in [&["check", "mine.y"][..], &["check", "--audit", "mine.y"]] {
        let checked = run_in(&home, more).expect_status(2);
        checked.says(&["items.y has changed"]).hints();
        assert!(!checked.stdout.contains("probes"), "{checked}");
    }
    // At the prompt, too, which goes on without.
    let words = [
        "repl",
        "-p",
        &pid,
        "-e",
        "#include <shelf/items.y>",
        "-e",
        "1 + 1",
    ];
    let prompt = run_in(&home, &words).expect_status(1);
    prompt
        .says(&["is not what was added: items.y has changed"])
        .hints();
    assert_eq!(prompt.stdout, "$1 = 2\n", "{prompt}");
    let listed = run_in(&home, &["list"]).expect_status(3);
    listed.says(&["items.y has changed"]);
    // As is one to the probe itself, and a lock file that is gone or wrong.
    replace(&copy, "count += 2;", "count++;");
    of_package("mine.y").expect_status(0);
    let probe = home.join("ytrace-packages/shelf/probes/items.y");
    replace(&probe, "%ld items", "%ld things");
    of_package("shelf/items.y")
        .expect_status(2)
        .says(&["probes/items.y has changed"])
        .hints();
    replace(&probe, "%ld things", "%ld items");
    let lock = home.join("ytrace.lock");
    let text = std::fs::read_to_string(&lock).unwrap();
    std::fs::write(&lock, "format = 9\n").unwrap();
    of_package("mine.y")
        .expect_status(2)
        .says(&["format 9"])
        .hints();
    std::fs::remove_file(&lock).unwrap();
    for name in ["ytrace-packages/shelf/probes/items.y", "shelf/items.y"] {
        of_package(name)
            .expect_status(2)
            .says(&["beside which there is no ytrace.lock"])
            .hints();
    }
    std::fs::write(&lock, text).unwrap();

    // A new version is taken by adding it again, and what is new is told.
    replace(
        &directory.join("probes.toml"),
        "0.1.0\"\ndesc",
        "0.2.0\"\ndesc",
    );
    replace(&directory.join("items.y"), "10000000", "20000000");
    let again = run_in(&home, &["add", "../shelf"]).expect_status(0);
    for part in [
        "replaced shelf 0.2.0",
        "it was 0.1.0",
        "items.y has changed",
        "probes.toml has changed",
    ] {
        assert!(again.stdout.contains(part), "{part}: {again}");
    }
    of_package("mine.y").expect_status(0);
    assert_eq!(
        std::fs::read_dir(home.join("ytrace-packages"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn what_a_package_lacks_is_said() {
    let (folder, directory) = package();
    let shelf = Shelf::start(&directory);
    let manifest = directory.join("probes.toml");
    let probe = directory.join("probes/items.y").display().to_string();
    let pid = shelf.pid();
    let whole = std::fs::read_to_string(&manifest).unwrap();
    let with = |line: &str| {
        let text = whole.replace("types = [\"struct shelf\"]", line);
        std::fs::write(&manifest, text).unwrap();
        run_in(folder.path(), &["run", &probe, "-p", &pid])
    };
    for (line, part) in [
        (
            "types = [\"struct no_such\"]",
            "needs the type `struct no_such`",
        ),
        (
            "modules = [\"libno.so*|libnone.so\"]",
            "needs the module `libno.so*` or `libnone.so`",
        ),
    ] {
        with(line).expect_status(2).says(&[part]).hints();
    }
    with("modules = [\"libno.so*|libc.so.6\"]\ntypes = [\"struct item\"]").expect_status(0);
    with("types = [7]")
        .expect_status(2)
        .says(&["probes.toml"])
        .hints();
    std::fs::write(&manifest, whole.replace(">=0.1.0", ">=99")).unwrap();
    run_in(folder.path(), &["run", &probe, "-p", &pid])
        .expect_status(2)
        .says(&["needs ytrace >=99"])
        .hints();
    run_in(folder.path(), &["add", "shelf"])
        .expect_status(2)
        .says(&["needs ytrace >=99"]);
    assert!(!folder.path().join("ytrace.lock").exists());
}

#[test]
fn an_added_package_can_be_removed() {
    let (folder, directory) = package();
    run_in(folder.path(), &["remove", "shelf"])
        .expect_status(2)
        .says(&["ytrace.lock", "there is no package `shelf`"])
        .hints();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    run_in(&home, &["add", "../shelf"]).expect_status(0);
    let copy = home.join("ytrace-packages/shelf");
    std::fs::write(copy.join("notes.y"), "/// Mine.\n").unwrap();
    run_in(&home, &["remove", "shelf"])
        .expect_status(2)
        .says(&["is kept", "notes.y is new", "--force"])
        .hints();
    assert!(copy.join("notes.y").is_file());
    let done = run_in(&home, &["remove", "shelf", "--force"]).expect_status(0);
    assert_eq!(done.stdout, "removed shelf 0.1.0\n    notes.y is new\n");
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0);
    assert!(directory.is_dir());
    // The others stay.
    run_in(folder.path(), &["new", "other"]).expect_status(0);
    run_in(&home, &["add", "../shelf"]).expect_status(0);
    run_in(&home, &["add", "../other"]).expect_status(0);
    run_in(&home, &["remove", "shelf"]).expect_status(0);
    let list = run_in(&home, &["list", "items"]).expect_status(0);
    assert!(
        list.stdout.contains("other/items.y") && !list.stdout.contains("shelf/items.y"),
        "{list}"
    );
    run_in(&home, &["remove", "shelf"])
        .expect_status(2)
        .says(&["there are: other"]);
}

#[test]
fn what_others_can_write_is_refused() {
    let (folder, directory) = package();
    let set = |path: &str, mode: u32| {
        let path = directory.join(path);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for path in ["items.y", "probes.toml", "tests", "tests/items.c"] {
        let before = std::fs::metadata(directory.join(path))
            .unwrap()
            .permissions();
        set(path, 0o777);
        let done = run_in(folder.path(), &["add", "shelf"]).expect_status(2);
        done.says(&["everybody can write it", path]);
        set(path, before.mode() & 0o7777);
    }
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    run_in(&open, &["add", "../shelf"])
        .expect_status(2)
        .says(&["everybody can write it", "other packages"])
        .hints();
    assert_eq!(std::fs::read_dir(&open).unwrap().count(), 0);
    // So is a file that is included at the prompt, or by a file that is audited.
    let shared = directory.join("items.y");
    let text = "#include \"shelf/items.y\"\n_probe _oneshot { }\n";
    std::fs::write(folder.path().join("mine.y"), text).unwrap();
    set("items.y", 0o666);
    let done = run_in(folder.path(), &["check", "--audit", "mine.y"]);
    assert_ne!(done.status, Some(0), "{done}");
    done.says(&["everybody can write it"]);
    let pid = std::process::id().to_string();
    let words = ["repl", "-p", &pid, "-e", "#include \"shelf/items.y\""];
    let done = run_in(folder.path(), &words).expect_status(1);
    done.says(&["everybody can write it"]);
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o644)).unwrap();
    run_in(folder.path(), &["check", "--audit", "mine.y"]).expect_status(0);
    let link = directory.join("link.y");
    std::os::unix::fs::symlink("items.y", &link).unwrap();
    run_in(folder.path(), &["add", "shelf"])
        .expect_status(2)
        .says(&["link.y", "no regular file"]);
    std::fs::remove_file(&link).unwrap();
    run_in(folder.path(), &["add", "shelf"]).expect_status(0);
    let lock = folder.path().join("ytrace.lock");
    std::fs::set_permissions(&lock, std::fs::Permissions::from_mode(0o666)).unwrap();
    run_in(folder.path(), &["list"])
        .expect_status(3)
        .says(&["ytrace.lock", "everybody can write it"]);
    std::fs::set_permissions(&lock, std::fs::Permissions::from_mode(0o644)).unwrap();
    run_in(folder.path(), &["list"]).expect_status(0);
    // Nor does a stranger's lock file count where everybody may put files.
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&lock, Some(12345), None).unwrap();
        let shared = std::fs::Permissions::from_mode(0o1777);
        std::fs::set_permissions(folder.path(), shared).unwrap();
        let done = run_in(folder.path(), &["list"]).expect_status(3);
        done.says(&["ytrace.lock", "belongs to another user"]);
    } else {
        skip("files of others", "only root can make them");
    }
}

#[test]
fn packages_are_documented() {
    let (folder, _) = package();
    let page = run_in(folder.path(), &["doc", "shelf"])
        .expect_status(0)
        .stdout;
    for part in [
        "# shelf 0.1.0\n",
        "- types of the target: `struct shelf`",
        "### shelf/items.y\n\nWhich kinds of items hold the memory of a shelf.",
        "| `--above` | `long above = 0` | leave out kinds",
        "Views: Bytes by kind of item (bars, bytes)",
        "`#include <shelf/items.y>`",
        "**`long shelf_add(struct item *first, long bytes[_str])`**\n\nAdds the bytes",
        "- leaves out small kinds",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let out = folder.path().join("pages");
    run_in(folder.path(), &["doc", "shelf", "-o", "pages"]).expect_status(0);
    let written = std::fs::read_to_string(out.join("shelf.md")).unwrap();
    assert_eq!(
        written.strip_prefix("<!-- Made by `ytrace doc`, which replaces it. -->\n\n"),
        Some(page.as_str())
    );
    run_in(folder.path(), &["doc", "shelf", "-o", "pages"]).expect_status(0);
    // What somebody else wrote is not replaced.
    std::fs::write(out.join("shelf.md"), "my own words").unwrap();
    let refused = run_in(folder.path(), &["doc", "shelf", "-o", "pages"]).expect_status(2);
    refused.says(&["shelf.md is there, and no page that `ytrace doc` wrote"]);
    refused.hints();
    let written = std::fs::read_to_string(out.join("shelf.md")).unwrap();
    assert_eq!(written, "my own words");
    let page = run(&["doc", "probes/ngx-pools.y"]).expect_status(0).stdout;
    assert!(page.starts_with("# probes/ngx-pools.y\n"), "{page}");
    run(&["doc", "luajit"]).expect_status(0);
    for wrong in ["no-such", "no-such.y", "docs"] {
        run(&["doc", wrong]).expect_status(2).hints();
    }
}

#[test]
fn the_library_reference_is_up_to_date() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().display().to_string();
    run(&["doc", "-o", &path]).expect_status(0);
    let committed = root().join("docs/library");
    let names = |directory: &Path| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    assert!(names(out.path()).len() > 5);
    if std::env::var_os("YTRACE_BLESS").is_some() {
        run(&["doc", "-o", &committed.display().to_string()]).expect_status(0);
    }
    assert_eq!(
        names(out.path()),
        names(&committed),
        "`ytrace doc -o docs/library` makes the pages anew"
    );
    for name in names(out.path()) {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(
            read(out.path()) == read(&committed),
            "docs/library/{} is out of date: `ytrace doc -o docs/library` makes it anew",
            name.display()
        );
    }
}

#[test]
fn installed_probes_are_listed() {
    let listed = run(&["list"]).expect_status(0).stdout;
    let shipped = std::fs::read_dir(root().join("probes")).unwrap().count();
    assert_eq!(listed.lines().count(), shipped, "{listed}");
    assert!(
        listed.contains("\nprobes/lua-gc-fgraph.y           Which Lua values hold the memory of a LuaJIT heap, as a flame graph of references\n"),
        "{listed}"
    );
    let json = run(&["list", "--format", "json", "ngx"])
        .expect_status(0)
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let all = json.as_array().unwrap();
    assert!(!all.is_empty());
    assert!(
        all.iter()
            .all(|one| one["name"].as_str().unwrap().contains("ngx"))
    );
    run(&["list", "no-such"]).expect_status(2).hints();
    run(&["list", "--functions"]).expect_status(2).hints();
    // Who errs in the name of a package's probe is told its probes.
    let (folder, _directory) = package();
    run_in(folder.path(), &["add", "shelf"]).expect_status(0);
    let pid = std::process::id().to_string();
    let told = run_in(folder.path(), &["run", "shelf/item.y", "-p", &pid]).expect_status(2);
    told.says(&["probes of the package shelf: shelf/items.y;"]);
    let told = run_in(folder.path(), &["run", "other/item.y", "-p", &pid]).expect_status(2);
    told.says(&["probes that ship with ytrace: probes/"]);
}

#[test]
fn an_audit_lists_what_a_file_reads_and_needs() {
    let (folder, directory) = package();
    let probe = "shelf/probes/items.y";
    let done = run_in(folder.path(), &["check", "--audit", probe]).expect_status(0);
    let digest = |path: &Path| {
        let sum = Command::new("sha256sum").arg(path).output().unwrap();
        let text = String::from_utf8(sum.stdout).unwrap();
        text.split(' ').next().unwrap().to_owned()
    };
    let library = directory.join("items.y");
    for part in [
        "shelf/probes/items.y: Which kinds of items hold the memory of a shelf\n",
        "probes     _oneshot   shelf/probes/items.y:10:1\n",
        "names of a target: shelf, struct item",
        "writes     nothing into the target",
        "views      bars \"Bytes by kind of item\"\n",
        "CAP_SYS_PTRACE",
        "the package shelf 0.1.0, which wants struct shelf",
        "options    --above N   leave out",
        &format!("sha256:{}  {probe}\n", digest(&folder.path().join(probe))),
        &digest(&library),
        "-p PID, --core FILE or --types FILE tells",
    ] {
        assert!(done.stdout.contains(part), "{part}: {done}");
    }
    // With a target it tells what the names are.
    let shelf = Shelf::start(&directory);
    let done = run_in(
        folder.path(),
        &["check", "--audit", probe, "-p", &shelf.pid()],
    )
    .expect_status(0);
    for part in ["reads      variables: shelf\n", "types: struct item"] {
        assert!(done.stdout.contains(part), "{part}: {done}");
    }
    // What a probe on events takes, which files ship with ytrace, and what is hidden in an arm that is not the first.
    std::fs::write(
        folder.path().join("sly.y"),
        "#include <linux/resident.y>\n##ifdefvar no_such\n_probe _oneshot { }\n##else\n_probe `libc.so.6::SSL_*`(...) { printf(\"%s\\n\", _tostr(secret_key)); }\n_probe _watch(&counter, 8, \"w\") { }\n##endif\n",
    )
    .unwrap();
    let done = run_in(folder.path(), &["check", "--audit", "sly.y"]).expect_status(0);
    for part in [
        "secret_key",
        "`libc.so.6::SSL_*`(...)",
        "CAP_BPF",
        "--sync: threads",
        "(ships with ytrace)",
    ] {
        assert!(done.stdout.contains(part), "{part}: {done}");
    }
}

#[test]
fn nothing_hides_from_an_audit() {
    let folder = tempfile::tempdir().unwrap();
    let audited = |text: &str, status: i32| {
        std::fs::write(folder.path().join("sly.y"), text).unwrap();
        run_in(folder.path(), &["check", "--audit", "sly.y"]).expect_status(status)
    };
    let oneshot = "_probe _oneshot { }\n";
    let hidden = "_probe SSL_read(...) { printf(\"%d\\n\", secret_key); }\n";
    let says = |text: &str| {
        let done = audited(text, 0);
        for part in ["secret_key", "SSL_read"] {
            assert!(done.stdout.contains(part), "{part}: {done}");
        }
    };
    // In an arm within an arm.
    says(&format!(
        "##ifdefvar a\n{oneshot}##else\n##ifdefvar b\n{hidden}##else\n{oneshot}##endif\n##endif\n"
    ));
    // In a file that an arm includes.
    let inner = format!("##ifdefvar c\n{oneshot}##else\n{hidden}##endif\n");
    std::fs::write(folder.path().join("inner.y"), &inner).unwrap();
    says(&format!(
        "##ifdefvar a\n#include \"inner.y\"\n##else\n{oneshot}##endif\n"
    ));
    // Where `--duty` brings it in.
    says(&format!(
        "#ifdef __YTRACE_DUTY__\n{hidden}#else\n{oneshot}#endif\n"
    ));
    // What cannot be seen is told.
    let unseen = |text: &str, why: &str| {
        let done = audited(text, 3);
        assert!(done.stdout.contains("PARTIAL: "), "{done}");
        assert!(done.stdout.contains(why), "{done}");
    };
    let name = "#define F \"inner.y\"\n";
    unseen(
        &format!("{name}##ifdefvar a\n#include F\n##else\n{oneshot}##endif\n"),
        "a macro gives the name",
    );
    let arms: String = (0..70)
        .map(|arm| format!("##elifdefvar v{arm}\n{oneshot}"))
        .collect();
    unseen(
        &format!("##ifdefvar a\n{oneshot}{arms}##else\n{hidden}##endif\n"),
        "would take 72 rounds, and 64 were made",
    );
}

/// What `docs/packages.md` shows below a command.
fn shown(command: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/packages.md")).unwrap();
    let (_, rest) = page.split_once(&format!("```\n$ {command}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_page_on_packages_shows_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let home = std::fs::canonicalize(folder.path()).unwrap();
    let like_the_page = |text: &str| {
        let text = text.replace(&home.display().to_string(), "/home/me");
        let mut parts = text.split("sha256:");
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            out.push_str("sha256:…");
            out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
        }
        out
    };
    run_in(folder.path(), &["new", "my-server"]).expect_status(0);
    let audit = "check --audit my-server/probes/items.y";
    let words: Vec<&str> = audit.split(' ').collect();
    let done = run_in(folder.path(), &words).expect_status(0);
    assert_eq!(
        like_the_page(&done.stdout),
        shown(&format!("ytrace {audit}"))
    );
    run_in(folder.path(), &["add", "my-server"]).expect_status(0);
    let probe = home.join("ytrace-packages/my-server/probes/items.y");
    replace(&probe, "%ld items", "%ld things");
    // The package itself would be found before the one that was added.
    std::fs::rename(home.join("my-server"), home.join("other")).unwrap();
    let pid = std::process::id().to_string();
    let done = run_in(folder.path(), &["run", "my-server/items.y", "-p", &pid]).expect_status(2);
    assert_eq!(
        like_the_page(&done.stderr),
        shown("ytrace run my-server/items.y -p PID")
    );
}

/// Runs ytrace in a directory, after commands of a shell.
fn run_after(shell: &str, directory: &Path, arguments: &[&str]) -> Finished {
    let mut run = Command::new("sh");
    run.arg("-c").arg(format!("{shell}; exec \"$0\" \"$@\""));
    run.arg(ytrace()).args(arguments).current_dir(directory);
    finish(&mut run)
}

#[test]
fn adding_writes_what_was_checked_and_nothing_else() {
    let (folder, directory) = package();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let tool = directory.join("tests/tool");
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    std::fs::write(&tool, "#!/bin/sh\n").unwrap();
    mode(&tool, 0o4755);
    run_in(&home, &["add", "../shelf"])
        .expect_status(2)
        .says(&["tests/tool", "rights of its owner", "mode 4755"])
        .hints();
    mode(&tool, 0o744);
    // What it writes cannot be led elsewhere.
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "mine").unwrap();
    std::os::unix::fs::symlink(&victim, home.join(".ytrace.lock.new")).unwrap();
    run_in(&home, &["add", "../shelf"]).expect_status(0);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
    let copied = std::fs::metadata(home.join("ytrace-packages/shelf/tests/tool")).unwrap();
    assert_eq!(copied.permissions().mode() & 0o7122, 0o100);
    let linked = folder.path().join("linked");
    std::fs::create_dir(&linked).unwrap();
    std::os::unix::fs::symlink("../home/ytrace-packages", linked.join("ytrace-packages")).unwrap();
    run_in(&linked, &["add", "../shelf"])
        .expect_status(2)
        .says(&["ytrace-packages", "is no directory"])
        .hints();
    // A package brings no lock file of its own.
    for inner in ["ytrace.lock", "tests/ytrace.lock"] {
        std::fs::write(directory.join(inner), "format = 1\n").unwrap();
        run_in(&home, &["add", "../shelf"])
            .expect_status(2)
            .says(&[inner, "packages hold no packages"])
            .hints();
        std::fs::remove_file(directory.join(inner)).unwrap();
    }
    // Several at once, none of which is lost.
    let many = folder.path().join("many");
    std::fs::create_dir(&many).unwrap();
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    for name in &names {
        let place = folder.path().join(name);
        std::fs::create_dir(&place).unwrap();
        std::fs::write(
            place.join("probes.toml"),
            format!("name = \"{name}\"\nversion = \"1.0.0\"\n"),
        )
        .unwrap();
    }
    let adding: Vec<Child> = names
        .iter()
        .map(|name| {
            let mut add = command(&["add", &format!("../{name}")]);
            add.current_dir(&many)
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in adding {
        assert!(child.wait().unwrap().success());
    }
    let lock = std::fs::read_to_string(many.join("ytrace.lock")).unwrap();
    assert_eq!(lock.matches("[[package]]").count(), names.len(), "{lock}");
    // A lock file that cannot be written leaves the package as it was: it is larger than all that is copied.
    for number in 0..40 {
        std::fs::write(directory.join(format!("f{number}.y")), "").unwrap();
    }
    for big in [
        "items.y",
        "probes/items.y",
        "tests/items.c",
        "tests/items.toml",
    ] {
        std::fs::remove_file(directory.join(big)).unwrap();
    }
    let before = std::fs::read_to_string(home.join("ytrace.lock")).unwrap();
    run_after("trap '' XFSZ; ulimit -f 2", &home, &["add", "../shelf"])
        .expect_status(2)
        .says(&["ytrace.lock"]);
    assert_eq!(
        std::fs::read_to_string(home.join("ytrace.lock")).unwrap(),
        before
    );
    assert!(home.join("ytrace-packages/shelf/items.y").is_file());
    assert_eq!(
        std::fs::read_dir(home.join("ytrace-packages"))
            .unwrap()
            .count(),
        1
    );
    run_in(&home, &["check", "shelf/items.y"]).expect_status(0);
    // Whatever the umask is.
    run_after("umask 0", folder.path(), &["new", "z/y/x"]).expect_status(0);
    for part in ["z", "z/y", "z/y/x"] {
        let made = std::fs::metadata(folder.path().join(part)).unwrap();
        assert_eq!(made.permissions().mode() & 0o7777, 0o755, "{part}");
    }
    run_in(folder.path(), &["new", "probes"])
        .expect_status(2)
        .says(&["cannot be the name of a package"]);
}

#[test]
fn nothing_leads_past_the_lock_file() {
    let (folder, _) = package();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    run_in(&home, &["add", "../shelf"]).expect_status(0);
    std::fs::write(home.join("mine.y"), "#include <shelf/items.y>\n").unwrap();
    let shelf = home.join("ytrace-packages/shelf");
    let refused = |arguments: &[&str], part: &str| {
        run_in(&home, arguments).expect_status(2).says(&[part]);
    };
    // A program of that name is in the way of nothing.
    std::fs::write(home.join("shelf"), "").unwrap();
    run_in(&home, &["check", "shelf/items.y", "mine.y"]).expect_status(0);
    // A link.
    let library = shelf.join("items.y");
    let text = std::fs::read_to_string(&library).unwrap();
    std::fs::write(home.join("evil.y"), &text).unwrap();
    std::fs::remove_file(&library).unwrap();
    std::os::unix::fs::symlink("../../evil.y", &library).unwrap();
    for file in ["mine.y", "shelf/items.y", "ytrace-packages/shelf/items.y"] {
        refused(&["check", file], "items.y is a symbolic link");
    }
    std::fs::remove_file(&library).unwrap();
    std::fs::write(&library, &text).unwrap();
    run_in(&home, &["check", "mine.y"]).expect_status(0);
    // Another package in it, with its own lock file, and a file beside the packages.
    run_in(&shelf, &["new", "inner"]).expect_status(0);
    run_in(&shelf, &["add", "inner"]).expect_status(2);
    let inner = shelf.join("ytrace-packages/inner");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(inner.join("a.y"), "int a;\n").unwrap();
    std::fs::write(shelf.join("ytrace.lock"), "format = 1\n").unwrap();
    refused(
        &["check", "ytrace-packages/shelf/ytrace-packages/inner/a.y"],
        "a.y is new",
    );
    for left in ["inner", "ytrace-packages"] {
        std::fs::remove_dir_all(shelf.join(left)).unwrap();
    }
    std::fs::remove_file(shelf.join("ytrace.lock")).unwrap();
    std::fs::write(home.join("ytrace-packages/loose.y"), "int a;\n").unwrap();
    refused(&["check", "ytrace-packages/loose.y"], "in no package");
    // The manifest and the tests, of which nothing is run.
    let suite = shelf.join("tests/items.toml");
    let tests = std::fs::read_to_string(&suite).unwrap();
    std::fs::write(&suite, format!("build = [\"touch ran\"]\n{tests}")).unwrap();
    refused(&["test", "ytrace-packages/shelf"], "items.toml has changed");
    assert!(!shelf.join("ran").exists());
    std::fs::write(&suite, tests).unwrap();
    replace(&shelf.join("tests/items.c"), "int main", "int  main");
    refused(&["test", "ytrace-packages/shelf"], "items.c has changed");
    replace(&shelf.join("probes.toml"), "0.1.0\"\ndesc", "0.1.1\"\ndesc");
    refused(&["check", "shelf/items.y"], "probes.toml has changed");
    refused(&["doc", "ytrace-packages/shelf"], "probes.toml has changed");
    // A lock file that is a pipe hangs nothing, and keeps nobody from what ships with ytrace.
    let lock = home.join("ytrace.lock");
    std::fs::remove_file(&lock).unwrap();
    nix::unistd::mkfifo(&lock, nix::sys::stat::Mode::S_IRWXU).unwrap();
    run_in(&home, &["check", "probes/cpu-profile.y", "ngx-pools.y"]).expect_status(0);
    run_in(&home, &["list"])
        .expect_status(3)
        .says(&["ytrace.lock", "is no regular file"]);
    refused(&["add", "../shelf"], "is no regular file");
}

#[test]
fn includes_stay_where_they_belong() {
    let (folder, directory) = package();
    let tree = folder.path().join("tree");
    std::fs::create_dir_all(tree.join("probes")).unwrap();
    std::fs::write(tree.join("common.y"), "int common;\n").unwrap();
    std::fs::write(tree.join("secret"), "root:secret\n").unwrap();
    std::os::unix::fs::symlink("secret", tree.join("link.y")).unwrap();
    std::os::unix::fs::symlink("common.y", tree.join("right.y")).unwrap();
    let absolute = format!("#include \"{}\"", tree.join("common.y").display());
    let probe = tree.join("probes/a.y");
    let shown = probe.display().to_string();
    for (text, wrong) in [
        ("#include \"../common.y\"", None),
        ("#include \"../right.y\"", None),
        (absolute.as_str(), Some("absolute name")),
        ("#include \"../secret\"", Some("no probe file")),
        ("#include \"../link.y\"", Some("no probe file")),
        (
            "#include <shelf/../tree/common.y>",
            Some("leaves the directory"),
        ),
        ("#include <../common.y>", Some("leaves the directory")),
    ] {
        std::fs::write(&probe, format!("{text}\n")).unwrap();
        let folder = folder.path();
        let path = folder.display().to_string();
        let done = run_in(folder, &["check", "-I", &path, &shown]);
        match wrong {
            None => _ = done.expect_status(0),
            Some(part) => _ = done.expect_status(1).says(&[part]),
        }
    }
    // A package keeps to itself, whoever includes it.
    let library = directory.join("items.y");
    let text = std::fs::read_to_string(&library).unwrap();
    std::fs::write(&library, format!("#include \"../tree/common.y\"\n{text}")).unwrap();
    std::fs::write(&probe, "#include \"../../shelf/items.y\"\n").unwrap();
    for file in ["shelf/probes/items.y", &shown] {
        run_in(folder.path(), &["check", file])
            .expect_status(1)
            .says(&["lies outside of"]);
    }
    // What somebody calls nginx is not the library, and what a package is called is the name of its directory.
    let path = folder.path().join("path");
    std::fs::create_dir_all(path.join("nginx")).unwrap();
    std::fs::write(path.join("nginx/pools.y"), "#error evil\n").unwrap();
    std::fs::write(&library, text).unwrap();
    std::fs::rename(&directory, path.join("other")).unwrap();
    let with_path = |arguments: &[&str]| {
        let mut run = command(arguments);
        finish(run.current_dir(folder.path()).env("YTRACE_PATH", &path))
    };
    with_path(&["check", "ngx-pools.y"]).expect_status(0);
    with_path(&["check", "other/items.y"])
        .expect_status(2)
        .says(&["calls it `shelf`"])
        .hints();
    with_path(&["list"])
        .expect_status(3)
        .says(&["calls it `shelf`"]);
    let other = path.join("other");
    std::fs::write(other.join("tests/items.toml"), "[[test]]\n").unwrap();
    run_in(&path, &["doc", "other"])
        .expect_status(2)
        .says(&["tests/items.toml"]);
    // What a package lacks counts as much where it is included, and all directories above count.
    replace(&other.join("probes.toml"), ">=0.1.0", ">=99");
    std::fs::write(&probe, "#include \"../../path/other/items.y\"\n").unwrap();
    run_in(folder.path(), &["check", &shown])
        .expect_status(2)
        .says(&["needs ytrace >=99"])
        .hints();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    run_in(folder.path(), &["check", "path/other/probes/items.y"])
        .expect_status(2)
        .says(&["its directory", "everybody can write it"]);
}

/// Whether a process runs: one that has ended, and that nobody has waited for, does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[test]
fn tests_leave_no_programs_behind() {
    let (folder, directory) = package();
    let suite = r#"
build = ["sh -c 'sleep 100 & echo $! > built; setsid -f sh -c \"echo \\$\\$ > apart; exec sleep 100\" > /dev/null 2>&1; while ! test -s apart; do :; done'"]

[[test]]
name = "a"
probe = "probes/items.y"
start = """sh -c '(trap "" TERM; exec sleep 100) & echo $! > started; setsid -f sh -c "echo \\$\\$ > away; (sleep 100 & echo \\$! > farther); exec sleep 100"; while ! test -s farther; do :; done; echo ready; read line'"""
ready = "ready"
expect = ["no such text"]
"#;
    std::fs::write(directory.join("tests/items.toml"), suite).unwrap();
    run_in(folder.path(), &["test", "shelf"]).expect_status(1);
    for file in ["built", "apart", "started", "away", "farther"] {
        let pid = std::fs::read_to_string(directory.join(file)).unwrap();
        assert!(pid.trim().parse::<u32>().is_ok(), "{pid}");
        let started = std::time::Instant::now();
        while runs(&pid) && started.elapsed() < std::time::Duration::from_secs(30) {
            std::thread::yield_now();
        }
        assert!(!runs(&pid), "{file}: {pid}");
    }
}
