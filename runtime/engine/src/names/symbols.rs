//! Variables, functions and addresses of the target for the language.

use std::collections::HashSet;

use ytrace_debuginfo::{
    Function, Location, NameKind as DebugKind, ParameterPlace as DebugPlace, SymbolKind,
};
use ytrace_lang::target::{
    CopyDescription, FunctionDescription, InlinedPlace, LookupError, MacroDescription,
    MatchingFunctions, ModuleId, NameKind, ParameterPlace, Scope, SymbolSource,
    VariableDescription, matches_pattern,
};

use super::changes::undated;
use super::{Names, Opened, Origin, lookup_error};

/// The most names that are suggested.
const MAX_SUGGESTIONS: usize = 5;

impl SymbolSource for Names {
    fn thread_locals_of(&self, module: ModuleId) -> Result<(), String> {
        match self.origin {
            Origin::Process(_) => self.thread_local_distance(module.0 as usize).map(drop),
            // On types files and core files no program runs yet.
            _ => Ok(()),
        }
    }

    fn find_variable(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<VariableDescription>, LookupError> {
        let found = self.search(scope, name, |opened, unit| {
            let Some(variable) = opened.info.variable(name, unit)? else {
                return Ok(None);
            };
            Ok(match variable.location {
                Location::Address(address) => {
                    Some((address.wrapping_add(opened.bias), false, variable.ty))
                }
                Location::ThreadLocal(offset) => Some((offset, true, variable.ty)),
                // Another module defines it, or nobody does.
                Location::Declared | Location::Unavailable => None,
            })
        })?;
        Ok(found.map(
            |(module, (address, thread_local, ty))| VariableDescription {
                module: ModuleId(module as u32),
                address,
                thread_local,
                ty: ty.map(|ty| self.number(module, ty)),
            },
        ))
    }

    fn find_function(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<FunctionDescription>, LookupError> {
        let look = |opened: &Opened, unit: Option<&str>| {
            let found = opened.info.function_with_copies(name, unit)?;
            Ok(found.and_then(|found| {
                let address = found.function.entry?.wrapping_add(opened.bias);
                Some((address, found))
            }))
        };
        // As dynamic linking binds it: a library's own function comes after what other libraries offer to all.
        let (order, _) = self.order(scope)?;
        let own: Vec<usize> = order
            .into_iter()
            .filter(|module| {
                scope.preferred == Some(ModuleId(*module as u32))
                    || self
                        .modules()
                        .get(*module)
                        .is_some_and(|module| module.mapped.main)
            })
            .collect();
        let mut binding = None;
        if scope.prefix.is_none() {
            binding = self.search_numbered(scope, name, |module, opened, unit| {
                if own.contains(&module) || offers(opened, name) {
                    look(opened, unit)
                } else {
                    Ok(None)
                }
            })?;
        }
        let found = match binding {
            Some(found) => Some(found),
            None => self.search(scope, name, look)?,
        };
        Ok(found.map(|(module, (address, found))| {
            let described = self.function_described(module, address, Some(found.function));
            FunctionDescription {
                copies: self.copies_described(module, found.copies),
                unclear_copies: found.unclear,
                ..described
            }
        }))
    }

    fn find_functions(
        &mut self,
        scope: &Scope,
        pattern: &str,
        limit: usize,
    ) -> Result<MatchingFunctions, LookupError> {
        let (order, unit) = self.order(scope)?;
        let is_pattern = pattern.contains(['*', '?']);
        let mut seen: HashSet<String> = HashSet::new();
        let mut found = Vec::new();
        let mut total = 0_usize;
        for module in order {
            let Ok(opened) = self.open(module) else {
                continue;
            };
            let symbols = match is_pattern && unit.is_none() {
                true => symbols_matching(opened, pattern),
                false => 0,
            };
            if symbols > limit {
                // More than can be wanted: nobody asks what they are.
                total = total.saturating_add(symbols);
                continue;
            }
            let functions = match is_pattern {
                true => opened
                    .info
                    .functions_matching(&|name| matches_pattern(pattern, name)),
                false => opened.info.functions_named(pattern),
            };
            let functions = functions.map_err(|error| lookup_error(pattern, error))?;
            let mut here: Vec<String> = Vec::new();
            for function in functions {
                let implementations = match &function.body {
                    Some(resolver) if function.indirect => opened.info.implementations(resolver),
                    _ => Vec::new(),
                };
                let mut entered = implementations.iter().chain(function.entered()).cloned();
                let Some(first) = entered.next() else {
                    continue;
                };
                let of_unit = |unit: &str| {
                    let own = function.prototype.as_ref();
                    own.and_then(|own| own.unit.as_deref())
                        .is_some_and(|own| own == unit || own.ends_with(&format!("/{unit}")))
                };
                if seen.contains(&function.name) || !unit.as_deref().is_none_or(of_unit) {
                    continue;
                }
                here.push(function.name.clone());
                total = total.saturating_add(1);
                if total <= limit {
                    let known = match function.body {
                        Some(_) => None,
                        None => opened.info.described_at(&function.name, first.address).ok(),
                    };
                    let mut copies = Vec::new();
                    for copy in entered {
                        // What cannot be read is not known.
                        let known = opened.info.described_at(&function.name, copy.address);
                        copies.push((copy.symbol, copy.address, known.unwrap_or_default()));
                    }
                    let known = known.flatten().or(function.prototype.clone());
                    let address = first.address.wrapping_add(opened.bias);
                    found.push((module, function.name.clone(), address, known, copies));
                }
            }
            seen.extend(here);
        }
        if total > limit {
            found.clear();
        }
        let functions = found
            .into_iter()
            .map(|(module, name, address, function, copies)| {
                let described = self.function_described(module, address, function);
                let copies = self.copies_described(module, copies);
                (
                    name,
                    FunctionDescription {
                        copies,
                        ..described
                    },
                )
            })
            .collect();
        Ok(MatchingFunctions { functions, total })
    }

    fn awaits_functions(&self) -> bool {
        self.pending
    }

    /// Only the module that the file has chosen and the executable are asked: what the headers of every library define is no part of
    /// a program that somebody wants to look at.
    fn find_macro(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<MacroDescription>, LookupError> {
        let chosen = scope.preferred.map(|ModuleId(module)| module as usize);
        let executable = self
            .modules()
            .iter()
            .position(|module| module.mapped.main && !module.gone);
        let mut modules = vec![chosen, executable];
        modules.dedup();
        for module in modules.into_iter().flatten() {
            let Ok(opened) = self.open(module) else {
                continue;
            };
            let found = opened
                .info
                .macros_named(name)
                .map_err(|error| lookup_error(name, error))?;
            match found {
                [] => {}
                [one] => {
                    return Ok(Some(MacroDescription {
                        parameters: one.parameters.clone(),
                        replacement: one.replacement.clone(),
                        place: Some(place_of(one)),
                    }));
                }
                several => {
                    return Err(LookupError::Ambiguous {
                        name: name.to_owned(),
                        places: several
                            .iter()
                            .map(|one| format!("`{}` at {}", one.replacement, place_of(one)))
                            .collect(),
                    });
                }
            }
        }
        Ok(None)
    }

    fn find_module(&mut self, pattern: &str) -> Option<ModuleId> {
        self.module_named(pattern)
    }

    fn find_string(&mut self, scope: &Scope, bytes: &[u8]) -> Option<u64> {
        let mut wanted = Vec::with_capacity(bytes.len() + 1);
        wanted.extend_from_slice(bytes);
        wanted.push(0);
        let (order, _) = self.order(scope).ok()?;
        if matches!(self.origin, Origin::Types) {
            // A types file has no data: whether the bytes are there is not known, and no program runs that would read them.
            return Some(0);
        }
        for module in order {
            let Ok(opened) = self.open(module) else {
                continue;
            };
            for section in opened.info.sections() {
                if !section.name.starts_with(".rodata") {
                    continue;
                }
                let Ok(Some(content)) = opened.info.section(&section.name) else {
                    continue;
                };
                if let Some(at) = find_bytes(&content, &wanted) {
                    return Some(
                        section
                            .address
                            .wrapping_add(at as u64)
                            .wrapping_add(opened.bias),
                    );
                }
            }
        }
        None
    }

    fn suggest(&mut self, scope: &Scope, kind: NameKind, name: &str) -> Vec<String> {
        let kinds: &[DebugKind] = match kind {
            NameKind::Type => &[
                DebugKind::Typedef,
                DebugKind::Struct,
                DebugKind::Union,
                DebugKind::Enum,
                DebugKind::Base,
            ],
            NameKind::Symbol => &[
                DebugKind::Variable,
                DebugKind::Function,
                DebugKind::Enumerator,
            ],
        };
        let Ok((order, _)) = self.order(scope) else {
            return Vec::new();
        };
        let mut found: Vec<String> = Vec::new();
        for (rank, module) in order.into_iter().enumerate() {
            let Ok(opened) = self.open(module) else {
                continue;
            };
            for kind in kinds {
                // A suggestion that cannot be had is no loss.
                for name in opened.info.suggest(*kind, name).unwrap_or_default() {
                    if !found.contains(&name) {
                        found.push(name);
                    }
                }
            }
            // Where the program itself has no types, names of some library that look alike only mislead.
            let blind = rank == 0 && self.has_no_types(module);
            if blind || found.len() >= MAX_SUGGESTIONS {
                break;
            }
        }
        found.truncate(MAX_SUGGESTIONS);
        found
    }

    fn missing_debug_information(&mut self) -> Vec<String> {
        self.missing_debug_files()
    }

    fn inlined_at(&mut self, scope: &Scope, name: &str) -> Vec<InlinedPlace> {
        let Ok((order, _)) = self.order(scope) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for module in order {
            let Ok(opened) = self.open(module) else {
                continue;
            };
            // What cannot be read is told by other look-ups.
            for copy in opened.info.inlined_copies(name).unwrap_or_default() {
                let symbol = opened.info.symbolize(copy.address);
                let innermost = symbol.inlined.into_iter().next();
                let place = innermost.and_then(|inner| inner.location);
                if let Some((file, line)) = place.and_then(|place| Some((place.file, place.line?)))
                {
                    let file = file.rsplit('/').next().unwrap_or_default().to_owned();
                    let within = copy.within;
                    found.push(InlinedPlace { within, file, line });
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        found.dedup();
        found
    }
}

/// How many symbols of functions match a pattern, each name once, without what compilers have split off or specialised.
fn symbols_matching(opened: &Opened, pattern: &str) -> usize {
    let symbols = opened.info.symbols().filter(|symbol| {
        let code = matches!(
            symbol.kind,
            SymbolKind::Function | SymbolKind::IndirectFunction
        );
        let whole = !symbol.name.is_empty() && !symbol.name.contains('.');
        code && whole && matches_pattern(pattern, &symbol.name)
    });
    let names: HashSet<String> = symbols.map(|symbol| symbol.name).collect();
    names.len()
}

/// Whether a module offers a function of that name to other modules.
fn offers(opened: &Opened, name: &str) -> bool {
    opened.info.symbols_named(name).iter().any(|symbol| {
        symbol.global
            && matches!(
                symbol.kind,
                SymbolKind::Function | SymbolKind::IndirectFunction
            )
    })
}

impl Names {
    fn function_described(
        &mut self,
        module: usize,
        address: u64,
        function: Option<Function>,
    ) -> FunctionDescription {
        let described = FunctionDescription {
            module: ModuleId(module as u32),
            address,
            parameters: None,
            result: None,
            variadic: false,
            places: self.places_in_copy(module, address, function.as_ref()),
            copies: Vec::new(),
            unclear_copies: Vec::new(),
        };
        let Some(function) = function else {
            return described;
        };
        let parameters = function.parameters.map(|parameters| {
            parameters
                .into_iter()
                .map(|parameter| (parameter.name, self.number(module, parameter.ty)))
                .collect()
        });
        FunctionDescription {
            parameters,
            result: function.result.map(|ty| self.number(module, ty)),
            variadic: function.variadic,
            ..described
        }
    }

    fn copies_described(
        &self,
        module: usize,
        copies: Vec<(String, u64, Option<Function>)>,
    ) -> Vec<CopyDescription> {
        let bias = self.open(module).map_or(0, |opened| opened.bias);
        let copies = copies.into_iter().map(|(name, address, function)| {
            let address = address.wrapping_add(bias);
            let places = self.places_in_copy(module, address, function.as_ref());
            CopyDescription {
                name,
                address,
                places,
            }
        });
        copies.collect()
    }

    /// Where a copy of a function that the compiler has made for some callers has its parameters; `None` for any other.
    fn places_in_copy(
        &self,
        module: usize,
        address: u64,
        function: Option<&Function>,
    ) -> Option<Vec<ParameterPlace>> {
        let opened = self.open(module).ok()?;
        let within = address.wrapping_sub(opened.bias);
        // Without a word of the debug information a place is not known.
        let found = opened.info.parameter_places(function, within);
        let found = found.unwrap_or_default();
        found.copied.then(|| {
            let places = found.places.into_iter();
            places.map(place_in_copy).collect()
        })
    }

    /// The name of the function or variable at an address, with the offset in it.
    pub fn symbol_name(&self, address: u64) -> Option<(String, u64)> {
        let Some(module) = self.module_at(address) else {
            return self
                .zeroed_variable(address)
                .or_else(|| self.made_name(address));
        };
        let opened = self.open(module).ok()?;
        let inside = undated(address).0.wrapping_sub(opened.bias);
        // A symbol without a size would name whatever follows it; a variable that covers the address comes first.
        if let Some(data) = opened.info.symbolize_data(inside)
            && (data.offset == 0 || data.offset < data.size)
        {
            return Some((data.name, data.offset));
        }
        // What cannot run is in no function, though one may stand before it.
        let mapped = self.modules().get(module).map(|module| &module.mapped);
        let mut mappings = mapped.into_iter().flat_map(|mapped| &mapped.mappings);
        let mapping = mappings.find(|mapping| mapping.contains(undated(address).0));
        if mapping.is_some_and(|mapping| !mapping.permissions.execute) {
            return None;
        }
        // Line tables are read only where no symbol table has a name.
        if let Some(named) = opened.info.function_name(inside) {
            return Some(named);
        }
        let symbol = opened.info.symbolize(inside);
        symbol.name.map(|name| (name, symbol.offset))
    }

    /// The variable at an address in a module's zeroed data beyond its file. What else lies there has no name.
    fn zeroed_variable(&self, address: u64) -> Option<(String, u64)> {
        let module = self.modules().iter().position(|module| {
            let zeroed = &module.mapped.zeroed;
            !module.gone
                && zeroed
                    .as_ref()
                    .is_some_and(|range| range.contains(&address))
        })?;
        let opened = self.open(module).ok()?;
        let data = opened
            .info
            .symbolize_data(address.wrapping_sub(opened.bias))?;
        (data.offset == 0 || data.offset < data.size).then_some((data.name, data.offset))
    }

    /// A frame for a code address: the function's name, or module and offset.
    pub fn frame(&self, address: u64) -> String {
        if let Some((name, _)) = self.symbol_name(address) {
            return name;
        }
        self.module_place(address)
            .unwrap_or_else(|| format!("{:#x}", undated(address).0))
    }

    /// The module that an address is of, and where it is in that.
    pub fn module_place(&self, address: u64) -> Option<String> {
        let index = self.module_at(address)?;
        let module = self.modules().get(index)?;
        let plain = undated(address).0;
        Some(match self.open(index) {
            Ok(opened) => format!(
                "{}+{:#x}",
                module.file_name,
                plain.wrapping_sub(opened.bias)
            ),
            Err(_) => format!("{}@{plain:#x}", module.file_name),
        })
    }
}

/// Where a macro is defined, as the user knows it.
fn place_of(definition: &ytrace_debuginfo::MacroDefinition) -> String {
    match &definition.file {
        Some(file) => format!("{file}:{}", definition.line),
        None => "the compiler's command line".to_owned(),
    }
}

fn find_bytes(haystack: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = haystack.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + at;
        let rest = haystack.get(at..)?;
        // The literal itself, not the end of a longer one.
        let begins = at == 0 || haystack.get(at - 1) == Some(&0);
        if rest.len() < wanted.len() {
            return None;
        }
        if begins && rest.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where a copy of a function has a parameter, for the language.
fn place_in_copy(place: DebugPlace) -> ParameterPlace {
    /// DWARF numbers of the general registers are below this.
    const GENERAL: u16 = 16;
    /// The first vector register.
    const VECTORS: u16 = 17;
    let of_register = |register: u16| {
        let vector = register.checked_sub(VECTORS).filter(|number| *number < 16);
        match (u8::try_from(register), vector) {
            (Ok(general), _) if register < GENERAL => Some(ParameterPlace::General(general)),
            (_, Some(vector)) => u8::try_from(vector).ok().map(ParameterPlace::Vector),
            _ => None,
        }
    };
    match place {
        DebugPlace::Register(register) => of_register(register).unwrap_or(ParameterPlace::Nowhere(
            "it is in a register that cannot be read",
        )),
        // The frame's base is above the return address.
        DebugPlace::Stack(offset) => ParameterPlace::Stack(offset.saturating_add(8)),
        DebugPlace::Constant(value) => ParameterPlace::Constant(value),
        DebugPlace::Absent => ParameterPlace::Nowhere(
            "a copy of the function that the compiler made for some callers is hit, and it has been left out there",
        ),
        DebugPlace::Unsaid => ParameterPlace::Nowhere(
            "a copy of the function that the compiler made for some callers is hit, and the debug information does not tell where that has it (`_arg(n)` are the registers of arguments)",
        ),
    }
}
