//! The records of `perf_event_open`, taken apart (`linux/perf_event.h`).

use super::super::layout::{slice, word32, word64};
use super::super::perf::Shape;
use super::super::program::Register;

/// Bytes before what a record tells.
pub(super) const HEADER_BYTES: u64 = 8;
/// Bytes of the shortest record: what is told besides samples ends with where it is from.
pub(super) const MIN_RECORD: u64 = HEADER_BYTES + FROM_BYTES as u64;
/// Thread and process, time, processor, and the number of the event.
const FROM_BYTES: u32 = 32;
/// So many registers has a sample.
const REGISTERS: usize = 18;

/// `PERF_RECORD_*`.
const LOST: u32 = 2;
const COMM: u32 = 3;
pub(super) const EXIT: u32 = 4;
const THROTTLE: u32 = 5;
pub(super) const FORK: u32 = 7;
pub(super) const SAMPLE: u32 = 9;
/// Another name that another program has brought (`PERF_RECORD_MISC_COMM_EXEC`).
const BY_EXEC: u16 = 1 << 13;

/// `struct perf_event_header`: the kind, four bytes; bits, two; the length, two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header(pub u64);

impl Header {
    /// `PERF_RECORD_*`.
    pub fn kind(self) -> u32 {
        self.0 as u32
    }

    /// The bytes of the record.
    pub fn length(self) -> u64 {
        self.0 >> 48
    }

    /// Whether another program is told of.
    pub fn is_program(self) -> bool {
        self.kind() == COMM && (self.0 >> 32) as u16 & BY_EXEC != 0
    }

    /// Where the time is: from the beginning of the record, or from its end.
    pub fn time_place(self) -> i64 {
        match self.kind() {
            // After the header, the number of the event and those of the thread.
            SAMPLE => 24,
            _ => -24,
        }
    }
}

/// Two numbers of four bytes in a word.
pub(super) fn halves(word: u64) -> (i32, i32) {
    (word as u32 as i32, (word >> 32) as u32 as i32)
}

/// Where a record is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct From {
    pub pid: i32,
    pub tid: i32,
    /// Nanoseconds of the monotonic clock.
    pub time: u64,
    pub cpu: u32,
    /// The number of the event.
    pub id: u64,
}

/// What a record besides samples tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A thread of a process, or another process, begins.
    Begin { pid: i32, parent: i32, tid: i32 },
    /// The thread ends.
    End { pid: i32, tid: i32 },
    /// The process runs another program.
    Program { pid: i32, tid: i32 },
    /// So many records found no room before this one.
    Lost(u64),
    /// The kernel has stopped an event that came too often, for a moment.
    Throttled,
    /// Something else.
    Other,
}

/// What a record besides samples tells, and where it is from.
pub(super) fn told(bytes: &[u8]) -> Option<(From, Told)> {
    let header = Header(word64(bytes, 0)?);
    let end = u32::try_from(bytes.len()).ok()?.checked_sub(FROM_BYTES)?;
    let (pid, tid) = halves(word64(bytes, end)?);
    let from = From {
        pid,
        tid,
        time: word64(bytes, end + 8)?,
        cpu: word32(bytes, end + 16)?,
        id: word64(bytes, end + 24)?,
    };
    let told = match header.kind() {
        FORK | EXIT => {
            let (pid, parent) = halves(word64(bytes, 8)?);
            let (tid, _) = halves(word64(bytes, 16)?);
            match header.kind() {
                FORK => Told::Begin { pid, parent, tid },
                _ => Told::End { pid, tid },
            }
        }
        COMM => {
            let (pid, tid) = halves(word64(bytes, 8)?);
            match header.is_program() {
                true => Told::Program { pid, tid },
                false => Told::Other,
            }
        }
        LOST => Told::Lost(word64(bytes, 16)?),
        THROTTLE => Told::Throttled,
        _ => Told::Other,
    };
    Some((from, told))
}

/// A sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<'a> {
    pub from: From,
    /// The address of a page fault.
    pub address: u64,
    pub registers: Registers,
    /// The stack from the stack pointer upwards, as much of it as could be read, and how much was to be.
    pub stack: &'a [u8],
    pub stack_wanted: u32,
}

/// The number of the event that a sample is of.
pub(super) fn event_of(bytes: &[u8]) -> Option<u64> {
    word64(bytes, 8)
}

/// Takes a sample of an event apart.
pub(super) fn sample(bytes: &[u8], shape: Shape) -> Option<Sample<'_>> {
    let (pid, tid) = halves(word64(bytes, 16)?);
    let mut at = 32;
    let mut address = 0;
    if shape.address {
        address = word64(bytes, at)?;
        at += 8;
    }
    let from = From {
        pid,
        tid,
        time: word64(bytes, 24)?,
        cpu: word32(bytes, at)?,
        id: event_of(bytes)?,
    };
    at += 8;
    let mut registers = Registers::default();
    if shape.registers {
        // There are none where the thread has no program, or is in none.
        let some = word64(bytes, at)? != 0;
        at += 8;
        if some {
            for register in &mut registers.words {
                *register = word64(bytes, at)?;
                at += 8;
            }
        }
    }
    let (mut stack, mut stack_wanted) = (&[][..], 0);
    if shape.stack_bytes > 0 {
        let room = u32::try_from(word64(bytes, at)?).ok()?;
        if room > 0 {
            let read = word64(bytes, at.checked_add(8)?.checked_add(room)?)?;
            stack = slice(bytes, at + 8, room.min(u32::try_from(read).ok()?))?;
        }
        // A sample that would be longer than 64 KiB has less.
        stack_wanted = room;
    }
    Some(Sample {
        from,
        address,
        registers,
        stack,
        stack_wanted,
    })
}

/// Registers, in the kernel's order: `enum perf_event_x86_regs` without those of segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Registers {
    words: [u64; REGISTERS],
}

impl Registers {
    /// One of them; `None` for the thread pointer, which the kernel does not sample.
    pub fn get(&self, register: Register) -> Option<u64> {
        let place = match register {
            Register::Rax => 0,
            Register::Rbx => 1,
            Register::Rcx => 2,
            Register::Rdx => 3,
            Register::Rsi => 4,
            Register::Rdi => 5,
            Register::Rbp => 6,
            Register::Rsp => 7,
            Register::Rip => 8,
            Register::Rflags => 9,
            Register::R8 => 10,
            Register::R9 => 11,
            Register::R10 => 12,
            Register::R11 => 13,
            Register::R12 => 14,
            Register::R13 => 15,
            Register::R14 => 16,
            Register::R15 => 17,
            Register::FsBase => return None,
        };
        self.words.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u32, bits: u16, words: &[u64]) -> Vec<u8> {
        let length = 8 + 8 * words.len() as u64;
        let header = u64::from(kind) | u64::from(bits) << 32 | length << 48;
        let all = [&[header], words].concat();
        all.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn what_is_told_is_taken_apart() {
        let from = [7 | 8 << 32, 1000, 3, 55];
        let fork = record(
            FORK,
            0,
            &[&[20 | 7 << 32, 21 | 8 << 32, 999][..], &from].concat(),
        );
        let begin = Told::Begin {
            pid: 20,
            parent: 7,
            tid: 21,
        };
        let place = From {
            pid: 7,
            tid: 8,
            time: 1000,
            cpu: 3,
            id: 55,
        };
        assert_eq!(told(&fork), Some((place, begin)));
        let name = [&[7 | 8 << 32, 0x61][..], &from].concat();
        let program = Told::Program { pid: 7, tid: 8 };
        assert_eq!(told(&record(COMM, BY_EXEC, &name)), Some((place, program)));
        assert_eq!(told(&record(COMM, 0, &name)), Some((place, Told::Other)));
        let lost = record(LOST, 0, &[&[55, 12][..], &from].concat());
        assert_eq!(told(&lost), Some((place, Told::Lost(12))));
        assert_eq!(told(&lost[..20]), None);
    }

    #[test]
    fn a_sample_is_taken_apart() {
        let shape = Shape {
            address: true,
            registers: true,
            stack_bytes: 16,
        };
        let mut words = vec![55, 7 | 8 << 32, 1000, 0xadd7, 3, 2];
        words.extend(100..118);
        words.extend([16, 1, 2, 8]);
        let bytes = record(SAMPLE, 0, &words);
        let found = sample(&bytes, shape).unwrap();
        assert_eq!(
            (found.address, found.from.cpu, found.from.tid),
            (0xadd7, 3, 8)
        );
        assert_eq!(found.registers.get(Register::Rax), Some(100));
        assert_eq!(found.registers.get(Register::R15), Some(117));
        assert_eq!(found.registers.get(Register::Rdi), Some(105));
        assert_eq!(found.registers.get(Register::FsBase), None);
        assert_eq!(
            (found.stack, found.stack_wanted),
            (&[1, 0, 0, 0, 0, 0, 0, 0][..], 16)
        );
        assert!(sample(&bytes[..bytes.len() - 8], shape).is_none());
    }
}
