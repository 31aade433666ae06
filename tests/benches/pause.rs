//! The pause: how long ytrace says that it stopped the target; next to how long a target was seen stopped while a debugger
//! attached and detached. (A watcher cannot time ytrace's own pause on a small machine: during it, real-time threads have
//! the processors.)

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{
    Samples, Walker, machine, measure, measure_if_asked, row, runs, scratch, title, ytrace,
};

fn main() -> Result<(), String> {
    measure_if_asked();
    let walker = match Walker::start(60_000) {
        Ok(walker) => walker,
        Err(why) => {
            println!("pause: skipped: {why}");
            return Ok(());
        }
    };
    machine();
    let (_folder, cache) = scratch();
    let pid = walker.pid();
    let probe = ["run", "probes/lua-gc-fgraph.y", "-p", &pid, "-v"];
    ytrace(&probe, &cache);
    let mut printed = Samples::default();
    let mut copied = Samples::default();
    for _ in 0..runs(25) {
        let run = ytrace(&probe, &cache);
        printed.push(run.pause());
        copied.push(run.copied());
    }
    let gdb = Path::new("/usr/bin/gdb");
    let mut attached = Samples::default();
    if gdb.is_file() {
        for _ in 0..runs(5) {
            let arguments = ["-nx", "-batch", "-p", &pid, "-ex", "detach"];
            let (_, stopped) = watched(&pid, || measure(gdb, &arguments, &[]));
            attached.push(stopped);
        }
    }
    title("pause, stand-alone LuaJIT GC64", "ms");
    row("ytrace, as printed (aim: at most 15)", &printed);
    if gdb.is_file() {
        row("gdb attach + detach, as seen from outside", &attached);
    }
    println!(
        "  {:.1} MB copied; a published walk of 772,713 objects inside one handler held its target for 297 ms",
        copied.median()
    );
    Ok(())
}

/// Does something while watching a process, and tells for how long it was seen stopped by a tracer, in milliseconds.
fn watched<T>(pid: &str, work: impl FnOnce() -> T) -> (T, f64) {
    let done = AtomicBool::new(false);
    let path = format!("/proc/{pid}/stat");
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut total = Duration::ZERO;
            let mut since: Option<Instant> = None;
            while !done.load(Ordering::Relaxed) {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let state = text
                    .rsplit_once(") ")
                    .and_then(|(_, rest)| rest.chars().next());
                let now = Instant::now();
                match (state, since) {
                    (Some('t'), None) => since = Some(now),
                    (Some('t'), Some(_)) | (_, None) => {}
                    (_, Some(begun)) => {
                        total += now - begun;
                        since = None;
                    }
                }
                // A watcher that never rests would take a core from the debugger.
                std::thread::sleep(Duration::from_micros(200));
            }
            total
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        let total = watcher.join().expect("the watcher ends");
        (result, total.as_secs_f64() * 1e3)
    })
}
