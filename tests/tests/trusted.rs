//! Probe files that others can change: through named pipes, access lists and groups that are shared.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Stdio;

use rustix::fs::{XattrFlags, setxattr};
use ytrace_tests::program::{Finished, command, finish, finish_with_input};
use ytrace_tests::skip;

const PROBE: &str = "_probe _oneshot { printf(\"ran\\n\"); }\n";

/// Runs ytrace in a directory.
fn run_in(directory: &Path, arguments: &[&str]) -> Finished {
    finish(command(arguments).current_dir(directory))
}

/// Every way in which a file of a name is read, refused for a reason.
#[track_caller]
fn refused(directory: &Path, name: &str, reason: &str) {
    let pid = std::process::id().to_string();
    let source = format!("source {name}");
    for (words, status) in [
        (vec!["run", name, "-p", &pid], 2),
        (vec!["check", name], 2),
        (vec!["repl", "-p", &pid, "-e", &source], 1),
    ] {
        let done = run_in(directory, &words).expect_status(status);
        done.says(&[reason]);
        assert!(!done.stdout.contains("ran"), "{done}");
    }
}

#[track_caller]
fn accepted(directory: &Path, name: &str) {
    let pid = std::process::id().to_string();
    for words in [vec!["run", name, "-p", &pid], vec!["check", name]] {
        run_in(directory, &words).expect_status(0);
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_pipe_is_read_only_where_it_was_opened_already() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    let pipe = directory.join("pipe.y");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Nobody writes into it; it is not waited for.
    refused(directory, "pipe.y", "a pipe with a name");
    refused(directory, "/dev/null", "neither a regular file nor");
    run_in(directory, &["new", "shelf"]).expect_status(0);
    nix::unistd::mkfifo(
        &directory.join("shelf/pipe.y"),
        nix::sys::stat::Mode::S_IRWXU,
    )
    .unwrap();
    run_in(directory, &["add", "shelf"])
        .expect_status(2)
        .says(&["pipe.y", "no regular file"]);
    let pid = std::process::id().to_string();
    let piped =
        |words: &[&str], text: &str| finish_with_input(command(words).current_dir(directory), text);
    for name in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let done = piped(&["run", name, "-p", &pid], PROBE).expect_status(0);
        assert_eq!(done.stdout, "ran\n");
    }
    let words = ["repl", "-p", &pid, "-e", "source /dev/stdin"];
    let done = piped(&words, "1 + 1\n").expect_status(0);
    assert_eq!(done.stdout, "$1 = 2\n");
    // A file that was opened already is what its name leads to, and one without a name has an owner and a mode.
    let script = format!(
        "printf '%s' '{PROBE}' > p.y; \"$0\" run /dev/fd/5 -p {pid} 5< p.y; chmod 666 p.y; \"$0\" run /dev/stdin -p {pid} < p.y; \
         exec 6< p.y; rm p.y; \"$0\" run /dev/fd/6 -p {pid}; \"$0\" run <(printf '%s' '{PROBE}') -p {pid}"
    );
    let mut shell = std::process::Command::new("bash");
    shell
        .args(["-c", &script])
        .arg(ytrace_tests::program::ytrace())
        .current_dir(directory)
        .stdin(Stdio::null());
    let done = finish(&mut shell).expect_status(0);
    assert_eq!(done.stdout, "ran\nran\n", "{done}");
    assert_eq!(
        done.stderr.matches("everybody can write it").count(),
        2,
        "{done}"
    );
    if !nix::unistd::geteuid().is_root() {
        return skip("pipes of others", "only root can make them");
    }
    // One with a name has an owner, too, whoever has opened it.
    chown(&pipe, Some(12345), None).unwrap();
    refused(directory, "pipe.y", "a pipe with a name");
    let script = format!("\"$0\" run /dev/stdin -p {pid} <> pipe.y");
    let mut shell = std::process::Command::new("bash");
    shell
        .args(["-c", &script])
        .arg(ytrace_tests::program::ytrace())
        .current_dir(directory);
    let done = finish(&mut shell).expect_status(2);
    done.says(&["belongs to another user (12345)"]);
}

/// An access list as the kernel keeps it: tag, rights and number of each entry.
fn access_list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

#[test]
fn access_lists_count() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    run_in(directory, &["new", "shelf"]).expect_status(0);
    let place = directory.join("p.y");
    std::fs::write(&place, PROBE).unwrap();
    accepted(directory, "p.y");
    let set = |path: &Path, entry: (u16, u16, u32), mask: u16| {
        let none = u32::MAX;
        let list = access_list(&[
            (1, 7, none),
            entry,
            (4, 5, none),
            (0x10, mask, none),
            (0x20, 5, none),
        ]);
        // As the kernel wants them: users before groups.
        let list = match entry.0 {
            8 => access_list(&[
                (1, 7, none),
                (4, 5, none),
                entry,
                (0x10, mask, none),
                (0x20, 5, none),
            ]),
            _ => list,
        };
        setxattr(path, "system.posix_acl_access", &list, XattrFlags::empty())
    };
    match set(&place, (2, 7, 12345), 7) {
        Err(rustix::io::Errno::OPNOTSUPP) => {
            return skip("access lists", "this file system has none");
        }
        done => done.unwrap(),
    }
    refused(directory, "p.y", "the user 12345 can write it");
    // The mask of a list takes rights away.
    set(&place, (2, 7, 12345), 5).unwrap();
    accepted(directory, "p.y");
    set(&place, (8, 7, 12345), 7).unwrap();
    refused(directory, "p.y", "the group 12345 can write it");
    // One's own user is nobody else.
    set(&place, (2, 7, nix::unistd::geteuid().as_raw()), 7).unwrap();
    accepted(directory, "p.y");
    let below = directory.join("below");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("p.y"), PROBE).unwrap();
    set(&below, (2, 7, 12345), 7).unwrap();
    refused(directory, "below/p.y", "the user 12345 can write it");
    // So it is of packages, and of where they are added to.
    set(&directory.join("shelf/items.y"), (2, 7, 12345), 7).unwrap();
    run_in(directory, &["add", "shelf"])
        .expect_status(2)
        .says(&["items.y", "the user 12345 can write it"]);
    run_in(&below, &["add", "../shelf"])
        .expect_status(2)
        .says(&["the user 12345 can write it"]);
    assert!(!directory.join("ytrace.lock").exists());
}

#[test]
fn a_group_is_shared_unless_the_system_says_otherwise() {
    if !nix::unistd::geteuid().is_root() {
        return skip("groups of others", "only root can give files to them");
    }
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    run_in(directory, &["new", "shelf"]).expect_status(0);
    let place = directory.join("p.y");
    std::fs::write(&place, PROBE).unwrap();
    // Root who works in somebody's directory trusts that user: not whoever has a group of the same number.
    let give = |user: u32, group: u32| {
        chown(directory, Some(user), Some(user)).unwrap();
        chown(&place, Some(user), Some(group)).unwrap();
        set_mode(&place, 0o664);
    };
    give(54321, 54321);
    refused(directory, "p.y", "its group 54321 can write it (mode 664)");
    let items = directory.join("shelf/items.y");
    chown(&items, Some(54321), Some(54321)).unwrap();
    set_mode(&items, 0o664);
    run_in(directory, &["add", "shelf"])
        .expect_status(2)
        .says(&["items.y", "its group 54321 can write it (mode 664)"]);
    set_mode(&place, 0o644);
    accepted(directory, "p.y");
    // Each of these systems has a user with a group of its own.
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let own = users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, user, group, ..] = fields.as_slice() else {
            return None;
        };
        let alone = groups
            .lines()
            .any(|line| line == format!("{name}:x:{group}:"));
        let others = users
            .lines()
            .filter(|line| line.split(':').nth(3) == Some(group));
        (*user != "0" && alone && others.count() == 1)
            .then(|| Some((user.parse().ok()?, group.parse().ok()?)))?
    });
    let Some((user, group)) = own else {
        return skip("groups of one user", "no user here has one");
    };
    give(user, group);
    accepted(directory, "p.y");
    give(0, group);
    refused(directory, "p.y", &format!("its group {group} can write it"));
}
