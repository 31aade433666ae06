//! Whole programs.

use super::choices::Choices;
use super::places::{Function, Generator};
use super::types::{INTEGERS, Member, Record, Ty, declared};

/// A program from choices, without the target's directives.
pub fn program(choices: Choices) -> (String, Vec<u32>) {
    let mut generator = Generator::new(choices);
    generator.budgets();
    generator.line("_path root;");
    generator.line("enum shade { LIGHT, DARK = 200 };");
    for _ in 0..generator.choices.below(4) {
        generator.new_record();
    }
    if generator.choices.chance(30) {
        generator.option();
    }
    for _ in 0..=generator.choices.below(6) {
        generator.global();
    }
    generator.declare("root", Ty::Path, true);
    for _ in 0..generator.choices.weighted(&[50, 30, 13, 7]) {
        generator.signature();
    }
    // Mostly small programs, so that many can be tried, and some large ones.
    let size = [3, 6, 12, 40][generator.choices.weighted(&[45, 33, 18, 4])];
    for index in 0..generator.functions.len() {
        generator.function(index, size);
    }
    let probes: &[&str] = match generator.choices.below(9) {
        0..=5 => &["_oneshot"],
        6 => &["_begin", "_oneshot"],
        7 => &["_oneshot", "_end"],
        _ => &["_begin", "_timer.ms(10)", "_oneshot", "_end"],
    };
    for probe in probes {
        generator.probe(probe, size);
    }
    let mut text = generator.lines.join("\n");
    text.push('\n');
    (text, generator.choices.into_words())
}

impl Generator {
    /// Budgets: mostly enough, often of one kind too little.
    fn budgets(&mut self) {
        let mut numbers = [3000, 1 << 16, 1 << 18, 1 << 14, 64];
        let small: [&[u64]; 5] = [
            &[0, 3, 10, 40, 200],
            &[0, 100, 400, 1000, 4000],
            &[0, 300, 1000, 4000, 16000],
            &[0, 3, 20, 100],
            &[0, 1, 3, 8],
        ];
        if self.choices.chance(35) {
            let which = self.choices.below(5);
            numbers[which] = small[which][self.choices.below(small[which].len())];
        }
        for (name, number) in ["steps", "stack", "tracer-memory", "output", "string"]
            .iter()
            .zip(numbers)
        {
            self.line(&format!("//! {name} {number}"));
        }
    }

    fn new_record(&mut self) {
        let index = self.records.len();
        let union = self.choices.chance(12);
        let mut record = Record {
            name: format!("{} s{index}", if union { "union" } else { "struct" }),
            union,
            declarable: true,
            plain: true,
            key: !union,
            members: Vec::new(),
        };
        let mut text = format!("{} {{", record.name);
        for number in 0..=self.choices.below(5) {
            let name = format!("m{number}");
            let mut bits = None;
            let ty = match self.choices.below(12) {
                0..=3 => Ty::Int(self.choices.below(INTEGERS.len())),
                4 | 5 => {
                    let kind = self.choices.below(12);
                    let most = [32, 64, 32, 64, 8, 8, 16, 16, 1, 8, 64, 64][kind];
                    bits = Some(1 + self.choices.below(most));
                    Ty::Int(kind)
                }
                6 => Ty::Double,
                7 => Ty::Float,
                8 => Ty::pointer(Ty::Record(0)),
                9 if !union => Ty::Str,
                10 => Ty::Fixed(Box::new(Ty::Int(self.choices.below(8))), 3),
                _ if index > 6 && !union && self.choices.chance(60) => Ty::Record(index - 1),
                _ => Ty::Enum(true),
            };
            match &ty {
                Ty::Str => record.plain = false,
                Ty::Fixed(..) => record.key = false,
                Ty::Record(inner) => {
                    record.plain &= self.records[*inner].plain;
                    record.key &= self.records[*inner].key;
                }
                _ => {}
            }
            let declaration = declared(&ty, &name, &self.records);
            text.push_str(&match bits {
                Some(width) => format!(" {declaration} : {width};"),
                None => format!(" {declaration};"),
            });
            record.members.push(Member { name, ty, bits });
        }
        text.push_str(" };");
        self.line(&text);
        self.records.push(record);
    }

    fn option(&mut self) {
        let (line, ty) = match self.choices.below(4) {
            0 => ("_option int depth = 3;", Ty::int()),
            1 => ("_option unsigned long depth = 1000;", Ty::Int(3)),
            2 => ("_option double depth = 2.5;", Ty::Double),
            _ => ("_option _str depth = \"deep\";", Ty::Str),
        };
        self.line(line);
        if self.choices.chance(30) {
            self.line("//! arguments --depth 7");
        }
        self.declare("depth", ty, false);
    }

    fn global(&mut self) {
        let container = self.choices.chance(55);
        let name = self.name("g");
        self.calls = false;
        if container {
            let ty = self.container_type(1);
            let declaration = self.declaration(&ty, &name);
            let view = matches!(&ty, Ty::Table(_, value) if !value.is_container());
            let items = match &ty {
                Ty::Growing(of) if of.is_scalar() && self.choices.chance(60) => {
                    let own = self.scope.split_off(self.target_variables);
                    let items = format!("{{ {}, {} }}", self.value(of, 1), self.value(of, 1));
                    self.scope.extend(own);
                    Some(items)
                }
                _ => None,
            };
            if let Some(items) = items {
                self.line(&format!("{declaration} = {items};"));
            } else if view && self.choices.chance(30) {
                self.line(&format!("_view table \"{name}\" \"\" {declaration};"));
            } else {
                self.line(&format!("{declaration};"));
            }
            self.declare(&name, ty, true);
        } else {
            let ty = match self.plain_type() {
                ty if self.choices.chance(15) => Ty::Fixed(Box::new(ty), 1 + self.choices.below(4)),
                ty => ty,
            };
            let declaration = self.declaration(&ty, &name);
            let line = match &ty {
                Ty::Fixed(..) => format!("{declaration};"),
                _ if self.choices.chance(40) => format!("{declaration};"),
                // An initializer reads the target, and no other variable of the program.
                ty => {
                    let own = self.scope.split_off(self.target_variables);
                    let value = self.value(ty, 1);
                    self.scope.extend(own);
                    format!("{declaration} = {value};")
                }
            };
            self.line(&line);
            self.declare(&name, ty, true);
        }
        self.calls = true;
    }

    fn signature(&mut self) {
        let result = match self.choices.below(8) {
            0 => Ty::Void,
            1..=3 => Ty::Int(self.choices.below(INTEGERS.len())),
            _ => match self.plain_type() {
                Ty::Record(index) if !self.records[index].declarable => Ty::int(),
                ty => ty,
            },
        };
        let mut parameters = Vec::new();
        for _ in 0..self.choices.below(4) {
            let container = self.scope.iter().rev().find(|v| v.ty.is_container());
            parameters.push(match container {
                Some(container) if self.choices.below(4) == 3 => container.ty.clone(),
                _ => self.plain_type(),
            });
        }
        let name = self.name("f");
        self.functions.push(Function {
            name,
            result,
            parameters,
        });
    }

    fn function(&mut self, index: usize, size: usize) {
        let function = self.functions[index].clone();
        let scope = self.scope.len();
        let mut parameters = vec!["int down".to_owned()];
        self.declare("down", Ty::int(), false);
        for ty in &function.parameters {
            let name = self.name("q");
            parameters.push(self.declaration(ty, &name));
            self.declare(&name, ty.clone(), true);
        }
        let head = declared(&function.result, &function.name, &self.records);
        self.result = (function.result != Ty::Void).then(|| function.result.clone());
        self.line(&format!("{head}({}) {{", parameters.join(", ")));
        self.indent += 1;
        if self.choices.chance(90) {
            let calls = std::mem::replace(&mut self.calls, false);
            let leave = match &self.result.clone() {
                Some(ty) => format!("return {};", self.value(ty, 1)),
                None => "return;".to_owned(),
            };
            self.calls = calls;
            self.line("if (down <= 0)");
            self.indent += 1;
            self.line(&leave);
            self.indent -= 1;
        }
        self.indent -= 1;
        self.fuel = size;
        self.statements(5);
        if let Some(ty) = self.result.clone() {
            self.indent += 1;
            let value = self.value(&ty, 2);
            self.line(&format!("return {value};"));
            self.indent -= 1;
        }
        self.line("}");
        self.result = None;
        self.scope.truncate(scope);
    }

    fn probe(&mut self, point: &str, size: usize) {
        self.fuel = size;
        self.line(&format!("_probe {point} {{"));
        self.statements(size);
        self.line("}");
    }
}
