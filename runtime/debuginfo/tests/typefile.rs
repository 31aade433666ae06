//! Types files: all answers are those of the debug information that they were made of.

mod common;

use std::path::Path;

use common::{Build, run};
use proptest::prelude::*;
use ytrace_debuginfo::{
    Error, Found, Loader, Location, Module, NameKind, SharedBytes, TypeDesc, TypeRef, TypesFile,
};

const SHARED: &str = "
    typedef unsigned char u_char;
    enum color { RED, GREEN = 7, LARGE = 0x7fffffff };
    enum sign { MINUS = -1, PLUS = 1 };
    struct list { struct list *next, *previous; };
    struct node {
        struct list link; struct node *self; int grid[3][4]; unsigned a : 3, b : 9; long long c : 33;
        union { long l; struct { short s; u_char bytes[6]; }; } ; struct hidden *hidden;
        int (*callback)(struct node *, enum color, ...); _Bool flag; double d; char tail[];
    };
    typedef struct node node_t; typedef node_t *node_p; typedef const volatile node_p chain_t;
";
const FIRST: &str = "
    #include \"shared.h\"
    struct mine { int first; }; static struct mine own; static int counter[5];
    node_t *head; __thread int local; static __thread long hidden_local; const char *const name = \"x\";
    static inline int inner(int x) { return x * counter[x & 3]; }
    int outer(node_p n, int x, ...) { own.first = x; hidden_local++; return inner(x) + n->a + local; }
    static int helper(void) { return counter[1]; }
    int second(enum sign s);
    int main(void) { counter[1] = 2; return outer(head, 3) + helper() + second(PLUS) + *name; }
";
const SECOND: &str = "
    #include \"shared.h\"
    struct mine { long second; char more[3]; }; static struct mine own; chain_t chain; extern __thread int local;
    struct hidden { int found; enum sign sign; };
    struct hidden revealed;
    static int helper(struct mine *m) { return (int)m->second; }
    int second(enum sign s) { own.second = s; return helper(&own) + local + (chain != 0); }
";

fn program(flags: &[&str]) -> Build {
    let build = Build::new(&[
        ("shared.h", SHARED),
        ("dir/first.c", FIRST),
        ("dir/second.c", SECOND),
    ]);
    let mut arguments = vec!["-I.", "dir/first.c", "dir/second.c", "-o", "prog"];
    arguments.extend(flags);
    build.run("gcc", &arguments);
    build
}

/// A module without debug information that uses the types file of another one.
fn with_types(build: &Build, full: &Module, name: &str) -> Module {
    let extracted = full.extract_types("test").unwrap();
    assert!(extracted.problems.is_empty(), "{:?}", extracted.problems);
    let path = build.path("types");
    std::fs::write(&path, &extracted.bytes).unwrap();
    build
        .loader()
        .types_files(vec![TypesFile::open(&path).unwrap()], false)
        .open(&build.path(name))
        .unwrap()
}

/// Two types are alike if no question tells them apart.
fn alike(a: &Module, b: &Module, s: TypeRef, t: TypeRef, depth: usize) {
    assert_eq!(a.size_of(s).unwrap(), b.size_of(t).unwrap());
    let (x, y) = (a.describe(s).unwrap(), b.describe(t).unwrap());
    let (mut refs_x, mut refs_y) = (Vec::new(), Vec::new());
    assert_eq!(without(x, &mut refs_x), without(y, &mut refs_y));
    assert_eq!(refs_x.len(), refs_y.len());
    if depth > 0 {
        for (s, t) in refs_x.into_iter().zip(refs_y) {
            alike(a, b, s, t, depth - 1);
        }
    }
}

/// The description with references taken out.
fn without(mut description: TypeDesc, refs: &mut Vec<TypeRef>) -> TypeDesc {
    let mut take = |ty: &mut TypeRef| refs.push(std::mem::replace(ty, TypeRef::VOID));
    match &mut description {
        TypeDesc::Pointer { target, .. } | TypeDesc::Typedef { target, .. } => take(target),
        TypeDesc::Array { element, .. } => take(element),
        TypeDesc::Struct(a) | TypeDesc::Union(a) => {
            a.fields.iter_mut().for_each(|f| take(&mut f.ty));
        }
        TypeDesc::Function {
            result, parameters, ..
        } => {
            take(result);
            parameters.iter_mut().for_each(take);
        }
        _ => {}
    }
    description
}

/// Asks both modules for everything. Returns how many answers were compared.
fn compare(full: &Module, types: &Module) -> usize {
    let mut answers = 0;
    let units = full.units().unwrap();
    assert_eq!(units, types.units().unwrap());
    for kind in NameKind::ALL {
        let names = full.names(kind).unwrap();
        let others = types.names(kind).unwrap();
        if kind == NameKind::Function {
            // Linkage names of C++ that only a declaration has are found too.
            assert!(
                names.iter().all(|name| others.contains(name)),
                "{names:?} {others:?}"
            );
        } else {
            assert_eq!(names, others, "{kind}");
        }
        for name in &names {
            let scopes = units.iter().map(|u| Some(u.as_str())).take(40);
            for unit in scopes.chain([None]) {
                answers += 1;
                let at = format!("{kind} {name} in {unit:?}");
                if matches!(kind, NameKind::Variable | NameKind::Function) {
                    objects(full, types, name, unit);
                    continue;
                }
                match (
                    full.find_type(kind, name, unit),
                    types.find_type(kind, name, unit),
                ) {
                    (Ok(Some(s)), Ok(Some(t))) => {
                        let depth = if unit.is_none() { 2 } else { 0 };
                        alike(full, types, s, t, depth);
                    }
                    (Ok(None), Ok(None)) => {}
                    (
                        Err(Error::Ambiguous { candidates: a, .. }),
                        Err(Error::Ambiguous { candidates: b, .. }),
                    ) => assert_eq!(a.len(), b.len(), "{at}"),
                    (a, b) => panic!("{at}: {a:?} and {b:?}"),
                }
                let constant = |m: &Module| {
                    m.find_enumerator(name, unit)
                        .map(|found| found.map(|(value, _)| value))
                        .ok()
                };
                assert_eq!(constant(full), constant(types), "{at}");
            }
        }
    }
    answers
}

fn objects(full: &Module, types: &Module, name: &str, unit: Option<&str>) {
    let at = format!("{name} in {unit:?}");
    let variables = |m: &Module| {
        let mut found = m.variables(name, unit).unwrap();
        found.sort_by_key(|v| match v.location {
            Location::Address(at) | Location::ThreadLocal(at) => (0, at),
            Location::Declared | Location::Unavailable => (1, 0),
        });
        found
    };
    let (a, b) = (variables(full), variables(types));
    assert_eq!(a.len(), b.len(), "{at}");
    for (v, w) in a.into_iter().zip(b) {
        assert_eq!(
            (v.location, v.size, v.external, v.unit, v.origin),
            (w.location, w.size, w.external, w.unit, w.origin),
            "{at}"
        );
        if let (Some(s), Some(t)) = (v.ty, w.ty) {
            alike(full, types, s, t, 1);
        }
    }
    let functions = |m: &Module| {
        let mut found = m.functions(name, unit).unwrap();
        found.sort_by_key(|f| f.entry);
        found
    };
    let (a, b) = (functions(full), functions(types));
    assert_eq!(a.len(), b.len(), "{at}");
    for (f, g) in a.into_iter().zip(b) {
        if name.starts_with("_Z") {
            // The linkage name of C++ stands at the declaration, which knows less than the definition.
            assert_eq!(f.entry, g.entry, "{at}");
            continue;
        }
        assert_eq!(
            (
                &f.linkage_name,
                f.entry,
                f.size,
                f.variadic,
                f.external,
                &f.unit,
                f.indirect
            ),
            (
                &g.linkage_name,
                g.entry,
                g.size,
                g.variadic,
                g.external,
                &g.unit,
                g.indirect
            ),
            "{at}"
        );
        let (p, q) = (
            f.parameters.unwrap_or_default(),
            g.parameters.unwrap_or_default(),
        );
        assert_eq!(p.len(), q.len(), "{at}");
        for (p, q) in p.iter().zip(&q) {
            assert_eq!(p.name, q.name, "{at}");
            alike(full, types, p.ty, q.ty, 1);
        }
        if let (Some(s), Some(t)) = (f.result, g.result) {
            alike(full, types, s, t, 1);
        }
    }
}

/// Extracts from a program, strips it, and compares.
fn check(flags: &[&str], prepare: impl Fn(&Build)) {
    let build = program(flags);
    prepare(&build);
    run("strip", &["prog", "-o", "stripped"], build.dir.path());
    let full = build.open("prog");
    let types = with_types(&build, &full, "stripped");
    assert!(compare(&full, &types) > 100);
    let status = types.debug_status().unwrap();
    assert!(
        matches!(
            &status.source,
            ytrace_debuginfo::DebugSource::File {
                found: Found::Types,
                ..
            }
        ),
        "{status:?}"
    );
    assert!(status.warnings.is_empty(), "{status:?}");
    // Symbols too: of the stripped file nothing else is left.
    let counter = full.symbols_named("counter");
    assert_eq!(counter.len(), 1);
    let same = types.symbols_named("counter");
    assert_eq!(
        (counter[0].address, counter[0].size, counter[0].kind),
        (same[0].address, same[0].size, same[0].kind)
    );
    let outer = full
        .function("outer", None)
        .unwrap()
        .unwrap()
        .entry
        .unwrap();
    assert_eq!(
        types.function_name(outer + 2),
        Some(("outer".to_owned(), 2))
    );
    // Twice the same: the file of a types file is that file.
    let again = types.extract_types("test").unwrap();
    let first = full.extract_types("test").unwrap();
    assert_eq!(
        (again.variables, again.functions),
        (first.variables, first.functions)
    );
}

#[test]
fn dwarf_5() {
    check(&["-g", "-gdwarf-5", "-O0"], |_| {});
}

#[test]
fn dwarf_4_optimised() {
    check(&["-g", "-gdwarf-4", "-O2"], |_| {});
}

#[test]
fn dwarf_3_strict() {
    check(&["-g", "-gdwarf-3", "-gstrict-dwarf", "-O1"], |_| {});
}

#[test]
fn type_units() {
    check(&["-g", "-gdwarf-5", "-fdebug-types-section", "-O1"], |_| {});
    check(&["-g", "-gdwarf-4", "-fdebug-types-section", "-O1"], |_| {});
}

#[test]
fn compressed_and_sixty_four_bit_forms() {
    check(&["-g", "-gz=zlib"], |_| {});
    check(&["-g", "-gdwarf64"], |_| {});
}

#[test]
fn a_separate_debug_file_is_read_too() {
    let build = program(&["-g", "-Wl,--build-id=sha1"]);
    build.run("objcopy", &["--only-keep-debug", "prog", "prog.debug"]);
    build.run("strip", &["prog", "-o", "stripped"]);
    let full = build
        .loader()
        .debug_file("stripped", build.path("prog.debug"))
        .open(&build.path("stripped"))
        .unwrap();
    let types = with_types(&build, &full, "stripped");
    compare(&full, &types);
}

const CPP: &str = "
    namespace outer { namespace inner { struct point { int x, y; static int count; int sum() const { return x + y; } }; }
      enum class level : unsigned char { low, high = 200 }; enum plain { first, last };
      template<class T> struct box { T value; struct nested { T *at; } n; }; static int quiet = 3;
      int free_function(inner::point *p) { return p->sum() + quiet; } }
    int outer::inner::point::count = 4;
    struct base { virtual ~base() {} int b; }; struct side { int s; }; struct derived : base, virtual side { int d; };
    outer::box<int> numbers; outer::box<outer::inner::point>::nested points; outer::level level; outer::plain plain;
    derived object; int &reference = object.d;
    int main() { struct local { int hidden_by_main; } l = { 3 }; return outer::free_function(nullptr) + l.hidden_by_main; }
";

#[test]
fn cpp_names() {
    let build = Build::new(&[("prog.cc", CPP)]);
    build.run("g++", &["-g", "-O0", "prog.cc", "-o", "prog"]);
    build.run("strip", &["prog", "-o", "stripped"]);
    let full = build.open("prog");
    let types = with_types(&build, &full, "stripped");
    compare(&full, &types);
    assert!(
        types
            .find_type(NameKind::Struct, "outer::inner::point", None)
            .unwrap()
            .is_some()
    );
    assert!(
        types
            .find_enumerator("outer::level::high", None)
            .unwrap()
            .is_some_and(|(value, _)| value == 200)
    );
}

/// A real program: the sizes are what is documented.
#[test]
fn real_programs() {
    let fixtures = std::env::var_os("YTRACE_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.fixtures"),
        Into::into,
    );
    let programs = [
        "dwarf/nginx/sbin/nginx",
        "dwarf/luajit-gc64/lib/libluajit-5.1.so.2",
    ];
    for program in programs {
        let path = fixtures.join(program);
        if !path.is_file() {
            common::skip("real_programs", &format!("{} is missing", path.display()));
            continue;
        }
        let start = std::time::Instant::now();
        let full = Loader::default().open(&path).unwrap();
        let extracted = full.extract_types("test").unwrap();
        let took = start.elapsed();
        let debug: u64 = full
            .sections()
            .iter()
            .filter(|s| {
                s.name.starts_with(".debug_") || [".symtab", ".strtab"].contains(&s.name.as_str())
            })
            .map(|s| s.size)
            .sum();
        let size = extracted.bytes.len() as u64;
        println!(
            "{program}: debug information and symbols {debug} bytes, types file {size} bytes, made in {took:?}: {} types, {} variables, {} functions, {} symbols",
            extracted.types, extracted.variables, extracted.functions, extracted.symbols
        );
        assert!(extracted.problems.is_empty(), "{:?}", extracted.problems);
        assert!(size * 10 < debug, "{program}: {size} of {debug}");
        let file =
            TypesFile::parse(SharedBytes::from_vec(extracted.bytes), Path::new("types")).unwrap();
        let types = Loader::default()
            .types_files(vec![file], false)
            .open(&path)
            .unwrap();
        compare(&full, &types);
    }
}

#[test]
fn another_build_is_used_on_request_only_and_with_a_warning() {
    let build = program(&["-g", "-Wl,--build-id=0x1122"]);
    build.run("strip", &["prog", "-o", "stripped"]);
    let file = build.open("prog").extract_types("test").unwrap().bytes;
    std::fs::write(build.path("types"), file).unwrap();
    // The same program with another build-id, and another program.
    build.run(
        "gcc",
        &[
            "-I.",
            "dir/first.c",
            "dir/second.c",
            "-o",
            "prog",
            "-s",
            "-Wl,--build-id=0x3344",
        ],
    );
    let open = |any_build| {
        build
            .loader()
            .types_files(
                vec![TypesFile::open(&build.path("types")).unwrap()],
                any_build,
            )
            .open(&build.path("prog"))
            .unwrap()
    };
    assert!(
        open(false)
            .find_type(NameKind::Struct, "node", None)
            .unwrap()
            .is_none()
    );
    let used = open(true);
    assert!(
        used.find_type(NameKind::Struct, "node", None)
            .unwrap()
            .is_some()
    );
    let warnings = &used.debug_status().unwrap().warnings;
    assert!(
        warnings[0].contains("1122") && warnings[0].contains("3344"),
        "{warnings:?}"
    );
    build.run(
        "gcc",
        &[
            "-I.",
            "-O2",
            "dir/first.c",
            "dir/second.c",
            "-o",
            "prog",
            "-s",
            "-Wl,--build-id=0x5566",
        ],
    );
    let error = open(true).debug_status().unwrap_err().to_string();
    assert!(
        error.contains("does not fit") && error.contains("section .text"),
        "{error}"
    );
}

#[test]
fn files_that_are_no_types_files() {
    let build = program(&["-g", "-Wl,--build-id=sha1"]);
    let bytes = build.open("prog").extract_types("test").unwrap().bytes;
    let reason = |bytes: &[u8]| {
        let data = SharedBytes::from_vec(bytes.to_vec());
        TypesFile::parse(data, Path::new("F"))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(reason(b""), "F: it is not a types file");
    assert_eq!(reason(b"hello"), "F: it is not a types file");
    let program = std::fs::read(build.path("prog")).unwrap();
    assert!(reason(&program).contains("--debug-file"));
    let mut other = bytes.clone();
    other[72] = 9;
    assert!(reason(&other).contains("version 9, this program reads version 1"));
    assert_eq!(reason(&bytes[..70]), reason(&program));
    for len in [100, 1000, bytes.len() - 1] {
        assert!(reason(&bytes[..len]).contains("cut short"), "{len}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(reason(&longer).contains("damaged"));
}

/// Puts the right checksum into a damaged file, so that damage reaches the readers behind it.
fn reseal(bytes: &mut [u8]) {
    bytes[76..80].fill(0);
    let sum = crc32fast::hash(bytes);
    bytes[76..80].copy_from_slice(&sum.to_le_bytes());
}

fn sample() -> &'static [u8] {
    static SAMPLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let build = program(&["-g", "-g3", "-O1", "-Wl,--build-id=sha1"]);
        build.open("prog").extract_types("test").unwrap().bytes
    });
    &SAMPLE
}

/// Asks for everything; nothing may panic or take long.
fn exercise(bytes: Vec<u8>) {
    let start = std::time::Instant::now();
    let data = SharedBytes::from_vec(bytes);
    if let Ok(file) = TypesFile::parse(data, Path::new("F"))
        && let Ok(module) = Loader::default().open_types(&file)
    {
        for kind in NameKind::ALL {
            for name in module.names(kind).unwrap_or_default().iter().take(100) {
                if let Ok(Some(ty)) = module.find_type(kind, name, None) {
                    let _ = (module.describe(ty), module.size_of(ty));
                }
                let _ = (module.variables(name, None), module.functions(name, None));
                let _ = module.macros_named(name);
            }
        }
        let _ = module.extract_types("again");
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn any_flipped_byte_is_told() {
    let bytes = sample();
    for at in (64..bytes.len()).step_by(97) {
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 0x10;
        assert!(
            TypesFile::parse(SharedBytes::from_vec(damaged), Path::new("F")).is_err(),
            "{at}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn damage_behind_a_right_checksum(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut damaged = sample().to_vec();
        for (at, value) in changes {
            let len = damaged.len();
            // The compressed sections are told by their own checksums; the tables around them are what may mislead.
            damaged[at.index(len)] ^= value;
        }
        reseal(&mut damaged);
        exercise(damaged);
    }
}
