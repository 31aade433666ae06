//! Types files, as teams use them: made where the debug information is, used where it is not.

use std::path::{Path, PathBuf};

use serde_json::Value;
use ytrace_tests::fixtures::{Nginx, directory, unavailable};
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::{LUA_GC, run, run_lua_gc};
use ytrace_tests::skip;

const CONNECTIONS: &str =
    "_probe _oneshot { printf(\"%d connections\\n\", ngx_cycle->connection_n); }";

fn program(name: &str) -> PathBuf {
    directory().join("dwarf").join(name)
}

/// Extracts the types of nginx and of LuaJIT, and returns both files.
fn extract(folder: &Path) -> [String; 2] {
    let modules = [
        ("nginx/sbin/nginx", "nginx.types"),
        ("luajit-gc64/lib/libluajit-5.1.so.2", "luajit.types"),
    ];
    modules.map(|(module, name)| {
        let module = program(module);
        let output = folder.join(name);
        let (module, output) = (module.to_str().unwrap(), output.to_str().unwrap());
        let said = run(&["types", "extract", module, "-o", output]).expect_status(0);
        assert!(
            said.stdout.contains(" types, ") && said.stdout.contains(" symbols"),
            "{said}"
        );
        let before = std::fs::metadata(module).unwrap().len();
        let after = std::fs::metadata(output).unwrap().len();
        assert!(after * 8 < before, "{output}: {after} bytes of {before}");
        output.to_owned()
    })
}

#[test]
fn a_stripped_program_with_types_files_is_one_with_debug_information() {
    if let Some(why) = unavailable("stripped") {
        skip(
            "a_stripped_program_with_types_files_is_one_with_debug_information",
            &why,
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [nginx_types, luajit_types] = extract(folder.path());
    let nginx = Nginx::start("stripped", &[]);
    let pid = nginx.worker.to_string();

    // Without types there is a dynamic symbol, which has none.
    let without = run(&["run", "-e", CONNECTIONS, "-p", &pid]).expect_status(1);
    // With the cause, and what would help.
    without.says(&[
        "there is no type information for `ngx_cycle`",
        "nginx has no ",
        "(build-id ",
        "--debuginfod",
    ]);
    // What is not even a symbol is looked for in vain; the program is named as the one that lacks types.
    let text = "_probe _oneshot { ngx_listening_t *l; printf(\"%p\\n\", l->fd); }";
    let without = run(&["run", "-e", text, "-p", &pid]).expect_status(1);
    without.says(&["nginx has no type information"]);

    // The same answers as with the debug information itself.
    let debug_nginx = format!("nginx={}", program("nginx/sbin/nginx").display());
    let debug_luajit = format!(
        "libluajit-5.1.so.2={}",
        program("luajit-gc64/lib/libluajit-5.1.so.2").display()
    );
    let debug = ["--debug-file", &debug_nginx, "--debug-file", &debug_luajit];
    let types = ["--types", &nginx_types, "--types", &luajit_types];
    let connections = |more: &[&str]| {
        let mut arguments = vec!["run", "-e", CONNECTIONS, "-p", &pid];
        arguments.extend(more);
        run(&arguments).expect_status(0).stdout
    };
    let expected = connections(&debug);
    assert!(expected.contains(" connections"), "{expected}");
    let printed = |text: &str| {
        text.lines()
            .find(|line| line.ends_with(" connections"))
            .map(str::to_owned)
    };
    assert_eq!(printed(&connections(&types)), printed(&expected));

    let held = |name: &str, more: &[&str]| -> Value {
        let path = folder.path().join(name);
        let mut arguments = vec!["-o", path.to_str().unwrap()];
        arguments.extend(more);
        let result = run_lua_gc(nginx.worker, &arguments).expect_status(0);
        assert_untouched(nginx.worker);
        let json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(json["footer"]["complete"], true, "{result}");
        json
    };
    let (with_debug, with_types) = (held("debug.json", &debug), held("types.json", &types));
    assert_eq!(with_debug["views"], with_types["views"]);
    // Types that were declared by the library and tried are named; here none were needed.
    let notes = |json: &Value| json["footer"]["notes"].to_string();
    assert!(
        !notes(&with_types).contains("layout"),
        "{}",
        notes(&with_types)
    );

    // A module of a process by its name.
    let again = folder.path().join("again.types");
    let again = again.to_str().unwrap();
    let none = run(&["types", "extract", "-p", &pid, "libluajit*", "-o", again]).expect_status(2);
    assert!(none.stderr.contains("has no debug information"), "{none}");
    let unknown =
        run(&["types", "extract", "-p", &pid, "nonsense.so", "-o", again]).expect_status(2);
    assert!(
        unknown.stderr.contains("no module `nonsense.so`"),
        "{unknown}"
    );
    let debug_file = program("luajit-gc64/lib/libluajit-5.1.so.2");
    let debug_file = debug_file.to_str().unwrap();
    run(&[
        "types",
        "extract",
        "-p",
        &pid,
        "libluajit*",
        "--debug-file",
        debug_file,
        "-o",
        again,
    ])
    .expect_status(0);
    assert_eq!(
        std::fs::read(again).unwrap(),
        std::fs::read(&luajit_types).unwrap()
    );

    // Files of other builds are not used, and that is said.
    let other = folder.path().join("other.types");
    let other = other.to_str().unwrap();
    let gc32 = program("luajit-gc32/lib/libluajit-5.1.so.2");
    run(&["types", "extract", gc32.to_str().unwrap(), "-o", other]).expect_status(0);
    let unused = run(&[
        "run",
        "-e",
        CONNECTIONS,
        "-p",
        &pid,
        "--types",
        &nginx_types,
        "--types",
        other,
    ])
    .expect_status(0);
    assert!(
        unused.stderr.contains("is not used") && unused.stderr.contains("--types-any-build"),
        "{unused}"
    );
    let misfit = run(&[
        "run",
        "-e",
        CONNECTIONS,
        "-p",
        &pid,
        "--types",
        other,
        "--types-any-build",
    ])
    .expect_status(2);
    assert!(misfit.stderr.contains("does not fit"), "{misfit}");
}

#[test]
fn probes_are_checked_against_types_files_with_no_process() {
    if let Some(why) = unavailable("stripped") {
        skip(
            "probes_are_checked_against_types_files_with_no_process",
            &why,
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [nginx_types, luajit_types] = extract(folder.path());
    let types = ["--types", &nginx_types, "--types", &luajit_types];
    let check = |file: &str| {
        let mut arguments = vec!["check", file];
        arguments.extend(types);
        run(&arguments)
    };
    let right = check(LUA_GC).expect_status(0);
    assert!(right.stdout.contains("right for these types"), "{right}");
    let wrong = folder.path().join("wrong.y");
    std::fs::write(
        &wrong,
        "_probe _oneshot { printf(\"%d\\n\", ngx_cycle->conection_n); }\n",
    )
    .unwrap();
    let wrong = check(wrong.to_str().unwrap()).expect_status(1);
    assert!(wrong.stderr.contains("connection_n"), "{wrong}");

    let shown = run(&["types", "show", &nginx_types]).expect_status(0);
    assert!(
        shown.stdout.contains("module      nginx") && shown.stdout.contains("build-id"),
        "{shown}"
    );
    assert_eq!(
        shown.stdout,
        run(&["types", "show", &nginx_types])
            .expect_status(0)
            .stdout
    );

    // Damaged files are told from sound ones before anything else happens.
    let mut bytes = std::fs::read(&nginx_types).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&nginx_types, &bytes).unwrap();
    let damaged = check(LUA_GC).expect_status(2);
    assert!(damaged.stderr.contains("is damaged"), "{damaged}");
    std::fs::write(&nginx_types, &bytes[..middle]).unwrap();
    let short = check(LUA_GC).expect_status(2);
    assert!(short.stderr.contains("cut short"), "{short}");
    let no_types = check_with(LUA_GC, program("nginx/sbin/nginx").to_str().unwrap());
    assert!(no_types.contains("not a types file"), "{no_types}");
}

fn check_with(file: &str, types: &str) -> String {
    run(&["check", file, "--types", types])
        .expect_status(2)
        .stderr
}

const ITEM: &str = "
#define ITEM_LIMIT 100
#define TWICE(x) ((x) * 2)
#define BROKEN missing_function(1)
struct item { int pad; int value; };
struct item the_item = { 7, 42 };
int main(void) { return the_item.pad - 7; }
";

const LAYOUT: &str = r#"
_layout item {
    "swapped" {
        struct item { int value; int pad; };
    }
    "real" {
        struct item { int pad; int value; };
    }
} _valid item_valid;

int item_valid(void)
{
    return ((struct item *)_uaddr("the_item"))->pad == 7;
}

_probe _oneshot {
    printf("value %d\n", ((struct item *)_uaddr("the_item"))->value);
}
"#;

/// A program with debug information, the same without, and its types file.
fn item(folder: &Path) -> [String; 3] {
    std::fs::write(folder.join("item.c"), ITEM).unwrap();
    let tool = |name: &str, arguments: &[&str]| {
        let status = std::process::Command::new(name)
            .args(arguments)
            .current_dir(folder)
            .status()
            .unwrap();
        assert!(status.success(), "{name} {arguments:?}");
    };
    tool(
        "gcc",
        &[
            "-g3",
            "-rdynamic",
            "-Wl,--build-id=sha1",
            "item.c",
            "-o",
            "item",
        ],
    );
    tool("strip", &["item", "-o", "item-stripped"]);
    let made = ["item", "item-stripped", "item.types"];
    let made = made.map(|name| folder.join(name).display().to_string());
    run(&["types", "extract", &made[0], "-o", &made[2]]).expect_status(0);
    made
}

#[test]
fn debug_information_comes_before_the_candidates_of_a_layout() {
    if let Some(why) = unavailable("stripped") {
        skip(
            "debug_information_comes_before_the_candidates_of_a_layout",
            &why,
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [full, stripped, types] = item(folder.path());
    let probe = folder.path().join("layout.y");
    std::fs::write(&probe, LAYOUT).unwrap();
    let probe = probe.to_str().unwrap();

    let with_debug = run(&["run", probe, "-c", &full]).expect_status(0);
    assert!(with_debug.stdout.contains("value 42"), "{with_debug}");
    assert!(
        !with_debug.to_string().contains("layout item"),
        "{with_debug}"
    );
    let with_types = run(&["run", probe, "-c", &stripped, "--types", &types]).expect_status(0);
    assert!(with_types.stdout.contains("value 42"), "{with_types}");
    assert!(
        !with_types.to_string().contains("layout item"),
        "{with_types}"
    );
    // Nothing tells its types: the first candidate does not hold, the second does.
    let with_neither = run(&["run", probe, "-c", &stripped]).expect_status(0);
    assert!(with_neither.stdout.contains("value 42"), "{with_neither}");
    assert!(
        with_neither.to_string().contains("layout item: real"),
        "{with_neither}"
    );
}

#[test]
fn macros_of_the_target_can_be_used() {
    if let Some(why) = unavailable("stripped") {
        skip("macros_of_the_target_can_be_used", &why);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [full, stripped, types] = item(folder.path());
    let text = r#"_probe _oneshot { printf("sum %d\n", ITEM_LIMIT + TWICE(the_item.value)); }"#;
    for more in [
        vec![full.as_str()],
        vec![stripped.as_str(), "--types", &types],
    ] {
        let mut arguments = vec!["run", "-e", text, "-c"];
        arguments.extend(more);
        let result = run(&arguments).expect_status(0);
        assert!(result.stdout.contains("sum 184"), "{result}");
    }
    let own = format!("#define ITEM_LIMIT 1\n{text}");
    let own = run(&["run", "-e", &own, "-c", &full]).expect_status(0);
    assert!(own.stdout.contains("sum 85"), "{own}");
    let broken = "_probe _oneshot { printf(\"%d\\n\", BROKEN); }";
    let broken = run(&["run", "-e", broken, "-c", &full]).expect_status(1);
    assert!(
        broken
            .stderr
            .contains("in the macro `BROKEN`, defined in the target's debug information: item.c:4"),
        "{broken}"
    );
}
