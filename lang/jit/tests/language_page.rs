//! Every example of `docs/language.md` that runs gives the same as machine code as in the
//! interpreter.

use std::path::Path;
use std::sync::Arc;

use ytrace_jit::{CompiledProgram, Jit, Options};
use ytrace_lang::execute::Executor;
use ytrace_lang::testing::page;
use ytrace_lang::testing::world::SparseMemory;
use ytrace_values::Memory;

#[test]
fn examples_of_the_reference_run_alike() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/language.md");
    let text = std::fs::read_to_string(path).expect("the page");
    let options = Options::new(SparseMemory::default().page_size());
    let mut compared = 0;
    for example in page::examples(&text).expect("well-formed examples") {
        let line = example.line;
        let Ok(Some(expected)) = example.filetest.interpreted("example.y") else {
            continue;
        };
        let found = example
            .filetest
            .transcript("example.y", &mut |program| {
                let code = CompiledProgram::compile(program, options)
                    .map_err(|error| format!("{error}: {error:?}"))?;
                Ok(Box::new(Jit::new(Arc::new(code))) as Box<dyn Executor>)
            })
            .unwrap_or_else(|message| panic!("line {line}: {message}"));
        assert_eq!(found, Some(expected), "line {line}");
        compared += 1;
    }
    assert!(compared > 40, "the page has its examples");
}
