//! Pointers, records, and formats with what they show.

use super::places::Generator;
use super::types::{ADDRESSES, CHAR, INTEGERS, Ty, declared, written};

impl Generator {
    /// A type that pointers point to.
    pub fn pointee(&mut self) -> Ty {
        match self.choices.below(10) {
            0 => Ty::Void,
            1 => Ty::Record(0),
            2 => Ty::Int(CHAR),
            3 => Ty::int(),
            4 => Ty::Record(1),
            5 => Ty::Double,
            6 => Ty::pointer(Ty::Record(0)),
            7 => {
                let plain: Vec<usize> = (0..self.records.len())
                    .filter(|&index| self.records[index].plain)
                    .collect();
                Ty::Record(plain[self.choices.below(plain.len())])
            }
            8 => Ty::Float,
            _ => Ty::Int(self.choices.below(INTEGERS.len())),
        }
    }

    /// A pointer to a type.
    pub fn pointer(&mut self, to: &Ty, depth: usize) -> String {
        let pointer = written(&Ty::pointer(to.clone()), &self.records);
        let d = depth.saturating_sub(1);
        let made = match if depth == 0 {
            0
        } else {
            self.choices.below(12)
        } {
            0 | 1 => None,
            2..=5 => self.some_place(&Ty::pointer(to.clone()), d),
            6 if *to != Ty::Void => Some(format!(
                "({} {} {})",
                self.pointer(to, d),
                self.choices.one(&["+", "-"]),
                self.small(d)
            )),
            7 => self
                .place(&|place| place.target && place.ty == *to && !place.bits)
                .map(|place| format!("&{}", self.written_place(&place, d))),
            8 => Some(format!("({pointer}) ({})", self.integer(d))),
            9 if *to == Ty::Record(0) => Some(format!(
                "_container_of({}, struct node, value)",
                self.pointer(&Ty::int(), d)
            )),
            10 => Some(format!(
                "({} ? {} : {})",
                self.condition(d),
                self.pointer(to, d),
                self.pointer(to, d)
            )),
            11 => self
                .place(&|place| place.writable && place.ty == Ty::pointer(to.clone()))
                .map(|place| {
                    let text = self.written_place(&place, d);
                    match self.choices.below(3) {
                        0 if *to != Ty::Void => format!("({text}++)"),
                        1 if *to != Ty::Void => format!("({text} -= {})", self.small(d)),
                        _ => format!("({text} = {})", self.pointer(to, d)),
                    }
                }),
            _ => None,
        };
        made.unwrap_or_else(|| {
            let address = ADDRESSES[self.choices.below(ADDRESSES.len())];
            if address == 0 {
                format!("({pointer}) NULL")
            } else {
                format!("({pointer}) {address:#x}")
            }
        })
    }

    /// A record of a kind.
    pub fn record(&mut self, index: usize, depth: usize) -> String {
        let d = depth.saturating_sub(1);
        let ty = Ty::Record(index);
        let made = match if depth == 0 { 0 } else { self.choices.below(7) } {
            0 => None,
            1..=3 => self.some_place(&ty, d),
            4 => self.some_call(&|result| *result == ty, d),
            5 => self.taken(&|of| *of == ty, d),
            _ => Some(format!(
                "({} ? {} : {})",
                self.condition(d),
                self.record(index, d),
                self.record(index, d)
            )),
        };
        made.unwrap_or_else(|| {
            let items = self.items(index, d);
            format!("({}) {items}", self.records[index].name)
        })
    }

    /// A braced list for a record.
    pub fn items(&mut self, index: usize, depth: usize) -> String {
        let record = self.records[index].clone();
        let mut items = Vec::new();
        let designated = record.union || index == 1 || self.choices.chance(40);
        for member in &record.members {
            if designated
                && self
                    .choices
                    .chance(if record.members.len() > 6 { 85 } else { 50 })
            {
                continue;
            }
            let value = match &member.ty {
                Ty::Fixed(of, length) => {
                    let mut values = Vec::new();
                    for _ in 0..self.choices.below(*length + 1) {
                        values.push(match &**of {
                            Ty::Fixed(..) => "{ 1, 2 }".to_owned(),
                            of => self.value(of, 0),
                        });
                    }
                    format!("{{ {} }}", values.join(", "))
                }
                Ty::Record(inner) if self.choices.chance(50) => self.items(*inner, 0),
                ty => self.value(ty, depth),
            };
            items.push(if designated {
                format!(".{} = {value}", member.name)
            } else {
                value
            });
            if record.union {
                break;
            }
        }
        if items.is_empty() {
            items.push(if designated || record.members.is_empty() {
                String::new()
            } else {
                "0".to_owned()
            });
        }
        format!("{{ {} }}", items.join(", "))
    }

    /// A call of a function that takes a format.
    pub fn formatted(&mut self, name: &str, depth: usize) -> String {
        let mut format = String::new();
        let mut arguments = Vec::new();
        for _ in 0..=self.choices.below(3) {
            format.push_str(
                self.choices
                    .one(&["", "x", " ", "100%% ", "\\n", "\\\"", "\\x1b"]),
            );
            self.conversion(&mut format, &mut arguments, depth);
        }
        let mut call = format!("{name}(\"{format}\"");
        for argument in arguments {
            call.push_str(", ");
            call.push_str(&argument);
        }
        call.push(')');
        call
    }

    fn conversion(&mut self, format: &mut String, arguments: &mut Vec<String>, depth: usize) {
        format.push('%');
        for flag in ["-", "+", " ", "#", "0", "'"] {
            if self.choices.chance(12) {
                format.push_str(flag);
            }
        }
        for dot in ["", "."] {
            match self.choices.below(10) {
                0..=5 => {}
                6..=8 => format.push_str(&format!("{dot}{}", self.choices.below(13))),
                _ => {
                    format.push_str(&format!("{dot}*"));
                    arguments.push(format!("({}) % 40", self.integer(depth.min(1))));
                }
            }
        }
        match self.choices.below(12) {
            0..=2 => {
                let length = self
                    .choices
                    .one(&["", "", "l", "ll", "h", "hh", "z", "j", "t", "q"]);
                let letter = self.choices.one(&["d", "i", "u", "x", "X", "o"]);
                format.push_str(&format!("{length}{letter}"));
                arguments.push(self.integer(depth));
            }
            3 => {
                format.push_str(self.choices.one(&["e", "f", "g", "E", "F", "G", "a", "A"]));
                arguments.push(self.float(depth));
            }
            4 => {
                format.push('s');
                arguments.push(self.string(depth));
            }
            5 => {
                format.push('s');
                arguments.push(self.pointer(&Ty::Int(CHAR), depth));
            }
            6 => {
                format.push('p');
                let to = self.pointee();
                arguments.push(self.pointer(&to, depth));
            }
            7 => {
                format.push('c');
                arguments.push(self.integer(depth));
            }
            8 => {
                format.push_str(self.choices.one(&["hB", "hT"]));
                arguments.push(self.integer(depth));
            }
            _ => {
                format.push('V');
                arguments.push(self.any(depth));
            }
        }
    }

    /// A value of any type, containers included, to be shown.
    pub fn any(&mut self, depth: usize) -> String {
        match self.choices.below(6) {
            0 => self.number(depth),
            1 => self.string(depth),
            2 => self.path(depth),
            3 => {
                let to = self.pointee();
                self.pointer(&to, depth)
            }
            _ => match self.place(&|place| !place.ty.is_number()) {
                Some(place) => self.written_place(&place, depth),
                None => self.number(depth),
            },
        }
    }

    /// How a variable of a type is declared.
    pub fn declaration(&self, ty: &Ty, name: &str) -> String {
        declared(ty, name, &self.records)
    }
}
