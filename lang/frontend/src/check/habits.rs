//! What stands here for what other languages have: help for names that nothing declares.

use super::builtins;

/// What to write instead of a function of C or of another language.
pub(super) fn function(name: &str) -> Option<String> {
    let help = match name {
        "strcpy" | "strncpy" | "stpcpy" | "strlcpy" | "strdup" | "strndup" => {
            "a `_str` is copied by `=`; `_tostr(p)` copies text of the target, `_tostr(p, n)` n bytes of it"
        }
        "strcat" | "strncat" | "strlcat" => "`+` joins strings: `s + t`",
        "memcpy" | "memmove" | "mempcpy" | "bcopy" => {
            "a struct is copied by `=`, bytes of the target by `_tostr(p, n)`"
        }
        "memset" | "bzero" | "explicit_bzero" => {
            "variables start at zero; later, assign to members, or a whole `(struct s) { 0 }`"
        }
        "snprintf" | "vsprintf" | "vsnprintf" | "asprintf" | "format" => {
            "`sprintf(format, …)` gives a `_str`"
        }
        "fprintf" | "dprintf" | "vprintf" | "vfprintf" | "fputs" | "fputc" | "putchar" | "putc"
        | "fwrite" | "write" | "println" | "echo" => {
            "`printf(format, …)` and `puts(s)` print, `_warn(format, …)` goes to standard error"
        }
        "print" => "`printf(format, …)` and `puts(s)` print; did you mean `_print`?",
        "perror" | "warnx" => "`_warn(format, …)` writes to standard error",
        "exit" | "_Exit" | "quick_exit" | "quit" => {
            "`_exit()` ends the session after `_end`, `_error(format, …)` as a failure"
        }
        "abort" => "`_error(format, …)` ends the session as a failure",
        "malloc" | "calloc" | "realloc" | "alloca" | "mmap" => {
            "nothing is allocated by hand: `T a[];` is an array that grows, `T a[K];` a table"
        }
        "free" | "munmap" => "nothing needs to be freed; `_clear(a)` empties a container",
        "strstr" | "strcasestr" | "memmem" | "strchr" | "strrchr" | "memchr" | "strpbrk" => {
            "`_contains(s, part)` says whether it is there, `s ~~ rx/(…)/` also where"
        }
        "strtok" | "strtok_r" | "strsep" => {
            "`_chop_token(s, delimiters)` takes the first token off a `_str`"
        }
        "strcasecmp" | "strncasecmp" => "a regex can ignore case: `s ~~ rx/(?i)^text$/`",
        "atoi" | "atol" | "atoll" | "strtol" | "strtoul" | "strtoll" | "strtoull" => {
            "`_strtol(s)` or `_strtol(s, base)`"
        }
        "strnlen" => "`strlen(p)` is bounded; `_len(s)` is the length of a `_str`",
        "abs" | "labs" | "llabs" => "write `x < 0 ? -x : x`",
        "min" | "max" => "of two numbers: `a < b ? a : b`; of a container: `_min(c)`, `_max(c)`",
        "qsort" => "`_sort(a _by x.member)` sorts an array",
        "rand" | "random" | "drand48" => "`_randint(limit)` is a number below a limit",
        "time" | "gettimeofday" | "clock_gettime" | "clock" => {
            "`_now_s()`, `_now_ms()`, `_now_us()` and `_now_ns()` tell the time"
        }
        "sleep" | "usleep" | "nanosleep" => "`_probe _timer.s(1) { … }` runs once a second",
        "backtrace" | "stack" | "bt" | "ubt" | "ustack" | "kstack" => {
            "`_ubt()` is the stack of a thread, a `_path`"
        }
        "usym" | "sym" => "`_usym(p)` names an address",
        "count" => "`_count(c)`; a table of numbers counts by `t[key]++`",
        "len" | "length" | "size" => "`_len(s)` of a string, `_elems(c)` of a container",
        "append" | "push_back" => "`_push(a, value)`",
        "pop_back" => "`_pop(a)`",
        "hist" | "lhist" => {
            "`_agg a; a <<< value;` collects values, and a `histogram` view or `_hist_log(a)` shows them"
        }
        "throw" => "`_raise(format, …)` raises a fault",
        _ => return builtin(name),
    };
    Some(help.to_owned())
}

/// The built-in function that a name is without its underscore.
fn builtin(name: &str) -> Option<String> {
    let word = format!("_{name}");
    let known = builtins::find(&word).is_some() || matches!(name, "sort" | "container_of");
    known.then(|| format!("did you mean `{word}`?"))
}

/// What to write instead of a name that is no variable.
pub(super) fn value(name: &str) -> Option<String> {
    let help = match name {
        "nullptr" | "Null" | "null" | "nil" | "None" | "undef" | "undefined" => "write `NULL`",
        "True" | "TRUE" | "YES" => "write `true`",
        "False" | "FALSE" | "NO" => "write `false`",
        "stdout" | "stderr" => {
            "`printf(format, …)` prints to standard output, `_warn(format, …)` to standard error"
        }
        "str" | "path" | "agg" => return ty(name),
        "pid" | "tid" => return Some(format!("did you mean `_{name}()`?")),
        "comm" | "execname" => "did you mean `_execname()`?",
        "nsecs" => "did you mean `_now_ns()`?",
        _ => return None,
    };
    Some(help.to_owned())
}

/// What to write instead of a name that is no type.
pub(super) fn ty(name: &str) -> Option<String> {
    let meant = match name {
        "str" | "string" | "String" => "_str",
        "path" => "_path",
        "agg" => "_agg",
        "fault" => "_fault",
        "bool" | "boolean" | "Bool" => "_Bool",
        "u8" | "byte" | "uint8" => "uint8_t",
        "u16" | "uint16" => "uint16_t",
        "u32" | "uint32" => "uint32_t",
        "u64" | "uint64" | "ulong" => "uint64_t",
        "i8" | "s8" | "int8" => "int8_t",
        "i16" | "s16" | "int16" => "int16_t",
        "i32" | "s32" | "int32" => "int32_t",
        "i64" | "s64" | "int64" => "int64_t",
        "usize" => "size_t",
        "isize" => "ssize_t",
        "uint" => "unsigned",
        "f32" => "float",
        "f64" => "double",
        "let" | "var" | "def" | "my" | "local" | "mut" => {
            return Some(
                "a declaration begins with a type: `long n = 1;`, `_str s;`, `typeof(x) y = x;`"
                    .to_owned(),
            );
        }
        "fn" | "func" | "function" | "sub" => {
            return Some(
                "a function begins with the type that it returns: `long f(int n) { … }`".to_owned(),
            );
        }
        "delete" => return Some("did you mean `_delete t[key];`?".to_owned()),
        "probe" | "uprobe" | "kprobe" => {
            return Some("did you mean `_probe _oneshot { … }`?".to_owned());
        }
        "raise" | "throw" => return Some("did you mean `_raise(format, …);`?".to_owned()),
        _ => return None,
    };
    Some(format!("did you mean `{meant}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_functions_that_are_named_exist() {
        for name in [
            "strcpy", "exit", "strtok", "qsort", "len", "time", "count", "ubt",
        ] {
            let help = function(name).unwrap();
            for part in help.split('`').skip(1).step_by(2) {
                let word: String = part
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                if word.starts_with('_')
                    && part.contains('(')
                    && word != "_sort"
                    && word != "_probe"
                {
                    assert!(builtins::find(&word).is_some(), "{name}: {word}");
                }
            }
        }
        assert_eq!(function("push"), Some("did you mean `_push`?".to_owned()));
        assert_eq!(function("walk_pools"), None);
    }
}
