//! Names as programmers wrote them.

/// Longer names are shown as they are: demangling can expand a name manifold.
const MAX_MANGLED: usize = 4 << 10;
const MAX_DEMANGLED: usize = 16 << 10;

/// The C++ or Rust name behind a linker's name; C names come back unchanged.
pub(crate) fn demangle(name: &str) -> String {
    demangled(name).unwrap_or_else(|| name.to_owned())
}

fn demangled(name: &str) -> Option<String> {
    if name.len() > MAX_MANGLED {
        return None;
    }
    // gcc's clones (`f.part.0`, `f.cold`) keep their suffix.
    let (stem, suffix) = match name
        .find(".part.")
        .or_else(|| name.find(".cold"))
        .or_else(|| name.find(".constprop"))
    {
        Some(at) if name.starts_with("_Z") => name.split_at(at),
        _ => (name, ""),
    };
    if let Ok(rust) = rustc_demangle::try_demangle(stem) {
        // The alternate form leaves out the hash.
        return Some(limited(format_args!("{rust:#}"))? + suffix);
    }
    if stem.starts_with("_Z") || stem.starts_with("__Z") {
        let symbol = cpp_demangle::Symbol::new(stem.as_bytes()).ok()?;
        let options = cpp_demangle::DemangleOptions::default().recursion_limit(96);
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
    use super::demangle;

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
