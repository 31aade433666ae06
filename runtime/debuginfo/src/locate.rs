//! Finding the debug information of a module: in the module, by build-id, by `.gnu_debuglink`, or in a file that the user names; and
//! the supplementary file that dwz moved common parts into.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::debuginfod::{Debuginfod, Refusal};
use crate::elf::ElfImage;
use crate::error::{Error, Result};
use crate::files::{FileProvider, HostFiles};
use crate::fit;
use crate::mapping::SharedBytes;
use crate::typefile::TypesFile;

/// A directory that holds separate debug files, such as `/usr/lib/debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugRoot {
    /// The directory.
    pub path: PathBuf,
    /// Whether it is looked up on this machine rather than through the file provider.
    pub on_host: bool,
}

impl DebugRoot {
    /// `/usr/lib/debug` as the target sees it, then as this machine sees it. The second is safe because a debug file must match the
    /// module's build-id or checksum.
    #[must_use]
    pub fn defaults() -> Vec<DebugRoot> {
        [false, true]
            .map(|on_host| DebugRoot {
                path: PathBuf::from("/usr/lib/debug"),
                on_host,
            })
            .to_vec()
    }
}

/// By which way a debug file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The module was not stripped.
    InModule,
    /// A debug root has a file under the module's build-id.
    BuildId,
    /// `.gnu_debuglink` names it, and its checksum agrees.
    DebugLink,
    /// A server had it for the module's build-id, now or before.
    Debuginfod,
    /// The user named it, and it fits.
    Override,
    /// A types file of the module's build-id.
    Types,
    /// A types file of another build that the user allows, and it fits.
    TypesOfOtherBuild,
}

/// Where the debug information of a module comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebugSource {
    /// There is none; [`DebugStatus::attempts`] tells where one looked.
    None,
    /// This file.
    File {
        /// The file.
        path: PathBuf,
        /// How it was found.
        found: Found,
    },
}

/// Why a file that was looked at was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There is no such file.
    Missing,
    /// The server that was asked has none.
    NotServed,
    /// No server had it when they were asked, some minutes ago; until that is forgotten none is asked again.
    NotServedBefore,
    /// It cannot be read or is not ELF; the text says why.
    Unreadable(String),
    /// It belongs to another build: another build-id.
    OtherBuild,
    /// Its content has another checksum than `.gnu_debuglink` says.
    WrongChecksum,
    /// It is the right file but holds no debug information.
    NoDebugInfo,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Missing => f.write_str("no such file"),
            Outcome::NotServed => f.write_str("the server has none"),
            Outcome::NotServedBefore => {
                f.write_str("no server had it when they were asked, less than ten minutes ago")
            }
            Outcome::Unreadable(reason) => f.write_str(reason),
            Outcome::OtherBuild => f.write_str("it has another build-id"),
            Outcome::WrongChecksum => f.write_str("its checksum differs"),
            Outcome::NoDebugInfo => f.write_str("it has no debug information"),
        }
    }
}

/// A file that was looked for, and why it was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The file.
    pub path: PathBuf,
    /// Whether it was looked for on this machine rather than through the file provider.
    pub on_host: bool,
    /// Why it was not taken.
    pub outcome: Outcome,
}

/// The supplementary file that the debug file refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplementary {
    /// Its name as the debug file gives it.
    pub name: String,
    /// Where it was found. Without it, types that were moved there are missing.
    pub path: Option<PathBuf>,
    /// Where else one looked.
    pub attempts: Vec<Attempt>,
}

/// What is known about a module's debug information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugStatus {
    /// Where it comes from.
    pub source: DebugSource,
    /// Files that were looked for in vain.
    pub attempts: Vec<Attempt>,
    /// The supplementary file, where the debug file refers to one.
    pub supplementary: Option<Supplementary>,
    /// What the user should know, such as that an override has another build-id.
    pub warnings: Vec<String>,
}

/// The files that were found.
pub(crate) struct Located {
    /// `None` where the debug information is in the module itself.
    pub separate: Option<Arc<ElfImage>>,
    pub supplementary: Option<ElfImage>,
    pub status: DebugStatus,
}

/// Where to look.
pub(crate) struct Search<'a> {
    pub target: &'a dyn FileProvider,
    pub roots: &'a [DebugRoot],
    pub override_file: Option<&'a Path>,
    /// Types files that the user named.
    pub types: &'a [TypesFile],
    /// Whether those of other builds may be used if they fit.
    pub any_build: bool,
    /// Servers that are asked when nothing else is found.
    pub servers: Option<&'a Debuginfod>,
}

/// Whether an image has DWARF of its own.
pub(crate) fn has_dwarf(image: &ElfImage) -> bool {
    image.has_content(".debug_info") || image.has_content(".zdebug_info")
}

impl Search<'_> {
    /// Finds the debug information of `module`.
    ///
    /// # Errors
    /// Only where the user named a file that cannot be read or does not fit. That nothing is found is not an error but a status.
    pub fn run(&self, module: &ElfImage) -> Result<Located> {
        let mut attempts = Vec::new();
        let mut warnings = Vec::new();
        let mut separate = None;
        let mut on_host = false;
        let source = if let Some(path) = self.override_file {
            let file = HostFiles.open(path).map_err(|source| Error::Open {
                path: path.to_owned(),
                source: source.into(),
            })?;
            let image = ElfImage::open(&file, path)?;
            warnings.extend(fit::check(module, &image)?);
            separate = Some(Arc::new(image));
            on_host = true;
            Some((path.to_owned(), Found::Override))
        } else if let Some((file, found)) = self.types_file(module, &mut warnings)? {
            separate = Some(Arc::clone(&file.image));
            on_host = true;
            Some((file.path().to_owned(), found))
        } else if has_dwarf(module) {
            Some((module.path.clone(), Found::InModule))
        } else if let Some(hit) = self.by_build_id(module, &mut attempts) {
            let found = (hit.image.path.clone(), Found::BuildId);
            on_host = hit.on_host;
            separate = Some(Arc::new(hit.image));
            Some(found)
        } else if let Some(hit) = self.by_debug_link(module, &mut attempts) {
            let found = (hit.image.path.clone(), Found::DebugLink);
            on_host = hit.on_host;
            separate = Some(Arc::new(hit.image));
            Some(found)
        } else if let Some((image, path)) = self.by_server(module, &mut attempts) {
            on_host = true;
            separate = Some(Arc::new(image));
            Some((path, Found::Debuginfod))
        } else {
            None
        };
        let mut supplementary = None;
        let mut sup_status = None;
        if source.is_some() {
            let main = separate.as_deref().unwrap_or(module);
            if let Some((image, status)) = self.supplementary(main, on_host) {
                supplementary = image;
                sup_status = Some(status);
            }
        }
        Ok(Located {
            separate,
            supplementary,
            status: DebugStatus {
                source: source.map_or(DebugSource::None, |(path, found)| DebugSource::File {
                    path,
                    found,
                }),
                attempts,
                supplementary: sup_status,
                warnings,
            },
        })
    }

    /// The types file of the module: of its build, else, if that is allowed, of its name.
    fn types_file(
        &self,
        module: &ElfImage,
        warnings: &mut Vec<String>,
    ) -> Result<Option<(&TypesFile, Found)>> {
        if let Some(file) = self.types.iter().find(|file| file.is_of(module)) {
            return Ok(Some((file, Found::Types)));
        }
        let named = self.types.iter().find(|file| file.is_called_like(module));
        let Some(file) = named.filter(|_| self.any_build) else {
            return Ok(None);
        };
        warnings.extend(fit::check(module, &file.image)?);
        Ok(Some((file, Found::TypesOfOtherBuild)))
    }

    fn open(&self, path: &Path, on_host: bool) -> io::Result<File> {
        if on_host {
            HostFiles.open(path)
        } else {
            self.target.open(path)
        }
    }

    /// Opens a candidate and keeps it if `check` has nothing against it.
    fn candidate(
        &self,
        path: PathBuf,
        on_host: bool,
        attempts: &mut Vec<Attempt>,
        check: impl Fn(&ElfImage) -> Option<Outcome>,
    ) -> Option<Hit> {
        let outcome = match self.open(&path, on_host) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Outcome::Missing,
            Err(e) => Outcome::Unreadable(e.to_string()),
            Ok(file) => {
                let image = SharedBytes::from_file(&file, &path)
                    .and_then(|data| ElfImage::parse(data, &path));
                match image {
                    Err(e) => Outcome::Unreadable(e.to_string()),
                    Ok(image) => match check(&image) {
                        None => return Some(Hit { image, on_host }),
                        Some(outcome) => outcome,
                    },
                }
            }
        };
        attempts.push(Attempt {
            path,
            on_host,
            outcome,
        });
        None
    }

    fn by_build_id(&self, module: &ElfImage, attempts: &mut Vec<Attempt>) -> Option<Hit> {
        let id = module.build_id.as_deref()?;
        self.roots.iter().find_map(|root| {
            let path = build_id_path(&root.path, id)?;
            self.candidate(path, root.on_host, attempts, |image| {
                if image.build_id.as_deref() != Some(id) {
                    Some(Outcome::OtherBuild)
                } else {
                    (!has_dwarf(image)).then_some(Outcome::NoDebugInfo)
                }
            })
        })
    }

    /// Asks servers for the debug information of a module.
    fn by_server(
        &self,
        module: &ElfImage,
        attempts: &mut Vec<Attempt>,
    ) -> Option<(ElfImage, PathBuf)> {
        let id = module.build_id.as_deref()?;
        let (image, path) = self.ask(module, id, attempts)?;
        if has_dwarf(&image) {
            return Some((image, path));
        }
        attempts.push(Attempt {
            path,
            on_host: true,
            outcome: Outcome::NoDebugInfo,
        });
        None
    }

    /// Asks servers for a file by its build-id, for the sake of `module`.
    fn ask(
        &self,
        module: &ElfImage,
        id: &[u8],
        attempts: &mut Vec<Attempt>,
    ) -> Option<(ElfImage, PathBuf)> {
        let name = module.path.file_name().unwrap_or_default();
        match self.servers?.find(&name.to_string_lossy(), id) {
            Ok(found) => Some(found),
            Err(tried) => {
                attempts.extend(tried.into_iter().map(|(path, refusal)| Attempt {
                    path,
                    on_host: true,
                    outcome: match refusal {
                        Refusal::Missing => Outcome::NotServed,
                        Refusal::Remembered => Outcome::NotServedBefore,
                        Refusal::OtherBuild => Outcome::OtherBuild,
                        Refusal::Failed(why) => Outcome::Unreadable(why),
                    },
                }));
                None
            }
        }
    }

    fn by_debug_link(&self, module: &ElfImage, attempts: &mut Vec<Attempt>) -> Option<Hit> {
        // A damaged link section is as good as none: the module then simply has no debug information.
        let (name, crc) = module.debug_link().ok()??;
        // The link holds a file name; a path in it is not the linker's work.
        if name.is_empty() || name.contains(&b'/') || name == b".." || name == b"." {
            return None;
        }
        let name = OsStr::from_bytes(&name);
        let dir = module.path.parent()?;
        let mut places = vec![
            (dir.join(name), false),
            (dir.join(".debug").join(name), false),
        ];
        let below = dir.strip_prefix("/").unwrap_or(dir);
        places.extend(
            self.roots
                .iter()
                .map(|root| (root.path.join(below).join(name), root.on_host)),
        );
        places
            .into_iter()
            .filter(|(path, _)| *path != module.path)
            .find_map(|(path, on_host)| {
                self.candidate(path, on_host, attempts, |image| {
                    if crc32fast::hash(&image.data) != crc {
                        return Some(Outcome::WrongChecksum);
                    }
                    match (&module.build_id, &image.build_id) {
                        (Some(a), Some(b)) if a != b => return Some(Outcome::OtherBuild),
                        _ => {}
                    }
                    (!has_dwarf(image)).then_some(Outcome::NoDebugInfo)
                })
            })
    }

    fn supplementary(
        &self,
        main: &ElfImage,
        on_host: bool,
    ) -> Option<(Option<ElfImage>, Supplementary)> {
        let (name, id) = main.supplementary_link().ok()??;
        let name = PathBuf::from(OsStr::from_bytes(&name));
        let mut places = Vec::new();
        if let Some(dir) = main.path.parent() {
            // Joining an absolute path gives that path.
            places.push((dir.join(&name), on_host));
        }
        for root in self.roots {
            if let Some(path) = build_id_path(&root.path, &id) {
                places.push((path, root.on_host));
            }
        }
        let mut attempts = Vec::new();
        let hit = places.into_iter().find_map(|(path, on_host)| {
            self.candidate(path, on_host, &mut attempts, |image| {
                let theirs = image.supplementary_id().ok().flatten();
                if theirs.as_deref() != Some(&*id) {
                    Some(Outcome::OtherBuild)
                } else {
                    (!has_dwarf(image)).then_some(Outcome::NoDebugInfo)
                }
            })
        });
        let image = hit.map(|hit| hit.image).or_else(|| {
            let (image, _) = self.ask(main, &id, &mut attempts)?;
            has_dwarf(&image).then_some(image)
        });
        let status = Supplementary {
            name: name.display().to_string(),
            path: image.as_ref().map(|i| i.path.clone()),
            attempts,
        };
        Some((image, status))
    }
}

struct Hit {
    image: ElfImage,
    on_host: bool,
}

/// `ROOT/.build-id/xx/yyyy.debug`.
fn build_id_path(root: &Path, id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first()?;
    if rest.is_empty() {
        return None;
    }
    let rest: String = rest.iter().map(|b| format!("{b:02x}")).collect();
    Some(
        root.join(".build-id")
            .join(format!("{first:02x}"))
            .join(format!("{rest}.debug")),
    )
}
