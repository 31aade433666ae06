//! Breakpoints on real programs: what they count is what the program counts, and nothing of them stays.

#![cfg(target_arch = "x86_64")]

mod common;

use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::Program;
use ytrace_target::StopError;
use ytrace_target::breakpoints::{
    Access, BreakpointError, Events, Next, Place, Reason, Request, Session, Stop, Subject, Totals,
    Watch, What,
};

/// Longer than anything may take.
const LONG: Duration = Duration::from_secs(60);

fn program() -> Program {
    Program::start_compiled("breaks", &[])
}

fn address(program: &mut Program, name: &str) -> u64 {
    let text = program.ask(&format!("where {name}"));
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

fn entry(address: u64) -> Place {
    Place {
        addresses: vec![address],
        at_return: false,
    }
}

fn at_return(address: u64) -> Place {
    Place {
        addresses: vec![address],
        at_return: true,
    }
}

fn places(program: &mut Program, names: &[&str]) -> Request {
    Request {
        places: names
            .iter()
            .map(|name| match name.strip_prefix("return ") {
                Some(name) => at_return(address(program, name)),
                None => entry(address(program, name)),
            })
            .collect(),
        ..Request::default()
    }
}

/// Enough functions that the processor's registers do not suffice.
const MANY: [&str; 6] = ["step", "other", "half", "multiply", "pushes", "peek"];

/// Has the program do something while its stops are seen to; returns its answer.
fn drive(
    program: &mut Program,
    session: &mut Session,
    line: &str,
    mut each: impl FnMut(&mut Session, &Stop),
) -> String {
    let answered = AtomicBool::new(false);
    let began = Instant::now();
    program.send(line);
    let mut answer = None;
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let line = program.line();
            answered.store(true, Ordering::Release);
            line
        });
        loop {
            let last = answered.load(Ordering::Acquire);
            match session.next(Duration::from_millis(5)).unwrap() {
                Next::Stop(stop) => {
                    each(session, &stop);
                    continue;
                }
                Next::Nothing => {}
                Next::Gone { .. } => break,
            }
            if last {
                break;
            }
            assert!(began.elapsed() < LONG, "`{line}` is not answered");
        }
        answer = Some(reader.join().unwrap());
    });
    answer.unwrap()
}

fn nothing(_: &mut Session, _: &Stop) {}

fn finish(session: Session) -> Totals {
    let totals = session.finish().unwrap();
    assert!(totals.restored, "{totals:?}");
    assert_eq!((totals.overdue, totals.unserved, totals.late), (0, 0, 0));
    totals
}

/// The text of a program is that of its file again, and nobody traces it. Libraries are left out: the kernel puts breakpoints of
/// its own there for whoever probes them in all processes.
fn untouched(program: &Program) {
    assert!(program.is_let_go());
    let process = program.process();
    let maps = process.maps().unwrap();
    let memory = std::fs::File::open(format!("/proc/{}/mem", program.pid())).unwrap();
    let mut seen = 0;
    for mapping in maps.as_slice() {
        let own = std::fs::metadata(format!("/proc/{}/exe", program.pid())).unwrap();
        if !mapping.permissions.execute || mapping.inode != own.ino() {
            continue;
        }
        let file = process.open_mapping(mapping).unwrap().file;
        let mut there = vec![0u8; mapping.len() as usize];
        let got = file.read_at(&mut there, mapping.offset).unwrap();
        let mut here = vec![0u8; got];
        memory.read_exact_at(&mut here, mapping.start).unwrap();
        let mut pairs = here.iter().zip(&there).enumerate();
        if let Some((at, bytes)) = pairs.find(|(_, (here, there))| here != there) {
            panic!("the text of {mapping:?} is changed at {at:#x}: {bytes:02x?}");
        }
        seen += got;
    }
    assert!(seen > 0);
}

#[test]
fn calls_are_counted_by_hardware() {
    let mut program = program();
    let request = places(&mut program, &["step", "other"]);
    let step = request.places[0].addresses[0];
    let mut session = Session::start(&program.process(), &request).unwrap();
    assert_eq!(session.refused(), []);
    let mut seen = Vec::new();
    let answer = drive(&mut program, &mut session, "calls 50", |_, stop| {
        assert_eq!(stop.what, What::Entry { place: 0 });
        assert_eq!(stop.registers.instruction_pointer, step);
        // Its first two parameters are in rdi and rsi.
        assert_eq!(stop.registers.dwarf(4), Some(u64::MAX));
        seen.push(stop.registers.dwarf(5).unwrap());
    });
    assert_eq!(answer, "50");
    assert_eq!(seen, (0..50).collect::<Vec<u64>>());
    let totals = finish(session);
    assert_eq!(totals.hits, [50, 0]);
    assert_eq!((totals.hardware, totals.text), (2, 0));
    assert_eq!((totals.stops, totals.freezes), (50, 0));
    untouched(&program);
    assert_eq!(program.ask("calls 3"), "3");
}

#[test]
fn calls_are_counted_in_the_text() {
    let mut program = program();
    // Every pause is longer than none.
    let request = Request {
        max_pause: Duration::ZERO,
        ..places(&mut program, &MANY)
    };
    let mut session = Session::start(&program.process(), &request).unwrap();
    assert_eq!(session.refused(), []);
    assert_eq!(session.so_far().freezes, 1);
    let answer = drive(&mut program, &mut session, "calls 50", nothing);
    assert_eq!(answer, "50");
    let so_far = session.so_far();
    assert_eq!((so_far.hits[0], so_far.stops), (50, 50));
    // The sum of i + 1 + i + 2 i.
    let answer = drive(&mut program, &mut session, "others 100", nothing);
    assert_eq!(answer, "19900 2.5");
    let answer = drive(&mut program, &mut session, "fault 3", nothing);
    assert_eq!(answer, "3 31");
    let totals = finish(session);
    assert_eq!(totals.hits, [50, 100, 1, 100, 100, 4]);
    assert_eq!((totals.hardware, totals.text), (0, 6));
    assert!(totals.stepped > 0 && totals.emulated > 0, "{totals:?}");
    // One at the start.
    assert_eq!(totals.freezes, 1 + totals.stepped, "{totals:?}");
    assert_eq!(totals.long_freezes, totals.freezes, "{totals:?}");
    assert!(
        !totals.longest_frozen.is_zero() && totals.longest_frozen < totals.frozen,
        "{totals:?}"
    );
    untouched(&program);
    assert_eq!(program.ask("others 100"), "19900 2.5");
}

#[test]
fn sixty_four_threads_at_once() {
    for names in [&["step", "return other"][..], &MANY] {
        let mut program = program();
        let mut session = Session::start(&program.process(), &places(&mut program, names)).unwrap();
        let mut threads = std::collections::HashSet::new();
        let answer = drive(&mut program, &mut session, "work 64 40", |_, stop| {
            threads.insert(stop.tid);
        });
        assert_eq!(answer, "2560");
        assert_eq!(threads.len(), 64);
        // In the text it is stepped in place, while others run into it.
        let answer = drive(&mut program, &mut session, "products 64 20", nothing);
        assert_eq!(answer, "383040");
        let totals = finish(session);
        assert_eq!(totals.hits[0], 2560);
        if names.len() > 2 {
            assert_eq!(totals.hits[3], 64 * 20);
            assert!(totals.stepped >= 64 * 20, "{totals:?}");
        }
        untouched(&program);
    }
}

#[test]
fn returns_come_with_how_it_was_at_entry() {
    for text in [false, true] {
        let mut program = program();
        let mut names = vec!["return down"];
        if text {
            names.extend(MANY);
        }
        let request = Request {
            vectors: true,
            ..places(&mut program, &names)
        };
        let mut session = Session::start(&program.process(), &request).unwrap();
        let mut seen = Vec::new();
        let answer = drive(&mut program, &mut session, "down 20", |_, stop| {
            assert_eq!(stop.what, What::Return { place: 0 });
            let entry = stop.entry.unwrap();
            assert!(entry.time <= stop.time);
            assert_eq!(
                entry.registers.stack_pointer + 8,
                stop.registers.stack_pointer
            );
            seen.push((
                entry.registers.dwarf(5).unwrap(),
                stop.registers.dwarf(0).unwrap(),
            ));
        });
        assert_eq!(answer, "20");
        assert_eq!(seen, (0..=20).map(|n| (n, n)).collect::<Vec<_>>());
        let totals = finish(session);
        assert_eq!(totals.hits[0], 21);
        assert_eq!(totals.returns_left_out, 0);
        assert_eq!(totals.text > 0, text, "{totals:?}");
        untouched(&program);
        assert_eq!(program.ask("down 20"), "20");
    }
}

#[test]
fn calls_left_by_longjmp_are_counted_and_those_around_them_return() {
    let mut program = program();
    let request = places(&mut program, &["return leap", "return keep", "keep"]);
    let mut session = Session::start(&program.process(), &request).unwrap();
    let mut kept = 0;
    let answer = drive(&mut program, &mut session, "leap 6 10", |_, stop| {
        if stop.what == (What::Return { place: 1 }) {
            kept += 1;
            assert_eq!(stop.entry.unwrap().registers.dwarf(5), Some(6));
            assert_eq!(stop.registers.dwarf(0), Some(7));
        }
    });
    assert_eq!(answer, "70");
    assert_eq!(kept, 10);
    let totals = finish(session);
    assert_eq!(totals.hits, [0, 10, 10]);
    // Seven calls each time.
    assert_eq!(totals.returns_left_out, 70);
    untouched(&program);
}

#[test]
fn one_return_ends_a_call_and_the_one_that_jumped_to_it() {
    let mut program = program();
    let request = places(&mut program, &["return first", "return last", "step"]);
    let mut session = Session::start(&program.process(), &request).unwrap();
    let mut order = Vec::new();
    let answer = drive(&mut program, &mut session, "tail 5", |_, stop| {
        order.push(stop.what);
    });
    assert_eq!(answer, "45");
    let inner = What::Return { place: 1 };
    let outer = What::Return { place: 0 };
    assert_eq!(order, [inner, outer].repeat(5));
    let totals = finish(session);
    assert_eq!(totals.hits, [5, 5, 0]);
    assert_eq!(totals.returns_left_out, 0);
}

#[test]
fn several_places_at_one_address_are_told_one_after_the_other() {
    let mut program = program();
    let request = places(&mut program, &["step", "return step", "step"]);
    let mut session = Session::start(&program.process(), &request).unwrap();
    let mut order = Vec::new();
    drive(&mut program, &mut session, "calls 2", |_, stop| {
        order.push(stop.what);
    });
    let each = [
        What::Entry { place: 0 },
        What::Entry { place: 2 },
        What::Return { place: 1 },
    ];
    assert_eq!(order, each.repeat(2));
    assert_eq!(finish(session).hits, [2, 2, 2]);
}

#[test]
fn watched_memory_stops_after_each_access() {
    let mut program = program();
    let (watched, small) = (
        address(&mut program, "watched"),
        address(&mut program, "small"),
    );
    let watch = |address, bytes, access| Watch {
        address,
        bytes,
        access,
    };
    let request = Request {
        watches: vec![
            watch(watched, 8, Access::Write),
            watch(small, 4, Access::ReadWrite),
            watch(watched + 1, 2, Access::Write),
            watch(watched, 3, Access::Write),
        ],
        ..Request::default()
    };
    let mut session = Session::start(&program.process(), &request).unwrap();
    let refused: Vec<_> = session
        .refused()
        .iter()
        .map(|refused| (refused.subject, refused.reason))
        .collect();
    assert_eq!(
        refused,
        [
            (Subject::Watch(2), Reason::Alignment),
            (Subject::Watch(3), Reason::Alignment)
        ]
    );
    let mut last = None;
    let memory = std::fs::File::open(format!("/proc/{}/mem", program.pid())).unwrap();
    let mut threads = std::collections::HashSet::new();
    let answer = drive(&mut program, &mut session, "write 8 50", |_, stop| {
        let mut bytes = [0; 8];
        match stop.what {
            What::Watch { watch: 0 } => {
                threads.insert(stop.tid);
                memory.read_exact_at(&mut bytes, watched).unwrap();
            }
            What::Watch { watch: 1 } => {
                memory.read_exact_at(&mut bytes[..4], small).unwrap();
                last = Some(u64::from_ne_bytes(bytes));
            }
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(answer, "400");
    // All threads are later than the watch.
    assert_eq!(threads.len(), 8);
    assert_eq!(last, Some(49));
    let totals = finish(session);
    assert_eq!(totals.watch_hits, [400, 1, 0, 0]);
    assert_eq!(totals.unwatched, 0);
    untouched(&program);
}

#[test]
fn forked_processes_run_without_breakpoints_or_are_followed() {
    for children in [false, true] {
        let mut program = program();
        let request = Request {
            children,
            ..places(&mut program, &MANY)
        };
        let mut session = Session::start(&program.process(), &request).unwrap();
        let pid = program.pid();
        let mut others = 0;
        for _ in 0..5 {
            let answer = drive(&mut program, &mut session, "fork 10", |_, stop| {
                others += usize::from(stop.pid != pid);
            });
            // It exited with 7.
            assert_eq!(answer, "1792");
        }
        let answer = drive(&mut program, &mut session, "vfork 5", nothing);
        assert_eq!(answer, "0");
        let answer = drive(&mut program, &mut session, "spawn 5", nothing);
        assert_eq!(answer, "0");
        let totals = finish(session);
        assert_eq!(others, if children { 100 } else { 0 });
        assert_eq!(totals.hits[0], if children { 55 } else { 0 }, "{totals:?}");
        assert_eq!(totals.children_let_go, if children { 0 } else { 5 });
        untouched(&program);
        assert_eq!(program.ask("fork 10"), "1792");
    }
}

#[test]
fn every_signal_arrives() {
    for events in [false, true] {
        let mut program = program();
        let request = Request {
            events: Events {
                signals: events,
                ..Events::default()
            },
            ..places(&mut program, &MANY)
        };
        let mut session = Session::start(&program.process(), &request).unwrap();
        let mut told = 0;
        let answer = drive(&mut program, &mut session, "raise 50", |_, stop| {
            let number = libc::SIGUSR1;
            told += usize::from(stop.what == What::Signal { number });
        });
        assert_eq!(answer, "50");
        assert_eq!(told, if events { 50 } else { 0 });
        // Those that come while it steps, from another process; signals of one number that wait are one.
        let mut told = 0;
        let answer = drive(&mut program, &mut session, "signals 100", |_, stop| {
            let number = libc::SIGUSR1;
            told += u64::from(stop.what == What::Signal { number });
        });
        let numbers: Vec<u64> = answer
            .split(' ')
            .map(|word| word.parse().unwrap())
            .collect();
        let [caught, calls] = numbers[..] else {
            panic!("{answer}");
        };
        assert!(caught > 0 && caught <= 100, "{answer}");
        if events {
            assert_eq!(told, caught);
        }
        // Its own breakpoints and traps are its own.
        let answer = drive(&mut program, &mut session, "trap 10", nothing);
        assert_eq!(answer, "20");
        let totals = finish(session);
        assert_eq!(totals.hits[0], calls);
        assert_eq!(totals.hits[3], calls);
        untouched(&program);
    }
}

#[test]
fn threads_and_processes_tell_of_themselves() {
    let mut program = program();
    let request = Request {
        events: Events {
            threads: true,
            exec: true,
            exit: true,
            signals: false,
        },
        ..places(&mut program, &["return step"])
    };
    let process = program.process();
    let mut session = Session::start(&process, &request).unwrap();
    let (mut began, mut ended, mut returned) = (0, 0, 0);
    let answer = drive(
        &mut program,
        &mut session,
        "early 8",
        |_, stop| match stop.what {
            What::ThreadBegin => began += 1,
            What::ThreadEnd { status: 0 } => ended += 1,
            What::Return { place: 0 } => returned += 1,
            other => panic!("{other:?}"),
        },
    );
    assert_eq!(answer, "40");
    assert_eq!((began, ended, returned), (8, 8, 8));
    program.send("exec");
    let mut seen = Vec::new();
    loop {
        match session.next(LONG).unwrap() {
            Next::Stop(stop) => {
                let text = std::fs::read_to_string(format!("/proc/{}/comm", stop.pid)).unwrap();
                seen.push((stop.what, text.trim().to_owned()));
                if stop.what == What::Exec {
                    drop(program.input.take());
                }
            }
            Next::Gone { status } => {
                assert_eq!(status, Some(0));
                break;
            }
            Next::Nothing => panic!("nothing happens"),
        }
    }
    let name = seen[0].1.clone();
    let expected = [
        (What::Return { place: 0 }, name),
        (What::Exec, "cat".to_owned()),
        (What::ThreadEnd { status: 0 }, "cat".to_owned()),
        (What::Exit { status: 0 }, "cat".to_owned()),
    ];
    assert_eq!(seen, expected);
    finish(session);
}

#[test]
fn an_exit_and_a_kill_are_told() {
    // Where the threads are then is another matter each time.
    for _ in 0..5 {
        exits();
        is_killed();
    }
}

fn exits() {
    let mut program = program();
    let request = Request {
        events: Events {
            exit: true,
            ..Events::default()
        },
        ..places(&mut program, &MANY)
    };
    let mut session = Session::start(&program.process(), &request).unwrap();
    let loaded = drive(&mut program, &mut session, "load 4", nothing);
    assert_eq!(loaded, "loaded");
    program.send("exit 3");
    let mut exits = Vec::new();
    loop {
        match session.next(LONG).unwrap() {
            Next::Stop(stop) => {
                if let What::Exit { status } = stop.what {
                    exits.push(status);
                    // Its memory is still there.
                    let memory = std::fs::File::open(format!("/proc/{}/mem", stop.tid)).unwrap();
                    let mut bytes = [0; 8];
                    let place = request.places[0].addresses[0];
                    memory.read_exact_at(&mut bytes, place).unwrap();
                }
            }
            Next::Gone { status } => {
                assert_eq!(status, Some(3 << 8));
                break;
            }
            Next::Nothing => panic!("nothing happens"),
        }
    }
    assert_eq!(exits, [3 << 8]);
    finish(session);
}

fn is_killed() {
    let mut program = program();
    let request = places(&mut program, &MANY);
    let mut session = Session::start(&program.process(), &request).unwrap();
    drive(&mut program, &mut session, "load 8", nothing);
    // While one thread is held and others wait for their turn.
    let Next::Stop(_) = session.next(LONG).unwrap() else {
        panic!("nothing happens");
    };
    program.signal(libc::SIGKILL);
    loop {
        match session.next(LONG).unwrap() {
            Next::Stop(_) => {}
            Next::Gone { status } => {
                assert_eq!(status, Some(libc::SIGKILL));
                break;
            }
            Next::Nothing => panic!("nothing happens"),
        }
    }
    finish(session);
}

/// Threads that are made while the others are being attached to are there already, or are met.
#[test]
fn it_begins_while_threads_are_made() {
    let mut program = program();
    assert_eq!(program.ask("threads 3"), "loaded");
    for _ in 0..30 {
        let request = places(&mut program, &["down"]);
        let session = Session::start(&program.process(), &request);
        finish(session.unwrap_or_else(|error| panic!("{error}")));
    }
    let answer = program.ask("unload");
    assert!(answer.starts_with("0 "), "{answer}");
    untouched(&program);
}

#[test]
fn a_hold_stops_all_the_others() {
    let mut program = program();
    let request = places(&mut program, &MANY);
    let mut session = Session::start(&program.process(), &request).unwrap();
    drive(&mut program, &mut session, "load 6", nothing);
    for _ in 0..20 {
        let Next::Stop(stop) = session.next(LONG).unwrap() else {
            panic!("nothing happens");
        };
        let others = session.hold().unwrap();
        assert_eq!(others.len(), 6);
        assert!(others.iter().all(|other| other.tid != stop.tid));
        let mut known = 0;
        for other in &others {
            let state =
                std::fs::read_to_string(format!("/proc/{}/task/{}/stat", stop.pid, other.tid))
                    .unwrap();
            let letter = state.rsplit_once(") ").unwrap().1.chars().next();
            // One that waits for a process that it makes stops when that is done, and runs nothing before.
            match other.registers {
                Some(_) => assert_eq!(letter, Some('t')),
                None => assert!(matches!(letter, Some('D' | 't')), "{letter:?}"),
            }
            known += usize::from(other.registers.is_some());
        }
        assert!(known >= 5, "{known}");
        session.resume().unwrap();
    }
    assert!(matches!(session.hold(), Err(BreakpointError::NotStopped)));
    let answer = drive(&mut program, &mut session, "unload", nothing);
    assert!(answer.starts_with("0 "), "{answer}");
    finish(session);
    untouched(&program);
}

#[test]
fn memory_that_others_may_share_is_stopped_at_by_hardware_alone() {
    let mut program = program();
    let answer = program.ask("share");
    let first = u64::from_str_radix(answer.trim_start_matches("0x"), 16).unwrap();
    let request = Request {
        places: (first..first + 5).map(entry).collect(),
        ..Request::default()
    };
    let session = Session::start(&program.process(), &request).unwrap();
    let refused = session.refused();
    assert!(
        matches!(refused, [refused] if refused.reason == Reason::Shared),
        "{refused:?}"
    );
    let totals = finish(session);
    assert_eq!((totals.hardware, totals.text), (4, 0));
    untouched(&program);
}

/// A number that the program prints in hexadecimal.
fn number(answer: &str) -> u64 {
    u64::from_str_radix(answer.trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn what_takes_the_place_of_unloaded_code_is_left_alone() {
    let mut program = program();
    let plug = number(&program.ask("plug"));
    let mut request = places(&mut program, &["step", "other"]);
    // Instructions of one byte: what stands behind them does not tell.
    request.places.extend((plug..plug + 64).map(entry));
    let mut session = Session::start(&program.process(), &request).unwrap();
    assert_eq!(session.refused(), []);
    assert_eq!(session.so_far().text, 66);
    // A child that is let go has a copy.
    assert_eq!(drive(&mut program, &mut session, "unplug", nothing), "0");
    assert_eq!(drive(&mut program, &mut session, "changed", nothing), "0");
    let totals = finish(session);
    assert_eq!(totals.children_let_go, 1);
    // All that was there.
    assert_eq!(totals.replaced, (2..66).collect::<Vec<usize>>());
    assert_eq!(program.ask("changed"), "0");
    untouched(&program);
}

#[test]
fn code_that_is_unloaded_and_loaded_again_is_noticed() {
    for (places, exits, gone) in [
        (2, false, false),
        (2, true, false),
        (64, false, true),
        (64, true, true),
    ] {
        let mut program = program();
        let plug = number(&program.ask("plug"));
        let request = Request {
            places: (plug..plug + places).map(entry).collect(),
            ..Request::default()
        };
        let mut session = Session::start(&program.process(), &request).unwrap();
        assert_eq!(
            number(&drive(&mut program, &mut session, "replug", nothing)),
            plug
        );
        if exits {
            program.send("exit 0");
            assert!(matches!(session.next(LONG), Ok(Next::Gone { .. })));
        }
        let totals = finish(session);
        // A register of the processor is for what is there again.
        let expected = if gone { places as usize } else { 0 };
        assert_eq!(totals.replaced.len(), expected, "{places} {exits}");
    }
}

#[test]
fn what_has_taken_the_place_before_the_start_of_a_session_is_not_written_to() {
    let mut program = program();
    let plug = number(&program.ask("plug"));
    let request = Request {
        places: (plug..plug + 64).map(entry).collect(),
        ..Request::default()
    };
    assert_eq!(program.ask("unplug"), "0");
    let session = Session::start(&program.process(), &request).unwrap();
    assert_eq!(session.refused().len(), 64);
    finish(session);
    assert_eq!(program.ask("changed"), "0");
}

#[test]
fn code_that_the_program_makes_is_never_changed() {
    for (names, followed) in [
        (&["return step"][..], 3),
        (&["return step", "step", "other"], 2),
    ] {
        let mut program = program();
        let request = places(&mut program, names);
        let mut session = Session::start(&program.process(), &request).unwrap();
        // From as many places each.
        assert_eq!(drive(&mut program, &mut session, "made 16", nothing), "16");
        let totals = finish(session);
        assert_eq!(
            (totals.hits[0], totals.returns_unfollowed),
            (followed, 16 - followed),
            "{totals:?}"
        );
        assert_eq!(totals.text, 0, "{totals:?}");
        untouched(&program);
    }
    let mut program = program();
    let mut names = vec!["return step"];
    names.extend(MANY);
    let request = places(&mut program, &names);
    let mut session = Session::start(&program.process(), &request).unwrap();
    assert_eq!(drive(&mut program, &mut session, "made 16", nothing), "16");
    let totals = finish(session);
    assert_eq!(
        (totals.hits[0], totals.returns_unfollowed),
        (4, 12),
        "{totals:?}"
    );
    untouched(&program);
}

#[test]
fn a_process_that_borrows_the_memory_leaves_the_breakpoints() {
    for children in [false, true] {
        let mut program = program();
        let request = Request {
            children,
            ..places(&mut program, &MANY)
        };
        let mut session = Session::start(&program.process(), &request).unwrap();
        for _ in 0..3 {
            assert_eq!(drive(&mut program, &mut session, "borrow 10", nothing), "0");
        }
        assert_eq!(drive(&mut program, &mut session, "calls 50", nothing), "50");
        let totals = finish(session);
        assert_eq!(totals.hits[0], if children { 80 } else { 50 }, "{totals:?}");
        assert_eq!(totals.children_let_go, 0);
        untouched(&program);
    }
}

#[test]
fn what_stops_a_process_while_it_steps_is_no_second_hit() {
    let mut program = program();
    let request = places(&mut program, &MANY);
    let mut session = Session::start(&program.process(), &request).unwrap();
    let answer = drive(&mut program, &mut session, "halts 300", nothing);
    let (status, calls) = answer.split_once(' ').unwrap();
    assert_eq!(status, "0");
    let totals = finish(session);
    // `multiply` is stepped in place.
    assert_eq!(totals.hits[3], calls.parse::<u64>().unwrap(), "{totals:?}");
    assert!(totals.stepped >= totals.hits[3], "{totals:?}");
    untouched(&program);
    assert_eq!(program.ask("calls 5"), "5");
}

#[test]
fn a_supervisor_that_was_stopped_is_woken_and_takes_everything_out() {
    for finishes in [false, true] {
        let mut program = program();
        let request = places(&mut program, &MANY);
        let session = Session::start(&program.process(), &request).unwrap();
        // SAFETY: the call takes no pointer; the process is the supervisor of this session.
        assert_eq!(unsafe { libc::kill(session.tracer(), libc::SIGSTOP) }, 0);
        if finishes {
            finish(session);
        } else {
            drop(session);
        }
        untouched(&program);
        assert_eq!(program.ask("calls 5"), "5");
    }
}

#[test]
fn a_stop_that_is_held_for_too_long_ends() {
    let mut program = program();
    let request = Request {
        max_hold: Duration::from_millis(50),
        ..places(&mut program, &MANY)
    };
    let mut session = Session::start(&program.process(), &request).unwrap();
    program.send("calls 3");
    let Next::Stop(_) = session.next(LONG).unwrap() else {
        panic!("nothing happens");
    };
    // All three pass, since nobody answers.
    assert_eq!(program.line(), "3");
    assert!(matches!(session.hold(), Err(BreakpointError::NotStopped)));
    let answer = drive(&mut program, &mut session, "calls 4", nothing);
    assert_eq!(answer, "4");
    let totals = session.finish().unwrap();
    assert_eq!(totals.hits[0], 7);
    // The later ones may come before the answer.
    let passed = totals.overdue + totals.unserved;
    assert!((3..=7).contains(&passed), "{totals:?}");
    assert!(totals.restored);
    untouched(&program);
}

#[test]
fn job_control_goes_on_as_ever() {
    let state = |program: &Program, letters: &str| {
        let began = Instant::now();
        while !letters.contains(
            program
                .status("State:")
                .trim_start_matches("State:\t")
                .chars()
                .next()
                .unwrap(),
        ) {
            assert!(began.elapsed() < LONG, "{}", program.status("State:"));
            std::thread::yield_now();
        }
    };
    let mut program = program();
    let request = places(&mut program, &MANY);
    program.signal(libc::SIGSTOP);
    state(&program, "T");
    let mut session = Session::start(&program.process(), &request).unwrap();
    state(&program, "tT");
    program.signal(libc::SIGCONT);
    let answer = drive(&mut program, &mut session, "calls 5", nothing);
    assert_eq!(answer, "5");
    program.signal(libc::SIGSTOP);
    state(&program, "tT");
    let totals = finish(session);
    assert_eq!(totals.hits[0], 5);
    // It stays stopped.
    state(&program, "T");
    program.signal(libc::SIGCONT);
    assert_eq!(program.ask("calls 5"), "5");
    untouched(&program);
}

#[test]
fn refusals_say_why() {
    let mut program = program();
    let (step, data) = (
        address(&mut program, "step"),
        address(&mut program, "watched"),
    );
    let request = Request {
        places: vec![entry(step), entry(data), entry(8)],
        ..Request::default()
    };
    let process = program.process();
    let session = Session::start(&process, &request).unwrap();
    let refused: Vec<_> = session
        .refused()
        .iter()
        .map(|refused| (refused.subject, refused.address, refused.reason))
        .collect();
    assert_eq!(
        refused,
        [
            (Subject::Place(1), data, Reason::NoCode),
            (Subject::Place(2), 8, Reason::NoCode)
        ]
    );
    // There is one tracer at a time.
    let tracer = session.tracer();
    let second = Session::start(&process, &request);
    assert!(matches!(
        second,
        Err(BreakpointError::Stop(StopError::AlreadyTraced { tracer: other, .. })) if other == tracer
    ));
    finish(session);
    untouched(&program);
    let own = ytrace_target::Process::open(std::process::id() as i32).unwrap();
    assert!(matches!(
        Session::start(&own, &request),
        Err(BreakpointError::Stop(StopError::Ourselves { .. }))
    ));
}

#[test]
fn without_hardware_all_is_in_the_text() {
    if std::env::var_os("YTRACE_FORBID").is_none() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "without_hardware_all_is_in_the_text"])
            .env("YTRACE_FORBID", "hardware_breakpoints")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
        return;
    }
    let mut program = program();
    let watched = address(&mut program, "watched");
    let request = Request {
        watches: vec![Watch {
            address: watched,
            bytes: 8,
            access: Access::Write,
        }],
        ..places(&mut program, &["step", "return step"])
    };
    let mut session = Session::start(&program.process(), &request).unwrap();
    assert!(matches!(
        session.refused()[..],
        [refused] if matches!(refused.reason, Reason::Hardware(_))
    ));
    let answer = drive(&mut program, &mut session, "work 8 20", nothing);
    assert_eq!(answer, "160");
    let totals = finish(session);
    assert_eq!(totals.hits, [160, 160]);
    assert_eq!(totals.hardware, 0);
    assert!(totals.text >= 2);
    untouched(&program);
}

#[test]
fn the_end_of_the_supervisor_takes_breakpoints_of_the_processor_along() {
    let mut program = program();
    let request = places(&mut program, &["step", "other"]);
    let mut session = Session::start(&program.process(), &request).unwrap();
    // SAFETY: the call takes no pointer; the process is the supervisor of this session.
    assert_eq!(unsafe { libc::kill(session.tracer(), libc::SIGKILL) }, 0);
    wait_until_let_go(program.pid());
    assert_eq!(program.ask("calls 50"), "50");
    assert!(matches!(
        session.next(LONG),
        Err(BreakpointError::TracerLost { text: 0 })
    ));
    untouched(&program);
}

/// Not a test of its own: what the next one starts. Sets breakpoints in the process named by the environment variable and takes
/// them out again, over and over.
#[test]
fn ytrace_to_be_harmed() {
    let Ok(list) = std::env::var("YTRACE_TEST_HARMED") else {
        return;
    };
    let numbers: Vec<u64> = list.split(',').map(|word| word.parse().unwrap()).collect();
    let [pid, children, places @ ..] = &numbers[..] else {
        panic!("{list}");
    };
    let process = ytrace_target::Process::open(*pid as i32).unwrap();
    let request = Request {
        places: places
            .iter()
            .flat_map(|place| [entry(*place), at_return(*place)])
            .collect(),
        children: *children != 0,
        ..Request::default()
    };
    println!("begins");
    loop {
        let mut session = match Session::start(&process, &request) {
            Ok(session) => session,
            // The one of a ytrace that was killed before.
            Err(BreakpointError::Stop(StopError::AlreadyTraced { .. })) => continue,
            Err(error) => panic!("{error}"),
        };
        for round in 0..20 {
            let next = session.next(Duration::from_millis(1)).unwrap();
            if matches!(next, Next::Stop(_)) && round % 8 == 0 {
                session.hold().unwrap();
            }
        }
        session.finish().unwrap();
    }
}

/// Waits until no thread of a process is traced.
fn wait_until_let_go(pid: i32) {
    let began = Instant::now();
    let traced = || {
        std::fs::read_dir(format!("/proc/{pid}/task"))
            .unwrap()
            .any(|task| {
                let path = task.unwrap().path().join("status");
                let text = std::fs::read_to_string(path).unwrap_or_default();
                text.contains("TracerPid:") && !text.contains("TracerPid:\t0\n")
            })
    };
    while traced() {
        assert!(began.elapsed() < LONG, "process {pid} is still traced");
        std::thread::yield_now();
    }
}

/// A program under load is none the worse for a ytrace that is killed at any instant. `YTRACE_KILL_ROUNDS` says how often.
#[test]
fn a_killed_ytrace_leaves_nothing() {
    let rounds: u64 =
        std::env::var("YTRACE_KILL_ROUNDS").map_or(100, |rounds| rounds.parse().unwrap());
    let mut program = program();
    let all: Vec<String> = MANY
        .iter()
        .chain(&["down"])
        .map(|name| address(&mut program, name).to_string())
        .collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..rounds {
        if round % 10 == 0 {
            assert_eq!(program.ask("load 6"), "loaded");
        }
        // One place by hardware, or all in the text.
        let places = if round % 3 == 0 { &all[..1] } else { &all[..] };
        let list = format!("{},{},{}", program.pid(), round % 2, places.join(","));
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "ytrace_to_be_harmed", "--nocapture"])
            .env("YTRACE_TEST_HARMED", list)
            .process_group(0);
        let mut killed = Program::spawn(&mut command);
        while !killed.line().contains("begins") {}
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // An instant like any other, within some of its rounds.
        std::thread::sleep(Duration::from_micros(random % 40_000));
        let victim = if round % 2 == 0 {
            killed.pid()
        } else {
            -killed.pid()
        };
        // SAFETY: the call takes no pointer; the process, or its group, is one that this test has made.
        assert_eq!(unsafe { libc::kill(victim, libc::SIGKILL) }, 0);
        killed.child.wait().unwrap();
        wait_until_let_go(program.pid());
        let status = program.child.try_wait().unwrap();
        assert_eq!(status, None, "round {round}");
        untouched(&program);
        if round % 10 == 9 || round + 1 == rounds {
            let answer = program.ask("unload");
            assert!(answer.starts_with("0 "), "round {round}: {answer}");
        }
    }
    assert_eq!(program.ask("calls 5"), "5");
}
