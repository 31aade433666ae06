//! Names of the target: the seam between the language and debug information.
//!
//! [`Names`] knows the modules of the target in search order and opens each when a name is first
//! looked up in it. It implements the language's `TypeSource` and `SymbolSource`.

mod changes;
mod describe;
mod frames;
mod missing;
mod pattern;
mod stacks;
mod symbols;
mod thread_locals;
mod types;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ytrace_debuginfo as debuginfo;
use ytrace_lang::target::{LookupError, ModuleId, Scope, TargetType, matches_pattern};
use ytrace_target::{
    AddressSpace, CoreFile, LiveMemory, LiveOptions, MappingKind, ModuleKind, Process,
};

/// So many source files are suggested where a prefix names none.
const MOST_UNITS: usize = 3;

pub(crate) use changes::Changes;
pub(crate) use symbols::hexadecimal;

/// One module of the target.
pub struct LoadedModule {
    /// Its mappings and load bias.
    pub mapped: ytrace_target::Module,
    /// The file name.
    pub file_name: String,
    /// Whether it has been unloaded. Its names stay, for stacks that were taken before.
    pub gone: bool,
    /// How many others were at its addresses before it.
    generation: u8,
    opened: OnceCell<Result<Opened, String>>,
    /// How far below the thread pointer its thread-local variables begin, in bytes, or why that is not known.
    thread_locals: OnceCell<Result<u64, String>>,
}

impl LoadedModule {
    fn new(mapped: ytrace_target::Module) -> Self {
        let name = mapped.path.file_name();
        let file_name = match (name, mapped.kind) {
            (Some(name), _) => name.to_string_lossy().into_owned(),
            (None, ModuleKind::Vdso) => "[vdso]".to_owned(),
            (None, ModuleKind::File) => String::new(),
        };
        Self {
            mapped,
            file_name,
            gone: false,
            generation: 0,
            opened: OnceCell::new(),
            thread_locals: OnceCell::new(),
        }
    }
}

/// A module whose file has been opened.
pub struct Opened {
    /// Its symbols and debug information.
    pub info: debuginfo::Module,
    /// Address in memory less address in the file.
    pub bias: u64,
}

/// The modules of a target, and the types that have been handed to the language.
pub struct Names {
    origin: Origin,
    loader: debuginfo::Loader,
    /// Debug files given for modules by name.
    debug_files: Vec<(String, PathBuf)>,
    types_files: Vec<debuginfo::TypesFile>,
    modules: Vec<LoadedModule>,
    types: Vec<(usize, debuginfo::TypeRef)>,
    numbers: HashMap<(usize, debuginfo::TypeRef), TargetType>,
    unwinder: RefCell<debuginfo::Unwinder>,
    code: stacks::Code,
    frames: frames::Frames,
    show_inlined: bool,
    /// Whether a module is where another one was before.
    reused: bool,
    /// How often the modules have changed.
    changes: u64,
    /// When the modules were looked up, in nanoseconds of the monotonic clock.
    looked_up: u64,
    /// Whether functions that are not there yet are waited for.
    pending: bool,
}

/// Where the files of modules are.
#[derive(Clone)]
enum Origin {
    /// Those that a process has mapped.
    Process(Process),
    /// Those that a core file names.
    Core(CoreFile),
    /// There are only types files.
    Types,
    /// There is only a file of this machine.
    File,
}

impl Origin {
    /// The memory behind the names, or why there is none.
    fn memory(&self) -> Result<Box<dyn AddressSpace>, String> {
        match self {
            Origin::Process(process) => match LiveMemory::new(process, LiveOptions::default()) {
                Ok(memory) => Ok(Box::new(memory)),
                Err(error) => Err(error.to_string()),
            },
            Origin::Core(core) => Ok(Box::new(core.memory())),
            Origin::Types | Origin::File => Err("there is no process".to_owned()),
        }
    }
}

/// Files as the target sees them.
impl debuginfo::FileProvider for Origin {
    fn open(&self, path: &Path) -> io::Result<std::fs::File> {
        match self {
            Origin::Process(process) => process.open_in_root(path).map_err(io::Error::from),
            Origin::Core(core) => core.open_in_root(path).map_err(io::Error::from),
            Origin::Types => Err(io::ErrorKind::NotFound.into()),
            Origin::File => std::fs::File::open(path),
        }
    }
}

/// Where debug information is looked for and kept.
#[derive(Debug, Default)]
pub struct DebugOptions {
    /// Debug files given for modules by name.
    pub files: Vec<(String, PathBuf)>,
    /// More directories like `/usr/lib/debug`.
    pub roots: Vec<PathBuf>,
    /// Types files, for the modules that they are of.
    pub types: Vec<debuginfo::TypesFile>,
    /// Whether they may be used for other builds of these modules that they fit.
    pub types_any_build: bool,
    /// Whether stacks leave out inlined functions.
    pub no_inlined: bool,
    /// Whether functions that are not there yet are waited for.
    pub pending: bool,
    /// Servers that are asked for debug information that is found nowhere.
    pub debuginfod: Option<debuginfo::Debuginfod>,
}

impl Names {
    /// The names of a process with these modules, which are in search order: the executable, then
    /// the libraries in the order of the link map.
    pub fn new(
        process: Process,
        modules: Vec<ytrace_target::Module>,
        options: &DebugOptions,
    ) -> Self {
        Self::of_modules(Origin::Process(process), modules, options)
    }

    /// The names of a core file.
    pub fn of_core(core: CoreFile, options: &DebugOptions) -> Self {
        let modules = core.modules();
        Self::of_modules(Origin::Core(core), modules, options)
    }

    fn of_modules(
        origin: Origin,
        modules: Vec<ytrace_target::Module>,
        options: &DebugOptions,
    ) -> Self {
        let mut roots: Vec<debuginfo::DebugRoot> = options
            .roots
            .iter()
            .map(|path| debuginfo::DebugRoot {
                path: path.clone(),
                on_host: true,
            })
            .collect();
        roots.extend(debuginfo::DebugRoot::defaults());
        let mut loader = debuginfo::Loader::new(Arc::new(origin.clone())).debug_roots(roots);
        if let Some(directory) = debuginfo::Loader::default_cache_dir() {
            loader = loader.cache_dir(directory);
        }
        for (module, file) in &options.files {
            loader = loader.debug_file(module, file.clone());
        }
        loader = loader.types_files(options.types.clone(), options.types_any_build);
        loader = loader.debuginfod(options.debuginfod.clone());
        let modules = modules.into_iter().map(LoadedModule::new).collect();
        Self {
            origin,
            debug_files: options.files.clone(),
            types_files: options.types.clone(),
            loader,
            modules,
            types: Vec::new(),
            numbers: HashMap::new(),
            unwinder: RefCell::default(),
            code: stacks::Code::default(),
            frames: frames::Frames::default(),
            show_inlined: !options.no_inlined,
            reused: false,
            changes: 0,
            looked_up: 0,
            pending: options.pending,
        }
    }

    /// The names of a file without a process. Addresses are those of the file.
    ///
    /// # Errors
    /// The file cannot be read or is not one that can be loaded.
    pub fn of_file(path: &Path, options: &DebugOptions) -> Result<Self, debuginfo::Error> {
        // Debug information is also looked for beside the file, so its directory must be known.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut names = Self::of_modules(Origin::File, Vec::new(), options);
        let name = path.file_name().unwrap_or_default();
        let mut module = LoadedModule::new(ytrace_target::Module {
            kind: ModuleKind::File,
            path: path.clone(),
            deleted: false,
            mappings: Vec::new(),
            zeroed: None,
            load_bias: Some(0),
            link: None,
            main: true,
        });
        module.file_name = name.to_string_lossy().into_owned();
        let info = names.loader_of(&module, &path).open(&path)?;
        module.opened = OnceCell::from(Ok(Opened { info, bias: 0 }));
        names.modules.push(module);
        Ok(names)
    }

    /// The names of modules of which there are only types files. The first that is no library stands for the executable, and
    /// addresses are those of the files.
    ///
    /// # Errors
    /// A types file is of something that cannot be loaded.
    pub fn of_types(files: Vec<debuginfo::TypesFile>) -> Result<Self, debuginfo::Error> {
        let mut loader = debuginfo::Loader::default();
        if let Some(directory) = debuginfo::Loader::default_cache_dir() {
            loader = loader.cache_dir(directory);
        }
        let main = files.iter().position(|file| file.soname().is_none());
        let mut modules = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let info = loader.open_types(file)?;
            let mut module = LoadedModule::new(ytrace_target::Module {
                kind: ModuleKind::File,
                path: file.path().to_owned(),
                deleted: false,
                mappings: Vec::new(),
                zeroed: None,
                load_bias: Some(0),
                link: None,
                main: main == Some(index),
            });
            module.file_name = file.file_name().to_owned();
            module.opened = OnceCell::from(Ok(Opened { info, bias: 0 }));
            modules.push(module);
        }
        // The executable comes first in search order.
        if let Some(main) = main {
            let executable = modules.remove(main);
            modules.insert(0, executable);
        }
        Ok(Self {
            origin: Origin::Types,
            loader,
            debug_files: Vec::new(),
            types_files: files,
            modules,
            types: Vec::new(),
            numbers: HashMap::new(),
            unwinder: RefCell::default(),
            code: stacks::Code::default(),
            frames: frames::Frames::default(),
            show_inlined: true,
            reused: false,
            changes: 0,
            looked_up: 0,
            pending: false,
        })
    }

    /// The modules in search order.
    pub fn modules(&self) -> &[LoadedModule] {
        &self.modules
    }

    /// The module with its file opened, or why it could not be.
    pub fn open(&self, index: usize) -> Result<&Opened, &str> {
        let Some(module) = self.modules.get(index) else {
            return Err("no such module");
        };
        module
            .opened
            .get_or_init(|| self.open_now(module))
            .as_ref()
            .map_err(String::as_str)
    }

    /// The file of a module, as the process has mapped it: also one that was deleted since.
    ///
    /// # Errors
    /// It is of no process, or not a file.
    pub(crate) fn file(&self, index: usize) -> Result<std::fs::File, String> {
        let Some(module) = self.modules.get(index) else {
            return Err("no such module".to_owned());
        };
        let shown = module.mapped.path.display();
        match (
            module.mapped.kind,
            &self.origin,
            module.mapped.mappings.first(),
        ) {
            (ModuleKind::File, Origin::Process(process), Some(first)) => process
                .open_mapping(first)
                .map(|opened| opened.file)
                .map_err(|error| format!("{shown}: {error}")),
            (ModuleKind::Vdso, _, _) => {
                Err("the vDSO is not a file: it cannot be probed".to_owned())
            }
            _ => Err(format!("{shown} is of no process")),
        }
    }

    fn open_now(&self, module: &LoadedModule) -> Result<Opened, String> {
        let shown = module.mapped.path.display();
        let first = module
            .mapped
            .mappings
            .first()
            .ok_or_else(|| format!("{shown} has no mappings"))?;
        let info = match (module.mapped.kind, &self.origin) {
            (ModuleKind::File, Origin::Process(process)) => {
                let file = process
                    .open_mapping(first)
                    .map_err(|error| format!("{shown}: {error}"))?;
                let path = &module.mapped.path;
                self.loader_of(module, path).open_file(path, &file.file)
            }
            (ModuleKind::File, Origin::Core(core)) => {
                match (
                    core.open_module(&module.mapped),
                    self.types_of(core, module),
                ) {
                    (Ok(opened), _) => self
                        .loader_of(module, &opened.path)
                        .open_file(&opened.path, &opened.file),
                    // What the build-id finds stands in for the file, but for its data.
                    (Err(_), Some(types)) => self.loader.open_types(types),
                    (Err(error), None) => return Err(error.to_string()),
                }
            }
            (ModuleKind::File, Origin::Types | Origin::File) => {
                return Err(format!("{shown} is of no process"));
            }
            // The vDSO is a file in memory alone; its unwind tables lead out of it.
            (ModuleKind::Vdso, Origin::Process(_)) => {
                let bytes = vdso(first.start, first.end)
                    .ok_or_else(|| "the vDSO cannot be read".to_owned())?;
                self.loader.open_bytes(&module.mapped.path, bytes)
            }
            (ModuleKind::Vdso, _) => return Err("the vDSO is not a file".to_owned()),
        }
        .map_err(|error| error.to_string())?;
        let computed = module
            .mapped
            .mappings
            .iter()
            .find_map(|part| info.bias(part.start, part.offset, part.permissions.execute));
        let bias = module
            .mapped
            .load_bias
            .or(computed)
            .ok_or_else(|| format!("{shown}: none of its mappings is a segment of the file"))?;
        Ok(Opened { info, bias })
    }

    /// What opens the file of a module, found at `path`, which may have another name than the target knows it by: with the debug file that
    /// was given for the module.
    fn loader_of(&self, module: &LoadedModule, path: &Path) -> debuginfo::Loader {
        let mapped = &module.mapped;
        let names = |wanted: &str| {
            (wanted == "_exe" && mapped.main) || matches_pattern(wanted, &module.file_name)
        };
        let mut given = self.debug_files.iter().rev();
        let loader = self.loader.clone();
        match given.find(|(wanted, _)| names(wanted)) {
            Some((_, file)) => loader.debug_file(&path.to_string_lossy(), file.clone()),
            None => loader,
        }
    }

    /// The types file that was made of a module of a core file.
    fn types_of(&self, core: &CoreFile, module: &LoadedModule) -> Option<&debuginfo::TypesFile> {
        let id = core.build_id(&module.mapped)?;
        self.types_files
            .iter()
            .find(|file| file.build_id() == Some(&*id))
    }

    /// The module that an address lies in: the one that is there now, or, for an address that [`Names::dated`] has made, that was there then.
    pub fn module_at(&self, address: u64) -> Option<usize> {
        let (address, generation) = changes::undated(address);
        let mut found = None;
        for (index, module) in self.modules.iter().enumerate() {
            let mappings = &module.mapped.mappings;
            let here = module.generation == generation
                && mappings.iter().any(|part| part.contains(address));
            match (here, module.gone) {
                (true, false) => return Some(index),
                (true, true) => found = Some(index),
                (false, _) => {}
            }
        }
        found
    }

    /// The modules in which a name of this scope is looked up, in order, and the compile unit
    /// that the prefix names, if it names no module.
    fn order(&self, scope: &Scope) -> Result<(Vec<usize>, Option<String>), LookupError> {
        let mut order: Vec<usize> = Vec::with_capacity(self.modules.len());
        if let Some(ModuleId(preferred)) = scope.preferred {
            order.push(preferred as usize);
        }
        let here = |index: &usize| self.modules.get(*index).is_some_and(|module| !module.gone);
        order.retain(here);
        let rest = (0..self.modules.len()).filter(|index| here(index) && !order.contains(index));
        // The kernel's versions of functions come after those of libraries, which call them.
        let (vdso, files): (Vec<usize>, Vec<usize>) = rest.partition(|index| {
            let module = self.modules.get(*index);
            module.is_some_and(|module| module.mapped.kind == ModuleKind::Vdso)
        });
        order.extend(files);
        order.extend(vdso);
        let Some(prefix) = &scope.prefix else {
            return Ok((order, None));
        };
        if let Some(ModuleId(module)) = self.module_named(prefix) {
            return Ok((vec![module as usize], None));
        }
        let with_unit: Vec<usize> = order
            .iter()
            .copied()
            .filter(|index| {
                self.open(*index)
                    .is_ok_and(|opened| opened.info.has_unit(prefix).unwrap_or(false))
            })
            .collect();
        if with_unit.is_empty() {
            let mut names: Vec<String> = self
                .modules
                .iter()
                .map(|module| module.file_name.clone())
                .collect();
            names.retain(|name| !name.is_empty());
            let mut suggestions: Vec<String> = Vec::new();
            for index in order {
                // A suggestion that cannot be had is no loss.
                let units = self.open(index).ok();
                let units = units.and_then(|opened| opened.info.suggest_unit(prefix).ok());
                for unit in units.unwrap_or_default() {
                    if !suggestions.contains(&unit) {
                        suggestions.push(unit);
                    }
                }
                if suggestions.len() >= MOST_UNITS {
                    break;
                }
            }
            suggestions.extend(pattern::similar(prefix, &names));
            return Err(LookupError::NoSuchPrefix {
                prefix: prefix.clone(),
                suggestions,
            });
        }
        Ok((with_unit, Some(prefix.clone())))
    }

    /// Goes through the modules of a scope, in order, until one gives an answer. `look` gets the module and the compile unit that
    /// the scope's prefix names. Modules that cannot be opened have no names; why is told by
    /// [`SymbolSource::missing_debug_information`](ytrace_lang::target::SymbolSource::missing_debug_information).
    fn search<T>(
        &self,
        scope: &Scope,
        name: &str,
        mut look: impl FnMut(&Opened, Option<&str>) -> debuginfo::Result<Option<T>>,
    ) -> Result<Option<(usize, T)>, LookupError> {
        self.search_numbered(scope, name, |_, opened, unit| look(opened, unit))
    }

    /// The same, where `look` gets the module's number, too.
    fn search_numbered<T>(
        &self,
        scope: &Scope,
        name: &str,
        mut look: impl FnMut(usize, &Opened, Option<&str>) -> debuginfo::Result<Option<T>>,
    ) -> Result<Option<(usize, T)>, LookupError> {
        let (order, unit) = self.order(scope)?;
        for module in order {
            let Ok(opened) = self.open(module) else {
                continue;
            };
            let found =
                look(module, opened, unit.as_deref()).map_err(|error| lookup_error(name, error))?;
            if let Some(found) = found {
                return Ok(Some((module, found)));
            }
        }
        Ok(None)
    }

    /// The first module that a pattern matches by file name or soname.
    pub(crate) fn module_named(&self, wanted: &str) -> Option<ModuleId> {
        let found = |index: usize| u32::try_from(index).ok().map(ModuleId);
        if wanted == "_exe" {
            return self
                .modules
                .iter()
                .position(|module| module.mapped.main && !module.gone)
                .and_then(found);
        }
        if let Some(index) = self
            .modules
            .iter()
            .position(|module| !module.gone && matches_pattern(wanted, &module.file_name))
        {
            return found(index);
        }
        (0..self.modules.len())
            .filter(|index| self.modules.get(*index).is_some_and(|module| !module.gone))
            .find(|index| {
                self.open(*index)
                    .ok()
                    .and_then(|opened| opened.info.soname())
                    .is_some_and(|soname| matches_pattern(wanted, soname))
            })
            .and_then(found)
    }

    fn number(&mut self, module: usize, ty: debuginfo::TypeRef) -> TargetType {
        let types = &mut self.types;
        *self.numbers.entry((module, ty)).or_insert_with(|| {
            types.push((module, ty));
            TargetType(types.len() as u64 - 1)
        })
    }

    fn type_of(&self, ty: TargetType) -> Result<(usize, debuginfo::TypeRef), LookupError> {
        usize::try_from(ty.0)
            .ok()
            .and_then(|index| self.types.get(index))
            .copied()
            .ok_or_else(|| LookupError::Broken("a type of another target".to_owned()))
    }
}

/// The most of a vDSO that is read, in bytes; those that there are have two or three pages.
const LARGEST_VDSO: u64 = 256 << 10;

/// The image of the vDSO of a process: the kernel maps the same one into each, so that of this program serves. Reading the target's would
/// bring pages of it into the target's page table.
fn vdso(start: u64, end: u64) -> Option<Vec<u8>> {
    let length = end
        .checked_sub(start)
        .filter(|length| *length <= LARGEST_VDSO)?;
    let own = Process::open(i32::try_from(std::process::id()).ok()?).ok()?;
    let maps = own.maps().ok()?;
    let mut mappings = maps.as_slice().iter();
    let same =
        mappings.find(|mapping| mapping.kind == MappingKind::Vdso && mapping.len() == length)?;
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    let mut live = LiveMemory::new(&own, LiveOptions::default()).ok()?;
    live.read(same.start, &mut bytes).ok()?;
    Some(bytes)
}

/// The fewest last components of a unit's name that no other one ends in, as a prefix is written.
fn shortest_name(unit: &str, units: &[&str]) -> String {
    let ends_in = |other: &str, name: &str| {
        other == name
            || other
                .strip_suffix(name)
                .is_some_and(|rest| rest.ends_with('/'))
    };
    let starts = unit.rmatch_indices('/').map(|(at, _)| at + 1).chain([0]);
    let mut names = starts.map(|start| unit.get(start..).unwrap_or(unit));
    let name = names.find(|name| {
        let mut others = units.iter().filter(|other| **other != unit);
        !others.any(|other| ends_in(other, name))
    });
    match name.unwrap_or(unit) {
        path if path.contains('/') => format!("`{path}`"),
        file => file.to_owned(),
    }
}

/// Debug information's errors as the language's.
fn lookup_error(name: &str, error: debuginfo::Error) -> LookupError {
    match error {
        debuginfo::Error::Ambiguous { candidates, .. } => LookupError::Ambiguous {
            name: name.to_owned(),
            places: {
                let units: Vec<&str> = candidates.iter().map(|one| one.unit.as_str()).collect();
                let named = candidates.iter().map(|candidate| {
                    let file = shortest_name(&candidate.unit, &units);
                    format!("{file}::{name} ({})", candidate.detail)
                });
                named.collect()
            },
        },
        other => LookupError::Broken(other.to_string()),
    }
}
