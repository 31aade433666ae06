//! A report like the one of a leaking Lua application.
#![allow(dead_code, missing_docs)]

use std::time::Duration;

use ytrace_report::{
    Bars, Cell, Check, Column, Distribution, Fault, Flamegraph, Footer, Heapmap, Histogram, Line,
    Region, Report, Sample, Series, Table, Unit, View, ViewData,
};
use ytrace_values::HistogramRow;

/// A report as text, where nothing is printed that is not UTF-8.
pub fn text(report: &Report, options: ytrace_report::text::Options) -> String {
    String::from_utf8(ytrace_report::text::render(report, options)).unwrap()
}

pub fn strings(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

pub fn held() -> Flamegraph {
    const CACHE: [&str; 3] = ["_LOADED", ".dynamic_cert", ".cert_cache"];
    let under = |tail: &[&str]| {
        let mut frames = strings(&CACHE);
        frames.extend(strings(tail));
        frames
    };
    let mut rows = vec![
        (under(&[]), vec![104, 1, 0]),
        (under(&[".free_queue"]), vec![12_800_104, 1, 0]),
        (under(&[".hasht[×20,001]"]), vec![2_100_000, 40_001, 0]),
        (
            under(&[".hasht[×20,001]", "X509 *"]),
            vec![1_000_000, 20_001, 20_001],
        ),
        (
            under(&[".hasht[×20,001]", "EVP_PKEY *"]),
            vec![1_000_000, 20_001, 20_001],
        ),
        (
            under(&[".key2node", "(empty slots)"]),
            vec![3_400_000, 40_031, 0],
        ),
        (strings(&["_LOADED", ".resty.core"]), vec![61_000, 90, 0]),
        (strings(&["(unreachable)"]), vec![312_000, 2_115, 0]),
        (
            strings(&["(registry)", "thread", "function dynamic_cert.lua:12"]),
            vec![420_000, 7, 0],
        ),
        (strings(&["(string table)"]), vec![1_048_576, 1, 0]),
    ];
    for number in 0..60 {
        let name = format!(".module_{number}");
        rows.push((strings(&["_LOADED", &name]), vec![900 + number, 3, 0]));
    }
    Flamegraph {
        weights: strings(&["bytes", "objects", "finalizers"]),
        selected: 0,
        rows,
    }
}

pub fn footer() -> Footer {
    Footer {
        pause: Some(Duration::from_micros(4_100)),
        pauses: 1,
        mode: "copy".into(),
        threads: 1,
        bytes_read: 26_000_000,
        ..Footer::default()
    }
}

pub fn report() -> Report {
    Report {
        header: strings(&[
            "lua-gc-fgraph  nginx worker 4211 (master 4200, 16 workers), http VM",
            "Lua heap 22.1 MB = gc.total, difference 0 B   ONLY 2.4 % of 1.01 GB resident",
            "! 40,002 finalizers (ngx_http_lua_ffi_free_cert) hold C memory not in this graph",
        ]),
        views: vec![View {
            kind: "flamegraph".into(),
            title: "Lua GC objects by reference".into(),
            unit: "bytes".into(),
            data: ViewData::Flamegraph(held()),
        }],
        checks: vec![Check {
            name: "g->gc.total".into(),
            left: 22_114_117,
            right: 22_114_117,
            tolerance: 0,
        }],
        warnings: vec![],
        footer: footer(),
        next: strings(&["ytrace run probes/mem-growth-fgraph.y -p 4211 -- --duration 30m"]),
        ..Report::default()
    }
}

/// Bars, a table, and all that can be wrong.
pub fn troubled() -> Report {
    Report {
        header: strings(&["ngx-pools  nginx worker 4211"]),
        views: vec![
            View {
                kind: "bars".into(),
                title: "Resident memory".into(),
                unit: "bytes".into(),
                data: ViewData::Bars(Bars {
                    weights: vec![],
                    selected: 0,
                    rows: vec![
                        (strings(&["LuaJIT http"]), vec![24_000_000]),
                        (strings(&["glibc arena"]), vec![931_000_000]),
                        (strings(&["nginx shm", "日本語のゾーン"]), vec![9_000_000]),
                        (strings(&["text/data/stack"]), vec![21_000_000]),
                    ],
                }),
            },
            View {
                kind: "table".into(),
                title: "Pools".into(),
                unit: String::new(),
                data: ViewData::Table(Table {
                    columns: [
                        ("kind", Unit::Count),
                        ("pools", Unit::Count),
                        ("small", Unit::Bytes),
                        ("age", Unit::Nanoseconds),
                        ("creator", Unit::Count),
                    ]
                    .map(|(name, unit)| Column {
                        name: name.into(),
                        unit,
                    })
                    .to_vec(),
                    rows: vec![
                        vec![
                            Cell::Text("cycle".into()),
                            Cell::Integer(1),
                            Cell::Unsigned(18_400_000),
                            Cell::Integer(273_600_000_000_000),
                            Cell::Empty,
                        ],
                        vec![
                            Cell::Text("UNOWNED".into()),
                            Cell::Integer(2_240),
                            Cell::Unsigned(3_300_000),
                            Cell::Integer(4_200_000),
                            Cell::Text(
                                "ngx_http_dyups (ngx_dyups_init_upstream, ngx_dyups_do_update) \
                                 with \x1b[31m red"
                                    .into(),
                            ),
                        ],
                    ],
                }),
            },
        ],
        checks: vec![Check {
            name: "pools = in use".into(),
            left: 1_000_000,
            right: 1_040_000,
            tolerance: 0,
        }],
        warnings: strings(&[
            "no debug information for libfoo.so.1: its functions are shown by their exported names only",
        ]),
        footer: Footer {
            pause: None,
            mode: "live".into(),
            faults: vec![Fault {
                message: "unmapped: address 0xdead0000 is not mapped".into(),
                location: "pools.y:12:9".into(),
                chain: strings(&["pool_walk (pools.y:40:5)"]),
                count: 3,
            }],
            caught: 17,
            missed: 2,
            partial: strings(&[
                "3 runs ended in faults",
                "2 pages were read from the running target, so the result is not of one instant",
            ]),
            ..footer()
        },
        ..Report::default()
    }
}

/// Distributions, numbers over time, the address space, and a table of things with ids.
pub fn measured() -> Report {
    let view = |kind: &str, title: &str, unit: &str, data| View {
        kind: kind.into(),
        title: title.into(),
        unit: unit.into(),
        data,
    };
    let row = |low, high, count| HistogramRow {
        low,
        high,
        count,
        approximate: false,
    };
    let distribution = |key: &[&str], counts: [u64; 3]| Distribution {
        key: strings(key),
        count: counts.iter().sum(),
        sum: 123_456,
        least: 40,
        greatest: 90_000,
        average: 1234.5,
        rows: vec![
            row(None, Some(63), counts[0]),
            row(Some(64), Some(127), counts[1]),
            row(Some(128), None, counts[2]),
        ],
    };
    let samples = |values: &[i64]| {
        let samples = values.iter().enumerate();
        samples
            .map(|(second, value)| Sample {
                at: Duration::from_secs(second as u64),
                value: Cell::Integer(*value),
            })
            .collect()
    };
    let line = |name: &str, values: &[i64]| Line {
        name: name.into(),
        samples: samples(values),
    };
    let region = |start, length, state, owner| Region {
        start,
        length,
        state,
        owner,
    };
    Report {
        views: vec![
            view(
                "histogram",
                "Latency",
                "ns",
                ViewData::Histogram(Histogram {
                    groups: vec![
                        distribution(&["GET"], [1, 0, 9]),
                        distribution(&["POST", "\x1b[31m"], [100, 3000, 1]),
                    ],
                }),
            ),
            view(
                "series",
                "Heap",
                "bytes",
                ViewData::Series(Series {
                    lines: vec![line("", &[1_000_000, 1_500_000, 1_200_000, 4_000_000])],
                }),
            ),
            view(
                "series",
                "By zone",
                "",
                ViewData::Series(Series {
                    lines: vec![
                        line("steady", &[5, 5, 5]),
                        line("falls", &[90, 50, 10]),
                        line("once", &[1]),
                    ],
                }),
            ),
            view(
                "heapmap",
                "Arenas",
                "bytes",
                ViewData::Heapmap(Heapmap {
                    states: strings(&["arena", "free", "[heap]"]),
                    owners: vec![],
                    regions: vec![
                        region(0x7f00_0000_0000, 4096, 0, 0),
                        region(0x7f00_0000_1000, 300, 1, 0),
                        region(0x7f00_0000_3000, 4096, 0, 0),
                        region(0x5500_0000_0000, 8192, 2, 0),
                    ],
                }),
            ),
            view(
                "heapmap",
                "Heap by state and owner",
                "bytes",
                ViewData::Heapmap(Heapmap {
                    states: strings(&["in use", "free"]),
                    owners: strings(&["cycle pool", "Lua", ""]),
                    regions: vec![
                        region(0x5500_0000_0000, 40_000, 0, 0),
                        region(0x5500_0000_9c40, 200_000, 1, 2),
                        region(0x5500_0004_0000, 90_000, 0, 1),
                        region(0x7f00_0000_0000, 65_536, 0, 1),
                    ],
                }),
            ),
            view(
                "table",
                "Connections",
                "",
                ViewData::Table(Table {
                    columns: ["pid", "fd", "requests"]
                        .map(|name| Column {
                            name: name.into(),
                            unit: Unit::of(name),
                        })
                        .to_vec(),
                    rows: vec![vec![
                        Cell::Integer(123_456),
                        Cell::Integer(1_024),
                        Cell::Integer(9_876_543),
                    ]],
                }),
            ),
        ],
        footer: footer(),
        ..Report::default()
    }
}

/// Parts of a whole, with names as a hostile target may choose them.
pub fn shares() -> Report {
    let rows: Vec<(Vec<String>, Vec<i64>)> = [
        ("glibc arena", 931_000_000),
        ("<script>alert(1)</script>", 170_000_000),
        ("nginx shm", 90_000_000),
        ("]]> --> \" ' &amp; \x1b[31m\u{fffe}\u{202e}", 24_000_000),
        ("LuaJIT http", 21_000_000),
        ("nothing of it", 0),
    ]
    .map(|(name, bytes)| (strings(&[name]), vec![bytes, bytes / 4096]))
    .to_vec();
    let mut many = rows.clone();
    many.extend((0..40).map(|index| {
        (
            strings(&["zone", &"n".repeat(index * 8)]),
            vec![1 << (index % 24)],
        )
    }));
    let view = |kind: &str, title: &str, rows| View {
        kind: kind.into(),
        title: title.into(),
        unit: "bytes".into(),
        data: ViewData::Bars(Bars {
            weights: strings(&["bytes", "pages"]),
            selected: 0,
            rows,
        }),
    };
    Report {
        header: strings(&["mem-breakdown  nginx worker 4211, up 3d4h"]),
        views: vec![
            view("pie", "Resident memory", rows),
            view("pie", "Many parts", many.clone()),
            view("bars", "By zone", many),
            view(
                "pie",
                "Less than nothing",
                vec![
                    (strings(&["grown"]), vec![5_000]),
                    (strings(&["shrunk"]), vec![-7_000]),
                ],
            ),
            view("pie", "Nothing", vec![]),
        ],
        footer: footer(),
        ..Report::default()
    }
}
