//! Generated handlers do the same on what was captured for them as on the whole memory: how they end (kind, address and place of a
//! fault), output, globals. A hit is dropped exactly where the handler would have done nothing.
//!
//! `YTRACE_CAPTURE_CASES` says how many handlers are tried, `YTRACE_CAPTURE_FROM` the first seed; `YTRACE_CAPTURE_SEED` shows one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use ytrace_jit::{Jit, Options};
use ytrace_lang::capture::{self, CaptureKind, Evaluated, Plan, Step, Value};
use ytrace_lang::execute::{Budget, Executor, Outcome};
use ytrace_lang::interpret::Interpreter;
use ytrace_lang::ir::{FunctionId, Program};
use ytrace_lang::testing::filetest::{Filetest, Phase};
use ytrace_lang::testing::world::{Hit, PAGE_SIZE, RecordingHost, SparseMemory};
use ytrace_values::{Limits, Machine, Memory, Store};

/// The most bytes of a string.
const STRING: u64 = 40;

const TARGET: &str = "\
//: typedef unsigned long size_t;
//: struct node { struct node *next; long v; int k; unsigned char b; unsigned short h; char *name; struct node *pair[2];
//:     unsigned f : 3; int g : 5; char tag[8]; };
//: struct node *head;
//: int number;
//: void f(struct node *a, long n, char *s, struct node *c);
";

const SCRIPT: &str = "\
long total;
long seen[long];
_agg sizes;
long zero;
long five = 5;
long limit;
struct node *kept;
struct node *deref(struct node *p) { return p->next; }
long value(struct node *p, long k) { if (!p) return k; return p->v + k; }
struct node *choose(struct node *p, long k) { return k > 0 ? p->pair[0] : p->pair[1]; }
long nested(struct node *p) { return value(deref(p), p->k); }
";

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u64) as usize]
    }
}

/// A handler as text.
struct Generator {
    random: Random,
    text: String,
    indent: usize,
    /// Names of counters of loops around.
    counters: Vec<String>,
    names: u32,
}

impl Generator {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{:1$}{line}", "", self.indent * 4);
    }

    fn pointer(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .random
                .pick(&["a", "c", "a", "p", "q", "head", "kept"])
                .to_owned();
        }
        let inner = self.pointer(depth - 1);
        match self.random.below(9) {
            0 | 1 => format!("{inner}->next"),
            2 => format!("{inner}->pair[{}]", self.random.below(2)),
            3 => format!("deref({inner})"),
            4 => {
                let number = self.number(0);
                format!("choose({inner}, {number})")
            }
            5 => {
                let (condition, other) = (self.condition(0), self.pointer(0));
                format!("({condition} ? {inner} : {other})")
            }
            6 => match self.counters.last().cloned() {
                Some(counter) => format!("{inner}->pair[{counter} & 1]"),
                None => inner,
            },
            _ => inner,
        }
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 {
            return match self.random.below(10) {
                0..=2 => "n".to_owned(),
                3 => "x".to_owned(),
                4 => self.random.pick(&["five", "limit"]).to_owned(),
                5 => "number".to_owned(),
                6 => "_tid()".to_owned(),
                _ => self.random.below(200).to_string(),
            };
        }
        match self.random.below(14) {
            0..=4 => {
                let depth = self.random.below(2) as u32;
                let pointer = self.pointer(depth);
                let field = self.random.pick(&["v", "k", "b", "h", "f", "g", "tag[2]"]);
                format!("{pointer}->{field}")
            }
            5 => format!("value({}, {})", self.pointer(1), self.number(0)),
            6 => format!("nested({})", self.pointer(0)),
            7 => format!(
                "({} / {})",
                self.number(depth - 1),
                1 + self.random.below(9)
            ),
            8 => format!("({} >> {})", self.number(depth - 1), self.random.below(20)),
            9 => format!("(int) {}", self.number(depth - 1)),
            10 => format!("(unsigned char) {}", self.number(depth - 1)),
            11 => format!(
                "({} ? {} : {})",
                self.condition(0),
                self.number(0),
                self.number(depth - 1)
            ),
            _ => {
                let (one, other) = (self.number(depth - 1), self.number(depth - 1));
                let operator = self.random.pick(&["+", "-", "*", "&", "|", "^"]);
                format!("({one} {operator} {other})")
            }
        }
    }

    fn condition(&mut self, depth: u32) -> String {
        match self.random.below(if depth > 0 { 9 } else { 6 }) {
            0 => self.pointer(0),
            1 => format!("!{}", self.pointer(0)),
            2..=5 => {
                let (one, other) = (self.number(depth.min(1)), self.number(0));
                let operator = self.random.pick(&["<", ">", "==", "!=", "<=", ">="]);
                format!("{one} {operator} {other}")
            }
            6 => format!(
                "({} && {})",
                self.condition(depth - 1),
                self.condition(depth - 1)
            ),
            7 => format!(
                "({} || {})",
                self.condition(depth - 1),
                self.condition(depth - 1)
            ),
            _ => format!("!({})", self.condition(depth - 1)),
        }
    }

    /// A condition over what the kernel does not know.
    fn unknown(&mut self) -> String {
        let number = self.number(0);
        match self.random.below(3) {
            0 => format!("{number} in seen"),
            1 => format!("total > {number}"),
            _ => format!("seen[{number}] > 2"),
        }
    }

    fn statements(&mut self, depth: u32) {
        for _ in 0..1 + self.random.below(3) {
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: u32) {
        let kind = self.random.below(if depth > 0 { 22 } else { 14 });
        match kind {
            0 | 1 => {
                let number = self.number(2);
                self.line(&format!("total += {number};"));
            }
            2 => {
                let number = self.number(2);
                self.line(&format!("x = {number};"));
            }
            3 | 4 => {
                let name = self.random.pick(&["p", "q"]);
                let depth = 1 + self.random.below(2) as u32;
                let pointer = self.pointer(depth);
                self.line(&format!("{name} = {pointer};"));
            }
            5 => {
                let (key, value) = (self.number(1), self.number(1));
                self.line(&format!("seen[{key}] += {value};"));
            }
            6 => {
                let number = self.number(1);
                self.line(&format!("sizes <<< {number};"));
            }
            7 => {
                let (pointer, number) = (self.pointer(1), self.number(2));
                self.line(&format!(
                    "printf(\"%s %ld\\n\", {pointer}->name, (long) {number});"
                ));
            }
            8 => {
                let (number, pointer) = (self.number(1), self.pointer(0));
                self.line(&format!(
                    "printf(\"%.*s|%.5s\\n\", (int) {number}, s, {pointer}->name);"
                ));
            }
            9 => {
                let pointer = self.pointer(1);
                self.line(&format!("printf(\"%V\\n\", *{pointer});"));
            }
            10 => {
                let (pointer, number) = (self.pointer(0), self.number(1));
                let text = match self.random.below(7) {
                    0 => format!("printf(\"%s\\n\", _tostr({pointer}->name));"),
                    1 => format!("printf(\"%s\\n\", _tostr(s, (unsigned char) {number}));"),
                    2 => format!("printf(\"%s\\n\", _tostr({pointer}->name, {number}));"),
                    3 => {
                        let bound = self.random.below(60);
                        let cast = self.random.pick(&["(size_t) ", ""]);
                        format!(
                            "printf(\"%s\\n\", _tostr(s, {cast}{number} < {bound} ? {number} : {bound}));"
                        )
                    }
                    4 => format!("printf(\"%s\\n\", _hex(s, {number} & 15));"),
                    5 => "printf(\"%s\\n\", _hex(s, 12));".to_owned(),
                    _ => format!("printf(\"%d\\n\", _readable({pointer}, 64));"),
                };
                self.line(&text);
            }
            11 => {
                let pointer = self.pointer(0);
                let text = match self.random.below(5) {
                    0 => format!("x = strcmp(s, {pointer}->name);"),
                    1 => format!("x = strncmp(s, {pointer}->name, 3);"),
                    2 => format!("x = memcmp(s, {pointer}->tag, 8);"),
                    3 => {
                        let number = self.number(1);
                        format!("x = memcmp(s, {pointer}->tag, (size_t) {number} % 9);")
                    }
                    _ => "x = strlen(s);".to_owned(),
                };
                self.line(&text);
            }
            12 => {
                self.names += 1;
                let name = format!("copy{}", self.names);
                let pointer = self.pointer(1);
                self.line(&format!("struct node {name} = *{pointer};"));
                self.line(&format!("total += {name}.v + {name}.b; p = {name}.next;"));
            }
            13 => {
                let condition = self.condition(1);
                let end = self.random.pick(&["return;", "_next();"]);
                self.line(&format!("if ({condition}) {end}"));
            }
            14..=16 => {
                let condition = match self.random.below(3) {
                    0 => self.unknown(),
                    _ => self.condition(2),
                };
                self.line(&format!("if ({condition}) {{"));
                self.indent += 1;
                self.statements(depth - 1);
                self.indent -= 1;
                if self.random.below(2) == 0 {
                    self.line("} else {");
                    self.indent += 1;
                    self.statements(depth - 1);
                    self.indent -= 1;
                }
                self.line("}");
            }
            17 | 18 => {
                self.names += 1;
                let counter = format!("i{}", self.names);
                let rounds = 1 + self.random.below(4);
                let and = match self.random.below(3) {
                    0 => " && p",
                    _ => "",
                };
                self.line(&format!(
                    "for (int {counter} = 0; {counter} < {rounds}{and}; {counter}++) {{"
                ));
                self.indent += 1;
                self.counters.push(counter);
                self.statements(depth - 1);
                if !and.is_empty() {
                    self.line("p = p->next;");
                }
                if self.random.below(4) == 0 {
                    let condition = self.condition(1);
                    let jump = self.random.pick(&["break;", "continue;"]);
                    self.line(&format!("if ({condition}) {jump}"));
                }
                self.counters.pop();
                self.indent -= 1;
                self.line("}");
            }
            19 => {
                let number = self.number(0);
                self.line("{");
                self.indent += 1;
                self.line(&format!("long k = {number} & 3;"));
                self.line("while (k > 0) {");
                self.indent += 1;
                self.line("total += a->v; k--;");
                self.indent -= 1;
                self.line("}");
                self.indent -= 1;
                self.line("}");
            }
            20 => {
                let (number, one, other) = (self.number(0), self.number(1), self.number(1));
                self.line(&format!(
                    "switch ({number} & 3) {{ case 0: x = {one}; break; case 1: x = {other}; default: total++; }}"
                ));
            }
            _ => {
                self.line("_try {");
                self.indent += 1;
                self.statements(depth - 1);
                self.indent -= 1;
                self.line("} _catch {");
                self.indent += 1;
                self.statements(depth - 1);
                self.indent -= 1;
                self.line("}");
            }
        }
    }
}

/// A handler, and whether it drops hits by what the kernel knows alone and then does something in any case.
fn handler(seed: u64) -> (String, bool) {
    let mut generator = Generator {
        random: Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5bd1),
        text: SCRIPT.to_owned(),
        indent: 0,
        counters: Vec::new(),
        names: 0,
    };
    generator.line("_probe f(struct node *a, long n, char *s, struct node *c) {");
    generator.indent = 1;
    generator.line("struct node *p = a; struct node *q = c; long x = 3;");
    let filters = generator.random.below(4);
    for _ in 0..filters {
        let condition = generator.condition(2);
        generator.line(&format!("if ({condition}) return;"));
    }
    if generator.random.below(4) == 0 {
        generator.line("size_t w = _every(512, n);");
        generator.line("if (!w) return;");
        generator.line("x = w;");
    }
    let exact = generator.random.below(2) == 0;
    if exact {
        generator.line("printf(\"hit\\n\");");
    }
    generator.statements(2);
    generator.statements(2);
    generator.indent = 0;
    generator.line("}");
    generator.line("_probe _begin { limit = 90; kept = (struct node *) 0x200040; }");
    (generator.text, exact)
}

/// A target's memory with a few nodes, some of them at the end of what can be read, and the hit.
fn world(random: &mut Random) -> (SparseMemory, Hit) {
    let mut memory = SparseMemory::default();
    let mut places = vec![0, 0x10_0000, 3];
    let base = 0x20_0000;
    let pages = 8;
    for page in 0..pages {
        // Some pages are missing.
        if random.below(4) > 0 {
            memory.write(base + page * PAGE_SIZE, &[0x41; PAGE_SIZE as usize]);
        }
    }
    for _ in 0..10 {
        places.push(base + random.below(pages * PAGE_SIZE));
        places.push(base + random.below(pages) * PAGE_SIZE + PAGE_SIZE - random.below(90));
    }
    let strings: Vec<u64> = (0..6)
        .map(|_| base + random.below(pages * PAGE_SIZE))
        .collect();
    let present = |memory: &mut SparseMemory, at: u64| memory.page(at & !(PAGE_SIZE - 1)).is_ok();
    let write = |memory: &mut SparseMemory, at: u64, bytes: &[u8]| {
        for (offset, byte) in bytes.iter().enumerate() {
            let at = at.wrapping_add(offset as u64);
            if present(memory, at) {
                memory.write(at, &[*byte]);
            }
        }
    };
    for place in places.clone() {
        if place < base {
            continue;
        }
        let mut bytes = Vec::new();
        let pick = |random: &mut Random, all: &[u64]| all[random.below(all.len() as u64) as usize];
        bytes.extend(pick(random, &places).to_le_bytes());
        bytes.extend(random.below(300).to_le_bytes());
        bytes.extend((random.below(300) as u32).to_le_bytes());
        bytes.extend((random.next() as u32).to_le_bytes());
        bytes.extend(pick(random, &strings).to_le_bytes());
        bytes.extend(pick(random, &places).to_le_bytes());
        bytes.extend(pick(random, &places).to_le_bytes());
        bytes.extend(random.next().to_le_bytes());
        bytes.extend(random.next().to_le_bytes());
        write(&mut memory, place, &bytes);
    }
    for string in &strings {
        let length = random.below(2 * STRING) as usize;
        let mut text: Vec<u8> = (0..length).map(|_| b'a' + random.below(20) as u8).collect();
        text.push(0);
        write(&mut memory, *string, &text);
    }
    let pick = |random: &mut Random, all: &[u64]| all[random.below(all.len() as u64) as usize];
    // Variables of the target.
    memory.write(0x10000, &pick(random, &places).to_le_bytes());
    memory.write(0x11000, &(random.below(200) as u32).to_le_bytes());
    let registers = BTreeMap::from([
        (5, pick(random, &places)),
        (4, random.below(300)),
        (1, pick(random, &strings)),
        (2, pick(random, &places)),
        (7, 0x7000),
    ]);
    let weight = (random.below(3) == 0).then_some(0);
    let hit = Hit {
        registers,
        weight,
        ..Hit::default()
    };
    (memory, hit)
}

/// What a run did.
#[derive(Debug, PartialEq)]
struct Done {
    outcome: Outcome,
    output: Vec<u8>,
    globals: Vec<u8>,
    values: Vec<String>,
    caught: u64,
}

const LIMITS: Limits = Limits {
    memory: 1 << 24,
    output: 1 << 20,
    string: STRING,
};

fn budget() -> Budget<'static> {
    Budget {
        steps: 100_000,
        stack: 1 << 18,
        deadline: None,
        interrupt: None,
    }
}

fn store(program: &Arc<Program>) -> Store {
    let mut store = Store::new(Arc::clone(&program.constants), LIMITS);
    let mut host = RecordingHost::default();
    let mut memory = SparseMemory::default();
    let mut machine = Machine {
        store: &mut store,
        memory: &mut memory,
        host: &mut host,
    };
    let outcome =
        Interpreter::new(Arc::clone(program)).run(program.initialize, &mut machine, budget());
    assert!(outcome.result.is_ok());
    // What comes before the handler.
    for probe in program.probes.iter().skip(1) {
        let outcome = Interpreter::new(Arc::clone(program)).run(*probe, &mut machine, budget());
        assert!(outcome.result.is_ok());
    }
    store
}

fn run(
    program: &Arc<Program>,
    executor: &mut dyn Executor,
    function: FunctionId,
    memory: &mut dyn Memory,
    hit: &Hit,
) -> Done {
    let mut store = store(program);
    let mut host = RecordingHost::default();
    host.hit = Some(hit.clone());
    let mut machine = Machine {
        store: &mut store,
        memory,
        host: &mut host,
    };
    let outcome = executor.run(function, &mut machine, budget());
    Done {
        outcome,
        output: host.output,
        values: values(program, &store),
        caught: store.caught_count(),
        globals: store.globals.clone(),
    }
}

/// The globals as views show them.
fn values(program: &Program, store: &Store) -> Vec<String> {
    let words = program.view_shapes.iter().zip(&program.global_offsets);
    let values = words.map(|(shape, offset)| {
        let offset = *offset as usize;
        let bytes = store.globals.get(offset..).unwrap_or_default();
        match shape {
            ytrace_lang::ir::ViewShape::Value(shape) => {
                format!("{:?}", store.decode(*shape, bytes))
            }
            ytrace_lang::ir::ViewShape::Container(_) => {
                let handle = bytes
                    .first_chunk()
                    .map_or(0, |bytes| u64::from_le_bytes(*bytes));
                format!("{:?}", store.decode_container(handle))
            }
        }
    });
    values.collect()
}

struct AtHit<'a> {
    hit: &'a Hit,
    globals: &'a [u8],
}

impl capture::Hit for AtHit<'_> {
    fn value(&mut self, value: &Value) -> u64 {
        match value {
            Value::Register(number) => self.hit.registers.get(number).copied().unwrap_or(0),
            Value::Global { offset, size } => {
                let (start, size) = (*offset as usize, usize::from(*size));
                let mut word = [0; 8];
                word[..size].copy_from_slice(&self.globals[start..start + size]);
                u64::from_le_bytes(word)
            }
            Value::Tid => 4212,
            other => panic!("{other:?} was not asked for"),
        }
    }

    fn sample(&mut self, _every: u64, bytes: u64) -> u64 {
        self.hit.weight.unwrap_or(bytes)
    }
}

/// The kernel, which adds to variables where the handler need not run.
struct Counts<'a> {
    at: AtHit<'a>,
    store: Store,
    updated: bool,
}

impl capture::Hit for Counts<'_> {
    fn value(&mut self, value: &Value) -> u64 {
        self.at.value(value)
    }

    fn sample(&mut self, every: u64, bytes: u64) -> u64 {
        self.at.sample(every, bytes)
    }

    fn update(&mut self, updates: &[(&capture::Update, Vec<u64>, u64)]) -> bool {
        self.updated = true;
        for (update, key, value) in updates {
            let at = |bytes: &[u8], at: u64| {
                let bytes = bytes.get(at as usize..).expect("a place");
                u64::from_le_bytes(*bytes.first_chunk().expect("a word"))
            };
            let mut handle = at(&self.store.globals, update.global);
            let mut row = None;
            if !key.is_empty() {
                let inserted = self.store.table_insert(handle, key).expect("a table");
                row = Some((handle, inserted));
            }
            let (words, store) = (8 * key.len() as u64, &mut self.store);
            match update.part {
                capture::UpdatedPart::Integer { offset, size } => {
                    let bytes = match row {
                        Some((handle, row)) => store.row_mut(handle, row).expect("a row"),
                        None => &mut store.globals,
                    };
                    let start = (words + offset) as usize;
                    let place = &mut bytes[start..start + usize::from(size)];
                    let mut word = [0; 8];
                    word[..place.len()].copy_from_slice(place);
                    let sum = u64::from_le_bytes(word).wrapping_add(*value).to_le_bytes();
                    place.copy_from_slice(&sum[..usize::from(size)]);
                }
                capture::UpdatedPart::Aggregate => {
                    if let Some((table, row)) = row {
                        handle = at(store.row(table, row).expect("a row"), words);
                    }
                    let added = store.aggregate_add(handle, *value as i64, 1);
                    added.expect("an aggregate");
                }
            }
        }
        true
    }
}

/// What is told apart in two runs: a fault's address may be anywhere in a scalar that lies on two pages.
fn normal(mut done: Done) -> Done {
    if let Err(fault) = &mut done.outcome.result
        && let Some(address) = fault.fault.address
    {
        let rounded = (address + 0x80) & !0xff;
        fault.fault.address = Some(rounded);
        fault.fault.message = None;
    }
    done
}

/// Whether all captures succeeded.
fn complete(plan: &Plan, succeeded: &[u32]) -> bool {
    let mut captures = plan.captures.iter().zip(succeeded);
    captures.all(|(capture, succeeded)| match capture.kind {
        CaptureKind::Pieces { .. } => *succeeded == u32::MAX,
        _ => *succeeded == 1,
    })
}

/// Whether a run may have faulted at what no capture has.
fn ends_early(done: &Done) -> bool {
    let message = match &done.outcome.result {
        Ok(_) => None,
        Err(fault) => fault.fault.message.as_deref(),
    };
    done.caught > 0 || message.is_some_and(|message| message.contains("not captured"))
}

#[derive(Default, Debug)]
struct Tally {
    handlers: u64,
    refused: u64,
    hits: u64,
    dropped: u64,
    /// Hits that did nothing and were not dropped.
    idle: u64,
    faulted: u64,
    captures: u64,
    sampled: u64,
    /// Hits for which the handler need not run.
    counted: u64,
    /// Runs that looked farther along a string than is captured.
    long: u64,
}

fn try_handler(target: &Filetest, seed: u64, tally: &mut Tally) -> Result<(), String> {
    let (text, exact) = handler(seed);
    let filetest = target.with_program(&text)?;
    let compiled = filetest
        .compile("handler.y")
        .map_err(|error| format!("{text}\n{error}"))?;
    let program = compiled.program;
    let function = *program.probes.first().ok_or("no probe")?;
    let options = capture::Options {
        page_size: PAGE_SIZE,
        string: STRING,
    };
    tally.handlers += 1;
    let settled = capture::settled(&compiled.typed, &program);
    let plans = capture::Captures::new(&program, options, settled);
    let plan: Plan = match plans.analyze(function) {
        Ok(plan) => plan,
        Err(errors) => {
            tally.refused += 1;
            return match errors.is_empty() {
                true => Err("refused without an error".to_owned()),
                false => Ok(()),
            };
        }
    };
    let counting = plans.counting(function);
    tally.captures += plan.captures.len() as u64;
    let samples = plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::Sample { .. }));
    tally.sampled += u64::from(samples);
    let mut interpreter = Interpreter::new(Arc::clone(&program));
    // Compiling takes most of the time.
    let mut jit = match seed % 8 {
        0 => {
            let jit = Jit::lazy(Arc::clone(&program), Options::new(PAGE_SIZE));
            Some(jit.map_err(|error| error.to_string())?)
        }
        _ => None,
    };
    for round in 0..6 {
        let mut random = Random(seed ^ (round << 40) ^ 0xabcd);
        let (mut memory, hit) = world(&mut random);
        let Evaluated {
            dropped,
            memory: captured,
            succeeded,
            ..
        } = capture::evaluate(
            &plan,
            &mut memory,
            &mut AtHit {
                hit: &hit,
                globals: &store(&program).globals,
            },
        );
        let whole = run(&program, &mut interpreter, function, &mut memory, &hit);
        let first = store(&program);
        let fine = match &whole.outcome.result {
            Ok(_) => true,
            Err(fault) => fault.fault.kind == ytrace_values::FaultKind::Next,
        };
        let nothing = fine
            && whole.output.is_empty()
            && whole.caught == 0
            && whole.globals == first.globals
            && whole.values.iter().all(|value| !value.contains("Table([("));
        tally.hits += 1;
        tally.faulted += u64::from(!fine);
        let shown = || {
            format!(
                "seed {seed}, round {round}: {hit:?}\n{text}\n{}",
                capture::text(&plan)
            )
        };
        if let Some(counting) = &counting {
            let globals = store(&program).globals;
            let mut counts = Counts {
                at: AtHit {
                    hit: &hit,
                    globals: &globals,
                },
                store: store(&program),
                updated: false,
            };
            capture::evaluate(&counting.plan, &mut memory, &mut counts);
            if counts.updated {
                tally.counted += 1;
                let same = fine && whole.output.is_empty() && whole.caught == 0;
                let counted = (values(&program, &counts.store), counts.store.globals);
                if !same || counted != (whole.values.clone(), whole.globals.clone()) {
                    return Err(format!(
                        "{}\n{}\ncounted: {counted:?}\nwhole: {whole:?}",
                        shown(),
                        capture::text(&counting.plan)
                    ));
                }
            }
        }
        if dropped {
            tally.dropped += 1;
            if !nothing {
                return Err(format!(
                    "{}\ndropped, but it did something: {whole:?}",
                    shown()
                ));
            }
            continue;
        }
        if nothing {
            tally.idle += 1;
            // A way that another has joined needs the captures of both.
            if exact && complete(&plan, &succeeded) {
                return Err(format!("{}\nnot dropped, but it did nothing", shown()));
            }
        }
        let whole = normal(whole);
        let mut own = captured.clone();
        let interpreted = run(&program, &mut interpreter, function, &mut own, &hit);
        // They see no further than a string may be long.
        if (text.contains("strlen(") || text.contains("strcmp(")) && ends_early(&interpreted) {
            tally.long += 1;
            continue;
        }
        let interpreted = normal(interpreted);
        if interpreted != whole {
            return Err(format!(
                "{}\nwhole: {whole:?}\ncaptured, interpreted: {interpreted:?}",
                shown()
            ));
        }
        if let Some(jit) = &mut jit {
            let mut own = captured.clone();
            let compiled = normal(run(&program, jit, function, &mut own, &hit));
            if compiled != whole {
                return Err(format!(
                    "{}\nwhole: {whole:?}\ncaptured, compiled: {compiled:?}",
                    shown()
                ));
            }
        }
    }
    Ok(())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn captured_memory_is_enough() {
    let target = Filetest::of(Phase::Run, TARGET, String::new())
        .expect("a target")
        .with_target();
    let mut tally = Tally::default();
    if let Some(seed) = number("YTRACE_CAPTURE_SEED") {
        println!("{}", handler(seed).0);
        try_handler(&target, seed, &mut tally).expect("the same on captured memory");
        return;
    }
    let from = number("YTRACE_CAPTURE_FROM").unwrap_or(0);
    let cases = number("YTRACE_CAPTURE_CASES").unwrap_or(1500);
    for seed in from..from + cases {
        if let Err(message) = try_handler(&target, seed, &mut tally) {
            panic!("{message}");
        }
    }
    println!("{tally:?}");
    assert!(tally.refused * 5 < tally.handlers, "{tally:?}");
    assert!(tally.dropped * 20 > tally.hits, "{tally:?}");
    assert!(tally.faulted * 20 > tally.hits, "{tally:?}");
    assert!(
        tally.sampled > 0 && tally.captures > tally.handlers && tally.counted > 20,
        "{tally:?}"
    );
}

/// Handlers that would take for ever to be followed are given up in time, and none overflows the stack.
#[test]
fn hostile_handlers_end() {
    let mut programs = Vec::new();
    // A chain of calls, and calls that double at each level.
    for (levels, calls) in [(300, 1), (40, 2)] {
        let mut text = String::from("long c0(struct node *p) { return p->v; }\n");
        for level in 1..levels {
            let call = format!("c{}(p)", level - 1);
            let sum = vec![call; calls].join(" + ");
            let _ = writeln!(text, "long c{level}(struct node *p) {{ return {sum}; }}");
        }
        let _ = writeln!(
            text,
            "_probe f(struct node *a, long n, char *s) {{ total += c{}(a); }}",
            levels - 1
        );
        programs.push((text, false));
    }
    // Loops in loops.
    let mut text = String::from("_probe f(struct node *a, long n, char *s) {\n");
    for level in 0..60 {
        let _ = writeln!(text, "for (int i{level} = 0; i{level} < 50; i{level}++) {{");
    }
    text.push_str("total += a->v;");
    text.push_str(&"}".repeat(60));
    programs.push((format!("{text}}}\n"), true));
    // Many ways.
    let mut text =
        String::from("_probe f(struct node *a, long n, char *s) { struct node *p = a;\n");
    for bit in 0..2000 {
        let _ = writeln!(
            text,
            "if (n & {}) p = p->next; else p = p->pair[1];",
            1_u64 << (bit % 60)
        );
    }
    programs.push((format!("{text} total += p->v; }}\n"), false));
    let mut text = String::from("_probe f(struct node *a, long n, char *s) { switch (n) {\n");
    for case in 0..3000 {
        let _ = writeln!(text, "case {case}: total += {case}; break;");
    }
    programs.push((
        format!("{text} }} if (n == 7) return; total += a->v; }}\n"),
        true,
    ));
    let target = Filetest::of(Phase::Run, TARGET, String::new())
        .expect("a target")
        .with_target();
    let options = capture::Options {
        page_size: PAGE_SIZE,
        string: STRING,
    };
    for (text, wanted) in programs {
        let text = format!("{SCRIPT}{text}");
        let compiled = target
            .with_program(&text)
            .and_then(|filetest| filetest.compile("hostile.y"))
            .expect("a program");
        let start = std::time::Instant::now();
        let function = *compiled.program.probes.first().expect("a probe");
        let plan = capture::analyze(&compiled.program, function, &options);
        assert_eq!(plan.is_ok(), wanted, "{:?}", plan.err());
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
