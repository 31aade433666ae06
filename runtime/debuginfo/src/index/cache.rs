//! Keeps indexes on disk, one file per debug file, in a directory that only the user may enter.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Index;
use crate::elf::ElfImage;

/// An index larger than this is not read (4 GiB).
const MAX_INDEX: u64 = 4 << 30;

/// Tells debug files apart: build-id or content, size, and checksums of section headers and of the start of the debug information.
///
/// It guards against stale indexes, not against forged files: checksums are easily forged, but so is a build-id, and an index is
/// only ever trusted as far as the debug file confirms it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a debug file and its supplementary file.
    pub fn of(main: &ElfImage, sup: Option<&ElfImage>) -> Self {
        let mut bytes = [0; 32];
        let parts = [Some(main), sup].map(|image| image.map_or([0; 16], part));
        for (to, from) in bytes.iter_mut().zip(parts.iter().flatten()) {
            *to = *from;
        }
        Fingerprint(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn hex(&self) -> String {
        let crc = crc32fast::hash(&self.0);
        let other = crc32fast::hash(&[&self.0[..], b"2"].concat());
        format!("{crc:08x}{other:08x}")
    }
}

/// Sixteen bytes per file: size, checksum of the headers, checksum of the content or of the identity.
fn part(image: &ElfImage) -> [u8; 16] {
    let mut headers = crc32fast::Hasher::new();
    for s in &image.sections {
        headers.update(s.name.as_bytes());
        for number in [s.address, s.size, s.offset, s.flags, u64::from(s.kind)] {
            headers.update(&number.to_le_bytes());
        }
    }
    let mut content = crc32fast::Hasher::new();
    match &image.build_id {
        Some(id) => {
            content.update(id);
            // The start of the entries catches files that were post-processed and kept their id.
            let info = image.find_section(".debug_info");
            if let Some(Ok(Some(raw))) = info.map(|i| image.raw_content(i)) {
                content.update(raw.get(..raw.len().min(1 << 16)).unwrap_or_default());
            }
        }
        None => content.update(&image.data),
    }
    let mut out = [0; 16];
    let parts = (image.data.len() as u64).to_le_bytes().into_iter();
    let parts = parts
        .chain(headers.finalize().to_le_bytes())
        .chain(content.finalize().to_le_bytes());
    for (to, from) in out.iter_mut().zip(parts) {
        *to = from;
    }
    out
}

/// The directory of indexes.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    dir: PathBuf,
}

impl Cache {
    pub fn new(dir: PathBuf) -> Self {
        Cache { dir }
    }

    fn path(&self, image: &ElfImage, fingerprint: &Fingerprint) -> PathBuf {
        let id: String = match &image.build_id {
            Some(id) => id.iter().map(|b| format!("{b:02x}")).collect(),
            None => "content".into(),
        };
        self.dir.join(format!("{id}-{}.index", fingerprint.hex()))
    }

    /// The stored index of these debug files; `None` where there is none or it is stale or damaged.
    pub fn load(&self, image: &ElfImage, fingerprint: &Fingerprint) -> Option<Index> {
        let file = File::open(self.path(image, fingerprint)).ok()?;
        let meta = file.metadata().ok()?;
        if !meta.is_file() || meta.len() > MAX_INDEX || !trusted(&meta) {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).ok()?);
        file.take(MAX_INDEX).read_to_end(&mut bytes).ok()?;
        Index::from_bytes(bytes, fingerprint)
    }

    /// Stores an index: under a temporary name first, so that nobody ever sees a part of it.
    ///
    /// # Errors
    /// The directory cannot be made, is not the user's own, or cannot be written to. Nothing is left behind then.
    pub fn store(
        &self,
        image: &ElfImage,
        fingerprint: &Fingerprint,
        index: &Index,
    ) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)?;
        let meta = fs::metadata(&self.dir)?;
        if !trusted(&meta) {
            return Err(io::Error::other(format!(
                "{} belongs to somebody else or others may write to it",
                self.dir.display()
            )));
        }
        let path = self.path(image, fingerprint);
        let temporary = temporary_name(&path);
        let result = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| file.write_all(index.bytes()))
            .and_then(|()| fs::rename(&temporary, &path));
        if result.is_err() {
            // What matters is the first error; that the temporary file stays too is no further news.
            drop(fs::remove_file(&temporary));
        }
        result
    }
}

/// Unique among all processes and threads of this machine that may write at once.
fn temporary_name(path: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos());
    path.with_extension(format!("{}-{count}-{time}.tmp", std::process::id()))
}

/// Whether the file or directory belongs to this user (or root) and nobody else may write to it.
pub(crate) fn trusted(meta: &fs::Metadata) -> bool {
    let own = fs::metadata("/proc/self").map(|m| m.uid());
    let owner = meta.uid() == 0 || own.is_ok_and(|uid| uid == meta.uid());
    owner && meta.mode() & 0o022 == 0
}
