//! Which handlers the kernel can run as a whole, or some of their ways.
//!
//! A way through a handler that only adds to variables of the script ([`super::updates`]) can be taken in the kernel, which keeps what is
//! added, if nobody can tell the difference: every handler of an event that has to do with such a variable only adds to it ([`super::readers`]), and
//! what runs while the probes are in place only reads it. The variables are brought up to date before that.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Plan, Step, Update, UpdatedPart};
use super::readers::{Access, accesses};
use super::run::Analysis;
use super::{Captures, build};
use crate::hir::{self, ProbePoint};
use crate::ir::{FunctionId, InstructionKind, Program};
use crate::source::Span;
use ytrace_values::Operation;
use ytrace_values::constants::ContainerType;

/// A handler whose additions were followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    /// What is done at a hit, with [`Step::Update`] where the handler need not run.
    pub plan: Plan,
    /// Steps that it takes at most on such ways.
    pub steps: u64,
    /// Bytes of the stack that it takes at most.
    pub stack: u64,
    /// Where it does something else, the first such place, and why the handler runs then.
    pub obstacle: Option<(Span, &'static str)>,
    /// Variables that it does something else with than to add to them; `None` if that may be any.
    assigned: Option<BTreeSet<u64>>,
}

impl Counting {
    /// Leaves out the ways that add to other variables than these; gives the first such.
    pub fn keep(&mut self, countable: &Countable) -> Option<u64> {
        let mut left_out = None;
        self.plan.steps.retain(|step| {
            let Step::Update { updates, .. } = step else {
                return true;
            };
            let other = updates
                .iter()
                .find(|update| !countable.variables.contains(&update.global));
            left_out = left_out.or(other.map(|other| other.global));
            other.is_none()
        });
        left_out
    }

    /// What it adds to.
    pub fn updates(&self) -> impl Iterator<Item = &Update> {
        self.plan.steps.iter().flat_map(|step| match step {
            Step::Update { updates, .. } => updates.as_slice(),
            _ => &[],
        })
    }
}

/// The variables to which the kernel may add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Countable {
    /// By their offset.
    pub variables: BTreeSet<u64>,
    /// Whether the variance of aggregates is asked for.
    pub squares: bool,
    /// Why others are not among them.
    pub refused: BTreeMap<u64, &'static str>,
    /// The types of the containers that variables are, by their offsets: indices into [`ytrace_values::Constants::containers`].
    pub containers: BTreeMap<u64, u64>,
}

impl Captures<'_> {
    /// Follows what a handler adds to variables; `None` if it cannot be followed.
    pub fn counting(&self, function: FunctionId) -> Option<Counting> {
        // The kernel cannot drop all hits outside of the sample.
        self.followed(function, true)
            .or_else(|| self.followed(function, false))
    }

    fn followed(&self, function: FunctionId, sampling: bool) -> Option<Counting> {
        let mut analysis = Analysis::new(self.program, &self.options, &self.globals);
        analysis.counting = true;
        analysis.sampling = sampling;
        self.run(&mut analysis, function).ok()?;
        if !build::settle_sample(&mut analysis) {
            return None;
        }
        let found = &analysis.found;
        let assigned = (!found.assigned.all).then(|| found.assigned.some.clone());
        let obstacle = found.obstacle.map(|(span, why)| {
            let span = self.program.spans.get(span.0 as usize);
            (span.copied().unwrap_or_default(), why)
        });
        let (steps, stack) = (analysis.steps, analysis.stack);
        Some(Counting {
            plan: build::plan(&mut analysis).ok()?,
            steps,
            stack,
            obstacle,
            assigned,
        })
    }
}

/// Finds the variables to which the kernel may add. `counting` are those of all handlers of events, `None` where one could not be followed;
/// `others` run while the probes are in place.
pub fn countable(
    typed: &hir::Program,
    program: &Program,
    events: &[FunctionId],
    entries: &[FunctionId],
    counting: &[Option<&Counting>],
) -> Countable {
    let mut countable = Countable {
        squares: asks(program, Operation::AggregateVariance),
        ..Countable::default()
    };
    let mut parts: BTreeMap<u64, BTreeSet<UpdatedPart>> = BTreeMap::new();
    for update in counting.iter().flatten().flat_map(|one| one.updates()) {
        parts.entry(update.global).or_default().insert(update.part);
    }
    let of_events = accesses(program, events.iter().chain(entries).copied());
    let timers = typed.probes.iter().zip(&program.probes);
    let timers = timers.filter(|(probe, _)| matches!(probe.point, ProbePoint::Timer(_)));
    let of_timers = accesses(program, timers.map(|(_, function)| *function));
    let functions = (0..program.functions.len()).filter_map(|index| u32::try_from(index).ok());
    let everywhere = accesses(program, functions.map(FunctionId));
    countable.containers = container_types(program);
    for (global, parts) in parts {
        let refusal = if of_events.ends_session {
            Some("a handler of an event may end the session, and nothing counts after that")
        } else if of_events.access(global) > Access::Adds {
            Some("a handler of an event reads it, or does something else with it than to add to it")
        } else if assigned(counting, global) {
            Some("a handler of an event sets it")
        } else if overlapping(&parts) {
            Some("handlers add to it in different ways")
        } else {
            let container = countable.containers.get(&global).and_then(|index| {
                let index = usize::try_from(*index).ok()?;
                program.constants.containers.get(index)
            });
            match container {
                // Whatever a timer sets a number to, what is added later is added to that.
                None => None,
                Some(_) if of_timers.access(global) > Access::Reads => Some("a timer changes it"),
                Some(container) if parts.contains(&UpdatedPart::Aggregate) => {
                    refused_aggregate(program, container, everywhere.linear(global))
                }
                Some(_) => None,
            }
        };
        match refusal {
            Some(why) => {
                countable.refused.insert(global, why);
            }
            None => {
                countable.variables.insert(global);
            }
        }
    }
    countable
}

/// Whether a handler sets a variable to something else.
fn assigned(counting: &[Option<&Counting>], global: u64) -> bool {
    counting.iter().any(|one| match one {
        Some(Counting {
            assigned: Some(assigned),
            ..
        }) => assigned.contains(&global),
        _ => true,
    })
}

/// Whether parts of a variable share bytes.
fn overlapping(parts: &BTreeSet<UpdatedPart>) -> bool {
    let ranges = parts.iter().map(|part| match part {
        UpdatedPart::Integer { offset, size } => (*offset, offset.saturating_add(u64::from(*size))),
        UpdatedPart::Aggregate => (0, u64::MAX),
    });
    let ranges: Vec<(u64, u64)> = ranges.collect();
    let mut pairs = ranges.iter().zip(ranges.iter().skip(1));
    // They are in order of their offsets, but for the aggregate, which is alone if it is right.
    pairs.any(|(one, other)| one.1 > other.0)
}

/// The types of the containers that the globals are, by their offsets: what the initializer makes and stores at once.
fn container_types(program: &Program) -> BTreeMap<u64, u64> {
    let mut types = BTreeMap::new();
    let function = program.functions.get(program.initialize.0 as usize);
    for block in function.iter().flat_map(|function| &function.blocks) {
        let mut words = BTreeMap::new();
        let mut made = BTreeMap::new();
        for instruction in &block.instructions {
            match &instruction.kind {
                InstructionKind::Constant { to, value } => {
                    words.insert(to.0, *value);
                    made.remove(&to.0);
                }
                InstructionKind::Operation {
                    operation: Operation::ContainerNew,
                    arguments,
                    to: Some(to),
                } => {
                    let ty = arguments.first().and_then(|ty| words.get(&ty.0)).copied();
                    made.insert(to.0, ty);
                }
                InstructionKind::Store { place, from, .. } => {
                    if let (Some(Some(ty)), Ok(offset)) =
                        (made.get(&from.0), u64::try_from(place.offset))
                        && place.base == crate::ir::Base::Globals
                        && place.index.is_none()
                    {
                        types.insert(offset, *ty);
                    }
                }
                other => {
                    if let Some(to) = other.result() {
                        words.remove(&to.0);
                        made.remove(&to.0);
                    }
                }
            }
        }
    }
    types
}

/// Whether an operation is anywhere in a program.
fn asks(program: &Program, wanted: Operation) -> bool {
    let blocks = program
        .functions
        .iter()
        .flat_map(|function| &function.blocks);
    let mut instructions = blocks.flat_map(|block| &block.instructions);
    instructions.any(|instruction| {
        matches!(&instruction.kind, InstructionKind::Operation { operation, .. } if *operation == wanted)
    })
}

/// Why the kernel does not keep aggregates of a variable: it keeps their distribution by parts of a power of two, and by rows that are known.
fn refused_aggregate(
    program: &Program,
    container: &ContainerType,
    mut asked: impl Iterator<Item = Option<[i64; 3]>>,
) -> Option<&'static str> {
    use ytrace_values::constants::Element;
    let own = match container {
        ContainerType::Aggregate { linear } => linear,
        ContainerType::Table {
            element: Element::Container(nested),
            ..
        } => match program.constants.containers.get(nested.0 as usize) {
            Some(ContainerType::Aggregate { linear }) => linear,
            _ => return Some("it is no aggregate"),
        },
        _ => return Some("it is no aggregate"),
    };
    let counted = |steps: Option<[i64; 3]>| {
        own.iter()
            .any(|own| steps == Some([own.low, own.high, own.step]))
    };
    asked
        .any(|steps| !counted(steps))
        .then_some("a histogram by other steps than those that are counted may be asked of it")
}
