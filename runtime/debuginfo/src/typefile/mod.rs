//! Types files: the type and symbol information of a module in one small file, which stands in for its debug information where
//! there is none.
//!
//! A types file is an ELF file with DWARF 5, like a separate debug file, so that everything which reads debug information reads it
//! alike. It holds the types, the variables and functions with their types and places, the units, the macros and the symbols; no
//! code, no lines, nothing from inside functions. Each type stands once, however many units have it. Its sections are compressed. In
//! front is a [`description`] with version, length and checksum.

mod classes;
mod collect;
mod container;
mod description;
mod entries;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::elf::ElfImage;
use crate::error::{Error, Result};
use crate::files::{FileProvider, HostFiles};
use crate::mapping::SharedBytes;
use crate::module::Module;
use crate::symtab::SymbolTableKind;
use description::Description;

/// A types file, whole and undamaged.
#[derive(Debug, Clone)]
pub struct TypesFile {
    pub(crate) image: Arc<ElfImage>,
    description: Description,
}

/// The content of a types file, ready to be stored.
#[derive(Debug)]
pub struct Extracted {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// How many distinct types it has.
    pub types: usize,
    /// How many variables.
    pub variables: usize,
    /// How many functions.
    pub functions: usize,
    /// How many symbols.
    pub symbols: usize,
    /// How many macros.
    pub macros: usize,
    /// What could not be read and is left out, a handful at most.
    pub problems: Vec<String>,
}

impl TypesFile {
    /// Opens a types file of this machine.
    ///
    /// # Errors
    /// It cannot be read, is no types file, is of another version, or is damaged.
    pub fn open(path: &Path) -> Result<Self> {
        let file = HostFiles.open(path).map_err(|source| Error::Open {
            path: path.to_owned(),
            source: Arc::new(source),
        })?;
        Self::parse(SharedBytes::from_file(&file, path)?, path)
    }

    /// The same from memory; `path` names it in errors.
    ///
    /// # Errors
    /// As [`TypesFile::open`].
    pub fn parse(data: SharedBytes, path: &Path) -> Result<Self> {
        let description = Description::read(&data).map_err(|reason| Error::TypesFile {
            path: path.to_owned(),
            reason,
        })?;
        Ok(TypesFile {
            image: Arc::new(ElfImage::parse(data, path)?),
            description,
        })
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.image.path
    }

    /// The file name of the module that it is of.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.description.file_name
    }

    /// The soname of that module, where it has one.
    #[must_use]
    pub fn soname(&self) -> Option<&str> {
        Some(self.description.soname.as_str()).filter(|name| !name.is_empty())
    }

    /// The build-id of that module, where it has one.
    #[must_use]
    pub fn build_id(&self) -> Option<&[u8]> {
        self.image.build_id.as_deref()
    }

    /// The program that wrote it.
    #[must_use]
    pub fn producer(&self) -> &str {
        &self.description.producer
    }

    /// Whether it is of this build of a module.
    pub(crate) fn is_of(&self, module: &ElfImage) -> bool {
        module.build_id.is_some() && module.build_id == self.image.build_id
    }

    /// Whether it is of a module of this name.
    pub(crate) fn is_called_like(&self, module: &ElfImage) -> bool {
        let file_name = module.path.file_name().map(|name| name.to_string_lossy());
        file_name.is_some_and(|name| name == self.description.file_name)
            || (self.soname().is_some() && self.soname() == module.soname.as_deref())
    }
}

impl Module {
    /// Its type and symbol information as a types file. `producer` names the program that writes it.
    ///
    /// # Errors
    /// Its debug information cannot be read at all. Types that cannot be read are left out and listed.
    pub fn extract_types(&self, producer: &str) -> Result<Extracted> {
        let collection = match self.debug()? {
            Some(debug) => collect::collect(debug)?,
            None => collect::Collection::default(),
        };
        let mut seen = HashSet::new();
        let mut symbols: Vec<_> = self.symbols().collect();
        // The richest table comes first; what others add are names that it lacks.
        symbols.retain(|symbol| {
            seen.insert((symbol.name.clone(), symbol.address))
                || symbol.table == SymbolTableKind::Static
        });
        let image = self.image();
        let (macros, list) = match self.debug()? {
            Some(debug) => {
                let macros = debug.macros()?;
                (macros.len(), macros.list())
            }
            None => (0, String::new()),
        };
        let mut contents = entries::write(&collection, image.is_64, image.runtime_endian())
            .map_err(|error| Error::TypesFile {
                path: image.path.clone(),
                reason: format!("its debug information cannot be rewritten: {error}"),
            })?;
        if !list.is_empty() {
            contents.push((crate::macros::SECTION, list.into_bytes()));
        }
        let description = Description {
            file_name: image
                .path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            soname: image.soname.clone().unwrap_or_default(),
            producer: producer.to_owned(),
        };
        let count = symbols.len();
        let bytes = container::write(image, &description, &contents, symbols).map_err(|error| {
            Error::TypesFile {
                path: PathBuf::from(&description.file_name),
                reason: format!("its types cannot be compressed: {error}"),
            }
        })?;
        let mut problems = collection.problems;
        if collection.more_problems > 0 {
            problems.push(format!("and {} more", collection.more_problems));
        }
        Ok(Extracted {
            bytes,
            types: collection.nodes.len().saturating_sub(1),
            variables: collection.variables.len(),
            functions: collection.functions.len(),
            symbols: count,
            macros,
            problems,
        })
    }
}
