//! `ytrace new`, `test`, `add`, `remove` and `doc`: packages of probes.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use ytrace_runtime::library::main_file;
use ytrace_runtime::packages::installed::packages;
use ytrace_runtime::packages::reference::{self, Page};
use ytrace_runtime::packages::runner::{Runner, Verdict};
use ytrace_runtime::packages::set::{LOCK, PackageSet};
use ytrace_runtime::packages::{MANIFEST, Package, skeleton, suite};

use crate::arguments::{AddArguments, DocArguments, NewArguments, RemoveArguments, TestArguments};
use crate::diagnose::{package, probe_file};
use crate::failure::{Failure, Status};
use crate::files::check_replaceable;
use crate::terminal::{Terminal, print, safe, say};

/// Set by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How many lines of what a failed run printed are shown, unless all are asked for.
const MOST_LINES: usize = 40;

/// Makes a package.
pub fn new(arguments: &NewArguments) -> Result<Status, Failure> {
    let directory = &arguments.directory;
    for path in skeleton::make(directory).map_err(package)? {
        print(&format!("{}\n", safe(&path.display().to_string())))?;
    }
    let shown = safe(&directory.display().to_string());
    say(&format!("next: ytrace test {shown}\n"));
    Ok(Status::Success)
}

/// Adds a package to the current directory.
pub fn add(arguments: &AddArguments) -> Result<Status, Failure> {
    let mut set = PackageSet::of(Path::new(".")).map_err(package)?;
    let added = set.add(&arguments.directory).map_err(package)?;
    let locked = &added.locked;
    let mut text = format!(
        "{} {} {}: {} files, {}\n",
        match added.replaced {
            Some(_) => "replaced",
            None => "added",
        },
        locked.name,
        locked.version,
        locked.files.len(),
        locked.hash
    );
    if let Some((version, changes)) = &added.replaced {
        if *version != locked.version {
            text.push_str(&format!("    it was {version}\n"));
        }
        for change in changes {
            text.push_str(&format!("    {}\n", safe(&change.to_string())));
        }
        if changes.is_empty() {
            text.push_str("    nothing has changed\n");
        }
    }
    print(&text)?;
    say(&format!(
        "next: ytrace list {}/   (keep {LOCK} and ytrace-packages/ with your own files)\n",
        locked.name
    ));
    Ok(Status::Success)
}

/// Removes a package from the current directory.
pub fn remove(arguments: &RemoveArguments) -> Result<Status, Failure> {
    let mut set = PackageSet::of(Path::new(".")).map_err(package)?;
    let removed = set
        .remove(&arguments.name, arguments.force)
        .map_err(package)?;
    let mut text = format!("removed {} {}\n", removed.name, removed.version);
    for change in &removed.changes {
        text.push_str(&format!("    {}\n", safe(change)));
    }
    print(&text)?;
    Ok(Status::Success)
}

/// Runs the tests of a package.
pub fn test(arguments: &TestArguments, terminal: &Terminal) -> Result<Status, Failure> {
    ytrace_runtime::interrupt::on_interrupt(&INTERRUPTED);
    let tested = Package::open(&arguments.directory).map_err(package)?;
    let suites = suite::suites(&tested).map_err(package)?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::usage(format!("ytrace cannot find itself: {error}")))?;
    let runner = Runner {
        program: &program,
        package: &tested,
        interrupt: &INTERRUPTED,
    };
    let (mut passed, mut failed, mut skipped) = (0usize, 0usize, 0usize);
    let mut written = Ok(());
    for suite in &suites {
        let filter = arguments.filter.as_deref().unwrap_or_default();
        runner
            .run(suite, filter, &mut |test, verdict| {
                let (word, color) = match &verdict {
                    Verdict::Passed => ("ok", "\x1b[32m"),
                    Verdict::Skipped(_) => ("skip", "\x1b[33m"),
                    Verdict::Failed { .. } => ("FAIL", "\x1b[31m"),
                };
                let (color, reset) = match terminal.output_color {
                    true => (color, "\x1b[0m"),
                    false => ("", ""),
                };
                let mut text = format!(
                    "{color}{word:<4}{reset} {}: {}\n",
                    safe(&suite.file.display().to_string()),
                    safe(&test.name)
                );
                match verdict {
                    Verdict::Passed => passed += 1,
                    Verdict::Skipped(why) => {
                        skipped += 1;
                        text.push_str(&format!("     {}\n", safe(&why)));
                    }
                    Verdict::Failed {
                        reasons,
                        output,
                        errors,
                    } => {
                        failed += 1;
                        for reason in reasons {
                            text.push_str(&format!("     {}\n", safe(&reason)));
                        }
                        quote(&mut text, "standard output", &output, arguments.verbose);
                        quote(&mut text, "standard error", &errors, arguments.verbose);
                    }
                }
                if written.is_ok() {
                    written = print(&text);
                }
            })
            .map_err(package)?;
    }
    written?;
    if passed + failed + skipped == 0 {
        return Err(Failure::usage(format!(
            "no test has `{}` in its name",
            arguments.filter.as_deref().unwrap_or_default()
        ))
        .with_hint("without a name all tests are run"));
    }
    print(&format!(
        "{passed} passed, {failed} failed, {skipped} skipped\n"
    ))?;
    Ok(match failed {
        0 => Status::Success,
        _ => Status::Probe,
    })
}

/// What a run printed, indented.
fn quote(text: &mut String, title: &str, printed: &str, all: bool) {
    if printed.trim().is_empty() {
        return;
    }
    text.push_str(&format!("     {title}:\n"));
    let lines: Vec<&str> = printed.lines().collect();
    let most = if all { lines.len() } else { MOST_LINES };
    for line in lines.iter().take(most) {
        text.push_str(&format!("     | {}\n", safe(line)));
    }
    if lines.len() > most {
        text.push_str(&format!(
            "     {} more lines: -v shows them\n",
            lines.len() - most
        ));
    }
}

/// How pages in files begin.
const PAGE_HEAD: &str = "<!-- Made by `ytrace doc`, which replaces it. -->";

/// Prints or writes reference pages.
pub fn doc(arguments: &DocArguments) -> Result<Status, Failure> {
    let pages = match &arguments.name {
        Some(name) => vec![page(name)?],
        None => reference::of_everything(),
    };
    let Some(directory) = &arguments.output else {
        let all: Vec<&str> = pages.iter().map(|page| page.text.as_str()).collect();
        print(&shown(&all.join("\n")))?;
        return Ok(Status::Success);
    };
    let failed =
        |path: &Path, error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
    let paths = pages.iter().map(|page| directory.join(&page.name));
    let paths: Vec<PathBuf> = paths.collect();
    // All or nothing.
    for path in &paths {
        check_replaceable(path, PAGE_HEAD, "page that `ytrace doc` wrote").map_err(|why| {
            Failure::usage(why).with_hint("name another directory, or remove what is there")
        })?;
    }
    for (page, path) in pages.iter().zip(paths) {
        let text = format!("{PAGE_HEAD}\n\n{}", shown(&page.text));
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
        say(&format!("wrote {}\n", safe(&path.display().to_string())));
    }
    Ok(Status::Success)
}

/// A page without what a terminal would obey: its texts may be a stranger's.
fn shown(page: &str) -> String {
    page.lines().map(|line| safe(line) + "\n").collect()
}

/// The page of a package, a file or a folder of the library.
fn page(name: &Path) -> Result<Page, Failure> {
    if name.join(MANIFEST).is_file() {
        let found = Package::open(name).map_err(package)?;
        return page_of(&found);
    }
    if name.is_dir() {
        return Err(Failure::usage(format!(
            "{} is no package: there is no {MANIFEST}",
            name.display()
        ))
        .with_hint("name a probe file in it, or make it a package"));
    }
    if name.is_file() || name.extension().is_some_and(|ending| ending == "y") {
        let file = main_file(name).map_err(probe_file)?;
        let stem = name.file_stem().unwrap_or_default();
        return Ok(Page {
            name: PathBuf::from(stem)
                .with_extension("md")
                .display()
                .to_string(),
            text: reference::of_file(&file),
        });
    }
    let plain = name.to_string_lossy();
    let (installed, problems) = packages();
    if let Some(found) = installed.iter().find(|one| one.manifest.name == plain) {
        return page_of(found);
    }
    if let Some(text) = reference::of_folder(&plain) {
        return Ok(Page {
            name: format!("{plain}.md"),
            text,
        });
    }
    if let Some(problem) = problems.into_iter().next() {
        return Err(package(problem));
    }
    Err(Failure::usage(format!(
        "there is no package, file or folder of the library `{plain}`"
    ))
    .with_hint("`ytrace list` lists probes; `ytrace doc` prints what there is of the library"))
}

fn page_of(found: &Package) -> Result<Page, Failure> {
    Ok(Page {
        name: format!("{}.md", found.manifest.name),
        text: reference::of_package(found).map_err(package)?,
    })
}
