//! Charts and pages: well-formed, whole in one file, and legible whatever the target calls its things.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use ytrace_report::{
    Bars, Cell, Column, Distribution, Flamegraph, Heapmap, Histogram, Line, Output, Region, Report,
    Sample, Series, Table, Unit, View, ViewData, render,
};
use ytrace_values::HistogramRow;

/// What a document holds.
#[derive(Debug, Default)]
struct Document {
    /// Elements by name, in order.
    elements: Vec<String>,
    /// Attributes by name, with their values.
    attributes: Vec<(String, String)>,
    /// All text, escapes resolved.
    text: String,
}

/// Parses a document, which must be well-formed, closed, and of characters that XML has.
fn parse(bytes: &[u8]) -> Document {
    let text = std::str::from_utf8(bytes).unwrap();
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(legal));
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.check_comments = true;
    let mut document = Document::default();
    let mut depth = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                depth += 1;
                document.element(&tag);
            }
            Event::Empty(tag) => document.element(&tag),
            Event::End(_) => depth -= 1,
            Event::Text(part) => document.text.push_str(&part.decode().unwrap()),
            Event::GeneralRef(name) => document.text.push_str(match &*name.decode().unwrap() {
                "lt" => "<",
                "gt" => ">",
                "amp" => "&",
                "quot" => "\"",
                "apos" | "#39" => "'",
                other => panic!("{other}"),
            }),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    document
}

impl Document {
    fn element(&mut self, tag: &BytesStart<'_>) {
        let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
        for attribute in tag.attributes() {
            let attribute = attribute.unwrap();
            let name = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
            let value = String::from_utf8_lossy(&attribute.value).into_owned();
            self.attributes.push((name, value));
        }
        self.elements.push(name);
    }

    fn count(&self, name: &str) -> usize {
        self.elements.iter().filter(|other| *other == name).count()
    }

    /// Asserts that a browser has nothing to load and nothing to run but what stands in frames.
    fn is_self_contained(&self) {
        assert_eq!(self.count("script"), 0);
        assert_eq!(
            self.count("link") + self.count("img") + self.count("object"),
            0
        );
        for (name, value) in &self.attributes {
            let name = name.to_ascii_lowercase();
            assert!(!name.starts_with("on"), "{name}={value}");
            match name.as_str() {
                "src" => assert!(value.starts_with("data:image/svg+xml"), "{value}"),
                "href" | "xlink:href" | "action" | "style" | "srcdoc" => panic!("{name}={value}"),
                _ => {}
            }
        }
    }
}

/// The picture in the only frame of a page.
fn framed(page: &Document) -> Vec<u8> {
    let mut sources = page.attributes.iter().filter(|(name, _)| name == "src");
    let (_, source) = sources.next().unwrap();
    assert!(sources.next().is_none());
    let (_, data) = source.split_once(',').unwrap();
    let mut bytes = Vec::new();
    let mut rest = data.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    bytes
}

/// Where `YTRACE_PICTURES` names a directory, the files are left there to be looked at.
fn keep(name: &str, bytes: &[u8]) {
    if let Some(directory) = std::env::var_os("YTRACE_PICTURES") {
        std::fs::write(std::path::Path::new(&directory).join(name), bytes).unwrap();
    }
}

fn reports() -> Vec<(&'static str, Report)> {
    vec![
        ("held", common::report()),
        ("shares", common::shares()),
        ("measured", common::measured()),
        ("troubled", common::troubled()),
    ]
}

#[test]
fn charts_of_every_kind() {
    for (name, report) in reports() {
        let svg = render(&report, Output::Svg).unwrap();
        keep(&format!("{name}.svg"), &svg);
        parse(&svg);
        if name != "held" {
            insta::assert_snapshot!(format!("{name}_svg"), String::from_utf8(svg).unwrap());
        }
    }
}

#[test]
fn pages_of_every_kind() {
    for (name, report) in reports() {
        let html = render(&report, Output::Html).unwrap();
        keep(&format!("{name}.html"), &html);
        let page = parse(&html);
        page.is_self_contained();
        assert_eq!(page.count("section"), report.views.len());
        if name != "held" {
            insta::assert_snapshot!(format!("{name}_html"), String::from_utf8(html).unwrap());
        }
    }
}

#[test]
fn a_page_holds_the_interactive_flame_graph_and_its_numbers() {
    let html = render(&common::report(), Output::Html).unwrap();
    let page = parse(&html);
    let picture = framed(&page);
    assert_eq!(parse(&picture).count("script"), 1);
    // The graph is that of the file; what the page says is not said again, for a narrow page has no room for it.
    let titles = |picture: &[u8]| -> BTreeSet<String> {
        let text = String::from_utf8_lossy(picture).into_owned();
        let titles = text.split("<title>").skip(1);
        let titles = titles.filter_map(|rest| rest.split_once("</title>"));
        titles.map(|(title, _)| title.to_owned()).collect()
    };
    let file = render(&common::report(), Output::Svg).unwrap();
    assert!(titles(&picture) == titles(&file) && titles(&file).len() > 10);
    let said = |picture: &[u8]| {
        let text = String::from_utf8_lossy(picture);
        let shown = text.split("</style>").last().unwrap_or_default();
        shown.contains("nginx worker 4211")
    };
    assert!(said(&file) && !said(&picture));
    assert!(
        page.attributes
            .contains(&("sandbox".into(), "allow-scripts".into()))
    );
    for part in [
        "Lua heap 22.1 MB = gc.total",
        ".dynamic_cert",
        "20.3 MB",
        "12.8 MB",
        "g->gc.total: 22,114,117 = 22,114,117",
        "stopped 4.1 ms (copy) · 26.0 MB read · faults 0 · complete",
        "next: ytrace run probes/mem-growth-fgraph.y -p 4211 -- --duration 30m",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
}

#[test]
fn names_of_the_target_are_text() {
    let report = common::shares();
    for output in [Output::Svg, Output::Html] {
        let document = parse(&render(&report, output).unwrap());
        assert!(document.text.contains("<script>alert(1)</script>"));
        assert!(
            document
                .text
                .contains("]]> --> \" ' &amp; \\x1b[31m\u{fffd}\\xe2\\x80\\xae")
        );
        assert_eq!(document.count("script"), 0);
    }
}

#[test]
fn dark_and_print_have_their_colours() {
    let report = common::measured();
    for output in [Output::Svg, Output::Html] {
        let text = String::from_utf8(render(&report, output).unwrap()).unwrap();
        assert!(text.contains("@media screen and (prefers-color-scheme: dark)"));
        // Every colour of text and lines has another one in the dark.
        for color in ["#1A1A1A", "#5F5F5F", "#D8D8D8"] {
            assert!(text.contains(&format!("[fill=\"{color}\"]")), "{color}");
        }
    }
    let flames = render(&common::report(), Output::Svg).unwrap();
    let flames = String::from_utf8(flames).unwrap();
    assert!(flames.contains("@media screen and (prefers-color-scheme: dark)"));
}

#[test]
fn a_partial_page_says_so_at_its_top() {
    let html = render(&common::troubled(), Output::Html).unwrap();
    let text = String::from_utf8(html).unwrap();
    let header = text.split_once("</header>").unwrap().0;
    assert!(header.contains("PARTIAL: 3 runs ended in faults"));
}

#[test]
fn large_views_are_drawn_in_bounded_size() {
    let name = |index: usize| format!("name {index}");
    let bars = Bars {
        weights: vec![],
        selected: 0,
        rows: (0..50_000)
            .map(|index| (vec![name(index)], vec![index as i64]))
            .collect(),
    };
    let samples = |line: usize| {
        (0..20).map(move |at| Sample {
            at: Duration::from_secs(at),
            value: Cell::Integer((at as i64) * line as i64),
        })
    };
    let series = Series {
        lines: (0..3000)
            .map(|line| Line {
                name: name(line),
                samples: samples(line).collect(),
            })
            .collect(),
    };
    let map = Heapmap {
        states: (0..5000).map(name).collect(),
        owners: (0..5000).map(name).collect(),
        regions: (0..100_000)
            .map(|index| Region {
                start: index * 100_000,
                length: 70_000,
                state: (index % 5000) as u32,
                owner: (index / 20) as u32,
            })
            .collect(),
    };
    let view = |kind: &str, data| View {
        kind: kind.into(),
        title: kind.into(),
        unit: "bytes".into(),
        data,
    };
    let report = Report {
        views: vec![
            view("pie", ViewData::Bars(bars.clone())),
            view("bars", ViewData::Bars(bars)),
            view("series", ViewData::Series(series)),
            view("heapmap", ViewData::Heapmap(map)),
        ],
        ..Report::default()
    };
    let svg = render(&report, Output::Svg).unwrap();
    parse(&svg);
    assert!(svg.len() < 4_000_000, "{}", svg.len());
    let html = render(&report, Output::Html).unwrap();
    let page = parse(&html);
    assert!(html.len() < 6_000_000, "{}", html.len());
    assert!(page.text.contains("more rows are not shown; .json has all"));
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-#;<>&\"' \\]\\[.0-9\\x00-\\x1f\\x7f\u{80}-\u{9f}\u{202e}\u{fffe}\u{ffff}]{0,6}",
        Just("]]>".to_owned()),
        Just("--></style></svg><script>alert(1)</script>".to_owned()),
        Just("\" onload=\"alert(1)".to_owned()),
        "[a-z]{0,3}".prop_map(|text| text.repeat(500)),
    ]
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![0..1000_i64, any::<i64>(), Just(i64::MAX), Just(i64::MIN)]
}

fn float() -> impl Strategy<Value = Cell> {
    prop_oneof![
        number().prop_map(Cell::Integer),
        any::<u64>().prop_map(Cell::Unsigned),
        any::<f64>().prop_map(Cell::Float),
        Just(Cell::Float(f64::NAN)),
        Just(Cell::Float(f64::INFINITY)),
        Just(Cell::Float(f64::MIN_POSITIVE)),
        Just(Cell::Empty),
        name().prop_map(Cell::Text),
    ]
}

fn weighed() -> impl Strategy<Value = Vec<(Vec<String>, Vec<i64>)>> {
    let row = (
        prop::collection::vec(name(), 0..4),
        prop::collection::vec(number(), 0..3),
    );
    prop::collection::vec(row, 0..16)
}

fn data() -> impl Strategy<Value = ViewData> {
    let weights = || prop::collection::vec(name(), 0..3);
    let bars = (weights(), 0..4_usize, weighed()).prop_map(|(weights, selected, rows)| {
        ViewData::Bars(Bars {
            weights,
            selected,
            rows,
        })
    });
    let graph = (weights(), 0..4_usize, weighed()).prop_map(|(weights, selected, rows)| {
        ViewData::Flamegraph(Flamegraph {
            weights,
            selected,
            rows,
        })
    });
    let row = (
        any::<Option<i64>>(),
        any::<Option<i64>>(),
        any::<u64>(),
        any::<bool>(),
    )
        .prop_map(|(low, high, count, approximate)| HistogramRow {
            low,
            high,
            count,
            approximate,
        });
    let group = (
        prop::collection::vec(name(), 0..3),
        any::<u64>(),
        any::<i128>(),
        number(),
        any::<f64>(),
        prop::collection::vec(row, 0..6),
    )
        .prop_map(|(key, count, sum, least, average, rows)| Distribution {
            key,
            count,
            sum,
            least,
            greatest: least,
            average,
            rows,
        });
    let histogram = prop::collection::vec(group, 0..4)
        .prop_map(|groups| ViewData::Histogram(Histogram { groups }));
    let sample = (any::<u64>(), float()).prop_map(|(at, value)| Sample {
        at: Duration::from_nanos(at),
        value,
    });
    let line = (name(), prop::collection::vec(sample, 0..6))
        .prop_map(|(name, samples)| Line { name, samples });
    let series =
        prop::collection::vec(line, 0..12).prop_map(|lines| ViewData::Series(Series { lines }));
    let address = prop_oneof![any::<u64>(), 0..100_000_u64, Just(u64::MAX)];
    let region = (address, any::<u64>(), 0..4_u32, 0..4_u32, any::<bool>()).prop_map(
        |(start, length, state, owner, short)| Region {
            start,
            length: if short { length % 100_000 } else { length },
            state,
            owner,
        },
    );
    let map = (
        prop::collection::vec(name(), 0..4),
        prop::collection::vec(name(), 0..4),
        prop::collection::vec(region, 0..20),
    )
        .prop_map(|(states, owners, regions)| {
            ViewData::Heapmap(Heapmap {
                states,
                owners,
                regions,
            })
        });
    let column = (name(), 0..4_u8).prop_map(|(name, unit)| Column {
        name,
        unit: match unit {
            0 => Unit::Count,
            1 => Unit::Bytes,
            2 => Unit::Nanoseconds,
            _ => Unit::Identity,
        },
    });
    let table = (
        prop::collection::vec(column, 0..4),
        prop::collection::vec(prop::collection::vec(float(), 0..5), 0..8),
    )
        .prop_map(|(columns, rows)| ViewData::Table(Table { columns, rows }));
    prop_oneof![bars, graph, histogram, series, map, table]
}

proptest! {
    #[test]
    fn any_view_is_drawn(data in data(), title in name(), unit in name(), pie: bool, width in 0..220_usize) {
        let kind = if pie { "pie" } else { "bars" };
        let report = Report {
            header: vec![title.clone(), unit.clone()],
            views: vec![View { kind: kind.into(), title: title.clone(), unit, data }],
            warnings: vec![title.clone()],
            next: vec![title],
            ..Report::default()
        };
        parse(&render(&report, Output::Svg).unwrap());
        let page = parse(&render(&report, Output::Html).unwrap());
        page.is_self_contained();
        render(&report, Output::Json).unwrap();
        let text = common::text(&report, ytrace_report::text::Options { width, color: false, rows: 10, fold: true });
        prop_assert!(text.lines().all(|line| !line.chars().any(ytrace_report::escape::obeyed)));
    }
}
