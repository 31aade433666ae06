//! Pages of C as nginx, LuaJIT and glibc write it, run on these programs, and held against what
//! the programs say of themselves. Each page has one `#include`, the `_probe` line and its output
//! added, nothing else.

use std::collections::BTreeSet;
use std::process::Command;

use ytrace_tests::fixtures::{Waiting, directory, luajits, unavailable};
use ytrace_tests::plain_nginx::PlainNginx;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::run;
use ytrace_tests::{root, skip};

/// What a page prints, compiled and interpreted. The targets wait meanwhile, so that reading them
/// live is reading them at rest.
fn page(name: &str, pid: i32) -> String {
    let file = format!("tests/pages/{name}.y");
    let pid_text = pid.to_string();
    let arguments = ["run", &file, "-p", &pid_text, "--mode", "live"];
    let compiled = run(&arguments).expect_status(0);
    compiled.says(&["faults 0", "complete"]);
    let mut more = arguments.to_vec();
    more.push("--interpret");
    let interpreted = run(&more).expect_status(0);
    assert_eq!(compiled.stdout, interpreted.stdout, "{name}");
    assert_untouched(pid);
    compiled.stdout
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// The lines of a list of a page that are no sums.
fn without<'t>(text: &'t str, last: &str) -> Vec<&'t str> {
    sorted(text)
        .into_iter()
        .filter(|line| !line.starts_with(last))
        .collect()
}

#[test]
fn pages_of_nginx() {
    if let Some(why) = unavailable("dwarf") {
        skip("pages_of_nginx", &why);
        return;
    }
    let nginx = PlainNginx::start();
    let mut keys = Vec::new();
    for number in 1..=12 {
        let answer = nginx.get(&format!(
            "one.example.com/limited?key=key{number}&address=192.168.7.{number}"
        ));
        assert_eq!(answer, "garden");
        keys.push(format!("key{number}"));
    }
    keys.sort();
    let sessions = nginx.get("one.example.com/fill");
    let timers = nginx.get("one.example.com/timers");

    // The zones are those of the configuration, with what the modules add of themselves.
    assert_eq!(
        page("nginx/shared_memory", nginx.pid()),
        "keys 1048576\nothers 2097152\naddresses 524288\ncache 3145728\nsessions 4194304\n\
         backend 131072\n"
    );

    // The keys are those that were asked for; how many sessions there are says ngx_lua itself.
    let trees = page("nginx/rbtree", nginx.pid());
    let found: Vec<&str> = sorted(&trees)
        .into_iter()
        .filter(|line| line.starts_with("key"))
        .collect();
    assert_eq!(found, keys);
    assert!(trees.contains("limit_req 12\n"), "{trees}");
    assert!(trees.contains(&format!("shdict {sessions}\n")), "{trees}");

    // The types are those of the configuration.
    let configuration = std::fs::read_to_string(nginx.folder().join("nginx.conf")).unwrap();
    let types = configuration
        .split_once("types {")
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(types, _)| types)
        .expect("a block of types");
    let mut wanted = Vec::new();
    for line in types.split(';') {
        let mut words = line.split_whitespace();
        if let Some(kind) = words.next() {
            wanted.extend(words.map(|extension| format!("{extension} {kind}")));
        }
    }
    wanted.sort();
    let hash = page("nginx/hash", nginx.pid());
    assert_eq!(without(&hash, "found "), wanted);
    assert!(
        hash.ends_with(&format!("found {}\n", wanted.len())),
        "{hash}"
    );

    let timers_found = page("nginx/timers", nginx.pid());
    let handlers = timers_found
        .lines()
        .filter(|line| *line == "ngx_http_lua_timer_handler")
        .count();
    assert_eq!(handlers.to_string(), timers, "{timers_found}");

    assert_eq!(
        page("nginx/arrays", nginx.pid()),
        "server one.example.com\nserver two.example.com\npeer 127.0.0.1:7001 weight 3\n\
         peer 127.0.0.1:7002 weight 1\npeer 127.0.0.1:7003 weight 1 backup\nmodules many http\n"
    );
    assert_eq!(
        page("nginx/radix", nginx.pid()),
        "0.0.0.0/0 none\n10.0.0.0/8 ten\n192.168.0.0/16 home\n192.168.7.0/24 garden\n"
    );
    let file = nginx.folder().join("./nginx.conf");
    assert_eq!(
        page("nginx/queue", nginx.pid()),
        format!("{} file\nsame 1\n", file.display())
    );
    for line in page("nginx/slab", nginx.pid()).lines() {
        assert!(line.ends_with(" free partial"), "{line}");
    }
    assert_eq!(
        page("nginx/pools", nginx.pid()),
        "cycle large, cleaned\nconnections 256\n"
    );
    assert_eq!(
        page("nginx/macros", nginx.pid()),
        "256 connections, 1 process\n"
    );
}

#[test]
fn pages_of_luajit() {
    for (name, luajit) in luajits() {
        if !luajit.is_file() {
            skip(
                "pages_of_luajit",
                &format!("{} is missing", luajit.display()),
            );
            continue;
        }
        let script = root().join("tests/fixtures/leak/counts.lua");
        let target = Waiting::start(Command::new(&luajit).arg(&script));

        // What pairs() counted.
        let tables = page("luajit/tables", target.pid());
        let mut said: Vec<&str> = target.ready.split_whitespace().collect();
        said.sort_unstable();
        assert_eq!(sorted(&tables), said, "{name}");

        assert_eq!(
            page("luajit/strings", target.pid()),
            "strings as counted\nwords 400, longest chain short\n",
            "{name}"
        );
        let line = std::fs::read_to_string(&script)
            .unwrap()
            .lines()
            .position(|line| line.starts_with("function sample.closure"))
            .expect("the function")
            + 1;
        assert_eq!(
            page("luajit/functions", target.pid()),
            format!(
                "kept = kept\nother = 42\n@{}:{line}\nreturns 1\nobjects of every kind\n",
                script.display()
            ),
            "{name}"
        );
        // The main thread waits in a function of io, called by the chunk, called by C.
        let frames = page("luajit/macros", target.pid());
        assert!(
            frames.contains(&format!(" @{}\n", script.display())) && frames.contains("top above"),
            "{name}: {frames}"
        );
    }
}

#[test]
fn pages_of_glibc() {
    let program = directory().join("c/heap");
    if !program.is_file() {
        skip(
            "pages_of_glibc",
            &format!("{} is missing", program.display()),
        );
        return;
    }
    let target = Waiting::start(&mut Command::new(program));
    let said = target
        .ready
        .split_once("mallinfo2 ")
        .map(|(_, numbers)| numbers)
        .expect("what mallinfo2 says");
    assert_eq!(page("glibc/bins", target.pid()).trim(), said);
    let heaps = page("glibc/heaps", target.pid());
    let lines: Vec<&str> = heaps.lines().collect();
    assert_eq!(lines.len(), 2, "{heaps}");
    for line in lines {
        let (text, cached) = line.rsplit_once(' ').expect("words");
        assert!(
            text.ends_with("in use and fast plausible, cached"),
            "{heaps}"
        );
        assert!(
            cached.parse::<u32>().is_ok_and(|cached| cached > 7),
            "{heaps}"
        );
    }
    let macros = page("glibc/macros", target.pid());
    assert!(macros.ends_with(" 112 chunk\n"), "{macros}");
}

/// What a library of macros defines is used by a page, so that it is known to compile.
#[test]
fn every_macro_of_the_libraries_is_compiled() {
    for library in ["nginx", "luajit", "glibc"] {
        let text = std::fs::read_to_string(root().join(format!("stdlib/{library}/c.y"))).unwrap();
        let mut used = BTreeSet::new();
        for entry in std::fs::read_dir(root().join("tests/pages").join(library)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "y") {
                let page = std::fs::read_to_string(path).unwrap();
                used.extend(words(&page).map(str::to_owned));
            }
        }
        let text = text.replace("\\\n", " ");
        let definitions: Vec<Vec<&str>> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#define "))
            .map(|line| words(line).collect())
            .collect();
        // What a macro in use is made of is in use.
        let mut before = 0;
        while before != used.len() {
            before = used.len();
            for definition in &definitions {
                if definition.first().is_some_and(|name| used.contains(*name)) {
                    used.extend(definition.iter().map(|word| (*word).to_owned()));
                }
            }
        }
        // Those of glibc from 2.42 on, which is not among the targets.
        let elsewhere = ["TCACHE_SMALL_BINS", "TCACHE_LARGE_BINS"];
        let unused: Vec<&str> = definitions
            .iter()
            .filter_map(|definition| definition.first().copied())
            .filter(|name| !name.ends_with("_C_Y") && !elsewhere.contains(name))
            .filter(|name| !used.contains(*name))
            .collect();
        assert!(unused.is_empty(), "{library}: no page uses {unused:?}");
    }
}

/// The names in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}
