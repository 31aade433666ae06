//! Where probes of functions go, held against objdump's idea of the same code.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

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
