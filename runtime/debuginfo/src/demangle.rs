//! Names as programmers wrote them.

use std::borrow::Cow;

/// Longer names are shown as they are: demangling can expand a name manifold.
const MAX_MANGLED: usize = 4 << 10;
const MAX_DEMANGLED: usize = 16 << 10;

/// The C++ or Rust name behind a linker's name; C names come back unchanged.
pub(crate) fn demangle(name: &str) -> String {
    demangled(name).unwrap_or_else(|| name.to_owned())
}

/// The same without the result, which the names of templates begin with; C names come back unchanged.
pub(crate) fn with_parameters(name: &str) -> String {
    let plain = |options: cpp_demangle::DemangleOptions| options.no_return_type();
    demangled_as(name, plain).unwrap_or_else(|| name.to_owned())
}

/// The same without parameters and result, as debug information names functions; C names come back unchanged.
pub(crate) fn qualified(name: &str) -> Cow<'_, str> {
    let plain = |options: cpp_demangle::DemangleOptions| options.no_params().no_return_type();
    match demangled_as(name, plain) {
        Some(name) => Cow::Owned(name),
        None => Cow::Borrowed(name),
    }
}

/// Splits what a compiler added to the name of a copy or a part of a function from it: `f.part.0`, `f.constprop.0.isra.0`, `f.cold`,
/// `f.llvm.123`, `f [clone .cold]`.
pub(crate) fn split_clone(name: &str) -> (&str, &str) {
    const MARKS: [&str; 8] = [
        ".part.",
        ".constprop.",
        ".isra.",
        ".cold",
        ".lto_priv.",
        ".llvm.",
        ".localalias",
        ".specialized.",
    ];
    let first = MARKS.iter().filter_map(|mark| name.find(mark)).min();
    match first.filter(|&at| at > 0) {
        Some(at) => name.split_at(at),
        None => (name, ""),
    }
}

fn demangled(name: &str) -> Option<String> {
    demangled_as(name, |options| options)
}

fn demangled_as(
    name: &str,
    form: impl Fn(cpp_demangle::DemangleOptions) -> cpp_demangle::DemangleOptions,
) -> Option<String> {
    if name.len() > MAX_MANGLED {
        return None;
    }
    // gcc's clones (`f.part.0`, `f.cold`) keep their suffix.
    let (stem, suffix) = if name.starts_with("_Z") {
        split_clone(name)
    } else {
        (name, "")
    };
    if let Ok(rust) = rustc_demangle::try_demangle(stem) {
        // The alternate form leaves out the hash.
        return Some(limited(format_args!("{rust:#}"))? + suffix);
    }
    if stem.starts_with("_Z") || stem.starts_with("__Z") {
        let symbol = cpp_demangle::Symbol::new(stem.as_bytes()).ok()?;
        let options = form(cpp_demangle::DemangleOptions::default().recursion_limit(96));
        let text = symbol.demangle_with_options(&options).ok()?;
        return (text.len() <= MAX_DEMANGLED).then(|| text + suffix);
    }
    None
}

/// Formats into a string of limited size.
fn limited(arguments: std::fmt::Arguments<'_>) -> Option<String> {
    struct Limited(String);
    impl std::fmt::Write for Limited {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            if self.0.len() + text.len() > MAX_DEMANGLED {
                return Err(std::fmt::Error);
            }
            self.0.push_str(text);
            Ok(())
        }
    }
    let mut out = Limited(String::new());
    std::fmt::Write::write_fmt(&mut out, arguments).ok()?;
    Some(out.0)
}

#[cfg(test)]
mod tests {
    use super::{demangle, qualified, split_clone, with_parameters};

    #[test]
    fn names_without_parameters() {
        assert_eq!(qualified("ngx_alloc"), "ngx_alloc");
        assert_eq!(qualified("_ZN3foo3barEi"), "foo::bar");
        assert_eq!(qualified("_ZN3foo3barEi.cold"), "foo::bar.cold");
        assert_eq!(qualified("_Z3maxIiET_S0_S0_"), "max<int>");
        assert_eq!(qualified("_ZN1AclEv"), "A::operator()");
        assert_eq!(demangle("_Z3maxIiET_S0_S0_"), "int max<int>(int, int)");
        assert_eq!(with_parameters("_Z3maxIiET_S0_S0_"), "max<int>(int, int)");
        assert_eq!(with_parameters("ngx_alloc"), "ngx_alloc");
    }

    #[test]
    fn clones() {
        assert_eq!(split_clone("f"), ("f", ""));
        assert_eq!(split_clone("f.part.0"), ("f", ".part.0"));
        assert_eq!(
            split_clone("f.constprop.0.isra.1"),
            ("f", ".constprop.0.isra.1")
        );
        assert_eq!(split_clone("f.cold"), ("f", ".cold"));
        assert_eq!(split_clone("a.b"), ("a.b", ""));
    }

    #[test]
    fn c_cpp_and_rust() {
        assert_eq!(demangle("ngx_alloc"), "ngx_alloc");
        assert_eq!(demangle("_ZN3foo3barEi"), "foo::bar(int)");
        assert_eq!(demangle("_ZN3foo3barEi.cold"), "foo::bar(int).cold");
        assert_eq!(
            demangle("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"),
            "core::fmt::Write::write_fmt"
        );
        assert_eq!(demangle("_Z"), "_Z");
    }
}
