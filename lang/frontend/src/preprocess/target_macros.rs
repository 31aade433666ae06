//! Macros that the target's debug information has, for names that the script does not give a meaning of its own.
//!
//! They are asked for one by one, in the module that the file's `_module` chose. A script's macros, its declarations and the words of
//! the language come first; the library that ships with ytrace is written without knowledge of a target's macros and gets none.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Preprocessor;
use super::macros::Macro;
use crate::check::builtins;
use crate::diagnostics::Diagnostic;
use crate::lexer::{self, Token, TokenKind};
use crate::source::FileId;
use crate::target::{MacroDescription, ModuleId, Scope};

/// A macro of the target with more parameters than this is not used.
const MAX_PARAMETERS: usize = 256;

/// Words that mean something in a declaration's or statement's place, and so stand before names that they do not declare.
const STATEMENT_WORDS: [&str; 10] = [
    "defined", "return", "else", "case", "goto", "sizeof", "in", "struct", "union", "enum",
];

/// The types among the words that begin with an underscore.
const TYPE_WORDS: [&str; 4] = ["_str", "_path", "_agg", "_Bool"];

/// C's words and the names that always exist, which headers of a target define as macros.
const C_WORDS: [&str; 47] = [
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "typeof",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "in",
    "NULL",
    "true",
    "false",
    "bool",
    "offsetof",
    "defined",
    "assert",
    "size_t",
    "ssize_t",
    "ptrdiff_t",
    "uintptr_t",
];

/// What is asked: the module, the name, and whether the name came out of a macro.
type Asked = (Option<ModuleId>, Rc<str>, bool);

/// What is known of the target's macros.
#[derive(Default)]
pub(super) struct TargetMacros {
    known: HashMap<Asked, Option<Rc<Macro>>>,
    /// Names that each file declares, as far as two words in a row tell.
    declared: HashMap<FileId, HashSet<Rc<str>>>,
    /// Names that the script took back with `#undef`.
    removed: HashSet<Rc<str>>,
}

impl TargetMacros {
    /// Notes what a file declares: a name after a type's name, `T name` or `int *name`.
    pub(super) fn note_declarations(&mut self, file: FileId, tokens: &[Token]) {
        let mut names = HashSet::new();
        for (index, token) in tokens.iter().enumerate() {
            if token.kind != TokenKind::Identifier {
                continue;
            }
            let mut before = tokens.get(..index).unwrap_or_default().iter().rev();
            let mut stars = false;
            let previous = before.find(|previous| {
                stars |= previous.is("*");
                !previous.is("*")
            });
            let Some(previous) = previous.filter(|previous| previous.kind == TokenKind::Identifier)
            else {
                continue;
            };
            // What follows the word of a directive is asked for, not declared.
            if before
                .next()
                .is_some_and(|hash| hash.is("#") || hash.is("##"))
            {
                continue;
            }
            let word = &*previous.text;
            let is_type = if word.starts_with('_') {
                TYPE_WORDS.contains(&word)
            } else if stars {
                // `a * b` may be a product, `int * b` may not.
                C_WORDS.contains(&word)
            } else {
                true
            };
            if is_type && !STATEMENT_WORDS.contains(&word) {
                names.insert(token.text.clone());
            }
        }
        self.declared.insert(file, names);
    }

    /// Notes that the script wants no macro of this name.
    pub(super) fn remove(&mut self, name: &Rc<str>) {
        self.removed.insert(name.clone());
    }

    /// Notes that the script has a macro of this name again.
    pub(super) fn restore(&mut self, name: &Rc<str>) {
        self.removed.remove(name);
    }
}

impl Preprocessor<'_, '_, '_> {
    /// The target's macro of a name, if it has one that may be used there.
    pub(super) fn target_macro(&mut self, token: &Token) -> Option<Rc<Macro>> {
        self.target.as_ref()?;
        let file = token.span.file;
        let scope = self
            .scopes
            .get(file.0 as usize)
            .copied()
            .unwrap_or_default();
        let missing = scope.line.is_some() && scope.module.is_none();
        let library = self.sources.get(file).is_none_or(|file| file.library);
        if missing || library || self.target_macros.removed.contains(&token.text) {
            return None;
        }
        let key = (scope.module, token.text.clone(), token.hidden != 0);
        if let Some(known) = self.target_macros.known.get(&key) {
            return known.clone();
        }
        let found = self.ask_for_macro(token, scope.module);
        self.target_macros.known.insert(key, found.clone());
        found
    }

    fn ask_for_macro(&mut self, token: &Token, module: Option<ModuleId>) -> Option<Rc<Macro>> {
        if self.has_meaning(token) {
            return None;
        }
        let wanted = Scope {
            prefix: None,
            preferred: module,
        };
        let found = self.target.as_deref_mut()?.find_macro(&wanted, &token.text);
        match found {
            Ok(found) => found.and_then(|description| self.make(token, description)),
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::error(token.span, error.to_string(), "which of them is meant?")
                        .with_help(format!("`#define {} …` settles it", token.text)),
                );
                None
            }
        }
    }

    /// Whether a name means something in the language or the script.
    fn has_meaning(&self, token: &Token) -> bool {
        let name = &*token.text;
        // Only words of the language begin with an underscore in a script; in a macro's text they are the target's.
        let own_word = name.starts_with('_') && token.hidden == 0;
        own_word
            || C_WORDS.contains(&name)
            || builtins::find(name).is_some()
            || (token.hidden == 0
                && self
                    .target_macros
                    .declared
                    .values()
                    .any(|names| names.contains(&token.text)))
    }

    fn make(&mut self, token: &Token, description: MacroDescription) -> Option<Rc<Macro>> {
        let mut wrong = Vec::new();
        let body = lexer::lex(
            token.span.file,
            &description.replacement,
            &mut self.interner,
            &mut wrong,
        );
        let mut variadic = false;
        let parameters = description.parameters.map(|names| {
            names
                .iter()
                .map(|name| match name.strip_suffix("...") {
                    Some("") => {
                        variadic = true;
                        self.interner.intern("__VA_ARGS__")
                    }
                    Some(name) => {
                        variadic = true;
                        self.interner.intern(name)
                    }
                    None => self.interner.intern(name),
                })
                .collect::<Vec<_>>()
        });
        let many = parameters
            .as_ref()
            .is_some_and(|list| list.len() > MAX_PARAMETERS);
        if let Some(first) = wrong
            .first()
            .map(|diagnostic| diagnostic.message.clone())
            .or_else(|| many.then(|| format!("it has more than {MAX_PARAMETERS} parameters")))
        {
            let place = description.place.unwrap_or_default();
            self.diagnostics.push(
                Diagnostic::error(
                    token.span,
                    format!(
                        "the target's macro `{}` cannot be used: {first}",
                        token.text
                    ),
                    "used here",
                )
                .with_help(format!(
                    "defined in the target's debug information: {place}"
                )),
            );
            return None;
        }
        // A macro that stands for itself (`#define stdin stdin`) says only that the name is there.
        if let ([only], None) = (body.as_slice(), &parameters)
            && only.text == token.text
        {
            return None;
        }
        Some(self.new_target_macro(&token.text, parameters, variadic, body, description.place))
    }
}
