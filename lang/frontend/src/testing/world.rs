//! A target that is a few pages of bytes, and a host that remembers what it is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use ytrace_values::host::{
    HitQuestion, MappingRecord, ModuleRecord, PageFigure, Stack, ThreadRecord,
};
use ytrace_values::memory::MemoryError;
use ytrace_values::{Fault, FaultKind, Host, Memory, Page};

/// The size of the pages of [`SparseMemory`], which is not that of any real machine.
pub const PAGE_SIZE: u64 = 256;

/// Memory that exists only where it was written.
#[derive(Clone, Debug, Default)]
pub struct SparseMemory {
    pages: BTreeMap<u64, Arc<Vec<u8>>>,
    /// How often a page was asked for.
    pub requests: u64,
}

impl SparseMemory {
    /// Writes bytes; the pages that they touch exist from then on.
    pub fn write(&mut self, address: u64, bytes: &[u8]) {
        for (index, byte) in bytes.iter().enumerate() {
            let at = address.wrapping_add(index as u64);
            let page = self
                .pages
                .entry(at / PAGE_SIZE)
                .or_insert_with(|| Arc::new(vec![0; PAGE_SIZE as usize]));
            if let Some(slot) = Arc::make_mut(page).get_mut((at % PAGE_SIZE) as usize) {
                *slot = *byte;
            }
        }
    }
}

impl Memory for SparseMemory {
    fn page_size(&self) -> u64 {
        PAGE_SIZE
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        self.requests += 1;
        self.pages
            .get(&(address / PAGE_SIZE))
            .and_then(|bytes| Page::new(bytes.clone(), 0, bytes.len()))
            .ok_or(MemoryError::Unmapped { address })
    }
}

/// Remembers output, warnings and cross-checks; answers with fixed values.
#[derive(Debug, Default)]
pub struct RecordingHost {
    /// What was printed.
    pub output: Vec<u8>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Cross-checks: name and both sides.
    pub checks: Vec<(String, i64, i64)>,
    /// The hit that the handler at hand runs for.
    pub hit: Option<Hit>,
    clock: u64,
}

/// What is known of a hit. What is not given is not available.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hit {
    /// The thread.
    pub tid: Option<u64>,
    /// General registers, by their DWARF numbers.
    pub registers: BTreeMap<u64, u64>,
    /// The low halves of vector registers.
    pub vectors: BTreeMap<u64, u64>,
    /// The arguments that the event gives.
    pub arguments: BTreeMap<u64, u64>,
    /// Where the function begins; 0 where the point is no function's.
    pub function: u64,
    /// The weight of the hit in a sample; without it each hit is in it, and stands for its own bytes.
    pub weight: Option<u64>,
    /// The values as of entry, or the faults that their functions ended with.
    pub entry: Vec<Result<u64, String>>,
}

impl Hit {
    fn answer(&self, question: HitQuestion) -> Result<u64, String> {
        let known = |map: &BTreeMap<u64, u64>, number: &u64, what: &str| {
            let value = map.get(number).copied();
            value.ok_or_else(|| format!("{what} {number} is not known"))
        };
        match question {
            HitQuestion::Register(number) => known(&self.registers, &number, "register"),
            HitQuestion::Vector(number) => known(&self.vectors, &number, "vector register"),
            HitQuestion::Argument(number) => known(&self.arguments, &number, "argument"),
            HitQuestion::Function => Ok(self.function),
            HitQuestion::Entry(index) => match usize::try_from(index)
                .ok()
                .and_then(|index| self.entry.get(index))
            {
                Some(value) => value.clone(),
                None => Err(format!("entry value {index} is not known")),
            },
            HitQuestion::Sample { bytes, .. } => Ok(self.weight.unwrap_or(bytes)),
        }
    }
}

impl Host for RecordingHost {
    fn print(&mut self, text: &[u8]) -> Result<(), Fault> {
        self.output.extend_from_slice(text);
        Ok(())
    }

    fn warn(&mut self, text: &str) -> Result<(), Fault> {
        self.warnings.push(text.to_owned());
        Ok(())
    }

    fn assert_equal(
        &mut self,
        name: &str,
        left: i64,
        right: i64,
        tolerance: u64,
    ) -> Result<(), Fault> {
        let name = match tolerance {
            0 => name.to_owned(),
            _ => format!("{name} (± {tolerance})"),
        };
        self.checks.push((name, left, right));
        Ok(())
    }

    fn now_ns(&mut self) -> u64 {
        self.clock += 1000;
        self.clock
    }

    fn pid(&mut self) -> u64 {
        4211
    }

    fn tid(&mut self) -> u64 {
        self.hit.as_ref().and_then(|hit| hit.tid).unwrap_or(4212)
    }

    fn hit(&mut self, question: HitQuestion) -> Result<u64, Fault> {
        let answer = match &self.hit {
            Some(hit) => hit.answer(question),
            None => Err("nothing was hit".to_owned()),
        };
        answer.map_err(|why| Fault::new(FaultKind::NotAvailable).with_message(why))
    }

    fn execname(&mut self) -> Vec<u8> {
        b"nginx".to_vec()
    }

    fn symbol_name(&mut self, address: u64) -> Option<String> {
        (0x40_0000..0x40_1000)
            .contains(&address)
            .then(|| match address - 0x40_0000 {
                0 => "main".to_owned(),
                offset => format!("main+{offset:#x}"),
            })
    }

    fn object_bytes(&mut self, address: u64) -> Option<u64> {
        (0x40_0000..0x40_1000).contains(&address).then_some(0x3000)
    }

    fn register(&mut self, name: &str, tid: u64) -> Result<u64, Fault> {
        match name {
            "rip" => Ok(0x40_0010),
            "rsp" => Ok(0x7fff_0000 + tid),
            _ => {
                Err(Fault::new(FaultKind::NotAvailable)
                    .with_message(format!("no register `{name}`")))
            }
        }
    }

    fn backtrace(&mut self, _tid: u64, _memory: &mut dyn Memory) -> Result<Stack, Fault> {
        Ok(Stack {
            frames: vec![0x40_0010, 0x40_0000],
            truncated: false,
        })
    }

    fn thread_local(&mut self, variable: u32, tid: u64) -> Result<u64, Fault> {
        if variable == 0 {
            Ok(0x9000 + 0x100 * (tid % 16))
        } else {
            Err(Fault::new(FaultKind::NotAvailable))
        }
    }

    fn residency(&mut self, address: u64, length: u64, figure: PageFigure) -> Option<u64> {
        let pages = length & !0xff;
        (address >= 0x1000).then_some(match figure {
            PageFigure::Resident => pages,
            PageFigure::Unshared => pages / 2,
            PageFigure::Swapped => 0x100,
        })
    }

    fn process_bytes(&mut self, field: &str) -> Option<u64> {
        match field {
            "VmRSS" => Some(0x5000),
            "Pss" => Some(0x4800),
            _ => None,
        }
    }

    fn cgroup_bytes(&mut self, figure: &str) -> Result<Option<u64>, Fault> {
        match figure {
            "usage" => Ok(Some(0x9000)),
            "limit" => Ok(None),
            _ => Err(Fault::new(FaultKind::NotAvailable)
                .with_message(format!("no figure is called {figure}"))),
        }
    }

    fn mappings(&mut self, proportional: bool) -> Result<Vec<MappingRecord>, Fault> {
        let mapping = |start: u64, end: u64, perms: &str, file: &str| MappingRecord {
            start,
            end,
            perms: perms.to_owned(),
            file: file.as_bytes().to_vec(),
            rss: Some(end - start),
            unshared: Some((end - start) / 2),
            hugetlb: Some(0),
            device: if file.starts_with('/') {
                8 << 20 | 1
            } else {
                0
            },
            inode: if file.starts_with('/') { 42 } else { 0 },
            pss: proportional.then_some((end - start) / 4 * 3),
            ..MappingRecord::default()
        };
        Ok(vec![
            mapping(0x40_0000, 0x40_1000, "r-xp", "/usr/sbin/nginx"),
            mapping(0x1000, 0x3000, "rw-p", "[heap]"),
            mapping(0x7000_0000, 0x7000_2000, "rw-p", ""),
        ])
    }

    fn threads(&mut self) -> Result<Vec<ThreadRecord>, Fault> {
        Ok(["nginx", "pool"]
            .iter()
            .zip(4211..)
            .map(|(name, tid)| ThreadRecord {
                tid,
                name: name.as_bytes().to_vec(),
                state: "S".to_owned(),
                sp: 0x7fff_0000 + tid,
            })
            .collect())
    }

    fn modules(&mut self) -> Result<Vec<ModuleRecord>, Fault> {
        Ok(vec![ModuleRecord {
            name: b"libc.so.6".to_vec(),
            path: b"/usr/lib/libc.so.6".to_vec(),
            start: 0x7100_0000,
            end: 0x7120_0000,
            build_id: "00ff".to_owned(),
        }])
    }
}
