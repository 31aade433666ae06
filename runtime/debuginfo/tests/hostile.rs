//! Damaged and hostile files: no panic, no endless loop, no memory out of proportion.

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::Build;
use proptest::prelude::*;
use ytrace_debuginfo::{
    CapturedStack, CodeMap, Cut, DebugRoot, Loader, MAX_FRAMES, MappedModule, Module, NameKind,
    REGISTERS, Stack, ThreadState, TypeDesc, TypeRef, Unwinder,
};

const SOURCE: &str = "
    struct node { struct node *next; int data[3][4]; unsigned a : 3, b : 9; union { long l; double d; }; };
    enum color { RED, GREEN = 7 }; typedef int (*callback)(struct node *, enum color, ...);
    struct node *head; callback hook; static int counter[5]; __thread int local;
    static inline int inner(int x) { return x * counter[x & 3]; }
    int outer(struct node *n, int x) { return inner(x) + n->a + local; }
    int main(void) { counter[1] = 2; return outer(head, 3); }
";

/// The number of the stack pointer among the registers.
const STACK_POINTER: usize = if cfg!(target_arch = "x86_64") { 7 } else { 31 };

/// One machine word of work is not enough to hang on: everything must be done well within this.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks for everything that a module knows.
fn exercise(bytes: Vec<u8>) {
    let start = Instant::now();
    let loader = Loader::default()
        .debug_roots(vec![DebugRoot {
            path: "/nonexistent".into(),
            on_host: true,
        }])
        .index_limit(Duration::from_secs(5));
    if let Ok(module) = loader.open_bytes(Path::new("/nonexistent/damaged"), bytes) {
        ask(&module);
    }
    assert!(start.elapsed() < LIMIT, "it took {:?}", start.elapsed());
}

fn ask(module: &Module) {
    let _ = (
        module.name(),
        module.debug_status().is_ok(),
        module.symbol_count(),
    );
    for section in module.sections() {
        let _ = module.section(&section.name);
    }
    let units = module.units().unwrap_or_default();
    for kind in NameKind::ALL {
        for name in module.names(kind).unwrap_or_default().iter().take(200) {
            for unit in units.iter().map(Some).take(2).chain([None]) {
                let unit = unit.map(String::as_str);
                if let Ok(Some(ty)) = module.find_type(kind, name, unit) {
                    walk(module, ty, 0, &mut 2000);
                }
                let _ = module.find_enumerator(name, unit);
                let _ = module.variable(name, unit);
                if let Ok(functions) = module.functions(name, unit) {
                    for f in functions.iter().take(4) {
                        let parameters = f.parameters.iter().flatten();
                        parameters.for_each(|p| walk(module, p.ty, 0, &mut 200));
                        if let Some(entry) = f.entry {
                            let _ = module.symbolize(entry);
                            let _ = module.symbolize(entry.wrapping_add(5));
                        }
                    }
                }
            }
            let _ = module.suggest(kind, name);
        }
    }
    for symbol in module.symbols().take(200) {
        let _ = module.symbolize(symbol.address);
        let _ = module.symbolize_data(symbol.address.wrapping_add(1));
        let _ = module.symbols_named(&symbol.name);
    }
    for address in [0, 1, 0x1000, u64::MAX] {
        let _ = module.symbolize(address);
        let _ = module.symbolize_data(address);
    }
    for start in (0..0x2000).step_by(0x11) {
        unwind(module, start);
    }
}

/// A module, and nothing else, at [`BIAS`].
struct Alone<'a>(&'a Module);

const BIAS: u64 = 0x7000_0000;

impl CodeMap for Alone<'_> {
    fn module_at(&self, address: u64) -> Option<MappedModule<'_>> {
        (BIAS..BIAS + 0x4000)
            .contains(&address)
            .then_some(MappedModule {
                range: BIAS..BIAS + 0x4000,
                bias: BIAS,
                module: self.0,
            })
    }
}

/// Unwinds from an address of the module on a stack whose words lead all over it, by the tables themselves and by rows of them.
fn unwind(module: &Module, start: u64) {
    let word = |address: u64| {
        let odd = address.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match odd % 3 {
            0 => BIAS + odd % 0x2000,
            1 => address.wrapping_add(odd % 256),
            _ => odd,
        }
    };
    let mut registers = [0; REGISTERS];
    for (number, register) in (0u64..).zip(&mut registers) {
        *register = 0x1000 + number * start;
    }
    let instruction_pointer = BIAS + start;
    let stack_pointer = registers[STACK_POINTER];
    let memory: Vec<u8> = (0..0x400u64)
        .flat_map(|index| word(stack_pointer + index * 8).to_ne_bytes())
        .collect();
    let captured = CapturedStack {
        instruction_pointer,
        registers,
        memory: &memory,
        at_entry: false,
    };
    let mut read = |address: u64| {
        let offset = usize::try_from(address.checked_sub(stack_pointer)?).ok()?;
        let bytes = memory.get(offset..)?.first_chunk()?;
        Some(u64::from_ne_bytes(*bytes))
    };
    let thread = ThreadState {
        instruction_pointer,
        register: &|number| registers.get(usize::from(number)).copied(),
    };
    let mut slow = Unwinder::default().stack(&thread, &Alone(module), &mut read);
    assert!((1..=MAX_FRAMES).contains(&slow.frames.len()));
    // By what a function reads, a word beyond the slice is one that cannot be read.
    if let Some(Cut::Memory(address)) = slow.cut
        && let Some(offset) = address.checked_sub(stack_pointer)
        && offset < 64 << 20
    {
        slow.bytes = offset + 8;
        slow.cut = Some(Cut::Slice(slow.bytes));
    }
    let mut unwinder = Unwinder::default();
    let mut fast = Stack::default();
    // The second time, rows are there.
    for _ in 0..2 {
        unwinder.captured(&captured, &Alone(module), &mut fast);
        assert_eq!(fast, slow, "from {start:#x}");
    }
}

fn walk(module: &Module, ty: TypeRef, depth: usize, budget: &mut usize) {
    if depth > 12 || *budget == 0 {
        return;
    }
    *budget -= 1;
    let _ = module.size_of(ty);
    let next: Vec<TypeRef> = match module.describe(ty) {
        Ok(TypeDesc::Pointer { target, .. } | TypeDesc::Typedef { target, .. }) => vec![target],
        Ok(TypeDesc::Array { element, .. }) => vec![element],
        Ok(TypeDesc::Struct(a) | TypeDesc::Union(a)) => a.fields.iter().map(|f| f.ty).collect(),
        Ok(TypeDesc::Function {
            result, parameters, ..
        }) => [vec![result], parameters].concat(),
        _ => Vec::new(),
    };
    for ty in next {
        walk(module, ty, depth + 1, budget);
    }
}

fn program(flags: &[&str]) -> Vec<u8> {
    let build = Build::new(&[("prog.c", SOURCE)]);
    let mut arguments = vec![
        "-O1",
        "-nostdlib",
        "-shared",
        "-fPIC",
        "prog.c",
        "-o",
        "prog",
    ];
    arguments.extend(flags);
    build.run("gcc", &arguments);
    std::fs::read(build.path("prog")).unwrap()
}

/// The range of a section's content in the file, found the slow way: through the module itself.
fn sections(bytes: &[u8]) -> Vec<(usize, usize)> {
    let module = Loader::default()
        .open_bytes(Path::new("/x"), bytes.to_vec())
        .unwrap();
    module
        .sections()
        .iter()
        .filter(|s| s.has_content() && s.size > 0)
        .filter(|s| {
            ["debug", "sym", "version", "eh_frame"]
                .iter()
                .any(|part| s.name.contains(part))
        })
        .map(|s| {
            (
                usize::try_from(s.offset).unwrap(),
                usize::try_from(s.size).unwrap(),
            )
        })
        .collect()
}

#[test]
fn every_byte_of_abbreviations_and_headers() {
    // The most powerful bytes: each is set to several values in turn.
    let bytes = program(&["-gdwarf-5"]);
    let module = Loader::default()
        .open_bytes(Path::new("/x"), bytes.clone())
        .unwrap();
    let abbreviations = module
        .sections()
        .iter()
        .find(|s| s.name == ".debug_abbrev")
        .unwrap();
    let info = module
        .sections()
        .iter()
        .find(|s| s.name == ".debug_info")
        .unwrap();
    let from = |s: &ytrace_debuginfo::Section, len: u64| {
        let start = usize::try_from(s.offset).unwrap();
        start..start + usize::try_from(len.min(s.size)).unwrap()
    };
    let header = usize::try_from(u64::from_le_bytes(bytes[40..48].try_into().unwrap())).unwrap();
    let places = (0..64)
        .chain(from(abbreviations, 600))
        .chain(from(info, 300))
        .chain((header..bytes.len()).step_by(3));
    for at in places {
        for value in [bytes[at] ^ 1, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            exercise(damaged);
        }
    }
}

#[test]
fn a_type_that_contains_itself() {
    // References in a unit of this size take four bytes (DW_FORM_ref4): make each of them point to each of a few entries.
    let bytes = program(&["-gdwarf-4"]);
    let module = Loader::default()
        .open_bytes(Path::new("/x"), bytes.clone())
        .unwrap();
    let info = module
        .sections()
        .iter()
        .find(|s| s.name == ".debug_info")
        .unwrap();
    let start = usize::try_from(info.offset).unwrap();
    let size = usize::try_from(info.size).unwrap();
    let reference = |at: usize| {
        u32::from_le_bytes(bytes[start + at..start + at + 4].try_into().unwrap()) as usize
    };
    // What looks like a reference: a small number that is an offset in the unit and occurs more than once.
    let candidates: Vec<usize> = (11..size - 4)
        .filter(|&at| (11..size).contains(&reference(at)))
        .collect();
    let targets: Vec<usize> = candidates.iter().map(|&at| reference(at)).collect();
    for (i, &at) in candidates.iter().enumerate() {
        for target in [
            targets[i].saturating_sub(7),
            targets[(i * 7 + 3) % targets.len()],
        ] {
            let mut damaged = bytes.clone();
            damaged[start + at..start + at + 4]
                .copy_from_slice(&u32::try_from(target).unwrap().to_le_bytes());
            exercise(damaged);
        }
    }
    // And all of them to the same entry.
    for &target in targets.iter().step_by(3) {
        let mut damaged = bytes.clone();
        for &at in &candidates {
            damaged[start + at..start + at + 4]
                .copy_from_slice(&u32::try_from(target).unwrap().to_le_bytes());
        }
        exercise(damaged);
    }
}

#[test]
fn cut_short_everywhere() {
    let bytes = program(&["-gdwarf-5"]);
    for len in (0..bytes.len()).step_by(97) {
        exercise(bytes[..len].to_vec());
    }
}

fn flags() -> impl Strategy<Value = &'static [&'static str]> {
    prop_oneof![
        Just(&["-gdwarf-2"][..]),
        Just(&["-gdwarf-4"][..]),
        Just(&["-gdwarf-5"][..]),
        Just(&["-gdwarf-5", "-gz=zlib"][..]),
        Just(&["-gdwarf-4", "-fdebug-types-section"][..]),
        Just(&["-gdwarf-5", "-fdebug-types-section"][..]),
    ]
}

fn cached(flags: &'static [&'static str]) -> &'static (Vec<u8>, Vec<(usize, usize)>) {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex};
    type Programs = HashMap<&'static [&'static str], &'static (Vec<u8>, Vec<(usize, usize)>)>;
    static PROGRAMS: LazyLock<Mutex<Programs>> = LazyLock::new(Mutex::default);
    let mut programs = PROGRAMS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    programs.entry(flags).or_insert_with(|| {
        let bytes = program(flags);
        let sections = sections(&bytes);
        // A handful of small programs that live as long as the test.
        Box::leak(Box::new((bytes, sections)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits(
        flags in flags(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let (bytes, sections) = cached(flags);
        let mut damaged = bytes.clone();
        for (section, offset, value) in changes {
            let (start, size) = sections[section.index(sections.len())];
            damaged[start + offset.index(size)] ^= value;
        }
        exercise(damaged);
    }

    #[test]
    fn noise_that_starts_like_elf(mut noise in prop::collection::vec(any::<u8>(), 0..4096)) {
        for (to, from) in noise.iter_mut().zip(b"\x7fELF\x02\x01\x01") {
            *to = *from;
        }
        exercise(noise);
    }
}

/// Hand-made debug information: one function with `DW_TAG_inlined_subroutine` nested a hundred thousand times.
const NESTED: &str = r#"
    .text
    .globl f
f:  nop
    nop
f_end:
    .section .debug_abbrev,"",@progbits
    .uleb128 1; .uleb128 0x11; .byte 1; .uleb128 0x11; .uleb128 1; .uleb128 0x12; .uleb128 7; .uleb128 0x3; .uleb128 8; .byte 0, 0
    .uleb128 2; .uleb128 0x2e; .byte 1; .uleb128 0x11; .uleb128 1; .uleb128 0x12; .uleb128 7; .uleb128 0x3; .uleb128 8; .byte 0, 0
    .uleb128 3; .uleb128 0x1d; .byte 1; .byte 0, 0
    .uleb128 4; .uleb128 0x13; .byte 1; .uleb128 0x3; .uleb128 8; .byte 0, 0
    .byte 0
    .section .debug_info,"",@progbits
    .long end - start
start:
    .value 4
    .long 0
    .byte 8
    .uleb128 1; .quad f; .quad f_end - f; .string "nested.c"
    .uleb128 2; .quad f; .quad f_end - f; .string "f"
    .fill 100000, 1, 3
    .fill 100000, 1, 0
    .byte 0
    .rept 50000
    .uleb128 4; .string "s"
    .endr
    .fill 50000, 1, 0
    .byte 0
end:
"#;

#[test]
fn nesting_without_end() {
    let build = Build::new(&[("nested.s", NESTED)]);
    build.run("gcc", &["-nostdlib", "-shared", "nested.s", "-o", "nested"]);
    let bytes = std::fs::read(build.path("nested")).unwrap();
    exercise(bytes.clone());
    let module = Loader::default()
        .open_bytes(Path::new("/x"), bytes)
        .unwrap();
    let f = module.function("f", None).unwrap().unwrap();
    // The name comes from the symbol; lines are not read from such a file.
    let code = module.symbolize(f.entry.unwrap());
    assert_eq!(code.name.as_deref(), Some("f"));
    assert_eq!((code.location, code.inlined.len()), (None, 0));
    assert!(
        code.problem
            .unwrap()
            .to_string()
            .contains("nested too deeply")
    );
}

#[test]
fn modules_can_be_shared_among_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Module>();
    shared::<Loader>();
    let module = Loader::default()
        .open_bytes(Path::new("/x"), program(&["-gdwarf-5"]))
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| ask(&module));
        }
    });
}

/// Unwind tables of which every entry shares one that is as large as all others together.
#[test]
fn unwind_tables_take_time_in_proportion() {
    const ENTRIES: u32 = 60_000;
    let mut text = String::from(
        ".section .eh_frame,\"a\",@progbits\ncommon:\n.long 2f-1f\n1: .long 0\n.byte 1\n.byte 'z'\n",
    );
    text.push_str(".fill 400000, 1, 'S'\n.byte 0\n.uleb128 1\n.sleb128 -8\n.uleb128 16\n.uleb128 0\n.balign 8\n2:\n");
    text.push_str(&format!(".rept {ENTRIES}\n.long 2f-1f\n1: .long 1b-common\n.quad 0x1000\n.quad 0x10\n.uleb128 0\n.balign 8\n2:\n.endr\n.long 0\n.text\n.fill 64\n"));
    let build = Build::new(&[("tables.s", &text)]);
    build.run("gcc", &["-nostdlib", "-shared", "tables.s", "-o", "tables"]);
    let bytes = std::fs::read(build.path("tables")).unwrap();
    let module = Loader::default()
        .open_bytes(Path::new("/nonexistent/tables"), bytes)
        .unwrap();
    let start = Instant::now();
    for address in [0x1000, 0x1008] {
        unwind(&module, address);
    }
    assert!(start.elapsed() < LIMIT, "it took {:?}", start.elapsed());
}
