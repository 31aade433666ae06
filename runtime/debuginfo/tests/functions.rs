//! Which functions a name or a pattern stands for, held against `nm`.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use common::Build;
use ytrace_debuginfo::{Loader, Module, ProbeFunction};

/// Functions by address, as `nm` lists them.
fn nm(path: &Path, arguments: &[&str]) -> BTreeMap<u64, BTreeSet<String>> {
    let output = Command::new("nm")
        .args(arguments)
        .arg(path)
        .env("LC_ALL", "C")
        .output()
        .expect("nm is needed");
    let mut found: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.split_whitespace();
        let (Some(address), Some(kind), Some(name)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Ok(address) = u64::from_str_radix(address, 16) else {
            continue;
        };
        if matches!(kind, "t" | "T" | "w" | "W" | "i") {
            let bare = name.split('@').next().unwrap_or(name);
            found.entry(address).or_default().insert(bare.to_owned());
        }
    }
    found
}

/// Functions whose names begin so.
fn beginning(module: &Module, start: &str) -> Vec<ProbeFunction> {
    module
        .functions_matching(&|name| name.starts_with(start))
        .unwrap()
}

fn only(module: &Module, name: &str) -> ProbeFunction {
    let mut found = module.functions_named(name).unwrap();
    assert_eq!(found.len(), 1, "{name}: {found:#?}");
    found.remove(0)
}

fn parameters(function: &ProbeFunction) -> Vec<String> {
    let prototype = function.prototype.as_ref().expect("a prototype");
    let parameters = prototype.parameters.as_ref().expect("parameters");
    parameters
        .iter()
        .map(|p| p.name.clone().unwrap_or_default())
        .collect()
}

#[test]
fn the_c_library() {
    let path = Path::new("/lib/x86_64-linux-gnu/libc.so.6");
    let module = Loader::default().open(path).unwrap();
    let dynamic = nm(path, &["-D", "--defined-only"]);
    let malloc = only(&module, "malloc");
    let body = malloc.body.as_ref().unwrap();
    let names = dynamic.get(&body.address).expect("nm knows it");
    assert!(names.contains("malloc"));
    assert_eq!(malloc.name, "malloc");
    for name in names.iter().filter(|n| *n != "malloc") {
        assert!(
            malloc.aliases.contains(name),
            "{name}: {:?}",
            malloc.aliases
        );
    }
    assert!(malloc.external && !malloc.indirect);
    // The C library is mapped so that offsets in the file and addresses of code agree.
    assert_eq!(body.file_offset, Some(body.address));
    // A resolver is not the function.
    let memcpy = module.functions_named("memcpy").unwrap();
    assert!(memcpy.iter().any(|f| f.indirect), "{memcpy:?}");

    // All functions, by all their names.
    let all = beginning(&module, "");
    let ours: BTreeMap<u64, BTreeSet<String>> = all
        .iter()
        .filter_map(|f| {
            let names = f.aliases.iter().chain([&f.name]).cloned().collect();
            Some((f.body.as_ref()?.address, names))
        })
        .collect();
    let mut checked = 0;
    for (address, names) in &dynamic {
        if names.iter().all(|n| n.starts_with("_nl_")) {
            continue;
        }
        let Some(known) = ours.get(address) else {
            panic!("{names:?} at {address:#x} are not listed")
        };
        assert!(known.is_superset(names), "{names:?} {known:?}");
        checked += 1;
    }
    assert!(checked > 1500, "{checked}");
    if module.debug_status().unwrap().source != ytrace_debuginfo::DebugSource::None {
        assert_eq!(parameters(&malloc), ["bytes"]);
        assert_eq!(parameters(&only(&module, "realloc")), ["oldmem", "bytes"]);
    }
}

const CLONES: &str = r#"
int sink;
static __attribute__((noinline)) int scale(int a, int b) { sink += a; return a * b + sink; }
static int tiny(int x) { return x * 3 + sink; }
__attribute__((noinline, noclone)) int whole(int a, char *text) { return tiny(a) + text[0]; }
__attribute__((noinline, noclone)) int both(int a) { return tiny(a) * tiny(a + 1); }
void name_of_two(void) __attribute__((alias("name_of_one")));
void name_of_one(void) { sink++; }
int main(int argc, char **argv) {
    return scale(argc, 7) + scale(argc + 1, 7) + whole(argc, argv[0]) + both(argc);
}
"#;

#[test]
fn clones_aliases_and_what_is_only_inlined() {
    let build = Build::new(&[("c.c", CLONES)]);
    build.run("gcc", &["-O2", "-g", "-fno-ipa-icf", "-o", "c", "c.c"]);
    let module = build.open("c");
    let table = nm(&build.path("c"), &[]);
    // gcc knows that `b` is 7, and makes a copy without it.
    let scale = only(&module, "scale");
    let made: Vec<&BTreeSet<String>> = table
        .values()
        .filter(|names| names.iter().any(|n| n.starts_with("scale.")))
        .collect();
    assert_eq!(made.len(), 1, "gcc made other copies: {made:?}");
    assert_eq!(scale.body, None);
    assert_eq!(scale.clones.len(), 1, "{scale:#?}");
    assert!(made[0].contains(&scale.clones[0].symbol));
    assert!(scale.clones[0].size > 0);
    assert_eq!(only(&module, &scale.clones[0].symbol).clones, scale.clones);

    let tiny = only(&module, "tiny");
    assert_eq!((&tiny.body, tiny.clones.len()), (&None, 0));
    assert_eq!(parameters(&tiny), ["x"]);

    let whole = only(&module, "whole");
    assert_eq!(parameters(&whole), ["a", "text"]);
    assert!(whole.external);
    for (name, other) in [
        ("name_of_one", "name_of_two"),
        ("name_of_two", "name_of_one"),
    ] {
        let function = only(&module, name);
        assert_eq!(
            (function.name.as_str(), function.aliases.as_slice()),
            (name, &[other.to_owned()][..])
        );
    }
    let pattern = beginning(&module, "name_of_");
    assert_eq!(pattern.len(), 1);
    assert!(
        module
            .functions_named("nothing_of_that_name")
            .unwrap()
            .is_empty()
    );
    assert!(beginning(&module, "nothing").is_empty());
    assert_eq!(module.suggest_functions("whol").unwrap(), ["whole"]);
}

const CPP: &str = r#"
namespace ns {
struct Box { int v; int grow(int by) const; template <class T> T as() const; };
__attribute__((noinline)) int Box::grow(int by) const { return v + by; }
template <class T> __attribute__((noinline)) T Box::as() const { return static_cast<T>(v); }
__attribute__((noinline)) int twice(int x) { return x * 2; }
__attribute__((noinline)) double twice(double x) { return x * 2; }
}
namespace { __attribute__((noinline)) int hidden(int x) { asm volatile(""); return x + 1; } }
int main(int argc, char **) {
    ns::Box b{argc};
    return b.grow(1) + b.as<long>() + ns::twice(argc) + (int)ns::twice(1.5) + hidden(argc);
}
"#;

#[test]
fn names_of_cpp() {
    let build = Build::new(&[("c.cc", CPP)]);
    build.run("g++", &["-O1", "-g", "-o", "with", "c.cc"]);
    build.run("g++", &["-O1", "-o", "without", "c.cc"]);
    for file in ["with", "without"] {
        let module = build.open(file);
        let grow = only(&module, "ns::Box::grow");
        assert_eq!(grow.name, "ns::Box::grow");
        assert_eq!(grow.body.as_ref().unwrap().symbol, "_ZNK2ns3Box4growEi");
        assert_eq!(only(&module, "_ZNK2ns3Box4growEi").body, grow.body);
        let both = module.functions_named("ns::twice").unwrap();
        assert_eq!(both.len(), 2, "{file}: {both:?}");
        let twice = only(&module, "ns::twice(double)");
        assert_eq!(twice.body.unwrap().symbol, "_ZN2ns5twiceEd");
        let parameters = twice.prototype.and_then(|known| known.parameters);
        let count = parameters.map(|parameters| parameters.len());
        assert_eq!(count, (file == "with").then_some(1));
        let all = beginning(&module, "ns::");
        assert_eq!(all.len(), 4, "{file}: {all:#?}");
        let hidden = module
            .functions_matching(&|name| name.ends_with("hidden"))
            .unwrap();
        assert_eq!(hidden.len(), 1, "{file}: {hidden:?}");
        assert_eq!(hidden[0].name, "(anonymous namespace)::hidden");
        assert!(!hidden[0].external);
    }
}

#[test]
fn stripped_files_have_what_the_dynamic_linker_needs() {
    let build = Build::new(&[("c.c", CLONES)]);
    build.run(
        "gcc",
        &["-O2", "-shared", "-fPIC", "-s", "-o", "c.so", "c.c"],
    );
    let module = build.open("c.so");
    let whole = only(&module, "whole");
    assert!(whole.prototype.is_none() && whole.body.is_some());
    assert!(module.functions_named("scale").unwrap().is_empty());
    let found = beginning(&module, "");
    let dynamic = nm(&build.path("c.so"), &["-D", "--defined-only"]);
    assert_eq!(found.len(), dynamic.len(), "{found:?}");
}

/// Entry addresses of all inlined copies, by readelf.
fn entries_of_copies(path: &Path) -> BTreeSet<u64> {
    let output = Command::new("readelf")
        .args(["--debug-dump=info", "-W"])
        .arg(path)
        .env("LC_ALL", "C")
        .output()
        .expect("readelf is needed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let entries = text.split(" Abbrev Number: ");
    entries
        .filter(|entry| entry.contains("(DW_TAG_inlined_subroutine)"))
        .filter_map(|entry| {
            let line = entry.lines().find(|l| l.contains("DW_AT_entry_pc"))?;
            let word = line.split_whitespace().find_map(|w| w.strip_prefix("0x"))?;
            u64::from_str_radix(word, 16).ok()
        })
        .collect()
}

#[test]
fn inlined_copies_are_where_the_debug_information_says() {
    let build = Build::new(&[("c.c", CLONES)]);
    build.run(
        "gcc",
        &["-O2", "-g", "-fno-ipa-icf", "-no-pie", "-o", "c", "c.c"],
    );
    let module = build.open("c");
    let copies = module.inlined_copies("tiny").unwrap();
    assert_eq!(copies.len(), 3, "{copies:#?}");
    let within: Vec<&str> = copies.iter().filter_map(|c| c.within.as_deref()).collect();
    for (name, count) in [("whole", 1), ("both", 2)] {
        assert_eq!(
            within.iter().filter(|w| **w == name).count(),
            count,
            "{within:?}"
        );
    }
    assert!(
        copies
            .iter()
            .all(|c| c.call_line.is_some() && c.file_offset.is_some())
    );
    assert!(module.inlined_copies("whole").unwrap().is_empty());
    // Nothing else is inlined in this program.
    let ours: BTreeSet<u64> = copies.iter().map(|c| c.address).collect();
    assert_eq!(ours, entries_of_copies(&build.path("c")));
}

const INDIRECT: &str = r#"
static int plain(int x) { return x + 1; }
static int vector(int x) { return x + 2; }
int level = 1;
static void *pick(void) { return level > 2 ? (void *)vector : (void *)plain; }
int work(int x) __attribute__((ifunc("pick")));
int main(int argc, char **argv) { return work(argc); }
"#;

#[test]
fn indirect_functions_have_implementations_and_slots() {
    let build = Build::new(&[("i.c", INDIRECT)]);
    for (name, flags) in [("pie", ["-O1", "-pie"]), ("fixed", ["-O1", "-no-pie"])] {
        build.run("gcc", &[&flags[..], &["-g", "-o", name, "i.c"]].concat());
        let module = build.open(name);
        let work = only(&module, "work");
        assert!(work.indirect, "{work:?}");
        let resolver = work.body.unwrap();
        assert_eq!(
            only(&module, "pick").body.unwrap().address,
            resolver.address
        );
        let names: BTreeSet<String> = module
            .implementations(&resolver)
            .into_iter()
            .map(|b| b.symbol)
            .collect();
        assert_eq!(
            names,
            ["plain".to_owned(), "vector".to_owned()].into(),
            "{name}"
        );
        let slots = module.resolved_slots(resolver.address);
        assert_eq!(
            slots,
            relocations(&build.path(name), "R_X86_64_IRELATIV"),
            "{name}"
        );
        assert!(!slots.is_empty());
    }
}

/// Places of the relocations of a type, by readelf.
fn relocations(path: &Path, kind: &str) -> Vec<u64> {
    let output = Command::new("readelf")
        .args(["-r", "-W"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut found: Vec<u64> = text
        .lines()
        .filter(|line| line.contains(kind))
        .filter_map(|line| u64::from_str_radix(line.split_whitespace().next()?, 16).ok())
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn implementations_and_imports_of_the_c_library() {
    let module = Loader::default()
        .open(Path::new("/lib/x86_64-linux-gnu/libc.so.6"))
        .unwrap();
    let found = module.functions_named("memcpy").unwrap();
    let indirect = found.iter().find(|f| f.indirect).unwrap();
    let implementations = module.implementations(indirect.body.as_ref().unwrap());
    if module.symbol_count() > 10_000 {
        // With its symbols: one for each kind of vector unit.
        assert!(implementations.len() > 4, "{implementations:?}");
        assert!(
            implementations.iter().all(|b| b.symbol.contains("mem")),
            "{implementations:?}"
        );
    }
    let program = Loader::default().open(Path::new("/usr/bin/gdb")).ok();
    if let Some(program) = program {
        let slots = program.import_slots("malloc");
        assert!(!slots.is_empty());
        let expected = relocations(Path::new("/usr/bin/gdb"), " malloc@");
        assert_eq!(slots, expected);
    }
}
