//! Tables of the script whose keys the kernel has, too, so that it can drop hits by them.

use std::collections::BTreeMap;

use ytrace_lang::capture::{Captures, Plan, Step};
use ytrace_lang::hir::{self, ProbePoint};
use ytrace_lang::ir::Program;
use ytrace_target::events::{TableKind, TableSpec};

use super::Plans;

/// The most keys that the kernel mirrors of a table: of more, it filters nothing by them any longer.
const MIRROR_ROWS: u32 = 1 << 20;
/// The tables of the script whose mirrors a handler's hits ask or change.
pub(super) fn mirrors_of(plan: &Plan) -> Vec<u64> {
    let asked = plan.steps.iter().flat_map(|step| match step {
        Step::Return { absent, .. } => absent.as_slice(),
        Step::Capture(_) | Step::Sample { .. } | Step::Update { .. } => &[],
    });
    let keys = asked.chain(&plan.inserts).chain(&plan.removes);
    keys.map(|key| key.table).collect()
}

/// The kernel's table for the keys of one of the script's.
pub(super) fn mirror(words: usize) -> TableSpec {
    TableSpec {
        kind: TableKind::Keys,
        keys: words,
        rows: MIRROR_ROWS,
    }
}

/// Chooses the tables whose keys the kernel may mirror, with the number of words of a key.
pub(super) fn mirrored(
    captures: &Captures<'_>,
    (typed, program): (&hir::Program, &Program),
    probes: &[usize],
    plans: &[Plans],
) -> BTreeMap<u64, usize> {
    let steps = plans.iter().flat_map(|plans| &plans.hit.steps);
    let sought = |step: &Step| matches!(step, Step::Return { absent, .. } if !absent.is_empty());
    let mut mirrored = BTreeMap::new();
    if steps.into_iter().any(sought) {
        // `_end` runs when the probes are gone.
        let is_end = |probe: usize| {
            let probe = typed.probes.get(probe);
            probe.is_some_and(|probe| probe.point == ProbePoint::End)
        };
        let others = program.probes.iter().enumerate();
        let others = others.filter(|(probe, _)| !probes.contains(probe) && !is_end(*probe));
        let others = others.map(|(_, function)| *function);
        let others = others.chain([program.initialize]);
        let mut written: Vec<_> = others
            .map(|function| captures.inserts_into(function))
            .collect();
        // Entry values are computed by the kernel alone.
        let entries = plans
            .iter()
            .flat_map(|plans| plans.entries.iter().flatten());
        written.extend(entries.map(|(plan, _)| {
            let mut tables = plan.inserts_unknown.clone()?;
            tables.extend(plan.inserts.iter().map(|key| key.table));
            Some(tables)
        }));
        let hits: Vec<&Plan> = plans.iter().map(|plans| &plans.hit).collect();
        mirrored = ytrace_lang::capture::mirrored(&hits, &written);
    }
    mirrored
}
