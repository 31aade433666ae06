//! Every analyzer compiles: without a target, and on one that has no type information.

use std::path::{Path, PathBuf};

use ytrace_lang::check::testing::TestTarget;
use ytrace_lang::compile::{CompileError, Request, compile, compile_typed};
use ytrace_lang::diagnostics::{Diagnostic, Severity};
use ytrace_lang::source::{LoadError, Loader, SourceFile, SourceMap};
use ytrace_lang::target::Target;
use ytrace_lang::verify;

/// Loads from the library's own directory.
struct Library(PathBuf);

impl Loader for Library {
    fn load(&mut self, name: &str, quoted: bool, from: &str) -> Result<SourceFile, LoadError> {
        let beside = Path::new(from).parent().map(|parent| parent.join(name));
        let paths: Vec<PathBuf> = beside
            .filter(|_| quoted)
            .into_iter()
            .chain([self.0.join(name)])
            .collect();
        for path in &paths {
            if let Ok(text) = std::fs::read_to_string(path) {
                return Ok(SourceFile {
                    name: path.display().to_string(),
                    text: text.into(),
                    library: true,
                });
            }
        }
        Err(LoadError::NotFound {
            name: name.to_owned(),
            tried: paths
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
        })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn probes() -> Vec<SourceFile> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join("probes"))
        .expect("the directory of probes")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "y"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| SourceFile {
            name: path.display().to_string(),
            text: std::fs::read_to_string(&path).expect("a probe").into(),
            library: false,
        })
        .collect()
}

fn errors(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(|diagnostic| {
            format!(
                "{}: {} ({}) {}\n",
                sources.location(diagnostic.primary.0),
                diagnostic.message,
                diagnostic.primary.1,
                diagnostic.help.as_deref().unwrap_or_default()
            )
        })
        .collect()
}

fn request<'a>(
    main: &SourceFile,
    loader: &'a mut Library,
    target: Option<&'a mut dyn Target>,
    layouts: &[(&str, &str)],
) -> Request<'a> {
    Request {
        main: main.clone(),
        loader,
        target,
        layouts: layouts
            .iter()
            .map(|(group, candidate)| ((*group).to_owned(), (*candidate).to_owned()))
            .collect(),
        defines: Vec::new(),
        arguments: Vec::new(),
        most_probes: ytrace_lang::check::MOST_PROBES,
    }
}

#[test]
fn every_analyzer_checks_without_a_target() {
    for main in probes() {
        let mut loader = Library(root().join("stdlib"));
        let typed =
            compile_typed(request(&main, &mut loader, None, &[])).expect("no options given");
        let errors = errors(&typed.checked.diagnostics, &typed.sources);
        assert!(errors.is_empty(), "{}:\n{errors}", main.name);
    }
}

/// What programs without debug information still export, and analyzers cannot do without.
const STRIPPED: &str = "int unrelated; void *PL_curinterp; char *PL_op_name[4]; unsigned PL_opargs[4]; \
                        char PL_WARN_ALL[8]; char PL_WARN_NONE[8]; \
                        void *malloc(unsigned long n); void *calloc(unsigned long n, unsigned long m); void *realloc(void *p, unsigned long n); \
                        void *aligned_alloc(unsigned long a, unsigned long n); int posix_memalign(void **p, unsigned long a, unsigned long n); \
                        void free(void *p); void *mmap(void *p, unsigned long n); int munmap(void *p, unsigned long n); \
                        void *mremap(void *p, unsigned long n, unsigned long m); void *ngx_create_pool(unsigned long n, void *log); \
                        void *lj_alloc_f(void *s, void *p, unsigned long n, unsigned long m); void ngx_destroy_pool(void *p); void ngx_reset_pool(void *p); void *ngx_palloc(void *p, unsigned long n); \
                        void *ngx_pnalloc(void *p, unsigned long n); void *ngx_pcalloc(void *p, unsigned long n); \
                        void *ngx_pmemalign(void *p, unsigned long n, unsigned long a); long ngx_pfree(void *p, void *q);";

#[test]
fn every_analyzer_compiles_with_every_layout() {
    for main in probes() {
        let mut candidates: Vec<(String, String)> = vec![Default::default()];
        let mut next = 0;
        while let Some((group, candidate)) = candidates.get(next).cloned() {
            next += 1;
            let mut loader = Library(root().join("stdlib"));
            let mut target = TestTarget::new(STRIPPED);
            let chosen = [(group.as_str(), candidate.as_str())];
            let chosen = if group.is_empty() { &[] } else { &chosen[..] };
            let compiled = match compile(request(&main, &mut loader, Some(&mut target), chosen)) {
                Ok(compiled) => compiled,
                Err(CompileError::Source(wrong)) => panic!(
                    "{} with {chosen:?}:\n{}",
                    main.name,
                    errors(&wrong.diagnostics, &wrong.sources)
                ),
                Err(error) => panic!("{}: {error:?}", main.name),
            };
            if let Err(error) = verify::verify(&compiled.program) {
                panic!("{} with {chosen:?}: {error:?}", main.name);
            }
            if group.is_empty() {
                for layout in &compiled.typed.layouts {
                    for candidate in &layout.candidates {
                        candidates.push((layout.group.clone(), candidate.clone()));
                    }
                }
            } else {
                let used = compiled
                    .typed
                    .layouts
                    .iter()
                    .find(|layout| layout.group == group)
                    .and_then(|layout| layout.candidate.clone());
                assert_eq!(used, Some(candidate));
            }
        }
    }
}
