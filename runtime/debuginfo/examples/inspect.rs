//! Opens a module, times what a cold and a warm start do, and shows what is known of one type.
//!
//! `inspect MODULE [KIND NAME]...` with KIND one of struct, union, enum, typedef, base, variable, function, address.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use ytrace_debuginfo::{Loader, Module, NameKind};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        return Err("usage: inspect MODULE [KIND NAME]...".into());
    };
    let mut loader = Loader::default();
    if let Some(dir) = Loader::default_cache_dir() {
        loader = loader.cache_dir(dir);
    }
    let start = Instant::now();
    let module = loader.open(Path::new(&path))?;
    println!("open       {:>9.3} ms", ms(start));
    let start = Instant::now();
    let status = module.debug_status()?;
    println!("locate     {:>9.3} ms  {:?}", ms(start), status.source);
    for attempt in &status.attempts {
        println!("  not {}: {}", attempt.path.display(), attempt.outcome);
    }
    println!("  supplementary {:?}", status.supplementary);
    let start = Instant::now();
    let (entries, bytes) = module.index_size()?;
    println!(
        "index      {:>9.3} ms  {entries} entries, {bytes} bytes, {:?}",
        ms(start),
        module.index_status()
    );
    while let (Some(kind), Some(name)) = (arguments.next(), arguments.next()) {
        let start = Instant::now();
        show(&module, &kind, &name)?;
        println!("{kind} {name}: {:.3} ms", ms(start));
    }
    Ok(())
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn show(module: &Module, kind: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let kind = match kind {
        "struct" => NameKind::Struct,
        "union" => NameKind::Union,
        "enum" => NameKind::Enum,
        "typedef" => NameKind::Typedef,
        "base" => NameKind::Base,
        "variable" => {
            println!("{:#?}", module.variable(name, None)?);
            return Ok(());
        }
        "function" => {
            println!("{:#?}", module.function(name, None)?);
            return Ok(());
        }
        "address" => {
            let address = u64::from_str_radix(name.trim_start_matches("0x"), 16)?;
            println!(
                "{:#?} {:?}",
                module.symbolize(address),
                module.symbolize_data(address)
            );
            return Ok(());
        }
        _ => return Err("unknown kind".into()),
    };
    match module.find_type(kind, name, None)? {
        Some(ty) => println!(
            "{:?} bytes: {:#?}",
            module.size_of(ty)?,
            module.describe(ty)?
        ),
        None => println!("none; similar: {:?}", module.suggest(kind, name)?),
    }
    Ok(())
}
