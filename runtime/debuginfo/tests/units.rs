//! Several compile units: same names, different meanings. And C++.

mod common;

use common::{Build, aggregate, field, find, plain};
use ytrace_debuginfo::{Error, FieldRole, Location, Module, NameKind, TypeDesc};

fn compiled(flags: &[&str]) -> (Build, Module) {
    let build = Build::new(&[
        (
            "one.c",
            "struct same { int a; }; struct differs { int a; };
             typedef struct differs differs_t; typedef struct { char c; } anon_t;
             struct complete_elsewhere; struct complete_elsewhere *far;
             struct same s1; struct differs d1; differs_t t1; anon_t a1;
             typedef struct complete_elsewhere later_t; later_t *later;
             static int state = 1; static int work(int x) { return x + state; }
             int only_declared_here(int); extern int shared_value;
             int one(void) { return work(1) + only_declared_here(2) + shared_value; }",
        ),
        (
            "sub/two.c",
            "struct same { int a; }; struct differs { long a; char more[3]; };
             typedef struct differs differs_t; typedef struct { char c[2]; } anon_t;
             struct complete_elsewhere { int here[7]; };
             typedef struct complete_elsewhere later_t; later_t *later_two;
             struct same s2; struct differs d2; differs_t t2; anon_t a2; struct complete_elsewhere ce;
             static long state = 2; static int work(int x) { return x - state; }
             int shared_value = 5;
             int only_declared_here(int v) { return v * 2 + work(v); }",
        ),
        ("main.c", "int one(void); int main(void) { return one(); }"),
    ]);
    let mut arguments = vec!["-g", "-O0", "one.c", "sub/two.c", "main.c", "-o", "prog"];
    arguments.extend(flags);
    build.run("gcc", &arguments);
    let module = build.open("prog");
    (build, module)
}

fn check(flags: &[&str]) {
    let (_build, module) = compiled(flags);
    assert_eq!(
        aggregate(&module, find(&module, NameKind::Struct, "same")).size,
        4
    );

    // Different layouts are ambiguous, and the answer names the units and sizes.
    for (kind, name, sizes) in [
        (NameKind::Struct, "differs", ["4 bytes", "16 bytes"]),
        (NameKind::Typedef, "differs_t", ["4 bytes", "16 bytes"]),
        (NameKind::Typedef, "anon_t", ["1 bytes", "2 bytes"]),
    ] {
        let error = module.find_type(kind, name, None).unwrap_err();
        let Error::Ambiguous { ref candidates, .. } = error else {
            panic!("{error}")
        };
        let mut listed: Vec<_> = candidates
            .iter()
            .map(|c| (c.unit.as_str(), c.detail.as_str()))
            .collect();
        listed.sort_unstable();
        assert_eq!(
            listed,
            [("one.c", sizes[0]), ("sub/two.c", sizes[1])],
            "{name}"
        );
        assert!(error.to_string().contains("sub/two.c"), "{error}");
        for (unit, size) in [
            ("one.c", sizes[0]),
            ("two.c", sizes[1]),
            ("sub/two.c", sizes[1]),
        ] {
            let ty = module.find_type(kind, name, Some(unit)).unwrap().unwrap();
            assert_eq!(
                format!("{} bytes", module.size_of(ty).unwrap().unwrap()),
                size
            );
        }
    }
    // A unit that has no such type, and no such unit.
    assert_eq!(
        module
            .find_type(NameKind::Struct, "differs", Some("main.c"))
            .unwrap(),
        None
    );
    let error = module
        .find_type(NameKind::Struct, "differs", Some("tow.c"))
        .unwrap_err();
    let Error::NoSuchUnit { ref similar, .. } = error else {
        panic!("{error}")
    };
    assert!(similar.contains(&"two.c".to_owned()), "{similar:?}");
    assert!(
        module
            .find_type(NameKind::Struct, "differs", Some("o.c"))
            .is_err()
    );

    // A declaration is completed by the other unit's definition.
    let far = module.variable("far", None).unwrap().unwrap();
    let TypeDesc::Pointer { target, .. } = plain(&module, far.ty.unwrap()) else {
        panic!("far is no pointer")
    };
    assert_eq!(aggregate(&module, target).size, 28);
    assert_eq!(module.size_of(target).unwrap(), Some(28));
    let later = module
        .find_type(NameKind::Typedef, "later_t", None)
        .unwrap()
        .unwrap();
    assert_eq!(module.size_of(later).unwrap(), Some(28));

    // Static variables and functions of the same name.
    for kind in [NameKind::Variable, NameKind::Function] {
        let result = match kind {
            NameKind::Variable => module.variable("state", None).map(|v| v.is_some()),
            _ => module.function("work", None).map(|f| f.is_some()),
        };
        assert!(matches!(result, Err(Error::Ambiguous { .. })), "{kind}");
    }
    let sizes = ["one.c", "two.c"].map(|unit| {
        let state = module.variable("state", Some(unit)).unwrap().unwrap();
        assert!(matches!(state.location, Location::Address(_)));
        state.size.unwrap()
    });
    assert_eq!(sizes, [4, 8]);
    let entries = ["one.c", "two.c"].map(|unit| {
        module
            .function("work", Some(unit))
            .unwrap()
            .unwrap()
            .entry
            .unwrap()
    });
    assert_ne!(entries[0], entries[1]);
    assert_eq!(module.functions("work", None).unwrap().len(), 2);

    // What one unit declares and another defines is found once, at its definition.
    let function = module
        .function("only_declared_here", None)
        .unwrap()
        .unwrap();
    assert_eq!(function.unit.as_deref(), Some("sub/two.c"));
    let value = module.variable("shared_value", None).unwrap().unwrap();
    assert!(matches!(value.location, Location::Address(_)) && value.external);
    assert_eq!(module.units().unwrap(), ["main.c", "one.c", "sub/two.c"]);
}

#[test]
fn dwarf_4() {
    check(&["-gdwarf-4"]);
}

#[test]
fn dwarf_5() {
    check(&["-gdwarf-5"]);
}

#[test]
fn type_units() {
    check(&["-gdwarf-4", "-fdebug-types-section"]);
}

#[test]
fn cpp_names_bases_and_inlining() {
    let build = Build::new(&[(
        "prog.cpp",
        "namespace ns { struct Base { int b; virtual ~Base() {} };
             struct Derived : Base { long d; static int count; enum class Mode : unsigned char { off, on = 200 }; Mode mode;
                 struct Inner { short s; } inner; int method(int x); };
             int Derived::count = 3;
             __attribute__((noinline)) int Derived::method(int x) { return x + d; }
             static volatile int hidden = 4;
             template <class T> struct Box { T value; };
             Box<double> box; }
         struct V1 : virtual ns::Base { int v; }; V1 v1;
         static inline __attribute__((always_inline)) int innermost(volatile int *p) { return *p * 7; }
         static inline __attribute__((always_inline)) int middle(volatile int *p) { return innermost(p) + 1; }
         __attribute__((noinline)) int outer(volatile int *p) { return middle(p); }
         int main() { volatile int i = 2; ns::Derived d; const int &r = d.b; return outer(&i) + d.method(r) + ns::hidden; }",
    )]);
    build.run("g++", &["-g", "-O1", "prog.cpp", "-o", "prog"]);
    let module = build.open("prog");
    let derived = aggregate(&module, find(&module, NameKind::Struct, "ns::Derived"));
    assert!(
        derived.fields[0].is_base
            && derived.fields[0].name.is_none()
            && derived.fields[0].offset == 0
    );
    assert_eq!(aggregate(&module, derived.fields[0].ty).size, 16);
    assert_eq!(field(&derived, "d").offset, 16);
    assert!(
        derived
            .fields
            .iter()
            .all(|f| f.name.as_deref() != Some("count"))
    );
    assert!(
        module
            .find_type(NameKind::Struct, "ns::Derived::Inner", None)
            .unwrap()
            .is_some()
    );
    assert!(
        module
            .find_type(NameKind::Struct, "ns::Box<double>", None)
            .unwrap()
            .is_some()
    );
    let (value, ty) = module
        .find_enumerator("ns::Derived::Mode::on", None)
        .unwrap()
        .unwrap();
    assert_eq!((value, module.size_of(ty).unwrap()), (200, Some(1)));
    let virtual_base = aggregate(&module, find(&module, NameKind::Struct, "V1"));
    let base = virtual_base.fields.iter().find(|field| field.is_base);
    let Some(FieldRole::Virtual(Some(distance))) = base.map(|base| base.role) else {
        panic!("{virtual_base:?}");
    };
    assert_eq!((distance % 8, virtual_base.omitted), (0, 0));

    for name in ["ns::Derived::count", "ns::hidden", "ns::box"] {
        let variable = module
            .variable(name, None)
            .unwrap()
            .unwrap_or_else(|| panic!("no {name}"));
        assert!(
            matches!(variable.location, Location::Address(_)),
            "{name}: {variable:?}"
        );
    }
    let method = module
        .function("ns::Derived::method", None)
        .unwrap()
        .unwrap();
    let names: Vec<_> = method
        .parameters
        .iter()
        .flatten()
        .map(|p| p.name.as_deref())
        .collect();
    assert_eq!(names, [Some("this"), Some("x")]);
    assert_eq!(
        method.linkage_name.as_deref(),
        Some("_ZN2ns7Derived6methodEi")
    );
    assert_eq!(
        module
            .function("_ZN2ns7Derived6methodEi", None)
            .unwrap()
            .unwrap()
            .entry,
        method.entry
    );
    let code = module.symbolize(method.entry.unwrap());
    assert_eq!(code.name.as_deref(), Some("ns::Derived::method(int)"));

    // Somewhere in `outer` is code of `innermost`, seen through `middle`.
    let outer = module.function("outer", None).unwrap().unwrap();
    let start = outer.entry.unwrap();
    let stacks: Vec<Vec<String>> = (start..start + outer.size)
        .map(|address| {
            let code = module.symbolize(address);
            assert_eq!(code.name.as_deref(), Some("outer(int volatile*)"));
            code.inlined.into_iter().map(|f| f.name).collect()
        })
        .collect();
    assert!(
        stacks
            .iter()
            .any(|s| s.len() == 2 && s[0].contains("innermost") && s[1].contains("middle")),
        "{stacks:?}"
    );
}
