//! What changed between two runs, and files that are no results.

mod common;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use ytrace_report::text::Options;
use ytrace_report::{
    Cell, Column, DifferenceError, Earlier, Flamegraph, Line, Output, Report, Sample, Series,
    Table, Unit, View, ViewData, difference, render,
};

/// A result with every kind of view, and one of some time later.
fn runs() -> (Report, Report) {
    let mut old = common::report();
    old.probe = "held.y".into();
    old.views.extend(common::shares().views.into_iter().take(1));
    old.views
        .extend(common::troubled().views.into_iter().skip(1));
    old.views.extend(common::measured().views);
    let mut new = old.clone();
    for view in &mut new.views {
        match &mut view.data {
            ViewData::Flamegraph(graph) => {
                for (path, values) in &mut graph.rows {
                    let factor = if path.iter().any(|frame| frame == "X509 *") {
                        9
                    } else {
                        1
                    };
                    values[0] *= factor;
                }
                graph.rows.retain(|(path, _)| path[0] != "(string table)");
                graph.rows.push((
                    common::strings(&["_LOADED", "<new> & \x1b"]),
                    vec![700_000, 7, 0],
                ));
            }
            ViewData::Bars(bars) => {
                bars.rows[0].1[0] += 50_000_000;
                bars.rows[2].1[0] /= 3;
                bars.rows.remove(3);
                bars.rows
                    .push((common::strings(&["Perl"]), vec![4_000_000, 1000]));
            }
            ViewData::Table(table) => {
                table.rows.pop();
            }
            ViewData::Histogram(histogram) => {
                histogram.groups[0].count += 5;
            }
            ViewData::Series(series) => {
                series.lines[0].samples.pop();
            }
            ViewData::Heapmap(map) => map.regions[1].length *= 2,
            _ => {}
        }
    }
    (old, new)
}

fn json(report: &Report) -> Vec<u8> {
    render(report, Output::Json).unwrap()
}

fn earlier(report: &Report) -> Earlier {
    Earlier::parse("old.json", &json(report)).unwrap()
}

fn compared() -> Report {
    let (old, mut new) = runs();
    new.compare(&earlier(&old)).unwrap();
    new
}

fn well_formed(bytes: &[u8]) {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).unwrap());
    reader.config_mut().check_end_names = true;
    while !matches!(reader.read_event().unwrap(), Event::Eof) {}
}

/// Where `YTRACE_PICTURES` names a directory, the files are left there to be looked at.
fn keep(name: &str, bytes: &[u8]) {
    if let Some(directory) = std::env::var_os("YTRACE_PICTURES") {
        std::fs::write(std::path::Path::new(&directory).join(name), bytes).unwrap();
    }
}

#[test]
fn what_grew_shrank_came_and_went() {
    let report = compared();
    assert_eq!(report.differences.len(), report.views.len());
    let ViewData::Difference(shares) = &report.differences[1].data else {
        panic!();
    };
    let rows: Vec<_> = shares
        .rows
        .iter()
        .map(|row| {
            (
                row.name[0].as_str(),
                row.growth(0).unwrap(),
                row.old.is_some(),
                row.new.is_some(),
            )
        })
        .filter(|(_, growth, ..)| *growth != 0)
        .collect();
    assert_eq!(
        rows,
        [
            ("glibc arena", 50_000_000, true, true),
            ("Perl", 4_000_000, false, true),
            (
                "]]> --> \" ' &amp; \x1b[31m\u{fffe}\u{202e}",
                -24_000_000,
                true,
                false
            ),
            ("nginx shm", -60_000_000, true, true),
        ]
    );
    for width in [80, 200] {
        let options = Options {
            width,
            ..Options::default()
        };
        insta::assert_snapshot!(
            format!("differences_at_{width}"),
            common::text(&report, options)
        );
    }
}

/// A table of memory by name, with a column that may not be known.
fn table(title: &str, rows: &[(&str, i64, f64)]) -> View {
    let column = |name: &str, unit| Column {
        name: name.to_owned(),
        unit,
    };
    let rows = rows.iter().map(|(name, pages, bytes)| {
        let name = Cell::Text((*name).to_owned());
        vec![name, Cell::Float(*bytes), Cell::Integer(*pages)]
    });
    View {
        kind: "table".into(),
        title: title.into(),
        unit: "bytes".into(),
        data: ViewData::Table(Table {
            columns: vec![
                column("name", Unit::Count),
                column("resident", Unit::Bytes),
                column("pages", Unit::Count),
            ],
            rows: rows.collect(),
        }),
    }
}

#[test]
fn what_is_unknown_is_no_growth() {
    const UNKNOWN: f64 = f64::NAN;
    let run = |views| Report {
        probe: "held.y".into(),
        views,
        ..Report::default()
    };
    let old = run(vec![
        table("Some", &[("a", 1, 100.0), ("b", 2, UNKNOWN), ("c", 3, 5.0)]),
        table("None now", &[("a", 1, 100.0)]),
        table("Never", &[("a", 1, UNKNOWN)]),
        table("No longer", &[("a", 1, 7.0), ("b", 1, UNKNOWN)]),
    ]);
    let mut new = run(vec![
        table(
            "Some",
            &[
                ("a", 1, UNKNOWN),
                ("b", 2, 5000.0),
                ("c", 3, 25.0),
                ("d", 4, UNKNOWN),
            ],
        ),
        table("None now", &[("a", 7, UNKNOWN)]),
        table("Never", &[("a", 1, UNKNOWN)]),
        table("No longer", &[("a", 1, 7.0), ("b", 1, UNKNOWN)]),
    ]);
    let line = |at: u64, value| Sample {
        at: std::time::Duration::from_secs(at),
        value: Cell::Float(value),
    };
    let series = |last| View {
        kind: "series".into(),
        title: "Over time".into(),
        unit: "bytes".into(),
        data: ViewData::Series(Series {
            lines: vec![Line {
                name: "x".into(),
                samples: vec![line(1, 3.0), line(2, last)],
            }],
        }),
    };
    let mut old = old;
    old.views.push(series(UNKNOWN));
    new.views.push(series(900.0));
    new.compare(&earlier(&old)).unwrap();
    let ViewData::Difference(some) = &new.differences[0].data else {
        panic!();
    };
    let rows = some.rows.iter();
    let rows: Vec<_> = rows
        .map(|row| (row.name[0].as_str(), row.growth(0)))
        .collect();
    assert_eq!(
        rows,
        [("c", Some(20)), ("a", None), ("b", None), ("d", None)]
    );
    insta::assert_snapshot!(common::text(&new, Options::default()));
    let html = String::from_utf8(render(&new, Output::Html).unwrap()).unwrap();
    assert!(html.contains(">unknown<") && !html.contains("+5.0 kB"));
    let svg = String::from_utf8(render(&new, Output::Svg).unwrap()).unwrap();
    assert!(svg.contains("unknown") && !svg.contains("+900 B"), "{svg}");
    let document: serde_json::Value = serde_json::from_slice(&json(&new)).unwrap();
    let row = &document["differences"][0]["rows"][2];
    assert_eq!(row["old"], serde_json::json!([null, 2]));
    assert_eq!(row["growth"], serde_json::json!([null, 0]));
    // The file that was written last serves as well.
    let again = difference::compare(&earlier(&old), &earlier(&new)).unwrap();
    assert_eq!(again.differences, new.differences);
}

#[test]
fn every_format_shows_what_changed() {
    let report = compared();
    let svg = render(&report, Output::Svg).unwrap();
    keep("difference.svg", &svg);
    well_formed(&svg);
    let svg = String::from_utf8(svg).unwrap();
    assert!(svg.contains("What changed: Lua GC objects by reference"));
    // X509 grew by 8 MB of the 29.8 MB there are.
    assert!(svg.contains("<title>X509 * (9,000,000 bytes, 30"), "{svg}");
    assert!(svg.contains("rgb(255,100,100)"), "what grew most is red");
    let html = render(&report, Output::Html).unwrap();
    keep("difference.html", &html);
    well_formed(&html);
    let html = String::from_utf8(html).unwrap();
    assert_eq!(html.matches("<section>").count(), 2 * report.views.len());
    assert!(html.contains("+8.0 MB") && html.contains("+800 %") && html.contains(">gone<"));
    let folded = String::from_utf8(render(&report, Output::Folded).unwrap()).unwrap();
    assert!(
        folded.contains(";X509 * 1000000 9000000\n")
            || folded.contains("X509\u{a0}* 1000000 9000000\n"),
        "{folded}"
    );
    assert!(folded.contains("(string table) 1048576 0\n"));
    let bytes = json(&report);
    insta::assert_snapshot!(differences_alone(&bytes));
    // The same file serves the next comparison.
    assert_eq!(
        Earlier::parse("x", &bytes).unwrap(),
        Earlier::parse("x", &json(&runs().1)).unwrap()
    );
    // Without paths, charts.
    let mut charts = report.clone();
    charts.differences.remove(0);
    let svg = render(&charts, Output::Svg).unwrap();
    keep("changes.svg", &svg);
    well_formed(&svg);
    assert!(matches!(
        render(&charts, Output::Folded),
        Err(ytrace_report::OutputError::NoFlamegraph { .. })
    ));
}

/// The differences of pies and tables, as JSON has them.
fn differences_alone(bytes: &[u8]) -> String {
    let document: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let differences = document["differences"].as_array().unwrap();
    serde_json::to_string_pretty(&differences[1..3]).unwrap()
}

#[test]
fn the_same_from_two_files() {
    let (old, mut new) = runs();
    let report = difference::compare(&earlier(&old), &earlier(&new)).unwrap();
    new.compare(&earlier(&old)).unwrap();
    for (left, right) in report.differences.iter().zip(&new.differences) {
        assert_eq!(left, right);
    }
    assert_eq!(report.differences.len(), new.differences.len());
    let same = difference::compare(&earlier(&old), &earlier(&old)).unwrap();
    let text = common::text(&same, Options::default());
    assert_eq!(text.matches("(nothing changed)").count(), old.views.len());
}

#[test]
fn other_files_are_refused_by_what_they_are() {
    let (old, _) = runs();
    let bytes = json(&old);
    let fails = |bytes: &[u8]| Earlier::parse("x.json", bytes).unwrap_err();
    assert!(matches!(fails(b""), DifferenceError::NotJson { .. }));
    assert!(matches!(
        fails(b"\x7fELF\x02"),
        DifferenceError::NotJson { .. }
    ));
    assert!(matches!(fails(b"[]"), DifferenceError::NotAResult { .. }));
    assert!(matches!(
        fails(b"{\"a\": 1}"),
        DifferenceError::NotAResult { .. }
    ));
    let text = String::from_utf8(bytes.clone()).unwrap();
    let other = text.replacen("\"version\": 2", "\"version\": 3", 1);
    let error = fails(other.as_bytes());
    assert_eq!(
        error.to_string(),
        "x.json: its schema has version 3, this ytrace reads 2"
    );
    let other = text.replacen("ytrace.report", "other.tool", 1);
    assert!(matches!(
        fails(other.as_bytes()),
        DifferenceError::NotAResult { .. }
    ));
    let other = text.replacen("\"form\": \"paths\"", "\"form\": \"keys\"", 1);
    assert!(matches!(
        fails(other.as_bytes()),
        DifferenceError::NotAResult { .. }
    ));
    for cut in [10, bytes.len() / 2, bytes.len() - 3] {
        let error = fails(&bytes[..cut]);
        assert!(
            matches!(error, DifferenceError::CutShort { .. }),
            "{cut}: {error}"
        );
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = text.replacen("\"rows\": [", &format!("\"rows\": [[{deep}],"), 1);
    assert!(matches!(
        fails(deep.as_bytes()),
        DifferenceError::NotJson { .. }
    ));
    let large = vec![b' '; difference::MAX_BYTES as usize + 1];
    assert!(matches!(fails(&large), DifferenceError::TooLarge { .. }));
    let directory = tempfile::tempdir().unwrap();
    for path in [
        directory.path().to_owned(),
        directory.path().join("none.json"),
    ] {
        let error = Earlier::read(&path).unwrap_err();
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }
}

#[test]
fn results_of_other_probes_are_refused() {
    let (old, mut new) = runs();
    new.probe = "other.y".into();
    let error = new.compare(&earlier(&old)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "old.json: this is a result of held.y, not of other.y"
    );
    new.probe = "held.y".into();
    for view in &mut new.views {
        view.title.push('!');
    }
    let error = new.compare(&earlier(&old)).unwrap_err();
    assert!(
        matches!(error, DifferenceError::OtherViews { .. }),
        "{error}"
    );
    // One view in common is enough; of the others there are warnings.
    new.views[0].title.pop();
    new.compare(&earlier(&old)).unwrap();
    assert_eq!(new.differences.len(), 1);
    assert!(
        new.warnings
            .iter()
            .any(|text| text.contains("Resident memory!")),
        "{:?}",
        new.warnings
    );
}

#[test]
fn extreme_numbers() {
    let (mut old, mut new) = runs();
    let graph = |values: &[i64]| {
        let rows = values.iter().enumerate();
        ViewData::Flamegraph(Flamegraph {
            weights: vec![],
            selected: 3,
            rows: rows
                .map(|(index, value)| (vec![index.to_string()], vec![*value]))
                .collect(),
        })
    };
    old.views[0].data = graph(&[i64::MAX, i64::MIN, 0, 5, i64::MAX]);
    new.views[0].data = graph(&[i64::MIN, i64::MAX, 0, i64::MAX, i64::MAX]);
    new.compare(&earlier(&old)).unwrap();
    for output in [
        Output::Svg,
        Output::Html,
        Output::Json,
        Output::Folded,
        Output::Text,
    ] {
        render(&new, output).unwrap();
    }
}

proptest! {
    #[test]
    fn damaged_files_are_errors_or_results(at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let (old, mut new) = runs();
        let mut bytes = json(&old);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(earlier) = Earlier::parse("x.json", &bytes)
            && new.compare(&earlier).is_ok()
        {
            well_formed(&render(&new, Output::Html).unwrap());
            well_formed(&render(&new, Output::Svg).unwrap());
            common::text(&new, Options::default());
        }
    }
}
