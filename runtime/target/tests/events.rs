//! Probes on running programs, whose own account says what must come out.

mod common;
#[path = "common/sites.rs"]
mod sites;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{Program, compile};
use sites::Executable;
use ytrace_target::events::*;

/// A program of `calls.c` and a session on it.
struct Traced {
    program: Program,
    executable: Executable,
    session: EventSession,
}

impl Traced {
    fn start() -> Traced {
        Traced::with(EventOptions::default())
    }

    fn with(options: EventOptions) -> Traced {
        let path: PathBuf = compile("calls");
        let program = Program::run(&path, &[]);
        // The program has begun once it answers.
        let mut traced = Traced {
            session: EventSession::new(&program.process(), options).unwrap(),
            executable: Executable::open(&path),
            program,
        };
        assert_eq!(traced.program.ask("hello"), "?");
        traced
    }

    fn probe(&mut self, function: &str, program: HitProgram) -> ProbeId {
        let source = Source::Sites(vec![self.executable.site(function, 5)]);
        let attachment = self
            .session
            .attach(vec![Probe { program, source }])
            .unwrap();
        assert_eq!(attachment.refused, []);
        attachment.probes[0]
    }

    /// What the records that are there say.
    fn records<T>(&mut self, mut each: impl FnMut(&Record<'_>) -> T) -> Vec<T> {
        let mut found = Vec::new();
        self.session.poll(Instant::now(), |record| {
            found.push(each(record));
            ControlFlow::Continue(())
        });
        assert_eq!(self.session.malformed(), 0);
        found
    }
}

fn emit(part: &mut Part, values: &[Value]) {
    let values = values.iter().map(|value| part.value(*value)).collect();
    part.step(Step::Emit(Emit {
        values,
        ..Emit::default()
    }));
}

fn entry(values: &[Value]) -> HitProgram {
    let mut program = HitProgram::default();
    emit(&mut program.entry, values);
    program
}

#[test]
fn hits_of_all_threads_are_counted() {
    let mut traced = Traced::start();
    let probe = traced.probe("step", HitProgram::default());
    assert_eq!(traced.program.ask("work 4 250000"), "1000000");
    let totals = traced.session.totals(probe).unwrap();
    assert_eq!(totals.entry.hits, 1_000_000);
    assert_eq!(totals.on_return, PartTotals::default());
}

#[test]
fn records_and_losses_add_up() {
    let mut traced = Traced::start();
    let probe = traced.probe("step", entry(&[Value::Register(Register::Rdi), Value::Tid]));
    traced.program.send("work 4 250000");
    let (mut records, mut sum, mut tids) = (0u64, 0u64, std::collections::HashSet::new());
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let soon = Instant::now() + Duration::from_millis(20);
        traced.session.poll(soon, |record| {
            records += 1;
            sum += record.value(0).unwrap();
            tids.insert(record.tid());
            assert_eq!(record.value(1), Some(record.tid() as u64));
            assert_eq!(record.pid(), traced.program.pid());
            assert_eq!(record.cookie(), 5);
            ControlFlow::Continue(())
        });
        let totals = traced.session.totals(probe).unwrap().entry;
        if totals.hits == 1_000_000 && records + totals.lost == totals.hits {
            break;
        }
    }
    let totals = traced.session.totals(probe).unwrap().entry;
    assert_eq!(totals.hits, 1_000_000);
    assert_eq!(records + totals.lost, totals.hits);
    if totals.lost == 0 {
        assert_eq!(sum, 4 * (250_000 * 249_999 / 2));
    }
    assert_eq!(tids.len(), 4);
    assert_eq!(traced.program.line(), "1000000");
}

/// A plan that gives saved values and the result at the return.
fn on_return(saved: &[Value]) -> HitProgram {
    let mut program = HitProgram::default();
    program.saved_values = saved
        .iter()
        .map(|value| program.entry.value(*value))
        .collect();
    let mut part = Part::default();
    let mut values: Vec<Value> = (0..saved.len() as u32).map(Value::Entry).collect();
    values.push(Value::Register(Register::Rax));
    emit(&mut part, &values);
    program.on_return = Some(part);
    program
}

const ARGUMENTS: [Register; 6] = [
    Register::Rdi,
    Register::Rsi,
    Register::Rdx,
    Register::Rcx,
    Register::R8,
    Register::R9,
];

#[test]
fn arguments_and_results_are_those_of_the_call() {
    let mut traced = Traced::start();
    let six = ARGUMENTS.map(Value::Register);
    traced.probe("six", on_return(&six));
    assert_eq!(traced.program.ask("six 1000000007 -4"), "1000000200");
    let found = traced.records(|record| {
        assert!(record.is_return());
        let word = |place| record.value(place).unwrap() as i64;
        (
            word(0),
            word(1) as i32,
            word(2) as u8,
            word(3),
            word(4),
            word(5),
            word(6),
        )
    });
    assert_eq!(found, [(1_000_000_007, -2, 200, -4, 5, 6, 1_000_000_200)]);
}

#[test]
fn recursion_keeps_entries_apart() {
    // One word is kept by the kernel, more are in a table.
    for saved in [1, 3] {
        let mut traced = Traced::start();
        let values = [Register::Rdi, Register::Rsp, Register::Rip].map(Value::Register);
        let probe = traced.probe("down", on_return(&values[..saved]));
        assert_eq!(traced.program.ask("down 50"), "50");
        let found =
            traced.records(|record| (record.value(0).unwrap(), record.value(saved).unwrap()));
        let expected: Vec<(u64, u64)> = (0..=50).map(|n| (n, n)).collect();
        assert_eq!(found, expected);
        let totals = traced.session.totals(probe).unwrap();
        assert_eq!((totals.entry.hits, totals.on_return.hits), (51, 51));
        assert_eq!(totals.on_return.unpaired, 0);
    }
}
