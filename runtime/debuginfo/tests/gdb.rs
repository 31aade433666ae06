//! Captured stacks against those of gdb at the same instant: gdb holds the process, so that registers, memory and its own frames are of one moment. Of programs
//! of several languages, with frame pointers and without, with signal handlers, exceptions, and without symbols; of nginx under load, LuaJIT and Perl.

#[path = "common/captures.rs"]
mod captures;
mod common;

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use captures::{Captures, Programs, Tally, VARIANTS, compare, unavailable};
use common::{run, skip};
use ytrace_debuginfo::Cut;
use ytrace_tests::fixtures::{self, Nginx};
use ytrace_tests::load::Load;

/// How many stacks of each program; `YTRACE_GDB_STACKS` says otherwise.
const STACKS: usize = 25;

/// What Perl does: calls of Perl's from C, of C's from Perl, and what it interprets.
const PERL: &str = r#"
    sub even { my $n = shift; return $n ? odd($n - 1) : 1 }
    sub odd { my $n = shift; return $n ? even($n - 1) : 0 }
    while (1) {
        my @sorted = sort { even($a % 8) <=> even($b % 8) || $a <=> $b } map { ($_ * 37) % 61 } 1 .. 40;
        my $text = join ",", @sorted;
        $text =~ s/(\d+)/odd($1 % 6) . "x"/ge;
        my %of = map { $_ => [$_, { a => $_ }] } split /,/, $text;
        eval { die { text => $text } };
    }
"#;

fn stacks() -> usize {
    std::env::var("YTRACE_GDB_STACKS").map_or(STACKS, |text| text.parse().unwrap())
}

fn installed(tool: &str) -> bool {
    let found = Command::new(tool)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok()
}

/// Why the stacks of some programs cannot be compared, if so.
fn missing() -> Option<String> {
    unavailable().or_else(|| (!installed("gdb")).then(|| "there is no gdb".to_owned()))
}

/// What gdb makes of a process, with what a probe would have captured.
fn by_gdb(pid: u32) -> Captures {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/gdb_stacks.py");
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "exec 3>&2 2>/dev/null; exec gdb -nx -batch -p \"$0\" -x \"$1\"",
        ])
        .arg(pid.to_string())
        .arg(script);
    Captures::of(&mut command, stacks(), 1)
}

/// Compares the stacks of a process, and shows what came of it.
fn compared(name: &str, pid: u32, debug_frame: bool) -> Tally {
    let mut captures = by_gdb(pid);
    let tally = compare(
        &mut captures,
        debug_frame,
        &mut |capture, stack, code, _, _| {
            if let Some(cut) = stack.cut
                && !matches!(cut, Cut::Memory(_))
            {
                let place = code.name(stack.frames.last().copied().unwrap_or_default());
                let (seen, all) = (stack.frames.len(), capture.truth.len());
                println!("{name}: cut at frame {seen} of {all}, {place}: {cut:x?}");
            }
        },
    );
    println!(
        "{name}: {} stacks, {:.1} frames: {} equal, {} cut and marked, {} elsewhere, {} without a table and marked, {} further than gdb, {} different",
        tally.stacks,
        tally.frames as f64 / tally.stacks as f64,
        tally.equal,
        tally.cut,
        tally.elsewhere,
        tally.untabled,
        tally.beyond,
        tally.different
    );
    assert_eq!(tally.stacks, stacks());
    tally
}

/// Of 1,000 stacks 995 are equal, but for what is marked as cut, which is little: signal handlers on stacks of their own, which a slice does not hold.
#[track_caller]
fn assert_equal(tally: &Tally) {
    assert!(tally.different * 200 <= tally.stacks, "{tally:?}");
    assert!(tally.cut * 10 <= tally.stacks, "{tally:?}");
    assert!(
        (tally.equal + tally.beyond) * 10 >= tally.stacks * 6,
        "{tally:?}"
    );
}

/// A process that runs until this is dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, input: Stdio) -> Self {
        let child = command
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn stacks_of_compiled_programs() {
    if let Some(why) = missing() {
        return skip("stacks of compiled programs, by gdb", &why);
    }
    let programs = Programs::new();
    let mut total = Tally::default();
    for variant in &VARIANTS {
        let program = programs.build(variant);
        let mut files = vec![(variant.name.to_owned(), program.clone())];
        if !variant.debug_frame {
            // Tables stay where names go.
            let stripped = program.with_extension("stripped");
            let paths = [&stripped, &program].map(|path| path.display().to_string());
            run("strip", &["-s", "-o", &paths[0], &paths[1]], Path::new("/"));
            files.push((format!("{}, stripped", variant.name), stripped));
        }
        for (name, file) in files {
            let mut command = Command::new(file);
            command.env_clear().arg("1000000000");
            let program = Running::start(&mut command, Stdio::null());
            total.add(&compared(&name, program.0.id(), variant.debug_frame));
        }
    }
    assert_equal(&total);
}

/// An nginx whose Lua functions are interpreted: compiled traces have no tables.
fn nginx_under_load(variant: &str) {
    let reason = missing().or_else(|| fixtures::unavailable(variant));
    if let Some(why) = reason {
        return skip(&format!("stacks of {variant} nginx, by gdb"), &why);
    }
    let nginx = Nginx::start(variant, &[]);
    assert_eq!(nginx.get("/jit-off"), "off");
    // What the requests come to is not of interest: gdb holds the server for as long as it takes.
    let _load = Load::start(nginx.port, "/ping");
    let worker = u32::try_from(nginx.worker).unwrap();
    assert_equal(&compared(&format!("{variant} nginx"), worker, false));
}

#[test]
fn stacks_of_nginx_with_debug_information() {
    nginx_under_load("dwarf");
}

#[test]
fn stacks_of_stock_stripped_nginx() {
    nginx_under_load("stock");
}

#[test]
fn stacks_of_nginx_without_symbols() {
    nginx_under_load("stripped");
}

#[test]
fn stacks_of_luajit() {
    let programs = fixtures::luajits();
    let reason = missing().or_else(|| {
        let lacking = programs.iter().find(|(_, program)| !program.is_file());
        lacking.map(|(_, program)| format!("{} is missing", program.display()))
    });
    if let Some(why) = reason {
        return skip("stacks of LuaJIT, by gdb", &why);
    }
    let folder = tempfile::tempdir().unwrap();
    let orders = folder.path().join("orders");
    // Enough for longer than gdb takes.
    std::fs::write(&orders, "go\n".repeat(5_000_000)).unwrap();
    for (name, program) in programs {
        let script = ytrace_tests::root().join("tests/fixtures/leak/frames.lua");
        let input = File::open(&orders).unwrap();
        let mut command = Command::new(program);
        let luajit = Running::start(command.arg(script).arg("off"), input.into());
        assert_equal(&compared(&format!("LuaJIT {name}"), luajit.0.id(), false));
    }
}

#[test]
fn stacks_of_perl() {
    // Others than the system's are run by C libraries of their own, of which gdb finds no tables.
    let (_, program) = fixtures::perls().swap_remove(0);
    let reason = missing()
        .or_else(|| (!program.is_file()).then(|| format!("{} is missing", program.display())));
    if let Some(why) = reason {
        return skip("stacks of Perl, by gdb", &why);
    }
    let perl = Running::start(Command::new(program).args(["-e", PERL]), Stdio::null());
    assert_equal(&compared("Perl", perl.0.id(), false));
}
