//! The functions of a module by name: their code under all names, the copies and parts that compilers make of them, and
//! what they take and return.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::demangle::{demangle, qualified, split_clone, with_parameters};
use crate::error::Result;
use crate::module::{Module, function_of};
use crate::objects::Function;
use crate::symtab::{Symbol, SymbolKind};
use crate::types::NameKind;

/// Names of one place that are listed.
const MAX_ALIASES: usize = 64;

/// A piece of code that is entered at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The symbol, or the name in the debug information where there is none.
    pub symbol: String,
    /// Its first instruction (svma).
    pub address: u64,
    /// Where that is in the file; `None` where the file does not hold it.
    pub file_offset: Option<u64>,
    /// Size of the code in bytes; zero where unknown.
    pub size: u64,
}

/// A function that can be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeFunction {
    /// Its name as people write it: with scopes, without parameters. Of several for one place, the one that was asked for, else the one
    /// with the fewest leading underscores.
    pub name: String,
    /// The version of its symbol, where it has one, and whether it is the default one.
    pub version: Option<(String, bool)>,
    /// Its other names, sorted.
    pub aliases: Vec<String>,
    /// Its own code. `None` where there are only copies (`clones`), or it exists only inlined.
    pub body: Option<Body>,
    /// What the compiler made of it for some callers under names of their own (`f.constprop.0`, `f.isra.0`). Arguments need not be where
    /// the ABI says.
    pub clones: Vec<Body>,
    /// Pieces of it that it, or whoever it was inlined into, calls (`f.part.0`): a call of one is no call of the function.
    pub parts: Vec<Body>,
    /// The address is that of a resolver, which picks the implementation when the program is loaded; `body` is the resolver. See
    /// [`Module::implementations`].
    pub indirect: bool,
    /// Visible to other modules or units.
    pub external: bool,
    /// What the debug information tells of it.
    pub prototype: Option<Function>,
}

/// A function and the other code that its calls may enter: the copies that the compiler has made of it for some callers, or what the
/// dynamic linker may pick for one that is indirect. Whoever waits for calls of the function waits for all of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedFunction {
    /// The function. Where it has no code of its own, the first of its copies or implementations.
    pub function: Function,
    /// The (other) copies or implementations: each with its symbol, its first instruction (svma), and what the debug information tells
    /// of it.
    pub copies: Vec<(String, u64, Option<Function>)>,
    /// Symbols of copies of which it is not known whether they are of this function or of another one of its name.
    pub unclear: Vec<String>,
}

/// What is being gathered for one address.
#[derive(Default)]
struct Place {
    symbols: Vec<Symbol>,
    /// By name in the debug information.
    known: Option<Function>,
}

/// Which functions are looked for.
#[derive(Clone, Copy)]
enum Query<'q> {
    /// Those of one name, which may have a version.
    Name(&'q str),
    /// Those whose names are told by the caller.
    Matching(&'q dyn Fn(&str) -> bool),
}

impl ProbeFunction {
    /// One of a name of which no code is known, nor anything but what the debug information tells.
    fn without_code(name: String, prototype: Option<Function>) -> Self {
        Self {
            name,
            version: None,
            aliases: Vec::new(),
            body: None,
            clones: Vec::new(),
            parts: Vec::new(),
            indirect: false,
            external: false,
            prototype,
        }
    }

    /// The code that a call of the function enters: its own, then that of its copies. A resolver is another function.
    pub fn entered(&self) -> impl Iterator<Item = &Body> {
        let own = self.body.iter().filter(|_| !self.indirect);
        own.chain(&self.clones)
    }

    /// Whether it is of a unit, by the end of that's name; what is said to be of no unit is of any that is asked for.
    fn is_of_unit(&self, unit: Option<&str>) -> bool {
        let own = self
            .prototype
            .as_ref()
            .and_then(|known| known.unit.as_deref());
        let (Some(own), Some(unit)) = (own, unit) else {
            return true;
        };
        let before = own.strip_suffix(unit);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }
}

impl<'q> Query<'q> {
    /// The one name, without version.
    fn name(self) -> Option<&'q str> {
        match self {
            Query::Name(name) => Some(name.split_once('@').map_or(name, |(bare, _)| bare)),
            Query::Matching(_) => None,
        }
    }

    fn is(self, name: &str) -> bool {
        match self {
            Query::Name(_) => self.name() == Some(name),
            Query::Matching(matches) => matches(name),
        }
    }

    /// Whether a symbol or a name of the debug information is meant: as it is, without what compilers add, or as programmers write it.
    fn matches(self, name: &str) -> bool {
        self.is(name) || self.is(split_clone(name).0) || self.matches_mangled(name)
    }

    fn matches_mangled(self, name: &str) -> bool {
        if !(name.starts_with("_Z") || name.starts_with("_R") || name.starts_with("__Z")) {
            return false;
        }
        let stem = split_clone(name).0;
        let short = qualified(stem);
        let long = || match self {
            Query::Name(_) => demangle(stem),
            // A pattern is of scope and name, which its result, of a template, does not begin.
            Query::Matching(_) => with_parameters(stem),
        };
        short != stem && (self.is(&short) || self.is(&long()))
    }
}

impl Module {
    /// The functions of a name: that of C, C++ or Rust (with scopes, without or with parameters), or a symbol, which may carry a version.
    /// Sorted by address. Parts that are never entered from outside (`f.cold`) are left out.
    ///
    /// # Errors
    /// The debug information is damaged.
    pub fn functions_named(&self, name: &str) -> Result<Vec<ProbeFunction>> {
        self.query_functions(Query::Name(name))
    }

    /// The functions whose names `matches` accepts, which is asked of each name in the forms of [`Module::functions_named`]. Sorted by
    /// name and address.
    ///
    /// # Errors
    /// The debug information is damaged.
    pub fn functions_matching(&self, matches: &dyn Fn(&str) -> bool) -> Result<Vec<ProbeFunction>> {
        self.query_functions(Query::Matching(matches))
    }

    /// The function of a name, as [`Module::function`] has it, with its copies. `Ok(None)` where it has no code, but maybe pieces.
    ///
    /// # Errors
    /// As [`Module::function`]; several copies of one function are not ambiguous.
    pub fn function_with_copies(
        &self,
        name: &str,
        unit: Option<&str>,
    ) -> Result<Option<CopiedFunction>> {
        let own = self.function(name, unit);
        if let Ok(Some(function)) = &own
            && let Some(resolver) = function.entry.filter(|_| function.indirect)
        {
            return Ok(self.resolved(function, resolver));
        }
        let entry = own.as_ref().ok().and_then(|own| own.as_ref()?.entry);
        let mut stems = vec![name.to_owned()];
        if let Some(entry) = entry {
            for symbol in self.tables().iter().flat_map(|table| table.at(entry)) {
                let stem = split_clone(&symbol.name).0.to_owned();
                if !stems.contains(&stem) && stems.len() < MAX_ALIASES {
                    stems.push(stem);
                }
            }
        }
        let asked_for_one = !split_clone(name).1.is_empty();
        stems.retain(|stem| !asked_for_one && self.has_clones(stem));
        let alone = |function| CopiedFunction {
            function,
            copies: Vec::new(),
            unclear: Vec::new(),
        };
        if stems.is_empty() {
            return Ok(own?.map(alone));
        }
        let mut found: Vec<ProbeFunction> = Vec::new();
        for stem in &stems {
            for function in self.functions_named(stem)? {
                if function.is_of_unit(unit) && !found.contains(&function) {
                    found.push(function);
                }
            }
        }
        let begins = |body: &Body| Some(body.address) == entry;
        let own_code = found.iter().find(|one| one.entered().any(begins));
        let is_piece = found.iter().any(|one| one.parts.iter().any(begins));
        let meant = match (own_code, &own) {
            (Some(meant), _) => meant,
            (None, Ok(Some(function))) if entry.is_some() && !is_piece => {
                return Ok(Some(alone(function.clone())));
            }
            _ => {
                let mut with_code = found.iter().filter(|one| one.entered().next().is_some());
                match (with_code.next(), with_code.next()) {
                    (Some(only), None) => only,
                    (None, _) => return Ok(own?.and(None)),
                    // Several of the name, and none is better than the others.
                    (Some(_), Some(_)) => return Ok(own?.filter(|_| !is_piece).map(alone)),
                }
            }
        };
        // Copies of which nothing tells to which of several functions of the name they belong.
        let unclear = found
            .iter()
            .filter(|one| one.name == meant.name && one.body.is_none() && *one != meant)
            .flat_map(|one| one.clones.iter().map(|copy| copy.symbol.clone()))
            .collect();
        let mut entered = meant.entered();
        let Some(first) = entered.next() else {
            return Ok(None);
        };
        let known = match own {
            Ok(Some(own)) if own.entry == Some(first.address) => Some(own),
            _ => self.described_at(&meant.name, first.address)?,
        };
        let known = known.or_else(|| meant.prototype.clone());
        let known = match known {
            Some(known) => known,
            None => match self.symbols_named(&first.symbol).into_iter().next() {
                Some(symbol) => function_of(symbol),
                None => return Ok(None),
            },
        };
        let function = Function {
            name: name.to_owned(),
            entry: Some(first.address),
            size: first.size,
            ..known
        };
        let mut copies = Vec::new();
        for copy in entered {
            let known = self.described_at(&meant.name, copy.address)?;
            copies.push((copy.symbol.clone(), copy.address, known));
        }
        Ok(Some(CopiedFunction {
            function,
            copies,
            unclear,
        }))
    }

    /// The implementations of an indirect function. `None` where it cannot be told what they are.
    fn resolved(&self, function: &Function, resolver: u64) -> Option<CopiedFunction> {
        let body = Body {
            symbol: function.name.clone(),
            address: resolver,
            file_offset: self.offset_of_address(resolver),
            size: function.size,
        };
        let mut found = self.implementations(&body).into_iter();
        let first = found.next()?;
        Some(CopiedFunction {
            function: Function {
                entry: Some(first.address),
                size: first.size,
                ..function.clone()
            },
            copies: found
                .map(|body| (body.symbol, body.address, None))
                .collect(),
            unclear: Vec::new(),
        })
    }

    /// What the debug information has of the function of a name whose code begins at an address.
    ///
    /// # Errors
    /// The debug information is damaged.
    pub fn described_at(&self, name: &str, entry: u64) -> Result<Option<Function>> {
        let functions = match self.debug()? {
            Some(debug) => debug.functions(name, None)?,
            None => Vec::new(),
        };
        Ok(functions
            .into_iter()
            .find(|function| function.entry == Some(entry)))
    }

    /// Whether there are symbols of copies or pieces of a function that has this symbol.
    fn has_clones(&self, stem: &str) -> bool {
        let is_clone = |name: &[u8]| {
            let rest = name.strip_prefix(stem.as_bytes());
            rest.is_some_and(|rest| rest.first() == Some(&b'.'))
        };
        self.tables().iter().any(|table| {
            let mut found = table
                .select(|kind, name| is_function(kind) && is_clone(name))
                .into_iter();
            found.any(|symbol| {
                let suffix = split_clone(&symbol.name).1;
                !suffix.is_empty() && !suffix.starts_with(".cold") && !is_label(suffix)
            })
        })
    }

    fn query_functions(&self, query: Query<'_>) -> Result<Vec<ProbeFunction>> {
        let mut places = self.places(query)?;
        let mut seen = DebugNames::default();
        let mut without_code = Vec::new();
        self.describe_places(query, &mut places, &mut seen, &mut without_code)?;
        let mut found = Vec::new();
        let mut clones: BTreeMap<String, Vec<(Body, Option<Function>)>> = BTreeMap::new();
        for (address, place) in places {
            let Some(function) = self.function_of_place(query, address, &place) else {
                continue;
            };
            let symbol = function.body.as_ref().map_or("", |b| &b.symbol);
            let (_, suffix) = split_clone(symbol);
            if suffix.is_empty() || is_label(suffix) {
                found.push(function);
            } else if let Some(body) = function.body {
                let list = clones.entry(function.name).or_default();
                list.push((body, function.prototype));
            }
        }
        for (name, bodies) in clones {
            attach(&mut found, &name, bodies);
        }
        for function in without_code {
            if found.iter().all(|f| f.name != function.name) {
                found.push(ProbeFunction {
                    external: function.external,
                    ..ProbeFunction::without_code(function.name.clone(), Some(function))
                });
            }
        }
        found.sort_by(|a, b| {
            let key = |f: &ProbeFunction| (f.body.as_ref().map(|b| b.address), f.version.clone());
            (&a.name, key(a)).cmp(&(&b.name, key(b)))
        });
        Ok(found)
    }

    /// The symbols of functions that match, by address.
    fn places(&self, query: Query<'_>) -> Result<BTreeMap<u64, Place>> {
        let mut symbols: Vec<Symbol> = Vec::new();
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        for table in self.tables() {
            let Query::Name(whole) = query else {
                symbols.extend(
                    table.select(|kind, name| is_function(kind) && query.matches(&text(name))),
                );
                continue;
            };
            symbols.extend(table.by_name(whole));
            // Its clones begin alike.
            let bare = query.name().unwrap_or(whole);
            symbols.extend(table.select(|kind, name| {
                is_function(kind)
                    && name
                        .strip_prefix(bare.as_bytes())
                        .is_some_and(|r| r.first() == Some(&b'.'))
                    && split_clone(&text(name)).0 == bare
            }));
        }
        // A name with scopes, or a function of C++ without one: its symbols are mangled.
        if symbols.is_empty() && query.name().is_some() {
            for table in self.tables() {
                symbols.extend(table.select(|kind, name| {
                    is_function(kind)
                        && name.starts_with(b"_")
                        && query.matches_mangled(&text(name))
                }));
            }
        }
        let mut places: BTreeMap<u64, Place> = BTreeMap::new();
        for symbol in symbols {
            let is_label = symbol.kind == SymbolKind::Untyped;
            if (!is_function(symbol.kind) && !is_label)
                || !self.holds_code(symbol.address)
                || split_clone(&symbol.name).1.starts_with(".cold")
            {
                continue;
            }
            let place = places.entry(symbol.address).or_default();
            if place.symbols.iter().all(|s| s.name != symbol.name) {
                place.symbols.push(symbol);
            }
        }
        // All other names of these places.
        for (&address, place) in &mut places {
            for table in self.tables() {
                for symbol in table.at(address) {
                    let known = place.symbols.iter().any(|s| s.name == symbol.name);
                    if !known && is_function(symbol.kind) && place.symbols.len() < MAX_ALIASES {
                        place.symbols.push(symbol);
                    }
                }
            }
            // One with a type and a size tells more than a label.
            place
                .symbols
                .sort_by_key(|s| (s.kind == SymbolKind::Untyped, s.size == 0));
        }
        Ok(places)
    }

    /// Adds what the debug information knows of the places, and the places that only it knows.
    fn describe_places(
        &self,
        query: Query<'_>,
        places: &mut BTreeMap<u64, Place>,
        seen: &mut DebugNames,
        without_code: &mut Vec<Function>,
    ) -> Result<()> {
        let Some(debug) = self.debug()? else {
            return Ok(());
        };
        let index = debug.index()?;
        let own: Vec<String> = match query {
            Query::Matching(_) => index
                .names(NameKind::Function)
                .filter(|name| query.matches(name))
                .map(str::to_owned)
                .collect(),
            // Debug information knows no versions.
            Query::Name(name) if name.contains('@') => Vec::new(),
            Query::Name(name) => vec![name.to_owned()],
        };
        for name in own {
            for function in seen.functions(self, &name)? {
                match function.entry.filter(|&e| self.holds_code(e)) {
                    Some(entry) => {
                        let place = places.entry(entry).or_default();
                        place.known.get_or_insert_with(|| function.clone());
                    }
                    None => {
                        // Declarations are of functions of other modules; what is only inlined has parameters but no place.
                        let is_new = without_code.iter().all(|f: &Function| f.name != name);
                        let shown = name == qualified(&name);
                        if is_new && shown && debug.is_inlined_only(function)? {
                            without_code.push(function.clone());
                        }
                    }
                }
            }
        }
        for (&address, place) in places.iter_mut() {
            if place.known.is_some() {
                continue;
            }
            for symbol in &place.symbols {
                if symbol.kind == SymbolKind::IndirectFunction {
                    // What is there is the resolver, which is another function.
                    break;
                }
                let stem = split_clone(&symbol.name).0;
                // Debug information need not have the mangled name; of overloads the address tells which it is.
                for name in [stem, &qualified(stem)] {
                    let functions = seen.functions(self, name)?;
                    let here = functions.iter().find(|f| f.entry == Some(address));
                    place.known = here.cloned();
                    if place.known.is_some() {
                        break;
                    }
                }
                if place.known.is_some() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn function_of_place(
        &self,
        query: Query<'_>,
        address: u64,
        place: &Place,
    ) -> Option<ProbeFunction> {
        let mut names: Vec<String> = Vec::new();
        for symbol in &place.symbols {
            // A mangled name keeps what was added to it: `ns::f.part.0`.
            let shown = qualified(split_clone(&symbol.name).0).into_owned();
            names.push(shown);
        }
        if let Some(known) = &place.known {
            names.push(qualified(&known.name).into_owned());
        }
        names.sort_unstable();
        names.dedup();
        let name = names
            .iter()
            .min_by_key(|name| {
                let asked = query.is(name);
                let underscores = name.bytes().take_while(|&b| b == b'_').count();
                (
                    query.name() != Some(name.as_str()),
                    !asked,
                    underscores,
                    name.len(),
                    (*name).clone(),
                )
            })?
            .clone();
        let aliases = names.into_iter().filter(|n| *n != name).collect();
        let symbol = place
            .symbols
            .iter()
            .find(|s| s.name == name)
            .or(place.symbols.first());
        let size = match (symbol, &place.known) {
            (Some(symbol), _) if symbol.size != 0 => symbol.size,
            (_, Some(known)) => known.size,
            _ => 0,
        };
        Some(ProbeFunction {
            version: symbol.and_then(|s| s.version.clone()),
            aliases,
            body: Some(Body {
                symbol: symbol.map_or_else(|| name.clone(), |s| s.name.clone()),
                address,
                file_offset: self.offset_of_address(address),
                size,
            }),
            indirect: place
                .symbols
                .iter()
                .any(|s| s.kind == SymbolKind::IndirectFunction),
            external: place.symbols.iter().any(|s| s.global)
                || place.known.as_ref().is_some_and(|f| f.external),
            ..ProbeFunction::without_code(name, place.known.clone())
        })
    }

    /// Whether the file holds code at an address.
    pub(super) fn holds_code(&self, address: u64) -> bool {
        self.code_from(address).is_some_and(|code| !code.is_empty())
    }

    /// Names of functions that resemble one that was not found, best first, a handful at most: of the debug information, else of
    /// symbols.
    ///
    /// # Errors
    /// The debug information cannot be indexed.
    pub fn suggest_functions(&self, name: &str) -> Result<Vec<String>> {
        self.suggest(NameKind::Function, name.trim_matches(['*', '?']))
    }
}

/// What the debug information has under each name, read once.
#[derive(Default)]
struct DebugNames(HashMap<String, Vec<Function>>);

impl DebugNames {
    fn functions(&mut self, module: &Module, name: &str) -> Result<&[Function]> {
        if !self.0.contains_key(name) {
            let found = match module.debug()? {
                Some(debug) => debug.functions(name, None)?,
                None => Vec::new(),
            };
            self.0.insert(name.to_owned(), found);
        }
        Ok(self.0.get(name).map_or(&[], Vec::as_slice))
    }
}

fn is_function(kind: SymbolKind) -> bool {
    matches!(kind, SymbolKind::Function | SymbolKind::IndirectFunction)
}

/// Suffixes that stand for the function itself, renamed: by link-time optimisation, or as a local alias.
pub(crate) fn is_label(suffix: &str) -> bool {
    [".lto_priv.", ".llvm.", ".localalias"]
        .iter()
        .any(|s| suffix.starts_with(s))
        && ![".part.", ".constprop.", ".isra.", ".specialized."]
            .iter()
            .any(|s| suffix.contains(s))
}

/// Whether a suffix is of a piece of a function, or of a copy of a piece.
fn is_part(suffix: &str) -> bool {
    suffix.contains(".part.") || suffix.contains(".cold")
}

/// Gives clones to the function that they were made of: the one of that name in the same unit, else the only one, else one without code
/// of its own.
fn attach(found: &mut Vec<ProbeFunction>, name: &str, bodies: Vec<(Body, Option<Function>)>) {
    let wholes: HashSet<usize> = (0..found.len())
        .filter(|&i| found.get(i).is_some_and(|f| f.name == name))
        .collect();
    for (body, known) in bodies {
        let unit = known.as_ref().and_then(|k| k.unit.clone());
        let of_unit = |i: &usize| {
            let prototype = found.get(*i).and_then(|f| f.prototype.as_ref());
            unit.is_some() && prototype.is_some_and(|p| p.unit == unit)
        };
        let owner = wholes
            .iter()
            .copied()
            .find(of_unit)
            .or_else(|| wholes.iter().copied().next().filter(|_| wholes.len() == 1));
        let orphan = || {
            found
                .iter()
                .position(|f| f.name == name && f.body.is_none() && same_unit(f, unit.as_deref()))
        };
        let owner = owner.or_else(orphan);
        let new = || ProbeFunction::without_code(name.to_owned(), known);
        let at = owner.unwrap_or_else(|| {
            found.push(new());
            found.len() - 1
        });
        if let Some(function) = found.get_mut(at) {
            match is_part(split_clone(&body.symbol).1) {
                true => function.parts.push(body),
                false => function.clones.push(body),
            }
        }
    }
}

fn same_unit(function: &ProbeFunction, unit: Option<&str>) -> bool {
    let own = function.prototype.as_ref().and_then(|p| p.unit.as_deref());
    own == unit
}
