//! Types of a C program under every DWARF version and compression, against the compiler's own answers.

mod common;

use common::{Build, aggregate, field, find, plain};
use ytrace_debuginfo::{BaseEncoding, Bitfield, Location, NameKind, SymbolKind, TypeDesc};

const SOURCE: &str = r#"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>

enum color { RED = 1, GREEN = 2, NEGATIVE = -5, BIG = 70000 };
enum flags { LOW = 1, HIGH = 0x80000000u };
typedef enum { ANON_A, ANON_B = 0xff } anon_enum;
typedef int (*callback)(const char *name, struct node *n, ...);
struct node;
struct bits {
    unsigned a : 3;
    unsigned b : 7;
    int c : 5;
    unsigned long long d : 40;
    bool e : 1;
    unsigned char f : 2;
    uint16_t g : 9;
};
struct __attribute__((packed)) packed_bits { char x; unsigned p : 13; unsigned q : 22; unsigned long long r : 60; };
struct node {
    struct node *next;
    const volatile char name[16];
    union {
        long number;
        struct { short x, y; };
        double real;
    };
    struct { int inner; } named;
    int matrix[3][5];
    callback call;
    enum color color;
    anon_enum other;
    _Bool yes;
    float f;
    long double ld;
    unsigned char bytes[256];
    char zero[0];
    struct bits bits;
    int tail[];
};
union number { int i; float f; char c[12]; };
struct opaque;
struct opaque *hidden;
struct node *list;
struct packed_bits packed;
static int counter = 7;
int table[4] = {1, 2, 3, 4};
__thread long per_thread;
static __thread volatile char per_thread_two[24] = "x";
union number number;
enum flags flags;

__attribute__((noinline)) static int helper(int first, const struct node *second) { counter += first; return second != 0; }
__attribute__((noinline)) double compute(long count, char *text, ...) { return count * 2.0 + (text != 0); }

static unsigned pattern(const void *p, size_t size) { (void)p; return size; }

int main(void) {
    printf("node %zu\n", sizeof(struct node));
    printf("node.name %zu\n", offsetof(struct node, name));
    printf("node.named %zu\n", offsetof(struct node, named));
    printf("node.matrix %zu\n", offsetof(struct node, matrix));
    printf("node.call %zu\n", offsetof(struct node, call));
    printf("node.ld %zu\n", offsetof(struct node, ld));
    printf("node.bytes %zu\n", offsetof(struct node, bytes));
    printf("node.zero %zu\n", offsetof(struct node, zero));
    printf("node.bits %zu\n", offsetof(struct node, bits));
    printf("node.tail %zu\n", offsetof(struct node, tail));
    printf("bits %zu\n", sizeof(struct bits));
    /* One bit-field at a time is set to all ones: its bytes show where it is. */
#define SHOW(type, name) do { struct type v; memset(&v, 0, sizeof v); v.name = ~(v.name & 0); printf("bits:%s.%s", #type, #name); \
    for (size_t i = 0; i < sizeof v; i++) printf(" %02x", ((unsigned char *)&v)[i]); printf("\n"); } while (0)
    SHOW(bits, a); SHOW(bits, b); SHOW(bits, c); SHOW(bits, d); SHOW(bits, f); SHOW(bits, g);
    SHOW(packed_bits, p); SHOW(packed_bits, q); SHOW(packed_bits, r);
    return helper(1, list) + (int)compute(1, 0) + pattern(&per_thread, 1) + (int)per_thread_two[0] + anon_enum_use() ;
}
"#;

fn source() -> String {
    // A declaration that keeps the anonymous enumeration alive without a warning.
    SOURCE.replace("static unsigned pattern", "static int anon_enum_use(void) { anon_enum v = ANON_B; return v; }\nstatic unsigned pattern")
}

/// What the program itself says: `key value` lines.
fn truth(build: &Build, program: &str) -> std::collections::HashMap<String, String> {
    let output = std::process::Command::new(build.path(program))
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|l| l.split_once(' '))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect()
}

fn check(flags: &[&str], post: &[&str]) {
    let text = source();
    let build = Build::new(&[("prog.c", &text)]);
    let mut arguments = vec!["-O1", "-w", "prog.c", "-o", "prog"];
    arguments.extend(flags);
    build.run("gcc", &arguments);
    let truth = truth(&build, "prog");
    if !post.is_empty() {
        let mut arguments = post.to_vec();
        arguments.push("prog");
        build.run("objcopy", &arguments);
    }
    let module = build.open("prog");
    let number = |key: &str| truth[key].parse::<u64>().unwrap();

    let node_ref = find(&module, NameKind::Struct, "node");
    let node = aggregate(&module, node_ref);
    assert!(node.complete);
    assert_eq!(node.size, number("node"));
    assert_eq!(module.size_of(node_ref).unwrap(), Some(number("node")));
    for name in [
        "name", "named", "matrix", "call", "ld", "bytes", "zero", "bits", "tail",
    ] {
        assert_eq!(
            field(&node, name).offset,
            number(&format!("node.{name}")),
            "{name}"
        );
    }

    // Pointers, qualifiers, arrays.
    let TypeDesc::Pointer { target, size: 8 } = plain(&module, field(&node, "next").ty) else {
        panic!("next is no pointer")
    };
    assert_eq!(aggregate(&module, target), node);
    let TypeDesc::Array {
        element,
        count: Some(16),
    } = plain(&module, field(&node, "name").ty)
    else {
        panic!("name is no array of 16")
    };
    assert!(matches!(
        plain(&module, element),
        TypeDesc::Base { size: 1, encoding: BaseEncoding::SignedChar, ref name } if name == "char"
    ));
    let TypeDesc::Array {
        element,
        count: Some(3),
    } = plain(&module, field(&node, "matrix").ty)
    else {
        panic!("matrix has not 3 rows")
    };
    let TypeDesc::Array {
        element: cell,
        count: Some(5),
    } = plain(&module, element)
    else {
        panic!("matrix has not 5 columns")
    };
    assert!(matches!(
        plain(&module, cell),
        TypeDesc::Base { size: 4, .. }
    ));
    assert_eq!(module.size_of(field(&node, "matrix").ty).unwrap(), Some(60));
    assert_eq!(module.size_of(element).unwrap(), Some(20));
    assert_eq!(module.size_of(field(&node, "bytes").ty).unwrap(), Some(256));
    assert!(matches!(
        plain(&module, field(&node, "tail").ty),
        TypeDesc::Array { count: None, .. }
    ));
    assert!(matches!(
        plain(&module, field(&node, "zero").ty),
        TypeDesc::Array {
            count: None | Some(0),
            ..
        }
    ));

    // Anonymous members.
    let anonymous: Vec<_> = node.fields.iter().filter(|f| f.name.is_none()).collect();
    assert_eq!(anonymous.len(), 1);
    let inner = aggregate(&module, anonymous[0].ty);
    assert_eq!(inner.name, None);
    assert_eq!(field(&inner, "number").offset, 0);
    let nested = inner.fields.iter().find(|f| f.name.is_none()).unwrap();
    assert_eq!(field(&aggregate(&module, nested.ty), "y").offset, 2);
    assert_eq!(module.suggest_field(node_ref, "numbr").unwrap(), ["number"]);

    // Base types.
    for (name, size, encoding) in [
        ("yes", 1, BaseEncoding::Bool),
        ("f", 4, BaseEncoding::Float),
        ("ld", 16, BaseEncoding::Float),
    ] {
        let TypeDesc::Base {
            size: s,
            encoding: e,
            ..
        } = plain(&module, field(&node, name).ty)
        else {
            panic!("{name} is no base type")
        };
        assert_eq!((s, e), (size, encoding), "{name}");
    }

    // Function pointers.
    let call = find(&module, NameKind::Typedef, "callback");
    let TypeDesc::Pointer { target, .. } = plain(&module, call) else {
        panic!("callback is no pointer")
    };
    let TypeDesc::Function {
        result,
        parameters,
        variadic: true,
    } = plain(&module, target)
    else {
        panic!("callback does not point to a variadic function")
    };
    assert_eq!(parameters.len(), 2);
    assert!(matches!(
        plain(&module, result),
        TypeDesc::Base { size: 4, .. }
    ));

    // Enumerations.
    let TypeDesc::Enum(color) = plain(&module, find(&module, NameKind::Enum, "color")) else {
        panic!("color is no enumeration")
    };
    assert!(color.signed);
    let values: Vec<_> = color
        .enumerators
        .iter()
        .map(|e| (e.name.as_str(), e.value))
        .collect();
    assert_eq!(
        values,
        [("RED", 1), ("GREEN", 2), ("NEGATIVE", -5), ("BIG", 70000)]
    );
    assert_eq!(
        module.find_enumerator("HIGH", None).unwrap().unwrap().0,
        0x8000_0000
    );
    assert_eq!(
        module.find_enumerator("ANON_B", None).unwrap().unwrap().0,
        0xff
    );
    assert_eq!(module.find_enumerator("NONE", None).unwrap(), None);

    // Bit-fields, by the bytes that the program saw.
    for (key, bytes) in truth.iter().filter(|(k, _)| k.starts_with("bits:")) {
        let (tag, name) = key["bits:".len()..].split_once('.').unwrap();
        let tag_ref = find(&module, NameKind::Struct, tag);
        let description = aggregate(&module, tag_ref);
        let f = field(&description, name);
        let Bitfield {
            bit_offset,
            bit_size,
        } = f.bitfield.unwrap();
        let mut expected = vec![0u8; usize::try_from(description.size).unwrap()];
        for bit in 0..bit_size {
            let at = f.offset * 8 + bit_offset + bit;
            expected[usize::try_from(at / 8).unwrap()] |= 1 << (at % 8);
        }
        let seen: Vec<u8> = bytes
            .split(' ')
            .map(|b| u8::from_str_radix(b, 16).unwrap())
            .collect();
        assert_eq!(seen, expected, "{key} {f:?}");
        assert!(bit_offset + bit_size <= 72);
    }

    // Incomplete types.
    let hidden = module.variable("hidden", None).unwrap().unwrap();
    let TypeDesc::Pointer { target, .. } = plain(&module, hidden.ty.unwrap()) else {
        panic!("hidden is no pointer")
    };
    assert!(!aggregate(&module, target).complete);
    assert_eq!(module.size_of(target).unwrap(), None);

    // Unions, look-ups that fail, suggestions.
    assert_eq!(
        module
            .size_of(find(&module, NameKind::Union, "number"))
            .unwrap(),
        Some(12)
    );
    assert_eq!(
        module.find_type(NameKind::Struct, "number", None).unwrap(),
        None
    );
    assert_eq!(module.suggest(NameKind::Struct, "nod").unwrap(), ["node"]);
    assert!(
        module
            .find_type(NameKind::Base, "long unsigned int", None)
            .unwrap()
            .is_some()
    );

    // Variables and functions agree with the symbol table.
    for (name, external) in [("counter", false), ("table", true), ("list", true)] {
        let variable = module.variable(name, None).unwrap().unwrap();
        let symbol = &module.symbols_named(name)[0];
        assert_eq!(
            variable.location,
            Location::Address(symbol.address),
            "{name}"
        );
        assert_eq!(
            (variable.size, variable.external),
            (Some(symbol.size), external),
            "{name}"
        );
        assert_eq!(variable.unit.as_deref(), Some("prog.c"));
        let data = module
            .symbolize_data(symbol.address + symbol.size - 1)
            .unwrap();
        assert_eq!((data.name.as_str(), data.offset), (name, symbol.size - 1));
    }
    for name in ["per_thread", "per_thread_two"] {
        let symbol = &module.symbols_named(name)[0];
        assert_eq!(symbol.kind, SymbolKind::ThreadLocal);
        let variable = module.variable(name, Some("prog.c")).unwrap().unwrap();
        assert_eq!(variable.location, Location::ThreadLocal(symbol.address));
    }
    let helper = module.function("helper", None).unwrap().unwrap();
    let symbol = &module.symbols_named("helper")[0];
    assert_eq!(
        (helper.entry, helper.size),
        (Some(symbol.address), symbol.size)
    );
    assert!(!helper.external);
    let names: Vec<_> = helper
        .parameters
        .iter()
        .flatten()
        .map(|p| p.name.clone().unwrap())
        .collect();
    assert_eq!(names, ["first", "second"]);
    let compute = module.function("compute", None).unwrap().unwrap();
    assert!(compute.external && compute.variadic);
    assert!(matches!(
        plain(&module, compute.result.unwrap()),
        TypeDesc::Base {
            encoding: BaseEncoding::Float,
            size: 8,
            ..
        }
    ));
    assert!(matches!(
        plain(&module, compute.ty.unwrap()),
        TypeDesc::Function { variadic: true, .. }
    ));

    // Addresses of code.
    let code = module.symbolize(helper.entry.unwrap());
    assert_eq!((code.name.as_deref(), code.offset), (Some("helper"), 0));
    let location = code.location.unwrap();
    assert!(location.file.ends_with("prog.c") && location.line.is_some());
    assert_eq!(module.units().unwrap(), ["prog.c"]);
    assert!(module.index_status().1.is_empty());
}

#[test]
fn dwarf_2_strict() {
    check(&["-gdwarf-2", "-gstrict-dwarf"], &[]);
}

#[test]
fn dwarf_3() {
    check(&["-gdwarf-3"], &[]);
}

#[test]
fn dwarf_4() {
    check(&["-gdwarf-4"], &[]);
}

#[test]
fn dwarf_5() {
    check(&["-gdwarf-5"], &[]);
}

#[test]
fn dwarf_5_zlib() {
    check(&["-gdwarf-5", "-gz=zlib"], &[]);
}

#[test]
fn dwarf_4_old_zdebug() {
    check(&["-gdwarf-4"], &["--compress-debug-sections=zlib-gnu"]);
}

#[test]
fn dwarf_5_zstd() {
    let probe = std::process::Command::new("objcopy")
        .arg("--help")
        .output()
        .unwrap();
    if !String::from_utf8_lossy(&probe.stdout).contains("zstd") {
        common::skip("dwarf_5_zstd", "this objcopy does not know zstd");
        return;
    }
    check(&["-gdwarf-5"], &["--compress-debug-sections=zstd"]);
}

#[test]
fn type_units_of_dwarf_4() {
    check(&["-gdwarf-4", "-fdebug-types-section"], &[]);
}

#[test]
fn type_units_of_dwarf_5() {
    check(&["-gdwarf-5", "-fdebug-types-section"], &[]);
}

#[test]
fn sixty_four_bit_dwarf() {
    check(&["-gdwarf-5", "-gdwarf64"], &[]);
}
