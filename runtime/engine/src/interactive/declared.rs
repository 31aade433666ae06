//! What has been declared at the prompt, and values that were shown, as text that later lines are compiled with.

use std::collections::BTreeSet;

use ytrace_lang::fragment;

use super::Interactive;
use super::generations::one_line;
use crate::error::SessionError;

/// Declarations, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    text: String,
    names: Vec<String>,
}

/// A value that was shown.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    /// The expression that gave it, in which `_` stands for no other value any more.
    pub(super) text: String,
    /// What it is.
    pub(super) form: Form,
    /// Its bytes, or the address of where it lies in the target.
    pub(super) bytes: Vec<u8>,
    /// Whether it can still be used.
    pub(super) known: bool,
}

/// How an earlier value is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A value of the expression's type.
    Value,
    /// A pointer to a function, which the name of one decays to.
    Function,
    /// A place in the target, by its address.
    Place,
}

impl Declared {
    /// All of it as text that ends in a line end.
    pub(super) fn text(&self) -> String {
        self.items
            .iter()
            .map(|item| format!("{}\n", item.text))
            .collect()
    }

    /// Where each begins in [`Declared::text`], in bytes.
    pub(super) fn starts(&self) -> Vec<usize> {
        let mut next = 0;
        let starts = self.items.iter().map(|item| {
            let start = next;
            next += item.text.len() + 1;
            start
        });
        starts.collect()
    }

    /// The names of all.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.items
            .iter()
            .flat_map(|item| item.names.iter().map(String::as_str))
    }

    /// The texts, with the names that each declares.
    pub(super) fn items(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.items
            .iter()
            .map(|item| (item.text.as_str(), item.names.as_slice()))
    }

    /// Takes away what is about to be declared anew; the names that were. An error is of what was declared together with others in a way that
    /// cannot be taken apart.
    pub(super) fn replace(&mut self, names: &[String]) -> Result<Vec<String>, SessionError> {
        let mut replaced = Vec::new();
        let mut kept = Vec::new();
        for item in &self.items {
            let mut item = item.clone();
            let is_new = |name: &&String| names.contains(name);
            let again: Vec<String> = item.names.iter().filter(is_new).cloned().collect();
            if again.is_empty() {
                kept.push(item);
                continue;
            }
            if again.len() < item.names.len() {
                let Some(left) = fragment::without(&item.text, &again) else {
                    return Err(together(&item, &again));
                };
                item.text = left;
                item.names.retain(|name| !again.contains(name));
                kept.push(item);
            }
            replaced.extend(again);
        }
        self.items = kept;
        Ok(replaced)
    }

    /// Adds a declaration.
    pub(super) fn add(&mut self, text: &str, names: &[String]) {
        self.items.push(Item {
            text: text.to_owned(),
            names: names.to_vec(),
        });
    }
}

/// What was declared with others of which only some are declared anew.
fn together(item: &Item, again: &[String]) -> SessionError {
    let listed = |names: &[String]| format!("`{}`", names.join("`, `"));
    let others = item.names.iter().filter(|name| !again.contains(name));
    let others: Vec<String> = others.cloned().collect();
    SessionError::Arguments {
        message: format!(
            "{} was declared together with {}: `{}`",
            listed(again),
            listed(&others),
            one_line(&item.text)
        ),
        hint: Some(format!(
            "declare {} anew in the same line",
            listed(&item.names)
        )),
    }
}

/// The number that `$1` names.
pub(super) fn number_of(name: &str) -> Option<usize> {
    name.strip_prefix('$')?.parse().ok()
}

impl Interactive<'_> {
    /// The number of the value that was shown last.
    pub(super) fn last_number(&self) -> Option<usize> {
        let count = self.earlier.len();
        let last = self.earlier.last()?;
        last.known.then_some(count)
    }

    /// The name of the value that was shown last, which stays its own.
    pub fn last_name(&self) -> Option<String> {
        self.last_number().map(|number| format!("${number}"))
    }

    /// Refuses a text that uses an earlier value which there is not.
    pub(super) fn check_earlier(&self, text: &str) -> Result<(), SessionError> {
        if fragment::has_captures(text) {
            return Ok(());
        }
        let mentioned = fragment::mentioned(text);
        let mut numbers = mentioned.iter().filter_map(|name| number_of(name));
        let unknown = numbers.find(|number| {
            let index = number.checked_sub(1);
            let earlier = index.and_then(|index| self.earlier.get(index));
            !earlier.is_some_and(|earlier| earlier.known)
        });
        match unknown {
            None => Ok(()),
            Some(number) => Err(SessionError::Arguments {
                message: format!("there is no value `${number}`"),
                hint: match self.earlier.len() {
                    0 => Some("values that are shown are numbered from `$1`".to_owned()),
                    _ => None,
                },
            }),
        }
    }

    /// The earlier values that a text and what is declared use, those that these use included.
    pub(super) fn used_values(&self, text: &str) -> BTreeSet<usize> {
        let mut used = BTreeSet::new();
        let mut pending: Vec<usize> = Vec::new();
        let declared = self.declared.items().map(|(text, _)| text);
        for text in declared.chain([text]) {
            if fragment::has_captures(text) {
                continue;
            }
            let mentioned = fragment::mentioned(text);
            if mentioned.contains("_") {
                pending.extend(self.last_number());
            }
            pending.extend(mentioned.iter().filter_map(|name| number_of(name)));
        }
        while let Some(number) = pending.pop() {
            let Some(earlier) = number
                .checked_sub(1)
                .and_then(|index| self.earlier.get(index))
                .filter(|earlier| earlier.known)
            else {
                continue;
            };
            if used.insert(number) {
                let names = fragment::mentioned(&earlier.text);
                pending.extend(names.iter().filter_map(|name| number_of(name)));
            }
        }
        used
    }

    /// The name of the variable that holds an earlier value.
    pub(super) fn name_of_earlier(&self, name: &str, form: Form) -> String {
        match form {
            Form::Value | Form::Function => name.to_owned(),
            Form::Place => format!("{name}*"),
        }
    }

    /// The variables that hold the earlier values which a text uses: their names and the numbers of their values.
    pub(super) fn earlier_variables(&self, text: &str) -> Vec<(String, usize)> {
        let mut variables = Vec::new();
        for number in self.used_values(text) {
            if let Some(earlier) = self.earlier.get(number - 1) {
                let name = self.name_of_earlier(&format!("${number}"), earlier.form);
                variables.push((name, number));
            }
        }
        if !fragment::has_captures(text)
            && fragment::mentioned(text).contains("_")
            && let Some(number) = self.last_number()
            && let Some(earlier) = self.earlier.last()
        {
            variables.push((self.name_of_earlier("_", earlier.form), number));
        }
        variables
    }

    /// Declarations of the variables that hold the earlier values which a text uses.
    pub(super) fn earlier_text(&self, text: &str) -> String {
        let mut all = String::new();
        for (name, number) in self.earlier_variables(text) {
            let Some(earlier) = self.earlier.get(number - 1) else {
                continue;
            };
            let expression = &earlier.text;
            // A comment at the end of the expression ends with the line.
            all.push_str(&match earlier.form {
                Form::Value => format!("typeof(\n{expression}\n) `{name}`;\n"),
                Form::Function => {
                    format!("typeof(0 ? (\n{expression}\n) : (\n{expression}\n)) `{name}`;\n")
                }
                Form::Place => format!("typeof(&(\n{expression}\n)) `{name}`;\n"),
            });
        }
        all
    }

    /// An expression as it is kept: `_` would be another value later.
    pub(super) fn with_numbers(&self, expression: &str) -> String {
        let last = self.last_number();
        fragment::renamed(expression.trim(), &|name| match (name, last) {
            ("_", Some(number)) => Some(format!("${number}")),
            _ => None,
        })
    }
}
