//! What a probe file reads, probes and needs, for those who have not written it: `ytrace check --audit`.
//!
//! What it cannot do follows from the language, not from a look at the file: it never writes to the target, calls nothing in it,
//! opens no file and no connection. What it names is found here, from what the compiler asks of a target.

use std::collections::{BTreeMap, BTreeSet};

use ytrace_lang::compile::{self, CompileError, LayoutChoices, OptionHelp, Request};
use ytrace_lang::document::{Need, points};
use ytrace_lang::parse::{MOST_ROUNDS, parse_arm};
use ytrace_lang::source::{SourceFile, SourceMap};
use ytrace_lang::target::{
    FunctionDescription, LookupError, MacroDescription, MatchingFunctions, ModuleId, NameKind,
    Scope, SymbolSource, Target, TargetType, TypeDescription, TypeNameKind, TypeSource,
    VariableDescription,
};

use crate::error::SessionError;
use crate::library::Library;
use crate::options::{DUTY_MACRO, Options};
use crate::packages::Digest;

/// What is known of a probe file.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Heads of probes with their places.
    pub probes: Vec<(String, String)>,
    /// Modules that `_module` lines name, and that the text names before `::`.
    pub modules: BTreeSet<String>,
    /// Variables of the target.
    pub variables: BTreeSet<String>,
    /// Functions of the target, by name or by pattern.
    pub functions: BTreeSet<String>,
    /// Types of the target.
    pub types: BTreeSet<String>,
    /// Without a target: names of it, of which nobody knows what they are, and the first place of each.
    pub names: BTreeMap<String, String>,
    /// Whether there are more of these than are kept.
    pub more_names: bool,
    /// What its probes take.
    pub needs: BTreeSet<Need>,
    /// Its views.
    pub views: Vec<String>,
    /// Its options.
    pub options: Vec<OptionHelp>,
    /// The packages that it belongs to or includes: name, version and what they need.
    pub packages: BTreeSet<(String, String, Vec<String>)>,
    /// All its files, the main one first.
    pub files: Vec<AuditedFile>,
    /// How many rounds the arms of `##if…` would have taken, if not all have had their turn.
    pub arms_left: Option<usize>,
    /// Whether the text is another one with `--duty`.
    asks_for_duty: bool,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedFile {
    /// Its name.
    pub name: String,
    /// The hash of its text.
    pub digest: Digest,
    /// Whether it ships with ytrace.
    pub shipped: bool,
}

/// Looks at a file, against a target if there is one.
///
/// # Errors
/// The text is wrong, or the words after `--` are.
pub fn audit(
    main: &SourceFile,
    options: &Options,
    mut target: Option<&mut dyn Target>,
) -> Result<Audit, SessionError> {
    let mut audit = Audit::default();
    let mut defines = options.defines.clone();
    look(&mut audit, main, options, &defines, &mut target)?;
    // Text that `--duty` brings in is the file's as well.
    if audit.asks_for_duty {
        defines.push((DUTY_MACRO.to_owned(), "1".to_owned()));
        look(&mut audit, main, options, &defines, &mut target)?;
    }
    Ok(audit)
}

/// Looks at all arms of a file, with these macros.
fn look(
    audit: &mut Audit,
    main: &SourceFile,
    options: &Options,
    defines: &[(String, String)],
    target: &mut Option<&mut dyn Target>,
) -> Result<(), SessionError> {
    let mut arms = 1;
    let mut arm = 0;
    while arm < arms {
        let mut library = Library::new(&options.include, main);
        let mut recorder = target.as_mut().map(|inner| Recorder {
            inner: &mut **inner,
            audit: &mut *audit,
        });
        let parsed = parse_arm(
            main.clone(),
            &mut library,
            recorder
                .as_mut()
                .map(|recorder| recorder as &mut dyn Target),
            &LayoutChoices::new(),
            defines,
            arm,
        );
        let typed = typed(
            Request {
                main: main.clone(),
                loader: &mut library,
                target: recorder
                    .as_mut()
                    .map(|recorder| recorder as &mut dyn Target),
                layouts: LayoutChoices::new(),
                defines: defines.to_vec(),
                arguments: options.arguments.clone(),
                most_probes: options.max_probes,
            },
            arm,
        );
        // What a package lacks explains whatever else is wrong.
        library.check_refused()?;
        let typed = typed?;
        arms = arms.max(parsed.arms.min(MOST_ROUNDS));
        if parsed.arms_hidden || parsed.arms > MOST_ROUNDS {
            audit.arms_left = audit.arms_left.max(Some(parsed.arms));
        }
        audit.more_names |= typed.checked.more_unresolved > 0;
        for (span, name) in &typed.checked.unresolved {
            let place = typed.sources.location(*span);
            audit.names.entry(name.clone()).or_insert(place);
        }
        let found = points(&parsed);
        for (head, span) in found.probes {
            let probe = (head, parsed.sources.location(span));
            if !audit.probes.contains(&probe) {
                audit.probes.push(probe);
            }
        }
        audit.modules.extend(found.modules);
        audit.needs.extend(found.needs);
        for view in found.views {
            if !audit.views.contains(&view) {
                audit.views.push(view);
            }
        }
        for option in ytrace_lang::check::option_help(&typed.checked.program.options) {
            if !audit.options.contains(&option) {
                audit.options.push(option);
            }
        }
        note_files(audit, &parsed.sources);
        for package in library.packages() {
            let requires = &package.manifest.requires;
            let needs = requires.modules.iter().chain(&requires.types);
            let needs = needs.chain(&requires.privileges).cloned().collect();
            audit.packages.insert((
                package.manifest.name.clone(),
                package.manifest.version.to_string(),
                needs,
            ));
        }
        arm += 1;
    }
    Ok(())
}

/// Compiles one arm as far as names are settled.
fn typed(request: Request<'_>, arm: usize) -> Result<compile::Typed, SessionError> {
    compile::compile_arm(request, arm).map_err(|error| match error {
        CompileError::Source(errors) => SessionError::Source { errors },
        CompileError::Arguments(message, hint) => SessionError::Arguments { message, hint },
        CompileError::Help(options) => SessionError::Help(options),
    })
}

fn note_files(audit: &mut Audit, sources: &SourceMap) {
    for (_, file) in sources.iter() {
        audit.asks_for_duty |= file.text.contains(DUTY_MACRO);
        if audit.files.iter().all(|known| known.name != file.name) {
            audit.files.push(AuditedFile {
                name: file.name.clone(),
                digest: Digest::of(file.text.as_bytes()),
                shipped: file.library,
            });
        }
    }
}

/// A target that notes what is asked of it and is there.
struct Recorder<'a> {
    inner: &'a mut dyn Target,
    audit: &'a mut Audit,
}

impl Recorder<'_> {
    fn prefix(&mut self, scope: &Scope) {
        if let Some(prefix) = &scope.prefix {
            self.audit.modules.insert(prefix.clone());
        }
    }
}

/// A name with the module or file before it.
fn qualified(scope: &Scope, name: &str) -> String {
    match &scope.prefix {
        Some(prefix) => format!("{prefix}::{name}"),
        None => name.to_owned(),
    }
}

impl TypeSource for Recorder<'_> {
    fn find_type(
        &mut self,
        scope: &Scope,
        kind: TypeNameKind,
        name: &str,
    ) -> Result<Option<TargetType>, LookupError> {
        let found = self.inner.find_type(scope, kind, name)?;
        if found.is_some() {
            let word = match kind {
                TypeNameKind::Plain => "",
                TypeNameKind::Struct => "struct ",
                TypeNameKind::Union => "union ",
                TypeNameKind::Enum => "enum ",
            };
            let name = format!("{word}{}", qualified(scope, name));
            self.audit.types.insert(name);
            self.prefix(scope);
        }
        Ok(found)
    }

    fn describe(&mut self, ty: TargetType) -> Result<TypeDescription, LookupError> {
        self.inner.describe(ty)
    }

    fn find_enumerator(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<(i64, Option<TargetType>)>, LookupError> {
        self.inner.find_enumerator(scope, name)
    }
}

impl SymbolSource for Recorder<'_> {
    fn find_variable(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<VariableDescription>, LookupError> {
        let found = self.inner.find_variable(scope, name)?;
        if found.is_some() {
            self.audit.variables.insert(qualified(scope, name));
            self.prefix(scope);
        }
        Ok(found)
    }

    fn find_function(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<FunctionDescription>, LookupError> {
        let found = self.inner.find_function(scope, name)?;
        if found.is_some() {
            self.audit.functions.insert(qualified(scope, name));
            self.prefix(scope);
        }
        Ok(found)
    }

    fn find_functions(
        &mut self,
        scope: &Scope,
        pattern: &str,
        limit: usize,
    ) -> Result<MatchingFunctions, LookupError> {
        let found = self.inner.find_functions(scope, pattern, limit)?;
        let name = qualified(scope, pattern);
        self.audit
            .functions
            .insert(format!("{name} ({} functions)", found.total));
        self.prefix(scope);
        Ok(found)
    }

    fn awaits_functions(&self) -> bool {
        self.inner.awaits_functions()
    }

    fn find_macro(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<MacroDescription>, LookupError> {
        self.inner.find_macro(scope, name)
    }

    fn find_module(&mut self, pattern: &str) -> Option<ModuleId> {
        self.inner.find_module(pattern)
    }

    fn find_string(&mut self, scope: &Scope, bytes: &[u8]) -> Option<u64> {
        self.inner.find_string(scope, bytes)
    }

    fn suggest(&mut self, scope: &Scope, kind: NameKind, name: &str) -> Vec<String> {
        self.inner.suggest(scope, kind, name)
    }

    fn thread_locals_of(&self, module: ModuleId) -> Result<(), String> {
        self.inner.thread_locals_of(module)
    }

    fn missing_debug_information(&mut self) -> Vec<String> {
        self.inner.missing_debug_information()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_cannot_be_used_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.y");
        let text = "#include <shelf/items.y>\n_probe _oneshot { }\n";
        std::fs::write(&file, text).unwrap();
        std::fs::write(folder.path().join("ytrace.lock"), "format = 9\n").unwrap();
        let main = SourceFile {
            name: file.display().to_string(),
            text: text.into(),
            library: false,
        };
        let error = audit(&main, &Options::default(), None).unwrap_err();
        assert!(error.to_string().contains("format 9"), "{error}");
    }
}
