//! From a command line to what `execve` takes.

use std::ffi::{CString, OsStr};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::SpawnError;

/// Where programs are looked for when `PATH` is not set, as `execvp` of glibc does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// The shell that executes a script without a first line that names its interpreter, as `execvp` does.
const SHELL: &str = "/bin/sh";
/// The characters of a shell's operators and expansions.
const SHELL_CHARACTERS: [char; 9] = ['|', '&', ';', '<', '>', '$', '`', '*', '~'];
/// The most bytes of a script's first line that the kernel looks at (`BINPRM_BUF_SIZE`).
const FIRST_LINE: u64 = 256;

/// A command that is ready to be executed.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) path: PathBuf,
    pub(super) program: CString,
    pub(super) arguments: Vec<CString>,
    /// The same by way of the shell, for a script that does not name its interpreter.
    pub(super) shell: CString,
    pub(super) shell_arguments: Vec<CString>,
    pub(super) environment: Vec<CString>,
}

/// Splits a command line and finds its program.
pub(super) fn plan(line: &str) -> Result<Plan, SpawnError> {
    let words = shlex::split(line).ok_or(SpawnError::Quotes)?;
    let name = words.first().ok_or(SpawnError::Empty)?;
    let shell_needed = line.contains(SHELL_CHARACTERS) || name.contains('=');
    let path = find(name, shell_needed)?;
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| SpawnError::Nul);
    let program = text(path.as_os_str().as_bytes())?;
    let arguments = words
        .iter()
        .map(|word| text(word.as_bytes()))
        .collect::<Result<Vec<CString>, SpawnError>>()?;
    let shell = text(SHELL.as_bytes())?;
    let shell_arguments = [shell.clone(), program.clone()]
        .into_iter()
        .chain(arguments.iter().skip(1).cloned())
        .collect();
    let environment = std::env::vars_os().filter_map(|(name, value)| {
        let mut entry = name.as_bytes().to_vec();
        entry.push(b'=');
        entry.extend_from_slice(value.as_bytes());
        CString::new(entry).ok()
    });
    Ok(Plan {
        path,
        program,
        arguments,
        shell,
        shell_arguments,
        environment: environment.collect(),
    })
}

/// Finds a program, in `PATH` when its name has no slash.
fn find(name: &str, shell: bool) -> Result<PathBuf, SpawnError> {
    if name.contains('/') {
        let path = PathBuf::from(name);
        return check(&path).map(|()| path).map_err(|error| match error {
            SpawnError::NotFound { name, .. } => SpawnError::NotFound {
                name,
                searched: false,
                shell,
            },
            other => other,
        });
    }
    let mut first = None;
    let places = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    for place in places.as_bytes().split(|byte| *byte == b':') {
        // An empty entry is the working directory.
        let place = Path::new(OsStr::from_bytes(if place.is_empty() {
            b"."
        } else {
            place
        }));
        let path = place.join(name);
        match check(&path) {
            Ok(()) if !name.is_empty() => return Ok(path),
            Err(SpawnError::NotExecutable { path }) => {
                first.get_or_insert(SpawnError::NotExecutable { path });
            }
            // As a shell does, look on.
            _ => {}
        }
    }
    Err(first.unwrap_or_else(|| SpawnError::NotFound {
        name: PathBuf::from(name),
        searched: true,
        shell,
    }))
}

/// Whether a file can be executed, as far as can be told without doing it.
fn check(path: &Path) -> Result<(), SpawnError> {
    let path_buf = || path.to_owned();
    match std::fs::metadata(path) {
        Ok(status) if status.is_dir() => Err(SpawnError::Directory { path: path_buf() }),
        Ok(status) if !status.is_file() => Err(SpawnError::NotExecutable { path: path_buf() }),
        Ok(_) => match access(path, AccessFlags::X_OK) {
            Ok(()) => Ok(()),
            Err(Errno::EACCES) => Err(SpawnError::NotExecutable { path: path_buf() }),
            Err(errno) => Err(SpawnError::Execute {
                path: path_buf(),
                errno,
            }),
        },
        Err(error) => Err(match crate::sys::errno_of(&error) {
            Errno::ENOENT | Errno::ENOTDIR => SpawnError::NotFound {
                name: path_buf(),
                searched: false,
                shell: false,
            },
            Errno::EACCES => SpawnError::Permission { path: path_buf() },
            errno => SpawnError::Execute {
                path: path_buf(),
                errno,
            },
        }),
    }
}

/// What the failure of `execve` on a program means.
pub(super) fn execute_error(path: &Path, errno: Errno) -> SpawnError {
    let path_buf = path.to_owned();
    match errno {
        // The file was there, so what is missing is what it needs.
        Errno::ENOENT if path.exists() => SpawnError::Interpreter {
            interpreter: script_interpreter(path),
            path: path_buf,
        },
        Errno::ENOENT => SpawnError::NotFound {
            name: path_buf,
            searched: false,
            shell: false,
        },
        Errno::EACCES | Errno::EPERM => SpawnError::Permission { path: path_buf },
        errno => SpawnError::Execute {
            path: path_buf,
            errno,
        },
    }
}

/// The interpreter that a script names in its first line.
fn script_interpreter(path: &Path) -> Option<PathBuf> {
    let mut line = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(FIRST_LINE).read_to_end(&mut line).ok()?;
    let line = line.split(|byte| *byte == b'\n').next()?;
    let rest = line.strip_prefix(b"#!")?;
    let rest = rest.trim_ascii_start();
    let word = rest.split(|byte| byte.is_ascii_whitespace()).next()?;
    (!word.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_without_expansion() {
        let plan = plan(r#"sh -c "echo 'a b' \"\$HOME\"" c\ d *"#).unwrap();
        assert!(plan.path.is_absolute() && plan.path.ends_with("sh"));
        let words: Vec<&str> = plan
            .arguments
            .iter()
            .map(|word| word.to_str().unwrap())
            .collect();
        assert_eq!(words, ["sh", "-c", "echo 'a b' \"$HOME\"", "c d", "*"]);
    }

    #[test]
    fn refusals_with_hints() {
        let refused = |line: &str| plan(line).unwrap_err();
        assert!(matches!(refused("  "), SpawnError::Empty));
        assert!(matches!(refused("sh -c 'a"), SpawnError::Quotes));
        assert!(matches!(refused("sh 'a\0b'"), SpawnError::Nul));
        assert!(matches!(refused("''"), SpawnError::NotFound { .. }));
        assert!(matches!(refused("/"), SpawnError::Directory { .. }));
        let missing = refused("no-such-program-anywhere | wc");
        assert!(missing.hint().unwrap().contains("sh -c"), "{missing}");
        let missing = refused("/no/such/program");
        assert!(matches!(
            missing,
            SpawnError::NotFound {
                searched: false,
                ..
            }
        ));
        let plain = tempfile::NamedTempFile::new().unwrap();
        let refusal = refused(plain.path().to_str().unwrap());
        assert!(
            matches!(refusal, SpawnError::NotExecutable { .. }),
            "{refusal}"
        );
        assert!(refusal.hint().is_some());
    }
}
