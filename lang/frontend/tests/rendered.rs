//! Errors of the checker as the user sees them: several at once, and inside macros.

mod check_support;

use check_support::main_file;
use ytrace_lang::check::testing::TestTarget;
use ytrace_lang::compile::{Request, compile_typed};
use ytrace_lang::render::render;
use ytrace_lang::source::{LoadError, Loader, SourceFile};

/// A library with macros.
struct Library;

impl Loader for Library {
    fn load(&mut self, name: &str, _quoted: bool, _from: &str) -> Result<SourceFile, LoadError> {
        if name != "walk.y" {
            return Err(LoadError::NotFound {
                name: name.to_owned(),
                tried: Vec::new(),
            });
        }
        Ok(SourceFile {
            name: name.to_owned(),
            text: "#define FIRST(p) (p)->firs\n\
                   #define STEP(p) (p)->next\n\
                   #define WALK(p, from) \\\n    for (p = FIRST(from); p; p = STEP(p))\n"
                .into(),
            library: true,
        })
    }
}

/// What is said of a program.
fn shown(text: &str) -> String {
    let typed = compile_typed(Request {
        main: main_file(text),
        loader: &mut Library,
        target: Some(&mut TestTarget::sample()),
        layouts: Default::default(),
        defines: Vec::new(),
        arguments: Vec::new(),
        most_probes: ytrace_lang::check::MOST_PROBES,
    })
    .expect("the text can be parsed");
    let text = render(
        &typed.checked.diagnostics,
        &typed.sources,
        &typed.expansions,
        false,
    );
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[test]
fn several_errors_of_one_program() {
    insta::assert_snapshot!(shown(
        "long total[_str];\n\
         int twice(int n) { return n * 2; }\n\
         _probe _oneshot {\n    \
             int count = twice(1, 2);\n    \
             totl[\"a\"] += count;\n    \
             struct list *n = head;\n    \
             printf(\"%s %d\\n\", n->valu, n->next);\n    \
             *n = *n;\n    \
             undefined_function(n);\n\
         }\n"
    ));
}

#[test]
fn an_error_in_a_macro_shows_the_macros_that_lead_to_it() {
    // The text of `OUTER` comes through `INNER` and `OTHER`; only `INNER` has the mistake.
    insta::assert_snapshot!(shown(
        "#define OTHER(x) ((x) + 1)\n\
         #define INNER(x) ((x) + missing)\n\
         #define OUTER(x) (OTHER(x) * INNER(x))\n\
         _probe _oneshot {\n    \
             int n = 3;\n    \
             printf(\"%d\\n\", OUTER(n));\n\
         }\n"
    ));
}

#[test]
fn an_error_in_an_argument_of_a_macro_is_shown_where_it_stands() {
    insta::assert_snapshot!(shown(
        "#define TWICE(x) ((x) * 2)\n\
         _probe _oneshot {\n    \
             printf(\"%d\\n\", TWICE(nobody));\n\
         }\n"
    ));
}

#[test]
fn an_error_in_a_macro_of_a_library() {
    insta::assert_snapshot!(shown(
        "#include \"walk.y\"\n\
         _probe _oneshot {\n    \
             struct list *n;\n    \
             WALK(n, head) printf(\"%p\\n\", n);\n\
         }\n"
    ));
}

#[test]
fn only_the_cause_is_told_where_text_is_missing() {
    insta::assert_snapshot!(shown(
        "#include \"none.y\"\n\
         #include \"walk.y\"\n\
         #include \"neither.y\"\n\
         _probe _oneshot {\n    \
             foo_t *p = bar();\n    \
             EACH(p) { puts(q; }\n\
         }\n"
    ));
    insta::assert_snapshot!(shown(
        "_probe _oneshot {\n    \
             puts(\"one);\n    \
             puts(unknown);\n\
         }\n"
    ));
    insta::assert_snapshot!(shown(
        "#error \"no such machine\"\n_probe _oneshot { puts(unknown); }\n"
    ));
}
