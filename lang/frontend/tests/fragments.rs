//! Programs that are typed in: what is shown, what is kept, and what names mean.

mod check_support;

use check_support::main_file;
use ytrace_lang::check::SHOWN;
use ytrace_lang::check::testing::{NoFiles, TestTarget};
use ytrace_lang::compile::{CompileError, Compiled, Fragment, Request, compile_fragment};
use ytrace_lang::hir::ShownValue;

fn compile(text: &str, kept: &[&str], show: bool) -> Result<Compiled, CompileError> {
    let kept: Vec<String> = kept.iter().map(|name| (*name).to_owned()).collect();
    compile_fragment(
        Request {
            main: main_file(text),
            loader: &mut NoFiles,
            target: Some(&mut TestTarget::sample()),
            layouts: Default::default(),
            defines: Vec::new(),
            arguments: Vec::new(),
            most_probes: ytrace_lang::check::MOST_PROBES,
        },
        Fragment {
            kept: &kept,
            show,
            starts: &[],
        },
    )
}

fn right(text: &str, kept: &[&str], show: bool) -> Compiled {
    compile(text, kept, show).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// The type of what an expression shows, and where it is.
fn shown(before: &str, expression: &str) -> (String, &'static str) {
    let text = format!("{before}\n_probe _begin {{\n{expression} ;\n}}\n");
    let compiled = right(&text, &["$1", "$1*", "_*"], true);
    let shown = compiled.typed.shown.expect("a value");
    let place = match shown.value {
        ShownValue::Value { global, .. } => {
            assert_eq!(compiled.typed.globals[global.0 as usize].name, SHOWN);
            "value"
        }
        ShownValue::Target { .. } => "target",
        ShownValue::Container(_) => "container",
        ShownValue::Text(_) => "text",
    };
    (compiled.typed.types.name_of(shown.ty), place)
}

#[test]
fn values_and_places_are_shown() {
    for (expression, ty, place) in [
        ("1 + 2", "int", "value"),
        ("main_pool", "ngx_pool_t *", "value"),
        ("*main_pool", "ngx_pool_t", "target"),
        ("nodes", "struct list [4]", "target"),
        ("flags.c", "int", "value"),
        ("paint", "enum color", "value"),
        ("\"a\"", "_str", "value"),
        ("work", "int (*)(struct list *, int)", "value"),
        ("counter == 1 ? head : 0", "struct list *", "value"),
    ] {
        assert_eq!(
            shown("", expression),
            (ty.to_owned(), place),
            "{expression}"
        );
    }
    assert_eq!(
        shown("long t[int];", "t"),
        ("long [int]".to_owned(), "container")
    );
    assert_eq!(
        shown("long t[int][];", "t[1]"),
        ("long []".to_owned(), "text")
    );
    assert_eq!(
        shown("struct pair { int a; long b; } pair;", "pair"),
        ("struct pair".to_owned(), "value")
    );
    // What gives nothing shows nothing.
    let nothing = right("void f() { }\n_probe _begin {\nf() ;\n}\n", &[], true);
    assert_eq!(nothing.typed.shown, None);
}

#[test]
fn earlier_values_have_names() {
    let value = "typeof(\nhead\n) `$1`;\n";
    assert_eq!(shown(value, "$1->value"), ("int".to_owned(), "value"));
    let place = "typeof(&(\n*main_pool\n)) `$1*`;\ntypeof(&(nodes)) `_*`;\n";
    assert_eq!(shown(place, "$1"), ("ngx_pool_t".to_owned(), "target"));
    assert_eq!(shown(place, "&$1"), ("ngx_pool_t *".to_owned(), "value"));
    assert_eq!(shown(place, "_[1].value"), ("int".to_owned(), "value"));
    // Without one, they are what they are in a file.
    assert_eq!(shown("", "$1"), ("_str".to_owned(), "value"));
    assert!(compile("_probe _begin { _; }", &[], false).is_err());
}

#[test]
fn only_new_variables_are_initialized_by_the_handler() {
    let text = "int a = 3; int b = a + 1; int f() { return b; } int c = f();\n_probe _begin { }\n";
    let statements = |kept: &[&str]| {
        let compiled = right(text, kept, false);
        let probe = compiled.typed.probes.first().expect("the handler");
        let function = &compiled.typed.functions[probe.function.0 as usize];
        let left = |global: &ytrace_lang::hir::Global| !global.initializer.is_empty();
        assert!(!compiled.typed.globals.iter().any(left));
        function.body.len()
    };
    assert_eq!(statements(&[]), 3);
    assert_eq!(statements(&["a", "b"]), 1);
    assert_eq!(statements(&["a", "b", "c"]), 0);
}

#[test]
fn only_the_last_probe_is_left() {
    let compiled = right(
        "_probe _oneshot { counter; }\n_probe _timer.s(1) { }\n_probe _begin {\n1 ;\n}\n",
        &[],
        true,
    );
    assert_eq!(compiled.program.probes.len(), 1);
    assert!(compiled.typed.shown.is_some());
    // What is not shown may be several statements.
    let several = right("_probe _begin {\nint i; i++; i ;\n}\n", &[], true);
    assert_eq!(several.typed.shown, None);
}
