//! `--debuginfod`: servers of debug information, and how far downloads have come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ytrace_runtime::{Debuginfod, Progress, ServersError};

use crate::arguments::Servers;
use crate::failure::Failure;
use crate::terminal::{Terminal, safe, say};

/// How wide the bar is, in columns.
const BAR: u64 = 24;

/// The servers that the command line names; none without `--debuginfod`. `stop` ends a download.
pub fn servers(
    arguments: &Servers,
    stop: &'static AtomicBool,
    terminal: &Terminal,
) -> Result<Option<Debuginfod>, Failure> {
    let Some(given) = &arguments.debuginfod else {
        return Ok(None);
    };
    let of_environment = || std::env::var("DEBUGINFOD_URLS").unwrap_or_default();
    let urls = match given.is_empty() {
        true => of_environment(),
        false => given.clone(),
    };
    let interactive = terminal.interactive;
    let watcher = Arc::new(move |progress: Progress<'_>| {
        if interactive {
            say(&line(&progress));
        }
        !stop.load(Ordering::Relaxed)
    });
    let warn = |left_out: &[String]| {
        let (yellow, _, reset) = terminal.error_colors("\x1b[1;33m", "");
        for one in left_out {
            say(&format!(
                "{yellow}warning{reset}: a server of debug information is left out: {}\n",
                safe(one)
            ));
        }
    };
    match Debuginfod::new(&urls, watcher) {
        Ok((servers, left_out)) => {
            warn(&left_out);
            Ok(Some(servers))
        }
        Err(ServersError::None { left_out }) => {
            warn(&left_out);
            Err(Failure::usage("--debuginfod knows no server to ask").with_hint(
                "set DEBUGINFOD_URLS, as in DEBUGINFOD_URLS=https://debuginfod.debian.net, or write --debuginfod=URL",
            ))
        }
        Err(error @ ServersError::Signatures { .. }) => {
            Err(Failure::usage(format!("--debuginfod: {error}")).with_hint(
                "name the servers whose files may be used without signatures: --debuginfod=URL",
            ))
        }
    }
}

/// What a terminal shows of a download, in place.
fn line(progress: &Progress<'_>) -> String {
    if progress.done {
        return "\r\x1b[K".to_owned();
    }
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let far = match progress.total.filter(|total| *total > 0) {
        Some(total) => {
            let full = progress.got.min(total).saturating_mul(BAR) / total;
            let bar: String = (0..BAR)
                .map(|column| if column < full { '█' } else { '░' })
                .collect();
            format!(
                "{bar} {:.1} of {:.1} MB",
                megabytes(progress.got),
                megabytes(total)
            )
        }
        None if progress.got == 0 => format!("asking {}", safe(progress.server)),
        None => format!("{:.1} MB", megabytes(progress.got)),
    };
    format!(
        "\r\x1b[Kdebug information of {}: {far}",
        safe(progress.module)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_what_has_come() {
        let progress = |got, total| Progress {
            module: "a",
            server: "http://x",
            got,
            total,
            done: false,
        };
        let half = line(&progress(1_000_000, Some(2_000_000)));
        assert!(half.ends_with("░ 1.0 of 2.0 MB"), "{half}");
        assert_eq!(half.matches('█').count(), 12);
        // A server that sends more than it said does not make the bar longer.
        assert_eq!(line(&progress(9, Some(3))).matches('█').count(), 24);
        assert!(line(&progress(0, None)).ends_with("asking http://x"));
        assert!(line(&progress(0, Some(0))).ends_with("asking http://x"));
    }
}
