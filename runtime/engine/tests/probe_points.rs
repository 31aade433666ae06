//! Which functions of a real program a probe is on: as dynamic linking binds a name, by module, by pattern.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ytrace_lang::hir::{EventFunction, EventSite, ProbePoint};
use ytrace_lang::source::SourceFile;
use ytrace_runtime::{Options, Session, SessionError, Sink};
use ytrace_target::Process;

/// The first of the libraries: its `twin` and `own` are its own affair.
const FIRST: &str = r#"
__attribute__((noinline)) static int twin(int of_first) { return of_first + 1; }
int from_first(int n) { return twin(n); }
int from_both(long *p) { return *p > 3; }
"#;

const SECOND: &str = r#"
int twin(int of_second) { return of_second * 2; }
int own(int n) { return n * 3; }
int from_second(int n) { return twin(n) + own(n); }
int from_both(long *p) { return *p > 4; }
"#;

/// Prints where the functions are that a probe should be on, and waits for its standard input to end.
const PROGRAM: &str = r#"
#include <stdio.h>
int twin(int), from_first(int), from_second(int), from_both(long *);
__attribute__((noinline)) static int own(int of_program) { return of_program - 1; }
struct pair { long a, b; };
struct pair paired(struct pair p, __int128 wide, double complex_looking, ...) { p.a += wide + complex_looking; return p; }
int main(void)
{
    struct pair p = paired((struct pair) { 1, 2 }, 3, 4.5);
    printf("twin %lu\nown %lu\nfrom_first %lu\nfrom_second %lu\nfrom_both %lu\npaired %lu\nready\n", (long) twin, (long) own, (long) from_first,
           (long) from_second, (long) from_both, (long) paired);
    fflush(stdout);
    return getchar() + own(p.a) + twin(1) + from_first(1) + from_second(1);
}
"#;

struct Target(Child);

impl Target {
    /// Builds and starts the program; also the addresses that it prints.
    fn start(directory: &Path) -> (Self, HashMap<String, u64>) {
        let build = |name: &str, text: &str, more: &[&str]| {
            let source = directory.join(format!("{name}.c"));
            std::fs::write(&source, text).unwrap();
            let built = Command::new("cc")
                .current_dir(directory)
                .args(["-g", "-O1", "-w", "-o", name])
                .arg(&source)
                .args(more)
                .status()
                .unwrap();
            assert!(built.success(), "{name} does not build");
        };
        build("libfirst.so", FIRST, &["-shared", "-fPIC"]);
        build("libsecond.so", SECOND, &["-shared", "-fPIC"]);
        build("program", PROGRAM, &["./libfirst.so", "./libsecond.so"]);
        let mut child = Command::new(directory.join("program"))
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let target = Self(child);
        let addresses = lines
            .map(|line| line.unwrap())
            .take_while(|line| line != "ready")
            .map(|line| {
                let (name, address) = line.split_once(' ').unwrap();
                (name.to_owned(), address.parse().unwrap())
            })
            .collect();
        (target, addresses)
    }

    /// The functions of each probe of a program, or what is wrong with it.
    fn functions(&self, probes: &str) -> Result<Vec<Vec<EventFunction>>, String> {
        let process = Process::open(i32::try_from(self.0.id()).unwrap()).unwrap();
        let options = Options::default();
        let mut session = Session::open(process, &options).unwrap();
        let compiled =
            session
                .check(main_file(probes), &mut Nobody)
                .map_err(|error| match error {
                    SessionError::Source { errors } => {
                        let shown = errors.diagnostics.iter();
                        shown
                            .map(|one| format!("{}: {:?}\n", one.message, one.help))
                            .collect()
                    }
                    other => other.to_string(),
                })?;
        let probes = compiled.typed.probes.iter();
        Ok(probes
            .map(|probe| match &probe.point {
                ProbePoint::Event(event) => match &event.site {
                    EventSite::Functions(functions) => functions.clone(),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            })
            .collect())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

struct Nobody;

impl Sink for Nobody {
    fn begin(&mut self, _: bool) {}
    fn text(&mut self, _: &[u8]) {}
    fn warn(&mut self, _: &str) {}
    fn progress(&mut self, _: &str) {}
}

fn main_file(text: &str) -> SourceFile {
    SourceFile {
        name: "test.y".to_owned(),
        text: text.into(),
        library: false,
    }
}

#[test]
fn a_name_means_what_dynamic_linking_binds_it_to() {
    let directory = tempfile::tempdir().unwrap();
    let (target, addresses) = Target::start(directory.path());
    let found = target
        .functions(
            "_probe twin(int of_second) { printf(\"%d\", of_second); }\n\
             _probe twin(...) -> r { printf(\"%d %d\", of_second, r); }\n\
             _probe own(...) { printf(\"%d\", of_program); }\n\
             _probe libfirst.so::twin(...) { printf(\"%d\", of_first); }\n\
             _probe libsecond.so::own(int n) { printf(\"%d\", n); }\n\
             _probe _func(\"from_both\")(long *p) -> int r { printf(\"%d\", r); }\n\
             _probe paired(struct pair p, __int128 wide, double c) -> r { printf(\"%ld %ld %g\", p.a, r.b, c); }\n"
                .replace("__int128 wide", "struct pair wide")
                .as_str(),
        )
        .unwrap();
    let of = |index: usize| {
        let functions: &[EventFunction] = &found[index];
        assert_eq!(functions.len(), 1);
        functions[0].address
    };
    assert_eq!(of(0), addresses["twin"]);
    assert_eq!(of(1), addresses["twin"]);
    assert_eq!(of(2), addresses["own"]);
    assert_ne!(of(3), addresses["twin"]);
    assert_eq!(found[3][0].module, {
        let first = target.functions("_probe from_first { }").unwrap();
        first[0][0].module
    });
    assert_ne!(of(4), addresses["own"]);
    assert_eq!(of(5), addresses["from_both"]);
    assert_eq!(of(6), addresses["paired"]);
}

#[test]
fn a_pattern_means_each_name_once() {
    let directory = tempfile::tempdir().unwrap();
    let (target, addresses) = Target::start(directory.path());
    let found = target
        .functions(
            "_probe `from_*` { printf(\"%s\", _func()); }\n\
             _probe libsecond.so::`from_*` { }\n\
             _probe `from_?????`(int n) { printf(\"%d\", n); }\n",
        )
        .unwrap();
    let names = |index: usize| -> Vec<&str> {
        let functions: &[EventFunction] = &found[index];
        let mut names: Vec<&str> = functions.iter().map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(0), ["from_both", "from_first", "from_second"]);
    for function in &found[0] {
        assert_eq!(function.address, addresses[&function.name]);
    }
    assert_eq!(names(1), ["from_both", "from_second"]);
    let both = found[1].iter().find(|one| one.name == "from_both").unwrap();
    assert_ne!(both.address, addresses["from_both"]);
    assert_eq!(names(2), ["from_first"]);
    let wrong = |probe: &str| target.functions(probe).unwrap_err();
    let different = wrong("_probe `from_*`(...) { printf(\"%d\", n); }");
    assert!(different.contains("different parameters"), "{different}");
    let none = wrong("_probe `from_firsts*` { }");
    assert!(
        none.contains("no function matches") && none.contains("from_first"),
        "{none}"
    );
    let many = wrong("_probe `*` { }");
    assert!(
        many.contains("are the most") || many.contains("functions"),
        "{many}"
    );
    let close = wrong("_probe from_secnd(int n) { }");
    assert!(close.contains("from_second"), "{close}");
    let mismatch = wrong("_probe paired(long p) { printf(\"%d\", p); }");
    assert!(
        mismatch.contains("`p` of `paired` is `struct pair`"),
        "{mismatch}"
    );
}
