//! Source text: files, spans and the loader.

use std::ops::Range;
use std::sync::Arc;

/// The index of a file in a [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes in a file.
///
/// Spans are equal if their ranges are, whichever macros their text came out of.
#[derive(Clone, Copy, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
    /// The macros that the text at its start came out of, as [`crate::parse::Expansions`] numbers them; 0 for none.
    pub expansion: u32,
}

impl Span {
    fn range(self) -> (FileId, u32, u32) {
        (self.file, self.start, self.end)
    }
}

impl PartialEq for Span {
    fn eq(&self, other: &Span) -> bool {
        self.range() == other.range()
    }
}

impl Eq for Span {}

impl std::hash::Hash for Span {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.range().hash(state);
    }
}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (file, start, end) = self.range();
        let mut shown = f.debug_struct("Span");
        shown.field("file", &file).field("start", &start);
        shown.field("end", &end).finish()
    }
}

impl Span {
    /// The span from the start of `self` to the end of `other`; `self` if they lie in
    /// different files.
    pub fn to(self, other: Span) -> Span {
        if self.file == other.file && other.end >= self.start {
            Span {
                end: other.end,
                ..self
            }
        } else {
            self
        }
    }
}

/// One file of source text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The name that diagnostics show.
    pub name: String,
    /// The text.
    pub text: Arc<str>,
    /// Whether the file belongs to the library that ships with ytrace.
    pub library: bool,
}

/// All files of a program, the main one first.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    /// Where in the main file lines are counted anew, in bytes and in order.
    starts: Vec<usize>,
}

impl SourceMap {
    /// Adds a file and gives its id.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(file);
        id
    }

    /// The file with an id.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// Gives a file another text.
    pub(crate) fn set_text(&mut self, id: FileId, text: &str) {
        if let Some(file) = self.files.get_mut(id.0 as usize) {
            file.text = text.into();
        }
        if id == FileId(0) {
            self.starts.clear();
        }
    }

    /// All files with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files
            .iter()
            .enumerate()
            .map(|(index, file)| (FileId(index as u32), file))
    }

    /// Says where in the main file lines are counted anew, in bytes and in order: it is made of texts that were typed one by one.
    pub(crate) fn count_from(&mut self, starts: &[usize]) {
        self.starts = starts.to_vec();
    }

    /// The bytes of the file among which the lines of a span's start are counted: all, but of a main file that was typed bit by bit.
    pub(crate) fn part_of(&self, span: Span) -> Range<usize> {
        let length = self.get(span.file).map_or(0, |file| file.text.len());
        let starts = match span.file {
            FileId(0) => self.starts.as_slice(),
            _ => &[],
        };
        let at = starts.partition_point(|start| *start <= span.start as usize);
        let start = at.checked_sub(1).and_then(|before| starts.get(before));
        let end = starts.get(at).copied().unwrap_or(length).min(length);
        start.copied().unwrap_or(0).min(end)..end
    }

    /// `name:line:column` of the start of a span, lines and columns counted from 1.
    pub fn location(&self, span: Span) -> String {
        let Some(file) = self.get(span.file) else {
            return "?".to_owned();
        };
        let end = (span.start as usize).min(file.text.len());
        let start = self.part_of(span).start;
        let before = file.text.as_bytes().get(start..end).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count()
            + 1;
        format!("{}:{line}:{column}", file.name)
    }
}

/// Why an include could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// No such file on any search path; the paths that were tried.
    #[error("no file {name} in {}", tried.join(", "))]
    NotFound {
        /// The name in the `#include`.
        name: String,
        /// Where it was looked for.
        tried: Vec<String>,
    },
    /// The file or its directory can be written by others, or cannot be read.
    #[error("{name}: {reason}")]
    Refused {
        /// The path.
        name: String,
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
}

/// Loads the files that `#include` names. The language reads files in no other way.
pub trait Loader {
    /// Loads `name` as `#include <name>` (`quoted` false) or `#include "name"` (true) written in
    /// the file called `from`. The `name` of the result is canonical: including the same file
    /// twice gives the same name.
    fn load(&mut self, name: &str, quoted: bool, from: &str) -> Result<SourceFile, LoadError>;
}
