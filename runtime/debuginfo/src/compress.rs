//! Compressed sections: the ELF standard's (zlib, zstd) and the older `.zdebug_*` form of the GNU tools.

use std::io::Read;

use object::Endianness;

/// An unpacked section may not exceed this (4 GiB).
const MAX_UNPACKED: u64 = 4 << 30;
/// Deflate cannot expand more than 1032-fold; debug information is far from that under zstd too. Larger claims are hostile.
const MAX_RATIO: u64 = 1100;
/// Windows larger than this (128 MiB) are refused, as the zstd command does.
const MAX_ZSTD_WINDOW: u64 = 128 << 20;

const ZLIB: u32 = 1;
const ZSTD: u32 = 2;

/// Unpacks a section with `SHF_COMPRESSED`: `Elf32_Chdr` or `Elf64_Chdr`, then the compressed stream.
pub(crate) fn unpack_elf(raw: &[u8], is_64: bool, endian: Endianness) -> Result<Vec<u8>, String> {
    let (kind, size, header) = if is_64 {
        (word(raw, 0, 4, endian), word(raw, 8, 8, endian), 24)
    } else {
        (word(raw, 0, 4, endian), word(raw, 4, 4, endian), 12)
    };
    let (Some(kind), Some(size), Some(stream)) = (kind, size, raw.get(header..)) else {
        return Err("its compression header is cut short".into());
    };
    match u32::try_from(kind).unwrap_or(0) {
        ZLIB => inflate(stream, size),
        ZSTD => unzstd(stream, size),
        other => Err(format!("unknown compression method {other}")),
    }
}

/// Unpacks a `.zdebug_*` section: `ZLIB`, the size as eight bytes big endian, a zlib stream.
pub(crate) fn unpack_gnu(raw: &[u8]) -> Result<Vec<u8>, String> {
    let size = word(raw, 4, 8, Endianness::Big);
    match (raw.get(..4), size, raw.get(12..)) {
        (Some(b"ZLIB"), Some(size), Some(stream)) => inflate(stream, size),
        _ => Err("it does not start as a compressed section".into()),
    }
}

fn word(raw: &[u8], at: usize, len: usize, endian: Endianness) -> Option<u64> {
    let bytes = raw.get(at..at.checked_add(len)?)?;
    let fold = |acc: u64, b: &u8| acc << 8 | u64::from(*b);
    Some(match endian {
        Endianness::Little => bytes.iter().rev().fold(0, fold),
        Endianness::Big => bytes.iter().fold(0, fold),
    })
}

fn inflate(stream: &[u8], size: u64) -> Result<Vec<u8>, String> {
    let mut out = reserve(stream, size)?;
    let mut decoder = flate2::Decompress::new(true);
    let status = decoder
        .decompress_vec(stream, &mut out, flate2::FlushDecompress::Finish)
        .map_err(|e| format!("its zlib stream is damaged: {e}"))?;
    if status != flate2::Status::StreamEnd && out.len() as u64 != size {
        return Err("its zlib stream is cut short or longer than it says".into());
    }
    exact(out, size)
}

fn unzstd(stream: &[u8], size: u64) -> Result<Vec<u8>, String> {
    let mut out = reserve(stream, size)?;
    let decoder =
        ruzstd::decoding::StreamingDecoder::new_with_max_window_size(stream, MAX_ZSTD_WINDOW)
            .map_err(|e| format!("its zstd stream is damaged: {e}"))?;
    // One byte more than promised, to notice streams that are longer than they say.
    decoder
        .take(size + 1)
        .read_to_end(&mut out)
        .map_err(|e| format!("its zstd stream is damaged: {e}"))?;
    exact(out, size)
}

fn reserve(stream: &[u8], size: u64) -> Result<Vec<u8>, String> {
    let most = (stream.len() as u64)
        .saturating_mul(MAX_RATIO)
        .saturating_add(1 << 16)
        .min(MAX_UNPACKED);
    if size > most {
        return Err(format!(
            "it claims to unpack to {size} bytes from {}",
            stream.len()
        ));
    }
    let size = usize::try_from(size).map_err(|_| "it is too large for this machine".to_owned())?;
    let mut out = Vec::new();
    out.try_reserve_exact(size)
        .map_err(|_| format!("no memory for the {size} bytes that it unpacks to"))?;
    Ok(out)
}

fn exact(out: Vec<u8>, size: u64) -> Result<Vec<u8>, String> {
    if out.len() as u64 == size {
        Ok(out)
    } else {
        Err(format!("it unpacks to {} bytes, not {size}", out.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_sizes_are_refused_before_anything_is_allocated() {
        let mut raw = vec![0u8; 40];
        raw[0] = 1;
        raw[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(
            unpack_elf(&raw, true, Endianness::Little)
                .unwrap_err()
                .contains("claims")
        );
        raw[0] = 2;
        assert!(
            unpack_elf(&raw, true, Endianness::Little)
                .unwrap_err()
                .contains("claims")
        );
        raw[0] = 9;
        assert!(
            unpack_elf(&raw, true, Endianness::Little)
                .unwrap_err()
                .contains("method 9")
        );
        assert!(unpack_elf(&raw[..11], true, Endianness::Little).is_err());
    }

    #[test]
    fn the_old_form_unpacks() {
        use std::io::Write;
        let text = b"abcabcabc".repeat(50);
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&text).unwrap();
        let mut raw = b"ZLIB".to_vec();
        raw.extend((text.len() as u64).to_be_bytes());
        raw.extend(encoder.finish().unwrap());
        assert_eq!(unpack_gnu(&raw).unwrap(), text);
        assert!(unpack_gnu(&raw[..raw.len() - 8]).is_err());
    }
}
