//! Macros: definitions and expansion with hide sets, as the C standard's authors described it.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Expansion, Preprocessor};
use crate::diagnostics::Diagnostic;
use crate::lexer::{self, Token, TokenKind};
use crate::source::{FileId, Span};

/// Tokens that macros of one program may produce.
const MAX_PRODUCED: usize = 400_000;

/// Bytes of text that these tokens may have.
const MAX_TEXT: usize = 4 << 20;

/// Tokens that expansion may look at.
const MAX_STEPS: usize = 4_000_000;

/// Macros that may stand inside one another.
const MAX_NESTED: usize = 200;

/// Numbers that all hide sets may hold together.
const MAX_HIDDEN: usize = 1 << 20;

/// A macro.
#[derive(Debug)]
pub struct Macro {
    id: u32,
    name: Rc<str>,
    /// The parameters of a function-like macro, numbered; a variadic one's last collects the rest.
    parameters: Option<HashMap<Rc<str>, usize>>,
    variadic: bool,
    body: Vec<Token>,
    definition: Option<Span>,
    /// File and line of the target's source, for one that the target's debug information has.
    place: Option<Rc<str>>,
}

impl Macro {
    /// The number of the parameter that a token names.
    fn parameter(&self, token: &Token) -> Option<usize> {
        if token.kind != TokenKind::Identifier || token.prefix.is_some() {
            return None;
        }
        self.parameters.as_ref()?.get(&token.text).copied()
    }

    /// A use of it.
    fn expansion(&self) -> Expansion {
        Expansion {
            name: self.name.to_string(),
            definition: self.definition,
            place: self.place.as_deref().map(str::to_owned),
        }
    }

    fn same(&self, other: &Macro) -> bool {
        self.parameters == other.parameters
            && self.variadic == other.variadic
            && self.body.len() == other.body.len()
            && self
                .body
                .iter()
                .zip(&other.body)
                .all(|(a, b)| a.text == b.text && a.kind == b.kind)
    }
}

/// The macros in force, and what expansion has used up.
#[derive(Default)]
pub struct Macros {
    /// Every word of the text is looked up here.
    table: hashbrown::HashMap<Rc<str>, Rc<Macro>>,
    next_id: u32,
    hide_sets: HideSets,
    produced: usize,
    text: usize,
    steps: usize,
    nested: usize,
    /// Tokens of the arguments that are being expanded inside one another.
    held: usize,
    exhausted: bool,
}

impl Macros {
    /// Whether a name is a macro.
    pub fn is_defined(&self, name: &str) -> bool {
        self.table.contains_key(name) || matches!(name, "__FILE__" | "__LINE__")
    }

    /// The names of all macros, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.table.keys().map(|name| name.to_string()).collect();
        names.sort_unstable();
        names
    }

    /// Forgets a macro.
    pub fn remove(&mut self, name: &str) {
        self.table.remove(name);
    }
}

/// Sets of macros that a token must not be expanded by again. The empty set is number 0.
#[derive(Default)]
struct HideSets {
    sets: Vec<Rc<[u32]>>,
    numbers: HashMap<Rc<[u32]>, u32>,
    /// How many numbers the sets hold.
    size: usize,
    unions: HashMap<(u32, u32), u32>,
    intersections: HashMap<(u32, u32), u32>,
    /// By a set and the macro that is added to it.
    additions: HashMap<(u32, u32), u32>,
}

impl HideSets {
    fn get(&self, number: u32) -> Rc<[u32]> {
        number
            .checked_sub(1)
            .and_then(|index| self.sets.get(index as usize).cloned())
            .unwrap_or_else(|| Rc::from([]))
    }

    fn contains(&self, number: u32, id: u32) -> bool {
        number != 0 && self.get(number).binary_search(&id).is_ok()
    }

    /// The number of a sorted set.
    fn number(&mut self, set: Vec<u32>) -> u32 {
        if set.is_empty() {
            return 0;
        }
        let set: Rc<[u32]> = set.into();
        if let Some(number) = self.numbers.get(&set) {
            return *number;
        }
        self.size += set.len();
        self.sets.push(set.clone());
        let number = self.sets.len() as u32;
        self.numbers.insert(set, number);
        number
    }

    fn with(&mut self, number: u32, id: u32) -> u32 {
        if let Some(known) = self.additions.get(&(number, id)) {
            return *known;
        }
        let mut set = self.get(number).to_vec();
        if let Err(at) = set.binary_search(&id) {
            set.insert(at, id);
        }
        let result = self.number(set);
        self.additions.insert((number, id), result);
        result
    }

    fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b || b == 0 {
            return a;
        }
        if a == 0 {
            return b;
        }
        if let Some(number) = self.unions.get(&(a, b)) {
            return *number;
        }
        let mut set = self.get(a).to_vec();
        set.extend_from_slice(&self.get(b));
        set.sort_unstable();
        set.dedup();
        let number = self.number(set);
        self.unions.insert((a, b), number);
        number
    }

    fn intersection(&mut self, a: u32, b: u32) -> u32 {
        if a == b {
            return a;
        }
        if let Some(number) = self.intersections.get(&(a, b)) {
            return *number;
        }
        let (first, second) = (self.get(a), self.get(b));
        let set = first
            .iter()
            .copied()
            .filter(|id| second.binary_search(id).is_ok())
            .collect();
        let number = self.number(set);
        self.intersections.insert((a, b), number);
        number
    }
}

impl Preprocessor<'_, '_, '_> {
    /// Defines a macro of the language's own.
    pub(super) fn define_built_in(&mut self, name: &str, value: &str) {
        let body = lexer::lex(FileId(0), value, &mut self.interner, &mut self.diagnostics);
        let name = self.interner.intern(name);
        let definition = Macro {
            id: self.macros.next_id,
            name: name.clone(),
            parameters: None,
            variadic: false,
            body,
            definition: None,
            place: None,
        };
        self.macros.next_id += 1;
        self.macros.table.insert(name, Rc::new(definition));
    }

    /// `#define`.
    pub(super) fn define_directive(&mut self, arguments: &[&Token], span: Span) {
        let Some((name, rest)) = arguments.split_first() else {
            self.error(span, "`#define` takes a name", "a name must follow");
            return;
        };
        if name.kind != TokenKind::Identifier
            || name.prefix.is_some()
            || &*name.text == "defined"
            || &*name.text == "__VA_ARGS__"
        {
            self.error(
                name.span,
                format!("`{}` cannot name a macro", name.spelling()),
                "a name of its own is wanted",
            );
            return;
        }
        let mut parameters = None;
        let mut variadic = false;
        let mut body = rest;
        if let Some((open, after)) = rest.split_first()
            && open.is("(")
            && !open.spaced
        {
            let Some((list, dots, remaining)) = self.parameters(after, span) else {
                return;
            };
            parameters = Some(list);
            variadic = dots;
            body = remaining;
        }
        let body: Vec<Token> = body
            .iter()
            .map(|token| Token {
                first: false,
                ..(*token).clone()
            })
            .collect();
        if let Some(edge) = body
            .first()
            .filter(|first| first.is("##"))
            .or_else(|| body.last().filter(|last| last.is("##")))
        {
            self.error(
                edge.span,
                "`##` joins two tokens",
                "nothing to join on one side",
            );
            return;
        }
        let definition = Macro {
            id: self.macros.next_id,
            name: name.text.clone(),
            parameters,
            variadic,
            body,
            definition: Some(name.span),
            place: None,
        };
        for (index, token) in definition.body.iter().enumerate() {
            if definition.parameters.is_some()
                && token.is("#")
                && definition
                    .body
                    .get(index + 1)
                    .is_none_or(|next| definition.parameter(next).is_none())
            {
                self.error(
                    token.span,
                    "`#` makes a string of a parameter",
                    "no parameter follows",
                );
                return;
            }
        }
        self.macros.next_id += 1;
        if let Some(before) = self.macros.table.get(&name.text)
            && !before.same(&definition)
        {
            let mut diagnostic = Diagnostic::warning(
                name.span,
                format!("the macro `{}` is defined anew", name.text),
                "this definition is in force from here on",
            );
            if let Some(before) = before.definition {
                diagnostic = diagnostic.with_secondary(before, "it was defined here");
            }
            self.diagnostics.push(diagnostic);
        }
        self.target_macros.restore(&name.text);
        self.macros
            .table
            .insert(name.text.clone(), Rc::new(definition));
    }

    /// A macro of the target; it is not in the table of the script's own.
    pub(super) fn new_target_macro(
        &mut self,
        name: &Rc<str>,
        parameters: Option<Vec<Rc<str>>>,
        variadic: bool,
        body: Vec<Token>,
        place: Option<String>,
    ) -> Rc<Macro> {
        let id = self.macros.next_id;
        self.macros.next_id += 1;
        Rc::new(Macro {
            id,
            name: name.clone(),
            parameters: parameters.map(|list| list.into_iter().zip(0..).collect()),
            variadic,
            body: body
                .into_iter()
                .map(|token| Token {
                    first: false,
                    ..token
                })
                .collect(),
            definition: None,
            place: Some(place.unwrap_or_default().into()),
        })
    }

    /// Whether a name is a macro here: of the script, or of the target.
    pub(super) fn is_macro(&mut self, token: &Token) -> bool {
        self.macros.is_defined(&token.text) || self.target_macro(token).is_some()
    }

    /// The parameters after `(`, whether the last one is variadic, and what follows `)`.
    #[allow(clippy::type_complexity)]
    fn parameters<'t>(
        &mut self,
        tokens: &'t [&'t Token],
        span: Span,
    ) -> Option<(HashMap<Rc<str>, usize>, bool, &'t [&'t Token])> {
        let mut list: HashMap<Rc<str>, usize> = HashMap::new();
        let mut variadic = false;
        let mut rest = tokens;
        if let [close, after @ ..] = rest
            && close.is(")")
        {
            return Some((list, variadic, after));
        }
        loop {
            match rest {
                [dots, after @ ..] if dots.is("...") => {
                    list.insert(self.interner.intern("__VA_ARGS__"), list.len());
                    variadic = true;
                    rest = after;
                }
                [name, dots, after @ ..]
                    if name.kind == TokenKind::Identifier
                        && dots.is("...")
                        && !list.contains_key(&name.text) =>
                {
                    list.insert(name.text.clone(), list.len());
                    variadic = true;
                    rest = after;
                }
                [name, after @ ..]
                    if name.kind == TokenKind::Identifier && name.prefix.is_none() =>
                {
                    if list.contains_key(&name.text) {
                        self.error(
                            name.span,
                            format!("two parameters are called `{}`", name.text),
                            "the second one",
                        );
                        return None;
                    }
                    list.insert(name.text.clone(), list.len());
                    rest = after;
                }
                _ => break,
            }
            match rest {
                [close, after @ ..] if close.is(")") => return Some((list, variadic, after)),
                [comma, after @ ..] if comma.is(",") && !variadic => rest = after,
                _ => break,
            }
        }
        let at = rest.first().map_or(span, |token| token.span);
        self.error(
            at,
            "the parameters of a macro are names",
            "a name, `...`, `,` or `)` is wanted here",
        );
        None
    }

    /// Expands the macros in a stretch of text.
    pub(super) fn expand(&mut self, tokens: Vec<Token>) -> Vec<Token> {
        // Most text holds no macro.
        if !tokens.iter().any(|token| self.may_expand(token)) {
            return tokens;
        }
        let mut output = Vec::with_capacity(tokens.len());
        let mut stack = tokens;
        stack.reverse();
        while let Some(token) = stack.pop() {
            self.macros.steps += 1;
            if !self.may_expand(&token) || !self.within_budget(token.span) {
                output.push(token);
                continue;
            }
            if let Some(value) = self.place(&token) {
                output.push(value);
                continue;
            }
            let own = self.macros.table.get(&token.text).cloned();
            let Some(definition) = own.or_else(|| self.target_macro(&token)) else {
                output.push(token);
                continue;
            };
            if self.macros.hide_sets.contains(token.hidden, definition.id) {
                output.push(token);
                continue;
            }
            let (mut arguments, hidden) = if definition.parameters.is_some() {
                if !stack.last().is_some_and(|next| next.is("(")) {
                    output.push(token);
                    continue;
                }
                let Some((arguments, close)) = self.arguments(&definition, &token, &mut stack)
                else {
                    output.push(token);
                    continue;
                };
                let hidden = self
                    .macros
                    .hide_sets
                    .intersection(token.hidden, close.hidden);
                (arguments, hidden)
            } else {
                (Vec::new(), token.hidden)
            };
            let hidden = self.macros.hide_sets.with(hidden, definition.id);
            let mut through = |mut span: Span| {
                span.expansion = self
                    .expansions
                    .through(span.expansion, definition.id, || definition.expansion());
                span
            };
            // An argument that stands in the body of a macro comes through this one, too.
            for argument in arguments.iter_mut().flatten() {
                if argument.span.expansion != 0 {
                    argument.span = through(argument.span);
                }
            }
            let place = through(token.span);
            let mut result = self.substitute(&definition, &arguments, place, hidden);
            if let Some(first) = result.first_mut() {
                first.spaced = token.spaced;
                first.first = token.first;
            }
            self.macros.produced += result.len();
            // Text that was cut is never silent.
            self.within_budget(token.span);
            stack.extend(result.into_iter().rev());
        }
        output
    }

    fn may_expand(&mut self, token: &Token) -> bool {
        token.kind == TokenKind::Identifier && token.prefix.is_none() && self.is_macro(token)
    }

    /// Whether expansion may go on. Says once when it may not.
    fn within_budget(&mut self, span: Span) -> bool {
        if self.macros.exhausted {
            return false;
        }
        if self.macros.produced <= MAX_PRODUCED
            && self.macros.text <= MAX_TEXT
            && self.macros.held <= MAX_PRODUCED
            && self.macros.hide_sets.size <= MAX_HIDDEN
            && self.macros.steps <= MAX_STEPS
            && self.macros.nested <= MAX_NESTED
        {
            return true;
        }
        self.macros.exhausted = true;
        self.diagnostics.push(
            Diagnostic::error(
                span,
                "macros expand to too much text",
                "expansion stops here",
            )
            .with_help(format!(
                "at most {MAX_PRODUCED} tokens may come from macros, and {MAX_NESTED} may stand inside one another"
            )),
        );
        false
    }

    /// `__FILE__` and `__LINE__`.
    fn place(&mut self, token: &Token) -> Option<Token> {
        let (kind, text) = match &*token.text {
            "__FILE__" if !self.macros.table.contains_key("__FILE__") => {
                let name = self
                    .sources
                    .get(token.span.file)
                    .map(|file| file.name.clone())
                    .unwrap_or_default();
                (TokenKind::String, quote(&name))
            }
            "__LINE__" if !self.macros.table.contains_key("__LINE__") => {
                let text = self.text(token.span.file);
                let lines = self.lines.entry(token.span.file).or_insert_with(|| {
                    text.bytes()
                        .enumerate()
                        .filter(|(_, byte)| *byte == b'\n')
                        .map(|(offset, _)| offset as u32)
                        .collect()
                });
                let line = lines.partition_point(|end| *end < token.span.start) + 1;
                (TokenKind::Number, line.to_string())
            }
            _ => return None,
        };
        Some(Token {
            kind,
            text: self.interner.intern(&text),
            ..token.clone()
        })
    }

    /// Takes the arguments of a use from the stack, and the `)` that ends them.
    fn arguments(
        &mut self,
        definition: &Macro,
        name: &Token,
        stack: &mut Vec<Token>,
    ) -> Option<(Vec<Vec<Token>>, Token)> {
        let parameters = definition.parameters.as_ref().map_or(0, HashMap::len);
        // Find the end before anything is taken.
        let mut depth = 0usize;
        let mut length = 0usize;
        for token in stack.iter().rev() {
            length += 1;
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
        }
        self.macros.steps += length;
        if depth != 0 {
            let mut diagnostic = Diagnostic::error(
                name.span,
                format!("the arguments of the macro `{}` never end", name.text),
                "no `)` follows",
            );
            if let Some(definition) = definition.definition {
                diagnostic = diagnostic.with_secondary(definition, "the macro is defined here");
            }
            self.diagnostics.push(diagnostic);
            return None;
        }
        let mut taken = stack.split_off(stack.len() - length);
        taken.reverse();
        let close = taken.pop()?;
        let mut arguments: Vec<Vec<Token>> = vec![Vec::new()];
        for token in taken.into_iter().skip(1) {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            }
            let rest = definition.variadic && arguments.len() == parameters;
            if token.is(",") && depth == 0 && !rest {
                arguments.push(Vec::new());
            } else if token.kind != TokenKind::Documentation
                && let Some(last) = arguments.last_mut()
            {
                last.push(token);
            }
        }
        let only_empty = arguments.len() == 1 && arguments.iter().all(Vec::is_empty);
        if parameters == 0 && only_empty {
            arguments.clear();
        }
        let given = arguments.len();
        // The rest of a variadic macro may be missing with its comma.
        if definition.variadic && given + 1 == parameters {
            arguments.push(Vec::new());
        }
        if arguments.len() != parameters {
            let wanted = if definition.variadic {
                format!("at least {}", parameters.saturating_sub(1))
            } else {
                parameters.to_string()
            };
            // Where the macro is defined is shown with every error in its use.
            let diagnostic = Diagnostic::error(
                name.span,
                format!(
                    "the macro `{}` takes {wanted} arguments, not {given}",
                    name.text
                ),
                "used here",
            );
            self.diagnostics.push(diagnostic);
            arguments.resize(parameters, Vec::new());
        }
        Some((arguments, close))
    }

    /// The body of a macro with its arguments.
    fn substitute(
        &mut self,
        definition: &Macro,
        arguments: &[Vec<Token>],
        use_span: Span,
        hidden: u32,
    ) -> Vec<Token> {
        let mut output: Vec<Token> = Vec::new();
        let mut expanded: Vec<Option<Vec<Token>>> = vec![None; arguments.len()];
        let body = &definition.body;
        let from_body = |token: &Token| Token {
            span: use_span,
            ..token.clone()
        };
        let mut index = 0;
        let mut counted = 0;
        while let Some(token) = body.get(index) {
            let new = output.get(counted..).unwrap_or_default();
            self.macros.text += new.iter().map(length).sum::<usize>();
            counted = output.len();
            if counted > MAX_PRODUCED || self.macros.text > MAX_TEXT || self.macros.exhausted {
                break;
            }
            let next = body.get(index + 1);
            if definition.parameters.is_some()
                && token.is("#")
                && let Some(argument) = next
                    .and_then(|next| definition.parameter(next))
                    .and_then(|parameter| arguments.get(parameter))
            {
                let text = stringize(argument);
                output.push(Token {
                    kind: TokenKind::String,
                    text: self.interner.intern(&text),
                    ..from_body(token)
                });
                index += 2;
                continue;
            }
            if token.is("##")
                && index > 0
                && let Some(right) = next
            {
                let parameter = definition.parameter(right);
                let variadic = definition.variadic && parameter == arguments.len().checked_sub(1);
                match parameter.and_then(|parameter| arguments.get(parameter)) {
                    // GNU: `, ## __VA_ARGS__` drops the comma when nothing follows.
                    Some(argument)
                        if variadic && output.last().is_some_and(|last| last.is(",")) =>
                    {
                        if argument.is_empty() {
                            output.pop();
                        } else {
                            let argument = argument.clone();
                            let argument = self.expand_argument(argument);
                            output.extend(argument);
                        }
                    }
                    Some(argument) => {
                        let mut argument = argument.iter();
                        if let Some(first) = argument.next() {
                            self.paste(&mut output, first.clone(), use_span);
                        }
                        output.extend(argument.cloned());
                    }
                    None => self.paste(&mut output, from_body(right), use_span),
                }
                index += 2;
                continue;
            }
            match definition.parameter(token) {
                Some(parameter) => {
                    let raw = arguments
                        .get(parameter)
                        .map(Vec::as_slice)
                        .unwrap_or_default();
                    if next.is_some_and(|next| next.is("##")) {
                        if raw.is_empty() {
                            output.push(Token {
                                kind: TokenKind::Placemarker,
                                text: self.interner.intern(""),
                                ..from_body(token)
                            });
                        } else {
                            output.extend(raw.iter().cloned());
                        }
                    } else {
                        let known = expanded.get(parameter).and_then(Option::as_ref);
                        let argument = match known {
                            Some(known) => known.clone(),
                            None => {
                                let result = self.expand_argument(raw.to_vec());
                                if let Some(slot) = expanded.get_mut(parameter) {
                                    *slot = Some(result.clone());
                                }
                                result
                            }
                        };
                        let start = output.len();
                        output.extend(argument);
                        if let Some(first) = output.get_mut(start) {
                            first.spaced = token.spaced;
                        }
                    }
                }
                None => output.push(from_body(token)),
            }
            index += 1;
        }
        if self.macros.exhausted {
            // An argument was too much. Every macro around it would copy what is left of it.
            return Vec::new();
        }
        let new = output.get(counted..).unwrap_or_default();
        self.macros.text += new.iter().map(length).sum::<usize>();
        output.retain(|token| token.kind != TokenKind::Placemarker);
        for token in &mut output {
            token.hidden = self.macros.hide_sets.union(token.hidden, hidden);
        }
        output
    }

    /// An argument on its own.
    fn expand_argument(&mut self, argument: Vec<Token>) -> Vec<Token> {
        let size = argument.len();
        self.macros.nested += 1;
        self.macros.held += size;
        let result = match argument.first().map(|first| first.span) {
            Some(span) if self.within_budget(span) => self.expand(argument),
            _ => argument,
        };
        self.macros.nested -= 1;
        self.macros.held -= size;
        result
    }

    /// Joins the last token of the output and another one.
    fn paste(&mut self, output: &mut Vec<Token>, right: Token, use_span: Span) {
        let Some(left) = output.pop() else {
            output.push(right);
            return;
        };
        if left.kind == TokenKind::Placemarker {
            output.push(right);
            return;
        }
        if right.kind == TokenKind::Placemarker {
            output.push(left);
            return;
        }
        let text = format!("{}{}", left.spelling(), right.spelling());
        self.macros.text += text.len();
        let mut wrong = Vec::new();
        let tokens = lexer::lex(use_span.file, &text, &mut self.interner, &mut wrong);
        match tokens.into_iter().next() {
            Some(token)
                if wrong.is_empty()
                    && token.span.end as usize == text.len()
                    && !text.is_empty() =>
            {
                output.push(Token {
                    span: use_span,
                    spaced: left.spaced,
                    first: left.first,
                    hidden: self
                        .macros
                        .hide_sets
                        .intersection(left.hidden, right.hidden),
                    ..token
                });
            }
            _ => {
                self.error(
                    use_span,
                    format!("`{}` and `{}` do not make one token", left.text, right.text),
                    "joined by `##` in this macro",
                );
                output.push(left);
                output.push(right);
            }
        }
    }
}

/// The bytes of a token's text.
fn length(token: &Token) -> usize {
    token.text.len() + token.prefix.as_ref().map_or(0, |prefix| prefix.len())
}

/// The text of an argument as a string literal.
fn stringize(argument: &[Token]) -> String {
    let mut text = String::new();
    for (index, token) in argument.iter().enumerate() {
        if token.spaced && index > 0 {
            text.push(' ');
        }
        let spelling = token.spelling();
        if matches!(token.kind, TokenKind::String | TokenKind::Character) {
            for c in spelling.chars() {
                if matches!(c, '"' | '\\') {
                    text.push('\\');
                }
                text.push(c);
            }
        } else {
            text.push_str(&spelling);
        }
    }
    // A lone backslash cannot stand outside literals, so the text needs no more care.
    format!("\"{text}\"")
}

/// Text as a string literal.
fn quote(text: &str) -> String {
    let mut result = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                result.push('\\');
                result.push(c);
            }
            '\n' => result.push_str("\\n"),
            _ => result.push(c),
        }
    }
    result.push('"');
    result
}
