//! Separate debug files: how they are found, refused and reported.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{Build, aggregate, field, find};
use ytrace_debuginfo::{
    DebugSource, Error, Found, Loader, Location, Module, NameKind, Origin, Outcome, TypeDesc,
};

const SOURCE: &str = "
    struct item { int key; struct item *next; };
    struct item *head;
    static int hidden_function(int x) { return x + (head != 0); }
    __attribute__((visibility(\"default\"))) int exported(int x) { return hidden_function(x) * 3; }
    int main(void) { return exported(2); }
";

fn strip(build: &Build, program: &str, debug: &str) {
    build.run("objcopy", &["--only-keep-debug", program, debug]);
    build.run("strip", &["--strip-all", program]);
}

fn build_id(module: &Module) -> String {
    module
        .build_id()
        .unwrap()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

fn found(module: &Module) -> Found {
    match &module.debug_status().unwrap().source {
        DebugSource::File { found, .. } => *found,
        DebugSource::None => panic!("nothing found: {:?}", module.debug_status()),
    }
}

fn has_item(module: &Module) {
    let item = aggregate(module, find(module, NameKind::Struct, "item"));
    assert_eq!(field(&item, "next").offset, 8);
    assert!(matches!(
        module.variable("head", None).unwrap().unwrap().location,
        Location::Address(_)
    ));
    // The symbol table of the debug file names static functions of the stripped module.
    let function = module.function("hidden_function", None).unwrap().unwrap();
    assert_eq!(
        module.symbolize(function.entry.unwrap()).name.as_deref(),
        Some("hidden_function")
    );
}

fn program(flags: &[&str]) -> Build {
    let build = Build::new(&[("prog.c", SOURCE)]);
    let mut arguments = vec!["-g", "-O0", "-rdynamic", "prog.c", "-o", "prog"];
    arguments.extend(flags);
    build.run("gcc", &arguments);
    build
}

#[test]
fn in_the_module_itself() {
    let build = program(&[]);
    let module = build.open("prog");
    assert_eq!(found(&module), Found::InModule);
    has_item(&module);
}

#[test]
fn by_build_id() {
    let build = program(&["-Wl,--build-id=sha1"]);
    strip(&build, "prog", "prog.debug");
    let id = build_id(&build.open("prog"));
    let dir = build.path("debug/.build-id").join(&id[..2]);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::copy(
        build.path("prog.debug"),
        dir.join(format!("{}.debug", &id[2..])),
    )
    .unwrap();
    let module = build.open("prog");
    assert_eq!(found(&module), Found::BuildId);
    has_item(&module);
    // Sections that only the debug file has are found there.
    assert!(module.section(".debug_line").unwrap().is_some());
    assert!(module.section(".eh_frame").unwrap().is_some());
}

#[test]
fn by_debug_link_in_each_place() {
    for place in ["", ".debug", "ROOT"] {
        let build = program(&["-Wl,--build-id=none"]);
        strip(&build, "prog", "prog.debug");
        build.run("objcopy", &["--add-gnu-debuglink=prog.debug", "prog"]);
        let below = build.dir.path().strip_prefix("/").unwrap();
        let dir = match place {
            "ROOT" => build.path("debug").join(below),
            other => build.path(other),
        };
        std::fs::create_dir_all(&dir).unwrap();
        if !place.is_empty() {
            std::fs::rename(build.path("prog.debug"), dir.join("prog.debug")).unwrap();
        }
        let module = build.open("prog");
        assert_eq!(found(&module), Found::DebugLink, "{place}");
        has_item(&module);
    }
}

#[test]
fn a_wrong_checksum_and_a_wrong_build_are_refused() {
    let build = program(&["-Wl,--build-id=sha1"]);
    strip(&build, "prog", "prog.debug");
    build.run("objcopy", &["--add-gnu-debuglink=prog.debug", "prog"]);
    let id = build_id(&build.open("prog"));
    let other = program(&["-Wl,--build-id=sha1", "-DOTHER", "-O2"]);
    let dir = build.path("debug/.build-id").join(&id[..2]);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::copy(other.path("prog"), dir.join(format!("{}.debug", &id[2..]))).unwrap();
    std::fs::copy(other.path("prog"), build.path("prog.debug")).unwrap();
    let module = build.open("prog");
    let status = module.debug_status().unwrap();
    assert_eq!(status.source, DebugSource::None);
    let outcomes: Vec<_> = status.attempts.iter().map(|a| a.outcome.clone()).collect();
    assert_eq!(outcomes[0], Outcome::OtherBuild);
    assert_eq!(outcomes[1], Outcome::WrongChecksum);
    assert!(outcomes[2..].iter().all(|o| *o == Outcome::Missing));
    // What is left are dynamic symbols without types.
    assert_eq!(
        module.find_type(NameKind::Struct, "item", None).unwrap(),
        None
    );
    let head = module.variable("head", None).unwrap().unwrap();
    assert_eq!(
        (head.ty, head.origin, head.size),
        (None, Origin::DynamicSymbols, Some(8))
    );
    let exported = module.function("exported", None).unwrap().unwrap();
    assert_eq!(exported.parameters, None);
    assert_eq!(
        module
            .symbolize(exported.entry.unwrap() + 2)
            .name
            .as_deref(),
        Some("exported")
    );
    assert_eq!(
        module.suggest(NameKind::Function, "exportd").unwrap(),
        ["exported"]
    );
}

#[test]
fn a_file_given_by_the_user_is_used_if_it_fits() {
    // Same code, other build-id: as when somebody rebuilds with the same compiler.
    let build = program(&["-Wl,--build-id=0x0102030405"]);
    build.run("cp", &["prog", "full"]);
    build.run(
        "gcc",
        &[
            "-g",
            "-O0",
            "-rdynamic",
            "prog.c",
            "-o",
            "rebuilt",
            "-Wl,--build-id=0x0908070605",
        ],
    );
    build.run(
        "objcopy",
        &["--only-keep-debug", "rebuilt", "rebuilt.debug"],
    );
    build.run("strip", &["--strip-all", "prog"]);
    for file in ["rebuilt", "rebuilt.debug"] {
        for name in ["prog".to_owned(), build.path("prog").display().to_string()] {
            let module = build
                .loader()
                .debug_file(&name, build.path(file))
                .open(&build.path("prog"))
                .unwrap();
            assert_eq!(found(&module), Found::Override);
            let status = module.debug_status().unwrap();
            assert_eq!(status.warnings.len(), 1);
            assert!(
                status.warnings[0].contains("build-id 0908070605"),
                "{:?}",
                status.warnings
            );
            has_item(&module);
        }
    }
    // The matching one gives no warning.
    let module = build
        .loader()
        .debug_file("prog", build.path("full"))
        .open(&build.path("prog"))
        .unwrap();
    assert!(module.debug_status().unwrap().warnings.is_empty());
}

#[test]
fn a_file_given_by_the_user_that_does_not_fit_is_an_error_that_says_why() {
    let build = program(&[]);
    build.run("strip", &["--strip-all", "prog"]);
    std::fs::write(build.path("other.c"), SOURCE.replace("* 3", "* 5 + x")).unwrap();
    build.run("gcc", &["-g", "-O0", "-rdynamic", "other.c", "-o", "other"]);
    build.run("objcopy", &["--only-keep-debug", "other", "other.debug"]);
    build.run("strip", &["-g", "-o", "nodebug", "other"]);
    for (file, word) in [
        ("other", "text"),
        ("other.debug", "text"),
        ("nodebug", "no debug information"),
    ] {
        let module = build
            .loader()
            .debug_file("prog", build.path(file))
            .open(&build.path("prog"))
            .unwrap();
        let error = module.debug_status().unwrap_err();
        let Error::Misfit {
            ref differences, ..
        } = error
        else {
            panic!("{file}: {error}")
        };
        assert!(
            differences.iter().any(|d| d.contains(word)),
            "{file}: {differences:?}"
        );
        // Types are refused with the same reason, names of symbols still work.
        assert!(module.find_type(NameKind::Struct, "item", None).is_err());
    }
    let module = build
        .loader()
        .debug_file("prog", build.path("absent"))
        .open(&build.path("prog"))
        .unwrap();
    assert!(matches!(module.debug_status(), Err(Error::Open { .. })));
}

#[test]
fn the_index_is_kept_read_again_and_rebuilt_when_damaged() {
    for id in ["-Wl,--build-id=sha1", "-Wl,--build-id=none"] {
        let build = program(&[id]);
        let cache = build.path("cache/deep/ytrace");
        let open = || {
            build
                .loader()
                .cache_dir(cache.clone())
                .open(&build.path("prog"))
                .unwrap()
        };
        let source = |module: &Module| {
            has_item(module);
            format!("{:?}", module.index_status().0)
        };
        assert_eq!(source(&open()), "Built { not_kept: None }");
        assert_eq!(
            std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(source(&open()), "Cached");
        let files: Vec<_> = std::fs::read_dir(&cache)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        let whole = std::fs::read(&files[0]).unwrap();
        for (at, what) in [
            (0, "magic"),
            (9, "version"),
            (30, "fingerprint"),
            (whole.len() / 2, "body"),
        ] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            std::fs::write(&files[0], &bytes).unwrap();
            assert_eq!(source(&open()), "Built { not_kept: None }", "{what}");
            assert_eq!(source(&open()), "Cached");
        }
        std::fs::write(&files[0], &whole[..whole.len() / 3]).unwrap();
        assert_eq!(source(&open()), "Built { not_kept: None }");
        std::fs::write(&files[0], b"").unwrap();
        assert_eq!(source(&open()), "Built { not_kept: None }");
        // An index of another file under this file's name.
        std::fs::write(
            build.path("other.c"),
            SOURCE.replace("int key;", "long key[9];"),
        )
        .unwrap();
        build.run("gcc", &["-g", "other.c", "-o", "prog", id]);
        assert!(matches!(
            source_of_other(&open()).as_str(),
            "Built { not_kept: None }"
        ));
        // A directory that others may write to is not used.
        std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
        for entry in std::fs::read_dir(&cache).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let status = source_of_other(&open());
        assert!(status.contains("not_kept: Some"), "{status}");
    }
}

fn source_of_other(module: &Module) -> String {
    let item = aggregate(module, find(module, NameKind::Struct, "item"));
    assert_eq!(field(&item, "next").offset, 72);
    format!("{:?}", module.index_status().0)
}

#[test]
fn no_debug_information_at_all() {
    let build = program(&["-Wl,--build-id=none"]);
    build.run("strip", &["--strip-all", "prog"]);
    let module = build.open("prog");
    assert_eq!(module.debug_status().unwrap().source, DebugSource::None);
    assert_eq!(module.index_size().unwrap(), (0, 0));
    assert!(module.units().unwrap().is_empty());
    assert!(module.symbolize(0).name.is_none());
    assert!(module.describe(ytrace_debuginfo::TypeRef::VOID).is_err());
}

#[test]
fn files_that_are_no_modules() {
    let build = Build::new(&[("text", "hello"), ("empty", "")]);
    let loader = Loader::default();
    for name in ["text", "empty"] {
        assert!(
            matches!(loader.open(&build.path(name)), Err(Error::Elf { .. })),
            "{name}"
        );
    }
    assert!(matches!(
        loader.open(&build.path("absent")),
        Err(Error::Open { .. })
    ));
    assert!(matches!(
        loader.open(build.dir.path()),
        Err(Error::NotRegular { .. })
    ));
    assert!(matches!(
        loader.open(Path::new("/dev/null")),
        Err(Error::NotRegular { .. })
    ));
    build.run(
        "gcc",
        &["-g", "-c", "-x", "c", "/dev/null", "-o", "object.o"],
    );
    assert!(matches!(
        loader.open(&build.path("object.o")),
        Err(Error::Elf { .. })
    ));
}

#[test]
fn dwz_moves_types_to_another_file() {
    if std::process::Command::new("dwz")
        .arg("--version")
        .output()
        .is_err()
    {
        common::skip("dwz_moves_types_to_another_file", "dwz is not installed");
        return;
    }
    let shared: String = (0..60).fold(String::from("#pragma once\n"), |text, i| {
        text + &format!(
            "struct shared_{i} {{ long a_{i}; int b_{i}[{}]; struct shared_{i} *next; }};\n",
            i + 1
        )
    });
    let users: String = (0..60).fold(String::new(), |text, i| {
        text + &format!("struct shared_{i} v_{i};\n")
    });
    let main = format!("#include \"shared.h\"\n{users}int main(void) {{ return 0; }}\n");
    let second = format!("#include \"shared.h\"\n{}", users.replace(" v_", " w_"));
    let build = Build::new(&[
        ("shared.h", &shared),
        ("main.c", &main),
        ("second.c", &second),
    ]);
    for (name, flag) in [("one", "-DONE"), ("two", "-DTWO")] {
        build.run("gcc", &["-g", flag, "main.c", "second.c", "-o", name]);
    }
    for dwarf5 in [false, true] {
        for name in ["one", "two"] {
            std::fs::copy(build.path(name), build.path(&format!("{name}.z"))).unwrap();
        }
        let mut arguments = vec!["-m", "common.debug", "-M", "common.debug", "one.z", "two.z"];
        if dwarf5 {
            arguments.insert(0, "--dwarf-5");
        }
        build.run("dwz", &arguments);
        let module = build.open("one.z");
        let status = module.debug_status().unwrap();
        let sup = status
            .supplementary
            .as_ref()
            .expect("dwz made a common file");
        assert!(sup.path.is_some(), "{sup:?}");
        for i in 0..60 {
            let name = format!("shared_{i}");
            let ty = find(&module, NameKind::Struct, &name);
            assert_eq!(
                aggregate(&module, ty).size,
                16 + (4 * (i + 1) as u64).next_multiple_of(8),
                "{name}"
            );
            let variable = module.variable(&format!("v_{i}"), None).unwrap().unwrap();
            assert!(matches!(
                module.describe(variable.ty.unwrap()).unwrap(),
                TypeDesc::Struct(_)
            ));
            // The compile unit sees the type through its imports.
            assert!(
                module
                    .find_type(NameKind::Struct, &name, Some("second.c"))
                    .unwrap()
                    .is_some()
            );
        }
        // Without the common file, its absence is reported and nothing crashes.
        std::fs::rename(build.path("common.debug"), build.path("gone")).unwrap();
        let module = build.open("one.z");
        let status = module.debug_status().unwrap();
        assert_eq!(status.supplementary.as_ref().unwrap().path, None);
        let _ = module.variable("v_3", None);
        std::fs::rename(build.path("gone"), build.path("common.debug")).unwrap();
    }
}
