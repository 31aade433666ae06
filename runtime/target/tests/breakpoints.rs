//! Breakpoints on real programs: what they count is what the program counts, and nothing of them stays.

#![cfg(target_arch = "x86_64")]

mod common;

use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::Program;
use ytrace_target::breakpoints::{Next, Place, Request, Session, Stop, Totals, What};

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
    assert_eq!(totals.overdue, 0);
    totals
}

/// The text of a program is that of its file again, and nobody traces it.
fn untouched(program: &Program) {
    assert!(program.is_let_go());
    let process = program.process();
    let maps = process.maps().unwrap();
    let memory = std::fs::File::open(format!("/proc/{}/mem", program.pid())).unwrap();
    let mut seen = 0;
    for mapping in maps.as_slice() {
        if !mapping.permissions.execute || mapping.inode == 0 {
            continue;
        }
        let file = process.open_mapping(mapping).unwrap().file;
        let mut there = vec![0u8; mapping.len() as usize];
        let got = file.read_at(&mut there, mapping.offset).unwrap();
        let mut here = vec![0u8; got];
        memory.read_exact_at(&mut here, mapping.start).unwrap();
        assert!(here == there[..got], "the text of {mapping:?} is changed");
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
    assert_eq!(totals.stops, 50);
    untouched(&program);
    assert_eq!(program.ask("calls 3"), "3");
}

#[test]
fn calls_are_counted_in_the_text() {
    let mut program = program();
    let mut session = Session::start(&program.process(), &places(&mut program, &MANY)).unwrap();
    assert_eq!(session.refused(), []);
    let answer = drive(&mut program, &mut session, "calls 50", nothing);
    assert_eq!(answer, "50");
    // The sum of i + 1 + i + 2 i.
    let answer = drive(&mut program, &mut session, "others 100", nothing);
    assert_eq!(answer, "19900 2.5");
    let answer = drive(&mut program, &mut session, "fault 3", nothing);
    assert_eq!(answer, "3 31");
    let totals = finish(session);
    assert_eq!(totals.hits, [50, 100, 1, 100, 100, 4]);
    assert_eq!((totals.hardware, totals.text), (0, 6));
    assert!(totals.stepped > 0 && totals.emulated > 0, "{totals:?}");
    untouched(&program);
    assert_eq!(program.ask("others 100"), "19900 2.5");
}
