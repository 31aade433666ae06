//! What happens to the target of a filetest: hits and returns, and which probes they concern.

use std::collections::{HashMap, VecDeque};

use super::filetest::number;
use super::world::{Hit, RecordingHost, SparseMemory};
use crate::abi;
use crate::execute::Outcome;
use crate::hir::{self, EventPoint, EventSite, ProbePoint, ProcessEvent};
use crate::ir;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Memory of the target changes.
    Memory(u64, Vec<u8>),
    /// A place is hit.
    Hit {
        /// Where: the name of a function, or another site as the directive writes it.
        site: String,
        /// Whether a function returns.
        at_return: bool,
        /// What is known.
        hit: Hit,
    },
}

impl Step {
    /// Reads what follows `hit` or `return`.
    pub fn read(at_return: bool, text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let site = words.next().ok_or("a hit without a place")?.to_owned();
        let mut hit = Hit::default();
        for word in words {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| format!("`{word}` is no item of a hit"))?;
            let value = bits(value).ok_or_else(|| format!("`{value}` is no number"))?;
            let numbered = |prefix: &str| name.strip_prefix(prefix).and_then(number);
            if name == "tid" {
                hit.tid = Some(value);
            } else if name == "weight" {
                hit.weight = Some(value);
            } else if let Some(index) = numbered("xmm") {
                hit.vectors.insert(index, value);
            } else if let Some(index) = numbered("arg") {
                hit.arguments.insert(index, value);
            } else if let Some(register) = abi::register_number(name) {
                hit.registers.insert(u64::from(register), value);
            } else {
                return Err(format!("no register `{name}`"));
            }
        }
        Ok(Step::Hit {
            site,
            at_return,
            hit,
        })
    }
}

/// A number: an integer, a `double` with a point, or a `float` with a point and an `f`.
fn bits(text: &str) -> Option<u64> {
    if !text.contains('.') {
        return number(text);
    }
    match text.strip_suffix('f') {
        Some(text) => Some(u64::from(text.parse::<f32>().ok()?.to_bits())),
        None => Some(text.parse::<f64>().ok()?.to_bits()),
    }
}

/// Where the function begins that a probe is on, if the site is among those of the probe; 0 for other sites.
fn concerns(point: &ProbePoint, site: &str) -> Option<u64> {
    let event = match point {
        ProbePoint::Profile(_) => return (site == "profile").then_some(0),
        ProbePoint::Event(event) => event,
        _ => return None,
    };
    let written = match &event.site {
        EventSite::Functions(functions) => {
            let found = functions.iter().find(|function| function.name == site);
            return found.map(|function| function.address);
        }
        EventSite::Line { file, line } => format!("line:{file}:{line}"),
        EventSite::Address(address) => format!("address:{address:#x}"),
        EventSite::Static { provider, name, .. } => format!("static:{provider}:{name}"),
        EventSite::Watch { address, .. } => format!("watch:{address:#x}"),
        EventSite::Process(event) => match event {
            ProcessEvent::ThreadBegin => "_thread_begin",
            ProcessEvent::ThreadEnd => "_thread_end",
            ProcessEvent::Exec => "_exec",
            ProcessEvent::Exit => "_exit",
            ProcessEvent::Signal => "_signal",
            ProcessEvent::PageFault => "_page_fault",
        }
        .to_owned(),
    };
    (written == site).then_some(0)
}

/// Values as of entry, or why they are not to be had.
type Values = Vec<Result<u64, String>>;

/// What is to run, in order.
enum Job<'p> {
    /// A value as of entry.
    Entry(hir::FunctionId),
    /// A handler.
    Handler {
        probe: usize,
        function: hir::FunctionId,
        event: Option<&'p EventPoint>,
    },
    /// The values of a probe are complete.
    Entered { probe: usize },
}

/// Goes through what happens.
pub(super) struct Happening<'p> {
    steps: std::slice::Iter<'p, Step>,
    program: &'p hir::Program,
    jobs: VecDeque<(Job<'p>, u64, Hit)>,
    /// The values of the entry under way.
    values: Values,
    /// By probe, function and thread: the values of the calls that have not returned.
    kept: HashMap<(usize, u64, u64), Vec<Values>>,
}

impl<'p> Happening<'p> {
    pub fn new(steps: &'p [Step], program: &'p hir::Program) -> Self {
        Self {
            steps: steps.iter(),
            program,
            jobs: VecDeque::new(),
            values: Vec::new(),
            kept: HashMap::new(),
        }
    }

    /// The function that runs next, with a name for it and whether it gives a value as of entry: then [`Happening::entered`]
    /// takes its outcome. The host knows the hit.
    pub fn next(
        &mut self,
        memory: &mut SparseMemory,
        host: &mut RecordingHost,
    ) -> Option<(String, ir::FunctionId, bool)> {
        loop {
            while let Some((job, function, mut hit)) = self.jobs.pop_front() {
                let thread = hit.tid.unwrap_or_default();
                match job {
                    Job::Entered { probe } => {
                        let values = std::mem::take(&mut self.values);
                        let calls = self.kept.entry((probe, function, thread)).or_default();
                        calls.push(values);
                    }
                    Job::Entry(function) => {
                        host.hit = Some(hit);
                        return Some((String::new(), ir::FunctionId(function.0), true));
                    }
                    Job::Handler {
                        probe,
                        function: handler,
                        event,
                    } => {
                        if event.is_some_and(|event| event.at_return) {
                            let calls = self.kept.entry((probe, function, thread)).or_default();
                            // A call that began before the probe was there is not seen.
                            let Some(values) = calls.pop() else { continue };
                            hit.entry = values;
                        }
                        host.hit = Some(hit);
                        return Some(("event".to_owned(), ir::FunctionId(handler.0), false));
                    }
                }
            }
            match self.steps.next()? {
                Step::Memory(address, bytes) => memory.write(*address, bytes),
                Step::Hit {
                    site,
                    at_return,
                    hit,
                } => self.queue(site, *at_return, hit),
            }
        }
    }

    fn queue(&mut self, site: &str, at_return: bool, hit: &Hit) {
        for (index, probe) in self.program.probes.iter().enumerate() {
            let Some(address) = concerns(&probe.point, site) else {
                continue;
            };
            let event = match &probe.point {
                ProbePoint::Event(event) => Some(event.as_ref()),
                _ => None,
            };
            let mut hit = hit.clone();
            hit.function = address;
            let wants_return = event.is_some_and(|event| event.at_return);
            let mut push = |job| self.jobs.push_back((job, address, hit.clone()));
            if wants_return == at_return {
                push(Job::Handler {
                    probe: index,
                    function: probe.function,
                    event,
                });
            } else if let Some(event) = event.filter(|_| wants_return) {
                for function in &event.entry_values {
                    push(Job::Entry(*function));
                }
                push(Job::Entered { probe: index });
            }
        }
    }

    /// Takes a value as of entry.
    pub fn entered(&mut self, outcome: Outcome) {
        self.values.push(match outcome.result {
            Ok(value) => Ok(value),
            Err(fault) => Err(format!("as of entry: {}", fault.fault)),
        });
    }
}
