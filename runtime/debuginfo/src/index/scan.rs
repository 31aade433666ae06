//! Reads one unit and reports the names that it defines.
//!
//! Function bodies are skipped: what is declared inside them is not found by name. Types get a hash of their layout, by which the
//! same type in many units is recognised. Equal hashes mean equal layouts; different ones are compared member by member later.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

use gimli::{AttributeValue, DwTag, RunTimeEndian, UnitOffset};

use super::{DECLARATION, EXTERNAL, NO_PLACE};
use crate::dwarf::{self, EntrySection, Reference};
use crate::symtab::MAX_NAME;
use crate::types::{NameKind, TypeRef};

pub(crate) type Slice<'a> = gimli::EndianSlice<'a, RunTimeEndian>;

/// Namespaces and classes are followed to this depth.
const MAX_SCOPES: usize = 64;
/// Layouts are followed through members to this depth.
const MAX_DEPTH: usize = 24;

/// A name that a unit defines.
pub(crate) struct Name<'a> {
    pub name: Cow<'a, [u8]>,
    pub kind: NameKind,
    pub flags: u8,
    pub at: TypeRef,
    /// Equal for definitions that need not be told apart.
    pub hash: u64,
}

/// What ends the reading of a unit early.
pub(crate) enum Stop {
    Damaged(u64, gimli::Error),
    Timeout,
}

/// What a unit contains.
#[derive(Default)]
pub(crate) struct Scanned<'a> {
    pub names: Vec<Name<'a>>,
    pub imports: Vec<TypeRef>,
    /// Type units that it refers to, by signature.
    pub signatures: HashSet<u64>,
}

/// Looks up the name of an entry elsewhere, for entries that refer to their declaration.
pub(crate) type NameElsewhere<'f, 'a> = &'f dyn Fn(TypeRef) -> Option<&'a [u8]>;

/// Reads the unit. What was found before an error is kept in `out`.
pub(crate) fn scan_unit<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    unit: &gimli::Unit<Slice<'a>>,
    section: EntrySection,
    elsewhere: NameElsewhere<'_, 'a>,
    deadline: Option<Instant>,
    out: &mut Scanned<'a>,
) -> Result<(), Stop> {
    let mut scanner = Scanner {
        dwarf,
        unit,
        section,
        start: unit.header.offset().0,
        elsewhere,
        scopes: Vec::new(),
        is_c: false,
        records: Vec::new(),
        declared: HashMap::new(),
        pending: Vec::new(),
        out,
    };
    let result = scanner.run(deadline);
    scanner.finish();
    result
}

/// The attributes that matter here.
#[derive(Default)]
struct Attributes<'a> {
    name: Option<AttributeValue<Slice<'a>>>,
    linkage_name: Option<AttributeValue<Slice<'a>>>,
    ty: Option<AttributeValue<Slice<'a>>>,
    origin: Option<AttributeValue<Slice<'a>>>,
    import: Option<AttributeValue<Slice<'a>>>,
    member_location: Option<AttributeValue<Slice<'a>>>,
    sibling: Option<usize>,
    /// Size, bit offsets, counts, encodings: everything that makes layouts differ, hashed together.
    numbers: u64,
    declaration: bool,
    external: bool,
    has_place: bool,
    scoped_enum: bool,
    signature: Option<u64>,
    is_c: bool,
}

/// A type's part in layouts.
struct Record<'a> {
    offset: usize,
    tag: DwTag,
    name: Option<&'a [u8]>,
    declaration: bool,
    own: u64,
    refs: Vec<Option<Reference>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Unknown,
    Running,
    Known(u64),
}

struct Scope {
    depth: isize,
    /// Namespace and class names with their `::`, for C++.
    prefix: Vec<u8>,
    /// The record of the type whose members follow.
    record: Option<usize>,
    scoped_enum: bool,
}

struct Pending<'a> {
    name: Cow<'a, [u8]>,
    kind: NameKind,
    flags: u8,
    record: usize,
}

struct Scanner<'s, 'f, 'a> {
    dwarf: &'s gimli::Dwarf<Slice<'a>>,
    unit: &'s gimli::Unit<Slice<'a>>,
    section: EntrySection,
    start: usize,
    elsewhere: NameElsewhere<'f, 'a>,
    scopes: Vec<Scope>,
    /// C has one namespace, wherever a definition stands.
    is_c: bool,
    records: Vec<Record<'a>>,
    /// Qualified names of what namespaces and classes declare, for definitions outside of them.
    declared: HashMap<usize, Vec<u8>>,
    pending: Vec<Pending<'a>>,
    out: &'s mut Scanned<'a>,
}

impl<'a> Scanner<'_, '_, 'a> {
    fn run(&mut self, deadline: Option<Instant>) -> Result<(), Stop> {
        let start = self.start as u64;
        let damaged =
            move |at: UnitOffset<usize>, e| Stop::Damaged(start.saturating_add(at.0 as u64), e);
        let mut raw = self
            .unit
            .entries_raw(None)
            .map_err(|e| damaged(UnitOffset(0), e))?;
        // Depth of the unit in the present reader, which starts at zero after each jump.
        let mut base = 0isize;
        let mut steps = 0u32;
        while !raw.is_empty() {
            steps = steps.wrapping_add(1);
            if steps.is_multiple_of(4096) && deadline.is_some_and(|d| Instant::now() > d) {
                return Err(Stop::Timeout);
            }
            let at = raw.next_offset();
            let depth = base + raw.next_depth();
            let Some(abbrev) = raw.read_abbreviation().map_err(|e| damaged(at, e))? else {
                if base + raw.next_depth() <= 0 {
                    return Ok(());
                }
                continue;
            };
            let mut attributes = Attributes::default();
            for &spec in abbrev.attributes() {
                let attribute = raw
                    .read_attribute_inline(spec)
                    .map_err(|e| damaged(at, e))?;
                if let AttributeValue::DebugTypesRef(signature) = attribute.raw_value() {
                    self.out.signatures.insert(signature.0);
                }
                attributes.take(&attribute, self.unit);
            }
            while self.scopes.last().is_some_and(|s| s.depth >= depth) {
                self.scopes.pop();
            }
            let scope = self.visit(abbrev.tag(), at.0, &attributes);
            if !abbrev.has_children() {
                continue;
            }
            match scope.filter(|_| self.scopes.len() < MAX_SCOPES) {
                Some((prefix, record)) => self.scopes.push(Scope {
                    depth,
                    prefix,
                    record,
                    scoped_enum: attributes.scoped_enum,
                }),
                // The children are of no interest.
                None => match attributes.sibling.filter(|&s| s > raw.next_offset().0) {
                    Some(next) => {
                        raw = self
                            .unit
                            .entries_raw(Some(UnitOffset(next)))
                            .map_err(|e| damaged(at, e))?;
                        base = depth;
                    }
                    None => {
                        while !raw.is_empty() && base + raw.next_depth() > depth {
                            let at = raw.next_offset();
                            if let Some(abbrev) =
                                raw.read_abbreviation().map_err(|e| damaged(at, e))?
                            {
                                raw.skip_attributes(abbrev.attributes())
                                    .map_err(|e| damaged(at, e))?;
                            }
                        }
                    }
                },
            }
        }
        Ok(())
    }

    /// Notes one entry. Returns the scope to open if its children matter.
    fn visit(
        &mut self,
        tag: DwTag,
        offset: usize,
        a: &Attributes<'a>,
    ) -> Option<(Vec<u8>, Option<usize>)> {
        let plain = || Some((Vec::new(), None));
        match tag {
            gimli::DW_TAG_compile_unit
            | gimli::DW_TAG_partial_unit
            | gimli::DW_TAG_type_unit
            | gimli::DW_TAG_skeleton_unit => {
                self.is_c = a.is_c;
                plain()
            }
            gimli::DW_TAG_namespace | gimli::DW_TAG_module => {
                let name = self
                    .text(a.name.as_ref())
                    .unwrap_or(b"(anonymous namespace)");
                Some((self.inner_prefix(name), None))
            }
            gimli::DW_TAG_imported_unit => {
                if let Some(Reference::Entry(at)) = self.reference(a.import.as_ref()) {
                    self.out.imports.push(at);
                }
                None
            }
            gimli::DW_TAG_structure_type
            | gimli::DW_TAG_class_type
            | gimli::DW_TAG_interface_type => self.tagged(tag, NameKind::Struct, offset, a),
            gimli::DW_TAG_union_type => self.tagged(tag, NameKind::Union, offset, a),
            gimli::DW_TAG_enumeration_type => self.tagged(tag, NameKind::Enum, offset, a),
            gimli::DW_TAG_base_type => {
                let record = self.record(tag, offset, a);
                self.announce(NameKind::Base, a, 0, record);
                None
            }
            gimli::DW_TAG_typedef | gimli::DW_TAG_template_alias => {
                let record = self.record(tag, offset, a);
                self.announce(NameKind::Typedef, a, 0, record);
                None
            }
            gimli::DW_TAG_array_type | gimli::DW_TAG_subroutine_type => {
                let record = self.record(tag, offset, a);
                Some((Vec::new(), Some(record)))
            }
            gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type
            | gimli::DW_TAG_const_type
            | gimli::DW_TAG_volatile_type
            | gimli::DW_TAG_restrict_type
            | gimli::DW_TAG_atomic_type
            | gimli::DW_TAG_ptr_to_member_type
            | gimli::DW_TAG_unspecified_type => {
                self.record(tag, offset, a);
                None
            }
            gimli::DW_TAG_member
            | gimli::DW_TAG_inheritance
            | gimli::DW_TAG_subrange_type
            | gimli::DW_TAG_formal_parameter => {
                self.part(tag, a);
                None
            }
            gimli::DW_TAG_enumerator => {
                self.enumerator(a);
                None
            }
            gimli::DW_TAG_variable => {
                self.object(NameKind::Variable, offset, a);
                None
            }
            gimli::DW_TAG_subprogram => {
                self.object(NameKind::Function, offset, a);
                None
            }
            _ => None,
        }
    }

    fn text(&self, value: Option<&AttributeValue<Slice<'a>>>) -> Option<&'a [u8]> {
        let bytes = self.dwarf.attr_string(self.unit, *value?).ok()?.slice();
        let bytes = bytes.get(..bytes.len().min(MAX_NAME))?;
        (!bytes.is_empty()).then_some(bytes)
    }

    fn reference(&self, value: Option<&AttributeValue<Slice<'a>>>) -> Option<Reference> {
        dwarf::reference(self.section, self.start, value?)
    }

    fn inner_prefix(&self, name: &[u8]) -> Vec<u8> {
        let mut prefix = self.scopes.last().map_or(Vec::new(), |s| s.prefix.clone());
        if !self.is_c && prefix.len() + name.len() < MAX_NAME {
            prefix.extend_from_slice(name);
            prefix.extend_from_slice(b"::");
        }
        prefix
    }

    fn qualified(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        match self.scopes.last() {
            Some(scope) if !scope.prefix.is_empty() => {
                let mut full = scope.prefix.clone();
                full.extend_from_slice(name);
                Cow::Owned(full)
            }
            _ => Cow::Borrowed(name),
        }
    }

    fn record(&mut self, tag: DwTag, offset: usize, a: &Attributes<'a>) -> usize {
        self.records.push(Record {
            offset,
            tag,
            name: self.text(a.name.as_ref()),
            // With a signature, the definition is known: that of the type unit.
            declaration: a.declaration && a.signature.is_none(),
            own: mix(mix(a.numbers, u64::from(tag.0)), a.signature.unwrap_or(0)),
            refs: match &a.ty {
                Some(value) => vec![self.reference(Some(value))],
                None => Vec::new(),
            },
            state: State::Unknown,
        });
        self.records.len() - 1
    }

    fn announce(&mut self, kind: NameKind, a: &Attributes<'a>, flags: u8, record: usize) {
        if let Some(name) = self.text(a.name.as_ref()) {
            let name = self.qualified(name);
            self.pending.push(Pending {
                name,
                kind,
                flags,
                record,
            });
        }
    }

    /// A structure, union or enumeration.
    fn tagged(
        &mut self,
        tag: DwTag,
        kind: NameKind,
        offset: usize,
        a: &Attributes<'a>,
    ) -> Option<(Vec<u8>, Option<usize>)> {
        let record = self.record(tag, offset, a);
        let flags = if a.declaration { DECLARATION } else { 0 };
        // A declaration that carries a signature stands for the definition in its type unit, which is found by itself.
        if !(a.declaration && a.signature.is_some()) {
            self.announce(kind, a, flags, record);
        }
        let name = self.text(a.name.as_ref()).unwrap_or_default();
        // Only C++ nests definitions; an anonymous aggregate adds nothing to the names inside.
        let prefix = match (name.is_empty(), kind) {
            (true, _) => self.scopes.last().map_or(Vec::new(), |s| s.prefix.clone()),
            (false, _) => self.inner_prefix(name),
        };
        Some((prefix, Some(record)))
    }

    /// A member, base class, dimension or parameter of the type whose children are being read.
    fn part(&mut self, tag: DwTag, a: &Attributes<'a>) {
        let name = self.text(a.name.as_ref());
        let reference = self.reference(a.ty.as_ref());
        let owner = self.scopes.last().and_then(|s| s.record);
        let Some(record) = owner.and_then(|r| self.records.get_mut(r)) else {
            return;
        };
        let location = match &a.member_location {
            Some(value) => dwarf::member_offset(value, self.unit.encoding()).unwrap_or(u64::MAX),
            None => 0,
        };
        // The parameters' names do not matter to a function's type.
        let name = if tag == gimli::DW_TAG_formal_parameter {
            None
        } else {
            name
        };
        let mut own = mix(record.own, u64::from(tag.0));
        own = mix(own, name.map_or(0, hash_bytes));
        own = mix(own, a.numbers);
        record.own = mix(own, location);
        record.refs.push(reference);
    }

    fn enumerator(&mut self, a: &Attributes<'a>) {
        let Some(name) = self.text(a.name.as_ref()) else {
            return;
        };
        let Some((scope, below)) = self.scopes.split_last() else {
            return;
        };
        // Constants of a C enumeration stand in the scope around it; those of an `enum class` in its own.
        let prefix: &[u8] = if scope.scoped_enum {
            &scope.prefix
        } else {
            below.last().map_or(&[], |s| &s.prefix)
        };
        let full = if prefix.is_empty() {
            Cow::Borrowed(name)
        } else {
            Cow::Owned([prefix, name].concat())
        };
        let Some(record) = scope.record.and_then(|r| self.records.get_mut(r)) else {
            return;
        };
        record.own = mix(mix(record.own, hash_bytes(name)), a.numbers);
        let offset = record.offset;
        if let Some(at) = self.at(offset) {
            self.out.names.push(Name {
                name: full,
                kind: NameKind::Enumerator,
                flags: 0,
                at,
                hash: mix(a.numbers, 1),
            });
        }
    }

    fn at(&self, offset: usize) -> Option<TypeRef> {
        TypeRef::new(self.section, self.start.checked_add(offset)? as u64)
    }

    /// A variable or a function.
    fn object(&mut self, kind: NameKind, offset: usize, a: &Attributes<'a>) {
        let mut flags = if a.external { EXTERNAL } else { 0 };
        if a.declaration {
            flags |= DECLARATION;
        } else if !a.has_place {
            flags |= NO_PLACE;
        }
        let in_class = self.scopes.last().is_some_and(|s| s.record.is_some());
        let own_name = self.text(a.name.as_ref()).map(|n| self.qualified(n));
        if let Some(Cow::Owned(full)) = &own_name {
            self.declared.insert(offset, full.clone());
        }
        // Methods and static members are found by their definitions.
        if in_class && a.declaration {
            return;
        }
        let Some(at) = self.at(offset) else {
            return;
        };
        let name = own_name.or_else(|| {
            let Reference::Entry(origin) = self.reference(a.origin.as_ref())? else {
                return None;
            };
            let local = (origin.section() == Some(self.section))
                .then(|| {
                    usize::try_from(origin.offset())
                        .ok()?
                        .checked_sub(self.start)
                })
                .flatten();
            match local.and_then(|o| self.declared.get(&o)) {
                Some(full) => Some(Cow::Owned(full.clone())),
                None => (self.elsewhere)(origin).map(Cow::Borrowed),
            }
        });
        // Each place is a definition of its own; of declarations one is enough.
        let hash = if flags & (DECLARATION | NO_PLACE) == 0 {
            mix(at.raw(), 2)
        } else {
            0
        };
        let linkage = self.text(a.linkage_name.as_ref());
        for name in [name, linkage.map(Cow::Borrowed)].into_iter().flatten() {
            self.out.names.push(Name {
                name,
                kind,
                flags,
                at,
                hash,
            });
        }
    }

    fn finish(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let hash = self.layout(pending.record, 0);
            let mut flags = pending.flags;
            if pending.kind == NameKind::Typedef && self.names_declaration(pending.record) {
                flags |= DECLARATION;
            }
            let offset = self.records.get(pending.record).map(|r| r.offset);
            if let Some(at) = offset.and_then(|o| self.at(o)) {
                self.out.names.push(Name {
                    name: pending.name,
                    kind: pending.kind,
                    flags,
                    at,
                    hash,
                });
            }
        }
    }

    fn find(&self, reference: Reference) -> Option<usize> {
        let Reference::Entry(at) = reference else {
            return None;
        };
        if at.section() != Some(self.section) {
            return None;
        }
        let offset = usize::try_from(at.offset()).ok()?.checked_sub(self.start)?;
        self.records
            .binary_search_by_key(&offset, |r| r.offset)
            .ok()
    }

    /// Whether a typedef leads to a type that this unit only declares.
    fn names_declaration(&self, record: usize) -> bool {
        let mut at = Some(record);
        for _ in 0..MAX_DEPTH {
            let Some(record) = at.and_then(|i| self.records.get(i)) else {
                return false;
            };
            if record.declaration {
                return true;
            }
            let passes_on = matches!(
                record.tag,
                gimli::DW_TAG_typedef
                    | gimli::DW_TAG_const_type
                    | gimli::DW_TAG_volatile_type
                    | gimli::DW_TAG_restrict_type
                    | gimli::DW_TAG_atomic_type
            );
            if !passes_on {
                return false;
            }
            at = record
                .refs
                .first()
                .copied()
                .flatten()
                .and_then(|r| self.find(r));
        }
        false
    }

    /// The hash of a type's layout, members' types included.
    fn layout(&mut self, index: usize, depth: usize) -> u64 {
        let Some(record) = self.records.get_mut(index) else {
            return 0;
        };
        match record.state {
            State::Known(hash) => return hash,
            State::Running => return 3,
            State::Unknown if depth >= MAX_DEPTH => return 4,
            State::Unknown => record.state = State::Running,
        }
        let mut hash = mix(record.own, record.name.map_or(0, hash_bytes));
        let is_pointer = is_pointer(record.tag);
        let refs = std::mem::take(&mut record.refs);
        for reference in &refs {
            hash = mix(
                hash,
                match reference {
                    None => 5,
                    Some(r) if is_pointer => self.target(*r, 0),
                    Some(r) => match self.find(*r) {
                        Some(inner) => self.layout(inner, depth + 1),
                        None => elsewhere(*r),
                    },
                },
            );
        }
        if let Some(record) = self.records.get_mut(index) {
            record.refs = refs;
            record.state = State::Known(hash);
        }
        hash
    }

    /// What a pointer points to, by name only: its layout is not a part of the pointer's.
    fn target(&self, reference: Reference, depth: usize) -> u64 {
        let Some(record) = self.find(reference).and_then(|i| self.records.get(i)) else {
            return elsewhere(reference);
        };
        if let Some(name) = record.name {
            return mix(hash_bytes(name), u64::from(record.tag.0));
        }
        match record.refs.first() {
            Some(Some(inner)) if depth < MAX_DEPTH => {
                mix(self.target(*inner, depth + 1), u64::from(record.tag.0))
            }
            _ => u64::from(record.tag.0),
        }
    }
}

fn is_pointer(tag: DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type
            | gimli::DW_TAG_ptr_to_member_type
    )
}

fn elsewhere(reference: Reference) -> u64 {
    match reference {
        Reference::Entry(at) => mix(at.raw(), 6),
        Reference::Signature(signature) => mix(signature, 7),
    }
}

impl<'a> Attributes<'a> {
    fn take(&mut self, attribute: &gimli::Attribute<Slice<'a>>, unit: &gimli::Unit<Slice<'a>>) {
        let value = attribute.value();
        match attribute.name() {
            gimli::DW_AT_name => self.name = Some(value),
            gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                self.linkage_name = Some(value)
            }
            gimli::DW_AT_type => self.ty = Some(value),
            gimli::DW_AT_specification | gimli::DW_AT_abstract_origin => self.origin = Some(value),
            gimli::DW_AT_import => self.import = Some(value),
            gimli::DW_AT_data_member_location => self.member_location = Some(value),
            gimli::DW_AT_sibling => {
                if let AttributeValue::UnitRef(next) = value {
                    self.sibling = Some(next.0);
                }
            }
            gimli::DW_AT_declaration => {
                self.declaration = matches!(value, AttributeValue::Flag(true))
            }
            gimli::DW_AT_external => self.external = matches!(value, AttributeValue::Flag(true)),
            gimli::DW_AT_enum_class => {
                self.scoped_enum = matches!(value, AttributeValue::Flag(true))
            }
            gimli::DW_AT_signature => {
                if let AttributeValue::DebugTypesRef(signature) = value {
                    self.signature = Some(signature.0);
                }
            }
            gimli::DW_AT_language => {
                self.is_c = matches!(
                    value,
                    AttributeValue::Language(
                        gimli::DW_LANG_C
                            | gimli::DW_LANG_C89
                            | gimli::DW_LANG_C99
                            | gimli::DW_LANG_C11
                            | gimli::DW_LANG_C17
                    )
                );
            }
            gimli::DW_AT_low_pc | gimli::DW_AT_ranges | gimli::DW_AT_location => {
                // A function of size zero at address zero was discarded by the linker.
                let discarded = matches!(value, AttributeValue::Addr(0))
                    || matches!(&value, AttributeValue::Addr(a) if unit.header.is_tombstone_address(*a));
                let empty = matches!(&value, AttributeValue::Exprloc(e) if e.0.is_empty());
                self.has_place |= !discarded && !empty;
            }
            gimli::DW_AT_const_value => {
                self.has_place = true;
                self.number(attribute.name(), &value);
            }
            gimli::DW_AT_byte_size
            | gimli::DW_AT_bit_size
            | gimli::DW_AT_bit_offset
            | gimli::DW_AT_data_bit_offset
            | gimli::DW_AT_encoding
            | gimli::DW_AT_count
            | gimli::DW_AT_upper_bound => self.number(attribute.name(), &value),
            _ => {}
        }
    }

    fn number(&mut self, name: gimli::DwAt, value: &AttributeValue<Slice<'a>>) {
        let number = match value {
            AttributeValue::Encoding(e) => u64::from(e.0),
            AttributeValue::Sdata(v) => *v as u64,
            other => other.udata_value().unwrap_or(u64::MAX),
        };
        self.numbers = mix(mix(self.numbers, u64::from(name.0)), number);
    }
}

/// One step of an FxHash-like hash: fast, and only ever compared with hashes of the same file.
fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95)
}

fn hash_bytes(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let hash = chunks
        .iter()
        .fold(bytes.len() as u64, |h, c| mix(h, u64::from_le_bytes(*c)));
    rest.iter().fold(hash, |h, &b| mix(h, u64::from(b)))
}
