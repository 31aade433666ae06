//! What of a target can be probed and read: functions, static probes, variables and types whose names match.
//!
//! [`list`] takes names as probe points are written: `malloc`, `` `ngx_http_*` ``, `libssl.so.3::SSL_*`, `_exe::main`, and
//! `usdt:provider:name`, `struct x*`, `union x*`, `enum x*` for one kind alone.

pub(crate) mod declare;

use std::path::Path;

use ytrace_debuginfo::{self as debuginfo, NameKind, ParameterPlace, Serves};
use ytrace_lang::abi;
use ytrace_lang::target::matches_pattern;

use crate::error::SessionError;
use crate::names::{LoadedModule, Names, Opened};
use crate::options::Options;
use declare::Declarations;

pub use ytrace_debuginfo::{
    Body, KernelRules, Location, ProbeFunction, Site, SiteKind, StaticArgument,
};

/// Which kinds are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// Functions.
    pub functions: bool,
    /// Static probes.
    pub statics: bool,
    /// Variables.
    pub variables: bool,
    /// Types.
    pub types: bool,
}

impl Kinds {
    /// All of them.
    pub const ALL: Kinds = Kinds {
        functions: true,
        statics: true,
        variables: true,
        types: true,
    };
    const NONE: Kinds = Kinds {
        functions: false,
        statics: false,
        variables: false,
        types: false,
    };
}

/// What matches a pattern.
#[derive(Debug, Default)]
pub struct Listing {
    /// Functions, by module and name.
    pub functions: Vec<ListedFunction>,
    /// Static probes, by module, provider, name and address.
    pub statics: Vec<ListedStatic>,
    /// Variables, by module and name.
    pub variables: Vec<ListedVariable>,
    /// Types, by module and name.
    pub types: Vec<ListedType>,
    /// What could not be read, each as a sentence.
    pub problems: Vec<String>,
    /// Where nothing matches: names that resemble the one that was asked for, best first.
    pub similar: Vec<String>,
}

impl Listing {
    /// How many entries there are.
    pub fn count(&self) -> usize {
        self.functions.len() + self.statics.len() + self.variables.len() + self.types.len()
    }
}

/// A function.
#[derive(Debug)]
pub struct ListedFunction {
    /// Its module's name.
    pub module: String,
    /// As the head of a probe: `libc.so.6::malloc(size_t bytes) -> void *r`; `(...)` where parameters are not known.
    pub head: String,
    /// What is known of its code.
    pub function: ProbeFunction,
    /// More, where it was asked for.
    pub details: Option<Details>,
}

/// More about a function.
#[derive(Debug)]
pub struct Details {
    /// Where it begins in the source: file and line.
    pub source: Option<(String, u32)>,
    /// Address of its code in the target less that in the file.
    pub bias: u64,
    /// Where a probe of its entry goes; none where it has no code of its own.
    pub site: Option<Result<Site, String>>,
    /// Where one of entry and return goes.
    pub return_site: Option<Result<Site, String>>,
    /// What an indirect function may be.
    pub implementations: Vec<Body>,
    /// The copies that the compiler has made of it for some callers, which are probed with it.
    pub copies: Vec<ListedCopy>,
    /// Copies of it in other functions: the address, and the function.
    pub inlined: Vec<(u64, Option<String>)>,
}

/// A copy of a function.
#[derive(Debug)]
pub struct ListedCopy {
    /// Its parameters and where it has them; none where the debug information does not tell.
    pub parameters: Vec<(String, String)>,
    /// Where a probe of its entry goes.
    pub site: Result<Site, String>,
    /// Where one of entry and return goes.
    pub return_site: Result<Site, String>,
}

/// A place of a static probe.
#[derive(Debug)]
pub struct ListedStatic {
    /// Its module's name.
    pub module: String,
    /// As the head of a probe: `_usdt("libc:memory_heap_new")(arg0, arg1)`.
    pub head: String,
    /// Who provides it.
    pub provider: String,
    /// Its name.
    pub name: String,
    /// Where it is (svma).
    pub address: u64,
    /// Whether it must be switched on by a semaphore.
    pub semaphore: bool,
    /// Its arguments.
    pub arguments: Vec<StaticArgument>,
    /// Where a probe goes, and why.
    pub site: Result<Site, String>,
}

/// A variable.
#[derive(Debug)]
pub struct ListedVariable {
    /// Its module's name.
    pub module: String,
    /// Its name.
    pub name: String,
    /// As a declaration: `ngx_cycle_t *nginx::ngx_cycle`.
    pub declaration: String,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// Where it is.
    pub location: Location,
    /// The unit that defines it.
    pub unit: Option<String>,
}

/// A type.
#[derive(Debug)]
pub struct ListedType {
    /// Its module's name.
    pub module: String,
    /// Its name.
    pub name: String,
    /// As a declaration: `struct ngx_pool_s`, `typedef struct ngx_pool_s ngx_pool_t`.
    pub declaration: String,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// Its members, or its constants, where that was asked for.
    pub members: Vec<ListedMember>,
}

/// A member of a type, or a constant.
#[derive(Debug)]
pub struct ListedMember {
    /// The offset of the member in bytes, or the value of the constant.
    pub at: i128,
    /// Of a bit-field the bit of that byte at which it begins.
    pub bit: Option<u64>,
    /// As a declaration: `unsigned int low : 3`.
    pub declaration: String,
}

/// What a pattern asks for.
struct Wanted<'p> {
    /// The name or pattern without its module.
    name: &'p str,
    module: Option<&'p str>,
    /// The whole pattern where its first part has wildcards: that may mean scopes, too, as in `*::noise`.
    scoped: Option<&'p str>,
    kinds: Kinds,
    /// Which kinds of type.
    types: &'static [NameKind],
}

const TYPES: [NameKind; 5] = [
    NameKind::Struct,
    NameKind::Union,
    NameKind::Enum,
    NameKind::Typedef,
    NameKind::Base,
];

/// The names of a file without a process, with the debug files that `options` name.
///
/// # Errors
/// The file or what was named for it cannot be read.
pub fn of_file(path: &Path, options: &Options) -> Result<Names, SessionError> {
    let debug = crate::session::debug_options(options)?;
    Names::of_file(path, &debug).map_err(SessionError::DebugInfo)
}

/// What the kernel that runs now does with instructions, by its release.
#[must_use]
pub fn kernel_rules() -> KernelRules {
    match std::fs::read_to_string("/proc/sys/kernel/osrelease") {
        Ok(release) => KernelRules::of_release(release.trim()),
        Err(_) => KernelRules::of_release(""),
    }
}

/// Lists what matches `pattern`. With `details` sites, sources and members are looked up, which takes longer; `rules` are the kernel's,
/// for sites.
pub fn list(
    names: &Names,
    pattern: &str,
    kinds: Kinds,
    details: bool,
    rules: KernelRules,
) -> Listing {
    let wanted = Wanted::parse(pattern, kinds, names);
    let mut listing = Listing::default();
    for (index, module) in names.modules().iter().enumerate() {
        if module.file_name.is_empty() || wanted.module.is_some_and(|m| !is_named(names, index, m))
        {
            continue;
        }
        let opened = match names.open(index) {
            Ok(opened) => opened,
            Err(why) => {
                listing.problems.push(why.to_owned());
                continue;
            }
        };
        let of = OfModule {
            module,
            name: module_name(module, opened),
            opened,
            wanted: &wanted,
            details,
            rules,
            declarations: Declarations::new(&opened.info),
        };
        if let Err(error) = of.add(&mut listing) {
            listing.problems.push(error.to_string());
        }
    }
    if listing.count() == 0 {
        listing.similar = similar(names, &wanted);
    }
    listing
}

impl<'p> Wanted<'p> {
    fn parse(pattern: &'p str, kinds: Kinds, names: &Names) -> Self {
        let mut wanted = Wanted {
            name: pattern.trim(),
            module: None,
            scoped: None,
            kinds,
            types: &TYPES,
        };
        if let Some(name) = wanted.name.strip_prefix("usdt:") {
            wanted.name = name;
            wanted.kinds = Kinds {
                statics: true,
                ..Kinds::NONE
            };
            return wanted;
        }
        for (word, kind) in [
            ("struct ", &TYPES[..1]),
            ("union ", &TYPES[1..2]),
            ("enum ", &TYPES[2..3]),
        ] {
            if let Some(name) = wanted.name.strip_prefix(word) {
                wanted.name = name.trim_start();
                wanted.types = kind;
                wanted.kinds = Kinds {
                    types: true,
                    ..Kinds::NONE
                };
            }
        }
        // The first part is a module if there is one of that name; else it is a scope of C++ or Rust.
        if let Some((module, name)) = wanted.name.split_once("::") {
            let module = unquoted(module);
            let known = (0..names.modules().len()).any(|index| is_named(names, index, module));
            if known {
                wanted.scoped = is_pattern(module).then(|| unquoted(wanted.name));
                wanted.module = Some(module);
                wanted.name = name;
            }
        }
        wanted.name = unquoted(wanted.name);
        wanted
    }

    fn is_pattern(&self) -> bool {
        is_pattern(self.name) || self.scoped.is_some()
    }

    fn matches(&self, name: &str) -> bool {
        let whole = self.scoped;
        matches_pattern(self.name, name) || whole.is_some_and(|whole| matches_pattern(whole, name))
    }
}

/// Whether a name holds wildcards.
fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'))
        .unwrap_or(text)
}

/// Whether a module has a name, which may have wildcards: `_exe`, its file name, or its soname.
fn is_named(names: &Names, index: usize, wanted: &str) -> bool {
    let Some(module) = names.modules().get(index) else {
        return false;
    };
    if wanted == "_exe" {
        return module.mapped.main;
    }
    matches_pattern(wanted, &module.file_name)
        || names
            .open(index)
            .ok()
            .and_then(|opened| opened.info.soname())
            .is_some_and(|soname| matches_pattern(wanted, soname))
}

fn module_name(module: &LoadedModule, opened: &Opened) -> String {
    match opened.info.soname() {
        Some(soname) if !soname.is_empty() => soname.to_owned(),
        _ => module.file_name.clone(),
    }
}

struct OfModule<'m> {
    module: &'m LoadedModule,
    name: String,
    opened: &'m Opened,
    wanted: &'m Wanted<'m>,
    details: bool,
    rules: KernelRules,
    declarations: Declarations<'m>,
}

impl OfModule<'_> {
    fn add(&self, listing: &mut Listing) -> debuginfo::Result<()> {
        let kinds = self.wanted.kinds;
        if kinds.functions {
            self.functions(listing)?;
        }
        if kinds.statics {
            self.statics(listing)?;
        }
        if kinds.variables {
            self.variables(listing)?;
        }
        if kinds.types {
            self.types(listing)?;
        }
        Ok(())
    }

    /// A name in this module as the language writes it.
    fn qualified(&self, name: &str) -> String {
        format!("{}::{}", declare::prefix(&self.name), declare::quoted(name))
    }

    fn functions(&self, listing: &mut Listing) -> debuginfo::Result<()> {
        let info = &self.opened.info;
        let found = match self.wanted.is_pattern() {
            true => info.functions_matching(&|name| self.wanted.matches(name))?,
            false => info.functions_named(self.wanted.name)?,
        };
        for function in found {
            let head = self
                .declarations
                .head(&self.qualified(&function.name), function.prototype.as_ref());
            let details = match self.details {
                true => Some(self.details_of(&function)?),
                false => None,
            };
            listing.functions.push(ListedFunction {
                module: self.name.clone(),
                head,
                function,
                details,
            });
        }
        Ok(())
    }

    fn details_of(&self, function: &ProbeFunction) -> debuginfo::Result<Details> {
        let info = &self.opened.info;
        let own = function.body.as_ref().filter(|_| !function.indirect);
        let site_in = |body: &Body, serves| {
            info.site(body.address, body.size, serves, self.rules)
                .map_err(|refusal| refusal.to_string())
        };
        let site = |serves| own.map(|body| site_in(body, serves));
        let shown = own.or(function.clones.first());
        let source = shown.and_then(|body| {
            let location = info.symbolize(body.address);
            let place = match location.inlined.first() {
                Some(inner) => inner.location.clone(),
                None => location.location,
            }?;
            Some((place.file, place.line?))
        });
        let implementations = match (&function.body, function.indirect) {
            (Some(resolver), true) => info.implementations(resolver),
            _ => Vec::new(),
        };
        let inlined = info
            .inlined_copies(&function.name)?
            .into_iter()
            .map(|copy| (copy.address, copy.within))
            .collect();
        let copies = function
            .clones
            .iter()
            .map(|copy| {
                let (names, found) = info.parameters_at(&function.name, copy.address)?;
                let places = found.places.into_iter().map(place_text);
                Ok(ListedCopy {
                    parameters: names.into_iter().zip(places).collect(),
                    site: site_in(copy, Serves::Entry),
                    return_site: site_in(copy, Serves::EntryAndReturn),
                })
            })
            .collect::<debuginfo::Result<_>>()?;
        Ok(Details {
            copies,
            source,
            bias: self.opened.bias,
            site: site(Serves::Entry),
            return_site: site(Serves::EntryAndReturn),
            implementations,
            inlined,
        })
    }

    fn statics(&self, listing: &mut Listing) -> debuginfo::Result<()> {
        let info = &self.opened.info;
        let found = info.static_probes()?;
        for problem in found.problems {
            listing.problems.push(format!("{}: {problem}", self.name));
        }
        for probe in found.probes {
            let whole = format!("{}:{}", probe.provider, probe.name);
            if !self.wanted.matches(&whole) && !self.wanted.matches(&probe.name) {
                continue;
            }
            let arguments: Vec<String> = (0..probe.arguments.len())
                .map(|n| format!("arg{n}"))
                .collect();
            let list = match arguments.is_empty() {
                true => String::new(),
                false => format!("({})", arguments.join(", ")),
            };
            listing.statics.push(ListedStatic {
                module: self.name.clone(),
                head: format!("_usdt(\"{whole}\"){list}"),
                site: info
                    .site_at(probe.address, self.rules)
                    .map_err(|refusal| refusal.to_string()),
                provider: probe.provider,
                name: probe.name,
                address: probe.address,
                semaphore: probe.semaphore.is_some(),
                arguments: probe.arguments,
            });
        }
        Ok(())
    }

    fn variables(&self, listing: &mut Listing) -> debuginfo::Result<()> {
        let info = &self.opened.info;
        for name in self.names_of(&[NameKind::Variable])? {
            for variable in info.variables(&name.1, None)? {
                let location = variable.location;
                let is_here = matches!(
                    location,
                    debuginfo::Location::Address(_) | debuginfo::Location::ThreadLocal(_)
                );
                if !is_here {
                    continue;
                }
                let qualified = self.qualified(&name.1);
                let declaration = match variable.ty {
                    Some(ty) => self.declarations.declare(ty, &qualified),
                    None => qualified,
                };
                listing.variables.push(ListedVariable {
                    module: self.name.clone(),
                    name: name.1.clone(),
                    declaration,
                    size: variable.size,
                    location,
                    unit: variable.unit,
                });
            }
        }
        Ok(())
    }

    fn types(&self, listing: &mut Listing) -> debuginfo::Result<()> {
        let info = &self.opened.info;
        for (kind, name) in self.names_of(self.wanted.types)? {
            // Of definitions that differ, each has a unit to be asked for by; the first is not better than the others.
            let ty = match info.find_type(kind, &name, None) {
                Ok(Some(ty)) => ty,
                Ok(None) => continue,
                Err(debuginfo::Error::Ambiguous { candidates, .. }) => {
                    for candidate in candidates {
                        listing.types.push(ListedType {
                            module: self.name.clone(),
                            declaration: format!(
                                "{} ({})",
                                declare::tagged(kind, &name),
                                candidate.unit
                            ),
                            name: name.clone(),
                            size: None,
                            members: Vec::new(),
                        });
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            let declaration = match kind {
                NameKind::Typedef => self.declarations.typedef(ty, &name),
                _ => declare::tagged(kind, &name),
            };
            listing.types.push(ListedType {
                module: self.name.clone(),
                declaration,
                size: info.size_of(ty)?,
                members: match self.details {
                    true => self.declarations.members(ty),
                    false => Vec::new(),
                },
                name,
            });
        }
        Ok(())
    }

    /// The names of these kinds that match, with their kinds, sorted by name.
    fn names_of(&self, kinds: &[NameKind]) -> debuginfo::Result<Vec<(NameKind, String)>> {
        let info = &self.opened.info;
        let mut found = Vec::new();
        for &kind in kinds {
            if !self.wanted.is_pattern() {
                found.push((kind, self.wanted.name.to_owned()));
                continue;
            }
            let mut names = info.names(kind)?;
            if kind == NameKind::Variable {
                let symbols = info.symbols().filter(|s| {
                    matches!(
                        s.kind,
                        debuginfo::SymbolKind::Object | debuginfo::SymbolKind::ThreadLocal
                    )
                });
                names.extend(symbols.map(|s| s.name));
                names.sort_unstable();
                names.dedup();
            }
            let matching = names.into_iter().filter(|name| self.wanted.matches(name));
            found.extend(matching.map(|name| (kind, name)));
        }
        found.sort_by(|a, b| (&a.1, a.0).cmp(&(&b.1, b.0)));
        Ok(found)
    }
}

impl std::fmt::Debug for OfModule<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OfModule")
            .field("module", &self.module.file_name)
            .finish_non_exhaustive()
    }
}

/// Names that resemble one that nothing matches, of all modules that were asked.
fn similar(names: &Names, wanted: &Wanted<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for index in 0..names.modules().len() {
        if wanted.module.is_some_and(|m| !is_named(names, index, m)) {
            continue;
        }
        let Ok(opened) = names.open(index) else {
            continue;
        };
        let info = &opened.info;
        // A suggestion that cannot be had is no loss.
        let bare = wanted.name.trim_matches(['*', '?']);
        let mut add = |list: debuginfo::Result<Vec<String>>| {
            for name in list.unwrap_or_default() {
                if !found.contains(&name) {
                    found.push(name);
                }
            }
        };
        if wanted.kinds.functions {
            add(info.suggest_functions(bare));
        }
        if wanted.kinds.variables {
            add(info.suggest(NameKind::Variable, bare));
        }
        if wanted.kinds.types {
            for &kind in wanted.types {
                add(info.suggest(kind, bare));
            }
        }
        if wanted.kinds.statics && !wanted.kinds.functions {
            let probes = info.static_probes().unwrap_or_default();
            let all = probes.probes.iter();
            add(Ok(all
                .map(|p| format!("{}:{}", p.provider, p.name))
                .collect()));
        }
    }
    found.truncate(5);
    found
}

/// Where a copy of a function has a parameter, in words.
fn place_text(place: ParameterPlace) -> String {
    /// The first vector register, by its DWARF number.
    const VECTORS: u16 = 17;
    match place {
        ParameterPlace::Register(number) => {
            let general = u8::try_from(number).ok().and_then(abi::register_name);
            match (general, number.checked_sub(VECTORS)) {
                (Some(name), _) => format!("in {name}"),
                (None, Some(vector)) if vector < 16 => format!("in xmm{vector}"),
                (None, _) => format!("in register {number}"),
            }
        }
        ParameterPlace::Stack(offset) => format!("on the stack (+{offset})"),
        ParameterPlace::Constant(value) => format!("always {}", value.cast_signed()),
        ParameterPlace::Absent => "left out".to_owned(),
        ParameterPlace::Unsaid => "not known".to_owned(),
    }
}
