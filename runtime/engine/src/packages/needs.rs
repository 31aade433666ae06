//! What packages need, held against this program, this user and the target.

use ytrace_lang::target::{LookupError, Scope, SymbolSource, TypeNameKind, TypeSource};
use ytrace_target::Machine;

use super::{Package, PackageError};
use crate::names::Names;

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a manifest may ask for under `privileges`.
pub(crate) fn known_privileges() -> Vec<&'static str> {
    let capabilities = Machine::look().capabilities;
    let names = capabilities.iter().map(|capability| capability.name);
    std::iter::once("root").chain(names).collect()
}

/// Tells whether this version of ytrace will do.
///
/// # Errors
/// It will not.
pub fn check_version(package: &Package) -> Result<(), PackageError> {
    let wanted = &package.manifest.requires.ytrace;
    let fits = semver::Version::parse(VERSION).is_ok_and(|version| wanted.matches(&version));
    match fits {
        true => Ok(()),
        false => Err(unmet(
            package,
            format!("needs ytrace {wanted}, and this is {VERSION}"),
        )
        .hint("take another version of the package, or of ytrace")),
    }
}

/// Tells whether this user has the privileges that a package needs.
///
/// # Errors
/// One is missing.
pub fn check_privileges(package: &Package) -> Result<(), PackageError> {
    let wanted = &package.manifest.requires.privileges;
    if wanted.is_empty() {
        return Ok(());
    }
    let machine = Machine::look();
    for privilege in wanted {
        let held = match privilege.as_str() {
            "root" => machine.user == 0,
            name => machine
                .capabilities
                .iter()
                .any(|capability| capability.name == name && capability.held),
        };
        if !held {
            return Err(unmet(
                package,
                format!("needs {privilege}, which this user has not"),
            )
            .hint("run ytrace as root; `ytrace doctor` says what is allowed"));
        }
    }
    Ok(())
}

/// Tells whether a target has the modules and types that a package needs.
///
/// # Errors
/// One is missing.
pub fn check_target(package: &Package, names: &mut Names) -> Result<(), PackageError> {
    let requires = &package.manifest.requires;
    let mut scope = Scope::default();
    for wanted in &requires.modules {
        let found = wanted
            .split('|')
            .find_map(|pattern| names.find_module(pattern.trim()));
        let Some(module) = found else {
            let wanted: Vec<String> = wanted
                .split('|')
                .map(|one| format!("`{}`", one.trim()))
                .collect();
            return Err(unmet(
                package,
                format!(
                    "needs the module {}, which this target has not",
                    wanted.join(" or ")
                ),
            )
            .hint(format!(
                "is it the right process? It has {}",
                modules(names)
            )));
        };
        scope.preferred.get_or_insert(module);
    }
    for wanted in &requires.types {
        let (kind, name) = match wanted.split_once(' ') {
            Some(("struct", name)) => (TypeNameKind::Struct, name),
            Some(("union", name)) => (TypeNameKind::Union, name),
            Some(("enum", name)) => (TypeNameKind::Enum, name),
            _ => (TypeNameKind::Plain, wanted.as_str()),
        };
        let found = match names.find_type(&scope, kind, name.trim()) {
            // An ambiguous name is there more than once.
            Ok(found) => found.is_some(),
            Err(LookupError::Ambiguous { .. }) => true,
            Err(LookupError::NoSuchPrefix { .. }) => false,
            Err(error @ LookupError::Broken(_)) => {
                return Err(unmet(
                    package,
                    format!(
                        "needs the type `{wanted}`, and whether this target has it cannot be told: {error}"
                    ),
                ));
            }
        };
        if !found {
            let missing = names.missing_debug_information();
            let error = unmet(
                package,
                format!("needs the type `{wanted}`, which this target has not"),
            );
            return Err(match missing.first() {
                Some(first) => error.hint(first.clone()),
                None => error.hint("is it the right process, and the right version?"),
            });
        }
    }
    Ok(())
}

/// Some of the modules, for a message.
fn modules(names: &Names) -> String {
    const MOST: usize = 8;
    let all = names.modules();
    let mut list: Vec<&str> = all
        .iter()
        .map(|one| one.file_name.as_str())
        .take(MOST)
        .collect();
    if all.len() > MOST {
        list.push("…");
    }
    list.join(", ")
}

fn unmet(package: &Package, what: String) -> PackageError {
    PackageError::new(
        &package.root,
        format!("the package `{}` {what}", package.manifest.name),
    )
}
