//! Core files as systemd-coredump stores them: compressed with zstd (RFC 8878).
//!
//! What is unpacked goes into a file that has no name, so that nothing of it is left behind however this program ends. Its
//! zeros take no room.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::error::CoreError;
use crate::sys;

/// What a frame begins with.
const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
/// Windows larger than this (128 MiB) are refused, as the zstd command does.
const MAX_WINDOW: u64 = 128 << 20;
/// Bytes that are unpacked between two looks at limits and interrupts.
const PIECE: usize = 1 << 20;
/// Zeros are left out of the file in pieces of this many bytes.
const HOLE: usize = 64 << 10;

/// How far unpacking has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpacking {
    /// Bytes of the compressed file that have been used.
    pub used: u64,
    /// Bytes that it has.
    pub of: u64,
    /// Bytes that these came to.
    pub unpacked: u64,
}

/// A core file that was unpacked.
pub(super) struct Unpacked {
    /// A file without a name.
    pub file: File,
    /// Why it is not the whole, if it is not.
    pub warning: Option<String>,
}

/// Whether a file begins as zstd's do.
pub(super) fn is_zstd(file: &File) -> bool {
    let mut start = [0; MAGIC.len()];
    let got = sys::read_at(file.as_fd(), &mut start, 0);
    got == Ok(MAGIC.len()) && start == MAGIC
}

/// Unpacks a file, of which no more than `limit` bytes may come; `None` takes half of what is free on the disk. `progress` is
/// told now and then how far it has come, and ends it by `false`.
///
/// What is there of a file that is cut short or damaged is taken.
pub(super) fn unpack(
    file: &File,
    path: &Path,
    limit: Option<u64>,
    progress: &mut dyn FnMut(Unpacking) -> bool,
) -> Result<Unpacked, CoreError> {
    let read_error = |error: &std::io::Error| CoreError::Read {
        path: path.to_owned(),
        errno: sys::errno_of(error),
    };
    let of = file.metadata().map_err(|error| read_error(&error))?.len();
    let folder = folder();
    let store_error = |error: &std::io::Error| CoreError::Store {
        path: path.to_owned(),
        folder: folder.clone(),
        errno: sys::errno_of(error),
    };
    let target = tempfile::tempfile_in(&folder).map_err(|error| store_error(&error))?;
    let limit = match limit {
        Some(limit) => limit,
        None => free_bytes(&target).map_err(|error| store_error(&error))? / 2,
    };
    let mut source = Counted {
        file: BufReader::with_capacity(PIECE, file),
        used: 0,
    };
    let mut unpacked = 0u64;
    let mut buffer = vec![0; PIECE];
    let ended = loop {
        if source
            .file
            .fill_buf()
            .map_err(|error| read_error(&error))?
            .is_empty()
        {
            break None;
        }
        let mut frame = match StreamingDecoder::new_with_max_window_size(&mut source, MAX_WINDOW) {
            Ok(frame) => frame,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let skipped = std::io::copy(
                    &mut source.by_ref().take(u64::from(length)),
                    &mut std::io::sink(),
                );
                skipped.map_err(|error| read_error(&error))?;
                continue;
            }
            Err(error) => break Some(error.to_string()),
        };
        let damage = loop {
            let got = match frame.read(&mut buffer) {
                Ok(got) => got,
                Err(error) => break Some(error.to_string()),
            };
            let Some(piece) = buffer.get(..got).filter(|piece| !piece.is_empty()) else {
                let expected = frame.decoder.get_checksum_from_data();
                let found = frame.decoder.get_calculated_checksum();
                break (expected.is_some() && found.is_some() && expected != found)
                    .then(|| "its checksum is another".to_owned());
            };
            if unpacked.saturating_add(got as u64) > limit {
                return Err(CoreError::TooLarge {
                    path: path.to_owned(),
                    limit,
                });
            }
            store(&target, piece, unpacked).map_err(|error| store_error(&error))?;
            unpacked += got as u64;
            let used = frame.get_ref().used;
            if !progress(Unpacking { used, of, unpacked }) {
                return Err(CoreError::Interrupted {
                    path: path.to_owned(),
                });
            }
        };
        if damage.is_some() {
            break damage;
        }
    };
    target
        .set_len(unpacked)
        .map_err(|error| store_error(&error))?;
    match ended {
        Some(why) if unpacked == 0 => Err(CoreError::Damaged {
            path: path.to_owned(),
            reason: format!("it cannot be decompressed: {why}"),
        }),
        ended => Ok(Unpacked {
            file: target,
            warning: ended.map(|why| {
                format!("the compressed core file is cut short or damaged: after {unpacked} bytes it cannot be decompressed: {why}")
            }),
        }),
    }
}

/// Writes what is not zeros.
fn store(target: &File, piece: &[u8], at: u64) -> std::io::Result<()> {
    let mut offset = at;
    for part in piece.chunks(HOLE) {
        if part.iter().any(|byte| *byte != 0) {
            target.write_all_at(part, offset)?;
        }
        offset += part.len() as u64;
    }
    Ok(())
}

/// Where large temporary files go: `/tmp` is memory on many machines.
fn folder() -> PathBuf {
    let large = Path::new("/var/tmp");
    match std::env::var_os("TMPDIR") {
        None if large.is_dir() => large.to_owned(),
        _ => std::env::temp_dir(),
    }
}

/// Bytes that may still be stored where a file is.
fn free_bytes(file: &File) -> std::io::Result<u64> {
    let system = nix::sys::statvfs::fstatvfs(file)?;
    Ok(system
        .blocks_available()
        .saturating_mul(system.fragment_size()))
}

/// A file that counts what was read of it.
struct Counted<'a> {
    file: BufReader<&'a File>,
    used: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let got = self.file.read(buffer)?;
        self.used += got as u64;
        Ok(got)
    }
}
