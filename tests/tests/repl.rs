//! `ytrace repl`: lines typed at a terminal, and lines that come otherwise.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::plain_nginx::PlainNginx;
use ytrace_tests::processes::{assert_let_go, assert_untouched};
use ytrace_tests::program::{Finished, LIMIT, command, finish, run};
use ytrace_tests::prompt;
use ytrace_tests::pty::Terminal;

const PROGRAM: &str = r#"
#include <stdio.h>
#include <unistd.h>
#include <pthread.h>
enum colour { RED, GREEN = 5, BLUE };
struct node { int number; struct node *next; };
typedef struct node node_t;
struct box {
    int width;
    unsigned low : 3, high : 5;
    enum colour colour;
    char name[16];
    const char *label;
    void (*draw)(struct box *);
    struct node *list;
    long cells[100];
};
static void draw(struct box *box) { printf("%d\n", box->width); }
static struct node third = { 3, 0 }, second = { 2, &third }, first = { 1, &second };
struct box box = { 7, 5, 17, GREEN, "crate", "a label", draw, &first, { 11, 12, 13 } };
struct box *boxes = &box;
node_t *nodes = &first;
volatile unsigned long ticks;
static void *tick(void *none) {
    for (;;) { ticks++; usleep(200); }
    return none;
}
__attribute__((noinline)) static int wait_here(void) { int c = getchar(); return c + (int)ticks; }
int main(void) {
    pthread_t thread;
    pthread_create(&thread, 0, tick, 0);
    puts("READY");
    fflush(stdout);
    return wait_here() == 0;
}
"#;

/// The program, running, and the directory that it lies in.
fn program() -> (Waiting, TempDir) {
    Waiting::compiled("boxes", PROGRAM, &["-O1", "-g", "-pthread"])
}

/// The lines that `-e` gives, run.
fn lines(pid: i32, more: &[&str], lines: &[&str]) -> Finished {
    let pid = pid.to_string();
    let words = [&["--max-pause", "5s", "-p", &pid], more].concat();
    prompt::lines(&words, lines)
}

/// What lines print that all go well.
fn printed(pid: i32, typed: &[&str]) -> String {
    lines(pid, &[], typed).expect_status(0).stdout
}

const PROMPT: &str = "(ytrace) ";

/// A user at the prompt.
struct User(Terminal);

impl User {
    #[track_caller]
    fn ask(&mut self, line: &str) -> String {
        self.0.ask(line, PROMPT)
    }

    /// Types what gives a prompt anew.
    #[track_caller]
    fn type_and_wait(&mut self, text: &str) -> String {
        self.0.send(text);
        self.0.expect(&format!("\n{PROMPT}"))
    }
}

fn terminal(pid: i32, state: &Path, columns: u16) -> User {
    let mut command = command(&["repl", "--max-pause", "5s", "-p", &pid.to_string()]);
    command
        .env("XDG_STATE_HOME", state)
        .env("TERM", "xterm")
        .env_remove("COLUMNS");
    let mut terminal = Terminal::start(&command, columns);
    terminal.expect(PROMPT);
    User(terminal)
}

#[test]
fn values_are_written_as_c_would() {
    let (target, _folder) = program();
    let pid = target.pid();
    let text = printed(
        pid,
        &[
            "box.width",
            "box.colour",
            "box.high",
            "box.name",
            "box.label",
            "boxes",
            "box.list->next->number * 2",
            "p/x box.high",
            "p/t 5",
            "*boxes->list",
            "&box.list->next",
            "box.width == 7 && box.list",
        ],
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        ["$1 = 7", "$2 = GREEN", "$3 = 17", "$4 = \"crate\""],
        "{text}"
    );
    assert!(
        lines[4].starts_with("$5 = 0x") && lines[4].ends_with(" \"a label\""),
        "{text}"
    );
    assert!(
        lines[5].starts_with("$6 = (struct box *) 0x") && lines[5].ends_with(" <box>"),
        "{text}"
    );
    assert_eq!(lines[6..9], ["$7 = 4", "$8 = 0x11", "$9 = 0b101"], "{text}");
    assert!(
        lines[9].starts_with("$10 = {number = 1, next = 0x"),
        "{text}"
    );
    assert!(lines[9].ends_with(" <second>}"), "{text}");
    assert!(lines[10].starts_with("$11 = (struct node **) 0x"), "{text}");
    assert_eq!(lines[11], "$12 = 1", "{text}");
    // A struct that does not fit has a line for each member.
    let text = printed(pid, &["box"]);
    assert!(
        text.starts_with("$1 = {\n  width = 7,\n  low = 5,\n  high = 17,\n"),
        "{text}"
    );
    assert!(text.contains("\n  name = \"crate\",\n"), "{text}");
    assert!(text.contains(" <draw>,\n"), "{text}");
    assert!(
        text.contains("\n  cells = {\n    11, 12, 13, 0, 0, "),
        "{text}"
    );
    assert!(text.contains('…') && text.ends_with("}\n"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    assert_untouched(pid);
}

#[test]
fn what_is_declared_and_shown_stays() {
    let (target, _folder) = program();
    let pid = target.pid();
    let text = printed(
        pid,
        &[
            "int n = 3; int m = n + 1;",
            "n * m",
            "_ + 1",
            "$1 + $2",
            "long sum(struct node *p) { long s = 0; for (; p; p = p->next) s += p->number; return s; }",
            "sum(box.list)",
            "long seen[int];",
            "seen[7] = 1; seen[9] += 2;",
            "seen",
            "seen[9]",
            "_str all[]; _push(all, \"one\"); _push(all, \"two\");",
            "all",
            "struct pair { int a; long b; }; struct pair pair = { 1, 2 };",
            "pair.b = 5;",
            "pair",
            "boxes->list",
            "_->next",
            "*_",
            "_.number",
            "int n = 40;",
            "n + m",
            "#define twice(x) ((x) * 2)",
            "twice(n)",
            "long sum(struct node *p) { return -1; }",
            "sum(0)",
            "_str text = sprintf(\"%d!\", n);",
            "text",
        ],
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        ["$1 = 12", "$2 = 13", "$3 = 25", "$4 = 6"],
        "{text}"
    );
    assert_eq!(
        lines[4..8],
        [
            "{[7] = 1, [9] = 2}",
            "$5 = 2",
            "{\"one\", \"two\"}",
            "$6 = {a = 1, b = 5}"
        ],
        "{text}"
    );
    assert!(lines[8].starts_with("$7 = (struct node *) 0x"), "{text}");
    assert!(lines[9].ends_with(" <second>"), "{text}");
    assert!(
        lines[10].starts_with("$9 = {number = 2, next = 0x"),
        "{text}"
    );
    assert_eq!(
        lines[11..],
        [
            "$10 = 2",
            "$11 = 44",
            "$12 = 80",
            "$13 = -1",
            "$14 = \"40!\""
        ],
        "{text}"
    );
}

#[test]
fn lines_that_others_can_write_are_not_run() {
    use std::os::unix::fs::PermissionsExt;
    let (target, folder) = program();
    let file = folder.path().join("lines");
    std::fs::write(&file, "41 + 1\n").unwrap();
    let line = format!("source {}", file.display());
    let read = lines(target.pid(), &[], &[&line]).expect_status(0);
    assert_eq!(read.stdout, "$1 = 42\n", "{read}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let refused = lines(target.pid(), &[], &[&line]).expect_status(1);
    refused.says(&["everybody can write it", "chmod go-w"]);
    assert_eq!(refused.stdout, "");
}

#[test]
fn what_goes_wrong_is_told_and_the_session_goes_on() {
    let (target, _folder) = program();
    let pid = target.pid();
    let result = lines(
        pid,
        &[],
        &[
            "1 +",
            "no_such_name",
            "*(int *) 8",
            "int bad = *(int *) 8;",
            "bad",
            "x/2xw 8",
            "_probe _begin { }",
            "$9",
            ":save",
            "p/z 1",
            "42",
        ],
    )
    .expect_status(1);
    assert_eq!(result.stdout, "$1 = 42\n", "{result}");
    result.says(&[
        "unknown name `no_such_name`",
        "typed:",
        "0x8",
        "unknown name `bad`",
        "`_begin` does nothing at the prompt",
        "there is no value `$9`",
        "a file is missing",
        "no format `z`",
    ]);
    assert!(!result.stderr.contains("defect"), "{result}");
    assert_untouched(pid);
}

#[test]
fn places_are_counted_from_the_line_that_was_typed() {
    let (target, _folder) = program();
    let pid = target.pid();
    let result = lines(
        pid,
        &[],
        &[
            "int first = 1;",
            "int second = 2;",
            "int at(int *p) {\n    return *p;\n}",
            "int third = 3;",
            "first; at((int *) 8);",
            "int fourth = 4;",
            "fourth +\n  *(int *) 8",
            "int warned(void) {\n  int a = 3;\n  return a = 4, a == 5; 7; }",
        ],
    )
    .expect_status(1);
    result.says(&["(typed:2:12)", "in at at typed:2:12", "(typed:2:3)"]);
    // What is said of a text is said of it alone.
    for line in result.stderr.lines().filter(|line| line.contains("typed:")) {
        let place = line.split("typed:").nth(1).unwrap();
        let number: usize = place.split(':').next().unwrap().parse().unwrap();
        assert!(number <= 3, "{result}");
    }
    assert_untouched(pid);
}

#[test]
fn places_are_those_of_what_was_typed() {
    let (target, _folder) = program();
    let pid = target.pid();
    lines(pid, &[], &["1/0"])
        .expect_status(1)
        .says(&["division by zero (typed:1:1)"]);
    lines(pid, &[], &["int k;", "k = 0; box.width / k"])
        .expect_status(1)
        .says(&["(typed:1:8)"]);
    let refused = lines(pid, &[], &["probe no_such_function { }"]).expect_status(1);
    refused.says(&["typed:1:7", "probe no_such_function { }"]);
    assert!(!refused.stderr.contains("_probe"), "{refused}");
}

#[test]
fn conditions_hold_statements_and_expressions() {
    let (target, _folder) = program();
    let text = printed(
        target.pid(),
        &[
            "#if 1\nbox.width\n#else\n3\n#endif",
            "#if 0\n4;\n#else\nint q = 4;\nq += box.width;\n#endif",
            "q",
            "#ifdef NO_SUCH_MACRO\nq = 0;\n#endif",
            "#if 1\nint two(void) { return 2; }\n#endif",
            "two() + q",
        ],
    );
    assert_eq!(text, "$1 = 7\n$2 = 11\n$3 = 13\n");
}

#[test]
fn derived_types_are_declarators() {
    let (target, _folder) = program();
    let text = printed(
        target.pid(),
        &[
            "ptype struct node (*)[4]",
            "ptype struct node *[4]",
            "ptype struct node [2][3]",
            "ptype struct node ***",
        ],
    );
    let ends: Vec<&str> = text.lines().filter(|line| line.starts_with('}')).collect();
    assert_eq!(
        ends,
        [
            "} (*)[4]  // 8 bytes",
            "} *[4]  // 32 bytes",
            "} [2][3]  // 96 bytes",
            "} ***  // 8 bytes"
        ],
        "{text}"
    );
    assert_eq!(
        text.matches("    int number;").count(),
        ends.len(),
        "{text}"
    );
}

#[test]
fn commands_that_users_of_gdb_know() {
    let (target, folder) = program();
    let pid = target.pid();
    let text = printed(
        pid,
        &[
            "whatis boxes->list",
            "ptype struct node",
            "ptype box.colour",
            "x/2xw &box",
            "x/s box.name",
            "x/3dg box.cells",
            "info symbol &box.width",
            "info symbol draw",
            "info line draw",
            "info threads",
            "whatis 1 + 2",
            "ptype boxes->list",
            "whatis node_t",
        ],
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "type = struct node *",
            "type = struct node {",
            "    int number;  // 0, 4 bytes",
            "    struct node *next;  // 8, 8 bytes",
            "}  // 16 bytes",
            "type = enum colour {RED, GREEN = 5, BLUE}  // 4 bytes",
        ],
        "{text}"
    );
    assert!(
        lines[6].contains(" <box+0>:\t0x00000007\t0x0000008d"),
        "{text}"
    );
    assert!(lines[7].ends_with(":\t\"crate\""), "{text}");
    assert!(lines[8].ends_with(":\t11\t12"), "{text}");
    assert!(lines[9].ends_with(":\t13"), "{text}");
    assert!(lines[10].starts_with("box is at 0x"), "{text}");
    assert!(lines[11].starts_with("draw is at 0x"), "{text}");
    assert!(lines[12].starts_with("boxes.c:"), "{text}");
    assert!(lines[13].starts_with(&format!("* {pid} ")), "{text}");
    assert!(lines[15].contains("type = int"), "{text}");
    assert!(
        text.contains("struct node *next;  // 8, 8 bytes\n} *"),
        "{text}"
    );

    assert!(text.ends_with("type = node_t\n"), "{text}");

    let stack = lines_of(pid, &["bt"]);
    stack.says(&["stopped "]);
    assert!(
        stack.stdout.contains(" in wait_here at boxes.c:")
            && stack.stdout.contains(" in main at boxes.c:"),
        "{stack}"
    );
    // The stack of another thread.
    let threads = printed(pid, &["info threads"]);
    let other = threads
        .lines()
        .find_map(|line| line.strip_prefix("  "))
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or_else(|| panic!("{threads}"))
        .to_owned();
    let stack = lines_of(pid, &[&format!("thread {other}"), "bt 40"]);
    assert!(stack.stdout.contains(" in tick at boxes.c:"), "{stack}");
    assert_let_go(pid);

    // Output to files and programs.
    let file = folder.path().join("out");
    let shown = file.display();
    let text = printed(
        pid,
        &[
            &format!("box.width > {shown}"),
            &format!("p box.name >> {shown}"),
            "p box.width | sed s/7/seven/",
            "3 | 4",
            "box.width > 6",
        ],
    );
    assert_eq!(text, "$3 = seven\n$4 = 7\n$5 = 1\n");
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, "$1 = 7\n$2 = \"crate\"\n");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn lines_of(pid: i32, typed: &[&str]) -> Finished {
    lines(pid, &[], typed).expect_status(0)
}

#[test]
fn pointers_are_followed_on_request_and_json_holds_all() {
    let (target, _folder) = program();
    let pid = target.pid();
    let text = printed(pid, &["p+ boxes->list", "p+ *boxes->list"]);
    assert!(text.contains("\n*$1:\n$2 = {number = 1, "), "{text}");
    assert!(text.contains("\n*next:\n$4 = {number = 2, "), "{text}");

    let result = lines(
        pid,
        &["--json"],
        &["box", "box.colour", "long t[int];", "t[1] = 2;", "t"],
    );
    let documents: Vec<Value> = result
        .expect_status(0)
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [value, colour, table] = documents.as_slice() else {
        panic!("{documents:?}");
    };
    assert_eq!(value["type"], "struct box");
    assert_eq!(value["value"]["high"], 17);
    assert_eq!(value["value"]["name"], "crate");
    assert_eq!(value["value"]["cells"].as_array().unwrap().len(), 100);
    assert_eq!(colour["value"], "GREEN");
    assert_eq!(table["value"][0]["value"], 2);
}

#[test]
fn a_snapshot_stands_still() {
    let (target, _folder) = program();
    let pid = target.pid();
    let result = lines_of(
        pid,
        &[
            ":freeze",
            "unsigned long frozen = ticks;",
            "ticks == frozen",
            "bt 2",
            ":thaw",
        ],
    );
    assert!(result.stdout.starts_with("$1 = 1\n#0 "), "{result}");
    result.says(&["frozen: stopped ", " copied", "as it is now"]);
    // Each line sees the target as it is when it runs.
    let waiting = "ticks";
    let result = lines_of(pid, &vec![waiting; 400]);
    let mut seen: Vec<&str> = result
        .stdout
        .lines()
        .filter_map(|line| line.split(" = ").nth(1))
        .collect();
    seen.dedup();
    assert!(seen.len() > 1, "{result}");
    lines(pid, &[], &[":thaw"]).expect_status(1);
    assert_let_go(pid);
}

#[test]
fn lines_come_from_a_pipe_too() {
    let (target, folder) = program();
    let file = folder.path().join("lines");
    std::fs::write(
        &file,
        "int total;\n\nfor (int i = 0; i < 3; i++) {\n    total += box.cells[i];\n}\ntotal // all\nquit\n99\n",
    )
    .unwrap();
    let mut from_pipe = command(&["repl", "-p", &target.pid().to_string()]);
    from_pipe.stdin(std::fs::File::open(&file).unwrap());
    let result = finish(&mut from_pipe).expect_status(0);
    assert_eq!(result.stdout, "$1 = 36\n", "{result}");
    let text = printed(target.pid(), &[&format!("source {}", file.display())]);
    assert_eq!(text, "$1 = 36\n");
}

#[test]
fn what_was_typed_is_saved_as_a_probe_file() {
    let (target, folder) = program();
    let pid = target.pid();
    let file = folder.path().join("saved.y");
    let save = format!(":save {}", file.display());
    let text = printed(
        pid,
        &[
            "int n = box.width;",
            "int m = n * 2;",
            "long sum(struct node *p) { long s = 0; for (; p; p = p->next) s += p->number; return s; }",
            "sum(box.list)",
            "_ + m",
            "boxes->list",
            "*_",
            "_.number + n",
            "printf(\"%d\\n\", m);",
            &save,
        ],
    );
    assert!(text.starts_with("$1 = 6\n$2 = 20\n"), "{text}");
    let shown = file.to_str().unwrap();
    run(&["check", shown, "-p", &pid.to_string()]).expect_status(0);
    let again = run(&["run", shown, "-p", &pid.to_string()]).expect_status(0);
    let lines: Vec<&str> = again.stdout.lines().collect();
    assert_eq!(lines[..2], ["6", "20"], "{again}");
    assert_eq!(lines[4..], ["8", "14"], "{again}");
}

#[test]
fn a_session_at_a_terminal() {
    let (target, folder) = program();
    let pid = target.pid();
    let state = folder.path().join("state");
    let mut user = terminal(pid, &state, 80);
    assert!(user.ask("box.width").contains("$1 = 7\n"));
    // Tab completes members, names, commands.
    assert!(user.ask("p boxes->wi\t").contains("$2 = 7\n"));
    assert!(user.ask("boxes->list->nu\t").contains("$3 = 1\n"));
    assert!(user.ask("wha\t 1L").contains("type = long"));
    assert!(user.ask("(boxe\t)->low").contains("$4 = 5\n"));
    // An open bracket goes on.
    assert!(
        user.ask("for (int i = 0; i < 2; i++) {\rprintf(\"%d;\\n\", box.cells[i]);\r}")
            .contains("\n11;\n12;\n")
    );
    // A line is given up, and so is a walk, without the session.
    user.type_and_wait("int never = \x03");
    user.ask("long rounds;");
    user.0
        .send("printf(\"%s-%d\\n\", \"walks\", 1); while (1) rounds++;\r");
    user.0.expect("walks-1\n");
    let text = user.type_and_wait("\x03");
    assert!(text.contains("interrupted"), "{text}");
    assert!(user.ask("rounds > 0").contains("$5 = 1\n"));
    assert!(user.ask("$1 + 1").contains("$6 = 8\n"));
    user.0.send("\x04");
    assert!(user.0.wait().success());
    assert_let_go(pid);

    // The history is there again, and nobody else's to read.
    let history = state.join("ytrace/history");
    let text = std::fs::read_to_string(&history).unwrap();
    assert!(text.contains("$1 + 1"), "{text}");
    let mode = std::fs::metadata(&history).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut user = terminal(pid, &state, 200);
    user.ask("int again;");
    // Up: that, and the last line of the session before.
    user.0.send("\x1b[A\x1b[A");
    user.0.expect("$1 + 1");
    user.type_and_wait("\x03");
    user.0.send("quit\r");
    assert!(user.0.wait().success());
}

#[test]
fn live_structs_of_nginx() {
    let nginx = PlainNginx::start();
    let pid = nginx.pid();
    let folder = tempfile::tempdir().unwrap();
    let mut user = terminal(pid, folder.path(), 80);
    let text = user.ask("p ngx_cycle->conn\t_n");
    assert!(text.contains("$1 = "), "{text}");
    let text = user.ask("*ngx_cycle");
    assert!(text.contains("\n  conf_ctx = 0x"), "{text}");
    assert!(text.contains("\n  connection_n = "), "{text}");
    let text = user.ask("ngx_cycle->pool");
    assert!(text.contains(" = (ngx_pool_t *) 0x"), "{text}");
    let text = user.ask("ngx_modules[0]->name");
    assert!(text.contains("\"ngx_core_module\""), "{text}");
    let text = user.ask("long n; for (ngx_pool_t *p = ngx_cycle->pool; p; p = p->d.next) n++;");
    assert!(!text.contains("error"), "{text}");
    let text = user.ask("n > 0");
    assert!(text.contains(" = 1\n"), "{text}");
    // A request whose head has no end yet stays where it is.
    let mut held = UnixStream::connect(nginx.socket()).unwrap();
    held.write_all(b"GET /held/here?a=1 HTTP/1.1\r\nHost: there\r\nX-Long: ")
        .unwrap();
    user.ask("ngx_http_request_t *r;");
    let deadline = Instant::now() + LIMIT;
    loop {
        user.ask("for (unsigned i = 0; i < ngx_cycle->connection_n; i++) { ngx_connection_t *c = &ngx_cycle->connections[i]; if (c->fd != -1 && c->data && ((ngx_http_request_t *)c->data)->signature == 0x50545448) r = c->data; }");
        let text = user.ask("r && r->headers_in.host ? 1 : 0");
        if text.contains(" = 1\n") {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
    }
    let text = user.ask("*r");
    for part in [
        "\n  signature = 1347703880,",
        "\n  uri = {len = 10, data = 0x",
        "\n  http_version = 1001",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = user.ask("_tostr(r->uri.data, r->uri.len)");
    assert!(text.contains("\"/held/here\""), "{text}");
    let text = user.ask(":what r");
    assert!(text.contains("nginx pool: "), "{text}");
    let text = user.ask(":freeze");
    assert!(text.contains("frozen: stopped "), "{text}");
    let text = user.ask("bt");
    assert!(text.contains("ngx_process_events_and_timers"), "{text}");
    // It is as it was, whatever becomes of it.
    drop(held);
    let text = user.ask("r->uri.len");
    assert!(text.contains(" = 10\n"), "{text}");
    let text = user.ask("#include <nginx/c.y>");
    assert!(!text.contains("rror"), "{text}");
    user.ask(":thaw");
    user.0.send("\x04");
    assert!(user.0.wait().success());
    assert_let_go(pid);
}
