//! Debug information as distributions ship it: Debian's for the C library and for perl (with dwz).

mod common;

use std::path::Path;

use common::{aggregate, field, find, plain};
use ytrace_debuginfo::{DebugSource, Loader, Location, Module, NameKind, TypeDesc};

/// The module with its debug information, or `None`, said loudly, where that is not installed.
fn open(path: &str, package: &str) -> Option<Module> {
    let module = Path::new(path)
        .exists()
        .then(|| Loader::default().open(Path::new(path)).unwrap());
    let module = module.filter(|m| m.debug_status().unwrap().source != DebugSource::None);
    if module.is_none() {
        common::skip(path, &format!("no debug information; install {package}"));
    }
    module
}

#[test]
fn the_c_library() {
    let path = "/lib/x86_64-linux-gnu/libc.so.6";
    let Some(module) = open(path, "libc6-dbg") else {
        return;
    };
    assert_eq!(module.soname(), Some("libc.so.6"));
    let state = find(&module, NameKind::Struct, "malloc_state");
    // The layout differs between versions; 2.36 is known.
    let bytes = std::fs::read(path).unwrap();
    let version = b"GNU C Library (Debian GLIBC 2.36";
    if bytes.windows(version.len()).any(|w| w == version) {
        assert_eq!(module.size_of(state).unwrap(), Some(2200));
        assert_eq!(field(&aggregate(&module, state), "system_mem").offset, 2184);
    } else {
        common::skip(
            "the_c_library",
            "sizes are those of version 2.36, this is another",
        );
    }
    let arena = module.variable("main_arena", None).unwrap().unwrap();
    let Location::Address(address) = arena.location else {
        panic!("{arena:?}")
    };
    assert_eq!(arena.size, module.size_of(state).unwrap());
    assert_eq!(
        module.symbolize_data(address + 8).unwrap().name,
        "main_arena"
    );
    assert_eq!(arena.unit.as_deref(), Some("malloc.c"));
    // `malloc` is an alias of `__libc_malloc`, which the debug information knows.
    let malloc = module.function("malloc", None).unwrap().unwrap();
    assert_eq!(
        malloc.entry,
        Some(module.symbols_named("malloc")[0].address)
    );
    assert_eq!(malloc.parameters.unwrap()[0].name.as_deref(), Some("bytes"));
    assert_eq!(malloc.unit.as_deref(), Some("malloc.c"));
    // gcc split this one in two; the symbol tells which part is the function.
    let info = module.function("__malloc_info", None).unwrap().unwrap();
    assert!(
        module
            .symbols_named("__malloc_info")
            .iter()
            .any(|s| Some(s.address) == info.entry)
    );
    // `environ` is an alias of `__environ`.
    let environ = module.variable("environ", None).unwrap().unwrap();
    assert_eq!(
        environ.location,
        Location::Address(module.symbols_named("__environ")[0].address)
    );
    assert!(matches!(
        module.variable("errno", None).unwrap().unwrap().location,
        Location::ThreadLocal(_)
    ));
    // Versions: `memcpy` has two, the default one comes first.
    let versions = module.symbols_named("memcpy");
    assert!(versions.len() >= 2, "{versions:?}");
    assert!(versions[0].version.as_ref().unwrap().1);
    let old = module.symbols_named("memcpy@GLIBC_2.2.5");
    assert_eq!(old.len(), 1);
    assert_eq!(old[0].version, Some(("GLIBC_2.2.5".to_owned(), false)));
    assert!(module.function("memcpy", None).unwrap().unwrap().indirect);
}

#[test]
fn perl_with_its_supplementary_file() {
    let Some(module) = open("/usr/bin/perl", "perl-debug") else {
        return;
    };
    let status = module.debug_status().unwrap();
    let sup = status
        .supplementary
        .as_ref()
        .expect("Debian's perl-debug is compressed by dwz");
    assert!(sup.path.is_some(), "{sup:?}");
    assert!(module.index_size().unwrap().0 > 1000);
    assert_eq!(module.index_status().1, Vec::<String>::new());

    let sv = aggregate(&module, find(&module, NameKind::Struct, "sv"));
    assert_eq!(sv.size, 24);
    let offsets: Vec<_> = sv
        .fields
        .iter()
        .map(|f| (f.name.as_deref().unwrap(), f.offset))
        .collect();
    assert_eq!(
        offsets,
        [
            ("sv_any", 0),
            ("sv_refcnt", 8),
            ("sv_flags", 12),
            ("sv_u", 16)
        ]
    );
    let interpreter = find(&module, NameKind::Typedef, "PerlInterpreter");
    let interpreter = aggregate(&module, interpreter);
    assert!(interpreter.size > 2000 && interpreter.fields.len() > 200);
    field(&interpreter, "Isv_root");
    // Base types live in the supplementary file.
    let TypeDesc::Base { size: 4, .. } = plain(&module, field(&sv, "sv_flags").ty) else {
        panic!("sv_flags is no number")
    };
    let new = module.function("Perl_newSV", None).unwrap().unwrap();
    assert_eq!(new.unit.as_deref(), Some("sv.c"));
    let code = module.symbolize(new.entry.unwrap());
    assert_eq!(code.name.as_deref(), Some("Perl_newSV"));
    assert!(code.location.unwrap().file.ends_with("sv.c"));

    // Everything that the index lists can be described.
    let mut described = 0;
    for kind in [
        NameKind::Struct,
        NameKind::Union,
        NameKind::Enum,
        NameKind::Typedef,
        NameKind::Base,
    ] {
        for name in module.names(kind).unwrap() {
            if let Ok(Some(ty)) = module.find_type(kind, &name, None) {
                module
                    .describe(ty)
                    .unwrap_or_else(|e| panic!("{name}: {e}"));
                module.size_of(ty).unwrap_or_else(|e| panic!("{name}: {e}"));
                described += 1;
            }
        }
    }
    assert!(described > 400, "{described}");
}
