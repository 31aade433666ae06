//! What handlers do to the keys of the tables of the script.
//!
//! The kernel can keep a copy of a table's keys that has all of them and maybe more, its *mirror*: a key is put in at the hit of each
//! handler that may insert it, and taken out at the hit of each that leaves the table without it however it ends. A handler that
//! does nothing where a key is not in the table need not run where it is not in the mirror.

use std::collections::{BTreeMap, BTreeSet};

use super::found::Ended;
use super::plan::{Plan, Step};
use super::state::Literal;
use super::terms::TermId;

/// The most words of a key that is followed.
const MAX_WORDS: usize = 4;

/// An index of a key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyId(u32);

/// What a handler does to tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// Tables, by the offset of the global that is one, each with the words of a key.
    keys: Vec<(u64, Vec<TermId>)>,
    /// What conditions that are not known, by number and truth, say: that a key is not in its table.
    absent: BTreeMap<(u32, bool), KeyId>,
    /// Keys that may be inserted.
    inserted: Vec<KeyId>,
    /// Tables into which keys are inserted that are not known.
    unknown: BTreeSet<u64>,
    /// Whether keys are inserted into a table that is not known.
    anywhere: bool,
    /// The keys that are not in their tables at the ends that were come to.
    gone: Option<BTreeSet<KeyId>>,
}

impl Tables {
    /// The number of a key.
    pub(super) fn key(&mut self, table: u64, words: Vec<TermId>) -> Option<KeyId> {
        if words.is_empty() || words.len() > MAX_WORDS {
            return None;
        }
        let key = (table, words);
        let known = self.keys.iter().position(|other| *other == key);
        let index = known.unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        });
        u32::try_from(index).ok().map(KeyId)
    }

    pub(super) fn get(&self, key: KeyId) -> Option<&(u64, Vec<TermId>)> {
        self.keys.get(key.0 as usize)
    }

    /// Notes that a key may be inserted; where it is not known, `None`, and so for the table.
    pub(super) fn insert(&mut self, table: Option<u64>, key: Option<KeyId>) {
        match (table, key) {
            (_, Some(key)) if !self.inserted.contains(&key) => self.inserted.push(key),
            (_, Some(_)) => {}
            (Some(table), None) => {
                self.unknown.insert(table);
            }
            (None, None) => self.anywhere = true,
        }
    }

    /// Whether a key is one of a table.
    pub(super) fn is_of(&self, key: KeyId, table: u64) -> bool {
        self.get(key).is_some_and(|(own, _)| *own == table)
    }

    /// A condition that is not known says that a key is not in its table.
    pub(super) fn says_absent(&mut self, number: u32, truth: bool, key: KeyId) {
        self.absent.insert((number, truth), key);
    }

    /// The key that a condition says is not in its table.
    pub(super) fn absent(&self, literal: Literal) -> Option<KeyId> {
        match literal {
            Literal::Unknown(number, truth) => self.absent.get(&(number, truth)).copied(),
            Literal::Known(..) => None,
        }
    }

    /// Notes an end of the handler.
    pub(super) fn end(&mut self, ended: &Ended) {
        let absent = ended.reach.iter().filter_map(|one| self.absent(*one));
        let gone: BTreeSet<KeyId> = absent.chain(ended.deleted.iter().copied()).collect();
        self.gone = Some(match self.gone.take() {
            Some(before) => before.intersection(&gone).copied().collect(),
            None => gone,
        });
    }

    pub(super) fn inserted(&self) -> impl Iterator<Item = &(u64, Vec<TermId>)> {
        self.inserted.iter().filter_map(|key| self.get(*key))
    }

    /// The keys that are in no table however the handler ends.
    pub(super) fn removed(&self) -> impl Iterator<Item = &(u64, Vec<TermId>)> {
        self.gone.iter().flatten().filter_map(|key| self.get(*key))
    }

    /// The tables into which keys are inserted that are not known; `None` if that may be any.
    pub(super) fn unknown(&self) -> Option<BTreeSet<u64>> {
        (!self.anywhere).then(|| self.unknown.clone())
    }

    /// The tables into which anything is inserted; `None` if that may be any.
    pub(super) fn written(&self) -> Option<BTreeSet<u64>> {
        let mut written = self.unknown()?;
        written.extend(self.inserted().map(|(table, _)| *table));
        Some(written)
    }
}

/// The tables whose keys the kernel can mirror to the use of some handler, with the number of words of a key. `plans` are those of all
/// handlers that run on hits; `written` says for each other function of the program that runs into which tables it inserts
/// ([`super::Captures::inserts_into`]).
pub fn mirrored(plans: &[&Plan], written: &[Option<BTreeSet<u64>>]) -> BTreeMap<u64, usize> {
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let sought = steps.flat_map(|step| match step {
        Step::Return { absent, .. } => absent.as_slice(),
        Step::Capture(_) | Step::Sample { .. } | Step::Update { .. } => &[],
    });
    let mut mirrored: BTreeMap<u64, usize> =
        sought.map(|key| (key.table, key.words.len())).collect();
    let unknown = plans.iter().map(|plan| plan.inserts_unknown.as_ref());
    for unknown in unknown.chain(written.iter().map(Option::as_ref)) {
        match unknown {
            Some(tables) => mirrored.retain(|table, _| !tables.contains(table)),
            None => mirrored.clear(),
        }
    }
    mirrored
}

impl Plan {
    /// Leaves out what is done by mirrors of other tables than these.
    pub fn keep_mirrors(&mut self, mirrored: &BTreeMap<u64, usize>) {
        let kept = |table: u64| mirrored.contains_key(&table);
        self.steps.retain(|step| match step {
            Step::Return { absent, .. } => absent.iter().all(|key| kept(key.table)),
            Step::Capture(_) | Step::Sample { .. } | Step::Update { .. } => true,
        });
        self.inserts.retain(|key| kept(key.table));
        self.removes.retain(|key| kept(key.table));
    }
}
