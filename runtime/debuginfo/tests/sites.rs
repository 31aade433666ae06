//! Where probes of functions go, held against objdump's idea of the same code.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::Build;
use ytrace_debuginfo::{
    KernelRules, Loader, Module, Refusal, Serves, Site, SiteKind, Symbol, SymbolKind,
};

/// The instructions of a file by address, and where its direct branches lead from, by objdump.
struct Disassembly {
    instructions: HashMap<u64, String>,
    /// Target and source.
    branches: BTreeSet<(u64, u64)>,
}

impl Disassembly {
    fn of(path: &Path) -> Self {
        let output = Command::new("objdump")
            .args(["-d", "-z", "--no-show-raw-insn", "-M", "intel"])
            .arg(path)
            .env("LC_ALL", "C")
            .output()
            .expect("objdump is needed");
        assert!(output.status.success());
        let text = String::from_utf8_lossy(&output.stdout);
        let mut instructions = HashMap::new();
        let mut branches = BTreeSet::new();
        for line in text.lines() {
            let Some((address, rest)) = line.split_once(":\t") else {
                continue;
            };
            let Ok(address) = u64::from_str_radix(address.trim(), 16) else {
                continue;
            };
            let mut words = rest.split_whitespace().peekable();
            while words
                .next_if(|w| matches!(*w, "bnd" | "notrack" | "rep" | "lock"))
                .is_some()
            {}
            let mnemonic = words.next().unwrap_or_default().to_owned();
            let is_branch =
                mnemonic.starts_with('j') || mnemonic.starts_with("loop") || mnemonic == "call";
            if is_branch
                && let Some(target) = words.next().and_then(|w| u64::from_str_radix(w, 16).ok())
            {
                branches.insert((target, address));
            }
            instructions.insert(address, mnemonic);
        }
        Disassembly {
            instructions,
            branches,
        }
    }
}

/// All functions of the symbol tables, one for each address.
fn functions(module: &Module) -> BTreeMap<u64, Symbol> {
    module
        .symbols()
        .filter(|s| s.kind == SymbolKind::Function && s.address != 0)
        .map(|s| (s.address, s))
        .collect()
}

fn site(module: &Module, symbol: &Symbol, serves: Serves) -> Result<Site, Refusal> {
    module.site(symbol.address, symbol.size, serves, KernelRules::default())
}

#[derive(Default, Debug)]
struct Tally {
    functions: usize,
    refused: usize,
    /// First instruction is emulated.
    cheap_at_entry: usize,
    /// Site of the entry is emulated.
    cheap: usize,
    /// Site of entry and return is emulated.
    cheap_with_return: usize,
}

fn check(path: &Path) -> Tally {
    let module = Loader::default().open(path).unwrap();
    let objdump = Disassembly::of(path);
    let mut tally = Tally::default();
    for symbol in functions(&module).values() {
        let entry = symbol.address;
        if !objdump.instructions.contains_key(&entry) {
            continue;
        }
        tally.functions += 1;
        let chosen = match site(&module, symbol, Serves::Entry) {
            Ok(site) => site,
            Err(refusal) => {
                assert!(
                    matches!(refusal, Refusal::Instruction { .. }),
                    "{}: {refusal}",
                    symbol.name
                );
                tally.refused += 1;
                continue;
            }
        };
        let first = module.site_at(entry, KernelRules::default());
        let is_cheap = |site: &Site| site.kind != SiteKind::SingleStepped;
        tally.cheap_at_entry += usize::from(first.is_ok_and(|s| is_cheap(&s)));
        tally.cheap += usize::from(is_cheap(&chosen));
        holds(symbol, &chosen, &objdump);
        if let Ok(both) = site(&module, symbol, Serves::EntryAndReturn) {
            holds(symbol, &both, &objdump);
            assert!(both.serves_return && both.stack_offset == 0, "{both:?}");
            tally.cheap_with_return += usize::from(is_cheap(&both));
        }
    }
    tally
}

fn holds(symbol: &Symbol, site: &Site, objdump: &Disassembly) {
    let entry = symbol.address;
    let name = &symbol.name;
    assert!(
        site.address >= entry && site.address - entry < 256,
        "{name}: {site:?}"
    );
    let mnemonic = objdump
        .instructions
        .get(&site.address)
        .unwrap_or_else(|| panic!("{name}: no instruction begins there: {site:?}"));
    let branch = objdump
        .branches
        .range((entry + 1, 0)..(site.address.max(entry) + 1, 0))
        .next();
    assert_eq!(branch, None, "{name}: a branch leads there: {site:?}");
    let emulated =
        mnemonic.starts_with('j') || ["push", "nop", "call", "xchg"].contains(&mnemonic.as_str());
    assert!(
        emulated || site.kind == SiteKind::SingleStepped,
        "{name}: {mnemonic} is not emulated: {site:?}"
    );
}

#[test]
fn sites_of_all_functions_are_instructions_that_no_branch_leads_to() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.fixtures");
    let files: [(&str, PathBuf); 3] = [
        ("libc", "/lib/x86_64-linux-gnu/libc.so.6".into()),
        ("nginx", fixtures.join("dwarf/nginx/sbin/nginx")),
        (
            "luajit",
            fixtures.join("dwarf/luajit-gc64/lib/libluajit-5.1.so.2"),
        ),
    ];
    for (name, path) in files {
        if !path.exists() {
            common::skip("sites", &format!("{} is missing", path.display()));
            continue;
        }
        let tally = check(&path);
        eprintln!("{name}: {tally:?}");
        assert!(tally.functions > 300, "{name}: {tally:?}");
        assert!(tally.cheap >= tally.cheap_at_entry, "{name}: {tally:?}");
        assert!(tally.refused * 50 < tally.functions, "{name}: {tally:?}");
    }
}

/// What `readelf -n` knows of static probes: provider, name, address, semaphore, arguments.
fn readelf(path: &Path) -> Vec<(String, String, u64, u64, String)> {
    let output = Command::new("readelf")
        .args(["-n", "-W"])
        .arg(path)
        .env("LC_ALL", "C")
        .output()
        .expect("readelf is needed");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut found: Vec<(String, String, u64, u64, String)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some((_, provider)) = line.split_once("Provider: ") {
            found.push((provider.into(), String::new(), 0, 0, String::new()));
        }
        let Some(last) = found.last_mut() else {
            continue;
        };
        if let Some(name) = line.strip_prefix("Name: ") {
            last.1 = name.into();
        } else if let Some(arguments) = line.strip_prefix("Arguments: ") {
            last.4 = arguments.into();
        } else if let Some(places) = line.strip_prefix("Location: ") {
            let number = |key: &str| {
                let at = places.split(key).nth(1).unwrap_or_default();
                let word = at.trim().split(',').next().unwrap_or_default();
                u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap_or_default()
            };
            last.2 = places
                .split(',')
                .next()
                .and_then(|w| u64::from_str_radix(w.trim_start_matches("0x"), 16).ok())
                .unwrap_or_default();
            last.3 = number("Semaphore: ");
        }
    }
    found.sort();
    found
}

fn static_probes(path: &Path) -> usize {
    let module = Loader::default().open(path).unwrap();
    let found = module.static_probes().unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    let mut ours: Vec<_> = found
        .probes
        .iter()
        .map(|p| {
            let arguments: Vec<&str> = p.arguments.iter().map(|a| a.text.as_str()).collect();
            (
                p.provider.clone(),
                p.name.clone(),
                p.address,
                p.semaphore.map_or(0, |s| s.address),
                arguments.join(" "),
            )
        })
        .collect();
    ours.sort();
    assert_eq!(ours, readelf(path));
    for probe in &found.probes {
        for argument in &probe.arguments {
            assert!(
                argument.operand != ytrace_debuginfo::Operand::Unknown,
                "{probe:?}"
            );
        }
        // Each marks a `nop`, which costs little.
        let site = module
            .site_at(probe.address, KernelRules::default())
            .unwrap();
        assert_eq!(
            (site.instruction.as_str(), site.kind),
            ("nop", SiteKind::Emulated)
        );
    }
    found.probes.len()
}

#[test]
fn static_probes_of_installed_programs() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.fixtures");
    let of_release = format!("{fixtures}/glibc/2.43/usr/lib/x86_64-linux-gnu/libc.so.6");
    let files = [
        of_release.as_str(),
        "/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
        "/usr/bin/python3",
    ];
    // Not every distribution builds the C library with them.
    let counts = files.map(Path::new).map(|path| {
        if path.exists() {
            static_probes(path)
        } else {
            0
        }
    });
    eprintln!("static probes: {counts:?}");
    if counts.iter().sum::<usize>() == 0 {
        common::skip("static_probes", "nothing that is installed has any");
    }
}

/// The note that `<sys/sdt.h>` makes, written out, since the header is not everywhere.
const PROBES: &str = r#"
#define STR(x) #x
#define PROBE(provider, name, semaphore, format, ...) \
    __asm__ volatile("990: nop\n" \
        ".pushsection .note.stapsdt,\"?\",\"note\"\n.balign 4\n" \
        ".4byte 992f-991f, 994f-993f, 3\n991: .asciz \"stapsdt\"\n992: .balign 4\n" \
        "993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte " semaphore "\n" \
        ".asciz \"" #provider "\"\n.asciz \"" #name "\"\n.asciz \"" format "\"\n" \
        "994: .balign 4\n.popsection\n" \
        ".ifndef _.stapsdt.base\n.pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
        ".weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base: .space 1\n" \
        ".size _.stapsdt.base,1\n.popsection\n.endif\n" :: __VA_ARGS__)
__attribute__((section(".probes"))) unsigned short demo_hot_semaphore;
long counter = 42;
struct s { long a, b; };
__attribute__((noinline)) int work(int n, struct s *s, const char *text, double d) {
    PROBE(demo, hot, "demo_hot_semaphore", "-4@%0 8@%1 8@%2 -4@%3", "nor"(n), "nor"(s->b), "nor"(text), "nor"(5));
    PROBE(demo, cold, "0", "8@%0 8f@%1", "m"(counter), "x"(d));
    return n + (int)s->a;
}
int main(int argc, char **argv) {
    struct s s = {argc, 2};
    if (argc > 100) PROBE(demo, cold, "0", "", "i"(0));
    return work(argc, &s, argv[0], 1.5) == 7;
}
"#;

#[test]
fn static_probes_of_compiled_programs() {
    let build = Build::new(&[("p.c", PROBES)]);
    for (name, flags) in [("o0", ["-O0", "-pie"]), ("o2", ["-O2", "-no-pie"])] {
        build.run("gcc", &[&flags[..], &["-g", "-o", name, "p.c"]].concat());
        let path = build.path(name);
        assert_eq!(static_probes(&path), 3, "{name}");
        let module = build.open(name);
        let found = module.static_probes().unwrap().probes;
        let hot = found.iter().find(|p| p.name == "hot").unwrap();
        let semaphore = hot.semaphore.unwrap();
        // The file holds zero there, and it is the symbol.
        let symbol = module.symbols_named("demo_hot_semaphore");
        assert_eq!(symbol[0].address, semaphore.address);
        let bytes = std::fs::read(&path).unwrap();
        let at = semaphore.file_offset.unwrap() as usize;
        assert_eq!(bytes[at..at + 2], [0, 0]);
        let cold = found
            .iter()
            .find(|p| p.name == "cold" && !p.arguments.is_empty());
        let ytrace_debuginfo::Operand::Symbol { address, .. } = &cold.unwrap().arguments[0].operand
        else {
            panic!("{cold:?}")
        };
        assert_eq!(*address, Some(module.symbols_named("counter")[0].address));
    }
}

const SMALL: &str = "
int sink;
__attribute__((noinline)) int leaf(int a, int b) { return a * b + sink; }
__attribute__((noinline)) int calls(int a) { sink += leaf(a, 3); return leaf(sink, a); }
int pick(int a) { switch (a) { case 1: return 7; case 2: return calls(a); case 3: return 9;
    case 4: return leaf(a, a); case 5: return 12; default: return 0; } }
int main(int argc, char **argv) { return pick(argc); }
";

#[test]
fn any_bytes_as_code_are_refused_or_placed() {
    let build = Build::new(&[("s.c", SMALL)]);
    build.run("gcc", &["-O2", "-g", "-o", "s", "s.c"]);
    let bytes = std::fs::read(build.path("s")).unwrap();
    let module = build.open("s");
    let code: Vec<(usize, usize)> = module
        .sections()
        .iter()
        .filter(|s| s.is_code() || s.name == ".eh_frame")
        .map(|s| (s.offset as usize, s.size as usize))
        .collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |limit: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) as usize % limit.max(1)
    };
    let (mut placed, mut refused) = (0, 0);
    for round in 0..300 {
        let mut damaged = bytes.clone();
        for &(offset, size) in &code {
            for _ in 0..=size / (1 + round % 40) {
                let at = offset + next(size);
                damaged[at] = next(256) as u8;
            }
        }
        let module = build
            .loader()
            .open_bytes(&build.path("s"), damaged)
            .unwrap();
        for function in functions(&module).values() {
            for serves in [Serves::Entry, Serves::EntryAndReturn] {
                match site(&module, function, serves) {
                    Ok(site) => {
                        assert!(site.address >= function.address);
                        assert!(site.address - function.address <= 32 * 15);
                        placed += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
            let at = function.address + next(64) as u64;
            let _ = module.site_at(at, KernelRules::default());
        }
        for function in module.functions_named("main").unwrap() {
            if let Some(body) = function.body {
                assert!(module.implementations(&body).len() < 100);
            }
        }
    }
    assert!(placed > 100 && refused > 10, "{placed} {refused}");
    for address in [0, 1, u64::MAX, u64::MAX - 4, 1 << 63] {
        for size in [0, 1, u64::MAX] {
            let found = module.site(address, size, Serves::Entry, KernelRules::default());
            assert!(found.is_err());
        }
        assert!(module.site_at(address, KernelRules::default()).is_err());
    }
}

const NOPS: &str = r#"
__asm__(".text\n"
    ".globl patchable\n.type patchable,@function\npatchable: endbr64\n.byte 0x0f,0x1f,0x44,0,0\npush %rbx\npop %rbx\nret\n.size patchable,.-patchable\n"
    ".globl first\n.type first,@function\nfirst: .byte 0x0f,0x1f,0x44,0,0\nret\n.size first,.-first\n"
    ".globl leaf\n.type leaf,@function\nleaf: mov %rdi,-8(%rsp)\nleaf_nop: .byte 0x0f,0x1f,0x44,0,0\nmov -8(%rsp),%rax\nret\n.size leaf,.-leaf\n"
    ".globl loop\n.type loop,@function\nloop: mov %rdi,%rax\n1: push %rbx\npop %rbx\ndec %rax\njnz 1b\nret\n.size loop,.-loop\n"
    ".globl locked\n.type locked,@function\nlocked: lock incl (%rdi)\nret\n.size locked,.-locked\n"
    ".globl writes\n.type writes,@function\nwrites: mov %esi,%edi\npush %rbx\npop %rbx\nret\n.size writes,.-writes\n"
    ".globl frame\n.type frame,@function\nframe: .cfi_startproc\nmov %rsp,%rax\nsub $24,%rsp\n.cfi_adjust_cfa_offset 24\nmov %rdi,8(%rsp)\npush %rbx\n.cfi_adjust_cfa_offset 8\n"
    "pop %rbx\n.cfi_adjust_cfa_offset -8\nadd $24,%rsp\n.cfi_adjust_cfa_offset -24\nret\n.cfi_endproc\n.size frame,.-frame\n");
int main(void) { return 0; }
"#;

#[test]
fn each_rule_of_placement() {
    let build = Build::new(&[("n.c", NOPS)]);
    build.run("gcc", &["-O1", "-o", "n", "n.c"]);
    let module = build.open("n");
    let address = |name: &str| module.symbols_named(name)[0].clone();
    let place = |name: &str, serves| {
        let symbol = address(name);
        site(&module, &symbol, serves).map(|s| (s.address - symbol.address, s.kind, s.stack_offset))
    };
    use SiteKind::{Emulated, Nop5, SingleStepped};
    // The `nop` would become a call, but nothing is kept below the stack pointer yet.
    assert_eq!(place("patchable", Serves::Entry), Ok((4, Nop5, 0)));
    assert_eq!(place("first", Serves::EntryAndReturn), Ok((0, Nop5, 0)));
    // Here the call would overwrite what was put below the stack pointer.
    assert_eq!(place("leaf", Serves::Entry), Ok((0, SingleStepped, 0)));
    let inside = address("leaf_nop");
    assert!(
        module
            .site_at(inside.address, KernelRules::default())
            .is_err()
    );
    let old = KernelRules::of_release("6.17.2");
    assert!(
        module
            .site_at(inside.address, old)
            .is_ok_and(|s| s.kind == Emulated)
    );
    let older = KernelRules::of_release("5.15.0-generic");
    assert!(
        module
            .site_at(inside.address, older)
            .is_ok_and(|s| s.kind == SingleStepped)
    );
    // The `push` is cheap, but is come by once a round.
    assert_eq!(place("loop", Serves::Entry), Ok((0, SingleStepped, 0)));
    assert!(place("locked", Serves::Entry).is_err());
    // The first argument is gone before the `push`.
    assert_eq!(place("writes", Serves::Entry), Ok((0, SingleStepped, 0)));
    // The return address is no longer at the stack pointer, but arguments are where they were.
    assert_eq!(place("frame", Serves::Entry), Ok((12, Emulated, 24)));
    assert_eq!(
        place("frame", Serves::EntryAndReturn),
        Ok((0, SingleStepped, 0))
    );
}
