//! A small program, a target of one block of memory, and a host that remembers.
#![allow(dead_code, missing_docs)]

use std::sync::Arc;

use ytrace_values::constants::{
    ContainerType, ContainerTypeId, Element, Format, Scalar, Shape, ShapeField, ShapeId,
};
use ytrace_values::host::{MappingRecord, ModuleRecord, PageFigure, Stack, ThreadRecord};
use ytrace_values::memory::MemoryError;
use ytrace_values::{Constants, Fault, Host, Limits, Machine, Memory, Operation, Page, Store};

/// Where the target's memory begins.
pub const BASE: u64 = 0x10_0000;
pub const PAGE: u64 = 4096;

pub struct Block(pub Vec<u8>);

impl Memory for Block {
    fn page_size(&self) -> u64 {
        PAGE
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        let unmapped = MemoryError::Unmapped { address };
        let offset = address.checked_sub(BASE).ok_or(unmapped)? as usize;
        let bytes = self.0.get(offset..offset + PAGE as usize).ok_or(unmapped)?;
        Page::new(Arc::new(bytes.to_vec()), 0, bytes.len()).ok_or(unmapped)
    }
}

#[derive(Default)]
pub struct Notes {
    pub printed: Vec<u8>,
    pub warnings: Vec<String>,
    pub checks: Vec<(String, i64, i64, u64)>,
}

impl Host for Notes {
    fn print(&mut self, text: &[u8]) -> Result<(), Fault> {
        self.printed.extend_from_slice(text);
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
        self.checks.push((name.to_owned(), left, right, tolerance));
        Ok(())
    }
    fn now_ns(&mut self) -> u64 {
        77
    }
    fn pid(&mut self) -> u64 {
        4211
    }
    fn tid(&mut self) -> u64 {
        4212
    }
    fn execname(&mut self) -> Vec<u8> {
        b"nginx".to_vec()
    }
    fn symbol_name(&mut self, address: u64) -> Option<String> {
        (address == 0x4011).then(|| "main+0x10".to_owned())
    }
    fn object_bytes(&mut self, address: u64) -> Option<u64> {
        (address == 0x4011).then_some(0x3000)
    }
    fn register(&mut self, name: &str, _tid: u64) -> Result<u64, Fault> {
        Ok(name.len() as u64)
    }
    fn backtrace(&mut self, tid: u64, _memory: &mut dyn Memory) -> Result<Stack, Fault> {
        Ok(Stack {
            frames: vec![0x4011, 0x5000],
            truncated: tid == 2,
        })
    }
    fn thread_local(&mut self, variable: u32, _tid: u64) -> Result<u64, Fault> {
        Ok(u64::from(variable) + 0x1000)
    }
    fn residency(&mut self, address: u64, length: u64, figure: PageFigure) -> Option<u64> {
        (address >= BASE).then_some(match figure {
            PageFigure::Resident => length / 2,
            PageFigure::Unshared => length / 8,
            PageFigure::Swapped => 512,
        })
    }
    fn process_bytes(&mut self, field: &str) -> Option<u64> {
        (field == "VmRSS").then_some(5 << 20)
    }
    fn counters_lag(&mut self) -> u64 {
        3 << 12
    }
    fn watched_ns(&mut self) -> u64 {
        7 << 20
    }
    fn spanned_ns(&mut self) -> u64 {
        9 << 20
    }
    fn watched_until_ns(&mut self) -> u64 {
        11 << 20
    }
    fn windows(&mut self) -> u64 {
        3
    }
    fn window_ns(&mut self, window: u64) -> u64 {
        window << 10
    }
    fn window_stands_ns(&mut self, window: u64) -> u64 {
        window << 14
    }
    fn window_slowdown(&mut self, bound: std::cmp::Ordering) -> f64 {
        1.5 + f64::from(bound as i8) / 4.0
    }
    fn cgroup_bytes(&mut self, figure: &str) -> Result<Option<u64>, Fault> {
        match figure {
            "usage" => Ok(Some(6 << 20)),
            "limit" => Ok(None),
            _ => Err(Fault::new(ytrace_values::FaultKind::NotAvailable)),
        }
    }
    fn mappings(&mut self, proportional: bool) -> Result<Vec<MappingRecord>, Fault> {
        Ok(vec![MappingRecord {
            start: BASE,
            end: BASE + PAGE,
            perms: "rw-p".into(),
            file: b"[heap]".to_vec(),
            rss: Some(4096),
            pss: proportional.then_some(1024),
            unshared: Some(512),
            device: 1 << 20 | 3,
            inode: 99,
            ..MappingRecord::default()
        }])
    }
    fn threads(&mut self) -> Result<Vec<ThreadRecord>, Fault> {
        Ok(vec![])
    }
    fn modules(&mut self) -> Result<Vec<ModuleRecord>, Fault> {
        Ok(vec![])
    }
}

pub const I64: ShapeId = ShapeId(0);
pub const I32: ShapeId = ShapeId(1);
pub const CHAR: ShapeId = ShapeId(2);
pub const STR: ShapeId = ShapeId(3);
pub const PATH: ShapeId = ShapeId(4);
pub const COLOUR: ShapeId = ShapeId(5);
pub const CHAR_POINTER: ShapeId = ShapeId(6);
pub const POINT: ShapeId = ShapeId(7);
pub const NAME: ShapeId = ShapeId(8);
pub const NUMBERS: ShapeId = ShapeId(9);
pub const U8: ShapeId = ShapeId(10);
pub const PAIR: ShapeId = ShapeId(11);

pub const TABLE1: ContainerTypeId = ContainerTypeId(0);
pub const TABLE2: ContainerTypeId = ContainerTypeId(1);
pub const ARRAY: ContainerTypeId = ContainerTypeId(2);
pub const ARRAYS: ContainerTypeId = ContainerTypeId(3);
pub const AGGREGATE: ContainerTypeId = ContainerTypeId(4);
pub const BYTES: ContainerTypeId = ContainerTypeId(5);
pub const HELD: ContainerTypeId = ContainerTypeId(6);
pub const MAPPINGS: ContainerTypeId = ContainerTypeId(7);
pub const STACK_OF_TABLES: ContainerTypeId = ContainerTypeId(8);

/// Shapes and containers that the tests use; formats and regexes as given.
pub fn constants(formats: Vec<Format>, regexes: &[&str]) -> Constants {
    let field = |name: &str, offset, shape| ShapeField {
        name: name.into(),
        offset,
        bits: None,
        shape,
    };
    let table = |key: Vec<Scalar>, key_shapes, element| ContainerType::Table {
        key,
        key_shapes,
        element,
    };
    let value = |size, shape| Element::Value { size, shape };
    let point = Shape::Record {
        type_name: "struct point".into(),
        size: 48,
        fields: vec![
            field("x", 0, I32),
            ShapeField {
                bits: Some((3, 5)),
                ..field("flag", 4, U8)
            },
            ShapeField {
                bits: Some((6, 4)),
                ..field("delta", 4, I32)
            },
            field("colour", 8, COLOUR),
            field("name", 16, CHAR_POINTER),
            field("tag", 24, NAME),
            field("n", 32, NUMBERS),
        ],
    };
    Constants {
        strings: vec![b"".to_vec(), b"hello".to_vec()],
        formats,
        shapes: vec![
            Shape::Scalar(Scalar::Signed(8)),
            Shape::Scalar(Scalar::Signed(4)),
            Shape::Char { signed: true },
            Shape::Scalar(Scalar::Str),
            Shape::Scalar(Scalar::Path),
            Shape::Enum {
                scalar: Scalar::Unsigned(4),
                names: vec![("RED".into(), 1), ("GREEN".into(), 2), ("BLUE".into(), 4)],
            },
            Shape::Pointer {
                type_name: "const char *".into(),
                to_char: true,
            },
            point,
            Shape::Array {
                element: CHAR,
                count: 8,
                stride: 1,
            },
            Shape::Array {
                element: I32,
                count: 4,
                stride: 4,
            },
            Shape::Scalar(Scalar::Unsigned(1)),
            Shape::Record {
                type_name: "struct pair".into(),
                size: 16,
                fields: vec![field("bytes", 0, I64), field("count", 8, I32)],
            },
        ],
        containers: vec![
            table(vec![Scalar::Signed(8)], vec![(I64, 1)], value(8, I64)),
            table(
                vec![Scalar::Signed(4), Scalar::Str],
                vec![(I32, 1), (STR, 1)],
                value(4, I32),
            ),
            ContainerType::Array {
                element: value(8, I64),
            },
            table(
                vec![Scalar::Signed(8)],
                vec![(I64, 1)],
                Element::Container(ARRAY),
            ),
            ContainerType::Aggregate { linear: Vec::new() },
            ContainerType::Array {
                element: value(1, CHAR),
            },
            table(vec![Scalar::Path], vec![(PATH, 1)], value(16, PAIR)),
            ContainerType::Array {
                element: value(72, POINT),
            },
            ContainerType::Array {
                element: Element::Container(TABLE1),
            },
        ],
        regexes: regexes.iter().map(|regex| (*regex).to_owned()).collect(),
        globals_size: 64,
    }
}

pub const LIMITS: Limits = Limits {
    memory: 64 << 20,
    output: 1 << 20,
    string: 512,
};

/// Everything that an operation needs.
pub struct Bench {
    pub store: Store,
    pub memory: Block,
    pub host: Notes,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(constants(vec![], &[]), LIMITS)
    }

    pub fn with(constants: Constants, limits: Limits) -> Self {
        Self {
            store: Store::new(Arc::new(constants), limits),
            memory: Block(vec![0; 2 * PAGE as usize]),
            host: Notes::default(),
        }
    }

    pub fn run(&mut self, operation: Operation, arguments: &[u64]) -> Result<u64, Fault> {
        Machine {
            store: &mut self.store,
            memory: &mut self.memory,
            host: &mut self.host,
        }
        .perform(operation, arguments)
    }

    /// Runs an operation that must succeed.
    pub fn ok(&mut self, operation: Operation, arguments: &[u64]) -> u64 {
        self.run(operation, arguments).unwrap()
    }

    pub fn text(&mut self, text: &str) -> u64 {
        self.store.intern(text.as_bytes()).unwrap()
    }

    /// The text that a `_str` result holds.
    pub fn string(&mut self, operation: Operation, arguments: &[u64]) -> String {
        let handle = self.ok(operation, arguments);
        String::from_utf8_lossy(self.store.string(handle)).into_owned()
    }

    /// Writes bytes into the target.
    pub fn poke(&mut self, address: u64, bytes: &[u8]) {
        let at = (address - BASE) as usize;
        self.memory.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Stores a word after the key of a row, or at the start of an array's element.
    pub fn set(&mut self, container: u64, row: u64, value: u64) {
        let bytes = self.store.row_mut(container, row).unwrap();
        *bytes.last_chunk_mut().unwrap() = value.to_ne_bytes();
    }

    pub fn get(&self, container: u64, row: u64) -> u64 {
        let bytes = self.store.row(container, row).unwrap();
        u64::from_ne_bytes(*bytes.last_chunk().unwrap())
    }
}
