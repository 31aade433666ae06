//! What a hit costs the program that is probed, by what is done at it; and how long attaching to many functions takes.
//!
//! Run it alone on a quiet machine: `cargo run --release -p ytrace-target --example hit_cost`. It probes functions of its
//! own, while another of its threads reads the records. The figures are medians, in nanoseconds of processor time more than the bare call.

use std::error::Error;
use std::fs::File;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use object::{Object, ObjectSegment, ObjectSymbol};
use ytrace_target::Process;
use ytrace_target::events::*;

const CALLS: u32 = 200_000;
const RUNS: usize = 7;

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".text",
    ".p2align 4",
    ".globl hit_cost_push",
    "hit_cost_push: push rbp",
    "pop rbp",
    "ret",
    ".p2align 4",
    ".globl hit_cost_stepped",
    "hit_cost_stepped: mov rax, rdi",
    "ret",
    ".p2align 4",
    ".globl hit_cost_nop5",
    "hit_cost_nop5: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00",
    "ret",
);

unsafe extern "C" {
    fn hit_cost_push(number: u64);
    fn hit_cost_stepped(number: u64);
    fn hit_cost_nop5(number: u64);
}

type Function = unsafe extern "C" fn(u64);

fn main() -> Result<(), Box<dyn Error>> {
    let process = Process::open(i32::try_from(std::process::id())?)?;
    let file = Arc::new(File::open("/proc/self/exe")?);
    let site = |function: Function| -> Result<Site, Box<dyn Error>> {
        let address = function as usize as u64;
        let maps = process.maps()?;
        let mapping = maps.find(address).ok_or("our own code is not mapped")?;
        Ok(Site {
            file: Arc::clone(&file),
            offset: address - mapping.start + mapping.offset,
            semaphore: None,
            cookie: 0,
        })
    };
    let begun = Instant::now();
    let facilities = Facilities::find()?;
    println!(
        "facilities found in {:.1} ms: {facilities:?}",
        milliseconds(begun)
    );
    println!("{:>8}  what", "ns");
    for (function, name) in [
        (hit_cost_push as Function, "push"),
        (hit_cost_nop5, "nop5"),
        (hit_cost_stepped, "mov (single-stepped)"),
    ] {
        let bare = per_call(function);
        let measured = name != "push";
        for (what, program) in plans() {
            if measured && !matches!(what, "hits counted" | "64-byte record") {
                continue;
            }
            let cost = hit(&process, site(function)?, function, program)? - bare;
            println!("{cost:>8.0}  {name}: {what}");
        }
    }
    many(&process, &file)
}

/// What is measured.
fn plans() -> Vec<(&'static str, HitProgram)> {
    let value = |part: &mut Part| part.value(Value::Register(Register::Rdi));
    let record = |part: &mut Part, stack_bytes| {
        let values = vec![value(part)];
        let registers = match stack_bytes {
            0 => RegisterSet::NONE,
            _ => RegisterSet::UNWIND,
        };
        part.step(Step::Emit(Emit {
            values,
            registers,
            stack_bytes,
            ..Emit::default()
        }));
    };
    let at_entry = |stack_bytes| {
        let mut program = HitProgram::default();
        record(&mut program.entry, stack_bytes);
        program
    };
    // Of this program's first thread it is known how far its stack is needed.
    let mut needed = at_entry(64 << 10);
    for step in &mut needed.entry.steps {
        if let Step::Emit(emit) = step {
            emit.stack_expected = 2048;
        }
    }
    let at_return = |saved: usize, stack_bytes: Option<u32>| {
        let mut program = HitProgram::default();
        for _ in 0..saved {
            let value = value(&mut program.entry);
            program.saved_values.push(value);
        }
        let mut part = Part::default();
        if let Some(stack_bytes) = stack_bytes {
            record(&mut part, stack_bytes);
        }
        program.on_return = Some(part);
        program
    };
    let mut sampled = HitProgram::default();
    let bytes = value(&mut sampled.entry);
    sampled.entry.step(Step::Sample {
        bytes,
        every: 1 << 31,
    });
    record(&mut sampled.entry, 2048);
    vec![
        ("hits counted", HitProgram::default()),
        ("64-byte record", at_entry(0)),
        ("512 bytes of stack", at_entry(512)),
        ("2 KiB of stack", at_entry(2048)),
        ("8 KiB of stack", at_entry(8192)),
        ("as much of the stack as there is", needed),
        ("2 KiB of stack, hardly ever sampled", sampled),
        ("return, hits counted", at_return(0, None)),
        (
            "return, one word saved, 64-byte record",
            at_return(1, Some(0)),
        ),
        (
            "return, two words saved, 64-byte record",
            at_return(2, Some(0)),
        ),
        (
            "return, one word saved, 2 KiB of stack",
            at_return(1, Some(2048)),
        ),
    ]
}

/// Nanoseconds of a call while it is probed.
fn hit(
    process: &Process,
    site: Site,
    function: Function,
    program: HitProgram,
) -> Result<f64, Box<dyn Error>> {
    let options = EventOptions {
        ring_bytes: 256 << 20,
        ..EventOptions::default()
    };
    let mut session = EventSession::new(process, options)?;
    let source = Source::Sites(vec![site]);
    let attachment = session.attach(vec![Probe { program, source }])?;
    if let Some(refused) = attachment.refused.first() {
        return Err(refused.reason().into());
    }
    let done = AtomicBool::new(false);
    let cost = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let soon = Instant::now() + Duration::from_millis(5);
                session.poll(soon, |_| ControlFlow::Continue(()));
            }
        });
        let cost = per_call(function);
        done.store(true, Ordering::Relaxed);
        cost
    });
    let probe = attachment.probes.first().copied().ok_or("no probe")?;
    let totals = session.totals(probe)?;
    let lost = totals.entry.lost + totals.on_return.lost;
    if lost > 0 {
        println!("          {lost} records lost");
    }
    Ok(cost)
}

fn per_call(function: Function) -> f64 {
    let mut runs = [0.0; RUNS];
    for run in &mut runs {
        let begun = thread_time();
        for number in 0..u64::from(CALLS) {
            // SAFETY: the functions are those above, which take a number and change no memory.
            unsafe { function(number) };
        }
        *run = (thread_time() - begun) / f64::from(CALLS);
    }
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}

/// Nanoseconds that this thread has run, which other programs on the machine do not add to.
fn thread_time() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Attaches to a thousand functions of this program that begin with a push.
fn many(process: &Process, file: &Arc<File>) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read("/proc/self/exe")?;
    let object = object::File::parse(bytes.as_slice())?;
    let mut offsets = std::collections::BTreeSet::new();
    for symbol in object
        .symbols()
        .filter(|symbol| symbol.kind() == object::SymbolKind::Text)
    {
        let address = symbol.address();
        let segment = object.segments().find(|segment| {
            (segment.address()..segment.address() + segment.size()).contains(&address)
        });
        let Some(segment) = segment else { continue };
        let offset = address - segment.address() + segment.file_range().0;
        let first = usize::try_from(offset)
            .ok()
            .and_then(|offset| bytes.get(offset..offset + 2));
        if matches!(first, Some([0x50..=0x57, _] | [0x41, 0x50..=0x57])) {
            offsets.insert(offset);
        }
    }
    let sites: Vec<Site> = offsets
        .into_iter()
        .take(1000)
        .map(|offset| Site {
            file: Arc::clone(file),
            offset,
            semaphore: None,
            cookie: 0,
        })
        .collect();
    let count = sites.len();
    for (what, program) in [
        ("entry", HitProgram::default()),
        (
            "return",
            HitProgram {
                on_return: Some(Part::default()),
                ..HitProgram::default()
            },
        ),
    ] {
        let mut session = EventSession::new(process, EventOptions::default())?;
        let probes = vec![Probe {
            program,
            source: Source::Sites(sites.clone()),
        }];
        let begun = Instant::now();
        let attachment = session.attach(probes)?;
        let attached = milliseconds(begun);
        let begun = Instant::now();
        drop(session);
        let detached = milliseconds(begun);
        let refused = attachment.refused.len();
        println!(
            "{count} functions, {what}: attached in {attached:.1} ms, taken away in {detached:.1} ms, {refused} refused"
        );
    }
    Ok(())
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}
