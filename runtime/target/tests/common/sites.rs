//! Places in programs that tests probe.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use object::{Object, ObjectSegment, ObjectSymbol};
use ytrace_target::events::Site;

/// The executable of a test and its functions.
pub struct Executable {
    file: Arc<File>,
    bytes: Vec<u8>,
}

impl Executable {
    pub fn open(path: &Path) -> Executable {
        Executable {
            file: Arc::new(File::open(path).unwrap()),
            bytes: std::fs::read(path).unwrap(),
        }
    }

    /// Where a function begins in the file.
    pub fn offset(&self, function: &str) -> u64 {
        let object = object::File::parse(self.bytes.as_slice()).unwrap();
        let symbol = object
            .symbols()
            .find(|symbol| symbol.name() == Ok(function));
        let address = symbol.unwrap().address();
        let segment = object.segments().find(|segment| {
            (segment.address()..segment.address() + segment.size()).contains(&address)
        });
        let segment = segment.unwrap();
        address - segment.address() + segment.file_range().0
    }

    /// The first instruction of a function. It is not `endbr64`, which the kernel would step over.
    pub fn site(&self, function: &str, cookie: u32) -> Site {
        let offset = self.offset(function);
        let start = &self.bytes[offset as usize..];
        let skip = if start.starts_with(&[0xf3, 0x0f, 0x1e, 0xfa]) {
            4
        } else {
            0
        };
        Site {
            file: Arc::clone(&self.file),
            offset: offset + skip,
            semaphore: None,
            cookie,
        }
    }
}
