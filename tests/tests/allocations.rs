//! The analyzers of memory that follow events: what they count is what the programs say of themselves.

use std::collections::BTreeMap;
use std::process::Command;

use ytrace_tests::compile;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::hoard::{Hoard, unavailable};
use ytrace_tests::leaks::{Leaks, Site, by_function};
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::Finished;
use ytrace_tests::tracing::{Tracing, says};

const LEAKS: &str = "probes/c-memory-leak-fgraph.y";

/// The functions of `families`, without those of an allocator of its own.
const FAMILIES: [&str; 6] = [
    "take_aligned",
    "take_memalign",
    "take_page",
    "take_pages",
    "take_array",
    "take_large",
];
const REGIONS: [&str; 3] = ["map_region", "cut_region", "move_region"];

/// What a run gave: how it ended, its result, and what the program says of itself.
struct Ran {
    finished: Finished,
    json: serde_json::Value,
    said: BTreeMap<String, Site>,
}

/// Runs a probe while a program does so many rounds.
fn run(program: &mut Leaks, probe: &str, options: &[&str], rounds: usize) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.json");
    let pid = program.pid().to_string();
    let mut words = vec!["run", probe, "-p", &pid, "-o", file.to_str().unwrap(), "--"];
    words.extend(options);
    let tracing = Tracing::start(&words);
    let said = program.round(rounds);
    let finished = tracing.interrupt();
    let json = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {finished}"));
    assert_untouched(program.pid());
    Ran {
        json: serde_json::from_str(&json).unwrap(),
        finished,
        said,
    }
}

/// Asserts that bytes, blocks, allocated bytes, calls and freed bytes of each function are what it says.
#[track_caller]
fn assert_equal(ran: &Ran, names: &[&str]) {
    let found = by_function(&ran.json, names);
    for name in names {
        let seen = found.get(*name).copied().unwrap_or_default();
        assert_eq!(seen, ran.said[*name].row(), "{name}; {}", ran.finished);
    }
}

/// The rows of a table by column.
fn rows(view: &serde_json::Value) -> Vec<BTreeMap<String, serde_json::Value>> {
    let columns = view["columns"].as_array().unwrap();
    let rows = view["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let cells = row.as_array().unwrap().iter().cloned();
        let names = columns.iter().map(|one| one["name"].as_str().unwrap());
        names.map(str::to_owned).zip(cells).collect()
    })
    .collect()
}

#[test]
fn every_way_of_the_c_library_is_followed() {
    let mut program = Leaks::start_program("families", 1);
    let ran = run(&mut program, LEAKS, &[], 200);
    // The kernel draws the releases whose stacks are looked at, whatever their sizes.
    says(
        &ran.finished,
        &[" 0 lost", "complete", "outside of the sample"],
    );
    assert_equal(&ran, &FAMILIES);
    for name in REGIONS {
        assert!(
            !by_function(&ran.json, &REGIONS).contains_key(name),
            "{name}"
        );
    }
}

#[test]
fn mappings_are_followed_with_their_parts() {
    let mut program = Leaks::start_program("families", 1);
    let ran = run(&mut program, LEAKS, &["--mmap"], 200);
    says(&ran.finished, &[" 0 lost", "complete"]);
    assert_equal(&ran, &FAMILIES);
    assert_equal(&ran, &REGIONS);
    let mut program = Leaks::start_program("families", 1);
    let ran = run(&mut program, "probes/mmap-leaks.y", &[], 200);
    says(&ran.finished, &[" 0 lost", "complete"]);
    assert_equal(&ran, &REGIONS);
    // Large blocks of malloc are mappings, too.
    assert!(by_function(&ran.json, &["take_large"]).contains_key("take_large"));
    for row in rows(&ran.json["views"][1]) {
        let by = row["mapped_by"].as_str().unwrap();
        if by.starts_with("map_region") {
            // Nobody has used them.
            assert_eq!(row["resident_bytes"], 0, "{row:?}");
        }
    }
}

#[test]
fn an_allocator_of_its_own_is_followed() {
    let mut program = Leaks::start_program("families", 1);
    let words = [
        "--alloc=pool_take",
        "--release=pool_give",
        "--size-argument=2",
        "--block-argument=1",
    ];
    let ran = run(&mut program, LEAKS, &words, 300);
    says(&ran.finished, &[" 0 lost", "complete"]);
    assert_equal(&ran, &["take_own"]);
    assert!(by_function(&ran.json, &FAMILIES).is_empty());
    // What is too small to be followed was not there before.
    let mut fresh = Leaks::start_program("families", 1);
    let sized: Vec<&str> = words.iter().copied().chain(["--size=128.."]).collect();
    let ran = run(&mut fresh, LEAKS, &sized, 300);
    says(&ran.finished, &[" 0 lost", "complete"]);
    let seen = by_function(&ran.json, &["take_own"])["take_own"];
    let all = ran.said["take_own"];
    assert!(0 < seen[3] && seen[3] < all.calls, "{}", ran.finished);
    assert!(0 < seen[4] && seen[4] < all.freed_bytes, "{}", ran.finished);
    let text = &ran.finished.stdout;
    assert!(!text.contains("had been there before"), "{text}");
    let pid = program.pid().to_string();
    let words = ["run", LEAKS, "-p", &pid, "--", "--alloc", "pool_take"];
    let finished = ytrace_tests::program::run(&words).expect_status(1);
    says(&finished, &["--alloc and --release go together"]);
}

#[test]
fn sizes_are_left_out_by_the_kernel() {
    let mut program = Leaks::start_program("families", 1);
    let ran = run(&mut program, LEAKS, &["--size", "256K..512K"], 400);
    says(
        &ran.finished,
        &[" 0 lost", "complete", "dropped by conditions"],
    );
    assert_equal(&ran, &["take_large"]);
    assert_eq!(by_function(&ran.json, &FAMILIES).len(), 1);
    let text = ran
        .finished
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let (before, _) = text.split_once(" dropped by conditions").unwrap();
    let dropped = before.rsplit(' ').next().unwrap().replace(',', "");
    // The kernel leaves out allocations of other sizes, and releases: each of these is looked at twice, for its block and for its stack.
    let others = FAMILIES.iter().filter(|name| **name != "take_large");
    let others: i64 = others
        .map(|name| ran.said[*name])
        .map(|said| said.calls + said.freed_calls)
        .sum();
    assert!(dropped.parse::<i64>().unwrap() >= others, "{text}");
    let text = &ran.finished.stdout;
    assert!(!text.contains("had been there before"), "{text}");
}

#[test]
fn growth_is_that_of_all_blocks_and_ages_choose_what_is_shown() {
    for (name, probe, options) in [
        ("leaks", LEAKS, &["--age", "1000"][..]),
        ("families", LEAKS, &["--age", "1000", "--mmap"]),
        ("families", "probes/mmap-leaks.y", &["--age", "1000"]),
    ] {
        let mut program = Leaks::start_program(name, 1);
        let ran = run(&mut program, probe, options, 200);
        says(&ran.finished, &[" 0 lost", "complete"]);
        let mut sums = [0; 6];
        for row in ran.json["views"][0]["rows"].as_array().unwrap() {
            for (sum, value) in sums.iter_mut().zip(row["values"].as_array().unwrap()) {
                *sum += value.as_i64().unwrap();
            }
        }
        let [bytes, blocks, allocated, _, freed, growth] = sums;
        assert_eq!([bytes, blocks], [0, 0], "{}", ran.finished);
        assert!(allocated > freed && growth > 0, "{}", ran.finished);
        assert!(rows(&ran.json["views"][1]).is_empty(), "{}", ran.finished);
        assert!(
            !probe.contains("mmap") || ran.finished.stdout.contains("unmapped in 0 mappings"),
            "{}",
            ran.finished
        );
    }
}

#[test]
fn a_sample_counts_blocks_without_bias() {
    // Weights are no multiples of sizes: rounded, the counts were off by up to a third.
    let text = "#include <linux/sample.y>\n_probe _oneshot { long wrong = 0;
        for (long size = 0; size <= 900; size += 100) { double sum = 0; long n = size ?: 1;
            for (long seed = 0; seed < 20000; seed++) {
                long counted = sample_count(0x7f0000001000 + seed * 32, size, 740);
                if (counted != sample_count(0x7f0000001000 + seed * 32, size, 740)) wrong++;
                sum += counted; }
            double expected = 20000.0 * (n < 740 ? 740.0 / n : 1);
            if (sum < expected * 0.99 || sum > expected * 1.01) { wrong++; printf(\"%ld: %f of %f\\n\", size, sum, expected); } }
        printf(\"%ld wrong\\n\", wrong); }";
    let program = Leaks::start(1);
    let pid = program.pid().to_string();
    let finished = ytrace_tests::program::run(&["run", "-e", text, "-p", &pid]).expect_status(0);
    assert!(finished.stdout.contains("0 wrong\n"), "{finished}");
}

#[test]
fn a_sample_of_nothing_tells_how_much_may_be_there() {
    for probe in [LEAKS, "probes/c-alloc-fgraph.y"] {
        let mut program = Leaks::start(1);
        let ran = run(&mut program, probe, &["--every", "1G"], 5);
        says(&ran.finished, &[" 0 lost", "complete"]);
        let said =
            "nothing came into the sample of one block in 1.1 GB: a path may have up to 3.2 GB";
        assert!(ran.finished.stdout.contains(said), "{}", ran.finished);
    }
}

/// A thread's last acts are releases of blocks that were there before it. When it ends, the C library frees them once more, out of its cache.
const LAST: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *blocks[5];
static void *give_back(void *unused) {
    for (int n = 0; n < 5; n++)
        free(blocks[n]);
    return unused;
}
int main(void) {
    char line[100];
    pthread_t thread;
    for (int n = 0; n < 5; n++)
        blocks[n] = malloc(100);
    puts("READY");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin) || pthread_create(&thread, 0, give_back, 0))
        return 1;
    return pthread_join(thread, 0);
}
"#;

#[test]
fn the_last_releases_of_a_thread_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "last", LAST, &["-O1", "-g", "-pthread"]);
    let mut target = Waiting::start(&mut Command::new(program));
    let tracing = Tracing::start(&["run", LEAKS, "-p", &target.pid().to_string()]);
    target.say("go");
    let finished = tracing.finish();
    says(&finished, &[" 0 lost"]);
    let said = "5 blocks (room for 520 B) that had been there before were freed";
    assert!(finished.stdout.contains(said), "{finished}");
}

#[test]
fn what_was_there_before_is_told_apart() {
    let mut leaks = Leaks::start(3);
    let before = leaks.round(100);
    let ran = run(&mut leaks, LEAKS, &["--freed-every", "4"], 300);
    says(&ran.finished, &[" 0 lost", "complete"]);
    let names: Vec<&str> = before.keys().map(String::as_str).collect();
    let found = by_function(&ran.json, &names);
    let sum = |sites: &BTreeMap<String, Site>| sites.values().map(|s| s.freed_calls).sum::<i64>();
    let seen: i64 = found.values().map(|values| values[3] - values[1]).sum();
    let earlier = sum(&ran.said) - sum(&before) - seen;
    assert!(earlier > 0);
    let said = format!("{earlier} blocks (room for ");
    assert!(
        ran.finished.stdout.starts_with(&said)
            || ran.finished.stdout.contains(&format!("\n{said}")),
        "{said}; {}",
        ran.finished
    );
    let held = rows(&ran.json["views"][1]);
    let body = held
        .iter()
        .find(|row| {
            row["allocated_by"]
                .as_str()
                .unwrap()
                .starts_with("parse_body")
        })
        .unwrap();
    assert!(
        body["freed_by"].as_str().unwrap().starts_with("drop_some"),
        "{body:?}"
    );
    let number = |name: &str| body[name].as_i64().unwrap();
    assert_eq!(number("bytes"), found["parse_body"][0]);
    assert!(number("growth_bytes") > 0, "{body:?}");
    assert!(
        0 < number("mean_age_ns") && number("mean_age_ns") <= number("max_age_ns"),
        "{body:?}"
    );
}

#[test]
fn memory_is_bounded() {
    let mut leaks = Leaks::start(1);
    let ran = run(&mut leaks, LEAKS, &["--blocks", "50"], 200);
    let finished = ran.finished.expect_status(3);
    says(
        &finished,
        &["blocks that found no room (--blocks)", "PARTIAL"],
    );
    let blocks: i64 = ran.json["views"][0]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["values"][1].as_i64().unwrap())
        .sum();
    assert_eq!(blocks, 50);
}

#[test]
fn growth_is_found_where_pages_are_used_first() {
    let mut grows = Leaks::start_program("grows", 1);
    let ran = run(&mut grows, "probes/mem-growth-fgraph.y", &[], 100);
    says(&ran.finished, &[" 0 lost", "complete"]);
    let names: Vec<&str> = ran.said.keys().map(String::as_str).collect();
    // Bytes that are still in memory, bytes that were used first.
    let found = by_function(&ran.json, &names);
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
    let page = page.unwrap().unwrap();
    for (name, said) in &ran.said {
        let seen = found.get(name).copied().unwrap_or_default();
        // A program of this kind says pages where others say calls and bytes.
        let expected = [said.bytes * page, said.calls * page];
        assert_eq!(seen[..2], expected, "{name}; {}", ran.finished);
    }
}

#[test]
fn growth_of_a_process_that_is_gone_is_not_negative() {
    let mut grows = Leaks::start_program("grows", 1);
    let pid = grows.pid().to_string();
    let tracing = Tracing::start(&["run", "probes/mem-growth-fgraph.y", "-p", &pid]);
    grows.round(20);
    grows.kill();
    let finished = tracing.finish();
    let text = &finished.stdout;
    assert!(text.contains("the process has gone"), "{finished}");
    assert!(!text.contains("by -"), "{finished}");
    assert!(!text.contains("still in memory"), "{finished}");
}

#[test]
fn what_is_allocated_is_counted() {
    let mut leaks = Leaks::start(2);
    let ran = run(
        &mut leaks,
        "probes/c-alloc-fgraph.y",
        &["--every", "1"],
        200,
    );
    says(&ran.finished, &[" 0 lost", "complete"]);
    let names: Vec<&str> = ran.said.keys().map(String::as_str).collect();
    let found = by_function(&ran.json, &names);
    for (name, said) in &ran.said {
        let seen = found.get(name).copied().unwrap_or_default();
        assert_eq!(
            seen[..2],
            [said.bytes, said.calls],
            "{name}; {}",
            ran.finished
        );
        assert!(seen[2] > 0, "{name}");
    }
    let ran = run(
        &mut leaks,
        "probes/c-alloc-fgraph.y",
        &["--every", "16K"],
        2_000,
    );
    says(&ran.finished, &[" 0 lost", "outside of the sample"]);
}

/// The bytes that a result says its estimates are within, "385.4 kB", 19 times in 20.
fn stated(ran: &Ran) -> f64 {
    let (_, rest) = ran.finished.stdout.split_once("figure is within ").unwrap();
    let (text, _) = rest.split_once(" of the truth 19 times in 20").unwrap();
    let (number, unit) = text.split_once(' ').unwrap();
    let units = ["B", "kB", "MB", "GB"];
    let power = units.iter().position(|known| *known == unit).unwrap();
    number.parse::<f64>().unwrap() * 1000_f64.powi(i32::try_from(power).unwrap())
}

#[test]
fn estimates_are_as_near_as_they_are_said_to_be() {
    let mut leaks = Leaks::start(1);
    let mut before = leaks.round(100);
    // One block in 64 is followed.
    let sum = |of: fn(&Site) -> i64| before.values().map(of).sum::<i64>();
    let every = 64 * sum(|site| site.bytes) / sum(|site| site.calls);
    // By how much of its own interval each figure is wrong.
    let mut errors: Vec<(String, f64)> = Vec::new();
    for round in 0..10 {
        // Whether stacks of releases are looked at changes nothing.
        let freed = if round % 2 == 0 { "0" } else { "64" };
        let words = ["--every", &every.to_string(), "--freed-every", freed];
        let ran = run(&mut leaks, LEAKS, &words, 1_000);
        says(&ran.finished, &[" 0 lost", "outside of the sample"]);
        let names: Vec<&str> = ran.said.keys().map(String::as_str).collect();
        let found = by_function(&ran.json, &names);
        let (mut most, mut farthest) = (0.0_f64, 0.0_f64);
        for (name, said) in &ran.said {
            let seen = found.get(name).copied().unwrap_or_default();
            let allocated = said.bytes - before[name].bytes;
            let error = (seen[2] - allocated) as f64;
            // The variance is at most the bytes times the rate.
            let interval = 1.96 * (allocated as f64 * every as f64).sqrt();
            most = most.max(interval);
            farthest = farthest.max(error.abs());
            errors.push((name.clone(), error / interval));
        }
        // What is said is for the path that has most.
        let stated = stated(&ran);
        assert!((stated / most - 1.0).abs() < 0.2, "{stated}, {most}");
        assert!(farthest < stated * 5.0 / 1.96, "{farthest}, {stated}");
        before = ran.said;
    }
    let tried = errors.len();
    assert!(tried >= 50, "{tried}");
    // Of so many, fewer than 17 of 20 are within once in a million times; none is beyond five standard deviations.
    let within = errors.iter().filter(|(_, error)| error.abs() <= 1.0);
    assert!(within.count() * 20 >= tried * 17, "{errors:?}");
    let beyond = |error: &f64| error.abs() > 5.0 / 1.96;
    assert!(!errors.iter().any(|(_, error)| beyond(error)), "{errors:?}");
    // What is unbiased errs to both sides. Blocks larger than the rate are all followed.
    let wrong: Vec<f64> = errors.iter().map(|(_, error)| *error).collect();
    let above = wrong.iter().filter(|error| **error > 0.0).count();
    let below = wrong.iter().filter(|error| **error < 0.0).count();
    assert!(above + below >= tried / 2, "{errors:?}");
    assert!(above < 5 * below && below < 5 * above, "{errors:?}");
}

/// Whether a frame is of the module that makes pools, which may have no names.
fn is_of_the_hoard(frame: &str) -> bool {
    frame.contains("ngx_http_hoard") || frame.contains("stock.so")
}

/// The sums of the rows of a flame graph with a frame of the module that makes pools.
fn of_the_hoard(view: &serde_json::Value) -> Vec<i64> {
    let mut sums = Vec::new();
    for row in view["rows"].as_array().unwrap() {
        let frames = row["path"].as_array().unwrap();
        let of_it = |frame: &serde_json::Value| {
            let name = frame.as_str().unwrap_or_default();
            is_of_the_hoard(name)
        };
        if !frames.iter().any(of_it) {
            continue;
        }
        let values = row["values"].as_array().unwrap().iter();
        let values: Vec<i64> = values.map(|value| value.as_i64().unwrap()).collect();
        sums.resize(values.len(), 0);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    }
    sums
}

fn pools_of(variant: &str) {
    if let Some(why) = unavailable(variant) {
        ytrace_tests::skip("pools that are not destroyed", &why);
        return;
    }
    let nginx = Hoard::start(variant);
    let before = nginx.counters("big=2");
    for inside in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("result.json");
        let pid = nginx.worker.to_string();
        let mut words = vec!["run", "probes/ngx-pool-leaks.y", "-p", &pid];
        words.extend(["-o", file.to_str().unwrap()]);
        if inside {
            words.extend(["--", "--inside"]);
        }
        let known = nginx.counters("");
        let tracing = Tracing::start(&words);
        for _ in 0..20 {
            nginx.get("ping");
        }
        let said = nginx.counters("big=4&chain=6&kept=3");
        let finished = tracing.interrupt().expect_status(0);
        says(&finished, &[" 0 lost", "complete"]);
        let json = std::fs::read_to_string(&file).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let sum = |what: &str| -> i64 {
            ["big", "chain", "kept"]
                .map(|kind| said[&format!("{kind}_{what}")] - known[&format!("{kind}_{what}")])
                .iter()
                .sum()
        };
        // Bytes, pools, made, destroyed.
        let bytes = sum("block_bytes") + sum("large_usable");
        assert_eq!(sum("pools"), 13);
        let found = of_the_hoard(&json["views"][0]);
        assert_eq!(found, [bytes, 13, 13, 0], "{finished}");
        // All that requests make is destroyed.
        let requests: i64 = json["views"][0]["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["values"][3].as_i64().unwrap())
            .sum();
        assert!(requests >= 20, "{finished}");
        let held = rows(&json["views"][1]);
        let column = |name: &str| -> i64 {
            let of_it = held.iter().filter(|row| {
                let by = row["made_by"].as_str().unwrap();
                is_of_the_hoard(by)
            });
            of_it.map(|row| row[name].as_i64().unwrap()).sum()
        };
        assert_eq!(column("larges"), sum("larges"), "{finished}");
        assert_eq!(column("large_bytes"), sum("large_usable"), "{finished}");
        assert_eq!(column("blocks"), sum("blocks"), "{finished}");
        let taken = of_the_hoard(&json["views"][2]);
        if inside {
            // What the module counts as used has a note of two words for each large block.
            let asked = sum("used") - 16 * sum("larges") + sum("large_bytes");
            // Its answers lie in pools of requests, which are gone.
            assert_eq!(taken[0], asked, "{finished}");
        } else {
            assert!(taken.is_empty(), "{finished}");
        }
    }
    assert!(before["big_pools"] == 2);
    assert_untouched(nginx.worker);
}

#[test]
fn pools_of_nginx_with_debug_information() {
    pools_of("dwarf");
}

#[test]
fn pools_of_stock_stripped_nginx() {
    pools_of("stock");
}

/// The commands that `docs/commands.md` has under a heading.
fn documented(heading: &str) -> Vec<String> {
    let file = ytrace_tests::root().join("docs/commands.md");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, section) = text.split_once(heading).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section
        .lines()
        .filter_map(|line| line.strip_prefix("    ytrace "));
    lines.map(str::to_owned).collect()
}

/// The words of a command, as a shell has them.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('\'').enumerate();
    parts
        .flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

#[test]
fn documented_commands_run() {
    let commands = documented("## `ytrace run`: events in one line");
    assert_eq!(commands.len(), 14);
    for command in commands {
        let nginx = command.contains("ngx-") || command.contains("lua-");
        let own = command.contains("pool_take");
        if nginx && let Some(why) = unavailable("dwarf") {
            ytrace_tests::skip("a documented command", &why);
            continue;
        }
        let nginx = nginx.then(|| Hoard::start("dwarf"));
        let mut told = Leaks::start_program(if own { "families" } else { "leaks" }, 1);
        let pid = nginx.as_ref().map_or(told.pid(), |nginx| nginx.worker);
        let pid = pid.to_string();
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("leaks.html");
        let picture = folder.path().join("cpu.svg");
        // `f` is a function of the program.
        let words: Vec<String> = words(&command)
            .iter()
            .map(|word| match word.as_str() {
                "PID" => pid.clone(),
                "leaks.html" => page.to_str().unwrap().to_owned(),
                "cpu.svg" => picture.to_str().unwrap().to_owned(),
                text => text.replace("_probe f ", "_probe parse_body "),
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let tracing = Tracing::start(&words);
        told.round(50);
        let finished = tracing.interrupt().expect_status(0);
        says(&finished, &[" 0 lost", "complete"]);
        for (part, shown) in [
            ("How long", "50 values"),
            ("by caller", "serve"),
            ("_func()", "parse_body of thread"),
        ] {
            assert!(
                !command.contains(part) || finished.stdout.contains(shown),
                "{finished}"
            );
        }
    }
}

#[test]
fn a_slowdown_is_foreseen() {
    let mut leaks = Leaks::start(1);
    // Nothing happens, so nothing is slower.
    let ran = run(&mut leaks, "probes/c-alloc-fgraph.y", &[], 10);
    says(&ran.finished, &["expected slowdown 0.0 %", "complete"]);
    let pid = leaks.pid().to_string();
    leaks.tell("round 100000000");
    let finished = ytrace_tests::program::run(&["run", LEAKS, "-p", &pid]).expect_status(2);
    says(&finished, &["% slower, and 5 % are allowed", "--force"]);
    assert_untouched(leaks.pid());
    let words = [
        "run",
        LEAKS,
        "-p",
        &pid,
        "--max-overhead",
        "1e6%",
        "--duration",
        "1ms",
    ];
    let finished = ytrace_tests::program::run(&words);
    says(&finished, &["expected slowdown", "hits a second"]);
    let words = ["run", LEAKS, "-p", &pid, "--force", "--duration", "1ms"];
    let finished = ytrace_tests::program::run(&words);
    says(&finished, &["expected slowdown", "hits a second"]);
    let text = "long n; _probe malloc(size_t size) -> void *p { n += size < 1 << 20 && p; }";
    let mut words = vec!["run", "-e", text, "-p", &pid, "--duration", "1ms"];
    let finished = ytrace_tests::program::run(&words);
    assert!(!finished.stderr.contains("slowdown"), "{finished}");
    words.extend(["--max-overhead", "0.01"]);
    let finished = ytrace_tests::program::run(&words).expect_status(2);
    says(&finished, &["% slower, and 0.01 % are allowed"]);
    leaks.kill();
}

#[test]
fn what_another_program_held_is_gone() {
    let mut program = Leaks::start_program("families", 1);
    let pid = program.pid().to_string();
    let tracing = Tracing::start(&["run", LEAKS, "-p", &pid, "--", "--mmap"]);
    program.round(100);
    program.tell("exec");
    program.expect("ready");
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &[" 0 lost"]);
    let said = "another program was executed: what";
    assert!(finished.stdout.contains(said), "{finished}");
    let (_, rest) = finished.stdout.split_once(" allocated in ").unwrap();
    let held = rest.split_once(" s, ").unwrap().1;
    let (held, _) = held.split_once(" of it not freed").unwrap();
    // A program that begins has a few buffers, and its pool of 8 MiB.
    assert!(
        held.ends_with(" B") || held.ends_with(" kB") || held.starts_with("8."),
        "{finished}"
    );
}

#[test]
fn what_realloc_gives_back_is_given_back_once() {
    const NOTHING: &str = r#"
        #include <stdlib.h>
        int main(void)
        {
            for (int i = 0; i < 100; i++) {
                char *volatile p = malloc(1000);
                p[0] = 1;
                p = realloc(p, 0);
            }
            return 0;
        }
    "#;
    let folder = tempfile::tempdir().unwrap();
    let program = ytrace_tests::compile(folder.path(), "nothing", NOTHING, &["-O1", "-w"]);
    let words = ["run", LEAKS, "--force", "-c", program.to_str().unwrap()];
    let finished = ytrace_tests::program::run(&words).expect_status(0);
    let text = &finished.stdout;
    assert!(text.contains("100.0 kB allocated"), "{finished}");
    assert!(
        text.contains("0 B of it not freed in 0 blocks"),
        "{finished}"
    );
    assert!(!text.contains("had been there before"), "{finished}");
}
