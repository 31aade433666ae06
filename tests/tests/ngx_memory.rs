//! nginx's pools and shared memory zones, held against what a module, the kernel and nginx say of them.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;
use ytrace_tests::fixtures::directory;
use ytrace_tests::hoard::{Hoard, unavailable};
use ytrace_tests::plain_nginx::PlainNginx;
use ytrace_tests::processes::{signal, wait_for};
use ytrace_tests::program::{run, whole_json};
use ytrace_tests::skip;

/// Sizes of a pool's and of a further block's head (`ngx_pool_t`, `ngx_pool_data_t`), in bytes.
const POOL: i64 = 80;
const BLOCK: i64 = 32;

/// A result as JSON, complete, with all of its checks equal.
struct Result {
    json: Value,
}

impl Result {
    #[track_caller]
    fn of(probe: &str, pid: i32, more: &[&str]) -> Self {
        let (_, json) = whole_json(&format!("probes/{probe}.y"), pid, more);
        Self { json }
    }

    /// The rows of a table, each with its cells by the names of their columns.
    fn rows(&self, table: usize) -> Vec<serde_json::Map<String, Value>> {
        let view = &self.json["views"][table];
        let names: Vec<&str> = view["columns"]
            .as_array()
            .unwrap_or_else(|| panic!("{view} has no columns"))
            .iter()
            .map(|column| column["name"].as_str().or(column.as_str()).unwrap())
            .collect();
        let rows = view["rows"].as_array().unwrap();
        rows.iter()
            .map(|row| {
                let cells = row.as_array().unwrap();
                let pairs = names.iter().zip(cells);
                pairs
                    .map(|(name, cell)| ((*name).to_owned(), cell.clone()))
                    .collect()
            })
            .collect()
    }

    /// The numbers of the row whose first column is `name`; zeros if there is none.
    fn row(&self, table: usize, name: &str) -> Row {
        let mut rows = self.rows(table).into_iter();
        let first = |row: &serde_json::Map<String, Value>| {
            row.values().any(|cell| cell.as_str() == Some(name))
        };
        Row(rows.find(first).unwrap_or_default())
    }

    fn header(&self) -> String {
        let lines = self.json["header"].as_array().unwrap();
        let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
        lines.join("\n")
    }

    fn check(&self, name: &str) -> i64 {
        let checks = self.json["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("no check {name:?} in {checks:?}"))["right"]
            .as_i64()
            .unwrap()
    }
}

#[derive(Debug)]
struct Row(serde_json::Map<String, Value>);

impl Row {
    fn number(&self, column: &str) -> i64 {
        self.0.get(column).and_then(Value::as_f64).unwrap_or(0.0) as i64
    }

    fn text(&self, column: &str) -> &str {
        self.0.get(column).and_then(Value::as_str).unwrap_or("")
    }
}

fn pools(variant: &str) {
    if let Some(why) = unavailable(variant) {
        return skip(&format!("pools of {variant} nginx"), &why);
    }
    let nginx = Hoard::start(variant);
    let before = Result::of("ngx-pools", nginx.worker, &[]);
    assert_eq!(
        before.row(0, "UNOWNED").number("pools"),
        0,
        "{}",
        before.json
    );
    assert_eq!(before.row(0, "cycle").number("pools"), 1);
    assert!(before.header().contains("no pool without an owner"));

    let said = nginx.counters("big=50&chain=30&kept=7");
    let result = Result::of("ngx-pools", nginx.worker, &[]);
    // What the module counted of the pools that nothing refers to.
    let lost = |name: &str| said[&format!("big_{name}")] + said[&format!("chain_{name}")];
    let row = result.row(0, "UNOWNED");
    assert_eq!(row.number("pools"), 80);
    assert_eq!(row.number("used_bytes"), lost("used"));
    let heads = lost("pools") * POOL + (lost("blocks") - lost("pools")) * BLOCK;
    assert_eq!(
        row.number("unused_bytes"),
        lost("block_bytes") - heads - lost("used")
    );
    assert_eq!(row.number("large"), lost("larges"));
    assert_eq!(row.number("large_bytes"), lost("large_usable"));
    let asked = lost("block_bytes") + lost("large_bytes");
    let total = row.number("total_bytes");
    // What malloc adds: heads of chunks, and what is left of the last page of those that it maps.
    let blocks = lost("blocks") + lost("larges");
    assert!(
        (asked..asked + blocks * 4128).contains(&total),
        "{asked} {total}"
    );
    // Those that an array of the module refers to are owned.
    let row = result.row(0, "module");
    assert_eq!(row.number("pools"), 7);
    assert_eq!(row.number("used_bytes"), said["kept_used"]);

    // Whose they are.
    let header = result.header();
    assert!(header.contains("ngx_http_hoard_module"), "{header}");
    let groups = result.rows(1);
    for group in &groups {
        assert_eq!(group["module"], "ngx_http_hoard_module");
        assert!(group["percent"].as_i64().unwrap() > 90, "{group:?}");
    }
    if variant == "stock" {
        // Without symbols the two are alike.
        assert_eq!(groups.len(), 1, "{groups:?}");
        assert!(
            result.json["footer"]
                .to_string()
                .contains("nginx-1.22-compat")
        );
    } else {
        assert!(header.contains("ngx_http_hoard_init_peer"), "{header}");
        assert_eq!(groups.len(), 2, "{groups:?}");
        assert_eq!(groups[0]["symbol"], "ngx_http_hoard_init_peer");
        assert_eq!(groups[0]["pools"], 50);
        assert_eq!(groups[1]["cleanup"], "ngx_http_hoard_cleanup");
        assert_eq!(groups[1]["pools"], 30);
        assert_eq!(result.row(2, "module").text("owner"), "ngx_http_hoard_kept");
    }
    // As malloc sees them: blocks of 256 to 512 KiB, the most of what is in use.
    let chunks = Result::of("glibc-chunks", nginx.worker, &[]);
    let size = chunks.row(0, "256 .. 512 KiB");
    assert!(size.number("chunks") >= 50, "{size:?}");
    let verdict = Result::of("glibc-verdict", nginx.worker, &[]);
    let owner = verdict.row(1, "UNOWNED pool");
    assert_eq!(owner.number("bytes"), total);
    assert_eq!(owner.number("chunks"), lost("blocks") + lost("larges"));
    assert!(verdict.header().contains("LIVE: "), "{}", verdict.header());
    // The biggest is one of the module's, and big.
    let biggest = &result.rows(3)[0];
    assert_eq!(biggest["kind"], "UNOWNED");
    assert!(biggest["total_bytes"].as_i64().unwrap() > 512 * 1024);

    // Connections and requests have owners.
    let idle: Vec<_> = (0..3).map(|_| nginx.idle_connection()).collect();
    let unfinished: Vec<_> = (0..2)
        .map(|_| nginx.unfinished_request("GET /ping HTTP/1.1\r\nHost: one.exa"))
        .collect();
    let result = Result::of("ngx-pools", nginx.worker, &[]);
    assert_eq!(result.row(0, "connection").number("pools"), 5);
    assert_eq!(result.row(0, "request").number("pools"), 2);
    assert_eq!(result.row(0, "UNOWNED").number("pools"), 80);
    let owner = result.row(2, "connection").text("owner").to_owned();
    assert_eq!(owner, "ngx_http_init_connection");
    assert_eq!(result.check("owned pools that the scan finds, too"), 8);
    drop((idle, unfinished));

    // A pending timer of Lua has a pool, to which only the timer refers.
    if variant == "dwarf" {
        assert_eq!(nginx.get("timers"), "20");
        let result = Result::of("ngx-pools", nginx.worker, &[]);
        assert_eq!(result.row(0, "UNOWNED").number("pools"), 80);
        assert_eq!(result.row(0, "module").number("pools"), 27);
        let row = result.row(2, "ngx_http_lua_timer_handler");
        assert_eq!(row.number("pools"), 20);
    }
}

#[test]
fn pools_of_nginx_with_debug_information() {
    pools("dwarf");
}

#[test]
fn pools_of_stock_stripped_nginx() {
    pools("stock");
}

#[test]
fn pools_of_a_later_nginx() {
    pools("1.28");
}

/// Where pools note what made them, as those of Tengine's debug pool do, nothing is guessed.
#[test]
fn pools_that_note_their_creators() {
    let variant = "1.28-creators";
    if let Some(why) = unavailable(variant) {
        return skip("pools_that_note_their_creators", &why);
    }
    let nginx = Hoard::start(variant);
    nginx.counters("big=50&chain=30&kept=7");
    let result = Result::of("ngx-pools", nginx.worker, &[]);
    assert_eq!(result.row(0, "UNOWNED").number("pools"), 80);
    let groups = result.rows(1);
    for group in &groups {
        assert_eq!(group["module"], "ngx_http_hoard_module");
        assert_eq!(group["symbol"], "ngx_http_hoard_make", "{group:?}");
        assert_eq!(group["percent"], 100);
    }
    let made: i64 = groups
        .iter()
        .map(|row| row["pools"].as_i64().unwrap())
        .sum();
    assert_eq!(made, 80);
    assert_eq!(result.row(2, "ngx_init_cycle").text("kind"), "cycle");
}

/// A reload of a process alone leaves the old cycle to the requests that it serves still.
#[test]
fn pools_of_an_old_cycle() {
    if let Some(why) = unavailable("dwarf") {
        return skip("pools_of_an_old_cycle", &why);
    }
    let nginx = Hoard::start_alone("dwarf");
    let waiting = nginx.unfinished_request("GET /wait HTTP/1.1\r\nHost: one.example.com\r\n\r\n");
    signal(nginx.worker, Signal::SIGHUP);
    // The new cycle takes over once it says so.
    wait_for("the new cycle", || {
        let result = Result::of("ngx-pools", nginx.worker, &[]);
        result.row(0, "old cycle").number("pools") == 1
    });
    let result = Result::of("ngx-pools", nginx.worker, &[]);
    for (kind, pools) in [
        ("cycle", 1),
        ("old cycle", 1),
        ("request", 1),
        ("UNOWNED", 0),
    ] {
        assert_eq!(result.row(0, kind).number("pools"), pools, "{kind}");
    }
    assert_eq!(
        result.row(2, "request").text("owner"),
        "ngx_http_lua_content_handler"
    );
    // The map has both cycles, with the bytes that the pools take.
    let map = Result::of("glibc-heapmap", nginx.worker, &["--", "--least", "1"]);
    let regions = map.json["views"][0]["regions"].as_array().unwrap();
    for (kind, owner) in [
        ("cycle", "current cycle pool"),
        ("old cycle", "old cycle pool"),
        ("request", "request pool"),
    ] {
        let drawn: i64 = regions
            .iter()
            .filter(|region| region["owner"] == owner)
            .map(|region| region["length"].as_i64().unwrap())
            .sum();
        assert_eq!(drawn, result.row(0, kind).number("total_bytes"), "{kind}");
    }
    drop(waiting);
}

fn connections(variant: &str) {
    if let Some(why) = unavailable(variant) {
        return skip(&format!("connections of {variant} nginx"), &why);
    }
    let nginx = Hoard::start(variant);
    let idle: Vec<_> = (0..3).map(|_| nginx.idle_connection()).collect();
    let unfinished: Vec<_> = (0..2)
        .map(|_| {
            nginx.unfinished_request(
                "GET /ping?secret=word HTTP/1.1\r\nHost: one.example.com\r\nAccept: te",
            )
        })
        .collect();
    let result = Result::of("ngx-conns", nginx.worker, &[]);
    // The three kinds of rows: by state, by host, each.
    let state = |result: &Result, name: &str| result.row(0, name).number("connections");
    assert_eq!(state(&result, "idle"), 3);
    assert_eq!(state(&result, "reading request"), 2);
    assert_eq!(result.row(1, "one.example.com").number("requests"), 2);
    let clients: Vec<_> = result
        .rows(2)
        .into_iter()
        .filter(|row| row["kind"] == "client")
        .collect();
    assert_eq!(clients.len(), 5);
    let memory = result.row(0, "reading request").number("memory_bytes");
    // A connection's pool and a request's of 4 KiB and more each.
    assert!(memory > 2 * (4_096 + 256), "{memory}");
    assert!(
        !result.json.to_string().contains("secret"),
        "URIs are shown"
    );
    let shown = Result::of("ngx-conns", nginx.worker, &["--", "--show-uris"]);
    let uris = shown
        .rows(2)
        .into_iter()
        .filter(|row| row["uri"] == "/ping?secret=word");
    assert_eq!(uris.count(), 2);
    // The pools are those that ngx-pools counts.
    let pools = Result::of("ngx-pools", nginx.worker, &[]);
    let theirs = pools.row(0, "connection").number("total_bytes")
        + pools.row(0, "request").number("total_bytes");
    let ours: i64 = clients
        .iter()
        .map(|row| row["memory_bytes"].as_i64().unwrap())
        .sum();
    assert_eq!(ours, theirs);
    drop((idle, unfinished));
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A connection of HTTP/2 to a socket, with so many requests that wait for their answers.
fn h2_connection(socket: &Path, requests: u32) -> UnixStream {
    let mut connection = UnixStream::connect(socket).unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    for number in 0..requests {
        // Method and scheme are indexed, path and authority are literals of indexed names (RFC 7541, appendix A).
        let mut headers = vec![0x82, 0x86];
        for (name, value) in [(0x04, "/wait"), (0x01, "two.example.com")] {
            headers.push(name);
            headers.push(u8::try_from(value.len()).unwrap());
            headers.extend(value.as_bytes());
        }
        // The end of the headers and of the stream.
        bytes.extend(frame(1, 0x4 | 0x1, 2 * number + 1, &headers));
    }
    connection.write_all(&bytes).unwrap();
    // Its settings come when nginx has taken the connection for one of HTTP/2.
    let mut answer = [0; 9];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(answer[3], 4, "{answer:?}");
    connection
}

/// Streams of HTTP/2 count for their connections: of a stripped nginx 1.22, and of 1.28.
#[test]
fn streams_of_http2() {
    let later = directory().join("hoard/nginx-1.28/sbin/nginx");
    for program in [Path::new("/usr/sbin/nginx"), &later] {
        if !program.is_file() {
            skip(
                "streams_of_http2",
                &format!("{} is missing", program.display()),
            );
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let upstream = folder.path().join("up.sock");
        let listener = UnixListener::bind(&upstream).unwrap();
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths = paths
            .map(|name| format!("{name}_temp_path {name};"))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log;
             events {{ worker_connections 64; }}
             http {{
                 access_log off; {paths} proxy_read_timeout 1h; send_timeout 1h; keepalive_timeout 1h;
                 server {{ listen unix:one.sock; return 200 ok; }}
                 server {{
                     listen unix:two.sock http2; server_name two.example.com;
                     location /wait {{ proxy_pass http://unix:{}; }}
                 }}
             }}",
            upstream.display()
        );
        let nginx = PlainNginx::start_with(program, &configuration, "localhost/");
        let socket = nginx.folder().join("two.sock");
        let clients = [3, 2, 0].map(|requests| h2_connection(&socket, requests));
        // Each stream that is being answered has asked for its answer.
        let asked: Vec<_> = (0..5).map(|_| listener.accept().unwrap()).collect();

        let found = Result::of("ngx-conns", nginx.pid(), &[]);
        let rows = found.rows(2).into_iter();
        let rows: Vec<Row> = rows
            .filter(|row| row["kind"] == "client")
            .map(Row)
            .collect();
        let streams: Vec<i64> = rows.iter().map(|row| row.number("streams")).collect();
        assert_eq!(streams, [3, 2, 0], "{rows:?}");
        for row in &rows {
            let (streams, bytes) = (row.number("streams"), row.number("stream_bytes"));
            // A pool of 4 KiB for each request, with chunk and all.
            assert!(
                (streams * 4_112..=streams * 16_384).contains(&bytes),
                "{row:?}"
            );
            assert!(row.number("memory_bytes") > bytes, "{row:?}");
            let state = match streams {
                0 => "HTTP/2, idle",
                _ => "HTTP/2 with streams",
            };
            assert_eq!(row.text("state"), state);
        }
        let host = found.row(1, "two.example.com");
        assert_eq!(host.number("requests"), 5);
        let sum = |column: &str| rows.iter().map(|row| row.number(column)).sum::<i64>();
        assert_eq!(host.number("memory_bytes"), sum("stream_bytes"));
        let said = "HTTP/2: connections 3, streams 5, whose pools hold ";
        assert!(found.header().contains(said), "{}", found.header());
        // The pools are those that ngx-pools counts.
        let pools = Result::of("ngx-pools", nginx.pid(), &[]);
        let total = |kind| pools.row(0, kind).number("total_bytes");
        assert_eq!(sum("memory_bytes"), total("connection") + total("request"));
        drop((clients, asked));
    }
}

#[test]
fn connections_of_nginx_with_debug_information() {
    connections("dwarf");
}

#[test]
fn connections_of_stock_stripped_nginx() {
    connections("stock");
}

#[test]
fn connections_of_a_later_nginx() {
    connections("1.28");
}

/// Bytes of the mapping of a zone of this size that a process has touched, and the blocks of the object behind it.
fn zone_by_the_kernel(pid: i32, size: i64) -> (i64, i64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((range, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((start, end)) = range.split_once('-') else {
            continue;
        };
        let (Ok(first), Ok(last)) = (i64::from_str_radix(start, 16), i64::from_str_radix(end, 16))
        else {
            continue;
        };
        if last - first == size && rest.starts_with("rw-s") {
            let resident = lines
                .find_map(|line| line.strip_prefix("Rss:"))
                .and_then(|rest| {
                    rest.trim()
                        .trim_end_matches("kB")
                        .trim()
                        .parse::<i64>()
                        .ok()
                })
                .unwrap();
            let object = std::fs::metadata(format!("/proc/{pid}/map_files/{range}")).unwrap();
            return (
                resident * 1024,
                i64::try_from(object.blocks()).unwrap() * 512,
            );
        }
    }
    panic!("process {pid} has no shared mapping of {size} bytes");
}

fn zones(variant: &str) {
    if let Some(why) = unavailable(variant) {
        return skip(&format!("zones of {variant} nginx"), &why);
    }
    let mut nginx = Hoard::start(variant);
    let lua = variant != "1.28";
    nginx.get("limited?key=one");
    nginx.get("limited?key=two");
    nginx.get("cached/1");
    nginx.get("cached/2");
    nginx.get("cached/2");
    let said = if lua {
        nginx.get("fill?n=5000")
    } else {
        String::new()
    };
    // A worker that has touched none of it.
    nginx.reload();
    let names = [
        ("sessions", 4 << 20, "ngx_http_lua_module"),
        ("cache", 3 << 20, "ngx_http_proxy_module"),
        ("keys", 1 << 20, "ngx_http_limit_req_module"),
        ("addresses", 512 << 10, "ngx_http_limit_conn_module"),
        ("backend", 128 << 10, "ngx_http_upstream_module"),
    ];
    let names = if lua { &names[..] } else { &names[1..] };
    let touched: Vec<_> = names
        .iter()
        .map(|(_, size, _)| zone_by_the_kernel(nginx.worker, *size))
        .collect();
    let result = Result::of("ngx-shm", nginx.worker, &[]);
    for ((name, size, owner), (here, loaded)) in names.iter().zip(&touched) {
        let row = result.row(0, name);
        assert_eq!(row.text("owner"), *owner);
        assert_eq!(row.number("size_bytes"), *size);
        assert_eq!(row.number("here_bytes"), *here, "{name}");
        assert_eq!(row.number("loaded_bytes"), *loaded, "{name}");
        // A slab pool gives pages out from the start on, and takes none back from the kernel's object.
        assert_eq!(row.number("used_bytes"), *loaded, "{name}");
        let after = zone_by_the_kernel(nginx.worker, *size);
        assert_eq!(after, (*here, *loaded), "looking at {name} touches nothing");
    }
    let use_of = |name: &str| result.row(1, name);
    assert_eq!(use_of("keys").number("entries"), 2);
    assert_eq!(use_of("cache").number("entries"), 2);
    assert!(
        use_of("cache")
            .text("least_recent_expires")
            .starts_with("in ")
    );
    if lua {
        let (entries, free) = said.split_once(' ').unwrap();
        assert_eq!(touched[0].0, 0, "the worker has not touched the dictionary");
        assert_eq!(use_of("sessions").number("entries").to_string(), entries);
        assert_eq!(
            result.row(0, "sessions").number("free_bytes").to_string(),
            free
        );
        // 5,000 entries of 256 bytes.
        let slots = result.rows(2);
        let class = slots
            .iter()
            .find(|row| row["zone"] == "sessions" && row["slot_bytes"] == 256)
            .unwrap();
        assert_eq!(class["used"], 5_000);
        assert!(touched[0].1 >= 5_000 * 256);
    }
    assert!(result.check("slots in use") > 10);
    assert!(result.check("free pages") > 1_000);
}

#[test]
fn zones_of_nginx_with_debug_information() {
    zones("dwarf");
}

#[test]
fn zones_of_stock_stripped_nginx() {
    zones("stock");
}

#[test]
fn zones_of_a_later_nginx() {
    zones("1.28");
}

/// A program that is no nginx is told so.
#[test]
fn no_nginx() {
    let program = directory().join("c/heap");
    if !program.is_file() {
        return skip("no_nginx", &format!("{} is missing", program.display()));
    }
    let target = ytrace_tests::fixtures::Waiting::start(&mut std::process::Command::new(program));
    for probe in ["ngx-pools", "ngx-shm", "ngx-conns"] {
        let file = format!("probes/{probe}.y");
        let result = run(&["run", &file, "-p", &target.pid().to_string()]);
        assert_ne!(result.status, Some(0), "{result}");
        result.says(&["nginx"]).hints();
    }
}
