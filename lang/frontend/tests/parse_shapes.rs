//! What the parser makes of expressions and declarations that C's grammar leaves to names.

use ytrace_lang::ast::*;
use ytrace_lang::flat;
use ytrace_lang::parse::{Parsed, parse};
use ytrace_lang::source::{LoadError, Loader, SourceFile};

struct NoFiles;

impl Loader for NoFiles {
    fn load(&mut self, name: &str, _quoted: bool, _from: &str) -> Result<SourceFile, LoadError> {
        Err(LoadError::NotFound {
            name: name.to_owned(),
            tried: Vec::new(),
        })
    }
}

fn parsed(text: &str) -> Parsed {
    let main = SourceFile {
        name: "test.y".to_owned(),
        text: text.into(),
        library: false,
    };
    let parsed = parse(main, &mut NoFiles, None, &Default::default(), &[]);
    assert!(
        parsed.diagnostics.is_empty(),
        "{text}: {:?}",
        parsed.diagnostics
    );
    parsed
}

/// The statements of `void f(void) { … }` after the typedef `known`.
fn statements(text: &str) -> Vec<Statement> {
    let parsed = parsed(&format!("typedef int known; void f(void) {{ {text} }}"));
    match parsed.unit.items.into_iter().last().map(|item| item.kind) {
        Some(ItemKind::Function(Function {
            body: Some(body), ..
        })) => body.statements,
        other => panic!("{other:?}"),
    }
}

/// An expression in full parentheses. `T`, `U` and names that end in `_t` are types.
fn show(expression: &Expression) -> String {
    let one = |e: &Expression| show(e);
    match &expression.kind {
        ExpressionKind::Name(name) => name.text.clone(),
        ExpressionKind::Integer(integer) => integer.value.to_string(),
        ExpressionKind::String(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        ExpressionKind::Regex(text) => format!("/{text}/"),
        ExpressionKind::Unary(operator, operand) => format!("{operator:?}({})", one(operand)),
        ExpressionKind::Binary(operator, a, b) => format!("{operator:?}({}, {})", one(a), one(b)),
        ExpressionKind::Flat(parts) => one(&flat::resolve(parts, &mut |name| {
            name.text.ends_with("_t") || matches!(name.text.as_str(), "T" | "U")
        })),
        ExpressionKind::Conditional(c, a, b) => format!(
            "If({}, {}, {})",
            one(c),
            a.as_ref().map_or("-".to_owned(), |a| one(a)),
            one(b)
        ),
        ExpressionKind::Assign(operator, a, b) => {
            format!("Assign{operator:?}({}, {})", one(a), one(b))
        }
        ExpressionKind::AggregateAdd(a, b) => format!("Add({}, {})", one(a), one(b)),
        ExpressionKind::Comma(a, b) => format!("Comma({}, {})", one(a), one(b)),
        ExpressionKind::Cast(ty, operand) => format!("Cast<{}>({})", type_text(ty), one(operand)),
        ExpressionKind::CompoundLiteral(ty, _) => format!("Literal<{}>", type_text(ty)),
        ExpressionKind::Call(f, arguments) => {
            let arguments: Vec<String> = arguments
                .iter()
                .map(|argument| match argument {
                    Argument::Expression(e) => one(e),
                    Argument::Type(ty) => format!("<{}>", type_text(ty)),
                })
                .collect();
            format!("{}({})", one(f), arguments.join(", "))
        }
        ExpressionKind::Index(a, indices) => {
            let indices: Vec<String> = indices.iter().map(one).collect();
            format!("{}[{}]", one(a), indices.join(", "))
        }
        ExpressionKind::Member {
            object,
            arrow,
            member,
        } => format!(
            "{}{}{}",
            one(object),
            if *arrow { "->" } else { "." },
            member.text
        ),
        ExpressionKind::In(keys, t) => {
            let keys: Vec<String> = keys.iter().map(one).collect();
            format!("In([{}], {})", keys.join(", "), one(t))
        }
        ExpressionKind::Match {
            subject,
            pattern,
            negated,
        } => format!("Match{negated}({}, {})", one(subject), one(pattern)),
        ExpressionKind::Sizeof(SizeofArgument::Name(name)) => format!("sizeof?{}", name.text),
        ExpressionKind::Sizeof(SizeofArgument::Type(ty)) => format!("sizeof<{}>", type_text(ty)),
        ExpressionKind::Sizeof(SizeofArgument::Expression(e)) => format!("sizeof({})", one(e)),
        other => format!("{other:?}"),
    }
}

fn type_text(ty: &TypeName) -> String {
    let mut text = match &ty.base {
        TypeSpecifier::Named(name) => name.text.clone(),
        TypeSpecifier::Basic(basic, _) => format!("{basic:?}"),
        TypeSpecifier::Record(record) => {
            format!("struct {}", record.tag.as_ref().map_or("", |tag| &tag.text))
        }
        other => format!("{other:?}"),
    };
    for derivation in ty.derivations.iter().rev() {
        text += match derivation {
            Derivation::Pointer => " *",
            Derivation::Array(_) => " []",
            Derivation::Function { .. } => " ()",
        };
    }
    text
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let statements = statements(&format!("{text};"));
    match statements.first().map(|statement| &statement.kind) {
        Some(StatementKind::Expression(expression)) => assert_eq!(show(expression), expected),
        other => panic!("{text}: {other:?}"),
    }
}

fn is_declaration(text: &str) -> bool {
    matches!(
        statements(text).first().map(|statement| &statement.kind),
        Some(StatementKind::Declaration(_))
    )
}

#[test]
fn precedence_is_c_s() {
    check("a + b * c - d", "Subtract(Add(a, Multiply(b, c)), d)");
    check(
        "a || b && c | d ^ e & f",
        "LogicalOr(a, LogicalAnd(b, Or(c, Xor(d, And(e, f)))))",
    );
    check(
        "a == b < c << d + e",
        "Equal(a, Less(b, ShiftLeft(c, Add(d, e))))",
    );
    check(
        "x = y = a ? b : c, d",
        "Comma(AssignNone(x, AssignNone(y, If(a, b, c))), d)",
    );
    check("a ?: b ?: c", "If(a, -, If(b, -, c))");
    check("!a in t && b", "LogicalAnd(In([Not(a)], t), b)");
    check("(a, b) in t == 1", "Equal(In([a, b], t), 1)");
    check(
        "s ~~ rx/a b/ && t !~~ p",
        "LogicalAnd(Matchfalse(s, /a b/), Matchtrue(t, p))",
    );
    check("~~a", "Complement(Complement(a))");
    check("*p->q[1].r", "Dereference(p->q[1].r)");
    check("lat[a, b] <<< c + 1", "Add(lat[a, b], Add(c, 1))");
    check("\"a\" \"b\\n\"", "\"ab\\n\"");
}

#[test]
fn names_in_parentheses_wait_for_their_meaning() {
    check("x = (a) * b", "AssignNone(x, Multiply(a, b))");
    check("x = (T) * b", "AssignNone(x, Cast<T>(Dereference(b)))");
    check(
        "x = a * (T) - b + c",
        "AssignNone(x, Add(Multiply(a, Cast<T>(Negate(b))), c))",
    );
    check(
        "x = a * (b) - c + d",
        "AssignNone(x, Add(Subtract(Multiply(a, b), c), d))",
    );
    check("x = (T)(a)->b[1]", "AssignNone(x, Cast<T>(a->b[1]))");
    check("x = (f)(a)->b[1]", "AssignNone(x, f(a)->b[1])");
    check(
        "x = (T)(U)(a) + 1",
        "AssignNone(x, Add(Cast<T>(Cast<U>(a)), 1))",
    );
    check(
        "x = -(T) & y",
        "AssignNone(x, Negate(Cast<T>(AddressOf(y))))",
    );
    check("x = (known) - 1", "AssignNone(x, Cast<known>(Negate(1)))");
    check(
        "x = (u_char *) (p) + 1",
        "AssignNone(x, Add(Cast<u_char *>(p), 1))",
    );
    check("x = (size_t) y", "AssignNone(x, Cast<size_t>(y))");
    check("x = (T) ~y", "AssignNone(x, Cast<T>(Complement(y)))");
    check("f(a, T *, struct s)", "f(a, <T *>, <struct s>)");
    check("x = sizeof(a) * 2", "AssignNone(x, Multiply(sizeof?a, 2))");
    check("x = sizeof(a)->b", "AssignNone(x, sizeof(a->b))");
    check("x = (T (*)(int)) p", "AssignNone(x, Cast<T () *>(p))");
    check("x = (T) { 1 }", "AssignNone(x, Literal<T>)");
    check(
        "x = ((uintptr_t) (p) + (a - 1)) & ~((uintptr_t) a - 1)",
        "AssignNone(x, And(Add(Cast<uintptr_t>(p), Subtract(a, 1)), Complement(Subtract(Cast<uintptr_t>(a), 1))))",
    );
}

#[test]
fn statements_that_start_like_declarations() {
    for text in [
        "a * b;",
        "a b;",
        "a **b, c;",
        "const a b;",
        "a const *b;",
        "a b[3];",
        "a (*f)(int);",
        "known x;",
        "unsigned a;",
        "struct s *a;",
        "ngx_chain_t *in, **ll;",
        "a in;",
        "libc.so.6::struct s x;",
        "m.so::t x;",
        "typeof(x) y;",
    ] {
        assert!(is_declaration(text), "{text}");
    }
    for text in [
        "a = b;",
        "a(*b);",
        "a[1] = 2;",
        "a->b = c;",
        "a.b++;",
        "*a = b;",
        "a in b;",
        "(a)(b);",
        "(a) * b;",
        "a, b;",
        "a;",
        "a & b;",
        "a: b = 1;",
    ] {
        assert!(!is_declaration(text), "{text}");
    }
}

#[test]
fn declarators_read_from_the_name_outwards() {
    let parsed = parsed(
        "int *(*f[3])(void); long t[void *]; long u[K]; V a[K1][K2]; long n[int, _str]; T e[]; int g[2 * 3];",
    );
    let shapes: Vec<String> = parsed
        .unit
        .items
        .iter()
        .map(|item| match &item.kind {
            ItemKind::Declaration(declaration) => declaration
                .declarators
                .iter()
                .flat_map(|d| &d.declarator.derivations)
                .map(|derivation| match derivation {
                    Derivation::Pointer => "*".to_owned(),
                    Derivation::Function { .. } => "()".to_owned(),
                    Derivation::Array(ArraySuffix::Empty(_)) => "[]".to_owned(),
                    Derivation::Array(ArraySuffix::Length(_)) => "[n]".to_owned(),
                    Derivation::Array(ArraySuffix::Name(name)) => format!("[{}]", name.text),
                    Derivation::Array(ArraySuffix::Keys(keys, _)) => {
                        let keys: Vec<String> = keys.iter().map(type_text).collect();
                        format!("[{}]", keys.join("; "))
                    }
                })
                .collect::<Vec<_>>()
                .join(" "),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        shapes,
        [
            "[n] * () *",
            "[Void *]",
            "[K]",
            "[K1] [K2]",
            "[Int; Str]",
            "[]",
            "[n]"
        ]
    );
}

#[test]
fn documentation_belongs_to_its_item() {
    let parsed = parsed(
        "/// The program.\n\n/// How deep.\n/// Really.\n_option int depth = 64;\n_option int wide; /// how wide\n/// A walk.\nvoid walk(void) { } /// and more\n_probe _end { }\n",
    );
    assert_eq!(parsed.documentation.as_deref(), Some("The program."));
    let lines: Vec<Option<&str>> = parsed
        .unit
        .items
        .iter()
        .map(|item| item.documentation.as_deref())
        .collect();
    assert_eq!(
        lines,
        [
            Some("How deep.\nReally."),
            Some("how wide"),
            Some("A walk.\nand more"),
            None
        ]
    );
}

#[test]
fn foreach_names() {
    for (text, keys, value) in [
        ("_foreach (v in t) ;", 0, true),
        ("_foreach (k, v in t) ;", 1, true),
        ("_foreach ((a, b) in t) ;", 2, false),
        ("_foreach ((a, b), v in t) ;", 2, true),
        ("_foreach (in, v in in) ;", 1, true),
    ] {
        match statements(text).into_iter().next().map(|s| s.kind) {
            Some(StatementKind::Foreach(foreach)) => {
                assert_eq!(
                    (foreach.keys.len(), foreach.value.is_some()),
                    (keys, value),
                    "{text}"
                );
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}
