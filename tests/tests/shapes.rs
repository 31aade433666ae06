//! What `%V` prints of values that C does not have, and which names are suggested: compiled programs of C, C++ and Rust.

use std::path::{Path, PathBuf};
use std::process::Command;

use ytrace_tests::fixtures::Waiting;
use ytrace_tests::program::run_text;

/// Compiles a program and starts it; it is ready when it has said so.
fn start(compiler: &[&str], source: &str, suffix: &str) -> (Waiting, PathBuf) {
    let folder = std::env::temp_dir().join(format!(
        "ytrace-shapes-{}-{}-{suffix}",
        std::process::id(),
        compiler.len() + source.len()
    ));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("shapes.{suffix}"));
    std::fs::write(&file, source).expect("a source file");
    let program = folder.join("shapes");
    build(compiler, &file, &program);
    (Waiting::start(&mut Command::new(program)), folder)
}

fn build(compiler: &[&str], source: &Path, program: &Path) {
    let [name, options @ ..] = compiler else {
        panic!("no compiler");
    };
    let status = Command::new(name)
        .args(options)
        .arg("-g")
        .arg("-o")
        .args([program, source])
        .status();
    assert!(status.expect("the compiler runs").success(), "{compiler:?}");
}

/// What each expression prints with `%V`.
#[track_caller]
fn shown(pid: i32, cases: &[(&str, &str)]) {
    let mut text = String::from("_probe _oneshot {\n");
    for (expression, _) in cases {
        text.push_str(&format!("printf(\"%V\\n\", {expression});\n"));
    }
    text.push('}');
    let finished = run_text(&text, pid, &[]).expect_status(0);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let wanted: Vec<&str> = cases.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(lines, wanted, "{}", finished.stderr);
}

#[test]
fn complex_numbers() {
    let source = r#"
#include <stdio.h>
float _Complex small;
double _Complex plain;
long double _Complex large;
struct wave { int n; double _Complex amplitude; } wave;
int main(void) {
    __real__ small = 1; __imag__ small = 2;
    __real__ plain = 0.5; __imag__ plain = -3;
    __real__ large = 4; __imag__ large = 0.25L;
    wave.n = 7; wave.amplitude = plain;
    puts("READY"); fflush(stdout);
    return getchar() == 0;
}
"#;
    let (program, folder) = start(&["gcc"], source, "c");
    shown(
        program.pid(),
        &[
            ("small", "1 + 2i"),
            ("plain", "0.5 + -3i"),
            ("large", "4 + 0.25i"),
            ("wave", "{n = 7, amplitude = 0.5 + -3i}"),
        ],
    );
    let sum = "_probe _oneshot { printf(\"%g\\n\", plain + 1.0); }";
    let refused = run_text(sum, program.pid(), &[]);
    assert_ne!(refused.status, Some(0));
    assert!(
        refused.stderr.contains("complex double"),
        "{}",
        refused.stderr
    );
    drop(program);
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn names_in_scopes_are_suggested() {
    let source = r#"
#include <cstdio>
namespace ns {
    int counter = 5;
    template <class T> struct Box { T held; };
    Box<int> boxed = {3};
}
int main() { std::puts("READY"); std::fflush(stdout); return std::getchar() + ns::counter == 0; }
"#;
    let (program, folder) = start(&["g++"], source, "cc");
    for wrong in [
        "counter",
        "countr",
        "ns::counter",
        "`ns::countr`",
        "ns::countr",
    ] {
        let text = format!("_probe _oneshot {{ printf(\"%d\\n\", {wrong}); }}");
        let finished = run_text(&text, program.pid(), &[]);
        assert_ne!(finished.status, Some(0), "{wrong}");
        assert!(
            finished.stderr.contains("`ns::counter`"),
            "{wrong}: {}",
            finished.stderr
        );
    }
    let text = "_probe _oneshot { printf(\"%d\\n\", sizeof(Box)); }";
    let finished = run_text(text, program.pid(), &[]);
    assert!(
        finished.stderr.contains("`ns::Box<int>`"),
        "{}",
        finished.stderr
    );
    // What is suggested works as it stands.
    shown(
        program.pid(),
        &[
            ("`ns::counter`", "5"),
            ("`ns::boxed`", "{held = 3}"),
            ("sizeof(`ns::Box<int>`)", "4"),
        ],
    );
    drop(program);
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn enumerations_of_rust() {
    let source = r#"
#![allow(dead_code)]
use std::io::Read;
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Colour { Red = 1, Green = 2 }
pub enum Shape { Point, Circle(f64), Box { wide: u32, high: u32 } }
#[repr(i8)]
pub enum Signed { Below(u16) = -1, Above(u16) = 1 }
pub enum One { Only(u16) }
pub struct All {
    some: Option<u32>, none: Option<u32>,
    near: Option<&'static u32>, far: Option<&'static u32>,
    good: Result<u16, i64>, bad: Result<u16, i64>,
    point: Shape, circle: Shape, square: Shape,
    below: Signed, above: Signed,
    only: One,
    nested: Option<Option<bool>>, missing: Option<Option<bool>>,
    colour: Colour,
    byte: u8, small: i8, bytes: [u8; 3], letter: char,
}
static SEVEN: u32 = 7;
#[unsafe(no_mangle)]
pub static ALL: All = All {
    some: Some(5), none: None, near: Some(&SEVEN), far: None, good: Ok(9), bad: Err(-2),
    point: Shape::Point, circle: Shape::Circle(1.5), square: Shape::Box { wide: 3, high: 4 },
    below: Signed::Below(1), above: Signed::Above(2), only: One::Only(6),
    nested: Some(None), missing: None, colour: Colour::Green,
    byte: 65, small: -1, bytes: [65, 0, 66], letter: 'x',
};
fn main() {
    println!("READY");
    let _ = std::io::stdin().read(&mut [0]);
    std::process::exit(std::hint::black_box(&ALL).some.is_none() as i32);
}
"#;
    let (program, folder) = start(&["rustc"], source, "rs");
    let all = |field: &str| format!("`shapes::ALL`.{field}");
    let cases = [
        ("some", "Some {__0 = 5}"),
        ("none", "None"),
        ("far", "None"),
        ("good", "Ok {__0 = 9}"),
        ("bad", "Err {__0 = -2}"),
        ("point", "Point"),
        ("circle", "Circle {__0 = 1.5}"),
        ("square", "Box {wide = 3, high = 4}"),
        ("below", "Below {__0 = 1}"),
        ("above", "Above {__0 = 2}"),
        ("only", "Only {__0 = 6}"),
        ("nested", "Some {__0 = None}"),
        ("missing", "None"),
        ("colour", "Green"),
        ("byte", "65"),
        ("small", "-1"),
        ("bytes", "{65, 0, 66}"),
    ]
    .map(|(field, wanted)| (all(field), wanted));
    let cases: Vec<(&str, &str)> = cases.iter().map(|(e, w)| (e.as_str(), *w)).collect();
    shown(program.pid(), &cases);
    shown(
        program.pid(),
        &[
            ("*`shapes::ALL`.near.Some.__0", "7"),
            ("`shapes::ALL`.square.Box.high", "4"),
        ],
    );
    drop(program);
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn virtual_bases_are_named_and_how_to_reach_them_is_said() {
    let source = r#"
#include <cstdio>
struct V { int v = 11; virtual ~V() {} };
struct L : virtual V { int l = 12; };
struct R : virtual V { int r = 13; };
struct D : L, R { int own = 14; };
D whole;
L left;
D &reference = whole;
struct Holder { D &d; } holder = { whole };
int main() { std::puts("READY"); std::fflush(stdout); return std::getchar() + left.l == 0; }
"#;
    let (program, folder) = start(&["g++"], source, "cc");
    for (base, object) in [
        ("left.v", "left"),
        ("whole.v", "whole"),
        ("reference->v", "whole"),
    ] {
        let text = format!("_probe _oneshot {{ printf(\"%d\\n\", {base}); }}");
        let refused = run_text(&text, program.pid(), &[]).expect_status(1);
        refused.says(&["`v` is in a virtual base of `struct L`"]);
        let (_, help) = refused.stderr.split_once("`((struct V *)").expect("a way");
        let (way, _) = help.split_once('`').expect("its end");
        // What is said works as it stands.
        let text = format!(
            "_probe _oneshot {{ void *p = &{object}; printf(\"%d\\n\", ((struct V *){way}); }}"
        );
        let found = run_text(&text, program.pid(), &[]).expect_status(0);
        assert_eq!(found.stdout, "11\n", "{found}");
    }
    let shown = run_text(
        "_probe _oneshot { printf(\"%V\\n%V\\n\", left, whole); printf(\"%d %d\\n\", holder.d->own, reference->r); }",
        program.pid(),
        &[],
    )
    .expect_status(0);
    assert!(shown.stdout.contains("<virtual base struct V>"), "{shown}");
    assert!(shown.stdout.contains("own = 14}"), "{shown}");
    assert!(shown.stdout.ends_with("14 13\n"), "{shown}");
    drop(program);
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn pointers_to_bases_are_not_taken_for_pointers_to_what_holds_them() {
    let source = r#"
#include <cstdio>
struct Animal { long legs = 4; };
struct Flyer { double span = 1.5; };
struct Hunter { int prey = 2; };
struct Middle : Flyer, Hunter { int own = 5; };
struct Bat : Animal, Middle { int night = 3; };
Bat bat;
Flyer *flyer = &bat;
Animal *animal = &bat;
Hunter *hunter = &bat;
int main() { std::puts("READY"); std::fflush(stdout); return std::getchar() == 0; }
"#;
    let (program, folder) = start(&["g++"], source, "cc");
    for (expression, sign, bytes) in [
        ("((Bat *) flyer)->night", '-', 8),
        ("((Flyer *) &bat)->span", '+', 8),
        ("((Bat *) hunter)->night", '-', 16),
        ("flyer == &bat", '-', 8),
    ] {
        let text = format!("_probe _oneshot {{ printf(\"%V\\n\", {expression}); }}");
        run_text(&text, program.pid(), &[]).expect_status(1).says(&[
            "does not move the pointer between `struct Bat` and its base `struct ",
            &format!("it lies {bytes} bytes behind the start of that"),
            &format!("`(T *) ((char *) p {sign} {bytes})`"),
        ]);
    }
    let text = "_probe _oneshot { Flyer *f = &bat; printf(\"%V\\n\", f); }";
    run_text(text, program.pid(), &[])
        .expect_status(1)
        .says(&["an assignment does not move the pointer"]);
    shown(
        program.pid(),
        &[
            ("((Bat *) animal)->night", "3"),
            ("((Animal *) &bat)->legs", "4"),
            ("((Bat *) ((char *) flyer - 8))->night", "3"),
            ("((Bat *) (void *) flyer)->legs == 4", "0"),
            ("bat.span", "1.5"),
        ],
    );
    drop(program);
    let _ = std::fs::remove_dir_all(folder);
}
