//! Arguments and results of classes of C++ that are passed by reference, though the source says by value.

use std::process::Command;

use ytrace_tests::program::run;
use ytrace_tests::tracing::says;

const CLASSES: &str = r#"
#include <cstdio>
#include <memory>
#include <string>
struct Guard { int held; ~Guard(); };
__attribute__((noinline)) Guard::~Guard() { __asm__ volatile("" : : : "memory"); }
struct Pair { int a; Guard g; };
struct Defaulted { long n; ~Defaulted() = default; Defaulted(const Defaulted &) = default; Defaulted(long n) : n(n) {} };
struct Virtual { long n; virtual long get() { return n; } Virtual(long n) : n(n) {} };
struct Copied { long n; Copied(long n) : n(n) {} Copied(const Copied &other) : n(other.n) {} };
struct Moved { long n; Moved(long n) : n(n) {} Moved(const Moved &) = delete; Moved(Moved &&) = default; };
struct Plain { long n; long get() const { return n; } };
#define OUT extern "C" __attribute__((noinline))
OUT long f_string(std::string s, long n) { return s.size() + n; }
OUT long f_unique(std::unique_ptr<long> p, long n) { return *p + n; }
OUT long f_pair(Pair p, Defaulted d, Virtual v) { return p.a + p.g.held + d.n + v.get(); }
OUT long f_moved(Copied c, Moved m, Plain p) { return c.n + m.n + p.get(); }
OUT long f_seventh(long a, long b, long c, long d, long e, long f, Guard g) { return a + b + c + d + e + f + g.held; }
OUT Guard f_guard(int n) { return Guard{n}; }
OUT Plain f_plain(long n) { return Plain{n}; }
int main() {
    long sum = f_string("hello", 2) + f_unique(std::make_unique<long>(40), 2) + f_pair(Pair{1, {2}}, Defaulted{3}, Virtual{4});
    sum += f_moved(Copied{5}, Moved{6}, Plain{7}) + f_seventh(1, 2, 3, 4, 5, 6, Guard{8}) + f_guard(9).held + f_plain(10).n;
    std::printf("%ld\n", sum);
}
"#;

const PROBES: &str = r#"
    _probe f_string(...) { printf("string %s %d\n", s._M_dataplus._M_p, n); }
    _probe f_unique(...) { printf("unique %d\n", n); }
    _probe f_pair(...) { printf("pair %d %d %d %d\n", p.a, p.g.held, d.n, v.n); }
    _probe f_moved(...) { printf("moved %d %d %d\n", c.n, m.n, p.n); }
    _probe f_seventh(...) { printf("seventh %d %d\n", f, g.held); }
    _probe f_seventh(...) -> r { printf("returned %d %d %d\n", f, g.held, r); }
    _probe f_guard(...) -> r { printf("guard %d %d\n", n, r.held); }
    _probe f_plain(...) -> r { printf("plain %d %d\n", n, r.n); }
"#;

#[test]
fn classes_that_cannot_be_copied_as_bytes_are_read_through_their_pointer() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("classes.cc");
    std::fs::write(&source, CLASSES).expect("it is written");
    for debug in ["-gdwarf-5", "-gdwarf-4"] {
        let program = folder.path().join("classes");
        let status = Command::new("g++")
            .args(["-O1", debug, "-std=c++17", "-o"])
            .args([&program, &source])
            .status()
            .expect("g++ runs");
        assert!(status.success());
        let program = program.to_str().expect("UTF-8");
        let finished = run(&["run", "-c", program, "-e", PROBES]).expect_status(0);
        let seen: Vec<&str> = finished
            .stdout
            .lines()
            .filter(|line| line.contains(' '))
            .collect();
        let expected = [
            "string hello 2",
            "unique 2",
            "pair 1 2 3 4",
            "moved 5 6 7",
            "seventh 6 8",
            "returned 6 8 29",
            "guard 9 9",
            "plain 10 10",
        ];
        assert_eq!(seen, expected, "{debug}: {finished}");
        // A number is no class that is passed by reference.
        let text = "_probe f_guard(int n) -> long r { printf(\"%d\", r); }";
        let refused = run(&["run", "-c", program, "-e", text]).expect_status(1);
        says(
            &refused,
            &["passed differently", "as its class is passed by reference"],
        );
    }
}
