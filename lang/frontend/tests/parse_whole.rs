//! Whole files through the parser.

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

fn parse_text(text: &str) -> Parsed {
    let main = SourceFile {
        name: "test.y".to_owned(),
        text: text.into(),
        library: false,
    };
    parse(main, &mut NoFiles, None, &Default::default(), &[])
}

#[track_caller]
fn parses(text: &str) -> Parsed {
    let parsed = parse_text(text);
    let shown: Vec<String> = parsed
        .diagnostics
        .iter()
        .map(|d| {
            format!(
                "{}: {} ({})",
                parsed.sources.location(d.primary.0),
                d.message,
                d.primary.1
            )
        })
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
    parsed
}

#[test]
fn the_examples_of_the_language() {
    parses(
        r#"
    /// Which Lua values hold the memory.
    _option int depth = 64;                 /// deepest reference chain that is drawn

    _view flamegraph "Lua GC objects by reference" "bytes"
    long held[_path];

    _probe _oneshot {
        lua_State *L = lj_main_state();
        lj_walk(G(L), depth, held);
        _assert_equal("g->gc.total", _sum(held), G(L)->gc.total);
    }
    long size_of[void *];
    _path made_by[void *];
    _view flamegraph "Not freed" "bytes"
    long leaked[_path];

    _probe malloc(size_t n) -> void *p {
        if (p) { size_of[p] = n; made_by[p] = _ubt(); leaked[made_by[p]] += n; }
    }
    _probe free(void *p) {
        if (p in size_of) { leaked[made_by[p]] -= size_of[p]; _delete size_of[p]; _delete made_by[p]; }
    }
    _probe _timer.s(30) { _exit(); }
    "#,
    );
}

#[test]
fn probe_points() {
    parses(
        r#"
    _probe _begin {} _probe _end {}
    _probe _timer.profile(99) { }
    _probe f { } _probe f(T a, U *b) -> R r { } _probe f(T a) -> _void { } _probe f(...) { }
    _probe f(...) -> r { } _probe f(int a) -> struct s *r { }
    _probe libssl.so.3::SSL_new(...) { } _probe `ngx_http_*`(...) { }
    _probe _func(alloc)(size_t n) -> void *p { }
    _probe _line("ngx_event.c", 231) { } _probe _addr(0x401136) { }
    _probe _usdt("libc:memory_heap_new") (a, b) { }
    _probe _watch(&var, 8, "w") { }
    _probe _thread_begin { } _probe _exit { }
    _probe f(ngx_str_t *s) _if (enabled) { x(); }
    "#,
    );
}

#[test]
fn declarations_and_statements() {
    parses(
        r#"
    _module "libluajit-5.1.so*", _exe;
    typedef struct GCobj GCobj;
    typedef unsigned int u32;
    typedef struct { int (*cb)(void *data, int n); u32 flags : 3, rest : 29; struct { int x; }; } ops_t;
    enum color { RED, GREEN = 5, BLUE, };
    struct my_hdr { uint32_t magic; char name[16]; struct my_hdr *next; };
    _str names[];
    long n[int, _str];
    long t[ngx_str_t *];
    V a[K1][K2];
    _agg lat[_str];
    _layout lj { "gc64" { typedef struct GCstr { int x; } GCstr; } "gc32" { struct GCstr { char y; }; } } _valid lj_valid;
    static ngx_int_t walk(ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel, struct held held[_path], long n[int, _str]);
    void *f(T x, int (*cmp)(const void *, const void *), long out[]) {
        ngx_chain_t *in, *out2; ngx_uint_t i = 0;
        int (*fp)(int, T *) = 0;
        u32 z = (u32) (x) * 2, y = (u_char *) p - (u_char *) q;
        for (ngx_uint_t j = 0, k = 1; j < 10; j++) { if (j) continue; else break; }
        for (i = 0; ; ) ;
        for (;;) { break; }
        while (q != sentinel) q = q->next;
        do { i++; } while (i < 3);
        switch (i) { case 1: case 2 ... 4: foo(); break; default: ; }
        goto out; out: return (void *) (uintptr_t) x;
        _foreach (k, v in t _by v _desc _limit 10) { printf("%d", k); }
        _foreach ((a, b), v in n) { }
        _foreach (m in _maps()) x += m->rss;
        _sort(a _by x.size _desc);
        _try { x = *p; } _catch (_fault f) { _print(f.kind); }
        _delete n[1, "a"];
        if ((1, "a") in n && !(k in t)) { }
        lat["x"] <<< 5;
        if (s ~~ rx/^a(b+)\/c$/ && s !~~ rx/x/) { _print($0, $1); }
        x = y ?: z; x = a ? b : c;
        x = sizeof(struct s) + sizeof (x) * 3 + sizeof x + sizeof(T *);
        x = offsetof(ngx_queue_t, a.b[2]) + _container_of(p, struct s, link)->n;
        T v = { .a = 1, .b = { 1, 2 }, [3] = 4, };
        v = (struct point) { 1, .y = 2 };
        v = (T) { 1 };
        p = (T (*)(int, U *)) q;
        typeof(x) w = x;
        x = (a) * b; x = (a) & b; x = -(a) - b; x = (a)(b)->c[3] + 1; x = (a) + (b);
        name * other;
        in = in->next;
        a.b->c.d[3]++; --x; x <<= 3; x = ~~y;
        libc.so.6::struct malloc_state *st = &libc.so.6::main_arena;
        return;
    }
    "#,
    );
}
