//! The examples of a page of documentation, as filetests.
//!
//! A fenced block `y` is a program, or statements of a `_oneshot`; the fenced block `text` that
//! follows is what it gives. `y error` should not check, `y syntax` should not parse, and
//! `y fault` ends in a fault.

use super::filetest::{Filetest, Phase};

/// One example of a page.
#[derive(Clone, Debug)]
pub struct Example {
    /// The line of the page on which its program begins, from 1.
    pub line: usize,
    /// The example, ready to run; its expectation is the `text` block, or empty.
    pub filetest: Filetest,
    /// The lines of the page between its program and what follows the expectation.
    output: std::ops::Range<usize>,
}

/// The examples of a page in order. The error says which block is malformed.
pub fn examples(page: &str) -> Result<Vec<Example>, String> {
    let lines: Vec<&str> = page.lines().collect();
    let mut examples = Vec::new();
    let mut position = 0;
    while let Some(line) = lines.get(position) {
        let Some(kind) = line.strip_prefix("```") else {
            position += 1;
            continue;
        };
        let (body, end) = block(&lines, position)?;
        let phase = match kind.trim() {
            "y" => Phase::Run,
            "y error" => Phase::TypeError,
            "y syntax" => Phase::ParseError,
            "y fault" => Phase::RunError,
            _ => {
                position = end;
                continue;
            }
        };
        let mut after = end;
        let mut expected = String::new();
        if lines.get(end).is_some_and(|line| line.trim() == "```text") {
            let (text, past) = block(&lines, end)?;
            for line in text {
                expected.push_str(line);
                expected.push('\n');
            }
            after = past;
        }
        let mut text = body.join("\n");
        if !body.iter().any(|line| line.contains("_probe")) {
            text = format!("_probe _oneshot {{ {text}\n}}");
        }
        let filetest = Filetest::of(phase, &text, expected)
            .map_err(|message| format!("line {}: {message}", position + 2))?;
        examples.push(Example {
            line: position + 2,
            filetest,
            output: end..after,
        });
        position = after;
    }
    Ok(examples)
}

/// The page with other outputs, one for each example.
pub fn blessed(page: &str, examples: &[Example], outputs: &[String]) -> String {
    let lines: Vec<&str> = page.lines().collect();
    let mut text = String::new();
    let mut position = 0;
    let mut copy = |text: &mut String, to: usize, next: usize| {
        for line in lines.get(position..to).unwrap_or_default() {
            text.push_str(line);
            text.push('\n');
        }
        position = next;
    };
    for (example, output) in examples.iter().zip(outputs) {
        copy(&mut text, example.output.start, example.output.end);
        if !output.is_empty() {
            text.push_str("```text\n");
            text.push_str(output);
            text.push_str("```\n");
        }
    }
    copy(&mut text, lines.len(), lines.len());
    text
}

/// The lines inside the fence that opens at `start`, and the place after its end.
fn block<'p>(lines: &[&'p str], start: usize) -> Result<(Vec<&'p str>, usize), String> {
    let mut body = Vec::new();
    let mut position = start + 1;
    while let Some(line) = lines.get(position) {
        position += 1;
        if line.trim() == "```" {
            return Ok((body, position));
        }
        body.push(*line);
    }
    Err(format!("the block of line {} has no end", start + 1))
}
