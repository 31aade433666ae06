//! Where arguments and results are, held against gcc.
//!
//! Random signatures are called by compiled C, and a function in assembler writes down all registers and the stack as it finds
//! them when it is entered. `YTRACE_ABI_SEED` gives other signatures, `YTRACE_ABI_CASES` more of them.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::fmt::Write;
use std::process::Command;

use ytrace_lang::abi::{CallLayout, Location, Word, call_layout};
use ytrace_lang::target::MemberRole;
use ytrace_lang::types::{Member, Record, RecordBody, Type, TypeId, Types};

/// Words of the stack that are written down.
const STACK_WORDS: usize = 200;

/// The result registers as the assembler leaves them: rax, rdx, xmm0, xmm1.
const RESULTS: [u64; 4] = [
    0x1112_1314_1516_1718,
    0x2122_2324_2526_2728,
    0x3132_3334_3536_3738,
    0x3a3b_3c3d_3e3f_3031,
];

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// A type of both worlds.
#[derive(Clone)]
struct Both {
    /// As C writes it.
    c: String,
    id: TypeId,
    size: u64,
    align: u64,
    /// For each byte, which bits of it mean something.
    mask: Vec<u8>,
}

struct Generator {
    dice: Dice,
    types: Types,
    declarations: String,
    records: usize,
}

fn opaque(types: &mut Types, name: &str, size: u64) -> TypeId {
    let record = types.add_record(Record {
        name: name.to_owned(),
        union: false,
        origin: None,
        module: None,
        body: Some(RecordBody {
            size,
            align: 16,
            members: Vec::new(),
            by_reference: None,
        }),
    });
    types.intern(Type::Record(record))
}

impl Generator {
    fn scalar(&mut self) -> Both {
        let integer = |size, signed| Type::Integer {
            size,
            signed,
            rank: size,
            character: size == 1,
        };
        let (c, ty) = match self.dice.roll(13) {
            0 => ("_Bool", Type::Bool),
            1 => ("signed char", integer(1, true)),
            2 => ("unsigned short", integer(2, false)),
            3 | 4 => ("int", integer(4, true)),
            5 => ("unsigned long", integer(8, false)),
            6 => {
                let void = self.types.intern(Type::Void);
                ("void *", Type::Pointer(void))
            }
            7 | 8 => ("float", Type::Float { size: 4 }),
            9 | 10 => ("double", Type::Float { size: 8 }),
            _ => return self.odd_number(),
        };
        let id = self.types.intern(ty);
        let size = self.types.size_of(id).unwrap();
        let mask = match c {
            "_Bool" => vec![1],
            _ => vec![0xff; size as usize],
        };
        Both {
            c: c.to_owned(),
            id,
            size,
            align: size,
            mask,
        }
    }

    fn odd_number(&mut self) -> Both {
        let (c, name, size, align) = match self.dice.roll(9) {
            0 | 1 => ("long double", "long double", 16, 16),
            2 | 3 => ("__int128", "__int128", 16, 16),
            4 => ("_Complex float", "complex float", 8, 4),
            5 => ("_Complex double", "complex double", 16, 8),
            6 => ("_Float16", "_Float16", 2, 2),
            7 => ("__float128", "_Float128", 16, 16),
            _ => ("_Complex long double", "complex long double", 32, 16),
        };
        let mut mask = vec![0xff; size as usize];
        if c.ends_with("long double") {
            for (index, byte) in mask.iter_mut().enumerate() {
                if index % 16 >= 10 {
                    *byte = 0;
                }
            }
        }
        Both {
            c: c.to_owned(),
            id: opaque(&mut self.types, name, size),
            size,
            align,
            mask,
        }
    }

    /// A struct or a union of up to so many members.
    fn record(&mut self, depth: u32) -> Both {
        let union = self.dice.roll(5) == 0;
        let packed = !union && self.dice.roll(12) == 0;
        let count = self.dice.roll(5);
        let mut text = String::new();
        let mut members = Vec::new();
        let (mut next_bit, mut size_bits, mut align) = (0_u64, 0_u64, 1_u64);
        let mut mask = Vec::new();
        for index in 0..count {
            if union {
                next_bit = 0;
            }
            let name = format!("m{index}");
            let (ty, bits, at) = if !packed && self.dice.roll(6) == 0 {
                // A bit-field does not cross a unit of its type.
                let int = self.types.intern(Type::Integer {
                    size: 4,
                    signed: false,
                    rank: 3,
                    character: false,
                });
                let width = 1 + self.dice.roll(20);
                if next_bit / 32 != (next_bit + width - 1) / 32 {
                    next_bit = next_bit.next_multiple_of(32);
                }
                let unit = next_bit / 32;
                let low = next_bit - unit * 32;
                let _ = writeln!(text, "  unsigned {name} : {width};");
                next_bit += width;
                align = align.max(4);
                let mut bytes = vec![0_u8; 4];
                for bit in low..low + width {
                    bytes[(bit / 8) as usize] |= 1 << (bit % 8);
                }
                let both = Both {
                    c: String::new(),
                    id: int,
                    size: 4,
                    align: 4,
                    mask: bytes,
                };
                (both, Some((low as u32, width as u32)), unit * 4)
            } else {
                let mut ty = self.of_depth(depth + 1);
                let (mut id, mut size, mut suffix) = (ty.id, ty.size, String::new());
                if self.dice.roll(4) == 0 {
                    let length = 1 + self.dice.roll(3);
                    id = self.types.intern(Type::Array(ty.id, Some(length)));
                    size *= length;
                    suffix = format!("[{length}]");
                    ty.mask = ty.mask.repeat(length as usize);
                }
                let own = if packed { 1 } else { ty.align };
                let at = next_bit.div_ceil(8).next_multiple_of(own);
                let _ = writeln!(text, "  {} {name}{suffix};", ty.c);
                next_bit = (at + size) * 8;
                align = align.max(own);
                (Both { id, size, ..ty }, None, at)
            };
            size_bits = size_bits.max(next_bit);
            let end = at as usize + ty.mask.len();
            if mask.len() < end {
                mask.resize(end, 0);
            }
            for (byte, own) in mask[at as usize..].iter_mut().zip(&ty.mask) {
                *byte |= own;
            }
            members.push(Member {
                name: Some(name),
                ty: ty.id,
                offset: at,
                bits,
                role: MemberRole::Always,
            });
        }
        let size = size_bits.div_ceil(8).next_multiple_of(align);
        mask.resize(size as usize, 0);
        self.records += 1;
        let keyword = if union { "union" } else { "struct" };
        let name = format!("r{}", self.records);
        let attribute = if packed {
            "__attribute__((packed)) "
        } else {
            ""
        };
        let _ = writeln!(
            self.declarations,
            "{keyword} {attribute}{name} {{\n{text}}};\n_Static_assert(sizeof({keyword} {name}) == {size}, \"{name}\");"
        );
        let record = self.types.add_record(Record {
            name: name.clone(),
            union,
            origin: None,
            module: None,
            body: Some(RecordBody {
                size,
                align,
                members,
                by_reference: None,
            }),
        });
        Both {
            c: format!("{keyword} {name}"),
            id: self.types.intern(Type::Record(record)),
            size,
            align,
            mask,
        }
    }

    fn of_depth(&mut self, depth: u32) -> Both {
        if depth < 3 && self.dice.roll(3) == 0 {
            self.record(depth)
        } else {
            self.scalar()
        }
    }
}

struct Case {
    parameters: Vec<Both>,
    result: Option<Both>,
    layout: CallLayout,
}

/// The assembler: writes everything down, sets the result registers.
fn recorder(name: &str, ending: &str) -> String {
    let mut text = format!(".globl {name}\n{name}:\n");
    for (register, offset) in ["rdi", "rsi", "rdx", "rcx", "r8", "r9"]
        .iter()
        .zip((0..).step_by(8))
    {
        let _ = writeln!(text, "mov %{register}, registers+{offset}(%rip)");
    }
    for vector in 0..8 {
        let _ = writeln!(
            text,
            "movq %xmm{vector}, registers+{}(%rip)",
            48 + vector * 8
        );
    }
    let _ = writeln!(
        text,
        "mov %rsp, %rsi\nlea stack(%rip), %rdi\nmov ${STACK_WORDS}, %ecx\nrep movsq\n\
         movq results+16(%rip), %xmm0\nmovq results+24(%rip), %xmm1\n\
         mov results(%rip), %rax\nmov results+8(%rip), %rdx\n{ending}\nret"
    );
    text
}

fn program(cases: &[Case], declarations: &str) -> String {
    let mut text = String::from(
        "#include <stdio.h>\n#include <string.h>\n\
         unsigned long registers[14], stack[200], results[4];\n\
         static void bytes(const void *p, size_t n) { for (size_t i = 0; i < n; i++) printf(\"%02x\", ((const unsigned char *) p)[i]); putchar(' '); }\n\
         static void noted(void) { bytes(registers, sizeof registers); bytes(stack, sizeof stack); }\n",
    );
    let _ = write!(text, "__asm__(\".text\\n\"");
    for (name, ending) in [
        ("plain", ""),
        ("in_memory", "mov registers(%rip), %rax"),
        ("x87", "fld1"),
        ("x87_twice", "fld1\nfld1"),
    ] {
        for line in recorder(name, ending).lines() {
            let _ = write!(text, "\n\"{line}\\n\"");
        }
    }
    text.push_str(");\n");
    text.push_str(declarations);
    for (index, case) in cases.iter().enumerate() {
        let result = case.result.as_ref().map_or("void", |result| &result.c);
        let symbol = match &case.layout.result {
            Some(Location::Indirect(_)) => "in_memory",
            Some(Location::OutOfReach(_)) if case.result.as_ref().unwrap().size == 32 => {
                "x87_twice"
            }
            Some(Location::OutOfReach(why)) if why.contains("x87") => "x87",
            _ => "plain",
        };
        let parameters: Vec<&str> = case.parameters.iter().map(|both| both.c.as_str()).collect();
        let parameters = match parameters.is_empty() {
            true => "void".to_owned(),
            false => parameters.join(", "),
        };
        let _ = writeln!(
            text,
            "{result} f{index}({parameters}) __asm__(\"{symbol}\");"
        );
        let _ = writeln!(
            text,
            "__attribute__((noinline)) static void call{index}(void) {{"
        );
        for (number, parameter) in case.parameters.iter().enumerate() {
            // No byte is above 0x3f, so that no number is odd; a long double is a plain one.
            let fill: String = (0..parameter.size)
                .map(|byte| {
                    let value = (1 + index as u64 * 7 + number as u64 * 13 + byte * 5) % 0x3f + 1;
                    match parameter.mask[byte as usize] {
                        0 => "0,".to_owned(),
                        1 => format!("{},", value & 1),
                        _ => format!("{value},"),
                    }
                })
                .collect();
            let _ = writeln!(text, "  {} a{number};", parameter.c);
            if parameter.size > 0 {
                let _ = writeln!(
                    text,
                    "  memcpy(&a{number}, (unsigned char[]) {{ {fill} }}, sizeof a{number});"
                );
            }
        }
        let arguments: Vec<String> = (0..case.parameters.len())
            .map(|number| format!("a{number}"))
            .collect();
        let call = format!("f{index}({})", arguments.join(", "));
        match &case.result {
            Some(result) => {
                let _ = writeln!(text, "  {} r = {call};", result.c);
            }
            None => {
                let _ = writeln!(text, "  {call};");
            }
        }
        let _ = writeln!(text, "  printf(\"{index} \"); noted();");
        for number in 0..case.parameters.len() {
            let _ = writeln!(text, "  bytes(&a{number}, sizeof a{number});");
        }
        if case.result.is_some() {
            text.push_str("  bytes(&r, sizeof r);\n");
        }
        text.push_str("  putchar('\\n');\n}\n");
    }
    text.push_str("int main(void) {\n");
    for (index, value) in RESULTS.iter().enumerate() {
        let _ = writeln!(text, "  results[{index}] = {value:#x};");
    }
    for index in 0..cases.len() {
        let _ = writeln!(text, "  call{index}();");
    }
    text.push_str("  return 0;\n}\n");
    text
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap())
        .collect()
}

fn word(bytes: &[u8], index: usize) -> u64 {
    u64::from_le_bytes(bytes[index * 8..index * 8 + 8].try_into().unwrap())
}

/// The bytes at a location; `None` if it cannot be read.
fn found(
    location: &Location,
    size: u64,
    general: &HashMap<u8, u64>,
    vectors: &[u64],
    stack: &[u8],
) -> Option<Vec<u8>> {
    match location {
        Location::OutOfReach(_) | Location::Indirect(_) => None,
        Location::Stack(offset) => {
            let offset = *offset as usize;
            Some(stack[offset..offset + size as usize].to_vec())
        }
        Location::Words(words) => Some(
            words
                .iter()
                .flat_map(|word| {
                    match word {
                        Word::General(number) => general[number],
                        Word::Vector(number) => vectors[*number as usize],
                        Word::Padding => 0,
                        other => panic!("{other:?} in a register"),
                    }
                    .to_le_bytes()
                })
                .collect(),
        ),
    }
}

fn assert_same(case: &Case, what: &str, both: &Both, actual: &[u8], expected: &[u8], text: &str) {
    assert!(actual.len() >= both.mask.len(), "{what} of {text}");
    for (index, mask) in both.mask.iter().enumerate() {
        assert_eq!(
            actual[index] & mask,
            expected[index] & mask,
            "byte {index} of {what} (`{}`, {} bytes) of {text}: {:?}",
            both.c,
            both.size,
            case.layout
        );
    }
}

#[test]
fn arguments_and_results_are_where_gcc_puts_them() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let count = number("YTRACE_ABI_CASES", 600);
    let mut generator = Generator {
        dice: Dice(number("YTRACE_ABI_SEED", 20)),
        types: Types::default(),
        declarations: String::new(),
        records: 0,
    };
    let mut cases = Vec::new();
    for _ in 0..count {
        let parameters: Vec<Both> = (0..generator.dice.roll(12))
            .map(|_| generator.of_depth(0))
            .collect();
        let result = (generator.dice.roll(4) > 0).then(|| generator.of_depth(0));
        let ids: Vec<TypeId> = parameters.iter().map(|both| both.id).collect();
        let layout = call_layout(
            &generator.types,
            &ids,
            result.as_ref().map(|result| result.id),
        );
        cases.push(Case {
            parameters,
            result,
            layout,
        });
    }
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("abi.c");
    let binary = directory.path().join("abi");
    let text = program(&cases, &generator.declarations);
    std::fs::write(&source, &text).unwrap();
    let output = Command::new("gcc")
        .args(["-O1", "-w", "-fno-strict-aliasing", "-o"])
        .args([&binary, &source])
        .output()
        .expect("to run gcc");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let output = Command::new(&binary).output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    let mut reached: HashMap<&str, usize> = HashMap::new();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), cases.len());
    for (line, case) in lines.lines().zip(&cases) {
        let mut fields = line.split(' ');
        let index = fields.next().unwrap();
        let signature = text
            .lines()
            .find(|line| line.contains(&format!(" f{index}(")) && line.contains("__asm__"))
            .unwrap();
        let registers = bytes_of(fields.next().unwrap());
        let stack = bytes_of(fields.next().unwrap());
        let general: HashMap<u8, u64> = [5, 4, 1, 2, 8, 9]
            .into_iter()
            .zip(0..)
            .map(|(number, index)| (number, word(&registers, index)))
            .collect();
        let vectors: Vec<u64> = (6..14).map(|index| word(&registers, index)).collect();
        for (parameter, location) in case.parameters.iter().zip(&case.layout.parameters) {
            let expected = bytes_of(fields.next().unwrap());
            let actual = found(location, parameter.size, &general, &vectors, &stack);
            let Some(actual) = actual else {
                assert_eq!(parameter.size, 16, "{location:?} in {signature}");
                *reached.entry("out of reach").or_default() += 1;
                continue;
            };
            assert_same(
                case,
                "an argument",
                parameter,
                &actual,
                &expected,
                signature,
            );
            let kind = match location {
                Location::Stack(_) => "on the stack",
                Location::Words(words) if words.len() > 1 => "in two registers",
                _ => "in a register",
            };
            *reached.entry(kind).or_default() += 1;
        }
        let (Some(result), Some(location)) = (&case.result, &case.layout.result) else {
            *reached.entry("no result").or_default() += 1;
            continue;
        };
        let expected = bytes_of(fields.next().unwrap());
        let general = HashMap::from([(0, RESULTS[0]), (1, RESULTS[1])]);
        let kind = match location {
            Location::Indirect(_) => "a result in memory",
            Location::OutOfReach(_) => "a result out of reach",
            _ => "a result in registers",
        };
        *reached.entry(kind).or_default() += 1;
        if let Some(actual) = found(location, result.size, &general, &RESULTS[2..], &[]) {
            // A `_Bool` is 0 or 1, whatever the register holds.
            if result.c != "_Bool" {
                assert_same(case, "the result", result, &actual, &expected, signature);
            }
        }
    }
    for kind in [
        "on the stack",
        "in two registers",
        "in a register",
        "out of reach",
        "no result",
        "a result in memory",
        "a result in registers",
        "a result out of reach",
    ] {
        let times = reached.get(kind).copied().unwrap_or_default();
        assert!(times as u64 >= count / 60, "{kind}: {times} times");
    }
}
