//! Statements of generated programs, one a line, so that lines can be left out of a failure.

use super::places::Generator;
use super::types::{FAULT, Ty};

impl Generator {
    /// Statements in a scope of their own, up to so many.
    pub fn statements(&mut self, most: usize) {
        let scope = self.scope.len();
        self.indent += 1;
        for _ in 0..=self.choices.below(most) {
            if self.fuel == 0 {
                break;
            }
            self.statement();
        }
        self.indent -= 1;
        self.scope.truncate(scope);
    }

    /// A body in braces after a head.
    fn body(&mut self, head: &str, most: usize) {
        self.line(&format!("{head} {{"));
        self.statements(most);
        self.line("}");
    }

    fn loop_body(&mut self, head: &str) {
        self.loops += 1;
        let switches = std::mem::take(&mut self.switches);
        self.body(head, 3);
        self.switches = switches;
        self.loops -= 1;
    }

    fn statement(&mut self) {
        self.fuel = self.fuel.saturating_sub(1);
        match self
            .choices
            .weighted(&[14, 12, 12, 8, 6, 4, 6, 4, 5, 12, 7, 5, 4, 8, 4, 5, 3, 2])
        {
            0 => self.printing(),
            1 => self.assigning(),
            2 => self.declaring(),
            3 => {
                let condition = self.condition(2);
                self.body(&format!("if ({condition})"), 2);
                if self.choices.chance(40) {
                    self.body("else", 2);
                }
            }
            4 => self.for_loop(),
            5 => {
                if self.choices.chance(50) {
                    let condition = self.condition(2);
                    self.loop_body(&format!("while ({condition})"));
                } else {
                    self.loop_body("do");
                    let condition = self.condition(2);
                    self.line(&format!("while ({condition});"));
                }
            }
            6 => self.foreach(),
            7 => self.switch(),
            8 => self.try_catch(),
            9 => self.container_statement(),
            10 => self.jump(),
            11 => self.goto(),
            12 => {
                let value = self.effect();
                self.line(&format!("{value};"));
            }
            13 => self.call_statement(),
            14 => self.body("", 3),
            15 => self.raising(),
            16 => self.sort(),
            _ => self.line(";"),
        }
    }

    fn printing(&mut self) {
        let text = match self.choices.below(8) {
            0..=4 => self.formatted("printf", 2),
            5 => {
                let (a, b) = (self.any(2), self.any(2));
                format!("_print({a}, \" \", {b}, \"\\n\")")
            }
            6 => format!("puts({})", self.string(2)),
            _ => {
                let (a, b) = (self.integer(2), self.integer(2));
                let tolerance = self.choices.one(&["", ", 1", ", -1", ", 1ul << 40"]);
                format!("_assert_equal(\"sums\", {a}, {b}{tolerance})")
            }
        };
        self.line(&format!("{text};"));
    }

    fn assigning(&mut self) {
        let place = self.place(&|place| {
            place.writable && (place.ty.is_scalar() || matches!(place.ty, Ty::Record(_)))
        });
        let Some(place) = place else {
            return self.declaring();
        };
        let text = self.written_place(&place, 2);
        let line = match &place.ty {
            Ty::Int(8) => format!("{text} = {};", self.condition(3)),
            ty if ty.is_integer() => match self.choices.below(6) {
                0 | 1 => format!("{text} = {};", self.number(3)),
                2 => format!("{text}{};", self.choices.one(&["++", "--"])),
                3 => format!("--{text};"),
                4 => {
                    let operator = self.choices.one(&["&", "|", "^", "%", "<<", ">>"]);
                    format!("{text} {operator}= {};", self.integer(2))
                }
                _ => {
                    let operator = self.choices.one(&["+", "-", "*", "/"]);
                    format!("{text} {operator}= {};", self.number(2))
                }
            },
            Ty::Float | Ty::Double => {
                let operator = self.choices.one(&["", "+", "-", "*", "/"]);
                format!("{text} {operator}= {};", self.number(3))
            }
            Ty::Str if self.choices.chance(50) => format!("{text} += {};", self.string(2)),
            Ty::Path if self.choices.chance(50) => {
                let frame = match self.choices.below(3) {
                    0 => self.string(2),
                    1 => self.path(2),
                    _ => "(void *) 0x400010".to_owned(),
                };
                format!("{text} /= {frame};")
            }
            Ty::Pointer(to) if **to != Ty::Void && self.choices.chance(40) => {
                match self.choices.below(3) {
                    0 => format!("{text}++;"),
                    1 => format!("{text} += {};", self.integer(1)),
                    _ => format!("{text} -= {};", self.integer(1)),
                }
            }
            ty => {
                let ty = ty.clone();
                format!("{text} = {};", self.value(&ty, 2))
            }
        };
        self.line(&line);
    }

    /// An expression for its effects.
    fn effect(&mut self) -> String {
        match self.choices.below(3) {
            0 => format!("(void) ({})", self.integer(3)),
            1 => {
                let (a, b) = (self.integer(2), self.integer(2));
                format!("{a}, {b}")
            }
            _ => self.any(2),
        }
    }

    /// A type of a local variable that is no container.
    pub fn plain_type(&mut self) -> Ty {
        match self.choices.below(14) {
            0..=4 => Ty::Int(self.choices.below(super::types::INTEGERS.len())),
            5 => Ty::Float,
            6 => Ty::Double,
            7 | 8 => Ty::Str,
            9 => Ty::Path,
            10 => Ty::Enum(self.choices.chance(50)),
            11 => {
                let to = self.pointee();
                Ty::pointer(to)
            }
            _ => {
                let found: Vec<usize> = (0..self.records.len())
                    .filter(|&index| self.records[index].declarable)
                    .collect();
                // The program's own come last, and are the most interesting.
                let at = if self.choices.chance(70) {
                    found.len() - 1 - self.choices.below(2.min(found.len()))
                } else {
                    self.choices.below(found.len())
                };
                Ty::Record(found[at])
            }
        }
    }

    /// A type of a key.
    fn key_type(&mut self) -> Ty {
        match self.choices.below(10) {
            0..=2 => Ty::Int(self.choices.below(super::types::INTEGERS.len())),
            3 | 4 => Ty::Str,
            5 => Ty::Double,
            6 => Ty::Path,
            7 => Ty::pointer(Ty::Void),
            8 => Ty::Enum(false),
            _ => {
                let found: Vec<usize> = (0..self.records.len())
                    .filter(|&index| self.records[index].key)
                    .collect();
                if found.is_empty() {
                    Ty::Float
                } else {
                    Ty::Record(found[self.choices.below(found.len())])
                }
            }
        }
    }

    /// A container type.
    pub fn container_type(&mut self, depth: usize) -> Ty {
        let inner = |generator: &mut Self| {
            if depth > 0 && generator.choices.chance(30) {
                generator.container_type(depth - 1)
            } else {
                generator.plain_type()
            }
        };
        match self.choices.below(9) {
            0..=2 => {
                let key = self.key_type();
                Ty::Table(vec![key], Box::new(inner(self)))
            }
            3 => {
                let keys = vec![self.key_type(), self.key_type()];
                Ty::Table(keys, Box::new(inner(self)))
            }
            4 | 5 => Ty::Growing(Box::new(self.plain_type())),
            // Nothing can be put into one, but it can be looked at.
            6 if depth > 0 => Ty::Growing(Box::new(self.container_type(0))),
            _ => Ty::Aggregate,
        }
    }

    fn declaring(&mut self) {
        match self.choices.below(10) {
            0..=5 => {
                let ty = self.plain_type();
                let name = self.name("v");
                let declaration = self.declaration(&ty, &name);
                let line = match &ty {
                    _ if self.choices.chance(25) => format!("{declaration};"),
                    Ty::Record(index) if self.choices.chance(60) => {
                        format!("{declaration} = {};", self.items(*index, 1))
                    }
                    Ty::Record(FAULT) => format!("{declaration};"),
                    ty => format!("{declaration} = {};", self.value(ty, 2)),
                };
                self.line(&line);
                self.declare(&name, ty, true);
            }
            6 => {
                let of = match self.plain_type() {
                    ty if self.choices.chance(20) => Ty::Fixed(Box::new(ty), 2),
                    ty => ty,
                };
                let length = 1 + self.choices.below(5);
                let name = self.name("a");
                let ty = Ty::Fixed(Box::new(of.clone()), length);
                let declaration = self.declaration(&ty, &name);
                if self.choices.chance(50) || !of.is_scalar() {
                    self.line(&format!("{declaration};"));
                } else {
                    let (at, value) = (self.choices.below(length), self.value(&of, 1));
                    self.line(&format!("{declaration} = {{ [{at}] = {value} }};"));
                }
                self.declare(&name, ty, true);
            }
            7 => {
                // The type of one value, given to another.
                let name = self.name("v");
                let place = self.place(&|place| place.ty.is_scalar() && !place.bits);
                let Some(place) = place else {
                    return self.line(";");
                };
                let text = self.written_place(&place, 0);
                let value = self.value(&place.ty, 2);
                self.line(&format!("typeof({text}) {name} = {value};"));
                self.declare(&name, place.ty, true);
            }
            8 => {
                let name = self.name("p");
                self.line(&format!("const char *{name} = \"http\";"));
                self.declare(&name, Ty::pointer(Ty::Int(super::types::CHAR)), true);
            }
            _ => {
                let ty = self.container_type(1);
                let name = self.name("c");
                let declaration = self.declaration(&ty, &name);
                match &ty {
                    Ty::Growing(of) if of.is_scalar() && self.choices.chance(50) => {
                        let (a, b) = (self.value(of, 1), self.value(of, 1));
                        self.line(&format!("{declaration} = {{ {a}, {b} }};"));
                    }
                    _ => self.line(&format!("{declaration};")),
                }
                self.declare(&name, ty, true);
            }
        }
    }

    fn for_loop(&mut self) {
        let name = self.name("i");
        let limit = 1 + self.choices.below(6);
        let scope = self.scope.len();
        let head = match self.choices.below(5) {
            0..=2 => format!("for (int {name} = 0; {name} < {limit}; {name}++)"),
            3 => format!("for (unsigned long {name} = {limit}; {name}-- > 0; )"),
            _ => format!("for (long {name} = 0; ; {name} += 2)"),
        };
        let ty = if head.contains("(int") {
            Ty::int()
        } else if head.contains("(long") {
            Ty::Int(1)
        } else {
            Ty::Int(3)
        };
        let writable = self.choices.chance(10);
        self.declare(&name, ty, writable);
        let endless = head.contains("; ;");
        if endless {
            self.line(&format!("{head} {{"));
            self.indent += 1;
            self.line(&format!("if ({name} > {limit})"));
            self.indent += 1;
            self.line("break;");
            self.indent -= 2;
            self.loops += 1;
            let switches = std::mem::take(&mut self.switches);
            self.statements(3);
            self.switches = switches;
            self.loops -= 1;
            self.line("}");
        } else {
            self.loop_body(&head);
        }
        self.scope.truncate(scope);
    }

    fn foreach(&mut self) {
        let scope = self.scope.len();
        let listing = self.choices.below(12);
        if (9..12).contains(&listing) {
            let name = self.name("m");
            let maps = self.choices.one(&["_maps()", "_maps(0)", "_maps(1)"]);
            let call = [maps, "_threads()", "_modules()"][listing - 9];
            self.declare(&name, Ty::Record(FAULT + listing - 8), false);
            self.loop_body(&format!("_foreach ({name} in {call})"));
            self.scope.truncate(scope);
            return;
        }
        let place = self.place(&|place| matches!(place.ty, Ty::Table(..) | Ty::Growing(_)));
        let Some(place) = place else {
            return self.for_loop();
        };
        let container = self.written_place(&place, 1);
        let mut names = Vec::new();
        let both = self.choices.chance(60);
        match &place.ty {
            Ty::Table(keys, value) => {
                for key in keys {
                    names.push((self.name("k"), key.clone()));
                }
                if both {
                    names.push((self.name("e"), (**value).clone()));
                }
            }
            Ty::Growing(of) => {
                if both {
                    names.push((self.name("n"), Ty::Int(1)));
                }
                names.push((self.name("e"), (**of).clone()));
            }
            _ => return,
        }
        let mut written: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let head = match &place.ty {
            Ty::Table(keys, _) if keys.len() > 1 => {
                let value = written.split_off(keys.len());
                let keys = format!("({})", written.join(", "));
                match value.first() {
                    Some(value) => format!("{keys}, {value}"),
                    None => keys,
                }
            }
            _ => written.join(", "),
        };
        // The names of the loop are not known to its limit.
        let mut limit = String::new();
        if self.choices.chance(30) {
            let most = match self.choices.below(3) {
                0 => self.integer(1),
                _ => self.choices.below(5).to_string(),
            };
            limit = format!(" _limit {most}");
        }
        for (name, ty) in &names {
            self.declare(name, ty.clone(), !ty.is_container());
            if let (true, Some(last)) = (ty.is_container(), self.scope.last_mut()) {
                last.writable = true;
            }
        }
        let mut order = String::new();
        if self.choices.chance(50) {
            let place = self.place(&|place| place.ty.is_scalar());
            let by = match place {
                Some(place) if self.choices.chance(70) => self.written_place(&place, 1),
                _ => self.number(1),
            };
            order = format!(" _by {by}{}", self.choices.one(&["", " _desc"]));
        }
        self.loop_body(&format!("_foreach ({head} in {container}{order}{limit})"));
        self.scope.truncate(scope);
    }

    fn switch(&mut self) {
        let value = self.integer(2);
        self.line(&format!("switch ({value}) {{"));
        let cases: [&[&str]; 4] = [
            &["case 0:", "case 1:", "case 2 ... 9:", "default:"],
            &["case -1:", "default:", "case 10 ... 1000:", "case 0:"],
            &["case RED:", "case GREEN:", "case 'a':"],
            &[
                "case -2147483647 - 1 ... -2:",
                "case 3:",
                "case 1:",
                "case 2147483647:",
            ],
        ];
        let labels = cases[self.choices.below(cases.len())];
        let scope = self.scope.len();
        self.switches += 1;
        for label in labels {
            self.line(label);
            // Bodies are blocks, since no jump may pass the declaration of a container.
            self.body("", 2);
            if self.choices.chance(60) {
                self.indent += 1;
                self.line("break;");
                self.indent -= 1;
            }
        }
        self.switches -= 1;
        self.scope.truncate(scope);
        self.line("}");
    }

    fn try_catch(&mut self) {
        self.body("_try", 3);
        let scope = self.scope.len();
        let name = self.name("f");
        let named = self.choices.chance(75);
        if named {
            self.declare(&name, Ty::Record(FAULT), true);
            self.line(&format!("_catch (_fault {name}) {{"));
        } else {
            self.line("_catch {");
        }
        self.indent += 1;
        if named && self.choices.chance(60) {
            self.line(&format!(
                "printf(\"%s %p %s %s\\n\", {name}.kind, {name}.addr, {name}.message, {name}.span);"
            ));
        }
        self.indent -= 1;
        self.statements(2);
        self.scope.truncate(scope);
        self.line("}");
    }

    fn container_statement(&mut self) {
        let Some(place) = self.place(&|place| place.ty.is_container() && place.writable) else {
            return self.declaring();
        };
        let text = self.written_place(&place, 2);
        let line = match &place.ty {
            Ty::Aggregate => match self.choices.below(8) {
                0 => format!("_clear({text});"),
                1 | 2 => {
                    let name =
                        self.choices
                            .one(&["_count", "_sum", "_min", "_max", "_avg", "_variance"]);
                    format!("_print({name}({text}), \"\\n\");")
                }
                _ => format!("{text} <<< {};", self.integer(2)),
            },
            Ty::Growing(of) if of.is_container() => format!("_clear({text});"),
            Ty::Growing(of) => match self.choices.below(8) {
                0 => format!("_clear({text});"),
                1 => format!("_unshift({text}, {});", self.value(of, 2)),
                2 => format!("(void) _pop({text});"),
                3 => format!("(void) _shift({text});"),
                _ => format!("_push({text}, {});", self.value(of, 2)),
            },
            Ty::Table(keys, value) => {
                let keys: Vec<String> = keys.iter().map(|key| self.key(key, 2)).collect();
                let row = format!("{text}[{}]", keys.join(", "));
                match (&**value, self.choices.below(8)) {
                    (_, 0) => format!("_clear({text});"),
                    (_, 1) => format!("_delete {row};"),
                    (Ty::Aggregate, _) => format!("{row} <<< {};", self.integer(2)),
                    (Ty::Growing(of), _) if of.is_container() => format!("_clear({row});"),
                    (Ty::Growing(of), _) => format!("_push({row}, {});", self.value(of, 2)),
                    (Ty::Table(keys, value), _) if !value.is_container() => {
                        let inner: Vec<String> = keys.iter().map(|key| self.key(key, 1)).collect();
                        let value = self.value(value, 1);
                        format!("{row}[{}] = {value};", inner.join(", "))
                    }
                    (Ty::Table(..), _) => format!("_clear({row});"),
                    (value, 2) if value.is_number() => format!("{row}++;"),
                    (value, 3 | 4) if value.is_number() => {
                        format!("{row} += {};", self.number(2))
                    }
                    (value, _) => format!("{row} = {};", self.value(value, 2)),
                }
            }
            _ => ";".to_owned(),
        };
        self.line(&line);
    }

    fn jump(&mut self) {
        let mut ways = vec!["return"];
        if self.loops > 0 && self.switches == 0 {
            ways.extend(["break", "continue", "break", "continue"]);
        } else if self.loops > 0 {
            ways.extend(["continue", "continue"]);
        }
        let guard = self.choices.chance(70).then(|| self.condition(2));
        let way = self.choices.one(&ways);
        let line = match (way, self.result.clone()) {
            ("return", Some(ty)) => format!("return {};", self.value(&ty, 2)),
            (way, _) => format!("{way};"),
        };
        match guard {
            Some(condition) => {
                self.line(&format!("if ({condition})"));
                self.indent += 1;
                self.line(&line);
                self.indent -= 1;
            }
            None => self.line(&line),
        }
    }

    /// A label with what jumps to it, forwards or backwards.
    fn goto(&mut self) {
        if !self.labels.is_empty() && self.choices.chance(50) {
            let label = self.labels[self.choices.below(self.labels.len())].clone();
            let condition = self.condition(2);
            self.line(&format!("if ({condition})"));
            self.indent += 1;
            self.line(&format!("goto {label};"));
            self.indent -= 1;
            return;
        }
        let label = self.name("l");
        if self.choices.chance(40) {
            let count = self.name("r");
            self.line("{");
            self.indent += 1;
            self.line(&format!("int {count} = 0;"));
            self.line(&format!("{label}:"));
            self.body("", 3);
            let limit = self.choices.below(4);
            self.line(&format!("if ({count}++ < {limit})"));
            self.indent += 1;
            self.line(&format!("goto {label};"));
            self.indent -= 2;
            self.line("}");
        } else {
            self.labels.push(label.clone());
            self.body("", 4);
            self.labels.pop();
            self.line(&format!("{label}: ;"));
        }
    }

    fn call_statement(&mut self) {
        if self.functions.is_empty() {
            return self.printing();
        }
        let index = self.choices.below(self.functions.len());
        match self.call(index, 2) {
            Some(call) if self.functions[index].result == Ty::Void => {
                self.line(&format!("{call};"))
            }
            Some(call) => self.line(&format!("_print({call}, \"\\n\");")),
            None => self.printing(),
        }
    }

    fn raising(&mut self) {
        let line = match self.choices.below(12) {
            0..=2 => format!("assert({});", self.condition(2)),
            3 | 4 => format!("_warn(({}) + \"\");", self.string(2)),
            5 => format!("{};", self.formatted("_warn", 1)),
            6 | 7 => format!(
                "if ({}) {};",
                self.condition(2),
                self.formatted("_raise", 1)
            ),
            8 => format!(
                "if ({}) _raise(({}) + \"\");",
                self.condition(1),
                self.string(1)
            ),
            9 => format!("if ({}) _next();", self.condition(2)),
            10 => format!("if ({}) _exit();", self.condition(2)),
            _ => format!(
                "if ({}) _error(\"no more %d\", {});",
                self.condition(2),
                self.integer(1)
            ),
        };
        self.line(&line);
    }

    fn sort(&mut self) {
        let place = self.place(&|place| {
            place.writable && matches!(&place.ty, Ty::Growing(of) if !of.is_container())
        });
        let Some(place) = place else {
            return self.printing();
        };
        let Ty::Growing(of) = place.ty.clone() else {
            return;
        };
        let text = self.written_place(&place, 1);
        let scope = self.scope.len();
        self.declare("_", (*of).clone(), false);
        let by = match (of.is_scalar(), self.choices.below(3)) {
            (true, 0) => String::new(),
            (_, 1) => format!(" _by {}", self.number(1)),
            _ => match self.place(&|place| place.ty.is_scalar()) {
                Some(place) => format!(" _by {}", self.written_place(&place, 1)),
                None => format!(" _by {}", self.number(1)),
            },
        };
        self.scope.truncate(scope);
        let order = self.choices.one(&["", " _desc"]);
        self.line(&format!("_sort({text}{by}{order});"));
    }
}
