//! Walk speed: the run on the copy against the same walk in C inside the process that owns the heap.

mod common;

use common::{
    Samples, Walker, folded, machine, measure_if_asked, row, runs, scratch, title, ytrace,
};

fn main() -> Result<(), String> {
    measure_if_asked();
    let mut walker = match Walker::start(60_000) {
        Ok(walker) => walker,
        Err(why) => {
            println!("walk: skipped: {why}");
            return Ok(());
        }
    };
    machine();
    let (_folder, cache) = scratch();
    let pid = walker.pid();
    let probe = ["run", "probes/lua-gc-fgraph.y", "-p", &pid, "-v"];
    // One of each to warm up.
    ytrace(&probe, &cache);
    walker.walk()?;

    let mut compiled = Samples::default();
    let mut learning = Samples::default();
    let mut reference = Samples::default();
    let mut ratio = Samples::default();
    let mut objects = 0;
    for _ in 0..runs(11) {
        let run = ytrace(&probe, &cache);
        let walked = walker.walk()?;
        objects = walked.objects;
        compiled.push(run.phase("run"));
        learning.push(run.phase("learn"));
        reference.push(walked.milliseconds);
        ratio.push(run.phase("run") / walked.milliseconds);
    }
    title(&format!("walk of {objects} objects, LuaJIT GC64"), "ms");
    row("ytrace, the run on the copy", &compiled);
    row("ytrace, the learning run on live memory", &learning);
    row("C inside the process", &reference);
    row("ytrace's run / C (aim: at most 3)", &ratio);
    println!(
        "  {:.2} M objects/s, C {:.2} M objects/s (aim: at least 5)",
        objects as f64 / compiled.median() / 1e3,
        objects as f64 / reference.median() / 1e3
    );
    same_result(&mut walker, &cache)
}

/// Both must find the same: the total, and the bytes of every chain.
fn same_result(walker: &mut Walker, cache: &std::path::Path) -> Result<(), String> {
    let (_folder, folder) = scratch();
    let file = folder.join("held.folded");
    let name = file.display().to_string();
    let pid = walker.pid();
    ytrace(
        &["run", "probes/lua-gc-fgraph.y", "-p", &pid, "-o", &name],
        cache,
    );
    let walked = walker.walk()?;
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let found = folded(&text);
    let total: i64 = found.values().sum();
    println!(
        "  total: ytrace {total}, C {}, gc.total {} as C saw it (its own call changes the heap)",
        walked.bytes, walked.total
    );
    let chains: std::collections::BTreeSet<&String> =
        found.keys().chain(walked.chains.keys()).collect();
    let mut different = 0;
    for chain in &chains {
        let ours = found.get(*chain).copied().unwrap_or(0);
        let theirs = walked.chains.get(*chain).copied().unwrap_or(0);
        if ours != theirs {
            different += 1;
            if different <= 20 {
                println!("  differs: {chain}: ytrace {ours}, C {theirs}");
            }
        }
    }
    println!("  chains: {} in all, {different} differ", chains.len());
    Ok(())
}
