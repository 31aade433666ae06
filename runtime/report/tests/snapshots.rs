//! What each format looks like.

mod common;

use ytrace_report::text::{self, Options};
use ytrace_report::{Output, Report, render};

fn at(report: &Report, width: usize) -> String {
    text::render(
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
        let coloured = text::render(
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
    report.header.push("next: ytrace ps nginx".into());
    report.move_next_lines();
    assert_eq!(report.header.len(), 3);
    assert!(at(&report, 80).ends_with("next: ytrace ps nginx\n"));
}
