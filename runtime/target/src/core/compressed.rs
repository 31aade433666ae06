//! Core files as systemd-coredump stores them: compressed with zstd (RFC 8878).
//!
//! What is unpacked goes into a file that has no name, so that nothing of it is left behind however this program ends. Its
//! zeros take no room.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError, ReadFrameHeaderError};

use super::error::CoreError;
use crate::sys;

/// What a frame begins with.
const MAGIC: u32 = 0xfd2f_b528;
/// What a frame begins with that is to be skipped, but for its last four bits. pzstd writes one before each frame; lz4 has them, too.
const SKIPPED: u32 = 0x184d_2a50;
/// So many frames that are to be skipped may come first.
const MAX_SKIPPED: usize = 64;
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
    let mut at = 0u64;
    for _ in 0..=MAX_SKIPPED {
        let mut start = [[0; 4]; 2];
        let got = sys::read_at(file.as_fd(), start.as_flattened_mut(), at);
        let [magic, length] = start.map(u32::from_le_bytes);
        match got {
            Ok(4..) if magic == MAGIC => return true,
            Ok(8) if magic & !0xf == SKIPPED => at += 8 + u64::from(length),
            _ => return false,
        }
    }
    false
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
        ended: false,
        failed: None,
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
                match skipped.map_err(|error| read_error(&error))? {
                    skipped if skipped < u64::from(length) => break Some(Lack::CutShort),
                    _ => continue,
                }
            }
            Err(error) => break Some(source.lack(Some(&error))),
        };
        let damage = loop {
            let got = match frame.read(&mut buffer) {
                Ok(got) => got,
                Err(error) => {
                    let error = error.get_ref().and_then(|error| error.downcast_ref());
                    break Some(frame.get_ref().lack(error));
                }
            };
            let Some(piece) = buffer.get(..got).filter(|piece| !piece.is_empty()) else {
                let expected = frame.decoder.get_checksum_from_data();
                let found = frame.decoder.get_calculated_checksum();
                break (expected.is_some() && found.is_some() && expected != found)
                    .then(|| Lack::Damaged("its checksum is another".to_owned()));
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
        Some(lack) if unpacked == 0 => Err(CoreError::Damaged {
            path: path.to_owned(),
            reason: match lack {
                Lack::CutShort => "it ends within the first of what is compressed".to_owned(),
                Lack::Damaged(why) => format!("it cannot be decompressed: {why}"),
            },
        }),
        ended => Ok(Unpacked {
            file: target,
            warning: ended.map(|lack| match lack {
                Lack::CutShort => "the compressed core file is cut short".to_owned(),
                Lack::Damaged(why) => format!(
                    "the compressed core file is damaged: {unpacked} bytes could be decompressed, and then {why}"
                ),
            }),
        }),
    }
}

/// Why a file cannot be unpacked to its end.
enum Lack {
    /// It ends too early.
    CutShort,
    /// What is wrong.
    Damaged(String),
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
    /// Whether more was wanted than it has.
    ended: bool,
    /// Why it could not be read.
    failed: Option<Errno>,
}

impl Counted<'_> {
    /// Why what was read of it cannot be unpacked.
    fn lack(&self, error: Option<&FrameDecoderError>) -> Lack {
        type Error = FrameDecoderError;
        if let Some(errno) = self.failed {
            return Lack::Damaged(format!("it cannot be read: {errno}"));
        }
        Lack::Damaged(match error {
            _ if self.ended => return Lack::CutShort,
            Some(Error::WindowSizeTooBig { requested, max }) => {
                format!("more memory would be needed ({requested} bytes) than is allowed ({max})")
            }
            Some(
                Error::FrameHeaderError(FrameHeaderError::WindowTooBig { .. })
                | Error::FailedToInitialize(FrameHeaderError::WindowTooBig { .. }),
            ) => "more memory would be needed than is allowed".to_owned(),
            Some(Error::DictNotProvided { .. }) => "a dictionary would be needed".to_owned(),
            Some(Error::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_))) => {
                "something follows that is not compressed with zstd".to_owned()
            }
            _ => "the data are not what zstd writes".to_owned(),
        })
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let got = self.file.read(buffer);
        if let Err(error) = &got
            && error.kind() != std::io::ErrorKind::Interrupted
        {
            self.failed = Some(sys::errno_of(error));
        }
        let got = got?;
        self.used += got as u64;
        self.ended |= got == 0 && !buffer.is_empty();
        Ok(got)
    }
}
