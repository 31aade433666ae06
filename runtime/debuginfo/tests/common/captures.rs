//! Programs whose stacks are captured at their every instruction, with what the C++ runtime's unwinder makes of each.
#![allow(dead_code)]

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use ytrace_debuginfo::{
    CapturedStack, CodeMap, Cut, Loader, MappedModule, Module, REGISTERS, Stack, ThreadState,
    Unwinder,
};

/// The number of the stack pointer among the registers of x86-64.
const STACK_POINTER: usize = 7;

/// How far above the stack pointer memory is still of the same stack, in bytes.
const MAX_SLICE: u64 = 64 << 20;

/// So many stacks are measured at a time.
const BATCH: usize = 1000;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

/// One way to build a program.
pub struct Variant {
    pub name: &'static str,
    compiler: &'static str,
    source: &'static str,
    flags: &'static [&'static str],
    /// Whether the capturing code is linked in, since nothing can be loaded.
    alone: bool,
    /// Whether its tables are those of `.debug_frame`, which the peer does not read.
    pub debug_frame: bool,
}

const fn variant(
    name: &'static str,
    compiler: &'static str,
    source: &'static str,
    flags: &'static [&'static str],
) -> Variant {
    Variant {
        name,
        compiler,
        source,
        flags,
        alone: false,
        debug_frame: false,
    }
}

pub const VARIANTS: [Variant; 11] = [
    variant("C -O0", "gcc", "calls.c", &["-O0"]),
    variant("C -O2", "gcc", "calls.c", &["-O2", "-fomit-frame-pointer"]),
    variant(
        "C -O2, frame pointers",
        "gcc",
        "calls.c",
        &["-O2", "-fno-omit-frame-pointer"],
    ),
    variant(
        "C -O2, lazily bound",
        "gcc",
        "calls.c",
        &["-O2", "-Wl,-z,lazy", "-fcf-protection=none"],
    ),
    Variant {
        debug_frame: true,
        ..variant(
            "C -O3, .debug_frame",
            "gcc",
            "calls.c",
            &[
                "-O3",
                "-g",
                "-fno-asynchronous-unwind-tables",
                "-fno-unwind-tables",
            ],
        )
    },
    Variant {
        alone: true,
        ..variant("C -O2, static", "gcc", "calls.c", &["-O2", "-static"])
    },
    variant("C++ -O0", "g++", "calls.cc", &["-O0"]),
    variant("C++ -O2", "g++", "calls.cc", &["-O2"]),
    variant(
        "C++ -O2, frame pointers",
        "g++",
        "calls.cc",
        &["-O2", "-fno-omit-frame-pointer"],
    ),
    variant(
        "Rust -C opt-level=0",
        "rustc",
        "calls.rs",
        &["-Copt-level=0"],
    ),
    variant(
        "Rust -C opt-level=3",
        "rustc",
        "calls.rs",
        &["-Copt-level=3"],
    ),
];

/// Whether the machine has what one in `VARIANTS` needs.
pub fn unavailable() -> Option<String> {
    if !cfg!(target_arch = "x86_64") {
        return Some("programs are single-stepped on x86-64 alone".to_owned());
    }
    ["gcc", "g++", "rustc"].into_iter().find_map(|tool| {
        let found = Command::new(tool)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        (!found.is_ok_and(|status| status.success())).then(|| format!("there is no {tool}"))
    })
}

/// The capturing library, and programs, in a folder.
pub struct Programs {
    folder: tempfile::TempDir,
}

impl Programs {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        super::run(
            "gcc",
            &[
                "-O2",
                "-fPIC",
                "-shared",
                &sources().join("capture.c").display().to_string(),
                "-o",
                "capture.so",
            ],
            folder.path(),
        );
        Self { folder }
    }

    /// The library to load into other programs.
    pub fn library(&self) -> PathBuf {
        self.folder.path().join("capture.so")
    }

    /// Builds a variant and runs it until it has captured so many stacks, of one in `every` instructions.
    pub fn start(&self, variant: &Variant, most: usize, every: usize) -> Captures {
        let mut command = Command::new(self.build(variant));
        command.env_clear().arg("1000000000");
        if !variant.alone {
            command.env("LD_PRELOAD", self.library());
        }
        Captures::of(&mut command, most, every)
    }

    /// Builds a variant, which captures nothing by itself.
    pub fn build(&self, variant: &Variant) -> PathBuf {
        let program = self
            .folder
            .path()
            .join(variant.name.replace([' ', '/'], "_"));
        let mut arguments: Vec<String> = variant
            .flags
            .iter()
            .map(|flag| (*flag).to_owned())
            .collect();
        match variant.compiler {
            "rustc" => arguments.push("--edition=2024".to_owned()),
            _ => arguments.push("-w".to_owned()),
        }
        if variant.alone {
            arguments.push("-DALONE".to_owned());
            arguments.push(sources().join("capture.c").display().to_string());
        }
        arguments.push(sources().join(variant.source).display().to_string());
        arguments.push("-o".to_owned());
        arguments.push(program.display().to_string());
        if variant.compiler == "gcc" {
            arguments.push("-lm".to_owned());
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        super::run(variant.compiler, &arguments, self.folder.path());
        program
    }
}

/// A stack as it was captured.
pub struct Capture {
    pub instruction_pointer: u64,
    pub registers: [u64; REGISTERS],
    pub memory: Vec<u8>,
    /// What the program's own unwinder found.
    pub truth: Vec<u64>,
    /// Whether it crashed after these.
    pub crashed: bool,
}

impl Capture {
    pub fn captured(&self) -> CapturedStack<'_> {
        CapturedStack {
            instruction_pointer: self.instruction_pointer,
            registers: self.registers,
            memory: &self.memory,
            at_entry: false,
        }
    }
}

/// What a program says of itself.
pub enum Said {
    Maps(String),
    Vdso(u64, Vec<u8>),
    Stack(Box<Capture>),
    End(u64),
}

/// A program that captures its stacks.
pub struct Captures {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Captures {
    pub fn of(command: &mut Command, most: usize, every: usize) -> Self {
        let mut child = command
            .env("CAPTURE_MOST", most.to_string())
            .env("CAPTURE_EVERY", every.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::with_capacity(1 << 20, child.stderr.take().unwrap());
        Self { child, said }
    }

    fn word<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut word = [0; N];
        self.said.read_exact(&mut word).ok()?;
        Some(word)
    }

    /// What comes next; `None` where the program has ended.
    pub fn next(&mut self) -> Option<Said> {
        let kind = u32::from_ne_bytes(self.word()?);
        let length = u32::from_ne_bytes(self.word().unwrap()) as usize;
        let mut bytes = vec![0; length];
        self.said.read_exact(&mut bytes).unwrap();
        let words = |bytes: &[u8]| -> Vec<u64> {
            let words = bytes.chunks_exact(8);
            words
                .map(|word| u64::from_ne_bytes(word.try_into().unwrap()))
                .collect()
        };
        Some(match kind {
            1 => Said::Maps(String::from_utf8(bytes).unwrap()),
            2 => Said::Vdso(words(&bytes[..8])[0], bytes[8..].to_vec()),
            3 => {
                let head = words(&bytes[..19 * 8]);
                let count = usize::try_from(head[17] & !(1 << 63)).unwrap();
                let truth = words(&bytes[19 * 8..][..8 * count]);
                let memory = bytes.split_off(19 * 8 + 8 * count);
                assert_eq!(memory.len() as u64, head[18]);
                let mut registers = [0; REGISTERS];
                registers[..16].copy_from_slice(&head[1..17]);
                Said::Stack(Box::new(Capture {
                    instruction_pointer: head[0],
                    registers,
                    memory,
                    truth,
                    crashed: head[17] >> 63 != 0,
                }))
            }
            4 => Said::End(words(&bytes)[0]),
            other => panic!("a record of kind {other}"),
        })
    }
}

impl Drop for Captures {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A mapping with code of a module.
struct Part {
    code: Range<u64>,
    start: u64,
    bias: u64,
    module: Option<Rc<Module>>,
}

/// The code of a program.
#[derive(Default)]
pub struct Code {
    parts: Vec<Part>,
    opened: HashMap<String, Rc<Module>>,
    vdso: Option<(u64, Rc<Module>)>,
}

impl Code {
    fn vdso(&mut self, address: u64, bytes: Vec<u8>) {
        let module = Loader::default()
            .open_bytes(Path::new("[vdso]"), bytes)
            .unwrap();
        self.vdso = Some((address, Rc::new(module)));
    }

    fn maps(&mut self, text: &str) {
        self.parts.clear();
        let mut starts: HashMap<String, u64> = HashMap::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (start, end) = words.next().unwrap().split_once('-').unwrap();
            let hex = |text: &str| u64::from_str_radix(text, 16).unwrap();
            let (start, end) = (hex(start), hex(end));
            let permissions = words.next().unwrap();
            let offset = hex(words.next().unwrap());
            let path = words.nth(2).unwrap_or_default().to_owned();
            let first = *starts.entry(path.clone()).or_insert(start);
            if !permissions.contains('x') {
                continue;
            }
            let (bias, module) = match (&self.vdso, path.as_str()) {
                (Some((address, module)), "[vdso]") => (*address, Some(Rc::clone(module))),
                (_, path) if path.starts_with('/') => {
                    let opened = self.opened.entry(path.to_owned());
                    let module = opened.or_insert_with(|| {
                        Rc::new(Loader::default().open(Path::new(path)).unwrap())
                    });
                    let bias = module.bias(start, offset, true).unwrap();
                    (bias, Some(Rc::clone(module)))
                }
                _ => (0, None),
            };
            self.parts.push(Part {
                code: start..end,
                start: first,
                bias,
                module,
            });
        }
    }

    fn part(&self, address: u64) -> Option<&Part> {
        let after = self
            .parts
            .partition_point(|part| part.code.start <= address);
        let part = self.parts.get(after.checked_sub(1)?)?;
        part.code.contains(&address).then_some(part)
    }

    /// An address of code, by a number of any size.
    pub fn somewhere(&self, number: u64) -> u64 {
        let code = self.parts.iter().map(|part| &part.code);
        let all: u64 = code.clone().map(|code| code.end - code.start).sum();
        let mut left = number % all.max(1);
        for code in code {
            let length = code.end - code.start;
            if left < length {
                return code.start + left;
            }
            left -= length;
        }
        0
    }

    /// The function at an address, for people.
    pub fn name(&self, address: u64) -> String {
        let named = self.part(address).and_then(|part| {
            let module = part.module.as_ref()?;
            let inside = address.wrapping_sub(part.bias);
            let name = module.function_name(inside).map_or_else(
                || format!("{inside:#x}"),
                |(name, offset)| format!("{name}+{offset:#x}"),
            );
            Some(format!("{name} ({})", module.name()))
        });
        named.unwrap_or_else(|| format!("{address:#x}"))
    }
}

impl CodeMap for Code {
    fn module_at(&self, address: u64) -> Option<MappedModule<'_>> {
        let part = self.part(address)?;
        Some(MappedModule {
            range: part.start..part.code.end,
            bias: part.bias,
            module: part.module.as_deref()?,
        })
    }

    fn is_code(&self, address: u64) -> bool {
        self.part(address).is_some()
    }
}

/// The stack by the full tables, said as of a captured one.
pub fn slowly(unwinder: &mut Unwinder, capture: &Capture, memory: &[u8], code: &Code) -> Stack {
    let start = capture.registers[STACK_POINTER];
    let mut read = |address: u64| {
        let offset = usize::try_from(address.checked_sub(start)?).ok()?;
        Some(u64::from_ne_bytes(*memory.get(offset..)?.first_chunk()?))
    };
    let thread = ThreadState {
        instruction_pointer: capture.instruction_pointer,
        register: &|number| capture.registers.get(usize::from(number)).copied(),
    };
    let mut stack = unwinder.stack(&thread, code, &mut read);
    // By what a function reads, a word beyond the slice is one that cannot be read.
    if let Some(Cut::Memory(address)) = stack.cut
        && let Some(offset) = address.checked_sub(start)
        && offset < MAX_SLICE
    {
        stack.bytes = offset + 8;
        stack.cut = Some(Cut::Slice(stack.bytes));
    }
    stack
}

/// The frames of a stack up to the first one without a table, if there is one.
fn with_tables(stack: &Stack) -> Option<&[u64]> {
    let uncovered = stack.uncovered?;
    let at = stack.frames.iter().position(|frame| *frame == uncovered)?;
    stack.frames.get(..=at)
}

/// What came of some stacks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub stacks: usize,
    pub frames: usize,
    /// As the program's own unwinder has them.
    pub equal: usize,
    /// Equal as far as they go, and marked as cut: what was captured ends there.
    pub cut: usize,
    /// Equal as far as they go, and marked as cut: a signal handler has a stack of its own, and what it interrupted is elsewhere.
    pub elsewhere: usize,
    /// Equal as far as the program's own unwinder got, which ends silently where there is no table.
    pub beyond: usize,
    /// Equal as far as there are tables, and marked: further out one went by the frame pointer, the other one by the instructions.
    pub untabled: usize,
    /// The program's own unwinder crashed.
    pub crashed: usize,
    /// Anything else.
    pub different: usize,
    pub fast: Duration,
    pub slow: Duration,
}

impl Tally {
    pub fn add(&mut self, other: &Tally) {
        self.stacks += other.stacks;
        self.frames += other.frames;
        self.equal += other.equal;
        self.cut += other.cut;
        self.elsewhere += other.elsewhere;
        self.beyond += other.beyond;
        self.untabled += other.untabled;
        self.crashed += other.crashed;
        self.different += other.different;
        self.fast += other.fast;
        self.slow += other.slow;
    }

    pub fn show(&self, name: &str) {
        let rate = |time: Duration| self.stacks as f64 / time.as_secs_f64();
        println!(
            "{name:<26} {:>8} stacks, {:>4.1} frames: equal {} ({:.3} %), cut and marked {}, the rest on another stack and marked {}, further than the peer {}, without a table and marked {}, peer \
             crashed {}, different {}; {:.0}/s by rows, {:.0}/s by tables ({:.0} times)",
            self.stacks,
            self.frames as f64 / self.stacks as f64,
            self.equal,
            100.0 * self.equal as f64 / self.stacks as f64,
            self.cut,
            self.elsewhere,
            self.beyond,
            self.untabled,
            self.crashed,
            self.different,
            rate(self.fast),
            rate(self.slow),
            rate(self.fast) / rate(self.slow)
        );
    }
}

/// Unwinds all that a program captures in both ways. Differences between them are failures; those from the program's own unwinder
/// are counted, and some shown. With `debug_frame`, that ends where code has no other tables.
pub fn compare(
    captures: &mut Captures,
    debug_frame: bool,
    visit: &mut dyn FnMut(&Capture, &Stack, &Code, &mut Unwinder, &mut Unwinder),
) -> Tally {
    let mut code = Code::default();
    let (mut fast, mut slow) = (Unwinder::default(), Unwinder::default());
    let mut tally = Tally::default();
    let mut batch: Vec<Capture> = Vec::new();
    let mut captured = None;
    let mut times: Vec<(Duration, Duration)> = Vec::new();
    let mut flush =
        |batch: &mut Vec<Capture>, code: &Code, fast: &mut Unwinder, slow: &mut Unwinder| {
            let mut stacks = vec![Stack::default(); batch.len()];
            let mut room = Stack::default();
            // Rows are made, and memory is touched, before anything is measured.
            for (capture, stack) in batch.iter().zip(&mut stacks) {
                fast.captured(&capture.captured(), code, stack);
            }
            let start = Instant::now();
            for capture in &*batch {
                fast.captured(&capture.captured(), code, &mut room);
            }
            let fast_took = start.elapsed();
            let start = Instant::now();
            let expected: Vec<Stack> = batch
                .iter()
                .map(|capture| slowly(slow, capture, &capture.memory, code))
                .collect();
            // Others may have the processor for a while: the middle one of many batches counts.
            if batch.len() == BATCH {
                times.push((fast_took, start.elapsed()));
            }
            for ((capture, stack), expected) in batch.drain(..).zip(&stacks).zip(&expected) {
                assert_eq!(
                    stack,
                    expected,
                    "at {}",
                    code.name(capture.instruction_pointer)
                );
                tally.stacks += 1;
                tally.frames += stack.frames.len();
                if capture.crashed {
                    tally.crashed += 1;
                } else if stack.frames == capture.truth {
                    tally.equal += 1;
                } else if stack.cut.is_some() && capture.truth.starts_with(&stack.frames) {
                    match stack.cut {
                        Some(Cut::Memory(_)) => tally.elsewhere += 1,
                        _ => tally.cut += 1,
                    }
                } else if (debug_frame || stack.uncovered.is_some())
                    && stack.frames.starts_with(&capture.truth)
                {
                    tally.beyond += 1;
                } else if with_tables(stack).is_some_and(|frames| capture.truth.starts_with(frames))
                {
                    tally.untabled += 1;
                } else {
                    tally.different += 1;
                    if tally.different <= 5 {
                        show(&capture, stack, code);
                    }
                }
                visit(&capture, stack, code, fast, slow);
            }
        };
    while let Some(said) = captures.next() {
        match said {
            Said::Vdso(address, bytes) => code.vdso(address, bytes),
            Said::Maps(text) => {
                flush(&mut batch, &code, &mut fast, &mut slow);
                code.maps(&text);
                fast.forget(&(0..u64::MAX));
                slow.forget(&(0..u64::MAX));
            }
            Said::Stack(capture) => {
                batch.push(*capture);
                if batch.len() == BATCH {
                    flush(&mut batch, &code, &mut fast, &mut slow);
                }
            }
            Said::End(count) => {
                captured = Some(count);
                break;
            }
        }
    }
    flush(&mut batch, &code, &mut fast, &mut slow);
    assert_eq!(
        captured,
        Some(tally.stacks as u64),
        "the program ended early"
    );
    let middle = |time: &dyn Fn(&(Duration, Duration)) -> Duration| {
        let mut times: Vec<Duration> = times.iter().map(time).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        middle.mul_f64(tally.stacks as f64 / BATCH as f64)
    };
    tally.fast = middle(&|(fast, _)| *fast);
    tally.slow = middle(&|(_, slow)| *slow);
    tally
}

fn show(capture: &Capture, stack: &Stack, code: &Code) {
    println!(
        "DIFFERENT: {:?}, uncovered {:x?}",
        stack.cut, stack.uncovered
    );
    for index in 0..stack.frames.len().max(capture.truth.len()).min(12) {
        let name = |frames: &[u64]| frames.get(index).map_or(String::new(), |a| code.name(*a));
        println!("  {:<60} {}", name(&stack.frames), name(&capture.truth));
    }
}
