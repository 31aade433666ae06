//! Options that several commands share, and what they mean to a session.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::Args;
use ytrace_runtime::Options;

use crate::arguments::parse_size;
use crate::diagnose::defines;
use crate::failure::Failure;
use crate::servers::servers;
use crate::terminal::Terminal;

/// Where the files of a core file are, and how much it may come to.
#[derive(Clone, Debug, Default, Args)]
pub struct CoreFiles {
    /// With --core: the executable, instead of the path in the core file
    #[arg(long, value_name = "FILE", requires = "core")]
    pub exe: Option<PathBuf>,
    /// With --core: look up the other paths of the core file under this directory, and not on this machine
    #[arg(long, value_name = "DIR", requires = "core")]
    pub sysroot: Option<PathBuf>,
    /// With --core: the most that a compressed core file may decompress to [default: half of what is free where temporary files go]
    #[arg(long, value_name = "BYTES", value_parser = parse_size, allow_negative_numbers = true, requires = "core")]
    pub max_core: Option<u64>,
}

/// Where debug information comes from, besides where it is installed.
#[derive(Clone, Debug, Default, Args)]
pub struct DebugFiles {
    /// Use FILE as the debug information of MODULE, if it fits (repeatable)
    #[arg(long, value_name = "MODULE=FILE", value_parser = parse_debug_file)]
    pub debug_file: Vec<(String, PathBuf)>,
    /// Another directory with separate debug files, like /usr/lib/debug (repeatable)
    #[arg(long, value_name = "DIR")]
    pub debug_root: Vec<PathBuf>,
    /// Servers of debug information
    #[command(flatten)]
    pub servers: Servers,
}

impl DebugFiles {
    /// Adds them to the options of a session. `stop` ends a download.
    ///
    /// # Errors
    /// Servers are asked for and none is named.
    pub fn fill(
        &self,
        options: &mut Options,
        stop: &'static AtomicBool,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        options.debug_files.clone_from(&self.debug_file);
        options.debug_roots.clone_from(&self.debug_root);
        options.debuginfod = servers(&self.servers, stop, terminal)?;
        Ok(())
    }
}

/// Servers of debug information.
#[derive(Clone, Debug, Default, Args)]
pub struct Servers {
    /// Ask the servers of $DEBUGINFOD_URLS, or these, for debug information that is found nowhere, by build-id; what comes is kept in
    /// the cache of elfutils
    #[arg(long, value_name = "URLS", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub debuginfod: Option<String>,
}

/// Types files instead of debug information.
#[derive(Clone, Debug, Default, Args)]
pub struct TypesFiles {
    /// Use this types file (`ytrace types extract`) for the module that it was made of, known by its build-id (repeatable)
    #[arg(long, value_name = "FILE")]
    pub types: Vec<PathBuf>,
    /// Also use them for modules of these names with another build-id, if sections and symbols agree
    #[arg(long, requires = "types")]
    pub types_any_build: bool,
}

impl TypesFiles {
    /// Adds them to the options of a session.
    pub fn fill(&self, options: &mut Options) {
        options.types.clone_from(&self.types);
        options.types_any_build = self.types_any_build;
    }
}

/// What goes into the text of probes.
#[derive(Clone, Debug, Default, Args)]
pub struct TextOptions {
    /// Another directory for `#include` (repeatable); also $YTRACE_PATH
    #[arg(short = 'I', long, value_name = "DIR")]
    pub include: Vec<PathBuf>,
    /// Define a macro (repeatable)
    #[arg(short = 'D', long = "define", value_name = "NAME[=VALUE]")]
    pub define: Vec<String>,
}

impl TextOptions {
    /// Adds it to the options of a session.
    pub fn fill(&self, options: &mut Options) {
        options.include.clone_from(&self.include);
        options.defines = defines(&self.define);
    }
}

fn parse_debug_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((module, file)) if !module.is_empty() && !file.is_empty() => {
            Ok((module.to_owned(), PathBuf::from(file)))
        }
        _ => Err("expected MODULE=FILE, such as libssl.so.3=/tmp/libssl.debug".to_owned()),
    }
}
