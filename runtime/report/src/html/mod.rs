//! A report as one HTML file that needs no other: charts, the numbers under each, header and footer.
//!
//! The file is XML, too. Flame graphs keep their scripts, in frames that can reach nothing but themselves; a policy in the
//! head forbids all loading from elsewhere.

mod numbers;

use crate::columns::Tone;
use crate::markup::escaped;
use crate::model::{Compared, Report, View, ViewData};
use crate::svg::Place;
use crate::{chart, output::OutputError, svg, text};

use numbers::Numbers;

/// The style sheet: light and dark as the reader's machine is set, and dark on white on paper.
const STYLE: &str = include_str!("page.css");

/// What a browser may load and run: what stands in the file.
const POLICY: &str = include_str!("policy.txt");

/// Tables longer than this are folded away until they are asked for.
const FOLDED: usize = 40;

/// The bytes of the file.
pub(crate) fn render(report: &Report) -> Result<Vec<u8>, OutputError> {
    let lines = report.lines();
    let title = match (lines.first(), report.views.first()) {
        (Some(line), _) if !line.is_empty() => line.as_str(),
        (_, Some(view)) => view.title.as_str(),
        _ => "ytrace",
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta name=\"generator\" content=\"ytrace\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n",
        escaped(title),
        chart::STYLE,
        escaped(title),
    );
    for (index, line) in lines.iter().enumerate() {
        if index > 0 || line != title {
            // Probes align what they print.
            paragraph(&mut out, "m", line);
        }
    }
    if !report.footer.partial.is_empty() {
        paragraph(&mut out, "bad", &report.footer.verdict());
    }
    out.push_str("</header>\n<main>\n");
    for view in report.differences.iter().chain(&report.views) {
        section(&mut out, report, view)?;
    }
    out.push_str("</main>\n");
    footer(&mut out, report);
    out.push_str("</body>\n</html>\n");
    Ok(out.into_bytes())
}

fn paragraph(out: &mut String, class: &str, text: &str) {
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    out.push_str(&format!("<p{class}>{}</p>\n", escaped(text)));
}

fn section(out: &mut String, report: &Report, view: &View) -> Result<(), OutputError> {
    out.push_str(&format!(
        "<section>\n<h2>{}</h2>\n",
        escaped(&text::heading(view))
    ));
    match &view.data {
        ViewData::Flamegraph(graph) => {
            let picture =
                svg::render(report, view, graph, Place::Page).map_err(OutputError::Draw)?;
            frame(out, &view.title, &picture);
        }
        ViewData::Difference(difference) if difference.of == Compared::Paths => {
            let picture = svg::difference(report, view, difference, Place::Page)
                .map_err(OutputError::Draw)?;
            frame(out, &view.title, &picture);
        }
        // Its numbers are all that there is to see.
        ViewData::Table(_) => {}
        _ => {
            let chart = chart::view(view).map_err(OutputError::Draw)?;
            out.push_str(&format!("<div class=\"wide\">{chart}</div>\n"));
        }
    }
    for numbers in numbers::numbers(view) {
        table(out, &numbers);
    }
    out.push_str("</section>\n");
    Ok(())
}

/// A picture with scripts in a frame of its own origin.
fn frame(out: &mut String, title: &str, picture: &[u8]) {
    let text = String::from_utf8_lossy(picture);
    let attribute = text.split_once(" height=\"").map(|(_, rest)| rest);
    let height: u32 = attribute
        .and_then(|rest| rest.split_once('"'))
        .and_then(|(height, _)| height.parse().ok())
        .unwrap_or(600);
    out.push_str(&format!(
        "<iframe sandbox=\"allow-scripts\" title=\"{}\" height=\"{}\" src=\"data:image/svg+xml;charset=utf-8,",
        escaped(title),
        height
    ));
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'/' | b':' | b';' | b',' | b'=' | b'(' | b')' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out.push_str("\"></iframe>\n");
}

fn table(out: &mut String, numbers: &Numbers) {
    if numbers.rows.is_empty() {
        paragraph(out, "faint", "(nothing)");
        return;
    }
    let folded = numbers.rows.len() > FOLDED;
    if folded {
        out.push_str(&format!(
            "<details><summary>{} rows of numbers</summary>\n",
            numbers.rows.len()
        ));
    }
    if !numbers.caption.is_empty() {
        paragraph(out, "faint", &numbers.caption);
    }
    out.push_str("<div class=\"wide\"><table>\n");
    let class = |numeric: bool| if numeric { "n" } else { "t" };
    out.push_str("<thead><tr>");
    for (index, (name, numeric)) in numbers.columns.iter().enumerate() {
        // The style sheet has widths in steps of four.
        let width = match numeric {
            true => String::new(),
            false => format!(" w{}", numbers.longest_word(index).div_ceil(4) * 4),
        };
        out.push_str(&format!(
            "<th class=\"{}{width}\">{}</th>",
            class(*numeric),
            escaped(name)
        ));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &numbers.rows {
        out.push_str("<tr>");
        for (cell, (_, numeric)) in row.iter().zip(&numbers.columns) {
            out.push_str(&format!(
                "<td class=\"{}\">{}</td>",
                class(*numeric),
                escaped(cell)
            ));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    if !numbers.rest.is_empty() {
        paragraph(out, "faint", &numbers.rest);
    }
    if folded {
        out.push_str("</details>\n");
    }
}

fn footer(out: &mut String, report: &Report) {
    out.push_str("<footer>\n");
    for (line, tone, _) in text::remarks(report) {
        let class = match tone {
            Some(Tone::Bad) => "bad",
            Some(Tone::Good) => "good",
            Some(Tone::Faint) => "faint",
            _ => "",
        };
        paragraph(out, class, &line);
    }
    for command in &report.next {
        out.push_str(&format!("<p>next: <code>{}</code></p>\n", escaped(command)));
    }
    out.push_str("</footer>\n");
}
