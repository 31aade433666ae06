//! Macros of small C programs compiled with `-g3`.

mod common;

use common::Build;
use ytrace_debuginfo::{MacroDefinition, Module, TypesFile};

const HEADER: &str = "
#define SHARED 17
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define LOG(format, ...) log_to(format, __VA_ARGS__)
#define EMPTY
#define TEMPORARY 1
#undef TEMPORARY
";
const FIRST: &str = "
#include \"macros.h\"
#define OWN \"first\"
#define CHANGED 1
#undef CHANGED
#define CHANGED 2
int main(void) { return MAX(SHARED, CHANGED) + sizeof OWN; }
";
const SECOND: &str = "
#include \"macros.h\"
#define OWN \"second\"
int second(void) { return SHARED; }
";

fn program(flags: &[&str]) -> (Build, Module) {
    let build = Build::new(&[
        ("macros.h", HEADER),
        ("first.c", FIRST),
        ("second.c", SECOND),
    ]);
    let mut arguments = vec!["-g3", "-DGIVEN=3", "first.c", "second.c", "-o", "prog"];
    arguments.extend(flags);
    build.run("gcc", &arguments);
    let module = build.open("prog");
    (build, module)
}

fn one<'m>(module: &'m Module, name: &str) -> &'m MacroDefinition {
    match module.macros_named(name).unwrap() {
        [one] => one,
        other => panic!("{name}: {other:?}"),
    }
}

fn check(module: &Module) {
    let shared = one(module, "SHARED");
    assert_eq!(
        (shared.replacement.as_str(), &shared.parameters),
        ("17", &None)
    );
    assert_eq!(shared.line, 2);
    assert!(
        shared.file.as_ref().unwrap().ends_with("macros.h"),
        "{shared:?}"
    );
    let max = one(module, "MAX");
    assert_eq!(max.parameters, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(max.replacement, "((a) > (b) ? (a) : (b))");
    let log = one(module, "LOG");
    assert_eq!(log.parameters.as_ref().unwrap()[1], "...");
    assert_eq!(one(module, "EMPTY").replacement, "");
    assert_eq!(one(module, "GIVEN").replacement, "3");
    assert_eq!(one(module, "CHANGED").replacement, "2");
    assert_eq!(one(module, "CHANGED").line, 6);
    assert!(module.macros_named("TEMPORARY").unwrap().is_empty());
    // What only the compiler says of itself is nobody's.
    for name in ["__GNUC__", "unix", "linux", "missing"] {
        assert!(module.macros_named(name).unwrap().is_empty(), "{name}");
    }
    let own = module.macros_named("OWN").unwrap();
    let mut texts: Vec<&str> = own.iter().map(|one| one.replacement.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["\"first\"", "\"second\""]);
}

#[test]
fn dwarf_5() {
    check(&program(&["-gdwarf-5"]).1);
}

#[test]
fn dwarf_4_with_the_gnu_extension() {
    check(&program(&["-gdwarf-4"]).1);
}

#[test]
fn macinfo_of_strict_dwarf_4() {
    check(&program(&["-gdwarf-4", "-gstrict-dwarf"]).1);
}

#[test]
fn compressed() {
    check(&program(&["-gdwarf-5", "-gz=zlib"]).1);
}

#[test]
fn none_without_g3() {
    let (_, module) = program(&["-g0", "-g1"]);
    assert!(module.macros_named("SHARED").unwrap().is_empty());
}

#[test]
fn types_files_keep_them() {
    let (build, module) = program(&[]);
    let extracted = module.extract_types("test").unwrap();
    assert!(extracted.macros > 5);
    std::fs::write(build.path("types"), extracted.bytes).unwrap();
    build.run("strip", &["prog", "-o", "stripped"]);
    let file = TypesFile::open(&build.path("types")).unwrap();
    let loader = build.loader().types_files(vec![file], false);
    check(&loader.open(&build.path("stripped")).unwrap());
}
