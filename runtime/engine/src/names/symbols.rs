//! Variables, functions and addresses of the target for the language.

use ytrace_debuginfo::{DebugSource, Location, NameKind as DebugKind};
use ytrace_lang::target::{
    FunctionDescription, LookupError, ModuleId, NameKind, Scope, SymbolSource, VariableDescription,
};

use super::{Names, lookup_error};

/// The most names that are suggested.
const MAX_SUGGESTIONS: usize = 5;

impl SymbolSource for Names {
    fn has_stacks(&self) -> bool {
        false
    }

    fn has_thread_locals(&self, _module: ModuleId) -> bool {
        false
    }

    fn find_variable(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<VariableDescription>, LookupError> {
        let (order, unit) = self.order(scope)?;
        for module in order {
            let Ok(opened) = self.open(module) else {
                continue;
            };
            let found = opened
                .info
                .variable(name, unit.as_deref())
                .map_err(|error| lookup_error(name, error))?;
            let Some(variable) = found else {
                continue;
            };
            let (address, thread_local) = match variable.location {
                Location::Address(address) => (address.wrapping_add(opened.bias), false),
                Location::ThreadLocal(offset) => (offset, true),
                // Another module defines it, or nobody does.
                Location::Declared | Location::Unavailable => continue,
            };
            let ty = variable.ty;
            return Ok(Some(VariableDescription {
                module: ModuleId(module as u32),
                address,
                thread_local,
                ty: ty.map(|ty| self.number(module, ty)),
            }));
        }
        Ok(None)
    }

    fn find_function(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<FunctionDescription>, LookupError> {
        let (order, unit) = self.order(scope)?;
        for module in order {
            let Ok(opened) = self.open(module) else {
                continue;
            };
            let found = opened
                .info
                .function(name, unit.as_deref())
                .map_err(|error| lookup_error(name, error))?;
            let Some(function) = found else {
                continue;
            };
            let Some(entry) = function.entry else {
                continue;
            };
            let address = entry.wrapping_add(opened.bias);
            let parameters = function.parameters.map(|parameters| {
                parameters
                    .into_iter()
                    .map(|parameter| (parameter.name, self.number(module, parameter.ty)))
                    .collect()
            });
            return Ok(Some(FunctionDescription {
                module: ModuleId(module as u32),
                address,
                parameters,
                result: function.result.map(|ty| self.number(module, ty)),
                variadic: function.variadic,
            }));
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
            NameKind::Type => &[DebugKind::Typedef, DebugKind::Struct, DebugKind::Base],
            NameKind::Symbol => &[DebugKind::Variable, DebugKind::Function],
        };
        let Ok((order, _)) = self.order(scope) else {
            return Vec::new();
        };
        let mut found: Vec<String> = Vec::new();
        for module in order {
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
            if found.len() >= MAX_SUGGESTIONS {
                break;
            }
        }
        found.truncate(MAX_SUGGESTIONS);
        found
    }

    fn missing_debug_information(&mut self) -> Vec<String> {
        (0..self.modules().len())
            .filter_map(|index| self.missing(index))
            .collect()
    }
}

impl Names {
    /// Why a module has no debug information, if it has none and that is worth a word.
    fn missing(&self, index: usize) -> Option<String> {
        let module = self.modules().get(index)?;
        let name = &module.file_name;
        if module.mapped.kind == ytrace_target::ModuleKind::Vdso {
            return None;
        }
        let opened = match self.open(index) {
            Ok(opened) => opened,
            Err(reason) => return Some(format!("{name}: {reason}")),
        };
        match opened.info.debug_status() {
            Err(error) => Some(format!("{name}: {error}")),
            Ok(status) => match status.source {
                DebugSource::File { .. } => None,
                DebugSource::None => {
                    let id = opened.info.build_id().map(hexadecimal).unwrap_or_default();
                    let symbols = if opened.info.symbol_count() == 0 {
                        " and no symbols"
                    } else {
                        ""
                    };
                    let id = if id.is_empty() {
                        String::new()
                    } else {
                        format!(" (build-id {id})")
                    };
                    Some(format!("{name} has no debug information{symbols}{id}"))
                }
            },
        }
    }

    /// Whether a debug file given by hand is of a module of the target and fits it; else what is
    /// wrong, and what to do.
    pub fn check_debug_file(
        &self,
        module: &str,
        file: &std::path::Path,
    ) -> Result<(), (String, Option<String>)> {
        let Some(ModuleId(index)) = self.module_named(module) else {
            let names: Vec<&str> = self
                .modules()
                .iter()
                .map(|module| module.file_name.as_str())
                .filter(|name| !name.is_empty())
                .collect();
            return Err((
                format!("--debug-file: the target has no module `{module}`"),
                Some(format!("its modules are {}", names.join(", "))),
            ));
        };
        let opened = self
            .open(index as usize)
            .map_err(|reason| (reason.to_owned(), None))?;
        match opened.info.debug_status() {
            Ok(_) => Ok(()),
            Err(error) => Err((
                format!("--debug-file {module}={}: {error}", file.display()),
                Some(
                    "it must be made from the same build; leave the option away to go on without it"
                        .to_owned(),
                ),
            )),
        }
    }

    /// Warnings about debug files, such as one given by hand that has another build-id.
    pub fn warnings(&self) -> Vec<String> {
        let opened = self.modules().iter().filter_map(|module| {
            let opened = module.opened.get()?.as_ref().ok()?;
            Some((module, opened.info.debug_status().ok()?))
        });
        opened
            .flat_map(|(module, status)| {
                status
                    .warnings
                    .iter()
                    .map(|warning| format!("{}: {warning}", module.file_name))
            })
            .collect()
    }

    /// The name of the function or variable at an address, with the offset in it.
    pub fn symbol_name(&self, address: u64) -> Option<(String, u64)> {
        let module = self.module_at(address)?;
        let opened = self.open(module).ok()?;
        let inside = address.wrapping_sub(opened.bias);
        // A symbol without a size would name whatever follows it; a variable that covers the address comes first.
        if let Some(data) = opened.info.symbolize_data(inside)
            && (data.offset == 0 || data.offset < data.size)
        {
            return Some((data.name, data.offset));
        }
        // Line tables are read only where no symbol table has a name.
        if let Some(named) = opened.info.function_name(inside) {
            return Some(named);
        }
        let symbol = opened.info.symbolize(inside);
        symbol.name.map(|name| (name, symbol.offset))
    }

    /// A frame for a code address: the function's name, or module and offset.
    pub fn frame(&self, address: u64) -> String {
        if let Some((name, _)) = self.symbol_name(address) {
            return name;
        }
        match self.module_at(address) {
            Some(index) => {
                let module = &self.modules()[index];
                match self.open(index) {
                    Ok(opened) => format!(
                        "{}+{:#x}",
                        module.file_name,
                        address.wrapping_sub(opened.bias)
                    ),
                    Err(_) => format!("{}@{address:#x}", module.file_name),
                }
            }
            None => format!("{address:#x}"),
        }
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
