//! Generated well-typed programs do the same in the interpreter and as machine code: output,
//! warnings, cross-checks, all globals as views decode them, faults with their places and call
//! chains, steps, tracer memory, and which budget ran out.
//!
//! `YTRACE_SOURCE_CASES` says how many programs are tried, `YTRACE_SOURCE_FROM` the first seed,
//! `YTRACE_SOURCE_THREADS` how many threads try them. `YTRACE_SOURCE_SEED` shows and tries one.

mod source;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use source::choices::{Choices, shrink, shrink_lines};
use source::program::program;
use source::run::{Verdict, verdict, world};
use source::types::WORLD;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// What became of many programs.
#[derive(Default)]
struct Tally {
    programs: u64,
    /// By how runs ended.
    ends: BTreeMap<String, u64>,
    with_faults: u64,
    budgets: u64,
    caught: u64,
    steps: u64,
    output: u64,
    findings: Vec<(u64, String)>,
    refused: BTreeMap<String, (u64, u64)>,
}

impl Tally {
    fn add(&mut self, seed: u64, verdict: Verdict) {
        self.programs += 1;
        match verdict {
            Verdict::Alike(transcript) => {
                let (mut fault, mut budget) = (false, false);
                for (_, outcome) in &transcript.outcomes {
                    self.steps += outcome.steps;
                    let end = match &outcome.result {
                        Ok(_) => "returned",
                        Err(fault) => fault.fault.kind.name(),
                    };
                    fault |= outcome.result.is_err();
                    budget |= end.ends_with("exhausted") || end == "stack too deep";
                    *self.ends.entry(end.to_owned()).or_default() += 1;
                }
                self.with_faults += u64::from(fault);
                self.budgets += u64::from(budget);
                self.caught += transcript.caught;
                self.output += transcript.output.len() as u64;
            }
            Verdict::Refused(message) => {
                let first = message.lines().find(|line| line.starts_with("error"));
                let line = first.unwrap_or(&message);
                let line = line.split_once(": ").map_or(line, |(_, text)| text);
                let entry = self.refused.entry(line.to_owned()).or_insert((0, seed));
                entry.0 += 1;
            }
            Verdict::Different(message) => self.findings.push((seed, message)),
        }
    }

    fn merge(&mut self, other: Tally) {
        self.programs += other.programs;
        self.with_faults += other.with_faults;
        self.budgets += other.budgets;
        self.caught += other.caught;
        self.steps += other.steps;
        self.output += other.output;
        self.findings.extend(other.findings);
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        for (message, (count, seed)) in other.refused {
            let entry = self.refused.entry(message).or_insert((0, seed));
            entry.0 += count;
        }
    }

    fn refusals(&self) -> u64 {
        self.refused.values().map(|(count, _)| count).sum()
    }
}

/// The program of a seed, made as small as it stays different, as a filetest.
fn minimised(seed: u64) -> String {
    let world = world();
    let different = |text: &str| matches!(verdict(&world, text), Verdict::Different(_));
    let (text, words) = program(Choices::of_seed(seed));
    let mut least = text;
    shrink(words, 1500, &mut |words| {
        let (text, _) = program(Choices::replay(words));
        let fails = different(&text);
        if fails {
            least = text;
        }
        fails
    });
    let least = shrink_lines(&least, &mut |text| different(text));
    let message = match verdict(&world, &least) {
        Verdict::Different(message) => message,
        _ => "it differs no more".to_owned(),
    };
    format!("seed {seed}: {message}\n// test run\n{WORLD}{least}\n")
}

#[test]
fn generated_programs_run_alike() {
    if let Some(seed) = number("YTRACE_SOURCE_SEED") {
        let (text, _) = program(Choices::of_seed(seed));
        println!("{text}");
        match verdict(&world(), &text) {
            Verdict::Alike(transcript) => println!("{transcript:#?}"),
            Verdict::Refused(message) => println!("refused: {message}"),
            Verdict::Different(message) => println!("{message}\n{}", minimised(seed)),
        }
        return;
    }
    let cases = number("YTRACE_SOURCE_CASES").unwrap_or(20_000);
    let first = number("YTRACE_SOURCE_FROM").unwrap_or(0);
    let threads = number("YTRACE_SOURCE_THREADS").unwrap_or(2);
    let (next, total) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // The parser and the checker of deeply nested text need room.
            std::thread::Builder::new()
                .stack_size(64 << 20)
                .spawn_scoped(scope, || {
                    let world = world();
                    let mut tally = Tally::default();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + cases || tally.findings.len() > 20 {
                            break;
                        }
                        let (text, _) = program(Choices::of_seed(seed));
                        tally.add(seed, verdict(&world, &text));
                        if tally.programs.is_multiple_of(50_000) {
                            println!(
                                "{} programs of this thread, {} differ, {} refused",
                                tally.programs,
                                tally.findings.len(),
                                tally.refusals()
                            );
                        }
                    }
                    total.lock().expect("the tally").merge(tally);
                })
                .expect("a thread");
        }
    });
    let tally = total.into_inner().expect("the tally");
    println!(
        "{} programs in {:?}: {} differ, {} refused, {} with faults, {} with a budget run out; \
         {} faults caught, {} steps, {} bytes printed; {:?}",
        tally.programs,
        started.elapsed(),
        tally.findings.len(),
        tally.refusals(),
        tally.with_faults,
        tally.budgets,
        tally.caught,
        tally.steps,
        tally.output,
        tally.ends,
    );
    let mut refused: Vec<_> = tally.refused.iter().collect();
    refused.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (message, (count, seed)) in refused.iter().take(40) {
        println!("refused {count} times, first with seed {seed}: {message}");
    }
    let shown: Vec<String> = tally
        .findings
        .iter()
        .take(3)
        .map(|(seed, _)| minimised(*seed))
        .collect();
    println!("{}", shown.join("\n\n"));
    for (seed, message) in tally.findings.iter().take(12) {
        println!(
            "seed {seed}: {}",
            message.lines().take(3).collect::<Vec<_>>().join(" | ")
        );
    }
    assert!(tally.findings.is_empty(), "the executors differ");
    assert_eq!(tally.refusals(), 0, "well-typed programs are accepted");
}

/// What generated programs need not contain, with the reason.
const NEVER: &[(&str, &str)] = &[
    ("ProbePoint/Event", "nothing is hit"),
    ("ProbePoint/Profile", "nothing is hit"),
    ("Operation/HitRegister", "belongs to probes on events"),
    ("Operation/HitVector", "belongs to probes on events"),
    ("Operation/HitArgument", "belongs to probes on events"),
    ("Operation/HitFunction", "belongs to probes on events"),
    ("Operation/EntryValue", "belongs to probes on events"),
    ("Operation/SampleBytes", "belongs to probes on events"),
    ("Operation/TargetCapture", "belongs to probes on events"),
    ("Operation/BacktracePart", "belongs to probes on events"),
    ("_capture", "belongs to probes on events"),
    ("_ubt_part", "belongs to probes on events"),
    ("_entry", "belongs to probes on events"),
    ("_arg", "belongs to probes on events"),
    ("_func", "belongs to probes on events"),
    ("_every", "belongs to probes on events"),
    ("_uaddr", "is a constant before anything runs"),
    (
        "ExpressionKind/EmptyPath",
        "is made by no syntax of its own",
    ),
    (
        "Operation/PrintStr",
        "is made by nothing: `puts` is a format",
    ),
    (
        "FaultKind/TargetGone",
        "the memory of the tests does not go",
    ),
    (
        "FaultKind/TimeExhausted",
        "runs have no deadline, since clocks differ",
    ),
    ("FaultKind/Interrupted", "nobody interrupts"),
    ("FaultKind/Internal", "a defect"),
];

#[test]
fn generated_programs_reach_every_construct() {
    use source::coverage::{Seen, executed, typed, variants};

    let world = world();
    let mut seen = Seen::new();
    let programs = number("YTRACE_SOURCE_COVERAGE").unwrap_or(4000);
    for seed in 0..programs {
        let (text, _) = program(Choices::of_seed(seed));
        let test = world.with_program(&text).expect("well-formed directives");
        let compiled = test.compile("t.y").expect("a well-typed program");
        typed(&compiled, &mut seen);
        executed(&test, &compiled, &text, &mut seen);
    }
    let mut wanted: Vec<String> = Vec::new();
    let mut all = |file: &str, name: &str, head: &str| {
        let found = variants(file, name);
        assert!(found.len() > 1, "{file} has `{name}`");
        wanted.extend(found.iter().map(|variant| format!("{head}/{variant}")));
    };
    for name in [
        "StatementKind",
        "ExpressionKind",
        "PlaceKind",
        "ContainerKind",
        "Conversion",
        "UnaryOperator",
        "ArithmeticOperator",
        "CompareOperator",
        "ProbePoint",
    ] {
        all("frontend/src/hir.rs", name, name);
    }
    for (name, head) in [
        ("InstructionKind", "InstructionKind"),
        ("Terminator", "Terminator"),
        ("IntegerOperator", "Integer"),
        ("FloatOperator", "Float"),
        ("Comparison", "CompareIntegers"),
        ("Comparison", "CompareFloats"),
        ("MemoryType", "Load"),
        ("MemoryType", "Store"),
        ("Base", "any"),
    ] {
        all("frontend/src/ir.rs", name, head);
    }
    all("values/src/operation.rs", "Operation", "Operation");
    all("values/src/fault.rs", "FaultKind", "FaultKind");
    wanted.extend(ytrace_lang::check::builtins::names().map(str::to_owned));
    let excused = |wanted: &str| NEVER.iter().any(|(name, _)| *name == wanted);
    let missing: Vec<&String> = wanted
        .iter()
        .filter(|wanted| !seen.contains(*wanted) && !excused(wanted))
        .collect();
    println!(
        "{} of {} constructs reached by {programs} programs",
        wanted.len() - missing.len(),
        wanted.len()
    );
    assert!(missing.is_empty(), "never executed: {missing:?}");
    for (name, _) in NEVER {
        assert!(!seen.contains(*name), "{name} is reached now");
    }
}

/// The output of functions in C, by number; `None` where there is no C compiler.
fn compiled_by_c(functions: &[(u64, String)]) -> Option<String> {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let mut text = format!("#include <stdio.h>\n{}", source::against_c::DECLARATIONS);
    for (_, function) in functions {
        text.push_str(function);
    }
    text.push_str("int main(void) {\n");
    for (number, _) in functions {
        text.push_str(&format!("f{number}();\n"));
    }
    text.push_str("}\n");
    let directory = tempfile::tempdir().expect("a directory for what C gives");
    let binary = directory.path().join("functions");
    let mut compiler = Command::new("gcc")
        .args([
            "-w",
            "-O0",
            "-std=gnu17",
            "-fwrapv",
            "-ffp-contract=off",
            "-x",
            "c",
            "-o",
        ])
        .arg(&binary)
        .arg("-")
        .stdin(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = compiler.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("gcc reads");
    drop(input);
    assert!(
        compiler.wait().expect("gcc ends").success(),
        "C does not compile:\n{text}"
    );
    let output = Command::new(&binary).output().expect("the functions run");
    assert!(output.status.success(), "C ends by {}", output.status);
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `YTRACE_SOURCE_C` says how many functions are held against C.
#[test]
fn expressions_mean_what_they_mean_in_c() {
    let cases = number("YTRACE_SOURCE_C").unwrap_or(400);
    let first = number("YTRACE_SOURCE_FROM").unwrap_or(0);
    let world = world();
    let mut lines = 0;
    for start in (first..first + cases).step_by(200) {
        let functions: Vec<(u64, String)> = (start..(start + 200).min(first + cases))
            .map(|seed| {
                let (text, _) = source::against_c::function(Choices::of_seed(seed), seed);
                (seed, text)
            })
            .collect();
        let Some(expected) = compiled_by_c(&functions) else {
            println!("there is no gcc, so nothing is compared");
            return;
        };
        let mut text = "//! output 100000000\n".to_owned();
        text.push_str(source::against_c::DECLARATIONS);
        text.extend(functions.iter().map(|(_, function)| function.as_str()));
        text.push_str("_probe _oneshot {\n");
        for (number, _) in &functions {
            text.push_str(&format!("    f{number}();\n"));
        }
        text.push_str("}\n");
        let test = world.with_program(&text).expect("well-formed directives");
        let compiled = test
            .compile("t.y")
            .unwrap_or_else(|message| panic!("{message}"));
        let interpreter = ytrace_lang::interpret::Interpreter::new(compiled.program.clone());
        let interpreted = test.run(&compiled, Box::new(interpreter));
        let native = source::run::native(&test, &compiled).expect("it compiles");
        assert_eq!(native, interpreted, "functions from {start}");
        for (_, outcome) in &interpreted.outcomes {
            assert!(
                outcome.result.is_ok(),
                "functions from {start}: {outcome:?}"
            );
        }
        let found = String::from_utf8_lossy(&interpreted.output);
        let parts = |text: &str| -> Vec<String> { text.split("== ").map(str::to_owned).collect() };
        for (expected, found) in parts(&expected).iter().zip(parts(&found)) {
            let number = expected.lines().next().unwrap_or_default();
            let function = functions
                .iter()
                .find(|(seed, _)| seed.to_string() == number)
                .map_or("", |(_, text)| text);
            assert_eq!(
                *expected, found,
                "C gives the left, this language the right for\n{function}"
            );
            lines += expected.lines().count();
        }
        assert_eq!(parts(&expected).len(), parts(&found).len());
    }
    println!("{cases} functions, {lines} lines alike");
}
