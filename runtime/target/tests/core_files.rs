//! Core files: a hand-made one that is of this very program, and damaged ones.

use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use ytrace_target::{
    AddressSpace, CoreError, CoreFile, CoreModuleError, CoreOptions, MappingKind, Opening,
    PageOutcome, ReadError,
};

const BASE: u64 = 0x5555_0000_0000;
const STACK: u64 = 0x7fff_0000_0000;
/// The page size that the hand-made core file tells of.
const PAGE: usize = 8192;

fn push(bytes: &mut Vec<u8>, words: &[u64]) {
    for word in words {
        bytes.extend(word.to_ne_bytes());
    }
}

fn note(notes: &mut Vec<u8>, kind: u32, desc: &[u8]) {
    for word in [5u32, desc.len() as u32, kind] {
        notes.extend(word.to_ne_bytes());
    }
    notes.extend(b"CORE\0\0\0\0");
    notes.extend(desc);
    notes.resize(notes.len().next_multiple_of(4), 0);
}

/// A core file of a process that ran `program` at [`BASE`]: the first page of it and a page of stack are dumped.
fn core_of(program: &Path) -> Vec<u8> {
    let image = std::fs::read(program).unwrap();
    let length = image.len().next_multiple_of(PAGE) as u64;
    let mut notes = Vec::new();
    let mut status = vec![0u8; 112 + 34 * 8 + 8];
    status[12..14].copy_from_slice(&6i16.to_ne_bytes());
    status[32..36].copy_from_slice(&4243i32.to_ne_bytes());
    // The registers begin at 112, in the order of the kernel's `user_regs_struct` or `user_pt_regs`.
    let (pc, sp) = if cfg!(target_arch = "x86_64") {
        (16, 19)
    } else {
        (32, 31)
    };
    for (register, value) in [(pc, BASE + 16), (sp, STACK + 64)] {
        let at = 112 + register * 8;
        status[at..at + 8].copy_from_slice(&value.to_ne_bytes());
    }
    note(&mut notes, 1, &status);
    let mut info = vec![0u8; 136];
    info[24..28].copy_from_slice(&4242i32.to_ne_bytes());
    info[40..45].copy_from_slice(b"hello");
    info[56..63].copy_from_slice(b"hello 1");
    note(&mut notes, 3, &info);
    let headers = u64::from(u16::from_ne_bytes(image[56..58].try_into().unwrap()));
    let mut auxv = Vec::new();
    push(
        &mut auxv,
        &[6, PAGE as u64, 3, BASE + 64, 4, 56, 5, headers, 0, 0],
    );
    note(&mut notes, 6, &auxv);
    let mut files = Vec::new();
    push(&mut files, &[1, PAGE as u64, BASE, BASE + length, 0]);
    files.extend(program.as_os_str().as_encoded_bytes());
    files.push(0);
    note(&mut notes, 0x4649_4c45, &files);

    let mut core = image[..16].to_vec();
    for half in [4u16, u16::from_ne_bytes(image[18..20].try_into().unwrap())] {
        core.extend(half.to_ne_bytes());
    }
    core.extend(1u32.to_ne_bytes());
    push(&mut core, &[0, 64, 0]);
    core.extend(0u32.to_ne_bytes());
    for half in [64u16, 56, 3, 64, 0, 0] {
        core.extend(half.to_ne_bytes());
    }
    let first = 64 + 3 * 56;
    let page = PAGE as u64;
    let loads = (first + notes.len() as u64).next_multiple_of(page);
    for (kind, flags, words) in [
        (4u32, 0u32, [first, 0, 0, notes.len() as u64, 0, 4]),
        (1, 5, [loads, BASE, 0, page, length, page]),
        (1, 6, [loads + page, STACK, 0, page, 2 * page, page]),
    ] {
        core.extend(kind.to_ne_bytes());
        core.extend(flags.to_ne_bytes());
        push(&mut core, &words);
    }
    core.extend(notes);
    core.resize(loads as usize, 0);
    core.extend(&image[..PAGE]);
    core.resize(core.len() + PAGE, 0xa5);
    core
}

fn own() -> PathBuf {
    std::fs::read_link("/proc/self/exe").unwrap()
}

fn stored(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(bytes: &[u8]) -> Result<CoreFile, CoreError> {
    CoreFile::open(stored(bytes).path(), CoreOptions::default())
}

#[test]
fn a_core_file_tells_of_its_process() {
    let core = open(&core_of(&own())).unwrap();
    assert_eq!((core.pid(), core.signal()), (Some(4242), Some(6)));
    assert_eq!((core.name(), core.arguments()), ("hello", "hello 1"));
    let [thread] = core.threads() else {
        panic!("{:?}", core.threads());
    };
    assert_eq!(thread.tid, 4243);
    let registers = thread.registers.unwrap();
    assert_eq!(registers.stack_pointer, STACK + 64);
    assert_eq!(registers.instruction_pointer, BASE + 16);
    assert_eq!(core.warnings(), [] as [String; 0]);
    let modules = core.modules();
    assert_eq!(modules.len(), 1);
    assert!(modules[0].main);
    assert_eq!(modules[0].path, own());
    assert_eq!(modules[0].start(), BASE);
    assert!(core.build_id(&modules[0]).is_some());
    assert!(core.open_module(&modules[0]).unwrap().verified);
    let kinds: Vec<_> = core
        .maps()
        .as_slice()
        .iter()
        .map(|mapping| mapping.kind.clone())
        .collect();
    assert_eq!(kinds, [MappingKind::File, MappingKind::Anonymous]);
}

#[test]
fn memory_is_that_of_the_core_file_and_of_the_same_file_only() {
    let mut memory = open(&core_of(&own())).unwrap().memory();
    let image = std::fs::read(own()).unwrap();
    assert_eq!(memory.page_size(), PAGE as u64);
    // A read across the end of what was dumped goes on in the file.
    let mut bytes = [0u8; 64];
    let at = PAGE - 32;
    memory.read(BASE + at as u64, &mut bytes).unwrap();
    assert_eq!(bytes, image[at..at + 64]);
    // After the end of the file there are zeros to the end of the page.
    let last = (image.len() - 1) / PAGE * PAGE;
    let mut page = vec![1u8; PAGE];
    let mut outcomes = Vec::new();
    memory
        .read_window(BASE + last as u64, &mut page, &mut outcomes)
        .unwrap();
    assert_eq!(outcomes, [PageOutcome::Bytes]);
    let tail = image.len() - last;
    assert_eq!(&page[..tail], &image[last..]);
    assert!(page[tail..].iter().all(|byte| *byte == 0));
    // A stack that was not dumped is not zeros.
    memory.read(STACK, &mut bytes).unwrap();
    assert_eq!(bytes, [0xa5; 64]);
    let address = STACK + PAGE as u64;
    assert_eq!(
        memory.read(address, &mut bytes),
        Err(ReadError::NotDumped { address })
    );
    assert_eq!(
        memory.read(8, &mut bytes),
        Err(ReadError::Unmapped { address: 8 })
    );
}

#[test]
fn a_file_that_has_changed_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("program");
    let mut image = std::fs::read(own()).unwrap();
    std::fs::write(&program, &image).unwrap();
    let file = stored(&core_of(&program));
    let core = CoreFile::open(file.path(), CoreOptions::default()).unwrap();
    let module = core.modules().remove(0);
    let id = core.build_id(&module).unwrap();
    let at = image.windows(id.len()).position(|part| part == id).unwrap();
    image[at] ^= 1;
    std::fs::write(&program, &image).unwrap();
    assert!(matches!(
        core.open_module(&module),
        Err(CoreModuleError::OtherBuild { wanted, .. }) if wanted == id
    ));
    let mut bytes = [0u8; 16];
    let address = BASE + 4 * PAGE as u64;
    assert_eq!(
        core.memory().read(address, &mut bytes),
        Err(ReadError::NotDumped { address })
    );
    std::fs::remove_file(&program).unwrap();
    assert!(matches!(
        core.open_module(&module),
        Err(CoreModuleError::Open { path, .. }) if path == program
    ));
    // Given by hand, it is that one, wherever it lies; a directory of the machine's files has no way out.
    let given = CoreOptions {
        executable: Some(own()),
        sysroot: Some(directory.path().to_owned()),
        most_bytes: None,
    };
    let core = CoreFile::open(file.path(), given).unwrap();
    assert!(core.open_module(&module).unwrap().verified);
    let below = directory.path().join("inside");
    std::fs::write(&below, "x").unwrap();
    std::os::unix::fs::symlink(own(), directory.path().join("out")).unwrap();
    std::os::unix::fs::symlink("/inside", directory.path().join("in")).unwrap();
    assert!(core.open_in_root(Path::new("/../in")).is_ok());
    assert!(core.open_in_root(Path::new("/out")).is_err());
}

#[test]
fn what_is_no_core_file_is_told() {
    let refused = |bytes: &[u8]| open(bytes).unwrap_err();
    let core = core_of(&own());
    assert!(matches!(refused(b""), CoreError::NotCore { .. }));
    assert!(matches!(refused(b"hello"), CoreError::NotCore { .. }));
    let program = std::fs::read(own()).unwrap();
    assert!(matches!(refused(&program), CoreError::NotCore { .. }));
    let gzip = refused(&[0x1f, 0x8b, 8, 0, 0, 0]);
    assert!(gzip.hint().unwrap().contains("gzip -dk"), "{gzip}");
    let zstd = refused(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0]);
    assert!(matches!(zstd, CoreError::Damaged { .. }), "{zstd}");
    for (at, value) in [(4usize, 1u8), (5, 3 - core[5]), (18, 8)] {
        let mut other = core.clone();
        other[at] = value;
        let error = refused(&other);
        assert!(matches!(error, CoreError::OtherMachine { .. }), "{error}");
    }
    assert!(matches!(refused(&core[..40]), CoreError::Damaged { .. }));
    assert!(matches!(refused(&core[..100]), CoreError::Damaged { .. }));
    let cut = open(&core[..core.len() - PAGE - 1]).unwrap();
    assert_eq!(cut.modules().len(), 1);
    assert!(cut.warnings()[0].contains("truncated"));
    // What was dumped and cut off is not what the file holds in its place; what was never dumped is.
    let mut memory = cut.memory();
    let mut byte = [0u8; 1];
    let address = BASE + PAGE as u64 - 1;
    assert_eq!(
        memory.read(address, &mut byte),
        Err(ReadError::NotDumped { address })
    );
    memory.read(address - 1, &mut byte).unwrap();
    memory.read(address + 1, &mut byte).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let error = CoreFile::open(directory.path(), CoreOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is a directory, not a core file")
    );
    let error = CoreFile::open(Path::new("/dev/null"), CoreOptions::default()).unwrap_err();
    assert!(error.to_string().ends_with("is a device, not a core file"));
    let error = CoreFile::open(Path::new("/nonexistent"), CoreOptions::default()).unwrap_err();
    assert!(matches!(error, CoreError::Read { .. }));
}

#[test]
fn without_its_notes_the_memory_tells_which_files_were_mapped() {
    let core = core_of(&own());
    let lost = |executable: Option<PathBuf>| {
        let mut core = core.clone();
        // The notes stand beyond the end, as those of gcore do in a file that was cut short.
        let far = (core.len() as u64 + 1).to_ne_bytes();
        core[64 + 8..64 + 16].copy_from_slice(&far);
        let options = CoreOptions {
            executable,
            ..CoreOptions::default()
        };
        CoreFile::open(stored(&core).path(), options).unwrap()
    };
    let nameless = lost(None);
    assert_eq!(nameless.modules(), []);
    let warnings = nameless.warnings().join("\n");
    for part in [
        "truncated",
        "no threads, registers and list of mapped files",
        "build-id is",
    ] {
        assert!(warnings.contains(part), "{warnings}");
    }
    let named = lost(Some(own()));
    let modules = named.modules();
    assert_eq!(modules.len(), 1, "{modules:?}");
    assert!(modules[0].main);
    assert_eq!((modules[0].path.clone(), modules[0].start()), (own(), BASE));
    assert!(named.open_module(&modules[0]).unwrap().verified);
    assert!(
        modules[0]
            .mappings
            .iter()
            .any(|part| part.permissions.execute)
    );
    assert_eq!((named.pid(), named.threads().len()), (None, 0));
    let other = lost(Some(PathBuf::from("/bin/true")));
    let error = other.open_module(&other.modules()[0]).unwrap_err();
    assert!(
        matches!(error, CoreModuleError::OtherBuild { .. }),
        "{error}"
    );
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Reads a page of the stack of a hand-made core file.
fn stack_page(core: &CoreFile) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    core.memory().read(STACK, &mut page).unwrap();
    page
}

#[test]
fn compressed_core_files_are_unpacked() {
    let plain = core_of(&own());
    let whole = compressed(&plain);
    let core = open(&whole).unwrap();
    assert_eq!(core.warnings(), [] as [String; 0]);
    assert_eq!(stack_page(&core), [0xa5; PAGE]);
    // Two frames, with one between them that is to be skipped.
    let (first, second) = plain.split_at(plain.len() / 2);
    let mut frames = compressed(first);
    frames.extend(0x184d_2a50_u32.to_le_bytes());
    frames.extend(3u32.to_le_bytes());
    frames.extend([1, 2, 3]);
    frames.extend(compressed(second));
    assert_eq!(stack_page(&open(&frames).unwrap()), [0xa5; PAGE]);
    // What is there of one that is cut short is taken, and it is said.
    let mut cut = compressed(&plain[..plain.len() - PAGE]);
    cut.extend(&compressed(&plain[plain.len() - PAGE..])[..9]);
    let core = open(&cut).unwrap();
    let warnings = core.warnings().join("\n");
    assert!(
        warnings.starts_with("the compressed core file is cut short\n"),
        "{warnings}"
    );
    assert!(warnings.contains("truncated"), "{warnings}");
    assert_eq!(core.pid(), Some(4242));
    // Nothing that only readers of the decompressor's source would understand.
    for (bytes, said) in [
        (
            &whole[..whole.len().min(9)],
            "it ends within the first of what is compressed",
        ),
        (
            &[&whole[..], b"more"].concat(),
            "something follows that is not compressed with zstd",
        ),
    ] {
        let said_so = match open(bytes) {
            Ok(core) => core.warnings().join("\n"),
            Err(error) => error.to_string(),
        };
        assert!(
            said_so.contains(said) && !said_so.contains("Error"),
            "{said_so}"
        );
    }
    // pzstd puts a frame that is to be skipped before each.
    let mut skipped = 0x184d_2a5f_u32.to_le_bytes().to_vec();
    skipped.extend(4u32.to_le_bytes());
    skipped.extend([1, 2, 3, 4]);
    skipped.extend(&whole);
    assert_eq!(stack_page(&open(&skipped).unwrap()), [0xa5; PAGE]);
    // Core files within core files are not looked for.
    let error = open(&compressed(&whole)).unwrap_err();
    assert!(matches!(error, CoreError::Compressed { .. }), "{error}");
}

#[test]
fn a_compressed_core_file_takes_no_more_than_it_may() {
    let plain = core_of(&own());
    let file = stored(&compressed(&plain));
    let open = |limit: u64| {
        let options = CoreOptions {
            most_bytes: Some(limit),
            ..CoreOptions::default()
        };
        CoreFile::open(file.path(), options)
    };
    let length = plain.len() as u64;
    assert!(open(length).is_ok());
    let error = open(length - 1).unwrap_err();
    assert!(matches!(error, CoreError::TooLarge { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--max-core"));
    // Zeros take no room, but count.
    let bomb = stored(&compressed(&vec![0; 64 << 20]));
    let mut told = Vec::new();
    let options = CoreOptions {
        most_bytes: Some(32 << 20),
        ..CoreOptions::default()
    };
    let error = CoreFile::open_with(bomb.path(), options, &mut |opening| {
        let Opening::Unpacking(done) = opening else {
            panic!("{opening:?}");
        };
        told.push(done);
        true
    });
    assert!(matches!(error, Err(CoreError::TooLarge { .. })));
    assert!(told.len() > 8 && told.is_sorted_by_key(|done| done.unpacked));
    assert!(told.iter().all(|done| done.used <= done.of));
    let error = CoreFile::open_with(bomb.path(), CoreOptions::default(), &mut |_| false);
    assert!(matches!(error, Err(CoreError::Interrupted { .. })));
}

/// A core file that lists many mapped files, whose names are all of this program, and has memory of none.
fn core_of_many_files(names: u64, mappings: u64) -> Vec<u8> {
    let page = PAGE as u64;
    let mut files = Vec::new();
    push(&mut files, &[mappings, page]);
    for index in 0..mappings {
        let start = BASE + index * 2 * page;
        push(&mut files, &[start, start + page, index % 3]);
    }
    for index in 0..mappings {
        let number = index % names;
        for bit in 0..16 {
            let separator: &[u8] = if number >> bit & 1 == 1 { b"/." } else { b"/" };
            files.extend(separator);
        }
        files.extend(own().as_os_str().as_encoded_bytes());
        files.push(0);
    }
    let mut notes = Vec::new();
    note(&mut notes, 0x4649_4c45, &files);
    let image = std::fs::read(own()).unwrap();
    let mut core = image[..16].to_vec();
    for half in [4u16, u16::from_ne_bytes(image[18..20].try_into().unwrap())] {
        core.extend(half.to_ne_bytes());
    }
    core.extend(1u32.to_ne_bytes());
    push(&mut core, &[0, 64, 0]);
    core.extend(0u32.to_ne_bytes());
    for half in [64u16, 56, 1, 64, 0, 0] {
        core.extend(half.to_ne_bytes());
    }
    core.extend(4u32.to_ne_bytes());
    core.extend(0u32.to_ne_bytes());
    push(&mut core, &[64 + 56, 0, 0, notes.len() as u64, 0, 4]);
    core.extend(notes);
    core
}

#[test]
fn the_cost_of_many_mapped_files_grows_with_their_number() {
    let cost = |factor: u64| {
        let core = stored(&core_of_many_files(200 * factor, 10_000 * factor));
        let tries = (0..3).map(|_| {
            let before = std::time::Instant::now();
            CoreFile::open(core.path(), CoreOptions::default()).unwrap();
            before.elapsed()
        });
        tries.min().unwrap()
    };
    let (few, many) = (cost(2), cost(16));
    assert!(
        many < few * 8 * 3,
        "{few:?} and {many:?} for eight times as many"
    );
}

#[test]
fn looking_at_mapped_files_can_be_interrupted() {
    let core = stored(&core_of_many_files(100, 1000));
    let mut told = Vec::new();
    let error = CoreFile::open_with(core.path(), CoreOptions::default(), &mut |opening| {
        told.push(opening);
        told.len() < 10
    });
    assert!(matches!(error, Err(CoreError::Interrupted { .. })));
    let last = Some(&Opening::Files { done: 9, of: 100 });
    assert_eq!((told.len(), told.last()), (10, last));
}

/// Uses everything that a core file tells.
fn use_all(core: &CoreFile) {
    let mut memory = core.memory();
    let maps = core.maps();
    let mut last = 0;
    for mapping in maps.as_slice() {
        assert!(last <= mapping.start && mapping.start < mapping.end);
        last = mapping.end;
    }
    let mut page = vec![0u8; usize::try_from(memory.page_size()).unwrap()];
    for mapping in maps.as_slice().iter().take(16) {
        let mut outcomes = Vec::new();
        memory
            .read_window(mapping.start, &mut page, &mut outcomes)
            .unwrap();
        let _ = memory.read(mapping.end.wrapping_sub(8), &mut page[..16]);
    }
    for module in core.modules() {
        let _ = core.build_id(&module);
        let _ = core.open_module(&module);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Headers and notes with a few wrong bytes, and perhaps an early end, never do harm.
    #[test]
    fn damaged_core_files_do_no_harm(
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        words in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![
            0, 1, u64::MAX, u64::MAX - 7, 1 << 32, 1 << 63, BASE, BASE + 1, STACK - 1, 0xffff,
        ])), 0..4),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        thread_local! {
            static WHOLE: Vec<u8> = core_of(&own());
        }
        let mut bytes = WHOLE.with(Clone::clone);
        // All but the dumped memory: the header, the program headers and the notes.
        let head = PAGE.min(bytes.len());
        for (at, value) in wrong {
            // The identification is left alone mostly, or all would be refused at once.
            let at = at.index(head);
            if at >= 24 {
                bytes[at] = value;
            }
        }
        for (at, word) in words {
            let at = 24 + at.index(head - 32) / 8 * 8;
            bytes[at..at + 8].copy_from_slice(&u64::to_ne_bytes(word));
        }
        if let Some(end) = end {
            let end = end.index(bytes.len());
            bytes.truncate(end);
        }
        if let Ok(core) = open(&bytes) {
            use_all(&core);
        }
    }
}
