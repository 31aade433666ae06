//! Types files: made from modules, and opened for sessions.

use std::path::{Path, PathBuf};

use ytrace_debuginfo::{DebugRoot, DebugSource, Extracted, Loader, Module, TypesFile};

use crate::names::{Names, hexadecimal};

/// The program's name in files that it writes.
const PRODUCER: &str = concat!("ytrace ", env!("CARGO_PKG_VERSION"));

/// Why the types of a module cannot be extracted.
#[derive(Debug, thiserror::Error)]
pub enum TypesError {
    /// The module has none.
    #[error("{module} has no debug information to take types from")]
    None {
        /// The module.
        module: String,
        /// Where it was looked for.
        tried: Vec<String>,
    },
    /// The process has no such module.
    #[error("the process has no module `{name}`")]
    NoSuchModule {
        /// The name that was asked for.
        name: String,
        /// The modules that it has.
        known: Vec<String>,
    },
    /// The module's file cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

impl TypesError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            TypesError::None { tried, .. } if tried.is_empty() => {
                Some("name its debug file with --debug-file, or build it with -g".to_owned())
            }
            TypesError::None { tried, .. } => {
                let mut places: Vec<&str> = Vec::with_capacity(tried.len());
                for place in tried {
                    if !places.contains(&place.as_str()) {
                        places.push(place);
                    }
                }
                Some(format!(
                    "looked for {}; name its debug file with --debug-file",
                    places.join(", ")
                ))
            }
            TypesError::NoSuchModule { known, .. } => {
                Some(format!("its modules are {}", known.join(", ")))
            }
            TypesError::Unreadable(_) => None,
        }
    }
}

/// Types that were extracted.
#[derive(Debug)]
pub struct Extraction {
    /// The file to be stored and what it holds.
    pub extracted: Extracted,
    /// The module's name.
    pub module: String,
    /// The file with the debug information that it was made of.
    pub source: PathBuf,
}

/// Opens types files.
///
/// # Errors
/// One of them cannot be read, or is no undamaged types file of this version.
pub fn open(paths: &[PathBuf]) -> Result<Vec<TypesFile>, ytrace_debuginfo::Error> {
    paths.iter().map(|path| TypesFile::open(path)).collect()
}

/// The names of types files alone, to check programs with.
///
/// # Errors
/// As [`open`].
pub fn names(paths: &[PathBuf]) -> Result<Names, ytrace_debuginfo::Error> {
    Names::of_types(open(paths)?)
}

/// The types of a file of this machine. `debug_file` holds its debug information, if that is neither in it nor in the usual places
/// nor in `roots`; `servers` are asked for it if it is nowhere.
///
/// # Errors
/// The file or its debug information cannot be read, or there is none.
pub fn extract_file(
    path: &Path,
    debug_file: Option<PathBuf>,
    roots: &[PathBuf],
    servers: Option<ytrace_debuginfo::Debuginfod>,
) -> Result<Extraction, crate::SessionError> {
    let mut all: Vec<DebugRoot> = roots
        .iter()
        .map(|path| DebugRoot {
            path: path.clone(),
            on_host: true,
        })
        .collect();
    all.extend(DebugRoot::defaults());
    let mut loader = Loader::default().debug_roots(all).debuginfod(servers);
    if let Some(directory) = Loader::default_cache_dir() {
        loader = loader.cache_dir(directory);
    }
    // Debug information is also looked for beside the file, so its directory must be known.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Some(file) = debug_file {
        loader = loader.debug_file(&path.display().to_string(), file);
    }
    extract(&loader.open(&path)?)
}

/// The types of a module of a process, by file name or soname, with wildcards.
///
/// # Errors
/// There is no such module, or as [`extract_file`].
pub fn extract_module(names: &Names, name: &str) -> Result<Extraction, crate::SessionError> {
    let index = module_index(names, name)?;
    let opened = names
        .open(index)
        .map_err(|reason| TypesError::Unreadable(reason.to_owned()))?;
    extract(&opened.info)
}

/// The file name of the module of a process that a name or pattern stands for.
///
/// # Errors
/// There is no such module.
pub fn module_name(names: &Names, name: &str) -> Result<String, crate::SessionError> {
    let index = module_index(names, name)?;
    let module = names.modules().get(index);
    Ok(module.map_or_else(String::new, |module| module.file_name.clone()))
}

fn module_index(names: &Names, name: &str) -> Result<usize, TypesError> {
    match names.module_named(name) {
        Some(module) => Ok(module.0 as usize),
        None => Err(TypesError::NoSuchModule {
            name: name.to_owned(),
            known: names
                .modules()
                .iter()
                .map(|module| module.file_name.clone())
                .filter(|name| !name.is_empty())
                .collect(),
        }),
    }
}

fn extract(module: &Module) -> Result<Extraction, crate::SessionError> {
    let status = module.debug_status()?;
    let DebugSource::File { path, .. } = &status.source else {
        return Err(TypesError::None {
            module: module.name(),
            tried: status
                .attempts
                .iter()
                .map(|attempt| format!("{} ({})", attempt.path.display(), attempt.outcome))
                .collect(),
        }
        .into());
    };
    Ok(Extraction {
        extracted: module.extract_types(PRODUCER)?,
        module: module.name(),
        source: path.clone(),
    })
}

/// What is in a types file, as lines of text.
///
/// # Errors
/// As [`open`].
pub fn describe(path: &Path) -> Result<Vec<String>, ytrace_debuginfo::Error> {
    use ytrace_debuginfo::NameKind;
    let file = TypesFile::open(path)?;
    let module = Loader::default().open_types(&file)?;
    let mut lines = vec![
        format!("module      {}", file.file_name()),
        format!("soname      {}", file.soname().unwrap_or("none")),
        format!(
            "build-id    {}",
            file.build_id().map_or("none".to_owned(), hexadecimal)
        ),
        format!("written by  {}", file.producer()),
        format!("units       {}", module.units()?.len()),
    ];
    for (title, kind) in [
        ("typedefs", NameKind::Typedef),
        ("structs", NameKind::Struct),
        ("unions", NameKind::Union),
        ("enums", NameKind::Enum),
        ("enumerators", NameKind::Enumerator),
        ("variables", NameKind::Variable),
        ("functions", NameKind::Function),
    ] {
        lines.push(format!("{title:<12}{}", module.names(kind)?.len()));
    }
    lines.push(format!("macros      {}", module.macro_count()?));
    lines.push(format!("symbols     {}", module.symbol_count()));
    Ok(lines)
}
