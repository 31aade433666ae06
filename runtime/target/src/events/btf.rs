//! The kernel's type information (Documentation/bpf/btf.rst): numbers of functions, and where members of structures are.

use super::layout::{slice, word32};

/// The most bytes of type information that are read.
const LIMIT: u64 = 64 << 20;
const MAGIC: u32 = 0xeb9f;
const KIND_STRUCT: u32 = 4;
const KIND_FUNC: u32 = 12;

/// What the kernel's type information says.
#[derive(Debug)]
pub(super) struct KernelTypes {
    bytes: Vec<u8>,
    types: u32,
    types_end: u32,
    strings: u32,
}

/// One type.
#[derive(Clone, Copy, Debug)]
struct Type {
    number: u32,
    /// Where the name is among the strings.
    name: u32,
    information: u32,
    /// Where what follows the three words is.
    more: u32,
}

impl Type {
    fn kind(self) -> u32 {
        self.information >> 24 & 0x1f
    }

    fn members(self) -> u32 {
        self.information & 0xffff
    }
}

impl KernelTypes {
    /// Reads that of the running kernel.
    ///
    /// # Errors
    /// The kernel has none, or it is not understood.
    pub fn read() -> Result<KernelTypes, String> {
        use std::io::Read;
        let path = "/sys/kernel/btf/vmlinux";
        let failed = |error: std::io::Error| format!("{path}: {error}");
        let file = std::fs::File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes).map_err(failed)?;
        KernelTypes::parse(bytes).ok_or_else(|| format!("{path}: not of a known form"))
    }

    fn parse(bytes: Vec<u8>) -> Option<KernelTypes> {
        if word32(&bytes, 0)? & 0xffff != MAGIC {
            return None;
        }
        let header = word32(&bytes, 4)?;
        let types = header.checked_add(word32(&bytes, 8)?)?;
        let types_end = types.checked_add(word32(&bytes, 12)?)?;
        let strings = header.checked_add(word32(&bytes, 16)?)?;
        slice(&bytes, types, types_end.checked_sub(types)?)?;
        Some(KernelTypes {
            bytes,
            types,
            types_end,
            strings,
        })
    }

    /// The number of a function that programs may call.
    pub fn function(&self, name: &str) -> Option<i32> {
        let found = self.find(KIND_FUNC, name)?;
        i32::try_from(found.number).ok()
    }

    /// Where a member of a structure is, in bytes, and the number of its type.
    fn member(&self, structure: Type, name: &str) -> Option<(u32, u32)> {
        for member in 0..structure.members() {
            let place = structure.more.checked_add(member.checked_mul(12)?)?;
            if !self.is_named(word32(&self.bytes, place)?, name) {
                continue;
            }
            let kind = word32(&self.bytes, place.checked_add(4)?)?;
            let bits = word32(&self.bytes, place.checked_add(8)?)?;
            // The highest bits are the width of a bit-field, where the structure has any.
            let bits = match structure.information >> 31 {
                0 => bits,
                _ => bits & 0xff_ffff,
            };
            return Some((bits / 8, kind));
        }
        None
    }

    /// Where a member of a structure is, in bytes.
    pub fn member_offset(&self, structure: &str, name: &str) -> Option<u32> {
        let structure = self.find(KIND_STRUCT, structure)?;
        self.member(structure, name).map(|(offset, _)| offset)
    }

    /// Where a member of a structure that is a member of another is, in bytes from the start of the outer one.
    pub fn nested_member(&self, outer: &str, middle: &str, inner: &str) -> Option<u32> {
        let structure = self.find(KIND_STRUCT, outer)?;
        let (first, kind) = self.member(structure, middle)?;
        let nested = self.types().find(|found| found.number == kind)?;
        let (second, _) = self.member(nested, inner)?;
        first.checked_add(second)
    }

    fn find(&self, kind: u32, name: &str) -> Option<Type> {
        self.types()
            .find(|found| found.kind() == kind && self.is_named(found.name, name))
    }

    fn is_named(&self, place: u32, name: &str) -> bool {
        let Some(start) = self.strings.checked_add(place) else {
            return false;
        };
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        let found = slice(&self.bytes, start, length.saturating_add(1));
        found.is_some_and(|found| found.strip_suffix(&[0]) == Some(name.as_bytes()))
    }

    fn types(&self) -> impl Iterator<Item = Type> {
        let mut place = self.types;
        let mut number = 0;
        std::iter::from_fn(move || {
            if place >= self.types_end {
                return None;
            }
            number += 1;
            let found = Type {
                number,
                name: word32(&self.bytes, place)?,
                information: word32(&self.bytes, place.checked_add(4)?)?,
                more: place.checked_add(12)?,
            };
            place = found.more.checked_add(trailer(found)?)?;
            Some(found)
        })
    }
}

/// How many bytes follow the three words of a type; `None` if its kind is not known, after which nothing can be read.
fn trailer(found: Type) -> Option<u32> {
    let members = found.members();
    let bytes = match found.kind() {
        // Pointers, forward declarations, names of types, qualifiers, functions, floats, type tags.
        2 | 7..=12 | 16 | 18 => 0,
        // Integers, variables, declaration tags.
        1 | 14 | 17 => 4,
        // Arrays, structures, unions, sections, enums of 64 bits.
        3 => 12,
        KIND_STRUCT | 5 | 15 | 19 => members.checked_mul(12)?,
        // Enums, prototypes.
        6 | 13 => members.checked_mul(8)?,
        _ => return None,
    };
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_types_are_understood() {
        let Ok(types) = KernelTypes::read() else {
            assert!(!std::path::Path::new("/sys/kernel/btf/vmlinux").exists());
            return;
        };
        let offset = types.nested_member("task_struct", "thread", "sp");
        assert!(offset.is_some_and(|offset| offset > 0), "{offset:?}");
        assert_eq!(types.nested_member("task_struct", "no_such", "sp"), None);
        assert_eq!(types.function("no_such_function"), None);
        assert!(types.types().count() > 1000);
    }

    #[test]
    fn damaged_types_end() {
        let mut bytes = vec![0x9f, 0xeb, 1, 0, 24, 0, 0, 0];
        bytes.extend([0u32, 16, 16, 8].map(u32::to_le_bytes).as_flattened());
        bytes.extend([0xffu8; 24]);
        let types = KernelTypes::parse(bytes).unwrap();
        // Nothing can be found after a kind that is not known.
        assert_eq!(types.types().count(), 0);
        assert_eq!(types.function("x"), None);
        assert!(KernelTypes::parse(vec![0x9f, 0xeb]).is_none());
    }
}
