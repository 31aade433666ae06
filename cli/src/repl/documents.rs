//! Values, and what answers lack, as documents of `--json`.

use serde_json::json;
use ytrace_report::json as report_json;
use ytrace_runtime::interactive::{Answer, Shown};

/// A value as a document.
pub(super) fn as_json(shown: &Shown) -> serde_json::Value {
    let text = String::from_utf8_lossy(&shown.outline.text);
    let value = match &shown.value {
        Some((value, paths)) => {
            let path = |handle: u64| paths.get(&handle).cloned().unwrap_or_default();
            report_json::value(value, &path)
        }
        None => serde_json::Value::Null,
    };
    json!({
        "number": shown.number,
        "type": shown.type_name,
        "address": shown.address.map(|address| format!("{address:#x}")),
        "value": value,
        "text": text,
    })
}

/// What a line took and what its answer lacks, as members of a document; only what there is.
pub(super) fn losses(answer: &Answer) -> serde_json::Map<String, serde_json::Value> {
    let mut members = serde_json::Map::new();
    if let Some(pause) = &answer.pause {
        let length = u64::try_from(pause.pause.as_nanos()).unwrap_or(u64::MAX);
        members.insert("pause_ns".to_owned(), json!(length));
    }
    for (name, pages) in [("missed", answer.missed), ("swapped", answer.swapped)] {
        if pages > 0 {
            members.insert(name.to_owned(), json!(pages));
        }
    }
    for (name, words) in [("checks", &answer.checks), ("reasons", &answer.partial)] {
        if !words.is_empty() {
            members.insert(name.to_owned(), json!(words));
        }
    }
    if answer.is_partial() {
        members.insert("partial".to_owned(), json!(true));
    }
    members
}
