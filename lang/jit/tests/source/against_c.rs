//! Functions that mean the same in C and in the probe language, with results that C defines
//! (under `-fwrapv`), as text for both.

use super::choices::Choices;

/// A C type of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Number {
    name: &'static str,
    float: bool,
}

const fn integer(name: &'static str) -> Number {
    Number { name, float: false }
}

const fn float(name: &'static str) -> Number {
    Number { name, float: true }
}

const TYPES: &[Number] = &[
    integer("int"),
    integer("unsigned int"),
    integer("long"),
    integer("unsigned long"),
    integer("char"),
    integer("unsigned char"),
    integer("short"),
    integer("unsigned short"),
    integer("_Bool"),
    integer("signed char"),
    integer("long long"),
    integer("unsigned long long"),
    float("double"),
    float("float"),
    integer("enum positive"),
    integer("enum negative"),
];

/// What stands before the functions in both languages.
///
/// Bit-fields wider than `int` are left out: gcc computes with their exact width, which no
/// other compiler does.
pub const DECLARATIONS: &str = "\
enum positive { ZERO, ONE, TEN = 10 };
enum negative { BELOW = -7, ABOVE = 8 };
struct bits { unsigned a : 3; int b : 5; unsigned c : 32; int d : 32; unsigned char e : 6;
    short f : 11; _Bool g : 1; unsigned short h : 16; signed char i : 2; unsigned j : 31; };
struct pair { short x; unsigned long y; float z; int w[3]; };
union mix { long l; unsigned char c[8]; float f; };
long whole(double x) { return x > -1e9 && x < 1e9 ? (long) x : 17; }
_Bool to_bool(float x) { return x; }
char to_char(float x) { return x > -129 && x < 128 ? (char) x : 3; }
unsigned char to_uchar(double x) { return x > -1 && x < 256 ? (unsigned char) x : 3; }
short to_short(double x) { return x > -32769.0 && x < 32768 ? (short) x : 3; }
unsigned short to_ushort(float x) { return x > -1 && x < 65536 ? (unsigned short) x : 3; }
int to_int(double x) { return x > -2147483649.0 && x < 2147483648.0 ? (int) x : 3; }
unsigned to_uint(double x) { return x > -1 && x < 4294967296.0 ? (unsigned) x : 3; }
long to_long(float x) { return x >= -0x1p63f && x < 0x1p63f ? (long) x : 3; }
unsigned long to_ulong(double x) { return x > -1 && x < 0x1p64 ? (unsigned long) x : 3; }
";

/// The functions among the declarations that convert any number to an integer.
const CONVERSIONS: &[&str] = &[
    "whole",
    "to_bool",
    "to_char",
    "to_uchar",
    "to_short",
    "to_ushort",
    "to_int",
    "to_uint",
    "to_long",
    "to_ulong",
];

/// The bit-fields of `struct bits`; `_Bool` takes any number.
const BITS: &[&str] = &[
    "s.a", "s.b", "s.c", "s.d", "s.e", "s.f", "s.g", "s.h", "s.i", "s.j",
];

/// Integers that the declarations name.
const NAMED: &[&str] = &["TEN", "BELOW"];

const FLOATS: &[&str] = &[
    "0.0",
    "1.0",
    "-1.5",
    "0.1",
    "0.1f",
    "1e10",
    "-3e9f",
    "2147483648.0",
    "1e-300",
    "16777217.0",
    "0.5f",
    "1e30f",
    "123456.789",
];

/// The generator of one function.
struct Generator {
    choices: Choices,
    text: String,
    variables: Vec<(String, Number)>,
}

/// One function as text, `long fN(void)` with printing.
pub fn function(choices: Choices, number: u64) -> (String, Vec<u32>) {
    let mut generator = Generator {
        choices,
        text: format!("void f{number}(void) {{\n    printf(\"== {number}\\n\");\n"),
        variables: Vec::new(),
    };
    generator.declare();
    for _ in 0..2 + generator.choices.below(6) {
        generator.statement(1);
    }
    generator.print();
    generator.text.push_str("}\n");
    (generator.text, generator.choices.into_words())
}

impl Generator {
    fn line(&mut self, indent: usize, text: &str) {
        self.text.push_str(&"    ".repeat(indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn declare(&mut self) {
        for number in 0..2 + self.choices.below(4) {
            let ty = TYPES[self.choices.below(TYPES.len())];
            let value = if ty.float {
                self.choices.one(FLOATS)
            } else {
                self.choices.integer(NAMED)
            };
            self.line(1, &format!("{} v{number} = {value};", ty.name));
            self.variables.push((format!("v{number}"), ty));
        }
        if self.choices.chance(50) {
            self.line(
                1,
                "struct bits s = { 5, -3, 4000000000u, -9, 33, -700, 1, 65535, -2, 7 };",
            );
            for name in BITS {
                self.variables.push(((*name).to_owned(), integer("")));
            }
        }
        if self.choices.chance(30) {
            self.line(
                1,
                "struct pair p = { .y = 9, .w = { [1] = -4, 5 } }, q = p;",
            );
            self.line(1, "union mix m = { .l = 0x40490fdb12345678 };");
            self.variables.push(("p.x".to_owned(), integer("short")));
            self.variables
                .push(("p.y".to_owned(), integer("unsigned long")));
            self.variables.push(("q.z".to_owned(), float("float")));
            self.variables.push(("q.w[1]".to_owned(), integer("int")));
            self.variables
                .push(("m.c[3]".to_owned(), integer("unsigned char")));
        }
    }

    fn statement(&mut self, indent: usize) {
        match self.choices.below(if indent > 2 { 6 } else { 10 }) {
            0..=2 => {
                let (name, ty) = self.variable();
                let (mut value, float) = self.number(3);
                if float && !ty.float && ty.name != "_Bool" {
                    value = self.converted(&value);
                }
                self.line(indent, &format!("{name} = {value};"));
            }
            3 | 4 => self.compound(indent),
            5 => {
                let (name, _) = self.variable();
                let step = self.choices.one(&["++", "--"]);
                let text = if self.choices.chance(50) {
                    format!("{step}{name};")
                } else {
                    format!("{name}{step};")
                };
                // A step of a float is exact or lost, and stays in range.
                self.line(indent, &text);
            }
            6 => {
                let condition = self.number(2).0;
                self.line(indent, &format!("if ({condition}) {{"));
                self.statement(indent + 1);
                self.line(indent, "} else {");
                self.statement(indent + 1);
                self.line(indent, "}");
            }
            7 => {
                let turns = 1 + self.choices.below(4);
                self.line(
                    indent,
                    &format!("for (int i{indent} = 0; i{indent} < {turns}; i{indent}++) {{"),
                );
                self.statement(indent + 1);
                self.statement(indent + 1);
                self.line(indent, "}");
            }
            8 => {
                let value = self.whole(2);
                self.line(indent, &format!("switch ({value}) {{"));
                self.line(indent, "case 0: case 1:");
                self.statement(indent + 1);
                let leave = self.choices.chance(50);
                self.line(indent, if leave { "    break;" } else { "    ;" });
                self.line(indent, "case -5 ... -1: case 7:");
                self.statement(indent + 1);
                self.line(indent, "default:");
                self.statement(indent + 1);
                self.line(indent, "}");
            }
            _ => {
                let value = self.number(3);
                self.show(indent, value);
            }
        }
    }

    /// A float as an integer: only if it fits, since C leaves the rest undefined.
    fn converted(&mut self, value: &str) -> String {
        format!("{}({value})", self.choices.one(CONVERSIONS))
    }

    fn variable(&mut self) -> (String, Number) {
        let at = self.choices.below(self.variables.len());
        self.variables[at].clone()
    }

    fn compound(&mut self, indent: usize) {
        let (name, ty) = self.variable();
        let line = match self.choices.below(6) {
            5 if !ty.float => format!("{name} -= {name} * 0.5;"),
            0 if !ty.float => {
                let operator = self.choices.one(&["&", "|", "^"]);
                format!("{name} {operator}= {};", self.whole(2))
            }
            1 if !ty.float => {
                let operator = self.choices.one(&["<<", ">>"]);
                format!("{name} {operator}= {} & 31;", self.whole(1))
            }
            2 if !ty.float => {
                let operator = self.choices.one(&["/", "%"]);
                format!("{name} {operator}= ({} & 127) + 1;", self.whole(1))
            }
            3 if ty.float => {
                let operator = self.choices.one(&["+", "-", "*", "/"]);
                format!("{name} {operator}= {};", self.number(2).0)
            }
            _ => {
                let operator = self.choices.one(&["+", "-", "*"]);
                format!("{name} {operator}= {};", self.whole(2))
            }
        };
        self.line(indent, &line);
    }

    /// An expression with whether it is a float.
    fn number(&mut self, depth: usize) -> (String, bool) {
        if self.choices.chance(30) {
            (self.float(depth), true)
        } else {
            (self.whole(depth), false)
        }
    }

    fn float(&mut self, depth: usize) -> String {
        if depth == 0 || self.choices.chance(20) {
            let variables: Vec<_> = self
                .variables
                .iter()
                .filter(|(_, ty)| ty.float)
                .map(|(name, _)| name.clone())
                .collect();
            if !variables.is_empty() && self.choices.chance(60) {
                return variables[self.choices.below(variables.len())].clone();
            }
            return self.choices.one(FLOATS).to_owned();
        }
        let d = depth - 1;
        match self.choices.below(6) {
            0..=2 => {
                let operator = self.choices.one(&["+", "-", "*", "/"]);
                format!("({} {operator} {})", self.float(d), self.number(d).0)
            }
            3 => {
                let ty = self.choices.one(&["float", "double"]);
                format!("({ty}) {}", self.enclosed(d))
            }
            4 => format!("-({})", self.float(d)),
            _ => format!(
                "({} ? {} : {})",
                self.number(d).0,
                self.float(d),
                self.number(d).0
            ),
        }
    }

    fn enclosed(&mut self, depth: usize) -> String {
        format!("({})", self.number(depth).0)
    }

    /// An expression of an integer type.
    fn whole(&mut self, depth: usize) -> String {
        if depth == 0 || self.choices.chance(15) {
            let variables: Vec<_> = self
                .variables
                .iter()
                .filter(|(_, ty)| !ty.float)
                .map(|(name, _)| name.clone())
                .collect();
            if !variables.is_empty() && self.choices.chance(75) {
                return variables[self.choices.below(variables.len())].clone();
            }
            return self.choices.integer(NAMED).to_owned();
        }
        let d = depth - 1;
        match self.choices.below(14) {
            // Without parentheses: what binds is the grammar's to say, on both sides.
            0..=2 => {
                let mut text = self.term(d);
                for _ in 0..1 + self.choices.below(3) {
                    let operator = self.choices.one(&[
                        "+", "-", "*", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "&&", "||",
                    ]);
                    text = format!("{text} {operator} {}", self.term(d));
                }
                format!("({text})")
            }
            3 => format!("({} / (({} & 63) + 1))", self.whole(d), self.whole(d)),
            4 => format!("({} % (({} & 63) + 1))", self.whole(d), self.whole(d)),
            5 => format!(
                "({} {} ({} & 31))",
                self.whole(d),
                self.choices.one(&["<<", ">>"]),
                self.whole(d)
            ),
            6 => format!(
                "({} {} {})",
                self.number(d).0,
                self.choices.one(&["==", "!=", "<", "<=", ">", ">="]),
                self.number(d).0
            ),
            7 => format!("{}({})", self.choices.one(&["-", "~", "+"]), self.whole(d)),
            8 => format!("!({})", self.number(d).0),
            9 => {
                let ty = TYPES[self.choices.below(TYPES.len())];
                if ty.float || ty.name == "_Bool" {
                    format!("(({}) {} > 1)", ty.name, self.enclosed(d))
                } else if self.choices.chance(30) {
                    {
                        let value = self.float(d);
                        format!("({}) {}", ty.name, self.converted(&value))
                    }
                } else {
                    format!("({}) ({})", ty.name, self.whole(d))
                }
            }
            10 => format!(
                "({} ? {} : {})",
                self.number(d).0,
                self.whole(d),
                self.whole(d)
            ),
            11 => {
                // Bit-fields have no size; with something added they are values.
                format!("(long) sizeof(({}) + 0)", self.number(d).0)
            }
            12 => format!("({}, {})", self.whole(d), self.whole(d)),
            _ => format!("(typeof({} + 0)) ({})", self.whole(0), self.whole(d)),
        }
    }

    fn term(&mut self, depth: usize) -> String {
        match self.choices.below(4) {
            0 => format!("-{}", self.atom()),
            1 => format!("~{}", self.atom()),
            2 => self.whole(depth),
            _ => self.atom(),
        }
    }

    /// Something that a prefix operator may stand before.
    fn atom(&mut self) -> String {
        format!("({})", self.whole(0))
    }

    fn show(&mut self, indent: usize, (text, float): (String, bool)) {
        if float {
            // The sign and the bits of a NaN are nobody's business.
            let format = self.formats(&["e", "f", "g", "G", "E", "a"], "");
            self.line(
                indent,
                &format!("{{ double d = {text}; if (d == d) printf(\"{format}\\n\", d); }}"),
            );
            return;
        }
        match self.choices.below(4) {
            0 | 1 => self.line(indent, &format!("printf(\"%ld\\n\", (long) ({text}));")),
            2 => {
                let format = self.formats(&["d", "i", "u", "x", "X", "o"], "l");
                let ty = if format.ends_with(['d', 'i']) {
                    "long"
                } else {
                    "unsigned long"
                };
                self.line(
                    indent,
                    &format!("printf(\"{format}\\n\", ({ty}) ({text}));"),
                );
            }
            _ => {
                let format = self.formats(&["d", "u", "x", "o"], "");
                let ty = if format.ends_with('d') {
                    "int"
                } else {
                    "unsigned int"
                };
                self.line(
                    indent,
                    &format!("printf(\"{format}\\n\", ({ty}) ({text}));"),
                );
            }
        }
    }

    fn formats(&mut self, letters: &[&str], length: &str) -> String {
        let letter = self.choices.one(letters);
        let mut format = "%".to_owned();
        for flag in ["-", "+", " ", "0", "#"] {
            // C leaves `#` undefined for decimals.
            if self.choices.chance(15) && (flag != "#" || !"diu".contains(letter)) {
                format.push_str(flag);
            }
        }
        if self.choices.chance(40) {
            format.push_str(&self.choices.below(26).to_string());
        }
        if self.choices.chance(40) {
            format.push_str(&format!(".{}", self.choices.below(21)));
        }
        format!("{format}{length}{letter}")
    }

    fn print(&mut self) {
        for (name, ty) in self.variables.clone() {
            self.show(1, (name, ty.float));
        }
    }
}
