//! Lines at the prompt of `ytrace repl`.

use crate::program::{Finished, run};

/// Runs lines at the prompt, each given by `-e`, of what the words name: options, and the target.
pub fn lines(words: &[&str], typed: &[&str]) -> Finished {
    run(&arguments(words, typed))
}

/// The words of the command line for that.
pub fn arguments<'w>(words: &[&'w str], typed: &[&'w str]) -> Vec<&'w str> {
    let typed = typed.iter().flat_map(|line| ["-e", line]);
    ["repl"]
        .into_iter()
        .chain(words.iter().copied())
        .chain(typed)
        .collect()
}
