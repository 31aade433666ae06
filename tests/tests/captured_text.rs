//! Text of the target whose length is known at the hit alone: what a handler prints is what the target had.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ytrace_tests::fixtures::unavailable;
use ytrace_tests::plain_nginx::PlainNginx;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::{Finished, run};
use ytrace_tests::tracing::{Tracing, says};
use ytrace_tests::{compile, skip};

/// The longest text that is captured unless `--max-string` says otherwise.
const LONGEST: usize = 4096;

/// What an nginx answers to some bytes.
fn answer(nginx: &PlainNginx, request: &str) -> String {
    let mut stream = UnixStream::connect(nginx.socket()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// What a program prints while nginx is asked for these paths, and then for nothing at all.
fn seen(nginx: &PlainNginx, text: &str, more: &[&str], paths: &[String]) -> Vec<String> {
    let pid = nginx.pid().to_string();
    let words = ["run", "-p", &pid, "-e", text];
    let tracing = Tracing::start(&[&words[..], more].concat());
    for path in paths {
        let request = format!("GET {path} HTTP/1.0\r\nHost: one.example.com\r\n\r\n");
        assert!(answer(nginx, &request).starts_with("HTTP/1.1 "), "{path}");
    }
    assert!(answer(nginx, "GET\r\n\r\n").contains("400 Bad Request"));
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &[" 0 lost", "complete"]);
    assert_untouched(nginx.pid());
    finished.stdout.lines().map(str::to_owned).collect()
}

/// A text as it is captured with a bound.
fn cut(text: &str, bound: usize) -> String {
    match text.get(..bound) {
        Some(begin) if begin.len() < text.len() => format!("{begin}…"),
        _ => text.to_owned(),
    }
}

#[test]
fn uris_are_those_that_clients_ask_for() {
    if let Some(why) = unavailable("dwarf") {
        return skip("uris_are_those_that_clients_ask_for", &why);
    }
    let nginx = PlainNginx::start();
    let long = |length: usize| -> String {
        let letters = (b'a'..=b'z').cycle().map(char::from);
        std::iter::once('/').chain(letters).take(length).collect()
    };
    let mut paths = ["/", "/x", "/files/nginx.conf", "/not/there"]
        .map(str::to_owned)
        .to_vec();
    // Around the bound, and as long as nginx takes.
    paths.extend([60, 100, LONGEST - 1, LONGEST, LONGEST + 1, 7000].map(long));
    let mut wanted: Vec<&str> = paths.iter().map(String::as_str).collect();
    wanted.push("");
    let finalize = "_probe ngx_http_finalize_request(ngx_http_request_t *r, ngx_int_t rc)";
    for (shown, more, bound) in [
        (
            r#"printf("%s\n", _tostr(r->uri.data, r->uri.len));"#,
            &[][..],
            LONGEST,
        ),
        (
            r#"printf("%s\n", _tostr(r->uri.data, r->uri.len));"#,
            &["--max-string", "64"],
            64,
        ),
        (
            r#"printf("%s\n", _tostr(r->uri.data, r->uri.len));"#,
            &["--max-string", "8000"],
            8000,
        ),
        (r#"puts(text(&r->uri));"#, &[], LONGEST),
    ] {
        let text = format!(
            "_str text(ngx_str_t *s) {{ return _tostr(s->data, s->len); }} {finalize} {{ {shown} }}"
        );
        let lines = seen(&nginx, &text, more, &paths);
        let expected: Vec<String> = wanted.iter().map(|path| cut(path, bound)).collect();
        assert_eq!(lines, expected, "{shown} {more:?}");
    }
    // What was read of the length is what it is elsewhere.
    let text = format!(
        "{finalize} {{ size_t n = r->uri.len; printf(\"%ld %.*s %d %d\\n\", n, (int) n, r->uri.data,
            memcmp(r->uri.data, \"/files/\", n < 7 ? n : 7) == 0, (int) _len(_tostr(r->uri.data, n < 100 ? n : 100))); }}"
    );
    let lines = seen(&nginx, &text, &[], &paths);
    let expected = wanted.iter().map(|path| {
        let begin = match path.len() {
            0 => "(null)".to_owned(),
            _ => cut(path, LONGEST),
        };
        let same = i32::from("/files/".starts_with(path.get(..7).unwrap_or(path)));
        format!("{0} {begin} {same} {1}", path.len(), path.len().min(100))
    });
    assert_eq!(lines, expected.collect::<Vec<_>>());
    // The request as it comes in, behind two pointers to anything.
    let text = r#"_probe ngx_http_process_request_headers(ngx_event_t *e) {
        ngx_connection_t *c = e->data;
        ngx_http_request_t *r = c->data;
        printf("%s\n", _tostr(r->uri.data, r->uri.len));
    }"#;
    let lines = seen(&nginx, text, &[], &paths);
    let expected = paths.iter().map(|path| cut(path, LONGEST));
    assert_eq!(lines, expected.collect::<Vec<_>>());
}

const LENGTHS: &str = r#"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
struct text { unsigned long length; const char *data; int small; unsigned char skip; };
static volatile long sink;
__attribute__((noipa)) void look(struct text *t, long n) { sink = n + (long)t; }
int main(void)
{
    long page = sysconf(_SC_PAGESIZE);
    char *text = mmap(0, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *end = text + 3 * page;
    munmap(end, page);
    for (long i = 0; i < 3 * page; i++)
        text[i] = 'a' + i % 26;
    struct text texts[] = {
        {26, text, 3, 0},       {0, text, 0, 1},           {0, 0, 0, 0},         {4096, text, 40, 7},
        {4097, text, -1, 7},    {1ul << 40, text, 9, 255}, {-1ul, text, 1, 9},   {-5ul, text, -2, 3},
        {40, end - 40, 40, 20}, {41, end - 40, 30, 0},     {3, 0, 2, 0},         {7, end, 2, 0},
    };
    puts("READY");
    fflush(stdout);
    while (getchar() == 'g') {
        for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
            look(&texts[i], i);
        puts("done");
        fflush(stdout);
    }
    return 0;
}
"#;

/// A program that does something each time that it is told to.
struct Told {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Told {
    fn start(program: &Path) -> Self {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut told = Self { child, output };
        assert_eq!(told.line(), "READY");
        told
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// How a program of ytrace's ends that sees it once.
    fn seen(&mut self, text: &str, more: &[&str]) -> Finished {
        let pid = self.child.id().to_string();
        let words = ["run", "-p", &pid, "-e", text];
        let tracing = Tracing::start(&[&words[..], more].concat());
        self.child.stdin.as_mut().unwrap().write_all(b"g").unwrap();
        assert_eq!(self.line(), "done");
        tracing.interrupt()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Whatever the length is, the handler does what it does where the thread stands still: the same text, and the same faults.
#[test]
fn lengths_may_be_anything() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "lengths", LENGTHS, &["-g", "-O1"]);
    let mut told = Told::start(&program);
    for shown in [
        "_tostr(t->data, t->length)",
        "_tostr(t->data, n)",
        "_tostr(t->data, n * n + 1)",
        "_tostr(t->data, t->length - t->skip)",
        "_tostr(t->data + t->skip, t->length < 30 ? t->length : 30)",
        "_tostr(t->data, t->skip)",
        "_tostr(t->data, t->small)",
        "_tostr_quoted(t->data, t->length)",
        "sprintf(\"%.*s\", t->small, t->data)",
        "_hex(t->data, t->length & 15)",
        "_tostr(memcmp(t->data, \"abcdefghijklmnopqrstuvwxyzab\", t->skip))",
        "_tostr(t->data, t->length) + _tostr(t->data, n)",
    ] {
        let text = format!(
            "_probe look(struct text *t, long n) {{
                _try {{ printf(\"%d: %s\\n\", n, {shown}); }}
                _catch (_fault f) {{ printf(\"%d: %s at %p\\n\", n, f.kind, f.addr); }}
            }}"
        );
        let captured = told.seen(&text, &[]).expect_status(0);
        let stopped = told.seen(&text, &["--sync"]).expect_status(0);
        assert_eq!(captured.stdout.lines().count(), 12, "{shown}: {captured}");
        assert_eq!(captured.stdout, stopped.stdout, "{shown}");
    }
    let text =
        r#"_probe look(struct text *t, long n) { printf("%s\n", _tostr(t->data, t->length)); }"#;
    let letters: String = (b'a'..=b'z')
        .cycle()
        .take(2 * LONGEST)
        .map(char::from)
        .collect();
    let (page, long) = (LONGEST, format!("{}…", &letters[..LONGEST]));
    let expected = [
        &letters[..26],
        "",
        "",
        &letters[..LONGEST],
        &long,
        &long,
        &long,
        &long,
        &letters[(3 * page - 40) % 26..][..40],
    ];
    let finished = told.seen(text, &[]);
    assert_eq!(
        finished.stdout.lines().collect::<Vec<_>>(),
        expected,
        "{finished}"
    );
    says(&finished, &["faults 3", "could not be read at the hit"]);
}

const PARTS: &str = r#"
#include <stdio.h>
struct part { long n; };
struct all { struct part *parts[48]; };
static volatile long sink;
__attribute__((noipa)) void look(struct all *all) { sink = (long)all; }
int main(void)
{
    struct part parts[48];
    struct all all;
    for (int i = 0; i < 48; i++) {
        parts[i].n = i * i;
        all.parts[i] = &parts[i];
    }
    puts("READY");
    fflush(stdout);
    while (getchar() == 'g') {
        for (int i = 0; i < 5; i++)
            look(&all);
        puts("done");
        fflush(stdout);
    }
    return 0;
}
"#;

/// The kernel's programs have room for 512 bytes of values that are needed at the same time, and for 64 captures in a record.
#[test]
fn what_the_kernel_has_no_room_for_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "parts", PARTS, &["-g", "-O1"]);
    let mut told = Told::start(&program);
    let text = |ranges: &[(usize, usize)]| {
        let probes = ranges.iter().map(|(from, to)| {
            format!("_probe look(struct all *a) {{ for (int i = {from}; i < {to}; i++) sum += a->parts[i]->n; hits++; last = _now_ns(); }}\n")
        });
        format!(
            "long sum, hits, last; {} _probe _end {{ printf(\"%d %d\", hits, sum); }}",
            probes.collect::<String>()
        )
    };
    let pid = told.child.id().to_string();
    for (parts, what) in [
        (31, "bytes, and 512 are to be had"),
        (48, "captures of a record: 96"),
    ] {
        let refused = run(&["run", "-p", &pid, "-e", &text(&[(0, parts)])]).expect_status(2);
        says(&refused, &[what, "probe the same point twice", "`--sync`"]);
    }
    let all: usize = (0..48).map(|i| i * i).sum();
    // Both ways that it names do.
    let finished = told.seen(&text(&[(0, 16), (16, 32), (32, 48)]), &[]);
    let finished = finished.expect_status(0);
    assert_eq!(finished.stdout, format!("15 {}", 5 * all), "{finished}");
    let finished = told.seen(&text(&[(0, 48)]), &["--sync"]).expect_status(0);
    assert_eq!(finished.stdout, format!("5 {}", 5 * all), "{finished}");
}
