//! The code of a process as probes change it.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// A mapping of a process with code, and the bytes that its file holds.
struct Text {
    start: u64,
    path: String,
    file: Vec<u8>,
}

/// The code of a process, for one look after another at what has changed. Code has no relocations, so it is that of the files.
pub struct Code {
    memory: File,
    texts: Vec<Text>,
}

impl Code {
    /// That of all files which a process has mapped.
    ///
    /// # Panics
    /// If it has gone.
    pub fn of(pid: i32) -> Self {
        Self::of_files(pid, |_| true)
    }

    /// That of some of its files, by their paths.
    ///
    /// # Panics
    /// If it has gone.
    pub fn of_files(pid: i32, wanted: impl Fn(&str) -> bool) -> Self {
        let memory = File::open(format!("/proc/{pid}/mem")).expect("the process runs");
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
        let mut texts = Vec::new();
        for line in maps.lines() {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let &[range, rights, offset, _, _, path] = &fields[..] else {
                continue;
            };
            if !rights.contains('x') || !path.starts_with('/') || !wanted(path) {
                continue;
            }
            let hexadecimal = |text: &str| u64::from_str_radix(text, 16).expect("an address");
            let (start, end) = range.split_once('-').expect("a range");
            let (start, end, offset) = (hexadecimal(start), hexadecimal(end), hexadecimal(offset));
            let mut file = vec![0; usize::try_from(end - start).expect("it is mapped")];
            let source = File::open(path).expect("a file that is mapped");
            let mut done = 0;
            while let Ok(more) = source.read_at(&mut file[done..], offset + done as u64) {
                if more == 0 {
                    break;
                }
                done += more;
            }
            assert!(done > 0, "{path} is empty");
            // The last page goes on behind the end of the file.
            file.truncate(done);
            texts.push(Text {
                start,
                path: path.to_owned(),
                file,
            });
        }
        assert!(!texts.is_empty(), "process {pid} has no code");
        Self { memory, texts }
    }

    /// Where it differs from the files now: the addresses of the bytes, and the files.
    ///
    /// # Panics
    /// If the process has gone.
    pub fn changed(&self) -> Vec<(u64, &str)> {
        let mut changed = Vec::new();
        for text in &self.texts {
            let mut bytes = vec![0; text.file.len()];
            self.memory
                .read_exact_at(&mut bytes, text.start)
                .expect("the process runs");
            if bytes == text.file {
                continue;
            }
            let differences = bytes.iter().zip(&text.file).enumerate();
            let differences = differences.filter(|(_, (now, file))| now != file);
            changed.extend(differences.map(|(at, _)| (text.start + at as u64, &*text.path)));
        }
        changed
    }
}

/// The processes that hold a link of the kernel's with probes on a process, where the kernel tells.
///
/// # Panics
/// If there is no `/proc`.
pub fn holders(pid: i32) -> Vec<String> {
    let mut holders = Vec::new();
    for process in std::fs::read_dir("/proc")
        .expect("/proc is mounted")
        .flatten()
    {
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        for file in files.flatten() {
            let target = std::fs::read_link(file.path()).unwrap_or_default();
            if !target.to_string_lossy().starts_with("anon_inode:bpf") {
                continue;
            }
            let about = process.path().join("fdinfo").join(file.file_name());
            let about = std::fs::read_to_string(about).unwrap_or_default();
            let of = about.lines().find_map(|line| line.strip_prefix("pid:"));
            if of.is_some_and(|text| text.trim().parse() == Ok(pid)) {
                holders.push(process.path().display().to_string());
            }
        }
    }
    holders
}
