//! Reading real programs is exact and does not change them.

// One range is what is meant, not the numbers in it.
#![allow(clippy::single_range_in_vec_init)]

mod common;

use std::time::{Duration, Instant};

use common::{Program, stopper};
use ytrace_target::{
    AddressSpace, CacheOptions, CopyOptions, LiveMemory, LiveOptions, Module, ModuleKind,
    PageCache, PausedCopy, ReadError, StopOptions, copy_ranges, plan_copy,
};

const ZONE: u64 = 256 << 20;

struct Layout {
    untouched: u64,
    zone: u64,
    pattern: u64,
    mapped: u64,
    guarded: u64,
    size: u64,
}

fn layout(program: &mut Program) -> Layout {
    let layout = match program.numbers().as_slice() {
        &[untouched, zone, pattern, mapped, guarded, size] => Layout {
            untouched,
            zone,
            pattern,
            mapped,
            guarded,
            size,
        },
        other => panic!("{other:?}"),
    };
    // Its input buffer and its threads are set up once it has answered.
    assert_eq!(program.ask("x"), "done");
    layout
}

fn word(space: &mut impl AddressSpace, address: u64) -> Result<u64, ReadError> {
    let mut bytes = [0u8; 8];
    space.read(address, &mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// A limit that no copy here meets, however busy the machine is.
const WHOLE: Duration = Duration::from_secs(120);

fn options(pause: Duration) -> CopyOptions {
    let stop = StopOptions {
        max_pause: pause,
        stop_timeout: Duration::from_secs(10),
        realtime: true,
    };
    CopyOptions {
        stop,
        ..CopyOptions::default()
    }
}

/// The copy with the shortest pause of some: other tests run on the same processors.
fn shortest_of(
    rounds: usize,
    process: &ytrace_target::Process,
    ranges: &[std::ops::Range<u64>],
    limit: Duration,
) -> PausedCopy {
    (0..rounds)
        .map(|_| copy_ranges(&stopper(), process, ranges, &options(limit)).unwrap())
        .min_by_key(|copy| copy.report().pause)
        .unwrap()
}

/// The figures of a program that reading must not change: resident, private, anonymous and swapped bytes of each mapping.
/// Proportional ones change with what other processes do.
fn figures(program: &Program) -> Vec<(u64, u64, u64, u64)> {
    let list = program.process().mapping_usage().unwrap();
    list.iter()
        .map(|usage| (usage.start, usage.resident, usage.anonymous, usage.swap))
        .collect()
}

#[test]
fn reading_untouched_memory_changes_nothing() {
    let mut program = Program::start("memory", &["8"]);
    let layout = layout(&mut program);
    let process = program.process();
    let zone_usage = || {
        process
            .mapping_usage()
            .unwrap()
            .into_iter()
            .find(|mapping| mapping.start == layout.zone)
            .unwrap()
    };
    let (before, zone_before) = (figures(&program), zone_usage());
    let maps = process.maps().unwrap();
    let blocks_before = shared_blocks(&process, maps.find(layout.zone).unwrap());

    // Through the cache, page by page; through a copy; and in one large read.
    let memory = LiveMemory::new(&process, LiveOptions::default()).unwrap();
    let mut cache = PageCache::new(memory, CacheOptions::default()).unwrap();
    let page = cache.space().page_size();
    let written = layout.zone + ZONE / 2;
    for start in [layout.zone, layout.untouched] {
        let length = if start == layout.zone { ZONE } else { 64 << 20 };
        for address in (start..start + length).step_by(page as usize) {
            let bytes = cache.page(address).unwrap();
            let wanted = if address == written { 0x5a } else { 0 };
            assert!(
                bytes.bytes().iter().all(|byte| *byte == wanted),
                "{address:#x}"
            );
        }
    }
    assert!(
        cache.held_bytes() < 8 << 20,
        "zeros are not stored: {}",
        cache.held_bytes()
    );
    let mut whole = vec![1u8; ZONE as usize];
    cache.space_mut().read(layout.zone, &mut whole).unwrap();
    assert_eq!(
        whole.iter().filter(|byte| **byte != 0).count(),
        page as usize
    );
    let ranges = [
        layout.zone..layout.zone + ZONE,
        layout.untouched..layout.untouched + (64 << 20),
    ];
    let mut copy = copy_ranges(&stopper(), &process, &ranges, &options(WHOLE)).unwrap();
    assert_eq!(copy.copied_bytes(), page);
    assert_eq!(word(&mut copy, written).unwrap(), 0x5a5a_5a5a_5a5a_5a5a);
    assert_eq!(word(&mut copy, layout.zone + 4096).unwrap(), 0);
    assert!(!copy.counters().partial());

    assert_eq!(zone_usage(), zone_before);
    assert_eq!(figures(&program), before);
    assert_eq!(
        shared_blocks(&process, maps.find(layout.zone).unwrap()),
        blocks_before
    );
    let resident: u64 = before.iter().map(|mapping| mapping.1).sum();
    println!(
        "resident before and after: {resident} bytes; counters {:?}",
        cache.counters()
    );
    assert_eq!(program.finish().0, Some(0));
}

/// The memory that a shared object holds, whoever it is charged to.
fn shared_blocks(process: &ytrace_target::Process, mapping: &ytrace_target::Mapping) -> u64 {
    let opened = process.open_mapping(mapping).unwrap();
    std::os::unix::fs::MetadataExt::blocks(&opened.file.metadata().unwrap())
}

#[test]
fn kinds_of_memory() {
    let file = common::directory().join("a file\nwith a newline");
    std::fs::write(&file, vec![b'f'; 10_000]).unwrap();
    let mut program = Program::start("memory", &["1", file.to_str().unwrap()]);
    let layout = layout(&mut program);
    let process = program.process();
    let mut memory = LiveMemory::new(&process, LiveOptions::default()).unwrap();
    let before = figures(&program);

    assert_eq!(word(&mut memory, layout.pattern + 80).unwrap(), 1010);
    assert_eq!(
        word(&mut memory, layout.mapped + 8000).unwrap(),
        u64::from_ne_bytes([b'f'; 8])
    );
    assert_eq!(
        word(&mut memory, layout.mapped + 10_000).unwrap(),
        0,
        "the rest of the last page is zeros"
    );
    assert!(matches!(
        word(&mut memory, layout.mapped + (64 << 10)),
        Err(ReadError::PastEnd { .. })
    ));
    assert!(matches!(
        word(&mut memory, layout.guarded),
        Err(ReadError::NotReadable { .. })
    ));
    assert!(matches!(
        word(&mut memory, 8),
        Err(ReadError::Unmapped { .. })
    ));
    assert!(matches!(
        word(&mut memory, u64::MAX - 3),
        Err(ReadError::Unmapped { .. })
    ));
    assert_eq!(
        figures(&program),
        before,
        "file pages were not mapped in either"
    );
    let mapping = process.maps().unwrap().find(layout.mapped).unwrap().clone();
    assert_eq!(mapping.path.as_deref(), Some(file.as_path()));

    // A deleted file can still be read.
    std::fs::remove_file(&file).unwrap();
    let mut memory = LiveMemory::new(&process, LiveOptions::default()).unwrap();
    assert!(process.maps().unwrap().find(layout.mapped).unwrap().deleted);
    assert_eq!(
        word(&mut memory, layout.mapped + 8000).unwrap(),
        u64::from_ne_bytes([b'f'; 8])
    );

    // Memory that is mapped later is found.
    let mut cache = PageCache::new(memory, CacheOptions::default()).unwrap();
    let more = u64::from_str_radix(program.ask("grow").trim_start_matches("0x"), 16).unwrap();
    let began = Instant::now();
    let mut found = false;
    while !found && began.elapsed() < Duration::from_secs(5) {
        found = cache
            .page(more)
            .is_ok_and(|page| page.bytes().iter().all(|byte| *byte == 0x77));
    }
    assert!(found);

    program.child.kill().unwrap();
    program.child.wait().unwrap();
    let mut memory = cache.into_space();
    assert_eq!(word(&mut memory, layout.pattern), Err(ReadError::Exited));
}

#[test]
fn another_program_in_the_same_process_is_noticed() {
    let mut program = Program::start("memory", &["1"]);
    let layout = layout(&mut program);
    let mut memory = LiveMemory::new(&program.process(), LiveOptions::default()).unwrap();
    assert_eq!(word(&mut memory, layout.untouched).unwrap(), 0);
    let before = std::fs::read_link(format!("/proc/{}/exe", program.pid())).unwrap();
    program.send("exec");
    // The next line must not be read by the old program.
    while std::fs::read_link(format!("/proc/{}/exe", program.pid())).is_ok_and(|now| now == before)
    {
        std::thread::yield_now();
    }
    assert_eq!(program.ask("echo"), "echo");
    assert_eq!(word(&mut memory, layout.untouched), Err(ReadError::Exited));
    let mut window = vec![0; 64 << 10];
    let mut outcomes = Vec::new();
    let read = memory.read_window(layout.untouched, &mut window, &mut outcomes);
    assert_eq!(read, Err(ReadError::Exited));
}

#[test]
fn cached_pages_stay_as_they_were() {
    let mut program = Program::start("memory", &["4"]);
    let layout = layout(&mut program);
    let memory = LiveMemory::new(&program.process(), LiveOptions::default()).unwrap();
    let mut cache = PageCache::new(memory, CacheOptions::default()).unwrap();
    let page = cache.page(layout.pattern).unwrap();
    let first = page.bytes().to_vec();
    assert_eq!(program.ask("write 77"), "done");
    assert_eq!(page.bytes(), first);
    assert_eq!(cache.page(layout.pattern).unwrap().bytes(), first);
    cache.forget();
    assert_eq!(
        page.bytes(),
        first,
        "a handle outlives the cache's memory of it"
    );
    assert_ne!(cache.page(layout.pattern).unwrap().bytes(), first);
    let size = cache.space().page_size();
    assert_eq!(cache.touched(), [layout.pattern..layout.pattern + size]);
    drop(cache);
    assert_eq!(page.bytes(), first);
}

#[test]
fn the_cache_is_capped() {
    let mut program = Program::start("memory", &["4"]);
    let layout = layout(&mut program);
    let memory = LiveMemory::new(&program.process(), LiveOptions::default()).unwrap();
    let limit = 1 << 20;
    let mut cache = PageCache::new(
        memory,
        CacheOptions {
            limit,
            ..CacheOptions::default()
        },
    )
    .unwrap();
    let page = cache.space().page_size();
    let error = (layout.pattern..layout.pattern + layout.size)
        .step_by(page as usize)
        .find_map(|address| cache.page(address).err());
    assert_eq!(error, Some(ReadError::Limit { limit }));
    assert_eq!(cache.held_bytes(), limit);
}

#[test]
fn a_copy_is_of_one_instant() {
    let file = common::directory().join("mapped");
    std::fs::write(&file, vec![b'f'; 1 << 20]).unwrap();
    let mut program = Program::start("memory", &["80", file.to_str().unwrap()]);
    let layout = layout(&mut program);
    let process = program.process();
    let ranges = [
        layout.pattern..layout.pattern + layout.size,
        layout.mapped..layout.mapped + (1 << 20),
        layout.untouched..layout.untouched + (64 << 20),
    ];
    let last = layout.pattern + layout.size - 8;
    program.ask("spin");
    for round in 0..10 {
        let mut copy = copy_ranges(&stopper(), &process, &ranges, &options(WHOLE)).unwrap();
        assert!(!copy.report().expired);
        let distance = word(&mut copy, layout.pattern)
            .unwrap()
            .wrapping_sub(word(&mut copy, last).unwrap());
        // The pattern starts with 1000 + index, and its ends are raised in step.
        let apart = distance.wrapping_add(layout.size / 8 - 1);
        assert!(
            apart <= 1,
            "round {round}: the ends are {apart} steps apart"
        );
        // Checked against a second read of the copy: nothing moves although the program runs.
        let once: Vec<u64> = [layout.pattern, last]
            .map(|address| word(&mut copy, address).unwrap())
            .to_vec();
        program.ask("x");
        let again: Vec<u64> = [layout.pattern, last]
            .map(|address| word(&mut copy, address).unwrap())
            .to_vec();
        assert_eq!(once, again);
    }
    program.ask("halt");
    let mut copy = copy_ranges(&stopper(), &process, &ranges, &options(WHOLE)).unwrap();
    program.ask("touch");
    program.ask("map");
    program.ask("write 5");
    assert_eq!(word(&mut copy, layout.pattern + 8000).unwrap(), 2000);
    assert_eq!(
        word(&mut copy, layout.untouched).unwrap(),
        0,
        "absent at the stop, so zeros, whatever was written since"
    );
    let mut bytes = [0u8; 7];
    copy.read(layout.mapped, &mut bytes).unwrap();
    assert_eq!(
        &bytes, b"fffffff",
        "absent at the stop, so as in the file, whatever was written since"
    );
    assert!(!copy.counters().partial());
    // The whole copy, page by page through a cache.
    let mut cache = PageCache::new(copy, CacheOptions::default()).unwrap();
    for address in (layout.pattern + 4096..last).step_by(4096) {
        let page = cache.page(address).unwrap();
        let value = u64::from_ne_bytes(page.bytes()[..8].try_into().unwrap());
        assert_eq!(value, 1000 + (address - layout.pattern) / 8);
    }
    assert_eq!(cache.counters().missed, 0);
    // A page outside of the ranges is read live, and counted.
    let stack = cache.space().threads()[0].registers.unwrap().stack_pointer;
    cache.page(stack).unwrap();
    assert_eq!(cache.counters().missed, 1);
    assert!(cache.counters().partial());
    assert_eq!(program.finish().0, Some(0));
}

#[test]
fn a_copy_ends_with_its_deadline() {
    let mut program = Program::start("memory", &["512"]);
    let layout = layout(&mut program);
    let process = program.process();
    let ranges = [layout.pattern..layout.pattern + layout.size];
    let whole = shortest_of(5, &process, &ranges, WHOLE).report().pause;
    let mut copy = shortest_of(5, &process, &ranges, whole / 8);
    let report = *copy.report();
    let left: u64 = copy
        .not_copied()
        .iter()
        .map(|range| range.end - range.start)
        .sum();
    println!(
        "512 MB in {whole:?}; with an eighth of that as the limit: paused {:?}, {} MB left out",
        report.pause,
        left >> 20
    );
    assert!(report.expired && left > 0);
    assert!(report.pause < whole / 2, "{:?}", report.pause);
    assert_eq!(copy.copied_bytes() + left, layout.size);
    // What was left out is read live and makes the result partial.
    let address = copy.not_copied()[0].start;
    assert_eq!(
        word(&mut copy, address).unwrap(),
        1000 + (address - layout.pattern) / 8
    );
    assert!(copy.counters().partial());
    let refused = copy_ranges(
        &stopper(),
        &process,
        &ranges,
        &CopyOptions {
            budget: Some(1 << 20),
            ..options(WHOLE)
        },
    );
    assert!(matches!(
        refused,
        Err(ytrace_target::CopyError::Budget { .. })
    ));
}

#[test]
fn modules_in_link_order() {
    let mut program = Program::start("memory", &["1"]);
    layout(&mut program);
    let process = program.process();
    let mut memory = LiveMemory::new(&process, LiveOptions::default()).unwrap();
    let modules = Module::find_all(&mut memory, &process.auxiliary_vector().unwrap());
    let names: Vec<String> = modules
        .iter()
        .map(|module| module.path.display().to_string())
        .collect();
    println!("{names:?}");
    assert!(modules[0].main && modules[0].load_bias.is_some());
    assert_eq!(
        Some(modules[0].path.clone()),
        process.facts().unwrap().executable
    );
    assert!(modules.iter().any(|module| module.kind == ModuleKind::Vdso));
    let libc = modules
        .iter()
        .find(|module| module.path.ends_with("libc.so.6"))
        .unwrap();
    assert_eq!(libc.load_bias, Some(libc.start()));
    assert!(libc.mappings.len() >= 3);
    let opened = process.open_mapping(&libc.mappings[0]).unwrap();
    let mut magic = [0u8; 4];
    std::os::unix::fs::FileExt::read_exact_at(&opened.file, &mut magic, 0).unwrap();
    assert_eq!(&magic, b"\x7fELF");
    assert!(
        process
            .open_in_root(std::path::Path::new("/dev/null"))
            .is_err(),
        "devices are never opened"
    );
}

#[test]
fn a_deleted_executable_is_found() {
    let program = common::compile("memory");
    let moved = common::directory().join("gone (deleted)");
    std::fs::copy(&program, &moved).unwrap();
    let mut program = Program::run(&moved, &["1"]);
    layout(&mut program);
    let process = program.process();
    assert!(!process.facts().unwrap().executable_deleted);
    std::fs::remove_file(&moved).unwrap();
    assert!(process.facts().unwrap().executable_deleted);
    let mut memory = LiveMemory::new(&process, LiveOptions::default()).unwrap();
    let modules = Module::find_all(&mut memory, &process.auxiliary_vector().unwrap());
    assert!(modules[0].main && modules[0].deleted);
    process.open_mapping(&modules[0].mappings[0]).unwrap();
}

#[test]
fn plans() {
    let mut program = Program::start("memory", &["64"]);
    let layout = layout(&mut program);
    let mut memory = LiveMemory::new(&program.process(), LiveOptions::default()).unwrap();
    let touched = [
        layout.pattern..layout.pattern + 4096,
        layout.pattern + 40960..layout.pattern + 49152,
    ];
    let roomy = plan_copy(
        &mut memory,
        &touched,
        Duration::from_millis(50),
        5_000_000_000,
    )
    .unwrap();
    assert_eq!(roomy.whole_mappings, 1);
    assert!(roomy.bytes >= layout.size && !roomy.over);
    let tight = plan_copy(
        &mut memory,
        &touched,
        Duration::from_millis(5),
        5_000_000_000,
    )
    .unwrap();
    assert_eq!(
        (tight.ranges.as_slice(), tight.bytes, tight.partial_mappings),
        (&touched[..], 12288, 1)
    );
}

#[test]
fn swapped_pages_are_counted() {
    let Some(_swap) = SwapArea::ensure() else {
        common::skip(
            "swapped_pages_are_counted",
            "no swap, and none can be added",
        );
        return;
    };
    let mut program = Program::start("memory", &["16"]);
    let layout = layout(&mut program);
    let process = program.process();
    page_out(&process, layout.pattern, layout.size);
    let mut memory = LiveMemory::new(&process, LiveOptions::default()).unwrap();
    let runs = memory
        .presence(layout.pattern, layout.pattern + layout.size)
        .unwrap();
    let Some(run) = runs
        .iter()
        .find(|run| run.state == ytrace_target::PageState::Swapped)
    else {
        common::skip(
            "swapped_pages_are_counted",
            "the kernel swapped nothing out",
        );
        return;
    };
    let swap = process.memory_usage().unwrap().detail.unwrap().swap;
    assert!(matches!(
        word(&mut memory, run.start),
        Err(ReadError::Swapped { .. })
    ));
    assert_eq!(memory.counters().swapped_skipped, 1);
    assert_eq!(process.memory_usage().unwrap().detail.unwrap().swap, swap);
}

/// Swap space: what the machine has, or a small file of our own for as long as this lives.
struct SwapArea(Option<tempfile::NamedTempFile>);

impl SwapArea {
    /// `None` where there is no swap and none can be added.
    fn ensure() -> Option<SwapArea> {
        let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
        if swaps.lines().count() > 1 {
            return Some(SwapArea(None));
        }
        // A swap file must have no holes; it cannot lie in a tmpfs.
        let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let mut file = tempfile::NamedTempFile::new_in(directory).ok()?;
        std::io::Write::write_all(&mut file, &vec![0u8; 64 << 20]).ok()?;
        file.as_file().sync_all().ok()?;
        let run = |program: &str| {
            std::process::Command::new(program)
                .arg(file.path())
                .output()
                .is_ok_and(|output| output.status.success())
        };
        (run("/sbin/mkswap") && run("/sbin/swapon")).then_some(SwapArea(Some(file)))
    }
}

impl Drop for SwapArea {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            let _ = std::process::Command::new("/sbin/swapoff")
                .arg(file.path())
                .status();
        }
    }
}

/// Asks the kernel to swap a range of another process out.
fn page_out(process: &ytrace_target::Process, start: u64, length: u64) {
    let Some(descriptor) = process.pidfd() else {
        return;
    };
    let piece = libc::iovec {
        iov_base: start as *mut libc::c_void,
        iov_len: length as usize,
    };
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&descriptor);
    // SAFETY: the piece is live, and names memory of the other process only.
    unsafe {
        libc::syscall(
            libc::SYS_process_madvise,
            descriptor,
            &piece,
            1,
            libc::MADV_PAGEOUT,
            0,
        )
    };
}

#[test]
fn figures_of_copying_and_caching() {
    for (megabytes, small_pages) in [("80", false), ("80", true), ("1024", false)] {
        let arguments: &[&str] = if small_pages {
            &[megabytes, "", "small"]
        } else {
            &[megabytes]
        };
        let mut program = Program::start("memory", arguments);
        let layout = layout(&mut program);
        let process = program.process();
        let ranges = [layout.pattern..layout.pattern + layout.size];
        let mut pauses = Vec::new();
        for _ in 0..5 {
            let copy = copy_ranges(&stopper(), &process, &ranges, &options(WHOLE)).unwrap();
            assert_eq!(copy.copied_bytes(), layout.size);
            pauses.push(copy.report().pause);
        }
        pauses.sort();
        let kind = if small_pages {
            "small pages"
        } else {
            "huge pages allowed"
        };
        println!(
            "copy of {megabytes} MB ({kind}): pause {:?} (median of 5)",
            pauses[2]
        );
        if small_pages || megabytes == "80" {
            let memory = LiveMemory::new(&process, LiveOptions::default()).unwrap();
            let mut cache = PageCache::new(memory, CacheOptions::default()).unwrap();
            let began = Instant::now();
            for address in (layout.pattern..layout.pattern + layout.size).step_by(4096) {
                cache.page(address).unwrap();
            }
            let cold = began.elapsed();
            let began = Instant::now();
            for address in (layout.pattern..layout.pattern + layout.size).step_by(4096) {
                cache.page(address).unwrap();
            }
            let pages = layout.size / 4096;
            println!(
                "page cache over {megabytes} MB: {:.2} GB/s cold, {} ns a page warm, {} calls",
                layout.size as f64 / cold.as_secs_f64() / 1e9,
                began.elapsed().as_nanos() as u64 / pages,
                cache.counters().calls,
            );
        }
    }
}

/// Not a test of its own: the part of the next one that runs without privileges.
#[test]
fn unprivileged_part() {
    let Ok(parent) = std::env::var("YTRACE_TEST_UNPRIVILEGED") else {
        return;
    };
    let other = ytrace_target::Process::open(parent.parse().unwrap()).unwrap();
    let denied = other.check_access().unwrap_err();
    assert!(
        matches!(
            &denied,
            ytrace_target::OpenError::Denied {
                cause: ytrace_target::DenialCause::OtherUser { owner: 0, .. },
                ..
            }
        ),
        "{denied:?}"
    );
    println!("{denied}; hint: {}", denied.hint().unwrap());
    let refused = ytrace_target::PausedProcess::stop(&stopper(), &other, &StopOptions::default())
        .unwrap_err();
    assert!(
        matches!(refused, ytrace_target::StopError::Denied { .. }),
        "{refused}"
    );

    let file = common::directory().join("mapped");
    std::fs::write(&file, vec![b'f'; 10_000]).unwrap();
    let mut program = Program::start("memory", &["1", file.to_str().unwrap()]);
    let layout = layout(&mut program);
    let process = program.process();
    let before = figures(&program);
    let mut memory = LiveMemory::new(&process, LiveOptions::default()).unwrap();
    assert_eq!(word(&mut memory, layout.pattern).unwrap(), 1000);
    assert_eq!(
        word(&mut memory, layout.mapped).unwrap(),
        u64::from_ne_bytes([b'f'; 8])
    );
    assert_eq!(word(&mut memory, layout.untouched).unwrap(), 0);
    // The object of an anonymous shared mapping is out of reach, and reading it through the process would charge it.
    assert!(matches!(
        word(&mut memory, layout.zone),
        Err(ReadError::NotResident { .. })
    ));
    assert_eq!(memory.counters().not_resident, 1);
    let ranges = [layout.pattern..layout.pattern + layout.size];
    let mut copy = copy_ranges(&stopper(), &process, &ranges, &options(WHOLE)).unwrap();
    assert_eq!(word(&mut copy, layout.pattern).unwrap(), 1000);
    assert_eq!(figures(&program), before);
    assert_eq!(program.finish().0, Some(0));
}

#[test]
fn without_privileges() {
    // SAFETY: the call takes no pointer.
    if unsafe { libc::geteuid() } != 0 {
        common::skip("without_privileges", "only root can become another user");
        return;
    }
    // The program must be where everyone may run it.
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(
        directory.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let program = directory.path().join("reading");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = std::process::Command::new(&program);
    command
        .args(["--exact", "unprivileged_part", "--nocapture"])
        .current_dir(directory.path());
    command.env("YTRACE_TEST_UNPRIVILEGED", std::process::id().to_string());
    let source = directory.path().join("programs");
    std::fs::create_dir(&source).unwrap();
    std::fs::copy(common::source("memory.c"), source.join("memory.c")).unwrap();
    command.env("YTRACE_TEST_PROGRAMS", &source);
    std::os::unix::process::CommandExt::uid(&mut command, 65534);
    std::os::unix::process::CommandExt::gid(&mut command, 65534);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    println!("{text}");
    assert!(output.status.success() && text.contains("hint:"));
}

#[test]
fn a_zone_full_of_holes_does_not_stretch_the_pause() {
    let mut program = Program::start("memory", &["1"]);
    let layout = layout(&mut program);
    program.ask("sparse");
    let process = program.process();
    let ranges = [layout.zone..layout.zone + ZONE];
    let page = LiveMemory::new(&process, LiveOptions::default())
        .unwrap()
        .page_size();
    let mut whole = shortest_of(3, &process, &ranges, WHOLE);
    let pause = whole.report().pause;
    println!("all of the zone: paused {:?}", whole.report().pause);
    assert!(!whole.report().expired && whole.not_copied().is_empty());
    assert_eq!(whole.copied_bytes(), ZONE / 2);
    let last = ZONE - 2 * page;
    for at in [0, last / 2 / page / 2 * 2 * page, last] {
        assert_eq!(word(&mut whole, layout.zone + at).unwrap(), at + 1);
        assert_eq!(word(&mut whole, layout.zone + at + page).unwrap(), 0);
    }
    assert!(!whole.counters().partial());
    drop(whole);

    let mut copy = shortest_of(5, &process, &ranges, pause / 16);
    println!(
        "with a sixteenth of that as the limit: paused {:?}, {} bytes copied",
        copy.report().pause,
        copy.copied_bytes()
    );
    assert!(copy.report().expired && !copy.not_copied().is_empty());
    assert!(copy.report().pause < pause / 2, "{:?}", copy.report().pause);
    // What was not looked at is read live, and makes the result partial.
    assert_eq!(word(&mut copy, layout.zone + last).unwrap(), last + 1);
    assert_eq!(word(&mut copy, layout.zone + last + page).unwrap(), 0);
    assert!(copy.counters().partial());
    assert_eq!(program.finish().0, Some(0));
}
