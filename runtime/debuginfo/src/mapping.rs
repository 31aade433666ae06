//! File contents as shared bytes. The only file of this crate with `unsafe` code.
//!
//! A mapped file that somebody truncates raises SIGBUS at the next read of a lost page. A private map does not prevent that, and no
//! check can, since the file may shrink between the check and the read. So a file is mapped only if nobody but root and this user
//! may write to it; every other file is read into memory, where nothing can take it away.
#![allow(unsafe_code)]

use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read;
use std::ops::{Deref, Range};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};

/// Files larger than this are refused (64 GiB): no ELF file is, and the size comes from a stranger.
const MAX_FILE: u64 = 64 << 30;
/// Files that must be read rather than mapped may not be larger than this (1 GiB).
const MAX_COPIED: u64 = 1 << 30;

enum Owner {
    Map(memmap2::Mmap),
    Heap(Vec<u8>),
}

impl Owner {
    fn bytes(&self) -> &[u8] {
        match self {
            Owner::Map(map) => map,
            Owner::Heap(bytes) => bytes,
        }
    }
}

/// A range of bytes that stay in place for as long as any clone lives: a mapped file, a part of one, or a buffer.
#[derive(Clone)]
pub struct SharedBytes {
    owner: Arc<Owner>,
    range: Range<usize>,
}

impl SharedBytes {
    /// The content of a regular file, mapped or copied. `path` is used in errors only.
    ///
    /// # Errors
    /// The file is not regular, too large, or cannot be read.
    pub fn from_file(file: &File, path: &Path) -> Result<Self> {
        let open = |source| Error::Open {
            path: path.to_owned(),
            source: Arc::new(source),
        };
        let meta = file.metadata().map_err(open)?;
        if !meta.is_file() {
            return Err(Error::NotRegular {
                path: path.to_owned(),
            });
        }
        let limit = if safe_to_map(&meta) {
            MAX_FILE
        } else {
            MAX_COPIED
        };
        if meta.len() > limit {
            return Err(Error::TooLarge {
                path: path.to_owned(),
                what: "the file".into(),
                size: meta.len(),
                limit,
            });
        }
        if meta.len() == 0 {
            return Ok(Self::from_vec(Vec::new()));
        }
        if safe_to_map(&meta) {
            // SAFETY: the map is private and read-only, so no write through it exists. Its bytes change under us only if root or this
            // user writes to the file while it is open, which `safe_to_map` cannot exclude and which is the user's own doing; parsers
            // of these bytes check every bound anew, so changed bytes lead to wrong answers or errors, not to stray reads.
            let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(file) };
            // Some file systems refuse maps; reading serves as well.
            if let Ok(map) = map {
                return Ok(Self::new(Owner::Map(map)));
            }
        }
        let mut bytes = Vec::new();
        file.take(MAX_COPIED)
            .read_to_end(&mut bytes)
            .map_err(open)?;
        Ok(Self::from_vec(bytes))
    }

    /// Takes over a buffer.
    #[must_use]
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        Self::new(Owner::Heap(bytes))
    }

    fn new(owner: Owner) -> Self {
        let range = 0..owner.bytes().len();
        SharedBytes {
            owner: Arc::new(owner),
            range,
        }
    }

    /// A part of these bytes, or `None` where the range does not lie within them. Nothing is copied.
    #[must_use]
    pub fn slice(&self, offset: u64, len: u64) -> Option<Self> {
        let start = self
            .range
            .start
            .checked_add(usize::try_from(offset).ok()?)?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        (end <= self.range.end).then(|| SharedBytes {
            owner: Arc::clone(&self.owner),
            range: start..end,
        })
    }
}

/// Whether only root and the present user can change the file.
fn safe_to_map(meta: &Metadata) -> bool {
    let own = std::fs::metadata("/proc/self").map(|m| m.uid());
    let trusted_owner = meta.uid() == 0 || own.is_ok_and(|uid| uid == meta.uid());
    trusted_owner && meta.mode() & 0o022 == 0
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.owner
            .bytes()
            .get(self.range.clone())
            .unwrap_or_default()
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedBytes({} bytes)", self.len())
    }
}

// SAFETY: the bytes belong to an `Owner` behind an `Arc`, which never moves or changes them; `range` is immutable. So `deref` gives
// the same address for the life of the value, wherever the value itself moves.
unsafe impl gimli::StableDeref for SharedBytes {}
// SAFETY: a clone shares the `Owner` and has the same range, hence derefs to the same address.
unsafe impl gimli::CloneStableDeref for SharedBytes {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_that_others_may_write_is_copied_and_survives_truncation() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7u8; 100_000]).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o666)).unwrap();
        // The temporary file's own handle stands at its end; open it again as the crate's users do.
        let reopened = File::open(file.path()).unwrap();
        let bytes = SharedBytes::from_file(&reopened, file.path()).unwrap();
        file.as_file().set_len(0).unwrap();
        assert_eq!(bytes.len(), 100_000);
        assert!(bytes.iter().all(|&b| b == 7));
    }

    #[test]
    fn slices_stay_within_their_parent() {
        let bytes = SharedBytes::from_vec((0..10).collect());
        let part = bytes.slice(2, 5).unwrap();
        assert_eq!(&*part, &[2, 3, 4, 5, 6]);
        assert!(part.slice(3, 3).is_none());
        assert!(bytes.slice(u64::MAX, 2).is_none());
        assert_eq!(&*part.slice(1, 2).unwrap(), &[3, 4]);
    }

    #[test]
    fn directories_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::open(dir.path()).unwrap();
        assert!(matches!(
            SharedBytes::from_file(&file, dir.path()),
            Err(Error::NotRegular { .. })
        ));
    }
}
