//! Probes run on core files: what they show is what they show of the process while it stands still, apart from what a core
//! file cannot tell.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;
use ytrace_tests::cores::{gcore, kernel_cores, written};
use ytrace_tests::fixtures::{Waiting, directory, perl_daemon, perls, unavailable};
use ytrace_tests::hoard::{self, Hoard};
use ytrace_tests::processes::{Stopped, signal, wait_for};
use ytrace_tests::program::{Finished, run, run_json};
use ytrace_tests::skip;

const GLIBC: [&str; 4] = [
    "glibc-chunks",
    "glibc-free",
    "glibc-heapmap",
    "glibc-verdict",
];
const NGINX: [&str; 3] = ["ngx-pools", "ngx-shm", "ngx-conns"];
const LUA: [&str; 2] = ["lua-gc-stats", "lua-gc-fgraph"];
const PERL: [&str; 2] = ["perl-gc-stats", "perl-gc-fgraph"];

/// Columns of which a core file knows nothing.
const UNKNOWN: [&str; 4] = ["resident_bytes", "trim_bytes", "loaded_bytes", "here_bytes"];
/// Columns of times before now, and now of a core file is when nginx last looked at its clock.
const AGES: [&str; 5] = ["age", "newest", "oldest", "least_recent_expires", "idle"];

/// Runs a probe on a target, which `words` name.
#[track_caller]
fn probe(name: &str, words: &[&str]) -> (Finished, Value) {
    run_json(&format!("probes/{name}.y"), words)
}

/// Takes what only a process knows out of what was found of one, where what was found of a core file has nothing in its place;
/// gives the names of these columns.
fn forget(live: &mut Value, core: &mut Value) -> BTreeSet<String> {
    let mut unknown = BTreeSet::new();
    let views = live.as_array_mut().unwrap().iter_mut();
    for (live, core) in views.zip(core.as_array_mut().unwrap()) {
        let columns = live["data"]["columns"]
            .as_array()
            .or(live["columns"].as_array());
        let names: Vec<String> = columns
            .into_iter()
            .flatten()
            .map(|column| column["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        let rows = |view: &Value| view["rows"].as_array().cloned().unwrap_or_default();
        let (mut ours, mut theirs) = (rows(live), rows(core));
        for (ours, theirs) in ours.iter_mut().zip(&mut theirs) {
            for (place, name) in names.iter().enumerate() {
                let (Some(ours), Some(theirs)) = (ours.get_mut(place), theirs.get_mut(place))
                else {
                    continue;
                };
                if UNKNOWN.contains(&name.as_str()) {
                    assert_eq!(*theirs, Value::Null, "{name}");
                    *ours = Value::Null;
                    unknown.insert(name.clone());
                } else if AGES.contains(&name.as_str()) {
                    *ours = Value::Null;
                    *theirs = Value::Null;
                }
            }
        }
        if !names.is_empty() {
            live["rows"] = Value::Array(ours);
            core["rows"] = Value::Array(theirs);
        }
    }
    unknown
}

/// Runs probes on a process that stands still and on its core file.
fn same(pid: i32, core: &str, probes: &[&str]) {
    let number = pid.to_string();
    for name in probes {
        let (live, mut of_live) = probe(name, &["-p", &number, "--rows", "0"]);
        let (post, mut of_core) = probe(name, &["--core", core, "--rows", "0"]);
        let what = format!("{name} on {core}\n{live}\n{post}");
        assert_eq!(live.status, Some(0), "{what}");
        assert_eq!(post.status, Some(0), "{what}");
        let unknown = forget(&mut of_live["views"], &mut of_core["views"]);
        let expected: BTreeSet<String> = match *name {
            "glibc-free" => vec!["resident_bytes"],
            "glibc-verdict" => vec!["trim_bytes"],
            "ngx-shm" => vec!["loaded_bytes", "here_bytes"],
            _ => Vec::new(),
        }
        .into_iter()
        .map(str::to_owned)
        .collect();
        assert_eq!(unknown, expected, "{what}");
        for part in ["views", "checks", "warnings"] {
            assert_eq!(of_live[part], of_core[part], "{part} of {what}");
        }
        // What it says of itself.
        let footer = &of_core["footer"];
        assert_eq!(footer["complete"], true, "{what}");
        assert_eq!(footer["mode"], "core", "{what}");
        assert_eq!(footer["pause_nanoseconds"], Value::Null, "{what}");
        assert_eq!(footer["not_dumped"], 0, "{what}");
        let said = footer["core"].as_str().unwrap_or_default();
        assert_eq!(said, format!("core file core.{pid} of {pid}"), "{what}");
        let lines = |json: &Value| -> Vec<String> {
            let lines = json["header"].as_array().unwrap().iter().skip(1);
            let known = lines.filter_map(Value::as_str).filter(|line| {
                let unknown = ["resident", "loaded", "malloc_trim"];
                !unknown.iter().any(|word| line.contains(word))
            });
            known.map(str::to_owned).collect()
        };
        assert_eq!(lines(&of_live), lines(&of_core), "{what}");
        for next in of_core["next"].as_array().unwrap() {
            let next = next.as_str().unwrap();
            assert!(next.contains(&format!("--core {core}")), "{what}");
            assert!(!next.contains("-p "), "{what}");
        }
    }
}

/// Registers, stacks and thread-local memory of all threads, in their order.
const THREADS: &str = r#"
_probe _oneshot {
    _foreach (t in _threads() _by t.tid) {
        printf("%ld %p %p %#lx %#lx\n", t.tid, _pc_reg(t.tid), _sp_reg(t.tid), _reg("fs_base", t.tid), _reg("rbp", t.tid));
        printf("%#lx\n%s-\n", *(uint64_t *)_reg("fs_base", t.tid), _sym_ubt(_ubt(t.tid)));
    }
    printf("%ld %d\n", _tid(), _is_live());
}
"#;

/// What [`THREADS`] prints of a target.
fn threads(words: &[&str]) -> Vec<String> {
    let mut arguments = vec!["run", "-e", THREADS];
    arguments.extend(words);
    let result = run(&arguments).expect_status(0);
    result.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn registers_and_stacks_of_all_threads() {
    let test = "registers_and_stacks_of_all_threads";
    let Some(program) = c_fixture(test, "heap") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let target = Waiting::start(&mut Command::new(program));
    let _stopped = Stopped::new(target.pid());
    let pid = target.pid().to_string();
    let Some(core) = gcore(test, folder.path(), target.pid()) else {
        return;
    };
    let mut live = threads(&["-p", &pid]);
    let mut post = threads(&["--core", &core]);
    assert_eq!(live.pop(), Some(format!("{pid} 1")));
    assert_eq!(post.pop(), Some(format!("{pid} 0")));
    assert_eq!(live, post);
    let text = live.join("\n");
    assert_eq!(text.matches("\n-").count(), 2, "{text}");
    assert!(text.contains("main+"), "{text}");
    assert!(text.contains("\nthread+"), "{text}");
}

/// The core file that the kernel writes of a fixture that gets a signal, and what probes found of the process before.
struct Killed {
    _folder: tempfile::TempDir,
    core: String,
    pid: i32,
    before: Vec<Value>,
}

/// Ends a fixture by a signal; `None` where the kernel writes no core files here.
fn killed(test: &str, probes: &[&str]) -> Option<Killed> {
    let program = c_fixture(test, "heap")?;
    if let Err(why) = kernel_cores() {
        skip(test, &why);
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut target = Waiting::start(
        Command::new("sh")
            .args(["-c", "ulimit -c unlimited && exec \"$0\""])
            .arg(&program)
            .current_dir(folder.path()),
    );
    let pid = target.pid();
    let number = pid.to_string();
    let before = probes.iter().map(|name| {
        let (live, json) = probe(name, &["-p", &number]);
        assert_eq!(live.status, Some(0), "{live}");
        json
    });
    let before = before.collect();
    signal(pid, Signal::SIGABRT);
    wait_for("the signal ends it", || !target.running());
    let Some(core) = written(folder.path()) else {
        skip(test, "the kernel wrote no core file");
        return None;
    };
    Some(Killed {
        _folder: folder,
        core,
        pid,
        before,
    })
}

#[test]
fn core_files_of_the_kernel_plain_compressed_and_cut_short() {
    let test = "core_files_of_the_kernel_plain_compressed_and_cut_short";
    let probes = ["glibc-chunks", "glibc-heapmap"];
    let Some(killed) = killed(test, &probes) else {
        return;
    };
    let bytes = std::fs::read(&killed.core).unwrap();
    let compressed = format!("{}.zst", killed.core);
    let packed = compress_to_vec(&bytes[..], CompressionLevel::Fastest);
    std::fs::write(&compressed, &packed).unwrap();
    for core in [&killed.core, &compressed] {
        for (name, before) in probes.iter().zip(&killed.before) {
            let (post, json) = probe(name, &["--core", core]);
            assert_eq!(post.status, Some(0), "{post}");
            assert_eq!(json["views"], before["views"], "{post}");
            assert_eq!(json["checks"], before["checks"], "{post}");
            let first = json["header"][0].as_str().unwrap();
            assert!(
                first.starts_with(&format!("heap {}, core file ", killed.pid)),
                "{first}"
            );
            assert!(first.ends_with(", ended by SIGABRT"), "{first}");
            assert_eq!(json["footer"]["complete"], true, "{post}");
        }
    }
    // What the kernel adds of its own is not taken for code that the program made.
    let (post, json) = probe("mem-breakdown", &["--core", &killed.core]);
    let parts = json["views"].to_string();
    assert!(parts.contains("text"), "{post}");
    assert!(!parts.contains("JIT machine code"), "{post}");
    // The thread that got the signal comes first, which is the main one here.
    let lines = threads(&["--core", &killed.core]);
    assert_eq!(lines.last(), Some(&format!("{} 0", killed.pid)));
    // No more than may be.
    run(&[
        "run",
        "probes/glibc-chunks.y",
        "--core",
        &compressed,
        "--max-core",
        "64K",
    ])
    .expect_status(2)
    .says(&["decompresses to more than 65536 bytes", "--max-core"])
    .hints();
    // Without its end, where the stack is: what is there is shown, and that it is not all.
    let cut = format!("{}.cut", killed.core);
    for (whole, lost, said) in [
        (&bytes, 64 << 10, "the core file is truncated"),
        (&packed, 16, "the compressed core file is cut short"),
    ] {
        std::fs::write(&cut, &whole[..whole.len() - lost]).unwrap();
        let (post, json) = probe("glibc-chunks", &["--core", &cut]);
        assert_eq!(post.status, Some(3), "{post}");
        let partial = json["footer"]["partial"].to_string();
        assert!(partial.contains(said), "{post}");
        post.says(&["PARTIAL: ", said]);
        assert_eq!(json["views"], killed.before[0]["views"], "{post}");
    }
    // With nothing but its notes, the files are still known by where they were mapped.
    std::fs::write(&cut, &bytes[..first_memory(&bytes)]).unwrap();
    let post = run(&["run", "probes/glibc-chunks.y", "--core", &cut]).expect_status(1);
    post.says(&["PARTIAL: the core file is truncated"]);
    assert!(
        !post.stderr.contains("not the file that was mapped"),
        "{post}"
    );
    // Without its second half nothing is found, and that is said, too.
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let post = run(&["run", "probes/glibc-chunks.y", "--core", &cut]).expect_status(1);
    post.says(&[
        "PARTIAL: the core file is truncated",
        "it is not in the core file",
    ]);
}

#[test]
fn core_files_of_systemd_coredump() {
    let test = "core_files_of_systemd_coredump";
    let script = ytrace_tests::root().join("tests/fixtures/systemd-coredump.sh");
    if !directory()
        .join("systemd-coredump/lib/systemd/systemd-coredump")
        .is_file()
    {
        return skip(test, "systemd-coredump is not unpacked");
    }
    let probes = ["glibc-chunks"];
    let Some(killed) = killed(test, &probes) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let stored = folder.path().join("stored");
    std::fs::create_dir(&stored).unwrap();
    // It asks /proc for the name of the process, so that must be there: this one.
    let own = std::process::id().to_string();
    let status = Command::new(script)
        .args(["store", stored.to_str().unwrap(), &own, "6"])
        .stdin(std::fs::File::open(&killed.core).unwrap())
        .stderr(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let core = written(&stored).unwrap();
    assert!(core.ends_with(".zst"), "{core}");
    let (post, json) = probe(probes[0], &["--core", &core]);
    assert_eq!(post.status, Some(0), "{post}");
    assert_eq!(json["views"], killed.before[0]["views"], "{post}");
    assert_eq!(json["checks"], killed.before[0]["checks"], "{post}");
}

/// Where the notes of a core file of `gcore` stand: behind all else.
fn notes_of(bytes: &[u8]) -> usize {
    let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let half = |at: usize| u16::from_ne_bytes(bytes[at..at + 2].try_into().unwrap()) as usize;
    let headers = (0..half(56)).map(|index| word(32) + index * 56);
    let mut notes = headers.filter(|at| bytes[*at..at + 4] == 4u32.to_ne_bytes());
    word(notes.next().unwrap() + 8)
}

#[test]
fn a_core_file_of_gcore_without_its_end() {
    let test = "a_core_file_of_gcore_without_its_end";
    let Some(program) = c_fixture(test, "heap") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let target = Waiting::start(&mut Command::new(&program));
    let Some(core) = gcore(test, folder.path(), target.pid()) else {
        return;
    };
    drop(target);
    let (_, whole) = probe("glibc-chunks", &["--core", &core]);
    let bytes = std::fs::read(&core).unwrap();
    let notes = notes_of(&bytes);
    let cut = format!("{core}.cut");
    let program = program.to_str().unwrap();
    // Without its notes, and without the end of the stack, where the executable's path stands.
    for (end, named) in [(notes, true), (notes - (16 << 10), false)] {
        std::fs::write(&cut, &bytes[..end]).unwrap();
        for more in [vec![], vec!["--exe", program]] {
            let mut words = vec!["--core", cut.as_str()];
            words.extend(&more);
            let (post, json) = probe("glibc-chunks", &words);
            assert_eq!(post.status, Some(3), "{post}");
            assert_eq!(json["views"], whole["views"], "{post}");
            assert_eq!(json["checks"], whole["checks"], "{post}");
            let partial = json["footer"]["partial"].to_string();
            assert!(
                partial.contains("no threads, registers and list of mapped files"),
                "{post}"
            );
            let missing = partial.contains("but not that of the executable, whose build-id is");
            assert_eq!(missing, !named && more.is_empty(), "{post}");
        }
    }
    // Without its libraries, of which the dynamic linker's list tells; this is not to be found anywhere else.
    std::fs::write(&cut, &bytes[..256 << 10]).unwrap();
    run(&["run", "probes/glibc-chunks.y", "--core", &cut])
        .expect_status(2)
        .says(&[
            "lists no mapped programs",
            "tells the names of 0 of 1 files",
            "--exe FILE",
        ]);
    let own = [
        "run",
        "-e",
        "_probe _oneshot { printf(\"%d\\n\", &main != 0); }",
    ];
    let of_own = run(&[&own[..], &["--core", &cut, "--exe", program]].concat()).expect_status(3);
    assert_eq!(of_own.stdout, "1\n", "{of_own}");
    of_own.says(&["tells the names of 1 of 1 files"]);
}

/// Whether only root's tests can be run, and are not.
fn not_root(test: &str) -> bool {
    let denied = !nix::unistd::geteuid().is_root();
    if denied {
        skip(test, "only root can trace others");
    }
    denied
}

/// A C fixture, if it was built.
fn c_fixture(test: &str, name: &str) -> Option<PathBuf> {
    let program = directory().join("c").join(name);
    if not_root(test) {
        return None;
    }
    if !program.is_file() {
        skip(test, &format!("{} is missing", program.display()));
        return None;
    }
    Some(program)
}

#[test]
fn heaps_of_c_programs() {
    let test = "heaps_of_c_programs";
    for name in ["heap", "arenas", "heap-static"] {
        let Some(program) = c_fixture(test, name) else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let target = Waiting::start(&mut Command::new(program));
        let _stopped = Stopped::new(target.pid());
        let Some(core) = gcore(test, folder.path(), target.pid()) else {
            return;
        };
        same(target.pid(), &core, &GLIBC);
    }
}

#[test]
fn nginx_with_lua() {
    let test = "nginx_with_lua";
    if let Some(why) = unavailable("dwarf").or_else(|| hoard::unavailable("dwarf")) {
        return skip(test, &why);
    }
    let folder = tempfile::tempdir().unwrap();
    let nginx = Hoard::start("dwarf");
    nginx.counters("big=5&chain=20&kept=3");
    nginx.get("fill?n=2000");
    nginx.get("cached/1");
    let _idle = nginx.idle_connection();
    let stopped = Stopped::new(nginx.worker);
    let Some(core) = gcore(test, folder.path(), nginx.worker) else {
        return;
    };
    same(nginx.worker, &core, &NGINX);
    same(nginx.worker, &core, &LUA);
    same(nginx.worker, &core, &GLIBC);
    let header = run(&["run", "probes/lua-gc-fgraph.y", "--core", &core]).expect_status(0);
    let first = header.stdout.lines().next().unwrap_or_default();
    let expected = format!("nginx worker {0}, core file core.{0}", nginx.worker);
    assert_eq!(first, expected, "{header}");
    drop(stopped);
}

#[test]
fn perl_and_its_threads() {
    let test = "perl_and_its_threads";
    if not_root(test) {
        return;
    }
    for (version, perl) in perls() {
        if !perl.is_file() {
            skip(test, &format!("Perl {version} is missing"));
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let target = perl_daemon(&perl, 500, 50, 2);
        let _stopped = Stopped::new(target.pid());
        let Some(core) = gcore(test, folder.path(), target.pid()) else {
            return;
        };
        same(target.pid(), &core, &PERL);
        if version == "system" {
            same(target.pid(), &core, &GLIBC);
        }
    }
}

/// Overwrites a word of the process's memory in a core file.
fn overwrite(core: &str, address: u64, value: u64) {
    let mut bytes = std::fs::read(core).unwrap();
    let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
    let count = u16::from_ne_bytes(bytes[56..58].try_into().unwrap());
    let mut headers = (0..usize::from(count)).map(|index| word(32) as usize + index * 56);
    let offset = headers.find_map(|at| {
        let within = address.checked_sub(word(at + 16))?;
        let is_load = bytes[at..at + 4] == 1u32.to_ne_bytes();
        (is_load && within < word(at + 32)).then(|| (word(at + 8) + within) as usize)
    });
    let at = offset.unwrap();
    bytes[at..at + 8].copy_from_slice(&value.to_ne_bytes());
    std::fs::write(core, bytes).unwrap();
}

/// A core file of the Perl daemon, in which the words are set to zero whose addresses `text` prints.
fn harmed_perl(test: &str, folder: &Path, text: &str) -> Option<String> {
    if not_root(test) {
        return None;
    }
    let (_, perl) = perls().swap_remove(0);
    if !perl.is_file() {
        skip(test, "Perl is missing");
        return None;
    }
    let target = perl_daemon(&perl, 100, 20, 1);
    let core = gcore(test, folder, target.pid())?;
    drop(target);
    let found = run(&["run", "-e", text, "--core", &core]).expect_status(0);
    for address in found.stdout.split_whitespace() {
        overwrite(&core, address.parse().unwrap(), 0);
    }
    Some(core)
}

/// Asserts that both probes flag a core file of a Perl that was harmed where `text` says, with these words.
fn harmed_perl_is_flagged(test: &str, text: &str, flagged: &str, said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let Some(core) = harmed_perl(test, folder.path(), text) else {
        return;
    };
    for name in PERL {
        let (post, json) = probe(name, &["--core", &core]);
        assert_eq!(post.status, Some(3), "{post}");
        let partial = json["footer"]["partial"].to_string();
        assert!(partial.contains(flagged), "{post}");
        post.says(&[said]);
    }
}

#[test]
fn perl_whose_heap_makes_no_sense() {
    harmed_perl_is_flagged(
        "perl_whose_heap_makes_no_sense",
        "#include <glibc/arenas.y>
_probe _oneshot { glibc_attach(); printf(\"%lu %lu\\n\", (uint64_t)&glibc_main->top, (uint64_t)&glibc_main->next); }",
        "Perl's blocks, at most what is in use",
        "glibc's heap was not found, though Perl's blocks come from it",
    );
}

#[test]
fn an_interpreter_that_makes_no_sense_is_missed() {
    harmed_perl_is_flagged(
        "an_interpreter_that_makes_no_sense_is_missed",
        "#include <perl/vm.y>
_probe _oneshot { perl_find_interpreters(); printf(\"%lu\\n\", (uint64_t)&perl_interpreters[1]->Isv_count); }",
        "interpreters of Perl's threads",
        "Perl's module `threads` lists",
    );
}

/// Where the first segment of memory begins in a core file: behind its notes (elf(5)).
fn first_memory(bytes: &[u8]) -> usize {
    const LOAD: u64 = 1;
    let number = |at: usize, length: usize| {
        let bytes = bytes[at..at + length].iter().rev();
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let (table, entries) = (number(32, 8) as usize, number(56, 2) as usize);
    let heads = (0..entries).map(|entry| table + entry * 56);
    let loads = heads.filter(|head| number(*head, 4) == LOAD);
    loads.map(|head| number(head + 8, 8)).min().unwrap() as usize
}
