//! What each format looks like.

mod common;

use ytrace_report::text::Options;
use ytrace_report::{Change, Compared, Difference, Output, Report, Unit, ViewData, render};

fn at(report: &Report, width: usize) -> String {
    common::text(
        report,
        Options {
            width,
            ..Options::default()
        },
    )
}

#[test]
fn flamegraph_at_80_columns() {
    insta::assert_snapshot!(at(&common::report(), 80));
}

#[test]
fn flamegraph_at_200_columns() {
    insta::assert_snapshot!(at(&common::report(), 200));
}

#[test]
fn another_weight() {
    let mut report = common::report();
    if let ytrace_report::ViewData::Flamegraph(graph) = &mut report.views[0].data {
        graph.selected = 2;
    }
    insta::assert_snapshot!(at(&report, 80));
}

#[test]
fn trouble_at_80_columns() {
    insta::assert_snapshot!(at(&common::troubled(), 80));
}

#[test]
fn trouble_at_200_columns() {
    insta::assert_snapshot!(at(&common::troubled(), 200));
}

#[test]
fn measured_at_80_columns() {
    insta::assert_snapshot!(at(&common::measured(), 80));
}

#[test]
fn measured_at_40_columns() {
    let text = at(&common::measured(), 40);
    insta::assert_snapshot!(text);
}

#[test]
fn measured_as_json() {
    let bytes = render(&common::measured(), Output::Json).unwrap();
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
}

#[test]
fn a_picture_says_what_it_leaves_out() {
    let mut report = common::report();
    assert_eq!(ytrace_report::left_out(&report, Output::Svg), None);
    report.views.extend(common::measured().views);
    let lack = ytrace_report::left_out(&report, Output::Svg).unwrap();
    assert!(
        lack.contains("histogram “Latency”, series “Heap”"),
        "{lack}"
    );
    assert_eq!(ytrace_report::left_out(&report, Output::Json), None);
}

#[test]
fn paths_of_a_difference_that_a_file_cannot_hold_are_told() {
    let mut report = common::report();
    let row = |old| Change {
        name: vec!["main".to_owned()],
        old: Some(vec![old]),
        new: Some(vec![Some(2)]),
    };
    let difference = |rows| {
        ViewData::Difference(Difference {
            of: Compared::Paths,
            weights: vec!["bytes".to_owned()],
            units: vec![Unit::Bytes],
            selected: 0,
            rows,
        })
    };
    report.views.truncate(1);
    report.views[0].data = difference(vec![row(Some(1))]);
    for form in [Output::Pprof, Output::Folded] {
        assert_eq!(ytrace_report::left_out(&report, form), None);
    }
    report.views[0].data = difference(vec![row(Some(1)), row(None), row(None)]);
    for form in [Output::Pprof, Output::Folded] {
        assert_eq!(
            ytrace_report::left_out(&report, form).as_deref(),
            Some("2 paths are left out: their values in one of the two runs are not known")
        );
    }
    assert_eq!(ytrace_report::left_out(&report, Output::Json), None);
}

#[test]
fn json() {
    let mut report = common::troubled();
    report.views.extend(common::report().views);
    let bytes = render(&report, Output::Json).unwrap();
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
}

#[test]
fn folded() {
    let bytes = render(&common::report(), Output::Folded).unwrap();
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
}

#[test]
fn speedscope_has_every_weight_of_every_flame_graph() {
    let mut report = common::troubled();
    report.views.extend(common::report().views);
    let bytes = render(&report, Output::Speedscope).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn an_empty_report_and_empty_views_say_so() {
    let mut report = Report::default();
    assert_eq!(
        at(&report, 80),
        "stopped 0 ms · 0 B read · faults 0 · complete\n"
    );
    report.views = common::report().views;
    if let ytrace_report::ViewData::Flamegraph(graph) = &mut report.views[0].data {
        graph.rows.clear();
    }
    assert!(at(&report, 80).contains("(nothing)"));
}

#[test]
fn colour_only_when_asked_and_changes_nothing_else() {
    for report in [common::report(), common::troubled()] {
        let plain = at(&report, 80);
        assert!(!plain.contains('\x1b'));
        let coloured = common::text(
            &report,
            Options {
                width: 80,
                color: true,
                ..Options::default()
            },
        );
        assert!(coloured.contains("\x1b[1;31m"));
        let mut stripped = coloured;
        while let Some(start) = stripped.find('\x1b') {
            let end = start + stripped[start..].find('m').unwrap();
            stripped.replace_range(start..=end, "");
        }
        assert_eq!(stripped, plain);
    }
}

#[test]
fn next_lines_of_the_probe_go_to_the_end() {
    let mut report = common::report();
    report.text = b"one\nnext: ytrace ps nginx\ntwo\xff".to_vec();
    report.move_next_lines();
    assert_eq!(report.text, b"one\ntwo\xff");
    report.text.pop();
    assert!(at(&report, 80).ends_with("next: ytrace ps nginx\n"));
}

#[test]
fn what_was_printed_stays_as_it_is_unless_a_terminal_shows_it() {
    let mut report = common::report();
    let long = "word ".repeat(60);
    let printed = format!("a\tb\r\n{long}\n\x1b[1mbold\n\n");
    report.text = printed.clone().into_bytes();
    report.text.splice(0..0, *b"\xff\n");
    let options = Options {
        width: 80,
        ..Options::default()
    };
    let bytes = ytrace_report::text::render(&report, options);
    let at = bytes
        .windows(report.text.len())
        .position(|window| window == report.text);
    let at = at.expect("all of it, byte for byte");
    // One empty line before the views: the one that was printed.
    assert_eq!(bytes[at + report.text.len()], b'L');
    // Without a newline at its end, one is added, and the empty line.
    report.text = b"no end".to_vec();
    assert!(common::text(&report, options).contains("no end\n\nLua"));

    report.text = printed.into_bytes();
    let folded = common::text(
        &report,
        Options {
            fold: true,
            ..options
        },
    );
    assert!(folded.contains("a       b\n"), "{folded}");
    assert!(folded.contains("\\x1b[1mbold"), "{folded}");
    assert!(folded.lines().all(|line| line.chars().count() <= 80));
}

/// The lines of the one view of a report as text that are rows, and the last one.
fn rows_of(report: &Report, rows: usize) -> (usize, String) {
    let options = Options {
        width: 80,
        rows,
        ..Options::default()
    };
    let text = common::text(report, options);
    let mut parts = text.split("\n\n");
    let view = parts.next().unwrap();
    let lines: Vec<&str> = view.lines().collect();
    let first = lines.iter().position(|line| line.contains(" · ")).unwrap();
    let shown = &lines[first + 2..];
    let hidden = |line: &&&str| line.contains(" not shown");
    let hides = shown.iter().filter(hidden).count();
    (shown.len() - hides, shown.last().unwrap().to_string())
}

#[test]
fn rows_are_as_many_as_were_asked_for() {
    use ytrace_report::Flamegraph;
    use ytrace_report::{Bars, Cell, Column, Line, Sample, Series, Table, Unit, View, ViewData};
    let key = |number: i64| vec![format!("key{number}")];
    let sample = |at: u64, value: i64| Sample {
        at: std::time::Duration::from_secs(at),
        value: Cell::Integer(value),
    };
    let datas = [
        ViewData::Flamegraph(Flamegraph {
            weights: vec!["n".into()],
            selected: 0,
            rows: (1..8).map(|number| (key(number), vec![100])).collect(),
        }),
        ViewData::Bars(Bars {
            weights: vec!["n".into()],
            selected: 0,
            rows: (1..8).map(|number| (key(number), vec![number])).collect(),
        }),
        ViewData::Table(Table {
            columns: vec![Column {
                name: "n".into(),
                unit: Unit::Count,
            }],
            rows: (1..8).map(|number| vec![Cell::Integer(number)]).collect(),
        }),
        ViewData::Series(Series {
            lines: (1..8)
                .map(|number| Line {
                    name: format!("line{number}"),
                    samples: vec![sample(0, 0), sample(1, number)],
                })
                .collect(),
        }),
    ];
    for data in datas {
        let report = Report {
            views: vec![View {
                kind: "any".into(),
                title: "All".into(),
                unit: "n".into(),
                data,
            }],
            ..Report::default()
        };
        for rows in [1, 2, 3, 6] {
            let (shown, last) = rows_of(&report, rows);
            assert_eq!(shown, rows, "{last}");
            assert!(last.contains(&format!("({} ", 7 - rows)), "{rows}: {last}");
        }
        assert_eq!(rows_of(&report, 7).0, 7);
        assert!(!rows_of(&report, 7).1.contains("not shown"));
    }
}

#[test]
fn estimates_are_marked_in_every_format() {
    use ytrace_report::{Histogram, View, ViewData};
    let mut report = common::measured();
    report
        .views
        .retain(|view| matches!(view.data, ViewData::Histogram(_)));
    report.views.truncate(1);
    let Some(View {
        data: ViewData::Histogram(Histogram { groups }),
        ..
    }) = report.views.first_mut()
    else {
        panic!("no histogram");
    };
    groups.truncate(1);
    groups[0].rows.truncate(2);
    (groups[0].rows[0].count, groups[0].rows[1].count) = (4321, 1234);
    groups[0].rows[1].approximate = true;
    let text = at(&report, 80);
    assert!(
        text.contains("≈1,234") && !text.contains("≈4,321"),
        "{text}"
    );
    for output in [Output::Svg, Output::Html] {
        let text = String::from_utf8(render(&report, output).unwrap()).unwrap();
        assert!(
            text.contains("≈1,234") && !text.contains("≈4,321"),
            "{output:?}"
        );
    }
    let json: serde_json::Value =
        serde_json::from_slice(&render(&report, Output::Json).unwrap()).unwrap();
    let rows = &json["views"][0]["groups"][0]["rows"];
    assert_eq!(rows[0].get("approximate"), None);
    assert_eq!(rows[1]["approximate"], true);
}
