//! `ytrace fmt`: brings probe files into the one style.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ytrace_lang::source::{SourceFile, SourceMap};

use crate::arguments::FmtArguments;
use crate::failure::{Failure, Status};
use crate::files::probe_files;
use crate::terminal::{self, Terminal, safe, say};

/// The largest file that is formatted, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// Formats files.
pub fn run(arguments: FmtArguments, terminal: &Terminal) -> Result<Status, Failure> {
    let (streams, paths): (Vec<PathBuf>, Vec<PathBuf>) = arguments
        .paths
        .into_iter()
        .partition(|path| path.as_os_str() == "-");
    if !streams.is_empty() {
        if streams.len() > 1 || !paths.is_empty() {
            return Err(Failure::usage("`-` (standard input) stands alone"));
        }
        return format_stream(arguments.check, terminal);
    }
    let mut status = Status::Success;
    for path in probe_files(&paths)? {
        match format_file(&path, arguments.check, terminal) {
            Ok(true) => {}
            Ok(false) => status = worse(status, Status::Probe),
            Err(failure) => {
                failure.print(terminal);
                status = worse(status, failure.status());
            }
        }
    }
    Ok(status)
}

/// The status that says more: wrong usage before a probe's errors before a partial result before success.
pub fn worse(one: Status, other: Status) -> Status {
    match (one, other) {
        (Status::Usage, _) | (_, Status::Usage) => Status::Usage,
        (Status::Probe, _) | (_, Status::Probe) => Status::Probe,
        (Status::Success, other) => other,
        (one, _) => one,
    }
}

fn format_stream(check: bool, terminal: &Terminal) -> Result<Status, Failure> {
    let text = read(std::io::stdin().lock(), "standard input")?;
    let Some(formatted) = formatted(&text, "-", terminal) else {
        return Ok(Status::Probe);
    };
    if check {
        return if formatted == text {
            Ok(Status::Success)
        } else {
            print("-\n")?;
            Ok(Status::Probe)
        };
    }
    print(&formatted)?;
    Ok(Status::Success)
}

/// Formats a file, or only looks whether it is formatted. `false` if it is not, or cannot be.
fn format_file(path: &Path, check: bool, terminal: &Terminal) -> Result<bool, Failure> {
    let shown = path.display().to_string();
    let broken = |error: std::io::Error| Failure::usage(format!("{shown}: {error}"));
    let file = std::fs::File::open(path).map_err(broken)?;
    let metadata = file.metadata().map_err(broken)?;
    if !metadata.is_file() {
        return Err(Failure::usage(format!("{shown} is no regular file")));
    }
    let text = read(file, &shown)?;
    let Some(formatted) = formatted(&text, &shown, terminal) else {
        return Ok(false);
    };
    if formatted == text {
        return Ok(true);
    }
    if check {
        print(&format!("{}\n", safe(&shown)))?;
        return Ok(false);
    }
    // Behind a symbolic link the file itself is replaced.
    let real = std::fs::canonicalize(path).map_err(broken)?;
    replace(&real, formatted.as_bytes(), &metadata).map_err(broken)?;
    say(&format!("formatted {}\n", safe(&shown)));
    Ok(true)
}

/// The text in the one style; nothing if it cannot be read, which is then shown.
fn formatted(text: &str, name: &str, terminal: &Terminal) -> Option<String> {
    match ytrace_lang::format::format(text) {
        Ok(formatted) => Some(formatted),
        Err(diagnostics) => {
            let mut sources = SourceMap::default();
            sources.add(SourceFile {
                name: name.to_owned(),
                text: Arc::from(text),
                library: false,
            });
            say(&ytrace_lang::render::render(
                &diagnostics,
                &sources,
                &Default::default(),
                terminal.error_color,
            ));
            None
        }
    }
}

fn read(from: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    from.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Failure::usage(format!(
            "{name} is larger than {MAX_FILE} bytes"
        )));
    }
    String::from_utf8(bytes)
        .map_err(|error| Failure::usage(format!("{name} is not UTF-8: {error}")))
}

/// Puts another content in place of a file's, all at once, with the same mode and owner.
fn replace(path: &Path, content: &[u8], metadata: &std::fs::Metadata) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let mut file = std::fs::File::create_new(&temporary)?;
    let written = file
        .write_all(content)
        .and_then(|()| keep_owner(&file, metadata))
        .and_then(|()| {
            let mode = metadata.permissions().mode() & 0o7777;
            file.set_permissions(std::fs::Permissions::from_mode(mode))
        })
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one that matters.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn keep_owner(file: &std::fs::File, metadata: &std::fs::Metadata) -> std::io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (metadata.uid(), metadata.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(metadata.uid()), Some(metadata.gid()))
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(()),
        Err(error) => terminal::output_failure(&error).map_or(Ok(()), Err),
    }
}
