//! Views as charts in SVG, drawn by plotters.
//!
//! Colours are those that people with any colour vision tell apart, and nothing is said by colour alone: slices, lines and
//! cells carry letters, rows their names. Colours are presentation attributes, which a style sheet replaces in
//! the dark; a reader that knows no style sheets draws dark on light.

mod canvas;
mod heapmap;
mod pie;
mod rows;
mod series;

use std::io;

use crate::columns::Style;
use crate::markup::escaped;
use crate::model::{Report, View, ViewData};
use crate::{table_text, text};

pub(crate) use canvas::STYLE;
use canvas::{Anchor, BACK, FAINT, SIZE, TEXT, WIDTH, height_of, hexadecimal, paint};

/// Columns of text over the whole width of a picture.
const COLUMNS: usize = 124;
/// The most rows of one view.
const ROWS: usize = 40;
/// What stays free around a picture.
const MARGIN: i32 = 20;
/// The height of a line of text.
const LINE: i32 = 18;

/// A view as an `svg` element. Flame graphs have a module of their own; here their title is all there is.
pub(crate) fn view(view: &View) -> io::Result<String> {
    let label = format!("{}: {}", view.kind, view.title);
    match &view.data {
        ViewData::Bars(bars) if view.kind == "pie" => pie::pie(&label, bars, &view.unit),
        ViewData::Bars(bars) => rows::bars(&label, bars, &view.unit),
        ViewData::Histogram(histogram) => rows::histogram(&label, histogram, &view.unit),
        ViewData::Series(series) => series::series(&label, series, &view.unit),
        ViewData::Heapmap(map) => heapmap::heapmap(&label, map),
        ViewData::Table(table) => {
            let style = Style {
                width: COLUMNS,
                color: false,
                rows: ROWS,
            };
            lines(&label, &table_text::table(table, &style))
        }
        ViewData::Difference(difference) => rows::difference(&label, difference),
        ViewData::Flamegraph(_) => lines(&label, &[]),
    }
}

/// Lines of a terminal as they stand.
fn lines(label: &str, lines: &[String]) -> io::Result<String> {
    let height = (lines.len() as i32 * LINE + LINE / 2).max(LINE);
    paint(label, height, |canvas| {
        for (index, line) in lines.iter().enumerate() {
            let color = if index == 0 { FAINT } else { TEXT };
            let y = index as i32 * LINE + LINE / 2;
            canvas.fixed(line, (0, y), color, Anchor::Start)?;
        }
        Ok(())
    })
}

/// All views of a report one below another, between its header and its footer.
pub(crate) fn document(report: &Report) -> io::Result<Vec<u8>> {
    let mut page = Page {
        body: String::new(),
        y: MARGIN,
    };
    for (index, line) in text::wrapped(&report.lines(), COLUMNS).iter().enumerate() {
        page.line(line, index == 0);
    }
    for each in report.shown() {
        page.y += LINE;
        page.line(&text::heading(each), true);
        page.chart(&view(each)?);
    }
    page.y += LINE;
    let mut rest: Vec<String> = text::remarks(report)
        .into_iter()
        .map(|(line, _, _)| line)
        .collect();
    rest.extend(report.next.iter().map(|command| format!("next: {command}")));
    for line in text::wrapped(&rest, COLUMNS) {
        page.line(&line, false);
    }
    let (width, height) = (WIDTH + 2 * MARGIN, page.y + MARGIN);
    let back = hexadecimal(BACK);
    let body = page.body;
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ytrace\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<style>{STYLE}</style>\n\
         <rect x=\"0\" y=\"0\" width=\"{width}\" height=\"{height}\" fill=\"{back}\"/>\n{body}</svg>\n"
    )
    .into_bytes())
}

/// A picture that grows downwards.
struct Page {
    body: String,
    y: i32,
}

impl Page {
    fn line(&mut self, line: &str, bold: bool) {
        self.y += LINE;
        let weight = if bold { " font-weight=\"bold\"" } else { "" };
        self.body.push_str(&format!(
            "<text x=\"{MARGIN}\" y=\"{}\" font-family=\"sans-serif\" font-size=\"{SIZE}\"{weight} fill=\"{}\">{}</text>\n",
            self.y - 5,
            hexadecimal(TEXT),
            escaped(line)
        ));
    }

    fn chart(&mut self, element: &str) {
        self.y += 8;
        self.body.push_str(&format!(
            "<g transform=\"translate({MARGIN} {})\">\n{element}</g>\n",
            self.y
        ));
        self.y += height_of(element);
    }
}
