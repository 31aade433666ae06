//! Types of expressions, constants and layouts.

mod check_support;

use check_support::{accept, accept_with, type_of};
use ytrace_lang::hir;

#[test]
fn integers_promote_and_convert_as_in_c_on_lp64() {
    for (expression, expected) in [
        ("c + c", "int"),
        ("uc + uc", "int"),
        ("uh * uh", "int"),
        ("i + u", "unsigned int"),
        ("u + l", "long"),
        ("i + ul", "unsigned long"),
        ("l + ll", "long long"),
        ("ul + ll", "unsigned long long"),
        ("ull + l", "unsigned long long"),
        ("u << l", "unsigned int"),
        ("uc << 1", "int"),
        ("f + i", "float"),
        ("f + d", "double"),
        ("ul + f", "float"),
        ("i < u", "int"),
        ("!d", "int"),
        ("b + b", "int"),
        ("-uc", "int"),
        ("~u", "unsigned int"),
        ("+h", "int"),
        ("'a'", "int"),
        ("1 ? i : l", "long"),
        ("1 ? main_pool : NULL", "ngx_pool_t *"),
        ("1 ? head : (void *) main_pool", "void *"),
        ("(i, l)", "long"),
        ("c++", "char"),
        ("i = l", "int"),
        ("paint", "enum color"),
        ("paint + 1", "unsigned int"),
        ("A", "int"),
        ("GREEN", "int"),
        ("flags.a + 1", "int"),
        ("flags.wide + 1", "unsigned long"),
        ("2147483647", "int"),
        ("2147483648", "long"),
        ("0xffffffff", "unsigned int"),
        ("4294967296u", "unsigned long"),
        ("1ll", "long long"),
        ("0x8000000000000000", "unsigned long"),
        ("1.0f", "float"),
        ("1.0", "double"),
    ] {
        assert_eq!(type_of(expression), expected, "{expression}");
    }
}

#[test]
fn names_and_places_of_the_target() {
    for (expression, expected) in [
        ("main_pool", "ngx_pool_t *"),
        ("*main_pool", "ngx_pool_t"),
        ("main_pool->d", "ngx_pool_data_t"),
        ("main_pool->d.next", "ngx_pool_t *"),
        ("main_pool->d.next->d.last", "u_char *"),
        ("&main_pool->d", "ngx_pool_data_t *"),
        ("head->next->value", "int"),
        ("nodes[1]", "struct list"),
        ("nodes + 1", "struct list *"),
        ("&nodes", "struct list (*)[4]"),
        ("*nodes", "struct list"),
        ("&nodes[1] - nodes", "ptrdiff_t"),
        ("variant.number", "long"),
        ("variant.y", "short"),
        ("variant.handler", "int (*)(struct list *, int)"),
        ("variant.hidden", "struct opaque *"),
        ("module.v[1].x", "short"),
        ("work + 0", "int (*)(struct list *, int)"),
        ("&work", "int (*)(struct list *, int)"),
        ("&stripped", "void *"),
        ("*(int *) &stripped", "int"),
        ("tcache", "int"),
        ("_tls(7, tcache)", "int"),
        ("app::counter", "int"),
        ("sizeof(int)", "size_t"),
        ("sizeof flags", "size_t"),
        ("offsetof(struct variant, name[3])", "size_t"),
        (
            "_container_of(&head->next, struct list, next)",
            "struct list *",
        ),
        ("1[nodes].value", "int"),
    ] {
        assert_eq!(type_of(expression), expected, "{expression}");
    }
}

#[test]
fn values_of_the_tracer() {
    for (expression, expected) in [
        ("s", "_str"),
        ("s + \"x\"", "_str"),
        ("s[0]", "unsigned char"),
        ("s < s", "int"),
        ("p / s", "_path"),
        ("p / p", "_path"),
        ("p / work", "_path"),
        ("t[s]", "long"),
        ("g[0]", "long"),
        ("s in t", "int"),
        ("_len(s)", "long"),
        ("_sum(t)", "long"),
        ("_avg(agg)", "long"),
        ("_pop(g)", "long"),
        ("own.d", "double"),
        ("(struct own) { .i = 1 }", "struct own"),
        ("_tostr(message)", "_str"),
        ("_tostr(i)", "_str"),
        ("_tostr(title.data, title.len)", "_str"),
        ("sprintf(\"%d\", i)", "_str"),
        ("_ubt()", "_path"),
        ("_usym(head)", "_str"),
        ("s ~~ rx/a(b)/", "int"),
        ("$1", "_str"),
        ("_maps()[0].start", "void *"),
        ("_threads()[0].name", "_str"),
        ("strlen(message)", "unsigned long"),
        ("memcmp(message, \"abc\", 3)", "int"),
        ("fabs(i)", "double"),
        ("sqrtf(f)", "float"),
        ("opt", "int"),
    ] {
        assert_eq!(type_of(expression), expected, "{expression}");
    }
}

/// The value that a constant expression is folded to.
fn constant(expression: &str) -> u64 {
    let program = accept(&format!(
        "enum mine {{ A = 2, B }}; long long answer = (long long) ({expression}); _probe _oneshot {{}}"
    ));
    let statement = &program.globals.last().expect("a global").initializer[0];
    let hir::StatementKind::Expression(assignment) = &statement.kind else {
        panic!("{statement:?}");
    };
    let hir::ExpressionKind::Assign(_, value) = &assignment.kind else {
        panic!("{assignment:?}");
    };
    let hir::ExpressionKind::Integer(value) = value.kind else {
        panic!("{expression} is not folded: {value:?}");
    };
    value
}

#[test]
fn constants_are_folded() {
    for (expression, expected) in [
        ("1 + 2 * 3", 7_i64),
        ("(1 + 2) * 3", 9),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("2147483647 + 1", -2147483648),
        ("0u - 1", 4294967295),
        ("1 << 31 >> 31", -1),
        ("(char) 200", -56),
        ("(unsigned char) 300", 44),
        ("(int) 3.9", 3),
        ("(int) -3.9", -3),
        ("(_Bool) 0.5", 1),
        ("-1 < 0u", 0),
        ("sizeof(ngx_pool_t)", 56),
        ("sizeof(ngx_pool_t) == 56 ? 10 : 20", 10),
        ("sizeof(struct variant)", 64),
        ("sizeof(\"abc\")", 4),
        ("offsetof(struct variant, name[3])", 19),
        ("(long) &((struct variant *) 0)->handler", 32),
        ("0 && (long) &main_pool->d == 0", 0),
        ("B", 3),
        ("BLUE", 6),
        ("LOW", -1),
        ("(long) &work", 0x400000),
        ("(long) &stripped", 0x7000),
        ("!0 && !!5", 1),
        ("'a' + '\\n'", 107),
        ("~0", -1),
        ("(sizeof(int)) + 1", 5),
        ("(size_t) - 1 > 0", 1),
        ("(short) 65535 * (short) 2", -2),
    ] {
        assert_eq!(constant(expression), expected as u64, "{expression}");
    }
}

#[test]
fn layouts_follow_the_abi() {
    for (members, size) in [
        ("char c; long l; short s;", 24),
        (
            "unsigned a : 3; unsigned b : 30; unsigned char c; unsigned d : 4;",
            12,
        ),
        ("char c; int b : 8;", 4),
        ("long a : 40; long b : 40;", 16),
        ("int a : 3; int : 0; int b : 3;", 8),
        ("union { char c[5]; int i; }; char d;", 12),
        ("char c; struct { double d; } s;", 16),
        ("struct ngx_pool_s p; char c;", 64),
        ("char a[3]; char flexible[];", 3),
        ("_Bool b; _str s;", 16),
    ] {
        assert_eq!(
            constant(&format!("sizeof(struct {{ {members} }})")),
            size,
            "{members}"
        );
    }
}

#[test]
fn options_take_values_and_decide_probes() {
    let text = "_option int depth = 64; /// how deep
        _option _Bool deep_only; _option _str vm = \"http\"; _option double share = 0.5;
        long sized[depth];
        _probe _oneshot _if (depth > 10 && !deep_only) {}
        _probe _begin _if (deep_only) {}
        _probe _timer.ms(depth) {}";
    let program = accept_with(text, &["--depth=0x20", "--vm", "stream"]);
    assert_eq!(program.options[0].value, hir::OptionValue::Integer(32));
    assert_eq!(
        program.options[2].value,
        hir::OptionValue::Str(b"stream".to_vec())
    );
    let points: Vec<_> = program
        .probes
        .iter()
        .map(|probe| probe.point.clone())
        .collect();
    assert_eq!(
        points,
        [hir::ProbePoint::Oneshot, hir::ProbePoint::Timer(32_000_000)]
    );
    let sized = program
        .globals
        .iter()
        .find(|global| global.name == "sized")
        .unwrap();
    assert_eq!(program.types.name_of(sized.ty), "long [32]");
    let program = accept_with(text, &["--deep-only", "--depth", "1K"]);
    assert_eq!(program.probes[0].point, hir::ProbePoint::Begin);
}

/// Heads of probes on events in all their forms.
const HEADS: &str = r#"
_option _str alloc = "malloc";
_option _Bool on = true;
_probe malloc(size_t n) { printf("%d", n); }
_probe malloc(size_t n) -> void *p _if (on) { printf("%d %p", n, p); }
_probe ngx_destroy_pool(ngx_pool_t *pool) -> _void { printf("%p %d", pool, _entry(pool->max)); }
_probe f(...) { printf("%d", n); }
_probe f(...) -> r { printf("%d", r); }
_probe libc.so.6::free(void *p) { printf("%p", p); }
_probe `ngx_*`(...) { printf("%p", r); }
_probe libssl.so.3::`SSL_*` { puts(_func()); }
_probe _func(alloc)(size_t n) -> void *p { printf("%d %p %d", n, p, _arg(0)); }
_probe _line("ngx_event.c", 231) { printf("%d", _reg("rdi")); }
_probe _addr(0x401136) { puts("address"); }
_probe _addr(&f) { puts("address"); }
_probe _usdt("libc:memory_heap_new")(a, b) { printf("%d %d", a, b); }
_probe _watch(&counter, 8, "w") { printf("%d", counter); }
_probe _timer.profile(99) { printf("%p", _pc_reg()); }
_probe _thread_begin { puts("begin"); }
_probe _thread_end { puts("end"); }
_probe _exec { puts("exec"); }
_probe _exit { printf("%d", _arg(0)); }
_probe _signal { printf("%d", _arg(0)); }
"#;

#[test]
fn heads_of_events_check_without_a_target() {
    let typed = check_support::compile_with(HEADS, None, &[]).expect("options are right");
    assert!(
        typed.checked.diagnostics.is_empty(),
        "{:#?}",
        typed.checked.diagnostics
    );
    let unresolved: Vec<&str> = typed
        .checked
        .unresolved
        .iter()
        .map(|(_, name)| name.as_str())
        .collect();
    for name in ["malloc", "ngx_pool_t", "ngx_*", "SSL_*", "f", "counter"] {
        assert!(unresolved.contains(&name), "{name} in {unresolved:?}");
    }
}

#[test]
fn heads_of_events_keep_their_form() {
    let formatted = ytrace_lang::format::format(HEADS).expect("the text has tokens");
    let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(without_blanks(&formatted), without_blanks(HEADS));
    let again = ytrace_lang::format::format(&formatted).expect("the text has tokens");
    assert_eq!(again, formatted);
    for line in HEADS.lines().filter_map(|line| line.split_once(" {")) {
        assert!(formatted.contains(line.0), "{}", line.0);
    }
}
