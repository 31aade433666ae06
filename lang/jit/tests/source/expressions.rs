//! Expressions: each is well typed by construction.

use super::places::Generator;
use super::types::{CHAR, INTEGERS, Ty, written};

const BINARY: &[&str] = &["+", "-", "*", "&", "|", "^"];
const COMPARE: &[&str] = &["==", "!=", "<", "<=", ">", ">="];
/// Integers that a script can name.
const NAMED: &[&str] = &[
    "-2147483648",
    "true",
    "RED",
    "BLUE",
    "BELOW",
    "LIGHT",
    "DARK",
];
const FLOAT_LITERALS: &[&str] = &[
    "0.0",
    "1.0",
    "-1.0",
    "0.5",
    "1.5f",
    "0.1",
    "0.1f",
    "-0.0",
    "2147483648.0",
    "-2147483649.0",
    "9223372036854775808.0",
    "18446744073709551616.0",
    "1e10",
    "1e300",
    "1e-300",
    "3.4e38f",
    "1e-45f",
    "(1.0 / 0.0)",
    "(0.0 / 0.0)",
    "0x1.8p3",
    "16777217.0",
    "4503599627370497.5",
];
const STRINGS: &[&str] = &[
    "\"\"",
    "\"a\"",
    "\"abc\"",
    "\"GET /index.html?a=b HTTP/1.1\"",
    "\"12abc\"",
    "\"-0x1f\"",
    "\"nul\\0inside\"",
    "\"\\x1b[31mred\"",
    "\"\\xc3\\xa9t\\xc3\\xa9\"",
    "\"\\xff\\xfe\"",
    "\"tab\\tand\\nline\"",
    "\"9223372036854775808\"",
    "\"first\"",
    "\"%d %s\"",
];
const PATTERNS: &[&str] = &[
    "rx/a/",
    "rx/^(\\w+) ([^? ]+)/",
    "rx/(\\d+)([a-z]*)/",
    "rx/^$/",
    "rx/(a|b)*c/",
    "rx/(?i)get|(HOST)/",
    "rx/[\\x00-\\x1f]/",
    "rx/.(.)./",
];

impl Generator {
    /// A value of a type.
    pub fn value(&mut self, ty: &Ty, depth: usize) -> String {
        match ty {
            Ty::Int(_) => self.integer(depth),
            Ty::Enum(_) => match self.choices.below(3) {
                0 => self.enumerator(ty),
                _ => self.integer(depth),
            },
            Ty::Float | Ty::Double => self.number(depth),
            Ty::Str => self.string(depth),
            Ty::Path => self.path(depth),
            Ty::Pointer(to) => self.pointer(to, depth),
            Ty::Record(index) => self.record(*index, depth),
            Ty::Void | Ty::Fixed(..) | Ty::Growing(_) | Ty::Table(..) | Ty::Aggregate => {
                "0".to_owned()
            }
        }
    }

    /// An enumerator of an enumeration.
    pub fn enumerator(&mut self, ty: &Ty) -> String {
        let names: &[&str] = match ty {
            Ty::Enum(true) => &["LIGHT", "DARK"],
            _ => &["RED", "GREEN", "BLUE", "BELOW"],
        };
        self.choices.one(names).to_owned()
    }

    /// The value of some place of a type.
    pub fn some_place(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        let place = self.place(&|place| place.ty == *ty)?;
        Some(self.written_place(&place, depth))
    }

    /// A function of the program that gives a type, called.
    pub fn some_call(&mut self, wanted: &dyn Fn(&Ty) -> bool, depth: usize) -> Option<String> {
        if !self.calls {
            return None;
        }
        let found: Vec<usize> = (0..self.functions.len())
            .filter(|&index| wanted(&self.functions[index].result))
            .collect();
        if found.is_empty() {
            return None;
        }
        let index = found[self.choices.below(found.len())];
        self.call(index, depth)
    }

    /// A call of a function; `None` if there is no container to pass.
    pub fn call(&mut self, index: usize, depth: usize) -> Option<String> {
        let function = self.functions[index].clone();
        let down = self.scope.iter().any(|variable| variable.name == "down");
        let mut arguments = vec![match (down, self.choices.below(8)) {
            (true, 0..=6) => "down - 1".to_owned(),
            (_, 7) => self.integer(1),
            _ => self.choices.below(4).to_string(),
        }];
        for parameter in &function.parameters {
            arguments.push(if parameter.is_container() {
                self.container(&|ty| ty == parameter, depth)?
            } else {
                self.value(parameter, depth.saturating_sub(1))
            });
        }
        Some(format!("{}({})", function.name, arguments.join(", ")))
    }

    /// A container that is wanted.
    pub fn container(&mut self, wanted: &dyn Fn(&Ty) -> bool, depth: usize) -> Option<String> {
        let place = self.place(&|place| place.ty.is_container() && wanted(&place.ty))?;
        Some(self.written_place(&place, depth))
    }

    /// An expression of an integer type.
    pub fn integer(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.choices.below(3) {
                0 => self.choices.integer(NAMED).to_owned(),
                _ => self
                    .place(&|place| place.ty.is_integer() && place.bare)
                    .map(|place| self.written_place(&place, 0))
                    .unwrap_or_else(|| "1".to_owned()),
            };
        }
        let d = depth - 1;
        let made = match self
            .choices
            .weighted(&[8, 22, 18, 10, 8, 6, 8, 6, 8, 6, 6, 2, 8, 12, 6, 4, 3, 3])
        {
            0 => None,
            1 => self
                .place(&|place| place.ty.is_integer())
                .map(|place| self.written_place(&place, d)),
            2 => Some(format!(
                "({} {} {})",
                self.integer(d),
                self.choices.one(BINARY),
                self.integer(d)
            )),
            3 => Some(self.comparison(d)),
            4 => Some(self.partial(d)),
            5 => Some(format!(
                "{}{}",
                self.choices.one(&["-", "~", "!", "+"]),
                self.operand(d)
            )),
            6 => Some(self.cast(d)),
            7 => Some(match self.choices.below(3) {
                0 => format!(
                    "({} ? {} : {})",
                    self.condition(d),
                    self.integer(d),
                    self.integer(d)
                ),
                1 => format!("({} ?: {})", self.integer(d), self.integer(d)),
                _ => format!("({}, {})", self.integer(d), self.integer(d)),
            }),
            8 => self.assignment(d),
            9 => Some(format!(
                "({} {} {})",
                self.condition(d),
                self.choices.one(&["&&", "||"]),
                self.condition(d)
            )),
            10 => self.some_call(&Ty::is_integer, d),
            11 => Some(self.constant_expression(d)),
            12 => self.table_question(d),
            13 => Some(self.integer_builtin(d)),
            14 => Some(format!(
                "({} {} {})",
                self.string(d),
                self.choices.one(&["~~", "!~~"]),
                self.choices.one(PATTERNS)
            )),
            15 => {
                let to = self.pointee();
                let (left, right) = (self.pointer(&to, d), self.pointer(&to, d));
                let pointer = written(&Ty::pointer(to), &self.records);
                Some(format!("(({pointer}) {left} - ({pointer}) {right})"))
            }
            16 => Some(format!("{}[{}]", self.string(d), self.integer(0))),
            _ => self.member_of_value(&Ty::is_integer, d),
        };
        made.unwrap_or_else(|| self.choices.integer(NAMED).to_owned())
    }

    /// An operand of a prefix operator, which must not run into it.
    fn operand(&mut self, depth: usize) -> String {
        format!("({})", self.integer(depth))
    }

    /// Division, remainder and shifts: mostly defined.
    fn partial(&mut self, depth: usize) -> String {
        let (left, right) = (self.integer(depth), self.integer(depth));
        match self.choices.below(6) {
            0 => format!("({left} / ({right} | 1))"),
            1 => format!("({left} % (({right} & 15) + 1))"),
            2 => format!("({left} << ({right} & 31))"),
            3 => format!("({left} >> ({right} & 31))"),
            _ => format!(
                "({left} {} {right})",
                self.choices.one(&["/", "%", "<<", ">>"])
            ),
        }
    }

    /// A conversion to an integer type.
    fn cast(&mut self, depth: usize) -> String {
        let ty = *self.choices.one(&INTEGERS.iter().collect::<Vec<_>>());
        match self.choices.below(8) {
            0..=2 => format!("({ty}) {}", self.operand(depth)),
            3 => format!("({ty}) ({} & 0xfff)", self.operand(depth)),
            4 => format!("({ty}) ({})", self.number(depth)),
            5 => format!("(typeof({})) ({})", self.integer(0), self.number(depth)),
            6 => {
                let to = self.pointee();
                format!("({ty}) ({})", self.pointer(&to, depth))
            }
            _ => format!("({ty}) {{ {} }}", self.integer(depth)),
        }
    }

    /// `sizeof`, `offsetof`.
    fn constant_expression(&mut self, depth: usize) -> String {
        match self.choices.below(5) {
            0 => format!("sizeof({})", self.choices.one(INTEGERS)),
            1 => format!(
                "sizeof(({}) + ({}))",
                self.integer(0),
                self.number(depth.min(1))
            ),
            2 => "offsetof(struct wide, inner.value)".to_owned(),
            3 => "sizeof(struct wide)".to_owned(),
            _ => format!("sizeof(typeof({}))", self.integer(0)),
        }
    }

    /// An assignment as a value.
    fn assignment(&mut self, depth: usize) -> Option<String> {
        let place = self.place(&|place| place.writable && place.ty.is_number())?;
        let boolean = matches!(place.ty, Ty::Int(8));
        let integer = place.ty.is_integer();
        let text = self.written_place(&place, depth);
        let assigned = match self.choices.below(7) {
            0 => format!("({text} = {})", self.number(depth)),
            1 if integer => format!(
                "({text} {}= {})",
                self.choices.one(&["&", "|", "^", "%", "<<", ">>"]),
                self.integer(depth)
            ),
            2 | 3 => format!(
                "({text} {}= {})",
                self.choices.one(&["+", "-", "*", "/"]),
                self.number(depth)
            ),
            4 => format!("(++{text})"),
            5 => format!("({text}--)"),
            6 if !boolean => format!("({text}++ + --{text})"),
            _ => format!("({text} = {})", self.integer(depth)),
        };
        // The value of a float is cut by a comparison, not by a conversion that may fault.
        Some(if integer {
            assigned
        } else {
            format!("({assigned} > 1.5)")
        })
    }

    /// A comparison of any two scalars.
    fn comparison(&mut self, depth: usize) -> String {
        match self.choices.below(8) {
            0..=3 => format!(
                "({} {} {})",
                self.number(depth),
                self.choices.one(COMPARE),
                self.number(depth)
            ),
            4 | 5 => format!(
                "({} {} {})",
                self.string(depth),
                self.choices.one(COMPARE),
                self.string(depth)
            ),
            6 => {
                let to = self.pointee();
                format!(
                    "({} {} {})",
                    self.pointer(&to, depth),
                    self.choices.one(COMPARE),
                    self.pointer(&to, depth)
                )
            }
            _ => format!(
                "({} {} {})",
                self.path(depth),
                self.choices.one(&["==", "!="]),
                self.path(depth)
            ),
        }
    }

    /// Any scalar as a condition.
    pub fn condition(&mut self, depth: usize) -> String {
        match self.choices.below(8) {
            0..=4 => self.integer(depth),
            5 => self.number(depth),
            6 => self.string(depth),
            _ => {
                let to = self.pointee();
                self.pointer(&to, depth)
            }
        }
    }

    /// `k in t`.
    fn table_question(&mut self, depth: usize) -> Option<String> {
        let place = self.place(&|place| matches!(place.ty, Ty::Table(..)) && place.bare)?;
        let Ty::Table(keys, _) = place.ty.clone() else {
            return None;
        };
        let table = self.written_place(&place, depth);
        Some(if let [key] = keys.as_slice() {
            // A comma would make two keys.
            format!("(({}) in {table})", self.key(key, 0))
        } else {
            let keys: Vec<String> = keys.iter().map(|key| self.key(key, depth)).collect();
            format!("(({}) in {table})", keys.join(", "))
        })
    }

    /// A built-in that gives an integer.
    fn integer_builtin(&mut self, depth: usize) -> String {
        let d = depth;
        match self.choices.below(26) {
            0 => format!("_len({})", self.string(d)),
            1 => format!(
                "{}({}, {})",
                self.choices.one(&["_contains", "_isprefix", "_issuffix"]),
                self.string(d),
                self.string(d)
            ),
            2 => format!("_strtol({})", self.string(d)),
            3 => format!(
                "_strtol({}, {})",
                self.string(d),
                self.choices.one(&["16", "0", "8", "2", "36", "1", "-3"])
            ),
            4 => self
                .container(&|ty| *ty != Ty::Aggregate, d)
                .map_or("0".to_owned(), |c| {
                    let name = self.choices.one(&["_len", "_elems", "_count"]);
                    format!("{name}({c})")
                }),
            5 | 6 => self
                .container(&|ty| *ty == Ty::Aggregate, d)
                .map_or("0".to_owned(), |c| {
                    let name =
                        self.choices
                            .one(&["_count", "_sum", "_min", "_max", "_avg", "_variance"]);
                    format!("{name}({c})")
                }),
            7 | 8 => self.reduction(d).map_or("0".to_owned(), |(text, float)| {
                if float {
                    format!("({text} < 3.5)")
                } else {
                    text
                }
            }),
            9 => {
                let (left, right) = (self.text(d), self.text(d));
                format!("strcmp({left}, {right})")
            }
            10 => {
                let (left, right) = (self.text(d), self.text(d));
                let name = self.choices.one(&["strncmp", "memcmp"]);
                format!("{name}({left}, {right}, {})", self.small(d))
            }
            11 => format!("strlen({})", self.text(d)),
            12 => format!("_depth({})", self.path(d)),
            13 => {
                let to = self.pointee();
                let pointer = self.pointer(&to, d);
                match self.choices.below(6) {
                    0 => format!("_object_bytes({pointer})"),
                    1 => format!("_resident({pointer}, {})", self.small(d)),
                    2 => format!("_unshared({pointer}, {})", self.small(d)),
                    3 => format!("_swapped({pointer}, {})", self.small(d)),
                    _ => format!("_readable({pointer}, {})", self.small(d)),
                }
            }
            14 => self
                .choices
                .one(&[
                    "_pid()",
                    "_is_live()",
                    "_tid()",
                    "_page_size()",
                    "_now_ns()",
                    "_now_us()",
                    "_now_ms()",
                    "_now_s()",
                    "_process_bytes(\"VmRSS\")",
                    "(_counters_lag() + _watched_ns() + _spanned_ns() + _watched_until_ns() + _windows() + _window_ns(1) + _window_stands_ns(1) + (_window_slowdown(1) > 1))",
                    "_process_bytes(\"VmPMD\")",
                    "_cgroup_bytes(\"usage\")",
                    "_cgroup_bytes(\"none\")",
                ])
                .to_owned(),
            15 => format!("_randint({})", self.integer(d)),
            16 => format!(
                "_reg({}{})",
                self.choices.one(&["\"rip\"", "\"rsp\"", "\"xmm9\""]),
                self.choices.one(&["", ", 1"])
            ),
            17 => "_tls(_tid(), tcache)".to_owned(),
            18 => "_tls(_pid(), tcache)".to_owned(),
            19 | 20 => self.taken(&Ty::is_integer, d).unwrap_or("2".to_owned()),
            21 => self
                .container(&|ty| matches!(ty, Ty::Growing(_)), d)
                .map_or("0".to_owned(), |c| format!("(_len({c}) - 1)")),
            22 => "_elems(_maps())".to_owned(),
            23 => self
                .choices
                .one(&["_len(_threads())", "_count(_modules())"])
                .to_owned(),
            24 => format!(
                "(uintptr_t) {}",
                self.choices.one(&[
                    "_uaddr(\"work\")",
                    "_pc_reg()",
                    "_sp_reg()",
                    "_sp_reg(3)",
                    "&work",
                    "&wide.hi",
                    "&nodes[1]",
                ])
            ),
            _ => format!("({} > {})", self.float_builtin(d), self.number(d)),
        }
    }

    /// A small number, often.
    pub fn small(&mut self, depth: usize) -> String {
        match self.choices.below(3) {
            0 | 1 => self.choices.below(20).to_string(),
            _ => self.integer(depth),
        }
    }

    /// Text for comparisons: a string, or an address of characters.
    fn text(&mut self, depth: usize) -> String {
        match self.choices.below(2) {
            0 => self.string(depth),
            _ => self.pointer(&Ty::Int(CHAR), depth),
        }
    }

    /// `_pop`, `_shift` of an array of wanted elements.
    pub fn taken(&mut self, wanted: &dyn Fn(&Ty) -> bool, depth: usize) -> Option<String> {
        let array = self.container(&|ty| matches!(ty, Ty::Growing(of) if wanted(of)), depth)?;
        let name = self.choices.one(&["_pop", "_shift"]);
        Some(format!("{name}({array})"))
    }

    /// `_sum`, `_min`, `_max` of a table or an array, and whether it gives a float.
    fn reduction(&mut self, depth: usize) -> Option<(String, bool)> {
        let element = |ty: &Ty| match ty {
            Ty::Growing(of) | Ty::Table(_, of) => Some((**of).clone()),
            _ => None,
        };
        let place = self.place(&|place| {
            element(&place.ty).is_some_and(|of| of.is_number() || matches!(of, Ty::Record(_)))
        })?;
        let of = element(&place.ty)?;
        let container = self.written_place(&place, depth);
        let name = self.choices.one(&["_sum", "_min", "_max"]);
        if of.is_number() {
            let float = matches!(of, Ty::Float | Ty::Double);
            return Some((format!("{name}({container})"), float));
        }
        let Ty::Record(index) = of else { return None };
        let members: Vec<_> = self.records[index]
            .members
            .iter()
            .filter(|member| member.bits.is_none() && member.ty.is_number())
            .cloned()
            .collect();
        if members.is_empty() {
            return None;
        }
        let member = &members[self.choices.below(members.len())];
        let float = matches!(member.ty, Ty::Float | Ty::Double);
        Some((format!("{name}({container}.{})", member.name), float))
    }

    /// A member of a record that is no place.
    fn member_of_value(&mut self, wanted: &dyn Fn(&Ty) -> bool, depth: usize) -> Option<String> {
        let found: Vec<(usize, String)> = self
            .records
            .iter()
            .enumerate()
            .filter(|(_, record)| record.declarable)
            .flat_map(|(index, record)| {
                let members = record.members.iter();
                members
                    .filter(|member| wanted(&member.ty))
                    .map(move |member| (index, member.name.clone()))
            })
            .collect();
        if found.is_empty() {
            return None;
        }
        let (index, member) = &found[self.choices.below(found.len())];
        Some(format!("({}).{member}", self.record(*index, depth)))
    }

    /// An integer or a float.
    pub fn number(&mut self, depth: usize) -> String {
        if self.choices.chance(45) {
            self.float(depth)
        } else {
            self.integer(depth)
        }
    }

    /// An expression of a float type.
    pub fn float(&mut self, depth: usize) -> String {
        let is_float = |ty: &Ty| matches!(ty, Ty::Float | Ty::Double);
        let d = depth.saturating_sub(1);
        let made = match if depth == 0 {
            0
        } else {
            self.choices.below(11)
        } {
            0 | 1 => None,
            2 | 3 => self
                .place(&|place| is_float(&place.ty))
                .map(|place| self.written_place(&place, d)),
            4 | 5 => Some(format!(
                "({} {} {})",
                self.float(d),
                self.choices.one(&["+", "-", "*", "/"]),
                self.number(d)
            )),
            6 => Some(format!(
                "({}) ({})",
                self.choices.one(&["float", "double"]),
                self.number(d)
            )),
            7 => Some(self.float_builtin(d)),
            8 => Some(format!("-({})", self.float(d))),
            9 => Some(format!(
                "({} ? {} : {})",
                self.condition(d),
                self.float(d),
                self.number(d)
            ))
            .map(|text| format!("(double) {text}")),
            _ => match self.choices.below(4) {
                0 => self.some_call(&is_float, d),
                1 => self.taken(&is_float, d),
                2 => self
                    .reduction(d)
                    .map(|(text, _)| format!("(double) {text}")),
                _ => self
                    .place(&|place| place.writable && is_float(&place.ty))
                    .map(|place| {
                        let text = self.written_place(&place, d);
                        match self.choices.below(3) {
                            0 => format!("({text} = {})", self.number(d)),
                            1 => format!("({text} *= {})", self.number(d)),
                            _ => format!("({text}++)"),
                        }
                    }),
            },
        };
        made.unwrap_or_else(|| self.choices.one(FLOAT_LITERALS).to_owned())
    }

    fn float_builtin(&mut self, depth: usize) -> String {
        if self.choices.chance(35) {
            let name =
                self.choices
                    .one(&["fmod", "fmodf", "remainder", "remainderf", "pow", "powf"]);
            return format!("{name}({}, {})", self.number(depth), self.number(depth));
        }
        let name = self.choices.one(&[
            "fabs", "fabsf", "sqrt", "sqrtf", "_log1", "log", "logf", "floor", "floorf", "ceil",
            "ceilf",
        ]);
        format!("{name}({})", self.number(depth))
    }

    /// An expression of type `_str`.
    pub fn string(&mut self, depth: usize) -> String {
        let d = depth.saturating_sub(1);
        let made = match if depth == 0 {
            0
        } else {
            self.choices.below(24)
        } {
            0 | 1 => None,
            2..=5 => self.some_place(&Ty::Str, d),
            6 => Some(format!("({} + {})", self.string(d), self.string(d))),
            7 => Some(format!(
                "_substr({}, {}, {})",
                self.string(d),
                self.small(d),
                self.small(d)
            )),
            8 => Some(format!("_tostr({})", self.number(d))),
            9 => Some(format!("_tostr({})", self.pointer(&Ty::Int(CHAR), d))),
            10 => Some(format!(
                "_tostr({}, {})",
                self.pointer(&Ty::Int(5), d),
                self.small(d)
            )),
            11 => Some(match self.choices.below(2) {
                0 => format!("_tostr_quoted({})", self.string(d)),
                _ => format!(
                    "_tostr_quoted({}, {})",
                    self.pointer(&Ty::Int(CHAR), d),
                    self.small(d)
                ),
            }),
            12 | 13 => Some(self.formatted("sprintf", d)),
            14 => self
                .place(&|place| place.bare && place.writable && place.ty == Ty::Str)
                .map(|place| {
                    let text = self.written_place(&place, d);
                    let delimiters = self.choices.one(&["\" \"", "\"/?=\"", "\"\"", "\"a\\0\""]);
                    format!("_chop_token({text}, {delimiters})")
                }),
            15 => {
                let to = self.pointee();
                Some(format!("_hex({}, {})", self.pointer(&to, d), self.small(d)))
            }
            16 => Some(format!("_leaf({})", self.path(d))),
            17 => {
                let to = self.pointee();
                Some(format!("_usym({})", self.pointer(&to, d)))
            }
            18 => Some(
                self.choices
                    .one(&[
                        "$0",
                        "$1",
                        "$2",
                        "$3",
                        "_execname()",
                        "_target_words()",
                        "_sym_ubt()",
                    ])
                    .to_owned(),
            ),
            19 => {
                self.container(&|ty| *ty == Ty::Aggregate, d)
                    .map(|c| match self.choices.below(3) {
                        0 => format!("_hist_log({c})"),
                        1 => format!("_hist_linear({c}, 0, 20, 5)"),
                        _ => format!(
                            "_hist_linear({c}, {}, {}, {})",
                            self.small(d),
                            self.small(d),
                            self.small(d)
                        ),
                    })
            }
            20 => Some(format!("_sym_ubt({})", self.path(d))),
            21 => Some(format!(
                "({} ? {} : {})",
                self.condition(d),
                self.string(d),
                self.string(d)
            )),
            22 => Some(format!("({} ?: {})", self.string(d), self.string(d))),
            _ => match self.choices.below(4) {
                0 => self.some_call(&|ty| *ty == Ty::Str, d),
                1 => self.taken(&|ty| *ty == Ty::Str, d),
                2 => self.member_of_value(&|ty| *ty == Ty::Str, d),
                _ => self
                    .place(&|place| place.writable && place.ty == Ty::Str)
                    .map(|place| {
                        let text = self.written_place(&place, d);
                        let operator = self.choices.one(&["=", "+="]);
                        format!("({text} {operator} {})", self.string(d))
                    }),
            },
        };
        made.unwrap_or_else(|| self.choices.one(STRINGS).to_owned())
    }

    /// An expression of type `_path`.
    pub fn path(&mut self, depth: usize) -> String {
        let d = depth.saturating_sub(1);
        let made = match if depth == 0 {
            0
        } else {
            self.choices.below(10)
        } {
            0 | 1 => None,
            2 | 3 => self.some_place(&Ty::Path, d),
            4 => Some(format!("({} / {})", self.path(d), self.string(d))),
            5 => Some(format!(
                "({} / (void *) {})",
                self.path(d),
                self.choices.one(&["0x400010", "0x400000", "0x10", "0"])
            )),
            6 => Some(format!("({} / {})", self.path(d), self.path(d))),
            7 => Some(format!("_parent({})", self.path(d))),
            8 => Some(self.choices.one(&["_ubt()", "_ubt(5)"]).to_owned()),
            _ => match self.choices.below(3) {
                0 => self.some_call(&|ty| *ty == Ty::Path, d),
                1 => self.taken(&|ty| *ty == Ty::Path, d),
                _ => self
                    .place(&|place| place.writable && place.ty == Ty::Path)
                    .map(|place| {
                        let text = self.written_place(&place, d);
                        format!("({text} /= {})", self.string(d))
                    }),
            },
        };
        made.unwrap_or_else(|| {
            if self.calls {
                "root"
            } else {
                "_parent(_ubt())"
            }
            .to_owned()
        })
    }
}
