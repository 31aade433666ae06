//! Lines as they are put together.

use super::MAX_INDENT;

/// The widest code that comments beside it are aligned after.
const ALIGN: usize = 100;

#[derive(Default)]
struct Line {
    /// Whether a blank line precedes it.
    blank: bool,
    text: String,
    /// Columns of the last line of the text.
    column: usize,
    /// The comment at its end.
    comment: Option<String>,
}

/// The lines of the result.
#[derive(Default)]
pub struct Output {
    lines: Vec<Line>,
    indent: usize,
}

impl Output {
    /// Begins a line.
    pub fn line(&mut self, indent: usize, blank: bool) {
        self.indent = indent.min(MAX_INDENT);
        self.lines.push(Line {
            blank: blank && !self.lines.is_empty(),
            text: " ".repeat(self.indent),
            column: self.indent,
            comment: None,
        });
    }

    /// The indentation of the line at hand.
    pub fn indent(&self) -> usize {
        self.indent
    }

    /// The column at which the next text goes.
    pub fn column(&self) -> usize {
        self.lines.last().map_or(0, |line| line.column)
    }

    /// Puts text at the end of the line.
    pub fn put(&mut self, text: &str) {
        if self.lines.is_empty() {
            self.line(0, false);
        }
        if let Some(line) = self.lines.last_mut() {
            line.text.push_str(text);
            match text.rsplit_once('\n') {
                Some((_, last)) => line.column = last.chars().count(),
                None => line.column += text.chars().count(),
            }
        }
    }

    /// Puts a comment after the code of the line.
    pub fn comment(&mut self, text: &str) {
        match self.lines.last_mut() {
            Some(line) if line.comment.is_none() && !line.text.trim().is_empty() => {
                line.comment = Some(text.to_owned());
            }
            Some(Line {
                comment: Some(comment),
                ..
            }) => {
                comment.push(' ');
                comment.push_str(text);
            }
            _ => self.put(text),
        }
    }

    /// The whole text; comments after the code of consecutive lines are aligned.
    pub fn finish(self) -> String {
        let mut result = String::new();
        let mut rest = self.lines.as_slice();
        while let Some(line) = rest.first() {
            let together = rest
                .iter()
                .enumerate()
                .take_while(|(index, line)| line.comment.is_some() && (*index == 0 || !line.blank))
                .count();
            let (group, after) = rest.split_at(together.max(1));
            rest = after;
            if together == 0 {
                push_line(&mut result, line, line.column);
                continue;
            }
            let widest = group.iter().map(|line| line.column).max().unwrap_or(0);
            for line in group {
                let column = if widest <= ALIGN { widest } else { line.column };
                push_line(&mut result, line, column);
            }
        }
        result
    }
}

fn push_line(result: &mut String, line: &Line, column: usize) {
    if line.blank {
        result.push('\n');
    }
    result.push_str(line.text.trim_end_matches(' '));
    if let Some(comment) = &line.comment {
        let blanks = column.saturating_sub(line.column) + 1;
        result.extend(std::iter::repeat_n(' ', blanks));
        result.push_str(comment);
    }
    result.push('\n');
}
