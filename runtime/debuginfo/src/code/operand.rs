//! Arguments of static probes as the compiler wrote them: assembly operands in AT&T syntax, each with a size.
//!
//! The form is that of `<sys/sdt.h>`: `N@OP`, where `N` is the size in bytes, negative for signed numbers and followed by `f` for
//! floating-point ones, and `OP` what the compiler gave to the assembler: `-4@%edi`, `8@-24(%rbp)`, `4@$5`, `8@counter(%rip)`,
//! `-1@(%rax,%rbx,4)`.

/// A longer operand is not read.
const MAX_OPERAND: usize = 1 << 10;

/// A register of the machine or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineRegister {
    /// Its DWARF number (System V ABI AMD64, figure 3.36): rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15, the return address,
    /// xmm0 to xmm31 (17 to 32 and 67 to 82).
    pub number: u16,
    /// How many bits of it are meant: 8, 16, 32, 64, 128, 256 or 512.
    pub bits: u16,
    /// How many lower bits are left out: 8 for `ah`, `bh`, `ch`, `dh`.
    pub shift: u8,
}

/// Where the value of an argument is when the probe is hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// The value itself.
    Constant(i64),
    /// In a register.
    Register(MachineRegister),
    /// In memory at `base + index * scale + displacement`, from the start of the thread's block where `thread_local`.
    Memory {
        /// The register that is added.
        base: Option<MachineRegister>,
        /// The register that is multiplied and added, and 1, 2, 4 or 8.
        index: Option<(MachineRegister, u8)>,
        /// The constant, in bytes.
        displacement: i64,
        /// Relative to the register `fs`.
        thread_local: bool,
    },
    /// In memory at a symbol of the module.
    Symbol {
        /// The symbol.
        name: String,
        /// What is added to its address, in bytes.
        displacement: i64,
        /// The address of both together (svma); `None` where the module has no such symbol, or several that differ.
        address: Option<u64>,
    },
    /// In a form that is not understood.
    Unknown,
}

/// An argument of a static probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticArgument {
    /// Its size in bytes: 1, 2, 4, 8, or more for vectors.
    pub size: u8,
    /// Whether it is a signed number.
    pub signed: bool,
    /// Whether it is a floating-point number.
    pub float: bool,
    /// Where it is.
    pub operand: Operand,
    /// As it stands in the file.
    pub text: String,
}

impl StaticArgument {
    /// Reads one argument. `address_of` gives the address of a symbol.
    pub(super) fn parse(text: &str, address_of: &dyn Fn(&str) -> Option<u64>) -> Self {
        let text = text.get(..MAX_OPERAND).unwrap_or(text);
        let (size, operand) = match text.split_once('@') {
            Some((size, operand)) => (parse_size(size), operand),
            None => (None, text),
        };
        let operand = parse_operand(operand, address_of).unwrap_or(Operand::Unknown);
        let (size, signed, float) = size.unwrap_or(match &operand {
            Operand::Register(r) => (u8::try_from(r.bits / 8).unwrap_or(8), false, false),
            _ => (8, false, false),
        });
        StaticArgument {
            size,
            signed,
            float,
            operand,
            text: text.to_owned(),
        }
    }
}

/// `-4`, `8`, `8f`: the size, whether signed, whether floating-point.
fn parse_size(text: &str) -> Option<(u8, bool, bool)> {
    let (text, float) = match text.strip_suffix('f') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (text, signed) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let size: u8 = text.parse().ok()?;
    (size.is_power_of_two() && size <= 64).then_some((size, signed, float))
}

fn parse_operand(text: &str, address_of: &dyn Fn(&str) -> Option<u64>) -> Option<Operand> {
    if let Some(constant) = text.strip_prefix('$') {
        return Some(Operand::Constant(number(constant)?));
    }
    let (text, thread_local) = match text.strip_prefix("%fs:") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if let Some(name) = text.strip_prefix('%') {
        return (!thread_local).then(|| Some(Operand::Register(register(name)?)))?;
    }
    let (constant, inside) = match text.split_once('(') {
        Some((constant, rest)) => (constant, Some(rest.strip_suffix(')')?)),
        None => (text, None),
    };
    let (symbol, displacement) = sum(constant)?;
    let mut parts = inside.unwrap_or_default().split(',');
    let base = parts.next().filter(|p| !p.is_empty());
    let index = parts.next();
    let scale = parts.next();
    if parts.next().is_some() {
        return None;
    }
    if let Some(name) = symbol {
        // Only what is relative to the instruction pointer, or to nothing, has a fixed address.
        let fixed = matches!(base, None | Some("%rip")) && index.is_none() && !thread_local;
        return fixed.then(|| Operand::Symbol {
            name: name.to_owned(),
            displacement,
            address: address_of(name).and_then(|a| a.checked_add_signed(displacement)),
        });
    }
    let general = |name: &str| {
        let found = register(name.strip_prefix('%')?)?;
        (found.number < 16 && found.bits == 64).then_some(found)
    };
    let base = match base {
        Some(name) => Some(general(name)?),
        None => None,
    };
    let index = match index {
        Some(name) => {
            let scale = match scale {
                None => 1,
                Some(text) => text.parse().ok().filter(|s| matches!(s, 1 | 2 | 4 | 8))?,
            };
            Some((general(name)?, scale))
        }
        None => None,
    };
    if inside.is_some() && base.is_none() && index.is_none() {
        return None;
    }
    if inside.is_none() && constant.is_empty() {
        return None;
    }
    Some(Operand::Memory {
        base,
        index,
        displacement,
        thread_local,
    })
}

/// A symbol, a number, or a symbol with numbers added: `counter+8`, `-24`, `16+counter`, `a@GOTPCREL` is none of these.
fn sum(text: &str) -> Option<(Option<&str>, i64)> {
    let mut symbol = None;
    let mut total = 0i64;
    let mut rest = text;
    let mut negative = false;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(['+', '-']) {
            negative = rest.starts_with('-');
            rest = after;
            if rest.is_empty() {
                return None;
            }
        }
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let (term, after) = rest.split_at(end);
        match number(term) {
            Some(value) if negative => total = total.checked_sub(value)?,
            Some(value) => total = total.checked_add(value)?,
            None => {
                let is_name = term
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$'))
                    && !term.starts_with(|c: char| c.is_ascii_digit());
                if !is_name || term.is_empty() || negative || symbol.is_some() {
                    return None;
                }
                symbol = Some(term);
            }
        }
        negative = false;
        rest = after;
    }
    Some((symbol, total))
}

fn number(text: &str) -> Option<i64> {
    let (text, negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if text.starts_with(['+', '-']) {
        return None;
    }
    let value = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16).ok()?,
        Some(_) => return None,
        None => text.parse().ok()?,
    };
    // Constants are of 64 bits, signed or not.
    let value = value.cast_signed();
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// A register of x86-64 by its name without `%`.
fn register(name: &str) -> Option<MachineRegister> {
    let found = |number, bits, shift| {
        Some(MachineRegister {
            number,
            bits,
            shift,
        })
    };
    // In the order of their DWARF numbers: the letters of the first four, the names of the others.
    for (number, letter) in (0u16..).zip(["a", "d", "c", "b"]) {
        match name.strip_suffix('x') {
            Some(rest) if rest == letter => return found(number, 16, 0),
            Some(rest) if rest.strip_prefix('e') == Some(letter) => return found(number, 32, 0),
            Some(rest) if rest.strip_prefix('r') == Some(letter) => return found(number, 64, 0),
            _ => {}
        }
        match name.strip_prefix(letter) {
            Some("l") => return found(number, 8, 0),
            Some("h") => return found(number, 8, 8),
            _ => {}
        }
    }
    for (number, base) in (4u16..).zip(["si", "di", "bp", "sp"]) {
        match name.strip_suffix(base) {
            Some("") => return found(number, 16, 0),
            Some("e") => return found(number, 32, 0),
            Some("r") => return found(number, 64, 0),
            _ => {}
        }
        if name.strip_suffix('l') == Some(base) {
            return found(number, 8, 0);
        }
    }
    let plain = |digits: &str| -> Option<u16> {
        let canonical = digits.len() == 1 || !digits.starts_with('0');
        let all = digits.bytes().all(|b| b.is_ascii_digit());
        (all && canonical).then(|| digits.parse().ok())?
    };
    for (prefix, bits) in [("xmm", 128), ("ymm", 256), ("zmm", 512)] {
        if let Some(digits) = name.strip_prefix(prefix) {
            return match plain(digits)? {
                n @ 0..=15 => found(17 + n, bits, 0),
                n @ 16..=31 => found(67 + n - 16, bits, 0),
                _ => None,
            };
        }
    }
    let rest = name.strip_prefix('r')?;
    let (digits, bits) = match rest.strip_suffix(['d', 'w', 'b']) {
        Some(digits) if rest.ends_with('d') => (digits, 32),
        Some(digits) if rest.ends_with('w') => (digits, 16),
        Some(digits) => (digits, 8),
        None => (rest, 64),
    };
    let number = plain(digits).filter(|n| (8..16).contains(n))?;
    found(number, bits, 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> StaticArgument {
        StaticArgument::parse(text, &|name| (name == "counter").then_some(0x4010))
    }

    fn whole(number: u16, bits: u16) -> MachineRegister {
        MachineRegister {
            number,
            bits,
            shift: 0,
        }
    }

    fn memory(base: Option<u16>, index: Option<(u16, u8)>, displacement: i64) -> Operand {
        Operand::Memory {
            base: base.map(|n| whole(n, 64)),
            index: index.map(|(n, scale)| (whole(n, 64), scale)),
            displacement,
            thread_local: false,
        }
    }

    #[test]
    fn operands_that_compilers_write() {
        let symbol = |displacement, address| Operand::Symbol {
            name: "counter".into(),
            displacement,
            address,
        };
        let cases = [
            ("-4@%edi", (4, true, false), Operand::Register(whole(5, 32))),
            ("8@%rdi", (8, false, false), Operand::Register(whole(5, 64))),
            (
                "-2@%r12w",
                (2, true, false),
                Operand::Register(whole(12, 16)),
            ),
            ("1@%sil", (1, false, false), Operand::Register(whole(4, 8))),
            (
                "8f@%xmm3",
                (8, false, true),
                Operand::Register(whole(20, 128)),
            ),
            ("8@-24(%rbp)", (8, false, false), memory(Some(6), None, -24)),
            ("4@$5", (4, false, false), Operand::Constant(5)),
            ("-4@$-1", (4, true, false), Operand::Constant(-1)),
            (
                "8@$0xffffffffffffffff",
                (8, false, false),
                Operand::Constant(-1),
            ),
            (
                "8@counter(%rip)",
                (8, false, false),
                symbol(0, Some(0x4010)),
            ),
            (
                "8@8+counter(%rip)",
                (8, false, false),
                symbol(8, Some(0x4018)),
            ),
            (
                "8@counter-8(%rip)",
                (8, false, false),
                symbol(-8, Some(0x4008)),
            ),
            (
                "-1@(%rax,%rbx,4)",
                (1, true, false),
                memory(Some(0), Some((3, 4)), 0),
            ),
            (
                "8@-8(,%r9,8)",
                (8, false, false),
                memory(None, Some((9, 8)), -8),
            ),
            (
                "8@16(%rsp,%rcx)",
                (8, false, false),
                memory(Some(7), Some((2, 1)), 16),
            ),
            ("%rax", (8, false, false), Operand::Register(whole(0, 64))),
            ("%al", (1, false, false), Operand::Register(whole(0, 8))),
        ];
        for (text, size, operand) in cases {
            let argument = parse(text);
            let found = (argument.size, argument.signed, argument.float);
            assert_eq!((found, argument.operand), (size, operand), "{text}");
            assert_eq!(argument.text, text);
        }
        let high = parse("1@%ch").operand;
        assert_eq!(
            high,
            Operand::Register(MachineRegister {
                number: 2,
                bits: 8,
                shift: 8
            })
        );
        let Operand::Memory {
            thread_local: true,
            displacement: 16,
            base: None,
            ..
        } = parse("8@%fs:16").operand
        else {
            panic!("relative to the thread's block");
        };
        let Operand::Symbol { address: None, .. } = parse("8@other(%rip)").operand else {
            panic!("a symbol that the module does not have");
        };
    }

    #[test]
    fn what_is_not_an_operand_is_unknown() {
        for text in [
            "",
            "@",
            "8@",
            "8@%",
            "8@%r16",
            "8@%r08",
            "8@%eax(",
            "8@(",
            "8@()",
            "8@(%eax)",
            "8@8(%rax",
            "8@(%rax,%rbx,3)",
            "8@(%rax,%rbx,4,5)",
            "8@$",
            "8@$x",
            "8@a@GOTPCREL(%rip)",
            "8@--8(%rax)",
            "8@counter(%rax)",
            "8@%fs:%rax",
            "8@[rbp-8]",
            "8@+",
            "8@1+(%rax)",
            "8@$+5",
            "8@%xmm32",
        ] {
            assert_eq!(parse(text).operand, Operand::Unknown, "{text}");
        }
    }

    #[test]
    fn every_register_has_its_number() {
        // As gcc numbers them (System V ABI AMD64, figure 3.36).
        let names = [
            ["rax", "eax", "ax", "al"],
            ["rdx", "edx", "dx", "dl"],
            ["rcx", "ecx", "cx", "cl"],
            ["rbx", "ebx", "bx", "bl"],
            ["rsi", "esi", "si", "sil"],
            ["rdi", "edi", "di", "dil"],
            ["rbp", "ebp", "bp", "bpl"],
            ["rsp", "esp", "sp", "spl"],
            ["r8", "r8d", "r8w", "r8b"],
            ["r9", "r9d", "r9w", "r9b"],
            ["r15", "r15d", "r15w", "r15b"],
        ];
        for (row, number) in names.iter().zip([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15]) {
            for (name, bits) in row.iter().zip([64, 32, 16, 8]) {
                assert_eq!(register(name), Some(whole(number, bits)), "{name}");
            }
        }
        assert_eq!(register("zmm31"), Some(whole(82, 512)));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[-0-9f@$%()a-z,+:.]{0,40}|\\PC{0,60}") {
            let argument = parse(&text);
            prop_assert!(argument.size.is_power_of_two());
        }
    }
}
