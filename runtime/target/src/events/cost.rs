//! What a hit costs on this machine, measured on this program.

use std::arch::naked_asm;
use std::fs::File;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::error::EventError;
use super::program::{Emit, HitProgram, MAX_STACK, Part, RegisterSet, Step, Update, Value};
use super::session::{EventOptions, Probe, Site, Source};
use super::table::{TableId, TableKind, TableSpec};
use super::tier::EventSession;
use crate::process::Process;
use crate::sys;

/// Calls in a row, and how often: the quickest row counts, for others were interrupted.
const CALLS: u32 = 400;
const ROWS: u32 = 4;
/// So many times as many rows at most where they have to be shorter.
const MOST_ROWS: u32 = 8;
/// Bytes of a record besides the stack, at most.
const OTHERS: u64 = 512;

/// Nanoseconds that a hit takes the thread that is hit, by the way by which this machine probes. Without programs in the kernel, all that is
/// sent, or left out, is sampled with what the plan may need: then `added` is as `counted`, and `sent` and `recorded` are samples with registers, and with these
/// and the stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HitCost {
    /// A hit that is counted, at an instruction that the kernel emulates.
    pub counted: f64,
    /// The same where the kernel has to single-step the instruction.
    pub stepped: f64,
    /// The entry and the return of a call, both counted.
    pub returned: f64,
    /// A hit that is added to the row of a table.
    pub added: f64,
    /// A hit of which a record without a stack is sent.
    pub sent: f64,
    /// A hit of which a record with so much of the stack is sent as was asked for.
    pub recorded: f64,
}

impl HitCost {
    /// Measures it on functions of this program, with records that have so many bytes of stack, a multiple of 8. Takes some ten milliseconds.
    ///
    /// # Errors
    /// This program cannot be probed.
    pub fn measure(stack_bytes: u32) -> Result<HitCost, EventError> {
        let pid = i32::try_from(std::process::id()).unwrap_or(0);
        let own = Process::open(pid).map_err(|error| own_file(error.to_string()))?;
        let maps = own.maps().map_err(|error| own_file(error.to_string()))?;
        let cost = |function: extern "C" fn(), program: HitProgram| {
            let address = function as usize as u64;
            let found = maps.find(address);
            let path = found.and_then(|mapping| Some((mapping, mapping.path.as_ref()?)));
            let (mapping, path) = path.ok_or_else(|| own_file("no file is mapped".to_owned()))?;
            let file = File::open(path).map_err(|error| own_file(error.to_string()))?;
            let site = Site {
                file: Arc::new(file),
                offset: address - mapping.start + mapping.offset,
                semaphore: None,
                cookie: 0,
            };
            let probe = Probe {
                program,
                source: Source::Sites(vec![site]),
            };
            let mut session = EventSession::new(&own, EventOptions::default())?;
            session.add_table(TableSpec {
                kind: TableKind::Aggregate { squares: false },
                keys: 1,
                rows: 16,
            })?;
            let probes = session.attach(vec![probe])?.probes;
            // A hit that finds no room in the ring costs less.
            let room = session.ring_bytes() / (2 * (u64::from(stack_bytes) + OTHERS));
            let calls = u32::try_from(room).unwrap_or(CALLS).clamp(1, CALLS);
            let rows = (0..ROWS * (CALLS / calls).min(MOST_ROWS)).map(|_| {
                let took = row(function, calls);
                session.poll(Instant::now(), |_| ControlFlow::Continue(()));
                took
            });
            let least = rows.fold(f64::INFINITY, f64::min);
            let hits = match probes.first() {
                Some(probe) => session.totals(*probe)?.entry.hits,
                None => 0,
            };
            // Calls that are no hits cost nothing.
            if hits < u64::from(calls) {
                return Err(own_file(format!("{hits} hits of its own were seen")));
            }
            Ok::<f64, EventError>(least)
        };
        let record = |stack_bytes| {
            let mut record = Part::default();
            record.step(Step::Emit(Emit {
                registers: RegisterSet::UNWIND,
                stack_bytes,
                ..Emit::default()
            }));
            HitProgram {
                entry: record,
                ..HitProgram::default()
            }
        };
        let mut adding = Part::default();
        let value = adding.value(Value::Constant(1));
        adding.step(Step::Count {
            condition: None,
            needs: Vec::new(),
            updates: vec![Update {
                table: TableId(0),
                keys: vec![value],
                value: Some(value),
                when: None,
            }],
        });
        Ok(HitCost {
            counted: cost(emulated, HitProgram::default())?,
            stepped: cost(stepped, HitProgram::default())?,
            returned: cost(
                emulated,
                HitProgram {
                    on_return: Some(Part::default()),
                    ..HitProgram::default()
                },
            )?,
            added: cost(
                emulated,
                HitProgram {
                    entry: adding,
                    ..HitProgram::default()
                },
            )?,
            sent: cost(emulated, record(0))?,
            recorded: cost(emulated, record(stack_bytes))?,
        })
    }
}

/// Nanoseconds of processor time of a call, by so many in a row, with as much of the stack above it as any record may have.
#[inline(never)]
fn row(function: extern "C" fn(), calls: u32) -> f64 {
    let above = [1_u8; MAX_STACK as usize];
    std::hint::black_box(&above);
    // Where others want the processor, too, a row may never be without a break.
    let begun = sys::thread_ns();
    for _ in 0..calls {
        std::hint::black_box(function)();
    }
    let took = sys::thread_ns().saturating_sub(begun);
    std::hint::black_box(&above);
    took as f64 / f64::from(calls)
}

fn own_file(why: String) -> EventError {
    EventError::Proc {
        path: "/proc/self".to_owned(),
        why,
    }
}

/// A function that begins with an instruction that the kernel emulates.
#[unsafe(naked)]
extern "C" fn emulated() {
    naked_asm!("push rbp", "pop rbp", "ret")
}

/// One that begins with an instruction that it single-steps.
#[unsafe(naked)]
extern "C" fn stepped() {
    naked_asm!("mov rax, rdi", "ret")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the figures compare is for benchmarks: on a machine that others share, each may be any.
    #[test]
    fn every_kind_is_measured() {
        if !crate::sys::has_capability(39) && !crate::sys::has_capability(21) {
            return;
        }
        let cost = HitCost::measure(8 << 10).unwrap();
        let HitCost {
            counted,
            stepped,
            returned,
            added,
            sent,
            recorded,
        } = cost;
        for figure in [counted, stepped, returned, added, sent, recorded] {
            // A call that hits nothing takes a few nanoseconds; an entry into the kernel takes more.
            assert!(figure.is_finite() && figure > 50.0, "{cost:?}");
        }
    }
}
