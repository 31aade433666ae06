//! `ytrace diff`: what changed between two results of one probe.

use ytrace_report::{Earlier, Output, difference, output};

use crate::arguments::DiffArguments;
use crate::failure::{Failure, Status};
use crate::run;
use crate::terminal::Terminal;

/// Reads two results and shows what changed.
pub fn run(arguments: &DiffArguments, terminal: &Terminal) -> Result<Status, Failure> {
    for path in &arguments.output {
        Output::from_path(path).map_err(Failure::usage)?;
        output::check_output(path).map_err(Failure::usage)?;
    }
    let old = Earlier::read(&arguments.old).map_err(Failure::usage)?;
    let new = Earlier::read(&arguments.new).map_err(Failure::usage)?;
    let report = difference::compare(&old, &new).map_err(Failure::usage)?;
    run::show(&report, &arguments.output, None, terminal)?;
    Ok(match report.footer.partial.is_empty() {
        true => Status::Success,
        false => Status::Partial,
    })
}
