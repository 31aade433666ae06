//! What a hit costs beside the kernel: filling the captured memory and running the handler as machine code.
//!
//! `cargo run --release -p ytrace-jit --example hits`

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ytrace_jit::{Jit, Options};
use ytrace_lang::execute::{Budget, Executor};
use ytrace_lang::testing::filetest::{Filetest, Phase};
use ytrace_lang::testing::world::{Hit, PAGE_SIZE, RecordingHost};
use ytrace_values::{CapturedMemory, Limits, Machine, Store};

const HANDLERS: [(&str, &str); 4] = [
    ("nothing", "_probe f(struct node *a, long n) { }"),
    (
        "count",
        "long count; _probe f(struct node *a, long n) { count++; }",
    ),
    (
        "three fields",
        "long total; _probe f(struct node *a, long n) { total += a->v + a->k + a->next->v; }",
    ),
    (
        "size_of[p] = n",
        "long size_of[void *]; _probe f(struct node *a, long n) { size_of[a] = n; }",
    ),
];

fn main() -> Result<(), String> {
    for (name, handler) in HANDLERS {
        let text = format!(
            "//: struct node {{ struct node *next; long v; int k; }};\n//: void f(struct node *a, long n);\n{handler}\n"
        );
        let compiled = Filetest::of(Phase::Run, &text, String::new())?.compile("hits.y")?;
        let program = compiled.program;
        let mut executor = Jit::lazy(Arc::clone(&program), Options::new(PAGE_SIZE))
            .map_err(|error| error.to_string())?;
        let limits = Limits {
            memory: 1 << 28,
            output: 1 << 20,
            string: 256,
        };
        let mut store = Store::new(Arc::clone(&program.constants), limits);
        let mut host = RecordingHost::default();
        host.hit = Some(Hit {
            registers: BTreeMap::from([(5, 0x5000), (4, 7), (7, 0x7000)]),
            ..Hit::default()
        });
        let mut memory = CapturedMemory::new(PAGE_SIZE);
        let function = *program.probes.first().ok_or("no probe")?;
        let budget = Budget {
            steps: 1_000_000,
            stack: 1 << 20,
            deadline: None,
            interrupt: None,
        };
        let mut node = [0_u8; 24];
        node[..8].copy_from_slice(&0x5000_u64.to_le_bytes());
        let mut run = |number: u64| {
            memory.clear();
            memory.add(0x5000, &node);
            if let Some(hit) = &mut host.hit
                && let Some(register) = hit.registers.get_mut(&5)
                && name == "size_of[p] = n"
            {
                *register = 0x5000 + (number % 4096) * 16;
            }
            let mut machine = Machine {
                store: &mut store,
                memory: &mut memory,
                host: &mut host,
            };
            let function = if number == 0 {
                program.initialize
            } else {
                function
            };
            executor.run(function, &mut machine, budget).result.is_ok()
        };
        let rounds = 2_000_000;
        let mut fine = true;
        for number in 0..10_000 {
            fine &= run(number);
        }
        let start = Instant::now();
        for number in 1..rounds {
            fine &= run(number);
        }
        let each = start.elapsed().as_nanos() as f64 / rounds as f64;
        println!(
            "{name:16} {each:6.0} ns a hit{}",
            if fine { "" } else { ", with faults" }
        );
    }
    Ok(())
}
