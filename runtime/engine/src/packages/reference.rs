//! Reference pages in Markdown, of what `///` texts say.

use std::fmt::Write as _;
use std::path::Path;

use ytrace_lang::document::{Document, Entry, EntryKind, document};
use ytrace_lang::source::SourceFile;

use super::{Package, PackageError, suite};
use crate::library::{self, Library};

/// A page: the name of its file, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// `README.md`, `luajit.md`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The page of one file.
pub fn of_file(file: &SourceFile) -> String {
    let mut text = String::new();
    section(&mut text, "#", &file.name, file, None);
    text
}

/// The page of a package: what it is for and needs, its probes, then what its files offer to those who include them.
///
/// # Errors
/// A file cannot be read, or is not what was added.
pub fn of_package(package: &Package) -> Result<String, PackageError> {
    let manifest = &package.manifest;
    let mut text = format!("# {} {}\n", manifest.name, manifest.version);
    if !manifest.description.is_empty() {
        let _ = write!(text, "\n{}\n", plain(&manifest.description));
    }
    let requires = &manifest.requires;
    let mut needs = Vec::new();
    if requires.ytrace != semver::VersionReq::STAR {
        needs.push(format!("- ytrace {}\n", requires.ytrace));
    }
    for (what, list) in [
        ("modules of the target", &requires.modules),
        ("types of the target", &requires.types),
        ("privileges", &requires.privileges),
    ] {
        if !list.is_empty() {
            let list: Vec<String> = list.iter().map(|one| code(one)).collect();
            needs.push(format!("- {what}: {}\n", list.join(", ")));
        }
    }
    if !needs.is_empty() {
        let _ = write!(text, "\nIt needs:\n\n{}", needs.concat());
    }
    let probes = package.probe_files()?;
    let mut others = Vec::new();
    for name in super::contents::names(&package.root)? {
        let path = Path::new(&name);
        let ends = path.extension().is_some_and(|ending| ending == "y");
        if ends && !probes.iter().any(|probe| probe == path) && !path.starts_with("tests") {
            others.push(path.to_owned());
        }
    }
    for (title, files, probes) in [("Probes", probes, true), ("Library", others, false)] {
        if !files.is_empty() {
            let _ = write!(text, "\n## {title}\n");
        }
        for file in files {
            let path = package.root.join(&file);
            let main = library::main_file(&path).map_err(|error| PackageError {
                hint: error.hint(),
                ..PackageError::new(&package.root, error)
            })?;
            let below = match probes {
                true => file.strip_prefix("probes").unwrap_or(&file),
                false => &file,
            };
            let name = format!("{}/{}", manifest.name, below.display());
            let include = (!probes).then_some(name.as_str());
            text.push('\n');
            section(&mut text, "###", &name, &main, include);
        }
    }
    let suites = suite::read(package)?;
    if !suites.is_empty() {
        text.push_str("\n## Tests\n\n");
        for test in suites.iter().flat_map(|suite| &suite.tests) {
            let _ = writeln!(text, "- {}", plain(&test.name));
        }
    }
    Ok(text)
}

/// The page of a folder of the library that ships with ytrace; `None` if it has none of that name.
pub fn of_folder(name: &str) -> Option<String> {
    let folders = library::shipped_folders();
    let (_, files) = folders.into_iter().find(|(folder, _)| folder == name)?;
    let mut text = format!("# The library: {name}\n");
    for file in files {
        let shown = file.name.trim_start_matches("<ytrace>/").to_owned();
        text.push('\n');
        section(&mut text, "##", &shown, &file, Some(&shown));
    }
    Some(text)
}

/// All that ships with ytrace: a page for each folder of the library, one for the probes, and a first page that leads to them.
pub fn of_everything() -> Vec<Page> {
    let mut first = "# The library\n\nWhat ships with ytrace, by its own words: made by `ytrace doc -o docs/library`.\n\n| page | what it is about |\n|---|---|\n".to_owned();
    let mut pages = Vec::new();
    for (name, files) in library::shipped_folders() {
        let Some(text) = of_folder(&name) else {
            continue;
        };
        for file in &files {
            let shown = file.name.trim_start_matches("<ytrace>/");
            let about = plain(&super::installed::about(&file.text)).replace('|', "\\|");
            let _ = writeln!(first, "| [{shown}]({name}.md) | {about} |");
        }
        pages.push(Page {
            name: format!("{name}.md"),
            text,
        });
    }
    let mut probes = "# The probes\n\n`ytrace run probes/NAME.y -p PID -- OPTIONS`\n".to_owned();
    let _ = writeln!(
        first,
        "| [probes](probes.md) | what `ytrace run` finds by name |"
    );
    for file in library::shipped_probes() {
        probes.push('\n');
        section(&mut probes, "##", &file.name.clone(), &file, None);
    }
    pages.push(Page {
        name: "probes.md".to_owned(),
        text: probes,
    });
    pages.insert(
        0,
        Page {
            name: "README.md".to_owned(),
            text: first,
        },
    );
    pages
}

/// A file under a heading; `include` is what to write to include it.
fn section(text: &mut String, level: &str, name: &str, file: &SourceFile, include: Option<&str>) {
    let found = document(file.clone(), &mut Library::new(&[], file));
    let _ = write!(text, "{level} {}\n\n", plain(name));
    if let Some(include) = include {
        let _ = write!(text, "`#include <{include}>`\n\n");
    }
    if let Some(introduction) = &found.introduction {
        let _ = write!(text, "{}\n\n", plain(introduction));
    }
    entries(text, &found);
    while text.ends_with("\n\n") {
        text.pop();
    }
}

fn entries(text: &mut String, found: &Document) {
    let of = |kind| found.entries.iter().filter(move |entry| entry.kind == kind);
    let options: Vec<&Entry> = of(EntryKind::Option).collect();
    if !options.is_empty() {
        text.push_str("| option | declared as | |\n|---|---|---|\n");
        for option in options {
            let about = option.documentation.as_deref().unwrap_or_default();
            let about = plain(about).replace('\n', " ").replace('|', "\\|");
            let _ = writeln!(
                text,
                "| {} | {} | {about} |",
                code(&option.name),
                code(&option.declaration).replace('|', "\\|")
            );
        }
        text.push('\n');
    }
    for (kind, title) in [
        (EntryKind::View, "Views"),
        (EntryKind::Probe, "Runs at"),
        (EntryKind::Layout, "Layouts"),
    ] {
        let list: Vec<String> = of(kind)
            .map(|entry| match kind {
                EntryKind::View => {
                    format!("{} ({})", plain(&entry.name), plain(&entry.declaration))
                }
                EntryKind::Layout => format!("{} of {}", code(&entry.name), entry.declaration),
                _ => code(&entry.declaration),
            })
            .collect();
        if !list.is_empty() {
            let _ = write!(text, "{title}: {}\n\n", list.join("; "));
        }
    }
    // What says nothing of itself is for the file's own use.
    for kind in [
        EntryKind::Function,
        EntryKind::Macro,
        EntryKind::Variable,
        EntryKind::Type,
    ] {
        for entry in of(kind) {
            let Some(documentation) = &entry.documentation else {
                continue;
            };
            match entry.declaration.contains('\n') {
                true => {
                    let _ = write!(
                        text,
                        "```c\n{}\n```\n\n{}\n\n",
                        entry.declaration.replace("```", "'''"),
                        plain(documentation)
                    );
                }
                false => {
                    let _ = write!(
                        text,
                        "**{}**\n\n{}\n\n",
                        code(&entry.declaration),
                        plain(documentation)
                    );
                }
            }
        }
    }
}

/// Text as code.
fn code(text: &str) -> String {
    let mut longest = 0;
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let run = backticks(rest.get(at..).unwrap_or_default());
        longest = longest.max(run);
        rest = rest.get(at + run..).unwrap_or_default();
    }
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("`{text}`"),
        _ => format!("{fence} {text} {fence}"),
    }
}

/// How many backticks a text begins with.
fn backticks(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'`').count()
}

/// A `///` text as Markdown: it is that already, but markup of HTML in it is text, outside of code. Code is what stands between as many
/// backticks as one another, in one paragraph, or in a block of its own; backticks that have no others are text.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '`' => {
                let run = backticks(rest);
                let block = run > 2 && (out.is_empty() || out.ends_with('\n'));
                let code = match block {
                    true => block_end(rest, run),
                    false => span_end(rest, run),
                };
                match code {
                    Some(end) => out.push_str(rest.get(..end).unwrap_or_default()),
                    None => out.push_str(&"\\`".repeat(run)),
                }
                code.unwrap_or(run)
            }
            // What it stands before is text, whatever it is.
            '\\' => {
                let next = rest.chars().nth(1).filter(|next| *next == '`');
                out.push('\\');
                out.extend(next);
                1 + next.map_or(0, char::len_utf8)
            }
            '&' | '<' => {
                out.push_str(if first == '&' { "&amp;" } else { "&lt;" });
                1
            }
            other => {
                out.push(other);
                other.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// Where code ends that begins with a number of backticks, in its paragraph.
fn span_end(text: &str, run: usize) -> Option<usize> {
    let paragraph = text.split("\n\n").next().unwrap_or(text);
    let mut at = run;
    loop {
        let rest = paragraph.get(at..)?;
        let next = at + rest.find('`')?;
        let length = backticks(paragraph.get(next..)?);
        at = next + length;
        if length == run {
            return Some(at);
        }
    }
}

/// Where a block of code ends that begins with a number of backticks: after the line that begins with as many.
fn block_end(text: &str, run: usize) -> Option<usize> {
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let closes = backticks(line) >= run && line.trim().bytes().all(|byte| byte == b'`');
        if index > 0 && closes {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_html_is_text() {
        for (text, page) in [
            ("a <b> & `<c>`", "a &lt;b> &amp; `<c>`"),
            ("a ` <b>", "a \\` &lt;b>"),
            ("a ` b\n\n<i>` c", "a \\` b\n\n&lt;i>\\` c"),
            ("`` a ` <b> `` <c>", "`` a ` <b> `` &lt;c>"),
            ("`` a ` <b>", "\\`\\` a \\` &lt;b>"),
            ("\\`<b>`", "\\`&lt;b>\\`"),
            ("```c\n<a>\n\n`\n```\n<b>", "```c\n<a>\n\n`\n```\n&lt;b>"),
            ("```\n<a>", "\\`\\`\\`\n&lt;a>"),
        ] {
            assert_eq!(plain(text), page, "{text}");
        }
        assert_eq!(code("a`` b"), "``` a`` b ```");
    }

    #[test]
    fn a_page_of_a_file() {
        let file = SourceFile {
            name: "a.y".to_owned(),
            text: "/// What it is for.\n\n_option int most = 5; /// how many | at most\n\n/// Adds.\nlong add(long a)\n{\n    return a;\n}\n\nlong hidden(void)\n{\n    return 1;\n}\n"
                .into(),
            library: false,
        };
        assert_eq!(
            of_file(&file),
            "# a.y\n\nWhat it is for.\n\n| option | declared as | |\n|---|---|---|\n| `--most` | `int most = 5` | how many \\| at most |\n\n**`long add(long a)`**\n\nAdds.\n"
        );
    }
}
