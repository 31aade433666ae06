use std::collections::BTreeMap;

use super::*;
use crate::source::LoadError;
use crate::target::{
    FunctionDescription, LookupError, MacroDescription, MemberDescription, ModuleId, NameKind,
    Scope, SymbolSource, TargetType, TypeDescription, TypeNameKind, TypeSource,
    VariableDescription,
};

/// Files by name.
struct Files(BTreeMap<&'static str, &'static str>);

impl Loader for Files {
    fn load(&mut self, name: &str, _quoted: bool, _from: &str) -> Result<SourceFile, LoadError> {
        match self.0.get(name) {
            Some(text) => Ok(SourceFile {
                name: name.to_owned(),
                text: (*text).into(),
                library: true,
            }),
            None => Err(LoadError::NotFound {
                name: name.to_owned(),
                tried: vec!["lib".to_owned()],
            }),
        }
    }
}

/// A target with `struct known { int a; struct { int inner; }; struct known *next; }` in the
/// module `known.so`, the function `work(size)`, the variable `count` and the enumerator `RED`.
struct Known;

impl TypeSource for Known {
    fn find_type(
        &mut self,
        scope: &Scope,
        kind: TypeNameKind,
        name: &str,
    ) -> Result<Option<TargetType>, LookupError> {
        if scope.prefix.as_deref() == Some("nowhere") {
            return Err(LookupError::NoSuchPrefix {
                prefix: "nowhere".to_owned(),
                suggestions: Vec::new(),
            });
        }
        Ok(match (kind, name) {
            (TypeNameKind::Struct, "known") => Some(TargetType(1)),
            (TypeNameKind::Plain, "known_t") => Some(TargetType(4)),
            (TypeNameKind::Struct, "opaque") => Some(TargetType(5)),
            _ => None,
        })
    }

    fn describe(&mut self, ty: TargetType) -> Result<TypeDescription, LookupError> {
        let member = |name: Option<&str>, ty| MemberDescription {
            role: crate::target::MemberRole::Always,
            name: name.map(str::to_owned),
            ty: TargetType(ty),
            offset: 0,
            bits: None,
        };
        let record = |members| TypeDescription::Record {
            name: None,
            union: false,
            size: Some(16),
            members,
            by_reference: None,
        };
        Ok(match ty.0 {
            1 => record(vec![
                member(Some("a"), 3),
                member(None, 2),
                member(Some("sub"), 2),
            ]),
            2 => record(vec![member(Some("inner"), 3)]),
            4 => TypeDescription::Typedef {
                name: "known_t".to_owned(),
                target: TargetType(1),
            },
            5 => TypeDescription::Record {
                name: None,
                union: false,
                size: None,
                members: Vec::new(),
                by_reference: None,
            },
            _ => TypeDescription::Integer {
                name: "int".to_owned(),
                size: 4,
                signed: true,
                character: false,
            },
        })
    }

    fn find_enumerator(
        &mut self,
        _scope: &Scope,
        name: &str,
    ) -> Result<Option<(i64, Option<TargetType>)>, LookupError> {
        Ok((name == "RED").then_some((0, None)))
    }
}

impl SymbolSource for Known {
    fn find_variable(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<VariableDescription>, LookupError> {
        let found = name == "count" || name == "scoped" && scope.preferred == Some(ModuleId(7));
        let thread_local = name == "errno" || name == "later";
        Ok((found || thread_local).then_some(VariableDescription {
            module: ModuleId(if name == "later" { 9 } else { 1 }),
            address: 0,
            thread_local,
            ty: None,
        }))
    }

    fn thread_locals_of(&self, module: ModuleId) -> Result<(), String> {
        match module {
            ModuleId(9) => Err("it was loaded later".to_owned()),
            _ => Ok(()),
        }
    }

    fn find_function(
        &mut self,
        _scope: &Scope,
        name: &str,
    ) -> Result<Option<FunctionDescription>, LookupError> {
        Ok((name == "work").then(|| FunctionDescription {
            module: ModuleId(1),
            address: 0,
            parameters: Some(vec![(Some("size".to_owned()), TargetType(3))]),
            result: None,
            variadic: false,
            places: None,
            copies: Vec::new(),
            unclear_copies: Vec::new(),
        }))
    }

    fn find_macro(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<MacroDescription>, LookupError> {
        let found = |parameters: Option<&[&str]>, replacement: &str| {
            let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            Ok(Some(MacroDescription {
                parameters: parameters.map(names),
                replacement: replacement.to_owned(),
                place: Some("known.h:12".to_owned()),
            }))
        };
        match (name, scope.preferred) {
            ("T_SIZE", _) => found(None, "(64 * T_UNIT)"),
            ("T_UNIT", _) => found(None, "4"),
            ("T_MAX", _) => found(Some(&["a", "b"]), "((a) > (b) ? (a) : (b))"),
            ("T_LOG", _) => found(Some(&["f", "..."]), "log(f, ## __VA_ARGS__)"),
            ("T_SCOPED", Some(ModuleId(7))) => found(None, "seven"),
            ("T_SCOPED", _) => found(None, "none"),
            ("assert" | "NULL" | "GIVEN" | "_probe" | "mine", _) => found(None, "wrong"),
            ("T_SELF", _) => found(None, "T_SELF"),
            ("T_WRONG", _) => found(None, "\"never ends"),
            ("T_TWO", _) => Err(LookupError::Ambiguous {
                name: name.to_owned(),
                places: vec!["a.c:1".to_owned(), "b.c:2".to_owned()],
            }),
            _ => Ok(None),
        }
    }

    fn find_module(&mut self, pattern: &str) -> Option<ModuleId> {
        (pattern == "known.so").then_some(ModuleId(7))
    }

    fn find_string(&mut self, _scope: &Scope, _bytes: &[u8]) -> Option<u64> {
        None
    }

    fn suggest(&mut self, _scope: &Scope, _kind: NameKind, _name: &str) -> Vec<String> {
        Vec::new()
    }

    fn missing_debug_information(&mut self) -> Vec<String> {
        Vec::new()
    }
}

const FILES: &[(&str, &str)] = &[
    ("lib.y", "#define LIB 1\nlib;"),
    ("twice.y", "#include \"lib.y\"\ntwice;"),
    ("loop.y", "loop; #\n#include \"loop.y\"\n"),
    (
        "scoped.y",
        "_module \"known.so\", _exe;\n##ifdefvar scoped\nscoped_yes;\n##endif\n",
    ),
    (
        "unloaded.y",
        "_module \"other.so\";\n##ifdeftype struct known\nyes;\n##elifndeftype struct known\nno;\n##else\nneither;\n##endif\n",
    ),
    (
        "nested.y",
        "##ifdefvar b\n##ifdefvar c\nn1\n##else\nn2\n##endif\n##else\nn3\n##endif\n",
    ),
    (
        "circle.y",
        "##ifdefvar q\n#include \"circle.y\"\nc1\n##else\nc2\n##endif\n",
    ),
];

fn preprocessed(text: &str, target: bool, arm: usize) -> Preprocessed {
    let mut files = Files(FILES.iter().copied().collect());
    let mut known = Known;
    let main = SourceFile {
        name: "main.y".to_owned(),
        text: text.into(),
        library: false,
    };
    let target: Option<&mut dyn Target> = if target { Some(&mut known) } else { None };
    preprocess(
        main,
        &mut files,
        target,
        &LayoutChoices::new(),
        &[("GIVEN".to_owned(), "42".to_owned())],
        arm,
    )
}

fn run(text: &str, target: bool, arm: usize) -> (String, Vec<String>) {
    let result = preprocessed(text, target, arm);
    let words: Vec<String> = result.tokens.iter().map(Token::spelling).collect();
    (
        words.join(" "),
        result.diagnostics.into_iter().map(|d| d.message).collect(),
    )
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let (words, errors) = run(text, true, 0);
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(words, expected);
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let (_, errors) = run(text, true, 0);
    assert!(
        errors.iter().any(|error| error.contains(expected)),
        "{errors:?}"
    );
}

#[test]
fn object_and_function_like_macros() {
    check("#define A B c\n#define B b\nA GIVEN", "b c 42");
    check(
        "#define f(x, y) x + y\nf(1, (2, 3)) f f\n(4,5)",
        "1 + ( 2 , 3 ) f 4 + 5",
    );
    check("#define f() x\nf() f( )", "x x");
    check("#define A (1)\nA", "( 1 )");
}

#[test]
fn rescanning_hides_what_is_being_expanded() {
    check("#define x x + 1\nx", "x + 1");
    check("#define a b\n#define b a\na b", "a b");
    // The examples of C's standard.
    check(
        "#define x 3\n#define f(a) f(x * (a))\n#undef x\n#define x 2\n#define g f\n#define z z[0]\n#define h g(~\n#define m(a) a(w)\n#define w 0,1\n#define t(a) a\n#define p() int\n#define q(x) x\n#define r(x,y) x ## y\n#define str(x) # x\nf(y+1) + f(f(z)) % t(t(g)(0) + t)(1); g(x+(3,4)-w) | h 5) & m(f)^m(m); p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) }; char c[2][6] = { str(hello), str() };",
        "f ( 2 * ( y + 1 ) ) + f ( 2 * ( f ( 2 * ( z [ 0 ] ) ) ) ) % f ( 2 * ( 0 ) ) + t ( 1 ) ; f ( 2 * ( 2 + ( 3 , 4 ) - 0 , 1 ) ) | f ( 2 * ( ~ 5 ) ) & f ( 2 * ( 0 , 1 ) ) ^ m ( 0 , 1 ) ; int i [ ] = { 1 , 23 , 4 , 5 , } ; char c [ 2 ] [ 6 ] = { \"hello\" , \"\" } ;",
    );
}

#[test]
fn strings_pastes_and_variadics() {
    check(
        "#define s(x) #x\ns( a  \"b\\n\" 'c' )",
        r#""a \"b\\n\" 'c'""#,
    );
    check(
        "#define v(f, ...) p(f, ## __VA_ARGS__)\nv(1) v(1, 2, 3)",
        "p ( 1 ) p ( 1 , 2 , 3 )",
    );
    check(
        "#define v(args...) p(args)\nv() v(1, 2)",
        "p ( ) p ( 1 , 2 )",
    );
    check(
        "#define hash_hash # ## #\n#define c(a, b) a ## b\nc(x, 1) c(<<, =)",
        "x1 <<=",
    );
    check_error("#define c(a, b) a ## b\nc(+, x)", "do not make one token");
    check_error("#define f(a) a\nf(1, 2)", "takes 1 arguments, not 2");
    check_error("#define f(a) a\nf(1", "never end");
}

#[test]
fn macros_of_the_target() {
    check("T_SIZE", "( 64 * 4 )");
    check("T_MAX(1, T_UNIT)", "( ( 1 ) > ( 4 ) ? ( 1 ) : ( 4 ) )");
    check("T_LOG(1) T_LOG(1, 2)", "log ( 1 ) log ( 1 , 2 )");
    check(
        "#ifdef T_UNIT\na\n#endif\n#if T_UNIT == 4 && !defined T_NONE\nb\n#endif",
        "a b",
    );
    // What the script says comes first.
    check("#define T_UNIT 8\nT_SIZE", "( 64 * 8 )");
    check("#undef T_UNIT\nT_UNIT", "T_UNIT");
    check(
        "assert(NULL) GIVEN _probe T_SELF",
        "assert ( NULL ) 42 _probe T_SELF",
    );
    check("int mine = 3; f(mine);", "int mine = 3 ; f ( mine ) ;");
    check("f(mine);", "f ( wrong ) ;");
    // Each file asks the module that it has chosen.
    check(
        "_module \"known.so\";\nT_SCOPED",
        "_module \"known.so\" ; seven",
    );
    check("T_SCOPED", "none");
    check_error("T_TWO", "is ambiguous: a.c:1, b.c:2");
    check_error("T_WRONG", "the target's macro `T_WRONG` cannot be used");
    // Without a target there are none.
    assert_eq!(run("T_UNIT", false, 0).0, "T_UNIT");
}

#[test]
fn errors_in_macros_of_the_target_say_where_they_are_defined() {
    let main = SourceFile {
        name: "main.y".to_owned(),
        text: "a;\nT_SIZE;".into(),
        library: false,
    };
    let mut files = Files(FILES.iter().copied().collect());
    let result = preprocess(
        main,
        &mut files,
        Some(&mut Known),
        &LayoutChoices::new(),
        &[],
        0,
    );
    let token = result.tokens.iter().find(|token| token.is("(")).unwrap();
    let diagnostic = crate::diagnostics::Diagnostic::error(token.span, "wrong", "here");
    let text = crate::render::render(&[diagnostic], &result.sources, &result.expansions, false);
    assert!(text.contains("main.y:2:1"), "{text}");
    assert!(
        text.contains(
            "in the macro `T_SIZE`, defined in the target's debug information: known.h:12"
        ),
        "{text}"
    );
}

#[test]
fn explosions_are_errors() {
    let mut text = String::from("#define a0 x x x x\n");
    for level in 1..30 {
        let before = level - 1;
        text += &format!("#define a{level} a{before} a{before} a{before} a{before}\n");
    }
    check_error(&format!("{text}a29"), "too much text");
    let nested = format!("#define f(x) x\n{}1{}", "f(".repeat(5000), ")".repeat(5000));
    check_error(&nested, "too much text");
}

#[test]
fn the_text_of_macros_is_bounded() {
    const MOST: usize = 4 << 20;
    let name = "y".repeat(1 << 10);
    for (macros, one) in [
        (format!("#define B \"{name}\"\n"), "B\n"),
        (format!("#define B {name}\n"), "B\n"),
        (format!("#define J(x) x##{name}\n"), "J(a)\n"),
        (format!("#define S(x) #x x\n#define B S({name})\n"), "B\n"),
    ] {
        let size = |uses: usize| {
            let (words, errors) = run(&format!("{macros}{}", one.repeat(uses)), true, 0);
            (words.len(), errors)
        };
        let (few, errors) = size(1_000);
        assert!(
            few >= 1_000 << 10 && errors.is_empty(),
            "{one}: {few} {errors:?}"
        );
        let (many, errors) = size(20_000);
        assert_eq!(errors, ["macros expand to too much text"], "{one}");
        assert!(many < MOST + MOST / 4, "{one}: {many} bytes");
    }
}

#[test]
fn conditions_of_c() {
    check(
        "#if GIVEN == 42 && defined(GIVEN) && !defined X\na\n#else\nb\n#endif",
        "a",
    );
    check("#ifdef X\na\n#elif 0\nb\n#elif 1\nc\n#else\nd\n#endif", "c");
    check(
        "#if 0\n#if 1\na\n#else\nb\n#endif\n#bogus\n#else\nc\n#endif",
        "c",
    );
    check("#if 1 || 1 / 0\na\n#endif", "a");
    check("#if -1 < 0u\na\n#else\nb\n#endif", "b");
    check(
        "#if (1 ? 2 : 3) == 2 && 1 << 3 == 8 && -7 / 2 == -3\na\n#endif",
        "a",
    );
    check_error("#if 1 / 0\n#endif", "makes no sense");
    check_error("#if\n#endif", "makes no sense");
    check_error("#if 1\n", "never ends");
    check_error("#endif\n", "no condition is open");
    check_error("#ifdefx A\n#endif\n", "no directive");
    check_error("#error out of luck\n", "out of luck");
}

#[test]
fn includes_are_read_once() {
    check(
        "#include <lib.y>\n#include \"twice.y\"\nLIB",
        "lib ; twice ; 1",
    );
    check("#define F \"lib.y\"\n#include F\n", "lib ;");
    check("#include <loop.y>\n", "loop ; #");
    check_error("#include <nothing.y>\n", "no file `nothing.y`");
    check_error("#include lib.y\n", "takes one file");
}

#[test]
fn conditions_on_the_target() {
    check("##ifdeftype struct known\na\n##else\nb\n##endif", "a");
    check(
        "##ifdeftype known\na\n##elifdeftype known_t\nb\n##endif",
        "b",
    );
    check("##ifndeftype nowhere::struct known\na\n##endif", "a");
    check("##ifdeffield struct known inner\na\n##endif", "a");
    check("##ifdeffield known_t sub.inner\na\n##endif", "a");
    check("##ifdeffield known_t sub.a\na\n##else\nb\n##endif", "b");
    check(
        "##ifdeffunc work\na\n##endif\n##ifdefarg work size\nb\n##endif",
        "a b",
    );
    check(
        "##ifdefvar count\na\n##endif\n##ifdefenum RED\nb\n##endif",
        "a b",
    );
    // One that is thread-local is there only if it can be found.
    check(
        "##ifdefvar errno\na\n##endif\n##ifdefvar later\nb\n##endif",
        "a",
    );
    check(
        "##ifdefvar scoped\na\n##endif\n#include \"scoped.y\"\n",
        "_module \"known.so\" , _exe ; scoped_yes ;",
    );
    check(
        "#include \"unloaded.y\"\n",
        "_module \"other.so\" ; neither ;",
    );
    check_error("##ifdeftyp x\n##endif", "no directive");
    check_error("##ifdeffield x\n##endif", "a type and a field must follow");
    check_error(
        "##ifndeftype nothing\n##error no such thing\n##endif",
        "no such thing",
    );
}

#[test]
fn without_a_target_each_arm_has_its_turn() {
    let text = "##ifdeftype A\na\n##elifdeftype B\nb\n##else\n##error none\nc\n##endif\n##ifdefvar x\nd\n##else\ne\n##endif";
    for (arm, expected) in [(0, "a d"), (1, "b e"), (2, "c e"), (9, "c e")] {
        assert_eq!(run(text, false, arm), (expected.to_owned(), Vec::new()));
    }
}

#[test]
fn arms_within_arms_have_their_turn_too() {
    let inner = |name: &str| {
        format!("##ifdefvar {name}\n{name}1\n##elifdefvar x\n{name}2\n##else\n{name}3\n##endif\n")
    };
    let text = format!(
        "##ifdefvar a\n{}##else\n#include \"nested.y\"\n##endif\n##ifdefvar z\nz1\n##else\nz2\n##endif",
        inner("p")
    );
    // `nested.y` has a condition of two arms, the first of which has one of two.
    let rounds = ["p1 z1", "p2 z2", "p3 z2", "n1 z2", "n2 z2", "n3 z2"];
    for (round, expected) in rounds.iter().enumerate() {
        let (text, errors) = run(&text, false, round);
        assert_eq!((text.as_str(), errors), (*expected, Vec::new()), "{round}");
    }
    let wanted = |text: &str| {
        let result = preprocessed(text, false, 0);
        (result.arms, result.arms_hidden)
    };
    assert_eq!(wanted(&text), (6, false));
    assert_eq!(wanted("#include \"nested.y\""), (3, false));
    assert_eq!(wanted("a"), (0, false));
    // The name is not known before the rounds are counted.
    let macro_name = "#define F \"nested.y\"\n";
    assert_eq!(wanted(&format!("{macro_name}#include F")), (3, false));
    let text = format!("{macro_name}##ifdefvar a\n#include F\n##endif");
    assert_eq!(wanted(&text), (3, true));
    let itself = "##ifdefvar a\n#include \"circle.y\"\n##endif";
    assert_eq!(wanted(itself), (2, false));
}

const LAYOUT: &str = "_layout g { \"one\" { struct FIRST { int x; struct { int deep; }; }; typedef struct FIRST first_t; } \"two\" { struct FIRST { int y; }; } } _valid ok;\n##ifdeffield struct FIRST x\nx;\n##endif\n##ifdeffield struct FIRST y\ny;\n##endif\n##ifdeffield first_t deep\ndeep;\n##endif\n";

fn layout(first: &str, choices: &[(&str, &str)]) -> (String, Option<Option<usize>>) {
    let mut files = Files(BTreeMap::new());
    let mut known = Known;
    let main = SourceFile {
        name: "main.y".to_owned(),
        text: LAYOUT.replace("FIRST", first).into(),
        library: false,
    };
    let choices = choices
        .iter()
        .map(|(group, candidate)| ((*group).to_owned(), (*candidate).to_owned()))
        .collect();
    let result = preprocess(main, &mut files, Some(&mut known), &choices, &[], 0);
    assert!(result.diagnostics.is_empty(), "{:?}", result.diagnostics);
    let words: Vec<String> = result.tokens.iter().map(Token::spelling).collect();
    let text = words.join(" ");
    (
        text.rsplit("ok ;")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned(),
        result.layouts.values().next().map(|layout| layout.chosen),
    )
}

#[test]
fn layouts_decide_what_follows() {
    assert_eq!(
        layout("unknown", &[]),
        ("x ; deep ;".to_owned(), Some(Some(0)))
    );
    assert_eq!(
        layout("unknown", &[("g", "two")]),
        ("y ;".to_owned(), Some(Some(1)))
    );
    // The target has the record complete; its fields count.
    assert_eq!(layout("known", &[]), (String::new(), Some(None)));
    assert_eq!(
        layout("opaque", &[]),
        ("x ; deep ;".to_owned(), Some(Some(0)))
    );
}

#[test]
fn tokens_of_macros_stand_where_the_macro_is_used() {
    let mut files = Files(BTreeMap::new());
    let main = SourceFile {
        name: "main.y".to_owned(),
        text: "#define inner(x) x + 1\n#define outer inner(2)\nouter;".into(),
        library: false,
    };
    let result = preprocess(main, &mut files, None, &LayoutChoices::new(), &[], 0);
    let Some(first) = result.tokens.first() else {
        panic!("no tokens");
    };
    assert_eq!(result.sources.location(first.span), "main.y:3:1");
    let names: Vec<&str> = result
        .expansions
        .at(first.span)
        .iter()
        .map(|expansion| expansion.name.as_str())
        .collect();
    assert_eq!(names, ["outer", "inner"]);
}

#[test]
fn each_token_knows_the_macros_that_it_came_through() {
    let mut files = Files(BTreeMap::new());
    let main = SourceFile {
        name: "main.y".to_owned(),
        text: "#define ONE 1\n#define TWO 2\n#define PAIR(x) ONE x TWO here\n#define ALL PAIR(TWO) end\n\
               ALL PAIR(written) ONE"
            .into(),
        library: false,
    };
    let result = preprocess(main, &mut files, None, &LayoutChoices::new(), &[], 0);
    let found: Vec<String> = result
        .tokens
        .iter()
        .map(|token| {
            let chain = result.expansions.at(token.span);
            let names: Vec<&str> = chain.iter().map(|one| one.name.as_str()).collect();
            let place = result.sources.location(token.span);
            format!("{} {place} {}", token.text, names.join(" "))
        })
        .collect();
    assert_eq!(
        found,
        [
            "1 main.y:5:1 ALL PAIR ONE",
            "2 main.y:5:1 ALL PAIR TWO",
            "2 main.y:5:1 ALL PAIR TWO",
            "here main.y:5:1 ALL PAIR",
            "end main.y:5:1 ALL",
            "1 main.y:5:5 PAIR ONE",
            "written main.y:5:10 ",
            "2 main.y:5:5 PAIR TWO",
            "here main.y:5:5 PAIR",
            "1 main.y:5:19 ONE",
        ]
    );
}

#[test]
fn of_a_long_chain_of_macros_the_ends_are_shown() {
    let mut files = Files(BTreeMap::new());
    let mut text = String::from("#define M0 end\n");
    for number in 1..20 {
        text.push_str(&format!("#define M{number} M{}\n", number - 1));
    }
    text.push_str("M19");
    let main = SourceFile {
        name: "main.y".to_owned(),
        text: text.into(),
        library: false,
    };
    let result = preprocess(main, &mut files, None, &LayoutChoices::new(), &[], 0);
    let span = result.tokens.first().unwrap().span;
    let chain = result.expansions.at(span);
    let names: Vec<&str> = chain.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["M19", "M18", "M17", "M16", "M3", "M2", "M1", "M0"]);
}

#[test]
fn the_top_of_the_file_documents_the_program() {
    for (text, expected) in [
        (
            "/// one\n/// two\n#include \"lib.y\"\nint x;",
            Some("one\ntwo"),
        ),
        ("/// one\n\nint x;", Some("one")),
        ("/// one\nint x;", None),
    ] {
        let mut files = Files(FILES.iter().copied().collect());
        let main = SourceFile {
            name: "main.y".to_owned(),
            text: text.into(),
            library: false,
        };
        let result = preprocess(main, &mut files, None, &LayoutChoices::new(), &[], 0);
        assert_eq!(result.documentation.as_deref(), expected, "{text}");
    }
}
