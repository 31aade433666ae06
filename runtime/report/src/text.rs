//! A report as text of a terminal.

use ytrace_values::{escape, units};

use crate::columns::{Style, Tone, cut_end, expand_tabs, wrap};
use crate::model::{Report, Unit, View, ViewData};
use crate::{difference_text, flame_text, heapmap_text, histogram_text, series_text, table_text};

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Columns; at least 40 are used.
    pub width: usize,
    /// Whether to use colour. All is legible without.
    pub color: bool,
    /// The most rows of one view; [`ALL_ROWS`] for no limit. What is drawn as fine as it has lines has some hundred at most.
    pub rows: usize,
    /// Whether what the probe printed is broken to the width and shows what a terminal would obey. If not, it stays as it
    /// is, byte for byte, for pipes and files.
    pub fold: bool,
}

/// No limit on the rows of a view.
pub const ALL_ROWS: usize = usize::MAX;

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 100,
            color: false,
            rows: 25,
            fold: false,
        }
    }
}

/// The whole report, with a newline at the end of every line.
pub fn render(report: &Report, options: Options) -> Vec<u8> {
    let mut out = render_data(report, options);
    out.extend_from_slice(render_footer(report, options).as_bytes());
    out
}

/// The data of a report: its header, what the probe printed, and its views. All but what was printed is UTF-8.
pub fn render_data(report: &Report, options: Options) -> Vec<u8> {
    let mut text = Text::new(options);
    for (index, line) in report.header.iter().enumerate() {
        let tone = (index == 0).then_some(Tone::Title);
        text.paragraph(line, 2, tone);
    }
    let mut out = Vec::new();
    if options.fold {
        for line in String::from_utf8_lossy(&report.text).lines() {
            text.paragraph(line, 2, None);
        }
    } else if !report.text.is_empty() {
        out = std::mem::take(&mut text.out).into_bytes();
        out.extend_from_slice(&report.text);
        if out.last() != Some(&b'\n') {
            out.push(b'\n');
        }
        // An empty line stands between this and a view, and there is only one.
        text.gap = !out.ends_with(b"\n\n");
    }
    for view in report.shown() {
        text.view(view);
    }
    out.extend_from_slice(text.out.as_bytes());
    out
}

/// How far the data of a report can be trusted: all that [`render_data`] leaves out.
pub fn render_footer(report: &Report, options: Options) -> String {
    let mut text = Text::new(options);
    for (line, tone, indent) in remarks(report) {
        text.paragraph(&line, indent, tone);
    }
    for command in &report.next {
        // A command is not broken, so that it can be copied.
        text.line(&escape::line(format!("next: {command}").as_bytes()), None);
    }
    text.out
}

/// The title of a view with what it shows in all.
pub(crate) fn heading(view: &View) -> String {
    if let ViewData::Difference(difference) = &view.data {
        let summary = difference_text::summary(difference);
        return format!("What changed: {} · {summary}", view.title);
    }
    let (count, what) = size(&view.data);
    let whole = match &view.data {
        ViewData::Flamegraph(graph) => sum(&graph.rows, graph.selected),
        ViewData::Bars(bars) => sum(&bars.rows, bars.selected),
        _ => None,
    };
    let plural = if count == 1 { "" } else { "s" };
    let mut title = view.title.clone();
    let weights = match &view.data {
        ViewData::Flamegraph(graph) => Some((&graph.weights, graph.selected)),
        ViewData::Bars(bars) => Some((&bars.weights, bars.selected)),
        _ => None,
    };
    if let (Some(whole), Some((weights, selected))) = (whole, weights) {
        let names = flame_text::names(weights, &view.unit);
        let name = names.get(selected).map_or("", String::as_str);
        let unit = Unit::of(name);
        let number = unit.show(whole);
        match unit {
            Unit::Count => title.push_str(&format!(" · {number} {name}")),
            _ => title.push_str(&format!(" · {number}")),
        }
    }
    let single = match &view.data {
        ViewData::Histogram(histogram) => {
            matches!(histogram.groups.as_slice(), [group] if group.key.is_empty())
        }
        ViewData::Series(series) => {
            matches!(series.lines.as_slice(), [line] if line.name.is_empty())
        }
        _ => false,
    };
    if single {
        if !view.unit.is_empty() {
            title.push_str(&format!(" · {}", view.unit));
        }
    } else {
        title.push_str(&format!(
            " · {} {what}{plural}",
            units::thousands(count as i128)
        ));
    }
    title
}

/// Checks, warnings, faults, and how far the result can be trusted: lines, each with its colour and how far what
/// follows a break is indented.
pub(crate) fn remarks(report: &Report) -> Vec<(String, Option<Tone>, usize)> {
    let mut lines = Vec::new();
    for check in &report.checks {
        let difference = i128::from(check.left) - i128::from(check.right);
        let (left, right) = (units::thousands(check.left), units::thousands(check.right));
        let mut line = match difference {
            0 => format!("{}: {left} = {right}", check.name),
            _ => {
                let (mark, sign) = match check.holds() {
                    true => ("", "≈"),
                    false => ("! ", "≠"),
                };
                let difference = units::thousands(difference);
                format!(
                    "{mark}{}: {left} {sign} {right}, difference {difference}",
                    check.name
                )
            }
        };
        if difference != 0 && check.tolerance != 0 {
            let tolerance = units::thousands(check.tolerance);
            line.push_str(&format!(" ({tolerance} allowed)"));
        }
        let tone = (!check.holds()).then_some(Tone::Bad);
        lines.push((line, tone, 2));
    }
    for warning in &report.warnings {
        lines.push((format!("warning: {warning}"), Some(Tone::Warm), 2));
    }
    for fault in &report.footer.faults {
        let times = match fault.count {
            1 => String::new(),
            count => format!("{} × ", units::thousands(count)),
        };
        let place = match fault.location.is_empty() {
            true => String::new(),
            false => format!(" at {}", fault.location),
        };
        let line = format!("fault: {times}{}{place}", fault.message);
        lines.push((line, Some(Tone::Bad), 2));
        for call in fault.chain.iter().take(8) {
            lines.push((format!("  in {call}"), Some(Tone::Faint), 5));
        }
    }
    let mut facts = report.footer.facts();
    if report.footer.partial.is_empty() {
        facts.push(report.footer.verdict());
        lines.push((facts.join(" · "), Some(Tone::Good), 2));
    } else {
        if !facts.is_empty() {
            lines.push((facts.join(" · "), Some(Tone::Faint), 2));
        }
        lines.push((report.footer.verdict(), Some(Tone::Bad), 2));
    }
    lines
}

/// How many things a view shows, and what they are.
fn size(data: &ViewData) -> (usize, &'static str) {
    match data {
        ViewData::Flamegraph(graph) => (graph.rows.len(), "path"),
        ViewData::Bars(bars) => (bars.rows.len(), "key"),
        ViewData::Table(table) => (table.rows.len(), "row"),
        ViewData::Histogram(histogram) => (histogram.groups.len(), "key"),
        ViewData::Series(series) => (series.lines.len(), "line"),
        ViewData::Heapmap(map) => (map.regions.len(), "region"),
        ViewData::Difference(difference) => (difference.rows.len(), "row"),
    }
}

/// Lines made safe and broken to so many columns.
pub(crate) fn wrapped(lines: &[String], columns: usize) -> Vec<String> {
    let lines = lines.iter();
    lines
        .flat_map(|line| wrap(&escape::line(expand_tabs(line).as_bytes()), columns, 2))
        .collect()
}

/// Text made safe for one line, and cut with `…` to so many columns.
pub fn fit(text: &str, columns: usize) -> String {
    cut_end(text, columns)
}

struct Text {
    out: String,
    style: Style,
    /// Whether an empty line is due where `out` is empty.
    gap: bool,
}

impl Text {
    fn new(options: Options) -> Self {
        let style = Style {
            width: options.width.max(40),
            color: options.color,
            rows: options.rows.max(1),
        };
        Self {
            out: String::new(),
            style,
            gap: false,
        }
    }

    fn view(&mut self, view: &View) {
        let gap = match self.out.is_empty() {
            true => self.gap,
            false => !self.out.ends_with("\n\n"),
        };
        if gap {
            self.out.push('\n');
        }
        self.paragraph(&heading(view), 2, Some(Tone::Title));
        let lines = match &view.data {
            data if size(data).0 == 0 => vec!["(nothing)".to_owned()],
            ViewData::Flamegraph(graph) => flame_text::flamegraph(graph, &view.unit, &self.style),
            ViewData::Bars(bars) => flame_text::bars(bars, &view.unit, &self.style),
            ViewData::Table(table) => table_text::table(table, &self.style),
            ViewData::Histogram(histogram) => {
                histogram_text::histogram(histogram, &view.unit, &self.style)
            }
            ViewData::Series(series) => series_text::series(series, &view.unit, &self.style),
            ViewData::Heapmap(map) => heapmap_text::heapmap(map, &self.style),
            ViewData::Difference(difference) => {
                difference_text::difference(difference, &self.style)
            }
        };
        for line in lines {
            self.out.push_str(&line);
            self.out.push('\n');
        }
        self.out.push('\n');
    }

    /// One line of input, made safe and broken to the width.
    fn paragraph(&mut self, text: &str, indent: usize, tone: Option<Tone>) {
        let safe = escape::line(expand_tabs(text).as_bytes());
        for line in wrap(&safe, self.style.width, indent) {
            self.line(&line, tone);
        }
    }

    fn line(&mut self, line: &str, tone: Option<Tone>) {
        match tone {
            Some(tone) => self.out.push_str(&self.style.paint(tone, line.trim_end())),
            None => self.out.push_str(line.trim_end()),
        }
        self.out.push('\n');
    }
}

fn sum(rows: &[(Vec<String>, Vec<i64>)], selected: usize) -> Option<i128> {
    let values = rows.iter().filter_map(|(_, values)| values.get(selected));
    Some(values.map(|value| i128::from(*value)).sum())
}
