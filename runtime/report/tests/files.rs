//! SVG documents, hostile frames, and files.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use ytrace_report::text::Options;
use ytrace_report::{
    Flamegraph, Footer, Output, OutputError, Report, View, ViewData, check_output, render,
    write_output,
};

/// The titles of the frames of a document, which must be well-formed.
fn frames(svg: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(svg).unwrap();
    assert!(
        text.chars()
            .all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}'
        | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
    );
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.check_comments = true;
    let mut titles = Vec::new();
    let mut depth = 0_i32;
    let mut title: Option<String> = None;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                depth += 1;
                if tag.name().as_ref() == b"title" {
                    title = Some(String::new());
                }
            }
            Event::End(_) => {
                depth -= 1;
                titles.extend(title.take());
            }
            Event::Text(part) => {
                if let Some(title) = &mut title {
                    title.push_str(&part.decode().unwrap());
                }
            }
            Event::GeneralRef(name) => {
                if let Some(title) = &mut title {
                    title.push_str(match &*name.decode().unwrap() {
                        "lt" => "<",
                        "gt" => ">",
                        "amp" => "&",
                        "quot" => "\"",
                        "apos" => "'",
                        other => panic!("{other}"),
                    });
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    titles
}

fn flamegraph(rows: Vec<(Vec<String>, Vec<i64>)>) -> Report {
    let mut report = common::report();
    report.views[0].data = ViewData::Flamegraph(Flamegraph {
        weights: vec!["bytes".into()],
        selected: 0,
        rows,
    });
    report
}

#[test]
fn svg_holds_the_frames_and_the_facts() {
    let svg = render(&common::report(), Output::Svg).unwrap();
    let titles = frames(&svg);
    assert!(
        titles
            .iter()
            .any(|title| title.starts_with(".cert_cache (20,300,208 bytes")),
        "{titles:#?}"
    );
    assert!(
        titles
            .iter()
            .any(|title| title.starts_with(".hasht[×20,001] (4,100,000 bytes"))
    );
    assert!(
        titles.iter().any(|title| title.starts_with("all (22,1")),
        "{titles:#?}"
    );
    let text = String::from_utf8(svg).unwrap();
    assert!(text.contains("stopped 4.1 ms (copy) · 26.0 MB read · faults 0 · complete"));
    assert!(text.contains("Lua GC objects by reference — lua-gc-fgraph  nginx worker 4211"));
    // Biggest first, from the left.
    let place = |name: &str| text.find(&format!("<title>{name} (")).unwrap();
    assert!(place("_LOADED") < place("(string table)"));
    assert!(place("(string table)") < place("(unreachable)"));
}

#[test]
fn svg_is_the_same_every_time() {
    let first = render(&common::report(), Output::Svg).unwrap();
    assert_eq!(first, render(&common::report(), Output::Svg).unwrap());
}

#[test]
fn a_partial_result_says_so_in_every_format() {
    let mut report = common::report();
    report.footer.partial = vec!["steps exhausted after --steps 1000".into()];
    for output in [
        Output::Svg,
        Output::Html,
        Output::Folded,
        Output::Json,
        Output::Text,
    ] {
        let text = String::from_utf8(render(&report, output).unwrap()).unwrap();
        assert!(
            text.contains("steps exhausted after --steps 1000"),
            "{output:?}"
        );
    }
    frames(&render(&report, Output::Svg).unwrap());
}

#[test]
fn nothing_to_draw_is_a_picture_that_says_so() {
    let svg = render(&flamegraph(vec![]), Output::Svg).unwrap();
    assert!(frames(&svg).is_empty());
    assert!(String::from_utf8(svg).unwrap().contains("nothing to draw"));
    let svg = render(
        &flamegraph(vec![(common::strings(&["a"]), vec![-5])]),
        Output::Svg,
    )
    .unwrap();
    assert!(
        String::from_utf8(svg)
            .unwrap()
            .contains("1 paths with negative values")
    );
}

#[test]
fn extreme_values_and_depths() {
    let deep: Vec<String> = (0..5000).map(|depth| format!("f{depth}")).collect();
    let rows = vec![
        (common::strings(&["a"]), vec![i64::MAX]),
        (common::strings(&["b"]), vec![i64::MAX]),
        (common::strings(&["c"]), vec![i64::MAX]),
        (deep.clone(), vec![i64::MAX]),
        (common::strings(&["d"]), vec![i64::MIN]),
        (common::strings(&["short"]), vec![]),
    ];
    let report = flamegraph(rows);
    for output in [Output::Folded, Output::Json, Output::Text] {
        render(&report, output).unwrap();
    }
    let titles = frames(&render(&report, Output::Svg).unwrap());
    assert!(titles.iter().any(|title| title.starts_with("f511 (")));
    assert!(titles.iter().any(|title| title.starts_with("(deeper) (")));
    assert!(!titles.iter().any(|title| title.starts_with("f600 (")));
}

#[test]
fn many_paths_are_drawn_in_bounded_time_and_lose_nothing() {
    let rows: Vec<_> = (0..200_000_i64)
        .map(|number| {
            let frames = vec![
                format!("f{}", number % 300),
                format!("g{}", number % 7),
                format!("h{number}"),
            ];
            (frames, vec![number % 50 + 1])
        })
        .collect();
    let whole: i64 = rows.iter().map(|(_, values)| values[0]).sum();
    let report = flamegraph(rows);
    let titles = frames(&render(&report, Output::Svg).unwrap());
    let all = titles
        .iter()
        .find(|title| title.starts_with("all ("))
        .unwrap();
    assert!(
        all.contains(&ytrace_report::units::thousands(whole)),
        "{all}"
    );
    let text = common::text(
        &report,
        Options {
            width: 80,
            ..Options::default()
        },
    );
    assert!(text.lines().count() < 50);
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(any::<u8>(), 0..12)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        "[-#;<>&\"' \\]\\[.0-9\\x00-\\x1f\\x7f\u{80}-\u{9f}\u{202e}\u{fffe}\u{ffff}]{0,6}",
        Just("]]>".to_owned()),
        Just("--".to_owned()),
        Just("# 5".to_owned()),
        Just("a 12".to_owned()),
        Just("f_[k]".to_owned()),
        Just("</title><script>alert(1)</script>".to_owned()),
    ]
}

proptest! {
    #[test]
    fn hostile_text_breaks_no_format(
        rows in prop::collection::vec(
            (prop::collection::vec(hostile(), 0..5), prop::collection::vec(
                prop_oneof![0..1_000_i64, any::<i64>()], 0..3)), 0..12),
        words in prop::collection::vec(hostile(), 6),
        width in 0..220_usize,
        color: bool,
        selected in 0..3_usize,
    ) {
        let frames_of = rows.clone();
        let report = Report {
            header: words[..2].to_vec(),
            views: vec![
                View {
                    kind: "flamegraph".into(),
                    title: words[2].clone(),
                    unit: words[3].clone(),
                    data: ViewData::Flamegraph(Flamegraph {
                        weights: words[..2].to_vec(),
                        selected,
                        rows: rows.clone(),
                    }),
                },
                View {
                    kind: "bars".into(),
                    title: words[2].clone(),
                    unit: words[3].clone(),
                    data: ViewData::Bars(ytrace_report::Bars {
                        weights: vec![],
                        selected,
                        rows,
                    }),
                },
            ],
            warnings: words[4..].to_vec(),
            footer: Footer { partial: words[5..].to_vec(), notes: words[4..5].to_vec(), ..common::footer() },
            next: words[3..4].to_vec(),
            ..Report::default()
        };
        let svg = render(&report, Output::Svg).unwrap();
        frames(&svg);
        let json: Vec<u8> = render(&report, Output::Json).unwrap();
        let parsed: serde_json::Value = serde_json::from_slice(&json).unwrap();
        for (row, (frames, _)) in parsed["views"][0]["rows"].as_array().unwrap().iter().zip(&frames_of) {
            let path: Vec<&str> = row["path"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
            prop_assert_eq!(path, frames.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let folded = String::from_utf8(render(&report, Output::Folded).unwrap()).unwrap();
        for line in folded.lines().filter(|line| !line.starts_with("# ")) {
            let (stack, value) = line.rsplit_once(' ').unwrap();
            prop_assert!(value.parse::<i64>().is_ok(), "{}", line);
            prop_assert!(!stack.is_empty() && stack.split(';').all(|frame| !frame.is_empty()));
            let value_like = |word: &str| word.chars().all(|c| c.is_ascii_digit() || c == '.');
            prop_assert!(!stack.rsplit_once(' ').is_some_and(|(_, word)| value_like(word)));
        }
        let text = common::text(&report, Options { width, color, rows: 10, fold: color });
        for line in text.lines() {
            let mut plain = line.to_owned();
            if color {
                for code in ["0", "1", "2", "4", "32", "33", "1;31"] {
                    plain = plain.replace(&format!("\x1b[{code}m"), "");
                }
            }
            prop_assert!(!plain.chars().any(ytrace_report::escape::obeyed), "{:?}", plain);
        }
    }
}

#[test]
fn endings_choose_formats() {
    for (name, output) in [
        ("a.svg", Output::Svg),
        ("dir.x/a.SVG", Output::Svg),
        ("a.folded", Output::Folded),
        ("a.html", Output::Html),
        ("a.json", Output::Json),
        ("a.txt", Output::Text),
        ("a.PB.gz", Output::Pprof),
        ("a.speedscope.json", Output::Speedscope),
        (".speedscope.json", Output::Json),
    ] {
        assert_eq!(Output::from_path(Path::new(name)).unwrap(), output);
    }
    for name in ["a.htm", "a", "svg", ".svg"] {
        let error = Output::from_path(Path::new(name)).unwrap_err();
        assert!(matches!(error, OutputError::UnknownEnding { .. }));
        assert!(
            error
                .to_string()
                .contains(".svg, .html, .folded, .json, .txt"),
            "{error}"
        );
    }
    let mut report = common::troubled();
    let error = render(&report, Output::Folded).unwrap_err();
    assert!(error.to_string().contains("bars, table"), "{error}");
    render(&report, Output::Svg).unwrap();
    report.views.clear();
    assert!(render(&report, Output::Folded).is_err());
}

#[test]
fn files_are_private_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("held.svg");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    write_output(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nothing is left beside it.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    write_output(Path::new("/dev/null"), b"gone").unwrap();
    let error = write_output(&directory.path().join("none/held.svg"), b"x").unwrap_err();
    assert!(error.to_string().contains("none/held.svg"), "{error}");
    assert!(write_output(directory.path(), b"x").is_err());
}

#[test]
fn files_that_cannot_be_written_are_found_early() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("held.svg");
    check_output(&path).unwrap();
    std::fs::write(&path, "old").unwrap();
    check_output(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    check_output(Path::new("/dev/null")).unwrap();
    let error = check_output(&directory.path().join("none/held.svg")).unwrap_err();
    assert!(error.to_string().contains("none/held.svg"), "{error}");
    assert!(check_output(directory.path()).is_err());
}
