//! From lines to code, held against gdb.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::Build;
use ytrace_debuginfo::{Loader, Module};

const MAIN: &str = r#"#include "shared.h"
int sink;

int work(int n) {
    int total = 0;
    for (int i = 0; i < n; i++) {
        total += half(i);
        sink ^= total;
    }
    return total;
}

int other(int n) {
    return half(n) + 7;
}

int main(int argc, char **argv) {
    return work(argc) + other(argc);
}
"#;
const SHARED: &str = r#"extern int sink;
static inline int half(int x) {
    sink++;
    return x / 2;
}
"#;

fn build(flags: &[&str]) -> (Build, Module) {
    let build = Build::new(&[
        ("one/main.c", MAIN),
        ("one/shared.h", SHARED),
        ("two/main.c", "int second(int x) {\n    return x * x;\n}\n"),
    ]);
    let mut arguments = vec!["-g", "-no-pie", "-o", "prog", "one/main.c", "two/main.c"];
    arguments.extend(flags);
    build.run("gcc", &arguments);
    let module = build.open("prog");
    (build, module)
}

/// Where gdb would stop, in one run for many lines; `None` for a line that it moves elsewhere.
fn gdb(path: &Path, file: &str, lines: &[u32]) -> Option<Vec<Option<BTreeSet<u64>>>> {
    let mut command = Command::new("gdb");
    command.args(["-nx", "-batch", "-iex", "set debuginfod enabled off"]);
    for line in lines {
        command.args([
            "-ex",
            &format!("break {file}:{line}"),
            "-ex",
            "info breakpoints",
        ]);
        command.args(["-ex", "delete", "-ex", "echo END\\n"]);
    }
    let output = command.arg(path).env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let parts: Vec<&str> = text.split("END\n").collect();
    let answers = lines.iter().zip(parts).map(|(line, part)| {
        let table = part.split("Num ").nth(1)?;
        // Each location is told with its line, which is another one where this has no code.
        let here = format!("{}:{line}", file.rsplit('/').next().unwrap_or(file));
        let all: Vec<&str> = table.lines().filter(|l| l.contains("0x")).collect();
        let places = all
            .iter()
            .filter(|l| l.contains(" in ") || l.contains(" at ") || l.contains(':'));
        let mut found = BTreeSet::new();
        for place in places {
            if !place.trim_end().ends_with(&here) && !place.contains("<MULTIPLE>") {
                return None;
            }
            let address = place
                .split_whitespace()
                .find_map(|w| w.strip_prefix("0x"))?;
            found.insert(u64::from_str_radix(address, 16).ok()?);
        }
        (!found.is_empty()).then_some(found)
    });
    Some(answers.collect())
}

/// File name, line and address of all rows at which statements begin, by readelf.
fn rows(path: &Path) -> BTreeSet<(String, u32, u64)> {
    let output = Command::new("readelf")
        .args(["--debug-dump=decodedline", "-W"])
        .arg(path)
        .env("LC_ALL", "C")
        .output()
        .expect("readelf is needed");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.ends_with(" x"))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let file = words.next()?.to_owned();
            let line = words.next()?.parse().ok()?;
            let address = words.next()?.strip_prefix("0x")?;
            Some((file, line, u64::from_str_radix(address, 16).ok()?))
        })
        .collect()
}

#[test]
fn lines_of_a_small_program() {
    for flags in [&["-O0"][..], &["-O2"], &["-O2", "-gdwarf-4"]] {
        let (build, module) = build(flags);
        let total = module.line_places("one/main.c", 7).unwrap();
        assert_eq!(total.files.len(), 1);
        assert!(total.files[0].ends_with("/one/main.c") && total.files[0].starts_with('/'));
        assert!(!total.places.is_empty(), "{flags:?}");
        // A name that several files have.
        let both = module.line_places("main.c", 2).unwrap();
        assert_eq!(both.files.len(), 2, "{both:?}");
        assert!(both.places.iter().all(|p| p.file.ends_with("two/main.c")));
        // A line without code.
        let empty = module.line_places("one/main.c", 12).unwrap();
        let (before, after) = empty.nearest;
        // Optimised code need not have the brace.
        assert!(
            matches!(before, Some(10 | 11)) && after == Some(13),
            "{flags:?} {empty:?}"
        );
        assert!(empty.places.is_empty());
        let unknown = module.line_places("mian.c", 1).unwrap();
        assert_eq!(
            (unknown.files.len(), unknown.similar.as_slice()),
            (0, &["main.c".to_owned()][..])
        );
        // In a header: one place for each copy.
        let header = module.line_places("shared.h", 3).unwrap();
        let expected = if flags == ["-O0"] { 1 } else { 2 };
        assert!(header.places.len() >= expected, "{flags:?} {header:#?}");
        assert_eq!(header.places.iter().all(|p| p.inlined), flags != ["-O0"]);

        let lines: Vec<u32> = [5, 6, 7, 8, 10, 14, 18].to_vec();
        let Some(answers) = gdb(&build.path("prog"), "one/main.c", &lines) else {
            common::skip("lines", "there is no gdb");
            return;
        };
        let rows = rows(&build.path("prog"));
        for (line, answer) in lines.iter().zip(answers) {
            let places = module.line_places("one/main.c", *line).unwrap().places;
            let ours: BTreeSet<u64> = places.iter().map(|p| p.address).collect();
            for address in &ours {
                let known = rows.contains(&("main.c".to_owned(), *line, *address));
                assert!(
                    known,
                    "line {line} {flags:?}: {address:#x} is not in the table"
                );
            }
            // gdb leaves out pieces between those of other files.
            if let Some(answer) = answer {
                assert!(
                    ours.is_superset(&answer),
                    "line {line} {flags:?}: {ours:x?} {answer:x?}"
                );
                assert!(
                    flags != ["-O0"] || ours == answer,
                    "line {line}: {ours:x?} {answer:x?}"
                );
            }
        }
    }
}

#[test]
fn lines_of_nginx() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.fixtures/dwarf/nginx/sbin/nginx");
    if !path.exists() {
        common::skip("lines_of_nginx", "nginx was not built");
        return;
    }
    let module = Loader::default().open(&path).unwrap();
    let (mut same, mut compared) = (0, 0);
    for file in ["ngx_event.c", "core/ngx_string.c", "ngx_http_request.c"] {
        let lines: Vec<u32> = (200..320).collect();
        let Some(answers) = gdb(&path, file, &lines) else {
            common::skip("lines_of_nginx", "there is no gdb");
            return;
        };
        for (line, answer) in lines.iter().zip(answers) {
            let found = module.line_places(file, *line).unwrap();
            assert_eq!(found.files.len(), 1, "{file}: {:?}", found.files);
            let Some(answer) = answer else { continue };
            compared += 1;
            let ours: BTreeSet<u64> = found.places.iter().map(|p| p.address).collect();
            if ours == answer {
                same += 1;
            } else {
                eprintln!("{file}:{line}: {ours:x?}, gdb {answer:x?}");
            }
        }
    }
    eprintln!("{same} of {compared} lines are where gdb has them");
    assert!(
        compared > 80 && same * 10 >= compared * 8,
        "{same} of {compared}"
    );
}
