//! What the checker says when something is wrong, as snapshots.

mod check_support;

use check_support::{compile_with, say, say_body, say_of};
use ytrace_lang::check::testing::TestTarget;
use ytrace_lang::compile::CompileError;

#[test]
fn unknown_names() {
    insta::assert_snapshot!(say_body(
        "main_pol->max; main_pool->maxx; main_pool->d.nextt; head->valeu;
        ngx_pol_t *p; struct lst *l; enum colour c; prinft(\"x\"); undefined_thing; undefined_thing;
        app2::counter; tcach; _tostrr(message); variant.hidden->x; _usym;"
    ));
}

#[test]
fn missing_debug_information_is_explained() {
    let mut target = TestTarget::sample();
    target.missing = vec![
        "libluajit-5.1.so.2 has no debug information; install libluajit2-5.1-2-dbgsym".to_owned(),
    ];
    insta::assert_snapshot!(say_of(
        "_probe _oneshot { lua_State *L = 0; G(L); L->glref; qqqq; }",
        &mut target
    ));
}

#[test]
fn the_two_memories() {
    insta::assert_snapshot!(say_body(
        "int i; _str s; struct own { int x; } o; long a[]; long t[_str];
        int *p = &i; p = &o.x; p = &a; p = &t[\"x\"];
        *p = 1; main_pool->max = 3; counter++; nodes[0].value += 1; head = 0;
        work(head, 1); finish(); variant.handler(head, 1); (*variant.handler)(head, 1);
        s = message; s = title.data; s = main_pool; s = 1; message == s; message == \"abc\"; message == \"http\";
        struct own *q; _str *sp; stripped; *stripped; stripped + 1; *(void *) head; &flags.a; &1; i = \"x\"; s + message; s + 1;"
    ));
}

#[test]
fn conversions_and_operators() {
    insta::assert_snapshot!(say_body(
        "int i; _path p; _str s; double d; struct list l; char *c; short h;
        i = head; h = head; head == 5; c = i; c = 0; c = d; d = s; p = s; s = p; i = l; l = i; l + 1; !l; if (l) {} l == l;
        d % 2; d << 1; ~d; -s; p + p; p < p; p / i; p / message; p / head; head * 2; head + head; head - message;
        1 / 0; i << 40; *i; i->x; l->value; head.value; i[0]; s[\"a\"]; hidden + 1; *hidden; hidden->x; (struct list) i; (_str) i;
        i ? head : s; i ? l : 1; 3 = i; i + 1 = 2; (i, i)++; s++; \"abc\" + 1;"
    ));
}

#[test]
fn containers() {
    insta::assert_snapshot!(say(
        "long t[_str]; long g[]; _agg agg; long n[int, _str]; struct key { int a; _str b; }; long k[struct key];
        struct bad { long t[_str]; }; struct worse { _agg a; }; long w[struct list [2]]; long v[counter];
        long x[_agg]; _option int width = 4; long sized[width]; long typed[ngx_uint_t]; long b1[-1];
        struct row { int a; double b; } rows[_str];
        _probe _oneshot {
            t = g; t[1] = 2; t[\"a\", 2]; n[1]; n[\"a\", 1]; g[\"x\"]; agg[0]; agg + 1; t + 1; printf(\"%d\", t);
            _push(t, 1); _push(g, \"x\"); _pop(agg); _sum(rows); _sum(rows.c); _sum(rows.b); _avg(t); _sum(g);
            5 in g; \"x\" in t; 1 in t; _delete g[0]; _delete t; _delete t[\"x\"]; g <<< 1; agg <<< \"x\"; agg <<< 1;
            _foreach (a, b, c in t) {} _foreach (k in n) {} _foreach (x in agg) {} _foreach (x in 5) {} _foreach (i, x in g _by t) { undefined_in_body; }
            _sort(t); _sort(g _by _); _clear(5); _len(agg); _len(head); t; k[1];
            sized[4] = 1; rows[\"x\"].c = 1; int z[] = { 1, 2 }; long q[_str] = { 1 };
        }"
    ));
}

#[test]
fn formats() {
    insta::assert_snapshot!(say_body(
        "int i; long l; double d; _str s; _path p; unsigned char uc;
        printf(\"%d %s\", i); printf(\"%d\", i, l); printf(\"%d\", l); printf(\"%lu\", 1); printf(\"%d\", d); printf(\"%f\", i);
        printf(\"%s\", i); printf(\"%s\", main_pool); printf(\"%s\", title); printf(\"%d\", s); printf(\"%x\", l); printf(\"%n\", i);
        printf(\"%y\", i); printf(\"%\"); printf(s); printf(\"%s\", p); printf(\"%p\", i); printf(\"%.*s\", l, title.data); printf(\"%.*s\", d, message);
        printf(\"%V %V %V\", flags, variant, p); printf(\"%hB %hT\", l, d); printf(\"%5.2f|%-10s|%#lx|%c\", d, banner, l, 'a'); printf(\"%hd %hhu\", i, i);
        sprintf(\"%d\", i); _warn(\"%d\", l); _print(i, s, message, title); puts(i); printf(\"%Lf\", d); printf(\"%lx\", head); printf(\"%s\", &stripped);"
    ));
}

#[test]
fn statements() {
    insta::assert_snapshot!(say(
        "int f(int a) { return; } void g(void) { return 1; } int same(int a, int a) { return a; }
        int declared(int);
        void used(void) { break; continue; case 1: ; default: ; goto nowhere; lable: goto label; f(1, 2); f(\"x\"); declared(1); f(int); }
        _probe _oneshot {
            int i; int i; int n = 3; int vla[n]; void v; struct opaque o;
            switch (\"x\") { } switch (i) { case 1: case 1: ; case 2 ... 4: ; case 3: ; default: ; default: ; case n: ; }
            a: ; a: ; i; i + 1; g; f; g(); _try { _raise(\"x\"); } _catch (_fault fault) { fault.kindd; fault.kind; }
            return 1;
        }"
    ));
}

#[test]
fn declarations() {
    insta::assert_snapshot!(say(
        "int a; int a; struct s { int x; int x; }; struct s { int y; }; enum e { X, X }; typedef u t; typedef t u;
        struct self { struct self s; }; struct bits { int wide : 33; double d : 3; }; int init = other; int other = 1; int called = f();
        int f(void) { return 1; } int f(void) { return 2; } long fn[2](int); struct tag v; union s q; struct t1 *p1; struct { int z; } *p2;
        int arr[2] = { 1, 2, 3 }; struct s s1 = { .yy = 1 }; struct s s2 = { 1, 2 }; char text[2] = \"abc\"; int scalar = { 1, 2 }; long big[100000000];
        _view flamgraph \"t\" \"u\" long v1[_path]; _view flamegraph \"t\" \"u\" long v2[_str]; _view pie \"t\" \"u\" long v3; _view histogram \"t\" \"u\" _agg v4;
        _view flamegraph \"t\" \"u\" struct weight { long bytes; long count; } v5[_path]; _view heapmap \"t\" \"u\" _str v6[void *, size_t];
        _option struct s bad; _option int o = other;
        _probe _oneshot _if (other) { o = 1; }
        _probe _timer.s(0) { } _probe _timer.min(1) { } _probe malloc(size_t n) -> void *p { p; } _probe _usdt(\"a:b\") (x) { }"
    ));
}

#[test]
fn built_ins() {
    insta::assert_snapshot!(say_body(
        "_str s; int i; s ~~ rx/(/; s ~~ s; message ~~ rx/a/; rx/a/; _substr(s); _substr(s, \"a\", 1); _usym(s); _now_ns(1); _reg(); _reg(\"rip\", \"x\");
        _chop_token(message, \",\"); _chop_token(s, \",\"); _tls(1, counter); _tls(1, 5); _uaddr(s); _uaddr(\"counterr\"); _uaddr(\"counter\");
        assert(title); _assert_equal(\"n\", 1, s); _tostr(title); _tostr(head); _entry(1); strcmp(i, message); sqrt(s); _maps(); _isprefix(s, message); sizeof(s); sizeof(t_unknown);
        offsetof(struct list, nxt); offsetof(struct flags, a); _container_of(i, struct list, next); memcmp(message, s, -1); _hex(s, 1); _error(\"a\", 1);"
    ));
}

#[test]
fn words_after_the_dashes() {
    let text = "_option int depth = 64; /// how deep\n_option _Bool keys;\n_probe _oneshot {}";
    let error = compile_with(text, None, &["--dpeth", "3"]).expect_err("an unknown option");
    insta::assert_debug_snapshot!(error);
    let CompileError::Help(options) = compile_with(text, None, &["--help"]).expect_err("help")
    else {
        panic!("no help");
    };
    insta::assert_debug_snapshot!(options);
}

#[test]
fn without_a_target_unknown_names_are_no_errors() {
    let typed = compile_with(
        "_probe _oneshot { ngx_pool_t *p = ngx_cycle->pool; printf(\"%d\\n\", p->max); int i = \"x\"; }",
        None,
        &[],
    )
    .expect("no options");
    let names: Vec<_> = typed
        .checked
        .unresolved
        .iter()
        .map(|(_, name)| name.as_str())
        .collect();
    assert_eq!(names, ["ngx_pool_t", "ngx_cycle"]);
    assert_eq!(
        typed.checked.diagnostics.len(),
        1,
        "{:?}",
        typed.checked.diagnostics
    );
}
