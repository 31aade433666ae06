//! From the points of a program to the instructions that are probed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use ytrace_debuginfo::{
    KernelRules, MachineRegister, Operand, Refusal, Serves, SiteKind, StaticArgument, StaticProbe,
    closest,
};
use ytrace_lang::hir::{EventPoint, EventSite};
use ytrace_target::events::{Register, Width};

use super::EventFailure;
use super::plan::Argument;
use crate::names::Names;

/// What code calls that switches the stack within a thread: POSIX.1-2004 (`ucontext.h`), and libraries for coroutines.
const SWITCHES: [&str; 8] = [
    "swapcontext",
    "setcontext",
    "makecontext",
    "jump_fcontext",
    "coro_transfer",
    "co_switch",
    "aco_resume",
    "lthread_resume",
];
/// Those that a program has of its own; a C library has the others for whoever calls them.
const SWITCHES_OF_ITS_OWN: [&str; 5] = [
    "jump_fcontext",
    "coro_transfer",
    "co_switch",
    "aco_resume",
    "lthread_resume",
];

/// An instruction that is to be probed.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The file.
    pub(super) file: Arc<File>,
    /// Where the instruction is in it.
    pub(super) offset: u64,
    /// How much lower the stack pointer is there than at the function's first instruction, in bytes.
    pub(super) stack_offset: u64,
    /// Where the function begins; 0 where the point is no function's.
    pub(super) function: u64,
    /// The address of the point.
    pub(super) address: u64,
    /// How the arguments of a static probe are computed.
    pub(super) arguments: Vec<Argument>,
    /// Where the semaphore of a static probe is in the file.
    pub(super) semaphore: Option<u64>,
    /// What the user calls it.
    pub(super) name: String,
    /// Whether the kernel has to single-step the instruction.
    pub(super) stepped: bool,
}

/// Places of a point, and those that there are none for.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) places: Vec<Place>,
    /// The name of what was left out, and why.
    pub(super) left_out: Vec<(String, String)>,
}

/// Finds places, and keeps the files open that they are in.
pub(super) struct Finder<'a> {
    names: &'a Names,
    rules: KernelRules,
    /// Whether a place may be any instruction, and is exactly that of the point: a breakpoint takes each.
    exact: bool,
    files: HashMap<usize, Result<Arc<File>, String>>,
}

impl<'a> Finder<'a> {
    /// Finds places in all modules that the target has now.
    pub(super) fn new(names: &'a Names) -> Self {
        let release = nix::sys::utsname::uname().ok();
        let release = release.as_ref().and_then(|known| known.release().to_str());
        Self {
            names,
            rules: KernelRules::of_release(release.unwrap_or_default()),
            exact: false,
            files: HashMap::new(),
        }
    }

    /// The same for breakpoints, which may be at instructions that the kernel does not probe.
    pub(super) fn exact(names: &'a Names) -> Self {
        Self {
            exact: true,
            ..Self::new(names)
        }
    }

    /// The modules of some functions.
    pub(super) fn modules_of(&self, functions: impl Iterator<Item = u64>) -> BTreeSet<usize> {
        functions
            .filter_map(|address| Some(self.module(address).ok()?.0))
            .collect()
    }

    /// Those of some modules that have code which unwinds stacks.
    pub(super) fn unwinding(&self, modules: &BTreeSet<usize>) -> Vec<String> {
        /// What such code calls, by the lower level of the C++ ABI for Itanium.
        const CALLED: [&str; 2] = ["_Unwind_Resume", "_Unwind_RaiseException"];
        self.modules_with(modules, &CALLED, &[])
    }

    /// Those of some modules that have code which throws or catches: of C++ or Rust.
    pub(super) fn throwing(&self, modules: &BTreeSet<usize>) -> Vec<String> {
        /// What such code calls, by the C++ ABI for Itanium.
        const CALLED: [&str; 2] = ["__cxa_throw", "__cxa_begin_catch"];
        /// What a program has that was linked statically, or that is of Rust.
        const DEFINED: [&str; 3] = ["__cxa_throw", "__cxa_begin_catch", "rust_eh_personality"];
        self.modules_with(modules, &CALLED, &DEFINED)
    }

    /// Those of some modules that have code which switches the stack within a thread, as coroutines do.
    pub(super) fn switching(&self, modules: &BTreeSet<usize>) -> Vec<String> {
        self.modules_with(modules, &SWITCHES, &SWITCHES_OF_ITS_OWN)
    }

    /// Those of some modules that import one of the first names, or define one of the second, by their files.
    fn modules_with(
        &self,
        modules: &BTreeSet<usize>,
        called: &[&str],
        defined: &[&str],
    ) -> Vec<String> {
        let calls = |module: &&usize| {
            let opened = self.names.open(**module).ok();
            opened.is_some_and(|opened| {
                let imports = |name: &str| !opened.info.import_slots(name).is_empty();
                let defines = |name: &str| !opened.info.symbols_named(name).is_empty();
                called.iter().any(|name| imports(name)) || defined.iter().any(|name| defines(name))
            })
        };
        let name = |module: &usize| Some(self.names.modules().get(*module)?.file_name.clone());
        modules.iter().filter(calls).filter_map(name).collect()
    }

    /// The places of a point.
    pub(super) fn places(&mut self, point: &EventPoint) -> Places {
        let serves = if point.at_return {
            Serves::EntryAndReturn
        } else {
            Serves::Entry
        };
        let mut found = Places {
            left_out: point.left_out.clone(),
            ..Places::default()
        };
        match &point.site {
            EventSite::Functions(functions) => {
                for function in functions {
                    match self.function(function.address, &function.name, serves) {
                        Ok(place) => found.places.push(place),
                        Err(why) => found.left_out.push((function.name.clone(), why)),
                    }
                }
            }
            EventSite::Address(address) => {
                let name = format!("{address:#x}");
                match self.address(*address, &name) {
                    Ok(place) => found.places.push(place),
                    Err(why) => found.left_out.push((name, why)),
                }
            }
            EventSite::Static {
                provider,
                name,
                named,
            } => self.statics(provider, name, *named, &mut found),
            EventSite::Line { file, line } => self.line(file, *line, &mut found),
            EventSite::Watch { .. } | EventSite::Process(_) => {}
        }
        if self.exact {
            self.add_copies(&mut found.places);
        }
        // One instruction of a file that is mapped twice, or that two notes name, is probed once: the kernel's probes are on files,
        // breakpoints on addresses.
        let mut seen = HashSet::new();
        found.places.retain(|place| {
            let address = self.exact.then_some(place.address);
            seen.insert((identity(&place.file), place.offset, address))
        });
        found
    }

    /// Adds what is in further copies of the same files that the target has mapped, as those of other namespaces of its dynamic
    /// linker.
    fn add_copies(&mut self, places: &mut Vec<Place>) {
        let mut moves: HashMap<usize, Vec<u64>> = HashMap::new();
        let mut copies = Vec::new();
        for place in places.iter() {
            let Ok((module, _)) = self.module(place.address) else {
                continue;
            };
            let moves = match moves.entry(module) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.moves(module)),
            };
            for by in moves.iter() {
                copies.push(Place {
                    address: place.address.wrapping_add(*by),
                    function: match place.function {
                        0 => 0,
                        function => function.wrapping_add(*by),
                    },
                    ..place.clone()
                });
            }
        }
        places.extend(copies);
    }

    /// How far from a module other copies of its file are.
    fn moves(&mut self, module: usize) -> Vec<u64> {
        let here = self.names.open(module).map(|opened| opened.bias);
        let (Ok(file), Ok(here)) = (self.file(module), here) else {
            return Vec::new();
        };
        let known = identity(&file);
        let mut moves = Vec::new();
        for other in self.modules() {
            if other != module
                && known.is_some()
                && self.file(other).is_ok_and(|file| identity(&file) == known)
                && let Ok(there) = self.names.open(other).map(|opened| opened.bias)
            {
                moves.push(there.wrapping_sub(here));
            }
        }
        moves
    }

    fn function(&mut self, address: u64, name: &str, serves: Serves) -> Result<Place, String> {
        if self.exact {
            let place = self.instruction(address, name)?;
            return Ok(Place {
                function: address,
                ..place
            });
        }
        let (module, within) = self.module(address)?;
        let opened = self.names.open(module)?;
        let site = opened
            .info
            .site(within, 0, serves, self.rules)
            .map_err(|refusal: Refusal| refusal.to_string())?;
        Ok(Place {
            file: self.file(module)?,
            offset: site.file_offset,
            stack_offset: u64::from(site.stack_offset),
            function: address,
            address,
            arguments: Vec::new(),
            semaphore: None,
            name: name.to_owned(),
            stepped: site.kind == SiteKind::SingleStepped,
        })
    }

    /// The instruction at an address that somebody has given.
    fn address(&mut self, address: u64, name: &str) -> Result<Place, String> {
        let (module, within) = self.module(address)?;
        let opened = self.names.open(module)?;
        if opened.info.begins_instruction(within) == Some(false) {
            return Err("no instruction begins there".to_owned());
        }
        self.instruction(address, name)
    }

    /// An instruction that begins at an address.
    fn instruction(&mut self, address: u64, name: &str) -> Result<Place, String> {
        let (module, within) = self.module(address)?;
        let opened = self.names.open(module)?;
        let (offset, stepped) = match opened.info.site_at(within, self.rules) {
            Ok(site) => (site.file_offset, site.kind == SiteKind::SingleStepped),
            Err(Refusal::Instruction { .. }) if self.exact => {
                let offset = opened.info.offset_of_address(within);
                (offset.ok_or("it is not in the file")?, false)
            }
            Err(refusal) => return Err(refusal.to_string()),
        };
        Ok(Place {
            file: self.file(module)?,
            offset,
            stack_offset: 0,
            function: 0,
            address,
            arguments: Vec::new(),
            semaphore: None,
            name: name.to_owned(),
            stepped,
        })
    }

    /// The places of a line of the source, in all modules.
    fn line(&mut self, file: &str, line: u64, found: &mut Places) {
        let shown = format!("{file}:{line}");
        let Ok(number) = u32::try_from(line) else {
            return;
        };
        for module in self.modules() {
            // Why a module cannot be opened is told where names are looked up.
            let Ok(opened) = self.names.open(module) else {
                continue;
            };
            let lines = match opened.info.line_places(file, number) {
                Ok(lines) => lines,
                Err(error) => {
                    found.left_out.push((shown.clone(), error.to_string()));
                    continue;
                }
            };
            if lines.places.is_empty()
                && let (Some(near), _) | (None, Some(near)) = (lines.nearest.0, lines.nearest.1)
            {
                let why = format!("the line has no code, line {near} has");
                found.left_out.push((shown.clone(), why));
            }
            for place in lines.places {
                let address = place.address.wrapping_add(opened.bias);
                match self.instruction(address, &shown) {
                    Ok(place) => found.places.push(place),
                    Err(why) => found.left_out.push((shown.clone(), why)),
                }
            }
        }
    }

    /// Why nothing at all has been found for a point, with what is named alike.
    pub(super) fn no_such(&self, point: &EventPoint, what: String) -> EventFailure {
        let mut close: Vec<String> = Vec::new();
        for module in self.modules() {
            let Ok(opened) = self.names.open(module) else {
                continue;
            };
            // A suggestion that cannot be had is no loss.
            match &point.site {
                EventSite::Static { provider, name, .. } => {
                    let wanted = format!("{provider}:{name}");
                    let probes = opened.info.static_probes().unwrap_or_default().probes;
                    let names = probes
                        .into_iter()
                        .map(|p| format!("{}:{}", p.provider, p.name));
                    let names: Vec<String> = names.collect();
                    let alike = closest(&wanted, names.iter().map(String::as_str));
                    close.extend(alike.iter().map(|known| format!("_usdt(\"{known}\")")));
                }
                EventSite::Line { file, line } => {
                    let units = opened.info.suggest_unit(file).unwrap_or_default();
                    close.extend(
                        units
                            .iter()
                            .map(|unit| format!("_line(\"{unit}\", {line})")),
                    );
                }
                _ => {}
            }
        }
        close.sort();
        close.dedup();
        close.truncate(3);
        EventFailure::NoSuch { what, close }
    }

    /// The places of a static probe, in all modules.
    fn statics(&mut self, provider: &str, name: &str, named: usize, found: &mut Places) {
        for module in self.modules() {
            // Why a module cannot be opened is told where names are looked up.
            let Ok(opened) = self.names.open(module) else {
                continue;
            };
            let probes = match opened.info.static_probes() {
                Ok(probes) => {
                    let problems = probes.problems.into_iter();
                    let shown = format!("{provider}:{name}");
                    found
                        .left_out
                        .extend(problems.map(|problem| (shown.clone(), problem)));
                    probes.probes
                }
                Err(error) => {
                    let shown = format!("{provider}:{name}");
                    found.left_out.push((shown, error.to_string()));
                    continue;
                }
            };
            let wanted = |probe: &StaticProbe| {
                probe.name == name && (provider.is_empty() || probe.provider == provider)
            };
            for probe in probes.into_iter().filter(wanted) {
                let shown = format!("{}:{}", probe.provider, probe.name);
                let has = probe.arguments.len();
                if named > has {
                    let arguments = if has == 1 { "argument" } else { "arguments" };
                    let why = format!("it has {has} {arguments}, and the probe names {named}");
                    found.left_out.push((shown, why));
                    continue;
                }
                match self.static_place(module, &probe, &shown) {
                    Ok(place) => found.places.push(place),
                    Err(why) => found.left_out.push((shown, why)),
                }
            }
        }
    }

    fn static_place(
        &mut self,
        module: usize,
        probe: &StaticProbe,
        shown: &str,
    ) -> Result<Place, String> {
        let bias = self.names.open(module)?.bias;
        let place = self.instruction(probe.address.wrapping_add(bias), shown)?;
        if self.exact && probe.semaphore.is_some() {
            return Err(
                "it has a semaphore, which the kernel alone raises: not with --sync".to_owned(),
            );
        }
        let semaphore = match probe.semaphore {
            None => None,
            Some(semaphore) => Some(
                semaphore
                    .file_offset
                    .ok_or("its semaphore is not in the file")?,
            ),
        };
        let arguments = probe
            .arguments
            .iter()
            .map(|argument| self::argument(argument, bias));
        Ok(Place {
            arguments: arguments.collect(),
            semaphore,
            ..place
        })
    }

    /// The modules that the target has now.
    fn modules(&self) -> Vec<usize> {
        let all = self.names.modules().iter().enumerate();
        let here = all.filter(|(_, module)| !module.gone);
        here.map(|(index, _)| index).collect()
    }

    /// The module at an address, and the address in its file.
    fn module(&self, address: u64) -> Result<(usize, u64), String> {
        let module = self
            .names
            .module_at(self.names.dated(address))
            .ok_or_else(|| format!("no module has code at {address:#x}"))?;
        let bias = self.names.open(module)?.bias;
        Ok((module, address.wrapping_sub(bias)))
    }

    fn file(&mut self, module: usize) -> Result<Arc<File>, String> {
        let names = self.names;
        let file = self
            .files
            .entry(module)
            .or_insert_with(|| names.file(module).map(Arc::new));
        file.clone()
    }
}

/// What tells a file from all others.
fn identity(file: &File) -> Option<(u64, u64)> {
    let known = file.metadata().ok()?;
    Some((known.dev(), known.ino()))
}

/// An argument of a static probe as the kernel can compute it.
fn argument(argument: &StaticArgument, bias: u64) -> Argument {
    let register = |register: &MachineRegister| {
        (register.shift == 0)
            .then(|| Register::from_dwarf(register.number).ok())
            .flatten()
    };
    let Some(width) = Width::of_bytes(u32::from(argument.size)).filter(|_| !argument.float) else {
        return Argument::None;
    };
    let memory = |base, index, displacement| Argument::Memory {
        base,
        index,
        displacement,
        width,
        signed: argument.signed,
    };
    match &argument.operand {
        Operand::Constant(value) => Argument::Constant(value.cast_unsigned()),
        Operand::Register(found) => register(found).map_or(Argument::None, |register| {
            Argument::Register(register, width, argument.signed)
        }),
        Operand::Memory {
            base,
            index,
            displacement,
            thread_local: false,
        } => {
            let index = match index {
                None => Some(None),
                Some((index, scale)) => {
                    register(index).map(|index| Some((index, u64::from(*scale))))
                }
            };
            let base = match base {
                None => Some(None),
                Some(base) => register(base).map(Some),
            };
            match (base, index) {
                (Some(base), Some(index)) => memory(base, index, displacement.cast_unsigned()),
                _ => Argument::None,
            }
        }
        Operand::Symbol {
            address: Some(address),
            ..
        } => memory(None, None, address.wrapping_add(bias)),
        Operand::Memory { .. } | Operand::Symbol { .. } | Operand::Unknown => Argument::None,
    }
}
