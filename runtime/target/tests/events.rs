//! Probes on running programs: what is hit, what is not, what is counted.

mod common;
#[path = "common/sites.rs"]
mod sites;
#[path = "common/traced.rs"]
mod traced;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use common::{Program, compile};
use sites::Executable;
use traced::{Traced, again_without, entry, on_return};
use ytrace_target::events::*;

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

#[test]
fn threads_that_start_later_are_seen_and_other_processes_are_not() {
    let mut traced = Traced::start();
    let probe = traced.probe("step", entry(&[Value::Register(Register::Rsi)]));
    let path = std::fs::read_link(format!("/proc/{}/exe", traced.program.pid())).unwrap();
    let mut other = Program::run(&path, &[]);
    assert_eq!(other.ask("work 2 1000"), "2000");
    assert_eq!(traced.program.ask("fork 500"), "forked");
    assert_eq!(traced.program.ask("work 3 7"), "21");
    let found = traced.records(|record| record.value(0));
    assert_eq!(found.len(), 21);
    assert!(found.iter().all(|thread| *thread < Some(3)));
    assert_eq!(traced.session.totals(probe).unwrap().entry.hits, 21);
}

#[test]
fn a_refused_site_is_reported_and_the_others_are_probed() {
    let mut traced = Traced::start();
    let mut sites: Vec<Site> = ["step", "refused", "six", "down", "take"]
        .iter()
        .zip(0..)
        .map(|(function, cookie)| traced.executable.site(function, cookie))
        .collect();
    let mut beyond = sites[0].clone();
    beyond.offset = 1 << 40;
    sites.push(beyond);
    let probes = vec![Probe {
        program: entry(&[Value::Cookie]),
        source: Source::Sites(sites),
    }];
    let attachment = traced.session.attach(probes).unwrap();
    let refused: Vec<_> = attachment
        .refused
        .iter()
        .map(|refused| (refused.site, refused.errno))
        .collect();
    assert_eq!(refused, [(1, 524), (5, libc::EINVAL)]);
    assert!(attachment.refused[0].reason().contains("elsewhere"));
    traced.program.ask("six 1 2");
    traced.program.ask("down 0");
    traced.program.ask("work 1 1");
    let found = traced.records(|record| (record.cookie(), record.value(0)));
    assert_eq!(found, [(2, Some(2)), (3, Some(3)), (0, Some(0))]);
}

#[test]
fn records_that_nobody_reads_are_lost_and_counted() {
    let mut traced = Traced::with(EventOptions {
        ring_bytes: 1 << 14,
        ..EventOptions::default()
    });
    let probe = traced.probe("step", entry(&[Value::Register(Register::Rdi)]));
    traced.program.ask("work 4 1000");
    let found = traced.records(|record| record.value(0));
    let totals = traced.session.totals(probe).unwrap().entry;
    // 64 bytes of record and eight of its length.
    assert_eq!(found.len(), (1 << 14) / 72);
    assert_eq!(totals.hits, 4000);
    assert_eq!(totals.lost + found.len() as u64, 4000);
    // Room is given back.
    traced.program.ask("work 1 3");
    assert_eq!(
        traced.records(|record| record.value(0)),
        [Some(0), Some(1), Some(2)]
    );
}

#[test]
fn probes_are_taken_away_and_put_back() {
    let mut traced = Traced::start();
    let probe = traced.probe("step", on_return(&[Value::Register(Register::Rdi)]));
    traced.program.ask("work 1 10");
    traced.session.suspend();
    traced.program.ask("work 1 100");
    traced.session.resume().unwrap();
    traced.program.ask("work 1 1000");
    let totals = traced.session.totals(probe).unwrap();
    assert_eq!((totals.entry.hits, totals.on_return.hits), (1010, 1010));
    drop(traced.session);
    assert_eq!(traced.program.ask("work 1 10"), "10");
}

#[test]
fn the_semaphore_of_a_static_probe_is_held() {
    let mut traced = Traced::start();
    assert_eq!(traced.program.ask("semaphore"), "0");
    let mut site = traced.executable.site("step", 0);
    site.semaphore = Some(traced.executable.offset("semaphore"));
    let source = Source::Sites(vec![site]);
    let probes = vec![Probe {
        program: HitProgram::default(),
        source,
    }];
    let attachment = traced.session.attach(probes).unwrap();
    assert_eq!(attachment.refused, []);
    assert_eq!(traced.program.ask("semaphore"), "1");
    drop(traced.session);
    assert_eq!(traced.program.ask("semaphore"), "0");
}

#[test]
fn files_without_a_name_are_probed() {
    let path = compile("calls");
    let copy = path.with_extension("copy");
    std::fs::copy(&path, &copy).unwrap();
    let mut program = Program::run(&copy, &[]);
    program.ask("hello");
    std::fs::remove_file(&copy).unwrap();
    let process = program.process();
    let maps = process.maps().unwrap();
    let mapping = maps
        .as_slice()
        .iter()
        .find(|mapping| mapping.inode != 0)
        .unwrap();
    let mut site = Executable::open(&path).site("step", 0);
    site.file = std::sync::Arc::new(process.open_mapping(mapping).unwrap().file);
    let mut session = EventSession::new(&process, EventOptions::default()).unwrap();
    let source = Source::Sites(vec![site]);
    let probes = vec![Probe {
        program: HitProgram::default(),
        source,
    }];
    let attachment = session.attach(probes).unwrap();
    assert_eq!(attachment.refused, []);
    program.ask("work 1 10");
    assert_eq!(session.totals(attachment.probes[0]).unwrap().entry.hits, 10);
}

#[test]
fn sites_are_probed_one_by_one_where_links_are_not_to_be_had() {
    for test in [
        "hits_of_all_threads_are_counted",
        "a_refused_site_is_reported_and_the_others_are_probed",
        "threads_that_start_later_are_seen_and_other_processes_are_not",
        "probes_are_taken_away_and_put_back",
        "files_without_a_name_are_probed",
        "the_semaphore_of_a_static_probe_is_held",
    ] {
        again_without("uprobe_multi", test);
    }
}

#[test]
fn an_entry_and_its_return_are_taken_away_together() {
    again_without("uprobe_session", "probes_are_taken_away_and_put_back");
}

#[test]
fn what_is_forbidden_is_named() {
    if std::env::var_os("YTRACE_FORBID").is_none() {
        for tiers in ["bpf,perf_uprobes", "ringbuf,perf_uprobes"] {
            again_without(tiers, "what_is_forbidden_is_named");
        }
        return;
    }
    let program = Program::run(&compile("calls"), &[]);
    let error = EventSession::new(&program.process(), EventOptions::default()).unwrap_err();
    let told = error.to_string();
    assert!(
        told.matches("YTRACE_FORBID switches it off").count() == 2
            && told.contains("perf_event_open"),
        "{told}"
    );
}

#[test]
fn page_faults_are_seen_with_the_registers_of_the_program() {
    let mut traced = Traced::start();
    let mut program = entry(&[Value::Tid]);
    let emit = program.entry.steps.pop().unwrap();
    let Step::Emit(mut emit) = emit else { panic!() };
    emit.registers = RegisterSet::UNWIND;
    emit.stack_bytes = 256;
    program.entry.step(Step::Emit(emit));
    let source = Source::PageFaults { every: 1 };
    let attachment = traced
        .session
        .attach(vec![Probe { program, source }])
        .unwrap();
    traced.program.ask("touch 1000");
    let text = traced.program.process().maps().unwrap();
    let pid = traced.program.pid();
    let found = traced.records(|record| {
        assert_eq!(record.tid(), pid);
        let place = record.register(Register::Rip).unwrap();
        let stack = record.register(Register::Rsp).unwrap();
        assert!(text.find(stack).is_some());
        assert!(!record.stack().is_empty());
        text.find(place).is_some_and(|mapping| mapping.inode != 0)
    });
    // Each page once; the program's own output may fault, too.
    assert!((1000..1100).contains(&found.len()), "{}", found.len());
    assert!(found.iter().filter(|known| **known).count() >= 1000);
    let totals = traced.session.totals(attachment.probes[0]).unwrap().entry;
    assert_eq!(totals.hits, found.len() as u64);
    traced.session.suspend();
    traced.program.ask("touch 1000");
    assert_eq!(traced.records(|_| ()).len(), 0);
}

#[test]
fn threads_begin_and_end() {
    let mut traced = Traced::start();
    let probe = |source| Probe {
        program: entry(&[Value::Tid]),
        source,
    };
    let probes = [Source::ThreadBegin, Source::ThreadEnd, Source::Exec].map(probe);
    traced.session.attach(probes.into()).unwrap();
    let path = std::fs::read_link(format!("/proc/{}/exe", traced.program.pid())).unwrap();
    let mut other = Program::run(&path, &[]);
    assert_eq!(other.ask("work 2 1"), "2");
    assert_eq!(traced.program.ask("fork 1"), "forked");
    assert_eq!(traced.program.ask("work 3 1"), "3");
    let pid = traced.program.pid();
    let mut found = Vec::new();
    // A thread that has been joined may still be about to end.
    let deadline = Instant::now() + Duration::from_secs(20);
    traced.session.poll(deadline, |record| {
        assert_eq!(record.pid(), pid);
        assert_eq!(record.value(0), Some(record.tid() as u64));
        found.push((record.probe(), record.tid()));
        match found.len() {
            6 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    assert_eq!(traced.records(|_| ()), []);
    found.sort_unstable();
    let begun: Vec<i32> = found
        .iter()
        .filter(|(probe, _)| probe.0 == 0)
        .map(|(_, tid)| *tid)
        .collect();
    let ended: Vec<i32> = found
        .iter()
        .filter(|(probe, _)| probe.0 == 1)
        .map(|(_, tid)| *tid)
        .collect();
    assert_eq!((begun.len(), &begun), (3, &ended));
    assert!(!begun.contains(&pid));
    assert_eq!(found.len(), 6);
}

#[test]
fn children_are_told_from_threads() {
    let mut traced = Traced::start();
    let probe = Probe {
        program: entry(&[]),
        source: Source::Fork,
    };
    traced.session.attach(vec![probe]).unwrap();
    assert_eq!(traced.program.ask("work 3 1"), "3");
    assert_eq!(traced.program.ask("fork 1"), "forked");
    assert_eq!(traced.program.ask("fork 1"), "forked");
    let found = traced.records(|record| record.pid());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(!found.contains(&traced.program.pid()) && found[0] != found[1]);
}

#[test]
fn a_program_that_another_thread_runs_is_followed() {
    let mut traced = Traced::start();
    let probe = traced.probe("step", entry(&[]));
    assert_eq!(traced.program.ask("work 1 3"), "3");
    traced.program.send("again");
    // What is sent earlier may be read by the program that is about to go.
    let line = format!("/proc/{}/cmdline", traced.program.pid());
    while !std::fs::read(&line).is_ok_and(|line| line.starts_with(b"again")) {
        std::thread::yield_now();
    }
    assert_eq!(traced.program.ask("work 1 5"), "5");
    let missed = traced.session.totals(probe).unwrap().entry.hits;
    traced.session.follow_exec().unwrap();
    assert_eq!(traced.program.ask("work 2 7"), "14");
    let totals = traced.session.totals(probe).unwrap().entry;
    // Links have lost the process; probes one by one go by its number.
    assert!([3, 8].contains(&missed), "{missed}");
    assert_eq!(totals.hits, missed + 14);
}

#[test]
fn another_program_is_noticed() {
    let path = compile("calls");
    let mut program = Program::spawn(
        std::process::Command::new("/bin/sh")
            .args(["-c", "read line && exec \"$0\""])
            .arg(&path),
    );
    let mut session = EventSession::new(&program.process(), EventOptions::default()).unwrap();
    let executable = Executable::open(&path);
    let probe = |source| Probe {
        program: entry(&[]),
        source,
    };
    let sources = [
        Source::Exec,
        Source::Sites(vec![executable.site("step", 0)]),
    ];
    session.attach(sources.map(probe).into()).unwrap();
    program.send("go");
    // Probes are on the file, so they hold for the program that the process has become.
    assert_eq!(program.ask("work 1 2"), "2");
    let mut found = Vec::new();
    session.poll(Instant::now(), |record| {
        found.push(record.probe().0);
        ControlFlow::Continue(())
    });
    assert_eq!(found, [0, 1, 1]);
}

#[test]
fn the_clock_hits_as_often_as_the_program_runs() {
    let mut traced = Traced::start();
    let spin = traced.executable.offset("main");
    let source = Source::Clock { hertz: 1000 };
    let mut program = HitProgram::default();
    program.entry.step(Step::Emit(Emit {
        registers: RegisterSet::UNWIND,
        ..Emit::default()
    }));
    traced
        .session
        .attach(vec![Probe { program, source }])
        .unwrap();
    assert_eq!(traced.program.ask("spin 500"), "spun");
    let maps = traced.program.process().maps().unwrap();
    let own = std::fs::read_link(format!("/proc/{}/exe", traced.program.pid())).unwrap();
    let found = traced.records(|record| {
        let place = record.register(Register::Rip).unwrap();
        let mapping = maps.find(place).unwrap();
        mapping.path.as_deref() == Some(own.as_path())
            && place - mapping.start + mapping.offset >= spin
    });
    // The processor may be shared, but the program ran for half a second.
    assert!((300..=700).contains(&found.len()), "{}", found.len());
    assert!(found.iter().filter(|inside| **inside).count() * 10 > found.len() * 9);
}
