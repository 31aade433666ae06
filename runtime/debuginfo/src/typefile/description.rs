//! What a types file says of itself: a fixed place right after the ELF header, so that damage is told before anything is parsed.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `ytrtypes` |
//! | 4 | version of this format |
//! | 4 | CRC-32 of the whole file, these four bytes taken as zero |
//! | 8 | length of the whole file |
//! | rest | texts, each as two bytes of length and that many of UTF-8: file name of the module, its soname, the program that wrote it |
//!
//! All numbers are little endian, whatever the module's are.

/// The section that holds the description.
pub(super) const SECTION: &str = ".ytrace.types";
const MAGIC: [u8; 8] = *b"ytrtypes";
/// To be raised whenever files can no longer be read as before.
pub(super) const VERSION: u32 = 1;

/// Which module a types file is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Description {
    /// The module's file name.
    pub file_name: String,
    /// Its soname, or empty.
    pub soname: String,
    /// The program that wrote the file.
    pub producer: String,
}

/// Where the description begins: after the ELF header, whose size depends on the class.
pub(super) fn place(is_64: bool) -> usize {
    if is_64 { 64 } else { 52 }
}

impl Description {
    /// Appends it; length and checksum are filled in by [`seal`].
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend([0; 12]);
        for text in [&self.file_name, &self.soname, &self.producer] {
            let len = text.len().min(usize::from(u16::MAX));
            out.extend((len as u16).to_le_bytes());
            out.extend(text.bytes().take(len));
        }
    }

    /// Reads it and checks that the file is whole.
    ///
    /// # Errors
    /// What is wrong with the file, as a clause about it.
    pub fn read(file: &[u8]) -> Result<Self, String> {
        if !file.starts_with(b"\x7fELF") {
            return Err("it is not a types file".to_owned());
        }
        let at = place(file.get(4) != Some(&1));
        let number = |from: usize, len: usize| {
            let bytes = file.get(at + from..at + from + len)?;
            Some(bytes.iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b)))
        };
        if file.get(at..at + 8) != Some(&MAGIC) {
            return Err(
                "it is not a types file; if it is a debug file, --debug-file MODULE=FILE uses it"
                    .to_owned(),
            );
        }
        let short = || "it is cut short".to_owned();
        let version = number(8, 4).ok_or_else(short)?;
        if version != u64::from(VERSION) {
            return Err(format!(
                "its format is version {version}, this program reads version {VERSION}; extract it again"
            ));
        }
        let length = number(16, 8).ok_or_else(short)?;
        if (file.len() as u64) < length {
            return Err(format!("it is cut short: {} bytes of {length}", file.len()));
        }
        if file.len() as u64 > length || number(12, 4) != Some(u64::from(checksum(file, at))) {
            return Err("it is damaged: its checksum does not agree".to_owned());
        }
        let mut rest = file.get(at + 24..).unwrap_or_default();
        let mut text = || -> Option<String> {
            let (len, after) = rest.split_first_chunk::<2>()?;
            let (text, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
            rest = after;
            Some(String::from_utf8_lossy(text).into_owned())
        };
        let mut next = || text().ok_or_else(short);
        Ok(Description {
            file_name: next()?,
            soname: next()?,
            producer: next()?,
        })
    }
}

/// Fills in length and checksum.
pub(super) fn seal(file: &mut [u8], is_64: bool) {
    let at = place(is_64);
    let length = (file.len() as u64).to_le_bytes();
    if let Some(place) = file.get_mut(at + 16..at + 24) {
        place.copy_from_slice(&length);
    }
    let sum = checksum(file, at).to_le_bytes();
    if let Some(place) = file.get_mut(at + 12..at + 16) {
        place.copy_from_slice(&sum);
    }
}

fn checksum(file: &[u8], at: usize) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(file.get(..at + 12).unwrap_or_default());
    hasher.update(&[0; 4]);
    hasher.update(file.get(at + 16..).unwrap_or_default());
    hasher.finalize()
}
