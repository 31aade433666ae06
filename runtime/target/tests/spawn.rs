//! Commands that are started, followed to their exit, and held there.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Program, stopper};
use ytrace_target::{
    AddressSpace, Held, LiveMemory, LiveOptions, PausedProcess, Process, SpawnError, SpawnedTarget,
    StopOptions, spawn, spawn_held,
};

const WORD: u64 = 0x5eed0f1ab1e;
static NEVER: AtomicBool = AtomicBool::new(false);

fn program() -> &'static Path {
    static PROGRAM: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    PROGRAM.get_or_init(|| common::compile("exits"))
}

/// Commands inherit our standard input and error, which are made pipes for the time of one start. Not the output: the test
/// harness writes there at any time.
static DESCRIPTORS: Mutex<()> = Mutex::new(());

struct Command {
    target: SpawnedTarget,
    input: Option<std::fs::File>,
    output: BufReader<std::fs::File>,
}

fn pipe() -> (OwnedFd, OwnedFd) {
    nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap()
}

/// Runs `work` with other descriptors for standard input and error.
fn redirected<T>(input: &OwnedFd, output: &OwnedFd, work: impl FnOnce() -> T) -> T {
    let guard = DESCRIPTORS
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    // SAFETY: the descriptors are ours; the old ones are put back before anybody else may do the same.
    let saved = unsafe {
        let saved = [0, 2].map(|number| libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3));
        libc::dup2(input.as_raw_fd(), 0);
        libc::dup2(output.as_raw_fd(), 2);
        saved
    };
    let result = work();
    for (number, saved) in [0, 2].into_iter().zip(saved) {
        // SAFETY: as above.
        unsafe {
            libc::dup2(saved, number);
            libc::close(saved);
        }
    }
    drop(guard);
    result
}

fn start(way: &str) -> Command {
    let (input_end, input) = pipe();
    let (output, output_end) = pipe();
    // The shell becomes the program, with the pipe as its standard output.
    let line = format!(
        "sh -c 'exec \"$0\" \"$@\" >&2' '{}' {way}",
        program().display()
    );
    let target = redirected(&input_end, &output_end, || spawn(&line)).unwrap();
    Command {
        target,
        input: Some(input.into()),
        output: BufReader::new(output.into()),
    }
}

impl Command {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
        self.line()
    }

    fn address(&mut self) -> u64 {
        let line = self.line();
        u64::from_str_radix(line.trim_start_matches("0x"), 16).unwrap()
    }

    fn wait(&mut self) -> Held {
        self.target.wait(&NEVER, None)
    }

    fn pid(&self) -> i32 {
        self.target.process().pid()
    }

    fn word(&self, address: u64) -> u64 {
        let mut live = LiveMemory::new(self.target.process(), LiveOptions::default()).unwrap();
        let mut bytes = [0u8; 8];
        live.read(address, &mut bytes).unwrap();
        u64::from_ne_bytes(bytes)
    }

    fn signal(&self, signal: i32) {
        // SAFETY: the call takes no pointer; the process is our own child, not reaped yet.
        assert_eq!(unsafe { libc::kill(self.pid(), signal) }, 0);
    }
}

fn code(held: Held) -> Option<i32> {
    match held {
        Held::AtExit(status) => status.code(),
        other => panic!("{other:?}"),
    }
}

/// The names of a process's modules.
fn modules(process: &Process) -> Vec<String> {
    let mut live = LiveMemory::new(process, LiveOptions::default()).unwrap();
    let auxv = process.auxiliary_vector().unwrap();
    let found = ytrace_target::Module::find_all(&mut live, &auxv);
    let names = found.iter().filter_map(|module| module.path.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_command_can_be_held_with_its_libraries_loaded_and_nothing_run() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("early.c");
    std::fs::write(
        &source,
        "#include <unistd.h>\nstatic int out;\n__attribute__((constructor)) static void early(void) { out = write(2, \"c\\n\", 2); }\nint main(void) { return out + 3; }\n",
    )
    .unwrap();
    for (flags, library) in [(&["-O1"][..], true), (&["-static"][..], false)] {
        let program = folder.path().join("early");
        let built = std::process::Command::new("gcc")
            .args(flags)
            .arg("-o")
            .arg(&program)
            .arg(&source)
            .status()
            .unwrap();
        assert!(built.success());
        let (input_end, input) = pipe();
        let (output, output_end) = pipe();
        let line = program.display().to_string();
        let mut target = redirected(&input_end, &output_end, || spawn_held(&line)).unwrap();
        drop((input_end, input, output_end));
        let loaded = modules(target.process());
        assert_eq!(loaded.first().map(String::as_str), Some("early"));
        let libc = loaded.iter().any(|name| name.starts_with("libc.so"));
        assert_eq!(libc, library, "{loaded:?}");
        nix::fcntl::fcntl(&output, nix::fcntl::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK)).unwrap();
        let mut byte = [0u8; 1];
        assert_eq!(
            nix::unistd::read(&output, &mut byte),
            Err(nix::errno::Errno::EAGAIN)
        );
        target.go();
        assert_eq!(code(target.wait(&NEVER, None)), Some(5), "{flags:?}");
        assert_eq!(nix::unistd::read(&output, &mut byte), Ok(1));
        target.release();
        // One that is never let go is ended before any of its code runs, whatever it makes of signals.
        let deaf = format!("env --ignore-signal=TERM {line}");
        for command in [&line, &deaf] {
            let (input_end, _input) = pipe();
            let (output, output_end) = pipe();
            let mut target = redirected(&input_end, &output_end, || spawn_held(command)).unwrap();
            drop(output_end);
            let pid = target.process().pid();
            assert_eq!(target.release().and_then(|status| status.signal()), Some(9));
            drop(target);
            assert!(!Path::new(&format!("/proc/{pid}")).exists());
            assert_eq!(nix::unistd::read(&output, &mut byte), Ok(0), "{command}");
        }
    }
}

#[test]
fn the_memory_is_there_at_every_exit() {
    // How it ends, its exit code, and how many threads there are then.
    for (way, expected, threads) in [
        ("return", 4, 1),
        ("zero", 0, 1),
        ("group", 5, 2),
        ("many", 0, 33),
        ("fork", 7, 1),
    ] {
        for _ in 0..10 {
            let mut command = start(way);
            let address = command.address();
            assert_eq!(code(command.wait()), Some(expected), "{way}");
            assert_eq!(command.word(address), WORD, "{way}");
            assert_eq!(command.target.threads().len(), threads, "{way}");
            assert!(command.target.threads().iter().all(|thread| {
                thread
                    .registers
                    .is_some_and(|registers| registers.stack_pointer != 0)
            }));
            assert!(!command.target.process().exited());
            assert_eq!(code(command.wait()), Some(expected), "a second time");
            let status = command.target.release().unwrap();
            assert_eq!(status.code(), Some(expected), "{way}");
            assert!(command.target.process().exited());
            assert_eq!(command.wait(), Held::Gone(Some(status)));
        }
    }
}

#[test]
fn threads_that_end_early_go_on() {
    let mut command = start("early");
    let address = command.address();
    assert_eq!(code(command.wait()), Some(6));
    assert_eq!(command.word(address), WORD + 200);
    assert_eq!(command.target.release().unwrap().code(), Some(6));
}

#[test]
fn the_last_thread_counts_when_the_main_thread_has_ended() {
    for _ in 0..10 {
        let mut command = start("last");
        let address = command.address();
        assert_eq!(code(command.wait()), Some(0));
        // The other thread wrote it after it had joined the main one.
        assert_eq!(command.word(address), 0x1a57);
        assert_eq!(command.target.release().unwrap().code(), Some(0));
    }
}

#[test]
fn an_execve_of_another_thread_is_no_exit() {
    let rounds = (0..10).map(|_| {
        let began = Instant::now();
        let mut command = start("exec");
        command.address();
        let address = command.address();
        assert_eq!(code(command.wait()), Some(4));
        assert_eq!(command.word(address), WORD);
        assert_eq!(command.target.release().unwrap().code(), Some(4));
        began.elapsed()
    });
    // No round waits for a time to pass, so the quickest is far below the shortest of them.
    let quickest = rounds.min().unwrap();
    assert!(quickest < Duration::from_millis(900), "{quickest:?}");
}

#[test]
fn fatal_signals_are_exits() {
    let mut command = start("segv");
    let address = command.address();
    let Held::AtExit(status) = command.wait() else {
        panic!()
    };
    assert_eq!(status.signal(), Some(libc::SIGSEGV));
    assert_eq!(command.word(address), WORD);
    assert_eq!(
        command.target.release().unwrap().signal(),
        Some(libc::SIGSEGV)
    );
    for signal in [libc::SIGTERM, libc::SIGKILL] {
        let mut command = start("lines");
        let address = command.address();
        assert_eq!(command.line(), "ready");
        command.signal(signal);
        let Held::AtExit(status) = command.wait() else {
            panic!()
        };
        assert_eq!(status.signal(), Some(signal));
        assert_eq!(command.word(address), WORD);
        assert_eq!(command.target.release().unwrap().signal(), Some(signal));
    }
}

#[test]
fn the_shortest_commands_are_not_missed() {
    let began = Instant::now();
    for _ in 0..200 {
        let mut target = spawn("true").unwrap();
        assert_eq!(code(target.wait(&NEVER, None)), Some(0));
        let mut live = LiveMemory::new(target.process(), LiveOptions::default()).unwrap();
        let start = live.mappings().as_slice()[0].start;
        let mut magic = [0u8; 4];
        live.read(start, &mut magic).unwrap();
        assert_eq!(&magic, b"\x7fELF");
        assert_eq!(target.release().unwrap().code(), Some(0));
    }
    println!("200 times true, held and read: {:?}", began.elapsed());
}

#[test]
fn signals_are_passed_on() {
    let mut command = start("lines");
    command.address();
    command.line();
    let wanted = [
        (libc::SIGUSR1, 40),
        (libc::SIGUSR2, 20),
        (libc::SIGRTMIN() + 3, 30),
    ];
    let mut sums = [0; 3];
    for (index, (signal, count)) in wanted.into_iter().enumerate() {
        for _ in 0..count {
            command.signal(signal);
            sums[index] += 1;
            // A signal to a process is delivered before its read ends.
            let expected = sums.map(|sum| sum.to_string()).join(" ");
            assert_eq!(command.ask("sum"), expected);
        }
    }
    drop(command.input.take());
    assert_eq!(code(command.wait()), Some(11));
}

/// Whether the process is in an orphaned process group: one whose members all have parents in the same
/// group or in another session. The kernel drops the terminal's stop signals there.
fn is_orphaned(pid: i32) -> bool {
    // The parent, the process group and the session of a process; none if it is gone.
    let ids = |pid: i32| -> Option<[i32; 3]> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(1);
        let mut next = || fields.next()?.parse().ok();
        Some([next()?, next()?, next()?])
    };
    let [_, group, session] = ids(pid).unwrap();
    let processes = std::fs::read_dir("/proc").unwrap();
    let mut members = processes
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter_map(ids)
        .filter(|[_, of, _]| *of == group);
    !members.any(|[parent, _, _]| {
        ids(parent).is_some_and(|[_, of, its_session]| of != group && its_session == session)
    })
}

#[test]
fn job_control_stops_and_goes_on() {
    let mut command = start("lines");
    command.address();
    command.line();
    let state = |pid: i32, wanted: char| {
        (0..1_000_000).any(|_| {
            std::thread::yield_now();
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.rsplit_once(") ").unwrap().1.starts_with(wanted)
        })
    };
    let from_terminal = if is_orphaned(command.pid()) {
        libc::SIGSTOP
    } else {
        libc::SIGTSTP
    };
    for signal in [libc::SIGSTOP, from_terminal, libc::SIGSTOP] {
        command.signal(signal);
        // Traced and listening, it shows as stopped.
        assert!(state(command.pid(), 't') || state(command.pid(), 'T'));
        command.signal(libc::SIGCONT);
        assert_eq!(command.ask("x"), "alive");
    }
    // It stays stopped when it is let go.
    command.signal(libc::SIGSTOP);
    assert!(state(command.pid(), 't') || state(command.pid(), 'T'));
    assert_eq!(
        command.target.wait(&NEVER, Some(Duration::ZERO)),
        Held::After
    );
    assert!(state(command.pid(), 'T'));
    command.signal(libc::SIGCONT);
    assert_eq!(command.ask("x"), "alive");
}

#[test]
fn after_a_time_it_runs_on_untraced_and_is_ended_at_last() {
    let mut command = start("lines");
    command.address();
    command.line();
    let began = Instant::now();
    let after = Some(Duration::from_millis(50));
    assert_eq!(command.target.wait(&NEVER, after), Held::After);
    println!("After 50 ms: {:?}", began.elapsed());
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert_eq!(command.target.process().tracer(), None);
    let paused = PausedProcess::stop(
        &stopper(),
        command.target.process(),
        &StopOptions::default(),
    )
    .unwrap();
    assert_eq!(paused.threads().len(), 1);
    paused.resume().unwrap();
    assert_eq!(command.ask("x"), "alive");
    assert_eq!(command.target.wait(&NEVER, None), Held::After);
    assert_eq!(command.target.release(), None);
    let process = command.target.process().clone();
    drop(command.target);
    assert!(process.exited(), "SIGTERM ends it");
}

#[test]
fn an_interrupt_waits_for_the_exit_that_it_causes() {
    let interrupt = AtomicBool::new(true);
    // It dies of the SIGINT that the terminal sends to both.
    let mut command = start("lines");
    let address = command.address();
    command.line();
    command.signal(libc::SIGINT);
    let Held::AtExit(status) = command.target.wait(&interrupt, None) else {
        panic!()
    };
    assert_eq!(status.signal(), Some(libc::SIGINT));
    assert_eq!(command.word(address), WORD);
    drop(command);
    // It does not.
    let mut command = start("lines handle");
    command.address();
    command.line();
    command.signal(libc::SIGINT);
    assert_eq!(command.target.wait(&interrupt, None), Held::Interrupted);
    assert_eq!(command.ask("x"), "alive");
    assert!(interrupt.load(Ordering::Relaxed));
}

#[test]
fn dropped_without_waiting_it_is_ended() {
    for _ in 0..20 {
        let mut command = start("lines");
        command.address();
        let process = command.target.process().clone();
        drop(command.target);
        assert!(process.exited());
    }
    // At its exit already.
    let mut command = start("return");
    command.address();
    let process = command.target.process().clone();
    drop(command.target);
    assert!(process.exited());
}

#[test]
fn detaching_races_with_the_exit() {
    let (mut exits, mut detached, mut gone) = (0, 0, 0);
    for round in 0..200u32 {
        let mut command = start("return");
        command.address();
        let after = Some(Duration::from_micros(u64::from(round) * 2));
        match command.target.wait(&NEVER, after) {
            Held::AtExit(status) => {
                assert_eq!(status.code(), Some(4));
                exits += 1;
            }
            Held::After => {
                detached += 1;
                let status = loop {
                    match command.target.wait(&NEVER, None) {
                        Held::Gone(status) => break status,
                        other => assert_eq!(other, Held::After),
                    }
                };
                assert_eq!(status.unwrap().code(), Some(4));
            }
            // The time was over, and it exited while it was being let go.
            Held::Gone(status) => {
                assert_eq!(status.unwrap().code(), Some(4));
                gone += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    println!("{exits} at exit, {detached} detached, {gone} exited between");
}

#[test]
fn what_cannot_be_started_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let refused = spawn(&script("lost", "#!/no/such/interpreter\n")).unwrap_err();
    assert!(
        matches!(&refused, SpawnError::Interpreter { interpreter: Some(name), .. } if name == Path::new("/no/such/interpreter")),
        "{refused}"
    );
    assert!(refused.hint().is_some());
    let refused = spawn("no-such-program-anywhere").unwrap_err();
    assert!(matches!(
        refused,
        SpawnError::NotFound { searched: true, .. }
    ));
    // A script without a first line is for the shell, and its words reach it.
    let mut target = spawn(&format!("{} 3", script("plain", "exit $1\n"))).unwrap();
    assert_eq!(code(target.wait(&NEVER, None)), Some(3));
    let mut target = spawn("sh -c 'exit 21'").unwrap();
    assert_eq!(code(target.wait(&NEVER, None)), Some(21));
}

/// Not a test of its own: what the next one starts, to be killed.
#[test]
fn tracer_to_be_killed() {
    let Ok(line) = std::env::var("YTRACE_TEST_SPAWN") else {
        return;
    };
    let stage = std::env::var("YTRACE_TEST_STAGE").unwrap_or_default();
    let say = |text: &str| {
        eprintln!("{text}");
    };
    if stage == "start" {
        say("starting");
    }
    let mut target = spawn(&line).unwrap();
    say(&format!("pid {}", target.process().pid()));
    let held = target.wait(&NEVER, None);
    say(&format!("held {held:?}"));
    let mut never = String::new();
    // Nothing is ever written to this pipe.
    let (end, _kept) = pipe();
    let _ = BufReader::new(std::fs::File::from(end)).read_line(&mut never);
}

struct Tracer {
    program: Program,
    errors: BufReader<std::process::ChildStderr>,
}

fn tracer(stage: &str, way: &str) -> Tracer {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "tracer_to_be_killed",
            "--nocapture",
            "--test-threads=1",
            "-q",
        ])
        .env(
            "YTRACE_TEST_SPAWN",
            format!("'{}' {way}", program().display()),
        )
        .env("YTRACE_TEST_STAGE", stage)
        .stderr(std::process::Stdio::piped());
    let mut program = Program::spawn(&mut command);
    let errors = BufReader::new(program.child.stderr.take().unwrap());
    Tracer { program, errors }
}

impl Tracer {
    fn told(&mut self, wanted: &str) -> String {
        let mut line = String::new();
        while !line.contains(wanted) {
            line.clear();
            assert_ne!(self.errors.read_line(&mut line).unwrap(), 0);
        }
        line.trim_end().to_owned()
    }

    /// The program's lines come after what the test harness prints.
    fn line(&mut self, wanted: &str) {
        while !self.program.line().contains(wanted) {}
    }

    fn kill(&mut self) {
        self.program.child.kill().unwrap();
        self.program.child.wait().unwrap();
    }
}

#[test]
fn a_killed_tracer_leaves_the_command_running() {
    // While it runs, with job control having stopped it in every other round.
    for round in 0..10 {
        let directory = tempfile::tempdir().unwrap();
        let end = directory.path().join("end");
        let mut tracer = tracer("run", &format!("lines handle '{}'", end.display()));
        let line = tracer.told("pid ");
        let pid: i32 = line.rsplit(' ').next().unwrap().parse().unwrap();
        tracer.line("ready");
        let process = Process::open(pid).unwrap();
        if round % 2 == 1 {
            // SAFETY: the call takes no pointer; the process is the one started above.
            unsafe { libc::kill(pid, libc::SIGSTOP) };
        }
        tracer.kill();
        // The kernel detaches before the killed process can be reaped.
        assert_eq!(process.tracer(), None);
        if round % 2 == 1 {
            // SAFETY: as above.
            unsafe { libc::kill(pid, libc::SIGCONT) };
        }
        assert_eq!(tracer.program.ask("x"), "alive");
        drop(tracer.program.input.take());
        wait_for_exit(&process);
        assert!(end.exists());
    }
    // While it is held at its exit: it goes on exiting.
    for _ in 0..10 {
        let mut tracer = tracer("exit", "many");
        let line = tracer.told("pid ");
        let pid: i32 = line.rsplit(' ').next().unwrap().parse().unwrap();
        tracer.told("held");
        let process = Process::open(pid).unwrap();
        tracer.kill();
        wait_for_exit(&process);
    }
    // At any instant of its start: it has not been started, or it finishes.
    let mut started = 0;
    for round in 0..40 {
        let directory = tempfile::tempdir().unwrap();
        let end = directory.path().join("end");
        let mut tracer = tracer("start", &format!("lines handle '{}'", end.display()));
        tracer.told("starting");
        // Each round kills at a later instant.
        let instant = Instant::now() + Duration::from_micros(round * 40);
        while Instant::now() < instant {
            std::hint::spin_loop();
        }
        tracer.kill();
        drop(tracer.program.input.take());
        // All who could write to the pipe have gone.
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut tracer.program.output, &mut rest).unwrap();
        if rest.contains("ready") {
            started += 1;
            assert!(end.exists());
        }
    }
    println!("{started} of 40 had been started");
}

fn wait_for_exit(process: &Process) {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let descriptor = process.pidfd().unwrap();
    let mut poll_for = [PollFd::new(descriptor, PollFlags::POLLIN)];
    let ready = poll(&mut poll_for, PollTimeout::try_from(10_000).unwrap()).unwrap();
    assert_eq!(ready, 1, "it does not exit");
}
