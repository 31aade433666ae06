//! Options of the script: their declarations, and their values from the command line.

use super::class::Class;
use super::script::Ordinary;
use super::symbols::FunctionContext;
use super::{Checker, suggest};
use crate::ast;
use crate::compile::OptionHelp;
use crate::hir::{self, ExpressionKind, OptionKind, OptionValue, StatementKind};
use crate::types::TypeId;

/// Why the words after `--` do not fit the options of the script.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OptionError {
    /// A word is wrong.
    #[error("{message}")]
    Wrong {
        /// What is wrong.
        message: String,
        /// What would be right.
        help: Option<String>,
    },
    /// `--help` was asked for: the options, to be listed.
    #[error("help was asked for")]
    Help(Vec<OptionHelp>),
}

fn wrong(message: impl Into<String>, help: Option<String>) -> OptionError {
    OptionError::Wrong {
        message: message.into(),
        help,
    }
}

/// An option as the command line writes it.
fn hyphened(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// The options of a checked script, for its `--help`. Values are those in force.
pub fn option_help(options: &[hir::ScriptOption]) -> Vec<OptionHelp> {
    options
        .iter()
        .map(|option| OptionHelp {
            name: option.name.replace('_', "-"),
            value: match option.kind {
                OptionKind::Switch => "",
                OptionKind::Integer { .. } => "N",
                OptionKind::Float => "X",
                OptionKind::Str => "TEXT",
                OptionKind::Range { .. } => "A..B",
            },
            default: option.value.clone(),
            documentation: option.documentation.clone(),
        })
        .collect()
}

/// An integer as the command line writes it: decimal or hexadecimal, with K, M, G or T.
fn parse_integer(text: &str, size: u8, signed: bool) -> Result<i64, &'static str> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(rest) => (16, rest),
        None => (10, digits),
    };
    let shift = match digits.chars().last() {
        Some('k' | 'K') => 10,
        Some('m' | 'M') => 20,
        Some('g' | 'G') => 30,
        Some('t' | 'T') => 40,
        _ => 0,
    };
    let digits = if shift > 0 {
        digits.get(..digits.len() - 1).unwrap_or_default()
    } else {
        digits
    };
    if digits.starts_with(['+', '-']) {
        return Err("not a number");
    }
    let value = i128::from_str_radix(digits, radix).map_err(|_| "not a number")?;
    let value = value.checked_mul(1 << shift).ok_or("too large")?;
    let value = if negative { -value } else { value };
    let bits = u32::from(size) * 8;
    let (least, most) = if signed {
        (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
    } else {
        (0, (1_i128 << bits) - 1)
    };
    if value < least || value > most {
        return Err("out of the range of the option's type");
    }
    Ok(value as u64 as i64)
}

fn parse_value(kind: OptionKind, text: &str) -> Result<OptionValue, &'static str> {
    match kind {
        OptionKind::Switch => match text {
            "1" | "true" | "yes" | "on" => Ok(OptionValue::Integer(1)),
            "0" | "false" | "no" | "off" => Ok(OptionValue::Integer(0)),
            _ => Err("neither `true` nor `false`"),
        },
        OptionKind::Integer { size, signed } => {
            parse_integer(text, size, signed).map(OptionValue::Integer)
        }
        OptionKind::Float => text
            .parse()
            .map(OptionValue::Float)
            .map_err(|_| "not a number"),
        OptionKind::Str => Ok(OptionValue::Str(text.as_bytes().to_vec())),
        OptionKind::Range { size, signed } => parse_range(text, size, signed),
    }
}

/// `A..B`, both ends included; either may be left out. A single number is a range of one.
fn parse_range(text: &str, size: u8, signed: bool) -> Result<OptionValue, &'static str> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = all_of(size, signed);
    let end = |text: &str, otherwise| match text {
        "" => Ok(otherwise),
        text => parse_integer(text, size, signed),
    };
    let (least, greatest) = (end(from, first)?, end(to, last)?);
    let empty = match signed {
        true => least > greatest,
        false => least.cast_unsigned() > greatest.cast_unsigned(),
    };
    match (text, empty) {
        ("", _) => Err("not a range"),
        (_, true) => Err("nothing lies in it"),
        (_, false) => Ok(OptionValue::Range {
            least,
            greatest,
            size,
        }),
    }
}

/// The least and the greatest number of an integer type.
fn all_of(size: u8, signed: bool) -> (i64, i64) {
    let unused = 64_u32.saturating_sub(u32::from(size) * 8).min(63);
    match signed {
        true => (i64::MIN >> unused, i64::MAX >> unused),
        false => (0, (u64::MAX >> unused).cast_signed()),
    }
}

/// Sets options from the words after `--`.
fn set_from_words(options: &mut [hir::ScriptOption], words: &[String]) -> Result<(), OptionError> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(body) = word.strip_prefix("--").filter(|body| !body.is_empty()) else {
            let names: Vec<String> = options
                .iter()
                .map(|option| hyphened(&option.name))
                .collect();
            return Err(wrong(
                format!("`{word}` is not an option of this script"),
                Some(list(&names)),
            ));
        };
        let (name, given) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (body, None),
        };
        let plain = name.replace('-', "_");
        let position = |wanted: &str| options.iter().position(|option| option.name == wanted);
        let (index, negated) = match position(&plain) {
            Some(index) => (index, false),
            None => match plain.strip_prefix("no_").and_then(position) {
                Some(index) => (index, true),
                None => return Err(unknown(name, options)),
            },
        };
        let Some(option) = options.get_mut(index) else {
            continue;
        };
        let shown = hyphened(&option.name);
        if negated {
            if option.kind != OptionKind::Switch {
                return Err(wrong(
                    format!("`--{name}`: `{shown}` is not a switch"),
                    Some(format!("write `{shown} VALUE`")),
                ));
            }
            if given.is_some() {
                return Err(wrong(format!("`--{name}` takes no value"), None));
            }
            option.value = OptionValue::Integer(0);
            continue;
        }
        let text = match (given, option.kind) {
            (Some(text), _) => text,
            (None, OptionKind::Switch) => "true",
            (None, _) => match words.next() {
                Some(text) => text,
                None => {
                    return Err(wrong(
                        format!("`{shown}` needs a value"),
                        Some(format!("write `{shown} VALUE`")),
                    ));
                }
            },
        };
        option.value = parse_value(option.kind, text).map_err(|reason| {
            let help = match option.kind {
                OptionKind::Integer { .. } => {
                    Some("an integer, with K, M or G if wanted: `64`, `0x40`, `16M`".to_owned())
                }
                OptionKind::Float => Some("a number such as `0.5`".to_owned()),
                OptionKind::Switch => Some(format!(
                    "write `{shown}` or `--no-{}`",
                    option.name.replace('_', "-")
                )),
                OptionKind::Str => None,
                OptionKind::Range { .. } => {
                    Some("a range such as `4K..64K`, `4K..` or `..64K`".to_owned())
                }
            };
            wrong(format!("`{shown} {text}`: {reason}"), help)
        })?;
    }
    Ok(())
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "this script has no options".to_owned()
    } else {
        format!("its options are {}", names.join(", "))
    }
}

fn unknown(name: &str, options: &[hir::ScriptOption]) -> OptionError {
    let names: Vec<String> = options
        .iter()
        .map(|option| hyphened(&option.name))
        .collect();
    let wanted = format!("--{name}");
    let close = suggest::similar(&wanted, names.iter().map(String::as_str));
    let help = match suggest::did_you_mean(&close) {
        Some(question) => format!("{question} {}", list(&names)),
        None => list(&names),
    };
    wrong(format!("no option `{wanted}` in this script"), Some(help))
}

impl<'a> Checker<'a> {
    /// Declares the options and gives them their values.
    pub(super) fn check_options(
        &mut self,
        unit: &'a ast::Unit,
        arguments: &[String],
    ) -> Result<(), OptionError> {
        for item in &unit.items {
            if let ast::ItemKind::Option(option) = &item.kind {
                self.declare_option(option, item.documentation.clone());
            }
        }
        if arguments
            .iter()
            .any(|word| word == "--help" || word == "-h")
        {
            return Err(OptionError::Help(option_help(&self.options)));
        }
        let mut options = std::mem::take(&mut self.options);
        let set = set_from_words(&mut options, arguments);
        self.options = options;
        set?;
        for index in 0..self.options.len() {
            self.initialize_option(index);
        }
        Ok(())
    }

    /// `_max_overhead e;`: the last one counts.
    pub(super) fn check_overhead(&mut self, unit: &'a ast::Unit) {
        self.context = FunctionContext::new(self.basics.void);
        for item in &unit.items {
            let ast::ItemKind::MaxOverhead(percent) = &item.kind else {
                continue;
            };
            let Some(number) = self.constant_integer(percent) else {
                continue;
            };
            match u64::try_from(number) {
                Ok(percent) => self.max_overhead = Some(percent),
                Err(_) => self.error(
                    percent.span,
                    "a number of per cent is 0 or more",
                    format!("this is {number}"),
                ),
            }
        }
    }

    fn declare_option(&mut self, option: &'a ast::OptionItem, documentation: Option<String>) {
        self.context = FunctionContext::new(self.basics.void);
        let ty = self.type_name(&option.ty);
        let kind = match self.class(ty) {
            Class::Unknown => return,
            Class::Bool => OptionKind::Switch,
            Class::Float(_) => OptionKind::Float,
            Class::Str => OptionKind::Str,
            class if class.is_integer() => match self.integer_shape(ty) {
                Some((size, signed)) => OptionKind::Integer { size, signed },
                None => return,
            },
            Class::Array(element, Some(2)) if self.is_plain_integer(element) => {
                match self.integer_shape(element) {
                    Some((size, signed)) => OptionKind::Range { size, signed },
                    None => return,
                }
            }
            _ => {
                let found = self.quoted(ty);
                self.error(
                    option.ty.span,
                    "an option is an integer, a float, a `_Bool`, a `_str`, or two integers for a range",
                    format!("this is {found}"),
                );
                return;
            }
        };
        // An option with a wrong default is known all the same, so that its uses are no errors.
        let default = match (&option.default, kind) {
            (Some(default), OptionKind::Range { .. }) => {
                self.error_help(
                    default.span,
                    "a range has no default",
                    "without one it is all that its type has",
                    "leave it out",
                );
                None
            }
            (Some(default), _) => self.option_default(default, ty),
            (None, _) => None,
        };
        let value = default.unwrap_or(match kind {
            OptionKind::Float => OptionValue::Float(0.0),
            OptionKind::Str => OptionValue::Str(Vec::new()),
            OptionKind::Switch | OptionKind::Integer { .. } => OptionValue::Integer(0),
            OptionKind::Range { size, signed } => {
                let (least, greatest) = all_of(size, signed);
                OptionValue::Range {
                    least,
                    greatest,
                    size,
                }
            }
        });
        let name = &option.name;
        let known = self.script.ordinary.contains_key(name.text.as_str());
        let global = self.add_global(&name.text, ty, name.span, documentation.clone());
        self.define(name, Ordinary::Option(global));
        if known {
            return;
        }
        self.options.push(hir::ScriptOption {
            name: name.text.clone(),
            global,
            kind,
            documentation,
            value,
        });
    }

    fn is_plain_integer(&self, ty: TypeId) -> bool {
        matches!(self.class(ty), Class::Integer { .. })
    }

    /// The value of a default; `None` after an error.
    fn option_default(&mut self, default: &ast::Expression, ty: TypeId) -> Option<OptionValue> {
        let in_global = std::mem::replace(&mut self.in_global, true);
        let value = self.value(default);
        let value = self.assign_to(value, ty, "the default");
        self.in_global = in_global;
        let value = self.with_option_values(value);
        if self.is_unknown(value.ty) {
            return None;
        }
        match value.kind {
            ExpressionKind::Integer(word) => Some(OptionValue::Integer(word as i64)),
            ExpressionKind::Float(float) => Some(OptionValue::Float(float)),
            ExpressionKind::Str(bytes) => Some(OptionValue::Str(bytes)),
            _ => {
                self.error(default.span, "the default must be a constant", "it varies");
                None
            }
        }
    }

    /// The value in force is the first value of the option's global.
    fn initialize_option(&mut self, index: usize) {
        let Some(option) = self.options.get(index) else {
            return;
        };
        let id = option.global;
        let kind = match &option.value {
            OptionValue::Integer(value) => ExpressionKind::Integer(*value as u64),
            OptionValue::Float(value) => ExpressionKind::Float(*value),
            OptionValue::Str(bytes) => ExpressionKind::Str(bytes.clone()),
            // An array has no value as a whole: it is stored where it is lowered.
            OptionValue::Range { .. } => return,
        };
        let Some(global) = self.globals.get_mut(id.0 as usize) else {
            return;
        };
        let (ty, span) = (global.ty, global.span);
        let place = hir::Place {
            kind: hir::PlaceKind::Global(id),
            ty,
            span,
        };
        let value = hir::Expression { kind, ty, span };
        global.initializer = vec![hir::Statement {
            kind: StatementKind::Expression(hir::Expression {
                kind: ExpressionKind::Assign(Box::new(place), Box::new(value)),
                ty,
                span,
            }),
            span,
        }];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Vec<hir::ScriptOption> {
        let option = |name: &str, kind, value| hir::ScriptOption {
            name: name.to_owned(),
            global: hir::GlobalId(0),
            kind,
            documentation: None,
            value,
        };
        vec![
            option(
                "depth",
                OptionKind::Integer {
                    size: 4,
                    signed: true,
                },
                OptionValue::Integer(64),
            ),
            option("show_keys", OptionKind::Switch, OptionValue::Integer(0)),
            option("vm", OptionKind::Str, OptionValue::Str(b"http".to_vec())),
            option("share", OptionKind::Float, OptionValue::Float(0.5)),
        ]
    }

    fn set(words: &[&str]) -> Result<Vec<OptionValue>, OptionError> {
        let mut options = options();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        set_from_words(&mut options, &words)?;
        Ok(options.into_iter().map(|option| option.value).collect())
    }

    #[test]
    fn takes_all_ways_of_writing_an_option() {
        let values = set(&[
            "--depth",
            "2K",
            "--show-keys",
            "--vm=stream",
            "--share=0.25",
        ]);
        assert_eq!(
            values.unwrap(),
            [
                OptionValue::Integer(2048),
                OptionValue::Integer(1),
                OptionValue::Str(b"stream".to_vec()),
                OptionValue::Float(0.25),
            ]
        );
        let values = set(&["--show_keys", "--no-show-keys", "--depth=-0x10"]).unwrap();
        assert_eq!(values[0], OptionValue::Integer(-16));
        assert_eq!(values[1], OptionValue::Integer(0));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for words in [
            &["--dept", "3"][..],
            &["--depth"],
            &["--depth", "many"],
            &["--depth", "3G"],
            &["--depth=1e3"],
            &["--depth=--3"],
            &["--no-depth"],
            &["--show-keys=maybe"],
            &["--share", "half"],
            &["stray"],
            &["--"],
            &["--depth=99999999999999999999999999999999999999999"],
            &["--depth=16777216T"],
        ] {
            assert!(set(words).is_err(), "{words:?}");
        }
        let Err(OptionError::Wrong { help, .. }) = set(&["--dept", "3"]) else {
            panic!("accepted");
        };
        assert!(help.unwrap().starts_with("did you mean `--depth`?"));
    }
}
