//! The door to a module: opening it, and everything that can be asked of it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::code::facts::CodeFacts;
use crate::code::inlined::Inlined;
use crate::debuginfod::Debuginfod;
use crate::dwarf::Files;
use crate::elf::{ElfImage, Section, Segment, ThreadLocalSegment};
use crate::error::{Candidate, Error, Result};
use crate::files::{FileProvider, HostFiles};
use crate::index::{Cache, IndexSource};
use crate::locate::{DebugRoot, DebugSource, DebugStatus, Search};
use crate::lookup::Debug;
use crate::macros::MacroDefinition;
use crate::mapping::SharedBytes;
use crate::objects::{Function, Location, Origin, Variable};
use crate::suggest;
use crate::symbolize::{self, CodeSymbol, DataSymbol, Lines};
use crate::symtab::{Symbol, SymbolKind, SymbolTable, SymbolTableKind};
use crate::typefile::TypesFile;
use crate::types::{NameKind, TypeDesc, TypeRef};

/// The largest page that the machines that ytrace runs on have, in bytes.
const MAX_PAGE: u64 = 64 << 10;

/// How modules are opened: where files come from, where debug files are looked for, where indexes are kept.
#[derive(Clone)]
pub struct Loader {
    files: Arc<dyn FileProvider>,
    roots: Vec<DebugRoot>,
    cache: Option<PathBuf>,
    overrides: Vec<(String, PathBuf)>,
    types: Vec<TypesFile>,
    any_build: bool,
    servers: Option<Debuginfod>,
    limit: Duration,
}

impl Default for Loader {
    fn default() -> Self {
        Loader::new(Arc::new(HostFiles))
    }
}

impl Loader {
    /// A loader that opens files through `files`, looks for debug files in the usual places and keeps no indexes.
    #[must_use]
    pub fn new(files: Arc<dyn FileProvider>) -> Self {
        Loader {
            files,
            roots: DebugRoot::defaults(),
            cache: None,
            overrides: Vec::new(),
            types: Vec::new(),
            any_build: false,
            servers: None,
            limit: Duration::from_secs(120),
        }
    }

    /// Replaces the directories of separate debug files.
    #[must_use]
    pub fn debug_roots(mut self, roots: Vec<DebugRoot>) -> Self {
        self.roots = roots;
        self
    }

    /// Keeps indexes in this directory, which is made (with mode 0700) when needed. See [`Loader::default_cache_dir`].
    #[must_use]
    pub fn cache_dir(mut self, dir: PathBuf) -> Self {
        self.cache = Some(dir);
        self
    }

    /// `$XDG_CACHE_HOME/ytrace`, else `~/.cache/ytrace`; `None` where neither variable holds an absolute path.
    #[must_use]
    pub fn default_cache_dir() -> Option<PathBuf> {
        let absolute = |name| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
        };
        absolute("XDG_CACHE_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".cache")))
            .map(|dir| dir.join("ytrace"))
    }

    /// Uses `debug_file` (of this machine) for a module, named by soname, file name or path, whatever its build-id says; it must
    /// fit, or the module's debug information is an error.
    #[must_use]
    pub fn debug_file(mut self, module: &str, debug_file: PathBuf) -> Self {
        self.overrides.push((module.to_owned(), debug_file));
        self
    }

    /// Uses types files instead of the debug information of the modules that they are of, by build-id. With `any_build`, also for
    /// modules of their names whose build-id is another, if sections and symbols agree; a warning tells so.
    #[must_use]
    pub fn types_files(mut self, files: Vec<TypesFile>, any_build: bool) -> Self {
        self.types = files;
        self.any_build = any_build;
        self
    }

    /// Asks these servers for debug information that is found nowhere else. None is asked unless this is called.
    #[must_use]
    pub fn debuginfod(mut self, servers: Option<Debuginfod>) -> Self {
        self.servers = servers;
        self
    }

    /// How long building one index may take (two minutes unless set).
    #[must_use]
    pub fn index_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Opens a module by its path as the target sees it.
    ///
    /// # Errors
    /// The file cannot be opened or is not ELF.
    pub fn open(&self, path: &Path) -> Result<Module> {
        let file = self.files.open(path).map_err(|source| Error::Open {
            path: path.to_owned(),
            source: Arc::new(source),
        })?;
        self.open_file(path, &file)
    }

    /// Opens a module from a file that is open already, such as a deleted one reached through `map_files`. `path` is where the
    /// target believes it to be.
    ///
    /// # Errors
    /// The file cannot be read or is not ELF.
    pub fn open_file(&self, path: &Path, file: &File) -> Result<Module> {
        self.open_image(ElfImage::open(file, path)?)
    }

    /// Opens a module that is in memory, such as the vDSO.
    ///
    /// # Errors
    /// The bytes are not ELF.
    pub fn open_bytes(&self, path: &Path, bytes: Vec<u8>) -> Result<Module> {
        self.open_image(ElfImage::parse(SharedBytes::from_vec(bytes), path)?)
    }

    /// Opens a types file as if it were its module, without the module's code and data.
    ///
    /// # Errors
    /// The module is not one that can be loaded.
    pub fn open_types(&self, file: &TypesFile) -> Result<Module> {
        let mut loader = self.clone();
        loader.types.clear();
        let mut image = ElfImage::parse(file.image.data.clone(), file.path())?;
        image.soname = file.soname().map(str::to_owned);
        loader.open_image(image)
    }

    fn open_image(&self, image: ElfImage) -> Result<Module> {
        if image.kind == object::elf::ET_REL.0 {
            return Err(Error::Elf {
                path: image.path,
                reason: "it is a relocatable object, which has no addresses yet".into(),
            });
        }
        Ok(Module {
            loader: self.clone(),
            image: Arc::new(image),
            debug: OnceLock::new(),
            symbols: OnceLock::new(),
            lines: Lines::default(),
            code: OnceLock::new(),
            inlined: OnceLock::new(),
        })
    }
}

/// What is known of a module's debug information once it was looked for.
struct Located {
    status: DebugStatus,
    /// The separate debug file, or the module itself.
    main: Arc<ElfImage>,
    supplementary: Option<Arc<ElfImage>>,
    debug: Option<Debug>,
}

/// An ELF file and its debug information. All answers are in the file's own addresses (svma).
///
/// Everything is read when first asked for. A module may be shared among threads.
pub struct Module {
    loader: Loader,
    image: Arc<ElfImage>,
    debug: OnceLock<Result<Located>>,
    symbols: OnceLock<Vec<SymbolTable>>,
    lines: Lines,
    code: OnceLock<CodeFacts>,
    inlined: OnceLock<Result<Inlined>>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("path", &self.image.path)
            .finish_non_exhaustive()
    }
}

/// The file itself.
impl Module {
    pub(crate) fn image(&self) -> &ElfImage {
        &self.image
    }

    pub(crate) fn code_cell(&self) -> &OnceLock<CodeFacts> {
        &self.code
    }

    pub(crate) fn inlined_cell(&self) -> &OnceLock<Result<Inlined>> {
        &self.inlined
    }

    /// The path by which it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.image.path
    }

    /// Its soname, else its file name.
    #[must_use]
    pub fn name(&self) -> String {
        self.image.soname.clone().unwrap_or_else(|| {
            self.image
                .path
                .file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
        })
    }

    /// Its soname, where it has one.
    #[must_use]
    pub fn soname(&self) -> Option<&str> {
        self.image.soname.as_deref()
    }

    /// Its build-id, where it has one.
    #[must_use]
    pub fn build_id(&self) -> Option<&[u8]> {
        self.image.build_id.as_deref()
    }

    /// Its architecture (`EM_*`).
    #[must_use]
    pub fn machine(&self) -> u16 {
        self.image.machine
    }

    /// Whether it is a 64-bit file.
    #[must_use]
    pub fn is_64(&self) -> bool {
        self.image.is_64
    }

    /// Whether it is little endian.
    #[must_use]
    pub fn is_little_endian(&self) -> bool {
        self.image.endian == object::Endianness::Little
    }

    /// Whether it is loaded at a variable address (a shared library or position-independent executable).
    #[must_use]
    pub fn is_relocatable(&self) -> bool {
        self.image.kind == object::elf::ET_DYN.0
    }

    /// Address of the first instruction (svma), zero where it has none.
    #[must_use]
    pub fn entry_point(&self) -> u64 {
        self.image.entry
    }

    /// Its loadable segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.image.segments
    }

    /// Its segment of thread-local variables, if it has any.
    #[must_use]
    pub fn thread_local_segment(&self) -> Option<ThreadLocalSegment> {
        self.image.thread_locals
    }

    /// Its section headers.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.image.sections
    }

    /// Content of a section, decompressed, from the module or, where that has none, from its debug file. `None` where neither has.
    ///
    /// # Errors
    /// The section is damaged.
    pub fn section(&self, name: &str) -> Result<Option<SharedBytes>> {
        if let Some(bytes) = self.image.content(name)? {
            return Ok(Some(bytes));
        }
        match self.located() {
            Ok(located) => located.main.content(name),
            Err(_) => Ok(None),
        }
    }

    /// Address in memory less address in the file (svma), given where a mapping of it starts, its offset in the file, and whether
    /// it is executable. `None` where no segment is mapped so.
    #[must_use]
    pub fn bias(&self, start: u64, offset: u64, executable: bool) -> Option<u64> {
        // A mapping begins with the page that its segment begins in. The bytes before the segment may be the end of another one,
        // which is mapped elsewhere: so the nearest segment with these permissions counts.
        let segments = self.image.segments.iter().filter(|segment| {
            let [_, _, execute] = segment.permissions;
            execute == executable && offset < segment.offset.saturating_add(segment.file_size)
        });
        let segment = segments.min_by_key(|segment| segment.offset.saturating_sub(offset))?;
        let within = segment.offset.saturating_sub(offset) < MAX_PAGE;
        let address = segment
            .address
            .wrapping_add(offset.wrapping_sub(segment.offset));
        within.then(|| start.wrapping_sub(address))
    }
}

/// Where answers come from.
impl Module {
    fn located(&self) -> Result<&Located> {
        self.debug
            .get_or_init(|| self.locate())
            .as_ref()
            .map_err(Clone::clone)
    }

    fn locate(&self) -> Result<Located> {
        let name = self.name();
        let file_name = self.image.path.file_name();
        let override_file = self.loader.overrides.iter().rev().find(|(module, _)| {
            *module == name
                || Path::new(module) == self.image.path
                || file_name.is_some_and(|f| f.as_encoded_bytes() == module.as_bytes())
        });
        let search = Search {
            target: &*self.loader.files,
            roots: &self.loader.roots,
            override_file: override_file.map(|(_, path)| path.as_path()),
            types: &self.loader.types,
            any_build: self.loader.any_build,
            servers: self.loader.servers.as_ref(),
        };
        let found = search.run(&self.image)?;
        let main = found.separate.unwrap_or_else(|| Arc::clone(&self.image));
        let supplementary = found.supplementary.map(Arc::new);
        let debug = match found.status.source {
            DebugSource::None => None,
            DebugSource::File { .. } => {
                let files = Files {
                    main: Arc::clone(&main),
                    sup: supplementary.clone(),
                };
                let cache = self.loader.cache.clone().map(Cache::new);
                Some(Debug::new(files, cache, self.loader.limit))
            }
        };
        Ok(Located {
            status: found.status,
            main,
            supplementary,
            debug,
        })
    }

    pub(crate) fn debug(&self) -> Result<Option<&Debug>> {
        Ok(self.located()?.debug.as_ref())
    }

    /// Where the debug information comes from, or where one looked for it. Looks for it if nobody has yet.
    ///
    /// # Errors
    /// A debug file that the user named cannot be read or does not fit.
    pub fn debug_status(&self) -> Result<&DebugStatus> {
        Ok(&self.located()?.status)
    }

    /// Where the index came from, and which units it leaves out because they are damaged. Does not load it.
    #[must_use]
    pub fn index_status(&self) -> (IndexSource, Vec<String>) {
        match self.debug.get() {
            Some(Ok(Located {
                debug: Some(debug), ..
            })) => debug.index_status(),
            _ => (IndexSource::NotLoaded, Vec::new()),
        }
    }

    /// Symbol tables, the richest first: `.symtab` of the debug file, `.symtab` and `.dynsym` of the module.
    pub(crate) fn tables(&self) -> &[SymbolTable] {
        self.symbols.get_or_init(|| {
            let mut tables = Vec::new();
            if let Ok(located) = self.located()
                && !Arc::ptr_eq(&located.main, &self.image)
            {
                tables.push(SymbolTable::read(&located.main, SymbolTableKind::Static));
            }
            tables.push(SymbolTable::read(&self.image, SymbolTableKind::Static));
            tables.push(SymbolTable::read(&self.image, SymbolTableKind::Dynamic));
            tables.retain(|t| !t.is_empty());
            tables
        })
    }

    /// All defined symbols of all tables; what stands in two tables comes twice.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.tables().iter().flat_map(SymbolTable::iter)
    }

    /// How many symbols there are in all tables together.
    #[must_use]
    pub fn symbol_count(&self) -> usize {
        self.tables().iter().map(SymbolTable::len).sum()
    }

    /// The symbols of that name in the first table that has any. `name` may carry a version (`foo@VERSION`); without one the default
    /// version comes first.
    #[must_use]
    pub fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        self.tables()
            .iter()
            .map(|t| t.by_name(name))
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    /// Names of all compile units, as the compiler recorded them.
    ///
    /// # Errors
    /// The debug information cannot be indexed.
    pub fn units(&self) -> Result<Vec<String>> {
        let Some(debug) = self.debug()? else {
            return Ok(Vec::new());
        };
        let index = debug.index()?;
        let mut names: Vec<String> = (0..index.unit_count() as u32)
            .filter_map(|i| index.unit(i))
            .filter(|u| !u.name.is_empty())
            .map(|u| u.name.to_owned())
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Size of the index: entries and bytes. Loads or builds it.
    ///
    /// # Errors
    /// The debug information cannot be indexed.
    pub fn index_size(&self) -> Result<(usize, usize)> {
        Ok(match self.debug()? {
            Some(debug) => {
                let index = debug.index()?;
                (index.entry_count(), index.bytes().len())
            }
            None => (0, 0),
        })
    }
}

/// Types.
impl Module {
    /// The type of that kind and name; `unit` narrows it to the compile unit of that name (`file.c` or more of its path).
    /// `Ok(None)` where there is none. For [`NameKind::Enumerator`] the answer is the enumeration.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] where definitions differ, [`Error::NoSuchUnit`], or the debug information is damaged.
    pub fn find_type(
        &self,
        kind: NameKind,
        name: &str,
        unit: Option<&str>,
    ) -> Result<Option<TypeRef>> {
        match self.debug()? {
            Some(debug) => debug.find_type(kind, name, unit),
            None => Ok(None),
        }
    }

    /// The value of an enumeration's constant, and the enumeration.
    ///
    /// # Errors
    /// As [`Module::find_type`].
    pub fn find_enumerator(
        &self,
        name: &str,
        unit: Option<&str>,
    ) -> Result<Option<(i128, TypeRef)>> {
        match self.debug()? {
            Some(debug) => debug.enumerator(name, unit),
            None => Ok(None),
        }
    }

    /// What a type of this module is. Qualifiers are stripped; a structure that this unit only declares is described by the module's
    /// definition, if there is just one.
    ///
    /// # Errors
    /// The debug information is damaged, or `ty` is of another module.
    pub fn describe(&self, ty: TypeRef) -> Result<TypeDesc> {
        match self.debug()? {
            Some(debug) => debug.describe(ty),
            None => Err(self.foreign(ty)),
        }
    }

    /// Size of a type in bytes; `None` for those without (functions, `void`, incomplete types, flexible arrays).
    ///
    /// # Errors
    /// As [`Module::describe`].
    pub fn size_of(&self, ty: TypeRef) -> Result<Option<u64>> {
        match self.debug()? {
            Some(debug) => debug.size_of(ty),
            None => Err(self.foreign(ty)),
        }
    }

    fn foreign(&self, ty: TypeRef) -> Error {
        Error::Malformed {
            path: self.image.path.clone(),
            section: ".debug_info",
            offset: ty.offset(),
            reason: "the module has no debug information".into(),
        }
    }

    /// The different definitions that the module's units give a macro, in the order of the units; empty where there is none. Reads
    /// the macros of all units when first called.
    ///
    /// # Errors
    /// The debug information cannot be indexed, or reading it takes too long.
    pub fn macros_named(&self, name: &str) -> Result<&[MacroDefinition]> {
        match self.debug()? {
            Some(debug) => Ok(debug.macros()?.find(name)),
            None => Ok(&[]),
        }
    }

    /// How many macros the module's units define. Reads them all.
    ///
    /// # Errors
    /// As [`Module::macros_named`].
    pub fn macro_count(&self) -> Result<usize> {
        match self.debug()? {
            Some(debug) => Ok(debug.macros()?.len()),
            None => Ok(0),
        }
    }

    /// Whether the module has a compile unit of that name (`file.c` or more of its path).
    ///
    /// # Errors
    /// The debug information cannot be indexed.
    pub fn has_unit(&self, unit: &str) -> Result<bool> {
        let Some(debug) = self.debug()? else {
            return Ok(false);
        };
        match debug.units_called(unit) {
            Ok(_) => Ok(true),
            Err(Error::NoSuchUnit { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Source files of compile units whose names resemble `unit`, best first, a handful at most.
    ///
    /// # Errors
    /// The debug information cannot be indexed.
    pub fn suggest_unit(&self, unit: &str) -> Result<Vec<String>> {
        let Some(debug) = self.debug()? else {
            return Ok(Vec::new());
        };
        match debug.units_called(unit) {
            Ok(_) => Ok(Vec::new()),
            Err(Error::NoSuchUnit { similar, .. }) => Ok(similar),
            Err(error) => Err(error),
        }
    }

    /// All names of that kind in the debug information, sorted.
    ///
    /// # Errors
    /// The debug information cannot be indexed.
    pub fn names(&self, kind: NameKind) -> Result<Vec<String>> {
        match self.debug()? {
            Some(debug) => Ok(debug.index()?.names(kind).map(str::to_owned).collect()),
            None => Ok(Vec::new()),
        }
    }

    /// Names of that kind that resemble `name`, best first, a handful at most. Variables and functions are also taken from symbols.
    ///
    /// # Errors
    /// The debug information cannot be indexed.
    pub fn suggest(&self, kind: NameKind, name: &str) -> Result<Vec<String>> {
        let mut found = match self.debug()? {
            Some(debug) => debug.suggest(kind, name)?,
            None => Vec::new(),
        };
        if found.is_empty() && matches!(kind, NameKind::Variable | NameKind::Function) {
            let names = self
                .tables()
                .iter()
                .flat_map(|t| t.names(|k| fits(kind, k)));
            found = suggest::closest(name, names);
        }
        Ok(found)
    }

    /// Members of a structure or union that resemble `name`, those of anonymous members included.
    ///
    /// # Errors
    /// As [`Module::describe`].
    pub fn suggest_field(&self, ty: TypeRef, name: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        self.field_names(ty, 0, &mut names)?;
        Ok(suggest::closest(name, names.iter().map(String::as_str)))
    }

    fn field_names(&self, ty: TypeRef, depth: usize, names: &mut Vec<String>) -> Result<()> {
        if depth > 16 || names.len() > 1 << 16 {
            return Ok(());
        }
        match self.describe(ty)? {
            TypeDesc::Struct(a) | TypeDesc::Union(a) => {
                for field in a.fields {
                    match field.name {
                        Some(name) => names.push(name),
                        None => self.field_names(field.ty, depth + 1, names)?,
                    }
                }
                Ok(())
            }
            TypeDesc::Typedef { target, .. } => self.field_names(target, depth + 1, names),
            _ => Ok(()),
        }
    }
}

fn fits(kind: NameKind, symbol: SymbolKind) -> bool {
    match kind {
        NameKind::Variable => matches!(symbol, SymbolKind::Object | SymbolKind::ThreadLocal),
        NameKind::Function => matches!(symbol, SymbolKind::Function | SymbolKind::IndirectFunction),
        _ => false,
    }
}

/// Variables and functions.
impl Module {
    /// All variables of that name: from the debug information, or from symbols where it knows none. Addresses of those that are only
    /// declared there are taken from symbols too.
    ///
    /// # Errors
    /// [`Error::NoSuchUnit`], or the debug information is damaged.
    pub fn variables(&self, name: &str, unit: Option<&str>) -> Result<Vec<Variable>> {
        let mut found = match self.debug()? {
            Some(debug) => debug.variables(name, unit)?,
            None => Vec::new(),
        };
        let is_placed =
            |v: &Variable| matches!(v.location, Location::Address(_) | Location::ThreadLocal(_));
        // A unit cannot be told from a symbol.
        if found.iter().any(is_placed) || (found.is_empty() && unit.is_some()) {
            return Ok(found);
        }
        let symbols = self.symbols_for(NameKind::Variable, name);
        if found.is_empty() {
            return Ok(symbols.into_iter().map(variable_of).collect());
        }
        if let Some(symbol) = symbols.first() {
            for variable in found.iter_mut().filter(|v| v.external) {
                variable.location = place(symbol);
                // The declaring unit is any of many; the defining one is not known.
                variable.unit = None;
            }
        }
        Ok(found)
    }

    fn symbols_for(&self, kind: NameKind, name: &str) -> Vec<Symbol> {
        let mut symbols = self.symbols_named(name);
        symbols.retain(|s| fits(kind, s.kind) || s.kind == SymbolKind::Untyped);
        symbols
    }

    /// The variable of that name. Of several, the external one is meant; several static ones must be told apart by their unit.
    ///
    /// # Errors
    /// As [`Module::variables`], and [`Error::Ambiguous`].
    pub fn variable(&self, name: &str, unit: Option<&str>) -> Result<Option<Variable>> {
        let found = self.variables(name, unit)?;
        self.choose(NameKind::Variable, name, found, |v| {
            let detail = match v.location {
                Location::Address(address) => format!("at {address:#x}"),
                Location::ThreadLocal(offset) => format!("thread-local at {offset:#x}"),
                Location::Declared => "declared".into(),
                Location::Unavailable => "optimised away".into(),
            };
            let placed = matches!(v.location, Location::Address(_) | Location::ThreadLocal(_));
            (placed, v.external, v.unit.clone(), detail)
        })
    }

    /// All functions of that name: from the debug information, or from symbols where it knows none.
    ///
    /// # Errors
    /// [`Error::NoSuchUnit`], or the debug information is damaged.
    pub fn functions(&self, name: &str, unit: Option<&str>) -> Result<Vec<Function>> {
        let mut found = match self.debug()? {
            Some(debug) => debug.functions(name, unit)?,
            None => Vec::new(),
        };
        if found.is_empty() && unit.is_some() {
            return Ok(found);
        }
        let symbols = self.symbols_for(NameKind::Function, name);
        if found.iter().all(|f| f.entry.is_none()) && unit.is_none() {
            // glibc's `malloc` is an alias of `__libc_malloc`, and only the latter is in the debug information.
            // At the address of an indirect function it describes the resolver, which is something else.
            let direct = symbols
                .first()
                .filter(|s| s.kind != SymbolKind::IndirectFunction);
            if let Some(symbol) = direct
                && let Some(mut function) = self.function_at(symbol)?
            {
                function.name = name.to_owned();
                return Ok(vec![function]);
            }
        }
        if found.is_empty() {
            return Ok(symbols.into_iter().map(function_of).collect());
        }
        for function in &mut found {
            // The symbol is the authority on the entry of a function that is split into several ranges.
            let own = symbols.iter().find(|s| Some(s.address) == function.entry);
            let only = symbols
                .first()
                .filter(|_| function.entry.is_none() && function.external);
            if let Some(symbol) = own.or(only) {
                function.indirect = symbol.kind == SymbolKind::IndirectFunction;
                if function.entry.is_none() {
                    function.entry = Some(symbol.address);
                    function.unit = None;
                }
                if function.size == 0 {
                    function.size = symbol.size;
                }
            }
        }
        Ok(found)
    }

    /// What the debug information knows of the function at a symbol's address under another of its names.
    fn function_at(&self, symbol: &Symbol) -> Result<Option<Function>> {
        let Some(debug) = self.debug()? else {
            return Ok(None);
        };
        for alias in self.tables().iter().flat_map(|t| t.at(symbol.address)) {
            if alias.name == symbol.name {
                continue;
            }
            let functions = debug.functions(&alias.name, None)?;
            let same = functions
                .into_iter()
                .find(|f| f.entry == Some(symbol.address));
            if let Some(mut function) = same {
                function.external |= symbol.global;
                return Ok(Some(function));
            }
        }
        Ok(None)
    }

    /// The function of that name. Of several, the external one is meant; several static ones must be told apart by their unit.
    ///
    /// # Errors
    /// As [`Module::functions`], and [`Error::Ambiguous`].
    pub fn function(&self, name: &str, unit: Option<&str>) -> Result<Option<Function>> {
        let mut found = self.functions(name, unit)?;
        if found.len() > 1 {
            // gcc splits and specialises functions (`f.part.0`); the symbol of the bare name tells which one is `f`.
            let symbols = self.symbols_for(NameKind::Function, name);
            let named = |f: &Function| symbols.iter().any(|s| Some(s.address) == f.entry);
            if found.iter().any(named) {
                found.retain(named);
            }
        }
        self.choose(NameKind::Function, name, found, |f| {
            let detail = f.entry.map_or("inlined".into(), |e| format!("at {e:#x}"));
            (f.entry.is_some(), f.external, f.unit.clone(), detail)
        })
    }

    /// Picks the one that is meant. `rank` tells whether it has a place, whether it is external, its unit, and a description.
    fn choose<T: Clone>(
        &self,
        kind: NameKind,
        name: &str,
        mut found: Vec<T>,
        rank: impl Fn(&T) -> (bool, bool, Option<String>, String),
    ) -> Result<Option<T>> {
        if found.iter().any(|t| rank(t).0) {
            found.retain(|t| rank(t).0);
        }
        if found.iter().any(|t| rank(t).1) {
            found.retain(|t| rank(t).1);
        }
        // Several versions of a symbol come with the default one first; from debug information they are definitions of equal right.
        let mut places: Vec<String> = found.iter().map(|t| rank(t).3).collect();
        places.sort_unstable();
        places.dedup();
        let from_debug = found.iter().any(|t| rank(t).2.is_some());
        if places.len() > 1 && from_debug {
            return Err(Error::Ambiguous {
                path: self.image.path.clone(),
                kind,
                name: name.to_owned(),
                candidates: found
                    .iter()
                    .map(|t| {
                        let (_, _, unit, detail) = rank(t);
                        Candidate {
                            unit: unit.unwrap_or_default(),
                            detail,
                        }
                    })
                    .collect(),
            });
        }
        Ok(found.into_iter().next())
    }

    /// What an address of code means: function, offset, source line, inlined functions.
    ///
    /// Without usable line tables the symbol tables still give the name; [`CodeSymbol::problem`] then says what is wrong with them.
    /// Loads the index.
    #[must_use]
    pub fn symbolize(&self, address: u64) -> CodeSymbol {
        let images = self.located().and_then(Self::images_with_lines);
        let frames = images.and_then(|images| match images {
            Some((main, sup)) => self.lines.frames(main, sup, address),
            None => Ok(Vec::new()),
        });
        symbolize::code(frames, self.tables(), address)
    }

    /// Reads what [`Self::symbolize`] needs of the module as a whole, so that it need not be read when time is short. What is wrong
    /// with it is told there.
    pub fn prepare_symbolize(&self) {
        if let Ok(Some((main, sup))) = self.located().and_then(Self::images_with_lines) {
            self.lines.prepare(main, sup);
        }
        self.tables();
    }

    /// The function that a symbol table has at an address, demangled, and the offset into it. Unlike [`Self::symbolize`] this
    /// reads no debug information, which takes a hundred times as long the first time.
    #[must_use]
    pub fn function_name(&self, address: u64) -> Option<(String, u64)> {
        symbolize::function(self.tables(), address)
    }

    /// The files with line tables, `None` where there is no debug information.
    fn images_with_lines(located: &Located) -> Result<Option<(&ElfImage, Option<&ElfImage>)>> {
        let Some(debug) = &located.debug else {
            return Ok(None);
        };
        // The line reader follows nested inlined functions by recursion, which a hostile file could make overflow the stack.
        if debug.index()?.is_too_deep() {
            return Err(Error::Elf {
                path: located.main.path.clone(),
                reason: "its debug information is nested too deeply to be read for lines".into(),
            });
        }
        Ok(Some((&located.main, located.supplementary.as_deref())))
    }

    /// The variable that covers an address of data, by the symbol tables.
    #[must_use]
    pub fn symbolize_data(&self, address: u64) -> Option<DataSymbol> {
        symbolize::data(self.tables(), address)
    }
}

fn place(symbol: &Symbol) -> Location {
    if symbol.kind == SymbolKind::ThreadLocal {
        Location::ThreadLocal(symbol.address)
    } else {
        Location::Address(symbol.address)
    }
}

fn origin(symbol: &Symbol) -> Origin {
    match symbol.table {
        SymbolTableKind::Static => Origin::StaticSymbols,
        SymbolTableKind::Dynamic => Origin::DynamicSymbols,
    }
}

fn variable_of(symbol: Symbol) -> Variable {
    Variable {
        location: place(&symbol),
        origin: origin(&symbol),
        name: symbol.name,
        ty: None,
        size: (symbol.size > 0).then_some(symbol.size),
        external: symbol.global,
        unit: None,
    }
}

pub(crate) fn function_of(symbol: Symbol) -> Function {
    Function {
        origin: origin(&symbol),
        linkage_name: None,
        entry: Some(symbol.address),
        size: symbol.size,
        parameters: None,
        variadic: false,
        result: None,
        ty: None,
        external: symbol.global,
        unit: None,
        indirect: symbol.kind == SymbolKind::IndirectFunction,
        name: symbol.name,
    }
}
