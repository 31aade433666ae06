//! Probes by `perf_event_open` alone: what is copied, what rings have, and whose losses are whose.

mod common;
#[path = "common/sites.rs"]
mod sites;
#[path = "common/traced.rs"]
mod traced;

use common::{Program, compile};
use sites::Executable;
use traced::{Traced, again_without, entry};
use ytrace_target::events::*;

/// Whether this is a run of a test without what it names; the first run has it run again.
fn is_again(without: &[&str], test: &str) -> bool {
    if std::env::var_os("YTRACE_FORBID").is_some() {
        return true;
    }
    for tiers in without {
        again_without(tiers, test);
    }
    false
}

/// A plan that sends the stack, but only where the first argument is so much.
fn stack_if(wanted: Option<u64>) -> HitProgram {
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    if let Some(wanted) = wanted {
        let argument = part.value(Value::Register(Register::Rdi));
        let wanted = part.value(Value::Constant(wanted));
        let other = part.value(Value::Binary(BinaryOperation::NotEqual, argument, wanted));
        part.step(Step::ReturnIf {
            condition: other,
            on_failure: OnFailure::GoOn,
        });
    }
    part.step(Step::Emit(Emit {
        registers: RegisterSet::UNWIND,
        stack_bytes: 32 << 10,
        stack_expected: 8 << 10,
        ..Emit::default()
    }));
    program
}

#[test]
fn what_is_dropped_is_copied_first() {
    if !is_again(&["bpf"], "what_is_dropped_is_copied_first") {
        let mut traced = Traced::start();
        let probe = traced.probe("down", stack_if(Some(99)));
        assert_eq!(traced.session.copied(probe).unwrap(), None);
        assert_eq!(traced.session.rings(), None);
        return;
    }
    let mut traced = Traced::start();
    let probe = traced.probe("down", stack_if(Some(99)));
    let counted = traced.probe("take", HitProgram::default());
    assert_eq!(traced.program.ask("down 9"), "9");
    traced.program.ask("take 10");
    assert_eq!(traced.records(|_| ()).len(), 0);
    let totals = traced.session.totals(probe).unwrap().entry;
    assert_eq!((totals.hits, totals.filtered, totals.lost), (10, 10, 0));
    let copied = traced.session.copied(probe).unwrap().unwrap();
    assert_eq!(copied.registers, 10);
    // A frame of `main` lies above each.
    assert!(
        (10 * 256..10 * 33_000).contains(&copied.stack_bytes),
        "{copied:?}"
    );
    let nothing = traced.session.copied(counted).unwrap();
    assert_eq!(nothing, Some(Copied::default()));
}

#[test]
fn losses_are_of_the_probe_that_lost() {
    const TEST: &str = "losses_are_of_the_probe_that_lost";
    if !is_again(&["bpf", "bpf,lost_by_event"], TEST) {
        return;
    }
    let tells = std::env::var("YTRACE_FORBID").unwrap() == "bpf";
    let mut traced = Traced::with(EventOptions {
        ring_bytes: 1 << 20,
        ..EventOptions::default()
    });
    let hot = traced.probe("take", stack_if(None));
    let rare = traced.probe("down", entry(&[Value::Register(Register::Rdi)]));
    // Nobody reads meanwhile.
    traced.program.ask("take 300");
    let mut records = traced.records(|_| ()).len() as u64;
    assert!(records < 300, "nothing was lost");
    // The kernel tells of the loss when this has found room.
    assert_eq!(traced.program.ask("down 0"), "0");
    records += traced.records(|_| ()).len() as u64 - 1;
    let lost = |traced: &Traced, probe| traced.session.totals(probe).unwrap().entry.lost;
    assert_eq!(lost(&traced, rare), 0);
    match tells {
        true => assert_eq!(lost(&traced, hot), 300 - records),
        // It will be known when the event is closed.
        false => assert_eq!(
            (lost(&traced, hot), traced.session.lost_of_unknown()),
            (0, 300 - records)
        ),
    }
    traced.session.shut();
    traced.session.suspend();
    traced.records(|_| ());
    let totals = traced.session.totals(hot).unwrap().entry;
    assert_eq!((totals.hits, totals.lost), (300, 300 - records));
    let totals = traced.session.totals(rare).unwrap().entry;
    assert_eq!((totals.hits, totals.lost), (1, 0));
    assert_eq!(traced.session.lost_of_unknown(), 0);
}

/// Bytes of the rings that this process has.
fn mapped_rings() -> u64 {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let rings = maps
        .lines()
        .filter(|line| line.ends_with("anon_inode:[perf_event]"));
    let size = |line: &str| {
        let (start, rest) = line.split_once('-').unwrap();
        let (end, _) = rest.split_once(' ').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        // The first page is none of the ring.
        number(end) - number(start) - 4096
    };
    rings.map(size).sum()
}

#[test]
fn rings_are_bounded_and_who_has_none_is_counted() {
    if !is_again(&["bpf"], "rings_are_bounded_and_who_has_none_is_counted") {
        return;
    }
    let mut program = Program::start("threads", &["sleep", "40"]);
    assert_eq!(program.line(), "ready");
    let executable = Executable::open(&compile("threads"));
    let options = EventOptions {
        ring_bytes: 1 << 20,
        ..EventOptions::default()
    };
    let mut session = EventSession::new(&program.process(), options).unwrap();
    let source = Source::Sites(vec![executable.site("main", 0)]);
    let program = stack_if(None);
    session.attach(vec![Probe { program, source }]).unwrap();
    let rings = session.rings().unwrap().clone();
    let late = session.late_threads();
    // 41 threads, and room for 32 rings of the least size.
    assert_eq!(
        (rings.count, rings.least, rings.most),
        (32, 32 << 10, 32 << 10)
    );
    assert_eq!((rings.short_stacks, rings.shortest), (32, 8 << 10));
    assert_eq!((late.late, late.missed), (0, 9), "{late:?}");
    let why = late.why.unwrap();
    assert_eq!(
        why,
        "the rings of 32 threads take the 1024 KiB that they may have together"
    );
    assert_eq!(mapped_rings(), 1 << 20);
}
