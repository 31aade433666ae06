//! A program that is probed, and plans that many tests use.

#![allow(dead_code)]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use ytrace_target::events::*;

use crate::common::{Program, compile};
use crate::sites::Executable;

/// A program of `calls.c` and a session on it.
pub struct Traced {
    pub program: Program,
    pub executable: Executable,
    pub session: EventSession,
}

impl Traced {
    pub fn start() -> Traced {
        Traced::with(EventOptions::default())
    }

    pub fn with(options: EventOptions) -> Traced {
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

    pub fn probe(&mut self, function: &str, program: HitProgram) -> ProbeId {
        let source = Source::Sites(vec![self.executable.site(function, 5)]);
        let attachment = self
            .session
            .attach(vec![Probe { program, source }])
            .unwrap();
        assert_eq!(attachment.refused, []);
        attachment.probes[0]
    }

    /// What the records that are there say.
    pub fn records<T>(&mut self, mut each: impl FnMut(&Record<'_>) -> T) -> Vec<T> {
        let mut found = Vec::new();
        self.session.poll(Instant::now(), |record| {
            found.push(each(record));
            ControlFlow::Continue(())
        });
        assert_eq!(self.session.malformed(), 0);
        found
    }
}

pub fn emit(part: &mut Part, values: &[Value]) {
    let values = values.iter().map(|value| part.value(*value)).collect();
    part.step(Step::Emit(Emit {
        values,
        ..Emit::default()
    }));
}

pub fn entry(values: &[Value]) -> HitProgram {
    let mut program = HitProgram::default();
    emit(&mut program.entry, values);
    program
}

/// A plan that gives saved values and the result at the return.
pub fn on_return(saved: &[Value]) -> HitProgram {
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

/// Runs a test of this file again, with facilities of the kernel left out.
pub fn again_without(tiers: &str, test: &str) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env("YTRACE_FORBID", tiers)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
