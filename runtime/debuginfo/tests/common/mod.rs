//! Compiles small programs for the tests.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use ytrace_debuginfo::{Aggregate, DebugRoot, Field, Loader, Module, NameKind, TypeDesc, TypeRef};

/// Runs a tool of the build environment; the tests need it, so its absence is a failure.
pub fn run(tool: &str, arguments: &[&str], dir: &Path) {
    let output = Command::new(tool)
        .args(arguments)
        .current_dir(dir)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|e| panic!("{tool} cannot be started: {e}"));
    assert!(
        output.status.success(),
        "{tool} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A directory with sources and what is built from them.
pub struct Build {
    pub dir: TempDir,
}

impl Build {
    pub fn new(sources: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in sources {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Build { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn run(&self, tool: &str, arguments: &[&str]) {
        run(tool, arguments, self.dir.path());
    }

    /// A loader that looks for debug files below this directory only.
    pub fn loader(&self) -> Loader {
        Loader::default().debug_roots(vec![DebugRoot {
            path: self.path("debug"),
            on_host: false,
        }])
    }

    pub fn open(&self, name: &str) -> Module {
        self.loader().open(&self.path(name)).unwrap()
    }
}

pub fn find(module: &Module, kind: NameKind, name: &str) -> TypeRef {
    module
        .find_type(kind, name, None)
        .unwrap()
        .unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// The structure or union behind typedefs.
pub fn aggregate(module: &Module, ty: TypeRef) -> Aggregate {
    match module.describe(ty).unwrap() {
        TypeDesc::Struct(a) | TypeDesc::Union(a) => a,
        TypeDesc::Typedef { target, .. } => aggregate(module, target),
        other => panic!("not an aggregate: {other:?}"),
    }
}

pub fn field<'a>(aggregate: &'a Aggregate, name: &str) -> &'a Field {
    aggregate
        .fields
        .iter()
        .find(|f| f.name.as_deref() == Some(name))
        .unwrap_or_else(|| panic!("no field {name} in {aggregate:?}"))
}

/// The type without typedefs.
pub fn plain(module: &Module, ty: TypeRef) -> TypeDesc {
    match module.describe(ty).unwrap() {
        TypeDesc::Typedef { target, .. } => plain(module, target),
        other => other,
    }
}

/// Says loudly that a test cannot run here. Where `YTRACE_NO_SKIP` is set (as in CI) that is a failure.
pub fn skip(test: &str, why: &str) {
    assert!(
        std::env::var_os("YTRACE_NO_SKIP").is_none(),
        "{test} was to be skipped where nothing may be: {why}"
    );
    eprintln!("SKIPPED: {test}: {why}");
}
