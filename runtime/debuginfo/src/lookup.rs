//! Finding types by name: through the index, or, where a compile unit is named, in that unit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use gimli::LocationLists;

use crate::arguments::location_lists;
use crate::dwarf::{self, DebugData, Files, MAX_HOPS, Reader};
use crate::error::{Candidate, Error, Result};
use crate::index::{self, Cache, DECLARATION, EntryRow, Fingerprint, Index, IndexSource};
use crate::layout::{Located, is_declaration};
use crate::macros::Macros;
use crate::suggest;
use crate::types::{NameKind, TypeDesc, TypeRef};

/// Units imported by one unit, directly or not, beyond this number are not searched.
const MAX_IMPORTS: usize = 1 << 14;
/// Comparing two layouts looks at this many pairs of types at most; beyond that they count as different.
const MAX_COMPARED: usize = 1 << 14;

/// What one unit and its imports define: by name and kind.
type UnitNames = HashMap<(Vec<u8>, NameKind), Vec<EntryRow>>;

struct IndexState {
    index: Option<Result<Arc<Index>>>,
    source: IndexSource,
    problems: Vec<String>,
}

/// The debug information of a module with its index.
pub(crate) struct Debug {
    pub files: Files,
    data: OnceLock<Result<DebugData>>,
    cache: Option<Cache>,
    limit: Duration,
    state: Mutex<IndexState>,
    unit_names: Mutex<HashMap<u32, Arc<UnitNames>>>,
    macros: OnceLock<Result<Macros>>,
    lists: OnceLock<Result<LocationLists<Reader>>>,
}

impl Debug {
    pub fn new(files: Files, cache: Option<Cache>, limit: Duration) -> Self {
        Debug {
            files,
            data: OnceLock::new(),
            cache,
            limit,
            state: Mutex::new(IndexState {
                index: None,
                source: IndexSource::NotLoaded,
                problems: Vec::new(),
            }),
            unit_names: Mutex::default(),
            macros: OnceLock::new(),
            lists: OnceLock::new(),
        }
    }

    /// Location lists, read when first asked for.
    pub fn location_lists(&self) -> Result<&LocationLists<Reader>> {
        self.lists
            .get_or_init(|| location_lists(&self.files.main, self.files.main.runtime_endian()))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The macros of all units, read when first asked for.
    pub fn macros(&self) -> Result<&Macros> {
        self.macros
            .get_or_init(|| {
                if !Macros::are_in(&self.files.main) {
                    return Ok(Macros::default());
                }
                let index = self.index()?;
                Macros::read(&self.files, &index, self.deadline())
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The sections, unpacked when an entry is first read: looking up a name that the index does not have must not cost that.
    pub fn data(&self) -> Result<&DebugData> {
        self.data
            .get_or_init(|| DebugData::load(self.files.clone()))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The index: from memory, from the cache, or built now.
    pub fn index(&self) -> Result<Arc<Index>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = &state.index {
            return index.clone();
        }
        let fingerprint = self.fingerprint();
        let stored = self
            .cache
            .as_ref()
            .and_then(|cache| cache.load(&self.files.main, &fingerprint));
        if let Some(index) = stored {
            let index = Arc::new(index);
            state.index = Some(Ok(Arc::clone(&index)));
            state.source = IndexSource::Cached;
            return Ok(index);
        }
        self.build(&mut state, &fingerprint)
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.files.main, self.files.sup.as_deref())
    }

    fn build(&self, state: &mut IndexState, fingerprint: &Fingerprint) -> Result<Arc<Index>> {
        let built = self
            .data()
            .and_then(|data| index::build(data, fingerprint, self.limit));
        let result = built.map(|(index, problems)| {
            let not_kept = match &self.cache {
                None => Some("no cache directory is set".to_owned()),
                Some(cache) => cache
                    .store(&self.files.main, fingerprint, &index)
                    .err()
                    .map(|e| e.to_string()),
            };
            state.source = IndexSource::Built { not_kept };
            state.problems = problems;
            Arc::new(index)
        });
        state.index = Some(result.clone());
        result
    }

    /// Where the index came from, and which units it leaves out.
    pub fn index_status(&self) -> (IndexSource, Vec<String>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.source.clone(), state.problems.clone())
    }

    /// All entries of a name. A stored index that does not agree with the debug information is built anew.
    pub fn rows(&self, kind: NameKind, name: &str) -> Result<Vec<EntryRow>> {
        let rows = self.index()?.find(kind, name);
        let Some(first) = rows.first() else {
            return Ok(rows);
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.source != IndexSource::Cached {
            return Ok(rows);
        }
        drop(state);
        if self.agrees(kind, name, first.at) {
            return Ok(rows);
        }
        state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been here in the meantime.
        if state.source == IndexSource::Cached {
            self.build(&mut state, &self.fingerprint())?;
        }
        drop(state);
        Ok(self.index()?.find(kind, name))
    }

    /// Whether the entry is of that kind and has that name.
    fn agrees(&self, kind: NameKind, name: &str, at: TypeRef) -> bool {
        let Ok(here) = self.entry(at) else {
            return false;
        };
        let tag = here.entry.tag();
        let of_kind = match kind {
            NameKind::Base => tag == gimli::DW_TAG_base_type,
            NameKind::Typedef => {
                tag == gimli::DW_TAG_typedef || tag == gimli::DW_TAG_template_alias
            }
            NameKind::Struct => matches!(
                tag,
                gimli::DW_TAG_structure_type
                    | gimli::DW_TAG_class_type
                    | gimli::DW_TAG_interface_type
            ),
            NameKind::Union => tag == gimli::DW_TAG_union_type,
            NameKind::Enum | NameKind::Enumerator => tag == gimli::DW_TAG_enumeration_type,
            NameKind::Variable => tag == gimli::DW_TAG_variable,
            NameKind::Function => tag == gimli::DW_TAG_subprogram,
        };
        let named = kind < NameKind::Enumerator;
        of_kind && (!named || self.name_of(&here).is_some_and(|n| name.ends_with(&n)))
    }

    /// The units of that name: the whole name as the compiler gave it, or its last components.
    pub fn units_called(&self, unit: &str) -> Result<Vec<u32>> {
        let index = self.index()?;
        let matches = |name: &str| {
            name == unit
                || name
                    .strip_suffix(unit)
                    .is_some_and(|rest| rest.ends_with('/'))
        };
        let units: Vec<u32> = (0..index.unit_count() as u32)
            .filter(|&i| {
                index
                    .unit(i)
                    .is_some_and(|u| !u.name.is_empty() && matches(u.name))
            })
            .collect();
        if units.is_empty() {
            let names = (0..index.unit_count() as u32).filter_map(|i| {
                let name = index.unit(i)?.name;
                name.rsplit('/').next()
            });
            return Err(Error::NoSuchUnit {
                path: self.files.main.path.clone(),
                unit: unit.to_owned(),
                similar: suggest::closest(unit, names),
            });
        }
        Ok(units)
    }

    /// The type of that name. `Ok(None)` where the module (or the unit) has none.
    pub fn find_type(
        &self,
        kind: NameKind,
        name: &str,
        unit: Option<&str>,
    ) -> Result<Option<TypeRef>> {
        let rows = match unit {
            None => self.rows(kind, name)?,
            Some(unit) => {
                let mut rows = Vec::new();
                for number in self.units_called(unit)? {
                    let names = self.names_of_unit(number)?;
                    let found = names.get(&(name.as_bytes().to_vec(), kind));
                    rows.extend(found.into_iter().flatten().copied());
                }
                rows
            }
        };
        let rows = self.prefer_complete(kind, prefer_definitions(rows))?;
        let distinct = self.distinct(&rows)?;
        match distinct.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.at)),
            several => Err(self.ambiguous(kind, name, several)?),
        }
    }

    fn ambiguous(&self, kind: NameKind, name: &str, rows: &[EntryRow]) -> Result<Error> {
        let index = self.index()?;
        let mut candidates = Vec::new();
        for row in rows {
            let detail = match self.size_of(row.at)? {
                Some(size) => format!("{size} bytes"),
                None => "incomplete".into(),
            };
            candidates.push(Candidate {
                unit: index.shown_name(row.unit).to_owned(),
                detail,
            });
        }
        Ok(Error::Ambiguous {
            path: self.files.main.path.clone(),
            kind,
            name: name.to_owned(),
            candidates,
        })
    }

    /// The definition of a name where the module has just one.
    pub fn complete_definition(&self, kind: NameKind, name: &str) -> Result<Option<TypeRef>> {
        let rows = self.rows(kind, name)?;
        let rows: Vec<EntryRow> = rows.into_iter().filter(|r| !r.is(DECLARATION)).collect();
        let distinct = self.distinct(&rows)?;
        match distinct.as_slice() {
            [one] => Ok(Some(one.at)),
            _ => Ok(None),
        }
    }

    /// One row for each layout that differs from the others.
    fn distinct(&self, rows: &[EntryRow]) -> Result<Vec<EntryRow>> {
        let mut distinct: Vec<EntryRow> = Vec::new();
        for &row in rows {
            let mut known = false;
            for other in &distinct {
                let mut budget = MAX_COMPARED;
                if self.same(row.at, other.at, 0, &mut budget)? {
                    known = true;
                    break;
                }
            }
            if !known {
                distinct.push(row);
            }
        }
        Ok(distinct)
    }

    /// Whether two types are the same to a program that reads memory: the same sizes, and members of the same names at the same places.
    /// Typedefs are looked through, base types compared by size and encoding, what pointers point to by name.
    fn same(&self, a: TypeRef, b: TypeRef, depth: usize, budget: &mut usize) -> Result<bool> {
        if a == b {
            return Ok(true);
        }
        if depth > MAX_HOPS || *budget == 0 {
            return Ok(false);
        }
        *budget -= 1;
        let next = depth + 1;
        let (Some(s), Some(t)) = (self.bare(a)?, self.bare(b)?) else {
            return Ok(self.bare(a)?.is_none() && self.bare(b)?.is_none());
        };
        if s.at == t.at {
            return Ok(true);
        }
        Ok(
            match (self.describe_as_is(s.at)?, self.describe_as_is(t.at)?) {
                (
                    TypeDesc::Base {
                        size: m,
                        encoding: e,
                        ..
                    },
                    TypeDesc::Base {
                        size: n,
                        encoding: f,
                        ..
                    },
                ) => (m, e) == (n, f),
                (
                    TypeDesc::Pointer { target: s, size: m },
                    TypeDesc::Pointer { target: t, size: n },
                ) => m == n && self.same_target(s, t, next, budget)?,
                (
                    TypeDesc::Array {
                        element: s,
                        count: m,
                    },
                    TypeDesc::Array {
                        element: t,
                        count: n,
                    },
                ) => m == n && self.same(s, t, next, budget)?,
                (TypeDesc::Struct(s), TypeDesc::Struct(t))
                | (TypeDesc::Union(s), TypeDesc::Union(t)) => {
                    // A declaration is completed by the definition of its name.
                    if !s.complete || !t.complete {
                        return Ok(s.name.is_some() && s.name == t.name);
                    }
                    if (s.size, s.fields.len()) != (t.size, t.fields.len()) {
                        return Ok(false);
                    }
                    for (f, g) in s.fields.iter().zip(&t.fields) {
                        let alike =
                            (&f.name, f.offset, f.bitfield) == (&g.name, g.offset, g.bitfield);
                        if !alike || !self.same(f.ty, g.ty, next, budget)? {
                            return Ok(false);
                        }
                    }
                    true
                }
                (TypeDesc::Function { .. }, TypeDesc::Function { .. }) => true,
                (s, t) => s == t,
            },
        )
    }

    fn same_target(
        &self,
        a: TypeRef,
        b: TypeRef,
        depth: usize,
        budget: &mut usize,
    ) -> Result<bool> {
        let (Some(s), Some(t)) = (self.bare(a)?, self.bare(b)?) else {
            return Ok(self.bare(a)?.is_none() && self.bare(b)?.is_none());
        };
        match (self.name_of(&s), self.name_of(&t)) {
            (Some(_), Some(_)) if s.entry.tag() == gimli::DW_TAG_base_type => {
                self.same(s.at, t.at, depth, budget)
            }
            (Some(m), Some(n)) => Ok(m == n && s.entry.tag() == t.entry.tag()),
            (None, None) => self.same(s.at, t.at, depth, budget),
            _ => Ok(false),
        }
    }

    /// The entry behind typedefs and qualifiers; `None` is `void`.
    fn bare(&self, at: TypeRef) -> Result<Option<Located>> {
        let mut at = at;
        for _ in 0..MAX_HOPS {
            let Some(here) = self.strip(at, false)? else {
                return Ok(None);
            };
            match here.entry.tag() {
                gimli::DW_TAG_typedef | gimli::DW_TAG_template_alias => at = self.type_of(&here)?,
                _ => return Ok(Some(here)),
            }
        }
        Err(self.files.malformed(at, "a chain of typedefs without end"))
    }

    /// Typedefs that lead to a declaration in another unit than their own are only told from others here.
    fn prefer_complete(&self, kind: NameKind, rows: Vec<EntryRow>) -> Result<Vec<EntryRow>> {
        if kind != NameKind::Typedef || rows.len() < 2 {
            return Ok(rows);
        }
        let mut complete = Vec::new();
        for &row in &rows {
            let declared = self.bare(row.at)?.is_some_and(|l| is_declaration(&l.entry));
            if !declared {
                complete.push(row);
            }
        }
        Ok(if complete.is_empty() { rows } else { complete })
    }

    /// What a unit and everything that it imports defines. Read once and kept.
    fn names_of_unit(&self, number: u32) -> Result<Arc<UnitNames>> {
        let known = self
            .unit_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = known.get(&number) {
            return Ok(Arc::clone(names));
        }
        drop(known);
        let index = self.index()?;
        let mut wanted = vec![number];
        let mut seen: std::collections::HashSet<u32> = wanted.iter().copied().collect();
        let mut names = UnitNames::new();
        let deadline = self.deadline();
        while let Some(number) = wanted.pop() {
            self.add_names(&index, number, deadline, &mut names)?;
            for import in index.imports(number) {
                if seen.len() < MAX_IMPORTS && seen.insert(import) {
                    wanted.push(import);
                }
            }
        }
        let names = Arc::new(names);
        let mut known = self
            .unit_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(number, Arc::clone(&names));
        Ok(names)
    }

    fn add_names(
        &self,
        index: &Index,
        number: u32,
        deadline: Option<Instant>,
        names: &mut UnitNames,
    ) -> Result<()> {
        self.scan(index, number, deadline, |name, kind, row| {
            names.entry((name, kind)).or_default().push(row);
        })
    }

    /// Reports what a unit itself defines and declares, without what it imports.
    pub fn scan(
        &self,
        index: &Index,
        number: u32,
        deadline: Option<Instant>,
        mut found: impl FnMut(Vec<u8>, NameKind, EntryRow),
    ) -> Result<()> {
        let Some(row) = index.unit(number) else {
            return Ok(());
        };
        let fail = |offset, e| self.files.dwarf_error(row.section, offset, e);
        let slices = self.data()?.sections.slices();
        let sections = match row.section {
            dwarf::EntrySection::Supplementary => slices.sup().unwrap_or(&slices),
            _ => &slices,
        };
        let header =
            dwarf::unit_header(sections, row.section, row.start).map_err(|e| fail(row.start, e))?;
        let unit = dwarf::unit_without_lines(sections, header).map_err(|e| fail(row.start, e))?;
        let mut scanned = index::Scanned::default();
        match index::scan_unit(
            sections,
            &unit,
            row.section,
            &|_| None,
            deadline,
            &mut scanned,
        ) {
            Ok(()) => {}
            Err(index::Stop::Damaged(at, e)) => return Err(fail(at, e)),
            Err(index::Stop::Timeout) => return Err(self.timeout()),
        }
        for name in scanned.names {
            let row = EntryRow {
                flags: name.flags,
                unit: number,
                at: name.at,
            };
            found(name.name.into_owned(), name.kind, row);
        }
        Ok(())
    }

    /// When what begins now must be over, and the error if it is not.
    pub fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.limit)
    }

    pub fn timeout(&self) -> Error {
        Error::IndexTimeout {
            path: self.files.main.path.clone(),
            seconds: self.limit.as_secs(),
        }
    }

    /// Names of a kind that resemble `name`.
    pub fn suggest(&self, kind: NameKind, name: &str) -> Result<Vec<String>> {
        Ok(suggest::closest(name, self.index()?.names(kind)))
    }
}

/// Keeps declarations only where there is nothing else.
fn prefer_definitions(rows: Vec<EntryRow>) -> Vec<EntryRow> {
    if rows.iter().any(|r| !r.is(DECLARATION)) {
        rows.into_iter().filter(|r| !r.is(DECLARATION)).collect()
    } else {
        rows.into_iter().take(1).collect()
    }
}
