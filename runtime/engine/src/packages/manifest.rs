//! The manifest of a package, `probes.toml`.

use serde::{Deserialize, Serialize};

/// The name of the file.
pub const MANIFEST: &str = "probes.toml";

/// The longest name of a package, in bytes.
const LONGEST_NAME: usize = 64;

/// What a manifest says.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What `#include <name/file.y>` calls it.
    pub name: String,
    /// Its version, as in semver.org.
    pub version: semver::Version,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What it cannot do without.
    #[serde(default)]
    pub requires: Requirements,
}

/// What a package cannot do without.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    /// Versions of ytrace.
    #[serde(default)]
    pub ytrace: semver::VersionReq,
    /// Modules of the target, by soname or file name, wildcards allowed; `a|b` takes either.
    #[serde(default)]
    pub modules: Vec<String>,
    /// Types of the target: `ngx_pool_t`, `struct malloc_state`.
    #[serde(default)]
    pub types: Vec<String>,
    /// `root`, or capabilities of Linux such as `CAP_BPF`.
    #[serde(default)]
    pub privileges: Vec<String>,
}

/// Reads the text of a manifest.
///
/// # Errors
/// What is wrong, in words.
pub fn parse(text: &str) -> Result<Manifest, String> {
    let manifest: Manifest = super::from_toml(text)?;
    check_name(&manifest.name)?;
    for privilege in &manifest.requires.privileges {
        let known = super::needs::known_privileges();
        if !known.iter().any(|one| one == privilege) {
            return Err(format!(
                "no privilege is called `{}`: there are {}",
                privilege.escape_debug(),
                known.join(", ")
            ));
        }
    }
    Ok(manifest)
}

/// Tells whether a package can have this name.
///
/// # Errors
/// Why not.
pub fn check_name(name: &str) -> Result<(), String> {
    let first = name.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if !first || !rest || name.len() > LONGEST_NAME {
        return Err(format!(
            "`{}` cannot be the name of a package: names begin with a small letter, and have small letters, digits, `-` and `_`, {LONGEST_NAME} at most",
            name.escape_debug()
        ));
    }
    if crate::library::is_shipped_folder(name) {
        return Err(format!(
            "`{name}` cannot be the name of a package: the library that ships with ytrace has a part of that name"
        ));
    }
    if name == "probes" {
        return Err(
            "`probes` cannot be the name of a package: `probes/NAME.y` are probes that ship with ytrace"
                .to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_what_is_needed() {
        let text = "name = \"a-b\"\nversion = \"1.2.3\"\n[requires]\nytrace = \">=0.1\"\nmodules = [\"libc.so.6\"]\nprivileges = [\"CAP_BPF\"]\n";
        let manifest = parse(text).unwrap();
        assert_eq!(manifest.version.to_string(), "1.2.3");
        assert_eq!(manifest.requires.modules, ["libc.so.6"]);
        assert_eq!(manifest.description, "");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("version = \"1.0.0\"", "missing field `name`"),
            ("name = \"a\"\nversion = \"1\"", "version"),
            (
                "name = \"../a\"\nversion = \"1.0.0\"",
                "begin with a small letter",
            ),
            (
                "name = \"\"\nversion = \"1.0.0\"",
                "begin with a small letter",
            ),
            ("name = \"linux\"\nversion = \"1.0.0\"", "ships with ytrace"),
            ("name = \"probes\"\nversion = \"1.0.0\"", "ship with ytrace"),
            (
                "name = \"a\"\nversion = \"1.0.0\"\nmodules = []",
                "unknown field `modules`",
            ),
            (
                "name = \"a\"\nversion = \"1.0.0\"\n[requires]\nprivileges = [\"magic\"]",
                "no privilege is called `magic`",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
