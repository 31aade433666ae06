//! `_oneshot` at an event: `--when`.

use ytrace_tests::fixtures::{directory, unavailable};
use ytrace_tests::leaks::Leaks;
use ytrace_tests::processes::{assert_untouched, wait_for};
use ytrace_tests::program::{run, whole_json};
use ytrace_tests::reloads::Fragmented;
use ytrace_tests::skip;
use ytrace_tests::tracing::{Tracing, says};

use serde_json::Value;

/// The servers of the test's configuration.
const SERVERS: usize = 2_000;

/// When a master has made its new cycle and is about to give up the old one.
const DESTROYS: [&str; 6] = [
    "--when",
    "ngx_destroy_pool(ngx_pool_t *p)",
    "--if",
    "p == ngx_cycle->pool",
    "--within",
    "60s",
];

/// A result that a run has written.
fn read(file: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The bytes of pools of a kind; 0 where there are none.
fn pools(result: &Value, kind: &str) -> i64 {
    let rows = result["views"][0]["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row[0] == kind);
    let column = result["views"][0]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .position(|column| column["name"] == "total_bytes")
        .unwrap();
    row.map_or(0, |row| row[column].as_i64().unwrap())
}

/// Bytes of the heap map by owner.
fn owned(result: &Value, owner: &str) -> i64 {
    let regions = result["views"][0]["regions"].as_array().unwrap().iter();
    regions
        .filter(|region| region["owner"] == owner)
        .map(|region| region["length"].as_i64().unwrap())
        .sum()
}

#[test]
fn both_cycles_of_a_reload_are_seen() {
    if let Some(why) = unavailable("dwarf") {
        return skip("both_cycles_of_a_reload_are_seen", &why);
    }
    let master = Fragmented::start_one(
        &directory().join("dwarf/nginx/sbin/nginx"),
        "lua_package_path '/usr/share/lua/5.1/?.lua;;';",
    );
    let pid = master.pid();
    let number = pid.to_string();
    // At rest there is one cycle.
    let (_, rest) = whole_json("probes/ngx-pools.y", pid, &[]);
    let mut before = pools(&rest, "cycle");
    assert!(before > 1 << 20, "{rest}");
    assert_eq!(pools(&rest, "new cycle") + pools(&rest, "old cycle"), 0);

    let folder = tempfile::tempdir().unwrap();
    for (round, probe) in ["probes/ngx-pools.y", "probes/glibc-heapmap.y"]
        .into_iter()
        .enumerate()
    {
        let file = folder.path().join(format!("{round}.json"));
        let output = file.display().to_string();
        let words = ["run", probe, "-p", &number, "-o", &output];
        let least: &[&str] = match round {
            0 => &[],
            _ => &["--", "--least", "1"],
        };
        let tracing = Tracing::start(&[&words[..], &DESTROYS, least].concat());
        master.hang_up(SERVERS);
        let finished = tracing.finish().expect_status(0);
        says(&finished, &["complete", "of --when"]);
        master.wait_for_workers(round + 2);
        assert_untouched(pid);
        let during = read(&file);
        let (old, new) = match round {
            0 => (pools(&during, "cycle"), pools(&during, "new cycle")),
            _ => (
                owned(&during, "current cycle pool"),
                owned(&during, "new cycle pool"),
            ),
        };
        assert_eq!(old, before, "{probe}");
        // The same configuration makes nearly the same pool.
        assert!(
            new.abs_diff(old) * 50 < old.unsigned_abs(),
            "{probe}: {old} {new}"
        );
        let (_, rest) = whole_json("probes/ngx-pools.y", pid, &[]);
        let after = pools(&rest, "cycle");
        assert!(after.abs_diff(new) < 1 << 16, "{probe}: {new} {after}");
        assert_eq!(pools(&rest, "new cycle") + pools(&rest, "old cycle"), 0);
        // The next round begins with what this one has left.
        before = after;
    }
}

#[test]
fn the_snapshot_is_of_the_hit_for_which_the_condition_holds() {
    let text = r#"
        _probe _oneshot { printf("here: %s\n", _usym(_pc_reg())); }
        _probe _end { puts("end"); }
    "#;
    for mode in ["auto", "stop"] {
        let mut leaks = Leaks::start(2);
        let pid = leaks.pid().to_string();
        let words = ["run", "-e", text, "-p", &pid, "--mode", mode];
        let when = ["--when", "strdup(const char *s)", "--if", "strlen(s) == 40"];
        let tracing = Tracing::start(&[&words[..], &when].concat());
        leaks.round(200);
        let finished = tracing.finish().expect_status(0);
        // The thread that was hit is the one that is meant.
        let here = finished.stdout.strip_suffix("\nend\n");
        let here = here.and_then(|here| here.strip_prefix("here: "));
        assert!(
            here.is_some_and(|here| here.contains("strdup")),
            "{finished}"
        );
        says(&finished, &["of --when", "complete"]);
        assert_untouched(leaks.pid());
    }
}

#[test]
fn what_does_not_come_in_time_is_told() {
    let mut leaks = Leaks::start(1);
    let pid = leaks.pid().to_string();
    let words = [
        "run",
        "-e",
        "_probe _oneshot { puts(\"here\"); }",
        "-p",
        &pid,
    ];
    let never = [
        "--when",
        "serve(struct worker *w)",
        "--if",
        "w->rounds == -1",
    ];
    let finished = run(&[&words[..], &never, &["--within", "200ms"]].concat()).expect_status(3);
    assert_eq!(finished.stdout, "");
    says(
        &finished,
        &[
            "`_oneshot` did not run: --when waited 200 ms for",
            "it did not happen",
        ],
    );
    let assigns = ["--when", "serve(struct worker *w)", "--if", "w = 0"];
    let finished = run(&[&words[..], &assigns, &["--within", "200ms"]].concat()).expect_status(3);
    says(&finished, &["this condition assigns", "`==` compares"]);
    let tracing = Tracing::start(&[&words[..], &never, &["--within", "2s"]].concat());
    leaks.round(5);
    let finished = tracing.finish().expect_status(3);
    says(&finished, &["at none of 5 hits --if held"]);
    let tracing = Tracing::start(&[&words[..], &never].concat());
    let finished = tracing.interrupt().expect_status(3);
    says(&finished, &["interrupted before the event of --when"]);
    wait_for("it is let go", || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.contains("TracerPid:\t0")
    });
    assert_untouched(leaks.pid());
}
