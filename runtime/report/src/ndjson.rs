//! A run as a stream for programs: one JSON object a line, each as soon as it is known (`docs/views.md` has the members).
//!
//! The first line names the schema and its version; a change that could break a reader raises the version. The last one is of type
//! `end`: a stream without it is cut short.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::json::{self, CheckDocument, FooterDocument, ViewDocument};
use crate::model::Report;

/// The name of the schema.
pub const SCHEMA: &str = "ytrace.events";
/// Its version.
pub const VERSION: u32 = 1;

/// When a stream began, by two clocks.
#[derive(Clone, Copy, Debug)]
pub struct Began {
    /// The time of day.
    pub wall: SystemTime,
    /// The same instant in nanoseconds of the monotonic clock.
    pub monotonic: u64,
}

impl Began {
    /// A time of the monotonic clock, as nanoseconds since the beginning and as the time of day. What was before the beginning was at it.
    fn stamp(&self, monotonic: u64) -> Stamp {
        let since = monotonic.saturating_sub(self.monotonic);
        let wall = self.wall.checked_add(Duration::from_nanos(since));
        Stamp {
            time: rfc3339(wall.unwrap_or(self.wall)),
            at_nanoseconds: since,
        }
    }
}

/// Text that one run of a handler has printed.
#[derive(Clone, Copy, Debug)]
pub struct Printed<'a> {
    /// When its hit was, or else when it was printed, by the monotonic clock.
    pub time: u64,
    /// The process, and the thread of the hit if it was one.
    pub pid: Option<i32>,
    /// See `pid`.
    pub tid: Option<i32>,
    /// The head of the probe.
    pub probe: &'a str,
    /// What was printed.
    pub text: &'a [u8],
    /// The values in it, in order.
    pub values: &'a [serde_json::Value],
}

#[derive(Serialize)]
struct Stamp {
    time: String,
    at_nanoseconds: u64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Object<'a> {
    Begin {
        schema: &'static str,
        version: u32,
        probe: &'a str,
        pid: Option<i32>,
        time: String,
        monotonic_nanoseconds: u64,
    },
    Attached {
        #[serde(flatten)]
        stamp: Stamp,
        places: usize,
        events: usize,
    },
    Print {
        #[serde(flatten)]
        stamp: Stamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<i32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tid: Option<i32>,
        probe: &'a str,
        text: &'a str,
        #[serde(skip_serializing_if = "<[serde_json::Value]>::is_empty")]
        values: &'a [serde_json::Value],
    },
    Warning {
        #[serde(flatten)]
        stamp: Stamp,
        text: &'a str,
    },
    View {
        #[serde(flatten)]
        stamp: Stamp,
        interim: bool,
        #[serde(flatten)]
        view: ViewDocument<'a>,
    },
    Difference {
        #[serde(flatten)]
        stamp: Stamp,
        #[serde(flatten)]
        view: ViewDocument<'a>,
    },
    End {
        #[serde(flatten)]
        stamp: Stamp,
        header: &'a [String],
        checks: Vec<CheckDocument<'a>>,
        #[serde(flatten)]
        footer: FooterDocument<'a>,
        next: &'a [String],
    },
}

/// An object and its line end.
fn line(object: &Object<'_>) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(object)?;
    line.push(b'\n');
    Ok(line)
}

/// The first line.
///
/// # Errors
/// This and all others: the object could not be written as JSON.
pub fn begin(began: &Began, probe: &str, pid: Option<i32>) -> serde_json::Result<Vec<u8>> {
    line(&Object::Begin {
        schema: SCHEMA,
        version: VERSION,
        probe,
        pid,
        time: rfc3339(began.wall),
        monotonic_nanoseconds: began.monotonic,
    })
}

/// Probes are in so many places, and so many events that have none are followed. `now` is by the monotonic clock, here and below.
///
/// # Errors
/// See [`begin`].
pub fn attached(
    began: &Began,
    now: u64,
    places: usize,
    events: usize,
) -> serde_json::Result<Vec<u8>> {
    line(&Object::Attached {
        stamp: began.stamp(now),
        places,
        events,
    })
}

/// What a run of a handler printed. Bytes that are not UTF-8 are replaced.
///
/// # Errors
/// See [`begin`].
pub fn printed(began: &Began, printed: &Printed<'_>) -> serde_json::Result<Vec<u8>> {
    line(&Object::Print {
        stamp: began.stamp(printed.time),
        pid: printed.pid,
        tid: printed.tid,
        probe: printed.probe,
        text: &String::from_utf8_lossy(printed.text),
        values: printed.values,
    })
}

/// A warning.
///
/// # Errors
/// See [`begin`].
pub fn warning(began: &Began, now: u64, text: &str) -> serde_json::Result<Vec<u8>> {
    line(&Object::Warning {
        stamp: began.stamp(now),
        text,
    })
}

/// The views of a report so far, a line each.
///
/// # Errors
/// See [`begin`].
pub fn interim(began: &Began, now: u64, report: &Report) -> serde_json::Result<Vec<u8>> {
    views(began, now, report, true)
}

fn views(began: &Began, now: u64, report: &Report, interim: bool) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    for view in &report.views {
        out.extend(line(&Object::View {
            stamp: began.stamp(now),
            interim,
            view: json::view(view),
        })?);
    }
    Ok(out)
}

/// The views of a report, what changed since an earlier one, and the last line.
///
/// # Errors
/// See [`begin`].
pub fn end(began: &Began, now: u64, report: &Report) -> serde_json::Result<Vec<u8>> {
    let mut out = views(began, now, report, false)?;
    for view in &report.differences {
        out.extend(line(&Object::Difference {
            stamp: began.stamp(now),
            view: json::view(view),
        })?);
    }
    out.extend(line(&Object::End {
        stamp: began.stamp(now),
        header: &report.header,
        checks: json::checks(report),
        footer: json::footer(&report.footer),
        next: &report.next,
    })?);
    Ok(out)
}

/// A time of day as RFC 3339 has it, in UTC, with nanoseconds. What is before 1970 is 1970.
fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let nanoseconds = since.subsec_nanos();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanoseconds:09}Z")
}

/// The date of a day since 1 January 1970, in the Gregorian calendar. Years are counted from March, so that the day that leap years add is
/// their last; 400 of them have 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    // 1 March of the year 0 was 719,468 days before.
    let days = days.saturating_add(719_468);
    let (era, day) = (days / 146_097, days % 146_097);
    // Without the days that each 4, 100 and 400 years add or leave out.
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months from March on have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = match month {
        0..=9 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::{Bars, Footer, Hits, View, ViewData};

    fn began() -> Began {
        Began {
            wall: UNIX_EPOCH + Duration::new(1_795_319_999, 999_999_999),
            monotonic: 1000,
        }
    }

    fn read(lines: &[u8]) -> Vec<Value> {
        let text = std::str::from_utf8(lines).unwrap();
        assert!(text.ends_with('\n'));
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn times_of_day() {
        let at = |seconds| rfc3339(UNIX_EPOCH + Duration::from_secs(seconds));
        // Beside `date -u -d @SECONDS`.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_799, "2000-02-29T23:59:59"),
            (1_709_251_199, "2024-02-29T23:59:59"),
            (1_735_689_600, "2025-01-01T00:00:00"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(at(seconds), format!("{expected}.000000000Z"));
        }
    }

    #[test]
    fn each_object_is_a_line() {
        let began = began();
        let mut lines = begin(&began, "a\nb.y", Some(7)).unwrap();
        let one = Printed {
            time: 2500,
            pid: Some(7),
            tid: Some(8),
            probe: "f(int a)",
            text: b"a\n\xff\"b\"\n",
            values: &[serde_json::json!(3), serde_json::json!({ "a": "b" })],
        };
        lines.extend(printed(&began, &one).unwrap());
        let nobody = Printed {
            time: 10,
            pid: None,
            tid: None,
            values: &[],
            ..one
        };
        lines.extend(printed(&began, &nobody).unwrap());
        lines.extend(warning(&began, 3000, "it\nis so").unwrap());
        let lines = read(&lines);
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["schema"], SCHEMA);
        assert_eq!(lines[0]["time"], "2026-11-22T03:59:59.999999999Z");
        assert_eq!(
            lines[1],
            serde_json::json!({
                "type": "print", "time": "2026-11-22T04:00:00.000001499Z", "at_nanoseconds": 1500,
                "pid": 7, "tid": 8, "probe": "f(int a)", "text": "a\n\u{fffd}\"b\"\n",
                "values": [3, { "a": "b" }],
            })
        );
        assert_eq!(lines[2]["at_nanoseconds"], 0);
        assert_eq!((lines[2].get("tid"), lines[2].get("values")), (None, None));
        assert_eq!(lines[3]["type"], "warning");
    }

    #[test]
    fn the_end_has_the_views_and_the_losses() {
        let report = Report {
            views: vec![View {
                kind: "bars".into(),
                title: "Calls".into(),
                unit: "calls".into(),
                data: ViewData::Bars(Bars {
                    weights: vec!["calls".into()],
                    selected: 0,
                    rows: vec![(vec!["f".into()], vec![3])],
                }),
            }],
            footer: Footer {
                hits: Some(Hits {
                    hits: 3,
                    lost: 2,
                    evicted: 1,
                    ..Hits::default()
                }),
                partial: vec!["2 hits were lost".into()],
                ..Footer::default()
            },
            ..Report::default()
        };
        let lines = read(&end(&began(), 5000, &report).unwrap());
        assert_eq!(lines[0]["type"], "view");
        assert_eq!(lines[0]["interim"], false);
        assert_eq!(lines[0]["form"], "keys");
        assert_eq!(lines[0]["rows"][0]["values"][0], 3);
        assert_eq!(lines[1]["type"], "end");
        assert_eq!(lines[1]["complete"], false);
        assert_eq!(lines[1]["hits"]["lost"], 2);
        assert_eq!(lines[1]["hits"]["evicted"], 1);
        assert_eq!(lines.len(), 2);
        let lines = read(&interim(&began(), 5000, &report).unwrap());
        assert_eq!(lines[0]["interim"], true);
    }
}
