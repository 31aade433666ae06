//! Which modules have no debug information, and whether files that the user named are of any use.

use std::path::Path;

use ytrace_debuginfo::{DebugSource, Error, Found};
use ytrace_lang::target::ModuleId;
use ytrace_target::ModuleKind;

use super::{Names, hexadecimal};

/// The most modules that a sentence lists.
const MAX_LISTED: usize = 6;

impl Names {
    /// Why names may be missing: the modules without debug information, one sentence each, the first with what to do.
    pub(super) fn missing_debug_files(&self) -> Vec<String> {
        let mut reasons: Vec<String> = (0..self.modules().len())
            .filter_map(|index| self.missing(index))
            .collect();
        if let Some(first) = reasons.first_mut() {
            first.push_str(
                "; it comes with a debug package (-dbg, -dbgsym), from servers with --debuginfod, or from files: --debug-root, --debug-file",
            );
        }
        reasons
    }

    /// Whether a module has no debug information, or cannot be read.
    pub(super) fn has_no_types(&self, index: usize) -> bool {
        self.open(index).map_or(true, |opened| {
            opened
                .info
                .debug_status()
                .map_or(true, |status| status.source == DebugSource::None)
        })
    }

    /// Why a module has no debug information, if it has none and that is worth a word.
    fn missing(&self, index: usize) -> Option<String> {
        let module = self.modules().get(index)?;
        let name = &module.file_name;
        if module.mapped.kind == ModuleKind::Vdso {
            return None;
        }
        let opened = match self.open(index) {
            Ok(opened) => opened,
            Err(reason) => return Some(format!("{name}: {reason}")),
        };
        match opened.info.debug_status() {
            Err(error) => return Some(format!("{name}: {error}")),
            Ok(status) if status.source != DebugSource::None => return None,
            Ok(_) => {}
        }
        let id = opened.info.build_id().map(hexadecimal).unwrap_or_default();
        let id = if id.is_empty() {
            String::new()
        } else {
            format!(" (build-id {id})")
        };
        if module.mapped.main
            && let Some(others) = self.with_types()
        {
            return Some(format!(
                "{name} has no type information{id}; names were looked for in {others}"
            ));
        }
        let symbols = if opened.info.symbol_count() == 0 {
            " and no symbols"
        } else {
            ""
        };
        Some(format!("{name} has no debug information{symbols}{id}"))
    }

    /// The modules that have debug information, as a list; `None` where none has.
    fn with_types(&self) -> Option<String> {
        let names: Vec<&str> = (0..self.modules().len())
            .filter(|index| !self.has_no_types(*index))
            .filter_map(|index| Some(self.modules().get(index)?.file_name.as_str()))
            .collect();
        if names.is_empty() {
            return None;
        }
        let shown: Vec<&str> = names.iter().take(MAX_LISTED).copied().collect();
        let mut text = shown.join(", ");
        if names.len() > MAX_LISTED {
            text.push_str(&format!(" and {} more", names.len() - MAX_LISTED));
        }
        Some(text)
    }

    /// Whether a debug file given by hand is of a module of the target and fits it; else what is
    /// wrong, and what to do.
    pub fn check_debug_file(
        &self,
        module: &str,
        file: &Path,
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

    /// Which types files are used for no module of the target, one sentence each.
    ///
    /// # Errors
    /// One that was to be used for another build does not fit it: what is wrong, and what to do.
    pub fn check_types_files(&self) -> Result<Vec<String>, (String, Option<String>)> {
        let mut unused = Vec::new();
        for file in &self.types_files {
            let mut used = false;
            let mut builds = Vec::new();
            for (index, module) in self.modules().iter().enumerate() {
                let Ok(opened) = self.open(index) else {
                    continue;
                };
                match opened.info.debug_status() {
                    Ok(status) => {
                        used |= matches!(&status.source, DebugSource::File { path, .. } if path == file.path());
                    }
                    Err(error) => {
                        if let Error::Misfit { debug_file, .. } = &error
                            && debug_file == file.path()
                        {
                            return Err((
                                format!("--types {}: {error}", file.path().display()),
                                Some(
                                    "extract the types of this build: ytrace types extract"
                                        .to_owned(),
                                ),
                            ));
                        }
                    }
                }
                if module.file_name == file.file_name()
                    || opened.info.soname() == file.soname() && file.soname().is_some()
                {
                    builds.push(
                        opened
                            .info
                            .build_id()
                            .map_or("none".to_owned(), hexadecimal),
                    );
                }
            }
            if !used {
                let id = file.build_id().map_or("none".to_owned(), hexadecimal);
                let why = match builds.first() {
                    None => "the target has no such module".to_owned(),
                    Some(other) => format!(
                        "that of the target has build-id {other}; --types-any-build uses it if sections and symbols agree"
                    ),
                };
                unused.push(format!(
                    "{} is not used: it is of {} with build-id {id}, and {why}",
                    file.path().display(),
                    file.file_name()
                ));
            }
        }
        Ok(unused)
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

    /// What a result must say about its types: those of other builds that were used.
    pub fn notes(&self) -> Vec<String> {
        let opened = self.modules().iter().filter_map(|module| {
            let opened = module.opened.get()?.as_ref().ok()?;
            Some((module, opened.info.debug_status().ok()?))
        });
        opened
            .filter_map(|(module, status)| match &status.source {
                DebugSource::File {
                    path,
                    found: Found::TypesOfOtherBuild,
                } => Some(format!(
                    "TYPES OF ANOTHER BUILD: those of {} are from {}, matched by sections and symbols, not by build-id",
                    module.file_name,
                    path.display()
                )),
                _ => None,
            })
            .collect()
    }
}
