//! Core files as targets: which of a core file's modules can be used, and why others cannot.

use ytrace_target::{CoreFile, Module, ModuleKind};

use crate::error::SessionError;
use crate::names::{DebugOptions, Names, hexadecimal};

/// The most modules that warnings name one by one.
const MAX_NAMED: usize = 8;

/// The names of a core file.
pub(crate) struct CoreNames {
    /// The names.
    pub(crate) names: Names,
    /// What the user should know, one sentence each: that the core file is cut short, which modules cannot be used and why.
    pub(crate) warnings: Vec<String>,
}

/// Why the executable of a core file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CoreNamesError {
    /// The core file lists no mapped files.
    #[error("{core} lists no mapped programs{}", because(warnings))]
    NoModules {
        /// The core file.
        core: String,
        /// What is wrong with it.
        warnings: Vec<String>,
    },
    /// The executable is missing, or is another one.
    #[error("the executable of {core} cannot be used: {reason}")]
    Executable {
        /// The core file.
        core: String,
        /// Why.
        reason: String,
        /// The build-id that the executable must have, if that is known.
        build_id: Option<String>,
    },
}

impl CoreNamesError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            CoreNamesError::NoModules { .. } => {
                Some("the kernel writes the list (the note NT_FILE) at the start of a core file, `gcore` at its end; copy the whole file; where its memory is there and the list is not, --exe FILE tells which the executable is".to_owned())
            }
            CoreNamesError::Executable { build_id, .. } => {
                let which = build_id
                    .as_ref()
                    .map_or(String::new(), |id| format!(" with build-id {id}"));
                Some(format!(
                    "name the executable{which} with --exe FILE, a copy of the machine's files with --sysroot DIR, or its types with --types FILE"
                ))
            }
        }
    }
}

fn because(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    format!(": {}", warnings.join("; "))
}

/// Opens the modules of a core file.
///
/// # Errors
/// Its executable cannot be used. Other modules that cannot be used are named in the warnings.
pub(crate) fn names(core: &CoreFile, options: &DebugOptions) -> Result<CoreNames, SessionError> {
    let shown = core.path().display().to_string();
    let names = Names::of_core(core.clone(), options);
    let mut warnings = core.warnings().to_vec();
    if names.modules().is_empty() {
        return Err(CoreNamesError::NoModules {
            core: shown,
            warnings,
        }
        .into());
    }
    let build_id = |module: &Module| core.build_id(module).map(|id| hexadecimal(&id));
    let mut unusable = Vec::new();
    for (index, module) in names.modules().iter().enumerate() {
        if module.mapped.kind == ModuleKind::Vdso {
            continue;
        }
        match names.open(index) {
            Ok(_) if core.is_unverified(&module.mapped) => warnings.push(format!(
                "{}: the core file does not hold its first page; that the file is still the one that was mapped is taken from the places of its segments alone",
                module.file_name
            )),
            Ok(_) => {}
            Err(reason) if module.mapped.main => {
                return Err(CoreNamesError::Executable {
                    core: shown,
                    reason: reason.to_owned(),
                    build_id: build_id(&module.mapped),
                }
                .into());
            }
            Err(reason) => unusable.push(format!("no names of {}: {reason}", module.file_name)),
        }
    }
    let more = unusable.len().saturating_sub(MAX_NAMED);
    unusable.truncate(MAX_NAMED);
    warnings.append(&mut unusable);
    if more > 0 {
        warnings.push(format!("no names of {more} more modules"));
    }
    Ok(CoreNames { names, warnings })
}
