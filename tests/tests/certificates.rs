//! Memory that a library of C allocates for Lua code: certificates that an nginx with Lua parses with OpenSSL and keeps are found with the Lua functions
//! above the parser, while it serves; as many bytes as malloc says.

use std::path::Path;

use serde_json::Value;
use ytrace_tests::fixtures::{Nginx, unavailable};
use ytrace_tests::malloc_said::ask;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::tracing::{Tracing, says};
use ytrace_tests::{root, skip};

/// How many certificates are parsed and kept while the probe runs, each by a request of its own.
const CERTIFICATES: usize = 12;

/// How many there are before.
const EARLIER: usize = 50;

/// How many other requests come between two of these.
const OTHERS: usize = 2;

/// What malloc adds to a block in an arena: a word, and as much as brings the chunk to the least size or to a multiple of two words, in bytes.
const MOST_ADDED: i64 = 24;

/// The analyzer as it is shipped, and a warning for each request once all that happened before its end has been handled. Whoever waits for that before the next
/// request loses nothing, however slow the machine.
fn paced(folder: &Path) -> String {
    let file = folder.join("paced.y");
    // What is included lies in the directory or below it.
    for shipped in ["lua-memory-leak-fgraph.y", "c-memory-leak-fgraph.y"] {
        let from = root().join("probes").join(shipped);
        std::fs::copy(from, folder.join(shipped)).unwrap();
    }
    let text = "#include \"lua-memory-leak-fgraph.y\"\nlong served;\n_probe ngx_close_connection(void *c) { _warn(\"served %d\", ++served); }\n";
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A path of the flame graph, from the outermost frame on, and the bytes and blocks that are held.
struct Held {
    frames: Vec<String>,
    bytes: i64,
    blocks: i64,
}

fn held(json: &Value) -> Vec<Held> {
    let rows = json["views"][0]["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let frames = row["path"].as_array().unwrap().iter();
        let value = |number: usize| row["values"][number].as_i64().unwrap();
        Held {
            frames: frames
                .map(|frame| frame.as_str().unwrap().to_owned())
                .collect(),
            bytes: value(0),
            blocks: value(1),
        }
    })
    .collect()
}

/// Whether a path has frames that begin so, in this order, and ends with the last one.
fn leads_through(frames: &[String], parts: &[&str]) -> bool {
    let mut rest = frames.iter();
    parts
        .iter()
        .all(|part| rest.any(|frame| frame.starts_with(part)))
        && rest.next().is_none()
}

fn parsed_and_kept(variant: &str) {
    let name = format!("certificates that {variant} nginx keeps");
    if let Some(why) = unavailable(variant) {
        return skip(&name, &why);
    }
    let folder = tempfile::tempdir().unwrap();
    let (nginx, said) = Nginx::start_saying(variant, folder.path());
    let in_use = || {
        let said = ask(&said, nginx.worker);
        said.mallinfo("uordblks").unwrap() + said.mallinfo("hblkhd").unwrap()
    };
    // What the first ones need once, and the caches of malloc, are there before anything is measured.
    nginx.get(&format!("/fill?n={EARLIER}"));
    let before = in_use();
    nginx.get(&format!("/fill?n={CERTIFICATES}"));
    let untraced = in_use() - before;

    let file = folder.path().join("held.json");
    let pid = nginx.worker.to_string();
    let probe = paced(folder.path());
    let before = in_use();
    let mut tracing = Tracing::start(&[
        "run",
        &probe,
        "--force",
        "-p",
        &pid,
        "-o",
        file.to_str().unwrap(),
    ]);
    let mut requests = 0;
    let mut get = |path: &str| {
        let answer = nginx.get(path);
        requests += 1;
        tracing.wait_to_say(&format!("served {requests}"));
        answer
    };
    for number in 1..=CERTIFICATES {
        for _ in 0..OTHERS {
            assert_eq!(get("/ping"), "pong");
        }
        let kept = EARLIER + CERTIFICATES + number;
        assert_eq!(get("/fill?n=1"), kept.to_string());
    }
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &[" 0 lost", "complete"]);
    assert_untouched(nginx.worker);
    let traced = in_use() - before;

    let json = std::fs::read_to_string(&file).unwrap();
    let paths = held(&serde_json::from_str(&json).unwrap());
    let through = ["main", "dynamic_cert.lua:", "ASN1_item_d2i", "malloc"];
    let parsed: Vec<&Held> = paths
        .iter()
        .filter(|path| path.bytes > 0 && leads_through(&path.frames, &through))
        .collect();
    let bytes: i64 = parsed.iter().map(|path| path.bytes).sum();
    let blocks: i64 = parsed.iter().map(|path| path.blocks).sum();
    eprintln!(
        "{name}: {bytes} bytes in {blocks} blocks held; malloc's figure grew by {traced}, and by {untraced} for as many before"
    );
    let shown = || -> String {
        let lines = paths.iter().filter(|path| path.bytes > 0);
        lines
            .map(|path| format!("{} {} {}\n", path.bytes, path.blocks, path.frames.join(";")))
            .collect()
    };
    // Each certificate costs as much as any other.
    assert!(blocks > 0, "{finished}\n{}", shown());
    assert_eq!(blocks % CERTIFICATES as i64, 0, "{finished}\n{}", shown());
    // Malloc counts what it keeps for the next blocks as in use, and others keep a little for the first time.
    let room = bytes * 95 / 100..=(bytes + MOST_ADDED * blocks) * 110 / 100;
    for grown in [traced, untraced] {
        assert!(
            room.contains(&grown),
            "{grown}; {bytes} in {blocks}; {finished}\n{}",
            shown()
        );
    }
    releases_of_others_are_dropped(&nginx, &file);
}

/// Where a sample is followed, the kernel knows the blocks that are, and drops releases of all others.
fn releases_of_others_are_dropped(nginx: &Nginx, file: &Path) {
    let pid = nginx.worker.to_string();
    let tracing = Tracing::start(&[
        "run",
        "probes/lua-memory-leak-fgraph.y",
        "--force",
        "-p",
        &pid,
        "-o",
        file.to_str().unwrap(),
        "--",
        "--every",
        "1M",
    ]);
    for _ in 0..20 {
        assert_eq!(nginx.get("/ping"), "pong");
    }
    let finished = tracing.interrupt();
    let json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let hits = &json["footer"]["hits"];
    let figure = |name: &str| hits[name].as_u64().unwrap();
    let (all, dropped, unsampled) = (figure("hits"), figure("dropped"), figure("unsampled"));
    // A request frees several blocks, which are too small for the sample but for one in thousands.
    assert!(dropped >= 20 && unsampled >= 20, "{hits} {finished}");
    assert!(dropped + unsampled <= all, "{hits} {finished}");
}

#[test]
fn nginx_with_debug_information() {
    parsed_and_kept("dwarf");
}

#[test]
fn stock_stripped_nginx() {
    parsed_and_kept("stock");
}
