//! What a generated program has in scope, and the places that can be read and written there.

use super::choices::Choices;
use super::types::{Record, Ty, known_records};

/// A variable in scope.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub ty: Ty,
    pub writable: bool,
    /// Whether it lies in the target.
    pub target: bool,
}

/// A function of the program.
#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub result: Ty,
    /// The first one, an `int` that goes down, is not among them.
    pub parameters: Vec<Ty>,
}

/// One step from a variable to a part of it.
#[derive(Clone, Debug)]
enum Part {
    Member(String),
    Arrow(String),
    Follow,
    /// An element of so many.
    Index(usize),
    /// An element of an array of the target, without a bound.
    Free,
    Element,
    Row(Vec<Ty>),
}

/// A place with its type.
#[derive(Clone, Debug)]
pub struct Place {
    variable: String,
    parts: Vec<Part>,
    pub ty: Ty,
    pub writable: bool,
    pub target: bool,
    pub bits: bool,
    /// Whether it is a bare variable.
    pub bare: bool,
}

/// The most places that are looked at for one choice.
const MOST_PLACES: usize = 48;

/// A generator of programs.
pub struct Generator {
    pub choices: Choices,
    pub records: Vec<Record>,
    pub functions: Vec<Function>,
    pub scope: Vec<Variable>,
    /// How many of the first variables in scope are the target's.
    pub target_variables: usize,
    pub lines: Vec<String>,
    pub indent: usize,
    /// Statements that may still be made.
    pub fuel: usize,
    /// The number of the next name.
    pub names: usize,
    pub loops: usize,
    pub switches: usize,
    /// Labels in enclosing blocks.
    pub labels: Vec<String>,
    /// What the function at hand returns; `None` in a probe.
    pub result: Option<Ty>,
    /// Whether functions can be called: not in initializers of globals.
    pub calls: bool,
}

impl Generator {
    pub fn new(choices: Choices) -> Self {
        let target = |name: &str, ty: Ty| Variable {
            name: name.to_owned(),
            ty,
            writable: false,
            target: true,
        };
        let character = || Ty::Int(super::types::CHAR);
        let scope = vec![
            target("counter", Ty::int()),
            target("head", Ty::pointer(Ty::Record(0))),
            target("text", Ty::pointer(character())),
            target("ratio", Ty::Double),
            target("wide", Ty::Record(1)),
            target("wides", Ty::pointer(Ty::Record(1))),
            target("nodes", Ty::Fixed(Box::new(Ty::Record(0)), 4)),
            target("banner", Ty::Fixed(Box::new(character()), 16)),
            target("tcache", Ty::int()),
        ];
        Self {
            choices,
            records: known_records(),
            functions: Vec::new(),
            target_variables: scope.len(),
            scope,
            lines: Vec::new(),
            indent: 0,
            fuel: 0,
            names: 0,
            loops: 0,
            switches: 0,
            labels: Vec::new(),
            result: None,
            calls: true,
        }
    }

    /// A new name.
    pub fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// A line of the program.
    pub fn line(&mut self, text: &str) {
        self.lines
            .push(format!("{}{text}", "    ".repeat(self.indent)));
    }

    /// Declares a variable in the scope at hand.
    pub fn declare(&mut self, name: &str, ty: Ty, writable: bool) {
        self.scope.push(Variable {
            name: name.to_owned(),
            ty,
            writable,
            target: false,
        });
    }

    /// A place that is wanted, if a few variables tried have one.
    pub fn place(&mut self, wanted: &dyn Fn(&Place) -> bool) -> Option<Place> {
        for _ in 0..4 {
            // The newest variables first: they are the nearest.
            let back = match self.choices.below(3) {
                0 => self.choices.below(self.scope.len().min(6)),
                _ => self.choices.below(self.scope.len()),
            };
            let variable = &self.scope[self.scope.len() - 1 - back];
            let mut found = Vec::new();
            let start = Place {
                variable: variable.name.clone(),
                parts: Vec::new(),
                ty: variable.ty.clone(),
                writable: variable.writable,
                target: variable.target,
                bits: false,
                bare: true,
            };
            self.parts(start, wanted, &mut found);
            if !found.is_empty() {
                let at = self.choices.below(found.len());
                return Some(found.swap_remove(at));
            }
        }
        None
    }

    fn parts(&self, place: Place, wanted: &dyn Fn(&Place) -> bool, found: &mut Vec<Place>) {
        if found.len() >= MOST_PLACES {
            return;
        }
        if wanted(&place) {
            found.push(place.clone());
        }
        if place.parts.len() >= 4 {
            return;
        }
        let with = |part: Part, ty: Ty| {
            let mut parts = place.parts.clone();
            parts.push(part);
            Place {
                parts,
                ty,
                variable: place.variable.clone(),
                bits: false,
                bare: false,
                ..place
            }
        };
        match &place.ty {
            Ty::Record(index) => {
                for member in &self.records[*index].members {
                    let mut part = with(Part::Member(member.name.clone()), member.ty.clone());
                    part.bits = member.bits.is_some();
                    self.parts(part, wanted, found);
                }
            }
            Ty::Fixed(of, length) => {
                let part = if place.target {
                    Part::Free
                } else {
                    Part::Index(*length)
                };
                self.parts(with(part, (**of).clone()), wanted, found);
            }
            Ty::Growing(of) => self.parts(with(Part::Element, (**of).clone()), wanted, found),
            Ty::Table(keys, value) => {
                let part = with(Part::Row(keys.clone()), (**value).clone());
                self.parts(part, wanted, found);
            }
            Ty::Pointer(to) => match &**to {
                Ty::Record(index) => {
                    for member in &self.records[*index].members {
                        let mut part = with(Part::Arrow(member.name.clone()), member.ty.clone());
                        part.bits = member.bits.is_some();
                        part.writable = false;
                        part.target = true;
                        self.parts(part, wanted, found);
                    }
                }
                Ty::Void => {}
                to => {
                    let mut part = with(Part::Follow, to.clone());
                    part.writable = false;
                    part.target = true;
                    self.parts(part, wanted, found);
                }
            },
            _ => {}
        }
    }

    /// How a place is written; its indices and keys are chosen now.
    pub fn written_place(&mut self, place: &Place, depth: usize) -> String {
        let mut text = place.variable.clone();
        for part in &place.parts {
            match part {
                Part::Member(name) => text = format!("{text}.{name}"),
                Part::Arrow(name) => text = format!("{text}->{name}"),
                Part::Follow => {
                    text = match self.choices.below(3) {
                        0 => format!("(*{text})"),
                        1 => format!("{text}[{}]", self.choices.below(12)),
                        _ => format!("{text}[{}]", self.integer(depth.min(1))),
                    }
                }
                Part::Index(length) => {
                    let index = self.index(*length, depth);
                    text = format!("{text}[{index}]");
                }
                Part::Free => {
                    let index = match self.choices.below(3) {
                        0 => self.choices.below(4).to_string(),
                        _ => self.integer(depth.min(1)),
                    };
                    text = format!("{text}[{index}]");
                }
                Part::Element => {
                    let index = match self.choices.below(4) {
                        0 => "0".to_owned(),
                        1 => self.choices.below(3).to_string(),
                        _ => self.integer(depth.min(1)),
                    };
                    text = format!("{text}[{index}]");
                }
                Part::Row(keys) => {
                    let keys: Vec<String> = keys.iter().map(|key| self.key(key, depth)).collect();
                    text = format!("{text}[{}]", keys.join(", "));
                }
            }
        }
        text
    }

    /// An index of a fixed array. One known to be outside is an error of the checker, so what
    /// may be outside involves a variable.
    fn index(&mut self, length: usize, depth: usize) -> String {
        let plain = self.choices.below(length).to_string();
        if self.choices.below(3) == 0 {
            return plain;
        }
        let variable =
            self.place(&|place| place.bare && !place.target && matches!(place.ty, Ty::Int(0..=7)));
        let Some(variable) = variable else {
            return plain;
        };
        let variable = self.written_place(&variable, 0);
        match self.choices.below(4) {
            0 => format!("(unsigned char) {variable} % {length}"),
            1 => format!("({variable} & {})", length.next_power_of_two() - 1),
            2 => variable,
            _ => format!("{variable} + {}", self.integer(depth.min(1))),
        }
    }

    /// A key: mostly one of few, so that keys meet.
    pub fn key(&mut self, ty: &Ty, depth: usize) -> String {
        let few = self.choices.below(4);
        match ty {
            _ if self.choices.chance(40) => self.value(ty, depth.min(1)),
            Ty::Int(_) => few.to_string(),
            Ty::Float | Ty::Double => ["0.0", "-0.0", "1.5", "(0.0 / 0.0)"][few].to_owned(),
            Ty::Enum(_) => self.enumerator(ty),
            Ty::Str => ["\"a\"", "\"b\"", "\"\"", "\"key\\0c\""][few].to_owned(),
            _ => self.value(ty, depth.min(1)),
        }
    }
}
